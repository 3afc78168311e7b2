/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What views cost, measured by the guest that has them: the same file runs on
 * Xen and on Ravelin, so that the figures can stand side by side.
 *
 * Prints "BENCH <name> <median> min <n> max <n>" in ticks, each the time from one
 * RDTSC to the next with one operation between, and "FACT <name> <n> <unit>" for
 * what is not a time. What the measuring itself costs is the row `rdtsc`, and is
 * contained in all rows but those said below to be net.
 *
 * Uses one vCPU and leaves others off. Needs altp2m mode "mixed" and 256 MiB that
 * the host maps with 2 MiB pages.
 */
#include "guest.h"

const char test_name[] = "bench-altp2m";

#define RUNS	  501
#define RUNS_LONG 15
#define MIB	  (1ull << 20)
#define REGION	  (2 * MIB)
#define GFN(a)	  ((a) >> 12)

/* What each part of the bench has for its own, in 2 MiB pages of the host's. */
#define SMALL_AREA    (64 * MIB) /* split into 4 KiB pages, 8 regions */
#define SMALL_PAGES   4096u
#define ACCESS_AREA   (96 * MIB)
#define ACCESS_NR     31u
#define CHANGE_AREA   (160 * MIB)
#define CHANGE_NR     21u
#define TARGET_AREA   (204 * MIB)
#define TOUCHED_AREA  (208 * MIB)
#define FRESH_AREA    (212 * MIB)
#define MEMORY_NEEDED (216 * MIB)

static uint64_t ticks[RUNS];
/* `volatile`: the CPU writes to it. `used`: so do handlers in assembly. */
static volatile struct ve_info ve_page __attribute__((aligned(4096), used));
static volatile uint8_t ro_page[4096] __attribute__((aligned(4096)));
static uint64_t gfns[512] __attribute__((aligned(4096)));
static uint8_t accesses[512] __attribute__((aligned(512)));
static volatile uint32_t unasked;

/* Ends the part that it stands in; the others still run. */
#define NEED(call)                                                                                           \
	do {                                                                                                 \
		long need_result = (call);                                                                   \
		if (need_result) {                                                                           \
			test_error("%s: %ld", #call, need_result);                                           \
			return;                                                                              \
		}                                                                                            \
	} while (0)

/* The console's reader has a vCPU to itself only while we wait, so wait here and not while measuring. */
static void row(const char *name, uint32_t n)
{
	sort_u64(ticks, n);
	print("BENCH %s %lu min %lu max %lu\n", name, ticks[n / 2], ticks[0], ticks[n - 1]);
	print_flush();
}

/* ---- exits --------------------------------------------------------------- */

static void bench_rdtsc(void)
{
	for (uint32_t i = 0; i < RUNS; i++) {
		uint64_t start = rdtsc();

		ticks[i] = rdtsc() - start;
	}
	row("rdtsc", RUNS);
}

static void bench_exits(const char *hypercall_name, const char *cpuid_name)
{
	for (uint32_t i = 0; i < RUNS; i++) {
		uint64_t start = rdtsc();
		long version = hypercall2(HC_xen_version, 0, 0);

		ticks[i] = rdtsc() - start;
		if (version >> 16 != 4)
			test_error("Xen's version is said to be %lx", version);
	}
	row(hypercall_name, RUNS);
	for (uint32_t i = 0; i < RUNS; i++) {
		uint64_t start = rdtsc();
		struct cpuid leaf = cpuid(0, 0);

		ticks[i] = rdtsc() - start;
		if (leaf.ebx != 0x756e6547) /* "Genu" */
			test_error("CPUID 0 gives %x %x", leaf.eax, leaf.ebx);
	}
	row(cpuid_name, RUNS);
}

/* ---- calls --------------------------------------------------------------- */

/* Leaves it on. */
static void bench_domain_state(void)
{
	bool on = false;

	for (uint32_t i = 0; i < RUNS_LONG; i++) {
		uint64_t start = rdtsc();
		long r = altp2m_set_domain_state(DOMID_SELF, true);

		ticks[i] = rdtsc() - start;
		NEED(r);
		NEED(altp2m_set_domain_state(DOMID_SELF, false));
	}
	NEED(altp2m_set_domain_state(DOMID_SELF, true));
	row("altp2m_set_domain_state", RUNS_LONG);
	for (uint32_t i = 0; i < RUNS; i++) {
		uint64_t start = rdtsc();
		long r = altp2m_get_domain_state(DOMID_SELF, &on);

		ticks[i] = rdtsc() - start;
		NEED(r);
	}
	if (!on)
		test_error("altp2m is on and said to be off");
	row("altp2m_get_domain_state", RUNS);
}

static void bench_create_destroy(void)
{
	static uint64_t create_ticks[RUNS];
	uint16_t view;

	for (uint32_t i = 0; i < RUNS; i++) {
		uint64_t start = rdtsc();
		long r = altp2m_create(DOMID_SELF, ACCESS_rwx, &view);

		create_ticks[i] = rdtsc() - start;
		NEED(r);
		start = rdtsc();
		r = altp2m_destroy(DOMID_SELF, view);
		ticks[i] = rdtsc() - start;
		NEED(r);
	}
	row("altp2m_destroy", RUNS);
	memcpy(ticks, create_ticks, sizeof(ticks));
	row("altp2m_create", RUNS);
}

/* Both views have been in use before: what a first touch costs is a row of its own. */
static void bench_switch(void)
{
	uint16_t view;

	NEED(altp2m_create(DOMID_SELF, ACCESS_rwx, &view));
	for (uint32_t i = 0; i < RUNS; i++) {
		uint64_t start = rdtsc();
		long r = altp2m_switch(DOMID_SELF, i & 1 ? ALTP2M_HOST : view);

		ticks[i] = rdtsc() - start;
		NEED(r);
	}
	NEED(altp2m_switch(DOMID_SELF, ALTP2M_HOST));
	NEED(altp2m_destroy(DOMID_SELF, view));
	row("altp2m_switch", RUNS);
}

/*
 * The first call in a region splits the 2 MiB page of the view that is asked for.
 * The view has another region split already, so the tables above are there.
 */
static void bench_set_mem_access(void)
{
	uint64_t next;
	uint16_t view;
	long r;

	NEED(altp2m_create(DOMID_SELF, ACCESS_rwx, &view));
	NEED(altp2m_set_mem_access(DOMID_SELF, view, GFN(TOUCHED_AREA), ACCESS_r));
	for (uint32_t i = 0; i < ACCESS_NR; i++) {
		uint64_t start = rdtsc();

		r = altp2m_set_mem_access(DOMID_SELF, view, GFN(ACCESS_AREA + i * REGION), ACCESS_r);
		ticks[i] = rdtsc() - start;
		NEED(r);
	}
	row("altp2m_set_mem_access_first_2m", ACCESS_NR);

	next = GFN(ACCESS_AREA) + 1;
	for (uint32_t i = 0; i < RUNS; i++) {
		uint64_t start = rdtsc();

		r = altp2m_set_mem_access(DOMID_SELF, view, next + i, ACCESS_r);
		ticks[i] = rdtsc() - start;
		NEED(r);
	}
	row("altp2m_set_mem_access_next", RUNS);

	/* Every call changes all of them, and none back to what the host has. */
	for (uint32_t i = 0; i < 512; i++)
		gfns[i] = GFN(ACCESS_AREA) + i;
	for (uint32_t i = 0; i < RUNS_LONG; i++) {
		uint64_t start;

		memset(accesses, i & 1 ? ACCESS_r : ACCESS_rx, sizeof(accesses));
		start = rdtsc();
		r = altp2m_set_mem_access_multi(DOMID_SELF, view, 512, gfns, accesses);
		ticks[i] = rdtsc() - start;
		NEED(r);
	}
	row("altp2m_set_mem_access_multi_512", RUNS_LONG);

	for (uint32_t i = 0; i < RUNS; i++) {
		uint64_t start = rdtsc();

		r = altp2m_set_suppress_ve(DOMID_SELF, view, GFN(ACCESS_AREA) + i, false);
		ticks[i] = rdtsc() - start;
		NEED(r);
	}
	row("altp2m_set_suppress_ve", RUNS);
	NEED(altp2m_destroy(DOMID_SELF, view));

	/* The same as the first row, in a view that has no tables yet. */
	for (uint32_t i = 0; i < RUNS_LONG; i++) {
		uint64_t start;

		NEED(altp2m_create(DOMID_SELF, ACCESS_rwx, &view));
		start = rdtsc();
		r = altp2m_set_mem_access(DOMID_SELF, view, GFN(FRESH_AREA), ACCESS_r);
		ticks[i] = rdtsc() - start;
		NEED(r);
		NEED(altp2m_destroy(DOMID_SELF, view));
	}
	row("altp2m_set_mem_access_fresh_view", RUNS_LONG);
}

static void bench_change_gfn(void)
{
	uint64_t next;
	uint16_t view;
	long r;

	NEED(altp2m_create(DOMID_SELF, ACCESS_rwx, &view));
	NEED(altp2m_set_mem_access(DOMID_SELF, view, GFN(TOUCHED_AREA), ACCESS_r));
	for (uint32_t i = 0; i < CHANGE_NR; i++) {
		uint64_t start = rdtsc();

		r = altp2m_change_gfn(DOMID_SELF, view, GFN(CHANGE_AREA + i * REGION), GFN(TARGET_AREA));
		ticks[i] = rdtsc() - start;
		NEED(r);
	}
	row("altp2m_change_gfn_first", CHANGE_NR);
	next = GFN(CHANGE_AREA) + 1;
	for (uint32_t i = 0; i < RUNS; i++) {
		uint64_t start = rdtsc();

		r = altp2m_change_gfn(DOMID_SELF, view, next + i, GFN(TARGET_AREA) + i);
		ticks[i] = rdtsc() - start;
		NEED(r);
	}
	row("altp2m_change_gfn_next", RUNS);
	for (uint32_t i = 0; i < RUNS; i++) {
		uint64_t start = rdtsc();

		r = altp2m_change_gfn(DOMID_SELF, view, next + i, ALTP2M_NO_GFN);
		ticks[i] = rdtsc() - start;
		NEED(r);
	}
	row("altp2m_change_gfn_revert", RUNS);
	NEED(altp2m_destroy(DOMID_SELF, view));
}

/*
 * Page-table pages of a view's own: untouched, and with one page of 4 KiB changed.
 * Told by Ravelin; Xen has no call that would.
 */
static void say_tables(const char *name, uint16_t view)
{
	uint32_t from = view, count = 1;
	struct altp2m_view v;

	NEED(altp2m_list_views(DOMID_SELF, &from, &v, &count));
	if (count != 1 || v.view != view)
		test_error("list_views: %u views, view %u instead of %u", count, v.view, view);
	print("FACT %s %u pages\n", name, v.tables);
}

static void count_tables(void)
{
	uint32_t from = 0, count = 0;
	uint16_t view;

	if (altp2m_list_views(DOMID_SELF, &from, NULL, &count) == -XEN_EOPNOTSUPP)
		return;
	NEED(altp2m_create(DOMID_SELF, ACCESS_rwx, &view));
	say_tables("view_tables_untouched", view);
	NEED(altp2m_set_mem_access(DOMID_SELF, view, GFN(FRESH_AREA), ACCESS_r));
	say_tables("view_tables_one_page", view);
	NEED(altp2m_destroy(DOMID_SELF, view));
}

/* ---- inside a view ------------------------------------------------------- */

/* Reads a byte of each page: four instructions a page, so that little but the faults is measured. */
static __attribute__((noinline)) uint64_t touch(uint64_t from, uint64_t pages)
{
	uint64_t start = rdtsc(), end = from + pages * 4096;

	asm volatile("1:\tmovb (%0), %%al\n\t"
		     "addq $4096, %0\n\t"
		     "cmpq %1, %0\n\t"
		     "jne 1b"
		     : "+r"(from)
		     : "r"(end)
		     : "rax", "memory", "cc");
	return rdtsc() - start;
}

/*
 * The host's tables get single pages where one page of a region differs; it keeps
 * differing, since a host may merge what is alike again. Everything is readable.
 */
static void split_host(void)
{
	for (uint64_t a = SMALL_AREA; a < SMALL_AREA + SMALL_PAGES * 4096; a += REGION)
		NEED(altp2m_set_mem_access(DOMID_SELF, ALTP2M_HOST, GFN(a) + 511, ACCESS_r));
}

static void bench_first_touch(const char *name, uint64_t from, uint64_t pages)
{
	uint16_t view;

	for (uint32_t i = 0; i < RUNS_LONG; i++) {
		NEED(altp2m_create(DOMID_SELF, ACCESS_rwx, &view));
		vmfunc(view);
		/* Code, stack and page tables of the guest are touched by this. */
		touch(TARGET_AREA, 4);
		ticks[i] = touch(from, pages);
		vmfunc(ALTP2M_HOST);
		NEED(altp2m_destroy(DOMID_SELF, view));
	}
	row(name, RUNS_LONG);
}

/*
 * RDTSC is the first instruction in the view: its result is the time at which it
 * is done. Nothing is touched but the code and the guest's own page tables.
 */
static void bench_enter_fresh(void)
{
	uint16_t view;

	for (uint32_t i = 0; i < RUNS_LONG; i++) {
		uint64_t start;

		NEED(altp2m_create(DOMID_SELF, ACCESS_rwx, &view));
		start = rdtsc();
		vmfunc(view);
		ticks[i] = rdtsc() - start;
		vmfunc(ALTP2M_HOST);
		NEED(altp2m_destroy(DOMID_SELF, view));
	}
	row("view_enter_fresh", RUNS_LONG);
}

/* ---- net of the measuring ------------------------------------------------- */

/*
 * Ticks between two RDTSC with `body` between, which may use RAX, RCX and RDX and
 * finds `p` in RDI and `n` in R8. With an empty body: what to subtract.
 */
#define TICKS(result, body, p, n)                                                                            \
	do {                                                                                                 \
		register uint64_t r8 asm("r8") = (n);                                                        \
		asm volatile("rdtsc\n\tmovl %%eax, %%esi\n\t" body "rdtsc\n\tsubl %%esi, %%eax"              \
			     : "=a"(result)                                                                  \
			     : "D"(p), "r"(r8)                                                               \
			     : "rcx", "rdx", "rsi", "memory", "cc");                                         \
	} while (0)
#define VMFUNC ".byte 0x0f, 0x01, 0xd4\n\t"

static uint32_t net_cost(void)
{
	uint32_t t;

	TICKS(t, "", NULL, 0);
	return t;
}

/* Net: one way between two views both in use before, the two operands loaded; 32 times there and back. */
static void bench_vmfunc(void)
{
	uint16_t view;
	uint32_t t;

	NEED(altp2m_create(DOMID_SELF, ACCESS_rwx, &view));
	for (uint32_t i = 0; i < RUNS; i++) {
		TICKS(t,
		      ".rept 32\n\t"
		      "xorl %%eax, %%eax\n\tmovl %%r8d, %%ecx\n\t" VMFUNC
		      "xorl %%eax, %%eax\n\tmovl $0, %%ecx\n\t" VMFUNC ".endr\n\t",
		      NULL, view);
		ticks[i] = (t - net_cost()) / 64;
	}
	NEED(altp2m_destroy(DOMID_SELF, view));
	row("vmfunc", RUNS);
}

/* ---- #VE ----------------------------------------------------------------- */

/* A violation becomes #VE only while the busy word is 0: so that is how #VE is switched on and off. */
static void ve_arm(bool on)
{
	ve_page.busy = on ? 0 : ~0u;
}

/* Any #VE but those that are measured. */
static void ve_unasked(struct frame *f)
{
	(void)f;
	unasked++;
	ve_page.busy = 0;
}

struct gate {
	uint16_t offset0, selector;
	uint8_t ist, type;
	uint16_t offset1;
	uint32_t offset2, reserved;
};

/* Puts `gate` into the IDT and returns what was there. */
static struct gate gate_set(uint32_t vector, struct gate gate)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr;
	struct gate *g, old;

	asm volatile("sidt %0" : "=m"(idtr));
	g = (struct gate *)idtr.base + vector;
	old = *g;
	*g = gate;
	return old;
}

/* To a handler of our own without the runtime's common part, on the stack in use. */
static struct gate gate_to(const char *handler)
{
	uint64_t a = (uint64_t)handler;

	return (struct gate){.offset0 = (uint16_t)a,
			     .selector = SEL_CODE,
			     .type = 0x8e,
			     .offset1 = (uint16_t)(a >> 16),
			     .offset2 = (uint32_t)(a >> 32)};
}

/*
 * ve_stamp: reads the clock at once, and skips the write (a MOVB of 3 bytes).
 * ve_resolve: the least that a monitor in the guest does: goes into view 0, which
 * allows the write, frees the page for the next #VE, and lets the write run again.
 */
extern const char ve_stamp[], ve_resolve[];
asm(".text\n"
    "ve_stamp:\n\t"
    "rdtsc\n\t"
    "movl $0, ve_page + 4\n\t"
    "addq $3, (%rsp)\n\t"
    "iretq\n"
    "ve_resolve:\n\t"
    "pushq %rax\n\t"
    "pushq %rcx\n\t"
    "xorl %eax, %eax\n\t"
    "xorl %ecx, %ecx\n\t" VMFUNC "movl $0, ve_page + 4\n\t"
    "popq %rcx\n\t"
    "popq %rax\n\t"
    "iretq\n");

/* Net: from the write to the handler's first instruction done. */
static __attribute__((noinline)) uint32_t ve_to_handler(void)
{
	uint32_t t;

	/* As TICKS, but the second RDTSC is the handler's. */
	asm volatile("rdtsc\n\tmovl %%eax, %%esi\n\t.byte 0xc6, 0x07, 0x01\n\tsubl %%esi, %%eax"
		     : "=a"(t)
		     : "D"(ro_page)
		     : "rdx", "rsi", "memory", "cc");
	return t;
}

/* From a write in `view` until it is done, in view 0. */
static __attribute__((noinline)) uint32_t ve_there_and_back(void)
{
	uint32_t t;

	TICKS(t, ".byte 0xc6, 0x07, 0x01\n\t", ro_page, 0);
	return t;
}

static void ve_check(const char *what, uint8_t written)
{
	if (ve_page.reason != 48 || ve_page.linear != (uint64_t)ro_page || ro_page[0] != written)
		test_error("%s: reason %u, linear %lx, byte %u", what, ve_page.reason, ve_page.linear,
			   ro_page[0]);
	ve_page.linear = 0;
	ro_page[0] = 0;
}

static void ve_runs(uint16_t view)
{
	struct gate old = gate_set(VECTOR_VE, gate_to(ve_stamp));

	for (uint32_t i = 0; i < RUNS; i++) {
		vmfunc(view);
		ticks[i] = ve_to_handler() - net_cost();
		vmfunc(ALTP2M_HOST);
		ve_check("ve_handler", 0);
	}
	row("ve_handler", RUNS);
	gate_set(VECTOR_VE, gate_to(ve_resolve));
	for (uint32_t i = 0; i < RUNS; i++) {
		vmfunc(view);
		ticks[i] = ve_there_and_back() - net_cost();
		ve_check("ve_round_trip", 1);
	}
	row("ve_round_trip", RUNS);
	gate_set(VECTOR_VE, old);
}

/* #VE that entering a view makes though nothing is forbidden in it: there should be none. */
static void ve_on_entry(void)
{
	uint16_t view;

	NEED(altp2m_create(DOMID_SELF, ACCESS_rwx, &view));
	unasked = 0;
	ve_arm(true);
	vmfunc(view);
	touch(TARGET_AREA, 1);
	vmfunc(ALTP2M_HOST);
	ve_arm(false);
	print("FACT ve_on_entering_a_fresh_view %u times\n", unasked);
	NEED(altp2m_destroy(DOMID_SELF, view));
}

static void bench_ve(void)
{
	uint16_t view;

	ve_on_entry();
	NEED(altp2m_create(DOMID_SELF, ACCESS_rwx, &view));
	NEED(altp2m_set_mem_access(DOMID_SELF, view, GFN((uint64_t)ro_page), ACCESS_r));
	/* All that the runs use must be in the view before #VE is on: run them there once. */
	vmfunc(view);
	touch((uint64_t)ro_page, 1);
	touch((uint64_t)&ve_page, 1);
	vmfunc(ALTP2M_HOST);
	NEED(altp2m_set_suppress_ve(DOMID_SELF, view, GFN((uint64_t)ro_page), false));
	ve_arm(true);
	ve_runs(view);
	ve_arm(false);
	NEED(altp2m_destroy(DOMID_SELF, view));
}

/*
 * A write that is forbidden and that nobody is told of, until the guest goes on: Xen
 * allows it from then on; Ravelin gives #GP in view 0, whose handler, the runtime's,
 * is in the figure.
 */
static void bench_violation(void)
{
	uint16_t view;
	long r = 0;

	NEED(altp2m_create(DOMID_SELF, ACCESS_rwx, &view));
	for (uint32_t i = 0; i < RUNS && !r; i++) {
		uint32_t t;

		vmfunc(view);
		r = altp2m_set_mem_access(DOMID_SELF, view, GFN((uint64_t)ro_page), ACCESS_r);
		TICKS(t, "1: movb $1, (%%rdi)\n2:" FIXUP "\n\t", ro_page, 0);
		vmfunc(ALTP2M_HOST);
		ticks[i] = t;
	}
	NEED(r);
	NEED(altp2m_destroy(DOMID_SELF, view));
	row("violation_nobody", RUNS);
}

void test_main(void)
{
	uint16_t domain = DOMID_SELF;
	long pages = hypercall2(HC_memory_op, MEM_current_reservation, &domain);

	if (pages < (long)GFN(MEMORY_NEEDED)) {
		test_error("%ld pages of memory, %lu needed", pages, (uint64_t)GFN(MEMORY_NEEDED));
		return;
	}
	trap_hook(VECTOR_VE, ve_unasked);
	ve_arm(false);
	bench_rdtsc();
	bench_exits("hypercall_null", "cpuid_exit");
	bench_domain_state();
	bench_exits("hypercall_null_altp2m", "cpuid_exit_altp2m");
	bench_create_destroy();
	bench_switch();
	bench_set_mem_access();
	bench_change_gfn();
	count_tables();
	/* VMFUNC is offered, by Xen, to a vCPU that has a #VE page. */
	NEED(altp2m_enable_notify(DOMID_SELF, 0, GFN((uint64_t)&ve_page)));
	if (!vmfunc_try(0, ALTP2M_HOST)) {
		test_error("VMFUNC faults");
		return;
	}
	/* Now the hypervisor must find out at each exit which view the CPU is in. */
	bench_exits("hypercall_null_vmfunc", "cpuid_exit_vmfunc");
	split_host();
	bench_first_touch("view_first_touch_4096", SMALL_AREA, SMALL_PAGES);
	bench_first_touch("view_first_touch_4096_2m", ACCESS_AREA, SMALL_PAGES);
	bench_enter_fresh();
	bench_vmfunc();
	bench_ve();
	bench_violation();
}
