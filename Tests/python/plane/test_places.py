"""Where images lie on a map of free points."""

import numpy as np
import pytest
from helpers import assert_same_bits, blobs, images, mapper, small
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tsimcne_swift import Stage, TSimCNE, recipes
from tsimcne_swift._algebra.directions import directions, reduced
from tsimcne_swift._plane import described, memory
from tsimcne_swift._plane.codes import REACH, Codes, worthwhile
from tsimcne_swift._plane.described import describe
from tsimcne_swift._plane.memory import Room
from tsimcne_swift._plane.places import keys, medoids
from tsimcne_swift._storage.safetensors import encode, read
from tsimcne_swift._training.one_rank import OneRank


def random(seed=0):
    return np.random.default_rng(seed)


# --------------------------------------------------------------------- directions


@pytest.mark.parametrize(("n", "columns", "wanted"), [(500, 20, 5), (40, 60, 10), (3, 4, 3)])
def test_directions_are_principal_components(n, columns, wanted):
    rows = (random().standard_normal((n, columns)) * 0.8 ** np.arange(columns)).astype(np.float32)
    mean, basis, deviations = directions(rows, wanted, 1)
    centred = rows - rows.mean(axis=0, dtype=np.float64)
    values, vectors = np.linalg.eigh(centred.T @ centred / n)
    # The subspace of the few largest is found; which of two that are alike comes first is not.
    few = max(1, min(wanted - 1, n - 2))
    np.testing.assert_allclose(mean, rows.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(deviations[:few] ** 2, values[::-1][:few], rtol=0.02)
    within = basis[:wanted] @ vectors[:, ::-1][:, :few]
    np.testing.assert_allclose(np.linalg.norm(within, axis=0), 1, atol=0.02)


def test_directions_of_one_place():
    mean, basis, deviations = directions(np.full((30, 5), 2, np.float32), 5, 1)
    assert (mean == 2).all() and np.isfinite(basis).all() and (deviations == 0).all()


def test_reduced_rows_keep_distances():
    rows = random().standard_normal((200, 12)) @ random(1).standard_normal((12, 300))
    few = reduced(rows.astype(np.float32), 12, 1)
    i, j = np.triu_indices(200, 1)
    wanted = np.linalg.norm(rows[i] - rows[j], axis=1)
    np.testing.assert_allclose(np.linalg.norm(few[i] - few[j], axis=1), wanted, rtol=1e-3)
    assert reduced(few, 12, 1) is few


# --------------------------------------------------------------------- some images at a time


def describe_rows(rows, ranks=None, together=1 << 17):
    room = Room(together, 384)
    return describe(len(rows), lambda which: rows[which].copy(), 1, ranks or OneRank(), room)


@pytest.mark.parametrize("columns", [5, 450])
def test_images_a_part_at_a_time_are_described_as_all_at_once(columns):
    rows = (random().standard_normal((9000, columns)) * 0.99 ** np.arange(columns)).astype(np.float32)
    whole = describe_rows(rows)
    parts = describe_rows(rows, together=2500)
    assert_same_bits(parts.searched, whole.searched)
    assert_same_bits(parts.start, whole.start)
    assert_same_bits(parts.keys, whole.keys)
    assert_same_bits(parts.codes.codes, whole.codes.codes)
    assert_same_bits(parts.codes.values(), whole.codes.values())


@pytest.mark.parametrize("together", [10, 1000])
@pytest.mark.parametrize("place", [3, 95])
def test_rows_that_are_not_finite_have_no_description(together, place, monkeypatch):
    # Most rows are in no sample.
    monkeypatch.setattr(described, "ROWS", 2)
    rows = random().standard_normal((100, 5)).astype(np.float32)
    rows[place, 2] = np.inf
    assert describe_rows(rows, together=together) is None


def test_a_model_of_images_a_part_at_a_time_has_the_same_bits(monkeypatch):
    X = images(120)
    whole = small(patch_words=64).fit(X)
    monkeypatch.setattr(memory, "WIDEST", Room(32, 384))
    parts = small(patch_words=64).fit(X)
    assert_same_bits(parts.embedding_, whole.embedding_)
    new = X[:30, ::-1].copy()
    assert_same_bits(parts.transform(new), whole.transform(new))


# --------------------------------------------------------------------- keys, medoids


@given(arrays(np.float32, (4, 7), elements=st.floats(-2, 2, width=32)), st.integers(0, 6))
@settings(deadline=None)
def test_keys_tell_rows_apart(rows, column):
    other = rows.copy()
    other[:, column] = np.nextafter(other[:, column], np.float32(5))
    assert not np.isin(keys(other), keys(rows)[:, None].diagonal()).all() or (other == rows).all()
    for a, b in zip(rows, other, strict=True):
        assert (keys(a[None]) == keys(b[None])) == (a == b).all()
    assert_same_bits(np.concatenate([keys(row[None]) for row in rows]), keys(rows))


def test_zero_has_one_key():
    assert keys(np.array([[0.0, 1]], np.float32)) == keys(np.array([[-0.0, 1]], np.float32))


def test_medoid_is_on_the_larger_island():
    places = np.array([[[0, 0], [0.1, 0], [0, 0.1], [50, 50], [51, 50]]], np.float32)
    assert medoids(places)[0].max() <= 0.1


def test_nearer_neighbours_count_more():
    places = np.array([[[9, 0], [9, 1], [0, 0], [0, 1], [0, 0.5]]], np.float32)
    assert medoids(places)[0, 0] == 9 and medoids(places[:, ::-1])[0, 0] == 0


def test_directions_without_variance_have_no_code():
    rows = random().standard_normal((400, 3)).astype(np.float32) @ random(1).standard_normal((3, 90)) + 5
    codes = Codes.of(rows.astype(np.float32), 1)
    assert codes.codes.shape == (400, 3)
    same = Codes.of(np.full((9, 70), 3, np.float32), 1)
    assert (same.codes == same.codes[0]).all() and np.isfinite(same.values()).all()


# --------------------------------------------------------------------- the estimator


@pytest.fixture(scope="module")
def fitted():
    return small(plane="points").fit(images(200))


def test_training_images_are_where_they_are(fitted):
    X = images(200)
    assert_same_bits(fitted.transform(X), fitted.embedding_)
    assert_same_bits(fitted.transform((X / 255).astype(np.float32)), fitted.embedding_)
    some = random().permutation(200)[:77]
    assert_same_bits(fitted.transform(X[some]), fitted.embedding_[some])


def test_new_images_are_where_one_of_their_neighbours_is(fitted):
    X = np.clip(images(200).astype(int) + random().integers(-9, 10, (200, 8, 8)), 0, 255).astype(np.uint8)
    Y = fitted.transform(X)
    known = {place.tobytes() for place in fitted.embedding_}
    assert all(place.tobytes() in known for place in Y)
    assert_same_bits(np.concatenate([fitted.transform(X[i : i + 3]) for i in range(0, 200, 3)]), Y)
    fitted.set_params(n_jobs=1)
    assert_same_bits(fitted.transform(X), Y)


def test_points_are_the_same_on_any_number_of_threads(fitted):
    assert_same_bits(small(plane="points", n_jobs=1).fit(images(200)).embedding_, fitted.embedding_)


def test_threads_may_map_at_the_same_time(fitted):
    from concurrent.futures import ThreadPoolExecutor

    new = images(200)[:, ::-1].copy()
    wanted = fitted.transform(new)
    with ThreadPoolExecutor(8) as pool:
        for ours in pool.map(lambda _: fitted.transform(new), range(32)):
            assert_same_bits(ours, wanted)


def test_files_and_pickles_keep_them(fitted, tmp_path):
    import pickle

    new = images(20)[:, ::-1].copy()
    fitted.save(tmp_path / "model.safetensors")
    for other in (TSimCNE.load(tmp_path / "model.safetensors"), pickle.loads(pickle.dumps(fitted))):
        assert_same_bits(other.embedding_, fitted.embedding_)
        assert_same_bits(other.transform(images(200)), fitted.embedding_)
        assert_same_bits(other.transform(new), fitted.transform(new))
        assert other.plane == "points"


@pytest.mark.parametrize("name", ["mean", "directions", "bits", "codes", "keys"])
@pytest.mark.parametrize("change", ["missing", "short", "type", "nan"])
def test_damaged_places_are_said(fitted, tmp_path, name, change):
    path = tmp_path / "model.safetensors"
    fitted.save(path)
    tensors, document = read(str(path))
    key = f"plane.{name}"
    value = tensors.pop(key)
    if change == "short":
        tensors[key] = value[:-1].copy()
    elif change == "type":
        tensors[key] = value.astype(np.float64)
    elif change == "nan":
        if value.dtype.kind != "f":
            pytest.skip("whole numbers have none")
        tensors[key] = np.full_like(value, np.nan)
    path.write_bytes(encode(tensors, document))
    with pytest.raises(ValueError, match=rf"model.safetensors: is damaged: plane.{name}: "):
        TSimCNE.load(path)


def test_a_map_that_is_missing_is_said(fitted, tmp_path):
    path = tmp_path / "model.safetensors"
    fitted.save(path)
    tensors, document = read(str(path))
    del tensors["embedding"]
    path.write_bytes(encode(tensors, document))
    with pytest.raises(ValueError, match="plane: there is no map beside it"):
        TSimCNE.load(path)


def test_parametric_is_what_the_head_gives():
    X = images(60)
    points, parametric = small(plane="points").fit(X), small(plane="parametric").fit(X)
    with pytest.warns(UserWarning, match="to_state_dict: the network alone is written"):
        state = points.to_state_dict()
    assert_same_bits(state, parametric.to_state_dict())
    assert_same_bits(parametric.embedding_, parametric._network.map(parametric._images(X), 1))
    assert not np.allclose(points.embedding_, parametric.embedding_)


@pytest.mark.parametrize(
    ("changes", "is_free"),
    [
        ({}, True),
        ({"n_components": 3}, False),
        ({"total_epochs": [1]}, False),
        ({"metric": "gauss"}, True),
        ({"metric": "cosine"}, False),
        (recipes.PAPER | {"width": 4, "hidden_dim": 16, "total_epochs": [0.1, 0.1, 0.1]}, False),
    ],
)
def test_auto(changes, is_free):
    assert (small(**changes).fit(images())._places is not None) == is_free


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"plane": "free"}, "plane: got 'free', want one of"),
        ({"plane": "points", "n_components": 3}, "plane: got 'points' for 3 dimensions"),
        ({"plane": "points", "total_epochs": [1]}, "plane: got 'points' for 8 dimensions"),
        ({"plane": "points", "metric": "cosine"}, "plane: got 'points', but .*'cosine'"),
    ],
)
def test_what_excludes_points(changes, message):
    with pytest.raises(ValueError, match=message):
        small(**changes).fit(images())


@pytest.mark.parametrize("n", [2, 3, 4, 7, 40])
def test_few_images(n):
    X = images(n)
    model = small(plane="points").fit(X)
    assert np.isfinite(model.embedding_).all()
    assert_same_bits(model.transform(X), model.embedding_)


def test_images_that_are_alike_are_at_one_place():
    X = images(80)
    X[40:60] = X[7]
    model = small(plane="points").fit(X)
    assert len(np.unique(model.embedding_[40:60], axis=0)) == 1
    assert_same_bits(model.embedding_[7], model.embedding_[40])
    assert_same_bits(model.transform(X), model.embedding_)
    same = small(plane="points").fit(np.full_like(X, 9))
    assert np.isfinite(same.embedding_).all()


def test_vectors():
    X, labels = blobs(300)
    model = mapper(plane="points").fit(X)
    assert model.score(X, labels) > 0.95
    assert_same_bits(model.transform(X), model.embedding_)


def test_a_new_map_lies_like_an_older_one(fitted):
    X = images(200)
    other = small(plane="points", random_state=9, align_to=fitted).fit(X)
    assert_same_bits(other.transform(X), other.embedding_)
    ours, theirs = other.embedding_, fitted.embedding_
    np.testing.assert_allclose(ours.mean(axis=0), theirs.mean(axis=0), atol=1e-3 * theirs.std())
    # No turn brings them nearer to each other.
    product = (ours - ours.mean(axis=0)).T @ (theirs - theirs.mean(axis=0))
    assert abs(product[0, 1] - product[1, 0]) < 1e-3 * np.abs(product).max()


def test_a_map_that_goes_on_keeps_its_layout(tmp_path):
    X, _ = blobs(300)
    first = mapper(plane="points").fit(X)
    first.save(tmp_path / "model.safetensors")
    for init in (first, tmp_path / "model.safetensors"):
        more = mapper(plane="points", init=init, total_epochs=[1], lr=1e-5).fit(X)
        for ours, theirs in zip(more.embedding_.T, first.embedding_.T, strict=True):
            assert np.corrcoef(ours, theirs)[0, 1] > 0.95
        assert_same_bits(more.transform(X), more.embedding_)
    anew = mapper(plane="points", init=first).fit(X)
    assert_same_bits(anew.transform(X), anew.embedding_)


def test_a_run_of_its_own_stages_is_repeated():
    X = images(90)
    model = small(total_epochs=[Stage(1, 8), Stage(1, 2, "head", inputs="features", neighbors=3)]).fit(X)
    again = small(total_epochs=model.stages_).fit(X)
    assert_same_bits(again.embedding_, model.embedding_)


@pytest.mark.parametrize(
    ("columns", "decay", "most"), [(300, 0.98, 48), (224, 1, 48), (48, 1, 48), (48, 0.9, 48), (3, 1, 3)]
)
def test_codes_are_small_and_keep_distances(columns, decay, most):
    rows = (random().standard_normal((500, columns)) * decay ** np.arange(columns)).astype(np.float32)
    codes = Codes.of(rows, 1)
    assert most // 2 < codes.codes.shape[1] <= most and codes.codes.dtype == np.uint8
    projected, values = codes.project(rows, 1), codes.values()
    assert projected.shape == values.shape == (500, len(codes.bits))
    assert_same_bits(codes.code_projected(values), codes.codes)
    i, j = np.triu_indices(500, 1)
    near, wanted = (np.linalg.norm(part[i] - part[j], axis=1) for part in (values, projected))
    assert np.corrcoef(near, wanted)[0, 1] > (0.95 if decay < 1 else 0.8)


def test_codes_are_numbers_side_by_side():
    """By loops: a number is the step that a value lies in, and bytes have the first in their highest bits."""
    rows = (random().standard_normal((400, 260)) * 0.985 ** np.arange(260)).astype(np.float32)
    codes = Codes.of(rows, 1)
    assert {4, 2, 1} <= set(codes.bits.tolist())
    for row, code in zip(codes.project(rows, 1), codes.codes, strict=True):
        text = ""
        for bits in (8, 4, 2, 1):
            of = codes.bits == bits
            low = -(2 ** (bits - 1))
            numbers = [min(max(int(np.floor(x)), low), -low - 1) - low for x in row[of] / codes.steps[of]]
            text += "".join(f"{number:0{bits}b}" for number in numbers)
            text += "0" * (-len(text) % 8)
        assert bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8)) == code.tobytes()


def test_bits_are_where_they_lessen_the_error_most():
    """No bits of one direction would do more in another one."""
    deviations = (0.97 ** np.arange(200)).astype(np.float32)
    bits = worthwhile(deviations)
    assert bits.astype(int).sum() <= 48 * 8 and (np.diff(bits.astype(int)) <= 0).all()
    values = random().standard_normal(20_000)

    def error(each):
        """Of numbers of so many bits, beside the variance."""
        if each == 0:
            return float((values**2).mean())
        step, half = 2 * REACH[each] / 2**each, 2 ** (each - 1)
        return float(((np.clip(np.floor(values / step), -half, half - 1) + 0.5) * step - values).std() ** 2)

    scale = [0, 1, 2, 4, 8]
    errors = {each: error(each) for each in scale}
    variances, own = deviations.astype(float) ** 2, np.pad(bits, (0, 200 - len(bits))).tolist()
    less, more = [], []
    for variance, each in zip(variances, own, strict=True):
        place = scale.index(each)
        if place > 0:
            step = scale[place] - scale[place - 1]
            less.append(variance * (errors[scale[place - 1]] - errors[each]) / step)
        if place < 4:
            step = scale[place + 1] - scale[place]
            more.append(variance * (errors[each] - errors[scale[place + 1]]) / step)
    assert min(less) > 0.9 * max(more)
