// _core.Model: owns a model of the core.
#include "core.h"

// Reads the widths of hidden layers; returns their number, or -1.
static int read_hidden(PyObject *object, int32_t *widths) {
    if (!PyTuple_Check(object)) {
        PyErr_Format(PyExc_TypeError, "hidden_dims: got %R, want a tuple", object);
        return -1;
    }
    Py_ssize_t count = PyTuple_Size(object);
    if (count > TSIMCNE_MOST_HIDDEN) {
        PyErr_Format(PyExc_ValueError, "hidden_dims: got %zd, want at most %d", count, TSIMCNE_MOST_HIDDEN);
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PyTuple_GetItem(object, i); // borrowed
        if (!PyLong_Check(item)) {
            PyErr_Format(PyExc_TypeError, "hidden_dims[%zd]: got %R, want a whole number", i, item);
            return -1;
        }
        int overflow; // the value is then -1
        long width = PyLong_AsLongAndOverflow(item, &overflow);
        if (width < 1 || width > TSIMCNE_WIDEST_HIDDEN) {
            PyErr_Format(PyExc_ValueError, "hidden_dims[%zd]: got %R, want 1 to %d", i, item,
                         TSIMCNE_WIDEST_HIDDEN);
            return -1;
        }
        widths[i] = (int32_t)width;
    }
    return (int)count;
}

static int model_init(PyObject *self, PyObject *args, PyObject *kwargs) {
    static const char *const others[] = {"hidden_dims", "mean", "deviation", "seed", "layers", NULL};
    tsimcne_model_config config;
    if (!PyArg_ParseTuple(args, "") || read_numbers(kwargs, "model", &config, others) != 0) {
        return -1;
    }
    PyObject *hidden = keyword(kwargs, "hidden_dims"), *layers = keyword(kwargs, "layers");
    PyObject *objects[2] = {keyword(kwargs, "mean"), keyword(kwargs, "deviation")};
    PyObject *number = keyword(kwargs, "seed");
    unsigned long long seed = number == Py_None ? 0 : PyLong_AsUnsignedLongLong(number);
    if (seed == (unsigned long long)-1 && PyErr_Occurred()) {
        return -1;
    }
    if (((Model *)self)->handle != 0) {
        PyErr_SetString(PyExc_ValueError, "model: is initialised already");
        return -1;
    }
    int32_t widths[TSIMCNE_MOST_HIDDEN];
    int count = read_hidden(hidden, widths);
    if (count < 0) {
        return -1;
    }
    config.hidden_dims = count > 0 ? widths : NULL;
    config.hidden_count = count;
    tsimcne_layer *list;
    config.layer_count = read_layers(layers, &list);
    if (config.layer_count < 0) {
        return -1;
    }
    config.layers = list;
    Py_buffer views[2];
    int borrowed = 0;
    for (int i = 0; i < 2 && objects[0] != Py_None; i++) {
        if (borrow(objects[i], &views[i], i == 0 ? "mean" : "deviation", "f", false) != 0) {
            goto done;
        }
        borrowed += 1;
        if (views[i].len != config.channels * 4) {
            PyErr_SetString(PyExc_ValueError, "mean, deviation: want one value per channel");
            goto done;
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
        goto done;
    }
    ((Model *)self)->handle = handle;
done:
    PyMem_Free(list);
    while (borrowed > 0) {
        PyBuffer_Release(&views[--borrowed]);
    }
    return ((Model *)self)->handle != 0 ? 0 : -1;
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
    return none_or_error(tsimcne_model_reset_output(((Model *)self)->handle, outputs, deviation, seed));
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
    if (borrow_images_and_output(input, &source, &images, target, &output) != 0) {
        return NULL;
    }
    int32_t status;
    Py_BEGIN_ALLOW_THREADS
        status = tsimcne_model_transform(((Model *)self)->handle, &images, kind, threads, output.buf,
                                         output.len / 4);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&source);
    PyBuffer_Release(&output);
    return none_or_error(status);
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

PyType_Spec model_spec = {"tsimcne_swift._core.Model", sizeof(Model), 0, Py_TPFLAGS_DEFAULT, model_slots};
