"""Conflicts that come to light after the draw: on the signed declaration, while scoring, by telephone,
or by a county's challenge. Each is a removal (rules D-09, D-10), which the draw room carries out.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.accounts.viewer import Viewer
from app.domain.types import DomainError, Forbidden, Text
from app.draw.models import Seat
from app.draw.supplements import sits_on
from app.panel import queries, trainees
from app.panel.models import Challenge, Declaration, Panel, Sitting
from app.programme.models import Round
from app.registry import operations as registry
from app.registry.models import Interest
from app.registry.queries_registers import may_read

LIVE = ("declared", "upheld")


@dataclass(frozen=True)
class Recusal:
    """One seat that is to be replaced, and why. `ground` and `ref` prefill the removal; `words` is
    None when the reason is not the viewer's to read; `county` None = the panel as a whole."""

    panel: Panel
    seat: Seat
    county: Text | None
    ground: str
    ref: str
    at: datetime
    words: str | None
    pending: bool


@dataclass(frozen=True)
class Case:
    """A challenge with its sitting and the seat it is about."""

    row: Challenge
    sitting: Sitting
    seat: Seat


def stand_aside(
    session: Session,
    actor: Viewer,
    *,
    sitting: Sitting,
    seat: Seat,
    kind: str,
    evidence: str,
) -> Interest:
    """An expert who sits already declares a link to the county: himself, or through the office, which
    says when and how he told it. It goes to the supervisor like every declaration; the seat scores
    nothing for the county meanwhile. A trainee who does so sits along no more."""
    actor.require("expert", "office")
    if actor.role == "expert":
        own = queries.working_seat(session, actor, sitting.panel)
        if own is None or own.id != seat.id:
            raise Forbidden(Text("只能为本人申报。", "You can declare for yourself alone."))
    elif seat.id not in {row.id for row in queries.seats(session, sitting.panel)}:
        raise DomainError(Text("该席位不在本组。", "That seat is not on this panel."), field="seat")
    if seat.trainee:
        row = trainees.one_of_seat(session, seat)
        trainees.end(session, actor, trainee=row, reason=trainees.STOOD_ASIDE)
    code, _, detail = kind.partition(":")
    return registry.declare_interest(
        session, actor, expert=seat.expert, kind=code, detail=detail or None, side="expert",
        evidence=evidence, region_code=sitting.subject.place_code,
    )  # fmt: skip


def late_links(session: Session, sitting: Sitting, seats: list[Seat]) -> dict[str, list[Interest]]:
    """Seat id -> links of its expert to the county that are pending or upheld."""
    experts = {seat.expert_id: seat.id for seat in seats}
    found: dict[str, list[Interest]] = defaultdict(list)
    for row in session.scalars(
        select(Interest)
        .where(
            Interest.expert_id.in_(experts),
            Interest.region_code == sitting.subject.place_code,
            Interest.status.in_(LIVE),
        )
        .order_by(Interest.declared_at)
    ):
        found[experts[row.expert_id]].append(row)
    return found


def cases(session: Session, viewer: Viewer, round_: Round) -> list[Case]:
    """Every challenge of the round, open ones first, then the latest."""
    viewer.require("office", "supervisor")
    rows = session.execute(
        select(Challenge, Sitting, Seat)
        .join(Sitting, Sitting.id == Challenge.sitting_id)
        .join(Panel, Panel.id == Sitting.panel_id)
        .join(Seat, Seat.id == Challenge.seat_id)
        .where(Panel.round_id == round_.id)
        .order_by(Challenge.decision.is_not(None), Challenge.raised_at.desc())
    )
    return [Case(*row) for row in rows]


def recusals(session: Session, viewer: Viewer, round_: Round) -> list[Recusal]:
    """Active seats of the round that are to be replaced, by panel and seat; as many queries whatever
    the number of panels."""
    viewer.require("office", "supervisor")
    panels = list(
        session.scalars(
            select(Panel)
            .where(Panel.round_id == round_.id)
            .options(selectinload(Panel.sittings))
            .order_by(Panel.stage, Panel.code)
        )
    )
    if not panels:
        return []
    by_id = {panel.id: panel for panel in panels}
    seated: dict[str, dict[str, Seat]] = {panel.id: {} for panel in panels}
    for panel_id, seat in session.execute(
        select(Panel.id, Seat)
        .join(Seat, sits_on(Panel.draw_id) & (Seat.panel == Panel.code))
        .where(Panel.round_id == round_.id, Seat.state != "removed")
        .order_by(Seat.number)
    ):
        seated[panel_id][seat.id] = seat
    found: list[Recusal] = []
    for signed in session.scalars(
        select(Declaration).where(Declaration.panel_id.in_(by_id), Declaration.kind == "conflict")
    ):
        held = seated[signed.panel_id].get(signed.seat_id)
        if held is not None and any(bool(value) for value in signed.answers.values()):
            found.append(
                Recusal(
                    by_id[signed.panel_id], held, None, "declaration", signed.id, signed.signed_at,
                    None, False,
                )
            )  # fmt: skip
    found += _links(session, viewer, panels, seated)
    for row, sitting in session.execute(
        select(Challenge, Sitting)
        .join(Sitting, Sitting.id == Challenge.sitting_id)
        .where(Sitting.panel_id.in_(by_id), Challenge.decision == "upheld")
    ):
        held = seated[sitting.panel_id].get(row.seat_id)
        if held is not None:
            found.append(
                Recusal(
                    by_id[sitting.panel_id], held, sitting.subject.name, "challenge", row.id,
                    row.decided_at or row.raised_at, row.decision_reason, False,
                )
            )  # fmt: skip
    return sorted(found, key=lambda r: (r.panel.stage, r.panel.code, r.seat.number, r.at))


def _links(
    session: Session, viewer: Viewer, panels: list[Panel], seated: dict[str, dict[str, Seat]]
) -> list[Recusal]:
    people = {seat.expert_id for seats in seated.values() for seat in seats.values()}
    links: dict[str, list[Interest]] = defaultdict(list)
    for row in session.scalars(
        select(Interest).where(
            Interest.expert_id.in_(people),
            Interest.region_code.is_not(None),
            Interest.status.in_(LIVE),
        )
    ):
        links[row.expert_id].append(row)
    found = []
    for panel in panels:
        counties: dict[str, Text] = {}
        for sitting in panel.sittings:  # a county and its zones are one place
            subject = sitting.subject
            before = counties.get(subject.place_code)
            both = Text("{a}、{b}", "{a}, {b}")
            counties[subject.place_code] = (
                subject.name if before is None else both.format(a=before, b=subject.name)
            )
        for seat in seated[panel.id].values():
            for row in links[seat.expert_id]:
                if row.region_code in counties:
                    found.append(
                        Recusal(
                            panel, seat, counties[row.region_code], "sheet", row.id,
                            row.declared_at, row.evidence if may_read(viewer, row) else None,
                            row.status == "declared",
                        )
                    )  # fmt: skip
    return found
