# SPDX-License-Identifier: Apache-2.0
#
# Tests of the emulator runner. Needs the test image of boot/disk/loader.mk.

.PHONY: test-run
test-run: $(addprefix $(or $(B),build)/boot/,disk-loader.bin disk-test/payload.bin disk-test/disk_image)
	tools/run/run_test $(B)

B ?= build

ifndef BOOT32_CFLAGS
include boot/disk/loader.mk
endif
