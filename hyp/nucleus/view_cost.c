/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What calls of the view engine cost, in instructions: those of the nucleus'
 * portable part, compiled as for the machine, with what the machine itself does
 * (its hooks) left out, and every word of a string copy counted. One instruction
 * is one tick of the emulated machines. Fails if a call costs more than it may.
 *
 *	view_cost	prints one line a call: name, instructions, limit
 *
 * Counted by the trap flag: the CPU traps after each instruction.
 */
#define _GNU_SOURCE
#include "memory.h"
#include "view.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define D 1u
#define MANY 2000u

/* The objects that count, put into a section of their own by whoever links this. */
extern const char __start_nucleus[], __stop_nucleus[];

static volatile uint64_t counted;
static int failures;

static void trapped(int signal_number, siginfo_t *info, void *context)
{
	const char *pc = (const char *)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

	(void)signal_number;
	(void)info;
	if (pc >= __start_nucleus && pc < __stop_nucleus) {
		counted++;
	}
}

/* What turning the flag on and off again costs by itself. */
static uint64_t overhead;

#define COST(statement)                                                                 \
	({                                                                              \
		counted = 0;                                                            \
		asm volatile("pushfq; orl $0x100, (%%rsp); popfq" : : : "memory", "cc"); \
		statement;                                                              \
		asm volatile("pushfq; andl $~0x100, (%%rsp); popfq" : : : "memory", "cc"); \
		counted - overhead;                                                     \
	})

static void row(const char *name, uint64_t cost, uint64_t limit)
{
	printf("%-40s %7llu %7llu%s\n", name, (unsigned long long)cost, (unsigned long long)limit,
	       cost > limit ? "  OVER" : "");
	failures += cost > limit;
}

static void must(bool ok, int line)
{
	if (!ok) {
		fprintf(stderr, "view_cost: line %d\n", line);
		exit(1);
	}
}
#define MUST(c) must(c, __LINE__)

/* 16 superpages at 0, and a table of small pages at 16 * RUN. */
static void fresh(void)
{
	fake_reset(FRAMES_MAX);
	fake.gfn_limit = 1ull << 28;
	fake.order_max = ORDER_2M;
	MUST(nuc_domain_create(D, 100000) == 0);
	MUST(nuc_memory_add(D, gfn_of(0), 16 * RUN) == 0);
	MUST(nuc_memory_add(D, gfn_of(16 * RUN), RUN - 1) == 0);
}

static struct view_change list[RUN];

static struct view_change access_change(uint64_t gfn, uint8_t access)
{
	return (struct view_change){ .gfn = gfn, .set = VIEW_SET_ACCESS, .access = access };
}

static uint64_t change_cost(uint32_t view, uint32_t count)
{
	int error = 99, done = 0;
	uint64_t cost = COST(done = nuc_view_change(D, view, list, count, &error));

	MUST(done == (int)count && error == 0);
	return cost;
}

static void one_view(void)
{
	uint64_t root, cost, small = 16 * RUN;
	struct view_entry entry;
	struct view_info info;
	int result = 99;
	uint32_t i;

	fresh();
	cost = COST(result = nuc_view_create(D, 1, ACCESS_RWX, 0));
	MUST(result == 0);
	row("create", cost, 60);
	/* Another root has been here, as on a machine that has run for a while; other tables haven't. */
	MUST(view_root_need(D, 1, &root) == 0 && nuc_view_destroy(D, 1) == 0);
	MUST(nuc_view_create(D, 1, ACCESS_RWX, 0) == 0);
	cost = COST(result = view_root_need(D, 1, &root));
	MUST(result == 0);
	row("root", cost, 250);
	cost = COST(result = view_root_need(D, 1, &root));
	row("root that is there", cost, 50);
	cost = COST(result = nuc_view_destroy(D, 1));
	MUST(result == 0);
	row("destroy, root only", cost, 280);
	MUST(nuc_view_create(D, 1, ACCESS_RWX, 0) == 0);
	cost = COST(result = nuc_view_destroy(D, 1));
	row("destroy, untouched", cost, 80);

	MUST(nuc_view_create(D, 1, ACCESS_RWX, 0) == 0);
	MUST(view_root_need(D, 1, &root) == 0);
	list[0] = access_change(5, ACCESS_R);
	row("set access, first ever in a view", change_cost(1, 1), 3600);
	MUST(nuc_view_destroy(D, 1) == 0 && nuc_view_create(D, 1, ACCESS_RWX, 0) == 0);
	MUST(view_root_need(D, 1, &root) == 0);
	/* Their frames are known to be empty but for a few entries now. */
	row("set access, first in a view", change_cost(1, 1), 2400);
	list[0] = access_change(RUN + 5, ACCESS_R);
	row("set access, first in 2 MiB", change_cost(1, 1), 2150);
	list[0] = access_change(RUN + 5, VIEW_ACCESS_DEFAULT);
	row("clear access, last in 2 MiB", change_cost(1, 1), 760);
	list[0] = access_change(5, ACCESS_R);
	change_cost(1, 1);
	list[0] = access_change(6, ACCESS_R);
	row("set access, next", change_cost(1, 1), 240);
	list[0] = access_change(6, ACCESS_R | ACCESS_X);
	row("set access, same page again", change_cost(1, 1), 240);
	list[0] = (struct view_change){ .gfn = 7, .new_gfn = small + 1, .set = VIEW_SET_TARGET };
	row("remap, next", change_cost(1, 1), 260);
	list[0].new_gfn = ~0ull;
	row("remap back", change_cost(1, 1), 450);
	for (i = 0; i < RUN; i++) {
		list[i] = access_change(i, ACCESS_R);
	}
	row("set access, 512 in one call", change_cost(1, RUN), 48 * RUN);
	for (i = 0; i < RUN - 1; i++) {
		list[i] = access_change(small + i, ACCESS_R);
	}
	row("set access, 511 small, first", change_cost(1, RUN - 1), 48 * RUN + 1500);
	for (i = 0; i < RUN; i++) {
		list[i] = access_change(i, VIEW_ACCESS_DEFAULT);
	}
	row("clear access, 512 in one call, folds", change_cost(1, RUN), 66 * RUN + 760);
	cost = COST(result = nuc_view_entry(D, 1, gfn_of(small + 3), &entry));
	MUST(result == 0 && entry.own_access);
	row("entry", cost, 350);
	cost = COST(result = nuc_view_list(D, 0, &info, 1));
	MUST(result == 1);
	row("list, one", cost, 100);
	cost = COST(result = nuc_view_default(D, 1, ACCESS_R | ACCESS_X));
	MUST(result == 0);
	row("default, of 3 tables", cost, 3 * RUN * 100);
	cost = COST(result = nuc_view_destroy(D, 1));
	MUST(result == 0);
	row("destroy, 4 tables", cost, 1150);
	list[0] = access_change(5, ACCESS_R);
	row("base access, first in 2 MiB", change_cost(0, 1), 2350);
	list[0] = access_change(6, ACCESS_R);
	row("base access, next", change_cost(0, 1), 970);
}

/* What the number of views does to the cost of a call. */
static void many_views(void)
{
	static const uint32_t counts[] = { 1, 10, 100, 512, MANY };
	uint32_t n = 0, i;
	char name[64];
	uint64_t cost;
	int result;

	fresh();
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		while (n < counts[i] - 1) {
			MUST(nuc_view_create(D, ++n, ACCESS_RWX, 0) == 0);
			list[0] = access_change(n % 16 * RUN + 5, ACCESS_R);
			MUST(nuc_view_change(D, n, list, 1, &result) == 1);
		}
		cost = COST(result = nuc_view_create(D, ++n, ACCESS_RWX, 0));
		MUST(result == 0);
		snprintf(name, sizeof(name), "create, view %u", n);
		row(name, cost, 60);
		list[0] = access_change(n % 16 * RUN + 5, ACCESS_R);
		snprintf(name, sizeof(name), "set access, first, of %u views", n);
		row(name, change_cost(n, 1), 3800);
		list[0].gfn++;
		snprintf(name, sizeof(name), "set access, next, of %u views", n);
		row(name, change_cost(n, 1), 240);
		/* No view has tables there. */
		list[0] = access_change(16 * RUN + 1, counts[i] % 2 ? ACCESS_R : ACCESS_RWX);
		snprintf(name, sizeof(name), "base change, shared by %u views", n);
		row(name, change_cost(0, 1), 970);
	}
}

/* A base change of one page that `count` views have private tables over. */
static void copies(void)
{
	static const uint32_t counts[] = { 1, 10, 100, 512, MANY };
	uint32_t n = 0, i;
	char name[64];
	int error;

	fresh();
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		while (n < counts[i]) {
			MUST(nuc_view_create(D, ++n, ACCESS_RWX, 0) == 0);
			list[0] = access_change(16 * RUN + 5, ACCESS_R);
			MUST(nuc_view_change(D, n, list, 1, &error) == 1);
		}
		list[0] = access_change(16 * RUN + 1, i % 2 ? ACCESS_RWX : ACCESS_R);
		snprintf(name, sizeof(name), "base change, %u copies", n);
		row(name, change_cost(0, 1), 970 + 56 * n);
	}
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = trapped, .sa_flags = SA_SIGINFO };

	sigaction(SIGTRAP, &action, NULL);
	overhead = COST((void)0);
	one_view();
	many_views();
	copies();
	return failures ? 1 : 0;
}
