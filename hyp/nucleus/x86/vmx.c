/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMCSs: what each field starts as, how a vCPU gets on and off a CPU, and the
 * translations the CPU may keep of a domain. SDM volume 3, chapters 24 to 28.
 */
#include "vcpu.h"
#include "asm.h"
#include "frame.h"
#include "lock.h"
#include "memory.h"
#include "string.h"
#include "view.h"
#include "vmcs.h"
#include "x86_policy.h"

#define INVEPT_SINGLE 1u
#define INVEPT_ALL 2u
#define KICK_LOOKS 1024u
#define PLE_GAP 128u
#define PLE_WINDOW 4096u

extern char vmexit_entry[];

struct nuc_vcpu nuc_vcpus[VCPUS_MAX];
uint32_t vmx_vcpus[DOMAINS_MAX];
struct cpu_state cpu_states[CPUS_MAX];

static uint64_t msr_bitmap;           /* physical, one for all */
static uint64_t vmxon_regions[CPUS_MAX];
/* From 1: nothing that is all zero is up to date. */
static uint64_t flush_generation[DOMAINS_MAX] = { [0 ... DOMAINS_MAX - 1] = 1 };
uint64_t vmx_domain_flushes[DOMAINS_MAX] = { [0 ... DOMAINS_MAX - 1] = 1 };
uint64_t vmx_root_flushes[ROOT_FLUSHES];
static uint8_t timer_shift;

static const uint32_t switched_msrs[SWITCHED_MSRS] = { MSR_STAR,   MSR_LSTAR,  MSR_CSTAR,
						       MSR_SFMASK, MSR_TSC_AUX, MSR_KERNEL_GS_BASE };

/* ---- set-up -------------------------------------------------------------------- */

static uint64_t new_page(void)
{
	mfn_t mfn;

	return frame_alloc(ORDER_4K, FRAME_NUCLEUS, DOMAIN_NONE, &mfn) ? 0 : mfn.mfn << PAGE_SHIFT;
}

static void bitmap_open(uint32_t msr, bool read, bool write)
{
	uint8_t *map = phys_to_ptr(msr_bitmap);
	uint32_t half = msr >= 0xc0000000u ? 1024 : 0, bit = msr & 0x1fff;

	if (read)
		map[half + bit / 8] &= (uint8_t)~(1u << (bit % 8));
	if (write)
		map[2048 + half + bit / 8] &= (uint8_t)~(1u << (bit % 8));
}

void vmx_init(void)
{
	static const uint32_t open[] = { MSR_SYSENTER_CS, MSR_SYSENTER_CS + 1, MSR_SYSENTER_CS + 2,
					 MSR_PAT,         MSR_STAR,            MSR_LSTAR,
					 MSR_CSTAR,       MSR_SFMASK,          MSR_FS_BASE,
					 MSR_GS_BASE,     MSR_KERNEL_GS_BASE,  MSR_TSC_AUX };
	uint32_t i;

	msr_bitmap = new_page();
	if (!msr_bitmap)
		panic("no memory for the MSR bitmap");
	memset(phys_to_ptr(msr_bitmap), 0xff, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(open); i++)
		bitmap_open(open[i], true, true);
	bitmap_open(0x10, true, false);       /* TSC */
	bitmap_open(MSR_EFER, true, false);
	timer_shift = rdmsr(MSR_VMX_MISC) & 31;
}

void vmx_cpu_init(uint32_t cpu)
{
	uint64_t control = rdmsr(MSR_FEATURE_CONTROL), region = new_page();

	if (!region)
		panic("no memory for the VMXON region of CPU %u", cpu);
	vmxon_regions[cpu] = region;
	*(uint32_t *)phys_to_ptr(region) = (uint32_t)rdmsr(MSR_VMX_BASIC) & 0x7fffffff;
	if (!(control & 1))
		wrmsr(MSR_FEATURE_CONTROL, control | 5); /* VMX outside SMX, locked */
	write_cr0((read_cr0() | rdmsr(MSR_VMX_CR0_FIXED0)) & rdmsr(MSR_VMX_CR0_FIXED1));
	write_cr4((read_cr4() | rdmsr(MSR_VMX_CR4_FIXED0)) & rdmsr(MSR_VMX_CR4_FIXED1));
	if (!vmxon(region))
		panic("VMXON fails on CPU %u", cpu);
}

/* The wanted control bits plus those that this CPU insists on (SDM A.3). */
static uint32_t controls(uint32_t msr, uint32_t wanted)
{
	uint64_t v = rdmsr(msr);

	return (wanted | (uint32_t)v) & (uint32_t)(v >> 32);
}

static void write_segment(uint32_t index, uint16_t selector, uint64_t base, uint32_t limit, uint32_t rights)
{
	vmwrite(VMCS_GUEST_ES_SEL + 2 * index, selector);
	vmwrite(VMCS_GUEST_ES_BASE + 2 * index, base);
	vmwrite(VMCS_GUEST_ES_LIMIT + 2 * index, limit);
	vmwrite(VMCS_GUEST_ES_RIGHTS + 2 * index, rights);
}

static void write_controls(struct nuc_vcpu *v)
{
	uint32_t proc2 = PROC2_EPT | PROC2_RDTSCP | PROC2_VPID | PROC2_WBINVD | PROC2_UNRESTRICTED | PROC2_INVPCID |
			 (cpu_has_pause_loop ? PROC2_PAUSE_LOOP : 0);

	v->proc_controls = controls(MSR_VMX_TRUE_PROC, PROC_TSC_OFFSET | PROC_HLT | PROC_MWAIT | PROC_RDPMC |
							       PROC_CR8_LOAD | PROC_CR8_STORE | PROC_ALL_IO |
							       PROC_MSR_BITMAP | PROC_MONITOR | PROC_SECONDARY);
	vmwrite(VMCS_PIN_CONTROLS, controls(MSR_VMX_TRUE_PIN, PIN_EXTERNAL_INTERRUPT | PIN_NMI | PIN_VIRTUAL_NMI |
								      PIN_PREEMPTION_TIMER));
	vmwrite(VMCS_PROC_CONTROLS, v->proc_controls);
	vmwrite(VMCS_PROC2_CONTROLS, controls(MSR_VMX_PROC2, proc2));
	vmwrite(VMCS_EXIT_CONTROLS,
		controls(MSR_VMX_TRUE_EXIT, EXITC_SAVE_DEBUG | EXITC_HOST_64 | EXITC_ACK_INTERRUPT | EXITC_SAVE_PAT |
						    EXITC_LOAD_PAT | EXITC_SAVE_EFER | EXITC_LOAD_EFER |
						    EXITC_SAVE_TIMER));
	vmwrite(VMCS_ENTRY_CONTROLS,
		controls(MSR_VMX_TRUE_ENTRY, ENTRYC_LOAD_DEBUG | ENTRYC_LOAD_PAT | ENTRYC_LOAD_EFER) &
			~ENTRYC_LONG_MODE);
	vmwrite(VMCS_CR3_TARGETS, 0);
	vmwrite(VMCS_EXIT_MSR_STORES, 0);
	vmwrite(VMCS_EXIT_MSR_LOADS, 0);
	vmwrite(VMCS_ENTRY_MSR_LOADS, 0);
	vmwrite(VMCS_ENTRY_INTERRUPTION, 0);
	vmwrite(VMCS_MSR_BITMAP, msr_bitmap);
	vmwrite(VMCS_TSC_OFFSET, 0);
	vmwrite(VMCS_LINK, ~0ull);
	vmfunc_controls(v);
	vmwrite(VMCS_VPID, vcpu_handle(v) + 1);
	if (cpu_has_pause_loop) {
		vmwrite(VMCS_PLE_GAP, PLE_GAP);
		vmwrite(VMCS_PLE_WINDOW, PLE_WINDOW);
	}
}

/* Host state that is the same on every CPU. */
static void write_host(struct nuc_vcpu *v)
{
	vmwrite(VMCS_HOST_CR0, read_cr0());
	vmwrite(VMCS_HOST_CR3, paging_roots.nucleus);
	vmwrite(VMCS_HOST_CR4, read_cr4());
	vmwrite(VMCS_HOST_PAT, rdmsr(MSR_PAT));
	vmwrite(VMCS_HOST_EFER, rdmsr(MSR_EFER));
	vmwrite(VMCS_HOST_CS_SEL, SEL_CODE);
	vmwrite(VMCS_HOST_SS_SEL, SEL_DATA);
	vmwrite(VMCS_HOST_DS_SEL, SEL_DATA);
	vmwrite(VMCS_HOST_ES_SEL, SEL_DATA);
	vmwrite(VMCS_HOST_FS_SEL, 0);
	vmwrite(VMCS_HOST_GS_SEL, 0);
	vmwrite(VMCS_HOST_TR_SEL, SEL_TSS);
	vmwrite(VMCS_HOST_FS_BASE, 0);
	vmwrite(VMCS_HOST_SYSENTER_CS, 0);
	vmwrite(VMCS_HOST_SYSENTER_ESP, 0);
	vmwrite(VMCS_HOST_SYSENTER_EIP, 0);
	vmwrite(VMCS_HOST_RIP, (uint64_t)vmexit_entry);
	vmwrite(VMCS_HOST_RSP, (uint64_t)&v->regs + sizeof(v->regs));
}

/* Register state at the PVH entry (xen's PVH boot ABI) or after a SIPI (SDM 9.1, 9.4). */
static void write_guest(struct nuc_vcpu *v, enum vcpu_start how, uint32_t entry, uint32_t argument)
{
	bool pvh = how == START_PVH;
	uint32_t i, data_rights = pvh ? 0xc093 : 0x93, limit = pvh ? 0xffffffff : 0xffff;

	memset(&v->regs, 0, sizeof(v->regs));
	v->regs.rbx = argument;
	for (i = 0; i < 6; i++)
		write_segment(i, 0, 0, limit, data_rights);
	if (pvh)
		write_segment(1, 0, 0, limit, 0xc09b);
	else
		write_segment(1, (uint16_t)(entry << 8), entry << 12, limit, 0x9b);
	write_segment(6, 0, 0, 0xffff, 0x10000);        /* LDTR: unusable */
	write_segment(7, 0, 0, 0x67, 0x8b);             /* TR: busy 32-bit TSS */
	vmwrite(VMCS_GUEST_GDTR_BASE, 0);
	vmwrite(VMCS_GUEST_GDTR_LIMIT, 0xffff);
	vmwrite(VMCS_GUEST_IDTR_BASE, 0);
	vmwrite(VMCS_GUEST_IDTR_LIMIT, 0xffff);
	/*
	 * NE is fixed to 1 in VMX operation; CD and NW are never the guest's to set; PG
	 * is watched so that entering and leaving long mode is always seen.
	 */
	vmwrite(VMCS_CR0_MASK, CR0_NE | CR0_CD | CR0_NW | CR0_PG);
	vmwrite(VMCS_CR0_SHADOW, pvh ? 0x11 : 0x10);
	vmwrite(VMCS_GUEST_CR0, (pvh ? 0x11 : 0x10) | CR0_NE);
	vmwrite(VMCS_GUEST_CR3, 0);
	vmwrite(VMCS_CR4_MASK, ~cpu_cr4_allowed);
	vmwrite(VMCS_CR4_SHADOW, 0);
	vmwrite(VMCS_GUEST_CR4, CR4_VMXE);
	vmwrite(VMCS_GUEST_EFER, 0);
	vmwrite(VMCS_GUEST_PAT, 0x0007040600070406ull);
	vmwrite(VMCS_GUEST_DEBUGCTL, 0);
	vmwrite(VMCS_GUEST_DR7, 0x400);
	vmwrite(VMCS_GUEST_RSP, 0);
	vmwrite(VMCS_GUEST_RIP, pvh ? entry : 0);
	vmwrite(VMCS_GUEST_RFLAGS, 2);
	vmwrite(VMCS_GUEST_PENDING_DEBUG, 0);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmwrite(VMCS_GUEST_ACTIVITY, 0);
	vmwrite(VMCS_GUEST_SYSENTER_CS, 0);
	vmwrite(VMCS_GUEST_SYSENTER_ESP, 0);
	vmwrite(VMCS_GUEST_SYSENTER_EIP, 0);

	v->long_mode = 0;
	v->inject = 0;
	v->cr2 = 0;
	memset(v->dr, 0, sizeof(v->dr));
	v->dr6 = 0xffff0ff0;
	memset(v->msrs, 0, sizeof(v->msrs));
	v->xcr0 = 1;
	memset(v->xsave, 0, PAGE_SIZE);
	((uint16_t *)v->xsave)[0] = 0x37f;                       /* FCW and MXCSR as FNINIT leaves them */
	((uint32_t *)v->xsave)[6] = 0x1f80;
	((uint64_t *)v->xsave)[64] = 3;                          /* XSTATE_BV: x87 and SSE come from here */
}

/* ---- on and off a CPU -------------------------------------------------------------- */

static void fpu_save(struct nuc_vcpu *v)
{
	xsetbv(0, cpu_xcr0_allowed);
	xsave(v->xsave, cpu_xcr0_allowed);
}

static void fpu_restore(struct nuc_vcpu *v)
{
	xsetbv(0, cpu_xcr0_allowed);
	xrstor(v->xsave, cpu_xcr0_allowed);
	xsetbv(0, v->xcr0);
}

void vmx_load(struct nuc_vcpu *v)
{
	struct cpu_state *c = cpu_here();
	struct gate_cpu *g = &gate_cpus[gate_here->cpu];
	uint32_t i, handle = vcpu_handle(v), nobody = CPU_NONE;

	/*
	 * The CPU that had it lets go as soon as its core returns; nothing it waits
	 * for is held here.
	 */
	while (!__atomic_compare_exchange_n(&v->loaded, &nobody, g->cpu, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		nobody = CPU_NONE;
		pause();
	}
	c->loaded = v;
	__atomic_store_n(&c->loaded_domain, vcpu_domain(v), __ATOMIC_SEQ_CST);
	nuc_domains[vcpu_domain(v)].ran = true;
	if (!vmptrld(v->vmcs))
		panic("VMPTRLD of vCPU %u fails: %lu", handle, vmread(VMCS_INSTRUCTION_ERROR));
	if (v->start_wanted) {
		v->start_wanted = false;
		write_controls(v);
		write_host(v);
		write_guest(v, v->start_how, v->start_entry, v->start_argument);
		invvpid(INVVPID_SINGLE, (uint16_t)(handle + 1));
	}
	if (v->last_cpu != g->cpu) {
		vmwrite(VMCS_HOST_GS_BASE, (uint64_t)g);
		vmwrite(VMCS_HOST_TR_BASE, (uint64_t)&g->tss);
		vmwrite(VMCS_HOST_GDTR_BASE, (uint64_t)g->gdt);
		vmwrite(VMCS_HOST_IDTR_BASE, (uint64_t)idt);
		invvpid(INVVPID_SINGLE, (uint16_t)(handle + 1));
	}
	fpu_restore(v);
	v->last_cpu = g->cpu;
	for (i = 0; i < SWITCHED_MSRS; i++)
		wrmsr(switched_msrs[i], v->msrs[i]);
	write_dr0(v->dr[0]);
	write_dr1(v->dr[1]);
	write_dr2(v->dr[2]);
	write_dr3(v->dr[3]);
	write_dr6(v->dr6);
	write_cr2(v->cr2);
	g->vcpu = handle;
	g->regs = (uint64_t)&v->regs;
}

void vmx_unload(void)
{
	struct cpu_state *c = cpu_here();
	struct gate_cpu *g = &gate_cpus[gate_here->cpu];
	struct nuc_vcpu *v = c->loaded;
	uint32_t i;

	if (!v)
		return;
	fpu_save(v);
	for (i = 0; i < SWITCHED_MSRS; i++)
		v->msrs[i] = rdmsr(switched_msrs[i]);
	v->dr[0] = read_dr0();
	v->dr[1] = read_dr1();
	v->dr[2] = read_dr2();
	v->dr[3] = read_dr3();
	v->dr6 = read_dr6();
	v->cr2 = read_cr2();
	if (!vmclear(v->vmcs))
		panic("VMCLEAR of vCPU %u fails", vcpu_handle(v));
	v->launched = 0;
	c->loaded = NULL;
	c->loaded_domain = DOMAIN_NONE;
	g->vcpu = VCPU_NONE;
	__atomic_store_n(&v->loaded, CPU_NONE, __ATOMIC_RELEASE);
}

/* ---- translations ---------------------------------------------------------------------- */

/*
 * What CPUs cache of second-stage tables is tagged with the root. A domain that has
 * ever had another root than its base's is flushed with all that the CPU has.
 */
static bool many_roots[DOMAINS_MAX];

static void flush_here(struct cpu_state *c, uint32_t domain, uint64_t generation)
{
	if (likely(many_roots[domain]))
		invept(INVEPT_ALL, 0);
	else
		invept(INVEPT_SINGLE, vmx_eptp(domain));
	__atomic_store_n(&c->flushed[domain], generation, __ATOMIC_RELEASE);
}

void vmx_flush_if_needed(struct nuc_vcpu *v)
{
	struct cpu_state *c = cpu_here();
	uint32_t domain = vcpu_domain(v);
	uint64_t now = __atomic_load_n(&flush_generation[domain], __ATOMIC_SEQ_CST);

	if (c->flushed[domain] != now)
		flush_here(c, domain, now);
}

/*
 * Bochs does not look at waiting interrupts when it enters a guest with IF = 0,
 * until the guest changes IF: there the kick may do nothing, but an NMI does. One
 * that comes just before the entry is taken by the host and gone, so it is sent
 * again and again.
 */
void vmx_expel(uint32_t cpu, const uint64_t *count, uint64_t enough)
{
	const struct gate_cpu *g = &gate_cpus[cpu];
	uint32_t looks = 0;

	apic_send(cpu, VECTOR_KICK);
	while (__atomic_load_n(&g->in_guest, __ATOMIC_SEQ_CST) &&
	       (!count || __atomic_load_n(count, __ATOMIC_ACQUIRE) < enough)) {
		pause();
		if (++looks % KICK_LOOKS == 0)
			apic_send_nmi(cpu);
	}
}

/* The vCPU may be walking tables from this root, or start to without an exit. */
static bool may_be_in(const struct nuc_vcpu *v, uint64_t root)
{
	return !root || !v || v->functions || (v->eptp & PTE_ADDRESS) >> PAGE_SHIFT == root;
}

/*
 * Every CPU drops the domain's translations before it enters the domain again
 * (the generation), and those inside it now, and perhaps in this view, are made to
 * leave. A CPU announces itself (in_guest), then takes a credit; we take all its
 * credit, then look: one of the two sees the other. Only the exit is waited for,
 * never the core. This CPU is not in the guest: it drops them right here.
 */
static void flush(uint32_t domain, uint64_t root)
{
	uint64_t generation = __atomic_add_fetch(&flush_generation[domain], 1, __ATOMIC_SEQ_CST);
	uint32_t here = gate_here->cpu, cpu;

	if (root)
		vmx_root_flushes[root & (ROOT_FLUSHES - 1)]++;
	else
		vmx_domain_flushes[domain]++;
	if (cpu_here()->loaded_domain == domain)
		flush_here(cpu_here(), domain, generation);
	for (cpu = 0; cpu < cpu_online; cpu++) {
		struct gate_cpu *g = &gate_cpus[cpu];
		struct cpu_state *c = &cpu_states[cpu];

		if (cpu == here || __atomic_load_n(&c->loaded_domain, __ATOMIC_SEQ_CST) != domain)
			continue;
		__atomic_exchange_n(&g->credit, 0, __ATOMIC_SEQ_CST);
		if (!__atomic_load_n(&g->in_guest, __ATOMIC_SEQ_CST) ||
		    !may_be_in(__atomic_load_n(&c->loaded, __ATOMIC_RELAXED), root))
			continue;
		/* It may have left, flushed and come back between two looks. */
		vmx_expel(cpu, &c->flushed[domain], generation);
	}
}

void machine_flush_domain(uint32_t domain) { flush(domain, 0); }

void machine_flush_view(uint32_t domain, uint32_t view)
{
	const struct view *v = &nuc_views[domain][view];

	/* From a root that no CPU has been given nothing is cached. */
	if (v->root_known)
		flush(domain, v->root);
}

void vmx_root_flush(uint32_t domain, uint64_t root)
{
	many_roots[domain] = true;
	flush(domain, root);
}

uint64_t machine_gfn_limit(void)
{
	uint32_t r[4];

	cpuid(0x80000008, 0, r);
	return 1ull << ((r[0] & 0xff) < 48 ? (r[0] & 0xff) - PAGE_SHIFT : 36);
}

uint32_t machine_order_max(void) { return cpu_has_1g_ept ? ORDER_1G : ORDER_2M; }

bool machine_domain_busy(uint32_t domain)
{
	uint32_t i;

	for (i = domain * DOMAIN_VCPUS_MAX; i < (domain + 1) * DOMAIN_VCPUS_MAX; i++) {
		if (nuc_vcpus[i].created && (vcpu_is_chosen(&nuc_vcpus[i]) || nuc_vcpus[i].loaded != CPU_NONE))
			return true;
	}
	return false;
}

void machine_domain_end(uint32_t domain)
{
	uint32_t i;

	for (i = domain * DOMAIN_VCPUS_MAX; i < (domain + 1) * DOMAIN_VCPUS_MAX; i++) {
		struct nuc_vcpu *v = &nuc_vcpus[i];

		if (!v->created)
			continue;
		if (v->window_length)
			memory_unpin(mfn_of(v->window_mfn));
		vmfunc_end(v);
		frame_free(mfn_of(v->vmcs >> PAGE_SHIFT), ORDER_4K);
		frame_free(mfn_of(((uint64_t)v->xsave - DIRECT_MAP_VA) >> PAGE_SHIFT), ORDER_4K);
		memset(v, 0, sizeof(*v));
	}
	vmx_vcpus[domain] = 0;
}

/* ---- gate calls ---------------------------------------------------------------------------- */

int nuc_vcpu_create(uint32_t handle)
{
	struct nuc_vcpu *v;
	uint64_t vmcs;
	mfn_t xsave;
	int rc = 0;

	if (handle >= VCPUS_MAX)
		return -EINVAL;
	v = &nuc_vcpus[handle];
	nucleus_lock();
	if (!nuc_domain_find(handle / DOMAIN_VCPUS_MAX)) {
		rc = -ESRCH;
	} else if (v->created) {
		rc = -EEXIST;
	} else if (!(vmcs = new_page())) {
		rc = -ENOMEM;
	} else if (frame_alloc(ORDER_4K, FRAME_NUCLEUS, DOMAIN_NONE, &xsave)) {
		frame_free(mfn_of(vmcs >> PAGE_SHIFT), ORDER_4K);
		rc = -ENOMEM;
	} else {
		memset(v, 0, sizeof(*v));
		v->vmcs = vmcs;
		v->xsave = phys_to_ptr(xsave.mfn << PAGE_SHIFT);
		v->chosen = v->loaded = v->last_cpu = CPU_NONE;
		v->posted = -1;
		v->eptp = vmx_eptp(handle / DOMAIN_VCPUS_MAX);
		memset(v->window, 0xff, sizeof(v->window));
		*(uint32_t *)phys_to_ptr(vmcs) = (uint32_t)rdmsr(MSR_VMX_BASIC) & 0x7fffffff;
		if (!vmclear(vmcs))
			panic("VMCLEAR of a new VMCS fails");
		v->created = true;
		vmx_vcpus[handle / DOMAIN_VCPUS_MAX] |= 1u << handle % DOMAIN_VCPUS_MAX;
	}
	nucleus_unlock();
	return rc;
}

int nuc_vcpu_start(uint32_t handle, enum vcpu_start how, uint32_t entry, uint32_t argument)
{
	struct nuc_vcpu *v;
	int rc = 0;

	if (handle >= VCPUS_MAX || (how != START_PVH && how != START_SIPI) || (how == START_SIPI && entry > 0xff))
		return -EINVAL;
	v = &nuc_vcpus[handle];
	nucleus_lock();
	if (!v->created) {
		rc = -EINVAL;
	} else if (vcpu_is_chosen(v)) {
		rc = -EBUSY;
	} else {
		v->start_how = (uint8_t)how;
		v->start_entry = entry;
		v->start_argument = argument;
		v->start_wanted = true;
		v->started = true;
		v->posted = -1;
		v->nmi_posted = false;
	}
	nucleus_unlock();
	return rc;
}

uint8_t vmx_timer_shift(void) { return timer_shift; }
