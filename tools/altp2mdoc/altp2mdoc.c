/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies docs/altp2m.md from standard input to standard output, with the tables
 * between markers made anew from the policy table that the hypervisor decides by.
 *
 * A marker is a line "<!-- policy: NAME -->"; all up to "<!-- /policy -->" is
 * replaced. Exit status 1 if a marker is unknown, or any table has no place.
 */
#include "altp2m_policy.h"

#include <stdio.h>
#include <string.h>

static const char *const modes[ALTP2M_MODES] = { "disabled", "mixed", "external", "limited" };
static const char *const callers[ALTP2M_CALLERS] = { "itself", "control", "other" };
static const char *const kinds[] = { "reads", "narrows", "changes" };

static const char *cell(enum altp2m_reason why)
{
	static char text[8];

	snprintf(text, sizeof(text), "%s %c", why < ALTP2M_DENIED ? "yes" : "no", 'a' + (int)why);
	return text;
}

static void cells(void)
{
	printf("| No. | Sub-op | Reach |");
	for (uint32_t mode = 0; mode < ALTP2M_MODES; mode++)
		for (uint32_t caller = 0; caller < ALTP2M_CALLERS; caller++)
			printf(" %s: %s |", modes[mode], callers[caller]);
	printf("\n|---:|---|---|");
	for (uint32_t i = 0; i < ALTP2M_MODES * ALTP2M_CALLERS; i++)
		printf("---|");
	puts("");
	for (uint32_t row = 0; row < ALTP2M_OPS; row++) {
		const struct altp2m_rule *r = &altp2m_rules[row];

		printf("| %u | `%s` | %s |", r->cmd, r->name, kinds[r->kind]);
		for (uint32_t mode = 0; mode < ALTP2M_MODES; mode++)
			for (uint32_t caller = 0; caller < ALTP2M_CALLERS; caller++)
				printf(" %s |", cell(altp2m_policies[0].decide(row, mode, caller)));
		puts("");
	}
}

static void reasons(void)
{
	puts("| Reason | |\n|---|---|");
	for (uint32_t i = 0; i < ALTP2M_REASONS; i++)
		printf("| %s | %s |\n", cell(i), altp2m_reasons[i]);
}

static void audit(void)
{
	puts("| No. | Sub-op | What a hostile guest kernel could gain | What guest user code could gain | "
	     "Hence, in mode mixed |\n|---:|---|---|---|---|");
	for (uint32_t row = 0; row < ALTP2M_OPS; row++) {
		const struct altp2m_rule *r = &altp2m_rules[row];

		printf("| %u | `%s` | %s | %s | %s: %s |\n", r->cmd, r->name, r->kernel, r->user,
		       r->cell[PACK_ALTP2M_MIXED][ALTP2M_SELF] < ALTP2M_DENIED ? "allowed" : "denied",
		       r->judgement);
	}
}

/* The names of the sub-ops for which a policy differs from the default in one cell of the matrix. */
static void differing(const struct altp2m_policy *p, uint32_t mode, enum altp2m_caller caller)
{
	const char *comma = "";

	for (uint32_t row = 0; row < ALTP2M_OPS; row++) {
		bool was = altp2m_policies[0].decide(row, mode, caller) < ALTP2M_DENIED;
		bool is = p->decide(row, mode, caller) < ALTP2M_DENIED;

		if (was == is)
			continue;
		if (!*comma)
			printf("| `%s` | %s | %s | ", p->name, modes[mode], callers[caller]);
		printf("%s%s `%s`", comma, is ? "allows" : "denies", altp2m_rules[row].name);
		comma = ", ";
	}
	if (*comma)
		puts(" |");
}

static void policies(void)
{
	puts("| `altp2m-policy=` | |\n|---|---|");
	for (size_t i = 0; i < altp2m_policy_count; i++)
		printf("| `%s`%s | %s |\n", altp2m_policies[i].name, i ? "" : " (default)",
		       altp2m_policies[i].what);
	printf("\n| Policy | Mode | Caller | Unlike `%s` it |\n|---|---|---|---|\n", altp2m_policies[0].name);
	for (size_t i = 1; i < altp2m_policy_count; i++)
		for (uint32_t mode = 0; mode < ALTP2M_MODES; mode++)
			for (uint32_t caller = 0; caller < ALTP2M_CALLERS; caller++)
				differing(&altp2m_policies[i], mode, caller);
}

static struct {
	const char *marker;
	void (*print)(void);
	bool seen;
} tables[] = {
	{ "<!-- policy: cells -->\n", cells, false },
	{ "<!-- policy: reasons -->\n", reasons, false },
	{ "<!-- policy: audit -->\n", audit, false },
	{ "<!-- policy: policies -->\n", policies, false },
};

static bool table(const char *marker)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		if (!strcmp(marker, tables[i].marker)) {
			tables[i].print();
			tables[i].seen = true;
			return true;
		}
	}
	return false;
}

int main(void)
{
	char line[8192];
	bool skip = false;
	int bad = 0;

	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "<!-- /policy -->\n"))
			skip = false;
		if (!skip)
			fputs(line, stdout);
		if (strncmp(line, "<!-- policy:", 12))
			continue;
		skip = true;
		if (!table(line)) {
			fprintf(stderr, "altp2mdoc: no such table: %s", line);
			bad = 1;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		if (!tables[i].seen) {
			fprintf(stderr, "altp2mdoc: no line %s", tables[i].marker);
			bad = 1;
		}
	}
	if (skip) {
		fprintf(stderr, "altp2mdoc: a table without <!-- /policy -->\n");
		bad = 1;
	}
	return bad;
}
