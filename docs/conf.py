"""Sphinx's configuration: `make docs` builds the site in out/docs."""

import shutil
from pathlib import Path

import tsimcne_swift

ROOT = Path(__file__).resolve().parents[1]
# Sphinx reads from its own folder only.
shutil.copytree(ROOT / "examples/notebooks", ROOT / "docs/notebooks", dirs_exist_ok=True)
contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
(ROOT / "docs/contributing.md").write_text(contributing.replace("](docs/", "]("), encoding="utf-8")

project = "tsimcne-swift"
author = "The tsimcne-swift developers"
version = release = tsimcne_swift.__version__
extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
html_theme = "furo"
html_title = "tsimcne-swift"
html_static_path: list[str] = []
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
numpydoc_show_class_members = False
suppress_warnings = ["myst.header"]
