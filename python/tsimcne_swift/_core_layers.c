// A backbone's layers, between Python and the core.
#include "_core.h"

#define MOST_LAYERS 10000

int read_layers(PyObject *object, tsimcne_layer **layers) {
    *layers = NULL;
    if (object == Py_None) {
        return 0;
    }
    // A tuple of tuples: nobody changes it while the core reads the names in it.
    if (!PyTuple_Check(object)) {
        PyErr_Format(PyExc_TypeError, "layers: got %R, want a tuple", object);
        return -1;
    }
    Py_ssize_t count = PyTuple_Size(object);
    if (count < 1 || count > MOST_LAYERS) {
        PyErr_Format(PyExc_ValueError, "layers: got %zd, want 1 to %d", count, MOST_LAYERS);
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
        layer->struct_size = sizeof *layer;
        if (!PyTuple_Check(item)) {
            PyErr_Format(PyExc_TypeError, "layers[%zd]: got %R, want a tuple", i, item);
        } else if (PyArg_ParseTuple(
                       item, "siiiiiiifff;layers: want tuples of a name, seven integers and three numbers",
                       &layer->name, &layer->kind, &layer->channels, &layer->kernel, &layer->stride,
                       &layer->has_bias, &layer->function, &layer->gate, &layer->epsilon, &layer->momentum,
                       &layer->drop)) {
            continue;
        }
        PyMem_Free(*layers);
        *layers = NULL;
        return -1;
    }
    return (int)count;
}
