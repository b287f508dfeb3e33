// The loss of embeddings, whole and in parts.
#include "core.h"

typedef struct {
    Py_buffer embeddings;
    Py_buffer scales;   // only of a loss in parts
    Py_buffer gradient; // its buf is NULL where none is wanted
    Py_ssize_t images;
    int views, metric, threads;
    float temperature, degrees;
    long long first, count;
} Loss;

// A buffer that was not borrowed is released without effect.
static void release(Loss *loss) {
    PyBuffer_Release(&loss->embeddings);
    PyBuffer_Release(&loss->scales);
    PyBuffer_Release(&loss->gradient);
}

// Borrows what is not NULL and checks sizes; nothing is held after an error.
static int borrow_loss(Loss *loss, PyObject *embeddings, PyObject *scales, bool writes_scales,
                       PyObject *gradient) {
    if (borrow(embeddings, &loss->embeddings, "embeddings", "f", false) != 0) {
        return -1;
    }
    Py_buffer *rows = &loss->embeddings;
    if (rows->ndim != 2 || loss->views < 2 || rows->shape[0] % loss->views != 0) {
        PyErr_SetString(PyExc_ValueError, "embeddings: want shape (views * images, dimension)");
        goto failed;
    }
    loss->images = rows->shape[0] / loss->views;
    bool is_part = scales != NULL;
    if (!is_part) {
        loss->count = loss->images;
    } else if (loss->first < 0 || loss->count < 1 || loss->count > loss->images - loss->first) {
        PyErr_SetString(PyExc_ValueError, "first, count: want images of the batch");
        goto failed;
    }
    Py_ssize_t own = loss->views * (Py_ssize_t)loss->count;
    if (is_part) {
        if (borrow(scales, &loss->scales, "scales", "f", writes_scales) != 0) {
            goto failed;
        }
        if (loss->scales.len / 4 != (writes_scales ? own : rows->shape[0])) {
            PyErr_SetString(PyExc_ValueError, "scales: want one for each view");
            goto failed;
        }
    }
    if (gradient != NULL) {
        if (borrow(gradient, &loss->gradient, "gradient", "f", true) != 0) {
            goto failed;
        }
        if (loss->gradient.len / 4 != own * rows->shape[1]) {
            PyErr_SetString(PyExc_ValueError, "gradient: want a row for each view");
            goto failed;
        }
    }
    return 0;
failed:
    release(loss);
    return -1;
}

static PyObject *finish(Loss *loss, int32_t status, double result) {
    release(loss);
    return raise_status(status) != 0 ? NULL : PyFloat_FromDouble(result);
}

PyObject *core_infonce(PyObject *module, PyObject *args, PyObject *kwargs) {
    (void)module;
    static char *names[] = {"embeddings",  "gradient", "views",   "metric",
                            "temperature", "threads",  "degrees", NULL};
    PyObject *embeddings, *gradient;
    // What is left out is refused.
    Loss l = {.metric = -1, .threads = -1, .degrees = 1};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|$iifif", names, &embeddings, &gradient, &l.views,
                                     &l.metric, &l.temperature, &l.threads, &l.degrees) ||
        borrow_loss(&l, embeddings, NULL, false, gradient == Py_None ? NULL : gradient) != 0) {
        return NULL;
    }
    double loss = 0;
    int32_t status;
    Py_BEGIN_ALLOW_THREADS
        status = tsimcne_infonce(l.embeddings.buf, l.images, l.views, l.embeddings.shape[1], l.metric,
                                 l.temperature, l.degrees, l.threads, &loss, l.gradient.buf);
    Py_END_ALLOW_THREADS
    return finish(&l, status, loss);
}

PyObject *core_infonce_sums(PyObject *module, PyObject *args, PyObject *kwargs) {
    (void)module;
    static char *names[] = {"embeddings", "scales",      "first",   "count",   "views",
                            "metric",     "temperature", "threads", "degrees", NULL};
    PyObject *embeddings, *scales;
    Loss l = {.metric = -1, .threads = -1, .degrees = 1};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|$LLiifif", names, &embeddings, &scales, &l.first,
                                     &l.count, &l.views, &l.metric, &l.temperature, &l.threads, &l.degrees) ||
        borrow_loss(&l, embeddings, scales, true, NULL) != 0) {
        return NULL;
    }
    double loss = 0;
    int32_t status;
    Py_BEGIN_ALLOW_THREADS
        status =
            tsimcne_infonce_sums(l.embeddings.buf, l.images, l.views, l.embeddings.shape[1], l.metric,
                                 l.temperature, l.degrees, l.threads, l.first, l.count, l.scales.buf, &loss);
    Py_END_ALLOW_THREADS
    return finish(&l, status, loss);
}

PyObject *core_infonce_gradient(PyObject *module, PyObject *args, PyObject *kwargs) {
    (void)module;
    static char *names[] = {"embeddings", "scales",      "gradient", "first",   "count", "views",
                            "metric",     "temperature", "threads",  "degrees", NULL};
    PyObject *embeddings, *scales, *gradient;
    Loss l = {.metric = -1, .threads = -1, .degrees = 1};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOO|$LLiifif", names, &embeddings, &scales, &gradient,
                                     &l.first, &l.count, &l.views, &l.metric, &l.temperature, &l.threads,
                                     &l.degrees) ||
        borrow_loss(&l, embeddings, scales, false, gradient) != 0) {
        return NULL;
    }
    double derivative = 0;
    int32_t status;
    Py_BEGIN_ALLOW_THREADS
        status = tsimcne_infonce_gradient(l.embeddings.buf, l.images, l.views, l.embeddings.shape[1],
                                          l.metric, l.temperature, l.degrees, l.threads, l.first, l.count,
                                          l.scales.buf, l.gradient.buf, &derivative);
    Py_END_ALLOW_THREADS
    return finish(&l, status, derivative);
}
