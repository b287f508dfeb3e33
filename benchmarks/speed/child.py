"""The process in which one thing is measured; see ``probe``."""

from __future__ import annotations

import importlib
import json
import os
import sys


def main() -> None:
    """Prepare the work that the argument names, then take one sample for every line of the input."""
    order = json.loads(sys.argv[1])
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    module, function = order["work"].split(".")
    prepare = getattr(importlib.import_module(f"benchmarks.speed.work.{module}"), function)
    sample = prepare(**order["settings"])
    print(json.dumps("ready"), file=answers)
    for _ in sys.stdin:
        print(json.dumps(sample()), file=answers)


if __name__ == "__main__":
    main()
