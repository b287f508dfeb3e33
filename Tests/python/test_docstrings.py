"""All that is public says in numpydoc what it takes and returns."""

import inspect
from types import ModuleType

import pytest
import tsimcne_swift
from numpydoc.validate import validate

# Examples, See Also and types of every parameter are left to judgement; summaries may be noun phrases.
CHECKED = ("GL01", "GL03", "GL08", "PR01", "PR02", "PR03", "PR05", "PR10", "RT01", "SS03", "SS04", "YD01")
# Methods of scikit-learn's own.
INHERITED = {"get_feature_names_out", "get_metadata_routing", "get_params", "set_output", "set_params"}


def public(module: ModuleType, path: str):
    for name in module.__all__:
        value, place = getattr(module, name), f"{path}.{name}"
        if isinstance(value, ModuleType):
            if hasattr(value, "__all__"):
                yield from public(value, place)
        elif callable(value):
            yield place
            if inspect.isclass(value):
                members = (name for name in dir(value) if not name.startswith("_") and name not in INHERITED)
                yield from (f"{place}.{name}" for name in members if callable(getattr(value, name)))


@pytest.mark.parametrize("name", sorted(set(public(tsimcne_swift, "tsimcne_swift"))))
def test_numpydoc(name):
    errors = [f"{code}: {text}" for code, text in validate(name)["errors"] if code in CHECKED]
    assert not errors
