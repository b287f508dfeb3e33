"""An ONNX file, which may be a stranger's: read, and refused where it wants more than arithmetic."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from .._checks.memory_sizes import written_size
from .._checks.values import check_regular
from .._system.config import available_memory

# Operators that onnxruntime has by itself: ONNX's own, and those its optimiser writes.
DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
# Operators of these sets that open other files, or code.
REFUSED = ("EPContext", "PyOp", "PythonOp", "ATen")
# Length that Google's protocol buffers can have, about.
MOST = 2_000_000_000
# A network's bytes are there three times while it is opened: as they were read, as they are run, and between.
COPIES = 3
OLDEST = 8
CHUNK = 1 << 24


@dataclass(frozen=True)
class File:
    """What is in a file.

    Parameters
    ----------
    name : str
        Name of the file, without folders.
    model : onnx.ModelProto
        With the data of other files inside.
    sha256 : str
        Of the file; where data lies in other files, of these behind it, in the order of their names.
    length : int
        Bytes of all of them.
    is_whole : bool
        Whether all is in the one file.
    """

    name: str
    model: Any
    sha256: str
    length: int
    is_whole: bool

    @property
    def opset(self) -> int:
        """Version of ONNX's own operators."""
        versions = [int(one.version) for one in self.model.opset_import if one.domain in DOMAINS[:2]]
        return max(versions, default=0)


def read_file(source: str | bytes) -> File:
    """Read a network, from a path or from its bytes.

    Raises
    ------
    ImportError
        If onnx or onnxruntime is not installed.
    ValueError, FileNotFoundError, MemoryError
        If there is none, or it is refused; the error says why.
    """
    try:
        import onnx
        import onnxruntime as onnxruntime
    except ImportError as error:
        raise ImportError(f"backbone: {error}; Onnx(...) wants: pip install tsimcne-swift[onnx]") from error
    from google.protobuf.message import DecodeError
    from onnx.external_data_helper import load_external_data_for_tensor

    folder = None
    if isinstance(source, bytes):
        name, data = "network", source
    else:
        check_regular("backbone.path", source)
        path = Path(source)
        name, folder = path.name, path.resolve().parent
        _check_size(name, path.stat().st_size)
        data = path.read_bytes()
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise ValueError(f"backbone.path: {name} is no ONNX file ({error})") from error
    if not model.graph.node or not model.opset_import:
        raise ValueError(f"backbone.path: {name} is no ONNX file, or has no operators")
    _check_operators(name, model)
    digest, length = hashlib.sha256(data), len(data)
    others = _data_files(name, model, folder)
    _check_size(name, length + sum(_taken(tensor, path) for tensor, path in others))
    for other in sorted({path for _, path in others}):
        with open(other, "rb") as stream:
            while part := stream.read(CHUNK):
                digest.update(part)
                length += len(part)
    for tensor, _ in others:
        load_external_data_for_tensor(tensor, str(folder))
    file = File(name, model, digest.hexdigest(), length, not others)
    if file.opset < OLDEST:
        raise ValueError(
            f"backbone.path: {name} has version {file.opset} of ONNX's operators, want {OLDEST} or newer"
        )
    return file


def _check_size(name: str, length: int) -> None:
    if length > MOST:
        raise ValueError(f"backbone.path: {name} has {written_size(length)}, want at most 2 GB")
    if COPIES * length > available_memory():
        raise MemoryError(
            f"backbone.path: {name} wants {written_size(COPIES * length)} to be opened, "
            f"but {written_size(available_memory())} are left"
        )


def _check_operators(name: str, model: Any) -> None:
    """All operators are onnxruntime's own, or made of those."""
    own = {(function.domain, function.name) for function in model.functions}
    nodes = [*_nodes(model.graph.node), *(n for f in model.functions for n in _nodes(f.node))]
    for node in nodes:
        if (node.domain, node.op_type) in own:
            continue
        if node.domain not in DOMAINS or node.op_type in REFUSED:
            raise ValueError(
                f"backbone.path: {name} wants the custom operator {node.domain or 'ai.onnx'}.{node.op_type}, "
                "which is foreign code; want a network of ONNX's own operators"
            )


def _nodes(nodes: Any) -> Iterator[Any]:
    """All nodes, also of the graphs in them."""
    for node in nodes:
        yield node
        for graph in graphs_of(node):
            yield from _nodes(graph.node)


def graphs_of(node: Any) -> Iterator[Any]:
    """The graphs in a node: branches, and bodies of loops."""
    for attribute in node.attribute:
        yield from attribute.graphs
        if attribute.HasField("g"):
            yield attribute.g


def _tensors(graph: Any) -> Iterator[Any]:
    """All tensors with data of a graph, or of a function, and of the graphs in it."""
    yield from getattr(graph, "initializer", ())
    for sparse in getattr(graph, "sparse_initializer", ()):
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from attribute.tensors
            if attribute.HasField("t"):
                yield attribute.t
        for inner in graphs_of(node):
            yield from _tensors(inner)


def _data_files(name: str, model: Any, folder: Path | None) -> list[tuple[Any, Path]]:
    """The tensors whose data lies in another file, and that file, which is in the network's own folder."""
    from onnx.external_data_helper import uses_external_data

    found = []
    for tensor in chain(*(_tensors(part) for part in (model.graph, *model.functions))):
        if not uses_external_data(tensor):
            continue
        location = {entry.key: entry.value for entry in tensor.external_data}.get("location", "")
        if folder is None:
            raise ValueError(f"backbone.path: its data is in another file ({location!r}), want one file")
        path = (folder / location).resolve()
        if not location or os.path.isabs(location) or not path.is_relative_to(folder):
            raise ValueError(
                f"backbone.path: {name} wants data from {location!r}, outside of its own folder; refused"
            )
        check_regular("backbone.path", path)
        found.append((tensor, path))
    return found


def _taken(tensor: Any, path: Path) -> int:
    """Bytes that a tensor takes of its file."""
    said = {entry.key: entry.value for entry in tensor.external_data}.get("length", "")
    return int(said) if said.isdecimal() else path.stat().st_size


def needed(graph: Any, outputs: list[str]) -> tuple[list[Any], set[str]]:
    """The nodes that these outputs depend on, in order, and the names of all values that do."""
    names, nodes = set(outputs), []
    for node in reversed(graph.node):
        if names.intersection(node.output):
            nodes.append(node)
            # An input that is left out has no name.
            names |= _read_by(node) - {""}
    return nodes[::-1], names


def _read_by(node: Any) -> set[str]:
    """Names of the values that a node reads, also in the graphs in it."""
    inner = (_read_by(other) for graph in graphs_of(node) for other in graph.node)
    returned = (one.name for graph in graphs_of(node) for one in graph.output)
    return set(node.input).union(*inner, returned)
