"""Text from anywhere, made fit for files that other programs read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

# Python's stand-ins for bytes of a file's name that are not UTF-8, and other halves of characters.
SURROGATE = re.compile("[\ud800-\udfff]")
# Places before what a spreadsheet takes for a formula, also in full width and after blanks. It may divide
# cells elsewhere than at commas, and then knows no quotes: so each place counts where a cell may begin.
FORMULA = re.compile("(^|[;\t\r\n])(?=[\\s\0\ufeff]*[=+\\-@＝＋－＠])|^(?=[\t\r\n])")
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")


def legible(value: Any) -> str:
    r"""Text of any value that every encoding of Unicode takes: a byte that is none is written as ``\xNN``."""
    return SURROGATE.sub(_escaped, str(value))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    # PEP 383 keeps the bytes 0x80 to 0xFF as these.
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def harmless(value: Any) -> str:
    """Text that no spreadsheet computes: an apostrophe goes before what would be a formula. Numbers stay."""
    text = legible(value)
    return text if NUMBER.fullmatch(text) else FORMULA.sub(r"\1'", text)


def to_csv(header: Sequence[str], rows: Iterable[Sequence[float | str]]) -> bytes:
    """A table in UTF-8, with quotes around all text, which is `harmless`."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(header)
    for row in rows:
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return file.getvalue().encode()
