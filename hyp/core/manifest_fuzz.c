/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzer of manifest_open: manifest_fuzz [COUNT [SEED]].
 *
 * Each round spoils one to four places of a sound pack, by field or by byte, and
 * hands it over in a heap block of exactly its visible size, so that ASan ends
 * the run at any read outside. Whatever is accepted is then read whole, the way
 * the core would, and checked against rules written a second time here.
 */
#include "manifest_sample.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define SENTENCES_MAX 64u

static uint64_t random_state;

/* splitmix64 */
static uint64_t random_next(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static uint64_t random_below(uint64_t n)
{
	return random_next() % n;
}

/* To run a failure again. */
static uint64_t seed, round_number;

static void must(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "manifest_fuzz: %s (round %" PRIu64 ", seed %" PRIu64 ")\n", what,
			round_number, seed);
		abort();
	}
}

/* The numbers at which range checks go wrong. */
static uint64_t edge_value(uint64_t old)
{
	static const uint64_t edges[] = {0,
					 1,
					 7,
					 8,
					 31,
					 32,
					 255,
					 256,
					 4095,
					 4096,
					 65535,
					 65536,
					 0x100000,
					 0x7fffffff,
					 0x80000000,
					 0xffffffff,
					 0x100000000,
					 0x7fffffffffffffff,
					 0x8000000000000000,
					 ~0ull,
					 ~0ull - 7,
					 ~0ull - 4095,
					 SAMPLE_VISIBLE,
					 SAMPLE_VISIBLE - 1,
					 SAMPLE_VISIBLE + 1,
					 SAMPLE_VISIBLE - 8,
					 SAMPLE_VISIBLE - 4096,
					 SAMPLE_SIZE,
					 SAMPLE_SIZE - 1,
					 SAMPLE_SIZE + 1,
					 SAMPLE_MEMORY,
					 SAMPLE_MEMORY - 1,
					 sizeof(struct pack_header),
					 sizeof(struct pack_domain),
					 sizeof(struct pack_segment),
					 DOMAINS_MAX,
					 DOMAINS_MAX + 1,
					 PACK_SEGMENTS_MAX,
					 PACK_MEMORY_MAX};

	switch (random_below(6)) {
	case 0:
		return random_next();
	case 1:
		return old + random_below(33) - 16;
	case 2:
		return old ^ 1ull << random_below(64);
	case 3:
		return random_below(SAMPLE_SIZE + 4096);
	default:
		return edges[random_below(ARRAY_SIZE(edges))];
	}
}

struct field {
	uint32_t offset, size;
};

/* clang-format off */
#define FIELD(type, name) { offsetof(struct type, name), sizeof(((struct type *)0)->name) }

static const struct field header_fields[] = {
	FIELD(pack_header, magic), FIELD(pack_header, size), FIELD(pack_header, version),
	FIELD(pack_header, domain_count), FIELD(pack_header, segment_count), FIELD(pack_header, reserved),
	FIELD(pack_header, domains), FIELD(pack_header, segments), FIELD(pack_header, payload),
	FIELD(pack_header, options), FIELD(pack_header, options_length),
};
static const struct field domain_fields[] = {
	FIELD(pack_domain, flags), FIELD(pack_domain, vcpus), FIELD(pack_domain, memory),
	FIELD(pack_domain, table_budget), FIELD(pack_domain, altp2m_mode), FIELD(pack_domain, level),
	FIELD(pack_domain, capabilities), FIELD(pack_domain, entry), FIELD(pack_domain, weight),
	FIELD(pack_domain, segment_first), FIELD(pack_domain, segment_count), FIELD(pack_domain, ramdisk),
	FIELD(pack_domain, ramdisk_size), FIELD(pack_domain, cmdline), FIELD(pack_domain, cmdline_length),
};
static const struct field segment_fields[] = {
	FIELD(pack_segment, gpa), FIELD(pack_segment, file_size), FIELD(pack_segment, memory_size),
	FIELD(pack_segment, offset),
};
/* clang-format on */

static void spoil_field(void *row, const struct field *fields, uint64_t count)
{
	const struct field *f = &fields[random_below(count)];
	uint64_t value = 0;

	memcpy(&value, (uint8_t *)row + f->offset, f->size);
	value = edge_value(value);
	memcpy((uint8_t *)row + f->offset, &value, f->size);
}

static void spoil_name(char *name)
{
	if (random_below(2) == 0) {
		name[random_below(PACK_NAME_MAX)] = (char)random_next();
	} else {
		memset(name, 'a', PACK_NAME_MAX - random_below(2));
	}
}

/* Puts something right at an end, or one off it. */
static void spoil_end(uint8_t *pack, struct pack_domain *d, struct pack_segment *s)
{
	struct pack_header *h = (void *)pack;
	uint64_t off = random_below(3) - 1;

	switch (random_below(5)) {
	case 0:
		d->cmdline = SAMPLE_VISIBLE - 1 - d->cmdline_length + off;
		break;
	case 1:
		h->options = SAMPLE_VISIBLE - 1 - h->options_length + off;
		break;
	case 2:
		s->offset = SAMPLE_SIZE - s->file_size + off;
		break;
	case 3:
		s->gpa = SAMPLE_MEMORY - s->memory_size + off;
		break;
	default:
		d->ramdisk = SAMPLE_SIZE - d->ramdisk_size + off;
		break;
	}
	/* A text there, with and without its NUL. */
	memset(pack + SAMPLE_VISIBLE - 32, 'x', 31 + random_below(2));
}

/* `domains` and `segments` (in all) of a sound pack; its header may be spoilt already. */
static void spoil(uint8_t *pack, uint32_t domains, uint32_t segments)
{
	struct pack_domain *d = (void *)(pack + sizeof(struct pack_header));
	struct pack_segment *s = (void *)(d + domains);
	uint64_t tables = sizeof(struct pack_header) + domains * sizeof(*d) + segments * sizeof(*s);

	switch (random_below(11)) {
	case 0:
	case 1:
		spoil_field(pack, header_fields, ARRAY_SIZE(header_fields));
		break;
	case 2:
	case 3:
	case 4:
		spoil_field(&d[random_below(domains)], domain_fields, ARRAY_SIZE(domain_fields));
		break;
	case 5:
		spoil_field(&s[random_below(segments)], segment_fields, ARRAY_SIZE(segment_fields));
		break;
	case 6:
		spoil_name(d[random_below(domains)].name);
		break;
	case 7: /* a row of a table twice */
		if (random_below(2) == 0) {
			d[random_below(domains)] = d[random_below(domains)];
		} else {
			s[random_below(segments)] = s[random_below(segments)];
		}
		break;
	case 8: /* any byte of tables and strings */
		pack[random_below(tables + 512)] = (uint8_t)random_next();
		break;
	case 9:
		spoil_end(pack, &d[random_below(domains)], &s[random_below(segments)]);
		break;
	default: { /* any word anywhere */
		static const struct field word = {0, 8};

		spoil_field(pack + 8 * random_below(SAMPLE_VISIBLE / 8), &word, 1);
		break;
	}
	}
}

/* a + b <= end without overflow, a >= start */
static bool inside(uint64_t a, uint64_t b, uint64_t start, uint64_t end)
{
	return a >= start && (unsigned __int128)a + b <= end;
}

static uint64_t read_all(const void *bytes, uint64_t length)
{
	const uint8_t *p = bytes;
	uint64_t sum = 0;

	for (uint64_t i = 0; i < length; i++) {
		sum += p[i];
	}
	return sum;
}

#define PAYLOAD_READ_MAX (1u << 20)

/*
 * Reads all of an accepted manifest; `payload` is its bytes from header->payload
 * on, NULL if the pack claims to be too large to make them.
 */
static uint64_t walk(const struct manifest *m, const uint8_t *payload, uint64_t size)
{
	const struct pack_header *h = m->header;
	const char *text = manifest_string(m, h->options);
	uint64_t sum = strlen(text), controls = 0;

	must(strlen(text) == h->options_length, "accepted, but the options' length is wrong");
	must(h->size == size, "accepted, but the size is wrong");
	for (uint32_t i = 0; i < h->domain_count; i++) {
		const struct pack_domain *d = &m->domains[i];
		bool entered = false;

		must(strlen(d->name) < PACK_NAME_MAX && d->name[0] != '\0',
		     "accepted, but a name is too long");
		for (uint32_t j = 0; j < i; j++) {
			must(strcmp(d->name, m->domains[j].name) != 0, "accepted, but a name is not unique");
		}
		controls += d->flags & PACK_DOMAIN_CONTROL;
		must(d->vcpus - 1 < DOMAIN_VCPUS_MAX, "accepted, but vcpus is wrong");
		text = manifest_string(m, d->cmdline);
		must(strlen(text) == d->cmdline_length, "accepted, but a command line's length is wrong");
		sum += strlen(text);
		must(d->segment_count - 1 < PACK_SEGMENTS_MAX,
		     "accepted, but a domain's segments are too many");
		for (uint32_t j = 0; j < d->segment_count; j++) {
			const struct pack_segment *s = &m->segments[d->segment_first + j];

			must(inside(s->gpa, s->memory_size, 0, d->memory),
			     "accepted, but a segment is outside RAM");
			must(inside(s->offset, s->file_size, h->payload, size),
			     "accepted, but a segment is outside");
			must(s->file_size <= s->memory_size, "accepted, but a segment shrinks");
			if (payload != NULL) {
				sum += read_all(payload + (s->offset - h->payload), s->file_size);
			}
			entered |= d->entry >= s->gpa && d->entry < s->gpa + s->memory_size;
		}
		must(entered, "accepted, but an entry is outside");
		if (d->ramdisk_size != 0) {
			must(inside(d->ramdisk, d->ramdisk_size, h->payload, size),
			     "accepted, but a ramdisk is outside");
			if (payload != NULL) {
				sum += read_all(payload + (d->ramdisk - h->payload), d->ramdisk_size);
			}
		}
	}
	must(controls <= 1, "accepted, but there are two control domains");
	return sum;
}

static struct {
	const char *text;
	uint64_t count;
} sentences[SENTENCES_MAX];

static void count_sentence(const char *text)
{
	for (uint32_t i = 0; i < SENTENCES_MAX; i++) {
		if (sentences[i].text == text || sentences[i].text == NULL) {
			sentences[i].text = text;
			sentences[i].count++;
			return;
		}
	}
	abort();
}

static uint8_t *allocate(uint64_t size)
{
	uint8_t *block = malloc(size + (size == 0));

	if (block == NULL) {
		abort();
	}
	return block;
}

/* Hands one spoilt copy of `sound` over; adds what was read to *sum. True if it was accepted. */
static bool run_round(const uint8_t *sound, uint8_t *exact, uint32_t domains, uint32_t segments,
		      uint64_t *sum)
{
	uint64_t visible = SAMPLE_VISIBLE, size = SAMPLE_SIZE, payload_size;
	uint32_t times = 1 + (uint32_t)random_below(4);
	uint8_t *pack = exact, *payload = NULL;
	struct manifest m;
	const char *wrong;

	memcpy(exact, sound, SAMPLE_VISIBLE);
	for (uint32_t i = 0; i < times; i++) {
		spoil(exact, domains, domains * segments);
	}
	/* Now and then the caller's sizes are wrong too: a block of that size. */
	if (random_below(64) == 0) {
		visible = random_below(SAMPLE_VISIBLE + 1);
		pack = allocate(visible);
		memcpy(pack, exact, visible);
	}
	if (random_below(64) == 0) {
		size = edge_value(size);
	}
	wrong = manifest_open(pack, visible, size, &m);
	if (wrong != NULL) {
		must(m.header == NULL, "refused, but open");
		count_sentence(wrong);
	} else {
		payload_size = size - m.header->payload;
		if (payload_size <= PAYLOAD_READ_MAX) {
			payload = allocate(payload_size);
			memset(payload, 1, payload_size);
		}
		*sum += walk(&m, payload, size);
		free(payload);
	}
	if (pack != exact) {
		free(pack);
	}
	return wrong == NULL;
}

int main(int argc, char **argv)
{
	uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 0) : 200000;
	uint8_t *sound = allocate(SAMPLE_VISIBLE), *exact = allocate(SAMPLE_VISIBLE);
	uint64_t accepted = 0, sum = 0, kinds = 0;
	uint32_t domains = 1, segments = 1;
	struct timespec start, end;

	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	random_state = seed;
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (round_number = 0; round_number < rounds; round_number++) {
		if (round_number % 64 == 0) {
			domains = 1 + (uint32_t)random_below(random_below(4) == 0 ? DOMAINS_MAX : 3);
			segments = 1 + (uint32_t)random_below(4);
			sample_pack(sound, domains, segments);
		}
		accepted += run_round(sound, exact, domains, segments, &sum);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	for (uint32_t i = 0; i < SENTENCES_MAX && sentences[i].text != NULL; i++) {
		printf("%10" PRIu64 "  %s\n", sentences[i].count, sentences[i].text);
		kinds++;
	}
	printf("%10" PRIu64 "  accepted and read whole (sum %" PRIx64 ")\n", accepted, sum);
	printf("manifest_fuzz: %" PRIu64 " mutants, seed %" PRIu64 ", %" PRIu64 " kinds of refusal, %.1f s\n",
	       rounds, seed, kinds,
	       (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
	free(sound);
	free(exact);
	/* A fuzzer that accepts everything or nothing tests nothing. */
	return rounds >= 10000 && (accepted == 0 || kinds < 20);
}
