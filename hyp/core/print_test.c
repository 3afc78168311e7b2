/* SPDX-License-Identifier: Apache-2.0 */
/* The small printf against the host's. */
#include "unit.h"

#define SAME(...) \
	do { \
		char ours[64], theirs[64]; \
		int n = snprintf(theirs, sizeof(theirs), __VA_ARGS__); \
		assert_int_equal(format_text(ours, sizeof(ours), __VA_ARGS__), n); \
		assert_string_equal(ours, theirs); \
	} while (0)

static void like_the_host(void **state)
{
	(void)state;
	SAME("plain");
	SAME("%s|%5s|%-5s|%.2s|%.*s", "abc", "abc", "abc", "abc", 1, "abc");
	SAME("%d %5d %05d %-5d|", -42, -42, -42, -42);
	SAME("%u %x %08x %lu %lx %llu %zu", 7u, 255u, 48879u, ~0ul, ~0ul, 1ull, (size_t)9);
	SAME("%c%c%%", 'o', 'k');
	SAME("%d %ld", -2147483647 - 1, -9223372036854775807l - 1);
	SAME("%03u.%-3u|%3u", 5u, 5u, 5u);
}

static void never_beyond_its_room(void **state)
{
	char out[8] = "xxxxxxx";

	(void)state;
	assert_int_equal(format_text(out, 4, "%s", "abcdefgh"), 8);
	assert_string_equal(out, "abc");
	assert_int_equal(out[4], 'x');
	assert_int_equal(format_text(out, 1, "%u", 12345u), 5);
	assert_string_equal(out, "");
	assert_int_equal(format_text(NULL, 0, "abc"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(like_the_host),
		cmocka_unit_test(never_beyond_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
