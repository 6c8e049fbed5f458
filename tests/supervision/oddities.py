"""One oddity of each kind that the supervision room asks about, and beside it the nearest thing that is
none. What is planted in `World.planting` is rolled back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import Invitation, ResetRequest, RoleGrant
from app.accounts.viewer import Viewer
from app.db import Database
from app.draw.models import Contact, Draw, Seat
from app.draw.models_ceremony import Abort
from app.draw.models_refusals import DrawRefusal
from app.draw.models_request import WhatIf
from app.ledger import prove
from app.ledger.append import append
from app.ledger.prove import TreeHead
from app.panel.models import Declaration, Panel
from app.registry.models import Expert
from app.supervision import anomalies, operations
from app.supervision.definitions import (
    HELD,
    ROLE_DAYS,
    STAFF_DAYS,
    WHAT_IFS,
)
from tests.conftest import Make
from tests.supervision.conftest import coin

DAY = timedelta(days=1)
BODY = "ab" * 8  # an employer of these tests
# Kinds whose planted data also break something that another kind asks about.
ALSO: dict[str, set[str]] = {"ledger": {"doctor"}, "doctor": {"ledger"}}


class _Undo(Exception):
    """Ends a transaction without keeping it."""


@dataclass
class World:
    """A pool, a completed drill with its panel and sitting, and the office and supervisor, all more
    than STAFF_DAYS old and done by the book."""

    database: Database
    keys: Any
    office: Viewer
    supervisor: Viewer
    draw_id: str
    round_id: str

    @contextmanager
    def planting(self) -> Iterator[Session]:
        try:
            with self.database.write() as session:
                yield session
                raise _Undo
        except _Undo:
            pass

    def counts(self, session: Session) -> Counter[str]:
        """How many of each kind; ledger and invariants are asked by the tests that need them."""
        session.flush()
        return anomalies.overview(session, self.supervisor, None, "drill").counts


Plant = Callable[[Session, World, bool], None]
PLANTS: dict[str, Plant] = {}


def plants(code: str) -> Callable[[Plant], Plant]:
    """The function plants one oddity of this kind; with False, the nearest thing that is none."""

    def register(work: Plant) -> Plant:
        PLANTS[code] = work
        return work

    return register


def attempt(session: Session, world: World, number: int, **more: Any) -> Draw:
    """A further draw of the round, by hand."""
    now = clock.now()
    values = {
        "round_id": world.round_id, "stage": "desk", "kind": "drill", "purpose_key": f"p{number}",
        "state": "draft", "request": {"panels": [], "sources": []}, "created_at": now, **more,
    }  # fmt: skip
    draw = Draw(**values)
    session.add(draw)
    session.flush()
    append(session, None, "test.draw", number=number)
    return draw


def drawn(
    session: Session, world: World, number: int, seated: list[Expert], chances: dict[str, str], **more: Any
) -> Draw:  # fmt: skip
    """A completed draw with the chances that it froze."""
    snapshot = {"chances": {"people": chances, "draws": 0}, "people": more.pop("people", {})}
    now = clock.now()
    draw = attempt(session, world, number, state="completed", snapshot=snapshot, drawn_at=now)
    for place, expert in enumerate(seated, 1):
        draw.seats.append(
            Seat(panel="P1", number=place, expert_id=expert.id, ticket="0" * 64, changed_at=now)
        )
    session.flush()
    append(session, None, "test.seats")
    return draw


def experts(session: Session) -> list[Expert]:
    return list(session.scalars(select(Expert).order_by(Expert.number)))


@plants("paper")
def _paper(session: Session, world: World, odd: bool) -> None:
    now = prove.head(session)
    head = TreeHead(now.size, bytes(32)) if odd else now
    operations.keep_head(session, world.supervisor, head, "测试抽取表")


@plants("refused")
def _refused(session: Session, world: World, odd: bool) -> None:
    event = append(session, world.office, "test.refused")
    session.add(
        DrawRefusal(
            round_id=world.round_id, draw_id=world.draw_id, actor_id=world.office.id, act="commit",
            reason="state" if odd else "input", seq=event.seq, at=clock.now(),
        )
    )  # fmt: skip
    session.flush()
    append(session, world.office, "test.kept")


def _ended(session: Session, world: World, state: str) -> None:
    draw = attempt(session, world, 1, state="aborted")
    session.add(
        Abort(draw_id=draw.id, state=state, cause="premises", by=world.office.id, at=clock.now())
    )
    session.flush()
    append(session, world.office, "test.ended")


@plants("aborts")
def _aborts(session: Session, world: World, odd: bool) -> None:
    if odd:
        _ended(session, world, "committed")
    else:
        attempt(session, world, 1, state="committed")


@plants("drafts")
def _drafts(session: Session, world: World, odd: bool) -> None:
    if odd:
        _ended(session, world, "draft")
    else:
        attempt(session, world, 1)


@plants("what_ifs")
def _what_ifs(session: Session, world: World, odd: bool) -> None:
    draw = attempt(session, world, 1)
    for number in range(1, WHAT_IFS + odd + 1):
        session.add(
            WhatIf(
                draw_id=draw.id, number=number, actor_id=world.office.id, at=clock.now(),
                request_digest="0" * 64, pool_digest="0" * 64, ledger_size=1, summary={},
            )
        )  # fmt: skip
    session.flush()
    append(session, world.office, "test.looks")


@plants("operator")
def _operator(session: Session, world: World, odd: bool) -> None:
    """Four clerks with 50 seats each; one in five declines, of the last clerk's six in ten."""
    everybody, make = experts(session), Make()
    make.count = 900
    with clock.fixed(clock.now() - 60 * DAY, timedelta(milliseconds=1)):
        clerks = [make.viewer(session, "office") for _ in range(4)]
    chances = {e.id: "0.8" for e in everybody}
    for place, clerk in enumerate(clerks):
        rate = 0.6 if odd and place == 3 else 0.2
        draw = drawn(session, world, place, everybody[:50], chances)
        for n, seat in enumerate(draw.seats):
            no = coin(f"clerk{place}", n) < rate
            seat.contacts.append(
                Contact(
                    at=clock.now(), channel="phone", by=clerk.id, reason="schedule" if no else None,
                    outcome="declined" if no else "accepted",
                )
            )  # fmt: skip
    session.flush()
    append(session, None, "test.calls")


@plants("expert")
def _expert(session: Session, world: World, odd: bool) -> None:
    """Ten draws of five from sixty: one expert sits in all of them, or everybody takes turns."""
    everybody = experts(session)
    chances = {e.id: "0.083333" for e in everybody}
    for number in range(10):
        turn = [everybody[(1 + 5 * number + n) % 60] for n in range(5)]
        seated = [everybody[0], *turn[1:]] if odd else turn
        drawn(session, world, number, seated, chances)


@plants("employer")
def _employer(session: Session, world: World, odd: bool) -> None:
    """Six draws; of an employer with six experts each sits once, or one of them in all."""
    everybody = experts(session)
    chances = {e.id: "0.02" for e in everybody}
    people = {e.id: {"employer": BODY} for e in everybody[:6]}
    for number in range(6):
        mine = [everybody[number]] if odd else []
        drawn(session, world, number, [*mine, everybody[20 + number]], chances, people=people)


@plants("guard")
def _guard(session: Session, world: World, odd: bool) -> None:
    guard = {"code": "probability_high", "zh": "甲", "en": "a", "accepted": "scarce" if odd else ""}
    attempt(
        session, world, 1, state="aborted", commitment_hash="0" * 64, snapshot={"guards": [guard]}
    )


@plants("envelope")
def _envelope(session: Session, world: World, odd: bool) -> None:
    by = world.supervisor if odd else world.office
    append(session, by, "draw.code", draw=world.draw_id, party="office")


@plants("dice")
def _dice(session: Session, world: World, odd: bool) -> None:
    """The draw has one open list and one that locked; a further open one differed."""
    append(session, world.office, "draw.dice", draw=world.draw_id, source="dice", locked=not odd)


@plants("recovery")
def _recovery(session: Session, world: World, odd: bool) -> None:
    kind = "envelope.used" if odd else "envelope.printed"
    append(session, None, kind, account=world.office.id, note='"kind":"envelope.used"')


@plants("renewed")
def _renewed(session: Session, world: World, odd: bool) -> None:
    """An administrator's renewal of the office's account, or of an expert's."""
    now = clock.now()
    link = Invitation(
        token_hash="7" * 64, purpose="renew", role="office" if odd else "expert",
        person_id=world.office.person_id, created_at=now, expires_at=now,
    )  # fmt: skip
    session.add(link)
    session.flush()
    session.add(
        ResetRequest(
            account_id=world.office.id, means="direct", reason="测试", proposed_by=world.supervisor.id,
            proposed_at=now, expires_at=now, invitation_id=link.id,
        )
    )  # fmt: skip
    session.flush()
    append(session, None, "test.renewed")


def _grants(session: Session, *spans: tuple[str, datetime, datetime | None]) -> None:
    person = Make().person(session, "测试两任")
    for role, since, until in spans:
        session.add(RoleGrant(person_id=person.id, role=role, since=since, until=until))
    session.flush()
    append(session, None, "test.grants")


@plants("roles")
def _roles(session: Session, world: World, odd: bool) -> None:
    end = clock.now() - (STAFF_DAYS + 10) * DAY
    start = end - (ROLE_DAYS + (-1 if odd else 1)) * DAY
    _grants(session, ("keeper", start - 9 * DAY, start), ("office", end, None))


@plants("staff")
def _staff(session: Session, world: World, odd: bool) -> None:
    since = clock.now() - (STAFF_DAYS + (-1 if odd else 1)) * DAY
    _grants(session, ("admin", since, None))


@plants("clock")
def _clock(session: Session, world: World, odd: bool) -> None:
    with clock.fixed(clock.now() + DAY, timedelta(0)):
        for number in range(HELD if odd else HELD - 1):
            append(session, None, "test.tick", number=number)


@plants("phones")
def _phones(session: Session, world: World, odd: bool) -> None:
    if odd:
        append(session, world.office, "person.revealed", sealed=True, person="x", reason="call")
    else:
        append(session, world.office, "person.masked", sealed=True, person="x", reason="call")


def first_seat(session: Session, world: World) -> Seat:
    return session.scalars(select(Seat).where(Seat.draw_id == world.draw_id)).first()


@plants("late_conflict")
def _late_conflict(session: Session, world: World, odd: bool) -> None:
    """Ticked on signing; the other two ways have a test of their own."""
    panel = session.scalars(select(Panel)).one()
    session.add(
        Declaration(
            panel_id=panel.id, seat_id=first_seat(session, world).id, kind="conflict",
            text_digest="0" * 64, answers={"kin": odd}, signed_name="测试", signed_at=clock.now(),
        )
    )  # fmt: skip
    session.flush()
    append(session, None, "test.signed")


@plants("restore")
def _restore(session: Session, world: World, odd: bool) -> None:
    said = {"head": f"mj1:5:{'0' * 64}", "file_sha256": "1" * 64, "made_at": "2012-11-20T00:00:00Z",
            "restored_at": "2012-11-21T08:00:00.000000Z"}  # fmt: skip
    append(session, None, "installation.restored" if odd else "installation.saved", **said)
