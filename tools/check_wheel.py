"""Checks a wheel: what its cores hold, and that it trains in an empty environment at each level."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))
from instruction_sets import levels, native_level

LIMIT = 30e6
# What the code of each level must have, and no lower level may.
SIGNS = {"x86-64": set(), "x86-64-v3": {"ymm"}, "x86-64-v4": {"ymm", "zmm"}, "aarch64": {"fmla"}}
# What a processor is made to hide so that the loader takes the core of a level.
HIDDEN = {"x86-64-v4": "", "x86-64-v3": "-AVX512F", "x86-64": "-AVX512F,-AVX2"}
# The newest C library that a wheel may want: that of RHEL 9. Debian's own libraries for arm64 want more.
GLIBC = {"x86_64": (2, 34), "aarch64": (2, 41)}
TRAIN = """
import json
import numpy as np
import tsimcne_swift as t
X = np.random.default_rng(0).integers(0, 256, (64, 8, 8), dtype=np.uint8)
model = t.TSimCNE(width=4, total_epochs=[1, 1, 1], batch_size=16, random_state=0)
Y = model.fit_transform(X)
assert Y.shape == (64, 2) and np.isfinite(Y).all() and (model.transform(X) == Y).all()
print(json.dumps(t.show_config()))
"""


def signs(library: Path) -> set[str]:
    """Names of wide registers and fused multiply-adds in a library's code."""
    found: set[str] = set()
    with subprocess.Popen(["objdump", "-d", library], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:  # type: ignore[union-attr]
            found.update(re.findall(r"(?<=%)[yz]mm(?=\d)|\bfmla\b", line))
    return found


def wanted_glibc(library: Path) -> tuple[int, int]:
    """The newest version of the C library that a library has symbols of."""
    text = subprocess.run(["objdump", "-T", library], capture_output=True, text=True, check=True).stdout
    return max(((int(a), int(b)) for a, b in re.findall(r"GLIBC_(\d+)\.(\d+)", text)), default=(0, 0))


def main() -> None:
    wheel = Path(sys.argv[1]).resolve()
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB")
    assert wheel.stat().st_size < LIMIT, "too large"
    subprocess.run([sys.executable, "-m", "abi3audit", "--strict", wheel], check=True)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(root / "wheel")
        machine = platform.machine()
        for path in sorted((root / "wheel").rglob("*.so*")):
            glibc = wanted_glibc(path)
            assert glibc <= GLIBC[machine], f"{path.name} wants glibc {glibc}"
        for path in sorted((root / "wheel").rglob("libtsimcne.so")):
            level = path.parent.name if "hwcaps" in str(path) else levels()[0]
            found = signs(path)
            print(f"core {level}: {' '.join(sorted(found)) or 'xmm only'}")
            assert found == SIGNS[level], f"{path}: has {found}, want {SIGNS[level]}"
        venv.create(root / "venv", with_pip=True)
        python = root / "venv" / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "-q", wheel], check=True)
        for level in reversed(levels()):
            hidden = HIDDEN.get(level, "")
            tunables = {"GLIBC_TUNABLES": f"glibc.cpu.hwcaps={hidden}"} if hidden else {}
            run = subprocess.run(
                [python, "-c", TRAIN],
                cwd=root,
                env=os.environ | tunables,
                capture_output=True,
                text=True,
                check=True,
            )
            config = json.loads(run.stdout)
            print(f"{level}: trained and transformed at {config['level']}, BLAS {config['blas_core']}")
            assert config["level"] == min(level, native_level())
    print("wheel: all checks passed")


if __name__ == "__main__":
    main()
