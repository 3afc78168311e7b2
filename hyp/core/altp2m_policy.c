/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy table of altp2m, with its audit.
 *
 * The audit asks of each sub-op what the guest's own kernel could gain if it is
 * hostile, and what its user code could gain. What holds for all of them, and is
 * not repeated in the rows:
 *  - A view leads only to frames of its own domain (frame rule 1, kept by the
 *    nucleus, which doesn't believe the core). So the worst that a guest can do
 *    with its views, it does to itself.
 *  - Sub-ops are hypercalls: CPL 0 only. User code has but VMFUNC, where it is on.
 *  - Tables come from the domain's own budget, events go to the caller's own ports.
 *  - The time of one call is bounded; see docs/altp2m.md.
 */
#include "altp2m_policy.h"
#include "string.h"

const char *const altp2m_reasons[ALTP2M_REASONS] = {
	[ALTP2M_BY_CONTROL] = "the control domain arranges every domain's views",
	[ALTP2M_BY_ITSELF] = "mixed: the guest has its views in its own hands; see the audit",
	[ALTP2M_BY_ITSELF_LIMITED] =
		"limited: the views are the agent's, the guest only says where its #VE page lies",
	[ALTP2M_NOT_IN_DISABLED] = "disabled: this domain has no views, whoever asks",
	[ALTP2M_NOT_IN_EXTERNAL] = "external: the views watch or confine this guest, so they are not its own",
	[ALTP2M_NOT_IN_LIMITED] = "limited: the views are the agent's",
	[ALTP2M_NOT_YOURS] = "a domain has no right over the views of another",
	[ALTP2M_NOT_NARROWING] = "policy narrow: a guest may look and give up, never gain",
};

#define CONTROL ALTP2M_BY_CONTROL, ALTP2M_NOT_YOURS

/* Cells in the order disabled, mixed, external, limited; each: self, control, other. */
#define CELLS(mixed, limited)                                                                                \
	{                                                                                                    \
		[PACK_ALTP2M_DISABLED] = { ALTP2M_NOT_IN_DISABLED, ALTP2M_NOT_IN_DISABLED,                   \
					   ALTP2M_NOT_IN_DISABLED },                                         \
		[PACK_ALTP2M_MIXED] = { mixed, CONTROL },                                                    \
		[PACK_ALTP2M_EXTERNAL] = { ALTP2M_NOT_IN_EXTERNAL, CONTROL },                                \
		[PACK_ALTP2M_LIMITED] = { limited, CONTROL },                                                \
	}
#define IN_MIXED CELLS(ALTP2M_BY_ITSELF, ALTP2M_NOT_IN_LIMITED)
#define IN_MIXED_AND_LIMITED CELLS(ALTP2M_BY_ITSELF, ALTP2M_BY_ITSELF_LIMITED)

const struct altp2m_rule altp2m_rules[ALTP2M_OPS] = {
	{ "get_domain_state", ALTP2M_get_domain_state, ALTP2M_READS, IN_MIXED,
	  "learns whether views are on, which it can find out by trying",
	  "nothing: a hypercall",
	  "one bit about oneself" },
	{ "set_domain_state", ALTP2M_set_domain_state, ALTP2M_CHANGES, IN_MIXED,
	  "off drops every view and restriction that it or the control domain has made, and puts all vCPUs "
	  "into the base",
	  "nothing: a hypercall; with views off VMFUNC is #UD",
	  "in mode mixed restrictions bind only a kernel that wants them; where they must hold against the "
	  "kernel, the mode is external" },
	{ "vcpu_enable_notify", ALTP2M_vcpu_enable_notify, ALTP2M_CHANGES, IN_MIXED_AND_LIMITED,
	  "names the page that the CPU writes #VE information to: RAM of its own that no view remaps or "
	  "restricts, so nothing gets written that it couldn't write; the page is pinned meanwhile",
	  "VMFUNC, legal at every CPL: user code can go into each view that the window shows. A view is no "
	  "boundary against user code unless the code at every address mapped there expects that",
	  "the guest chooses to have VMFUNC; what its window shows is the boundary, and a violation after a "
	  "stray VMFUNC kills the process, not the guest" },
	{ "create_p2m", ALTP2M_create_p2m, ALTP2M_CHANGES, IN_MIXED,
	  "up to 2,047 views, and page tables as they are changed, from the domain's own budget",
	  "a new slot of the window, where nothing is mapped that the base doesn't map",
	  "costs nobody else anything: a spent budget is an error to the caller" },
	{ "destroy_p2m", ALTP2M_destroy_p2m, ALTP2M_NARROWS, IN_MIXED,
	  "removes restrictions that no vCPU is under at the time; frames of tables come back to its budget",
	  "nothing: a slot of the window that shows nothing raises #UD",
	  "a view that any vCPU is in, by VMFUNC too, stays" },
	{ "switch_p2m", ALTP2M_switch_p2m, ALTP2M_CHANGES, IN_MIXED,
	  "moves all its vCPUs at once, also out of a restriction; into a view without its own code it stops "
	  "itself",
	  "nothing: a hypercall",
	  "a guest that can switch is not held by its views: mode external is for that" },
	{ "set_mem_access", ALTP2M_set_mem_access, ALTP2M_CHANGES, IN_MIXED,
	  "gives back access that another part of it, or the control domain, took away, in the base too",
	  "nothing: a hypercall; what a page allows to user code is the AND of the guest's own page tables "
	  "and the view",
	  "a right can't be more than RAM of its own allows: shared and pinned pages keep their rules" },
	{ "change_gfn", ALTP2M_change_gfn, ALTP2M_CHANGES, IN_MIXED,
	  "shows any page of its own at any of its addresses: two names for one page, other code than others "
	  "read. Never a page that isn't its own; when the page goes, the remap goes in the same call",
	  "what the kernel put there, if the window shows the view",
	  "its page tables let a kernel do as much, but for physical addresses; it deceives only itself" },
	{ "set_mem_access_multi", ALTP2M_set_mem_access_multi, ALTP2M_CHANGES, IN_MIXED,
	  "as set_mem_access; keeps its CPU busy for 65,536 entries at most",
	  "nothing: a hypercall",
	  "as set_mem_access; other CPUs get the lock after every 512 entries" },
	{ "set_suppress_ve", ALTP2M_set_suppress_ve, ALTP2M_CHANGES, IN_MIXED,
	  "decides which violations it handles itself by #VE, hiding them from the control domain",
	  "nothing: #VE is delivered to the kernel's handler",
	  "what is reached stays, who hears of a violation changes: in mode mixed the guest's affair" },
	{ "get_suppress_ve", ALTP2M_get_suppress_ve, ALTP2M_READS, IN_MIXED,
	  "learns which pages another agent watches",
	  "nothing: a hypercall",
	  "in mode mixed nothing is hidden from the guest" },
	{ "get_mem_access", ALTP2M_get_mem_access, ALTP2M_READS, IN_MIXED,
	  "learns which pages are restricted, which it can find out by trying",
	  "nothing: a hypercall",
	  "in mode mixed nothing is hidden from the guest" },
	{ "vcpu_disable_notify", ALTP2M_vcpu_disable_notify, ALTP2M_NARROWS, IN_MIXED,
	  "switches VMFUNC and #VE off for a vCPU of its own, leaving it in the view it is in",
	  "nothing: it loses VMFUNC",
	  "takes reach away only. Denied in mode limited, as in Xen: the agent relies on #VE" },
	{ "get_p2m_idx", ALTP2M_get_p2m_idx, ALTP2M_READS, IN_MIXED,
	  "learns which view a vCPU of its own is in",
	  "nothing: a hypercall",
	  "in mode mixed nothing is hidden from the guest" },
	{ "set_suppress_ve_multi", ALTP2M_set_suppress_ve_multi, ALTP2M_CHANGES, IN_MIXED,
	  "as set_suppress_ve; keeps its CPU busy for 65,536 entries at most",
	  "nothing: a hypercall",
	  "as set_suppress_ve" },
	{ "set_visibility", ALTP2M_set_visibility, ALTP2M_CHANGES, IN_MIXED,
	  "opens or closes slots of its own VMFUNC windows",
	  "VMFUNC into a view that the kernel shows again",
	  "only views that exist already, and only for itself" },
	{ "list_views", ALTP2M_list_views, ALTP2M_READS, IN_MIXED,
	  "learns numbers and sizes of views, also of those that the control domain made",
	  "nothing: a hypercall",
	  "in mode mixed nothing is hidden from the guest; frame numbers of the machine are not told" },
	{ "get_entry", ALTP2M_get_entry, ALTP2M_READS, IN_MIXED,
	  "learns what another agent has set for a page, in its own guest-physical numbers",
	  "nothing: a hypercall",
	  "in mode mixed nothing is hidden from the guest; the level of an entry tells how far superpages "
	  "were split, and that is its own memory" },
	{ "switch_vcpu", ALTP2M_switch_vcpu, ALTP2M_CHANGES, IN_MIXED,
	  "as switch_p2m, for one vCPU of its own",
	  "nothing: a hypercall",
	  "as switch_p2m" },
	{ "set_window", ALTP2M_set_window, ALTP2M_CHANGES, IN_MIXED,
	  "arranges the VMFUNC slots of a vCPU of its own; hidden views can't be put there",
	  "VMFUNC into what the kernel has put there",
	  "as set_visibility, by vCPU: the means to give one process fewer views than another" },
	{ "set_default_access", ALTP2M_set_default_access, ALTP2M_CHANGES, IN_MIXED,
	  "widens or narrows all of a view that is not set page by page, never beyond the base",
	  "nothing: a hypercall",
	  "as set_mem_access, in one step" },
	{ "create_empty", ALTP2M_create_empty, ALTP2M_NARROWS, IN_MIXED,
	  "a view in which nothing is mapped; as create_p2m for cost",
	  "a slot of the window where every access is a violation",
	  "the least that a new view can show" },
	{ "split_remap", ALTP2M_split_remap, ALTP2M_CHANGES, IN_MIXED,
	  "executes one page of its own where it reads another",
	  "what the kernel put there, if the window shows the view",
	  "as change_gfn with set_step; a read of such a page costs the guest its own time, no one else's" },
	{ "set_step", ALTP2M_set_step, ALTP2M_CHANGES, IN_MIXED,
	  "lets one instruction at a time see another view of its own after a violation; that instruction "
	  "runs on its own time slice",
	  "one instruction in the other view for each violation that it causes: the kernel must not step "
	  "into a view where a single store of user code does harm",
	  "only views that it could switch to as well" },
	{ "get_generation", ALTP2M_get_generation, ALTP2M_READS, IN_MIXED,
	  "learns how many remaps have lost their page",
	  "nothing: a hypercall",
	  "its own ballooning is the only cause" },
	{ "bind_invalidation", ALTP2M_bind_invalidation, ALTP2M_READS, IN_MIXED,
	  "an event on a port of its own whenever a remap is lost",
	  "nothing: a hypercall",
	  "raises no port but the caller's; the control domain has a port of its own for the same" },
};

static enum altp2m_reason decide_xen(uint32_t row, uint32_t mode, enum altp2m_caller caller)
{
	return altp2m_rules[row].cell[mode][caller];
}

static enum altp2m_reason decide_narrow(uint32_t row, uint32_t mode, enum altp2m_caller caller)
{
	enum altp2m_reason xen = decide_xen(row, mode, caller);

	if (caller == ALTP2M_SELF && xen < ALTP2M_DENIED && altp2m_rules[row].kind == ALTP2M_CHANGES)
		return ALTP2M_NOT_NARROWING;
	return xen;
}

const struct altp2m_policy altp2m_policies[] = {
	{ "xen", "Xen 4.17's rules for its sixteen sub-ops, and the same lines drawn for the others",
	  decide_xen },
	{ "narrow", "as `xen`, but a guest itself may use only what reads, and what can but take reach away",
	  decide_narrow },
};
const size_t altp2m_policy_count = ARRAY_SIZE(altp2m_policies);

const struct altp2m_policy *altp2m_policy_find(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(altp2m_policies); i++) {
		const struct altp2m_policy *p = &altp2m_policies[i];

		if (strlen(p->name) == length && !memcmp(p->name, name, length))
			return p;
	}
	return NULL;
}
