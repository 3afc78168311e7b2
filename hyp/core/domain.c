/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domains from the manifest to their end: built once at start, taken apart a
 * piece at a time when they end, built again when they ask for a reboot.
 *
 * Guest-physical layout: RAM as arch_memory_layout says, right above it the
 * console ring's page, so that the highest gfn stays small. The guest places
 * shared_info itself.
 */
#include "core_internal.h"
#include "hypercall.h"

#define PAGES_SLACK 256u          /* what a domain may have beyond its RAM: as Xen's toolstack gives */
#define REAP_FRAMES 256u          /* scrubbed under the lock in one go: 1 MiB */
#define NOTES_BURST 8u            /* guest-caused messages before silence */
#define NOTES_PERIOD_MS 4000u
#define TEXT_BYTES 160u

struct domain domains[DOMAINS_MAX];
struct vcpu vcpus[VCPUS_MAX];
bool reap_pending;

static struct manifest manifest;
static const struct pack_domain *packed[DOMAINS_MAX]; /* for a rebuild */
static char endings[DOMAINS_MAX][TEXT_BYTES];         /* why each ended */
static uint32_t failed;           /* domains that crashed or couldn't be started */
static uint32_t bad_audits;       /* audits that found a rule broken */
/* What the audit found; not on the stack, which is small. The core lock guards it. */
static struct audit findings;
static uint64_t reach_at_start;   /* pages the core could reach before the first domain */

/* ---- finding ---------------------------------------------------------------- */

struct domain *domain_find(uint32_t id)
{
	if (id == DOMID_SELF) {
		struct vcpu *v = this_cpu()->current;

		return v ? v->domain : NULL;
	}
	return id < DOMAINS_MAX && domains[id].live ? &domains[id] : NULL;
}

int domain_target(const struct vcpu *v, uint16_t domid, struct domain **target)
{
	struct domain *d = domid == DOMID_SELF ? v->domain : domain_find(domid);

	if (!d || d->dying)
		return -ESRCH;
	if (d != v->domain && !v->domain->control)
		return -EPERM;
	*target = d;
	return 0;
}

/* ---- building --------------------------------------------------------------- */

static int add_memory(struct domain *d)
{
	struct ram_range ram[2];
	uint32_t count = arch_memory_layout(d->memory, ram);

	for (uint32_t i = 0; i < count; i++) {
		int r = nuc_memory_add(d->id, gpa_to_gfn(gpa_of(ram[i].gpa)), ram[i].bytes >> PAGE_SHIFT);

		if (r)
			return r;
		d->pages += ram[i].bytes >> PAGE_SHIFT;
	}
	d->pages_max = d->pages + PAGES_SLACK;
	d->console_gfn = arch_special_gfn(d->memory);
	d->highest_gfn = gfn_of(d->console_gfn.gfn - 1);
	return 0;
}

static int share_pages(struct domain *d)
{
	d->shared_info = nuc_share_page(d->id, SHARE_INFO);
	if (!d->shared_info)
		return -ENOMEM;
	if (d->control) {
		d->console_gfn = gfn_of(0); /* it has console_io */
		return 0;
	}
	d->console_ring = nuc_share_page(d->id, SHARE_CONSOLE);
	if (!d->console_ring)
		return -ENOMEM;
	d->console_port = evtchn_alloc_core(d, 0);
	d->params[HVM_PARAM_CONSOLE_PFN] = d->console_gfn.gfn;
	d->params[HVM_PARAM_CONSOLE_EVTCHN] = d->console_port;
	d->highest_gfn = d->console_gfn;
	return nuc_share_map(d->id, SHARE_CONSOLE, d->console_gfn);
}

static int create_vcpus(struct domain *d, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t handle = d->id * DOMAIN_VCPUS_MAX + i;
		struct vcpu *v = &vcpus[handle];
		int r = nuc_vcpu_create(handle);

		if (r)
			return r;
		memset(v, 0, sizeof(*v));
		v->domain = d;
		v->number = i;
		v->handle = handle;
		v->state = VCPU_DOWN;
		v->timer = v->poll_deadline = NEVER;
		v->runstate = RUNSTATE_offline;
		v->runstate_since = nuc_now();
		d->vcpus[i] = v;
		d->vcpu_count = i + 1;
		arch_vcpu_init(v);
		time_update_vcpu(v);
	}
	return 0;
}

static void describe(struct domain *d, const struct pack_domain *p, uint32_t id)
{
	memset(d, 0, sizeof(*d));
	d->id = id;
	d->control = p->flags & PACK_DOMAIN_CONTROL;
	memcpy(d->name, p->name, sizeof(d->name));
	d->weight = p->weight ? p->weight : 256;
	d->memory = p->memory;
	d->altp2m_mode = p->altp2m_mode;
	d->level = p->level;
	d->capabilities = p->capabilities;
	d->table_budget = p->table_budget;
	d->params[HVM_PARAM_ALTP2M] = p->altp2m_mode;
	evtchn_domain_init(d);
}

/* Undoes a build that failed halfway, or frees what is left of it. */
static void demolish(struct domain *d)
{
	while (nuc_domain_reclaim(d->id, REAP_FRAMES) > 0)
		;
	d->live = false;
}

int domain_build(const struct manifest *m, const struct pack_domain *p, uint32_t id)
{
	struct domain *d = &domains[id];
	const char *step = "creation";
	int r;

	describe(d, p, id);
	r = nuc_domain_create(id, p->table_budget);
	if (r) {
		print("domain %s: not started: creation failed, error %d", d->name, -r);
		return r;
	}
	step = "memory";
	r = add_memory(d);
	if (!r) {
		step = "shared pages";
		r = share_pages(d);
	}
	if (!r) {
		time_update_wallclock(d);
		step = "vCPUs";
		r = create_vcpus(d, p->vcpus);
	}
	if (!r) {
		step = "loading";
		r = arch_domain_load(d, m, p);
	}
	if (r) {
		print("domain %s: not started: %s failed, error %d%s", d->name, step, -r,
		      r == -ENOMEM ? " (out of memory)" : "");
		demolish(d);
		return r;
	}
	packed[id] = p;
	endings[id][0] = 0;
	d->live = true;
	console_domain_start(d);
	vcpu_wake(d->vcpus[0]);
	return 0;
}

static const char *const level_names[] = { "open", "guarded", "fused" };

uint32_t domains_start(const struct manifest *m)
{
	uint32_t next = 1, started = 0, count = m->header->domain_count;

	manifest = *m;
	failed = 0;
	nuc_audit(&findings);
	reach_at_start = findings.core_reach;
	print("%2s  %-16s %5s %9s %6s  %s", "id", "domain", "vcpus", "memory", "weight", "level");
	for (uint32_t i = 0; i < count; i++) {
		const struct pack_domain *p = &m->domains[i];
		bool control = p->flags & PACK_DOMAIN_CONTROL;

		print("%2u  %-16s %5u %5lu MiB %6u  %s%s", control ? 0 : next, p->name, p->vcpus,
		      p->memory >> 20, p->weight,
		      p->level < ARRAY_SIZE(level_names) ? level_names[p->level] : "?",
		      control ? ", control" : "");
		next += !control;
	}
	print("starting %u domain%s", count, count == 1 ? "" : "s");
	/* The control domain is id 0, as tools expect; without one, 0 stays empty. */
	next = 1;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t id = m->domains[i].flags & PACK_DOMAIN_CONTROL ? 0 : next++;

		if (id >= DOMAINS_MAX) {
			print("domain %s: not started: %u domains is the limit", m->domains[i].name,
			      DOMAINS_MAX);
			failed++;
		} else if (domain_build(m, &m->domains[i], id)) {
			failed++;
		} else {
			started++;
		}
	}
	return started;
}

/* ---- ending ----------------------------------------------------------------- */

/* Nothing of it runs again; its memory goes back piece by piece. */
static void end(struct domain *d)
{
	d->dying = true;
	console_domain_end(d);
	for (uint32_t i = 0; i < d->vcpu_count; i++)
		vcpu_kill(d->vcpus[i]);
	evtchn_domain_end(d);
	altp2m_domain_end(d);
	reap_pending = true;
	/* Someone with nothing better to do does the scrubbing; this CPU's next deadline is near, too. */
	sched_kick_idle();
	this_cpu()->work = true;
}

void domain_crash(struct domain *d, const char *format, ...)
{
	va_list args;

	if (d->dying || !d->live)
		return;
	va_start(args, format);
	format_text_v(endings[d->id], sizeof(endings[d->id]), format, args);
	va_end(args);
	d->crashed = true;
	d->shutdown_reason = SHUTDOWN_crash;
	print("domain %s: stopped: %s", d->name, endings[d->id]);
	end(d);
}

static const char *const reasons[] = {
	[SHUTDOWN_poweroff] = "powered off",
	[SHUTDOWN_reboot] = "reboot",
	[SHUTDOWN_suspend] = "suspended, and nothing can resume it",
	[SHUTDOWN_crash] = "it says that it crashed",
	[SHUTDOWN_watchdog] = "its watchdog expired",
	[SHUTDOWN_soft_reset] = "it asked for a soft reset, which isn't offered",
};

void domain_shutdown(struct domain *d, uint32_t reason)
{
	if (d->dying || !d->live)
		return;
	d->shutdown_reason = reason;
	d->crashed = reason != SHUTDOWN_poweroff && reason != SHUTDOWN_reboot && reason != SHUTDOWN_suspend;
	if (reason < ARRAY_SIZE(reasons))
		format_text(endings[d->id], sizeof(endings[d->id]), "%s", reasons[reason]);
	else
		format_text(endings[d->id], sizeof(endings[d->id]), "shutdown reason %u", reason);
	end(d);
}

void domain_check_halted(struct domain *d)
{
	if (d->dying || !d->live)
		return;
	for (uint32_t i = 0; i < d->vcpu_count; i++) {
		const struct vcpu *v = d->vcpus[i];
		bool halted = v->state == VCPU_BLOCKED && v->halted_irqs_off && !v->nmi_raised;

		if (v->state != VCPU_DOWN && !halted)
			return;
	}
	domain_shutdown(d, SHUTDOWN_poweroff);
}

void domain_note(struct domain *d, const char *format, ...)
{
	uint64_t now = nuc_now();
	char text[TEXT_BYTES];
	va_list args;

	if (now - d->notes_since > (uint64_t)time_tsc_khz() * NOTES_PERIOD_MS) {
		d->notes_since = now;
		d->notes = 0;
	}
	if (d->notes++ >= NOTES_BURST)
		return;
	va_start(args, format);
	format_text_v(text, sizeof(text), format, args);
	va_end(args);
	print("domain %s: %s%s", d->name, text,
	      d->notes == NOTES_BURST ? " (more of this is not shown for a while)" : "");
}

/* ---- afterwards ------------------------------------------------------------- */

static bool still_chosen(const struct domain *d)
{
	for (uint32_t i = 0; i < cpu_count; i++) {
		if (cpus[i].current && cpus[i].current->domain == d)
			return true;
	}
	return false;
}

static void gone(struct domain *d)
{
	bool reboot = d->shutdown_reason == SHUTDOWN_reboot && !d->crashed && !options.reboot_off;

	d->live = false;
	failed += d->crashed;
	print("domain %s: %s%s; memory scrubbed and returned: %lu MiB", d->name,
	      d->crashed ? "crashed: " : "", endings[d->id], d->memory >> 20);
	if (options.audit)
		bad_audits += !audit_report(false);
	if (reboot && domain_build(&manifest, packed[d->id], d->id))
		failed++;
}

bool domain_reap(void)
{
	bool more = false, any = false;

	for (uint32_t i = 0; i < DOMAINS_MAX; i++) {
		struct domain *d = &domains[i];

		if (!d->live || !d->dying || more)
			continue;
		/* Its last vCPU hasn't left its CPU yet: the next round. */
		if (still_chosen(d)) {
			more = true;
			continue;
		}
		/* The rules must hold while what it did to its memory can still be seen. */
		if (options.audit && !d->audited)
			bad_audits += !audit_report(false);
		d->audited = true;
		switch (nuc_domain_reclaim(d->id, REAP_FRAMES)) {
		case 1:
		case -EBUSY:
			more = true;
			break;
		default:
			gone(d);
			break;
		}
	}
	for (uint32_t i = 0; i < DOMAINS_MAX; i++) {
		any |= domains[i].live;
		more |= domains[i].live && domains[i].dying;
	}
	reap_pending = more;
	if (!any)
		machine_done();
	return more;
}

/* ---- the end ---------------------------------------------------------------- */

bool audit_report(bool all_free)
{
	const struct audit *a = &findings;
	uint64_t kept, there;
	bool sound = true;

	memset(&findings, 0, sizeof(findings));
	nuc_audit(&findings);
	for (uint32_t i = 1; i < ARRAY_SIZE(a->broken); i++) {
		if (a->broken[i]) {
			print("audit: rule %u broken %lu times", i, a->broken[i]);
			sound = false;
		}
	}
	if (a->writable_code) {
		print("audit: %lu hypervisor pages are writable and executable", a->writable_code);
		sound = false;
	}
	/* Pages once shared with the core stay its own, for the next domain of that number. */
	kept = a->core_reach > reach_at_start ? a->core_reach - reach_at_start : 0;
	there = a->free_frames + kept;
	if (all_free && there < boot_free_pages) {
		print("audit: %lu frames never came back (%lu free, %lu shared with the core, %lu at start)",
		      boot_free_pages - there, a->free_frames, kept, boot_free_pages);
		sound = false;
	}
	print("audit: %lu frames, %lu tables, %lu leaves, %lu pages in reach of the core, "
	      "%lu frames free: %s",
	      a->frames, a->tables, a->leaves, a->core_reach, a->free_frames, sound ? "ok" : "BROKEN");
	return sound;
}

/* How often each reason was seen, over all CPUs; what the nucleus deals with alone isn't counted. */
static void stats_report(void)
{
	for (uint32_t k = 0; k < EXIT_KINDS; k++) {
		uint64_t n = 0;

		for (uint32_t i = 0; i < cpu_count; i++)
			n += cpus[i].exits[k];
		if (n)
			print("stats: exit %-16s %10lu", arch_exit_name(k), n);
	}
	for (uint32_t k = 0; k < ARRAY_SIZE(cpus[0].hypercalls); k++) {
		uint64_t n = 0;

		for (uint32_t i = 0; i < cpu_count; i++)
			n += cpus[i].hypercalls[k];
		if (n)
			print("stats: hypercall %2u %-13s %10lu", k, hypercall_rows[k].name ? hypercall_rows[k].name : "-", n);
	}
	for (uint32_t i = 0; i < cpu_count; i++)
		print("stats: cpu %u idle %lu ticks", i, cpus[i].idle_ticks);
}

void machine_done(void)
{
	bool sound = audit_report(true);
	uint32_t status = sound && !bad_audits && (!failed || options.crash_ok) ? 0 : 1;

	if (options.stats)
		stats_report();
	print("power off, status %u", status);
	nuc_power_off(status);
}
