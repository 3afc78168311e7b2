/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for the hypervisor in the image tool's test: multiboot header, PVH
 * note, image_ref, bss. Started by QEMU it says on port 0xe9 whether the pack is
 * where image_ref says ("pack" or "none"), whether its bss is zero and its
 * last data word is right, and ends QEMU by isa-debug-exit on port 0xf4.
 */
#ifndef OFFSET
#define OFFSET 0        /* of the data's virtual addresses */
#endif

	.code32
	.section .header, "a"
	.align 4
	.long 0x1badb002, 0, -0x1badb002

	.section .note, "a", @note
	.align 4
	.long 4, 4, 18
	.asciz "Xen"
	.long start

	.section .data.ref, "aw"
	.align 8
	.global image_ref
image_ref:
	.quad 0x4645524e494c5652, 0, 0

	.section .data, "aw"
	.align 8
	/* Code and data may name the magic without being the place. */
	.quad 0x4645524e494c5652, 1, 0
last:	.long 0x600d600d

	.bss
	.align 4096
zero:	.skip 0x3000

	.text
	.global start
start:
	mov $none, %esi
	mov image_ref + 8 - OFFSET, %ebx
	test %ebx, %ebx
	jz 1f
	/* The magic "RAVELIN1", and a size that is the one in image_ref. */
	cmpl $0x45564152, (%ebx)
	jne 1f
	cmpl $0x314e494c, 4(%ebx)
	jne 1f
	mov 8(%ebx), %eax
	cmp image_ref + 16 - OFFSET, %eax
	jne 1f
	/* The pack's last page is there too: the test ends its ramdisk with this word. */
	cmpl $0x444e4521, -4096(%ebx, %eax)
	jne 1f
	cmpl $0, zero + 0x2ffc - OFFSET
	jne 1f
	cmpl $0x600d600d, last - OFFSET
	jne 1f
	mov $pack, %esi
1:	lodsb
	test %al, %al
	jz 2f
	out %al, $0xe9
	jmp 1b
2:	mov $0, %al
	out %al, $0xf4
	hlt
	jmp 2b

	.section .rodata, "a"
pack:	.asciz "pack\n"
none:	.asciz "none\n"
	.section .note.GNU-stack, "", @progbits
