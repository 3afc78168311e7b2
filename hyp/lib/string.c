/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Freestanding memory functions, compiled once for the nucleus and once for the
 * core. Words at a time: a byte loop would cost eight times the instructions.
 */
#include "string.h"

#include <bulk.h>

void *memcpy(void *to, const void *from, size_t n)
{
	uint8_t *d = to;
	const uint8_t *s = from;

	copy_words(d, s, n / 8);
	d += n & ~7ull;
	s += n & ~7ull;
	for (n &= 7; n; n--)
		*d++ = *s++;
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	uint8_t *d = to;
	const uint8_t *s = from;

	if (d <= s || d >= s + n)
		return memcpy(to, from, n);
	while (n--)
		d[n] = s[n];
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	uint8_t *d = to;
	uint64_t pattern = (uint8_t)byte * 0x0101010101010101ull;

	fill_words(d, pattern, n / 8);
	d += n & ~7ull;
	for (n &= 7; n; n--)
		*d++ = (uint8_t)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n; n--, x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (uint8_t)*a - (uint8_t)*b;
}
