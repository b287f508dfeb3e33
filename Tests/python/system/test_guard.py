"""Files that are cut while images in them are read: an error, in every thread, and no process that ends."""

import faulthandler
import mmap
import os
import resource
import signal
import threading

import numpy as np
import pyarrow
import pytest
from helpers import assert_same_bits, images, mapper, small, vectors
from tsimcne_swift import _core, plot
from tsimcne_swift._system.guard import Guard

# Pages enough that most of them lie beyond where the file is cut.
X = images(400, (16, 16))
PAGE = mmap.PAGESIZE


def memory_map(path):
    return np.memmap(path, np.uint8, "r", shape=X.shape)


def mapped(path):
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def from_buffer(path):
    return np.frombuffer(mapped(path), np.uint8).reshape(X.shape)


def from_memoryview(path):
    return memoryview(mapped(path)).cast("B", X.shape)


def from_arrow(path):
    buffer = pyarrow.memory_map(str(path)).read_buffer()
    values = pyarrow.Array.from_buffers(pyarrow.uint8(), X.size, [None, buffer])
    return values.to_numpy(zero_copy_only=True).reshape(X.shape)


def reversed_view(path):
    return memory_map(path)[::-1, :, ::2]


SOURCES = [memory_map, from_buffer, from_memoryview, from_arrow, reversed_view]


@pytest.fixture
def path(tmp_path):
    X.tofile(tmp_path / "images")
    return tmp_path / "images"


def cut(path, length=PAGE):
    os.truncate(path, length)


@pytest.mark.parametrize("opened", SOURCES)
def test_cut_before(path, opened):
    values = opened(path)
    cut(path)
    with pytest.raises(ValueError, match=r"^X: .*images, which has 4096 bytes"):
        small().fit(values)


@pytest.mark.parametrize("opened", SOURCES)
def test_cut_while_training(path, opened):
    values, epochs = opened(path), []

    def callback(record):
        epochs.append(record.epoch)
        cut(path)

    model = small(total_epochs=[50], callbacks=callback)
    with pytest.raises(ValueError, match=r"^X: .*images"):
        model.fit(values)
    assert epochs == [1] and not hasattr(model, "embedding_")


def test_cut_within_a_page(path):
    """Nothing faults: the end of a file's last page reads as zeros."""
    values = memory_map(path)
    with pytest.raises(ValueError, match=r"^X: .*images"):
        small(total_epochs=[50], callbacks=lambda _: cut(path, X.size - 10)).fit(values)


def test_cut_by_another_thread_at_any_moment(path):
    for wait in (0.01, 0.1, 0.3):
        X.tofile(path)
        values = memory_map(path)
        timer = threading.Timer(wait, cut, [path, 0])
        timer.start()
        with pytest.raises(ValueError, match=r"^X: .*images"):
            small(total_epochs=[100_000], n_jobs=2).fit(values)
        timer.join()


def test_no_checkpoint_of_what_was_not_there(path, tmp_path):
    checkpoint = tmp_path / "run.ckpt"
    before = []

    def callback(record):
        before.append(checkpoint.read_bytes())
        cut(path)

    with pytest.raises(ValueError, match=r"^X: "):
        model = small(total_epochs=[50], batch_size=100, callbacks=callback, checkpoint=checkpoint)
        model.set_params(checkpoint_every=1e-9).fit(memory_map(path))
    assert checkpoint.read_bytes() == before[0]


def test_cut_while_mapping(path):
    model = small().fit(X)
    values = memory_map(path)
    assert_same_bits(model.transform(values), model.embedding_)
    cut(path)
    for method in (model.transform, model.features):
        with pytest.raises(ValueError, match=r"^X: .*images"):
            method(values)


def test_cut_floats_and_vectors(tmp_path):
    """They are read by numpy and scikit-learn before the core reads them."""
    for model, values in ((small(), images(400, (16, 16), np.float32)), (mapper(), vectors(4000))):
        for dtype in (np.float32, np.float64):
            values.astype(dtype).tofile(tmp_path / "values")
            given = np.memmap(tmp_path / "values", dtype, "r", shape=values.shape)
            guard = Guard(given)
            cut(tmp_path / "values")
            assert float(given.sum()) == pytest.approx(float(given.ravel()[: PAGE // given.itemsize].sum()))
            with pytest.raises(ValueError, match=r"^X: "):
                guard.check()
            del guard
            with pytest.raises(ValueError, match=r"^X: "):
                model.fit(given)


def test_what_took_a_files_place_is_another_file(path):
    values = memory_map(path)
    other = path.with_name("other")
    other.write_bytes(b"short")
    os.replace(other, path)
    assert_same_bits(small().fit_transform(values), small().fit_transform(X))


def test_the_same_pages_under_two_guards(path):
    values = memory_map(path)
    first, second = Guard(values), Guard(values)
    cut(path)
    assert values[-1].sum() == 0
    del first
    assert values[-1].sum() == 0
    with pytest.raises(ValueError, match=r"^X: "):
        second.check()
    del second
    third = Guard.__new__(Guard)
    third._array, third._files = values, []
    third._handle = _core.guard_create(values.ctypes.data, values.nbytes)
    assert values[-1].sum() == 0
    assert _core.guard_faults(third._handle) == 1


def in_child(program):
    """Exit code and standard error of a forked process that calls ``program``."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writing, 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            program()
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        err = file.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), err


def say_bus_errors():
    faulthandler.enable(file=2)


def nothing():
    pass


@pytest.mark.parametrize("last", ["fault", "signal"])
@pytest.mark.parametrize("before", [nothing, say_bus_errors])
@pytest.mark.parametrize("between", [nothing, say_bus_errors])
def test_other_addresses_end_the_process_as_before(path, before, between, last):
    """So it is with other handlers: one from before, one that came later, and ours in front of that again."""
    values, others = memory_map(path), memory_map(path)

    def program():
        faulthandler.disable()
        before()
        guards = [Guard(values)]
        between()
        guards.append(Guard(values))
        cut(path)
        os.write(2, b"zeros\n" if values[-1].sum() == 0 else b"")
        if last == "signal":
            os.kill(os.getpid(), signal.SIGBUS)
        os.write(2, b"goes on\n" if others[-1].sum() == 0 else b"")

    code, err = in_child(program)
    assert code == -signal.SIGBUS and err.startswith("zeros\n") and "goes on" not in err
    assert ("Bus error" in err) == (say_bus_errors in (before, between))


def test_a_guard_that_ended_leaves_the_fault(path):
    values = memory_map(path)

    def program():
        faulthandler.disable()
        guard = Guard(values)
        cut(path)
        os.write(2, b"zeros\n" if values[-1].sum() == 0 else b"")
        del guard
        os.write(2, b"goes on\n" if values[-1].sum() == 0 else b"")

    assert in_child(program) == (-signal.SIGBUS, "zeros\n")


def test_pythons_handler_is_called(path):
    values = memory_map(path)

    def program():
        signal.signal(signal.SIGBUS, lambda *_: os.write(2, b"called\n"))
        guard = Guard(values)
        os.kill(os.getpid(), signal.SIGBUS)
        cut(path)
        os.write(2, b"zeros\n" if values[-1].sum() == 0 else b"")
        del guard

    assert in_child(program) == (0, "called\nzeros\n")


def test_a_forked_child_is_guarded(path):
    values = memory_map(path)
    guard = Guard(values)

    def program():
        cut(path)
        os.write(2, b"zeros\n" if values[-1].sum() == 0 else b"")
        with pytest.raises(ValueError, match=r"^X: "):
            guard.check()
        os.write(2, b"told\n")

    assert in_child(program) == (0, "zeros\ntold\n")


def test_memory_of_its_own_has_no_guard():
    for array in (X, X[3:], np.frombuffer(bytes(100), np.uint8), np.empty((0, 8, 8), np.uint8)):
        assert Guard(array)._handle is None


def test_cut_while_views_are_drawn(path, monkeypatch):
    augment = _core.augment

    def cutting(*arguments, **options):
        cut(path)
        augment(*arguments, **options)

    monkeypatch.setattr(_core, "augment", cutting)
    with pytest.raises(ValueError, match=r"^X: .*images"):
        plot.views(memory_map(path), n_views=1)
