"""What a supervisor who suspects the office looks at first: everything out of the ordinary.

Each anomaly has a definition with its threshold, shown beside it; a definition without data says so
and never passes silently. An anomaly is a reason to ask, not a finding of guilt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.domain.types import Text
from app.files.store import Store
from app.keys import Keys
from app.ledger import prove
from app.supervision import (
    anomalies_draws,
    anomalies_people,
    anomalies_record,
    heads,
    rates,
    shares,
)
from app.supervision.definitions import DEFINITIONS, Anomaly, Definition
from app.supervision.doctor import examine

FULL_CHECK_UP_TO = 50_000  # ledger entries; above, the full check is a page of its own


@dataclass
class Overview:
    """Everything found, most severe first, and how each question was answered."""

    kind: str
    found: list[Anomaly] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    notes: dict[str, Text] = field(default_factory=dict)  # definition -> too few, not computed

    @property
    def answers(self) -> list[tuple[Definition, int, Text | None]]:
        """Every definition with its number of anomalies and a remark, in order of severity."""
        return [(d, self.counts[d.code], self.notes.get(d.code)) for d in DEFINITIONS.values()]


def overview(
    session: Session, viewer: Viewer, keys: Keys, store: Store, kind: str | None = None
) -> Overview:
    """Every question answered over the present data; statistics over draws of one kind."""
    viewer.require("supervisor")
    made = Overview(kind or rates.main_kind(session))
    _add(made, _checks(session, keys, store, made))
    _add(made, _papers(session, viewer))
    _add(made, anomalies_draws.find(session, made.kind))
    _add(made, anomalies_record.find(session, made.notes))
    found_rates = rates.rates(session, viewer, made.kind)
    found_shares = shares.shares(session, viewer, made.kind)
    _add(made, anomalies_people.find(found_rates, found_shares, made.notes))
    made.found.sort(key=lambda a: (a.definition.severity, -a.weight, a.code))
    return made


def _add(made: Overview, found: Iterable[Anomaly]) -> None:
    for anomaly in found:
        made.found.append(anomaly)
        made.counts[anomaly.code] += 1


def _checks(session: Session, keys: Keys, store: Store, made: Overview) -> Iterable[Anomaly]:
    if prove.head(session).size > FULL_CHECK_UP_TO:
        late = Text(
            "账本较大，此页未作全面检查；请另行打开检查页。",
            "The ledger is large and was not checked on this page; open the check itself.",
        )
        made.notes["ledger"] = made.notes["doctor"] = late
        return
    for place, (name, faults) in enumerate(examine(session, keys, store)):
        if not faults:
            continue
        code = "ledger" if place == 0 else "doctor"
        first = faults[0]
        yield Anomaly(
            code,
            Text(
                f"{_CHECK.get(name, name)}：{len(faults)} 处，首处：{first.zh}",
                f"{name}: {len(faults)} fault(s), the first: {first.en}",
            ),
            "supervision.verify" if place == 0 else "supervision.doctor",
            weight=len(faults),
        )


_CHECK: Mapping[str, str] = {
    "the ledger verifies and covers every row": "账本核验并覆盖每一行",
    "stored files fit their hashes": "文件与其哈希相符",
}


def _papers(session: Session, viewer: Viewer) -> Iterable[Anomaly]:
    for kept in heads.kept(session, viewer):
        if not kept.answer.ok:
            where: dict[str, Any] = {"head": str(kept.answer.printed)}
            yield Anomaly(
                "paper", kept.answer.text, "supervision.compare", where, kept.answer.printed.size
            )
