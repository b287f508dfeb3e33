"""A network that is open: one session of onnxruntime, on CPUs, with its extensions off."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._system.config import show_config
from .graph import IMAGES


class Session:
    """Runs a model on batches of images.

    Parameters
    ----------
    name : str
        What errors call it.
    model : onnx.ModelProto
    threads : int
        0 for all cores that this process may use.

    Raises
    ------
    ValueError
        If onnxruntime does not take the model.
    """

    def __init__(self, name: str, model: Any, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or int(show_config()["threads"])
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self._name = name
        try:
            self._session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its errors have no class in common
            raise ValueError(f"backbone.path: onnxruntime refuses {name}: {_said(error)}") from error

    def run(self, images: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The first output."""
        try:
            found = self._session.run(None, {IMAGES: images})[0]
        except Exception as error:
            if "bad_alloc" in str(error) or "Failed to allocate" in str(error):
                raise MemoryError(f"backbone: {self._name} has no memory for {len(images)} images") from error
            raise ValueError(
                f"backbone: {self._name} fails on {len(images)} images: {_said(error)}"
            ) from error
        return np.asarray(found)


def _said(error: Exception) -> str:
    """The first line of what onnxruntime says."""
    return str(error).strip().split("\n")[0][:300]
