/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaves long mode for 32-bit protected mode without paging and jumps to a task
 * state segment. A task switch always exits (SDM 3, 26.1.3 "other causes").
 */
	.text
	.code64
	.globl task_switch
task_switch:
	cli
	lgdt gdt_pointer
	pushq $0x08
	pushq $1f
	lretq
	.code32
1:	movl $0x10, %eax
	movl %eax, %ss
	movl %eax, %ds
	movl %cr0, %eax
	andl $0x7fffffff, %eax          /* PG off: out of long mode */
	movl %eax, %cr0
	movl $0xc0000080, %ecx
	rdmsr
	andl $~0x100, %eax              /* LME off */
	wrmsr
	ljmpl $0x18, $0
	ud2

	.section .rodata
	.balign 8
gdt:
	.quad 0
	.quad 0x00cf9b000000ffff        /* 0x08: 32-bit code */
	.quad 0x00cf93000000ffff        /* 0x10: data */
	.quad 0x0000891000000067        /* 0x18: an available 32-bit TSS, 104 bytes at 1 MiB */
gdt_end:
gdt_pointer:
	.word gdt_end - gdt - 1
	.quad gdt
	.section .note.GNU-stack, "", @progbits
