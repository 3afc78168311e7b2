/* SPDX-License-Identifier: Apache-2.0 */
/* The policy table against Xen's rules, said once more and in another way. */
#include "unit.h"

#include "altp2m_policy.h"

static const struct altp2m_policy *xen, *narrow;

static int setup(void **state)
{
	(void)state;
	xen = altp2m_policy_find("xen", 3);
	narrow = altp2m_policy_find("narrow", 6);
	return !xen || !narrow;
}

/* What Xen 4.17 says, and what is said here of the sub-ops that Xen hasn't got. */
static bool should(uint32_t cmd, uint32_t mode, enum altp2m_caller caller)
{
	if (mode == PACK_ALTP2M_DISABLED || caller == ALTP2M_OTHER)
		return false;
	if (caller == ALTP2M_CONTROL || mode == PACK_ALTP2M_MIXED)
		return true;
	return mode == PACK_ALTP2M_LIMITED && cmd == ALTP2M_vcpu_enable_notify;
}

static void every_cell_is_xens(void **state)
{
	uint32_t allowed = 0;

	(void)state;
	for (uint32_t row = 0; row < ALTP2M_OPS; row++) {
		uint32_t cmd = altp2m_rules[row].cmd;

		assert_int_equal(altp2m_row(cmd), row);
		for (uint32_t mode = 0; mode < ALTP2M_MODES; mode++) {
			for (uint32_t caller = 0; caller < ALTP2M_CALLERS; caller++) {
				enum altp2m_reason why = xen->decide(row, mode, caller);

				assert_true(why < ALTP2M_REASONS);
				assert_int_equal(why < ALTP2M_DENIED, should(cmd, mode, caller));
				allowed += why < ALTP2M_DENIED;
			}
		}
	}
	assert_int_equal(allowed, 26 * 3 + 26 + 1);
}

static void rows_have_numbers(void **state)
{
	uint32_t rows = 0;

	(void)state;
	for (uint32_t cmd = 0; cmd < 1000; cmd++)
		rows += altp2m_row(cmd) < ALTP2M_OPS;
	assert_int_equal(rows, 26);
	assert_int_equal(altp2m_row(1), 0);
	assert_int_equal(altp2m_row(16), 15);
	assert_int_equal(altp2m_row(64), 16);
	assert_int_equal(altp2m_row(73), 25);
	assert_true(altp2m_row(0) >= ALTP2M_OPS && altp2m_row(17) >= ALTP2M_OPS &&
		    altp2m_row(63) >= ALTP2M_OPS && altp2m_row(74) >= ALTP2M_OPS &&
		    altp2m_row(~0u) >= ALTP2M_OPS && altp2m_row(0x80000001) >= ALTP2M_OPS);
}

static void every_row_is_audited(void **state)
{
	(void)state;
	for (uint32_t row = 0; row < ALTP2M_OPS; row++) {
		const struct altp2m_rule *r = &altp2m_rules[row];

		assert_true(r->name && r->kernel && r->user && r->judgement && r->kind <= ALTP2M_CHANGES);
		assert_true(strlen(r->kernel) > 10 && strlen(r->user) > 6 && strlen(r->judgement) > 10);
		assert_null(strchr(r->kernel, '|'));
		assert_null(strchr(r->user, '|'));
		assert_null(strchr(r->judgement, '|'));
	}
	for (uint32_t i = 0; i < ALTP2M_REASONS; i++)
		assert_non_null(altp2m_reasons[i]);
}

static void narrow_only_takes(void **state)
{
	static const uint8_t kept[] = { 1, 5, 11, 12, 13, 14, 64, 65, 69, 72, 73 };

	(void)state;
	for (uint32_t row = 0; row < ALTP2M_OPS; row++) {
		for (uint32_t mode = 0; mode < ALTP2M_MODES; mode++) {
			for (uint32_t caller = 0; caller < ALTP2M_CALLERS; caller++) {
				bool was = xen->decide(row, mode, caller) < ALTP2M_DENIED;
				bool is = narrow->decide(row, mode, caller) < ALTP2M_DENIED;

				if (caller != ALTP2M_SELF)
					assert_int_equal(was, is);
				else
					assert_int_equal(is, mode == PACK_ALTP2M_MIXED &&
							 memchr(kept, altp2m_rules[row].cmd, sizeof(kept)));
			}
		}
	}
}

static void names(void **state)
{
	(void)state;
	assert_ptr_equal(altp2m_policy_find("xen altp2m=off", 3), &altp2m_policies[0]);
	assert_null(altp2m_policy_find("", 0));
	assert_null(altp2m_policy_find("xe", 2));
	assert_null(altp2m_policy_find("Xen", 3));
	assert_null(altp2m_policy_find("xenx", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_is_xens),
		cmocka_unit_test(rows_have_numbers),
		cmocka_unit_test(every_row_is_audited),
		cmocka_unit_test(narrow_only_takes),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
