"""Prints the compiler flags of an instruction-set level: this machine's, or the one that is named.

``level.py --all`` prints the names of those that this machine can run.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))
from instruction_sets import FLAGS, levels, native_level

if sys.argv[1:] == ["--all"]:
    print(*levels()[: levels().index(native_level()) + 1])
else:
    print(*FLAGS[sys.argv[1] if sys.argv[1:] else native_level()])
