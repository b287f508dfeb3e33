"""Nodes of an ONNX graph, as they are written one after the other."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np


class Nodes:
    """Nodes and constants; a value is the name of what makes it.

    Parameters
    ----------
    word : str
        What the names that nobody gives begin with: those of two lists that become one differ.
    """

    def __init__(self, word: str) -> None:
        self.nodes: list[Any] = []
        self.arrays: list[Any] = []
        self._word, self._numbers = word, count()

    def array(self, value: Any, name: str | None = None) -> str:
        """A constant."""
        from onnx import numpy_helper

        name = name or self._new_name()
        self.arrays.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """What an operator makes of its inputs."""
        from onnx import helper

        name = output or self._new_name()
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def _new_name(self) -> str:
        return f"{self._word} {next(self._numbers)}"
