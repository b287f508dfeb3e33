"""python -m benchmarks.speed [--only PART,…] [--runs N] [--quick]"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
import traceback
from collections.abc import Iterator

from . import machine, report
from .probe import ROOT
from .rows import Row
from .session import Session

PARTS = (
    *("training", "recipes", "inference", "fit", "memory", "loss"),
    *("augmentation", "threads", "avx2", "cost", "backbones"),
)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=report.__doc__)
    parser.add_argument(
        "--only", default=",".join(PARTS), metavar="PART,…", help="any of %(default)s; default: all"
    )
    parser.add_argument("--runs", type=int, metavar="N", help="samples of everything; default 5")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="sizes and numbers that only show that all of it works; results go to out/",
    )
    chosen = parser.parse_args()
    chosen.only = chosen.only.split(",")
    if unknown := set(chosen.only) - set(PARTS):
        parser.error(f"--only: got {', '.join(sorted(unknown))}, want some of {', '.join(PARTS)}")
    if chosen.runs is not None and chosen.runs < 1:
        parser.error(f"--runs: got {chosen.runs}, want at least 1")
    return chosen


def measure(part: str, session: Session) -> Iterator[Row]:
    """Rows of a part, printed as they come."""
    for row in importlib.import_module(f".parts.{part}", __package__).run(session):
        print(report.line(row), flush=True)
        yield row


def main() -> int:
    """Run the parts; the exit code is 0, or 1 where a part failed, and the others are kept."""
    chosen = arguments()
    runs = chosen.runs or (1 if chosen.quick else 5)
    peaks = machine.measured_peaks()
    session = Session(runs, chosen.quick, len(os.sched_getaffinity(0)), peaks)
    run = machine.describe(runs, peaks)
    print(f"{report.describe(run)}\n\n{report.HEADER}\n{report.RULE}", flush=True)
    measured, failed, busy = {}, [], {}
    for part in chosen.only:
        busy[part] = machine.busy_share()
        if busy[part] > report.MOST_BUSY:
            print(f"Other processes use {busy[part]:.0%} of the cores: figures will be wrong.", flush=True)
        started = time.perf_counter()
        try:
            measured[part] = list(measure(part, session))
        except Exception:
            traceback.print_exc()
            failed.append(part)
        print(f"({part}: {time.perf_counter() - started:.0f} s)", file=sys.stderr, flush=True)
    results, page = report.RESULTS, report.PAGE
    if chosen.quick:
        results, page = ROOT / "out" / results.name, ROOT / "out" / page.name
    run["most_busy_before_a_part"] = round(max(busy.values()), 3)
    report.keep(results, page, run, measured)
    if failed:
        print(f"\nFailed: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
