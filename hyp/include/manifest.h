/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flat boot manifest: what the image builder packs and the core reads.
 *
 * The pack is one run of bytes: header, domain table, segment table, strings,
 * and from `payload` on (page-aligned) the bytes of kernels and ramdisks. Every
 * offset counts from the start of the pack. Little-endian, no pointers, no text
 * to parse. The core sees only [0, payload); the nucleus copies payload bytes
 * into guests.
 */
#pragma once

#include "types.h"

#define PACK_MAGIC 0x314e494c45564152ull /* "RAVELIN1" */
#define PACK_VERSION 1u
#define PACK_NAME_MAX 32u         /* with the NUL */
#define PACK_TEXT_MAX 4096u       /* a command line or the options, with the NUL */
#define PACK_SEGMENTS_MAX 32u     /* of one domain's kernel */
#define PACK_MEMORY_MAX (64ull << 30) /* bytes of one domain's RAM */

enum pack_altp2m { PACK_ALTP2M_DISABLED, PACK_ALTP2M_MIXED, PACK_ALTP2M_EXTERNAL, PACK_ALTP2M_LIMITED };
enum pack_level { PACK_OPEN, PACK_GUARDED, PACK_FUSED };

#define PACK_DOMAIN_CONTROL 1u    /* the control domain: Xen's initial domain */

struct pack_header {
	uint64_t magic, size;         /* size: bytes of the whole pack */
	uint32_t version, domain_count;
	uint32_t segment_count, reserved;
	uint64_t domains;             /* offset of struct pack_domain[domain_count] */
	uint64_t segments;            /* offset of struct pack_segment[segment_count] */
	uint64_t payload;             /* page-aligned offset, end of what the core may read */
	uint64_t options, options_length; /* the hypervisor's command line, NUL at [length] */
};

struct pack_domain {
	char name[PACK_NAME_MAX];     /* NUL-terminated, printable, unique */
	uint32_t flags, vcpus;
	uint64_t memory;              /* bytes of RAM, a multiple of 4096 */
	uint32_t table_budget;        /* frames for its stage-2 tables */
	uint32_t altp2m_mode;         /* enum pack_altp2m */
	uint32_t level;               /* enum pack_level */
	uint32_t capabilities;        /* altp2m sub-ops withdrawn: bit n-1 = sub-op n, 16+n = 64+n; 0: none */
	uint32_t entry;               /* guest-physical address of the PVH entry, in one of the segments */
	uint32_t weight;              /* share of CPU time, 1 .. 65535, 256 is normal */
	uint32_t segment_first, segment_count;
	uint64_t ramdisk, ramdisk_size;   /* in the payload; size 0: none */
	uint64_t cmdline, cmdline_length; /* below payload; NUL at [length]; length < 4096 */
};

/*
 * One PT_LOAD of the kernel: file bytes to gpa, zeroes up to memory_size. Those
 * of one domain lie in [0, memory) and don't overlap; that this is RAM in the
 * end is for whoever lays out the guest's address space to check.
 */
struct pack_segment {
	uint64_t gpa, file_size, memory_size;
	uint64_t offset;              /* in the payload */
};

/* Where the loaded image says its pack lies; the builder fills it in. */
#define IMAGE_REF_MAGIC 0x4645524e494c5652ull /* "RVLINREF" */
struct image_ref {
	uint64_t magic, pack_address, pack_size;
};

/* A checked manifest: every table and string lies inside, every name is unique. */
struct manifest {
	const struct pack_header *header;
	const struct pack_domain *domains;
	const struct pack_segment *segments;
	uint32_t index;               /* of a refused pack: the row of the table that the sentence names */
};

/*
 * Checks `visible` bytes at `base` (the part below payload) of a pack of `size`
 * bytes and fills *out. NULL when sound, else a sentence naming what is wrong
 * and where. Reads nothing outside [base, base + visible).
 */
MUST_USE const char *manifest_open(const void *base, uint64_t visible, uint64_t size, struct manifest *out);

/* The string at an offset that manifest_open has checked. */
const char *manifest_string(const struct manifest *m, uint64_t offset);
