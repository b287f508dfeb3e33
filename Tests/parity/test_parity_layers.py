"""Backbones that are lists of layers, against PyTorch's layers and torchvision's networks."""

from __future__ import annotations

import driver
import formula
import numpy as np
import pytest
import torch
import torchvision_models
from layered import LayeredNetwork, pooled, state_of
from reference import StageTraining, epoch_schedule, infonce
from tsimcne_swift import _core
from tsimcne_swift._networks.backbones import LAYERED, named_layers
from tsimcne_swift._networks.layers import check_layers, core_layers, outputs, shapes

BEFORE = [("conv", {"channels": 6}), ("batchnorm", {}), ("silu", {})]
AFTER = [("conv", {"channels": 12, "kernel": 1}), ("batchnorm", {})]
BOTTLENECK = [
    ("conv", {"channels": 10, "kernel": 1}),
    ("batchnorm", {"eps": 1e-3, "momentum": 0.01}),
    ("hardswish", {}),
    ("depthwise", {"kernel": 5}),
    ("batchnorm", {}),
    ("hardswish", {}),
    ("squeeze_excite", {"channels": 4, "inner": "silu", "gate": "hardsigmoid"}),
    ("conv", {"channels": 6, "kernel": 1}),
    ("batchnorm", {}),
]
CASES = {
    "1x1": [("conv", {"channels": 9, "kernel": 1})],
    "1x1, stride 2, bias": [("conv", {"channels": 9, "kernel": 1, "stride": 2, "bias": True})],
    "3x3": [("conv", {"channels": 9})],
    "3x3, stride 2": [("conv", {"channels": 9, "stride": 2}), ("batchnorm", {}), ("relu", {})],
    "3x3, stride 3": [("conv", {"channels": 9, "stride": 3})],
    "5x5, bias": [("conv", {"channels": 5, "kernel": 5, "bias": True})],
    "7x7, stride 2": [("conv", {"channels": 5, "kernel": 7, "stride": 2}), ("batchnorm", {}), ("relu", {})],
    "depthwise": [("depthwise", {})],
    "depthwise 5x5, stride 2": [("depthwise", {"kernel": 5, "stride": 2}), ("batchnorm", {"eps": 1e-3})],
    "normalization by itself": [("maxpool", {"stride": 1}), ("batchnorm", {"momentum": 0.3})],
    "normalization and rectifier": [("depthwise", {}), ("batchnorm", {}), ("relu", {})],
    **{function: [(function, {})] for function in ("relu", "silu", "hardswish", "sigmoid", "hardsigmoid")},
    "maxpool": [("maxpool", {})],
    "maxpool 5x5, stride 3": [("maxpool", {"kernel": 5, "stride": 3})],
    "squeeze-excite": [("squeeze_excite", {"channels": 3})],
    "squeeze-excite, others": [
        ("squeeze_excite", {"channels": 3, "inner": "hardswish", "gate": "hardsigmoid"})
    ],
    "residual": [("residual", {"layers": BOTTLENECK})],
    "residual with a rectified end": [
        ("residual", {"layers": [("conv", {"channels": 6}), ("batchnorm", {}), ("relu", {})]})
    ],
    "residual with a shortcut": [
        (
            "residual",
            {
                "layers": [("conv", {"channels": 8, "stride": 2}), ("batchnorm", {})],
                "shortcut": [("conv", {"channels": 8, "kernel": 1, "stride": 2}), ("batchnorm", {})],
            },
        ),
        ("relu", {}),
    ],
    "residual in a residual": [
        ("residual", {"layers": [("residual", {"layers": BOTTLENECK}), ("conv", {"channels": 6})]})
    ],
}


def distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))


def check_batch(network, layers, views, hidden, output_dim, tolerance, record_property):
    """One batch forward and backward, in both programs."""
    state = state_of(network)
    with torch.no_grad():
        mapped, features = network.eval()(views).numpy(), network.features(views).numpy()
    embeddings = network.train()(views)
    embeddings.retain_grad()
    loss = infonce(embeddings, "euclidean", 1.0)
    loss.backward()

    pairs, channels = len(views) // 2, views.shape[3]
    configuration = dict(depth=0, base_width=1, channels=channels, hidden_dims=hidden, output_dim=output_dim)
    model = driver.make_model(state, layers=core_layers(layers), **configuration)
    assert {n: v.shape for n, v in driver.state_of(model).items()} == {n: v.shape for n, v in state.items()}
    errors = {
        "map": distance(driver.transform(model, views, output_dim, _core.OUTPUT_MAP), mapped),
        "features": distance(
            driver.transform(model, views, features.shape[1], _core.OUTPUT_FEATURES), features
        ),
    }
    gradients = {}

    def supply(trainer, event):
        indices = np.frombuffer(event.indices, np.int64)
        return views[np.concatenate([indices, indices + pairs])]

    stage = driver.stage(output_dim=output_dim, learning_rate=1e-3)
    for trainer, event in driver.steps(model, (pairs, *views.shape[1:]), [stage], supply, batch_size=pairs):
        assert event.loss == pytest.approx(loss.item(), rel=1e-5)
        for name, buffer in network.named_buffers():
            if "running" in name:
                errors[name] = distance(driver.get(trainer, name), buffer.numpy())
        scale = np.linalg.norm(embeddings.grad.numpy(), axis=1).sum()
        largest = max(parameter.grad.norm().item() for parameter in network.parameters())
        for name, parameter in network.named_parameters():
            theirs = parameter.grad.numpy()
            ours = driver.get(trainer, name, _core.ARRAY_GRADIENT)
            # The gradient of a parameter that a normalisation undoes is rounding and nothing else.
            size = max(np.linalg.norm(theirs), 1e-2 * largest)
            if name.endswith("bias") and theirs.shape == (output_dim,):
                # The loss does not change when all embeddings move together.
                size = scale
            gradients[name] = np.linalg.norm(ours - theirs) / size
    worst = max(gradients, key=gradients.get)
    record_property("gradient", f"{gradients[worst]:.1e} {worst}")
    record_property("error", f"{max(errors.values()):.1e} {max(errors, key=errors.get)}")
    assert max(errors.values()) < 1e-4, errors
    assert gradients[worst] < tolerance, worst


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_kind(case, record_property):
    torch.manual_seed(0)
    layers = check_layers("layers", BEFORE + case + AFTER)
    network = LayeredNetwork(pooled(BEFORE + case + AFTER, 3), 12, (16,), 4)
    assert list(shapes(layers, 3)) == [
        n.removeprefix("backbone.")
        for n in network.state_dict()
        if n.startswith("backbone.") and "num_batches" not in n
    ]
    check_batch(network, layers, formula.views("layers", 9, 11, 8, 3), (16,), 4, 1e-3, record_property)


def changed(layers, smooth=False):
    """The layers with nothing left to chance and, where wanted, without rectifiers.

    Values near a rectifier's kink pass their gradient in one program and stop it in another (see kinks.py),
    which deep networks add up to some percent.
    """
    result = []
    for kind, options in layers:
        if kind == "residual":
            inner = {key: changed(options[key], smooth) for key in ("layers", "shortcut") if key in options}
            options = options | inner | {"drop": 0.0}
        if smooth and kind == "squeeze_excite" and options["inner"] == "relu":
            options = options | {"inner": "silu"}
        result.append(("silu" if smooth and kind == "relu" else kind, options))
    return result


def smoothed(module):
    for name, child in module.named_children():
        if isinstance(child, torch.nn.ReLU):
            setattr(module, name, torch.nn.SiLU())
        else:
            smoothed(child)
    return module


def size_for(name):
    """Images that are small enough for networks of a hundred layers."""
    return (16, 16) if name.startswith("efficientnet") else (32, 32)


# EfficientNets have no rectifiers.
BOTH = [(name, smooth) for name in LAYERED for smooth in (False, True) if not (smooth and "eff" in name)]


@pytest.mark.parametrize(("name", "smooth"), BOTH)
def test_named_networks(name, smooth, record_property):
    torch.manual_seed(0)
    layers = changed(named_layers(name, 64), smooth)
    features = outputs(layers, 3)
    backbone = torchvision_models.make(name)
    network = LayeredNetwork(smoothed(backbone) if smooth else backbone, features, (32,), 4)
    views = formula.views("networks", 6, *size_for(name), 3)
    check_batch(network, layers, views, (32,), 4, 1e-3 if smooth or "eff" in name else 0.1, record_property)


TRAINED = ("resnet18_imagenet", "mobilenetv3_small", "efficientnet_v2_s", "custom")
CUSTOM = [*BEFORE, ("residual", {"layers": BOTTLENECK}), ("maxpool", {}), *AFTER, ("silu", {})]
EPOCHS, BATCH, IMAGES = 10, 12, 20


@pytest.mark.parametrize("name", TRAINED)
def test_twenty_steps_of_each_stage(name, record_property):
    """This is ``test_three_stages`` without rectifiers and at a thirtieth of the rate: at the whole rate
    these networks are chaotic, and rounding grows tenfold in a step.
    """
    torch.manual_seed(0)
    layers = changed(check_layers(name, CUSTOM) if name == "custom" else named_layers(name, 64), smooth=True)
    backbone = smoothed(pooled(CUSTOM, 3) if name == "custom" else torchvision_models.make(name))
    network = LayeredNetwork(backbone, outputs(layers, 3), (32,), 16)
    state = state_of(network)
    size = size_for(name)
    views = formula.views("data", IMAGES, *size, 3)
    stages = driver.paper_stages(BATCH, EPOCHS, 3, learning_rate=0.001 * BATCH / 256)
    stages[0]["output_dim"] = 16
    training, losses, errors = None, [], []

    def supply(trainer, event):
        nonlocal training
        stage = stages[event.stage]
        if event.epoch == event.step == 0:
            if stage["output_start"] == _core.OUTPUT_NORMAL:
                network.replace_output(
                    *(driver.get(trainer, f"{driver.OUTPUT_LAYER}.{p}") for p in ("weight", "bias"))
                )
            training = StageTraining(network, stage, 2)
        indices = np.frombuffer(event.indices, np.int64)
        chosen = views[np.concatenate([indices, indices + IMAGES])]
        rate = epoch_schedule(stage["learning_rate"], EPOCHS, stage["warmup"])[event.epoch]
        losses.append(training.step(chosen, rate))
        return chosen

    configuration = dict(depth=0, base_width=1, channels=3, hidden_dims=(32,), output_dim=16)
    model = driver.make_model(state, layers=core_layers(layers), **configuration)
    for _, event in driver.steps(model, (IMAGES, *size, 3), stages, supply, batch_size=BATCH):
        errors.append(abs(event.loss / losses[-1] - 1))
    record_property("error", f"{max(errors):.1e}")
    assert len(errors) == 60
    assert max(errors) < 1e-3
