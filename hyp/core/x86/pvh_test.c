/* SPDX-License-Identifier: Apache-2.0 */
/* What a PVH guest finds in its memory: ACPI, start info, map, modules, command line. */
#include "test_stubs.h"

#include <xen/arch-x86/hvm/start_info.h>

#define MIB (1ull << 20)
#define GIB (1ull << 30)

static struct {
	struct pack_header header;
	char text[4096];
} pack;
static struct pack_segment segments[4];
static struct pack_domain plan;

static int load(uint64_t memory, uint32_t count, uint32_t segment_count, const char *cmdline)
{
	struct domain *d = stub_domain(count);
	struct manifest m = { .header = &pack.header, .segments = segments };

	strcpy(pack.text, cmdline);
	plan.cmdline = offsetof(typeof(pack), text);
	plan.cmdline_length = strlen(cmdline);
	plan.segment_count = segment_count;
	plan.memory = memory;
	plan.entry = 0x1000850;
	d->memory = memory;
	d->console_gfn = arch_special_gfn(memory);
	return arch_domain_load(d, &m, &plan);
}

/* The guest's bytes at a guest-physical address in the written block. */
static const void *at(uint64_t gpa, uint64_t length)
{
	assert_true(gpa >= stubs.write_gpa && gpa + length <= stubs.write_gpa + stubs.write_length);
	return stubs.written + (gpa - stubs.write_gpa);
}

static void sums_to_zero(const uint8_t *bytes, uint32_t length)
{
	uint8_t sum = 0;

	for (uint32_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + bytes[i]);
	assert_int_equal(sum, 0);
}

static uint32_t u32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return v; }
static uint64_t u64(const uint8_t *p) { uint64_t v; memcpy(&v, p, 8); return v; }

static const uint8_t *table(uint64_t gpa, const char *signature, uint8_t revision)
{
	const uint8_t *t = at(gpa, 36);

	assert_memory_equal(t, signature, 4);
	assert_int_equal(t[8], revision);
	sums_to_zero(at(gpa, u32(t + 4)), u32(t + 4));
	assert_int_equal(gpa % 16, 0);
	return t;
}

static void acpi_is_right(uint64_t rsdp_at, uint32_t count)
{
	const uint8_t *rsdp = at(rsdp_at, 36), *xsdt, *fadt, *madt;

	assert_memory_equal(rsdp, "RSD PTR ", 8);
	assert_int_equal(rsdp[15], 2);
	assert_int_equal(u32(rsdp + 16), 0);
	assert_int_equal(u32(rsdp + 20), 36);
	sums_to_zero(rsdp, 20);
	sums_to_zero(rsdp, 36);
	xsdt = table(u64(rsdp + 24), "XSDT", 1);
	assert_int_equal(u32(xsdt + 4), 52);
	fadt = table(u64(xsdt + 36), "FACP", 5);
	assert_int_equal(u32(fadt + 4), 268);
	assert_int_equal(u32(fadt + 112), 1u << 20 | 1u << 19);
	assert_int_equal(fadt[109] | fadt[110] << 8, 0x24);
	assert_int_equal(u32(fadt + 40), u64(fadt + 140));
	assert_int_equal(u32(table(u64(fadt + 140), "DSDT", 2) + 4), 36);
	madt = table(u64(xsdt + 44), "APIC", 3);
	assert_int_equal(u32(madt + 4), 44 + 8 * count);
	assert_int_equal(u32(madt + 36), 0xfee00000);
	assert_int_equal(u32(madt + 40), 0);
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t entry[8] = { 0, 8, (uint8_t)i, (uint8_t)i, 1, 0, 0, 0 };

		assert_memory_equal(madt + 44 + 8 * i, entry, 8);
	}
}

static const struct hvm_start_info *info_is_right(const char *cmdline)
{
	const struct hvm_start_info *info = at(stubs.start_argument, sizeof(*info));
	const struct hvm_memmap_table_entry *map;
	uint64_t end = 0, ram = 0;

	assert_int_equal(stubs.start_how, START_PVH);
	assert_int_equal(stubs.start_entry, 0x1000850);
	assert_int_equal(info->magic, 0x336ec578);
	assert_int_equal(info->version, 1);
	assert_string_equal(at(info->cmdline_paddr, strlen(cmdline) + 1), cmdline);
	map = at(info->memmap_paddr, info->memmap_entries * sizeof(*map));
	assert_true(stubs.write_gpa + stubs.write_length <= GIB);
	for (uint32_t i = 0; i < info->memmap_entries; i++) {
		assert_true(map[i].addr >= end && map[i].size);
		end = map[i].addr + map[i].size;
		assert_int_equal(map[i].addr & PAGE_MASK, 0);
		assert_int_equal(map[i].size & PAGE_MASK, 0);
		if (map[i].addr < arch_special_gfn(plan.memory).gfn << 12)
			ram += map[i].size;
		if (map[i].type == XEN_HVM_MEMMAP_TYPE_ACPI)
			assert_true(map[i].addr == stubs.write_gpa && map[i].size >= stubs.write_length);
		assert_int_equal(domains[1].map[i].start, map[i].addr);
		assert_int_equal(domains[1].map[i].size, map[i].size);
		assert_int_equal(domains[1].map[i].type, map[i].type);
	}
	assert_int_equal(ram, plan.memory);                /* every byte of RAM is accounted for */
	assert_int_equal(map[1].addr, 0xa0000);
	assert_int_equal(map[1].size, 0x60000);
	assert_int_equal(map[1].type, XEN_HVM_MEMMAP_TYPE_RESERVED);
	/* The console page is last, right above RAM, reserved. */
	assert_int_equal(map[info->memmap_entries - 1].addr, arch_special_gfn(plan.memory).gfn << 12);
	assert_int_equal(map[info->memmap_entries - 1].size, PAGE_SIZE);
	assert_int_equal(map[info->memmap_entries - 1].type, XEN_HVM_MEMMAP_TYPE_RESERVED);
	acpi_is_right(info->rsdp_paddr, domains[1].vcpu_count);
	return info;
}

/* As Debian's kernel lies in memory. */
static void debian(void)
{
	memset(&plan, 0, sizeof(plan));
	segments[0] = (struct pack_segment){ 0x1000000, 0x1900000, 0x1900000, 0x100000 };
	segments[1] = (struct pack_segment){ 0x2a00000, 0x642000, 0x642000, 0x1a00000 };
	segments[2] = (struct pack_segment){ 0x3042000, 0x34000, 0x35000, 0x2042000 };
	segments[3] = (struct pack_segment){ 0x3077000, 0x189000, 0x1a00000 - 0x77000, 0x2077000 };
	plan.ramdisk = 0x3000000;
	plan.ramdisk_size = 1234567;
}

static void debian_guest(void **state)
{
	const struct hvm_start_info *info;
	const struct hvm_modlist_entry *module;

	(void)state;
	debian();
	assert_int_equal(load(256 * MIB, 2, 4, "console=hvc0 quiet"), 0);
	info = info_is_right("console=hvc0 quiet");
	assert_int_equal(info->flags, 0);
	assert_int_equal(info->memmap_entries, 5);
	assert_int_equal(stubs.write_gpa, 256 * MIB - PAGE_SIZE);
	assert_int_equal(info->nr_modules, 1);
	module = at(info->modlist_paddr, sizeof(*module));
	assert_int_equal(module->size, 1234567);
	assert_int_equal(module->paddr & PAGE_MASK, 0);
	assert_true(module->paddr + module->size <= stubs.write_gpa);
	assert_int_equal(stubs.load_count, 5);
	assert_int_equal(stubs.loads[3].gpa, 0x3077000);
	assert_int_equal(stubs.loads[3].length, 0x189000);  /* file bytes only; the rest is zero already */
	assert_int_equal(stubs.loads[4].gpa, module->paddr);
	assert_int_equal(stubs.loads[4].offset, 0x3000000);
}

static void control_domain(void **state)
{
	const struct hvm_start_info *info;
	struct domain *d = &domains[1];
	struct manifest m = { .header = &pack.header, .segments = segments };

	(void)state;
	debian();
	assert_int_equal(load(512 * MIB, 1, 4, ""), 0);
	d->control = true;
	assert_int_equal(arch_domain_load(d, &m, &plan), 0);
	info = info_is_right("");
	assert_int_equal(info->flags, 3);
}

static void big_guests_keep_the_block_low(void **state)
{
	const struct hvm_start_info *info;

	(void)state;
	debian();
	assert_int_equal(load(2 * GIB, 4, 4, "x"), 0);
	info = info_is_right("x");
	assert_int_equal(stubs.write_gpa + PAGE_SIZE, GIB);
	assert_int_equal(info->memmap_entries, 6);
	assert_int_equal(load(5 * GIB, 16, 4, "x"), 0);
	info = info_is_right("x");
	assert_int_equal(info->memmap_entries, 7);
	assert_int_equal(arch_special_gfn(5 * GIB).gfn, 6 * GIB >> 12);
	assert_int_equal(arch_special_gfn(3 * GIB).gfn, 3 * GIB >> 12);
	/* A ramdisk that doesn't fit below 1 GiB goes above. */
	plan.ramdisk_size = 1100 * MIB;
	assert_int_equal(load(3 * GIB, 1, 4, "x"), 0);
	assert_int_equal(stubs.loads[4].gpa, 3 * GIB - 1100 * MIB);
}

static void tiny_kernel(void **state)
{
	const struct hvm_start_info *info;

	(void)state;
	memset(&plan, 0, sizeof(plan));
	segments[0] = (struct pack_segment){ 0x100000, 0x8000, 0x20000, 0x4000 };
	assert_int_equal(load(16 * MIB, 1, 1, "t"), 0);
	info = info_is_right("t");
	assert_int_equal(info->nr_modules, 0);
	assert_int_equal(info->modlist_paddr, 0);
	assert_int_equal(stubs.load_count, 1);
}

static void kernel_at_the_top(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	segments[0] = (struct pack_segment){ 15 * MIB, 0x1000, MIB, 0 };
	plan.ramdisk_size = 4 * MIB;
	assert_int_equal(load(16 * MIB, 1, 1, "t"), 0);
	info_is_right("t");
	assert_int_equal(stubs.write_gpa, 15 * MIB - PAGE_SIZE);
	assert_int_equal(stubs.loads[1].gpa, 11 * MIB - PAGE_SIZE);
}

static void longest_command_line(void **state)
{
	char line[4096];

	(void)state;
	debian();
	memset(line, 'a', sizeof(line) - 1);
	line[sizeof(line) - 1] = 0;
	assert_int_equal(load(256 * MIB, 16, 4, line), 0);
	info_is_right(line);
	assert_int_equal(stubs.write_gpa, 256 * MIB - 2 * PAGE_SIZE);
}

static void refusals(void **state)
{
	(void)state;
	debian();
	assert_int_equal(load(64 * MIB, 1, 4, ""), -EINVAL);           /* bss reaches beyond RAM */
	assert_int_equal(stubs.starts, 0);
	plan.ramdisk_size = 200 * MIB;
	assert_int_equal(load(256 * MIB, 1, 4, ""), -ENOMEM);          /* no hole of that size */
	segments[3].gpa = ~0ull - 0xfff;
	plan.ramdisk_size = 0;
	assert_int_equal(load(256 * MIB, 1, 4, ""), -EINVAL);
	assert_int_equal(load(MIB, 1, 0, ""), -ENOMEM); /* the first MiB holds nothing of ours */
	assert_int_equal(stubs.starts, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(debian_guest), cmocka_unit_test(control_domain),
		cmocka_unit_test(big_guests_keep_the_block_low), cmocka_unit_test(tiny_kernel),
		cmocka_unit_test(kernel_at_the_top), cmocka_unit_test(longest_command_line),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
