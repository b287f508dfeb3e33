"""What holds in every test: Ctrl-C works, and each of several workers has a core of its own."""

import os
import signal

# A shell's background ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Workers whose threads wait for one another's would slow each other down; what they start stays there too.
worker = os.environ.get("PYTEST_XDIST_WORKER")
if worker and hasattr(os, "sched_setaffinity"):
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})
