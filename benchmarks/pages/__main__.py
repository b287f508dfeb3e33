"""The pages of one map, ours and peers': bytes, first paint, frames while dragging.

python -m benchmarks.pages [--n 60000] [--points] [--folder] [--archive cifar10-jpeg.zip] [--rounds 2]
    [--peer embedding-atlas=PYTHON] [--peer datamapplot=PYTHON]

Without an archive Fashion-MNIST's images are shown, again and again where there are to be more, with --points
none; with --folder ours is also a page that is a folder. PYTHON is an interpreter that has the peer
(``pip install --no-deps embedding-atlas==0.20``, the last that draws without WebGPU, with pandas, pyarrow,
duckdb, cryptography, inquirer and narwhals will do here: what else it asks for makes features; that one shows
no images). Pages are visited in turn, so that other work on the
machine strikes all of them. Chromium draws without a graphics card here: a person's browser is faster.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from tsimcne_swift import explore, to_frame

from ..quality import data
from .visit import Visit, visit


class Counting(SimpleHTTPRequestHandler):
    """Serves files, and counts their bytes."""

    sent = 0

    def copyfile(self, source: Any, outputfile: Any) -> None:
        Counting.sent += os.fstat(source.fileno()).st_size
        super().copyfile(source, outputfile)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def make(folder: Path, options: argparse.Namespace, peers: dict[str, str]) -> dict[str, str]:
    """Write the pages; for each what to open below the folder, or nothing."""
    images = data.load("cifar10" if options.archive else "fashion", options.archive, "test")
    chosen = np.arange(options.n) % len(images.images)
    X, labels = None if options.points else images.images[chosen], images.labels[chosen]
    random = np.random.default_rng(0)
    Y = random.standard_normal((len(labels), 2)) + 4 * random.standard_normal((10, 2))[labels]
    (folder / "tsimcne-swift").mkdir()
    explore(Y, X, labels, path=folder / "tsimcne-swift" / "index.html")
    pages = {"tsimcne-swift": "index.html"}
    if options.folder:
        explore(Y, X, labels, path=folder / "folder")
        pages["folder"] = "index.html"
    if peers:
        table = folder / "table.parquet"
        to_frame(Y, X, labels, label_names=[f"class {k}" for k in range(10)]).to_parquet(table)
        script = Path(__file__).with_name("peers.py")
        for name, python in peers.items():
            run = [python, script, name, table, folder / name]
            pages[name] = subprocess.check_output(run, text=True).splitlines()[-1].strip()
    return pages


def size(folder: Path) -> int:
    """Bytes of all files."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--n", type=int, default=60_000)
    parser.add_argument("--points", action="store_true", help="no images")
    parser.add_argument("--archive", type=Path)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--folder", action="store_true")
    parser.add_argument("--wait", type=float, default=600, help="seconds until a page is given up")
    parser.add_argument("--keep", type=Path, help="a folder for pictures of what was seen")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        peers = dict(peer.split("=", 1) for peer in options.peer)
        pages = make(folder, options, peers)
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Counting, directory=name))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        visits: dict[str, list[Visit]] = {page: [] for page in pages}
        fetched = {}
        for _ in range(options.rounds):
            for page, file in pages.items():
                if not file:
                    continue
                Counting.sent = 0
                address = f"http://127.0.0.1:{server.server_port}/{page}/{file}"
                try:
                    found, seen = visit(address, options.wait)
                except TimeoutError as error:
                    print(error, flush=True)
                    continue
                fetched[page] = Counting.sent
                visits[page].append(found)
                print(page, found, flush=True)
                if options.keep:
                    from PIL import Image

                    options.keep.mkdir(exist_ok=True)
                    Image.fromarray(seen.astype(np.uint8)).save(options.keep / f"{page}.png")
        load = os.getloadavg()[0]
        print(f"\n{options.n:,} points; load of the machine {load:.0f} on {os.cpu_count()} cores\n")
        print("| page | size, MB | fetched, MB | first paint, s | frames/s while dragging (idle) |")
        print("|---|---|---|---|---|")
        for page in pages:
            show = visits[page]
            seconds = " and ".join(f"{v.shown:.1f}" for v in show) or "not drawn"
            rates = " and ".join(
                f"{v.dragged:.1f} ({v.idle:.1f}){'' if v.has_moved else ', did not move'}" for v in show
            )
            got = f"{fetched[page] / 1e6:.1f}" if show else ""
            print(f"| {page} | {size(folder / page) / 1e6:.1f} | {got} | {seconds} | {rates} |")


if __name__ == "__main__":
    main()
