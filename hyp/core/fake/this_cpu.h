/* SPDX-License-Identifier: Apache-2.0 */
/* Host builds: tests say which CPU they play. */
#pragma once

struct cpu;
extern struct cpu *fake_this_cpu;

static inline struct cpu *this_cpu(void) { return fake_this_cpu; }
static inline void this_cpu_init(struct cpu *cpu) { fake_this_cpu = cpu; }
