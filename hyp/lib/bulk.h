/* SPDX-License-Identifier: Apache-2.0 */
/* Words at a time, in plain C; the nucleus has a header of the same name with the CPU's own way. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef uint64_t __attribute__((may_alias, aligned(1))) word_t;

static inline void copy_words(void *to, const void *from, size_t words)
{
	word_t *d = to;
	const word_t *s = from;

	while (words--)
		*d++ = *s++;
}

static inline void fill_words(void *to, uint64_t pattern, size_t words)
{
	word_t *d = to;

	while (words--)
		*d++ = pattern;
}
