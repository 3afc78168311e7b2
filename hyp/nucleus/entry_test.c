/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entry format's functions that are written with masks, for speed: that they
 * agree with the accessors. The proofs take this as given; every combination of
 * what a view can set is tried, and in the EPT format also words at random.
 */
#include "test.h"

#include "frame.h"

static const uint64_t mfns[] = { 0, 1, 2, 0x155, 0x2aa, 0xfff, 0x12345, FRAMES_MAX - 1 };
static const uint32_t steps[] = { 0, 1, 2, 3, 1023, 1024, 1025, STEPS / 2, STEPS - 1 };
static const uint32_t rights[] = { 0, 1, 3, 4, 5, 7 };

static uint64_t leaf(uint32_t i)
{
	uint64_t e = entry_leaf_with(mfns[i % 8], rights[i / 8 % 6], i / 48 % 2, 0);

	return entry_with_own(entry_with_turns(e, i / 96 % 2), i / 192 % OWN_FLAGS, steps[i / 192 / OWN_FLAGS % 9]);
}

#define LEAVES (8u * 6 * 2 * 2 * OWN_FLAGS * 9)

static void what_is_set(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < LEAVES; i++) {
		uint64_t e = leaf(i), kept = entry_kept(rights[i / 8 % 6], i / 48 % 2, i % OWN_FLAGS & ~OWN_TARGET,
							steps[i / 192 / OWN_FLAGS % 9]);

		assert_int_equal(entry_any_own(e), entry_own(e) != 0 || entry_step(e) != 0);
		assert_int_equal(entry_any_own(kept), entry_own(kept) != 0 || entry_step(kept) != 0);
	}
	assert_false(entry_any_own(entry_empty(0)));
}

static void access_set(void **state)
{
	uint32_t i, a, turns;

	(void)state;
	for (i = 0; i < LEAVES; i++) {
		for (a = 0; a < 6; a++) {
			for (turns = 0; turns < 2; turns++) {
				uint64_t e = leaf(i), f = entry_with_access(e, rights[a], turns);

				assert_int_equal(entry_kind(f, 0), ENTRY_LEAF);
				assert_int_equal(entry_access(f, 0), rights[a]);
				assert_int_equal(entry_turns(f, 0), turns);
				assert_int_equal(entry_own(f), entry_own(e) | OWN_ACCESS);
				assert_int_equal(entry_mfn(f, 0), entry_mfn(e, 0));
				assert_int_equal(entry_step(f), entry_step(e));
				assert_int_equal(entry_suppress(f, 0), entry_suppress(e, 0));
			}
		}
	}
}

static void links(void **state)
{
	uint32_t i, a, level;

	(void)state;
	for (level = 1; level <= 3; level++) {
		for (i = 0; i < 8; i++) {
			uint64_t e = entry_private(mfns[i], level);

			assert_true(entry_is_private(e, level));
			assert_int_equal(entry_kind(e, level), ENTRY_TABLE);
			assert_int_equal(entry_mfn(e, level), mfns[i]);
			assert_int_equal(entry_access(e, level), ACCESS_RWX);
			for (a = 0; a < 6; a++) {
				assert_false(entry_is_private(entry_link(mfns[i], rights[a], level), level));
				assert_false(level <= 2 && entry_is_private(
					entry_leaf_with(mfns[i], rights[a], a % 2, level), level));
			}
		}
		assert_false(entry_is_private(entry_empty(level), level));
	}
}

#ifdef EPT_PRIVATE
static void any_word(void **state)
{
	uint64_t e = 88172645463325252ull;
	uint32_t i, level;

	(void)state;
	for (i = 0; i < 2000000; i++) {
		e ^= e << 13;
		e ^= e >> 7;
		e ^= e << 17;
		for (level = 1; level <= 3; level++) {
			assert_int_equal(entry_is_private(e, level),
					 entry_kind(e, level) == ENTRY_TABLE && e / EPT_PRIVATE % 2 == 1);
		}
		assert_int_equal(entry_any_own(e), entry_own(e) != 0 || entry_step(e) != 0);
	}
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_set),
		cmocka_unit_test(access_set),
		cmocka_unit_test(links),
#ifdef EPT_PRIVATE
		cmocka_unit_test(any_word),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
