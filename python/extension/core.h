// What the files of the extension share. It borrows buffers, calls the core and releases the GIL meanwhile;
// it has no logic of its own.
#ifndef TSIMCNE_SWIFT_CORE_H
#define TSIMCNE_SWIFT_CORE_H

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "tables.h"

typedef struct {
    PyObject_HEAD tsimcne_handle handle;
} Model;

typedef struct {
    PyObject_HEAD tsimcne_handle handle;
    PyObject *model;
    Py_buffer images;
    bool holds_images;
    // The process whose thread is in advance() until the event was read, which lies in memory of the trainer.
    pid_t advances_in;
} Trainer;

// The module's state.
typedef struct {
    PyObject *model_type;
    PyObject *trainer_type;
    PyTypeObject *event_type;
} State;

extern PyType_Spec model_spec;
extern PyType_Spec trainer_spec;
// The numbers of tsimcne_event, then its indices as bytes.
PyTypeObject *make_event_type(void);

// Turns the core's status into an exception with its message; 0 or -1, as all functions here.
int raise_status(int32_t status);
// The same for a method's result: None, or NULL with the exception.
PyObject *none_or_error(int32_t status);

// Borrows C-contiguous memory whose native format is one of `formats`; `name` is for the error.
int borrow(PyObject *object, Py_buffer *view, const char *name, const char *formats, bool writable);

// Borrows 4-D uint8 or float32 images and describes them.
int borrow_images(PyObject *object, Py_buffer *view, tsimcne_images *images);

// Borrows the same, and writable float32 memory for what is made of them: both or neither.
int borrow_images_and_output(PyObject *input, Py_buffer *source, tsimcne_images *images, PyObject *target,
                             Py_buffer *output);

// Numbers of a structure ("stage", "trainer", …) from a dict: usual values where it has none, an error where
// it has what the structure has not, apart from `others` (ended by NULL, or NULL). NULL stands for an empty
// dict.
int read_numbers(PyObject *mapping, const char *name, void *structure, const char *const *others);
// A keyword argument that is no number of a structure; borrowed, None where it was not given.
PyObject *keyword(PyObject *kwargs, const char *name);

PyObject *number_as_object(const void *structure, const tables_number *number);
PyObject *numbers_as_dict(const void *structure, const char *name);

// A stage; `augmentation` is where that of the stage goes, if it has one.
int read_stage(PyObject *mapping, tsimcne_stage *s, tsimcne_augmentation *augmentation);

// Adds every enumeration as a dict of its words, every constant, and NUMBERS: the usual value and limits of
// every number of every structure.
int add_tables(PyObject *module);

// Reads layers into `layers`, which becomes NULL or what PyMem_Free takes; returns their number, or -1.
int read_layers(PyObject *object, tsimcne_layer **layers);

// Functions of the module.
PyObject *core_infonce(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *core_infonce_sums(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *core_infonce_gradient(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *core_nearest(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *core_halve(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *core_refine_neighbors(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *core_reverse_neighbors(PyObject *module, PyObject *args);
PyObject *core_directions(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *core_describe_patches(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *core_move_points(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *core_repel_points(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *core_guard_create(PyObject *module, PyObject *args);
PyObject *core_guard_faults(PyObject *module, PyObject *handle);
PyObject *core_guard_destroy(PyObject *module, PyObject *handle);

// Methods that a model and a trainer share: arrays(), array(kind, name), set_array(kind, name, values).
PyObject *list_arrays(tsimcne_handle handle);
PyObject *copy_array(tsimcne_handle handle, PyObject *args);
PyObject *write_array(tsimcne_handle handle, PyObject *args);

#endif
