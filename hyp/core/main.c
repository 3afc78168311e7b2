/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core's entries, in the order in which the nucleus comes to them: boot,
 * another CPU, host events. Hypercalls enter in hypercall.c, exits in exit.c of
 * the architecture.
 */
#include "core_internal.h"

struct options options;
uint64_t boot_free_pages;

/* The words that may stand in the hypervisor's command line. */
static const struct {
	const char *word;
	size_t flag;              /* offset of its bool in struct options */
} words[] = {
	{ "audit", offsetof(struct options, audit) },
	{ "crash-ok", offsetof(struct options, crash_ok) },
	{ "no-prefix", offsetof(struct options, no_prefix) },
	{ "stats", offsetof(struct options, stats) },
	{ "reboot=off", offsetof(struct options, reboot_off) },
	{ "altp2m=off", offsetof(struct options, altp2m_off) },
};

/* A word of n bytes; false: not known. */
static bool option_word(struct options *o, const char *word, size_t n)
{
	const size_t prefix = strlen(OPTION_POLICY);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i].word) == n && !memcmp(words[i].word, word, n)) {
			*(bool *)((char *)o + words[i].flag) = true;
			return true;
		}
	}
	if (n < prefix || memcmp(word, OPTION_POLICY, prefix))
		return false;
	o->altp2m_policy = altp2m_policy_find(word + prefix, n - prefix);
	return o->altp2m_policy;
}

const char *options_parse(struct options *o, const char *text, char *bad, size_t size)
{
	memset(o, 0, sizeof(*o));
	o->altp2m_policy = &altp2m_policies[0];
	format_text(o->text, sizeof(o->text), "%s", text);
	for (;;) {
		size_t n = 0;

		while (*text == ' ')
			text++;
		if (!*text)
			return NULL;
		while (text[n] && text[n] != ' ')
			n++;
		if (!option_word(o, text, n)) {
			format_text(bad, size, "%.*s", (int)n, text);
			return bad;
		}
		text += n;
	}
}

static NORETURN void refuse(const char *what, const char *detail)
{
	print("cannot start: %s%s", what, detail);
	nuc_power_off(1);
}

static void read_options(const struct manifest *m)
{
	const size_t prefix = strlen(OPTION_POLICY);
	char bad[64];

	if (!options_parse(&options, manifest_string(m, m->header->options), bad, sizeof(bad)))
		return;
	if (strlen(bad) >= prefix && !memcmp(bad, OPTION_POLICY, prefix)) {
		for (size_t i = 0; i < altp2m_policy_count; i++)
			print("altp2m policy %s: %s", altp2m_policies[i].name, altp2m_policies[i].what);
		refuse("unknown altp2m policy ", bad + prefix);
	}
	print("the options are: audit, crash-ok, no-prefix, stats, reboot=off, altp2m=off, %sNAME",
	      OPTION_POLICY);
	refuse("unknown option ", bad);
}

static void banner(const struct boot_info *info)
{
	print("Ravelin, a hypervisor of memory views; speaks Xen's guest ABI %u.%u", XEN_VERSION >> 16,
	      XEN_VERSION & 0xffff);
	print("%u CPU%s at %u.%03u MHz, %lu MiB free", info->cpus, info->cpus == 1 ? "" : "s",
	      info->tsc_khz / 1000, info->tsc_khz % 1000, info->free_bytes >> 20);
	if (info->features[0])
		print("CPU: %s", info->features);
}

struct boot_info core_boot_info;

void core_boot(const struct boot_info *info)
{
	struct cpu *cpu = &cpus[0];
	struct manifest m;
	const char *wrong;

	this_cpu_init(cpu);
	cpu_count = info->cpus;
	boot_free_pages = info->free_bytes >> PAGE_SHIFT;
	for (uint32_t i = 0; i < cpu_count; i++)
		cpus[i].id = i;
	console_init();
	banner(info);
	if (!info->tsc_khz)
		refuse("the TSC's frequency is unknown", "");
	if (!info->manifest)
		refuse("there is no manifest", "");
	wrong = manifest_open(info->manifest, info->manifest_size, info->pack_size, &m);
	if (wrong)
		refuse("the manifest is bad: ", wrong);
	read_options(&m);

	arch_init(info);
	time_init(info);
	sched_init();
	core_lock();
	sched_cpu_up(cpu);
	if (!domains_start(&m))
		machine_done();
	if (options.audit && !audit_report(false))
		refuse("the audit failed", "");
	sched_tail(cpu);
	print("first guest enters at tick %lu", nuc_now());
	core_unlock();
}

void core_cpu_up(uint32_t id)
{
	struct cpu *cpu = &cpus[id];

	this_cpu_init(cpu);
	core_lock();
	sched_cpu_up(cpu);
	sched_tail(cpu);
	core_unlock();
}

void core_event(uint32_t id, uint32_t events)
{
	struct cpu *cpu = &cpus[id];

	core_lock();
	if (unlikely(events & EVENT_CONSOLE))
		console_input();
	if (unlikely(reap_pending))
		domain_reap();
	sched_tail(cpu);
	core_unlock();
}
