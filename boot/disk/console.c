/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COM1 output for the small 32-bit boot programs.
 */
#include "console.h"
#include "port.h"

#define COM1 0x3f8
#define LSR (COM1 + 5)
#define LSR_ROOM 0x20u
#define LSR_IDLE 0x40u

/* A machine without a COM1 must not hold up the boot. */
#define PATIENCE 1000000u

static void wait_for(uint8_t bit)
{
	for (uint32_t i = 0; i < PATIENCE && !(in8(LSR) & bit); i++)
		;
}

static void put(char c)
{
	wait_for(LSR_ROOM);
	out8(COM1, (uint8_t)c);
}

void console_open(void)
{
	out8(COM1 + 1, 0);    /* no interrupts */
	out8(COM1 + 3, 0x80); /* the divisor shows at +0 and +1 */
	out8(COM1 + 0, 1);    /* 115200 / 1 */
	out8(COM1 + 1, 0);
	out8(COM1 + 3, 0x03); /* 8N1 */
	out8(COM1 + 2, 0x07); /* FIFOs on and empty */
	out8(COM1 + 4, 0x03); /* DTR, RTS */
}

void console_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			put('\r');
		put(*text);
	}
}

void console_number(uint32_t n)
{
	char digits[11];
	uint32_t i = sizeof(digits) - 1;

	digits[i] = '\0';
	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	console_text(digits + i);
}

void console_hex(uint64_t n)
{
	uint32_t shift = 60;

	while (shift && !(n >> shift))
		shift -= 4;
	console_text("0x");
	for (;; shift -= 4) {
		put("0123456789abcdef"[(n >> shift) & 15]);
		if (!shift)
			break;
	}
}

void console_fail(const char *text)
{
	console_text(console_program);
	console_text(": ");
	console_text(text);
	console_text("\n");
	wait_for(LSR_IDLE);
	for (;;)
		__asm__ volatile("cli; hlt");
}
