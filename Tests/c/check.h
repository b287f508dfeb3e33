// What the programs of this folder end with where the interface does not do what it promises.
#ifndef TSIMCNE_TESTS_CHECK_H
#define TSIMCNE_TESTS_CHECK_H

#include "tsimcne.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "line %d: %s (%s)\n", __LINE__, #condition, tsimcne_last_error());               \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

#endif
