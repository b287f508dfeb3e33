// Neighbours, and points of the plane.
#include "core.h"

// Borrows a matrix of float32; nothing is held after an error.
static int borrow_rows(PyObject *object, Py_buffer *view, const char *name, bool writable) {
    if (borrow(object, view, name, "f", writable) != 0) {
        return -1;
    }
    if (view->ndim != 2) {
        PyErr_Format(PyExc_ValueError, "%s: got %d dimensions, want 2", name, view->ndim);
        PyBuffer_Release(view);
        return -1;
    }
    return 0;
}

PyObject *core_nearest(PyObject *module, PyObject *args, PyObject *kwargs) {
    (void)module;
    static char *names[] = {"rows", "queries", "indices", "own_row", "threads", NULL};
    PyObject *row_object, *query_object, *index_object;
    long long own_row = -1;
    int threads = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOO|$Li", names, &row_object, &query_object,
                                     &index_object, &own_row, &threads)) {
        return NULL;
    }
    // A buffer that was not borrowed is released without effect.
    Py_buffer rows = {0}, queries = {0}, indices = {0};
    PyObject *result = NULL;
    if (borrow_rows(row_object, &rows, "rows", false) != 0 ||
        borrow_rows(query_object, &queries, "queries", false) != 0 ||
        borrow(index_object, &indices, "indices", "i", true) != 0) {
        goto done;
    }
    if (queries.shape[1] != rows.shape[1]) {
        PyErr_SetString(PyExc_ValueError, "queries: want as many columns as rows has");
        goto done;
    }
    if (indices.ndim != 2 || indices.shape[0] != queries.shape[0] || indices.shape[1] > 1024) {
        PyErr_SetString(PyExc_ValueError, "indices: want shape (queries, neighbors up to 1024)");
        goto done;
    }
    int32_t status;
    Py_BEGIN_ALLOW_THREADS
        status = tsimcne_nearest(rows.buf, rows.shape[0], queries.buf, queries.shape[0], own_row,
                                 rows.shape[1], (int32_t)indices.shape[1], threads, indices.buf);
    Py_END_ALLOW_THREADS
    result = none_or_error(status);
done:
    PyBuffer_Release(&rows);
    PyBuffer_Release(&queries);
    PyBuffer_Release(&indices);
    return result;
}

PyObject *core_directions(PyObject *module, PyObject *args, PyObject *kwargs) {
    (void)module;
    static char *names[] = {"rows", "mean", "directions", "deviations", "iterations", "threads", NULL};
    enum { ROWS, MEAN, DIRECTIONS, DEVIATIONS, COUNT };
    PyObject *objects[COUNT];
    int iterations = 0, threads = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOOO|$ii", names, &objects[0], &objects[1], &objects[2],
                                     &objects[3], &iterations, &threads)) {
        return NULL;
    }
    Py_buffer views[COUNT];
    memset(views, 0, sizeof views);
    PyObject *result = NULL;
    for (int i = 0; i < COUNT; i++) {
        if (borrow(objects[i], &views[i], names[i], "f", i != ROWS) != 0) {
            goto done;
        }
    }
    if (views[ROWS].ndim != 2 || views[DIRECTIONS].ndim != 2 ||
        views[DIRECTIONS].shape[1] != views[ROWS].shape[1] || views[DIRECTIONS].shape[0] > 4096 ||
        views[MEAN].len != 4 * views[ROWS].shape[1] ||
        views[DEVIATIONS].len != 4 * views[DIRECTIONS].shape[0]) {
        PyErr_SetString(PyExc_ValueError, "rows, mean, directions, deviations: want shapes (n, columns), "
                                          "(columns,), (up to 4096, columns) and as many deviations");
        goto done;
    }
    int32_t status;
    Py_BEGIN_ALLOW_THREADS
        status = tsimcne_directions(views[ROWS].buf, views[ROWS].shape[0], views[ROWS].shape[1],
                                    (int32_t)views[DIRECTIONS].shape[0], iterations, threads, views[MEAN].buf,
                                    views[DIRECTIONS].buf, views[DEVIATIONS].buf);
    Py_END_ALLOW_THREADS
    result = none_or_error(status);
done:
    for (int i = 0; i < COUNT; i++) {
        PyBuffer_Release(&views[i]);
    }
    return result;
}

PyObject *core_move_points(PyObject *module, PyObject *args, PyObject *kwargs) {
    (void)module;
    static char *names[] = {"positions", "velocities", "gains", "offsets",      "neighbors",
                            "weights",   "repulsion",  "steps", "exaggeration", "rate",
                            "momentum",  "threads",    NULL};
    enum { POSITIONS, VELOCITIES, GAINS, OFFSETS, NEIGHBORS, WEIGHTS, REPULSION, COUNT };
    static const char *const formats[COUNT] = {"f", "f", "f", "lq", "i", "f", "f"};
    PyObject *objects[COUNT] = {0};
    long long steps = 0;
    float exaggeration = 1, rate = -1, momentum = -1;
    int threads = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOOOOO|$OLfffi", names, &objects[0], &objects[1],
                                     &objects[2], &objects[3], &objects[4], &objects[5], &objects[REPULSION],
                                     &steps, &exaggeration, &rate, &momentum, &threads)) {
        return NULL;
    }
    Py_buffer views[COUNT];
    memset(views, 0, sizeof views);
    PyObject *result = NULL;
    for (int i = 0; i < COUNT; i++) {
        if (objects[i] != NULL && objects[i] != Py_None &&
            borrow(objects[i], &views[i], names[i], formats[i], i < OFFSETS) != 0) {
            goto done;
        }
    }
    Py_ssize_t count = views[POSITIONS].len / 8;
    if (views[POSITIONS].ndim != 2 || views[POSITIONS].shape[1] != 2) {
        PyErr_SetString(PyExc_ValueError, "positions: want shape (points, 2)");
        goto done;
    }
    if (views[VELOCITIES].len != views[POSITIONS].len || views[GAINS].len != views[POSITIONS].len) {
        PyErr_SetString(PyExc_ValueError, "velocities, gains: want the shape of positions");
        goto done;
    }
    if (views[REPULSION].buf != NULL && views[REPULSION].len != 12 * count) {
        PyErr_SetString(PyExc_ValueError, "repulsion: want three values for each point");
        goto done;
    }
    int64_t *offsets = views[OFFSETS].buf;
    if (views[OFFSETS].len != 8 * (count + 1) || views[NEIGHBORS].len != views[WEIGHTS].len ||
        offsets[count] != views[NEIGHBORS].len / 4) {
        PyErr_SetString(PyExc_ValueError,
                        "offsets, neighbors, weights: want one offset more than points, and as many "
                        "neighbors and weights as the last offset says");
        goto done;
    }
    tsimcne_points points = {
        .struct_size = sizeof points,
        .count = count,
        .positions = views[POSITIONS].buf,
        .velocities = views[VELOCITIES].buf,
        .gains = views[GAINS].buf,
        .offsets = offsets,
        .neighbors = views[NEIGHBORS].buf,
        .weights = views[WEIGHTS].buf,
        .repulsion = views[REPULSION].buf,
    };
    int32_t status;
    Py_BEGIN_ALLOW_THREADS
        status = tsimcne_move_points(&points, steps, exaggeration, rate, momentum, threads);
    Py_END_ALLOW_THREADS
    result = none_or_error(status);
done:
    for (int i = 0; i < COUNT; i++) {
        PyBuffer_Release(&views[i]);
    }
    return result;
}

PyObject *core_repel_points(PyObject *module, PyObject *args, PyObject *kwargs) {
    (void)module;
    static char *names[] = {"positions", "repulsion", "part", "parts", "threads", NULL};
    PyObject *position_object, *repulsion_object;
    int part = 0, parts = 1, threads = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|$iii", names, &position_object, &repulsion_object,
                                     &part, &parts, &threads)) {
        return NULL;
    }
    Py_buffer positions = {0}, repulsion = {0};
    PyObject *result = NULL;
    if (borrow_rows(position_object, &positions, "positions", false) != 0 ||
        borrow(repulsion_object, &repulsion, "repulsion", "f", true) != 0) {
        goto done;
    }
    if (positions.shape[1] != 2 || repulsion.len != 12 * positions.shape[0]) {
        PyErr_SetString(PyExc_ValueError,
                        "positions, repulsion: want shape (points, 2) and three values for each point");
        goto done;
    }
    int32_t status;
    Py_BEGIN_ALLOW_THREADS
        status = tsimcne_repel_points(positions.buf, positions.shape[0], part, parts, threads, repulsion.buf);
    Py_END_ALLOW_THREADS
    result = none_or_error(status);
done:
    PyBuffer_Release(&positions);
    PyBuffer_Release(&repulsion);
    return result;
}
