"""The heavy proofs: what each is, its full count, its count in the ordinary tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.proof import crashes, draws, records

DRAW = ("app/domain/draw",)
LEDGER = ("app/ledger", "app/domain/ledger", "app/db.py")


@dataclass(frozen=True)
class Proof:
    """`run(count)` returns its figures in words, or raises AssertionError."""

    name: str
    title: str
    run: Callable[[int], str]
    count: int
    unit: str
    reduced: int
    about: tuple[str, ...]


PROOFS = (
    Proof("uniformity", "The draw is even; biased mutants are caught", draws.uniformity, 100_000, "draws", 4_000, DRAW),
    Proof("every-panel", "Every possible panel equally often", draws.every_panel, 100_000, "draws", 4_000, DRAW),
    Proof("lottery", "A lottery gives the chances it certifies", draws.lottery, 100_000, "draws", 3_000, DRAW),
    Proof("conflicts", "Nobody excluded is seated, quotas hold", draws.conflicts, 60_000, "requests", 1_000, (*DRAW, "app/verify.py")),
    Proof("transcripts", "A transcript changed in one place is rejected", records.transcripts, 3_000, "forgeries", 120, ("app/verify.py", *DRAW)),
    Proof("ledger-bits", "Every flipped bit of a ledger is found", records.ledger_bits, 200, "entries", 12, LEDGER),
    Proof("cells", "Every changed cell of the database is named", records.cells, 8, "values a cell", 0, (*LEDGER, "tests/rows.py")),
    Proof("kills", "kill -9 loses no acknowledged write", crashes.kills, 100, "kills", 3, (*LEDGER, "tests/proof/writer.py")),
)  # fmt: skip
