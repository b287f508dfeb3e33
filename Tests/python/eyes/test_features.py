"""What eyes see is what onnxruntime gives for images that were prepared by hand."""

import json

import numpy as np
import pytest
from helpers import images
from onnx_files import ELEMENTS, network, run
from PIL import Image
from tsimcne_swift import Onnx, TSimCNE
from tsimcne_swift import images as pictures

MEAN, STD = (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)
COLOUR = (8, 8, 3)
RESAMPLE = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "nearest": Image.Resampling.NEAREST,
}


def fitted(backbone, X, **changes):
    return TSimCNE(backbone=backbone, random_state=0, **changes).fit(X)


def prepared(X, mean=MEAN, std=STD, element="float32"):
    if element == "uint8":
        return np.moveaxis(X, -1, 1)
    x = (X / 255 - np.array(mean)) / np.array(std)
    return np.moveaxis(x, -1, 1).astype(ELEMENTS[element][1])


KINDS = {
    "channels first": ({}, lambda found: found),
    "channels last": ({"layout": "NHWC"}, lambda found: found),
    "a fixed batch": ({"batch": 4}, lambda found: found),
    "a fixed batch of one": ({"batch": 1}, lambda found: found),
    "size left open": ({"size": ("height", "width")}, lambda found: found),
    "plane": ({"kind": "plane"}, lambda found: found.mean(axis=(2, 3))),
    "plane, channels last": (
        {"kind": "plane, channels last", "layout": "NHWC"}, lambda found: found.mean(axis=(1, 2)),
    ),
    "tokens": ({"kind": "square of tokens"}, lambda found: found.mean(axis=1)),
    "class token": ({"kind": "class token"}, lambda found: found[:, 0]),
    "half weights": ({"half": True}, lambda found: found),
    "half input": ({"element": "float16"}, lambda found: found),
    "double input": ({"element": "float64"}, lambda found: found),
    "bytes": ({"element": "uint8"}, lambda found: found),
    "old operators": ({"opset": 8}, lambda found: found),
}  # fmt: skip


@pytest.mark.parametrize(("made", "taken"), KINDS.values(), ids=KINDS.keys())
def test_features(made, taken, tmp_path):
    X = images(30, COLOUR)
    path = network(tmp_path / "eyes.onnx", **made)
    element = made.get("element", "float32")
    said = {} if element == "uint8" else {"mean": MEAN, "std": STD}
    model = fitted(Onnx(path, size=8, **said), X)
    x = prepared(X, element=element)
    if made.get("layout") == "NHWC":
        x = np.moveaxis(x, 1, -1)
    batch = made.get("batch", len(x))
    parts = [x[start : start + batch] for start in range(0, len(x) // batch * batch, batch)]
    wanted = np.concatenate([taken(run(path, np.ascontiguousarray(part))) for part in parts])
    assert np.abs(model.features(X)[: len(wanted)] - wanted).max() <= 1e-4 * np.abs(wanted).max()
    assert np.array_equal(model.transform(X), model.embedding_)


def test_pool_says_what_is_taken_of_tokens(tmp_path):
    X = images(20, COLOUR)
    path = network(tmp_path / "eyes.onnx", "class token")
    tokens = run(path, prepared(X))
    for pool, wanted in (("class", tokens[:, 0]), ("mean", tokens.mean(axis=1))):
        found = fitted(Onnx(path, mean=MEAN, std=STD, pool=pool), X).features(X)
        assert np.abs(found - wanted).max() <= 1e-5 * np.abs(wanted).max()


def by_hand(image, resize, interpolation):
    """What Pillow makes of an image for a network of 8×8 pixels."""
    height, width = image.shape[:2]
    ratio = {"crop": max, "pad": min}.get(resize, lambda *both: None)(8 / height, 8 / width)
    planes = []
    for plane in np.moveaxis(image.astype(np.float32), -1, 0):
        picture = Image.fromarray(plane)
        box, size = (0, 0, width, height), (8, 8)
        if resize == "crop":
            w, h = 8 / ratio, 8 / ratio
            box = ((width - w) / 2, (height - h) / 2, (width + w) / 2, (height + h) / 2)
        elif resize == "pad":
            size = (round(width * ratio), round(height * ratio))
        small = np.asarray(picture.resize(size, RESAMPLE[interpolation], box))
        frame = np.full((8, 8), 255, np.float32)
        top, left = (8 - size[1]) // 2, (8 - size[0]) // 2
        frame[top : top + size[1], left : left + size[0]] = small.clip(0, 255)
        planes.append(frame)
    return np.stack(planes)


@pytest.mark.parametrize("interpolation", RESAMPLE)
@pytest.mark.parametrize(
    ("resize", "shape"), [("crop", (20, 32)), ("pad", (20, 40)), ("stretch", (9, 31)), ("crop", (8, 8))]
)
def test_images_of_another_size(resize, shape, interpolation, tmp_path):
    X = images(6, (*shape, 3))
    path = network(tmp_path / "eyes.onnx", "pixels")
    model = fitted(Onnx(path, "none", resize=resize, interpolation=interpolation), X)
    wanted = np.stack([by_hand(image, resize, interpolation) for image in X]).reshape(6, -1) / 255
    assert np.abs(model.features(X) - wanted).max() <= 1e-5
    floats = X.astype(np.float32) / 255
    assert np.abs(model.features(floats) - wanted).max() <= 1e-5


def test_grey_images_are_repeated(tmp_path):
    X = images(6, (8, 8))
    found = fitted(Onnx(network(tmp_path / "eyes.onnx", "pixels"), "none"), X).features(X)
    assert np.abs(found - np.tile(X.reshape(6, -1) / 255, 3)).max() <= 1e-6


def test_presets(tmp_path):
    X = images(6, COLOUR)
    path = network(tmp_path / "eyes.onnx", "pixels")
    of = {
        "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        "clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
        "dinov2": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        "none": ((0, 0, 0), (1, 1, 1)),
    }
    for preset, (mean, std) in of.items():
        found = fitted(Onnx(path, preset), X).features(X)
        assert np.abs(found - prepared(X, mean, std).reshape(6, -1)).max() <= 1e-5
    scaled = fitted(Onnx(path, "none", scale=1), X).features(X)
    assert np.abs(scaled - np.moveaxis(X, -1, 1).reshape(6, -1)).max() <= 1e-4


def test_a_file_beside_says_what_is_done(tmp_path):
    X = images(6, (8, 16, 3))
    path = network(tmp_path / "eyes.onnx", "pixels", size=("height", "width"))
    config = {
        "do_resize": True, "size": {"height": 8, "width": 8}, "resample": 3, "rescale_factor": 1 / 255,
        "image_mean": MEAN, "image_std": STD,
    }  # fmt: skip
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(config))
    wanted = np.stack([by_hand(image, "stretch", "bicubic") for image in X]) / 255
    wanted = ((wanted - np.reshape(MEAN, (3, 1, 1))) / np.reshape(STD, (3, 1, 1))).reshape(6, -1)
    assert np.abs(fitted(Onnx(path), X).features(X) - wanted).max() <= 1e-5
    (tmp_path / "preprocessor_config.json").write_text('{"size": []}')
    with pytest.raises(ValueError, match=r"^backbone.preset: .*preprocessor_config.json is not understood"):
        fitted(Onnx(path), X)


def test_without_a_word_images_are_prepared_as_imagenets(tmp_path):
    X = images(6, COLOUR)
    path = network(tmp_path / "eyes.onnx", "pixels")
    with pytest.warns(UserWarning, match="there is no preprocessor_config.json beside eyes.onnx"):
        found = fitted(Onnx(path), X).features(X)
    assert np.array_equal(found, fitted(Onnx(path, "imagenet"), X).features(X))


def test_an_image_alone_has_the_same_bits(tmp_path):
    X = images(70, (12, 10, 3))
    model = fitted(Onnx(network(tmp_path / "eyes.onnx"), "imagenet"), X)
    features, again = model.features(X), np.random.default_rng(0).permutation(70)
    assert np.array_equal(model.features(X[again]), features[again])
    assert np.array_equal(model.features(X[41:42]), features[41:42])
    assert np.array_equal(model.set_params(n_jobs=1).features(X), features)
    assert np.array_equal(model.transform(X[41:42]), model.embedding_[41:42])


def test_images_of_any_source(tmp_path):
    zarr = pytest.importorskip("zarr")
    X = images(40, COLOUR)
    backbone = Onnx(network(tmp_path / "eyes.onnx"), "imagenet")
    wanted = fitted(backbone, X)
    np.save(tmp_path / "X.npy", X)
    stored = zarr.create_array(tmp_path / "X.zarr", shape=X.shape, chunks=(7, *COLOUR), dtype="uint8")
    stored[:] = X
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i, image in enumerate(X):
        Image.fromarray(image).save(folder / f"{i:02}.png")
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    for source in (mapped, stored, pictures.from_folder(folder, progress=False)):
        model = fitted(backbone, source)
        assert np.array_equal(model.embedding_, wanted.embedding_)
        assert np.array_equal(model.transform(source), wanted.embedding_)


def test_a_network_trained_here_as_eyes(tmp_path):
    random = np.random.default_rng(0)
    labels = np.arange(90) % 3
    X = random.integers(0, 60, (90, 16, 16, 3), dtype=np.uint8)
    X[np.arange(90), :, :, labels] += 120
    native = TSimCNE(width=4, total_epochs=[2], batch_size=16, pretrain_dim=8, random_state=0).fit(X)
    native.export_onnx(tmp_path / "own.onnx")
    eyes = fitted(Onnx(tmp_path / "own.onnx", output="features"), X)
    ours, theirs = eyes.features(X), native.features(X)
    assert np.abs(ours - theirs).max() <= 1e-4 * np.abs(theirs).max()
    assert eyes.score(X, labels) > 0.95


def test_max_memory_bounds_the_batch(tmp_path):
    X = images(20, COLOUR)
    path = network(tmp_path / "eyes.onnx")
    small, large = (fitted(Onnx(path, "imagenet"), X, max_memory=m) for m in ("60kB", None))
    assert small._eyes.sight.batch < large._eyes.sight.batch
    assert np.abs(small.features(X) - large.features(X)).max() <= 1e-5
    with pytest.raises(ValueError, match=r"^max_memory: got 0.001 MB, but eyes.onnx takes about"):
        fitted(Onnx(path, "imagenet"), X, max_memory=1000)
