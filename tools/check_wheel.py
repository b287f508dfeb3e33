"""Checks a wheel: what its cores hold, and that it trains in an empty environment at each level.

That of another architecture is not trained with: see tools/platforms.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
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
SIGNS = {
    "x86-64": set(),
    "x86-64-v3": {"ymm"},
    "x86-64-v4": {"ymm", "zmm", "vdpbf16ps"},
    "aarch64": {"fmla"},
}
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


def objdump(machine: str, option: str, library: Path) -> str:
    """What objdump prints, that of the other architecture where the wheel is of one."""
    own = shutil.which(f"{machine}-linux-gnu-objdump") or "objdump"
    return subprocess.run([own, option, library], capture_output=True, text=True, check=True).stdout


def check_contents(root: Path, machine: str) -> None:
    """Check what the libraries want, and that each core has the instructions of its level, and no others."""
    for path in sorted(root.rglob("*.so*")):
        wanted = re.findall(r"GLIBC_(\d+)\.(\d+)", objdump(machine, "-T", path))
        glibc = max(((int(a), int(b)) for a, b in wanted), default=(0, 0))
        print(f"{path.name} wants glibc {glibc[0]}.{glibc[1]}")
        assert glibc <= GLIBC[machine], f"{path.name} wants glibc {glibc}"
    for path in sorted(root.rglob("libtsimcne.so")):
        base = "x86-64" if machine == "x86_64" else machine
        level = path.parent.name if "hwcaps" in str(path) else base
        # Names of wide registers, fused multiply-adds and products of bfloat16.
        found = set(re.findall(r"(?<=%)[yz]mm(?=\d)|\bfmla\b|\bvdpbf16ps\b", objdump(machine, "-d", path)))
        print(f"core {level}: {' '.join(sorted(found)) or 'xmm only'}")
        assert found == SIGNS[level], f"{path}: has {found}, want {SIGNS[level]}"


def check_training(wheel: Path, root: Path) -> None:
    """Install the wheel in an empty environment and train at each level."""
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


def main() -> None:
    wheel = Path(sys.argv[1]).resolve()
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB")
    assert wheel.stat().st_size < LIMIT, "too large"
    subprocess.run([sys.executable, "-m", "abi3audit", "--strict", wheel], check=True)
    machine = re.search(r"linux(?:_\d+)*_([a-z]\w+)$", wheel.stem).group(1)  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(root / "wheel")
        check_contents(root / "wheel", machine)
        if machine == platform.machine():
            check_training(wheel, root)
    print("wheel: all checks passed")


if __name__ == "__main__":
    main()
