"""A table beside the images: which row is whose, and what its columns hold."""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np

from .._checks.columns import LARGEST_EXACT, NUMBER
from .._checks.values import check_regular
from .._system.text import harmless, legible

DELIMITERS = ",;\t|"
# Cells that stand for no value, as pandas reads them too.
EMPTY = frozenset(
    ["", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-nan", "NULL", "null", "None", "NaT"]
)
WHOLE = re.compile(r"[+-]?\d+")
# Numbers of a house or a patient: to count with them would lose what stands before.
LEADING_ZERO = re.compile(r"[+-]?0\d+")
WITH_COMMA = re.compile(r"[+-]?\d+(,\d+)?")
TIME = re.compile(r"(\d{4})[-:](\d\d)[-:](\d\d)([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?")
BOOLS = {"true": True, "false": False}


def _say(text: str) -> None:
    print(legible(text), file=sys.stderr)


def _whole(name: str) -> str:
    return name


def _path(name: str) -> str:
    # Some systems write a letter with an accent as two characters in files' names; tables have one.
    return normalize("NFC", name.replace("\\", "/").removeprefix("./"))


def _end(path: str, depth: int) -> str:
    """The file, and so many of the folders around it."""
    return "/".join(path.split("/")[-1 - depth :])


def _file(name: str) -> str:
    return _path(name).rsplit("/", 1)[-1]


def _stem(name: str) -> str:
    file = _file(name)
    return file.rsplit(".", 1)[0] if "." in file[1:] else file


# Ways to compare cells with names, the strictest first. The last folders are compared where one of both has
# more of them.
WAYS: dict[str, Callable[[str], str]] = {
    "whole names": _whole,
    "paths": _path,
    "files": _file,
    "files without their endings": _stem,
}


def read_metadata(
    path: Path, names: list[str], key: str | None = None, say: Callable[[str], None] = _say
) -> dict[str, Any]:
    """Columns of a CSV file, in the order of the images.

    The column ``key``, or the one that tells the most images apart, says which row is whose: by whole names,
    in the bytes that they have on disk or as `embed` writes them in its own table; else by paths that end
    alike, files, or files without their endings, in capitals or not. Images without a row have empty values,
    and so have those that one cell names together. What was found is told to ``say``.

    Raises
    ------
    ValueError
        If no column has names of images, or the file is no table; the error names the file.
    """
    columns, rows = _rows(path, say)
    if key is not None and key not in columns:
        raise ValueError(f"key: got {key!r}, want one of the columns of {path}: {', '.join(columns)}")
    found: _Matches | None = None
    for column in columns if key is None else [key]:
        for way in WAYS:
            matches = _Matches(column, way, [row[column] for row in rows], names)
            if matches.rank > (found.rank if found else (0, 0)):
                found = matches
    if found is None:
        where = f"column {key!r}" if key is not None else "no column"
        raise ValueError(
            f"metadata: got {where} of {path} {'without' if key is not None else 'with'} names of images, "
            f"such as {names[0]!r}; --key names the column that has them"
        )
    found.tell(path, say)
    return {
        column: _typed(["" if place is None else rows[place][column] for place in found.rows])
        for column in columns
        if column != found.column
    }


def _rows(path: Path, say: Callable[[str], None]) -> tuple[list[str], list[dict[str, str]]]:
    """Names of the columns, and the rows, without blanks around."""
    check_regular("metadata", path)
    data = path.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
    else:
        text = data.decode("utf-8-sig", errors="surrogateescape")
        strange = next((i for i, line in enumerate(text.splitlines(), 1) if line != legible(line)), None)
        if strange is not None:
            say(
                f"metadata: {path} is not UTF-8 (line {strange}); such bytes are written as \\xNN: "
                "save it as UTF-8 to read them"
            )
    lines = text.splitlines(keepends=True)
    head = next((line for line in lines if line.strip()), "")
    unquoted = re.sub('"[^"]*"', "", head)
    delimiter = max(DELIMITERS, key=unquoted.count)
    try:
        table = [row for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if any(row)]
    except csv.Error as error:
        raise ValueError(f"metadata: got {path}, which is no table ({error})") from error
    if len(table) < 2:
        raise ValueError(f"metadata: got no rows in {path}")
    columns = [name.strip() for name in table[0]]
    twice = [name for name, count in Counter(columns).items() if count > 1 and name]
    if twice:
        raise ValueError(f"metadata: got two columns {twice[0]!r} in {path}, want a name for each")
    rows = [
        {
            name: cell.strip()
            for name, cell in zip(columns, [*row, *[""] * len(columns)], strict=False)
            if name
        }
        for row in table[1:]
    ]
    return [name for name in columns if name], rows


class _Matches:
    """Rows of the images by one column, compared in one way.

    Parameters
    ----------
    column : str
    way : str
        One of `WAYS`.
    cells : list of str
        Of the column.
    names : list of str
        Names of the images.
    """

    def __init__(self, column: str, way: str, cells: list[str], names: list[str]) -> None:
        self.column, self.way = column, way
        self._names = names
        keys, known = self._keys(names, cells, WAYS[way])
        self.count = len(cells)
        places: dict[str, list[int]] = {}
        for place, cell in enumerate(known):
            places.setdefault(cell, []).append(place)
        images = Counter(keys)
        # A cell that names several images says nothing of any; of several rows the first counts.
        self.shared = [key for key, count in images.items() if count > 1 and key in places]
        self.again = [key for key in images if len(places.get(key, ())) > 1]
        self.rows = [places[key][0] if key in places and images[key] == 1 else None for key in keys]
        self.unused = sum(cell not in images for cell in known)

    @staticmethod
    def _keys(
        names: list[str], cells: list[str], shorten: Callable[[str], str]
    ) -> tuple[list[str], list[str]]:
        keys = [harmless(shorten(name)) for name in names]
        known = [harmless(shorten(cell)) if cell else "" for cell in cells]
        if shorten is _path:
            # As many of the last folders as all have.
            depth = min(path.count("/") for path in [*keys, *filter(None, known)])
            keys, known = ([_end(path, depth) for path in paths] for paths in (keys, known))
        if shorten is not _whole and not set(keys) & set(known):
            keys, known = [key.casefold() for key in keys], [cell.casefold() for cell in known]
        return keys, known

    @property
    def rank(self) -> tuple[int, int]:
        """More for more images that have a row of their own; then for those whose row is not theirs alone."""
        alone = sum(place is not None for place in self.rows) - len(self.again)
        # Numbers are files' names without endings by accident, but not most of a column.
        if self.way == list(WAYS)[-1] and 2 * alone < min(self.count, len(self.rows)):
            return 0, 0
        return max(0, alone), len(self.shared) + len(self.again)

    def tell(self, path: Path, say: Callable[[str], None]) -> None:
        found = sum(place is not None for place in self.rows)
        text = f"metadata: column {self.column!r} of {path} has the names ({self.way}): "
        text += f"{found:,} of {len(self._names):,} images have a row"
        say(text + (f"; {self.unused:,} of {self.count:,} rows are of no image" if self.unused else ""))
        if self.shared:
            say(
                f"metadata: {self.shared[0]!r} is the name of several images, as are "
                f"{len(self.shared) - 1:,} others; they have no values: write the folders, too"
            )
        if self.again:
            say(
                f"metadata: {self.again[0]!r} has several rows, as have {len(self.again) - 1:,} others; "
                "the first of them counts"
            )


def _typed(cells: list[str]) -> Any:
    """Numbers, truth values or times, where all cells that are there are some; else text."""
    values = ["" if cell in EMPTY else cell for cell in cells]
    there = [value for value in values if value]
    if not there:
        return np.array(values, dtype=object)
    if all(map(WHOLE.fullmatch, there)) and not any(map(LEADING_ZERO.fullmatch, there)):
        return _numbers([int(value) if value else None for value in values])
    if all(map(NUMBER.fullmatch, there)) and not any(map(LEADING_ZERO.fullmatch, there)):
        return np.array([float(value) if value else np.nan for value in values])
    if all(map(WITH_COMMA.fullmatch, there)) and any("," in value for value in there):
        return np.array([float(value.replace(",", ".")) if value else np.nan for value in values])
    if all(value.lower() in BOOLS for value in there):
        return np.array([BOOLS.get(value.lower()) for value in values], dtype=object)
    if all(map(TIME.fullmatch, there)):
        try:
            return np.array([_moment(value) for value in values], "datetime64[us]")
        except ValueError:  # such as the 31st of June
            pass
    return np.array(values, dtype=object)


def _numbers(values: list[int | None]) -> Any:
    """Whole numbers; floats where some are missing and floats can hold the others."""
    largest = max(abs(value) for value in values if value is not None)
    if None not in values and largest < 1 << 63:
        return np.array(values, np.int64)
    if largest <= LARGEST_EXACT:
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return np.array(values, dtype=object)


def _moment(value: str) -> np.datetime64:
    # Cameras write colons between the parts of a day.
    return np.datetime64(value[:10].replace(":", "-") + value[10:] if value else "NaT", "us")
