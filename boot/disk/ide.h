/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the boot disk behind a PC's IDE controller.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Finds the disk whose first sector is the 512 bytes at `first_sector`. NULL, or
 * a sentence saying why there is none.
 */
const char *ide_open(const void *first_sector);

/* Whether reads go by bus-master DMA rather than through the data port. */
bool ide_has_dma(void);

/*
 * Reads whole sectors into memory at `to`, which is even. NULL, or a sentence
 * saying what failed.
 */
const char *ide_read(uint32_t lba, uint32_t sectors, uint32_t to);
