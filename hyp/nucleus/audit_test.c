/* SPDX-License-Identifier: Apache-2.0 */
/* Each corruption is seeded into a sound machine, and the audit must count it under its rule. */
#include "test.h"

#define D 2u

static struct stage2 *s;

/* A machine in use: superpages, small pages, a hole, shares, a second domain, split runs. */
static void sound(void)
{
	fake_reset(16 * RUN);
	assert_int_equal(nuc_domain_create(D, 32), 0);
	assert_int_equal(nuc_domain_create(D + 1, 32), 0);
	assert_int_equal(nuc_memory_add(D, gfn_of(0), 2 * RUN + 2), 0);
	assert_int_equal(nuc_memory_add(D + 1, gfn_of(RUN), 3), 0);
	assert_int_equal(nuc_memory_remove(D, gfn_of(1)), 0);
	assert_non_null(nuc_share_page(D, SHARE_INFO));
	assert_non_null(nuc_share_page(D, SHARE_CONSOLE));
	assert_int_equal(nuc_share_map(D, SHARE_INFO, gfn_of(3)), 0);
	s = &nuc_domains[D].stage2;
	assert_int_equal(broken(), 0);
}

/* Broken counts of one rule. */
static uint64_t rule(uint32_t n)
{
	struct audit a;

	nuc_audit(&a);
	return a.broken[n];
}

static uint64_t mfn_at(uint64_t gfn)
{
	struct translation t = stage2_translate(s, gfn_of(gfn));

	assert_true(t.present);
	return t.mfn;
}

/* The table of this level on the way to gfn. */
static uint64_t table_at(uint64_t gfn, uint32_t level)
{
	uint64_t t = s->root;
	uint32_t l;

	for (l = LEVEL_ROOT; l > level; l--) {
		uint64_t e = machine[t][gfn / level_span(l) % RUN];

		assert_int_equal(entry_kind(e, l), ENTRY_TABLE);
		t = entry_mfn(e, l);
	}
	return t;
}

static void test_counts(void **state)
{
	struct audit a;
	uint64_t m, free = 0, tables = 0;

	(void)state;
	sound();
	nuc_audit(&a);
	for (m = 0; m < frame_count; m++) {
		free += frames[m].type == FRAME_FREE;
		tables += frames[m].type == FRAME_TABLE;
	}
	assert_int_equal(a.frames, 16 * RUN);
	assert_int_equal(a.free_frames, free);
	assert_int_equal(a.tables, tables);
	/* D: gfns 0 .. RUN - 1 without 1, one superpage, 2 pages; the other: 3. */
	assert_int_equal(a.leaves, RUN - 1 + 1 + 2 + 3);
	assert_true(PANICS(nuc_audit(NULL)));
}

static void test_leaves(void **state)
{
	uint64_t other;

	(void)state;
	/* To a frame of another domain, of the nucleus, to a free one, and beyond memory. */
	sound();
	other = stage2_translate(&nuc_domains[D + 1].stage2, gfn_of(RUN)).mfn;
	entry_write(table_at(0, 0), 0, entry_leaf(other, ACCESS_RWX, 0));
	assert_true(rule(1) > 0);
	sound();
	entry_write(table_at(0, 0), 0, entry_leaf(s->root, ACCESS_R, 0));
	assert_true(rule(1) > 0);
	sound();
	entry_write(table_at(0, 0), 0, entry_leaf(frame_count, ACCESS_R, 0));
	assert_true(rule(1) > 0);
	sound();
	frames[mfn_at(RUN + 1)].type = FRAME_CORE;
	assert_true(rule(1) > 0);
	sound();
	frames[mfn_at(RUN + 1)].owner = D + 1;
	assert_true(rule(1) > 0);
	/* One frame at two places. */
	sound();
	entry_write(table_at(0, 0), 1, entry_leaf(mfn_at(0), ACCESS_R, 0));
	frames[table_at(0, 0)].count++;
	assert_true(rule(1) > 0);
	/* Two at once, so that the number of pages still fits. */
	sound();
	entry_write(table_at(0, 0), 2, entry_leaf(mfn_at(0), ACCESS_R, 0));
	assert_true(rule(1) > 0);
	/* A leaf that is gone though its page isn't. */
	sound();
	entry_write(table_at(0, 0), 0, entry_empty(0));
	frames[table_at(0, 0)].count--;
	assert_true(rule(1) > 0);
}

static void test_tables(void **state)
{
	uint64_t t, child;
	mfn_t mfn;

	(void)state;
	sound();
	frames[table_at(0, 0)].level = 1;
	assert_true(rule(3) > 0);
	sound();
	frames[table_at(0, 0)].level = 9;
	assert_true(rule(3) > 0);
	sound();
	frames[table_at(0, 1)].where++;
	assert_true(rule(3) > 0);
	sound();
	frames[table_at(0, 1)].view = 1;
	assert_true(rule(3) > 0);
	sound();
	frames[table_at(0, 1)].owner = D + 1;
	assert_true(rule(3) > 0);
	sound();
	frames[table_at(0, 0)].type = FRAME_GUEST;
	assert_true(rule(3) > 0);
	sound();
	frames[table_at(0, 0)].count++;
	assert_true(rule(3) > 0);
	sound();
	frames[s->root].where = 1;
	assert_true(rule(3) > 0);
	sound();
	s->tables_used++;
	assert_true(rule(3) > 0);
	sound();
	s->table_budget = s->tables_used - 1;
	assert_true(rule(3) > 0);
	sound();
	machine[table_at(0, 0)][1] = 0;         /* not even an empty entry */
	assert_true(rule(3) > 0);
	/* A table that two entries lead to. */
	sound();
	t = table_at(0, 1);
	entry_write(t, 3, entry_table(table_at(0, 0), 1));
	frames[t].count++;
	assert_true(rule(3) > 0);
	/* A table that none leads to. */
	sound();
	t = table_at(0, 1);
	child = table_at(2 * RUN, 0);
	entry_write(t, 2, entry_empty(1));
	frames[t].count--;
	assert_int_equal(frames[child].type, FRAME_TABLE);
	assert_true(rule(3) > 0);
	/* An empty one, well placed. */
	sound();
	assert_int_equal(frame_alloc(ORDER_4K, FRAME_TABLE, D, &mfn), 0);
	for (t = 0; t < RUN; t++) {
		entry_write(mfn.mfn, (uint32_t)t, entry_empty(0));
	}
	frames[mfn.mfn].where = 3;
	entry_write(table_at(0, 1), 3, entry_table(mfn.mfn, 1));
	frames[table_at(0, 1)].count++;
	s->tables_used++;
	assert_true(rule(3) > 0);
	frames[mfn.mfn].count++;                /* now two wrongs, and still not right */
	assert_true(rule(3) > 0);
}

static void test_owners(void **state)
{
	mfn_t mfn;

	(void)state;
	/* RAM that is mapped nowhere, or of nobody. */
	sound();
	assert_int_equal(frame_alloc(ORDER_4K, FRAME_GUEST, D, &mfn), 0);
	assert_true(rule(4) > 0);
	sound();
	assert_int_equal(frame_alloc(ORDER_4K, FRAME_GUEST, DOMAIN_NONE, &mfn), 0);
	assert_true(rule(4) > 0);
	sound();
	assert_int_equal(frame_alloc(ORDER_4K, FRAME_TABLE, 9, &mfn), 0);
	assert_true(rule(4) > 0);
	sound();
	frames[mfn_at(0)].type = FRAME_TYPES;
	assert_true(rule(4) > 0);
	/* A shared page that isn't what the slot says. */
	sound();
	frames[nuc_domains[D].share_mfn[SHARE_CONSOLE]].type = FRAME_GUEST;
	assert_true(rule(2) > 0);
	sound();
	nuc_domains[D].share_gfn[SHARE_INFO] = WHERE_NONE;
	assert_true(rule(2) > 0);
	/* A dying domain's frames are on their way: no breach. */
	sound();
	assert_int_equal(nuc_domain_reclaim(D, 1), 1);
	assert_int_equal(broken(), 0);
	nuc_domains[D].state = NUC_DOMAIN_NONE;
	assert_true(rule(4) > 0);
}

static void test_free_lists(void **state)
{
	uint32_t split = 0, r;

	(void)state;
	sound();
	split = run_lists[SPLIT_BLOCKS];
	assert_true(split < BLOCKS_MAX);
	runs[split].free--;
	assert_true(rule(4) > 0);
	sound();
	runs[split].bump--;
	assert_true(rule(4) > 0);
	sound();
	runs[split].chain = runs[split].chain == RUN ? 0 : RUN;
	assert_true(rule(4) > 0);
	sound();
	frame_free_count++;
	assert_true(rule(4) > 0);
	sound();
	run_lists[SPLIT_BLOCKS] = runs[split].next;
	assert_true(rule(4) > 0);
	sound();
	runs[split].next = split;
	assert_true(rule(4) > 0);
	sound();
	runs[split].prev = split;
	assert_true(rule(4) > 0);
	sound();
	run_lists[WHOLE_REGIONS] = split;
	assert_true(rule(4) > 0);
	/* A free frame that has come to be in use behind the allocator's back. */
	sound();
	for (r = 0; frames[r].type != FRAME_FREE; r++) {
	}
	frames[r].type = FRAME_NUCLEUS;
	assert_true(rule(4) > 0);
	/* A chain that goes round. */
	sound();
	for (r = 0; r < BLOCKS_MAX && runs[r].chain == RUN; r++) {
	}
	assert_true(r < BLOCKS_MAX);
	frames[r * RUN + runs[r].chain].link = runs[r].chain;
	assert_true(rule(4) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_free_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
