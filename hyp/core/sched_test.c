/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler, driven by simulated time: shares, wake-ups, timers and what must
 * hold after any step. One tick is a nanosecond here.
 */
#include "unit.h"

#define MS 1000000ull

static uint64_t random_state = 88172645463325252ull;

static uint32_t random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % n;
}

/* Lets time pass until `end`: every CPU gets its timer events when they are due. */
static void run_until(uint64_t end)
{
	for (;;) {
		uint64_t next = end;
		uint32_t cpu = cpu_count;

		for (uint32_t i = 0; i < cpu_count; i++) {
			if (fake.cpus[i].deadline < next) {
				next = fake.cpus[i].deadline;
				cpu = i;
			}
		}
		if (fake.now < next)
			fake.now = next;
		if (cpu == cpu_count)
			return;
		fake_event(cpu, EVENT_TIMER);
		fake_deliver_kicks();
	}
}

static uint64_t ran(struct vcpu *v)
{
	return v->run_ticks + (cpus[v->cpu].current == v ? fake.now - v->ran_since : 0);
}

static void assert_share(struct vcpu *v, uint64_t total, uint64_t permille)
{
	uint64_t share = ran(v) * 1000 / total;

	if (share + 20 < permille || share > permille + 20)
		fail_msg("vCPU %u got %lu permille of a CPU, not %lu", v->handle, share, permille);
}

static void weights_share_one_cpu(void **state)
{
	static const uint32_t weight[] = { 256, 512, 128, 1024 };
	const uint64_t total = 20000 * MS;
	struct domain *d[4];
	uint32_t sum = 0;

	(void)state;
	fake_reset(1);
	for (uint32_t i = 0; i < 4; i++) {
		d[i] = fake_domain(i, 1, weight[i], false);
		sum += weight[i];
	}
	run_until(fake.now + total);
	for (uint32_t i = 0; i < 4; i++)
		assert_share(d[i]->vcpus[0], total, weight[i] * 1000 / sum);
}

static void three_share_two_cpus(void **state)
{
	const uint64_t total = 20000 * MS;
	struct domain *d[3];

	(void)state;
	fake_reset(2);
	for (uint32_t i = 0; i < 3; i++)
		d[i] = fake_domain(i, 1, 256, false);
	run_until(fake.now + total);
	for (uint32_t i = 0; i < 3; i++)
		assert_share(d[i]->vcpus[0], total, 667);
}

static void weights_share_many_cpus(void **state)
{
	const uint64_t total = 20000 * MS;
	struct domain *d[12];

	(void)state;
	fake_reset(4);
	for (uint32_t i = 0; i < 12; i++)
		d[i] = fake_domain(i, 1, i < 6 ? 256 : 512, false);
	run_until(fake.now + total);
	/* 4 CPUs over 6 * 1 + 6 * 2 shares. */
	for (uint32_t i = 0; i < 12; i++)
		assert_share(d[i]->vcpus[0], total, i < 6 ? 222 : 444);
}

static void alone_means_no_timer(void **state)
{
	(void)state;
	fake_reset(2);
	fake_domain(1, 1, 256, false);
	assert_non_null(cpus[0].current);
	assert_int_equal(fake.cpus[0].deadline, NEVER);
	assert_int_equal(fake.cpus[1].vcpu, VCPU_NONE);
	assert_int_equal(fake.cpus[1].deadline, NEVER);
}

static void the_second_takes_the_idle_cpu(void **state)
{
	(void)state;
	fake_reset(2);
	fake_domain(1, 1, 256, false);
	fake_domain(2, 1, 256, false);
	assert_non_null(cpus[0].current);
	assert_non_null(cpus[1].current);
	assert_int_equal(fake.cpus[0].deadline, NEVER);
	assert_int_equal(fake.cpus[1].deadline, NEVER);
}

static void a_crowd_starts_the_slice(void **state)
{
	struct domain *d;

	(void)state;
	fake_reset(1);
	fake_domain(1, 1, 256, false);
	d = fake_domain(2, 1, 256, false);
	assert_true(fake.cpus[0].deadline <= fake.now + 10 * MS);
	/* And it ends when the crowd has gone. */
	core_lock();
	domain_shutdown(d, SHUTDOWN_poweroff);
	core_unlock();
	fake_deliver_kicks();
	run_until(fake.now + 100 * MS);
	assert_int_equal(fake.cpus[0].deadline, NEVER);
}

static long set_timer(uint64_t tsc)
{
	struct vcpu_set_singleshot_timer op = { .timeout_abs_ns = tsc - 1000 };

	fake_put(ARG, &op, sizeof(op));
	return fake_hypercall(VCPU_OP, VCPUOP_set_singleshot_timer, this_cpu()->current->number, ARG);
}

static uint32_t bind_timer(uint32_t vcpu)
{
	struct evtchn_bind_virq bind = { .virq = VIRQ_TIMER, .vcpu = vcpu };

	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_virq, bind), 0);
	RESULT(bind);
	return bind.port;
}

static void the_timer_ends_a_sleep(void **state)
{
	struct domain *d;
	struct vcpu *v;
	uint64_t at;

	(void)state;
	fake_reset(1);
	d = fake_domain(1, 1, 256, false);
	v = d->vcpus[0];
	bind_timer(0);
	at = fake.now + 5 * MS;
	assert_int_equal(set_timer(at), 0);
	assert_int_equal(fake.cpus[0].deadline, at);
	assert_int_equal(fake_hypercall(SCHED_OP, SCHEDOP_block, 0, 0), 0);
	assert_int_equal(fake.cpus[0].vcpu, VCPU_NONE);
	assert_int_equal(fake.cpus[0].deadline, at);
	run_until(at + 1);
	assert_ptr_equal(cpus[0].current, v);
	assert_int_equal(fake.vcpus[v->handle].interrupts, 1);
	assert_int_equal(fake.cpus[0].deadline, NEVER);
	/* One in the past fires before the call returns. */
	domain_shared(d)->evtchn_pending[0] = 0;
	domain_shared(d)->vcpu_info[0].pending_sel = 0;
	domain_shared(d)->vcpu_info[0].upcall = 0;
	assert_int_equal(set_timer(fake.now - 1), 0);
	assert_int_equal(fake.vcpus[v->handle].interrupts, 2);
}

static void a_stopped_timer_stays_silent(void **state)
{
	struct domain *d;

	(void)state;
	fake_reset(1);
	d = fake_domain(1, 1, 256, false);
	bind_timer(0);
	set_timer(fake.now + 5 * MS);
	assert_int_equal(fake_hypercall(VCPU_OP, VCPUOP_stop_singleshot_timer, 0, 0), 0);
	assert_int_equal(fake.cpus[0].deadline, NEVER);
	run_until(fake.now + 50 * MS);
	assert_int_equal(fake.vcpus[d->vcpus[0]->handle].interrupts, 0);
}

static void an_event_during_block_wins(void **state)
{
	struct domain *d;
	struct vcpu *v;

	(void)state;
	fake_reset(2);
	d = fake_domain(1, 1, 256, false);
	v = d->vcpus[0];

	/* It comes before: no sleep at all. */
	v->callback_raised = true;
	core_lock();
	vcpu_block(v);
	assert_int_equal(v->state, VCPU_RUNNING);
	sched_tail(&cpus[0]);
	core_unlock();
	assert_int_equal(fake.vcpus[v->handle].interrupts, 1);

	/* It comes from another CPU after the block, before the tail. */
	core_lock();
	vcpu_block(v);
	assert_int_equal(v->state, VCPU_BLOCKED);
	core_unlock();
	fake_cpu(1);
	core_lock();
	v->callback_raised = true;
	vcpu_kick(v);
	core_unlock();
	assert_int_equal(v->state, VCPU_RUNNING);
	fake_event(1, EVENT_KICK); /* must not take it: CPU 0 still has it */
	fake_cpu(0);
	core_lock();
	sched_tail(&cpus[0]);
	core_unlock();
	assert_ptr_equal(cpus[0].current, v);
	assert_int_equal(fake.vcpus[v->handle].interrupts, 2);
}

static void sleeping_on_a_pending_upcall_tells_again(void **state)
{
	struct domain *d;
	struct vcpu *v;

	(void)state;
	fake_reset(1);
	d = fake_domain(1, 1, 256, false);
	v = d->vcpus[0];
	domain_shared(d)->vcpu_info[0].upcall = 1;
	assert_int_equal(fake_hypercall(SCHED_OP, SCHEDOP_block, 0, 0), 0);
	assert_int_equal(v->state, VCPU_RUNNING);
	assert_int_equal(fake.vcpus[v->handle].interrupts, 1);
	domain_shared(d)->vcpu_info[0].upcall = 0;
	assert_int_equal(fake_hypercall(SCHED_OP, SCHEDOP_block, 0, 0), 0);
	assert_int_equal(v->state, VCPU_BLOCKED);
}

static void hlt_with_interrupts_off_waits_for_nmi(void **state)
{
	struct domain *d;
	struct vcpu *v;

	(void)state;
	fake_reset(1);
	d = fake_domain(1, 2, 256, false);
	v = d->vcpus[0];
	core_lock();
	v->halted_irqs_off = true;
	v->callback_raised = true;
	vcpu_block(v);
	assert_int_equal(v->state, VCPU_BLOCKED);
	vcpu_kick(v);
	assert_int_equal(v->state, VCPU_BLOCKED);
	v->nmi_raised = true;
	vcpu_kick(v);
	assert_int_equal(v->state, VCPU_RUNNING);
	assert_false(v->halted_irqs_off);
	core_unlock();
}

static void poll_ends_by_port_event_or_time(void **state)
{
	struct evtchn_bind_ipi ipi = { .vcpu = 1 };
	struct sched_poll poll = { .ports = 0x2000, .nr_ports = 1 };
	struct domain *d;
	struct vcpu *v;

	(void)state;
	fake_reset(1);
	d = fake_domain(1, 2, 256, false);
	v = d->vcpus[0];
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_ipi, ipi), 0);
	RESULT(ipi);
	fake_put(0x2000, &ipi.port, sizeof(ipi.port));

	/* The port, though masked and another vCPU's. */
	domain_shared(d)->evtchn_mask[0] = ~0ull;
	assert_int_equal(CALL(SCHED_OP, SCHEDOP_poll, poll), 0);
	assert_int_equal(v->state, VCPU_POLLING);
	assert_int_equal(d->pollers, 1);
	core_lock();
	evtchn_raise(d, ipi.port);
	sched_tail(&cpus[0]);
	core_unlock();
	assert_ptr_equal(cpus[0].current, v);
	assert_int_equal(d->pollers, 0);

	/* Pending already: returns at once. */
	assert_int_equal(CALL(SCHED_OP, SCHEDOP_poll, poll), 0);
	assert_ptr_equal(cpus[0].current, v);

	/* Time. */
	domain_shared(d)->evtchn_pending[0] = 0;
	poll.timeout = time_ns(fake.now + 3 * MS);
	assert_int_equal(CALL(SCHED_OP, SCHEDOP_poll, poll), 0);
	assert_null(cpus[0].current);
	run_until(fake.now + 4 * MS);
	assert_ptr_equal(cpus[0].current, v);
	assert_int_equal(v->poll_deadline, NEVER);

	poll.nr_ports = SCHED_POLL_PORTS_MAX + 1;
	assert_int_equal(CALL(SCHED_OP, SCHEDOP_poll, poll), -EINVAL);
	poll.nr_ports = 1;
	poll.ports = BAD_ADDRESS;
	assert_int_equal(CALL(SCHED_OP, SCHEDOP_poll, poll), -EFAULT);
}

static void a_long_sleeper_does_not_starve_others(void **state)
{
	struct domain *worker, *sleeper;
	uint64_t before;

	(void)state;
	fake_reset(1);
	worker = fake_domain(1, 1, 256, false);
	run_until(fake.now + 60000 * MS);
	sleeper = fake_domain(2, 1, 256, false);
	before = ran(worker->vcpus[0]);
	run_until(fake.now + 200 * MS);
	assert_in_range(ran(worker->vcpus[0]) - before, 80 * MS, 120 * MS);
	assert_in_range(ran(sleeper->vcpus[0]), 80 * MS, 120 * MS);
}

static void yield_lets_the_other_run(void **state)
{
	struct domain *d[2];
	struct vcpu *first;

	(void)state;
	fake_reset(1);
	d[0] = fake_domain(1, 1, 256, false);
	d[1] = fake_domain(2, 1, 256, false);
	(void)d;
	first = cpus[0].current;
	assert_int_equal(fake_hypercall(SCHED_OP, SCHEDOP_yield, 0, 0), 0);
	assert_ptr_not_equal(cpus[0].current, first);
	fake.now += MS;
	assert_int_equal(fake_hypercall(SCHED_OP, SCHEDOP_yield, 0, 0), 0);
	assert_ptr_equal(cpus[0].current, first);
}

static void stopping_waits_for_the_cpu_that_runs_it(void **state)
{
	struct domain *d;
	struct vcpu *v;

	(void)state;
	fake_reset(2);
	fake_domain(1, 1, 256, false);
	d = fake_domain(2, 1, 256, false);
	v = d->vcpus[0];
	assert_ptr_equal(cpus[1].current, v);
	core_lock();
	vcpu_stop(v);
	core_unlock();
	assert_true(v->stopping);
	assert_int_equal(fake.stopped, 0);
	fake_deliver_kicks();
	assert_int_equal(fake.stopped, 1);
	assert_int_equal(v->state, VCPU_DOWN);
	assert_null(cpus[1].current);
	/* Up again. */
	core_lock();
	vcpu_wake(v);
	core_unlock();
	fake_deliver_kicks();
	assert_int_equal(v->state, VCPU_RUNNING);
}

static void runstate_adds_up(void **state)
{
	struct vcpu_runstate_info info;

	(void)state;
	fake_reset(1);
	fake_domain(1, 1, 256, false);
	fake_domain(2, 1, 256, false);
	run_until(fake.now + 1000 * MS);
	assert_int_equal(fake_hypercall(VCPU_OP, VCPUOP_get_runstate_info, 0, ARG), 0);
	RESULT(info);
	assert_int_equal(info.state, RUNSTATE_running);
	assert_in_range(info.time[0] + info.time[1] + info.time[2] + info.time[3], 1000 * MS, 1000 * MS + 10);
	assert_in_range(info.time[RUNSTATE_running], 480 * MS, 520 * MS);
}

/* ---- any interleaving --------------------------------------------------------- */

static void check_rules(struct domain **d, uint32_t domains_used)
{
	uint32_t idle = 0, called = 0, waiting = 0;

	for (uint32_t i = 0; i < cpu_count; i++) {
		bool quiet = !fake.cpus[i].kick_pending && !cpus[i].work;

		if (cpus[i].current)
			assert_int_equal(fake.cpus[i].vcpu, cpus[i].current->handle);
		idle += !cpus[i].current && quiet;
		called += !cpus[i].current && !quiet;
	}
	for (uint32_t i = 0; i < domains_used; i++) {
		for (uint32_t j = 0; j < d[i]->vcpu_count; j++) {
			struct vcpu *v = d[i]->vcpus[j];
			bool chosen = fake.vcpus[v->handle].chosen_on != VCPU_NONE;
			uint64_t due = min_u64(v->timer, v->poll_deadline);
			bool quiet = !fake.cpus[v->cpu].kick_pending && !cpus[v->cpu].work;

			waiting += v->state == VCPU_RUNNABLE;
			assert_true(v->state != VCPU_RUNNABLE || !chosen);
			assert_true(v->state != VCPU_RUNNING || chosen);
			if (v->state == VCPU_BLOCKED || v->state == VCPU_POLLING) {
				/* Nobody sleeps through an event. */
				assert_false(arch_vcpu_irq_pending(v));
				/* Or past its time. */
				if (quiet)
					assert_true(fake.cpus[v->cpu].deadline <= due);
			}
			if (v->state == VCPU_RUNNING && quiet) {
				assert_true(fake.cpus[v->cpu].deadline <= due);
				assert_false(arch_vcpu_irq_pending(v));
			}
			/* Who waits is waited for by the CPU in front. */
			if (v->state == VCPU_RUNNABLE && quiet)
				assert_true(fake.cpus[v->cpu].deadline <= fake.now + 10 * MS);
		}
	}
	/* Nobody waits while a CPU sleeps that hasn't been called. */
	assert_true(waiting <= called || !idle);
}

/* The guest reads all its events, as its handler would. */
static void guest_clears(struct vcpu *v)
{
	struct shared_info *s = domain_shared(v->domain);

	s->vcpu_info[v->number].upcall = 0;
	s->vcpu_info[v->number].pending_sel = 0;
	s->evtchn_pending[0] &= ~(1ull << (10 + v->number));
}

static void no_interleaving_loses_a_wake_up(void **state)
{
	struct domain *d[4];
	uint32_t woken = 0, queued = 0;
	enum vcpu_state was;

	(void)state;
	fake_reset(3);
	for (uint32_t i = 0; i < 4; i++)
		d[i] = fake_domain(i, 2, 128u << i, false);
	for (uint32_t i = 0; i < 4; i++) {
		for (uint32_t j = 0; j < 2; j++) {
			d[i]->evtchns[10 + j] = (struct evtchn){ .state = EVTCHN_VIRQ,
							     .notify_vcpu = (uint16_t)j };
			d[i]->vcpus[j]->virq_port[VIRQ_TIMER] = 10 + j;
		}
		core_lock();
		vcpu_wake(d[i]->vcpus[1]);
		core_unlock();
	}
	for (uint32_t step = 0; step < 200000; step++) {
		uint32_t cpu = random_below(cpu_count);
		struct vcpu *v, *target = d[random_below(4)]->vcpus[random_below(2)];
		struct sched_poll poll = { .timeout = time_ns(fake.now + random_below(2000000)) };

		fake.now += random_below(200000);
		/* Timers are due when they are due; kicks take their time. */
		for (uint32_t i = 0; i < cpu_count; i++) {
			if (fake.cpus[i].deadline <= fake.now)
				fake_event(i, EVENT_TIMER);
		}
		if (fake.cpus[cpu].kick_pending && random_below(3)) {
			fake.cpus[cpu].kick_pending = false;
			fake_event(cpu, EVENT_KICK);
		}
		fake_cpu(cpu);
		v = cpus[cpu].current;
		switch (v ? random_below(8) : 7) {
		case 0: /* a guest looks at what it has been told before it sleeps */
			guest_clears(v);
			assert_int_equal(fake_hypercall(SCHED_OP, SCHEDOP_block, 0, 0), 0);
			break;
		case 1:
			set_timer(fake.now + random_below(3000000));
			break;
		case 2:
			guest_clears(v);
			assert_int_equal(CALL(SCHED_OP, SCHEDOP_poll, poll), 0);
			break;
		case 3:
			assert_int_equal(fake_hypercall(SCHED_OP, SCHEDOP_yield, 0, 0), 0);
			break;
		case 4:
			guest_clears(v);
			break;
		default:
			/* Any CPU may raise anything for anyone. */
			was = target->state;
			core_lock();
			evtchn_raise_virq(target, VIRQ_TIMER);
			woken += was == VCPU_BLOCKED && target->state != VCPU_BLOCKED;
			queued += target->state == VCPU_RUNNABLE;
			sched_tail(&cpus[cpu]);
			core_unlock();
			break;
		}
		if (v && random_below(4) == 0)
			guest_clears(v);
		check_rules(d, 4);
	}
	/* It did happen. */
	assert_true(woken > 1000);
	assert_true(queued > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights_share_one_cpu),
		cmocka_unit_test(three_share_two_cpus),
		cmocka_unit_test(weights_share_many_cpus),
		cmocka_unit_test(alone_means_no_timer),
		cmocka_unit_test(the_second_takes_the_idle_cpu),
		cmocka_unit_test(a_crowd_starts_the_slice),
		cmocka_unit_test(the_timer_ends_a_sleep),
		cmocka_unit_test(a_stopped_timer_stays_silent),
		cmocka_unit_test(an_event_during_block_wins),
		cmocka_unit_test(sleeping_on_a_pending_upcall_tells_again),
		cmocka_unit_test(hlt_with_interrupts_off_waits_for_nmi),
		cmocka_unit_test(poll_ends_by_port_event_or_time),
		cmocka_unit_test(a_long_sleeper_does_not_starve_others),
		cmocka_unit_test(yield_lets_the_other_run),
		cmocka_unit_test(stopping_waits_for_the_cpu_that_runs_it),
		cmocka_unit_test(runstate_adds_up),
		cmocka_unit_test(no_interleaving_loses_a_wake_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
