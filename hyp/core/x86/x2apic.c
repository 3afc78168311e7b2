/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local APIC of a vCPU, in x2APIC mode only: registers are MSRs (SDM 3,
 * 11.12), so there is no page to emulate. It carries IPIs and priorities; there
 * is no timer (guests have VIRQ_TIMER), no local interrupt line, no I/O APIC.
 */
#include "x86.h"
#include "string.h"

#define MSR_OF(offset) (0x800u + ((offset) >> 4))    /* SDM 3, table 11-6 */
#define APIC_ID MSR_OF(0x20)
#define APIC_VERSION MSR_OF(0x30)
#define APIC_TPR MSR_OF(0x80)
#define APIC_PPR MSR_OF(0xa0)
#define APIC_EOI MSR_OF(0xb0)
#define APIC_LDR MSR_OF(0xd0)
#define APIC_SVR MSR_OF(0xf0)
#define APIC_ISR MSR_OF(0x100)
#define APIC_TMR MSR_OF(0x180)
#define APIC_IRR MSR_OF(0x200)
#define APIC_ESR MSR_OF(0x280)
#define APIC_ICR MSR_OF(0x300)
#define APIC_LVT MSR_OF(0x320)
#define APIC_TIMER_INITIAL MSR_OF(0x380)
#define APIC_TIMER_CURRENT MSR_OF(0x390)
#define APIC_TIMER_DIVIDE MSR_OF(0x3e0)
#define APIC_SELF_IPI MSR_OF(0x3f0)

/* Version 0x14, six LVT entries: timer, thermal, performance, LINT0, LINT1, error. */
#define LVT_COUNT 6u
#define VERSION (0x14u | (LVT_COUNT - 1) << 16)
#define LVT_MASKED BIT(16)
#define ESR_SEND_ILLEGAL BIT(5)
/* Errors since the last write of ESR wait in its upper half until that write latches them. */
#define ESR_LATCH 16

/* Writable bits of the LVT entries (SDM 3, figure 11-8); delivery status is read-only 0. */
static const uint32_t lvt_bits[LVT_COUNT] = { 0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff };

/* ICR fields. */
enum delivery { FIXED = 0, NMI = 4, INIT = 5, STARTUP = 6 };
#define ICR_LOGICAL BIT(11)
#define ICR_BUSY BIT(12)         /* gone in x2APIC mode; written as 0 by all, ignored */
#define ICR_ASSERT BIT(14)
#define ICR_LEVEL BIT(15)
#define ICR_RESERVED 0xfff32000u
enum shorthand { SHORT_NONE, SHORT_SELF, SHORT_ALL, SHORT_OTHERS };
#define BROADCAST 0xffffffffu

static void bit_set(uint32_t map[8], uint32_t n) { map[n / 32] |= BIT(n % 32); }
static void bit_clear(uint32_t map[8], uint32_t n) { map[n / 32] &= ~BIT(n % 32); }

/* The highest bit set, or -1. */
static int bit_highest(const uint32_t map[8])
{
	for (int i = 7; i >= 0; i--)
		if (map[i])
			return i * 32 + 31 - __builtin_clz(map[i]);
	return -1;
}

void lapic_reset(struct vcpu *v)
{
	uint64_t base = v->lapic.base;

	memset(&v->lapic, 0, sizeof(v->lapic));
	v->lapic.base = base;
	v->lapic.svr = 0xff;
	for (uint32_t i = 0; i < LVT_COUNT; i++)
		v->lapic.lvt[i] = LVT_MASKED;
}

uint32_t lapic_ppr(const struct vcpu *v)
{
	int serving = bit_highest(v->lapic.isr);
	uint32_t class = serving < 0 ? 0 : (uint32_t)serving & 0xf0;

	return (v->lapic.tpr & 0xf0) >= class ? v->lapic.tpr : class;
}

int lapic_pending(const struct vcpu *v)
{
	int vector = bit_highest(v->lapic.irr);

	return vector >= 0 && ((uint32_t)vector & 0xf0) > (lapic_ppr(v) & 0xf0) ? vector : -1;
}

void lapic_accept(struct vcpu *v, uint8_t vector)
{
	bit_clear(v->lapic.irr, vector);
	bit_set(v->lapic.isr, vector);
}

/* A priority went down or a vector came: if one can be taken now, see to it. */
static void look(struct vcpu *v)
{
	if (lapic_pending(v) >= 0)
		vcpu_kick(v);
}

void lapic_request(struct vcpu *v, uint8_t vector)
{
	if (!(v->lapic.svr & APIC_SVR_ENABLE) || vector < 16)
		return;
	bit_set(v->lapic.irr, vector);
	bit_clear(v->lapic.tmr, vector);      /* IPIs are edge-triggered */
}

void lapic_raise(struct vcpu *v, uint8_t vector)
{
	lapic_request(v, vector);
	look(v);
}

bool lapic_set_cr8(struct vcpu *v, uint64_t value)
{
	if (value > 15)
		return false;
	v->lapic.tpr = (uint32_t)value << 4;
	look(v);
	return true;
}

static uint32_t logical_id(const struct vcpu *v)
{
	return v->number >> 4 << 16 | BIT(v->number & 15);
}

static bool is_destination(const struct vcpu *from, const struct vcpu *to, uint64_t icr)
{
	uint32_t destination = (uint32_t)(icr >> 32);

	switch (icr >> 18 & 3) {
	case SHORT_SELF:
		return to == from;
	case SHORT_ALL:
		return true;
	case SHORT_OTHERS:
		return to != from;
	}
	if (destination == BROADCAST)
		return true;
	if (icr & ICR_LOGICAL)
		return destination >> 16 == logical_id(to) >> 16 && destination & logical_id(to) & 0xffff;
	return destination == to->number;
}

static void send(struct vcpu *to, uint32_t mode, uint8_t vector)
{
	switch (mode) {
	case FIXED:
		lapic_raise(to, vector);
		break;
	case NMI:
		to->nmi_raised = true;
		vcpu_kick(to);
		break;
	case INIT:
		vcpu_reset_wait_sipi(to);
		break;
	case STARTUP:
		vcpu_start_sipi(to, vector);
		break;
	}
}

static bool write_icr(struct vcpu *v, uint64_t value)
{
	uint32_t low = (uint32_t)value, mode = low >> 8 & 7, shorthand = low >> 18 & 3;
	uint8_t vector = (uint8_t)low;
	struct domain *d = v->domain;

	if (low & ICR_RESERVED)
		return false;
	if (mode != FIXED && mode != NMI && mode != INIT && mode != STARTUP)
		return false;                 /* lowest priority, SMI, reserved */
	if (mode != FIXED && (shorthand == SHORT_SELF || shorthand == SHORT_ALL))
		return false;                 /* SDM 3, table 11-4: invalid */
	v->lapic.icr = value & ~(uint64_t)ICR_BUSY;
	if (mode == INIT && low & ICR_LEVEL && !(low & ICR_ASSERT))
		return true;                  /* INIT level de-assert: nothing since the Pentium 4 */
	if (mode == FIXED && vector < 16) {
		v->lapic.esr |= ESR_SEND_ILLEGAL << ESR_LATCH;
		return true;
	}
	for (uint32_t i = 0; i < d->vcpu_count; i++)
		if (d->vcpus[i] && is_destination(v, d->vcpus[i], value))
			send(d->vcpus[i], mode, vector);
	return true;
}

static bool write_svr(struct vcpu *v, uint64_t value)
{
	if (value & ~0x3ffull)
		return false;
	v->lapic.svr = (uint32_t)value;
	if (!(value & APIC_SVR_ENABLE))
		for (uint32_t i = 0; i < LVT_COUNT; i++)
			v->lapic.lvt[i] |= LVT_MASKED;
	return true;
}

static bool write_lvt(struct vcpu *v, uint32_t n, uint64_t value)
{
	if (value & ~(uint64_t)(lvt_bits[n] | BIT(12)))
		return false;
	v->lapic.lvt[n] = (uint32_t)value & lvt_bits[n];
	if (!(v->lapic.svr & APIC_SVR_ENABLE))
		v->lapic.lvt[n] |= LVT_MASKED;
	return true;
}

bool lapic_read(struct vcpu *v, uint32_t index, uint64_t *value)
{
	const struct lapic *l = &v->lapic;

	switch (index) {
	case APIC_ID: *value = v->number; return true;
	case APIC_VERSION: *value = VERSION; return true;
	case APIC_TPR: *value = l->tpr; return true;
	case APIC_PPR: *value = lapic_ppr(v); return true;
	case APIC_LDR: *value = logical_id(v); return true;
	case APIC_SVR: *value = l->svr; return true;
	case APIC_ISR ... APIC_ISR + 7: *value = l->isr[index - APIC_ISR]; return true;
	case APIC_TMR ... APIC_TMR + 7: *value = l->tmr[index - APIC_TMR]; return true;
	case APIC_IRR ... APIC_IRR + 7: *value = l->irr[index - APIC_IRR]; return true;
	case APIC_ESR: *value = l->esr & 0xff; return true;
	case APIC_ICR: *value = l->icr; return true;
	case APIC_LVT ... APIC_LVT + LVT_COUNT - 1: *value = l->lvt[index - APIC_LVT]; return true;
	case APIC_TIMER_INITIAL: *value = l->timer_initial; return true;
	case APIC_TIMER_CURRENT: *value = 0; return true;
	case APIC_TIMER_DIVIDE: *value = l->timer_divide; return true;
	}
	return false;                         /* write-only or nothing there */
}

bool lapic_write(struct vcpu *v, uint32_t index, uint64_t value)
{
	struct lapic *l = &v->lapic;
	int serving;

	if (index != APIC_ICR && value >> 32)
		return false;
	switch (index) {
	case APIC_TPR:
		if (value & ~0xffull)
			return false;
		l->tpr = (uint32_t)value;
		look(v);
		return true;
	case APIC_EOI:
		if (value)
			return false;
		serving = bit_highest(l->isr);
		if (serving >= 0)
			bit_clear(l->isr, (uint32_t)serving);
		look(v);
		return true;
	case APIC_SVR:
		return write_svr(v, value);
	case APIC_ESR:
		if (value)
			return false;
		l->esr >>= ESR_LATCH;
		return true;
	case APIC_ICR:
		return write_icr(v, value);
	case APIC_LVT ... APIC_LVT + LVT_COUNT - 1:
		return write_lvt(v, index - APIC_LVT, value);
	case APIC_TIMER_INITIAL:
		l->timer_initial = (uint32_t)value;
		return true;
	case APIC_TIMER_DIVIDE:
		if (value & ~0xbull)
			return false;
		l->timer_divide = (uint32_t)value;
		return true;
	case APIC_SELF_IPI:
		if (value & ~0xffull)
			return false;
		if (value < 16)
			l->esr |= ESR_SEND_ILLEGAL << ESR_LATCH;
		else
			lapic_raise(v, (uint8_t)value);
		return true;
	}
	return false;                         /* read-only or nothing there */
}
