"""Many fits and transforms in one process take no more memory, files or threads than a few."""

import gc
import os

from helpers import cases, images, small


def held():
    """Numbers of resident pages, open files and threads."""
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return pages, len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))


def repeat(count, work):
    """What is held after the tenth time, and at the end."""
    # Files that an earlier test has left to the collector would be closed in between.
    gc.collect()
    for i in range(count):
        work(i)
        if i == 9:
            tenth = held()
    return tenth, held()


def test_fits(tmp_path):
    X, path = images(60), tmp_path / "run.ckpt"

    def fit(i):
        path.unlink(missing_ok=True)
        small(n_jobs=2, random_state=i, checkpoint=path, optimizer=("sgd", "adamw")[i % 2]).fit(X)

    tenth, last = repeat(cases(40, 200), fit)
    assert last[0] < 1.02 * tenth[0] and last[1:] == tenth[1:]


def test_transforms():
    X, model = images(60), small(n_jobs=2).fit(images(60))
    tenth, last = repeat(cases(200, 2000), lambda i: model.transform(X[: 1 + i % 60]))
    assert last[0] < 1.02 * tenth[0] and last[1:] == tenth[1:]
