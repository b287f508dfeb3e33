"""Work in processes of their own, and samples that are taken in turns."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .rows import Samples

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Work:
    """``name`` is "module.function" in ``work``; ``environment`` is added to this process's own."""

    name: str
    settings: dict[str, Any]
    environment: dict[str, str] = field(default_factory=dict)


class Probe:
    """A process that has prepared some work and waits to be asked for samples."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.messages = tempfile.TemporaryFile("w+")  # noqa: SIM115
        order = json.dumps({"work": work.name, "settings": work.settings})
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.speed.child", order],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT / "python"), **work.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.messages,
            text=True,
            bufsize=1,
        )
        self._answer()

    def sample(self) -> float:
        """The next sample."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        return float(self._answer())

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()
        self.messages.close()

    def _answer(self) -> Any:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.messages.seek(0)
        raise RuntimeError(f"{self.work.name} {self.work.settings}: {self.messages.read()[-2000:]}")


@contextlib.contextmanager
def probes(works: Mapping[str, Work]) -> Iterator[dict[str, Probe]]:
    """A probe for each piece of work, prepared one after the other."""
    with contextlib.ExitStack() as stack:
        started: dict[str, Probe] = {}
        for name, work in works.items():
            started[name] = Probe(work)
            stack.callback(started[name].close)
        yield started


def in_turns(works: Mapping[str, Work], runs: int) -> dict[str, Samples]:
    """Samples of every work in turns, A B C A B C …: a slow minute of the machine then meets all of them."""
    with probes(works) as ready:
        rounds = [{name: probe.sample() for name, probe in ready.items()} for _ in range(runs)]
    return gather(rounds)


def in_turns_once(works: Mapping[str, Work], runs: int) -> dict[str, Samples]:
    """Samples in turns, each of a new process: memory that was once taken would not count again."""
    rounds = []
    for _ in range(runs):
        values = {}
        for name, work in works.items():
            with probes({name: work}) as ready:
                values[name] = ready[name].sample()
        rounds.append(values)
    return gather(rounds)


def gather(rounds: list[dict[str, float]]) -> dict[str, Samples]:
    """The values of each name, in the order of the rounds."""
    return {name: Samples(tuple(values[name] for values in rounds)) for name in rounds[0]}
