"""Exceptions from the guards: the office gives a coded reason, the supervisor takes up each one or none.

docs/draw-protocol.md section 8: a chance of zero or above one half, somebody who must sit, and too few
places for a batch take two persons. What was taken
up stands in the ledger entry of the cosignature, by code, reason and a salted hash of the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.ledger.canonical import digest
from app.domain.types import DomainError, Text
from app.draw import messages
from app.draw.models import Draw


@dataclass(frozen=True)
class Granted:
    """One exception as it was frozen with the commitment."""

    code: str
    reason: str
    text: Text

    @property
    def why(self) -> Text:
        """The office's reason in words."""
        words = messages.ZERO if self.code == "probability_zero" else messages.HIGH
        return words.get(self.reason, Text.of(self.reason))


def exceptions(draw: Draw) -> list[Granted]:
    """What the commitment asks the supervisor to accept; [] for most draws."""
    rows = (draw.snapshot or {}).get("guards", [])
    return [
        Granted(row["code"], row["accepted"], Text(row["zh"], row["en"]))
        for row in rows
        if "accepted" in row
    ]


def taken_up(draw: Draw, ticked: Sequence[str]) -> list[list[str]]:
    """[[code, reason, hash of the words], ...] for the ledger.

    DomainError on field `accepted` unless `ticked` are exactly the codes of the exceptions: who does
    not agree to one does not cosign.
    """
    rows = exceptions(draw)
    if set(ticked) != {row.code for row in rows}:
        raise DomainError(messages.NOT_TAKEN_UP, field="accepted")
    return [
        [
            row.code,
            row.reason,
            digest({"zh": row.text.zh, "en": row.text.en, "salt": draw.salt}),
        ]
        for row in rows
    ]
