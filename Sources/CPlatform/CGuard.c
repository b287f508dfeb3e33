// A page of a mapped file that lies beyond the file's end, or that the disk does not give, raises SIGBUS in
// the thread that touches it. The handler puts zeros in its place and counts that: the thread goes on,
// whatever it is and whatever locks it holds, and who began the guard asks for the count before it believes
// what came of the reading. Nothing is jumped out of.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "CPlatform.h"

// The most places of a guard that zeros are put in: the system gives a process fewer mappings than this.
enum { MOST_FAULTS = 1 << 16 };
// Zeros are put up to the next multiple of this: where a file was cut, all that follows is cut too.
static const uintptr_t block = 1 << 21;

// Guards are used again and never freed: a handler in another thread may be looking at any of them.
struct cplatform_guard {
    _Atomic uintptr_t first, last;
    _Atomic uint64_t faults;
    // Addresses where zeros were put; their memory is not there until it is written.
    uintptr_t *places;
    struct cplatform_guard *next;
    bool is_used;
};

static struct cplatform_guard *_Atomic guards;
// The handler that was there before ours. One that was replaced is kept for a handler that still reads it.
static struct sigaction *_Atomic before;
static uintptr_t page_size;
// A handler that was installed after ours may call it, and ours calls that one: once each.
static __thread volatile sig_atomic_t passes __attribute__((tls_model("initial-exec")));

// The end of what is replaced from `page` on.
static uintptr_t block_end(uintptr_t page, uintptr_t last) {
    uintptr_t end = (page | (block - 1)) + 1;
    uintptr_t whole = (last + page_size - 1) & ~(page_size - 1);
    return end < whole ? end : whole;
}

static bool replace(uintptr_t page, uintptr_t end, int flags, int file) {
    return mmap((void *)page, end - page, PROT_READ | PROT_WRITE, flags | MAP_PRIVATE | MAP_FIXED, file, 0) !=
           MAP_FAILED;
}

static bool put_zeros(uintptr_t address) {
    uintptr_t page = address & ~(page_size - 1), end = 0;
    for (struct cplatform_guard *guard = guards; guard != NULL; guard = guard->next) {
        uintptr_t last = guard->last;
        if (address < guard->first || address >= last) {
            continue;
        }
        // The count comes first: no thread may see zeros that are not counted.
        uint64_t place = atomic_fetch_add(&guard->faults, 1);
        if (place >= MOST_FAULTS) {
            return false;
        }
        guard->places[place] = page;
        end = end > block_end(page, last) ? end : block_end(page, last);
    }
    return end != 0 && replace(page, end, MAP_ANONYMOUS, -1);
}

// Does what would happen without this handler.
static void pass_on(int number, siginfo_t *info, void *context) {
    struct sigaction *old = before;
    bool is_fault = info->si_code > 0;
    bool is_default = passes || (!(old->sa_flags & SA_SIGINFO) &&
                                 (old->sa_handler == SIG_DFL || (old->sa_handler == SIG_IGN && is_fault)));
    if (is_default) {
        // It ends the process once this handler has returned and the signal is let through.
        struct sigaction end = {.sa_handler = SIG_DFL};
        sigaction(number, &end, NULL);
        if (!is_fault) {
            raise(number);
        }
        return;
    }
    passes = 1;
    if (old->sa_flags & SA_SIGINFO) {
        old->sa_sigaction(number, info, context);
    } else if (old->sa_handler != SIG_IGN) {
        old->sa_handler(number);
    }
    passes = 0;
    // One that raises the signal anew wants the end, and would be called again for ever: it may have been
    // installed between two of our installations, so that it hands on to ours.
    sigset_t pending;
    if (sigpending(&pending) == 0 && sigismember(&pending, number) == 1) {
        struct sigaction end = {.sa_handler = SIG_DFL};
        sigaction(number, &end, NULL);
    }
}

// Whether a signal may be of a file that ends before the address.
static bool is_of_a_file(const siginfo_t *info) {
#if defined(__APPLE__)
    // There is one code for all of them.
    return info->si_code > 0;
#else
    // Faulty memory (BUS_MCEERR_…) is nobody's file.
    return info->si_code == BUS_ADRERR;
#endif
}

// A file without a byte, and without a name.
static int empty_file(void) {
#if defined(__APPLE__)
    char name[] = "/tmp/tsimcne-cut.XXXXXX";
    int file = mkstemp(name);
    if (file >= 0) {
        unlink(name);
    }
    return file;
#else
    return memfd_create("tsimcne-cut", MFD_CLOEXEC);
#endif
}

static void on_bus_error(int number, siginfo_t *info, void *context) {
    int error = errno;
    if (!is_of_a_file(info) || !put_zeros((uintptr_t)info->si_addr)) {
        pass_on(number, info, context);
    }
    errno = error;
}

// Makes ours the handler; another that was installed since becomes the one to pass on to. The caller holds
// the lock.
static bool install(void) {
    struct sigaction now;
    if (sigaction(SIGBUS, NULL, &now) != 0) {
        return false;
    }
    if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_bus_error) {
        return true;
    }
    struct sigaction *copy = malloc(sizeof *copy);
    if (copy == NULL) {
        return false;
    }
    *copy = now;
    before = copy;
    page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    // A thread may have a stack for signals, which others' handlers may count on: SA_ONSTACK.
    struct sigaction ours = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&ours.sa_mask);
    return sigaction(SIGBUS, &ours, NULL) == 0;
}

static cplatform_guard *free_guard(void) {
    for (struct cplatform_guard *guard = guards; guard != NULL; guard = guard->next) {
        if (!guard->is_used) {
            return guard;
        }
    }
    struct cplatform_guard *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    void *places = mmap(NULL, MOST_FAULTS * sizeof *made->places, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (places == MAP_FAILED) {
        free(made);
        return NULL;
    }
    made->places = places;
    made->next = guards;
    guards = made;
    return made;
}

cplatform_guard *cplatform_guard_begin(const void *start, size_t bytes) {
    cplatform_lock();
    cplatform_guard *guard = install() ? free_guard() : NULL;
    if (guard != NULL) {
        guard->is_used = true;
        guard->faults = 0;
        guard->first = (uintptr_t)start;
        guard->last = (uintptr_t)start + bytes;
    }
    cplatform_unlock();
    return guard;
}

uint64_t cplatform_guard_faults(const cplatform_guard *guard) {
    return guard->faults;
}

void cplatform_guard_end(cplatform_guard *guard) {
    cplatform_lock();
    uintptr_t last = guard->last;
    guard->last = 0;
    guard->first = 0;
    uint64_t count = guard->faults < MOST_FAULTS ? guard->faults : MOST_FAULTS;
    // The zeros are not the file's: pages of an empty file fault as those that they stand for. Who reads them
    // under another guard has them counted there.
    int empty = count > 0 ? empty_file() : -1;
    for (uint64_t i = 0; empty >= 0 && i < count; i++) {
        replace(guard->places[i], block_end(guard->places[i], last), 0, empty);
    }
    if (empty >= 0) {
        close(empty);
    }
    if (count > 0) {
        madvise(guard->places, MOST_FAULTS * sizeof *guard->places, MADV_DONTNEED);
    }
    guard->is_used = false;
    cplatform_unlock();
}
