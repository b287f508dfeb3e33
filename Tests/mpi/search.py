"""What test_search.py runs under mpirun: what ranks find of images, their neighbours, and points that move.

Arguments are the rows up to which all are compared, and what the last rank does in the middle of the search.
"""

import os
import signal
import sys

import numpy as np
from mpi4py import MPI
from tsimcne_swift import recipes
from tsimcne_swift._plane import described, neighbors
from tsimcne_swift._plane.memory import Room
from tsimcne_swift._plane.moving import move
from tsimcne_swift._training.one_rank import OneRank
from tsimcne_swift._training.ranks import check_comm

comm = MPI.COMM_WORLD
neighbors.EXACT, what = int(sys.argv[1]), sys.argv[2]
is_last = comm.Get_rank() == comm.Get_size() - 1


def report(part):
    if part > 0.2 and is_last and what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if part > 0.2 and is_last and what == "fail":
        raise OSError("a disk went away")


def arrays(found):
    return found.searched, found.start, found.keys, found.codes.codes


X = np.random.default_rng(0).standard_normal((3001, 8)).astype(np.float32)
with check_comm(comm) as ranks:
    found = neighbors.nearest(X, 6, 1, report, ranks)
    if what == "move":
        recipes.POINTS = recipes.POINTS[:1]
        points = move(found, X[:, :2].copy(), 1, lambda part: None, ranks=ranks)
    if what == "describe":
        parts = described.describe(len(X), lambda which: X[which].copy(), 1, ranks, Room(700, 384))
if what == "describe":
    whole = described.describe(len(X), lambda which: X[which].copy(), 1, OneRank())
    same = all(np.array_equal(a, b) for a, b in zip(arrays(parts), arrays(whole), strict=True))
elif what == "move":
    same = np.array_equal(points, move(found, X[:, :2].copy(), 1, lambda part: None))
else:
    same = np.array_equal(found, neighbors.nearest(X, 6, 1))
if not all(comm.allgather(same)):
    sys.exit("ranks found others than one process")
