/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ELF header and program header as 32-bit x86 executables have them. (The C
 * library's elf.h cannot be had without its 32-bit half.)
 */
#pragma once

#include <stdint.h>

struct elf32_header {
	uint32_t magic;
	uint8_t class, data, version0, abi[9];
	uint16_t type, machine;
	uint32_t version, entry, phoff, shoff, flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf32_header) == 52, "ELF header");

#define ELF_MAGIC 0x464c457fu
#define ELF_CLASS_32 1
#define ELF_DATA_LITTLE 1
#define ELF_TYPE_EXEC 2
#define ELF_MACHINE_386 3

struct elf32_segment {
	uint32_t type, offset, vaddr, paddr, file_size, memory_size, flags, align;
};
_Static_assert(sizeof(struct elf32_segment) == 32, "program header");

#define ELF_SEGMENT_LOAD 1
