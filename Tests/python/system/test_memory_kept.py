"""What calls of the core leave behind: nothing, however often they are made."""

import gc

import numpy as np
import pytest
from helpers import memory, small
from tsimcne_swift import _core, inspect
from tsimcne_swift._inputs.images import Images
from tsimcne_swift._patches.words import PatchWords
from tsimcne_swift._plane.moving import move
from tsimcne_swift._plane.neighbors import nearest

# Calls of a round, and the most that all of them may leave behind; what they leave is as large as what they
# read.
CALLS, KEPT = 12, 6 << 20
ROUNDS = 5
RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.integers(0, 256, (1500, 20, 20, 3)).astype(np.uint8)
ROWS = RANDOM.standard_normal((30_000, 16)).astype(np.float32)
RING = (np.arange(30_000)[:, None] + [1, 2]).astype(np.int32) % 30_000
MODEL = small(total_epochs=[0.01, 0.01, 0.01], batch_size=128).fit(PICTURES)
WORDS = PatchWords.of(Images(PICTURES), 32, 2)


def train():
    small(total_epochs=[0.1, 0.1, 0.1], batch_size=512, patch_words=0).fit(PICTURES)


def move_points():
    points = ROWS[:, :2].copy()
    for _ in range(4):
        state = np.zeros_like(points), np.ones_like(points)
        offsets, weights = np.arange(0, 60_001, 2), np.full(60_000, 0.5, np.float32)
        motion = {"steps": 1, "exaggeration": 1.0, "rate": 0.1, "momentum": 0.5, "threads": 2}
        _core.move_points(points, *state, offsets, RING.ravel(), weights, **motion)


USES = {
    "train": train,
    "map": lambda: MODEL.transform(PICTURES),
    "features": lambda: MODEL.features(PICTURES),
    "copy": lambda: MODEL.from_state_dict(MODEL.to_state_dict(), image_shape=(20, 20, 3)),
    "words": lambda: WORDS.describe(Images(PICTURES), 2),
    "new words": lambda: PatchWords.of(Images(PICTURES), 32, 2),
    "neighbours": lambda: nearest(ROWS, 5, 2),
    "points": move_points,
    "a map of points": lambda: move(RING[:2000] % 2000, ROWS[:2000, :2], 2, lambda part: None),
    "duplicates": lambda: inspect.duplicates(PICTURES[:200]),
}


def held() -> int:
    """Bytes of the process."""
    gc.collect()
    return memory("VmRSS")


@pytest.mark.parametrize("name", USES)
def test_calls_leave_nothing_behind(name):
    for _ in range(3):
        USES[name]()
    # An allocator takes memory for a new thread once, whenever that thread first comes, for some cores' worth
    # of threads. What calls leave behind grows in every round.
    assert any(kept(USES[name]) < KEPT for _ in range(ROUNDS))


def kept(use) -> int:
    before = held()
    for _ in range(CALLS):
        use()
    return held() - before
