"""When, with what and where a photograph was taken, as its EXIF says."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping
from typing import Any

# Numbers of EXIF: parts of it, and fields.
DETAILS, PLACE = 0x8769, 0x8825
MAKE, MODEL, CHANGED, TAKEN = 0x010F, 0x0110, 0x0132, 0x9003
TIME = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
# Most letters of a camera's name.
MOST = 100


def camera_of(picture: Any) -> dict[str, Any]:
    """What is known of ``taken`` (ISO 8601), ``camera``, ``latitude`` and ``longitude`` (degrees).

    Whatever cannot be understood is left out: it is no reason to skip a picture.
    """
    if not hasattr(picture, "getexif"):
        return {}
    exif = picture.getexif()
    if not exif:
        return {}
    found: dict[str, Any] = {}
    for name, read in FIELDS.items():
        try:
            value = read(exif)
        except Exception:
            continue
        if value is not None:
            found[name] = value
    return found


def _taken(exif: Any) -> str | None:
    for field in (exif.get_ifd(DETAILS).get(TAKEN), exif.get(CHANGED)):
        match = TIME.match(_text(field))
        if match is not None:
            # A camera whose clock was never set writes zeros, which are no day.
            return datetime.datetime(*map(int, match.groups())).isoformat()  # type: ignore[arg-type]
    return None


def _camera(exif: Any) -> str | None:
    make, model = _text(exif.get(MAKE)), _text(exif.get(MODEL))
    # Many models begin with their maker.
    is_said = make and model.lower().startswith(make.lower().split()[0])
    return (model if is_said else f"{make} {model}".strip()) or None


def _latitude(exif: Any) -> float | None:
    return _degrees(exif.get_ifd(PLACE), 1, "S", 90)


def _longitude(exif: Any) -> float | None:
    return _degrees(exif.get_ifd(PLACE), 3, "W", 180)


FIELDS = {"taken": _taken, "camera": _camera, "latitude": _latitude, "longitude": _longitude}


def _degrees(place: Mapping[int, Any], side: int, negative: str, most: int) -> float | None:
    """Degrees of a field with degrees, minutes and seconds, behind the one that says on which side."""
    if side + 1 not in place:
        return None
    degrees = math.fsum(float(part) / 60**power for power, part in enumerate(place[side + 1]))
    # NaN, as of no satellite, is not less than anything.
    if not 0 <= degrees <= most:
        return None
    is_negative = _text(place.get(side)).upper().startswith(negative)
    return round(-degrees if is_negative else degrees, 7)


def _text(value: Any) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")
    return "".join(filter(str.isprintable, text))[:MOST].strip()
