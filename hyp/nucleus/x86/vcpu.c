/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens between a VM exit and the next VM entry, apart from the two fast
 * paths in gate.S: exits are decoded for the core or dealt with here, verdicts
 * are applied, events are injected, and the CPU is given what the core chose.
 */
#include "vcpu.h"
#include "asm.h"
#include "core.h"
#include "frame.h"
#include "lock.h"
#include "vmcs.h"
#include "x86_policy.h"

#define CREDIT 16u                    /* fast entries between two looks at the clock */
#define CPL_OF(rights) ((rights) >> 5 & 3)
#define RFLAGS_IF (1u << 9)
#define TSS_BUSY_32 11u
#define VECTOR_DB 1u
#define VECTOR_GP 13u
#define VECTOR_AC 17u
#define EXCEPTION(vector) (INTERRUPTION_VALID | INTERRUPTION_EXCEPTION | (vector))
#define GP_FAULT (EXCEPTION(VECTOR_GP) | INTERRUPTION_ERROR_CODE)
#define DR7_GD (1ull << 13)
#define TIMER_MAX 0xffffffffull
#define IDLE_AWAKE 2000u              /* ticks */

struct step nucleus_step(void);
struct step vcpu_exit(uint32_t reason);
void vcpu_finish_exit(void);
NORETURN void vcpu_entry_failed(void);
void host_interrupt(uint32_t vector);

/* ---- small things --------------------------------------------------------------- */

static void inject(struct nuc_vcpu *v, uint32_t what, uint32_t error)
{
	v->inject = what;
	v->inject_error = error;
}

/* The instruction after STI or MOV SS is over. */
static void clear_shadow(void)
{
	uint64_t state = vmread(VMCS_GUEST_INTERRUPTIBILITY);

	if (state & (BLOCKING_STI | BLOCKING_MOV_SS))
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY, state & ~(uint64_t)(BLOCKING_STI | BLOCKING_MOV_SS));
}

void vcpu_advance(uint64_t next)
{
	uint64_t rip = vmread(VMCS_GUEST_RIP);

	/* Outside 64-bit code EIP wraps; an entry with more is refused (SDM 27.3.1.4). */
	if ((rip ^ next) >> 32 && !(vmread(VMCS_GUEST_EFER) & EFER_LMA && vmread(VMCS_GUEST_CS_RIGHTS) & CODE_64))
		next = (uint32_t)next;
	vmwrite(VMCS_GUEST_RIP, next);
	clear_shadow();
	/* A single step over the instruction ends here: the trap the CPU would have had pending. */
	if (vmread(VMCS_GUEST_RFLAGS) & RFLAGS_TF)
		vmwrite(VMCS_GUEST_PENDING_DEBUG, vmread(VMCS_GUEST_PENDING_DEBUG) | PENDING_STEP);
}

static void skip_instruction(void)
{
	vcpu_advance(vmread(VMCS_GUEST_RIP) + vmread(VMCS_EXIT_LENGTH));
}

/* What was being delivered when the guest exited goes in again (SDM 27.6). */
static void redeliver(struct nuc_vcpu *v)
{
	uint32_t info = (uint32_t)vmread(VMCS_IDT_VECTORING);

	if (!(info & INTERRUPTION_VALID))
		return;
	vmwrite(VMCS_ENTRY_LENGTH, vmread(VMCS_EXIT_LENGTH));
	inject(v, info & ~(1u << 12), (uint32_t)vmread(VMCS_IDT_ERROR_CODE));
}

static void proc_controls(struct nuc_vcpu *v, uint32_t bit, bool on)
{
	uint32_t wanted = on ? v->proc_controls | bit : v->proc_controls & ~bit;

	if (wanted == v->proc_controls)
		return;
	v->proc_controls = wanted;
	vmwrite(VMCS_PROC_CONTROLS, wanted);
}

/* The register that a 4-bit operand field names; RSP lives in the VMCS. */
static uint64_t read_register(struct nuc_vcpu *v, uint32_t n)
{
	const uint64_t *r[16] = { &v->regs.rax, &v->regs.rcx, &v->regs.rdx, &v->regs.rbx, NULL,
				  &v->regs.rbp, &v->regs.rsi, &v->regs.rdi, &v->regs.r8,  &v->regs.r9,
				  &v->regs.r10, &v->regs.r11, &v->regs.r12, &v->regs.r13, &v->regs.r14,
				  &v->regs.r15 };

	return n == 4 ? vmread(VMCS_GUEST_RSP) : *r[n];
}

static void write_register(struct nuc_vcpu *v, uint32_t n, uint64_t value)
{
	uint64_t *r[16] = { &v->regs.rax, &v->regs.rcx, &v->regs.rdx, &v->regs.rbx, NULL,
			    &v->regs.rbp, &v->regs.rsi, &v->regs.rdi, &v->regs.r8,  &v->regs.r9,
			    &v->regs.r10, &v->regs.r11, &v->regs.r12, &v->regs.r13, &v->regs.r14,
			    &v->regs.r15 };

	if (n == 4)
		vmwrite(VMCS_GUEST_RSP, value);
	else
		*r[n] = value;
}

/* ---- exits the nucleus deals with itself ------------------------------------------ */

/*
 * PAE paging without long mode: the CPU takes the four entries from the VMCS when
 * EPT is on (SDM 27.3.1.6), so a write that turns it on must load them. False when
 * CR3 leads nowhere or an entry has reserved bits set.
 */
static bool load_pdptes(struct nuc_vcpu *v)
{
	uint64_t cr3 = vmread(VMCS_GUEST_CR3) & 0xffffffe0ull, e[4], i;
	uint64_t reserved = 0x1e6 | ~((machine_gfn_limit() << PAGE_SHIFT) - 1);

	for (i = 0; i < 4; i++) {
		if (!guest_physical_read(vcpu_domain(v), cr3 + 8 * i, &e[i]) || (e[i] & 1 && e[i] & reserved))
			return false;
	}
	for (i = 0; i < 4; i++)
		vmwrite(VMCS_GUEST_PDPTE0 + 2 * i, e[i]);
	return true;
}

/* MOV to CR0 that changes NE, CD or NW, SDM 4.1.1 and 2.5. #GP as the CPU would. */
static void write_cr0_guest(struct nuc_vcpu *v, uint64_t value)
{
	uint64_t old = vmread(VMCS_GUEST_CR0), efer = vmread(VMCS_GUEST_EFER), cr4 = vmread(VMCS_GUEST_CR4);
	bool paging_on = value & CR0_PG && !(old & CR0_PG), paging_off = !(value & CR0_PG) && old & CR0_PG;

	if (value >> 32 || (value & CR0_PG && !(value & CR0_PE)) || (value & CR0_NW && !(value & CR0_CD)) ||
	    (paging_on && efer & EFER_LME &&
	     (!(cr4 & CR4_PAE) || vmread(VMCS_GUEST_CS_RIGHTS) & CODE_64 ||
	      (vmread(VMCS_GUEST_TR_RIGHTS) & 15) != TSS_BUSY_32)) || (paging_off && cr4 & CR4_PCIDE) ||
	    (paging_off && efer & EFER_LMA && vmread(VMCS_GUEST_CS_RIGHTS) & CODE_64)) {
		inject(v, GP_FAULT, 0);
		return;
	}
	if (paging_on && efer & EFER_LME)
		efer |= EFER_LMA;
	else if (paging_off)
		efer &= ~EFER_LMA;
	if (value & CR0_PG && cr4 & CR4_PAE && !(efer & EFER_LMA) && !load_pdptes(v)) {
		inject(v, GP_FAULT, 0);
		return;
	}
	vmwrite(VMCS_GUEST_EFER, efer);
	vmwrite(VMCS_ENTRY_CONTROLS, efer & EFER_LMA ? vmread(VMCS_ENTRY_CONTROLS) | ENTRYC_LONG_MODE :
						       vmread(VMCS_ENTRY_CONTROLS) & ~(uint64_t)ENTRYC_LONG_MODE);
	vmwrite(VMCS_CR0_SHADOW, value);
	vmwrite(VMCS_GUEST_CR0, (value | CR0_NE | 0x10) & ~(CR0_CD | CR0_NW));
	if (paging_off)
		invvpid(INVVPID_SINGLE, (uint16_t)(vcpu_handle(v) + 1));
	skip_instruction();
}

static struct step exit_cr(struct cpu_state *c, struct nuc_vcpu *v, struct exit *e)
{
	uint64_t q = vmread(VMCS_EXIT_QUALIFICATION);
	uint32_t cr = q & 15, access = q >> 4 & 3, reg = q >> 8 & 15;

	if (cr == 8 && access < 2) {
		e->kind = c->exit_kind = EXIT_CR8;
		e->cr8.write = access == 0;
		e->cr8.value = access == 0 ? read_register(v, reg) : 0;
		return (struct step){ STEP_CORE_EXIT, 0 };
	}
	c->exit_open = false;
	if (cr == 0 && access == 0)
		write_cr0_guest(v, read_register(v, reg));
	else if (cr == 4 && access == 0)
		inject(v, GP_FAULT, 0);         /* only writes of bits that CPUID hides exit */
	else {
		c->exit_open = true;
		c->exit_kind = e->kind = EXIT_UNKNOWN;
		e->unknown.reason = REASON_CR;
		e->unknown.qualification = q;
		e->unknown.rip = vmread(VMCS_GUEST_RIP);
		e->unknown.detail = cr;
		return (struct step){ STEP_CORE_EXIT, 0 };
	}
	return (struct step){ STEP_AGAIN, 0 };
}

/* WRMSR to EFER (SDM 2.2.1): SCE, LME, NXE; LME can't change while paging is on. */
static void write_efer(struct nuc_vcpu *v, uint64_t value)
{
	uint64_t old = vmread(VMCS_GUEST_EFER);

	if (value & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE) ||
	    ((value ^ old) & EFER_LME && vmread(VMCS_GUEST_CR0) & CR0_PG)) {
		inject(v, GP_FAULT, 0);
		return;
	}
	vmwrite(VMCS_GUEST_EFER, (value & ~EFER_LMA) | (old & EFER_LMA));
	skip_instruction();
}

/* XSETBV (SDM 2.6): XCR0 only, x87 always, AVX with SSE, AVX-512 as a whole. */
static void write_xcr0(struct nuc_vcpu *v)
{
	uint64_t value = (v->regs.rax & 0xffffffff) | v->regs.rdx << 32;
	uint64_t avx512 = value & 0xe0;

	if ((uint32_t)v->regs.rcx != 0 || !(value & 1) || value & ~cpu_xcr0_allowed ||
	    (value & 4 && !(value & 2)) || (avx512 && (avx512 != 0xe0 || (value & 6) != 6))) {
		inject(v, GP_FAULT, 0);
		return;
	}
	v->xcr0 = value;
	xsetbv(0, value);
	skip_instruction();
}

/*
 * #DB and #AC go straight back in; they were taken only so that a guest cannot
 * keep the CPU in their delivery for ever. For #DB the CPU has not set DR6 yet
 * (SDM 26.1, table 26-4). An external interrupt that was being delivered waits.
 */
static void decode_memory(struct exit *e)
{
	uint64_t q = vmread(VMCS_EXIT_QUALIFICATION);

	e->kind = EXIT_MEMORY;
	e->memory.gpa = vmread(VMCS_GUEST_PHYSICAL);
	e->memory.gva_valid = q >> 7 & 1;
	e->memory.gva = e->memory.gva_valid ? vmread(VMCS_GUEST_LINEAR) : 0;
	e->memory.rip = vmread(VMCS_GUEST_RIP);
	e->memory.read = q & 1;
	e->memory.write = q >> 1 & 1;
	e->memory.fetch = q >> 2 & 1;
	e->memory.delivering = vmread(VMCS_IDT_VECTORING) >> 31 & 1;
}

static struct step exit_violation(struct cpu_state *c, struct nuc_vcpu *v, struct exit *e)
{
	decode_memory(e);
	switch (vmfunc_violation(v, e)) {
	case VIOLATION_VE:
		inject(v, EXCEPTION(VECTOR_VE), 0);
		break;
	case VIOLATION_RETRY:
		redeliver(v);
		break;
	default:
		c->exit_kind = e->kind;
		return (struct step){ STEP_CORE_EXIT, 0 };
	}
	c->exit_open = false;
	return (struct step){ STEP_AGAIN, 0 };
}

static struct step exit_exception(struct cpu_state *c, struct nuc_vcpu *v, struct exit *e)
{
	uint32_t info = (uint32_t)vmread(VMCS_EXIT_INTERRUPTION), vectoring = (uint32_t)vmread(VMCS_IDT_VECTORING);
	uint32_t vector = info & 0xff;

	c->exit_open = false;
	if ((info & 0x700) == INTERRUPTION_NMI) {
		gate_here_rw->nmis++;
		nmi_unblock();
		return (struct step){ STEP_AGAIN, 0 };
	}
	if (vector == VECTOR_UD) {
		if (!vmfunc_emulate(v))
			inject(v, EXCEPTION(VECTOR_UD), 0);
		return (struct step){ STEP_AGAIN, 0 };
	}
	if (vector != VECTOR_DB && vector != VECTOR_AC) {
		c->exit_open = true;
		e->unknown.detail = vector;
		return (struct step){ STEP_CORE_EXIT, 0 };
	}
	if (vector == VECTOR_DB) {
		uint64_t why = vmread(VMCS_EXIT_QUALIFICATION);

		/* The trap that ends a step is ours; what came with it is the guest's. */
		if (why & PENDING_STEP && vmfunc_step_trap(v)) {
			why &= ~(uint64_t)PENDING_STEP;
			if (!(why & 0x200f))
				return (struct step){ STEP_AGAIN, 0 };
		}
		/* Delivery clears general detect, injection does not (SDM 27.6.1). */
		vmwrite(VMCS_GUEST_DR7, vmread(VMCS_GUEST_DR7) & ~DR7_GD);
		write_dr6((read_dr6() & ~0xfull) | (why & 0x600f) | 0xffff0ff0);
	}
	if (vectoring & INTERRUPTION_VALID && (vectoring & 0x700) == INTERRUPTION_EXTERNAL && v->posted < 0)
		v->posted = vectoring & 0xff;
	/* Delivery ends a shadow; with it and TF set, an entry insists on a pending step (SDM 27.3.1.5). */
	clear_shadow();
	/* INT1 is a privileged software exception: injecting it takes its length, to go on after it. */
	vmwrite(VMCS_ENTRY_LENGTH, vmread(VMCS_EXIT_LENGTH));
	inject(v, info & ~(1u << 12), (uint32_t)vmread(VMCS_EXIT_ERROR_CODE));
	return (struct step){ STEP_AGAIN, 0 };
}

static void exit_hypercall_refused(struct nuc_vcpu *v)
{
	/* Xen's answers: CPL above 0; and we take calls from 64-bit code only. */
	v->regs.rax = (uint64_t)(CPL_OF(vmread(VMCS_GUEST_SS_RIGHTS)) ? -EPERM : -ENOSYS);
	skip_instruction();
}

/* ---- exits for the core ------------------------------------------------------------ */

static void decode_io(struct nuc_vcpu *v, struct exit *e)
{
	uint64_t q = vmread(VMCS_EXIT_QUALIFICATION);

	e->kind = EXIT_IO;
	e->io.size = (uint8_t)((q & 7) + 1);
	e->io.in = q >> 3 & 1;
	e->io.string = q >> 4 & 1;
	e->io.port = (uint16_t)(q >> 16);
	e->io.value = (uint32_t)v->regs.rax;
	if (e->io.size < 4)
		e->io.value &= (1u << 8 * e->io.size) - 1;
}

/*
 * Everything but the fast hypercall and the fast CPUID. What has no case here
 * reaches the core as EXIT_UNKNOWN, which stops the guest.
 */
struct step vcpu_exit(uint32_t reason)
{
	struct cpu_state *c = cpu_here();
	struct nuc_vcpu *v = c->loaded;
	struct exit *e = (struct exit *)gate_here->exit;
	const struct step again = { STEP_AGAIN, 0 }, to_core = { STEP_CORE_EXIT, 0 };

	e->vcpu = vcpu_handle(v);
	e->verdict = VERDICT_STOP;
	c->exit_open = false;

	switch (reason) {
	case REASON_EXTERNAL_INTERRUPT:
		host_interrupt(vmread(VMCS_EXIT_INTERRUPTION) & 0xff);
		return again;
	case REASON_PREEMPTION_TIMER:
		return again;
	case REASON_MTF:
		vmfunc_trap_flag(v);
		return again;
	case REASON_NMI_WINDOW:
		proc_controls(v, PROC_NMI_WINDOW, false);
		return again;
	case REASON_HLT:
		/* What has been posted meanwhile ends the halt before it begins. */
		if (!v->nmi_posted && (v->posted < 0 || !(vmread(VMCS_GUEST_RFLAGS) & RFLAGS_IF)))
			break;
		skip_instruction();
		return again;
	case REASON_VMCALL:
		exit_hypercall_refused(v);
		return again;
	case REASON_RDPMC:
		inject(v, GP_FAULT, 0);
		return again;
	case REASON_XSETBV:
		write_xcr0(v);
		return again;
	case REASON_GETSEC:
	case REASON_MWAIT:
	case REASON_MONITOR:
	case REASON_INVEPT:
	case REASON_INVVPID:
	case REASON_VMFUNC:
	case REASON_VMCLEAR ... REASON_VMXON:
		inject(v, EXCEPTION(VECTOR_UD), 0);
		return again;
	default:
		break;
	}

	c->exit_open = true;
	switch (reason) {
	case REASON_IRQ_WINDOW:
		v->more_wanted = false;
		if (v->posted >= 0 && !v->inject) {
			inject(v, INTERRUPTION_VALID | INTERRUPTION_EXTERNAL | (uint32_t)v->posted, 0);
			v->posted = -1;
		}
		e->kind = EXIT_IRQ_WINDOW;
		break;
	case REASON_CPUID:
		e->kind = EXIT_CPUID;
		e->cpuid.leaf = (uint32_t)v->regs.rax;
		e->cpuid.subleaf = (uint32_t)v->regs.rcx;
		break;
	case REASON_HLT:
		e->kind = EXIT_HLT;
		e->hlt.irqs_on = vmread(VMCS_GUEST_RFLAGS) & RFLAGS_IF;
		break;
	case REASON_RDMSR:
	case REASON_WRMSR:
		e->kind = reason == REASON_RDMSR ? EXIT_RDMSR : EXIT_WRMSR;
		e->msr.index = (uint32_t)v->regs.rcx;
		e->msr.value = (v->regs.rax & 0xffffffff) | v->regs.rdx << 32;
		if (e->msr.index == MSR_EFER && reason == REASON_WRMSR) {
			c->exit_open = false;
			write_efer(v, e->msr.value);
			return again;
		}
		break;
	case REASON_IO:
		decode_io(v, e);
		break;
	case REASON_EPT_VIOLATION:
		return exit_violation(c, v, e);
	case REASON_INVD:
	case REASON_WBINVD:
		e->kind = EXIT_CACHE;
		break;
	case REASON_PAUSE:
		e->kind = EXIT_PAUSE;
		break;
	case REASON_TRIPLE_FAULT:
		e->kind = EXIT_TRIPLE;
		e->triple.rip = vmread(VMCS_GUEST_RIP);
		break;
	case REASON_CR:
		return exit_cr(c, v, e);
	default:
		e->kind = EXIT_UNKNOWN;
		e->unknown.reason = reason;
		e->unknown.rip = vmread(VMCS_GUEST_RIP);
		e->unknown.qualification = vmread(VMCS_EXIT_QUALIFICATION);
		e->unknown.detail = 0;
		if (reason == REASON_EXCEPTION) {
			c->exit_kind = EXIT_UNKNOWN;
			return exit_exception(c, v, e);
		}
		break;
	}
	c->exit_kind = e->kind;
	return to_core;
}

/* What the core answered goes into the guest's registers: only what the exit is about. */
static void write_back(struct nuc_vcpu *v, uint32_t kind, const struct exit *e)
{
	struct guest_regs *r = &v->regs;
	uint64_t mask;

	switch (kind) {
	case EXIT_CPUID: {
		uint64_t cr4 = vmread(VMCS_GUEST_CR4);
		uint32_t leaf = (uint32_t)r->rax;

		/* These two bits mirror the guest's CR4 (SDM volume 2, CPUID). */
		r->rcx = e->cpuid.ecx | (leaf == 1 && cr4 & CR4_OSXSAVE ? 1u << 27 : 0) |
			 (leaf == 7 && cr4 & CR4_PKE ? 1u << 4 : 0);
		r->rax = e->cpuid.eax;
		r->rbx = e->cpuid.ebx;
		r->rdx = e->cpuid.edx;
		break;
	}
	case EXIT_RDMSR:
		r->rax = (uint32_t)e->msr.value;
		r->rdx = e->msr.value >> 32;
		break;
	case EXIT_IO:
		/* The size is ours, from the hardware; the core cannot change it under us. */
		mask = (vmread(VMCS_EXIT_QUALIFICATION) & 7) == 3 ? 0xffffffffull :
			       (1ull << 8 * ((vmread(VMCS_EXIT_QUALIFICATION) & 7) + 1)) - 1;
		if (vmread(VMCS_EXIT_QUALIFICATION) >> 3 & 1)
			r->rax = mask == 0xffffffffull ? e->io.value : (r->rax & ~mask) | (e->io.value & mask);
		break;
	case EXIT_CR8:
		if ((vmread(VMCS_EXIT_QUALIFICATION) >> 4 & 3) == 1)
			write_register(v, vmread(VMCS_EXIT_QUALIFICATION) >> 8 & 15, e->cr8.value & 15);
		break;
	default:
		break;
	}
}

/* Applies the core's verdict on the exit that is open on this CPU. */
void vcpu_finish_exit(void)
{
	struct cpu_state *c = cpu_here();
	struct nuc_vcpu *v = c->loaded;
	const struct exit *e = (const struct exit *)gate_here->exit;
	uint32_t verdict = __atomic_load_n(&e->verdict, __ATOMIC_RELAXED);

	/* The fast CPUID path comes here only with a verdict other than SKIP. */
	c->exit_open = false;
	switch (verdict) {
	case VERDICT_RESUME:
		if (c->exit_kind == EXIT_MEMORY)
			redeliver(v);
		break;
	case VERDICT_SKIP:
		write_back(v, c->exit_kind, e);
		skip_instruction();
		break;
	case VERDICT_GP:
		inject(v, GP_FAULT, 0);
		break;
	case VERDICT_UD:
		inject(v, EXCEPTION(VECTOR_UD), 0);
		break;
	default:
		if (c->next == vcpu_handle(v))
			panic("the core stopped vCPU %u and chose it all the same", vcpu_handle(v));
		break;
	}
}

/* ---- before an entry ------------------------------------------------------------------ */

/*
 * Asks to be told when what could not go in now can. In the shadow of STI the NMI
 * window may open at once, for ever, so there it is the interrupt window: IF is 1.
 */
static void ask_for_windows(struct nuc_vcpu *v, uint64_t blocked)
{
	bool shadow = blocked & BLOCKING_STI;

	/* The one instruction of a step is not the place for anything else. */
	if (v->stepping) {
		proc_controls(v, PROC_NMI_WINDOW | PROC_IRQ_WINDOW, false);
		return;
	}
	proc_controls(v, PROC_NMI_WINDOW, v->nmi_posted && !shadow);
	proc_controls(v, PROC_IRQ_WINDOW, v->posted >= 0 || v->more_wanted || (v->nmi_posted && shadow));
}

/* One event goes in by this entry: exception, then NMI, then interrupt; for the rest a window is asked for. */
static void inject_events(struct nuc_vcpu *v)
{
	uint32_t what = v->inject, error = v->inject_error;
	uint64_t blocked = vmread(VMCS_GUEST_INTERRUPTIBILITY);

	/* An entry that was called off has left its event in the VMCS; it goes in first. */
	if (vmread(VMCS_ENTRY_INTERRUPTION) & INTERRUPTION_VALID) {
		ask_for_windows(v, blocked);
		return;
	}
	v->inject = 0;
	if (v->nmi_posted && !what && !v->stepping && !(blocked & (BLOCKING_NMI | BLOCKING_STI | BLOCKING_MOV_SS))) {
		what = INTERRUPTION_VALID | INTERRUPTION_NMI | 2;
		v->nmi_posted = false;
	}
	if (v->posted >= 0 && !what && !v->stepping && !(blocked & (BLOCKING_STI | BLOCKING_MOV_SS)) &&
	    vmread(VMCS_GUEST_RFLAGS) & RFLAGS_IF) {
		what = INTERRUPTION_VALID | INTERRUPTION_EXTERNAL | (uint32_t)v->posted;
		v->posted = -1;
	}
	ask_for_windows(v, blocked);
	if (!what)
		return;
	if (what & INTERRUPTION_ERROR_CODE) {
		/* Real mode has no error codes, and the CPU refuses to push one (SDM 27.2.1.3). */
		if (vmread(VMCS_GUEST_CR0) & CR0_PE)
			vmwrite(VMCS_ENTRY_ERROR_CODE, error);
		else
			what &= ~INTERRUPTION_ERROR_CODE;
	}
	vmwrite(VMCS_ENTRY_INTERRUPTION, what);
}

static void set_preemption_timer(uint64_t ticks)
{
	uint64_t value = ticks >> vmx_timer_shift();

	vmwrite(VMCS_PREEMPTION_TIMER, value < TIMER_MAX ? value : TIMER_MAX);
}

/*
 * Waits for an interrupt with nothing loaded. A deadline that is almost here is
 * waited for awake: it may pass between being armed and the halt, and Bochs then
 * loses the interrupt when it has more than one CPU.
 */
static void idle(struct cpu_state *c, uint64_t now)
{
	if (c->deadline - now < IDLE_AWAKE) {
		let_interrupts_in();
		return;
	}
	if (c->deadline != ~0ull) {
		apic_set_deadline(c->deadline);
		c->timer_armed = true;
	}
	halt_for_interrupt();
	if (c->timer_armed) {
		apic_set_deadline(0);
		c->timer_armed = false;
	}
}

struct step nucleus_step(void)
{
	struct cpu_state *c = cpu_here();
	__seg_gs struct gate_cpu *g = gate_here_rw;

	for (;;) {
		struct nuc_vcpu *next = c->next == VCPU_NONE ? NULL : &nuc_vcpus[c->next];
		uint64_t now;

		if (unlikely(__atomic_load_n(&machine_stopping, __ATOMIC_RELAXED)))
			for (;;)
				halt();
		if (g->events) {
			uint32_t events = g->events;

			g->events = 0;
			return (struct step){ STEP_CORE_EVENT, events };
		}
		if (c->loaded != next || (next && next->start_wanted)) {
			vmx_unload();
			if (next)
				vmx_load(next);
		}
		now = rdtsc();
		if (now >= c->deadline) {
			c->deadline = ~0ull;
			g->events |= EVENT_TIMER;
			continue;
		}
		if (!next) {
			idle(c, now);
			continue;
		}
		/*
		 * Credit first, then the checks: see machine_flush_domain and vcpu_hold. A
		 * step has credit for its own entry and no other.
		 */
		__atomic_exchange_n(&gate_cpus[g->cpu].credit, next->stepping ? 1 : CREDIT, __ATOMIC_SEQ_CST);
		if (unlikely(__atomic_load_n(&next->attention, __ATOMIC_ACQUIRE)))
			vcpu_attend(next);
		if (likely(!next->stepping))
			set_preemption_timer(c->deadline - now);
		vmx_flush_if_needed(next);
		if (cpu_has_mtf)
			proc_controls(next, PROC_MTF, next->stepping);
		inject_events(next);
		next->long_mode = vmread(VMCS_GUEST_EFER) >> 10 & 1;
		return (struct step){ STEP_ENTER, 0 };
	}
}

/* VMLAUNCH or VMRESUME fell through: the guest's state is one the CPU refuses, or ours is wrong. */
void vcpu_entry_failed(void)
{
	panic("VM entry of vCPU %u fails: VM-instruction error %lu", gate_here->vcpu, vmread(VMCS_INSTRUCTION_ERROR));
}

/* ---- host interrupts ---------------------------------------------------------------------- */

/* From an exit (acknowledged there) or from idling. */
void host_interrupt(uint32_t vector)
{
	uint32_t events = 0;

	switch (vector) {
	case VECTOR_KICK:
		/* A flush kicks too, and wants no more than the exit. */
		events = EVENT_KICK;
		break;
	case VECTOR_TIMER:
		break;                /* nucleus_step looks at the clock */
	case VECTOR_UART:
		if (serial_interrupt())
			events = EVENT_CONSOLE;
		break;
	default:
		break;
	}
	gate_here_rw->events |= events;
	if (vector != VECTOR_SPURIOUS)
		apic_eoi();
}

/* ---- gate calls ------------------------------------------------------------------------------ */

static struct nuc_vcpu *vcpu_checked(uint32_t handle)
{
	CHECK(handle < VCPUS_MAX && nuc_vcpus[handle].created);
	return &nuc_vcpus[handle];
}

/* The core's last word about this vCPU is that some CPU shall run it. */
bool vcpu_is_chosen(const struct nuc_vcpu *v)
{
	uint32_t cpu = v->chosen;

	return cpu != CPU_NONE && cpu_states[cpu].next == vcpu_handle(v);
}

void nuc_cpu_next(uint32_t handle, uint64_t deadline)
{
	struct cpu_state *c = cpu_here();
	uint32_t here = gate_here->cpu;

	/* Against another CPU's choice, and against the domain's being taken apart. */
	nucleus_lock();
	if (handle != VCPU_NONE) {
		struct nuc_vcpu *v = vcpu_checked(handle);

		CHECK(v->started && (v->chosen == here || !vcpu_is_chosen(v)));
		v->chosen = here;
	}
	c->next = handle;
	nucleus_unlock();
	c->deadline = deadline;
	gate_here_rw->credit = 0;
}

void nuc_cpu_kick(uint32_t cpu)
{
	CHECK(cpu < cpu_online);
	apic_send(cpu, VECTOR_KICK);
}

int nuc_vcpu_interrupt(uint32_t handle, uint8_t vector)
{
	struct nuc_vcpu *v;
	int rc = 0;

	nucleus_lock();
	v = vcpu_checked(handle);
	if (v->posted >= 0) {
		v->more_wanted = true;
		rc = -EBUSY;
	} else {
		v->posted = vector;
	}
	nucleus_unlock();
	gate_here_rw->credit = 0;
	return rc;
}

void nuc_vcpu_nmi(uint32_t handle)
{
	nucleus_lock();
	vcpu_checked(handle)->nmi_posted = true;
	nucleus_unlock();
	gate_here_rw->credit = 0;
}

uint64_t nuc_now(void) { return rdtsc(); }
uint32_t nuc_cpu_id(void) { return gate_here->cpu; }
