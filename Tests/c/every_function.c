// Calls every function of tsimcne.h, rightly and wrongly; uses nothing else of the project.
#define _GNU_SOURCE
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint8_t pixels[20 * 8 * 9 * 3];

static tsimcne_augmentation natural(void) {
    tsimcne_augmentation a = {.struct_size = sizeof a};
    CHECK(tsimcne_augmentation_preset(TSIMCNE_PRESET_NATURAL, &a) == TSIMCNE_OK && a.crop_area_min == 0.2);
    return a;
}

// Works out the loss of two images by two processes.
static void loss_in_parts(const float *z) {
    float whole[8], scales[4], own[2], gradient[4];
    double loss = 0, total = 0, derivative = 0;
    CHECK(tsimcne_infonce(z, 2, 2, 2, TSIMCNE_METRIC_CAUCHY, 1, 1, 1, &loss, whole) == TSIMCNE_OK);
    for (int i = 0; i < 2; i++) {
        double part = 0;
        CHECK(tsimcne_infonce_sums(z, 2, 2, 2, TSIMCNE_METRIC_CAUCHY, 1, 1, 1, i, 1, own, &part) ==
              TSIMCNE_OK);
        scales[i] = own[0];
        scales[2 + i] = own[1];
        total += part;
    }
    CHECK(fabs(total - loss) < 1e-9);
    CHECK(tsimcne_infonce_gradient(z, 2, 2, 2, TSIMCNE_METRIC_CAUCHY, 1, 1, 1, 1, 1, scales, gradient,
                                   &derivative) == TSIMCNE_OK);
    CHECK(fabsf(gradient[0] - whole[2]) < 1e-6F && fabsf(gradient[3] - whole[7]) < 1e-6F);
    CHECK(tsimcne_infonce_sums(z, 2, 2, 2, 0, 1, 1, 1, 1, 2, own, &total) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(strstr(tsimcne_last_error(), "count: got 2, want 1 to 1") != NULL);
    CHECK(tsimcne_infonce_sums(z, 2, 2, 2, 0, 1, 1, 1, 0, 1, NULL, &total) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_infonce_gradient(z, 2, 2, 2, 0, 1, 1, 1, -1, 1, scales, gradient, &derivative) ==
          TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_infonce_gradient(z, 2, 2, 2, 0, 1, 1, 1, 0, 1, NULL, gradient, &derivative) ==
          TSIMCNE_ERROR_ARGUMENT);
}

// Finds the neighbours of four points, and moves them.
static void plane(void) {
    const float rows[] = {0, 0, 1, 0, 0, 3, 9, 9};
    int32_t nearest[4] = {0};
    CHECK(tsimcne_nearest(rows, 4, rows, 4, 0, 2, 1, 1, nearest) == TSIMCNE_OK);
    CHECK(nearest[0] == 1 && nearest[1] == 0 && nearest[2] == 0 && nearest[3] == 2);
    CHECK(tsimcne_nearest(rows, 4, rows + 2, 1, -1, 2, 4, 1, nearest) == TSIMCNE_OK);
    CHECK(nearest[0] == 1 && nearest[1] == 0 && nearest[2] == 2 && nearest[3] == 3);
    CHECK(tsimcne_nearest(rows, 4, rows, 4, 0, 2, 4, 1, nearest) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(strstr(tsimcne_last_error(), "neighbors: got 4, want 1 to 3") != NULL);
    CHECK(tsimcne_nearest(rows, 4, rows, 4, 1, 2, 1, 1, nearest) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_nearest(rows, 0, rows, 4, -1, 2, 1, 1, nearest) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_nearest(rows, 4, NULL, 4, 0, 2, 1, 1, nearest) == TSIMCNE_ERROR_ARGUMENT);

    float positions[] = {0, 0, 1, 0, 0, 3, 9, 9}, velocities[8] = {0};
    float gains[] = {1, 1, 1, 1, 1, 1, 1, 1}, weights[] = {1, 1, 1, 1};
    int64_t offsets[] = {0, 1, 2, 3, 4};
    int32_t neighbors[] = {1, 0, 3, 2};
    tsimcne_points points = {.struct_size = sizeof points,
                             .count = 4,
                             .positions = positions,
                             .velocities = velocities,
                             .gains = gains,
                             .offsets = offsets,
                             .neighbors = neighbors,
                             .weights = weights};
    CHECK(tsimcne_move_points(&points, 100, 4, 0.1F, 0.5F, 1) == TSIMCNE_OK);
    CHECK(hypotf(positions[4] - positions[6], positions[5] - positions[7]) < 5);
    CHECK(tsimcne_move_points(&points, 0, 1, 0.1F, 0.5F, 1) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_move_points(&points, 1, 1, NAN, 0.5F, 1) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_move_points(NULL, 1, 1, 0.1F, 0.5F, 1) == TSIMCNE_ERROR_ARGUMENT);
    float part[12], other[12], all[12];
    CHECK(tsimcne_repel_points(positions, 4, 0, 2, 1, part) == TSIMCNE_OK);
    CHECK(tsimcne_repel_points(positions, 4, 1, 2, 1, other) == TSIMCNE_OK);
    CHECK(tsimcne_repel_points(positions, 4, 0, 1, 1, all) == TSIMCNE_OK);
    for (int i = 0; i < 12; i++) {
        CHECK(part[i] + other[i] == all[i]);
    }
    CHECK(tsimcne_repel_points(positions, 1, 0, 1, 1, all) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_repel_points(positions, 4, 2, 2, 1, all) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_repel_points(positions, 4, 0, 1, 1, NULL) == TSIMCNE_ERROR_ARGUMENT);
    points.repulsion = all;
    CHECK(tsimcne_move_points(&points, 1, 1, 0.1F, 0.5F, 1) == TSIMCNE_OK);
    CHECK(tsimcne_move_points(&points, 2, 1, 0.1F, 0.5F, 1) == TSIMCNE_ERROR_ARGUMENT);
    all[2] = NAN;
    CHECK(tsimcne_move_points(&points, 1, 1, 0.1F, 0.5F, 1) == TSIMCNE_ERROR_ARGUMENT);
    points.repulsion = NULL;
    neighbors[2] = 4;
    CHECK(tsimcne_move_points(&points, 1, 1, 0.1F, 0.5F, 1) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(strstr(tsimcne_last_error(), "neighbors: got 4, want 0 to 3") != NULL);
    neighbors[2] = 3;
    offsets[1] = 3;
    CHECK(tsimcne_move_points(&points, 1, 1, 0.1F, 0.5F, 1) == TSIMCNE_ERROR_ARGUMENT);
    offsets[1] = 1;
    weights[0] = NAN;
    CHECK(tsimcne_move_points(&points, 1, 1, 0.1F, 0.5F, 1) == TSIMCNE_ERROR_ARGUMENT);
    weights[0] = 1;
    positions[3] = INFINITY;
    CHECK(tsimcne_move_points(&points, 1, 1, 0.1F, 0.5F, 1) == TSIMCNE_ERROR_ARGUMENT);
    points.count = 1;
    CHECK(tsimcne_move_points(&points, 1, 1, 0.1F, 0.5F, 1) == TSIMCNE_ERROR_ARGUMENT);
    points.struct_size = 8;
    CHECK(tsimcne_move_points(&points, 1, 1, 0.1F, 0.5F, 1) == TSIMCNE_ERROR_ARGUMENT);
}

// Finds the neighbours of four points in the way of very many.
static void graph(void) {
    const float rows[] = {0, 0, 9, 9, 1, 0, 9, 8};
    int32_t order[] = {0, 1, 2, 3}, table[] = {-1, -1, -1, -1}, reverse[4], target[4];
    CHECK(tsimcne_halve(rows, 4, 2, 1, 0, 1, order) == TSIMCNE_OK);
    CHECK(order[0] + order[1] == 2 || order[0] + order[1] == 4);
    CHECK(tsimcne_halve(rows, 4, 2, 5, 0, 1, order) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_halve(rows, 4, 2, 1, 0, 1, NULL) == TSIMCNE_ERROR_ARGUMENT);
    tsimcne_neighbor_graph graph = {.struct_size = sizeof graph,
                                    .rows = rows,
                                    .row_count = 4,
                                    .dimension = 2,
                                    .order = order,
                                    .groups = 2,
                                    .blocks = 2,
                                    .table = table,
                                    .neighbors = 1};
    CHECK(tsimcne_refine_neighbors(&graph, 0, 2, 1, table) == TSIMCNE_OK);
    CHECK(table[0] == 2 && table[1] == 3 && table[2] == 0 && table[3] == 1);
    CHECK(tsimcne_reverse_neighbors(table, 4, 1, 1, reverse) == TSIMCNE_OK);
    CHECK(reverse[0] == 2 && reverse[1] == 3 && reverse[2] == 0 && reverse[3] == 1);
    CHECK(tsimcne_reverse_neighbors(table, 4, 0, 1, reverse) == TSIMCNE_ERROR_ARGUMENT);
    graph.blocks = 0;
    graph.reverse = reverse;
    graph.reverse_count = 1;
    CHECK(tsimcne_refine_neighbors(&graph, 1, 1, 1, target) == TSIMCNE_OK);
    CHECK(target[order[2]] == table[order[2]] && target[order[3]] == table[order[3]]);
    CHECK(tsimcne_refine_neighbors(&graph, 0, 2, 1, table) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(strstr(tsimcne_last_error(), "target: is graph.table") != NULL);
    CHECK(tsimcne_refine_neighbors(&graph, 0, 3, 1, target) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_refine_neighbors(NULL, 0, 1, 1, target) == TSIMCNE_ERROR_ARGUMENT);
    graph.struct_size = 8;
    CHECK(tsimcne_refine_neighbors(&graph, 0, 1, 1, target) == TSIMCNE_ERROR_ARGUMENT);
}

// Finds the direction in which four rows vary most.
static void directions(void) {
    const float rows[] = {0, 0, 2, 0, 4, 0, 6, 1};
    float mean[2], found[4], deviations[2];
    CHECK(tsimcne_directions(rows, 4, 2, 2, 20, 1, mean, found, deviations) == TSIMCNE_OK);
    CHECK(mean[0] == 3 && mean[1] == 0.25F);
    CHECK(fabsf(found[0]) > 0.98F && fabsf(found[3]) > 0.98F && deviations[0] > deviations[1]);
    CHECK(tsimcne_directions(rows, 4, 2, 3, 20, 1, mean, found, deviations) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(strstr(tsimcne_last_error(), "wanted: got 3, want 1 to 2") != NULL);
    CHECK(tsimcne_directions(rows, 0, 2, 1, 20, 1, mean, found, deviations) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_directions(rows, 4, 2, 1, 0, 1, mean, found, deviations) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_directions(NULL, 4, 2, 1, 20, 1, mean, found, deviations) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_directions(rows, 4, 2, 1, 20, 1, mean, NULL, deviations) == TSIMCNE_ERROR_ARGUMENT);
}

// Describes images by two words: patches that are bright above, and those that are bright below.
static void patches(void) {
    static uint8_t pixels[2 * 8 * 8];
    for (int i = 0; i < 64; i++) {
        pixels[i] = i / 8 % 2 == 0 ? 200 : 100;
    }
    const float identity[] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
    const float words[] = {0.5F, 0.5F, -0.5F, -0.5F, -0.5F, -0.5F, 0.5F, 0.5F};
    const float vectors[] = {1, 0, 0, 0, 1, 0};
    const tsimcne_images images = {.struct_size = sizeof images,
                                   .data = pixels,
                                   .count = 2,
                                   .height = 8,
                                   .width = 8,
                                   .channels = 1,
                                   .type = TSIMCNE_UINT8};
    tsimcne_patches p = {.struct_size = sizeof p,
                         .side = 2,
                         .stride = 2,
                         .components = 4,
                         .words = 2,
                         .threshold = 0.5F,
                         .dimension = 3,
                         .cells = 2,
                         .whitening = identity,
                         .word_values = words};
    float output[24];
    CHECK(tsimcne_patches_describe(&p, &images, 1, output, 4) == TSIMCNE_OK);
    CHECK(output[0] == 1 && output[1] == 0 && output[2] == 0 && output[3] == 0);
    p.vectors = vectors;
    CHECK(tsimcne_patches_describe(&p, &images, 1, output, 24) == TSIMCNE_OK);
    CHECK(output[0] == 1 && output[1] == 0 && output[3] == 1 && output[12] == 0);
    CHECK(tsimcne_patches_describe(&p, &images, 1, output, 4) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_patches_describe(NULL, &images, 1, output, 24) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_patches_describe(&p, NULL, 1, output, 24) == TSIMCNE_ERROR_ARGUMENT);
    p.cells = 5;
    CHECK(tsimcne_patches_describe(&p, &images, 1, output, 150) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(strstr(tsimcne_last_error(), "patches.cells: got 5, want 1 to 4") != NULL);
    p.side = 9;
    CHECK(tsimcne_patches_describe(&p, &images, 1, output, 24) == TSIMCNE_ERROR_ARGUMENT);
    p.threshold = NAN;
    CHECK(tsimcne_patches_describe(&p, &images, 1, output, 24) == TSIMCNE_ERROR_ARGUMENT);
    p.struct_size = 8;
    CHECK(tsimcne_patches_describe(&p, &images, 1, output, 24) == TSIMCNE_ERROR_ARGUMENT);
}

static void library(const tsimcne_images *images) {
    CHECK(tsimcne_abi_version() == TSIMCNE_ABI_VERSION);
    CHECK(strstr(tsimcne_build_info(), "\"level\"") != NULL);
    CHECK(tsimcne_available_memory() > 0);
    static float views[20 * 8 * 9 * 3];
    tsimcne_augmentation a = natural();
    CHECK(tsimcne_augment(images, &a, 1, 0, 0, 0, 2, views, 20 * 216) == TSIMCNE_OK);
    CHECK(tsimcne_augment(images, &a, 1, 0, 0, 0, 2, views, 5) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(strstr(tsimcne_last_error(), "output_count") != NULL);
    CHECK(tsimcne_augment(NULL, &a, 1, 0, 0, 0, 2, views, 5) == TSIMCNE_ERROR_ARGUMENT);
    a.hue = NAN;
    CHECK(tsimcne_augment(images, &a, 1, 0, 0, 0, 2, views, 20 * 216) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_augmentation_preset(TSIMCNE_PRESET_COUNT, &a) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_augmentation_preset(TSIMCNE_PRESET_NONE, NULL) == TSIMCNE_ERROR_ARGUMENT);
    a.struct_size = 3;
    CHECK(tsimcne_augmentation_preset(TSIMCNE_PRESET_NONE, &a) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_augment(images, &a, 1, 0, 0, 0, 2, views, 20 * 216) == TSIMCNE_ERROR_ARGUMENT);
    float z[] = {0, 0, 1, 0, 0, 1, 2, 2}, gradient[8];
    double loss = -1;
    CHECK(tsimcne_infonce(z, 2, 2, 2, TSIMCNE_METRIC_CAUCHY, 1, 1, 1, &loss, gradient) == TSIMCNE_OK);
    CHECK(loss > 0);
    CHECK(tsimcne_infonce(z, 1, 4, 2, TSIMCNE_METRIC_STUDENT_T, 1, 3, 1, &loss, NULL) == TSIMCNE_OK);
    loss = -1;
    CHECK(tsimcne_infonce(z, 2, 2, 2, 7, 1, 1, 1, &loss, NULL) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_infonce(z, 4, 1, 2, 0, 1, 1, 1, &loss, NULL) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_infonce(z, 1, 17, 2, 0, 1, 1, 1, &loss, NULL) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(strstr(tsimcne_last_error(), "views") != NULL);
    CHECK(tsimcne_infonce(NULL, 2, 2, 2, 0, 1, 1, 1, &loss, NULL) == TSIMCNE_ERROR_ARGUMENT && loss == -1);
    loss_in_parts(z);
    plane();
    graph();
    directions();
    patches();
}

static void arrays(tsimcne_handle handle) {
    int64_t count = 0;
    CHECK(tsimcne_array_count(handle, &count) == TSIMCNE_OK && count > 0);
    tsimcne_array array = {.struct_size = sizeof array};
    for (int64_t i = 0; i < count; i++) {
        CHECK(tsimcne_array_at(handle, i, &array) == TSIMCNE_OK && array.count > 0 && array.data != NULL);
    }
    CHECK(tsimcne_array_at(handle, count, &array) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_array_at(handle, -1, &array) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_array_named(handle, TSIMCNE_ARRAY_PARAMETER, "backbone.conv1.weight", &array) ==
          TSIMCNE_OK);
    CHECK(array.rank == 4 && array.shape[0] == 3 && array.shape[2] == 3 && array.shape[3] == 4);
    CHECK(tsimcne_array_named(handle, TSIMCNE_ARRAY_PARAMETER, "none", &array) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_array_named(handle, TSIMCNE_ARRAY_PARAMETER, NULL, &array) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_array_count(handle, NULL) == TSIMCNE_ERROR_ARGUMENT);
    array.struct_size = 1;
    CHECK(tsimcne_array_at(handle, 0, &array) == TSIMCNE_ERROR_ARGUMENT);
}

// Six steps that keep an output layer of 8 dimensions.
static tsimcne_stage first_stage(void) {
    return (tsimcne_stage){.struct_size = sizeof(tsimcne_stage),
                           .steps = 6,
                           .output_dim = 8,
                           .output_start = TSIMCNE_OUTPUT_KEEP,
                           .output_scale = 1,
                           .trains = TSIMCNE_TRAIN_ALL,
                           .metric = TSIMCNE_METRIC_CAUCHY,
                           .temperature = 1,
                           .learning_rate = 0.01,
                           .warmup = 0.1,
                           .schedule = TSIMCNE_SCHEDULE_BATCH,
                           .shape = TSIMCNE_SHAPE_COSINE,
                           .optimizer = TSIMCNE_ADAMW,
                           .momentum = 0.9,
                           .second_momentum = 0.999,
                           .weight_decay = 5e-4,
                           .clip_value = 4};
}

static tsimcne_trainer_config configuration(const tsimcne_stage *stages, int64_t count) {
    return (tsimcne_trainer_config){.struct_size = sizeof(tsimcne_trainer_config),
                                    .seed = 1,
                                    .batch_size = 8,
                                    .source = TSIMCNE_SOURCE_IMAGES,
                                    .threads = 2,
                                    .stages = stages,
                                    .stage_count = count,
                                    .views = 2};
}

// Runs to the next event of a kind.
static tsimcne_event advance_to(tsimcne_handle trainer, int32_t kind) {
    tsimcne_event event = {.struct_size = sizeof event};
    do {
        CHECK(tsimcne_advance(trainer, &event) == TSIMCNE_OK);
    } while (event.kind == TSIMCNE_EVENT_MORE);
    CHECK(event.kind == kind);
    return event;
}

static void train(tsimcne_handle model, tsimcne_images images) {
    tsimcne_stage stage = first_stage();
    tsimcne_augmentation a = natural();
    tsimcne_trainer_config config = configuration(&stage, 1);
    config.source = TSIMCNE_SOURCE_SUPPLIED;
    config.stop_at = 7;
    config.augmentation = &a;
    images.data = NULL;
    tsimcne_handle trainer = 0;
    config.batch_size = 21;
    CHECK(tsimcne_trainer_create(model, &images, &config, &trainer) == TSIMCNE_ERROR_ARGUMENT);
    config.batch_size = 8;
    config.stop_at = 15;
    config.shard_count = 9;
    CHECK(tsimcne_trainer_create(model, &images, &config, &trainer) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(strstr(tsimcne_last_error(), "config.shard_count: got 9, want 1 to 8") != NULL);
    config.shard_count = 1 << 20;
    CHECK(tsimcne_trainer_create(model, &images, &config, &trainer) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(strstr(tsimcne_last_error(), "config.shard_count: got 1048576, want 1 to 8") != NULL);
    config.shard_count = 0;
    config.stop_at = 7;
    stage.output_dim = 2;
    CHECK(tsimcne_trainer_create(model, &images, &config, &trainer) == TSIMCNE_ERROR_ARGUMENT);
    stage.output_dim = 8;
    CHECK(tsimcne_trainer_create(0, &images, &config, &trainer) == TSIMCNE_ERROR_HANDLE);
    CHECK(tsimcne_trainer_create(model, &images, &config, NULL) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_trainer_create(model, &images, &config, &trainer) == TSIMCNE_OK);
    CHECK(tsimcne_supply(trainer, pixels, 8) == TSIMCNE_ERROR_STATE);
    CHECK(tsimcne_advance(trainer, NULL) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_advance(model, &(tsimcne_event){.struct_size = sizeof(tsimcne_event)}) ==
          TSIMCNE_ERROR_HANDLE);
    int seen[8] = {0}, abandoned = 0;
    tsimcne_event event = {.struct_size = sizeof event};
    do {
        CHECK(tsimcne_advance(trainer, &event) == TSIMCNE_OK);
        seen[event.kind] += 1;
        CHECK(event.steps_per_epoch == 3 && event.steps_left >= 0);
        if (event.kind == TSIMCNE_EVENT_BATCH_WANTED) {
            static uint8_t batch[8 * 216];
            for (int64_t i = 0; i < event.batch_count; i++) {
                memcpy(batch + i * 216, pixels + event.indices[i] * 216, 216);
            }
            CHECK(tsimcne_supply(trainer, batch, 1) == TSIMCNE_ERROR_ARGUMENT);
            CHECK(tsimcne_supply(trainer, batch, event.batch_count * 216) == TSIMCNE_OK);
        }
        if (event.kind == TSIMCNE_EVENT_BATCH_NORM_SUMS || event.kind == TSIMCNE_EVENT_GRADIENT) {
            tsimcne_array array = {.struct_size = sizeof array};
            CHECK(tsimcne_array_at(trainer, event.array, &array) == TSIMCNE_OK);
            CHECK(array.kind ==
                  (event.kind == TSIMCNE_EVENT_GRADIENT ? TSIMCNE_ARRAY_GRADIENT : TSIMCNE_ARRAY_SUMS));
        }
        if (event.kind == TSIMCNE_EVENT_EMBEDDINGS && !abandoned) {
            abandoned = 1;
            CHECK(tsimcne_abandon(trainer) == TSIMCNE_OK);
        }
    } while (event.kind != TSIMCNE_EVENT_FINISHED);
    CHECK(event.steps_left == 0);
    CHECK(seen[TSIMCNE_EVENT_STEP] == 6 && seen[TSIMCNE_EVENT_BATCH_WANTED] == 7);
    CHECK(seen[TSIMCNE_EVENT_BATCH_NORM_SUMS] > 0 && seen[TSIMCNE_EVENT_GRADIENT] > 0);
    arrays(trainer);
    CHECK(tsimcne_trainer_destroy(model) == TSIMCNE_ERROR_HANDLE);
    CHECK(tsimcne_trainer_destroy(trainer) == TSIMCNE_OK);
    CHECK(tsimcne_trainer_destroy(trainer) == TSIMCNE_ERROR_HANDLE);
    CHECK(tsimcne_abandon(trainer) == TSIMCNE_ERROR_HANDLE);
}

// A stage or option that is wrong is refused, by its name.
static void refused(tsimcne_handle model, const tsimcne_images *images, const tsimcne_trainer_config *config,
                    const char *name) {
    tsimcne_handle trainer = 0;
    CHECK(tsimcne_trainer_create(model, images, config, &trainer) == TSIMCNE_ERROR_ARGUMENT && trainer == 0);
    CHECK(strstr(tsimcne_last_error(), name) != NULL);
}

static void wrong_options(tsimcne_handle model, const tsimcne_images *images) {
    tsimcne_stage stage;
    tsimcne_trainer_config config;
#define REFUSED(assignment, name)                                                                            \
    do {                                                                                                     \
        stage = first_stage();                                                                               \
        config = configuration(&stage, 1);                                                                   \
        assignment;                                                                                          \
        refused(model, images, &config, name);                                                               \
    } while (0)
    REFUSED(stage.struct_size = 8, "struct_size");
    REFUSED(stage.steps = 0, "steps");
    REFUSED(stage.steps = INT64_MAX, "steps");
    REFUSED(stage.output_start = 4, "output_start");
    REFUSED(stage.trains = 3, "trains");
    REFUSED(stage.shape = 4, "shape");
    REFUSED(stage.shape = -1, "shape");
    REFUSED(stage.optimizer = TSIMCNE_OPTIMIZER_COUNT, "optimizer");
    REFUSED(stage.metric = 4, "metric");
    REFUSED((stage.metric = TSIMCNE_METRIC_STUDENT_T, stage.degrees_of_freedom = 0), "degrees_of_freedom");
    REFUSED(stage.temperature_rate = -1, "temperature_rate");
    int32_t rising[] = {3, 4};
    REFUSED((stage.annealed_epochs = 2, stage.annealed_outputs = rising), "annealed_outputs");
    float none[] = {0};
    REFUSED((stage.annealed_epochs = 1, stage.annealed_degrees = none), "annealed_degrees[0]");
    REFUSED(stage.annealed_epochs = -1, "annealed_epochs");
    REFUSED(stage.decays_biases = 2, "decays_biases");
    REFUSED(stage.neighbors = -1, "neighbors");
    REFUSED(stage.neighbors = 1025, "neighbors");
    REFUSED(stage.inputs = 2, "inputs");
    REFUSED(stage.inputs = TSIMCNE_INPUT_FEATURES, "inputs");
    REFUSED((stage.inputs = TSIMCNE_INPUT_FEATURES, stage.neighbors = 3), "inputs");
    REFUSED(stage.momentum = 1, "momentum");
    REFUSED(stage.second_momentum = 1, "second_momentum");
    REFUSED(stage.second_momentum = NAN, "second_momentum");
    REFUSED((stage.output_start = TSIMCNE_OUTPUT_SCALED, stage.output_scale = 0), "output_scale");
    REFUSED((stage.output_start = TSIMCNE_OUTPUT_SCALED, stage.output_dim = 2), "output_dim");
    tsimcne_augmentation right = natural(), wrong = natural();
    wrong.hue = NAN;
    REFUSED((stage.view_height = stage.view_width = 8), "view_height");
    REFUSED(stage.augmentation = &right, "augmentation");
    REFUSED((config.augmentation = &right, stage.view_height = 7, stage.view_width = 8), "view_height");
    REFUSED((config.augmentation = &right, stage.view_height = 8, stage.view_width = 10), "view_width");
    REFUSED((config.augmentation = &right, stage.augmentation = &wrong), "hue");
    REFUSED(config.views = 1, "views");
    REFUSED(config.views = 17, "views");
    REFUSED(config.noise = -1, "noise");
    REFUSED(config.dropout = 1.5, "dropout");
    REFUSED(config.average_decay = 1, "average_decay");
    REFUSED(config.average_decay = NAN, "average_decay");
    REFUSED(config.precision = 3, "precision");
#undef REFUSED
}

// Neighbours are found before the first step, and lie open.
static void find_neighbors(tsimcne_handle model, const tsimcne_images *images) {
    tsimcne_stage stage = first_stage();
    stage.trains = TSIMCNE_TRAIN_HEAD;
    stage.neighbors = 3;
    stage.inputs = TSIMCNE_INPUT_FEATURES;
    tsimcne_trainer_config config = configuration(&stage, 1);
    config.stop_at = TSIMCNE_STOP_AT_FEATURES;
    tsimcne_handle trainer = 0;
    CHECK(tsimcne_trainer_create(model, images, &config, &trainer) == TSIMCNE_OK);
    tsimcne_array array = {.struct_size = sizeof array};
    advance_to(trainer, TSIMCNE_EVENT_FEATURES_FOUND);
    CHECK(tsimcne_array_named(trainer, TSIMCNE_ARRAY_FEATURES, "features", &array) == TSIMCNE_OK);
    CHECK(array.type == TSIMCNE_FLOAT32 && array.rank == 2 && array.shape[0] == images->count);
    advance_to(trainer, TSIMCNE_EVENT_NEIGHBORS_FOUND);
    CHECK(tsimcne_array_named(trainer, TSIMCNE_ARRAY_FEATURES, "features", &array) != TSIMCNE_OK);
    CHECK(tsimcne_supply(trainer, images->data, 0) == TSIMCNE_ERROR_STATE);
    CHECK(tsimcne_array_named(trainer, TSIMCNE_ARRAY_NEIGHBORS, "neighbors", &array) == TSIMCNE_OK);
    CHECK(array.type == TSIMCNE_INT32 && array.rank == 2);
    CHECK(array.shape[0] == images->count && array.shape[1] == 3);
    const int32_t *table = array.data;
    for (int64_t i = 0; i < array.count; i++) {
        CHECK(table[i] >= 0 && table[i] < images->count && table[i] != i / 3);
    }
    tsimcne_event event = advance_to(trainer, TSIMCNE_EVENT_STEP);
    CHECK(event.index_count == config.views * event.batch_count);
    CHECK(tsimcne_trainer_destroy(trainer) == TSIMCNE_OK);
}

// A trainer that goes on where another stood: through its progress, shorter, and to the end.
static void go_on(tsimcne_handle model, const tsimcne_images *images) {
    tsimcne_stage stages[] = {first_stage(), first_stage()};
    stages[1].output_start = TSIMCNE_OUTPUT_SCALED;
    stages[1].trains = TSIMCNE_TRAIN_HEAD;
    stages[1].optimizer = TSIMCNE_LARS;
    // The first stage has smaller views, the second others than the trainer's.
    stages[0].view_height = stages[0].view_width = 8;
    tsimcne_augmentation views = natural(), other_views = natural();
    other_views.crop_area_min = 0.5;
    stages[1].augmentation = &other_views;
    tsimcne_trainer_config config = configuration(stages, 2);
    config.augmentation = &views;
    config.average_decay = 0.9;
    config.views = 3;
    tsimcne_handle trainer = 0, other = 0;
    CHECK(tsimcne_trainer_create(model, images, &config, &trainer) == TSIMCNE_OK);
    CHECK(tsimcne_trainer_create(model, images, &config, &other) == TSIMCNE_OK);
    advance_to(trainer, TSIMCNE_EVENT_STEP);

    tsimcne_progress progress = {.struct_size = sizeof progress};
    CHECK(tsimcne_trainer_progress(trainer, &progress) == TSIMCNE_OK);
    CHECK(progress.stage == 0 && progress.step == 1 && progress.steps == 6 && progress.epochs_before == 0);
    CHECK(progress.position == 1 && progress.stride == 1);
    CHECK(tsimcne_trainer_progress(trainer, NULL) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_trainer_progress(model, &progress) == TSIMCNE_ERROR_HANDLE);
    CHECK(tsimcne_trainer_seek(other, NULL) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_trainer_seek(model, &progress) == TSIMCNE_ERROR_HANDLE);
    tsimcne_progress wrong[] = {progress, progress, progress, progress, progress, progress, progress};
    wrong[0].struct_size = 1;
    wrong[1].stage = 3;
    wrong[2].step = 6;
    wrong[3].steps = 0;
    wrong[4].position = NAN;
    wrong[5].stride = -1;
    wrong[6].epochs_before = -1;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(tsimcne_trainer_seek(other, &wrong[i]) == TSIMCNE_ERROR_ARGUMENT);
    }
    CHECK(tsimcne_trainer_seek(other, &progress) == TSIMCNE_OK);
    CHECK(advance_to(other, TSIMCNE_EVENT_STEP).steps_left == 4);

    CHECK(tsimcne_trainer_stretch(other, 0) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_trainer_stretch(other, INT64_MAX) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_trainer_stretch(model, 1) == TSIMCNE_ERROR_HANDLE);
    CHECK(tsimcne_trainer_stretch(other, 1) == TSIMCNE_OK);
    CHECK(advance_to(other, TSIMCNE_EVENT_STEP).steps_left == 0);
    CHECK(tsimcne_trainer_stretch(other, 2) == TSIMCNE_OK);
    CHECK(advance_to(other, TSIMCNE_EVENT_STEP).stage == 1);

    tsimcne_array array = {.struct_size = sizeof array};
    const char *name = "projection_head.layers.0.bias";
    CHECK(tsimcne_array_named(other, TSIMCNE_ARRAY_SQUARES, name, &array) == TSIMCNE_ERROR_ARGUMENT);
    // The other trainer's optimiser and output layer are not this one's, but it goes on.
    CHECK(tsimcne_model_reset_output(model, 8, 1, 7) == TSIMCNE_OK);
    advance_to(trainer, TSIMCNE_EVENT_STEP);
    CHECK(tsimcne_array_named(trainer, TSIMCNE_ARRAY_SQUARES, name, &array) == TSIMCNE_OK);
    name = "backbone.bn1.running_mean";
    CHECK(tsimcne_array_named(other, TSIMCNE_ARRAY_AVERAGE, name, &array) == TSIMCNE_OK);
    float average = *(float *)array.data;
    CHECK(tsimcne_array_named(other, TSIMCNE_ARRAY_BUFFER, name, &array) == TSIMCNE_OK);
    const float *live = array.data;
    int64_t bytes = 0, order[20] = {0}, sum = 0;
    CHECK(tsimcne_trainer_memory(other, &bytes) == TSIMCNE_OK && bytes > 1000);
    CHECK(tsimcne_trainer_memory(other, NULL) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_trainer_order(other, order, 20) == TSIMCNE_OK);
    for (int i = 0; i < 20; i++) {
        sum += order[i];
    }
    CHECK(sum == 190);
    CHECK(tsimcne_trainer_order(other, order, 19) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_trainer_set_loss(other, 1.0) == TSIMCNE_OK);
    CHECK(tsimcne_trainer_exchange_averages(other) == TSIMCNE_OK && *live == average);
    CHECK(tsimcne_trainer_exchange_averages(other) == TSIMCNE_OK && *live != average);
    CHECK(tsimcne_trainer_exchange_averages(model) == TSIMCNE_ERROR_HANDLE);

    advance_to(other, TSIMCNE_EVENT_STEP);
    advance_to(other, TSIMCNE_EVENT_FINISHED);
    CHECK(tsimcne_trainer_progress(other, &progress) == TSIMCNE_OK);
    CHECK(progress.stage == 2 && progress.step == 0 && progress.steps == 0 && progress.epochs_before == 2);
    CHECK(tsimcne_trainer_seek(other, &progress) == TSIMCNE_OK);
    CHECK(tsimcne_trainer_stretch(other, 2) == TSIMCNE_OK);
    advance_to(other, TSIMCNE_EVENT_FINISHED);
    CHECK(tsimcne_trainer_destroy(trainer) == TSIMCNE_OK && tsimcne_trainer_destroy(other) == TSIMCNE_OK);
    CHECK(tsimcne_trainer_progress(other, &progress) == TSIMCNE_ERROR_HANDLE);
    CHECK(tsimcne_trainer_exchange_averages(other) == TSIMCNE_ERROR_HANDLE);
}

// Feature vectors: images of one pixel, for a model of depth 0.
static void vectors(tsimcne_handle image_model, const tsimcne_images *pictures) {
    static float data[20 * 5], map[20 * 8];
    for (int i = 0; i < 100; i++) {
        data[i] = (float)(i * 37 % 41) - 20;
    }
    tsimcne_images images = {sizeof images, data, 20, 1, 1, 5, TSIMCNE_FLOAT32, 0};
    const int32_t hidden[] = {16, 7};
    tsimcne_model_config config = {.struct_size = sizeof config,
                                   .channels = 5,
                                   .depth = 0,
                                   .base_width = 1,
                                   .hidden_dims = hidden,
                                   .hidden_count = 2,
                                   .output_dim = 8};
    tsimcne_handle model = 0, trainer = 0;
    CHECK(tsimcne_model_create(&config, 1, &model) == TSIMCNE_OK);
    CHECK(tsimcne_model_transform(model, &images, TSIMCNE_OUTPUT_FEATURES, 2, map, 100) == TSIMCNE_OK);
    CHECK(memcmp(map, data, sizeof data) == 0);
    static float parts[20 * 5 * (TSIMCNE_PLANE_PARTS + 1)];
    CHECK(tsimcne_model_transform(model, &images, TSIMCNE_OUTPUT_LEVELS, 2, parts,
                                  100 * (TSIMCNE_PLANE_PARTS + 1)) == TSIMCNE_OK);
    CHECK(memcmp(parts, data, 5 * sizeof(float)) == 0);
    CHECK(memcmp(parts + 5 * TSIMCNE_PLANE_PARTS, data, 5 * sizeof(float)) == 0);
    CHECK(tsimcne_model_transform(model, pictures, TSIMCNE_OUTPUT_MAP, 2, map, 160) ==
          TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_model_transform(image_model, &images, TSIMCNE_OUTPUT_MAP, 2, map, 160) ==
          TSIMCNE_ERROR_ARGUMENT);
    images.width = 8;
    CHECK(tsimcne_model_transform(model, &images, TSIMCNE_OUTPUT_MAP, 2, map, 160) == TSIMCNE_ERROR_ARGUMENT);
    images.width = 1;
    images.type = TSIMCNE_UINT8;
    CHECK(tsimcne_model_transform(model, &images, TSIMCNE_OUTPUT_MAP, 2, map, 160) == TSIMCNE_ERROR_ARGUMENT);
    images.type = TSIMCNE_FLOAT32;
    tsimcne_augmentation a = natural();
    CHECK(tsimcne_augment(&images, &a, 1, 0, 0, 0, 2, map, 100) == TSIMCNE_ERROR_ARGUMENT);

    tsimcne_stage stage = first_stage();
    tsimcne_trainer_config options = configuration(&stage, 1);
    options.augmentation = &a;
    refused(model, &images, &options, "augmentation");
    options.augmentation = NULL;
    options.noise = 0.1;
    options.dropout = 0.1;
    options.threads = 1;
    refused(image_model, &images, &options, "channels");
    CHECK(tsimcne_trainer_create(model, &images, &options, &trainer) == TSIMCNE_OK);
    advance_to(trainer, TSIMCNE_EVENT_STEP);
    data[7] = NAN; // every image is seen in every epoch
    tsimcne_event event = {.struct_size = sizeof event};
    do {
        CHECK(tsimcne_advance(trainer, &event) == TSIMCNE_OK && event.kind != TSIMCNE_EVENT_FINISHED);
    } while (event.kind != TSIMCNE_EVENT_DIVERGED);
    advance_to(trainer, TSIMCNE_EVENT_DIVERGED);
    data[7] = 0;
    CHECK(tsimcne_model_transform(model, &images, TSIMCNE_OUTPUT_MAP, 2, map, 160) == TSIMCNE_OK);
    CHECK(isfinite(map[0]) && isfinite(map[159]));
    CHECK(tsimcne_trainer_destroy(trainer) == TSIMCNE_OK);
    CHECK(tsimcne_model_destroy(model) == TSIMCNE_OK);
}

static void hidden_layers(tsimcne_model_config config) {
    int32_t widths[17] = {16, 1, 9};
    tsimcne_handle model = 0;
    config.hidden_dims = widths;
    struct {
        int32_t count, second;
        const char *name;
    } wrong[] = {
        {-1, 1, "config.hidden_count"},
        {17, 1, "config.hidden_count"},
        {2, 0, "config.hidden_dims[1]"},
        {2, 65537, "config.hidden_dims[1]"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        config.hidden_count = wrong[i].count;
        widths[1] = wrong[i].second;
        CHECK(tsimcne_model_create(&config, 1, &model) == TSIMCNE_ERROR_ARGUMENT && model == 0);
        CHECK(strstr(tsimcne_last_error(), wrong[i].name) != NULL);
    }
    widths[1] = 3;
    for (config.hidden_count = 0; config.hidden_count <= 3; config.hidden_count++) {
        CHECK(tsimcne_model_create(&config, 1, &model) == TSIMCNE_OK);
        CHECK(tsimcne_model_destroy(model) == TSIMCNE_OK);
    }
    config.hidden_dims = NULL;
    CHECK(tsimcne_model_create(&config, 1, &model) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(strstr(tsimcne_last_error(), "config.hidden_dims: got NULL") != NULL);
    config.hidden_count = 0;
    CHECK(tsimcne_model_create(&config, 1, &model) == TSIMCNE_OK);
    CHECK(tsimcne_model_destroy(model) == TSIMCNE_OK);
}

/* Backbones that are lists of layers. */
static void layers(tsimcne_model_config config, const tsimcne_images *images) {
    tsimcne_layer list[] = {
        {.name = "0", .kind = TSIMCNE_LAYER_CONVOLUTION, .channels = 4, .kernel = 3, .stride = 2},
        {.name = "1", .kind = TSIMCNE_LAYER_BATCH_NORM, .epsilon = 1e-5f, .momentum = 0.1f},
        {.name = "2", .kind = TSIMCNE_LAYER_RESIDUAL, .drop = 0.5f},
        {.name = "3", .kind = TSIMCNE_LAYER_DEPTHWISE, .kernel = 5, .stride = 1},
        {.name = "4", .kind = TSIMCNE_LAYER_NONLINEARITY, .function = TSIMCNE_FUNCTION_SILU},
        {.kind = TSIMCNE_LAYER_SHORTCUT},
        {.name = "5",
         .kind = TSIMCNE_LAYER_CONVOLUTION,
         .channels = 4,
         .kernel = 1,
         .stride = 1,
         .has_bias = 1},
        {.kind = TSIMCNE_LAYER_END},
        {.name = "6",
         .kind = TSIMCNE_LAYER_SQUEEZE_EXCITATION,
         .channels = 2,
         .gate = TSIMCNE_FUNCTION_HARD_SIGMOID},
        {.name = "7", .kind = TSIMCNE_LAYER_MAX_POOLING, .kernel = 3, .stride = 2},
    };
    enum { COUNT = sizeof list / sizeof *list };
    for (int i = 0; i < COUNT; i++) {
        list[i].struct_size = sizeof *list;
    }
    tsimcne_handle model = 0;
    config.layers = list;
    config.layer_count = COUNT;
    CHECK(tsimcne_model_create(&config, 1, &model) == TSIMCNE_OK);
    float features[80];
    CHECK(tsimcne_model_transform(model, images, TSIMCNE_OUTPUT_FEATURES, 2, features, 80) == TSIMCNE_OK);
    CHECK(isfinite(features[0]) && isfinite(features[79]));
    CHECK(tsimcne_model_transform(model, images, TSIMCNE_OUTPUT_LEVELS, 2, features, 80) ==
          TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_model_transform(model, images, TSIMCNE_OUTPUT_COUNT, 2, features, 80) ==
          TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_model_destroy(model) == TSIMCNE_OK);
    const tsimcne_layer good[COUNT] = {list[0], list[1], list[2], list[3], list[4],
                                       list[5], list[6], list[7], list[8], list[9]};
    struct {
        int index;
        tsimcne_layer layer;
        const char *name;
    } wrong[] = {
        {0, {.name = "0", .kind = 0, .channels = 0, .kernel = 3, .stride = 1}, "config.layers[0].channels"},
        {0, {.name = "0", .kind = 0, .channels = 4, .kernel = 2, .stride = 1}, "config.layers[0].kernel"},
        {0, {.name = "0", .kind = 0, .channels = 4, .kernel = 3, .stride = 17}, "config.layers[0].stride"},
        {0, {.name = NULL, .kind = 0, .channels = 4, .kernel = 3, .stride = 1}, "config.layers[0].name"},
        {0, {.name = "a b", .kind = 0, .channels = 4, .kernel = 3, .stride = 1}, "config.layers[0].name"},
        {0, {.name = "1", .kind = 0, .channels = 4, .kernel = 3, .stride = 1}, "config.layers[1].name"},
        {0, {.name = "0", .kind = 9}, "config.layers[0].kind"},
        {0, {.name = "0", .kind = TSIMCNE_LAYER_END}, "config.layers[0].kind"},
        {1, {.name = "1", .kind = TSIMCNE_LAYER_BATCH_NORM, .momentum = 0.1f}, "config.layers[1].epsilon"},
        {2, {.name = "2", .kind = TSIMCNE_LAYER_RESIDUAL, .drop = 1}, "config.layers[2].drop"},
        {3, {.name = "3", .kind = TSIMCNE_LAYER_DEPTHWISE, .kernel = 3, .stride = 2}, "config.layers[2]"},
        {3, {.kind = TSIMCNE_LAYER_SHORTCUT}, "config.layers[3].kind"},
        {4, {.name = "4", .kind = TSIMCNE_LAYER_NONLINEARITY, .function = 5}, "config.layers[4].function"},
        {6, {.kind = TSIMCNE_LAYER_SHORTCUT}, "config.layers[6].kind"},
        {7, {.name = "8", .kind = TSIMCNE_LAYER_NONLINEARITY}, "has no end"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        memcpy(list, good, sizeof list);
        list[wrong[i].index] = wrong[i].layer;
        list[wrong[i].index].struct_size = sizeof *list;
        CHECK(tsimcne_model_create(&config, 1, &model) == TSIMCNE_ERROR_ARGUMENT);
        CHECK(strstr(tsimcne_last_error(), wrong[i].name) != NULL);
    }
    memcpy(list, good, sizeof list);
    list[3].struct_size = 4;
    CHECK(tsimcne_model_create(&config, 1, &model) == TSIMCNE_ERROR_ARGUMENT);
    config.layers = NULL;
    CHECK(tsimcne_model_create(&config, 1, &model) == TSIMCNE_ERROR_ARGUMENT);
    config.layer_count = -1;
    CHECK(tsimcne_model_create(&config, 1, &model) == TSIMCNE_ERROR_ARGUMENT);
}

// Guards a file of two pages that is cut to one.
static void guards(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    FILE *file = tmpfile();
    CHECK(file != NULL && ftruncate(fileno(file), 2 * page) == 0);
    volatile uint8_t *data = mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, fileno(file), 0);
    CHECK((void *)data != MAP_FAILED);
    tsimcne_handle guard = 0;
    int64_t faults = -1;
    CHECK(tsimcne_guard_create(NULL, 1, &guard) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_guard_create((void *)data, 0, &guard) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_guard_create((void *)data, 1, NULL) == TSIMCNE_ERROR_ARGUMENT && guard == 0);
    CHECK(tsimcne_guard_create((void *)data, 2 * page, &guard) == TSIMCNE_OK && guard != 0);
    CHECK(data[0] == 0 && data[page] == 0);
    CHECK(tsimcne_guard_faults(guard, &faults) == TSIMCNE_OK && faults == 0);
    CHECK(ftruncate(fileno(file), page) == 0);
    CHECK(data[0] == 0 && data[2 * page - 1] == 0);
    CHECK(tsimcne_guard_faults(guard, &faults) == TSIMCNE_OK && faults == 1);
    CHECK(tsimcne_guard_faults(guard, NULL) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_model_destroy(guard) == TSIMCNE_ERROR_HANDLE);
    CHECK(tsimcne_guard_destroy(guard) == TSIMCNE_OK);
    CHECK(tsimcne_guard_destroy(guard) == TSIMCNE_ERROR_HANDLE);
    CHECK(tsimcne_guard_faults(guard, &faults) == TSIMCNE_ERROR_HANDLE);
    // The next guard finds the missing page too.
    CHECK(tsimcne_guard_create((void *)data, 2 * page, &guard) == TSIMCNE_OK);
    CHECK(data[page] == 0 && tsimcne_guard_faults(guard, &faults) == TSIMCNE_OK && faults == 1);
    CHECK(tsimcne_guard_destroy(guard) == TSIMCNE_OK);
    munmap((void *)data, 2 * page);
    fclose(file);
}

// With any argument without the guard: an emulator of larger pages has nothing beyond the end of a file.
int main(int count, char **arguments) {
    (void)arguments;
    for (size_t i = 0; i < sizeof pixels; i++) {
        pixels[i] = (uint8_t)(i * 7919 % 251);
    }
    tsimcne_images images = {sizeof images, pixels, 20, 8, 9, 3, TSIMCNE_UINT8, 0};
    library(&images);
    if (count == 1) {
        guards();
    }
    float mean[] = {0.5f, 0.5f, 0.5f}, deviation[] = {0.2f, 0.2f, 0.2f};
    const int32_t hidden[] = {16};
    tsimcne_model_config config = {.struct_size = sizeof config,
                                   .channels = 3,
                                   .depth = 10,
                                   .base_width = 4,
                                   .hidden_dims = hidden,
                                   .hidden_count = 1,
                                   .output_dim = 8,
                                   .mean = mean,
                                   .deviation = deviation};
    tsimcne_handle model = 0;
    CHECK(tsimcne_model_create(&config, 1, NULL) == TSIMCNE_ERROR_ARGUMENT);
    config.depth = 51;
    CHECK(tsimcne_model_create(&config, 1, &model) == TSIMCNE_ERROR_ARGUMENT && model == 0);
    config.depth = 10;
    hidden_layers(config);
    layers(config, &images);
    CHECK(tsimcne_model_create(&config, 1, &model) == TSIMCNE_OK && model != 0);
    arrays(model);
    train(model, images);
    wrong_options(model, &images);
    find_neighbors(model, &images);
    go_on(model, &images);
    vectors(model, &images);
    CHECK(tsimcne_model_reset_output(model, 2, 1, 7) == TSIMCNE_OK);
    CHECK(tsimcne_model_reset_output(model, 0, 1, 7) == TSIMCNE_ERROR_ARGUMENT);
    float map[40];
    CHECK(tsimcne_model_transform(model, &images, TSIMCNE_OUTPUT_MAP, 2, map, 40) == TSIMCNE_OK);
    CHECK(tsimcne_model_transform(model, &images, TSIMCNE_OUTPUT_MAP, 2, map, 39) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_model_transform(model, &images, TSIMCNE_OUTPUT_FEATURES, 2, NULL, 1) ==
          TSIMCNE_ERROR_ARGUMENT);
    images.channels = 1;
    CHECK(tsimcne_model_transform(model, &images, TSIMCNE_OUTPUT_MAP, 2, map, 40) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(isfinite(map[0]) && isfinite(map[39]));
    CHECK(tsimcne_model_destroy(model) == TSIMCNE_OK);
    CHECK(tsimcne_model_destroy(model) == TSIMCNE_ERROR_HANDLE);
    CHECK(tsimcne_model_destroy(0) == TSIMCNE_ERROR_HANDLE);
    puts("every function was called");
    return 0;
}
