#include "tables.h"

#include <stddef.h>
#include <string.h>

#define TYPE(type)                                                                                           \
    _Generic((type)0, int32_t                                                                                \
             : TABLES_INT32, uint32_t                                                                        \
             : TABLES_UINT32, int64_t                                                                        \
             : TABLES_INT64, uint64_t                                                                        \
             : TABLES_UINT64, float                                                                          \
             : TABLES_FLOAT, double                                                                          \
             : TABLES_DOUBLE)

/* A row of the structure that STRUCTURE stands for where the table is expanded. */
#define ROW(type, name, usual, least, largest)                                                               \
    {#name, offsetof(STRUCTURE, name), TYPE(type), usual, least, largest},

#define STRUCTURE tsimcne_augmentation
static const tables_number augmentation[] = {TSIMCNE_AUGMENTATION_NUMBERS(ROW)};
#undef STRUCTURE
#define STRUCTURE tsimcne_layer
static const tables_number layer[] = {TSIMCNE_LAYER_NUMBERS(ROW)};
#undef STRUCTURE
#define STRUCTURE tsimcne_model_config
static const tables_number model[] = {TSIMCNE_MODEL_NUMBERS(ROW)};
#undef STRUCTURE
#define STRUCTURE tsimcne_stage
static const tables_number stage[] = {TSIMCNE_STAGE_NUMBERS(ROW)};
#undef STRUCTURE
#define STRUCTURE tsimcne_trainer_config
static const tables_number trainer[] = {TSIMCNE_TRAINER_NUMBERS(ROW)};
#undef STRUCTURE
#define STRUCTURE tsimcne_event
static const tables_number event[] = {TSIMCNE_EVENT_NUMBERS(ROW)};
#undef STRUCTURE
#define STRUCTURE tsimcne_progress
static const tables_number progress[] = {TSIMCNE_PROGRESS_NUMBERS(ROW)};
#undef STRUCTURE
#define STRUCTURE tsimcne_patches
static const tables_number patches[] = {TSIMCNE_PATCHES_NUMBERS(ROW)};
#undef STRUCTURE

#define LENGTH(array) (sizeof(array) / sizeof *(array))

const tables_structure *tables_structures(void) {
    static const tables_structure all[] = {
        {"augmentation", sizeof(tsimcne_augmentation), LENGTH(augmentation), augmentation},
        {"layer", sizeof(tsimcne_layer), LENGTH(layer), layer},
        {"model", sizeof(tsimcne_model_config), LENGTH(model), model},
        {"stage", sizeof(tsimcne_stage), LENGTH(stage), stage},
        {"trainer", sizeof(tsimcne_trainer_config), LENGTH(trainer), trainer},
        {"event", sizeof(tsimcne_event), LENGTH(event), event},
        {"progress", sizeof(tsimcne_progress), LENGTH(progress), progress},
        {"patches", sizeof(tsimcne_patches), LENGTH(patches), patches},
        {NULL, 0, 0, NULL},
    };
    return all;
}

const tables_structure *tables_structure_named(const char *name) {
    for (const tables_structure *table = tables_structures(); table->name != NULL; table++) {
        if (strcmp(table->name, name) == 0) {
            return table;
        }
    }
    return NULL;
}

#define CONSTANT(constant, number, word) {#constant, number, word},
#define ROWS(name) static const tables_constant rows_##name[] = {TSIMCNE_##name(CONSTANT)};
#define ENUMERATION(name) {#name, LENGTH(rows_##name), rows_##name},

TSIMCNE_ENUMERATIONS(ROWS)

const tables_enumeration *tables_enumerations(void) {
    static const tables_enumeration all[] = {TSIMCNE_ENUMERATIONS(ENUMERATION){NULL, 0, NULL}};
    return all;
}

double tables_get(const void *structure, const tables_number *number) {
    const char *at = (const char *)structure + number->offset;
    switch (number->type) {
    case TABLES_INT32:
        return *(const int32_t *)at;
    case TABLES_UINT32:
        return *(const uint32_t *)at;
    case TABLES_INT64:
        return (double)*(const int64_t *)at;
    case TABLES_UINT64:
        return (double)*(const uint64_t *)at;
    case TABLES_FLOAT:
        return *(const float *)at;
    case TABLES_DOUBLE:
        return *(const double *)at;
    }
    return 0;
}

void tables_set(void *structure, const tables_number *number, double value) {
    char *at = (char *)structure + number->offset;
    switch (number->type) {
    case TABLES_INT32:
        *(int32_t *)at = (int32_t)value;
        break;
    case TABLES_UINT32:
        *(uint32_t *)at = (uint32_t)value;
        break;
    case TABLES_INT64:
        *(int64_t *)at = (int64_t)value;
        break;
    case TABLES_UINT64:
        *(uint64_t *)at = (uint64_t)value;
        break;
    case TABLES_FLOAT:
        *(float *)at = (float)value;
        break;
    case TABLES_DOUBLE:
        *(double *)at = value;
        break;
    }
}

void tables_reset(void *structure, const tables_structure *table) {
    memset(structure, 0, (size_t)table->size);
    *(uint64_t *)structure = (uint64_t)table->size;
    for (int64_t i = 0; i < table->count; i++) {
        tables_set(structure, &table->numbers[i], table->numbers[i].usual);
    }
}
