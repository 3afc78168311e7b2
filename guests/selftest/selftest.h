/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the self-test; each checks one side of what a PVH guest is promised. */
#pragma once

#include "guest.h"

void check_entry(void);	 /* registers, start info, memory map, ACPI */
void check_cpu(void);	 /* CPUID, MSRs, control registers, ports */
void check_calls(void);	 /* hypercalls and their arguments, memory */
void check_events(void); /* event channels, clock, timer, interrupts */

/* A guest-physical page that has no memory: between RAM and 4 GiB. */
uint64_t hole_gpa(void);
