"""Stages follow one another in memory, too."""

import json
import subprocess
import sys

PROGRAM = """
import json, resource
import numpy as np
from tsimcne_swift import TSimCNE

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

X = np.random.default_rng(0).integers(0, 256, (256, 32, 32, 3), dtype=np.uint8)
options = {"plane": "parametric", "patch_words": 0, "n_jobs": 2}
TSimCNE(width=8, total_epochs=[1], batch_size=64, **options).fit(X[:64])
idle, taken = peak(), []
for epochs in ([1], [1, 1, 1]):
    TSimCNE(width=32, total_epochs=epochs, batch_size=256, n_views=2, **options).fit(X)
    taken.append(peak() - idle)
print(json.dumps(taken))
"""


def test_a_stage_gives_its_memory_back_before_the_next_takes_its_own():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    one, three = json.loads(done.stdout)
    # What a step takes is most of it, and the smaller one of the second stage would come on top.
    assert one > 300 << 10
    assert three < 1.2 * one
