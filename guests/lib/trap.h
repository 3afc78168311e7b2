/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions and interrupts: expected faults, and handlers by vector. */
#pragma once

#include "cpu.h"

struct frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

#define VECTOR_DB  1
#define VECTOR_NMI 2
#define VECTOR_UD  6
#define VECTOR_DF  8
#define VECTOR_GP  13
#define VECTOR_PF  14

/*
 * Runs body(argument). True: it faulted, this_cpu()->trap says how, and the
 * registers, stack and flags are the caller's again. Nests.
 */
bool trap_try(void (*body)(void *), void *argument);

/* A handler for an interrupt, NMI or trap vector; NULL takes it away. */
void trap_hook(uint32_t vector, void (*handler)(struct frame *frame));

/* Loads descriptor tables of CPU `id`, the one that runs this. */
void trap_init(uint32_t id);

/* 4 KiB mappings at 512 GiB, index 0 .. 511; flags 0 unmaps. */
#define ALIAS_BASE  (1ull << 39)
#define MAP_PRESENT 1u
#define MAP_WRITE   2u
#define MAP_USER    4u
#define MAP_ACCESSED 32u
#define MAP_DIRTY   64u
void *alias_map(uint32_t index, uint64_t gpa, uint64_t flags);
/* What the page table says of that page now. */
uint64_t alias_entry(uint32_t index);

/* Goes to CPL 3 at rip; comes back only by a fault, so run it under trap_try. */
void user_call(uint64_t rip, uint64_t rsp);
