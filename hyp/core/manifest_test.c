/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit test of manifest_open: a sound pack is accepted as it is, and each single
 * fault is refused with its own sentence.
 */
#include "manifest_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define OVER (~0ull)

/* A pack in a heap block of exactly its visible size, so that ASan sees any read beyond. */
static void *new_pack(void)
{
	void *pack = malloc(SAMPLE_VISIBLE);

	assert_non_null(pack);
	sample_pack(pack, 3, 2);
	return pack;
}

static void accepts(void **state)
{
	void *pack = new_pack();
	struct manifest m;

	(void)state;
	assert_null(manifest_open(pack, SAMPLE_VISIBLE, SAMPLE_SIZE, &m));
	assert_ptr_equal(m.header, pack);
	assert_ptr_equal(m.domains, sample_domains(pack));
	assert_ptr_equal(m.segments, sample_segments(pack));
	assert_string_equal(manifest_string(&m, m.header->options), "quiet");
	assert_string_equal(manifest_string(&m, m.domains[2].cmdline), "console=hvc0");
	free(pack);
}

static void accepts_the_limits(void **state)
{
	char *pack = malloc(SAMPLE_VISIBLE);
	struct pack_domain *d;
	struct manifest m;

	(void)state;
	assert_non_null(pack);
	sample_pack(pack, DOMAINS_MAX, 4);
	d = &sample_domains(pack)[0];
	memset(d->name, '~', PACK_NAME_MAX - 1);
	d->vcpus = DOMAIN_VCPUS_MAX;
	d->memory = PACK_MEMORY_MAX;
	d->weight = 65535;
	d->level = PACK_FUSED;
	d->cmdline = SAMPLE_VISIBLE - PACK_TEXT_MAX;
	d->cmdline_length = PACK_TEXT_MAX - 1;
	memset(pack + d->cmdline, 'x', d->cmdline_length);
	pack[SAMPLE_VISIBLE - 1] = '\0';
	d->ramdisk = SAMPLE_VISIBLE;
	d->ramdisk_size = SAMPLE_SIZE - SAMPLE_VISIBLE;
	sample_segments(pack)[0].gpa = PACK_MEMORY_MAX - 1024;
	sample_segments(pack)[1].gpa = 0x100000;
	sample_segments(pack)[1].file_size = 0;
	sample_segments(pack)[1].offset = SAMPLE_SIZE;
	assert_null(manifest_open(pack, SAMPLE_VISIBLE, SAMPLE_SIZE, &m));
	free(pack);
}

static void refuses_a_short_or_crooked_pack(void **state)
{
	char *pack = malloc(SAMPLE_VISIBLE + 8);
	struct manifest m;

	(void)state;
	assert_non_null(pack);
	sample_pack(pack, 1, 1);
	assert_string_equal(manifest_open(pack, 0, 0, &m), "the pack is shorter than its header");
	assert_string_equal(manifest_open(pack, sizeof(struct pack_header) - 1, SAMPLE_SIZE, &m),
			    "the pack is shorter than its header");
	assert_string_equal(manifest_open(pack, SAMPLE_VISIBLE, SAMPLE_SIZE + 4096, &m),
			    "the pack's size is not the one the image says");
	assert_string_equal(manifest_open(pack, SAMPLE_VISIBLE - 1, SAMPLE_SIZE, &m),
			    "the payload begins beyond the end of the pack");
	assert_null(m.header);
	memmove(pack + 4, pack, SAMPLE_VISIBLE);
	assert_string_equal(manifest_open(pack + 4, SAMPLE_VISIBLE, SAMPLE_SIZE, &m),
			    "the pack is not 8-byte aligned in memory");
	free(pack);
}

/*
 * One wrong field a row. `d` is the second domain (index 1) and `s` its first
 * segment (index 2); `first` is the first domain.
 */
/* clang-format off */
#define FAULTS(X)                                                                                          \
	X(h->magic ^= 1, "the pack has the wrong magic number", 0)                                         \
	X(h->version = 2, "the pack is of another version than this hypervisor", 0)                        \
	X(h->reserved = 1, "the header's reserved field is not 0", 0)                                      \
	X(h->size = 1, "the pack's size is not the one the image says", 0)                                 \
	X(h->payload += 8, "the payload is not page-aligned", 0)                                           \
	X(h->payload = -4096, "the payload begins beyond the end of the pack", 0)                          \
	X(h->payload = 2 * SAMPLE_SIZE / 4096 * 4096, "the payload begins beyond the end of the pack", 0)  \
	X(h->domain_count = 0, "the number of domains is 0 or above the limit", 0)                         \
	X(h->domain_count = DOMAINS_MAX + 1, "the number of domains is 0 or above the limit", 0)           \
	X(h->domain_count = ~0u, "the number of domains is 0 or above the limit", 0)                       \
	X(h->segment_count = ~0u, "the number of segments is above the limit", 0)                          \
	X(h->domains += 4, "a table is not 8-byte aligned", 0)                                             \
	X(h->segments += 1, "a table is not 8-byte aligned", 0)                                            \
	X(h->domains = 0, "the domain table leaves the part before the payload", 0)                        \
	X(h->domains = OVER - 7, "the domain table leaves the part before the payload", 0)                 \
	X(h->domains = SAMPLE_VISIBLE - 8, "the domain table leaves the part before the payload", 0)       \
	X(h->segments = SAMPLE_VISIBLE - 8, "the segment table leaves the part before the payload", 0)     \
	X(h->segments = OVER - 7, "the segment table leaves the part before the payload", 0)               \
	X(h->options_length = 4096, "the options are too long", 0)                                         \
	X(h->options_length = OVER, "the options are too long", 0)                                         \
	X(h->options = OVER, "the options leave the part before the payload", 0)                           \
	X(h->options = SAMPLE_VISIBLE - 5, "the options leave the part before the payload", 0)             \
	X(h->options_length = 4, "the options have their NUL in the wrong place", 0)                       \
	X(h->options_length = 6, "the options have their NUL in the wrong place", 0)                       \
	X(s->memory_size = 0, "a segment is empty or has more bytes in the file than in memory", 2)        \
	X(s->file_size = 1025, "a segment is empty or has more bytes in the file than in memory", 2)       \
	X((s->memory_size = OVER, s->gpa = 2), "a segment wraps around the guest's address space", 2)      \
	X(s->offset = SAMPLE_VISIBLE - 1, "a segment's bytes are not in the payload", 2)                   \
	X(s->offset = SAMPLE_SIZE - 1023, "a segment's bytes are not in the payload", 2)                   \
	X(s->offset = OVER - 3, "a segment's bytes are not in the payload", 2)                             \
	X(d->name[0] = '\0', "a domain has no name", 1)                                                    \
	X(d->name[3] = '\n', "a domain's name has an unprintable byte", 1)                                 \
	X(d->name[3] = '\x7f', "a domain's name has an unprintable byte", 1)                               \
	X(d->name[3] = '\xc3', "a domain's name has an unprintable byte", 1)                               \
	X(memset(d->name, 'x', PACK_NAME_MAX), "a domain's name has no NUL", 1)                            \
	X(strcpy(d->name, first->name), "two domains have the same name", 1)                               \
	X(d->flags = 2, "a domain has an unknown flag", 1)                                                 \
	X(d->flags = PACK_DOMAIN_CONTROL, "there is more than one control domain", 1)                      \
	X(d->vcpus = 0, "a domain's number of vCPUs is 0 or above the limit", 1)                           \
	X(d->vcpus = DOMAIN_VCPUS_MAX + 1, "a domain's number of vCPUs is 0 or above the limit", 1)        \
	X(d->memory = 0, "a domain's memory is 0, above the limit or not a multiple of 4096", 1)           \
	X(d->memory += 1, "a domain's memory is 0, above the limit or not a multiple of 4096", 1)          \
	X(d->memory = PACK_MEMORY_MAX + 4096,                                                              \
	  "a domain's memory is 0, above the limit or not a multiple of 4096", 1)                          \
	X(d->table_budget = 0, "a domain's table budget is 0", 1)                                          \
	X(d->altp2m_mode = 4, "a domain's altp2m mode is unknown", 1)                                      \
	X(d->capabilities = 1u << 26, "a domain withdraws an altp2m sub-op that does not exist", 1)        \
	X(d->capabilities = 1u << 31, "a domain withdraws an altp2m sub-op that does not exist", 1)        \
	X(d->level = 3, "a domain's level of protection is unknown", 1)                                    \
	X(d->weight = 0, "a domain's weight is not in 1 .. 65535", 1)                                      \
	X(d->weight = 65536, "a domain's weight is not in 1 .. 65535", 1)                                  \
	X(d->segment_count = 0, "a domain's number of kernel segments is 0 or above the limit", 1)         \
	X(d->segment_count = ~0u, "a domain's number of kernel segments is 0 or above the limit", 1)       \
	X(d->segment_first = 5, "a domain's segments are not in the segment table", 1)                     \
	X(d->segment_first = ~0u, "a domain's segments are not in the segment table", 1)                   \
	X(s->gpa = SAMPLE_MEMORY - 1023, "a domain's kernel does not fit its memory", 1)                   \
	X(s->gpa = 0x10fc01, "a domain's kernel segments overlap", 1)                                      \
	X(d->entry = 0xfffff, "a domain's entry is in none of its segments", 1)                            \
	X(d->entry = 0x100400, "a domain's entry is in none of its segments", 1)                           \
	X(first->ramdisk = SAMPLE_VISIBLE - 1, "a domain's ramdisk is not in the payload", 0)              \
	X(first->ramdisk_size = OVER, "a domain's ramdisk is not in the payload", 0)                       \
	X(first->ramdisk_size = 4097, "a domain's ramdisk is not in the payload", 0)                       \
	X((d->memory = 0x120000, d->ramdisk = SAMPLE_VISIBLE, d->ramdisk_size = 0x121000, huge = true),    \
	  "a domain's ramdisk does not fit its memory", 1)                                                 \
	X(d->cmdline_length = 4096, "a domain's command line is too long", 1)                              \
	X(d->cmdline = SAMPLE_VISIBLE - 12, "a domain's command line leaves the part before the payload", 1) \
	X(d->cmdline = 0, "a domain's command line leaves the part before the payload", 1)                 \
	X(d->cmdline_length = 11, "a domain's command line has its NUL in the wrong place", 1)             \
	X(d->cmdline_length = 13, "a domain's command line has its NUL in the wrong place", 1)
/* clang-format on */

static void refuses_each_fault(void **state)
{
	(void)state;
#define X(fault, sentence, row)                                                                              \
	{                                                                                                    \
		struct pack_header *h = new_pack();                                                          \
		struct pack_domain *first = sample_domains(h), *d = first + 1;                               \
		struct pack_segment *s = sample_segments(h) + 2;                                             \
		bool huge = false;                                                                           \
		struct manifest m;                                                                           \
		const char *answer;                                                                          \
                                                                                                             \
		fault;                                                                                       \
		if (huge) {                                                                                  \
			h->size = 1ull << 30;                                                                \
		}                                                                                            \
		answer = manifest_open(h, SAMPLE_VISIBLE, huge ? 1ull << 30 : SAMPLE_SIZE, &m);              \
		if (answer == NULL) {                                                                        \
			fail_msg("accepted: %s", #fault);                                                    \
		}                                                                                            \
		assert_string_equal(answer, sentence);                                                       \
		assert_int_equal(m.index, row);                                                              \
		assert_null(m.header);                                                                       \
		(void)d;                                                                                     \
		(void)s;                                                                                     \
		free(h);                                                                                     \
	}
	FAULTS(X)
#undef X
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(accepts_the_limits),
		cmocka_unit_test(refuses_a_short_or_crooked_pack),
		cmocka_unit_test(refuses_each_fault),
	};

	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
