"""``python -m tsimcne_swift``: the command ``tsimcne-swift``."""

import sys

from ._cli import main

sys.exit(main())
