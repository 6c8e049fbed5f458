"""What somebody takes out of a transcript so that it looks as if nobody had cosigned: standard library.

The manifest is made honest again each time, and `anchor.json` too where it names what is gone.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

Files = dict[str, bytes]


def jcs(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def opened(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: Files) -> bytes:
    rest = {name: body for name, body in files.items() if name != "manifest.json"}
    sums = [[name, hashlib.sha256(rest[name]).hexdigest()] for name in sorted(rest)]
    rest["manifest.json"] = jcs(sums)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(rest):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, rest[name])
    return out.getvalue()


def _anchor(files: Files, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Files:
    return {**files, "anchor.json": jcs(change(json.loads(files["anchor.json"])))}


def _without(files: Files, part: str) -> Files:
    return {name: body for name, body in files.items() if part not in name}


def _old(anchor: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in anchor.items() if k not in ("acts", "cosigners")}


def _nothing(files: Files) -> Files:
    return files


def _notes(files: Files) -> Files:
    """As transcripts were before devices were registered: anchored, no word of a device."""
    return _anchor(_without(files, "cosignature"), _old)


def _devices(files: Files) -> Files:
    """As a drill may be that nobody cosigned: lists that are there and empty."""
    return _anchor(_without(files, "cosignature"), lambda a: {**a, "acts": [], "cosigners": []})


def _ledger(files: Files) -> Files:
    """As a headless transcript: no anchor at all."""
    return _without(_without(_without(files, "cosignature"), "anchor"), "checkpoint")


def _files(files: Files) -> Files:
    """The signed notes alone: the anchor still names who signed."""
    return _without(files, "cosignature")


def _acts(files: Files) -> Files:
    """The cosignatures of the acts, the commitment's stays."""
    keys = json.loads(files["anchor.json"])["cosigners"]
    return _anchor(_without(files, "act-"), lambda a: {**a, "acts": [], "cosigners": keys[:1]})


def _cut(work: Callable[[Files], Files]) -> Callable[[bytes], bytes]:
    return lambda data: packed(work(opened(data)))


CUTS: dict[str, Callable[[bytes], bytes]] = {
    "nothing": _cut(_nothing),
    "notes": _cut(_notes),
    "devices": _cut(_devices),
    "ledger": _cut(_ledger),
    "files": _cut(_files),
    "acts": _cut(_acts),
}
