/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The x86 part of the core: the tables that say what is emulated, and what its
 * files offer one another. docs/emulation.md is generated from the tables.
 */
#pragma once

#include "core.h"
#include "domain.h"
#include "exit.h"
#include "nucleus.h"

#define BIT(n) (1u << (n))

/* ---- exits: exit.c -------------------------------------------------------- */

struct exit_row {
	const char *name;
	void (*handle)(struct vcpu *v, struct exit *e); /* core lock held; NULL: see core_exit */
	const char *effect, *why, *avoid;
};
extern const struct exit_row exit_rows[EXIT_KINDS];

/* Bad memory accesses of a domain so far; how many of them the console reports. */
#define MEMORY_REPORTS 4u
extern uint64_t memory_faults[DOMAINS_MAX];

/* ---- CPUID: cpuid.c ------------------------------------------------------- */

enum cpuid_register { EAX, EBX, ECX, EDX };

/* What one leaf answers; leaves with sub-leaves keep them in `sub`. */
struct cpuid_cell {
	uint32_t r[4];
	const struct cpuid_cell *sub;
	uint16_t sub_count;           /* 0: the sub-leaf in ECX doesn't matter */
	uint16_t patch;               /* enum cpuid_patch: what depends on the vCPU */
};

struct cpuid_row {
	uint32_t leaf;
	const char *name;
	void (*build)(uint32_t leaf, struct cpuid_cell *cell);
	const char *effect, *why, *avoid;
};
extern const struct cpuid_row cpuid_rows[];
extern const size_t cpuid_row_count;

/* One feature bit. A bit without a row is hidden. */
enum feature_policy {
	FEATURE_HIDE,
	FEATURE_SHOW,                 /* as on the host */
	FEATURE_FORCE,                /* set, whatever the host says: we provide it */
};
struct cpuid_feature {
	uint32_t leaf;
	uint8_t subleaf, reg, bit, policy;
	uint8_t xcr0;                 /* shown only if the guest may set all these XCR0 bits */
	const char *name;
	const char *hidden;           /* FEATURE_HIDE: why */
};
extern const struct cpuid_feature cpuid_features[];
extern const size_t cpuid_feature_count;

/* Builds every answer from the host's CPUID. Once, before any guest runs. */
void cpuid_init(uint32_t tsc_khz);
/* Fills in eax .. edx and the verdict. Takes no lock; any CPU at any time. */
void cpuid_exit(struct exit *e);

/* ---- MSRs: msr.c ---------------------------------------------------------- */

/* Each returns true, or false for #GP(0). Core lock held. */
typedef bool msr_read_fn(struct vcpu *v, uint32_t index, uint64_t *value);
typedef bool msr_write_fn(struct vcpu *v, uint32_t index, uint64_t value);

struct msr_row {
	uint32_t first, last;
	const char *name;
	msr_read_fn *read;            /* NULL: #GP */
	msr_write_fn *write;          /* NULL: #GP */
	bool nucleus;                 /* never gets here: passed through or handled in the nucleus */
	const char *effect, *why, *avoid;
};
extern const struct msr_row msr_rows[];
extern const size_t msr_row_count;

bool msr_read(struct vcpu *v, uint32_t index, uint64_t *value);
bool msr_write(struct vcpu *v, uint32_t index, uint64_t value);
/* Fills a page with Xen's 128 stubs, `mov $number, %eax; vmcall; ret`, 32 bytes apart. */
void hypercall_page_fill(uint8_t page[PAGE_SIZE]);

/* ---- I/O ports: port.c ---------------------------------------------------- */

struct port_row {
	uint16_t first, last;
	const char *name;
	void (*write)(struct vcpu *v, uint32_t value, uint8_t size); /* NULL: dropped */
	const char *effect, *why, *avoid;
};
extern const struct port_row port_rows[];
extern const size_t port_row_count;

/* Sets the verdict and, for an IN, the value. Core lock held. */
void port_access(struct vcpu *v, struct exit *e);

/* ---- the local APIC: x2apic.c --------------------------------------------- */

/* IA32_APIC_BASE: enabled and in x2APIC mode (EN, EXTD), bit 8 on vCPU 0. */
#define APIC_BASE_X2APIC 0xfee00c00ull
#define APIC_BASE_BSP 0x100ull
#define APIC_SVR_ENABLE 0x100u

msr_read_fn lapic_read;
msr_write_fn lapic_write;
/* All registers as after INIT; the base and the id stay. */
void lapic_reset(struct vcpu *v);
/* The processor priority: the higher of the task priority and the vector in service (SDM 3, 11.8.3.1). */
uint32_t lapic_ppr(const struct vcpu *v);
/* The requested vector that the priorities let through now, or -1. */
int lapic_pending(const struct vcpu *v);
/* Requests a fixed vector; dropped while the APIC is software-disabled. lapic_raise also kicks the vCPU. */
void lapic_request(struct vcpu *v, uint8_t vector);
/* Moves a vector from requested to in service. */
void lapic_accept(struct vcpu *v, uint8_t vector);
/* MOV to CR8; false for #GP(0). */
bool lapic_set_cr8(struct vcpu *v, uint64_t value);

/* ---- start: acpi.c, pvh.c ------------------------------------------------- */

/* The size of the tables that acpi_build writes for this many vCPUs, in bytes. */
size_t acpi_size(uint32_t count);
/*
 * Writes RSDP, XSDT, FADT, MADT and DSDT to `out`, which the guest will see at
 * `base` (16-byte aligned); returns the RSDP's address there.
 */
uint64_t acpi_build(void *out, uint64_t base, uint32_t count);
