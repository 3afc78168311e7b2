/* SPDX-License-Identifier: Apache-2.0 */
#include "module.h"

#include <llvm-c/BitReader.h>
#include <llvm-c/Target.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBJECTS 1024u

struct object objects[OBJECTS];
uint32_t object_count;
uint64_t memory_top;
struct val *constants;

static LLVMModuleRef module;
static LLVMTargetDataRef layout;
static struct function *functions;
static uint32_t function_count, constant_count, constant_room;
static void (*place_word)(uint64_t at, struct val v);

uint32_t object_new(const char *name, uint64_t size)
{
	struct object *o;
	uint64_t room = 64;

	if (object_count == OBJECTS) {
		die("too many objects");
	}
	o = &objects[object_count++];
	/* Aligned to the next power of two, so that addresses are bits of an index; and a gap. */
	while (room < size && room < 4096) {
		room *= 2;
	}
	memory_top = (memory_top + room - 1) & ~(room - 1);
	*o = (struct object){ .at = BASE + memory_top, .size = size };
	snprintf(o->name, sizeof(o->name), "%s", name);
	memory_top += (size + 63) & ~63ull;
	memory_top += 64;
	if (memory_top >= MEMORY) {
		die("out of memory for %s, %lu bytes", name, (unsigned long)size);
	}
	return object_count;
}

uint32_t object_of(uint64_t at)
{
	uint32_t i;

	for (i = 0; i < object_count; i++) {
		if (at >= objects[i].at && at < objects[i].at + objects[i].size) {
			return i + 1;
		}
	}
	return 0;
}

struct function *function_find(const char *name)
{
	uint32_t i;

	for (i = 0; i < function_count; i++) {
		if (!strcmp(functions[i].name, name)) {
			return &functions[i];
		}
	}
	return NULL;
}

uint32_t bits_of(LLVMTypeRef t)
{
	uint32_t n, i, sum = 0;

	switch (LLVMGetTypeKind(t)) {
	case LLVMVoidTypeKind:
		return 0;
	case LLVMIntegerTypeKind:
		return LLVMGetIntTypeWidth(t);
	case LLVMPointerTypeKind:
		return 64;
	case LLVMStructTypeKind:
		n = LLVMCountStructElementTypes(t);
		for (i = 0; i < n; i++) {
			sum += bits_of(LLVMStructGetTypeAtIndex(t, i));
		}
		return sum;
	case LLVMArrayTypeKind:
		return LLVMGetArrayLength(t) * bits_of(LLVMGetElementType(t));
	default:
		die("a type that cannot be run: %s", LLVMPrintTypeToString(t));
	}
	return 0;
}

static uint64_t address_of(LLVMValueRef global)
{
	size_t length;
	const char *name = LLVMGetValueName2(global, &length);
	uint32_t i;

	if (LLVMIsAFunction(global)) {
		return 0x10000000;
	}
	for (i = 0; i < object_count; i++) {
		if (!strcmp(objects[i].name, name)) {
			return objects[i].at;
		}
	}
	die("no object %s", name);
	return 0;
}

/* The byte offset that a constant expression's indices name. */
static uint64_t const_address(LLVMValueRef v);

static uint64_t gep_const(LLVMValueRef v)
{
	uint64_t at = const_address(LLVMGetOperand(v, 0));
	LLVMTypeRef t = LLVMGetElementType(LLVMTypeOf(LLVMGetOperand(v, 0)));
	int i, n = LLVMGetNumOperands(v);

	for (i = 1; i < n; i++) {
		int64_t k = LLVMConstIntGetSExtValue(LLVMGetOperand(v, (unsigned)i));

		if (i == 1) {
			at += (uint64_t)(k * (int64_t)LLVMABISizeOfType(layout, t));
		} else if (LLVMGetTypeKind(t) == LLVMStructTypeKind) {
			at += LLVMOffsetOfElement(layout, t, (unsigned)k);
			t = LLVMStructGetTypeAtIndex(t, (unsigned)k);
		} else {
			t = LLVMGetElementType(t);
			at += (uint64_t)(k * (int64_t)LLVMABISizeOfType(layout, t));
		}
	}
	return at;
}

static uint64_t const_address(LLVMValueRef v)
{
	if (LLVMIsAGlobalValue(v)) {
		return address_of(v);
	}
	if (LLVMIsAConstantPointerNull(v)) {
		return 0;
	}
	if (LLVMIsAConstantExpr(v)) {
		switch (LLVMGetConstOpcode(v)) {
		case LLVMGetElementPtr:
			return gep_const(v);
		case LLVMBitCast:
		case LLVMPtrToInt:
			return const_address(LLVMGetOperand(v, 0));
		case LLVMIntToPtr:
			return LLVMConstIntGetZExtValue(LLVMGetOperand(v, 0));
		default:
			break;
		}
	}
	die("a constant that cannot be run: %s", LLVMPrintValueToString(v));
	return 0;
}

/* A constant as bits. */
static struct val const_val(LLVMValueRef v)
{
	LLVMTypeRef t = LLVMTypeOf(v);
	struct val r = { bits_of(t), 0, NULL };
	uint32_t i;

	r.b = calloc(r.bits ? r.bits : 1, sizeof(lit_t));
	if (LLVMIsUndef(v) || LLVMIsPoison(v) || LLVMIsNull(v)) {
		return r;
	}
	if (LLVMIsAConstantInt(v)) {
		uint64_t n = LLVMConstIntGetZExtValue(v);

		for (i = 0; i < r.bits && i < 64; i++) {
			r.b[i] = n >> i & 1;
		}
		return r;
	}
	if (LLVMGetTypeKind(t) == LLVMStructTypeKind || LLVMGetTypeKind(t) == LLVMArrayTypeKind) {
		uint32_t n = LLVMGetTypeKind(t) == LLVMStructTypeKind ? LLVMCountStructElementTypes(t) :
								       LLVMGetArrayLength(t), at = 0;

		for (i = 0; i < n; i++) {
			struct val e = const_val(LLVMIsAConstantDataSequential(v) ?
							 LLVMGetElementAsConstant(v, i) :
							 LLVMGetOperand(v, i));

			memcpy(r.b + at, e.b, e.bits * sizeof(lit_t));
			at += e.bits;
			free(e.b);
		}
		return r;
	}
	{
		uint64_t n = const_address(v);

		for (i = 0; i < r.bits && i < 64; i++) {
			r.b[i] = n >> i & 1;
		}
		r.object = object_of(n);
	}
	return r;
}

/* Writes a global's initial value. */
static void place_const(uint64_t at, LLVMValueRef v)
{
	LLVMTypeRef t = LLVMTypeOf(v);
	uint32_t i, n;

	if (LLVMIsNull(v) || LLVMIsUndef(v)) {
		return;
	}
	if (LLVMGetTypeKind(t) == LLVMStructTypeKind) {
		n = LLVMCountStructElementTypes(t);
		for (i = 0; i < n; i++) {
			place_const(at + LLVMOffsetOfElement(layout, t, i), LLVMGetOperand(v, i));
		}
	} else if (LLVMGetTypeKind(t) == LLVMArrayTypeKind) {
		n = LLVMGetArrayLength(t);
		for (i = 0; i < n; i++) {
			place_const(at + i * LLVMABISizeOfType(layout, LLVMGetElementType(t)),
				    LLVMIsAConstantDataSequential(v) ? LLVMGetElementAsConstant(v, i) :
								       LLVMGetOperand(v, i));
		}
	} else {
		struct val c = const_val(v);

		place_word(at, c);
		free(c.b);
	}
}

/* Numbers of values within a function. */
static struct { LLVMValueRef v; int slot; } *slots_table;
static uint32_t slots_size;

static int *slot_at(LLVMValueRef v)
{
	uint32_t i = (uint32_t)(((uintptr_t)v >> 4) * 2654435761u) & (slots_size - 1);

	while (slots_table[i].v && slots_table[i].v != v) {
		i = (i + 1) & (slots_size - 1);
	}
	slots_table[i].v = v;
	return &slots_table[i].slot;
}

static int operand(LLVMValueRef v)
{
	if (LLVMIsConstant(v)) {
		GROW(constants, constant_count, constant_room);
		constants[constant_count] = const_val(v);
		return ~(int)constant_count++;
	}
	return *slot_at(v) - 1;
}

static uint32_t block_number(struct function *f, LLVMBasicBlockRef bb)
{
	uint32_t i;

	for (i = 0; i < f->n; i++) {
		if (f->blocks[i].bb == bb) {
			return i;
		}
	}
	die("no such block");
	return 0;
}

static void decode_insn(struct function *f, struct block *b, struct insn *i, LLVMValueRef v)
{
	uint32_t n = (uint32_t)LLVMGetNumOperands(v), k;
	LLVMTypeRef t;

	*i = (struct insn){ .op = LLVMGetInstructionOpcode(v), .v = v, .dst = -1 };
	if (LLVMGetTypeKind(LLVMTypeOf(v)) != LLVMVoidTypeKind) {
		i->bits = bits_of(LLVMTypeOf(v));
		i->dst = *slot_at(v) - 1;
	}
	switch (i->op) {
	case LLVMBr:
	case LLVMSwitch:
		i->n = n > 1 || i->op == LLVMSwitch ? 1 : 0;
		i->args = calloc(1, sizeof(int));
		if (i->n) {
			i->args[0] = operand(LLVMGetOperand(v, 0));
		}
		b->nexts = LLVMGetNumSuccessors(v);
		b->next = calloc(b->nexts, sizeof(uint32_t));
		for (k = 0; k < b->nexts; k++) {
			b->next[k] = block_number(f, LLVMGetSuccessor(v, k));
		}
		if (i->op == LLVMSwitch) {
			/* Operands: value, default, then case and target in turn; successor 0 is the default. */
			i->k = calloc(b->nexts, sizeof(uint64_t));
			for (k = 1; k < b->nexts; k++) {
				i->k[k] = LLVMConstIntGetZExtValue(LLVMGetOperand(v, k * 2));
			}
		}
		return;
	case LLVMPHI:
		i->n = LLVMCountIncoming(v);
		i->args = calloc(i->n, sizeof(int));
		i->k = calloc(i->n, sizeof(uint64_t));
		for (k = 0; k < i->n; k++) {
			i->args[k] = operand(LLVMGetIncomingValue(v, k));
			i->k[k] = block_number(f, LLVMGetIncomingBlock(v, k));
		}
		return;
	case LLVMCall: {
		LLVMValueRef callee = LLVMGetCalledValue(v);
		size_t length;

		if (!LLVMIsAFunction(callee)) {
			die("%s: a call through a pointer: %s", f->name, LLVMPrintValueToString(v));
		}
		i->callee = function_find(LLVMGetValueName2(callee, &length));
		n = LLVMGetNumArgOperands(v);
		break;
	}
	case LLVMGetElementPtr:
		t = LLVMGetElementType(LLVMTypeOf(LLVMGetOperand(v, 0)));
		i->k = calloc(n + 1, sizeof(uint64_t));
		/* k[0]: what is constant; k[j]: what operand j is multiplied by, 0 if in k[0]. */
		for (k = 1; k < n; k++) {
			LLVMValueRef x = LLVMGetOperand(v, k);
			uint64_t size;

			if (k == 1) {
				size = LLVMABISizeOfType(layout, t);
			} else if (LLVMGetTypeKind(t) == LLVMStructTypeKind) {
				uint32_t e = (uint32_t)LLVMConstIntGetZExtValue(x);

				i->k[0] += LLVMOffsetOfElement(layout, t, e);
				t = LLVMStructGetTypeAtIndex(t, e);
				continue;
			} else {
				t = LLVMGetElementType(t);
				size = LLVMABISizeOfType(layout, t);
			}
			if (LLVMIsAConstantInt(x)) {
				i->k[0] += (uint64_t)LLVMConstIntGetSExtValue(x) * size;
			} else {
				i->k[k] = size;
			}
		}
		break;
	case LLVMAlloca:
		i->k = calloc(1, sizeof(uint64_t));
		i->k[0] = LLVMABISizeOfType(layout, LLVMGetAllocatedType(v));
		n = 0;
		break;
	case LLVMExtractValue:
	case LLVMInsertValue: {
		const unsigned *path = LLVMGetIndices(v);
		unsigned depth = LLVMGetNumIndices(v), d, e;

		i->k = calloc(1, sizeof(uint64_t));
		t = LLVMTypeOf(LLVMGetOperand(v, 0));
		for (d = 0; d < depth; d++) {
			if (LLVMGetTypeKind(t) == LLVMStructTypeKind) {
				for (e = 0; e < path[d]; e++) {
					i->k[0] += bits_of(LLVMStructGetTypeAtIndex(t, e));
				}
				t = LLVMStructGetTypeAtIndex(t, path[d]);
			} else {
				t = LLVMGetElementType(t);
				i->k[0] += path[d] * bits_of(t);
			}
		}
		break;
	}
	default:
		break;
	}
	i->n = n;
	i->args = calloc(n ? n : 1, sizeof(int));
	for (k = 0; k < n; k++) {
		i->args[k] = operand(LLVMGetOperand(v, k));
	}
}

/* The nearest block that every way from here to the end goes through; EXIT if none. */
static void postdominators(struct function *f)
{
	uint32_t words = (f->n + 63) / 64, b, s, w;
	uint64_t *set = calloc((size_t)f->n * words, sizeof(uint64_t)), *now = calloc(words, sizeof(uint64_t));
	uint32_t *count = calloc(f->n, sizeof(uint32_t));
	bool more = true;

	memset(set, 0xff, (size_t)f->n * words * sizeof(uint64_t));
	while (more) {
		more = false;
		for (b = f->n; b-- > 0;) {
			struct block *k = &f->blocks[b];
			bool any = false;

			memset(now, 0, words * sizeof(uint64_t));
			for (s = 0; s < k->nexts; s++) {
				for (w = 0; w < words; w++) {
					uint64_t x = set[(size_t)k->next[s] * words + w];

					now[w] = any ? now[w] & x : x;
				}
				any = true;
			}
			now[b / 64] |= 1ull << b % 64;
			if (memcmp(now, &set[(size_t)b * words], words * sizeof(uint64_t))) {
				memcpy(&set[(size_t)b * words], now, words * sizeof(uint64_t));
				more = true;
			}
		}
	}
	for (b = 0; b < f->n; b++) {
		for (w = 0; w < words; w++) {
			count[b] += (uint32_t)__builtin_popcountll(set[(size_t)b * words + w]);
		}
	}
	/* The nearest is the one with the most postdominators of its own. */
	for (b = 0; b < f->n; b++) {
		uint32_t best = EXIT, most = 0;

		for (s = 0; s < f->n; s++) {
			if (s != b && set[(size_t)b * words + s / 64] >> s % 64 & 1 && count[s] > most &&
			    count[s] < count[b]) {
				most = count[s];
				best = s;
			}
		}
		f->blocks[b].ipdom = best;
	}
	free(set);
	free(now);
	free(count);
}

void function_decode(struct function *f)
{
	LLVMBasicBlockRef bb;
	LLVMValueRef v;
	uint32_t i, total = 64, slot = 0;

	f->decoded = true;
	f->args = LLVMCountParams(f->v);
	for (bb = LLVMGetFirstBasicBlock(f->v); bb; bb = LLVMGetNextBasicBlock(bb)) {
		f->n++;
		for (v = LLVMGetFirstInstruction(bb); v; v = LLVMGetNextInstruction(v)) {
			total++;
		}
	}
	for (slots_size = 256; slots_size < total * 4; slots_size *= 2) {
	}
	slots_table = calloc(slots_size, sizeof(*slots_table));
	f->byval = calloc(f->args + 1, sizeof(uint64_t));
	for (i = 0; i < f->args; i++) {
		LLVMAttributeRef a = LLVMGetEnumAttributeAtIndex(f->v, i + 1,
								 LLVMGetEnumAttributeKindForName("byval", 5));

		*slot_at(LLVMGetParam(f->v, i)) = (int)++slot;
		if (a) {
			f->byval[i] = LLVMABISizeOfType(layout, LLVMGetTypeAttributeValue(a));
		}
	}
	f->blocks = calloc(f->n, sizeof(*f->blocks));
	for (i = 0, bb = LLVMGetFirstBasicBlock(f->v); bb; bb = LLVMGetNextBasicBlock(bb), i++) {
		f->blocks[i].bb = bb;
		for (v = LLVMGetFirstInstruction(bb); v; v = LLVMGetNextInstruction(v)) {
			f->blocks[i].n++;
			if (LLVMGetTypeKind(LLVMTypeOf(v)) != LLVMVoidTypeKind) {
				*slot_at(v) = (int)++slot;
			}
		}
	}
	f->slots = slot;
	for (i = 0; i < f->n; i++) {
		struct block *b = &f->blocks[i];
		uint32_t k = 0;

		b->insns = calloc(b->n, sizeof(*b->insns));
		for (v = LLVMGetFirstInstruction(b->bb); v; v = LLVMGetNextInstruction(v)) {
			decode_insn(f, b, &b->insns[k], v);
			b->phis += b->insns[k++].op == LLVMPHI;
		}
	}
	free(slots_table);
	postdominators(f);
}

void module_load(const char *file, void (*place)(uint64_t at, struct val v))
{
	LLVMMemoryBufferRef buffer;
	LLVMValueRef v;
	char *error = NULL;
	size_t length;

	place_word = place;
	if (LLVMCreateMemoryBufferWithContentsOfFile(file, &buffer, &error)) {
		die("%s: %s", file, error);
	}
	if (LLVMParseBitcodeInContext(LLVMGetGlobalContext(), buffer, &module, &error)) {
		die("%s: no bitcode: %s", file, error);
	}
	layout = LLVMCreateTargetData(LLVMGetDataLayoutStr(module));
	for (v = LLVMGetFirstFunction(module); v; v = LLVMGetNextFunction(v)) {
		function_count++;
	}
	functions = calloc(function_count, sizeof(*functions));
	function_count = 0;
	for (v = LLVMGetFirstFunction(module); v; v = LLVMGetNextFunction(v)) {
		struct function *f = &functions[function_count++];

		snprintf(f->name, sizeof(f->name), "%s", LLVMGetValueName2(v, &length));
		f->v = v;
		f->merges = begins(f->name, "spec_") || begins(f->name, "entry_") || begins(f->name, "merged_");
	}
	for (v = LLVMGetFirstGlobal(module); v; v = LLVMGetNextGlobal(v)) {
		object_new(LLVMGetValueName2(v, &length),
			   LLVMABISizeOfType(layout, LLVMGetElementType(LLVMTypeOf(v))));
	}
	for (v = LLVMGetFirstGlobal(module); v; v = LLVMGetNextGlobal(v)) {
		if (LLVMGetInitializer(v)) {
			place_const(address_of(v), LLVMGetInitializer(v));
		}
	}
}

struct function *function_named(const char *prefix, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < function_count; i++) {
		if (begins(functions[i].name, prefix) &&
		    LLVMGetFirstBasicBlock(functions[i].v) && n-- == 0) {
			return &functions[i];
		}
	}
	return NULL;
}
