/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the disk loader's test image consists of; for assembly and C.
 */
#pragma once

#define PAYLOAD_BASE 0x100000
#define ODD_BASE 0x900001
#define ODD_TEXT "address and file offset are odd and differ modulo a sector"
#define PATTERN_BASE 0x1000200
#ifndef PATTERN_SIZE
#define PATTERN_SIZE 0x3c00000
#endif
#define PATTERN_FACTOR 0x9e3779b1
#define ZEROES_BASE (PATTERN_BASE + PATTERN_SIZE)
#define ZEROES_SIZE 300000
#define PAYLOAD_STACK 0x800000
