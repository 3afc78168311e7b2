/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hypercall entry and the table of everything that is handled.
 *
 * The path of a hypercall that takes no lock is counted in instructions: bounds
 * check, counter, call through the table, one test for work. Anything slower
 * belongs behind `work`.
 */
#include "core_internal.h"
#include "hypercall.h"

const struct hypercall_row hypercall_rows[HYPERCALLS_MAX] = {
	[12] = { "memory_op", hypercall_memory_op,
		"places shared_info in the guest's memory; ballooning; size queries",
		"shared_info at an address told at start, and a fixed amount of memory" },
	[13] = { "multicall", hypercall_multicall,
		"libxenctrl wraps each memory_op in one",
		"calling one by one" },
	[15] = { "set_timer_op", hypercall_set_timer_op,
		"the single-shot timer of guests that don't use vcpu_op for it",
		"vcpu_op 8 and 9" },
	[17] = { "xen_version", hypercall_xen_version,
		"feature bits decide whether Linux uses the PV timer; version and names for tools",
		"CPUID leaves, which tell the version already" },
	[18] = { "console_io", hypercall_console_io,
		"console of the control domain; early messages of every guest",
		"a PV console ring, as all other domains have" },
	[21] = { "vm_assist", hypercall_vm_assist,
		"Linux asks for careful updates of the runstate area",
		"not asking: failure is tolerated" },
	[24] = { "vcpu_op", hypercall_vcpu_op,
		"vcpu_info placement, single-shot timer, runstate; Linux panics without them",
		"vcpu_info in shared_info and the TSC-deadline timer, which cost an exit too" },
	[29] = { "sched_op", hypercall_sched_op,
		"reboot and crash reporting, PV spinlocks, block and yield",
		"HLT for block, PAUSE exits for yield" },
	[32] = { "event_channel_op", hypercall_event_channel,
		"timer, IPI, console and inter-domain interrupts without an interrupt controller",
		"APIC virtualisation with posted interrupts" },
	[34] = { "hvm_op", hypercall_hvm_op,
		"parameters: callback vector, console page and port",
		"values told in the start info" },
};

struct vcpu *hypercall_begin(void)
{
	struct vcpu *v = this_cpu()->current;

	core_lock();
	if (likely(v->state != VCPU_DEAD))
		return v;
	/* Ended by another CPU just now; that CPU's kick may still be on its way. */
	this_cpu()->work = true;
	core_unlock();
	return NULL;
}

long hypercall_dispatch(uint64_t nr, const uint64_t a[5])
{
	if (nr >= HYPERCALLS_MAX || !hypercall_rows[nr].fn)
		return -ENOSYS;
	this_cpu()->hypercalls[nr]++;
	return hypercall_rows[nr].fn(a[0], a[1], a[2], a[3], a[4]);
}

static __attribute__((noinline)) long hypercall_tail(struct cpu *cpu, long result)
{
	core_lock();
	sched_tail(cpu);
	core_unlock();
	return result;
}

long core_hypercall(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t nr)
{
	struct cpu *cpu = this_cpu();
	hypercall_fn *fn;
	long result;

	if (unlikely(nr >= HYPERCALLS_MAX))
		return -ENOSYS;
	cpu->hypercalls[nr]++;
	fn = hypercall_rows[nr].fn;
	if (unlikely(!fn))
		return -ENOSYS;
	result = fn(a1, a2, a3, a4, a5);
	if (unlikely(cpu->work))
		return hypercall_tail(cpu, result);
	return result;
}

/*
 * Several calls in one. The list is read entry by entry, each exactly once, and
 * results are written back as they come. Longer lists than any caller uses are
 * refused, since a call runs to completion.
 */
#define MULTICALL_MAX 256u

long hypercall_multicall(uint64_t list, uint64_t count, uint64_t a3, uint64_t a4, uint64_t a5)
{
	struct multicall_entry e;

	(void)a3, (void)a4, (void)a5;
	count = (uint32_t)count;
	if (count > MULTICALL_MAX)
		return -EINVAL;
	for (uint64_t at = list; count; count--, at += sizeof(e)) {
		if (nuc_copy_in(&e, gva_of(at), sizeof(e)))
			return -EFAULT;
		if (e.op < HYPERCALLS_MAX && hypercall_rows[e.op].fn == hypercall_multicall)
			e.result = (uint64_t)-EINVAL;
		else
			e.result = (uint64_t)hypercall_dispatch(e.op, e.args);
		if (nuc_copy_out(gva_of(at + offsetof(struct multicall_entry, result)), &e.result,
				 sizeof(e.result)))
			return -EFAULT;
	}
	return 0;
}

long hypercall_vm_assist(uint64_t cmd, uint64_t type, uint64_t a3, uint64_t a4, uint64_t a5)
{
	(void)a3, (void)a4, (void)a5;
	if ((uint32_t)type != VMASST_TYPE_runstate_update_flag)
		return -EINVAL;
	/* Nothing to switch: no runstate area is ever written. */
	return (uint32_t)cmd <= VMASST_CMD_disable ? 0 : -ENOSYS;
}
