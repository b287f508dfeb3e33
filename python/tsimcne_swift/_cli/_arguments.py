"""What the command understands."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import Any

from .._checks.durations import check_duration
from .._eyes.presets import PRESETS as EYES
from .._stages.augmentation import PRESETS
from .._system.config import show_config
from ..images._decoding._layout import FITS, SCALES
from . import _embed, _moving, _report, _view

RECIPES = ("fast", "default", "best", "paper")
SOURCE = "folder of pictures, Parquet, tar or .npy files; zip, tar, Parquet, .npy, .npz, or idx file; video"


def make_parser() -> argparse.ArgumentParser:
    """All commands."""
    parser = argparse.ArgumentParser(
        prog="tsimcne-swift", description="Maps of image collections, learnt without labels."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {show_config()['version']}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_embed(commands)
    _add_report(
        commands,
        "evaluate",
        _report.evaluate_model,
        "how well a map keeps labels and neighbourhoods",
        "Measures a model on images whose folders are their labels.",
    )
    inspect = _add_report(
        commands,
        "inspect",
        _report.inspect_images,
        "duplicates, outliers and doubtful labels",
        "Lists what a map shows first, one finding a line, the most striking first.",
    )
    inspect.add_argument(
        "--top", type=int, default=20, metavar="N", help="findings of each kind; default: 20"
    )
    inspect.add_argument(
        "--cropped", action="store_true",
        help="look for images that are a part of another one, too; takes several times as long",
    )  # fmt: skip
    inspect.add_argument(
        "--list", type=Path, metavar="CSV",
        help="write a table with a row for each image: island of the map, group and kind of duplicates",
    )  # fmt: skip
    inspect.add_argument(
        "--move-to", type=Path, metavar="FOLDER",
        help="move files whose bytes another one has there; 'tsimcne-swift restore FOLDER' undoes it",
    )  # fmt: skip
    inspect.add_argument("--overwrite", action="store_true", help="replace the table of an earlier run")
    restore = commands.add_parser("restore", help="undo 'inspect --move-to': put moved files back")
    restore.add_argument("folder", type=Path)
    restore.set_defaults(run=_moving.restore)
    view = commands.add_parser(
        "view",
        help="show a map that is a folder in the browser",
        description="Opens the page that 'embed -o map/' wrote, for this machine's browsers alone.",
    )
    view.add_argument("folder", type=Path)
    view.add_argument("--no-browser", action="store_true", help="print the address only")
    view.set_defaults(run=_view.view)
    info = commands.add_parser("info", help="what a model file holds, and the build of this program")
    info.add_argument("model", nargs="?", type=Path)
    info.add_argument("--json", action="store_true", help="print JSON")
    info.set_defaults(run=_report.info)
    return parser


def _seconds(text: str) -> float:
    """A length of time; a bare number is seconds."""
    value: float | str = text
    with contextlib.suppress(ValueError):
        value = float(text)
    try:
        return check_duration("TIME", value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _add_embed(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    embed = commands.add_parser(
        "embed",
        help="map the images of a folder",
        description="Learns a map of images and writes it as an HTML page, and beside it, under the same "
        "name, a picture (.png), a table (.csv: file, x, y, label, clusters) and the model (.safetensors). "
        "Of more than 100,000 images the page is better a folder (-o map/), which is read as one looks. "
        "Files of an earlier run are kept, as map.1.html and so on, unless --overwrite is given.",
        epilog="examples:\n"
        "  tsimcne-swift embed photos/ -o map.html\n"
        "  tsimcne-swift embed cells.zip -o cells.html --preset microscopy --max-time 1h\n"
        "  tsimcne-swift embed photos/ --eyes dinov2-small.onnx -o map.html\n"
        "  tsimcne-swift embed new-photos/ -o new.html --model map.safetensors\n"
        "  tsimcne-swift embed million/ -o map/\n"
        "Ctrl-C ends training early; the map of what was learnt so far is written, and --resume goes on.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    embed.add_argument("source", type=Path, help=SOURCE)
    embed.add_argument("-o", "--output", type=Path, default=Path("map.html"), help="default: map.html")
    embed.add_argument(
        "--max-time", type=_seconds, default="10min", metavar="TIME",
        help="as 90s, 10min, 1h, or seconds; default: 10min",
    )  # fmt: skip
    embed.add_argument("--recipe", choices=RECIPES, default="default", help="default: default")
    embed.add_argument(
        "--preset", choices=sorted(PRESETS), default="natural", help="kind of images; default: natural"
    )
    embed.add_argument(
        "--eyes-preset", choices=sorted(EYES), metavar="|".join(sorted(EYES)),
        help="what these want done to images; default: as the file beside them says",
    )  # fmt: skip
    embed.add_argument("--model", type=Path, help="map with this model instead of training")
    embed.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    embed.add_argument(
        "--overwrite", action="store_true", help="replace files of an earlier run instead of keeping them"
    )
    embed.add_argument("--metadata", type=Path, metavar="CSV", help="table with a row per file, to colour by")
    embed.add_argument("--key", metavar="NAME", help="the table's column of names; default: found")
    embed.add_argument(
        "--thumbnail", type=int, choices=range(8, 257), default=32, metavar="PIXELS",
        help="longest side of the images in the page, 8 to 256; default: 32",
    )  # fmt: skip
    embed.add_argument("--seed", type=int, default=0, help="default: 0")
    _add_reading(embed)
    embed.set_defaults(run=_embed.embed)


def _add_reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--eyes", type=Path, metavar="ONNX",
        help="a trained network to compare images by; of a model that has eyes: where their file is",
    )  # fmt: skip
    parser.add_argument("--size", type=int, metavar="PIXELS", help="of the images; default: their own, or 64")
    parser.add_argument("--channels", type=int, metavar="N", help="1: grey, 3: colour; default: as most have")
    parser.add_argument("--fit", choices=FITS, help="where the shape differs; default: crop")
    parser.add_argument("--image-column", metavar="NAME", help="of a Parquet or .npz file; default: found")
    parser.add_argument(
        "--label-column", metavar="NAME",
        help="of a Parquet or .npz file, or of the table; default: found, or the folders' names",
    )  # fmt: skip
    parser.add_argument(
        "--scale", type=_scale, metavar="auto|depth|percentile|LOW,HIGH",
        help="what becomes black and white where pictures do not have 8 bits; default: auto",
    )  # fmt: skip
    parser.add_argument(
        "--every", type=_seconds, metavar="TIME", help="from a frame of a video to the next; default: 1s"
    )
    parser.add_argument("--jobs", type=int, metavar="N", help="threads; default: all cores")
    parser.add_argument("--json", action="store_true", help="print the result as JSON on standard output")


def _scale(text: str) -> str | tuple[float, float]:
    if text in SCALES:
        return text
    low, _, high = text.partition(",")
    return float(low), float(high)


def _add_report(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: Any, help: str, about: str
) -> argparse.ArgumentParser:
    """A command on a model and images."""
    report = commands.add_parser(name, help=help, description=about)
    report.add_argument("model", type=Path)
    report.add_argument("source", type=Path, help=SOURCE)
    _add_reading(report)
    report.set_defaults(run=run, metadata=None)
    return report
