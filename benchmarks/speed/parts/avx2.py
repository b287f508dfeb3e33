"""AVX2 on both sides: what processors without AVX-512 get."""

from __future__ import annotations

import functools
import importlib
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..machine import processor_flags
from ..probe import ROOT, in_turns
from ..rows import Kind, Row
from ..session import Session
from .networks import SIZE, cases

LEVEL = "x86-64-v3"
#: The comparison is the same as in ``training``: fewer rounds are enough to see that it holds here too.
MOST_RUNS = 3
PEER = {"ATEN_CPU_CAPABILITY": "avx2", "DNNL_MAX_CPU_ISA": "AVX2"}


def run(session: Session) -> Iterator[Row]:
    """Training steps with the core built for AVX2 and with PyTorch held to it."""
    if not is_here():
        return
    ours = environment()
    chosen = cases(session)
    for case in (chosen[0], chosen[-1])[: len(chosen)]:
        step = {"width": case.width, "views": case.views, "steps": case.steps, "size": SIZE}
        works = {"ours": replace(session.ours("training", **step, level=LEVEL), environment=ours)}
        for name in ("eager", "compiled"):
            work = session.pytorch("training", **step, compiled=name == "compiled")
            works[name] = replace(work, environment={**work.environment, **PEER})
        measured = in_turns(works, min(MOST_RUNS, session.runs))
        peers = {name: measured[name] for name in ("eager", "compiled")}
        yield Row(
            f"training, AVX2 on both sides, width {case.width}, {case.views} views",
            "views/s",
            Kind.RATE,
            measured["ours"],
            peers,
            at_least=1.0,
        )


def is_here() -> bool:
    """Whether the processor has AVX2; says so where it does not."""
    found = "avx2" in processor_flags()
    if not found:
        print("This processor has no AVX2: not measured.", flush=True)
    return found


def environment() -> dict[str, str]:
    """What makes a process use a core built for AVX2.

    OpenBLAS chooses its kernels by the processor, not by the core's level.
    """
    return {"PYTHONPATH": str(package()), "OPENBLAS_CORETYPE": "Haswell"}


@functools.cache
def package() -> Path:
    """A folder with a copy of the package whose core is built for AVX2.

    The extension finds its core in the ``lib`` folder beside it, whatever the environment says.
    """
    sys.path.insert(0, str(ROOT / "python"))
    library = importlib.import_module("build_core").build_core(LEVEL)
    folder = ROOT / ".build" / "bench-avx2"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "python" / "tsimcne_swift", folder / "tsimcne_swift")
    shutil.copy2(library, folder / "tsimcne_swift" / "lib" / library.name)
    return folder
