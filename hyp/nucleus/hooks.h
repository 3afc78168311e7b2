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
/* The domain ends: forget its vCPUs and windows, and what is cached of them. */
void machine_domain_end(uint32_t domain);
/* Where bytes of the boot image's payload lie; false if out of range. */
bool machine_payload(uint64_t offset, uint64_t length, const void **bytes);
/* Adds what the audit of the hypervisor's own page tables finds. */
void machine_audit(struct audit *report);
