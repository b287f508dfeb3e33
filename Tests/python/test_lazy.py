"""Maps of Dask's collections."""

import cloudpickle
import dask.array as da
import distributed
import numpy as np
import pytest
from dask import bag
from helpers import assert_same_bits, images, small
from PIL import Image

X = images(50, (9, 10, 3))


@pytest.fixture(scope="module")
def model():
    return small().fit(X)


@pytest.mark.parametrize("chunks", [(7, 9, 10, 3), (50, 4, 5, 1)])
def test_arrays(model, chunks):
    lazy = da.from_array(X, chunks=chunks)
    for method in ("transform", "features"):
        result = getattr(model, method)(lazy)
        assert isinstance(result, da.Array)
        own = getattr(model, method)(X)
        assert result.shape == own.shape and result.dtype == own.dtype
        assert_same_bits(result.compute(scheduler="threads"), own)
        assert_same_bits(result[3:9].compute(scheduler="synchronous"), own[3:9])


def test_grey():
    X = images(30, (9, 10))
    model = small().fit(X)
    assert_same_bits(model.transform(da.from_array(X, chunks=(8, 9, 10))).compute(), model.transform(X))


def test_nothing_is_read_before(model):
    def read(block):
        raise AssertionError("it was read")

    lazy = da.from_array(X, chunks=(7, 9, 10, 3)).map_blocks(read, dtype=np.uint8, meta=X[:0])
    result = model.transform(lazy)
    with pytest.raises(AssertionError, match="it was read"):
        result.compute(scheduler="synchronous")


def test_bags_of_pictures(model, tmp_path):
    for i, picture in enumerate(X[:12]):
        Image.fromarray(picture).save(tmp_path / f"{i:02}.png")
    (tmp_path / "11.png").write_bytes(b"nothing")
    paths = sorted(map(str, tmp_path.iterdir()))
    rows = model.transform(bag.from_sequence(paths, npartitions=3)).compute(scheduler="synchronous")
    assert [name.rpartition("/")[2] for name, _ in rows] == [f"{i:02}.png" for i in range(11)]
    assert_same_bits(np.array([row for _, row in rows]), model.transform(X[:11]))


def test_the_model_is_in_the_graph_once(model):
    """As the values of the graph travel to the workers: one of them has the weights."""
    weights = model.to_state_dict()["projection_head.layers.0.weight"].tobytes()
    graph = dict(model.transform(da.from_array(X, chunks=(7, 9, 10, 3))).__dask_graph__())
    assert sum(weights in cloudpickle.dumps(value) for value in graph.values()) == 1


def test_wrong_images(model):
    with pytest.raises(ValueError, match="X: got images of"):
        model.transform(da.zeros((5, 8, 8, 3), dtype=np.uint8))


def test_workers_of_a_cluster(model):
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        lazy = da.from_array(X, chunks=(7, 9, 10, 3))
        assert_same_bits(model.transform(lazy).compute(), model.transform(X))
