"""Pictures of maps and of training, with matplotlib.

Wants the extra ``tsimcne-swift[plot]``. Functions draw into ``ax``, or a new figure, and return the axes.
"""

from ._animation import animation
from ._gallery import gallery
from ._scatter import scatter
from ._training import stages, training_curve
from ._views import views

__all__ = ["animation", "gallery", "scatter", "stages", "training_curve", "views"]
