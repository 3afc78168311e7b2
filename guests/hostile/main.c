/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fires random hypercalls, MSR accesses, CPUID leaves, port accesses, bad memory
 * accesses and control-register writes from all vCPUs at once, and survives
 * itself. Options: seed=<number>, count=<operations in all, 1000000>, and
 * to find out what went wrong, trace=<number>: from that operation of each vCPU
 * on, say what comes next; kinds=<bit mask>: only these of the kinds below.
 *
 * What would legitimately end or stop this guest is left out: shutdown, resets,
 * INIT to a vCPU that exists, blocking for ever, giving away its own code.
 */
#include "hostile.h"

const char test_name[] = "hostile";

#define STEP 100000

static struct attacker attackers[CPU_MAX];
static uint8_t scratch[CPU_MAX][SCRATCH_PAGES][4096] __attribute__((aligned(4096)));
static uint8_t arguments[CPU_MAX][4096] __attribute__((aligned(4096)));
uint8_t lost_pages[LOST_PAGES][4096] __attribute__((aligned(4096)));
uint32_t console_event_port;

static volatile uint64_t total, finished;
static uint64_t goal, seed, kinds_wanted;
uint64_t trace_from;
static uint32_t cpus;

uint64_t edge_number(struct attacker *a)
{
	uint64_t r = random_next(&a->random);

	switch (r & 15) {
	case 0:
	case 1:
		return 0;
	case 2:
		return 1;
	case 3:
	case 4:
	case 5:
		return r >> 8 & 63;
	case 6:
		return ~0ull;
	case 7:
		return 1ull << (r >> 8 & 63);
	case 8:
		return (1ull << (r >> 8 & 63)) - 1;
	case 9:
		return 0u - (r >> 8 & 4095);
	case 10:
		return (uint32_t)(r >> 8);
	case 11:
		return DOMID_SELF;
	case 12:
		return r >> 8 & 0xffff;
	case 13:
		return edge_gfn(a);
	default:
		return random_next(&a->random);
	}
}

uint64_t edge_gfn(struct attacker *a)
{
	uint64_t r = random_next(&a->random);

	switch (r & 7) {
	case 0:
	case 1:
	case 2:
	case 3:
		return ((uint64_t)lost_pages >> 12) + (r >> 8) % LOST_PAGES;
	case 4:
		return (a->hole >> 12) + (r >> 8 & 0xfff);
	case 5:
		return 1ull << (20 + (r >> 8) % 44);
	case 6:
		return ~0ull - (r >> 8 & 3);
	default:
		return 0x100000 + (r >> 8 & 0xffffffffff); /* from 4 GiB on */
	}
}

uint64_t edge_pointer(struct attacker *a)
{
	uint64_t r = random_next(&a->random);
	uint64_t offset = (r >> 16) % ((SCRATCH_PAGES - 1) * 4096);

	switch (r & 15) {
	case 0:
		return 0xffff800000000000ull + (r >> 20 << 3);
	case 1:
		return 0x0000800000000000ull + (r >> 30);
	case 2:
		return ~0ull - (r >> 16 & 0xff);
	case 3:
		return a->hole + (r >> 16 & 0xffffff);
	case 4:
		return UNMAPPED + (r >> 30); /* not mapped */
	case 5:
		return (uint64_t)lost_pages + (r >> 16) % (LOST_PAGES * 4096 - 4096);
	case 6:
		return (uint64_t)a->scratch + 4096 - (r >> 16 & 127); /* across a page */
	case 7:
		return ALIAS_BASE + 8192 - (r >> 16 & 127); /* into a page that isn't there, see run */
	case 8:
		return (uint64_t)a->scratch + offset;
	default:
		return (uint64_t)a->scratch + (offset & ~7ull);
	}
}

/* Interrupts are off but for the moments when an attack lets them in; nothing is done with them. */
static void take_irq(struct frame *f)
{
	uint64_t value;

	(void)f;
	if (rdmsr_try(0x80f, &value))
		wrmsr_try(0x80b, 0);
}

/* A breakpoint somebody set: take it out and go on. */
static void take_debug(struct frame *f)
{
	f->rflags &= ~0x100ull;
	asm volatile("mov %0, %%dr7" : : "r"(0x400ull));
	asm volatile("mov %0, %%dr6" : : "r"(0xffff0ff0ull));
}

static void attack(struct attacker *a)
{
	static void (*const kinds[])(void *) = {
		attack_hypercall, attack_hypercall, attack_hypercall, attack_hypercall,
		attack_hypercall, attack_hypercall, attack_msr,	      attack_msr,
		attack_msr,	  attack_cpuid,	    attack_cpuid,     attack_port,
		attack_port,	  attack_memory,    attack_register,  attack_instruction,
	};
	uint32_t kind;

	do
		kind = (uint32_t)random_below(&a->random, ARRAY_SIZE(kinds));
	while (!(kinds_wanted >> kind & 1));
	a->arguments_used = 0;
	if (a->done >= trace_from)
		print("cpu %u op %lu kind %u random %lx\n", this_cpu()->id, a->done, kind, a->random.state);
	if (trap_try(kinds[kind], a))
		a->faults++;
	if (kind >= 14)
		restore_registers();
	a->done++;
}

static void run(uint32_t id)
{
	struct attacker *a = &attackers[id];
	uint64_t mine = goal / cpus;

	a->random.state = seed + id * 0x632be59bd9b4e019ull;
	a->scratch = scratch[id][0];
	a->arguments = arguments[id];
	wrmsr_try(0xc0000082, UNMAPPED);
	wrmsr_try(0xc0000083, UNMAPPED);
	wrmsr_try(0x176, UNMAPPED);
	a->hole = 0xd0000000ull;
	for (uint64_t i = 1; i <= mine; i++) {
		attack(a);
		/* Counted together a hundred at a time: the vCPUs shouldn't march in step. */
		if (i % 100 == 0) {
			uint64_t now = __atomic_add_fetch(&total, 100, __ATOMIC_SEQ_CST);

			if (now % STEP == 0)
				print("hostile: %lu of %lu\n", now, goal);
		}
	}
	__atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
}

void test_main(void)
{
	uint64_t faults = 0, done = 0, accepted = 0, value = 0;

	if (!xen_base()) {
		test_skip("not under Xen's ABI");
		return;
	}
	seed = option_number("seed=", 1);
	goal = option_number("count=", 1000000);
	kinds_wanted = option_number("kinds=", 0xffff) ?: 0xffff;
	trace_from = option_number("trace=", ~0ull);
	cpus = smp_count();
	goal -= goal % (cpus * 100);
	xen_get_param(PARAM_console_port, &value);
	console_event_port = (uint32_t)value;
	print("hostile: seed %lu, %lu operations, %u vCPUs\n", seed, goal, cpus);
	for (uint32_t i = 32; i < 256; i++)
		trap_hook(i, take_irq);
	trap_hook(VECTOR_DB, take_debug);
	alias_map(1, (uint64_t)scratch[0][SCRATCH_PAGES - 1], MAP_PRESENT | MAP_WRITE);
	alias_map(0, (uint64_t)scratch[0][SCRATCH_PAGES - 1], MAP_PRESENT);
	save_registers();
	if (smp_start(run) != cpus) {
		test_error("not all vCPUs start");
		return;
	}
	run(0);
	while (finished < cpus)
		relax();
	for (uint32_t i = 0; i < cpus; i++) {
		faults += attackers[i].faults;
		done += attackers[i].done;
		accepted += attackers[i].accepted;
	}
	/* Still in its senses? */
	CHECK_EQUAL(hypercall2(HC_xen_version, 0, 0), 0x40011);
	if (kinds_wanted == 0xffff)
		CHECK(faults > done / 20 && accepted > done / 50);
	test_note("ops=%lu seed=%lu faults=%lu accepted=%lu", done, seed, faults, accepted);
}
