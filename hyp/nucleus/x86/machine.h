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

/* Zeroes a run. */
void machine_scrub(mfn_t mfn, uint32_t order);
/* After it returns, no CPU holds a translation of the domain that was made before. */
void machine_flush_domain(uint32_t domain);
/* Guest frame numbers are below this. */
uint64_t machine_gfn_limit(void);
/* The largest leaf the CPUs have: ORDER_2M or ORDER_1G. */
uint32_t machine_order_max(void);
/* Maps a frame for good in the core's share area; its address there, or NULL. */
void *machine_core_map(mfn_t mfn, uint32_t domain, uint32_t slot);
/* Whether [p, p + length) is the core's own memory, and writable if asked. */
bool machine_core_range(const void *p, uint64_t length, bool write);
/* A vCPU of the domain is chosen on some CPU. */
bool machine_domain_busy(uint32_t domain);
/* The domain ends: forget its vCPUs and windows, and what is cached of them. */
void machine_domain_end(uint32_t domain);
/* Where bytes of the boot image's payload lie; false if out of range. */
bool machine_payload(uint64_t offset, uint64_t length, const void **bytes);
/* Adds what the audit of the hypervisor's own page tables finds. */
void machine_audit(struct audit *report);
