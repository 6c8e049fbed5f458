"""The plain http listener beside a server with the office's certificate.

A tablet that does not trust the certificate yet cannot be told so under https. So this process, started
by `mingjian serve --lan`, answers on another port with one page, how the certificate is installed, and
with the certificate itself. It has no session, no cookie and no database, reads nothing that is sent to
it beyond the request line, and ends when the server ends.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from app import certificates
from app.domain.types import DomainError

PACKAGE = Path(__file__).parents[1]
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def _speaker(lang: str) -> Any:
    def t(zh: str, en: str) -> Markup:
        return escape(zh if lang == "zh" else en)

    return t


@lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    places = jinja2.FileSystemLoader(PACKAGE / "templates")
    return jinja2.Environment(loader=places, autoescape=True).get_template("trust/plain.html")


def page(directory: Path, address: str) -> bytes:
    """The page, in both languages; DomainError when there is no certificate."""
    known = certificates.read(directory)
    return (
        _template()
        .render(
            known=known,
            lines=certificates.grouped(known.fingerprint),
            address=address,
            speak={lang: _speaker(lang) for lang in ("zh", "en")},
        )
        .encode()
    )


class Handler(BaseHTTPRequestHandler):
    """GET and HEAD; the page at every address, so that whatever was typed leads to it."""

    directory: Path
    address: str
    timeout = 10  # seconds for a request that does not come
    server_version, sys_version = "Mingjian", ""

    def do_GET(self) -> None:
        name = self.path.partition("?")[0]
        try:
            status, kind, body = self._content(name)
        except (DomainError, OSError):
            status, kind, body = 503, "text/plain", "没有证书文件\nno certificate\n".encode()
        self.send_response(status)
        text = kind.startswith("text/")
        self.send_header("Content-Type", kind + "; charset=utf-8" if text else kind)
        self.send_header("Content-Length", str(len(body)))
        for header, value in HEADERS.items():
            self.send_header(header, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def _content(self, name: str) -> tuple[int, str, bytes]:
        if name == "/app.css":
            return 200, "text/css", (PACKAGE / "static/css/app.css").read_bytes()
        if name.startswith("/trust/"):
            found = certificates.downloads(self.directory).get(name.removeprefix("/trust/"))
            if found:
                return 200, found[1], found[0]
        there = 200 if name in ("/", "/trust") else 404
        return there, "text/html", page(self.directory, self.address)

    def log_message(self, format: str, *args: Any) -> None:
        """Who fetched the page is nobody's business."""


class Listener(ThreadingHTTPServer):
    """On a socket that was bound before, so that a port in use is known before anything starts."""

    daemon_threads = True

    def __init__(self, bound: socket.socket, directory: Path, address: str) -> None:
        handler = type("Bound", (Handler,), {"directory": directory, "address": address})
        super().__init__(bound.getsockname()[:2], handler, bind_and_activate=False)
        self.socket.close()
        self.socket = bound
        self.socket.listen(64)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A tablet that went away in the middle is no event."""


def start(bound: socket.socket, directory: Path, address: str) -> subprocess.Popen[bytes]:
    """Serve in a process of its own, which ends when this one and its children have ended."""
    code = "from app.cli.install_page import main; main()"
    arguments = [str(bound.fileno()), str(directory), address]
    path = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        pass_fds=(bound.fileno(),),
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )


def main() -> None:
    """The process: FILE-DESCRIPTOR DIRECTORY ADDRESS."""
    number, directory, address = sys.argv[1:4]
    listener = Listener(socket.socket(fileno=int(number)), Path(directory), address)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    with suppress(KeyboardInterrupt):
        sys.stdin.buffer.read()  # ends with the server
