/* SPDX-License-Identifier: Apache-2.0 */
#include "parts.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cells.h"
#include "exec.h"
#include "path.h"

uint32_t parts_jobs = 1, parts_every = 1, parts_first = 1;
bool parts_inside;

/* What parts have done. */
static struct results {
	uint64_t paths, claims;
	bool failed;
} *results;
static uint32_t running, split;         /* parts that run now, and that there were */

void parts_begin(void)
{
	if (!results) {
		results = mmap(NULL, sizeof(*results), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (results == MAP_FAILED) {
			die("out of memory");
		}
	}
	memset(results, 0, sizeof(*results));
	split = 0;
}

/* Waits until fewer than so many parts run. */
static void parts_wait(uint32_t most)
{
	int status;

	while (running > most) {
		if (wait(&status) < 0) {
			die("no part to wait for");
		}
		running--;
		if (!WIFEXITED(status)) {
			fprintf(stderr, "induct: %s: a part was ended by signal %d\n", path.operation, WTERMSIG(status));
		}
		results->failed |= !WIFEXITED(status) || WEXITSTATUS(status);
	}
}

void parts_apart(void)
{
	pid_t child;

	if (path.merging || path_any_claims()) {
		die("%s: apart() too late", path.operation);
	}
	if (parts_inside) {
		return;
	}
	/* Whoever stays here has no path to count. */
	exec_counts.paths--;
	path_end();
	split++;
	if (split < parts_first || (split - parts_first) % parts_every) {
		exec_counts.left_out++;
		return;
	}
	if (results->failed) {
		return;
	}
	exec_counts.parts++;
	parts_wait(parts_jobs - 1);
	if (exec_verbose) {
		fprintf(stderr, "induct: %s: part %u, %lu paths shown; ways gone:", path.operation, split,
			(unsigned long)results->paths);
		path_print();
	}
	fflush(NULL);
	child = fork();
	if (child < 0) {
		die("no process for a part");
	}
	if (child) {
		running++;
		return;
	}
	parts_inside = true;
	running = 0;
	path_forget();
	memset(&exec_counts, 0, sizeof(exec_counts));
	if (!bits_settle()) {
		die("%s: a part that cannot be", path.operation);
	}
	cells_reduce();
}

bool parts_end(bool good)
{
	if (parts_inside) {
		__atomic_fetch_add(&results->paths, exec_counts.paths, __ATOMIC_RELAXED);
		__atomic_fetch_add(&results->claims, exec_counts.claims, __ATOMIC_RELAXED);
		_exit(good ? 0 : 1);
	}
	parts_wait(0);
	exec_counts.paths += results->paths;
	exec_counts.claims += results->claims;
	return good && !results->failed;
}
