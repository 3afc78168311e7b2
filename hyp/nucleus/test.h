/* SPDX-License-Identifier: Apache-2.0 */
/* What the nucleus' unit tests share. */
#pragma once

#include "memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* All broken rules together. */
static inline uint64_t broken(void)
{
	struct audit a;
	uint64_t n = 0;
	uint32_t i;

	nuc_audit(&a);
	for (i = 1; i <= 6; i++) {
		n += a.broken[i];
	}
	return n;
}

/* Takes free frames away until `left` are; gives them back. For running out of memory. */
static mfn_t hogged[8192];
static uint32_t hogs;

static inline void hog(uint64_t left)
{
	while (frame_free_count > left) {
		assert_true(hogs < ARRAY_SIZE(hogged));
		assert_int_equal(frame_alloc(ORDER_4K, FRAME_NUCLEUS, DOMAIN_NONE, &hogged[hogs++]), 0);
	}
}

static inline void unhog(void)
{
	while (hogs) {
		frame_free(hogged[--hogs], ORDER_4K);
	}
}
