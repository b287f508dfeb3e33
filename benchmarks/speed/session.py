"""What all parts of a run share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .cost_model import Cost
from .machine import Peaks, processor_flags
from .probe import Work
from .rows import Samples

#: Lets PyTorch keep freed memory and take it in large pages, which makes it faster by a sixth and more:
#: glibc otherwise gives every large tensor back to the system. PyTorch and tsimcne are measured with it,
#: except where a row says "as installed" and where memory is what is measured.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**34),
    "THP_MEM_ALLOC_ENABLE": "1",
}


@dataclass(frozen=True)
class Session:
    """``quick`` shrinks everything to sizes that only show that it works."""

    runs: int
    quick: bool
    threads: int
    peaks: Peaks

    @cached_property
    def peer_bfloat16(self) -> bool:
        """Whether the processor multiplies 16-bit numbers, so that PyTorch's autocast pays."""
        return bool(processor_flags() & {"avx512_bf16", "amx_bf16"})

    def smaller(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    def pytorch(self, name: str, **settings: object) -> Work:
        """Work for PyTorch at its fastest."""
        return Work(f"pytorch.{name}", {"threads": self.threads, **settings}, KEEP_MEMORY)

    def ours(self, name: str, **settings: object) -> Work:
        """Work for tsimcne-swift on all threads, unless the settings say otherwise."""
        return Work(f"ours.{name}", {"threads": self.threads, **settings})

    def beside_peaks(self, cost: Cost, rate: Samples) -> dict[str, Any]:
        """Effective GFLOP/s and share of the roofline at a rate of images, as fields of a row."""
        flops, copied = self.peaks.fma_gflops[1], self.peaks.copy_gb_per_second[1]
        return {
            "gflops": rate.median * cost.flops / 1e9,
            "roofline_share": cost.roofline_share(rate.median, flops, copied),
        }
