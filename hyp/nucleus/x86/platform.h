/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine around the CPUs, as the x86 nucleus found it at boot, and the
 * functions of the x86 nucleus' files. Everything here is nucleus-private.
 */
#pragma once

#include "check.h"
#include "exit.h"
#include "gate.h"
#include "limits.h"
#include "frame.h"
#include "types.h"

/* ---- bootinfo.c: what the boot loader said ------------------------------- */

#define RAM_RANGES_MAX 64u

struct ram_range {
	uint64_t start, end;          /* bytes, machine-physical, page-aligned inward */
};

struct boot_memory {
	struct ram_range ram[RAM_RANGES_MAX];
	uint32_t ranges;
	uint64_t end;                 /* first byte above all RAM */
};

/* Reads Multiboot or PVH information at `physical` (one-to-one mapped); panics if there's none. */
void bootinfo_read(uint32_t magic, uint32_t physical, struct boot_memory *out);

/* ---- paging.c: the two address spaces ------------------------------------- */

/* Builds both spaces and the frame table, and switches the boot CPU to the nucleus'. `pack` is known. */
void paging_init(const struct boot_memory *memory);
/* CR3 values, with PCID and no-flush bits where the CPU has them. */
uint64_t paging_nucleus_cr3(void);
uint64_t paging_core_cr3(void);
/* Turns PCIDs on for this CPU if it has them (CR4.PCIDE). */
void paging_cpu_init(void);
/* The nucleus' pointer to machine memory. */
static inline void *phys_to_ptr(uint64_t physical) { return (void *)(DIRECT_MAP_VA + physical); }
/* Where a linker symbol of the image lies in machine memory. */
static inline uint64_t image_physical(const char *p) { return (uint64_t)p - IMAGE_VA; }
/* Maps a device page uncached in the nucleus' space at DEVICE_VA + slot pages. */
volatile uint32_t *paging_map_device(uint64_t physical, uint32_t slot);

/* ---- cpu.c: features, descriptor tables, exceptions ---------------------- */

/* Checks all that is needed, by name; refuses (and does not return) with the list of what is missing. */
void cpu_check_features(void);
/* GDT, TSS, IDT, GS, control registers of CPU `cpu`. */
void cpu_init(uint32_t cpu);
/* One line: what the CPU has. */
extern char cpu_feature_line[160];
struct idt_entry {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_mid;
	uint32_t offset_high, reserved;
};
extern struct idt_entry idt[256];
extern uint64_t cpu_xcr0_allowed;     /* what guests may set in XCR0 */
extern uint64_t cpu_cr4_allowed;      /* what guests may set in CR4 */
extern bool cpu_has_pcid, cpu_has_1g_ept, cpu_has_pause_loop, cpu_has_1g_pages;
extern bool cpu_has_vmfunc, cpu_has_ve, cpu_has_mtf;

/* ---- serial.c: the console ------------------------------------------------ */

void serial_init(void);
void serial_write(const char *bytes, size_t n);
int serial_read(void);
void serial_enable_interrupts(void);
/* UART interrupt: refills the transmitter; true if input waits. */
bool serial_interrupt(void);
/* Writes out everything that is buffered, without interrupts. */
void serial_drain(void);
/* Writes at once, whatever state the buffer is in: the machine is ending. */
void serial_panic(const char *bytes, size_t n);

/* ---- apic.c: local APIC, I/O APIC, IPIs ----------------------------------- */

void apic_init(void);                 /* boot CPU: finds the APICs */
void apic_cpu_init(uint32_t cpu);
void apic_eoi(void);
void apic_send(uint32_t cpu, uint8_t vector);
void apic_send_nmi(uint32_t cpu);
void apic_start_cpu(uint32_t apic_id, uint8_t page);
void apic_route_uart(void);
/* Arms this CPU's deadline timer at a TSC value; 0 disarms. */
void apic_set_deadline(uint64_t tsc);
uint32_t apic_id_here(void);
extern uint32_t apic_ids[CPUS_MAX];   /* by CPU number */

/* ---- acpi.c: MADT ----------------------------------------------------------- */

struct madt {
	uint32_t apic_ids[CPUS_MAX];
	uint32_t cpus;                /* enabled, the boot CPU not first in general */
	uint64_t local_apic, io_apic; /* physical; io_apic 0: none */
	uint32_t io_apic_base;        /* first global interrupt of the I/O APIC */
	uint32_t uart_interrupt;      /* global interrupt of ISA IRQ 4 */
};
/* False when the firmware has no usable MADT. */
bool acpi_read_madt(struct madt *out, uint64_t rsdp_hint);
extern uint64_t boot_rsdp;            /* from PVH start info, 0: search */

/* ---- pci.c ------------------------------------------------------------------ */

/* How many devices lost their bus mastering. */
uint32_t pci_stop_bus_masters(void);

/* ---- clock.c --------------------------------------------------------------- */

uint32_t clock_measure_tsc_khz(void);
uint64_t clock_read_cmos(void);       /* UTC seconds */

/* ---- smp.c ----------------------------------------------------------------- */

extern uint32_t cpu_online;           /* CPUs up, this one included */
void smp_start_all(const struct madt *madt);

/* ---- main.c ---------------------------------------------------------------- */

/* Prints like printf (%s %u %x %lu %lx %c) to the console with a "ravelin: " before it. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
NORETURN void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
NORETURN void machine_stop(uint32_t status);
extern bool machine_stopping;         /* CPUs that see it set halt for good */
extern struct boot_memory boot_memory;
extern struct boot_pack {
	uint64_t address, size;       /* of the whole pack, machine-physical */
	uint64_t manifest;            /* bytes at its start that the core may read */
} pack;
extern const volatile struct image_ref image_reference;
NORETURN void nucleus_enter(const void *argument, const void *function);

/* paging.c, more */
#define PTE_PRESENT (1ull << 0)
#define PTE_WRITE (1ull << 1)
#define PTE_UNCACHED (3ull << 3)      /* PCD, PWT: PAT entry 3, UC */
#define PTE_LARGE (1ull << 7)
#define PTE_NX (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull
extern struct paging_roots {
	uint64_t nucleus, core;       /* machine addresses of the two root tables */
} paging_roots;
void paging_drop_setup(void);
void paging_flush_all(void);
bool manifest_mapped(uint64_t p, uint64_t length);
bool machine_is_gate_stack(uint64_t mfn);
uint64_t machine_manifest_size(void);
