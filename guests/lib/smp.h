/* SPDX-License-Identifier: Apache-2.0 */
/* More than one vCPU: local APIC in x2APIC mode, start by INIT and SIPI. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define APIC_id	      0x02
#define APIC_version  0x03
#define APIC_tpr      0x08
#define APIC_eoi      0x0b
#define APIC_spurious 0x0f
#define APIC_icr      0x30
#define APIC_self_ipi 0x3f

#define ICR_FIXED 0x0000u
#define ICR_NMI	  0x0400u
#define ICR_INIT  0xc500u
#define ICR_SIPI  0x0600u

uint64_t apic_read(uint32_t reg);
void apic_write(uint32_t reg, uint64_t value);
/* Sends an IPI to the CPU with this number. */
void apic_ipi(uint32_t cpu, uint32_t icr);
/* Software-enables this CPU's APIC. */
void apic_enable(void);
/* For interrupt hooks. */
void apic_eoi(void);

/* vCPUs of this domain, by the MADT (1 without one). */
uint32_t smp_count(void);

/*
 * Starts all other vCPUs, each of which runs entry(number) and then halts.
 * Returns the number of CPUs that run, itself included.
 */
uint32_t smp_start(void (*entry)(uint32_t cpu));

/* INIT and SIPI for one that was started before; true if it came up within some seconds. */
bool smp_restart(uint32_t cpu, void (*entry)(uint32_t cpu));

/* Returns once `count` CPUs have come here with this barrier; a generation each. */
struct barrier {
	volatile uint32_t arrived, generation;
};
void barrier_wait(struct barrier *b, uint32_t count);
