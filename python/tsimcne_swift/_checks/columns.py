"""What the values of a column mean: numbers, truth values, times or text, and which of them are missing."""

from __future__ import annotations

import datetime
import numbers
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .axes import values_of
from .values import is_whole

# What libraries write for a missing value among text. "None" and "NA" are not here: people call kinds so.
MISSING = frozenset(["", "nan", "NaN", "NaT", "<NA>"])
DIGITS = re.compile(r"(\d+)")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
TIMES = (datetime.date, datetime.datetime, np.datetime64)
# Whole numbers up to here are floats, too.
LARGEST_EXACT = 1 << 53


@dataclass(frozen=True)
class Column:
    """A column, whatever library it came from.

    Parameters
    ----------
    kind : {"number", "bool", "time", "text"}
    values : ndarray of shape (n,)
        Whole numbers where all are; else floats; lengths of time are seconds; truth values; or text, which is
        ISO 8601 for times. What stands where a value is missing has no meaning.
    known : ndarray of shape (n,), bool
        Where there is a value: not None, NaN, NA, NaT, or blank text.
    order : list of str or None
        Text in the order that the column gives to it, as pandas' categories; None: its own.
    """

    kind: str
    values: npt.NDArray[Any]
    known: npt.NDArray[np.bool_]
    order: list[str] | None = None

    def texts(self) -> list[str]:
        """Each value as it is written; empty where it is missing."""
        return [
            str(value) if known else ""
            for value, known in zip(self.values.tolist(), self.known.tolist(), strict=True)
        ]

    def floats(self) -> npt.NDArray[np.float64]:
        """Numbers, with NaN where they are missing."""
        return np.where(self.known, self.values.astype(np.float64), np.nan)


def read_column(name: str, values: Any, n: int) -> Column:
    """A column of n values, from a list, an array, or a column of pandas, Polars, Arrow or PyTorch."""
    array = _array(name, values)
    if array.shape == (n, 1):
        array = array[:, 0]
    if array.shape != (n,):
        raise ValueError(f"{name}: got shape {array.shape}, want ({n},)")
    if array.dtype.kind == "b":
        return Column("bool", array, np.ones(n, bool))
    if array.dtype.kind in "iu":
        return Column("number", array, np.ones(n, bool))
    if array.dtype.kind == "f":
        return _numbers(array.astype(np.float64), ~np.isnan(array))
    if array.dtype.kind == "M":
        return _times(array.astype("datetime64[us]"), ~np.isnat(array))
    if array.dtype.kind == "m":
        return _numbers(array / np.timedelta64(1, "s"), ~np.isnat(array))
    return _objects(array.astype(object), _order(values))


def _array(name: str, values: Any) -> npt.NDArray[Any]:
    if isinstance(values, list | tuple):
        values = [_unpacked(value) for value in values]
    # Arrow's own conversion refuses what it has to copy.
    is_arrow = type(values).__module__.partition(".")[0] == "pyarrow"
    convert = None if is_arrow else getattr(values, "to_numpy", None)
    try:
        array = np.asarray(values) if convert is None else np.asarray(convert())
        # numpy writes what is missing, and numbers, among text as text, and large whole numbers as floats.
        is_changed = array.dtype.kind in ("US" if isinstance(values, np.ndarray) else "USf")
        return np.asarray(values, dtype=object) if is_changed else array
    except ValueError as error:
        raise ValueError(f"{name}: got {type(values).__name__} that is no column ({error})") from error


def _order(values: Any) -> list[str] | None:
    """Categories of text in their order."""
    categories = getattr(getattr(values, "cat", values), "categories", None)
    if categories is None or not all(isinstance(category, str) for category in categories):
        return None
    return [str(category) for category in categories]


def is_missing(value: Any) -> bool:
    """Whether a value stands for none: None, NaN, NA, NaT, or blank text."""
    if isinstance(value, str):
        return value.strip() in MISSING
    if value is None:
        return True
    # NaN and NaT differ from themselves; pandas' NA says neither yes nor no.
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"


def _objects(array: npt.NDArray[Any], order: list[str] | None) -> Column:
    plain: list[Any] = [_unpacked(value) for value in array]
    known = np.array([not is_missing(value) for value in plain], bool).reshape(len(array))
    array = np.array([*plain, None], object)[:-1]
    there = array[known].tolist()
    if len(there) == 0:
        return Column("text", np.full(len(array), "", object), known)
    if all(isinstance(value, bool | np.bool_) for value in there):
        return Column("bool", _filled(known, np.array(there, bool)), known)
    if all(is_whole(value) for value in there):
        return Column("number", _filled(known, _whole(there)), known)
    if all(isinstance(value, numbers.Number) and not isinstance(value, bool | np.bool_) for value in there):
        return _numbers(_filled(known, np.array(there, np.float64)), known)
    if all(isinstance(value, datetime.timedelta) for value in there):
        return _numbers(_filled(known, np.array([value.total_seconds() for value in there])), known)
    if all(isinstance(value, TIMES) for value in there):
        return _times_with_zones(array, known)
    # Among text a negative number is no measure, but the usual word for none.
    known &= [not (is_whole(value) and value < 0) for value in plain]
    texts = np.full(len(array), "", object)
    texts[known] = [_text(value) for value in array[known].tolist()]
    return Column("text", texts, known, order)


def _unpacked(value: Any) -> Any:
    """Text of bytes, the number in an array or a tensor without axes, and any other value as it is."""
    if isinstance(value, bytes):
        return value.decode(errors="surrogateescape")
    value = values_of(value)
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _filled(known: npt.NDArray[np.bool_], there: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The values that are there, in their rows of a whole column."""
    values = np.zeros(len(known), there.dtype)
    values[known] = there
    return values


def _numbers(values: npt.NDArray[np.float64], known: npt.NDArray[np.bool_]) -> Column:
    """Whole numbers that became floats, as a missing value beside them does to them, are whole again."""
    there = values[known]
    if (np.abs(there) <= LARGEST_EXACT).all() and (there == np.rint(there)).all():
        return Column("number", np.where(known, values, 0).astype(np.int64), known)
    return Column("number", values, known)


def _whole(there: list[Any]) -> npt.NDArray[Any]:
    try:
        return np.array(there, np.int64)
    except OverflowError:
        return np.array([int(value) for value in there], object)


def _times(values: npt.NDArray[Any], known: npt.NDArray[np.bool_]) -> Column:
    """Times as text: days where none has an hour, else seconds."""
    there = values[known]
    is_round = [(there == there.astype(f"datetime64[{unit}]")).all() for unit in ("D", "s")]
    unit = "D" if is_round[0] else "s" if is_round[1] else "us"
    texts = np.full(len(values), "", object)
    texts[known] = [str(moment).replace("T", " ") for moment in there.astype(f"datetime64[{unit}]")]
    return Column("time", texts, known)


def _times_with_zones(array: npt.NDArray[Any], known: npt.NDArray[np.bool_]) -> Column:
    there = array[known].tolist()
    if all(getattr(value, "tzinfo", None) is None for value in there):
        moments = np.full(len(array), "NaT", "datetime64[us]")
        moments[known] = [np.datetime64(value, "us") for value in there]
        return _times(moments, known)
    texts = np.full(len(array), "", object)
    texts[known] = [value.isoformat(" ") for value in there]
    return Column("time", texts, known)


def _text(value: Any) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def in_order(text: str) -> tuple[bool, float, list[tuple[bool, float, str]]]:
    """Key that sorts numbers by their size, before all other text, and text with numbers in it by those."""
    is_number = NUMBER.fullmatch(text) is not None
    parts = [
        (not part.isdecimal(), float(part) if part.isdecimal() else 0.0, part) for part in DIGITS.split(text)
    ]
    return not is_number, float(text) if is_number else 0.0, parts
