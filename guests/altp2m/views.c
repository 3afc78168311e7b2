/* SPDX-License-Identifier: Apache-2.0 */
/* What a view makes of accesses: rights, remaps, changes of the map below, defaults, empty views. */
#include "views.h"

extern const char image_end[];

/* Every access right, by all three kinds of access; all with no listener for what is refused. */
static void check_rights(void)
{
	static const uint8_t rights[] = {ACCESS_n, ACCESS_r, ACCESS_rw, ACCESS_x, ACCESS_rx, ACCESS_rwx};
	uint16_t v = make_view(ACCESS_rwx);
	uint64_t value = 0;

	fill_code(pages[0], 4711);
	for (uint32_t i = 0; i < ARRAY_SIZE(rights); i++) {
		uint8_t a = rights[i];

		CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), a), 0);
		enter(v);
		if (a & ACCESS_r) {
			CHECK_EQUAL(try_read(pages[0] + 64, &value), 0);
			CHECK_EQUAL(value, 0xccccccccccccccccull);
		} else {
			REFUSED(try_read(pages[0] + 64, &value));
		}
		enter(v);
		if (a & ACCESS_w)
			CHECK_EQUAL(try_write(pages[0] + 128, i), 0);
		else
			REFUSED(try_write(pages[0] + 128, i));
		enter(v);
		if (a & ACCESS_x) {
			CHECK_EQUAL(try_run(pages[0], &value), 0);
			CHECK_EQUAL(value, 4711);
		} else {
			REFUSED(try_run(pages[0], &value));
		}
		/* Next door nothing is forbidden. */
		enter(v);
		CHECK_EQUAL(try_write(pages[1], i), 0);
		CHECK_EQUAL(view_now(), v);
		enter(0);
		CHECK_EQUAL(try_read(pages[0] + 128, &value), 0);
		CHECK_EQUAL(value == i, (a & ACCESS_w) != 0);
		*(uint64_t *)(pages[0] + 128) = 0xcccccccccccccccc;
	}
	drop_view(v);
}

/* A hypercall's arguments are what the caller's view shows. */
static void check_arguments_in_view(void)
{
	uint16_t v = make_view(ACCESS_rwx);
	struct xen_param *p = (struct xen_param *)pages[0], *other = (struct xen_param *)pages[1];
	uint64_t gfn = 0;

	CHECK_EQUAL(xen_get_param(PARAM_console_gfn, &gfn), 0);
	memset(pages[0], 0, 4096);
	memset(pages[1], 0, 4096);
	*p = (struct xen_param){.domid = DOMID_SELF, .index = PARAM_console_port};
	*other = (struct xen_param){.domid = DOMID_SELF, .index = PARAM_console_gfn};
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(p), GFN(other)), 0);
	enter(v);
	CHECK_EQUAL(hypercall2(HC_hvm_op, HVM_get_param, p), 0);
	enter(0);
	CHECK_EQUAL(p->value, 0);
	CHECK_EQUAL(other->value, gfn);
	other->value = 0;

	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(p), ALTP2M_NO_GFN), 0);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(p), ACCESS_r), 0);
	enter(v);
	CHECK_EQUAL(hypercall2(HC_hvm_op, HVM_get_param, p), -XEN_EFAULT);
	CHECK_EQUAL(p->value, 0);
	CHECK_EQUAL(view_now(), v);
	enter(0);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(p), ACCESS_x), 0);
	enter(v);
	CHECK_EQUAL(hypercall2(HC_hvm_op, HVM_get_param, p), -XEN_EFAULT);
	enter(0);
	CHECK_EQUAL(hypercall2(HC_hvm_op, HVM_get_param, p), 0);
	drop_view(v);
}

static void check_remaps(void)
{
	uint16_t v = make_view(ACCESS_rwx), w = make_view(ACCESS_rwx);
	uint64_t value = 0;
	struct altp2m_op op;

	for (uint32_t i = 0; i < 4; i++)
		fill(pages[i], 100 + i);
	/* 0 shows 1 and 1 shows 0; in the other view 0 and 3 show 2. */
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[0]), GFN(pages[1])), 0);
	CHECK_EQUAL(altp2m_get_entry(DOMID_SELF, v, GFN(pages[1]), &op), 0);
	CHECK_EQUAL(op.u.entry.target, GFN(pages[1]));
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, w, GFN(pages[0]), GFN(pages[2])), 0);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, w, GFN(pages[3]), GFN(pages[2])), 0);
	enter(v);
	CHECK(!try_read(pages[0], &value) && value == 101);
	CHECK(!try_write(pages[0] + 8, 7) && !try_read(pages[1] + 8, &value) && value == 7);
	enter(w);
	CHECK(!try_read(pages[0], &value) && value == 102);
	CHECK(!try_read(pages[1] + 8, &value) && value == 7);
	CHECK(!try_write(pages[3] + 8, 9) && !try_read(pages[0] + 8, &value) && value == 9);
	enter(0);
	CHECK(!try_read(pages[0] + 8, &value) && value == 100);
	CHECK(!try_read(pages[1] + 8, &value) && value == 7);
	CHECK(!try_read(pages[2] + 8, &value) && value == 9);
	CHECK(!try_read(pages[3] + 8, &value) && value == 103);

	/* Rights go with the address, not with the page shown there. */
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_r), 0);
	CHECK_EQUAL(altp2m_set_suppress_ve(DOMID_SELF, v, GFN(pages[0]), true), 0);
	CHECK_EQUAL(altp2m_get_entry(DOMID_SELF, v, GFN(pages[0]), &op), 0);
	CHECK_EQUAL(op.u.entry.target, GFN(pages[1]));
	CHECK_EQUAL(op.u.entry.access, ACCESS_r);
	enter(v);
	CHECK(!try_read(pages[0], &value) && value == 101);
	REFUSED(try_write(pages[0], 1));
	enter(v);
	CHECK(!try_write(pages[1], 1));
	enter(0);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_default), 0);
	/* While in the view: the next instruction sees it. */
	enter(v);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[0]), GFN(pages[2])), 0);
	CHECK(!try_read(pages[0], &value) && value == 102);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[0]), ALTP2M_NO_GFN), 0);
	CHECK(!try_read(pages[0], &value) && value == 100);
	enter(0);
	/* In a piece of memory that the map holds as one. */
	fill(big[511], 8);
	fill(big[0], 9);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, w, GFN(big[511]), GFN(pages[3])), 0);
	enter(w);
	CHECK(!try_read(big[511], &value) && value == 103);
	CHECK(!try_read(big[0], &value) && value == 9);
	enter(0);
	CHECK(!try_read(big[511], &value) && value == 8);
	drop_view(v);
	drop_view(w);
}

/* The map below changes: every view follows in the same call, and keeps what was set in it. */
static void check_base_changes(void)
{
	uint16_t v = make_view(ACCESS_rwx), w = make_view(ACCESS_rwx), access = 77;
	uint64_t value = 1;

	/* v has rights of its own there, w has not. */
	fill(pages[0], 55);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_r), 0);
	for (uint32_t from = 0; from < 2; from++) {
		uint16_t here = from ? w : 0;

		/* The second time taken away and given back from inside a view. */
		enter(here);
		if (!CHECK(balloon_out(pages[0])))
			return;
		REFUSED_IN(here, try_read(pages[0], &value));
		enter(v);
		REFUSED_IN(v, try_read(pages[0], &value));
		enter(w);
		REFUSED_IN(w, try_write(pages[0], 1));
		CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, w, GFN(pages[0]), &access), -XEN_ESRCH);
		enter(here);
		CHECK(balloon_in(pages[0]));
		enter(v);
		CHECK(!try_read(pages[0], &value) && value == 0);
		REFUSED(try_write(pages[0], 2));
		CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, GFN(pages[0]), &access), 0);
		CHECK_EQUAL(access, ACCESS_r);
		enter(w);
		CHECK(!try_read(pages[0], &value) && value == 0);
		CHECK(!try_write(pages[0], 3));
		enter(v);
		CHECK(!try_read(pages[0], &value) && value == 3);
		enter(0);
	}
	/* In the middle of a big page: its neighbours stay, in every view. */
	for (uint32_t i = 0; i < 512; i += 73)
		fill(big[i], 1000 + i);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(big[73]), ACCESS_r), 0);
	CHECK(balloon_out(big[146]));
	for (uint16_t view = 0; view <= w; view++) {
		if (view && view != v && view != w)
			continue;
		for (uint32_t i = 0; i < 512; i += 73) {
			enter(view);
			if (i == 146)
				REFUSED_IN(view, try_read(big[i], &value));
			else
				CHECK(!try_read(big[i], &value) && value == 1000 + i);
		}
	}
	enter(0);
	CHECK(balloon_in(big[146]));
	enter(v);
	CHECK(!try_write(big[146], 1));
	REFUSED(try_write(big[73], 1));
	drop_view(v);
	drop_view(w);
}

static volatile uint32_t invalidations;

static void count_invalidation(uint32_t port)
{
	(void)port;
	invalidations++;
}

/* The page that a remap shows goes away: the entry is the base's again, and somebody hears of it. */
static void check_invalidation(void)
{
	uint16_t v = make_view(ACCESS_rwx), w = make_view(ACCESS_rwx);
	uint64_t value = 0, before_v, before_w, before_all, after = 0;
	static long port = -1;
	struct altp2m_op op;

	before_v = before_w = before_all = 0;
	if (port < 0) {
		CHECK_EQUAL(event_init(), 0);
		CHECK_EQUAL(event_init_cpu(), 0);
		port = event_bind_ipi(0);
		if (!CHECK(port > 0))
			return;
		event_handle((uint32_t)port, count_invalidation);
	}
	CHECK_EQUAL(altp2m_bind_invalidation(DOMID_SELF, (uint32_t)port), 0);
	fill(pages[0], 10);
	fill(pages[1], 11);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[0]), GFN(pages[1])), 0);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[2]), GFN(pages[1])), 0);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_r), 0);
	CHECK_EQUAL(altp2m_set_suppress_ve(DOMID_SELF, v, GFN(pages[0]), true), 0);
	CHECK_EQUAL(altp2m_get_generation(DOMID_SELF, v, &before_v), 0);
	CHECK_EQUAL(altp2m_get_generation(DOMID_SELF, w, &before_w), 0);
	CHECK_EQUAL(altp2m_get_generation(DOMID_SELF, ALTP2M_NO_VIEW, &before_all), 0);
	invalidations = 0;
	irq_on();
	enter(v);
	CHECK(!try_read(pages[0], &value) && value == 11);
	CHECK(balloon_out(pages[1]));
	/* Still in the view, it shows what the base has there, with the rights that were set. */
	CHECK(!try_read(pages[0], &value) && value == 10);
	REFUSED(try_write(pages[0], 12));
	irq_off();
	CHECK_EQUAL(altp2m_get_entry(DOMID_SELF, v, GFN(pages[0]), &op), 0);
	CHECK_EQUAL(op.u.entry.target, GFN(pages[0]));
	CHECK(!(op.u.entry.own & ALTP2M_OWN_TARGET));
	CHECK(op.u.entry.own & ALTP2M_OWN_ACCESS);
	CHECK_EQUAL(op.u.entry.access, ACCESS_r);
	CHECK_EQUAL(altp2m_get_generation(DOMID_SELF, v, &after), 0);
	CHECK(after > before_v);
	CHECK_EQUAL(view_facts(v).generation, after);
	CHECK_EQUAL(altp2m_get_generation(DOMID_SELF, w, &after), 0);
	CHECK_EQUAL(after, before_w);
	CHECK_EQUAL(altp2m_get_generation(DOMID_SELF, ALTP2M_NO_VIEW, &after), 0);
	CHECK(after > before_all);
	CHECK(invalidations > 0);
	/* The page comes back; the remap was lost and stays lost. */
	CHECK(balloon_in(pages[1]));
	enter(v);
	CHECK(!try_read(pages[0], &value) && value == 10);
	enter(0);

	/* The remapped address itself goes away: nothing has been lost. */
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[4]), GFN(pages[5])), 0);
	CHECK_EQUAL(altp2m_get_generation(DOMID_SELF, v, &before_v), 0);
	fill(pages[5], 15);
	CHECK(balloon_out(pages[4]));
	CHECK_EQUAL(altp2m_get_generation(DOMID_SELF, v, &after), 0);
	CHECK_EQUAL(after, before_v);
	CHECK(balloon_in(pages[4]));
	enter(v);
	CHECK(!try_read(pages[4], &value) && value == 15);
	enter(0);

	CHECK_EQUAL(altp2m_bind_invalidation(DOMID_SELF, 0), 0);
	invalidations = 0;
	irq_on();
	CHECK(balloon_out(pages[5]));
	CHECK(balloon_in(pages[5]));
	irq_off();
	CHECK_EQUAL(invalidations, 0);
	drop_view(v);
	drop_view(w);
}

/* Grants in v what the guest needs to run: all of its image. Whatever the default is, the rest keeps it. */
static bool grant_image(uint16_t v, uint16_t access, bool remap)
{
	static uint64_t gfns[4096];
	static uint8_t accesses[4096];
	uint64_t first = 0x100, end = GFN(image_end);
	uint32_t n = 0;

	for (uint64_t g = first; g < end && n < ARRAY_SIZE(gfns); g++) {
		/* Left out: what the tests access */
		if (g >= GFN(pages) && g < GFN(pages) + PAGES)
			continue;
		if (g >= GFN(big) && g < GFN(big) + 512)
			continue;
		/* A page shared with the hypervisor, and the #VE page: neither is any view's to change. */
		if (g == GFN(&shared_info) || g == GFN(&ve_pages[0]))
			continue;
		gfns[n] = g;
		accesses[n++] = (uint8_t)access;
		if (remap && !CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, g, g), 0))
			return false;
	}
	return remap || CHECK_EQUAL(altp2m_set_mem_access_multi(DOMID_SELF, v, n, gfns, accesses), 0);
}

static void check_default_access(void)
{
	uint16_t v = make_view(ACCESS_rx), access = 77;
	uint64_t value = 0;
	struct altp2m_op op;

	CHECK_EQUAL(view_facts(v).default_access, ACCESS_rx);
	CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, ALTP2M_NO_GFN, &access), 0);
	CHECK_EQUAL(access, ACCESS_rx);
	CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, GFN(pages[0]), &access), 0);
	CHECK_EQUAL(access, ACCESS_rx);
	CHECK_EQUAL(altp2m_get_entry(DOMID_SELF, v, GFN(pages[0]), &op), 0);
	CHECK_EQUAL(op.u.entry.own, 0);
	if (!grant_image(v, ACCESS_rwx, false))
		return;
	fill_code(pages[0], 12);
	fill_code(pages[2], 14);
	fill_code(big[7], 13);
	fill(pages[1], 9);
	enter(v);
	CHECK(!try_run(pages[0], &value) && value == 12);
	CHECK(!try_run(big[7], &value) && value == 13);
	REFUSED(try_write(pages[0] + 8, 1));
	enter(v);
	REFUSED(try_write(big[7] + 8, 1));
	/* A change of the default is there with the next instruction. */
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[2]), ACCESS_rx), 0);
	CHECK_EQUAL(altp2m_set_default_access(DOMID_SELF, v, ACCESS_rwx), 0);
	enter(v);
	CHECK(!try_write(pages[0] + 8, 1));
	CHECK(!try_write(big[7] + 8, 1));
	REFUSED(try_write(pages[2], 1));
	enter(v);
	CHECK_EQUAL(altp2m_set_default_access(DOMID_SELF, v, ACCESS_r), 0);
	REFUSED(try_run(pages[0], &value));
	enter(v);
	CHECK(!try_run(pages[2], &value) && value == 14);
	CHECK(!try_read(pages[1], &value) && value == 9);
	REFUSED(try_write(pages[1], 1));
	/* New memory comes with the default, too. */
	CHECK(balloon_out(pages[3]));
	CHECK(balloon_in(pages[3]));
	enter(v);
	CHECK(!try_read(pages[3], &value) && value == 0);
	REFUSED(try_write(pages[3], 1));
	drop_view(v);
}

static void nop(void *unused)
{
	(void)unused;
}

static void go_there(void *view)
{
	enter((uint16_t)(uint64_t)view);
	nop(NULL);
}

static void check_empty(void)
{
	uint16_t v = 0, access = 77;
	uint64_t value = 0;
	struct altp2m_op op;

	if (!CHECK_EQUAL(altp2m_create_empty(DOMID_SELF, ACCESS_rwx, &v), 0))
		return;
	CHECK_EQUAL(view_facts(v).empty, 1);
	CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, GFN(pages[0]), &access), -XEN_ESRCH);
	/* Not even the next instruction is there. */
	REFUSED(trap_try(go_there, (void *)(uint64_t)v) ? this_cpu()->trap.vector : 0);
	fill(pages[0], 21);
	fill(pages[1], 22);
	fill(pages[2], 23);
	if (!grant_image(v, ACCESS_rwx, true))
		return;
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[0]), GFN(pages[0])), 0);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[1]), GFN(pages[2])), 0);
	CHECK_EQUAL(altp2m_get_entry(DOMID_SELF, v, GFN(pages[1]), &op), 0);
	CHECK_EQUAL(op.u.entry.target, GFN(pages[2]));
	/* Or what becomes of it would be told by #VE. */
	CHECK_EQUAL(altp2m_set_suppress_ve(DOMID_SELF, v, GFN(pages[1]), true), 0);
	enter(v);
	CHECK(!try_read(pages[0], &value) && value == 21);
	CHECK(!try_read(pages[1], &value) && value == 23);
	REFUSED_IN(v, try_read(pages[2], &value));
	enter(v);
	REFUSED_IN(v, try_read(big[3], &value));
	/* Taking it out leaves a hole, and new memory does not show. */
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, GFN(pages[0]), ALTP2M_NO_GFN), 0);
	enter(v);
	REFUSED_IN(v, try_read(pages[0], &value));
	CHECK(balloon_out(pages[2]));
	enter(v);
	REFUSED_IN(v, try_read(pages[1], &value));
	CHECK(balloon_in(pages[2]));
	enter(v);
	REFUSED_IN(v, try_read(pages[2], &value));
	drop_view(v);
}

/* Rights that a first violation turns into others, without anybody hearing of it. */
static void check_turning(void)
{
	uint16_t v = make_view(ACCESS_rwx), access = 77;
	uint64_t value = 0;

	fill_code(pages[0], 31);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_rx2rw), 0);
	enter(v);
	CHECK(!try_run(pages[0], &value) && value == 31);
	CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, GFN(pages[0]), &access), 0);
	CHECK_EQUAL(access, ACCESS_rx2rw);
	CHECK(!try_write(pages[0] + 8, 5) && *(volatile uint64_t *)(pages[0] + 8) == 5);
	CHECK_EQUAL(view_now(), v);
	CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, GFN(pages[0]), &access), 0);
	CHECK_EQUAL(access, ACCESS_rw);
	REFUSED(try_run(pages[0], &value));

	fill_code(pages[1], 32);
	for (uint32_t i = 0; i < 3; i++) {
		CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[1]), ACCESS_n2rwx), 0);
		enter(v);
		if (i == 0)
			CHECK(!try_run(pages[1], &value) && value == 32);
		else if (i == 1)
			CHECK(!try_read(pages[1] + 8, &value) && value == 0xccccccccccccccccull);
		else
			CHECK(!try_write(pages[1] + 8, 3));
		CHECK_EQUAL(view_now(), v);
		CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, GFN(pages[1]), &access), 0);
		CHECK_EQUAL(access, ACCESS_rwx);
		CHECK(!try_write(pages[1] + 16, 3));
		CHECK(!try_run(pages[1], &value) && value == 32);
		enter(0);
	}
	drop_view(v);
}

/* View 0 is the memory map: rights set there hold in every view that sets none. */
static void check_base_rights(void)
{
	uint16_t v = make_view(ACCESS_rwx), w = make_view(ACCESS_rwx);
	uint64_t value = 0;

	fill(pages[0], 41);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, w, GFN(pages[0]), ACCESS_rwx), 0);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, 0, GFN(pages[0]), ACCESS_r), 0);
	CHECK(!try_read(pages[0], &value) && value == 41);
	REFUSED(try_write(pages[0], 1));
	enter(v);
	CHECK(!try_read(pages[0], &value) && value == 41);
	REFUSED(try_write(pages[0], 1));
	enter(w);
	CHECK(!try_write(pages[0], 42));
	enter(0);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, 0, GFN(pages[0]), ACCESS_rwx), 0);
	CHECK(!try_write(pages[0], 43));
	enter(v);
	CHECK(!try_write(pages[0], 44));
	enter(0);
	/* With ~0 for the gfn: the default, for what comes later. */
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, 0, ALTP2M_NO_GFN, ACCESS_r), 0);
	CHECK(!try_write(pages[0], 45));
	CHECK(balloon_out(pages[0]));
	CHECK(balloon_in(pages[0]));
	CHECK(!try_read(pages[0], &value) && value == 0);
	REFUSED(try_write(pages[0], 1));
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, 0, ALTP2M_NO_GFN, ACCESS_rwx), 0);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, 0, GFN(pages[0]), ACCESS_rwx), 0);
	CHECK(!try_write(pages[0], 46));
	drop_view(v);
	drop_view(w);
}

/* Without VMFUNC no user code can have gone astray: whoever is refused something stays where it is. */
static void check_without_vmfunc(void)
{
	uint16_t v = make_view(ACCESS_rwx);

	functions_off();
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[0]), ACCESS_r), 0);
	enter(v);
	REFUSED_IN(v, try_write(pages[0], 1));
	drop_view(v);
	functions_on();
}

void check_views(void)
{
	functions_on();
	check_rights();
	check_arguments_in_view();
	check_remaps();
	check_base_changes();
	check_invalidation();
	check_default_access();
	check_empty();
	check_turning();
	check_base_rights();
	check_without_vmfunc();
	functions_off();
}
