"""Image sets to try things on, none of which is downloaded."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ._checks.values import check_choice, check_integer
from .images import ImageCollection, from_idx

__all__ = ["load_digits", "load_emoji", "load_fashion_mnist"]

FASHION_MNIST = "/usr/share/datasets/fashion-mnist"
FASHION_CLASSES = "T-shirt/top Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Ankle-boot".split()
EMOJI_FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
EMOJI_TEST = "/usr/share/unicode/emoji/emoji-test.txt"
# Pixels of the font's only size.
EMOJI_SIZE = 109
SKIN_TONES = range(0x1F3FB, 0x1F400)


def load_fashion_mnist(
    split: str = "all", *, path: str | os.PathLike[str] = FASHION_MNIST
) -> ImageCollection:
    """Zalando's 70,000 pictures of clothes, 28×28, grey (Xiao et al. 2017).

    Parameters
    ----------
    split : {"all", "train", "test"}
        Part of the set: 60,000 training images, 10,000 test images, or both in this order.
    path : path, default="/usr/share/datasets/fashion-mnist"
        Folder of the four idx files; the default is that of Debian's package ``dataset-fashion-mnist``.

    Returns
    -------
    ImageCollection
        Images with ten labels.

    Raises
    ------
    FileNotFoundError
        If the files are not there.
    """
    check_choice("split", split, ("all", "train", "test"))
    parts = [
        from_idx(
            _existing(path, f"{name}-images-idx3-ubyte", "dataset-fashion-mnist"),
            _existing(path, f"{name}-labels-idx1-ubyte", "dataset-fashion-mnist"),
            label_names=FASHION_CLASSES,
        )
        for name, wanted in (("train", "train"), ("t10k", "test"))
        if split in ("all", wanted)
    ]
    images = np.concatenate([part.images for part in parts])
    labels = np.concatenate([part.labels for part in parts if part.labels is not None])
    return ImageCollection(images, [str(i) for i in range(len(images))], labels, FASHION_CLASSES)


def load_digits() -> ImageCollection:
    """scikit-learn's 1,797 handwritten digits, 8×8, grey.

    Returns
    -------
    ImageCollection
    """
    from sklearn.datasets import load_digits as load

    values, labels = load(return_X_y=True)
    images = np.rint(values.reshape(-1, 8, 8, 1) * (255 / 16)).astype(np.uint8)
    names = [str(i) for i in range(len(images))]
    return ImageCollection(images, names, labels.astype(np.int64), [str(digit) for digit in range(10)])


def load_emoji(
    size: int = 32,
    *,
    skin_tones: bool = False,
    font: str | os.PathLike[str] = EMOJI_FONT,
    characters: str | os.PathLike[str] = EMOJI_TEST,
) -> ImageCollection:
    """Google's Noto emoji on white, labelled with Unicode's groups.

    Parameters
    ----------
    size : int, default=32
        Height and width in pixels, 8 to 109.
    skin_tones : bool, default=False
        Whether the variants of people and hands with a skin tone are among them.
    font : path
        File of Debian's package ``fonts-noto-color-emoji``.
    characters : path
        File ``emoji-test.txt`` of Unicode, from Debian's package ``unicode-data``.

    Returns
    -------
    ImageCollection
        Names are the emoji's; those that the font draws in several pieces are left out.
    """
    from PIL import Image, ImageDraw, ImageFont

    check_integer("size", size, 8, EMOJI_SIZE)
    file = _existing(font, "", "fonts-noto-color-emoji")
    drawer = ImageFont.truetype(file, EMOJI_SIZE)
    pictures, names, groups = [], [], []
    for text, name, group in _emoji(_existing(characters, "", "unicode-data"), skin_tones):
        left, top, right, bottom = drawer.getbbox(text)
        width = right - left
        # Another width is two pictures side by side, or the box for what the font does not know.
        if not 0.9 * EMOJI_SIZE < width < 1.4 * EMOJI_SIZE:
            continue
        canvas = Image.new("RGB", (int(width), int(bottom - top)), "white")
        ImageDraw.Draw(canvas).text((-left, -top), text, font=drawer, embedded_color=True)
        pictures.append(np.asarray(canvas.resize((size, size), Image.Resampling.LANCZOS)))
        names.append(name)
        groups.append(group)
    known = sorted(set(groups))
    labels = np.array([known.index(group) for group in groups], np.int64)
    return ImageCollection(np.stack(pictures), names, labels, known)


def _emoji(path: Path, skin_tones: bool) -> list[tuple[str, str, str]]:
    """Characters, name and group of each fully-qualified emoji."""
    result, group = [], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# group:"):
            group = line.split(":", 1)[1].strip()
        codes, found, rest = line.partition(";")
        if not found or not rest.strip().startswith("fully-qualified") or group == "Component":
            continue
        points = [int(code, 16) for code in codes.split()]
        if not skin_tones and any(point in SKIN_TONES for point in points):
            continue
        # Behind the "#" stand the emoji, the version that brought it, and its name.
        result.append(("".join(map(chr, points)), rest.split("#", 1)[1].split(maxsplit=2)[2], group))
    return result


def _existing(folder: str | os.PathLike[str], name: str, package: str) -> Path:
    """The path of the file, gzipped or not."""
    path = Path(folder) / name
    for candidate in (path, path.with_name(path.name + ".gz")):
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(f"{path}: is missing; Debian's package {package} has it")
