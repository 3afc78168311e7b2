/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader's two interrupts: the timer, which bounds every wait, and the disk.
 * Waiting in HLT matters: an emulator skips the time until the next event, and a
 * transfer takes some hundred million instructions' worth of it.
 */
#pragma once

#include <stdint.h>

/* BIOS timer ticks since interrupts_open, 18.2 a second. */
extern volatile uint32_t timer_ticks;
#define TICKS_PER_SECOND 18u

/* Takes over the PICs: timer and IDE interrupts only. Interrupts stay off. */
void interrupts_open(void);

/* Sleeps until one interrupt has been served. Called with interrupts off. */
void interrupts_wait(void);

/* Masks everything again, as the image expects to find it. */
void interrupts_close(void);
