/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sizes of the static tables. One place, so that the proofs, the host
 * builds and the machine agree on them or override them together.
 */
#pragma once

#ifndef CPUS_MAX
#define CPUS_MAX 16u             /* physical CPUs */
#endif
#ifndef DOMAINS_MAX
#define DOMAINS_MAX 16u          /* domains, ids 0 .. DOMAINS_MAX - 1 */
#endif
#ifndef DOMAIN_VCPUS_MAX
#define DOMAIN_VCPUS_MAX 16u     /* vCPUs of one domain */
#endif

/* A vCPU is named by one number, domain * DOMAIN_VCPUS_MAX + number in it. */
#define VCPUS_MAX (DOMAINS_MAX * DOMAIN_VCPUS_MAX)
#define VCPU_NONE 0xffffffffu    /* "no vCPU": this CPU idles */
#define DOMAIN_NONE 0xffffu      /* "no domain" in owner fields */
