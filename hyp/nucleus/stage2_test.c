/* SPDX-License-Identifier: Apache-2.0 */
/* Stage-2 tables against a model that is one array element per gfn. */
#include "test.h"

#define DOMAIN 3u
#define MODEL (RUN == 4 ? GFN_LIMIT : 4ull * RUN * RUN)   /* gfns that the model knows */

struct cell {
	uint64_t mfn;
	uint8_t level, access;
	bool present;
};
static struct cell model[RUN == 4 ? 256 : 4 * RUN * RUN];
static struct nuc_domain *domain = &nuc_domains[DOMAIN];

static struct stage2 *fresh(uint64_t frames_wanted, uint32_t budget)
{
	fake_reset(frames_wanted);
	fake.gfn_limit = GFN_LIMIT;
	memset(model, 0, sizeof(model));
	assert_int_equal(nuc_domain_create(DOMAIN, budget), 0);
	return &domain->stage2;
}

static mfn_t page(uint32_t order)
{
	mfn_t mfn;

	assert_int_equal(frame_alloc(order, FRAME_GUEST, DOMAIN, &mfn), 0);
	return mfn;
}

static void compare(const struct stage2 *s, uint64_t from, uint64_t to)
{
	uint64_t g;

	for (g = from; g < to; g++) {
		struct translation t = stage2_translate(s, gfn_of(g));

		assert_int_equal(t.present, model[g].present);
		if (t.present) {
			assert_int_equal(t.mfn, model[g].mfn);
			assert_int_equal(t.level, model[g].level);
			assert_int_equal(t.access, model[g].access);
		} else {
			/* The hole is empty as far as it says. */
			uint64_t end = (g / level_span(t.level) + 1) * level_span(t.level);

			for (; g + 1 < end && g + 1 < to; g++) {
				assert_false(model[g + 1].present);
			}
		}
	}
}

static void test_entries(void **state)
{
	static const uint64_t mfns[] = { 0, 1, 0x12345678, 0xffffffff };
	uint32_t level, access, i;

	(void)state;
	for (level = 0; level <= LEVEL_ROOT; level++) {
		assert_int_equal(entry_kind(entry_empty(level), level), ENTRY_EMPTY);
		for (i = 0; i < ARRAY_SIZE(mfns); i++) {
			if (level > 0) {
				uint64_t e = entry_table(mfns[i], level);

				assert_int_equal(entry_kind(e, level), ENTRY_TABLE);
				assert_int_equal(entry_mfn(e, level), mfns[i]);
			}
			for (access = 0; access <= ACCESS_RWX && level < LEVEL_ROOT; access++) {
				uint64_t e = entry_leaf(mfns[i], access, level);

				assert_int_equal(entry_kind(e, level), ENTRY_LEAF);
				assert_int_equal(entry_mfn(e, level), mfns[i]);
				assert_int_equal(entry_access(e, level), access);
			}
		}
	}
	for (access = 0; access <= 8; access++) {
		assert_int_equal(access_valid(access), access != 2 && access != 6 && access != 8);
	}
#ifdef EPT_VALID
	/* As the manual draws them. */
	assert_int_equal(entry_empty(0), 1ull << 63);
	assert_int_equal(entry_table(0xabc, 2), 0xabc007 | 1ull << 52);
	assert_int_equal(entry_leaf(0xabc, ACCESS_RWX, 0), 0xabc037 | 1ull << 52 | 1ull << 63);
	assert_int_equal(entry_leaf(0xa00, ACCESS_R | ACCESS_X, 1), 0xa000b5 | 1ull << 52 | 1ull << 63);
	assert_int_equal(entry_kind(0, 0), ENTRY_BAD);
	assert_int_equal(entry_kind(entry_leaf(1, 7, 2), 3), ENTRY_BAD);
#endif
}

static void test_map(void **state)
{
	struct stage2 *s = fresh(8 * RUN, 100);
	mfn_t a = page(ORDER_4K), b = page(ORDER_2M), other;
	struct translation t;
	struct limbo limbo = LIMBO_EMPTY;

	(void)state;
	assert_false(stage2_translate(s, gfn_of(0)).present);
	assert_int_equal(stage2_translate(s, gfn_of(0)).level, LEVEL_ROOT);
	assert_int_equal(stage2_map(s, gfn_of(RUN + 1), a, ORDER_4K, ACCESS_R), 0);
	assert_int_equal(s->tables_used, 4);
	t = stage2_translate(s, gfn_of(RUN + 1));
	assert_true(t.present);
	assert_int_equal(t.mfn, a.mfn);
	assert_int_equal(t.access, ACCESS_R);
	assert_int_equal(t.level, 0);
	assert_int_equal(frames[a.mfn].where, RUN + 1);

	/* Mapped, in the way, misaligned, out of range, no such access, not the domain's. */
	assert_int_equal(stage2_map(s, gfn_of(0), a, ORDER_4K, ACCESS_R), -EINVAL);
	assert_int_equal(stage2_map(s, gfn_of(RUN), b, ORDER_2M, ACCESS_R), -EEXIST);
	assert_int_equal(stage2_map(s, gfn_of(1), b, ORDER_2M, ACCESS_R), -EINVAL);
	assert_int_equal(stage2_map(s, gfn_of(0), mfn_of(b.mfn + 1), ORDER_2M, ACCESS_R), -EINVAL);
	assert_int_equal(stage2_map(s, gfn_of(GFN_LIMIT), b, ORDER_4K, ACCESS_R), -EINVAL);
	assert_int_equal(stage2_map(s, gfn_of(~0ull), b, ORDER_4K, ACCESS_R), -EINVAL);
	assert_int_equal(stage2_map(s, gfn_of(0), b, ORDER_4K, ACCESS_W), -EINVAL);
	assert_int_equal(stage2_map(s, gfn_of(0), b, ORDER_4K, 8), -EINVAL);
	assert_int_equal(stage2_map(s, gfn_of(0), mfn_of(s->root), ORDER_4K, ACCESS_R), -EINVAL);
	assert_int_equal(stage2_map(s, gfn_of(0), mfn_of(frame_count), ORDER_4K, ACCESS_R), -EINVAL);
	assert_int_equal(stage2_map(s, gfn_of(0), mfn_of(~0ull), ORDER_4K, ACCESS_R), -EINVAL);
	assert_int_equal(frame_alloc(ORDER_4K, FRAME_GUEST, DOMAIN + 1, &other), 0);
	assert_int_equal(stage2_map(s, gfn_of(0), other, ORDER_4K, ACCESS_R), -EINVAL);
	frame_retype(mfn_of(b.mfn + RUN - 1), FRAME_CORE, DOMAIN_NONE);
	assert_int_equal(stage2_map(s, gfn_of(0), b, ORDER_2M, ACCESS_R), -EINVAL);
	frame_retype(mfn_of(b.mfn + RUN - 1), FRAME_GUEST, DOMAIN);
	assert_int_equal(s->tables_used, 4);

	assert_int_equal(stage2_map(s, gfn_of(2 * RUN), b, ORDER_2M, ACCESS_RWX), 0);
	assert_int_equal(s->tables_used, 4);
	assert_int_equal(stage2_translate(s, gfn_of(3 * RUN - 1)).mfn, b.mfn + RUN - 1);
	assert_int_equal(stage2_translate(s, gfn_of(2 * RUN)).level, 1);
	frame_free(other, ORDER_4K);
	assert_int_equal(broken(), 0);

	/* No access at all is still mapped: intent is kept. */
	assert_int_equal(stage2_take(s, gfn_of(RUN + 1), &limbo).mfn, a.mfn);
	assert_int_equal(stage2_map(s, gfn_of(0), a, ORDER_4K, 0), 0);
	assert_true(stage2_translate(s, gfn_of(0)).present);
	limbo_free(&limbo, DOMAIN);
	assert_int_equal(broken(), 0);
}

static void test_split_and_take(void **state)
{
	struct stage2 *s = fresh(8 * RUN, 6);
	struct limbo limbo = LIMBO_EMPTY;
	mfn_t b = page(ORDER_2M), c;
	struct translation t;
	uint64_t i, free;

	(void)state;
	free = frame_free_count - RUN;
	assert_int_equal(stage2_split(s, gfn_of(0), ORDER_4K), -ENOENT);
	assert_int_equal(stage2_map(s, gfn_of(0), b, ORDER_2M, ACCESS_R), 0);
	assert_int_equal(stage2_split(s, gfn_of(5 % RUN), ORDER_2M), 0);
	assert_int_equal(s->tables_used, 3);
	assert_int_equal(stage2_split(s, gfn_of(RUN - 1), ORDER_4K), 0);
	assert_int_equal(s->tables_used, 4);
	for (i = 0; i < RUN; i++) {
		t = stage2_translate(s, gfn_of(i));
		assert_true(t.present && t.mfn == b.mfn + i && t.level == 0 && t.access == ACCESS_R);
	}
	assert_int_equal(broken(), 0);
	c = page(ORDER_2M);
	assert_int_equal(stage2_map(s, gfn_of(RUN), c, ORDER_2M, ACCESS_RWX), 0);
	/* The tables go with the last entry in them, the root stays. */
	for (i = 0; i < RUN; i++) {
		assert_int_equal(s->tables_used, 4);
		assert_int_equal(stage2_take(s, gfn_of(i), &limbo).mfn, b.mfn + i);
		assert_int_equal(frames[b.mfn + i].where, WHERE_NONE);
	}
	assert_int_equal(s->tables_used, 3);
	assert_false(stage2_take(s, gfn_of(0), &limbo).present);
	assert_int_equal(stage2_take(s, gfn_of(RUN + 1), &limbo).mfn, c.mfn + 1);
	assert_int_equal(s->tables_used, 1);
	limbo_free(&limbo, DOMAIN);
	assert_int_equal(frame_free_count, free);
	assert_int_equal(frames[s->root].count, 0);
}

/* Every call that needs tables, with too few left in the budget or in the machine. */
static void test_no_memory(void **state)
{
	uint32_t left, by_budget;

	(void)state;
	for (by_budget = 0; by_budget < 2; by_budget++) {
		for (left = 0; left <= 4; left++) {
			struct stage2 *s = fresh(8 * RUN, by_budget ? 4 + left : 100);
			mfn_t a = page(ORDER_4K), b = page(ORDER_2M);
			uint64_t free;
			uint32_t used;
			int error;

			assert_int_equal(stage2_map(s, gfn_of(0), a, ORDER_4K, ACCESS_RWX), 0);
			if (!by_budget) {
				hog(left);
			}
			free = frame_free_count;
			used = s->tables_used;
			assert_int_equal(used, 4);
			error = stage2_map(s, gfn_of(SPAN3), b, ORDER_2M, ACCESS_RWX);
			assert_int_equal(error, left < 2 ? -ENOMEM : 0);
			if (error) {
				assert_int_equal(frame_free_count, free);
				assert_int_equal(s->tables_used, used);
				assert_false(stage2_translate(s, gfn_of(SPAN3)).present);
				assert_int_equal(frames[b.mfn].where, WHERE_NONE);
				assert_int_equal(stage2_map(s, gfn_of(RUN), b, ORDER_2M, ACCESS_RWX), 0);
			} else {
				unhog();
				assert_int_equal(broken(), 0);
				continue;
			}
			a = left ? page(ORDER_4K) : a;
			error = stage2_split(s, gfn_of(RUN), ORDER_4K);
			assert_int_equal(error, left < (by_budget ? 1 : 2) ? -ENOMEM : 0);
			assert_int_equal(stage2_translate(s, gfn_of(RUN + 1)).mfn, b.mfn + 1);
			assert_int_equal(stage2_translate(s, gfn_of(RUN + 1)).level, error ? 1 : 0);
			assert_int_equal(s->tables_used, error ? used : used + 1);
			if (left && error) {
				assert_int_equal(stage2_room(s, gfn_of(RUN + 1)), -ENOMEM);
				assert_int_equal(stage2_replace(s, gfn_of(RUN + 1), a, ACCESS_R), -EINVAL);
				assert_int_equal(frames[a.mfn].where, WHERE_NONE);
			}
			unhog();
		}
	}
	assert_int_equal(nuc_domain_create(4, 0), -EINVAL);
	fake_reset(8 * RUN);
	fake.gfn_limit = GFN_LIMIT;
	hog(0);
	assert_int_equal(nuc_domain_create(4, 9), -ENOMEM);
	unhog();
}

static void test_replace(void **state)
{
	struct stage2 *s = fresh(8 * RUN, 100);
	mfn_t a = page(ORDER_4K), b = page(ORDER_2M), c = page(ORDER_4K);
	uint64_t free;
	uint32_t used;

	(void)state;
	assert_int_equal(stage2_map(s, gfn_of(0), b, ORDER_2M, ACCESS_RWX), 0);
	assert_int_equal(stage2_replace(s, gfn_of(2), a, ACCESS_X), -EINVAL);
	assert_int_equal(stage2_room(s, gfn_of(2)), 0);
	assert_int_equal(stage2_replace(s, gfn_of(2), mfn_of(b.mfn), ACCESS_RWX), -EINVAL);
	assert_int_equal(stage2_replace(s, gfn_of(2), a, ACCESS_W), -EINVAL);
	assert_int_equal(stage2_replace(s, gfn_of(2), a, ACCESS_X), 0);
	assert_int_equal(stage2_translate(s, gfn_of(2)).mfn, a.mfn);
	assert_int_equal(stage2_translate(s, gfn_of(2)).access, ACCESS_X);
	assert_int_equal(stage2_translate(s, gfn_of(1)).mfn, b.mfn + 1);
	assert_int_equal(stage2_translate(s, gfn_of(3)).mfn, b.mfn + 3);
	assert_int_equal(frames[b.mfn + 2].where, WHERE_NONE);
	frame_free(mfn_of(b.mfn + 2), ORDER_4K);
	used = s->tables_used;
	free = frame_free_count;
	assert_int_equal(stage2_room(s, gfn_of(GFN_LIMIT - 1)), 0);
	assert_int_equal(s->tables_used, used);
	assert_int_equal(frame_free_count, free);
	assert_false(stage2_translate(s, gfn_of(GFN_LIMIT - 1)).present);
	assert_int_equal(stage2_replace(s, gfn_of(GFN_LIMIT - 1), c, ACCESS_R), 0);
	assert_int_equal(stage2_translate(s, gfn_of(GFN_LIMIT - 1)).mfn, c.mfn);
	assert_int_equal(broken(), 0);
}

static void model_set(uint64_t g, uint64_t mfn, uint8_t level, uint8_t access)
{
	uint64_t i;

	for (i = 0; i < level_span(level); i++) {
		model[g + i] = (struct cell){ mfn + i, level, access, true };
	}
}

/* As stage2_split on the model: larger leaves around g become leaves of `level`. */
static void model_split(uint64_t g, uint8_t level)
{
	while (model[g].level > level) {
		uint64_t span = level_span(model[g].level), h = g / span * span;
		uint8_t less = model[g].level - 1;
		uint64_t i;

		for (i = h; i < h + span; i++) {
			model[i].level = less;
		}
	}
}

static void random_ops(unsigned seed, uint32_t steps)
{
	static const uint8_t accesses[] = { 0, 1, 3, 4, 5, 7 };
	struct stage2 *s = fresh(RUN == 4 ? 8 * RUN * RUN : 16 * RUN, 12 + seed % 30);
	uint32_t step;

	srand(seed);
	for (step = 0; step < steps; step++) {
		uint8_t level = (uint8_t)(rand() % 3 % (RUN == 4 ? 3 : 2)), access = accesses[rand() % 6];
		uint64_t span = level_span(level), g = (uint64_t)rand() % MODEL, h, i;
		uint64_t free = frame_free_count;
		uint32_t used = s->tables_used;
		struct limbo limbo = LIMBO_EMPTY;
		struct translation t;
		mfn_t mfn;
		int error;

		if (RUN != 4 && rand() % 4) {
			g = (uint64_t)(rand() % 3) * RUN + (uint64_t)(rand() % 8);
		}
		switch (rand() % 4) {
		case 0:
			h = g / span * span;
			if (frame_alloc(level_order(level), FRAME_GUEST, DOMAIN, &mfn)) {
				break;
			}
			error = stage2_map(s, gfn_of(h), mfn, level_order(level), access);
			for (i = 0; i < span && !model[h + i].present; i++) {
			}
			if (i < span) {
				assert_int_equal(error, -EEXIST);
			} else if (error) {
				assert_int_equal(error, -ENOMEM);
			} else {
				model_set(h, mfn.mfn, level, access);
				break;
			}
			frame_free(mfn, level_order(level));
			assert_int_equal(frame_free_count, free);
			assert_int_equal(s->tables_used, used);
			break;
		case 1:
			error = stage2_split(s, gfn_of(g), level_order(level));
			if (!model[g].present) {
				assert_int_equal(error, -ENOENT);
			} else if (error) {
				assert_int_equal(error, -ENOMEM);
				assert_true(model[g].level > level);
			} else {
				model_split(g, level);
			}
			break;
		case 2:
			t = stage2_take(s, gfn_of(g), &limbo);
			assert_int_equal(t.present, model[g].present);
			if (t.present) {
				assert_int_equal(t.mfn, model[g].mfn);
				span = level_span(t.level);
				h = g / span * span;
				limbo_add(&limbo, mfn_of(model[h].mfn), level_order(t.level));
				memset(&model[h], 0, span * sizeof(model[0]));
			}
			limbo_free(&limbo, DOMAIN);
			break;
		case 3:
			if (frame_alloc(ORDER_4K, FRAME_GUEST, DOMAIN, &mfn)) {
				break;
			}
			t = stage2_translate(s, gfn_of(g));
			error = stage2_room(s, gfn_of(g));
			if (error) {
				assert_int_equal(error, -ENOMEM);
				frame_free(mfn, ORDER_4K);
				assert_int_equal(frame_free_count, free);
				break;
			}
			assert_int_equal(stage2_replace(s, gfn_of(g), mfn, access), 0);
			assert_int_equal(t.present, model[g].present);
			if (t.present) {
				assert_int_equal(t.mfn, model[g].mfn);
				model_split(g, 0);
				frame_free(mfn_of(t.mfn), ORDER_4K);
			}
			model_set(g, mfn.mfn, 0, access);
			break;
		}
		if (RUN == 4 || step % 50 == 0) {
			compare(s, 0, RUN == 4 ? MODEL : 4 * RUN);
			assert_int_equal(broken(), 0);
		} else {
			compare(s, g / RUN * RUN, g / RUN * RUN + RUN);
		}
	}
	compare(s, 0, MODEL);
}

static void test_random(void **state)
{
	unsigned seed;

	(void)state;
	for (seed = 1; seed <= (RUN == 4 ? 40 : 8); seed++) {
		random_ops(seed, RUN == 4 ? 500 : 400);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_split_and_take),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
