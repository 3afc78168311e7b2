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
#ifndef PAGE_WORDS
#define PAGE_WORDS 512u
#endif

extern struct frame frames[FRAMES_MAX];
extern uint64_t machine[FRAMES_MAX][PAGE_WORDS];

/* The one place where a table's word is written; a hardware walker may be reading. */
/*@ requires table < FRAMES_MAX && index < PAGE_WORDS;
    terminates \true; exits \false;
    assigns machine[table][index];
    ensures machine[table][index] == e; */
static inline void entry_write(uint64_t table, uint32_t index, uint64_t e)
{
#ifdef __FRAMAC__
	machine[table][index] = e;
#else
	__atomic_store_n(&machine[table][index], e, __ATOMIC_RELEASE);
#endif
}

#include "hooks.h"

#ifndef __FRAMAC__
/* ---- for tests ---------------------------------------------------------- */

/* What the CPU gets at gfn of the domain, from its TLB if it can; FRAMES_MAX: a fault. */
uint64_t fake_access(uint32_t cpu, uint32_t domain, uint64_t gfn);
/* The same in a view that has a root; absent if nothing, not even a write to be turned, is allowed. */
struct translation;
struct translation fake_view_access(uint32_t cpu, uint32_t domain, uint32_t view, uint64_t gfn);
/* All that the CPUs remember of views, as so many bytes, for whoever goes back to an earlier state. */
void *fake_view_memory(size_t *size);
/* Forgets everything but memory. `frames` of RAM, all free, none claimed. */
void fake_reset(uint64_t count);

extern struct fake {
	uint64_t stale;             /* frames scrubbed or freed that a TLB still led to */
	uint64_t flushes, scrubs;
	uint64_t gfn_limit;
	bool lose_flushes;          /* a machine whose flush does nothing */
	bool busy, core_map_fails;
	uint32_t ended;             /* domains that machine_domain_end was told of */
	uint32_t order_max;
	uint32_t view_vcpus[VIEWS_MAX]; /* vCPUs in each view, of any domain */
	uint32_t evicted;           /* the last view that was */
	uint64_t ve_page;           /* a gfn, of any domain; 0: none */
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
