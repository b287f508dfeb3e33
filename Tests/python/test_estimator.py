"""What the estimator promises to someone who fits and transforms."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import tsimcne_swift
from helpers import images, memory, small
from sklearn.base import clone
from tsimcne_swift import Augmentation, TSimCNE, _core, evaluate, recipes, show_config
from tsimcne_swift._inputs.images import Images


@pytest.mark.parametrize("shape", [(8, 8), (8, 11), (9, 8, 3), (8, 8, 5)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_fit_maps_any_images(shape, dtype):
    X = images(shape=shape, dtype=dtype)
    model = small()
    Y = model.fit_transform(X)
    assert Y.shape == (40, 2) and Y.dtype == np.float32 and np.isfinite(Y).all()
    assert Y is model.embedding_
    np.testing.assert_array_equal(model.transform(X), Y)
    assert model.image_shape_ == (*shape, 1)[:3]
    assert model.n_features_in_ == np.prod(shape)
    assert [row["stage"] for row in model.history_] == [1, 2, 3]
    assert set(model.history_[0]) >= {"epoch", "loss", "lr", "seconds", "pairs_per_second"}
    # As many components of the network's parts, and of the patches' words, as there are images; of its last
    # level as many as it has channels.
    assert model.features(X).shape == (40, 40 + 8 * model.width + 40)
    labels = np.arange(40) % 2
    assert model.score(X, labels) == evaluate(Y, labels)["knn_accuracy"]


def test_flat_images_are_the_same_as_square_ones():
    X = images()
    flat = small().fit_transform(X.reshape(40, 64))
    np.testing.assert_array_equal(flat, small().fit_transform(X))
    colour = images(shape=(8, 8, 3))
    named = small(image_shape=(8, 8, 3)).fit(colour.reshape(40, -1))
    np.testing.assert_array_equal(named.transform(colour.reshape(40, -1)), named.embedding_)
    # Lists hold integers, whose conversion to floats is another.
    listed = named.transform(colour.reshape(40, -1).tolist())
    np.testing.assert_allclose(listed, named.embedding_, rtol=1e-4, atol=1e-4)


def test_same_bits_whatever_the_threads_the_memory_and_the_packing():
    X = images()
    Y = small(n_jobs=1).fit_transform(X)
    np.testing.assert_array_equal(small(n_jobs=2).fit_transform(X), Y)
    np.testing.assert_array_equal(small(n_jobs=3).fit_transform(X), Y)
    # A strided array is converted batch by batch.
    wide = np.repeat(X, 2, axis=2)[:, :, ::2]
    assert not wide.flags.c_contiguous
    model = small().fit(wide)
    np.testing.assert_array_equal(model.embedding_, Y)
    parts = [model.transform(X[a:b]) for a, b in [(0, 1), (1, 17), (17, 40)]]
    np.testing.assert_array_equal(np.concatenate(parts), Y)


def test_another_seed_gives_another_map():
    X = images()
    assert (small().fit_transform(X) != small(random_state=4).fit_transform(X)).any()


def test_input_is_never_changed():
    X = images()
    before = X.copy()
    X.flags.writeable = False
    small().fit(X).transform(X)
    np.testing.assert_array_equal(X, before)


CHANGES = [
    {"n_components": 3},
    {"backbone": "resnet18"},
    {"width": 5},
    {"projection_head": "linear"},
    {"hidden_dim": 12},
    {"pretrain_dim": 6},
    {"metric": "cosine"},
    {"temperature": 0.5},
    {"temperature_lr": 0.1},
    {"dof": 3},
    {"n_views": 3},
    {"augmentation": "microscopy"},
    {"augmentation": Augmentation(crop_area_min=0.5)},
    {"normalize": "dataset"},
    {"normalize": (0.5, 0.25)},
    {"plane": "parametric"},
    {"patch_words": 0},
    {"patch_words": 20},
    {"output_init": "normal"},
    {"total_epochs": [1, 1, 2]},
    {"batch_size": 1000},
    {"optimizer": "adamw"},
    {"lr": [0.1, 0.1, 0.01]},
    {"lr_scheduler": "linear"},
    {"lr_step": "epoch"},
    {"warmup": [0.5, 0, 0]},
    {"momentum": 0.5},
    {"weight_decay": 0.1},
    {"decay_biases": False},
    {"clip_value": 1e-3},
    {"ema_decay": 0.9},
    {"random_state": 4},
]
# They leave the map as it is, or need what other tests have: files, a model, ranks, a clock, a processor.
OTHERS = {"n_jobs", "verbose", "callbacks", "checkpoint", "checkpoint_every", "precision"}
ELSEWHERE = {"image_shape", "init", "align_to", "max_time", "max_memory", "comm", "sync_batchnorm"}


def test_every_option_is_tried():
    tried = {name for changes in CHANGES for name in changes}
    assert tried | OTHERS | ELSEWHERE == set(TSimCNE().get_params())


@pytest.fixture(scope="module")
def plain():
    return small().fit_transform(images())


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_every_option_changes_the_map(changes, plain):
    model = small(**changes)
    Y = model.fit_transform(images())
    assert np.isfinite(Y).all() and Y.shape[1] == changes.get("n_components", 2)
    assert not np.array_equal(Y, plain)
    assert model.batch_size_ == min(changes.get("batch_size", 16), 40)


def test_one_stage_stays_in_high_dimension():
    assert small(total_epochs=[1]).fit_transform(images()).shape == (40, 8)


def test_parameters_are_kept_untouched():
    model = TSimCNE(**recipes.PAPER)
    assert clone(model).get_params() == model.get_params()
    assert model.get_params()["total_epochs"] == [1000, 50, 450]


def test_it_learns_what_differs():
    """Bright and dark images are told apart by their structure alone."""
    rng = np.random.default_rng(1)
    labels = np.arange(200) % 2
    X = np.zeros((200, 12, 12), np.uint8)
    for x, label in zip(X, labels, strict=True):
        offset = rng.integers(0, 3)
        if label:
            x[offset::3] = 255
        else:
            x[:, offset::3] = 255
    X = np.clip(X + rng.integers(0, 40, X.shape), 0, 255).astype(np.uint8)
    model = TSimCNE(width=8, hidden_dim=64, batch_size=50, total_epochs=[15, 2, 4], random_state=0)
    assert model.fit(X).score(X, labels) > 0.95


def watch_threads(work):
    """Most threads that this process had during ``work``, one of which watched."""
    seen, done = [0], threading.Event()

    def watch():
        while not done.wait(0.01):
            seen.append(len(os.listdir("/proc/self/task")))

    watcher = threading.Thread(target=watch)
    watcher.start()
    work()
    done.set()
    watcher.join()
    return max(seen)


def test_forked_child_trains_on_two_threads():
    X = images()
    Y = small(n_jobs=2).fit_transform(X)
    child = os.fork()
    if child == 0:
        # Threads do not survive a fork: this process has one (an emulator has one more), and training the one
        # that watches and the pool's new worker.
        model = small(n_jobs=2, total_epochs=[200, 1, 1])
        alone = len(os.listdir("/proc/self/task"))
        threads = watch_threads(lambda: model.fit(X))
        same = (small(n_jobs=2).fit_transform(X) == Y).all()
        os._exit(0 if same and threads >= alone + 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_interrupt_leaves_the_estimator_as_it_was():
    X = images(400)
    model = small(n_jobs=2).fit(X)
    before = model.embedding_
    model.set_params(total_epochs=[100000, 1, 1])
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert time.monotonic() - started < 10
    assert model.embedding_ is before
    np.testing.assert_array_equal(model.transform(X), before)


def test_import_is_light():
    code = "import sys, tsimcne_swift; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    extras = "PIL anywidget matplotlib safetensors tensorboardX tifffile torch tqdm"
    assert not set(extras.split()) & set(run.stdout.split())


def test_config_names_level_and_threads():
    config = show_config()
    assert config["level"] in ("x86-64", "x86-64-v3", "x86-64-v4", "aarch64")
    assert config["threads"] >= 1
    assert config["version"] == tsimcne_swift.__version__


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_four_gigabytes_are_read_in_place(tmp_path, dtype):
    shape = (4 * 2**30 // (32 * 32 * 3 * np.dtype(dtype).itemsize), 32, 32, 3)
    X = np.memmap(tmp_path / "sparse", mode="w+", dtype=dtype, shape=shape)
    assert _core.data_address(X) == X.ctypes.data
    model = _core.Model(
        channels=3, depth=10, base_width=4, hidden_dims=(), output_dim=2, mean=None,
        deviation=None, seed=0,
    )  # fmt: skip
    zeros = "output_start output_scale trains metric learning_rate warmup schedule shape optimizer momentum"
    more = "decays_biases second_momentum weight_decay clip_value view_height view_width neighbors inputs"
    stage = dict.fromkeys([*zeros.split(), *more.split()], 0)
    stage |= {"steps": 1 << 20, "output_dim": 2, "temperature": 1, "augmentation": None}
    stage |= {
        "degrees_of_freedom": 1,
        "temperature_rate": 0,
        "annealed_outputs": b"",
        "annealed_degrees": b"",
    }
    before = memory("VmRSS")
    images = Images(X)
    assert images.direct and memory("VmRSS") - before < 300e6
    trainer = _core.Trainer(
        model, images.whole(), seed=0, batch_size=64, source=_core.SOURCE_IMAGES, threads=2, stages=[stage],
        augmentation=Augmentation()._fields(),
    )  # fmt: skip
    steps = 0
    while steps < 3:
        steps += trainer.advance().kind == _core.EVENT_STEP
        images.forget()
    assert memory("VmRSS") - before < 300e6
    trainer.close()
