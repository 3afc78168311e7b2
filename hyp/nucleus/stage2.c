/* SPDX-License-Identifier: Apache-2.0 */
/* The base view's tables. Every call validates, reserves, and then cannot fail. */
#include "stage2.h"

#include "check.h"

/* An entry: the table it is in, and that table's level. */
struct place {
	uint64_t table;
	uint32_t level;
};

/*@ requires level <= 3;
    terminates \true; exits \false; assigns \nothing;
    ensures \result == gfn_index(gfn, level) && \result < RUN; */
static inline uint32_t index_of(uint64_t gfn, uint32_t level)
{
	return (uint32_t)(gfn / level_span(level) % RUN);
}

/* The entry that decides about gfn, no lower than `bottom`. */
/*@ requires \valid_read(s) && frames_ok && tables_ok && stage2_ok(s);
    requires gfn < GFN_LIMIT && bottom <= LEVEL_ROOT;
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
	//@ assert is_table(t, s->domain, 2);
	//@ assert frames[t].where == gfn / SPAN3;
	e = machine[t][index_of(gfn, 2)];
	if (bottom == 2 || entry_kind(e, 2) != ENTRY_TABLE) {
		return (struct place){ t, 2 };
	}
	t = entry_mfn(e, 2);
	//@ assert is_table(t, s->domain, 1);
	//@ assert frames[t].where == gfn / SPAN2;
	e = machine[t][index_of(gfn, 1)];
	if (bottom == 1 || entry_kind(e, 1) != ENTRY_TABLE) {
		return (struct place){ t, 1 };
	}
	t = entry_mfn(e, 1);
	//@ assert is_table(t, s->domain, 0);
	//@ assert frames[t].where == gfn / SPAN1;
	return (struct place){ t, 0 };
}

struct translation stage2_translate(const struct stage2 *s, gfn_t gfn)
{
	struct translation r = { .present = false, .level = LEVEL_ROOT };
	struct place at;
	uint64_t e;

	if (gfn.gfn >= GFN_LIMIT) {
		return r;
	}
	at = find(s, gfn.gfn, 0);
	e = machine[at.table][index_of(gfn.gfn, at.level)];
	r.level = (uint8_t)at.level;
	if (entry_kind(e, at.level) == ENTRY_LEAF) {
		r.present = true;
		r.access = (uint8_t)entry_access(e, at.level);
		r.mfn = entry_mfn(e, at.level) + gfn.gfn % level_span(at.level);
		//@ assert at.level <= 2;
		/*@ assert at.level == 2 ==>
		      (frames[at.table].where * RUN + gfn_index(gfn.gfn, 2)) * SPAN2 + gfn.gfn % SPAN2 == gfn.gfn; */
		/*@ assert at.level == 1 ==>
		      (frames[at.table].where * RUN + gfn_index(gfn.gfn, 1)) * SPAN1 + gfn.gfn % SPAN1 == gfn.gfn; */
		/*@ assert at.level == 0 ==>
		      frames[at.table].where * RUN + gfn_index(gfn.gfn, 0) == gfn.gfn; */
		//@ assert rule_1 ==> leaf_entry_ok(at.table, gfn_index(gfn.gfn, at.level));
		/*@ assert rule_1 ==> r.mfn < frame_count && frames[r.mfn].owner == s->domain &&
		      (frames[r.mfn].type == FRAME_GUEST || frames[r.mfn].type == FRAME_SHARED); */
		//@ assert rule_1 && at.level == 2 ==> frames[r.mfn].where == gfn.gfn;
		//@ assert rule_1 && at.level == 1 ==> frames[r.mfn].where == gfn.gfn;
		//@ assert rule_1 && at.level == 0 ==> frames[r.mfn].where == gfn.gfn;
	}
	return r;
}

/* Makes a fresh frame of type TABLE an empty table of this place. */
static void table_init(uint64_t t, uint32_t level, uint64_t prefix)
{
	uint32_t i;

	frames[t].level = (uint8_t)level;
	frames[t].where = prefix;
	for (i = 0; i < RUN; i++) {
		entry_write(t, i, entry_empty(level));
	}
}

/* Takes `count` frames for tables, out of the budget. All or -ENOMEM. */
static int tables_reserve(struct stage2 *s, uint32_t count, uint64_t spare[LEVELS])
{
	uint32_t i;
	mfn_t mfn;

	if (s->tables_used > s->table_budget || count > s->table_budget - s->tables_used) {
		return -ENOMEM;
	}
	for (i = 0; i < count; i++) {
		if (frame_alloc(ORDER_4K, FRAME_TABLE, (uint16_t)s->domain, &mfn)) {
			while (i) {
				frame_free(mfn_of(spare[--i]), ORDER_4K);
			}
			return -ENOMEM;
		}
		spare[i] = mfn.mfn;
	}
	s->tables_used += count;
	return 0;
}

int stage2_create(struct stage2 *s, uint32_t domain, uint32_t table_budget)
{
	uint64_t spare[LEVELS];

	if (!table_budget) {
		return -EINVAL;
	}
	*s = (struct stage2){ .domain = domain, .table_budget = table_budget };
	if (tables_reserve(s, 1, spare)) {
		return -ENOMEM;
	}
	s->root = spare[0];
	table_init(s->root, LEVEL_ROOT, 0);
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

	if (g % size || mfn.mfn % size || g >= GFN_LIMIT || !access_valid(access) ||
	    !run_mappable(s, mfn.mfn, size)) {
		return -EINVAL;
	}
	at = find(s, g, level);
	if (entry_kind(machine[at.table][index_of(g, at.level)], at.level) != ENTRY_EMPTY) {
		return -EEXIST;
	}
	if (tables_reserve(s, at.level - level, spare)) {
		return -ENOMEM;
	}
	for (m = 0; m < size; m++) {
		frames[mfn.mfn + m].where = g + m;
	}
	/* From the bottom up: hardware sees the new tables last, and then complete. */
	e = entry_leaf(mfn.mfn, access, level);
	for (l = level; l < at.level; l++) {
		table_init(spare[n], l, g / (level_span(l) * RUN));
		entry_write(spare[n], index_of(g, l), e);
		frames[spare[n]].count = 1;
		e = entry_table(spare[n++], l + 1);
	}
	entry_write(at.table, index_of(g, at.level), e);
	frames[at.table].count++;
	return 0;
}

/* Replaces the leaf at this place by a table of leaves that lead to the same. */
static void split_one(struct place at, uint64_t gfn, uint64_t table)
{
	uint32_t index = index_of(gfn, at.level), level = at.level - 1, i;
	uint64_t e = machine[at.table][index];
	uint64_t mfn = entry_mfn(e, at.level);
	uint32_t access = entry_access(e, at.level);

	frames[table].level = (uint8_t)level;
	frames[table].where = frames[at.table].where * RUN + index;
	frames[table].count = RUN;
	for (i = 0; i < RUN; i++) {
		entry_write(table, i, entry_leaf(mfn + i * level_span(level), access, level));
	}
	entry_write(at.table, index, entry_table(table, at.level));
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
	if (tables_reserve(s, at.level - level, spare)) {
		return -ENOMEM;
	}
	for (; at.level > level; at = (struct place){ spare[n++], at.level - 1 }) {
		split_one(at, gfn.gfn, spare[n]);
	}
	return 0;
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
	first = old.mfn - gfn.gfn % size;
	for (m = first; m < first + size; m++) {
		frames[m].where = WHERE_NONE;
	}
	entry_write(at.table, index_of(gfn.gfn, at.level), entry_empty(at.level));
	CHECK(frames[at.table].count > 0);
	frames[at.table].count--;
	while (frames[at.table].count == 0 && at.level < LEVEL_ROOT) {
		limbo_add(limbo, mfn_of(at.table), ORDER_4K);
		s->tables_used--;
		at = find(s, gfn.gfn, at.level + 1);
		entry_write(at.table, index_of(gfn.gfn, at.level), entry_empty(at.level));
		frames[at.table].count--;
	}
	return old;
}

int stage2_replace(struct stage2 *s, gfn_t gfn, mfn_t mfn, uint32_t access, struct translation *old)
{
	struct place at;
	int error;

	*old = stage2_translate(s, gfn);
	if (!old->present) {
		return stage2_map(s, gfn, mfn, ORDER_4K, access);
	}
	if (!access_valid(access) || !run_mappable(s, mfn.mfn, 1)) {
		return -EINVAL;
	}
	error = stage2_split(s, gfn, ORDER_4K);
	if (error) {
		return error;
	}
	at = find(s, gfn.gfn, 0);
	frames[old->mfn].where = WHERE_NONE;
	frames[mfn.mfn].where = gfn.gfn;
	entry_write(at.table, index_of(gfn.gfn, 0), entry_leaf(mfn.mfn, access, 0));
	return 0;
}
