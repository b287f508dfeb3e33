"""The table of docs/your-images.md: what each kind of picture becomes, a row a test."""

import io
import re
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms
from test_images import QUIET, smooth
from tsimcne_swift import images

DOCS = Path(__file__).parents[3] / "docs" / "your-images.md"
BROWN = np.tile(np.array([150, 90, 60], np.uint8), (24, 24, 1)) + (smooth(24, 24) // 16)
GREY = smooth(24, 24, 1)[:, :, 0]
LAB = ImageCms.createProfile("LAB")
MASK = np.zeros((24, 24), np.uint8)
MASK[8:16, 8:16] = 255
WHITE_AROUND = np.where(MASK[..., None] == 255, BROWN, 255)
CAMERA = np.linspace(200, 2000, 24 * 24).reshape(24, 24)
STRETCHED = np.rint((CAMERA - 200) / 1800 * 255)


def tiff(path, array, **options):
    tifffile.imwrite(path, array, **options)


def save(path, picture, **options):
    Image.fromarray(picture).save(path, **options)


def turned(path, array, orientation):
    tiff(path, array, extratags=[(274, "H", 1, orientation, True)])


def two_pages(path, first, second, **options):
    with tifffile.TiffWriter(path) as file:
        file.write(first, photometric="rgb")
        file.write(second, photometric="rgb", **options)


def deep_png(path, values, **options):
    Image.fromarray(values).save(path, **options)


def stack(values, n=5):
    return np.stack([values] * n)


# Each makes files in a folder, or is a list of pictures; and what each of them becomes.
CASES = {
    "8-bit grey, colour": ([GREY, GREY], GREY[..., None]),
    "8-bit grey among colour": ([BROWN, GREY], {1: np.repeat(GREY[..., None], 3, axis=2)}),
    "1 bit": (lambda d: save(d / "a.png", MASK > 0), MASK[..., None]),
    "palette": (lambda d: Image.fromarray(BROWN).quantize(256).save(d / "a.png"), BROWN),
    "colour profiles (ICC)": (
        lambda d: save(d / "a.png", BROWN, icc_profile=ImageCms.ImageCmsProfile(LAB).tobytes()),
        BROWN,
    ),
    "transparency": (lambda d: save(d / "a.png", np.dstack([BROWN, MASK])), WHITE_AROUND),
    "transparency everywhere": (
        lambda d: save(d / "a.png", np.dstack([BROWN, np.zeros_like(MASK)])),
        BROWN,
    ),
    "16-bit PNG, TIFF, grey": (
        lambda d: (
            deep_png(d / "a.png", CAMERA.astype(np.uint16)),
            tiff(d / "b.tif", CAMERA.astype(np.uint16)),
        ),
        STRETCHED[..., None],
    ),
    "16-bit grey among 8 bits": (
        lambda d: (
            save(d / "a.png", GREY),
            save(d / "b.png", GREY),
            tiff(d / "c.tif", GREY.astype(np.uint16) * 257),
        ),
        GREY[..., None],
    ),
    "16-bit colour": (lambda d: tiff(d / "a.tif", BROWN.astype(np.uint16) * 257, photometric="rgb"), BROWN),
    "16-bit colour of 12 bits": (
        lambda d: tiff(d / "a.tif", np.rint(BROWN * (4095 / 255)).astype(np.uint16), photometric="rgb"),
        BROWN,
    ),
    "16-bit colour in PNG, JPEG 2000, PPM": (
        lambda d: (
            (d / "a.png").write_bytes(deep_png_in(BROWN * 16.0, 2)),
            (d / "b.jp2").write_bytes(
                imagecodecs.jpeg2k_encode((BROWN * 16.0).astype(np.uint16), bitspersample=16, level=0)
            ),
            (d / "c.ppm").write_bytes(b"P6 # a note\n24 24 65535\n" + (BROWN * 16.0).astype(">u2").tobytes()),
        ),
        BROWN,
    ),
    "16-bit transparency": (
        lambda d: (
            tiff(
                d / "a.tif",
                np.dstack([BROWN, MASK]).astype(np.uint16) * 257,
                photometric="rgb",
                extrasamples=["unassalpha"],
            ),
            (d / "b.png").write_bytes(deep_png_in(np.dstack([BROWN, MASK]) * 257.0, 6)),
        ),
        WHITE_AROUND,
    ),
    "12 bits that a file declares": (
        lambda d: (d / "a.tif").write_bytes(twelve_bits(GREY.astype(np.uint16) * 16)),
        np.rint(GREY * (16 * 255 / 4095))[..., None],
    ),
    "white is zero (MinIsWhite)": (
        lambda d: (
            tiff(d / "a.tif", (65535 - CAMERA).astype(np.uint16), photometric="miniswhite"),
            tiff(d / "b.tif", CAMERA.astype(np.uint16)),
        ),
        STRETCHED[..., None],
    ),
    "turned (EXIF, TIFF's orientation)": (
        lambda d: turned(d / "a.tif", np.rot90(CAMERA, 1).astype(np.uint16), 6),
        STRETCHED[..., None],
    ),
    "floats in [0, 1]": ([BROWN / 255], BROWN),
    "floats in [-1, 1]": ([BROWN / 127.5 - 1, BROWN / 127.5 - 1], BROWN),
    "floats or whole numbers in 0 to 255": ([BROWN.astype(float), BROWN.astype(np.int64)], BROWN),
    "booleans": ([MASK > 0], MASK[..., None]),
    "other floats, signed numbers": ([CAMERA, CAMERA.astype(np.float32)], STRETCHED[..., None]),
    "no data (NaN, -9999, GDAL_NODATA)": (
        lambda d: tiff(
            d / "a.tif",
            np.where(MASK, 77, CAMERA).astype(np.float32),
            extratags=[(42113, "s", 0, "77", True)],
        ),
        np.where(MASK, 0, STRETCHED)[..., None],
    ),
    "masked arrays": (
        [np.ma.array(GREY, mask=MASK), np.ma.array(GREY)],
        {0: np.where(MASK, 0, GREY)[..., None], 1: GREY[..., None]},
    ),
    "no data everywhere": ([GREY / 255, np.full((24, 24), np.nan)], "has no value"),
    "channels that mean different things": (
        lambda d: tiff(
            d / "a.tif",
            np.stack([CAMERA, 3 * CAMERA]).astype(np.uint16),
            photometric="minisblack",
            metadata={"axes": "CYX"},
        ),
        np.dstack([STRETCHED, STRETCHED]),
    ),
    "channels in 8 bits": (
        lambda d: tiff(d / "a.tif", stack(GREY), photometric="minisblack", metadata={"axes": "CYX"}),
        np.dstack([GREY] * 5),
    ),
    "channels beside red, green and blue": (
        lambda d: [
            tiff(
                d / f"{kind}.tif",
                np.dstack([BROWN, GREY]).astype(kind) * (257 if kind == "uint16" else 1),
                photometric="rgb",
                extrasamples=["unspecified"],
            )
            for kind in ("uint8", "uint16")
        ],
        BROWN,
    ),
    "overview or thumbnail pages": (
        lambda d: two_pages(d / "a.tif", BROWN, BROWN[::2, ::2].copy(), subfiletype=1),
        BROWN,
    ),
    "several pages in colour": (lambda d: two_pages(d / "a.tif", BROWN, 255 - BROWN), BROWN),
    "grey pages, as many in most files": (
        lambda d: [
            tiff(d / f"{i}.tif", stack(CAMERA.astype(np.uint16)), photometric="minisblack") for i in range(3)
        ],
        np.dstack([STRETCHED] * 5),
    ),
    "grey pages of other numbers (z-stacks)": (
        lambda d: [
            tiff(
                d / f"{i}.tif", stack(CAMERA.astype(np.uint16), 3 + i), imagej=True, metadata={"axes": "ZYX"}
            )
            for i in range(4)
        ],
        STRETCHED[..., None],
    ),
    "pages in several files (OME)": (
        lambda d: (d / "a.ome.tif").write_bytes(half_of_a_set()),
        GREY[..., None],
    ),
    "animations": (
        lambda d: Image.fromarray(GREY).save(
            d / "a.png", save_all=True, append_images=[Image.fromarray(255 - GREY)]
        ),
        GREY[..., None],
    ),
    "arrays and tensors, channels first": ([np.moveaxis(BROWN, -1, 0)], BROWN),
    "sides of fewer than 8 pixels": ([GREY[:4, :4]], (8, 8, 1)),
}


def deep_png_in(values, kind, *chunks):
    """A PNG file of 16 bits, of one of its kinds of pixels."""
    height, width = values.shape[:2]
    rows = values.astype(">u2").reshape(height, -1)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)),
            *chunks,
            (b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))),
            (b"IEND", b""),
        )
    )


def twelve_bits(values):
    """A TIFF file whose values have 12 bits each, two in three bytes."""
    from test_strangers import tiff as one_strip

    first, second = values.reshape(-1, 2).T.astype(np.uint32)
    packed = (first << 12 | second)[:, None] >> np.array([16, 8, 0]) & 255
    return one_strip(24, 12, 1, packed.astype(np.uint8).tobytes())


def half_of_a_set():
    """One of two files of a set; the other is not there."""
    file = io.BytesIO()
    tifffile.imwrite(file, stack(GREY, 2), photometric="minisblack", metadata={"axes": "CYX"}, ome=True)
    file.seek(0)
    with tifffile.TiffFile(file) as whole:
        description = whole.ome_metadata
    own = re.search(r'UUID="(urn:uuid:[^"]+)"', description)[1]
    parts = "".join(
        f'<TiffData FirstC="{c}" IFD="0" PlaneCount="1"><UUID FileName="{c}.ome.tif">{uuid}</UUID></TiffData>'
        for c, uuid in enumerate(("urn:uuid:00000000-0000-0000-0000-000000000000", own))
    )
    description = re.sub(r"<TiffData.*?/>", parts, description)
    file = io.BytesIO()
    tifffile.imwrite(file, GREY, photometric="minisblack", description=description, metadata=None)
    return file.getvalue()


@pytest.mark.parametrize("row", CASES)
def test_what_becomes_of(row, tmp_path):
    make, expected = CASES[row]
    if callable(make):
        make(tmp_path)
        found = images.from_folder(tmp_path, **QUIET)
    else:
        found = images.from_files(make, **QUIET)
    if isinstance(expected, str):
        ((_, reason),) = found.skipped
        assert expected in reason
        return
    assert found.skipped == []
    if isinstance(expected, tuple):
        assert found.images.shape[1:] == expected
        return
    for place, wanted in (expected if isinstance(expected, dict) else {}).items():
        np.testing.assert_array_equal(found.images[place], wanted)
    if isinstance(expected, np.ndarray):
        for name, image in zip(found.names, found.images, strict=True):
            np.testing.assert_allclose(image.astype(int), expected, atol=2, err_msg=name)


def test_the_documentation_has_these_rows():
    table = DOCS.read_text(encoding="utf-8").split("### What becomes of a picture")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+?) +\|", table, re.MULTILINE)
    assert rows == ["a picture", *CASES]


def test_what_is_left_aside_is_said(tmp_path):
    """Near infrared beside red, green and blue, and a picture in which nothing is drawn."""
    tiff(tmp_path / "a.tif", np.dstack([BROWN, GREY]), photometric="rgb", extrasamples=["unspecified"])
    (note,) = images.from_folder(tmp_path, **QUIET).notes
    assert note.startswith("1 pictures have channels beside red, green and blue, which were left aside")
    clear = np.dstack([np.zeros_like(BROWN), np.zeros_like(MASK)])
    found = images.from_files([BROWN, Image.fromarray(clear)], **QUIET)
    assert found.notes == [] and (found.images[1] == 255).all()


def test_colour_frames_that_a_file_calls_channels(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([BROWN, 255 - BROWN]), imagej=True)
    found = images.from_folder(tmp_path, **QUIET)
    np.testing.assert_array_equal(found.images, [BROWN])


def test_packings_that_pillow_does_not_know(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", BROWN, photometric="rgb", compression="jpegxl")
    np.testing.assert_allclose(images.from_folder(tmp_path, **QUIET).images[0].astype(int), BROWN, atol=2)


def test_colours_that_were_multiplied_with_their_opacity(tmp_path):
    """Half of them on white, at any depth."""
    half = np.dstack([BROWN // 2, np.full((24, 24), 128, np.uint8)])
    for name, values in (("8.tif", half), ("16.tif", half.astype(np.uint16) * 257)):
        tifffile.imwrite(tmp_path / name, values, photometric="rgb", extrasamples=["assocalpha"])
    for image in images.from_folder(tmp_path, **QUIET).images:
        np.testing.assert_allclose(image.astype(int), BROWN // 2 + 127, atol=3)


def test_values_that_are_no_numbers_to_see(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY.astype(np.complex64))
    save(tmp_path / "b.png", GREY)
    assert images.from_folder(tmp_path, **QUIET).skipped == [
        ("a.tif", "has values of type complex64, want real numbers")
    ]


def test_deep_colour_that_is_turned_or_has_one_clear_colour(tmp_path):
    """And grey with opacity, which has one channel."""
    turned = Image.Exif()
    turned[274] = 6
    on_its_side = np.rot90(BROWN, 1).astype(float) * 257
    chunk = (b"eXIf", turned.tobytes().removeprefix(b"Exif\0\0"))
    clear = (b"tRNS", struct.pack(">HHH", *(BROWN[2, 3].astype(int) * 257)))
    (tmp_path / "a.png").write_bytes(deep_png_in(on_its_side, 2, chunk))
    (tmp_path / "b.png").write_bytes(deep_png_in(BROWN * 257.0, 2, clear))
    first, second = images.from_folder(tmp_path, **QUIET).images
    np.testing.assert_array_equal(first, BROWN)
    np.testing.assert_array_equal(second, np.where((BROWN[2, 3] == BROWN).all(axis=2)[..., None], 255, BROWN))
    with_opacity = np.dstack([CAMERA, np.where(MASK, 0, 65535)])
    found = images.from_files([deep_png_in(with_opacity, 4)], **QUIET)
    np.testing.assert_allclose(found.images[0], np.where(MASK, 255, STRETCHED)[..., None], atol=1)


@pytest.mark.parametrize("photometric", ["ycbcr", "cielab"])
def test_lightness_apart_from_colour_is_no_colour(photometric, tmp_path):
    """Pillow makes it colour of 8 bits; of more it is refused, and not read as red, green and blue."""
    tifffile.imwrite(tmp_path / "a.tif", BROWN.astype(np.uint16) * 257, photometric=photometric)
    Image.fromarray(BROWN).convert("YCbCr").save(tmp_path / "b.tif")
    found = images.from_folder(tmp_path, **QUIET)
    np.testing.assert_allclose(found.images[0].astype(int), BROWN, atol=3)
    ((name, reason),) = found.skipped
    assert name == "a.tif" and reason.startswith("has lightness apart from colour")


def test_numbers_of_telescopes_have_a_sign(tmp_path):
    """FITS: whole numbers below zero are darker than those above; its first row is the lowest."""
    values = (GREY.astype(int) - 100)[::-1].astype(">i2")
    cards = {"SIMPLE": "T", "BITPIX": 16, "NAXIS": 2, "NAXIS1": 24, "NAXIS2": 24}
    head = "".join(f"{name:8}= {value:>20}".ljust(80) for name, value in cards.items()) + "END"
    (tmp_path / "a.fits").write_bytes(head.ljust(2880).encode() + values.tobytes().ljust(2880, b"\0"))
    found = images.from_folder(tmp_path, **QUIET).images[0, :, :, 0].astype(int)
    low, high = np.percentile(GREY, (0.1, 99.9))
    np.testing.assert_allclose(found, np.clip((GREY - low) / (high - low) * 255, 0, 255), atol=2)


@pytest.mark.parametrize(
    "ending", "bmp tga ppm ico pcx jp2 dds gif webp avif sgi qoi tif jpg jfif png".split()
)
def test_kinds_of_pixels(ending, tmp_path):
    """All that is said to be read, in colours that none of them changes by much."""
    Image.init()
    if Image.EXTENSION[f".{ending}"] not in Image.SAVE:
        pytest.skip("this Pillow writes none")
    options = {"lossless": True} if ending == "webp" else {}
    Image.fromarray(BROWN).save(tmp_path / f"a.{ending}", **options)
    found = images.from_folder(tmp_path, size=(24, 24), **QUIET)
    assert found.names == [f"a.{ending}"] and found.skipped == []
    np.testing.assert_allclose(found.images[0].astype(int), BROWN, atol=12)
