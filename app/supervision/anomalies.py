"""What a supervisor who suspects the office looks at first: everything out of the ordinary.

Each anomaly has a definition with its threshold, shown beside it; a definition without data says so
and never passes silently. An anomaly is a reason to ask, not a finding of guilt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.domain.types import Text
from app.ledger.since import Growth, growth
from app.supervision import (
    anomalies_draws,
    anomalies_people,
    anomalies_record,
    anomalies_refusals,
    heads,
    rates,
    shares,
)
from app.supervision.definitions import DEFINITIONS, Anomaly, Definition
from app.supervision.doctor import LEDGER
from app.supervision.verification import Verification


@dataclass
class Overview:
    """Everything found, most severe first, and how each question was answered.

    `kept` is the last full verification and `growth` what came after it: together they are all that
    the page may say of ledger and invariants. Without `kept` it may say nothing.
    """

    kind: str
    kept: Verification | None = None
    growth: Growth | None = None
    found: list[Anomaly] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    notes: dict[str, Text] = field(default_factory=dict)  # definition -> too few, not computed
    present: dict[str, Text] = field(default_factory=dict)  # definition -> as of when it was asked

    @property
    def answers(self) -> list[tuple[Definition, int, Text | None, bool]]:
        """Every definition with its number of anomalies, a remark, and whether it was asked at all,
        in order of severity."""
        return [
            (d, self.counts[d.code], self.notes.get(d.code) or self.present.get(d.code),
             d.code not in self.notes)
            for d in DEFINITIONS.values()
        ]  # fmt: skip

    @property
    def whole(self) -> bool:
        """Is everything up to the present entry known to be sound, as far as the kept time allows?"""
        return bool(self.kept and self.kept.ok and self.growth and self.growth.complete)


def overview(
    session: Session, viewer: Viewer, kept: Verification | None, kind: str | None = None
) -> Overview:
    """Every question answered over the present data; statistics over draws of one kind. Ledger and
    invariants are not verified here: their answers are those of `kept`, with what came after it."""
    viewer.require("supervisor")
    made = Overview(kind or rates.main_kind(session), kept)
    _add(made, _verified(session, made))
    _add(made, _papers(session, viewer))
    _add(made, anomalies_refusals.find(session))
    _add(made, anomalies_draws.find(session, made.kind))
    _add(made, anomalies_record.find(session, made.notes, made.present))
    found_rates = rates.rates(session, viewer, made.kind)
    found_shares = shares.shares(session, viewer, made.kind)
    _add(made, anomalies_people.find(found_rates, found_shares, made.notes))
    made.found.sort(key=lambda a: (a.definition.severity, -a.weight, a.code))
    return made


def _add(made: Overview, found: Iterable[Anomaly]) -> None:
    for anomaly in found:
        made.found.append(anomaly)
        made.counts[anomaly.code] += 1


def _verified(session: Session, made: Overview) -> Iterable[Anomaly]:
    """What the last full verification found, and what does not follow from it."""
    kept = made.kept
    if kept is None:
        made.notes["ledger"] = made.notes["doctor"] = Text("尚未核验", "not verified yet")
        return
    up_to = Text("截至第 {n} 条", "up to entry {n}").format(n=kept.last)
    made.present["ledger"] = made.present["doctor"] = up_to
    for check in kept.checks:
        if check.count:
            ledger = check.name == LEDGER
            first = check.faults[0]
            yield Anomaly(
                "ledger" if ledger else "doctor",
                Text(
                    f"{check.title.zh}：{check.count} 处，首处：{first.zh}",
                    f"{check.title.en}: {check.count} fault(s), the first: {first.en}",
                ),
                "supervision.doctor",
                weight=check.count,
            )
    if kept.ledger_ok:
        made.growth = growth(session, kept.head, list(kept.edge))
        for fault in made.growth.faults:
            yield Anomaly("ledger", fault, "supervision.verify", weight=1)
        if made.growth.complete and made.growth.new:
            made.present["ledger"] = Text(
                "截至第 {n} 条，其后 {m} 条已接上", "up to entry {n}; {m} later ones follow from it"
            ).format(n=kept.last, m=made.growth.new)


def _papers(session: Session, viewer: Viewer) -> Iterable[Anomaly]:
    for kept in heads.kept(session, viewer):
        if not kept.answer.ok:
            where: dict[str, Any] = {"head": str(kept.answer.printed)}
            yield Anomaly(
                "paper", kept.answer.text, "supervision.compare", where, kept.answer.printed.size
            )
