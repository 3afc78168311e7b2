/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The imaginary machine, for host tests and for the provers: memory is an array,
 * and each CPU keeps every translation it has ever used until it is told to drop
 * it. Sizes and entry format can be replaced from the command line.
 */
#pragma once

#include "limits.h"
#include "nucleus.h"
#include "types.h"

#ifndef ENTRY_FORMAT
#define ENTRY_FORMAT "entry.h"
#endif
#include ENTRY_FORMAT

#ifndef FRAMES_MAX
#define FRAMES_MAX (1ull << 18)
#endif
#define PAGE_WORDS 512u

extern struct frame frames[FRAMES_MAX];
extern uint64_t machine[FRAMES_MAX][PAGE_WORDS];

/* The one place where a table's word is written; a hardware walker may be reading. */
/*@ requires table < FRAMES_MAX && index < PAGE_WORDS;
    terminates \true; exits \false;
    assigns machine[table][index];
    ensures machine[table][index] == e; */
static inline void entry_write(uint64_t table, uint32_t index, uint64_t e)
{
	machine[table][index] = e;
}

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

#ifndef __FRAMAC__
/* ---- for tests ---------------------------------------------------------- */

/* What the CPU gets at gfn of the domain, from its TLB if it can; FRAMES_MAX: a fault. */
uint64_t fake_access(uint32_t cpu, uint32_t domain, uint64_t gfn);
/* Forgets everything but memory. `frames` of RAM, all free, none claimed. */
void fake_reset(uint64_t count);

extern struct fake {
	uint64_t stale;             /* scrubs of a frame that a TLB still led to */
	uint64_t flushes, scrubs;
	bool lose_flushes;          /* a machine whose flush does nothing */
	bool busy, core_map_fails;
	uint32_t ended;             /* domains that machine_domain_end was told of */
	uint32_t order_max;
	const char *panic;          /* the last CHECK that failed */
} fake;

/* True if the statement fails a CHECK. */
#include <setjmp.h>
extern jmp_buf fake_panic_jump;
#define PANICS(statement)                                                               \
	({                                                                              \
		bool panicked_ = setjmp(fake_panic_jump);                               \
		if (!panicked_) {                                                       \
			fake_panic_armed(true);                                         \
			statement;                                                      \
		}                                                                       \
		fake_panic_armed(false);                                                \
		panicked_;                                                              \
	})
void fake_panic_armed(bool armed);
#endif
