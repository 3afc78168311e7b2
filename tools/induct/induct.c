/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shows that what must hold after an operation does, from any state that the
 * bitcode's spec_any_state makes: see exec.h for what it runs.
 *
 *	induct [-v] [-try] [-jN] [-merge=NAME,...] MODULE [op_NAME[/N[:K]] ...]
 *
 * -try: without op_nothing, and so without what it shows: to see how long a part takes.
 * Without names, all operations. op_nothing always comes first: what it shows of the
 * state before, the others take as shown. -j: so many parts at once. op_NAME/N: only every
 * Nth part, from the first or Kth on; that shows less, and is said.
 * Exit status 0 only if all that was claimed holds.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bits.h"
#include "exec.h"
#include "parts.h"

/* Formulas are walked by recursion. */
#define STACK (2048ul << 20)

static int count;
static char **names;
static const char *module;
static char *merged;
static bool bad;
static bool trying;            /* op_nothing is left out */

/* names[i] is the operation, whole or in parts. */
static bool named(int i, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(names[i], name, n) && (!names[i][n] || names[i][n] == '/');
}

static void names_check(void)
{
	const char *name;
	uint32_t k;
	int i;

	for (i = 0; i < count; i++) {
		for (k = 0; (name = exec_operation(k)) && !named(i, name); k++) {
		}
		if (!name) {
			die("%s: no such operation in %s", names[i], module);
		}
	}
}

/* Whether the operation is asked for, and which of its parts. */
static bool wanted(const char *name)
{
	const char *parts;
	int i;

	parts_every = parts_first = 1;
	if (count == 0 || !strcmp(name, "op_nothing")) {
		return true;
	}
	for (i = 0; i < count && !named(i, name); i++) {
	}
	if (i == count) {
		return false;
	}
	parts = names[i] + strlen(name);
	if (*parts && sscanf(parts, "/%u:%u", &parts_every, &parts_first) < 1) {
		die("%s: not op_NAME/N or op_NAME/N:K", names[i]);
	}
	if (!parts_every || !parts_first) {
		die("%s: parts are counted from 1", names[i]);
	}
	return true;
}

/* Of this process and its parts. */
static double seconds(void)
{
	struct rusage self, parts;

	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &parts);
	return (double)(self.ru_utime.tv_sec + parts.ru_utime.tv_sec) +
	       (double)(self.ru_utime.tv_usec + parts.ru_utime.tv_usec) / 1e6;
}

static bool operation(const char *name)
{
	struct exec_counts before = exec_counts;
	double start = seconds();
	uint64_t left_out;
	bool good;

	printf("induct: %-17s", name);
	fflush(stdout);
	good = exec_all(name);
	left_out = exec_counts.left_out - before.left_out;
	printf("%5lu parts, %5lu paths, %8lu claims, %6.0f s  %s", (unsigned long)(exec_counts.parts - before.parts),
	       (unsigned long)(exec_counts.paths - before.paths), (unsigned long)(exec_counts.claims - before.claims),
	       seconds() - start, good ? "holds" : "FAILED");
	if (good && left_out) {
		printf(" in these; %lu parts left out", (unsigned long)left_out);
	}
	printf("\n");
	fflush(stdout);
	bad = bad || !good;
	return good;
}

static void *body(void *unused)
{
	const char *name;
	uint32_t i;

	exec_load(module);
	for (name = merged ? strtok(merged, ", ") : NULL; name; name = strtok(NULL, ", ")) {
		exec_merge(name);
	}
	names_check();
	if (!exec_setup("spec_any_state")) {
		fprintf(stderr, "induct: no state is as spec_any_state says\n");
		bad = true;
		return unused;
	}
	for (i = 0; (name = exec_operation(i)); i++) {
		if (trying && !strcmp(name, "op_nothing")) {
			printf("induct: without op_nothing: nothing is shown\n");
			bad = true;
			continue;
		}
		if (wanted(name) && !operation(name) && !strcmp(name, "op_nothing")) {
			break;
		}
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "-v")) {
			exec_verbose = true;
		} else if (!strcmp(argv[i], "-try")) {
			trying = true;
		} else if (!strncmp(argv[i], "-merge=", 7)) {
			merged = argv[i] + 7;
		} else if (!strncmp(argv[i], "-j", 2) && atoi(argv[i] + 2) > 0) {
			parts_jobs = (uint32_t)atoi(argv[i] + 2);
		} else {
			fprintf(stderr, "induct: %s: no such option (-v, -try, -jN, -merge=NAME,...)\n", argv[i]);
			return 2;
		}
	}
	if (i == argc) {
		fprintf(stderr, "usage: induct [-v] [-try] [-jN] [-merge=NAME,...] MODULE [op_NAME[/N[:K]] ...]\n");
		return 2;
	}
	module = argv[i++];
	names = argv + i;
	count = argc - i;
	pthread_attr_init(&attributes);
	if (pthread_attr_setstacksize(&attributes, STACK) || pthread_create(&thread, &attributes, body, NULL) ||
	    pthread_join(thread, NULL)) {
		fprintf(stderr, "induct: no thread\n");
		return 2;
	}
	return bad ? 1 : 0;
}
