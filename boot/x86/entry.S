/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a boot loader to 64-bit C on the boot CPU, and from a SIPI to 64-bit C on
 * the others.
 *
 * Entry: 32-bit protected mode, paging off, interrupts off, flat segments, by
 *   Multiboot 1: EAX = 0x2BADB002, EBX = its information structure;
 *   PVH:         EBX = hvm_start_info (told apart by its magic).
 * These pages are unmapped once the machine's own page tables are in use.
 */
#include "gate_layout.h"

#define MULTIBOOT_MAGIC 0x1BADB002
#define MULTIBOOT_FLAGS 0x00000002      /* a memory map, please */

	.section .boot.header, "a"
	.balign 4
	.long MULTIBOOT_MAGIC
	.long MULTIBOOT_FLAGS
	.long -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

	.section .note.xen, "a", @note
	.balign 4
	.long 4, 4, 18                  /* name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long boot_entry_physical

	.section .boot.text, "ax"
	.code32
	.globl boot_entry_physical
boot_entry_physical:
	cld
	cli
	mov %eax, boot_magic
	mov %ebx, boot_information
	mov $boot_stack_top, %esp

	/* Everything later is x86-64: say so plainly when it isn't there. */
	mov $0x80000000, %eax
	cpuid
	cmp $0x80000001, %eax
	jb no_long_mode
	mov $0x80000001, %eax
	cpuid
	bt $29, %edx
	jnc no_long_mode

	/*
	 * Four page directories of 2 MiB pages: the first 4 GiB one to one, the first
	 * GiB once more where the image is linked. Writable and executable all of it:
	 * paging.c builds the real tables before anything else is done.
	 */
	mov $boot_pd, %edi
	mov $0x83, %eax                 /* present, writable, 2 MiB */
	mov $(4 * 512), %ecx
1:	mov %eax, (%edi)
	add $0x200000, %eax
	add $8, %edi
	loop 1b
	movl $(boot_pd + 0x0003), boot_pdpt_low + 0
	movl $(boot_pd + 0x1003), boot_pdpt_low + 8
	movl $(boot_pd + 0x2003), boot_pdpt_low + 16
	movl $(boot_pd + 0x3003), boot_pdpt_low + 24
	movl $(boot_pd + 0x0003), boot_pdpt_high + 510 * 8
	movl $(boot_pdpt_low + 3), boot_pml4 + 0
	movl $(boot_pdpt_high + 3), boot_pml4 + 511 * 8

	call enter_long_mode
	ljmp $SEL_CODE, $1f
	.code64
1:	mov $(nucleus_stacks + 2 * NUCLEUS_STACK_SIZE), %rsp
	mov boot_magic(%rip), %edi
	mov boot_information(%rip), %esi
	movabs $nucleus_boot, %rax
	call *%rax
	ud2

	.code32
enter_long_mode:
	mov %cr4, %eax
	or $0x20, %eax                  /* PAE */
	mov %eax, %cr4
	mov $boot_pml4, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx           /* EFER: LME, and NXE for the tables to come */
	rdmsr
	or $0x900, %eax
	wrmsr
	mov %cr0, %eax
	or $0x80010001, %eax            /* PG, WP, PE */
	mov %eax, %cr0
	lgdt boot_gdt_pointer
	mov $SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	ret

no_long_mode:
	mov $no_long_mode_text, %esi
2:	lodsb
	test %al, %al
	jz 4f
	mov %al, %bl
	mov $0x3fd, %edx
	mov $0x10000, %ecx
3:	in %dx, %al
	test $0x20, %al
	loopz 3b
	mov $0x3f8, %edx
	mov %bl, %al
	out %al, %dx
	jmp 2b
4:	hlt
	jmp 4b

	/*
	 * Where a started CPU begins: copied to a page below 1 MiB, which is the SIPI
	 * vector; position-independent up to the jump into this section.
	 */
	.code16
	.globl ap_start, ap_start_end
ap_start:
	cli
	mov %cs, %ax
	mov %ax, %ds
	lgdtl (ap_gdt_pointer - ap_start)
	mov %cr0, %eax
	or $1, %eax
	mov %eax, %cr0
	ljmpl $0x20, $ap_start_32
ap_gdt_pointer:
	.word 5 * 8 - 1
	.long boot_gdt
ap_start_end:

	.code32
ap_start_32:
	mov $SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $boot_stack_top, %esp       /* CPUs are started one at a time */
	call enter_long_mode
	ljmp $SEL_CODE, $1f
	.code64
1:	mov ap_stack(%rip), %rsp
	mov ap_cpu(%rip), %edi
	movabs $nucleus_boot_ap, %rax
	call *%rax
	ud2

	.section .boot.data, "aw"
	.balign 8
	.globl boot_gdt
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff        /* 0x08: 64-bit code */
	.quad 0x00cf93000000ffff        /* 0x10: data */
	.quad 0
	.quad 0x00cf9b000000ffff        /* 0x20: 32-bit code */
boot_gdt_pointer:
	.word 5 * 8 - 1
	.long boot_gdt
	.balign 8
	.globl ap_stack, ap_cpu
ap_stack: .quad 0
ap_cpu: .long 0
boot_magic: .long 0
boot_information: .long 0
no_long_mode_text:
	.asciz "ravelin: this CPU has no 64-bit mode (CPUID 80000001h EDX bit 29)\r\n"

	.section .boot.bss, "aw", @nobits
	.balign 4096
	.globl boot_pml4
boot_pml4: .skip 4096
boot_pdpt_low: .skip 4096
boot_pdpt_high: .skip 4096
boot_pd: .skip 4 * 4096
boot_stack: .skip 8192
boot_stack_top:
