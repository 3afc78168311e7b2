/* SPDX-License-Identifier: Apache-2.0 */
/* Views, case by case; view_fuzz does the rest. */
#include "test.h"

#include "view.h"

#define D 2u
#define FRAMES (16 * RUN)
#define FAR (4 * RUN)                   /* where nothing is mapped */

static struct stage2 *s = &nuc_domains[D].stage2;

/* Two superpages at 0 and RUN, two pages after them. */
static void fresh(uint32_t budget)
{
	fake_reset(FRAMES);
	fake.order_max = ORDER_2M;
	assert_int_equal(nuc_domain_create(D, budget), 0);
	assert_int_equal(nuc_memory_add(D, gfn_of(0), 2 * RUN), 0);
	assert_int_equal(nuc_memory_add(D, gfn_of(2 * RUN), 2), 0);
}

static struct view_change change(uint32_t set, uint64_t gfn)
{
	return (struct view_change){ .set = set, .gfn = gfn, .new_gfn = ~0ull, .access = VIEW_ACCESS_DEFAULT,
				     .suppress_ve = VIEW_SUPPRESS_DEFAULT, .step = VIEW_NONE };
}

static int apply(uint32_t view, struct view_change c)
{
	int error = 1, done = nuc_view_change(D, view, &c, 1, &error);

	assert_int_equal(done, error == 0);
	assert_int_equal(broken(), 0);
	return error;
}

static int set_access(uint32_t view, uint64_t gfn, uint8_t access)
{
	struct view_change c = change(VIEW_SET_ACCESS, gfn);

	c.access = access;
	return apply(view, c);
}

static int set_target(uint32_t view, uint64_t gfn, uint64_t target)
{
	struct view_change c = change(VIEW_SET_TARGET, gfn);

	c.new_gfn = target;
	return apply(view, c);
}

static struct view_info info(uint32_t view)
{
	struct view_info i = { .view = ~0u };

	assert_int_equal(nuc_view_list(D, view, &i, 1), 1);
	assert_int_equal(i.view, view);
	return i;
}

static struct view_entry entry(uint32_t view, uint64_t gfn)
{
	struct view_entry e;

	assert_int_equal(nuc_view_entry(D, view, gfn_of(gfn), &e), 0);
	return e;
}

static uint64_t mfn_at(uint32_t view, uint64_t gfn)
{
	struct translation t = view_translate(D, view, gfn_of(gfn));

	return t.present ? t.mfn : FRAMES_MAX;
}

static uint32_t access_at(uint32_t view, uint64_t gfn)
{
	struct translation t = view_translate(D, view, gfn_of(gfn));

	return t.present ? t.access : 0;
}

static void test_arguments(void **state)
{
	struct view_change c = change(VIEW_SET_ACCESS, 1);
	struct view_entry e;
	struct view_info i;
	uint64_t root;
	int error;

	(void)state;
	fresh(30);
	assert_int_equal(nuc_view_create(D + 1, 1, 7, 0), -ESRCH);
	assert_int_equal(nuc_view_create(~0u, 1, 7, 0), -ESRCH);
	assert_int_equal(nuc_view_create(D, 0, 7, 0), -EINVAL);
	assert_int_equal(nuc_view_create(D, VIEWS_MAX, 7, 0), -EINVAL);
	assert_int_equal(nuc_view_create(D, ~0u, 7, 0), -EINVAL);
	assert_int_equal(nuc_view_create(D, 1, 2, 0), -EINVAL);
	assert_int_equal(nuc_view_create(D, 1, 6, 0), -EINVAL);
	assert_int_equal(nuc_view_create(D, 1, 8, 0), -EINVAL);
	assert_int_equal(nuc_view_create(D, 1, 7, 2), -EINVAL);
	assert_int_equal(nuc_view_create(D, 1, 7, 0), 0);
	assert_int_equal(nuc_view_create(D, 1, 7, 0), -EEXIST);

	assert_int_equal(nuc_view_destroy(D + 1, 1), -ESRCH);
	assert_int_equal(nuc_view_destroy(D, 0), -EINVAL);
	assert_int_equal(nuc_view_destroy(D, 2), -ENOENT);
	assert_int_equal(nuc_view_destroy(D, VIEWS_MAX), -ENOENT);
	assert_int_equal(nuc_view_default(D + 1, 1, 7), -ESRCH);
	assert_int_equal(nuc_view_default(D, 2, 7), -ENOENT);
	assert_int_equal(nuc_view_default(D, 1, 2), -EINVAL);
	assert_int_equal(nuc_view_entry(D + 1, 1, gfn_of(0), &e), -ESRCH);
	assert_int_equal(nuc_view_entry(D, 2, gfn_of(0), &e), -ENOENT);
	assert_int_equal(nuc_view_entry(D, 1, gfn_of(GFN_LIMIT), &e), -EINVAL);
	assert_int_equal(nuc_view_list(D + 1, 0, &i, 1), -ESRCH);
	assert_int_equal(nuc_view_list(D, 0, &i, VIEWS_MAX + 1), -EINVAL);
	assert_int_equal(nuc_view_list(D, 0, NULL, 1), -EINVAL);
	assert_int_equal(nuc_view_list(D, 2, &i, 1), 0);
	assert_int_equal(view_root_need(D + 1, 1, &root), -ESRCH);
	assert_int_equal(view_root_need(D, 2, &root), -ENOENT);
	assert_int_equal(view_root(D + 1, 1), 0);
	assert_int_equal(view_root(D, 2), 0);
	assert_int_equal(view_root(D, 0), s->root);
	assert_false(view_translate(D, 2, gfn_of(0)).present);
	assert_false(view_translate(D + 1, 0, gfn_of(0)).present);
	assert_false(view_translate(D, 1, gfn_of(GFN_LIMIT)).present);

	assert_int_equal(nuc_view_change(D + 1, 1, &c, 1, &error), 0);
	assert_int_equal(error, -ESRCH);
	assert_int_equal(nuc_view_change(D, 2, &c, 1, &error), 0);
	assert_int_equal(error, -ENOENT);
	assert_int_equal(nuc_view_change(D, 1, NULL, 1, &error), 0);
	assert_int_equal(error, -EINVAL);
	assert_int_equal(nuc_view_change(D, 1, &c, ~0u, &error), 0);
	assert_int_equal(error, -EINVAL);
	assert_int_equal(nuc_view_change(D, 1, &c, 0, &error), 0);
	assert_int_equal(error, 0);
	assert_true(PANICS(error = nuc_view_change(D, 1, &c, 1, NULL)));
	assert_true(PANICS(error = nuc_view_entry(D, 1, gfn_of(0), NULL)));

	assert_int_equal(set_access(1, 1, 2), -EINVAL);
	assert_int_equal(set_access(1, 1, 11), -EINVAL);
	assert_int_equal(set_access(1, FAR, 7), -ESRCH);
	assert_int_equal(set_access(1, ~0ull, 7), -ESRCH);
	assert_int_equal(set_access(0, FAR, 7), -ESRCH);
	assert_int_equal(set_target(1, 1, FAR), -ESRCH);
	assert_int_equal(set_target(0, 1, 2), -EINVAL);
	c = change(VIEW_SET_STEP, 1);
	c.step = 1;
	assert_int_equal(apply(1, c), -EINVAL);
	c.step = 2;
	assert_int_equal(apply(1, c), -EINVAL);
	c.step = VIEWS_MAX;
	assert_int_equal(apply(1, c), -EINVAL);
	c.step = 1;
	assert_int_equal(apply(0, c), -EINVAL);
	c = change(VIEW_SET_SUPPRESS_VE, 1);
	c.suppress_ve = 3;
	assert_int_equal(apply(1, c), -EINVAL);
	assert_int_equal(apply(1, change(16, 1)), -EINVAL);
	assert_int_equal(apply(1, change(64, 1)), -EINVAL);
	assert_int_equal(info(1).tables, 0);
}

/* An untouched view costs nothing; one page costs at most a path, and goes back whole. */
static void test_sharing(void **state)
{
	uint64_t free, g;

	(void)state;
	fresh(30);
	free = frame_free_count;
	assert_int_equal(nuc_view_create(D, 7, ACCESS_RWX, 0), 0);
	assert_int_equal(nuc_view_create(D, 9, ACCESS_R, 0), 0);
	assert_int_equal(frame_free_count, free);
	assert_int_equal(access_at(7, RUN - 1), ACCESS_RWX);
	assert_int_equal(access_at(9, RUN - 1), ACCESS_R);
	assert_int_equal(set_access(7, RUN - 1, ACCESS_R), 0);
	assert_int_equal(info(7).tables, 4);
	assert_int_equal(info(7).own_entries, 1);
	assert_int_equal(frame_free_count, free - 4);
	for (g = 0; g < 2 * RUN + 2; g++) {
		assert_int_equal(mfn_at(7, g), mfn_at(0, g));
		assert_int_equal(access_at(7, g), g == RUN - 1 ? ACCESS_R : ACCESS_RWX);
		assert_int_equal(access_at(0, g), ACCESS_RWX);
	}
	/* The superpage is split there and nowhere else. */
	assert_int_equal(entry(7, 0).level, 0);
	assert_int_equal(entry(7, RUN).level, 1);
	assert_int_equal(entry(0, 0).level, 1);
	assert_int_equal(set_access(7, 0, ACCESS_R), 0);
	assert_int_equal(info(7).tables, 4);
	assert_int_equal(set_access(7, RUN, 0), 0);
	assert_int_equal(info(7).tables, 5);
	assert_int_equal(set_access(7, RUN, VIEW_ACCESS_DEFAULT), 0);
	assert_int_equal(set_access(7, 0, VIEW_ACCESS_DEFAULT), 0);
	assert_int_equal(info(7).tables, 4);
	assert_int_equal(set_access(7, RUN - 1, VIEW_ACCESS_DEFAULT), 0);
	assert_int_equal(info(7).tables, 1);
	assert_int_equal(entry(7, 0).level, 1);
	/* And where the base has different rights, they come back. */
	assert_int_equal(set_access(0, RUN, ACCESS_R), 0);
	assert_int_equal(set_access(7, RUN, ACCESS_RWX), 0);
	assert_int_equal(access_at(7, RUN), ACCESS_RWX);
	assert_int_equal(set_access(7, RUN, VIEW_ACCESS_DEFAULT), 0);
	assert_int_equal(access_at(7, RUN), ACCESS_R);
	assert_int_equal(info(7).tables, 1);
	assert_int_equal(nuc_view_destroy(D, 7), 0);
	assert_int_equal(nuc_view_destroy(D, 9), 0);
	assert_int_equal(set_access(0, RUN, ACCESS_RWX), 0);
	assert_int_equal(entry(0, RUN).level, 1);
	assert_int_equal(frame_free_count, free);
}

/* A superpage of lesser rights, split and put together again in a view. */
static void test_merge_keeps_rights(void **state)
{
	uint64_t g;

	(void)state;
	fresh(40);
	assert_int_equal(nuc_view_default(D, 0, ACCESS_R), 0);
	assert_int_equal(nuc_memory_add(D, gfn_of(3 * RUN), RUN), 0);
	assert_int_equal(entry(0, 3 * RUN).level, 1);
	assert_int_equal(nuc_view_create(D, 1, ACCESS_RWX, 0), 0);
	/* Another entry near by keeps the table above private. */
	assert_int_equal(set_access(1, 2 * RUN, ACCESS_RWX), 0);
	assert_int_equal(set_access(1, 3 * RUN, ACCESS_RWX), 0);
	assert_int_equal(set_access(1, 3 * RUN, VIEW_ACCESS_DEFAULT), 0);
	assert_int_equal(entry(1, 3 * RUN).level, 1);
	for (g = 3 * RUN; g < 4 * RUN; g++) {
		assert_int_equal(access_at(1, g), ACCESS_R);
	}
}

static void test_default(void **state)
{
	(void)state;
	fresh(40);
	assert_int_equal(nuc_view_create(D, 1, 0, 0), 0);
	assert_int_equal(set_access(1, 5 % RUN, ACCESS_RWX), 0);
	assert_int_equal(access_at(1, 5 % RUN), ACCESS_RWX);
	assert_int_equal(access_at(1, 0), 0);
	assert_int_equal(access_at(1, RUN), 0);
	assert_int_equal(access_at(1, 2 * RUN), 0);
	assert_int_equal(entry(1, 5 % RUN).own_access, 1);
	assert_int_equal(entry(1, 0).own_access, 0);
	assert_int_equal(nuc_view_default(D, 1, ACCESS_R | ACCESS_X), 0);
	assert_int_equal(access_at(1, 5 % RUN), ACCESS_RWX);
	assert_int_equal(access_at(1, 0), ACCESS_R | ACCESS_X);
	assert_int_equal(access_at(1, 2 * RUN), ACCESS_R | ACCESS_X);
	assert_int_equal(set_access(0, 0, ACCESS_R | ACCESS_W), 0);
	assert_int_equal(access_at(1, 0), ACCESS_R);
	assert_int_equal(info(1).default_access, ACCESS_R | ACCESS_X);
	assert_int_equal(broken(), 0);
	/* RAM added later follows at once. */
	assert_int_equal(nuc_memory_add(D, gfn_of(FAR), 1), 0);
	assert_int_equal(access_at(1, FAR), ACCESS_R | ACCESS_X);
}

/* Nothing of the base shows in an empty view but what is set. */
static void test_empty(void **state)
{
	struct view_change c;

	(void)state;
	fresh(40);
	assert_int_equal(nuc_view_create(D, 1, ACCESS_RWX, VIEW_EMPTY), 0);
	assert_int_equal(mfn_at(1, 0), FRAMES_MAX);
	assert_int_equal(set_access(1, 1, ACCESS_R), 0);
	assert_int_equal(set_target(1, 2, RUN), 0);
	assert_int_equal(mfn_at(1, 0), FRAMES_MAX);
	assert_int_equal(mfn_at(1, 1), mfn_at(0, 1));
	assert_int_equal(access_at(1, 1), ACCESS_R);
	assert_int_equal(mfn_at(1, 2), mfn_at(0, RUN));
	assert_int_equal(mfn_at(1, RUN), FRAMES_MAX);
	assert_int_equal(mfn_at(1, 2 * RUN), FRAMES_MAX);
	c = change(VIEW_SET_SUPPRESS_VE, 2 * RUN);
	c.suppress_ve = 0;
	assert_int_equal(apply(1, c), 0);
	assert_int_equal(mfn_at(1, 2 * RUN), FRAMES_MAX);
	assert_int_equal(entry(1, 2 * RUN).own_suppress_ve, 1);
	assert_int_equal(nuc_view_destroy(D, 1), 0);
	assert_int_equal(broken(), 0);
}

/* What is set outlives the page at which it is set. */
static void test_intent_kept(void **state)
{
	struct view_change c = change(VIEW_SET_ACCESS | VIEW_SET_SUPPRESS_VE | VIEW_SET_STEP, 3);
	struct view_entry e;

	(void)state;
	fresh(40);
	assert_int_equal(nuc_view_create(D, VIEWS_MAX - 1, ACCESS_RWX, 0), 0);
	assert_int_equal(nuc_view_create(D, 1, ACCESS_RWX, 0), 0);
	c.access = ACCESS_X;
	c.suppress_ve = 0;
	c.step = VIEWS_MAX - 1;
	assert_int_equal(apply(1, c), 0);
	assert_int_equal(nuc_memory_remove(D, gfn_of(3)), 0);
	assert_int_equal(broken(), 0);
	e = entry(1, 3);
	assert_int_equal(e.target, ~0ull);
	assert_int_equal(e.access, ACCESS_X);
	assert_int_equal(e.suppress_ve, 0);
	assert_int_equal(e.step, VIEWS_MAX - 1);
	assert_true(e.own_access && e.own_suppress_ve && e.own_step && !e.own_target);
	assert_int_equal(nuc_memory_add(D, gfn_of(3), 1), 0);
	e = entry(1, 3);
	assert_int_equal(e.target, 3);
	assert_int_equal(e.access, ACCESS_X);
	assert_int_equal(e.step, VIEWS_MAX - 1);
	assert_int_equal(view_translate(D, 1, gfn_of(3)).suppress, 0);
	/* It can be taken back while the page is away. */
	assert_int_equal(nuc_memory_remove(D, gfn_of(3)), 0);
	c = change(VIEW_SET_ACCESS | VIEW_SET_SUPPRESS_VE | VIEW_SET_STEP, 3);
	assert_int_equal(apply(1, c), 0);
	assert_int_equal(info(1).tables, 1);
	assert_int_equal(apply(1, c), -ESRCH);
}

/* A remap shows the page while the base has it, and then what was below; the generation tells. */
static void test_target_gone(void **state)
{
	uint64_t page;

	(void)state;
	fresh(60);
	assert_int_equal(nuc_view_create(D, 1, ACCESS_RWX, 0), 0);
	assert_int_equal(nuc_view_create(D, 2, ACCESS_RWX, 0), 0);
	page = mfn_at(0, 2 * RUN + 1);
	assert_int_equal(set_target(1, 0, 2 * RUN + 1), 0);
	assert_int_equal(set_target(1, RUN, 2 * RUN + 1), 0);
	assert_int_equal(set_target(2, 2 * RUN, 2 * RUN + 1), 0);
	assert_int_equal(set_access(2, 2 * RUN, ACCESS_R), 0);
	assert_int_equal(mfn_at(1, 0), page);
	assert_int_equal(entry(1, 0).target, 2 * RUN + 1);
	assert_int_equal(frames[page].prev, 3);
	assert_int_equal(fake_view_access(0, D, 1, 0).mfn, page);
	assert_int_equal(nuc_memory_remove(D, gfn_of(2 * RUN + 1)), 0);
	assert_int_equal(fake.stale, 0);
	assert_int_equal(broken(), 0);
	assert_int_equal(mfn_at(1, 0), mfn_at(0, 0));
	assert_int_equal(fake_view_access(0, D, 1, 0).mfn, mfn_at(0, 0));
	assert_int_equal(info(1).generation, 2);
	assert_int_equal(info(1).tables, 1);
	assert_int_equal(info(2).generation, 1);
	assert_int_equal(entry(2, 2 * RUN).own_access, 1);
	assert_int_equal(entry(2, 2 * RUN).own_target, 0);
	assert_int_equal(mfn_at(2, 2 * RUN), mfn_at(0, 2 * RUN));
	/* A shared page that moves is gone, too. */
	assert_non_null(nuc_share_page(D, 0));
	assert_int_equal(nuc_share_map(D, 0, gfn_of(FAR)), 0);
	assert_int_equal(set_target(1, 1, FAR), 0);
	assert_int_equal(set_target(1, 2, FAR + 1), -ESRCH);
	assert_int_equal(nuc_share_map(D, 0, gfn_of(RUN + 1)), 0);
	assert_int_equal(broken(), 0);
	assert_int_equal(mfn_at(1, 1), mfn_at(0, 1));
	assert_int_equal(info(1).generation, 3);
	/* And one whose place another page takes. */
	assert_int_equal(set_target(1, 1, RUN + 2), 0);
	assert_int_equal(nuc_share_map(D, 0, gfn_of(RUN + 2)), 0);
	assert_int_equal(mfn_at(1, 1), mfn_at(0, 1));
	assert_int_equal(info(1).generation, 4);
	assert_int_equal(broken(), 0);
}

/* Mapping under a remap changes its rights: CPUs must be told. */
static void test_map_under_remap(void **state)
{
	(void)state;
	fresh(60);
	assert_int_equal(nuc_view_create(D, 1, ACCESS_RWX, 0), 0);
	assert_int_equal(set_target(1, 2 * RUN, 0), 0);
	assert_int_equal(nuc_memory_remove(D, gfn_of(2 * RUN)), 0);
	assert_int_equal(fake_view_access(0, D, 1, 2 * RUN).access, ACCESS_RWX);
	assert_int_equal(nuc_view_default(D, 0, ACCESS_R), 0);
	assert_int_equal(nuc_memory_add(D, gfn_of(2 * RUN), 1), 0);
	assert_int_equal(access_at(1, 2 * RUN), ACCESS_R);
	assert_int_equal(fake_view_access(0, D, 1, 2 * RUN).access, ACCESS_R);
}

/* One flush a call, and none where no CPU can hold anything that changed. */
static void test_flushes(void **state)
{
	struct view_change list[3] = { change(VIEW_SET_ACCESS, 0), change(VIEW_SET_ACCESS, 1),
				       change(VIEW_SET_ACCESS, RUN) };
	struct view_change step = change(VIEW_SET_STEP, 0);
	int error;

	(void)state;
	fresh(60);
	assert_int_equal(nuc_view_create(D, 1, ACCESS_RWX, 0), 0);
	fake.flushes = 0;
	list[0].access = list[1].access = list[2].access = ACCESS_R;
	assert_int_equal(nuc_view_change(D, 1, list, 3, &error), 3);
	assert_int_equal(fake.flushes, 1);
	assert_int_equal(nuc_view_change(D, 1, list, 3, &error), 3);
	assert_int_equal(fake.flushes, 1);
	step.step = 0;
	assert_int_equal(apply(1, step), 0);
	assert_int_equal(fake.flushes, 1);
	assert_int_equal(entry(1, 0).step, 0);
	/* Every CPU's translation is the new one, or was never had. */
	assert_int_equal(fake_view_access(1, D, 1, 1).access, ACCESS_R);
	list[0].access = list[1].access = list[2].access = VIEW_ACCESS_DEFAULT;
	assert_int_equal(nuc_view_change(D, 1, list, 3, &error), 3);
	assert_int_equal(fake.flushes, 2);
	assert_int_equal(fake_view_access(1, D, 1, 1).access, ACCESS_RWX);
	/* A machine that loses them is found out. */
	fake.lose_flushes = true;
	assert_int_equal(set_access(1, 1, ACCESS_R), 0);
	assert_int_equal(fake_view_access(1, D, 1, 1).access, ACCESS_RWX);
}

static void test_no_memory(void **state)
{
	uint32_t left, by_budget;

	(void)state;
	for (by_budget = 0; by_budget < 2; by_budget++) {
		for (left = 0; left < 4; left++) {
			uint64_t free, root;

			fresh(by_budget ? 4 + left : 100);
			assert_int_equal(s->tables_used, 4);
			assert_int_equal(nuc_view_create(D, 1, 0, 0), 0);
			if (!by_budget) {
				hog(left);
			}
			free = frame_free_count;
			assert_int_equal(set_access(1, 1, ACCESS_R), -ENOMEM);
			assert_int_equal(frame_free_count, free);
			assert_int_equal(info(1).tables, 0);
			assert_int_equal(s->tables_used, 4);
			assert_int_equal(set_access(0, 1, ACCESS_R), left ? 0 : -ENOMEM);
			assert_int_equal(access_at(0, 1), left ? ACCESS_R : ACCESS_RWX);
			assert_int_equal(view_root_need(D, 1, &root), left > 1 ? 0 : -ENOMEM);
			unhog();
		}
	}
	/* What the call itself has given up counts. */
	fresh(9);
	assert_int_equal(nuc_view_create(D, 1, 7, 0), 0);
	assert_int_equal(set_access(1, 1, ACCESS_R), 0);
	hog(0);
	{
		struct view_change list[2] = { change(VIEW_SET_ACCESS, 1), change(VIEW_SET_ACCESS, 2 * RUN) };
		int error;

		list[1].access = ACCESS_R;
		assert_int_equal(nuc_view_change(D, 1, list, 2, &error), 2);
		assert_int_equal(error, 0);
		list[0].gfn = 2 * RUN;
		list[1] = change(VIEW_SET_ACCESS, 1);
		list[1].access = 0;
		assert_int_equal(nuc_view_change(D, 1, list, 2, &error), 2);
		/* In the base, too: one superpage comes together, and another is split with its table. */
		unhog();
		fresh(9);
		assert_int_equal(set_access(0, 1, ACCESS_R), 0);
		hog(0);
		list[0] = list[1] = change(VIEW_SET_ACCESS, 1);
		list[1].gfn = RUN + 1;
		list[1].access = ACCESS_R;
		assert_int_equal(nuc_view_change(D, 0, list, 2, &error), 2);
		assert_int_equal(entry(0, 1).level, 1);
		assert_int_equal(entry(0, RUN + 1).level, 0);
		assert_int_equal(access_at(0, RUN + 1), ACCESS_R);
		assert_int_equal(nuc_view_change(D, 0, list, 2, &error), 2);
		list[0].gfn = 2 * RUN;
		list[0].access = ACCESS_X;
		list[1].access = 0;
		assert_int_equal(nuc_view_change(D, 0, list, 2, &error), 2);
	}
	unhog();
	assert_int_equal(broken(), 0);
}

static void test_vcpus(void **state)
{
	uint64_t root;

	(void)state;
	fresh(30);
	assert_int_equal(nuc_view_create(D, 3, 7, 0), 0);
	fake.view_vcpus[3] = 2;
	assert_int_equal(info(3).vcpus, 2);
	assert_int_equal(view_root_need(D, 3, &root), 0);
	assert_int_equal(view_of_root(root), 3);
	assert_int_equal(view_of_root(view_root(D, 0)), 0);
	assert_int_equal(nuc_view_destroy(D, 3), -EBUSY);
	assert_int_equal(fake.evicted, 0);
	assert_int_equal(view_root(D, 3), root);
	fake.view_vcpus[3] = 0;
	assert_int_equal(nuc_view_destroy(D, 3), 0);
	assert_int_equal(fake.evicted, 3);
	assert_int_equal(broken(), 0);
}

/* Rights that a write turns into more: kept beside the access, in views and in the base. */
static void test_turns(void **state)
{
	(void)state;
	fresh(60);
	assert_int_equal(nuc_view_create(D, 1, ACCESS_RWX, 0), 0);
	assert_int_equal(nuc_view_create(D, 2, ACCESS_R, 0), 0);
	assert_int_equal(set_access(1, 1, VIEW_ACCESS_RX_TO_RW), 0);
	assert_int_equal(set_access(1, 2, VIEW_ACCESS_N_TO_RWX), 0);
	assert_int_equal(entry(1, 1).access, VIEW_ACCESS_RX_TO_RW);
	assert_int_equal(access_at(1, 1), ACCESS_R | ACCESS_X);
	assert_int_equal(view_translate(D, 1, gfn_of(1)).turns, 1);
	assert_int_equal(entry(1, 2).access, VIEW_ACCESS_N_TO_RWX);
	assert_int_equal(access_at(1, 2), 0);
	assert_int_equal(view_translate(D, 1, gfn_of(2)).turns, 1);
	assert_int_equal(entry(1, 3).access, ACCESS_RWX);
	/* It outlives its page, and a remap. */
	assert_int_equal(nuc_memory_remove(D, gfn_of(1)), 0);
	assert_int_equal(entry(1, 1).access, VIEW_ACCESS_RX_TO_RW);
	assert_int_equal(nuc_memory_add(D, gfn_of(1), 1), 0);
	assert_int_equal(set_target(1, 1, RUN), 0);
	assert_int_equal(entry(1, 1).access, VIEW_ACCESS_RX_TO_RW);
	assert_int_equal(set_access(1, 1, ACCESS_R | ACCESS_X), 0);
	assert_int_equal(entry(1, 1).access, ACCESS_R | ACCESS_X);
	assert_int_equal(set_access(1, 1, VIEW_ACCESS_RX_TO_RW), 0);
	/* In the base: whoever takes nothing away inherits it. */
	assert_int_equal(set_access(0, RUN + 1, VIEW_ACCESS_RX_TO_RW), 0);
	assert_int_equal(set_access(0, RUN + 2, VIEW_ACCESS_N_TO_RWX), 0);
	assert_int_equal(entry(0, RUN + 1).access, VIEW_ACCESS_RX_TO_RW);
	assert_int_equal(entry(1, RUN + 1).access, VIEW_ACCESS_RX_TO_RW);
	assert_int_equal(entry(2, RUN + 1).access, ACCESS_R);
	assert_int_equal(entry(0, RUN + 2).access, VIEW_ACCESS_N_TO_RWX);
	assert_int_equal(entry(1, RUN + 2).access, VIEW_ACCESS_N_TO_RWX);
	assert_int_equal(entry(2, RUN + 2).access, 0);
	assert_int_equal(set_target(1, RUN + 1, 0), 0);
	assert_int_equal(entry(1, RUN + 1).access, VIEW_ACCESS_RX_TO_RW);
	assert_int_equal(set_target(2, RUN + 1, 0), 0);
	assert_int_equal(entry(2, RUN + 1).access, ACCESS_R);
	assert_int_equal(set_access(0, RUN + 1, ACCESS_R | ACCESS_X), 0);
	assert_int_equal(entry(0, RUN + 1).access, ACCESS_R | ACCESS_X);
	assert_int_equal(entry(1, RUN + 1).access, ACCESS_R | ACCESS_X);
	assert_int_equal(set_access(0, RUN + 1, ACCESS_RWX), 0);
	assert_int_equal(entry(0, RUN).level, 0);
	assert_int_equal(set_access(0, RUN + 2, ACCESS_RWX), 0);
	assert_int_equal(entry(0, RUN).level, 1);
	/* As a default there is no such thing. */
	assert_int_equal(nuc_view_default(D, 1, VIEW_ACCESS_RX_TO_RW), -EINVAL);
	assert_int_equal(nuc_view_default(D, 0, VIEW_ACCESS_N_TO_RWX), -EINVAL);
	assert_int_equal(set_access(1, 1, VIEW_ACCESS_DEFAULT + 1), -EINVAL);
}

/* A whole superpage of them stays what it is through split and merge. */
static void test_turns_superpage(void **state)
{
	uint64_t g;

	(void)state;
	fresh(60);
	for (g = 0; g < RUN; g++) {
		assert_int_equal(set_access(0, g, VIEW_ACCESS_RX_TO_RW), 0);
	}
	assert_int_equal(entry(0, 0).level, 1);
	assert_int_equal(entry(0, RUN - 1).access, VIEW_ACCESS_RX_TO_RW);
	assert_int_equal(nuc_view_create(D, 1, ACCESS_RWX, 0), 0);
	assert_int_equal(set_access(1, 1, ACCESS_R), 0);
	assert_int_equal(entry(1, 0).access, VIEW_ACCESS_RX_TO_RW);
	assert_int_equal(entry(1, RUN - 1).access, VIEW_ACCESS_RX_TO_RW);
	assert_int_equal(set_access(0, 2, VIEW_ACCESS_N_TO_RWX), 0);
	assert_int_equal(entry(0, 0).level, 0);
	assert_int_equal(entry(0, 0).access, VIEW_ACCESS_RX_TO_RW);
	assert_int_equal(entry(1, 2).access, VIEW_ACCESS_N_TO_RWX);
}

/* A vCPU's #VE page is out of reach of every change. */
static void test_ve_page(void **state)
{
	mfn_t page;

	(void)state;
	fresh(60);
	assert_int_equal(nuc_view_create(D, 1, ACCESS_RWX, 0), 0);
	fake.ve_page = RUN + 1;
	assert_int_equal(memory_pin(D, gfn_of(RUN + 1), &page), 0);
	assert_int_equal(memory_pin(D, gfn_of(RUN + 2), &page), 0);
	assert_int_equal(set_access(1, RUN + 1, ACCESS_R), -EBUSY);
	assert_int_equal(set_access(0, RUN + 1, ACCESS_R), -EBUSY);
	assert_int_equal(set_target(1, RUN + 1, 0), -EBUSY);
	assert_int_equal(info(1).tables, 0);
	assert_int_equal(set_access(1, RUN + 2, ACCESS_R), 0);
	assert_int_equal(set_access(0, RUN, ACCESS_R), 0);
	assert_false(view_any_set(D, gfn_of(RUN + 1)));
	assert_true(view_any_set(D, gfn_of(RUN + 2)));
	assert_false(view_any_set(D, gfn_of(0)));
	assert_false(view_any_set(D, gfn_of(GFN_LIMIT)));
	assert_false(view_any_set(D + 1, gfn_of(RUN + 2)));
}

/* Losses stay counted when the view that had them is gone. */
static void test_losses(void **state)
{
	(void)state;
	fresh(60);
	assert_int_equal(nuc_view_losses(D + 1), 0);
	assert_int_equal(nuc_view_losses(~0u), 0);
	assert_int_equal(nuc_view_create(D, 1, ACCESS_RWX, 0), 0);
	assert_int_equal(nuc_view_create(D, 2, ACCESS_RWX, 0), 0);
	assert_int_equal(set_target(1, 0, 2 * RUN), 0);
	assert_int_equal(set_target(2, 1, 2 * RUN), 0);
	assert_int_equal(nuc_view_losses(D), 0);
	assert_int_equal(nuc_memory_remove(D, gfn_of(2 * RUN)), 0);
	assert_int_equal(nuc_view_losses(D), 2);
	assert_int_equal(nuc_view_destroy(D, 1), 0);
	assert_int_equal(nuc_view_losses(D), 2);
	while (nuc_domain_reclaim(D, 1000) == 1) {
	}
	assert_int_equal(nuc_view_losses(D), 0);
	assert_int_equal(nuc_domain_create(D, 60), 0);
	assert_int_equal(nuc_view_losses(D), 0);
}

/* Long runs of one change: over the edges of tables, with holes and pinned pages among them, and back. */
static void test_runs(void **state)
{
	struct view_change *list = calloc(2 * RUN + 2, sizeof(*list));
	uint64_t frames_free, g;
	mfn_t page;
	int error;

	(void)state;
	fresh(60);
	frames_free = frame_free_count;
	assert_int_equal(memory_pin(D, gfn_of(1), &page), 0);
	assert_int_equal(nuc_view_create(D, 1, ACCESS_RWX, 0), 0);
	for (g = 0; g < 2 * RUN + 2; g++) {
		list[g] = change(VIEW_SET_ACCESS, g);
		list[g].access = ACCESS_R;
	}
	assert_int_equal(nuc_view_change(D, 1, list, 2 * RUN + 2, &error), 2 * RUN + 2);
	assert_int_equal(info(1).own_entries, 2 * RUN + 2);
	assert_int_equal(info(1).tables, 6);
	assert_int_equal(broken(), 0);
	for (g = 0; g < 2 * RUN + 2; g++) {
		assert_int_equal(access_at(1, g), ACCESS_R);
	}
	/* It stops at what can't be done: a hole of which nothing is set. */
	assert_int_equal(nuc_memory_remove(D, gfn_of(RUN + 2)), 0);
	assert_int_equal(set_access(1, RUN + 2, VIEW_ACCESS_DEFAULT), 0);
	for (g = 0; g < 2 * RUN + 2; g++) {
		list[g].access = VIEW_ACCESS_RX_TO_RW;
	}
	fake.flushes = 0;
	assert_int_equal(nuc_view_change(D, 1, list, 2 * RUN + 2, &error), RUN + 2);
	assert_int_equal(error, -ESRCH);
	assert_int_equal(fake.flushes, 1);
	assert_int_equal(entry(1, RUN + 1).access, VIEW_ACCESS_RX_TO_RW);
	assert_int_equal(entry(1, RUN + 3).access, ACCESS_R);
	assert_int_equal(nuc_memory_add(D, gfn_of(RUN + 2), 1), 0);
	for (g = 0; g < 2 * RUN + 2; g++) {
		list[g].access = VIEW_ACCESS_DEFAULT;
	}
	assert_int_equal(nuc_view_change(D, 1, list, 2 * RUN + 2, &error), 2 * RUN + 2);
	assert_int_equal(info(1).own_entries, 0);
	assert_int_equal(info(1).tables, 1);
	assert_int_equal(nuc_view_destroy(D, 1), 0);
	assert_int_equal(broken(), 0);
	/* The base's table that the hole took. */
	assert_int_equal(frame_free_count, frames_free - 1);
	free(list);
}

/* A frame that was a table is zero when it becomes anything else; a root's last part always is. */
static void test_frames_clean(void **state)
{
	uint64_t root, i, k;
	mfn_t m;

	(void)state;
	fresh(60);
	for (k = 0; k < 2; k++) {
		assert_int_equal(nuc_view_create(D, 1, ACCESS_RWX, 0), 0);
		assert_int_equal(set_access(1, 1, ACCESS_R), 0);
		assert_int_equal(nuc_view_destroy(D, 1), 0);
		assert_int_equal(nuc_view_create(D, 1, ACCESS_RWX, 0), 0);
		assert_int_equal(view_root_need(D, 1, &root), 0);
		assert_int_equal(broken(), 0);
		for (i = s->root_entries; i < RUN; i++) {
			assert_int_equal(machine[root][i], 0);
		}
		if (k) {
			assert_int_equal(nuc_view_destroy(D, 1), 0);
		}
		while (frame_free_count) {
			assert_int_equal(frame_alloc(ORDER_4K, FRAME_NUCLEUS, DOMAIN_NONE, &m), 0);
			for (i = 0; i < PAGE_WORDS; i++) {
				assert_int_equal(machine[m.mfn][i], 0);
			}
		}
		fresh(60);
	}
}

/* 2,000 views: untouched ones are free, and one page costs each a path. */
static void test_many(void **state)
{
	static struct view_info list[VIEWS_MAX];
	const uint32_t many = RUN == 4 ? 900 : 2000;
	uint64_t free;
	uint32_t i;

	(void)state;
	fake_reset(RUN == 4 ? FRAMES_MAX : 24 * RUN);
	assert_int_equal(nuc_domain_create(D, 100000), 0);
	assert_int_equal(nuc_memory_add(D, gfn_of(0), 3), 0);
	free = frame_free_count;
	for (i = 1; i <= 2000; i++) {
		assert_int_equal(nuc_view_create(D, i, ACCESS_RWX, 0), 0);
	}
	assert_int_equal(frame_free_count, free);
	for (i = 1; i <= many; i++) {
		struct view_change c = change(VIEW_SET_ACCESS, 1);
		int error;

		c.access = ACCESS_R;
		assert_int_equal(nuc_view_change(D, i, &c, 1, &error), 1);
	}
	assert_int_equal(frame_free_count, free - 4 * many);
	/* A base change reaches all. */
	assert_int_equal(nuc_memory_remove(D, gfn_of(0)), 0);
	for (i = 1; i <= many; i++) {
		assert_int_equal(mfn_at(i, 0), FRAMES_MAX);
		assert_int_equal(access_at(i, 1), ACCESS_R);
	}
	assert_int_equal(broken(), 0);
	assert_int_equal(nuc_view_list(D, 1, list, VIEWS_MAX), 2000);
	assert_int_equal(list[1999].view, 2000);
	for (i = 1; i <= 2000; i++) {
		assert_int_equal(nuc_view_destroy(D, i), 0);
	}
	assert_int_equal(frame_free_count, free + 1);
	assert_int_equal(s->views_end, 1);
	assert_int_equal(broken(), 0);
}

/* A domain ends with its views in it, and the next one with its number has none of them. */
static void test_domain_end(void **state)
{
	struct view_info i;
	uint64_t free;

	(void)state;
	fake_reset(FRAMES);
	free = frame_free_count;
	fresh(60);
	assert_int_equal(nuc_view_create(D, 5, 7, 0), 0);
	assert_int_equal(set_target(5, 0, RUN), 0);
	while (nuc_domain_reclaim(D, 3) == 1) {
		assert_int_equal(broken(), 0);
	}
	assert_int_equal(frame_free_count, free);
	assert_int_equal(nuc_domain_create(D, 60), 0);
	assert_int_equal(nuc_view_list(D, 1, &i, 1), 0);
	assert_int_equal(nuc_view_create(D, 5, 7, 0), 0);
	assert_int_equal(broken(), 0);
}

/* Each corruption of a sound machine is counted under its rule. */
static struct path_tables { uint64_t t[LEVELS]; } sound(void)
{
	struct path_tables p;
	uint32_t l;

	fresh(60);
	assert_int_equal(nuc_view_create(D, 1, ACCESS_R, 0), 0);
	assert_int_equal(nuc_view_create(D, 2, ACCESS_RWX, 0), 0);
	assert_int_equal(set_access(1, 2 * RUN, ACCESS_RWX), 0);
	assert_int_equal(set_target(2, 2 * RUN + 1, 0), 0);
	p.t[3] = view_root(D, 1);
	for (l = LEVEL_ROOT; l > 0; l--) {
		p.t[l - 1] = entry_mfn(machine[p.t[l]][index_of(2 * RUN, l)], l);
	}
	assert_int_equal(broken(), 0);
	return p;
}

static uint64_t rule(uint32_t n)
{
	struct audit a;

	nuc_audit(&a);
	return a.broken[n];
}

static void test_audit(void **state)
{
	struct path_tables p;
	uint64_t e;

	(void)state;
	p = sound();                    /* a right too many */
	entry_write(p.t[0], 1, entry_leaf(mfn_at(0, 2 * RUN + 1), ACCESS_RWX, 0));
	assert_true(rule(3) > 0);
	p = sound();                    /* a link that masks less */
	e = machine[p.t[1]][0];
	assert_int_equal(entry_kind(e, 1), ENTRY_LEAF);
	entry_write(p.t[1], 0, entry_leaf(entry_mfn(e, 1), ACCESS_RWX, 1));
	assert_true(rule(3) > 0);
	p = sound();                    /* a leaf to another page, not set so */
	entry_write(p.t[0], 0, entry_leaf(mfn_at(0, 0), ACCESS_R, 0));
	assert_true(rule(1) > 0);
	p = sound();                    /* a remap to a table */
	entry_write(p.t[0], 0, entry_with_own(entry_leaf(s->root, ACCESS_R, 0), OWN_TARGET, 0));
	assert_true(rule(1) > 0);
	p = sound();                    /* off the chain */
	frames[frames[p.t[0]].prev].next = frames[p.t[0]].next;
	assert_true(rule(3) > 0);
	p = sound();
	frames[p.t[0]].prev = FRAMES_MAX;
	assert_true(rule(3) > 0);
	p = sound();
	frames[p.t[0]].count++;
	assert_true(rule(3) > 0);
	p = sound();
	nuc_views[D][1].tables++;
	assert_true(rule(3) > 0);
	p = sound();
	nuc_views[D][1].own++;
	assert_true(rule(3) > 0);
	p = sound();
	nuc_views[D][2].remaps = 0;
	assert_true(rule(3) > 0);
	p = sound();
	frames[mfn_at(0, 0)].prev++;
	assert_true(rule(4) > 0);
	p = sound();                    /* another view's table */
	frames[p.t[0]].view = 2;
	assert_true(rule(3) > 0);
	p = sound();
	frames[p.t[0]].view = VIEWS_MAX + 1;
	assert_true(rule(3) > 0);
	p = sound();
	nuc_views[D][1].live = 0;
	assert_true(rule(3) > 0);
	p = sound();                    /* the base leads to a view's table */
	entry_write(s->root, 0, entry_table(p.t[2], 3));
	assert_true(rule(3) > 0);
	p = sound();                    /* the base's entries have nothing set */
	e = entry_mfn(machine[s->root][0], 3);
	e = entry_mfn(machine[e][0], 2);
	e = entry_mfn(machine[e][index_of(2 * RUN, 1)], 1);
	entry_write(e, 3, entry_kept(0, 1, OWN_ACCESS, 0));
	assert_true(rule(3) > 0);
}

/* Every value of the bits that hardware ignores comes back, and hardware's bits stay. */
static void test_entry_format(void **state)
{
	uint32_t own, step, access, suppress;

	(void)state;
	for (step = 0; step < STEPS; step += step < 8 ? 1 : 61) {
		for (own = 0; own < OWN_FLAGS; own++) {
			for (access = 0; access <= 7; access++) {
				suppress = (own + access) % 2;
				if (access_valid(access)) {
					uint64_t e = entry_with_own(entry_leaf_with(0x12345, access, suppress, 0), own,
								    step);

					assert_int_equal(entry_kind(e, 0), ENTRY_LEAF);
					assert_int_equal(entry_own(e), own);
					assert_int_equal(entry_step(e), step);
					assert_int_equal(entry_mfn(e, 0), 0x12345);
					assert_int_equal(entry_access(e, 0), access);
					assert_int_equal(entry_suppress(e, 0), suppress);
				}
				if (own || step) {
					uint64_t e = entry_kept(access, suppress, own, step);

					assert_int_equal(entry_kind(e, 0), ENTRY_KEPT);
					assert_int_equal(entry_own(e), own);
					assert_int_equal(entry_step(e), step);
					assert_int_equal(entry_kept_access(e), access);
					assert_int_equal(entry_suppress(e, 0), suppress);
#ifdef EPT_VALID
					assert_int_equal(e % 8, 0);
#endif
				}
			}
		}
	}
	for (access = 0; access <= 7; access++) {
		if (access_valid(access)) {
			assert_int_equal(entry_kind(entry_link(77, access, 3), 3), ENTRY_TABLE);
			assert_int_equal(entry_access(entry_link(77, access, 2), 2), access);
			assert_int_equal(entry_mfn(entry_link(77, access, 1), 1), 77);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entry_format),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_sharing),
		cmocka_unit_test(test_merge_keeps_rights),
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_intent_kept),
		cmocka_unit_test(test_target_gone),
		cmocka_unit_test(test_map_under_remap),
		cmocka_unit_test(test_flushes),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_vcpus),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_turns_superpage),
		cmocka_unit_test(test_ve_page),
		cmocka_unit_test(test_losses),
		cmocka_unit_test(test_frames_clean),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_domain_end),
		cmocka_unit_test(test_audit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
