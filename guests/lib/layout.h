/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that the start-up assembly and the C code agree on. */
#pragma once

#define CPU_BLOCK_SHIFT 15
#define CPU_BLOCK_SIZE	(1 << CPU_BLOCK_SHIFT) /* one struct cpu_block, aligned to its size */
#define CPU_MAX		16
#define CPU_SCOPE	0 /* offset of struct cpu.scope */

#define AP_TRAMPOLINE 0x8000 /* page, below 1 MiB, that a started CPU begins in */

#define SEL_CODE      0x08
#define SEL_DATA      0x10
#define SEL_CODE32    0x18 /* in the start-up GDT only */
#define SEL_USER_CODE 0x1b
#define SEL_USER_DATA 0x23
#define SEL_TSS	      0x28
