"""The command ``tsimcne-swift``: images in, a map out."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .._system.text import legible
from .._training.ranks import OtherRankError
from ._arguments import make_parser

# Exit codes of the process, as shells and scripts expect them.
FAILED, INTERRUPTED = 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0, 1 for an error, 2 for wrong usage, 130 after Ctrl-C."""
    options = make_parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except ModuleNotFoundError as error:
        print(f"error: {error}; install tsimcne-swift[images,plot,explore]", file=sys.stderr)
        return FAILED
    except (ValueError, TypeError, OSError, MemoryError, FloatingPointError, OtherRankError) as error:
        print(legible(f"error: {error}"), file=sys.stderr)
        return FAILED
