"""Names and layouts of PyTorch's state dict, without PyTorch."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Fixtures"))

import driver
import formula
from tsimcne_swift import _core
from tsimcne_swift._networks import state_dict as _state_dict

SMALL = {"depth": 10, "base_width": 2, "channels": 3, "hidden_dims": (5,), "output_dim": 2}
CASES = {
    "resnet18": SMALL | {"depth": 18},
    "resnet10": SMALL | {"base_width": 3, "channels": 1, "hidden_dims": ()},
    "resnet10, several layers": SMALL | {"hidden_dims": (7, 5)},
    "resnet34": SMALL | {"depth": 34},
    "resnet50": SMALL | {"depth": 50},
    "resnet101": SMALL | {"depth": 101},
    "identity": SMALL | {"depth": 0, "channels": 7},
    "identity, linear": SMALL | {"depth": 0, "channels": 7, "hidden_dims": ()},
    "identity, several layers": SMALL | {"depth": 0, "channels": 7, "hidden_dims": (7, 5, 6)},
}


def new_model(seed=0, **changes):
    return _core.Model(**({"seed": seed} | SMALL | changes))


def random_arrays(model):
    """Arrays of the model's names and shapes, with other bits in each."""
    random = np.random.default_rng(1)
    return {
        name: random.standard_exponential(array.shape, np.float32)
        for name, array in _state_dict.to_arrays(model).items()
    }


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request):
    return request.param


@pytest.fixture
def arrays():
    return _state_dict.state_dict(new_model())


def assert_same_bits(ours, theirs):
    assert list(ours) == list(theirs)
    for name, array in ours.items():
        assert array.dtype == theirs[name].dtype and array.shape == theirs[name].shape, name
        assert array.tobytes() == theirs[name].tobytes(), name


def test_round_trip(case):
    arrays = random_arrays(new_model(**case))
    model = new_model(**case, seed=1)
    _state_dict.from_arrays(model, arrays)
    result = _state_dict.to_arrays(model)
    assert_same_bits(result, arrays)
    assert all(a.dtype == np.float32 and a.flags.c_contiguous for a in result.values())
    # The arrays go through a file, with the counters.
    again = new_model(**case, seed=2)
    _state_dict.from_arrays(again, load(save(_state_dict.state_dict(model))))
    assert_same_bits(_state_dict.to_arrays(again), arrays)


@pytest.mark.parametrize("name", ["resnet18", "resnet10", "resnet34", "resnet50", "resnet10, several layers"])
def test_layouts(name):
    state = formula.weights(**CASES[name])
    model = driver.make_model(state, **CASES[name])
    result = _state_dict.to_arrays(model)
    assert_same_bits(result, state)


def test_copies():
    model = new_model()
    before = _state_dict.to_arrays(model)
    _state_dict.to_arrays(model)["backbone.conv1.weight"][:] = 0
    assert_same_bits(_state_dict.to_arrays(model), before)


def test_counters(arrays):
    names = list(arrays)
    assert names[:7] == [
        "backbone.conv1.weight",
        *[f"backbone.bn1.{part}" for part in ("weight", "bias", "running_mean", "running_var")],
        "backbone.bn1.num_batches_tracked",
        "backbone.layer1.0.conv1.weight",
    ]
    counters = [name for name in names if name.endswith("num_batches_tracked")]
    assert len(counters) == 1 + 4 * 2 + 3
    assert all(isinstance(arrays[name], np.ndarray) for name in counters)
    assert all(arrays[name].shape == () and arrays[name].dtype == np.int64 for name in counters)
    assert len(names) == len(_state_dict.to_arrays(new_model())) + len(counters)


@pytest.mark.parametrize("prefix", ["", "model.", "module.model."])
def test_architecture(case, prefix):
    model = new_model(**case)
    arrays = {prefix + name: value for name, value in _state_dict.state_dict(model).items()}
    hidden = case["hidden_dims"]
    assert _state_dict.architecture(arrays) == {
        "backbone": f"resnet{case['depth']}" if case["depth"] else "identity",
        "width": case["base_width"] if case["depth"] else None,
        "projection_head": "mlp" if hidden else "linear",
        "hidden_dim": {0: None, 1: 5}.get(len(hidden), hidden),
        "output_dim": case["output_dim"],
        "channels": case["channels"],
    }
    other = new_model(**case, seed=3)
    _state_dict.from_arrays(other, arrays)
    assert_same_bits(_state_dict.to_arrays(other), _state_dict.to_arrays(model))


@pytest.mark.parametrize("dtype", [np.float16, np.float64, ">f4"])
def test_conversion(dtype):
    model = new_model()
    arrays = {name: value.astype(dtype) for name, value in random_arrays(model).items()}
    _state_dict.from_arrays(model, arrays)
    assert_same_bits(
        _state_dict.to_arrays(model), {name: value.astype(np.float32) for name, value in arrays.items()}
    )


NAME = "backbone.layer2.0.shortcut.0.weight"
VARIANCE = "backbone.layer2.0.bn1.running_var"


class Unreadable:
    """A tensor on another device."""

    shape = (4, 2, 1, 1)

    def __array__(self, *arguments, **options):
        raise TypeError("not on this device")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (NAME, None, "is missing"),
        ("backbone.fc.weight", np.zeros(3), "is unexpected"),
        ("backbone.conv1.num_batches_tracked", np.zeros(()), "is unexpected"),
        (NAME, np.zeros((1, 1, 2, 4), np.float32), r"got shape \(1, 1, 2, 4\), want \(4, 2, 1, 1\)"),
        (NAME, np.zeros((4, 2), np.float32), "got shape"),
        (NAME, np.zeros((4, 2, 1, 1), int), "type int64, want float32"),
        (NAME, np.zeros((4, 2, 1, 1), complex), "type complex"),
        (NAME, np.full((4, 2, 1, 1), "a"), "type <U1"),
        (NAME, np.full((4, 2, 1, 1), np.nan, np.float32), "NaN or infinity"),
        (NAME, np.full((4, 2, 1, 1), -np.inf, np.float16), "NaN or infinity"),
        (NAME, np.full((4, 2, 1, 1), 1e39), "NaN or infinity"),
        (NAME, Unreadable(), "not on this device"),
        (VARIANCE, np.full(4, -1, np.float32), "variance of at least 0"),
    ],
)
def test_bad_arrays(name, value, message):
    model = new_model()
    before = _state_dict.to_arrays(model)
    arrays = random_arrays(model) | {name: value}
    if value is None:
        del arrays[name]
    with pytest.raises(ValueError, match=f"^{name}: .*{message}"):
        _state_dict.from_arrays(model, arrays)
    assert_same_bits(_state_dict.to_arrays(model), before)


def test_bad_prefix(arrays):
    arrays = {f"model.{name}": value for name, value in arrays.items()}
    arrays["loss.scale"] = np.zeros(())
    for call in (_state_dict.architecture, lambda arrays: _state_dict.from_arrays(new_model(), arrays)):
        with pytest.raises(ValueError, match=r"^loss.scale: is unexpected .*'model\.'"):
            call(arrays)
    del arrays["loss.scale"]
    del arrays[f"model.{NAME}"]
    with pytest.raises(ValueError, match=f"^model.{NAME}: is missing"):
        _state_dict.architecture(arrays)


def test_whole_checkpoint(arrays):
    with pytest.raises(ValueError, match="want its 'state_dict'"):
        _state_dict.architecture({"epoch": 1, "optimizer_states": [], "state_dict": arrays})
    with pytest.raises(ValueError, match=r"layers.0.weight: is missing; known are the backbones resnet18"):
        _state_dict.architecture({})


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        # Bottlenecks, a ResNet-34, a network for large images, the other families.
        ({"backbone.layer1.0.conv1.weight": (2, 2, 1, 1)}, "backbone.layer1.0.conv1.weight: got shape"),
        ({"backbone.layer1.2.conv1.weight": (2, 2, 3, 3)}, "backbone.layer1.2.conv1.weight: is unexpected"),
        ({"backbone.conv1.weight": (2, 3, 7, 7)}, "backbone.conv1.weight: got shape"),
        ({"backbone.conv1.weight": (2, 3)}, "backbone.conv1.weight: got shape .2, 3., want 4"),
        ({"backbone.conv1.weight": None}, "backbone.bn1.weight: is unexpected without"),
        ({"projection_head.layers.4.weight": (2, 2)}, "projection_head.layers.4.bias: is missing"),
        ({"projection_head.layers.4.weight": (2,)}, "projection_head.layers.4.weight: got shape"),
        ({"projection_head.layers.6.weight": (2, 2)}, "projection_head.layers.6.weight: is unexpected"),
        ({"projection_head.layers.1.weight": (5,)}, "projection_head.layers.1.weight: is unexpected"),
        ({"projection_head.layers.0.weight": (5, 99)}, "projection_head.layers.0.weight: got shape"),
        ({"projection_head.layers.0.weight": None}, "projection_head.layers.0.weight: is missing"),
        ({"projection_head.layers.2.bias": None}, "projection_head.layers.2.bias: is missing"),
        ({"projection_head.layers.2.weight": None}, "projection_head.layers.0.weight: got|.*layers.2.bias"),
    ],
)
def test_unknown_architecture(arrays, changes, first):
    arrays |= {name: np.zeros(shape or ()) for name, shape in changes.items()}
    arrays = {name: a for name, a in arrays.items() if changes.get(name, a) is not None}
    with pytest.raises(ValueError, match=f"^{first}.*resnet18.*resnet10.*'mlp' and 'linear'"):
        _state_dict.architecture(arrays)
