"""What test_search.py runs under mpirun: neighbours that ranks find together."""

import sys

import numpy as np
from mpi4py import MPI
from tsimcne_swift._plane import neighbors
from tsimcne_swift._training.ranks import check_comm

comm = MPI.COMM_WORLD
neighbors.EXACT = int(sys.argv[1])
X = np.random.default_rng(0).standard_normal((3001, 8)).astype(np.float32)
found = neighbors.nearest(X, 6, 1, ranks=check_comm(comm))
same = np.array_equal(found, neighbors.nearest(X, 6, 1))
if not all(comm.allgather(same)):
    sys.exit("ranks found other neighbours than one process")
