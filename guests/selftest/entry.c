/* SPDX-License-Identifier: Apache-2.0 */
/* Registers at the entry, start info, memory map and ACPI tables. */
#include "selftest.h"

#define FADT_HW_REDUCED	    (1u << 20)
#define FADT_FORCE_PHYSICAL (1u << 19)

static const struct start_memory *memmap(void)
{
	return (const struct start_memory *)start_info->memmap;
}

/* The type of the region that holds all of [address, address + size), 0: none. */
static uint32_t memory_type(uint64_t address, uint64_t size)
{
	for (uint32_t i = 0; i < start_info->memmap_count; i++) {
		const struct start_memory *m = &memmap()[i];

		if (address >= m->address && address + size <= m->address + m->size)
			return m->type;
	}
	return 0;
}

uint64_t hole_gpa(void)
{
	uint64_t top = 0;

	for (uint32_t i = 0; i < start_info->memmap_count; i++) {
		uint64_t end = memmap()[i].address + memmap()[i].size;

		if (end > top && end < 0xf0000000ull)
			top = end;
	}
	/* Well above, so that special pages right over RAM are not hit. */
	return ((top + 0x3fffff) & ~0x1fffffull) + 0x1000000;
}

static void check_registers(void)
{
	const struct entry_state *e = &entry_state;

	CHECK_EQUAL(e->cr0, 0x11);
	CHECK_EQUAL(e->cr4, 0);
	CHECK_EQUAL(e->efer, 0);
	CHECK_EQUAL(e->eflags, 2);
	CHECK_EQUAL(e->dr6, 0xffff0ff0);
	CHECK_EQUAL(e->dr7, 0x400);
	CHECK_EQUAL(e->apic_base, 0xfee00d00);
	CHECK_EQUAL(e->ldtr, 0);
	CHECK_EQUAL(e->eax | e->ecx | e->edx | e->esi | e->edi | e->ebp | e->esp, 0);
}

static void check_start_info(void)
{
	bool below_640k = false;
	uint64_t ram = 0;

	CHECK_EQUAL(start_info->magic, START_INFO_MAGIC);
	CHECK_EQUAL(start_info->version, 1);
	CHECK(start_info->flags == 0 || start_info->flags == 3);
	CHECK_EQUAL(start_info->reserved, 0);
	CHECK(start_info->memmap_count > 0 && start_info->memmap_count <= 128);
	CHECK((uint64_t)start_info + sizeof(*start_info) <= 1ull << 30);
	CHECK(start_info->memmap + start_info->memmap_count * sizeof(struct start_memory) <= 1ull << 30);
	CHECK(start_info->cmdline < 1ull << 32);
	CHECK(start_info->modules < 1ull << 30);
	for (uint32_t i = 0; i < start_info->memmap_count; i++) {
		const struct start_memory *m = &memmap()[i];
		uint8_t *last = (uint8_t *)(m->address + m->size - 1);

		CHECK(m->type >= 1 && m->type <= 7 && m->size > 0 && m->reserved == 0);
		CHECK(m->address + m->size > m->address);
		for (uint32_t j = 0; j < i; j++)
			CHECK(memmap()[j].address + memmap()[j].size <= m->address ||
			      m->address + m->size <= memmap()[j].address);
		if (m->type != 1)
			continue;
		ram += m->size;
		if (m->address <= 0x1000 && m->address + m->size >= 0x90000)
			below_640k = true;
		if ((uint64_t)last < 1ull << 32 && (uint64_t)last > 0x1000000) {
			uint8_t before = *last;

			*last = (uint8_t)~before;
			CHECK_EQUAL(*last, (uint8_t)~before);
			*last = before;
		}
	}
	CHECK(below_640k); /* a started CPU begins there */
	CHECK(ram >= option_number("memory=", 0) << 10);
	CHECK(memory_type((uint64_t)start_info, sizeof(*start_info)) != 0);
}

static void check_acpi(void)
{
	const struct acpi_rsdp *rsdp = acpi_rsdp();
	const struct acpi_table *xsdt, *fadt, *madt;
	uint32_t ids[CPU_MAX], count, fadt_flags;
	uint64_t dsdt;
	uint16_t boot_flags;

	if (!CHECK(rsdp != NULL))
		return;
	CHECK(!memcmp(rsdp->signature, "RSD PTR ", 8));
	CHECK(acpi_sum_ok(rsdp, 20));
	CHECK(rsdp->revision >= 2);
	CHECK(acpi_sum_ok(rsdp, rsdp->length));
	CHECK_EQUAL(memory_type((uint64_t)rsdp, rsdp->length), 3);
	xsdt = (const struct acpi_table *)rsdp->xsdt;
	CHECK(!memcmp(xsdt->signature, "XSDT", 4));
	CHECK(acpi_sum_ok(xsdt, xsdt->length));
	fadt = acpi_find("FACP");
	madt = acpi_find("APIC");
	if (!CHECK(fadt != NULL) || !CHECK(madt != NULL))
		return;
	CHECK(acpi_sum_ok(fadt, fadt->length));
	CHECK(fadt->revision >= 5);
	memcpy(&fadt_flags, (const uint8_t *)fadt + 112, 4);
	CHECK_EQUAL(fadt_flags & (FADT_HW_REDUCED | FADT_FORCE_PHYSICAL),
		    FADT_HW_REDUCED | FADT_FORCE_PHYSICAL);
	memcpy(&boot_flags, (const uint8_t *)fadt + 109, 2);
	CHECK_EQUAL(boot_flags, 0x24); /* no VGA, no CMOS clock, no 8042 */
	memcpy(&dsdt, (const uint8_t *)fadt + 140, 8);
	if (!dsdt) {
		uint32_t narrow;

		memcpy(&narrow, (const uint8_t *)fadt + 40, 4);
		dsdt = narrow;
	}
	if (CHECK(dsdt != 0))
		CHECK(acpi_sum_ok((const void *)dsdt, ((const struct acpi_table *)dsdt)->length));
	CHECK(acpi_sum_ok(madt, madt->length));
	CHECK_EQUAL(memory_type((uint64_t)madt, madt->length), 3);
	count = acpi_processors(ids, CPU_MAX);
	CHECK_EQUAL(count, option_number("vcpus=", count));
	CHECK_EQUAL(ids[0], cpuid(1, 0).ebx >> 24);
	CHECK_EQUAL(ids[0], cpuid(0xb, 0).edx);
}

void check_entry(void)
{
	/* Other loaders of PVH images keep to the letter less; those checks are ours alone. */
	if (xen_base()) {
		check_registers();
		check_start_info();
		check_acpi();
	}
	CHECK_EQUAL(start_info->magic, START_INFO_MAGIC);
	CHECK(acpi_processors((uint32_t[CPU_MAX]){ 0 }, CPU_MAX) >= 1);
}
