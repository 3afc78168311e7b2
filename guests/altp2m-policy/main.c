/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor's options about views, as guests see them. Option: role=off where
 * there are none (altp2m=off); role=control, mixed or limited under the policy
 * `narrow`, the latter two named after their domain's mode. The control domain
 * takes mixed=<domain id> and limited=<domain id>.
 *
 * What `narrow` leaves a guest is written down here, not taken from the
 * hypervisor's table: what only reads, and what can but take reach away.
 */
#include "guest.h"

const char test_name[] = "altp2m-policy";

#define GFN(address) ((uint64_t)(address) >> 12)
#define BAD_POINTER  (1ull << 40) /* not mapped by our page tables */

static uint8_t page[4096] __attribute__((aligned(4096)));
static uint8_t ve_page[4096] __attribute__((aligned(4096)));

static const uint32_t commands[] = { 1,	 2,  3,	 4,  5,	 6,  7,	 8,  9,	 10, 11, 12, 13,
				     14, 15, 16, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73 };

static long call(uint16_t domain, uint32_t version, uint32_t command)
{
	struct altp2m_op op = { .version = version, .cmd = command, .domain = domain };

	return altp2m_call(&op);
}

static void nap(void)
{
	hypercall2(HC_sched_op, SCHED_yield, 0);
}

/* There is nothing to be found out about, whoever asks and whatever for. */
static void as_off(void)
{
	struct xen_param mode = { .domid = DOMID_SELF, .index = PARAM_altp2m };

	for (uint32_t command = 0; command < 128; command++) {
		CHECK_EQUAL(call(DOMID_SELF, ALTP2M_VERSION, command), -XEN_EOPNOTSUPP);
		CHECK_EQUAL(call(0, ALTP2M_VERSION, command), -XEN_EOPNOTSUPP);
		CHECK_EQUAL(call(1, ALTP2M_VERSION, command), -XEN_EOPNOTSUPP);
		CHECK_EQUAL(call(999, ALTP2M_VERSION, command), -XEN_EOPNOTSUPP);
	}
	/* Before everything else is looked at */
	CHECK_EQUAL(call(DOMID_SELF, 99, 4), -XEN_EOPNOTSUPP);
	CHECK_EQUAL(hypercall2(HC_hvm_op, HVM_altp2m, BAD_POINTER), -XEN_EOPNOTSUPP);
	/* The rest of hvm_op goes on, and the mode is what the manifest says. */
	CHECK_EQUAL(hypercall2(HC_hvm_op, HVM_get_param, &mode), 0);
	CHECK_EQUAL(mode.value, ALTP2M_MIXED);
	CHECK(!vmfunc_try(0, 0) && this_cpu()->trap.vector == VECTOR_UD);
}

static bool left_to_mixed(uint32_t command)
{
	static const uint32_t left[] = {
		ALTP2M_get_domain_state, ALTP2M_destroy_p2m,	 ALTP2M_get_suppress_ve, ALTP2M_get_mem_access,
		ALTP2M_vcpu_disable_notify, ALTP2M_get_p2m_idx,	 ALTP2M_list_views,	 ALTP2M_get_entry,
		ALTP2M_create_empty,	 ALTP2M_get_generation, ALTP2M_bind_invalidation,
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(left); i++) {
		if (left[i] == command)
			return true;
	}
	return false;
}

/* Its own views, which the control domain has switched on and made number 1 of. */
static void as_mixed(void)
{
	struct altp2m_view views[4];
	uint32_t from = 0, count = ARRAY_SIZE(views);
	uint64_t generation = 77;
	uint16_t access = 77, view = 77;
	struct altp2m_op op;
	bool on = false;

	/* Not even on is for it to say. */
	CHECK_EQUAL(altp2m_set_domain_state(DOMID_SELF, true), -XEN_EPERM);
	CHECK_EQUAL(altp2m_get_domain_state(DOMID_SELF, &on), 0);
	/* What the control domain does last. */
	while (!on || altp2m_get_mem_access(DOMID_SELF, 1, 0x300, &access) || access != ACCESS_rx) {
		nap();
		CHECK_EQUAL(altp2m_get_domain_state(DOMID_SELF, &on), 0);
	}

	/* The table of refusals: they come before the arguments are looked at. */
	for (uint32_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!left_to_mixed(commands[i]))
			CHECK_EQUAL(call(DOMID_SELF, ALTP2M_VERSION, commands[i]), -XEN_EPERM);
	}
	/* And such as would do something */
	CHECK_EQUAL(altp2m_set_domain_state(DOMID_SELF, false), -XEN_EPERM);
	CHECK_EQUAL(altp2m_set_mem_access(DOMID_SELF, 1, GFN(page), ACCESS_rwx), -XEN_EPERM);
	CHECK_EQUAL(altp2m_change_gfn(DOMID_SELF, 1, GFN(page), GFN(ve_page)), -XEN_EPERM);
	CHECK_EQUAL(altp2m_switch(DOMID_SELF, 1), -XEN_EPERM);
	CHECK_EQUAL(altp2m_enable_notify(DOMID_SELF, 0, GFN(ve_page)), -XEN_EPERM);
	CHECK_EQUAL(altp2m_create(DOMID_SELF, ACCESS_r, &view), -XEN_EPERM);

	/* What is left is of use. */
	CHECK_EQUAL(altp2m_list_views(DOMID_SELF, &from, views, &count), 0);
	CHECK(count == 2 && views[1].view == 1 && views[1].own_entries == 1);
	CHECK_EQUAL(altp2m_get_entry(DOMID_SELF, 1, 0x300, &op), 0);
	CHECK_EQUAL(op.u.entry.own, ALTP2M_OWN_ACCESS);
	CHECK_EQUAL(altp2m_get_suppress_ve(DOMID_SELF, 1, 0x300, &on), 0);
	CHECK(on);
	CHECK_EQUAL(altp2m_get_vcpu_view(DOMID_SELF, 0, &view), 0);
	CHECK_EQUAL(view, 0);
	CHECK_EQUAL(altp2m_get_generation(DOMID_SELF, 1, &generation), 0);
	CHECK_EQUAL(generation, 0);
	CHECK_EQUAL(altp2m_disable_notify(DOMID_SELF, 0), 0);
	CHECK_EQUAL(altp2m_bind_invalidation(DOMID_SELF, 0), 0);
	CHECK_EQUAL(altp2m_create_empty(DOMID_SELF, ACCESS_rwx, &view), 0);
	CHECK_EQUAL(view, 2);
	CHECK_EQUAL(altp2m_destroy(DOMID_SELF, view), 0);
	/* Last, for it tells the control domain. */
	CHECK_EQUAL(altp2m_destroy(DOMID_SELF, 1), 0);
}

/* In mode limited the one thing that a guest had is taken too. */
static void as_limited(void)
{
	long r;

	while ((r = altp2m_enable_notify(DOMID_SELF, 0, GFN(ve_page))) == -XEN_EOPNOTSUPP)
		nap();
	CHECK_EQUAL(r, -XEN_EPERM);
	for (uint32_t i = 0; i < ARRAY_SIZE(commands); i++)
		CHECK_EQUAL(call(DOMID_SELF, ALTP2M_VERSION, commands[i]), -XEN_EPERM);
}

/* The control domain may do what it could. */
static void as_control(void)
{
	uint16_t mixed = (uint16_t)option_number("mixed=", 999);
	uint16_t limited = (uint16_t)option_number("limited=", 999), view = 0;
	struct altp2m_view views[4];
	uint32_t from, count;
	bool on;
	long r;

	CHECK_EQUAL(altp2m_set_domain_state(mixed, true), 0);
	/* From here on it may end at any time. */
	CHECK_EQUAL(altp2m_set_domain_state(limited, true), 0);
	CHECK_EQUAL(altp2m_create(mixed, ACCESS_default, &view), 0);
	CHECK_EQUAL(view, 1);
	CHECK_EQUAL(altp2m_set_mem_access(mixed, view, 0x300, ACCESS_rx), 0);
	/* Until the guest has given up its view, and both have ended. */
	do {
		nap();
		from = 0, count = ARRAY_SIZE(views);
		r = altp2m_list_views(mixed, &from, views, &count);
	} while (!r && count > 1);
	CHECK(r == 0 || r == -XEN_ESRCH);
	while (altp2m_get_domain_state(mixed, &on) != -XEN_ESRCH ||
	       altp2m_get_domain_state(limited, &on) != -XEN_ESRCH)
		nap();
}

void test_main(void)
{
	if (!xen_base()) {
		test_skip("not under Xen's ABI");
		return;
	}
	if (find_text(command_line, "role=off"))
		as_off();
	else if (find_text(command_line, "role=control"))
		as_control();
	else if (find_text(command_line, "role=mixed"))
		as_mixed();
	else if (find_text(command_line, "role=limited"))
		as_limited();
	else
		test_error("no role");
	test_note("(%u checks)", test_checks);
}
