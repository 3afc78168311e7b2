/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the CPU must have, and the tables every CPU needs: GDT, TSS, IDT, control
 * registers.
 */
#include "platform.h"
#include "asm.h"
#include "core.h"
#include "string.h"
#include "vmcs.h"
#include "x86_policy.h"

static char missing[512];

extern uint64_t exception_entries[32], interrupt_entries[5];
extern char gate_stacks[], core_stacks[], nucleus_stacks[];

/* ---- features --------------------------------------------------------------- */

static void append(char *to, size_t size, const char *text)
{
	size_t n = strlen(to);

	while (n + 1 < size && *text)
		to[n++] = *text++;
	to[n] = 0;
}

static void need(bool have, const char *name)
{
	if (have)
		return;
	append(missing, sizeof(missing), missing[0] ? ", " : "");
	append(missing, sizeof(missing), name);
}

static bool allowed1(uint32_t msr, uint32_t bits) { return ((rdmsr(msr) >> 32) & bits) == bits; }

static void check_vmx(void)
{
	uint64_t control = rdmsr(MSR_FEATURE_CONTROL), ept;
	static const struct { uint32_t msr, bit; const char *name; } wanted[] = {
		{ MSR_VMX_TRUE_PIN, PIN_EXTERNAL_INTERRUPT, "external-interrupt exiting" },
		{ MSR_VMX_TRUE_PIN, PIN_NMI, "NMI exiting" },
		{ MSR_VMX_TRUE_PIN, PIN_VIRTUAL_NMI, "virtual NMIs" },
		{ MSR_VMX_TRUE_PIN, PIN_PREEMPTION_TIMER, "VMX-preemption timer" },
		{ MSR_VMX_TRUE_PROC, PROC_TSC_OFFSET, "TSC offsetting" },
		{ MSR_VMX_TRUE_PROC, PROC_MSR_BITMAP, "MSR bitmaps" },
		{ MSR_VMX_TRUE_PROC, PROC_SECONDARY, "secondary processor-based controls" },
		{ MSR_VMX_TRUE_EXIT, EXITC_SAVE_TIMER, "save of the VMX-preemption timer" },
		{ MSR_VMX_TRUE_EXIT, EXITC_LOAD_PAT | EXITC_SAVE_PAT, "PAT switching" },
		{ MSR_VMX_TRUE_EXIT, EXITC_LOAD_EFER | EXITC_SAVE_EFER, "EFER switching" },
	};
	static const struct { uint32_t bit; const char *name; } wanted2[] = {
		{ PROC2_EPT, "EPT" },
		{ PROC2_UNRESTRICTED, "unrestricted guest" },
		{ PROC2_VPID, "VPID" },
		{ PROC2_RDTSCP, "RDTSCP in guests" },
		{ PROC2_WBINVD, "WBINVD exiting" },
	};
	uint32_t i;

	need(!(control & 1) || control & 4, "VMX outside SMX (locked off by the firmware)");
	need(rdmsr(MSR_VMX_BASIC) >> 55 & 1, "true VMX controls");
	if (missing[0])
		return;
	for (i = 0; i < ARRAY_SIZE(wanted); i++)
		need(allowed1(wanted[i].msr, wanted[i].bit), wanted[i].name);
	need(!(rdmsr(MSR_VMX_TRUE_PROC) & (PROC_CR3_LOAD | PROC_CR3_STORE)), "CR3 access without exit");
	if (!allowed1(MSR_VMX_TRUE_PROC, PROC_SECONDARY))
		return;
	for (i = 0; i < ARRAY_SIZE(wanted2); i++)
		need(allowed1(MSR_VMX_PROC2, wanted2[i].bit), wanted2[i].name);
	cpu_has_pause_loop = allowed1(MSR_VMX_PROC2, PROC2_PAUSE_LOOP);
	if (!allowed1(MSR_VMX_PROC2, PROC2_EPT))
		return;
	ept = rdmsr(MSR_VMX_EPT_VPID);
	need(ept >> 6 & 1, "EPT with 4 levels");
	need(ept >> 14 & 1, "write-back EPT tables");
	need(ept >> 16 & 1, "EPT 2 MiB pages");
	need(ept >> 0 & 1, "EPT execute-only pages");
	need(ept >> 20 & 1 && ept >> 25 & 1, "INVEPT of one context");
	need(ept >> 26 & 1, "INVEPT of all contexts");
	need(ept >> 32 & 1 && ept >> 41 & 1, "INVVPID of one context");
	cpu_has_1g_ept = ept >> 17 & 1;
	cpu_has_vmfunc = allowed1(MSR_VMX_PROC2, PROC2_VMFUNC) && rdmsr(MSR_VMX_VMFUNC) & VMFUNC_EPTP_SWITCHING;
	cpu_has_ve = allowed1(MSR_VMX_PROC2, PROC2_VE);
	cpu_has_mtf = allowed1(MSR_VMX_TRUE_PROC, PROC_MTF);
}

void cpu_check_features(void)
{
	uint32_t r[4], r7[4] = { 0 }, rd[4] = { 0 }, rx[4], max;
	char name[13] = { 0 };

	cpuid(0, 0, r);
	max = r[0];
	memcpy(name, &r[1], 4);
	memcpy(name + 4, &r[3], 4);
	memcpy(name + 8, &r[2], 4);
	cpuid(1, 0, r);
	if (max >= 7)
		cpuid(7, 0, r7);
	cpuid(0x80000001, 0, rx);
	need(r[2] >> 5 & 1, "VMX (CPUID.1:ECX[5]; on AMD the like is SVM, which is not supported)");
	need(r[2] >> 26 & 1, "XSAVE");
	need(r[2] >> 24 & 1, "TSC-deadline timer");
	need(rx[3] >> 20 & 1, "no-execute pages");
	need(rx[3] >> 27 & 1, "RDTSCP");
	if (r[2] >> 5 & 1)
		check_vmx();
	if (missing[0])
		panic("this machine cannot run it: %s lacks %s", name, missing);

	cpu_has_pcid = r[2] >> 17 & 1;
	cpu_has_1g_pages = rx[3] >> 26 & 1;
	cpuid(0xd, 0, rd);
	cpu_xcr0_allowed = xcr0_allowed(rd[0] | (uint64_t)rd[3] << 32);
	cpu_cr4_allowed = rdmsr(MSR_VMX_CR4_FIXED1) & CR4_SHOWN;

	append(cpu_feature_line, sizeof(cpu_feature_line), name);
	append(cpu_feature_line, sizeof(cpu_feature_line), ", EPT");
	append(cpu_feature_line, sizeof(cpu_feature_line), cpu_has_1g_ept ? " 4K/2M/1G" : " 4K/2M");
	append(cpu_feature_line, sizeof(cpu_feature_line), ", VPID");
	append(cpu_feature_line, sizeof(cpu_feature_line), cpu_has_pcid ? ", PCID" : "");
	append(cpu_feature_line, sizeof(cpu_feature_line), r7[1] >> 7 & 1 ? ", SMEP" : "");
	append(cpu_feature_line, sizeof(cpu_feature_line), r7[1] >> 20 & 1 ? ", SMAP" : "");
	append(cpu_feature_line, sizeof(cpu_feature_line), cpu_has_vmfunc ? ", VMFUNC" : "");
	append(cpu_feature_line, sizeof(cpu_feature_line), cpu_has_ve ? ", #VE" : "");
}

/* ---- tables ------------------------------------------------------------------- */

static void idt_set(uint32_t vector, uint64_t entry, uint8_t ist)
{
	idt[vector] = (struct idt_entry){
		.offset_low = (uint16_t)entry,
		.selector = SEL_CODE,
		.ist = ist,
		.type = 0x8e,         /* present, interrupt gate */
		.offset_mid = (uint16_t)(entry >> 16),
		.offset_high = (uint32_t)(entry >> 32),
	};
}

static void idt_init(void)
{
	uint32_t i;

	for (i = 0; i < 32; i++)
		idt_set(i, exception_entries[i], i == 2 ? 2 : 1);
	for (i = 32; i < 256; i++)
		idt_set(i, interrupt_entries[3], 0);
	idt_set(VECTOR_SPURIOUS, interrupt_entries[4], 0);
	idt_set(VECTOR_KICK, interrupt_entries[0], 0);
	idt_set(VECTOR_TIMER, interrupt_entries[1], 0);
	idt_set(VECTOR_UART, interrupt_entries[2], 0);
}

void cpu_init(uint32_t cpu)
{
	struct gate_cpu *g = &gate_cpus[cpu];
	uint64_t gate_stack = (uint64_t)gate_stacks + (cpu + 1) * 2ull * GATE_STACK_SIZE;
	uint64_t tss = (uint64_t)&g->tss;
	struct table_pointer p;
	uint32_t r7[4];

	if (cpu == 0)
		idt_init();
	g->cpu = cpu;
	g->nucleus_cr3 = paging_nucleus_cr3();
	g->core_cr3 = paging_core_cr3();
	g->nucleus_sp = (uint64_t)nucleus_stacks + (cpu + 1) * 2ull * NUCLEUS_STACK_SIZE;
	/* The top word holds the core's own pointer (this_cpu.h); the stack begins below it, aligned. */
	g->core_sp = (uint64_t)core_stacks + (cpu + 1) * 2ull * CORE_STACK_SIZE - CORE_STACK_LINK;
	g->exit = (uint64_t)&core_exits[cpu];
	g->vcpu = VCPU_NONE;
	/* Accessed bits set: the CPU need not write here. */
	g->gdt[SEL_CODE / 8] = 0x00af9b000000ffffull;
	g->gdt[SEL_DATA / 8] = 0x00cf93000000ffffull;
	g->gdt[SEL_TSS / 8] = 0x0000890000000000ull | (tss & 0xffffff) << 16 | (tss >> 24 & 0xff) << 56 |
			      (sizeof(struct tss) - 1);
	g->gdt[SEL_TSS / 8 + 1] = tss >> 32;
	/* Two halves of the page: an NMI may come while an exception is being reported. */
	g->tss.ist[0] = gate_stack;
	g->tss.ist[1] = gate_stack - GATE_STACK_SIZE / 2;
	g->tss.iomap = sizeof(struct tss);

	p = (struct table_pointer){ sizeof(g->gdt) - 1, (uint64_t)g->gdt };
	lgdt(&p);
	load_code_segment(SEL_CODE);
	load_data_segments(SEL_DATA);
	p = (struct table_pointer){ sizeof(idt) - 1, (uint64_t)idt };
	lidt(&p);
	ltr(SEL_TSS);
	wrmsr(MSR_FS_BASE, 0);
	wrmsr(MSR_GS_BASE, (uint64_t)g);

	cpuid(7, 0, r7);
	write_cr4(read_cr4() | CR4_OSXSAVE | (r7[1] >> 7 & 1 ? CR4_SMEP : 0) | (r7[1] >> 20 & 1 ? CR4_SMAP : 0));
	write_cr0((read_cr0() | CR0_NE | CR0_WP) & ~(CR0_CD | CR0_NW));
	/* PAT as after reset, whatever the firmware left: entry 0 WB, 3 UC. */
	wrmsr(MSR_PAT, 0x0007040600070406ull);
	paging_cpu_init();
}
