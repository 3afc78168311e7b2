/* SPDX-License-Identifier: Apache-2.0 */
/* Local APIC registers, priorities and IPIs. */
#include "test_stubs.h"

static uint64_t rd(struct vcpu *v, uint32_t index)
{
	uint64_t value = 0;

	assert_true(msr_read(v, index, &value));
	return value;
}

static void priorities(void **state)
{
	struct vcpu *v = stub_domain(1)->vcpus[0];

	(void)state;
	lapic_raise(v, 0x35);
	assert_int_equal(stubs.kicks, 1);
	assert_int_equal(lapic_pending(v), 0x35);
	assert_int_equal(rd(v, 0x821), 1u << 0x15);          /* IRR 32 .. 63 */
	assert_true(msr_write(v, 0x808, 0x30));              /* TPR class 3 keeps class 3 out */
	assert_int_equal(lapic_pending(v), -1);
	lapic_raise(v, 0x41);
	assert_int_equal(lapic_pending(v), 0x41);
	lapic_accept(v, 0x41);
	assert_int_equal(rd(v, 0x812), 2);                   /* ISR 64 .. 95 */
	assert_int_equal(rd(v, 0x822), 0);
	assert_int_equal(rd(v, 0x80a), 0x40);
	lapic_raise(v, 0x4f);                                /* same class: must wait */
	assert_int_equal(lapic_pending(v), -1);
	lapic_raise(v, 0x50);
	assert_int_equal(lapic_pending(v), 0x50);
	lapic_accept(v, 0x50);
	assert_int_equal(rd(v, 0x80a), 0x50);
	stubs.kicks = 0;
	assert_true(msr_write(v, 0x80b, 0));                 /* EOI ends 0x50, not 0x41 */
	assert_int_equal(rd(v, 0x812), 2);
	assert_int_equal(stubs.kicks, 0);
	assert_true(msr_write(v, 0x80b, 0));
	assert_int_equal(rd(v, 0x80a), 0x30);
	assert_int_equal(lapic_pending(v), 0x4f);
	assert_int_equal(stubs.kicks, 1);
	assert_true(msr_write(v, 0x80b, 0));                 /* nothing in service: nothing happens */
	lapic_accept(v, 0x4f);
	assert_true(msr_write(v, 0x80b, 0));
	stubs.kicks = 0;
	assert_true(msr_write(v, 0x808, 0));                 /* lower TPR: 0x35 comes through */
	assert_int_equal(stubs.kicks, 1);
	assert_int_equal(lapic_pending(v), 0x35);
	assert_true(msr_write(v, 0x808, 0x3f));              /* PPR shows TPR's low bits only when it wins */
	assert_int_equal(rd(v, 0x80a), 0x3f);
	lapic_accept(v, 0x41);
	assert_int_equal(rd(v, 0x80a), 0x40);
}

static void registers(void **state)
{
	struct domain *d = stub_domain(16);
	struct vcpu *v = d->vcpus[15];
	uint64_t value;

	(void)state;
	assert_int_equal(rd(v, 0x802), 15);
	assert_int_equal(rd(v, 0x803), 0x50014);
	assert_int_equal(rd(v, 0x80d), 0x8000);
	for (uint32_t i = 0x832; i <= 0x837; i++)
		assert_int_equal(rd(v, i), 0x10000);
	assert_false(msr_read(v, 0x80b, &value));            /* write-only */
	assert_false(msr_read(v, 0x83f, &value));
	assert_false(msr_write(v, 0x802, 15));               /* read-only */
	assert_false(msr_write(v, 0x80d, 1));
	assert_false(msr_write(v, 0x810, 0));
	assert_false(msr_write(v, 0x839, 0));
	assert_false(msr_write(v, 0x80b, 1));                /* reserved bits */
	assert_false(msr_write(v, 0x808, 0x100));
	assert_false(msr_write(v, 0x808, 1ull << 32));
	assert_false(msr_write(v, 0x80f, 0x1000));
	assert_false(msr_write(v, 0x828, 1));
	assert_false(msr_write(v, 0x83e, 4));
	assert_false(msr_write(v, 0x83f, 0x100));
	assert_false(msr_write(v, 0x832, 0x100));
	assert_false(msr_write(v, 0x837, 0x400));
	assert_true(msr_write(v, 0x832, 0x600ec));
	assert_int_equal(rd(v, 0x832), 0x600ec);
	assert_true(msr_write(v, 0x835, 0x700));
	assert_true(msr_write(v, 0x838, 1000));
	assert_int_equal(rd(v, 0x838), 1000);
	assert_int_equal(rd(v, 0x839), 0);
	assert_true(msr_write(v, 0x83e, 0xb));
	assert_int_equal(rd(v, 0x83e), 0xb);
	/* Software disable masks every LVT entry and refuses vectors. */
	assert_true(msr_write(v, 0x80f, 0xff));
	assert_int_equal(rd(v, 0x832), 0x700ec);
	assert_true(msr_write(v, 0x835, 0x700));
	assert_int_equal(rd(v, 0x835), 0x10700);
	lapic_raise(v, 0x99);
	assert_int_equal(lapic_pending(v), -1);
}

static void error_status(void **state)
{
	struct vcpu *v = stub_domain(1)->vcpus[0];

	(void)state;
	assert_true(msr_write(v, 0x83f, 0x0f));              /* illegal vector */
	assert_int_equal(lapic_pending(v), -1);
	assert_int_equal(rd(v, 0x828), 0);                   /* not before it is latched */
	assert_true(msr_write(v, 0x828, 0));
	assert_int_equal(rd(v, 0x828), 0x20);
	assert_true(msr_write(v, 0x828, 0));
	assert_int_equal(rd(v, 0x828), 0);
	assert_true(msr_write(v, 0x830, 0x40005));
	assert_true(msr_write(v, 0x828, 0));
	assert_int_equal(rd(v, 0x828), 0x20);
}

/* Which vCPUs got vector 0x77, as a bit mask; takes it away again. */
static uint32_t got(struct domain *d)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < d->vcpu_count; i++)
		if (lapic_pending(d->vcpus[i]) == 0x77) {
			mask |= BIT(i);
			memset(d->vcpus[i]->lapic.irr, 0, sizeof(d->vcpus[i]->lapic.irr));
		}
	return mask;
}

static void destinations(void **state)
{
	struct domain *d = stub_domain(4);
	struct vcpu *v = d->vcpus[1];

	(void)state;
	assert_true(msr_write(v, 0x830, 2ull << 32 | 0x77));
	assert_int_equal(got(d), 4);
	assert_int_equal(stubs.kicked->number, 2);
	assert_int_equal(rd(v, 0x830), 2ull << 32 | 0x77);
	assert_true(msr_write(v, 0x830, 9ull << 32 | 0x77));         /* nobody */
	assert_int_equal(got(d), 0);
	assert_true(msr_write(v, 0x830, 0xffffffffull << 32 | 0x77));
	assert_int_equal(got(d), 0xf);
	assert_true(msr_write(v, 0x830, 0x5ull << 32 | 0x877));      /* logical: cluster 0, 0 and 2 */
	assert_int_equal(got(d), 5);
	assert_true(msr_write(v, 0x830, 0x1000full << 32 | 0x877));  /* cluster 1 */
	assert_int_equal(got(d), 0);
	assert_true(msr_write(v, 0x830, 0x40077));
	assert_int_equal(got(d), 2);
	assert_true(msr_write(v, 0x830, 0x80077));
	assert_int_equal(got(d), 0xf);
	assert_true(msr_write(v, 0x830, 0xc0077));
	assert_int_equal(got(d), 0xd);
	assert_true(msr_write(v, 0x83f, 0x77));
	assert_int_equal(got(d), 2);
}

static void modes(void **state)
{
	struct domain *d = stub_domain(3);
	struct vcpu *v = d->vcpus[0];

	(void)state;
	assert_false(msr_write(v, 0x830, 1ull << 32 | 0x177));       /* lowest priority */
	assert_false(msr_write(v, 0x830, 1ull << 32 | 0x200));       /* SMI */
	assert_false(msr_write(v, 0x830, 1ull << 32 | 0x300));
	assert_false(msr_write(v, 0x830, 1ull << 32 | 0x700));
	assert_false(msr_write(v, 0x830, 1ull << 32 | 0x100077));    /* reserved bit */
	assert_false(msr_write(v, 0x830, 0x40400));                  /* NMI to self */
	assert_false(msr_write(v, 0x830, 0x80500));                  /* INIT to all with self */
	assert_int_equal(stubs.stops, 0);
	assert_true(msr_write(v, 0x830, 0xc0400));                   /* NMI to all others */
	assert_false(d->vcpus[0]->nmi_raised);
	assert_true(d->vcpus[1]->nmi_raised && d->vcpus[2]->nmi_raised);
	assert_int_equal(stubs.kicks, 2);
	/* As Linux starts a CPU. */
	assert_true(msr_write(v, 0x830, 1ull << 32 | 0xc500));
	assert_int_equal(stubs.stops, 1);
	assert_int_equal(d->vcpus[1]->state, VCPU_DOWN);
	assert_true(d->vcpus[1]->wait_sipi);
	assert_true(msr_write(v, 0x830, 1ull << 32 | 0x8500));       /* de-assert: ignored */
	assert_int_equal(stubs.stops, 1);
	assert_true(msr_write(v, 0x830, 1ull << 32 | 0x699));
	assert_true(msr_write(v, 0x830, 1ull << 32 | 0x699));        /* the second SIPI changes nothing */
	assert_int_equal(stubs.starts, 1);
	assert_int_equal(stubs.start_how, START_SIPI);
	assert_int_equal(stubs.start_entry, 0x99);
	assert_int_equal(stubs.start_vcpu, d->vcpus[1]->handle);
	assert_ptr_equal(stubs.woken, d->vcpus[1]);
	assert_false(d->vcpus[1]->wait_sipi);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(priorities), cmocka_unit_test(registers), cmocka_unit_test(error_status),
		cmocka_unit_test(destinations), cmocka_unit_test(modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
