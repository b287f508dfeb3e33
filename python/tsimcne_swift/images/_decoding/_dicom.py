"""DICOM, the format of hospitals, through pydicom."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from ._kinds import DICOM_REASON, RefusedError
from ._limits import check_picture
from ._raw import Raw


def is_dicom(data: bytes) -> bool:
    """Whether the bytes begin as a DICOM file does."""
    return data[128:132] == b"DICM"


def open_dicom(data: bytes) -> Raw:
    """The picture, or the middle one of several, as the file says that it is to be shown.

    Where it has a window, that is black to white, in 8 bits; where it has none, values are in the units that
    the file says, such as Hounsfield's.
    """
    try:
        from pydicom import dcmread
        from pydicom.pixels.processing import apply_modality_lut
        from pydicom.pixels.utils import pixel_array
    except ImportError as error:
        raise RefusedError(DICOM_REASON) from error
    file = dcmread(io.BytesIO(data))
    if "PixelData" not in file and "FloatPixelData" not in file:
        raise RefusedError("is DICOM without a picture")
    frames, samples = int(file.get("NumberOfFrames", 1) or 1), int(file.SamplesPerPixel)
    check_picture(file.Rows * file.Columns * samples * max(1, file.BitsAllocated // 8))
    stored = pixel_array(file, index=(frames - 1) // 2)
    if samples == 3:  # pydicom has made it red, green and blue
        return Raw(stored, is_colour=True)
    values = np.asarray(apply_modality_lut(stored, file), np.float32)[:, :, None]
    values[stored == file.get("PixelPaddingValue")] = np.nan
    is_inverse = str(file.PhotometricInterpretation) == "MONOCHROME1"
    window = _window(file)
    if window is None:
        return Raw(-values if is_inverse else values)
    shown = Raw(values).eight_bits((window,))
    return Raw(np.where(np.isnan(values), 0, 255 - shown).astype(np.uint8) if is_inverse else shown)


def _window(file: Any) -> tuple[float, float] | None:
    """The values that become black and white, of the file's first window (DICOM PS3.3, C.11.2.1.2)."""
    if file.get("WindowWidth") is None or file.get("WindowCenter") is None:
        return None
    centre, width = (float(np.ravel(file[name].value)[0]) for name in ("WindowCenter", "WindowWidth"))
    half = max(width - 1, 1e-6) / 2
    return centre - 0.5 - half, centre - 0.5 + half
