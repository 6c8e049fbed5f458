"""The short code that a person takes home as proof: letters of the ledger leaf that covers a step."""

from __future__ import annotations

import base64


def receipt_code(leaf: bytes) -> str:
    """Twelve letters of the leaf hash (60 bits), in threes of four: to read out and to compare."""
    text = base64.b32encode(leaf[:8]).decode()[:12]
    return "-".join(text[i : i + 4] for i in range(0, 12, 4))
