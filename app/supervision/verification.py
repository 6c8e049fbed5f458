"""The last full verification: what was checked, up to which entry, when and by whom.

Kept in one file of the installation, outside the database and outside backups: whoever rolls the
database back does not roll this back with it, and a restored copy has not been verified until
somebody does it there. A page may read it in no time; what it may then claim is that everything up
to the kept head was sound at the kept time, and no more.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from app import clock
from app.domain.ledger.merkle import root_of_edge
from app.domain.types import DomainError, Text
from app.files.store import Store
from app.keys import Keys
from app.ledger import prove
from app.ledger.prove import TreeHead
from app.supervision.check_words import NAMES
from app.supervision.doctor import LEDGER, ROOMS, examine

FORMAT = 1
SHOWN = 20  # faults of one check that are kept in words; all are counted
Tell = Callable[[Text], None]


@dataclass(frozen=True, slots=True)
class Check:
    """One named check: how many faults it found, and the first of them."""

    name: str
    count: int
    faults: tuple[Text, ...]

    @property
    def title(self) -> Text:
        return NAMES.get(self.name, Text.of(self.name))


@dataclass(frozen=True, slots=True)
class Verification:
    """One full verification. `edge` is the right edge of the tree at `head`; `seconds` it took."""

    head: TreeHead
    edge: tuple[bytes, ...]
    at: datetime
    by: str  # name, or "" for the command line
    seconds: int
    rows: int
    checkpoints: int
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        return not any(check.count for check in self.checks)

    @property
    def ledger_ok(self) -> bool:
        return not any(check.count for check in self.checks if check.name == LEDGER)

    @property
    def last(self) -> int:
        """Number of the last entry that was verified, from 0; -1 of an empty ledger."""
        return self.head.size - 1


def everything(
    session: Session, keys: Keys, store: Store, by: str = "", tell: Tell = lambda _: None
) -> Verification:
    """Verify all entries, rows, signed heads, files and invariants now. Reads only; takes seconds."""
    began, at = time.monotonic(), clock.now()
    size = prove.head(session).size
    tell(Text(f"账本：逐条重算 {size} 条并核对每一行", f"ledger: {size} entries and every row"))
    report = prove.verify(session, keys)
    checks = []
    for number, (name, faults) in enumerate(examine(session, keys, store, report), 1):
        checks.append(Check(name, len(faults), tuple(faults[:SHOWN])))
        end = Text("成立", "holds") if not faults else Text("不成立", "BROKEN")
        title, whole = checks[-1].title, len(ROOMS) + 2
        tell(
            Text(f"{number}/{whole} {title.zh}：{end.zh}", f"{number}/{whole} {title.en}: {end.en}")
        )
    return Verification(
        report.head or TreeHead(0, root_of_edge([])), report.edge, at, by,
        round(time.monotonic() - began), report.rows, report.checkpoints, tuple(checks),
    )  # fmt: skip


def path(home: Path) -> Path:
    return home / "verified.json"


def keep(home: Path, made: Verification) -> None:
    """Put `made` in the place of the last one, whole or not at all. OSError where it cannot be written."""
    document = {
        "format": FORMAT,
        "head": str(made.head),
        "edge": [node.hex() for node in made.edge],
        "at": clock.stamp(made.at),
        "by": made.by,
        "seconds": made.seconds,
        "rows": made.rows,
        "checkpoints": made.checkpoints,
        "checks": [[c.name, c.count, [[f.zh, f.en] for f in c.faults]] for c in made.checks],
    }
    text = json.dumps(document, ensure_ascii=False).encode("utf-8", "backslashreplace")
    handle, name = tempfile.mkstemp(dir=home, prefix="verified-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.replace(name, path(home))
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def last(home: Path) -> Verification | None:
    """The last full verification; None where there is none, or none that can be read."""
    try:
        kept = json.loads(path(home).read_bytes())
        made = Verification(
            TreeHead.parse(kept["head"]), tuple(map(bytes.fromhex, kept["edge"])),
            datetime.fromisoformat(kept["at"]), str(kept["by"]), int(kept["seconds"]),
            int(kept["rows"]), int(kept["checkpoints"]),
            tuple(Check(n, int(c), tuple(Text(*f) for f in fs)) for n, c, fs in kept["checks"]),
        )  # fmt: skip
    except (OSError, ValueError, LookupError, TypeError, AttributeError, DomainError):
        return None
    whole = kept.get("format") == FORMAT and made.at.tzinfo and made.checks
    fits = (
        len(made.edge) == made.head.size.bit_count() and root_of_edge(made.edge) == made.head.root
    )
    return made if whole and fits else None
