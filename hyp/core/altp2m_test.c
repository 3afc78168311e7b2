/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HVMOP_altp2m on the imaginary nucleus: Xen's checks in Xen's order, what each
 * sub-op does and leaves, and that nothing a guest says does harm.
 */
#include "unit.h"

#include "altp2m_policy.h"

#define LIST 0x2000u              /* gfns, or a buffer for views */
#define ACCESSES 0xa000u

static struct domain *control, *app, *other;
static struct altp2m_op op;       /* the last call's argument, as it came back */

/* CPU 0 runs the control domain, 1 the guest whose views they are, 2 a third. */
static int setup(void **state)
{
	(void)state;
	fake_reset(3);
	control = fake_domain(0, 1, 256, true);
	app = fake_domain(1, 2, 256, false);
	other = fake_domain(2, 1, 256, false);
	app->altp2m_mode = PACK_ALTP2M_MIXED;
	fake_cpu(1);
	assert_ptr_equal(cpus[1].current, app->vcpus[0]);
	assert_ptr_equal(cpus[2].current, other->vcpus[0]);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_cpu(0);
	fake_reset(1); /* its memory is checked for leaks */
	return 0;
}

static long call_of(uint16_t domain, uint32_t cmd)
{
	long r;

	op.version = 1;
	op.cmd = cmd;
	op.domain = domain;
	r = CALL(HVM_OP, HVMOP_altp2m, op);
	RESULT(op);
	return r;
}

/* Fields are given by name; all others are 0. */
#define DO(command, member, ...)                                                                             \
	(op = (struct altp2m_op){ .u = { .member = { __VA_ARGS__ } } },                                      \
	 call_of(DOMID_SELF, ALTP2M_##command))

static void on(void)
{
	assert_int_equal(DO(set_domain_state, domain_state, 1), 0);
}

static uint16_t new_view(uint16_t access)
{
	assert_int_equal(DO(create_p2m, view, .view = 0xffff, .default_access = access), 0);
	return op.u.view.view;
}

/* What an entry is; the view's number in, all of it out. */
static struct view_entry entry(uint32_t view, uint64_t gfn)
{
	struct view_entry e;

	assert_int_equal(nuc_view_entry(1, view, gfn_of(gfn), &e), 0);
	return e;
}

static int slot(uint32_t vcpu, uint32_t n)
{
	return nuc_vcpu_window(DOMAIN_VCPUS_MAX + vcpu, n);
}

/* ---- the checks that all share ------------------------------------------------- */

static void checks_come_in_xens_order(void **state)
{
	(void)state;
	/* Each line is right in all that the next ones check but for one thing. */
	options.altp2m_off = true;
	assert_int_equal(fake_hypercall(HVM_OP, HVMOP_altp2m, BAD_ADDRESS, 0), -EOPNOTSUPP);
	options.altp2m_off = false;
	assert_int_equal(fake_hypercall(HVM_OP, HVMOP_altp2m, BAD_ADDRESS, 0), -EFAULT);
	assert_int_equal(fake_hypercall(HVM_OP, HVMOP_altp2m, FAKE_MEMORY - 79, 0), -EFAULT);
	op = (struct altp2m_op){ .version = 2, .cmd = 99 };
	assert_int_equal(CALL(HVM_OP, HVMOP_altp2m, op), -EINVAL);
	op = (struct altp2m_op){ .pad1 = 1 };
	assert_int_equal(call_of(9, 99), -EINVAL);
	op = (struct altp2m_op){ .pad2 = 1 };
	assert_int_equal(call_of(9, 99), -EINVAL);
	op = (struct altp2m_op){ 0 };
	for (uint32_t cmd = 0; cmd < 100; cmd++)
		assert_int_equal(call_of(9, cmd), altp2m_row(cmd) < ALTP2M_OPS ? -ESRCH : -EOPNOTSUPP);
	/* Off: before mode and rights for all but the first two. */
	app->altp2m_mode = PACK_ALTP2M_DISABLED;
	for (uint32_t row = 0; row < ALTP2M_OPS; row++)
		assert_int_equal(call_of(1, altp2m_rules[row].cmd), row < 2 ? -EINVAL : -EOPNOTSUPP);
	app->altp2m_mode = PACK_ALTP2M_EXTERNAL;
	for (uint32_t row = 0; row < ALTP2M_OPS; row++)
		assert_int_equal(call_of(1, altp2m_rules[row].cmd), row < 2 ? -EPERM : -EOPNOTSUPP);
	assert_int_equal(call_of(0, ALTP2M_get_domain_state), -EINVAL);
	app->dying = true;
	assert_int_equal(call_of(1, ALTP2M_get_domain_state), -ESRCH);
	app->dying = false;
}

/* Every cell of the table, by callers that are what they say. */
static void every_cell(void **state)
{
	(void)state;
	on();
	for (uint32_t cpu = 0; cpu < 3; cpu++) {
		static const enum altp2m_caller callers[] = { ALTP2M_CONTROL, ALTP2M_SELF, ALTP2M_OTHER };

		fake_cpu(cpu);
		for (uint32_t mode = 0; mode < ALTP2M_MODES; mode++) {
			for (uint32_t row = 0; row < ALTP2M_OPS; row++) {
				bool allowed = altp2m_rules[row].cell[mode][callers[cpu]] < ALTP2M_DENIED;
				long r;

				app->altp2m_mode = mode;
				app->altp2m.on = true;
				memset(&op, 0xff, sizeof(op)); /* refused by most, and harmless */
				op.pad1 = op.pad2 = 0;
				r = call_of(1, altp2m_rules[row].cmd);
				if (!allowed)
					assert_int_equal(r, mode ? -EPERM : -EINVAL);
				else
					assert_int_not_equal(r, -EPERM);
				/* Withdrawn: for whoever asks. */
				app->capabilities = 1u << row;
				memset(&op, 0xff, sizeof(op));
				op.pad1 = op.pad2 = 0;
				assert_int_equal(call_of(1, altp2m_rules[row].cmd), mode ? -EPERM : -EINVAL);
				app->capabilities = ~(1u << row);
				memset(&op, 0xff, sizeof(op));
				op.pad1 = op.pad2 = 0;
				r = call_of(1, altp2m_rules[row].cmd);
				if (allowed)
					assert_int_not_equal(r, -EPERM);
				app->capabilities = 0;
			}
		}
	}
}

static void the_other_policy_is_asked(void **state)
{
	uint16_t view;

	(void)state;
	on();
	view = new_view(ALTP2M_default);
	options.altp2m_policy = altp2m_policy_find("narrow", 6);
	assert_int_equal(DO(create_p2m, view, 0), -EPERM);
	assert_int_equal(DO(switch_p2m, view, 0), -EPERM);
	assert_int_equal(DO(get_p2m_idx, p2m_idx, 0), 0);
	assert_int_equal(DO(destroy_p2m, view, view), 0);
	fake_cpu(0);
	op = (struct altp2m_op){ 0 };
	assert_int_equal(call_of(1, ALTP2M_create_p2m), 0);
}

/* ---- state ----------------------------------------------------------------------- */

static void on_and_off(void **state)
{
	uint16_t a, b;

	(void)state;
	assert_int_equal(DO(get_domain_state, domain_state, 9), 0);
	assert_int_equal(op.u.domain_state.state, 0);
	assert_int_equal(DO(set_domain_state, domain_state, 0), 0);
	assert_int_equal(slot(0, 0), VIEW_NONE);
	assert_int_equal(DO(set_domain_state, domain_state, 200), 0);
	assert_int_equal(DO(get_domain_state, domain_state, 9), 0);
	assert_int_equal(op.u.domain_state.state, 1);
	assert_int_equal(slot(0, 0), 0);
	assert_int_equal(slot(1, 0), 0);
	a = new_view(0);
	b = new_view(0);
	assert_int_equal(DO(vcpu_enable_notify, enable_notify, 1, 0, 9), 0);
	assert_int_equal(DO(switch_p2m, view, b), 0);
	assert_int_equal(DO(set_window, window, 1, 7, 0), 0);
	on(); /* already: nothing is lost */
	assert_int_equal(DO(get_p2m_idx, p2m_idx, 1), 0);
	assert_int_equal(op.u.p2m_idx.view, b);
	/* Off: back to view 0, everything gone. */
	assert_int_equal(DO(set_domain_state, domain_state, 0), 0);
	assert_int_equal(nuc_vcpu_view(DOMAIN_VCPUS_MAX), 0);
	assert_int_equal(nuc_vcpu_view(DOMAIN_VCPUS_MAX + 1), 0);
	assert_false(fake.vcpus[DOMAIN_VCPUS_MAX + 1].functions);
	assert_false(fake_views[1][a].live || fake_views[1][b].live);
	for (uint32_t i = 0; i < WINDOW_ENTRIES; i++)
		assert_int_equal(slot(1, i), VIEW_NONE);
	assert_int_equal(DO(get_p2m_idx, p2m_idx, 1), -EOPNOTSUPP);
	on();
	assert_int_equal(new_view(0), 1);
}

static void on_without_memory_is_off(void **state)
{
	(void)state;
	fake.tables_limited = true;
	assert_int_equal(DO(set_domain_state, domain_state, 1), -ENOMEM);
	assert_int_equal(DO(get_domain_state, domain_state, 9), 0);
	assert_int_equal(op.u.domain_state.state, 0);
}

/* ---- views ------------------------------------------------------------------------ */

static void views_come_and_go(void **state)
{
	(void)state;
	on();
	assert_int_equal(DO(create_p2m, view, .default_access = 11), -EINVAL);
	for (uint32_t a = 0; a <= 10; a++)
		assert_int_equal(DO(create_p2m, view, .default_access = (uint16_t)a),
				 a == 2 || a == 6 || a == 8 || a == 9 ? -EINVAL : 0);
	assert_int_equal(fake_views[1][1].access, 0);
	assert_int_equal(fake_views[1][6].access, 7);
	assert_int_equal(fake_views[1][7].access, 7); /* default: as the base */
	assert_int_equal(new_view(1), 8);
	for (uint32_t vcpu = 0; vcpu < app->vcpu_count; vcpu++)
		assert_int_equal(slot(vcpu, 8), 8);
	/* The lowest free number. */
	assert_int_equal(DO(destroy_p2m, view, 5), 0);
	assert_int_equal(DO(destroy_p2m, view, 3), 0);
	assert_int_equal(slot(1, 3), VIEW_NONE);
	assert_int_equal(new_view(1), 3);
	assert_int_equal(new_view(1), 5);
	assert_int_equal(new_view(1), 9);
	/* One error for everything, as in Xen. */
	assert_int_equal(DO(destroy_p2m, view, 0), -EBUSY);
	assert_int_equal(DO(destroy_p2m, view, 10), -EBUSY);
	assert_int_equal(DO(destroy_p2m, view, 0xffff), -EBUSY);
	assert_int_equal(DO(destroy_p2m, view, VIEWS_MAX), -EBUSY);
	assert_int_equal(DO(switch_p2m, view, 5), 0);
	assert_int_equal(DO(destroy_p2m, view, 5), -EBUSY);
	assert_true(fake_views[1][5].live);
}

static void two_thousand_views(void **state)
{
	(void)state;
	on();
	for (uint32_t i = 1; i < VIEWS_MAX; i++)
		assert_int_equal(new_view(ALTP2M_default), i);
	assert_int_equal(DO(create_p2m, view, 0), -EINVAL); /* Xen's error for "full" */
	assert_int_equal(slot(0, 511), 511);
	assert_int_equal(DO(switch_p2m, view, 2000), 0);
	assert_int_equal(nuc_vcpu_view(DOMAIN_VCPUS_MAX), 2000);
	assert_int_equal(DO(destroy_p2m, view, 700), 0);
	assert_int_equal(new_view(0), 700);
	assert_int_equal(DO(set_domain_state, domain_state, 0), 0);
	for (uint32_t i = 1; i < VIEWS_MAX; i++)
		assert_false(fake_views[1][i].live);
}

static void a_failed_create_leaves_nothing(void **state)
{
	(void)state;
	on();
	fake.tables_limited = true;
	assert_int_equal(DO(create_p2m, view, .view = 77), -ENOMEM);
	assert_int_equal(op.u.view.view, 77);
	assert_false(fake_views[1][1].live);
	fake.tables_limited = false;
	assert_int_equal(new_view(0), 1);
}

static void switching(void **state)
{
	(void)state;
	on();
	assert_int_equal(DO(switch_p2m, view, 1), -EINVAL);
	new_view(ALTP2M_default);
	assert_int_equal(DO(switch_p2m, view, 1), 0);
	assert_int_equal(nuc_vcpu_view(DOMAIN_VCPUS_MAX + 1), 1);
	assert_int_equal(DO(switch_vcpu, switch_vcpu, 1, 0), 0);
	assert_int_equal(DO(get_p2m_idx, p2m_idx, 1, 99), 0);
	assert_int_equal(op.u.p2m_idx.view, 0);
	assert_int_equal(DO(get_p2m_idx, p2m_idx, 0), 0);
	assert_int_equal(op.u.p2m_idx.view, 1);
	assert_int_equal(DO(get_p2m_idx, p2m_idx, 2), -EINVAL);
	assert_int_equal(DO(switch_vcpu, switch_vcpu, 2, 0), -EINVAL);
	assert_int_equal(DO(switch_vcpu, switch_vcpu, 1, 0, 1), -EINVAL);
	assert_int_equal(DO(switch_vcpu, switch_vcpu, 1, 4), -EINVAL);
	assert_int_equal(DO(switch_p2m, view, 0xffff), -EINVAL);
	new_view(0);
	fake.tables_limited = true;
	assert_int_equal(DO(switch_p2m, view, 2), -ENOMEM);
	assert_int_equal(nuc_vcpu_view(DOMAIN_VCPUS_MAX), 1);
}

static void visibility_and_windows(void **state)
{
	(void)state;
	on();
	new_view(ALTP2M_default);
	new_view(ALTP2M_default);
	assert_int_equal(DO(set_visibility, visibility, 1, 1, 1), -EINVAL);
	assert_int_equal(DO(set_visibility, visibility, 3, 1), -EINVAL);
	assert_int_equal(DO(set_visibility, visibility, 1, 0), 0);
	assert_int_equal(slot(0, 1), VIEW_NONE);
	assert_int_equal(DO(switch_p2m, view, 1), -EINVAL);
	assert_int_equal(DO(switch_vcpu, switch_vcpu, 0, 1), -EINVAL);
	assert_int_equal(DO(set_window, window, 0, 5, 1), -EINVAL);
	assert_int_equal(DO(set_visibility, visibility, 1, 77), 0);
	assert_int_equal(slot(1, 1), 1);
	assert_int_equal(DO(switch_p2m, view, 1), 0);
	/* Hiding doesn't move who is inside. */
	assert_int_equal(DO(set_visibility, visibility, 1, 0), 0);
	assert_int_equal(nuc_vcpu_view(DOMAIN_VCPUS_MAX), 1);
	assert_int_equal(DO(set_visibility, visibility, 1, 1), 0);
	/* View 0 can be hidden too. */
	assert_int_equal(DO(set_visibility, visibility, 0, 0), 0);
	assert_int_equal(DO(switch_p2m, view, 0), -EINVAL);
	assert_int_equal(DO(set_visibility, visibility, 0, 1), 0);

	/* Windows differ by vCPU. */
	assert_int_equal(DO(set_window, window, 1, 511, 2), 0);
	assert_int_equal(slot(1, 511), 2);
	assert_int_equal(slot(0, 511), VIEW_NONE);
	assert_int_equal(DO(set_window, window, 1, 2, VIEW_NONE), 0);
	assert_int_equal(slot(1, 2), VIEW_NONE);
	assert_int_equal(slot(0, 2), 2);
	assert_int_equal(DO(set_window, window, 1, 512, 2), -EINVAL);
	assert_int_equal(DO(set_window, window, 2, 1, 2), -EINVAL);
	assert_int_equal(DO(set_window, window, 0, 1, 3), -EINVAL);
	/* Hidden is hidden in every slot; the others' stay. */
	assert_int_equal(DO(set_window, window, 0, 2, 1), 0);
	assert_int_equal(DO(set_visibility, visibility, 2, 0), 0);
	assert_int_equal(slot(1, 511), VIEW_NONE);
	assert_int_equal(slot(0, 2), 1);
}

static void default_access(void **state)
{
	(void)state;
	on();
	new_view(ALTP2M_rx);
	assert_int_equal(DO(get_mem_access, mem_access, 1, .gfn = 5), 0);
	assert_int_equal(op.u.mem_access.access, ALTP2M_rx); /* inherited, and yet told */
	assert_int_equal(DO(get_mem_access, mem_access, 1, .gfn = ~0ull), 0);
	assert_int_equal(op.u.mem_access.access, ALTP2M_rx);
	assert_int_equal(DO(set_default_access, default_access, 1, ALTP2M_r), 0);
	assert_int_equal(DO(get_mem_access, mem_access, 1, .gfn = 5), 0);
	assert_int_equal(op.u.mem_access.access, ALTP2M_r);
	assert_int_equal(DO(set_default_access, default_access, 1, ALTP2M_default), 0);
	assert_int_equal(DO(get_mem_access, mem_access, 1, .gfn = ~0ull), 0);
	assert_int_equal(op.u.mem_access.access, ALTP2M_rwx);
	assert_int_equal(DO(set_default_access, default_access, 1, ALTP2M_w), -EINVAL);
	assert_int_equal(DO(set_default_access, default_access, 1, ALTP2M_rx2rw), -EINVAL);
	assert_int_equal(DO(set_default_access, default_access, 1, 11), -EINVAL);
	assert_int_equal(DO(set_default_access, default_access, 2, 1), -EINVAL);
	assert_int_equal(DO(set_default_access, default_access, 1, 1, 1), -EINVAL);
	/* gfn ~0: the base's, though a view was named. */
	assert_int_equal(DO(set_mem_access, mem_access, 1, ALTP2M_rx, .gfn = ~0ull), 0);
	assert_int_equal(fake_views[1][0].access, 5);
	assert_int_equal(fake_views[1][1].access, 7);
	assert_int_equal(DO(get_mem_access, mem_access, 0, .gfn = ~0ull), 0);
	assert_int_equal(op.u.mem_access.access, ALTP2M_rx);
	assert_int_equal(DO(set_mem_access, mem_access, 1, ALTP2M_n2rwx, .gfn = ~0ull), -EINVAL);
	assert_int_equal(DO(set_mem_access, mem_access, 1, ALTP2M_default, .gfn = ~0ull), 0);
	assert_int_equal(fake_views[1][0].access, 5);
}

/* ---- VMFUNC and #VE ------------------------------------------------------------------ */

static void notify(void **state)
{
	(void)state;
	on();
	assert_int_equal(DO(vcpu_enable_notify, enable_notify, 0, 1, 9), -EINVAL);
	assert_int_equal(DO(vcpu_enable_notify, enable_notify, 2, 0, 9), -EINVAL);
	assert_int_equal(DO(vcpu_enable_notify, enable_notify, 0, 0, 0x9999), -EINVAL);
	assert_int_equal(DO(vcpu_enable_notify, enable_notify, 0, 0, app->console_gfn.gfn), -EINVAL);
	assert_int_equal(DO(vcpu_enable_notify, enable_notify, 0, 0, 9), 0);
	assert_true(fake.vcpus[DOMAIN_VCPUS_MAX].functions);
	assert_int_equal(fake.vcpus[DOMAIN_VCPUS_MAX].ve_gfn, 9);
	assert_int_equal(DO(vcpu_enable_notify, enable_notify, 0, 0, 10), -EEXIST);
	/* Its page is not to be changed under it. */
	new_view(ALTP2M_default);
	assert_int_equal(DO(set_mem_access, mem_access, 1, ALTP2M_n, .gfn = 9), -EBUSY);
	assert_int_equal(DO(vcpu_disable_notify, disable_notify, 2), -EINVAL);
	assert_int_equal(DO(vcpu_disable_notify, disable_notify, 0), 0);
	assert_int_equal(DO(vcpu_disable_notify, disable_notify, 0), 0);
	assert_false(fake.vcpus[DOMAIN_VCPUS_MAX].functions);
	assert_int_equal(DO(set_mem_access, mem_access, 1, ALTP2M_n, .gfn = 9), 0);
	assert_int_equal(DO(vcpu_enable_notify, enable_notify, 0, 0, 9), -EINVAL);
}

/* ---- entries ---------------------------------------------------------------------------- */

static void access_of_one_page(void **state)
{
	(void)state;
	on();
	new_view(ALTP2M_default);
	for (uint16_t a = 0; a <= 12; a++)
		assert_int_equal(DO(set_mem_access, mem_access, 1, a, .gfn = 5),
				 a == ALTP2M_w || a == ALTP2M_wx || a > 10 ? -EINVAL : 0);
	assert_int_equal(entry(1, 5).own_access, 0); /* the last one was `default` */
	assert_int_equal(DO(set_mem_access, mem_access, 1, ALTP2M_r, .gfn = 5), 0);
	assert_int_equal(entry(1, 5).access, 1);
	assert_int_equal(entry(0, 5).access, 7);
	assert_int_equal(DO(get_mem_access, mem_access, 1, .gfn = 5), 0);
	assert_int_equal(op.u.mem_access.access, ALTP2M_r);
	/* View 0 is the base: others inherit. */
	assert_int_equal(DO(set_mem_access, mem_access, 0, ALTP2M_rx, .gfn = 6), 0);
	assert_int_equal(DO(get_mem_access, mem_access, 1, .gfn = 6), 0);
	assert_int_equal(op.u.mem_access.access, ALTP2M_rx);
	assert_int_equal(DO(set_mem_access, mem_access, 1, ALTP2M_r, 1, 5), -EINVAL);
	assert_int_equal(DO(set_mem_access, mem_access, 2, ALTP2M_r, .gfn = 5), -EINVAL);
	assert_int_equal(DO(set_mem_access, mem_access, 0x8001, ALTP2M_r, .gfn = 5), -EINVAL);
	/* Nothing there: silently nothing, but reading says so. */
	assert_int_equal(DO(set_mem_access, mem_access, 1, ALTP2M_r, .gfn = 3000), 0);
	assert_int_equal(DO(set_mem_access, mem_access, 1, ALTP2M_r, .gfn = 1ull << 60), 0);
	assert_int_equal(DO(get_mem_access, mem_access, 1, .gfn = 3000), -ESRCH);
	assert_int_equal(DO(get_mem_access, mem_access, 1, .gfn = 1ull << 60), -ESRCH);
	assert_int_equal(DO(get_mem_access, mem_access, 2, .gfn = 5), -EINVAL);
	assert_int_equal(DO(get_mem_access, mem_access, 1, 0, 1, 5), -EINVAL);
	fake.tables_limited = true;
	assert_int_equal(DO(set_mem_access, mem_access, 1, ALTP2M_r, .gfn = 8), -ENOMEM);
}

static void remaps(void **state)
{
	(void)state;
	on();
	new_view(ALTP2M_default);
	assert_int_equal(DO(change_gfn, change_gfn, 1, 0, 0, 5, 7), 0);
	assert_int_equal(entry(1, 5).target, 7);
	assert_int_equal(entry(1, 5).suppress_ve, 0); /* it asked for itself */
	assert_int_equal(entry(0, 5).target, 5);
	assert_int_equal(DO(change_gfn, change_gfn, 1, 0, 0, 5, ~0ull), 0);
	assert_int_equal(entry(1, 5).target, 5);
	assert_int_equal(entry(1, 5).own_suppress_ve, 0);
	assert_int_equal(DO(change_gfn, change_gfn, 1, 0, 0, 5, ~0ull), 0);
	assert_int_equal(DO(change_gfn, change_gfn, 1, 1, 0, 5, 7), -EINVAL);
	assert_int_equal(DO(change_gfn, change_gfn, 1, 0, 1, 5, 7), -EINVAL);
	assert_int_equal(DO(change_gfn, change_gfn, 0, 0, 0, 5, 7), -EINVAL);
	assert_int_equal(DO(change_gfn, change_gfn, 2, 0, 0, 5, 7), -EINVAL);
	assert_int_equal(DO(change_gfn, change_gfn, 1, 0, 0, 5, 3000), -ESRCH);
	assert_int_equal(DO(change_gfn, change_gfn, 1, 0, 0, 3000, 5), -ESRCH);
	assert_int_equal(DO(change_gfn, change_gfn, 1, 0, 0, 3000, ~0ull), 0);
	fake.tables_limited = true;
	assert_int_equal(DO(change_gfn, change_gfn, 1, 0, 0, 5, 7), -ENOMEM);
	fake.tables_limited = false;
	/* What was set for access stays. */
	assert_int_equal(DO(set_mem_access, mem_access, 1, ALTP2M_x, .gfn = 5), 0);
	fake_cpu(0);
	op = (struct altp2m_op){ .u = { .change_gfn = { 1, 0, 0, 5, 8 } } };
	assert_int_equal(call_of(1, ALTP2M_change_gfn), 0);
	assert_int_equal(entry(1, 5).suppress_ve, 1); /* an agent outside did */
	assert_int_equal(entry(1, 5).access, 4);
	assert_int_equal(entry(1, 5).target, 8);
}

static void put_list(uint32_t n, uint64_t first, uint8_t access)
{
	for (uint32_t i = 0; i < n; i++) {
		uint64_t gfn = first + i;

		fake_put(LIST + i * 8, &gfn, 8);
		fake_put(ACCESSES + i, &access, 1);
	}
}

static void access_of_many_pages(void **state)
{
	uint8_t bad = 11;
	uint32_t calls;

	(void)state;
	on();
	new_view(ALTP2M_default);
	put_list(600, 0, ALTP2M_r);
	calls = fake.view_changes;
	assert_int_equal(DO(set_mem_access_multi, mem_access_multi, 1, 0, 200, 0, LIST, ACCESSES), 0);
	assert_int_equal(fake.view_changes, calls + 1); /* one flush */
	for (uint32_t gfn = 0; gfn < 256; gfn++)
		assert_int_equal(entry(1, gfn).access, gfn < 200 ? 1 : 7);
	/* From `opaque` on; beyond RAM, and with holes: silently nothing. */
	put_list(600, 0, ALTP2M_x);
	nuc_memory_remove(1, gfn_of(220)) ? abort() : (void)0;
	assert_int_equal(DO(set_mem_access_multi, mem_access_multi, 1, 0, 600, 210, LIST, ACCESSES), 0);
	assert_int_equal(entry(1, 209).access, 7);
	assert_int_equal(entry(1, 210).access, 4);
	assert_int_equal(entry(1, 221).access, 4);
	assert_int_equal(entry(1, 255).access, 4);
	assert_int_equal(DO(set_mem_access_multi, mem_access_multi, 1, 0, 5, 5, BAD_ADDRESS, 0), 0);
	assert_int_equal(DO(set_mem_access_multi, mem_access_multi, 1, 0, 5, 6, LIST, ACCESSES), -EINVAL);
	assert_int_equal(DO(set_mem_access_multi, mem_access_multi, 1, 1, 5, 0, LIST, ACCESSES), -EINVAL);
	assert_int_equal(DO(set_mem_access_multi, mem_access_multi, 2, 0, 5, 0, BAD_ADDRESS, 0), -EINVAL);
	assert_int_equal(DO(set_mem_access_multi, mem_access_multi, 1, 0, 5, 0, BAD_ADDRESS, 0), -EFAULT);
	/* A bad one, or one that can't be read: those before it are done. */
	put_list(600, 0, ALTP2M_rx);
	fake_put(ACCESSES + 100, &bad, 1);
	assert_int_equal(DO(set_mem_access_multi, mem_access_multi, 1, 0, 200, 0, LIST, ACCESSES), -EINVAL);
	assert_int_equal(entry(1, 99).access, 5);
	assert_int_equal(entry(1, 100).access, 1);
	put_list(4, 30, ALTP2M_n);
	memcpy(fake.memory + FAKE_MEMORY - 32, fake.memory + LIST, 32);
	assert_int_equal(DO(set_mem_access_multi, mem_access_multi, 1, 0, 5, 0, FAKE_MEMORY - 32, ACCESSES),
			 -EFAULT);
	assert_int_equal(entry(1, 33).access, 0);
	/* No memory in the middle of it. */
	fake.tables_limited = true;
	fake.tables_left = 3;
	put_list(10, 240, ALTP2M_default);
	put_list(10, 200, ALTP2M_r);
	assert_int_equal(DO(set_mem_access_multi, mem_access_multi, 1, 0, 10, 0, LIST, ACCESSES), -ENOMEM);
	assert_int_equal(entry(1, 202).access, 1);
	assert_int_equal(entry(1, 203).access, 7);
}

/* Longer than one call does: it is told where to go on. */
static void a_call_is_bounded(void **state)
{
	uint64_t gfn = 77;

	(void)state;
	on();
	fake.memory_repeats = true;
	fake_put(FAKE_MEMORY / 2, &gfn, sizeof(gfn)); /* all else is gfn 0, access n */
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(i ? call_of(DOMID_SELF, ALTP2M_set_mem_access_multi) :
				     DO(set_mem_access_multi, mem_access_multi, 0, 0, 150000, 0, FAKE_MEMORY,
					(1 << 30) + 8),
				 -EAGAIN);
		assert_int_equal(op.u.mem_access_multi.opaque, 65536 * (i + 1));
	}
	assert_int_equal(entry(0, 77).access, ALTP2M_n);
	assert_int_equal(call_of(DOMID_SELF, ALTP2M_set_mem_access_multi), 0);
	assert_int_equal(op.u.mem_access_multi.opaque, 131072); /* only written when there is more to do */
	app->highest_gfn = gfn_of(200000); /* as if there were as much */
	assert_int_equal(DO(set_suppress_ve_multi, suppress_ve_multi, 0, 0, 0, 0, 0, 199999), -EAGAIN);
	assert_int_equal(op.u.suppress_ve_multi.first_gfn, 65536);
	assert_int_equal(op.u.suppress_ve_multi.first_error, -ESRCH);
	assert_int_equal(op.u.suppress_ve_multi.first_error_gfn, 257);
	assert_int_equal(call_of(DOMID_SELF, ALTP2M_set_suppress_ve_multi), -EAGAIN);
	assert_int_equal(op.u.suppress_ve_multi.first_gfn, 131072);
	assert_int_equal(call_of(DOMID_SELF, ALTP2M_set_suppress_ve_multi), -EAGAIN);
	assert_int_equal(call_of(DOMID_SELF, ALTP2M_set_suppress_ve_multi), 0);
	assert_int_equal(op.u.suppress_ve_multi.first_gfn, 200000);
	assert_int_equal(op.u.suppress_ve_multi.first_error_gfn, 257);
}

static void suppress(void **state)
{
	(void)state;
	on();
	new_view(ALTP2M_default);
	assert_int_equal(DO(get_suppress_ve, suppress_ve, 1, .gfn = 5), 0);
	assert_int_equal(op.u.suppress_ve.suppress, 1);
	assert_int_equal(DO(set_suppress_ve, suppress_ve, 1, 0, .gfn = 5), 0);
	assert_int_equal(DO(get_suppress_ve, suppress_ve, 1, 7, .gfn = 5), 0);
	assert_int_equal(op.u.suppress_ve.suppress, 0);
	assert_int_equal(DO(set_suppress_ve, suppress_ve, 1, 200, .gfn = 5), 0);
	assert_int_equal(entry(1, 5).suppress_ve, 1);
	/* In view 0 it reaches all views, which in Xen it doesn't. */
	assert_int_equal(DO(set_suppress_ve, suppress_ve, 0, 0, .gfn = 6), 0);
	assert_int_equal(DO(get_suppress_ve, suppress_ve, 1, 7, .gfn = 6), 0);
	assert_int_equal(op.u.suppress_ve.suppress, 0);
	assert_int_equal(DO(set_suppress_ve, suppress_ve, 1, 0, 1, 0, 5), -EINVAL);
	assert_int_equal(DO(set_suppress_ve, suppress_ve, 1, 0, 0, 1, 5), -EINVAL);
	assert_int_equal(DO(set_suppress_ve, suppress_ve, 2, .gfn = 5), -EINVAL);
	assert_int_equal(DO(set_suppress_ve, suppress_ve, 1, .gfn = 3000), -ESRCH);
	assert_int_equal(DO(get_suppress_ve, suppress_ve, 1, 0, 1, 0, 5), -EINVAL);
	assert_int_equal(DO(get_suppress_ve, suppress_ve, 1, 0, 0, 1, 5), -EINVAL);
	assert_int_equal(DO(get_suppress_ve, suppress_ve, 2, .gfn = 5), -EINVAL);
	assert_int_equal(DO(get_suppress_ve, suppress_ve, 1, .gfn = 3000), -ESRCH);
	assert_int_equal(DO(get_suppress_ve, suppress_ve, 1, .gfn = ~0ull), -ESRCH);
}

static void suppress_many(void **state)
{
	(void)state;
	on();
	new_view(ALTP2M_default);
	assert_int_equal(DO(set_suppress_ve_multi, suppress_ve_multi, 1, 0, 0, 0, 10, 9), -EINVAL);
	assert_int_equal(DO(set_suppress_ve_multi, suppress_ve_multi, 1, 0, 1, 0, 10, 19), -EINVAL);
	assert_int_equal(DO(set_suppress_ve_multi, suppress_ve_multi, 2, 0, 0, 0, 10, 19), -EINVAL);
	assert_int_equal(DO(set_suppress_ve_multi, suppress_ve_multi, 1, 0, 0, 0, 10, 19), 0);
	assert_int_equal(op.u.suppress_ve_multi.first_gfn, 20);
	assert_int_equal(op.u.suppress_ve_multi.first_error, 0);
	for (uint64_t gfn = 8; gfn < 22; gfn++)
		assert_int_equal(entry(1, gfn).suppress_ve, gfn < 10 || gfn > 19);
	/* A hole is passed over, and told. To the end of all numbers: ends at once. */
	assert_int_equal(nuc_memory_remove(1, gfn_of(12)), 0);
	assert_int_equal(nuc_memory_remove(1, gfn_of(14)), 0);
	assert_int_equal(DO(set_suppress_ve_multi, suppress_ve_multi, 0, 0, 0, 0, 11, ~0ull), 0);
	assert_int_equal(op.u.suppress_ve_multi.first_error, -ESRCH);
	assert_int_equal(op.u.suppress_ve_multi.first_error_gfn, 12);
	assert_int_equal(op.u.suppress_ve_multi.last_gfn, (1ull << 52) - 1);
	assert_int_equal(op.u.suppress_ve_multi.first_gfn, 1ull << 52);
	assert_int_equal(entry(0, 13).suppress_ve, 0);
	assert_int_equal(entry(0, 255).suppress_ve, 0);
	/* An error that is there already is the first. */
	assert_int_equal(DO(set_suppress_ve_multi, suppress_ve_multi, 1, 0, 0, -5, 12, 12, 99), 0);
	assert_int_equal(op.u.suppress_ve_multi.first_error, -5);
	assert_int_equal(op.u.suppress_ve_multi.first_error_gfn, 99);
}

/* ---- beyond Xen's ------------------------------------------------------------------------- */

static void list(void **state)
{
	struct altp2m_view views[4];

	(void)state;
	on();
	new_view(ALTP2M_rx);
	new_view(ALTP2M_default);
	assert_int_equal(DO(create_empty, view, 0), 0);
	assert_int_equal(DO(destroy_p2m, view, 2), 0);
	assert_int_equal(DO(set_mem_access, mem_access, 1, ALTP2M_n, .gfn = 4), 0);
	assert_int_equal(DO(set_visibility, visibility, 3, 0), 0);
	assert_int_equal(DO(switch_vcpu, switch_vcpu, 1, 1), 0);
	assert_int_equal(DO(list_views, list, 0, 4, LIST), 0);
	assert_int_equal(op.u.list.count, 3);
	assert_int_equal(op.u.list.from, 0);
	memcpy(views, fake.memory + LIST, sizeof(views));
	assert_int_equal(views[0].view, 0);
	assert_int_equal(views[0].vcpus, 1);
	assert_int_equal(views[1].view, 1);
	assert_int_equal(views[1].vcpus, 1);
	assert_int_equal(views[1].own_entries, 1);
	assert_int_equal(views[1].default_access, ALTP2M_rx);
	assert_int_equal(views[1].visible, 1);
	assert_int_equal(views[2].view, 3);
	assert_int_equal(views[2].empty, 1);
	assert_int_equal(views[2].visible, 0);
	/* A small buffer: where to go on. */
	assert_int_equal(DO(list_views, list, 0, 2, LIST), 0);
	assert_int_equal(op.u.list.count, 2);
	assert_int_equal(op.u.list.from, 3);
	assert_int_equal(DO(list_views, list, 3, 1, LIST), 0);
	assert_int_equal(op.u.list.count, 1);
	assert_int_equal(op.u.list.from, 0);
	assert_int_equal(DO(list_views, list, 0, 0, BAD_ADDRESS), 0);
	assert_int_equal(op.u.list.count, 0);
	assert_int_equal(DO(list_views, list, 0, ~0u, FAKE_MEMORY - 64), -EFAULT);
	assert_int_equal(DO(list_views, list, ~0u, ~0u, LIST), 0);
	assert_int_equal(op.u.list.count, 0);
	for (uint32_t i = 0; i < 200; i++)
		new_view(0);
	assert_int_equal(DO(list_views, list, 0, ~0u, LIST), 0);
	assert_int_equal(op.u.list.count, 203);
	memcpy(views, fake.memory + LIST + 202 * sizeof(views[0]), sizeof(views[0]));
	assert_int_equal(views[0].view, 202);
}

static void entries_are_told(void **state)
{
	(void)state;
	on();
	new_view(ALTP2M_rx);
	new_view(ALTP2M_default);
	assert_int_equal(DO(get_entry, entry, 1, .gfn = 5), 0);
	assert_int_equal(op.u.entry.target, 5);
	assert_int_equal(op.u.entry.step, ALTP2M_NO_VIEW);
	assert_int_equal(op.u.entry.access, ALTP2M_rx);
	assert_int_equal(op.u.entry.own, 0);
	assert_int_equal(DO(change_gfn, change_gfn, 1, 0, 0, 5, 7), 0);
	assert_int_equal(DO(set_step, step, 1, 2, .gfn = 5), 0);
	assert_int_equal(DO(get_entry, entry, 1, .gfn = 5), 0);
	assert_int_equal(op.u.entry.target, 7);
	assert_int_equal(op.u.entry.step, 2);
	assert_int_equal(op.u.entry.suppress, 0);
	assert_int_equal(op.u.entry.own, ALTP2M_OWN_TARGET | ALTP2M_OWN_SUPPRESS_VE | ALTP2M_OWN_STEP);
	assert_int_equal(DO(get_entry, entry, 1, .gfn = 3000), 0);
	assert_int_equal(op.u.entry.target, ALTP2M_NO_GFN);
	assert_int_equal(DO(get_entry, entry, 3, .gfn = 5), -EINVAL);
	assert_int_equal(DO(get_entry, entry, 1, 1, 0, 5), -EINVAL);
	assert_int_equal(DO(get_entry, entry, 1, 0, 1, 5), -EINVAL);
	assert_int_equal(DO(get_entry, entry, 1, .gfn = 1ull << 60), -EINVAL);
	assert_int_equal(DO(set_step, step, 1, 1, .gfn = 5), -EINVAL);
	assert_int_equal(DO(set_step, step, 1, 3, .gfn = 5), -EINVAL);
	assert_int_equal(DO(set_step, step, 0, 2, .gfn = 5), -EINVAL);
	assert_int_equal(DO(set_step, step, 1, 2, 1, 5), -EINVAL);
	assert_int_equal(DO(set_step, step, 1, 2, .gfn = 3000), -ESRCH);
	assert_int_equal(DO(set_step, step, 1, 0, .gfn = 6), 0);
	assert_int_equal(DO(set_step, step, 1, ALTP2M_NO_VIEW, .gfn = 5), 0);
	assert_int_equal(entry(1, 5).step, VIEW_NONE);
}

static void split(void **state)
{
	(void)state;
	on();
	new_view(ALTP2M_default);
	new_view(ALTP2M_default);
	assert_int_equal(DO(split_remap, split_remap, 1, 2, 0, 5, 20, ~0ull), 0);
	assert_int_equal(entry(1, 5).target, 20);
	assert_int_equal(entry(1, 5).access, ALTP2M_x);
	assert_int_equal(entry(1, 5).step, 2);
	assert_int_equal(entry(1, 5).suppress_ve, 1);
	assert_int_equal(entry(2, 5).target, 5);
	assert_int_equal(entry(2, 5).access, ALTP2M_rwx);
	/* Both or neither. */
	assert_int_equal(DO(change_gfn, change_gfn, 2, 0, 0, 6, 30), 0);
	assert_int_equal(DO(set_mem_access, mem_access, 2, ALTP2M_r, .gfn = 6), 0);
	assert_int_equal(DO(split_remap, split_remap, 1, 2, 0, 6, 3000, 21), -ESRCH);
	assert_int_equal(entry(2, 6).target, 30);
	assert_int_equal(entry(2, 6).access, ALTP2M_r);
	assert_int_equal(entry(2, 6).suppress_ve, 0);
	assert_int_equal(entry(1, 6).own_target, 0);
	assert_int_equal(DO(split_remap, split_remap, 1, 2, 0, 7, 20, 3000), -ESRCH);
	assert_int_equal(DO(split_remap, split_remap, 1, 2, 0, 1ull << 60, 20, 21), -ESRCH);
	fake.tables_limited = true;
	fake.tables_left = 1;
	assert_int_equal(DO(split_remap, split_remap, 1, 2, 0, 8, 20, 21), -ENOMEM);
	assert_int_equal(entry(2, 8).own_target + entry(2, 8).own_access + entry(1, 8).own_target, 0);
	assert_int_equal(DO(split_remap, split_remap, 1, 1, 0, 8, 20, 21), -EINVAL);
	assert_int_equal(DO(split_remap, split_remap, 0, 1, 0, 8, 20, 21), -EINVAL);
	assert_int_equal(DO(split_remap, split_remap, 1, 0, 0, 8, 20, 21), -EINVAL);
	assert_int_equal(DO(split_remap, split_remap, 1, 3, 0, 8, 20, 21), -EINVAL);
	assert_int_equal(DO(split_remap, split_remap, 1, 2, 1, 8, 20, 21), -EINVAL);
}

static bool pending(struct domain *d, uint32_t port)
{
	return evtchn_port_pending(d, port);
}

static void clear_port(struct domain *d, uint32_t port)
{
	domain_shared(d)->evtchn_pending[port / 64] &= ~(1ull << port % 64);
}

static long balloon_out(uint64_t gfn)
{
	struct xen_memory_reservation r = { LIST, 1, 0, 0, DOMID_SELF, { 0 } };

	fake_put(LIST, &gfn, sizeof(gfn));
	return CALL(MEMORY_OP, XENMEM_decrease_reservation, r);
}

static uint32_t new_port(void)
{
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };

	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_ipi, ipi), 0);
	RESULT(ipi);
	return ipi.port;
}

static void lost_remaps_are_told(void **state)
{
	struct xen_add_to_physmap map = { .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = 23 };
	struct xen_remove_from_physmap remove = { .domid = DOMID_SELF, .gpfn = 24 };
	uint32_t port, agent_port;

	(void)state;
	on();
	new_view(ALTP2M_default);
	port = new_port();
	assert_int_equal(DO(bind_invalidation, invalidation, port), 0);
	fake_cpu(0);
	agent_port = new_port();
	op = (struct altp2m_op){ .u = { .invalidation = { agent_port } } };
	assert_int_equal(call_of(1, ALTP2M_bind_invalidation), 0);
	fake_cpu(1);
	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(DO(change_gfn, change_gfn, 1, 0, 0, 5 + i, 20 + i), 0);
	assert_int_equal(DO(change_gfn, change_gfn, 1, 0, 0, 9, 24), 0);
	assert_int_equal(balloon_out(30), 1);
	assert_false(pending(app, port) || pending(control, agent_port));
	assert_int_equal(balloon_out(20), 1);
	assert_true(pending(app, port) && pending(control, agent_port));
	assert_int_equal(DO(get_generation, generation, 1), 0);
	assert_int_equal(op.u.generation.generation, 1);
	assert_int_equal(entry(1, 5).target, 5);
	/* The other ways in which a page goes. */
	clear_port(app, port);
	assert_int_equal(CALL(MEMORY_OP, XENMEM_add_to_physmap, map), 0);
	assert_true(pending(app, port));
	clear_port(app, port);
	assert_int_equal(CALL(MEMORY_OP, XENMEM_remove_from_physmap, remove), 0);
	assert_true(pending(app, port));
	assert_int_equal(DO(get_generation, generation, ALTP2M_NO_VIEW), 0);
	assert_int_equal(op.u.generation.generation, 3);
	assert_int_equal(DO(get_generation, generation, 0), 0);
	assert_int_equal(op.u.generation.generation, 0);
	assert_int_equal(DO(get_generation, generation, 2), -EINVAL);
	assert_int_equal(DO(get_generation, generation, 1, 1), -EINVAL);
	assert_int_equal(DO(get_generation, generation, 1, 0, 1), -EINVAL);
	/* No more. */
	clear_port(app, port);
	assert_int_equal(DO(bind_invalidation, invalidation, 0), 0);
	assert_int_equal(balloon_out(21), 1);
	assert_false(pending(app, port));
	/* Ports that aren't the caller's to be raised. */
	assert_int_equal(DO(bind_invalidation, invalidation, app->console_port), -EINVAL);
	assert_int_equal(DO(bind_invalidation, invalidation, port + 1), -EINVAL);
	assert_int_equal(DO(bind_invalidation, invalidation, EVTCHN_PORTS), -EINVAL);
	assert_int_equal(DO(bind_invalidation, invalidation, ~0u), -EINVAL);
	assert_int_equal(DO(bind_invalidation, invalidation, port, 1), -EINVAL);
	/* Who was told has ended: nobody else is. */
	core_lock();
	domain_crash(control, "test");
	core_unlock();
	assert_int_equal(app->altp2m.agent_port, 0);
}

/* ---- harm ------------------------------------------------------------------------------------ */

static void a_call_of_the_dead_changes_nothing(void **state)
{
	(void)state;
	on();
	core_lock();
	domain_crash(app, "test");
	core_unlock();
	cpus[1].work = false;
	assert_true(DO(create_p2m, view, 0) < 0);
	assert_false(fake_views[1][1].live);
	assert_false(app->altp2m.on);
}

/* The core's own books against those of the nucleus. */
static void books_agree(void)
{
	for (uint32_t i = 0; app->altp2m.on && i < VIEWS_MAX; i++) {
		bool live = app->altp2m.live[i / 64] >> (i % 64) & 1;
		bool visible = app->altp2m.visible[i / 64] >> (i % 64) & 1;

		assert_int_equal(live, fake_views[1][i].live);
		assert_true(live || !visible);
		assert_true(live || i >= app->altp2m.first_free);
		for (uint32_t n = 0; n < 4 && !visible; n++)
			assert_true(i >= WINDOW_ENTRIES || slot(1, i) != (int)i);
	}
}

static void random_calls_do_no_harm(void **state)
{
	uint64_t r = 0x9e3779b97f4a7c15ull;
	uint32_t good = 0;

	(void)state;
	for (uint32_t i = 0; i < 200000; i++) {
		uint8_t *at = (uint8_t *)&op;

		for (uint32_t j = 0; j < sizeof(op); j++) {
			r ^= r << 13;
			r ^= r >> 7;
			r ^= r << 17;
			at[j] = (uint8_t)(r >> 24) & (j % 2 ? 0 : 15);
		}
		op.pad1 = op.pad2 = 0;
		if (r % 4 == 0)
			op.u.mem_access.pad = 0;
		if (r % 8 == 1)
			op.u.change_gfn.new_gfn = ~0ull;
		if (r % 16 == 2)
			op.u.mem_access_multi.gfns = op.u.mem_access_multi.accesses = LIST;
		fake.tables_limited = r % 32 == 5;
		fake.tables_left = r % 3;
		fake_cpu(r % 8 == 3 ? 0 : 1);
		op.domain = 1;
		good += call_of(1, altp2m_rules[r % (i % 64 ? 26 : 2)].cmd) == 0;
		fake_deliver_kicks();
		if (i % 500 == 0)
			books_agree();
	}
	assert_true(good > 20000);
	assert_true(app->live && control->live && !app->dying);
	fake_cpu(1);
	fake.tables_limited = false;
	assert_int_equal(DO(set_domain_state, domain_state, 0), 0);
	for (uint32_t i = 1; i < VIEWS_MAX; i++)
		assert_false(fake_views[1][i].live);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(checks_come_in_xens_order),
		TEST(every_cell),
		TEST(the_other_policy_is_asked),
		TEST(on_and_off),
		TEST(on_without_memory_is_off),
		TEST(views_come_and_go),
		TEST(two_thousand_views),
		TEST(a_failed_create_leaves_nothing),
		TEST(switching),
		TEST(visibility_and_windows),
		TEST(default_access),
		TEST(notify),
		TEST(access_of_one_page),
		TEST(remaps),
		TEST(access_of_many_pages),
		TEST(a_call_is_bounded),
		TEST(suppress),
		TEST(suppress_many),
		TEST(list),
		TEST(entries_are_told),
		TEST(split),
		TEST(lost_remaps_are_told),
		TEST(a_call_of_the_dead_changes_nothing),
		TEST(random_calls_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
