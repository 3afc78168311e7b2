/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address types and small constants that every room shares.
 *
 * Each address space has a struct type of its own, in all builds, so that
 * handing a guest-physical address to something that wants a machine address
 * does not compile. One-field structs cost nothing in the emitted code.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Machine memory: what stage-2 leaves hold. */
typedef struct { uint64_t mfn; } mfn_t;     /* machine frame number */
/* What a guest believes is physical memory. */
typedef struct { uint64_t gfn; } gfn_t;     /* guest frame number */
typedef struct { uint64_t gpa; } gpa_t;     /* guest-physical byte address */
/* What guest code dereferences. */
typedef struct { uint64_t gva; } gva_t;     /* guest-virtual byte address */

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096ull
#define PAGE_MASK (PAGE_SIZE - 1)

//@ terminates \true; exits \false; assigns \nothing; ensures \result.mfn == n;
static inline mfn_t mfn_of(uint64_t n) { return (mfn_t){ n }; }
//@ terminates \true; exits \false; assigns \nothing; ensures \result.gfn == n;
static inline gfn_t gfn_of(uint64_t n) { return (gfn_t){ n }; }
static inline gpa_t gpa_of(uint64_t n) { return (gpa_t){ n }; }
static inline gva_t gva_of(uint64_t n) { return (gva_t){ n }; }
static inline gpa_t gfn_to_gpa(gfn_t g) { return (gpa_t){ g.gfn << PAGE_SHIFT }; }
static inline gfn_t gpa_to_gfn(gpa_t a) { return (gfn_t){ a.gpa >> PAGE_SHIFT }; }

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MUST_USE __attribute__((warn_unused_result))
#ifndef ALWAYS_INLINE
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#endif
#define NOINLINE __attribute__((noinline))
#define COLD __attribute__((noinline, cold))
#define NORETURN __attribute__((noreturn))
#define ALIGNED(n) __attribute__((aligned(n)))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
