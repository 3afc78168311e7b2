/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the portable nucleus asks of a machine. Each machine's own machine.h
 * defines memory, frame table and entry format, then includes this.
 */
#pragma once

#include "nucleus.h"

/* Zeroes a run. */
/*@ terminates \true; exits \false;
    assigns machine[0 .. FRAMES_MAX - 1][0 .. PAGE_WORDS - 1];
    ensures \forall integer t, i; 0 <= t < FRAMES_MAX && 0 <= i < PAGE_WORDS &&
      !(mfn.mfn <= t < mfn.mfn +
        (order == 0 ? 1 : order == 9 ? TABLE_ENTRIES : TABLE_ENTRIES * TABLE_ENTRIES)) ==>
      machine[t][i] == \at(machine[t][i],Pre); */
void machine_scrub(mfn_t mfn, uint32_t order);
/* A table becomes a free frame as it is: for a machine that looks for what still leads to it. */
//@ terminates \true; exits \false; assigns \nothing;
void machine_freed(mfn_t mfn);
/* After it returns, no CPU holds a translation of the domain that was made before. */
//@ terminates \true; exits \false; assigns \nothing;
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
/*
 * The view shall end: it goes out of every vCPU's window, and what is cached of
 * it is dropped. False, and nothing has changed, if a vCPU is in it.
 */
bool machine_view_evict(uint32_t domain, uint32_t view);
/* How many vCPUs are in the view; exact for those that don't run just now. */
uint32_t machine_view_vcpus(uint32_t domain, uint32_t view);
/* As machine_flush_domain, of what was translated in this view. */
void machine_flush_view(uint32_t domain, uint32_t view);
/* A vCPU of the domain has its #VE information page at this gfn. Asked only of pages that are pinned. */
bool machine_ve_page(uint32_t domain, uint64_t gfn);
/* The domain ends: forget its vCPUs and windows, and what is cached of them. */
void machine_domain_end(uint32_t domain);
/* Where bytes of the boot image's payload lie; false if out of range. */
bool machine_payload(uint64_t offset, uint64_t length, const void **bytes);
/* Adds what the audit of the hypervisor's own page tables finds. */
void machine_audit(struct audit *report);
