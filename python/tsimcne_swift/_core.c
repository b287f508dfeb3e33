// The extension: borrows buffers, calls the core, releases the GIL meanwhile. No logic of its own.
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <string.h>

#include "tsimcne.h"

// ------------------------------------------------------------------ errors

static int raise_status(int32_t status) {
    if (status == TSIMCNE_OK) {
        return 0;
    }
    PyObject *type = PyExc_ValueError;
    if (status == TSIMCNE_ERROR_MEMORY) {
        type = PyExc_MemoryError;
    } else if (status == TSIMCNE_ERROR_BUSY) {
        type = PyExc_RuntimeError;
    }
    PyErr_SetString(type, tsimcne_last_error());
    return -1;
}

// ----------------------------------------------------------------- buffers

// The one letter of a native format, or 0.
static char format_letter(const char *format) {
    if (format == NULL) {
        return 'B';
    }
    if (*format == '<' || *format == '=' || *format == '@') {
        format += 1;
    }
    return format[0] != 0 && format[1] == 0 ? format[0] : 0;
}

// Borrows C-contiguous memory whose format is one of `formats`.
static int borrow(PyObject *object, Py_buffer *view, const char *name, const char *formats, bool writable) {
    int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0);
    if (PyObject_GetBuffer(object, view, flags) != 0) {
        return -1;
    }
    char letter = format_letter(view->format);
    if (letter == 0 || strchr(formats, letter) == NULL) {
        PyErr_Format(PyExc_ValueError, "%s: got values of format '%s', want one of '%s'", name,
                     view->format != NULL ? view->format : "B", formats);
        PyBuffer_Release(view);
        return -1;
    }
    return 0;
}

static int borrow_images(PyObject *object, Py_buffer *view, tsimcne_images *images) {
    if (borrow(object, view, "images", "Bf", false) != 0) {
        return -1;
    }
    if (view->ndim != 4) {
        PyErr_Format(PyExc_ValueError, "images: got %d dimensions, want 4", view->ndim);
        PyBuffer_Release(view);
        return -1;
    }
    *images = (tsimcne_images){
        .struct_size = sizeof *images,
        .data = view->buf,
        .count = view->shape[0],
        .height = view->shape[1],
        .width = view->shape[2],
        .channels = view->shape[3],
        .type = format_letter(view->format) == 'B' ? TSIMCNE_UINT8 : TSIMCNE_FLOAT32,
    };
    return 0;
}

// ----------------------------------------------------- numbers out of mappings

static int number(PyObject *mapping, const char *key, double *value) {
    PyObject *item = PyMapping_GetItemString(mapping, key);
    if (item == NULL) {
        return -1;
    }
    *value = PyFloat_AsDouble(item);
    Py_DECREF(item);
    return *value == -1.0 && PyErr_Occurred() ? -1 : 0;
}

static int read_augmentation(PyObject *mapping, tsimcne_augmentation *a) {
    *a = (tsimcne_augmentation){.struct_size = sizeof *a};
    struct {
        const char *key;
        double *value;
    } fields[] = {
        {"crop_area_min", &a->crop_area_min},     {"crop_area_max", &a->crop_area_max},
        {"crop_ratio_min", &a->crop_ratio_min},   {"crop_ratio_max", &a->crop_ratio_max},
        {"horizontal_flip", &a->horizontal_flip}, {"vertical_flip", &a->vertical_flip},
        {"quarter_turns", &a->quarter_turns},     {"color_jitter", &a->color_jitter},
        {"brightness", &a->brightness},           {"contrast", &a->contrast},
        {"saturation", &a->saturation},           {"hue", &a->hue},
        {"grayscale", &a->grayscale},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (number(mapping, fields[i].key, fields[i].value) != 0) {
            return -1;
        }
    }
    return 0;
}

static int read_stage(PyObject *mapping, tsimcne_stage *stage) {
    double epochs, output_dim, output_start, output_scale, trains, metric, temperature, schedule;
    *stage = (tsimcne_stage){.struct_size = sizeof *stage};
    if (number(mapping, "epochs", &epochs) != 0 || number(mapping, "output_dim", &output_dim) != 0 ||
        number(mapping, "output_start", &output_start) != 0 ||
        number(mapping, "output_scale", &output_scale) != 0 || number(mapping, "trains", &trains) != 0 ||
        number(mapping, "metric", &metric) != 0 || number(mapping, "temperature", &temperature) != 0 ||
        number(mapping, "schedule", &schedule) != 0 ||
        number(mapping, "learning_rate", &stage->learning_rate) != 0 ||
        number(mapping, "warmup", &stage->warmup) != 0 || number(mapping, "momentum", &stage->momentum) != 0 ||
        number(mapping, "weight_decay", &stage->weight_decay) != 0 ||
        number(mapping, "clip_value", &stage->clip_value) != 0) {
        return -1;
    }
    double whole[] = {epochs, output_dim, output_start, trains, metric, schedule};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        if (!(whole[i] >= 0 && whole[i] <= 2e9)) {
            PyErr_SetString(PyExc_ValueError, "stages: a whole number is out of range");
            return -1;
        }
    }
    stage->epochs = (int64_t)epochs;
    stage->output_dim = (int32_t)output_dim;
    stage->output_start = (int32_t)output_start;
    stage->output_scale = (float)output_scale;
    stage->trains = (int32_t)trains;
    stage->metric = (int32_t)metric;
    stage->temperature = (float)temperature;
    stage->schedule = (int32_t)schedule;
    return 0;
}

// ------------------------------------------------------------------ arrays

static PyObject *list_arrays(tsimcne_handle handle) {
    int64_t count = 0;
    if (raise_status(tsimcne_array_count(handle, &count)) != 0) {
        return NULL;
    }
    PyObject *list = PyList_New(0);
    for (int64_t i = 0; list != NULL && i < count; i++) {
        tsimcne_array array = {.struct_size = sizeof array};
        PyObject *item = NULL;
        if (raise_status(tsimcne_array_at(handle, i, &array)) == 0) {
            item = Py_BuildValue("(is)", (int)array.kind, array.name);
        }
        if (item == NULL || PyList_Append(list, item) != 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    return list;
}

static int find_array(tsimcne_handle handle, int kind, const char *name, tsimcne_array *array) {
    *array = (tsimcne_array){.struct_size = sizeof *array};
    return raise_status(tsimcne_array_named(handle, kind, name, array));
}

static PyObject *copy_array(tsimcne_handle handle, PyObject *args) {
    int kind;
    const char *name;
    tsimcne_array array;
    if (!PyArg_ParseTuple(args, "is", &kind, &name) || find_array(handle, kind, name, &array) != 0) {
        return NULL;
    }
    PyObject *shape = PyTuple_New(array.rank);
    for (int i = 0; shape != NULL && i < array.rank; i++) {
        PyObject *length = PyLong_FromLongLong(array.shape[i]);
        if (length == NULL || PyTuple_SetItem(shape, i, length) != 0) {
            Py_CLEAR(shape);
        }
    }
    if (shape == NULL) {
        return NULL;
    }
    bool wide = array.type == TSIMCNE_FLOAT64;
    PyObject *values = PyByteArray_FromStringAndSize(array.data, array.count * (wide ? 8 : 4));
    // "N" takes over both references, also when it fails.
    return Py_BuildValue("(NsN)", shape, wide ? "d" : "f", values);
}

static PyObject *write_array(tsimcne_handle handle, PyObject *args) {
    int kind;
    const char *name;
    PyObject *object;
    tsimcne_array array;
    if (!PyArg_ParseTuple(args, "isO", &kind, &name, &object) || find_array(handle, kind, name, &array) != 0) {
        return NULL;
    }
    bool wide = array.type == TSIMCNE_FLOAT64;
    Py_buffer view;
    if (borrow(object, &view, "values", wide ? "d" : "f", false) != 0) {
        return NULL;
    }
    if (view.len != array.count * (wide ? 8 : 4)) {
        PyErr_Format(PyExc_ValueError, "values: got %zd bytes, want %lld values for %s", view.len,
                     (long long)array.count, name);
        PyBuffer_Release(&view);
        return NULL;
    }
    memcpy(array.data, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    Py_RETURN_NONE;
}

// ------------------------------------------------------------------- Model

typedef struct {
    PyObject_HEAD
    tsimcne_handle handle;
} Model;

static int model_init(PyObject *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"channels",   "depth", "base_width", "head", "hidden_dim",
                            "output_dim", "mean",  "deviation",  "seed", NULL};
    long long channels = 0;
    int depth = 0, width = 0, head = 0, hidden = 0, output = 0;
    PyObject *mean = Py_None, *deviation = Py_None;
    unsigned long long seed = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$LiiiiiOOK", names, &channels, &depth, &width, &head,
                                     &hidden, &output, &mean, &deviation, &seed)) {
        return -1;
    }
    tsimcne_model_config config = {.struct_size = sizeof config,
                                   .channels = channels,
                                   .depth = depth,
                                   .base_width = width,
                                   .head = head,
                                   .hidden_dim = hidden,
                                   .output_dim = output};
    Py_buffer views[2];
    int borrowed = 0;
    PyObject *objects[2] = {mean, deviation};
    for (int i = 0; i < 2 && mean != Py_None; i++) {
        if (borrow(objects[i], &views[i], i == 0 ? "mean" : "deviation", "f", false) != 0) {
            goto failed;
        }
        borrowed += 1;
        if (views[i].len != channels * 4) {
            PyErr_SetString(PyExc_ValueError, "mean, deviation: want one value per channel");
            goto failed;
        }
    }
    if (borrowed == 2) {
        config.mean = views[0].buf;
        config.deviation = views[1].buf;
    }
    tsimcne_handle handle = 0;
    int32_t status;
    Py_BEGIN_ALLOW_THREADS
    status = tsimcne_model_create(&config, seed, &handle);
    Py_END_ALLOW_THREADS
    if (raise_status(status) != 0) {
        goto failed;
    }
    ((Model *)self)->handle = handle;
    while (borrowed > 0) {
        PyBuffer_Release(&views[--borrowed]);
    }
    return 0;
failed:
    while (borrowed > 0) {
        PyBuffer_Release(&views[--borrowed]);
    }
    return -1;
}

static void model_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    if (((Model *)self)->handle != 0) {
        tsimcne_model_destroy(((Model *)self)->handle);
    }
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

static PyObject *model_reset_output(PyObject *self, PyObject *args) {
    int outputs;
    float deviation;
    unsigned long long seed = 0;
    if (!PyArg_ParseTuple(args, "ifK", &outputs, &deviation, &seed)) {
        return NULL;
    }
    if (raise_status(tsimcne_model_reset_output(((Model *)self)->handle, outputs, deviation, seed)) != 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *model_transform(PyObject *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"images", "output", "kind", "threads", NULL};
    PyObject *input, *target;
    int kind, threads;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO$ii", names, &input, &target, &kind, &threads)) {
        return NULL;
    }
    Py_buffer source, output;
    tsimcne_images images;
    if (borrow_images(input, &source, &images) != 0) {
        return NULL;
    }
    if (borrow(target, &output, "output", "f", true) != 0) {
        PyBuffer_Release(&source);
        return NULL;
    }
    int32_t status;
    Py_BEGIN_ALLOW_THREADS
    status = tsimcne_model_transform(((Model *)self)->handle, &images, kind, threads, output.buf,
                                     output.len / 4);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&source);
    PyBuffer_Release(&output);
    if (raise_status(status) != 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *model_arrays(PyObject *self, PyObject *unused) {
    (void)unused;
    return list_arrays(((Model *)self)->handle);
}

static PyObject *model_array(PyObject *self, PyObject *args) {
    return copy_array(((Model *)self)->handle, args);
}

static PyObject *model_set_array(PyObject *self, PyObject *args) {
    return write_array(((Model *)self)->handle, args);
}

static PyMethodDef model_methods[] = {
    {"reset_output", model_reset_output, METH_VARARGS, NULL},
    {"transform", (PyCFunction)(void (*)(void))model_transform, METH_VARARGS | METH_KEYWORDS, NULL},
    {"arrays", model_arrays, METH_NOARGS, NULL},
    {"array", model_array, METH_VARARGS, NULL},
    {"set_array", model_set_array, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot model_slots[] = {
    {Py_tp_init, model_init},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_dealloc, model_dealloc},
    {Py_tp_methods, model_methods},
    {0, NULL},
};

static PyType_Spec model_spec = {"tsimcne_swift._core.Model", sizeof(Model), 0, Py_TPFLAGS_DEFAULT, model_slots};

// ----------------------------------------------------------------- Trainer

typedef struct {
    PyObject_HEAD
    tsimcne_handle handle;
    PyObject *model;
    Py_buffer images;
    bool holds_images;
} Trainer;

typedef struct {
    PyObject *model_type;
    PyObject *trainer_type;
    PyTypeObject *event_type;
} State;

static int trainer_init(PyObject *object, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"model",   "images",  "shape",         "format", "seed",         "batch_size", "source",
                            "threads", "stop_at", "time_slice_ms", "stages", "augmentation", NULL};
    Trainer *self = (Trainer *)object;
    PyObject *model, *input, *shape = Py_None, *stage_list = Py_None, *augmentation_map = Py_None;
    const char *format = NULL;
    unsigned long long seed = 0;
    long long batch_size = 0;
    int source = 0, threads = 0;
    unsigned int stop_at = 0, slice = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|$OzKLiiIIOO", names, &model, &input, &shape, &format,
                                     &seed, &batch_size, &source, &threads, &stop_at, &slice, &stage_list,
                                     &augmentation_map)) {
        return -1;
    }
    State *state = PyModule_GetState(PyType_GetModule(Py_TYPE(object)));
    if (!PyObject_TypeCheck(model, (PyTypeObject *)state->model_type)) {
        PyErr_SetString(PyExc_TypeError, "model: want a Model");
        return -1;
    }
    if (self->handle != 0) {
        PyErr_SetString(PyExc_ValueError, "trainer: is initialised already");
        return -1;
    }
    tsimcne_augmentation augmentation;
    if (augmentation_map != Py_None && read_augmentation(augmentation_map, &augmentation) != 0) {
        return -1;
    }
    tsimcne_stage stages[64];
    Py_ssize_t count = PySequence_Size(stage_list);
    if (count < 1 || count > 64) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "stages: want 1 to 64");
        }
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(stage_list, i);
        int failed = item == NULL || read_stage(item, &stages[i]) != 0;
        Py_XDECREF(item);
        if (failed) {
            return -1;
        }
    }
    tsimcne_images images;
    if (input == Py_None) {
        images = (tsimcne_images){.struct_size = sizeof images,
                                  .type = format != NULL && format[0] == 'B' ? TSIMCNE_UINT8 : TSIMCNE_FLOAT32};
        long long n, h, w, c;
        if (!PyArg_ParseTuple(shape, "LLLL", &n, &h, &w, &c)) {
            return -1;
        }
        images.count = n;
        images.height = h;
        images.width = w;
        images.channels = c;
    } else if (borrow_images(input, &self->images, &images) == 0) {
        self->holds_images = true;
    } else {
        return -1;
    }
    tsimcne_trainer_config config = {.struct_size = sizeof config,
                                     .seed = seed,
                                     .batch_size = batch_size,
                                     .source = source,
                                     .threads = threads,
                                     .stop_at = stop_at,
                                     .time_slice_ms = slice,
                                     .stages = stages,
                                     .stage_count = count,
                                     .augmentation = augmentation_map == Py_None ? NULL : &augmentation};
    tsimcne_handle handle = 0;
    int32_t status;
    tsimcne_handle model_handle = ((Model *)model)->handle;
    Py_BEGIN_ALLOW_THREADS
    status = tsimcne_trainer_create(model_handle, &images, &config, &handle);
    Py_END_ALLOW_THREADS
    if (raise_status(status) != 0) {
        if (self->holds_images) {
            PyBuffer_Release(&self->images);
            self->holds_images = false;
        }
        return -1;
    }
    self->handle = handle;
    self->model = Py_NewRef(model);
    return 0;
}

// Destroys the trainer, then lets go of what it used.
static int trainer_release(Trainer *self) {
    if (self->handle != 0) {
        int32_t status = tsimcne_trainer_destroy(self->handle);
        if (status == TSIMCNE_ERROR_BUSY) {
            return raise_status(status);
        }
        self->handle = 0;
    }
    if (self->holds_images) {
        PyBuffer_Release(&self->images);
        self->holds_images = false;
    }
    Py_CLEAR(self->model);
    return 0;
}

static void trainer_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    trainer_release((Trainer *)object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

static PyObject *trainer_close(PyObject *object, PyObject *unused) {
    (void)unused;
    if (trainer_release((Trainer *)object) != 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *trainer_advance(PyObject *object, PyObject *unused) {
    (void)unused;
    tsimcne_handle handle = ((Trainer *)object)->handle;
    tsimcne_event event = {.struct_size = sizeof event};
    int32_t status;
    Py_BEGIN_ALLOW_THREADS
    status = tsimcne_advance(handle, &event);
    Py_END_ALLOW_THREADS
    if (raise_status(status) != 0) {
        return NULL;
    }
    Py_ssize_t bytes = event.kind == TSIMCNE_EVENT_BATCH_WANTED ? event.batch_count * 8 : 0;
    PyObject *values[] = {
        PyLong_FromLong(event.kind),
        PyLong_FromLong(event.stage),
        PyLong_FromLongLong(event.epoch),
        PyLong_FromLongLong(event.step),
        PyLong_FromLongLong(event.steps_per_epoch),
        PyFloat_FromDouble(event.loss),
        PyFloat_FromDouble(event.learning_rate),
        PyLong_FromLongLong(event.batch_count),
        PyBytes_FromStringAndSize((const char *)event.indices, bytes),
        PyLong_FromLongLong(event.array),
    };
    State *state = PyModule_GetState(PyType_GetModule(Py_TYPE(object)));
    PyObject *result = PyStructSequence_New(state->event_type);
    for (Py_ssize_t i = 0; i < (Py_ssize_t)(sizeof values / sizeof *values); i++) {
        if (result == NULL) {
            Py_XDECREF(values[i]);
        } else if (values[i] == NULL) {
            Py_CLEAR(result);
        } else {
            PyStructSequence_SetItem(result, i, values[i]);
        }
    }
    return result;
}

static PyObject *trainer_supply(PyObject *object, PyObject *data) {
    Py_buffer view;
    if (borrow(data, &view, "data", "Bf", false) != 0) {
        return NULL;
    }
    int32_t status = tsimcne_supply(((Trainer *)object)->handle, view.buf, view.len);
    PyBuffer_Release(&view);
    if (raise_status(status) != 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *trainer_abandon(PyObject *object, PyObject *unused) {
    (void)unused;
    if (raise_status(tsimcne_abandon(((Trainer *)object)->handle)) != 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *trainer_arrays(PyObject *self, PyObject *unused) {
    (void)unused;
    return list_arrays(((Trainer *)self)->handle);
}

static PyObject *trainer_array(PyObject *self, PyObject *args) {
    return copy_array(((Trainer *)self)->handle, args);
}

static PyObject *trainer_set_array(PyObject *self, PyObject *args) {
    return write_array(((Trainer *)self)->handle, args);
}

static PyMethodDef trainer_methods[] = {
    {"advance", trainer_advance, METH_NOARGS, NULL},       {"supply", trainer_supply, METH_O, NULL},
    {"abandon", trainer_abandon, METH_NOARGS, NULL},       {"close", trainer_close, METH_NOARGS, NULL},
    {"arrays", trainer_arrays, METH_NOARGS, NULL},         {"array", trainer_array, METH_VARARGS, NULL},
    {"set_array", trainer_set_array, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL},
};

static PyType_Slot trainer_slots[] = {
    {Py_tp_init, trainer_init},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_dealloc, trainer_dealloc},
    {Py_tp_methods, trainer_methods},
    {0, NULL},
};

static PyType_Spec trainer_spec = {"tsimcne_swift._core.Trainer", sizeof(Trainer), 0, Py_TPFLAGS_DEFAULT,
                                   trainer_slots};

static PyStructSequence_Field event_fields[] = {
    {"kind", NULL},  {"stage", NULL},         {"epoch", NULL},       {"step", NULL},    {"steps_per_epoch", NULL},
    {"loss", NULL},  {"learning_rate", NULL}, {"batch_count", NULL}, {"indices", NULL}, {"array", NULL},
    {NULL, NULL},
};

static PyStructSequence_Desc event_description = {"tsimcne_swift._core.Event", NULL, event_fields, 10};

// --------------------------------------------------------------- functions

static PyObject *core_build_info(PyObject *module, PyObject *unused) {
    (void)module;
    (void)unused;
    return PyUnicode_FromString(tsimcne_build_info());
}

static PyObject *core_data_address(PyObject *module, PyObject *object) {
    (void)module;
    Py_buffer view;
    if (PyObject_GetBuffer(object, &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) != 0) {
        return NULL;
    }
    PyObject *address = PyLong_FromVoidPtr(view.buf);
    PyBuffer_Release(&view);
    return address;
}

static PyObject *core_augment(PyObject *module, PyObject *args, PyObject *kwargs) {
    (void)module;
    static char *names[] = {"images", "output",      "augmentation", "seed", "epoch",
                            "first_index", "view", "threads",      NULL};
    PyObject *input, *target, *mapping;
    unsigned long long seed, epoch, first;
    unsigned int view;
    int threads;
    tsimcne_augmentation augmentation;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO$OKKKIi", names, &input, &target, &mapping, &seed, &epoch,
                                     &first, &view, &threads) ||
        read_augmentation(mapping, &augmentation) != 0) {
        return NULL;
    }
    Py_buffer source, output;
    tsimcne_images images;
    if (borrow_images(input, &source, &images) != 0) {
        return NULL;
    }
    if (borrow(target, &output, "output", "f", true) != 0) {
        PyBuffer_Release(&source);
        return NULL;
    }
    int32_t status;
    Py_BEGIN_ALLOW_THREADS
    status = tsimcne_augment(&images, &augmentation, seed, epoch, first, view, threads, output.buf,
                             output.len / 4);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&source);
    PyBuffer_Release(&output);
    if (raise_status(status) != 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *core_infonce(PyObject *module, PyObject *args, PyObject *kwargs) {
    (void)module;
    static char *names[] = {"embeddings", "gradient", "metric", "temperature", "threads", NULL};
    PyObject *input, *target;
    int metric, threads;
    float temperature;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO$ifi", names, &input, &target, &metric, &temperature,
                                     &threads)) {
        return NULL;
    }
    Py_buffer embeddings, gradient = {0};
    if (borrow(input, &embeddings, "embeddings", "f", false) != 0) {
        return NULL;
    }
    if (embeddings.ndim != 2 || embeddings.shape[0] % 2 != 0) {
        PyErr_SetString(PyExc_ValueError, "embeddings: want shape (2 * pairs, dimension)");
        PyBuffer_Release(&embeddings);
        return NULL;
    }
    if (target != Py_None && borrow(target, &gradient, "gradient", "f", true) != 0) {
        PyBuffer_Release(&embeddings);
        return NULL;
    }
    double loss = 0;
    int32_t status = TSIMCNE_OK;
    bool fits = target == Py_None || gradient.len == embeddings.len;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        status = tsimcne_infonce(embeddings.buf, embeddings.shape[0] / 2, embeddings.shape[1], metric,
                                 temperature, threads, &loss, gradient.buf);
        Py_END_ALLOW_THREADS
    } else {
        PyErr_SetString(PyExc_ValueError, "gradient: want the shape of embeddings");
    }
    PyBuffer_Release(&embeddings);
    if (target != Py_None) {
        PyBuffer_Release(&gradient);
    }
    if (!fits || raise_status(status) != 0) {
        return NULL;
    }
    return PyFloat_FromDouble(loss);
}

static PyMethodDef core_methods[] = {
    {"build_info", core_build_info, METH_NOARGS, NULL},
    {"data_address", core_data_address, METH_O, NULL},
    {"augment", (PyCFunction)(void (*)(void))core_augment, METH_VARARGS | METH_KEYWORDS, NULL},
    {"infonce", (PyCFunction)(void (*)(void))core_infonce, METH_VARARGS | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

static int core_execute(PyObject *module) {
    if (tsimcne_abi_version() != TSIMCNE_ABI_VERSION) {
        PyErr_Format(PyExc_ImportError, "the core has ABI version %d, the extension wants %d",
                     tsimcne_abi_version(), TSIMCNE_ABI_VERSION);
        return -1;
    }
    State *state = PyModule_GetState(module);
    state->model_type = PyType_FromModuleAndSpec(module, &model_spec, NULL);
    state->trainer_type = PyType_FromModuleAndSpec(module, &trainer_spec, NULL);
    state->event_type = PyStructSequence_NewType(&event_description);
    if (state->model_type == NULL || state->trainer_type == NULL || state->event_type == NULL ||
        PyModule_AddObjectRef(module, "Model", state->model_type) != 0 ||
        PyModule_AddObjectRef(module, "Trainer", state->trainer_type) != 0 ||
        PyModule_AddObjectRef(module, "Event", (PyObject *)state->event_type) != 0) {
        return -1;
    }
    struct {
        const char *name;
        long value;
    } constants[] = {
        {"ABI_VERSION", TSIMCNE_ABI_VERSION},
        {"PARAMETER", TSIMCNE_ARRAY_PARAMETER},
        {"BUFFER", TSIMCNE_ARRAY_BUFFER},
        {"GRADIENT", TSIMCNE_ARRAY_GRADIENT},
        {"MOMENTUM", TSIMCNE_ARRAY_MOMENTUM},
        {"SUMS", TSIMCNE_ARRAY_SUMS},
        {"EMBEDDINGS", TSIMCNE_ARRAY_EMBEDDINGS},
        {"MORE", TSIMCNE_EVENT_MORE},
        {"BATCH_WANTED", TSIMCNE_EVENT_BATCH_WANTED},
        {"BATCH_NORM_SUMS", TSIMCNE_EVENT_BATCH_NORM_SUMS},
        {"EMBEDDINGS_READY", TSIMCNE_EVENT_EMBEDDINGS},
        {"GRADIENT_READY", TSIMCNE_EVENT_GRADIENT},
        {"STEP", TSIMCNE_EVENT_STEP},
        {"FINISHED", TSIMCNE_EVENT_FINISHED},
        {"OUTPUT_MAP", TSIMCNE_OUTPUT_MAP},
        {"OUTPUT_FEATURES", TSIMCNE_OUTPUT_FEATURES},
        {"SOURCE_IMAGES", TSIMCNE_SOURCE_IMAGES},
        {"SOURCE_SUPPLIED", TSIMCNE_SOURCE_SUPPLIED},
        {"SOURCE_VIEWS", TSIMCNE_SOURCE_VIEWS},
        {"STOP_AT_BATCH_NORM_SUMS", TSIMCNE_STOP_AT_BATCH_NORM_SUMS},
        {"STOP_AT_EMBEDDINGS", TSIMCNE_STOP_AT_EMBEDDINGS},
        {"STOP_AT_GRADIENTS", TSIMCNE_STOP_AT_GRADIENTS},
    };
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) != 0) {
            return -1;
        }
    }
    return 0;
}

static int core_clear(PyObject *module) {
    State *state = PyModule_GetState(module);
    Py_CLEAR(state->model_type);
    Py_CLEAR(state->trainer_type);
    Py_CLEAR(state->event_type);
    return 0;
}

static PyModuleDef_Slot core_slots[] = {{Py_mod_exec, core_execute}, {0, NULL}};

static struct PyModuleDef core_module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "tsimcne_swift._core",
    .m_size = sizeof(State),
    .m_methods = core_methods,
    .m_slots = core_slots,
    .m_clear = core_clear,
};

PyMODINIT_FUNC PyInit__core(void) {
    return PyModuleDef_Init(&core_module);
}
