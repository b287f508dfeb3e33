"""A map to explore, as one HTML file or in a notebook.

The same program, the scripts of ``web``, shows both, and draws by WebGL.
"""

from ._explorer import Explorer, explore
from ._export import to_frame

__all__ = ["Explorer", "explore", "to_frame"]
