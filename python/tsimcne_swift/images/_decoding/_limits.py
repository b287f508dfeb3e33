"""What one picture may take of the machine; a file that wants more is skipped, with the reason."""

from __future__ import annotations

# Most bytes of a file, or of an entry of an archive once it is unpacked.
FILE_BYTES = 1 << 29
# Most bytes of a picture as its decoder holds it: headers say them before anything is decoded.
PICTURE_BYTES = 1 << 29
# Most bytes of addresses that a reading process may take for a picture, as headers lie.
MEMORY_BYTES = 2 << 30
# Most seconds for a picture, of one processor and by the clock. Those by the clock count what waits, and end
# what waits for itself.
PROCESSOR_SECONDS = 20
CLOCK_SECONDS = 300


def check_length(size: int) -> None:
    """Check the bytes of a file before it is read."""
    if size > FILE_BYTES:
        raise ValueError(f"has {size:,} bytes, want at most {FILE_BYTES:,}")


def check_picture(size: int) -> None:
    """Check the bytes that headers announce before decoding: a file of kilobytes may ask for gigabytes."""
    if size > PICTURE_BYTES:
        raise ValueError(f"has {size:,} bytes when it is decoded, want at most {PICTURE_BYTES:,}")
