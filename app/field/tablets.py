"""Whose tablets a round has to do with: its experts, presenters and recorders."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import Account, Tablet
from app.accounts.viewer import Viewer
from app.directory.models import Person
from app.domain.types import NotFound, Text
from app.draw.models import TRAINEE_ACT, Seat
from app.draw.supplements import sits_on
from app.panel.models import Panel
from app.panel.queries import at_work
from app.programme.models import Round, Subject
from app.registry.models import Expert

ABSENT = Text("没有这台平板，或它不归您管。", "There is no such tablet, or it is not yours.")
EXPERT, PRESENTER, RECORDER = (
    Text("专家", "Expert"),
    Text("陈述人", "Presenter"),
    Text("记录员", "Recorder"),
)


@dataclass(slots=True)
class Holder:
    """One person of the round with his tablets. An expert is named by his seat, so that a draw that
    keeps its names keeps them here too."""

    account_id: str | None
    duty: Text
    place: Text
    seat: Seat | None = None
    name: str = ""
    tablets: list[Tablet] = field(default_factory=list)

    @property
    def live(self) -> list[Tablet]:
        return [row for row in self.tablets if row.revoked_at is None]


def must_be_own(session: Session, viewer: Viewer, tablet_id: str) -> None:
    """NotFound unless the tablet is the viewer's."""
    tablet = session.get(Tablet, tablet_id)
    if tablet is None or tablet.account_id != viewer.id:
        raise NotFound(ABSENT)


def must_belong(session: Session, viewer: Viewer, round_: Round, tablet_id: str) -> None:
    """NotFound unless the tablet belongs to somebody of the round."""
    known = {row.id for holder in of_round(session, viewer, round_) for row in holder.tablets}
    if tablet_id not in known:
        raise NotFound(ABSENT)


def of_round(session: Session, viewer: Viewer, round_: Round) -> list[Holder]:
    """Everybody of a round who may have a tablet, with those that he ever bound: experts by panel
    and seat, presenters by county, recorders. Five queries, whatever the number of people."""
    viewer.require("office", "supervisor")
    found: list[Holder] = []
    seats = session.execute(
        select(Panel.stage, Panel.code, Seat, Account.id)
        .select_from(Panel)
        .join(Seat, sits_on(Panel.draw_id) & (Seat.panel == Panel.code))
        .join(Expert, Seat.expert_id == Expert.id)
        .outerjoin(Account, Account.person_id == Expert.person_id)
        .where(Panel.round_id == round_.id, at_work())
        .order_by(Panel.stage, Panel.code, Seat.act == TRAINEE_ACT, Seat.number)
    )
    for _, code, seat, account_id in seats:
        place = Text(f"{code} 组 {seat.number} 号席", f"panel {code}, seat {seat.number}")
        if seat.trainee:
            place = Text(f"{code} 组见习 {seat.number}", f"panel {code}, trainee {seat.number}")
        found.append(Holder(account_id, EXPERT, place, seat=seat))
    counties = session.execute(
        select(Subject, Person.name, Account.id)
        .select_from(Subject)
        .join(Person, Subject.presenter_id == Person.id)
        .outerjoin(Account, Account.person_id == Person.id)
        .where(Subject.round_id == round_.id)
        .order_by(Subject.position)
    )
    for subject, name, account_id in counties:
        found.append(Holder(account_id, PRESENTER, subject.name, name=name))
    recorders = session.execute(
        select(Panel.code, Person.name, Account.id)
        .select_from(Panel)
        .join(Account, Panel.recorder_id == Account.id)
        .join(Person, Account.person_id == Person.id)
        .where(Panel.round_id == round_.id)
        .order_by(Panel.stage, Panel.code)
    )
    for code, name, account_id in recorders:
        found.append(Holder(account_id, RECORDER, Text(f"{code} 组", f"panel {code}"), name=name))
    tablets: dict[str, list[Tablet]] = defaultdict(list)
    for row in session.scalars(
        select(Tablet)
        .where(Tablet.account_id.in_({h.account_id for h in found if h.account_id}))
        .order_by(Tablet.revoked_at.is_not(None), Tablet.bound_at.desc())
    ):
        tablets[row.account_id].append(row)
    for holder in found:
        holder.tablets = tablets.get(holder.account_id or "", [])
    return found
