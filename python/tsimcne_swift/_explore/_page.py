"""The page's program, its style and its frame."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from importlib import resources

WEB = resources.files(__package__) / "web"
# Each may use what those before it define.
SCRIPTS = (
    "values.js", "pieces.js", "view.js", "shaders.js", "gl.js", "canvas.js", "pictures.js", "spread.js",
    "names.js", "overlay.js", "pointer.js", "plot.js", "columns.js", "legend.js", "filters.js",
    "selection.js", "take.js", "header.js", "app.js", "open.js",
)  # fmt: skip
# What tells a page of ours.
MARK = '<meta name="generator" content="tsimcne-swift">'
START = """
const data = JSON.parse(document.getElementById("data").textContent);
TSimCNE.open(document.getElementById("map"), data).then((explorer) => {
  globalThis.explorer = explorer;
  explorer.open(location.hash);
  addEventListener("hashchange", () => explorer.open(location.hash));
  addEventListener("beforeprint", () => explorer.print(true));
  addEventListener("afterprint", () => explorer.print(false));
});
"""


def read(name: str) -> str:
    """A file of the page."""
    return (WEB / name).read_text(encoding="utf-8")


def program() -> str:
    """All scripts as one, which defines ``TSimCNE`` and nothing else."""
    parts = "\n".join(read(name) for name in SCRIPTS)
    exported = "mount: (...given) => new Explorer(...given), open: openMap"
    return f'const TSimCNE = (() => {{\n"use strict";\n{parts}\nreturn {{ {exported} }};\n}})();\n'


def make_page(title: str, data: str, beside: str = "") -> str:
    """One HTML file, whose policy lets nothing run but its own script, and nothing be fetched.

    ``beside`` are the sources of further scripts, for a page whose data lie beside it.
    """
    script, style = program() + START, read("app.css")
    parts = {
        "title": html.escape(title),
        "style": style,
        "styleHash": _hash(style),
        "script": script,
        "scriptHash": _hash(script),
        "mark": MARK,
        "beside": f" {beside}" if beside else "",
        # The data alone are not the page's own text: no tag in them may end the script.
        "data": data.replace("<", "\\u003c"),
    }
    # Marks are filled in one pass, so that what fills one is not looked at.
    return re.sub("{(" + "|".join(parts) + ")}", lambda mark: parts[mark[1]], read("page.html"))


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
