// Words of patches.
#include "core.h"

PyObject *core_describe_patches(PyObject *module, PyObject *args, PyObject *kwargs) {
    (void)module;
    static const char *const others[] = {"whitening", "word_values", "vectors", "threads", NULL};
    enum { WHITENING, WORDS, VECTORS, COUNT };
    PyObject *input, *target;
    tsimcne_patches patches;
    if (!PyArg_ParseTuple(args, "OO", &input, &target) ||
        read_numbers(kwargs, "patches", &patches, others) != 0) {
        return NULL;
    }
    long threads = PyLong_AsLong(keyword(kwargs, "threads"));
    if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    Py_buffer source, output, views[COUNT];
    memset(views, 0, sizeof views);
    tsimcne_images images;
    if (borrow_images_and_output(input, &source, &images, target, &output) != 0) {
        return NULL;
    }
    PyObject *result = NULL;
    for (int i = 0; i < COUNT; i++) {
        PyObject *object = keyword(kwargs, others[i]);
        if ((i != VECTORS || object != Py_None) && borrow(object, &views[i], others[i], "f", false) != 0) {
            goto done;
        }
    }
    // What the core refuses is not multiplied here.
    int64_t side = patches.side >= 1 && patches.side <= 64 ? patches.side : 0;
    int64_t depth = images.channels <= 4096 ? side * side * images.channels : 0;
    int64_t components = patches.components, words = patches.words;
    if (depth > 4096 || components < 1 || components > 4096) {
        depth = 0;
    }
    if (depth > 0 &&
        (views[WHITENING].len / 4 != components * depth || views[WORDS].len / 4 != words * components ||
         (views[VECTORS].buf != NULL && views[VECTORS].len / 4 != words * patches.dimension))) {
        PyErr_Format(PyExc_ValueError,
                     "whitening, word_values, vectors: want shapes (%d, %lld), (%d, %d) and (%d, %d)",
                     patches.components, (long long)depth, patches.words, patches.components, patches.words,
                     patches.dimension);
        goto done;
    }
    patches.whitening = views[WHITENING].buf;
    patches.word_values = views[WORDS].buf;
    patches.vectors = views[VECTORS].buf;
    int32_t status;
    Py_BEGIN_ALLOW_THREADS
        status = tsimcne_patches_describe(&patches, &images, (int32_t)threads, output.buf, output.len / 4);
    Py_END_ALLOW_THREADS
    result = none_or_error(status);
done:
    for (int i = 0; i < COUNT; i++) {
        PyBuffer_Release(&views[i]);
    }
    PyBuffer_Release(&source);
    PyBuffer_Release(&output);
    return result;
}
