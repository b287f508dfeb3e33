"""Threads, processes and interpreters around a training; what belongs to the caller stays as it was."""

import copy
import multiprocessing
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from helpers import assert_same_bits, cases, images, small
from threadpoolctl import threadpool_info
from tsimcne_swift import TSimCNE

X = images(60)


def fitted(seed):
    return small(random_state=seed, n_jobs=2).fit_transform(X)


def test_two_estimators_in_two_threads():
    alone = [fitted(seed) for seed in (0, 1)]
    for _ in range(cases(3, 50)):
        with ThreadPoolExecutor(2) as pool:
            for ours, wanted in zip(pool.map(fitted, (0, 1)), alone, strict=True):
                assert_same_bits(ours, wanted)


def test_eight_threads_map_with_one_model():
    model = small(n_jobs=2).fit(X)
    parts = [X[i::8] for i in range(8)] * cases(4, 100)
    wanted = [model.transform(part) for part in parts[:8]]
    with ThreadPoolExecutor(8) as pool:
        for i, ours in enumerate(pool.map(model.transform, parts)):
            assert_same_bits(ours, wanted[i % 8])


@pytest.mark.parametrize(
    "use", [TSimCNE.to_state_dict, pickle.dumps, copy.deepcopy], ids=lambda use: use.__name__
)
def test_a_model_that_another_thread_maps_with(use):
    model = small(n_jobs=2).fit(X)
    many, ends = np.repeat(X, 8, axis=0), threading.Event()

    def map_on():
        while not ends.is_set():
            model.transform(many)

    with ThreadPoolExecutor(1) as pool:
        mapping = pool.submit(map_on)
        try:
            for _ in range(cases(20, 500)):
                use(model)
        finally:
            ends.set()
        mapping.result()


@pytest.mark.parametrize("ema_decay", [None, 0.9])
def test_other_threads_ask_for_the_map(ema_decay):
    """They get the map while the callback runs, and an error afterwards; training ends as without them."""
    options = {"n_jobs": 2, "total_epochs": [4, 2, 2], "ema_decay": ema_decay}
    maps = []
    wanted = small(callbacks=lambda record: maps.append(record.embedding()), **options).fit_transform(X)

    def ask(record):
        """The maps that there were, until there are no more."""
        found = []
        with pytest.raises(ValueError, match=r"^embedding: training has gone on"):
            while True:
                found.append(record.embedding())
        return found

    for _ in range(cases(5, 60)):
        asked = []
        with ThreadPoolExecutor(16) as pool:

            def look(record, pool=pool, asked=asked):
                asked.append([pool.submit(ask, record), pool.submit(ask, record)])
                record.embedding()

            assert_same_bits(small(callbacks=look, **options).fit_transform(X), wanted)
        for i, futures in enumerate(asked):
            for found in (found for future in futures for found in future.result()):
                assert any(found.tobytes() == later.tobytes() for later in maps[i:])


def test_more_jobs_than_cores():
    assert_same_bits(small(n_jobs=37).fit_transform(X), small(n_jobs=1).fit_transform(X))


def test_jobs_whose_address_space_is_larger_than_the_memory():
    options = {"total_epochs": [1], "batch_size": len(X)}
    ours, wanted = (small(n_jobs=n, **options).fit_transform(X) for n in (200, 1))
    assert_same_bits(ours, wanted)


def test_address_space_that_jobs_do_not_get():
    program = """
import resource, numpy as np
from tsimcne_swift import TSimCNE
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
X = np.zeros((64, 8, 8), np.uint8)
try:
    TSimCNE(width=4, total_epochs=[1], n_jobs=100).fit(X)
except MemoryError as error:
    print(error)
TSimCNE(width=4, total_epochs=[1], n_jobs=2).fit(X)
"""
    # OpenBLAS, whose buffers these are, is not used where it does not know the processor.
    environment = os.environ | {"OPENBLAS_CORETYPE": "Haswell"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(
        r"a step of 64 images on 100 threads needs about [1-9]\d* MiB, and 12800 MiB of address space "
        r"beside it, more than can be had\n",
        done.stdout,
    )


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_joblib(backend):
    wanted = [fitted(seed) for seed in range(3)]
    ours = joblib.Parallel(n_jobs=2, backend=backend)(joblib.delayed(fitted)(seed) for seed in range(3))
    for one, other in zip(ours, wanted, strict=True):
        assert_same_bits(one, other)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing_after_training_here(method):
    wanted = fitted(0)
    with multiprocessing.get_context(method).Pool(2) as pool:
        for ours in pool.map(fitted, [0, 0, 0]):
            assert_same_bits(ours, wanted)


def test_fork_while_another_thread_trains():
    """The child has none of the threads, and trains all the same; the parent notices nothing."""
    wanted, ends = fitted(0), threading.Event()
    seen = []

    def train():
        while not ends.is_set():
            seen.append(fitted(0).tobytes() == wanted.tobytes())

    trainer = threading.Thread(target=train)
    trainer.start()
    try:
        for _ in range(cases(5, 50)):
            child = os.fork()
            if child == 0:
                signal.alarm(60)
                os._exit(0 if fitted(0).tobytes() == wanted.tobytes() else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        ends.set()
        trainer.join()
    assert all(seen)


PROGRAMS = {
    "exit while a daemon trains": """
import threading, numpy as np
from tsimcne_swift import TSimCNE
X, trains = np.zeros((64, 8, 8), np.uint8), threading.Event()
model = TSimCNE(width=4, total_epochs=[100_000], n_jobs=2, callbacks=lambda record: trains.set())
threading.Thread(target=model.fit, args=(X,), daemon=True).start()
assert trains.wait(50)
""",
    "exit from a callback": """
import sys, numpy as np
from tsimcne_swift import TSimCNE
TSimCNE(width=4, total_epochs=[3], callbacks=lambda record: sys.exit(0)).fit(np.zeros((64, 8, 8), np.uint8))
""",
    "fit at exit": """
import atexit, numpy as np
from tsimcne_swift import TSimCNE
atexit.register(TSimCNE(width=4, total_epochs=[1], n_jobs=2).fit, np.zeros((64, 8, 8), np.uint8))
""",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_interpreter_ends(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_subinterpreters_are_refused():
    program = """
import sys
import tsimcne_swift
# Python 3.13 has another name for it, and returns what earlier ones raise.
if sys.version_info < (3, 13):
    import _xxsubinterpreters as interpreters
else:
    import _interpreters as interpreters
try:
    said = str(interpreters.run_string(interpreters.create(), "import tsimcne_swift"))
except interpreters.RunFailedError as error:
    said = str(error)
print("ImportError" in said and "interpreter" in said)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.strip() == "True", done.stdout + done.stderr


def test_what_belongs_to_the_caller_stays():
    def state():
        pools = [{k: v for k, v in pool.items() if k != "filepath"} for pool in threadpool_info()]
        handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
        return dict(os.environ), handlers, np.geterr(), pools, np.float32(1e-40) * np.float32(1)

    before = state()
    model = small(n_jobs=2).fit(X)
    model.transform(X)
    model.features(X)
    assert state() == before
