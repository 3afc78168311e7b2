/* SPDX-License-Identifier: Apache-2.0 */
#include "exec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "module.h"

#define PAGE 1024u
#define STEPS_MAX 200000000ull
#define CLAIMS_MAX 4096u
#define ADDRESSES_MAX 512u

/* A function that runs. */
struct frame {
	struct function *f;
	struct val *slot;
	struct val ret;
	bool returned;
};

/* One choice on the path: which of the ways was gone. */
struct choice {
	lit_t *way;
	uint32_t n, at;
};

struct exec_counts exec_counts;
bool exec_verbose;
uint32_t exec_jobs = 1, exec_every = 1, exec_first = 1;

/* What apart() has split off: processes, and what they have done. */
static struct results {
	uint64_t paths, claims;
	bool failed;
} *results;
static bool am_part;
static uint32_t running, split;         /* parts that run now, and that there were */

static lit_t memory[MEMORY][8], image[MEMORY][8];
static bool dirty[MEMORY / PAGE];

static struct choice *choices;
static uint32_t choice_count, choice_at, choice_room;
static bool setting_up;
static bool failed, ended;              /* the path is over */
static uint64_t steps;
static const char *current;             /* the operation */

static struct { char name[128]; lit_t cond; } claims[CLAIMS_MAX];
static uint32_t claim_count;

/* While merging. */
static uint32_t merging;                /* how deep in functions that do */
static uint32_t blind;                  /* how deep in those in which nobody asks whether a way is possible */
static lit_t guard;                     /* this side is gone */
static lit_t assumed[CLAIMS_MAX];
static uint32_t assumed_count;
static struct { uint32_t at; lit_t old[8]; } *journal;  /* what was in memory before */
static uint32_t journal_length, journal_room;

static struct val call(struct function *f, struct val *args, uint32_t n);

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* ---- the path ---------------------------------------------------------------- */

static void path_end(void)
{
	ended = true;
}

static void fail(const char *format, ...)
{
	va_list list;
	uint32_t i;

	va_start(list, format);
	fprintf(stderr, "\ninduct: %s: FAILED: ", current);
	vfprintf(stderr, format, list);
	fprintf(stderr, "\n");
	va_end(list);
	fprintf(stderr, "induct: ways gone:");
	for (i = 0; i < choice_at; i++) {
		fprintf(stderr, " %u/%u", choices[i].at + 1, choices[i].n);
	}
	fprintf(stderr, "\n");
	failed = ended = true;
}

/* Goes one of the ways, each of which is possible. Its number. */
static uint32_t choose(lit_t *ways, uint32_t n)
{
	struct choice *c;

	if (choice_at == choice_count) {
		GROW(choices, choice_count, choice_room);
		c = &choices[choice_count++];
		c->way = malloc((n ? n : 1) * sizeof(lit_t));
		memcpy(c->way, ways, n * sizeof(lit_t));
		c->n = n;
		c->at = 0;
	}
	c = &choices[choice_at++];
	if (c->n == 0) {
		path_end();
		return 0;
	}
	bits_path(c->way[c->at]);
	return c->at;
}

/* Whether c is so on this path. */
static bool decide(lit_t c)
{
	lit_t ways[2];
	uint32_t n = 0, i;

	c = bits_known(c);
	if (c <= 1) {
		return c;
	}
	if (choice_at < choice_count) {
		i = choose(NULL, 0);
		return choices[choice_at - 1].n && choices[choice_at - 1].way[i] == c;
	}
	if (bits_possible(c)) {
		ways[n++] = c;
	}
	if (bits_possible(c ^ 1)) {
		ways[n++] = c ^ 1;
	}
	i = choose(ways, n);
	return n && ways[i] == c;
}

/* What is to be so at the end of the path; on this side, while merging. */
static void claim(lit_t c, const char *name)
{
	c = merging ? bits_or(guard ^ 1, c) : c;
	exec_counts.claims++;
	if (c == LIT_TRUE) {
		return;
	}
	if (claim_count == CLAIMS_MAX) {
		die("%s: too many claims", current);
	}
	snprintf(claims[claim_count].name, sizeof(claims[0].name), "%s", name);
	claims[claim_count++].cond = c;
}

/* The n-th place where the address may be. False: there are no more. */
static bool address_next(struct val p, uint32_t bytes, uint32_t *object, uint64_t *at, lit_t *eq)
{
	for (; *object < object_count; ++*object, *at = 0) {
		const struct object *o = &objects[*object];

		if (p.object && p.object != *object + 1) {
			continue;
		}
		for (*at = *at < o->at ? o->at : *at + 1; *at + bytes <= o->at + o->size; ++*at) {
			*eq = val_eq_const(p, *at);
			if (*eq != LIT_FALSE) {
				return true;
			}
		}
	}
	return false;
}

/* Makes an address known: forks. 0: the path is over. */
static uint64_t settle(struct val p, uint32_t bytes)
{
	lit_t ways[ADDRESSES_MAX], eq, other = LIT_TRUE;
	uint64_t found[ADDRESSES_MAX], at = 0, n;
	uint32_t count = 0, i, o;
	bool replay = choice_at < choice_count;

	p = val_known(p);
	if (val_const(p, &n)) {
		i = object_of(n);
		if (!i || n + bytes > objects[i - 1].at + objects[i - 1].size) {
			fail("access of %u bytes at %lx, which is no object%s", bytes, (unsigned long)n,
			     n == 0 ? " (a null pointer)" : "");
			return 0;
		}
		return n;
	}
	for (o = 0; address_next(p, bytes, &o, &at, &eq);) {
		other = bits_and(other, eq ^ 1);
		if (replay ? eq == choices[choice_at].way[choices[choice_at].at] : bits_possible(eq)) {
			if (count == ADDRESSES_MAX) {
				die("%s: an address that may be anything, in %s", current, objects[o].name);
			}
			found[count] = at;
			ways[count++] = eq;
		}
	}
	if (!replay && bits_possible(other)) {
		for (i = 0, n = 0; i < p.bits; i++) {
			n |= (uint64_t)bits_model(p.b[i]) << i;
		}
		fail("access of %u bytes at %lx, outside of %s", bytes, (unsigned long)n,
		     p.object ? objects[p.object - 1].name : "every object");
		return 0;
	}
	if (!count) {
		die("%s: a way without an address", current);
	}
	i = choose(ways, count);
	return found[replay ? 0 : i];
}

/* ---- loads and stores ----------------------------------------------------------- */

static lit_t *cell(uint64_t at)
{
	if (at < BASE || at - BASE >= MEMORY) {
		die("%s: address %lx", current, (unsigned long)at);
	}
	return memory[at - BASE];
}

static void cell_write(uint64_t at, const lit_t *b)
{
	lit_t *c = cell(at);

	if (merging) {
		GROW(journal, journal_length, journal_room);
		journal[journal_length].at = (uint32_t)(at - BASE);
		memcpy(journal[journal_length++].old, c, sizeof(memory[0]));
	}
	dirty[(at - BASE) / PAGE] = true;
	memcpy(c, b, sizeof(memory[0]));
}

static struct val load_at(uint64_t at, uint32_t bits)
{
	struct val v = val_new(bits);
	uint32_t i;

	for (i = 0; i < bits; i++) {
		v.b[i] = lit_known(cell(at + i / 8)[i % 8]);
	}
	return v;
}

static void store_at(uint64_t at, struct val v)
{
	uint32_t i, k;
	lit_t b[8];

	for (i = 0; i < v.bits; i += 8) {
		for (k = 0; k < 8; k++) {
			b[k] = i + k < v.bits ? v.b[i + k] : LIT_FALSE;
		}
		cell_write(at + i / 8, b);
	}
}

/*
 * The literal, or false if it is impossible here. Asked once for each side: of all
 * fields of a struct the answer is the same.
 */
static lit_t may_be(lit_t a)
{
	static struct { lit_t a, guard; uint64_t path; bool yes; } memo[1 << 14];
	uint32_t h = (a * 2654435761u ^ guard * 40503u) % (1 << 14);

	a = val_untold ? a : bits_deep(a);
	if (val_untold || a <= 1) {
		return a;
	}
	if (memo[h].a != a || memo[h].guard != guard || memo[h].path != exec_counts.paths + 1) {
		memo[h].a = a;
		memo[h].guard = guard;
		memo[h].path = exec_counts.paths + 1;
		memo[h].yes = bits_possible(a);
	}
	return memo[h].yes ? a : LIT_FALSE;
}

/* While merging: of all places that the address may be, the right one. */
static struct val load_any(struct val p, uint32_t bits)
{
	struct val r = val_of(0, bits);
	lit_t found = LIT_FALSE, eq;
	uint64_t at = 0;
	uint32_t o, i;

	for (o = 0; address_next(p, (bits + 7) / 8, &o, &at, &eq);) {
		eq = may_be(eq);
		found = bits_or(found, eq);
		for (i = 0; eq != LIT_FALSE && i < bits; i++) {
			r.b[i] = bits_or(r.b[i], bits_and(eq, lit_known(cell(at + i / 8)[i % 8])));
		}
	}
	if (!val_untold) {
		claim(found, "a load is inside of an object");
	}
	return r;
}

static void store_any(struct val p, struct val v)
{
	lit_t found = LIT_FALSE, eq;
	uint64_t at = 0;
	uint32_t o;

	for (o = 0; address_next(p, (v.bits + 7) / 8, &o, &at, &eq);) {
		eq = may_be(eq);
		found = bits_or(found, eq);
		if (eq != LIT_FALSE) {
			store_at(at, val_ite(eq, v, load_at(at, v.bits)));
		}
	}
	if (!val_untold) {
		claim(found, "a store is inside of an object");
	}
}

static struct val do_load(struct val p, uint32_t bits)
{
	uint64_t n;

	p = val_deep(p);
	if (merging) {
		return val_const(p, &n) && object_of(n) ? load_at(n, bits) : load_any(p, bits);
	}
	n = settle(p, (bits + 7) / 8);
	return ended ? val_of(0, bits) : load_at(n, bits);
}

static void do_store(struct val p, struct val v)
{
	uint64_t n;

	p = val_deep(p);
	if (!merging) {
		n = settle(p, (v.bits + 7) / 8);
		if (!ended) {
			store_at(n, v);
		}
	} else if (val_const(p, &n) && object_of(n)) {
		store_at(n, v);
	} else {
		store_any(p, v);
	}
}

/* ---- running ----------------------------------------------------------------- */

static const char *text_at(struct val p)
{
	static char text[8][256];
	static uint32_t turn;
	char *t = text[turn++ % 8];
	uint64_t at, c;
	uint32_t i;

	if (!val_const(p, &at)) {
		return "?";
	}
	for (i = 0; i < 255; i++) {
		if (!val_const(load_at(at + i, 8), &c) || !c) {
			break;
		}
		t[i] = (char)c;
	}
	t[i] = 0;
	return t;
}

static void copy_bytes(struct val to, struct val from, uint64_t n)
{
	uint64_t i, a, b;

	to = val_known(to);
	from = val_known(from);
	if (!merging) {
		a = settle(to, (uint32_t)n);
		b = ended ? 0 : settle(from, (uint32_t)n);
	} else if (!val_const(to, &a) || !val_const(from, &b)) {
		/* Word by word, wherever it is. */
		struct val step = val_of(8, 64);

		for (i = 0; i + 8 <= n; i += 8) {
			do_store(to, do_load(from, 64));
			to.b = val_add(to, step, LIT_FALSE).b;
			from.b = val_add(from, step, LIT_FALSE).b;
		}
		if (i != n) {
			die("%s: %lu bytes copied while merging", current, (unsigned long)n);
		}
		return;
	}
	if (ended) {
		return;
	}
	for (i = 0; i < n; i++) {
		lit_t t[8];

		memcpy(t, cell(b + i), sizeof(t));
		cell_write(a + i, t);
	}
}

static void state_keep(void)
{
	memcpy(image, memory, sizeof(memory));
	memset(dirty, 0, sizeof(dirty));
}

/* Waits until fewer than so many parts run. */
static void parts_wait(uint32_t most)
{
	int status;

	while (running > most) {
		if (wait(&status) < 0) {
			die("no part to wait for");
		}
		running--;
		if (!WIFEXITED(status)) {
			fprintf(stderr, "induct: %s: a part was ended by signal %d\n", current, WTERMSIG(status));
		}
		results->failed |= !WIFEXITED(status) || WEXITSTATUS(status);
	}
}

/*
 * The rest of the path becomes a process of its own, in which what is known is put into all
 * that is in memory; here the path ends. There, the operation begins with that for every path.
 */
static void apart(void)
{
	uint32_t i, k;
	pid_t child;

	if (merging || claim_count) {
		die("%s: apart() too late", current);
	}
	if (am_part) {
		return;
	}
	/* Whoever stays here has no path to count. */
	exec_counts.paths--;
	path_end();
	split++;
	if (split < exec_first || (split - exec_first) % exec_every) {
		exec_counts.left_out++;
		return;
	}
	if (results->failed) {
		return;
	}
	exec_counts.parts++;
	parts_wait(exec_jobs - 1);
	if (exec_verbose) {
		fprintf(stderr, "induct: %s: part %u, %lu paths shown\n", current, split, (unsigned long)results->paths);
	}
	fflush(NULL);
	child = fork();
	if (child < 0) {
		die("no process for a part");
	}
	if (child) {
		running++;
		return;
	}
	am_part = true;
	ended = false;
	running = 0;
	choice_count = choice_at = 0;
	memset(&exec_counts, 0, sizeof(exec_counts));
	if (!bits_settle()) {
		die("%s: a part that cannot be", current);
	}
	for (i = 0; i < memory_top; i++) {
		for (k = 0; k < 8; k++) {
			memory[i][k] = bits_reduced(memory[i][k]);
		}
	}
	state_keep();
}

/* What the harness and the compiler call. */
static bool builtin(struct function *f, struct val *args, uint32_t n, uint32_t bits, struct val *out)
{
	uint64_t k, i;

	if (begins(f->name, "llvm.lifetime") || begins(f->name, "llvm.dbg") ||
	    begins(f->name, "llvm.assume") || begins(f->name, "llvm.experimental.noalias")) {
		return true;
	}
	if (begins(f->name, "llvm.memcpy") || begins(f->name, "llvm.memmove") ||
	    !strcmp(f->name, "memcpy")) {
		*out = args[0];
		if (!val_const(val_known(args[2]), &k)) {
			for (k = 0; !merging && k <= 64 && !decide(val_eq_const(val_known(args[2]), k)); k++) {
				if (ended) {
					return true;
				}
			}
			if (k > 64) {
				die("%s: so many bytes copied that it is not known", current);
			}
			/* While merging: words, as long as there may be one more. */
			for (; merging; k += 8) {
				struct val at = val_of(k, 64);
				lit_t more = val_less(at, val_known(args[2]));
				struct val to = val_add(args[0], at, LIT_FALSE), from = val_add(args[1], at, LIT_FALSE);

				to.object = args[0].object;
				from.object = args[1].object;
				if (may_be(more) == LIT_FALSE) {
					return true;
				}
				do_store(to, val_ite(more, do_load(from, 64), do_load(to, 64)));
			}
		}
		if (k) {
			copy_bytes(args[0], args[1], k);
		}
		return true;
	}
	if (begins(f->name, "llvm.memset")) {
		struct val p = val_known(args[0]), v = val_new(8);

		if (!val_const(val_known(args[2]), &k)) {
			die("%s: so many bytes set that it is not known", current);
		}
		if (!k) {
			return true;
		}
		memcpy(v.b, args[1].b, 8 * sizeof(lit_t));
		if (merging) {
			if (!val_const(p, &i)) {
				die("%s: bytes set while merging", current);
			}
		} else {
			i = settle(p, (uint32_t)k);
		}
		for (; !ended && k; k--) {
			store_at(i++, v);
		}
		return true;
	}
	if (begins(f->name, "llvm.expect")) {
		*out = args[0];
		return true;
	}
	if (begins(f->name, "llvm.umin") || begins(f->name, "llvm.umax")) {
		lit_t less = val_less(args[0], args[1]);

		*out = val_ite(begins(f->name, "llvm.umin") ? less : less ^ 1, args[0], args[1]);
		return true;
	}
	if (begins(f->name, "llvm.usub.sat")) {
		struct val d = val_add(args[0], val_not(args[1]), LIT_TRUE);

		*out = val_ite(val_less(args[0], args[1]), val_of(0, d.bits), d);
		return true;
	}
	if (begins(f->name, "llvm.ctpop")) {
		struct val sum = val_of(0, bits), one;

		for (i = 0; i < bits; i++) {
			one = val_of(0, bits);
			one.b[0] = args[0].b[i];
			sum = val_add(sum, one, LIT_FALSE);
		}
		*out = sum;
		return true;
	}
	if (begins(f->name, "llvm.fshl") || begins(f->name, "llvm.fshr")) {
		die("%s: %s", current, f->name);
	}
	if (!strcmp(f->name, "any")) {
		if (!val_const(args[0], &k) || k > 64) {
			die("%s: any() of unknown bits", current);
		}
		*out = val_of(0, 64);
		for (i = 0; i < k; i++) {
			out->b[i] = bits_known(bits_free());
		}
		return true;
	}
	if (!strcmp(f->name, "assume")) {
		lit_t c = bits_known(args[0].b[0]);

		if (merging && guard != LIT_TRUE) {
			c = bits_or(guard ^ 1, c);
		}
		if (setting_up) {
			claim(c, "what is assumed");
		} else if (merging) {
			if (assumed_count == CLAIMS_MAX) {
				die("too much is assumed");
			}
			assumed[assumed_count++] = c;
			bits_path(c);
		} else if (!bits_possible(c)) {
			path_end();
		} else {
			bits_path(c);
		}
		return true;
	}
	/* Forks, until the number is known. */
	if (!strcmp(f->name, "pick")) {
		struct val v = val_known(args[0]);

		for (k = 0; !val_const(v, &i) && !ended; k++) {
			if (k == v.bits) {
				die("%s: pick()", current);
			}
			decide(v.b[k]);
			v = val_known(args[0]);
		}
		*out = v;
		return true;
	}
	if (!strcmp(f->name, "claim")) {
		claim(args[0].b[0], text_at(args[1]));
		return true;
	}
	if (!strcmp(f->name, "shown")) {
		lit_t c = bits_or(guard ^ 1, args[0].b[0]);

		if (!am_part) {
			die("%s: shown() before apart()", current);
		}
		if (!bits_always(bits_known(c))) {
			die("%s: what has been shown is not so", current);
		}
		return true;
	}
	if (!strcmp(f->name, "ask")) {
		lit_t c = bits_known(args[0].b[0]);

		/* On one side of a merge it would be known for that side only. */
		if (c > 1 && guard == LIT_TRUE) {
			c = !bits_possible(c) ? LIT_FALSE : !bits_possible(c ^ 1) ? LIT_TRUE : c;
		}
		*out = val_of(0, bits);
		out->b[0] = c;
		return true;
	}
	if (!strcmp(f->name, "apart")) {
		apart();
		return true;
	}
	if (!strcmp(f->name, "machine_panic")) {
		claim(LIT_FALSE, text_at(args[0]));
		if (!merging) {
			path_end();
		}
		return true;
	}
	(void)n;
	return false;
}

static struct val get(struct frame *fr, int a)
{
	return a >= 0 ? val_known(fr->slot[a]) : constants[~a];
}

/* With the sign turned round: so that numbers with one compare like those without. */
static struct val sign_turned(struct val v)
{
	struct val r = val_new(v.bits);

	memcpy(r.b, v.b, v.bits * sizeof(lit_t));
	r.b[v.bits - 1] ^= 1;
	return r;
}

static lit_t compare(struct insn *i, struct val a, struct val b)
{
	LLVMIntPredicate p = LLVMGetICmpPredicate(i->v);

	if (p == LLVMIntSLT || p == LLVMIntSGE || p == LLVMIntSGT || p == LLVMIntSLE) {
		a = sign_turned(a);
		b = sign_turned(b);
	}
	switch (p) {
	case LLVMIntEQ:
		return val_eq(a, b);
	case LLVMIntNE:
		return val_eq(a, b) ^ 1;
	case LLVMIntULT:
	case LLVMIntSLT:
		return val_less(a, b);
	case LLVMIntUGE:
	case LLVMIntSGE:
		return val_less(a, b) ^ 1;
	case LLVMIntUGT:
	case LLVMIntSGT:
		return val_less(b, a);
	default:
		return val_less(b, a) ^ 1;
	}
}

static struct val cast(struct insn *i, struct val a)
{
	struct val r = val_new(i->bits);
	uint32_t k;

	for (k = 0; k < i->bits; k++) {
		r.b[k] = k < a.bits ? a.b[k] : i->op == LLVMSExt ? a.b[a.bits - 1] : LIT_FALSE;
	}
	r.object = a.object;
	return r;
}

static struct val gep(struct frame *fr, struct insn *i)
{
	struct val p = get(fr, i->args[0]), k = val_of(i->k[0], 64), at;
	uint32_t object = p.object, j, b;
	uint64_t n;

	if (!object && val_const(p, &n)) {
		object = object_of(n);
	}
	for (j = 1; j < i->n; j++) {
		struct val x, wide;

		if (!i->k[j]) {
			continue;
		}
		x = get(fr, i->args[j]);
		wide = val_new(64);
		for (b = 0; b < 64; b++) {
			wide.b[b] = b < x.bits ? x.b[b] : x.b[x.bits - 1];
		}
		k = val_add(k, val_multiply(wide, val_of(i->k[j], 64)), LIT_FALSE);
	}
	at = val_add(p, k, LIT_FALSE);
	at.object = object;
	return at;
}

/* One instruction that is no branch. */
static void execute(struct frame *fr, struct insn *i)
{
	struct val a = { 0 }, b = { 0 }, r = { 0 };
	uint64_t n, m;
	uint32_t k;

	if (i->n > 0 && i->op != LLVMCall && i->op != LLVMGetElementPtr) {
		a = get(fr, i->args[0]);
	}
	if (i->n > 1 && i->op != LLVMCall && i->op != LLVMGetElementPtr) {
		b = get(fr, i->args[1]);
	}
	switch (i->op) {
	case LLVMAdd:
		r = val_add(a, b, LIT_FALSE);
		break;
	case LLVMSub:
		r = val_add(a, val_not(b), LIT_TRUE);
		break;
	case LLVMMul:
		r = val_multiply(a, b);
		break;
	case LLVMAnd:
	case LLVMOr:
	case LLVMXor:
		r = val_new(a.bits);
		for (k = 0; k < a.bits; k++) {
			r.b[k] = i->op == LLVMAnd ? bits_and(a.b[k], b.b[k]) :
				 i->op == LLVMOr ? bits_or(a.b[k], b.b[k]) :
						   bits_xor(a.b[k], b.b[k]);
		}
		break;
	case LLVMShl:
		r = val_shift(a, b, true, LIT_FALSE);
		break;
	case LLVMLShr:
		r = val_shift(a, b, false, LIT_FALSE);
		break;
	case LLVMAShr:
		r = val_shift(a, b, false, a.b[a.bits - 1]);
		break;
	case LLVMUDiv:
	case LLVMURem:
		if (val_const(a, &m) && val_const(b, &n) && n) {
			r = val_of(i->op == LLVMUDiv ? m / n : m % n, a.bits);
			break;
		}
		if (!val_const(b, &n) || !n || n & (n - 1)) {
			die("%s: a division that is no shift", fr->f->name);
		}
		for (k = 0; n >> k != 1; k++) {
		}
		r = val_of(0, a.bits);
		memcpy(r.b, i->op == LLVMUDiv ? a.b + k : a.b,
		       (i->op == LLVMUDiv ? a.bits - k : k) * sizeof(lit_t));
		break;
	case LLVMICmp:
		r = val_new(1);
		r.b[0] = compare(i, a, b);
		break;
	case LLVMSelect:
		r = val_ite(a.b[0], b, get(fr, i->args[2]));
		break;
	case LLVMTrunc:
	case LLVMZExt:
	case LLVMSExt:
	case LLVMPtrToInt:
	case LLVMIntToPtr:
		r = cast(i, a);
		break;
	case LLVMBitCast:
	case LLVMFreeze:
		r = a;
		break;
	case LLVMLoad:
		r = do_load(a, i->bits);
		break;
	case LLVMStore:
		do_store(b, a);
		break;
	case LLVMGetElementPtr:
		r = gep(fr, i);
		break;
	case LLVMAlloca: {
		uint32_t o = object_new("a local of", i->k[0]);

		snprintf(objects[o - 1].name, sizeof(objects[0].name), "a local of %.30s", fr->f->name);
		r = val_of(objects[o - 1].at, 64);
		r.object = o;
		break;
	}
	case LLVMExtractValue:
		r = val_new(i->bits);
		memcpy(r.b, a.b + i->k[0], i->bits * sizeof(lit_t));
		break;
	case LLVMInsertValue:
		r = val_new(i->bits);
		memcpy(r.b, a.b, i->bits * sizeof(lit_t));
		memcpy(r.b + i->k[0], b.b, b.bits * sizeof(lit_t));
		break;
	case LLVMCall: {
		struct val args[16];

		if (i->n > 16) {
			die("too many arguments");
		}
		for (k = 0; k < i->n; k++) {
			args[k] = get(fr, i->args[k]);
		}
		r = val_of(0, i->bits);
		if (!builtin(i->callee, args, i->n, i->bits, &r)) {
			r = call(i->callee, args, i->n);
		}
		break;
	}
	case LLVMAtomicRMW:
		r = do_load(a, i->bits);
		do_store(a, val_add(r, b, LIT_FALSE));
		break;
	case LLVMFence:
		break;
	default:
		die("%s: an instruction that cannot be run: %s", fr->f->name, LLVMPrintValueToString(i->v));
	}
	if (i->dst >= 0) {
		fr->slot[i->dst] = r;
	}
}

/* The values of a block's phis when it is entered from `from`. */
static void phis(struct frame *fr, uint32_t block, uint32_t from, struct val *out)
{
	struct block *b = &fr->f->blocks[block];
	uint32_t i, k;

	for (i = 0; i < b->phis; i++) {
		struct insn *p = &b->insns[i];

		for (k = 0; k < p->n && p->k[k] != from; k++) {
		}
		if (k == p->n) {
			die("%s: a phi without its block", fr->f->name);
		}
		out[i] = get(fr, p->args[k]);
	}
}

static void set_phis(struct frame *fr, uint32_t block, struct val *in)
{
	uint32_t i;

	for (i = 0; i < fr->f->blocks[block].phis; i++) {
		fr->slot[fr->f->blocks[block].insns[i].dst] = in[i];
	}
}

static bool run(struct frame *fr, uint32_t block, uint32_t from, bool ready, uint32_t stop, uint32_t *last);

/* One side of a merge: what it leaves in memory, phis and result. */
struct side {
	bool back;                      /* it came to the place where sides meet */
	struct val *phi, ret;
	struct { uint32_t at; lit_t now[8]; } *wrote;
	uint32_t count;
};

static void side_run(struct frame *fr, uint32_t block, uint32_t from, uint32_t stop, lit_t c, struct side *out)
{
	uint32_t mark = journal_length, i, last = 0;
	struct bits_mark was = bits_mark();
	lit_t saved = guard;

	out->back = false;
	out->count = 0;
	if (!blind) {
		c = bits_deep(c);
		if (!bits_possible(c)) {
			return;
		}
		bits_path(c);
	}
	guard = bits_and(guard, c);
	fr->returned = false;
	out->phi = NULL;
	if (block == stop) {
		last = from;
		out->back = true;
	} else {
		out->back = run(fr, block, from, false, stop, &last);
	}
	if (stop == EXIT) {
		out->back = fr->returned;
		out->ret = fr->ret;
	} else if (out->back) {
		out->phi = take((fr->f->blocks[stop].phis + 1) * sizeof(struct val));
		if (last == EXIT) {
			for (i = 0; i < fr->f->blocks[stop].phis; i++) {
				out->phi[i] = fr->slot[fr->f->blocks[stop].insns[i].dst];
			}
		} else {
			phis(fr, stop, last, out->phi);
		}
	}
	guard = saved;
	if (!blind) {
		bits_path_back(was);
	}
	out->count = journal_length - mark;
	out->wrote = take((out->count + 1) * sizeof(*out->wrote));
	for (i = 0; i < out->count; i++) {
		out->wrote[i].at = journal[mark + i].at;
		memcpy(out->wrote[i].now, memory[journal[mark + i].at], sizeof(memory[0]));
	}
	for (i = journal_length; i-- > mark;) {
		memcpy(memory[journal[i].at], journal[i].old, sizeof(memory[0]));
	}
	journal_length = mark;
}

static void side_write(struct side *s, lit_t c)
{
	uint32_t i, k;

	for (i = 0; i < s->count; i++) {
		lit_t b[8];
		lit_t *now = memory[s->wrote[i].at];

		for (k = 0; k < 8; k++) {
			b[k] = bits_ite(c, s->wrote[i].now[k], now[k]);
		}
		cell_write(BASE + s->wrote[i].at, b);
	}
}

/* All sides of a branch, of which one is gone, up to where they meet; false if none comes there. */
static bool merge(struct frame *fr, uint32_t block, const lit_t *c, const uint32_t *way, uint32_t n,
		  uint32_t *next)
{
	uint32_t meet = fr->f->blocks[block].ipdom, phi_count = meet == EXIT ? 0 : fr->f->blocks[meet].phis, i, k;
	uint32_t through = 0;
	struct side *side = take(n * sizeof(*side));
	struct val *phi = take((phi_count + 1) * sizeof(*phi)), ret = { 0 };
	struct val *slot = take((fr->f->slots + 1) * sizeof(*slot)), *kept = fr->slot;
	bool any = false;

	/* Each side begins with the values that there are now: in a loop another may have gone on and changed them. */
	for (i = 0; i < n; i++) {
		memcpy(slot, kept, fr->f->slots * sizeof(*slot));
		fr->slot = slot;
		side_run(fr, way[i], block, meet, c[i], &side[i]);
		fr->slot = kept;
	}
	for (i = 0; i < n; i++) {
		through += side[i].back;
	}
	/* What one side has not written is as before if that one is gone. A value, all of them have. */
	for (i = 0; i < n; i++) {
		lit_t when = any ? c[i] : LIT_TRUE;

		if (!side[i].back) {
			continue;
		}
		side_write(&side[i], through == 1 ? LIT_TRUE : c[i]);
		for (k = 0; k < phi_count; k++) {
			phi[k] = any ? val_ite(when, side[i].phi[k], phi[k]) : side[i].phi[k];
		}
		if (meet == EXIT) {
			ret = any ? val_ite(when, side[i].ret, ret) : side[i].ret;
		}
		any = true;
	}
	fr->returned = any && meet == EXIT;
	fr->ret = ret;
	*next = meet;
	if (any && meet != EXIT) {
		set_phis(fr, meet, phi);
	}
	return any;
}

/*
 * Runs from the block on, entered from `from` unless its phis are ready, until it
 * would enter `stop` (true; *last is where from, or EXIT if its phis are ready) or
 * the function ends (false).
 */
static bool run(struct frame *fr, uint32_t block, uint32_t from, bool ready, uint32_t stop, uint32_t *last)
{
	for (;;) {
		struct block *b = &fr->f->blocks[block];
		struct insn *t;
		uint32_t i, next = EXIT;

		if (b->phis && !ready) {
			struct val *in = take(b->phis * sizeof(*in));

			phis(fr, block, from, in);
			set_phis(fr, block, in);
		}
		ready = false;
		for (i = b->phis; i + 1 < b->n; i++) {
			execute(fr, &b->insns[i]);
			if (ended) {
				return false;
			}
		}
		steps += b->n;
		if (steps > STEPS_MAX) {
			die("%s: no end in sight, in %s", current, fr->f->name);
		}
		t = &b->insns[b->n - 1];
		if (t->op == LLVMRet) {
			fr->ret = t->n ? get(fr, t->args[0]) : val_of(0, 0);
			fr->returned = true;
			return false;
		}
		if (t->op == LLVMUnreachable) {
			return false;
		}
		if (t->op == LLVMBr && !t->n) {
			next = b->next[0];
		} else if (t->op == LLVMBr || t->op == LLVMSwitch) {
			lit_t *c = take((b->nexts + 1) * sizeof(lit_t)), none = LIT_TRUE;
			struct val v = get(fr, t->args[0]);

			/* When each way is gone: of a switch, the first is that of what no other is for. */
			for (i = 0; i < b->nexts; i++) {
				c[i] = t->op == LLVMBr ? v.b[0] ^ i : i ? val_eq_const(v, t->k[i]) : LIT_FALSE;
				none = bits_and(none, c[i] ^ 1);
			}
			c[0] = t->op == LLVMBr ? c[0] : none;
			for (i = 0; i < b->nexts; i++) {
				if (c[i] == LIT_TRUE) {
					next = b->next[i];
				}
			}
			if (next == EXIT && merging) {
				if (!merge(fr, block, c, b->next, b->nexts, &next) || next == EXIT) {
					return false;
				}
				if (next == stop) {
					*last = EXIT;
					return true;
				}
				block = next;
				ready = true;
				continue;
			}
			if (next == EXIT) {
				for (i = 0; i + 1 < b->nexts && !decide(c[i]); i++) {
					if (ended) {
						return false;
					}
				}
				next = b->next[i];
				if (ended) {
					return false;
				}
			}
		} else {
			die("%s: an end of a block that cannot be run: %s", fr->f->name,
			    LLVMPrintValueToString(t->v));
		}
		if (next == stop) {
			*last = block;
			return true;
		}
		from = block;
		block = next;
	}
}

static struct val call(struct function *f, struct val *args, uint32_t n)
{
	struct frame fr = { .f = f->by ? f->by : f };
	uint32_t i, last, objects_before = object_count;
	uint64_t top_before = memory_top;
	bool merged;
	lit_t saved = guard;

	f = fr.f;
	if (!LLVMGetFirstBasicBlock(f->v)) {
		die("%s: no body for %s", current, f->name);
	}
	if (!f->decoded) {
		function_decode(f);
	}
	fr.slot = take((f->slots + 1) * sizeof(*fr.slot));
	for (i = 0; i < n; i++) {
		fr.slot[i] = args[i];
		if (i < f->args && f->byval[i]) {
			uint32_t o = object_new("a copy", f->byval[i]);

			fr.slot[i] = val_of(objects[o - 1].at, 64);
			fr.slot[i].object = o;
			copy_bytes(fr.slot[i], args[i], f->byval[i]);
		}
	}
	merged = merging || f->merges;
	if (merged) {
		if (!merging) {
			guard = LIT_TRUE;
			journal_length = 0;
			val_untold = begins(f->name, "spec_");
		}
		merging++;
		blind += f->merges && !begins(f->name, "merged_");
	}
	run(&fr, 0, EXIT, true, EXIT, &last);
	if (merged) {
		merging--;
		blind -= f->merges && !begins(f->name, "merged_");
		guard = saved;
		while (!merging && assumed_count) {
			bits_path(assumed[--assumed_count]);
		}
		val_untold = val_untold && merging;
	}
	object_count = objects_before;
	memory_top = top_before;
	if (!fr.returned) {
		uint32_t bits = bits_of(LLVMGetReturnType(LLVMGetElementType(LLVMTypeOf(f->v))));

		if (!ended && !merging) {
			path_end();
		}
		return val_of(0, bits);
	}
	return fr.ret;
}

/* ---- all paths ------------------------------------------------------------------ */

static void state_back(void)
{
	uint32_t i;

	for (i = 0; i < MEMORY / PAGE; i++) {
		if (dirty[i]) {
			memcpy(memory[i * PAGE], image[i * PAGE], sizeof(memory[0]) * PAGE);
			dirty[i] = false;
		}
	}
}

void exec_load(const char *file)
{
	struct function *f, *g;
	uint32_t i;

	module_load(file, store_at);
	for (i = 0; (f = function_named("replace_", i)); i++) {
		g = function_find(f->name + strlen("replace_"));
		if (g) {
			g->by = f;
		}
	}
}

void exec_merge(const char *name)
{
	struct function *f = function_find(name);

	if (!f) {
		die("no function %s", name);
	}
	f->merges = true;
}

const char *exec_operation(uint32_t n)
{
	struct function *f = function_named("op_", n);

	return f ? f->name : NULL;
}

bool exec_setup(const char *name)
{
	struct function *f = function_find(name);
	uint32_t i;
	lit_t all = LIT_TRUE;

	if (!f) {
		die("no function %s", name);
	}
	current = name;
	f->merges = true;
	setting_up = true;
	call(f, NULL, 0);
	setting_up = false;
	for (i = 0; i < claim_count; i++) {
		all = bits_and(all, claims[i].cond);
	}
	claim_count = 0;
	values_forget();
	bits_free_keep();
	bits_path_reset();
	if (!bits_always(all)) {
		return false;
	}
	state_keep();
	ended = false;
	return bits_possible(LIT_TRUE);
}

/*
 * What was claimed on the path that has ended, one by one: what has been shown helps with
 * the rest. What holds without anything assumed or chosen holds always, and is kept.
 */
static void claims_check(void)
{
	uint32_t i, k;
	lit_t c;

	if (!bits_possible(LIT_TRUE)) {
		die("%s: a path that cannot be, of which anything holds", current);
	}
	bits_reduce_anew();
	for (i = 0; i < claim_count; i++) {
		clock_t start = clock();
		bool broken;

		c = bits_known(bits_reduced(claims[i].cond));
		broken = bits_possible(c ^ 1);
		if (exec_verbose && clock() - start > CLOCKS_PER_SEC) {
			fprintf(stderr, "induct: %s: claim %u of %u took %.0f s: %s\n", current, i, claim_count,
				(double)(clock() - start) / CLOCKS_PER_SEC, claims[i].name);
		}
		if (!broken) {
			if (!bits_path_empty()) {
				bits_path(c);
			} else {
				bits_always(c);
			}
			continue;
		}
		for (k = i; k < claim_count; k++) {
			if (!bits_model(claims[k].cond)) {
				fprintf(stderr, "\ninduct: %s: does not hold: %s", current, claims[k].name);
			}
		}
		fail("a claim does not hold");
		return;
	}
}

/* Prints what the model says of memory. */
static void show(lit_t (*m)[8], const char *what)
{
	uint32_t i;
	uint64_t k;

	for (i = 0; i < object_count; i++) {
		struct object *o = &objects[i];

		if (o->name[0] == '.' || begins(o->name, "__const")) {
			continue;
		}
		fprintf(stderr, "  %s %s:", what, o->name);
		for (k = 0; k < o->size; k++) {
			uint32_t b, n = 0;

			for (b = 0; b < 8; b++) {
				n |= (uint32_t)bits_model(m[o->at - BASE + k][b]) << b;
			}
			if (o->size > 32 && k % 32 == 0) {
				fprintf(stderr, "\n    %3lu:", (unsigned long)(k / 32));
			}
			fprintf(stderr, "%s%02x", k % 4 ? "" : " ", n);
		}
		fprintf(stderr, "\n");
	}
}

/* Runs f on all of its paths, or as far as this process is to. */
static bool paths_run(struct function *f)
{
	for (;;) {
		choice_at = 0;
		claim_count = 0;
		ended = false;
		steps = 0;
		merging = blind = assumed_count = 0;
		val_untold = false;
		guard = LIT_TRUE;
		state_back();
		bits_path_reset();
		values_forget();
		call(f, NULL, 0);
		if (!failed) {
			claims_check();
		}
		exec_counts.paths++;
		if (failed) {
			if (exec_verbose) {
				show(image, "before");
				show(memory, "after");
			}
			return false;
		}
		while (choice_count && choices[choice_count - 1].at + 1 >= choices[choice_count - 1].n) {
			free(choices[--choice_count].way);
		}
		if (!choice_count) {
			return true;
		}
		choices[choice_count - 1].at++;
		if (exec_verbose && exec_counts.paths % 20 == 0) {
			fprintf(stderr, "induct: %s: %lu paths, %u choices deep, first %u/%u, %lu gates, %lu questions\n",
				current, (unsigned long)exec_counts.paths, choice_count, choices[0].at + 1,
				choices[0].n, (unsigned long)bits_counts.gates, (unsigned long)bits_counts.questions);
		}
	}
}

bool exec_all(const char *name)
{
	struct function *f = function_find(name);
	bool good;

	if (!f) {
		die("no function %s", name);
	}
	if (!results) {
		results = mmap(NULL, sizeof(*results), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (results == MAP_FAILED) {
			die("out of memory");
		}
	}
	memset(results, 0, sizeof(*results));
	current = name;
	choice_count = 0;
	failed = false;
	split = 0;
	good = paths_run(f);
	if (am_part) {
		__atomic_fetch_add(&results->paths, exec_counts.paths, __ATOMIC_RELAXED);
		__atomic_fetch_add(&results->claims, exec_counts.claims, __ATOMIC_RELAXED);
		_exit(good ? 0 : 1);
	}
	parts_wait(0);
	exec_counts.paths += results->paths;
	exec_counts.claims += results->claims;
	return good && !results->failed;
}
