"""Models with eyes on disk, in pickles, in ONNX files; what they go on from."""

import pickle
import shutil

import numpy as np
import onnxruntime
import pytest
from helpers import images
from onnx_files import network
from sklearn.base import clone
from tsimcne_swift import Onnx, TSimCNE
from tsimcne_swift._storage.safetensors import encode, read

X = images(40, (12, 10, 3))


@pytest.fixture
def path(tmp_path):
    return network(tmp_path / "eyes.onnx")


@pytest.fixture
def model(path):
    return TSimCNE(backbone=Onnx(path, "imagenet"), random_state=0).fit(X)


def test_a_file_names_the_network(model, path, tmp_path):
    model.save(tmp_path / "map.safetensors")
    loaded = TSimCNE.load(tmp_path / "map.safetensors")
    assert np.array_equal(loaded.transform(X), model.embedding_)
    assert np.array_equal(loaded.features(X), model.features(X))
    assert loaded.image_shape_ == (12, 10, 3) and loaded.n_features_in_ == 360
    assert loaded.backbone.preset == "imagenet"
    assert np.array_equal(clone(loaded).fit(X).embedding_, model.embedding_)


def test_it_is_sought_beside_the_model(model, path, tmp_path):
    (tmp_path / "other").mkdir()
    model.save(tmp_path / "other" / "map.safetensors")
    shutil.move(path, tmp_path / "other" / "eyes.onnx")
    loaded = TSimCNE.load(tmp_path / "other" / "map.safetensors")
    assert np.array_equal(loaded.transform(X), model.embedding_)
    shutil.move(tmp_path / "other" / "eyes.onnx", tmp_path / "renamed.onnx")
    with pytest.raises(
        FileNotFoundError, match=r"^backbone_file: there is no .*; want eyes.onnx with SHA-256"
    ):
        TSimCNE.load(tmp_path / "other" / "map.safetensors")
    loaded = TSimCNE.load(tmp_path / "other" / "map.safetensors", backbone_file=tmp_path / "renamed.onnx")
    assert np.array_equal(loaded.transform(X), model.embedding_)


def test_another_file_is_refused(model, path, tmp_path):
    model.save(tmp_path / "map.safetensors")
    network(path, seed=1)
    with pytest.raises(ValueError, match=r"^backbone_file: got .*, which is another file; want eyes.onnx"):
        TSimCNE.load(tmp_path / "map.safetensors")


def test_a_model_without_eyes_takes_no_file(path, tmp_path):
    TSimCNE(total_epochs=[1], width=4).fit(images(20)).save(tmp_path / "map.safetensors")
    with pytest.raises(ValueError, match=r"^backbone_file: got .*, but the backbone is no Onnx; want None"):
        TSimCNE.load(tmp_path / "map.safetensors", backbone_file=path)
    with pytest.raises(ValueError, match=r"^embed_backbone: got True, but the backbone is no Onnx"):
        TSimCNE.load(tmp_path / "map.safetensors").save(tmp_path / "b.safetensors", embed_backbone=True)


def test_the_network_inside(model, path, tmp_path):
    model.save(tmp_path / "map.safetensors", embed_backbone=True)
    shutil.move(path, tmp_path / "gone.onnx")
    loaded = TSimCNE.load(tmp_path / "map.safetensors")
    assert np.array_equal(loaded.transform(X), model.embedding_)
    assert np.array_equal(clone(loaded).fit(X).embedding_, model.embedding_)
    assert "bytes>" in repr(loaded) and len(repr(loaded)) < 500
    loaded.save(tmp_path / "again.safetensors")
    again = pickle.loads(pickle.dumps(TSimCNE.load(tmp_path / "again.safetensors")))
    assert np.array_equal(again.transform(X), model.embedding_)


def test_damaged_inside(model, tmp_path):
    model.save(tmp_path / "map.safetensors", embed_backbone=True)
    data = bytearray((tmp_path / "map.safetensors").read_bytes())
    place = data.index(b"channels first") if b"channels first" in data else data.index(b"Conv")
    data[place] ^= 1
    (tmp_path / "map.safetensors").write_bytes(data)
    with pytest.raises(ValueError, match=r"document is damaged .*is not the file with SHA-256"):
        TSimCNE.load(tmp_path / "map.safetensors")


def test_pickles(model, path):
    twin = pickle.loads(pickle.dumps(model))
    assert np.array_equal(twin.transform(X), model.embedding_)
    unfitted = pickle.loads(pickle.dumps(TSimCNE(backbone=Onnx(path, "clip"))))
    assert unfitted.backbone == Onnx(path, "clip")


def test_pixels_to_map_in_one_file(path, tmp_path):
    backbone = Onnx(path, "imagenet")
    model = TSimCNE(backbone=backbone, plane="parametric", total_epochs="fast", random_state=0).fit(X)
    for dtype, given in (("uint8", X), ("float32", X.astype(np.float32) / 255)):
        model.export_onnx(tmp_path / "whole.onnx", dtype=dtype)
        session = onnxruntime.InferenceSession(tmp_path / "whole.onnx")
        found = dict(
            zip(("map", "features"), session.run(["map", "features"], {"images": given}), strict=True)
        )
        for name, ours in {"map": model.transform(X), "features": model.features(X)}.items():
            assert np.abs(found[name] - ours).max() <= 1e-4 * np.abs(ours).max(), name


def test_a_map_goes_on_with_the_same_eyes(model, path, tmp_path):
    more = np.concatenate([X, images(50, (12, 10, 3))[40:]])
    grown = TSimCNE(backbone=model.backbone, init=model, random_state=0).fit(more)
    aligned = TSimCNE(backbone=model.backbone, align_to=model, random_state=1).fit(X)
    assert grown.embedding_.shape == (50, 2) and aligned.embedding_.shape == (40, 2)
    other = Onnx(network(tmp_path / "other.onnx", seed=1), "imagenet")
    with pytest.raises(ValueError, match=r"^backbone: got other.onnx .*, but init has eyes.onnx"):
        TSimCNE(backbone=other, init=model).fit(more)
    with pytest.raises(ValueError, match=r"^backbone: got eyes.onnx .*mean 0.4815.*, but init has eyes.onnx"):
        TSimCNE(backbone=Onnx(path, "clip"), init=model).fit(more)


def test_a_run_is_as_long_as_it_takes(path):
    model = TSimCNE(backbone=Onnx(path, "imagenet"), max_time="1h", random_state=0).fit(X)
    assert np.isfinite(model.embedding_).all()


DAMAGE = {
    "columns": 7, "size": [8], "file": "../eyes.onnx", "takes": "all", "mean": [0, 1], "path": 3, "batch": 0,
    "std": [0.0], "sha256": None, "layout": "NC",
}  # fmt: skip


@pytest.mark.parametrize(("field", "value"), DAMAGE.items(), ids=DAMAGE.keys())
def test_a_document_that_is_wrong(field, value, model, tmp_path):
    model.save(tmp_path / "map.safetensors")
    tensors, document = read(tmp_path / "map.safetensors")
    document["eyes"][field] = value
    (tmp_path / "map.safetensors").write_bytes(encode(tensors, document))
    with pytest.raises(ValueError, match=r"map.safetensors: its document is damaged"):
        TSimCNE.load(tmp_path / "map.safetensors")


def test_eyes_that_only_one_part_names(model, tmp_path):
    model.save(tmp_path / "map.safetensors")
    tensors, document = read(tmp_path / "map.safetensors")
    document["params"]["backbone"] = "identity"
    (tmp_path / "map.safetensors").write_bytes(encode(tensors, document))
    with pytest.raises(ValueError, match="is damaged: it has eyes, or names them, but not both"):
        TSimCNE.load(tmp_path / "map.safetensors")
