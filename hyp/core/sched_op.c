/* SPDX-License-Identifier: Apache-2.0 */
/* sched_op: a guest's say about when its vCPUs run, and about its own end. */
#include "core_internal.h"
#include "hypercall.h"

static long op_block(void)
{
	struct vcpu *v = hypercall_begin();

	if (!v)
		return -CORE_EINTR;
	/* Blocking lets events in (the flag exists for PV guests), as Xen does. */
	vcpu_info_and(v, offsetof(struct vcpu_info, upcall), ~UPCALL_MASK);
	v->halted_irqs_off = false;
	vcpu_block(v);
	core_unlock();
	return 0;
}

static long op_shutdown(uint64_t arg)
{
	uint32_t reason;
	struct vcpu *v;

	if (nuc_copy_in(&reason, gva_of(arg), sizeof(reason)))
		return -EFAULT;
	v = hypercall_begin();
	if (!v)
		return -CORE_EINTR;
	domain_shutdown(v->domain, (uint8_t)reason);
	core_unlock();
	return 0;
}

static long op_remote_shutdown(uint64_t arg)
{
	struct sched_remote_shutdown a;
	struct domain *d;
	struct vcpu *v;
	long r = 0;

	if (nuc_copy_in(&a, gva_of(arg), sizeof(a)))
		return -EFAULT;
	v = hypercall_begin();
	if (!v)
		return -CORE_EINTR;
	d = domain_find(a.domain_id);
	if (!d)
		r = -ESRCH;
	else if (!v->domain->control)
		r = -EPERM;
	else
		domain_shutdown(d, (uint8_t)a.reason);
	core_unlock();
	return r;
}

static bool any_pending(const struct domain *d, const uint32_t *ports, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (evtchn_port_pending(d, ports[i]))
			return true;
	}
	return false;
}

static long op_poll(uint64_t arg)
{
	uint32_t ports[SCHED_POLL_PORTS_MAX];
	struct sched_poll a;
	struct vcpu *v;

	if (nuc_copy_in(&a, gva_of(arg), sizeof(a)))
		return -EFAULT;
	if (a.nr_ports > SCHED_POLL_PORTS_MAX)
		return -EINVAL;
	if (a.nr_ports && nuc_copy_in(ports, gva_of(a.ports), a.nr_ports * sizeof(ports[0])))
		return -EFAULT;
	for (uint32_t i = 0; i < a.nr_ports; i++) {
		if (ports[i] >= EVTCHN_PORTS)
			return -EINVAL;
	}
	v = hypercall_begin();
	if (!v)
		return -CORE_EINTR;
	if (!any_pending(v->domain, ports, a.nr_ports))
		vcpu_poll(v, a.nr_ports == 1 ? ports[0] : 0, a.timeout ? time_tsc(a.timeout) : NEVER);
	core_unlock();
	return 0;
}

long hypercall_sched_op(uint64_t cmd, uint64_t arg, uint64_t a3, uint64_t a4, uint64_t a5)
{
	struct vcpu *v;

	(void)a3, (void)a4, (void)a5;
	switch ((uint32_t)cmd) {
	case SCHEDOP_yield:
		v = hypercall_begin();
		if (!v)
			return -CORE_EINTR;
		vcpu_yield(v);
		core_unlock();
		return 0;
	case SCHEDOP_block:
		return op_block();
	case SCHEDOP_shutdown:
		return op_shutdown(arg);
	case SCHEDOP_poll:
		return op_poll(arg);
	case SCHEDOP_remote_shutdown:
		return op_remote_shutdown(arg);
	default:
		return -ENOSYS;
	}
}
