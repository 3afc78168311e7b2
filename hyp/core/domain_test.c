/* SPDX-License-Identifier: Apache-2.0 */
/* A domain's life: built, ended in every way, its memory back, the machine's end; and the options. */
#include "unit.h"

static int setup(void **state)
{
	(void)state;
	fake_reset(2);
	return 0;
}

/* Timer events until nothing is left to reap or the machine is off. */
static void reap_all(void)
{
	for (uint32_t i = 0; i < 10000 && reap_pending; i++) {
		fake_deliver_kicks();
		fake.now += 2000000;
		for (uint32_t cpu = 0; cpu < cpu_count && reap_pending; cpu++) {
			if (fake.cpus[cpu].deadline <= fake.now)
				fake_event(cpu, EVENT_TIMER);
		}
	}
	assert_false(reap_pending);
}

static void shutdown_by(uint32_t cpu, uint32_t reason)
{
	fake_cpu(cpu);
	assert_int_equal(CALL(SCHED_OP, SCHEDOP_shutdown, reason), 0);
	fake_deliver_kicks();
}

static void memory_comes_back_while_others_go_on(void **state)
{
	struct domain *other;

	(void)state;
	fake_domain(1, 1, 256, false);
	other = fake_domain(2, 1, 256, false);
	shutdown_by(0, SHUTDOWN_poweroff);
	reap_all();
	assert_false(domains[1].live);
	assert_false(fake.domains[1].exists);
	assert_int_equal(fake.free_frames, 1000000 - 256 - 2);
	assert_int_equal(other->vcpus[0]->state, VCPU_RUNNING);
	assert_non_null(strstr(fake.console,
			       "ravelin: domain dom1: powered off; memory scrubbed and returned: 1 MiB\r\n"));
	assert_int_equal(fake.power_off, -1);
	/* And the CPU sleeps again. */
	assert_int_equal(fake.cpus[0].deadline, NEVER);
}

static void a_crash_is_reported_with_its_reason(void **state)
{
	(void)state;
	fake_domain(1, 1, 256, false);
	fake_domain(2, 1, 256, false);
	core_lock();
	domain_crash(&domains[1], "vcpu%u: exit %u", 0, 77);
	domain_crash(&domains[1], "again"); /* once is enough */
	core_unlock();
	reap_all();
	assert_non_null(strstr(fake.console,
			       "domain dom1: crashed: vcpu0: exit 77; memory scrubbed and returned: 1 MiB"));
	assert_null(strstr(fake.console, "again"));
}

static void a_domain_running_elsewhere_is_kicked_first(void **state)
{
	(void)state;
	fake_domain(1, 1, 256, false);
	fake_domain(2, 1, 256, false);
	fake_cpu(0);
	assert_ptr_equal(cpus[1].current->domain, &domains[2]);
	core_lock();
	domain_crash(&domains[2], "test");
	/* Its memory must stay as long as CPU 1 runs it. */
	for (uint32_t i = 0; i < 10; i++)
		assert_true(domain_reap());
	assert_true(fake.domains[2].exists);
	core_unlock();
	assert_true(fake.cpus[1].kick_pending);
	reap_all();
	assert_false(fake.domains[2].exists);
}

static void the_last_one_switches_off(void **state)
{
	(void)state;
	fake_domain(1, 1, 256, false);
	fake_cpu(0);
	core_lock();
	domain_shutdown(&domains[1], SHUTDOWN_poweroff);
	core_unlock();
	fake_deliver_kicks();
	expect_assert_failure(reap_all());
	assert_int_equal(fake.power_off, 0);
	assert_non_null(strstr(fake.console, ": ok\r\nravelin: power off, status 0\r\n"));
}

static void status_of(bool crash, bool crash_ok, uint64_t broken, uint64_t leak, int expected)
{
	fake_reset(1);
	fake_domain(1, 1, 256, false);
	options.crash_ok = crash_ok;
	fake.audit.broken[3] = broken;
	fake.free_frames -= leak;
	core_lock();
	if (crash)
		domain_crash(&domains[1], "test");
	else
		domain_shutdown(&domains[1], SHUTDOWN_poweroff);
	core_unlock();
	fake_deliver_kicks();
	expect_assert_failure(reap_all());
	assert_int_equal(fake.power_off, expected);
}

static void the_status_tells(void **state)
{
	(void)state;
	/* A failure of one test must not count in the next: domains_start resets it, as the boot does. */
	struct pack_header header = { .domain_count = 0 };
	struct manifest none = { .header = &header };

	fake_reset(1);
	domains_start(&none);
	status_of(false, false, 0, 0, 0);
	status_of(false, false, 1, 0, 1);
	status_of(false, false, 0, 1, 1);
	status_of(true, true, 0, 0, 0);
	domains_start(&none);
	status_of(true, false, 0, 0, 1);
	domains_start(&none);
}

static void shared_pages_stay_with_the_core(void **state)
{
	struct pack_header header = { .domain_count = 0 };
	struct manifest none = { .header = &header };

	(void)state;
	fake.audit.core_reach = 100;
	domains_start(&none);
	fake_domain(1, 1, 256, false);
	fake.audit.core_reach = 102;
	fake.free_frames -= 2;
	core_lock();
	domain_shutdown(&domains[1], SHUTDOWN_poweroff);
	core_unlock();
	fake_deliver_kicks();
	expect_assert_failure(reap_all());
	assert_int_equal(fake.power_off, 0);
	fake.audit.core_reach = 0;
	domains_start(&none);
}

static void a_reboot_starts_it_again(void **state)
{
	(void)state;
	fake_domain(1, 2, 256, false);
	shutdown_by(0, SHUTDOWN_reboot);
	reap_all();
	assert_true(domains[1].live);
	assert_false(domains[1].dying);
	assert_int_equal(domains[1].vcpus[0]->state, VCPU_RUNNING);
	assert_int_equal(domains[1].vcpus[1]->state, VCPU_DOWN);
	assert_int_equal(fake.power_off, -1);
}

static void unless_the_option_says_no(void **state)
{
	(void)state;
	options.reboot_off = true;
	fake_domain(1, 1, 256, false);
	fake_domain(2, 1, 256, false);
	shutdown_by(0, SHUTDOWN_reboot);
	reap_all();
	assert_false(domains[1].live);
}

static void all_halted_is_power_off(void **state)
{
	struct domain *d = fake_domain(1, 2, 256, false);

	(void)state;
	fake_domain(2, 1, 256, false);
	fake_cpu(0);
	core_lock();
	vcpu_wake(d->vcpus[1]);
	core_unlock();
	fake_deliver_kicks();
	core_lock();
	for (uint32_t i = 0; i < 2; i++) {
		struct vcpu *v = d->vcpus[i];

		fake_cpu(v->cpu);
		domain_check_halted(d);
		assert_false(d->dying);
		v->halted_irqs_off = true;
		if (v->state == VCPU_RUNNABLE) {
			vcpu_yield(cpus[v->cpu].current);
			sched_tail(&cpus[v->cpu]);
			v->halted_irqs_off = true;
		}
		vcpu_block(v);
		assert_int_equal(v->state, VCPU_BLOCKED);
		sched_tail(&cpus[v->cpu]);
	}
	domain_check_halted(d);
	assert_true(d->dying);
	assert_int_equal(d->shutdown_reason, SHUTDOWN_poweroff);
	assert_false(d->crashed);
	core_unlock();
}

static void a_failed_build_leaves_nothing(void **state)
{
	static struct pack_domain p = { .name = "bad", .vcpus = 2, .memory = 1 << 20, .weight = 256 };
	static const struct manifest none;

	(void)state;
	for (uint32_t how = 0; how < 3; how++) {
		fake.fail_load = how == 0;
		fake.fail_share = how == 1;
		if (how == 2)
			p.memory = 1ull << 40;
		core_lock();
		assert_int_not_equal(domain_build(&none, &p, 3), 0);
		core_unlock();
		assert_false(domains[3].live);
		assert_false(fake.domains[3].exists);
		assert_int_equal(fake.free_frames, 1000000);
	}
	assert_non_null(strstr(fake.console, "domain bad: not started: "));
}

static void notes_fall_silent(void **state)
{
	struct domain *d = fake_domain(1, 1, 256, false);
	uint32_t lines = 0;

	(void)state;
	fake.console_length = 0;
	core_lock();
	for (uint32_t i = 0; i < 1000; i++)
		domain_note(d, "nonsense %u", i);
	core_unlock();
	for (const char *p = fake.console; (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, 8);
	fake.now += 5000000000ull;
	fake.console_length = 0;
	core_lock();
	domain_note(d, "later");
	core_unlock();
	assert_non_null(strstr(fake.console, "later"));
}

static void options_are_words(void **state)
{
	struct options o;
	char bad[16];

	(void)state;
	assert_null(options_parse(&o, "", bad, sizeof(bad)));
	assert_false(o.audit || o.crash_ok || o.no_prefix || o.reboot_off);
	assert_null(options_parse(&o, "  audit  crash-ok", bad, sizeof(bad)));
	assert_true(o.audit && o.crash_ok && !o.no_prefix && !o.reboot_off);
	assert_null(options_parse(&o, "reboot=off no-prefix ", bad, sizeof(bad)));
	assert_true(o.no_prefix && o.reboot_off && !o.audit);
	assert_false(o.altp2m_off);
	assert_string_equal(o.altp2m_policy->name, "xen");
	assert_null(options_parse(&o, "altp2m=off altp2m-policy=narrow", bad, sizeof(bad)));
	assert_true(o.altp2m_off);
	assert_string_equal(o.altp2m_policy->name, "narrow");
	assert_string_equal(options_parse(&o, "altp2m-policy=", bad, sizeof(bad)), "altp2m-policy=");
	assert_string_equal(options_parse(&o, "altp2m-policy=narrower", bad, sizeof(bad)), "altp2m-policy=n");
	assert_string_equal(options_parse(&o, "altp2m=on", bad, sizeof(bad)), "altp2m=on");
	assert_string_equal(options_parse(&o, "audit audi", bad, sizeof(bad)), "audi");
	assert_string_equal(options_parse(&o, "auditor", bad, sizeof(bad)), "auditor");
	assert_string_equal(options_parse(&o, "abcdefghijklmnopqrst", bad, sizeof(bad)), "abcdefghijklmno");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(memory_comes_back_while_others_go_on, setup),
		cmocka_unit_test_setup(a_crash_is_reported_with_its_reason, setup),
		cmocka_unit_test_setup(a_domain_running_elsewhere_is_kicked_first, setup),
		cmocka_unit_test_setup(the_status_tells, setup),
		cmocka_unit_test_setup(the_last_one_switches_off, setup),
		cmocka_unit_test_setup(shared_pages_stay_with_the_core, setup),
		cmocka_unit_test_setup(a_reboot_starts_it_again, setup),
		cmocka_unit_test_setup(unless_the_option_says_no, setup),
		cmocka_unit_test_setup(all_halted_is_power_off, setup),
		cmocka_unit_test_setup(a_failed_build_leaves_nothing, setup),
		cmocka_unit_test_setup(notes_fall_silent, setup),
		cmocka_unit_test_setup(options_are_words, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
