/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a test guest says what it found. Four outcomes, the worst one counts:
 * success, skip (not possible here), error (the test itself went wrong),
 * failure (what it tests is wrong).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Every test guest defines these two. */
extern const char test_name[];
void test_main(void);

void test_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));
void test_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void test_failure(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* More words for the last line. */
void test_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Prints "TEST <name>: <outcome>" and shuts the domain down: power-off after
 * success and skip, crash otherwise. Called for a test_main that returns.
 */
__attribute__((noreturn)) void test_end(void);

/* One checked statement; says where and what when it doesn't hold. */
#define CHECK(condition) test_check(condition, #condition, __FILE__, __LINE__)
/* Two numbers that must be equal; prints both when they are not. */
#define CHECK_EQUAL(value, expected) test_equal(value, (uint64_t)(expected), #value, __FILE__, __LINE__)

bool test_check(bool holds, const char *what, const char *file, int line);
bool test_equal(uint64_t value, uint64_t expected, const char *what, const char *file, int line);
/* Checks made so far. */
extern uint32_t test_checks;
