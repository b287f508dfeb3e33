"""Whatever arrives: a right result, or an error that names the argument; never a crash or a changed input."""

import inspect
import os
import threading

import numpy as np
import pytest
from helpers import assert_same_bits, cases, images, small
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tsimcne_swift import Augmentation, FeatureAugmentation, Stage, TSimCNE

MANY = settings(
    max_examples=cases(250, 20_000),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PARAMETERS = list(inspect.signature(TSimCNE).parameters)


def tiny(**changes):
    return small(**({"width": 2, "total_epochs": [1], "n_jobs": 1} | changes))


@st.composite
def arrays(draw):
    """Arrays of any type and shape, most of them nearly images, in any layout."""
    dtypes = st.one_of(
        st.sampled_from([np.uint8, np.float32, np.float64]),
        hnp.scalar_dtypes(),
        hnp.unicode_string_dtypes(),
        st.just(object),
    )
    sides = st.sampled_from([8, 8, 8, 9, 12, 7, 1, 0])
    shapes = st.one_of(
        st.tuples(st.integers(0, 6), sides, sides),
        st.tuples(st.integers(0, 6), sides, sides, st.integers(0, 5)),
        st.tuples(st.integers(0, 6), st.sampled_from([64, 81, 192, 60, 0])),
        hnp.array_shapes(min_dims=0, max_dims=6, min_side=0, max_side=9),
    )
    dtype, shape = np.dtype(draw(dtypes)), draw(shapes)
    if dtype.kind == "f" and draw(st.booleans()):
        elements = st.floats(0, 1, width=8 * min(dtype.itemsize, 8))
    elif dtype.kind == "O":
        elements = st.one_of(st.integers(0, 255), st.none(), st.text(max_size=2))
    else:
        elements = None
    X = draw(hnp.arrays(dtype, shape, elements=elements, fill=st.nothing() if dtype.kind == "O" else None))
    return draw(st.sampled_from(LAYOUTS))(X)


def _swapped(X):
    return X.astype(X.dtype.newbyteorder()) if X.dtype.kind in "iufcmM" else X


def _strided(X):
    return np.repeat(X, 2, axis=-1)[..., ::2] if X.ndim else X


def _offset(X):
    """Values that do not begin at a multiple of their size."""
    if X.dtype.kind not in "iuf":
        return X
    room = np.empty(X.nbytes + 1, np.uint8)
    moved = room[1:].view(X.dtype).reshape(X.shape) if X.size else X
    moved[...] = X
    return moved


def _read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


LAYOUTS = [
    lambda X: X,
    np.asfortranarray,
    lambda X: X[::-1] if X.ndim else X,
    lambda X: X.T,
    _swapped,
    _strided,
    _offset,
    _read_only,
    lambda X: np.broadcast_to(X[:1], X.shape) if X.ndim else X,
    lambda X: X.tolist(),
    lambda X: np.ma.masked_array(X),
    lambda X: memoryview(X) if X.dtype.kind in "iuf" and X.dtype.isnative else X,
]


@MANY
@given(arrays())
def test_any_array(X):
    before = np.array(X, copy=True)
    try:
        Y = tiny().fit_transform(X)
    except (ValueError, TypeError) as error:
        assert str(error).startswith(("X: ", "image_shape: ")), error
    else:
        assert np.isfinite(Y).all()
        # The layout in memory decides nothing.
        plain = np.ascontiguousarray(before).astype(before.dtype.newbyteorder("="))
        assert_same_bits(Y, tiny().fit_transform(plain))
    if before.dtype.kind != "O":
        assert np.array(X).tobytes() == before.tobytes()


NUMBERS = st.one_of(
    st.sampled_from([-1, 0, 1, 2, 3, 4, 2**31 - 1, 2**31, 2**63, -(2**63), 10**30]),
    st.floats(),
    st.sampled_from([np.int8(3), np.uint64(2**63), np.float16(0.5), np.float64("nan"), np.bool_(True)]),
)
ATOMS = st.one_of(
    NUMBERS,
    st.none(),
    st.booleans(),
    st.complex_numbers(),
    st.text(max_size=6),
    st.binary(max_size=6),
    st.sampled_from(["auto", "fast", "cosine", "euclidean", "adamw", "natural", "1s", "\0", "principal"]),
    st.sampled_from(
        [object(), len, TSimCNE, Stage, Augmentation(), Augmentation(hue=9), FeatureAugmentation()]
    ),
    hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3)),
)
ANYTHING = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=3), inner, max_size=2),
        st.sets(st.integers(), max_size=2),
        st.builds(Stage, inner, inner),
        st.builds(Stage, st.just(1.0), st.just(2), lr=inner, image_size=inner, warmup=inner, neighbors=inner),
        st.builds(Augmentation, inner, hue=inner),
    ),
    max_leaves=4,
)
X = images(12)


def stop(record):
    return True


@pytest.mark.filterwarnings("ignore")
@MANY
@given(st.dictionaries(st.sampled_from(PARAMETERS), ANYTHING, min_size=1, max_size=3))
def test_any_parameters(tmp_path_factory, parameters):
    os.chdir(tmp_path_factory.getbasetemp())
    before = X.copy()
    try:
        # A callback ends what is allowed to be endless.
        Y = tiny(**({"callbacks": stop} | parameters)).fit_transform(X)
    except FloatingPointError:
        pass  # there are learning rates at which training diverges
    except (ValueError, TypeError, FileNotFoundError) as error:
        named = str(error).split(":")[0].split("[")[0].split(".")[0]
        assert named in PARAMETERS, error
    else:
        assert Y.dtype == np.float32 and len(Y) == len(X) and np.isfinite(Y).all()
    assert_same_bits(X, before)


def test_memory_map_of_a_file_that_was_cut(tmp_path):
    path = tmp_path / "images.npy"
    np.save(path, images(64))
    mapped = np.load(path, mmap_mode="r")
    with open(path, "r+b") as file:
        file.truncate(1000)
    with pytest.raises(ValueError, match=r"^X: .*images\.npy"):
        tiny().fit(mapped)


def test_an_array_that_another_thread_writes():
    X, ends = images(200), threading.Event()

    def write():
        random = np.random.default_rng(0)
        while not ends.is_set():
            X[random.integers(len(X))] = random.integers(0, 256, dtype=np.uint8)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert np.isfinite(tiny(total_epochs=[4]).fit_transform(X)).all()
    finally:
        ends.set()
        writer.join()
