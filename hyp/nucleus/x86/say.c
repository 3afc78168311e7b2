/* SPDX-License-Identifier: Apache-2.0 */
#include "say.h"

#include <stdint.h>

static size_t put_number(char *out, size_t at, size_t size, uint64_t v, unsigned base)
{
	char digits[20];
	unsigned n = 0;

	do
		digits[n++] = "0123456789abcdef"[v % base];
	while (v /= base);
	while (n && at + 1 < size)
		out[at++] = digits[--n];
	return at;
}

size_t say_text(char *out, size_t size, const char *format, va_list args)
{
	size_t at = 0;

	for (; *format; format++) {
		unsigned longs = 0;
		uint64_t v;

		if (*format != '%') {
			if (at + 1 < size)
				out[at++] = *format;
			continue;
		}
		while (*++format == 'l')
			longs++;
		switch (*format) {
		case 's': {
			const char *s = va_arg(args, const char *);

			while (*s && at + 1 < size)
				out[at++] = *s++;
			break;
		}
		case 'd':
			v = (uint64_t)(int64_t)va_arg(args, int);
			if ((int64_t)v < 0 && at + 1 < size) {
				out[at++] = '-';
				v = -v;
			}
			at = put_number(out, at, size, v, 10);
			break;
		case 'u':
		case 'x':
			v = longs ? va_arg(args, uint64_t) : va_arg(args, uint32_t);
			at = put_number(out, at, size, v, *format == 'x' ? 16 : 10);
			break;
		default:
			return 0;
		}
	}
	out[at] = 0;
	return at;
}
