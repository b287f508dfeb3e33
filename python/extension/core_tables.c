// The structures and enumerations of tsimcne.h, between Python's mappings and the core: by their tables, so
// that a number which is added there is known here.
#include "core.h"

static bool is_among(const char *key, const char *const *names) {
    for (; names != NULL && *names != NULL; names++) {
        if (strcmp(key, *names) == 0) {
            return true;
        }
    }
    return false;
}

// The number of a name in a table, or NULL.
static const tables_number *find_number(const tables_structure *table, const char *name) {
    for (int64_t i = 0; i < table->count; i++) {
        if (strcmp(table->numbers[i].name, name) == 0) {
            return &table->numbers[i];
        }
    }
    return NULL;
}

// Whole numbers go in as they are: a double would round those beyond 2^53.
static int read_number(PyObject *item, const tables_number *number, void *structure) {
    char *at = (char *)structure + number->offset;
    long long whole = 0;
    double real = 0;
    switch (number->type) {
    case TABLES_UINT64: {
        unsigned long long value = PyLong_AsUnsignedLongLong(item);
        *(uint64_t *)at = value;
        return value == (unsigned long long)-1 && PyErr_Occurred() ? -1 : 0;
    }
    case TABLES_FLOAT:
    case TABLES_DOUBLE:
        real = PyFloat_AsDouble(item);
        if (real == -1.0 && PyErr_Occurred()) {
            return -1;
        }
        tables_set(structure, number, real);
        return 0;
    default:
        whole = PyLong_AsLongLong(item);
        if (whole == -1 && PyErr_Occurred()) {
            return -1;
        }
    }
    if (number->type == TABLES_INT64) {
        *(int64_t *)at = whole;
    } else if (number->type == TABLES_INT32 && whole >= INT32_MIN && whole <= INT32_MAX) {
        *(int32_t *)at = (int32_t)whole;
    } else if (number->type == TABLES_UINT32 && whole >= 0 && whole <= UINT32_MAX) {
        *(uint32_t *)at = (uint32_t)whole;
    } else {
        PyErr_Format(PyExc_ValueError, "%s: %lld is out of range", number->name, whole);
        return -1;
    }
    return 0;
}

int read_numbers(PyObject *mapping, const char *name, void *structure, const char *const *others) {
    const tables_structure *table = tables_structure_named(name);
    tables_reset(structure, table);
    if (mapping == NULL) {
        return 0;
    }
    if (!PyDict_Check(mapping)) {
        PyErr_Format(PyExc_TypeError, "%s: got %R, want a dict", name, mapping);
        return -1;
    }
    PyObject *key, *item; // borrowed
    Py_ssize_t position = 0;
    while (PyDict_Next(mapping, &position, &key, &item)) {
        const char *word = PyUnicode_AsUTF8AndSize(key, NULL);
        if (word == NULL) {
            return -1;
        }
        if (is_among(word, others)) {
            continue;
        }
        const tables_number *number = find_number(table, word);
        if (number == NULL) {
            PyErr_Format(PyExc_TypeError, "%s: got %R, which it does not have", name, key);
            return -1;
        }
        if (read_number(item, number, structure) != 0) {
            return -1;
        }
    }
    return 0;
}

PyObject *keyword(PyObject *kwargs, const char *name) {
    PyObject *value = kwargs == NULL ? NULL : PyDict_GetItemString(kwargs, name);
    return value != NULL ? value : Py_None;
}

PyObject *number_as_object(const void *structure, const tables_number *number) {
    double value = tables_get(structure, number);
    bool is_real = number->type == TABLES_FLOAT || number->type == TABLES_DOUBLE;
    return is_real ? PyFloat_FromDouble(value) : PyLong_FromDouble(value);
}

PyObject *numbers_as_dict(const void *structure, const char *name) {
    const tables_structure *table = tables_structure_named(name);
    PyObject *result = PyDict_New();
    for (int64_t i = 0; result != NULL && i < table->count; i++) {
        const tables_number *number = &table->numbers[i];
        PyObject *item = number_as_object(structure, number);
        if (item == NULL || PyDict_SetItemString(result, number->name, item) != 0) {
            Py_CLEAR(result);
        }
        Py_XDECREF(item);
    }
    return result;
}

// Reads the address of numbers of 4 bytes in a bytes object, which the mapping keeps alive; returns their
// number, or -1.
static int64_t read_course(PyObject *mapping, const char *key, const void **numbers) {
    *numbers = NULL;
    PyObject *item = PyDict_GetItemString(mapping, key); // borrowed
    if (item == NULL) {
        return 0;
    }
    char *bytes = NULL;
    Py_ssize_t size = 0;
    if (PyBytes_AsStringAndSize(item, &bytes, &size) != 0) {
        return -1;
    }
    *numbers = size >= 4 ? bytes : NULL;
    return size / 4;
}

int read_stage(PyObject *mapping, tsimcne_stage *s, tsimcne_augmentation *augmentation) {
    static const char *const others[] = {"annealed_outputs", "annealed_degrees", "augmentation", NULL};
    if (read_numbers(mapping, "stage", s, others) != 0) {
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
    PyObject *own = PyDict_GetItemString(mapping, "augmentation"); // borrowed
    if (own == NULL || own == Py_None) {
        return 0;
    }
    s->augmentation = augmentation;
    return read_numbers(own, "augmentation", augmentation, NULL);
}

// Adds `value` and takes over the reference to it; returns 0 or -1.
static int add(PyObject *module, const char *name, PyObject *value) {
    int failed = value == NULL || PyModule_AddObjectRef(module, name, value) != 0;
    Py_XDECREF(value);
    return failed ? -1 : 0;
}

// Makes, for each structure, a dict of (usual value, least, largest) by the numbers' names.
static PyObject *all_numbers(void) {
    PyObject *result = PyDict_New();
    for (const tables_structure *table = tables_structures(); result != NULL && table->name != NULL;
         table++) {
        PyObject *rows = PyDict_New();
        for (int64_t i = 0; rows != NULL && i < table->count; i++) {
            const tables_number *number = &table->numbers[i];
            PyObject *limits = Py_BuildValue("(ddd)", number->usual, number->least, number->largest);
            if (limits == NULL || PyDict_SetItemString(rows, number->name, limits) != 0) {
                Py_CLEAR(rows);
            }
            Py_XDECREF(limits);
        }
        if (rows == NULL || PyDict_SetItemString(result, table->name, rows) != 0) {
            Py_CLEAR(result);
        }
        Py_XDECREF(rows);
    }
    return result;
}

int add_tables(PyObject *module) {
    for (const tables_enumeration *table = tables_enumerations(); table->name != NULL; table++) {
        PyObject *words = PyDict_New();
        for (int64_t i = 0; words != NULL && i < table->count; i++) {
            const tables_constant *row = &table->constants[i];
            PyObject *number = PyLong_FromLong(row->number);
            if (number == NULL || PyDict_SetItemString(words, row->word, number) != 0 ||
                PyModule_AddObjectRef(module, row->constant, number) != 0) {
                Py_CLEAR(words);
            }
            Py_XDECREF(number);
        }
        if (add(module, table->name, words) != 0) {
            return -1;
        }
    }
    return add(module, "NUMBERS", all_numbers());
}
