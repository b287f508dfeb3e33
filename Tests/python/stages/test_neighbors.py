"""Stages whose positives are neighbours in the features."""

import helpers
import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors
from tsimcne_swift import Stage, TSimCNE
from tsimcne_swift._plane import neighbors


def two_stages(neighbors, **changes):
    stages = [Stage(2, 8, metric="cosine"), Stage(3, 2, output_init="principal", neighbors=neighbors)]
    return helpers.small(total_epochs=stages, **changes)


def found(model, X):
    """The table that the last stage of ``model`` had, from its checkpoint."""
    from tsimcne_swift._storage.safetensors import read

    tensors, _ = read(model.checkpoint)
    return tensors["neighbors/neighbors"]


def test_neighbours_are_those_of_the_features(tmp_path):
    X = helpers.images(60, (8, 8, 3))

    def stop(record):
        if record.stage == 2:
            raise KeyboardInterrupt

    before = two_stages(4).set_params(total_epochs=[Stage(2, 8, metric="cosine")]).fit(X)
    model = two_stages(4, checkpoint=str(tmp_path / "run"), callbacks=stop)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    features = before.features(X)
    wanted = NearestNeighbors(n_neighbors=4, metric="cosine").fit(features).kneighbors(return_distance=False)
    np.testing.assert_array_equal(found(model, X), wanted)


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_bits_depend_neither_on_threads_nor_on_how_images_come(dtype):
    """float64 is converted batch by batch: images and their partners are asked for."""
    X = helpers.images(50, (8, 8, 3))
    in_place = X if dtype == np.uint8 else X.astype(np.float32) / np.float32(255)
    whole = two_stages(7, n_jobs=1).fit(in_place)
    helpers.assert_same_bits(two_stages(7, n_jobs=3).fit_transform(in_place.astype(dtype)), whole.embedding_)


def test_neighbours_change_the_map():
    X = helpers.images(50, (8, 8, 3))
    assert not np.array_equal(two_stages(0).fit_transform(X), two_stages(5).fit_transform(X))


def test_few_images_have_few_neighbours():
    assert np.isfinite(two_stages(1000).fit_transform(helpers.images(5, (8, 8, 3)))).all()


def test_vectors_keep_their_neighbourhoods():
    """A parametric neighbour embedding: neighbours of the vectors are neighbours in the map."""
    X, labels = helpers.blobs(300, 5)
    stages = [Stage(20, 8), Stage(60, 2, output_init="principal", neighbors=10)]
    Y = TSimCNE(backbone="identity", total_epochs=stages, batch_size=64, random_state=0).fit_transform(X)
    nearest = NearestNeighbors(n_neighbors=5).fit(Y).kneighbors(return_distance=False)
    assert np.mean(labels[nearest] == labels[:, None]) > 0.95


@pytest.mark.parametrize("value", [-1, 1025, 1.5, "all", None])
def test_wrong_numbers_are_refused(value):
    with pytest.raises((ValueError, TypeError), match=r"^total_epochs\[1\]\.neighbors: got "):
        two_stages(value).fit(helpers.images())


def test_features_stand_for_views():
    """Only the head moves, and what it learns is a map of the features."""
    X = helpers.images(80, (8, 8, 3))
    cosine = Stage(2, 8, metric="cosine")
    heads = Stage(30, 2, trains="head", output_init="principal", neighbors=5, inputs="features")
    before = helpers.small(total_epochs=[cosine]).fit(X)
    model = helpers.small(total_epochs=[cosine, heads], plane="parametric").fit(X)
    np.testing.assert_array_equal(model.features(X), before.features(X))
    kept = []
    for Y in (model.embedding_, before.embedding_[:, :2]):
        near = NearestNeighbors(n_neighbors=5).fit(Y).kneighbors(return_distance=False)
        wanted = NearestNeighbors(n_neighbors=5, metric="cosine").fit(model.features(X))
        wanted = wanted.kneighbors(return_distance=False)
        kept.append(np.mean([len(set(a) & set(b)) / 5 for a, b in zip(near, wanted, strict=True)]))
    assert kept[0] > kept[1]


def test_very_many_images_find_neighbours_by_the_graph(tmp_path, monkeypatch):
    """They are those that a comparison of all with all finds, and a checkpoint keeps them."""
    X, path = helpers.images(3000, (8, 8, 1)), tmp_path / "run.ckpt"
    heads = Stage(2, 2, trains="head", output_init="principal", neighbors=15, inputs="features")
    looks = []

    def stop(record):
        if record.stage == 2:
            raise KeyboardInterrupt

    def train(callbacks=None, **options):
        stages = [Stage(1, 8, metric="cosine"), heads]
        model = helpers.small(
            total_epochs=stages, plane="parametric", checkpoint=path, batch_size=128, callbacks=callbacks
        )
        return model.fit(X, **options)

    with pytest.raises(KeyboardInterrupt):
        train([stop])
    exact = found(TSimCNE(checkpoint=path), X)
    monkeypatch.setattr(neighbors, "EXACT", 2999)
    whole = neighbors.nearest
    monkeypatch.setattr(neighbors, "nearest", lambda *a, **k: looks.append(len(a[0])) or whole(*a, **k))
    path.unlink()
    with pytest.raises(KeyboardInterrupt):
        train([stop])
    graph = found(TSimCNE(checkpoint=path), X)
    shared = [len(set(a) & set(b)) / 15 for a, b in zip(exact, graph, strict=True)]
    assert np.mean(shared) > 0.98 and looks == [3000]
    resumed = train(resume=True)
    # The neighbours of the checkpoint; those of the plane are others.
    assert looks == [3000]
    path.unlink()
    helpers.assert_same_bits(resumed.embedding_, train().embedding_)


@pytest.mark.parametrize("changes", [{"neighbors": 0}, {"trains": "all"}])
def test_features_want_neighbours_and_a_frozen_backbone(changes):
    options = {"trains": "head", "neighbors": 5, "inputs": "features"} | changes
    with pytest.raises(ValueError, match=r"^total_epochs\[0\]\.inputs: got 'features' with "):
        helpers.small(total_epochs=[Stage(1, 2, **options)]).fit(helpers.images())


def test_max_time_and_neighbours_go_together():
    model = two_stages(5, max_time=1.0).fit(helpers.images(50, (8, 8, 3)))
    assert model.stages_[1].stretches
    again = two_stages(5).set_params(total_epochs=model.stages_).fit(helpers.images(50, (8, 8, 3)))
    helpers.assert_same_bits(again.embedding_, model.embedding_)
