"""What is kept of a run: one JSON file, and from it a table in Markdown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .probe import ROOT
from .rows import Row, digits

RESULTS = ROOT / "benchmarks" / "results" / "speed.json"
PAGE = ROOT / "docs" / "performance.md"
#: Share of the cores that other processes may use; a barrier of threads waits for the slowest one.
MOST_BUSY = 0.05
BEGIN, END = "<!-- speed:begin -->", "<!-- speed:end -->"
HEADER = "| | here | peers, best one first | ratio | at least | goal | GFLOP/s | roofline |"
RULE = "|---|---|---|---|---|---|---|---|"


def line(row: Row) -> str:
    """A row of the table: median (lowest–highest)."""
    best = row.best_peer
    order = sorted(row.peers, key=lambda name: name != best)
    peers = [f"{name} {row.peers[name]}" for name in order]
    peers += [f"[{name} {samples}]" for name, samples in row.information.items()]
    cells = (
        row.name,
        f"{row.ours} {row.unit}",
        "; ".join(peers),
        "" if row.ratio is None else str(row.ratio),
        row.target(row.at_least),
        row.target(row.goal),
        "" if row.gflops is None else digits(row.gflops),
        "" if row.roofline_share is None else f"{100 * row.roofline_share:.0f} %",
    )
    return "| " + " | ".join(cells) + " |"


def keep(results: Path, page: Path, run: dict[str, Any], parts: dict[str, list[Row]]) -> None:
    """Put the parts that were measured into both files; other parts stay with the run they are from."""
    kept = json.loads(results.read_text())["parts"] if results.exists() else {}
    for name, rows in parts.items():
        kept[name] = {"run": run, "rows": [row.record() for row in rows]}
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps({"parts": kept}, indent=1, ensure_ascii=False) + "\n")
    text = page.read_text() if page.exists() else f"{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(f"{before}{BEGIN}\n{markdown(kept)}{END}{after}")


def markdown(parts: dict[str, Any]) -> str:
    """A table for each run, under what it ran on; usually all parts are of one run."""
    runs: dict[str, list[str]] = {}
    for part in parts.values():
        lines = runs.setdefault(json.dumps(part["run"]), [])
        lines += [line(Row.from_record(record)) for record in part["rows"]]
    blocks = []
    for run, lines in runs.items():
        blocks += [describe(json.loads(run)), "", HEADER, RULE, *lines, ""]
    return "\n".join(blocks) + "\n"


def describe(run: dict[str, Any]) -> str:
    """One paragraph: when, on what, with which versions."""
    versions = ", ".join(
        f"{name} {run[name]}" for name in ("torch", "torchvision", "tsimcne", "numpy") if run[name]
    )
    text = (
        f"{run['date']}, tsimcne-swift {run['tsimcne_swift']} (commit {run['commit']}, {run['level']}), "
        f"{versions}, Python {run['python']}, {run['system']}; {run['cores']} cores of {run['processor']}, "
        f"{run['memory_gib']} GiB. Median (lowest–highest) of {run['runs']} runs in turns."
    )
    if run["most_busy_before_a_part"] > MOST_BUSY:
        text += f" Other processes used up to {run['most_busy_before_a_part']:.0%} of the cores."
    one, every = run["fma_gflops"]
    if one is None or every is None:
        return text
    return (
        f"{text} Measured peaks: {one:.0f} GFLOP/s on one thread, {every:.0f} on all; "
        f"{run['copy_gb_per_second'][1]:.1f} GB/s copied."
    )
