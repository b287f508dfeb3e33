// A backbone's layers, between Python and the core.
#include "core.h"

int read_layers(PyObject *object, tsimcne_layer **layers) {
    *layers = NULL;
    if (object == Py_None) {
        return 0;
    }
    // A tuple of pairs: nobody changes it while the core reads the names in it.
    if (!PyTuple_Check(object)) {
        PyErr_Format(PyExc_TypeError, "layers: got %R, want a tuple", object);
        return -1;
    }
    Py_ssize_t count = PyTuple_Size(object);
    if (count < 1 || count > TSIMCNE_MOST_LAYERS) {
        PyErr_Format(PyExc_ValueError, "layers: got %zd, want 1 to %d", count, TSIMCNE_MOST_LAYERS);
        return -1;
    }
    *layers = PyMem_Calloc((size_t)count, sizeof **layers);
    if (*layers == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PyTuple_GetItem(object, i); // borrowed
        tsimcne_layer *layer = &(*layers)[i];
        const char *name;
        PyObject *numbers;
        if (!PyTuple_Check(item)) {
            PyErr_Format(PyExc_TypeError, "layers[%zd]: got %R, want a tuple", i, item);
        } else if (PyArg_ParseTuple(item, "sO;layers: want tuples of a name and a dict", &name, &numbers) &&
                   read_numbers(numbers, "layer", layer, NULL) == 0) {
            layer->name = name;
            continue;
        }
        PyMem_Free(*layers);
        *layers = NULL;
        return -1;
    }
    return (int)count;
}
