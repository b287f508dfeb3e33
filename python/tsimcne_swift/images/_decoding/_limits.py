"""What one picture may take of the machine; a file that wants more is skipped, with the reason."""

from __future__ import annotations

# Of a file, or of an entry of an archive once it is unpacked.
FILE_BYTES = 1 << 29
# Of a picture as its decoder holds it, by what the headers say: judged before anything is decoded.
PICTURE_BYTES = 1 << 29
# Of addresses that a reading process may take for a picture: headers lie.
MEMORY_BYTES = 2 << 30
# Of one processor, for a picture. Seconds by the clock count what waits, and end what waits for itself.
PROCESSOR_SECONDS = 20
CLOCK_SECONDS = 300


def check_length(size: int) -> None:
    """Of a file, before it is read."""
    if size > FILE_BYTES:
        raise ValueError(f"has {size:,} bytes, want at most {FILE_BYTES:,}")


def check_picture(size: int) -> None:
    """Of what headers announce, before it is decoded: a file of some kilobytes may ask for gigabytes."""
    if size > PICTURE_BYTES:
        raise ValueError(f"has {size:,} bytes when it is decoded, want at most {PICTURE_BYTES:,}")
