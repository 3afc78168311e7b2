/* SPDX-License-Identifier: Apache-2.0 */
#include "cells.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec.h"
#include "module.h"
#include "path.h"

#define PAGE 1024u               /* bytes that are put back together */
#define ADDRESSES_MAX 512u

static lit_t memory[MEMORY][8], image[MEMORY][8];
static bool dirty[MEMORY / PAGE];
static struct written *journal;         /* what was in memory before, while merging */
static uint32_t journal_length, journal_room;

/* ---- addresses ----------------------------------------------------------------- */

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

uint64_t cells_settle(struct val p, uint32_t bytes)
{
	lit_t ways[ADDRESSES_MAX], eq, other = LIT_TRUE;
	uint64_t found[ADDRESSES_MAX], at = 0, n;
	uint32_t count = 0, i, o;
	lit_t gone;
	bool again = path_again(&gone);

	p = val_known(p);
	if (val_const(p, &n)) {
		i = object_of(n);
		if (!i || n + bytes > objects[i - 1].at + objects[i - 1].size) {
			path_fail("access of %u bytes at %lx, which is no object%s", bytes, (unsigned long)n,
				  n == 0 ? " (a null pointer)" : "");
			return 0;
		}
		return n;
	}
	for (o = 0; address_next(p, bytes, &o, &at, &eq);) {
		other = bits_and(other, eq ^ 1);
		if (again ? eq == gone : bits_possible(eq)) {
			if (count == ADDRESSES_MAX) {
				die("%s: an address that may be anything, in %s", path.operation, objects[o].name);
			}
			found[count] = at;
			ways[count++] = eq;
		}
	}
	if (!again && bits_possible(other)) {
		for (i = 0, n = 0; i < p.bits; i++) {
			n |= (uint64_t)bits_model(p.b[i]) << i;
		}
		path_fail("access of %u bytes at %lx, outside of %s", bytes, (unsigned long)n,
			  p.object ? objects[p.object - 1].name : "every object");
		return 0;
	}
	if (!count) {
		die("%s: a way without an address", path.operation);
	}
	i = path_choose(ways, count);
	return found[again ? 0 : i];
}

/* ---- loads and stores ----------------------------------------------------------- */

static lit_t *cell(uint64_t at)
{
	if (at < BASE || at - BASE >= MEMORY) {
		die("%s: address %lx", path.operation, (unsigned long)at);
	}
	return memory[at - BASE];
}

static void cell_write(uint64_t at, const lit_t *b)
{
	lit_t *c = cell(at);

	if (path.merging) {
		GROW(journal, journal_length, journal_room);
		journal[journal_length].at = (uint32_t)(at - BASE);
		memcpy(journal[journal_length++].b, c, sizeof(memory[0]));
	}
	dirty[(at - BASE) / PAGE] = true;
	memcpy(c, b, sizeof(memory[0]));
}

struct val cells_load(uint64_t at, uint32_t bits)
{
	struct val v = val_new(bits);
	uint32_t i;

	for (i = 0; i < bits; i++) {
		v.b[i] = lit_known(cell(at + i / 8)[i % 8]);
	}
	return v;
}

void cells_store(uint64_t at, struct val v)
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

lit_t cells_may_be(lit_t a)
{
	static struct { lit_t a, guard; uint64_t turn; bool yes; } memo[1 << 14];
	uint32_t h = (a * 2654435761u ^ path.guard * 40503u) % (1 << 14);

	a = val_untold ? a : bits_deep(a);
	if (val_untold || a <= 1) {
		return a;
	}
	if (memo[h].a != a || memo[h].guard != path.guard || memo[h].turn != exec_counts.paths + 1) {
		memo[h].a = a;
		memo[h].guard = path.guard;
		memo[h].turn = exec_counts.paths + 1;
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
		eq = cells_may_be(eq);
		found = bits_or(found, eq);
		for (i = 0; eq != LIT_FALSE && i < bits; i++) {
			r.b[i] = bits_or(r.b[i], bits_and(eq, lit_known(cell(at + i / 8)[i % 8])));
		}
	}
	if (!val_untold) {
		path_claim(found, "a load is inside of an object");
	}
	return r;
}

static void store_any(struct val p, struct val v)
{
	lit_t found = LIT_FALSE, eq;
	uint64_t at = 0;
	uint32_t o;

	for (o = 0; address_next(p, (v.bits + 7) / 8, &o, &at, &eq);) {
		eq = cells_may_be(eq);
		found = bits_or(found, eq);
		if (eq != LIT_FALSE) {
			cells_store(at, val_ite(eq, v, cells_load(at, v.bits)));
		}
	}
	if (!val_untold) {
		path_claim(found, "a store is inside of an object");
	}
}

struct val cells_load_from(struct val p, uint32_t bits)
{
	uint64_t n;

	p = val_deep(p);
	if (path.merging) {
		return val_const(p, &n) && object_of(n) ? cells_load(n, bits) : load_any(p, bits);
	}
	n = cells_settle(p, (bits + 7) / 8);
	return path.ended ? val_of(0, bits) : cells_load(n, bits);
}

void cells_store_to(struct val p, struct val v)
{
	uint64_t n;

	p = val_deep(p);
	if (!path.merging) {
		n = cells_settle(p, (v.bits + 7) / 8);
		if (!path.ended) {
			cells_store(n, v);
		}
	} else if (val_const(p, &n) && object_of(n)) {
		cells_store(n, v);
	} else {
		store_any(p, v);
	}
}

const char *cells_text(struct val p)
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
		if (!val_const(cells_load(at + i, 8), &c) || !c) {
			break;
		}
		t[i] = (char)c;
	}
	t[i] = 0;
	return t;
}

void cells_copy(struct val to, struct val from, uint64_t n)
{
	uint64_t i, a, b;

	to = val_known(to);
	from = val_known(from);
	if (!path.merging) {
		a = cells_settle(to, (uint32_t)n);
		b = path.ended ? 0 : cells_settle(from, (uint32_t)n);
	} else if (!val_const(to, &a) || !val_const(from, &b)) {
		/* Word by word, wherever it is. */
		struct val step = val_of(8, 64);

		for (i = 0; i + 8 <= n; i += 8) {
			cells_store_to(to, cells_load_from(from, 64));
			to.b = val_add(to, step, LIT_FALSE).b;
			from.b = val_add(from, step, LIT_FALSE).b;
		}
		if (i != n) {
			die("%s: %lu bytes copied while merging", path.operation, (unsigned long)n);
		}
		return;
	}
	if (path.ended) {
		return;
	}
	for (i = 0; i < n; i++) {
		lit_t t[8];

		memcpy(t, cell(b + i), sizeof(t));
		cell_write(a + i, t);
	}
}

/* ---- all of it ----------------------------------------------------------------- */

void cells_keep(void)
{
	memcpy(image, memory, sizeof(memory));
	memset(dirty, 0, sizeof(dirty));
}

void cells_back(void)
{
	uint32_t i;

	for (i = 0; i < MEMORY / PAGE; i++) {
		if (dirty[i]) {
			memcpy(memory[i * PAGE], image[i * PAGE], sizeof(memory[0]) * PAGE);
			dirty[i] = false;
		}
	}
}

void cells_reduce(void)
{
	uint32_t i, k;

	for (i = 0; i < memory_top; i++) {
		for (k = 0; k < 8; k++) {
			memory[i][k] = bits_reduced(memory[i][k]);
		}
	}
	cells_keep();
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

void cells_show(void)
{
	show(image, "before");
	show(memory, "after");
}

/* ---- sides -------------------------------------------------------------------- */

void cells_begin(void)
{
	journal_length = 0;
}

uint32_t cells_mark(void)
{
	return journal_length;
}

struct written *cells_take(uint32_t mark, uint32_t *count)
{
	struct written *wrote;
	uint32_t i;

	*count = journal_length - mark;
	wrote = take((*count + 1) * sizeof(*wrote));
	for (i = 0; i < *count; i++) {
		wrote[i].at = journal[mark + i].at;
		memcpy(wrote[i].b, memory[wrote[i].at], sizeof(memory[0]));
	}
	while (journal_length > mark) {
		journal_length--;
		memcpy(memory[journal[journal_length].at], journal[journal_length].b, sizeof(memory[0]));
	}
	return wrote;
}

void cells_put(const struct written *wrote, uint32_t count, lit_t c)
{
	uint32_t i, k;
	lit_t b[8];

	for (i = 0; i < count; i++) {
		for (k = 0; k < 8; k++) {
			b[k] = bits_ite(c, wrote[i].b[k], memory[wrote[i].at][k]);
		}
		cell_write(BASE + wrote[i].at, b);
	}
}
