/* SPDX-License-Identifier: Apache-2.0 */
/* Files in and out, memory, and what the tool says. */
#define _GNU_SOURCE
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <nettle/sha2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_SIZE_MAX (4ull << 30)

/* Keeps every block reachable until the program ends. */
static struct block {
	struct block *next;
	max_align_t bytes[];
} * blocks;

void *new_bytes(uint64_t size)
{
	struct block *b = calloc(1, sizeof(*b) + size);

	if (b == NULL) {
		fprintf(stderr, "ravelin-image: out of memory (%" PRIu64 " bytes)\n", size);
		exit(STATUS_TROUBLE);
	}
	b->next = blocks;
	blocks = b;
	return b->bytes;
}

char *new_text(const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = new_bytes((uint64_t)length + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	return text;
}

static const char *read_bytes(int fd, struct file *f)
{
	uint64_t done = 0;

	while (done < f->size) {
		ssize_t n = read(fd, f->bytes + done, f->size - done);

		if (n < 0) {
			return strerror(errno);
		}
		if (n == 0) {
			return "it became shorter while being read";
		}
		done += (uint64_t)n;
	}
	return NULL;
}

const char *file_read(const char *path, const struct file **out)
{
	static struct known {
		struct known *next;
		struct file file;
	} * all;
	struct known *k;
	struct stat st;
	const char *wrong = NULL;
	int fd;

	for (k = all; k != NULL; k = k->next) {
		if (strcmp(k->file.path, path) == 0) {
			*out = &k->file;
			return NULL;
		}
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return strerror(errno);
	}
	if (fstat(fd, &st) != 0) {
		wrong = strerror(errno);
	} else if (!S_ISREG(st.st_mode)) {
		wrong = "not a regular file";
	} else if ((uint64_t)st.st_size > FILE_SIZE_MAX) {
		wrong = "larger than 4 GiB";
	}
	if (wrong == NULL) {
		k = new_bytes(sizeof(*k));
		k->file.path = new_text("%s", path);
		k->file.size = (uint64_t)st.st_size;
		k->file.bytes = new_bytes(k->file.size);
		wrong = read_bytes(fd, &k->file);
		if (wrong == NULL) {
			k->next = all;
			all = k;
			*out = &k->file;
		}
	}
	close(fd);
	return wrong;
}

bool output_begin(struct output *o, const char *path)
{
	mode_t mask = umask(0);

	umask(mask);
	o->path = path;
	o->temporary = new_text("%s.XXXXXX", path);
	o->fd = mkostemp(o->temporary, O_CLOEXEC);
	if (o->fd < 0 || fchmod(o->fd, 0666 & ~mask) != 0) {
		complain("%s: cannot be written: %s", path, strerror(errno));
		if (o->fd >= 0) {
			return output_end(o, false);
		}
		return false;
	}
	return true;
}

bool output_write(struct output *o, const void *bytes, uint64_t size)
{
	const uint8_t *p = bytes;

	while (size > 0) {
		ssize_t n = write(o->fd, p, size);

		if (n < 0) {
			complain("%s: cannot be written: %s", o->path, strerror(errno));
			return false;
		}
		p += n;
		size -= (uint64_t)n;
	}
	return true;
}

bool output_end(struct output *o, bool good)
{
	if (close(o->fd) != 0 && good) {
		complain("%s: cannot be written: %s", o->path, strerror(errno));
		good = false;
	}
	if (good && rename(o->temporary, o->path) != 0) {
		complain("%s: cannot be written: %s", o->path, strerror(errno));
		good = false;
	}
	if (!good) {
		unlink(o->temporary);
	}
	return good;
}

bool quiet;

void say(const char *format, ...)
{
	va_list args;

	if (quiet) {
		return;
	}
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

const char *size_text(uint64_t bytes)
{
	if (bytes < 1000) {
		return new_text("%" PRIu64 " B", bytes);
	}
	if (bytes < 1000000) {
		return new_text("%.1f kB", (double)bytes / 1e3);
	}
	return new_text("%.1f MB", (double)bytes / 1e6);
}

const char *memory_text(uint64_t bytes)
{
	static const char units[][4] = {"KiB", "MiB", "GiB"};
	uint32_t unit = 0;

	if (bytes % 1024 != 0) {
		return new_text("%" PRIu64 " B", bytes);
	}
	bytes /= 1024;
	while (unit < 2 && bytes != 0 && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	return new_text("%" PRIu64 " %s", bytes, units[unit]);
}

const char *hash_text(const struct piece *pieces, uint32_t count)
{
	char *text = new_bytes(2 * SHA256_DIGEST_SIZE + 1);
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx hash;

	sha256_init(&hash);
	for (uint32_t i = 0; i < count; i++) {
		sha256_update(&hash, pieces[i].size, pieces[i].bytes);
	}
	sha256_digest(&hash, sizeof(digest), digest);
	for (uint32_t i = 0; i < sizeof(digest); i++) {
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	}
	return text;
}
