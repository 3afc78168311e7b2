/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mark: the guest's half of the stop-watch. Executes `xchg %bx,%bx`, which Bochs
 * stops at when told to and which does nothing elsewhere, then prints the TSC and
 * how long the CPUs have idled so far.
 *
 * mark off: switches the emulator off, for a Linux with no hypervisor below it.
 *
 * No C library: it runs inside the interval that is measured.
 */
#include <asm/unistd.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>

static long call(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

static size_t length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static void print_run(const char *s, size_t n)
{
	call(__NR_write, 1, (long)s, (long)n);
}

static void print(const char *s)
{
	print_run(s, length(s));
}

static void print_number(uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	print_run(digits + i, sizeof(digits) - i);
}

static char buffer[65536];

/* Fills `buffer` from a file and ends it with a NUL. Its size, 0 on any error. */
static size_t slurp(const char *path)
{
	long file = call(__NR_open, (long)path, O_RDONLY, 0), n, size = 0;

	if (file < 0)
		return 0;
	while ((n = call(__NR_read, file, (long)(buffer + size), (long)sizeof(buffer) - 1 - size)) > 0)
		size += n;
	call(__NR_close, file, 0, 0);
	buffer[size] = '\0';
	return (size_t)size;
}

static void print_line_of(const char *path)
{
	size_t n = slurp(path), i = 0;

	while (i < n && buffer[i] != '\n')
		i++;
	print_run(buffer, i);
}

/* The sum of all "<key>: N nsecs" lines of the timer list: nanoseconds, all CPUs. */
static uint64_t sum_of(const char *key)
{
	size_t n = length(key);
	uint64_t sum = 0, value;

	for (const char *p = buffer; *p; p++) {
		size_t i = 0;

		while (i < n && p[i] == key[i])
			i++;
		if (i < n)
			continue;
		for (p += n; *p == ' ' || *p == ':' || *p == '\t'; p++)
			;
		for (value = 0; *p >= '0' && *p <= '9'; p++)
			value = value * 10 + (uint64_t)(*p - '0');
		sum += value;
		if (!*p)
			break;
	}
	return sum;
}

static void stop_watch(void)
{
	uint32_t low, high;

	__asm__ volatile("xchgw %bx, %bx");
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	print("mark: tsc ");
	print_number((uint64_t)high << 32 | low);
	print(" uptime ");
	print_line_of("/proc/uptime");
	slurp("/proc/timer_list");
	print(" idle_ns ");
	print_number(sum_of("idle_sleeptime"));
	print(" iowait_ns ");
	print_number(sum_of("iowait_sleeptime"));
	print("\nmark: ");
	print_line_of("/proc/stat");
	print("\n");
}

static void out(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

#define COM1_LSR 0x3fd
#define LSR_IDLE 0x40
#define BOCHS_POWER 0x8900

static void switch_off(void)
{
	static const char word[] = "Shutdown";
	long moment[2] = { 0, 300000000 };

	/* The driver's buffer empties in interrupts; then the UART itself. */
	call(__NR_nanosleep, (long)moment, 0, 0);
	if (call(__NR_ioperm, COM1_LSR, 1, 1) || call(__NR_ioperm, BOCHS_POWER, 1, 1)) {
		print("mark: no access to I/O ports\n");
		return;
	}
	for (uint32_t i = 0; i < 1000000 && !(in(COM1_LSR) & LSR_IDLE); i++)
		;
	for (const char *p = word; *p; p++)
		out(BOCHS_POWER, (uint8_t)*p);
}

__attribute__((used, noreturn)) void mark_main(const long *stack);

/* `stack` is what the kernel leaves for a new program: argc, argv[]. */
void mark_main(const long *stack)
{
	const char *argument = stack[0] > 1 ? (const char *)stack[2] : "";

	if (argument[0] == 'o')
		switch_off();
	else
		stop_watch();
	for (;;)
		call(__NR_exit, 0, 0, 0);
}

__asm__(".globl _start\n_start:\tmovq %rsp, %rdi\n\tandq $-16, %rsp\n\tcall mark_main\n");
