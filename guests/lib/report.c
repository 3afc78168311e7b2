/* SPDX-License-Identifier: Apache-2.0 */
/* How a test guest says what it found. */
#include "report.h"
#include "print.h"
#include "xen.h"

enum outcome { SUCCESS, SKIP, ERROR, FAILURE };

static const char *const outcome_names[] = { "success", "skip", "error", "failure" };
static volatile enum outcome outcome;
static char note[128];
uint32_t test_checks;

static void report(enum outcome o, const char *format, va_list list)
{
	char text[400];

	format_list(text, sizeof(text), format, list);
	print("%s: %s\n", outcome_names[o], text);
	if (o > outcome)
		outcome = o;
}

#define REPORT_FUNCTION(name, o)                                                                             \
	void name(const char *format, ...)                                                                   \
	{                                                                                                    \
		va_list list;                                                                                \
		va_start(list, format);                                                                      \
		report(o, format, list);                                                                     \
		va_end(list);                                                                                \
	}
REPORT_FUNCTION(test_skip, SKIP)
REPORT_FUNCTION(test_error, ERROR)
REPORT_FUNCTION(test_failure, FAILURE)

void test_note(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	note[0] = ' ';
	format_list(note + 1, sizeof(note) - 1, format, list);
	va_end(list);
}

bool test_check(bool holds, const char *what, const char *file, int line)
{
	test_checks++;
	if (!holds)
		test_failure("%s:%d: %s", file, line, what);
	return holds;
}

bool test_equal(uint64_t value, uint64_t expected, const char *what, const char *file, int line)
{
	test_checks++;
	if (value != expected)
		test_failure("%s:%d: %s is 0x%lx, expected 0x%lx", file, line, what, value, expected);
	return value == expected;
}

void test_end(void)
{
	print("TEST %s: %s%s\n", test_name, outcome_names[outcome], note);
	xen_shutdown(outcome <= SKIP ? SHUTDOWN_poweroff : SHUTDOWN_crash);
}
