"""Debian 13 with nothing but apt: the two commands of the README, in a tree that has nothing else."""

from collections.abc import Iterator
from functools import partial

from tools.platforms.rows import Row
from tools.platforms.systems import CLEAN
from tools.platforms.trees import SOURCES, step
from tools.platforms.wheel import closing_line

# The README's line.
INSTALL = "apt-get install -y -qq swiftlang python3-dev python3-venv libopenblas-dev g++ make git"


def install() -> None:
    """What a person does before anything else."""
    CLEAN.run(INSTALL, log="debian-apt")


def command(target: str) -> str:
    """What one of the README's commands says at its end."""
    CLEAN.make()
    step("debian-apt", install)
    text = CLEAN.run(f"cd {SOURCES}; make {target}", log=f"debian-{target}")
    return closing_line(text) if target == "test" else text.strip().splitlines()[-1]


def rows() -> Iterator[Row]:
    """`make demo`, then `make test`."""
    for target in ("demo", "test"):
        yield Row(
            *(f"debian-{target}", "Debian 13, Swift 6.0.3 of apt", "this machine's", "3.13", "natively"),
            f"make {target}",
            partial(command, target),
        )
