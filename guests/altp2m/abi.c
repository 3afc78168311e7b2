/* SPDX-License-Identifier: Apache-2.0 */
/* Every sub-op: what it checks, in the order documented, and what it gives back. */
#include "views.h"

#define NOWHERE	    0x70000ull	 /* a gfn between RAM and the local APIC */
#define BAD_POINTER (1ull << 40) /* not mapped by our page tables */
#define NO_SUCH	    1999	 /* a view that does not exist */

static const uint32_t commands[] = {1,	2,  3,	4,  5,	6,  7,	8,  9,	10, 11, 12, 13,
				    14, 15, 16, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73};

static long call_raw(uint32_t version, uint32_t cmd, uint16_t domain, uint16_t pad1, uint32_t pad2)
{
	struct altp2m_op op = {.version = version, .cmd = cmd, .domain = domain, .pad1 = pad1, .pad2 = pad2};

	return altp2m_call(&op);
}

/* What comes before the sub-op itself; the first check that fails decides. */
static void check_generic(void)
{
	static const uint32_t unknown[] = {0, 17, 63, 74, 100, 0x80000001, ~0u};

	CHECK_EQUAL(hypercall2(HC_hvm_op, HVM_altp2m, BAD_POINTER), -XEN_EFAULT);
	CHECK_EQUAL(hypercall2(HC_hvm_op, HVM_altp2m, 1ull << 63), -XEN_EFAULT);
	CHECK_EQUAL(call_raw(0, 1, DOMID_SELF, 0, 0), -XEN_EINVAL);
	CHECK_EQUAL(call_raw(2, 1, DOMID_SELF, 0, 0), -XEN_EINVAL);
	CHECK_EQUAL(call_raw(1, 1, DOMID_SELF, 1, 0), -XEN_EINVAL);
	CHECK_EQUAL(call_raw(1, 1, DOMID_SELF, 0, 1), -XEN_EINVAL);
	CHECK_EQUAL(call_raw(2, 99, DOMID_SELF, 0, 0), -XEN_EINVAL);
	CHECK_EQUAL(call_raw(1, 99, DOMID_SELF, 0, 1), -XEN_EINVAL);
	for (uint32_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		CHECK_EQUAL(call_raw(1, unknown[i], DOMID_SELF, 0, 0), -XEN_EOPNOTSUPP);
		CHECK_EQUAL(call_raw(1, unknown[i], 999, 0, 0), -XEN_EOPNOTSUPP);
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(commands); i++) {
		CHECK_EQUAL(call_raw(1, commands[i], 999, 0, 0), -XEN_ESRCH);
		CHECK_EQUAL(call_raw(1, commands[i], 0x7ff1, 0, 0), -XEN_ESRCH); /* DOMID_IO */
		CHECK_EQUAL(call_raw(1, commands[i], 0xffff, 0, 0), -XEN_ESRCH);
	}
}

void check_off(void)
{
	struct altp2m_op op = {.version = ALTP2M_VERSION, .cmd = 1, .domain = DOMID_SELF};
	uint32_t selves = 0;

	op.u.domain_state.state = 0x55;
	CHECK_EQUAL(altp2m_call(&op), 0);
	CHECK_EQUAL(op.u.domain_state.state, 0);
	check_generic();
	for (uint32_t i = 2; i < ARRAY_SIZE(commands); i++)
		CHECK_EQUAL(call_raw(1, commands[i], DOMID_SELF, 0, 0), -XEN_EOPNOTSUPP);
	CHECK_EQUAL(altp2m_set_domain_state(DOMID_SELF, false), 0);
	CHECK_EQUAL(call_raw(1, 4, DOMID_SELF, 0, 0), -XEN_EOPNOTSUPP);
	CHECK(!vmfunc_try(0, 0) && this_cpu()->trap.vector == VECTOR_UD);
	/* By its number, too, but that of nobody else. */
	for (uint16_t i = 0; i < 16; i++) {
		bool on = true;
		long r = altp2m_get_domain_state(i, &on);

		CHECK(r == 0 || r == -XEN_ESRCH || r == -XEN_EPERM || r == -XEN_EINVAL);
		selves += !r && !on;
	}
	CHECK_EQUAL(selves, 1);
	/* The mode is the control domain's to say. */
	CHECK_EQUAL(xen_set_param(PARAM_altp2m, ALTP2M_EXTERNAL), -XEN_EPERM);
	CHECK_EQUAL(xen_set_param(PARAM_altp2m, ALTP2M_MIXED), -XEN_EPERM);
}

static void check_create_destroy(void)
{
	uint16_t a, b, c, x = 0;
	struct altp2m_op op;

	for (uint16_t access = 0; access <= ACCESS_default; access++) {
		long r = altp2m_create(DOMID_SELF, access, &x);

		/* Writable and not readable: hardware has no such thing. */
		if (access == ACCESS_w || access == ACCESS_wx) {
			CHECK_EQUAL(r, -XEN_EINVAL);
			continue;
		}
		if (r == -XEN_EINVAL && (access == ACCESS_rx2rw || access == ACCESS_n2rwx))
			continue;
		if (CHECK_EQUAL(r, 0)) {
			CHECK_EQUAL(x, 1);
			drop_view(x);
		}
	}
	CHECK_EQUAL(CALL(create_p2m, .view = {0, 11}), -XEN_EINVAL);
	CHECK_EQUAL(CALL(create_p2m, .view = {0, 0xffff}), -XEN_EINVAL);
	CHECK_EQUAL(CALL(create_empty, .view = {0, 11}), -XEN_EINVAL);

	/* The lowest number that is free; the rest of the argument comes back as it went. */
	op = (struct altp2m_op){.version = 1, .cmd = ALTP2M_create_p2m, .domain = DOMID_SELF};
	op.u.view.default_access = ACCESS_rwx;
	op.u.size[60] = 0x5a;
	CHECK_EQUAL(altp2m_call(&op), 0);
	CHECK_EQUAL(op.cmd, ALTP2M_create_p2m);
	CHECK_EQUAL(op.u.view.default_access, ACCESS_rwx);
	CHECK_EQUAL(op.u.size[60], 0x5a);
	a = op.u.view.view;
	CHECK_EQUAL(a, 1);
	b = make_view(ACCESS_rwx);
	CHECK_EQUAL(b, 2);
	c = make_view(ACCESS_rwx);
	CHECK_EQUAL(c, 3);
	drop_view(b);
	CHECK_EQUAL(make_view(ACCESS_rwx), b);

	/* destroy_p2m has one answer for all that it won't do. */
	CHECK_EQUAL(altp2m_destroy(DOMID_SELF, 0), -XEN_EBUSY);
	CHECK_EQUAL(altp2m_destroy(DOMID_SELF, NO_SUCH), -XEN_EBUSY);
	CHECK_EQUAL(altp2m_destroy(DOMID_SELF, 0x8000), -XEN_EBUSY);
	CHECK_EQUAL(altp2m_destroy(DOMID_SELF, ALTP2M_NO_VIEW), -XEN_EBUSY);
	CHECK_EQUAL(altp2m_switch(DOMID_SELF, a), 0);
	CHECK_EQUAL(altp2m_destroy(DOMID_SELF, a), -XEN_EBUSY);
	CHECK_EQUAL(altp2m_switch(DOMID_SELF, 0), 0);
	drop_view(a);
	CHECK_EQUAL(altp2m_destroy(DOMID_SELF, a), -XEN_EBUSY);
	drop_view(b);
	drop_view(c);
}

static void check_switch(uint16_t v)
{
	uint16_t view = 77;

	CHECK_EQUAL(altp2m_switch(DOMID_SELF, NO_SUCH), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_switch(DOMID_SELF, 0x8000), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_switch(DOMID_SELF, ALTP2M_NO_VIEW), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_switch(DOMID_SELF, v), 0);
	CHECK_EQUAL(view_now(), v);
	CHECK_EQUAL(view_facts(v).vcpus, smp_count());
	CHECK_EQUAL(view_facts(0).vcpus, 0);
	CHECK_EQUAL(altp2m_switch(DOMID_SELF, v), 0);
	CHECK_EQUAL(altp2m_switch(DOMID_SELF, 0), 0);
	CHECK_EQUAL(view_now(), 0);

	CHECK_EQUAL(altp2m_get_vcpu_view(DOMID_SELF, smp_count(), &view), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_get_vcpu_view(DOMID_SELF, ~0u, &view), -XEN_EINVAL);
	CHECK_EQUAL(view, 77);
	CHECK_EQUAL(altp2m_get_vcpu_view(DOMID_SELF, smp_count() - 1, &view), 0);
	CHECK_EQUAL(view, 0);

	CHECK_EQUAL(CALL(set_visibility, .visibility = {v, 0, 1}), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_set_visibility(DOMID_SELF, NO_SUCH, false), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_set_visibility(DOMID_SELF, ALTP2M_NO_VIEW, false), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_set_visibility(DOMID_SELF, v, false), 0);
	CHECK_EQUAL(view_facts(v).visible, 0);
	CHECK_EQUAL(altp2m_switch(DOMID_SELF, v), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_set_visibility(DOMID_SELF, v, false), 0);
	CHECK_EQUAL(altp2m_set_visibility(DOMID_SELF, v, true), 0);
	CHECK_EQUAL(view_facts(v).visible, 1);
	CHECK_EQUAL(altp2m_switch(DOMID_SELF, v), 0);
	/* Hiding a view moves nobody. */
	CHECK_EQUAL(altp2m_set_visibility(DOMID_SELF, v, false), 0);
	CHECK_EQUAL(view_now(), v);
	CHECK_EQUAL(altp2m_set_visibility(DOMID_SELF, v, true), 0);
	CHECK_EQUAL(altp2m_switch(DOMID_SELF, 0), 0);

	CHECK_EQUAL(altp2m_switch_vcpu(DOMID_SELF, smp_count(), 0), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_switch_vcpu(DOMID_SELF, ~0u, 0), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_switch_vcpu(DOMID_SELF, 0, NO_SUCH), -XEN_EINVAL);
	CHECK_EQUAL(CALL(switch_vcpu, .switch_vcpu = {0, v, 1}), -XEN_EINVAL);
	CHECK_EQUAL(view_now(), 0);
}

static void check_access(uint16_t v)
{
	static const uint8_t odd[] = {ACCESS_w, ACCESS_wx, 11, 255};
	uint64_t g = GFN(pages[0]);
	struct altp2m_op op;
	uint16_t access = 77;

	CHECK_EQUAL(CALL(set_mem_access, .mem_access = {v, ACCESS_r, 1, g}), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, NO_SUCH, g, ACCESS_r), -XEN_EINVAL);
	for (uint32_t i = 0; i < ARRAY_SIZE(odd); i++)
		CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, g, odd[i]), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, NOWHERE, 11), -XEN_EINVAL);
	/* What isn't RAM is passed over in silence. */
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, NOWHERE, ACCESS_r), 0);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, 1ull << 50, ACCESS_r), 0);
	CHECK_EQUAL(view_facts(v).own_entries, 0);

	CHECK_EQUAL(CALL(get_mem_access, .mem_access = {v, 0, 1, g}), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, NO_SUCH, g, &access), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, NOWHERE, &access), -XEN_ESRCH);
	CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, 1ull << 50, &access), -XEN_ESRCH);
	CHECK_EQUAL(access, 77);
	CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, g, &access), 0);
	CHECK_EQUAL(access, ACCESS_rwx);
	CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, ALTP2M_NO_GFN, &access), 0);
	CHECK_EQUAL(access, ACCESS_rwx);

	for (uint16_t a = 0; a < ACCESS_default; a++) {
		if (a == ACCESS_w || a == ACCESS_wx)
			continue;
		CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, g, a), 0);
		CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, g, &access), 0);
		CHECK_EQUAL(access, a);
		CHECK_EQUAL(altp2m_get_entry(DOMID_SELF, v, g, &op), 0);
		CHECK_EQUAL(op.u.entry.access, a);
		CHECK_EQUAL(op.u.entry.own, ALTP2M_OWN_ACCESS);
		/* Its neighbours and the other views are what they were. */
		CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, g + 1, &access), 0);
		CHECK_EQUAL(access, ACCESS_rwx);
		CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, 0, g, &access), 0);
		CHECK_EQUAL(access, ACCESS_rwx);
	}
	CHECK_EQUAL(view_facts(v).own_entries, 1);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, g, ACCESS_default), 0);
	CHECK_EQUAL(view_facts(v).own_entries, 0);
	CHECK_EQUAL(altp2m_get_entry(DOMID_SELF, v, g, &op), 0);
	CHECK_EQUAL(op.u.entry.own, 0);
	CHECK_EQUAL(op.u.entry.access, ACCESS_rwx);
}

static void check_multi(uint16_t v)
{
	uint64_t g = GFN(pages[0]), gfns[4] = {g, g + 1, g + 2, g + 3};
	uint8_t accesses[4] = {ACCESS_r, ACCESS_rx, 11, ACCESS_rw};
	static uint64_t many[200];
	static uint8_t many_accesses[200];
	uint16_t access = 77;
	struct altp2m_op op = {.version = 1, .cmd = ALTP2M_set_mem_access_multi, .domain = DOMID_SELF};

	CHECK_EQUAL(CALL(set_mem_access_multi,
			 .mem_access_multi = {v, 1, 1, 0, (uint64_t)gfns, (uint64_t)accesses}),
		    -XEN_EINVAL);
	CHECK_EQUAL(CALL(set_mem_access_multi,
			 .mem_access_multi = {v, 0, 1, 2, (uint64_t)gfns, (uint64_t)accesses}),
		    -XEN_EINVAL);
	CHECK_EQUAL(CALL(set_mem_access_multi,
			 .mem_access_multi = {NO_SUCH, 0, 1, 0, (uint64_t)gfns, (uint64_t)accesses}),
		    -XEN_EINVAL);
	CHECK_EQUAL(
		CALL(set_mem_access_multi, .mem_access_multi = {v, 0, 1, 0, BAD_POINTER, (uint64_t)accesses}),
		-XEN_EFAULT);
	CHECK_EQUAL(CALL(set_mem_access_multi, .mem_access_multi = {v, 0, 1, 0, (uint64_t)gfns, BAD_POINTER}),
		    -XEN_EFAULT);
	CHECK_EQUAL(altp2m_set_mem_access_multi(DOMID_SELF, v, 0, gfns, accesses), 0);
	CHECK_EQUAL(view_facts(v).own_entries, 0);

	/* A bad item ends it; what came before stays. */
	CHECK_EQUAL(altp2m_set_mem_access_multi(DOMID_SELF, v, 4, gfns, accesses), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, g, &access), 0);
	CHECK_EQUAL(access, ACCESS_r);
	CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, g + 1, &access), 0);
	CHECK_EQUAL(access, ACCESS_rx);
	CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, g + 3, &access), 0);
	CHECK_EQUAL(access, ACCESS_rwx);

	/* A continuation starts where `opaque` says. */
	for (uint32_t i = 0; i < 4; i++)
		accesses[i] = ACCESS_rw;
	op.u.mem_access_multi.view = v;
	op.u.mem_access_multi.nr = 4;
	op.u.mem_access_multi.opaque = 2;
	op.u.mem_access_multi.gfns = (uint64_t)gfns;
	op.u.mem_access_multi.accesses = (uint64_t)accesses;
	CHECK_EQUAL(altp2m_call(&op), 0);
	CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, g + 1, &access), 0);
	CHECK_EQUAL(access, ACCESS_rx);
	CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, g + 2, &access), 0);
	CHECK_EQUAL(access, ACCESS_rw);

	/* More than one piece, holes among them. */
	for (uint32_t i = 0; i < ARRAY_SIZE(many); i++) {
		many[i] = i % 7 == 3 ? NOWHERE + i : GFN(big[i]);
		many_accesses[i] = i % 5 == 1 ? ACCESS_rx : ACCESS_r;
	}
	CHECK_EQUAL(altp2m_set_mem_access_multi(DOMID_SELF, v, ARRAY_SIZE(many), many, many_accesses), 0);
	for (uint32_t i = 0; i < ARRAY_SIZE(many); i++) {
		if (i % 7 == 3)
			continue;
		CHECK_EQUAL(altp2m_get_mem_access(DOMID_SELF, v, many[i], &access), 0);
		CHECK_EQUAL(access, many_accesses[i]);
		many_accesses[i] = ACCESS_default;
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(many); i++)
		many_accesses[i] = ACCESS_default;
	CHECK_EQUAL(altp2m_set_mem_access_multi(DOMID_SELF, v, ARRAY_SIZE(many), many, many_accesses), 0);
	CHECK_EQUAL(altp2m_set_mem_access_multi(DOMID_SELF, v, 4, gfns, many_accesses), 0);
	CHECK_EQUAL(view_facts(v).own_entries, 0);
	CHECK(view_facts(v).tables <= 1);
}

static void check_remap(uint16_t v)
{
	uint64_t g = GFN(pages[0]), h = GFN(pages[1]);
	struct altp2m_op op;
	bool suppress = true;

	CHECK_EQUAL(CALL(change_gfn, .change_gfn = {v, 1, 0, g, h}), -XEN_EINVAL);
	CHECK_EQUAL(CALL(change_gfn, .change_gfn = {v, 0, 1, g, h}), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, NO_SUCH, g, h), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, NO_SUCH, NOWHERE, NOWHERE), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, NOWHERE, h), -XEN_ESRCH);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, g, NOWHERE), -XEN_ESRCH);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, g, 1ull << 50), -XEN_ESRCH);
	/* Reverting what was never set */
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, g, ALTP2M_NO_GFN), 0);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, NOWHERE, ALTP2M_NO_GFN), 0);
	CHECK_EQUAL(view_facts(v).own_entries, 0);

	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, g, h), 0);
	CHECK_EQUAL(altp2m_get_entry(DOMID_SELF, v, g, &op), 0);
	CHECK_EQUAL(op.u.entry.target, h);
	CHECK(op.u.entry.own & ALTP2M_OWN_TARGET);
	CHECK_EQUAL(op.u.entry.level, 0);
	CHECK_EQUAL(op.u.entry.step, ALTP2M_NO_VIEW);
	/* A guest that remaps its own pages wants to hear of them. */
	CHECK_EQUAL(altp2m_get_suppress_ve(DOMID_SELF, v, g, &suppress), 0);
	CHECK(!suppress);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, v, g, ALTP2M_NO_GFN), 0);
	CHECK_EQUAL(altp2m_get_entry(DOMID_SELF, v, g, &op), 0);
	CHECK_EQUAL(op.u.entry.target, g);
	CHECK(!(op.u.entry.own & ALTP2M_OWN_TARGET));
}

static void check_suppress(uint16_t v)
{
	uint64_t g = GFN(pages[8]), first_error_gfn = 0;
	bool suppress = false;
	int32_t first_error = 0;

	CHECK_EQUAL(CALL(set_suppress_ve, .suppress_ve = {v, 0, 1, 0, g}), -XEN_EINVAL);
	CHECK_EQUAL(CALL(set_suppress_ve, .suppress_ve = {v, 0, 0, 1, g}), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_set_suppress_ve(DOMID_SELF, NO_SUCH, g, false), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_set_suppress_ve(DOMID_SELF, v, NOWHERE, false), -XEN_ESRCH);
	CHECK_EQUAL(CALL(get_suppress_ve, .suppress_ve = {v, 0, 1, 0, g}), -XEN_EINVAL);
	CHECK_EQUAL(CALL(get_suppress_ve, .suppress_ve = {v, 0, 0, 1, g}), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_get_suppress_ve(DOMID_SELF, NO_SUCH, g, &suppress), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_get_suppress_ve(DOMID_SELF, v, NOWHERE, &suppress), -XEN_ESRCH);

	/* Nothing becomes a #VE that nobody asked for. */
	CHECK_EQUAL(altp2m_get_suppress_ve(DOMID_SELF, v, g, &suppress), 0);
	CHECK(suppress);
	CHECK_EQUAL(altp2m_set_suppress_ve(DOMID_SELF, v, g, false), 0);
	CHECK_EQUAL(altp2m_get_suppress_ve(DOMID_SELF, v, g, &suppress), 0);
	CHECK(!suppress);
	CHECK_EQUAL(altp2m_get_suppress_ve(DOMID_SELF, v, g + 1, &suppress), 0);
	CHECK(suppress);
	CHECK_EQUAL(altp2m_set_suppress_ve(DOMID_SELF, v, g, true), 0);
	CHECK_EQUAL(altp2m_get_suppress_ve(DOMID_SELF, v, g, &suppress), 0);
	CHECK(suppress);

	CHECK_EQUAL(CALL(set_suppress_ve_multi, .suppress_ve_multi = {v, 0, 1, 0, g, g, 0}), -XEN_EINVAL);
	CHECK_EQUAL(CALL(set_suppress_ve_multi, .suppress_ve_multi = {v, 0, 0, 0, g + 1, g, 0}), -XEN_EINVAL);
	CHECK_EQUAL(CALL(set_suppress_ve_multi, .suppress_ve_multi = {NO_SUCH, 0, 0, 0, g, g, 0}),
		    -XEN_EINVAL);
	CHECK_EQUAL(
		altp2m_set_suppress_ve_multi(DOMID_SELF, v, g, g + 3, false, &first_error, &first_error_gfn),
		0);
	CHECK_EQUAL(first_error, 0);
	for (uint32_t i = 0; i < 5; i++) {
		CHECK_EQUAL(altp2m_get_suppress_ve(DOMID_SELF, v, g + i, &suppress), 0);
		CHECK_EQUAL(suppress, i == 4);
	}
	/* Over a hole: the first error is told and the rest is done. */
	if (CHECK(balloon_out(pages[21]))) {
		g = GFN(pages[20]);
		CHECK_EQUAL(altp2m_set_suppress_ve_multi(DOMID_SELF, v, g, g + 3, false, &first_error,
							 &first_error_gfn),
			    0);
		CHECK_EQUAL(first_error, -XEN_ESRCH);
		CHECK_EQUAL(first_error_gfn, g + 1);
		CHECK_EQUAL(altp2m_get_suppress_ve(DOMID_SELF, v, g + 3, &suppress), 0);
		CHECK(!suppress);
		CHECK(balloon_in(pages[21]));
	}
}

static void check_notify(void)
{
	uint64_t g = GFN(&ve_pages[0]);

	CHECK_EQUAL(CALL(vcpu_enable_notify, .enable_notify = {0, 1, g}), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, smp_count(), g), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, ~0u, g), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, 0, NOWHERE), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, 0, 1ull << 50), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_disable_notify(DOMID_SELF, smp_count()), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_disable_notify(DOMID_SELF, 0), 0);
	CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, 0, g), 0);
	CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, 0, g), -XEN_EEXIST);
	CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, 0, g + 1), -XEN_EEXIST);
	/* The hypervisor writes there, so it stays. */
	CHECK(!balloon_out(&ve_pages[0]));
	CHECK_EQUAL(altp2m_disable_notify(DOMID_SELF, 0), 0);
	CHECK_EQUAL(altp2m_disable_notify(DOMID_SELF, 0), 0);
	CHECK(balloon_out(&ve_pages[0]));
	CHECK(balloon_in(&ve_pages[0]));
}

static void check_additions(uint16_t v)
{
	uint64_t g = GFN(pages[0]), h = GFN(pages[1]), generation = 77;
	struct altp2m_view views[4];
	uint32_t from, count;
	struct altp2m_op op;
	uint16_t w = make_view(ACCESS_rwx);
	uint32_t own = view_facts(v).own_entries;

	/* 64: in pieces, from anywhere. */
	from = 0, count = 4;
	CHECK_EQUAL(altp2m_list_views(DOMID_SELF, &from, views, &count), 0);
	CHECK_EQUAL(count, 3);
	CHECK_EQUAL(from, 0);
	CHECK(views[0].view == 0 && views[1].view == v && views[2].view == w);
	from = 0, count = 1;
	CHECK_EQUAL(altp2m_list_views(DOMID_SELF, &from, views, &count), 0);
	CHECK_EQUAL(count, 1);
	CHECK(from > 0 && from <= v);
	count = 4;
	CHECK_EQUAL(altp2m_list_views(DOMID_SELF, &from, views, &count), 0);
	CHECK(count == 2 && views[0].view == v && views[1].view == w && !from);
	from = w + 1u, count = 4;
	CHECK_EQUAL(altp2m_list_views(DOMID_SELF, &from, views, &count), 0);
	CHECK(!count && !from);
	from = ~0u, count = 4;
	CHECK_EQUAL(altp2m_list_views(DOMID_SELF, &from, views, &count), 0);
	CHECK(!count && !from);
	from = 0, count = 4;
	CHECK_EQUAL(altp2m_list_views(DOMID_SELF, &from, (void *)BAD_POINTER, &count), -XEN_EFAULT);

	/* 65 */
	CHECK_EQUAL(altp2m_get_entry(DOMID_SELF, NO_SUCH, g, &op), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_get_entry(DOMID_SELF, v, g, &op), 0);
	CHECK_EQUAL(op.u.entry.target, g);
	CHECK_EQUAL(op.u.entry.step, ALTP2M_NO_VIEW);

	/* 67 */
	CHECK_EQUAL(altp2m_set_window(DOMID_SELF, smp_count(), 5, v), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_set_window(DOMID_SELF, 0, 512, v), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_set_window(DOMID_SELF, 0, 5, NO_SUCH), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_set_window(DOMID_SELF, 0, 5, v), 0);
	CHECK_EQUAL(altp2m_set_window(DOMID_SELF, 0, 5, ALTP2M_NO_VIEW), 0);

	/* 68 */
	CHECK_EQUAL(altp2m_set_default_access(DOMID_SELF, NO_SUCH, ACCESS_rwx), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_set_default_access(DOMID_SELF, v, ACCESS_w), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_set_default_access(DOMID_SELF, v, 11), -XEN_EINVAL);
	CHECK_EQUAL(CALL(set_default_access, .default_access = {v, ACCESS_rwx, 1}), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_set_default_access(DOMID_SELF, v, ACCESS_rx), 0);
	CHECK_EQUAL(view_facts(v).default_access, ACCESS_rx);
	CHECK_EQUAL(altp2m_set_default_access(DOMID_SELF, v, ACCESS_rwx), 0);

	/* 70 */
	CHECK_EQUAL(altp2m_split_remap(DOMID_SELF, NO_SUCH, w, g, g, h), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_split_remap(DOMID_SELF, v, NO_SUCH, g, g, h), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_split_remap(DOMID_SELF, v, w, NOWHERE, g, h), -XEN_ESRCH);
	CHECK_EQUAL(altp2m_split_remap(DOMID_SELF, v, w, g, NOWHERE, h), -XEN_ESRCH);
	CHECK_EQUAL(altp2m_split_remap(DOMID_SELF, v, w, g, g, NOWHERE), -XEN_ESRCH);
	CHECK_EQUAL(view_facts(v).own_entries, own);
	CHECK_EQUAL(view_facts(w).own_entries, 0);

	/* 71 */
	CHECK_EQUAL(CALL(set_step, .step = {v, 0, 1, g}), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_set_step(DOMID_SELF, NO_SUCH, g, 0), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_set_step(DOMID_SELF, v, g, NO_SUCH), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_set_step(DOMID_SELF, v, NOWHERE, 0), -XEN_ESRCH);
	CHECK_EQUAL(altp2m_set_step(DOMID_SELF, v, g, 0), 0);
	CHECK_EQUAL(altp2m_get_entry(DOMID_SELF, v, g, &op), 0);
	CHECK_EQUAL(op.u.entry.step, 0);
	CHECK(op.u.entry.own & ALTP2M_OWN_STEP);
	CHECK_EQUAL(altp2m_set_step(DOMID_SELF, v, g, ALTP2M_NO_VIEW), 0);
	CHECK_EQUAL(altp2m_get_entry(DOMID_SELF, v, g, &op), 0);
	CHECK_EQUAL(op.u.entry.step, ALTP2M_NO_VIEW);

	/* 72 */
	CHECK_EQUAL(altp2m_get_generation(DOMID_SELF, NO_SUCH, &generation), -XEN_EINVAL);
	CHECK_EQUAL(generation, 77);
	CHECK_EQUAL(altp2m_get_generation(DOMID_SELF, v, &generation), 0);
	CHECK_EQUAL(altp2m_get_generation(DOMID_SELF, ALTP2M_NO_VIEW, &generation), 0);

	/* 73 */
	CHECK_EQUAL(altp2m_bind_invalidation(DOMID_SELF, 4000), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_bind_invalidation(DOMID_SELF, 5000), -XEN_EINVAL);
	CHECK_EQUAL(altp2m_bind_invalidation(DOMID_SELF, 0), 0);
	drop_view(w);
}

/* Where the argument lies: what is written back must be writable, what isn't need not be. */
static void check_argument(uint16_t v)
{
	struct altp2m_op op = {.version = 1, .cmd = ALTP2M_set_mem_access, .domain = DOMID_SELF};
	void *here = alias_map(3, (uint64_t)pages[2], MAP_PRESENT);

	op.u.mem_access.view = v;
	op.u.mem_access.access = ACCESS_rwx;
	op.u.mem_access.gfn = GFN(pages[3]);
	memcpy(pages[2], &op, sizeof(op));
	CHECK_EQUAL(altp2m_call(here), 0);
	op.cmd = ALTP2M_get_mem_access;
	memcpy(pages[2], &op, sizeof(op));
	CHECK_EQUAL(altp2m_call(here), -XEN_EFAULT);
	/* Across two pages */
	alias_map(4, (uint64_t)pages[5], MAP_PRESENT | MAP_WRITE);
	alias_map(3, (uint64_t)pages[2], MAP_PRESENT | MAP_WRITE);
	memcpy((uint8_t *)here + 4096 - 24, &op, sizeof(op));
	CHECK_EQUAL(altp2m_call((struct altp2m_op *)((uint8_t *)here + 4096 - 24)), 0);
	alias_map(3, 0, 0);
	alias_map(4, 0, 0);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[3]), ACCESS_default), 0);
}

void check_abi(void)
{
	uint16_t v;
	bool on = false;

	CHECK_EQUAL(altp2m_get_domain_state(DOMID_SELF, &on), 0);
	CHECK(on);
	CHECK_EQUAL(view_now(), 0);
	check_all_gone();
	check_generic();
	check_create_destroy();
	v = make_view(ACCESS_rwx);
	check_switch(v);
	check_access(v);
	check_multi(v);
	check_remap(v);
	check_suppress(v);
	check_notify();
	check_additions(v);
	check_argument(v);
	/* Off takes everything along, whatever state it is in. */
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, v, GFN(pages[3]), ACCESS_r), 0);
	CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, 0, GFN(&ve_pages[0])), 0);
	CHECK_EQUAL(altp2m_switch(DOMID_SELF, v), 0);
	CHECK_EQUAL(altp2m_set_domain_state(DOMID_SELF, false), 0);
	CHECK_EQUAL(call_raw(1, ALTP2M_get_p2m_idx, DOMID_SELF, 0, 0), -XEN_EOPNOTSUPP);
	CHECK(!vmfunc_try(0, 0) && this_cpu()->trap.vector == VECTOR_UD);
	CHECK(!try_write(pages[3], 1));
	CHECK_EQUAL(altp2m_set_domain_state(DOMID_SELF, true), 0);
	CHECK_EQUAL(view_now(), 0);
	CHECK(!vmfunc_try(0, 0) && this_cpu()->trap.vector == VECTOR_UD);
}
