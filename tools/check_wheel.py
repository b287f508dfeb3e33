"""Checks a wheel: what its cores hold, and that it trains in an empty environment at each level."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))
from instruction_sets import native_level

LIMIT = 30e6
REGISTERS = {"": set(), "x86-64-v3": {"ymm"}, "x86-64-v4": {"zmm"}}
HIDDEN = {"x86-64-v4": "", "x86-64-v3": "-AVX512F", "x86-64": "-AVX512F,-AVX2"}
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


def registers(library: Path) -> set[str]:
    text = subprocess.run(["objdump", "-d", library], capture_output=True, text=True, check=True)
    return set(re.findall(r"%(ymm|zmm)\d", text.stdout))


def main() -> None:
    wheel = Path(sys.argv[1]).resolve()
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB")
    assert wheel.stat().st_size < LIMIT, "too large"
    subprocess.run([sys.executable, "-m", "abi3audit", "--strict", wheel], check=True)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(root / "wheel")
        for path in sorted((root / "wheel").rglob("libtsimcne.so")):
            level = path.parent.name if "hwcaps" in str(path) else ""
            found = registers(path)
            wanted = REGISTERS[level]
            print(f"core {level or 'x86-64'}: {' '.join(sorted(found)) or 'xmm only'}")
            assert wanted <= found, f"{path}: lost its {wanted}"
            assert level == "x86-64-v4" or "zmm" not in found
            assert level or not found
        venv.create(root / "venv", with_pip=True)
        python = root / "venv" / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "-q", wheel], check=True)
        for level, hidden in HIDDEN.items():
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
