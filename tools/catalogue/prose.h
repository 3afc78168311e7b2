/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of docs/emulation.md that no table of the hypervisor holds: what the
 * nucleus handles by itself, which ports guests try in vain, and how Xen does it.
 */
#pragma once

struct nucleus_row { const char *name, *effect, *why, *avoid; };

static const struct nucleus_row nucleus_exits[] = {
	{"vmcall",
	 "from 64-bit code at CPL 0: the hypercall table below; CPL above 0: -EPERM; other modes: -ENOSYS",
	 "hypercalls", "nothing"},
	{"external-interrupt",
	 "the machine's own interrupt is served; kicks, timers and the console reach the core",
	 "the machine's interrupts never go to a guest", "nothing"},
	{"preemption-timer", "the deadline that the core gave has passed", "time slices and guests' timers",
	 "a guest alone on its CPU without a timer armed"},
	{"nmi-window", "the waiting NMI goes in", "an NMI can be blocked when it arrives", "nothing"},
	{"mov-cr0, lmsw",
	 "writes that change NE, CD, NW or PG; shadowed, checked as the CPU would; LMA follows PG",
	 "VMX fixes NE, and caching is not the guest's to switch off",
	 "nothing: once per CPU, when paging goes on"},
	{"mov-cr4", "#GP(0)", "sets a bit whose feature CPUID hides, or VMXE", "nothing: no kernel does"},
	{"wrmsr EFER", "SCE, LME, NXE; anything else #GP(0)", "LMA and the entry controls must agree",
	 "nothing: twice per CPU"},
	{"xsetbv", "XCR0 within the allowed components, checked as the CPU would, else #GP(0)",
	 "always exits", "nothing: once per CPU"},
	{"exception #DB, #AC", "given back to the guest",
	 "intercepted only because a guest could keep the CPU in their delivery for ever", "nothing"},
	{"nmi", "the machine's own NMI is counted", "NMIs belong to the machine", "nothing"},
	{"rdpmc", "#GP(0)", "no PMU", "CPUID leaf 0xA says so"},
	{"monitor, mwait, getsec, vmx instructions, vmfunc", "#UD", "CPUID hides them", "nothing"},
};

static const struct { const char *ports, *what, *avoid;
} sunk_ports[] = {
	{"0x20, 0x21, 0xA0, 0xA1", "8259 interrupt controllers", "hardware-reduced ACPI"},
	{"0x40 to 0x43, 0x61", "8254 timer, speaker; calibration of the TSC",
	 "CPUID leaf 0x16; ARAT and TSC_DEADLINE"},
	{"0x60, 0x64", "keyboard controller (reset apart)", "FADT boot flags without 8042"},
	{"0x70, 0x71", "CMOS clock; Linux writes the shutdown code there before it starts a CPU",
	 "FADT boot flag `no CMOS RTC`, all but that write"},
	{"0x80, 0x87, 0xED", "delays", "nothing"},
	{"0xCF8 to 0xCFF", "PCI configuration (reset apart)", "pci=off"},
	{"0x4D0, 0x4D1", "interrupt trigger modes", "hardware-reduced ACPI, in part"},
	{"0x2E8, 0x2F8, 0x3E8, 0x3F8", "serial ports", "8250.nr_uarts=0"},
};

static const struct { const char *part, *pv, *hvm, *pvh, *here;
} comparison[] = {
	{"CPUID", "by a prefix, or by faulting", "exit", "exit", "exit"},
	{"MSRs", "emulated as privileged instructions", "bitmap and policy", "as HVM",
	 "bitmap and a short table"},
	{"control and debug registers", "hypercalls, emulation", "masks and shadows", "as HVM",
	 "CR0.NE, CD, NW, PG; CR4 bits that CPUID hides"},
	{"page tables", "each write validated", "EPT, or shadow pages", "EPT", "EPT"},
	{"segments, descriptor tables, system calls", "hypercalls, bounced frames", "hardware", "hardware",
	 "hardware"},
	{"instruction emulator", "page-table writes, privileged instructions",
	 "device memory, real mode, string I/O, introspection", "APIC page, introspection", "**none**"},
	{"real mode", "none", "emulated where the CPU can't", "start of further CPUs",
	 "hardware: unrestricted guest is required"},
	{"task switches", "none", "emulated", "emulated", "guest is stopped"},
	{"I/O ports", "PIT, RTC, PCI; others by permission", "device models, QEMU",
	 "debug port; else all-ones", "two reset registers; else all-ones"},
	{"memory-mapped devices", "by permission", "device models, QEMU", "APIC page", "none: #GP"},
	{"local APIC", "none: event channels", "full, or by APICv", "full, or by APICv",
	 "x2APIC by MSR; no timer"},
	{"I/O APIC, PIC, PIT, HPET, RTC, PM timer", "PIT and RTC, in part", "all", "control domain: I/O APIC",
	 "none"},
	{"VGA, PCI", "by hypercall", "QEMU", "control domain: PCI", "none"},
	{"MTRR, cache control", "fixed", "full", "full", "hidden; INVD, WBINVD skipped"},
	{"machine checks, PMU, last branches", "virtual", "virtual", "virtual", "hidden"},
	{"timers", "hypercall", "all of the above, hypercall", "APIC timer, hypercall", "hypercall"},
	{"TSC", "as is, or emulated", "offset, scaling, or emulated", "as HVM", "as is"},
	{"nested virtualisation", "none", "VMX, SVM", "VMX, SVM", "none"},
	{"event channels", "2-level, FIFO", "2-level, FIFO", "2-level, FIFO", "2-level"},
	{"grant tables, xenstore", "yes", "yes", "yes", "none"},
	{"INIT, SIPI", "hypercall", "yes", "yes", "yes"},
	{"HLT", "hypercall", "exit", "exit", "exit"},
};
