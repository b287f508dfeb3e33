"""The plane keeps to ``max_memory``."""

import os
import subprocess
import sys

import numpy as np
import pytest
from helpers import assert_same_bits, blobs, images, mapper, program, small
from hypothesis import given, settings
from hypothesis import strategies as st
from tsimcne_swift import Stage
from tsimcne_swift._plane import neighbors
from tsimcne_swift._plane.memory import NARROWEST, WIDEST, Numbers, plane_bytes, room_within

NUMBERS = st.builds(Numbers, st.integers(1, 2000), st.integers(0, 20_000), st.sampled_from([0, 64, 2048]))


@given(st.integers(2, 10**8), NUMBERS, st.integers(1, 10**12))
@settings(deadline=None)
def test_the_room_is_within_the_limit_or_refused(n, numbers, limit):
    if plane_bytes(n, numbers, NARROWEST) > limit:
        with pytest.raises(ValueError, match=rf"^max_memory: got .*, but the plane of {n} images wants at"):
            room_within(limit, n, numbers)
        return
    room = room_within(limit, n, numbers)
    assert plane_bytes(n, numbers, room) <= limit
    assert all(low <= got <= most for low, got, most in zip(NARROWEST, room, WIDEST, strict=True))


def test_without_a_limit_and_with_a_large_one_the_room_is_the_widest():
    numbers = Numbers(640, 1408, 1024)
    assert room_within(None, 10**6, numbers) == room_within(10**12, 10**6, numbers) == WIDEST


def test_a_large_limit_changes_nothing():
    X = images(60)
    assert_same_bits(small(max_memory="4GB").fit_transform(X), small().fit_transform(X))


def test_a_small_limit_gives_a_map_of_its_own_on_any_number_of_threads():
    X, labels = blobs(6000, 200)
    # 200 numbers of an image do not fit.
    limit = plane_bytes(6000, Numbers(200, 0, 0), NARROWEST._replace(components=100))
    one, two = (mapper(max_memory=limit, n_jobs=threads).fit(X) for threads in (1, 2))
    assert_same_bits(one.embedding_, two.embedding_)
    assert not np.array_equal(one.embedding_, mapper().fit_transform(X))
    assert one.score(X, labels) > 0.99
    assert_same_bits(one.transform(X[:50]), one.embedding_[:50])


def test_too_little_is_said_before_training():
    X, _ = blobs(6000, 200)
    with pytest.raises(
        ValueError, match=r"^max_memory: got 3 MB, but the plane of 6000 images wants at least"
    ):
        mapper(max_memory="3MB", callbacks=[lambda record: pytest.fail("training began")]).fit(X)
    mapper(max_memory="3MB", plane="parametric").fit(X)


def test_neighbours_of_a_stage_count_where_the_graph_finds_them(monkeypatch):
    X, _ = blobs(3000, 50)
    stages = [Stage(1, 8), Stage(1, 2, neighbors=5)]

    def least():
        with pytest.raises(
            ValueError, match="max_memory: got 1e-06 MB, but training wants at least"
        ) as caught:
            mapper(max_memory=1, plane="parametric", total_epochs=stages).fit(X)
        return float(str(caught.value).split()[-2])

    alone = least()
    monkeypatch.setattr(neighbors, "EXACT", 2999)
    # Features twice, and tables.
    assert least() - alone == pytest.approx((2 * 50 + 64) * 4 * 3000 / 1e6, rel=0.02)


MEASURED = """
import threading
from helpers import memory
X = np.random.default_rng(0).standard_normal((70_000, 300)).astype(np.float32)
model = mapper(total_epochs=[0.01, 0.01, 0.01], max_memory=int(sys.argv[1]))
model.fit(X[:1000])
before = most = memory("RssAnon")
ends = threading.Event()

def look():
    global most
    while not ends.wait(0.002):
        most = max(most, memory("RssAnon"))

looking = threading.Thread(target=look)
looking.start()
model.fit(X)
ends.set()
looking.join()
print(most - before)
"""


def test_what_is_resident_stays_within_the_limit():
    """Of vectors, whose training takes little; the system gets back at once what is freed."""
    numbers = Numbers(300, 0, 0)
    limit = plane_bytes(70_000, numbers, NARROWEST._replace(components=96))
    assert limit < plane_bytes(70_000, numbers, WIDEST) / 3
    run = subprocess.run(
        [sys.executable, "-c", program(__file__, MEASURED), str(limit)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"},
    )
    # A network, its gradients and what threads work in are beside it.
    assert int(run.stdout) < limit + (8 << 20)
