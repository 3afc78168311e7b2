/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry of the bare shim: the Multiboot 1 header and state, and the jump into the
 * kernel in the state of a PVH entry.
 */
#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x2		/* memory information, please */

	.section .multiboot, "a"
	.align	4
	.long	MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

/* The PVH entry that the image builder asks of a hypervisor; refused when used. */
	.section .note.Xen, "a", @note
	.align	4
	.long	4, 4, 18		/* name size, value size, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.long	_start

	.text
	.globl	_start
_start:
	cli
	cld
	movl	$stack_end, %esp
	pushl	%ebx
	pushl	%eax
	call	bare_main		/* EAX: the kernel's entry, EDX: the start info */
	movl	%edx, %ebx
	lgdt	gdt_pointer
	ljmp	$0x08, $1f
1:	movw	$0x10, %cx
	movw	%cx, %ds
	movw	%cx, %es
	movw	%cx, %ss
	pushl	$2
	popfl
	xchgw	%bx, %bx		/* the stop-watch starts here */
	jmp	*%eax

	.section .rodata
	.align	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gdt_pointer:
	.short	. - gdt - 1
	.long	gdt

	.bss
	.align	16
	.skip	8192
stack_end:

	.section .note.GNU-stack, "", @progbits
