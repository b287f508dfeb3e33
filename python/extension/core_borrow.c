// Buffers and errors, between Python and the core.
#include "core.h"

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

PyObject *none_or_error(int32_t status) {
    return raise_status(status) == 0 ? Py_NewRef(Py_None) : NULL;
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
