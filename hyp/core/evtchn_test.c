/* SPDX-License-Identifier: Apache-2.0 */
/* Event channels: every sub-op's way to succeed and to be refused, and what the guest sees of it. */
#include "unit.h"

static struct domain *a, *b;

static int setup(void **state)
{
	(void)state;
	fake_reset(2);
	a = fake_domain(1, 2, 256, false);
	b = fake_domain(2, 1, 256, false);
	fake_run(a->vcpus[0]);
	assert_ptr_equal(cpus[0].current, a->vcpus[0]);
	return 0;
}

static struct shared_info *info(struct domain *d)
{
	return d->shared_info;
}

static bool pending(struct domain *d, uint32_t port)
{
	return info(d)->evtchn_pending[port / 64] >> (port % 64) & 1;
}

static uint32_t bind_ipi(uint32_t vcpu)
{
	struct evtchn_bind_ipi op = { .vcpu = vcpu };

	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_ipi, op), 0);
	RESULT(op);
	return op.port;
}

static long port_op(uint32_t cmd, uint32_t port)
{
	return CALL(EVENT_CHANNEL, cmd, port);
}

static void ipi_reaches_its_vcpu(void **state)
{
	uint32_t port = bind_ipi(1);

	(void)state;
	assert_int_not_equal(port, 0);
	assert_int_equal(port_op(EVTCHNOP_send, port), 0);
	assert_true(pending(a, port));
	assert_int_equal(info(a)->vcpu_info[1].pending_sel, 1ull << (port / 64));
	assert_int_equal(info(a)->vcpu_info[1].upcall & 0xff, 1);
	assert_int_equal(info(a)->vcpu_info[0].upcall, 0);
	assert_true(a->vcpus[1]->callback_raised);
}

static void self_ipi_is_delivered_before_return(void **state)
{
	uint32_t port = bind_ipi(0), before = fake.vcpus[a->vcpus[0]->handle].interrupts;

	(void)state;
	assert_int_equal(port_op(EVTCHNOP_send, port), 0);
	assert_int_equal(fake.vcpus[a->vcpus[0]->handle].interrupts, before + 1);
	/* Already pending: no second edge. */
	assert_int_equal(port_op(EVTCHNOP_send, port), 0);
	assert_int_equal(fake.vcpus[a->vcpus[0]->handle].interrupts, before + 1);
}

static void masked_port_waits_for_unmask(void **state)
{
	uint32_t port = bind_ipi(0);

	(void)state;
	info(a)->evtchn_mask[port / 64] |= 1ull << (port % 64);
	assert_int_equal(port_op(EVTCHNOP_send, port), 0);
	assert_true(pending(a, port));
	assert_int_equal(info(a)->vcpu_info[0].upcall, 0);
	assert_int_equal(port_op(EVTCHNOP_unmask, port), 0);
	assert_int_equal(info(a)->evtchn_mask[port / 64], 0);
	assert_int_equal(info(a)->vcpu_info[0].upcall & 0xff, 1);
	/* Unmasking what was not masked raises nothing. */
	info(a)->vcpu_info[0].upcall = 0;
	info(a)->vcpu_info[0].pending_sel = 0;
	assert_int_equal(port_op(EVTCHNOP_unmask, port), 0);
	assert_int_equal(info(a)->vcpu_info[0].upcall, 0);
}

static void interdomain_both_ways(void **state)
{
	struct evtchn_alloc_unbound open = { .dom = DOMID_SELF, .remote_dom = 2 };
	struct evtchn_bind_interdomain bind = { .remote_dom = 1 };
	struct evtchn_status status = { .dom = DOMID_SELF };
	uint32_t local;

	(void)state;
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_alloc_unbound, open), 0);
	RESULT(open);
	/* Nobody there yet: dropped without an error. */
	assert_int_equal(port_op(EVTCHNOP_send, open.port), 0);

	fake_cpu(1);
	fake_run(b->vcpus[0]);
	assert_ptr_equal(cpus[1].current, b->vcpus[0]);
	bind.remote_port = open.port;
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_interdomain, bind), 0);
	RESULT(bind);
	local = bind.local_port;
	assert_true(pending(b, local)); /* what may have been sent before */
	assert_int_equal(port_op(EVTCHNOP_send, local), 0);
	assert_true(pending(a, open.port));
	/* A second one can't have it. */
	bind.remote_port = open.port;
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_interdomain, bind), -EINVAL);

	fake_cpu(0);
	status.port = open.port;
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_status, status), 0);
	RESULT(status);
	assert_int_equal(status.status, EVTCHNSTAT_interdomain);
	assert_int_equal(status.u.interdomain.dom, 2);

	/* When the other end closes, ours waits again for that domain. */
	fake_cpu(1);
	assert_int_equal(port_op(EVTCHNOP_close, local), 0);
	fake_cpu(0);
	assert_int_equal(a->evtchns[open.port].state, EVTCHN_UNBOUND);
	assert_int_equal(a->evtchns[open.port].remote_domain, 2);
}

static void bind_is_for_the_named_domain_only(void **state)
{
	struct evtchn_alloc_unbound open = { .dom = DOMID_SELF, .remote_dom = 5 };
	struct evtchn_bind_interdomain bind = { .remote_dom = 1 };

	(void)state;
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_alloc_unbound, open), 0);
	RESULT(open);
	fake_cpu(1);
	fake_run(b->vcpus[0]);
	bind.remote_port = open.port;
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_interdomain, bind), -EINVAL);
	bind.remote_port = EVTCHN_PORTS;
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_interdomain, bind), -EINVAL);
	bind.remote_dom = 9;
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_interdomain, bind), -ESRCH);
	fake_cpu(0);
}

static void foreign_ports_need_the_control_domain(void **state)
{
	struct evtchn_alloc_unbound open = { .dom = 2, .remote_dom = 1 };
	struct evtchn_status status = { .dom = 2, .port = 1 };
	uint16_t reset = 2;

	(void)state;
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_alloc_unbound, open), -EPERM);
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_status, status), -EPERM);
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_reset, reset), -EPERM);
	open.dom = 7;
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_alloc_unbound, open), -ESRCH);
	a->control = true;
	open.dom = 2;
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_alloc_unbound, open), 0);
	RESULT(open);
	assert_int_equal(b->evtchns[open.port].state, EVTCHN_UNBOUND);
}

static void virqs(void **state)
{
	struct evtchn_bind_virq bind = { .virq = VIRQ_TIMER, .vcpu = 1 };
	struct evtchn_bind_vcpu move;

	(void)state;
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_virq, bind), 0);
	RESULT(bind);
	evtchn_raise_virq(a->vcpus[1], VIRQ_TIMER);
	assert_true(pending(a, bind.port));
	assert_int_equal(info(a)->vcpu_info[1].upcall & 0xff, 1);
	/* One's own timer stays one's own, and can't be sent by hand. */
	move = (struct evtchn_bind_vcpu){ .port = bind.port, .vcpu = 0 };
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_vcpu, move), -EINVAL);
	assert_int_equal(port_op(EVTCHNOP_send, bind.port), -EINVAL);

	bind = (struct evtchn_bind_virq){ .virq = VIRQ_TIMER, .vcpu = 1 };
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_virq, bind), -EEXIST);
	bind.virq = NR_VIRQS;
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_virq, bind), -EINVAL);
	bind = (struct evtchn_bind_virq){ .virq = VIRQ_CONSOLE, .vcpu = 1 };
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_virq, bind), -EINVAL);
	bind = (struct evtchn_bind_virq){ .virq = VIRQ_TIMER, .vcpu = 2 };
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_virq, bind), -ENOENT);
	/* A global one may move. */
	bind = (struct evtchn_bind_virq){ .virq = VIRQ_CONSOLE, .vcpu = 0 };
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_virq, bind), 0);
	RESULT(bind);
	move = (struct evtchn_bind_vcpu){ .port = bind.port, .vcpu = 1 };
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_vcpu, move), 0);
	/* Closing frees the VIRQ for another binding. */
	assert_int_equal(port_op(EVTCHNOP_close, bind.port), 0);
	bind = (struct evtchn_bind_virq){ .virq = VIRQ_CONSOLE, .vcpu = 0 };
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_virq, bind), 0);
}

static void nonsense_is_refused(void **state)
{
	struct evtchn_bind_ipi ipi = { .vcpu = 2 };

	(void)state;
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_ipi, ipi), -ENOENT);
	for (uint32_t cmd = EVTCHNOP_close; cmd <= EVTCHNOP_send; cmd++) {
		assert_int_equal(port_op(cmd, 0), -EINVAL);
		assert_int_equal(port_op(cmd, 77), -EINVAL);
		assert_int_equal(port_op(cmd, EVTCHN_PORTS), -EINVAL);
		assert_int_equal(port_op(cmd, 0xffffffffu), -EINVAL);
	}
	assert_int_equal(port_op(EVTCHNOP_unmask, EVTCHN_PORTS), -EINVAL);
	assert_int_equal(fake_hypercall(EVENT_CHANNEL, EVTCHNOP_send, BAD_ADDRESS, 0), -EFAULT);
	for (uint32_t cmd = 11; cmd < 20; cmd++)
		assert_int_equal(fake_hypercall(EVENT_CHANNEL, cmd, ARG, 0), -ENOSYS);
	assert_int_equal(fake_hypercall(EVENT_CHANNEL, 2, ARG, 0), -ENOSYS);
}

static void ports_run_out_and_come_back(void **state)
{
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	uint32_t count = 0;
	long r;

	(void)state;
	while ((r = CALL(EVENT_CHANNEL, EVTCHNOP_bind_ipi, ipi)) == 0)
		count++;
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(count, EVTCHN_PORTS - 2); /* port 0, and the console's */
	assert_int_equal(port_op(EVTCHNOP_close, 4000), 0);
	assert_int_equal(bind_ipi(0), 4000);
}

static void vcpu_info_moves_with_its_contents(void **state)
{
	struct vcpu_register_vcpu_info reg = { .mfn = 5, .offset = 64 };
	struct vcpu *v = a->vcpus[0];
	struct vcpu_info seen;

	(void)state;
	info(a)->vcpu_info[0].arch[0] = 0x1234;
	assert_int_equal(fake_hypercall(VCPU_OP, VCPUOP_register_vcpu_info, 0, BAD_ADDRESS), -EFAULT);
	reg.offset = 4090;
	fake_put(ARG, &reg, sizeof(reg));
	assert_int_equal(fake_hypercall(VCPU_OP, VCPUOP_register_vcpu_info, 0, ARG), -EINVAL);
	reg.offset = 64;
	fake_put(ARG, &reg, sizeof(reg));
	assert_int_equal(fake_hypercall(VCPU_OP, VCPUOP_register_vcpu_info, 0, ARG), 0);
	memcpy(&seen, fake.vcpus[v->handle].window_bytes, sizeof(seen));
	assert_int_equal(seen.arch[0], 0x1234);
	assert_int_equal(seen.pending_sel, ~0ull);
	assert_int_equal(seen.upcall & 0xff, 1);
	assert_int_equal(seen.time.flags, PVCLOCK_TSC_STABLE);
	assert_int_equal(fake_hypercall(VCPU_OP, VCPUOP_register_vcpu_info, 0, ARG), -EINVAL);
	/* From now on events show there, not in shared_info. */
	memset(fake.vcpus[v->handle].window_bytes, 0, 16);
	info(a)->vcpu_info[0].upcall = 0;
	assert_int_equal(port_op(EVTCHNOP_send, bind_ipi(0)), 0);
	assert_int_equal(fake.vcpus[v->handle].window_bytes[0], 1);
	assert_int_equal(info(a)->vcpu_info[0].upcall, 0);
}

static void an_ended_domain_leaves_no_end_behind(void **state)
{
	struct evtchn_alloc_unbound open = { .dom = DOMID_SELF, .remote_dom = 2 };
	struct evtchn_bind_interdomain bind = { .remote_dom = 1 };

	(void)state;
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_alloc_unbound, open), 0);
	RESULT(open);
	fake_cpu(1);
	fake_run(b->vcpus[0]);
	bind.remote_port = open.port;
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_interdomain, bind), 0);
	fake_cpu(0);
	core_lock();
	domain_shutdown(b, SHUTDOWN_poweroff);
	core_unlock();
	assert_int_equal(a->evtchns[open.port].state, EVTCHN_UNBOUND);
	assert_int_equal(port_op(EVTCHNOP_send, open.port), 0); /* into the void, not into b */
	bind.remote_dom = 2;
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_interdomain, bind), -ESRCH);
}

static void reset_closes_all(void **state)
{
	uint16_t self = DOMID_SELF;

	(void)state;
	bind_ipi(0);
	bind_ipi(1);
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_reset, self), 0);
	for (uint32_t port = 1; port < EVTCHN_PORTS; port++)
		assert_int_equal(a->evtchns[port].state, EVTCHN_FREE);
	assert_int_equal(a->console_port, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ipi_reaches_its_vcpu, setup),
		cmocka_unit_test_setup(self_ipi_is_delivered_before_return, setup),
		cmocka_unit_test_setup(masked_port_waits_for_unmask, setup),
		cmocka_unit_test_setup(interdomain_both_ways, setup),
		cmocka_unit_test_setup(bind_is_for_the_named_domain_only, setup),
		cmocka_unit_test_setup(foreign_ports_need_the_control_domain, setup),
		cmocka_unit_test_setup(virqs, setup),
		cmocka_unit_test_setup(nonsense_is_refused, setup),
		cmocka_unit_test_setup(ports_run_out_and_come_back, setup),
		cmocka_unit_test_setup(vcpu_info_moves_with_its_contents, setup),
		cmocka_unit_test_setup(an_ended_domain_leaves_no_end_behind, setup),
		cmocka_unit_test_setup(reset_closes_all, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
