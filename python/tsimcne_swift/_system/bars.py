"""Progress bars: drawn over and over where a person looks, a few plain lines where a file takes them."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

# Seconds from the first line to the second; each wait is twice as long as the one before, up to the last.
FIRST_WAIT, LAST_WAIT = 2.0, 120.0
LINE = "{desc}: {percentage:3.0f}% {n_fmt}/{total_fmt} {elapsed}<{remaining}, {rate_fmt}"


def make_bar(**options: Any) -> Any:
    """A bar of tqdm on standard error; ``options`` are tqdm's."""
    from tqdm.auto import tqdm

    is_notebook = any(kind.__name__ == "tqdm_notebook" for kind in tqdm.__mro__)
    if is_notebook or sys.stderr.isatty():
        return tqdm(**options)
    line = options.pop("bar_format", LINE).replace("|{bar}|", "")
    return tqdm(**options, file=Lines(sys.stderr), bar_format=line)


class Lines:
    """What tqdm writes to, for a stream that keeps all: of the bar's states a few, a line each, and the last.

    Parameters
    ----------
    stream : text stream
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._state = ""
        self._next, self._wait = 0.0, FIRST_WAIT

    def write(self, text: str) -> None:
        """Take a state of the bar, or the line's end that closes it."""
        state = text.strip("\r\n ")
        if state:
            self._state = state
        is_last = text.endswith("\n")
        if self._state and (is_last or time.monotonic() >= self._next):
            self._stream.write(self._state + "\n")
            self._stream.flush()
            self._state = ""
            self._next, self._wait = time.monotonic() + self._wait, min(2 * self._wait, LAST_WAIT)

    def flush(self) -> None:
        self._stream.flush()
