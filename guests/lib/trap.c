/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions and interrupts.
 *
 * Every exception has a stack of its own (IST), so a guest under test may ruin
 * RSP and still come back. The CPU is found by the stack in use.
 */
#include "trap.h"
#include "print.h"
#include "report.h"
#include "util.h"

struct gate {
	uint16_t offset0, selector;
	uint8_t ist, type;
	uint16_t offset1;
	uint32_t offset2, reserved;
};

struct pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

struct fixup {
	uint64_t fault, resume;
};

struct cpu_block cpu_blocks[CPU_MAX] __attribute__((aligned(CPU_BLOCK_SIZE)));
static struct gate idt[256];
static void (*hooks[256])(struct frame *);

extern const char trap_stubs[], trap_try_out[];
extern const struct fixup ex_table_start[], ex_table_end[];
extern uint64_t alias_pt[512];

void trap_handler(struct frame *f);

static void idt_init(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint64_t stub = (uint64_t)trap_stubs + i * 16;

		idt[i] = (struct gate){ .offset0 = (uint16_t)stub,
					.selector = SEL_CODE,
					.type = 0x8e,
					.offset1 = (uint16_t)(stub >> 16),
					.offset2 = (uint32_t)(stub >> 32) };
		if (i < 32)
			idt[i].ist = STACK_TRAP;
	}
	idt[VECTOR_DB].ist = STACK_DEBUG;
	idt[VECTOR_NMI].ist = STACK_NMI;
	idt[VECTOR_DF].ist = STACK_DOUBLE;
}

void trap_init(uint32_t id)
{
	struct cpu_block *b = &cpu_blocks[id];
	struct cpu *c = &b->cpu;
	uint64_t tss = (uint64_t)&c->tss;
	struct pointer gdtr = { sizeof(c->gdt) - 1, (uint64_t)c->gdt };
	struct pointer idtr = { sizeof(idt) - 1, (uint64_t)idt };

	c->id = id;
	for (uint32_t i = 0; i < 4; i++)
		c->tss.ist[i] = (uint64_t)(b->trap_stack[i] + sizeof(b->trap_stack[i]));
	c->tss.rsp[0] = c->tss.ist[STACK_TRAP - 1];
	c->tss.io_map = sizeof(struct tss);
	c->gdt[SEL_CODE / 8] = 0x00af9b000000ffffull;
	c->gdt[SEL_DATA / 8] = 0x00cf93000000ffffull;
	c->gdt[SEL_USER_CODE / 8] = 0x00affb000000ffffull;
	c->gdt[SEL_USER_DATA / 8] = 0x00cff3000000ffffull;
	c->gdt[SEL_TSS / 8] = (sizeof(struct tss) - 1) | (tss & 0xffffff) << 16 | 0x89ull << 40 |
			      ((tss >> 24) & 0xff) << 56;
	c->gdt[SEL_TSS / 8 + 1] = tss >> 32;
	if (id == 0)
		idt_init();
	asm volatile("lgdt %0\n\tlidt %1\n\tltr %w2" : : "m"(gdtr), "m"(idtr), "r"(SEL_TSS) : "memory");
}

void trap_hook(uint32_t vector, void (*handler)(struct frame *frame))
{
	hooks[vector] = handler;
}

void *alias_map(uint32_t index, uint64_t gpa, uint64_t flags)
{
	uint64_t address = ALIAS_BASE + index * 4096ull;

	alias_pt[index] = flags ? gpa | flags : 0;
	invlpg(address);
	return (void *)address;
}

uint64_t alias_entry(uint32_t index)
{
	return __atomic_load_n(&alias_pt[index], __ATOMIC_RELAXED);
}

static void unexpected(const struct frame *f)
{
	test_error("unexpected trap %lu error %lx at %lx:%lx cr2 %lx rsp %lx rax %lx rdi %lx on cpu %u",
		   f->vector, f->error, f->cs, f->rip, read_cr2(), f->rsp, f->rax, f->rdi, this_cpu()->id);
	test_end();
}

/* Called by trap_common with the CPU's registers on the stack. */
void trap_handler(struct frame *f)
{
	struct cpu *c = this_cpu();

	if (f->vector >= 32) {
		c->irqs[f->vector]++;
		if (hooks[f->vector])
			hooks[f->vector](f);
		return;
	}
	if (f->vector == VECTOR_NMI)
		c->nmis++;
	if (hooks[f->vector]) {
		hooks[f->vector](f);
		return;
	}
	if (f->vector == VECTOR_NMI)
		return;
	c->trap = (struct trap){ (uint32_t)f->vector, (uint32_t)f->error, f->rip, read_cr2() };
	for (const struct fixup *x = ex_table_start; x < ex_table_end; x++) {
		if (x->fault == f->rip) {
			f->rip = x->resume;
			return;
		}
	}
	if (!c->scope) {
		unexpected(f);
		return;
	}
	f->rip = (uint64_t)trap_try_out;
	f->rsp = c->scope;
	f->cs = SEL_CODE;
	f->ss = SEL_DATA;
	f->rflags = 2;
}
