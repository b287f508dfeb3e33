"""The authors' published maps of CIFAR-10 and CIFAR-100, by the package's own measures.

python -m benchmarks.quality.authors reference-maps.npz

The file has arrays ``cifar10``, ``cifar100`` of shape (60000, 2), test images last, and ``…_labels``.
"""

from __future__ import annotations

import sys

import numpy as np
from tsimcne_swift import evaluate

TRAIN = 50_000


def main() -> None:
    with np.load(sys.argv[1]) as file:
        for name in ("cifar10", "cifar100"):
            Y, labels = file[name].astype(np.float32), file[f"{name}_labels"].astype(int)
            found = evaluate(Y, labels, test=np.arange(TRAIN, len(Y)))
            print(name, {key: round(value, 3) for key, value in found.items()})


if __name__ == "__main__":
    main()
