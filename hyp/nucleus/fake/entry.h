/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The imaginary machine's entry format. It differs from the real ones so that
 * code which bypasses the functions fails at once: every field moves with the
 * level, kinds are numbers, and no entry is zero, not even an empty one.
 *
 *   bits 63:62              1 empty, 2 table, 3 leaf
 *   bits level+2 : level    access of a leaf
 *   from bit 8 + 4 * level  machine frame number, 32 bits
 */
#pragma once

#include "types.h"

enum entry_kind { ENTRY_EMPTY, ENTRY_TABLE, ENTRY_LEAF, ENTRY_BAD };

#define ACCESS_R 1u
#define ACCESS_W 2u
#define ACCESS_X 4u
#define ACCESS_RWX 7u

static inline bool access_valid(uint32_t access)
{
	return access <= ACCESS_RWX && access % 4 != ACCESS_W;
}

static inline uint64_t entry_empty(uint32_t level)
{
	return 1ull << 62 | level;
}

static inline uint64_t entry_table(uint64_t mfn, uint32_t level)
{
	return 2ull << 62 | mfn << (8 + 4 * level);
}

static inline uint64_t entry_leaf(uint64_t mfn, uint32_t access, uint32_t level)
{
	return 3ull << 62 | mfn << (8 + 4 * level) | (uint64_t)access << level;
}

static inline enum entry_kind entry_kind(uint64_t e, uint32_t level)
{
	switch (e >> 62) {
	case 1:
		return e == entry_empty(level) ? ENTRY_EMPTY : ENTRY_BAD;
	case 2:
		return level > 0 ? ENTRY_TABLE : ENTRY_BAD;
	case 3:
		return level < 3 ? ENTRY_LEAF : ENTRY_BAD;
	}
	return ENTRY_BAD;
}

static inline uint64_t entry_mfn(uint64_t e, uint32_t level)
{
	return e >> (8 + 4 * level) & 0xffffffff;
}

static inline uint32_t entry_access(uint64_t e, uint32_t level)
{
	return e >> level & ACCESS_RWX;
}
