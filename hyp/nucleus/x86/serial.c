/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console: a 16550 at COM1. Output goes through a buffer that the
 * transmitter's interrupt empties, 16 bytes a time, so that nobody waits for the
 * line unless the buffer is full. Before interrupts are on, and at the end of a
 * run, it is written out by waiting.
 */
#include "platform.h"
#include "asm.h"
#include "ticket.h"

#define COM1 0x3f8
#define DATA (COM1 + 0)
#define INTERRUPT_ENABLE (COM1 + 1)
#define INTERRUPT_ID (COM1 + 2)       /* read; FIFO control when written */
#define LINE_CONTROL (COM1 + 3)
#define MODEM_CONTROL (COM1 + 4)
#define LINE_STATUS (COM1 + 5)
#define SCRATCH (COM1 + 7)

#define STATUS_DATA 0x01
#define STATUS_HOLDING_EMPTY 0x20
#define STATUS_ALL_SENT 0x40
#define ENABLE_RECEIVE 0x01
#define ENABLE_TRANSMIT 0x02
#define FIFO_DEPTH 16u

#define BUFFER_SIZE 32768u            /* power of two */

static struct {
	bool present, interrupts, transmitting;
	uint32_t head, tail;          /* free-running; head - tail bytes wait */
	struct ticket_lock lock;
	char buffer[BUFFER_SIZE];
} serial;

void serial_init(void)
{
	outb(SCRATCH, 0x5a);
	serial.present = inb(SCRATCH) == 0x5a;
	if (!serial.present)
		return;
	outb(INTERRUPT_ENABLE, 0);
	outb(LINE_CONTROL, 0x80);     /* divisor latch: 115200 */
	outb(DATA, 1);
	outb(INTERRUPT_ENABLE, 0);
	outb(LINE_CONTROL, 0x03);     /* 8 data bits, no parity, one stop bit */
	outb(INTERRUPT_ID, 0x07);     /* FIFOs on and empty, receive interrupt at one byte */
	outb(MODEM_CONTROL, 0x0b);    /* DTR, RTS, OUT2: the interrupt line is connected */
}

/* Moves up to a FIFO's worth from the buffer to the transmitter. Lock held. */
static void transmit(void)
{
	uint32_t n;

	if (!(inb(LINE_STATUS) & STATUS_HOLDING_EMPTY))
		return;
	for (n = 0; n < FIFO_DEPTH && serial.tail != serial.head; n++)
		outb(DATA, (uint8_t)serial.buffer[serial.tail++ % BUFFER_SIZE]);
	if (serial.interrupts && (n != 0) != serial.transmitting) {
		serial.transmitting = n != 0;
		outb(INTERRUPT_ENABLE, ENABLE_RECEIVE | (n ? ENABLE_TRANSMIT : 0));
	}
}

static void wait_for_room(uint32_t room)
{
	while (BUFFER_SIZE - (serial.head - serial.tail) < room)
		transmit();
}

void serial_write(const char *bytes, size_t n)
{
	if (!serial.present)
		return;
	ticket_take(&serial.lock);
	while (n--) {
		wait_for_room(1);
		serial.buffer[serial.head++ % BUFFER_SIZE] = *bytes++;
	}
	if (!serial.interrupts)
		wait_for_room(BUFFER_SIZE);
	else if (!serial.transmitting)
		transmit();
	ticket_release(&serial.lock);
}

int serial_read(void)
{
	int byte = -1;

	if (!serial.present)
		return -1;
	ticket_take(&serial.lock);
	if (inb(LINE_STATUS) & STATUS_DATA)
		byte = inb(DATA);
	ticket_release(&serial.lock);
	return byte;
}

void serial_enable_interrupts(void)
{
	if (!serial.present)
		return;
	ticket_take(&serial.lock);
	serial.interrupts = true;
	outb(INTERRUPT_ENABLE, ENABLE_RECEIVE);
	ticket_release(&serial.lock);
}

bool serial_interrupt(void)
{
	bool input;

	ticket_take(&serial.lock);
	inb(INTERRUPT_ID);
	transmit();
	input = inb(LINE_STATUS) & STATUS_DATA;
	ticket_release(&serial.lock);
	return input;
}

void serial_drain(void)
{
	if (!serial.present)
		return;
	/* The lock may be held by a CPU that will never let it go: the machine is ending. */
	while (serial.tail != serial.head)
		transmit();
	while (!(inb(LINE_STATUS) & STATUS_ALL_SENT))
		pause();
}

void serial_panic(const char *bytes, size_t n)
{
	if (!serial.present)
		return;
	serial_drain();
	while (n--) {
		while (!(inb(LINE_STATUS) & STATUS_HOLDING_EMPTY))
			pause();
		outb(DATA, (uint8_t)*bytes++);
	}
}
