"""What stands in two places is the same in both: in the header's tables, in Python and in Swift."""

import inspect
import pickle
import re
import tomllib
from dataclasses import asdict, fields
from pathlib import Path

import pytest
import tsimcne_swift
from tsimcne_swift import Augmentation, FeatureAugmentation, Stage, TSimCNE, _core, recipes
from tsimcne_swift._parameters import PARAMETERS
from tsimcne_swift._stages.augmentation import PRESETS

SOURCES = sorted(Path(tsimcne_swift.__file__).parent.rglob("*.py"))


def test_every_parameter_has_a_row():
    assert list(PARAMETERS) == list(inspect.signature(TSimCNE).parameters)


def test_every_default_is_allowed():
    estimator = TSimCNE()
    for name, row in PARAMETERS.items():
        row.checked(name, getattr(estimator, name))


def test_parameters_of_the_core_are_numbers_of_it():
    for name, row in PARAMETERS.items():
        assert row.core is None or row.core[1] in _core.NUMBERS[row.core[0]], name


def test_constants_that_are_used_exist():
    used = {
        name for path in SOURCES for name in re.findall(r"\b_core\.([A-Z][A-Z_0-9]*)\b", path.read_text())
    }
    assert len(used) > 30
    assert [name for name in sorted(used) if not hasattr(_core, name)] == []


def test_augmentations_have_the_defaults_of_the_core():
    usual = {name: row[0] for name, row in _core.NUMBERS["augmentation"].items()}
    assert {field.name: field.default for field in fields(Augmentation)} == usual
    assert asdict(PRESETS["natural"]) == usual
    assert set(PRESETS) == {"none", "natural", "text", "microscopy"}


def test_every_optimizer_has_rates_and_every_shape_a_warmup():
    assert recipes.LEARNING_RATES.keys() == _core.OPTIMIZERS.keys()
    assert recipes.WARMUP.keys() == _core.SHAPES.keys()


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ("optimizer", ["auto", *_core.OPTIMIZERS]),
        ("lr_scheduler", _core.SHAPES),
        ("lr_step", _core.SCHEDULES),
        ("metric", _core.METRICS.keys() - {"student_t"}),
    ],
)
def test_documentation_names_every_choice(parameter, words):
    line = re.search(rf"^{parameter} : (.*)$", inspect.getdoc(TSimCNE), re.M)[1]
    assert set(re.findall(r'"(\w+)"', line.split(", default")[0])) == set(words)


def test_what_no_structure_has_is_refused():
    with pytest.raises(TypeError, match="model: got 'depths'"):
        _core.Model(depths=3, hidden_dims=(), seed=0)


def test_pickles_of_the_first_version_are_read():
    """They name other modules; protocol 0 writes these as text."""
    old = {"_stages.stage": "_stages", "_stages.augmentation": "_augmentation"}
    for value in (Stage(2, lr=0.5), Augmentation(blur=0.5), FeatureAugmentation(noise=2)):
        data = pickle.dumps(value, protocol=0)
        for now, before in old.items():
            data = data.replace(f"tsimcne_swift.{now}\n".encode(), f"tsimcne_swift.{before}\n".encode())
        assert any(f"tsimcne_swift.{before}\n".encode() in data for before in old.values())
        assert pickle.loads(data) == value


def test_the_wheel_has_every_room_of_the_package():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    root = Path(tsimcne_swift.__file__).parents[1]
    rooms = {".".join(file.relative_to(root).parent.parts) for file in SOURCES if file.name == "__init__.py"}
    assert set(project["tool"]["setuptools"]["packages"]) == rooms
