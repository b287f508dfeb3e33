"""What goes wrong around a training: killed processes, full disks, interrupts, too little memory."""

import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np
import pytest
from helpers import assert_same_bits, cases, images, memory, program, small
from tsimcne_swift import TSimCNE

X = images(60)


def child(text, *arguments):
    """Another process that begins with what these tests share."""
    command = [sys.executable, "-c", program(__file__, text), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def output_of(text, *arguments):
    process = child(text, *arguments)
    try:
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0, err
    return out


def test_killed_while_it_saves(tmp_path):
    """There is the old file or the new one, whole, and no third."""
    path, chance = tmp_path / "model.safetensors", random.Random(0)
    models = [small(random_state=seed).fit(X) for seed in (0, 1)]
    wanted = [model.embedding_.tobytes() for model in models]
    program = """
        models = [small(random_state=seed).fit(X) for seed in (0, 1)]
        print("begins", flush=True)
        while True:
            for model in models:
                model.save(sys.argv[1])
    """
    models[0].save(path)
    for _ in range(cases(4, 50)):
        process = child(program, path)
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.1))
        process.kill()
        process.communicate()
        assert TSimCNE.load(path).transform(X).tobytes() in wanted


FULL = """
    import warnings

    def fill(record=None):
        # A disk that takes no more than this of a file.
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))

    model = small(random_state=0, callbacks=fill)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.set_params(checkpoint=sys.argv[1] + ".ckpt").fit(X)
    print(any("checkpoint: " in str(w.message) for w in caught))
    try:
        model.save(sys.argv[1])
    except OSError as error:
        print(sys.argv[1] in str(error) or error.filename)
    print(model.transform(X).tobytes() == model.embedding_.tobytes(), len(model.history_))
"""


def test_full_disk(tmp_path):
    """There is a warning or an error; the old file is as it was, and the model is still there."""
    path = tmp_path / "model.safetensors"
    small(random_state=1).fit(X).save(path)
    before = path.read_bytes()
    assert output_of(FULL, path).split()[0] == "True"
    assert output_of(FULL, path).split()[-2:] == ["True", "3"]
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.safetensors"]


@pytest.mark.parametrize("path", ["/proc/model.safetensors", "/proc/self/model.safetensors"])
def test_folder_that_takes_no_file(path):
    model = small().fit(X)
    with pytest.raises(OSError, match="model"):
        model.save(path)
    # Before the first step, not when all is learnt.
    with pytest.raises(OSError, match=r"checkpoint: [\d,]+ bytes cannot be written .*model"):
        small(checkpoint=path, callbacks=lambda record: pytest.fail("was trained")).fit(X)


def test_a_folder_takes_the_place_of_the_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "run.ckpt"

    def replace(record):
        if record.stage == 2:
            path.unlink(missing_ok=True)
            path.mkdir(exist_ok=True)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").mkdir()
    with pytest.warns(RuntimeWarning, match=r"^checkpoint: .*it is in .*elsewhere.*run\.ckpt instead"):
        Y = small(checkpoint=path, checkpoint_every=1e-6, callbacks=replace).fit_transform(X)
    assert_same_bits(Y, small().fit_transform(X))
    # What is there can be gone on from, or is, as here, all of it.
    (rescued,) = (tmp_path / "elsewhere").glob("*/run.ckpt")
    assert_same_bits(small(checkpoint=rescued).fit(X, resume=True).embedding_, Y)


def test_what_was_written_elsewhere_goes_when_the_place_takes_it_again(tmp_path, monkeypatch):
    path = tmp_path / "run.ckpt"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "elsewhere"))
    seen = []

    def come_and_go(record):
        if record.stage == 2:
            path.unlink()
            path.mkdir()
        elif record.stage == 3:
            seen.extend((tmp_path / "elsewhere").iterdir())
            path.rmdir()

    with pytest.warns(RuntimeWarning, match=r"^checkpoint: .*instead"):
        small(checkpoint=path, checkpoint_every=1e9, callbacks=come_and_go).fit(X)
    assert len(seen) == 1 and path.is_file() and not list((tmp_path / "elsewhere").iterdir())


def test_interrupts_at_any_moment():
    """The call is soon back; the model is as it was and usable, and there are no more threads."""
    chance, model = random.Random(0), small(n_jobs=2).fit(X)
    before, threads = model.embedding_, len(os.listdir("/proc/self/task"))
    model.set_params(total_epochs=[100_000, 1, 1])
    for _ in range(cases(5, 50)):
        timer = threading.Timer(chance.uniform(0.001, 0.4), os.kill, (os.getpid(), signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            timer.start()
            model.fit(X)
            time.sleep(10)
        timer.join()
        assert model.embedding_ is before
    assert_same_bits(model.transform(X), before)
    assert len(os.listdir("/proc/self/task")) <= threads
    assert_same_bits(model.set_params(total_epochs=[1, 1, 1]).fit_transform(X), before)


def leave_room(mebibytes):
    """What a child may take from the system from here on."""
    room = memory("VmSize") + (mebibytes << 20)
    resource.setrlimit(resource.RLIMIT_AS, (room, resource.RLIM_INFINITY))


def test_too_little_memory_is_said_before_training():
    out = output_of(
        """
        import re
        leave_room(mebibytes=300)
        seen = []
        large = np.zeros((600, 64, 64, 3), np.uint8)
        try:
            TSimCNE(width=64, batch_size=512, total_epochs=[1], callbacks=seen.append).fit(large)
        except MemoryError as error:
            print(bool(re.search(r"[0-9.]+ [GM]i?B", str(error))), seen)
        # There is room for less.
        print(small(random_state=0).fit_transform(X).shape)
        """
    )
    assert out.splitlines() == ["True []", "(60, 2)"]


def test_a_batch_that_no_machine_has_memory_for(tmp_path):
    """A million large images at once: there may be no numbers for the sizes of a layer's values."""
    out = output_of(
        """
        # Nothing of it is on the disk, or read.
        images = np.memmap(sys.argv[1], np.uint8, "w+", shape=(1 << 20, 1024, 1024, 8))
        wide = [("conv", {"channels": channels, "kernel": 1}) for channels in (4096, 8)] * 8
        for metric in ("cosine", "euclidean"):
            try:
                TSimCNE(metric=metric, backbone=wide, n_views=16, batch_size=1 << 20, total_epochs=[1],
                        normalize=None).fit(images)
            except MemoryError as error:
                print(error)
        """,
        tmp_path / "images",
    )
    assert len(out.splitlines()) == 2
    assert all(line.startswith("a step of 1048576 images on ") for line in out.splitlines())


def test_a_batch_for_which_there_is_no_memory_is_trained_in_parts():
    out = output_of(
        """
        images = np.random.default_rng(0).integers(0, 256, (64, 32, 32, 3), np.uint8)
        model = TSimCNE(width=32, batch_size=64, total_epochs=[1], n_jobs=1, random_state=0)
        leave_room(mebibytes=300)
        try:
            model.fit(images)
        except MemoryError:
            print(model.set_params(max_memory="100MB").fit_transform(images).shape)
        """
    )
    assert out == "(64, 128)\n"


def test_too_little_memory_is_said_before_mapping():
    out = output_of(
        """
        import re
        images = np.zeros((300, 64, 64, 3), np.uint8)
        model = TSimCNE(width=64, batch_size=8, total_epochs=[1, 1, 1], n_jobs=1).fit(images[:8])
        leave_room(mebibytes=300)
        try:
            model.transform(images)
        except MemoryError as error:
            print(bool(re.search(r"[0-9.]+ [GM]i?B", str(error))))
        print(model.transform(images[:8]).shape)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(model.transform(images).shape)
        """
    )
    assert out.splitlines() == ["True", "(8, 2)", "(300, 2)"]


def test_limits_are_set_in_children_only():
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY
    assert np.isfinite(small().fit_transform(X)).all()
