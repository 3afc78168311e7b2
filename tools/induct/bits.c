/* SPDX-License-Identifier: Apache-2.0 */
#include "bits.h"

#include <ccadical.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT 0xffffffffu
#define MODELS 64u

struct gate {
	lit_t a, b;
};

static struct gate *gate;               /* by node; node 0 is the constant */
static uint64_t *sim;                   /* node's value in each of the last MODELS models, a bit each */
static uint8_t *encoded, *known;        /* known: 0 no, 1 false, 2 true; +4: for good */
static uint32_t nodes = 1, room;
static uint32_t *table, table_size;     /* hash of gates: open addressing, 0 is empty */
static lit_t *frees;
static uint32_t frees_made, frees_used, frees_kept, frees_room;
static lit_t *path;
static uint32_t path_length, path_room;
static uint32_t *noted;                 /* nodes known on this path only */
static uint32_t noted_length, noted_room;
static uint64_t alive;                  /* models in which the path holds */
static uint64_t good;                   /* models there are */
static uint64_t model;                  /* the one that answered the last question: one bit */
static uint32_t next_model;
static CCaDiCaL *solver;
static lit_t *always;                   /* what bits_always was told */
static uint32_t always_length, always_room;
static uint32_t known_since = 1;        /* how often what is known has changed */
static struct { uint32_t since; uint8_t is; } *deep;    /* by node: what bits_deep found, as `known` has */
static uint32_t deep_room;
static lit_t *reduced;                  /* by node: what bits_reduced made of it; 0: not yet */
static uint32_t reduced_nodes;

struct bits_counts bits_counts;

void die(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	fprintf(stderr, "induct: ");
	vfprintf(stderr, format, list);
	fprintf(stderr, "\n");
	va_end(list);
	exit(2);
}

static uint64_t sim_of(lit_t a)
{
	return (a >> 1 ? sim[a >> 1] : 0) ^ (a & 1 ? ~0ull : 0);
}

static uint32_t node_new(lit_t a, lit_t b)
{
	if (nodes >= room || !gate) {
		uint32_t was = room;

		room = room ? room * 2 : 1u << 16;
		gate = realloc(gate, room * sizeof(*gate));
		sim = realloc(sim, room * sizeof(*sim));
		encoded = realloc(encoded, room);
		known = realloc(known, room);
		if (!gate || !sim || !encoded || !known) {
			die("out of memory");
		}
		memset(encoded + was, 0, room - was);
		memset(known + was, 0, room - was);
		sim[0] = 0;
		gate[0] = (struct gate){ INPUT, INPUT };
		known[0] = 5;
	}
	gate[nodes] = (struct gate){ a, b };
	if (a == INPUT) {
		sim[nodes] = 0;
	} else {
		sim[nodes] = sim_of(a) & sim_of(b);
		bits_counts.gates++;
	}
	return nodes++;
}

static uint64_t mix(lit_t a, lit_t b)
{
	uint64_t h = ((uint64_t)a << 32 | b) * 0x9e3779b97f4a7c15ull;

	return h ^ h >> 29;
}

static void table_grow(void)
{
	uint32_t n, i, size = table_size ? table_size * 2 : 1u << 17;

	free(table);
	table = calloc(size, sizeof(*table));
	if (!table) {
		die("out of memory");
	}
	table_size = size;
	for (n = 1; n < nodes; n++) {
		if (gate[n].a == INPUT) {
			continue;
		}
		for (i = mix(gate[n].a, gate[n].b) & (size - 1); table[i]; i = (i + 1) & (size - 1)) {
		}
		table[i] = n;
	}
}

/* a and the gate b, where that is simpler than a gate of both; or false. */
static bool and_deeper(lit_t a, lit_t b, lit_t *out)
{
	struct gate g = gate[b >> 1];

	if (g.a == INPUT) {
		return false;
	}
	if (!(b & 1)) {
		if (g.a == a || g.b == a) {
			*out = b;
			return true;
		}
		if (g.a == (a ^ 1) || g.b == (a ^ 1)) {
			*out = LIT_FALSE;
			return true;
		}
		return false;
	}
	if (g.a == (a ^ 1) || g.b == (a ^ 1)) {
		*out = a;
		return true;
	}
	if (g.a == a) {
		*out = bits_and(a, g.b ^ 1);
		return true;
	}
	if (g.b == a) {
		*out = bits_and(a, g.a ^ 1);
		return true;
	}
	return false;
}

lit_t bits_and(lit_t a, lit_t b)
{
	uint32_t i;
	lit_t out;

	if (a > b) {
		lit_t c = a;

		a = b;
		b = c;
	}
	if (a <= 1) {
		return a ? b : LIT_FALSE;
	}
	if ((a ^ b) <= 1) {
		return a == b ? a : LIT_FALSE;
	}
	if (and_deeper(a, b, &out) || and_deeper(b, a, &out)) {
		return out;
	}
	if (nodes >= table_size / 2) {
		table_grow();
	}
	for (i = mix(a, b) & (table_size - 1); table[i]; i = (i + 1) & (table_size - 1)) {
		if (gate[table[i]].a == a && gate[table[i]].b == b) {
			return table[i] << 1;
		}
	}
	table[i] = node_new(a, b);
	return table[i] << 1;
}

lit_t bits_ite(lit_t c, lit_t a, lit_t b)
{
	if (c <= 1) {
		return c ? a : b;
	}
	if (a == b) {
		return a;
	}
	return bits_or(bits_and(c, a), bits_and(c ^ 1, b));
}

lit_t bits_xor(lit_t a, lit_t b)
{
	if (b <= 1) {
		return a ^ b;
	}
	if (a <= 1) {
		return b ^ a;
	}
	/* One form, whatever the signs. */
	return bits_ite(a & ~1u, (b & ~1u) ^ 1, b & ~1u) ^ ((a ^ b) & 1);
}

lit_t bits_free(void)
{
	if (frees_used == frees_made) {
		GROW(frees, frees_made, frees_room);
		frees[frees_made++] = node_new(INPUT, INPUT) << 1;
	}
	return frees[frees_used++];
}

void bits_free_keep(void)
{
	frees_kept = frees_used;
}

lit_t bits_known(lit_t a)
{
	uint8_t k;

	if (a <= 1) {
		return a;
	}
	k = known[a >> 1] & 3;
	return k ? (lit_t)(k - 1) ^ (a & 1) : a;
}

lit_t bits_deep(lit_t a)
{
	uint32_t n = a >> 1;
	lit_t r = bits_known(a), x, y;

	if (r != a || gate[n].a == INPUT) {
		return r;
	}
	if (deep_room < nodes) {
		deep = realloc(deep, room * sizeof(*deep));
		if (!deep) {
			die("out of memory");
		}
		memset(deep + deep_room, 0, (room - deep_room) * sizeof(*deep));
		deep_room = room;
	}
	if (deep[n].since != known_since) {
		deep[n].since = known_since;
		x = bits_deep(gate[n].a);
		y = x == LIT_FALSE ? x : bits_deep(gate[n].b);
		deep[n].is = x == LIT_FALSE || y == LIT_FALSE ? 1 : x == LIT_TRUE && y == LIT_TRUE ? 2 : 0;
	}
	return deep[n].is ? (lit_t)(deep[n].is - 1) ^ (a & 1) : a;
}

static void note(lit_t a, bool for_good)
{
	uint32_t n = a >> 1;

	if (a <= 1 || known[n]) {
		return;
	}
	known[n] = (uint8_t)((a & 1 ? 1 : 2) | (for_good ? 4 : 0));
	known_since++;
	if (!for_good) {
		GROW(noted, noted_length, noted_room);
		noted[noted_length++] = n;
	}
	if (!(a & 1) && gate[n].a != INPUT) {
		note(gate[n].a, for_good);
		note(gate[n].b, for_good);
	} else if (a & 1 && gate[n].a != INPUT) {
		lit_t x = bits_known(gate[n].a), y = bits_known(gate[n].b);

		if (x == LIT_TRUE) {
			note(gate[n].b ^ 1, for_good);
		} else if (y == LIT_TRUE) {
			note(gate[n].a ^ 1, for_good);
		}
	}
}

static int dimacs(lit_t a)
{
	return a & 1 ? -(int)(a >> 1) : (int)(a >> 1);
}

/* One of the three is so. */
static void clause(lit_t a, lit_t b, lit_t c)
{
	ccadical_add(solver, dimacs(a));
	if (b != LIT_FALSE) {
		ccadical_add(solver, dimacs(b));
	}
	if (c != LIT_FALSE) {
		ccadical_add(solver, dimacs(c));
	}
	ccadical_add(solver, 0);
}

static void gate_clauses(uint32_t n)
{
	clause(n << 1 | 1, gate[n].a, LIT_FALSE);
	clause(n << 1 | 1, gate[n].b, LIT_FALSE);
	clause(n << 1, gate[n].a ^ 1, gate[n].b ^ 1);
}

/* Tells the solver what node n is, and all below. */
static void encode(uint32_t n)
{
	static uint32_t *stack, stack_room;
	uint32_t top = 0;

	if (!solver) {
		solver = ccadical_init();
	}
	GROW(stack, top, stack_room);
	stack[top++] = n;
	while (top) {
		n = stack[--top];
		if (!n || encoded[n]) {
			continue;
		}
		encoded[n] = 1;
		if (gate[n].a == INPUT) {
			continue;
		}
		gate_clauses(n);
		GROW(stack, top + 2, stack_room);
		stack[top++] = gate[n].a >> 1;
		stack[top++] = gate[n].b >> 1;
	}
}

/* The solver's model becomes one of those remembered. */
static void model_take(void)
{
	uint64_t bit = 1ull << next_model;
	uint32_t n, i;

	next_model = (next_model + 1) % MODELS;
	for (n = 1; n < nodes; n++) {
		bool v;

		if (gate[n].a == INPUT) {
			v = encoded[n] && ccadical_val(solver, (int)n) > 0;
		} else {
			v = sim_of(gate[n].a) & sim_of(gate[n].b) & bit;
		}
		sim[n] = v ? sim[n] | bit : sim[n] & ~bit;
	}
	good |= bit;
	alive |= bit;
	model = bit;
	for (i = 0; i < path_length; i++) {
		if (!(sim_of(path[i]) & bit)) {
			die("a model breaks its own path");
		}
	}
}

static bool solve(lit_t a)
{
	uint32_t i;

	bits_counts.questions++;
	encode(a >> 1);
	for (i = 0; i < path_length; i++) {
		ccadical_assume(solver, dimacs(path[i]));
	}
	if (a > 1) {
		ccadical_assume(solver, dimacs(a));
	}
	return ccadical_solve(solver) == 10;
}

bool bits_possible(lit_t a)
{
	a = bits_known(a);
	if (a == LIT_FALSE) {
		return false;
	}
	if (alive & sim_of(a)) {
		bits_counts.guessed++;
		model = alive & sim_of(a);
		model &= -model;
		return true;
	}
	if (!solve(a)) {
		return false;
	}
	model_take();
	return true;
}

bool bits_model(lit_t a)
{
	return sim_of(a) & model;
}

void bits_path(lit_t a)
{
	a = bits_known(a);
	if (a == LIT_TRUE) {
		return;
	}
	GROW(path, path_length, path_room);
	path[path_length++] = a;
	encode(a >> 1);
	alive &= sim_of(a);
	note(a, false);
}

void bits_path_reset(void)
{
	path_length = 0;
	alive = good;
	known_since++;
	while (noted_length) {
		known[noted[--noted_length]] = 0;
	}
	frees_used = frees_kept;
}

bool bits_path_empty(void)
{
	return path_length == 0;
}

struct bits_mark bits_mark(void)
{
	return (struct bits_mark){ path_length, noted_length };
}

void bits_path_back(struct bits_mark mark)
{
	uint32_t i;

	path_length = mark.path;
	known_since++;
	while (noted_length > mark.noted) {
		known[noted[--noted_length]] &= 4;
	}
	alive = good;
	for (i = 0; i < path_length; i++) {
		alive &= sim_of(path[i]);
	}
}

bool bits_always(lit_t a)
{
	if (a == LIT_FALSE) {
		return false;
	}
	if (a == LIT_TRUE) {
		return true;
	}
	GROW(always, always_length, always_room);
	always[always_length++] = a;
	encode(a >> 1);
	clause(a, LIT_FALSE, LIT_FALSE);
	note(a, true);
	good &= sim_of(a);
	alive &= sim_of(a);
	return true;
}

lit_t bits_reduced(lit_t a)
{
	uint32_t n = a >> 1;
	lit_t r = bits_known(a), x, y;

	if (r != a || gate[n].a == INPUT || n >= reduced_nodes) {
		return r;
	}
	if (!reduced[n]) {
		x = bits_reduced(gate[n].a);
		y = bits_reduced(gate[n].b);
		/* 0 is for what has not been made: so the literal is kept plus 1. */
		reduced[n] = bits_known(bits_and(x, y)) + 1;
	}
	return (reduced[n] - 1) ^ (a & 1);
}

void bits_reduce_anew(void)
{
	reduced_nodes = nodes;
	reduced = realloc(reduced, nodes * sizeof(*reduced));
	if (!reduced) {
		die("out of memory");
	}
	memset(reduced, 0, nodes * sizeof(*reduced));
}

/* Of a gate that is false, one input is: so if the other isn't, it is this one. */
static void note_false(uint32_t n)
{
	lit_t x = bits_reduced(gate[n].a), y = bits_reduced(gate[n].b);

	if (x == LIT_TRUE) {
		note(y ^ 1, true);
	} else if (y == LIT_TRUE) {
		note(x ^ 1, true);
	}
}

bool bits_settle(void)
{
	uint32_t n, i, before;
	bool good_so_far = true;

	good = alive;
	for (i = 0; i < noted_length; i++) {
		known[noted[i]] |= 4;
	}
	noted_length = path_length = 0;
	if (solver) {
		ccadical_release(solver);
		solver = NULL;
	}
	memset(encoded, 0, nodes);
	/* What is known makes more known, until it doesn't. */
	do {
		before = known_since;
		bits_reduce_anew();
		for (i = 0; i < always_length && good_so_far; i++) {
			lit_t r = bits_reduced(always[i]);

			good_so_far = r != LIT_FALSE;
			always[i] = r;
			note(r, true);
		}
		for (n = 1; n < reduced_nodes; n++) {
			if ((known[n] & 3) == 1 && gate[n].a != INPUT) {
				note_false(n);
			}
		}
	} while (good_so_far && known_since != before);
	/* All that is known is told again, in terms of what isn't. */
	for (n = 1; n < reduced_nodes && good_so_far; n++) {
		if (known[n] && gate[n].a == INPUT) {
			encode(n);
			clause((n << 1) ^ ((known[n] & 3) == 1), LIT_FALSE, LIT_FALSE);
		} else if ((known[n] & 3) == 1) {
			lit_t x = bits_reduced(gate[n].a), y = bits_reduced(gate[n].b);

			good_so_far = x != LIT_TRUE || y != LIT_TRUE;
			if (x > 1 && y > 1) {
				encode(x >> 1);
				encode(y >> 1);
				clause(x ^ 1, y ^ 1, LIT_FALSE);
			}
		}
	}
	return good_so_far;
}
