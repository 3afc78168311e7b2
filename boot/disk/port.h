/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I/O ports and byte runs for the small 32-bit programs that run before, or
 * instead of, the hypervisor: the disk loader and the benchmark's bare shim.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void in16_run(uint16_t port, void *to, uint32_t words)
{
	__asm__ volatile("rep insw" : "+D"(to), "+c"(words) : "d"(port) : "memory");
}

/* The ranges do not overlap, or `to` lies below `from`. */
static inline void copy_bytes(void *to, const void *from, uint32_t length)
{
	uint32_t words = length / 4, rest = length % 4;

	__asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
}

static inline void zero_bytes(void *to, uint32_t length)
{
	uint32_t words = length / 4, rest = length % 4;

	__asm__ volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(0) : "memory");
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(0) : "memory");
}
