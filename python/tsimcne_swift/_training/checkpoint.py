"""A training on disk: all that decides how it goes on, in the format of saved models."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _core
from .._inputs.fingerprint import fingerprint
from .._networks.network import AVERAGE, Network
from .._parameters import PARAMETERS
from .._storage.document import describe
from .._storage.json_params import params_to_json, to_json
from .._storage.safetensors import Tensors, encode, read
from .._system.writing import check_writable, write
from .plan import Plan
from .resume import OF_STAGE, Stored, damaged, names


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
        Plan whose values name a path.
    params : dict
        Parameters of the estimator.
    """

    def __init__(self, plan: Plan, params: dict[str, Any]) -> None:
        assert plan.checkpoint is not None
        self.path = plan.checkpoint
        self.plan = plan
        self.params = params_to_json(params)
        self.data = fingerprint(plan.images)
        self.init = None if plan.init is None else digest_of(plan.init.network.tensors())
        self._written = time.perf_counter()
        # A folder that took what the path did not.
        self._elsewhere: str | None = None

    def check_room(self, network: Network) -> None:
        """Raise an error where the path takes no file of weights and one of their moments: no checkpoint is
        smaller.
        """
        size = 2 * sum(values.nbytes for values in network.tensors().values())
        try:
            check_writable(self.path, size)
        except OSError as error:
            said = f"checkpoint: {size:,} bytes cannot be written ({error.strerror})"
            raise OSError(error.errno, said, self.path) from error

    def is_due(self) -> bool:
        return time.perf_counter() - self._written >= self.plan.checkpoint_every

    def write(
        self,
        trainer: _core.Trainer,
        network: Network,
        history: Sequence[dict[str, Any]],
        run: dict[str, Any],
    ) -> None:
        """Replace the file by the state between two steps; ``run`` is what a `Stored` is made of.

        Where the path takes none any more, a file in the temporary folder does, with a warning.

        Raises
        ------
        OSError
            If neither has room.
        """
        self._written = time.perf_counter()
        document = describe(
            "checkpoint",
            params=self.params,
            network=network,
            image_shape=self.plan.given.shape[1:],
            batch_size=self.plan.batch_size,
            stages=self.plan.stages,
            history=history,
            eyes=self.plan.eyes,
        )
        document["training"] = run | {"data": self.data, "init": self.init}
        progress = trainer.progress()
        tensors = network.tensors()
        begun = progress["step"] > 0
        for name, kind in OF_STAGE.items():
            tensors |= _copy(trainer, name, kind) if begun else {}
        if begun or progress["stage"] == len(self.plan.stages):
            tensors |= _copy(trainer, AVERAGE, _core.ARRAY_AVERAGE)
        data = encode(tensors, document)
        try:
            write(self.path, data)
        except OSError as error:
            try:
                place = self._write_elsewhere(data)
            except OSError:
                raise error from None
            said = f"checkpoint: {error}; it is in {place} instead"
            warnings.warn(said, RuntimeWarning, stacklevel=3)
        else:
            self._forget_elsewhere()

    def _write_elsewhere(self, data: Any) -> str:
        if self._elsewhere is None:
            self._elsewhere = tempfile.mkdtemp(prefix="tsimcne-swift-")
        place = os.path.join(self._elsewhere, os.path.basename(self.path))
        try:
            write(place, data)
        except OSError:
            if not os.path.exists(place):
                self._forget_elsewhere()
            raise
        return place

    def _forget_elsewhere(self) -> None:
        if self._elsewhere is not None:
            shutil.rmtree(self._elsewhere, ignore_errors=True)
            self._elsewhere = None

    def read(self) -> Stored | None:
        """The state to go on from; None where there is no file yet.

        Raises
        ------
        ValueError
            If the file is damaged, or of another run; the error says what is wrong or different.
        """
        if not os.path.exists(self.path):
            return None
        tensors, document = _read(self.path)
        stored = Stored.make(self.path, tensors, document)
        try:
            self._compare(stored, document)
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise damaged(self.path, error) from error
        return stored

    def _compare(self, stored: Stored, document: dict[str, Any]) -> None:
        eyes = self.plan.eyes
        if eyes is not None and not eyes.sight.sees_as(document.get("eyes")):
            raise ValueError(f"backbone: other eyes than those that {self.path} was made with")
        theirs = document["training"]["data"]
        for key, what in (("shape", "images of shape"), ("type", "values of type")):
            if self.data[key] != theirs.get(key):
                raise ValueError(
                    f"X: got {what} {self.data[key]}, but {self.path} was made with {theirs.get(key)}"
                )
        if self.data["hash"] != theirs.get("hash"):
            raise ValueError(f"X: got other values, or another order, than {self.path} was made with")
        _compare_params(self.path, self.params, document, stored)
        if document["training"]["init"] != self.init:
            raise ValueError(f"init: other weights than those that {self.path} began with")
        ours = to_json(self.plan.stages)
        if document["stages"] != ours:
            raise ValueError(
                f"checkpoint: {self.path} was made by version {document['version']}, whose stages differ: "
                f"{document['stages']}, here {ours}"
            )


def check_checkpoint(path: str | os.PathLike[str], params: dict[str, Any]) -> None:
    """Whether a training with these parameters can go on from the file, as far as it says without images.

    Raises
    ------
    ValueError
        If the file is damaged, no checkpoint, or one of other parameters.
    """
    name = os.fspath(path)
    tensors, document = _read(name)
    stored = Stored.make(name, tensors, document)
    try:
        _compare_params(name, params_to_json(params), document, stored)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(name, error) from error


def _read(path: str) -> tuple[Tensors, dict[str, Any]]:
    tensors, document = read(path)
    if document is None or document.get("kind") != "checkpoint":
        raise ValueError(f"checkpoint: {path} is not a checkpoint of a training")
    return tensors, document


def _compare_params(path: str, params: dict[str, Any], document: dict[str, Any], stored: Stored) -> None:
    theirs = document["params"]
    for name, value in params.items():
        if not PARAMETERS[name].free and value != theirs.get(name):
            raise ValueError(
                f"{name}: got {value!r}, but {path} was made with {theirs.get(name)!r}; "
                "go on with the same parameters, or begin another file"
            )
    # Other seeds than whole numbers are new ones for each training.
    seed = params["random_state"]
    if isinstance(seed, int) and seed != stored.seed:
        raise ValueError(f"random_state: got {seed}, but {path} was made with {stored.seed}")


def _copy(trainer: _core.Trainer, prefix: str, kind: int) -> Tensors:
    """Arrays of a kind, in the core's own layouts."""
    result = {}
    for name in names(trainer, kind):
        shape, letter, values = trainer.array(kind, name)
        result[f"{prefix}/{name}"] = np.frombuffer(values, letter).reshape(shape)
    return result
