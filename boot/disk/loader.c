/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Second stage of the disk loader: takes the 32-bit ELF image that lies on the
 * disk behind it to the physical addresses it asks for, and leaves the machine
 * as a Multiboot 1 loader would. What is found in the image is checked before
 * anything is written: every byte goes to RAM from 1 MiB up, never over the
 * loader, the BIOS or a device.
 *
 * The info block, the memory map and the GDT in force are the loader's own, below
 * 64 KiB: the image must take what it needs before it uses that memory.
 */
#include <stdbool.h>

#include "console.h"
#include "elf32.h"
#include "ide.h"
#include "interrupts.h"
#include "multiboot.h"
#include "port.h"

#define SECTOR 512u
#define LOW_END 0x100000u

/* Sectors that hold the ELF header and the program headers. */
#define HEADER_SECTORS 8u
#define BOUNCE_SECTORS 128u

static uint8_t *const bounce = (uint8_t *)0x20000;

const char console_program[] = "Ravelin disk loader";

/* Filled in on the disk after the build, hence volatile. */
extern const volatile uint32_t disk_lba, disk_sectors;
extern const uint8_t boot_sector[];
extern uint8_t memory_map[];
extern uint32_t memory_map_length;

struct multiboot_info boot_info;
static uint8_t headers[HEADER_SECTORS * SECTOR] __attribute__((aligned(8)));

uint32_t loader_main(void);

static void must(const char *why)
{
	if (why)
		console_fail(why);
}

/* Whether [start, end) lies in one piece of RAM of the BIOS's map. */
static bool is_ram(uint64_t start, uint64_t end)
{
	const uint8_t *at = memory_map;

	while (at < memory_map + memory_map_length) {
		const struct multiboot_mmap *m = (const void *)at;

		if (m->type == E820_RAM && m->address <= start && end <= m->address + m->length)
			return true;
		at += m->size + sizeof(m->size);
	}
	return false;
}

/* Copies `length` bytes of the image from `offset` to memory at `to`. */
static void load(uint32_t offset, uint32_t length, uint32_t to)
{
	while (length) {
		uint32_t lba = disk_lba + offset / SECTOR, skew = offset % SECTOR, n;

		if (skew == 0 && length >= SECTOR && !(to & 1)) {
			n = length / SECTOR * SECTOR;
			must(ide_read(lba, n / SECTOR, to));
		} else {
			/* A part of a sector, or an odd address, which DMA can't do. */
			n = to & 1 ? BOUNCE_SECTORS * SECTOR - skew : SECTOR - skew;
			if (n > length)
				n = length;
			must(ide_read(lba, (skew + n + SECTOR - 1) / SECTOR, (uint32_t)bounce));
			copy_bytes((void *)to, bounce + skew, n);
		}
		offset += n;
		length -= n;
		to += n;
	}
}

static const struct elf32_header *read_headers(void)
{
	const struct elf32_header *e = (const struct elf32_header *)headers;
	uint32_t sectors = disk_sectors < HEADER_SECTORS ? disk_sectors : HEADER_SECTORS;

	if (!disk_lba || !disk_sectors)
		console_fail("the image builder has not filled in where the image lies");
	if (disk_sectors > 0xffffffffu / SECTOR)
		console_fail("the image is larger than 4 GiB");
	must(ide_read(disk_lba, sectors, (uint32_t)headers));
	if (e->magic != ELF_MAGIC || e->class != ELF_CLASS_32 ||
	    e->data != ELF_DATA_LITTLE || e->machine != ELF_MACHINE_386 || e->type != ELF_TYPE_EXEC)
		console_fail("the image is not a 32-bit x86 ELF executable");
	if (e->phentsize != sizeof(struct elf32_segment) || e->phoff > sizeof(headers) || e->phoff % 4 ||
	    e->phnum * sizeof(struct elf32_segment) > sizeof(headers) - e->phoff)
		console_fail("the image's program headers are not in its first 4 KiB");
	return e;
}

/* Sorts out what must not be loaded. The sums cannot wrap: they are 64 bits wide. */
static void check_segment(const struct elf32_segment *p, uint32_t number)
{
	const char *why = 0;

	if (p->file_size > p->memory_size)
		why = "is larger in the file than in memory";
	else if ((uint64_t)p->offset + p->file_size > (uint64_t)disk_sectors * SECTOR)
		why = "reaches beyond the end of the image";
	else if (p->paddr < LOW_END)
		why = "begins below 1 MiB";
	else if (!is_ram(p->paddr, (uint64_t)p->paddr + p->memory_size))
		why = "does not fit into the machine's memory";
	if (!why)
		return;
	console_text(console_program);
	console_text(": segment ");
	console_number(number);
	console_text(" at ");
	console_hex(p->paddr);
	console_text(", size ");
	console_hex(p->memory_size);
	console_text("\n");
	console_text(console_program);
	console_text(": the segment ");
	console_text(why);
	console_text("\n");
	console_fail("stopped");
}

static void fill_boot_info(void)
{
	const uint8_t *at = memory_map;

	while (at < memory_map + memory_map_length) {
		const struct multiboot_mmap *m = (const void *)at;

		if (m->type == E820_RAM && m->address == 0)
			boot_info.mem_lower = (uint32_t)(m->length < 0xa0000 ? m->length : 0xa0000) >> 10;
		if (m->type == E820_RAM && m->address == LOW_END)
			boot_info.mem_upper = (uint32_t)(m->length >> 10);
		at += m->size + sizeof(m->size);
	}
	boot_info.flags = MULTIBOOT_INFO_MEMORY | MULTIBOOT_INFO_CMDLINE | MULTIBOOT_INFO_MMAP |
			  MULTIBOOT_INFO_LOADER;
	boot_info.cmdline = (uint32_t)"";
	boot_info.mmap_length = memory_map_length;
	boot_info.mmap_addr = (uint32_t)memory_map;
	boot_info.boot_loader_name = (uint32_t)console_program;
}

/* Without A20, memory at 1 MiB is the memory at 0. */
static bool a20_is_open(void)
{
	volatile uint32_t *low = (volatile uint32_t *)0x600, *high = (volatile uint32_t *)0x100600;
	uint32_t kept = *high;
	bool open;

	*low = 0x52564c4e;
	*high = 0x4e4c5652;
	open = *low == 0x52564c4e;
	*high = kept;
	return open;
}

/* Returns the image's entry point. */
uint32_t loader_main(void)
{
	const struct elf32_header *e;
	const struct elf32_segment *p;
	uint32_t segments = 0, bytes = 0;
	bool entry_loaded = false;

	console_open();
	if (!a20_is_open())
		console_fail("address line 20 stays shut");
	interrupts_open();
	must(ide_open(boot_sector));
	e = read_headers();
	p = (const struct elf32_segment *)(headers + e->phoff);
	for (uint32_t i = 0; i < e->phnum; i++) {
		if (p[i].type != ELF_SEGMENT_LOAD || !p[i].memory_size)
			continue;
		check_segment(&p[i], i);
		segments++;
		bytes += p[i].file_size;
		if (e->entry >= p[i].paddr && e->entry - p[i].paddr < p[i].file_size)
			entry_loaded = true;
	}
	if (!entry_loaded)
		console_fail("the image's entry point is not in any of its segments");

	console_text(console_program);
	console_text(": ");
	console_number((bytes + (1u << 20) - 1) >> 20);
	console_text(" MiB in ");
	console_number(segments);
	console_text(ide_has_dma() ? " segments by DMA, entry " : " segments by programmed I/O, entry ");
	console_hex(e->entry);
	console_text("\n");
	for (uint32_t i = 0; i < e->phnum; i++) {
		if (p[i].type != ELF_SEGMENT_LOAD || !p[i].memory_size)
			continue;
		load(p[i].offset, p[i].file_size, p[i].paddr);
		zero_bytes((void *)(p[i].paddr + p[i].file_size), p[i].memory_size - p[i].file_size);
	}
	interrupts_close();
	fill_boot_info();
	return e->entry;
}
