"""What the tests run under mpirun: arguments are the batch size, and what else is to be done."""

import os
import signal
import sys

import numpy as np
from mpi4py import MPI
from tsimcne_swift import Stage, TSimCNE
from tsimcne_swift._training import core_trainer as _trainer
from tsimcne_swift._training import ranks
from tsimcne_swift._training.loop import Training

comm = MPI.COMM_WORLD
what, output = sys.argv[1], sys.argv[2]
X = np.random.default_rng(0).integers(0, 256, (100, 12, 12, 3), dtype=np.uint8)
options = dict(
    backbone="resnet10",
    width=4,
    hidden_dim=16,
    pretrain_dim=8,
    batch_size=20,
    n_views=2,
    # Twenty steps: sooner or later a rectifier's input is on the other side of zero by rounding alone, and
    # from there on losses part. Within a hundred steps most seeds see that, within twenty hardly one.
    total_epochs=[2, 1, 1],
    output_init="normal",
    lr=0.01,
    n_jobs=1,
    random_state=3,
    comm=comm,
)
if what == "fail":
    options["callbacks"] = lambda record: 1 / 0
if "checkpoint" in what:
    options |= {"checkpoint": sys.argv[3], "checkpoint_every": 1e-6}
    if what == "checkpoint-stop":
        options["callbacks"] = lambda record: record.stage == 1 and record.epoch == 1
if what == "recipe":
    options |= {"total_epochs": "fast", "output_init": "principal", "max_time": "8s"}
if what == "own-statistics":
    options["sync_batchnorm"] = False
if what == "two-parts":
    # One process, whose batches go through the network in halves.
    make = _trainer._trainer
    _trainer._trainer = lambda plan, network, seed, stages, part: make(plan, network, seed, stages, 10)
if what == "temperature":
    options |= {"temperature_lr": 0.1}
if what == "stretched":
    # As a run that max_time has made longer than it was written.
    stage = Stage(2, 2, dof=(1.0, 9.0), anneal_from=6, dim_annealing="linear", stretches=((0, 20),))
    options |= {"total_epochs": [stage]}
if what == "small-messages":
    ranks.MOST = 7
losses = []
own = Training._count


def count(self, event, seconds):
    losses.append(event.loss)
    if event.epoch == 1 and comm.Get_rank() == comm.Get_size() - 1:
        # The last rank leaves in the middle of training.
        if what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "interrupt":
            signal.raise_signal(signal.SIGINT)
        if what == "exhaust":
            raise MemoryError("no more")
    own(self, event, seconds)


Training._count = count
model = TSimCNE(**options).fit(X, resume="checkpoint" in what)
maps = comm.gather(model.embedding_)
if comm.Get_rank() == 0:
    assert all(np.array_equal(maps[0], other) for other in maps)
    np.savez(output, losses=losses, Y=model.embedding_)
