/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting the other CPUs, one at a time, before any guest runs.
 */
#include "platform.h"
#include "asm.h"
#include "string.h"

#define TRAMPOLINE_PAGE 8u            /* physical 0x8000: RAM on every PC, not ours otherwise */

extern char ap_start[], ap_start_end[];
extern uint64_t ap_stack;             /* boot/x86/entry.S, below 4 GiB */
extern uint32_t ap_cpu;
extern char nucleus_stacks[];

void smp_start_all(const struct madt *madt)
{
	uint32_t i, here = apic_id_here();

	memcpy(phys_to_ptr(TRAMPOLINE_PAGE * PAGE_SIZE), phys_to_ptr((uint64_t)ap_start),
	       (size_t)(ap_start_end - ap_start));
	for (i = 0; i < madt->cpus; i++) {
		uint64_t give_up;
		uint32_t cpu = cpu_online;

		if (madt->apic_ids[i] == here)
			continue;
		*(uint64_t *)phys_to_ptr((uint64_t)&ap_stack) =
			(uint64_t)nucleus_stacks + (cpu + 1) * 2ull * NUCLEUS_STACK_SIZE;
		*(uint32_t *)phys_to_ptr((uint64_t)&ap_cpu) = cpu;
		apic_start_cpu(madt->apic_ids[i], TRAMPOLINE_PAGE);
		give_up = rdtsc() + (1ull << 28);
		while (__atomic_load_n(&cpu_online, __ATOMIC_ACQUIRE) == cpu && rdtsc() < give_up)
			pause();
		if (cpu_online == cpu)
			/* It might yet, and then on the next one's stack. */
			panic("the CPU with APIC id %u does not start", madt->apic_ids[i]);
	}
	memset(phys_to_ptr(TRAMPOLINE_PAGE * PAGE_SIZE), 0, PAGE_SIZE);
}
