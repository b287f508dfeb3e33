"""The files that ``embed`` writes: known and tried before it trains, so that no other is lost to them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import count, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from .._explore._folder import check_folder
from .._system.text import legible, to_csv
from .._system.writing import check_writable, replacing, write
from ..images import ImageCollection

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Packages that writing the files wants, beside those that reading wants.
PACKAGES = ("PIL", "matplotlib")
# Bytes of each output, at least: the page, a file or a folder, holds the program that draws it, a checkpoint
# more than a model.
SMALLEST = {
    "": 1 << 20,
    ".html": 1 << 20,
    ".png": 1 << 14,
    ".csv": 1 << 10,
    ".safetensors": 5 << 20,
    ".checkpoint": 10 << 20,
}
# Bytes of an image in all of them, at least: its thumbnail, its row, its place.
SMALLEST_OF_IMAGE = 300
# Endings of what a run may have written into a folder of pictures, which is not read as a picture.
NO_PICTURES = (".html", ".csv", ".safetensors", ".checkpoint", ".features")


@dataclass(frozen=True)
class Outputs:
    """The paths of the outputs; None for what a run that trains nothing does not write.

    ``keeps`` says whether files of an earlier run that have these names are kept under others.
    """

    page: Path
    picture: Path
    table: Path
    model: Path | None
    checkpoint: Path | None
    keeps: bool = False

    def paths(self) -> list[Path]:
        return [*self.written().values(), *([] if self.checkpoint is None else [self.checkpoint])]

    def written(self) -> dict[str, Path]:
        """What is there in the end, by its kind."""
        files = {"page": self.page, "picture": self.picture, "table": self.table, "model": self.model}
        return {kind: path for kind, path in files.items() if path is not None}

    @property
    def features(self) -> Path:
        """What eyes have seen: it stays for the next run."""
        return self.page.with_suffix(".features")

    def within(self, folder: Path) -> Outputs:
        """The same names in another folder."""
        return replace(
            self,
            page=folder / self.page.name,
            picture=folder / self.picture.name,
            table=folder / self.table.name,
            model=self.model and folder / self.model.name,
            checkpoint=self.checkpoint and folder / self.checkpoint.name,
            keeps=False,
        )

    def older(self) -> dict[Path, Path]:
        """Files of an earlier run, and what they are called from now on: map.1.html, with the first number
        that is free for all of them.
        """
        there = [path for path in self.written().values() if self.keeps and os.path.lexists(path)]
        numbered = (
            {path: path.with_name(f"{path.stem}.{number}{path.suffix}") for path in there}
            for number in count(1)
        )
        return next(names for names in numbered if not any(map(os.path.lexists, names.values())))

    def keep_older(self) -> dict[Path, Path]:
        """Rename them, and return what `older` did."""
        names = self.older()
        for path, name in names.items():
            path.rename(name)
        return names


@contextlib.contextmanager
def claim(page: Path) -> Iterator[None]:
    """Keep other runs from these outputs meanwhile: two would write one after the other, the last one stays.

    Raises
    ------
    ValueError
        If another run has them.
    """
    path = page.with_name(f".{page.stem}.tsimcne-swift.lock")
    with contextlib.ExitStack() as closing:
        try:
            file = closing.enter_context(open(path, "a"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(
                f"output: another run writes {legible(page)} now; wait for it, or give -o another name"
            ) from error
        except OSError:  # a file system without locks, or a name that is too long
            yield
            return
        closing.callback(path.unlink, missing_ok=True)
        yield


def write_somewhere(outputs: Outputs, write_all: Callable[[Outputs], None]) -> tuple[Outputs, OSError | None]:
    """The outputs that were written, in another folder where theirs takes none of them: then with the error.

    Raises
    ------
    OSError
        If no folder takes them.
    """
    try:
        write_all(outputs)
        return outputs, None
    except OSError as error:
        for place in (Path(tempfile.gettempdir()), Path.home(), Path.cwd(), Path("/dev/shm")):
            folder = None
            try:
                folder = Path(tempfile.mkdtemp(prefix="tsimcne-swift-", dir=place))
                write_all(outputs.within(folder))
                return outputs.within(folder), error
            except OSError:
                if folder is not None:
                    shutil.rmtree(folder, ignore_errors=True)
        raise


def choose_outputs(options: Any) -> Outputs:
    """The outputs of a run, each of which can be written.

    Raises
    ------
    ValueError, OSError
        If one is a file that is read, or a file of another run, or cannot be written.
    ModuleNotFoundError
        If a package is missing that writes them.
    """
    output: Path = options.output
    if output.suffix not in ("", ".html"):
        raise ValueError(
            f"output: got {output}, want a name that ends in .html, or without an ending: a folder"
        )
    if not output.parent.is_dir():
        raise FileNotFoundError(f"output: there is no folder {output.parent}")
    if options.model is not None and options.resume:
        raise ValueError("resume: excludes --model, which trains nothing")
    for package in PACKAGES:
        if find_spec(package) is None:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    trains = options.model is None
    outputs = Outputs(
        output,
        output.with_suffix(".png"),
        output.with_suffix(".csv"),
        output.with_suffix(".safetensors") if trains else None,
        output.with_suffix(".checkpoint") if trains else None,
    )
    if output.suffix == "":
        check_folder("output", output)
    existing = {path: found for path in outputs.paths() if (found := _status(path)) is not None}
    _check_others(existing, options)
    was_interrupted = outputs.checkpoint is not None and outputs.checkpoint in existing
    if was_interrupted and not options.resume and not options.overwrite:
        raise ValueError(
            f"output: {legible(outputs.checkpoint)} is of a run that was interrupted; "
            "go on with --resume, or begin anew with --overwrite"
        )
    # The files of a run that goes on are its own.
    outputs = replace(outputs, keeps=not options.overwrite and not was_interrupted)
    for path in outputs.paths():
        if path.suffix:
            check_writable(path, SMALLEST[path.suffix])
    check_room(outputs, 0)
    return outputs


def check_room(outputs: Outputs, images: int) -> None:
    """Check that the folder has room for all outputs of so many images at once.

    Raises
    ------
    OSError
        If it has not.
    """
    size = SMALLEST_OF_IMAGE * images + sum(SMALLEST[path.suffix] for path in outputs.paths())
    try:
        check_writable(outputs.table, size)
    except OSError as error:
        said = f"output: the files want {size:,} bytes at least ({error.strerror})"
        raise OSError(error.errno, said, os.fspath(outputs.page.parent)) from error


def write_outputs(
    outputs: Outputs,
    title: str,
    collection: ImageCollection,
    Y: npt.NDArray[np.float32],
    metadata: dict[str, Any],
    features: npt.NDArray[np.float32],
    options: Any,
) -> None:
    """Write table, picture and page, in the order of how little may go wrong.

    The page is made before all of them, as its clusters are columns of the table.
    """
    import matplotlib

    from .._explore import explore

    explorer = explore(
        Y, collection.images, collection.labels, label_names=collection.label_names, names=collection.names,
        metadata=metadata or None, features=features, title=title, thumbnail=options.thumbnail,
        links=_links(options.source, collection.names, outputs.page),
    )  # fmt: skip
    header = ["file", "x", "y", "label", *explorer.clusters]
    clusters: Iterable[tuple[str, ...]] = repeat(())
    if explorer.clusters:
        clusters = zip(*explorer.clusters.values(), strict=True)
    rows = ([*row, *names] for row, names in zip(_rows(collection, Y), clusters, strict=False))
    write(outputs.table, to_csv(header, rows))
    matplotlib.use("Agg")
    figure = draw(Y, collection, explorer.clusters, title)
    with replacing(outputs.picture) as file:
        figure.savefig(file, format="png", dpi=110, bbox_inches="tight")
    explorer.save(outputs.page)


def draw(
    Y: npt.NDArray[np.float32], collection: ImageCollection, clusters: dict[str, list[str]], title: str
) -> Figure:
    """Points by label, or where there is none by the largest clusters, and some images where they lie."""
    import matplotlib.pyplot as plt

    from ..plot import gallery, scatter

    labels: Any = collection.labels
    label_names: list[str] | None = [_plain(name) for name in collection.label_names]
    if labels is None and clusters:
        # Images between the clusters have no text, which is no label.
        labels, label_names = [_plain(text) for text in next(iter(clusters.values()))], None
    figure, ax = plt.subplots(figsize=(12, 11), layout="constrained")
    scatter(Y, labels, label_names=label_names, title=_plain(title), ax=ax)
    gallery(Y, collection.images, labels, columns=22, zoom=0.6, background=False, ax=ax)
    plt.close(figure)
    return figure


def _links(source: Path, names: list[str], page: Path) -> list[str] | None:
    """Addresses of the pictures of a folder, from the page's; empty where a name is no file's."""
    if not source.is_dir():
        return None
    start = page.resolve().parent
    return [
        quote(os.fsencode(os.path.relpath(path, start))) if path.is_file() else ""
        for path in (source.resolve() / name for name in names)
    ]


def _rows(collection: ImageCollection, Y: npt.NDArray[np.float32]) -> Iterator[list[float | str]]:
    for i, (name, (x, y)) in enumerate(zip(collection.names, Y.tolist(), strict=True)):
        label = -1 if collection.labels is None else int(collection.labels[i])
        yield [
            name, float(f"{x:.6g}"), float(f"{y:.6g}"), "" if label < 0 else collection.label_names[label]
        ]  # fmt: skip


def _plain(name: str) -> str:
    """Text in which matplotlib finds no mathematics."""
    return name.replace("$", r"\$")


def _status(path: Path) -> os.stat_result | None:
    """The status of the file that ``path`` leads to, also through links."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    # A folder was looked into before.
    if not stat.S_ISREG(found.st_mode) and (path.suffix or not path.is_dir()):
        raise ValueError(f"output: {legible(path)} is there and no regular file; give -o another name")
    return found


def _check_others(existing: dict[Path, os.stat_result], options: Any) -> None:
    """No output is one of the files that are read, nor another output, by whatever name or link."""
    known: dict[tuple[int, int], Path] = {}
    for path, found in existing.items():
        other = known.setdefault((found.st_dev, found.st_ino), path)
        if other != path:
            raise ValueError(
                f"output: {legible(path)} and {legible(other)} are one file; give -o another name"
            )
    # What does not exist yet can be no input.
    for path in _inputs(options) if known else ():
        try:
            found = path.stat()
        except OSError:
            continue
        if (found.st_dev, found.st_ino) in known:
            same = known[found.st_dev, found.st_ino]
            raise ValueError(
                f"output: {legible(same)} is the file {legible(path)}, which is read; give -o another name"
            )


def _inputs(options: Any) -> Iterator[Path]:
    """All files that are read; in a folder those that may be pictures."""
    for path in (options.metadata, options.model, options.eyes):
        if path is not None:
            yield path
    yield options.source
    for folder, _, names in os.walk(options.source):
        yield from (Path(folder, name) for name in names if not name.endswith(NO_PICTURES))
