// Buffers, mappings and errors, between Python and the core.
#include "_core.h"

int raise_status(int32_t status) {
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

int borrow(PyObject *object, Py_buffer *view, const char *name, const char *formats, bool writable) {
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

int borrow_images(PyObject *object, Py_buffer *view, tsimcne_images *images) {
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

int borrow_images_and_output(PyObject *input, Py_buffer *source, tsimcne_images *images, PyObject *target,
                             Py_buffer *output) {
    if (borrow_images(input, source, images) != 0) {
        return -1;
    }
    if (borrow(target, output, "output", "f", true) != 0) {
        PyBuffer_Release(source);
        return -1;
    }
    return 0;
}

static int number(PyObject *mapping, const char *key, double *value) {
    PyObject *item = PyMapping_GetItemString(mapping, key);
    if (item == NULL) {
        return -1;
    }
    *value = PyFloat_AsDouble(item);
    Py_DECREF(item);
    return *value == -1.0 && PyErr_Occurred() ? -1 : 0;
}

int read_augmentation(PyObject *mapping, tsimcne_augmentation *a) {
    *a = (tsimcne_augmentation){.struct_size = sizeof *a};
    struct {
        const char *key;
        double *value;
    } fields[] = {
        {"crop_area_min", &a->crop_area_min},
        {"crop_area_max", &a->crop_area_max},
        {"crop_ratio_min", &a->crop_ratio_min},
        {"crop_ratio_max", &a->crop_ratio_max},
        {"horizontal_flip", &a->horizontal_flip},
        {"vertical_flip", &a->vertical_flip},
        {"quarter_turns", &a->quarter_turns},
        {"color_jitter", &a->color_jitter},
        {"brightness", &a->brightness},
        {"contrast", &a->contrast},
        {"saturation", &a->saturation},
        {"hue", &a->hue},
        {"grayscale", &a->grayscale},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (number(mapping, fields[i].key, fields[i].value) != 0) {
            return -1;
        }
    }
    return 0;
}

int read_stage(PyObject *mapping, tsimcne_stage *stage) {
    double epochs, output_dim, output_start, output_scale, trains, metric, temperature, schedule;
    *stage = (tsimcne_stage){.struct_size = sizeof *stage};
    if (number(mapping, "epochs", &epochs) != 0 || number(mapping, "output_dim", &output_dim) != 0 ||
        number(mapping, "output_start", &output_start) != 0 ||
        number(mapping, "output_scale", &output_scale) != 0 || number(mapping, "trains", &trains) != 0 ||
        number(mapping, "metric", &metric) != 0 || number(mapping, "temperature", &temperature) != 0 ||
        number(mapping, "schedule", &schedule) != 0 ||
        number(mapping, "learning_rate", &stage->learning_rate) != 0 ||
        number(mapping, "warmup", &stage->warmup) != 0 ||
        number(mapping, "momentum", &stage->momentum) != 0 ||
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
