"""Many fits and transforms in one process take no more memory, files or threads than a few."""

import gc
import os
import subprocess
import sys

import pytest
from helpers import cases, images, program, small


def held():
    """Numbers of resident pages, open files and threads."""
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return pages, len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))


def repeat(count, work):
    """Compares what is held after the tenth time with what is held at the end."""
    for i in range(count):
        work(i)
        if i == 9:
            gc.collect()
            tenth = held()
    gc.collect()
    last = held()
    assert last[0] < 1.02 * tenth[0] and last[1:] == tenth[1:], (tenth, last)


def fits(path, count):
    X = images(60)

    def fit(i):
        if os.path.exists(path):
            os.unlink(path)
        small(n_jobs=2, random_state=i, checkpoint=path, optimizer=("sgd", "adamw")[i % 2]).fit(X)

    repeat(count, fit)


def transforms(count):
    X, model = images(60), small(n_jobs=2).fit(images(60))
    repeat(count, lambda i: model.transform(X[: 1 + i % 60]))


@pytest.mark.parametrize("name", ["fits", "transforms"])
def test_many(name, tmp_path):
    """In a process of its own: what other tests have left open may be closed at any time."""
    work = {
        "fits": f"fits({str(tmp_path / 'run.ckpt')!r}, {cases(40, 200)})",
        "transforms": f"transforms({cases(200, 2000)})",
    }[name]
    run = subprocess.run([sys.executable, "-c", program(__file__, work)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
