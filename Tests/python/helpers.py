"""What the tests of the estimator share: tiny data, and models that train in a fraction of a second."""

import os
import textwrap
from pathlib import Path

import numpy as np
from tsimcne_swift import TSimCNE

SMALL = {
    "width": 4,
    "hidden_dim": 16,
    "pretrain_dim": 8,
    "batch_size": 16,
    "n_views": 2,
    "total_epochs": [1, 1, 1],
}


def images(n=40, shape=(8, 8), dtype=np.uint8):
    X = np.random.default_rng(0).integers(0, 256, (n, *shape), dtype=np.uint8)
    return X if dtype == np.uint8 else (X / 255).astype(dtype)


def small(**changes):
    return TSimCNE(**(SMALL | {"random_state": 3} | changes))


def blobs(n=150, features=6, scale=1.0, offset=0.0):
    """Feature vectors in three groups, and their labels."""
    random = np.random.default_rng(1)
    labels = np.arange(n) % 3
    centres = 6 * random.standard_normal((3, features))
    return (scale * (centres[labels] + random.standard_normal((n, features))) + offset), labels


def vectors(n=40, features=6, dtype=np.float32):
    return np.random.default_rng(2).standard_normal((n, features)).astype(dtype)


def mapper(**changes):
    """A small model of feature vectors."""
    return small(**({"backbone": "identity"} | changes))


def assert_same_bits(ours, theirs):
    """Two state dicts, or two arrays, are equal bit by bit."""
    if isinstance(ours, dict):
        assert list(ours) == list(theirs)
        for name in ours:
            assert ours[name].tobytes() == theirs[name].tobytes(), name
        return
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    assert ours.tobytes() == theirs.tobytes()


def program(file, text):
    """A program for another process, which begins with what is in the test's file."""
    folders, name = [os.path.dirname(file), os.path.dirname(__file__)], Path(file).stem
    return f"import sys\nsys.path[:0] = {folders!r}\nfrom {name} import *\n{textwrap.dedent(text)}"


def memory(name):
    """Bytes of this process, by the system's names: VmRSS is what it holds, RssAnon without files, VmHWM the
    most of VmRSS since ``forget_peak``, VmSize what it has addresses for.

    ``ru_maxrss`` would not do: a process begins with its parent's, and what stays below that is not seen.
    """
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[name].split()[0]) * 1024


def forget_peak():
    Path("/proc/self/clear_refs").write_text("5")


def cases(ci, nightly):
    """How often a test repeats what it does, in CI and in ``make nightly``."""
    return nightly if os.environ.get("TSIMCNE_NIGHTLY") else ci
