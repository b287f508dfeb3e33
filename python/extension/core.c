// The module: functions, constants and types.
#include "core.h"

static PyObject *core_build_info(PyObject *module, PyObject *unused) {
    (void)module;
    (void)unused;
    return PyUnicode_FromString(tsimcne_build_info());
}

static PyObject *core_available_memory(PyObject *module, PyObject *unused) {
    (void)module;
    (void)unused;
    return PyLong_FromLongLong(tsimcne_available_memory());
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
    static char *names[] = {"images",      "output", "augmentation", "seed", "epoch",
                            "first_index", "view",   "threads",      NULL};
    PyObject *input, *target, *mapping;
    unsigned long long seed, epoch, first;
    unsigned int view;
    int threads;
    tsimcne_augmentation augmentation;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO$OKKKIi", names, &input, &target, &mapping, &seed,
                                     &epoch, &first, &view, &threads) ||
        read_numbers(mapping, "augmentation", &augmentation, NULL) != 0) {
        return NULL;
    }
    Py_buffer source, output;
    tsimcne_images images;
    if (borrow_images_and_output(input, &source, &images, target, &output) != 0) {
        return NULL;
    }
    int32_t status;
    Py_BEGIN_ALLOW_THREADS
        status = tsimcne_augment(&images, &augmentation, seed, epoch, first, view, threads, output.buf,
                                 output.len / 4);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&source);
    PyBuffer_Release(&output);
    return none_or_error(status);
}

static PyObject *core_augmentation_preset(PyObject *module, PyObject *number) {
    (void)module;
    long preset = PyLong_AsLong(number);
    if (preset == -1 && PyErr_Occurred()) {
        return NULL;
    }
    tsimcne_augmentation augmentation = {.struct_size = sizeof augmentation};
    if (raise_status(tsimcne_augmentation_preset((int32_t)preset, &augmentation)) != 0) {
        return NULL;
    }
    return numbers_as_dict(&augmentation, "augmentation");
}

static PyMethodDef core_methods[] = {
    {"augmentation_preset", core_augmentation_preset, METH_O, NULL},
    {"build_info", core_build_info, METH_NOARGS, NULL},
    {"available_memory", core_available_memory, METH_NOARGS, NULL},
    {"data_address", core_data_address, METH_O, NULL},
    {"augment", (PyCFunction)(void (*)(void))core_augment, METH_VARARGS | METH_KEYWORDS, NULL},
    {"guard_create", core_guard_create, METH_VARARGS, NULL},
    {"guard_faults", core_guard_faults, METH_O, NULL},
    {"guard_destroy", core_guard_destroy, METH_O, NULL},
    {"nearest", (PyCFunction)(void (*)(void))core_nearest, METH_VARARGS | METH_KEYWORDS, NULL},
    {"halve", (PyCFunction)(void (*)(void))core_halve, METH_VARARGS | METH_KEYWORDS, NULL},
    {"refine_neighbors", (PyCFunction)(void (*)(void))core_refine_neighbors, METH_VARARGS | METH_KEYWORDS,
     NULL},
    {"reverse_neighbors", core_reverse_neighbors, METH_VARARGS, NULL},
    {"directions", (PyCFunction)(void (*)(void))core_directions, METH_VARARGS | METH_KEYWORDS, NULL},
    {"describe_patches", (PyCFunction)(void (*)(void))core_describe_patches, METH_VARARGS | METH_KEYWORDS,
     NULL},
    {"move_points", (PyCFunction)(void (*)(void))core_move_points, METH_VARARGS | METH_KEYWORDS, NULL},
    {"repel_points", (PyCFunction)(void (*)(void))core_repel_points, METH_VARARGS | METH_KEYWORDS, NULL},
    {"infonce", (PyCFunction)(void (*)(void))core_infonce, METH_VARARGS | METH_KEYWORDS, NULL},
    {"infonce_sums", (PyCFunction)(void (*)(void))core_infonce_sums, METH_VARARGS | METH_KEYWORDS, NULL},
    {"infonce_gradient", (PyCFunction)(void (*)(void))core_infonce_gradient, METH_VARARGS | METH_KEYWORDS,
     NULL},
    {NULL, NULL, 0, NULL},
};

static int core_execute(PyObject *module) {
    // Handles are of the process, and numpy would refuse it with fewer words.
    if (PyInterpreterState_GetID(PyInterpreterState_Get()) != 0) {
        PyErr_SetString(PyExc_ImportError,
                        "tsimcne_swift: got a subinterpreter, want the main one; use a process instead");
        return -1;
    }
    if (tsimcne_abi_version() != TSIMCNE_ABI_VERSION) {
        PyErr_Format(PyExc_ImportError, "the core has ABI version %d, the extension wants %d",
                     tsimcne_abi_version(), TSIMCNE_ABI_VERSION);
        return -1;
    }
    State *state = PyModule_GetState(module);
    state->model_type = PyType_FromModuleAndSpec(module, &model_spec, NULL);
    state->trainer_type = PyType_FromModuleAndSpec(module, &trainer_spec, NULL);
    state->event_type = make_event_type();
    if (state->model_type == NULL || state->trainer_type == NULL || state->event_type == NULL ||
        PyModule_AddObjectRef(module, "Model", state->model_type) != 0 ||
        PyModule_AddObjectRef(module, "Trainer", state->trainer_type) != 0 ||
        PyModule_AddObjectRef(module, "Event", (PyObject *)state->event_type) != 0) {
        return -1;
    }
    struct {
        const char *name;
        long value;
    } limits[] = {
        {"ABI_VERSION", TSIMCNE_ABI_VERSION}, {"MOST_STAGES", TSIMCNE_MOST_STAGES},
        {"MOST_HIDDEN", TSIMCNE_MOST_HIDDEN}, {"MOST_LAYERS", TSIMCNE_MOST_LAYERS},
        {"PLANE_PARTS", TSIMCNE_PLANE_PARTS}, {"WIDEST_HIDDEN", TSIMCNE_WIDEST_HIDDEN},
        {"MOST_PARTS", TSIMCNE_MOST_PARTS},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (PyModule_AddIntConstant(module, limits[i].name, limits[i].value) != 0) {
            return -1;
        }
    }
    return add_tables(module);
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
