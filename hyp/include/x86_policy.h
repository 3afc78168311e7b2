/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nucleus and core must agree on about the CPU that a guest sees: the core
 * shows it in CPUID, the nucleus enforces it where the guest writes registers.
 */
#pragma once

#include "types.h"

/* x87, SSE, AVX and the three AVX-512 components; bits 3, 4 (MPX) and 9 (PKRU) are never shown. */
#define XCR0_KNOWN 0xe7ull
#define XCR0_AVX 0x4ull
#define XCR0_AVX512 0xe0ull

/*
 * The XCR0 bits a guest may set, given CPUID.0xD.0 EDX:EAX of the host.
 * AVX-512 comes with all three components and AVX, or not at all (SDM 1, 13.3).
 */
static inline uint64_t xcr0_allowed(uint64_t host)
{
	uint64_t mask = host & XCR0_KNOWN;

	if (!(mask & XCR0_AVX) || (mask & XCR0_AVX512) != XCR0_AVX512)
		mask &= ~XCR0_AVX512;
	return mask;
}

/*
 * CR4 bits a guest may set where the host has them: VME to UMIP 0-11, FSGSBASE 16,
 * PCIDE 17, OSXSAVE 18, SMEP 20, SMAP 21. Any other gives #GP(0): some bring state
 * that nobody switches between guests.
 */
#define CR4_SHOWN 0x00370fffull

/*
 * Shown when the host has them, so the nucleus must turn on the VM-execution
 * controls that enable them in a guest: RDTSCP (with RDPID) and INVPCID.
 */
