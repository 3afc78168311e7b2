/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame table: one owner and one type for every frame of machine memory.
 *
 * The rules that everything leans on; nuc_audit counts what breaks them:
 *
 *  Rule 1. A stage-2 leaf of a domain leads only to frames of that domain,
 *          frames shared with it by their owner's act, frames of a realm in that
 *          realm's view, or devices that the manifest gives it.
 *  Rule 2. The core's address space leads to no guest, realm, table or nucleus
 *          frame; shared ones excepted.
 *  Rule 3. Only the nucleus writes a frame of type table.
 *  Rule 4. A frame changes owner only when no mapping, view, list or CPU's TLB
 *          still leads to it, and it is scrubbed on the way.
 *  Rule 5. A guarded domain runs only while no foreign mapping of it exists.
 *  Rule 6. After the fuse: no table changes, no new mapping, no new root.
 *
 * Free memory is kept as runs of 1, RUN (2 MiB) and RUN * RUN (1 GiB) frames,
 * each aligned to its size. `type` is the truth; the lists only say where to
 * look, and whatever they say is checked against it.
 *
 * The nucleus lock is held for all of this.
 */
#pragma once

#include "errno.h"
#include "limits.h"
#include "types.h"

enum frame_type {
	FRAME_NONE,     /* not memory, or not yet known to be */
	FRAME_FREE,     /* on the free lists; all zero unless `dirty`, and scrubbed before use if it is */
	FRAME_NUCLEUS,  /* the nucleus' own: image, stacks, VMCSs, boot pack */
	FRAME_TABLE,    /* a stage-2 table of `owner` */
	FRAME_CORE,     /* mapped in the core's space only */
	FRAME_GUEST,    /* RAM of `owner` */
	FRAME_REALM,    /* RAM of a realm, in the view `view` of `owner` */
	FRAME_SHARED,   /* the core's, and mapped in the domain `owner` too */
	FRAME_DEVICE,   /* registers of a device; `owner` or nobody */
	FRAME_GATE,     /* gate text and pages: both sides read them, nobody else writes */
	FRAME_TYPES
};

/* Sizes of runs, named as the logarithm of their 4 KiB frames in hardware. */
#define ORDER_4K 0u
#define ORDER_2M 9u
#define ORDER_1G 18u

/* Entries in a table, and so frames in a 2 MiB page; provers and tests make it small. */
#ifndef TABLE_ENTRIES
#define TABLE_ENTRIES 512u
#endif
#define RUN TABLE_ENTRIES

#define WHERE_NONE 0xffffffffffffffffull

struct frame {
	uint8_t type;       /* enum frame_type */
	uint8_t level;      /* TABLE: 0 holds 4 KiB leaves .. 3 is a root; FREE: what it was as a table */
	uint8_t dirty;      /* FREE, TABLE: may hold anything; else it is, or was, all zero */
	uint8_t order;      /* in limbo: the size of the run it heads; TABLE: the audit's mark */
	uint16_t owner;     /* a domain, or DOMAIN_NONE */
	uint16_t link;      /* FREE: the next free frame of its block; RUN: none; TABLE: empty from here on */
	uint32_t view;      /* TABLE, REALM: the view it belongs to; 0 is the base */
	uint32_t count;     /* TABLE: entries of its own; GUEST: windows open on it; FREE: see frame.c */
	uint64_t where;     /* TABLE: gfn prefix; GUEST, SHARED: the one gfn it is mapped at, or WHERE_NONE */
	uint32_t next;      /* in limbo: the next run, by frame number, or FRAMES_MAX; TABLE: next copy */
	uint32_t prev;      /* TABLE: the copy before it, or FRAMES_MAX; GUEST, SHARED: remaps that show it */
};

#include "machine.h"

extern uint64_t frame_count;      /* frames[0 .. frame_count) exist; at most FRAMES_MAX */
extern uint64_t frame_free_count; /* of them free */

/*
 * A run of free frames by position, 16 bytes: block b < BLOCKS_MAX is frames
 * [b * RUN, +RUN), region g is blocks [g * RUN, +RUN) and lies at BLOCKS_MAX + g.
 * Of its RUN children, `free` are free: those on the chain and those from `bump`
 * on. A run none or all of whose children are free has no chain, so a run that
 * becomes whole costs nothing to merge.
 */
struct run {
	uint32_t next, prev;        /* the list it is on; RUN_NIL ends it */
	uint16_t free;              /* free children, 0 .. RUN */
	uint16_t bump;              /* children from here on were never split off; RUN: none */
	uint16_t chain;             /* the first child given back; RUN: none */
	uint16_t link;              /* block: the next one given back to its region */
};

#define BLOCKS_MAX ((uint32_t)(FRAMES_MAX / RUN))
#define REGIONS_MAX ((uint32_t)(FRAMES_MAX / RUN / RUN))
#define RUNS_MAX (BLOCKS_MAX + REGIONS_MAX)
#define RUN_NIL RUNS_MAX

enum run_list {
	SPLIT_BLOCKS,   /* some frames of it are free */
	SPLIT_REGIONS,  /* some blocks of it are wholly free */
	WHOLE_REGIONS,  /* all of it is free */
	RUN_LISTS
};

extern struct run runs[RUNS_MAX];
extern uint32_t run_lists[RUN_LISTS];

_Static_assert(sizeof(struct frame) == 32, "the frame table's size is known to the boot code");
_Static_assert(FRAMES_MAX < 0xffffffffu, "a frame number and \"none\" fit in 32 bits");
_Static_assert(FRAMES_MAX % ((uint64_t)RUN * RUN) == 0, "whole regions only");

/*@ predicate order_valid(integer o) = o == ORDER_4K || o == ORDER_2M || o == ORDER_1G;
    logic integer order_size(integer o) =
      o == ORDER_4K ? 1 : o == ORDER_2M ? (integer)RUN : (integer)RUN * (integer)RUN;

    predicate frame_same{A,B}(integer m) =
      \at(frames[m].type,A) == \at(frames[m].type,B) &&
      \at(frames[m].level,A) == \at(frames[m].level,B) &&
      \at(frames[m].owner,A) == \at(frames[m].owner,B) &&
      \at(frames[m].view,A) == \at(frames[m].view,B) &&
      \at(frames[m].count,A) == \at(frames[m].count,B) &&
      \at(frames[m].where,A) == \at(frames[m].where,B);
    predicate frames_same_but{A,B}(integer first, integer size) =
      \forall integer m; 0 <= m < FRAMES_MAX && !(first <= m < first + size) ==> frame_same{A,B}(m);

    predicate run_ok{L}(integer r) =
      runs[r].next <= RUN_NIL && runs[r].prev <= RUN_NIL && runs[r].free <= RUN &&
      runs[r].bump <= RUN && runs[r].chain <= RUN && runs[r].link <= RUN;
    predicate lists_ok{L} =
      (\forall integer l; 0 <= l < RUN_LISTS ==> run_lists[l] <= RUN_NIL) &&
      (\forall integer r; 0 <= r < RUNS_MAX ==> run_ok(r));
    predicate frames_ok{L} =
      frame_count <= FRAMES_MAX && lists_ok &&
      (\forall integer m; 0 <= m < frame_count ==> frames[m].link <= RUN);
 */

/* The frames in a run of this order. */
/*@ requires order_valid(order);
    terminates \true; exits \false; assigns \nothing;
    ensures \result == order_size(order); */
static inline uint64_t order_frames(uint32_t order)
{
	return order == ORDER_4K ? 1 : order == ORDER_2M ? RUN : (uint64_t)RUN * RUN;
}

/*
 * Boot, in this order: frame_init; frame_claim for what is already in use;
 * frame_add for RAM, which leaves claimed frames alone.
 */

/* Makes the table, of `count` frames of type NONE. */
/*@ requires count <= FRAMES_MAX;
    assigns frames[0 .. FRAMES_MAX - 1], runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1],
            frame_count, frame_free_count;
    ensures frames_ok && frame_count == count && frame_free_count == 0;
    ensures \forall integer m; 0 <= m < count ==> frames[m].type == FRAME_NONE; */
void frame_init(uint64_t count);

/* Marks [mfn, mfn + count) as in use; what lies beyond frame_count is ignored. */
/*@ requires frames_ok && FRAME_FREE < type < FRAME_TYPES;
    assigns frames[0 .. FRAMES_MAX - 1];
    ensures frames_ok;
    ensures \forall integer m; mfn.mfn <= m < mfn.mfn + count && m < frame_count ==> frames[m].type == type;
    ensures \forall integer m; 0 <= m < FRAMES_MAX && !(mfn.mfn <= m < mfn.mfn + count) ==>
              frame_same{Pre,Here}(m); */
void frame_claim(mfn_t mfn, uint64_t count, uint8_t type);

/* Frees the frames of [mfn, mfn + count) that are of type NONE, as RAM with unknown contents. */
/*@ requires frames_ok;
    assigns frames[0 .. FRAMES_MAX - 1], runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1],
            frame_free_count;
    ensures frames_ok;
    ensures \forall integer m; 0 <= m < FRAMES_MAX && \old(frames[m].type) != FRAME_NONE ==>
              frame_same{Pre,Here}(m);
    ensures \forall integer m; 0 <= m < FRAMES_MAX && \old(frames[m].type) == FRAME_NONE ==>
              frames[m].type == FRAME_NONE || frames[m].type == FRAME_FREE; */
void frame_add(mfn_t mfn, uint64_t count);

/*
 * Takes a run of zeroed frames: `type` is neither NONE nor FREE. 0 and *mfn, or
 * -ENOMEM and nothing changed. 2M and 1G runs come back together by themselves
 * once all of their frames are free again.
 */
/*@ requires frames_ok && order_valid(order) && FRAME_FREE < type < FRAME_TYPES;
    requires \valid(mfn) && \separated(mfn, &frames[0 .. FRAMES_MAX - 1], &runs[0 .. RUNS_MAX - 1],
             &run_lists[0 .. RUN_LISTS - 1], &frame_free_count, &frame_count,
             &machine[0 .. FRAMES_MAX - 1]);
    assigns frames[0 .. FRAMES_MAX - 1], runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1],
            frame_free_count, machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1], *mfn;
    ensures frames_ok && (\result == 0 || \result == -ENOMEM);
    ensures \result != 0 ==> frames_same_but{Pre,Here}(0, 0) && *mfn == \old(*mfn);
    ensures \result == 0 ==>
      mfn->mfn + order_size(order) <= frame_count && frames_same_but{Pre,Here}(mfn->mfn, order_size(order)) &&
      \forall integer m; mfn->mfn <= m < mfn->mfn + order_size(order) ==>
        \at(frames[m].type,Pre) == FRAME_FREE && frames[m].type == type && frames[m].owner == owner &&
        frames[m].count == 0 && frames[m].where == WHERE_NONE;
    ensures \forall integer t, i; 0 <= t < FRAMES_MAX && 0 <= i < PAGE_WORDS &&
      \at(frames[t].type,Pre) != FRAME_FREE ==> machine[t][i] == \at(machine[t][i],Pre); */
MUST_USE int frame_alloc(uint32_t order, uint8_t type, uint16_t owner, mfn_t *mfn);

/*
 * Scrubs and frees a run. Nothing may lead to it any more (rule 4). CHECK: it is
 * aligned, and all of it is in use.
 */
/*@ requires frames_ok && order_valid(order);
    assigns frames[0 .. FRAMES_MAX - 1], runs[0 .. RUNS_MAX - 1], run_lists[0 .. RUN_LISTS - 1],
            frame_free_count, machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1];
    ensures frames_ok && mfn.mfn + order_size(order) <= frame_count;
    ensures frames_same_but{Pre,Here}(mfn.mfn, order_size(order));
    ensures \forall integer m; mfn.mfn <= m < mfn.mfn + order_size(order) ==>
              \at(frames[m].type,Pre) > FRAME_FREE && frames[m].type == FRAME_FREE;
    ensures \forall integer t, i; 0 <= t < FRAMES_MAX && 0 <= i < PAGE_WORDS &&
              !(mfn.mfn <= t < mfn.mfn + order_size(order)) ==> machine[t][i] == \at(machine[t][i],Pre); */
void frame_free(mfn_t mfn, uint32_t order);

/*
 * The same for a single frame that becomes a table, or was one. What is in it is
 * not zeroed, if it is `dirty`, until it becomes something else: whoever makes a
 * table writes over all of it, or leaves what is known to be empty; so `level` and
 * `link` come back as they were. The last one freed is the first one taken.
 * FRAMES_MAX: no memory. CHECK: it is a table, of no place any more.
 */
MUST_USE uint64_t frame_alloc_table(uint16_t owner);
void frame_free_table(mfn_t mfn);

/* Changes type and owner of a frame in use. CHECK: it is in use before and after. */
/*@ requires frames_ok;
    assigns frames[mfn.mfn];
    ensures frames_ok && mfn.mfn < frame_count && FRAME_FREE < type < FRAME_TYPES;
    ensures \old(frames[mfn.mfn].type) > FRAME_FREE;
    ensures frames[mfn.mfn].type == type && frames[mfn.mfn].owner == owner;
    ensures frames_same_but{Pre,Here}(mfn.mfn, 1); */
void frame_retype(mfn_t mfn, uint8_t type, uint16_t owner);

/*
 * Runs that nothing maps any more but that a TLB may still lead to. They keep
 * their type and owner until the owner's translations are flushed, once for all.
 */
struct limbo {
	uint64_t head, tail;        /* head FRAMES_MAX: none */
};
#define LIMBO_EMPTY ((struct limbo){ FRAMES_MAX, FRAMES_MAX })

void limbo_add(struct limbo *l, mfn_t mfn, uint32_t order);
/* Flushes the domain's translations, if there is anything, and then as limbo_drain. */
void limbo_free(struct limbo *l, uint32_t domain);
/* Frees every run in the order in which they came: no TLB leads there any more. */
void limbo_drain(struct limbo *l);
