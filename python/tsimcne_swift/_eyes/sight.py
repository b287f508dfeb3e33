"""All that decides what eyes see, with nothing left open."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .._checks.values import check_bool, check_choice, check_integer, check_number
from .onnx import LAYOUTS, MOST_TOGETHER, as_numbers, as_size
from .resampling import KERNELS, RESIZES

# What is done to an output to have features: nothing, or one of these.
TAKES = ("features", "plane, channels first", "plane, channels last", "class token", "mean of tokens")
ELEMENTS = ("float32", "float16", "float64", "uint8")
MOST_FEATURES = 65536
LONGEST_NAME = 1024


@dataclass(frozen=True)
class Sight:
    """What eyes are: the network, what it is given, and what is taken of it.

    Parameters
    ----------
    file, sha256 : str
        Name of the network's file, and its SHA-256.
    length : int
        Bytes of the file.
    input, element, layout : str
        Name, type and order of axes of the input.
    output, takes : str
        Name of the output, and what of it are the features.
    channels, columns : int
        Channels of the input; features of an image.
    size : (height, width)
    resize, interpolation : str
    mean, std : tuple of float
        One number, or one for each channel.
    scale : float
        What pixels from 0 to 255 are multiplied by first.
    batch : int
        Images at a time.
    is_fixed : bool
        Whether the network takes that number and no other.
    """

    file: str
    sha256: str
    length: int
    input: str
    element: str
    layout: str
    output: str
    takes: str
    channels: int
    columns: int
    size: tuple[int, int]
    resize: str
    interpolation: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: float
    batch: int
    is_fixed: bool

    def written(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self) | {name: list(getattr(self, name)) for name in ("size", "mean", "std")}

    def decisive(self) -> dict[str, Any]:
        """What features depend on: neither where the network lies, nor how many images it is given."""
        return {name: value for name, value in self.written().items() if name not in ("file", "batch")}

    def sees_as(self, written: Any) -> bool:
        """Whether the eyes of a document give the same features."""
        return isinstance(written, dict) and all(
            written.get(name) == value for name, value in self.decisive().items()
        )

    def __str__(self) -> str:
        height, width = self.size
        taken = self.takes if self.takes == "features" else f"{self.takes} as features"
        return (
            f"{self.file} (SHA-256 {self.sha256[:12]}…): {height}×{width} pixels ({self.resize}, "
            f"{self.interpolation}), mean {_listed(self.mean)}, std {_listed(self.std)}, "
            f"scale {self.scale:.4g}; {self.columns} {taken} of {self.output!r}"
        )


def _listed(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:.4g}" for value in values)


def read_sight(written: Any) -> Sight:
    """The sight of a document, which may be a stranger's.

    Raises
    ------
    ValueError, TypeError, KeyError
        If it is not as `Sight.written` has it.
    """
    numbers = {name: as_numbers(name, written[name], positive=name == "std") for name in ("mean", "std")}
    channels = check_integer("channels", written["channels"], 1, MOST_FEATURES)
    for name, values in numbers.items():
        if len(values) not in (1, channels):
            raise ValueError(f"{name}: got {len(values)} numbers for {channels} channels")
    return Sight(
        file=_name("file", written["file"]),
        sha256=_name("sha256", written["sha256"]),
        length=check_integer("length", written["length"], 1, 1 << 40),
        input=_name("input", written["input"]),
        output=_name("output", written["output"]),
        element=check_choice("element", written["element"], ELEMENTS),
        layout=check_choice("layout", written["layout"], LAYOUTS),
        takes=check_choice("takes", written["takes"], TAKES),
        channels=channels,
        columns=check_integer("columns", written["columns"], 1, MOST_FEATURES),
        size=as_size("size", written["size"]),
        resize=check_choice("resize", written["resize"], RESIZES),
        interpolation=check_choice("interpolation", written["interpolation"], tuple(KERNELS)),
        mean=numbers["mean"],
        std=numbers["std"],
        scale=check_number("scale", written["scale"], 1e-9, 1e9),
        batch=check_integer("batch", written["batch"], 1, MOST_TOGETHER),
        is_fixed=check_bool("is_fixed", written["is_fixed"]),
    )


def _name(name: str, value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME:
        raise ValueError(f"{name}: got {value!r}, want a name")
    return value
