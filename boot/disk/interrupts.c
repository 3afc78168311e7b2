/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader's two interrupts: the timer and the disk.
 */
#include "interrupts.h"
#include "console.h"
#include "port.h"

#define PIC1 0x20
#define PIC2 0xa0
#define VECTOR_IRQ0 32u
#define VECTORS 48u

struct gate {
	uint16_t offset_low, selector;
	uint16_t type; /* 0x8e00: present, ring 0, 32-bit interrupt gate */
	uint16_t offset_high;
};

static struct gate idt[VECTORS];
volatile uint32_t timer_ticks;

void irq_timer(void);
void irq_disk(void);
void irq_other(void);
void exception(void);
__attribute__((noreturn)) void loader_exception(void);

void loader_exception(void)
{
	console_fail("a CPU exception; the loader is at fault or the image overwrote it");
}

static void set_gate(uint32_t vector, void (*handler)(void))
{
	uint32_t address = (uint32_t)handler;

	idt[vector] = (struct gate){ (uint16_t)address, 0x08, 0x8e00, (uint16_t)(address >> 16) };
}

/* ICW1 to ICW4 (8259A data sheet): edge-triggered, cascaded on line 2. */
static void pic_setup(uint8_t vector1, uint8_t vector2, uint8_t mask1, uint8_t mask2)
{
	out8(PIC1, 0x11);
	out8(PIC2, 0x11);
	out8(PIC1 + 1, vector1);
	out8(PIC2 + 1, vector2);
	out8(PIC1 + 1, 0x04);
	out8(PIC2 + 1, 0x02);
	out8(PIC1 + 1, 0x01);
	out8(PIC2 + 1, 0x01);
	out8(PIC1 + 1, mask1);
	out8(PIC2 + 1, mask2);
}

void interrupts_open(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, (uint32_t)idt };

	for (uint32_t v = 0; v < VECTOR_IRQ0; v++)
		set_gate(v, exception);
	for (uint32_t v = VECTOR_IRQ0; v < VECTORS; v++)
		set_gate(v, irq_other);
	set_gate(VECTOR_IRQ0 + 0, irq_timer);
	set_gate(VECTOR_IRQ0 + 14, irq_disk);
	set_gate(VECTOR_IRQ0 + 15, irq_disk);
	__asm__ volatile("lidt %0" : : "m"(pointer));
	/* Lines let in: 0 timer, 2 cascade; 14 and 15 the two IDE channels. */
	pic_setup(VECTOR_IRQ0, VECTOR_IRQ0 + 8, (uint8_t)~0x05, (uint8_t)~0xc0);
}

void interrupts_wait(void)
{
	/* STI holds interrupts off until HLT has begun: none is missed in between. */
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

void interrupts_close(void)
{
	out8(PIC1 + 1, 0xff);
	out8(PIC2 + 1, 0xff);
}
