/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel for the image tool to pack, never run. Variants by -D: NO_NOTE,
 * OTHER_NOTE (a Xen note of another type), ENTRY_OUTSIDE, ZEROES (at the end of
 * the data). The 64-bit form has an 8-byte note, as Linux's.
 */
#ifdef __x86_64__
#define WORD .quad
#define WORD_SIZE 8
#else
#define WORD .long
#define WORD_SIZE 4
#endif
#ifdef ENTRY_OUTSIDE
#define ENTRY 0x10
#else
#define ENTRY start
#endif
#ifdef OTHER_NOTE
#define NOTE 17
#else
#define NOTE 18
#endif

	.text
	.global start
start:
	hlt
	jmp start
	.asciz "The guest of the image tool's test: some text to compress, to compress, to compress."

	.data
	.quad 1
#ifdef ZEROES
	.skip 0x5000
#endif
	.bss
	.skip 0x4000

#ifndef NO_NOTE
	.section .note, "a", @note
	.align 4
	.long 4, 4, 1
	.asciz "GNU"
	.long 0
	.long 4, WORD_SIZE, NOTE
	.asciz "Xen"
	WORD ENTRY
#endif
	.section .note.GNU-stack, "", @progbits
