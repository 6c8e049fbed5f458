"""Who may see which names of a draw, and from when on (rule D-14; Bidding Law art. 37).

One question for every page, paper and export: `may_see_names`. In a sealed draw nobody may before the
disclosure, the supervisor included; the named caller looks at one name after the other, on record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app import clock
from app.accounts.models import Account, RoleGrant
from app.accounts.viewer import Viewer
from app.directory.models import Employment, Person
from app.domain.types import Text
from app.draw.models import TRAINEE_ACT, Candidate, Draw, Seat
from app.draw.models_calls import DrawDisclosure, NameView
from app.programme.models import Round
from app.registry.models import Expert
from app.registry.queries import employer_name

OVERSEERS = ("office", "supervisor")
HIDDEN = Text("（未公开）", "(not disclosed)")


@dataclass(frozen=True)
class Named:
    """One line of the published list of members."""

    panel: str
    number: int
    pseudonym: str
    name: str
    employer: str
    title: str
    how: Text
    drawn: bool
    active: bool


def of(session: Session, draw: Draw) -> DrawDisclosure | None:
    """What was chosen for a draw; None stands for: not sealed, published with the result."""
    return session.scalar(select(DrawDisclosure).where(DrawDisclosure.draw_id == draw.id))


def is_sealed(session: Session, draw: Draw) -> bool:
    """Sealed and not yet disclosed."""
    chosen = of(session, draw)
    return chosen is not None and chosen.sealed and not _open(chosen, draw.round)


def _open(chosen: DrawDisclosure | None, round_: Round) -> bool:
    if chosen is not None and chosen.opened_at is not None:
        return True
    if chosen is not None and chosen.until == "moment":
        return chosen.opens_at is not None and clock.now() >= chosen.opens_at
    return round_.phase == "closed"


def published(session: Session, draw: Draw) -> bool:
    """Are the names public: the result published, the round closed, or the set moment past?"""
    return draw.state == "completed" and _open(of(session, draw), draw.round)


def may_see_names(session: Session, viewer: Viewer, draw: Draw) -> bool:
    """May this viewer read who stands behind the pseudonyms of this draw?

    Office and supervisor: unless the draw is sealed. Everybody: once the names are published.
    """
    chosen = of(session, draw)
    if draw.state == "completed" and _open(chosen, draw.round):
        return True
    return viewer.role in OVERSEERS and not (chosen is not None and chosen.sealed)


def is_caller(session: Session, viewer: Viewer, draw: Draw) -> bool:
    """Is this the caller named beforehand for a sealed draw?"""
    chosen = of(session, draw)
    return chosen is not None and chosen.sealed and chosen.caller_id == viewer.id


def sealed_draws(session: Session, draw_ids: Iterable[str]) -> set[str]:
    """Those of the draws whose names nobody may see yet, in one statement."""
    rows = session.execute(
        select(DrawDisclosure, Round)
        .join(Draw, Draw.id == DrawDisclosure.draw_id)
        .join(Round, Round.id == Draw.round_id)
        .where(DrawDisclosure.draw_id.in_(set(draw_ids)), DrawDisclosure.sealed)
    )
    return {chosen.draw_id for chosen, round_ in rows if not _open(chosen, round_)}


def labels(session: Session, viewer: Viewer, draw: Draw) -> dict[str, str]:
    """Seat id -> "E0001 name", or the pseudonym where the viewer may not see names."""
    known = pseudonyms(session, draw)
    if may_see_names(session, viewer, draw):
        return {s.id: f"{s.expert.number} {s.expert.person.name}" for s in draw.seats}
    return {s.id: known.get(s.expert_id, f"{s.panel}-{s.number}") for s in draw.seats}


def shown_names(session: Session, seats: Iterable[Seat]) -> list[str]:
    """For a list in a message or a form: names, or pseudonyms of draws that are sealed."""
    rows = list(seats)
    sealed = {
        draw.id: pseudonyms(session, draw)
        for draw in {seat.draw.id: seat.draw for seat in rows}.values()
        if is_sealed(session, draw)
    }
    return [
        sealed[s.draw_id].get(s.expert_id, f"{s.panel}-{s.number}")
        if s.draw_id in sealed
        else s.expert.person.name
        for s in rows
    ]


def kept_until(session: Session, draws: Iterable[Draw], moment: datetime) -> bool:
    """Do names of one of these draws open only later than `moment`, whatever else is published?"""
    found = [of(session, draw) for draw in draws]
    return any(
        row is not None and row.until == "moment" and row.opens_at is not None
        and row.opens_at > moment and row.opened_at is None
        for row in found
    )  # fmt: skip


def pseudonyms(session: Session, draw: Draw) -> dict[str, str]:
    """Expert id -> pseudonym of this draw, in one statement without loading the people."""
    rows = session.execute(
        select(Candidate.expert_id, Candidate.pseudonym).where(Candidate.draw_id == draw.id)
    )
    return {row.expert_id: row.pseudonym for row in rows}


def callers(session: Session) -> list[tuple[str, str]]:
    """(account id, name) of everybody in the office: who can be named as caller."""
    rows = session.execute(
        select(Account.id, Person.name)
        .join(Person, Person.id == Account.person_id)
        .join(RoleGrant, RoleGrant.person_id == Account.person_id)
        .where(RoleGrant.role == "office", RoleGrant.until.is_(None), Account.active)
        .order_by(Person.name, Account.id)
    )
    return [(row.id, row.name) for row in rows]


def looks(session: Session, draw: Draw) -> dict[str, list[NameView]]:
    """Seat id -> looks of the caller at its name, oldest first."""
    found: dict[str, list[NameView]] = {}
    rows = session.scalars(
        select(NameView)
        .join(Seat, Seat.id == NameView.seat_id)
        .where(Seat.draw_id == draw.id)
        .order_by(NameView.at)
    )
    for row in rows:
        found.setdefault(row.seat_id, []).append(row)
    return found


def member_list(session: Session, draw: Draw) -> list[Named]:
    """The list that is published: every seat with its name and how its holder came to it.

    Members who were not drawn at random are marked (rule D-14).
    """
    known = pseudonyms(session, draw)
    posts = (  # at once: else each seat would ask for its own
        joinedload(Seat.expert)
        .joinedload(Expert.person)
        .subqueryload(Person.employments)
        .joinedload(Employment.organisation)
    )
    seats = (
        select(Seat)
        .where(Seat.draw_id == draw.id, Seat.act > TRAINEE_ACT)
        .options(posts)
        .order_by(Seat.panel, Seat.number, Seat.act)
    )
    lines = []
    for seat in session.scalars(seats):
        drawn = seat.expert_id in known
        if not drawn:
            how = Text("非随机抽取", "not drawn at random")
        elif seat.act > 1:
            how = Text("第 {n} 次补抽", "replacement act {n}").format(n=seat.act)
        elif draw.request.get("supplement"):
            how = Text("补充抽取", "supplementary draw")
        else:
            how = Text("随机抽取", "drawn at random")
        person = seat.expert.person
        lines.append(
            Named(
                seat.panel, seat.number, known.get(seat.expert_id, ""), person.name,
                employer_name(person), seat.expert.title, how, drawn, seat.active,
            )
        )  # fmt: skip
    return lines
