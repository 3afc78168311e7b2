/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views on a vCPU: which one it is in, its window for VMFUNC, #VE, and steps over
 * one instruction in another view. SDM volume 3: VM functions 26.5.6, EPT-violation
 * #VE 26.5.7, monitor trap flag 26.5.2.
 *
 * The truth about where a vCPU is lies in its VMCS, since VMFUNC changes it without
 * an exit; gate.S copies EPTP to `eptp` at every exit, and a root table says in the
 * frame table which view it is of. So nothing is counted along the way: who is in a
 * view is found out when somebody asks, and made certain by vcpu_hold.
 *
 * Whatever is to change on a vCPU that may be loaded elsewhere is noted in its
 * fields under the nucleus lock, together with `attention`, which sends the CPU
 * that enters it next through vcpu_attend.
 *
 * Where the CPU has no VMFUNC, #UD exits and the instruction is done here; where it
 * has no #VE, EPT violations that would be one are turned into it here. The guest
 * can't tell, with one exception: an emulated VMFUNC is known as such only in code
 * that runs with 4-level paging.
 */
#include "vcpu.h"
#include "asm.h"
#include "check.h"
#include "frame.h"
#include "lock.h"
#include "memory.h"
#include "string.h"
#include "view.h"
#include "vmcs.h"

#define EPTP_WRITE_BACK 6ull
#define EPTP_FOUR_LEVELS (3ull << 3)
#define EPTP_NONE (~0ull)              /* no legal EPTP: VMFUNC to it exits */
#define VE_REASON 48u
#define QUALIFICATION_NMI_UNBLOCKED (1ull << 12)
#define STEP_FIRST 2u                  /* preemption-timer counts: the fewest in which Bochs retires anything */
#define STEP_LAST (1u << 20)
#define VMFUNC_LENGTH 3u
#define RETRIES 64u                    /* violations in a row that look like none any more */

/* The information area of #VE, SDM 26.5.7.2. */
struct ve_info {
	uint32_t reason, busy;
	uint64_t qualification, linear, physical;
	uint16_t index;
};

static uint64_t eptp_of(uint64_t root) { return root << PAGE_SHIFT | EPTP_FOUR_LEVELS | EPTP_WRITE_BACK; }

uint64_t vmx_eptp(uint32_t domain) { return eptp_of(nuc_domains[domain].stage2.root); }

/* Of a view that has been given to some CPU, or the base. */
static uint64_t eptp_known(uint32_t domain, uint32_t view)
{
	return view ? eptp_of(nuc_views[domain][view].root) : vmx_eptp(domain);
}

static uint32_t view_of(uint64_t eptp) { return view_of_root((eptp & PTE_ADDRESS) >> PAGE_SHIFT); }

/* ---- holding vCPUs ------------------------------------------------------------ */

/* The lowest of a set of vCPUs of the domain, which is not empty; it leaves the set. */
static struct nuc_vcpu *take_vcpu(uint32_t domain, uint32_t *vcpus)
{
	uint32_t n = (uint32_t)__builtin_ctz(*vcpus);

	*vcpus &= *vcpus - 1;
	return &nuc_vcpus[domain * DOMAIN_VCPUS_MAX + n];
}

/*
 * The vCPU is not in the guest when this returns, nor gets there before the nucleus
 * lock, which is held, has been let go of: on its way it passes vcpu_attend, which
 * takes the lock. True if it is loaded here: then its VMCS can be written at once,
 * else whatever is noted in it is found by vcpu_attend.
 */
static bool vcpu_hold(struct nuc_vcpu *v)
{
	uint32_t cpu;

	if (likely(v->loaded == gate_here->cpu))
		return true;
	/* Against vmx_load and nucleus_step, which store and look in the other order. */
	__atomic_exchange_n(&v->attention, 1, __ATOMIC_SEQ_CST);
	cpu = __atomic_load_n(&v->loaded, __ATOMIC_SEQ_CST);
	if (cpu == CPU_NONE)
		return false;
	__atomic_exchange_n(&gate_cpus[cpu].credit, 0, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&gate_cpus[cpu].in_guest, __ATOMIC_SEQ_CST))
		vmx_expel(cpu, NULL, 0);
	return false;
}

/* ---- where a vCPU is ------------------------------------------------------------ */

/* The view it is in, or was when it left the guest last. */
static uint32_t view_now(const struct nuc_vcpu *v) { return view_of(v->eptp); }

/* The slot of its window that shows the view, the view's own if that does. */
static uint16_t slot_of(const struct nuc_vcpu *v, uint32_t view)
{
	uint32_t slot;

	if (view < WINDOW_ENTRIES && v->window[view] == view)
		return (uint16_t)view;
	for (slot = 0; v->odd_slots && slot < WINDOW_ENTRIES; slot++) {
		if (v->window[slot] == view)
			return (uint16_t)slot;
	}
	return 0xffff;
}

/* Makes the VMCS, which is loaded, lead to this root. */
static void view_load(struct nuc_vcpu *v, uint64_t eptp, uint16_t slot)
{
	v->eptp = eptp;
	v->slot = slot;
	vmwrite(VMCS_EPTP, eptp);
	if (cpu_has_ve)
		vmwrite(VMCS_EPTP_INDEX, slot);
}

/* What the VMCS, which is loaded, must say about functions. */
static void functions_load(const struct nuc_vcpu *v)
{
	uint64_t on = (cpu_has_vmfunc ? PROC2_VMFUNC : 0) | (cpu_has_ve ? PROC2_VE : 0);
	uint64_t proc2 = vmread(VMCS_PROC2_CONTROLS) & ~on;

	if (cpu_has_vmfunc) {
		vmwrite(VMCS_VMFUNC_CONTROLS, v->functions ? VMFUNC_EPTP_SWITCHING : 0);
		vmwrite(VMCS_EPTP_LIST, v->eptp_list);
	}
	if (cpu_has_ve) {
		vmwrite(VMCS_VE_PAGE, v->ve_mfn << PAGE_SHIFT);
		vmwrite(VMCS_EPTP_INDEX, v->slot);
	}
	vmwrite(VMCS_PROC2_CONTROLS, v->functions ? proc2 | on : proc2);
	vmwrite(VMCS_EXCEPTION_BITMAP, v->functions && !cpu_has_vmfunc ? EXCEPTIONS_TAKEN | 1u << VECTOR_UD :
									  EXCEPTIONS_TAKEN);
}

void vmfunc_controls(struct nuc_vcpu *v)
{
	nucleus_lock();
	/* A vCPU that starts again stays in the view that it was put into. */
	if (v->stepping) {
		v->stepping = false;
		v->eptp = v->step_back;
		v->slot = v->step_slot;
	}
	v->step_tf = false;
	view_load(v, v->eptp, v->slot);
	functions_load(v);
	nucleus_unlock();
}

/* The view's root, made and usable: whatever its frame was root of before is cached nowhere. */
static int root_usable(uint32_t domain, uint32_t view, uint64_t *root)
{
	int error;

	if (view && view < VIEWS_MAX && nuc_views[domain][view].live && nuc_views[domain][view].root_known) {
		*root = nuc_views[domain][view].root;
		return 0;
	}
	error = view_root_need(domain, view, root);
	if (!error && view) {
		nuc_views[domain][view].root_known = 1;
		vmx_root_flush(domain, *root);
	}
	return error;
}

/* ---- steps ------------------------------------------------------------------------ */

/*
 * One instruction in another view, then back: the monitor trap flag, and beside it
 * the preemption timer, for CPUs on which the flag is missing or does not work. The
 * timer starts with a count in which no CPU can do more than one instruction, and
 * grows while RIP and RCX show that none was done; so neither way runs two. But
 * with more than one CPU the timer of Bochs is late half of the time. There, as
 * long as the trap flag has not been seen to work, the guest's TF is set as well,
 * and its #DB swallowed: exact, but a fault that the instruction itself runs into
 * saves TF with the other flags. Instructions whose purpose is to save them are
 * left to the timer.
 */
static bool trap_flag_works;

/* Whether the instruction at RIP can be stepped over by TF. Nucleus lock not held. */
static bool step_by_tf(const struct nuc_vcpu *v)
{
	uint64_t base = vmread(VMCS_GUEST_CS_RIGHTS) & CODE_64 ? 0 : vmread(VMCS_GUEST_CS_BASE);
	uint64_t linear = base + vmread(VMCS_GUEST_RIP);
	uint8_t code[2] = { 0x66, 0 };
	uint32_t i;

	/* In a shadow an entry with TF insists on a pending trap; in a delivery TF would be saved. */
	if (trap_flag_works || cpu_online == 1 || vmread(VMCS_GUEST_RFLAGS) & RFLAGS_TF ||
	    vmread(VMCS_GUEST_INTERRUPTIBILITY) & (BLOCKING_STI | BLOCKING_MOV_SS) ||
	    vmread(VMCS_IDT_VECTORING) & INTERRUPTION_VALID)
		return false;
	/* Behind an operand-size prefix and a REX. */
	for (i = 0; i < 3 && (code[0] == 0x66 || (code[0] & 0xf0) == 0x40); i++) {
		if (!guest_linear_bytes(v, linear + i, code, 2))
			return false;
	}
	/* PUSHF, INT3, INT n, INTO, INT1, SYSCALL, SYSENTER */
	return code[0] != 0x9c && (code[0] & 0xfc) != 0xcc && code[0] != 0xf1 &&
	       !(code[0] == 0x0f && (code[1] == 0x05 || code[1] == 0x34));
}

/* TF as it was. The VMCS is loaded. */
static void step_untrap(struct nuc_vcpu *v)
{
	if (!v->step_tf)
		return;
	v->step_tf = false;
	vmwrite(VMCS_GUEST_RFLAGS, vmread(VMCS_GUEST_RFLAGS) & ~(uint64_t)RFLAGS_TF);
	vmwrite(VMCS_GUEST_PENDING_DEBUG, vmread(VMCS_GUEST_PENDING_DEBUG) & ~(uint64_t)PENDING_STEP);
}

static void step_begin(struct nuc_vcpu *v, uint64_t root, bool by_tf)
{
	v->step_tf = by_tf;
	if (by_tf)
		vmwrite(VMCS_GUEST_RFLAGS, vmread(VMCS_GUEST_RFLAGS) | RFLAGS_TF);
	v->step_back = v->eptp;
	v->step_slot = v->slot;
	v->step_rip = vmread(VMCS_GUEST_RIP);
	v->step_rcx = v->regs.rcx;
	v->step_count = STEP_FIRST;
	v->step_eptp = eptp_of(root);
	v->stepping = true;
	__atomic_store_n(&v->attention, 1, __ATOMIC_RELAXED);
	view_load(v, v->step_eptp, v->slot);
}

/* The VMCS is loaded. */
static void step_end(struct nuc_vcpu *v)
{
	v->stepping = false;
	step_untrap(v);
	/* If the instruction was a VMFUNC, it is somewhere else by its own wish. */
	if (v->eptp == v->step_eptp)
		view_load(v, v->step_back, v->step_slot);
}

static void step_done(struct nuc_vcpu *v)
{
	/* Against another CPU that puts it into a view just now. */
	nucleus_lock();
	if (v->stepping)
		step_end(v);
	step_untrap(v);
	nucleus_unlock();
}

void vmfunc_trap_flag(struct nuc_vcpu *v)
{
	trap_flag_works = true;
	step_done(v);
}

bool vmfunc_step_trap(struct nuc_vcpu *v)
{
	if (!v->step_tf)
		return false;
	step_done(v);
	return true;
}

/* Before an entry in the middle of a step. */
static void step_go_on(struct nuc_vcpu *v)
{
	if (vmread(VMCS_GUEST_RIP) != v->step_rip || v->regs.rcx != v->step_rcx || v->step_count > STEP_LAST) {
		step_end(v);
		return;
	}
	vmwrite(VMCS_PREEMPTION_TIMER, v->step_count);
	v->step_count *= 2;
}

void vcpu_attend(struct nuc_vcpu *v)
{
	nucleus_lock();
	if (v->view_changed) {
		v->view_changed = false;
		view_load(v, v->eptp, v->slot);
	}
	if (v->functions_changed) {
		v->functions_changed = false;
		functions_load(v);
	}
	if (v->stepping)
		step_go_on(v);
	else
		step_untrap(v);
	__atomic_store_n(&v->attention, v->stepping, __ATOMIC_RELEASE);
	nucleus_unlock();
}

/* ---- VMFUNC without hardware ---------------------------------------------------------- */

bool vmfunc_emulate(struct nuc_vcpu *v)
{
	uint32_t slot = (uint32_t)v->regs.rcx, view;
	uint8_t code[VMFUNC_LENGTH];
	uint64_t rip = vmread(VMCS_GUEST_RIP);
	/* In 64-bit code the base of CS counts as 0. */
	uint64_t base = vmread(VMCS_GUEST_CS_RIGHTS) & CODE_64 ? 0 : vmread(VMCS_GUEST_CS_BASE);

	if (!v->functions || cpu_has_vmfunc || (uint32_t)v->regs.rax != 0 || slot >= WINDOW_ENTRIES ||
	    !guest_linear_bytes(v, base + rip, code, VMFUNC_LENGTH) ||
	    code[0] != 0x0f || code[1] != 0x01 || code[2] != 0xd4)
		return false;
	nucleus_lock();
	view = v->window[slot];
	if (view != VIEW_NONE)
		view_load(v, eptp_known(vcpu_domain(v), view), (uint16_t)slot);
	nucleus_unlock();
	if (view == VIEW_NONE)
		return false;
	/* The length of an instruction that faults is not told; this one has three bytes. */
	vcpu_advance(rip + VMFUNC_LENGTH);
	return true;
}

/* ---- EPT violations ---------------------------------------------------------------------- */

/* The information area, if this violation is to be a #VE that hardware doesn't make. */
static struct ve_info *ve_wanted(const struct nuc_vcpu *v, const struct view_entry *entry)
{
	struct ve_info *info;

	if (!v->functions || cpu_has_ve || entry->suppress_ve ||
	    vmread(VMCS_IDT_VECTORING) & INTERRUPTION_VALID || !(vmread(VMCS_GUEST_CR0) & CR0_PE))
		return NULL;
	info = phys_to_ptr(v->ve_mfn << PAGE_SHIFT);
	return __atomic_load_n(&info->busy, __ATOMIC_RELAXED) ? NULL : info;
}

static bool allowed(const struct exit *e, uint32_t access)
{
	return !((e->memory.read && !(access & ACCESS_R)) || (e->memory.write && !(access & ACCESS_W)) ||
		 (e->memory.fetch && !(access & ACCESS_X)));
}

/* An IRET that violated had unblocked NMIs already (SDM 28.2.3, table 28-7). */
static void nmi_block_again(void)
{
	if (vmread(VMCS_EXIT_QUALIFICATION) & QUALIFICATION_NMI_UNBLOCKED &&
	    !(vmread(VMCS_IDT_VECTORING) & INTERRUPTION_VALID))
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY, vmread(VMCS_GUEST_INTERRUPTIBILITY) | BLOCKING_NMI);
}

enum violation vmfunc_violation(struct nuc_vcpu *v, struct exit *e)
{
	gfn_t gfn = gfn_of(e->memory.gpa >> PAGE_SHIFT);
	uint32_t domain = vcpu_domain(v), view;
	struct view_entry entry;
	enum violation result = VIOLATION_CORE;
	bool stepped, by_tf = step_by_tf(v);
	struct translation now;
	struct ve_info *info;
	uint64_t root;

	/* In no view: nothing there. A domain that is ending may have lost its tables. */
	entry = (struct view_entry){ .target = ~0ull, .step = VIEW_NONE, .suppress_ve = 1 };
	nucleus_lock();
	stepped = v->stepping;
	view = view_of(v->eptp);
	now = view_translate(domain, view, gfn);
	if (stepped)
		step_end(v);
	nmi_block_again();
	if (view_entry_at(domain, view, gfn, &entry))
		entry.step = VIEW_NONE;
	e->memory.view = (uint16_t)view;
	e->memory.mapped = entry.target != ~0ull;
	e->memory.access = entry.access;
	e->memory.functions = v->functions;
	info = ve_wanted(v, &entry);
	if (now.present && allowed(e, now.access) && v->retries < RETRIES) {
		/* Another CPU has allowed it, or moved the vCPU, since it left the guest. */
		v->retries++;
		nucleus_unlock();
		return VIOLATION_RETRY;
	}
	v->retries = 0;
	if (info) {
		info->reason = VE_REASON;
		info->qualification = vmread(VMCS_EXIT_QUALIFICATION);
		info->linear = vmread(VMCS_GUEST_LINEAR);
		info->physical = e->memory.gpa;
		info->index = v->slot;
		__atomic_store_n(&info->busy, 0xffffffff, __ATOMIC_RELEASE);
		result = VIOLATION_VE;
	} else if (!stepped && entry.step != VIEW_NONE &&
		   allowed(e, view_translate(domain, entry.step, gfn).access) &&
		   !root_usable(domain, entry.step, &root)) {
		step_begin(v, root, by_tf);
		result = VIOLATION_RETRY;
	}
	nucleus_unlock();
	return result;
}

/* ---- what the engine asks -------------------------------------------------------------------- */

static void list_write(struct nuc_vcpu *v, uint32_t slot, uint32_t view)
{
	if (v->eptp_list)
		__atomic_store_n((uint64_t *)phys_to_ptr(v->eptp_list) + slot,
				 view == VIEW_NONE ? EPTP_NONE : eptp_known(vcpu_domain(v), view), __ATOMIC_RELEASE);
}

/* Writes `shown` to the list wherever the window shows the view. */
static void list_replace(struct nuc_vcpu *v, uint32_t view, uint32_t shown)
{
	uint32_t slot;

	if (view < WINDOW_ENTRIES && v->window[view] == view)
		list_write(v, view, shown);
	for (slot = 0; v->odd_slots && slot < WINDOW_ENTRIES; slot++) {
		if (v->window[slot] == view)
			list_write(v, slot, shown);
	}
}

static void window_write(struct nuc_vcpu *v, uint32_t slot, uint32_t view)
{
	uint32_t old = v->window[slot];

	if (unlikely(old != VIEW_NONE && old != slot))
		v->odd_slots--;
	if (unlikely(view != VIEW_NONE && view != slot))
		v->odd_slots++;
	v->window[slot] = (uint16_t)view;
}

uint32_t machine_view_vcpus(uint32_t domain, uint32_t view)
{
	uint32_t vcpus = vmx_vcpus[domain], count = 0;

	while (vcpus) {
		const struct nuc_vcpu *v = take_vcpu(domain, &vcpus);

		count += view_now(v) == view || (v->stepping && view_of(v->step_back) == view);
	}
	return count;
}

/* The view is in none of the vCPU's slots from now on. */
static void window_forget(struct nuc_vcpu *v, uint32_t view)
{
	uint32_t slot;

	if (view < WINDOW_ENTRIES && v->window[view] == view)
		window_write(v, view, VIEW_NONE);
	for (slot = 0; v->odd_slots && slot < WINDOW_ENTRIES; slot++) {
		if (v->window[slot] == view)
			window_write(v, slot, VIEW_NONE);
	}
}

bool machine_view_evict(uint32_t domain, uint32_t view)
{
	uint32_t vcpus, functions = 0, others;
	uint64_t root = nuc_views[domain][view].root;

	if (!nuc_views[domain][view].root_known) {
		/* Nobody can have got in, but it may be in windows. */
		for (vcpus = vmx_vcpus[domain]; vcpus;)
			window_forget(take_vcpu(domain, &vcpus), view);
		return true;
	}
	for (vcpus = vmx_vcpus[domain]; vcpus;) {
		uint32_t bit = vcpus & -vcpus;
		struct nuc_vcpu *v = take_vcpu(domain, &vcpus);

		if (v->functions) {
			functions |= bit;
			list_replace(v, view, VIEW_NONE);
		}
	}
	/* Others can't move by themselves: what is known of them is so. */
	for (others = functions; others;)
		vcpu_hold(take_vcpu(domain, &others));
	if (machine_view_vcpus(domain, view)) {
		while (functions)
			list_replace(take_vcpu(domain, &functions), view, view);
		return false;
	}
	for (vcpus = vmx_vcpus[domain]; vcpus;)
		window_forget(take_vcpu(domain, &vcpus), view);
	vmx_root_flush(domain, root);
	return true;
}

bool machine_ve_page(uint32_t domain, uint64_t gfn)
{
	uint32_t vcpus = vmx_vcpus[domain];

	while (vcpus) {
		const struct nuc_vcpu *v = take_vcpu(domain, &vcpus);

		if (v->functions && v->ve_gfn == gfn)
			return true;
	}
	return false;
}

void vmfunc_end(struct nuc_vcpu *v)
{
	if (!v->functions)
		return;
	memory_unpin(mfn_of(v->ve_mfn));
	frame_free(mfn_of(v->eptp_list >> PAGE_SHIFT), ORDER_4K);
	v->functions = false;
	v->eptp_list = 0;
}

/* Every root that a vCPU is in or can get to by VMFUNC is one of its domain's, and the one its window says. */
void vmfunc_audit(struct audit *report)
{
	uint32_t handle, slot;

	for (handle = 0; handle < VCPUS_MAX; handle++) {
		const struct nuc_vcpu *v = &nuc_vcpus[handle];
		uint32_t domain = vcpu_domain(v);
		uint64_t root = (v->eptp & PTE_ADDRESS) >> PAGE_SHIFT;
		const uint64_t *list = phys_to_ptr(v->eptp_list);

		if (!v->created || !nuc_domain_find(domain))
			continue;
		report->broken[1] += view_root(domain, view_of(v->eptp)) != root || frames[root].owner != domain;
		for (slot = 0; v->eptp_list && slot < WINDOW_ENTRIES; slot++) {
			uint32_t view = v->window[slot];

			report->broken[1] += list[slot] != (view == VIEW_NONE ? EPTP_NONE :
									       eptp_of(view_root(domain, view)));
		}
	}
}

/* ---- gate calls --------------------------------------------------------------------------------- */

static struct nuc_vcpu *vcpu_find(uint32_t handle)
{
	return handle < VCPUS_MAX && nuc_vcpus[handle].created ? &nuc_vcpus[handle] : NULL;
}

uint32_t nuc_vcpu_view(uint32_t handle)
{
	uint32_t view;

	nucleus_lock();
	CHECK(vcpu_find(handle));
	view = view_now(&nuc_vcpus[handle]);
	nucleus_unlock();
	return view;
}

int nuc_view_enter(uint32_t domain, uint32_t vcpus, uint32_t view)
{
	uint64_t root;
	int error;

	nucleus_lock();
	error = nuc_domain_find(domain) ? root_usable(domain, view, &root) : -ESRCH;
	if (!error) {
		vcpus &= vmx_vcpus[domain];
		while (vcpus) {
			struct nuc_vcpu *v = take_vcpu(domain, &vcpus);

			v->view_changed = !vcpu_hold(v);
			v->stepping = false;
			v->eptp = eptp_of(root);
			v->slot = slot_of(v, view);
			if (!v->view_changed) {
				step_untrap(v);
				view_load(v, v->eptp, v->slot);
			}
		}
	}
	nucleus_unlock();
	return error;
}

int nuc_view_window(uint32_t domain, uint32_t vcpus, uint32_t slot, uint32_t view)
{
	uint32_t some;
	int error = 0;

	if (slot >= WINDOW_ENTRIES)
		return -EINVAL;
	nucleus_lock();
	if (!nuc_domain_find(domain))
		error = -ESRCH;
	else if (view != VIEW_NONE && (view >= VIEWS_MAX || !nuc_views[domain][view].live))
		error = -ENOENT;
	vcpus = error ? 0 : vcpus & vmx_vcpus[domain];
	/* A view that nobody can get to needs no root yet: functions_on makes it. */
	for (some = vcpus; some && view != VIEW_NONE && !error;) {
		uint64_t root;

		if (take_vcpu(domain, &some)->functions)
			error = root_usable(domain, view, &root);
	}
	while (vcpus && !error) {
		struct nuc_vcpu *v = take_vcpu(domain, &vcpus);

		window_write(v, slot, view);
		list_write(v, slot, view);
	}
	nucleus_unlock();
	return error;
}

int nuc_vcpu_window(uint32_t handle, uint32_t slot)
{
	int view = -EINVAL;

	nucleus_lock();
	if (vcpu_find(handle) && slot < WINDOW_ENTRIES)
		view = nuc_vcpus[handle].window[slot];
	nucleus_unlock();
	return view;
}

static int functions_on(struct nuc_vcpu *v, gfn_t ve_page)
{
	uint32_t domain = vcpu_domain(v), slot;
	struct translation base, here;
	mfn_t mfn, page;
	uint64_t root;
	int error;

	if (v->functions)
		return -EEXIST;
	for (slot = 0; slot < WINDOW_ENTRIES; slot++) {
		if (v->window[slot] != VIEW_NONE && root_usable(domain, v->window[slot], &root))
			return -ENOMEM;
	}
	/* The CPU is going to write there whatever views say, so the guest must be able to. */
	base = view_translate(domain, 0, ve_page);
	here = view_translate(domain, view_now(v), ve_page);
	if (!base.present || !here.present || base.mfn != here.mfn ||
	    (base.access & here.access & (ACCESS_R | ACCESS_W)) != (ACCESS_R | ACCESS_W) ||
	    view_any_set(domain, ve_page))
		return -ENOENT;
	error = memory_pin(domain, ve_page, &mfn);
	if (error)
		return error;
	if (frame_alloc(ORDER_4K, FRAME_NUCLEUS, DOMAIN_NONE, &page)) {
		memory_unpin(mfn);
		return -ENOMEM;
	}
	v->eptp_list = page.mfn << PAGE_SHIFT;
	for (slot = 0; slot < WINDOW_ENTRIES; slot++)
		list_write(v, slot, v->window[slot]);
	v->ve_mfn = mfn.mfn;
	v->ve_gfn = ve_page.gfn;
	v->slot = slot_of(v, view_now(v));
	v->functions = true;
	return 0;
}

/* One vCPU's functions have been changed, or haven't; it is held. */
static void functions_apply(struct nuc_vcpu *v, bool loaded_here)
{
	if (loaded_here)
		functions_load(v);
	else
		v->functions_changed = true;
}

int nuc_vcpu_functions_on(uint32_t handle, gfn_t ve_page)
{
	struct nuc_vcpu *v;
	int error = -EINVAL;

	nucleus_lock();
	v = vcpu_find(handle);
	if (v) {
		bool here = vcpu_hold(v);

		error = functions_on(v, ve_page);
		functions_apply(v, here);
	}
	nucleus_unlock();
	return error;
}

int nuc_vcpu_functions_off(uint32_t handle)
{
	struct nuc_vcpu *v;

	nucleus_lock();
	v = vcpu_find(handle);
	if (v) {
		bool here = vcpu_hold(v);

		vmfunc_end(v);
		functions_apply(v, here);
	}
	nucleus_unlock();
	return v ? 0 : -EINVAL;
}
