/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domains as the nucleus knows them, and who gets which memory: the gate calls
 * nuc_domain_*, nuc_memory_* and nuc_share_*. All arguments are those of a core
 * that may be hostile.
 */
#pragma once

#include "nucleus.h"
#include "stage2.h"

enum nuc_domain_state {
	NUC_DOMAIN_NONE,
	NUC_DOMAIN_LIVE,
	NUC_DOMAIN_DYING,             /* no vCPU may run; its tables lead nowhere that counts */
};

struct nuc_domain {
	uint8_t state;                /* enum nuc_domain_state */
	bool ran;                     /* a vCPU has been entered: no more loading */
	struct stage2 stage2;
	uint64_t sweep;               /* DYING: the next frame to look at */
	uint64_t share_gfn[SHARE_SLOTS];  /* where the slot's page is mapped, or WHERE_NONE */

	/* These outlive the domain: the core keeps the page and the next domain gets it. */
	uint64_t share_mfn[SHARE_SLOTS];  /* valid if share_page is */
	void *share_page[SHARE_SLOTS];    /* the core's address, or NULL */
};

extern struct nuc_domain nuc_domains[DOMAINS_MAX];

/* The live domain with this id, or NULL. Nucleus lock held. */
/*@ terminates \true; exits \false; assigns \nothing;
    ensures domain < DOMAINS_MAX && nuc_domains[domain].state == NUC_DOMAIN_LIVE ==>
          \result == &nuc_domains[domain];
    ensures !(domain < DOMAINS_MAX && nuc_domains[domain].state == NUC_DOMAIN_LIVE) ==> \result == \null; */
static inline struct nuc_domain *nuc_domain_find(uint32_t domain)
{
	return domain < DOMAINS_MAX && nuc_domains[domain].state == NUC_DOMAIN_LIVE ? &nuc_domains[domain] : NULL;
}

/*
 * Pins the RAM at gfn, so that it cannot be taken away, until memory_unpin.
 * -ESRCH, -ENOENT (no RAM of its own there). Nucleus lock held.
 */
MUST_USE int memory_pin(uint32_t domain, gfn_t gfn, mfn_t *mfn);
void memory_unpin(mfn_t mfn);
