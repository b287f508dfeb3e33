"""Children that are forked at the worst moment: they lack the threads that were at work, and need none."""

import copy
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from contextlib import contextmanager

import numpy as np
import pytest
from helpers import assert_same_bits, cases, images, small
from threadpoolctl import threadpool_info

FORKS = cases(3, 50)


# What a child says of itself.
WELL, FAILED, OTHER_MOMENT = 0, 1, 2


def in_child(body):
    """Fork, and fail as ``body`` fails there; return whether it says that the moment was the wanted one."""
    child = os.fork()
    if child == 0:
        signal.alarm(120)
        code = FAILED
        try:
            code = OTHER_MOMENT if body() is False else WELL
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
            sys.__stderr__.flush()
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (WELL, OTHER_MOMENT)
    return code == WELL


@contextmanager
def repeated(function):
    """Call ``function`` in a thread of its own, again and again; give the list of its results."""
    results, ends = [], threading.Event()

    def run():
        while not ends.is_set():
            results.append(function())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield results
    finally:
        ends.set()
        thread.join()


def wait_until_mapping(model):
    """Wait until another thread has the lock of a model, in which it calls the core."""
    ends = time.monotonic() + 60
    while not model._network._alone().locked():
        assert time.monotonic() < ends
        time.sleep(0.001)


@pytest.fixture(scope="module")
def model():
    return small(width=16, n_jobs=2).fit(images(64, (32, 32, 3)))


@pytest.fixture(scope="module")
def many():
    return images(512, (32, 32, 3))


USES = {
    "transform": lambda model, X: model.transform(X[:70]),
    "features": lambda model, X: model.features(X[:70]),
    "pickle": lambda model, X: pickle.loads(pickle.dumps(model)).transform(X[:70]),
    "copy": lambda model, X: copy.deepcopy(model).embedding_,
    "state dict": lambda model, X: np.concatenate([v.ravel() for v in model.to_state_dict().values()]),
    "continue": lambda model, X: small(width=16, init=model, total_epochs=[1]).fit_transform(X[:64]),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_model_that_another_thread_maps_with_can_be_used_in_a_child(model, many, use):
    wanted, mapped = use(model, many), model.transform(many)
    with repeated(lambda: model.transform(many)) as results:
        for _ in range(FORKS):
            wait_until_mapping(model)
            in_child(lambda: assert_same_bits(use(model, many), wanted))
    for result in results:
        assert_same_bits(result, mapped)


def test_a_model_that_another_thread_maps_with_goes_to_a_pool(model, many):
    wanted = model.transform(many[:70])
    with repeated(lambda: model.transform(many)):
        for _ in range(FORKS):
            wait_until_mapping(model)
            with multiprocessing.get_context("fork").Pool(2) as pool:
                for result in pool.map(model.transform, [many[:70]] * 4):
                    assert_same_bits(result, wanted)


@contextmanager
def training(**changes):
    """The innards of a training that another thread is at."""
    seen, found, ends = [], threading.Event(), threading.Event()

    def look(record):
        seen.append(record.make_embedding.__self__)
        found.set()
        return ends.is_set()

    options = {"width": 16, "n_jobs": 2, "total_epochs": [10**6], "callbacks": look} | changes
    thread = threading.Thread(target=small(**options).fit, args=(images(64, (32, 32, 3)),))
    thread.start()
    assert found.wait(60)
    try:
        yield seen[0]
    finally:
        ends.set()
        thread.join()


def test_a_trainer_that_another_thread_advances_is_refused_in_a_child():
    refused = r"changing \d+ when this process was forked; destroy it"

    def look(of):
        trainer, model = of.trainer, of.network.core
        try:
            trainer.progress()
            return False  # the other thread was between two calls
        except ValueError:
            pass
        for use in (trainer.advance, trainer.arrays, trainer.exchange_averages, model.arrays):
            with pytest.raises(ValueError, match=refused):
                use()
        trainer.close()
        with pytest.raises(ValueError, match="not a live model or trainer"):
            trainer.advance()
        return True

    hits = 0
    with training() as of:
        for _ in range(30 * FORKS):
            time.sleep(0.005)
            hits += in_child(lambda: look(of))
            if hits == FORKS:
                return
    raise AssertionError(f"{hits} of {FORKS} times while it was advanced")


def blas_threads():
    return [
        (pool["filepath"], pool["num_threads"])
        for pool in threadpool_info()
        if pool["internal_api"] == "openblas"
    ]


def test_openblas_has_its_threads_in_a_child():
    before = blas_threads()

    def use_them():
        assert blas_threads() == before
        matrix = np.ones((700, 700))
        assert (matrix @ matrix == 700).all()
        # A training finds the number of threads and leaves it so.
        small(n_jobs=2).fit(images())
        assert blas_threads() == before

    with training():
        for _ in range(FORKS):
            time.sleep(0.005)
            in_child(use_them)
    assert blas_threads() == before


class Sliced:
    """Images that are read block by block, by a thread that reads ahead."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.chunks = (8, *array.shape[1:])

    def __len__(self):
        return len(self.array)

    def __getitem__(self, rows):
        time.sleep(0.001)
        return self.array[rows]


@pytest.mark.parametrize("stored", [False, True])
def test_a_child_of_a_callback_maps_and_trains_on(stored):
    X = Sliced(images(100)) if stored else images(100)
    options = {"n_jobs": 2, "total_epochs": [2, 1, 1]}
    wanted = small(**options).fit(X).embedding_
    forked = []

    def fork(record):
        if not forked:
            forked.append(os.fork())
            if forked == [0]:
                signal.alarm(60)
        record.embedding()

    code = 1
    try:
        embedding = small(callbacks=fork, **options).fit(X).embedding_
        code = int(embedding.tobytes() != wanted.tobytes())
    finally:
        if forked == [0]:
            os._exit(code)
    assert code == 0
    assert os.waitstatus_to_exitcode(os.waitpid(forked[0], 0)[1]) == 0
