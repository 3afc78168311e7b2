/* SPDX-License-Identifier: Apache-2.0 */
/* Views: see view.h, and nucleus.h for what each call promises. Validate, reserve, then don't fail. */
#include "view.h"

#include "check.h"
#include "lock.h"
#include "memory.h"
#include "string.h"

#ifndef MUTANT
#define MUTANT 0                        /* which bug is seeded, for the test of the tests: fake/mutant.h */
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

/*@ predicate intent_ok(struct intent w) =
      w.own < OWN_FLAGS && w.step < STEPS && w.turns <= 1 &&
      ((w.own & OWN_ACCESS) != 0 ==> access_valid(w.access)) && ((w.own & OWN_SUPPRESS) != 0 ==>
            w.suppress <= 1);
    // What is shown at a remapped gfn: rule 1, but for the place.
    predicate target_ok{L}(integer f, integer d) =
      0 <= f < frame_count && (frames[f].type == FRAME_GUEST || frames[f].type == FRAME_SHARED) &&
      frames[f].owner == d;
 */

/* The private tables on the way to a gfn, by level; FRAMES_MAX: none. */
struct path {
	uint64_t table[LEVELS];
};

/*@ predicate path_ok{L}(struct path p, integer d, integer k, integer gfn) =
      (p.table[3] != FRAMES_MAX ==> is_copy(p.table[3], d, k, 3) && frames[p.table[3]].where == 0) &&
      (p.table[2] != FRAMES_MAX ==> is_copy(p.table[2], d, k, 2) && frames[p.table[2]].where == gfn / SPAN3 &&
        p.table[3] != FRAMES_MAX && parent[p.table[2]] == p.table[3]) &&
      (p.table[1] != FRAMES_MAX ==> is_copy(p.table[1], d, k, 1) && frames[p.table[1]].where == gfn / SPAN2 &&
        p.table[2] != FRAMES_MAX && parent[p.table[1]] == p.table[2]) &&
      (p.table[0] != FRAMES_MAX ==> is_copy(p.table[0], d, k, 0) && frames[p.table[0]].where == gfn / SPAN1 &&
        p.table[1] != FRAMES_MAX && parent[p.table[0]] == p.table[1]);
    // So many tables are to be made.
    logic integer missing(struct path p) =
      (p.table[0] == FRAMES_MAX ? 1 : 0) + (p.table[1] == FRAMES_MAX ? 1 : 0) +
      (p.table[2] == FRAMES_MAX ? 1 : 0) + (p.table[3] == FRAMES_MAX ? 1 : 0);
    // A live domain.
    predicate domain_ok{L}(integer d) =
      nuc_domains[d].stage2.domain == d && stage2_ok(&nuc_domains[d].stage2) && sound(d) && views_ok(d);
    predicate ready{L}(integer d) =
      frames_ok && (d < DOMAINS_MAX && nuc_domains[d].state == NUC_DOMAIN_LIVE ==> domain_ok(d));
 */

/* What a call has to do when it is through, and what it knows of where it was last. */
struct pending {
	struct limbo limbo;
	bool flush;
	uint64_t block;                 /* the gfn / RUN that `base` is of; WHERE_NONE: of none */
	uint64_t base;                  /* the base's entry there, at level 1 */
};

/*@ requires domain < DOMAINS_MAX;
    terminates \true; exits \false; assigns \nothing;
    ensures view < VIEWS_MAX && nuc_views[domain][view].live != 0 ==> \result == &nuc_views[domain][view];
    ensures !(view < VIEWS_MAX && nuc_views[domain][view].live != 0) ==> \result == \null; */
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
/*@ requires \valid_read(v);
    terminates \true; exits \false; assigns \nothing;
    ensures \result <==> v->access == ACCESS_RWX && (v->flags & VIEW_EMPTY) == 0; */
ALWAYS_INLINE bool view_plain(const struct view *v)
{
	return v->access == ACCESS_RWX && !(v->flags & VIEW_EMPTY);
}

/* A private table's entry where nothing is set in or below it, from the base's entry. */
/*@ requires \valid_read(v) && level <= 3 && access_valid(v->access);
    requires e_kind(base, level) == ENTRY_EMPTY || e_kind(base, level) == ENTRY_TABLE || e_kind(base,
          level) == ENTRY_LEAF;
    requires e_kind(base, level) != ENTRY_EMPTY ==> access_valid(e_access(base));
    terminates \true; exits \false; assigns \nothing;
    ensures e_kind(\result, level) != ENTRY_EMPTY ==> access_valid(e_access(\result));
    ensures \forall integer d, k, slot;
      k != 0 && entry_ok(base, d, 0, level, slot) ==> entry_ok(\result, d, k, level, slot);
    ensures level > 0 && e_kind(\result, level) == ENTRY_TABLE ==>
      (e_private(\result) ==> e_private(base)) && e_kind(base, level) == ENTRY_TABLE &&
      e_mfn(\result, level) == e_mfn(base, level);
    ensures e_kind(\result, level) == ENTRY_LEAF ==>
      e_kind(base, level) == ENTRY_LEAF && e_mfn(\result, level) == e_mfn(base, level);
    ensures (v->flags & VIEW_EMPTY) != 0 ==> e_kind(\result, level) == ENTRY_EMPTY;
    ensures (v->flags & VIEW_EMPTY) == 0 ==> e_kind(\result, level) == e_kind(base, level); */
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
/*@ requires 1 <= level <= 3 && index < RUN;
    requires e_kind(base, level) == ENTRY_TABLE ==> e_mfn(base, level) < FRAMES_MAX;
    requires e_kind(base, level) == ENTRY_LEAF ==> e_mfn(base, level) + span(level) <= FRAMES_MAX;
    terminates \true; exits \false; assigns \nothing;
    ensures \forall integer d, slot; tables_ok(d) && entry_ok(base, d, 0, level, slot) ==>
      kind_ok(\result, 0, level - 1);
    ensures \forall integer d, slot; tables_ok(d) && entry_ok(base, d, 0, level, slot) ==>
      link_ok(\result, d, 0, level - 1, slot * RUN + index);
    ensures z3: level == 1 ==> \forall integer d, slot; tables_ok(d) && entry_ok(base, d, 0, 1, slot) ==>
      leaf_ok(\result, d, 0, 0, slot * RUN + index);
    ensures z3: level == 2 ==> \forall integer d, slot; tables_ok(d) && entry_ok(base, d, 0, 2, slot) ==>
      leaf_ok(\result, d, 0, 1, slot * RUN + index);
    ensures z3: level == 3 ==> \forall integer d, slot; tables_ok(d) && entry_ok(base, d, 0, 3, slot) ==>
      leaf_ok(\result, d, 0, 2, slot * RUN + index); */
ALWAYS_INLINE uint64_t base_below(uint64_t base, uint32_t level, uint32_t index)
{
	enum entry_kind kind = entry_kind(base, level);
	uint64_t span_below;

	if (kind == ENTRY_TABLE) {
		return machine[entry_mfn(base, level)][index];
	}
	if (kind == ENTRY_LEAF) {
		/*@ assert (level == 1 && span(level) == RUN && span(level - 1) == 1) ||
		      (level == 2 && span(level) == SPAN2 && span(level - 1) == RUN); */
		span_below = level_span(level - 1);
		/*@ assert (level == 1 && span_below == 1 && span(level) == RUN) ||
		      (level == 2 && span_below == RUN && span(level) == SPAN2); */
		//@ assert level == 1 ==> index * span_below == index;
		//@ assert level == 2 ==> index * span_below == index * RUN;
		//@ assert index * span_below < RUN * RUN;
		//@ assert e_mfn(base, level) < FRAMES_MAX;
		return entry_piece(base, index * span_below, level);
	}
	return entry_empty(level - 1);
}

/* The base's entry that a private table of this level has at gfn. */
/*@ requires \valid_read(s) && frames_ok && stage2_ok(s) && tables_ok(s->domain) && level <= 3 && gfn < s->gfn_limit;
    terminates \true; exits \false; assigns \nothing;
    ensures entry_ok(\result, s->domain, 0, level, gfn / span(level)); */
ALWAYS_INLINE uint64_t base_at(const struct stage2 *s, uint64_t gfn, uint32_t level)
{
	uint64_t base = machine[s->root][index_of(gfn, 3)];

	//@ assert word_ok(s->root, gfn_index(gfn, 3));
	//@ assert entry_ok(base, s->domain, 0, 3, gfn / SPAN3);
	base = level < 3 ? base_below(base, 3, index_of(gfn, 2)) : base;
	//@ assert level < 3 ==> entry_ok(base, s->domain, 0, 2, gfn / SPAN2);
	base = level < 2 ? base_below(base, 2, index_of(gfn, 1)) : base;
	//@ assert level < 2 ==> entry_ok(base, s->domain, 0, 1, gfn / SPAN1);
	return level < 1 ? base_below(base, 1, index_of(gfn, 0)) : base;
}

/* What is set in an entry of a private table of level 0. */
/*@ requires e_kind(e, 0) == ENTRY_LEAF ==> access_valid(e_access(e));
    requires e_kind(e, 0) == ENTRY_KEPT ==> access_valid(e_kept_access(e));
    terminates \true; exits \false; assigns \nothing;
    ensures intent_ok(\result);
    ensures \result.own == (e_kind(e, 0) == ENTRY_LEAF || e_kind(e, 0) == ENTRY_KEPT ? e_own(e) : 0);
    ensures \result.step == (e_kind(e, 0) == ENTRY_LEAF || e_kind(e, 0) == ENTRY_KEPT ? e_step(e) : 0);
    ensures e_kind(e, 0) == ENTRY_LEAF ==> \result.target == e_mfn(e, 0);
    ensures e_kind(e, 0) == ENTRY_KEPT ==> \result.target == FRAMES_MAX; */
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

/*@ terminates \true; exits \false; assigns \nothing;
    ensures \result <==> w.own != 0 || w.step != 0; */
ALWAYS_INLINE bool intent_any(struct intent w)
{
	return w.own || w.step;
}

/* The level-0 entry for this intent over the base's entry. */
/*@ requires \valid_read(v) && access_valid(v->access) && intent_ok(w);
    requires (w.own & OWN_TARGET) != 0 ==> w.target < ENTRY_MFNS;
    requires e_kind(base, 0) == ENTRY_EMPTY || e_kind(base, 0) == ENTRY_LEAF;
    requires e_kind(base, 0) == ENTRY_LEAF ==> access_valid(e_access(base));
    terminates \true; exits \false; assigns \nothing;
    ensures e_kind(\result, 0) == ENTRY_EMPTY || e_kind(\result, 0) == ENTRY_LEAF || e_kind(\result,
          0) == ENTRY_KEPT;
    ensures e_kind(\result, 0) == ENTRY_LEAF ==> access_valid(e_access(\result));
    ensures e_kind(\result, 0) == ENTRY_KEPT ==> access_valid(e_kept_access(\result)) &&
          (w.own & OWN_TARGET) == 0;
    ensures e_kind(\result, 0) == ENTRY_LEAF && (w.own & OWN_TARGET) == 0 ==> e_kind(base, 0) == ENTRY_LEAF;
    ensures w.own != 0 || w.step != 0 ==>
      (e_kind(\result, 0) == ENTRY_LEAF || e_kind(\result, 0) == ENTRY_KEPT) &&
      e_own(\result) == w.own && e_step(\result) == w.step;
    ensures e_kind(\result, 0) == ENTRY_LEAF ==>
      e_mfn(\result, 0) == ((w.own & OWN_TARGET) != 0 ? w.target : e_mfn(base, 0)) &&
      ((w.own & OWN_ACCESS) != 0 ==> e_access(\result) == w.access); */
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

/*@ requires in_use(base) && in_use(copy) && base != copy && same_place(base, copy) && frames[copy].view != 0;
    requires frames[copy].next == FRAMES_MAX && frames[copy].prev == FRAMES_MAX && chains_ok && frames_ok;
    terminates \true; exits \false;
    assigns frames[0 .. FRAMES_MAX - 1].next, frames[0 .. FRAMES_MAX - 1].prev;
    ensures chains_ok && frames_ok && (\old(limbo_ok) ==> limbo_ok); */
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

/*@ requires in_use(copy) && frames[copy].view != 0 && chains_ok && frames_ok;
    terminates \true; exits \false;
    assigns frames[0 .. FRAMES_MAX - 1].next, frames[0 .. FRAMES_MAX - 1].prev;
    ensures chains_ok && frames_ok && (\old(limbo_ok) ==> limbo_ok);
    ensures frames[copy].next == FRAMES_MAX && frames[copy].prev == FRAMES_MAX; */
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
/*@ requires t < FRAMES_MAX && index < RUN && level <= 3;
    assigns \nothing;
    ensures \result == FRAMES_MAX ||
      (level > 0 && e_kind(machine[t][index], level) == ENTRY_TABLE && e_private(machine[t][index]) &&
       \result == e_mfn(machine[t][index], level) && \result < frame_count); */
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

/* Writes an entry of a private table, if it differs. True if hardware may hold something of the earlier one. */
/*@ requires \let d = frames[t].owner; placed(t, d) && frames[t].view != 0 && sound(d) &&
      frames[t].level == level && entry_at(t, index) &&
      entry_ok(e, d, frames[t].view, level, frames[t].where * RUN + index) &&
      (is_private(e, level) ==> parent[e_mfn(e, level)] == t);
    terminates \true; exits \false; assigns machine[t][index], frames[t].link;
    ensures sound(frames[t].owner) && machine[t][index] == e; */
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
	//@ ghost uint16_t d = frames[t].owner;
	//@ assert shapes_same{Pre,Here} && parents_same{Pre,Here} && words_same_but{Pre,Here}(t);
	/*@ assert entry_ok{Pre}(e, d, frames[t].view, level, frames[t].where * RUN + index) ==>
	      entry_ok(e, d, frames[t].view, level, frames[t].where * RUN + index); */
	//@ assert word_ok(t, index) && parent_ok(t, index);
	//@ assert words_right{Pre,Here}(d) && tables_ok(d);
	//@ assert parents_right{Pre,Here}(d) && parents_ok(d);
	//@ assert \forall integer m; 0 <= m < frame_count ==> frames[m].link <= RUN;
	//@ assert frames_ok;
	//@ assert \forall integer m; 0 <= m < FRAMES_MAX ==> hung_same{Pre,Here}(m);
	//@ assert z3: \forall integer m; in_use(m) ==> in_use{Pre}(m) && chain_ok(m);
	//@ assert chains_ok;
	//@ assert limbo_ok;
	/*@ assert \forall integer i; frames[t].level < LEVEL_ROOT && frames[t].link <= i < RUN ==>
	      i != index && e_kind(machine[t][i], frames[t].level) == ENTRY_EMPTY; */
	/*@ assert \forall integer m; 0 <= m < FRAMES_MAX && m != t ==> frames[m].link == \at(frames[m].link,Pre); */
	//@ assert frames[t].level == 0 ==> frames[t].link == RUN;
	/*@ assert \forall integer m, i; 0 <= m < frame_count && frames[m].type == FRAME_TABLE && m != t &&
	      frames[m].level < LEVEL_ROOT && frames[m].link <= i < RUN ==>
	      e_kind(machine[m][i], frames[m].level) == ENTRY_EMPTY; */
	/*@ assert \forall integer m, i; 0 <= m < frame_count && frames[m].type == FRAME_FREE &&
	      frames[m].level < LEVEL_ROOT && 0 <= RUN - frames[m].count <= i < RUN ==>
	      e_kind(machine[m][i], frames[m].level) == ENTRY_EMPTY; */
	//@ assert tails_ok;
	return entry_stale(old, e, level);
}

/* Makes entry `index` of private table t of level 0 what it must be over this entry of the base. */
/*@ requires \valid_read(v) && access_valid(v->access) && index < RUN;
    requires \let d = frames[t].owner; placed(t, d) && frames[t].view != 0 && sound(d) && frames[t].level == 0 &&
      entry_ok(base, d, 0, 0, frames[t].where * RUN + index);
    terminates \true; exits \false; assigns machine[t][index], frames[t].link;
    ensures sound(frames[t].owner);
    ensures \let o = \old(machine[t][index]); \let e = machine[t][index]; e_own(o) != 0 || e_step(o) != 0 ==>
      e_own(e) == e_own(o) && e_step(e) == e_step(o); */
ALWAYS_INLINE bool sync_page(const struct view *v, uint64_t t, uint32_t index, uint64_t base)
{
	uint64_t e = machine[t][index];

	//@ assert word_ok(t, index);
	e = entry_any_own(e) ? own_entry(v, base, intent_of(e)) : shared_entry(v, base, 0);
	//@ assert kind_ok(e, frames[t].view, 0);
	//@ assert z3: leaf_ok(e, frames[t].owner, frames[t].view, 0, frames[t].where * RUN + index);
	/*@ assert entry_ok(e, frames[t].owner, frames[t].view, 0, frames[t].where * RUN + index); */
	return put(t, index, e, 0);
}

/* The same of any level, and all below. */
/*@ requires \valid_read(v) && access_valid(v->access);
    requires \let d = frames[t].owner; placed(t, d) && frames[t].view != 0 && sound(d) && entry_at(t, index) &&
      entry_ok(base, d, 0, frames[t].level, frames[t].where * RUN + index);
    assigns frames[0 .. FRAMES_MAX - 1], machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1];
    ensures sound(\old(frames[t].owner)) && shapes_same{Pre,Here} && parents_same{Pre,Here};
    ensures only{Pre,Here}(\old(frames[t].owner), \old(frames[t].view)); */
static bool sync(const struct view *v, uint64_t t, uint32_t index, uint64_t base)
{
	uint32_t level = frames[t].level, i;
	bool stale = false;
	uint64_t child, below;

	//@ ghost uint16_t d = frames[t].owner;
	//@ ghost uint32_t k = frames[t].view;
	//@ assert place_ok(t) && word_ok(t, index);
	if (level == 0) {
		stale = sync_page(v, t, index, base);
		//@ assert shapes_same{Pre,Here} && parents_same{Pre,Here} && only{Pre,Here}(d, k);
		return stale;
	}
	child = private_child(t, index, level);
	if (child == FRAMES_MAX) {
		base = shared_entry(v, base, level);
		//@ assert entry_ok(base, d, k, level, frames[t].where * RUN + index);
		stale = put(t, index, base, level);
		//@ assert shapes_same{Pre,Here} && parents_same{Pre,Here} && only{Pre,Here}(d, k);
		return stale;
	}
	/*@ assert is_copy(child, d, k, level - 1) && frames[child].where == frames[t].where * RUN + index; */
	//@ ghost uint64_t slot = frames[child].where;
	chain_remove(child);
	//@ assert shapes_same{Pre,Here} && unchanged{Pre,Here};
	//@ assert entry_ok(base, d, 0, level, slot);
	if (entry_kind(base, level) == ENTRY_TABLE) {
		//@ assert is_table(e_mfn(base, level), d, level - 1);
		//@ assert same_place(e_mfn(base, level), child);
		chain_add(entry_mfn(base, level), child);
	}
	//@ assert shapes_same{Pre,Here} && unchanged{Pre,Here};
	//@ assert words_right{Pre,Here}(d) && tables_ok(d);
	//@ assert parents_right{Pre,Here}(d) && parents_ok(d);
	//@ assert ends_same{Pre,Here};
	//@ assert tails_ok;
	//@ assert limbo_ok;
	//@ assert sound(d) && only{Pre,Here}(d, k);
	/*@ loop invariant 0 <= i <= RUN;
	    loop invariant shapes_same{Pre,Here} && parents_same{Pre,Here};
	    loop invariant sound(d);
	    loop invariant only{Pre,Here}(d, k);
	    loop assigns i, stale, below, frames[0 .. FRAMES_MAX - 1],
	      machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1]; */
	for (i = 0; i < RUN; i++) {
		//@ ghost Step: ;
		//@ assert shape_same{Pre,Here}(child);
		//@ assert is_copy(child, d, k, level - 1) && frames[child].where == slot;
		//@ assert entry_ok{Pre}(base, d, 0, level, slot);
		//@ assert entry_ok(base, d, 0, level, slot);
		if (level == 1) {
			below = base_below(base, 1, i);
			//@ assert entry_ok(below, d, 0, 0, slot * RUN + i);
			stale |= sync_page(v, child, i, below);
			//@ assert shapes_same{Step,Here};
			//@ assert only_shapes{Step,Here}(d, k);
			//@ assert loose{Step}(child, d, k);
			//@ assert only_words{Step,Here}(d, k);
			//@ assert only{Step,Here}(d, k);
		} else {
			below = base_below(base, level, i);
			//@ assert kind_ok(below, 0, level - 1);
			//@ assert link_ok(below, d, 0, level - 1, slot * RUN + i);
			//@ assert level == 2 || level == 3;
			//@ assert level == 2 ==> leaf_ok(below, d, 0, 1, slot * RUN + i);
			//@ assert level == 3 ==> leaf_ok(below, d, 0, 2, slot * RUN + i);
			//@ assert leaf_ok(below, d, 0, level - 1, slot * RUN + i);
			//@ assert entry_ok(below, d, 0, level - 1, slot * RUN + i);
			stale |= sync(v, child, i, below);
			//@ assert shapes_same{Step,Here};
			//@ assert only{Step,Here}(d, k);
		}
		//@ assert shapes_same{Step,Here} && only{Step,Here}(d, k);
	}
	return stale;
}

bool view_base_changed(const struct stage2 *s, uint64_t table, uint32_t index)
{
	uint64_t t = frames[table].next, base = machine[table][index];
	const struct view *views = nuc_views[s->domain];
	bool page = frames[table].level == 0, stale = false;

	//@ ghost uint32_t d = s->domain;
	//@ ghost uint32_t level = frames[table].level;
	//@ ghost uint64_t slot = frames[table].where;
	//@ assert place_ok(table) && word_ok(table, index) && chain_ok(table);
	//@ assert entry_ok(base, d, 0, level, slot * RUN + index);
	/*@ loop invariant sound(d);
	    loop invariant shapes_same{Pre,Here} && parents_same{Pre,Here};
	    loop invariant only{Pre,Here}(d, PRIVATE_VIEWS);
	    loop invariant t != FRAMES_MAX ==> placed(t, d) && frames[t].view != 0 && frames[t].level == level &&
	      frames[t].where == slot;
	    loop assigns t, stale, frames[0 .. FRAMES_MAX - 1], machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1]; */
	while (t != FRAMES_MAX) {
		//@ ghost Step: ;
		CHECK(t < frame_count && frames[t].type == FRAME_TABLE && frames[t].view < VIEWS_MAX);
		//@ ghost uint32_t k = frames[t].view;
		//@ assert entry_ok{Pre}(base, d, 0, level, slot * RUN + index);
		//@ assert entry_ok(base, d, 0, level, slot * RUN + index);
		//@ assert entry_at(t, index);
		//@ assert access_valid(nuc_views[d][k].access);
		stale |= page ? sync_page(&views[frames[t].view], t, index, base) :
				sync(&views[frames[t].view], t, index, base);
		//@ assert shapes_same{Step,Here};
		//@ assert loose{Step}(t, d, k);
		//@ assert only{Step,Here}(d, k);
		//@ assert only{Step,Here}(d, PRIVATE_VIEWS);
		//@ assert shape_same{Step,Here}(t) && placed(t, d) && chain_ok(t);
		t = frames[t].next;
		//@ assert t != FRAMES_MAX ==> in_use(t) && chain_ok(t) && frames[t].prev != FRAMES_MAX;
	}
	return stale;
}

/* The first `count` words of a table become those of another; nobody walks it yet. */
/*@ requires t < FRAMES_MAX && from < FRAMES_MAX && t != from && count <= RUN;
    terminates \true; exits \false; assigns machine[t][0 .. RUN - 1];
    ensures \forall integer i; 0 <= i < RUN ==>
      machine[t][i] == (i < count ? machine[from][i] : \at(machine[t][i],Pre)); */
ALWAYS_INLINE void words_copy(uint64_t t, uint64_t from, uint32_t count)
{
	memcpy(machine[t], machine[from], count * sizeof(machine[t][0]));
}

/*@ // Table t, not placed yet, has the words that domain d's view may have at this place, and none private.
    predicate filled{L}(integer t, integer d, integer view, integer level, integer prefix) =
      frames[t].level == level && (level == 0 ==> frames[t].link == RUN) && frames[t].link <= RUN &&
      (\forall integer i; entry_at(t, i) ==> entry_ok(machine[t][i], d, view, level, prefix * RUN + i) &&
                                             !is_private(machine[t][i], level)) &&
      (\forall integer i; level < LEVEL_ROOT && frames[t].link <= i < RUN ==>
        e_kind(machine[t][i], level) == ENTRY_EMPTY);
 */

/*
 * Fills reserved table t with a copy of the base's table of this level, no root:
 * of as much as is in use there, or may not be empty here.
 */
/*@ requires \valid_read(v) && access_valid(v->access) && level < LEVEL_ROOT;
    requires \let d = frames[t].owner; sound(d) && spare(t, d) && is_table(base, d, level);
    assigns frames[t].dirty, frames[t].level, frames[t].link, machine[t][0 .. RUN - 1];
    ensures \forall integer view; view != 0 ==> filled(t, frames[t].owner, view, level, frames[base].where); */
ALWAYS_INLINE void table_copy(const struct view *v, uint64_t t, uint64_t base, uint32_t level)
{
	uint32_t tail = table_tail(t, level), end = level ? frames[base].link : RUN, i;

	table_claim(t, level);
	frames[t].link = (uint16_t)end;
	if (end < tail) {
		end = tail;
	}
	if (view_plain(v)) {
		words_copy(t, base, end);
		return;
	}
	for (i = 0; i < end; i++) {
		entry_write(t, i, shared_entry(v, machine[base][i], level));
	}
}

/* Fills reserved table t of this level with the pieces of a leaf of the base, or with nothing. */
/*@ requires \valid_read(v) && access_valid(v->access) && level < LEVEL_ROOT;
    requires \let d = frames[t].owner; sound(d) && spare(t, d) && kind_ok(base, 0, level + 1);
    requires e_kind(base, level + 1) != ENTRY_TABLE;
    assigns frames[t].dirty, frames[t].level, frames[t].link, machine[t][0 .. RUN - 1];
    ensures \forall integer view, prefix; view != 0 && entry_ok(base, frames[t].owner, 0, level + 1, prefix) ==>
      filled(t, frames[t].owner, view, level, prefix); */
ALWAYS_INLINE void table_split(const struct view *v, uint64_t t, uint64_t base, uint32_t level)
{
	uint32_t i;
	uint64_t e = shared_entry(v, base, level + 1);

	table_claim(t, level);
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
/*@ requires \valid_read(v) && frames_ok && gfn < root_slots * SPAN3 && gfn < GFN_LIMIT;
    requires v->root != FRAMES_MAX ==> v->root < frame_count && \let d = frames[v->root].owner; tables_ok(d) &&
      parents_ok(d) && is_copy(v->root, d, frames[v->root].view, 3) && frames[v->root].view != 0 &&
      frames[v->root].where == 0;
    assigns \nothing;
    ensures \result.table[3] == v->root;
    ensures v->root != FRAMES_MAX ==> path_ok(\result, frames[v->root].owner, frames[v->root].view, gfn);
    ensures v->root == FRAMES_MAX ==> \result.table[2] == FRAMES_MAX && \result.table[1] == FRAMES_MAX &&
      \result.table[0] == FRAMES_MAX; */
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
/*@ requires \valid(v) && stage2_ok(s) && sound(s->domain) && view_some(v, s->domain);
    assigns v->recent;
    ensures \result != FRAMES_MAX ==> \result == v->recent && gfn < s->gfn_limit;
    ensures \forall integer k; view_own{Pre}(v, s->domain, k) ==> view_own(v, s->domain, k) &&
      (\result != FRAMES_MAX ==> is_copy(\result, s->domain, k, 0) && frames[\result].where == gfn / SPAN1); */
NOINLINE static uint64_t leaf_table_find(const struct stage2 *s, struct view *v, uint64_t gfn)
{
	uint64_t t = gfn < s->gfn_limit ? path_find(v, gfn).table[0] : FRAMES_MAX;

	if (t != FRAMES_MAX) {
		v->recent = (uint32_t)t;
	}
	return t;
}

/* The same: mostly that of the last call, which is still the view's, or FRAMES_MAX: see table_gone. */
/*@ requires \valid(v) && stage2_ok(s) && sound(s->domain) && view_some(v, s->domain);
    assigns v->recent;
    ensures \result != FRAMES_MAX ==> \result == v->recent;
    ensures \forall integer k; view_own{Pre}(v, s->domain, k) ==> view_own(v, s->domain, k) &&
      (\result != FRAMES_MAX ==> is_copy(\result, s->domain, k, 0) && frames[\result].where == gfn / SPAN1); */
ALWAYS_INLINE uint64_t leaf_table(const struct stage2 *s, struct view *v, uint64_t gfn)
{
	uint64_t t = v->recent;

	return t != FRAMES_MAX && frames[t].where == gfn_slot(gfn, 1) ? t : leaf_table_find(s, v, gfn);
}

/* Gives the view its root, out of a table reserved. */
/*@ requires \valid(s) && stage2_ok(s) && sound(s->domain) && \valid(v) && access_valid(v->access) &&
             v->root == FRAMES_MAX && 0 < view < VIEWS_MAX;
    requires fresh(t, s->domain);
    assigns frames[0 .. FRAMES_MAX - 1], machine[t][0 .. RUN - 1], v->root, v->tables, s->view_tables, parent[t];
    ensures sound(s->domain) && shapes_same_but{Pre,Here}(t) && only{Pre,Here}(s->domain, view);
    ensures v->root == t && is_copy(t, s->domain, view, LEVEL_ROOT) && frames[t].where == 0;
    ensures \forall integer m; m != t && fresh{Pre}(m, s->domain) ==> fresh(m, s->domain); */
ALWAYS_INLINE void root_make(struct stage2 *s, struct view *v, uint32_t view, uint64_t t)
{
	uint32_t i;

	table_claim(t, LEVEL_ROOT);
	if (view_plain(v)) {
		for (i = 0; i < s->root_entries; i++) {
			entry_write(t, i, machine[s->root][i]);
		}
	} else {
		for (i = 0; i < s->root_entries; i++) {
			entry_write(t, i, shared_entry(v, machine[s->root][i], LEVEL_ROOT));
		}
	}
	table_place(t, view, 0);
	chain_add(s->root, t);
	v->root = (uint32_t)t;
	v->tables++;
	s->view_tables++;
}

/*
 * Makes reserved table t the view's at this level on the way to gfn, and lets
 * private table `up` above it lead there: complete before it is led to. `base` is
 * the base's entry above.
 */
/*@ requires \valid(s) && 0 <= s->domain < DOMAINS_MAX && sound(s->domain) && \valid(v) && access_valid(v->access) &&
             0 < view < VIEWS_MAX && gfn < GFN_LIMIT && level < LEVEL_ROOT;
    requires fresh(t, s->domain) && is_copy(up, s->domain, view, level + 1);
    requires frames[up].where * RUN + gfn_index(gfn, level + 1) == gfn / span(level + 1);
    requires entry_at(up, gfn_index(gfn, level + 1));
    requires entry_ok(base, s->domain, 0, level + 1, gfn / span(level + 1));
    assigns frames[0 .. FRAMES_MAX - 1], machine[t][0 .. RUN - 1], machine[up][0 .. RUN - 1], v->tables,
            s->view_tables, parent[t];
    ensures sound(s->domain) && shapes_same_but{Pre,Here}(t) && only{Pre,Here}(s->domain, view);
    ensures touches{Pre,Here}(gfn);
    ensures is_copy(t, s->domain, view, level) && frames[t].where == gfn / span(level + 1);
    ensures \forall integer m; m != t && fresh{Pre}(m, s->domain) ==> fresh(m, s->domain); */
ALWAYS_INLINE bool path_step(struct stage2 *s, struct view *v, uint32_t view, uint64_t gfn, uint64_t up,
			     uint64_t t, uint64_t base, uint32_t level)
{
	bool copied = entry_kind(base, level + 1) == ENTRY_TABLE;

	if (copied) {
		table_copy(v, t, entry_mfn(base, level + 1), level);
	} else {
		table_split(v, t, base, level);
	}
	table_place(t, view, gfn_slot(gfn, level + 1));
	if (copied) {
		chain_add(entry_mfn(base, level + 1), t);
	}
	v->tables++;
	s->view_tables++;
	frames[up].count++;
	//@ ghost parent[t] = up;
	return put(up, index_of(gfn, level + 1), entry_private(t, level + 1), level + 1);
}

/* Makes the path down to level 0, out of tables reserved, from the top. The table of level 0. */
/*@ requires \valid(s) && stage2_ok(s) && sound(s->domain) && \valid(v) && 0 < view < VIEWS_MAX &&
             view_own(v, s->domain, view) && gfn < s->gfn_limit && \valid(p) && \valid_read(spare + (0 .. LEVELS - 1));
    requires path_ok(*p, s->domain, view, gfn) && p->table[LEVEL_ROOT] == v->root;
    requires \forall integer i; 0 <= i < missing(*p) ==> fresh(spare[i], s->domain);
    requires \forall integer i, j; 0 <= i < j < missing(*p) ==> spare[i] != spare[j];
    assigns frames[0 .. FRAMES_MAX - 1], machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1], *v,
            s->view_tables, parent[0 .. FRAMES_MAX - 1], *p, *flush;
    ensures sound(s->domain) && only{Pre,Here}(s->domain, view) && only_comes{Pre,Here} && touches{Pre,Here}(gfn);
    ensures view_own(v, s->domain, view) && v->recent == \result;
    ensures is_copy(\result, s->domain, view, 0) && frames[\result].where == gfn / SPAN1;
    ensures \old(v->access) == v->access && \old(v->live) == v->live && \old(v->flags) == v->flags; */
static uint64_t path_make(struct stage2 *s, struct view *v, uint32_t view, uint64_t gfn, struct path *p,
			  const uint64_t *spare, bool *flush)
{
	uint64_t base = machine[s->root][index_of(gfn, 3)];
	bool stale = false;

	if (p->table[3] == FRAMES_MAX) {
		p->table[3] = *spare++;
		root_make(s, v, view, p->table[3]);
	}
	if (p->table[2] == FRAMES_MAX) {
		p->table[2] = *spare++;
		stale |= path_step(s, v, view, gfn, p->table[3], p->table[2], base, 2);
	}
	base = base_below(base, 3, index_of(gfn, 2));
	if (p->table[1] == FRAMES_MAX) {
		p->table[1] = *spare++;
		stale |= path_step(s, v, view, gfn, p->table[2], p->table[1], base, 1);
	}
	base = base_below(base, 2, index_of(gfn, 1));
	if (p->table[0] == FRAMES_MAX) {
		p->table[0] = *spare;
		stale |= path_step(s, v, view, gfn, p->table[1], p->table[0], base, 0);
	}
	*flush |= stale;
	v->recent = (uint32_t)p->table[0];
	return p->table[0];
}

/* A private table that nothing leads to any more goes into limbo. */
/*@ requires \valid(s) && 0 <= s->domain < DOMAINS_MAX && s->root_entries == root_slots && sound(s->domain);
    requires placed(t, s->domain) && frames[t].view != 0 && unled(t, s->domain) && \valid(v);
    requires \valid(limbo) && limbo_of(limbo);
    assigns frames[0 .. FRAMES_MAX - 1], machine[t][0 .. RUN - 1], v->recent, v->tables, s->tables_used,
            s->view_tables, *limbo;
    ensures sound(s->domain) && spare(t, s->domain) && shapes_same_but{Pre,Here}(t);
    ensures only{Pre,Here}(s->domain, \old(frames[t].view)) && links_end{Pre,Here}(s->domain);
    ensures limbo_of(limbo) && v->recent == (\old(v->recent) == t ? FRAMES_MAX : \old(v->recent)); */
static void table_gone(struct stage2 *s, struct view *v, uint64_t t, struct limbo *limbo)
{
	uint32_t i;

	chain_remove(t);
	frames[t].where = WHERE_NONE;
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

/* Shares again what no longer differs in private table t at this level on the way to gfn, led to by `up`. */
/*@ requires \valid(s) && stage2_ok(s) && sound(s->domain) && \valid(v) && access_valid(v->access) &&
             gfn < s->gfn_limit && level < LEVEL_ROOT && \valid(limbo) && limbo_of(limbo);
    requires \let k = frames[t].view; k != 0 && is_copy(t, s->domain, k, level) &&
      is_copy(up, s->domain, k, level + 1) && frames[t].where == gfn / span(level + 1) &&
      frames[up].where * RUN + gfn_index(gfn, level + 1) == gfn / span(level + 1) && parent[t] == up;
    assigns frames[0 .. FRAMES_MAX - 1], machine[t][0 .. RUN - 1], machine[up][0 .. RUN - 1], v->recent, v->tables,
            s->tables_used, s->view_tables, *limbo;
    ensures sound(s->domain) && spare(t, s->domain) && shapes_same_but{Pre,Here}(t);
    ensures only{Pre,Here}(s->domain, \old(frames[t].view)) && touches{Pre,Here}(gfn) && only_goes{Pre,Here};
    ensures limbo_of(limbo) && v->recent == (\old(v->recent) == t ? FRAMES_MAX : \old(v->recent));
    ensures \forall integer i; 0 <= i < RUN && i != gfn_index(gfn, level + 1) ==>
      machine[up][i] == \at(machine[up][i],Pre); */
COLD static bool table_fold(struct stage2 *s, struct view *v, uint64_t gfn, uint64_t up, uint64_t t,
			    uint32_t level, struct limbo *limbo)
{
	uint64_t base = base_at(s, gfn, level + 1);
	bool stale;

	if (MUTANT == 3 && entry_kind(base, level + 1) == ENTRY_LEAF) {
		base = entry_leaf_with(entry_mfn(base, level + 1), ACCESS_RWX, 1, level + 1);
	}
	stale = put(up, index_of(gfn, level + 1), shared_entry(v, base, level + 1), level + 1);
	CHECK(frames[up].count > 0);
	frames[up].count--;
	table_gone(s, v, t, limbo);
	return stale;
}

/* The same of table t of level 0, in which nothing is set any more, and of those above that then are so. */
/*@ requires \valid(s) && stage2_ok(s) && sound(s->domain) && \valid(v) && gfn < s->gfn_limit &&
             view_own(v, s->domain, frames[t].view) && is_copy(t, s->domain, frames[t].view, 0) &&
             frames[t].where == gfn / SPAN1 && \valid(limbo) && limbo_of(limbo);
    assigns frames[0 .. FRAMES_MAX - 1], machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1], *v, s->tables_used,
            s->view_tables, *limbo;
    ensures sound(s->domain) && view_own(v, s->domain, \old(frames[t].view)) && limbo_of(limbo);
    ensures only{Pre,Here}(s->domain, \old(frames[t].view)) && touches{Pre,Here}(gfn) && only_goes{Pre,Here};
    ensures \old(v->access) == v->access && \old(v->live) == v->live && \old(v->flags) == v->flags; */
COLD static bool path_fold(struct stage2 *s, struct view *v, uint64_t gfn, uint64_t t, struct limbo *limbo)
{
	struct path p = path_find(v, gfn);
	bool stale;

	CHECK(p.table[0] == t);
	stale = table_fold(s, v, gfn, p.table[1], t, 0, limbo);
	if (frames[p.table[1]].count) {
		return stale;
	}
	stale |= table_fold(s, v, gfn, p.table[2], p.table[1], 1, limbo);
	if (frames[p.table[2]].count) {
		return stale;
	}
	return table_fold(s, v, gfn, p.table[3], p.table[2], 2, limbo) || stale;
}

/* Sets the intent at gfn, where t is the view's table of level 0 and `base` the base's entry. */
/*@ requires \valid(s) && stage2_ok(s) && sound(s->domain) && \valid(v) && gfn < s->gfn_limit &&
             view_own(v, s->domain, frames[t].view) && is_copy(t, s->domain, frames[t].view, 0) &&
             frames[t].where == gfn / SPAN1 && \valid(limbo) && limbo_of(limbo);
    requires entry_ok(base, s->domain, 0, 0, gfn) && intent_ok(w) &&
             ((w.own & OWN_TARGET) != 0 ==> target_ok(w.target, s->domain));
    assigns frames[0 .. FRAMES_MAX - 1], machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1], *v, s->tables_used,
            s->view_tables, *limbo;
    ensures sound(s->domain) && view_own(v, s->domain, \old(frames[t].view)) && limbo_of(limbo);
    ensures only{Pre,Here}(s->domain, \old(frames[t].view)) && touches{Pre,Here}(gfn) && only_goes{Pre,Here};
    ensures \old(v->access) == v->access && \old(v->live) == v->live && \old(v->flags) == v->flags; */
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
	return frames[t].count ? stale : path_fold(s, v, gfn, t, limbo) || stale;
}

/* ---- a page goes ---------------------------------------------------------- */

/* The first gfn, from `from` on, at which private table t shows the frame; WHERE_NONE. */
/*@ requires placed(t, frames[t].owner) && frames_ok && tables_ok(frames[t].owner);
    assigns \nothing; */
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

/*
 * Takes back the first remap to the frame that the live view has at *gfn or later, which becomes its
 * gfn. False: there is none.
 */
static bool remap_drop(struct stage2 *s, uint32_t view, uint64_t mfn, uint64_t *gfn, struct limbo *limbo)
{
	struct view *v = &nuc_views[s->domain][view];
	struct intent w;
	uint64_t t;

	*gfn = remap_find(v->root, *gfn, mfn);
	if (*gfn == WHERE_NONE) {
		return false;
	}
	CHECK(*gfn < s->gfn_limit);
	t = path_find(v, *gfn).table[0];
	CHECK(t != FRAMES_MAX);
	w = intent_of(machine[t][index_of(*gfn, 0)]);
	w.own -= OWN_TARGET;
	v->generation++;
	s->losses++;
	intent_set(s, v, *gfn, t, base_at(s, *gfn, 0), w, limbo);
	return true;
}

void view_target_gone(struct stage2 *s, uint64_t mfn, struct limbo *limbo)
{
	const struct view *views = nuc_views[s->domain];
	uint32_t i;

	for (i = 1; i < s->views_end && frames[mfn].prev; i++) {
		uint64_t gfn = 0;

		while (views[i].live && views[i].remaps && frames[mfn].prev && remap_drop(s, i, mfn, &gfn, limbo)) {
		}
	}
	CHECK(frames[mfn].prev == 0);
}

/* ---- life and death ------------------------------------------------------- */

/*@ requires ready(domain);
    exits \false;
    assigns nucleus_lock_word, nuc_views[domain][view], nuc_domains[domain].stage2.views_end,
            nuc_domains[domain].stage2.views_live;
    ensures ready(domain);
    ensures \result != 0 ==> \forall integer d, k; 0 <= d < DOMAINS_MAX && 0 <= k < VIEWS_MAX ==>
      nuc_views[d][k] == \at(nuc_views[d][k],Pre); */
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

/* Puts private table t, which nothing leads to, and those below it into limbo. */
/*@ requires \valid(s) && 0 <= s->domain < DOMAINS_MAX && s->root_entries == root_slots && sound(s->domain);
    requires placed(t, s->domain) && frames[t].view != 0 && unled(t, s->domain) && \valid(v);
    requires \valid(limbo) && limbo_of(limbo);
    assigns frames[0 .. FRAMES_MAX - 1], machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1], *v, s->tables_used,
            s->view_tables, *limbo;
    ensures sound(s->domain) && spare(t, s->domain) && limbo_of(limbo);
    ensures only{Pre,Here}(s->domain, \old(frames[t].view)) && links_end{Pre,Here}(s->domain);
    ensures \forall integer m; in_use{Pre}(m) && \at(frames[m].level,Pre) > \old(frames[t].level) ==>
      shape_same{Pre,Here}(m); */
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
			put(t, i, entry_empty(frames[t].level), frames[t].level);
			tree_drop(s, v, child, limbo);
		}
	}
	if (MUTANT == 5 && frames[t].level == 1) {
		chain_remove(t);
		return;
	}
	table_gone(s, v, t, limbo);
}

/*@ requires ready(domain);
    assigns nucleus_lock_word, frames[0 .. FRAMES_MAX - 1], machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1],
            runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1], frame_free_count, nuc_views[domain][view],
            nuc_domains[domain].stage2;
    ensures ready(domain);
    ensures \result == 0 ==> only{Pre,Here}(domain, view) && nuc_views[domain][view].live == 0;
    ensures \result != 0 ==> unchanged{Pre,Here}; */
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
	v->live = 0;
	if (v->root != FRAMES_MAX) {
		tree_drop(&d->stage2, v, v->root, &limbo);
	}
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

/*@ requires ready(domain);
    assigns nucleus_lock_word, frames[0 .. FRAMES_MAX - 1], machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1],
            nuc_views[domain][view];
    ensures ready(domain);
    ensures \result == 0 ==> shapes_same{Pre,Here} && (view != 0 ==> only{Pre,Here}(domain, view));
    ensures \result != 0 ==> unchanged{Pre,Here}; */
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

/*@ predicate todo_ok{L}(struct stage2 *s, struct pending *todo) =
      limbo_of(&todo->limbo) &&
      (todo->block != WHERE_NONE ==> todo->block * RUN < s->gfn_limit &&
        entry_ok(todo->base, s->domain, 0, 1, todo->block));
 */

/* Does now what would be done at the end. A view's own tables are known to who is in that view only. */
/*@ requires \valid_read(s) && sound(s->domain) && \valid(todo) && limbo_of(&todo->limbo);
    assigns frames[0 .. FRAMES_MAX - 1], runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1], frame_free_count,
            machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1], todo->limbo, todo->flush;
    ensures sound(s->domain) && todo->limbo.head == FRAMES_MAX && freed{Pre,Here}; */
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
/*@ requires \valid(s) && sound(s->domain) && \valid(todo) && limbo_of(&todo->limbo) && count <= LEVELS &&
             \valid(spare + (0 .. LEVELS - 1));
    assigns frames[0 .. FRAMES_MAX - 1], runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1], frame_free_count,
            machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1], s->tables_used, spare[0 .. LEVELS - 1],
            todo->limbo, todo->flush;
    ensures sound(s->domain) && limbo_of(&todo->limbo) && reserved{Pre,Here}(s->domain);
    ensures \result == 0 ==> \forall integer i; 0 <= i < count ==> fresh(spare[i], s->domain);
    ensures \result == 0 ==> \forall integer i, j; 0 <= i < j < count ==> spare[i] != spare[j]; */
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
//@ terminates \true; exits \false; assigns \nothing;
ALWAYS_INLINE uint64_t word(const struct view_change *c, uint32_t i)
#ifdef __FRAMAC__
;
#else
{
	return __atomic_load_n((const word_t *)c + i, __ATOMIC_RELAXED);
}
#endif

/*@ logic integer change_access(integer what) = what / 4294967296 % 256;
    logic integer change_suppress(integer what) = what / 1099511627776 % 256;
 */

//@ terminates \true; exits \false; assigns \nothing; ensures \result == change_access(what);
ALWAYS_INLINE uint8_t what_access(uint64_t what)
{
	return (uint8_t)(what >> 32);
}

//@ terminates \true; exits \false; assigns \nothing; ensures \result == change_suppress(what);
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

/*@ // What change_valid lets through.
    predicate change_ok(struct view_change c) =
      ((c.set & VIEW_SET_ACCESS) != 0 ==> c.access <= VIEW_ACCESS_DEFAULT && c.access != 2 && c.access != 6) &&
      ((c.set & VIEW_SET_SUPPRESS_VE) != 0 ==> c.suppress_ve <= VIEW_SUPPRESS_DEFAULT);
 */

/* Whether the page at gfn is a vCPU's #VE information page. Such a page is pinned. */
ALWAYS_INLINE bool ve_page(const struct stage2 *s, uint64_t gfn, uint64_t mfn)
{
	return frames[mfn].count && machine_ve_page(s->domain, gfn);
}

/*@ requires \valid(s) && stage2_ok(s) && sound(s->domain) && \valid_read(c) && \valid(todo) && todo_ok(s, todo);
    requires access_valid(nuc_views[s->domain][0].access) && (c->access <= VIEW_ACCESS_DEFAULT);
    assigns frames[0 .. FRAMES_MAX - 1], runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1], frame_free_count,
            machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1], *s, *todo;
    ensures stage2_ok(s) && sound(s->domain) && limbo_of(&todo->limbo) && s->domain == \old(s->domain);
    ensures only{Pre,Here}(s->domain, ALL_VIEWS); */
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
/*@ requires \valid_read(s) && stage2_ok(s) && frames_ok && tables_ok(s->domain) && \valid_read(c) && \valid(w);
    requires intent_ok(*w) && view < VIEWS_MAX && change_ok(*c);
    requires (w->own & OWN_TARGET) != 0 ==> target_ok(w->target, s->domain);
    assigns *w;
    ensures intent_ok(*w) && ((w->own & OWN_TARGET) != 0 ==> target_ok(w->target, s->domain)); */
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
/*@ requires \valid(s) && stage2_ok(s) && sound(s->domain) && 0 < view < VIEWS_MAX && \valid_read(c) && \valid(todo);
    requires view_own(&nuc_views[s->domain][view], s->domain, view) && change_ok(*c) && todo_ok(s, todo);
    assigns frames[0 .. FRAMES_MAX - 1], runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1], frame_free_count,
            machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1], *s, *todo, nuc_views[s->domain][view],
            parent[0 .. FRAMES_MAX - 1];
    ensures stage2_ok(s) && sound(s->domain) && s->domain == \old(s->domain) && todo_ok(s, todo);
    ensures view_own(&nuc_views[s->domain][view], s->domain, view);
    ensures nuc_views[s->domain][view].live == \old(nuc_views[s->domain][view].live);
    ensures only{Pre,Here}(s->domain, view);
    ensures c->gfn < s->gfn_limit ==> touches{Pre,Here}(c->gfn);
    ensures \result != 0 ==> reserved{Pre,Here}(s->domain); */
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
		t = path_make(s, v, view, c->gfn, &p, spare, &todo->flush);
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
/*@ requires count > 0 && change_access(what) <= VIEW_ACCESS_N_TO_RWX && change_access(what) != 2 &&
             change_access(what) != 6;
    requires \valid_read(s) && stage2_ok(s) && sound(s->domain) && \valid(v) && view_some(v, s->domain) && \valid(flush);
    ensures \result <= count;
    assigns frames[0 .. FRAMES_MAX - 1], machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1], *v, *flush;
    ensures \result <= count;
    ensures sound(s->domain) && shapes_same{Pre,Here} && v->live == \old(v->live);
    ensures \forall integer k; view_own{Pre}(v, s->domain, k) ==>
      view_own(v, s->domain, k) && only{Pre,Here}(s->domain, k); */
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

/*@ requires \valid_read(c) && domain < DOMAINS_MAX;
    terminates \true; exits \false; assigns \nothing;
    ensures \result ==> change_ok(*c); */
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
/*@ requires count > 0;
    requires \valid_read(s) && stage2_ok(s) && sound(s->domain) && \valid(v) && view_some(v, s->domain) && \valid(flush);
    assigns frames[0 .. FRAMES_MAX - 1], machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1], *v, *flush;
    ensures \result <= count;
    ensures sound(s->domain) && shapes_same{Pre,Here} && v->live == \old(v->live);
    ensures \forall integer k; view_own{Pre}(v, s->domain, k) ==>
      view_own(v, s->domain, k) && only{Pre,Here}(s->domain, k); */
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
/*@ requires (what & VIEW_SET_SUPPRESS_VE) != 0 ==> change_suppress(what) <= 1;
    requires \valid_read(s) && stage2_ok(s) && sound(s->domain) && \valid(v) && view_some(v, s->domain) && \valid(flush);
    assigns frames[0 .. FRAMES_MAX - 1], machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1], *v, *flush;
    ensures sound(s->domain) && shapes_same{Pre,Here} && v->live == \old(v->live);
    ensures \forall integer k; view_own{Pre}(v, s->domain, k) ==>
      view_own(v, s->domain, k) && only{Pre,Here}(s->domain, k); */
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
/*@ requires \valid(s) && s == &nuc_domains[s->domain].stage2 && domain_ok(s->domain) && view < VIEWS_MAX &&
             nuc_views[s->domain][view].live != 0 && \valid(todo) && todo_ok(s, todo);
    assigns frames[0 .. FRAMES_MAX - 1], runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1], frame_free_count,
            machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1], *s, *todo, nuc_views[s->domain][view],
            parent[0 .. FRAMES_MAX - 1];
    ensures domain_ok(s->domain) && s->domain == \old(s->domain) && limbo_of(&todo->limbo) &&
            (view != 0 ==> todo_ok(s, todo));
    ensures nuc_views[s->domain][view].live == \old(nuc_views[s->domain][view].live);
    ensures only{Pre,Here}(s->domain, view == 0 ? ALL_VIEWS : view); */
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
/*@ requires \valid(s) && s == &nuc_domains[s->domain].stage2 && domain_ok(s->domain) && view < VIEWS_MAX &&
             v == &nuc_views[s->domain][view] && v->live != 0 && \valid(todo) && todo_ok(s, todo) && \valid(error);
    assigns frames[0 .. FRAMES_MAX - 1], runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1], frame_free_count,
            machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1], *s, *todo, nuc_views[s->domain][view],
            parent[0 .. FRAMES_MAX - 1], *error;
    ensures domain_ok(s->domain) && s->domain == \old(s->domain) && limbo_of(&todo->limbo) && \result <= count;
    ensures only{Pre,Here}(s->domain, view == 0 ? ALL_VIEWS : view); */
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

/*@ requires ready(domain) && \valid(error);
    assigns nucleus_lock_word, frames[0 .. FRAMES_MAX - 1], runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1],
            frame_free_count, machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1], nuc_domains[domain].stage2,
            nuc_views[domain][view], parent[0 .. FRAMES_MAX - 1], *error;
    ensures ready(domain);
    ensures only{Pre,Here}(domain, view == 0 ? ALL_VIEWS : view); */
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
/*@ requires t < FRAMES_MAX && gfn < GFN_LIMIT && gfn < root_slots * SPAN3 && frames_ok && \valid(level) && \valid(rights) &&
      \valid(table);
    requires \separated(level, rights, table, &nuc_domains[0 .. DOMAINS_MAX - 1]);
    requires placed(t, frames[t].owner) && frames[t].level == 3 && frames[t].where == 0 &&
          frames[t].owner < DOMAINS_MAX;
    requires tables_ok(frames[t].owner);
    terminates \true; exits \false; assigns *level, *rights, *table;
    ensures *level <= 3 && *table < FRAMES_MAX && \result == machine[*table][gfn_index(gfn, *level)];
    ensures e_kind(\result, *level) != ENTRY_TABLE;
    ensures placed(*table, frames[t].owner) && frames[*table].level == *level &&
      (frames[*table].view == 0 || frames[*table].view == frames[t].view);
    ensures entry_ok(\result, frames[t].owner, frames[*table].view, *level, gfn / span(*level)); */
static uint64_t tree_find(uint64_t t, uint64_t gfn, uint32_t *level, uint32_t *rights, uint64_t *table)
{
	uint64_t e = machine[t][index_of(gfn, LEVEL_ROOT)];
	uint32_t l;

	*rights = ACCESS_RWX;
	//@ ghost uint64_t root = t;
	//@ assert word_ok(t, gfn_index(gfn, 3));
	/*@ loop invariant l <= 3 && e == machine[t][gfn_index(gfn, l)];
	    loop invariant placed(t, frames[root].owner) && frames[t].level == l &&
	      (frames[t].view == 0 || frames[t].view == frames[root].view);
	    loop invariant frames[t].where == (l == 3 ? 0 : l == 2 ? gfn / SPAN3 : l == 1 ? gfn / SPAN2 :
	          gfn / SPAN1);
	    loop invariant entry_ok(e, frames[root].owner, frames[t].view, l, gfn / span(l));
	    loop assigns l, t, e, *rights;
	    loop variant l; */
	for (l = LEVEL_ROOT; l > 0 && entry_kind(e, l) == ENTRY_TABLE; l--) {
		*rights &= entry_access(e, l);
		t = entry_mfn(e, l);
		/*@ assert placed(t, frames[root].owner) && frames[t].level == l - 1 &&
		      frames[t].where == gfn / span(l); */
		e = machine[t][index_of(gfn, l - 1)];
		/*@ assert word_ok(t, gfn_index(gfn, l - 1)); */
		//@ assert frames[t].where * RUN + gfn_index(gfn, l - 1) == gfn / span(l - 1);
	}
	*level = l;
	*table = t;
	return e;
}

/* What a view without a root would show. */
/*@ requires \valid_read(s) && \valid_read(v) && frames_ok && stage2_ok(s) && tables_ok(s->domain);
    terminates \true; exits \false; assigns \nothing;
    ensures \result.present ==> \result.mfn < frame_count && frames[\result.mfn].owner == s->domain &&
      frames[\result.mfn].where == gfn &&
      (frames[\result.mfn].type == FRAME_GUEST || frames[\result.mfn].type == FRAME_SHARED); */
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

/*@ requires ready(domain);
    assigns \nothing;
    ensures \result.present ==> domain < DOMAINS_MAX && \result.mfn < frame_count &&
      frames[\result.mfn].owner == domain &&
      (frames[\result.mfn].type == FRAME_GUEST || frames[\result.mfn].type == FRAME_SHARED); */
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
	//@ assert leaf_ok(e, domain, frames[table].view, level, gfn.gfn / span(level));
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

/*@ requires ready(domain) && \valid(root);
    assigns frames[0 .. FRAMES_MAX - 1], runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1],
            frame_free_count, machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1], nuc_domains[domain].stage2,
            nuc_views[domain][view], parent[0 .. FRAMES_MAX - 1], *root;
    ensures ready(domain) && (view != 0 ==> only{Pre,Here}(domain, view));
    ensures \result != 0 ==> reserved{Pre,Here}(domain);
    ensures \result == 0 ==> in_use(*root) && frames[*root].owner == domain && frames[*root].view == view &&
      frames[*root].level == LEVEL_ROOT; */
int view_root_need(uint32_t domain, uint32_t view, uint64_t *root)
{
	struct nuc_domain *d = nuc_domain_find(domain);
	struct view *v = d ? view_find(domain, view) : NULL;
	uint64_t spare[LEVELS];

	if (!v) {
		return d ? -ENOENT : -ESRCH;
	}
	if (view && v->root == FRAMES_MAX) {
		if (stage2_reserve(&d->stage2, 1, spare)) {
			return -ENOMEM;
		}
		root_make(&d->stage2, v, view, spare[0]);
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
