/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vcpu_op: where vcpu_info lies, the single-shot timer, runstate. Sub-ops that
 * start vCPUs are for PV guests; ours use INIT and SIPI.
 */
#include "core_internal.h"
#include "hypercall.h"

static void runstate_info(const struct vcpu *v, struct vcpu_runstate_info *info)
{
	uint64_t now = nuc_now(), sum = 0;

	memset(info, 0, sizeof(*info));
	info->state = v->runstate;
	info->state_entry_time = time_ns(v->runstate_since);
	/* Differences of one clock, so that the times add up to it without drift. */
	for (uint32_t i = 0; i < 4; i++) {
		uint64_t ticks = v->runstate_ticks[i] + (i == v->runstate ? now - v->runstate_since : 0);
		uint64_t start = time_ns(now - sum);

		sum += ticks;
		info->time[i] = start - time_ns(now - sum);
	}
}

static long op_runstate(struct vcpu *v, uint64_t arg)
{
	struct vcpu_runstate_info info;

	core_lock();
	runstate_info(v, &info);
	core_unlock();
	return nuc_copy_out(gva_of(arg), &info, sizeof(info)) ? -EFAULT : 0;
}

static long op_set_timer(struct vcpu *v, uint64_t arg)
{
	struct vcpu_set_singleshot_timer a;
	uint64_t tsc;

	if (v != this_cpu()->current)
		return -EINVAL;
	if (nuc_copy_in(&a, gva_of(arg), sizeof(a)))
		return -EFAULT;
	tsc = time_tsc(a.timeout_abs_ns);
	if ((a.flags & VCPU_SSHOTTMR_future) && tsc < nuc_now())
		return -CORE_ETIME;
	if (!hypercall_begin())
		return -CORE_EINTR;
	vcpu_set_timer(v, tsc);
	core_unlock();
	return 0;
}

static long op_stop_timer(struct vcpu *v)
{
	if (v != this_cpu()->current)
		return -EINVAL;
	if (!hypercall_begin())
		return -CORE_EINTR;
	vcpu_set_timer(v, NEVER);
	core_unlock();
	return 0;
}

static long op_register_info(struct vcpu *v, uint64_t arg)
{
	struct vcpu_register_vcpu_info a;
	long r;

	if (nuc_copy_in(&a, gva_of(arg), sizeof(a)))
		return -EFAULT;
	if (!hypercall_begin())
		return -CORE_EINTR;
	r = evtchn_register_vcpu_info(v, gfn_of(a.mfn), a.offset);
	core_unlock();
	return r;
}

static long op_send_nmi(struct vcpu *v)
{
	if (!hypercall_begin())
		return -CORE_EINTR;
	v->nmi_raised = true;
	vcpu_kick(v);
	core_unlock();
	return 0;
}

long hypercall_vcpu_op(uint64_t cmd, uint64_t number, uint64_t arg, uint64_t a4, uint64_t a5)
{
	const struct domain *d = this_cpu()->current->domain;
	struct vcpu *v;

	(void)a4, (void)a5;
	if ((uint32_t)number >= d->vcpu_count)
		return -ENOENT;
	v = d->vcpus[(uint32_t)number];
	switch ((uint32_t)cmd) {
	case VCPUOP_is_up:
		return __atomic_load_n(&v->state, __ATOMIC_RELAXED) != VCPU_DOWN;
	case VCPUOP_get_runstate_info:
		return op_runstate(v, arg);
	case VCPUOP_register_runstate_memory_area:
		/* Linux stops if this fails. The area is never written: no time counts as stolen. */
		return 0;
	case VCPUOP_stop_periodic_timer: /* there is none; 0 tells Linux to use the sub-ops below */
		return 0;
	case VCPUOP_set_singleshot_timer:
		return op_set_timer(v, arg);
	case VCPUOP_stop_singleshot_timer:
		return op_stop_timer(v);
	case VCPUOP_register_vcpu_info:
		return op_register_info(v, arg);
	case VCPUOP_send_nmi:
		return arg ? -EINVAL : op_send_nmi(v);
	default:
		return -ENOSYS;
	}
}
