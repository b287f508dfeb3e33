#define _GNU_SOURCE
#include "CPlatform.h"

#include <math.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static volatile uint64_t fork_generation = 0;
static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;

int cplatform_has_bfloat16(void) {
#if defined(__x86_64__)
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1);
#else
    return 0;
#endif
}

void cplatform_lock(void) {
    pthread_mutex_lock(&shared);
}

void cplatform_unlock(void) {
    pthread_mutex_unlock(&shared);
}

static void begin_child(void) {
    fork_generation += 1;
    cplatform_unlock();
}

__attribute__((constructor)) static void watch_forks(void) {
    pthread_atfork(cplatform_lock, cplatform_unlock, begin_child);
}

uint64_t cplatform_fork_generation(void) {
    return fork_generation;
}

int cplatform_on_fork(void (*in_child)(void)) {
    return pthread_atfork(0, 0, in_child);
}

int cplatform_start_thread(cplatform_thread *thread, void *(*entry)(void *), void *argument) {
    sigset_t all, before;
    sigfillset(&all);
    // A fault whose signal is blocked ends the process: see CGuard.
    sigdelset(&all, SIGBUS);
    int status = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (status != 0) {
        return status;
    }
    status = pthread_create(&thread->id, 0, entry, argument);
    pthread_sigmask(SIG_SETMASK, &before, 0);
    return status;
}

void cplatform_join(cplatform_thread thread) {
    pthread_join(thread.id, 0);
}

int cplatform_affinity_count(void) {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        return CPU_COUNT(&set);
    }
#endif
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

#if defined(__linux__)
// Swift's own library calls it, and nothing here does. With glibc's, which has a new version since 2.35, the
// core would not load with an older one. In double precision neither the squares nor their sum are out of
// range.
__attribute__((visibility("hidden"))) float hypotf(float x, float y) {
    return isinf(x) || isinf(y) ? INFINITY : (float)sqrt((double)x * x + (double)y * y);
}
#endif
