"""What making a plane asks of the processes that do it together, where there is one."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt


class Alone:
    """One process; those of several, which have all these functions, exchange what is said here."""

    rank = 0
    size = 1

    def part(self, total: int) -> slice:
        """The rows of so many that are this rank's."""
        return slice(total * self.rank // self.size, total * (self.rank + 1) // self.size)

    def gather(self, own: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The rows of all ranks, of which each has its part."""
        return own

    def add(self, values: npt.NDArray[Any]) -> None:
        """The sum over all ranks, in place."""

    def largest(self, value: float) -> float:
        """Of all ranks."""
        return value
