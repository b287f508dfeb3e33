/*
 * tsimcne.h: the C interface of tsimcne-swift, and its only description.
 *
 * Rules that hold for every function
 * - A function that can fail returns a status: TSIMCNE_OK (0) or an error. After an error,
 *   tsimcne_last_error() has a message for this thread, naming the argument, what it got and what
 *   it wants; outputs are then unchanged.
 * - Handles are tokens, not pointers. A stale, foreign or zero handle is TSIMCNE_ERROR_HANDLE.
 * - One thread at a time uses a handle. A second one gets TSIMCNE_ERROR_BUSY, never corruption.
 *   A trainer uses its model's handle while one of its own calls runs. Once a destroy has returned
 *   TSIMCNE_OK no call uses the handle, and none will.
 * - After fork() the child has all handles. One that another thread was changing at that moment (a trainer
 *   that was advanced, and its model) is TSIMCNE_ERROR_STATE there and can only be destroyed; one that was
 *   read (a model that mapped images) is as good as any other.
 * - The caller owns all memory it passes. Nothing is kept after the call returns, except
 *   `tsimcne_images.data` of tsimcne_trainer_create, which must stay valid and mapped until the
 *   trainer is destroyed.
 * - Structures begin with `struct_size`, which the caller sets to sizeof(the structure); another
 *   value is TSIMCNE_ERROR_ARGUMENT. Reserved fields must be zero.
 * - Images and activations are NHWC: (count, height, width, channels), C-contiguous.
 *
 * Tables
 * What has many members is a table here, a macro that applies X to each row, so that bindings, checks and
 * tests that need every row read them here and nowhere else:
 * - of an enumeration: X(constant without TSIMCNE_, number, the word that users have for it);
 * - of the numbers of a structure: X(type, name, usual value, least, largest). A number `…_min` is at most
 * its `…_max`.
 */
#ifndef TSIMCNE_H
#define TSIMCNE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TSIMCNE_CONSTANT(constant, number, word) TSIMCNE_##constant = number,
#define TSIMCNE_MEMBER(type, name, usual, least, largest) type name;
#define TSIMCNE_COUNTED(constant, number, word) +1

/** The project's version: the wheel and tsimcne_build_info take it from here. */
#define TSIMCNE_VERSION "0.1.0"

/** The number of this interface: it is raised whenever a structure or a function changes its meaning. */
#define TSIMCNE_ABI_VERSION 16

#define TSIMCNE_STATUSES(X)                                                                                  \
    X(OK, 0, "ok")                                                                                           \
    X(ERROR_ARGUMENT, 1, "argument") /* a value out of range, a null pointer, a wrong length */              \
    X(ERROR_HANDLE, 2, "handle")     /* not a live handle of the wanted kind */                              \
    X(ERROR_BUSY, 3, "busy")         /* another thread uses the handle */                                    \
    X(ERROR_STATE, 4, "state")       /* the call is not allowed now (e.g. no batch is wanted) */             \
    X(ERROR_MEMORY, 5, "memory")     /* memory could not be had */
enum { TSIMCNE_STATUSES(TSIMCNE_CONSTANT) };

/** A token for a model, a trainer or a guard; 0 is never one. */
typedef uint64_t tsimcne_handle;

/* ------------------------------------------------------------------ library */

/** TSIMCNE_ABI_VERSION of the library that was loaded. */
int32_t tsimcne_abi_version(void);

/**
 * A JSON object as a NUL-terminated UTF-8 string that lives as long as the process:
 * "version", "level" ("x86-64", "x86-64-v3", "x86-64-v4", "aarch64"), "threads" (cores this process
 * may use: affinity and cgroup quotas), "blas" (its configuration), "blas_core" (kernel it chose) and
 * "blas_used" (false where that kernel is its generic one on a processor with AVX2: the own GEMM
 * then does its work).
 */
const char *tsimcne_build_info(void);

/** The message of the last error on this thread, of at most 511 bytes, whole characters of UTF-8; "" when
 * there was none. It is valid until this thread's next call.
 */
const char *tsimcne_last_error(void);

/** Bytes of memory that this process may still take: what the system says is available, and what the limits
 * of its control groups (version 1 or 2) leave; swap does not count. */
int64_t tsimcne_available_memory(void);

/* ------------------------------------------------------------------- images */

#define TSIMCNE_TYPES(X)                                                                                     \
    X(UINT8, 0, "uint8")                                                                                     \
    X(FLOAT32, 1, "float32")                                                                                 \
    X(FLOAT64, 2, "float64")                                                                                 \
    X(INT32, 3, "int32")
enum { TSIMCNE_TYPES(TSIMCNE_CONSTANT) };

/**
 * A borrowed batch of images. uint8 means 0…255 for [0, 1]; float32 is in [0, 1] already. For a model of
 * depth 0 they are feature vectors: float32 of any finite value, height = width = 1.
 */
typedef struct tsimcne_images {
    uint64_t struct_size;
    const void *data; /* count * height * width * channels values, C-contiguous */
    int64_t count;
    int64_t height;   /* 8 … 1024, or 1 for vectors */
    int64_t width;    /* 8 … 1024, or 1 for vectors */
    int64_t channels; /* 1 … 1024; of vectors 1 … 65536 */
    int32_t type;     /* TSIMCNE_UINT8 or TSIMCNE_FLOAT32 */
    int32_t reserved;
} tsimcne_images;

/**
 * Parameters of the random views, in the order in which they are applied (method: torchvision's
 * RandomResizedCrop, flips, quarter turns, ColorJitter, RandomGrayscale). Saturation, hue and
 * greyscale need 3 channels and are skipped for any other number.
 */
#define TSIMCNE_AUGMENTATION_NUMBERS(X)                                                                      \
    X(double, crop_area_min, 0.2, 1e-6, 1) /* share of the area */                                           \
    X(double, crop_area_max, 1, 1e-6, 1)                                                                     \
    X(double, crop_ratio_min, 0.75, 1e-3, 1e3) /* width / height, log-uniform */                             \
    X(double, crop_ratio_max, 4.0 / 3, 1e-3, 1e3)                                                            \
    X(double, horizontal_flip, 0.5, 0, 1) /* probability */                                                  \
    X(double, vertical_flip, 0, 0, 1)     /* probability */                                                  \
    /* probability of a turn by a random multiple of 90 degrees; images that are not square turn by          \
       180 degrees only */                                                                                   \
    X(double, quarter_turns, 0, 0, 1)                                                                        \
    /* probability of the four operations below, in random order */                                          \
    X(double, color_jitter, 0.8, 0, 1)                                                                       \
    X(double, brightness, 0.4, 0, 100) /* factor uniform in [max(0, 1 - v), 1 + v] */                        \
    X(double, contrast, 0.4, 0, 100)                                                                         \
    X(double, saturation, 0.4, 0, 100)                                                                       \
    X(double, hue, 0.1, 0, 0.5)     /* shift uniform in [-v, v], in turns of the circle */                   \
    X(double, grayscale, 0.2, 0, 1) /* probability */                                                        \
    /* after the turns: angle uniform in [-v, v] degrees; mirrored at the edge */                            \
    X(double, rotation, 0, 0, 180)                                                                           \
    /* after greyscale, each channel by itself: factor uniform in [max(0, 1 - v), 1 + v] … */              \
    X(double, channel_gain, 0, 0, 100)                                                                       \
    X(double, channel_offset, 0, 0, 1)           /* … and shift uniform in [-v, v] of the range */         \
    X(double, blur, 0, 0, 1)                     /* probability of a Gaussian blur */                        \
    X(double, blur_deviation_min, 0.1, 0.01, 10) /* standard deviation in pixels */                          \
    X(double, blur_deviation_max, 2, 0.01, 10)                                                               \
    /* probability that values of the upper half become their negatives */                                   \
    X(double, solarize, 0, 0, 1)                                                                             \
    /* probability that a rectangle is blackened (torchvision's RandomErasing) */                            \
    X(double, erasing, 0, 0, 1)
typedef struct tsimcne_augmentation {
    uint64_t struct_size;
    TSIMCNE_AUGMENTATION_NUMBERS(TSIMCNE_MEMBER)
} tsimcne_augmentation;

/** Augmentations for kinds of images; the usual values above are those of photographs. */
#define TSIMCNE_PRESETS(X)                                                                                   \
    X(PRESET_NONE, 0, "none")                                                                                \
    X(PRESET_NATURAL, 1, "natural")                                                                          \
    X(PRESET_TEXT, 2, "text")                                                                                \
    X(PRESET_MICROSCOPY, 3, "microscopy")
enum { TSIMCNE_PRESETS(TSIMCNE_CONSTANT) };
enum { TSIMCNE_PRESET_COUNT = 0 TSIMCNE_PRESETS(TSIMCNE_COUNTED) };

/** Writes an augmentation, TSIMCNE_PRESET_…, whose struct_size the caller has set. */
int32_t tsimcne_augmentation_preset(int32_t preset, tsimcne_augmentation *augmentation);

/**
 * Writes the augmented view `view` (0, 1, …) of every image to `output`
 * (count * height * width * channels float32 in [0, 1]). Image i has the random numbers of
 * (seed, epoch, first_index + i, view), so that the bits are those that training sees.
 */
int32_t tsimcne_augment(const tsimcne_images *images, const tsimcne_augmentation *augmentation, uint64_t seed,
                        uint64_t epoch, uint64_t first_index, uint32_t view, int32_t threads, float *output,
                        int64_t output_count);

/* ------------------------------------------------------------------- guards */

/**
 * Guards memory that is a mapped file, which others may cut while it is read: a page that cannot be read is
 * zeros and counted, where SIGBUS would end the process. It holds for every thread and all code of the
 * process, until tsimcne_guard_destroy; the memory stays mapped as long. The handler of SIGBUS that was
 * there gets what happens elsewhere.
 */
int32_t tsimcne_guard_create(const void *data, int64_t bytes, tsimcne_handle *guard);

/** How often memory under the guard could not be read; what was made of it since is not to be believed. */
int32_t tsimcne_guard_faults(tsimcne_handle guard, int64_t *faults);

/** Pages that could not be read raise SIGBUS again, as before the guard. */
int32_t tsimcne_guard_destroy(tsimcne_handle guard);

/* -------------------------------------------------------------------- model */

#define TSIMCNE_LAYERS(X)                                                                                    \
    X(LAYER_CONVOLUTION, 0, "conv")          /* channels, kernel, stride, has_bias */                        \
    X(LAYER_DEPTHWISE, 1, "depthwise")       /* kernel, stride of 1 or 2: each channel by itself */          \
    X(LAYER_BATCH_NORM, 2, "batchnorm")      /* epsilon, momentum */                                         \
    X(LAYER_NONLINEARITY, 3, "nonlinearity") /* function */                                                  \
    X(LAYER_MAX_POOLING, 4, "maxpool")       /* kernel, stride */                                            \
    /* channels between its two layers, function and gate after them */                                      \
    X(LAYER_SQUEEZE_EXCITATION, 5, "squeeze_excite")                                                         \
    /* drop; the layers that follow, until LAYER_END, are added to … */                                    \
    X(LAYER_RESIDUAL, 6, "residual")                                                                         \
    /* … their input, or to what the layers after LAYER_SHORTCUT make of it */                             \
    X(LAYER_SHORTCUT, 7, "shortcut")                                                                         \
    X(LAYER_END, 8, "end")
enum { TSIMCNE_LAYERS(TSIMCNE_CONSTANT) };
enum { TSIMCNE_LAYER_COUNT = 0 TSIMCNE_LAYERS(TSIMCNE_COUNTED) };
#define TSIMCNE_FUNCTIONS(X)                                                                                 \
    X(FUNCTION_RELU, 0, "relu")                                                                              \
    X(FUNCTION_SILU, 1, "silu")            /* x / (1 + exp(-x)) */                                           \
    X(FUNCTION_HARD_SWISH, 2, "hardswish") /* x min(max(x + 3, 0), 6) / 6 */                                 \
    X(FUNCTION_SIGMOID, 3, "sigmoid")                                                                        \
    X(FUNCTION_HARD_SIGMOID, 4, "hardsigmoid") /* min(max(x + 3, 0), 6) / 6 */
enum { TSIMCNE_FUNCTIONS(TSIMCNE_CONSTANT) };
enum { TSIMCNE_FUNCTION_COUNT = 0 TSIMCNE_FUNCTIONS(TSIMCNE_COUNTED) };

/** One layer of a backbone; what its kind does not name is not looked at. Convolutions and pooling are padded
 * by half their kernel. */
#define TSIMCNE_LAYER_NUMBERS(X)                                                                             \
    X(int32_t, kind, 0, 0, TSIMCNE_LAYER_COUNT - 1) /* TSIMCNE_LAYER_… */                                  \
    X(int32_t, channels, 1, 1, 65536)                                                                        \
    X(int32_t, kernel, 1, 1, 31) /* odd */                                                                   \
    X(int32_t, stride, 1, 1, 16)                                                                             \
    X(int32_t, has_bias, 0, 0, 1)                                                                            \
    X(int32_t, function, 0, 0, TSIMCNE_FUNCTION_COUNT - 1) /* TSIMCNE_FUNCTION_… */                        \
    X(int32_t, gate, 0, 0, TSIMCNE_FUNCTION_COUNT - 1)     /* TSIMCNE_FUNCTION_… */                        \
    X(float, epsilon, 1e-5, 1e-12, 1)                      /* added to the variance */                       \
    X(float, momentum, 0.1, 0, 1) /* the newest batch's weight in the running statistics */                  \
    /* stochastic depth: probability of being left out in training */                                        \
    X(float, drop, 0, 0, 0.99)
typedef struct tsimcne_layer {
    uint64_t struct_size;
    const char *name; /* its arrays are "backbone.<name>.weight" …; letters, digits, '.', '_', '-' */
    TSIMCNE_LAYER_NUMBERS(TSIMCNE_MEMBER)
} tsimcne_layer;

#define TSIMCNE_MODEL_NUMBERS(X)                                                                             \
    /* channels of the images; 1024 at most where there is a backbone */                                     \
    X(int64_t, channels, 1, 1, 65536)                                                                        \
    /* 10, 18, 34: ResNet of [1,1,1,1], [2,2,2,2], [3,4,6,3] basic blocks; 50, 101: of [3,4,6,3],            \
       [3,4,23,3] bottlenecks; 0: none, for vectors */                                                       \
    X(int32_t, depth, 0, 0, 1000)                                                                            \
    /* channels of the first stage; the others have 2, 4, 8 times as many */                                 \
    X(int32_t, base_width, 1, 1, 1024)                                                                       \
    X(int32_t, output_dim, 2, 1, 4096)
#define TSIMCNE_MOST_HIDDEN 16
#define TSIMCNE_WIDEST_HIDDEN 65536
#define TSIMCNE_MOST_LAYERS 10000
typedef struct tsimcne_model_config {
    uint64_t struct_size;
    TSIMCNE_MODEL_NUMBERS(TSIMCNE_MEMBER)
    const int32_t *hidden_dims; /* widths of the projection head's hidden layers, each 1 … WIDEST_HIDDEN, with
                                   a rectifier after each; NULL if there are none */
    int32_t hidden_count;       /* 0 … MOST_HIDDEN; 0: a linear head */
    int32_t layer_count;        /* 0 … MOST_LAYERS */
    const float *mean;          /* NULL, or `channels` values subtracted from the [0, 1] pixels … */
    const float *deviation;     /* … and divided by (positive); both or neither */
    const tsimcne_layer *layers; /* NULL, or the backbone's, whose result is averaged over the plane: `depth`
                                    and `base_width` are then not looked at */
} tsimcne_model_config;

/** Makes a model whose weights are drawn from `seed`. */
int32_t tsimcne_model_create(const tsimcne_model_config *config, uint64_t seed, tsimcne_handle *model);

/** Replaces the output layer by one of `output_dim` outputs, weights N(0, deviation). */
int32_t tsimcne_model_reset_output(tsimcne_handle model, int32_t output_dim, float deviation, uint64_t seed);

#define TSIMCNE_OUTPUTS(X)                                                                                   \
    X(OUTPUT_MAP, 0, "map")                                                                                  \
    X(OUTPUT_FEATURES, 1, "features")                                                                        \
    X(OUTPUT_LEVELS, 2, "levels")
/** Parts that a plane's means are taken over: 3 along both sides. */
#define TSIMCNE_PLANE_PARTS 9
enum { TSIMCNE_OUTPUTS(TSIMCNE_CONSTANT) };
enum { TSIMCNE_OUTPUT_COUNT = 0 TSIMCNE_OUTPUTS(TSIMCNE_COUNTED) };

/**
 * Maps images (BatchNorm with running statistics, no augmentation) and writes count * d float32 to
 * `output`: d = output dimension for TSIMCNE_OUTPUT_MAP; for TSIMCNE_OUTPUT_FEATURES 8 * base_width, four
 * times that with bottlenecks, `channels` with depth 0, or the channels that `layers` end with; for
 * TSIMCNE_OUTPUT_LEVELS the means over TSIMCNE_PLANE_PARTS parts of the plane that the last layer with a
 * stride reads (of the last plane where none but the first layer has one), TSIMCNE_PLANE_PARTS * its channels
 * (4 * base_width, four times that with bottlenecks), and after them the features. The result for an image
 * does not depend on the others in the call. It cannot be interrupted: pass some hundred images at a time.
 */
int32_t tsimcne_model_transform(tsimcne_handle model, const tsimcne_images *images, int32_t output_kind,
                                int32_t threads, float *output, int64_t output_count);

int32_t tsimcne_model_destroy(tsimcne_handle model);

/* ------------------------------------------------------------------ trainer */

#define TSIMCNE_METRICS(X)                                                                                   \
    X(METRIC_CAUCHY, 0, "euclidean")    /* 1 / (1 + (T d)^2) */                                              \
    X(METRIC_COSINE, 1, "cosine")       /* exp(cos / T) */                                                   \
    X(METRIC_STUDENT_T, 2, "student_t") /* (1 + (T d)^2 / nu)^(-(nu + 1) / 2) */                             \
    X(METRIC_GAUSSIAN, 3, "gauss")      /* exp(-(T d)^2) */
enum { TSIMCNE_METRICS(TSIMCNE_CONSTANT) };
enum { TSIMCNE_METRIC_COUNT = 0 TSIMCNE_METRICS(TSIMCNE_COUNTED) };
#define TSIMCNE_TRAINS(X)                                                                                    \
    X(TRAIN_ALL, 0, "all")                                                                                   \
    /* all else is frozen, but BatchNorm uses and follows batches */                                         \
    X(TRAIN_OUTPUT_LAYER, 1, "output")                                                                       \
    X(TRAIN_HEAD, 2, "head") /* the backbone is frozen in the same way */
enum { TSIMCNE_TRAINS(TSIMCNE_CONSTANT) };
enum { TSIMCNE_TRAIN_COUNT = 0 TSIMCNE_TRAINS(TSIMCNE_COUNTED) };
#define TSIMCNE_OUTPUT_STARTS(X)                                                                             \
    X(OUTPUT_KEEP, 0, "keep")     /* the output layer stays (its dimension must be the stage's) */           \
    X(OUTPUT_NORMAL, 1, "normal") /* new weights N(0, output_scale), default bias */                         \
    /* the output's principal components, scaled to a root-mean-square radius of output_scale */             \
    X(OUTPUT_PRINCIPAL, 2, "principal")                                                                      \
    /* the layer stays, moved and scaled to that radius: from a cosine stage, which leaves the scale         \
       free, to a Cauchy one */                                                                              \
    X(OUTPUT_SCALED, 3, "scaled")
enum { TSIMCNE_OUTPUT_STARTS(TSIMCNE_CONSTANT) };
enum { TSIMCNE_OUTPUT_START_COUNT = 0 TSIMCNE_OUTPUT_STARTS(TSIMCNE_COUNTED) };
/** What follows the warm-up: half a cosine to 0, the peak, a line to 0, or one cycle (Smith and Topin 2019:
 *  from peak / 25 up and down to peak / 250000, both half a cosine). */
#define TSIMCNE_SHAPES(X)                                                                                    \
    X(SHAPE_COSINE, 0, "cosine")                                                                             \
    X(SHAPE_CONSTANT, 1, "constant")                                                                         \
    X(SHAPE_LINEAR, 2, "linear")                                                                             \
    X(SHAPE_ONE_CYCLE, 3, "onecycle")
enum { TSIMCNE_SHAPES(TSIMCNE_CONSTANT) };
enum { TSIMCNE_SHAPE_COUNT = 0 TSIMCNE_SHAPES(TSIMCNE_COUNTED) };
#define TSIMCNE_SCHEDULES(X)                                                                                 \
    /* the rate is stepped per batch, the warm-up is a fraction of the stage's steps */                      \
    X(SCHEDULE_BATCH, 0, "batch")                                                                            \
    /* the reference's: the rate is stepped per epoch, the warm-up is in epochs */                           \
    X(SCHEDULE_EPOCH, 1, "epoch")
enum { TSIMCNE_SCHEDULES(TSIMCNE_CONSTANT) };
enum { TSIMCNE_SCHEDULE_COUNT = 0 TSIMCNE_SCHEDULES(TSIMCNE_COUNTED) };
#define TSIMCNE_OPTIMIZERS(X)                                                                                \
    X(SGD, 0, "sgd") /* v = momentum v + g + decay w;  w -= rate v */                                        \
    X(NESTEROV, 1, "nesterov")                                                                               \
    /* Loshchilov and Hutter 2019; momentum and second_momentum are its betas */                             \
    X(ADAMW, 2, "adamw")                                                                                     \
    /* You, Gitman and Ginsburg 2017; trust 0.001, plain SGD for biases and BatchNorm */                     \
    X(LARS, 3, "lars")                                                                                       \
    /* Adam with the largest squares (AMSGrad, Reddi, Kale and Kumar 2018); weight decay is part of the      \
       gradient */                                                                                           \
    X(ADAM, 4, "adam")                                                                                       \
    /* Jordan et al. 2024: matrices turn along their velocity with its singular values brought near to 1,    \
       and keep their length; the rate is the tangent of the angle. Nesterov's SGD for biases, BatchNorm and \
       the output layer */                                                                                   \
    X(MUON, 5, "muon")
enum { TSIMCNE_OPTIMIZERS(TSIMCNE_CONSTANT) };
enum { TSIMCNE_OPTIMIZER_COUNT = 0 TSIMCNE_OPTIMIZERS(TSIMCNE_COUNTED) };

/** What a step begins with: random views, or the features of the images themselves, found together with the
 *  neighbours (which it needs) when the stage begins; not with TSIMCNE_TRAIN_ALL. */
#define TSIMCNE_INPUTS(X)                                                                                    \
    X(INPUT_VIEWS, 0, "views")                                                                               \
    X(INPUT_FEATURES, 1, "features")
enum { TSIMCNE_INPUTS(TSIMCNE_CONSTANT) };
enum { TSIMCNE_INPUT_COUNT = 0 TSIMCNE_INPUTS(TSIMCNE_COUNTED) };

#define TSIMCNE_STAGE_NUMBERS(X)                                                                             \
    /* steps of the optimiser; the last epoch may be cut short */                                            \
    X(int64_t, steps, 1, 1, 1099511627776)                                                                   \
    X(int32_t, output_dim, 2, 1, 4096) /* outputs at the stage's end */                                      \
    /* TSIMCNE_OUTPUT_KEEP to SCALED */                                                                      \
    X(int32_t, output_start, 0, 0, TSIMCNE_OUTPUT_START_COUNT - 1)                                           \
    X(float, output_scale, 1, 0, 1e9)                  /* at least 1e-9 where output_start needs it */       \
    X(int32_t, trains, 0, 0, TSIMCNE_TRAIN_COUNT - 1)  /* TSIMCNE_TRAIN_… */                               \
    X(int32_t, metric, 0, 0, TSIMCNE_METRIC_COUNT - 1) /* TSIMCNE_METRIC_… */                              \
    X(float, temperature, 1, 1e-6, 1e6)                /* T: multiplies a distance, divides the cosine */    \
    X(float, degrees_of_freedom, 1, 0, 1e6)            /* nu of TSIMCNE_METRIC_STUDENT_T, at least 1e-3 */   \
    /* 0: the temperature stays. Else its logarithm (of T^2 / 2 for distances) is trained with so many       \
       times the learning rate */                                                                            \
    X(double, temperature_rate, 0, 0, 1e9)                                                                   \
    X(double, learning_rate, 0.03, 0, 1e9)                 /* peak of the rate */                            \
    X(double, warmup, 0, 0, 1e6)                           /* see schedule */                                \
    X(int32_t, schedule, 0, 0, TSIMCNE_SCHEDULE_COUNT - 1) /* TSIMCNE_SCHEDULE_… */                        \
    X(int32_t, shape, 0, 0, TSIMCNE_SHAPE_COUNT - 1)       /* TSIMCNE_SHAPE_… */                           \
    /* TSIMCNE_OPTIMIZERS; each stage has a fresh one */                                                     \
    X(int32_t, optimizer, 0, 0, TSIMCNE_OPTIMIZER_COUNT - 1)                                                 \
    X(int32_t, decays_biases, 1, 0, 1)      /* whether biases and BatchNorm decay too */                     \
    X(double, momentum, 0.9, 0, 1)          /* less than 1 for ADAM and ADAMW */                             \
    X(double, second_momentum, 0.999, 0, 1) /* less than 1 */                                                \
    X(double, weight_decay, 5e-4, 0, 1e9)                                                                    \
    X(double, clip_value, 4, 0, 1e30) /* gradients are clipped to +- this; 0 for none */                     \
    /* size of smaller views in pixels, 8 … the image's, with an augmentation; 0 for the image's */        \
    X(int32_t, view_height, 0, 0, 1024)                                                                      \
    X(int32_t, view_width, 0, 0, 1024)                                                                       \
    /* 0: all views are of the image itself. k: every view but the first is of one of its k nearest          \
       neighbours (cosine of features; distance of vectors), found when the stage begins; not with           \
       TSIMCNE_SOURCE_VIEWS */                                                                               \
    X(int32_t, neighbors, 0, 0, 1024)                                                                        \
    X(int32_t, inputs, 0, 0, TSIMCNE_INPUT_COUNT - 1) /* TSIMCNE_INPUT_… */
typedef struct tsimcne_stage {
    uint64_t struct_size;
    TSIMCNE_STAGE_NUMBERS(TSIMCNE_MEMBER)
    int64_t annealed_epochs; /* values of each of these courses, one for an epoch of the stage as it was
                                written; the last one stays */
    const int32_t *annealed_outputs;          /* falling output dimensions down to output_dim, or NULL */
    const float *annealed_degrees;            /* degrees of freedom, or NULL */
    const tsimcne_augmentation *augmentation; /* NULL for that of the trainer's configuration */
} tsimcne_stage;

#define TSIMCNE_SOURCES(X)                                                                                   \
    X(SOURCE_IMAGES, 0, "images") /* the trainer reads and augments `images.data` in place */                \
    /* the caller supplies each batch's images of images.type; the trainer augments */                       \
    X(SOURCE_SUPPLIED, 1, "supplied")                                                                        \
    X(SOURCE_VIEWS, 2, "views") /* the caller supplies each batch's views, float32 */
enum { TSIMCNE_SOURCES(TSIMCNE_CONSTANT) };
enum { TSIMCNE_SOURCE_COUNT = 0 TSIMCNE_SOURCES(TSIMCNE_COUNTED) };

/* Boundaries at which tsimcne_advance returns, besides those it always returns at. */
#define TSIMCNE_STOPS(X)                                                                                     \
    X(STOP_AT_BATCH_NORM_SUMS, 1, "batch_norm_sums")                                                         \
    X(STOP_AT_EMBEDDINGS, 2, "embeddings")                                                                   \
    X(STOP_AT_GRADIENTS, 4, "gradients")                                                                     \
    X(STOP_AT_OUTPUT_STARTED, 8, "output_started")                                                           \
    X(STOP_AT_FEATURES, 16, "features")
enum { TSIMCNE_STOPS(TSIMCNE_CONSTANT) };

/* What training rounds to bfloat16, of 8 bits; sums, and all else, are of single precision. */
#define TSIMCNE_PRECISIONS(X)                                                                                \
    X(PRECISION_SINGLE, 0, "float32") /* nothing */                                                          \
    /* storage, and the factors of convolutions' products: with level x86-64-v4, on processors that have     \
       avx512_bf16 */                                                                                        \
    X(PRECISION_BFLOAT16, 1, "bfloat16")                                                                     \
    /* what convolutions leave for the backward pass */                                                      \
    X(PRECISION_BFLOAT16_STORAGE, 2, "bfloat16-storage")
enum { TSIMCNE_PRECISIONS(TSIMCNE_CONSTANT) };
enum { TSIMCNE_PRECISION_COUNT = 0 TSIMCNE_PRECISIONS(TSIMCNE_COUNTED) };

#define TSIMCNE_TRAINER_NUMBERS(X)                                                                           \
    X(uint64_t, seed, 0, 0, 18446744073709551615.0)                                                          \
    X(int64_t, batch_size, 2, 2, 1099511627776)        /* images, not views; at most images.count */         \
    X(int32_t, source, 0, 0, TSIMCNE_SOURCE_COUNT - 1) /* TSIMCNE_SOURCE_… */                              \
    X(int32_t, threads, 0, 0, 1024)                    /* 0: all cores this process may use */               \
    X(uint32_t, stop_at, 0, 0, 31)                     /* a sum of TSIMCNE_STOP_AT_… */                    \
    /* milliseconds, about, after which TSIMCNE_EVENT_MORE is returned; 0: 100 */                            \
    X(uint32_t, time_slice_ms, 0, 0, 300)                                                                    \
    X(int32_t, views, 2, 2, 16)               /* views of an image; all others in the batch are negatives */ \
    X(int32_t, shuffle_window, 0, 0, 1048576) /* blocks among which images are mixed; 0: 1 */                \
    /* neighbouring images that stay near each other in an epoch's order, for data that are read block       \
       by block; 0 or 1: every order is as likely */                                                         \
    X(int64_t, shuffle_block, 0, 0, 1099511627776)                                                           \
    /* images whose views go through the network together, with batch normalisation of their own:            \
       memory is that of these, the loss that of the batch; 0: all of a batch. Where it is less, each        \
       view is worked out twice; a batch has at most TSIMCNE_MOST_PARTS parts */                             \
    X(int64_t, micro_batch, 0, 0, 1099511627776)                                                             \
    /* 0 … shard_count - 1: which part of every batch this trainer works on … */                         \
    X(int32_t, shard_rank, 0, 0, 1048575)                                                                    \
    /* … of so many shards that train together; 0 or 1: all of it. With more, gradients are exchanged      \
       and the loss is set by the caller: stop_at has all of a step, but BatchNorm's sums where it is to     \
       take each shard's statistics */                                                                       \
    X(int32_t, shard_count, 0, 0, 1048576)                                                                   \
    /* standard deviation of normal noise on normalised values; 0 for none */                                \
    X(double, noise, 0, 0, 1e6)                                                                              \
    X(double, dropout, 0, 0, 1) /* probability that a normalised value is set to 0 */                        \
    /* decay of the moving averages of parameters and running statistics, less than 1; 0 for none */         \
    X(double, average_decay, 0, 0, 1)                                                                        \
    /* TSIMCNE_PRECISION_…, in training: maps and features are always made in single precision */          \
    X(int32_t, precision, 0, 0, TSIMCNE_PRECISION_COUNT - 1)
#define TSIMCNE_MOST_STAGES 64
/* The most parts in which a batch goes through the network. */
#define TSIMCNE_MOST_PARTS 4096
typedef struct tsimcne_trainer_config {
    uint64_t struct_size;
    TSIMCNE_TRAINER_NUMBERS(TSIMCNE_MEMBER)
    const tsimcne_stage *stages;
    int64_t stage_count; /* 1 … MOST_STAGES */
    const tsimcne_augmentation
        *augmentation; /* NULL: views are the image; ignored for TSIMCNE_SOURCE_VIEWS */
} tsimcne_trainer_config;

#define TSIMCNE_EVENTS(X)                                                                                    \
    X(EVENT_MORE, 0, "more") /* the time slice is over: call again */                                        \
    /* supply the images `indices` with tsimcne_supply, then call again */                                   \
    X(EVENT_BATCH_WANTED, 1, "batch_wanted")                                                                 \
    /* array `array` (a TSIMCNE_ARRAY_SUMS) may be exchanged */                                              \
    X(EVENT_BATCH_NORM_SUMS, 2, "batch_norm_sums")                                                           \
    X(EVENT_EMBEDDINGS, 3, "embeddings") /* the embeddings of this batch are ready */                        \
    /* array `array` (a TSIMCNE_ARRAY_GRADIENT) may be exchanged */                                          \
    X(EVENT_GRADIENT, 4, "gradient")                                                                         \
    X(EVENT_STEP, 5, "step")         /* a step is done: loss and learning_rate are those of it */            \
    X(EVENT_FINISHED, 6, "finished") /* all stages are done */                                               \
    /* something is not finite: the step was dropped; training ends */                                       \
    X(EVENT_DIVERGED, 7, "diverged")                                                                         \
    /* a stage with neighbours begins: the search for them is over */                                        \
    X(EVENT_NEIGHBORS_FOUND, 8, "neighbors_found")                                                           \
    /* a stage has made its output layer from outputs of the batch, or shard */                              \
    X(EVENT_OUTPUT_STARTED, 9, "output_started")                                                             \
    /* a stage with neighbours begins: array FEATURES is there; who now writes array NEIGHBORS, all of it,   \
       spares the trainer its comparison of all images with all */                                           \
    X(EVENT_FEATURES_FOUND, 10, "features_found")
enum { TSIMCNE_EVENTS(TSIMCNE_CONSTANT) };
enum { TSIMCNE_EVENT_COUNT = 0 TSIMCNE_EVENTS(TSIMCNE_COUNTED) };

#define TSIMCNE_EVENT_NUMBERS(X)                                                                             \
    X(int32_t, kind, 0, 0, TSIMCNE_EVENT_COUNT - 1)  /* TSIMCNE_EVENT_… */                                 \
    X(int32_t, stage, 0, 0, TSIMCNE_MOST_STAGES - 1) /* the stage's number, from 0 */                        \
    X(int64_t, epoch, 0, 0, 1099511627776)           /* the epoch's number within the stage, from 0 */       \
    X(int64_t, step, 0, 0, 1099511627776)            /* the step's number within the epoch, from 0 */        \
    X(int64_t, steps_per_epoch, 0, 1, 1099511627776)                                                         \
    /* steps left of the stage: after this step with STEP, else with it */                                   \
    X(int64_t, steps_left, 0, 0, 1099511627776)                                                              \
    X(double, loss, 0, 0, 1e300)        /* loss of this step; with STEP */                                   \
    X(double, learning_rate, 0, 0, 1e9) /* rate of this step; with STEP */                                   \
    /* nu of TSIMCNE_METRIC_STUDENT_T now: a stage that is stretched takes longer over its course */         \
    X(double, degrees_of_freedom, 1, 1e-3, 1e6)                                                              \
    X(int64_t, batch_count, 0, 0, 1099511627776) /* images in this batch */                                  \
    X(int64_t, index_count, 0, 0, 1099511627776) /* number of `indices` */                                   \
    X(int64_t, array, -1, -1, 1099511627776)     /* index for tsimcne_array_at, or -1 */
typedef struct tsimcne_event {
    uint64_t struct_size;
    TSIMCNE_EVENT_NUMBERS(TSIMCNE_MEMBER)
    const int64_t
        *indices; /* positions in the data set, valid until the next call: those of the batch's
                     images, or with neighbours those of the images, then of their second views, … */
} tsimcne_event;

/**
 * Makes a trainer for `model`, which it changes. With TSIMCNE_SOURCE_SUPPLIED and _VIEWS,
 * `images->data` is NULL and count, height, width, channels and type say what will be supplied.
 */
int32_t tsimcne_trainer_create(tsimcne_handle model, const tsimcne_images *images,
                               const tsimcne_trainer_config *config, tsimcne_handle *trainer);

/**
 * Runs the current step to its next boundary, at most about `time_slice_ms`, and says why it
 * stopped. This is the one mechanism for interrupts, progress, deadlines and exchange with other
 * machines.
 */
int32_t tsimcne_advance(tsimcne_handle trainer, tsimcne_event *event);

/**
 * Supplies the batch that TSIMCNE_EVENT_BATCH_WANTED asked for; it is copied. `data` has
 * index_count images (TSIMCNE_SOURCE_SUPPLIED, in images.type) or views * batch_count views, first views
 * first (TSIMCNE_SOURCE_VIEWS, float32); `bytes` is its exact size.
 */
int32_t tsimcne_supply(tsimcne_handle trainer, const void *data, int64_t bytes);

/** Drops the current step: parameters and running statistics are as before it; the next call begins it anew.
 */
int32_t tsimcne_abandon(tsimcne_handle trainer);

/** Where training stands between two steps. */
#define TSIMCNE_PROGRESS_NUMBERS(X)                                                                          \
    /* the stage's number, from 0; stage_count when all are done */                                          \
    X(int64_t, stage, 0, 0, TSIMCNE_MOST_STAGES)                                                             \
    X(int64_t, step, 0, 0, 1099511627776) /* steps of the stage that are done … */                         \
    /* … and that it will have had; 0 when all are done */                                                 \
    X(int64_t, steps, 0, 0, 1099511627776)                                                                   \
    /* place in the schedule, in steps of the stage as it was written … */                                 \
    X(double, position, 0, 0, 1e15)                                                                          \
    X(double, stride, 1, 0, 1e15)                  /* … and how far a step takes it */                     \
    X(int64_t, epochs_before, 0, 0, 1099511627776) /* epochs that earlier stages began */
typedef struct tsimcne_progress {
    uint64_t struct_size;
    TSIMCNE_PROGRESS_NUMBERS(TSIMCNE_MEMBER)
} tsimcne_progress;

/**
 * Reads where training stands. With the model's arrays, those of TSIMCNE_ARRAY_MOMENTUM, _SQUARES, _AVERAGE
 * and _NEIGHBORS, and the seed it is all that decides the future. In the middle of a step, whose results do
 * not count yet, it is the position before that step.
 */
int32_t tsimcne_trainer_progress(tsimcne_handle trainer, tsimcne_progress *progress);

/**
 * Goes on from where another trainer of the same configuration stood; a step that runs is dropped. Afterwards
 * the arrays are restored by the caller: the output layer has the wanted shape then.
 */
int32_t tsimcne_trainer_seek(tsimcne_handle trainer, const tsimcne_progress *progress);

/**
 * Ends the current stage (or the coming one, between two) after `remaining` more steps, at least 1: its
 * schedule is stretched or shortened from where it is.
 */
int32_t tsimcne_trainer_stretch(tsimcne_handle trainer, int64_t remaining);

/**
 * Exchanges the model's parameters and running statistics with their averages (see average_decay; nothing
 * happens without): for a map made of the averages. Exchange back before the next tsimcne_advance.
 */
int32_t tsimcne_trainer_exchange_averages(tsimcne_handle trainer);

/**
 * Sets the loss of the whole batch, with shards, at TSIMCNE_EVENT_EMBEDDINGS. Its gradient with respect to
 * the shard's embeddings goes into TSIMCNE_ARRAY_EMBEDDING_GRADIENT.
 */
int32_t tsimcne_trainer_set_loss(tsimcne_handle trainer, double loss);

/** Bytes that training takes from the system, beside the model, the images and the threads' own scratch
 * memory. */
int32_t tsimcne_trainer_memory(tsimcne_handle trainer, int64_t *bytes);

/**
 * Copies the order of the images in the epoch that was begun last: batches follow each other in it. `count`
 * is images.count. The epoch begins with its first step, before TSIMCNE_EVENT_BATCH_WANTED.
 */
int32_t tsimcne_trainer_order(tsimcne_handle trainer, int64_t *indices, int64_t count);

int32_t tsimcne_trainer_destroy(tsimcne_handle trainer);

/* ------------------------------------------------------- arrays, borrowed by name */

#define TSIMCNE_ARRAYS(X)                                                                                    \
    X(ARRAY_PARAMETER, 0, "parameter") /* float32 arrays of a model or a trainer */                          \
    /* float32 arrays of a model or a trainer: running_mean, running_var */                                  \
    X(ARRAY_BUFFER, 1, "buffer")                                                                             \
    /* float32 arrays of a trainer: gradients of the last step that was run to its end */                    \
    X(ARRAY_GRADIENT, 2, "gradient")                                                                         \
    X(ARRAY_MOMENTUM, 3, "momentum") /* float32 arrays of a trainer */                                       \
    /* float64 arrays of a trainer, 2 C + 1 values: forward [sum x, sum x^2, count], backward [sum dy, sum   \
       dy * normalised x, count] */                                                                          \
    X(ARRAY_SUMS, 4, "sums")                                                                                 \
    /* float32 array of a trainer: (views * batch_count, output_dim), first views first */                   \
    X(ARRAY_EMBEDDINGS, 5, "embeddings")                                                                     \
    /* float32 arrays of a trainer with Adam: the running squares of gradients */                            \
    X(ARRAY_SQUARES, 6, "squares")                                                                           \
    /* float32 arrays of a trainer: averages of parameters and buffers, see average_decay */                 \
    X(ARRAY_AVERAGE, 7, "average")                                                                           \
    /* int32 array of a trainer in a stage with neighbours, "neighbors": (images, k) positions in the data   \
       set, the nearest first */                                                                             \
    X(ARRAY_NEIGHBORS, 8, "neighbors")                                                                       \
    /* float32 arrays of a trainer with TSIMCNE_ADAM: the largest squares so far */                          \
    X(ARRAY_MAXIMA, 9, "maxima")                                                                             \
    /* float32 array of a trainer, "embeddings": the loss's gradient with respect to them */                 \
    X(ARRAY_EMBEDDING_GRADIENT, 10, "embedding_gradient")                                                    \
    /* float32 array of a trainer that looks for neighbours: (images, features) */                           \
    X(ARRAY_FEATURES, 11, "features")
enum { TSIMCNE_ARRAYS(TSIMCNE_CONSTANT) };

/**
 * A borrowed array. It is valid until the model or trainer is destroyed or a stage or batch size changes:
 * ask again after each tsimcne_advance. Names are those of PyTorch's state dict of the reference
 * ("backbone.layer1.0.conv1.weight"); layouts are its too, except that a convolution's weight is
 * (kernel height, kernel width, in, out).
 */
typedef struct tsimcne_array {
    uint64_t struct_size;
    const char *name; /* NUL-terminated UTF-8; valid as long as the array */
    void *data;
    int64_t count; /* values */
    int64_t shape[4];
    int32_t rank;
    int32_t kind; /* TSIMCNE_ARRAY_… */
    int32_t type; /* TSIMCNE_FLOAT32, TSIMCNE_FLOAT64 or TSIMCNE_INT32 */
    int32_t reserved;
} tsimcne_array;

/** Number of arrays of a model or trainer. */
int32_t tsimcne_array_count(tsimcne_handle handle, int64_t *count);

/** The array with index 0 … count-1. */
int32_t tsimcne_array_at(tsimcne_handle handle, int64_t index, tsimcne_array *array);

/** The array of a kind with a name. */
int32_t tsimcne_array_named(tsimcne_handle handle, int32_t kind, const char *name, tsimcne_array *array);

/** Every enumeration above, by its table without TSIMCNE_. */
#define TSIMCNE_ENUMERATIONS(X)                                                                              \
    X(STATUSES)                                                                                              \
    X(TYPES)                                                                                                 \
    X(PRESETS)                                                                                               \
    X(LAYERS)                                                                                                \
    X(FUNCTIONS)                                                                                             \
    X(OUTPUTS)                                                                                               \
    X(METRICS)                                                                                               \
    X(TRAINS)                                                                                                \
    X(OUTPUT_STARTS)                                                                                         \
    X(SHAPES) X(SCHEDULES) X(OPTIMIZERS) X(INPUTS) X(SOURCES) X(STOPS) X(PRECISIONS) X(EVENTS) X(ARRAYS)

/* --------------------------------------------------------------------- loss */

/**
 * InfoNCE of views * images embeddings (first views first; rows of `dimension` float32): writes the loss,
 * and its gradient with respect to the embeddings where `gradient` is not NULL. Memory is
 * O(views * images * dimension).
 */
int32_t tsimcne_infonce(const float *embeddings, int64_t images, int64_t views, int64_t dimension,
                        int32_t metric, float temperature, float degrees_of_freedom, int32_t threads,
                        double *loss, float *gradient);

/**
 * Works out what the views of the images `first` … `first + count - 1` contribute to the loss, for processes
 * that share a batch and all have the embeddings of all views. Writes `scales`, one float for each of these
 * views * count views, first views first, and this part's share of the loss: shares add up to it.
 */
int32_t tsimcne_infonce_sums(const float *embeddings, int64_t images, int64_t views, int64_t dimension,
                             int32_t metric, float temperature, float degrees_of_freedom, int32_t threads,
                             int64_t first, int64_t count, float *scales, double *loss);

/**
 * Writes then, from the `scales` of all views * images views, first views first, the gradient with respect to
 * the part's embeddings, (views * count, dimension), and its share of the derivative with respect to the
 * temperature's logarithm (of T^2 / 2, for the cosine of T).
 */
int32_t tsimcne_infonce_gradient(const float *embeddings, int64_t images, int64_t views, int64_t dimension,
                                 int32_t metric, float temperature, float degrees_of_freedom, int32_t threads,
                                 int64_t first, int64_t count, const float *scales, float *gradient,
                                 double *by_temperature);

/* -------------------------------------------------------------------- plane */

/**
 * Finds the `neighbors` nearest of `row_count` rows (float32, `dimension` values each, finite) to each of
 * `query_count` queries, by their Euclidean distance: their numbers go to `indices`, (query_count,
 * neighbors), the nearest first and the lower number first where two are as far. Where queries are rows
 * themselves, `own_row` is the number of the first one, and no row is its own neighbour; else it is -1. Runs
 * to its end: a call of query_count * row_count * dimension up to 2 * 10^10 takes less than a second.
 */
int32_t tsimcne_nearest(const float *rows, int64_t row_count, const float *queries, int64_t query_count,
                        int64_t own_row, int64_t dimension, int32_t neighbors, int32_t threads,
                        int32_t *indices);

/**
 * Halves each of `runs` runs of rows (float32, `dimension` values each), so that rows of a half lie near one
 * another. `order` has the numbers of all rows, and run i of r goes from its place i * row_count / r up to,
 * not including, (i + 1) * row_count / r: after calls with 1, 2, 4, ... runs it has the leaves of a tree.
 * Trees of different numbers are different; a tree depends on rows and its number alone.
 */
int32_t tsimcne_halve(const float *rows, int64_t row_count, int64_t dimension, int64_t runs, int64_t tree,
                      int32_t threads, int32_t *order);

/**
 * Rows that know some of their neighbours. `order` has the numbers of all rows, cut into `groups` runs, of at
 * most 64 rows each, and into `blocks` longer ones, both as tsimcne_halve cuts them. What is no row's number
 * in `table` or `reverse` is no neighbour.
 */
typedef struct tsimcne_neighbor_graph {
    uint64_t struct_size;
    const float *rows; /* (row_count, dimension), finite */
    int64_t row_count;
    int64_t dimension;
    const int32_t *order; /* row_count numbers, each once */
    int64_t groups;       /* a multiple of blocks */
    int64_t blocks;       /* 0 for none */
    const int32_t *table; /* (row_count, neighbors) */
    int64_t neighbors;    /* 1 ... 1024 */
    /* (row_count, reverse_count), of tsimcne_reverse_neighbors, or NULL */
    const int32_t *reverse;
    int64_t reverse_count; /* 0 ... 1024 */
} tsimcne_neighbor_graph;

/**
 * Compares the rows of the groups first ... first + count - 1 with candidates and writes the nearest of
 * these, by Euclidean distance, to their lines of `target` (row_count, neighbors): the nearest first, the
 * lower number first where two are as far, -1 where there are too few. Candidates of each row of a group are
 * the neighbours in `table` of all its rows, and the rows of its block. With `reverse` they are also these
 * neighbours' own, both ways. Without, `target` may be `table`. A thread takes about a millisecond for a
 * group.
 */
int32_t tsimcne_refine_neighbors(const tsimcne_neighbor_graph *graph, int64_t first, int64_t count,
                                 int32_t threads, int32_t *target);

/**
 * Writes for each row numbers of those that have it in their line of `table` (row_count, neighbors), to
 * `reverse` (row_count, reverse_count): those that it is nearest to by rank first, then by number; -1 fills
 * up.
 */
int32_t tsimcne_reverse_neighbors(const int32_t *table, int64_t row_count, int64_t neighbors,
                                  int64_t reverse_count, int32_t *reverse);

/**
 * Finds the `wanted` directions in which `row_count` rows (float32, `dimension` values each) vary most, by so
 * many iterations: `directions` (wanted, dimension) of unit length, that of the largest deviation first, the
 * `deviations` of the rows along them, and the `mean` of the rows. `wanted` is at most row_count and
 * dimension; a direction in which nothing is left is zero.
 */
int32_t tsimcne_directions(const float *rows, int64_t row_count, int64_t dimension, int32_t wanted,
                           int32_t iterations, int32_t threads, float *mean, float *directions,
                           float *deviations);

/**
 * Points of the plane and what draws them: the neighbours of point i are `neighbors[offsets[i]]` up to, not
 * including, `neighbors[offsets[i + 1]]`. Weights are those of unordered pairs, so that both directions of a
 * pair have the same, and add up to `count`. All memory is the caller's.
 */
typedef struct tsimcne_points {
    uint64_t struct_size;
    int64_t count;
    float *positions;         /* (count, 2) */
    float *velocities;        /* (count, 2), 0 in the beginning */
    float *gains;             /* (count, 2), 1 in the beginning */
    const int64_t *offsets;   /* count + 1, from 0, none below the one before */
    const int32_t *neighbors; /* offsets[count] numbers of points */
    const float *weights;     /* as many, 0 or more */
    const float *repulsion;   /* 3 * count by tsimcne_repel_points, or NULL: found in each step */
} tsimcne_points;

/**
 * Moves all points `steps` times down the gradient of t-SNE's loss, with `momentum` and a gain of each
 * coordinate; `exaggeration` is the factor of what attracts. Positions, velocities and gains are all the
 * state: who goes on from them gets the bits of one longer call. A step of 100,000 points takes about 10 ms.
 * With a `repulsion` that is given, `steps` is 1.
 */
int32_t tsimcne_move_points(const tsimcne_points *points, int64_t steps, float exaggeration, float rate,
                            float momentum, int32_t threads);

/**
 * Finds what all points (count, 2) do to those of part `part` of `parts`: for each the sum of its
 * similarities 1 / (1 + d * d), in the first `count` values of `repulsion`, and the sums of the forces that
 * keep it off the others, in (count, 2) values from there. Points of other parts get zeros, so that the sum
 * of what several processes find is what one would find, bit for bit.
 */
int32_t tsimcne_repel_points(const float *positions, int64_t count, int32_t part, int32_t parts,
                             int32_t threads, float *repulsion);

/* ------------------------------------------------------------------ patches */

#define TSIMCNE_PATCHES_NUMBERS(X)                                                                           \
    X(int32_t, side, 6, 1, 64)         /* pixels along a patch's side, at most the images' smaller one */    \
    X(int32_t, stride, 2, 1, 64)       /* pixels from a patch to the next, along both sides */               \
    X(int32_t, components, 1, 1, 4096) /* numbers of a whitened patch */                                     \
    X(int32_t, words, 1, 1, 65536)     /* number of words */                                                 \
    X(float, threshold, 0.3, 1e-6, 1)  /* product from which on a patch has a word */                        \
    X(int32_t, dimension, 1, 1, 4096)  /* values of a word's vector */                                       \
    X(int32_t, cells, 1, 1, 64)        /* parts of an image along both sides, at most so many as patches */
/**
 * Words for what patches of images look like. A patch, square, has depth = side * side * channels values, at
 * most 4096; it is taken less the mean of its image's pixels, whitened and brought to unit length, and has
 * the words whose product with it reaches the threshold.
 */
typedef struct tsimcne_patches {
    uint64_t struct_size;
    TSIMCNE_PATCHES_NUMBERS(TSIMCNE_MEMBER)
    const float *whitening;   /* components * depth */
    const float *word_values; /* words * components, each word of unit length */
    const float *vectors;     /* words * dimension, or NULL */
} tsimcne_patches;

/**
 * Describes images by the words of their patches. Without vectors: the share of the patches that have each
 * word, `words` numbers an image. With vectors: those of a patch's words are added up and the sum is brought
 * to unit length; these are added up over each of cells * cells parts of the image and brought to unit length
 * again: cells * cells * dimension numbers an image. The numbers of an image do not depend on the others.
 */
int32_t tsimcne_patches_describe(const tsimcne_patches *patches, const tsimcne_images *images,
                                 int32_t threads, float *output, int64_t output_count);

#ifdef __cplusplus
}
#endif
#endif
