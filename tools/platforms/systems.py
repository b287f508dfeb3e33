"""The systems of the rows."""

from tools.platforms.trees import Here, Tree

_PYTHON = "ca-certificates,git,python3,python3-venv"
HERE = Here()
# Without compilers: a wheel needs none.
DEBIAN_12 = Tree("debian12", "bookworm", _PYTHON)
DEBIAN_13 = Tree("debian13", "trixie", _PYTHON)
FORKY = Tree("forky", "forky", _PYTHON)
DEBIAN_13_ARM64 = Tree("debian13-arm64", "trixie", _PYTHON, "arm64")
# Nothing but what apt-get and git themselves need.
CLEAN = Tree("debian13-clean", "trixie", "ca-certificates,git")
# Debian's own way to compile for another architecture: its libraries lie beside the native ones.
CROSS = Tree(
    "debian13-cross",
    "trixie",
    "ca-certificates,git,make,swiftlang,python3-dev,python3-venv,g++-aarch64-linux-gnu,patchelf,"
    "libopenblas-dev,libopenblas-dev:arm64,libpython3-dev:arm64,libstdc++-14-dev:arm64",
    "amd64,arm64",
)
