// Arrays of a model or trainer by name, as copies.
#include "core.h"

PyObject *list_arrays(tsimcne_handle handle) {
    int64_t count = 0;
    if (raise_status(tsimcne_array_count(handle, &count)) != 0) {
        return NULL;
    }
    PyObject *list = PyList_New(0);
    for (int64_t i = 0; list != NULL && i < count; i++) {
        tsimcne_array array = {.struct_size = sizeof array};
        PyObject *item = NULL;
        if (raise_status(tsimcne_array_at(handle, i, &array)) == 0) {
            // The name is made first: making a tuple may run a collector of garbage, and so another thread.
            PyObject *name = PyUnicode_FromString(array.name);
            item = name == NULL ? NULL : Py_BuildValue("(iN)", (int)array.kind, name);
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

// The native format of an array's values, and their size.
static const char *format_of(const tsimcne_array *array, Py_ssize_t *size) {
    *size = array->type == TSIMCNE_FLOAT64 ? 8 : 4;
    return array->type == TSIMCNE_FLOAT64 ? "d" : array->type == TSIMCNE_INT32 ? "i" : "f";
}

PyObject *copy_array(tsimcne_handle handle, PyObject *args) {
    int kind;
    const char *name;
    tsimcne_array array;
    if (!PyArg_ParseTuple(args, "is", &kind, &name) || find_array(handle, kind, name, &array) != 0) {
        return NULL;
    }
    Py_ssize_t size;
    const char *format = format_of(&array, &size);
    // The values are copied first: making a tuple may run a collector of garbage, and so another thread.
    PyObject *values = PyByteArray_FromStringAndSize(array.data, array.count * size);
    PyObject *shape = values == NULL ? NULL : PyTuple_New(array.rank);
    for (int i = 0; shape != NULL && i < array.rank; i++) {
        PyObject *length = PyLong_FromLongLong(array.shape[i]);
        if (length == NULL || PyTuple_SetItem(shape, i, length) != 0) {
            Py_CLEAR(shape);
        }
    }
    if (shape == NULL) {
        Py_XDECREF(values);
        return NULL;
    }
    // "N" takes over both references, also when it fails.
    return Py_BuildValue("(NsN)", shape, format, values);
}

PyObject *write_array(tsimcne_handle handle, PyObject *args) {
    int kind;
    const char *name;
    PyObject *object;
    tsimcne_array array;
    if (!PyArg_ParseTuple(args, "isO", &kind, &name, &object) ||
        find_array(handle, kind, name, &array) != 0) {
        return NULL;
    }
    Py_ssize_t size;
    const char *format = format_of(&array, &size);
    Py_buffer view;
    if (borrow(object, &view, "values", format, false) != 0) {
        return NULL;
    }
    // The array is asked for again: borrowing runs code of the object's, and so maybe another thread.
    if (find_array(handle, kind, name, &array) != 0) {
        PyBuffer_Release(&view);
        return NULL;
    }
    if (view.len != array.count * size) {
        PyErr_Format(PyExc_ValueError, "values: got %zd bytes, want %lld values for %s", view.len,
                     (long long)array.count, name);
        PyBuffer_Release(&view);
        return NULL;
    }
    memcpy(array.data, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    Py_RETURN_NONE;
}
