/// Memory whose file others may cut: reading it gives zeros that are counted, where it would end the process.
#ifndef CGUARD_H
#define CGUARD_H

#include <stddef.h>
#include <stdint.h>

typedef struct cplatform_guard cplatform_guard;

/// Watches `bytes` bytes from `start` on, until `cplatform_guard_end`; NULL where there is no memory for it.
cplatform_guard *cplatform_guard_begin(const void *start, size_t bytes);

/// Pages that could not be read since the beginning.
uint64_t cplatform_guard_faults(const cplatform_guard *guard);

/// From here on a page that could not be read ends the process again, as it did before.
void cplatform_guard_end(cplatform_guard *guard);

#endif
