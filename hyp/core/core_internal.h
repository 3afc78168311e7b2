/* SPDX-License-Identifier: Apache-2.0 */
/* What the neutral files of the core share with one another and nobody else. */
#pragma once

#include "altp2m_policy.h"
#include "core.h"
#include "domain.h"
#include "nucleus.h"
#include "string.h"
#include "xen_abi.h"

#include <stdarg.h>

/* Errors that only hypercall results use. */
#define CORE_EINTR 4
#define CORE_ENODATA 61
#define CORE_ETIME 62

#define NEVER (~0ull)

/* The words of the hypervisor's command line: main.c. */
struct options {
	bool audit;       /* walk everything after each domain's start and end, not only at the very end */
	bool crash_ok;    /* a crashed domain doesn't make the machine's exit status 1 */
	bool no_prefix;   /* guest output without "[name] " */
	bool reboot_off;  /* a guest's reboot is its power-off */
	bool stats;               /* count exits and hypercalls; printed at the end */
	bool altp2m_off;  /* no domain has views */
	const struct altp2m_policy *altp2m_policy;
	char text[256];   /* as given, for XENVER_commandline */
};
extern struct options options;
#define OPTION_POLICY "altp2m-policy="
/* The first word of `text` that isn't known, copied to `bad` (cut at size), or NULL. */
const char *options_parse(struct options *o, const char *text, char *bad, size_t size);

/* boot_info.free_bytes, in pages. */
extern uint64_t boot_free_pages;

/*
 * Takes the core lock for a hypercall; the calling vCPU, or NULL (lock not held)
 * when its domain ended in the meantime: return at once, nothing will read it.
 */
struct vcpu *hypercall_begin(void);

/*
 * The domain a hypercall names, with Xen's rights: the caller's own always,
 * another's for the control domain. -ESRCH, -EPERM. Core lock held.
 */
int domain_target(const struct vcpu *v, uint16_t domid, struct domain **out);
/* HVMOP_altp2m: takes the address of a struct altp2m_op in the guest's memory. */
long altp2m_op(uint64_t arg);
/* Builds all domains of the manifest; the number started. */
uint32_t domains_start(const struct manifest *m);
/* More ended domains wait for domain_reap. */
extern bool reap_pending;
/* Prints nuc_audit's findings; true when every rule holds. */
bool audit_report(bool all_free);
/* The machine is done: audit, then nuc_power_off. */
void machine_done(void);

/* A CPU has come up: others may kick it from now on. */
void sched_cpu_up(struct cpu *cpu);
/* SCHEDOP_poll: sleep until port (0: any), an event, or the TSC reaches deadline. */
void vcpu_poll(struct vcpu *v, uint32_t port, uint64_t deadline);
/* An idle CPU other than this one, if any, runs its tail. */
void sched_kick_idle(void);

/* The word at `offset` of v's vcpu_info, wherever that lies: OR, AND, old value. No info: bits, 0. */
uint64_t vcpu_info_or(struct vcpu *v, uint32_t offset, uint64_t bits);
uint64_t vcpu_info_and(struct vcpu *v, uint32_t offset, uint64_t bits);
void vcpu_info_write(struct vcpu *v, uint32_t offset, const void *from, uint32_t length);
void vcpu_info_read(struct vcpu *v, uint32_t offset, void *to, uint32_t length);
bool evtchn_port_valid(const struct domain *d, uint32_t port);
bool evtchn_port_pending(const struct domain *d, uint32_t port);
/* A port of d whose other end is the core; 0 when none is left. */
uint32_t evtchn_alloc_core(struct domain *d, uint32_t vcpu);

void console_domain_start(struct domain *d);
/* Last words: what is left in the ring and the held line. */
void console_domain_end(struct domain *d);
/* One whole line, from the hypervisor (d NULL) or a domain. */
void console_line(const struct domain *d, const char *text, size_t n);

size_t format_text_v(char *out, size_t size, const char *format, va_list args);

static inline struct shared_info *domain_shared(const struct domain *d)
{
	return d->shared_info;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}
