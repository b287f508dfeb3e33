// Maps images that it draws, through the C interface alone, and prints "x,y,kind" for each.
//
//   cc -std=c11 -I Sources/CTSimCNE/include examples/c/map.c -o map -L LIB -ltsimcne -Wl,-rpath,LIB
//
// where LIB is the folder of libtsimcne.so (python/tsimcne_swift/lib after `make setup`).
#include "tsimcne.h"

#include <stdio.h>
#include <stdlib.h>

enum { COUNT = 600, SIDE = 16, PIXELS = SIDE * SIDE, KINDS = 3 };

static uint8_t images[COUNT][PIXELS];

static void check(int32_t status) {
    if (status != TSIMCNE_OK) {
        fprintf(stderr, "error: %s\n", tsimcne_last_error());
        exit(1);
    }
}

// Draws horizontal stripes, vertical stripes and discs, each somewhere else.
static void draw(void) {
    for (int i = 0; i < COUNT; i++) {
        int shift = rand() % SIDE, radius = 3 + rand() % 3;
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                int dx = x - SIDE / 2, dy = y - shift / 2 - 4;
                int is_light[KINDS] = {(y + shift) / 2 % 2, (x + shift) / 2 % 2,
                                       dx * dx + dy * dy < radius * radius};
                images[i][y * SIDE + x] = (uint8_t)(is_light[i % KINDS] ? 200 + rand() % 50 : rand() % 50);
            }
        }
    }
}

// What both stages share.
static tsimcne_stage stage(int64_t steps, int32_t outputs, int32_t start, double rate) {
    return (tsimcne_stage){.struct_size = sizeof(tsimcne_stage),
                           .steps = steps,
                           .output_dim = outputs,
                           .output_start = start,
                           .output_scale = 3,
                           .metric = TSIMCNE_METRIC_CAUCHY,
                           .temperature = 1,
                           .learning_rate = rate,
                           .warmup = 0.1,
                           .schedule = TSIMCNE_SCHEDULE_BATCH,
                           .shape = TSIMCNE_SHAPE_COSINE,
                           .optimizer = TSIMCNE_SGD,
                           .decays_biases = 1,
                           .momentum = 0.9,
                           .weight_decay = 5e-4,
                           .clip_value = 4};
}

static void train(tsimcne_handle model, const tsimcne_images *set) {
    tsimcne_augmentation augmentation = {.struct_size = sizeof augmentation};
    check(tsimcne_augmentation_preset(TSIMCNE_PRESET_NATURAL, &augmentation));
    augmentation.crop_area_min = 0.5;
    // Training begins with many dimensions from scratch; the plane begins with their principal components.
    tsimcne_stage stages[] = {stage(60, 32, TSIMCNE_OUTPUT_KEEP, 0.1),
                              stage(40, 2, TSIMCNE_OUTPUT_PRINCIPAL, 0.02)};
    tsimcne_trainer_config config = {.struct_size = sizeof config,
                                     .seed = 1,
                                     .batch_size = 64,
                                     .source = TSIMCNE_SOURCE_IMAGES,
                                     .stages = stages,
                                     .stage_count = 2,
                                     .augmentation = &augmentation,
                                     .views = 2};
    tsimcne_handle trainer = 0;
    check(tsimcne_trainer_create(model, set, &config, &trainer));
    tsimcne_event event = {.struct_size = sizeof event};
    do {
        check(tsimcne_advance(trainer, &event));
        if (event.kind == TSIMCNE_EVENT_STEP && event.steps_left == 0) {
            fprintf(stderr, "stage %d: loss %.3f\n", event.stage + 1, event.loss);
        }
    } while (event.kind != TSIMCNE_EVENT_FINISHED && event.kind != TSIMCNE_EVENT_DIVERGED);
    check(tsimcne_trainer_destroy(trainer));
}

int main(void) {
    draw();
    const tsimcne_images set = {.struct_size = sizeof set,
                                .data = images,
                                .count = COUNT,
                                .height = SIDE,
                                .width = SIDE,
                                .channels = 1,
                                .type = TSIMCNE_UINT8};
    const int32_t hidden[] = {128};
    const tsimcne_model_config config = {.struct_size = sizeof config,
                                         .channels = 1,
                                         .depth = 10,
                                         .base_width = 16,
                                         .hidden_dims = hidden,
                                         .hidden_count = 1,
                                         .output_dim = 32};
    tsimcne_handle model = 0;
    check(tsimcne_model_create(&config, 1, &model));
    train(model, &set);
    static float map[COUNT][2];
    check(tsimcne_model_transform(model, &set, TSIMCNE_OUTPUT_MAP, 0, &map[0][0], COUNT * 2));
    check(tsimcne_model_destroy(model));
    for (int i = 0; i < COUNT; i++) {
        printf("%.4f,%.4f,%d\n", map[i][0], map[i][1], i % KINDS);
    }
    return 0;
}
