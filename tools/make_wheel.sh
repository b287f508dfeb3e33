#!/usr/bin/env bash
# Builds the wheel with all levels, puts its one OpenBLAS in, and checks it.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf dist build
PATH="$PWD/.venv/bin:$PATH"
python -m build --wheel --no-isolation --outdir dist/raw
auditwheel repair --plat auto --wheel-dir dist/raw/repaired dist/raw/*.whl
# The libraries that came in bring their licences with them.
python -m wheel unpack --dest dist/raw dist/raw/repaired/*.whl
for package in libopenblas0-pthread libgfortran5 libquadmath0; do
    text=/usr/share/doc/$package/copyright
    if [ -f "$text" ]; then cp -L "$text" "$(echo dist/raw/tsimcne_swift-*/*.dist-info/licenses)/$package.txt"; fi
done
python -m wheel pack --dest-dir dist dist/raw/tsimcne_swift-*/
rm -r dist/raw
python tools/check_wheel.py dist/*.whl
