/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the ways into the hypervisor cost, by RDTSC around one of each. Prints
 * "BENCH <name> <median> min <n> max <n>" in ticks; `rdtsc` is the measuring
 * itself, which is contained in all the others.
 */
#include "guest.h"

const char test_name[] = "bench";

#define RUNS 2001

static uint64_t ticks[RUNS];
static uint32_t port, timer_port;
static struct xen_param param = { .domid = DOMID_SELF, .index = PARAM_console_gfn };
static uint8_t version_text[1024];

static void nothing(void)
{
}

static void null_hypercall(void)
{
	hypercall2(HC_xen_version, 0, 0);
}

static void unknown_hypercall(void)
{
	hypercall1(63, 0);
}

static void cpuid_exit(void)
{
	cpuid(0, 0);
}

static void cpuid_xen(void)
{
	cpuid(0x40000004, 0);
}

static void copy_in_out(void)
{
	hypercall2(HC_hvm_op, HVM_get_param, &param);
}

static void copy_1k(void)
{
	hypercall2(HC_xen_version, 3, version_text);
}

static void msr_exit(void)
{
	rdmsr(0x1b);
}

static void port_exit(void)
{
	in8(0x60);
}

static void send_masked(void)
{
	event_send(port);
}

static void set_timer(void)
{
	timer_set(1ull << 60);
}

static void yield(void)
{
	hypercall2(HC_sched_op, SCHED_yield, 0);
}

/* From send to the handler's return: an upcall to oneself. */
static void send_to_self(void)
{
	irq_on();
	event_send(port);
	asm volatile("nop");
	irq_off();
}

static void self_ipi(void)
{
	irq_on();
	apic_write(APIC_self_ipi, 0x41);
	asm volatile("nop");
	irq_off();
}

static void eoi(struct frame *f)
{
	(void)f;
	apic_eoi();
}

#define MEASURE(name, body)                                                                                  \
	static __attribute__((noinline)) void measure_##body(void)                                           \
	{                                                                                                    \
		for (uint32_t i = 0; i < RUNS; i++) {                                                        \
			uint64_t start = rdtsc();                                                            \
			body();                                                                              \
			ticks[i] = rdtsc() - start;                                                          \
		}                                                                                            \
		sort_u64(ticks, RUNS);                                                                       \
		print("BENCH %s %lu min %lu max %lu\n", name, ticks[RUNS / 2], ticks[0], ticks[RUNS - 1]);   \
	}
MEASURE("rdtsc", nothing)
MEASURE("hypercall_null", null_hypercall)
MEASURE("hypercall_unknown", unknown_hypercall)
MEASURE("cpuid_exit", cpuid_exit)
MEASURE("cpuid_xen_leaf", cpuid_xen)
MEASURE("hypercall_copy_16", copy_in_out)
MEASURE("hypercall_copy_1024", copy_1k)
MEASURE("msr_exit", msr_exit)
MEASURE("port_exit", port_exit)
MEASURE("event_send_masked", send_masked)
MEASURE("event_to_self", send_to_self)
MEASURE("self_ipi", self_ipi)
MEASURE("timer_set", set_timer)
MEASURE("yield", yield)

void test_main(void)
{
	long bound;

	if (!xen_base()) {
		measure_nothing();
		measure_cpuid_exit();
		test_skip("the rest needs Xen's ABI");
		return;
	}
	measure_nothing();
	measure_null_hypercall();
	measure_unknown_hypercall();
	measure_cpuid_exit();
	measure_cpuid_xen();
	measure_copy_in_out();
	measure_copy_1k();
	measure_msr_exit();
	measure_port_exit();
	if (event_init() || event_init_cpu()) {
		test_error("no event channels");
		return;
	}
	irq_on();
	irq_off();
	bound = event_bind_ipi(0);
	port = (uint32_t)bound;
	event_mask(port);
	measure_send_masked();
	event_unmask(port);
	irq_on();
	irq_off();
	measure_send_to_self();
	trap_hook(0x41, eoi);
	apic_enable();
	measure_self_ipi();
	timer_port = (uint32_t)event_bind_virq(VIRQ_TIMER, 0);
	event_mask(timer_port);
	measure_set_timer();
	measure_yield();
}
