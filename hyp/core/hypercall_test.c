/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of hypercalls: the ABI's numbers, what is refused, and that nothing a guest says does harm. */
#include "unit.h"
#include "abi_list.h"

static struct domain *control, *app;

static int setup(void **state)
{
	(void)state;
	fake_reset(2);
	control = fake_domain(0, 1, 256, true);
	app = fake_domain(1, 2, 256, false);
	assert_ptr_equal(cpus[0].current, control->vcpus[0]);
	assert_ptr_equal(cpus[1].current, app->vcpus[0]);
	fake_cpu(1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_cpu(0);
	return 0;
}

static void the_abi_is_xens(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; abi_ours[i].name; i++) {
		assert_non_null(abi_theirs[i].name);
		if (abi_ours[i].value != abi_theirs[i].value)
			fail_msg("%s: %lu here, %lu in Xen", abi_ours[i].name, abi_ours[i].value,
				 abi_theirs[i].value);
	}
	assert_null(abi_theirs[i].name);
	assert_true(i > 100);
}

static void every_row_says_why(void **state)
{
	uint32_t rows = 0;

	(void)state;
	for (uint32_t i = 0; i < HYPERCALLS_MAX; i++) {
		if (!hypercall_rows[i].fn) {
			assert_int_equal(fake_hypercall(i, 0, 0, 0), -ENOSYS);
			continue;
		}
		rows++;
		assert_non_null(hypercall_rows[i].name);
		assert_non_null(hypercall_rows[i].why);
		assert_non_null(hypercall_rows[i].avoid);
	}
	assert_int_equal(rows, 10);
	assert_int_equal(fake_hypercall(64, 0, 0, 0), -ENOSYS);
	assert_int_equal(core_hypercall(0, 0, 0, 0, 0, ~0ull), -ENOSYS);
}

static void version(void **state)
{
	struct xen_feature_info features = { 0 };

	(void)state;
	assert_int_equal(fake_hypercall(VERSION, XENVER_version, 0, 0), 0x00040011);
	assert_int_equal(cpus[1].hypercalls[VERSION], 1);
	assert_int_equal(CALL(VERSION, XENVER_get_features, features), 0);
	RESULT(features);
	assert_int_equal(features.submap, 1 << 0 | 1 << 2 | 1 << 8 | 1 << 9 | 1 << 13 | 1 << 16);
	features.submap_idx = 1;
	assert_int_equal(CALL(VERSION, XENVER_get_features, features), -EINVAL);
	assert_int_equal(fake_hypercall(VERSION, XENVER_get_features, BAD_ADDRESS, 0), -EFAULT);
	assert_int_equal(fake_hypercall(VERSION, XENVER_pagesize, 0, 0), 4096);
	assert_int_equal(fake_hypercall(VERSION, XENVER_pagesize, ARG, 0), -EINVAL);
	assert_int_equal(fake_hypercall(VERSION, XENVER_capabilities, ARG, 0), 0);
	assert_memory_equal(fake.memory + ARG, "xen-3.0-x86_64 ", 15);
	assert_int_equal(fake_hypercall(VERSION, XENVER_commandline, ARG, 0), 0);
	assert_memory_equal(fake.memory + ARG, "<denied>", 9);
	assert_int_equal(fake_hypercall(VERSION, XENVER_build_id, ARG, 0), -EPERM);
	assert_int_equal(fake_hypercall(VERSION, 11, ARG, 0), -ENOSYS);
	fake_cpu(0);
	features.submap_idx = 0;
	assert_int_equal(CALL(VERSION, XENVER_get_features, features), 0);
	RESULT(features);
	assert_true(features.submap >> XENFEAT_dom0 & 1);
}

static void version_takes_no_lock(void **state)
{
	(void)state;
	core_lock(); /* would hang */
	assert_int_equal(fake_hypercall(VERSION, XENVER_version, 0, 0), 0x00040011);
	core_unlock();
	assert_int_equal(fake.copies, 0);
}

static long param(uint32_t op, uint16_t domid, uint32_t index, uint64_t *value)
{
	struct xen_hvm_param p = { .domid = domid, .index = index, .value = *value };
	long r = CALL(HVM_OP, op, p);

	RESULT(p);
	*value = p.value;
	return r;
}

static void params_have_xens_rules(void **state)
{
	static const uint8_t writable[] = { 0, 2, 15, 18, 19, 34, 36, 37 }, readable[] = { 1, 17, 35 };
	static const uint8_t gone[] = { 4, 13, 20, 21, 22, 23, 24, 25, 26, 30 };

	(void)state;
	for (uint32_t i = 0; i < HVM_PARAMS; i++) {
		bool w = memchr(writable, (int)i, sizeof(writable));
		bool r = w || memchr(readable, (int)i, sizeof(readable));
		bool g = memchr(gone, (int)i, sizeof(gone));
		uint64_t value = 4;

		assert_int_equal(param(HVMOP_set_param, DOMID_SELF, i, &value), g ? -EINVAL : w ? 0 : -EPERM);
		value = 0;
		assert_int_equal(param(HVMOP_get_param, DOMID_SELF, i, &value), g ? -EINVAL : r ? 0 : -EPERM);
		if (w)
			assert_int_equal(value, 4);
	}
	uint64_t value = 1;

	assert_int_equal(param(HVMOP_get_param, DOMID_SELF, HVM_PARAMS, &value), -EINVAL);
	assert_int_equal(param(HVMOP_get_param, DOMID_SELF, 0xffffffff, &value), -EINVAL);
	assert_int_equal(param(HVMOP_set_param, 0, 0, &value), -EPERM);
	assert_int_equal(param(HVMOP_set_param, 9, 0, &value), -ESRCH);
	assert_int_equal(param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_X87_FIP_WIDTH, &value), -EINVAL);
	/* The control domain sets the altp2m mode, once. */
	fake_cpu(0);
	value = 2;
	assert_int_equal(param(HVMOP_set_param, 1, HVM_PARAM_ALTP2M, &value), 0);
	value = 1;
	assert_int_equal(param(HVMOP_set_param, 1, HVM_PARAM_ALTP2M, &value), -EEXIST);
	value = 4;
	assert_int_equal(param(HVMOP_set_param, 1, HVM_PARAM_ALTP2M, &value), -EINVAL);
	value = 0;
	assert_int_equal(param(HVMOP_set_param, 1, HVM_PARAM_ALTP2M, &value), -EEXIST);
	value = 2;
	assert_int_equal(param(HVMOP_set_param, 1, HVM_PARAM_ALTP2M, &value), 0);
	assert_int_equal(app->altp2m_mode, PACK_ALTP2M_EXTERNAL);
	/* Its own it can't set either. */
	assert_int_equal(param(HVMOP_set_param, 0, HVM_PARAM_ALTP2M, &value), -EPERM);
}

static void a_late_callback_still_hears(void **state)
{
	uint64_t value = 2ull << 56 | 0xf3;
	struct vcpu *v = app->vcpus[0];

	(void)state;
	domain_shared(app)->vcpu_info[0].upcall = 1;
	assert_int_equal(param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, &value), 0);
	assert_int_equal(fake.vcpus[v->handle].interrupts, 1);
}

static void upcall_vector(void **state)
{
	struct xen_hvm_evtchn_upcall_vector op = { .vcpu = 0, .vector = 0xf };

	(void)state;
	assert_int_equal(CALL(HVM_OP, HVMOP_set_evtchn_upcall_vector, op), -EINVAL);
	op.vector = 0xf3;
	op.vcpu = 2;
	assert_int_equal(CALL(HVM_OP, HVMOP_set_evtchn_upcall_vector, op), -ENOENT);
	op.vcpu = 1;
	assert_int_equal(CALL(HVM_OP, HVMOP_set_evtchn_upcall_vector, op), 0);
	assert_int_equal(app->vcpus[1]->callback_vector, 0xf3);
	assert_true(fake_hypercall(HVM_OP, HVMOP_pagetable_dying, ARG, 0) < 0);
}

static void vcpu_ops(void **state)
{
	struct vcpu_set_singleshot_timer timer = { .timeout_abs_ns = 0, .flags = VCPU_SSHOTTMR_future };

	(void)state;
	assert_int_equal(fake_hypercall(VCPU_OP, VCPUOP_is_up, 0, 0), 1);
	assert_int_equal(fake_hypercall(VCPU_OP, VCPUOP_is_up, 1, 0), 0);
	assert_int_equal(fake_hypercall(VCPU_OP, VCPUOP_is_up, 2, 0), -ENOENT);
	assert_int_equal(fake_hypercall(VCPU_OP, VCPUOP_register_runstate_memory_area, 0, BAD_ADDRESS), 0);
	assert_int_equal(fake_hypercall(VCPU_OP, VCPUOP_stop_periodic_timer, 0, 0), 0);
	assert_int_equal(fake_hypercall(VCPU_OP, VCPUOP_set_singleshot_timer, 1, ARG), -EINVAL);
	assert_int_equal(fake_hypercall(VCPU_OP, VCPUOP_set_singleshot_timer, 0, BAD_ADDRESS), -EFAULT);
	fake.now += 1000;
	fake_put(ARG, &timer, sizeof(timer));
	assert_int_equal(fake_hypercall(VCPU_OP, VCPUOP_set_singleshot_timer, 0, ARG), -62);
	for (uint32_t cmd = 0; cmd < 3; cmd++)
		assert_int_equal(fake_hypercall(VCPU_OP, cmd, 1, ARG), -ENOSYS);
	assert_int_equal(fake_hypercall(VCPU_OP, 13, 0, ARG), -ENOSYS);
	assert_int_equal(fake_hypercall(VCPU_OP, VCPUOP_send_nmi, 0, 1), -EINVAL);
	assert_int_equal(fake_hypercall(VCPU_OP, VCPUOP_send_nmi, 0, 0), 0);
	assert_int_equal(fake.vcpus[app->vcpus[0]->handle].interrupts, 1);
}

static void shutdown_rights(void **state)
{
	struct sched_remote_shutdown op = { .domain_id = 0, .reason = 0 };

	(void)state;
	assert_int_equal(CALL(SCHED_OP, SCHEDOP_remote_shutdown, op), -EPERM);
	op.domain_id = 9;
	assert_int_equal(CALL(SCHED_OP, SCHEDOP_remote_shutdown, op), -ESRCH);
	assert_int_equal(fake_hypercall(SCHED_OP, SCHEDOP_shutdown, BAD_ADDRESS, 0), -EFAULT);
	assert_false(app->dying);
	fake_cpu(0);
	op.domain_id = 1;
	assert_int_equal(CALL(SCHED_OP, SCHEDOP_remote_shutdown, op), 0);
	assert_true(app->dying);
	fake_deliver_kicks();
	assert_null(cpus[1].current);
}

static void multicall(void **state)
{
	struct multicall_entry e[3] = {
		{ .op = VERSION, .args = { XENVER_version } },
		{ .op = MULTICALL, .args = { ARG, 1 } },
		{ .op = 63, .args = { 0 } },
	};

	(void)state;
	fake_put(ARG, e, sizeof(e));
	assert_int_equal(fake_hypercall(MULTICALL, ARG, 3, 0), 0);
	memcpy(e, fake.memory + ARG, sizeof(e));
	assert_int_equal(e[0].result, 0x00040011);
	assert_int_equal(e[1].result, (uint64_t)-EINVAL);
	assert_int_equal(e[2].result, (uint64_t)-ENOSYS);
	assert_int_equal(fake_hypercall(MULTICALL, BAD_ADDRESS, 1, 0), -EFAULT);
	assert_int_equal(fake_hypercall(MULTICALL, FAKE_MEMORY - 64, 2, 0), -EFAULT);
	assert_int_equal(fake_hypercall(MULTICALL, ARG, 257, 0), -EINVAL);
	assert_int_equal(fake_hypercall(MULTICALL, ARG, 0, 0), 0);
}

static void vm_assist(void **state)
{
	(void)state;
	assert_int_equal(fake_hypercall(VM_ASSIST, VMASST_CMD_enable, 5, 0), 0);
	assert_int_equal(fake_hypercall(VM_ASSIST, VMASST_CMD_enable, 4, 0), -EINVAL);
	assert_int_equal(fake_hypercall(VM_ASSIST, 2, 5, 0), -ENOSYS);
}

static void a_call_of_the_dead_changes_nothing(void **state)
{
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };

	(void)state;
	core_lock();
	domain_crash(app, "test");
	core_unlock();
	cpus[1].work = false; /* as if another CPU had done it just now */
	CALL(EVENT_CHANNEL, EVTCHNOP_bind_ipi, ipi);
	for (uint32_t port = 1; port < EVTCHN_PORTS; port++)
		assert_int_equal(app->evtchns[port].state, EVTCHN_FREE);
	assert_null(cpus[1].current);
}

/* Numbers, sub-ops, pointers, structures at random; what must not happen is checked here and by the fake. */
static void random_calls_do_no_harm(void **state)
{
	uint64_t r = 0x9e3779b97f4a7c15ull;
	uint64_t sum = 0;

	(void)state;
	for (uint32_t i = 0; i < 300000; i++) {
		uint64_t a[5];

		for (uint32_t j = 0; j < 5; j++) {
			r ^= r << 13;
			r ^= r >> 7;
			r ^= r << 17;
			a[j] = r;
		}
		fake.now += 100;
		fake.memory[a[4] % FAKE_MEMORY] = (uint8_t)(a[4] >> 40);
		fake.memory[ARG + a[4] % 64] = (uint8_t)(a[4] >> 32) & 0x1f;
		/* Its own end is another test's. */
		if (a[0] % 40 == SCHED_OP && (uint32_t)(a[1] % 14) != SCHEDOP_yield)
			continue;
		if (a[0] % 40 == MULTICALL)
			continue;
		core_hypercall(a[1] % 14, a[2] % 4 ? ARG : a[2], a[3] % 4 ? ARG + 128 : a[3], a[4], a[0],
			       a[0] % 40);
		fake_deliver_kicks();
		assert_ptr_equal(cpus[1].current, app->vcpus[0]);
		sum = 0;
		for (uint32_t gfn = 0; gfn < FAKE_GFNS; gfn++)
			sum += i % 1000 == 0 && fake.domains[1].type[gfn] == 1;
		if (i % 1000 == 0)
			assert_int_equal(sum, app->pages);
	}
	assert_int_equal(control->pages, 256);
	assert_true(app->pages <= app->pages_max);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_abi_is_xens, setup, teardown),
		cmocka_unit_test_setup_teardown(every_row_says_why, setup, teardown),
		cmocka_unit_test_setup_teardown(version, setup, teardown),
		cmocka_unit_test_setup_teardown(version_takes_no_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(params_have_xens_rules, setup, teardown),
		cmocka_unit_test_setup_teardown(a_late_callback_still_hears, setup, teardown),
		cmocka_unit_test_setup_teardown(upcall_vector, setup, teardown),
		cmocka_unit_test_setup_teardown(vcpu_ops, setup, teardown),
		cmocka_unit_test_setup_teardown(shutdown_rights, setup, teardown),
		cmocka_unit_test_setup_teardown(multicall, setup, teardown),
		cmocka_unit_test_setup_teardown(vm_assist, setup, teardown),
		cmocka_unit_test_setup_teardown(a_call_of_the_dead_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(random_calls_do_no_harm, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
