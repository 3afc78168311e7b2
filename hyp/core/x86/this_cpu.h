/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which CPU runs this code. Core stacks are CORE_STACK_SIZE bytes, aligned to
 * their size, and lie one after the other with guard pages between; the word at
 * the very top of each holds the address of that CPU's struct cpu.
 */
#pragma once

#include "gate_layout.h"

struct cpu;

static inline struct cpu *this_cpu(void)
{
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0);

	return *(struct cpu **)((sp | (CORE_STACK_SIZE - 1)) - 7);
}

/* Once per CPU, first thing in core_boot and core_cpu_up. */
static inline void this_cpu_init(struct cpu *cpu)
{
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0);

	*(struct cpu **)((sp | (CORE_STACK_SIZE - 1)) - 7) = cpu;
}
