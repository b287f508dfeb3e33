"""What a callback is told, what it may do, and the ones that are built in."""

import csv
import dataclasses
import pickle
import sys

import numpy as np
import pytest
from helpers import assert_same_bits, images, mapper, small, vectors
from sklearn.base import clone
from tsimcne_swift import callbacks


def test_record_is_the_line_of_the_history():
    records = []
    model = small(callbacks=records.append, total_epochs=[2, 1, 1.5]).fit(images())
    assert [record.as_dict() for record in records] == model.history_
    assert [(r.stage, r.epoch) for r in records] == [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2)]
    assert all(np.isfinite(list(row.values())).all() for row in model.history_)


def test_record_cannot_be_changed():
    def change(record):
        record.loss = 0

    with pytest.raises(dataclasses.FrozenInstanceError):
        small(callbacks=change).fit(images())


@pytest.mark.parametrize("ema_decay", [None, 0.9])
def test_embedding_is_the_map_of_that_moment(ema_decay):
    """A run that is stopped at that moment gives the same map."""
    X = images()
    options = {"total_epochs": [2, 1, 2], "ema_decay": ema_decay, "plane": "parametric"}
    maps = []
    model = small(callbacks=lambda record: maps.append(record.embedding()), **options).fit(X)
    assert [Y.shape[1] for Y in maps] == [8, 8, 2, 2, 2]
    for i, Y in enumerate(maps):
        seen = []
        stopped = small(callbacks=lambda _, seen=seen, i=i: seen.append(0) or len(seen) > i, **options)
        assert_same_bits(stopped.fit_transform(X), Y)
    assert_same_bits(maps[-1], model.embedding_)


@pytest.mark.parametrize("ema_decay", [None, 0.9])
@pytest.mark.parametrize(("make", "data"), [(small, images), (mapper, vectors)])
def test_looking_does_not_change_training(make, data, ema_decay):
    X = data()
    alone = make(ema_decay=ema_decay).fit(X)
    watched = make(ema_decay=ema_decay, callbacks=lambda record: record.embedding() is None).fit(X)
    assert_same_bits(watched.embedding_, alone.embedding_)
    assert [row["loss"] for row in watched.history_] == [row["loss"] for row in alone.history_]


def test_embedding_belongs_to_the_caller():
    def spoil(record):
        record.embedding()[:] = np.nan

    assert_same_bits(small(callbacks=spoil).fit_transform(images()), small().fit_transform(images()))


def test_embedding_is_made_while_training_runs():
    records = []
    small(callbacks=records.append).fit(images())
    with pytest.raises(ValueError, match=r"^embedding: training has gone on"):
        records[-1].embedding()


def test_true_stops():
    model = small(callbacks=lambda record: record.epoch == 2, total_epochs=[5, 1, 1]).fit(images())
    assert len(model.history_) == 2 and model.total_epochs_ == [2, 0, 0]
    assert model.embedding_.shape == (40, 8) == model.transform(images()).shape
    assert len(model.get_feature_names_out()) == 8
    stopped = small(callbacks=lambda record: record.stage == 2, total_epochs=[1, 5, 1]).fit(images())
    assert stopped.embedding_.shape == (40, 2) and stopped.total_epochs_ == [1, 1, 0]


@pytest.mark.parametrize("value", [None, False, 0, np.False_])
def test_what_is_not_true_goes_on(value):
    assert len(small(callbacks=lambda record: value).fit(images()).history_) == 3


def test_all_callbacks_see_the_last_epoch():
    seen = []
    small(callbacks=[lambda record: np.True_, seen.append]).fit(images())
    assert len(seen) == 1


@pytest.mark.parametrize("error", [RuntimeError, OSError, KeyboardInterrupt])
def test_error_leaves_the_estimator_as_it_was(error):
    def fail(record):
        if record.stage == 2:
            raise error("mine")

    model = small(callbacks=fail)
    with pytest.raises(error, match="mine"):
        model.fit(images())
    assert not model.__sklearn_is_fitted__()
    model.set_params(callbacks=None).fit(images())
    before, state = model.embedding_, model.to_state_dict()
    with pytest.raises(error, match="mine"):
        model.set_params(callbacks=fail, random_state=5).fit(images(30))
    assert model.embedding_ is before
    assert_same_bits(model.to_state_dict(), state)


def test_fit_in_a_callback():
    """Another estimator may train meanwhile."""
    other = mapper()
    model = small(callbacks=lambda record: other.fit(vectors()) is None).fit(images())
    assert_same_bits(model.embedding_, small().fit_transform(images()))


def test_csv_log(tmp_path):
    path = tmp_path / "run.csv"
    model = small(callbacks=callbacks.CSVLog(path))
    for seed in (1, 2):
        # The second run replaces the first.
        model.set_params(random_state=seed).fit(images())
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == list(model.history_[0])
        assert [{name: float(value) for name, value in row.items()} for row in rows] == model.history_


def test_csv_log_goes_on_after_the_first_epoch(tmp_path):
    """A run that is resumed writes its lines after those that are there."""
    log = callbacks.CSVLog(str(tmp_path / "run.csv"))
    record = callbacks.Record(1, 1, 0.5, 0.1, 1.0, 1.0, 10.0, lambda: None)
    for epoch in (1, 2):
        log(dataclasses.replace(record, epoch=epoch))
    callbacks.CSVLog(log.path)(dataclasses.replace(record, stage=2))
    lines = log.path.read_text().splitlines()
    assert lines[0] == "stage,epoch,loss,lr,temperature,seconds,pairs_per_second"
    assert [line[:3] for line in lines[1:]] == ["1,1", "1,2", "2,1"]


def test_snapshots(tmp_path):
    folder = tmp_path / "new" / "maps"
    every_second = callbacks.EmbeddingSnapshots(folder, every=2)
    model = small(callbacks=every_second, total_epochs=[3, 1, 2], plane="parametric")
    Y = model.fit_transform(images())
    names = ["stage1-epoch001.npy", "stage1-epoch003.npy", "stage2-epoch001.npy", "stage3-epoch001.npy"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert np.load(folder / names[0]).shape == (40, 8)
    model.set_params(callbacks=callbacks.EmbeddingSnapshots(folder)).fit(images())
    assert_same_bits(np.load(folder / "stage3-epoch002.npy"), Y)
    for every in (0, -1, 1.5, None):
        with pytest.raises((ValueError, TypeError), match=r"^every: "):
            callbacks.EmbeddingSnapshots(folder, every=every)


def events(folder):
    """Scalars in the event files of a folder: [(tag, step, value)]."""
    from tensorboardX.proto.event_pb2 import Event

    result = []
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        while data:
            # A record is its length, a checksum, the event, and a checksum.
            length = int.from_bytes(data[:8], "little")
            event = Event.FromString(data[12 : 12 + length])
            result += [(value.tag, event.step, value.simple_value) for value in event.summary.value]
            data = data[16 + length :]
    return result


def test_tensorboard(tmp_path):
    board = callbacks.TensorBoard(tmp_path)
    model = small(callbacks=[board]).fit(images())
    found = events(tmp_path)
    losses = [(step, value) for tag, step, value in found if tag == "loss"]
    assert losses == [(i + 1, np.float32(row["loss"])) for i, row in enumerate(model.history_)]
    assert {tag for tag, _, _ in found} == {
        "loss",
        "lr",
        "temperature",
        "seconds",
        "pairs_per_second",
        "stage",
    }
    # The writer is open, as when search and parallel jobs copy estimators.
    for copy in (clone(model), pickle.loads(pickle.dumps(model))):
        copy.fit(images())
    # All events are of the same second, and each run has a file of its own.
    assert len(events(tmp_path)) == 3 * len(found)


def test_tensorboard_without_its_package(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboardX.event_file_writer", None)
    with pytest.raises(ImportError, match="pip install tensorboardX"):
        small(callbacks=callbacks.TensorBoard(tmp_path)).fit(images())
