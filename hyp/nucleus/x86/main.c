/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot, as a list of calls; how the machine ends; and the gate calls that are
 * about the machine as a whole.
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
NORETURN void nucleus_boot(uint32_t magic, uint32_t information);
NORETURN void nucleus_boot_ap(uint32_t cpu);

struct boot_memory boot_memory;

static struct {
	uint64_t address, size, manifest;
} pack;
static uint32_t released;             /* CPUs may go to the core: the boot CPU's core_boot is done */

/* ---- the image ------------------------------------------------------------------- */

/* Reads the header through the boot tables' one-to-one mapping. */
static void find_pack(void)
{
	const struct pack_header *h = (const void *)image_reference.pack_address;

	pack.address = image_reference.pack_address;
	pack.size = image_reference.pack_size;
	if (!pack.address || pack.size < sizeof(*h))
		panic("this image carries no domains: make one with ravelin-image");
	if (pack.address & PAGE_MASK || h->magic != PACK_MAGIC || h->size != pack.size || h->payload > pack.size ||
	    h->payload < sizeof(*h) || h->payload & PAGE_MASK)
		panic("the pack at %lx is damaged: its header is not one", pack.address);
	pack.manifest = h->payload;
}

uint64_t machine_manifest_size(void) { return pack.manifest; }

bool machine_payload(uint64_t offset, uint64_t length, const void **bytes)
{
	if (offset < pack.manifest || offset > pack.size || length > pack.size - offset)
		return false;
	*bytes = phys_to_ptr(pack.address + offset);
	return true;
}

/* ---- boot ------------------------------------------------------------------------- */

static void cpu_bring_up(uint32_t cpu)
{
	cpu_init(cpu);
	gate_cpus[cpu].state = &cpu_states[cpu];
	cpu_states[cpu] = (struct cpu_state){ .next = VCPU_NONE, .deadline = ~0ull, .loaded_domain = DOMAIN_NONE };
	apic_cpu_init(cpu);
	vmx_cpu_init(cpu);
}

void nucleus_boot(uint32_t magic, uint32_t information)
{
	static struct madt madt;
	struct boot_info *info;

	serial_init();
	cpu_check_features();
	bootinfo_read(magic, information, &boot_memory);
	find_pack();
	paging_init(&boot_memory, pack.address, pack.size, pack.manifest);
	apic_init();
	vmx_init();
	cpu_bring_up(0);
	if (acpi_read_madt(&madt, boot_rsdp))
		smp_start_all(&madt);
	info = &core_boot_info;
	*info = (struct boot_info){
		.cpus = cpu_online,
		.tsc_khz = clock_measure_tsc_khz(),
		.wallclock = clock_read_cmos(),
		.free_bytes = frame_free_count << PAGE_SHIFT,
		.manifest = (const void *)CORE_MANIFEST_VA,
		.manifest_size = pack.manifest,
		.pack_size = pack.size,
	};
	memcpy(info->features, cpu_feature_line(), sizeof(info->features) - 1);
	info->boot_tsc = rdtsc();
	serial_enable_interrupts();
	apic_route_uart();
	first_upcall(info, (const void *)core_boot);
}

/* The others wait until core_boot has returned on the boot CPU. */
void nucleus_boot_ap(uint32_t cpu)
{
	write_cr3(paging_nucleus_root());
	cpu_bring_up(cpu);
	__atomic_store_n(&cpu_online, cpu + 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&released, __ATOMIC_ACQUIRE))
		pause();
	first_upcall((const void *)(uint64_t)cpu, (const void *)core_cpu_up);
}

/* After a CPU's first call into the core. */
void nucleus_release_cpus(void);
void nucleus_release_cpus(void) { __atomic_store_n(&released, 1, __ATOMIC_RELEASE); }

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

	(void)status;
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
