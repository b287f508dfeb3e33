"""What the tests run under mpirun: ranks that are given others, one case after another in one job.

It writes what the fit of each rank has raised as JSON: what ends on every rank leaves none to wait, so that
the next case can begin.
"""

import json
import sys
from pathlib import Path

import numpy as np
from mpi4py import MPI
from tsimcne_swift import Stage, TSimCNE, _core
from tsimcne_swift._training import loop

comm = MPI.COMM_WORLD
folder = Path(sys.argv[1])
is_last = comm.Get_rank() == comm.Get_size() - 1
images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), dtype=np.uint8)
# Of so many not all are compared.
many = np.random.default_rng(0).integers(0, 256, (2000, 8, 8, 3), dtype=np.uint8)
changed = many.copy()
changed[1] = 0
places = np.random.default_rng(0).normal(size=(60, 8))
usual = dict(
    backbone="resnet10",
    width=4,
    hidden_dim=16,
    pretrain_dim=8,
    batch_size=20,
    n_views=2,
    total_epochs=[Stage(2, 8)],
    n_jobs=1,
    random_state=3,
    comm=comm,
)


class Sequence:
    """Images that are read piece by piece."""

    def __len__(self):
        return len(images)

    def __getitem__(self, index):
        return images[index]


class DivergesAtStart:
    """A trainer that could not begin its output layer."""

    def __init__(self, trainer):
        self.trainer = trainer

    def __getattr__(self, name):
        return getattr(self.trainer, name)

    def advance(self):
        event = self.trainer.advance()
        if event.kind != _core.EVENT_OUTPUT_STARTED:
            return event
        return _core.Event([_core.EVENT_DIVERGED, *event[1:]])


def fit(X=images, resume=False, **changes):
    try:
        TSimCNE(**(usual | changes)).fit(X, resume=resume)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "trained"


def fit_together(**changes):
    """All ranks are given the same."""
    return fit(**changes)


def fit_apart(**changes):
    """The last rank is given something else."""
    return fit(**(changes if is_last else {}))


def diverge_at_start():
    make = loop.make_trainer
    if is_last:
        loop.make_trainer = lambda *arguments: DivergesAtStart(make(*arguments))
    said = fit(total_epochs=[Stage(1, 8), Stage(1, 2, output_init="principal")])
    loop.make_trainer = make
    return said


def see_no_checkpoint():
    def stops(record):
        return record.epoch == 1

    path = folder / "run.ckpt"
    options = {"checkpoint": path, "checkpoint_every": 1e-6}
    assert fit(**options, callbacks=stops) == "trained"
    comm.Barrier()
    return fit(**options | ({"checkpoint": folder / "elsewhere"} if is_last else {}), resume=True)


cases = {
    "lr": lambda: fit_apart(lr=0.2),
    "batch_size": lambda: fit_apart(batch_size=30),
    "n_views": lambda: fit_apart(n_views=3),
    "total_epochs": lambda: fit_apart(total_epochs=[Stage(3, 8)]),
    "sync_batchnorm": lambda: fit_apart(sync_batchnorm=False),
    "random_state": lambda: fit_apart(random_state=4),
    "augmentation": lambda: fit_apart(augmentation=lambda images, rng: images / np.float32(255)),
    "align_to": lambda: fit_apart(align_to=places),
    "number of images": lambda: fit_apart(X=images[:50]),
    "order of images": lambda: fit_apart(X=images[::-1].copy()),
    "blocks of images": lambda: fit_apart(X=Sequence()),
    "an image": lambda: fit(X=changed if is_last else many, normalize="dataset"),
    "checkpoint": see_no_checkpoint,
    "wrong scheduler": lambda: fit_apart(lr_scheduler="none"),
    "wrong flag": lambda: fit_apart(sync_batchnorm="yes"),
    "wrong images": lambda: fit_apart(X=images[:1]),
    "too little memory": lambda: fit_together(max_memory=1000),
    "too little time": lambda: fit_together(max_time=1e-4),
    "divergence": lambda: fit_together(lr=1e9, clip_value=None),
    "divergence at the start": diverge_at_start,
    "nothing": fit_together,
    "the same map to lie like": lambda: fit_together(align_to=places),
}
said = {name: comm.gather(case()) for name, case in cases.items()}
if comm.Get_rank() == 0:
    (folder / "said.json").write_text(json.dumps(said))
