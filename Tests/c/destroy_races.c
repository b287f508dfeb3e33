// Threads advance a trainer until it is gone, while another destroys it and unmaps its images: a call that
// got in is over before the handle is. The argument is how often; a call that comes too late ends the
// program.
#define _GNU_SOURCE
#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { IMAGES = 64, VALUES = 8, THREADS = 12, BYTES = IMAGES * VALUES * sizeof(float) };

static tsimcne_handle model, trainer;
static atomic_int advanced;

static tsimcne_handle make_trainer(const float *values) {
    tsimcne_images images = {sizeof images, values, IMAGES, 1, 1, VALUES, TSIMCNE_FLOAT32, 0};
    tsimcne_stage stage = {.struct_size = sizeof stage,
                           .steps = 1 << 30,
                           .output_dim = 2,
                           .metric = TSIMCNE_METRIC_CAUCHY,
                           .temperature = 1,
                           .learning_rate = 0.001,
                           .momentum = 0.9,
                           .clip_value = 4};
    tsimcne_trainer_config config = {.struct_size = sizeof config,
                                     .batch_size = IMAGES,
                                     .threads = 1,
                                     .time_slice_ms = 1,
                                     .stages = &stage,
                                     .stage_count = 1,
                                     .views = 2};
    tsimcne_handle handle = 0;
    CHECK(tsimcne_trainer_create(model, &images, &config, &handle) == TSIMCNE_OK);
    return handle;
}

static void *advance(void *unused) {
    (void)unused;
    tsimcne_event event = {.struct_size = sizeof event};
    for (;;) {
        int32_t status = tsimcne_advance(trainer, &event);
        if (status == TSIMCNE_ERROR_HANDLE) {
            return NULL;
        }
        CHECK(status == TSIMCNE_OK || status == TSIMCNE_ERROR_BUSY);
        advanced += status == TSIMCNE_OK;
        if (status == TSIMCNE_OK) {
            sched_yield(); // the others are to get in too
        }
    }
}

int main(int count, char **arguments) {
    int repetitions = count > 1 ? atoi(arguments[1]) : 100;
    tsimcne_model_config config = {
        .struct_size = sizeof config, .channels = VALUES, .base_width = 1, .output_dim = 2};
    CHECK(tsimcne_model_create(&config, 1, &model) == TSIMCNE_OK);
    for (int i = 0; i < repetitions; i++) {
        float *values = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(values != MAP_FAILED);
        for (int k = 0; k < IMAGES * VALUES; k++) {
            values[k] = (float)(k * 7919 % 251) / 251;
        }
        trainer = make_trainer(values);
        advanced = 0;
        pthread_t threads[THREADS];
        for (int t = 0; t < THREADS; t++) {
            CHECK(pthread_create(&threads[t], NULL, advance, NULL) == 0);
        }
        while (advanced < 3) {
            sched_yield();
        }
        int32_t status;
        while ((status = tsimcne_trainer_destroy(trainer)) == TSIMCNE_ERROR_BUSY) {
            sched_yield();
        }
        CHECK(status == TSIMCNE_OK);
        CHECK(munmap(values, BYTES) == 0);
        for (int t = 0; t < THREADS; t++) {
            pthread_join(threads[t], NULL);
        }
    }
    CHECK(tsimcne_model_destroy(model) == TSIMCNE_OK);
    puts("no call outlived its handle");
    return 0;
}
