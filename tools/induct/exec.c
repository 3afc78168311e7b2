/* SPDX-License-Identifier: Apache-2.0 */
#include "exec.h"

#include <stdio.h>
#include <string.h>

#include "builtin.h"
#include "cells.h"
#include "module.h"
#include "parts.h"
#include "path.h"

#define STEPS_MAX 200000000ull

/* A function that runs. */
struct frame {
	struct function *f;
	struct val *slot;
	struct val ret;
	bool returned;
};

struct exec_counts exec_counts;
bool exec_verbose;

static uint64_t steps;                  /* instructions, on this path */

static struct val call(struct function *f, struct val *args, uint32_t n);

/* ---- instructions ---------------------------------------------------------------- */

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

/* What is divided by one power of two; which, need not be known. */
static struct val divide(struct val a, struct val b, bool rest)
{
	struct val r = val_of(0, a.bits);
	lit_t some = LIT_FALSE, more = LIT_FALSE;
	uint64_t n, m;
	uint32_t k, j;

	if (val_const(a, &m) && val_const(b, &n) && n) {
		return val_of(rest ? m % n : m / n, a.bits);
	}
	for (k = 0; k < b.bits; k++) {
		more = bits_or(more, bits_and(some, b.b[k]));
		some = bits_or(some, b.b[k]);
		for (j = 0; b.b[k] != LIT_FALSE && j < (rest ? k : a.bits - k); j++) {
			r.b[j] = bits_or(r.b[j], bits_and(b.b[k], a.b[rest ? j : j + k]));
		}
	}
	if (!val_untold) {
		path_claim(bits_and(some, more ^ 1), "a division is by a power of two");
	}
	return r;
}

/* One instruction that is no branch. */
static void execute(struct frame *fr, struct insn *i)
{
	struct val a = { 0 }, b = { 0 }, r = { 0 };
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
		r = divide(a, b, i->op == LLVMURem);
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
		r = cells_load_from(a, i->bits);
		break;
	case LLVMStore:
		cells_store_to(b, a);
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
		if (!builtin(i->callee, args, &r)) {
			r = call(i->callee, args, i->n);
		}
		break;
	}
	case LLVMAtomicRMW:
		r = cells_load_from(a, i->bits);
		cells_store_to(a, val_add(r, b, LIT_FALSE));
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

/* ---- blocks --------------------------------------------------------------------- */

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
	struct written *wrote;
	uint32_t count;
};

static void side_run(struct frame *fr, uint32_t block, uint32_t from, uint32_t stop, lit_t c, struct side *out)
{
	uint32_t mark = cells_mark(), i, last = 0;
	struct bits_mark was = bits_mark();
	lit_t saved = path.guard;

	out->back = false;
	out->count = 0;
	if (!path.blind) {
		c = bits_deep(c);
		if (!bits_possible(c)) {
			return;
		}
		bits_path(c);
	}
	path.guard = bits_and(path.guard, c);
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
	path.guard = saved;
	if (!path.blind) {
		bits_path_back(was);
	}
	out->wrote = cells_take(mark, &out->count);
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
		cells_put(side[i].wrote, side[i].count, through == 1 ? LIT_TRUE : c[i]);
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
			if (path.ended) {
				return false;
			}
		}
		steps += b->n;
		if (steps > STEPS_MAX) {
			die("%s: no end in sight, in %s", path.operation, fr->f->name);
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
			if (next == EXIT && path.merging) {
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
				for (i = 0; i + 1 < b->nexts && !path_decide(c[i]); i++) {
					if (path.ended) {
						return false;
					}
				}
				next = b->next[i];
				if (path.ended) {
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
	lit_t saved = path.guard;

	f = fr.f;
	if (!LLVMGetFirstBasicBlock(f->v)) {
		die("%s: no body for %s", path.operation, f->name);
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
			cells_copy(fr.slot[i], args[i], f->byval[i]);
		}
	}
	merged = path.merging || f->merges;
	if (merged) {
		if (!path.merging) {
			path.guard = LIT_TRUE;
			cells_begin();
			val_untold = begins(f->name, "spec_");
		}
		path.merging++;
		path.blind += f->merges && !begins(f->name, "merged_");
	}
	run(&fr, 0, EXIT, true, EXIT, &last);
	if (merged) {
		path.merging--;
		path.blind -= f->merges && !begins(f->name, "merged_");
		path.guard = saved;
		if (!path.merging) {
			path_merged();
		}
		val_untold = val_untold && path.merging;
	}
	object_count = objects_before;
	memory_top = top_before;
	if (!fr.returned) {
		uint32_t bits = bits_of(LLVMGetReturnType(LLVMGetElementType(LLVMTypeOf(f->v))));

		if (!path.ended && !path.merging) {
			path_end();
		}
		return val_of(0, bits);
	}
	return fr.ret;
}

/* ---- all paths ------------------------------------------------------------------ */

void exec_load(const char *file)
{
	struct function *f, *g;
	uint32_t i;

	module_load(file, cells_store);
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
	lit_t all;

	if (!f) {
		die("no function %s", name);
	}
	path.operation = name;
	f->merges = true;
	path.setting_up = true;
	call(f, NULL, 0);
	path.setting_up = false;
	all = path_claims_take();
	values_forget();
	bits_free_keep();
	bits_path_reset();
	if (!bits_always(all)) {
		return false;
	}
	cells_keep();
	path.ended = false;
	return bits_possible(LIT_TRUE);
}

/* Runs f on all of its paths, or as far as this process is to. */
static bool paths_run(struct function *f)
{
	do {
		if (exec_verbose && exec_counts.paths && exec_counts.paths % 20 == 0) {
			fprintf(stderr, "induct: %s: %lu paths, %lu gates, %lu questions\n", path.operation,
				(unsigned long)exec_counts.paths, (unsigned long)bits_counts.gates,
				(unsigned long)bits_counts.questions);
		}
		path_begin();
		steps = 0;
		val_untold = false;
		cells_back();
		bits_path_reset();
		values_forget();
		call(f, NULL, 0);
		if (!path.failed) {
			path_check();
		}
		exec_counts.paths++;
		if (path.failed) {
			if (exec_verbose) {
				cells_show();
			}
			return false;
		}
	} while (path_next());
	return true;
}

bool exec_all(const char *name)
{
	struct function *f = function_find(name);

	if (!f) {
		die("no function %s", name);
	}
	path.operation = name;
	path_forget();
	parts_begin();
	return parts_end(paths_run(f));
}
