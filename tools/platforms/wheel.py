"""The wheel in systems without Swift, at every instruction-set level, and with many Pythons."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tools.check_wheel import HIDDEN, native_level
from tools.platforms.rows import Row
from tools.platforms.systems import DEBIAN_12, DEBIAN_13, FORKY, HERE
from tools.platforms.trees import ROOT, SOURCES, WORK, Here, Tree

# OpenBLAS chooses its kernel by processor too: here the one that a processor of the level would have.
KERNELS = {"x86-64": "Nehalem", "x86-64-v3": "Haswell", "x86-64-v4": "SkylakeX"}
# Processors as qemu knows them; it emulates no AVX-512.
PROCESSORS = {"Nehalem": "x86-64", "Haswell": "x86-64-v3", "Skylake-Server": "x86-64-v3", "EPYC": "x86-64-v3"}
# Rooms in which Python, numpy and scikit-learn are most used; they want no compiler, browser or MPI.
TESTS = "Tests/python/{checks,storage} Tests/python/test_{estimator,golden,reference}.py"
WANTED = "pytest pytest-timeout pillow pandas matplotlib hypothesis"
NEWEST = "numpy scikit-learn"
# The first numpy and scikit-learn, from 1.24 and 1.6 on, of which the index has wheels for a Python.
OLDEST = {
    "3.11": "numpy==1.24.* scikit-learn==1.6.*",
    "3.12": "numpy==1.26.* scikit-learn==1.6.*",
    "3.13": "numpy==2.1.* scikit-learn==1.6.*",
    "3.14": "numpy==2.3.* scikit-learn==1.7.*",
}
SYSTEMS = {"Debian 12": DEBIAN_12, "Debian 13": DEBIAN_13, "Debian forky": FORKY}
# No suite of Debian has 3.12.
PYTHONS: list[tuple[str, Tree | Here, str]] = [
    ("Debian 12", DEBIAN_12, "3.11"),
    ("this one", HERE, "3.12"),
    ("Debian 13", DEBIAN_13, "3.13"),
    ("Debian forky", FORKY, "3.14"),
]


def wheel(machine: str = "x86_64") -> Path:
    """The wheel of `make wheel`, or of `make arm64`."""
    found = sorted((ROOT / "dist").glob(f"*{machine}.whl"))
    if len(found) != 1:
        raise RuntimeError(
            f"dist/ has {len(found)} wheels for {machine}; `make wheel` or `make arm64` makes one"
        )
    return found[0]


def interpreter(tree: Tree | Here, version: str) -> str:
    """A Python of a version: that of the suite, or one that the running system has, pyenv's too."""
    if isinstance(tree, Tree):
        return f"python{version}"
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [*sorted(map(str, root.glob(f"{version}.*/bin/python"))), shutil.which(f"python{version}")]
    if not any(found):
        raise RuntimeError(f"there is no Python {version} on this machine")
    return next(filter(None, found))


def install(tree: Tree | Here, python: str = "python3", packages: str = NEWEST) -> str:
    """Make an environment of a Python with the wheel, and return its interpreter."""
    tree.make()
    name = re.sub(r"[^a-z0-9.]+", "-", f"{Path(python).parent.parent.name}{Path(python).name} {packages}")
    folder, file = f"{tree.home}/{name}", tree.keep(wheel())
    tree.run(
        f"[ -d {folder} ] || {python} -m venv {folder}\n"
        f"{folder}/bin/pip install -q {file} {shlex.join(packages.split())}\n"
        # One that was built anew has the same version.
        f"{folder}/bin/pip install -q --force-reinstall --no-deps {file}",
        log=f"install-{tree.name}-{name}",
    )
    return f"{folder}/bin/python"


def same_at_level(tree: Tree | Here, level: str, version: str = "3", packages: str = NEWEST) -> str:
    """The checksum of a level, which the loader takes when the processor hides what is above it."""
    python = install(tree, interpreter(tree, version), packages)
    variables = {"GLIBC_TUNABLES": f"glibc.cpu.hwcaps={HIDDEN[level]}"} if HIDDEN[level] else {}
    line = tree.run(
        f"cd {tree.home}; {python} {tree.sources}/tools/platforms/same.py | tail -1",
        log=f"same-{tree.name}-{level}",
        OPENBLAS_CORETYPE=KERNELS[level],
        **variables,
    )
    return agreed(line.strip().splitlines()[-1], level)


def same_on_processor(tree: Tree, model: str) -> str:
    """The checksum under emulation of a processor."""
    python = install(tree)
    shutil.copy("/usr/bin/qemu-x86_64-static", tree.path / "usr/bin")
    line = tree.run(
        f"cd /root; qemu-x86_64-static -cpu {model} {python} {SOURCES}/tools/platforms/same.py | tail -1",
        log=f"same-{tree.name}-{model}",
    )
    return agreed(line.strip().splitlines()[-1], PROCESSORS[model])


def agreed(line: str, level: str) -> str:
    """The line of `same.py`, which must be of the level, and that of all before it with the same kernel."""
    found, kernel, checksum = line.split()
    if found != level:
        raise RuntimeError(f"the loader took the core of {found}, not of {level}")
    path = WORK / "checksums" / f"{found}-{kernel}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_text(checksum)
    if path.read_text() != checksum:
        raise RuntimeError(f"{line}, and before it was {path.read_text()}")
    return line


def closing_line(text: str) -> str:
    """What pytest says at its end."""
    return re.findall(r"\d+ passed.*?(?= in )", text)[-1]


def tested(tree: Tree | Here, version: str, packages: str) -> str:
    """The Python tests with the wheel."""
    python = install(tree, interpreter(tree, version), packages)
    text = tree.run(
        f"cd {tree.sources}; {python} -m pip install -q {shlex.join(packages.split())} {WANTED}\n"
        f"{python} -m pytest -o addopts= -q -p no:cacheprovider --timeout 0 {TESTS}",
        log=f"tests-{tree.name}-{version}-{packages.split()[0]}",
    )
    return closing_line(text)


def level_rows() -> Iterator[Row]:
    """Every level in every system, natively."""
    for system, tree in SYSTEMS.items():
        for level in HIDDEN:
            yield Row(
                *(f"wheel-{tree.name}-{level}", system, level, "its own", "natively", "trains; checksum"),
                partial(same_at_level, tree, level),
            )


def processor_rows() -> Iterator[Row]:
    """Processors of other years, emulated."""
    for model in PROCESSORS:
        yield Row(
            *(f"wheel-{model}", "Debian 12", model, "3.11", "emulated (qemu-user)", "trains; checksum"),
            partial(same_on_processor, DEBIAN_12, model),
        )


def python_rows() -> Iterator[Row]:
    """Pythons with the oldest numpy and scikit-learn that they have, and the newest."""
    for system, tree, version in PYTHONS:
        for age, packages in ("oldest", OLDEST[version]), ("newest", NEWEST):
            name, best = f"python-{version}-{age}", native_level()
            yield Row(
                *(f"{name}-trains", system, best, version, "natively", f"trains; checksum, {packages}"),
                partial(same_at_level, tree, best, version, packages),
            )
            yield Row(
                *(name, system, "this machine's"),
                *(version, "natively", f"rooms of the Python tests, {packages}"),
                partial(tested, tree, version, packages),
            )
