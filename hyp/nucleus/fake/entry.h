/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The imaginary machine's entry format. It differs from the real ones so that
 * code which bypasses the functions fails at once: every field moves with the
 * level, kinds are numbers, and no entry is zero, not even an empty one.
 *
 *   bits 63:62              1 empty, 2 table, 3 leaf
 *   bits level+2 : level    access of a leaf; of a table: the rights that it takes away
 *   from bit 8 + 4 * level  machine frame number, 32 bits
 *   bit  61                 a forbidden access raises #VE
 *   bits 7:5, 50:40         level 0 of a view: what it has set, and where to step
 *   bit  60 - level         leaf: a write that the access forbids is to be turned into a right;
 *                           link: to a table of the view's own
 */
#pragma once

#include "types.h"

enum entry_kind { ENTRY_EMPTY, ENTRY_TABLE, ENTRY_LEAF, ENTRY_KEPT, ENTRY_BAD };

#define OWN_ACCESS 1u
#define OWN_TARGET 2u
#define OWN_SUPPRESS 4u
#define OWN_FLAGS 8u
#define STEPS 2048u
#define FAKE_VE (1ull << 61)
#define FAKE_TURNS(level) (1ull << (60 - (level)))

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

static inline uint64_t entry_link(uint64_t mfn, uint32_t access, uint32_t level)
{
	return 2ull << 62 | mfn << (8 + 4 * level) | (uint64_t)(ACCESS_RWX - access) << level;
}

static inline uint64_t entry_table(uint64_t mfn, uint32_t level)
{
	return entry_link(mfn, ACCESS_RWX, level);
}

static inline uint64_t entry_private(uint64_t mfn, uint32_t level)
{
	return entry_table(mfn, level) | FAKE_TURNS(level);
}

static inline bool entry_is_private(uint64_t e, uint32_t level)
{
	return e >> 62 == 2 && e & FAKE_TURNS(level);
}

static inline uint64_t entry_leaf_with(uint64_t mfn, uint32_t access, uint32_t suppress, uint32_t level)
{
	return 3ull << 62 | mfn << (8 + 4 * level) | (uint64_t)access << level | (suppress ? 0 : FAKE_VE);
}

static inline uint64_t entry_leaf(uint64_t mfn, uint32_t access, uint32_t level)
{
	return entry_leaf_with(mfn, access, 1, level);
}

static inline uint32_t entry_own(uint64_t e)
{
	return e >> 5 & (OWN_FLAGS - 1);
}

static inline uint32_t entry_step(uint64_t e)
{
	return e >> 40 & (STEPS - 1);
}

static inline uint64_t entry_with_own(uint64_t e, uint32_t own, uint32_t step)
{
	return e | (uint64_t)own << 5 | (uint64_t)step << 40;
}

static inline uint64_t entry_kept(uint32_t access, uint32_t suppress, uint32_t own, uint32_t step)
{
	return entry_with_own(1ull << 62 | access | (suppress ? 0 : FAKE_VE), own, step);
}

static inline uint32_t entry_kept_access(uint64_t e)
{
	return e & ACCESS_RWX;
}

static inline uint32_t entry_suppress(uint64_t e, uint32_t level)
{
	(void)level;
	return e & FAKE_VE ? 0 : 1;
}

/* Of level 0. */
static inline uint64_t entry_with_turns(uint64_t e, uint32_t turns)
{
	return e | (turns ? FAKE_TURNS(0) : 0);
}

static inline uint32_t entry_turns(uint64_t e, uint32_t level)
{
	return e & FAKE_TURNS(level) ? 1 : 0;
}

static inline enum entry_kind entry_kind(uint64_t e, uint32_t level)
{
	switch (e >> 62) {
	case 1:
		return e == entry_empty(level) ? ENTRY_EMPTY :
		       level == 0 && (entry_own(e) || entry_step(e)) ? ENTRY_KEPT : ENTRY_BAD;
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
	uint32_t access = e >> level & ACCESS_RWX;

	return e >> 62 == 2 ? ACCESS_RWX - access : access;
}

/* The leaf of another level with this frame number and the rest of leaf e. */
static inline uint64_t entry_moved(uint64_t e, uint32_t level, uint64_t mfn, uint32_t to)
{
	return entry_leaf_with(mfn, entry_access(e, level), entry_suppress(e, level), to) |
	       (entry_turns(e, level) ? FAKE_TURNS(to) : 0);
}

static inline uint64_t entry_piece(uint64_t e, uint64_t offset, uint32_t level)
{
	return entry_moved(e, level, entry_mfn(e, level) + offset, level - 1);
}

static inline uint64_t entry_joined(uint64_t e, uint32_t level)
{
	return entry_moved(e, level, entry_mfn(e, level), level + 1);
}

static inline uint64_t entry_with_access(uint64_t e, uint32_t access, uint32_t turns)
{
	return (e & ~(ACCESS_RWX | FAKE_TURNS(0))) | access | (turns ? FAKE_TURNS(0) : 0) | OWN_ACCESS << 5;
}

static inline uint64_t entry_with_target(uint64_t e, uint64_t mfn)
{
	return (e & ~(0xffffffffull << 8)) | mfn << 8 | OWN_TARGET << 5;
}

static inline uint64_t entry_with_suppress(uint64_t e, uint32_t suppress)
{
	return (e & ~FAKE_VE) | (suppress ? 0 : FAKE_VE) | OWN_SUPPRESS << 5;
}

static inline bool entry_any_own(uint64_t e)
{
	return entry_own(e) || entry_step(e);
}

static inline bool entry_stale(uint64_t old, uint64_t e, uint32_t level)
{
	enum entry_kind kind = entry_kind(old, level);

	return (kind == ENTRY_LEAF || kind == ENTRY_TABLE) && entry_access(old, level) &&
	       (kind != entry_kind(e, level) || entry_mfn(old, level) != entry_mfn(e, level) ||
		entry_access(old, level) != entry_access(e, level) ||
		entry_suppress(old, level) != entry_suppress(e, level));
}
