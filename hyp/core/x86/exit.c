/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where decoded VM exits arrive: one row per kind. A kind without a row stops
 * the guest; nothing is ever skipped because it is unknown.
 */
#include "x86.h"

#define ACCESS_RW 3u             /* of a view's entry: r 1, w 2, x 4 */
#define ACCESS_RWX 7u

struct exit core_exits[CPUS_MAX];
uint64_t memory_faults[DOMAINS_MAX];

static void exit_rdmsr(struct vcpu *v, struct exit *e)
{
	uint64_t value = 0;

	if (!msr_read(v, e->msr.index, &value)) {
		e->verdict = VERDICT_GP;
		return;
	}
	e->msr.value = value;
	e->verdict = VERDICT_SKIP;
}

static void exit_wrmsr(struct vcpu *v, struct exit *e)
{
	e->verdict = msr_write(v, e->msr.index, e->msr.value) ? VERDICT_SKIP : VERDICT_GP;
}

static void exit_hlt(struct vcpu *v, struct exit *e)
{
	e->verdict = VERDICT_SKIP;
	v->halted_irqs_off = !e->hlt.irqs_on;
	if (arch_vcpu_irq_pending(v)) {
		arch_vcpu_deliver(v);
		return;
	}
	vcpu_block(v);
	if (v->halted_irqs_off)
		domain_check_halted(v->domain);
}

static void exit_irq_window(struct vcpu *v, struct exit *e)
{
	arch_vcpu_deliver(v);
	e->verdict = VERDICT_RESUME;
}

/* An access value that the first access changes, as Xen has them: what it becomes, or 0. */
static uint32_t access_becomes(const struct exit *e)
{
	if (e->memory.access == VIEW_ACCESS_N_TO_RWX)
		return ACCESS_RWX;
	return e->memory.access == VIEW_ACCESS_RX_TO_RW && e->memory.write ? ACCESS_RW : 0;
}

/* Gives the entry its second access; true: the instruction may try again. */
static bool access_changed(const struct domain *d, const struct exit *e)
{
	struct view_change change = { .gfn = e->memory.gpa >> PAGE_SHIFT, .set = VIEW_SET_ACCESS,
				      .access = (uint8_t)access_becomes(e) };
	struct view_entry now;
	int error;

	if (!e->memory.mapped || !change.access ||
	    nuc_view_entry(d->id, e->memory.view, gfn_of(change.gfn), &now))
		return false;
	/* Another vCPU, or an agent, may have set it since this one left the guest. */
	if (now.access != e->memory.access)
		return true;
	return nuc_view_change(d->id, e->memory.view, &change, 1, &error) == 1;
}

/*
 * No memory: data accesses fault as on a machine whose bus says no, #GP(0), which
 * a kernel survives where it expects it. Nothing sensible can follow a fetch from
 * nowhere or a missing stack or descriptor during event delivery.
 *
 * Rights that don't suffice, and nobody who listens (#VE and steps are the
 * nucleus' and come first): #GP(0) too, in the same view. But where VMFUNC is on,
 * user code may have gone astray into a view in which the kernel can't run: then
 * the fault, or the event under way, is delivered in view 0. A restriction is
 * never lifted here.
 */
static void exit_memory(struct vcpu *v, struct exit *e)
{
	struct domain *d = v->domain;
	const char *what = e->memory.fetch ? "fetch" : e->memory.write ? "write" : "read";
	bool delivering = e->memory.delivering, report;
	char why[48];

	if (access_changed(d, e)) {
		e->verdict = VERDICT_RESUME;
		return;
	}
	if (!e->memory.mapped)
		format_text(why, sizeof(why), "which has no memory");
	else
		format_text(why, sizeof(why), "which view %u denies", e->memory.view);
	report = memory_faults[d->id]++ < MEMORY_REPORTS;

	if (e->memory.view && e->memory.functions && (e->memory.mapped || e->memory.fetch || delivering) &&
	    !nuc_view_enter(d->id, 1u << v->number, 0)) {
		if (report)
			domain_note(d, "vcpu%u: %s%s at gpa 0x%lx, %s, rip 0x%lx: from view %u back to 0%s",
				    v->number, what, delivering ? " while delivering an event" : "",
				    e->memory.gpa, why, e->memory.rip, e->memory.view,
				    delivering ? "" : ", #GP");
		e->verdict = delivering ? VERDICT_RESUME : VERDICT_GP;
		return;
	}
	if (delivering || (e->memory.fetch && !e->memory.mapped && !e->memory.view)) {
		domain_crash(d, "vcpu%u: memory exit: %s%s at gpa 0x%lx, %s, rip 0x%lx", v->number, what,
			     delivering ? " while delivering an event" : "", e->memory.gpa, why,
			     e->memory.rip);
		return;
	}
	if (report)
		domain_note(d, "vcpu%u: %s at gpa 0x%lx, %s, rip 0x%lx: #GP", v->number, what, e->memory.gpa,
			    why, e->memory.rip);
	e->verdict = VERDICT_GP;
}

static void exit_cr8(struct vcpu *v, struct exit *e)
{
	if (e->cr8.write && !lapic_set_cr8(v, e->cr8.value)) {
		e->verdict = VERDICT_GP;
		return;
	}
	if (!e->cr8.write)
		e->cr8.value = v->lapic.tpr >> 4;
	e->verdict = VERDICT_SKIP;
}

static void exit_triple(struct vcpu *v, struct exit *e)
{
	domain_crash(v->domain, "vcpu%u: triple fault at rip 0x%lx", v->number, e->triple.rip);
}

static void exit_pause(struct vcpu *v, struct exit *e)
{
	vcpu_yield(v);
	e->verdict = VERDICT_SKIP;
}

static void exit_cache(struct vcpu *v, struct exit *e)
{
	(void)v;
	e->verdict = VERDICT_SKIP;
}

const struct exit_row exit_rows[EXIT_KINDS] = {
	[EXIT_CPUID] = {"cpuid", NULL, "the filtered answer; lock-free, before everything else",
			"the instruction always exits under VMX; hiding features is what makes the rest of "
			"this page short",
			"nothing on VMX; guests cache what they read"},
	[EXIT_RDMSR] = {"rdmsr", exit_rdmsr, "the MSR table below, else #GP(0)",
			"registers that must not show the machine's own state",
			"the pass-through bitmap, for registers that the vCPU switch saves"},
	[EXIT_WRMSR] = {"wrmsr", exit_wrmsr, "the MSR table below, else #GP(0)",
			"as for rdmsr; x2APIC IPIs and EOI are writes",
			"APIC virtualisation and event-channel IPIs for the APIC's share"},
	[EXIT_IO] = {"io", port_access,
		     "the port table below, else IN reads all-ones and OUT is dropped; INS and OUTS: #GP(0)",
		     "kernels probe for devices; all-ones says that nothing is there",
		     "hardware-reduced ACPI and CPUID leaf 0x16 remove most probes; the rest needs a kernel "
		     "without them"},
	[EXIT_HLT] = {"hlt", exit_hlt,
		      "the vCPU blocks until an event; with IF = 0 until an NMI or SIPI, and all vCPUs so: "
		      "power-off",
		      "an idle vCPU must cost nothing, and a PVH guest switches off by halting",
		      "SCHEDOP_block does the same by hypercall"},
	[EXIT_IRQ_WINDOW] = {"interrupt-window", exit_irq_window, "posts the next waiting vector",
			     "only one interrupt at a time can be handed to the CPU", "posted interrupts"},
	[EXIT_MEMORY] = {"memory", exit_memory,
			 "no memory: #GP(0) for data, the guest is stopped for a fetch or during event "
			 "delivery; denied by a view: #GP(0), in view 0 where VMFUNC is on, see "
			 "[altp2m.md](altp2m.md#violations-that-nobody-handles); counted, the first four of "
			 "a domain reported",
			 "a guest-physical address without memory has no device behind it and no instruction "
			 "emulator either; a view's restrictions hold whether or not anyone listens",
			 "a correct memory map; x2APIC preset, so that 0xFEE00000 is never touched; #VE and "
			 "step entries for views"},
	[EXIT_CR8] = {"cr8", exit_cr8, "reads and writes the task priority of the local APIC",
		      "MOV CR8 must act on the guest's APIC, never on the machine's",
		      "the TPR shadow; Linux leaves CR8 alone"},
	[EXIT_TRIPLE] = {"triple-fault", exit_triple, "the guest is stopped and RIP reported",
			 "the vCPU can't go on", "nothing"},
	[EXIT_PAUSE] = {"pause", exit_pause, "the vCPU yields the CPU",
			"a spinning vCPU wastes the time of the one it waits for",
			"PV spinlocks (SCHEDOP_poll); one vCPU per CPU"},
	[EXIT_CACHE] =
		{"invd-wbinvd", exit_cache, "skipped",
		 "no guest owns a device that looks past the caches, and INVD would lose other guests' data",
		 "kernels use them only with MTRR changes, power states and kexec"},
	[EXIT_UNKNOWN] = {NULL, NULL, NULL, NULL, NULL},
};

static void exit_unknown(struct vcpu *v, const struct exit *e)
{
	if (e->kind == EXIT_UNKNOWN)
		domain_crash(v->domain,
			     "vcpu%u: exit %u%s (detail %u) has no row, rip 0x%lx, qualification 0x%lx",
			     v->number, e->unknown.reason & 0x7fffffffu,
			     e->unknown.reason >> 31 ? ", VM entry failed" : "", e->unknown.detail,
			     e->unknown.rip, e->unknown.qualification);
	else
		domain_crash(v->domain, "vcpu%u: exit kind %u has no row", v->number, e->kind);
}

/* Everything but CPUID; out of line to keep that path short. */
static __attribute__((noinline)) void slow_exit(struct cpu *c, struct exit *e)
{
	struct vcpu *v = c->current;
	uint32_t kind = e->kind;

	core_lock();
	c->exits[kind < EXIT_KINDS ? kind : EXIT_UNKNOWN]++;
	e->verdict = VERDICT_STOP;
	if (!v || v->handle != e->vcpu)
		nuc_panic("core_exit: the vCPU that exited is not the one chosen on this CPU");
	if (v->state == VCPU_DEAD || v->stopping) {
		/*
		 * By another CPU, whose kick is on its way: what the guest did counts no
		 * more. A stopping vCPU may start anew and run here next: not STOP.
		 */
		c->work = true;
		e->verdict = v->stopping ? VERDICT_RESUME : VERDICT_STOP;
	} else if (kind < EXIT_KINDS && exit_rows[kind].handle) {
		exit_rows[kind].handle(v, e);
	} else {
		exit_unknown(v, e);
	}
	if (c->work)
		sched_tail(c);
	core_unlock();
}

void core_exit(uint32_t cpu)
{
	struct exit *e = &core_exits[cpu];
	struct cpu *c = &cpus[cpu];

	if (likely(e->kind == EXIT_CPUID)) {
		c->exits[EXIT_CPUID]++;
		cpuid_exit(e);
	} else {
		slow_exit(c, e);
	}
}

const char *arch_exit_name(uint32_t kind) { return exit_rows[kind].name; }
