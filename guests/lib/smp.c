/* SPDX-License-Identifier: Apache-2.0 */
/* More than one vCPU. */
#include "smp.h"
#include "acpi.h"
#include "cpu.h"
#include "print.h"
#include "report.h"
#include "trap.h"
#include "util.h"

extern const char ap_start[], ap_start_end[];
extern volatile uint32_t ap_number;
static void (*volatile ap_entry)(uint32_t cpu);
static uint32_t apic_ids[CPU_MAX];

void guest_start(uint32_t cpu);

uint64_t apic_read(uint32_t reg)
{
	return rdmsr(0x800 + reg);
}

void apic_write(uint32_t reg, uint64_t value)
{
	wrmsr(0x800 + reg, value);
}

void apic_ipi(uint32_t cpu, uint32_t icr)
{
	apic_write(APIC_icr, (uint64_t)cpu_blocks[cpu].cpu.apic_id << 32 | icr);
}

void apic_enable(void)
{
	/* Where nobody preset it (no hypervisor of ours), switch to x2APIC. */
	wrmsr(0x1b, rdmsr(0x1b) | 0xc00);
	apic_write(APIC_spurious, 0x1ff);
}

void apic_eoi(void)
{
	apic_write(APIC_eoi, 0);
}

uint32_t smp_count(void)
{
	uint32_t n = acpi_processors(apic_ids, CPU_MAX);

	return n ? n : 1;
}

bool smp_restart(uint32_t cpu, void (*entry)(uint32_t cpu))
{
	struct cpu *c = &cpu_blocks[cpu].cpu;
	uint64_t start;

	ap_entry = entry;
	ap_number = cpu;
	c->online = 0;
	apic_ipi(cpu, ICR_INIT);
	/* The second SIPI is for machines that miss the first; a CPU that runs ignores it. */
	for (uint32_t sipi = 0; sipi < 2 && !c->online; sipi++) {
		apic_ipi(cpu, ICR_SIPI | AP_TRAMPOLINE >> 12);
		start = rdtsc();
		while (!c->online && rdtsc() - start < 500000000)
			relax();
	}
	return c->online;
}

uint32_t smp_start(void (*entry)(uint32_t cpu))
{
	uint32_t count = smp_count(), running = 1;

	memcpy((void *)AP_TRAMPOLINE, ap_start, (size_t)(ap_start_end - ap_start));
	for (uint32_t i = 0; i < count; i++)
		cpu_blocks[i].cpu.apic_id = apic_ids[i];
	apic_enable();
	for (uint32_t i = 1; i < count; i++) {
		if (smp_restart(i, entry))
			running++;
		else
			print("cpu %u does not start\n", i);
	}
	return running;
}

void barrier_wait(struct barrier *b, uint32_t count)
{
	uint32_t generation = b->generation;

	if (__atomic_add_fetch(&b->arrived, 1, __ATOMIC_SEQ_CST) == count) {
		b->arrived = 0;
		__atomic_add_fetch(&b->generation, 1, __ATOMIC_SEQ_CST);
		return;
	}
	while (b->generation == generation)
		relax();
}

/* Where start.S enters C, on every CPU. */
void guest_start(uint32_t cpu)
{
	trap_init(cpu);
	if (cpu) {
		this_cpu()->online = 1;
		ap_entry(cpu);
		for (;;)
			asm volatile("cli\n\thlt");
	}
	this_cpu()->online = 1;
	start_info = (const struct start_info *)(uint64_t)entry_state.ebx;
	if (start_info->magic == START_INFO_MAGIC && start_info->cmdline)
		command_line = (const char *)start_info->cmdline;
	print_init();
	test_main();
	test_end();
}
