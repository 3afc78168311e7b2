/* SPDX-License-Identifier: Apache-2.0 */
/* Views: see view.h, and nucleus.h for what each call promises. Validate, reserve, then don't fail. */
#include "view.h"

#include "check.h"
#include "lock.h"
#include "memory.h"
#include "string.h"

#ifndef MUTANT
#define MUTANT 0                        /* which bug is seeded, for the test of the tests: view.mk */
#endif

#define CHANGES_MAX 65536u

typedef uint64_t __attribute__((may_alias)) word_t;
_Static_assert(sizeof(struct view_change) == 24 && offsetof(struct view_change, set) == 16 &&
	       offsetof(struct view_change, access) == 20 &&
	       offsetof(struct view_change, suppress_ve) == 21 && offsetof(struct view_change, step) == 22,
	       "a change is three words");

struct view nuc_views[DOMAINS_MAX][VIEWS_MAX];

/* What is set at one gfn. */
struct intent {
	uint64_t target;                /* OWN_TARGET: a machine frame */
	uint32_t own, access, suppress; /* OWN_*, and the values of those that are set */
	uint32_t turns;                 /* goes with access */
	uint32_t step;                  /* how far from the view's own id, modulo STEPS; 0: nowhere */
};

/* The private tables on the way to a gfn, by level; FRAMES_MAX: none. */
struct path {
	uint64_t table[LEVELS];
};

/* What a call has to do when it is through, and what it knows of where it was last. */
struct pending {
	struct limbo limbo;
	bool flush;
	uint64_t block;                 /* the gfn / RUN that `base` is of; WHERE_NONE: of none */
	uint64_t base;                  /* the base's entry there, at level 1 */
};

ALWAYS_INLINE struct view *view_find(uint32_t domain, uint32_t view)
{
	return view < VIEWS_MAX && nuc_views[domain][view].live ? &nuc_views[domain][view] : NULL;
}

void views_begin(uint32_t domain)
{
	nuc_views[domain][0] = (struct view){ .root = FRAMES_MAX, .recent = FRAMES_MAX, .live = 1,
					      .access = ACCESS_RWX };
	nuc_domains[domain].stage2.views_end = 1;
}

void views_end(struct stage2 *s)
{
	uint32_t i;

	for (i = 0; i < s->views_end; i++) {
		nuc_views[s->domain][i].live = 0;
	}
	s->views_end = 0;
	s->views_live = 0;
}

/* ---- what an entry must be ------------------------------------------------ */

/* Where nothing is set, the view is the base, word for word. */
ALWAYS_INLINE bool view_plain(const struct view *v)
{
	return v->access == ACCESS_RWX && !(v->flags & VIEW_EMPTY);
}

/* A private table's entry where nothing is set in or below it, from the base's entry. */
ALWAYS_INLINE uint64_t shared_entry(const struct view *v, uint64_t base, uint32_t level)
{
	enum entry_kind kind = entry_kind(base, level);

	if (kind == ENTRY_EMPTY || v->flags & VIEW_EMPTY) {
		return entry_empty(level);
	}
	if (v->access == ACCESS_RWX) {
		return base;
	}
	if (kind == ENTRY_TABLE) {
		return entry_link(entry_mfn(base, level), v->access, level);
	}
	/* A write is turned into a right only where the view takes nothing away. */
	return entry_leaf_with(entry_mfn(base, level), entry_access(base, level) & v->access,
			       v->access ? entry_suppress(base, level) : 1, level);
}

/* The base's entry at slot `index` below its entry `base`: in the table there, or a piece of the leaf. */
ALWAYS_INLINE uint64_t base_below(uint64_t base, uint32_t level, uint32_t index)
{
	switch (entry_kind(base, level)) {
	case ENTRY_TABLE:
		return machine[entry_mfn(base, level)][index];
	case ENTRY_LEAF:
		return entry_piece(base, index * level_span(level - 1), level);
	default:
		return entry_empty(level - 1);
	}
}

/* The base's entry that a private table of this level has at gfn. */
ALWAYS_INLINE uint64_t base_at(const struct stage2 *s, uint64_t gfn, uint32_t level)
{
	uint64_t base = machine[s->root][index_of(gfn, 3)];

	base = level < 3 ? base_below(base, 3, index_of(gfn, 2)) : base;
	base = level < 2 ? base_below(base, 2, index_of(gfn, 1)) : base;
	return level < 1 ? base_below(base, 1, index_of(gfn, 0)) : base;
}

/* What is set in an entry of a private table of level 0. */
ALWAYS_INLINE struct intent intent_of(uint64_t e)
{
	enum entry_kind kind = entry_kind(e, 0);
	struct intent w = { .own = 0, .suppress = 1 };

	if (kind == ENTRY_LEAF || kind == ENTRY_KEPT) {
		w.own = entry_own(e);
		w.step = entry_step(e);
		w.access = kind == ENTRY_LEAF ? entry_access(e, 0) : entry_kept_access(e);
		w.turns = entry_turns(e, 0);
		w.suppress = entry_suppress(e, 0);
		w.target = kind == ENTRY_LEAF ? entry_mfn(e, 0) : FRAMES_MAX;
	}
	return w;
}

ALWAYS_INLINE bool intent_any(struct intent w)
{
	return w.own || w.step;
}

/* The level-0 entry for this intent over the base's entry. */
ALWAYS_INLINE uint64_t own_entry(const struct view *v, uint64_t base, struct intent w)
{
	bool set_access = w.own & OWN_ACCESS, set_target = w.own & OWN_TARGET;
	bool set_suppress = w.own & OWN_SUPPRESS, empty = v->flags & VIEW_EMPTY;
	bool present = entry_kind(base, 0) == ENTRY_LEAF;
	uint32_t access = v->access, suppress = 1, turns = 0;

	if (!intent_any(w)) {
		return shared_entry(v, base, 0);
	}
	if (present && !empty) {
		access = entry_access(base, 0) & v->access;
		turns = v->access == ACCESS_RWX ? entry_turns(base, 0) : 0;
		suppress = v->access ? entry_suppress(base, 0) : 1;
	}
	if (set_access) {
		access = w.access;
		turns = w.turns;
	}
	if (set_suppress) {
		suppress = w.suppress;
	}
	if (set_target || (present && (!empty || set_access))) {
		base = entry_leaf_with(set_target ? w.target : entry_mfn(base, 0), access, suppress, 0);
		return entry_with_own(entry_with_turns(base, turns), w.own, w.step);
	}
	if (MUTANT == 2) {
		return entry_empty(0);
	}
	return entry_with_turns(entry_kept(access, set_suppress ? suppress : 1, w.own, w.step), turns);
}

/* ---- chains of copies ----------------------------------------------------- */

ALWAYS_INLINE void chain_add(uint64_t base, uint64_t copy)
{
	uint32_t next = frames[base].next;

	frames[copy].prev = (uint32_t)base;
	frames[copy].next = next;
	if (next != FRAMES_MAX) {
		frames[next].prev = (uint32_t)copy;
	}
	frames[base].next = (uint32_t)copy;
}

ALWAYS_INLINE void chain_remove(uint64_t copy)
{
	uint32_t prev = frames[copy].prev, next = frames[copy].next;

	if (prev != FRAMES_MAX) {
		frames[prev].next = next;
	}
	if (next != FRAMES_MAX) {
		frames[next].prev = prev;
	}
	frames[copy].prev = FRAMES_MAX;
	frames[copy].next = FRAMES_MAX;
}

/* ---- private tables ------------------------------------------------------- */

/* The private table that an entry of private table t, of this level, leads to, or FRAMES_MAX. */
ALWAYS_INLINE uint64_t private_child(uint64_t t, uint32_t index, uint32_t level)
{
	uint64_t e = machine[t][index], c;

	if (level == 0 || !entry_is_private(e, level)) {
		return FRAMES_MAX;
	}
	c = entry_mfn(e, level);
	CHECK(c < frame_count);
	return c;
}

/* Writes an entry, if it differs. True if hardware may hold something of the earlier one. */
ALWAYS_INLINE bool put(uint64_t t, uint32_t index, uint64_t e, uint32_t level)
{
	uint64_t old = machine[t][index];

	if (old == e) {
		return false;
	}
	entry_write(t, index, e);
	if (level) {
		table_use(t, index);
	}
	return entry_stale(old, e, level);
}

/* Makes entry `index` of private table t of level 0 what it must be over this entry of the base. */
ALWAYS_INLINE bool sync_page(const struct view *v, uint64_t t, uint32_t index, uint64_t base)
{
	uint64_t e = machine[t][index];

	e = entry_any_own(e) ? own_entry(v, base, intent_of(e)) : shared_entry(v, base, 0);
	return put(t, index, e, 0);
}

/* The same of any level, and all below. */
static bool sync(const struct view *v, uint64_t t, uint32_t index, uint64_t base)
{
	uint32_t level = frames[t].level, i;
	bool stale = false;
	uint64_t child;

	if (level == 0) {
		return sync_page(v, t, index, base);
	}
	child = private_child(t, index, level);
	if (child == FRAMES_MAX) {
		return put(t, index, shared_entry(v, base, level), level);
	}
	chain_remove(child);
	if (entry_kind(base, level) == ENTRY_TABLE) {
		chain_add(entry_mfn(base, level), child);
	}
	for (i = 0; i < RUN; i++) {
		stale |= level == 1 ? sync_page(v, child, i, base_below(base, 1, i)) :
				      sync(v, child, i, base_below(base, level, i));
	}
	return stale;
}

bool view_base_changed(const struct stage2 *s, uint64_t table, uint32_t index)
{
	uint64_t t = frames[table].next, base = machine[table][index];
	const struct view *views = nuc_views[s->domain];
	bool page = frames[table].level == 0, stale = false;

	while (t != FRAMES_MAX) {
		CHECK(t < frame_count && frames[t].type == FRAME_TABLE && frames[t].view < VIEWS_MAX);
		stale |= page ? sync_page(&views[frames[t].view], t, index, base) :
				sync(&views[frames[t].view], t, index, base);
		t = frames[t].next;
	}
	return stale;
}

/* Makes a reserved table one of the view's, for this place. */
ALWAYS_INLINE void table_place(uint64_t t, uint32_t view, uint32_t level, uint64_t prefix)
{
	table_claim(t, level, prefix);
	frames[t].view = view;
	frames[t].count = 0;
}

/*
 * Makes private table t of this level, no root, a copy of the base's table at the
 * same place: of as much as is in use there, or may not be empty here.
 */
ALWAYS_INLINE void table_copy(const struct view *v, uint64_t t, uint64_t base, uint32_t level, uint32_t tail)
{
	uint32_t end = level ? frames[base].link : RUN, i;

	chain_add(base, t);
	frames[t].link = (uint16_t)end;
	if (end < tail) {
		end = tail;
	}
	if (view_plain(v)) {
		/* Word for word; nobody walks it yet. */
		memcpy(machine[t], machine[base], end * sizeof(machine[t][0]));
		return;
	}
	for (i = 0; i < end; i++) {
		entry_write(t, i, shared_entry(v, machine[base][i], level));
	}
}

/* Fills private table t of this level with the pieces of a leaf of the base, or with nothing. */
ALWAYS_INLINE void table_split(const struct view *v, uint64_t t, uint64_t base, uint32_t level)
{
	uint32_t i;
	uint64_t e = shared_entry(v, base, level + 1);

	if (entry_kind(e, level + 1) != ENTRY_LEAF) {
		for (i = 0; i < RUN; i++) {
			entry_write(t, i, entry_empty(level));
		}
		return;
	}
	table_pieces(t, e, level);
	if (MUTANT == 4) {
		entry_write(t, RUN - 1, entry_piece(e, (RUN - 1) * level_span(level) + 1, level + 1));
	}
}

/* The private tables on the way to gfn. */
ALWAYS_INLINE struct path path_find(const struct view *v, uint64_t gfn)
{
	struct path p = { { FRAMES_MAX, FRAMES_MAX, FRAMES_MAX, v->root } };

	if (p.table[3] != FRAMES_MAX) {
		p.table[2] = private_child(p.table[3], index_of(gfn, 3), 3);
	}
	if (p.table[2] != FRAMES_MAX) {
		p.table[1] = private_child(p.table[2], index_of(gfn, 2), 2);
	}
	if (p.table[1] != FRAMES_MAX) {
		p.table[0] = private_child(p.table[1], index_of(gfn, 1), 1);
	}
	return p;
}

/* The view's table of level 0 over gfn, or FRAMES_MAX. */
NOINLINE static uint64_t leaf_table_find(const struct stage2 *s, struct view *v, uint64_t gfn)
{
	uint64_t t = gfn < s->gfn_limit ? path_find(v, gfn).table[0] : FRAMES_MAX;

	if (t != FRAMES_MAX) {
		v->recent = (uint32_t)t;
	}
	return t;
}

/* The same: mostly that of the last call, which is still the view's, or FRAMES_MAX: see table_gone. */
ALWAYS_INLINE uint64_t leaf_table(const struct stage2 *s, struct view *v, uint64_t gfn)
{
	uint64_t t = v->recent;

	return t != FRAMES_MAX && frames[t].where == gfn_slot(gfn, 1) ? t : leaf_table_find(s, v, gfn);
}

/* Gives the view its root, out of a table reserved. */
ALWAYS_INLINE void root_make(struct stage2 *s, uint32_t view, uint64_t t)
{
	struct view *v = &nuc_views[s->domain][view];
	uint32_t i;

	table_place(t, view, LEVEL_ROOT, 0);
	chain_add(s->root, t);
	if (view_plain(v)) {
		for (i = 0; i < s->root_entries; i++) {
			entry_write(t, i, machine[s->root][i]);
		}
	} else {
		for (i = 0; i < s->root_entries; i++) {
			entry_write(t, i, shared_entry(v, machine[s->root][i], LEVEL_ROOT));
		}
	}
	v->root = (uint32_t)t;
	v->tables++;
	s->view_tables++;
}

/* Makes the table of this level on the path to gfn out of one reserved, if there is none. *base is there. */
ALWAYS_INLINE bool path_step(struct stage2 *s, struct view *v, uint32_t view, uint64_t gfn, struct path *p,
			     const uint64_t **spare, uint64_t *base, uint32_t level)
{
	uint32_t index = index_of(gfn, level + 1);
	uint64_t t = p->table[level], up = *base;
	uint32_t tail;

	*base = base_below(up, level + 1, index_of(gfn, level));
	if (t != FRAMES_MAX) {
		return false;
	}
	t = *(*spare)++;
	tail = table_tail(t, level);
	table_place(t, view, level, gfn_slot(gfn, level + 1));
	if (entry_kind(up, level + 1) == ENTRY_TABLE) {
		table_copy(v, t, entry_mfn(up, level + 1), level, tail);
	} else {
		table_split(v, t, up, level);
	}
	p->table[level] = t;
	v->tables++;
	s->view_tables++;
	frames[p->table[level + 1]].count++;
	return put(p->table[level + 1], index, entry_private(t, level + 1), level + 1);
}

/*
 * Makes the path down to level 0, out of tables reserved: from the top, each
 * complete before it is led to. The table of level 0.
 */
static uint64_t path_make(struct stage2 *s, uint32_t view, uint64_t gfn, struct path *p,
			  const uint64_t *spare, bool *flush)
{
	uint64_t base = machine[s->root][index_of(gfn, LEVEL_ROOT)];
	struct view *v = &nuc_views[s->domain][view];
	bool stale;

	if (p->table[LEVEL_ROOT] == FRAMES_MAX) {
		root_make(s, view, *spare);
		p->table[LEVEL_ROOT] = *spare++;
	}
	stale = path_step(s, v, view, gfn, p, &spare, &base, 2);
	stale |= path_step(s, v, view, gfn, p, &spare, &base, 1);
	stale |= path_step(s, v, view, gfn, p, &spare, &base, 0);
	*flush |= stale;
	v->recent = (uint32_t)p->table[0];
	return p->table[0];
}

static void table_gone(struct stage2 *s, struct view *v, uint64_t t, struct limbo *limbo)
{
	uint32_t i;

	chain_remove(t);
	if (v->recent == t) {
		v->recent = FRAMES_MAX;
	}
	if (frames[t].level == LEVEL_ROOT) {
		/* Nobody walks it any more: so little to clear that it comes back as a clean frame. */
		for (i = 0; i < s->root_entries; i++) {
			entry_write(t, i, 0);
		}
		frames[t].dirty = 0;
		frames[t].link = RUN;
	}
	limbo_add(limbo, mfn_of(t), ORDER_4K);
	s->tables_used--;
	s->view_tables--;
	v->tables--;
}

/* Shares again what no longer differs on the way to gfn. */
COLD static bool path_fold(struct stage2 *s, struct view *v, uint64_t gfn, struct limbo *limbo)
{
	struct path p = path_find(v, gfn);
	bool stale = false;
	uint32_t l;

	for (l = 0; l < LEVEL_ROOT && frames[p.table[l]].count == 0; l++) {
		uint64_t base = base_at(s, gfn, l + 1);

		if (MUTANT == 3 && entry_kind(base, l + 1) == ENTRY_LEAF) {
			base = entry_leaf_with(entry_mfn(base, l + 1), ACCESS_RWX, 1, l + 1);
		}
		stale |= put(p.table[l + 1], index_of(gfn, l + 1), shared_entry(v, base, l + 1), l + 1);
		CHECK(frames[p.table[l + 1]].count > 0);
		frames[p.table[l + 1]].count--;
		table_gone(s, v, p.table[l], limbo);
	}
	return stale;
}

/* Sets the intent at gfn, where t is the view's table of level 0 and `base` the base's entry. */
ALWAYS_INLINE bool intent_set(struct stage2 *s, struct view *v, uint64_t gfn, uint64_t t, uint64_t base,
			      struct intent w, struct limbo *limbo)
{
	uint32_t index = index_of(gfn, 0);
	uint64_t e = machine[t][index];
	bool stale;

	if (entry_any_own(e)) {
		if (entry_own(e) & OWN_TARGET) {
			CHECK(frames[entry_mfn(e, 0)].prev > 0 && v->remaps > 0);
			frames[entry_mfn(e, 0)].prev--;
			v->remaps--;
		}
		frames[t].count--;
		v->own--;
	}
	if (intent_any(w)) {
		if (w.own & OWN_TARGET) {
			frames[w.target].prev++;
			v->remaps++;
		}
		frames[t].count++;
		v->own++;
	}
	stale = put(t, index, own_entry(v, base, w), 0);
	return frames[t].count ? stale : path_fold(s, v, gfn, limbo) || stale;
}

/* ---- a page goes ---------------------------------------------------------- */

/* The first gfn, from `from` on, at which private table t shows the frame; WHERE_NONE. */
static uint64_t remap_find(uint64_t t, uint64_t from, uint64_t mfn)
{
	uint64_t span = level_span(frames[t].level), prefix = frames[t].where * RUN, gfn, e;
	uint32_t i;

	for (i = 0; i < RUN && frames[t].count; i++) {
		if ((prefix + i + 1) * span <= from) {
			continue;
		}
		if (frames[t].level == 0) {
			e = machine[t][i];
			if (entry_kind(e, 0) == ENTRY_LEAF && entry_own(e) & OWN_TARGET &&
			    entry_mfn(e, 0) == mfn) {
				return prefix + i;
			}
		} else if (private_child(t, i, frames[t].level) != FRAMES_MAX) {
			gfn = remap_find(private_child(t, i, frames[t].level), from, mfn);
			if (gfn != WHERE_NONE) {
				return gfn;
			}
		}
	}
	return WHERE_NONE;
}

void view_target_gone(struct stage2 *s, uint64_t mfn, struct limbo *limbo)
{
	uint32_t i;

	for (i = 1; i < s->views_end && frames[mfn].prev; i++) {
		struct view *v = &nuc_views[s->domain][i];
		uint64_t gfn = 0;

		while (v->live && v->remaps && frames[mfn].prev) {
			struct intent w;
			uint64_t t;

			gfn = remap_find(v->root, gfn, mfn);
			if (gfn == WHERE_NONE) {
				break;
			}
			t = path_find(v, gfn).table[0];
			w = intent_of(machine[t][index_of(gfn, 0)]);
			w.own -= OWN_TARGET;
			v->generation++;
			s->losses++;
			intent_set(s, v, gfn, t, base_at(s, gfn, 0), w, limbo);
		}
	}
	CHECK(frames[mfn].prev == 0);
}

/* ---- life and death ------------------------------------------------------- */

int nuc_view_create(uint32_t domain, uint32_t view, uint32_t default_access, uint32_t flags)
{
	struct nuc_domain *d;
	int error = -ESRCH;

	nucleus_lock();
	d = nuc_domain_find(domain);
	if (!d) {
		goto out;
	}
	error = -EINVAL;
	if (view == 0 || view >= VIEWS_MAX || !access_valid(default_access) || flags > VIEW_EMPTY) {
		goto out;
	}
	error = -EEXIST;
	if (view_find(domain, view)) {
		goto out;
	}
	nuc_views[domain][view] = (struct view){ .root = FRAMES_MAX, .recent = FRAMES_MAX, .live = 1,
						 .access = (uint8_t)default_access, .flags = (uint8_t)flags };
	d->stage2.views_live++;
	if (d->stage2.views_end <= view) {
		d->stage2.views_end = view + 1;
	}
	error = 0;
out:
	nucleus_unlock();
	return error;
}

/* Puts private table t and those below it into limbo. */
static void tree_drop(struct stage2 *s, struct view *v, uint64_t t, struct limbo *limbo)
{
	uint32_t i;

	if (frames[t].level == 0 && v->remaps) {
		for (i = 0; i < RUN; i++) {
			struct intent w = intent_of(machine[t][i]);

			if (w.own & OWN_TARGET) {
				frames[w.target].prev--;
				v->remaps--;
			}
		}
	}
	for (i = 0; frames[t].level && frames[t].count && i < RUN; i++) {
		uint64_t child = private_child(t, i, frames[t].level);

		if (child != FRAMES_MAX) {
			frames[t].count--;
			tree_drop(s, v, child, limbo);
		}
	}
	if (MUTANT == 5 && frames[t].level == 1) {
		chain_remove(t);
		return;
	}
	table_gone(s, v, t, limbo);
}

int nuc_view_destroy(uint32_t domain, uint32_t view)
{
	struct limbo limbo = LIMBO_EMPTY;
	struct nuc_domain *d;
	struct view *v;
	int error = -ESRCH;

	nucleus_lock();
	d = nuc_domain_find(domain);
	if (!d) {
		goto out;
	}
	error = -EINVAL;
	if (view == 0) {
		goto out;
	}
	error = -ENOENT;
	v = view_find(domain, view);
	if (!v) {
		goto out;
	}
	error = -EBUSY;
	if (!machine_view_evict(domain, view)) {
		goto out;
	}
	if (v->root != FRAMES_MAX) {
		tree_drop(&d->stage2, v, v->root, &limbo);
	}
	v->live = 0;
	if (--d->stage2.views_live == 0) {
		d->stage2.views_end = 1;
	}
	/* Evicted: no CPU holds anything of the view, nor can again. */
	limbo_drain(&limbo);
	error = 0;
out:
	nucleus_unlock();
	return error;
}

int nuc_view_default(uint32_t domain, uint32_t view, uint32_t default_access)
{
	struct nuc_domain *d;
	struct view *v;
	bool stale = false;
	int error = -ESRCH;
	uint32_t i;

	nucleus_lock();
	d = nuc_domain_find(domain);
	if (!d) {
		goto out;
	}
	error = -ENOENT;
	v = view_find(domain, view);
	if (!v) {
		goto out;
	}
	error = -EINVAL;
	if (!access_valid(default_access)) {
		goto out;
	}
	error = 0;
	v->access = (uint8_t)default_access;
	for (i = 0; v->root != FRAMES_MAX && i < d->stage2.root_entries; i++) {
		stale |= sync(v, v->root, i, machine[d->stage2.root][i]);
	}
	if (stale) {
		machine_flush_view(domain, view);
	}
out:
	nucleus_unlock();
	return error;
}

/* ---- changes -------------------------------------------------------------- */

/* Does now what would be done at the end. A view's own tables are known to who is in that view only. */
static void settle(struct stage2 *s, uint32_t view, struct pending *todo)
{
	if ((todo->flush || todo->limbo.head != FRAMES_MAX) && MUTANT != 1) {
		if (view) {
			machine_flush_view(s->domain, view);
		} else {
			machine_flush_domain(s->domain);
		}
	}
	if (todo->limbo.head != FRAMES_MAX) {
		limbo_drain(&todo->limbo);
	}
	todo->flush = false;
}

/* Reserves tables; memory that this call itself has in limbo counts. */
static int reserve(struct stage2 *s, uint32_t view, uint32_t count, uint64_t spare[LEVELS],
		   struct pending *todo)
{
	int error = stage2_reserve(s, count, spare);

	if (error && todo->limbo.head != FRAMES_MAX) {
		settle(s, view, todo);
		error = stage2_reserve(s, count, spare);
	}
	return error;
}

/*
 * Word i of a change, read once, so that what was checked is what is used, whoever
 * writes there meanwhile. Word 2 is all that is to be done, but for the gfns.
 */
ALWAYS_INLINE uint64_t word(const struct view_change *c, uint32_t i)
{
	return __atomic_load_n((const word_t *)c + i, __ATOMIC_RELAXED);
}

ALWAYS_INLINE uint8_t what_access(uint64_t what)
{
	return (uint8_t)(what >> 32);
}

static uint32_t what_suppress(uint64_t what)
{
	return (uint8_t)(what >> 40);
}

ALWAYS_INLINE struct view_change change_of(uint64_t gfn, uint64_t new_gfn, uint64_t what)
{
	return (struct view_change){ .gfn = gfn, .new_gfn = new_gfn, .set = (uint32_t)what,
				     .access = what_access(what), .suppress_ve = (uint8_t)what_suppress(what),
				     .step = (uint16_t)(what >> 48) };
}

/* Whether the page at gfn is a vCPU's #VE information page. Such a page is pinned. */
ALWAYS_INLINE bool ve_page(const struct stage2 *s, uint64_t gfn, uint64_t mfn)
{
	return frames[mfn].count && machine_ve_page(s->domain, gfn);
}

static int base_change(struct stage2 *s, const struct view_change *c, struct pending *todo)
{
	uint32_t access = ~0u, suppress = ~0u;
	int error;

	struct translation t;

	if (c->set & ~(VIEW_SET_ACCESS | VIEW_SET_SUPPRESS_VE)) {
		return -EINVAL;
	}
	t = stage2_translate(s, gfn_of(c->gfn));
	if (t.present && ve_page(s, c->gfn, t.mfn)) {
		return -EBUSY;
	}
	if (c->set & VIEW_SET_ACCESS) {
		access = c->access == VIEW_ACCESS_DEFAULT ? nuc_views[s->domain][0].access : c->access;
	}
	if (c->set & VIEW_SET_SUPPRESS_VE) {
		suppress = c->suppress_ve ? 1 : 0;
	}
	error = stage2_access(s, gfn_of(c->gfn), access, suppress, &todo->limbo, &todo->flush);
	if (error == -ENOMEM && todo->limbo.head != FRAMES_MAX) {
		settle(s, 0, todo);
		error = stage2_access(s, gfn_of(c->gfn), access, suppress, &todo->limbo, &todo->flush);
	}
	return error == -ENOENT ? -ESRCH : error;
}

/* What the intent becomes by this change, all of which is valid. -ESRCH: no page at new_gfn. */
static int intent_change(const struct stage2 *s, uint32_t view, const struct view_change *c, struct intent *w)
{
	if (c->set & VIEW_SET_ACCESS) {
		w->own = (w->own & ~OWN_ACCESS) | (c->access == VIEW_ACCESS_DEFAULT ? 0 : OWN_ACCESS);
		w->access = access_rights(c->access);
		w->turns = access_turns(c->access);
	}
	if (c->set & VIEW_SET_SUPPRESS_VE) {
		w->own = (w->own & ~OWN_SUPPRESS) |
			 (c->suppress_ve == VIEW_SUPPRESS_DEFAULT ? 0 : OWN_SUPPRESS);
		w->suppress = c->suppress_ve;
	}
	if (c->set & VIEW_SET_STEP) {
		w->step = c->step == VIEW_NONE ? 0 : (c->step + STEPS - view) % STEPS;
	}
	if (c->set & VIEW_SET_TARGET) {
		w->own &= ~OWN_TARGET;
		if (c->new_gfn != ~0ull) {
			struct translation t = stage2_translate(s, gfn_of(c->new_gfn));

			if (!t.present) {
				return -ESRCH;
			}
			w->own |= OWN_TARGET;
			w->target = t.mfn;
		}
	}
	return 0;
}

/* One change of a view that isn't the base. */
static int view_change(struct stage2 *s, uint32_t view, const struct view_change *c, struct pending *todo)
{
	struct view *v = &nuc_views[s->domain][view];
	uint32_t missing, index = index_of(c->gfn, 0);
	uint64_t spare[LEVELS], block = gfn_slot(c->gfn, 1), t, base;
	struct intent w = { .suppress = 1 };
	struct path p;
	int error;

	if (c->gfn >= s->gfn_limit) {
		return -ESRCH;
	}
	if (block != todo->block) {
		todo->base = base_at(s, c->gfn, 1);
		todo->block = block;
	}
	base = base_below(todo->base, 1, index);
	t = v->recent;
	if (t == FRAMES_MAX || frames[t].where != block) {
		p = path_find(v, c->gfn);
		t = p.table[0];
	}
	if (t != FRAMES_MAX) {
		w = intent_of(machine[t][index]);
	}
	if (entry_kind(base, 0) == ENTRY_LEAF) {
		if (ve_page(s, c->gfn, entry_mfn(base, 0))) {
			return -EBUSY;
		}
	} else if (!intent_any(w)) {
		return -ESRCH;
	}
	error = intent_change(s, view, c, &w);
	if (error) {
		return error;
	}
	if (t == FRAMES_MAX) {
		if (!intent_any(w)) {
			return 0;
		}
		missing = 1u + (p.table[1] == FRAMES_MAX) + (p.table[2] == FRAMES_MAX) +
			  (p.table[3] == FRAMES_MAX);
		error = reserve(s, view, missing, spare, todo);
		if (error) {
			return error;
		}
		t = path_make(s, view, c->gfn, &p, spare, &todo->flush);
	}
	todo->flush |= intent_set(s, v, c->gfn, t, base, w, &todo->limbo);
	return 0;
}

/*
 * The quick way for what is mostly asked: the first of `count` changes, and those
 * after it that are the same but for the gfn, as far as they set the access of
 * pages that lie in one table, private already, whose leaves need nothing but
 * another access. How many; 0: it takes view_change. `what` is valid.
 */
NOINLINE static uint32_t access_changes(const struct stage2 *s, struct view *v, const struct view_change *c,
					uint32_t count, uint64_t what, bool *flush)
{
	uint32_t access = access_rights(what_access(what)), turns = access_turns(what_access(what));
	uint32_t own = 0, n = 0;
	uint64_t gfn = word(c, 0), block = gfn_slot(gfn, 1), t = leaf_table(s, v, gfn);
	bool stale = false;

	if (t == FRAMES_MAX) {
		return 0;
	}
	do {
		uint32_t index = index_of(gfn, 0);
		uint64_t e = machine[t][index], new = entry_with_access(e, access, turns);

		/* A pinned page may be one that cannot be changed. */
		if (entry_kind(e, 0) != ENTRY_LEAF || frames[entry_mfn(e, 0)].count) {
			break;
		}
		if (new != e) {
			own += !entry_any_own(e);
			entry_write(t, index, new);
			stale |= entry_stale(e, new, 0);
		}
		c++;
		if (++n == count || word(c, 2) != what) {
			break;
		}
		gfn = word(c, 0);
	} while (gfn_slot(gfn, 1) == block);
	frames[t].count += own;
	v->own += own;
	*flush |= stale;
	return n;
}

ALWAYS_INLINE bool change_valid(uint32_t domain, uint32_t view, const struct view_change *c)
{
	if (c->set & ~(VIEW_SET_ACCESS | VIEW_SET_TARGET | VIEW_SET_SUPPRESS_VE | VIEW_SET_STEP)) {
		return false;
	}
	if (c->set & VIEW_SET_ACCESS && !access_settable(c->access)) {
		return false;
	}
	if (c->set & VIEW_SET_SUPPRESS_VE && c->suppress_ve > VIEW_SUPPRESS_DEFAULT) {
		return false;
	}
	return !(c->set & VIEW_SET_STEP) || c->step == VIEW_NONE ||
	       (c->step != view && view_find(domain, c->step));
}

/*
 * The same for access that is to be the base's again, of leaves of which nothing
 * else is set, up to the last that is set in the table: with that the table goes.
 */
NOINLINE static uint32_t access_clears(const struct stage2 *s, struct view *v, const struct view_change *c,
				       uint32_t count, uint64_t what, bool *flush)
{
	uint64_t gfn = word(c, 0), block = gfn_slot(gfn, 1), t = leaf_table(s, v, gfn), base;
	uint32_t own = 0, n = 0;
	bool stale = false;

	if (t == FRAMES_MAX) {
		return 0;
	}
	base = base_at(s, gfn, 1);
	do {
		uint32_t index = index_of(gfn, 0);
		uint64_t e = machine[t][index], new;

		if (entry_kind(e, 0) != ENTRY_LEAF || entry_own(e) != OWN_ACCESS || entry_step(e) ||
		    own + 1 == frames[t].count) {
			break;
		}
		new = shared_entry(v, base_below(base, 1, index), 0);
		entry_write(t, index, new);
		stale |= entry_stale(e, new, 0);
		own++;
		c++;
		if (++n == count || word(c, 2) != what) {
			break;
		}
		gfn = word(c, 0);
	} while (gfn_slot(gfn, 1) == block);
	frames[t].count -= own;
	v->own -= own;
	*flush |= stale;
	return n;
}

/*
 * The quick way to remap one page, and to say at once whether it raises #VE, where
 * its leaf is the view's already. False: it takes view_change.
 */
NOINLINE static bool target_change(const struct stage2 *s, struct view *v, const struct view_change *c,
				   uint64_t what, bool *flush)
{
	uint64_t gfn = word(c, 0), new_gfn = word(c, 1), t = leaf_table(s, v, gfn), base, e, new;
	uint32_t index = index_of(gfn, 0);

	if (t == FRAMES_MAX || new_gfn >= s->gfn_limit) {
		return false;
	}
	e = machine[t][index];
	base = base_at(s, new_gfn, 0);
	if (entry_kind(e, 0) != ENTRY_LEAF || entry_kind(base, 0) != ENTRY_LEAF ||
	    frames[entry_mfn(e, 0)].count) {
		return false;
	}
	if (entry_own(e) & OWN_TARGET) {
		CHECK(frames[entry_mfn(e, 0)].prev > 0);
		frames[entry_mfn(e, 0)].prev--;
	} else {
		v->remaps++;
		if (!entry_any_own(e)) {
			frames[t].count++;
			v->own++;
		}
	}
	frames[entry_mfn(base, 0)].prev++;
	new = entry_with_target(e, entry_mfn(base, 0));
	if (what & VIEW_SET_SUPPRESS_VE) {
		new = entry_with_suppress(new, what_suppress(what));
	}
	entry_write(t, index, new);
	*flush |= entry_stale(e, new, 0);
	return true;
}

/* One change of any view and any kind. */
NOINLINE static int change_apply(struct stage2 *s, uint32_t view, const struct view_change *change,
				 struct pending *todo)
{
	struct view_change c = change_of(word(change, 0), word(change, 1), word(change, 2));

	if (!change_valid(s->domain, view, &c)) {
		return -EINVAL;
	}
	return view ? view_change(s, view, &c, todo) : base_change(s, &c, todo);
}

/* All changes in order, up to the first that fails; how many. */
ALWAYS_INLINE uint32_t changes_apply(struct stage2 *s, struct view *v, uint32_t view,
				     const struct view_change *changes, uint32_t count, struct pending *todo,
				     int *error)
{
	uint32_t done = 0, n;

	while (done < count) {
		uint64_t what = word(&changes[done], 2);

		n = 0;
		if (view && (uint32_t)what == VIEW_SET_ACCESS && access_settable(what_access(what))) {
			if (what_access(what) == VIEW_ACCESS_DEFAULT) {
				n = access_clears(s, v, &changes[done], count - done, what, &todo->flush);
			} else {
				n = access_changes(s, v, &changes[done], count - done, what, &todo->flush);
			}
		} else if (view && ((uint32_t)what == VIEW_SET_TARGET ||
				    ((uint32_t)what == (VIEW_SET_TARGET | VIEW_SET_SUPPRESS_VE) &&
				     what_suppress(what) < VIEW_SUPPRESS_DEFAULT))) {
			n = target_change(s, v, &changes[done], what, &todo->flush);
		}
		if (!n) {
			*error = change_apply(s, view, &changes[done], todo);
			if (*error) {
				break;
			}
			n = 1;
		}
		done += n;
	}
	return done;
}

int nuc_view_change(uint32_t domain, uint32_t view, const struct view_change *changes, uint32_t count,
		    int *error)
{
	struct pending todo = { .limbo = LIMBO_EMPTY, .block = WHERE_NONE };
	uint32_t done = 0;
	struct nuc_domain *d;
	struct view *v;
	int result = 0;

	CHECK(machine_core_range(error, sizeof(*error), true));
	nucleus_lock();
	d = nuc_domain_find(domain);
	if (!d) {
		result = -ESRCH;
	} else if (!(v = view_find(domain, view))) {
		result = -ENOENT;
	} else if (count > CHANGES_MAX ||
		   !machine_core_range(changes, (uint64_t)count * sizeof(*changes), false)) {
		result = -EINVAL;
	} else {
		done = changes_apply(&d->stage2, v, view, changes, count, &todo, &result);
		settle(&d->stage2, view, &todo);
	}
	nucleus_unlock();
	*error = result;
	return (int)done;
}

/* ---- looking -------------------------------------------------------------- */

/* The entry that decides about gfn in a tree, and the rights that the levels above it leave. */
static uint64_t tree_find(uint64_t t, uint64_t gfn, uint32_t *level, uint32_t *rights, uint64_t *table)
{
	uint64_t e = machine[t][index_of(gfn, LEVEL_ROOT)];
	uint32_t l;

	*rights = ACCESS_RWX;
	for (l = LEVEL_ROOT; l > 0 && entry_kind(e, l) == ENTRY_TABLE; l--) {
		*rights &= entry_access(e, l);
		t = entry_mfn(e, l);
		e = machine[t][index_of(gfn, l - 1)];
	}
	*level = l;
	*table = t;
	return e;
}

/* What a view without a root would show. */
static struct translation rootless(const struct stage2 *s, const struct view *v, uint64_t gfn)
{
	struct translation r = stage2_translate(s, gfn_of(gfn));

	if (v->flags & VIEW_EMPTY) {
		return (struct translation){ .present = false, .level = LEVEL_ROOT };
	}
	r.access &= v->access;
	if (v->access != ACCESS_RWX) {
		r.turns = 0;
	}
	if (!v->access) {
		r.suppress = 1;
	}
	return r;
}

struct translation view_translate(uint32_t domain, uint32_t view, gfn_t gfn)
{
	struct translation r = { .present = false, .level = LEVEL_ROOT };
	const struct nuc_domain *d = nuc_domain_find(domain);
	const struct view *v = d ? view_find(domain, view) : NULL;
	uint32_t level, rights;
	uint64_t e, table;

	if (!v || gfn.gfn >= d->stage2.gfn_limit) {
		return r;
	}
	if (view == 0) {
		return stage2_translate(&d->stage2, gfn);
	}
	if (v->root == FRAMES_MAX) {
		return rootless(&d->stage2, v, gfn.gfn);
	}
	e = tree_find(v->root, gfn.gfn, &level, &rights, &table);
	r.level = (uint8_t)level;
	if (entry_kind(e, level) == ENTRY_LEAF) {
		r.present = true;
		r.access = (uint8_t)(entry_access(e, level) & rights);
		r.suppress = (uint8_t)(rights ? entry_suppress(e, level) : 1);
		r.turns = (uint8_t)(rights == ACCESS_RWX ? entry_turns(e, level) : 0);
		r.mfn = entry_mfn(e, level) + gfn_offset(gfn.gfn, level);
	}
	return r;
}

int view_entry_at(uint32_t domain, uint32_t view, gfn_t gfn, struct view_entry *entry)
{
	struct view_entry out = { .target = ~0ull, .step = VIEW_NONE, .suppress_ve = 1, .level = LEVEL_ROOT };
	const struct nuc_domain *d = nuc_domain_find(domain);
	const struct view *v;
	struct translation t;
	struct path p;

	if (!d) {
		return -ESRCH;
	}
	v = view_find(domain, view);
	if (!v) {
		return -ENOENT;
	}
	if (gfn.gfn >= d->stage2.gfn_limit) {
		return -EINVAL;
	}
	t = view_translate(domain, view, gfn);
	out.level = t.level;
	if (t.present) {
		out.target = frames[t.mfn].where;
		out.access = (uint8_t)access_join(t.access, t.turns);
		out.suppress_ve = t.suppress;
	}
	p = path_find(v, gfn.gfn);
	if (view && p.table[0] != FRAMES_MAX) {
		struct intent w = intent_of(machine[p.table[0]][index_of(gfn.gfn, 0)]);

		out.own_access = w.own & OWN_ACCESS ? 1 : 0;
		out.own_target = w.own & OWN_TARGET ? 1 : 0;
		out.own_suppress_ve = w.own & OWN_SUPPRESS ? 1 : 0;
		out.own_step = w.step != 0;
		if (w.step) {
			out.step = (uint16_t)((w.step + view) % STEPS);
		}
		if (out.own_access) {
			out.access = (uint8_t)access_join(w.access, w.turns);
		}
		if (out.own_suppress_ve) {
			out.suppress_ve = (uint8_t)w.suppress;
		}
	}
	*entry = out;
	return 0;
}

int nuc_view_entry(uint32_t domain, uint32_t view, gfn_t gfn, struct view_entry *entry)
{
	int error;

	CHECK(machine_core_range(entry, sizeof(*entry), true));
	nucleus_lock();
	error = view_entry_at(domain, view, gfn, entry);
	nucleus_unlock();
	return error;
}

int nuc_view_list(uint32_t domain, uint32_t from, struct view_info *info, uint32_t count)
{
	struct nuc_domain *d;
	int result = -ESRCH;
	uint32_t i, n = 0;

	nucleus_lock();
	d = nuc_domain_find(domain);
	if (!d) {
		goto out;
	}
	result = -EINVAL;
	if (count > VIEWS_MAX || !machine_core_range(info, (uint64_t)count * sizeof(*info), true)) {
		goto out;
	}
	for (i = from; i < d->stage2.views_end && n < count; i++) {
		const struct view *v = &nuc_views[domain][i];

		if (v->live) {
			info[n++] = (struct view_info){
				.view = i,
				.tables = i ? v->tables : d->stage2.tables_used - d->stage2.view_tables,
				.vcpus = machine_view_vcpus(domain, i),
				.own_entries = v->own,
				.generation = v->generation,
				.default_access = v->access,
				.flags = v->flags,
			};
		}
	}
	result = (int)n;
out:
	nucleus_unlock();
	return result;
}

uint64_t nuc_view_losses(uint32_t domain)
{
	const struct nuc_domain *d;
	uint64_t losses;

	nucleus_lock();
	d = nuc_domain_find(domain);
	losses = d ? d->stage2.losses : 0;
	nucleus_unlock();
	return losses;
}

/* ---- for vCPUs ------------------------------------------------------------ */

uint64_t view_root(uint32_t domain, uint32_t view)
{
	const struct nuc_domain *d = nuc_domain_find(domain);
	const struct view *v = d ? view_find(domain, view) : NULL;

	if (!v) {
		return 0;
	}
	return view == 0 ? d->stage2.root : v->root == FRAMES_MAX ? 0 : v->root;
}

int view_root_need(uint32_t domain, uint32_t view, uint64_t *root)
{
	struct nuc_domain *d = nuc_domain_find(domain);
	const struct view *v = d ? view_find(domain, view) : NULL;
	uint64_t spare[LEVELS];

	if (!v) {
		return d ? -ENOENT : -ESRCH;
	}
	if (view && v->root == FRAMES_MAX) {
		if (stage2_reserve(&d->stage2, 1, spare)) {
			return -ENOMEM;
		}
		root_make(&d->stage2, view, spare[0]);
	}
	*root = view ? v->root : d->stage2.root;
	return 0;
}

bool view_any_set(uint32_t domain, gfn_t gfn)
{
	const struct nuc_domain *d = nuc_domain_find(domain);
	uint32_t i;

	for (i = 1; d && i < d->stage2.views_end && gfn.gfn < d->stage2.gfn_limit; i++) {
		const struct view *v = &nuc_views[domain][i];

		if (v->live && v->own) {
			struct path p = path_find(v, gfn.gfn);

			if (p.table[0] != FRAMES_MAX &&
			    intent_any(intent_of(machine[p.table[0]][index_of(gfn.gfn, 0)]))) {
				return true;
			}
		}
	}
	return false;
}

/* ---- for the audit -------------------------------------------------------- */

/* Tables of a broken machine may lead anywhere. */
static uint64_t frame_checked(uint64_t mfn)
{
	return mfn < frame_count && frames[mfn].type == FRAME_TABLE ? mfn : FRAMES_MAX;
}

uint64_t view_base_table(const struct stage2 *s, uint64_t t)
{
	uint64_t base = s->root, gfn = frames[t].where * level_span(frames[t].level) * RUN, e;
	uint32_t l;

	for (l = LEVEL_ROOT; l > frames[t].level && base != FRAMES_MAX; l--) {
		e = machine[base][index_of(gfn, l)];
		base = entry_kind(e, l) == ENTRY_TABLE ? frame_checked(entry_mfn(e, l)) : FRAMES_MAX;
	}
	return base;
}

bool view_entry_sound(const struct stage2 *s, uint64_t t, uint32_t index)
{
	const struct view *v = &nuc_views[s->domain][frames[t].view];
	uint32_t level = frames[t].level, l;
	uint64_t gfn = (frames[t].where * RUN + index) * level_span(level), base, e = machine[t][index], c;

	base = machine[s->root][index_of(gfn, LEVEL_ROOT)];
	for (l = LEVEL_ROOT; l > level; l--) {
		if (entry_kind(base, l) == ENTRY_TABLE && frame_checked(entry_mfn(base, l)) == FRAMES_MAX) {
			return false;
		}
		base = base_below(base, l, index_of(gfn, l - 1));
	}
	if (level == 0) {
		return entry_kind(e, 0) != ENTRY_BAD && e == own_entry(v, base, intent_of(e));
	}
	if (entry_kind(e, level) == ENTRY_TABLE) {
		c = frame_checked(entry_mfn(e, level));
		if (c != FRAMES_MAX && frames[c].view) {
			return e == entry_private(c, level);
		}
	}
	return e == shared_entry(v, base, level);
}
