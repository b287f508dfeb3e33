"""Trees of Debian systems, and commands run in them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / ".build" / "platforms"
# In each tree the repository as it was committed.
SOURCES = "/root/tsimcne-swift"
# What is mounted is private to the command, and gone with it.
ENTER = """
for folder in proc sys dev; do mount --rbind /$folder "$0/$folder"; done
exec chroot "$0" /usr/bin/env -i "${@:2}" /bin/bash -euo pipefail -c "$1"
"""


def step(name: str, work: Callable[[], None]) -> None:
    """Do what has not been done before."""
    stamp = WORK / "done" / name
    if stamp.exists():
        return
    print(f"--- {name}", flush=True)
    work()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.touch()


def logged(log: str, command: list[str | Path]) -> str:
    """Run a command whose output goes to a file, and return it."""
    path = WORK / "logs" / f"{log}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, check=False
        )
    text = path.read_text(errors="replace")
    if done.returncode != 0:
        raise RuntimeError(f"{path} ends with status {done.returncode}:\n{text[-3000:]}")
    return text


class Here:
    """The running system, for interpreters that no suite of Debian has."""

    name, home, sources = "here", str(WORK / "here"), str(ROOT)

    def make(self) -> None:
        """Make the folder of its environments."""
        Path(self.home).mkdir(parents=True, exist_ok=True)

    def run(self, command: str, log: str, **environment: str) -> str:
        """What a shell's command prints."""
        return logged(log, ["env", *_words(environment), "bash", "-euo", "pipefail", "-c", command])

    def keep(self, file: Path) -> str:
        """A file's path for a command."""
        return str(file)


def _words(environment: dict[str, str]) -> list[str | Path]:
    return [f"{name}={value}" for name, value in environment.items()]


class Tree:
    """A system of its own: a suite of Debian for an architecture, and packages."""

    home, sources = "/root", SOURCES

    def __init__(self, name: str, suite: str, packages: str, architecture: str = "amd64") -> None:
        self.name, self.suite, self.packages, self.architecture = name, suite, packages, architecture
        self.path = WORK / "trees" / name

    def make(self) -> None:
        """Install the system and lay the repository in it."""
        # A tree that compiles for it runs what it has made.
        if "arm64" in self.architecture.split(","):
            self._emulate()
        step(f"tree-{self.name}", self._install)
        head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()
        step(f"sources-{self.name}-{head[:12]}", self._lay_sources)

    def run(self, command: str, log: str | None = None, **environment: str) -> str:
        """What a shell's command prints in the tree."""
        variables = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        variables |= {"LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"} | self._pip() | environment
        words = _words(variables)
        enter = ["unshare", "--mount", "--fork", "--kill-child", "bash", "-euc", ENTER]
        return logged(log or f"{self.name}-last", [*enter, self.path, command, *words])

    def keep(self, file: Path) -> str:
        """A file's path for a command, once it lies in the tree."""
        shutil.copy(file, self.path / "root")
        return f"/root/{file.name}"

    def _install(self) -> None:
        # What an interrupted installation has left mounted is not the tree's to remove.
        for line in reversed(Path("/proc/mounts").read_text().splitlines()):
            if (place := line.split()[1]).startswith(f"{self.path}/"):
                subprocess.run(["umount", place], check=True)
        if self.path.exists():
            shutil.rmtree(self.path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        options = [f"--architectures={self.architecture}", f"--include={self.packages}"]
        # As the running system trusts its archive.
        valid = subprocess.check_output(
            ["apt-config", "dump", "Acquire::Check-Valid-Until"], text=True
        ).strip()
        options += [f"--aptopt={valid}"] if valid else []
        mirror = [os.environ["DEBIAN_MIRROR"]] if "DEBIAN_MIRROR" in os.environ else []
        command = ["mmdebstrap", "--mode=root", "--variant=minbase", *options, self.suite, self.path, *mirror]
        logged(f"tree-{self.name}", command)
        shutil.copy("/etc/resolv.conf", self.path / "etc/resolv.conf")
        self.run("apt-get update -qq")

    def _emulate(self) -> None:
        """Have the kernel hand programs of the other architecture to qemu."""
        folder = Path("/proc/sys/fs/binfmt_misc")
        if not (folder / "register").exists():
            subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", folder], check=True)
        if not (folder / "qemu-aarch64").exists():
            (folder / "register").write_text(Path("/usr/lib/binfmt.d/qemu-aarch64.conf").read_text())

    def _lay_sources(self) -> None:
        sources = self.path / SOURCES[1:]
        if not sources.exists():
            subprocess.run(["git", "clone", "-q", "--no-hardlinks", ROOT, sources], check=True)
        # What was built there is kept.
        subprocess.run(["git", "fetch", "-q", ROOT, "HEAD"], cwd=sources, check=True)
        subprocess.run(
            ["git", "checkout", "-q", "--force", "--detach", "FETCH_HEAD"], cwd=sources, check=True
        )
        self.run(f"chown -R root:root {SOURCES}")

    def _pip(self) -> dict[str, str]:
        """The running system's settings of pip that hold in a tree."""
        settings = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        settings.pop("PIP_FIND_LINKS", None)
        if "PIP_CERT" in settings:
            shutil.copy(settings["PIP_CERT"], self.path / "root/certificates.pem")
            settings["PIP_CERT"] = "/root/certificates.pem"
        return settings | {"PIP_ROOT_USER_ACTION": "ignore", "PIP_NO_CACHE_DIR": "1"}
