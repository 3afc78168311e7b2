/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hvm_op: parameters, with Xen 4.17's rules on who may read and write which, and
 * the upcall vector. Views have a file of their own, altp2m.c.
 */
#include "core_internal.h"
#include "hypercall.h"

#define BIT64(n) (1ull << (n))

/* callback, store port, 15, console port, ACPI, generation id, FIP width, VM86 TSS */
static const uint64_t guest_writes =
	BIT64(0) | BIT64(2) | BIT64(15) | BIT64(18) | BIT64(19) | BIT64(34) | BIT64(36) | BIT64(37);
/* and store page, console page, altp2m mode */
static const uint64_t guest_reads_too = BIT64(1) | BIT64(17) | BIT64(35);
static const uint64_t deprecated = BIT64(4) | BIT64(13) | BIT64(20) | BIT64(21) | BIT64(22) | BIT64(23) |
				   BIT64(24) | BIT64(25) | BIT64(26) | BIT64(30);

static int set_param(struct domain *d, bool self, uint32_t index, uint64_t value)
{
	if (BIT64(index) & deprecated)
		return -EINVAL;
	if (self && !(BIT64(index) & guest_writes))
		return -EPERM;
	switch (index) {
	case HVM_PARAM_ALTP2M: /* once it has a mode it keeps it */
		if (value > PACK_ALTP2M_LIMITED)
			return -EINVAL;
		if (d->params[index] && d->params[index] != value)
			return -EEXIST;
		d->altp2m_mode = (uint32_t)value;
		break;
	case HVM_PARAM_X87_FIP_WIDTH:
		if (value != 0 && value != 4 && value != 8)
			return -EINVAL;
		break;
	default:
		break;
	}
	d->params[index] = value;
	if (index == HVM_PARAM_CALLBACK_IRQ) {
		/* What became pending before there was a way to say so. */
		for (uint32_t i = 0; i < d->vcpu_count; i++) {
			struct vcpu *v = d->vcpus[i];

			if (v->state != VCPU_DOWN && v->state != VCPU_DEAD && evtchn_upcall_pending(v)) {
				v->callback_raised = true;
				vcpu_kick(v);
			}
		}
	}
	return 0;
}

static int get_param(const struct domain *d, bool self, uint32_t index, uint64_t *value)
{
	if (BIT64(index) & deprecated)
		return -EINVAL;
	if (self && !(BIT64(index) & (guest_writes | guest_reads_too)))
		return -EPERM;
	*value = d->params[index];
	return 0;
}

static long op_param(uint64_t arg, bool set)
{
	struct xen_hvm_param a;
	struct domain *d;
	struct vcpu *v;
	int r;

	if (nuc_copy_in(&a, gva_of(arg), sizeof(a)))
		return -EFAULT;
	if (a.index >= HVM_PARAMS)
		return -EINVAL;
	v = hypercall_begin();
	if (!v)
		return -CORE_EINTR;
	r = domain_target(v, a.domid, &d);
	if (!r && set)
		r = set_param(d, d == v->domain, a.index, a.value);
	else if (!r)
		r = get_param(d, d == v->domain, a.index, &a.value);
	core_unlock();
	if (!r && !set && nuc_copy_out(gva_of(arg), &a, sizeof(a)))
		return -EFAULT;
	return r;
}

static long op_upcall_vector(uint64_t arg)
{
	struct xen_hvm_evtchn_upcall_vector a;
	struct vcpu *v, *target;

	if (nuc_copy_in(&a, gva_of(arg), sizeof(a)))
		return -EFAULT;
	if (a.vector < 0x10)
		return -EINVAL;
	v = hypercall_begin();
	if (!v)
		return -CORE_EINTR;
	if (a.vcpu >= v->domain->vcpu_count) {
		core_unlock();
		return -ENOENT;
	}
	target = v->domain->vcpus[a.vcpu];
	target->callback_vector = a.vector;
	if (evtchn_upcall_pending(target)) {
		target->callback_raised = true;
		vcpu_kick(target);
	}
	core_unlock();
	return 0;
}

long hypercall_hvm_op(uint64_t cmd, uint64_t arg, uint64_t a3, uint64_t a4, uint64_t a5)
{
	(void)a3, (void)a4, (void)a5;
	if ((uint32_t)cmd == HVMOP_altp2m)
		return altp2m_op(arg);
	switch ((uint32_t)cmd) {
	case HVMOP_set_param:
		return op_param(arg, true);
	case HVMOP_get_param:
		return op_param(arg, false);
	case HVMOP_set_evtchn_upcall_vector:
		return op_upcall_vector(arg);
	default: /* pagetable_dying among them: Linux must not think that it helps */
		return -ENOSYS;
	}
}
