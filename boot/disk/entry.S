/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot sector and real-mode part of the disk loader: fetch the second stage by
 * the BIOS, ask it for the memory map, open A20, go to 32-bit protected mode.
 *
 * Memory: 0x600 .. 0x7c00 stack, 0x7c00 .. 0x10000 this program, 0x10000 the
 * DMA descriptors, 0x20000 .. 0x30000 the bounce buffer.
 */
#define STACK 0x7c00
#define CODE 0x08
#define DATA 0x10
#define COM1 0x3f8

	.section .boot, "awx"
	.code16
	.globl boot_sector
boot_sector:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$STACK, %sp
	ljmp	$0, $1f
1:	sti
	cld
	movb	%dl, boot_drive

	movb	$0x41, %ah		/* are the extended reads there? */
	movw	$0x55aa, %bx
	int	$0x13
	movw	$no_extensions, %si
	jc	fail
	cmpw	$0xaa55, %bx
	jne	fail

	pushl	$0			/* disk address packet: from sector 1 */
	pushl	$1
	pushl	$0x07e00000		/* to 07e0:0000 */
	pushw	$stage2_sectors
	pushw	$16
	movw	%sp, %si
	movb	$0x42, %ah
	movb	boot_drive, %dl
	int	$0x13
	movw	$no_stage2, %si
	jc	fail
	jmp	real_main

/* Prints the string at SI on the screen and COM1 and stops. */
	.globl fail
fail:	lodsb
	testb	%al, %al
	jz	2f
	movb	$0x0e, %ah
	movw	$7, %bx
	pushw	%ax
	int	$0x10
	popw	%ax
	movb	%al, %ah
	movw	$COM1 + 5, %dx
	movw	$0xffff, %cx
1:	inb	%dx, %al
	testb	$0x20, %al
	loopz	1b
	movb	%ah, %al
	movw	$COM1, %dx
	outb	%al, %dx
	jmp	fail
2:	cli
	hlt
	jmp	2b

no_extensions:	.asciz	"Ravelin disk loader: the BIOS has no extended disk reads\r\n"
no_stage2:	.asciz	"Ravelin disk loader: cannot read the second stage\r\n"

/* The image builder fills in where the image lies: first sector, sectors. */
	.globl disk_lba, disk_sectors
	.ascii	"RVLNDISK"
disk_lba:	.long	0
disk_sectors:	.long	0

	.org	510
	.short	0xaa55

	.section .real, "ax"
	.code16
#define E820_MAX 64
#define E820_ENTRY 24
#define SMAP 0x534d4150

real_main:
	movw	$STACK, %sp
	xorw	%ax, %ax
	movw	$bss_start, %di
	movw	$bss_end, %cx
	subw	%di, %cx
	rep stosb

	/* Each answer is stored behind a size word, as Multiboot wants the entries. */
	xorl	%ebx, %ebx
	movw	$memory_map, %di
1:	movl	$0xe820, %eax
	movl	$SMAP, %edx
	movl	$20, %ecx
	movl	$20, (%di)
	addw	$4, %di
	int	$0x15
	jc	2f
	cmpl	$SMAP, %eax
	jne	2f
	addw	$20, %di
	addl	$E820_ENTRY, memory_map_length
	cmpl	$E820_MAX * E820_ENTRY, memory_map_length
	jae	2f
	testl	%ebx, %ebx
	jnz	1b
2:	cmpl	$0, memory_map_length
	movw	$no_memory_map, %si
	je	fail

	movw	$0x2401, %ax		/* A20, by the BIOS; checked later */
	int	$0x15

	cli
	inb	$0x92, %al
	testb	$2, %al
	jnz	3f
	orb	$2, %al
	andb	$0xfe, %al		/* bit 0 would reset the machine */
	outb	%al, $0x92
3:	lgdt	gdt_pointer
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmp	$CODE, $protected

no_memory_map:	.asciz	"Ravelin disk loader: the BIOS has no memory map\r\n"

	.align	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gdt_pointer:
	.short	. - gdt - 1
	.long	gdt

	.bss
	.globl memory_map, memory_map_length
	.align	8
memory_map:	.skip	E820_MAX * E820_ENTRY
memory_map_length:	.skip	4
boot_drive:	.skip	1

	.text
	.code32
protected:
	movw	$DATA, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	movw	%ax, %ss
	movl	$STACK, %esp
	xorl	%ebp, %ebp
	call	loader_main		/* EAX: entry point; it does not return on failure */
	movl	%eax, %ecx
	movl	$boot_info, %ebx
	movl	$0x2badb002, %eax
	jmp	*%ecx

	.globl irq_timer, irq_disk, irq_other, exception
irq_timer:
	incl	timer_ticks
	pushl	%eax
	movb	$0x20, %al
	outb	%al, $0x20
	popl	%eax
	iret

irq_disk:
	pushl	%eax
	movb	$0x20, %al
	outb	%al, $0xa0
	outb	%al, $0x20
	popl	%eax
	iret

irq_other:
	iret

exception:
	call	loader_exception

	.section .note.GNU-stack, "", @progbits
