"""The examples outside Python do what they say."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
from tsimcne_swift import evaluate

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "python/tsimcne_swift/lib"


def accuracy(printed):
    """The kNN accuracy of the kinds of images, from lines of x,y,kind."""
    rows = np.loadtxt(io.StringIO(printed), delimiter=",")
    assert rows.shape == (600, 3)
    return evaluate(rows[:, :2], rows[:, 2].astype(int))["knn_accuracy"]


def test_swift_program_maps_three_kinds():
    level = subprocess.run(
        [sys.executable, ROOT / "tools/level.py"], capture_output=True, text=True, check=True
    )
    build = (
        f"swift build -c release --package-path {ROOT}/examples/swift --scratch-path {ROOT}/.build/example"
    )
    subprocess.run([*build.split(), *level.stdout.split()], capture_output=True, check=True)
    run = subprocess.run([ROOT / ".build/example/release/Map"], capture_output=True, text=True, check=True)
    assert accuracy(run.stdout) > 0.95


def test_c_program_maps_three_kinds(tmp_path):
    program = tmp_path / "map"
    source, include = ROOT / "examples/c/map.c", f"-I{ROOT / 'Sources/CTSimCNE/include'}"
    links = [f"-L{LIBRARY}", "-ltsimcne", f"-Wl,-rpath,{LIBRARY}"]
    subprocess.run(
        ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", include, source, "-o", program, *links], check=True
    )
    run = subprocess.run([program], capture_output=True, text=True, check=True)
    assert accuracy(run.stdout) > 0.95
