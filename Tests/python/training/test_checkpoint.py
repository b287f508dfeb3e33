"""Interrupted and resumed training ends with the bits of one that was never interrupted."""

import os
import pickle
import random
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
from helpers import cases, program
from tsimcne_swift import Stage, TSimCNE
from tsimcne_swift._storage.safetensors import encode, read

X = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), dtype=np.uint8)
PLAIN = {
    "width": 4,
    "hidden_dim": 16,
    "pretrain_dim": 8,
    "batch_size": 16,
    "total_epochs": [12, 12, 12],
    "random_state": 3,
}
RICH = PLAIN | {
    "total_epochs": [
        Stage(11.3, 8, metric="cosine"),
        Stage(11.3, 2, "head", neighbors=3, inputs="features"),
        Stage(11.3, 2, neighbors=5),
    ],
    "optimizer": "adamw",
    "ema_decay": 0.9,
    "n_views": 3,
    "normalize": "dataset",
    "hidden_dim": (16, 9),
    "lr": 0.002,
}
CHILD = """
options = {"plain": PLAIN, "rich": RICH}[sys.argv[1]]
report = lambda record: print(record.stage, record.epoch, flush=True)
TSimCNE(**options, checkpoint=sys.argv[2], checkpoint_every=1e-6, callbacks=report,
        n_jobs=int(sys.argv[3])).fit(X, resume=True)
"""


@pytest.mark.parametrize("seed", range(cases(1, 5)))
@pytest.mark.parametrize("name", ["plain", "rich"])
def test_ten_kills_leave_the_bits_as_they_are(name, seed, tmp_path):
    """SIGKILL comes at ten random moments of all three stages, also while the file is written."""
    options = {"plain": PLAIN, "rich": RICH}[name]
    path = tmp_path / "run.ckpt"
    chance = random.Random(f"{name} {seed}")
    # Epochs, counted over the stages, after which to kill: some in each stage.
    moments = [12 * stage + epoch for stage in range(3) for epoch in sorted(chance.sample(range(1, 12), 4))]
    stages = []
    for kill, moment in enumerate(moments[:10]):
        command = [sys.executable, "-c", program(__file__, CHILD), name, str(path), str(kill % 3 + 1)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for line in child.stdout:
            stage, epoch = map(int, line.split())
            if 12 * (stage - 1) + epoch >= moment:
                break
        time.sleep(chance.uniform(0, 0.02))
        child.kill()
        assert child.wait() == -signal.SIGKILL
        child.stdout.close()
        stages.append(read(path)[1]["training"]["progress"]["stage"])
    assert set(stages) == {0, 1, 2}
    model = TSimCNE(**options, checkpoint=path).fit(X, resume=True)
    whole = TSimCNE(**options).fit(X)
    assert model.embedding_.tobytes() == whole.embedding_.tobytes()
    assert pickle.loads(pickle.dumps(model)).transform(X).tobytes() == whole.embedding_.tobytes()
    timeless = [{k: v for k, v in row.items() if "second" not in k} for row in whole.history_]
    assert [{k: v for k, v in row.items() if "second" not in k} for row in model.history_] == timeless


def interrupt_at(stage, epoch):
    def callback(record):
        if (record.stage, record.epoch) == (stage, epoch):
            raise KeyboardInterrupt

    return callback


@pytest.mark.parametrize("moment", [(1, 1), (1, 3), (2, 2), (2, 3), (3, 1), (3, 3)])
@pytest.mark.parametrize("options", [PLAIN, RICH], ids=["plain", "rich"])
def test_an_interrupt_is_resumed_at_any_boundary(moment, options, tmp_path):
    options = options | {"total_epochs": [3, 3, 3]}
    path = tmp_path / "run.ckpt"
    with pytest.raises(KeyboardInterrupt):
        TSimCNE(**options, checkpoint=path, callbacks=interrupt_at(*moment)).fit(X)
    # What was learnt so far can be looked at.
    assert np.isfinite(TSimCNE.load(path).transform(X)).all()
    model = TSimCNE(**options, checkpoint=path, n_jobs=1).fit(X, resume=True)
    np.testing.assert_array_equal(model.embedding_, TSimCNE(**options).fit_transform(X))


def test_a_finished_run_is_read_back(tmp_path):
    path = tmp_path / "run.ckpt"
    first = TSimCNE(**PLAIN, checkpoint=path).fit(X)
    trained = []
    again = TSimCNE(**PLAIN, checkpoint=path, callbacks=trained.append).fit(X, resume=True)
    np.testing.assert_array_equal(again.embedding_, first.embedding_)
    assert not trained and again.history_ == first.history_


def test_a_run_without_seed_goes_on_with_its_own(tmp_path):
    path = tmp_path / "run.ckpt"
    options = PLAIN | {"random_state": None}
    with pytest.raises(KeyboardInterrupt):
        TSimCNE(**options, checkpoint=path, callbacks=interrupt_at(2, 1)).fit(X)
    model = TSimCNE(**options, checkpoint=path).fit(X, resume=True)
    again = TSimCNE(**PLAIN | {"random_state": model.seed_})
    np.testing.assert_array_equal(model.embedding_, again.fit_transform(X))


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "run.ckpt"
    with pytest.raises(KeyboardInterrupt):
        TSimCNE(**PLAIN, checkpoint=path, callbacks=interrupt_at(1, 2)).fit(X)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 8}, r"^width: got 8, but .*run.ckpt was made with 4"),
        ({"lr": 0.1}, "^lr: got 0.1, but .* 'auto'"),
        ({"total_epochs": [12, 12, 13]}, "^total_epochs: got "),
        ({"augmentation": "text"}, "^augmentation: got 'text'"),
        ({"random_state": 4}, "^random_state: got 4, but .* 3"),
        ({"batch_size": 15}, "^batch_size: got 15"),
        ({"hidden_dim": (16, 8)}, r"^hidden_dim: got \[16, 8\], but .* 16"),
        ({"ema_decay": 0.9}, "^ema_decay: got 0.9"),
    ],
)
def test_other_parameters_are_refused(begun, changes, message):
    before = begun.read_bytes()
    with pytest.raises(ValueError, match=message):
        TSimCNE(**PLAIN | changes, checkpoint=begun).fit(X, resume=True)
    assert begun.read_bytes() == before


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (X[:-1], r"^X: got images of shape \[59, 8, 8, 3\], but .* \[60, 8, 8, 3\]"),
        (X[:, ::-1], "^X: got other values, or another order"),
        ((X / 255).astype(np.float32), "^X: got values of type float, but .* uint8"),
    ],
)
def test_other_images_are_refused(begun, other, message):
    with pytest.raises(ValueError, match=message):
        TSimCNE(**PLAIN, checkpoint=begun).fit(other, resume=True)


def test_the_same_images_in_another_layout_are_the_same(begun, tmp_path):
    path = tmp_path / "copy.ckpt"
    path.write_bytes(begun.read_bytes())
    strided = np.repeat(X, 2, axis=2)[:, :, ::2]
    model = TSimCNE(**PLAIN, checkpoint=path).fit(strided, resume=True)
    np.testing.assert_array_equal(model.embedding_, TSimCNE(**PLAIN).fit_transform(X))


def test_a_file_is_never_overwritten_by_a_new_run(begun):
    before = begun.read_bytes()
    with pytest.raises(ValueError, match=r"^checkpoint: .* exists; fit\(X, resume=True\)"):
        TSimCNE(**PLAIN, checkpoint=begun).fit(X)
    assert begun.read_bytes() == before


def test_resume_wants_a_checkpoint_and_a_checkpoint_of_its_kind(tmp_path):
    with pytest.raises(ValueError, match=r"^resume: got True, but checkpoint=None"):
        TSimCNE(**PLAIN).fit(X, resume=True)
    with pytest.raises(ValueError, match=r"^checkpoint_every: .* checkpoint=None"):
        TSimCNE(**PLAIN, checkpoint_every=3).fit(X)
    model = TSimCNE(**PLAIN | {"total_epochs": [1]}).fit(X)
    model.save(tmp_path / "model")
    with pytest.raises(ValueError, match="is not a checkpoint"):
        TSimCNE(**PLAIN, checkpoint=tmp_path / "model").fit(X, resume=True)
    (tmp_path / "model").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=r"^.*model: not a safetensors file"):
        TSimCNE(**PLAIN, checkpoint=tmp_path / "model").fit(X, resume=True)


def training(**values):
    """A change of what a checkpoint says of its training."""

    def change(tensors, document):
        document["training"] |= values

    return change


def within(part, **values):
    def change(tensors, document):
        document["training"][part] |= values

    return change


def without(*keys):
    def change(tensors, document):
        for key in keys[:-1]:
            document = document[key]
        del document[keys[-1]]

    return change


def array(value):
    """A change that puts ``value`` in the place of a momentum."""

    def change(tensors, document):
        name = "momentum/projection_head.layers.2.bias"
        if value is None:
            del tensors[name]
        else:
            tensors[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("training"), "it lacks 'training'"),
        (without("training", "data"), "it lacks 'data'"),
        (without("training", "progress", "stride"), "it lacks 'stride'"),
        (without("params"), "it lacks 'params'"),
        (training(seed=-1), "seed: got -1, want"),
        (training(seed="3"), "seed: got '3', want"),
        (training(seconds=[]), r"seconds: got \[\], want"),
        (training(seconds=10**400), "seconds: got 1000"),
        (training(progress=[]), "list indices must be integers"),
        (within("progress", stage=3), "progress.step"),
        (within("progress", stage=10**30), "progress.stage: got 1000"),
        (within("progress", step=0.5), "progress.step: got 0.5, want a whole number"),
        (within("progress", steps=None), "progress.steps: got None, want"),
        (within("progress", position=1e15), "progress.position: got 1000000000000000.0, want"),
        (within("progress", position=1e3), "progress.position: got 1000.0, want 0.0 to"),
        (within("progress", stride=30), "progress.position . progress.stride"),
        (within("progress", steps=1 << 40), "progress.position . progress.stride"),
        (within("progress", epochs_before=-1), "progress.epochs_before: got -1, want"),
        (within("epoch", steps=-3), "epoch.steps: got -3, want"),
        (within("epoch", loss="x"), "epoch.loss: got 'x', want"),
        (training(stretches=[]), "stretches: got those of 0 stages, want 3"),
        (training(stretches=[[[1]], [], []]), "not enough values"),
        (training(stretches=[[[1, 0]], [], []]), "stretches: got 0, want"),
        (array(None), "it lacks momentum/projection_head.layers.2.bias"),
        (array(np.zeros(3, np.float32)), r"momentum/.*: got float32 of shape \(3,\), want float32 of \(8,\)"),
        (array(np.zeros(8, np.int64)), "momentum/.*: got int64"),
        (array(np.full(8, np.nan, np.float32)), "momentum/.*: got NaN"),
    ],
)
def test_a_damaged_checkpoint_is_named_with_what_is_wrong(begun, tmp_path, change, message):
    tensors, document = read(begun)
    change(tensors, document)
    path = tmp_path / "run.ckpt"
    path.write_bytes(encode(tensors, document))
    with pytest.raises(ValueError, match=rf"^checkpoint: .*run.ckpt is damaged: {message}"):
        TSimCNE(**PLAIN, checkpoint=path).fit(X, resume=True)


def test_a_full_disk_does_not_end_training(tmp_path, monkeypatch):
    path = tmp_path / "run.ckpt"

    def full(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(RuntimeWarning, match=r"^checkpoint: .*No space left"):
        model = TSimCNE(**PLAIN, checkpoint=path).fit(X)
    np.testing.assert_array_equal(model.embedding_, TSimCNE(**PLAIN).fit_transform(X))
    assert not os.listdir(tmp_path)


def test_no_warning_and_no_litter(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TSimCNE(**PLAIN, checkpoint=tmp_path / "run.ckpt", checkpoint_every="1h").fit(X)
    assert os.listdir(tmp_path) == ["run.ckpt"]
