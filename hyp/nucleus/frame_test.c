/* SPDX-License-Identifier: Apache-2.0 */
/* The frame table and its allocator, against a model that is one byte per frame. */
#include "test.h"

#define FRAMES (4 * RUN)
#define RAM_WORD 0x5a5a5a5a5a5a5a5aull

static bool zeroed(uint64_t mfn, uint64_t count)
{
	uint64_t m, i;

	for (m = mfn; m < mfn + count; m++) {
		for (i = 0; i < PAGE_WORDS; i++) {
			if (machine[m][i]) {
				return false;
			}
		}
	}
	return true;
}

static void fill(uint64_t mfn, uint64_t count)
{
	uint64_t m, i;

	for (m = mfn; m < mfn + count; m++) {
		for (i = 0; i < PAGE_WORDS; i++) {
			machine[m][i] = RAM_WORD;
		}
	}
}

static void test_boot(void **state)
{
	mfn_t mfn;
	uint64_t m, n = 0;

	(void)state;
	frame_init(FRAMES - 1);
	assert_int_equal(frame_alloc(ORDER_4K, FRAME_CORE, DOMAIN_NONE, &mfn), -ENOMEM);
	frame_claim(mfn_of(RUN + 1), 2, FRAME_NUCLEUS);
	frame_claim(mfn_of(FRAMES - 1), ~0ull, FRAME_DEVICE);   /* all of it beyond the end */
	frame_add(mfn_of(1), RUN);
	frame_add(mfn_of(RUN + 1), ~0ull);
	assert_int_equal(frame_free_count, FRAMES - 1 - 1 - 2);
	assert_int_equal(frames[0].type, FRAME_NONE);
	assert_int_equal(frames[RUN].type, FRAME_FREE);
	assert_int_equal(frames[RUN + 1].type, FRAME_NUCLEUS);
	assert_int_equal(broken(), 0);
	/* A claim cannot take what is free. */
	assert_true(PANICS(frame_claim(mfn_of(RUN), 1, FRAME_NUCLEUS)));

	/* Only block 2 is whole: 0 and 1 have holes, 3 ends early. */
	assert_int_equal(frame_alloc(ORDER_2M, FRAME_CORE, DOMAIN_NONE, &mfn), 0);
	assert_int_equal(mfn.mfn, 2 * RUN);
	assert_int_equal(frame_alloc(ORDER_2M, FRAME_CORE, DOMAIN_NONE, &mfn), -ENOMEM);
	while (frame_alloc(ORDER_4K, FRAME_CORE, DOMAIN_NONE, &mfn) == 0) {
		n++;
	}
	assert_int_equal(n, FRAMES - 1 - 1 - 2 - RUN);
	assert_int_equal(frame_free_count, 0);
	for (m = 1; m < FRAMES - 1; m++) {
		assert_int_equal(frames[m].type, m == RUN + 1 || m == RUN + 2 ? FRAME_NUCLEUS : FRAME_CORE);
	}
	assert_int_equal(broken(), 0);
}

static void test_scrub(void **state)
{
	mfn_t mfn, again;
	uint64_t scrubs;

	(void)state;
	fake_reset(FRAMES);
	fill(0, FRAMES);
	/* RAM from before the boot is scrubbed when it is first given out, not when it is added. */
	assert_int_equal(fake.scrubs, 0);
	assert_int_equal(frame_alloc(ORDER_4K, FRAME_GUEST, 1, &mfn), 0);
	assert_true(zeroed(mfn.mfn, 1));
	assert_int_equal(fake.scrubs, 1);
	fill(mfn.mfn, 1);
	frame_free(mfn, ORDER_4K);
	assert_true(zeroed(mfn.mfn, 1));
	scrubs = fake.scrubs;
	assert_int_equal(frame_alloc(ORDER_4K, FRAME_GUEST, 2, &again), 0);
	assert_int_equal(again.mfn, mfn.mfn);
	assert_int_equal(fake.scrubs, scrubs);
	frame_free(again, ORDER_4K);
	/* One dirty frame makes the whole run be scrubbed. */
	assert_int_equal(frame_alloc(ORDER_2M, FRAME_GUEST, 1, &mfn), 0);
	assert_true(zeroed(mfn.mfn, RUN));
}

static void test_checks(void **state)
{
	mfn_t mfn;

	(void)state;
	fake_reset(FRAMES);
	assert_int_equal(frame_alloc(ORDER_2M, FRAME_GUEST, 1, &mfn), 0);
	assert_true(PANICS(frame_free(mfn_of(mfn.mfn + 1), ORDER_2M)));
	assert_true(PANICS(frame_free(mfn_of(mfn.mfn + RUN), ORDER_2M)));
	assert_true(PANICS(frame_free(mfn_of(FRAMES), ORDER_4K)));
	assert_true(PANICS(frame_free(mfn_of(~0ull), ORDER_4K)));
	assert_true(PANICS(frame_retype(mfn_of(mfn.mfn + RUN), FRAME_CORE, 0)));
	assert_true(PANICS(frame_retype(mfn, FRAME_FREE, 0)));
	assert_true(PANICS(frame_retype(mfn, FRAME_TYPES, 0)));
	frame_retype(mfn, FRAME_CORE, DOMAIN_NONE);
	assert_int_equal(frames[mfn.mfn].type, FRAME_CORE);
	frame_free(mfn, ORDER_2M);
	assert_int_equal(broken(), 0);
	/* Freed twice. */
	fake_reset(FRAMES);
	assert_int_equal(frame_alloc(ORDER_4K, FRAME_GUEST, 1, &mfn), 0);
	frame_free(mfn, ORDER_4K);
	assert_true(PANICS(frame_free(mfn, ORDER_4K)));
	/* A list that has gone wrong hands out nothing that is in use. */
	fake_reset(FRAMES);
	assert_int_equal(frame_alloc(ORDER_4K, FRAME_GUEST, 1, &mfn), 0);
	frames[mfn.mfn + 1].type = FRAME_TABLE;
	assert_true(PANICS((void)!frame_alloc(ORDER_4K, FRAME_GUEST, 2, &mfn)));
}

/* A run that was taken whole comes back in pieces, and the other way round. */
static void test_merge(void **state)
{
	mfn_t mfn, run;
	uint64_t i;

	(void)state;
	fake_reset(4 * RUN);
	for (i = 0; i < 4 * RUN; i++) {
		assert_int_equal(frame_alloc(ORDER_4K, FRAME_NUCLEUS, 1, &mfn), 0);
	}
	assert_int_equal(frame_alloc(ORDER_4K, FRAME_NUCLEUS, 1, &mfn), -ENOMEM);
	for (i = 0; i < 4 * RUN; i++) {
		/* 7 is odd: a permutation. */
		frame_free(mfn_of(i * 7 % (4 * RUN)), ORDER_4K);
		assert_int_equal(broken(), 0);
		if (i < RUN && i % 64 == 0) {
			assert_int_equal(frame_alloc(ORDER_2M, FRAME_NUCLEUS, 1, &run), -ENOMEM);
		}
	}
	for (i = 0; i < 4; i++) {
		assert_int_equal(frame_alloc(ORDER_2M, FRAME_NUCLEUS, 1, &run), 0);
	}
	assert_int_equal(frame_alloc(ORDER_2M, FRAME_NUCLEUS, 1, &run), -ENOMEM);
	for (i = 0; i < RUN; i++) {
		frame_free(mfn_of(run.mfn + i), ORDER_4K);
	}
	assert_int_equal(frame_alloc(ORDER_2M, FRAME_NUCLEUS, 1, &run), 0);
	assert_int_equal(broken(), 0);
}

static void give_back(uint64_t m, uint32_t order, bool table)
{
	if (table) {
		frame_free_table(mfn_of(m));
	} else {
		frame_free(mfn_of(m), order);
	}
}

/* Random allocations of every order, and of tables, compared with a byte map. */
static void random_run(unsigned seed, uint64_t count, uint32_t steps)
{
	static struct { uint64_t mfn; uint32_t order; bool table; } held[4096];
	static uint8_t used[FRAMES_MAX];
	uint64_t n = 0, taken = 0, k, m;
	uint32_t step;
	mfn_t mfn;

	srand(seed);
	fake_reset(count);
	memset(used, 0, sizeof(used));
	for (step = 0; step < steps; step++) {
		uint32_t order = rand() % 8 ? ORDER_4K : rand() % 4 ? ORDER_2M : ORDER_1G;
		uint64_t size = order_frames(order);

		if (rand() % 100 < (step / 512 % 2 ? 35 : 65) && n < ARRAY_SIZE(held)) {
			bool table = order == ORDER_4K && rand() % 4 == 0;
			uint16_t owner = (uint16_t)(seed % 7);
			uint64_t f, j;
			int error;

			if (table) {
				mfn = mfn_of(frame_alloc_table(owner));
				error = mfn.mfn == FRAMES_MAX ? -ENOMEM : 0;
			} else {
				error = frame_alloc(order, FRAME_GUEST, owner, &mfn);
			}
			if (error) {
				assert_int_equal(error, -ENOMEM);
				/* Then no aligned run of this size is free. */
				for (f = 0; f + size <= count; f += size) {
					for (j = 0; j < size && !used[f + j]; j++) {
					}
					assert_true(j < size);
				}
				continue;
			}
			assert_int_equal(mfn.mfn % size, 0);
			assert_true(mfn.mfn + size <= count);
			for (k = 0; k < size; k++) {
				assert_false(used[mfn.mfn + k]);
				used[mfn.mfn + k] = 1;
				machine[mfn.mfn + k][step % PAGE_WORDS] = 1;
			}
			/* As table_claim does: what a table leaves behind is to be scrubbed. */
			frames[mfn.mfn].dirty |= table;
			held[n].mfn = mfn.mfn;
			held[n].table = table;
			held[n++].order = order;
			taken += size;
		} else if (n) {
			uint64_t pick = (uint64_t)rand() % n;
			bool table = held[pick].table;

			m = held[pick].mfn;
			order = held[pick].order;
			held[pick] = held[--n];
			size = order_frames(order);
			/* Whole, or in halves of the next smaller size. */
			if (order != ORDER_4K && rand() % 2) {
				uint32_t less = order == ORDER_1G ? ORDER_2M : ORDER_4K;

				for (k = 0; k < size; k += order_frames(less)) {
					frame_free(mfn_of(m + k), less);
				}
			} else {
				give_back(m, order, table);
			}
			for (k = 0; k < size; k++) {
				used[m + k] = 0;
			}
			taken -= size;
		}
		assert_int_equal(frame_free_count, count - taken);
		for (k = 0; k < count; k += step % 64 ? count : 1) {
			assert_int_equal(frames[k].type == FRAME_FREE, !used[k]);
		}
	}
	while (n) {
		n--;
		give_back(held[n].mfn, held[n].order, held[n].table);
	}
	for (m = 0; m < count; m++) {
		assert_true(frames[m].dirty || zeroed(m, 1));
	}
	/* Everything has come back together: the whole machine in the largest runs. */
	for (m = 0; m + (uint64_t)RUN * RUN <= count; m += (uint64_t)RUN * RUN) {
		assert_int_equal(frame_alloc(ORDER_1G, FRAME_GUEST, 0, &mfn), 0);
	}
}

static void test_random(void **state)
{
	unsigned seed;

	(void)state;
	for (seed = 1; seed <= 20; seed++) {
		random_run(seed, RUN == 4 ? 16 * RUN * RUN + seed : 5 * RUN + seed, RUN == 4 ? 4000 : 1500);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boot),
		cmocka_unit_test(test_scrub),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
