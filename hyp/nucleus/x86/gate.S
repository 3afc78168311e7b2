/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate. This text is mapped in both address spaces at the same address, so
 * that execution goes on across a write of CR3. GS points at this CPU's gate
 * page (gate.h), which only the nucleus' space maps writable: whatever is stored
 * through GS is stored after CR3 has been switched to the nucleus.
 *
 * The counts beside the two fast paths are what a guest pays; keep them low.
 */
#include "gate_layout.h"
#include "vmcs.h"

	.section .gate.text, "ax"

.macro push_registers           /* 15, in the order of struct guest_regs from its end */
	.irp r, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	push %\r
	.endr
.endm

.macro pop_registers            /* 15 */
	.irp r, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax
	pop %\r
	.endr
.endm

.macro clear registers:vararg
	.irp r, \registers
	xor %\r, %\r
	.endr
.endm

/* ---- core to nucleus ----------------------------------------------------- */

	/*
	 * One stub per call of nucleus.h. Arguments stay where the C ABI has them;
	 * the number goes in EAX. Nucleus functions keep the callee-saved registers.
	 */
	.set number, 0
#define GATE_CALL(name) \
	.globl nuc_##name; .balign 16; nuc_##name: mov $number, %eax; jmp gate_enter; .set number, number + 1
#include "gate_calls.h"
#undef GATE_CALL

	.balign 16
gate_enter:
	cli                             /* whatever the core did to its flags stays there */
	cld
	mov %gs:GATE_NUCLEUS_CR3, %r10
	mov %r10, %cr3
	mov %rsp, %gs:GATE_SAVED_CORE_SP
	mov %gs:GATE_NUCLEUS_SP, %rsp
	/*
	 * EAX is below the table's size when the core came by a stub; a core that
	 * jumped to gate_enter with something else is held to the table all the same.
	 */
	and $(GATE_CALLS - 1), %eax
	call *gate_table(, %rax, 8)
	mov %gs:GATE_SAVED_CORE_SP, %rsp
	mov %gs:GATE_CORE_CR3, %r10
	mov %r10, %cr3
	/* Nothing of the nucleus' scratch registers is the core's to see. */
	clear r10d, r11d, ecx, edx, esi, edi, r8d, r9d
	ret

	.section .gate.rodata, "a"
	.balign 8
gate_table:
	.set number, 0
#define GATE_CALL(name) .quad gate_##name; .set number, number + 1
#include "gate_calls.h"
#undef GATE_CALL
	.rept GATE_CALLS - number
	.quad gate_bad_call
	.endr
	.if number > GATE_CALLS
	.error "gate table too small"
	.endif

/* ---- VM exit and entry --------------------------------------------------- */

	.section .gate.text, "ax"

.macro advance_rip              /* 8: go on after the instruction that exited */
	mov $VMCS_EXIT_LENGTH, %ecx
	vmread %rcx, %rcx
	mov $VMCS_GUEST_RIP, %edx
	vmread %rdx, %rax
	add %rcx, %rax
	cmp %ecx, %eax                  /* the low half wrapped: only 64-bit code goes on above 4 GiB */
	jb rip_wraps
rip_known:
	vmwrite %rax, %rdx
.endm

.macro scrub                    /* 6: what C would keep, and the core must not see */
	clear r10d, r11d, r12d, r13d, r14d, r15d
.endm

	/*
	 * HOST_RIP. RSP is the end of the vCPU's register area (HOST_RSP), CR3 is the
	 * nucleus'. Interrupts are off and stay off.
	 */
	.globl vmexit_entry
	.balign 64
vmexit_entry:
	push_registers
	/* Which view it was in: VMFUNC says nobody. Before in_guest, whose 0 vouches for it. */
	mov $VMCS_EPTP, %ebx
	vmread %rbx, REGS_EPTP(%rsp)
	movl $0, %gs:GATE_IN_GUEST
	mov $VMCS_EXIT_REASON, %ebx
	vmread %rbx, %rbx
	cmp $REASON_VMCALL, %ebx
	jne not_hypercall

	/* A hypercall from 64-bit mode at CPL 0; SS.DPL is the CPL. */
	mov $VMCS_GUEST_SS_RIGHTS, %ebp
	vmread %rbp, %rbp
	test $0x60, %ebp
	jnz slow_exit
	cmpb $0, REGS_LONG_MODE(%rsp)
	je slow_exit
	mov %rax, %r9
	mov %r10, %rcx
	scrub
	mov %gs:GATE_CORE_CR3, %rax
	mov %gs:GATE_CORE_SP, %rsp
	mov %rax, %cr3
	call core_hypercall
	cli
	cld
	mov %gs:GATE_NUCLEUS_CR3, %rcx
	mov %rcx, %cr3
	mov %gs:GATE_REGS, %rsp
	mov %rax, REGS_RAX(%rsp)

skip_instruction:
	advance_rip
	mov $VMCS_GUEST_INTERRUPTIBILITY, %edx
	vmread %rdx, %rax
	test $(BLOCKING_STI | BLOCKING_MOV_SS), %al
	jnz clear_blocking
blocking_cleared:
	/*
	 * From here another CPU that wants this one out of the guest sees in_guest,
	 * and the locked decrement makes sure that one of the two notices the other:
	 * either it waits for our exit or we find no credit left.
	 */
	movl $1, %gs:GATE_IN_GUEST
	lock subl $1, %gs:GATE_CREDIT
	jc slow_entry
	pop_registers
	vmresume
	mov %gs:GATE_NUCLEUS_SP, %rsp
	call vcpu_entry_failed

rip_wraps:                              /* RSP is the register area on both paths */
	cmpb $0, REGS_LONG_MODE(%rsp)
	je 1f
	mov $VMCS_GUEST_CS_RIGHTS, %ecx
	vmread %rcx, %rcx
	bt $13, %ecx                    /* CS.L */
	jc rip_known
1:	mov %eax, %eax
	jmp rip_known

clear_blocking:
	and $~(BLOCKING_STI | BLOCKING_MOV_SS), %eax
	vmwrite %rax, %rdx
	jmp blocking_cleared

slow_entry:
	movl $0, %gs:GATE_CREDIT
	movl $0, %gs:GATE_IN_GUEST
	mov %gs:GATE_NUCLEUS_SP, %rsp
	jmp loop

not_hypercall:
	cmp $REASON_CPUID, %ebx
	jne slow_exit
	/* Leaves 1 and 7 show bits of the guest's own CR4, which C code adds. */
	mov %gs:GATE_EXIT, %rbx
	cmp $1, %eax
	je slow_cpuid
	cmp $7, %eax
	je slow_cpuid
	mov %eax, EXIT_OFF_LEAF(%rbx)
	mov %ecx, EXIT_OFF_SUBLEAF(%rbx)
	movl $0, EXIT_OFF_KIND(%rbx)    /* EXIT_CPUID */
	movl $0, EXIT_OFF_VERDICT(%rbx)
	mov %gs:GATE_VCPU, %eax
	mov %eax, EXIT_OFF_VCPU(%rbx)
	mov %gs:GATE_CPU_ID, %edi
	clear ecx, edx, esi, r8d, r9d, ebp
	scrub
	mov %gs:GATE_CORE_CR3, %rax
	mov %gs:GATE_CORE_SP, %rsp
	mov %rax, %cr3
	call core_exit
	cli
	cld
	mov %gs:GATE_NUCLEUS_CR3, %rcx
	mov %rcx, %cr3
	mov %gs:GATE_REGS, %rsp
	mov %gs:GATE_EXIT, %rbx
	cmpl $2, EXIT_OFF_VERDICT(%rbx) /* VERDICT_SKIP */
	jne slow_verdict
	mov EXIT_OFF_EAX(%rbx), %eax
	mov %rax, REGS_RAX(%rsp)
	mov EXIT_OFF_EBX(%rbx), %eax
	mov %rax, REGS_RBX(%rsp)
	mov EXIT_OFF_ECX(%rbx), %eax
	mov %rax, REGS_RCX(%rsp)
	mov EXIT_OFF_EDX(%rbx), %eax
	mov %rax, REGS_RDX(%rsp)
	jmp skip_instruction

slow_cpuid:
	mov $REASON_CPUID, %ebx
slow_exit:
	mov %gs:GATE_NUCLEUS_SP, %rsp
	mov %ebx, %edi
	call vcpu_exit
	jmp step

slow_verdict:
	mov %gs:GATE_NUCLEUS_SP, %rsp
	call vcpu_finish_exit

	/*
	 * The loop of a CPU: on an empty nucleus stack, do what nucleus_step says:
	 * EAX is STEP_*, EDX its argument.
	 */
	.globl loop
loop:
	call nucleus_step
step:
	cmp $STEP_CORE_EXIT, %eax
	je step_exit
	cmp $STEP_CORE_EVENT, %eax
	je step_event
	cmp $STEP_ENTER, %eax
	jne loop

	mov %gs:GATE_REGS, %rsp
	cmpb $0, REGS_LAUNCHED(%rsp)
	jne blocking_cleared
	movl $1, %gs:GATE_IN_GUEST
	lock subl $1, %gs:GATE_CREDIT
	jc slow_entry
	movb $1, REGS_LAUNCHED(%rsp)
	pop_registers
	vmlaunch
	mov %gs:GATE_NUCLEUS_SP, %rsp
	call vcpu_entry_failed

step_exit:
	mov %gs:GATE_CPU_ID, %edi
	call upcall_exit
	call vcpu_finish_exit
	jmp loop

step_event:
	mov %gs:GATE_CPU_ID, %edi
	mov %edx, %esi
	lea core_event(%rip), %rax
	call upcall
	jmp loop

	/* core_boot(info) and core_cpu_up(cpu): once per CPU, then the loop. */
	.globl first_upcall
first_upcall:
	mov %rsi, %rax
	mov %gs:GATE_NUCLEUS_SP, %rsp
	call upcall
	call nucleus_release_cpus
	jmp loop

	/*
	 * RAX(RDI, RSI) in the core, on its empty stack; then back to our caller on
	 * the nucleus' stack, which gate calls made meanwhile use from the top: so the
	 * return address waits in the gate page, not on it.
	 */
upcall_exit:
	lea core_exit(%rip), %rax
upcall:
	popq %gs:GATE_UPCALL_RETURN
	clear ecx, edx, r8d, r9d, ebp
	scrub
	mov %gs:GATE_CORE_CR3, %rbx
	mov %gs:GATE_CORE_SP, %rsp
	mov %rbx, %cr3
	xor %ebx, %ebx
	call *%rax
	cli
	cld
	mov %gs:GATE_NUCLEUS_CR3, %rcx
	mov %rcx, %cr3
	mov %gs:GATE_NUCLEUS_SP, %rsp
	jmp *%gs:GATE_UPCALL_RETURN

/* ---- exceptions and interrupts in root mode ------------------------------- */

	/*
	 * Exceptions come on their own stacks (IST), from either address space; a
	 * fault here is always our own. C code prints it and stops the machine.
	 */
.macro exception vector, has_code
	.balign 16
exception_\vector:
	.if \has_code == 0
	push $0
	.endif
	push $\vector
	jmp exception_common
.endm
	.irp v, 0,1,3,4,5,6,7,9,15,16,18,19,20,22,23,24,25,26,27,28
	exception \v, 0
	.endr
	.irp v, 8,10,11,12,13,14,17,21,29,30,31
	exception \v, 1
	.endr

exception_common:
	push_registers
	cld
	mov %cr3, %rsi
	mov %gs:GATE_NUCLEUS_CR3, %rax
	mov %rax, %cr3
	mov %rsp, %rdi
	call nucleus_exception
	ud2

	/* A host NMI: counted, nothing more; whatever was interrupted goes on. */
	.balign 16
nmi_entry:
	push %rax
	push %rbx
	mov %cr3, %rbx
	mov %gs:GATE_NUCLEUS_CR3, %rax
	mov %rax, %cr3
	incl %gs:GATE_NMIS
	mov %rbx, %cr3
	pop %rbx
	pop %rax
	iretq

	/*
	 * Host interrupts are let in only while the CPU idles in the nucleus
	 * (cpu_idle) with nothing in its registers but what C saved.
	 */
.macro interrupt name, vector
	.balign 16
interrupt_\name:
	push %rdi
	mov $\vector, %edi
	jmp interrupt_common
.endm
	interrupt kick, VECTOR_KICK
	interrupt timer, VECTOR_TIMER
	interrupt uart, VECTOR_UART
	interrupt unexpected, 0
	.balign 16
interrupt_ignored:
	iretq

interrupt_common:
	.irp r, rax, rcx, rdx, rsi, r8, r9, r10, r11
	push %\r
	.endr
	sub $8, %rsp
	call host_interrupt
	add $8, %rsp
	.irp r, r11, r10, r9, r8, rsi, rdx, rcx, rax, rdi
	pop %\r
	.endr
	iretq

	/* What idt_init needs: vectors 0 .. 31, then the three interrupts. */
	.section .gate.rodata, "a"
	.balign 8
	.globl exception_entries, interrupt_entries
exception_entries:
	.irp v, 0,1
	.quad exception_\v
	.endr
	.quad nmi_entry
	.irp v, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	.quad exception_\v
	.endr
interrupt_entries:
	.quad interrupt_kick
	.quad interrupt_timer
	.quad interrupt_uart
	.quad interrupt_unexpected
	.quad interrupt_ignored
