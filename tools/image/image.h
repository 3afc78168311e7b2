/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ravelin-image: from a manifest in device-tree source to one bootable image.
 *
 * The road: tree.c compiles and opens the source, plan.c checks it against the
 * binding (docs: the tables there) and loads what it names with kernel.c and
 * unpack.c, pack.c lays the flat manifest out, elf.c joins it to the hypervisor.
 * One verb per file: build.c, check.c, disk.c, show.c.
 *
 * The tool runs once and ends, so memory from new_bytes lives until then.
 */
#pragma once

#include "limits.h"
#include "manifest.h"
#include "types.h"

/* Exit statuses: all is well, the machine let us down (disk full), the user's input is wrong. */
enum status { STATUS_OK = 0, STATUS_TROUBLE = 1, STATUS_MISTAKE = 2 };

/* files.c ----------------------------------------------------------------- */

struct file {
	const char *path;
	uint8_t *bytes;
	uint64_t size;
};

/* Zeroed, or the program ends. */
void *new_bytes(uint64_t size);
char *new_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* NULL, or the reason why the regular file could not be read. The same path is read once. */
MUST_USE const char *file_read(const char *path, const struct file **out);

/* A file that appears under its own name only when it is complete. */
struct output {
	const char *path;
	char *temporary;
	int fd;
};

/* All three report trouble themselves. output_end renames, or removes what there is. */
MUST_USE bool output_begin(struct output *o, const char *path);
MUST_USE bool output_write(struct output *o, const void *bytes, uint64_t size);
MUST_USE bool output_end(struct output *o, bool good);

extern bool quiet;
/* One line of progress on stderr, unless quiet. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* One line about a mistake that is not in a manifest. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "65.9 MB"; "256 MiB" when it is whole KiB, MiB or GiB. */
const char *size_text(uint64_t bytes);
const char *memory_text(uint64_t bytes);
/* The SHA-256 in hexadecimal of the `count` pieces put together. */
struct piece {
	const void *bytes;
	uint64_t size;
};
const char *hash_text(const struct piece *pieces, uint32_t count);

/* tree.c ------------------------------------------------------------------ */

struct line;

struct tree {
	const char *path;   /* as the user gave it */
	char *directory;    /* what relative paths in it start from, "" or with a slash */
	const void *fdt;    /* checked by libfdt */
	struct line *lines; /* where dtc found each node and property; NULL for a .dtb */
	uint32_t mistakes;
};

/* Compiles a .dts, or reads a .dtb. False, having said why, if that's not possible. */
MUST_USE bool tree_open(struct tree *t, const char *path);

/*
 * Prints "file:line: node: property: ..." and counts it. `property` may be NULL;
 * `node` is a full path. The text says what is wrong and what was expected.
 */
void mistake(struct tree *t, const char *node, const char *property, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* kernel.c, unpack.c ------------------------------------------------------ */

struct kernel {
	const struct file *file;
	const uint8_t *elf; /* the ELF file as such or out of the bzImage */
	uint64_t elf_size;
	const char *format; /* "elf" or how the bzImage was packed */
	uint32_t entry;
	uint32_t segment_count;
	struct kernel_segment {
		uint64_t gpa, file_size, memory_size;
		const uint8_t *bytes;
	} segments[PACK_SEGMENTS_MAX];
};

/* NULL, or what is wrong with it as a PVH kernel. The same file is unpacked once. */
MUST_USE const char *kernel_open(const struct file *file, const struct kernel **out);

/* Finds the vmlinux of a bzImage. NULL, or what is wrong. `file` may be an ELF already. */
MUST_USE const char *unpack_kernel(const struct file *file, struct kernel *k);

/* plan.c ------------------------------------------------------------------ */

struct domain_plan {
	const char *node; /* full path, for messages */
	char name[PACK_NAME_MAX];
	bool control;
	uint64_t memory; /* bytes; 0: not known */
	uint32_t vcpus, weight, table_budget;
	uint32_t altp2m_mode, level, capabilities;
	const char *kernel_node, *ramdisk_node;
	const struct kernel *kernel;
	const struct file *ramdisk;
	const char *cmdline;
};

struct plan {
	struct tree tree;
	const char *options;
	uint32_t domain_count;
	struct domain_plan domains[DOMAINS_MAX]; /* the control domain first, then as in the file */
};

/* NAME=VALUE for ${NAME} in paths. False, having complained, if it's not of that form. */
MUST_USE bool plan_define(const char *definition);

/* Reads, checks and loads everything. STATUS_OK or STATUS_MISTAKE, all of them reported. */
MUST_USE enum status plan_open(struct plan *p, const char *path);

/* pack.c ------------------------------------------------------------------ */

#define PACK_SIZE_MAX (2ull << 30)

/* Bytes of the pack of a sound plan; may be above PACK_SIZE_MAX. */
uint64_t pack_measure(const struct plan *p);
/* The pack itself, checked with manifest_open. */
MUST_USE const uint8_t *pack_make(const struct plan *p, uint64_t *size);

/* elf.c ------------------------------------------------------------------- */

/* Joins hypervisor and pack and writes the image. Reports everything itself. */
MUST_USE enum status image_write(const char *hypervisor, const char *out, const uint8_t *pack,
				 uint64_t pack_size);

#define IMAGE_LOADS_MAX 16u

/* An image that image_write made, or a disk with one on it. */
struct image {
	const struct file *file;
	uint64_t elf_offset, elf_size; /* in the file: not 0 and all of it for a disk */
	uint32_t entry;
	uint32_t load_count; /* in the order of physical addresses */
	struct image_load {
		uint64_t address, file_size, memory_size;
	} loads[IMAGE_LOADS_MAX];
	uint64_t pack_address, pack_size;
	const uint8_t *pack;
	struct manifest manifest;
};

/* Opens and checks an image or disk; complains and returns STATUS_MISTAKE if it is not one. */
MUST_USE enum status image_open(struct image *i, const char *path);

/* disk.c: the place in the loader that says where the image lies. */
#define DISK_MAGIC "RVLNDISK"
#define SECTOR	   512u
struct disk_ref {
	char magic[8];
	uint32_t lba, sectors; /* little-endian */
};
/* The byte offset of the only DISK_MAGIC in it, or -1. */
int64_t disk_ref_find(const uint8_t *loader, uint64_t size);

/* The verbs. argv[0] is the verb. */
enum status command_build(int argc, char **argv);
enum status command_check(int argc, char **argv);
enum status command_disk(int argc, char **argv);
enum status command_show(int argc, char **argv);
