/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EPT entry format (Intel SDM vol. 3C, 29.3.2 "EPT Translation Mechanism",
 * tables 29-1 to 29-7), as pure functions on one word.
 *
 *   bits  2:0   read, write, execute; 7 in every entry that leads to a table
 *   bits  5:3   leaf: memory type, write-back
 *   bits 10:8   level 0 of a view: which parts of the entry the view has set
 *   bits 7, 62:53  level 0 of a view: where to step, 11 bits, 0 for nowhere
 *   bit   7     leaf at level 1 or 2: a 2 MiB or 1 GiB page
 *   bit  11     leaf: a write that the access forbids is to be turned into a right;
 *               link: to a table of the view's own, with all rights
 *   bits 51:12  machine frame number
 *   bit  52     ignored by hardware: the entry leads somewhere, even with no access
 *   bit  63     leaf or empty: suppress #VE, so that none comes from an untouched page
 *
 * An empty entry of a view that has set parts keeps them, and bit 11: bit 52 is
 * clear, bit 12 set, and bits 15:13 hold the access that it would have.
 *
 * Hardware ignores all of these while mode-based execution, HLAT, supervisor
 * shadow stacks and sub-page write permissions are off, as they are.
 * Accessed and dirty flags stay off in EPTP (bit 6): hardware writes no table.
 * Written with / and % for the prover; the compiler makes shifts of them.
 */
#pragma once

#include "types.h"

enum entry_kind { ENTRY_EMPTY, ENTRY_TABLE, ENTRY_LEAF, ENTRY_KEPT, ENTRY_BAD };

/* What a view has set in an entry of its own. */
#define OWN_ACCESS 1u
#define OWN_TARGET 2u
#define OWN_SUPPRESS 4u
#define OWN_FLAGS 8u                      /* they are below */
#define STEPS 2048u                       /* and where to step, below this */

#define ACCESS_R 1u
#define ACCESS_W 2u
#define ACCESS_X 4u
#define ACCESS_RWX 7u

#define EPT_WB 48ull                      /* 6 << 3 */
#define EPT_PAGE 128ull                   /* bit 7 */
#define EPT_MFN 4096ull                   /* bit 12 */
#define EPT_KEPT 4096ull                  /* bit 12, if not valid */
#define EPT_KEPT_ACCESS 8192ull           /* bit 13 */
#define EPT_OWN 256ull                    /* bit 8 */
#define EPT_TURNS 2048ull                 /* bit 11 of a leaf */
#define EPT_PRIVATE 2048ull               /* bit 11 of a link */
#define EPT_STEP_HIGH 128ull              /* bit 7 */
#define EPT_STEP_LOW 9007199254740992ull  /* bit 53 */
#define STEP_LOWS 1024u                   /* bits 62:53 hold so many */
#define EPT_VALID 4503599627370496ull     /* bit 52 */
#define EPT_SUPPRESS_VE 9223372036854775808ull /* bit 63 */
#define ENTRY_MFNS 1099511627776ull       /* frame numbers have 40 bits */

/*@ predicate access_valid(integer a) = 0 <= a <= 7 && a != 2 && a != 6;
    logic integer e_kind(integer e, integer level) =
      e == EPT_SUPPRESS_VE ? ENTRY_EMPTY :
      e / EPT_VALID % 2 == 0 ?
        (level == 0 && e / EPT_KEPT % 2 == 1 && e % 8 == 0 ? ENTRY_KEPT : ENTRY_BAD) :
      level == 0 ? ENTRY_LEAF :
      e / EPT_PAGE % 2 == 0 ? ENTRY_TABLE :
      level <= 2 ? ENTRY_LEAF : ENTRY_BAD;
    logic integer e_mfn(integer e, integer level) = e / EPT_MFN % ENTRY_MFNS;
    logic integer e_access(integer e) = e % 8;
    logic integer e_suppress(integer e) = e / EPT_SUPPRESS_VE;
    logic integer e_turns(integer e) = e / EPT_TURNS % 2;
    logic boolean e_private(integer e) = e / EPT_PRIVATE % 2 == 1;
    logic integer e_own(integer e) = e / EPT_OWN % OWN_FLAGS;
    logic integer e_step(integer e) = e / EPT_STEP_LOW % STEP_LOWS + e / EPT_STEP_HIGH % 2 * STEP_LOWS;
    logic integer e_kept_access(integer e) = e / EPT_KEPT_ACCESS % 8;

    // The fields of an entry of level 0, from the lowest bit up.
    logic integer fields(integer x, integer high, integer own, integer turns, integer m, integer low,
          integer s) =
      x + high * EPT_STEP_HIGH + own * EPT_OWN + turns * EPT_TURNS + m * EPT_MFN + low * EPT_STEP_LOW +
      s * EPT_SUPPRESS_VE;
    predicate in_fields(integer x, integer high, integer own, integer turns, integer m, integer low,
          integer s) =
      0 <= x < EPT_STEP_HIGH && 0 <= high < 2 && 0 <= own < OWN_FLAGS && 0 <= turns < 2 &&
      0 <= m < 2 * ENTRY_MFNS && 0 <= low < STEP_LOWS && 0 <= s < 2;
    lemma field_x: \forall integer x, high, own, turns, m, low, s; in_fields(x, high, own, turns, m, low,
          s) ==>
      fields(x, high, own, turns, m, low, s) % EPT_STEP_HIGH == x;
    lemma field_access: \forall integer x, high, own, turns, m, low, s; in_fields(x, high, own, turns, m,
          low, s) ==>
      fields(x, high, own, turns, m, low, s) % 8 == x % 8;
    lemma field_high: \forall integer x, high, own, turns, m, low, s; in_fields(x, high, own, turns, m, low,
          s) ==>
      fields(x, high, own, turns, m, low, s) / EPT_STEP_HIGH % 2 == high;
    lemma field_own: \forall integer x, high, own, turns, m, low, s; in_fields(x, high, own, turns, m, low,
          s) ==>
      fields(x, high, own, turns, m, low, s) / EPT_OWN % OWN_FLAGS == own;
    lemma field_turns: \forall integer x, high, own, turns, m, low, s; in_fields(x, high, own, turns, m,
          low, s) ==>
      fields(x, high, own, turns, m, low, s) / EPT_TURNS % 2 == turns;
    lemma field_m: \forall integer x, high, own, turns, m, low, s; in_fields(x, high, own, turns, m, low,
          s) ==>
      fields(x, high, own, turns, m, low, s) / EPT_MFN % (2 * ENTRY_MFNS) == m;
    lemma field_mfn: \forall integer x, high, own, turns, m, low, s; in_fields(x, high, own, turns, m, low,
          s) ==>
      fields(x, high, own, turns, m, low, s) / EPT_MFN % ENTRY_MFNS == m % ENTRY_MFNS;
    lemma field_kept: \forall integer x, high, own, turns, m, low, s; in_fields(x, high, own, turns, m, low,
          s) ==>
      fields(x, high, own, turns, m, low, s) / EPT_KEPT % 2 == m % 2;
    lemma field_valid: \forall integer x, high, own, turns, m, low, s; in_fields(x, high, own, turns, m,
          low, s) ==>
      fields(x, high, own, turns, m, low, s) / EPT_VALID % 2 == m / ENTRY_MFNS;
    lemma field_low: \forall integer x, high, own, turns, m, low, s; in_fields(x, high, own, turns, m, low,
          s) ==>
      fields(x, high, own, turns, m, low, s) / EPT_STEP_LOW % STEP_LOWS == low;
    lemma field_suppress: \forall integer x, high, own, turns, m, low, s; in_fields(x, high, own, turns, m,
          low, s) ==>
      fields(x, high, own, turns, m, low, s) / EPT_SUPPRESS_VE == s;
    predicate is_fields(integer e) =
      \let x = e % EPT_STEP_HIGH; \let high = e / EPT_STEP_HIGH % 2; \let m = e / EPT_MFN % (2 * ENTRY_MFNS);
      \let low = e / EPT_STEP_LOW % STEP_LOWS; \let s = e / EPT_SUPPRESS_VE;
      in_fields(x, high, e_own(e), e_turns(e), m, low, s) && e == fields(x, high, e_own(e), e_turns(e), m,
            low, s);
    lemma low_7: \forall integer e; 0 <= e ==> e == e % EPT_STEP_HIGH + e / EPT_STEP_HIGH * EPT_STEP_HIGH;
    lemma bit_7: \forall integer e; 0 <= e ==> e / EPT_STEP_HIGH == e / EPT_STEP_HIGH % 2 + 2 * (e / EPT_OWN);
    lemma bits_8: \forall integer e; 0 <= e ==>
          e / EPT_OWN == e / EPT_OWN % OWN_FLAGS + OWN_FLAGS * (e / EPT_TURNS);
    lemma bit_11: \forall integer e; 0 <= e ==> e / EPT_TURNS == e / EPT_TURNS % 2 + 2 * (e / EPT_MFN);
    lemma bits_12: \forall integer e; 0 <= e ==>
      e / EPT_MFN == e / EPT_MFN % (2 * ENTRY_MFNS) + 2 * ENTRY_MFNS * (e / EPT_STEP_LOW);
    lemma bits_53: \forall integer e; 0 <= e ==>
      e / EPT_STEP_LOW == e / EPT_STEP_LOW % STEP_LOWS + STEP_LOWS * (e / EPT_SUPPRESS_VE);
    lemma bits_13: \forall integer e; 0 <= e ==>
          e / EPT_KEPT_ACCESS % 8 == e / EPT_MFN % (2 * ENTRY_MFNS) / 2 % 8;
    lemma field_kept_access: \forall integer x, high, own, turns, m, low, s;
      in_fields(x, high, own, turns, m, low, s) ==>
      fields(x, high, own, turns, m, low, s) / EPT_KEPT_ACCESS % 8 == m / 2 % 8;
    lemma all_fields: \forall integer e; 0 <= e < 2 * EPT_SUPPRESS_VE ==> is_fields(e);

    // Write implies read, and so it does where both of two rights are needed.
    lemma and_valid: \forall integer a, b; 0 <= a <= 7 && 0 <= b <= 7 && a != 2 && a != 6 && b != 2 &&
          b != 6 ==>
      0 <= (a & b) <= 7 && (a & b) != 2 && (a & b) != 6;
 */

/* True for what hardware accepts: write without read is a misconfiguration (29.3.3.1). */
/*@ terminates \true; exits \false; assigns \nothing;
    ensures \result <==> access_valid(access); */
static inline bool access_valid(uint32_t access)
{
	return access <= ACCESS_RWX && access % 4 != ACCESS_W;
}

/*@ requires 0 <= level <= 3;
    terminates \true; exits \false; assigns \nothing;
    ensures e_kind(\result, level) == ENTRY_EMPTY; */
static inline uint64_t entry_empty(uint32_t level)
{
	(void)level;
	return EPT_SUPPRESS_VE;
}

/* A link to a table, with the rights that what lies below can have at most. */
/*@ requires 1 <= level <= 3 && mfn < ENTRY_MFNS && access_valid(access);
    terminates \true; exits \false; assigns \nothing;
    ensures e_kind(\result, level) == ENTRY_TABLE && e_mfn(\result, level) == mfn && !e_private(\result);
    ensures e_access(\result) == access && e_suppress(\result) == (access == 0 ? 1 : 0); */
static inline uint64_t entry_link(uint64_t mfn, uint32_t access, uint32_t level)
{
	(void)level;
	/* With no rights this is the entry that decides, and it must not raise #VE. */
	return (access ? 0 : EPT_SUPPRESS_VE) + EPT_VALID + mfn * EPT_MFN + access;
}

/*@ requires 1 <= level <= 3 && mfn < ENTRY_MFNS;
    terminates \true; exits \false; assigns \nothing;
    ensures e_kind(\result, level) == ENTRY_TABLE && e_mfn(\result, level) == mfn && !e_private(\result);
    ensures e_access(\result) == ACCESS_RWX; */
static inline uint64_t entry_table(uint64_t mfn, uint32_t level)
{
	return entry_link(mfn, ACCESS_RWX, level);
}

/* A view's link to a table of its own. */
/*@ requires 1 <= level <= 3 && mfn < ENTRY_MFNS;
    terminates \true; exits \false; assigns \nothing;
    ensures e_kind(\result, level) == ENTRY_TABLE && e_mfn(\result, level) == mfn && e_private(\result);
    ensures e_access(\result) == ACCESS_RWX; */
static inline uint64_t entry_private(uint64_t mfn, uint32_t level)
{
	(void)level;
	return EPT_VALID + mfn * EPT_MFN + EPT_PRIVATE + ACCESS_RWX;
}

/* Whether it is one. */
/*@ requires 1 <= level <= 3;
    terminates \true; exits \false; assigns \nothing;
    ensures \result <==> e_kind(e, level) == ENTRY_TABLE && e_private(e); */
static inline bool entry_is_private(uint64_t e, uint32_t level)
{
	(void)level;
	return e / EPT_VALID % 2 == 1 && e / EPT_PRIVATE % 2 == 1 && e / EPT_PAGE % 2 == 0;
}

/*@ requires 0 <= level <= 2 && mfn < ENTRY_MFNS && access_valid(access) && suppress <= 1;
    terminates \true; exits \false; assigns \nothing;
    ensures e_kind(\result, level) == ENTRY_LEAF && e_mfn(\result, level) == mfn;
    ensures e_access(\result) == access && e_suppress(\result) == suppress && e_turns(\result) == 0;
    ensures level == 0 ==> e_own(\result) == 0 && e_step(\result) == 0; */
static inline uint64_t entry_leaf_with(uint64_t mfn, uint32_t access, uint32_t suppress, uint32_t level)
{
	return (suppress ? EPT_SUPPRESS_VE : 0) + EPT_VALID + mfn * EPT_MFN + (level ? EPT_PAGE : 0) + EPT_WB +
	       access;
}

/*@ requires 0 <= level <= 2 && mfn < ENTRY_MFNS && access_valid(access);
    terminates \true; exits \false; assigns \nothing;
    ensures e_kind(\result, level) == ENTRY_LEAF && e_mfn(\result, level) == mfn;
    ensures e_access(\result) == access; */
static inline uint64_t entry_leaf(uint64_t mfn, uint32_t access, uint32_t level)
{
	return entry_leaf_with(mfn, access, 1, level);
}

/* Whether a write is to be turned into a right, on top of an entry of level 0 without that. */
/*@ requires turns <= 1 && e_turns(e) == 0;
    terminates \true; exits \false; assigns \nothing;
    ensures e_turns(\result) == turns && e_own(\result) == e_own(e) && e_step(\result) == e_step(e);
    ensures e_mfn(\result, 0) == e_mfn(e, 0) && e_access(\result) == e_access(e);
    ensures e_suppress(\result) == e_suppress(e) && e_kept_access(\result) == e_kept_access(e);
    ensures e_kind(e, 0) != ENTRY_EMPTY ==> e_kind(\result, 0) == e_kind(e, 0); */
static inline uint64_t entry_with_turns(uint64_t e, uint32_t turns)
{
	//@ assert is_fields(e);
	/*@ assert e + turns * EPT_TURNS ==
	      fields(e % EPT_STEP_HIGH, e / EPT_STEP_HIGH % 2, e_own(e), turns,
	            e / EPT_MFN % (2 * ENTRY_MFNS),
	             e / EPT_STEP_LOW % STEP_LOWS, e / EPT_SUPPRESS_VE); */
	return e + turns * EPT_TURNS;
}

/* The piece of a leaf of this level, not 0, that begins `offset` frames into it: a leaf one level down. */
/*@ requires 1 <= level <= 2 && e_kind(e, level) == ENTRY_LEAF && offset < ENTRY_MFNS - e_mfn(e, level);
    terminates \true; exits \false; assigns \nothing;
    ensures e_kind(\result, level - 1) == ENTRY_LEAF && e_mfn(\result, level - 1) == e_mfn(e, level) + offset;
    ensures e_access(\result) == e_access(e) && e_suppress(\result) == e_suppress(e);
    ensures e_turns(\result) == e_turns(e); */
static inline uint64_t entry_piece(uint64_t e, uint64_t offset, uint32_t level)
{
	//@ assert is_fields(e);
	//@ assert e / EPT_STEP_HIGH % 2 == 1 && e / EPT_MFN % (2 * ENTRY_MFNS) / ENTRY_MFNS == 1;
	/*@ assert e - (level == 1 ? EPT_PAGE : 0) + offset * EPT_MFN ==
	      fields(e % EPT_STEP_HIGH, level == 1 ? 0 : 1, e_own(e), e_turns(e),
	             e / EPT_MFN % (2 * ENTRY_MFNS) + offset, e / EPT_STEP_LOW % STEP_LOWS,
	                   e / EPT_SUPPRESS_VE); */
	return e - (level == 1 ? EPT_PAGE : 0) + offset * EPT_MFN;
}

/* The leaf above this level, 0 or 1, whose first piece is leaf e of the base. */
/*@ requires 0 <= level <= 1 && e_kind(e, level) == ENTRY_LEAF && (level == 0 ==> e / EPT_PAGE % 2 == 0);
    terminates \true; exits \false; assigns \nothing;
    ensures e_kind(\result, level + 1) == ENTRY_LEAF && e_mfn(\result, level + 1) == e_mfn(e, level);
    ensures e_access(\result) == e_access(e) && e_suppress(\result) == e_suppress(e);
    ensures e_turns(\result) == e_turns(e); */
static inline uint64_t entry_joined(uint64_t e, uint32_t level)
{
	return e + (level == 0 ? EPT_PAGE : 0);
}

/*@ requires 0 <= level <= 3;
    terminates \true; exits \false; assigns \nothing;
    ensures \result == e_kind(e, level); */
static inline enum entry_kind entry_kind(uint64_t e, uint32_t level)
{
	if (e / EPT_VALID % 2 == 1) {
		if (level == 0) {
			return ENTRY_LEAF;
		}
		if (e / EPT_PAGE % 2 == 0) {
			return ENTRY_TABLE;
		}
		return level <= 2 ? ENTRY_LEAF : ENTRY_BAD;
	}
	if (e == EPT_SUPPRESS_VE) {
		return ENTRY_EMPTY;
	}
	return level == 0 && e / EPT_KEPT % 2 == 1 && e % 8 == 0 ? ENTRY_KEPT : ENTRY_BAD;
}

/* Where a table or leaf entry leads. */
/*@ requires 0 <= level <= 3;
    terminates \true; exits \false; assigns \nothing;
    ensures \result == e_mfn(e, level) && \result < ENTRY_MFNS; */
static inline uint64_t entry_mfn(uint64_t e, uint32_t level)
{
	(void)level;
	return e / EPT_MFN % ENTRY_MFNS;
}

/*@ requires 0 <= level <= 3;
    terminates \true; exits \false; assigns \nothing;
    ensures \result == e_access(e) && \result <= 7; */
static inline uint32_t entry_access(uint64_t e, uint32_t level)
{
	(void)level;
	return (uint32_t)(e % 8);
}

/* 1: an access that this entry forbids raises no #VE. */
/*@ requires 0 <= level <= 3;
    terminates \true; exits \false; assigns \nothing;
    ensures \result == e_suppress(e) && \result <= 1; */
static inline uint32_t entry_suppress(uint64_t e, uint32_t level)
{
	(void)level;
	return (uint32_t)(e / EPT_SUPPRESS_VE);
}

/* 1: a write that a leaf, or an entry of kind KEPT, forbids is to be turned into a right. */
/*@ requires 0 <= level <= 3;
    terminates \true; exits \false; assigns \nothing;
    ensures \result == e_turns(e) && \result <= 1; */
static inline uint32_t entry_turns(uint64_t e, uint32_t level)
{
	(void)level;
	return (uint32_t)(e / EPT_TURNS % 2);
}

/* What a view has set, and where it steps, on top of an entry of level 0 with neither. */
/*@ requires own < OWN_FLAGS && step < STEPS && e_own(e) == 0 && e_step(e) == 0;
    terminates \true; exits \false; assigns \nothing;
    ensures e_own(\result) == own && e_step(\result) == step && e_turns(\result) == e_turns(e);
    ensures e_mfn(\result, 0) == e_mfn(e, 0) && e_access(\result) == e_access(e);
    ensures e_suppress(\result) == e_suppress(e) && e_kept_access(\result) == e_kept_access(e);
    ensures e_kind(e, 0) != ENTRY_EMPTY ==> e_kind(\result, 0) == e_kind(e, 0); */
static inline uint64_t entry_with_own(uint64_t e, uint32_t own, uint32_t step)
{
	//@ assert is_fields(e);
	//@ assert e / EPT_STEP_HIGH % 2 == 0 && e / EPT_STEP_LOW % STEP_LOWS == 0;
	//@ assert step / STEP_LOWS < 2 && step == step / STEP_LOWS * STEP_LOWS + step % STEP_LOWS;
	/*@ assert e + own * EPT_OWN + step / STEP_LOWS * EPT_STEP_HIGH + step % STEP_LOWS * EPT_STEP_LOW ==
	      fields(e % EPT_STEP_HIGH, step / STEP_LOWS, own, e_turns(e), e / EPT_MFN % (2 * ENTRY_MFNS),
	             step % STEP_LOWS, e / EPT_SUPPRESS_VE); */
	return e + own * EPT_OWN + step / STEP_LOWS * EPT_STEP_HIGH + step % STEP_LOWS * EPT_STEP_LOW;
}

/* Leaf `e` of level 0 with this access, set by the view. */
/*@ requires access_valid(access) && turns <= 1;
    terminates \true; exits \false; assigns \nothing; */
static inline uint64_t entry_with_access(uint64_t e, uint32_t access, uint32_t turns)
{
	return (e & ~(ACCESS_RWX + EPT_TURNS)) | access | turns * EPT_TURNS | OWN_ACCESS * EPT_OWN;
}

/* Leaf `e` of level 0 showing another frame, set by the view. */
/*@ requires mfn < ENTRY_MFNS;
    terminates \true; exits \false; assigns \nothing; */
static inline uint64_t entry_with_target(uint64_t e, uint64_t mfn)
{
	return (e & ~((ENTRY_MFNS - 1) * EPT_MFN)) | mfn * EPT_MFN | OWN_TARGET * EPT_OWN;
}

/* Leaf `e` of level 0 with #VE suppressed (1) or not (0), set by the view. */
/*@ requires suppress <= 1;
    terminates \true; exits \false; assigns \nothing; */
static inline uint64_t entry_with_suppress(uint64_t e, uint32_t suppress)
{
	return (e & ~EPT_SUPPRESS_VE) | (uint64_t)suppress << 63 | OWN_SUPPRESS * EPT_OWN;
}

/* Whether a view has set anything in an entry of level 0. */
/*@ terminates \true; exits \false; assigns \nothing;
    ensures \result <==> e_own(e) != 0 || e_step(e) != 0; */
static inline bool entry_any_own(uint64_t e)
{
	return e & ((OWN_FLAGS - 1) * EPT_OWN + EPT_STEP_HIGH + (STEP_LOWS - 1) * EPT_STEP_LOW);
}

/* Whether hardware may hold something of `old` that is no longer so in `e`, its successor. */
/*@ requires 0 <= level <= 3;
    terminates \true; exits \false; assigns \nothing; */
static inline bool entry_stale(uint64_t old, uint64_t e, uint32_t level)
{
	return old % 8 && ((old ^ e) & ((ENTRY_MFNS - 1) * EPT_MFN + (level ? EPT_PAGE : 0) +
					EPT_SUPPRESS_VE + EPT_WB + ACCESS_RWX));
}

/* Leads nowhere, but keeps what the view has set. */
/*@ requires access <= 7 && suppress <= 1 && own < OWN_FLAGS && step < STEPS;
    terminates \true; exits \false; assigns \nothing;
    ensures e_kind(\result, 0) == ENTRY_KEPT && e_own(\result) == own && e_step(\result) == step;
    ensures e_kept_access(\result) == access && e_suppress(\result) == suppress && e_turns(\result) == 0; */
static inline uint64_t entry_kept(uint32_t access, uint32_t suppress, uint32_t own, uint32_t step)
{
	/*@ assert (suppress ? EPT_SUPPRESS_VE : 0) + EPT_KEPT + access * EPT_KEPT_ACCESS ==
	      fields(0, 0, 0, 0, 1 + 2 * (integer)access, 0, suppress); */
	//@ assert in_fields(0, 0, 0, 0, 1 + 2 * (integer)access, 0, suppress);
	return entry_with_own((suppress ? EPT_SUPPRESS_VE : 0) + EPT_KEPT + access * EPT_KEPT_ACCESS, own, step);
}

/* The access that an entry of kind KEPT would have. */
/*@ terminates \true; exits \false; assigns \nothing;
    ensures \result == e_kept_access(e) && \result <= 7; */
static inline uint32_t entry_kept_access(uint64_t e)
{
	return (uint32_t)(e / EPT_KEPT_ACCESS % 8);
}

/* OWN_* of an entry of level 0. */
/*@ terminates \true; exits \false; assigns \nothing;
    ensures \result == e_own(e) && \result < OWN_FLAGS; */
static inline uint32_t entry_own(uint64_t e)
{
	return (uint32_t)(e / EPT_OWN % OWN_FLAGS);
}

/*@ terminates \true; exits \false; assigns \nothing;
    ensures \result == e_step(e) && \result < STEPS; */
static inline uint32_t entry_step(uint64_t e)
{
	return (uint32_t)(e / EPT_STEP_LOW % STEP_LOWS + e / EPT_STEP_HIGH % 2 * STEP_LOWS);
}
