"""Kinds of files that may lie in a folder of pictures, by their endings and first bytes."""

from __future__ import annotations

# The formats of cameras, all of them the sensor's values before they are a picture.
RAW_ENDINGS = frozenset(
    ".3fr .ari .arw .bay .cr2 .cr3 .crw .dcr .dng .erf .fff .gpr .iiq .k25 .kdc .mef .mos .mrw .nef .nrw "
    ".orf .pef .ptx .raf .raw .rw2 .rwl .sr2 .srf .srw .x3f".split()
)
RAW_REASON = "is a camera's raw file; develop it to JPEG or TIFF first"
HEIF_ENDINGS = frozenset(".heic .heif .hif .heics .heifs".split())
HEIF_REASON = "is HEIC, which wants a reader: pip install 'tsimcne-swift[heif]'"
AVIF_REASON = "is AVIF, which this Pillow does not read: pip install --upgrade pillow"
DICOM_ENDINGS = frozenset((".dcm", ".dicom"))
DICOM_REASON = "is DICOM, which wants a reader: pip install 'tsimcne-swift[dicom]'"
VIDEO_REASON = "is a video, which wants a reader: pip install 'tsimcne-swift[video]'"
VIDEO_ENDINGS = frozenset(".3gp .avi .m4v .mkv .mov .mp4 .mpeg .mpg .webm .wmv".split())
# What is a picture to a person, and not read.
REASONS = {
    **dict.fromkeys((".svg", ".svgz", ".ai"), "is a drawing; make it pixels first"),
    ".pdf": "is a document; make its pages pictures first",
    ".jxl": "is JPEG XL, which is not read; convert it to PNG or JPEG first",
    **dict.fromkeys((".nii", ".mha", ".mhd", ".nrrd"), "is a volume; write its slices as PNG or TIFF first"),
    ".npy": "holds arrays of numpy; images.from_npy takes them",
    ".npz": "holds arrays of numpy; images.from_npz takes them",
}
# Bytes of a file that tell its kind.
HEAD = 132
MARKS = (
    b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"\0\0\0\x0cjP  ",
    b"8BPS",
)  # fmt: skip
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
AVIF_BRANDS = (b"avif", b"avis")


class RefusedError(ValueError):
    """A picture is not read, for a reason that is a sentence of its own."""


def is_picture(head: bytes) -> bool:
    """Whether a file begins as a picture does, whatever its name is."""
    return (
        head.startswith(MARKS)
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or (head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS + AVIF_BRANDS)
        or head[128:132] == b"DICM"
    )


def check_readers(data: bytes, formats: tuple[str, ...]) -> None:
    """Check that there is a reader for a file in the container of HEIC and AVIF."""
    if data[4:8] != b"ftyp":
        return
    if data[8:12] in AVIF_BRANDS and "AVIF" not in formats:
        raise RefusedError(AVIF_REASON)
    # Files of a general brand name the special ones that they are, too.
    is_avif = b"avif" in data[16:64] and "AVIF" in formats
    if data[8:12] in HEIF_BRANDS and "HEIF" not in formats and not is_avif:
        raise RefusedError(HEIF_REASON)
