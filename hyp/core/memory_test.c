/* SPDX-License-Identifier: Apache-2.0 */
/* memory_op: ballooning and its counts, shared_info's place, rights. */
#include "unit.h"

#define LIST 0x4000u

static struct domain *app;

static int setup(void **state)
{
	(void)state;
	fake_reset(1);
	app = fake_domain(1, 1, 256, false);
	assert_ptr_equal(cpus[0].current, app->vcpus[0]);
	return 0;
}

static long reservation(uint64_t cmd, uint64_t first, uint64_t count, uint32_t order, uint16_t domid)
{
	struct xen_memory_reservation op = { LIST, count, order, 0, domid, { 0 } };

	for (uint64_t i = 0; i < count && i < 1024; i++) {
		uint64_t gfn = first + (i << order);

		fake_put(LIST + i * 8, &gfn, sizeof(gfn));
	}
	return CALL(MEMORY_OP, cmd, op);
}

static long query(uint32_t cmd, uint16_t domid)
{
	return CALL(MEMORY_OP, cmd, domid);
}

static void balloon_out_and_in(void **state)
{
	(void)state;
	assert_int_equal(query(XENMEM_current_reservation, DOMID_SELF), 256);
	assert_int_equal(reservation(XENMEM_decrease_reservation, 16, 100, 0, DOMID_SELF), 100);
	assert_int_equal(query(XENMEM_current_reservation, DOMID_SELF), 156);
	assert_int_equal(nuc_memory_type(1, gfn_of(16)), 0);
	/* The same again: nothing there, nothing done. */
	assert_int_equal(reservation(XENMEM_decrease_reservation, 16, 100, 0, DOMID_SELF), 0);
	assert_int_equal(reservation(XENMEM_populate_physmap, 16, 100, 0, DOMID_SELF), 100);
	assert_int_equal(app->pages, 256);
	/* Over what is there: stops at once. */
	assert_int_equal(reservation(XENMEM_populate_physmap, 16, 100, 0, DOMID_SELF), 0);
}

static void extents_with_an_order(void **state)
{
	(void)state;
	assert_int_equal(reservation(XENMEM_decrease_reservation, 0, 2, 4, DOMID_SELF), 2);
	assert_int_equal(app->pages, 256 - 32);
	assert_int_equal(reservation(XENMEM_populate_physmap, 0, 1, 5, DOMID_SELF), 1);
	assert_int_equal(app->pages, 256);
	assert_int_equal(reservation(XENMEM_populate_physmap, 1024, 1, 10, DOMID_SELF), 0);
	assert_int_equal(reservation(XENMEM_decrease_reservation, ~0ull - 3, 1, 4, DOMID_SELF), 0);
}

static void the_maximum_holds(void **state)
{
	(void)state;
	assert_int_equal(query(XENMEM_maximum_reservation, DOMID_SELF), 512);
	assert_int_equal(reservation(XENMEM_populate_physmap, 1000, 300, 0, DOMID_SELF), 256);
	assert_int_equal(app->pages, 512);
	assert_int_equal(query(XENMEM_maximum_gpfn, DOMID_SELF), 1000 + 255);
}

static void lists_may_be_cut_or_bad(void **state)
{
	struct xen_memory_reservation op = { FAKE_MEMORY - 16, 4, 0, 0, DOMID_SELF, { 0 } };
	uint64_t gfns[2] = { 20, 21 };

	(void)state;
	fake_put(FAKE_MEMORY - 16, gfns, sizeof(gfns));
	assert_int_equal(CALL(MEMORY_OP, XENMEM_decrease_reservation, op), 2);
	assert_int_equal(fake_hypercall(MEMORY_OP, XENMEM_decrease_reservation, BAD_ADDRESS, 0), 0);
	/* A start in the command's upper bits, as a continuation has it. */
	assert_int_equal(reservation(XENMEM_decrease_reservation | 3 << MEMOP_EXTENT_SHIFT, 30, 5, 0,
				     DOMID_SELF), 5);
	assert_int_equal(nuc_memory_type(1, gfn_of(32)), 1);
	assert_int_equal(nuc_memory_type(1, gfn_of(33)), 0);
	/* Huge counts end, with what was done. */
	op = (struct xen_memory_reservation){ LIST, ~0ull >> 8, 0, 0, DOMID_SELF, { 0 } };
	memset(fake.memory + LIST, 0, 4096);
	assert_int_equal(CALL(MEMORY_OP, XENMEM_decrease_reservation, op), 1);
}

static void one_call_is_bounded(void **state)
{
	struct xen_memory_reservation op = { LIST, 6000, 0, 0, DOMID_SELF, { 0 } };

	(void)state;
	app->pages_max = 100000;
	for (uint64_t i = 0; i < 6000; i++) {
		uint64_t gfn = i < 3500 ? 300 + i : FAKE_GFNS;

		fake_put(LIST + i * 8, &gfn, sizeof(gfn));
	}
	assert_int_equal(CALL(MEMORY_OP, XENMEM_populate_physmap, op), 3500);
}

static void rights(void **state)
{
	(void)state;
	fake_domain(0, 1, 256, false);
	assert_int_equal(reservation(XENMEM_decrease_reservation, 0, 1, 0, 0), -EPERM);
	assert_int_equal(reservation(XENMEM_decrease_reservation, 0, 1, 0, 9), 0);
	assert_int_equal(query(XENMEM_maximum_gpfn, 0), -EPERM);
	assert_int_equal(query(XENMEM_maximum_gpfn, 9), -ESRCH);
	assert_int_equal(fake_hypercall(MEMORY_OP, XENMEM_maximum_gpfn, BAD_ADDRESS, 0), -EFAULT);
	app->control = true;
	assert_int_equal(reservation(XENMEM_decrease_reservation, 7, 1, 0, 0), 1);
	assert_int_equal(nuc_memory_type(0, gfn_of(7)), 0);
	assert_int_equal(domains[0].pages, 255);
}

static void shared_info_goes_where_the_guest_wants(void **state)
{
	struct xen_add_to_physmap op = { .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = 3 };
	struct xen_remove_from_physmap remove = { .domid = DOMID_SELF, .gpfn = 3 };

	(void)state;
	assert_int_equal(CALL(MEMORY_OP, XENMEM_add_to_physmap, op), 0);
	assert_int_equal(nuc_memory_type(1, gfn_of(3)), 2);
	assert_int_equal(app->pages, 255); /* the RAM that was there has gone back */
	op.gpfn = 4;
	assert_int_equal(CALL(MEMORY_OP, XENMEM_add_to_physmap, op), 0);
	assert_int_equal(nuc_memory_type(1, gfn_of(3)), 0);
	op.idx = 1;
	assert_int_equal(CALL(MEMORY_OP, XENMEM_add_to_physmap, op), -EINVAL);
	op.idx = 0;
	op.gpfn = 1ull << 52;
	assert_int_equal(CALL(MEMORY_OP, XENMEM_add_to_physmap, op), -EINVAL);
	op.space = XENMAPSPACE_grant_table;
	assert_int_equal(CALL(MEMORY_OP, XENMEM_add_to_physmap, op), -EINVAL);
	op.space = 4;
	assert_int_equal(CALL(MEMORY_OP, XENMEM_add_to_physmap, op), -ENOSYS);
	assert_int_equal(CALL(MEMORY_OP, XENMEM_remove_from_physmap, remove), -ENOENT);
	remove.gpfn = 5;
	assert_int_equal(CALL(MEMORY_OP, XENMEM_remove_from_physmap, remove), 0);
	assert_int_equal(app->pages, 253);
}

static void the_highest_gfn_is_right_above_ram(void **state)
{
	(void)state;
	assert_int_equal(query(XENMEM_maximum_gpfn, DOMID_SELF), 256);
	assert_int_equal(app->console_gfn.gfn, 256);
	assert_int_equal(nuc_memory_type(1, gfn_of(256)), 2);
}

static void memory_map(void **state)
{
	struct xen_memory_map op = { .nr_entries = 10, .buffer = LIST };
	struct e820_entry entry;

	(void)state;
	assert_int_equal(CALL(MEMORY_OP, XENMEM_memory_map, op), 0);
	RESULT(op);
	assert_int_equal(op.nr_entries, 1);
	memcpy(&entry, fake.memory + LIST, sizeof(entry));
	assert_int_equal(entry.size, 1 << 20);
	op.nr_entries = 0;
	assert_int_equal(CALL(MEMORY_OP, XENMEM_memory_map, op), 0);
	app->map_count = 0;
	assert_int_equal(CALL(MEMORY_OP, XENMEM_memory_map, op), -ENOSYS);
	assert_int_equal(fake_hypercall(MEMORY_OP, 0, ARG, 0), -ENOSYS);
	assert_int_equal(fake_hypercall(MEMORY_OP, 63, ARG, 0), -ENOSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(balloon_out_and_in, setup),
		cmocka_unit_test_setup(extents_with_an_order, setup),
		cmocka_unit_test_setup(the_maximum_holds, setup),
		cmocka_unit_test_setup(lists_may_be_cut_or_bad, setup),
		cmocka_unit_test_setup(one_call_is_bounded, setup),
		cmocka_unit_test_setup(rights, setup),
		cmocka_unit_test_setup(shared_info_goes_where_the_guest_wants, setup),
		cmocka_unit_test_setup(the_highest_gfn_is_right_above_ram, setup),
		cmocka_unit_test_setup(memory_map, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
