# SPDX-License-Identifier: Apache-2.0
#
# The host image tool $(B)/tools/ravelin-image, its test, and the unit test and
# fuzzer of the manifest that it writes and the core reads.
#
# make test-manifest test-image; FUZZ_ROUNDS and FUZZ_SEED bound the fuzzer.

B ?= build
HOSTCC ?= gcc
FUZZ_ROUNDS ?= 500000
FUZZ_SEED ?= 1

IMAGE_TOOL := $(B)/tools/ravelin-image
IMAGE_SOURCES := $(wildcard tools/image/*.c) hyp/core/manifest.c hyp/core/altp2m_policy.c
IMAGE_HEADERS := tools/image/image.h hyp/core/altp2m_policy.h \
	$(addprefix hyp/include/,altp2m_abi.h manifest.h limits.h types.h)
IMAGE_LIBS := -lfdt -lelf -lz -llzma -lzstd -llz4 -lnettle
# -iquote: the system keeps its own <limits.h> and <errno.h>.
IMAGE_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -iquote hyp/include -iquote hyp/core
IMAGE_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

UNIT_TESTS += $(B)/unit/manifest_test

.PHONY: image-tool test-manifest test-image
image-tool: $(IMAGE_TOOL)

$(IMAGE_TOOL): $(IMAGE_SOURCES) $(IMAGE_HEADERS) tools/image/image.mk
	@mkdir -p $(@D)
	$(HOSTCC) $(IMAGE_CFLAGS) -o $@ $(IMAGE_SOURCES) $(IMAGE_LIBS)

# The same, for its tests: a memory error in it is a failure.
$(B)/tools/ravelin-image-checked: $(IMAGE_SOURCES) $(IMAGE_HEADERS) tools/image/image.mk
	@mkdir -p $(@D)
	$(HOSTCC) $(IMAGE_CFLAGS) $(IMAGE_SANITIZE) -o $@ $(IMAGE_SOURCES) $(IMAGE_LIBS)

$(B)/tools/make-bzimage: tests/image/make_bzimage.c tools/image/image.mk
	@mkdir -p $(@D)
	$(HOSTCC) $(IMAGE_CFLAGS) $(IMAGE_SANITIZE) -o $@ $< -lz -llzma -lzstd -llz4

MANIFEST_DEPS := hyp/core/manifest.c hyp/core/manifest_sample.h $(IMAGE_HEADERS) tools/image/image.mk

$(B)/unit/manifest_test: hyp/core/manifest_test.c $(MANIFEST_DEPS)
	@mkdir -p $(@D)
	$(HOSTCC) $(IMAGE_CFLAGS) $(IMAGE_SANITIZE) -o $@ $< hyp/core/manifest.c -lcmocka

$(B)/unit/manifest_fuzz: hyp/core/manifest_fuzz.c $(MANIFEST_DEPS)
	@mkdir -p $(@D)
	$(HOSTCC) $(IMAGE_CFLAGS) $(IMAGE_SANITIZE) -o $@ $< hyp/core/manifest.c

test-manifest: $(B)/unit/manifest_test $(B)/unit/manifest_fuzz
	$(B)/unit/manifest_test
	$(B)/unit/manifest_fuzz $(FUZZ_ROUNDS) $(FUZZ_SEED)

test-image: $(B)/tools/ravelin-image-checked $(B)/tools/make-bzimage
	tests/image/image_test.sh $^ $(B)/tests/image
