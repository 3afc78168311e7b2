/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the PVH entry (32-bit, paging off) or a SIPI (16-bit) to C in long mode.
 *
 * The first instructions change nothing but what they must: entry_state keeps
 * the registers as the hypervisor handed them over, for guests that judge them.
 */
#include "layout.h"

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18                  /* name, descriptor, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long start32

	.text
	.code32
	.globl start32
start32:
	movl %eax, entry_state + 0
	movl %ebx, entry_state + 4
	movl %ecx, entry_state + 8
	movl %edx, entry_state + 12
	movl %esi, entry_state + 16
	movl %edi, entry_state + 20
	movl %ebp, entry_state + 24
	movl %esp, entry_state + 28
	movl $cpu_blocks + CPU_BLOCK_SIZE, %esp
	pushfl
	popl entry_state + 32
	movl %cr0, %eax
	movl %eax, entry_state + 36
	movl %cr4, %eax
	movl %eax, entry_state + 40
	movl %dr6, %eax
	movl %eax, entry_state + 44
	movl %dr7, %eax
	movl %eax, entry_state + 48
	strw entry_state + 52
	sldtw entry_state + 54
	movl $0xc0000080, %ecx          /* EFER */
	rdmsr
	movl %eax, entry_state + 56
	movl %edx, entry_state + 60
	movl $0x1b, %ecx                /* IA32_APIC_BASE */
	rdmsr
	movl %eax, entry_state + 64
	movl %edx, entry_state + 68
	sgdtl entry_state + 72
	sidtl entry_state + 80

	/* Identity map of the first 4 GiB by 2 MiB pages, supervisor only. */
	movl $page_pd, %edi
	movl $0x83, %eax
	movl $2048, %ecx
1:	movl %eax, (%edi)
	movl $0, 4(%edi)
	addl $0x200000, %eax
	addl $8, %edi
	loop 1b
	movl $page_pd + 7, %eax
	movl $page_pdpt, %edi
	movl $4, %ecx
2:	movl %eax, (%edi)
	addl $4096, %eax
	addl $8, %edi
	loop 2b
	movl $page_pdpt + 7, page_pml4
	/* 2 MiB of single pages at 512 GiB, for mappings that a test needs. */
	movl $alias_pdpt + 7, page_pml4 + 8
	movl $alias_pd + 7, alias_pdpt
	movl $alias_pt + 7, alias_pd
	xorl %ebx, %ebx                 /* CPU 0 */

	/* All CPUs: EBX is the CPU's number. Protected mode, flat segments. */
common32:
	lgdtl start_gdt_pointer
	movl $page_pml4, %eax
	movl %eax, %cr3
	movl $0x20, %eax                /* CR4.PAE */
	movl %eax, %cr4
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x100, %eax                /* EFER.LME */
	wrmsr
	movl %cr0, %eax
	orl $0x80010021, %eax           /* PG, WP, NE, PE */
	andl $0x9fffffff, %eax          /* not CD, NW */
	movl %eax, %cr0
	ljmpl $SEL_CODE, $start64

	.code64
start64:
	movl $SEL_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movl %ebx, %edi
	movl %ebx, %eax
	incl %eax
	shlq $CPU_BLOCK_SHIFT, %rax
	leaq cpu_blocks(%rax), %rsp
	xorl %ebp, %ebp
	call guest_start
	ud2

/*
 * Where a started CPU begins: real mode, CS:IP = AP_TRAMPOLINE:0. Copied there;
 * the first CPU has put this one's number into ap_number.
 */
	.globl ap_start, ap_start_end
	.code16
ap_start:
	cli
	xorw %ax, %ax
	movw %ax, %ds
	lgdtl AP_TRAMPOLINE + (ap_gdt_pointer - ap_start)
	movl %cr0, %eax
	andl $0x9fffffff, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl $SEL_CODE32, $ap_start32
	.balign 8
ap_gdt_pointer:
	.word start_gdt_end - start_gdt - 1
	.long start_gdt
ap_start_end:

	.code32
ap_start32:
	movl $SEL_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl ap_number, %ebx
	jmp common32

/*
 * bool trap_try(void (*body)(void *), void *argument)
 *
 * Runs body; a fault inside ends it and gives true. trap_handler resumes at
 * trap_try_out with RSP as it was saved in the CPU's scope.
 */
	.code64
	.globl trap_try, trap_try_out
trap_try:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushfq
	movq %rsp, %rax
	andq $-CPU_BLOCK_SIZE, %rax
	subq $8, %rsp
	pushq CPU_SCOPE(%rax)
	movq %rsp, CPU_SCOPE(%rax)
	movq %rdi, %rax
	movq %rsi, %rdi
	call *%rax
	xorl %ecx, %ecx
	jmp 1f
trap_try_out:
	movl $1, %ecx
1:	movq %rsp, %rax
	andq $-CPU_BLOCK_SIZE, %rax
	popq CPU_SCOPE(%rax)
	addq $8, %rsp
	popfq
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	movl %ecx, %eax
	ret

/*
 * void user_call(uint64_t rip, uint64_t rsp)
 *
 * Goes to CPL 3. The only way back is a fault, so call it under trap_try.
 */
	.globl user_call
user_call:
	pushq $SEL_USER_DATA
	pushq %rsi
	pushq $2
	pushq $SEL_USER_CODE
	pushq %rdi
	iretq

/* 256 stubs of 16 bytes: error code (or 0) and vector, then the common part. */
	.balign 16
	.globl trap_stubs
trap_stubs:
vector = 0
	.rept 256
	.balign 16
	.if (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21) || \
		(vector == 29) || (vector == 30)
	.else
	pushq $0
	.endif
	pushq $vector
	jmp trap_common
	vector = vector + 1
	.endr

	.balign 16
trap_common:
	pushq %rax
	pushq %rcx
	pushq %rdx
	pushq %rbx
	pushq %rbp
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, %rdi
	cld
	call trap_handler
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rbp
	popq %rbx
	popq %rdx
	popq %rcx
	popq %rax
	addq $16, %rsp
	iretq

	.section .rodata
	.balign 16
start_gdt:
	.quad 0
	.quad 0x00af9b000000ffff        /* SEL_CODE: 64-bit code */
	.quad 0x00cf93000000ffff        /* SEL_DATA */
	.quad 0x00cf9b000000ffff        /* SEL_CODE32 */
start_gdt_end:
start_gdt_pointer:
	.word start_gdt_end - start_gdt - 1
	.long start_gdt

	.data
	.balign 8
	.globl entry_state, ap_number
entry_state:
	.skip 88
ap_number:
	.long 0

	.bss
	.balign 4096
	.globl page_pml4, alias_pt
page_pml4:
	.skip 4096
page_pdpt:
	.skip 4096
page_pd:
	.skip 4 * 4096
alias_pdpt:
	.skip 4096
alias_pd:
	.skip 4096
alias_pt:
	.skip 4096
	.section .note.GNU-stack, "", @progbits
