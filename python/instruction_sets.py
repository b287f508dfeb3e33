"""The instruction-set levels that the core is compiled for."""

from __future__ import annotations

import platform
import re
import sys
import sysconfig
from pathlib import Path

FLAGS = {
    "x86-64": [],
    "x86-64-v3": ["-Xcc", "-march=x86-64-v3", "-Xswiftc", "-DLEVEL_V3"],
    # Products of bfloat16 are compiled for all, and used where the processor has them.
    "x86-64-v4": ["-Xcc", "-march=x86-64-v4", "-Xcc", "-mavx512bf16", "-Xswiftc", "-DLEVEL_V4"],
    "aarch64": [],
    "arm64": [],
}
V3 = {"avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}
V4 = V3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}


def levels() -> list[str]:
    """All levels of the architecture that is built for, the one every processor has first."""
    # Not the running machine's: whoever compiles for another one says so to Python.
    machine = sysconfig.get_platform().rpartition("-")[2]
    if machine != "x86_64":
        return [machine]
    # macOS has no loader that would choose among them.
    return ["x86-64"] if sys.platform == "darwin" else ["x86-64", "x86-64-v3", "x86-64-v4"]


def native_level() -> str:
    """The best level of this machine."""
    if platform.machine() != "x86_64":
        return platform.machine()
    if sys.platform == "darwin":
        return "x86-64"
    line = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    flags = set(line.group(1).split()) if line else set()
    return "x86-64-v4" if flags >= V4 else "x86-64-v3" if flags >= V3 else "x86-64"
