/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What views cost with many of them in the domain. Prints "SCALE <n> <operation>
 * <ticks>": medians, from one RDTSC to the next with one call between, n views
 * being there besides the base; and "FACT <name> <value> <unit>".
 *
 * With trace=1 on the command line: does each operation once between two marks
 * (XCHG BX, BX) for an emulator that notes what is executed between them, in the
 * order of the lines "TRACE <operation>".
 *
 * Uses one vCPU. Needs altp2m mode "mixed", 256 MiB mapped with 2 MiB pages, and
 * a budget for page tables: see bench/scale.dts.
 */
#include "guest.h"

const char test_name[] = "bench-scale";

#define SAMPLES	      31u
#define SAMPLES_FEW   5u
#define MIB	      (1ull << 20)
#define REGION	      (2 * MIB)
#define REGION_PAGES  512u
#define GFN(a)	      ((a) >> 12)

static const uint32_t counts[] = {1, 10, 100, 512, 2000};
#define VIEWS 2000u

/* What each part has for its own, in 2 MiB pages of the host's. */
#define SMALL_AREA    (32 * MIB) /* 8 regions, split into 4 KiB pages */
#define SMALL_PAGES   4096u
#define SET_AREA      (64 * MIB) /* a page of it is set in every view */
#define FIRST_AREA    (66 * MIB) /* SAMPLES regions that no view has a table for */
#define ALONE_AREA    (130 * MIB) /* split in the base, and in no view */
#define COPIED_AREA   (132 * MIB) /* a page of it is set in every view */
#define TARGET_AREA   (134 * MIB)
#define SPLIT_AREA    (136 * MIB) /* SAMPLES_FEW regions for each of `counts` */
#define FILL_AREA     (190 * MIB)
#define FILL_REGIONS  24u
#define FILL_VIEWS    1000u
#define MEMORY_NEEDED (240 * MIB)

static uint16_t views[VIEWS];
static uint32_t view_count;
static uint64_t ticks[SAMPLES], more_ticks[SAMPLES];
static volatile struct ve_info ve_page __attribute__((aligned(4096)));

/* Ends the test: what follows would count something else. */
#define NEED(call)                                                                                           \
	do {                                                                                                 \
		long need_result = (call);                                                                   \
		if (need_result) {                                                                           \
			test_error("%s: %ld", #call, need_result);                                           \
			test_end();                                                                          \
		}                                                                                            \
	} while (0)

static void row(const char *name, uint64_t *t, uint32_t n)
{
	sort_u64(t, n);
	print("SCALE %u %s %lu\n", view_count, name, t[n / 2]);
	print_flush();
}

/* The ticks of one call, which must succeed. */
#define TIMED(call)                                                                                          \
	({                                                                                                   \
		uint64_t timed_start = rdtsc();                                                              \
		long timed_result = (call);                                                                  \
		uint64_t timed_ticks = rdtsc() - timed_start;                                                \
		NEED(timed_result);                                                                          \
		timed_ticks;                                                                                 \
	})

/* One page out of the domain, or back into it: 0 if it was done. */
static long balloon(uint32_t command, uint64_t gfn)
{
	struct xen_reservation r = {.extents = (uint64_t)&gfn, .count = 1, .domid = DOMID_SELF};

	return hypercall2(HC_memory_op, command, &r) != 1;
}

/* ---- with n views -------------------------------------------------------- */

static void bench_create_destroy(void)
{
	for (uint32_t i = 0; i < SAMPLES; i++) {
		uint16_t view;

		ticks[i] = TIMED(altp2m_create(DOMID_SELF, ACCESS_rwx, &view));
		NEED(altp2m_set_mem_access(DOMID_SELF, view, GFN(SET_AREA), ACCESS_r));
		more_ticks[i] = TIMED(altp2m_destroy(DOMID_SELF, view));
	}
	row("create", ticks, SAMPLES);
	row("destroy_one_change", more_ticks, SAMPLES);
}

/* In the last view, which ends up as it was. */
static void bench_set_mem_access(void)
{
	uint16_t view = views[view_count - 1];

	for (uint32_t i = 0; i < SAMPLES; i++)
		ticks[i] = TIMED(altp2m_set_mem_access(DOMID_SELF, view, GFN(FIRST_AREA + i * REGION),
						       ACCESS_r));
	row("set_mem_access_first_2m", ticks, SAMPLES);
	for (uint32_t i = 0; i < SAMPLES; i++)
		ticks[i] = TIMED(altp2m_set_mem_access(DOMID_SELF, view, GFN(FIRST_AREA) + 1 + i, ACCESS_r));
	row("set_mem_access_next", ticks, SAMPLES);
	for (uint32_t i = 0; i < SAMPLES; i++) {
		NEED(altp2m_set_mem_access(DOMID_SELF, view, GFN(FIRST_AREA) + 1 + i, ACCESS_default));
		NEED(altp2m_set_mem_access(DOMID_SELF, view, GFN(FIRST_AREA + i * REGION), ACCESS_default));
	}
}

static void bench_base_change(const char *out, const char *in, uint64_t area)
{
	for (uint32_t i = 0; i < SAMPLES; i++) {
		ticks[i] = TIMED(balloon(MEM_decrease_reservation, GFN(area) + 8 + i));
		more_ticks[i] = TIMED(balloon(MEM_populate_physmap, GFN(area) + 8 + i));
	}
	row(out, ticks, SAMPLES);
	row(in, more_ticks, SAMPLES);
}

/* The first page out of a 2 MiB page of the base: the base needs a table there, and all lead to it. */
static void bench_base_split(void)
{
	static uint64_t area = SPLIT_AREA;

	for (uint32_t i = 0; i < SAMPLES_FEW; i++, area += REGION) {
		ticks[i] = TIMED(balloon(MEM_decrease_reservation, GFN(area)));
		NEED(balloon(MEM_populate_physmap, GFN(area)));
	}
	row("base_split", ticks, SAMPLES_FEW);
}

/* A page out that all views show somewhere: the remap goes in each. */
static void bench_target_gone(void)
{
	for (uint32_t i = 0; i < SAMPLES_FEW; i++) {
		for (uint32_t k = 0; k < view_count; k++)
			NEED(altp2m_change_gfn(DOMID_SELF, views[k], GFN(SET_AREA) + 1, GFN(TARGET_AREA) + i));
		ticks[i] = TIMED(balloon(MEM_decrease_reservation, GFN(TARGET_AREA) + i));
		NEED(balloon(MEM_populate_physmap, GFN(TARGET_AREA) + i));
	}
	row("base_out_target_of_all", ticks, SAMPLES_FEW);
}

static void bench_scale(void)
{
	for (uint32_t k = 0; k < ARRAY_SIZE(counts); k++) {
		for (; view_count < counts[k]; view_count++) {
			NEED(altp2m_create(DOMID_SELF, ACCESS_rwx, &views[view_count]));
			NEED(altp2m_set_mem_access(DOMID_SELF, views[view_count], GFN(SET_AREA), ACCESS_r));
			NEED(altp2m_set_mem_access(DOMID_SELF, views[view_count], GFN(COPIED_AREA), ACCESS_r));
		}
		bench_create_destroy();
		bench_set_mem_access();
		bench_base_change("base_out", "base_in", ALONE_AREA);
		bench_base_change("base_out_copied_by_all", "base_in_copied_by_all", COPIED_AREA);
		bench_base_split();
		bench_target_gone();
	}
}

/* ---- page tables --------------------------------------------------------- */

/* Page tables of view 0, or of all others together. */
static uint64_t tables(bool base)
{
	uint32_t from = 0, count = 1;
	struct altp2m_view v;
	uint64_t sum = 0;

	do {
		count = 1;
		NEED(altp2m_list_views(DOMID_SELF, &from, &v, &count));
		if (count && (v.view == 0) == base)
			sum += v.tables;
	} while (from && !base);
	return sum;
}

/* The tables of a view that nothing is set in, and that VMFUNC can lead to. */
static void say_untouched(void)
{
	uint16_t view;

	NEED(altp2m_create(DOMID_SELF, ACCESS_rwx, &view));
	print("FACT view_tables_untouched_in_window %lu pages\n", tables(false));
	NEED(altp2m_destroy(DOMID_SELF, view));
}

/*
 * How many tables the domain's budget has room for in all: those of the base, and
 * as many as views can take until there are no more. All other views are gone before
 * and after. Each view has its path first; from then on each call takes one table.
 */
static uint64_t room_for_tables(void)
{
	long r = 0;
	uint64_t n;

	for (uint32_t k = 0; k < FILL_VIEWS; k++) {
		NEED(altp2m_create(DOMID_SELF, ACCESS_rwx, &views[k]));
		NEED(altp2m_set_mem_access(DOMID_SELF, views[k], GFN(SET_AREA), ACCESS_r));
	}
	for (uint32_t i = 0; i < FILL_VIEWS * FILL_REGIONS && !r; i++)
		r = altp2m_set_mem_access(DOMID_SELF, views[i / FILL_REGIONS],
					  GFN(FILL_AREA + i % FILL_REGIONS * REGION), ACCESS_r);
	if (r != -XEN_ENOMEM)
		test_error("the budget for tables is not to be spent: %ld", r);
	n = tables(true) + tables(false);
	for (uint32_t k = 0; k < FILL_VIEWS; k++)
		NEED(altp2m_destroy(DOMID_SELF, views[k]));
	return n;
}

/* ---- between marks -------------------------------------------------------- */

#define MARK() asm volatile("xchgw %%bx, %%bx" : : : "memory")

#define TRACED(name, call)                                                                                   \
	do {                                                                                                 \
		long traced_result;                                                                          \
		print("TRACE %s\n", name);                                                                   \
		print_flush();                                                                               \
		MARK();                                                                                      \
		traced_result = (call);                                                                      \
		MARK();                                                                                      \
		NEED(traced_result);                                                                         \
	} while (0)

/* Reads a byte of each page: four instructions a page. */
static void touch(uint64_t from, uint64_t pages)
{
	uint64_t end = from + pages * 4096;

	asm volatile("1:\tmovb (%0), %%al\n\t"
		     "addq $4096, %0\n\t"
		     "cmpq %1, %0\n\t"
		     "jne 1b"
		     : "+r"(from)
		     : "r"(end)
		     : "rax", "memory", "cc");
}

/*
 * Into a fresh view by VMFUNC, 4,096 pages touched that the host maps one by one,
 * and back: no instruction but the guest's own should be in between.
 */
static void fresh_view_between_marks(void)
{
	uint16_t view;

	for (uint64_t a = SMALL_AREA; a < SMALL_AREA + SMALL_PAGES * 4096; a += REGION)
		NEED(altp2m_set_mem_access(DOMID_SELF, ALTP2M_HOST, GFN(a) + 511, ACCESS_r));
	NEED(altp2m_enable_notify(DOMID_SELF, 0, GFN((uint64_t)&ve_page)));
	NEED(altp2m_create(DOMID_SELF, ACCESS_rwx, &view));
	print("TRACE view_enter_and_first_touch_4096\n");
	print_flush();
	MARK();
	vmfunc(view);
	touch(SMALL_AREA, SMALL_PAGES);
	vmfunc(ALTP2M_HOST);
	MARK();
	NEED(altp2m_destroy(DOMID_SELF, view));
}

/* Each operation as it is when it has been done before, as the bench measures it. */
static void between_marks(void)
{
	static uint64_t gfns[512] __attribute__((aligned(4096)));
	static uint8_t accesses[512] __attribute__((aligned(512)));
	uint16_t view, other;
	bool on;

	NEED(altp2m_get_domain_state(DOMID_SELF, &on));
	TRACED("altp2m_get_domain_state", altp2m_get_domain_state(DOMID_SELF, &on));
	NEED(altp2m_create(DOMID_SELF, ACCESS_rwx, &view));
	NEED(altp2m_destroy(DOMID_SELF, view));
	TRACED("altp2m_create", altp2m_create(DOMID_SELF, ACCESS_rwx, &other));
	TRACED("altp2m_destroy", altp2m_destroy(DOMID_SELF, other));
	NEED(altp2m_create(DOMID_SELF, ACCESS_rwx, &view));
	NEED(altp2m_switch(DOMID_SELF, view));
	NEED(altp2m_switch(DOMID_SELF, ALTP2M_HOST));
	TRACED("altp2m_switch", altp2m_switch(DOMID_SELF, view));
	NEED(altp2m_switch(DOMID_SELF, ALTP2M_HOST));
	/* As there, no CPU has been in the view that is changed. */
	NEED(altp2m_destroy(DOMID_SELF, view));
	NEED(altp2m_create(DOMID_SELF, ACCESS_rwx, &view));
	NEED(altp2m_set_mem_access(DOMID_SELF, view, GFN(SET_AREA), ACCESS_r));
	NEED(altp2m_set_mem_access(DOMID_SELF, view, GFN(FIRST_AREA + REGION), ACCESS_r));
	TRACED("altp2m_set_mem_access_first_2m",
	       altp2m_set_mem_access(DOMID_SELF, view, GFN(FIRST_AREA), ACCESS_r));
	NEED(altp2m_set_mem_access(DOMID_SELF, view, GFN(FIRST_AREA) + 1, ACCESS_r));
	TRACED("altp2m_set_mem_access_next",
	       altp2m_set_mem_access(DOMID_SELF, view, GFN(FIRST_AREA) + 2, ACCESS_r));
	for (uint32_t i = 0; i < 512; i++)
		gfns[i] = GFN(FIRST_AREA) + i;
	memset(accesses, ACCESS_rx, sizeof(accesses));
	NEED(altp2m_set_mem_access_multi(DOMID_SELF, view, 512, gfns, accesses));
	memset(accesses, ACCESS_r, sizeof(accesses));
	TRACED("altp2m_set_mem_access_multi_512",
	       altp2m_set_mem_access_multi(DOMID_SELF, view, 512, gfns, accesses));
	NEED(altp2m_change_gfn(DOMID_SELF, view, GFN(SPLIT_AREA), GFN(TARGET_AREA)));
	NEED(altp2m_change_gfn(DOMID_SELF, view, GFN(SPLIT_AREA) + 1, GFN(TARGET_AREA) + 1));
	TRACED("altp2m_change_gfn_next",
	       altp2m_change_gfn(DOMID_SELF, view, GFN(SPLIT_AREA) + 2, GFN(TARGET_AREA) + 2));
	NEED(altp2m_destroy(DOMID_SELF, view));
}

void test_main(void)
{
	uint64_t before, after;
	uint16_t domain = DOMID_SELF;
	long pages = hypercall2(HC_memory_op, MEM_current_reservation, &domain);

	if (pages < (long)GFN(MEMORY_NEEDED)) {
		test_error("%ld pages of memory, %lu needed", pages, (uint64_t)GFN(MEMORY_NEEDED));
		return;
	}
	ve_page.busy = ~0u; /* no violation becomes #VE */
	NEED(altp2m_set_domain_state(DOMID_SELF, true));
	if (option_number("trace=", 0)) {
		between_marks();
		fresh_view_between_marks();
		return;
	}
	NEED(altp2m_enable_notify(DOMID_SELF, 0, GFN((uint64_t)&ve_page)));
	NEED(balloon(MEM_decrease_reservation, GFN(ALONE_AREA)));
	NEED(balloon(MEM_decrease_reservation, GFN(COPIED_AREA) + 1));
	say_untouched();
	before = room_for_tables();
	bench_scale();
	for (uint32_t k = 0; k < view_count; k++)
		NEED(altp2m_destroy(DOMID_SELF, views[k]));
	after = room_for_tables();
	print("FACT tables_that_fit %lu pages\n", before);
	print("FACT view_tables_after_destroy %lu pages\n", before - after);
}
