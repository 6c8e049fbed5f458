"""The service worker's list of files: what a tablet keeps so that the application opens without signal.

There is no build step: the list is read from the static directory when the worker is asked for, each
file with its SHA-256, and the version is the hash of the list. A changed file is a new version.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

SHELL = "/field"  # the address under which index.html is served
SUFFIXES = (".js", ".css", ".svg", ".png")
REUSED = ("js/numbers.js", "js/draw-qr.js")  # modules of the other pages that the screens import


def shell_files(static: Path) -> dict[str, str]:
    """Address -> SHA-256 of every file of the shell, sorted by address."""
    found = {SHELL: static / "field" / "index.html"}
    found |= {f"/static/{name}": static / name for name in REUSED}
    for folder in ("field", "vendor"):
        for path in (static / folder).rglob("*"):
            if path.suffix in SUFFIXES and path.name != "sw.js":
                found[f"/static/{path.relative_to(static).as_posix()}"] = path
    return {
        address: hashlib.sha256(found[address].read_bytes()).hexdigest()
        for address in sorted(found)
    }


def version_of(files: dict[str, str], worker: str) -> str:
    """Twelve characters that change whenever a file or the worker itself does."""
    seen = json.dumps([files, worker], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(seen.encode()).hexdigest()[:12]


def service_worker_source(static: Path) -> str:
    """`sw.js` with the list and the version written in."""
    source = (static / "field" / "sw.js").read_text("utf-8")
    files = shell_files(static)
    listed = json.dumps(files, separators=(",", ":"))[1:-1]
    return source.replace("/*VERSION*/", version_of(files, source), 1).replace(
        "/*FILES*/", listed, 1
    )
