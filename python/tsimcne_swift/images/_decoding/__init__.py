"""Files of strangers to pixels, as reading processes do it.

It imports nothing of the package around it: such a process starts with Pillow and numpy alone.
"""
