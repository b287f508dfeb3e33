"""Debian 13 with nothing but apt: the two commands of the README, in a tree that has nothing else."""

from collections.abc import Iterator
from functools import partial

from tools.platforms.rows import Row
from tools.platforms.systems import CLEAN
from tools.platforms.trees import SOURCES, step
from tools.platforms.wheel import closing_line

# The README's line.
INSTALL = "apt-get install -y -qq swiftlang python3-dev python3-venv libopenblas-dev g++ make git"
# What the environment of `make demo` has all for: minutes, where `make test` takes long.
QUICK = "Tests/python/test_{golden,estimator,reference}.py"
COMMANDS = {
    "demo": "make demo",
    "quick": f".venv/bin/python -m pytest -o addopts= -q -p no:cacheprovider --timeout 0 {QUICK}",
    "test": "make test",
}


def install() -> None:
    """What a person does before anything else."""
    CLEAN.run(INSTALL, log="debian-apt")


def command(name: str) -> str:
    """What one of the commands says at its end."""
    CLEAN.make()
    step("debian-apt", install)
    text = CLEAN.run(f"cd {SOURCES}; {COMMANDS[name]}", log=f"debian-{name}")
    return text.strip().splitlines()[-1] if name == "demo" else closing_line(text)


def rows() -> Iterator[Row]:
    """`make demo`, some tests with what it built, then `make test`."""
    for name, line in COMMANDS.items():
        yield Row(
            *(f"debian-{name}", "Debian 13, Swift 6.0.3 of apt", "this machine's", "3.13", "natively"),
            *(line, partial(command, name)),
        )
