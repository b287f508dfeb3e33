// Calls every function of tsimcne.h, rightly and wrongly; includes nothing else of the project.
#include "tsimcne.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "line %d: %s (%s)\n", __LINE__, #condition, tsimcne_last_error());               \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

static uint8_t pixels[20 * 8 * 9 * 3];

static tsimcne_augmentation natural(void) {
    tsimcne_augmentation a = {sizeof a, 0.2, 1, 0.75, 1.25, 0.5, 0, 0, 0.8, 0.4, 0.4, 0.4, 0.1, 0.2};
    return a;
}

static void library(const tsimcne_images *images) {
    CHECK(tsimcne_abi_version() == TSIMCNE_ABI_VERSION);
    CHECK(strstr(tsimcne_build_info(), "\"level\"") != NULL);
    static float views[20 * 8 * 9 * 3];
    tsimcne_augmentation a = natural();
    CHECK(tsimcne_augment(images, &a, 1, 0, 0, 0, 2, views, 20 * 216) == TSIMCNE_OK);
    CHECK(tsimcne_augment(images, &a, 1, 0, 0, 0, 2, views, 5) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(strstr(tsimcne_last_error(), "output_count") != NULL);
    CHECK(tsimcne_augment(NULL, &a, 1, 0, 0, 0, 2, views, 5) == TSIMCNE_ERROR_ARGUMENT);
    a.hue = NAN;
    CHECK(tsimcne_augment(images, &a, 1, 0, 0, 0, 2, views, 20 * 216) == TSIMCNE_ERROR_ARGUMENT);
    a.struct_size = 3;
    CHECK(tsimcne_augment(images, &a, 1, 0, 0, 0, 2, views, 20 * 216) == TSIMCNE_ERROR_ARGUMENT);
    float z[] = {0, 0, 1, 0, 0, 1, 2, 2}, gradient[8];
    double loss = -1;
    CHECK(tsimcne_infonce(z, 2, 2, TSIMCNE_METRIC_CAUCHY, 1, 1, &loss, gradient) == TSIMCNE_OK && loss > 0);
    CHECK(tsimcne_infonce(z, 2, 2, 7, 1, 1, &loss, NULL) == TSIMCNE_ERROR_ARGUMENT);
    CHECK(tsimcne_infonce(NULL, 2, 2, 0, 1, 1, &loss, NULL) == TSIMCNE_ERROR_ARGUMENT);
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

static void train(tsimcne_handle model, tsimcne_images images) {
    tsimcne_stage stage = {sizeof stage,
                           2,
                           8,
                           TSIMCNE_OUTPUT_KEEP,
                           1,
                           TSIMCNE_TRAIN_ALL,
                           TSIMCNE_METRIC_CAUCHY,
                           1,
                           0.1,
                           0.1,
                           TSIMCNE_SCHEDULE_BATCH,
                           0,
                           0.9,
                           5e-4,
                           4};
    tsimcne_augmentation a = natural();
    tsimcne_trainer_config config = {sizeof config, 1, 8, TSIMCNE_SOURCE_SUPPLIED, 2, 7, 0, &stage, 1, &a};
    images.data = NULL;
    tsimcne_handle trainer = 0;
    config.batch_size = 21;
    CHECK(tsimcne_trainer_create(model, &images, &config, &trainer) == TSIMCNE_ERROR_ARGUMENT);
    config.batch_size = 8;
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
    int seen[7] = {0}, abandoned = 0;
    tsimcne_event event = {.struct_size = sizeof event};
    do {
        CHECK(tsimcne_advance(trainer, &event) == TSIMCNE_OK);
        seen[event.kind] += 1;
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
    CHECK(seen[TSIMCNE_EVENT_STEP] == 6 && seen[TSIMCNE_EVENT_BATCH_WANTED] == 7);
    CHECK(seen[TSIMCNE_EVENT_BATCH_NORM_SUMS] > 0 && seen[TSIMCNE_EVENT_GRADIENT] > 0);
    arrays(trainer);
    CHECK(tsimcne_trainer_destroy(model) == TSIMCNE_ERROR_HANDLE);
    CHECK(tsimcne_trainer_destroy(trainer) == TSIMCNE_OK);
    CHECK(tsimcne_trainer_destroy(trainer) == TSIMCNE_ERROR_HANDLE);
    CHECK(tsimcne_abandon(trainer) == TSIMCNE_ERROR_HANDLE);
}

int main(void) {
    for (size_t i = 0; i < sizeof pixels; i++) {
        pixels[i] = (uint8_t)(i * 7919 % 251);
    }
    tsimcne_images images = {sizeof images, pixels, 20, 8, 9, 3, TSIMCNE_UINT8, 0};
    library(&images);
    float mean[] = {0.5f, 0.5f, 0.5f}, deviation[] = {0.2f, 0.2f, 0.2f};
    tsimcne_model_config config = {sizeof config, 3, 10, 4, TSIMCNE_HEAD_MLP, 16, 8, 0, mean, deviation};
    tsimcne_handle model = 0;
    CHECK(tsimcne_model_create(&config, 1, NULL) == TSIMCNE_ERROR_ARGUMENT);
    config.depth = 50;
    CHECK(tsimcne_model_create(&config, 1, &model) == TSIMCNE_ERROR_ARGUMENT && model == 0);
    config.depth = 10;
    CHECK(tsimcne_model_create(&config, 1, &model) == TSIMCNE_OK && model != 0);
    arrays(model);
    train(model, images);
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
