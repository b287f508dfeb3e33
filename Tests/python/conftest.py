"""Ctrl-C works in every test, also where the tests run in a shell's background, which ignores it."""

import signal

signal.signal(signal.SIGINT, signal.default_int_handler)
