"""Builds the Swift core once per instruction-set level, then the extension that links it.

The levels lie in ``glibc-hwcaps`` folders, from which the loader takes the best one for its processor.
A development build has one copy, of this machine's level.
"""

from __future__ import annotations

import functools
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from instruction_sets import FLAGS, levels, native_level
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent.parent
IS_MAC = sys.platform == "darwin"
LIBRARY = "libtsimcne.dylib" if IS_MAC else "libtsimcne.so"
# How the core is linked, and how the extension, which looks for it beside itself.
if IS_MAC:
    LINK_CORE = ["-exported_symbol", "_tsimcne_*"]
    LINK = ["-Wl,-rpath,@loader_path/lib"]
    # Pythons for macOS are often built for two architectures, and for systems older than the core's.
    os.environ["MACOSX_DEPLOYMENT_TARGET"] = "15.0"
    os.environ["ARCHFLAGS"] = f"-arch {platform.machine()}"
    os.environ["_PYTHON_HOST_PLATFORM"] = f"macosx-15.0-{platform.machine()}"
else:
    LINK_CORE = [
        *("--gc-sections", "-s", "--build-id=none", f"-soname={LIBRARY}"),
        f"--version-script={ROOT / 'python' / 'exports.map'}",
    ]
    # Without a mention of libc in the extension itself, its needs cannot be audited.
    LINK = ["-Wl,--no-as-needed", "-lc", "-Wl,-rpath,$ORIGIN/lib"]


@functools.cache
def check_tools() -> None:
    """Say what is missing before a long build fails on it."""
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise SystemExit(
            "tsimcne-swift has no build for free-threaded Python, which has no limited API: "
            "install it for the Python that has the global interpreter lock"
        )
    if shutil.which("swift") is None:
        raise SystemExit(
            "There is no wheel of tsimcne-swift for this system; to build it, Swift 6.0 or newer must be "
            "on PATH: `apt-get install swiftlang libopenblas-dev g++` on Debian 13, Xcode on macOS, "
            "elsewhere the toolchain from https://www.swift.org/install and OpenBLAS with its headers"
        )
    answer = subprocess.run(["swift", "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"Swift version (\d+)\.(\d+)", answer.stdout + answer.stderr)
    if version is None or int(version.group(1)) < 6:
        raise SystemExit(f"tsimcne-swift wants Swift 6.0 or newer; found: {answer.stdout.strip()}")
    if IS_MAC:
        return
    compiler = shlex.split(os.environ.get("CC", "cc"))
    probe = subprocess.run(
        [*compiler, "-x", "c", "-", "-o", "/dev/null", "-lopenblas", "-lstdc++"],
        input="#include <cblas.h>\nint main(void) { return 0; }\n",
        capture_output=True,
        text=True,
        check=False,
    )
    if probe.returncode != 0:
        raise SystemExit(
            "tsimcne-swift links OpenBLAS and the library of C++, and cblas.h, libopenblas or libstdc++ was "
            "not found. On Debian or Ubuntu: apt-get install libopenblas-dev g++"
        )


def build_core(level: str) -> Path:
    """Build the core for one level and return the library's path."""
    command = [
        *("swift", "build", "-c", "release", "--product", "tsimcne"),
        *("--scratch-path", str(ROOT / ".build" / level)),
        "--disable-local-rpath",
        # Builds in two folders have the same contents.
        *("-Xswiftc", "-file-prefix-map", "-Xswiftc", f"{ROOT}=.", "-Xcc", f"-ffile-prefix-map={ROOT}=."),
        *FLAGS[level],
    ]
    # Swift's library is a part of macOS.
    command += [] if IS_MAC else ["-Xswiftc", "-static-stdlib", "-Xswiftc", "-use-ld=lld"]
    for option in LINK_CORE:
        command += ["-Xlinker", option]
    # Where it is compiled for another architecture: see tools/platforms/arm64.py.
    if "SWIFT_DESTINATION" in os.environ:
        command += ["--destination", os.environ["SWIFT_DESTINATION"]]
    # Swift's own clang compiles its C; what CC says is for the extension.
    environment = {name: value for name, value in os.environ.items() if name != "CC"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=sys.stderr)
    where = subprocess.run(
        [*command, "--show-bin-path"], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    return Path(where.stdout.strip()) / LIBRARY


class Build(build):
    """build that says first what is missing."""

    def run(self) -> None:
        check_tools()
        super().run()


class BuildExtension(build_ext):
    """build_ext that puts the core beside the extension."""

    def run(self) -> None:
        check_tools()
        package = ROOT / "python" if self.inplace or self.editable_mode else Path(self.build_lib)
        folder = package / "tsimcne_swift" / "lib"
        shutil.rmtree(folder, ignore_errors=True)
        if self.inplace or self.editable_mode:
            self._place(native_level(), folder)
        else:
            first, *better = levels()
            self._place(first, folder)
            for level in better:
                self._place(level, folder / "glibc-hwcaps" / level)
        for extension in self.extensions:
            extension.library_dirs.append(str(folder))
        super().run()

    def _place(self, level: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(build_core(level), folder / LIBRARY)
        if IS_MAC:
            return
        # The section is a hash of the folders that the library was built in.
        objcopy = os.environ.get("OBJCOPY", "objcopy")
        subprocess.run([objcopy, "--remove-section=.swift_modhash", str(folder / LIBRARY)], check=True)

    def build_extension(self, ext) -> None:  # type: ignore[no-untyped-def]
        super().build_extension(ext)
        if IS_MAC:
            return
        # Some Pythons add a folder of their own machine to the search path.
        path = self.get_ext_fullpath(ext.name)
        subprocess.run(["patchelf", "--set-rpath", "$ORIGIN/lib", path], check=True)
