/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What induct must find to hold, and what not, for the test of the tool: operations
 * named op_holds_* and op_fails_*.
 */
#include <stdbool.h>
#include <stdint.h>

uint64_t any(uint32_t bits);
void assume(bool so);
uint64_t pick(uint64_t n);
void claim(bool so, const char *what);
void apart(void);
void shown(bool so);
bool ask(bool so);
_Noreturn void machine_panic(const char *message);

static uint8_t x;
static uint32_t list[8];
static struct pair { uint32_t a, b; } pairs[4];
static uint32_t none;

void spec_any_state(void);
void op_nothing(void);
void op_holds_sum(void);
void op_holds_paths(void);
void op_holds_merged(void);
void op_holds_pick(void);
void op_holds_pointers(void);
void op_holds_sides(void);
void op_holds_parts(void);
void op_holds_ask(void);
void op_holds_divide(void);
void op_fails_part(void);
void op_fails_one_value(void);
void op_fails_outside(void);
void op_fails_null(void);
void op_fails_panic(void);
void op_fails_merged_value(void);
void op_fails_merged_outside(void);
void op_fails_merged_panic(void);
void op_fails_loop(void);
void op_fails_divide(void);

void spec_any_state(void)
{
	uint32_t i;

	x = (uint8_t)any(8);
	assume(x < 100);
	for (i = 0; i < 8; i++) {
		list[i] = (uint32_t)any(4);
	}
}

void op_nothing(void)
{
	claim(x < 100, "x is below 100");
}

void op_holds_sum(void)
{
	uint32_t a = (uint32_t)any(32), b = (uint32_t)any(32);

	claim(((a ^ b) + 2 * (a & b)) == a + b, "a sum is without carry and carry");
	claim(a - b == ~(b - a) + 1, "differences");
}

void op_holds_paths(void)
{
	uint32_t i, n = 0;

	for (i = 0; i < x % 8; i++) {
		n += list[i];
	}
	claim(n <= 7 * 15, "seven of at most 15");
}

static void merged_sort(uint32_t *a, uint32_t *b)
{
	uint32_t t;

	if (*a > *b) {
		t = *a;
		*a = *b;
		*b = t;
	}
}

void op_holds_merged(void)
{
	merged_sort(&list[0], &list[1]);
	merged_sort(&list[1], &list[2]);
	merged_sort(&list[0], &list[1]);
	claim(list[0] <= list[1] && list[1] <= list[2], "sorted");
}

void op_holds_pick(void)
{
	uint64_t n = pick(any(3));

	list[n] = 99;
	claim(list[n] == 99 && n < 8, "picked");
}

void op_holds_pointers(void)
{
	struct pair *p = &pairs[x & 3];

	p->a = 1;
	p->b = 2;
	claim(pairs[0].a + pairs[1].a + pairs[2].a + pairs[3].a == 1, "one of them");
	claim(pairs[x & 3].b == 2, "this one");
}

static uint32_t merged_find(uint32_t what)
{
	uint32_t i;

	for (i = 0; i < 8; i++) {
		if (list[i] == what) {
			pairs[i & 3].a = 7;
			break;
		}
	}
	return i;
}

/* What one side writes must not be there on the other. */
void op_holds_sides(void)
{
	uint32_t i = merged_find(3);

	claim(i == 8 || list[i] == 3, "found where it is");
	claim((i == 8) == (pairs[0].a + pairs[1].a + pairs[2].a + pairs[3].a == 0), "marked if found");
	claim(i == 8 || pairs[i & 3].a == 7, "marked where it was found");
}

/* In each part, what was picked is a constant wherever it went. */
static uint32_t sum(uint32_t n)
{
	uint32_t i, r = 0;

	for (i = 0; i < n; i++) {
		r += list[i];
	}
	return r;
}

void op_holds_parts(void)
{
	uint32_t n = (uint32_t)pick(x & 3);

	pick(list[7] == 9);
	apart();
	shown(x < 100);
	claim(sum(x & 3) <= 15 * n, "so many of at most 15");
	claim(x < 100, "as was shown");
	claim(list[7] != 9 || sum(8) >= 9, "what was picked is so");
	if (x & 64) {
		claim(x < 100 && x >= 64, "and on each path");
	}
}

void op_holds_ask(void)
{
	bool known = ask(x < 100), open = ask(x < 50);
	uint32_t i, n = 0;

	/* An end that is not known here would be a way for each. */
	for (i = 0; i < (known ? 3u : x); i++) {
		n += i;
	}
	claim(n == 3, "known");
	claim(open == (x < 50), "and not changed");
}

void op_fails_part(void)
{
	pick(x & 3);
	apart();
	shown(x < 100);
	claim(x != 98, "not 98");
}

void op_fails_one_value(void)
{
	uint32_t n = 0;

	if (x > 50) {
		n = x == 77;
	}
	claim(n == 0, "never 77");
}

void op_fails_outside(void)
{
	list[x & 15] = 1;
}

void op_fails_null(void)
{
	uint32_t *p = x == 3 ? (uint32_t *)0 : &none;

	*(volatile uint32_t *)p = 1;
}

void op_fails_panic(void)
{
	if ((x & 0x55) == 0x55 - 0x40) {
		machine_panic("reached");
	}
}

void op_fails_merged_value(void)
{
	merged_sort(&list[0], &list[1]);
	merged_sort(&list[1], &list[2]);
	claim(list[0] <= list[1] && list[1] <= list[2], "sorted");
}

static void merged_write(uint32_t i)
{
	list[i] = 1;
}

void op_fails_merged_outside(void)
{
	merged_write(x & 15);
}

static void merged_check(void)
{
	if (list[0] == 5 && list[1] == 6) {
		machine_panic("reached");
	}
}

void op_fails_merged_panic(void)
{
	merged_check();
}

void op_fails_loop(void)
{
	uint32_t i, n = 0;

	for (i = 0; i < x % 8; i++) {
		n += list[i];
	}
	claim(n < 7 * 15, "never all of them 15");
}

void op_holds_divide(void)
{
	uint32_t a = (uint32_t)any(16), b = 1u << any(3);

	claim((a / b) * b + a % b == a, "what is divided, and the rest");
	claim(a % b < b, "the rest is less");
}

void op_fails_divide(void)
{
	uint32_t a = (uint32_t)any(4), b = (uint32_t)any(2) | 1;

	claim(a / b != 77, "less comes of it");
}
