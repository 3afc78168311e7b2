/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot, as a list of calls. What is here and beside it runs once and is then
 * unmapped (paging_drop_setup).
 */
#include "vcpu.h"
#include "asm.h"
#include "core.h"
#include "manifest.h"
#include "string.h"

NORETURN void nucleus_boot(uint32_t magic, uint32_t information);
NORETURN void nucleus_boot_ap(uint32_t cpu);

/* Reads the header through the boot tables' one-to-one mapping. */
static void find_pack(void)
{
	const struct pack_header *h = (const void *)image_reference.pack_address;

	pack.address = image_reference.pack_address;
	pack.size = image_reference.pack_size;
	if (!pack.address || pack.size < sizeof(*h))
		panic("this image carries no domains: make one with ravelin-image");
	if (pack.address & PAGE_MASK || h->magic != PACK_MAGIC || h->size != pack.size || h->payload > pack.size ||
	    h->payload < sizeof(*h) || h->payload & PAGE_MASK)
		panic("the pack at %lx is damaged: its header is not one", pack.address);
	pack.manifest = h->payload;
}

static void cpu_bring_up(uint32_t cpu)
{
	cpu_init(cpu);
	gate_cpus[cpu].state = &cpu_states[cpu];
	cpu_states[cpu] = (struct cpu_state){ .next = VCPU_NONE, .deadline = ~0ull, .loaded_domain = DOMAIN_NONE };
	apic_cpu_init(cpu);
	vmx_cpu_init(cpu);
}

void nucleus_boot(uint32_t magic, uint32_t information)
{
	static struct madt madt;
	struct boot_info *info;

	serial_init();
	cpu_check_features();
	bootinfo_read(magic, information, &boot_memory);
	find_pack();
	paging_init(&boot_memory);
	say("%u PCI devices could write to memory by themselves: bus mastering is off now", pci_stop_bus_masters());
	apic_init();
	vmx_init();
	cpu_bring_up(0);
	if (acpi_read_madt(&madt, boot_rsdp))
		smp_start_all(&madt);
	info = &core_boot_info;
	*info = (struct boot_info){
		.cpus = cpu_online,
		.tsc_khz = clock_measure_tsc_khz(),
		.wallclock = clock_read_cmos(),
		.free_bytes = frame_free_count << PAGE_SHIFT,
		.manifest = (const void *)CORE_MANIFEST_VA,
		.manifest_size = pack.manifest,
		.pack_size = pack.size,
	};
	memcpy(info->features, cpu_feature_line, sizeof(info->features) - 1);
	info->boot_tsc = rdtsc();
	serial_enable_interrupts();
	apic_route_uart();
	nucleus_enter(info, (const void *)core_boot);
}

void nucleus_boot_ap(uint32_t cpu)
{
	write_cr3(paging_roots.nucleus);
	cpu_bring_up(cpu);
	__atomic_store_n(&cpu_online, cpu + 1, __ATOMIC_RELEASE);
	nucleus_enter((const void *)(uint64_t)cpu, (const void *)core_cpu_up);
}
