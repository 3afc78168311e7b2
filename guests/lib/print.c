/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's console. */
#include "print.h"
#include "cpu.h"
#include "util.h"

static struct console_ring *ring;
static uint32_t ring_port;
static volatile uint8_t lock;

struct output {
	char *at, *end;
};

static void put(struct output *o, char c)
{
	if (o->at < o->end)
		*o->at++ = c;
}

static void put_number(struct output *o, uint64_t value, uint32_t base, int width, char pad, bool minus)
{
	char digits[24];
	int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (minus)
		digits[n++] = '-';
	for (int i = n; i < width; i++)
		put(o, pad);
	while (n)
		put(o, digits[--n]);
}

size_t format_list(char *out, size_t size, const char *format, va_list list)
{
	struct output o = { out, out + size - 1 };

	for (const char *f = format; *f; f++) {
		int width = 0, longs = 0;
		char pad = ' ';

		if (*f != '%') {
			put(&o, *f);
			continue;
		}
		if (*++f == '0')
			pad = '0';
		for (; *f >= '0' && *f <= '9'; f++)
			width = width * 10 + (*f - '0');
		for (; *f == 'l' || *f == 'z'; f++)
			longs++;
		switch (*f) {
		case 'c':
			put(&o, (char)va_arg(list, int));
			break;
		case 's': {
			const char *s = va_arg(list, const char *);

			for (int n = (int)strlen(s); width > n; n++)
				put(&o, ' ');
			while (*s)
				put(&o, *s++);
			break;
		}
		case 'd': {
			int64_t v = longs ? va_arg(list, long) : va_arg(list, int);

			put_number(&o, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, width, pad, v < 0);
			break;
		}
		case 'u':
		case 'x': {
			uint64_t v = longs ? va_arg(list, unsigned long) : va_arg(list, unsigned int);

			put_number(&o, v, *f == 'u' ? 10 : 16, width, pad, false);
			break;
		}
		case 'p':
			put_number(&o, (uint64_t)va_arg(list, void *), 16, width, pad, false);
			break;
		default:
			put(&o, *f);
		}
	}
	*o.at = 0;
	return (size_t)(o.at - out);
}

void print_init(void)
{
	uint64_t gfn = 0, port = 0;

	if (!xen_base() || xen_get_param(PARAM_console_gfn, &gfn) || xen_get_param(PARAM_console_port, &port))
		return;
	if (gfn && port) {
		ring = (struct console_ring *)(gfn << 12);
		ring_port = (uint32_t)port;
	}
}

static void ring_write(const char *s, size_t n)
{
	while (n) {
		uint32_t prod = ring->out_prod;

		while (n && prod - __atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE) < sizeof(ring->out)) {
			ring->out[prod++ % sizeof(ring->out)] = (uint8_t)*s++;
			n--;
		}
		__atomic_store_n(&ring->out_prod, prod, __ATOMIC_RELEASE);
		event_send(ring_port);
		if (n)
			hypercall2(HC_sched_op, SCHED_yield, 0);
	}
}

static void port_write(const char *s, size_t n)
{
	bool serial = in8(0x3fd) != 0xff, debug = in8(0xe9) == 0xe9;

	for (; n; s++, n--) {
		while (serial && !(in8(0x3fd) & 0x20))
			relax();
		if (serial)
			out8(0x3f8, (uint8_t)*s);
		if (debug)
			out8(0xe9, (uint8_t)*s);
	}
}

void print_list(const char *format, va_list list)
{
	char text[512];
	size_t n = format_list(text, sizeof(text), format, list);

	while (__atomic_test_and_set(&lock, __ATOMIC_ACQUIRE))
		relax();
	if (ring)
		ring_write(text, n);
	else if (xen_base())
		hypercall3(HC_console_io, 0, n, text);
	else
		port_write(text, n);
	__atomic_clear(&lock, __ATOMIC_RELEASE);
}

void print(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	print_list(format, list);
	va_end(list);
}

void print_flush(void)
{
	for (uint32_t tries = 0; ring && tries < 100000; tries++) {
		if (__atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE) == ring->out_prod)
			return;
		hypercall2(HC_sched_op, SCHED_yield, 0);
	}
}
