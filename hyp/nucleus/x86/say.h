/* SPDX-License-Identifier: Apache-2.0 */
/* Text for the nucleus' few messages: %s, %u, %d, %x, %lu, %lx, %llu, %llx. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/* Formats into out, always NUL-terminated; the length without the NUL, at most size - 1. */
size_t say_text(char *out, size_t size, const char *format, va_list args);
