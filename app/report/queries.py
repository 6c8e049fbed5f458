"""Reading reports. The office and the supervisor always; a panel's leader while it is drafted; its
members from the moment at which they are asked to sign. A presenter and everybody else never see the
paper here: once it is final, an expert reads his own figures. An administrator sees no marks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.accounts.viewer import Viewer
from app.aggregation import queries as runs
from app.aggregation.diagnostics_queries import diagnosis_of
from app.directory.models import FormerValue, Person
from app.domain.types import NotFound, Text
from app.draw import disclosure
from app.draw.models import Draw, Seat
from app.draw.supplements import sits_on
from app.panel.models import Panel
from app.programme.instruments import stage_text
from app.programme.models import Round
from app.registry.models import Expert
from app.registry.queries import employer_name, employer_on
from app.report.models import Report, Signature

ABSENT = Text(
    "没有找到这份报告，或者它不对您开放。", "There is no such report, or it is not open to you."
)
READERS = ("office", "supervisor")


@dataclass(frozen=True, slots=True)
class Final:
    """The day of a final report, and the names of then of whoever has another by now, by person."""

    day: date
    names: dict[str, str]


@dataclass(frozen=True, slots=True)
class Member:
    """An expert of the round's panels: every active seat, and the panels he leads. A final report
    keeps the name and the employer that it was made with, whatever they became."""

    expert: Expert
    seats: tuple[tuple[Panel, Seat], ...]
    final: Final | None = None

    @property
    def name(self) -> str:
        then = self.final.names.get(self.expert.person_id) if self.final else None
        return then or self.expert.person.name

    @property
    def employer(self) -> str:
        """ "" when none is known."""
        person = self.expert.person
        return employer_on(person, self.final.day) if self.final else employer_name(person)

    @property
    def leads(self) -> bool:
        return any(panel.leader_seat_id == seat.id for panel, seat in self.seats)

    @property
    def places(self) -> Text:
        """Where he sits: "综合评审 3 号、实地考核 1 号"."""
        parts = [
            Text("{s} {n} 号", "{s} seat {n}").format(s=stage_text(panel.stage), n=seat.number)
            for panel, seat in self.seats
        ]
        return Text("、".join(p.zh for p in parts), ", ".join(p.en for p in parts))

    @property
    def role(self) -> Text:
        if self.leads:
            return Text("评审组组长", "Panel leader")
        return Text("评审组成员", "Panel member")


def members(session: Session, round_: Round, finished: datetime | None = None) -> list[Member]:
    """Everybody who has to sign: experts on active seats, leaders first, then by panel and seat; with
    the names of the moment at which a report was finished."""
    rows = session.execute(
        select(Panel, Seat)
        .join(Seat, sits_on(Panel.draw_id) & (Seat.panel == Panel.code))
        .where(Panel.round_id == round_.id, Seat.state != "removed")
        .order_by(Panel.stage, Panel.code, Seat.number)
    ).all()
    found: dict[str, list[tuple[Panel, Seat]]] = {}
    for panel, seat in rows:
        found.setdefault(seat.expert_id, []).append((panel, seat))
    final = _final(session, {s[0][1].expert.person_id for s in found.values()}, finished)
    made = [Member(seats[0][1].expert, tuple(seats), final) for seats in found.values()]
    return sorted(made, key=lambda m: not m.leads)


def _final(session: Session, people: set[str], finished: datetime | None) -> Final | None:
    if finished is None:
        return None
    # A record that was merged into this one left its own name here: that is no name of then.
    merged = {
        (row.merged_into, row.name)
        for row in session.execute(
            select(Person.merged_into, Person.name).where(Person.merged_into.in_(people))
        )
    }
    names: dict[str, str] = {}
    for row in session.scalars(
        select(FormerValue)
        .where(
            FormerValue.person_id.in_(people),
            FormerValue.field == "name",
            FormerValue.changed_at > finished,
        )
        .order_by(FormerValue.changed_at)
    ):
        if (row.person_id, row.value) not in merged:
            names.setdefault(row.person_id, row.value)
    zone = ZoneInfo(session.info["settings"].timezone)
    return Final(finished.astimezone(zone).date(), names)


def shown_names(session: Session, found: list[Member]) -> list[str]:
    """Names; of a member whom a sealed draw seated his pseudonym there."""
    sealed = disclosure.sealed_draws(session, {s.draw_id for m in found for _, s in m.seats})
    told = [next((s for _, s in m.seats if s.draw_id in sealed), None) for m in found]
    hidden = iter(disclosure.shown_names(session, [seat for seat in told if seat]))
    return [next(hidden) if seat else m.name for m, seat in zip(found, told, strict=True)]


def draws_of(session: Session, round_: Round) -> list[Draw]:
    """The draws from which the members of the round's panels come, supplementary ones too."""
    found = {seat.draw_id: seat.draw for m in members(session, round_) for _, seat in m.seats}
    return [found[key] for key in sorted(found)]


def member_of(session: Session, viewer: Viewer, round_: Round) -> Member | None:
    """The viewer as a member of the round's panels."""
    if viewer.role != "expert":
        return None
    return next(
        (m for m in members(session, round_) if m.expert.person_id == viewer.person_id), None
    )


def reports(session: Session, viewer: Viewer, round_: Round) -> list[Report]:
    """The reports of a round that the viewer may read, the latest first."""
    rows = session.scalars(
        select(Report)
        .where(Report.round_id == round_.id)
        .options(selectinload(Report.signatures))
        .order_by(Report.number.desc())
    ).all()
    if viewer.role in READERS:
        return list(rows)
    member = member_of(session, viewer, round_)
    return [row for row in rows if member is not None and _open_to(member, row)]


def _open_to(member: Member, report: Report) -> bool:
    return member.leads or report.state != "drafting"


def report(session: Session, viewer: Viewer, round_: Round, number: int) -> Report:
    """One report by its number; NotFound."""
    for row in reports(session, viewer, round_):
        if row.number == number:
            return row
    raise NotFound(ABSENT)


def last_report(session: Session, round_: Round) -> Report | None:
    """The latest report of a round."""
    return session.scalar(
        select(Report).where(Report.round_id == round_.id).order_by(Report.number.desc()).limit(1)
    )


def final_report(session: Session, round_: Round) -> Report | None:
    """The report in force."""
    return session.scalar(
        select(Report)
        .where(Report.round_id == round_.id, Report.state == "final")
        .order_by(Report.number.desc())
        .limit(1)
    )


def report_before(session: Session, report_: Report) -> Report | None:
    """The report whose words this one took over when it was begun."""
    return session.scalar(
        select(Report).where(
            Report.round_id == report_.round_id, Report.number == report_.number - 1
        )
    )


def finals_before(session: Session, report_: Report) -> list[Report]:
    """Earlier final reports of the round, which a new final one replaces."""
    return list(
        session.scalars(
            select(Report).where(
                Report.round_id == report_.round_id,
                Report.state == "final",
                Report.number < report_.number,
            )
        )
    )


def signatures(report_: Report) -> dict[str, Signature]:
    """Expert id -> what he put under the report."""
    return {row.expert_id: row for row in report_.signatures}


def waiting(session: Session, report_: Report) -> list[Member]:
    """Members of whom nothing is recorded yet."""
    done = signatures(report_)
    return [m for m in members(session, report_.round) if m.expert.id not in done]


def own_result(session: Session, viewer: Viewer, round_: Round) -> dict[str, Any]:
    """Once a report is final, an expert's own figures: `{report, figures, marking}`; NotFound before,
    and for everybody else. `marking`: how he marks, by stage, nothing about anybody else. A county reads its result in the aggregation room, once it is released."""
    final = final_report(session, round_)
    member = member_of(session, viewer, round_)
    if final is None or member is None:
        raise NotFound(ABSENT)
    seats = [seat.id for _, seat in member.seats]
    looked = diagnosis_of(session, final.run)
    marking = looked.own(seats) if looked.stale is None else []
    return {"report": final, "figures": runs.own_figures(final.run, seats), "marking": marking}
