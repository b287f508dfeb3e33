"""Rows of the table: what runs where, and what came of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from tools.platforms.trees import WORK

COLUMNS = ("name", "system", "processor", "python", "how", "ran", "came", "day")


@dataclass(frozen=True)
class Row:
    """One line of the table; ``work`` returns what came of it, or raises."""

    name: str
    system: str
    processor: str
    python: str
    how: str
    ran: str
    work: Callable[[], str]

    def result(self) -> dict[str, str]:
        """What was found, now or before; what failed is tried again."""
        path = WORK / "rows" / f"{self.name}.json"
        if path.exists():
            found: dict[str, str] = json.loads(path.read_text())
            if not found["came"].startswith("FAILED"):
                return found
        print(f"--- {self.name}", flush=True)
        began = time.monotonic()
        try:
            came = self.work()
        except (RuntimeError, OSError) as error:
            print(error, flush=True)
            came = "FAILED: " + str(error).splitlines()[0]
        print(f"    {came} ({time.monotonic() - began:.0f} s)", flush=True)
        found = {name: getattr(self, name) for name in COLUMNS[:-2]}
        found |= {"came": came, "day": time.strftime("%Y-%m-%d")}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found))
        return found


def table(results: list[dict[str, str]]) -> str:
    """Results as a table of Markdown."""
    lines = [
        COLUMNS,
        tuple("---" for _ in COLUMNS),
        *(tuple(row[name] for name in COLUMNS) for row in results),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
