"""The exported network, run by onnxruntime."""

import numpy as np
import onnx
import onnxruntime
import pytest
from helpers import images, mapper, small, vectors
from test_layers import LAYERS

CASES = {
    "colour": ({}, (20, 16, 12, 3), "uint8"),
    "grey, normalised": ({"normalize": "dataset"}, (20, 9, 11), "uint8"),
    "float": ({"normalize": "dataset"}, (20, 16, 12, 3), "float32"),
    "linear head": ({"projection_head": "linear"}, (20, 16, 12, 3), "uint8"),
    "several hidden layers": ({"hidden_dim": (8, 7, 6)}, (20, 16, 12, 3), "uint8"),
    "bottlenecks": ({"backbone": "resnet50"}, (20, 16, 12, 3), "uint8"),
    "stem of ImageNet": ({"backbone": "resnet18_imagenet"}, (20, 32, 32, 3), "uint8"),
    "layers": ({"backbone": LAYERS}, (20, 16, 12, 3), "uint8"),
    "MobileNet": ({"backbone": "mobilenetv3_small"}, (20, 16, 16, 3), "uint8"),
    "EfficientNet": ({"backbone": "efficientnet_v2_s"}, (12, 16, 16, 3), "uint8"),
}


def run(path, X):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return dict(zip(("map", "features"), session.run(["map", "features"], {"images": X}), strict=True))


def check(model, X, path, dtype):
    model.export_onnx(path, dtype=dtype)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    found = run(path, X if X.ndim != 3 else X[..., None])
    for name, ours in {"map": model.transform(X), "features": model.features(X)}.items():
        assert np.abs(found[name] - ours).max() <= 1e-4 * np.abs(ours).max(), name


@pytest.mark.parametrize(("params", "shape", "dtype"), CASES.values(), ids=CASES.keys())
def test_same_map_and_features(params, shape, dtype, tmp_path):
    X = images(shape[0], shape[1:], np.dtype(dtype).type)
    model = small(batch_size=10, plane="parametric", **params).fit(X)
    check(model, X, tmp_path / "model.onnx", dtype)


def test_other_sizes_and_numbers_of_images(tmp_path):
    model = small(plane="parametric").fit(images(20, (16, 12, 3)))
    model.export_onnx(tmp_path / "model.onnx")
    assert run(tmp_path / "model.onnx", images(3, (9, 31, 3)))["map"].shape == (3, 2)


def test_vectors(tmp_path):
    X = vectors(40)
    check(mapper(plane="parametric").fit(X), X, tmp_path / "model.onnx", "float32")


def test_points_are_not_part_of_it(tmp_path):
    X = images(20, (16, 12, 3))
    points, parametric = small(plane="points").fit(X), small(plane="parametric").fit(X)
    with pytest.warns(UserWarning, match="export_onnx: the network alone is written"):
        points.export_onnx(tmp_path / "model.onnx")
    ours = parametric.transform(X)
    assert np.abs(run(tmp_path / "model.onnx", X)["map"] - ours).max() <= 1e-4 * np.abs(ours).max()


def test_wrong(tmp_path):
    model = small().fit(images(20))
    with pytest.raises(ValueError, match="dtype: got 'int8'"):
        model.export_onnx(tmp_path / "model.onnx", dtype="int8")
    with pytest.raises(Exception, match="not fitted"):
        small().export_onnx(tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_without_onnx(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ImportError, match="export_onnx wants: pip install onnx"):
        small().fit(images(20)).export_onnx(tmp_path / "model.onnx")
