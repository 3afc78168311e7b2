/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lives beside a guest that misbehaves and watches what is its own: general
 * registers, x87, SSE, AVX and AVX-512 state, debug registers, MSRs, CR2, and
 * some MiB of memory. Whatever changes by itself is a failure. Options:
 * ms=<how long, 1000>, kib=<memory watched, 4096>.
 */
#include "guest.h"

const char test_name[] = "witness";

#define GPRS 15
#define STATE_SIZE 4096
#define COMPONENTS 8
#define LEGACY_X87 32           /* ST0 .. ST7, 16 bytes each, 10 of them used */
#define LEGACY_XMM 160
#define HEADER 512

static uint8_t state[2][STATE_SIZE] __attribute__((aligned(64)));
static uint8_t watched[8 << 20] __attribute__((aligned(4096)));
static struct random numbers;
static uint64_t components;
static uint64_t rounds;

void spin_with_registers(const uint64_t in[GPRS], uint64_t out[GPRS], uint64_t count);

static void xsave(void *area)
{
	asm volatile("xsave64 (%0)" : : "r"(area), "a"((uint32_t)components), "d"(0) : "memory");
}

static void xrstor(const void *area)
{
	asm volatile("xrstor64 (%0)" : : "r"(area), "a"((uint32_t)components), "d"(0) : "memory");
}

/* Random contents for everything that XSAVE knows of. */
static void make_state(void)
{
	uint8_t *s = state[0];

	for (uint32_t i = 0; i < STATE_SIZE; i += 8) {
		uint64_t r = random_next(&numbers);

		memcpy(s + i, &r, 8);
	}
	memset(s, 0, LEGACY_X87);
	memset(s + HEADER, 0, 64);
	*(uint16_t *)s = 0x27f;                 /* FCW: double precision, all masked */
	s[4] = 0xff;                            /* all x87 registers in use */
	*(uint32_t *)(s + 24) = 0x1fa0 | (uint32_t)random_below(&numbers, 4) << 13;
	*(uint64_t *)(s + HEADER) = components;
}

static void compare_bytes(const char *what, uint32_t offset, uint32_t size)
{
	for (uint32_t i = offset; i < offset + size; i++) {
		if (state[0][i] != state[1][i]) {
			test_failure("round %lu: %s byte %u is %x, was %x", rounds, what, i - offset, state[1][i],
				     state[0][i]);
			return;
		}
	}
}

static void compare_state(void)
{
	compare_bytes("FCW", 0, 2);
	compare_bytes("MXCSR", 24, 4);
	for (uint32_t i = 0; i < 8; i++)
		compare_bytes("x87", LEGACY_X87 + 16 * i, 10);
	compare_bytes("xmm", LEGACY_XMM, 256);
	for (uint32_t i = 2; i < COMPONENTS; i++) {
		struct cpuid c = cpuid(0xd, i);

		if (components >> i & 1 && c.ebx + c.eax <= STATE_SIZE)
			compare_bytes(i == 2 ? "ymm" : i == 5 ? "opmask" : "zmm", c.ebx, c.eax);
	}
}

#define DR_FUNCTIONS(n)                                                                                      \
	static uint64_t read_dr##n(void)                                                                     \
	{                                                                                                    \
		uint64_t v;                                                                                  \
		asm volatile("mov %%dr" #n ", %0" : "=r"(v));                                                \
		return v;                                                                                    \
	}                                                                                                    \
	static void write_dr##n(uint64_t v)                                                                  \
	{                                                                                                    \
		asm volatile("mov %0, %%dr" #n : : "r"(v));                                                  \
	}
DR_FUNCTIONS(0)
DR_FUNCTIONS(1)
DR_FUNCTIONS(2)
DR_FUNCTIONS(3)

static void one_round(uint64_t spins)
{
	static const uint32_t msrs[] = { 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101,
					 0xc0000102, 0xc0000103, 0x174,      0x175,      0x176,      0x277 };
	uint64_t in[GPRS], out[GPRS], values[ARRAY_SIZE(msrs)], dr[4], cr2, r;

	for (uint32_t i = 0; i < GPRS; i++)
		in[i] = random_next(&numbers);
	for (uint32_t i = 0; i < ARRAY_SIZE(msrs); i++) {
		r = random_next(&numbers);
		values[i] = msrs[i] == 0x277 ? 0x0007040600070406ull : r >> 33;
		wrmsr(msrs[i], values[i]);
	}
	for (uint32_t i = 0; i < 4; i++)
		dr[i] = random_next(&numbers) >> 17;
	write_dr0(dr[0]);
	write_dr1(dr[1]);
	write_dr2(dr[2]);
	write_dr3(dr[3]);
	cr2 = random_next(&numbers);
	write_cr2(cr2);
	make_state();
	xrstor(state[0]);

	spin_with_registers(in, out, spins);

	xsave(state[1]);
	compare_state();
	for (uint32_t i = 0; i < GPRS; i++) {
		if (in[i] != out[i])
			test_failure("round %lu: register %u is %lx, was %lx", rounds, i, out[i], in[i]);
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(msrs); i++) {
		r = rdmsr(msrs[i]);
		if (r != values[i])
			test_failure("round %lu: MSR 0x%x is %lx, was %lx", rounds, msrs[i], r, values[i]);
	}
	if (read_dr0() != dr[0] || read_dr1() != dr[1] || read_dr2() != dr[2] || read_dr3() != dr[3])
		test_failure("round %lu: a debug register changed", rounds);
	if (read_cr2() != cr2)
		test_failure("round %lu: CR2 is %lx, was %lx", rounds, read_cr2(), cr2);
}

/* Every word holds a number that follows from its place and the generation. */
static void fill_memory(uint64_t size, uint64_t generation)
{
	for (uint64_t i = 0; i < size; i += 64)
		*(volatile uint64_t *)(watched + i) = i * 0x9e3779b97f4a7c15ul + generation;
}

static void check_memory(uint64_t size, uint64_t generation)
{
	for (uint64_t i = 0; i < size; i += 64) {
		uint64_t v = *(volatile uint64_t *)(watched + i);

		if (v != i * 0x9e3779b97f4a7c15ul + generation) {
			test_failure("round %lu: memory at %p is %lx, was %lx", rounds, (void *)(watched + i), v,
				     i * 0x9e3779b97f4a7c15ul + generation);
			return;
		}
	}
}

void test_main(void)
{
	uint64_t size = option_number("kib=", 4096) << 10, end = option_number("ms=", 1000) * 1000000, generation = 0;

	if (size > sizeof(watched))
		size = sizeof(watched);
	if (event_init() || event_init_cpu()) {
		test_error("no clock");
		return;
	}
	components = cpuid(0xd, 0).eax;
	write_cr4(read_cr4() | 1u << 9 | 1u << 10 | 1u << 18);
	asm volatile("xsetbv" : : "c"(0), "a"((uint32_t)components), "d"(0));
	numbers.state = option_number("seed=", 1);
	end += clock_ns();
	fill_memory(size, generation);
	while (clock_ns() < end) {
		one_round(1000 + random_below(&numbers, 20000));
		rounds++;
		if (rounds % 50 == 0) {
			check_memory(size, generation);
			generation = random_next(&numbers);
			fill_memory(size, generation);
		}
	}
	test_note("(%lu rounds)", rounds);
}
