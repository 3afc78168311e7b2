/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bitcode that is run, in the form in which it is run, and the memory it has:
 * its globals and the locals of what is being run are objects, with gaps between.
 */
#pragma once

#include <llvm-c/Core.h>
#include <string.h>

#include "val.h"

#define BASE 0x100000u          /* the address at which objects begin */
#define MEMORY 0x80000u         /* bytes for them */
#define EXIT 0xffffffffu        /* in place of a block: the end of the function */

struct object {
	uint64_t at, size;
	char name[48];
};

struct insn {
	LLVMOpcode op;
	uint32_t bits;          /* of the result */
	int dst;                /* slot, or -1 */
	uint32_t n;             /* operands */
	int *args;              /* slots, or ~constant */
	uint64_t *k;            /* what else the opcode needs: see decode_insn */
	struct function *callee;
	LLVMValueRef v;
};

struct block {
	struct insn *insns;
	uint32_t n, phis;
	uint32_t ipdom;         /* the nearest block that every way from here goes through, or EXIT */
	uint32_t *next, nexts;
	LLVMBasicBlockRef bb;
};

struct function {
	char name[96];
	LLVMValueRef v;
	struct block *blocks;
	uint32_t n, args, slots;
	bool decoded, merges;
	uint64_t *byval;        /* by argument: bytes to copy, or 0 */
	struct function *by;    /* runs in its place */
};

extern struct object objects[];
extern uint32_t object_count;
extern uint64_t memory_top;     /* the next free byte of memory */
extern struct val *constants;

static inline bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* 1 + its number. */
uint32_t object_new(const char *name, uint64_t size);
/* The same, of what is at the address; 0: nothing. */
uint32_t object_of(uint64_t at);

struct function *function_find(const char *name);
/* The n-th function with a body whose name begins so, or NULL. */
struct function *function_named(const char *prefix, uint32_t n);
uint32_t bits_of(LLVMTypeRef t);
void function_decode(struct function *f);
/* Reads the file, and tells `place` what globals hold at first. */
void module_load(const char *file, void (*place)(uint64_t at, struct val v));
