"""New pictures are prepared as the old ones were: a file lands on its place, alone or in a folder."""

import pickle
import shutil

import numpy as np
import pytest
import tifffile
from helpers import assert_same_bits, small
from PIL import Image
from test_images import QUIET, idx, noise
from tsimcne_swift import TSimCNE, images
from tsimcne_swift.images import Layout


def deep(path, n=24):
    random = np.random.default_rng(0)
    path.mkdir()
    for i in range(n):
        values = random.random((20, 30)) * (300 + 1000 * (i % 8)) + 200
        tifffile.imwrite(path / f"{i:02}.tif", values.astype(np.uint16))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder of deep grey pictures, the model of it, and the collection."""
    folder = tmp_path_factory.mktemp("set") / "deep"
    deep(folder)
    collection = images.from_folder(folder, fit="pad", size=16, background="black", **QUIET)
    return folder, small().fit(collection), collection


def test_the_model_keeps_what_was_done(trained, tmp_path):
    _, model, collection = trained
    assert model.image_layout_ == collection.layout
    assert collection.layout.fit == "pad" and collection.layout.background == (0, 0, 0)
    model.save(tmp_path / "a.safetensors")
    for again in (TSimCNE.load(tmp_path / "a.safetensors"), pickle.loads(pickle.dumps(model))):
        assert again.image_layout_ == collection.layout
    assert pickle.loads(pickle.dumps(collection)).layout == collection.layout
    assert small().fit(noise(20, 9, 9, 3)).image_layout_ is None


@pytest.mark.parametrize("place", [0, 7])
def test_alone_or_in_a_folder(trained, tmp_path, place):
    folder, model, collection = trained
    shutil.copy(folder / f"{place:02}.tif", tmp_path)
    wanted = model.transform(collection)[place]
    alone = images.from_folder(tmp_path, like=model, **QUIET)
    np.testing.assert_array_equal(alone.images[0], collection.images[place])
    # A collection that was read by itself is read again.
    own = images.from_folder(tmp_path, **QUIET)
    assert own.images.shape != alone.images.shape
    files = [tmp_path / f"{place:02}.tif"]
    for X in (alone, own, images.from_files(files, like=collection, **QUIET)):
        assert_same_bits(model.transform(X)[0], wanted)
    assert_same_bits(model.features(own), model.features(collection)[place][None])


def test_pictures_of_another_kind_are_brought_into_form(trained, tmp_path):
    _, model, _ = trained
    Image.fromarray(noise(40, 50, 3)).save(tmp_path / "colour.png")
    Image.fromarray(noise(9, 9)).save(tmp_path / "grey.png")
    tifffile.imwrite(
        tmp_path / "float.tif", np.random.default_rng(0).normal(size=(20, 20)).astype(np.float32)
    )
    together = images.from_folder(tmp_path, like=model, **QUIET)
    assert together.images.shape == (3, 16, 16, 1) and model.transform(together).shape == (3, 2)
    for place, name in enumerate(together.names):
        alone = images.from_files([tmp_path / name], like=model, **QUIET)
        np.testing.assert_array_equal(alone.images[0], together.images[place])


def test_grey_pictures_on_a_map_of_colour():
    model = small().fit(images.from_files([noise(16, 16, 3, seed=i) for i in range(20)], **QUIET))
    grey = images.from_files([noise(30, 30, seed=1)] * 2, **QUIET)
    assert model.transform(grey).shape == (2, 2)
    assert_same_bits(
        model.transform(grey),
        model.transform(images.from_files([noise(30, 30, seed=1)] * 2, like=model, **QUIET)),
    )
    with pytest.raises(
        ValueError, match=r"X: got images of \(30, 30, 1\), want \(16, 16, 3\) as in fit; a coll"
    ):
        model.transform(grey.images)


def test_collections_without_a_layout(tmp_path):
    """Such of idx files: the images themselves are brought into form."""
    (tmp_path / "x").write_bytes(idx(noise(20, 9, 9)))
    collection = images.from_idx(tmp_path / "x")
    model = small().fit(collection)
    assert model.image_layout_ is None
    assert_same_bits(model.transform(collection), model.transform(collection.images))
    larger = images.from_files([noise(30, 30, 3)] * 3, **QUIET)
    assert model.transform(larger).shape == (3, 2)
    other = small().fit(images.from_files([noise(16, 16, 3, seed=i) for i in range(20)], **QUIET))
    assert collection.like(other.image_layout_).images.shape == (20, 16, 16, 3)
    assert other.transform(collection).shape == (20, 2)


def test_wrong_likes(trained):
    _, model, _ = trained
    with pytest.raises(ValueError, match="size: got 16 beside like="):
        images.from_files([noise(9, 9)], like=model, size=16, **QUIET)
    with pytest.raises(TypeError, match="like: got 'model'"):
        images.from_files([noise(9, 9)], like="model", **QUIET)
    with pytest.raises(TypeError, match="like: got TSimCNE"):
        images.from_files([noise(9, 9)], like=TSimCNE(), **QUIET)
    found = images.from_files([noise(9, 9)], like=Layout((8, 8), 3, fit="stretch"), **QUIET)
    assert found.images.shape == (1, 8, 8, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"size": [8, 8]},
        {"size": [16, "16"]},
        {"channels": 3},
        {"fit": "squeeze"},
        {"background": [0, 0, 256]},
        {"pages": "all"},
        {"scale": "most"},
        {"scale": [1, 0]},
        {"ranges": {"uint16:grey": [[1, 1]]}},
        {"ranges": {"uint16:grey": [[0, float("inf")]]}},
        {"ranges": {"uint16:grey": []}},
        {"ranges": 3},
        None,
    ],
)
def test_layouts_that_were_changed_are_damage(trained, change):
    from tsimcne_swift._storage import model_file

    _, model, _ = trained
    tensors, document = model_file.to_file(model._fitted(), {})
    document["image_layout"] = 5 if change is None else document["image_layout"] | change
    with pytest.raises(ValueError, match="name: its document is damaged"):
        model_file.from_file(tensors, document, "name")
