/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The base view of a domain (view.h has the others): a radix tree of four levels in the hardware's own
 * format. A table is a frame of type TABLE whose struct frame tells its domain,
 * view (0: the base), level, gfn prefix and how many entries are its own, so
 * that what a table is never depends on who leads to it.
 *
 * An entry at level l covers RUN^l frames; a table at level l with prefix p
 * covers [p * RUN^(l+1), (p + 1) * RUN^(l+1)). No table but the root is empty.
 *
 * The nucleus lock is held for all of this. Calls that fail change nothing.
 */
#pragma once

#include "frame.h"

#define LEVELS 4u
#define LEVEL_ROOT 3u
/* Frames that an entry covers, and all that a root covers. */
#define SPAN1 ((uint64_t)RUN)
#define SPAN2 ((uint64_t)RUN * RUN)
#define SPAN3 ((uint64_t)RUN * RUN * RUN)
#define GFN_LIMIT ((uint64_t)RUN * RUN * RUN * RUN)

struct stage2 {
	uint64_t root;                /* a machine frame */
	uint32_t domain;
	uint32_t tables_used, table_budget; /* those of all views together */
	uint32_t view_tables;         /* of them not the base's */
	uint32_t views_end;           /* views have ids below this; 1 if none lives but the base */
	uint32_t views_live;          /* so many, the base not counted */
	uint32_t root_entries;        /* of a root: the rest are beyond gfn_limit, and stay 0 */
	uint64_t gfn_limit;
	uint64_t losses;              /* remaps that have lost their page, in all views ever */
};

/* Where a gfn leads. */
struct translation {
	bool present;
	uint8_t level;                /* of the entry; absent: of the hole, which covers as much */
	uint8_t access;               /* ACCESS_* */
	uint8_t suppress;             /* what access forbids raises no #VE */
	uint8_t turns;                /* a write that access forbids is to be turned into a right */
	uint64_t mfn;                 /* of this very gfn, not of the superpage */
};

#include "rules.h"

/* Makes an empty view. -EINVAL for a budget of 0, -ENOMEM. */
MUST_USE int stage2_create(struct stage2 *s, uint32_t domain, uint32_t table_budget);

/* Where gfn leads: present is false for a hole and beyond the limit. */
/*@ requires \valid_read(s) && frames_ok && stage2_ok(s) && tables_ok(s->domain);
    terminates \true; exits \false; assigns \nothing;
    ensures gfn.gfn >= s->gfn_limit ==> !\result.present && \result.level == LEVEL_ROOT;
    ensures gfn.gfn < s->gfn_limit ==>
      \let l = tr_level(s->root, gfn.gfn, 0);
      \let e = tr_word(s->root, gfn.gfn);
      \result.level == l && (\result.present <==> e_kind(e, l) == ENTRY_LEAF) &&
      (\result.present ==> \result.mfn == e_mfn(e, l) + gfn.gfn % span(l) && \result.access == e_access(e));
    ensures \result.present ==>
      \result.mfn < frame_count && frames[\result.mfn].owner == s->domain &&
      frames[\result.mfn].where == gfn.gfn &&
      (frames[\result.mfn].type == FRAME_GUEST || frames[\result.mfn].type == FRAME_SHARED); */
struct translation stage2_translate(const struct stage2 *s, gfn_t gfn);

/*
 * Maps a run of frames of the domain's own or shared with it, none of which is
 * mapped, as one leaf. -EINVAL (alignment, limit, access, or whose frames these
 * are), -EEXIST (something is mapped in the range), -ENOMEM (budget or memory).
 */
MUST_USE int stage2_map(struct stage2 *s, gfn_t gfn, mfn_t mfn, uint32_t order, uint32_t access);

/* Makes the leaf at gfn no larger than `order`. -ENOENT, -ENOMEM. */
MUST_USE int stage2_split(struct stage2 *s, gfn_t gfn, uint32_t order);

/*
 * Takes out the leaf at gfn, whole, with the remaps that show it, and puts tables that
 * are empty now into limbo; what was there is returned and is the caller's. Cannot fail.
 */
struct translation stage2_take(struct stage2 *s, gfn_t gfn, struct limbo *limbo);

/*
 * Makes room for one 4 KiB frame at gfn: splits what is there; where nothing is, makes sure that
 * there are tables. Until tables are taken or leaves put together, stage2_replace there will have
 * what it needs. -ENOMEM.
 */
MUST_USE int stage2_room(struct stage2 *s, gfn_t gfn);

/*
 * Maps one 4 KiB frame at gfn in the place of what is there, to which no view is remapped, adding
 * tables as needed. -EINVAL (access, whose frame this is, or a larger leaf is there), -ENOMEM.
 */
MUST_USE int stage2_replace(struct stage2 *s, gfn_t gfn, mfn_t mfn, uint32_t access);

/*
 * Sets access (0 .. 9, as VIEW_ACCESS_*; ~0: leaves it) and #VE suppression (0, 1;
 * ~0: leaves it) of the one page at gfn; larger leaves around it are split, and
 * put together again when nothing tells their parts apart. *changed: translations
 * in use may be stale. -ENOENT, -ENOMEM.
 */
MUST_USE int stage2_access(struct stage2 *s, gfn_t gfn, uint32_t access, uint32_t suppress,
			   struct limbo *limbo, bool *changed);

/*
 * Takes `count` frames for tables out of the budget, of view 0, with anything in
 * them, and linked nowhere: for table_claim. All or -ENOMEM.
 */
MUST_USE int stage2_reserve(struct stage2 *s, uint32_t count, uint64_t spare[LEVELS]);

/*@ requires level <= 3;
    terminates \true; exits \false; assigns \nothing;
    ensures \result == span(level); */
static inline uint64_t level_span(uint32_t level)
{
	return level == 0 ? 1 : level == 1 ? SPAN1 : level == 2 ? SPAN2 : SPAN3;
}

/* gfn / level_span(level), without a division where the level is not known before. */
/*@ requires level <= 3;
    terminates \true; exits \false; assigns \nothing;
    ensures \result == gfn / span(level); */
static inline uint64_t gfn_slot(uint64_t gfn, uint32_t level)
{
	return level == 0 ? gfn : level == 1 ? gfn / SPAN1 : level == 2 ? gfn / SPAN2 : gfn / SPAN3;
}

/* gfn % level_span(level), likewise. */
/*@ requires level <= 3;
    terminates \true; exits \false; assigns \nothing;
    ensures \result == gfn % span(level) && \result < span(level); */
static inline uint64_t gfn_offset(uint64_t gfn, uint32_t level)
{
	return level == 0 ? 0 : level == 1 ? gfn % SPAN1 : level == 2 ? gfn % SPAN2 : gfn % SPAN3;
}

/*@ requires level <= 3;
    terminates \true; exits \false; assigns \nothing;
    ensures \result == gfn_index(gfn, level) && \result < RUN; */
static inline uint32_t index_of(uint64_t gfn, uint32_t level)
{
	return (uint32_t)(gfn_slot(gfn, level) % RUN);
}

/* The entries of a table of this level that gfns below the limit lead to; the rest of a root is 0. */
/*@ requires \valid_read(s) && level <= 3;
    terminates \true; exits \false; assigns \nothing;
    ensures \result == (level == LEVEL_ROOT ? s->root_entries : RUN); */
static inline uint32_t table_entries(const struct stage2 *s, uint32_t level)
{
	return level == LEVEL_ROOT ? s->root_entries : RUN;
}

/*
 * Makes a reserved table ready for this level: the caller writes every entry; of a
 * root, those that table_entries counts: the others are 0 from here on. `link`
 * says that any of them may be in use; the caller may know better.
 */
/*@ requires is_spare(t) && level <= LEVEL_ROOT;
    terminates \true; exits \false;
    assigns frames[t].dirty, frames[t].level, frames[t].link, machine[t][0 .. PAGE_WORDS - 1];
    ensures frames[t].level == level && frames[t].link == RUN; */
static inline void table_claim(uint64_t t, uint32_t level)
{
	if (level == LEVEL_ROOT && frames[t].dirty) {
		machine_scrub(mfn_of(t), ORDER_4K);
	}
	frames[t].dirty = 1;
	frames[t].level = (uint8_t)level;
	frames[t].link = RUN;
}

/* Then, when it is complete, it becomes the view's table of this place. No entry is its own yet. */
/*@ requires is_spare(t);
    terminates \true; exits \false;
    assigns frames[t].view, frames[t].count, frames[t].where;
    ensures frames[t].view == view && frames[t].where == prefix && frames[t].count == 0; */
static inline void table_place(uint64_t t, uint32_t view, uint64_t prefix)
{
	frames[t].view = view;
	frames[t].count = 0;
	frames[t].where = prefix;
}

/* The entries of a reserved table from here on are empty ones of this level already. */
static inline uint32_t table_tail(uint64_t t, uint32_t level)
{
	return frames[t].level == level ? frames[t].link : RUN;
}

/* Entry `index` of the table is in use. */
/*@ requires t < FRAMES_MAX && index < RUN;
    terminates \true; exits \false; assigns frames[t].link;
    ensures shapes_same{Pre,Here};
    ensures frames[t].link == (\old(frames[t].link) > index ? \old(frames[t].link) : index + 1); */
static inline void table_use(uint64_t t, uint32_t index)
{
	if (index >= frames[t].link) {
		frames[t].link = (uint16_t)(index + 1);
	}
}

/* Fills table t of this level with the pieces of leaf e of the level above, at two instructions each. */
/*@ requires t < FRAMES_MAX && level <= 1 && e_kind(e, level + 1) == ENTRY_LEAF &&
             e_mfn(e, level + 1) + span(level + 1) < ENTRY_MFNS;
    terminates \true; exits \false; assigns machine[t][0 .. RUN - 1];
    ensures \forall integer i; 0 <= i < RUN ==>
      e_kind(machine[t][i], level) == ENTRY_LEAF && e_access(machine[t][i]) == e_access(e) &&
      e_mfn(machine[t][i], level) == e_mfn(e, level + 1) + (level == 0 ? i : i * RUN); */
ALWAYS_INLINE void table_pieces(uint64_t t, uint64_t e, uint32_t level)
{
	uint64_t span = level_span(level);
	uint32_t i;

	//@ assert (level == 0 && span == 1) || (level == 1 && span == RUN);
#pragma GCC unroll 32
	/*@ loop invariant 0 <= i <= RUN;
	    loop invariant \forall integer k; 0 <= k < i ==> e_kind(machine[t][k], level) == ENTRY_LEAF;
	    loop invariant \forall integer k; 0 <= k < i ==> e_access(machine[t][k]) == e_access(e);
	    loop invariant level == 0 ==> \forall integer k; 0 <= k < i ==>
	      e_mfn(machine[t][k], 0) == e_mfn(e, 1) + k;
	    loop invariant level == 1 ==> \forall integer k; 0 <= k < i ==>
	      e_mfn(machine[t][k], 1) == e_mfn(e, 2) + k * RUN;
	    loop assigns i, machine[t][0 .. RUN - 1];
	    loop variant RUN - i; */
	for (i = 0; i < RUN; i++) {
		entry_write(t, i, entry_piece(e, i * span, level + 1));
	}
}

/* VIEW_ACCESS_* of an access and whether a write turns it into more; and back. */
static inline uint32_t access_join(uint32_t access, uint32_t turns)
{
	return !turns ? access : access ? VIEW_ACCESS_RX_TO_RW : VIEW_ACCESS_N_TO_RWX;
}

/*@ terminates \true; exits \false; assigns \nothing;
    ensures \result <= 1; */
static inline uint32_t access_turns(uint32_t access)
{
	return access >= VIEW_ACCESS_RX_TO_RW;
}

/* Whether it is one that an entry can be given, or VIEW_ACCESS_DEFAULT. */
/*@ terminates \true; exits \false; assigns \nothing;
    ensures \result <==> access <= VIEW_ACCESS_DEFAULT && access != 2 && access != 6; */
static inline bool access_settable(uint32_t access)
{
	return access <= VIEW_ACCESS_DEFAULT && access != ACCESS_W && access != (ACCESS_W | ACCESS_X);
}

/*@ terminates \true; exits \false; assigns \nothing;
    ensures access <= VIEW_ACCESS_N_TO_RWX && access != 2 && access != 6 ==> access_valid(\result); */
static inline uint32_t access_rights(uint32_t access)
{
	return access == VIEW_ACCESS_RX_TO_RW ? ACCESS_R | ACCESS_X :
	       access == VIEW_ACCESS_N_TO_RWX ? 0 : access;
}

static inline uint32_t level_order(uint32_t level)
{
	return level == 0 ? ORDER_4K : level == 1 ? ORDER_2M : ORDER_1G;
}
