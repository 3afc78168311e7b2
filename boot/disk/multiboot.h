/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the Multiboot 1 machine state that our boot programs make or use
 * (Multiboot Specification 0.6.96, section 3.3).
 */
#pragma once

#include <stdint.h>

#define MULTIBOOT_LOADED 0x2badb002u /* EAX at entry; EBX: struct multiboot_info */

#define MULTIBOOT_INFO_MEMORY (1u << 0)
#define MULTIBOOT_INFO_CMDLINE (1u << 2)
#define MULTIBOOT_INFO_MMAP (1u << 6)
#define MULTIBOOT_INFO_LOADER (1u << 9)

struct multiboot_info {
	uint32_t flags;
	uint32_t mem_lower, mem_upper; /* KiB below 640K, KiB from 1 MiB to the first hole */
	uint32_t boot_device;
	uint32_t cmdline; /* address of a NUL-terminated string */
	uint32_t mods_count, mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length, mmap_addr; /* bytes and address of the entries */
	uint32_t drives_length, drives_addr;
	uint32_t config_table;
	uint32_t boot_loader_name;
	uint32_t apm_table;
};

/* `size` counts the bytes after itself; the next entry is at size + 4. */
struct multiboot_mmap {
	uint32_t size;
	uint64_t address, length;
	uint32_t type; /* 1: RAM; else as in ACPI */
} __attribute__((packed));

#define E820_RAM 1u
