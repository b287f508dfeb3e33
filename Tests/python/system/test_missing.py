"""What an import says where there is no extension."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tsimcne_swift
from tsimcne_swift._system.missing import explained


@pytest.fixture
def said(tmp_path):
    """Import a package without its extension, and return the last line of what is said."""
    ignored = shutil.ignore_patterns("*.so", "lib", "__pycache__")
    shutil.copytree(Path(tsimcne_swift.__file__).parent, tmp_path / "tsimcne_swift", ignore=ignored)

    def run(before):
        # Neither the environment's own package nor its link is seen.
        path = f"import sys, sysconfig\nsys.path.insert(0, {str(tmp_path)!r})\n"
        command = [sys.executable, "-S", "-c", f"{path}{before}\nimport tsimcne_swift"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr.splitlines()[-1]

    return run


def test_a_missing_core_is_named(said):
    assert said("").startswith("ImportError: tsimcne_swift has no compiled core here: install its wheel")


def test_free_threaded_python_is_named(said):
    line = said("sysconfig.get_config_var = lambda name: 1")
    assert line.startswith("ImportError: tsimcne_swift cannot be used in free-threaded Python")


def test_what_the_loader_says_is_kept():
    with pytest.raises(ImportError, match="GLIBC"), explained():
        raise ImportError("version `GLIBC_2.34' not found")
