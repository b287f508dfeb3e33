/*
 * tsimcne.h: the C interface of tsimcne-swift, and its only description.
 *
 * Rules that hold for every function
 * - A function that can fail returns a status: TSIMCNE_OK (0) or an error. After an error,
 *   tsimcne_last_error() has a message for this thread, naming the argument, what it got and what
 *   it wants; outputs are then unchanged.
 * - Handles are tokens, not pointers. A stale, foreign or zero handle is TSIMCNE_ERROR_HANDLE.
 * - One thread at a time uses a handle. A second one gets TSIMCNE_ERROR_BUSY, never corruption.
 *   A trainer uses its model's handle while one of its own calls runs.
 * - The caller owns all memory it passes. Nothing is kept after the call returns, except
 *   `tsimcne_images.data` of tsimcne_trainer_create, which must stay valid and mapped until the
 *   trainer is destroyed.
 * - Structures begin with `struct_size`, which the caller sets to sizeof(the structure); another
 *   value is TSIMCNE_ERROR_ARGUMENT. Reserved fields must be zero.
 * - Images and activations are NHWC: (count, height, width, channels), C-contiguous.
 */
#ifndef TSIMCNE_H
#define TSIMCNE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Of the project: what the wheel and tsimcne_build_info say is taken from here. */
#define TSIMCNE_VERSION "0.1.0"

/** Raised whenever a structure or a function changes its meaning. */
#define TSIMCNE_ABI_VERSION 6

enum {
    TSIMCNE_OK = 0,
    TSIMCNE_ERROR_ARGUMENT = 1, /* a value out of range, a null pointer, a wrong length */
    TSIMCNE_ERROR_HANDLE = 2,   /* not a live handle of the wanted kind */
    TSIMCNE_ERROR_BUSY = 3,     /* another thread uses the handle */
    TSIMCNE_ERROR_STATE = 4,    /* the call is not allowed now (e.g. no batch is wanted) */
    TSIMCNE_ERROR_MEMORY = 5    /* memory could not be had */
};

/** A token for a model or a trainer; 0 is never one. */
typedef uint64_t tsimcne_handle;

/* ------------------------------------------------------------------ library */

/** TSIMCNE_ABI_VERSION of the library that was loaded. */
int32_t tsimcne_abi_version(void);

/**
 * A JSON object as a NUL-terminated UTF-8 string that lives as long as the process:
 * "version", "level" ("x86-64", "x86-64-v3", "x86-64-v4", "aarch64"), "threads" (cores this process
 * may use: affinity and cgroup quota), "blas" (its configuration), "blas_core" (kernel it chose) and
 * "blas_used" (false where that kernel is its generic one on a processor with AVX2: the own GEMM
 * then does its work).
 */
const char *tsimcne_build_info(void);

/** The message of the last error on this thread; "" when there was none. Valid until this thread's next call.
 */
const char *tsimcne_last_error(void);

/* ------------------------------------------------------------------- images */

enum { TSIMCNE_UINT8 = 0, TSIMCNE_FLOAT32 = 1, TSIMCNE_FLOAT64 = 2, TSIMCNE_INT32 = 3 };

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
typedef struct tsimcne_augmentation {
    uint64_t struct_size;
    double crop_area_min, crop_area_max;     /* share of the area, 0 < min <= max <= 1 */
    double crop_ratio_min, crop_ratio_max;   /* width / height, log-uniform, 0 < min <= max */
    double horizontal_flip;                  /* probability */
    double vertical_flip;                    /* probability */
    double quarter_turns;                    /* probability of a turn by a random multiple of 90 degrees;
                                                images that are not square turn by 180 degrees only */
    double color_jitter;                     /* probability of the four operations below, in random order */
    double brightness, contrast, saturation; /* factor uniform in [max(0, 1 - v), 1 + v] */
    double hue;                              /* shift uniform in [-v, v], v <= 0.5, in turns of the circle */
    double grayscale;                        /* probability */
    double rotation; /* after the turns: angle uniform in [-v, v] degrees, v <= 180; mirrored at the edge */
    double channel_gain, channel_offset; /* after greyscale, each channel by itself: factor uniform in
                                            [max(0, 1 - v), 1 + v], shift uniform in [-v, v] of the range */
    double blur;                         /* probability of a Gaussian blur */
    double blur_deviation_min, blur_deviation_max; /* in pixels, 0.01 <= min <= max <= 10 */
    double solarize; /* probability that values of the upper half become their negatives */
    double erasing;  /* probability that a rectangle is blackened (torchvision's RandomErasing) */
} tsimcne_augmentation;

/**
 * Writes the augmented view `view` (0, 1, …) of every image to `output`
 * (count * height * width * channels float32 in [0, 1]). Image i has the random numbers of
 * (seed, epoch, first_index + i, view), so that the bits are those that training sees.
 */
int32_t tsimcne_augment(const tsimcne_images *images, const tsimcne_augmentation *augmentation, uint64_t seed,
                        uint64_t epoch, uint64_t first_index, uint32_t view, int32_t threads, float *output,
                        int64_t output_count);

/* -------------------------------------------------------------------- model */

enum {
    TSIMCNE_LAYER_CONVOLUTION = 0,        /* channels, kernel, stride, has_bias */
    TSIMCNE_LAYER_DEPTHWISE = 1,          /* kernel, stride of 1 or 2: each channel by itself */
    TSIMCNE_LAYER_BATCH_NORM = 2,         /* epsilon, momentum */
    TSIMCNE_LAYER_NONLINEARITY = 3,       /* function */
    TSIMCNE_LAYER_MAX_POOLING = 4,        /* kernel, stride */
    TSIMCNE_LAYER_SQUEEZE_EXCITATION = 5, /* channels between its two layers, function and gate after them */
    TSIMCNE_LAYER_RESIDUAL = 6, /* drop; the layers that follow, until LAYER_END, are added to … */
    TSIMCNE_LAYER_SHORTCUT = 7, /* … their input, or to what the layers after LAYER_SHORTCUT make of it */
    TSIMCNE_LAYER_END = 8
};
enum {
    TSIMCNE_FUNCTION_RELU = 0,
    TSIMCNE_FUNCTION_SILU = 1,       /* x / (1 + exp(-x)) */
    TSIMCNE_FUNCTION_HARD_SWISH = 2, /* x min(max(x + 3, 0), 6) / 6 */
    TSIMCNE_FUNCTION_SIGMOID = 3,
    TSIMCNE_FUNCTION_HARD_SIGMOID = 4 /* min(max(x + 3, 0), 6) / 6 */
};

/** One layer of a backbone; what its kind does not name is not looked at. Convolutions and pooling are padded
 * by half their kernel. */
typedef struct tsimcne_layer {
    uint64_t struct_size;
    const char *name; /* its arrays are "backbone.<name>.weight" …; letters, digits, '.', '_', '-' */
    int32_t kind;
    int32_t channels; /* 1 … 65536 */
    int32_t kernel;   /* odd, 1 … 31 */
    int32_t stride;   /* 1 … 16 */
    int32_t has_bias;
    int32_t function;
    int32_t gate;
    float epsilon;  /* added to the variance; 1e-12 … 1 */
    float momentum; /* of the running statistics; 0 … 1 */
    float drop;     /* stochastic depth: probability of being left out in training; 0 … 0.99 */
} tsimcne_layer;

typedef struct tsimcne_model_config {
    uint64_t struct_size;
    int64_t channels;   /* of the images */
    int32_t depth;      /* 10, 18, 34: ResNet of [1,1,1,1], [2,2,2,2], [3,4,6,3] basic blocks; 50, 101: of
                           [3,4,6,3], [3,4,23,3] bottlenecks; 0: none, for vectors */
    int32_t base_width; /* channels of the first stage, 1 … 1024; the others have 2, 4, 8 times as many */
    const int32_t *hidden_dims;  /* widths of the projection head's hidden layers, each 1 … 65536, with a
                                    rectifier after each; NULL if there are none */
    int32_t hidden_count;        /* 0 … 16; 0: a linear head */
    int32_t output_dim;          /* 1 … 4096 */
    const float *mean;           /* NULL, or `channels` values subtracted from the [0, 1] pixels … */
    const float *deviation;      /* … and divided by (positive); both or neither */
    const tsimcne_layer *layers; /* NULL, or the backbone's, whose result is averaged over the plane: `depth`
                                    and `base_width` are then not looked at */
    int32_t layer_count;         /* 0 … 10000 */
} tsimcne_model_config;

/** Makes a model whose weights are drawn from `seed`. */
int32_t tsimcne_model_create(const tsimcne_model_config *config, uint64_t seed, tsimcne_handle *model);

/** Replaces the output layer by one of `output_dim` outputs, weights N(0, deviation). */
int32_t tsimcne_model_reset_output(tsimcne_handle model, int32_t output_dim, float deviation, uint64_t seed);

enum { TSIMCNE_OUTPUT_MAP = 0, TSIMCNE_OUTPUT_FEATURES = 1 };

/**
 * Maps images (BatchNorm with running statistics, no augmentation) and writes count * d float32 to
 * `output`: d = output dimension for TSIMCNE_OUTPUT_MAP; for TSIMCNE_OUTPUT_FEATURES 8 * base_width, four
 * times that with bottlenecks, `channels` with depth 0, or the channels that `layers` end with.
 * The result for an image does not depend on the others in the call. Not interruptible: pass some
 * hundred images at a time.
 */
int32_t tsimcne_model_transform(tsimcne_handle model, const tsimcne_images *images, int32_t output_kind,
                                int32_t threads, float *output, int64_t output_count);

int32_t tsimcne_model_destroy(tsimcne_handle model);

/* ------------------------------------------------------------------ trainer */

enum {
    TSIMCNE_METRIC_CAUCHY = 0,    /* 1 / (1 + (T d)^2) */
    TSIMCNE_METRIC_COSINE = 1,    /* exp(cos / T) */
    TSIMCNE_METRIC_STUDENT_T = 2, /* (1 + (T d)^2 / nu)^(-(nu + 1) / 2) */
    TSIMCNE_METRIC_GAUSSIAN = 3   /* exp(-(T d)^2) */
};
enum {
    TSIMCNE_TRAIN_ALL = 0,
    TSIMCNE_TRAIN_OUTPUT_LAYER = 1, /* all else is frozen, but BatchNorm uses and follows batches */
    TSIMCNE_TRAIN_HEAD = 2          /* the backbone is frozen in the same way */
};
enum {
    TSIMCNE_OUTPUT_KEEP = 0,      /* the output layer stays (its dimension must be the stage's) */
    TSIMCNE_OUTPUT_NORMAL = 1,    /* new weights N(0, output_scale), default bias */
    TSIMCNE_OUTPUT_PRINCIPAL = 2, /* the output's principal components, scaled to a root-mean-square
                                     radius of output_scale */
    TSIMCNE_OUTPUT_SCALED = 3     /* the layer stays, moved and scaled to that radius: from a cosine stage,
                                     which leaves the scale free, to a Cauchy one */
};
/** What follows the warm-up: half a cosine to 0, the peak, a line to 0, or one cycle (Smith and Topin 2019:
 *  from peak / 25 up and down to peak / 250000, both half a cosine). */
enum {
    TSIMCNE_SHAPE_COSINE = 0,
    TSIMCNE_SHAPE_CONSTANT = 1,
    TSIMCNE_SHAPE_LINEAR = 2,
    TSIMCNE_SHAPE_ONE_CYCLE = 3
};
enum {
    TSIMCNE_SCHEDULE_BATCH = 0, /* stepped per batch, warm-up a fraction of the stage's steps */
    TSIMCNE_SCHEDULE_EPOCH = 1  /* the reference's: stepped per epoch, warm-up in epochs */
};
enum {
    TSIMCNE_SGD = 0, /* v = momentum v + g + decay w;  w -= rate v */
    TSIMCNE_NESTEROV = 1,
    TSIMCNE_ADAMW = 2, /* Loshchilov and Hutter 2019; momentum and second_momentum are its betas */
    TSIMCNE_LARS = 3,  /* You, Gitman and Ginsburg 2017; trust 0.001, plain SGD for biases and BatchNorm */
    TSIMCNE_ADAM = 4   /* with the largest squares (AMSGrad, Reddi, Kale and Kumar 2018); weight decay is part
                          of the gradient */
};

/** What a step begins with: random views, or the features of the images themselves, found together with the
 *  neighbours (which it needs) when the stage begins; not with TSIMCNE_TRAIN_ALL. */
enum { TSIMCNE_INPUT_VIEWS = 0, TSIMCNE_INPUT_FEATURES = 1 };

typedef struct tsimcne_stage {
    uint64_t struct_size;
    int64_t steps;        /* of the optimiser, 1 … 2^40; the last epoch may be cut short */
    int32_t output_dim;   /* at its end */
    int32_t output_start; /* TSIMCNE_OUTPUT_… KEEP to SCALED */
    float output_scale;
    int32_t trains;           /* TSIMCNE_TRAIN_… */
    int32_t metric;           /* TSIMCNE_METRIC_… */
    float temperature;        /* T: multiplies a distance, divides the cosine */
    float degrees_of_freedom; /* nu of TSIMCNE_METRIC_STUDENT_T, 1e-3 … 1e6 */
    double temperature_rate;  /* 0: the temperature stays. Else its logarithm (of T^2 / 2 for distances) is
                                 trained with so many times the learning rate */
    int64_t annealed_epochs;  /* values of each of these courses, one for an epoch of the stage as it was
                                 written; the last one stays */
    const int32_t *annealed_outputs; /* falling output dimensions down to output_dim, or NULL */
    const float *annealed_degrees;   /* of freedom, or NULL */
    double learning_rate;            /* peak */
    double warmup;                   /* see schedule */
    int32_t schedule;                /* TSIMCNE_SCHEDULE_… */
    int32_t shape;                   /* TSIMCNE_SHAPE_… */
    int32_t optimizer;               /* TSIMCNE_SGD … TSIMCNE_LARS; fresh in each stage */
    int32_t decays_biases;           /* whether biases and BatchNorm decay too: 0 or 1 */
    double momentum;
    double second_momentum;
    double weight_decay;
    double clip_value;   /* gradients are clipped to +- this; 0 for none */
    int32_t view_height; /* of smaller views, 8 … the image's, with an augmentation; 0 for the image's */
    int32_t view_width;
    int32_t neighbors; /* 0: all views are of the image itself. k, 1 … 1024: every view but the first is of
                          one of its k nearest neighbours (cosine of features; distance of vectors), found
                          when the stage begins; not with TSIMCNE_SOURCE_VIEWS */
    int32_t inputs;    /* TSIMCNE_INPUT_… */
    const tsimcne_augmentation *augmentation; /* NULL for that of the trainer's configuration */
} tsimcne_stage;

enum {
    TSIMCNE_SOURCE_IMAGES = 0, /* the trainer reads and augments `images.data` in place */
    TSIMCNE_SOURCE_SUPPLIED =
        1, /* the caller supplies each batch's images of images.type; the trainer augments */
    TSIMCNE_SOURCE_VIEWS = 2 /* the caller supplies each batch's views, float32 */
};

/* Boundaries at which tsimcne_advance returns, besides those it always returns at. */
enum {
    TSIMCNE_STOP_AT_BATCH_NORM_SUMS = 1,
    TSIMCNE_STOP_AT_EMBEDDINGS = 2,
    TSIMCNE_STOP_AT_GRADIENTS = 4,
    TSIMCNE_STOP_AT_OUTPUT_STARTED = 8
};

typedef struct tsimcne_trainer_config {
    uint64_t struct_size;
    uint64_t seed;
    int64_t batch_size;     /* images, not views; 2 … images.count */
    int32_t source;         /* TSIMCNE_SOURCE_… */
    int32_t threads;        /* 0: all cores this process may use */
    uint32_t stop_at;       /* a sum of TSIMCNE_STOP_AT_… */
    uint32_t time_slice_ms; /* return TSIMCNE_EVENT_MORE after about this long; 0: 100; at most 300 */
    const tsimcne_stage *stages;
    int64_t stage_count; /* 1 … 64 */
    const tsimcne_augmentation
        *augmentation;      /* NULL: views are the image; ignored for TSIMCNE_SOURCE_VIEWS */
    int32_t views;          /* of an image in a batch, 2 … 16; all others are negatives */
    int32_t shuffle_window; /* blocks among which images are mixed; 1 … 2^20; 0: 1 */
    int64_t shuffle_block; /* neighbouring images that stay near each other in an epoch's order, for data that
                              are read block by block; 0 or 1: every order is as likely */
    int64_t micro_batch;   /* images whose views go through the network together, with batch normalisation of
                              their   own: memory is that of these, the loss that of the batch; 0: all of a
                              batch.   Where it   is less, each view is worked out twice */
    int32_t shard_rank;    /* 0 … shard_count - 1: which part of every batch this trainer works on … */
    int32_t shard_count; /* … of so many that train together; 0 or 1: all of it. With more, gradients are to
                            be exchanged, and the loss is to be set: stop_at has them all, and BatchNorm's
                            sums unless it is to take each shard's statistics */
    double noise;        /* standard deviation of normal noise on normalised values; 0 for none */
    double dropout;      /* probability that a normalised value is set to 0 */
    double average_decay; /* of the moving averages of parameters and running statistics, < 1; 0 for none */
} tsimcne_trainer_config;

enum {
    TSIMCNE_EVENT_MORE = 0,            /* the time slice is over: call again */
    TSIMCNE_EVENT_BATCH_WANTED = 1,    /* supply the images `indices` with tsimcne_supply, then call again */
    TSIMCNE_EVENT_BATCH_NORM_SUMS = 2, /* array `array` (a TSIMCNE_ARRAY_SUMS) may be exchanged */
    TSIMCNE_EVENT_EMBEDDINGS = 3,      /* the embeddings of this batch are ready */
    TSIMCNE_EVENT_GRADIENT = 4,        /* array `array` (a TSIMCNE_ARRAY_GRADIENT) may be exchanged */
    TSIMCNE_EVENT_STEP = 5,            /* a step is done: loss and learning_rate are those of it */
    TSIMCNE_EVENT_FINISHED = 6,        /* all stages are done */
    TSIMCNE_EVENT_DIVERGED = 7,        /* something is not finite: the step was dropped; training ends */
    TSIMCNE_EVENT_OUTPUT_STARTED =
        9, /* a stage has made its output layer from outputs of the batch, or shard */
    TSIMCNE_EVENT_NEIGHBORS_FOUND = 8 /* a stage with neighbours begins: the search for them is over */
};

typedef struct tsimcne_event {
    uint64_t struct_size;
    int32_t kind;
    int32_t stage; /* from 0 */
    int64_t epoch; /* from 0, within the stage */
    int64_t step;  /* from 0, within the epoch */
    int64_t steps_per_epoch;
    int64_t steps_left;     /* of the stage: after this step with STEP, else with it */
    double loss;            /* of this step; with STEP */
    double learning_rate;   /* of this step; with STEP */
    int64_t batch_count;    /* images in this batch */
    int64_t index_count;    /* batch_count, or views * batch_count with neighbours: those of the images, then
                               of their second views, … */
    const int64_t *indices; /* index_count positions in the data set; valid until the next call */
    int64_t array;          /* for tsimcne_array_at, or -1 */
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
typedef struct tsimcne_progress {
    uint64_t struct_size;
    int32_t stage; /* from 0; stage_count when all are done */
    int32_t reserved;
    int64_t step;          /* steps of the stage that are done … */
    int64_t steps;         /* … and that it will have had; 0 when all are done */
    double position;       /* of the schedule, in steps of the stage as it was written … */
    double stride;         /* … and how far a step takes it */
    int64_t epochs_before; /* that earlier stages began */
} tsimcne_progress;

/**
 * Reads where training stands. With the model's arrays, those of TSIMCNE_ARRAY_MOMENTUM, _SQUARES, _AVERAGE
 * and _NEIGHBORS, and the seed it is all that decides the future. Not in the middle of a step, whose results
 * do not count yet: it is the position before that step.
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
 * With shards, at TSIMCNE_EVENT_EMBEDDINGS: the loss of the whole batch. Its gradient with respect to the
 * shard's embeddings goes into TSIMCNE_ARRAY_EMBEDDING_GRADIENT.
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

enum {
    TSIMCNE_ARRAY_PARAMETER = 0,  /* float32; of a model or a trainer */
    TSIMCNE_ARRAY_BUFFER = 1,     /* float32: running_mean, running_var; of a model or a trainer */
    TSIMCNE_ARRAY_GRADIENT = 2,   /* float32; of a trainer; of the last step that was run to its end */
    TSIMCNE_ARRAY_MOMENTUM = 3,   /* float32; of a trainer */
    TSIMCNE_ARRAY_SUMS = 4,       /* float64; of a trainer: 2 C + 1 values: forward [sum x, sum x^2, count],
                                     backward [sum dy, sum dy * normalised x, count] */
    TSIMCNE_ARRAY_EMBEDDINGS = 5, /* float32; of a trainer: (views * batch_count, output_dim), first views
                                     first */
    TSIMCNE_ARRAY_SQUARES = 6,    /* float32; of a trainer with Adam: the running squares of gradients */
    TSIMCNE_ARRAY_AVERAGE = 7,    /* float32; of a trainer: of parameters and buffers, see average_decay */
    TSIMCNE_ARRAY_NEIGHBORS = 8,  /* int32; of a trainer in a stage with neighbours, "neighbors": (images, k)
                                     positions in the data set, the nearest first */
    TSIMCNE_ARRAY_EMBEDDING_GRADIENT = 10, /* float32; of a trainer, "embeddings": the loss's gradient with
                                              respect to them */
    TSIMCNE_ARRAY_MAXIMA = 9 /* float32; of a trainer with TSIMCNE_ADAM: the largest squares so far */
};

/**
 * A borrowed array. Valid until the model or trainer is destroyed or a stage or batch size changes:
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
 * For processes that share a batch and all have the embeddings of all views: what the views of the images
 * `first` … `first + count - 1` contribute. Writes `scales`, one float for each of these views * count views,
 * first views first, and this part's share of the loss: shares add up to it.
 */
int32_t tsimcne_infonce_sums(const float *embeddings, int64_t images, int64_t views, int64_t dimension,
                             int32_t metric, float temperature, float degrees_of_freedom, int32_t threads,
                             int64_t first, int64_t count, float *scales, double *loss);

/**
 * Then, from the `scales` of all views * images views, first views first: the gradient with respect to the
 * part's embeddings, (views * count, dimension), and its share of the derivative with respect to the
 * temperature's logarithm (of T^2 / 2, for the cosine of T).
 */
int32_t tsimcne_infonce_gradient(const float *embeddings, int64_t images, int64_t views, int64_t dimension,
                                 int32_t metric, float temperature, float degrees_of_freedom, int32_t threads,
                                 int64_t first, int64_t count, const float *scales, float *gradient,
                                 double *by_temperature);

#ifdef __cplusplus
}
#endif
#endif
