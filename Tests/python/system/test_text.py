"""Text of strangers in tables: nothing in it is computed, and every program can read it."""

import csv
import io

import pytest
from tsimcne_swift._system.text import harmless, legible, to_csv

FORMULAS = [
    "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", "\ufeff=1", "＝1+1", "-",
    "=", "-1-1", "+1.5.2", "--1",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_become_text(text):
    assert harmless(text).startswith("'") and harmless(text).replace("'", "") == text.replace("'", "")
    assert harmless(harmless(text)) == harmless(text)


@pytest.mark.parametrize(
    "text", ["", "a=b", "photo.png", "-1", "+1", "-1.5e-07", "3.", "'quoted'", "ä", "a-b"]
)
def test_other_text_and_numbers_stay(text):
    assert harmless(text) == text


def test_bytes_that_are_not_utf_8_are_legible():
    name = b"stra\xdfe-\xe4.png".decode("utf-8", "surrogateescape")
    assert legible(name) == r"stra\xdfe-\xe4.png"
    assert legible("half \ud83d of one") == r"half \ud83d of one"
    assert legible("straße 🗺") == "straße 🗺"


def test_a_table_keeps_its_cells_together():
    """No formula begins in a spreadsheet that divides at semicolons either."""
    rows = [["a;=1+1", -0.5, 1e-07, 'say "=1"'], ["=x", 2.0, -3.0, "a\n=1"]]
    text = to_csv(["file", "x", "y", "label"], rows).decode()
    assert list(csv.reader(io.StringIO(text, newline="")))[1:] == [
        ["a;'=1+1", "-0.5", "1e-07", 'say "=1"'],
        ["'=x", "2.0", "-3.0", "a\n'=1"],
    ]
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=";"):
        assert not any(cell.startswith("=") for cell in row)
