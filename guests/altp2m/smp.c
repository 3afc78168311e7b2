/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One vCPU keeps reading in a view while another changes what it may see. A
 * value must never be read once the call that took it away has returned.
 *
 * The changes are numbered. `begun` counts calls begun, `done` calls that have
 * returned. What the reader saw between reading `done` and reading `begun`
 * belongs to one of the states done .. begun, and if both are equal to that one.
 *
 * Options: shared=1 for two vCPUs on one CPU, which must give way to each other;
 * irqs=1 to let interrupts in, which a reader on a CPU of its own must not need.
 */
#include "views.h"

#define ROUNDS	300u  /* changes of each kind */
#define REFUSAL ~0ull /* what a read that faults counts as */

static volatile uint64_t begun, done, reads, exact;
static volatile uint32_t stop;
static bool shared;
static volatile uint16_t view_of_reader;
/* What is to be seen in state n; several at random times of the change, see `states`. */
static uint64_t (*volatile seen_in)(uint64_t state);
static void (*volatile job)(void);
static volatile struct wrong {
	uint64_t value, from, to;
	uint32_t count;
} wrong;

static void yield(void)
{
	hypercall2(HC_sched_op, SCHED_yield, 0);
}

/* Looks at pages[0] in its view again and again. */
static void reader(void)
{
	while (!stop) {
		uint64_t first = done, value = 0, last;
		bool fits = false;

		asm volatile("" : : : "memory");
		if (try_read(pages[0], &value))
			value = REFUSAL;
		asm volatile("" : : : "memory");
		last = begun;
		for (uint64_t s = first; s <= last && !fits; s++)
			fits = seen_in(s) == value;
		if (!fits && !wrong.count++) {
			wrong.value = value;
			wrong.from = first;
			wrong.to = last;
		}
		reads++;
		exact += first == last;
		if (shared && reads % 8 == 0)
			yield();
		if (value == REFUSAL)
			enter(view_of_reader); /* a refusal put us into view 0 */
	}
	enter(0);
}

static void worker(uint32_t cpu)
{
	(void)cpu;
	if (option_number("irqs=", 0))
		irq_on();
	for (;;) {
		while (!job)
			yield();
		job();
		job = NULL;
	}
}

static void start(void (*what)(void), uint64_t (*states)(uint64_t), uint16_t view)
{
	begun = done = reads = exact = 0;
	wrong.count = 0;
	stop = 0;
	seen_in = states;
	view_of_reader = view;
	CHECK_EQUAL(altp2m_switch_vcpu(DOMID_SELF, 1, view), 0);
	job = what;
	while (!reads)
		yield();
}

/* From one state to the next by `call`, which must give `expected`. */
#define CHANGE(call, expected)                                                                               \
	do {                                                                                                 \
		begun++;                                                                                     \
		CHECK_EQUAL(call, expected);                                                                 \
		done = begun;                                                                                \
	} while (0)

/* Time for the reader, also where both share a CPU. */
static void let_read(uint64_t more)
{
	uint64_t goal = exact + more;

	for (uint32_t i = 0; i < 10000 && exact < goal && !wrong.count; i++) {
		if (i < 20)
			relax();
		else
			yield();
	}
}

static void finish(const char *what)
{
	let_read(10);
	stop = 1;
	while (job)
		yield();
	if (wrong.count)
		test_failure("%s: %u wrong reads; the first is 0x%lx in states %lu to %lu", what, wrong.count,
			     wrong.value, wrong.from, wrong.to);
	CHECK(exact > 50);
	print("altp2m: %s: %lu changes, %lu reads, %lu of them in a state that was settled\n", what, done,
	      reads, exact);
}

static uint64_t remap_states(uint64_t s)
{
	return 300 + s % 3;
}

static void check_remap_race(uint16_t v)
{
	for (uint32_t i = 0; i < 3; i++)
		fill(pages[i], 300 + i);
	start(reader, remap_states, v);
	for (uint32_t i = 1; i <= ROUNDS && !wrong.count; i++) {
		CHANGE(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[0]),
					 i % 3 ? GFN(pages[i % 3]) : ALTP2M_NO_GFN),
		       0);
		if (i % 4 == 0)
			let_read(3);
	}
	finish("remap");
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[0]), ALTP2M_NO_GFN), 0);
}

static uint64_t access_states(uint64_t s)
{
	return s % 2 ? REFUSAL : 310;
}

static void check_access_race(uint16_t v)
{
	fill(pages[0], 310);
	start(reader, access_states, v);
	for (uint32_t i = 1; i <= ROUNDS && !wrong.count; i++) {
		CHANGE(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), i % 2 ? ACCESS_n : ACCESS_rwx), 0);
		if (i % 4 < 2)
			let_read(3);
	}
	finish("access");
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_default), 0);
}

/* Page there, full; taken away; back again, empty. */
static uint64_t base_states(uint64_t s)
{
	return s % 3 == 0 ? 320 + s : s % 3 == 1 ? REFUSAL : 0;
}

static void check_base_race(uint16_t v)
{
	fill(pages[0], 320);
	start(reader, base_states, v);
	for (uint32_t i = 1; i <= ROUNDS / 4 * 3 && !wrong.count; i++) {
		switch (i % 3) {
		case 1:
			CHANGE(balloon_out(pages[0]), true);
			break;
		case 2:
			CHANGE(balloon_in(pages[0]), true);
			break;
		default:
			begun++;
			fill(pages[0], 320 + i);
			done = begun;
		}
		if (i % 6 < 3)
			let_read(3);
	}
	finish("memory map");
}

/* The page that a remap shows: there, gone (the base's shows), the remap made again. */
static uint64_t target_states(uint64_t s)
{
	return s % 3 == 0 ? 330 + s : 77;
}

static void check_target_race(uint16_t v)
{
	fill(pages[0], 77);
	fill(pages[1], 330);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[0]), GFN(pages[1])), 0);
	start(reader, target_states, v);
	for (uint32_t i = 1; i <= ROUNDS / 4 * 3 && !wrong.count; i++) {
		switch (i % 3) {
		case 1:
			CHANGE(balloon_out(pages[1]), true);
			break;
		case 2:
			CHANGE(balloon_in(pages[1]), true);
			fill(pages[1], 330 + i + 1);
			break;
		default:
			CHANGE(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[0]), GFN(pages[1])), 0);
		}
		if (i % 6 < 3)
			let_read(3);
	}
	finish("remap target");
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[0]), ALTP2M_NO_GFN), 0);
}

/* The reader is moved from view to view under its feet. */
static uint64_t switch_states(uint64_t s)
{
	return 340 + s % 3;
}

static void check_switch_race(uint16_t v, uint16_t w)
{
	const uint16_t views[] = {0, v, w};

	for (uint32_t i = 0; i < 3; i++)
		fill(pages[i], 340 + i);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[0]), GFN(pages[1])), 0);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, w, GFN(pages[0]), GFN(pages[2])), 0);
	start(reader, switch_states, 0);
	for (uint32_t i = 1; i <= ROUNDS && !wrong.count; i++) {
		if (i % 2)
			CHANGE(altp2m_switch_vcpu(DOMID_SELF, 1, views[i % 3]), 0);
		else
			CHANGE(altp2m_switch(DOMID_SELF, views[i % 3]), 0);
		if (i % 4 == 0)
			let_read(3);
	}
	enter(0);
	finish("switch");
	CHECK_EQUAL(view_now(), 0);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[0]), ALTP2M_NO_GFN), 0);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, w, GFN(pages[0]), ALTP2M_NO_GFN), 0);
}

static volatile uint16_t hop_to;
static volatile uint64_t hops, misses;

/* In and out of a view that comes and goes: it is either there with its remap, or there is none. */
static void hopper(void)
{
	while (!stop) {
		uint64_t value = 0;

		if (vmfunc_try(0, hop_to)) {
			if (try_read(pages[0], &value))
				value = REFUSAL;
			vmfunc(0);
			hops++;
			/* Fresh, before the remap, it shows what the base does. */
			if (value != 351 && value != 350 && !wrong.count++)
				wrong.value = value;
		} else {
			misses++;
		}
		if (view_now() != 0 && !wrong.count++)
			wrong.value = 1;
		reads++;
		exact++;
		if (shared && reads % 8 == 0)
			yield();
	}
}

static void check_destroy_race(void)
{
	uint32_t gone = 0, busy = 0;
	struct random random = {1};
	uint16_t v = make_view(ACCESS_rwx);

	fill(pages[0], 350);
	fill(pages[1], 351);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[0]), GFN(pages[1])), 0);
	CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, 1, GFN(&ve_pages[1])), 0);
	hop_to = v;
	hops = misses = 0;
	start(hopper, NULL, 0);
	for (uint32_t i = 0; i < ROUNDS && !wrong.count; i++) {
		long r;

		/* Not always at the same place of the other's loop */
		for (uint64_t j = random_below(&random, 3000); j; j--)
			relax();
		r = altp2m_destroy(DOMID_SELF, v);
		if (r == -XEN_EBUSY) {
			busy++;
			let_read(1);
			continue;
		}
		if (!CHECK_EQUAL(r, 0))
			break;
		gone++;
		if (i % 2)
			let_read(2);
		CHECK_EQUAL(make_view(ACCESS_rwx), v);
		CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[0]), GFN(pages[1])), 0);
		let_read(1);
	}
	finish("destroy");
	CHECK(gone > 0 && hops > 0);
	print("altp2m: destroy: %u times gone, %u times busy, %lu visits, %lu times none there\n", gone, busy,
	      hops, misses);
	drop_view(v);
	CHECK_EQUAL(altp2m_disable_notify(DOMID_SELF, 1), 0);
}

/* Windows, views and #VE pages are each vCPU's own. */
static volatile uint32_t answer;
static volatile uint16_t ask_slot;

static void try_slot(void)
{
	answer = vmfunc_try(0, ask_slot) ? 1u + view_now() : 0;
	if (answer)
		vmfunc(0);
}

static uint32_t ask(uint16_t slot)
{
	ask_slot = slot;
	answer = 0;
	job = try_slot;
	while (job)
		yield();
	return answer;
}

static volatile uint32_t ve_vector;

static void try_violate(void)
{
	vmfunc(ask_slot);
	ve_vector = try_write(pages[3] + 64, 1);
	vmfunc(0);
}

static void check_own(uint16_t v, uint16_t w)
{
	uint16_t view = 77;

	/* VMFUNC is on where it was asked for. */
	CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, 0, GFN(&ve_pages[0])), 0);
	CHECK_EQUAL(ask(v), 0);
	CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, 1, GFN(&ve_pages[0]) + 1), 0);
	CHECK_EQUAL(ask(v), 1u + v);
	/* A slot of one is not the other's. */
	CHECK_EQUAL(altp2m_set_window(DOMID_SELF, 1, 77, w), 0);
	CHECK(!vmfunc_try(0, 77));
	CHECK_EQUAL(ask(77), 1u + w);
	CHECK_EQUAL(altp2m_set_window(DOMID_SELF, 1, v, ALTP2M_NO_VIEW), 0);
	CHECK(vmfunc_try(0, v));
	CHECK_EQUAL(ask(v), 0);
	/* Nor is its view. */
	CHECK_EQUAL(altp2m_get_vcpu_view(DOMID_SELF, 1, &view), 0);
	CHECK_EQUAL(view, 0);
	CHECK_EQUAL(view_now(), v);
	vmfunc(0);

	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, w, GFN(pages[3]), ACCESS_r), 0);
	CHECK_EQUAL(altp2m_set_suppress_ve(DOMID_SELF, w, GFN(pages[3]), false), 0);
	ve_pages[0].info.busy = ve_pages[1].info.busy = 0;
	ask_slot = 77;
	job = try_violate;
	while (job)
		yield();
	CHECK_EQUAL(ve_vector, VECTOR_VE);
	CHECK_EQUAL(ve_pages[0].info.busy, 0);
	CHECK_EQUAL(ve_pages[1].info.busy, ~0u);
	CHECK_EQUAL(ve_pages[1].info.linear, (uint64_t)pages[3] + 64);
	ve_pages[1].info.busy = 0;
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, w, GFN(pages[3]), ACCESS_default), 0);
	CHECK_EQUAL(altp2m_disable_notify(DOMID_SELF, 0), 0);
	CHECK_EQUAL(altp2m_disable_notify(DOMID_SELF, 1), 0);
}

void check_smp(void)
{
	uint16_t v, w;

	if (smp_count() < 2)
		return;
	shared = option_number("shared=", 0);
	if (smp_start(worker) < 2) {
		test_error("the second vCPU does not start");
		return;
	}
	v = make_view(ACCESS_rwx);
	w = make_view(ACCESS_rwx);
	check_own(v, w);
	check_remap_race(v);
	check_access_race(v);
	check_base_race(v);
	check_target_race(v);
	check_switch_race(v, w);
	drop_view(v);
	drop_view(w);
	check_destroy_race();
}
