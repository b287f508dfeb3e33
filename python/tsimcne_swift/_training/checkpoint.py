"""A training on disk: all that decides how it goes on, in the format of saved models."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _core
from .._inputs.images import Images
from .._networks.network import AVERAGE, TEMPERATURE, Network
from .._parameters import PARAMETERS
from .._storage.document import Reader, describe
from .._storage.json_params import params_to_json, to_json
from .._storage.safetensors import Tensors, encode, read, write
from .plan import Plan

# Arrays that a model's file has, and those that a step makes anew. All others are what a stage has made since
# it began, which a resumed run wants.
MADE_ANEW = ("parameter", "buffer", "gradient", "sums", "embeddings", "embedding_gradient", AVERAGE)
# Of the parameters the temperature alone is among them, as the model has the others.
OF_STAGE = {word: kind for word, kind in _core.ARRAYS.items() if word not in MADE_ANEW} | {
    "trained": _core.ARRAY_PARAMETER
}


def fingerprint(images: Images) -> dict[str, Any]:
    """What tells two data sets apart: shape, type and a hash of all values."""
    digest = hashlib.blake2b(digest_size=16)
    n = images.shape[0]
    rows = max(1, (1 << 24) // int(np.prod(images.shape[1:])))
    for first in range(0, n, rows):
        digest.update(images.batch(slice(first, first + rows)).data)
        images.forget()
    kind = {"B": "uint8", "f": "float"}[images.format]
    return {"shape": list(images.shape), "type": kind, "hash": digest.hexdigest()}


def digest_of(tensors: Tensors) -> str:
    """A hash of all values, in their order."""
    digest = hashlib.blake2b(digest_size=16)
    for value in tensors.values():
        digest.update(np.ascontiguousarray(value).data)
    return digest.hexdigest()


class Checkpoint:
    """The file of one training.

    Parameters
    ----------
    plan : Plan
        With a path.
    params : dict
        The estimator's.
    """

    def __init__(self, plan: Plan, params: dict[str, Any]) -> None:
        assert plan.checkpoint is not None
        self.path = plan.checkpoint
        self.plan = plan
        self.params = params_to_json(params)
        self.data = fingerprint(plan.images)
        self.init = None if plan.init is None else digest_of(plan.init.network.tensors())
        self._written = time.perf_counter()

    def is_due(self) -> bool:
        return time.perf_counter() - self._written >= self.plan.checkpoint_every

    def write(
        self,
        trainer: _core.Trainer,
        network: Network,
        history: Sequence[dict[str, Any]],
        run: dict[str, Any],
    ) -> None:
        """Replace the file by the state between two steps; ``run`` is what a `Stored` is made of."""
        document = describe(
            "checkpoint",
            params=self.params,
            network=network,
            image_shape=self.plan.images.shape[1:],
            batch_size=self.plan.batch_size,
            stages=self.plan.stages,
            history=history,
        )
        document["training"] = run | {"data": self.data, "init": self.init}
        progress = trainer.progress()
        tensors = network.tensors()
        begun = progress["step"] > 0
        for name, kind in OF_STAGE.items():
            tensors |= _copy(trainer, name, kind) if begun else {}
        if begun or progress["stage"] == len(self.plan.stages):
            tensors |= _copy(trainer, AVERAGE, _core.ARRAY_AVERAGE)
        write(self.path, encode(tensors, document))
        self._written = time.perf_counter()

    def read(self) -> Stored | None:
        """The state to go on from; None where there is no file yet.

        Raises
        ------
        ValueError
            If the file is of another run, with the difference.
        """
        if not os.path.exists(self.path):
            return None
        tensors, document = read(self.path)
        if document is None or document.get("kind") != "checkpoint":
            raise ValueError(f"checkpoint: {self.path} is not a checkpoint of a training")
        stored = Stored.make(self.path, tensors, document)
        try:
            self._compare(stored, document)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"checkpoint: {self.path} is damaged ({error!r})") from error
        return stored

    def _compare(self, stored: Stored, document: dict[str, Any]) -> None:
        theirs = document["training"]["data"]
        for key, what in (("shape", "images of shape"), ("type", "values of type")):
            if self.data[key] != theirs.get(key):
                raise ValueError(
                    f"X: got {what} {self.data[key]}, but {self.path} was made with {theirs.get(key)}"
                )
        if self.data["hash"] != theirs.get("hash"):
            raise ValueError(f"X: got other values, or another order, than {self.path} was made with")
        params = document["params"]
        for name, value in self.params.items():
            if not PARAMETERS[name].free and value != params.get(name):
                raise ValueError(
                    f"{name}: got {value!r}, but {self.path} was made with {params.get(name)!r}; "
                    "go on with the same parameters, or begin another file"
                )
        if isinstance(self.params["random_state"], int) and self.plan.seed != stored.seed:
            raise ValueError(
                f"random_state: got {self.plan.seed}, but {self.path} was made with {stored.seed}"
            )
        if document["training"]["init"] != self.init:
            raise ValueError(f"init: other weights than those that {self.path} began with")
        ours = to_json(self.plan.stages)
        if document["stages"] != ours:
            raise ValueError(
                f"checkpoint: {self.path} was made by version {document['version']}, whose stages differ: "
                f"{document['stages']}, here {ours}"
            )


@dataclass
class Stored:
    """What a checkpoint holds."""

    path: str
    tensors: Tensors
    seed: int
    seconds: float
    progress: dict[str, float]
    history: list[dict[str, Any]]
    stretches: list[list[tuple[int, int]]]
    epoch: dict[str, float]

    @classmethod
    def make(cls, path: str, tensors: Tensors, document: dict[str, Any]) -> Stored:
        try:
            training = document["training"]
            return cls(
                path=path,
                tensors=tensors,
                seed=int(training["seed"]),
                seconds=float(training["seconds"]),
                progress=dict(training["progress"]),
                history=Reader(document, path).history(),
                stretches=[[(int(a), int(b)) for a, b in stage] for stage in training["stretches"]],
                epoch={key: training["epoch"][key] for key in ("loss", "steps", "pairs", "seconds")},
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ValueError(f"checkpoint: {path} is damaged ({error!r})") from error

    def restore(self, trainer: _core.Trainer, network: Network) -> None:
        """Put the trainer, which is new, where the other one stood."""
        trainer.seek(self.progress)
        network.read(self.tensors)
        kinds = OF_STAGE if self.progress["step"] > 0 else {}
        for prefix, kind in (*kinds.items(), (AVERAGE, _core.ARRAY_AVERAGE)):
            for name in _names(trainer, kind):
                key = f"{prefix}/{name}"
                if prefix == AVERAGE and key not in self.tensors and self.progress["step"] == 0:
                    continue
                if key not in self.tensors:
                    raise ValueError(f"checkpoint: {self.path} is damaged: it lacks {key}")
                _, letter, _ = trainer.array(kind, name)
                trainer.set_array(kind, name, np.ascontiguousarray(self.tensors[key], letter))


def _copy(trainer: _core.Trainer, prefix: str, kind: int) -> Tensors:
    """Arrays of a kind, in the core's own layouts."""
    result = {}
    for name in _names(trainer, kind):
        shape, letter, values = trainer.array(kind, name)
        result[f"{prefix}/{name}"] = np.frombuffer(values, letter).reshape(shape)
    return result


def _names(trainer: _core.Trainer, kind: int) -> list[str]:
    names = [name for k, name in trainer.arrays() if k == kind]
    return [name for name in names if name == TEMPERATURE] if kind == _core.ARRAY_PARAMETER else names
