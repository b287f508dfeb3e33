"""State dicts of the method's reference, tsimcne 0.3.12, into the core and back."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType, SimpleNamespace

import driver
import formula
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from safetensors.torch import save_file
from tsimcne_swift import TSimCNE, _core
from tsimcne_swift._networks import state_dict as _state_dict

CASES = {
    "colour": dict(channels=3, hidden_dim=1024, output_dim=128, head="mlp"),
    "colour, stage 2": dict(channels=3, hidden_dim=1024, output_dim=2, head="mlp"),
    "grey, linear": dict(channels=1, hidden_dim=1024, output_dim=3, head="linear"),
}


def reference() -> SimpleNamespace:
    """The modules of tsimcne that make a network, without the training around them.

    The package's ``__init__`` imports Lightning, which the networks do not need, and they name
    torchvision only to build other backbones: both are large, and torchvision's extension does not
    load beside every build of PyTorch.
    """
    spec = importlib.util.find_spec("tsimcne")
    assert spec is not None
    stubs = {"tsimcne": importlib.util.module_from_spec(spec)}
    if "torchvision" not in sys.modules:
        stubs["torchvision"] = ModuleType("torchvision")
    sys.modules.update(stubs)
    try:
        from tsimcne.models.mutate_model import mutate_model
        from tsimcne.models.simclr_like import make_model
    finally:
        for name in stubs:
            del sys.modules[name]
    return SimpleNamespace(make_model=make_model, mutate_model=mutate_model)


REFERENCE = reference()


def their_model(seed: int, channels: int, hidden_dim: int, output_dim: int, head: str) -> torch.nn.Module:
    """A random network of the reference's, with BatchNorm far from its starting values."""
    model = REFERENCE.make_model(
        "resnet18_simclr", head, seed=seed, in_channel=channels, hidden_dim=hidden_dim, out_dim=128
    )
    if output_dim != 128:
        model = REFERENCE.mutate_model(model, change="lastlin", freeze=True, out_dim=output_dim)
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.weight.uniform_(0.5, 1.5, generator=random)
                layer.bias.uniform_(-0.25, 0.25, generator=random)
                layer.running_mean.uniform_(-0.25, 0.25, generator=random)
                layer.running_var.uniform_(0.5, 1.5, generator=random)
                layer.num_batches_tracked.fill_(7)
    return model.eval()


def our_model(arrays) -> _core.Model:
    network = _state_dict.architecture(arrays)
    return _core.Model(
        channels=network["channels"],
        depth={"resnet18": 18, "resnet10": 10}[network["backbone"]],
        base_width=network["width"],
        hidden_dims=(network["hidden_dim"],) if network["hidden_dim"] else (),
        output_dim=network["output_dim"],
        seed=0,
    )


def assert_agree(ours: _core.Model, theirs: torch.nn.Module, channels: int, record_property) -> None:
    images = formula.views("state dict", 6, 32, 32, channels)
    with torch.no_grad():
        wanted = theirs(torch.from_numpy(images.transpose(0, 3, 1, 2).copy()))
    for name, kind, want in zip(
        ("map", "features"), (_core.OUTPUT_MAP, _core.OUTPUT_FEATURES), wanted, strict=True
    ):
        got = driver.transform(ours, images, want.shape[1], kind)
        error = np.linalg.norm(got - want.numpy(), axis=1) / np.linalg.norm(want.numpy(), axis=1)
        record_property(f"error of {name}", error.max())
        assert error.max() < 1e-4, name


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES.keys())
def case(request):
    return request.param


@pytest.fixture(scope="module")
def theirs(case):
    return their_model(1, **case)


def test_architecture(case, theirs):
    assert _state_dict.architecture(theirs.state_dict()) == {
        "backbone": "resnet18",
        "width": 64,
        "projection_head": case["head"],
        "hidden_dim": case["hidden_dim"] if case["head"] == "mlp" else None,
        "output_dim": case["output_dim"],
        "channels": case["channels"],
    }


def test_from_theirs(case, theirs, record_property):
    state = theirs.state_dict()
    ours = our_model(state)
    _state_dict.from_arrays(ours, state)
    assert_agree(ours, theirs, case["channels"], record_property)


def test_to_theirs(case, theirs, record_property):
    state = theirs.state_dict()
    ours = our_model(state)
    _state_dict.from_arrays(ours, state)
    result = _state_dict.state_dict(ours)
    assert list(result) == list(state)
    other = their_model(2, **case)
    other.load_state_dict({k: torch.from_numpy(v) for k, v in result.items()}, strict=True)
    assert_agree(ours, other.eval(), case["channels"], record_property)
    for name, value in other.state_dict().items():
        assert value.dtype == state[name].dtype, name
        assert name.endswith("num_batches_tracked") or torch.equal(value, state[name]), name


@pytest.mark.parametrize("kind", ["state dict", "checkpoint"])
def test_files(kind, tmp_path, record_property):
    case = CASES["colour, stage 2"]
    theirs = their_model(3, **case)
    path = str(tmp_path / "map.pt")
    # The two conversions of docs/pytorch.md. Lightning's checkpoints pickle objects of numpy too, and
    # name what they hold as the LightningModule does.
    if kind == "state dict":
        torch.save(theirs.state_dict(), path)
        state = torch.load(path, map_location="cpu")
    else:
        renamed = {f"model.{name}": value for name, value in theirs.state_dict().items()}
        torch.save({"epoch": 1, "state_dict": renamed, "lr_schedulers": [{"rate": np.ones(3)}]}, path)
        state = torch.load(path, map_location="cpu", weights_only=False)["state_dict"]
    save_file(state, str(tmp_path / "map.safetensors"))

    arrays = load_file(tmp_path / "map.safetensors")
    ours = our_model(arrays)
    _state_dict.from_arrays(ours, arrays)
    assert_agree(ours, theirs, case["channels"], record_property)


@pytest.mark.parametrize("backbone", ["resnet34", "resnet50", "resnet101"])
def test_other_backbones(backbone):
    with torch.device("meta"):
        state = REFERENCE.make_model(backbone, "mlp").state_dict()
    found = _state_dict.architecture(state)
    assert (found["backbone"], found["width"], found["hidden_dim"]) == (backbone, 64, 1024)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensor: tensor.bfloat16(), "what numpy cannot read .*BFloat16"),
        (lambda tensor: tensor.clone().requires_grad_(), "what numpy cannot read .*requires grad"),
        (lambda tensor: tensor.long(), "type int64"),
        (lambda tensor: tensor.to("meta"), "what numpy cannot read .*meta"),
    ],
)
def test_unreadable_tensors(change, message):
    state = their_model(1, **CASES["colour"]).state_dict()
    ours = our_model(state)
    name = "backbone.layer4.0.shortcut.0.weight"
    with pytest.raises(ValueError, match=f"^{name}: got (values of )?{message}"):
        _state_dict.from_arrays(ours, state | {name: change(state[name])})


def test_a_fitted_estimator_goes_there(record_property):
    X = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
    model = TSimCNE(
        backbone="resnet18",
        width=64,
        hidden_dim=1024,
        total_epochs=[1, 1, 1],
        batch_size=6,
        plane="parametric",
        random_state=0,
    ).fit(X)
    other = their_model(2, channels=3, hidden_dim=1024, output_dim=2, head="mlp")
    state = {name: torch.from_numpy(value) for name, value in model.to_state_dict().items()}
    other.load_state_dict(state, strict=True)
    with torch.no_grad():
        wanted, features = other.eval()(torch.from_numpy(X.transpose(0, 3, 1, 2) / np.float32(255)))
    for name, got, want in (("map", model.embedding_, wanted), ("features", model.features(X), features)):
        error = np.linalg.norm(got - want.numpy(), axis=1) / np.linalg.norm(want.numpy(), axis=1)
        record_property(name, error.max())
        assert error.max() < 1e-4, name


def test_several_hidden_layers_go_there_and_back(record_property):
    """The weights fit the layers that docs/pytorch.md says to put into the reference's network."""
    theirs = their_model(2, channels=3, hidden_dim=1024, output_dim=2, head="mlp")
    theirs.projection_head.layers = torch.nn.Sequential(
        torch.nn.Linear(512, 96),
        torch.nn.ReLU(),
        torch.nn.Linear(96, 48),
        torch.nn.ReLU(),
        torch.nn.Linear(48, 2),
    )
    ours = _core.Model(channels=3, depth=18, base_width=64, hidden_dims=(96, 48), output_dim=2, seed=1)
    state = {name: torch.from_numpy(value) for name, value in _state_dict.state_dict(ours).items()}
    theirs.load_state_dict(state, strict=True)
    assert_agree(ours, theirs, 3, record_property)
    back = TSimCNE.from_state_dict(theirs.state_dict(), image_shape=(32, 32, 3))
    assert back.hidden_dim == (96, 48)
    assert_agree(back._network.core, theirs, 3, record_property)


@pytest.mark.parametrize("way", ["memory", "file"])
def test_a_reference_becomes_a_fitted_estimator(way, tmp_path):
    theirs = their_model(4, **CASES["colour, stage 2"])
    if way == "memory":
        model = TSimCNE.from_state_dict(theirs.state_dict(), image_shape=(16, 16, 3))
    else:
        save_file(theirs.state_dict(), tmp_path / "map.safetensors")
        model = TSimCNE.load(tmp_path / "map.safetensors", image_shape=(16, 16, 3))
    X = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
    with torch.no_grad():
        wanted, _ = theirs(torch.from_numpy(X.transpose(0, 3, 1, 2) / np.float32(255)))
    error = np.linalg.norm(model.transform(X) - wanted.numpy(), axis=1) / np.linalg.norm(wanted, axis=1)
    assert error.max() < 1e-4
    # It lives on as one of its own: saved, read, continued.
    model.save(tmp_path / "own.safetensors")
    again = TSimCNE.load(tmp_path / "own.safetensors")
    np.testing.assert_array_equal(again.transform(X), model.transform(X))
    frozen = TSimCNE(
        backbone="resnet18",
        width=64,
        hidden_dim=1024,
        init=again,
        total_epochs=[1],
        lr=0.0,
        batch_size=6,
        plane="parametric",
    ).fit(X)
    assert frozen.embedding_.shape == (12, 2)
