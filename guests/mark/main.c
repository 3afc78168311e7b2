/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For counting ticks: XCHG BX, BX, on which Bochs stops its stop-watch, at the
 * entry and after some work of every kind that exits.
 */
#include "guest.h"

const char test_name[] = "mark";

static void mark(void)
{
	asm volatile("xchg %%bx, %%bx" : : : "memory");
}

void test_main(void)
{
	uint64_t value;
	long port;

	mark();
	event_init();
	event_init_cpu();
	port = event_bind_virq(VIRQ_TIMER, 0);
	for (uint32_t i = 0; i < 20; i++) {
		event_count[port] = 0;
		timer_set(clock_ns() + 1000000);
		while (!event_count[port])
			wait_irq();
		for (uint32_t j = 0; j < 200; j++) {
			xen_get_param(PARAM_console_port, &value);
			cpuid(j, 0);
			in8((uint16_t)j);
			rdmsr_try(j, &value);
		}
		print("mark: round %u at %lu ns\n", i, clock_ns());
	}
	mark();
}
