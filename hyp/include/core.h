/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the core offers to the nucleus: five entry points and one table.
 *
 * Every entry runs to completion on an empty per-CPU core stack, interrupts
 * off, in the core's address space. When it returns, the CPU enters the vCPU
 * chosen last with nuc_cpu_next, or idles. The core keeps no stack across
 * calls.
 */
#pragma once

#include "exit.h"
#include "limits.h"
#include "types.h"

struct boot_info {
	uint32_t cpus;              /* CPUs that are up, 1 .. CPUS_MAX; ids 0 .. cpus - 1 */
	uint32_t tsc_khz;           /* measured once at boot */
	uint64_t wallclock;         /* UTC seconds at TSC `boot_tsc`, from the CMOS clock */
	uint64_t boot_tsc;          /* the TSC when wallclock was read: system time 0 */
	uint64_t free_bytes;        /* RAM not yet given to anything */
	const void *manifest;       /* read-only; checked by manifest_open */
	uint64_t manifest_size;     /* bytes */
	uint64_t pack_size;         /* bytes of the whole pack, payload included */
	char features[160];         /* one line for the console: what the CPU has */
};

/* Reasons for core_event, a bit mask. */
#define EVENT_KICK 1u           /* another CPU called nuc_cpu_kick on this one */
#define EVENT_TIMER 2u          /* the deadline given to nuc_cpu_next has passed */
#define EVENT_CONSOLE 4u        /* the console has input (boot CPU only) */

/* Once, on the boot CPU, all CPUs being up: build the domains and choose what to run. */
void core_boot(const struct boot_info *info);

/* Once on every other CPU, after core_boot has returned on the boot CPU. */
void core_cpu_up(uint32_t cpu);

/*
 * A hypercall of the vCPU that runs on this CPU: 64-bit mode, CPL 0. Arguments
 * as in Xen's ABI. Returns the guest's RAX; the nucleus skips the instruction.
 */
long core_hypercall(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t nr);

/* Any other exit; reads and writes core_exits[cpu]. */
void core_exit(uint32_t cpu);

/* Host events on this CPU, whether a vCPU ran or the CPU idled. */
void core_event(uint32_t cpu, uint32_t events);

/* The nucleus fills it before core_boot. */
extern struct boot_info core_boot_info;

/* One per CPU; the nucleus fills it before core_exit and applies the verdict after. */
extern struct exit core_exits[CPUS_MAX];
