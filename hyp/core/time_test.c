/* SPDX-License-Identifier: Apache-2.0 */
/* Clock arithmetic at many rates, and what guests are given to do it themselves. */
#include "unit.h"

static const uint32_t rates[] = {
	1000, 10000, 50000, 499999, 999999, 1000000, 1000001, 2893437, 4000000, 7999999,
};

/* What a guest computes, from Xen's description of the fields. */
static uint64_t guest_ns(const struct vcpu_time_info *t, uint64_t tsc)
{
	uint64_t delta = tsc - t->tsc_timestamp;

	delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
	return t->system_time + (uint64_t)(((unsigned __int128)delta * t->tsc_to_system_mul) >> 32);
}

static void at_rate(uint32_t khz)
{
	struct boot_info info = { .tsc_khz = khz, .boot_tsc = 123456789, .wallclock = 0x123456789ull };

	time_init(&info);
}

static void the_guest_agrees_to_the_nanosecond(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct vcpu_time_info t;
		struct domain *d;

		fake_reset(1);
		at_rate(rates[i]);
		d = fake_domain(1, 1, 256, false);
		t = domain_shared(d)->vcpu_info[0].time;
		assert_int_equal(t.version & 1, 0);
		assert_int_not_equal(t.version, 0);
		assert_int_equal(t.flags, PVCLOCK_TSC_STABLE);
		/* Good to a few parts in a thousand million over a day. */
		uint64_t day = 123456789 + (uint64_t)rates[i] * 1000 * 86400;
		uint64_t ns = time_ns(day);

		assert_in_range(ns, 86400000000000ull - 200000, 86400000000000ull);
		for (uint64_t tsc = 123456789; tsc < day; tsc += day / 1000)
			assert_int_equal(guest_ns(&t, tsc), time_ns(tsc));
	}
}

static void timers_never_fire_early(void **state)
{
	(void)state;
	fake_reset(1);
	for (uint32_t i = 0; i < ARRAY_SIZE(rates); i++) {
		uint64_t ns = 1;

		at_rate(rates[i]);
		assert_int_equal(time_tsc(0), 123456789);
		for (uint32_t n = 0; n < 2000; n++, ns = ns * 21 / 20 + 7) {
			uint64_t tsc = time_tsc(ns);

			if (tsc == NEVER)
				break;
			assert_true(time_ns(tsc) >= ns);
			assert_true(time_ns(tsc - 1) < ns);
		}
		assert_int_equal(time_tsc(~0ull), NEVER);
	}
}

static void wallclock(void **state)
{
	struct shared_info *s;

	(void)state;
	fake_reset(1);
	at_rate(1000000);
	s = domain_shared(fake_domain(1, 1, 256, false));
	assert_int_equal(s->wc_sec, 0x23456789);
	assert_int_equal(s->wc_sec_hi, 1);
	assert_int_equal(s->wc_version & 1, 0);
}

static void versions_move_on(void **state)
{
	struct domain *d;
	uint32_t before;

	(void)state;
	fake_reset(1);
	d = fake_domain(1, 1, 256, false);
	before = domain_shared(d)->vcpu_info[0].time.version;
	time_update_vcpu(d->vcpus[0]);
	assert_int_equal(domain_shared(d)->vcpu_info[0].time.version, before + 2);
}

static void set_timer_op(void **state)
{
	struct domain *d;

	(void)state;
	fake_reset(1);
	d = fake_domain(1, 1, 256, false);
	assert_int_equal(fake_hypercall(SET_TIMER, 5000, 0, 0), 0);
	assert_int_equal(d->vcpus[0]->timer, 6000);
	assert_int_equal(fake.cpus[0].deadline, 6000);
	assert_int_equal(fake_hypercall(SET_TIMER, 0, 0, 0), 0);
	assert_int_equal(fake.cpus[0].deadline, NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_guest_agrees_to_the_nanosecond),
		cmocka_unit_test(timers_never_fire_early),
		cmocka_unit_test(wallclock),
		cmocka_unit_test(versions_move_on),
		cmocka_unit_test(set_timer_op),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
