"""The machine and the versions with which something was measured."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .probe import ROOT

PACKAGES = ("torch", "torchvision", "tsimcne", "numpy")


@dataclass(frozen=True)
class Peaks:
    """What the machine can do at most, on one thread and on all; None where it could not be measured."""

    fma_gflops: tuple[float | None, float | None] = (None, None)
    copy_gb_per_second: tuple[float | None, float | None] = (None, None)
    gemm_share_of_peak: float | None = None

    @property
    def gain(self) -> float | None:
        """How many times as much all threads multiply as one does."""
        one, every = self.fma_gflops
        return None if one is None or every is None else every / one


def measured_peaks() -> Peaks:
    """Asks the project's own measuring program."""
    flags = subprocess.run(
        [sys.executable, "tools/level.py"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    command = ["swift", "run", "-c", "release", "--scratch-path", ".build/profile", *flags]
    try:
        done = subprocess.run(
            [*command, "Profile", "machine"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        line = next(line for line in done.stdout.splitlines() if line.startswith("{"))
        answer = json.loads(line)
    except (OSError, subprocess.CalledProcessError, StopIteration, ValueError) as error:
        print(f"The machine's peaks are not known ({type(error).__name__}): no shares of them.", flush=True)
        return Peaks()
    return Peaks(
        tuple(answer["fma_gflops"]), tuple(answer["copy_gb_per_second"]), answer["gemm_share_of_peak"]
    )


def busy_share(seconds: float = 1.0) -> float:
    """Share of all cores that other processes use, measured while this one waits."""

    def ticks() -> tuple[int, int]:
        values = [int(v) for v in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return sum(values), values[3] + values[4]

    total, idle = ticks()
    time.sleep(seconds)
    later, idle_later = ticks()
    return 1 - (idle_later - idle) / max(1, later - total)


def processor_flags() -> set[str]:
    """Features of the processor, as Linux names them."""
    return set(_field("/proc/cpuinfo", "flags").split())


def describe(runs: int, peaks: Peaks) -> dict[str, Any]:
    """What belongs beside every result."""
    import tsimcne_swift

    config = tsimcne_swift.show_config()
    memory = int(_field("/proc/meminfo", "MemTotal").split()[0])
    return {
        "date": datetime.date.today().isoformat(),
        "runs": runs,
        "processor": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**20, 1),
        "level": config["level"],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "tsimcne_swift": tsimcne_swift.__version__,
        "commit": _commit(),
        **{name: _version(name) for name in PACKAGES},
        "fma_gflops": peaks.fma_gflops,
        "copy_gb_per_second": peaks.copy_gb_per_second,
        "gemm_share_of_peak": peaks.gemm_share_of_peak,
        "most_busy_before_a_part": 0.0,
    }


def _field(file: str, name: str) -> str:
    found = re.search(rf"^{name}\s*:\s*(.*)$", Path(file).read_text(), re.M)
    return found.group(1) if found else ""


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None
