"""The application as the field proofs serve it: over loopback, whole, and, when asked, broken.

MINGJIAN_PROOF_BREAK=ack  acknowledges a push whose transaction is not kept, one in seven
MINGJIAN_PROOF_BREAK=ids  does not look whether an operation is stored, and stores it under a new id
"""

from __future__ import annotations

import os
from typing import Any

from flask import request

import app.ui.request as frame
from app.db import new_id
from app.domain.field.logs import End
from app.factory import create_app
from app.field import batches
from app.field.push import Push

application = create_app()
BREAK = os.environ.get("MINGJIAN_PROOF_BREAK", "")
_kept = frame.finish
_count = [0]


def _acknowledged_and_lost(keep: bool) -> None:
    if keep and request.path == "/field/api/push":
        _count[0] += 1
        keep = _count[0] % 7 != 0
    _kept(keep=keep)


def _another_row(*given: Any) -> dict[str, Any]:
    row = _row(*given)
    _count[0] += 1
    return {**row, "id": new_id() + new_id(), "seq": row["seq"] + 1_000_000 * _count[0]}


_row = batches._row
if BREAK == "ack":
    frame.finish = _acknowledged_and_lost
elif BREAK == "ids":
    Push._stored = lambda push, raw: {}  # type: ignore[method-assign]
    Push._end = lambda push, key: End()  # type: ignore[method-assign]
    End.follows = lambda end, operation: True  # type: ignore[method-assign]
    batches._row = _another_row
