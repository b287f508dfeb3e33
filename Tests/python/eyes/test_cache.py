"""What was seen is not looked at again."""

import numpy as np
import pytest
from helpers import images
from onnx_files import network
from tsimcne_swift import Onnx, TSimCNE
from tsimcne_swift._eyes.session import Session

X = images(100, (8, 8, 3))


class Killed(BaseException):
    """An end that nothing in the package handles."""


@pytest.fixture
def counted(monkeypatch):
    """How many images of X each session saw; it can be ended after some."""
    run, seen = Session.run, {"images": 0, "last": 10**9}

    def counting(self, values):
        is_probe = bool((values == 128).all())
        if not is_probe and seen["images"] >= seen["last"]:
            raise Killed
        seen["images"] += 0 if is_probe else len(values)
        return run(self, values)

    monkeypatch.setattr(Session, "run", counting)
    return seen


@pytest.fixture
def model(tmp_path):
    backbone = Onnx(network(tmp_path / "e.onnx"), "imagenet", batch_size=10)
    return TSimCNE(backbone=backbone, random_state=0, checkpoint=tmp_path / "run.ckpt")


def again(model):
    """The same run from its beginning: without the checkpoint, with the features."""
    model.checkpoint.unlink(missing_ok=True)
    return model


def test_a_killed_run_goes_on(model, counted):
    wanted = TSimCNE(backbone=model.backbone, random_state=0).fit(X)
    counted.update(images=0, last=40)
    with pytest.raises(Killed):
        model.fit(X)
    assert counted["images"] == 40
    counted.update(images=0, last=10**9)
    model.fit(X, resume=True)
    assert counted["images"] == 60
    assert np.array_equal(model.embedding_, wanted.embedding_)
    # The checkpoint is there by now: features come from the cache, and the run ends with the same bits.
    model.fit(X, resume=True)
    assert counted["images"] == 60
    assert np.array_equal(model.embedding_, wanted.embedding_)


def test_another_recipe_does_not_look_again(model, counted):
    model.fit(X)
    counted["images"] = 0
    other = again(model).set_params(plane="parametric", total_epochs="fast").fit(X)
    assert counted["images"] == 0 and np.isfinite(other.embedding_).all()


CHANGES = {
    "images": (lambda model, path: (model, X[::-1]), "has features of other images"),
    "network": (
        lambda model, path: (
            model.set_params(backbone=Onnx(network(path, seed=1), "imagenet", batch_size=10)), X,
        ),
        "has features of another network",
    ),
    "preparation": (
        lambda model, path: (model.set_params(backbone=Onnx(path, "clip", batch_size=10)), X),
        "has features with another interpolation, mean, std",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "text"), CHANGES.values(), ids=CHANGES.keys())
def test_a_cache_that_does_not_match_is_named_and_made_anew(change, text, model, counted, tmp_path):
    model.fit(X)
    counted["images"] = 0
    changed, data = change(again(model), tmp_path / "e.onnx")
    with pytest.warns(UserWarning, match=f"cache: .*run.ckpt.features {text}.*; it is made anew"):
        changed.fit(data)
    assert counted["images"] == 100
    assert np.array_equal(changed.transform(data), changed.embedding_)


@pytest.mark.parametrize("place", ["cut", "flipped"])
def test_damage_costs_what_lies_behind_it(place, model, counted, tmp_path):
    wanted = model.fit(X).embedding_
    path = tmp_path / "run.ckpt.features"
    data = bytearray(path.read_bytes())
    # Ten blocks of ten images of six numbers, with their number and digest.
    block = 4 + 10 * 6 * 4 + 16
    at = len(data) - 3 * block + 50
    if place == "cut":
        del data[at:]
    else:
        data[at] ^= 1
    path.write_bytes(data)
    counted["images"] = 0
    assert np.array_equal(again(model).fit(X).embedding_, wanted)
    assert counted["images"] == 30


def test_a_file_of_somebody_else_stays(model, tmp_path):
    (tmp_path / "run.ckpt.features").write_text("mine")
    with pytest.raises(ValueError, match=r"^cache: .* is there, and holds no features; want another name"):
        model.fit(X)
    assert (tmp_path / "run.ckpt.features").read_text() == "mine"


def test_it_lies_where_it_is_told_to(tmp_path, counted):
    path = network(tmp_path / "e.onnx")
    for _ in range(2):
        TSimCNE(backbone=Onnx(path, "imagenet", cache=tmp_path / "seen"), random_state=0).fit(X)
    # Four batches of 32, of which the last is filled up.
    assert counted["images"] == 128
    TSimCNE(backbone=Onnx(path, "imagenet"), random_state=0).fit(X)
    assert counted["images"] == 256


def test_a_checkpoint_of_other_eyes(model, tmp_path):
    model.fit(X)
    other = Onnx(network(tmp_path / "e.onnx", seed=1), "imagenet", batch_size=10, cache=tmp_path / "other")
    with pytest.raises(ValueError, match=r"^backbone: other eyes than those that .*run.ckpt was made with"):
        model.set_params(backbone=other).fit(X, resume=True)
