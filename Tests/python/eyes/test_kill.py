"""The command with eyes, killed as by a lack of memory: SIGKILL, which nothing can handle."""

import csv
import signal
import subprocess
import sys

import numpy as np
import pytest
from onnx_files import network
from PIL import Image
from tsimcne_swift import TSimCNE

COUNT, COLUMNS, BATCH = 1500, 6, 32
# The command in a process of its own, which notes each image that its eyes look at, by its first pixels, and
# ends itself after so many of them.
COMMAND = """
import os, signal, sys
from tsimcne_swift._cli import main
from tsimcne_swift._eyes.session import Session
run, last, left = Session.run, int(sys.argv[2]), [int(sys.argv[2])]
log = open(sys.argv[1], "ab", buffering=0)

def noted(self, values):
    if not (values == 128).all():
        if left[0] <= 0 < last:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= len(values)
        log.write(values.reshape(len(values), -1)[:, :3].astype("u1").tobytes())
    return run(self, values)

Session.run = noted
sys.exit(main(sys.argv[3:]))
"""


@pytest.fixture
def folder(tmp_path):
    """Pictures that tell their number by their first pixel, whose labels are the number's halves."""
    random = np.random.default_rng(0)
    for label in "ab":
        (tmp_path / "photos" / label).mkdir(parents=True)
    for i in range(COUNT):
        picture = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        picture[0, 0] = i // 256, i % 256, 77
        Image.fromarray(picture).save(tmp_path / "photos" / "ab"[2 * i // COUNT] / f"{i:05}.png")
    return tmp_path / "photos"


def numbers(path):
    """The pictures in the order in which they were looked at, and those that filled up a last batch."""
    noted = np.frombuffer(path.read_bytes(), "u1").reshape(-1, 3)
    return noted[:, 0].astype(int) * 256 + noted[:, 1]


def test_nothing_is_looked_at_twice(folder, tmp_path):
    eyes = network(tmp_path / "eyes.onnx")
    output = tmp_path / "map.html"

    def ended(log, last, *more):
        command = ["embed", folder, "--eyes", eyes, "--eyes-preset", "imagenet", "-o", output, *more]
        process = [sys.executable, "-c", COMMAND, tmp_path / log, last, *command]
        return subprocess.run(list(map(str, process)), capture_output=True, text=True, timeout=1200)

    kept = COUNT // 2 // BATCH * BATCH
    killed = ended("first", kept)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not output.exists()
    seen = (tmp_path / "map.features").read_bytes()
    assert seen.count(b"\n") >= 2 and len(seen) > 4 * COLUMNS * kept
    resumed = ended("second", 0, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    # What was there is left as it was, and what is looked at begins behind it.
    assert (tmp_path / "map.features").read_bytes().startswith(seen)
    assert numbers(tmp_path / "first").tolist() == list(range(kept))
    assert numbers(tmp_path / "second")[: COUNT - kept].tolist() == list(range(kept, COUNT))
    assert len(numbers(tmp_path / "second")) - (COUNT - kept) < BATCH
    # The map is that of a run that nobody killed.
    alone = tmp_path / "alone.html"
    whole = [*("embed", folder, "--eyes", eyes, "--eyes-preset", "imagenet", "-o", alone)]
    command = [sys.executable, "-m", "tsimcne_swift", *map(str, whole)]
    assert subprocess.run(command, capture_output=True, timeout=1200).returncode == 0
    models = [TSimCNE.load(path.with_suffix(".safetensors")) for path in (output, alone)]
    assert np.array_equal(models[0].embedding_, models[1].embedding_)
    with open(tmp_path / "map.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == COUNT
