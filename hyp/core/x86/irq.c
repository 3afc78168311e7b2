/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can interrupt a vCPU, in which order it is posted, and how INIT and SIPI
 * take a vCPU down and up again.
 *
 * A vector counts as in service from the moment it is posted, not when the guest
 * takes it; nothing can come in between, for one vector is posted at a time.
 */
#include "x86.h"

#define PARAM_CALLBACK 0u        /* HVM_PARAM_CALLBACK_IRQ */
#define CALLBACK_VECTOR 2u       /* its type, in bits 63:56: a vector */

void arch_init(const struct boot_info *info)
{
	cpuid_init(info->tsc_khz);
}

void arch_vcpu_init(struct vcpu *v)
{
	v->lapic.base = APIC_BASE_X2APIC | (v->number == 0 ? APIC_BASE_BSP : 0);
	lapic_reset(v);
	v->nmi_raised = false;
	v->wait_sipi = v->number != 0;
	v->stopping = false;
	v->sipi_pending = false;
	if (v->number == 0)
		memory_faults[v->domain->id] = 0;
}

/* The domain-wide callback vector, 0 when none is set. */
static uint8_t domain_callback(const struct domain *d)
{
	uint64_t param = d->params[PARAM_CALLBACK];

	return param >> 56 == CALLBACK_VECTOR ? (uint8_t)param : 0;
}

/* The vector by which an upcall waits to be told to v, or 0. */
static uint8_t callback_waiting(const struct vcpu *v)
{
	uint8_t vector = v->callback_vector ? v->callback_vector : domain_callback(v->domain);

	return vector && v->callback_raised && evtchn_upcall_pending((struct vcpu *)v) ? vector : 0;
}

bool arch_vcpu_irq_pending(const struct vcpu *v)
{
	if (v->wait_sipi)
		return false;
	if (v->nmi_raised)
		return true;
	return !v->halted_irqs_off && (callback_waiting(v) || lapic_pending(v) >= 0);
}

void arch_vcpu_deliver(struct vcpu *v)
{
	uint8_t callback;
	int vector;

	if (v->wait_sipi)
		return;
	if (v->nmi_raised) {
		v->nmi_raised = false;
		v->halted_irqs_off = false;
		nuc_vcpu_nmi(v->handle);
	}
	callback = callback_waiting(v);
	if (callback && v->callback_vector) {
		/* A per-vCPU vector is an APIC interrupt, with priority and EOI. */
		v->callback_raised = false;
		lapic_request(v, callback);
	} else if (callback) {
		if (nuc_vcpu_interrupt(v->handle, callback))
			return;
		v->callback_raised = false;
	}
	vector = lapic_pending(v);
	if (vector >= 0 && nuc_vcpu_interrupt(v->handle, (uint8_t)vector) == 0)
		lapic_accept(v, (uint8_t)vector);
}

void vcpu_reset_wait_sipi(struct vcpu *v)
{
	if (v->state == VCPU_DEAD)
		return;
	lapic_reset(v);
	v->nmi_raised = false;
	v->sipi_pending = false;
	v->wait_sipi = true;
	if (v->state != VCPU_DOWN)
		vcpu_stop(v);
}

void vcpu_start_sipi(struct vcpu *v, uint8_t page)
{
	if (!v->wait_sipi || v->state == VCPU_DEAD)
		return;
	if (v->stopping || v->state != VCPU_DOWN) {
		v->sipi_pending = true;       /* INIT hasn't finished on the CPU where it ran */
		v->sipi_page = page;
		return;
	}
	v->sipi_pending = false;
	if (nuc_vcpu_start(v->handle, START_SIPI, page, 0)) {
		domain_crash(v->domain, "vcpu%u: SIPI to page 0x%x failed", v->number, page);
		return;
	}
	v->wait_sipi = false;
	v->halted_irqs_off = false;
	vcpu_wake(v);
}

void arch_vcpu_stopped(struct vcpu *v)
{
	if (v->sipi_pending)
		vcpu_start_sipi(v, v->sipi_page);
	else
		domain_check_halted(v->domain);
}
