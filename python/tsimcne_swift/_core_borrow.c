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

// Where a value of a mapping goes: a double, or a whole number or float of the core.
typedef struct {
    const char *key;
    double *real;
    float *small;
    int64_t *wide;
    int32_t *whole;
} Field;

static int read_field(PyObject *mapping, const Field *field) {
    PyObject *item = PyMapping_GetItemString(mapping, field->key);
    if (item == NULL) {
        return -1;
    }
    if (field->wide != NULL || field->whole != NULL) {
        long long value = PyLong_AsLongLong(item);
        Py_DECREF(item);
        if (value == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (field->wide != NULL) {
            *field->wide = value;
        } else if (value >= INT32_MIN && value <= INT32_MAX) {
            *field->whole = (int32_t)value;
        } else {
            PyErr_Format(PyExc_ValueError, "%s: %lld is out of range", field->key, value);
            return -1;
        }
        return 0;
    }
    double value = PyFloat_AsDouble(item);
    Py_DECREF(item);
    if (value == -1.0 && PyErr_Occurred()) {
        return -1;
    }
    if (field->real != NULL) {
        *field->real = value;
    } else {
        *field->small = (float)value;
    }
    return 0;
}

static int read_fields(PyObject *mapping, const Field *fields, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (read_field(mapping, &fields[i]) != 0) {
            return -1;
        }
    }
    return 0;
}

int read_augmentation(PyObject *mapping, tsimcne_augmentation *a) {
    *a = (tsimcne_augmentation){.struct_size = sizeof *a};
    const Field fields[] = {
        {"crop_area_min", .real = &a->crop_area_min},
        {"crop_area_max", .real = &a->crop_area_max},
        {"crop_ratio_min", .real = &a->crop_ratio_min},
        {"crop_ratio_max", .real = &a->crop_ratio_max},
        {"horizontal_flip", .real = &a->horizontal_flip},
        {"vertical_flip", .real = &a->vertical_flip},
        {"quarter_turns", .real = &a->quarter_turns},
        {"color_jitter", .real = &a->color_jitter},
        {"brightness", .real = &a->brightness},
        {"contrast", .real = &a->contrast},
        {"saturation", .real = &a->saturation},
        {"hue", .real = &a->hue},
        {"grayscale", .real = &a->grayscale},
        {"rotation", .real = &a->rotation},
        {"channel_gain", .real = &a->channel_gain},
        {"channel_offset", .real = &a->channel_offset},
        {"blur", .real = &a->blur},
        {"blur_deviation_min", .real = &a->blur_deviation_min},
        {"blur_deviation_max", .real = &a->blur_deviation_max},
        {"solarize", .real = &a->solarize},
        {"erasing", .real = &a->erasing},
    };
    return read_fields(mapping, fields, sizeof fields / sizeof *fields);
}

// Numbers of 4 bytes in a bytes object, which the mapping keeps alive; how many, or -1.
static int64_t read_course(PyObject *mapping, const char *key, const void **numbers) {
    PyObject *item = PyMapping_GetItemString(mapping, key);
    char *bytes = NULL;
    Py_ssize_t size = 0;
    if (item == NULL || PyBytes_AsStringAndSize(item, &bytes, &size) != 0) {
        Py_XDECREF(item);
        return -1;
    }
    Py_DECREF(item);
    *numbers = size >= 4 ? bytes : NULL;
    return size / 4;
}

int read_stage(PyObject *mapping, tsimcne_stage *s, tsimcne_augmentation *augmentation) {
    if (!PyDict_Check(mapping)) {
        PyErr_SetString(PyExc_TypeError, "stages: want dicts");
        return -1;
    }
    *s = (tsimcne_stage){.struct_size = sizeof *s};
    const Field fields[] = {
        {"steps", .wide = &s->steps},
        {"output_dim", .whole = &s->output_dim},
        {"output_start", .whole = &s->output_start},
        {"output_scale", .small = &s->output_scale},
        {"trains", .whole = &s->trains},
        {"metric", .whole = &s->metric},
        {"temperature", .small = &s->temperature},
        {"degrees_of_freedom", .small = &s->degrees_of_freedom},
        {"temperature_rate", .real = &s->temperature_rate},
        {"learning_rate", .real = &s->learning_rate},
        {"warmup", .real = &s->warmup},
        {"schedule", .whole = &s->schedule},
        {"shape", .whole = &s->shape},
        {"optimizer", .whole = &s->optimizer},
        {"decays_biases", .whole = &s->decays_biases},
        {"momentum", .real = &s->momentum},
        {"second_momentum", .real = &s->second_momentum},
        {"weight_decay", .real = &s->weight_decay},
        {"clip_value", .real = &s->clip_value},
        {"view_height", .whole = &s->view_height},
        {"view_width", .whole = &s->view_width},
        {"neighbors", .whole = &s->neighbors},
        {"inputs", .whole = &s->inputs},
    };
    if (read_fields(mapping, fields, sizeof fields / sizeof *fields) != 0) {
        return -1;
    }
    const void *outputs, *degrees;
    int64_t outputs_count = read_course(mapping, "annealed_outputs", &outputs);
    int64_t degrees_count = read_course(mapping, "annealed_degrees", &degrees);
    if (outputs_count < 0 || degrees_count < 0) {
        return -1;
    }
    if (outputs_count > 0 && degrees_count > 0 && outputs_count != degrees_count) {
        PyErr_SetString(PyExc_ValueError, "annealed_outputs, annealed_degrees: want as many of both");
        return -1;
    }
    s->annealed_outputs = outputs;
    s->annealed_degrees = degrees;
    s->annealed_epochs = outputs_count > 0 ? outputs_count : degrees_count;
    PyObject *item = PyMapping_GetItemString(mapping, "augmentation");
    if (item == NULL) {
        return -1;
    }
    int failed = item != Py_None && read_augmentation(item, augmentation) != 0;
    s->augmentation = item != Py_None ? augmentation : NULL;
    Py_DECREF(item);
    return failed ? -1 : 0;
}

int read_progress(PyObject *mapping, tsimcne_progress *p) {
    *p = (tsimcne_progress){.struct_size = sizeof *p};
    const Field fields[] = {
        {"stage", .whole = &p->stage},  {"step", .wide = &p->step},
        {"steps", .wide = &p->steps},   {"position", .real = &p->position},
        {"stride", .real = &p->stride}, {"epochs_before", .wide = &p->epochs_before},
    };
    return read_fields(mapping, fields, sizeof fields / sizeof *fields);
}
