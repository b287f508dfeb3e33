"""Pictures from where people have them, as the array that `TSimCNE.fit` wants.

>>> from tsimcne_swift import TSimCNE, images
>>> photos = images.from_folder("holiday/")
>>> Y = TSimCNE().fit_transform(photos)

Wants the extra ``tsimcne-swift[images]``.
"""

from ._collection import ImageCollection
from ._decoding._layout import Layout
from ._files import from_files, from_folder, from_zip
from ._idx import from_idx
from ._npy import from_npy
from ._npz import from_npz
from ._tables import from_dataset, from_parquet
from ._tar import from_tar
from ._video import from_video

__all__ = [
    "ImageCollection",
    "Layout",
    "from_dataset",
    "from_files",
    "from_folder",
    "from_idx",
    "from_npy",
    "from_npz",
    "from_parquet",
    "from_tar",
    "from_video",
    "from_zip",
]
