"""Files, pickles and copies: the same bits come back, or an error that names the file."""

import contextlib
import copy
import io
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
import safetensors.numpy
from helpers import assert_same_bits, images, mapper, small, vectors
from safetensors import safe_open
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from tsimcne_swift import Augmentation, FeatureAugmentation, Stage, TSimCNE
from tsimcne_swift._algebra.evened import ARRAYS as EVENED
from tsimcne_swift._patches.words import ARRAYS
from tsimcne_swift._storage import safetensors as _files

FITTED = ["history_", "stages_", "total_epochs_", "batch_size_", "image_shape_", "n_features_in_", "seed_"]


def through_file(model, folder):
    model.save(folder / "model.safetensors")
    return TSimCNE.load(folder / "model.safetensors")


def through_joblib(model, folder):
    joblib.dump(model, folder / "model.joblib")
    return joblib.load(folder / "model.joblib")


WAYS = {
    "save": through_file,
    "pickle": lambda model, folder: pickle.loads(pickle.dumps(model)),
    "joblib": through_joblib,
    "deepcopy": lambda model, folder: copy.deepcopy(model),
}


def stop(record):
    return True


MODELS = {
    "images": lambda: (small(), images()),
    "colour": lambda: (small(backbone="resnet10", normalize="dataset"), images(shape=(9, 8, 3))),
    "mean and std": lambda: (small(normalize=(0.5, [0.25])), images()),
    "vectors": lambda: (mapper(augmentation=FeatureAugmentation(noise=0.1)), vectors()),
    "wide vectors": lambda: (mapper(projection_head="linear", normalize="dataset"), 1e4 * vectors()),
    "several hidden layers": lambda: (mapper(hidden_dim=[7, np.int32(5), 6]), vectors()),
    "3-D": lambda: (small(n_components=3), images()),
    "stopped in stage 1": lambda: (small(callbacks=stop), images()),
    "stages": lambda: (
        small(
            total_epochs=[
                Stage(1, 4, metric="cosine", image_size=(8, 8)),
                Stage(0.5, 2, "head", stretches=((1, 2),)),
            ],
            hidden_dim=[9, 7],
            augmentation=Augmentation(hue=0.2),
        ),
        images(),
    ),
    "numpy": lambda: (
        small(width=np.int64(2), momentum=np.float32(0.5), decay_biases=np.False_, lr=[np.float64(0.1)] * 3),
        images(),
    ),
    "diverged": lambda: (small(lr=1e9, clip_value=None), images()),
}


@pytest.fixture(params=MODELS)
def fitted(request):
    model, X = MODELS[request.param]()
    with pytest.raises(FloatingPointError) if request.param == "diverged" else contextlib.nullcontext():
        model.fit(X)
    return model, X


@pytest.mark.parametrize("way", WAYS)
def test_the_same_bits_come_back(fitted, way, tmp_path):
    model, X = fitted
    twin = WAYS[way](model, tmp_path)
    assert_same_bits(twin.embedding_, model.embedding_)
    assert_same_bits(twin.transform(X), model.transform(X))
    assert_same_bits(twin.features(X), model.features(X))
    for name in FITTED:
        assert getattr(twin, name) == getattr(model, name), name
    assert list(twin.get_feature_names_out()) == list(model.get_feature_names_out())


@pytest.mark.parametrize("way", WAYS)
def test_parameters_come_back(way, tmp_path):
    model, X = MODELS["stages"]()
    twin = WAYS[way](model.fit(X), tmp_path)
    assert twin.get_params() == model.get_params()
    # The parameters also mean the same.
    assert_same_bits(twin.fit_transform(X), model.embedding_)


def test_file_of_a_file_has_the_same_bytes(fitted, tmp_path):
    model, _ = fitted
    first, second = tmp_path / "first", tmp_path / "second"
    model.save(first)
    TSimCNE.load(first).save(second)
    assert first.read_bytes() == second.read_bytes()


def test_feature_names_come_back(tmp_path):
    model = mapper().fit(vectors())
    model.feature_names_in_ = np.array([f"köln {i}" for i in range(6)], dtype=object)
    for way in WAYS.values():
        assert list(way(model, tmp_path).feature_names_in_) == list(model.feature_names_in_)


def test_generators_and_callbacks_are_not_in_the_file(tmp_path):
    for random in (np.random.default_rng(0), np.random.RandomState(0)):
        seen = []
        twin = through_file(small(random_state=random, callbacks=[seen.append]).fit(images()), tmp_path)
        assert twin.random_state is None and twin.callbacks is None
    model = small(init=small().fit(images())).fit(images())
    assert through_file(model, tmp_path).init is None


PLACES = {
    "checkpoint": "run.ckpt",
    "checkpoint_every": 1,
    "init": "init",
    "align_to": "map",
    "callbacks": ["x"],
}


@pytest.mark.parametrize("kind", ["model", "checkpoint"])
def test_a_file_does_not_say_where_fit_writes_or_what_it_reads(kind, tmp_path, monkeypatch):
    """Files that have such parameters load, without them."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "file"
    model = small(checkpoint=path if kind == "checkpoint" else None).fit(images())
    if kind == "model":
        model.set_params(checkpoint="mine.ckpt", checkpoint_every=3).save(path)
    tensors, document = _files.read(path)
    assert not set(PLACES) & set(document["params"])
    document["params"] |= PLACES
    path.write_bytes(_files.encode(tensors, document))
    twin = TSimCNE.load(path)
    assert [getattr(twin, name) for name in PLACES] == [None] * len(PLACES)
    before = os.listdir(tmp_path)
    assert_same_bits(twin.set_params(random_state=3).fit_transform(images()), small().fit_transform(images()))
    assert os.listdir(tmp_path) == before
    if kind == "checkpoint":  # a run goes on from it, too
        small(checkpoint=path).fit(images(), resume=True)


def test_pickle_keeps_parameters_that_no_file_can():
    model = small(random_state=np.random.default_rng(0), callbacks=stop).fit(images())
    model.set_params(lr=float("inf"), checkpoint=Path("somewhere"))
    twin = pickle.loads(pickle.dumps(model))
    assert twin.callbacks is stop and twin.lr == float("inf") and twin.checkpoint == Path("somewhere")
    assert twin.random_state.integers(1 << 30) == model.random_state.integers(1 << 30)


def test_pickle_keeps_what_others_set():
    model = mapper().set_output(transform="default").fit(vectors())
    model.note = "mine"
    twin = pickle.loads(pickle.dumps(model))
    assert twin.note == "mine" and twin._sklearn_output_config == model._sklearn_output_config
    assert clone(model)._sklearn_output_config == model._sklearn_output_config


def test_unfitted(tmp_path):
    model = small(n_components=3)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), clone(model)):
        assert twin.get_params() == model.get_params() and not twin.__sklearn_is_fitted__()
    with pytest.raises(NotFittedError):
        model.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_clone_is_unfitted_and_fits_the_same():
    model = small().fit(images())
    twin = clone(model)
    assert not twin.__sklearn_is_fitted__() and not hasattr(twin, "embedding_")
    assert_same_bits(twin.fit_transform(images()), model.embedding_)


def test_copies_are_independent():
    model = small().fit(images())
    before = model.embedding_.copy()
    twin = copy.deepcopy(model)
    twin.embedding_[:] = 0
    twin.history_.clear()
    twin.fit(images(shape=(9, 9, 3)))
    assert_same_bits(model.transform(images()), before)
    assert_same_bits(model.embedding_, before)
    assert model.history_


def test_file_is_a_state_dict_with_a_document(tmp_path):
    path = tmp_path / "model.safetensors"
    model = small().fit(images())
    model.save(path)
    with safe_open(path, "numpy") as file:
        names = set(file.keys())
        document = json.loads(file.metadata()[_files.KEY])
        kernel = file.get_tensor("backbone.conv1.weight")
    state = {name: value for name, value in model.to_state_dict().items() if "num_batches" not in name}
    places = {f"plane.{name}" for name in ("mean", "directions", "steps", "bits", "codes", "keys")}
    places |= {f"patches.{name}" for name in (*ARRAYS, *EVENED)}
    places |= {f"{level}.{name}" for level in ("parts", "last") for name in EVENED}
    assert names == {*state, "embedding", *places}
    assert_same_bits(kernel, state["backbone.conv1.weight"])
    assert document["format"] == 1 and document["params"]["width"] == 4


def test_load_never_imports_pickle(tmp_path):
    small().fit(images()).save(tmp_path / "model")
    # Others import the module; what must not happen is that it reads anything.
    code = (
        "import pickle, sys\n"
        "def refuse(*a, **k): raise AssertionError('unpickled')\n"
        "pickle.load = pickle.loads = pickle.Unpickler = refuse\n"
        "from tsimcne_swift import TSimCNE\n"
        "import tsimcne_swift\n"
        "TSimCNE.load(sys.argv[1])\n"
        "modules = [m for n, m in sys.modules.items() if n.startswith('tsimcne_swift')]\n"
        "assert not any(hasattr(m, 'pickle') for m in modules)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "model")], check=True)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch, call):
    path = tmp_path / "model"
    model = small().fit(images())
    model.save(path)
    before = path.read_bytes()

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="No space left"):
        small(random_state=4).fit(images()).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_link_stays_a_link(tmp_path):
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "folder" / "model")
    model = small().fit(images())
    for _ in range(2):
        model.save(link)
        assert link.is_symlink() and (tmp_path / "folder" / "model").is_file()
    assert_same_bits(TSimCNE.load(link).embedding_, model.embedding_)


def test_bad_paths(tmp_path):
    model = small().fit(images())
    for path, error in [(3, TypeError), (None, TypeError), (b"x", TypeError), (io.BytesIO(), TypeError)]:
        for call in (model.save, TSimCNE.load):
            with pytest.raises(error, match=r"^path: "):
                call(path)
    for path in (tmp_path, tmp_path / "nowhere" / "model"):
        with pytest.raises(ValueError, match=r"^path: "):
            model.save(path)
    with pytest.raises(FileNotFoundError):
        TSimCNE.load(tmp_path / "nothing")


@pytest.mark.parametrize("hidden_dim", [7, [7, 5, 6], (7, 5, 6)])
def test_a_read_head_is_that_of_its_arrays(hidden_dim, tmp_path):
    X = vectors()
    model = mapper(hidden_dim=hidden_dim, pretrain_dim=4, plane="parametric").fit(X)
    twin = through_file(model, tmp_path)
    assert clone(twin).hidden_dim == (7 if hidden_dim == 7 else [7, 5, 6])
    assert clone(model).hidden_dim == hidden_dim
    state = twin._network.tensors()
    values = model.features(X).astype(np.float64)
    for i in range(np.size(hidden_dim) + 1):
        layer = f"projection_head.layers.{2 * i}"
        values = np.maximum(values, 0) if i > 0 else values
        values = values @ state[f"{layer}.weight"].T + state[f"{layer}.bias"]
    np.testing.assert_allclose(twin.transform(X), values, rtol=1e-4, atol=1e-4)


def test_document_has_what_a_user_writes(tmp_path):
    for hidden_dim in (7, [7, 5, 6]):
        mapper(hidden_dim=hidden_dim).fit(vectors()).save(tmp_path / "model")
        _, document = _files.read(tmp_path / "model")
        assert document["params"]["hidden_dim"] == document["architecture"]["hidden_dim"] == hidden_dim


# ------------------------------------------------------------------ damage


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.safetensors"
    mapper(normalize="dataset", hidden_dim=4).fit(vectors()).save(path)
    return path


def rewrite(path, change):
    """The file with what ``change(tensors, document)`` makes of it."""
    tensors, document = _files.read(path)
    change(tensors, document)
    text = json.dumps(document)
    path.write_bytes(safetensors.numpy.save(tensors, {_files.KEY: text}))


def refuses(path, match=None):
    with pytest.raises(ValueError, match=match) as caught:
        TSimCNE.load(path)
    assert path.name in str(caught.value)


def test_truncated(saved):
    data = saved.read_bytes()
    for length in (0, 1, 7, 8, 100, len(data) // 2, len(data) - 1):
        saved.write_bytes(data[:length])
        refuses(saved, "not a safetensors file")
    saved.write_bytes(data + b"0")
    refuses(saved, "not a safetensors file")


def test_other_files(saved):
    random = np.random.default_rng(0)
    for content in (b"hello", pickle.dumps({}), random.bytes(1000), b"\xff" * 64):
        saved.write_bytes(content)
        refuses(saved, "not a safetensors file")
    saved.write_bytes(safetensors.numpy.save({"x": np.zeros(3, np.float32)}))
    refuses(saved, "layers.0.weight: is missing")


def test_no_metadata(saved):
    """Then it counts as a state dict, which has no other arrays."""
    tensors, _ = _files.read(saved)
    saved.write_bytes(safetensors.numpy.save(tensors))
    refuses(saved, "is unexpected")


@pytest.mark.parametrize("text", ["", "{", "3", "[]", "null", '"model"', "[" * 5000, "1" * 5000])
def test_other_metadata(saved, text):
    tensors, _ = _files.read(saved)
    saved.write_bytes(safetensors.numpy.save(tensors, {_files.KEY: text}))
    refuses(saved, "document is no JSON")


def test_other_formats(saved):
    for value in (0, 2, "1", None):
        rewrite(saved, lambda tensors, document, value=value: document.update(format=value, version="9.9"))
        refuses(saved, rf"has format {value!r}, this version reads 1; it was written by version '9.9'")


def test_missing_and_foreign_arrays(saved):
    original = saved.read_bytes()
    for name in set(_files.read(saved)[0]) - {"embedding"}:
        saved.write_bytes(original)
        rewrite(saved, lambda tensors, document, name=name: tensors.pop(name))
        refuses(saved, "missing")
    saved.write_bytes(original)
    rewrite(saved, lambda tensors, document: tensors.update({"projection_head.x": np.zeros(2, np.float32)}))
    refuses(saved, "projection_head.x: is unexpected")


def test_arrays_of_other_shapes_types_and_values(saved):
    original = saved.read_bytes()
    tensors, _ = _files.read(saved)
    for name, value in tensors.items():
        bad = [value[:-1], value.reshape(-1, 1, 1), value.astype(np.int32), value[None]]
        if name != "embedding":  # a run that diverged may have any
            bad += [value * np.float32(np.nan), value + np.float32(np.inf)]
        if name == "normalization.std":
            bad += [-value, 0 * value]
        if name == "embedding":
            bad = bad[1:]
        for array in bad:
            saved.write_bytes(original)
            rewrite(saved, lambda tensors, _, name=name, array=array: tensors.update({name: array}))
            refuses(saved, "is damaged")


def leaves(value, path=()):
    """Paths to everything in a document."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from leaves(item, (*path, key))


def nested(depth):
    value = 0
    for _ in range(depth):
        value = [value]
    return value


STRANGE = [None, True, -1, 10**400, 1e308, "x", [], {}, {"Stage": 1}, {"Stage": {"epochs": 1}}, [[]]]


def test_document_of_strange_values(saved):
    """Whichever value is another one, there is a model or a ValueError."""
    tensors, document = _files.read(saved)
    refused = 0
    for path in leaves(document):
        for value in STRANGE if path else []:
            strange = copy.deepcopy(document)
            at = strange
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = value
            data = safetensors.numpy.save(tensors, {_files.KEY: json.dumps(strange)})
            saved.write_bytes(data)
            try:
                model = TSimCNE.load(saved)
                model.get_feature_names_out()
                repr(model.history_)
            except ValueError as error:
                assert saved.name in str(error)
                refused += 1
    assert refused > 100


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", "zebra"),
        ("params", {"n_component": 2}),
        ("params", {"lr": nested(200)}),
        ("params", {"lr": nested(900)}),
        ("architecture", {}),
        ("outputs", 3),
        ("outputs", 10**400),
        ("image_shape", [1, 1, 7]),
        ("image_shape", [8, 8, 6]),
        ("image_shape", [1, 1]),
        ("batch_size", "x"),
        ("seed", -1),
        ("seed", "x"),
        ("stages", [1]),
        ("stages", [{"Stage": {"epochs": -1, "stretches": []}}]),
        ("stages", [{"Stage": {"epochs": 1, "stretches": [[1]]}}]),
        ("total_epochs", ["a"]),
        ("history", [{"loss": "low"}]),
        ("history", [{"loss": float("nan")}]),
        ("feature_names", ["a"]),
        ("feature_names", [["a"]] * 6),
    ],
)
def test_document_of_wrong_values(saved, key, value):
    rewrite(saved, lambda tensors, document: document.update({key: value}))
    refuses(saved)


def test_document_cannot_ask_for_memory(saved):
    """A network of gigabytes is refused before it is made."""
    huge = {"backbone": "resnet18", "width": 1024, "hidden_dim": 65536, "channels": 1024}
    rewrite(saved, lambda tensors, document: document["architecture"].update(huge))
    refuses(saved, "got shape")


def test_document_of_other_hidden_layers(saved):
    rewrite(saved, lambda tensors, document: document["architecture"].update(hidden_dim=[4, 4]))
    refuses(saved, r"layers.2.(weight|bias): got shape")


def test_flipped_bits(saved):
    """Whatever a disk does to a file, there is a model or a ValueError that names it."""
    data = saved.read_bytes()
    random = np.random.default_rng(0)
    header = int.from_bytes(data[:8], "little") + 8
    refused = 0
    for i in range(300):
        # Most of the flips are where they hurt.
        position = random.integers(header if i % 4 else len(data))
        damaged = bytearray(data)
        damaged[position] ^= 1 << random.integers(8)
        saved.write_bytes(damaged)
        try:
            TSimCNE.load(saved).transform(vectors())
        except (ValueError, TypeError) as error:
            # A parameter that transform looks at may have another type now.
            assert saved.name in str(error) or str(error).startswith("n_jobs"), error
            refused += 1
    assert refused > 100


# ------------------------------------------------------------------ state dicts


def test_state_dict_in_a_file(tmp_path):
    path = tmp_path / "state.safetensors"
    model = small(n_components=3).fit(images(shape=(8, 9, 3)))
    safetensors.numpy.save_file(model.to_state_dict(), path)
    twin = TSimCNE.load(path, image_shape=(8, 9, 3))
    X = images(shape=(8, 9, 3))
    assert_same_bits(twin.transform(X), model.embedding_)
    assert (twin.width, twin.hidden_dim, twin.n_components) == (4, 16, 3)
    assert not hasattr(twin, "embedding_") and twin.history_ == [] and twin.stages_ == []
    again = through_file(twin, tmp_path)
    assert_same_bits(again.transform(X), model.embedding_)
    for shape, message in [(None, "which a state dict lacks"), ((8, 9), "1 channels"), ((8,), "want")]:
        with pytest.raises((ValueError, TypeError), match=rf"^image_shape: .*{message}"):
            TSimCNE.load(path, image_shape=shape)


def test_state_dict_of_several_hidden_layers():
    X = vectors()
    model = mapper(hidden_dim=(7, 5), plane="parametric").fit(X)
    with pytest.warns(UserWarning, match="normalises its input"):
        twin = TSimCNE.from_state_dict(model.to_state_dict())
    assert twin.hidden_dim == (7, 5) and clone(twin).hidden_dim == (7, 5)
    assert_same_bits(twin.transform(model.features(X)), model.embedding_)
    deep = {f"projection_head.layers.{2 * i}.weight": np.zeros((2, 2), np.float32) for i in range(18)}
    deep |= {f"projection_head.layers.{2 * i}.bias": np.zeros(2, np.float32) for i in range(18)}
    with pytest.raises(ValueError, match=r"^hidden_dim: got .*, want .* 1 to 16 of them"):
        TSimCNE.from_state_dict(deep)


def test_state_dict_of_vectors(tmp_path):
    path = tmp_path / "state.safetensors"
    X = vectors()
    model = mapper(normalize="dataset", plane="parametric").fit(X)
    with pytest.warns(UserWarning, match="normalises its input"):
        state = model.to_state_dict()
    safetensors.numpy.save_file(state, path)
    # The other network gets what this one makes of X.
    assert_same_bits(TSimCNE.load(path).transform(model.features(X)), model.embedding_)
    with pytest.raises(ValueError, match=r"^image_shape: .*want None"):
        TSimCNE.load(path, image_shape=(8, 8))
    model.save(path)
    with pytest.raises(ValueError, match=r"^image_shape: .*has its own"):
        TSimCNE.load(path, image_shape=(8, 8))
