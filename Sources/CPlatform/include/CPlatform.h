/// The few things that Swift cannot say: floating-point modes, square roots, vectors, fork handlers, hints
/// to the processor.
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <pthread.h>
#include <stdint.h>

#include "CGuard.h"
#include "CLanes.h"

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

/// Whether the processor multiplies numbers of 16 bits (avx512_bf16).
int cplatform_has_bfloat16(void);

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
