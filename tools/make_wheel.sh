#!/usr/bin/env bash
# Builds the wheel with all levels, puts its one OpenBLAS in, and checks it.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf dist build
PATH="$PWD/.venv/bin:$PATH"
python -m build --wheel --no-isolation --outdir dist/raw
auditwheel repair --plat "manylinux_2_34_$(uname -m)" --wheel-dir dist dist/raw/*.whl
rm -r dist/raw
python tools/check_wheel.py dist/*.whl
