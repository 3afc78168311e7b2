/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several vCPUs, started by INIT and SIPI: interrupts between them in every way
 * that the local APIC and event channels offer, locked counters, hypercalls
 * from all at once, one clock for all, and a vCPU that is stopped and restarted.
 */
#include "guest.h"

const char test_name[] = "smp4";

#define VECTOR_PING 0x50
#define VECTOR_SELF 0x51
#define VECTOR_ALL  0x52
#define ROUNDS	    200
#define ADDS	    20000

static struct barrier barrier;
static uint32_t cpus;
static volatile uint64_t counter;
static volatile uint64_t latest_ns;
static volatile uint8_t clock_lock;
static volatile uint32_t ports[CPU_MAX];
static volatile uint64_t event_seen[CPU_MAX];
static volatile uint32_t ball;
static volatile uint32_t restarted;

static void sync(void)
{
	barrier_wait(&barrier, cpus);
}

static void eoi(struct frame *f)
{
	(void)f;
	apic_eoi();
}

static void on_event(uint32_t port)
{
	uint32_t id = this_cpu()->id;

	if (ports[id] == port)
		event_seen[id]++;
	else
		test_failure("port %u came to cpu %u", port, id);
}

/* Spins with interrupts on until *value reaches `least`. */
static void wait_for(const volatile uint64_t *value, uint64_t least, const char *what)
{
	uint64_t start = rdtsc();

	irq_on();
	while (*value < least) {
		relax();
		if (rdtsc() - start > 4000000000ull) {
			test_failure("cpu %u waits for %s: %lu of %lu", this_cpu()->id, what, *value, least);
			break;
		}
	}
	irq_off();
}

static void ipis(struct cpu *c)
{
	uint32_t next = (c->id + 1) % cpus;

	for (uint64_t i = 1; i <= ROUNDS; i++) {
		apic_ipi(next, ICR_FIXED | VECTOR_PING);
		wait_for(&c->irqs[VECTOR_PING], i, "a fixed IPI");
		sync();
	}
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		apic_write(APIC_self_ipi, VECTOR_SELF);
		wait_for(&c->irqs[VECTOR_SELF], i, "a self-IPI");
	}
	sync();
	apic_write(APIC_icr, 0xc0000 | VECTOR_ALL); /* all but self */
	/* Requests for one vector may merge, so at least one has to come, and at most one of each. */
	wait_for(&c->irqs[VECTOR_ALL], 1, "an IPI to all others");
	sync();
	CHECK(c->irqs[VECTOR_ALL] <= cpus - 1);
	for (uint64_t i = 1; i <= 20; i++) {
		apic_ipi(next, ICR_NMI);
		wait_for(&c->nmis, i, "an NMI");
		sync();
	}
	CHECK_EQUAL(c->nmis, 20);
	CHECK_EQUAL(c->irqs[VECTOR_PING], ROUNDS);
}

static void events(struct cpu *c)
{
	uint32_t next = (c->id + 1) % cpus;
	long port = event_bind_ipi(c->id);

	if (port <= 0) {
		test_failure("bind_ipi on cpu %u: %ld", c->id, port);
		port = 0;
	}
	event_handle((uint32_t)port, on_event);
	ports[c->id] = (uint32_t)port;
	sync();
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		CHECK_EQUAL(event_send(ports[next]), 0);
		wait_for(&event_seen[c->id], i, "an event");
		sync();
	}
}

/* A ball goes round; whoever hasn't got it is halted. */
static void halted(struct cpu *c)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		for (;;) {
			irq_off();
			if (ball % cpus == c->id)
				break;
			wait_irq();
		}
		ball++;
		event_send(ports[(c->id + 1) % cpus]);
	}
	sync();
	CHECK_EQUAL(ball, ROUNDS * cpus);
}

static void counters(void)
{
	for (uint32_t i = 0; i < ADDS; i++)
		__atomic_add_fetch(&counter, 1, __ATOMIC_SEQ_CST);
	sync();
	CHECK_EQUAL(counter, (uint64_t)ADDS * cpus);
}

static void calls(void)
{
	uint64_t value, first;

	CHECK_EQUAL(xen_get_param(PARAM_console_gfn, &first), 0);
	for (uint32_t i = 0; i < 1000; i++) {
		struct xen_multicall m[2] = { { .nr = HC_xen_version, .arg = { 7 } }, { .nr = 63 } };

		if (hypercall2(HC_xen_version, 0, 0) != 0x40011 || hypercall1(63, 0) != -XEN_ENOSYS ||
		    xen_get_param(PARAM_console_gfn, &value) || value != first ||
		    hypercall2(HC_multicall, m, 2) || m[0].result != 4096 ||
		    m[1].result != (uint64_t)-XEN_ENOSYS) {
			test_failure("a hypercall went wrong on cpu %u, round %u", this_cpu()->id, i);
			break;
		}
	}
	sync();
}

static void one_clock(void)
{
	for (uint32_t i = 0; i < 2000; i++) {
		uint64_t now;

		while (__atomic_test_and_set(&clock_lock, __ATOMIC_ACQUIRE))
			relax();
		now = clock_ns();
		if (now < latest_ns) {
			test_failure("cpu %u reads %lu ns after another read %lu", this_cpu()->id, now,
				     latest_ns);
			i = 2000;
		}
		latest_ns = now;
		__atomic_clear(&clock_lock, __ATOMIC_RELEASE);
	}
	sync();
}

static void own_timer(struct cpu *c)
{
	long port = event_bind_virq(VIRQ_TIMER, c->id);

	if (port <= 0) {
		test_failure("no timer on cpu %u: %ld", c->id, port);
	} else {
		CHECK_EQUAL(timer_set(clock_ns() + 2000000), 0);
		while (!event_count[port])
			wait_irq();
	}
	sync();
}

static void run(uint32_t id)
{
	struct cpu *c = this_cpu();

	apic_enable();
	CHECK_EQUAL(cpuid(1, 0).ebx >> 24, c->apic_id);
	CHECK_EQUAL(cpuid(0xb, 0).edx, c->apic_id);
	if (xen_base()) {
		CHECK_EQUAL(cpuid(xen_base() + 4, 0).ebx, id);
		CHECK_EQUAL(event_init_cpu(), 0);
	}
	sync();
	if (!id)
		print("smp4: %u vCPUs run\n", cpus);
	ipis(c);
	counters();
	if (!id)
		print("smp4: IPIs and counters done\n");
	if (!xen_base())
		return;
	irq_on();
	irq_off();
	events(c);
	halted(c);
	if (!id)
		print("smp4: events done\n");
	calls();
	one_clock();
	own_timer(c);
}

static void run_again(uint32_t id)
{
	restarted = id;
}

void test_main(void)
{
	uint64_t expected = option_number("vcpus=", 4), start;

	if (xen_base())
		CHECK_EQUAL(event_init(), 0);
	trap_hook(VECTOR_PING, eoi);
	trap_hook(VECTOR_SELF, eoi);
	trap_hook(VECTOR_ALL, eoi);
	cpus = smp_count();
	CHECK_EQUAL(cpus, expected);
	if (smp_start(run) != cpus) {
		test_failure("not all vCPUs start");
		return;
	}
	run(0);

	/* The last one is halted now, or soon; stop it and start it anew. */
	if (cpus > 1) {
		for (uint32_t i = 0; i < 1000; i++)
			relax();
		smp_restart(cpus - 1, run_again);
		start = rdtsc();
		while (!restarted && rdtsc() - start < 1000000000)
			relax();
		CHECK_EQUAL(restarted, cpus - 1);
	}
	test_note("(%u vCPUs)", cpus);
}
