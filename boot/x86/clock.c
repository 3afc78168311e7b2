/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two clocks read once at boot: the TSC's frequency against the 8254 timer,
 * and the time of day from the CMOS clock.
 */
#include "platform.h"
#include "asm.h"

#define PIT_HZ 1193182u
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43
#define PORT_B 0x61                   /* bit 0: gate of channel 2, bit 5: its output */
#define MEASURE_HZ 100u               /* a hundredth of a second: within 0.1 % */

uint32_t clock_measure_tsc_khz(void)
{
	uint32_t count = PIT_HZ / MEASURE_HZ;
	uint64_t start, ticks;

	outb(PORT_B, (uint8_t)((inb(PORT_B) & ~2) | 1));
	outb(PIT_COMMAND, 0xb0);      /* channel 2, low then high byte, mode 0: output rises at the end */
	outb(PIT_CHANNEL2, count & 0xff);
	outb(PIT_CHANNEL2, (uint8_t)(count >> 8));
	start = rdtsc();
	while (!(inb(PORT_B) & 0x20)) {
		if (rdtsc() - start > 1ull << 36)
			panic("the 8254 timer does not count: cannot measure the TSC");
	}
	ticks = rdtsc() - start;
	return (uint32_t)(ticks * MEASURE_HZ / 1000);
}

static uint32_t cmos(uint8_t index)
{
	outb(0x70, index);
	return inb(0x71);
}

static uint32_t from_bcd(uint32_t v) { return (v >> 4) * 10 + (v & 15); }

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar. */
static uint64_t days_since_1970(uint32_t year, uint32_t month, uint32_t day)
{
	/* Years begin in March here, so that the leap day is the last. */
	uint32_t y = month > 2 ? year : year - 1;
	uint32_t m = month > 2 ? month - 3 : month + 9;

	return 365ull * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

uint64_t clock_read_cmos(void)
{
	uint32_t now[6], again[6], i, tries;
	static const uint8_t index[6] = { 0, 2, 4, 7, 8, 9 }; /* s, min, h, day, month, year */

	for (tries = 0; tries < 1000; tries++) {
		bool same = true;

		while (cmos(0x0a) & 0x80 && tries++ < 100000)
			;             /* an update is going on */
		for (i = 0; i < 6; i++)
			now[i] = cmos(index[i]);
		for (i = 0; i < 6; i++)
			again[i] = cmos(index[i]);
		for (i = 0; i < 6; i++)
			same = same && now[i] == again[i];
		if (same)
			break;
	}
	if (!(cmos(0x0b) & 4)) {
		for (i = 0; i < 6; i++)
			now[i] = i == 2 ? (from_bcd(now[i] & 0x7f) | (now[i] & 0x80)) : from_bcd(now[i]);
	}
	if (!(cmos(0x0b) & 2)) {      /* 12-hour clock: bit 7 is PM, and 12 comes before 1 */
		bool pm = now[2] & 0x80;

		now[2] = (now[2] & 0x7f) % 12 + (pm ? 12 : 0);
	}
	if (now[4] < 1 || now[4] > 12 || now[3] < 1)
		return 0;
	return days_since_1970(2000 + now[5], now[4], now[3]) * 86400 + now[2] * 3600ull + now[1] * 60 + now[0];
}
