/* Any sequence of calls of tsimcne.h, with arguments that are mostly right: for libFuzzer.
 *
 * Whatever is passed that C can tell apart (null, misaligned, stale, foreign, undersized, not a number), a
 * call returns a status, an error leaves a message, and outputs stay inside the memory that was passed, which
 * AddressSanitizer watches: every buffer has exactly the size that is said. */
#include "tables.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *bytes;
    size_t left;
} Choices;

static uint8_t byte(Choices *choices) {
    if (choices->left == 0) {
        return 0;
    }
    choices->left -= 1;
    return *choices->bytes++;
}

static int one_in(Choices *choices, int n) {
    return byte(choices) % n == n - 1;
}

static int below(Choices *choices, int n) {
    return byte(choices) % n;
}

/* The usual value, or now and then one that no caller should pass. */
static int64_t integer(Choices *choices, int64_t usual) {
    static const int64_t odd[] = {0,         -1,        1,         2,       7,         255,       INT32_MAX,
                                  INT32_MIN, INT64_MAX, INT64_MIN, 1 << 20, 1LL << 40, 1LL << 62, 3};
    return one_in(choices, 24) ? odd[below(choices, sizeof odd / sizeof *odd)] : usual;
}

static double real(Choices *choices, double usual) {
    static const double odd[] = {0, -1, 1, NAN, INFINITY, -INFINITY, 1e300, 1e-300, 0.5, -0.0};
    return one_in(choices, 24) ? odd[below(choices, sizeof odd / sizeof *odd)] : usual;
}

/* Memory of one input, all freed at its end. */
enum { MOST_BUFFERS = 4096 };
static void *buffers[MOST_BUFFERS];
static int buffer_count;

static void *room(int64_t bytes) {
    if (bytes < 0 || bytes > 1 << 22 || buffer_count == MOST_BUFFERS) {
        return NULL;
    }
    void *memory = malloc((size_t)bytes);
    buffers[buffer_count++] = memory;
    return memory;
}

/* A buffer of so many bytes; now and then none, or one that is not aligned. */
static void *buffer(Choices *choices, int64_t bytes) {
    if (one_in(choices, 32)) {
        return NULL;
    }
    if (one_in(choices, 32)) {
        char *memory = room(bytes + 1);
        return memory != NULL ? memory + 1 : NULL;
    }
    return room(bytes);
}

static void *filled(Choices *choices, int64_t count, int type) {
    int64_t size = type == TSIMCNE_UINT8 ? 1 : 4;
    void *memory = buffer(choices, count * size);
    if (memory == NULL) {
        return NULL;
    }
    uint32_t state = byte(choices);
    for (int64_t i = 0; i < count; i++) {
        state = state * 1664525 + 1013904223;
        float value = (float)(state >> 8) / (1 << 24);
        if (type == TSIMCNE_UINT8) {
            ((uint8_t *)memory)[i] = (uint8_t)(state >> 24);
        } else {
            memcpy((char *)memory + 4 * i, &value, 4);
        }
    }
    return memory;
}

enum { MOST_HANDLES = 8, MOST_MADE = 128 };
static tsimcne_handle handles[MOST_HANDLES];

/* All handles that were made, also those whose place another has taken: what the end destroys. */
static tsimcne_handle made[MOST_MADE];
static int made_count;

static tsimcne_handle *place(Choices *choices) {
    return one_in(choices, 64) ? NULL : &handles[below(choices, MOST_HANDLES)];
}

static void keep(const tsimcne_handle *target, int32_t status) {
    if (status == TSIMCNE_OK && target != NULL) {
        made[made_count++] = *target;
    }
}

static tsimcne_handle handle(Choices *choices) {
    static const tsimcne_handle odd[] = {0, 1, 7, UINT64_MAX, 1ull << 32, 1ull << 63};
    return one_in(choices, 16) ? odd[below(choices, 6)] : handles[below(choices, MOST_HANDLES)];
}

static uint64_t size_of(Choices *choices, size_t size) {
    return (uint64_t)integer(choices, (int64_t)size);
}

static tsimcne_images some_images(Choices *choices, int has_data, int is_vectors) {
    tsimcne_images images = {0};
    images.struct_size = size_of(choices, sizeof images);
    images.count = integer(choices, 2 + below(choices, 5));
    images.height = integer(choices, is_vectors ? 1 : 8 + below(choices, 4));
    images.width = integer(choices, is_vectors ? 1 : 8 + below(choices, 4));
    images.channels = integer(choices, 1 + below(choices, 4));
    images.type = (int32_t)integer(choices, is_vectors ? TSIMCNE_FLOAT32 : below(choices, 2));
    images.reserved = one_in(choices, 64);
    int64_t count;
    int overflows = __builtin_mul_overflow(images.count, images.height, &count) ||
                    __builtin_mul_overflow(count, images.width, &count) ||
                    __builtin_mul_overflow(count, images.channels, &count);
    if (has_data && !overflows && count >= 0 && count < 1 << 18) {
        images.data = filled(choices, count, images.type);
    }
    return images;
}

/* Writes a whole number as far as its type holds it. */
static void set_whole(void *structure, const tables_number *number, int64_t value) {
    char *at = (char *)structure + number->offset;
    bool is_small = number->type == TABLES_INT32 || number->type == TABLES_UINT32;
    memcpy(at, &value, is_small ? 4 : 8);
}

/* Every number of a structure: usual, near its least, or now and then one that no caller should pass. */
static void some_numbers(Choices *choices, const char *name, void *structure) {
    const tables_structure *table = tables_structure_named(name);
    tables_reset(structure, table);
    *(uint64_t *)structure = size_of(choices, (size_t)table->size);
    for (int64_t i = 0; i < table->count; i++) {
        const tables_number *number = &table->numbers[i];
        double range = fmin(number->largest - number->least, 7);
        double value = one_in(choices, 2) ? number->usual : number->least + range * below(choices, 8) / 7;
        if (number->type == TABLES_FLOAT || number->type == TABLES_DOUBLE) {
            tables_set(structure, number, real(choices, value));
        } else {
            set_whole(structure, number, integer(choices, (int64_t)value));
        }
    }
}

static tsimcne_augmentation some_augmentation(Choices *choices) {
    tsimcne_augmentation a;
    some_numbers(choices, "augmentation", &a);
    return a;
}

static void augment(Choices *choices) {
    tsimcne_images images = some_images(choices, 1, 0);
    tsimcne_augmentation augmentation = some_augmentation(choices);
    int64_t count = images.data == NULL ? 64 : images.count * images.height * images.width * images.channels;
    count = integer(choices, count);
    float *output = buffer(choices, count < 0 || count > 1 << 18 ? 0 : 4 * count);
    if (count > 1 << 18) {
        count = 0;
    }
    tsimcne_augment(one_in(choices, 32) ? NULL : &images, one_in(choices, 32) ? NULL : &augmentation,
                    byte(choices), (uint64_t)integer(choices, 3), (uint64_t)integer(choices, 5),
                    byte(choices), (int32_t)integer(choices, 1 + below(choices, 2)), output, count);
}

static const char *const layer_names[] = {"a", "b", "c.1", "d", "e", "f"};

static const tsimcne_layer *layers(Choices *choices, int32_t count) {
    if (count < 1 || count > 6) {
        return NULL;
    }
    char *memory = buffer(choices, (int64_t)sizeof(tsimcne_layer) * count);
    for (int32_t i = 0; memory != NULL && i < count; i++) {
        tsimcne_layer layer;
        some_numbers(choices, "layer", &layer);
        layer.name = one_in(choices, 20) ? NULL : layer_names[one_in(choices, 20) ? below(choices, 6) : i];
        layer.channels = layer.channels > 64 ? 64 : layer.channels;
        memcpy(memory + i * (int64_t)sizeof layer, &layer, sizeof layer);
    }
    return (const tsimcne_layer *)memory;
}

static void create_model(Choices *choices) {
    tsimcne_model_config config = {0};
    config.struct_size = size_of(choices, sizeof config);
    config.channels = integer(choices, 1 + below(choices, 4));
    config.depth = (int32_t)integer(choices, (int[]){10, 0, 18}[below(choices, 3)]);
    config.base_width = (int32_t)integer(choices, 1 + below(choices, 4));
    int hidden = below(choices, 3);
    config.hidden_count = (int32_t)integer(choices, hidden);
    /* Beyond what the library is said to read there is nothing. */
    if (config.hidden_count > 0 && config.hidden_count <= 16) {
        int32_t *dims = buffer(choices, 4 * config.hidden_count);
        for (int i = 0; dims != NULL && i < config.hidden_count; i++) {
            int32_t width = (int32_t)integer(choices, 1 + below(choices, 8));
            width = width > 1 << 16 ? 8 : width;
            memcpy((char *)dims + 4 * i, &width, 4);
        }
        config.hidden_dims = dims;
    }
    config.output_dim = (int32_t)integer(choices, 1 + below(choices, 8));
    if (one_in(choices, 3)) {
        config.layer_count = (int32_t)integer(choices, 1 + below(choices, 6));
        config.layers = layers(choices, config.layer_count);
    }
    if (one_in(choices, 4) && config.channels > 0 && config.channels < 1000) {
        config.mean = filled(choices, config.channels, TSIMCNE_FLOAT32);
        config.deviation = filled(choices, config.channels, TSIMCNE_FLOAT32);
    }
    /* Wide networks are right, and slow. */
    if (config.base_width > 64) {
        config.base_width = 4;
    }
    tsimcne_handle *target = place(choices);
    keep(target, tsimcne_model_create(one_in(choices, 64) ? NULL : &config, byte(choices), target));
}

static void transform(Choices *choices) {
    tsimcne_images images = some_images(choices, 1, one_in(choices, 3));
    int64_t count = integer(choices, (int64_t)((uint64_t)images.count * (uint64_t)(1 + below(choices, 64))));
    if (count > 1 << 18) {
        count = 0;
    }
    float *output = buffer(choices, count < 0 ? 0 : 4 * count);
    tsimcne_model_transform(handle(choices), one_in(choices, 64) ? NULL : &images,
                            (int32_t)integer(choices, below(choices, TSIMCNE_OUTPUT_COUNT)),
                            (int32_t)integer(choices, 1), output, count);
}

static tsimcne_stage some_stage(Choices *choices, const tsimcne_augmentation *augmentation) {
    tsimcne_stage stage;
    some_numbers(choices, "stage", &stage);
    /* Stages are mostly short, as others teach nothing more, and of the views' usual size. */
    stage.steps = integer(choices, 1 + below(choices, 3));
    if (!one_in(choices, 3)) {
        stage.view_height = stage.view_width = 0;
    }
    stage.augmentation = one_in(choices, 3) ? augmentation : NULL;
    return stage;
}

static void create_trainer(Choices *choices) {
    tsimcne_trainer_config config;
    some_numbers(choices, "trainer", &config);
    config.batch_size = integer(choices, 2 + below(choices, 4));
    config.threads = (int32_t)integer(choices, below(choices, 3));
    tsimcne_augmentation augmentation = some_augmentation(choices);
    int64_t stages = 1 + below(choices, 3);
    config.stage_count = integer(choices, stages);
    if (config.stage_count > 0 && config.stage_count <= 64) {
        tsimcne_stage *list = room(config.stage_count * (int64_t)sizeof *list);
        for (int64_t i = 0; i < config.stage_count; i++) {
            list[i] = some_stage(choices, &augmentation);
        }
        config.stages = one_in(choices, 64) ? NULL : list;
    }
    config.augmentation = one_in(choices, 4) ? NULL : &augmentation;
    if (one_in(choices, 2)) {
        config.shard_count = 0;
        config.shard_rank = 0;
    } else if (one_in(choices, 4)) {
        // Some of so few have fewer images to share than there are shards.
        config.stop_at = 15;
        config.shard_count = (int32_t)integer(choices, below(choices, 64));
        config.shard_rank = 0;
    }
    tsimcne_images images = some_images(choices, config.source == TSIMCNE_SOURCE_IMAGES, one_in(choices, 3));
    tsimcne_handle *target = place(choices);
    keep(target, tsimcne_trainer_create(handle(choices), one_in(choices, 64) ? NULL : &images,
                                        one_in(choices, 64) ? NULL : &config, target));
}

static void advance(Choices *choices) {
    tsimcne_handle trainer = handle(choices);
    for (int calls = 1 + below(choices, 32); calls > 0; calls--) {
        tsimcne_event event = {0};
        event.struct_size = size_of(choices, sizeof event);
        if (tsimcne_advance(trainer, one_in(choices, 64) ? NULL : &event) != TSIMCNE_OK) {
            return;
        }
        if (event.kind == TSIMCNE_EVENT_BATCH_WANTED) {
            int64_t bytes =
                integer(choices, event.index_count * (8 + below(choices, 4)) * 8 * (1 + below(choices, 4)));
            bytes = bytes > 1 << 20 ? 0 : bytes;
            void *data = filled(choices, bytes < 0 ? 0 : bytes, TSIMCNE_UINT8);
            tsimcne_supply(trainer, data, bytes);
        } else if (event.kind == TSIMCNE_EVENT_FINISHED || event.kind == TSIMCNE_EVENT_DIVERGED) {
            return;
        }
    }
}

static void move(Choices *choices) {
    tsimcne_handle trainer = handle(choices);
    tsimcne_progress progress = {0};
    progress.struct_size = size_of(choices, sizeof progress);
    tsimcne_trainer_progress(trainer, one_in(choices, 64) ? NULL : &progress);
    int64_t bytes = 0, count = integer(choices, 1 + below(choices, 32));
    count = count > 1 << 18 ? 0 : count;
    tsimcne_trainer_memory(trainer, one_in(choices, 64) ? NULL : &bytes);
    tsimcne_trainer_order(trainer, buffer(choices, count < 0 ? 0 : 8 * count), count);
    tsimcne_trainer_set_loss(trainer, real(choices, 1));
    for (int i = 0; i < 6; i++) {
        const tables_number *number = &tables_structure_named("progress")->numbers[i];
        if (number->type == TABLES_DOUBLE) {
            tables_set(&progress, number, real(choices, tables_get(&progress, number)));
        } else {
            set_whole(&progress, number, integer(choices, (int64_t)tables_get(&progress, number)));
        }
    }
    tsimcne_trainer_seek(one_in(choices, 8) ? handle(choices) : trainer,
                         one_in(choices, 64) ? NULL : &progress);
}

static void read_arrays(Choices *choices) {
    static const char *names[] = {"neighbors", "backbone.conv1.weight", "", "projection_head.layers.0.bias",
                                  "\xff\xfe"};
    tsimcne_handle owner = handle(choices);
    int64_t count = 0;
    tsimcne_array_count(owner, one_in(choices, 64) ? NULL : &count);
    for (int64_t i = 0; i < count; i++) {
        tsimcne_array array = {0};
        array.struct_size = size_of(choices, sizeof array);
        if (tsimcne_array_at(owner, integer(choices, i), one_in(choices, 64) ? NULL : &array) != TSIMCNE_OK) {
            continue;
        }
        /* The array is read and written back from end to end: the whole of it must be there. */
        int64_t bytes = array.count * (array.type == TSIMCNE_FLOAT64 ? 8 : 4);
        for (int64_t at = 0; at < bytes; at++) {
            ((volatile uint8_t *)array.data)[at] = ((volatile uint8_t *)array.data)[at];
        }
        if (strlen(array.name) > 200) {
            abort();
        }
    }
    tsimcne_array array = {0};
    array.struct_size = size_of(choices, sizeof array);
    tsimcne_array_named(owner, (int32_t)integer(choices, below(choices, 9)),
                        one_in(choices, 16) ? NULL : names[below(choices, 5)], &array);
}

static void infonce(Choices *choices) {
    int64_t images = integer(choices, 1 + below(choices, 6));
    int64_t views = integer(choices, 2 + below(choices, 3));
    int64_t dimension = integer(choices, 1 + below(choices, 20));
    int64_t count;
    if (__builtin_mul_overflow(images, views, &count) || __builtin_mul_overflow(count, dimension, &count) ||
        count < 0 || count > 1 << 16) {
        /* Sizes without memory behind them cannot be told from those with it: only impossible ones. */
        if (images > 0 && views > 1 && dimension > 0) {
            return;
        }
        count = 0;
    }
    double loss = 0;
    if (one_in(choices, 2)) {
        int64_t first = integer(choices, below(choices, 3)), part = integer(choices, 1 + below(choices, 3));
        int32_t metric = (int32_t)integer(choices, below(choices, 4));
        float temperature = (float)real(choices, 0.5), degrees = (float)real(choices, 2);
        double *result = one_in(choices, 64) ? NULL : &loss;
        /* The scales are those of all views, which are more than a part may write. */
        tsimcne_infonce_sums(filled(choices, count, TSIMCNE_FLOAT32), images, views, dimension, metric,
                             temperature, degrees, 1, first, part, buffer(choices, 4 * count), result);
        tsimcne_infonce_gradient(filled(choices, count, TSIMCNE_FLOAT32), images, views, dimension, metric,
                                 temperature, degrees, 1, first, part,
                                 filled(choices, count, TSIMCNE_FLOAT32), buffer(choices, 4 * count), result);
        return;
    }
    tsimcne_infonce(filled(choices, count, TSIMCNE_FLOAT32), images, views, dimension,
                    (int32_t)integer(choices, below(choices, 4)), (float)real(choices, 0.5),
                    (float)real(choices, 2), (int32_t)integer(choices, 1 + below(choices, 2)),
                    one_in(choices, 64) ? NULL : &loss, buffer(choices, 4 * count));
}

static void neighbors(Choices *choices) {
    int64_t count = 1 + below(choices, 200), dimension = 1 + below(choices, 20);
    int64_t kept = 1 + below(choices, 8), reverse_count = 1 + below(choices, 8);
    const float *rows = filled(choices, count * dimension, TSIMCNE_FLOAT32);
    int32_t *order = buffer(choices, 4 * count), *table = buffer(choices, 4 * count * kept);
    int32_t *reverse = buffer(choices, 4 * count * reverse_count),
            *target = buffer(choices, 4 * count * kept);
    /* Buffers may lie askew. */
    for (int64_t i = 0; i < count && order != NULL; i++) {
        int32_t number = (int32_t)i;
        memcpy((char *)order + 4 * i, &number, 4);
    }
    for (int64_t i = 0; i < count * kept && table != NULL; i++) {
        int32_t number = (int32_t)integer(choices, below(choices, (uint32_t)count));
        memcpy((char *)table + 4 * i, &number, 4);
    }
    tsimcne_halve(rows, count, dimension, integer(choices, 1 + below(choices, 4)), integer(choices, 0),
                  (int32_t)integer(choices, 1 + below(choices, 2)), order);
    tsimcne_reverse_neighbors(table, count, kept, reverse_count, reverse);
    tsimcne_neighbor_graph graph = {.struct_size = one_in(choices, 64) ? 0 : sizeof graph,
                                    .rows = rows,
                                    .row_count = count,
                                    .dimension = dimension,
                                    .order = order,
                                    .groups = integer(choices, 4),
                                    .blocks = integer(choices, below(choices, 3)),
                                    .table = table,
                                    .neighbors = kept,
                                    .reverse = one_in(choices, 2) ? reverse : NULL,
                                    .reverse_count = reverse_count};
    tsimcne_refine_neighbors(&graph, integer(choices, below(choices, 2)), integer(choices, 1),
                             (int32_t)integer(choices, 1 + below(choices, 2)), target);
}

static void plane(Choices *choices) {
    int64_t count = 1 + below(choices, 200), dimension = 1 + below(choices, 20);
    if (one_in(choices, 2)) {
        /* Sizes without memory behind them cannot be told from those with it: only impossible ones. */
        bool is_wrong = one_in(choices, 8);
        const int64_t wrong[] = {0, -1, INT64_MIN, INT64_MAX, (int64_t)1 << 40};
        int64_t own = one_in(choices, 2) ? -1 : integer(choices, 0);
        int32_t neighbors = (int32_t)integer(choices, 1 + below(choices, 16));
        tsimcne_nearest(filled(choices, count * dimension, TSIMCNE_FLOAT32),
                        is_wrong ? wrong[below(choices, 5)] : count,
                        filled(choices, count * dimension, TSIMCNE_FLOAT32), count, own, dimension, neighbors,
                        (int32_t)integer(choices, 1 + below(choices, 2)),
                        buffer(choices, 4 * count * (neighbors > 0 && neighbors < 4096 ? neighbors : 1)));
        return;
    }
    int64_t edges = below(choices, 4);
    int64_t *offsets = malloc((size_t)(count + 1) * sizeof *offsets);
    int32_t *neighbors = malloc((size_t)(count * edges + 1) * sizeof *neighbors);
    for (int64_t i = 0; i <= count; i++) {
        offsets[i] = i * edges;
    }
    for (int64_t k = 0; k < count * edges; k++) {
        neighbors[k] = below(choices, (uint32_t)count);
    }
    if (one_in(choices, 8)) {
        /* Never more than there are. */
        offsets[below(choices, (uint32_t)count)] = -(int64_t)below(choices, 9);
    }
    if (one_in(choices, 8)) {
        neighbors[0] = (int32_t)integer(choices, count);
    }
    tsimcne_points points = {.struct_size = sizeof points,
                             .count = count,
                             .positions = (float *)filled(choices, 2 * count, TSIMCNE_FLOAT32),
                             .velocities = (float *)filled(choices, 2 * count, TSIMCNE_FLOAT32),
                             .gains = (float *)filled(choices, 2 * count, TSIMCNE_FLOAT32),
                             .offsets = one_in(choices, 64) ? NULL : offsets,
                             .neighbors = one_in(choices, 64) ? NULL : neighbors,
                             .weights = filled(choices, count * edges + 1, TSIMCNE_FLOAT32)};
    if (one_in(choices, 4)) {
        points.repulsion = filled(choices, 3 * count, TSIMCNE_FLOAT32);
        tsimcne_repel_points(points.positions, count, (int32_t)integer(choices, 0) & 0xf,
                             (int32_t)integer(choices, 1 + below(choices, 4)),
                             (int32_t)integer(choices, 1 + below(choices, 2)), buffer(choices, 12 * count));
    }
    tsimcne_move_points(&points, integer(choices, 1 + below(choices, 4)) & 0xff, (float)real(choices, 1),
                        (float)real(choices, 0.1), (float)real(choices, 0.5),
                        (int32_t)integer(choices, 1 + below(choices, 2)));
    free(offsets);
    free(neighbors);
}

static void directions(Choices *choices) {
    int64_t count = 1 + below(choices, 100), dimension = 1 + below(choices, 40);
    int32_t wanted = (int32_t)integer(choices, 1 + below(choices, (uint32_t)dimension));
    int64_t rows = wanted > 0 && wanted <= dimension ? wanted : 1;
    tsimcne_directions(filled(choices, count * dimension, TSIMCNE_FLOAT32), count, dimension, wanted,
                       (int32_t)integer(choices, 3) & 0xff, (int32_t)integer(choices, 1 + below(choices, 2)),
                       buffer(choices, 4 * dimension), buffer(choices, 4 * rows * dimension),
                       buffer(choices, 4 * rows));
}

static void patches(Choices *choices) {
    int64_t count = below(choices, 4), height = 8 + below(choices, 12), width = 8 + below(choices, 12);
    int64_t channels = 1 + below(choices, 3);
    tsimcne_patches p = {.struct_size = sizeof p,
                         .side = 1 + (int32_t)below(choices, 8),
                         .stride = 1 + (int32_t)below(choices, 4),
                         .components = (int32_t)integer(choices, 1 + below(choices, 40)),
                         .words = 1 + (int32_t)below(choices, 300),
                         .threshold = (float)real(choices, 0.3),
                         .dimension = 1 + (int32_t)below(choices, 40),
                         .cells = (int32_t)integer(choices, 1 + below(choices, 4))};
    int64_t depth = (int64_t)p.side * p.side * channels;
    int64_t components = p.components > 0 && p.components <= 4096 ? p.components : 1;
    p.whitening = filled(choices, components * depth, TSIMCNE_FLOAT32);
    p.word_values = filled(choices, components * p.words, TSIMCNE_FLOAT32);
    p.vectors = one_in(choices, 2) ? NULL : filled(choices, (int64_t)p.words * p.dimension, TSIMCNE_FLOAT32);
    int64_t cells = p.cells > 0 && p.cells < 64 ? p.cells : 0;
    int64_t columns = p.vectors == NULL ? p.words : cells * cells * p.dimension;
    tsimcne_images images = {.struct_size = sizeof images,
                             .data = filled(choices, count * height * width * channels, TSIMCNE_FLOAT32),
                             .count = count,
                             .height = height,
                             .width = width,
                             .channels = channels,
                             .type = TSIMCNE_FLOAT32};
    tsimcne_patches_describe(&p, &images, (int32_t)integer(choices, 1 + below(choices, 2)),
                             buffer(choices, 4 * count * columns), count * columns);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    Choices choices = {bytes, count};
    memset(handles, 0, sizeof handles);
    for (int calls = 0; calls < 64 && choices.left > 0; calls++) {
        switch (below(&choices, 14)) {
        case 0:
        case 1:
            create_model(&choices);
            break;
        case 2:
        case 3:
            create_trainer(&choices);
            break;
        case 4:
        case 5:
        case 6:
            advance(&choices);
            break;
        case 7:
            transform(&choices);
            break;
        case 8:
            move(&choices);
            break;
        case 9:
            read_arrays(&choices);
            break;
        case 10:
            augment(&choices);
            break;
        case 11:
            switch (below(&choices, 5)) {
            case 0:
                infonce(&choices);
                break;
            case 1:
                plane(&choices);
                break;
            case 2:
                directions(&choices);
                break;
            case 3:
                neighbors(&choices);
                break;
            default:
                patches(&choices);
            }
            break;
        case 12:
            switch (below(&choices, 5)) {
            case 0:
                tsimcne_abandon(handle(&choices));
                break;
            case 1:
                tsimcne_trainer_stretch(handle(&choices), integer(&choices, 1 + below(&choices, 4)));
                break;
            case 2:
                tsimcne_trainer_exchange_averages(handle(&choices));
                break;
            case 3:
                tsimcne_model_reset_output(handle(&choices),
                                           (int32_t)integer(&choices, 1 + below(&choices, 4)),
                                           (float)real(&choices, 1), byte(&choices));
                break;
            case 4:
                tsimcne_supply(handle(&choices), filled(&choices, 64, TSIMCNE_UINT8), integer(&choices, 64));
                break;
            }
            break;
        case 13:
            if (one_in(&choices, 2)) {
                tsimcne_trainer_destroy(handle(&choices));
            } else {
                tsimcne_model_destroy(handle(&choices));
            }
            break;
        }
        if (tsimcne_last_error() == NULL) {
            abort();
        }
    }
    for (int i = 0; i < made_count; i++) {
        tsimcne_trainer_destroy(made[i]);
    }
    while (made_count > 0) {
        tsimcne_model_destroy(made[--made_count]);
    }
    while (buffer_count > 0) {
        free(buffers[--buffer_count]);
    }
    return 0;
}
