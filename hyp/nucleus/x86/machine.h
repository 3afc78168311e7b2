/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The x86 machine as the portable nucleus code sees it: where memory and the
 * frame table lie in the nucleus' address space, and what the machine does for it.
 */
#pragma once

#include "limits.h"
#include "types.h"

/* Everything from physical address 0 up to 1 GiB that the image uses is linked here; see hyp.lds. */
#define IMAGE_VA 0xffffffff80000000ull
/* All RAM, writable, never executable; the nucleus' space only. */
#define DIRECT_MAP_VA 0xffff800000000000ull
/* struct frame per machine frame; the nucleus' space only. */
#define FRAME_TABLE_VA 0xffffffff90000000ull
/* Device registers, a page per slot; the nucleus' space only. */
#define DEVICE_VA 0xffffffffd0000000ull
/* Share pages, one per (domain, slot); both spaces. */
#define CORE_SHARE_VA 0xffffffffe0000000ull
/* The manifest, read-only; both spaces. */
#define CORE_MANIFEST_VA 0xffffffffe4000000ull
#define CORE_MANIFEST_MAX (16ull << 20)

#define FRAMES_MAX (1ull << 24)   /* 64 GiB of machine memory */
#define PAGE_WORDS 512u

struct frame;
extern struct frame frames[];     /* at FRAME_TABLE_VA: hyp.lds */
#define machine ((uint64_t(*)[PAGE_WORDS])DIRECT_MAP_VA)

#include "ept.h"
#include "nucleus.h"

/* The one place where a table's word is written; a hardware walker may be reading. */
static inline void entry_write(uint64_t table, uint32_t index, uint64_t e)
{
	__atomic_store_n(&machine[table][index], e, __ATOMIC_RELEASE);
}

#include "hooks.h"
