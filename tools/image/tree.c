/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest's source: compiled by dtc, opened with libfdt, and the line
 * numbers that the compiled form has lost.
 *
 * Those come from a second run of dtc, which prints the tree as source again
 * with a comment behind each node and property: where it stood. Without it (an
 * older dtc, a .dtb) messages have no line number; nothing else depends on it.
 */
#define _GNU_SOURCE
#include "image.h"

#include <errno.h>
#include <libfdt.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEPTH_MAX 16

struct line {
	struct line *next;
	const char *node, *property; /* property NULL: the node itself */
	const char *where;	     /* "file:line" */
};

extern char **environ;

/*
 * Runs dtc and collects what it prints. False if it could not be started or
 * failed; its own messages are on stderr, unless `silent`.
 */
static bool run_dtc(char *const argv[], bool silent, struct file *out)
{
	posix_spawn_file_actions_t actions;
	uint64_t capacity = 65536;
	int ends[2], status = -1, error;
	pid_t pid;
	ssize_t n;

	if (pipe(ends) != 0) {
		complain("ravelin-image: pipe: %s", strerror(errno));
		return false;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addclose(&actions, ends[0]);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclose(&actions, ends[1]);
	if (silent) {
		posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", 1, 0);
	}
	error = posix_spawnp(&pid, "dtc", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (error != 0) {
		close(ends[0]);
		if (!silent) {
			complain("ravelin-image: dtc cannot be run: %s; expected Debian's package "
				 "device-tree-compiler",
				 strerror(error));
		}
		return false;
	}
	out->bytes = new_bytes(capacity);
	out->size = 0;
	while ((n = read(ends[0], out->bytes + out->size, capacity - out->size - 1)) > 0) {
		out->size += (uint64_t)n;
		if (out->size + 1 == capacity) {
			uint8_t *more = new_bytes(2 * capacity);

			memcpy(more, out->bytes, out->size);
			out->bytes = more;
			capacity *= 2;
		}
	}
	close(ends[0]);
	if (waitpid(pid, &status, 0) < 0) {
		status = -1;
	}
	out->bytes[out->size] = '\0';
	return status == 0;
}

static void add_line(struct tree *t, const char *node, const char *property, const char *where)
{
	struct line *l = new_bytes(sizeof(*l));

	l->node = new_text("%s", node[0] == '\0' ? "/" : node);
	l->property = property == NULL ? NULL : new_text("%s", property);
	/* dtc counts from the directory of the first file; the user from where the tool runs. */
	l->where = new_text("%s%.*s", where[0] == '/' ? "" : t->directory, (int)strcspn(where, ", "), where);
	l->next = t->lines;
	t->lines = l;
}

/* One line of dtc -T: "name {", "name = value;", "name;" or "};", then the comment. */
static void read_line(struct tree *t, char *text, char *path, uint32_t *depth)
{
	char *comment = NULL, *at, *end;

	for (at = text; (at = strstr(at, "/* ")) != NULL; at++) {
		comment = at;
	}
	text += strspn(text, "\t ");
	if (comment == NULL || comment < text) {
		return;
	}
	*comment = '\0';
	comment += 3;
	end = text + strlen(text);
	while (end > text && end[-1] == ' ') {
		*--end = '\0';
	}
	if (text[0] == '}') {
		at = strrchr(path, '/');
		if (*depth > 1 && at != NULL) {
			*at = '\0';
		}
		*depth -= *depth > 0;
	} else if (end > text && end[-1] == '{') {
		end[-1] = '\0';
		while ((at = strstr(text, ": ")) != NULL) { /* labels */
			text = at + 2;
		}
		text[strcspn(text, " ")] = '\0';
		if (*depth > 0 && strlen(path) + strlen(text) + 2 < 1024) {
			strcat(path, "/");
			strcat(path, text);
		}
		++*depth;
		add_line(t, path, NULL, comment);
	} else {
		text[strcspn(text, " ;")] = '\0';
		add_line(t, path, text, comment);
	}
}

static void read_lines(struct tree *t)
{
	char *argv[] = {"dtc", "-q", "-T", "-I", "dts", "-O", "dts", "-o", "-", (char *)t->path, NULL};
	char path[1024] = "";
	uint32_t depth = 0;
	struct file text;
	char *line, *rest;

	if (!run_dtc(argv, true, &text)) {
		return;
	}
	rest = (char *)text.bytes;
	while ((line = strsep(&rest, "\n")) != NULL) {
		read_line(t, line, path, &depth);
	}
}

bool tree_open(struct tree *t, const char *path)
{
	char *argv[] = {"dtc", "-q", "-I", "dts", "-O", "dtb", "-o", "-", (char *)path, NULL};
	const char *slash = strrchr(path, '/'), *wrong;
	const struct file *source;
	struct file compiled;
	int error;

	t->path = path;
	t->directory = slash == NULL ? new_text("%s", "") : new_text("%.*s", (int)(slash - path) + 1, path);
	wrong = file_read(path, &source);
	if (wrong != NULL) {
		complain("%s: %s; expected a manifest as device-tree source (.dts) or blob (.dtb)", path,
			 wrong);
		return false;
	}
	compiled = *source;
	if (source->size < 4 || memcmp(source->bytes, "\xd0\x0d\xfe\xed", 4) != 0) {
		if (!run_dtc(argv, false, &compiled)) {
			complain("%s: not device-tree source that dtc can compile; expected \"/dts-v1/; / { "
				 "chosen { ... }; };\"",
				 path);
			return false;
		}
		read_lines(t);
	}
	error = fdt_check_full(compiled.bytes, compiled.size);
	if (error != 0) {
		complain("%s: not a sound device-tree blob: %s", path, fdt_strerror(error));
		return false;
	}
	t->fdt = compiled.bytes;
	return true;
}

static const char *place(const struct tree *t, const char *node, const char *property)
{
	const struct line *l;

	for (l = t->lines; l != NULL; l = l->next) {
		if (strcmp(l->node, node) == 0 &&
		    (property == NULL ? l->property == NULL
				      : l->property != NULL && strcmp(l->property, property) == 0)) {
			return l->where;
		}
	}
	/* A property that is missing: where its node is. */
	return property != NULL ? place(t, node, NULL) : t->path;
}

void mistake(struct tree *t, const char *node, const char *property, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: %s: ", place(t, node, property), node);
	if (property != NULL) {
		fprintf(stderr, "%s: ", property);
	}
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	t->mistakes++;
}
