"""What is wanted where the extension is not found."""

import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec


@contextmanager
def explained() -> Iterator[None]:
    """Say why there is no extension, where Python only says that there is none."""
    try:
        yield
    except ImportError:
        if sysconfig.get_config_var("Py_GIL_DISABLED"):
            raise ImportError(
                "tsimcne_swift cannot be used in free-threaded Python, which has no limited API: "
                "use the Python that has the global interpreter lock"
            ) from None
        # Python has no type of its own for this: what the loader refuses is an ImportError too.
        if find_spec("tsimcne_swift._core") is None:
            raise ImportError(
                "tsimcne_swift has no compiled core here: install its wheel, or `pip install .` in the "
                "repository, which builds it with Swift"
            ) from None
        raise
