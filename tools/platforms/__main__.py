"""``python3 -m tools.platforms [GROUP…]``: runs the rows of all groups or of those named, and prints them."""

import sys

from tools.platforms import arm64, debian
from tools.platforms.rows import table
from tools.platforms.wheel import level_rows, processor_rows, python_rows

GROUPS = {"levels": level_rows, "processors": processor_rows, "pythons": python_rows}
GROUPS |= {"debian": debian.rows, "arm64": arm64.rows}

chosen = sys.argv[1:] or list(GROUPS)
results = [row.result() for group in chosen for row in GROUPS[group]()]
print(table(results))
sys.exit(any(row["came"].startswith("FAILED") for row in results))
