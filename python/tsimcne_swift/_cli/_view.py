"""``tsimcne-swift view``."""

from __future__ import annotations

import webbrowser
from typing import Any

from .._explore._server import PageServer


def view(options: Any) -> int:
    """Show a page that is a folder in the browser, until Ctrl-C."""
    with PageServer(options.folder) as server:
        print(f"{server.address}\nonly this machine's browsers can open it; Ctrl-C ends it", flush=True)
        if not options.no_browser:
            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            # That is how it ends.
            print()
    return 0
