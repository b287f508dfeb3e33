// Guards of memory that is a mapped file.
#include "core.h"

PyObject *core_guard_create(PyObject *module, PyObject *args) {
    (void)module;
    unsigned long long address;
    long long bytes;
    tsimcne_handle guard;
    if (!PyArg_ParseTuple(args, "KL", &address, &bytes) ||
        raise_status(tsimcne_guard_create((const void *)(uintptr_t)address, bytes, &guard)) != 0) {
        return NULL;
    }
    return PyLong_FromUnsignedLongLong(guard);
}

PyObject *core_guard_faults(PyObject *module, PyObject *handle) {
    (void)module;
    int64_t faults;
    unsigned long long guard = PyLong_AsUnsignedLongLong(handle);
    if (PyErr_Occurred() || raise_status(tsimcne_guard_faults(guard, &faults)) != 0) {
        return NULL;
    }
    return PyLong_FromLongLong(faults);
}

PyObject *core_guard_destroy(PyObject *module, PyObject *handle) {
    (void)module;
    unsigned long long guard = PyLong_AsUnsignedLongLong(handle);
    return PyErr_Occurred() ? NULL : none_or_error(tsimcne_guard_destroy(guard));
}
