/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text for people: a small printf and the hypervisor's own console lines.
 * Conversions: %s %c %d %i %u %x %p %%, with h/l/ll/z, width, 0, - and .N or .*
 * for strings.
 */
#include "core_internal.h"

struct sink {
	char *out;
	size_t size, length;      /* length: what it would have been */
};

static void put(struct sink *s, char c)
{
	if (s->length + 1 < s->size)
		s->out[s->length] = c;
	s->length++;
}

struct spec {
	bool left, zero;
	uint32_t width;
	int64_t precision;        /* -1: none */
	uint32_t longs;
};

static void put_padded(struct sink *s, const struct spec *f, const char *text, size_t n, bool number)
{
	bool zero = f->zero && number && !f->left;
	size_t pad = f->width > n ? f->width - n : 0;

	if (zero && n && text[0] == '-') {
		put(s, '-');
		text++;
		n--;
	}
	if (!f->left) {
		for (; pad; pad--)
			put(s, zero ? '0' : ' ');
	}
	while (n--)
		put(s, *text++);
	for (; pad; pad--)
		put(s, ' ');
}

static void put_number(struct sink *s, const struct spec *f, uint64_t value, uint32_t base, bool negative)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (negative)
		digits[--at] = '-';
	put_padded(s, f, digits + at, sizeof(digits) - at, true);
}

/* Reads what stands between % and the conversion; *star: the precision is an argument. */
static const char *parse_spec(const char *format, struct spec *f, bool *star)
{
	*f = (struct spec){ .precision = -1 };
	for (;; format++) {
		if (*format == '-')
			f->left = true;
		else if (*format == '0')
			f->zero = true;
		else
			break;
	}
	while (*format >= '0' && *format <= '9')
		f->width = f->width * 10 + (uint32_t)(*format++ - '0');
	*star = false;
	if (*format == '.') {
		format++;
		f->precision = 0;
		if (*format == '*') {
			*star = true;
			format++;
		}
		while (*format >= '0' && *format <= '9')
			f->precision = f->precision * 10 + (*format++ - '0');
	}
	for (; *format == 'l' || *format == 'z' || *format == 'h'; format++)
		f->longs += *format != 'h';
	return format;
}

size_t format_text_v(char *out, size_t size, const char *format, va_list args)
{
	struct sink s = { out, size, 0 };

	for (; *format; format++) {
		struct spec f;
		const char *text;
		bool star;
		size_t n;

		if (*format != '%') {
			put(&s, *format);
			continue;
		}
		format = parse_spec(format + 1, &f, &star);
		if (star)
			f.precision = va_arg(args, int);
		switch (*format) {
		case 's':
			text = va_arg(args, const char *);
			if (!text)
				text = "(null)";
			for (n = 0; (f.precision < 0 || n < (size_t)f.precision) && text[n];)
				n++;
			put_padded(&s, &f, text, n, false);
			break;
		case 'c': {
			char c = (char)va_arg(args, int);

			put_padded(&s, &f, &c, 1, false);
			break;
		}
		case 'd':
		case 'i': {
			int64_t value = f.longs ? va_arg(args, int64_t) : va_arg(args, int);

			put_number(&s, &f, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, value < 0);
			break;
		}
		case 'u':
		case 'x': {
			uint64_t value = f.longs ? va_arg(args, uint64_t) : va_arg(args, unsigned int);

			put_number(&s, &f, value, *format == 'x' ? 16 : 10, false);
			break;
		}
		case 'p':
			put_number(&s, &f, (uintptr_t)va_arg(args, void *), 16, false);
			break;
		case '%':
			put(&s, '%');
			break;
		default: /* a mistake in our own format: show it, and don't run past the end */
			put(&s, '%');
			if (!*format)
				format--;
			else
				put(&s, *format);
			break;
		}
	}
	if (size)
		out[s.length < size ? s.length : size - 1] = 0;
	return s.length;
}

size_t format_text(char *out, size_t size, const char *format, ...)
{
	va_list args;
	size_t n;

	va_start(args, format);
	n = format_text_v(out, size, format, args);
	va_end(args);
	return n;
}

void print(const char *format, ...)
{
	char text[256];
	va_list args;
	size_t n;

	va_start(args, format);
	n = format_text_v(text, sizeof(text), format, args);
	va_end(args);
	if (n >= sizeof(text))
		n = sizeof(text) - 1;
	if (n && text[n - 1] == '\n')
		n--;
	console_line(NULL, text, n);
}
