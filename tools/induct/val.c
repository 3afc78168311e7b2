/* SPDX-License-Identifier: Apache-2.0 */
#include "val.h"

#include <stdlib.h>

static char *arena;
static uint64_t arena_used, arena_size;
static char *arena_old[64];
static uint32_t arena_olds;

void *take(uint64_t bytes)
{
	void *p;

	bytes = (bytes + 15) & ~15ull;
	if (arena_used + bytes > arena_size) {
		if (arena) {
			if (arena_olds == 64) {
				die("out of room for values");
			}
			arena_old[arena_olds++] = arena;
		}
		arena_size = arena_size ? arena_size * 2 : 64u << 20;
		if (bytes > arena_size) {
			arena_size = bytes * 2;
		}
		arena = malloc(arena_size);
		if (!arena) {
			die("out of memory");
		}
		arena_used = 0;
	}
	p = arena + arena_used;
	arena_used += bytes;
	return p;
}

void values_forget(void)
{
	while (arena_olds) {
		free(arena_old[--arena_olds]);
	}
	arena_used = 0;
}

struct val val_new(uint32_t bits)
{
	return (struct val){ bits, 0, take(bits * sizeof(lit_t)) };
}

struct val val_of(uint64_t n, uint32_t bits)
{
	struct val v = val_new(bits);
	uint32_t i;

	for (i = 0; i < bits; i++) {
		v.b[i] = i < 64 ? n >> i & 1 : 0;
	}
	return v;
}

bool val_const(struct val v, uint64_t *n)
{
	uint32_t i;

	*n = 0;
	for (i = 0; i < v.bits; i++) {
		if (v.b[i] > 1) {
			return false;
		}
		if (i < 64) {
			*n |= (uint64_t)v.b[i] << i;
		}
	}
	return true;
}

bool val_untold;

lit_t lit_known(lit_t a)
{
	return val_untold ? a : bits_known(a);
}

/* As it is, unless a bit is known. */
static inline struct val told(struct val v, lit_t (*known)(lit_t))
{
	struct val r;
	uint32_t i;

	if (val_untold) {
		return v;
	}
	for (i = 0; i < v.bits && known(v.b[i]) == v.b[i]; i++) {
	}
	if (i == v.bits) {
		return v;
	}
	r = val_new(v.bits);
	r.object = v.object;
	for (i = 0; i < v.bits; i++) {
		r.b[i] = known(v.b[i]);
	}
	return r;
}

struct val val_known(struct val v)
{
	return told(v, bits_known);
}

struct val val_deep(struct val v)
{
	return told(v, bits_deep);
}

struct val val_ite(lit_t c, struct val a, struct val b)
{
	struct val r;
	uint32_t i;

	if (c <= 1) {
		return c ? a : b;
	}
	if (a.bits != b.bits) {
		die("values of %u and %u bits merge", a.bits, b.bits);
	}
	r = val_new(a.bits);
	for (i = 0; i < a.bits; i++) {
		r.b[i] = bits_ite(c, a.b[i], b.b[i]);
	}
	r.object = a.object == b.object ? a.object : 0;
	return r;
}

lit_t val_eq(struct val a, struct val b)
{
	lit_t r = LIT_TRUE;
	uint32_t i;

	for (i = 0; i < a.bits; i++) {
		if (a.b[i] <= 1 && b.b[i] <= 1 && a.b[i] != b.b[i]) {
			return LIT_FALSE;
		}
	}
	for (i = 0; i < a.bits; i++) {
		r = bits_and(r, bits_xor(a.b[i], b.b[i]) ^ 1);
	}
	return r;
}

lit_t val_eq_const(struct val a, uint64_t n)
{
	lit_t r = LIT_TRUE;
	uint32_t i;

	for (i = 0; i < a.bits; i++) {
		if (a.b[i] <= 1 && a.b[i] != (n >> i & 1)) {
			return LIT_FALSE;
		}
	}
	for (i = 0; i < a.bits; i++) {
		r = bits_and(r, a.b[i] ^ !(n >> i & 1));
	}
	return r;
}

struct val val_add(struct val a, struct val b, lit_t carry)
{
	struct val r = val_new(a.bits);
	uint32_t i;

	for (i = 0; i < a.bits; i++) {
		lit_t x = bits_xor(a.b[i], b.b[i]);

		r.b[i] = bits_xor(x, carry);
		carry = bits_or(bits_and(a.b[i], b.b[i]), bits_and(x, carry));
	}
	return r;
}

struct val val_not(struct val a)
{
	struct val r = val_new(a.bits);
	uint32_t i;

	for (i = 0; i < a.bits; i++) {
		r.b[i] = a.b[i] ^ 1;
	}
	return r;
}

lit_t val_less(struct val a, struct val b)
{
	lit_t r = LIT_FALSE;
	uint32_t i;

	for (i = 0; i < a.bits; i++) {
		r = bits_ite(bits_xor(a.b[i], b.b[i]), b.b[i], r);
	}
	return r;
}

struct val val_shift(struct val a, struct val by, bool left, lit_t fill)
{
	struct val r = a, s;
	uint32_t step, i, k;
	lit_t over = LIT_FALSE;

	for (k = 0; k < by.bits; k++) {
		step = k < 16 ? 1u << k : 1u << 16;
		if (step >= a.bits) {
			over = bits_or(over, by.b[k]);
			continue;
		}
		if (by.b[k] == LIT_FALSE) {
			continue;
		}
		s = val_new(a.bits);
		for (i = 0; i < a.bits; i++) {
			lit_t from = left ? (i >= step ? r.b[i - step] : LIT_FALSE) :
					    (i + step < a.bits ? r.b[i + step] : fill);

			s.b[i] = bits_ite(by.b[k], from, r.b[i]);
		}
		r = s;
	}
	if (over != LIT_FALSE) {
		s = val_new(a.bits);
		for (i = 0; i < a.bits; i++) {
			s.b[i] = bits_ite(over, left ? LIT_FALSE : fill, r.b[i]);
		}
		r = s;
	}
	r.object = 0;
	return r;
}

struct val val_multiply(struct val a, struct val b)
{
	struct val r = val_of(0, a.bits), t;
	uint64_t k;
	uint32_t i, j;

	if (val_const(a, &k)) {
		t = a;
		a = b;
		b = t;
	}
	for (i = 0; i < b.bits; i++) {
		if (b.b[i] == LIT_FALSE) {
			continue;
		}
		t = val_of(0, a.bits);
		for (j = i; j < a.bits; j++) {
			t.b[j] = bits_and(b.b[i], a.b[j - i]);
		}
		r = val_add(r, t, LIT_FALSE);
	}
	return r;
}
