/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random HVMOP_altp2m calls that look right, or nearly, from all vCPUs at once,
 * in between VMFUNC to anywhere, accesses to pages whose views change, and pages
 * given away and taken back. It must survive itself, its own guarded pages must
 * keep what they hold, and nobody else may notice. Options: seed=<number>,
 * ops=<operations in all, 1000000>, trace=<number>: from that operation of each
 * vCPU on, say what comes next.
 *
 * Left out is only what would legitimately end this guest: pages of its own image
 * are never remapped to others, and never restricted in view 0. The first half
 * restricts only pages that it can do without, and switches altp2m, VMFUNC and #VE
 * on and off. The second half takes anything from any view but view 0, and for
 * that VMFUNC stays on: then what it loses it gets back by the rule for violations
 * without a listener, in view 0, where the instruction is tried again.
 */
#include "guest.h"

const char test_name[] = "hostile-altp2m";

#define GFN(address) ((uint64_t)(address) >> 12)
#define LOST	     48
#define GUARDS	     8
#define STEP	     10000

static uint8_t lost[LOST][4096] __attribute__((aligned(4096)));
static uint8_t big[512][4096] __attribute__((aligned(2 << 20)));
static uint64_t guard[GUARDS][512] __attribute__((aligned(4096)));
static uint8_t ve_pages[CPU_MAX][4096] __attribute__((aligned(4096)));

struct fixup {
	uint64_t fault, resume;
};
extern const struct fixup ex_table_start[], ex_table_end[];
extern const char image_end[];

static struct attacker {
	struct random random;
	uint64_t done, calls, accepted, jumps, jumped, faults, told;
	uint64_t last_rip, repeats;
	uint64_t gfns[64];
	uint8_t accesses[64];
	struct altp2m_view rows[16];
	struct altp2m_op op;
} attackers[CPU_MAX];

static volatile uint64_t total, finished;
static uint64_t goal, seed, trace_from;
static uint32_t cpus;
static volatile bool ruthless; /* the second half */
static struct barrier barrier;

static uint64_t below(struct attacker *a, uint64_t n)
{
	return random_below(&a->random, n);
}

/* A number that is more often near an edge than not. */
static uint64_t edge(struct attacker *a)
{
	uint64_t r = random_next(&a->random);

	switch (r & 7) {
	case 0:
		return 0;
	case 1:
		return ~0ull;
	case 2:
		return 1ull << (r >> 8 & 63);
	case 3:
		return (1ull << (r >> 8 & 63)) - 1;
	case 4:
		return 0u - (r >> 8 & 4095);
	case 5:
		return r >> 8 & 31;
	case 6:
		return r >> 8 & 0xffff;
	default:
		return random_next(&a->random);
	}
}

static uint16_t some_view(struct attacker *a)
{
	uint64_t r = random_next(&a->random);

	switch (r & 15) {
	case 0:
		return 0;
	case 1:
		return (uint16_t)edge(a);
	case 2:
		return r >> 8 & 2047;
	case 3:
		return ALTP2M_NO_VIEW;
	default:
		return 1 + (r >> 8 & 7);
	}
}

static uint32_t some_vcpu(struct attacker *a)
{
	return below(a, 16) ? (uint32_t)below(a, cpus) : (uint32_t)edge(a);
}

/* A page that we can lose, a hole, nonsense; never a page of the image. */
static uint64_t lost_gfn(struct attacker *a)
{
	uint64_t r = random_next(&a->random);

	switch (r & 15) {
	case 0:
		return 0x70000 + (r >> 8 & 0xffff); /* below the local APIC */
	case 1:
		return 1ull << (20 + (r >> 8) % 44);
	case 2:
		return ~0ull - (r >> 8 & 3);
	case 3:
		return 0x100000 + (r >> 8 & 0xffffffffff);
	case 4:
	case 5:
	case 6:
	case 7:
		/* Around the edges of 2 MiB, too */
		return GFN(big) + ((r >> 8) % 3 ? (r >> 16) % 512 : ((r >> 16) & 1) * 511);
	default:
		return GFN(lost) + (r >> 8) % LOST;
	}
}

/* Where a view other than 0 may be told anything, the image is worth a try. */
static uint64_t any_gfn(struct attacker *a, uint16_t view)
{
	if (view == 0 || !ruthless || below(a, 4))
		return lost_gfn(a);
	return 0x100 + below(a, GFN(image_end) - 0x100);
}

static uint16_t some_access(struct attacker *a)
{
	return below(a, 16) ? (uint16_t)below(a, 11) : (uint16_t)edge(a);
}

/* What a whole view allows where nothing else is said. */
static uint16_t some_default(struct attacker *a)
{
	if (below(a, 2))
		return ACCESS_rwx;
	return ruthless ? some_access(a) : ACCESS_default;
}

static uint32_t some_command(struct attacker *a)
{
	/* Sub-ops as often as they are worth it; on and off are rare, or nothing would ever be set up. */
	static const uint8_t often[] = {1,  3,	3,  4,	4,  5,	6,  7,	7,  7,	7,  7,	8,  8,
					8,  8,	9,  9,	10, 10, 11, 12, 13, 14, 15, 16, 16, 64,
					65, 66, 66, 67, 67, 68, 68, 69, 70, 70, 71, 71, 72, 73};

	if (below(a, 64) == 0)
		return (uint32_t)edge(a);
	if (below(a, 300) == 0)
		return ALTP2M_set_domain_state;
	return often[below(a, ARRAY_SIZE(often))];
}

static void make_call(struct attacker *a, struct altp2m_op *op)
{
	uint32_t command = some_command(a);
	uint16_t view = some_view(a);
	uint64_t n;

	*op = (struct altp2m_op){.version = ALTP2M_VERSION, .cmd = command, .domain = DOMID_SELF};
	switch (command) {
	case ALTP2M_set_domain_state:
		op->u.domain_state.state = ruthless || below(a, 4) != 0;
		break;
	case ALTP2M_vcpu_enable_notify:
		op->u.enable_notify.vcpu_id = some_vcpu(a);
		op->u.enable_notify.gfn =
			below(a, 3) ? GFN(ve_pages[op->u.enable_notify.vcpu_id % CPU_MAX]) : lost_gfn(a);
		break;
	case ALTP2M_create_empty:
		if (!ruthless)
			op->cmd = ALTP2M_create_p2m;
		op->u.view.default_access = some_default(a);
		break;
	case ALTP2M_create_p2m:
		op->u.view.default_access = some_default(a);
		break;
	case ALTP2M_destroy_p2m:
	case ALTP2M_switch_p2m:
		op->u.view.view = view;
		break;
	case ALTP2M_set_mem_access:
	case ALTP2M_get_mem_access:
		op->u.mem_access.view = view;
		op->u.mem_access.access = some_access(a);
		op->u.mem_access.gfn = any_gfn(a, view);
		break;
	case ALTP2M_change_gfn:
		op->u.change_gfn.view = view;
		op->u.change_gfn.old_gfn = any_gfn(a, view);
		op->u.change_gfn.new_gfn = below(a, 4) ? lost_gfn(a) : ALTP2M_NO_GFN;
		/* Of the image, a page may only become itself. */
		if (op->u.change_gfn.old_gfn >= 0x100 && op->u.change_gfn.old_gfn < GFN(image_end) &&
		    (op->u.change_gfn.old_gfn < GFN(lost) || op->u.change_gfn.old_gfn >= GFN(lost) + LOST) &&
		    (op->u.change_gfn.old_gfn < GFN(big) || op->u.change_gfn.old_gfn >= GFN(big) + 512))
			op->u.change_gfn.new_gfn = op->u.change_gfn.old_gfn;
		break;
	case ALTP2M_set_mem_access_multi:
		n = below(a, ARRAY_SIZE(a->gfns) + 1);
		for (uint64_t i = 0; i < n; i++) {
			a->gfns[i] = any_gfn(a, view);
			a->accesses[i] = (uint8_t)(below(a, 64) ? below(a, 11) : edge(a));
		}
		op->u.mem_access_multi.view = view;
		op->u.mem_access_multi.nr = (uint32_t)n;
		op->u.mem_access_multi.opaque = below(a, 8) ? 0 : edge(a);
		op->u.mem_access_multi.gfns = (uint64_t)a->gfns;
		op->u.mem_access_multi.accesses = (uint64_t)a->accesses;
		if (below(a, 32) == 0)
			op->u.mem_access_multi.gfns = 2ull << 39; /* not mapped */
		break;
	case ALTP2M_set_suppress_ve:
	case ALTP2M_get_suppress_ve:
		op->u.suppress_ve.view = view;
		op->u.suppress_ve.suppress = below(a, 4) == 0;
		op->u.suppress_ve.gfn = any_gfn(a, view);
		break;
	case ALTP2M_vcpu_disable_notify:
		op->u.disable_notify.vcpu_id = some_vcpu(a);
		if (ruthless && op->u.disable_notify.vcpu_id < cpus)
			op->u.disable_notify.vcpu_id += cpus;
		break;
	case ALTP2M_get_p2m_idx:
		op->u.p2m_idx.vcpu_id = some_vcpu(a);
		break;
	case ALTP2M_set_suppress_ve_multi:
		op->u.suppress_ve_multi.view = view;
		op->u.suppress_ve_multi.suppress = below(a, 4) == 0;
		op->u.suppress_ve_multi.first_gfn = any_gfn(a, view);
		op->u.suppress_ve_multi.last_gfn = op->u.suppress_ve_multi.first_gfn + below(a, 20);
		if (below(a, 64) == 0)
			op->u.suppress_ve_multi.last_gfn = edge(a);
		break;
	case ALTP2M_set_visibility:
		op->u.visibility.view = view;
		op->u.visibility.visible = below(a, 4) != 0;
		break;
	case ALTP2M_list_views:
		op->u.list.from = below(a, 2) ? 0 : (uint32_t)edge(a);
		op->u.list.count = (uint32_t)below(a, ARRAY_SIZE(a->rows) + 1);
		op->u.list.buffer = (uint64_t)a->rows;
		break;
	case ALTP2M_get_entry:
		op->u.entry.view = view;
		op->u.entry.gfn = any_gfn(a, view);
		break;
	case ALTP2M_switch_vcpu:
		op->u.switch_vcpu.vcpu_id = some_vcpu(a);
		op->u.switch_vcpu.view = view;
		break;
	case ALTP2M_set_window:
		op->u.window.vcpu_id = some_vcpu(a);
		op->u.window.slot = (uint16_t)(below(a, 4) ? below(a, 16) : edge(a));
		op->u.window.view = view;
		break;
	case ALTP2M_set_default_access:
		op->u.default_access.view = view;
		op->u.default_access.access = some_default(a);
		break;
	case ALTP2M_split_remap:
		op->u.split_remap.view = view;
		op->u.split_remap.data_view = some_view(a);
		op->u.split_remap.gfn = lost_gfn(a);
		op->u.split_remap.exec_gfn = lost_gfn(a);
		op->u.split_remap.data_gfn = lost_gfn(a);
		break;
	case ALTP2M_set_step:
		op->u.step.view = view;
		op->u.step.step_view = some_view(a);
		op->u.step.gfn = any_gfn(a, view);
		break;
	case ALTP2M_get_generation:
		op->u.generation.view = view;
		break;
	case ALTP2M_bind_invalidation:
		op->u.invalidation.port = (uint32_t)edge(a);
		break;
	default:
		break;
	}
	/* Something that doesn't belong there, now and then: only what none of the fields above is. */
	switch (below(a, 400)) {
	case 0:
		op->version = (uint32_t)edge(a);
		break;
	case 1:
		op->domain = (uint16_t)edge(a);
		break;
	case 2:
		op->pad1 = (uint16_t)edge(a);
		break;
	case 3:
		op->pad2 = (uint32_t)edge(a);
		break;
	}
}

static void attack_call(struct attacker *a)
{
	struct altp2m_op *op = &a->op;
	uint64_t at = (uint64_t)op;

	make_call(a, op);
	if (a->done >= trace_from)
		print("cpu %u op %lu cmd %u %lx %lx %lx %lx\n", this_cpu()->id, a->done, op->cmd,
		      *(uint64_t *)&op->u.size[0], *(uint64_t *)&op->u.size[8], *(uint64_t *)&op->u.size[16],
		      *(uint64_t *)&op->u.size[24]);
	if (below(a, 200) == 0)
		at = below(a, 2) ? 2ull << 39 : 1ull << 63;
	a->calls++;
	if (hypercall2(HC_hvm_op, HVM_altp2m, at) == 0)
		a->accepted++;
}

static void attack_vmfunc(struct attacker *a)
{
	uint32_t slot = (uint32_t)(below(a, 8) ? below(a, 12) : edge(a));
	uint32_t leaf = below(a, 32) ? 0 : (uint32_t)edge(a);

	if (a->done >= trace_from)
		print("cpu %u op %lu vmfunc %x %x\n", this_cpu()->id, a->done, leaf, slot);
	a->jumps++;
	a->jumped += vmfunc_try(leaf, slot);
}

static void attack_touch(struct attacker *a)
{
	uint64_t r = random_next(&a->random), value = 0;
	volatile uint8_t *at = r & 1 ? lost[(r >> 8) % LOST] : big[(r >> 8) % 512];

	at += r >> 32 & 0xff8;
	/* Every violation leads back to view 0: often from there to where there is one to be had. */
	if (r & 8)
		attack_vmfunc(a);
	if (r & 2)
		asm volatile("1: movq (%0), %1\n2:" FIXUP : : "r"(at), "r"(value) : "memory");
	else if (r & 4)
		asm volatile("1: movq %1, (%0)\n2:" FIXUP : : "r"(at), "r"(r) : "memory");
	else
		asm volatile("1: lock xaddq %1, (%0)\n2:" FIXUP : : "r"(at), "r"(r) : "memory", "cc");
}

static void attack_memory(struct attacker *a)
{
	uint64_t gfn = below(a, 2) ? GFN(lost) + below(a, LOST) : GFN(big) + below(a, 512);
	struct xen_reservation r = {.extents = (uint64_t)&gfn, .count = 1, .domid = DOMID_SELF};

	hypercall2(HC_memory_op, below(a, 3) ? MEM_populate_physmap : MEM_decrease_reservation, &r);
}

/* The guarded pages: in every view they are themselves or not there at all. */
static void check_guards(struct attacker *a)
{
	uint64_t r = random_next(&a->random), page = r % GUARDS, word = r >> 8 & 511;
	uint64_t value = *(volatile uint64_t *)&guard[page][word];

	if (value != (page << 32 | word)) {
		test_failure("guarded word %lu of page %lu is %lx", word, page, value);
		test_end();
	}
}

/*
 * A violation. Attacks on pages that may be gone end there; anything else is done
 * again, in view 0, as another vCPU may have put us anywhere at any time.
 */
static void on_fault(struct frame *f)
{
	struct attacker *a = &attackers[this_cpu()->id];

	a->faults++;
	for (const struct fixup *x = ex_table_start; x < ex_table_end; x++) {
		if (x->fault == f->rip) {
			f->rip = x->resume;
			return;
		}
	}
	a->repeats = a->last_rip == f->rip ? a->repeats + 1 : 0;
	a->last_rip = f->rip;
	if (a->repeats > 10000) {
		test_error("vector %lu again and again at %lx, cpu %u, operation %lu", f->vector, f->rip,
			   this_cpu()->id, a->done);
		test_end();
	}
}

/* A #VE: mostly taken, and then it may well come again; the next one without is refused. */
static void on_ve(struct frame *f)
{
	struct attacker *a = &attackers[this_cpu()->id];
	struct ve_info *info = (struct ve_info *)ve_pages[this_cpu()->id];

	a->told++;
	if (a->told & 3)
		info->busy = 0;
	if (a->told & 4)
		vmfunc_try(0, 0);
	on_fault(f);
}

/*
 * Faults are taken on the stack in use: another one may come at any instruction of
 * a handler, and would else begin on the very same stack.
 */
static void stay_on_stack(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr;

	asm volatile("sidt %0" : "=m"(idtr));
	for (uint32_t i = 0; i < 32; i++) {
		volatile uint8_t *ist = (volatile uint8_t *)(idtr.base + i * 16 + 4);

		if (*ist == STACK_TRAP)
			*ist = 0;
	}
}

static void attack(struct attacker *a)
{
	switch (below(a, 16)) {
	case 0:
	case 1:
	case 2:
		attack_vmfunc(a);
		break;
	case 3:
	case 4:
		attack_touch(a);
		break;
	case 5:
		if (below(a, 4) == 0)
			attack_memory(a);
		check_guards(a);
		break;
	default:
		attack_call(a);
	}
	a->done++;
}

/* Everything off and on again; the second half with VMFUNC on all vCPUs. */
static void begin_half(bool second)
{
	ruthless = second;
	CHECK_EQUAL(altp2m_set_domain_state(DOMID_SELF, false), 0);
	CHECK_EQUAL(altp2m_set_domain_state(DOMID_SELF, true), 0);
	for (uint32_t i = 0; second && i < cpus; i++)
		CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, i, GFN(ve_pages[i])), 0);
}

static void run(uint32_t id)
{
	struct attacker *a = &attackers[id];
	uint64_t mine = goal / cpus;

	a->random.state = seed + id * 0x632be59bd9b4e019ull;
	for (uint64_t i = 1; i <= mine; i++) {
		if (i == 1 || i == mine / 2) {
			barrier_wait(&barrier, cpus);
			if (id == 0)
				begin_half(i != 1);
			barrier_wait(&barrier, cpus);
		}
		attack(a);
		/* Counted together a hundred at a time: the vCPUs shouldn't march in step. */
		if (i % 100 == 0) {
			uint64_t now = __atomic_add_fetch(&total, 100, __ATOMIC_SEQ_CST);

			if (now % STEP == 0)
				print("hostile-altp2m: %lu of %lu\n", now, goal);
		}
	}
	__atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
}

void test_main(void)
{
	struct attacker sum = {.done = 0};

	if (!xen_base()) {
		test_skip("not under Xen's ABI");
		return;
	}
	seed = option_number("seed=", 1);
	goal = option_number("ops=", 1000000);
	trace_from = option_number("trace=", ~0ull);
	cpus = smp_count();
	goal -= goal % (cpus * 100);
	for (uint64_t i = 0; i < GUARDS; i++) {
		for (uint64_t j = 0; j < 512; j++)
			guard[i][j] = i << 32 | j;
	}
	print("hostile-altp2m: seed %lu, %lu operations, %u vCPUs\n", seed, goal, cpus);
	trap_hook(VECTOR_GP, on_fault);
	trap_hook(VECTOR_VE, on_ve);
	stay_on_stack();
	if (smp_start(run) != cpus) {
		test_error("not all vCPUs start");
		return;
	}
	run(0);
	while (finished < cpus)
		relax();
	/* Still in its senses, and nothing is left behind. */
	CHECK_EQUAL(altp2m_set_domain_state(DOMID_SELF, false), 0);
	CHECK(!vmfunc_try(0, 0) && this_cpu()->trap.vector == VECTOR_UD);
	for (uint64_t i = 0; i < GUARDS; i++) {
		for (uint64_t j = 0; j < 512; j++) {
			if (guard[i][j] != (i << 32 | j)) {
				test_failure("guarded word %lu of page %lu is %lx", j, i, guard[i][j]);
				return;
			}
		}
	}
	for (uint32_t i = 0; i < cpus; i++) {
		sum.done += attackers[i].done;
		sum.calls += attackers[i].calls;
		sum.accepted += attackers[i].accepted;
		sum.jumps += attackers[i].jumps;
		sum.jumped += attackers[i].jumped;
		sum.faults += attackers[i].faults;
		sum.told += attackers[i].told;
	}
	CHECK(sum.accepted > sum.calls / 10);
	CHECK(sum.jumped > sum.jumps / 50);
	CHECK(sum.faults && sum.told);
	test_note("ops=%lu seed=%lu calls=%lu accepted=%lu vmfunc=%lu/%lu faults=%lu ve=%lu", sum.done, seed,
		  sum.calls, sum.accepted, sum.jumped, sum.jumps, sum.faults, sum.told);
}
