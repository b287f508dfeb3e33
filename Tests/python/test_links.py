"""Links of the documentation: each has a text and leads to what exists, also where no site is built."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "benchmarks/README.md"])
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def anchors(path):
    """Of the headings, as GitHub and the site name them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", h).lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links(page):
    # Pages that the site's build copies from elsewhere have their links from there.
    if page.name == "contributing.md":
        pytest.skip("made by the site's build")
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for picture, said, target in LINK.findall(text):
        if re.match(r"https?:|mailto:", target):
            continue
        assert picture or said.strip(), f"no text: {target}"
        name, _, anchor = target.partition("#")
        path = page if not name else page.parent / name
        assert path.exists(), target
        assert not anchor or path.suffix != ".md" or anchor in anchors(path), target


def test_every_page_is_listed():
    listed = (ROOT / "docs/index.md").read_text().split()
    assert [p.stem for p in ROOT.glob("docs/*.md") if p.stem not in listed and p.stem != "index"] == []
