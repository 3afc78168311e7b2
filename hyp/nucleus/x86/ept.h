/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EPT entry format (Intel SDM vol. 3C, 29.3.2 "EPT Translation Mechanism",
 * tables 29-1 to 29-7), as pure functions on one word.
 *
 *   bits  2:0   read, write, execute; 7 in every entry that leads to a table
 *   bits  5:3   leaf: memory type, write-back
 *   bit   7     leaf at level 1 or 2: a 2 MiB or 1 GiB page
 *   bits 51:12  machine frame number
 *   bit  52     ignored by hardware: the entry leads somewhere, even with no access
 *   bit  63     leaf or empty: suppress #VE, so that none comes from an untouched page
 *
 * Accessed and dirty flags stay off in EPTP (bit 6): hardware writes no table.
 * Written with / and % for the prover; the compiler makes shifts of them.
 */
#pragma once

#include "types.h"

enum entry_kind { ENTRY_EMPTY, ENTRY_TABLE, ENTRY_LEAF, ENTRY_BAD };

#define ACCESS_R 1u
#define ACCESS_W 2u
#define ACCESS_X 4u
#define ACCESS_RWX 7u

#define EPT_WB 48ull                      /* 6 << 3 */
#define EPT_PAGE 128ull                   /* bit 7 */
#define EPT_MFN 4096ull                   /* bit 12 */
#define EPT_VALID 4503599627370496ull     /* bit 52 */
#define EPT_SUPPRESS_VE 9223372036854775808ull /* bit 63 */
#define ENTRY_MFNS 1099511627776ull       /* frame numbers have 40 bits */

/*@ predicate access_valid(integer a) = 0 <= a <= 7 && a != 2 && a != 6;
    logic integer e_kind(integer e, integer level) =
      e == EPT_SUPPRESS_VE ? ENTRY_EMPTY :
      e / EPT_VALID % 2 == 0 ? ENTRY_BAD :
      level == 0 ? ENTRY_LEAF :
      e / EPT_PAGE % 2 == 0 ? ENTRY_TABLE :
      level <= 2 ? ENTRY_LEAF : ENTRY_BAD;
    logic integer e_mfn(integer e, integer level) = e / EPT_MFN % ENTRY_MFNS;
    logic integer e_access(integer e) = e % 8;
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

/*@ requires 1 <= level <= 3 && mfn < ENTRY_MFNS;
    terminates \true; exits \false; assigns \nothing;
    ensures e_kind(\result, level) == ENTRY_TABLE && e_mfn(\result, level) == mfn; */
static inline uint64_t entry_table(uint64_t mfn, uint32_t level)
{
	(void)level;
	return EPT_VALID + mfn * EPT_MFN + ACCESS_RWX;
}

/*@ requires 0 <= level <= 2 && mfn < ENTRY_MFNS && access_valid(access);
    terminates \true; exits \false; assigns \nothing;
    ensures e_kind(\result, level) == ENTRY_LEAF && e_mfn(\result, level) == mfn;
    ensures e_access(\result) == access; */
static inline uint64_t entry_leaf(uint64_t mfn, uint32_t access, uint32_t level)
{
	return EPT_SUPPRESS_VE + EPT_VALID + mfn * EPT_MFN + (level ? EPT_PAGE : 0) + EPT_WB + access;
}

/*@ requires 0 <= level <= 3;
    terminates \true; exits \false; assigns \nothing;
    ensures \result == e_kind(e, level); */
static inline enum entry_kind entry_kind(uint64_t e, uint32_t level)
{
	if (e == EPT_SUPPRESS_VE) {
		return ENTRY_EMPTY;
	}
	if (e / EPT_VALID % 2 == 0) {
		return ENTRY_BAD;
	}
	if (level == 0) {
		return ENTRY_LEAF;
	}
	if (e / EPT_PAGE % 2 == 0) {
		return ENTRY_TABLE;
	}
	return level <= 2 ? ENTRY_LEAF : ENTRY_BAD;
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
