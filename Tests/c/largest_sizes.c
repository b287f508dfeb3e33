// Asks for what the interface allows at most, and for more than any machine has: an error, and the process
// goes on. The argument names the one case that is run.
#include "check.h"

#include <string.h>
#include <sys/resource.h>

// This stands for memory of any size: sizes are looked at before values are.
static float values[64];

static const int64_t MOST_IMAGES = 1LL << 40;

static tsimcne_images images(int64_t count, int64_t side, int64_t channels) {
    return (tsimcne_images){.struct_size = sizeof(tsimcne_images),
                            .data = values,
                            .count = count,
                            .height = side,
                            .width = side,
                            .channels = channels,
                            .type = TSIMCNE_FLOAT32};
}

static tsimcne_augmentation augmentation(void) {
    tsimcne_augmentation a = {.struct_size = sizeof a};
    CHECK(tsimcne_augmentation_preset(TSIMCNE_PRESET_NATURAL, &a) == TSIMCNE_OK);
    return a;
}

static tsimcne_handle model(int64_t channels, int32_t depth, int32_t outputs) {
    tsimcne_model_config config = {.struct_size = sizeof config,
                                   .channels = channels,
                                   .depth = depth,
                                   .base_width = 1,
                                   .output_dim = outputs};
    tsimcne_handle result = 0;
    CHECK(tsimcne_model_create(&config, 1, &result) == TSIMCNE_OK);
    return result;
}

static tsimcne_stage stage(int32_t outputs) {
    return (tsimcne_stage){.struct_size = sizeof(tsimcne_stage),
                           .steps = 10,
                           .output_dim = outputs,
                           .output_start = TSIMCNE_OUTPUT_NORMAL,
                           .output_scale = 1,
                           .metric = TSIMCNE_METRIC_COSINE,
                           .temperature = 1,
                           .learning_rate = 0.01};
}

static int32_t create(tsimcne_handle model, int32_t source, tsimcne_images images, int32_t outputs,
                      int64_t micro_batch, tsimcne_handle *trainer) {
    tsimcne_stage only = stage(outputs);
    tsimcne_trainer_config config = {.struct_size = sizeof config,
                                     .batch_size = images.count,
                                     .source = source,
                                     .threads = 2,
                                     .stages = &only,
                                     .stage_count = 1,
                                     .views = 16,
                                     .micro_batch = micro_batch};
    return tsimcne_trainer_create(model, &images, &config, trainer);
}

// Checks that a trainer is refused for what the message names, and none is made.
static void refused(int32_t wanted, const char *named, tsimcne_handle model, int32_t source,
                    tsimcne_images images, int32_t outputs, int64_t micro_batch) {
    tsimcne_handle trainer = 0;
    CHECK(create(model, source, images, outputs, micro_batch, &trainer) == wanted && trainer == 0);
    CHECK(strstr(tsimcne_last_error(), named) != NULL);
}

static void loss(void) {
    double result = 0;
    const int64_t n = 1 << 24;
    CHECK(tsimcne_infonce(values, n, 16, 4096, 1, 1, 1, 1024, &result, NULL) == TSIMCNE_ERROR_MEMORY);
    CHECK(tsimcne_infonce(values, n, 16, 2, 0, 1, 1, 1024, &result, NULL) == TSIMCNE_ERROR_MEMORY);
    CHECK(strstr(tsimcne_last_error(), "16777216 images in 16 views") != NULL);
    CHECK(tsimcne_infonce_sums(values, n, 16, 4096, 1, 1, 1, 1, 0, n, values, &result) ==
          TSIMCNE_ERROR_MEMORY);
    CHECK(tsimcne_infonce_gradient(values, n, 16, 4096, 1, 1, 1, 1, 0, n, values, values, &result) ==
          TSIMCNE_ERROR_MEMORY);
}

static void augment(void) {
    tsimcne_augmentation a = augmentation();
    // The number of all values is no 64-bit one: 0, without its upper bits.
    const int64_t counts[] = {0, INT64_MAX, INT64_MIN};
    tsimcne_images many = images(MOST_IMAGES, 1024, 1024);
    for (int i = 0; i < 3; i++) {
        CHECK(tsimcne_augment(&many, &a, 1, 0, 0, 0, 1, values, counts[i]) == TSIMCNE_ERROR_ARGUMENT);
        CHECK(strstr(tsimcne_last_error(), "output_count") != NULL);
    }
    tsimcne_images one = images(1, 1024, 1024);
    CHECK(tsimcne_augment(&one, &a, 1, 0, 0, 0, 1024, values, 1 << 30) == TSIMCNE_ERROR_MEMORY);
}

static void trainer(void) {
    tsimcne_handle wide = model(1024, 10, 8), vectors = model(65536, 0, 8);
    const int32_t sources[] = {TSIMCNE_SOURCE_IMAGES, TSIMCNE_SOURCE_SUPPLIED, TSIMCNE_SOURCE_VIEWS};
    for (int i = 0; i < 3; i++) {
        refused(TSIMCNE_ERROR_MEMORY, "needs about", wide, sources[i], images(MOST_IMAGES, 1024, 1024), 8, 0);
        refused(TSIMCNE_ERROR_MEMORY, "needs about", wide, sources[i], images(1 << 20, 1024, 1024), 8, 0);
        refused(TSIMCNE_ERROR_MEMORY, "needs about", vectors, sources[i], images(MOST_IMAGES, 1, 65536), 8,
                0);
    }
    refused(TSIMCNE_ERROR_MEMORY, "a step of", wide, TSIMCNE_SOURCE_IMAGES, images(1 << 20, 1024, 1024), 8,
            256);
}

// A batch has a program with all its parts.
static void parts(void) {
    tsimcne_handle small = model(2, 0, 2), made = 0;
    refused(TSIMCNE_ERROR_ARGUMENT, "micro_batch: got 1, want 256 to", small, TSIMCNE_SOURCE_IMAGES,
            images(1 << 20, 1, 2), 2, 1);
    CHECK(create(small, TSIMCNE_SOURCE_IMAGES, images(4, 1, 2), 2, 1, &made) == TSIMCNE_OK);
}

// More outputs than the model has when the trainer is made.
static void outputs(void) {
    tsimcne_handle small = model(2, 0, 2);
    refused(TSIMCNE_ERROR_MEMORY, "a step of", small, TSIMCNE_SOURCE_IMAGES, images(1 << 16, 1, 2), 4096, 0);
    tsimcne_handle wide = model(65536, 0, 1);
    CHECK(tsimcne_model_reset_output(wide, 4096, 1, 1) == TSIMCNE_ERROR_MEMORY);
    CHECK(tsimcne_model_reset_output(wide, 2, 1, 1) == TSIMCNE_OK);
}

// Seeks to places where a schedule cannot be.
static void seek(void) {
    tsimcne_handle small = model(2, 0, 2), made = 0;
    CHECK(create(small, TSIMCNE_SOURCE_IMAGES, images(4, 1, 2), 2, 0, &made) == TSIMCNE_OK);
    const tsimcne_progress right = {
        .struct_size = sizeof right, .step = 3, .steps = 10, .position = 3, .stride = 1};
    tsimcne_progress wrong[] = {right, right, right, right, right, right};
    wrong[0].position = 1e15;
    wrong[1].stride = 1e15;
    wrong[2].position = 11;
    wrong[3].steps = 1LL << 40;
    wrong[4].stride = 2;
    wrong[5].stride = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(tsimcne_trainer_seek(made, &wrong[i]) == TSIMCNE_ERROR_ARGUMENT);
        CHECK(strstr(tsimcne_last_error(), "progress.") != NULL);
    }
    CHECK(tsimcne_trainer_seek(made, &right) == TSIMCNE_OK);
}

int main(int count, char **arguments) {
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {{"loss", loss},   {"augment", augment}, {"trainer", trainer},
                 {"parts", parts}, {"outputs", outputs}, {"seek", seek}};
    // The process has no more memory than a small machine, whatever is overcommitted.
    const struct rlimit limit = {2LL << 30, 2LL << 30};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    for (size_t i = 0; count == 2 && i < sizeof cases / sizeof *cases; i++) {
        if (strcmp(cases[i].name, arguments[1]) == 0) {
            cases[i].run();
            return 0;
        }
    }
    return 2;
}
