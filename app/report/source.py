"""What a report is made from, loaded once for all its sections and annexes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.aggregation.reading import Reading
from app.domain.types import Language, Text
from app.draw import disclosure
from app.draw.models import Draw
from app.draw.supplements import roots
from app.panel.models import Panel, Sitting, Statement
from app.programme.scheme import class_of, scheme_of
from app.programme.zones import UNIT_TEXT
from app.report import queries
from app.report.models import Report


@dataclass(frozen=True, slots=True)
class Source:
    """What the sections read, loaded once."""

    session: Session
    report: Report
    reading: Reading
    sittings: list[Sitting]
    statements: dict[str, Statement]
    draws: list[Draw]
    members: list[queries.Member]
    zone: str
    language: Language
    overseer: bool = False  # the supervisor's edition, which names who is pivotal

    @property
    def named(self) -> bool:
        """Names of members are printed once the report is closed, not before; not at all where they
        were to open at a moment later than that."""
        closed = self.report.finished_at
        return (
            self.report.head is not None
            and closed is not None
            and not disclosure.kept_until(
                self.session, {s.draw for m in self.members for _, s in m.seats}, closed
            )
        )


def source(session: Session, report: Report, language: Language, overseer: bool = False) -> Source:
    """Everything that the paper shows."""
    panels = select(Panel.id).where(Panel.round_id == report.round_id)
    sittings = list(
        session.scalars(
            select(Sitting)
            .where(Sitting.panel_id.in_(panels))
            .order_by(Sitting.panel_id, Sitting.position)
        )
    )
    statements = session.scalars(
        select(Statement).where(Statement.sitting_id.in_([s.id for s in sittings]))
    )
    drawn = set(session.scalars(select(Panel.draw_id).where(Panel.round_id == report.round_id)))
    draws = session.scalars(
        select(Draw)
        .where(Draw.id.in_(roots(session, drawn)), Draw.state == "completed")
        .order_by(Draw.stage, Draw.created_at)
    )
    return Source(
        session,
        report,
        Reading(report.run),
        sittings,
        {row.sitting_id: row for row in statements},
        list(draws),
        queries.members(session, report.round, report.finished_at),
        session.info["settings"].timezone,
        language,
        overseer,
    )


def class_title(s: Source, key: str) -> Text:
    """The title of a county's class."""
    group = s.reading.counties[key]["group"]
    if group in UNIT_TEXT:
        return UNIT_TEXT[group]
    found = class_of(scheme_of(s.report.round), group or "")
    return found.title if found else Text(f"{group} 类", f"class {group}")
