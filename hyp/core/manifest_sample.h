/* SPDX-License-Identifier: Apache-2.0 */
/* A sound pack for the manifest's unit test and fuzzer to spoil. Host only. */
#pragma once

#include "limits.h"
#include "manifest.h"

#include <stdio.h>
#include <string.h>

#define SAMPLE_VISIBLE 12288u /* the payload begins here */
#define SAMPLE_SIZE    (SAMPLE_VISIBLE + 8192u)
#define SAMPLE_MEMORY  (64ull << 20)

static inline struct pack_domain *sample_domains(void *pack)
{
	return (void *)((char *)pack + ((struct pack_header *)pack)->domains);
}

static inline struct pack_segment *sample_segments(void *pack)
{
	return (void *)((char *)pack + ((struct pack_header *)pack)->segments);
}

/*
 * Fills the visible part (SAMPLE_VISIBLE bytes, 8-byte aligned) of a pack of
 * SAMPLE_SIZE bytes: `domains` of them (1 .. DOMAINS_MAX), the first being the
 * control domain, with `segments` kernel segments each (1 .. 4).
 */
static inline void sample_pack(void *pack, uint32_t domains, uint32_t segments)
{
	struct pack_header *h = pack;
	struct pack_domain *d;
	struct pack_segment *s;
	uint64_t text;

	memset(pack, 0, SAMPLE_VISIBLE);
	h->magic = PACK_MAGIC;
	h->size = SAMPLE_SIZE;
	h->version = PACK_VERSION;
	h->domain_count = domains;
	h->segment_count = domains * segments;
	h->domains = sizeof(*h);
	h->segments = h->domains + domains * sizeof(*d);
	h->payload = SAMPLE_VISIBLE;
	text = h->segments + h->segment_count * sizeof(*s);
	h->options = text;
	h->options_length = 5;
	strcpy((char *)pack + text, "quiet");
	text += 6;
	for (uint32_t i = 0; i < domains; i++) {
		d = &sample_domains(pack)[i];
		snprintf(d->name, sizeof(d->name), "domain-%u", i);
		d->flags = i == 0 ? PACK_DOMAIN_CONTROL : 0;
		d->vcpus = 1 + i % DOMAIN_VCPUS_MAX;
		d->memory = SAMPLE_MEMORY;
		d->table_budget = 100;
		d->altp2m_mode = i % 4;
		d->capabilities = i * 0x1000081u & 0x3ffffff;
		d->entry = 0x100010;
		d->weight = 256;
		d->segment_first = i * segments;
		d->segment_count = segments;
		if (i % 2 == 0) {
			d->ramdisk = SAMPLE_VISIBLE + 4096;
			d->ramdisk_size = 4096;
		}
		d->cmdline = text;
		d->cmdline_length = 12;
		strcpy((char *)pack + text, "console=hvc0");
		text += 13;
		for (uint32_t j = 0; j < segments; j++) {
			s = &sample_segments(pack)[i * segments + j];
			s->gpa = 0x100000 + j * 0x10000;
			s->file_size = 1024;
			s->memory_size = j % 2 == 0 ? 1024 : 0x10000;
			s->offset = SAMPLE_VISIBLE + j * 1024;
		}
	}
}
