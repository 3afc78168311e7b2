/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what with views: one constant table, sub-op by mode by caller. The
 * dispatcher of altp2m.c reads nothing else, and docs/altp2m.md prints it.
 */
#pragma once

#include "altp2m_abi.h"
#include "manifest.h"
#include "types.h"

/*
 * Rows are numbered 0 .. ALTP2M_OPS - 1: sub-op n of Xen's sixteen is row n - 1,
 * and sub-op 64 + n is row 16 + n. The bit of a row withdraws the sub-op in
 * pack_domain.capabilities.
 */
#define ALTP2M_XEN_OPS 16u
#define ALTP2M_OWN_OPS 10u
#define ALTP2M_OPS (ALTP2M_XEN_OPS + ALTP2M_OWN_OPS)
#define ALTP2M_OWN_FIRST 64u
#define ALTP2M_MODES 4u           /* enum pack_altp2m */

/* The row of a sub-op; ALTP2M_OPS or more: there is none. */
static inline uint32_t altp2m_row(uint32_t cmd)
{
	if (cmd - 1 < ALTP2M_XEN_OPS)
		return cmd - 1;
	return cmd - ALTP2M_OWN_FIRST < ALTP2M_OWN_OPS ? cmd - ALTP2M_OWN_FIRST + ALTP2M_XEN_OPS : ALTP2M_OPS;
}

enum altp2m_caller {
	ALTP2M_SELF,              /* the domain whose views they are, unless it is the control domain */
	ALTP2M_CONTROL,           /* the control domain, whichever domain it means */
	ALTP2M_OTHER,
	ALTP2M_CALLERS
};

/* What a sub-op can do to what the guest reaches. */
enum altp2m_kind {
	ALTP2M_READS,             /* changes nothing of it */
	ALTP2M_NARROWS,           /* can only take reach away, never give any */
	ALTP2M_CHANGES,           /* can give reach that is not there now */
};

/* Why a cell is as it is. Those from ALTP2M_DENIED on deny. */
enum altp2m_reason {
	ALTP2M_BY_CONTROL,
	ALTP2M_BY_ITSELF,
	ALTP2M_BY_ITSELF_LIMITED,
	ALTP2M_DENIED,
	ALTP2M_NOT_IN_DISABLED = ALTP2M_DENIED,
	ALTP2M_NOT_IN_EXTERNAL,
	ALTP2M_NOT_IN_LIMITED,
	ALTP2M_NOT_YOURS,
	ALTP2M_NOT_NARROWING,     /* policy `narrow` */
	ALTP2M_REASONS
};
extern const char *const altp2m_reasons[ALTP2M_REASONS];

struct altp2m_rule {
	const char *name;
	uint8_t cmd, kind;        /* enum altp2m_kind */
	uint8_t cell[ALTP2M_MODES][ALTP2M_CALLERS]; /* enum altp2m_reason */
	/* The audit of its use by the guest itself. */
	const char *kernel;       /* what a hostile kernel of the guest could gain by it */
	const char *user;         /* what code at the guest's CPL 3 could gain from it */
	const char *judgement;    /* hence: why the guest itself may in mode mixed */
};
extern const struct altp2m_rule altp2m_rules[ALTP2M_OPS];

/*
 * A policy decides each call by row, mode and caller; its answer is one of the
 * reasons, and there is no other way to allow anything. It must be a function of
 * its arguments alone, so that the documentation can print all that it says.
 */
struct altp2m_policy {
	const char *name, *what;
	enum altp2m_reason (*decide)(uint32_t row, uint32_t mode, enum altp2m_caller caller);
};
/* The first is the default. */
extern const struct altp2m_policy altp2m_policies[];
extern const size_t altp2m_policy_count;
/* The policy whose name these `length` bytes are, or NULL. */
const struct altp2m_policy *altp2m_policy_find(const char *name, size_t length);
