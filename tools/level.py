"""Prints the compiler flags of this machine's instruction-set level."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))
from instruction_sets import FLAGS, native_level

print(*FLAGS[native_level()])
