/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes the vmlinux out of a bzImage (Linux: Documentation/arch/x86/boot.rst).
 *
 * The payload ends with its unpacked size, 32 bits: gzip has that anyway, for
 * the others the kernel's build appends it.
 */
#include "image.h"

#include <inttypes.h>
#include <lz4.h>
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define UNPACKED_MAX (1ull << 30)

/* Fields of the setup header, byte offsets in the file. */
#define SETUP_SECTS	      0x1f1
#define BOOT_FLAG	      0x1fe
#define HEADER_MAGIC	      0x202
#define PROTOCOL	      0x206
#define PAYLOAD_OFFSET	      0x248
#define PAYLOAD_LENGTH	      0x24c
#define PROTOCOL_WITH_PAYLOAD 0x0208

#define LZ4_MAGIC     0x184c2102u
#define LZ4_BLOCK_MAX (8u << 20)

static uint32_t read_u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* All of these fill exactly out_size bytes or return false. Sizes are below 4 GiB. */

static bool unpack_gzip(const uint8_t *in, uint64_t in_size, uint8_t *out, uint64_t out_size)
{
	z_stream z = {.next_in = (uint8_t *)in,
		      .avail_in = (uInt)in_size,
		      .next_out = out,
		      .avail_out = (uInt)out_size};
	bool good;

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) {
		return false;
	}
	good = inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out == out_size;
	inflateEnd(&z);
	return good;
}

static bool run_lzma(lzma_stream *z, const uint8_t *in, uint64_t in_size, uint8_t *out, uint64_t out_size)
{
	lzma_ret ret;

	z->next_in = in;
	z->avail_in = in_size;
	z->next_out = out;
	z->avail_out = out_size;
	do {
		ret = lzma_code(z, LZMA_RUN);
	} while (ret == LZMA_OK && z->avail_out != 0);
	lzma_end(z);
	return (ret == LZMA_OK || ret == LZMA_STREAM_END) && z->avail_out == 0;
}

static bool unpack_xz(const uint8_t *in, uint64_t in_size, uint8_t *out, uint64_t out_size)
{
	lzma_stream z = LZMA_STREAM_INIT;

	return lzma_stream_decoder(&z, UINT64_MAX, 0) == LZMA_OK && run_lzma(&z, in, in_size, out, out_size);
}

static bool unpack_lzma(const uint8_t *in, uint64_t in_size, uint8_t *out, uint64_t out_size)
{
	lzma_stream z = LZMA_STREAM_INIT;

	return lzma_alone_decoder(&z, UINT64_MAX) == LZMA_OK && run_lzma(&z, in, in_size, out, out_size);
}

static bool unpack_zstd(const uint8_t *in, uint64_t in_size, uint8_t *out, uint64_t out_size)
{
	size_t frame = ZSTD_findFrameCompressedSize(in, in_size);

	return !ZSTD_isError(frame) && ZSTD_decompress(out, out_size, in, frame) == out_size;
}

/* The legacy frame: the magic, then blocks of at most 8 MiB, each behind its packed size. */
static bool unpack_lz4(const uint8_t *in, uint64_t in_size, uint8_t *out, uint64_t out_size)
{
	uint64_t at = 0, done = 0;

	while (done < out_size) {
		uint64_t room = out_size - done < LZ4_BLOCK_MAX ? out_size - done : LZ4_BLOCK_MAX;
		uint32_t block;
		int n;

		if (in_size - at < 4) {
			return false;
		}
		block = read_u32(in + at);
		at += 4;
		if (block == LZ4_MAGIC) { /* frames may follow each other */
			continue;
		}
		if (block > in_size - at || block > (uint32_t)LZ4_compressBound(LZ4_BLOCK_MAX)) {
			return false;
		}
		n = LZ4_decompress_safe((const char *)in + at, (char *)out + done, (int)block, (int)room);
		if (n <= 0) {
			return false;
		}
		at += block;
		done += (uint64_t)n;
	}
	return true;
}

static const struct packing {
	const char *name;
	char magic[8];
	uint32_t magic_length;
	bool (*unpack)(const uint8_t *in, uint64_t in_size, uint8_t *out,
		       uint64_t out_size); /* NULL: can't */
} packings[] = {
	{"gzip", "\x1f\x8b", 2, unpack_gzip},
	{"xz",
	 "\xfd"
	 "7zXZ",
	 6, unpack_xz},
	{"lz4", "\x02\x21\x4c\x18", 4, unpack_lz4},
	{"zstd", "\x28\xb5\x2f\xfd", 4, unpack_zstd},
	{"lzma", "\x5d\x00\x00", 3, unpack_lzma},
	{"bzip2", "BZh", 3, NULL},
	{"lzo", "\x89LZO", 4, NULL},
};

static const char *unpack_payload(const uint8_t *in, uint64_t in_size, struct kernel *k)
{
	uint64_t size = read_u32(in + in_size - 4);
	const struct packing *p = NULL;
	uint8_t *out;

	if (in_size > 4 && memcmp(in,
				  "\x7f"
				  "ELF",
				  4) == 0) {
		k->elf = in;
		k->elf_size = in_size;
		k->format = "bzImage, not compressed";
		return NULL;
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(packings); i++) {
		if (in_size > 8 && memcmp(in, packings[i].magic, packings[i].magic_length) == 0) {
			p = &packings[i];
		}
	}
	if (p == NULL) {
		return "a bzImage with an unknown compression; expected gzip, xz, lzma, lz4 or zstd";
	}
	if (p->unpack == NULL) {
		return new_text("a bzImage compressed with %s; expected gzip, xz, lzma, lz4 or zstd",
				p->name);
	}
	if (size == 0 || size > UNPACKED_MAX) {
		return new_text("a bzImage that says it unpacks to %" PRIu64 " bytes; expected 1 .. 1 GiB",
				size);
	}
	out = new_bytes(size);
	if (!p->unpack(in, in_size, out, size)) {
		return new_text("a damaged bzImage: its %s payload does not unpack to the %" PRIu64
				" bytes it says",
				p->name, size);
	}
	k->elf = out;
	k->elf_size = size;
	k->format = new_text("bzImage, %s", p->name);
	say("unpacked kernel %s: %s of %s -> %s", k->file->path, size_text(in_size), p->name,
	    size_text(size));
	return NULL;
}

const char *unpack_kernel(const struct file *file, struct kernel *k)
{
	uint64_t start, length;
	const uint8_t *b = file->bytes;

	if (file->size >= 4 && memcmp(b,
				      "\x7f"
				      "ELF",
				      4) == 0) {
		k->elf = b;
		k->elf_size = file->size;
		k->format = "ELF";
		return NULL;
	}
	if (file->size < 0x250 || memcmp(b + HEADER_MAGIC, "HdrS", 4) != 0 || b[BOOT_FLAG] != 0x55 ||
	    b[BOOT_FLAG + 1] != 0xaa) {
		return "neither an ELF file nor a bzImage; expected a Linux kernel (vmlinuz) or another PVH "
		       "ELF";
	}
	if ((b[PROTOCOL] | b[PROTOCOL + 1] << 8) < PROTOCOL_WITH_PAYLOAD) {
		return "a bzImage that does not say where its payload is; expected boot protocol 2.08 or "
		       "later";
	}
	/* The protected-mode part follows the boot sector and the setup sectors; 0 of them means 4. */
	start = (b[SETUP_SECTS] == 0 ? 4 : b[SETUP_SECTS]) * 512ull + 512 + read_u32(b + PAYLOAD_OFFSET);
	length = read_u32(b + PAYLOAD_LENGTH);
	if (length < 16 || start > file->size || length > file->size - start) {
		return "a bzImage whose payload is not inside the file; expected a whole file";
	}
	return unpack_payload(b + start, length, k);
}
