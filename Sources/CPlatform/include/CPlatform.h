/// The few things that Swift cannot say: floating-point modes, square roots, fork handlers, hints to the
/// processor.
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <pthread.h>
#include <stdint.h>

#include "CGuard.h"

/// Sets flush-to-zero and denormals-are-zero for this thread and round-to-nearest; returns the mode before.
static inline uint64_t cplatform_enter_float_mode(void) {
#if defined(__x86_64__)
    uint32_t before = __builtin_ia32_stmxcsr();
    // FTZ 0x8000, DAZ 0x0040, all exceptions masked 0x1f80, rounding bits cleared.
    __builtin_ia32_ldmxcsr(0x9fc0);
    return before;
#elif defined(__aarch64__)
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    uint64_t flushing = (uint64_t)1 << 24;
    __asm__ volatile("msr fpcr, %0" : : "r"(flushing));
    return before;
#else
    return 0;
#endif
}

/// Restores what `cplatform_enter_float_mode` returned.
static inline void cplatform_restore_float_mode(uint64_t mode) {
#if defined(__x86_64__)
    __builtin_ia32_ldmxcsr((uint32_t)mode);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
#else
    (void)mode;
#endif
}

/// The correctly rounded square root, as of Swift's `squareRoot()`, which may set an error number and so
/// keeps a loop scalar. Swift 6.0's clang knows only that one: the same bits, one at a time.
static inline float cplatform_square_root(float x) {
#if __has_builtin(__builtin_elementwise_sqrt)
    return __builtin_elementwise_sqrt(x);
#else
    return __builtin_sqrtf(x);
#endif
}

/// Tells the processor that this thread spins.
static inline void cplatform_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/// Asks for the cache line at `address` to be brought to the second-level cache; any address will do.
static inline void cplatform_prefetch(const void *address) {
    __builtin_prefetch(address, 0, 2);
}

typedef float cplatform_float4 __attribute__((ext_vector_type(4)));
typedef float cplatform_float8 __attribute__((ext_vector_type(8)));
typedef float cplatform_float16 __attribute__((ext_vector_type(16)));

/// a * b + c with one rounding, lane by lane.
///
/// Swift's own `addingProduct` is a loop over lanes, which the optimiser puts together again: not always
/// to vectors of the full width.
static inline __attribute__((always_inline)) cplatform_float4
cplatform_fma4(cplatform_float4 a, cplatform_float4 b, cplatform_float4 c) {
    return __builtin_elementwise_fma(a, b, c);
}

static inline __attribute__((always_inline)) cplatform_float8
cplatform_fma8(cplatform_float8 a, cplatform_float8 b, cplatform_float8 c) {
    return __builtin_elementwise_fma(a, b, c);
}

static inline __attribute__((always_inline)) cplatform_float16
cplatform_fma16(cplatform_float16 a, cplatform_float16 b, cplatform_float16 c) {
    return __builtin_elementwise_fma(a, b, c);
}

/// Whether the processor multiplies numbers of 16 bits (avx512_bf16).
int cplatform_has_bfloat16(void);

#if defined(__AVX512BF16__)
typedef __bf16 cplatform_halves __attribute__((__vector_size__(64)));
typedef __bf16 cplatform_half_halves __attribute__((__vector_size__(32)));
typedef unsigned short cplatform_ushort16 __attribute__((ext_vector_type(16)));
typedef unsigned int cplatform_uint16 __attribute__((ext_vector_type(16)));

/// c + a.second * b.second + a.first * b.first, lane by lane, of pairs of bfloat16.
static inline __attribute__((always_inline)) cplatform_float16
cplatform_dot_bfloat16(cplatform_float16 c, cplatform_float16 a, cplatform_float16 b) {
#if __clang_major__ < 18
    // The builtin ends Swift 6.0's compiler: its optimiser turns bfloat16 to floats and back without end.
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(c) : "v"(a), "v"(b));
    return c;
#else
    return (cplatform_float16)__builtin_ia32_dpbf16ps_512(c, (cplatform_halves)a, (cplatform_halves)b);
#endif
}

static inline __attribute__((always_inline)) cplatform_ushort16
cplatform_round_bfloat16(cplatform_float16 value) {
    return (cplatform_ushort16)__builtin_ia32_cvtneps2bf16_512_mask(value, (cplatform_half_halves){0}, -1);
}

/// Stores 16 numbers, rounded, in 32 bytes.
static inline __attribute__((always_inline)) void cplatform_store_bfloat16(void *target,
                                                                           cplatform_float16 value) {
    cplatform_ushort16 rounded = cplatform_round_bfloat16(value);
    __builtin_memcpy(target, &rounded, sizeof rounded);
}

/// Pairs whose first numbers are these, rounded, and whose second ones are 0.
static inline __attribute__((always_inline)) cplatform_float16
cplatform_first_bfloat16(cplatform_float16 value) {
    return (cplatform_float16) __builtin_convertvector(cplatform_round_bfloat16(value), cplatform_uint16);
}

/// These pairs with the numbers, rounded, as the second ones.
static inline __attribute__((always_inline)) cplatform_float16
cplatform_join_bfloat16(cplatform_float16 pairs, cplatform_float16 value) {
    cplatform_uint16 second = (cplatform_uint16)cplatform_first_bfloat16(value) << 16;
    return (cplatform_float16)((cplatform_uint16)pairs | second);
}
#endif

/// A lock of the process, which is free in a child that is forked while another thread holds it.
void cplatform_lock(void);
void cplatform_unlock(void);

/// How often this process was forked from one in which the library was loaded: 0 in the first process.
/// A thread pool compares it with the value at its start, because threads do not survive `fork()`.
uint64_t cplatform_fork_generation(void);

/// Calls `in_child` in every process that is forked from now on, on the one thread that it has; returns 0 or
/// an errno value.
int cplatform_on_fork(void (*in_child)(void));

/// A thread: what stands for one is a number in one system and a pointer in another.
typedef struct {
    pthread_t id;
} cplatform_thread;

/// Starts a joinable thread with all signals blocked but that of a `CGuard`; returns 0 or an errno value.
int cplatform_start_thread(cplatform_thread *thread, void *(*entry)(void *), void *argument);

/// Waits for the thread's end.
void cplatform_join(cplatform_thread thread);

/// Cores in this thread's affinity; on macOS, which has none, those of the machine.
int cplatform_affinity_count(void);

#endif
