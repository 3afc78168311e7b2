/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may use which sub-op of altp2m on whom: every sub-op, in every mode, called
 * by the domain itself, by the control domain and by another one. The same guest
 * runs in all of these domains; the control domain leads them through it.
 *
 * Options: role=control|other|target; and for the control domain and the other one
 * <name>=<domain id> of those targets that there are: mixed, external, limited,
 * disabled, late, denied, other. A target knows its mode by mode=<number>. late has no mode until
 * the control domain gives it `external`; denied is mixed without the sub-ops of
 * DENIED.
 *
 *
 * What is expected is written down here from Xen's rules, not taken from the
 * hypervisor's table. An allowed call is told from a refused one by arguments for
 * which the sub-op itself has another answer and changes nothing.
 */
#include "guest.h"

const char test_name[] = "altp2m-matrix";

/* A word each way: what the control domain wants, how far a guest is. */
#define PARAM_WANT 15
#define PARAM_DONE 2

#define STAGE_OFF 1 /* altp2m off everywhere */
#define STAGE_ON  2
#define STAGE_END 3

#define DENIED	(1u << (4 - 1) | 1u << (8 - 1))
#define NOWHERE 0x70000ull
#define OPS	26u

enum caller { SELF, CONTROL, OTHER };
static const char *const caller_names[] = {"self", "control", "other"};
static const char *const mode_names[] = {"disabled", "mixed", "external", "limited"};

static uint32_t command_of(uint32_t op)
{
	return op < 16 ? op + 1 : op - 16 + 64;
}

/* A call that changes nothing, and what the sub-op says to it. */
static long harmless(struct altp2m_op *op, uint32_t command, uint16_t domain, bool on)
{
	*op = (struct altp2m_op){.version = ALTP2M_VERSION, .cmd = command, .domain = domain};
	switch (command) {
	case ALTP2M_get_domain_state:
		return 0;
	case ALTP2M_set_domain_state:
		op->u.domain_state.state = on;
		return 0;
	case ALTP2M_vcpu_enable_notify:
		op->u.enable_notify.vcpu_id = 999;
		return -XEN_EINVAL;
	case ALTP2M_create_p2m:
	case ALTP2M_create_empty:
		op->u.view.default_access = 99;
		return -XEN_EINVAL;
	case ALTP2M_destroy_p2m:
		return -XEN_EBUSY;
	case ALTP2M_switch_p2m:
		return 0;
	case ALTP2M_set_mem_access:
		op->u.mem_access.access = ACCESS_rwx;
		op->u.mem_access.gfn = NOWHERE;
		return 0;
	case ALTP2M_change_gfn:
		op->u.change_gfn.view = 1999;
		return -XEN_EINVAL;
	case ALTP2M_set_mem_access_multi:
		return 0;
	case ALTP2M_set_suppress_ve:
	case ALTP2M_get_suppress_ve:
		op->u.suppress_ve.gfn = NOWHERE;
		return -XEN_ESRCH;
	case ALTP2M_get_mem_access:
		op->u.mem_access.gfn = ALTP2M_NO_GFN;
		return 0;
	case ALTP2M_vcpu_disable_notify:
		op->u.disable_notify.vcpu_id = 999;
		return -XEN_EINVAL;
	case ALTP2M_get_p2m_idx:
		return 0;
	case ALTP2M_set_suppress_ve_multi:
		op->u.suppress_ve_multi.first_gfn = 2;
		op->u.suppress_ve_multi.last_gfn = 1;
		return -XEN_EINVAL;
	case ALTP2M_set_visibility:
		op->u.visibility.pad = 1;
		return -XEN_EINVAL;
	case ALTP2M_list_views:
		return 0;
	case ALTP2M_get_entry:
		op->u.entry.gfn = 0x100;
		return 0;
	case ALTP2M_switch_vcpu:
		op->u.switch_vcpu.vcpu_id = 999;
		return -XEN_EINVAL;
	case ALTP2M_set_window:
		op->u.window.slot = 512;
		return -XEN_EINVAL;
	case ALTP2M_set_default_access:
		op->u.default_access.view = 1999;
		return -XEN_EINVAL;
	case ALTP2M_split_remap:
		op->u.split_remap.view = 1999;
		return -XEN_EINVAL;
	case ALTP2M_set_step:
		op->u.step.view = 1999;
		return -XEN_EINVAL;
	case ALTP2M_get_generation:
		op->u.generation.view = ALTP2M_NO_VIEW;
		return 0;
	default: /* bind_invalidation, of port 0 */
		return 0;
	}
}

/* 0: allowed; else the error. Xen's rules, drawn on for the additions. */
static long permission(uint32_t command, uint32_t mode, enum caller caller, bool on, uint32_t denied)
{
	if (!on && command > ALTP2M_set_domain_state)
		return -XEN_EOPNOTSUPP;
	if (mode == ALTP2M_DISABLED)
		return -XEN_EINVAL;
	if (caller == OTHER)
		return -XEN_EPERM;
	if (caller == SELF && mode == ALTP2M_EXTERNAL)
		return -XEN_EPERM;
	if (caller == SELF && mode == ALTP2M_LIMITED && command != ALTP2M_vcpu_enable_notify)
		return -XEN_EPERM;
	if (command <= 16 && denied >> (command - 1) & 1)
		return -XEN_EPERM;
	return 0;
}

static void cells(uint16_t domain, uint32_t mode, enum caller caller, bool on, uint32_t denied)
{
	uint32_t allowed = 0, wrong = 0;

	/* A domain without a mode never gets switched on. */
	if (mode == ALTP2M_DISABLED)
		on = false;
	for (uint32_t i = 0; i < OPS; i++) {
		struct altp2m_op op;
		uint32_t command = command_of(i);
		long own = harmless(&op, command, domain, on),
		     may = permission(command, mode, caller, on, denied);
		long r = altp2m_call(&op);

		test_checks++;
		allowed += !may;
		if (r != (may ? may : own)) {
			wrong++;
			test_failure("sub-op %u, %s, %s, altp2m %s: %ld, expected %ld", command,
				     mode_names[mode], caller_names[caller], on ? "on" : "off", r,
				     may ? may : own);
		}
	}
	print("matrix: %s by %s, altp2m %s: %u sub-ops allowed, %u refused, %u wrong\n", mode_names[mode],
	      caller_names[caller], on ? "on" : "off", allowed, OPS - allowed, wrong);
}

static void nap(void)
{
	hypercall2(HC_sched_op, SCHED_yield, 0);
}

static uint64_t get_param(uint16_t domain, uint32_t index)
{
	struct xen_param p = {.domid = domain, .index = index};

	return hypercall2(HC_hvm_op, HVM_get_param, &p) ? 0 : p.value;
}

static long set_param(uint16_t domain, uint32_t index, uint64_t value)
{
	struct xen_param p = {.domid = domain, .index = index, .value = value};

	return hypercall2(HC_hvm_op, HVM_set_param, &p);
}

static void wait_wanted(uint64_t stage)
{
	while (get_param(DOMID_SELF, PARAM_WANT) < stage)
		nap();
}

struct target {
	const char *option;
	uint32_t mode, denied;
	uint16_t domain;
};

static struct target targets[] = {
	{"disabled=", ALTP2M_DISABLED, 0, 0}, {"mixed=", ALTP2M_MIXED, 0, 0},
	{"external=", ALTP2M_EXTERNAL, 0, 0}, {"limited=", ALTP2M_LIMITED, 0, 0},
	{"late=", ALTP2M_EXTERNAL, 0, 0},     {"denied=", ALTP2M_MIXED, DENIED, 0},
	{"other=", ALTP2M_DISABLED, 0, 0},
};

static uint32_t target_count;

/* Those that there are. */
static void read_targets(void)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(targets); i++) {
		uint16_t domain = (uint16_t)option_number(targets[i].option, 999);

		if (domain == 999)
			continue;
		targets[target_count] = targets[i];
		targets[target_count++].domain = domain;
	}
}

static void as_target(bool other)
{
	uint32_t mode = (uint32_t)option_number("mode=", 0);
	uint32_t denied = (uint32_t)option_number("deny=", 0) ? DENIED : 0;

	read_targets();
	for (uint64_t stage = STAGE_OFF; stage <= STAGE_ON; stage++) {
		bool on = stage == STAGE_ON;

		wait_wanted(stage);
		cells(DOMID_SELF, mode, SELF, on, denied);
		if (other) {
			for (uint32_t i = 0; i < target_count; i++) {
				if (!find_text(targets[i].option, "other"))
					cells(targets[i].domain, targets[i].mode, OTHER, on,
					      targets[i].denied);
			}
			/* The control domain, whose mode is external */
			cells(0, ALTP2M_EXTERNAL, OTHER, on, 0);
		}
		CHECK_EQUAL(set_param(DOMID_SELF, PARAM_DONE, stage), 0);
	}
	wait_wanted(STAGE_END);
}

/* The mode is given once. */
static void give_mode(uint16_t domain)
{
	CHECK_EQUAL(get_param(domain, PARAM_altp2m), ALTP2M_DISABLED);
	CHECK_EQUAL(altp2m_set_domain_state(domain, true), -XEN_EINVAL);
	CHECK_EQUAL(set_param(domain, PARAM_altp2m, 4), -XEN_EINVAL);
	CHECK_EQUAL(set_param(domain, PARAM_altp2m, ~0ull), -XEN_EINVAL);
	CHECK_EQUAL(set_param(domain, PARAM_altp2m, 0), 0);
	CHECK_EQUAL(set_param(domain, PARAM_altp2m, ALTP2M_EXTERNAL), 0);
	CHECK_EQUAL(set_param(domain, PARAM_altp2m, ALTP2M_EXTERNAL), 0);
	CHECK_EQUAL(set_param(domain, PARAM_altp2m, ALTP2M_MIXED), -XEN_EEXIST);
	CHECK_EQUAL(set_param(domain, PARAM_altp2m, ALTP2M_DISABLED), -XEN_EEXIST);
	CHECK_EQUAL(get_param(domain, PARAM_altp2m), ALTP2M_EXTERNAL);
}

/* Views of another domain really are that domain's. */
static void work_on(uint16_t domain)
{
	uint16_t view = 0, access = 0;
	bool suppress = false;
	struct altp2m_view rows[3];
	uint32_t from = 0, count = 3;
	struct altp2m_op op;

	CHECK_EQUAL(altp2m_create(domain, ACCESS_rwx, &view), 0);
	CHECK_EQUAL(view, 1);
	CHECK_EQUAL(altp2m_set_mem_access(domain, view, 0x300, ACCESS_rx), 0);
	CHECK_EQUAL(altp2m_get_mem_access(domain, view, 0x300, &access), 0);
	CHECK_EQUAL(access, ACCESS_rx);
	CHECK_EQUAL(altp2m_change_gfn(domain, view, 0x301, 0x302), 0);
	CHECK_EQUAL(altp2m_get_entry(domain, view, 0x301, &op), 0);
	CHECK_EQUAL(op.u.entry.target, 0x302);
	/* What an agent remaps is not the guest's to hear of. */
	CHECK_EQUAL(altp2m_get_suppress_ve(domain, view, 0x301, &suppress), 0);
	CHECK(suppress);
	CHECK_EQUAL(altp2m_list_views(domain, &from, rows, &count), 0);
	CHECK(count == 2 && rows[1].view == view && rows[1].own_entries == 2);
	CHECK_EQUAL(altp2m_destroy(domain, view), 0);
	CHECK_EQUAL(altp2m_enable_notify(domain, 0, NOWHERE), -XEN_EINVAL);
}

static void as_control(void)
{
	uint32_t others;

	read_targets();
	others = target_count;
	for (uint32_t i = 0; i < others; i++) {
		if (find_text(targets[i].option, "late"))
			give_mode(targets[i].domain);
	}
	for (uint64_t stage = STAGE_OFF; stage <= STAGE_ON; stage++) {
		bool on = stage == STAGE_ON;

		for (uint32_t i = 0; i < others; i++) {
			if (on)
				CHECK_EQUAL(altp2m_set_domain_state(targets[i].domain, true),
					    targets[i].mode ? 0 : -XEN_EINVAL);
		}
		if (on)
			CHECK_EQUAL(altp2m_set_domain_state(0, true), 0);
		for (uint32_t i = 0; i < others; i++)
			CHECK_EQUAL(set_param(targets[i].domain, PARAM_WANT, stage), 0);
		for (uint32_t i = 0; i < others; i++)
			cells(targets[i].domain, targets[i].mode, CONTROL, on, targets[i].denied);
		/* Its own calls are the control domain's, too. */
		cells(DOMID_SELF, ALTP2M_EXTERNAL, CONTROL, on, 0);
		cells(0, ALTP2M_EXTERNAL, CONTROL, on, 0);
		for (uint32_t i = 0; i < others; i++) {
			while (get_param(targets[i].domain, PARAM_DONE) < stage)
				nap();
		}
	}
	for (uint32_t i = 0; i < others; i++) {
		if (targets[i].mode && !targets[i].denied)
			work_on(targets[i].domain);
		if (targets[i].mode)
			CHECK_EQUAL(altp2m_set_domain_state(targets[i].domain, false), 0);
		CHECK_EQUAL(set_param(targets[i].domain, PARAM_WANT, STAGE_END), 0);
	}
	CHECK_EQUAL(altp2m_set_domain_state(0, false), 0);
	/* A domain that has ended is none. */
	for (uint32_t i = 0; i < others; i++) {
		bool on;

		while (altp2m_get_domain_state(targets[i].domain, &on) != -XEN_ESRCH)
			nap();
	}
}

void test_main(void)
{
	if (!xen_base()) {
		test_skip("not under Xen's ABI");
		return;
	}
	if (find_text(command_line, "role=control"))
		as_control();
	else
		as_target(find_text(command_line, "role=other"));
	test_note("(%u checks)", test_checks);
}
