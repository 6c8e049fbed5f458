"""What a tablet keeps so that the application opens without signal, in the three parts that it fetches.

There is no build step: the parts are made from the static directory when they are asked for. A part is
the bytes of its files, one behind the other, without comments and blanks (shrink.py); the service worker
is told each part's SHA-256, and the version is the hash of all that. One compressed file instead of
fifty is a third smaller on the wire, and one answer instead of fifty.

`first` is what signing in and scoring need. `rest` is all else of an expert's: it comes with the offline
package, after the first mark, or when a screen of it is opened. `recorder` is what a statement's recorder
has besides.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from app.field.shrink import shrunk

SHELL = "/field"  # the address under which index.html is served
SUFFIXES = (".js", ".css", ".svg")
REUSED = ("js/numbers.js", "js/draw-qr.js")  # modules of the other pages that the screens import
# Modules that nothing imports by name, or only once they are needed, and that scoring does need.
BEGINNING = (
    "engine/store.js",
    "engine/sheets.js",
    "engine/language.js",
    "screens/scoring.js",
    "app.js",
    "boot.js",
)
# What only a statement's recorder opens.
RECORDERS = (
    "screens/agenda.js",
    "screens/closing.js",
    "screens/recorder.js",
    "screens/statement_log.js",
    "screens/statements.js",
)
ORDER = {"engine": 0, "screens": 1}  # folder -> its place in a part
_IMPORTED = re.compile(r'^(?:import|export)\b[^;]*?\bfrom\s+"([^"]+)"', re.M)
_NOTE = re.compile(r"/\*.*?\*/", re.S)
_STYLE_BLANKS = re.compile(r"\s*([{};,])\s*|(?<=:)\s+")


@dataclass(frozen=True, slots=True)
class Part:
    """One of the three parts: the files in it by address."""

    files: dict[str, bytes]

    @property
    def body(self) -> bytes:
        """A line that lists `[address, length]` of each file, then the files."""
        listed = [[address, len(body)] for address, body in self.files.items()]
        head = json.dumps(listed, separators=(",", ":")).encode()
        return b"\n".join([head, b"".join(self.files.values())])

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


def shell_files(static: Path) -> dict[str, Path]:
    """Address -> file of everything that the shell consists of, sorted by address."""
    found = {SHELL: static / "field" / "index.html"}
    found |= {f"/static/{name}": static / name for name in REUSED}
    for folder in ("field", "vendor"):
        for path in (static / folder).rglob("*"):
            if path.suffix in SUFFIXES and path.name != "sw.js":
                found[f"/static/{path.relative_to(static).as_posix()}"] = path
    return {address: found[address] for address in sorted(found)}


def imports(path: Path) -> set[Path]:
    """The modules that a module imports by name."""
    named = _IMPORTED.findall(path.read_text("utf-8"))
    return {(path.parent / name).resolve() for name in named}


def _beginning(static: Path) -> list[Path]:
    """The modules without which nobody can score, like beside like: that compresses better."""
    found: set[Path] = set()
    open_ = [(static / "field" / name).resolve() for name in BEGINNING]
    while open_:
        path = open_.pop()
        if path not in found and path.is_file():
            found.add(path)
            open_ += imports(path)
    return sorted(found, key=lambda path: (ORDER.get(path.parent.name, len(ORDER)), path))


@lru_cache(maxsize=256)
def _small(path: str, changed: int, size: int) -> bytes:
    """A file as tablets get it; made again when the file changed."""
    text = Path(path).read_text("utf-8")
    if path.endswith(".js"):
        text = shrunk(text)
    elif path.endswith(".css"):
        text = _STYLE_BLANKS.sub(lambda found: found[1] or "", _NOTE.sub("", text)).strip()
    return text.encode()


def small(path: Path) -> bytes:
    """A file of the shell as tablets get it."""
    seen = path.stat()
    return _small(str(path), seen.st_mtime_ns, seen.st_size)


def parts(static: Path, replaced: dict[str, bytes] | None = None) -> dict[str, Part]:
    """`first`, `rest` and `recorder`; `replaced` puts other bytes in a file's place."""
    everything = shell_files(static)
    of_path = {path.resolve(): address for address, path in everything.items()}
    first = [of_path[path] for path in _beginning(static)]
    first += [a for a in (SHELL, "/static/field/field.css") if a in everything]
    recorders = [f"/static/field/{name}" for name in RECORDERS]
    recorder = [address for address in recorders if address in everything]
    rest = [address for address in everything if address not in {*first, *recorder}]
    return {
        name: Part({a: (replaced or {}).get(a) or small(everything[a]) for a in addresses})
        for name, addresses in (("first", first), ("rest", rest), ("recorder", recorder))
    }


def version_of(listed: str, worker: str) -> str:
    """Twelve characters that change whenever a file or the worker itself does."""
    return hashlib.sha256(f"{listed}\n{worker}".encode()).hexdigest()[:12]


def service_worker_source(static: Path, replaced: dict[str, bytes] | None = None) -> str:
    """`sw.js` with the list and the version written in."""
    source = shrunk(
        (static / "field" / "sw.js").read_text("utf-8").replace("{/*PARTS*/}", "PARTS_")
    )
    told = {name: part.sha256 for name, part in parts(static, replaced).items()}
    listed = json.dumps(told, separators=(",", ":"))
    version = version_of(listed, source)
    return source.replace("/*VERSION*/", version, 1).replace("PARTS_", listed, 1)
