"""Backbones that are lists of layers."""

import json
import pickle

import numpy as np
import pytest
from helpers import assert_same_bits, images, small
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from tsimcne_swift import TSimCNE, _core
from tsimcne_swift._networks.layers import OPTIONS, check_layers

X = images(40, (16, 12, 3))
LAYERS = [
    ("conv", {"channels": 8, "stride": 2}),
    ("batchnorm", {}),
    ("relu", {}),
    (
        "residual",
        {
            "layers": [
                ("depthwise", {"kernel": 5}),
                ("batchnorm", {}),
                ("silu", {}),
                ("squeeze_excite", {"channels": 2}),
                ("conv", {"channels": 8, "kernel": 1}),
                ("batchnorm", {}),
            ],
            "drop": 0.5,
        },
    ),
    ("maxpool", {}),
    ("conv", {"channels": 12, "kernel": 1, "bias": True}),
]


def layered(**changes):
    return small(**({"backbone": LAYERS} | changes))


def resnet10(width):
    """The core's own ResNet-10, as a list."""

    def conv(name, channels, kernel, stride=1):
        return "conv", {"channels": channels, "kernel": kernel, "stride": stride, "name": name}

    result = [conv("conv1", width, 3), ("batchnorm", {"name": "bn1"}), ("relu", {})]
    for level in range(4):
        at, channels, stride = f"layer{level + 1}.0", width << level, 2 if level else 1
        inner = [
            conv(f"{at}.conv1", channels, 3, stride),
            ("batchnorm", {"name": f"{at}.bn1"}),
            ("relu", {"name": f"{at}.relu"}),
            conv(f"{at}.conv2", channels, 3),
            ("batchnorm", {"name": f"{at}.bn2"}),
        ]
        options = {"layers": inner, "name": at}
        if level:
            side = [
                conv(f"{at}.shortcut.0", channels, 1, 2),
                ("batchnorm", {"name": f"{at}.shortcut.1"}),
            ]
            options["shortcut"] = side
        result += [("residual", options), ("relu", {})]
    return result


def test_resnet_as_a_list_is_the_resnet():
    """Both have the same names, the same first weights, and nearly the same steps."""
    params = {"total_epochs": [2, 1, 1], "normalize": "dataset"}
    own, listed = (small(backbone=b, **params).fit(X) for b in ("resnet10", resnet10(4)))
    assert list(own._network.tensors()) == list(listed._network.tensors())
    losses = [[row["loss"] for row in model.history_] for model in (own, listed)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)
    np.testing.assert_allclose(own.features(X), listed.features(X), rtol=0.05, atol=0.02)


def test_fit_save_load(tmp_path):
    model = layered().fit(X)
    assert model._network.map(model._images(X), 1, _core.OUTPUT_FEATURES).shape == (40, 12)
    model.save(tmp_path / "model.safetensors")
    read = TSimCNE.load(tmp_path / "model.safetensors")
    assert_same_bits(read.transform(X), model.transform(X))
    assert check_layers("backbone", read.backbone) == check_layers("backbone", LAYERS)
    assert_same_bits(pickle.loads(pickle.dumps(model)).transform(X), model.transform(X))
    assert_same_bits(clone(model).fit_transform(X), model.embedding_)
    written = json.loads(json.dumps(LAYERS))
    assert_same_bits(layered(backbone=written).fit_transform(X), model.embedding_)


def test_bits_do_not_depend_on_threads_or_batches():
    models = [layered(n_jobs=jobs).fit(X) for jobs in (1, 2)]
    assert_same_bits(models[0].embedding_, models[1].embedding_)
    whole = models[0].transform(X)
    assert_same_bits(np.concatenate([models[0].transform(X[:7]), models[0].transform(X[7:])]), whole)


def test_resumes(tmp_path):
    path = tmp_path / "run.ckpt"
    whole = layered(total_epochs=[2, 1, 1]).fit(X)

    class Enough(Exception):
        pass

    def stop(record):
        if record.stage == 1 and record.epoch == 2:
            raise Enough

    cut = layered(total_epochs=[2, 1, 1], checkpoint=path, checkpoint_every=1e-6)
    with pytest.raises(Enough):
        clone(cut).set_params(callbacks=stop).fit(X)
    assert_same_bits(cut.fit_transform(X, resume=True), whole.embedding_)


def test_stochastic_depth_is_of_training_alone():
    def model(drop):
        layers = json.loads(json.dumps(LAYERS))
        layers[3][1]["drop"] = drop
        return layered(backbone=layers).fit(X)

    never, often = model(0.0), model(0.9)
    assert never.history_[0]["loss"] != often.history_[0]["loss"]
    assert_same_bits(often.transform(X), often.transform(X))
    assert np.isfinite(often.embedding_).all()


@pytest.mark.parametrize("name", ["mobilenetv3_small", "efficientnet_v2_s", "resnet18_imagenet"])
def test_named_networks(name, tmp_path):
    images16 = images(12, (16, 16, 3))
    model = small(backbone=name, batch_size=6, total_epochs=[1]).fit(images16)
    assert np.isfinite(model.embedding_).all()
    state = model.to_state_dict()
    again = TSimCNE.from_state_dict(state, image_shape=(16, 16, 3))
    assert again.backbone == name
    assert_same_bits(again.to_state_dict(), state)


WRONG = [
    ([], "backbone: got 0 layers"),
    ([("conv", {})], r"backbone\[0\]: 'conv' has no 'channels'"),
    ([("conv", {"channels": 0})], r"backbone\[0\].channels: got 0"),
    ([("conv", {"channels": 4, "kernel": 2})], r"backbone\[0\].kernel: got 2, want an odd number"),
    ([("conv", {"channels": 4, "size": 3})], r"backbone\[0\]: got the option 'size'"),
    ([("linear", {"channels": 4})], r"backbone\[0\]\[0\]: got 'linear', want one of"),
    ([("residual", {})], r"backbone\[0\]: 'residual' has no 'layers'"),
    ([("residual", {"layers": []})], r"backbone\[0\].layers: got 0 layers"),
    ([("depthwise", {"stride": 3})], r"backbone\[0\].stride: got 3"),
    ([("conv", {"channels": 4, "name": "a b"})], r"backbone\[0\].name: got 'a b'"),
    ([("relu", {"name": "a"}), ("silu", {"name": "a"})], "backbone: two layers are called 'a'"),
    (
        [("conv", {"channels": 4}), ("residual", {"layers": [("conv", {"channels": 5})]})],
        r"backbone\[1\]: its layers make 5 channels",
    ),
    ([("residual", {"layers": [("conv", {"channels": 5})]})], "5 channels"),
    ([("conv", {"channels": 4}), ("residual", {"layers": [("maxpool", {})]})], r"backbone\[1\]: .* stride 2"),
]


@pytest.mark.parametrize(("layers", "message"), WRONG)
def test_wrong_layers(layers, message):
    with pytest.raises(ValueError, match=message):
        layered(backbone=layers).fit(X)


@pytest.mark.parametrize(
    "layers", [[3], [("conv",)], [("conv", 3)], [(3, {})], [("conv", {"channels": 1.5})]]
)
def test_layers_of_another_type(layers):
    with pytest.raises(TypeError, match="backbone"):
        layered(backbone=layers).fit(X)


def test_too_deep():
    layers = [("relu", {})]
    for _ in range(20):
        layers = [("residual", {"layers": layers})]
    with pytest.raises(ValueError, match="more than 16 others"):
        layered(backbone=layers).fit(X)


OPTION = {
    "channels": st.integers(1, 9),
    "kernel": st.sampled_from([1, 3, 5]),
    "stride": st.integers(1, 2),
    "bias": st.booleans(),
    "inner": st.sampled_from(["relu", "silu"]),
    "gate": st.sampled_from(["sigmoid", "hardsigmoid"]),
    "drop": st.floats(0, 0.9),
    "eps": st.floats(1e-6, 1e-2),
    "momentum": st.floats(0, 1),
}


def _layer(kind):
    known = {name: OPTION[name] for name in OPTIONS[kind]}
    return st.tuples(st.just(kind), st.fixed_dictionaries(known))


SIMPLE = st.one_of(*(_layer(kind) for kind in OPTIONS if kind != "residual"))
ANY = st.recursive(
    SIMPLE,
    lambda inner: st.tuples(
        st.just("residual"),
        st.fixed_dictionaries({"layers": st.lists(inner, min_size=1, max_size=3), "drop": OPTION["drop"]}),
    ),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(ANY, min_size=1, max_size=5))
def test_any_layers_map_or_say_why(layers):
    try:
        Y = layered(backbone=layers, total_epochs=[1], lr=1e-4).fit_transform(X[:12])
    except ValueError as error:
        assert "layers" in str(error)
    else:
        assert Y.shape == (12, 8) and np.isfinite(Y).all()
