"""A page that is a folder, shown to the browser of this machine alone."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ._folder import DATA, PAGE, TILES, holds_page

HOST = "127.0.0.1"
# What may be asked for.
FILES = re.compile(rf"{re.escape(PAGE)}|(?:{DATA}|{TILES})/[a-z0-9-]+\.js")
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


class PageServer(ThreadingHTTPServer):
    """Gives the files of a page to who knows its address, in which there is a token; it changes nothing.

    Parameters
    ----------
    folder : path
        Of a page that `explore` wrote.
    """

    daemon_threads = True

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder).resolve()
        if not holds_page(self.folder):
            raise ValueError(f"folder: got {os.fspath(folder)}, which is no map's folder")
        self.token = secrets.token_urlsafe(24)
        # Any port that is free.
        super().__init__((HOST, 0), _Handler)

    @property
    def address(self) -> str:
        """That of the page."""
        return f"http://{HOST}:{self.server_port}/{self.token}/{PAGE}"


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"
    # Seconds that a connection may be silent.
    timeout = 60

    def do_GET(self) -> None:
        """Send a file."""
        self._send(with_content=True)

    def do_HEAD(self) -> None:
        """Say what a file is."""
        self._send(with_content=False)

    def _send(self, with_content: bool) -> None:
        path = self._path()
        try:
            # A link may lead anywhere.
            descriptor = None if path is None else os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            descriptor = None
        if path is None or descriptor is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        with os.fdopen(descriptor, "rb") as file:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", TYPES[path.suffix])
            self.send_header("Content-Length", str(os.fstat(file.fileno()).st_size))
            self.end_headers()
            if with_content:
                shutil.copyfileobj(file, self.wfile)

    def end_headers(self) -> None:
        """Nothing is kept or guessed, no other page may take it in, and no address is told to another."""
        for name, value in {
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
        }.items():
            self.send_header(name, value)
        super().end_headers()

    def _path(self) -> Path | None:
        """The file that is asked for, by who may ask: a name of another host is another page's trick."""
        if self.headers.get("Host") != f"{HOST}:{self.server.server_port}":
            return None
        _, token, name = [*self.path.split("?")[0].split("/", 2), "", ""][:3]
        if not secrets.compare_digest(token.encode(), self.server.token.encode()):
            return None
        return self.server.folder / name if FILES.fullmatch(name) else None

    def log_message(self, *arguments: Any) -> None:
        """Nothing: an address has the token."""
