"""What a network declares about what it takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .file import File, needed
from .onnx import Onnx

USUAL_CHANNELS = (1, 3)
Sides = tuple[int | None, ...]


@dataclass(frozen=True)
class Declared:
    """What is known before any image: None for what it leaves open."""

    input: str
    element: str
    layout: str
    batch: int | None
    channels: int | None
    size: tuple[int | None, int | None]
    output: str


def declared_by(file: File, onnx: Onnx) -> Declared:
    """What the file declares of the input and output that are meant.

    Raises
    ------
    ValueError
        If it is not clear which they are; the error names the argument that says so.
    """
    graph = file.model.graph
    output = _choose_output(file, onnx.output)
    constants = {tensor.name for tensor in graph.initializer}
    wanted = needed(graph, [output])[1]
    given = {one.name: one for one in graph.input if one.name not in constants and one.name in wanted}
    name = _choose_input(file, onnx.input, given)
    others = [other for other in given if other != name]
    if others:
        raise ValueError(
            f"backbone.output: {output!r} of {file.name} also wants {', '.join(map(repr, others))} beside "
            "images; want the output of a network of images alone"
        )
    sides = _sides(given[name])
    assert sides is not None
    layout = onnx.layout or _layout(file, sides)
    first = 1 if layout == "NCHW" else 3
    channels, (height, width) = sides[first], sides[2:] if layout == "NCHW" else sides[1:3]
    return Declared(name, _element(file, given[name]), layout, sides[0], channels, (height, width), output)


def _choose_output(file: File, said: str | None) -> str:
    """The output that is meant: by name, else the only one of the first number of axes that there is."""
    outputs = list(file.model.graph.output)
    names = [one.name for one in outputs]
    if said is not None:
        if said not in names:
            raise ValueError(f"backbone.output: got {said!r}, but {file.name} gives {_listed(outputs)}")
        return said
    for axes in (2, 4, 3):
        found = [one.name for one in outputs if len(_sides(one) or ()) == axes]
        if len(found) == 1:
            return str(found[0])
        if found:
            break
    if len(names) == 1:
        return str(names[0])
    raise ValueError(f"backbone.output: got None, but {file.name} gives {_listed(outputs)}; want one of them")


def _choose_input(file: File, said: str | None, given: dict[str, Any]) -> str:
    if said is not None:
        if said not in given:
            raise ValueError(
                f"backbone.input: got {said!r}, but {file.name} takes {_listed(list(given.values()))}"
            )
        names = [said]
    else:
        names = [name for name, one in given.items() if len(_sides(one) or ()) == 4]
    if len(names) != 1 or len(_sides(given[names[0]]) or ()) != 4:
        raise ValueError(
            f"backbone.input: {file.name} takes {_listed(list(given.values())) or 'nothing'}; "
            "want one input with four axes, for images"
        )
    return names[0]


def _layout(file: File, sides: Sides) -> str:
    first, last = sides[1], sides[3]
    usual = [first in USUAL_CHANNELS, last in USUAL_CHANNELS]
    if usual[0] != usual[1]:
        return "NCHW" if usual[0] else "NHWC"
    # Other channels are the only side that is fixed, or that the others do not have.
    if not usual[0]:
        if (first is None) != (last is None):
            return "NCHW" if last is None else "NHWC"
        if first is not None and (sides[2] == last) != (sides[2] == first):
            return "NCHW" if sides[2] == last else "NHWC"
    shown = ", ".join("?" if side is None else str(side) for side in sides)
    raise ValueError(
        f"backbone.layout: got None, but {file.name} takes ({shown}), where channels are not to be seen; "
        "want 'NCHW' or 'NHWC'"
    )


def _element(file: File, one: Any) -> str:
    from onnx import TensorProto

    kinds = {
        TensorProto.FLOAT: "float32",
        TensorProto.FLOAT16: "float16",
        TensorProto.DOUBLE: "float64",
        TensorProto.UINT8: "uint8",
    }
    kind = one.type.tensor_type.elem_type
    if kind not in kinds:
        raise ValueError(
            f"backbone.input: {one.name!r} of {file.name} is {TensorProto.DataType.Name(kind)}, "
            f"want {', '.join(kinds.values())}"
        )
    return kinds[kind]


def _sides(one: Any) -> Sides | None:
    """Lengths of the axes, None for open ones; None where not even their number is said."""
    kind = one.type.tensor_type
    if not kind.HasField("shape"):
        return None
    return tuple(int(side.dim_value) if side.dim_value > 0 else None for side in kind.shape.dim)


def _listed(values: list[Any]) -> str:
    parts = []
    for one in values:
        sides = _sides(one)
        shown = "?" if sides is None else ", ".join("?" if side is None else str(side) for side in sides)
        parts.append(f"{one.name!r} ({shown})")
    return ", ".join(parts)
