/*
 * tables.h: the tables of tsimcne.h as arrays, for code that treats every row alike: the checks of the
 * library, the Python extension and the fuzzer. Not part of the C interface.
 */
#ifndef TSIMCNE_TABLES_H
#define TSIMCNE_TABLES_H

#include "tsimcne.h"

typedef enum {
    TABLES_INT32,
    TABLES_UINT32,
    TABLES_INT64,
    TABLES_UINT64,
    TABLES_FLOAT,
    TABLES_DOUBLE
} tables_type;

/** A number of a structure. */
typedef struct tables_number {
    const char *name;
    int64_t offset; /* bytes from the structure's beginning */
    tables_type type;
    double usual, least, largest;
} tables_number;

typedef struct tables_structure {
    const char *name; /* "augmentation", "layer", "model", "stage", "trainer", "progress" */
    int64_t size;
    int64_t count;
    const tables_number *numbers;
} tables_structure;

typedef struct tables_constant {
    const char *constant; /* its name in tsimcne.h, without TSIMCNE_ */
    int32_t number;
    const char *word; /* what users call it */
} tables_constant;

typedef struct tables_enumeration {
    const char *name; /* its table's name, without TSIMCNE_ */
    int64_t count;
    const tables_constant *constants;
} tables_enumeration;

/** All enumerations; the last one is followed by one without a name. */
const tables_enumeration *tables_enumerations(void);

/** All structures of numbers, ended likewise. */
const tables_structure *tables_structures(void);

/** The structure of a name, or NULL. */
const tables_structure *tables_structure_named(const char *name);

/** Reads a number; those of 64 bits are rounded beyond 2^53. */
double tables_get(const void *structure, const tables_number *number);

/** Writes a number that its type can hold. */
void tables_set(void *structure, const tables_number *number, double value);

/** Writes struct_size and every usual value; pointers become NULL. */
void tables_reset(void *structure, const tables_structure *table);

#endif
