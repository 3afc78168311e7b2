/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's console: Xen's console ring, else console_io, and without Xen
 * the first serial port and port 0xE9.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

void print_init(void);
/* printf with c, s, d, u, x, p, the lengths l and ll, and widths; at most 500 bytes a call. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_list(const char *format, va_list list);
size_t format_list(char *out, size_t size, const char *format, va_list list);
/* Waits until everything has been taken from the ring. */
void print_flush(void);
