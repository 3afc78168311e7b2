/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the disk loader's test boots: checks the Multiboot state, a large pattern
 * segment, a segment at odd alignments and the zeroed tails, reports on COM1 and
 * switches Bochs off. Each 32-bit word of the pattern is its address times an odd
 * constant.
 */
#include "layout.h"

#define COM1 0x3f8

	.text
	.globl _start
_start:
	xchgw	%bx, %bx		/* for the test of the stop-watch */
	movl	$PAYLOAD_STACK, %esp
	cmpl	$0x2badb002, %eax
	movl	$bad_magic, %esi
	jne	say_and_stop
	movl	(%ebx), %eax
	andl	$0x245, %eax		/* memory, command line, map, loader name */
	cmpl	$0x245, %eax
	movl	$bad_info, %esi
	jne	say_and_stop
	cmpl	$24, 44(%ebx)		/* mmap_length: at least one entry */
	jb	say_and_stop
	movl	%cr0, %eax
	andl	$0x80000001, %eax
	cmpl	$1, %eax		/* protection on, paging off */
	jne	say_and_stop
	pushfl
	popl	%eax
	testl	$0x200, %eax		/* interrupts off */
	jnz	say_and_stop

	movl	$bad_pattern, %esi
	movl	$PATTERN_BASE, %edi
1:	imull	$PATTERN_FACTOR, %edi, %eax
	cmpl	%eax, (%edi)
	jne	say_and_stop
	addl	$4, %edi
	cmpl	$ZEROES_BASE, %edi
	jb	1b

	movl	$bad_odd, %esi
	movl	$ODD_BASE, %edi
	movl	$odd_copy, %edx
2:	movb	(%edx), %al
	cmpb	%al, (%edi)
	jne	say_and_stop
	incl	%edi
	incl	%edx
	testb	%al, %al
	jnz	2b

	movl	$bad_zero, %esi
	movl	$ZEROES_BASE, %edi
3:	cmpl	$0, (%edi)
	jne	say_and_stop
	addl	$4, %edi
	cmpl	$ZEROES_BASE + ZEROES_SIZE, %edi
	jb	3b

	xchgw	%bx, %bx
	movl	$aside, %esi
	movl	$aside_end - aside, %ecx
	movw	$0xe9, %dx
	cld
	rep outsb
	movl	$good, %esi
say_and_stop:
	cld
4:	lodsb
	testb	%al, %al
	jz	6f
	movb	%al, %ah
	movw	$COM1 + 5, %dx
5:	inb	%dx, %al
	testb	$0x20, %al
	jz	5b
	movw	$COM1, %dx
	movb	%ah, %al
	outb	%al, %dx
	jmp	4b
6:	movw	$COM1 + 5, %dx
	inb	%dx, %al
	testb	$0x40, %al
	jz	6b
	movl	$shutdown, %esi
	movl	$8, %ecx
	movw	$0x8900, %dx
	rep outsb
	cli
	hlt

	.section .rodata
good:		.asciz	"payload: all in place\r\n"
bad_magic:	.asciz	"payload: WRONG magic in EAX\r\n"
bad_info:	.asciz	"payload: WRONG Multiboot info or CPU state\r\n"
bad_pattern:	.asciz	"payload: WRONG pattern\r\n"
bad_odd:	.asciz	"payload: WRONG text in the odd segment\r\n"
bad_zero:	.asciz	"payload: WRONG bytes where zeroes belong\r\n"
aside:		.ascii	"on port e9\n"
aside_end:
shutdown:	.ascii	"Shutdown"
odd_copy:	.asciz	ODD_TEXT

	.section .note.GNU-stack, "", @progbits
