/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shows that what must hold after an operation does, from any state that the
 * bitcode's spec_any_state makes: see exec.h for what it runs.
 *
 *	induct [-v] [-merge=NAME,...] MODULE [op_NAME ...]
 *
 * Without names, all operations. op_nothing always comes first: what it shows of the
 * state before is used after. Exit status 0 only if all that was claimed holds.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bits.h"
#include "exec.h"

/* Formulas are walked by recursion. */
#define STACK (2048ul << 20)

static int count;
static char **names;
static const char *module;
static char *merged;
static bool bad;

static bool wanted(const char *name)
{
	int i;

	for (i = 0; i < count; i++) {
		if (!strcmp(names[i], name)) {
			return true;
		}
	}
	return count == 0 || !strcmp(name, "op_nothing");
}

static void operation(const char *name)
{
	struct exec_counts before = exec_counts;
	clock_t start = clock();
	bool good;

	printf("induct: %-20s ", name);
	fflush(stdout);
	good = exec_all(name);
	printf("%6lu paths, %7lu claims, %7lu questions so far, %5.0f s  %s\n",
	       (unsigned long)(exec_counts.paths - before.paths), (unsigned long)(exec_counts.claims - before.claims),
	       (unsigned long)bits_counts.questions, (double)(clock() - start) / CLOCKS_PER_SEC,
	       good ? "holds" : "FAILED");
	fflush(stdout);
	bad = bad || !good;
}

static void *body(void *unused)
{
	const char *name;
	uint32_t i;

	exec_load(module);
	for (name = merged ? strtok(merged, ", ") : NULL; name; name = strtok(NULL, ", ")) {
		exec_merge(name);
	}
	if (!exec_setup("spec_any_state")) {
		fprintf(stderr, "induct: no state is as spec_any_state says\n");
		bad = true;
		return unused;
	}
	for (i = 0; (name = exec_operation(i)); i++) {
		if (wanted(name)) {
			operation(name);
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
		} else if (!strncmp(argv[i], "-merge=", 7)) {
			merged = argv[i] + 7;
		} else {
			fprintf(stderr, "induct: %s: no such option (-v, -merge=NAME,...)\n", argv[i]);
			return 2;
		}
	}
	if (i == argc) {
		fprintf(stderr, "usage: induct [-v] [-merge=NAME,...] MODULE [op_NAME ...]\n");
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
