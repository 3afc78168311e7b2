/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which interrupts are posted, and INIT/SIPI against a running vCPU. */
#include "test_stubs.h"

#define VECTOR_CALLBACK(n) (2ull << 56 | (n))

static void nothing_waits(void **state)
{
	struct vcpu *v = stub_domain(1)->vcpus[0];

	(void)state;
	assert_false(arch_vcpu_irq_pending(v));
	arch_vcpu_deliver(v);
	assert_int_equal(stubs.interrupts + stubs.nmis, 0);
}

static void order(void **state)
{
	struct domain *d = stub_domain(1);
	struct vcpu *v = d->vcpus[0];

	(void)state;
	d->params[0] = VECTOR_CALLBACK(0xf3);
	stubs.upcall_pending = true;
	v->callback_raised = true;
	v->nmi_raised = true;
	lapic_raise(v, 0xf6);
	assert_true(arch_vcpu_irq_pending(v));
	arch_vcpu_deliver(v);
	assert_int_equal(stubs.nmis, 1);
	assert_int_equal(stubs.interrupts, 1);
	assert_int_equal(stubs.vector, 0xf3);
	assert_false(v->callback_raised);
	/* 0xf6 waits until the window opens, and stays requested. */
	assert_true(arch_vcpu_irq_pending(v));
	assert_int_equal(v->lapic.isr[7], 0);
	stubs.interrupt_busy = false;
	arch_vcpu_deliver(v);
	assert_int_equal(stubs.vector, 0xf6);
	assert_int_equal(v->lapic.isr[7], 1u << 22);
	assert_false(arch_vcpu_irq_pending(v));
}

static void busy_keeps_the_callback(void **state)
{
	struct domain *d = stub_domain(1);
	struct vcpu *v = d->vcpus[0];

	(void)state;
	d->params[0] = VECTOR_CALLBACK(0xf3);
	stubs.upcall_pending = true;
	v->callback_raised = true;
	stubs.interrupt_busy = true;
	arch_vcpu_deliver(v);
	assert_int_equal(stubs.interrupts, 0);
	assert_true(v->callback_raised);
	assert_true(arch_vcpu_irq_pending(v));
}

static void callback_needs_a_vector_and_an_upcall(void **state)
{
	struct domain *d = stub_domain(1);
	struct vcpu *v = d->vcpus[0];

	(void)state;
	v->callback_raised = true;
	stubs.upcall_pending = true;
	d->params[0] = 1ull << 56 | 0xf3;                  /* a PCI interrupt: not provided */
	assert_false(arch_vcpu_irq_pending(v));
	d->params[0] = VECTOR_CALLBACK(0xf3);
	stubs.upcall_pending = false;                      /* the guest has seen it by itself */
	assert_false(arch_vcpu_irq_pending(v));
	arch_vcpu_deliver(v);
	assert_int_equal(stubs.interrupts, 0);
}

static void per_vcpu_vector_goes_through_the_apic(void **state)
{
	struct domain *d = stub_domain(1);
	struct vcpu *v = d->vcpus[0];

	(void)state;
	d->params[0] = VECTOR_CALLBACK(0xf3);
	v->callback_vector = 0x55;
	v->callback_raised = true;
	stubs.upcall_pending = true;
	arch_vcpu_deliver(v);
	assert_int_equal(stubs.vector, 0x55);
	assert_int_equal(v->lapic.isr[2], 1u << 21);
	assert_false(v->callback_raised);
}

static void halted_with_interrupts_off(void **state)
{
	struct vcpu *v = stub_domain(1)->vcpus[0];

	(void)state;
	v->halted_irqs_off = true;
	lapic_raise(v, 0x80);
	assert_false(arch_vcpu_irq_pending(v));
	v->nmi_raised = true;
	assert_true(arch_vcpu_irq_pending(v));
	v->wait_sipi = true;
	assert_false(arch_vcpu_irq_pending(v));
}

static void sipi_waits_for_a_slow_stop(void **state)
{
	struct domain *d = stub_domain(2);
	struct vcpu *v = d->vcpus[1];

	(void)state;
	v->state = VCPU_RUNNING;
	stubs.stop_is_slow = true;
	vcpu_reset_wait_sipi(v);
	vcpu_start_sipi(v, 0x42);
	assert_int_equal(stubs.starts, 0);
	assert_true(v->wait_sipi);
	v->stopping = false;
	arch_vcpu_stopped(v);
	assert_int_equal(stubs.starts, 1);
	assert_int_equal(stubs.start_entry, 0x42);
	assert_int_equal(stubs.halted_checks, 0);
	/* And a SIPI without an INIT before it is nothing. */
	vcpu_start_sipi(v, 0x43);
	assert_int_equal(stubs.starts, 1);
}

static void init_without_sipi_may_end_the_domain(void **state)
{
	struct domain *d = stub_domain(2);

	(void)state;
	vcpu_reset_wait_sipi(d->vcpus[1]);
	assert_int_equal(stubs.halted_checks, 1);
	d->vcpus[1]->state = VCPU_DEAD;
	vcpu_start_sipi(d->vcpus[1], 1);
	vcpu_reset_wait_sipi(d->vcpus[1]);
	assert_int_equal(stubs.starts, 0);
	assert_int_equal(stubs.stops, 1);
}

static void init_resets_the_apic(void **state)
{
	struct domain *d = stub_domain(2);
	struct vcpu *v = d->vcpus[1];

	(void)state;
	lapic_raise(v, 0x80);
	v->lapic.tpr = 0x20;
	v->nmi_raised = true;
	vcpu_reset_wait_sipi(v);
	assert_int_equal(lapic_pending(v), -1);
	assert_int_equal(v->lapic.tpr, 0);
	assert_int_equal(v->lapic.svr, 0xff);
	assert_true(v->lapic.base == 0xfee00c00);
	assert_false(v->nmi_raised);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_waits),
		cmocka_unit_test(order),
		cmocka_unit_test(busy_keeps_the_callback),
		cmocka_unit_test(callback_needs_a_vector_and_an_upcall),
		cmocka_unit_test(per_vcpu_vector_goes_through_the_apic),
		cmocka_unit_test(halted_with_interrupts_off),
		cmocka_unit_test(sipi_waits_for_a_slow_stop),
		cmocka_unit_test(init_without_sipi_may_end_the_domain),
		cmocka_unit_test(init_resets_the_apic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
