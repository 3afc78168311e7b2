/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the nucleus tells the core about a VM exit, and what the core answers.
 *
 * The nucleus decodes; the core sees only what the exit needs, never the
 * register file. Hypercalls don't come this way (core_hypercall in core.h),
 * nor do host interrupts and timers (core_event).
 */
#pragma once

#include "types.h"

enum exit_kind {
	EXIT_CPUID,       /* in: cpuid.leaf, .subleaf; out: .eax .. .edx */
	EXIT_RDMSR,       /* in: msr.index; out: msr.value */
	EXIT_WRMSR,       /* in: msr.index, msr.value */
	EXIT_IO,          /* in: io.*; out for an IN: io.value */
	EXIT_HLT,         /* in: hlt.irqs_on; not sent while a posted interrupt or NMI ends the HLT at once */
	EXIT_IRQ_WINDOW,  /* the posted interrupt went in; another may be posted */
	EXIT_MEMORY,      /* in: memory.* : an access that the vCPU's view does not allow, or to no memory */
	EXIT_CR8,         /* in: cr8.write, .value; out for a read: cr8.value */
	EXIT_TRIPLE,      /* triple fault */
	EXIT_PAUSE,       /* a PAUSE loop: the vCPU spins */
	EXIT_CACHE,       /* INVD or WBINVD */
	EXIT_UNKNOWN,     /* no row: in: unknown.* */
	EXIT_KINDS
};

/* Zero, that is anything forgotten, stops the guest. */
enum verdict {
	VERDICT_STOP = 0, /* the vCPU must not run again; the core has chosen another */
	VERDICT_RESUME,   /* go on at the same instruction, with the event that was being delivered, if any */
	VERDICT_SKIP,     /* outputs are written back, go on after the instruction */
	VERDICT_GP,       /* inject #GP(0) at the instruction */
	VERDICT_UD,       /* inject #UD at the instruction */
};

struct exit {
	uint32_t kind;    /* enum exit_kind */
	uint32_t vcpu;    /* handle of the vCPU that exited */
	uint32_t verdict; /* enum verdict, set by the core; the nucleus presets STOP */
	union {
		struct { uint32_t leaf, subleaf, eax, ebx, ecx, edx; } cpuid;
		struct { uint32_t index; uint64_t value; } msr;
		struct {
			uint16_t port;
			uint8_t size;    /* 1, 2 or 4 bytes */
			bool in;         /* IN, else OUT */
			bool string;     /* INS/OUTS; value is meaningless then */
			uint32_t value;
		} io;
		struct { bool irqs_on; } hlt;
		struct {
			uint64_t gpa;
			uint64_t gva;        /* valid if gva_valid */
			uint64_t rip;
			bool read, write, fetch;
			bool gva_valid;
			bool delivering;     /* during delivery of an event: no fault can be injected */
			bool mapped;         /* something is there, with rights that don't suffice */
			bool functions;      /* VMFUNC is on for the vCPU */
			uint8_t access;      /* mapped: what the view grants, 0 .. 9 as in nuc_view_entry */
			uint16_t view;       /* in which it happened */
		} memory;
		struct { uint64_t value; bool write; } cr8;
		struct { uint64_t rip; } triple;
		struct {
			uint64_t rip, qualification;
			uint32_t reason;     /* the hardware's basic exit reason; bit 31: VM entry failed */
			uint32_t detail;     /* exception vector or VM-instruction error, else 0 */
		} unknown;
	};
};
