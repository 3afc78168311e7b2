/* SPDX-License-Identifier: Apache-2.0 */
/* The base view's tables. Every call validates, reserves, and then cannot fail. */
#include "stage2.h"

#include "check.h"
#include "view.h"

/* An entry: the table it is in, and that table's level. */
struct place {
	uint64_t table;
	uint32_t level;
};

/* The entry that decides about gfn, no lower than `bottom`. */
/*@ requires \valid_read(s) && frames_ok && stage2_ok(s) && tables_ok(s->domain);
    requires gfn < s->gfn_limit && bottom <= LEVEL_ROOT;
    terminates \true; exits \false; assigns \nothing;
    ensures \result.level == tr_level(s->root, gfn, bottom);
    ensures \result.table == tr_table(s->root, gfn, bottom);
    ensures bottom <= \result.level <= LEVEL_ROOT;
    ensures is_table(\result.table, s->domain, \result.level);
    ensures \result.level == 3 ==> frames[\result.table].where == 0;
    ensures \result.level == 2 ==> frames[\result.table].where == gfn / SPAN3;
    ensures \result.level == 1 ==> frames[\result.table].where == gfn / SPAN2;
    ensures \result.level == 0 ==> frames[\result.table].where == gfn / SPAN1;
    ensures \result.level > bottom ==> !down(\result.table, gfn, \result.level); */
static struct place find(const struct stage2 *s, uint64_t gfn, uint32_t bottom)
{
	uint64_t t = s->root, e = machine[t][index_of(gfn, 3)];

	if (bottom == 3 || entry_kind(e, 3) != ENTRY_TABLE) {
		return (struct place){ t, 3 };
	}
	t = entry_mfn(e, 3);
	//@ assert word_ok(s->root, gfn_index(gfn, 3));
	//@ assert is_table(t, s->domain, 2);
	//@ assert frames[t].where == gfn / SPAN3;
	e = machine[t][index_of(gfn, 2)];
	if (bottom == 2 || entry_kind(e, 2) != ENTRY_TABLE) {
		return (struct place){ t, 2 };
	}
	t = entry_mfn(e, 2);
	//@ assert z3: is_table(t, s->domain, 1);
	//@ assert z3: frames[t].where == gfn / SPAN2;
	e = machine[t][index_of(gfn, 1)];
	if (bottom == 1 || entry_kind(e, 1) != ENTRY_TABLE) {
		return (struct place){ t, 1 };
	}
	t = entry_mfn(e, 1);
	//@ assert z3: is_table(t, s->domain, 0);
	//@ assert z3: frames[t].where == gfn / SPAN1;
	return (struct place){ t, 0 };
}

struct translation stage2_translate(const struct stage2 *s, gfn_t gfn)
{
	struct translation r = { .present = false, .level = LEVEL_ROOT };
	struct place at;
	uint64_t e;

	if (gfn.gfn >= s->gfn_limit) {
		return r;
	}
	at = find(s, gfn.gfn, 0);
	e = machine[at.table][index_of(gfn.gfn, at.level)];
	r.level = (uint8_t)at.level;
	if (entry_kind(e, at.level) == ENTRY_LEAF) {
		r.present = true;
		r.access = (uint8_t)entry_access(e, at.level);
		r.suppress = (uint8_t)entry_suppress(e, at.level);
		r.turns = (uint8_t)entry_turns(e, at.level);
		r.mfn = entry_mfn(e, at.level) + gfn_offset(gfn.gfn, at.level);
		//@ assert at.level <= 2;
		/*@ assert z3: at.level == 2 ==>
		      (frames[at.table].where * RUN + gfn_index(gfn.gfn, 2)) * SPAN2 + gfn.gfn % SPAN2 == gfn.gfn; */
		/*@ assert at.level == 1 ==>
		      (frames[at.table].where * RUN + gfn_index(gfn.gfn, 1)) * SPAN1 + gfn.gfn % SPAN1 == gfn.gfn; */
		/*@ assert at.level == 0 ==>
		      frames[at.table].where * RUN + gfn_index(gfn.gfn, 0) == gfn.gfn; */
		//@ assert word_ok(at.table, gfn_index(gfn.gfn, at.level));
		/*@ assert r.mfn < frame_count && frames[r.mfn].owner == s->domain &&
		      (frames[r.mfn].type == FRAME_GUEST || frames[r.mfn].type == FRAME_SHARED); */
		//@ assert at.level == 2 ==> frames[r.mfn].where == gfn.gfn;
		//@ assert at.level == 1 ==> frames[r.mfn].where == gfn.gfn;
		//@ assert at.level == 0 ==> frames[r.mfn].where == gfn.gfn;
	}
	return r;
}

/* Makes a frame of type TABLE an empty table of this place. */
static void table_init(const struct stage2 *s, uint64_t t, uint32_t level, uint64_t prefix)
{
	uint32_t i;

	table_claim(t, level);
	for (i = 0; i < table_entries(s, level); i++) {
		entry_write(t, i, entry_empty(level));
	}
	frames[t].link = 0;
	table_place(t, 0, prefix);
}

static void spare_free(uint32_t count, const uint64_t spare[LEVELS])
{
	while (count) {
		frame_free_table(mfn_of(spare[--count]));
	}
}

int stage2_reserve(struct stage2 *s, uint32_t count, uint64_t spare[LEVELS])
{
	uint32_t i;

	if (s->tables_used > s->table_budget || count > s->table_budget - s->tables_used) {
		return -ENOMEM;
	}
	for (i = 0; i < count; i++) {
		spare[i] = frame_alloc_table((uint16_t)s->domain);
		if (spare[i] == FRAMES_MAX) {
			spare_free(i, spare);
			return -ENOMEM;
		}
	}
	s->tables_used += count;
	return 0;
}

int stage2_create(struct stage2 *s, uint32_t domain, uint32_t table_budget)
{
	struct stage2 made = { .domain = domain, .table_budget = table_budget, .gfn_limit = machine_gfn_limit() };
	uint64_t spare[LEVELS];

	if (!table_budget) {
		return -EINVAL;
	}
	if (made.gfn_limit > GFN_LIMIT) {
		made.gfn_limit = GFN_LIMIT;
	}
	made.root_entries = (uint32_t)((made.gfn_limit + SPAN3 - 1) / SPAN3);
	if (stage2_reserve(&made, 1, spare)) {
		return -ENOMEM;
	}
	made.root = spare[0];
	*s = made;
	table_init(s, s->root, LEVEL_ROOT, 0);
	return 0;
}

/* Whether the run is the domain's to map: RAM or shared, and mapped nowhere. */
static bool run_mappable(const struct stage2 *s, uint64_t mfn, uint64_t size)
{
	uint64_t m;

	if (mfn >= frame_count || size > frame_count - mfn) {
		return false;
	}
	for (m = mfn; m < mfn + size; m++) {
		if ((frames[m].type != FRAME_GUEST && frames[m].type != FRAME_SHARED) ||
		    frames[m].owner != s->domain || frames[m].where != WHERE_NONE) {
			return false;
		}
	}
	return true;
}

int stage2_map(struct stage2 *s, gfn_t gfn, mfn_t mfn, uint32_t order, uint32_t access)
{
	uint64_t size = order_frames(order), g = gfn.gfn, spare[LEVELS], e, m;
	uint32_t level = order == ORDER_4K ? 0 : order == ORDER_2M ? 1 : 2, l, n = 0;
	struct place at;

	if (g % size || mfn.mfn % size || g >= s->gfn_limit || !access_valid(access) ||
	    !run_mappable(s, mfn.mfn, size)) {
		return -EINVAL;
	}
	at = find(s, g, level);
	if (entry_kind(machine[at.table][index_of(g, at.level)], at.level) != ENTRY_EMPTY) {
		return -EEXIST;
	}
	if (stage2_reserve(s, at.level - level, spare)) {
		return -ENOMEM;
	}
	for (m = 0; m < size; m++) {
		frames[mfn.mfn + m].where = g + m;
	}
	/* From the bottom up: hardware sees the new tables last, and then complete. */
	e = entry_leaf(mfn.mfn, access, level);
	for (l = level; l < at.level; l++) {
		table_init(s, spare[n], l, gfn_slot(g, l + 1));
		entry_write(spare[n], index_of(g, l), e);
		table_use(spare[n], index_of(g, l));
		frames[spare[n]].count = 1;
		e = entry_table(spare[n++], l + 1);
	}
	entry_write(at.table, index_of(g, at.level), e);
	table_use(at.table, index_of(g, at.level));
	frames[at.table].count++;
	/* Of the base nothing can be cached here, but a remap over the hole takes the base's access now. */
	if (view_base_changed(s, at.table, index_of(g, at.level))) {
		machine_flush_domain(s->domain);
	}
	return 0;
}

/* Replaces the leaf at this place by a table of leaves that lead to the same. */
static void split_one(const struct stage2 *s, struct place at, uint64_t gfn, uint64_t table)
{
	uint32_t index = index_of(gfn, at.level), level = at.level - 1;
	uint64_t e = machine[at.table][index];

	table_claim(table, level);
	table_pieces(table, e, level);
	table_place(table, 0, frames[at.table].where * RUN + index);
	frames[table].count = RUN;
	entry_write(at.table, index, entry_table(table, at.level));
	view_base_changed(s, at.table, index);
}

int stage2_split(struct stage2 *s, gfn_t gfn, uint32_t order)
{
	uint32_t level = order == ORDER_4K ? 0 : order == ORDER_2M ? 1 : 2, n = 0;
	uint64_t spare[LEVELS];
	struct place at;

	if (!stage2_translate(s, gfn).present) {
		return -ENOENT;
	}
	at = find(s, gfn.gfn, 0);
	if (at.level <= level) {
		return 0;
	}
	if (stage2_reserve(s, at.level - level, spare)) {
		return -ENOMEM;
	}
	for (; at.level > level; at = (struct place){ spare[n++], at.level - 1 }) {
		split_one(s, at, gfn.gfn, spare[n]);
	}
	return 0;
}

/* A base table that nothing leads to any more, in views neither. */
static void table_drop(struct stage2 *s, uint64_t table, struct limbo *limbo)
{
	CHECK(frames[table].next == FRAMES_MAX);
	frames[table].where = WHERE_NONE;
	limbo_add(limbo, mfn_of(table), ORDER_4K);
	s->tables_used--;
}

struct translation stage2_take(struct stage2 *s, gfn_t gfn, struct limbo *limbo)
{
	struct translation old = stage2_translate(s, gfn);
	uint64_t m, first, size;
	struct place at;

	if (!old.present) {
		return old;
	}
	at = find(s, gfn.gfn, 0);
	size = level_span(at.level);
	first = old.mfn - gfn_offset(gfn.gfn, at.level);
	/* Remaps go first, while the pages are still there: so views are sound after each of them. */
	for (m = first; m < first + size; m++) {
		view_target_gone(s, m, limbo);
		frames[m].where = WHERE_NONE;
	}
	entry_write(at.table, index_of(gfn.gfn, at.level), entry_empty(at.level));
	view_base_changed(s, at.table, index_of(gfn.gfn, at.level));
	CHECK(frames[at.table].count > 0);
	frames[at.table].count--;
	while (frames[at.table].count == 0 && at.level < LEVEL_ROOT) {
		uint64_t empty = at.table;

		at = find(s, gfn.gfn, at.level + 1);
		entry_write(at.table, index_of(gfn.gfn, at.level), entry_empty(at.level));
		view_base_changed(s, at.table, index_of(gfn.gfn, at.level));
		table_drop(s, empty, limbo);
		frames[at.table].count--;
	}
	return old;
}

int stage2_room(struct stage2 *s, gfn_t gfn)
{
	uint64_t spare[LEVELS];
	uint32_t count;
	int error;

	if (stage2_translate(s, gfn).present) {
		return stage2_split(s, gfn, ORDER_4K);
	}
	count = find(s, gfn.gfn, 0).level;
	error = stage2_reserve(s, count, spare);
	if (!error) {
		spare_free(count, spare);
		s->tables_used -= count;
	}
	return error;
}

int stage2_replace(struct stage2 *s, gfn_t gfn, mfn_t mfn, uint32_t access)
{
	struct translation old = stage2_translate(s, gfn);
	struct place at;

	if (!old.present) {
		return stage2_map(s, gfn, mfn, ORDER_4K, access);
	}
	if (old.level || !access_valid(access) || !run_mappable(s, mfn.mfn, 1)) {
		return -EINVAL;
	}
	at = find(s, gfn.gfn, 0);
	frames[old.mfn].where = WHERE_NONE;
	frames[mfn.mfn].where = gfn.gfn;
	entry_write(at.table, index_of(gfn.gfn, 0), entry_leaf(mfn.mfn, access, 0));
	view_base_changed(s, at.table, index_of(gfn.gfn, 0));
	return 0;
}

/*
 * Whether the leaves of a table, whose entry `index` has changed, are in order
 * the pieces of one leaf, and all of it RAM.
 */
static bool mergeable(uint64_t table, uint32_t index, uint32_t level)
{
	uint64_t first = machine[table][0], mfn = entry_mfn(first, level), span = level_span(level), whole, i;

	if (entry_kind(first, level) != ENTRY_LEAF || gfn_offset(mfn, level + 1)) {
		return false;
	}
	whole = entry_joined(first, level);
	/* Mostly this says no, and the rest need not be looked at. */
	if (machine[table][index] != entry_piece(whole, index * span, level + 1)) {
		return false;
	}
	for (i = RUN - 1; i > 0; i--) {
		if (machine[table][i] != entry_piece(whole, i * span, level + 1)) {
			return false;
		}
	}
	/* A shared page moves alone, so it stays a leaf of its own. */
	for (i = 0; i < span * RUN; i++) {
		if (frames[mfn + i].type != FRAME_GUEST) {
			return false;
		}
	}
	return true;
}

/* Puts the leaves around gfn together to larger ones, as far as nothing tells them apart. */
static void merge(struct stage2 *s, uint64_t gfn, struct limbo *limbo)
{
	uint32_t most = machine_order_max() >= ORDER_1G ? 2 : 1;
	struct place at = find(s, gfn, 0);

	while (at.level < most && mergeable(at.table, index_of(gfn, at.level), at.level)) {
		uint64_t table = at.table, first = machine[table][0];
		uint32_t level = at.level;

		at = find(s, gfn, level + 1);
		entry_write(at.table, index_of(gfn, at.level),
			    entry_joined(first, level));
		view_base_changed(s, at.table, index_of(gfn, at.level));
		table_drop(s, table, limbo);
	}
}

int stage2_access(struct stage2 *s, gfn_t gfn, uint32_t access, uint32_t suppress, struct limbo *limbo,
		  bool *changed)
{
	struct translation old = stage2_translate(s, gfn);
	uint32_t turns;
	struct place at;
	int error;

	if (!old.present) {
		return -ENOENT;
	}
	turns = access == ~0u ? old.turns : access_turns(access);
	access = access == ~0u ? old.access : access_rights(access);
	suppress = suppress == ~0u ? old.suppress : suppress;
	if (access == old.access && suppress == old.suppress && turns == old.turns) {
		return 0;
	}
	error = stage2_split(s, gfn, ORDER_4K);
	if (error) {
		return error;
	}
	at = find(s, gfn.gfn, 0);
	entry_write(at.table, index_of(gfn.gfn, 0),
		    entry_with_turns(entry_leaf_with(old.mfn, access, suppress, 0), turns));
	view_base_changed(s, at.table, index_of(gfn.gfn, 0));
	merge(s, gfn.gfn, limbo);
	*changed = true;
	return 0;
}
