/* SPDX-License-Identifier: Apache-2.0 */
/* The gate's memory calls, as a core might make them, hostile or not. */
#include "test.h"

#define D 1u
#define SPACE (8 * RUN)                 /* gfns that the random tests use */
#define FRAMES (16 * RUN)
#define LIMIT machine_gfn_limit()

static void fresh(uint32_t budget)
{
	fake_reset(FRAMES);
	assert_int_equal(nuc_domain_create(D, budget), 0);
}

static void reclaim(uint32_t domain)
{
	static uint64_t budget;         /* another one each time */
	int again;

	budget = budget % (2 * RUN) + 3;
	do {
		again = nuc_domain_reclaim(domain, budget);
		assert_true(again == 0 || again == 1);
		assert_int_equal(broken(), 0);
	} while (again);
}

static uint64_t mfn_at(uint32_t domain, uint64_t gfn)
{
	struct translation t = stage2_translate(&nuc_domains[domain].stage2, gfn_of(gfn));

	return t.present ? t.mfn : FRAMES_MAX;
}

static void test_domain(void **state)
{
	uint64_t calls = 0, free;

	(void)state;
	fake_reset(FRAMES);
	free = frame_free_count;
	assert_int_equal(nuc_domain_create(DOMAINS_MAX, 10), -EINVAL);
	assert_int_equal(nuc_domain_create(~0u, 10), -EINVAL);
	assert_int_equal(nuc_domain_create(D, 0), -EINVAL);
	assert_int_equal(nuc_domain_reclaim(D, 1), -ESRCH);
	assert_int_equal(nuc_domain_reclaim(DOMAINS_MAX, 1), -ESRCH);
	assert_int_equal(nuc_memory_add(D, gfn_of(0), 1), -ESRCH);
	assert_int_equal(nuc_memory_add(~0u, gfn_of(0), 1), -ESRCH);
	assert_int_equal(nuc_memory_remove(D, gfn_of(0)), -ESRCH);
	assert_int_equal(nuc_memory_type(D, gfn_of(0)), -ESRCH);
	assert_null(nuc_share_page(D, 0));

	assert_int_equal(nuc_domain_create(D, 10), 0);
	assert_int_equal(nuc_domain_create(D, 10), -EEXIST);
	assert_int_equal(nuc_memory_add(D, gfn_of(1), 2 * RUN), 0);
	fake.busy = true;
	assert_int_equal(nuc_domain_reclaim(D, 1), -EBUSY);
	assert_int_equal(nuc_memory_type(D, gfn_of(1)), 1);
	fake.busy = false;
	assert_int_equal(fake.ended, 0);
	assert_int_equal(nuc_domain_reclaim(D, 0), 1);
	assert_int_equal(fake.ended, 1u << D);
	/* A domain that is ending is nobody's to use. */
	assert_int_equal(nuc_memory_add(D, gfn_of(0), 1), -ESRCH);
	assert_int_equal(nuc_memory_type(D, gfn_of(1)), -ESRCH);
	assert_int_equal(nuc_domain_create(D, 10), -EEXIST);
	for (;;) {
		uint64_t before = frame_free_count;
		int again = nuc_domain_reclaim(D, 3);

		assert_true(frame_free_count - before <= 3);
		if (!again) {
			break;
		}
		assert_int_equal(again, 1);
		calls++;
	}
	assert_true(calls >= 2 * RUN / 3);
	/* Whole blocks count in full. */
	assert_int_equal(nuc_domain_create(D, 10), 0);
	assert_int_equal(nuc_memory_add(D, gfn_of(0), 3 * RUN), 0);
	for (;;) {
		uint64_t before = frame_free_count;
		int again = nuc_domain_reclaim(D, 2 * RUN);

		assert_true(frame_free_count - before <= 2 * RUN);
		if (!again) {
			break;
		}
	}
	assert_int_equal(frame_free_count, free);
	assert_int_equal(broken(), 0);
	assert_int_equal(nuc_domain_create(D, 10), 0);
	assert_int_equal(nuc_domain_reclaim(D, ~0ull), 0);
	assert_int_equal(frame_free_count, free);
}

/* Two domains' pages side by side in one block: only one's are swept, whatever the budget. */
static void test_reclaim_mixed(void **state)
{
	uint64_t budget, g, free;

	(void)state;
	for (budget = 1; budget <= 4 * RUN; budget *= 2) {
		fresh(20);
		free = frame_free_count;
		assert_int_equal(nuc_domain_create(D + 1, 20), 0);
		for (g = 0; g < RUN; g++) {
			assert_int_equal(nuc_memory_add(D, gfn_of(RUN + 1 + 2 * g), 1), 0);
			assert_int_equal(nuc_memory_add(D + 1, gfn_of(RUN + 1 + 2 * g), 1), 0);
			machine[mfn_at(D + 1, RUN + 1 + 2 * g)][0] = g + 1;
		}
		while (nuc_domain_reclaim(D, budget) == 1) {
		}
		for (g = 0; g < RUN; g++) {
			assert_int_equal(nuc_memory_type(D + 1, gfn_of(RUN + 1 + 2 * g)), 1);
			assert_int_equal(machine[mfn_at(D + 1, RUN + 1 + 2 * g)][0], g + 1);
		}
		assert_int_equal(broken(), 0);
		while (nuc_domain_reclaim(D + 1, budget) == 1) {
		}
		assert_int_equal(frame_free_count, free + 1);
		assert_int_equal(broken(), 0);
	}
}

static void test_add(void **state)
{
	uint64_t i;

	(void)state;
	fresh(20);
	assert_int_equal(nuc_memory_add(D, gfn_of(LIMIT), 1), -EINVAL);
	assert_int_equal(nuc_memory_add(D, gfn_of(LIMIT - 1), 2), -EINVAL);
	assert_int_equal(nuc_memory_add(D, gfn_of(1), ~0ull), -EINVAL);
	assert_int_equal(nuc_memory_add(D, gfn_of(~0ull), 1), -EINVAL);
	assert_int_equal(nuc_memory_add(D, gfn_of(0), FRAMES), -ENOMEM);
	assert_int_equal(nuc_memory_add(D, gfn_of(0), 0), 0);
	/* The largest pages that alignment allows. */
	assert_int_equal(nuc_memory_add(D, gfn_of(RUN - 1), 2 * RUN), 0);
	for (i = 0; i < 2 * RUN; i++) {
		uint64_t g = RUN - 1 + i;
		struct translation t = stage2_translate(&nuc_domains[D].stage2, gfn_of(g));

		assert_true(t.present && t.access == ACCESS_RWX);
		assert_int_equal(t.level, g >= RUN && g < 2 * RUN);
		assert_int_equal(nuc_memory_type(D, gfn_of(g)), 1);
	}
	assert_int_equal(nuc_memory_type(D, gfn_of(RUN - 2)), 0);
	assert_int_equal(nuc_memory_add(D, gfn_of(0), RUN), -EEXIST);
	assert_int_equal(nuc_memory_add(D, gfn_of(3 * RUN - 2), 1), -EEXIST);
	assert_int_equal(nuc_memory_type(D, gfn_of(0)), 0);
	assert_int_equal(nuc_memory_add(D, gfn_of(LIMIT - 1), 1), 0);
	assert_int_equal(broken(), 0);
	reclaim(D);
}

static void test_add_1g(void **state)
{
	(void)state;
	if (RUN != 4) {
		return;         /* no gigabytes on this machine */
	}
	fresh(20);
	assert_int_equal(nuc_memory_add(D, gfn_of(0), 2 * SPAN2), 0);
	assert_int_equal(stage2_translate(&nuc_domains[D].stage2, gfn_of(SPAN2 + 1)).level, 2);
	assert_int_equal(nuc_domains[D].stage2.tables_used, 2);
	assert_int_equal(nuc_memory_remove(D, gfn_of(SPAN2 + RUN + 1)), 0);
	assert_int_equal(nuc_memory_type(D, gfn_of(SPAN2 + RUN + 1)), 0);
	assert_int_equal(stage2_translate(&nuc_domains[D].stage2, gfn_of(SPAN2 + RUN)).level, 0);
	assert_int_equal(stage2_translate(&nuc_domains[D].stage2, gfn_of(SPAN2 + 0)).level, 1);
	assert_int_equal(stage2_translate(&nuc_domains[D].stage2, gfn_of(0)).level, 2);
	assert_int_equal(broken(), 0);
	reclaim(D);
	fresh(20);
	fake.order_max = ORDER_2M;
	assert_int_equal(nuc_memory_add(D, gfn_of(0), SPAN2), 0);
	assert_int_equal(stage2_translate(&nuc_domains[D].stage2, gfn_of(0)).level, 1);
	reclaim(D);
}

/* Whatever runs out, in the middle of adding, nothing has changed. */
static void test_add_no_memory(void **state)
{
	uint32_t left;

	(void)state;
	for (left = 0; left < 3 * RUN; left += RUN == 4 ? 1 : 61) {
		uint64_t free;
		int error;

		fresh(64);
		assert_int_equal(nuc_memory_add(D, gfn_of(5 * RUN), 1), 0);
		hog(left);
		free = frame_free_count;
		error = nuc_memory_add(D, gfn_of(1), 2 * RUN);
		assert_int_equal(error, left < 2 * RUN + 3 ? -ENOMEM : 0);
		if (error) {
			assert_int_equal(frame_free_count, free);
			assert_int_equal(nuc_domains[D].stage2.tables_used, 4);
			assert_int_equal(nuc_memory_type(D, gfn_of(1)), 0);
		}
		assert_int_equal(nuc_memory_type(D, gfn_of(5 * RUN)), 1);
		assert_int_equal(broken(), 0);
		unhog();
		reclaim(D);
	}
	for (left = 1; left < 12; left++) {
		uint64_t free;
		int error;

		fresh(left);
		free = frame_free_count;
		error = nuc_memory_add(D, gfn_of(RUN - 1), RUN + 2);
		assert_int_equal(error, left < 5 ? -ENOMEM : 0);
		if (error) {
			assert_int_equal(frame_free_count, free);
			assert_int_equal(nuc_domains[D].stage2.tables_used, 1);
		}
		assert_int_equal(broken(), 0);
		reclaim(D);
	}
}

static void test_remove(void **state)
{
	uint64_t free;
	mfn_t mfn;

	(void)state;
	fresh(4);
	assert_int_equal(nuc_memory_add(D, gfn_of(0), RUN), 0);
	assert_int_equal(nuc_memory_remove(D, gfn_of(RUN)), -ENOENT);
	assert_int_equal(nuc_memory_remove(D, gfn_of(~0ull)), -ENOENT);
	assert_int_equal(memory_pin(D, gfn_of(1), &mfn), 0);
	assert_int_equal(mfn.mfn, mfn_at(D, 1));
	assert_int_equal(nuc_memory_remove(D, gfn_of(1)), -EBUSY);
	assert_int_equal(stage2_translate(&nuc_domains[D].stage2, gfn_of(1)).level, 1);
	memory_unpin(mfn);
	assert_true(PANICS(memory_unpin(mfn)));
	assert_int_equal(memory_pin(D, gfn_of(RUN), &mfn), -ENOENT);
	assert_int_equal(memory_pin(D + 1, gfn_of(0), &mfn), -ESRCH);
	assert_int_equal(memory_pin(~0u, gfn_of(0), &mfn), -ESRCH);

	free = frame_free_count;
	machine[mfn_at(D, 1)][7] = 99;
	mfn.mfn = mfn_at(D, 1);
	assert_int_equal(nuc_memory_remove(D, gfn_of(1)), 0);
	assert_int_equal(frames[mfn.mfn].type, FRAME_FREE);
	assert_int_equal(machine[mfn.mfn][7], 0);
	assert_int_equal(frame_free_count, free);       /* one back, one table for the split */
	assert_int_equal(nuc_memory_type(D, gfn_of(1)), 0);
	assert_int_equal(nuc_memory_type(D, gfn_of(2)), 1);
	assert_int_equal(broken(), 0);

	fresh(3);
	assert_int_equal(nuc_memory_add(D, gfn_of(0), RUN), 0);
	assert_int_equal(nuc_memory_remove(D, gfn_of(0)), -ENOMEM);
	assert_int_equal(nuc_memory_type(D, gfn_of(0)), 1);
	assert_int_equal(broken(), 0);
}

static void test_load(void **state)
{
	static uint8_t bytes[65537];
	const uint8_t *ram;
	uint64_t gpa = 3 * PAGE_SIZE - 5, i;
	const void *from;

	(void)state;
	fresh(20);
	assert_int_equal(nuc_memory_add(D, gfn_of(0), 8), 0);
	assert_int_equal(nuc_memory_load(D, gpa_of(gpa), 3, 2 * PAGE_SIZE), 0);
	assert_true(machine_payload(3, 2 * PAGE_SIZE, &from));
	for (i = 0; i < 2 * PAGE_SIZE; i++) {
		ram = (const uint8_t *)machine[mfn_at(D, (gpa + i) / PAGE_SIZE)];
		assert_int_equal(ram[(gpa + i) % PAGE_SIZE], ((const uint8_t *)from)[i]);
	}
	ram = (const uint8_t *)machine[mfn_at(D, 2)];
	assert_int_equal(ram[PAGE_SIZE - 6], 0);

	memset(bytes, 0xaa, sizeof(bytes));
	assert_int_equal(nuc_memory_write(D, gpa_of(0), bytes, 10), 0);
	ram = (const uint8_t *)machine[mfn_at(D, 0)];
	assert_int_equal(ram[9], 0xaa);
	assert_int_equal(ram[10], 0);
	/* The end of it is beyond RAM: then nothing is written. */
	assert_int_equal(nuc_memory_write(D, gpa_of(7 * PAGE_SIZE), bytes, PAGE_SIZE + 1), -EFAULT);
	ram = (const uint8_t *)machine[mfn_at(D, 7)];
	assert_int_equal(ram[0], 0);
	assert_int_equal(nuc_memory_write(D, gpa_of(~0ull), bytes, 2), -EINVAL);
	assert_int_equal(nuc_memory_write(D, gpa_of(0), bytes, 65537), -EINVAL);
	assert_int_equal(nuc_memory_write(D, gpa_of(0), NULL, 1), -EINVAL);
	assert_int_equal(nuc_memory_write(D, gpa_of(8 * PAGE_SIZE), bytes, 0), 0);
	assert_int_equal(nuc_memory_load(D, gpa_of(0), ~0ull, 2), -EINVAL);
	assert_int_equal(nuc_memory_load(D, gpa_of(0), 65536, 1), -EINVAL);
	assert_int_equal(nuc_memory_load(D + 1, gpa_of(0), 0, 1), -ESRCH);
	/* The core cannot write a page into a place that it shares either: that is no RAM. */
	assert_non_null(nuc_share_page(D, SHARE_INFO));
	assert_int_equal(nuc_share_map(D, SHARE_INFO, gfn_of(1)), 0);
	assert_int_equal(nuc_memory_write(D, gpa_of(PAGE_SIZE), bytes, 1), -EFAULT);
	nuc_domains[D].ran = true;
	assert_int_equal(nuc_memory_write(D, gpa_of(0), bytes, 10), -EPERM);
	assert_int_equal(nuc_memory_load(D, gpa_of(0), 0, 10), -EPERM);
}

static void test_share(void **state)
{
	void *page;
	uint64_t mfn, free;
	mfn_t pinned;

	(void)state;
	fresh(20);
	assert_null(nuc_share_page(D, SHARE_SLOTS));
	assert_int_equal(nuc_share_map(D, SHARE_INFO, gfn_of(0)), -ENOENT);
	fake.core_map_fails = true;
	free = frame_free_count;
	assert_null(nuc_share_page(D, SHARE_INFO));
	assert_int_equal(frame_free_count, free);
	fake.core_map_fails = false;
	page = nuc_share_page(D, SHARE_INFO);
	assert_non_null(page);
	assert_ptr_equal(nuc_share_page(D, SHARE_INFO), page);
	assert_ptr_not_equal(nuc_share_page(D, SHARE_CONSOLE), page);
	mfn = nuc_domains[D].share_mfn[SHARE_INFO];
	assert_int_equal(frames[mfn].type, FRAME_CORE);
	assert_int_equal(broken(), 0);

	assert_int_equal(nuc_share_map(D, SHARE_SLOTS, gfn_of(0)), -EINVAL);
	assert_int_equal(nuc_share_map(D + 1, SHARE_INFO, gfn_of(0)), -EINVAL);
	assert_int_equal(nuc_share_map(D, SHARE_INFO, gfn_of(LIMIT)), -EINVAL);
	assert_int_equal(nuc_memory_add(D, gfn_of(0), RUN), 0);
	/* Over RAM, which is freed; the superpage splits. */
	free = frame_free_count;
	assert_int_equal(nuc_share_map(D, SHARE_INFO, gfn_of(2)), 0);
	assert_int_equal(frame_free_count, free);       /* the page came back, the split took a table */
	assert_int_equal(nuc_memory_type(D, gfn_of(2)), 2);
	assert_int_equal(mfn_at(D, 2), mfn);
	assert_int_equal(frames[mfn].type, FRAME_SHARED);
	assert_int_equal(frames[mfn].owner, D);
	assert_int_equal(nuc_memory_remove(D, gfn_of(2)), -ENOENT);
	assert_int_equal(memory_pin(D, gfn_of(2), &pinned), -ENOENT);
	assert_int_equal(broken(), 0);
	/* Again at the same place; elsewhere; where another slot is. */
	assert_int_equal(nuc_share_map(D, SHARE_INFO, gfn_of(2)), 0);
	assert_int_equal(nuc_share_map(D, SHARE_INFO, gfn_of(LIMIT - 1)), 0);
	assert_int_equal(nuc_memory_type(D, gfn_of(2)), 0);
	assert_int_equal(mfn_at(D, LIMIT - 1), mfn);
	assert_int_equal(broken(), 0);
	assert_int_equal(nuc_share_map(D, SHARE_CONSOLE, gfn_of(LIMIT - 1)), 0);
	assert_int_equal(frames[mfn].type, FRAME_CORE);
	assert_int_equal(frames[mfn].where, WHERE_NONE);
	assert_int_equal(broken(), 0);
	assert_int_equal(nuc_share_map(D, SHARE_INFO, gfn_of(2)), 0);
	/* A window is open there. */
	assert_int_equal(memory_pin(D, gfn_of(3), &pinned), 0);
	assert_int_equal(nuc_share_map(D, SHARE_INFO, gfn_of(3)), -EBUSY);
	memory_unpin(pinned);
	assert_int_equal(broken(), 0);
	/* The page outlives the domain, scrubbed, and serves the next in the same slot. */
	machine[mfn][0] = 1;
	reclaim(D);
	assert_int_equal(machine[mfn][0], 0);
	assert_int_equal(frames[mfn].type, FRAME_CORE);
	assert_int_equal(nuc_domain_create(D, 20), 0);
	assert_ptr_equal(nuc_share_page(D, SHARE_INFO), page);
	assert_int_equal(nuc_domains[D].share_mfn[SHARE_INFO], mfn);
	assert_int_equal(nuc_share_map(D, SHARE_INFO, gfn_of(0)), 0);
	assert_int_equal(broken(), 0);
}

static void test_share_no_memory(void **state)
{
	uint32_t budget;

	(void)state;
	for (budget = 4; budget < 9; budget++) {
		uint64_t free;
		int error;

		fresh(budget);
		assert_non_null(nuc_share_page(D, SHARE_INFO));
		assert_int_equal(nuc_share_map(D, SHARE_INFO, gfn_of(0)), 0);
		free = frame_free_count;
		error = nuc_share_map(D, SHARE_INFO, gfn_of(LIMIT - 1));
		assert_int_equal(error, budget < 7 ? -ENOMEM : 0);
		assert_int_equal(nuc_memory_type(D, gfn_of(0)), error ? 2 : 0);
		assert_int_equal(nuc_memory_type(D, gfn_of(LIMIT - 1)), error ? 0 : 2);
		assert_int_equal(frame_free_count, free);
		assert_int_equal(nuc_domains[D].stage2.tables_used, 4);
		assert_int_equal(broken(), 0);

		fresh(3);
		assert_int_equal(nuc_memory_add(D, gfn_of(0), RUN), 0);
		assert_non_null(nuc_share_page(D, SHARE_INFO));
		assert_int_equal(nuc_share_map(D, SHARE_INFO, gfn_of(0)), -ENOMEM);
		assert_int_equal(frames[nuc_domains[D].share_mfn[SHARE_INFO]].type, FRAME_CORE);
		assert_int_equal(broken(), 0);
	}
	hog(0);
	assert_null(nuc_share_page(D, SHARE_CONSOLE));
	unhog();
}

/*
 * Rule 4 against CPUs that keep every translation: random calls while two CPUs
 * use the domains' memory. With a flush that works no frame is scrubbed and no
 * page changes hands under a translation; with one that doesn't it is noticed.
 */
static uint64_t stale_run(unsigned seed, bool lose_flushes)
{
	uint32_t step, d;
	uint64_t stale = 0;

	srand(seed);
	fake_reset(FRAMES);
	fake.lose_flushes = lose_flushes;
	for (d = 1; d <= 2; d++) {
		assert_int_equal(nuc_domain_create(d, 12), 0);
	}
	for (step = 0; step < (RUN == 4 ? 300 : 100); step++) {
		uint64_t g = (uint64_t)rand() % SPACE, k;
		uint32_t slot = (uint32_t)rand() % SHARE_SLOTS;

		d = 1 + (uint32_t)rand() % 2;
		for (k = 0; k < 20; k++) {
			fake_access((uint32_t)rand() % 2, d, (uint64_t)rand() % SPACE);
		}
		switch (rand() % 6) {
		case 0:
		case 1:
			(void)!nuc_memory_add(d, gfn_of(g), 1 + (uint64_t)rand() % (2 * RUN));
			break;
		case 2:
		case 3:
			(void)!nuc_memory_remove(d, gfn_of(g));
			break;
		case 4:
			if (nuc_share_page(d, slot)) {
				(void)!nuc_share_map(d, slot, gfn_of(g));
			}
			break;
		case 5:
			if (rand() % 8 == 0) {
				reclaim(d);
				assert_int_equal(nuc_domain_create(d, 12), 0);
			}
			break;
		}
		assert_int_equal(broken(), 0);
		/* What a CPU reaches, from its memory or not, is what the tables say. */
		for (k = 0; k < SPACE && !lose_flushes; k += RUN == 4 ? 1 : 37) {
			stale += fake_access(0, d, k) != mfn_at(d, k);
		}
	}
	return fake.stale + stale;
}

/* Each call that takes something away, on a machine whose flush works or not: is it noticed? */
static bool stale_after(uint32_t call, bool lose_flushes)
{
	uint64_t cpu, g;

	fresh(32);
	assert_int_equal(nuc_memory_add(D, gfn_of(0), RUN + 1), 0);
	assert_non_null(nuc_share_page(D, SHARE_INFO));
	assert_int_equal(nuc_share_map(D, SHARE_INFO, gfn_of(2 * RUN)), 0);
	for (cpu = 0; cpu < 2; cpu++) {
		for (g = 0; g <= 2 * RUN; g++) {
			fake_access((uint32_t)cpu, D, g);
		}
	}
	fake.lose_flushes = lose_flushes;
	switch (call) {
	case 0:
		assert_int_equal(nuc_memory_remove(D, gfn_of(1)), 0);
		break;
	case 1:
		assert_int_equal(nuc_memory_remove(D, gfn_of(RUN)), 0);
		break;
	case 2:
		/* The earlier place is left, without anything being freed. */
		assert_int_equal(nuc_share_map(D, SHARE_INFO, gfn_of(2 * RUN + 1)), 0);
		break;
	case 3:
		assert_int_equal(nuc_share_map(D, SHARE_INFO, gfn_of(0)), 0);
		break;
	case 4:
		reclaim(D);
		assert_int_equal(nuc_domain_create(D, 32), 0);
		break;
	}
	for (g = 0; g <= 2 * RUN + 1; g++) {
		if (fake_access(1, D, g) != mfn_at(D, g)) {
			return true;
		}
	}
	return fake.stale != 0;
}

static void test_flush(void **state)
{
	uint32_t call, seed;
	uint64_t noticed = 0;

	(void)state;
	for (call = 0; call < 5; call++) {
		assert_false(stale_after(call, false));
		assert_true(stale_after(call, true));
	}
	for (seed = 1; seed <= (RUN == 4 ? 10 : 3); seed++) {
		assert_int_equal(stale_run(seed, false), 0);
		noticed += stale_run(seed, true);
	}
	assert_true(noticed > 0);
}

/* Random calls on four domains against a model of whose gfn holds what. */
static void random_calls(unsigned seed)
{
	static struct { bool live; uint8_t type[SPACE]; uint64_t slot_gfn[SHARE_SLOTS]; } m[4];
	static uint8_t owner[FRAMES];
	uint32_t step, d, slot;
	uint64_t g, k;

	srand(seed);
	fake_reset(FRAMES);
	memset(m, 0, sizeof(m));
	for (step = 0; step < (RUN == 4 ? 1500 : 100); step++) {
		uint64_t count = 1 + (uint64_t)rand() % (rand() % 2 ? 4 : 3 * RUN);
		bool fits, any = false;
		int error;

		d = (uint32_t)rand() % 4;
		g = (uint64_t)rand() % SPACE;
		slot = (uint32_t)rand() % SHARE_SLOTS;
		switch (rand() % 8) {
		case 0:
			error = nuc_domain_create(d, 16);
			assert_int_equal(error, m[d].live ? -EEXIST : frame_free_count || !error ? 0 : -ENOMEM);
			if (!error) {
				memset(&m[d], 0, sizeof(m[d]));
				memset(m[d].slot_gfn, 0xff, sizeof(m[d].slot_gfn));
				m[d].live = true;
			}
			break;
		case 1:
			if (rand() % 4 == 0 && m[d].live) {
				reclaim(d);
				m[d].live = false;
			}
			break;
		case 2:
		case 3:
		case 4:
			fits = g + count <= SPACE;
			if (!fits) {
				break;
			}
			for (k = g; k < g + count; k++) {
				any |= m[d].type[k] != 0;
			}
			error = nuc_memory_add(d, gfn_of(g), count);
			if (!m[d].live) {
				assert_int_equal(error, -ESRCH);
			} else if (any) {
				assert_int_equal(error, -EEXIST);
			} else if (error) {
				assert_int_equal(error, -ENOMEM);
			} else {
				memset(&m[d].type[g], 1, count);
			}
			break;
		case 5:
		case 6:
			error = nuc_memory_remove(d, gfn_of(g));
			if (!m[d].live) {
				assert_int_equal(error, -ESRCH);
			} else if (m[d].type[g] != 1) {
				assert_int_equal(error, -ENOENT);
			} else if (error) {
				assert_int_equal(error, -ENOMEM);
			} else {
				m[d].type[g] = 0;
			}
			break;
		case 7:
			if (!nuc_share_page(d, slot)) {
				break;
			}
			error = nuc_share_map(d, slot, gfn_of(g));
			if (error) {
				assert_int_equal(error, -ENOMEM);
				break;
			}
			if (m[d].slot_gfn[slot] != WHERE_NONE) {
				m[d].type[m[d].slot_gfn[slot]] = 0;
			}
			for (k = 0; k < SHARE_SLOTS; k++) {
				if (m[d].slot_gfn[k] == g) {
					m[d].slot_gfn[k] = WHERE_NONE;
				}
			}
			m[d].slot_gfn[slot] = g;
			m[d].type[g] = 2;
			break;
		}
		memset(owner, 0, sizeof(owner));
		for (d = 0; d < 4; d++) {
			for (k = 0; k < SPACE; k++) {
				uint64_t mfn = m[d].live ? mfn_at(d, k) : FRAMES_MAX;

				assert_int_equal(nuc_memory_type(d, gfn_of(k)), m[d].live ? m[d].type[k] : -ESRCH);
				if (mfn != FRAMES_MAX) {
					/* No frame twice, in one domain or in two. */
					assert_int_equal(owner[mfn]++, 0);
					/* What is new is zero, whoever had it before. */
					assert_true(m[d].type[k] == 2 || machine[mfn][0] == 0 ||
						    machine[mfn][0] == d + 1);
					machine[mfn][0] = d + 1;
				}
			}
		}
		assert_int_equal(broken(), 0);
	}
}

static void test_random(void **state)
{
	unsigned seed;

	(void)state;
	for (seed = 1; seed <= (RUN == 4 ? 10 : 2); seed++) {
		random_calls(seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_domain),
		cmocka_unit_test(test_reclaim_mixed),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_add_1g),
		cmocka_unit_test(test_add_no_memory),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_share_no_memory),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
