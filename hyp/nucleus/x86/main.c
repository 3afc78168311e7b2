/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left of the boot once it is over; how the machine speaks and ends; and
 * the gate calls that are about the machine as a whole.
 */
#include "vcpu.h"
#include "asm.h"
#include "core.h"
#include "frame.h"
#include "manifest.h"
#include "memory.h"
#include "say.h"
#include "string.h"
#include "ticket.h"

/* The image builder fills this in; it finds it by the magic. */
volatile const struct image_ref image_reference __attribute__((section(".image_ref"), used)) = {
	.magic = IMAGE_REF_MAGIC,
};

NORETURN void first_upcall(const void *argument, const void *function);

struct boot_memory boot_memory;
uint32_t cpu_online = 1;
bool machine_stopping;

struct boot_pack pack;
static uint32_t released;             /* CPUs may go to the core: the boot CPU's core_boot is done */

/* ---- the image ------------------------------------------------------------------- */

uint64_t machine_manifest_size(void) { return pack.manifest; }

bool machine_payload(uint64_t offset, uint64_t length, const void **bytes)
{
	if (offset < pack.manifest || offset > pack.size || length > pack.size - offset)
		return false;
	*bytes = phys_to_ptr(pack.address + offset);
	return true;
}

/* ---- from boot to the loop ------------------------------------------------------------ */

/*
 * A CPU leaves its setup code here for good. The boot CPU goes on at once; the
 * others wait until its core_boot has returned.
 */
void nucleus_enter(const void *argument, const void *function)
{
	if (gate_here->cpu != 0) {
		while (!__atomic_load_n(&released, __ATOMIC_ACQUIRE))
			pause();
		paging_flush_all();
	}
	first_upcall(argument, function);
}

void nucleus_release_cpus(void);

/* After a CPU's first call into the core; the first of all is the boot CPU's. */
void nucleus_release_cpus(void)
{
	if (gate_here->cpu == 0)
		paging_drop_setup();
	__atomic_store_n(&released, 1, __ATOMIC_RELEASE);
}

/* ---- speaking and ending ------------------------------------------------------------ */

void say(const char *format, ...)
{
	char line[512];
	va_list args;
	size_t n;

	va_start(args, format);
	n = say_text(line, sizeof(line) - 2, format, args);
	va_end(args);
	line[n++] = '\r';
	line[n++] = '\n';
	serial_write("ravelin: ", 9);
	serial_write(line, n);
}

void panic(const char *format, ...)
{
	static uint32_t panicking;
	char line[512];
	va_list args;
	size_t n;

	/* The first one speaks; a second, or another CPU's, only stops. */
	if (__atomic_exchange_n(&panicking, 1, __ATOMIC_SEQ_CST)) {
		for (;;)
			halt();
	}
	va_start(args, format);
	n = say_text(line, sizeof(line) - 2, format, args);
	va_end(args);
	line[n++] = '\r';
	line[n++] = '\n';
	serial_panic("\r\nravelin: stopped: ", 20);
	serial_panic(line, n);
	machine_stop(1);
}

void machine_panic(const char *message) { panic("CHECK failed: %s", message); }

/*
 * Emulators end their run at the word "Shutdown" on port 8900h; real machines stay
 * where they are, for a person to read the console and switch off.
 */
void machine_stop(uint32_t status)
{
	const char *word = "Shutdown";
	uint32_t i;

	(void)status;
	__atomic_store_n(&machine_stopping, true, __ATOMIC_SEQ_CST);
	for (i = 0; cpu_online > 1 && i < cpu_online; i++) {
		gate_cpus[i].credit = 0;
		if (i != gate_here->cpu)
			apic_send(i, VECTOR_KICK);
	}
	serial_drain();
	while (*word)
		outb(0x8900, (uint8_t)*word++);
	for (;;)
		halt();
}

/* ---- gate calls ---------------------------------------------------------------------- */

void nuc_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	uint32_t r[4];

	CHECK(machine_core_range(out, sizeof(r), true));
	cpuid(leaf, subleaf, r);
	memcpy(out, r, sizeof(r));
}

void nuc_console_write(const char *bytes, size_t length)
{
	CHECK(length <= PAGE_SIZE && machine_core_range(bytes, length, false));
	serial_write(bytes, length);
}

int nuc_console_read(void) { return serial_read(); }

void nuc_panic(const char *message)
{
	char text[256] = "";
	size_t n = 0;

	while (n < sizeof(text) - 1 && machine_core_range(message + n, 1, false) && message[n]) {
		text[n] = message[n];
		n++;
	}
	panic("core: %s", text);
}

void nuc_power_off(uint32_t status) { machine_stop(status); }

NORETURN void gate_bad_call(void);

void gate_bad_call(void) { panic("the core made a gate call that does not exist"); }

void machine_scrub(mfn_t mfn, uint32_t order)
{
	memset(phys_to_ptr(mfn.mfn << PAGE_SHIFT), 0, order_frames(order) << PAGE_SHIFT);
}

/* Flushes are the caller's to get right; this machine cannot tell. */
void machine_freed(mfn_t mfn) { (void)mfn; }
