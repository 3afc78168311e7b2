/* SPDX-License-Identifier: Apache-2.0 */
/* Words at a time by the string instructions: kernels and ramdisks are copied this way. */
#pragma once

#include <stddef.h>
#include <stdint.h>

static inline void copy_words(void *to, const void *from, size_t words)
{
	asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

static inline void fill_words(void *to, uint64_t pattern, size_t words)
{
	asm volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
}
