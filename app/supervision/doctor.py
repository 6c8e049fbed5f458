"""`doctor`: every room's invariants over live data, each by name, and the ledger itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy.orm import Session

from app.aggregation.invariants import INVARIANTS as AGGREGATION
from app.directory.invariants import INVARIANTS as DIRECTORY
from app.domain.types import Text
from app.draw.invariants import INVARIANTS as DRAW
from app.field.invariants import INVARIANTS as FIELD
from app.files.store import Store
from app.keys import Keys
from app.ledger import prove
from app.panel.invariants import INVARIANTS as PANEL
from app.programme.invariants import INVARIANTS as PROGRAMME
from app.registry.invariants import INVARIANTS as REGISTRY
from app.report.invariants import INVARIANTS as REPORT
from app.scoring.invariants import INVARIANTS as SCORING

Check = tuple[str, Callable[[Session], list[Text]]]
ROOMS: tuple[Check, ...] = (
    *DIRECTORY,
    *REGISTRY,
    *PROGRAMME,
    *DRAW,
    *PANEL,
    *SCORING,
    *FIELD,
    *AGGREGATION,
    *REPORT,
)


LEDGER, FILES = "the ledger verifies and covers every row", "stored files fit their hashes"


def examine(
    session: Session, keys: Keys, store: Store, report: prove.Report | None = None
) -> Iterator[tuple[str, list[Text]]]:
    """Name and faults of each invariant, the ledger first; no fault means that it holds.

    `report`: the ledger's check, where it was made in this same session already.
    """
    yield LEDGER, (report or prove.verify(session, keys)).faults
    yield (
        FILES,
        [
            Text(f"文件 {row.sha256[:12]} 损坏", f"file {row.sha256[:12]} is damaged")
            for row in store.verify()
        ],
    )
    for name, check in ROOMS:
        yield name, check(session)
