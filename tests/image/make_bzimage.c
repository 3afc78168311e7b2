/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make_bzimage FORMAT KERNEL OUT: wraps a file the way Linux's build does, the
 * payload packed by FORMAT and its unpacked size appended. Only as much of a
 * setup header as a loader looks at. FORMAT lz4-many uses several small blocks
 * and a second frame.
 */
#include <lz4.h>
#include <lzma.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define SIZE_MAX_BYTES (64u << 20)

static uint8_t in[SIZE_MAX_BYTES], out[SIZE_MAX_BYTES];
static size_t in_size, out_size;

static void put_u32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++) {
		at[i] = (uint8_t)(value >> 8 * i);
	}
}

static void append_u32(uint32_t value)
{
	put_u32(out + out_size, value);
	out_size += 4;
}

static void pack_gzip(void)
{
	z_stream z = {.next_in = in, .avail_in = (uInt)in_size, .next_out = out, .avail_out = SIZE_MAX_BYTES};

	if (deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK ||
	    deflate(&z, Z_FINISH) != Z_STREAM_END) {
		abort();
	}
	out_size = z.total_out;
	deflateEnd(&z);
}

static void pack_xz(void)
{
	lzma_options_lzma options;
	lzma_filter filters[] = {
		{LZMA_FILTER_X86, NULL}, {LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};

	lzma_lzma_preset(&options, 6);
	if (lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, in, in_size, out, &out_size,
				      SIZE_MAX_BYTES) != LZMA_OK) {
		abort();
	}
}

static void pack_lzma(void)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_options_lzma options;

	lzma_lzma_preset(&options, 6);
	z.next_in = in;
	z.avail_in = in_size;
	z.next_out = out;
	z.avail_out = SIZE_MAX_BYTES;
	if (lzma_alone_encoder(&z, &options) != LZMA_OK || lzma_code(&z, LZMA_FINISH) != LZMA_STREAM_END) {
		abort();
	}
	out_size = z.total_out;
	lzma_end(&z);
}

static void pack_zstd(void)
{
	out_size = ZSTD_compress(out, SIZE_MAX_BYTES, in, in_size, 19);
	if (ZSTD_isError(out_size)) {
		abort();
	}
}

static void pack_lz4(size_t block)
{
	append_u32(0x184c2102);
	for (size_t at = 0; at < in_size; at += block) {
		size_t length = in_size - at < block ? in_size - at : block;
		int n = LZ4_compress_default((char *)in + at, (char *)out + out_size + 4, (int)length,
					     (int)(SIZE_MAX_BYTES - out_size - 4));

		if (n <= 0) {
			abort();
		}
		append_u32((uint32_t)n);
		out_size += (size_t)n;
		if (at == 0 && length < in_size) {
			append_u32(0x184c2102);
		}
	}
}

int main(int argc, char **argv)
{
	static uint8_t setup[1024 + 512]; /* boot sector, one setup sector, and a payload offset of 512 */
	FILE *from, *to;

	if (argc != 4 || (from = fopen(argv[2], "rb")) == NULL) {
		return 1;
	}
	in_size = fread(in, 1, sizeof(in), from);
	fclose(from);
	if (strcmp(argv[1], "gzip") == 0) {
		pack_gzip();
	} else if (strcmp(argv[1], "xz") == 0) {
		pack_xz();
	} else if (strcmp(argv[1], "lzma") == 0) {
		pack_lzma();
	} else if (strcmp(argv[1], "zstd") == 0) {
		pack_zstd();
	} else if (strcmp(argv[1], "lz4") == 0) {
		pack_lz4(8u << 20);
	} else if (strcmp(argv[1], "lz4-many") == 0) {
		pack_lz4(1000);
	} else if (strcmp(argv[1], "bzip2") == 0) { /* just its magic */
		memcpy(out, "BZh9 and so on..", 16);
		out_size = 16;
	} else {
		memcpy(out, in, in_size);
		out_size = in_size;
	}
	if (strcmp(argv[1], "gzip") != 0) {
		append_u32((uint32_t)in_size);
	}
	setup[0x1f1] = 1;
	setup[0x1fe] = 0x55;
	setup[0x1ff] = 0xaa;
	memcpy(setup + 0x202, "HdrS", 4);
	setup[0x206] = 0x0f;
	setup[0x207] = 0x02;
	put_u32(setup + 0x248, 512);
	put_u32(setup + 0x24c, (uint32_t)out_size);
	to = fopen(argv[3], "wb");
	if (to == NULL || fwrite(setup, 1, sizeof(setup), to) != sizeof(setup) ||
	    fwrite(out, 1, out_size, to) != out_size || fclose(to) != 0) {
		return 1;
	}
	return 0;
}
