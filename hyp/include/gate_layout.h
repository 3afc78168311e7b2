/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers that assembly, the linker script and C agree on.
 */
#pragma once

#define CORE_STACK_SIZE 8192      /* aligned to its size; as much again below it is a guard */
#define NUCLEUS_STACK_SIZE 8192
#define GATE_STACK_SIZE 4096      /* exceptions; one page, guard below */

/* struct gate_cpu (gate.h), checked there against offsetof. */
#define GATE_NUCLEUS_CR3 0
#define GATE_CORE_CR3 8
#define GATE_NUCLEUS_SP 16
#define GATE_CORE_SP 24
#define GATE_SAVED_CORE_SP 32
#define GATE_REGS 40
#define GATE_EXIT 48
#define GATE_IN_GUEST 56
#define GATE_CREDIT 60
#define GATE_CPU_ID 64
#define GATE_VCPU 68
#define GATE_EVENTS 72
#define GATE_NMIS 76
#define GATE_UPCALL_RETURN 80

/* struct guest_regs (vcpu.h): what the exit path pushes, lowest address first. */
#define REGS_R15 0
#define REGS_R14 8
#define REGS_R13 16
#define REGS_R12 24
#define REGS_R11 32
#define REGS_R10 40
#define REGS_R9 48
#define REGS_R8 56
#define REGS_RDI 64
#define REGS_RSI 72
#define REGS_RBP 80
#define REGS_RBX 88
#define REGS_RDX 96
#define REGS_RCX 104
#define REGS_RAX 112
#define REGS_SIZE 120
#define REGS_LONG_MODE 120        /* struct vcpu: the byte right after the registers */
#define REGS_LAUNCHED 121
#define REGS_EPTP 128

/* struct exit (exit.h) */
#define EXIT_OFF_KIND 0
#define EXIT_OFF_VCPU 4
#define EXIT_OFF_VERDICT 8
#define EXIT_OFF_LEAF 16
#define EXIT_OFF_SUBLEAF 20
#define EXIT_OFF_EAX 24
#define EXIT_OFF_EBX 28
#define EXIT_OFF_ECX 32
#define EXIT_OFF_EDX 36

/* What nucleus C code asks of the assembly loop (loop.S). */
#define STEP_ENTER 0
#define STEP_CORE_EXIT 1
#define STEP_CORE_EVENT 2
#define STEP_AGAIN 3

/* Selectors of our GDT. */
#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_TSS 0x18

/* Host interrupt vectors. */
#define VECTOR_KICK 0xf1
#define VECTOR_TIMER 0xf2
#define VECTOR_UART 0xf3
#define VECTOR_SPURIOUS 0xff

#define GATE_CALLS 64              /* a power of two, for the mask in gate_enter */
