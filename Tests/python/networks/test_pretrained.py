"""Weights of torchvision's ResNets as a beginning."""

import warnings

import numpy as np
import pytest
from helpers import assert_same_bits, images, small
from safetensors.numpy import save_file
from tsimcne_swift import TSimCNE

X = images(20, (32, 32, 3))
WIDTH = 4


def fitted(**changes):
    return small(**({"backbone": "resnet18_imagenet", "width": WIDTH, "total_epochs": [1]} | changes))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A file with torchvision's names."""
    state = fitted().fit(X)._network.tensors()
    arrays = {n.removeprefix("backbone."): v for n, v in state.items() if n.startswith("backbone.")}
    arrays["fc.weight"], arrays["fc.bias"] = np.zeros((10, 8 * WIDTH), np.float32), np.zeros(10, np.float32)
    path = tmp_path_factory.mktemp("weights") / "resnet18.safetensors"
    save_file(arrays, path)
    return path


def backbone_of(model):
    return {name: value for name, value in model._network.tensors().items() if name.startswith("backbone.")}


def test_begins_with_the_backbone(file):
    """Nothing is trained: what was given is there, with ImageNet's normalisation, and a head of this seed."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        models = [fitted(init=file, lr=0.0, random_state=seed).fit(X) for seed in (0, 1)]
    before = backbone_of(fitted().fit(X))
    for model in models:
        for name, value in backbone_of(model).items():
            if "running" not in name and "num_batches" not in name:
                assert_same_bits(value, before[name])
        np.testing.assert_allclose(model._network.normalization[0], [0.485, 0.456, 0.406])
    assert not np.array_equal(models[0].embedding_, models[1].embedding_)


def test_what_is_known_is_not_turned_away_from(file):
    model = fitted(init=file, total_epochs="fast", callbacks=lambda record: True).fit(X)
    assert model.stages_[0].optimizer == "sgd"


def test_stem_of_small_images(file):
    """An even surface is answered as before."""
    with pytest.warns(RuntimeWarning, match=r"init: its stem of 7×7"):
        model = fitted(backbone="resnet18", init=file, lr=0.0).fit(X)
    small_stem = model._network.tensors()["backbone.conv1.weight"]
    large_stem = fitted().fit(X)._network.tensors()["backbone.conv1.weight"]
    assert small_stem.shape == (WIDTH, 3, 3, 3)
    np.testing.assert_allclose(small_stem.sum(axis=(2, 3)), large_stem.sum(axis=(2, 3)), atol=1e-5)
    # The middle tap of each side is wholly in the middle third.
    np.testing.assert_allclose(
        small_stem[:, :, 1, 1].sum(),
        (large_stem * np.outer(*[[0, 0, 2 / 3, 1, 2 / 3, 0, 0]] * 2)).sum(),
        rtol=1e-4,
        atol=1e-5,
    )


def test_grey_images(file):
    model = fitted(init=file, lr=0.0).fit(images(20, (32, 32)))
    stem = model._network.tensors()["backbone.conv1.weight"]
    colour = fitted().fit(X)._network.tensors()["backbone.conv1.weight"]
    np.testing.assert_allclose(stem[:, 0], colour.sum(axis=1), atol=1e-5)


def test_resumes(file, tmp_path):
    params = {"init": file, "total_epochs": [2], "random_state": 5}
    whole = fitted(**params).fit(X)
    path = tmp_path / "run.ckpt"
    stops = fitted(**params, checkpoint=path, callbacks=lambda record: record.epoch == 1).fit(X)
    assert not np.array_equal(stops.embedding_, whole.embedding_)
    assert_same_bits(fitted(**params, checkpoint=path).fit_transform(X, resume=True), whole.embedding_)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backbone": "mobilenetv3_small"}, "backbone: got 'mobilenetv3_small', but init has the weights"),
        ({"width": 8}, "width: got 8, but init has 4"),
        ({"backbone": "resnet34_imagenet"}, "init: it is no resnet34_imagenet: .* is missing"),
        ({"normalize": "dataset"}, "normalize: excludes init"),
    ],
)
def test_wrong(file, changes, message):
    with pytest.raises(ValueError, match=message):
        fitted(init=file, **changes).fit(X)


def test_other_state_dicts_are_refused(tmp_path):
    save_file({"weight": np.zeros(3, np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="init: "):
        TSimCNE(init=tmp_path / "other.safetensors").fit(X)
