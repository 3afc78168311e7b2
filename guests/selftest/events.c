/* SPDX-License-Identifier: Apache-2.0 */
/* Event channels, clock, timer, and interrupts of the local APIC. */
#include "selftest.h"

#define MS 1000000ull

/* Lets whatever waits come in. */
static void take_events(void)
{
	irq_on();
	for (int i = 0; i < 10; i++)
		asm volatile("nop");
	irq_off();
}

static uint32_t port_vcpu(uint32_t port)
{
	struct {
		uint16_t domid, pad;
		uint32_t port, status, vcpu;
		uint64_t u;
	} status = { DOMID_SELF, 0, port, 0, 0, 0 };

	if (hypercall2(HC_event_channel_op, EVTCHN_status, &status))
		return ~0u;
	return status.status << 16 | status.vcpu;
}

static void check_channels(void)
{
	long ipi = event_bind_ipi(0), twin;
	uint32_t port = (uint32_t)ipi;
	struct {
		uint16_t domid, remote;
		uint32_t port;
	} unbound = { DOMID_SELF, DOMID_SELF, 0 };
	struct {
		uint16_t remote;
		uint32_t remote_port, port;
	} bind = { DOMID_SELF, 0, 0 };
	uint32_t bad = 4096;

	if (!CHECK(ipi > 0))
		return;
	CHECK_EQUAL(port_vcpu(port) >> 16, 5); /* an IPI */
	CHECK_EQUAL(event_send(port), 0);
	take_events();
	CHECK_EQUAL(event_count[port], 1);

	/* Masked: pending, not delivered; unmasking delivers. Twice is once. */
	event_mask(port);
	CHECK_EQUAL(event_send(port), 0);
	CHECK_EQUAL(event_send(port), 0);
	take_events();
	CHECK_EQUAL(event_count[port], 1);
	CHECK(shared_info.pending[port / 64] >> port % 64 & 1);
	CHECK_EQUAL(event_unmask(port), 0);
	take_events();
	CHECK_EQUAL(event_count[port], 2);

	/* Both ends in one domain */
	CHECK_EQUAL(hypercall2(HC_event_channel_op, EVTCHN_alloc_unbound, &unbound), 0);
	bind.remote_port = unbound.port;
	CHECK_EQUAL(hypercall2(HC_event_channel_op, EVTCHN_bind_interdomain, &bind), 0);
	CHECK(bind.port != unbound.port && bind.port > 0);
	event_bound(unbound.port, 0);
	event_bound(bind.port, 0);
	event_unmask(unbound.port);
	event_unmask(bind.port);
	take_events();
	event_count[unbound.port] = event_count[bind.port] = 0;
	CHECK_EQUAL(event_send(bind.port), 0);
	take_events();
	CHECK_EQUAL(event_count[unbound.port], 1);
	CHECK_EQUAL(event_send(unbound.port), 0);
	take_events();
	CHECK_EQUAL(event_count[bind.port], 1);
	CHECK_EQUAL(hypercall2(HC_event_channel_op, EVTCHN_close, &bind.port), 0);
	CHECK_EQUAL(event_send(bind.port), -XEN_EINVAL);
	CHECK_EQUAL(hypercall2(HC_event_channel_op, EVTCHN_close, &unbound.port), 0);

	CHECK_EQUAL(hypercall2(HC_event_channel_op, EVTCHN_close, &port), 0);
	CHECK_EQUAL(event_send(port), -XEN_EINVAL);
	CHECK_EQUAL(event_send(bad), -XEN_EINVAL);
	bad = 0;
	CHECK_EQUAL(event_send(bad), -XEN_EINVAL);
	CHECK((long)event_bind_ipi(1000) < 0);
	CHECK((long)event_bind_virq(1000, 0) < 0);
	/* A port that was closed is given out again */
	twin = event_bind_ipi(0);
	CHECK(twin > 0 && twin <= ipi);
	port = (uint32_t)twin;
	CHECK_EQUAL(hypercall2(HC_event_channel_op, EVTCHN_close, &port), 0);
	CHECK_EQUAL(hypercall2(HC_event_channel_op, 99, &port), -XEN_ENOSYS);
	CHECK_EQUAL(hypercall2(HC_event_channel_op, EVTCHN_send, 1ull << 40), -XEN_EFAULT);
}

static void check_clock(void)
{
	const volatile struct vcpu_time *t = &this_cpu()->info->time;
	uint64_t last = clock_ns(), now, tsc, ns, ticks;

	CHECK_EQUAL(t->version & 1, 0);
	CHECK(t->mul != 0);
	for (int i = 0; i < 2000; i++) {
		now = clock_ns();
		if (now < last) {
			test_failure("the clock went back from %lu to %lu ns", last, now);
			break;
		}
		last = now;
	}
	tsc = rdtsc();
	ns = clock_ns();
	while (rdtsc() - tsc < xen_tsc_khz() * 5ull)
		relax();
	ticks = rdtsc() - tsc;
	ns = clock_ns() - ns;
	/* ns against ticks / kHz, within one percent and a microsecond or so of code */
	CHECK(ns * 100 + 500000 > ticks * 1000000 / xen_tsc_khz() * 99);
	CHECK(ns * 100 < ticks * 1000000 / xen_tsc_khz() * 101 + 500000);
	CHECK_EQUAL(shared_info.wc_version & 1, 0);
	CHECK(shared_info.wc_sec > 1500000000u && shared_info.wc_nsec < 1000000000u);
}

static uint64_t timer_port_count(uint32_t port, uint64_t wait_ns)
{
	uint64_t end = clock_ns() + wait_ns;

	while (clock_ns() < end && !event_count[port]) {
		irq_on();
		relax();
		irq_off();
	}
	return event_count[port];
}

static void check_timer(void)
{
	long bound = event_bind_virq(VIRQ_TIMER, 0);
	uint32_t port = (uint32_t)bound;
	uint64_t start, end;
	struct {
		uint64_t ports;
		uint32_t count, pad;
		uint64_t timeout;
	} poll = { (uint64_t)&port, 1, 0, 0 };

	if (!CHECK(bound > 0))
		return;
	CHECK((long)event_bind_virq(VIRQ_TIMER, 0) < 0); /* once only */
	CHECK_EQUAL(hypercall3(HC_vcpu_op, VCPU_stop_periodic, 0, 0), 0);
	CHECK_EQUAL(hypercall3(HC_vcpu_op, VCPU_set_periodic, 1000, 0), -XEN_ENOENT);

	/* Halt until the timer */
	event_count[port] = 0;
	start = clock_ns();
	CHECK_EQUAL(timer_set(start + 3 * MS), 0);
	while (!event_count[port])
		wait_irq();
	end = clock_ns();
	CHECK_EQUAL(event_count[port], 1);
	CHECK(end >= start + 3 * MS);
	CHECK(end < start + 60 * MS);

	/* A deadline in the past fires at once */
	event_count[port] = 0;
	CHECK_EQUAL(timer_set(start), 0);
	CHECK_EQUAL(timer_port_count(port, 20 * MS), 1);

	/* A stopped one never does */
	event_count[port] = 0;
	CHECK_EQUAL(timer_set(clock_ns() + 2 * MS), 0);
	CHECK_EQUAL(hypercall3(HC_vcpu_op, VCPU_stop_singleshot, 0, 0), 0);
	CHECK_EQUAL(timer_port_count(port, 6 * MS), 0);

	/* While spinning; by the old call */
	CHECK_EQUAL(hypercall1(HC_set_timer_op, clock_ns() + MS), 0);
	CHECK_EQUAL(timer_port_count(port, 60 * MS), 1);
	event_count[port] = 0;
	CHECK_EQUAL(timer_set(clock_ns() + 60000 * MS), 0);
	CHECK_EQUAL(hypercall3(HC_vcpu_op, VCPU_set_singleshot, 0, 1ull << 40), -XEN_EFAULT);

	/* Poll: ends by its time-out, or at once for a pending port */
	event_mask(port);
	start = clock_ns();
	poll.timeout = start + 2 * MS;
	CHECK_EQUAL(hypercall2(HC_sched_op, SCHED_poll, &poll), 0);
	end = clock_ns();
	CHECK(end >= start + 2 * MS && end < start + 60 * MS);
	CHECK_EQUAL(timer_set(end), 0);
	poll.timeout = end + 30000 * MS;
	CHECK_EQUAL(hypercall2(HC_sched_op, SCHED_poll, &poll), 0);
	CHECK(clock_ns() < end + 1000 * MS);
	poll.count = 100000;
	CHECK_EQUAL(hypercall2(HC_sched_op, SCHED_poll, &poll), -XEN_EINVAL);
	hypercall3(HC_vcpu_op, VCPU_stop_singleshot, 0, 0);
}

static void end_of_interrupt(struct frame *f)
{
	(void)f;
	apic_eoi();
}

static void check_apic(void)
{
	struct cpu *c = this_cpu();
	uint64_t nmis = c->nmis;

	apic_enable();
	trap_hook(0x41, end_of_interrupt);
	trap_hook(0x61, end_of_interrupt);
	apic_write(APIC_self_ipi, 0x41);
	take_events();
	CHECK_EQUAL(c->irqs[0x41], 1);
	apic_ipi(0, 0x41);
	apic_write(APIC_icr, 0x40000 | 0x61); /* the "self" shorthand */
	take_events();
	CHECK_EQUAL(c->irqs[0x41], 2);
	CHECK_EQUAL(c->irqs[0x61], 1);

	/* The task priority holds back, and lets go */
	apic_write(APIC_tpr, 0x50);
	apic_write(APIC_self_ipi, 0x41);
	apic_write(APIC_self_ipi, 0x61);
	take_events();
	CHECK_EQUAL(c->irqs[0x41], 2);
	CHECK_EQUAL(c->irqs[0x61], 2);
	CHECK(apic_read(0x20 + 0x41 / 32) & 1u << 0x41 % 32); /* requested */
	write_cr8(0);
	take_events();
	CHECK_EQUAL(c->irqs[0x41], 3);
	CHECK(!(apic_read(0x10 + 0x41 / 32) & 1u << 0x41 % 32)); /* not in service */

	CHECK_EQUAL(hypercall3(HC_vcpu_op, VCPU_send_nmi, 0, 0), 0);
	for (int i = 0; i < 10; i++)
		asm volatile("nop");
	CHECK_EQUAL(c->nmis, nmis + 1);
	apic_ipi(0, ICR_NMI);
	for (int i = 0; i < 10; i++)
		asm volatile("nop");
	CHECK_EQUAL(c->nmis, nmis + 2);
}

void check_events(void)
{
	CHECK_EQUAL(event_init(), 0);
	CHECK_EQUAL(event_init_cpu(), 0);
	CHECK_EQUAL(event_init_cpu(), -XEN_EINVAL);
	take_events(); /* registration makes everything look pending */
	check_channels();
	check_clock();
	check_timer();
	check_apic();
}
