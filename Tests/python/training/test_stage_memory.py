"""Stages follow one another in memory, too."""

import json
import subprocess
import sys

import numpy as np
from helpers import forget_peak, memory, program
from tsimcne_swift import TSimCNE

OPTIONS = {"plane": "parametric", "patch_words": 0, "n_jobs": 2}


def taken(n, **options):
    """Bytes that a ``fit`` of n images takes at its peak."""
    X = np.random.default_rng(0).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)
    forget_peak()
    before = memory("VmRSS")
    TSimCNE(**(OPTIONS | options)).fit(X)
    return memory("VmHWM") - before


def test_a_stage_gives_its_memory_back_before_the_next_takes_its_own():
    measured = program(
        __file__,
        """
        taken(64, width=8, total_epochs=[1], batch_size=64)
        step = {"width": 32, "batch_size": 256, "n_views": 2}
        print(json.dumps([taken(256, total_epochs=epochs, **step) for epochs in ([1], [1, 1, 1])]))
        """,
    )
    done = subprocess.run([sys.executable, "-c", measured], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    one, three = json.loads(done.stdout)
    # What a step takes is most of it, and the smaller one of the second stage would come on top.
    assert one > 300e6
    assert three < 1.2 * one
