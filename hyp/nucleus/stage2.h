/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The base view of a domain: a radix tree of four levels in the hardware's own
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
	uint32_t tables_used, table_budget;
};

/* Where a gfn leads. */
struct translation {
	bool present;
	uint8_t level;                /* of the entry; absent: of the hole, which covers as much */
	uint8_t access;               /* ACCESS_* */
	uint64_t mfn;                 /* of this very gfn, not of the superpage */
};

/*@ predicate machine_in(integer t) = 0 <= t < FRAMES_MAX;
    logic integer span(integer level) =
      level == 0 ? 1 : level == 1 ? SPAN1 : level == 2 ? SPAN2 : SPAN3;
    logic integer slot_gfn(integer slot, integer level) =
      level == 0 ? slot : level == 1 ? slot * SPAN1 : level == 2 ? slot * SPAN2 : slot * SPAN3;
    logic integer gfn_index(integer gfn, integer level) = gfn / span(level) % RUN;

    lemma prefix_3: \forall integer g; 0 <= g < GFN_LIMIT ==>
      g / SPAN3 % RUN == g / SPAN3 && g / GFN_LIMIT == 0;
    lemma prefix_2: \forall integer g; 0 <= g ==> (g / SPAN3) * RUN + g / SPAN2 % RUN == g / SPAN2;
    lemma prefix_1: \forall integer g; 0 <= g ==> (g / SPAN2) * RUN + g / SPAN1 % RUN == g / SPAN1;
    lemma prefix_0: \forall integer g; 0 <= g ==> (g / SPAN1) * RUN + g % RUN == g;

    // Every entry that leads to a table leads to one of the same domain and of the base,
    // one level below, in the place that its prefix says.
    predicate table_entry_ok{L}(integer t, integer i) =
      e_kind(machine[t][i], frames[t].level) == ENTRY_TABLE ==>
        \let c = e_mfn(machine[t][i], frames[t].level);
        c < frame_count && frames[c].type == FRAME_TABLE && frames[c].owner == frames[t].owner &&
        frames[c].view == frames[t].view && frames[c].level == frames[t].level - 1 &&
        frames[c].where == frames[t].where * RUN + i;
    predicate is_table{L}(integer t, integer domain, integer level) =
      0 <= t < frame_count && frames[t].type == FRAME_TABLE && frames[t].owner == domain &&
      frames[t].view == 0 && frames[t].level == level;
    // Rule 1, of one entry: a leaf leads only to RAM of the domain, or to pages shared with it, and
    // to frames that are mapped at that place and no other.
    predicate leaf_entry_ok{L}(integer t, integer i) =
      e_kind(machine[t][i], frames[t].level) == ENTRY_LEAF ==>
        \let f = e_mfn(machine[t][i], frames[t].level);
        \let size = span(frames[t].level);
        f + size <= frame_count &&
        \forall integer k; f <= k < f + size ==>
          (frames[k].type == FRAME_GUEST || frames[k].type == FRAME_SHARED) &&
          frames[k].owner == frames[t].owner &&
          frames[k].where == slot_gfn(frames[t].where * RUN + i, frames[t].level) + (k - f);
    predicate tables_ok{L} =
      \forall integer t, i; 0 <= t < frame_count && 0 <= i < RUN && frames[t].type == FRAME_TABLE ==>
        frames[t].level <= LEVEL_ROOT && table_entry_ok(t, i);
    predicate rule_1{L} =
      \forall integer t, i; 0 <= t < frame_count && 0 <= i < RUN && frames[t].type == FRAME_TABLE ==>
        leaf_entry_ok(t, i);
    predicate stage2_ok{L}(struct stage2 *s) =
      is_table(s->root, s->domain, LEVEL_ROOT) && frames[s->root].where == 0;

    // Translation, level by level.
    logic integer word{L}(integer t, integer gfn, integer level) = machine[t][gfn_index(gfn, level)];
    logic boolean down{L}(integer t, integer gfn, integer level) =
      e_kind(word(t, gfn, level), level) == ENTRY_TABLE;
    logic integer child{L}(integer t, integer gfn, integer level) = e_mfn(word(t, gfn, level), level);
    logic integer t2{L}(integer root, integer gfn) = child(root, gfn, 3);
    logic integer t1{L}(integer root, integer gfn) = child(t2(root, gfn), gfn, 2);
    logic integer t0{L}(integer root, integer gfn) = child(t1(root, gfn), gfn, 1);
    logic integer tr_level{L}(integer root, integer gfn, integer bottom) =
      bottom == 3 || !down(root, gfn, 3) ? 3 :
      bottom == 2 || !down(t2(root, gfn), gfn, 2) ? 2 :
      bottom == 1 || !down(t1(root, gfn), gfn, 1) ? 1 : 0;
    logic integer tr_table{L}(integer root, integer gfn, integer bottom) =
      \let l = tr_level(root, gfn, bottom);
      l == 3 ? root : l == 2 ? t2(root, gfn) : l == 1 ? t1(root, gfn) : t0(root, gfn);
    logic integer tr_word{L}(integer root, integer gfn) =
      word(tr_table(root, gfn, 0), gfn, tr_level(root, gfn, 0));
 */

/* Makes an empty view. -EINVAL for a budget of 0, -ENOMEM. */
MUST_USE int stage2_create(struct stage2 *s, uint32_t domain, uint32_t table_budget);

/* Where gfn leads: present is false for a hole and beyond the limit. */
/*@ requires \valid_read(s) && frames_ok && tables_ok && stage2_ok(s);
    terminates \true; exits \false; assigns \nothing;
    ensures gfn.gfn >= GFN_LIMIT ==> !\result.present && \result.level == LEVEL_ROOT;
    ensures gfn.gfn < GFN_LIMIT ==>
      \let l = tr_level(s->root, gfn.gfn, 0);
      \let e = tr_word(s->root, gfn.gfn);
      \result.level == l && (\result.present <==> e_kind(e, l) == ENTRY_LEAF) &&
      (\result.present ==> \result.mfn == e_mfn(e, l) + gfn.gfn % span(l) && \result.access == e_access(e));
    ensures rule_1 && \result.present ==>
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
 * Takes out the leaf at gfn, whole, and puts tables that are empty now into
 * limbo; what was there is returned and is the caller's. Cannot fail.
 */
struct translation stage2_take(struct stage2 *s, gfn_t gfn, struct limbo *limbo);

/*
 * Maps one 4 KiB frame at gfn in the place of what is there, splitting and
 * adding tables as needed. *old says what was there. -EINVAL, -ENOMEM.
 */
MUST_USE int stage2_replace(struct stage2 *s, gfn_t gfn, mfn_t mfn, uint32_t access, struct translation *old);

/*@ requires level <= 3;
    terminates \true; exits \false; assigns \nothing;
    ensures \result == span(level); */
static inline uint64_t level_span(uint32_t level)
{
	return level == 0 ? 1 : level == 1 ? SPAN1 : level == 2 ? SPAN2 : SPAN3;
}

static inline uint32_t level_order(uint32_t level)
{
	return level == 0 ? ORDER_4K : level == 1 ? ORDER_2M : ORDER_1G;
}
