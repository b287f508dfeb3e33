// Neighbours among very many rows.
#include "core.h"

PyObject *core_halve(PyObject *module, PyObject *args, PyObject *kwargs) {
    (void)module;
    static char *names[] = {"rows", "order", "runs", "tree", "threads", NULL};
    PyObject *row_object, *order_object;
    long long runs = 0, tree = -1;
    int threads = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|$LLi", names, &row_object, &order_object, &runs, &tree,
                                     &threads)) {
        return NULL;
    }
    Py_buffer rows = {0}, order = {0};
    PyObject *result = NULL;
    if (borrow(row_object, &rows, "rows", "f", false) != 0 ||
        borrow(order_object, &order, "order", "i", true) != 0) {
        goto done;
    }
    if (rows.ndim != 2 || order.len != 4 * rows.shape[0]) {
        PyErr_SetString(PyExc_ValueError, "rows, order: want shapes (n, columns) and (n,)");
        goto done;
    }
    int32_t status;
    Py_BEGIN_ALLOW_THREADS
        status = tsimcne_halve(rows.buf, rows.shape[0], rows.shape[1], runs, tree, threads, order.buf);
    Py_END_ALLOW_THREADS
    result = none_or_error(status);
done:
    PyBuffer_Release(&rows);
    PyBuffer_Release(&order);
    return result;
}

PyObject *core_refine_neighbors(PyObject *module, PyObject *args, PyObject *kwargs) {
    (void)module;
    static char *names[] = {"rows",   "order", "table", "target",  "reverse", "groups",
                            "blocks", "first", "count", "threads", NULL};
    enum { ROWS, ORDER, TABLE, TARGET, REVERSE, COUNT };
    static const char *const formats[COUNT] = {"f", "i", "i", "i", "i"};
    PyObject *objects[COUNT] = {NULL};
    long long groups = 0, blocks = 0, first = 0, count = 0;
    int threads = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOOO|$OLLLLi", names, &objects[ROWS], &objects[ORDER],
                                     &objects[TABLE], &objects[TARGET], &objects[REVERSE], &groups, &blocks,
                                     &first, &count, &threads)) {
        return NULL;
    }
    Py_buffer views[COUNT];
    memset(views, 0, sizeof views);
    PyObject *result = NULL;
    for (int i = 0; i < COUNT; i++) {
        if (objects[i] != NULL && objects[i] != Py_None &&
            borrow(objects[i], &views[i], names[i], formats[i], i == TARGET) != 0) {
            goto done;
        }
    }
    if (views[ROWS].ndim != 2 || views[TABLE].ndim != 2 || views[ORDER].len != 4 * views[ROWS].shape[0] ||
        views[TABLE].shape[0] != views[ROWS].shape[0] || views[TARGET].len != views[TABLE].len ||
        (views[REVERSE].obj != NULL &&
         (views[REVERSE].ndim != 2 || views[REVERSE].shape[0] != views[ROWS].shape[0]))) {
        PyErr_SetString(PyExc_ValueError, "rows, order, table, target, reverse: want shapes (n, columns), "
                                          "(n,), (n, neighbors) twice and (n, reverse) or None");
        goto done;
    }
    tsimcne_neighbor_graph graph = {
        .struct_size = sizeof graph,
        .rows = views[ROWS].buf,
        .row_count = views[ROWS].shape[0],
        .dimension = views[ROWS].shape[1],
        .order = views[ORDER].buf,
        .groups = groups,
        .blocks = blocks,
        .table = views[TABLE].buf,
        .neighbors = views[TABLE].shape[1],
        .reverse = views[REVERSE].buf,
        .reverse_count = views[REVERSE].obj != NULL ? views[REVERSE].shape[1] : 0,
    };
    int32_t status;
    Py_BEGIN_ALLOW_THREADS
        status = tsimcne_refine_neighbors(&graph, first, count, threads, views[TARGET].buf);
    Py_END_ALLOW_THREADS
    result = none_or_error(status);
done:
    for (int i = 0; i < COUNT; i++) {
        PyBuffer_Release(&views[i]);
    }
    return result;
}

PyObject *core_reverse_neighbors(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *table_object, *reverse_object;
    if (!PyArg_ParseTuple(args, "OO", &table_object, &reverse_object)) {
        return NULL;
    }
    Py_buffer table = {0}, reverse = {0};
    PyObject *result = NULL;
    if (borrow(table_object, &table, "table", "i", false) != 0 ||
        borrow(reverse_object, &reverse, "reverse", "i", true) != 0) {
        goto done;
    }
    if (table.ndim != 2 || reverse.ndim != 2 || table.shape[0] != reverse.shape[0]) {
        PyErr_SetString(PyExc_ValueError, "table, reverse: want shapes (n, neighbors) and (n, reverse)");
        goto done;
    }
    int32_t status;
    Py_BEGIN_ALLOW_THREADS
        status = tsimcne_reverse_neighbors(table.buf, table.shape[0], table.shape[1], reverse.shape[1],
                                           reverse.buf);
    Py_END_ALLOW_THREADS
    result = none_or_error(status);
done:
    PyBuffer_Release(&table);
    PyBuffer_Release(&reverse);
    return result;
}
