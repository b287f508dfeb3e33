"""Eyes at work: images in, features out."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._algebra.linear import to_unit_length
from .._inputs.chunked import Readahead, StoredImages
from .._inputs.images import Images
from .._inputs.vectors import Vectors
from .._system.locks import ProcessLock
from .file import File, read_file
from .graph import FEATURES, Graph
from .onnx import Onnx
from .session import Session
from .sight import Sight, read_sight

Rows = npt.NDArray[np.float32]
# Name of the array of a model's file that has the bytes of the network's.
INSIDE = "eyes.onnx"
ELEMENTS = {"B": "uint8", "f": "float32"}


class Eyes:
    """A network that looks at images of one shape.

    Parameters
    ----------
    sight : Sight
    image_shape : (height, width, channels)
    sources : tuple of str or bytes
        Where the network's file may be: the first of these that is the one is taken.
    """

    def __init__(self, sight: Sight, image_shape: tuple[int, ...], sources: tuple[str | bytes, ...]) -> None:
        self.sight, self.image_shape, self.sources = sight, image_shape, sources
        # The session that was used last, with the process, type of images and threads that it is for.
        self._open: tuple[Any, Session] | None = None
        self._alone = ProcessLock()

    @property
    def columns(self) -> int:
        """Features of an image."""
        return self.sight.columns

    def find(self) -> tuple[str | bytes, File]:
        """The network's file, and what is in it.

        Raises
        ------
        FileNotFoundError
            If there is none; the error says where it was sought.
        ValueError
            If there is another one only.
        """
        others = []
        for source in self.sources:
            if isinstance(source, bytes):
                return source, read_file(source)
            if not os.path.isfile(source):
                continue
            if os.path.getsize(source) <= self.sight.length:
                file = read_file(source)
                if file.sha256 == self.sight.sha256:
                    return source, file
            others.append(source)
        wanted = f"want {self.sight.file} with SHA-256 {self.sight.sha256}, the eyes of this model"
        if others:
            raise ValueError(f"backbone_file: got {', '.join(others)}, which is another file; {wanted}")
        sought = ", ".join(str(source) for source in self.sources)
        raise FileNotFoundError(
            f"backbone_file: there is no {sought}; {wanted}: TSimCNE.load(path, backbone_file=...)"
        )

    def said(self, onnx: Onnx) -> Onnx:
        """What a user said of these eyes, with the file that is theirs, wherever it is now, and with what
        another file said of the preparation.
        """
        found = replace(onnx, path=self.find()[0])
        if onnx.preset is not None or self.sight.element == "uint8":
            return found
        fields = ("size", "resize", "interpolation", "mean", "std", "scale")
        return replace(found, **{name: getattr(self.sight, name) for name in fields})

    def written(self) -> dict[str, Any]:
        """As a file has it: what the eyes are, and where their file was."""
        path = next((source for source in self.sources if isinstance(source, str)), None)
        return self.sight.written() | {"path": path}

    def tensors(self, embed: bool) -> dict[str, npt.NDArray[Any]]:
        """The network's file as an array, if a model's file is to have it, or had it.

        Raises
        ------
        ValueError
            If its data lies in other files.
        """
        inside = next((source for source in self.sources if isinstance(source, bytes)), None)
        if inside is None and embed:
            source, file = self.find()
            if not file.is_whole:
                raise ValueError(
                    f"embed_backbone: {file.name} has data in other files; write it as one with onnx.save"
                )
            assert isinstance(source, str)
            inside = Path(source).read_bytes()
        return {} if inside is None else {INSIDE: np.frombuffer(inside, np.uint8)}

    def see(
        self,
        images: Images,
        threads: int,
        rows: slice | npt.NDArray[np.intp] | None = None,
        report: Callable[[Rows], None] | None = None,
        result: Rows | None = None,
    ) -> Rows:
        """What the network makes of images, or of some; an image's bits do not depend on the others.

        Parameters
        ----------
        images : Images
        threads : int
            0 for all cores that this process may use.
        rows : slice, ndarray or None
        report : callable or None
            Gets the features of each batch, in order.
        result : ndarray or None
            Where they are put.

        Returns
        -------
        ndarray of shape (n, columns), float32
        """
        if not isinstance(rows, np.ndarray):
            rows = np.arange(*(rows or slice(None)).indices(images.shape[0]))
        if result is None:
            result = np.empty((len(rows), self.columns), np.float32)
        if len(rows) == 0:
            return result
        session = self._session(ELEMENTS[images.format], threads)
        done = 0
        for chosen, values in _batches(images, rows, self.sight.batch):
            count = len(chosen)
            if count < self.sight.batch:
                # A network may take no other number, and an image's bits depend on that of its batch.
                blank = np.zeros((self.sight.batch - count, *values.shape[1:]), values.dtype)
                values = np.concatenate([values, blank])
            found = session.run(values)[:count]
            images.forget()
            wrong = ~np.isfinite(found).all(axis=1)
            if wrong.any():
                raise ValueError(
                    f"X: {self.sight.file} gives NaN or infinity for image {chosen[int(np.argmax(wrong))]}"
                )
            result[done : done + count] = found
            done += count
            if report is not None:
                report(found)
        return result

    def vectors(
        self, images: Images, threads: int, rows: slice | npt.NDArray[np.intp] | None = None
    ) -> Vectors:
        """What images, or some, are compared by: the directions of their features."""
        return Vectors.of(to_unit_length(self.see(images, threads, rows)))

    def model(self, element: str, file: File) -> Graph:
        """The network with all that belongs to it, for images of a type."""
        graph = Graph(file, self.sight, self.image_shape, element)
        graph.take()
        return graph

    def _session(self, element: str, threads: int) -> Session:
        # The threads of a session are not there in a process that was forked.
        key = (os.getpid(), element, threads)
        with self._alone():
            if self._open is None or self._open[0] != key:
                self._open = None
                _, file = self.find()
                model = self.model(element, file).finished({FEATURES: self.columns})
                self._open = key, Session(self.sight.file, model, threads)
            return self._open[1]


def read_eyes(
    written: dict[str, Any],
    image_shape: tuple[int, ...],
    folder: str | None,
    inside: npt.NDArray[Any] | None,
) -> Eyes:
    """The eyes of a document, which may be a stranger's, in a folder; ``inside`` has the bytes of their file.

    Raises
    ------
    ValueError, TypeError, KeyError
        If it is not as `Eyes.written` has it.
    """
    sight, path = read_sight(written), written["path"]
    if inside is not None:
        if inside.dtype != np.uint8 or hashlib.sha256(inside.tobytes()).hexdigest() != sight.sha256:
            raise ValueError(f"{INSIDE}: is not the file with SHA-256 {sight.sha256}")
        return Eyes(sight, image_shape, (inside.tobytes(),))
    if os.path.basename(sight.file) != sight.file or not isinstance(path, str | None):
        raise ValueError("eyes: got a file that is none")
    beside = [] if folder is None else [os.path.join(folder, sight.file)]
    return Eyes(sight, image_shape, (*beside, *([] if path is None else [path])))


def _batches(
    images: Images, rows: npt.NDArray[np.intp], size: int
) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[Any]]]:
    """Images batch by batch; those that lie elsewhere are read ahead."""
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    if not isinstance(images, StoredImages):
        for part in parts:
            yield part, images.batch(part)
        return
    ahead = Readahead(images, parts)
    try:
        for part in parts:
            yield part, ahead.next()[1]
    finally:
        ahead.close()
