/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts of the host: IPIs between CPUs, the deadline timer of an idle CPU and
 * the console's receive interrupt. The local APIC stays in the mode in which the
 * firmware left it: xAPIC normally, x2APIC where the firmware has locked it.
 * SDM volume 3, chapter 11.
 */
#include "platform.h"
#include "asm.h"

#define LAPIC_ID 0x20u
#define LAPIC_TPR 0x80u
#define LAPIC_EOI 0xb0u
#define LAPIC_SVR 0xf0u
#define LAPIC_ICR 0x300u
#define LAPIC_ICR_HIGH 0x310u
#define LAPIC_LVT_TIMER 0x320u
#define LAPIC_LVT_THERMAL 0x330u
#define LAPIC_LVT_PERF 0x340u
#define LAPIC_LVT_LINT0 0x350u
#define LAPIC_LVT_LINT1 0x360u
#define LAPIC_LVT_ERROR 0x370u
#define LVT_MASKED (1u << 16)
#define LVT_NMI (4u << 8)
#define TIMER_DEADLINE (2u << 17)
#define SVR_ENABLE (1u << 8)
#define ICR_INIT (5u << 8)
#define ICR_NMI (4u << 8)
#define ICR_STARTUP (6u << 8)
#define ICR_ASSERT (1u << 14)
#define ICR_PENDING (1u << 12)
#define ICR_LEVEL (1u << 15)

#define DEVICE_LAPIC 0u               /* DEVICE_VA slots */
#define DEVICE_IOAPIC 1u

static volatile uint32_t *lapic;      /* NULL: x2APIC */
static volatile uint32_t *ioapic;
static uint32_t ioapic_uart_pin;
uint32_t apic_ids[CPUS_MAX];

static uint32_t lapic_read(uint32_t reg)
{
	return lapic ? lapic[reg / 4] : (uint32_t)rdmsr(0x800 + reg / 16);
}

static void lapic_write(uint32_t reg, uint32_t value)
{
	if (lapic)
		lapic[reg / 4] = value;
	else
		wrmsr(0x800 + reg / 16, value);
}

/* Writes the ICR as one: the nucleus never leaves a half-written one behind. */
static void icr_write(uint32_t apic_id, uint32_t low)
{
	if (!lapic) {
		wrmsr(0x800 + LAPIC_ICR / 16, (uint64_t)apic_id << 32 | low);
		return;
	}
	while (lapic_read(LAPIC_ICR) & ICR_PENDING)
		pause();
	lapic_write(LAPIC_ICR_HIGH, apic_id << 24);
	lapic_write(LAPIC_ICR, low);
}

uint32_t apic_id_here(void)
{
	return lapic ? lapic_read(LAPIC_ID) >> 24 : lapic_read(LAPIC_ID);
}

void apic_init(void)
{
	static struct madt madt;
	uint64_t base = rdmsr(MSR_APIC_BASE);

	if (!(base & APIC_BASE_X2APIC))
		lapic = paging_map_device(base & 0xffffff000ull, DEVICE_LAPIC);
	if (acpi_read_madt(&madt, boot_rsdp) && madt.io_apic) {
		ioapic = paging_map_device(madt.io_apic & ~PAGE_MASK, DEVICE_IOAPIC);
		ioapic += (madt.io_apic & PAGE_MASK) / 4;
		ioapic_uart_pin = madt.uart_interrupt - madt.io_apic_base;
	}
	/* The 8259s: all masked, whatever the firmware left. */
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
}

void apic_cpu_init(uint32_t cpu)
{
	lapic_write(LAPIC_TPR, 0);
	lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT1, LVT_NMI);
	lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
	lapic_write(LAPIC_LVT_PERF, LVT_MASKED);
	lapic_write(LAPIC_LVT_THERMAL, LVT_MASKED);
	lapic_write(LAPIC_LVT_TIMER, TIMER_DEADLINE | VECTOR_TIMER);
	lapic_write(LAPIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
	apic_ids[cpu] = apic_id_here();
}

void apic_eoi(void) { lapic_write(LAPIC_EOI, 0); }

void apic_send(uint32_t cpu, uint8_t vector) { icr_write(apic_ids[cpu], ICR_ASSERT | vector); }

void apic_send_nmi(uint32_t cpu) { icr_write(apic_ids[cpu], ICR_ASSERT | ICR_NMI); }

static void wait_microseconds(uint64_t us)
{
	/* Port 0x80 takes about a microsecond on every machine that has an ISA bus. */
	while (us--)
		outb(0x80, 0);
}

void apic_start_cpu(uint32_t apic_id, uint8_t page)
{
	icr_write(apic_id, ICR_INIT | ICR_ASSERT | ICR_LEVEL);
	wait_microseconds(200);
	icr_write(apic_id, ICR_INIT | ICR_LEVEL);
	wait_microseconds(10000);
	icr_write(apic_id, ICR_STARTUP | ICR_ASSERT | page);
	wait_microseconds(200);
	icr_write(apic_id, ICR_STARTUP | ICR_ASSERT | page);
}

void apic_route_uart(void)
{
	if (!ioapic)
		return;
	ioapic[0] = 0x10 + 2 * ioapic_uart_pin + 1;
	ioapic[4] = apic_ids[0] << 24;
	ioapic[0] = 0x10 + 2 * ioapic_uart_pin;
	ioapic[4] = VECTOR_UART;      /* fixed, physical, edge, high, unmasked */
}

void apic_set_deadline(uint64_t tsc) { wrmsr(MSR_TSC_DEADLINE, tsc); }
