/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COM1 output for the small 32-bit boot programs.
 */
#pragma once

#include <stdint.h>

/* 115200 baud, 8N1, polled. */
void console_open(void);

void console_text(const char *text);
void console_number(uint32_t n);
void console_hex(uint64_t n);

/* Prints "<program>: <text>" and stops the CPU for good. */
__attribute__((noreturn)) void console_fail(const char *text);

/* The name console_fail speaks under; each program defines it. */
extern const char console_program[];
