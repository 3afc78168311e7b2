/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control domain's agent: works on the views of another domain, mode external,
 * while that domain runs, until it ends. All that it does must be invisible there:
 * the views that the domain is put into restrict only what is given back at the
 * first violation (n2rwx) or what is stepped over in the memory map itself; the
 * others it never sees. Options: domain=<id, 1>, pages=<4 KiB pages it has>,
 * seed=<number>, pause=<ns between two calls, 20000>, steps=<0: no step-over>,
 * least=<calls there must have been, 1000>, verbose=1 to tell how far it is.
 */
#include "guest.h"

const char test_name[] = "altp2m-agent";

#define LIVE   4u  /* views that the domain runs in */
#define HIDDEN 4u  /* views that it never enters */
#define MARKS  24u /* pages treated specially at a time, in all live views */

static struct random numbers = {1};
static uint16_t domain;
static uint64_t gfns, calls, refused;
static uint16_t live[LIVE], hidden[HIDDEN];
static bool steps;

/* A page of a live view whose violations are stepped over, or that is remapped to itself. */
static struct mark {
	uint64_t gfn;
	uint16_t view;
	enum { NOTHING, STEPPED, TURNING, SELF_REMAP } kind;
} marks[MARKS];

static void nap(uint64_t ns)
{
	uint64_t until = clock_ns() + ns;

	timer_set(until);
	while (clock_ns() < until)
		wait_irq();
}

/* The call's result; an error that isn't in place ends the test unless the domain has ended. */
static long did(long result, const char *what)
{
	calls++;
	if (result == -XEN_ENOMEM || result == -XEN_EBUSY)
		refused++;
	else if (result && result != -XEN_ESRCH)
		test_failure("%s: %ld", what, result);
	return result;
}
#define DID(call) did(call, #call)

static uint64_t any_gfn(void)
{
	return random_below(&numbers, gfns);
}

/* Undone in the order in which nothing is ever denied. */
static void clear_mark(struct mark *m)
{
	switch (m->kind) {
	case STEPPED:
		DID(altp2m_set_mem_access(domain, m->view, m->gfn, ACCESS_rwx));
		DID(altp2m_set_step(domain, m->view, m->gfn, ALTP2M_NO_VIEW));
		DID(altp2m_set_mem_access(domain, m->view, m->gfn, ACCESS_default));
		break;
	case TURNING:
		DID(altp2m_set_mem_access(domain, m->view, m->gfn, ACCESS_default));
		break;
	case SELF_REMAP:
		DID(altp2m_change_gfn(domain, m->view, m->gfn, ALTP2M_NO_GFN));
		break;
	default:
		break;
	}
	m->kind = NOTHING;
}

static bool marked(uint16_t view, uint64_t gfn)
{
	for (uint32_t i = 0; i < MARKS; i++) {
		if (marks[i].kind && marks[i].view == view && marks[i].gfn == gfn)
			return true;
	}
	return false;
}

static void set_mark(struct mark *m)
{
	static const uint16_t stepped[] = {ACCESS_r, ACCESS_rx, ACCESS_rx, ACCESS_rx,
					   ACCESS_x, ACCESS_n,	ACCESS_rw};
	uint16_t view = live[random_below(&numbers, LIVE)];
	uint64_t gfn = any_gfn();

	clear_mark(m);
	if (marked(view, gfn))
		return;
	m->view = view;
	m->gfn = gfn;
	switch (random_below(&numbers, steps ? 3 : 2)) {
	case 0:
		if (!DID(altp2m_set_mem_access(domain, view, gfn, ACCESS_n2rwx)))
			m->kind = TURNING;
		break;
	case 1:
		if (!DID(altp2m_change_gfn(domain, view, gfn, gfn)))
			m->kind = SELF_REMAP;
		break;
	default:
		if (!DID(altp2m_set_step(domain, view, gfn, 0))) {
			m->kind = STEPPED;
			DID(altp2m_set_mem_access(domain, view, gfn,
						  stepped[random_below(&numbers, ARRAY_SIZE(stepped))]));
		}
	}
}

/* Of a view that nobody enters anything may be said. */
static void play_hidden(void)
{
	uint16_t *view = &hidden[random_below(&numbers, HIDDEN)];
	uint64_t r = random_next(&numbers), some[32];
	uint8_t accesses[32];

	switch (r & 7) {
	case 0:
		DID(altp2m_destroy(domain, *view));
		if (r & 0x100)
			DID(altp2m_create(domain, ACCESS_rx, view));
		else
			DID(altp2m_create_empty(domain, ACCESS_rwx, view));
		break;
	case 1:
	case 2:
		DID(altp2m_change_gfn(domain, *view, any_gfn(), r & 0x100 ? ALTP2M_NO_GFN : any_gfn()));
		break;
	case 3:
		for (uint32_t i = 0; i < 32; i++) {
			some[i] = any_gfn();
			accesses[i] = random_below(&numbers, 2) ? ACCESS_n : ACCESS_default;
		}
		DID(altp2m_set_mem_access_multi(domain, *view, 32, some, accesses));
		break;
	case 4:
		DID(altp2m_set_default_access(domain, *view, r & 0x100 ? ACCESS_n : ACCESS_rwx));
		break;
	case 5:
		DID(altp2m_set_window(domain, (uint32_t)(r >> 8 & 1), (uint16_t)(r >> 16 & 511), *view));
		break;
	default:
		DID(altp2m_set_mem_access(domain, *view, any_gfn(), r & 0x100 ? ACCESS_n : ACCESS_rx));
	}
}

/* A live view is taken apart and made anew while the domain is in another. */
static void renew_live(void)
{
	uint32_t i = (uint32_t)random_below(&numbers, LIVE);
	uint16_t next = random_below(&numbers, 2) ? live[(i + 1) % LIVE] : 0;

	for (uint32_t m = 0; m < MARKS; m++) {
		if (marks[m].kind && marks[m].view == live[i])
			marks[m].kind = NOTHING;
	}
	if (DID(altp2m_switch(domain, next)))
		return;
	if (!DID(altp2m_destroy(domain, live[i])))
		DID(altp2m_create(domain, ACCESS_rwx, &live[i]));
}

static void one(void)
{
	uint64_t r = random_next(&numbers), generation;
	uint16_t view = live[r >> 8 & (LIVE - 1)], at;
	struct altp2m_view rows[4];
	uint32_t from = 0, count = 4;

	switch (r & 15) {
	case 0:
	case 1:
		DID(altp2m_switch(domain, view));
		break;
	case 2:
	case 3:
		DID(altp2m_switch_vcpu(domain, r >> 16 & 1, r & 0x20000 ? view : 0));
		break;
	case 4:
		DID(altp2m_switch(domain, 0));
		break;
	case 5:
		renew_live();
		break;
	case 6:
		DID(altp2m_list_views(domain, &from, rows, &count));
		DID(altp2m_get_vcpu_view(domain, 0, &at));
		DID(altp2m_get_generation(domain, ALTP2M_NO_VIEW, &generation));
		break;
	case 7:
		DID(altp2m_set_suppress_ve(domain, view, any_gfn(), r & 0x10000));
		break;
	case 8:
	case 9:
		play_hidden();
		break;
	default:
		set_mark(&marks[random_below(&numbers, MARKS)]);
	}
}

void test_main(void)
{
	uint64_t pause = option_number("pause=", 20000), said = 0;
	bool verbose = option_number("verbose=", 0);
	bool on = true;

	if (!xen_base()) {
		test_skip("not under Xen's ABI");
		return;
	}
	if (event_init() || event_init_cpu() || event_bind_virq(VIRQ_TIMER, 0) < 0) {
		test_error("no clock");
		return;
	}
	domain = (uint16_t)option_number("domain=", 1);
	/* Not the very first pages, which need not be RAM. */
	gfns = option_number("pages=", 65536);
	numbers.state = option_number("seed=", 1);
	steps = option_number("steps=", 1);
	CHECK_EQUAL(altp2m_set_domain_state(domain, true), 0);
	for (uint32_t i = 0; i < LIVE; i++)
		DID(altp2m_create(domain, ACCESS_rwx, &live[i]));
	for (uint32_t i = 0; i < HIDDEN; i++)
		DID(altp2m_create(domain, ACCESS_r, &hidden[i]));
	while (altp2m_get_domain_state(domain, &on) == 0 && on) {
		one();
		nap(pause);
		if (verbose && calls / 500 != said) {
			said = calls / 500;
			print("agent: %lu calls, %lu ms\n", calls, clock_ns() / 1000000);
		}
	}
	CHECK(calls >= option_number("least=", 1000));
	test_note("(%lu calls, %lu of them refused)", calls, refused);
}
