"""The project in trees of other systems: ``python3 -m tools.platforms`` runs every row and prints the table.

Trees of Debian are made by mmdebstrap and entered by chroot, those of another architecture under qemu's
emulation. All is below ``.build/platforms``: a step that came to its end leaves a stamp in ``done`` and is
not repeated, a row leaves what it found in ``rows``. Remove one to have it again.
"""
