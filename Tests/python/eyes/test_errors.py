"""What does not go together is said before any image is looked at; strangers' files are refused."""

import os
import sys

import numpy as np
import onnx
import pytest
from helpers import images, small
from onnx_files import network
from tsimcne_swift import Onnx, Stage, TSimCNE

X = images(20, (8, 8, 3))


def fit(backbone, data=X, **changes):
    return TSimCNE(backbone=backbone, random_state=0, **changes).fit(data)


WRONG = {
    "path": ({"path": 3}, {}, TypeError, r"^backbone.path: got 3, want a path"),
    "preset": ({"preset": "dino"}, {}, ValueError, r"^backbone.preset: got 'dino', want one of 'imagenet'"),
    "pool": ({"pool": "max"}, {}, ValueError, r"^backbone.pool: got 'max'"),
    "no tokens": ({"pool": "mean"}, {}, ValueError, r"^backbone.pool: got 'mean', but 'out' of e.onnx has"),
    "resize": ({"resize": "cut"}, {}, ValueError, r"^backbone.resize: got 'cut'"),
    "interpolation": ({"interpolation": "box"}, {}, ValueError, r"^backbone.interpolation: got 'box'"),
    "size": ({"size": 4}, {}, ValueError, r"^backbone.size: got 4, want a whole number from 8"),
    "another size": ({"size": 16}, {}, ValueError, r"^backbone.size: got \(16, 16\), but e.onnx takes 8×8"),
    "std": ({"std": 0}, {}, ValueError, r"^backbone.std: got 0, want a number"),
    "means": ({"mean": (1, 2)}, {}, ValueError, r"^backbone.mean: got 2 numbers, but e.onnx takes 3 chan"),
    "input": ({"input": "x"}, {}, ValueError, r"^backbone.input: got 'x', but e.onnx takes 'in' \(\?, 3, 8"),
    "output": ({"output": "y"}, {}, ValueError, r"^backbone.output: got 'y', but e.onnx gives 'out' \(\?, 6"),
    "batch_size": ({"batch_size": 5}, {"batch": 4}, ValueError, r"batch_size: got 5, but e.onnx takes 4"),
    "layout": ({}, {"channels": 8}, ValueError, r"^backbone.layout: got None, but e.onnx takes \(\?, 8, 8"),
    "bytes": ({"preset": "clip"}, {"element": "uint8"}, ValueError, r"^backbone.preset: got 'clip', but"),
    "scaled bytes": ({"preset": "none", "scale": 2}, {"element": "uint8"}, ValueError, r"^backbone.scale:"),
    "channels": ({}, {"channels": 1}, ValueError, r"^backbone.mean: got 3 numbers, but e.onnx takes 1 chan"),
    "colour": ({"preset": "none"}, {"channels": 1}, ValueError, r"^X: got 3 channels, but e.onnx takes 1"),
    "foreign": ({}, {"domain": "ai.onnx.contrib"}, ValueError, r"the custom operator ai.onnx.contrib\."),
    "old": ({}, {"opset": 7}, ValueError, r"has version 7 of ONNX's operators, want 8 or newer"),
}  # fmt: skip


@pytest.mark.parametrize(("said", "made", "kind", "text"), WRONG.values(), ids=WRONG.keys())
def test_wrong(said, made, kind, text, tmp_path):
    path = network(tmp_path / "e.onnx", **made)
    with pytest.raises(kind, match=text):
        fit(Onnx(**({"path": path, "preset": "imagenet"} | said)))


OTHERS = {
    "augmentation": ({"augmentation": "text"}, r"^augmentation: got 'text', want 'natural' or FeatureAugm"),
    "patch_words": ({"patch_words": 16}, r"^patch_words: got 16, but feature vectors have no patches"),
    "stages": ({"total_epochs": [Stage(1, 2, image_size=4)]}, r"^total_epochs\[0\]"),
    "init": ({"init": "without eyes"}, r"^backbone: got e.onnx .* but init has no eyes"),
}


@pytest.mark.parametrize(("changes", "text"), OTHERS.values(), ids=OTHERS.keys())
def test_other_parameters_come_before_the_first_image(changes, text, tmp_path, monkeypatch):
    looked = []
    if "init" in changes:
        changes = {"init": small().fit(X)}
    monkeypatch.setattr("tsimcne_swift._eyes.eyes.Eyes.see", lambda *arguments: looked.append(1))
    with pytest.raises(ValueError, match=text):
        fit(Onnx(network(tmp_path / "e.onnx"), "imagenet"), **changes)
    assert not looked


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^backbone.path: there is no "):
        fit(Onnx(tmp_path / "e.onnx"))
    (tmp_path / "e.onnx").write_bytes(b"no network at all")
    with pytest.raises(ValueError, match=r"^backbone.path: e.onnx is no ONNX file"):
        fit(Onnx(tmp_path / "e.onnx"))
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(ValueError, match="is no regular file"):
        fit(Onnx(tmp_path / "pipe.onnx"))


def test_several_outputs(tmp_path):
    native = small(plane="parametric").fit(X)
    native.export_onnx(tmp_path / "own.onnx")
    with pytest.raises(
        ValueError, match=r"^backbone.output: got None, but own.onnx gives 'map' \(\?, 2\), 'f"
    ):
        fit(Onnx(tmp_path / "own.onnx"))


def test_what_does_not_belong_to_the_output_is_not_wanted(tmp_path):
    model = onnx.load(network(tmp_path / "e.onnx"))
    text = onnx.helper.make_tensor_value_info("text", onnx.TensorProto.INT64, ["n", 7])
    model.graph.input.append(text)
    model.graph.output.append(onnx.helper.make_tensor_value_info("same", onnx.TensorProto.INT64, ["n", 7]))
    model.graph.node.append(onnx.helper.make_node("Identity", ["text"], ["same"]))
    onnx.save(model, tmp_path / "both.onnx")
    ours = fit(Onnx(tmp_path / "both.onnx", "imagenet", output="out"))
    assert np.array_equal(ours.features(X), fit(Onnx(tmp_path / "e.onnx", "imagenet")).features(X))
    with pytest.raises(
        ValueError, match=r"^backbone.input: both.onnx takes 'text' \(\?, 7\); want one input"
    ):
        fit(Onnx(tmp_path / "both.onnx", "imagenet", output="same"))


def test_data_beside_the_network(tmp_path):
    (tmp_path / "own").mkdir()
    model = onnx.load(network(tmp_path / "e.onnx"))
    onnx.save(
        model, tmp_path / "own" / "e.onnx", save_as_external_data=True, location="e.data", size_threshold=0
    )
    wanted = fit(Onnx(tmp_path / "e.onnx", "imagenet"))
    ours = fit(Onnx(tmp_path / "own" / "e.onnx", "imagenet"))
    assert np.array_equal(ours.features(X), wanted.features(X))
    with pytest.raises(ValueError, match=r"embed_backbone: e.onnx has data in other files"):
        ours.save(tmp_path / "m.safetensors", embed_backbone=True)
    os.rename(tmp_path / "own" / "e.data", tmp_path / "e.data")
    os.symlink(tmp_path / "e.data", tmp_path / "own" / "e.data")
    with pytest.raises(ValueError, match=r"wants data from 'e.data', outside of its own folder; refused"):
        fit(Onnx(tmp_path / "own" / "e.onnx", "imagenet"))


def test_memory_is_asked_for_before(tmp_path, monkeypatch):
    path = network(tmp_path / "e.onnx")
    monkeypatch.setattr("tsimcne_swift._eyes.file.available_memory", lambda: 1000)
    with pytest.raises(MemoryError, match=r"^backbone.path: e.onnx wants .* to be opened, but 0.001 MB are"):
        fit(Onnx(path, "imagenet"))
    monkeypatch.undo()
    monkeypatch.setattr("tsimcne_swift._eyes.opening.available_memory", lambda: 1000)
    with pytest.raises(MemoryError, match=r"^backbone: e.onnx takes about .* for 32 images at a time"):
        fit(Onnx(path, "imagenet"))


def test_features_that_are_no_numbers(tmp_path):
    path = network(tmp_path / "e.onnx", "pixels")
    model = onnx.load(path)
    model.graph.node[-1].output[0] = "before"
    model.graph.node.append(onnx.helper.make_node("Log", ["before"], ["out"]))
    onnx.save(model, path)
    bright = np.maximum(X, 1)
    dark = bright.copy()
    dark[17] = 0
    assert np.isfinite(fit(Onnx(path, "none"), bright).embedding_).all()
    with pytest.raises(ValueError, match=r"^X: e.onnx gives NaN or infinity for image 17"):
        fit(Onnx(path, "none"), dark)


def test_without_onnxruntime(tmp_path, monkeypatch):
    path = network(tmp_path / "e.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r"Onnx\(...\) wants: pip install tsimcne-swift\[onnx\]"):
        fit(Onnx(path, "imagenet"))
