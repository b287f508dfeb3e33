// _core.Trainer: owns a trainer of the core, and holds the images that it reads.
#include "core.h"

static int trainer_init(PyObject *object, PyObject *args, PyObject *kwargs) {
    static const char *const others[] = {"shape", "format", "stages", "augmentation", NULL};
    Trainer *self = (Trainer *)object;
    PyObject *model, *input;
    tsimcne_trainer_config config;
    if (!PyArg_ParseTuple(args, "OO", &model, &input) ||
        read_numbers(kwargs, "trainer", &config, others) != 0) {
        return -1;
    }
    PyObject *stage_list = keyword(kwargs, "stages"), *augmentation_map = keyword(kwargs, "augmentation");
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
    if (augmentation_map != Py_None &&
        read_numbers(augmentation_map, "augmentation", &augmentation, NULL) != 0) {
        return -1;
    }
    tsimcne_stage stages[TSIMCNE_MOST_STAGES];
    tsimcne_augmentation stage_augmentations[TSIMCNE_MOST_STAGES];
    Py_ssize_t count = PySequence_Size(stage_list);
    if (count < 1 || count > TSIMCNE_MOST_STAGES) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_ValueError, "stages: want 1 to %d", TSIMCNE_MOST_STAGES);
        }
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(stage_list, i);
        int failed = item == NULL || read_stage(item, &stages[i], &stage_augmentations[i]) != 0;
        Py_XDECREF(item);
        if (failed) {
            return -1;
        }
    }
    tsimcne_images images;
    if (input == Py_None) {
        PyObject *format = keyword(kwargs, "format");
        bool is_bytes = PyUnicode_Check(format) && PyUnicode_CompareWithASCIIString(format, "B") == 0;
        images = (tsimcne_images){.struct_size = sizeof images,
                                  .type = is_bytes ? TSIMCNE_UINT8 : TSIMCNE_FLOAT32};
        PyObject *shape = keyword(kwargs, "shape");
        long long n, h, w, c;
        if (!PyTuple_Check(shape)) {
            PyErr_Format(PyExc_TypeError, "shape: got %R, want a tuple", shape);
            return -1;
        }
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
    config.stages = stages;
    config.stage_count = count;
    config.augmentation = augmentation_map == Py_None ? NULL : &augmentation;
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

static int refuse_while_advancing(const Trainer *self) {
    // A forked process lacks the thread.
    if (self->advances_in == getpid()) {
        PyErr_SetString(PyExc_RuntimeError, "trainer: another thread is advancing it");
        return -1;
    }
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
    Trainer *self = (Trainer *)object;
    if (refuse_while_advancing(self) != 0 || trainer_release(self) != 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

// What the core's event says, in an object of Python.
static PyObject *event_object(PyObject *object, const tsimcne_event *event) {
    State *state = PyModule_GetState(PyType_GetModule(Py_TYPE(object)));
    PyObject *result = PyStructSequence_New(state->event_type);
    const tables_structure *table = tables_structure_named("event");
    for (int64_t i = 0; result != NULL && i < table->count; i++) {
        PyObject *value = number_as_object(event, &table->numbers[i]);
        if (value == NULL) {
            Py_CLEAR(result);
        } else {
            PyStructSequence_SetItem(result, i, value);
        }
    }
    if (result == NULL) {
        return NULL;
    }
    Py_ssize_t bytes = event->kind == TSIMCNE_EVENT_BATCH_WANTED ? event->index_count * 8 : 0;
    PyObject *indices = PyBytes_FromStringAndSize((const char *)event->indices, bytes);
    if (indices == NULL) {
        Py_CLEAR(result);
    } else {
        PyStructSequence_SetItem(result, table->count, indices);
    }
    return result;
}

static PyObject *trainer_advance(PyObject *object, PyObject *unused) {
    (void)unused;
    Trainer *self = (Trainer *)object;
    if (refuse_while_advancing(self) != 0) {
        return NULL;
    }
    tsimcne_event event = {.struct_size = sizeof event};
    int32_t status;
    self->advances_in = getpid();
    Py_BEGIN_ALLOW_THREADS
        status = tsimcne_advance(self->handle, &event);
    Py_END_ALLOW_THREADS
    PyObject *result = raise_status(status) == 0 ? event_object(object, &event) : NULL;
    self->advances_in = 0;
    return result;
}

static PyObject *trainer_supply(PyObject *object, PyObject *data) {
    Py_buffer view;
    if (borrow(data, &view, "data", "Bf", false) != 0) {
        return NULL;
    }
    int32_t status = tsimcne_supply(((Trainer *)object)->handle, view.buf, view.len);
    PyBuffer_Release(&view);
    return none_or_error(status);
}

static PyObject *trainer_abandon(PyObject *object, PyObject *unused) {
    (void)unused;
    return none_or_error(tsimcne_abandon(((Trainer *)object)->handle));
}

static PyObject *trainer_progress(PyObject *object, PyObject *unused) {
    (void)unused;
    tsimcne_progress p = {.struct_size = sizeof p};
    if (raise_status(tsimcne_trainer_progress(((Trainer *)object)->handle, &p)) != 0) {
        return NULL;
    }
    return numbers_as_dict(&p, "progress");
}

static PyObject *trainer_seek(PyObject *object, PyObject *mapping) {
    tsimcne_progress p;
    if (read_numbers(mapping, "progress", &p, NULL) != 0) {
        return NULL;
    }
    return none_or_error(tsimcne_trainer_seek(((Trainer *)object)->handle, &p));
}

static PyObject *trainer_stretch(PyObject *object, PyObject *remaining) {
    long long steps = PyLong_AsLongLong(remaining);
    if (steps == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return none_or_error(tsimcne_trainer_stretch(((Trainer *)object)->handle, steps));
}

static PyObject *trainer_exchange_averages(PyObject *object, PyObject *unused) {
    (void)unused;
    return none_or_error(tsimcne_trainer_exchange_averages(((Trainer *)object)->handle));
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

static PyObject *trainer_set_loss(PyObject *object, PyObject *value) {
    double loss = PyFloat_AsDouble(value);
    if (PyErr_Occurred()) {
        return NULL;
    }
    return none_or_error(tsimcne_trainer_set_loss(((Trainer *)object)->handle, loss));
}

static PyObject *trainer_memory(PyObject *object, PyObject *unused) {
    (void)unused;
    int64_t bytes = 0;
    if (raise_status(tsimcne_trainer_memory(((Trainer *)object)->handle, &bytes)) != 0) {
        return NULL;
    }
    return PyLong_FromLongLong(bytes);
}

static PyObject *trainer_order(PyObject *object, PyObject *target) {
    Py_buffer view;
    if (borrow(target, &view, "indices", "lq", true) != 0) {
        return NULL;
    }
    int32_t status = tsimcne_trainer_order(((Trainer *)object)->handle, view.buf, view.len / 8);
    PyBuffer_Release(&view);
    return none_or_error(status);
}

static PyMethodDef trainer_methods[] = {
    {"advance", trainer_advance, METH_NOARGS, NULL},
    {"supply", trainer_supply, METH_O, NULL},
    {"abandon", trainer_abandon, METH_NOARGS, NULL},
    {"close", trainer_close, METH_NOARGS, NULL},
    {"arrays", trainer_arrays, METH_NOARGS, NULL},
    {"array", trainer_array, METH_VARARGS, NULL},
    {"set_array", trainer_set_array, METH_VARARGS, NULL},
    {"progress", trainer_progress, METH_NOARGS, NULL},
    {"seek", trainer_seek, METH_O, NULL},
    {"stretch", trainer_stretch, METH_O, NULL},
    {"order", trainer_order, METH_O, NULL},
    {"memory", trainer_memory, METH_NOARGS, NULL},
    {"set_loss", trainer_set_loss, METH_O, NULL},
    {"exchange_averages", trainer_exchange_averages, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot trainer_slots[] = {
    {Py_tp_init, trainer_init},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_dealloc, trainer_dealloc},
    {Py_tp_methods, trainer_methods},
    {0, NULL},
};

PyType_Spec trainer_spec = {"tsimcne_swift._core.Trainer", sizeof(Trainer), 0, Py_TPFLAGS_DEFAULT,
                            trainer_slots};

PyTypeObject *make_event_type(void) {
    enum { MOST = 32 };
    static PyStructSequence_Field fields[MOST];
    static PyStructSequence_Desc description = {"tsimcne_swift._core.Event", NULL, fields, 0};
    const tables_structure *table = tables_structure_named("event");
    int count = 0;
    for (; count < table->count && count < MOST - 2; count++) {
        fields[count].name = table->numbers[count].name;
    }
    fields[count++].name = "indices";
    description.n_in_sequence = count;
    return PyStructSequence_NewType(&description);
}
