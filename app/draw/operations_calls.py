"""What the office does between request and review: choose how names are kept, plan the calls, look at
names one by one, publish them, and hand the supervisor the opening of the codes.

Rules D-12 to D-14. A look at a name of a sealed draw is an event, sealed so that the ledger itself does
not tell whose seat was looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.types import Conflict, DomainError, Forbidden, Text
from app.draw import call_words, calls, disclosure, messages
from app.draw.messages import cannot, in_state
from app.draw.models import Draw, Seat
from app.draw.models_calls import CallPlan, DrawDisclosure, NameView
from app.ledger.append import append

_CHOOSE = Text("选择保密方式", "choose how names are kept")
_PLAN = Text("制定通知方案", "plan the calls")
_WHY = Text(
    "请写明为什么要看电话。没有生成文件，没有任何改动。",
    "Say why the numbers are needed. No file was made and nothing was changed.",
)
_PUBLISH = Text("公布名单", "publish the names")
NOT_CALLER = Text(
    "本次抽取的名单密封，只有事先指定的通知人可以逐一查看。没有显示任何姓名。",
    "The names of this draw are sealed: the caller named beforehand alone may look at them, one by "
    "one. No name was shown.",
)


def choose_disclosure(
    session: Session,
    actor: Viewer,
    draw: Draw,
    *,
    sealed: bool,
    caller_id: str | None = None,
    until: str = "published",
    opens_at: datetime | None = None,
) -> DrawDisclosure:
    """Sealed or not, who calls, and when names open; a draft's, for the commitment ends the choice."""
    actor.require("office")
    in_state(draw.state, _CHOOSE, "draft")
    if sealed and caller_id not in dict(disclosure.callers(session)):
        raise DomainError(
            Text(
                "密封的抽取须事先指定一名创建办公室人员为通知人。没有保存。",
                "A sealed draw needs a caller from the programme office, named beforehand. Nothing "
                "was saved.",
            ),
            field="caller_id",
        )
    if until not in ("published", "moment") or (until == "moment" and opens_at is None):
        raise DomainError(
            Text("请填写公开时间。没有保存。", "Give the moment of disclosure. Nothing was saved."),
            field="opens_at",
        )
    if until == "moment" and opens_at is not None and opens_at <= clock.now():
        raise DomainError(
            Text(
                "公开时间须在将来。没有保存。",
                "The moment of disclosure must lie ahead. Nothing was saved.",
            ),
            field="opens_at",
        )
    row = disclosure.of(session, draw)
    if row is None:
        row = DrawDisclosure(draw_id=draw.id, chosen_at=clock.now())
        session.add(row)
    row.sealed, row.caller_id = sealed, caller_id if sealed else None
    row.until, row.opens_at = until, opens_at if until == "moment" else None
    row.chosen_by, row.chosen_at = actor.id, clock.now()
    session.flush()
    append(
        session,
        actor,
        "draw.disclosure_chosen",
        draw=draw.id,
        names="sealed" if sealed else "open",
        until=until,
    )
    return row


def plan_calls(
    session: Session,
    actor: Viewer,
    draw: Draw,
    *,
    meets_at: datetime,
    place_kind: str,
    half_days: int,
    reply_to: str,
    reply_hours: int = 24,
    attempts: int = 3,
) -> CallPlan:
    """What everybody is told, and the clock. Fixed once the first call is on record."""
    actor.require("office")
    in_state(draw.state, _PLAN, "draft", "committed", "cosigned", "completed")
    if place_kind not in call_words.PLACE:
        raise DomainError(
            Text("地点类型无效。没有保存。", "The kind of place is not valid. Nothing was saved."),
            field="place_kind",
        )
    for name, value, least, most in (
        ("half_days", half_days, 1, 60),
        ("reply_hours", reply_hours, 1, 240),
        ("attempts", attempts, 1, 9),
    ):
        if not least <= value <= most:
            raise DomainError(
                Text(
                    "应在 {a} 至 {b} 之间。没有保存。", "It must be {a} to {b}. Nothing was saved."
                ).format(a=least, b=most),
                field=name,
            )
    if not reply_to.strip():
        raise DomainError(
            Text("请填写答复电话。没有保存。", "Say where to answer. Nothing was saved."),
            field="reply_to",
        )
    if any(seat.contacts for seat in draw.seats):
        raise cannot(
            _PLAN,
            Text("通知已经开始，须对所有人一致", "calls have begun and all are told the same"),
        )
    row = calls.plan_of(session, draw)
    if row is None:
        row = CallPlan(draw_id=draw.id)
        session.add(row)
    row.meets_at, row.place_kind, row.half_days = meets_at, place_kind, half_days
    row.reply_to, row.reply_hours, row.attempts = reply_to.strip(), reply_hours, attempts
    row.made_by, row.made_at = actor.id, clock.now()
    session.flush()
    append(
        session, actor, "draw.calls_planned", draw=draw.id, reply_hours=reply_hours,
        attempts=attempts,
    )  # fmt: skip
    return row


def view_name(session: Session, actor: Viewer, draw: Draw, seat: Seat, purpose: str) -> NameView:
    """The caller looks at one name, to call or to print the letter; every look is an event."""
    actor.require("office")
    in_state(draw.state, Text("查看姓名", "look at a name"), "completed")
    if purpose not in call_words.LOOK:
        raise DomainError(messages.BAD_CONTACT)
    must_be_caller(session, actor, draw)
    if not seat.active:
        raise DomainError(messages.NOT_SEATED)
    row = NameView(seat_id=seat.id, account_id=actor.id, purpose=purpose, at=clock.now())
    session.add(row)
    session.flush()
    append(session, actor, "draw.name_viewed", sealed=True, draw=draw.id, seat=seat.id)
    return row


def unmask_phones(session: Session, actor: Viewer, draw: Draw, reason: str) -> None:
    """The members' telephone numbers, whole, on one call sheet: for a stated reason, which a sealed entry
    keeps with how many they are. Not in a sealed draw, whose caller looks at one after the other."""
    actor.require("office")
    in_state(draw.state, Text("打印电话", "print the numbers"), "completed")
    if not disclosure.may_see_names(session, actor, draw):
        raise Forbidden(NOT_CALLER)
    if not reason.strip():
        raise DomainError(_WHY, field="reason")
    seats = sum(seat.active for seat in draw.seats)
    append(
        session, actor, "draw.phones_unmasked", sealed=True, draw=draw.id, seats=seats,
        reason=reason.strip()[:500],
    )  # fmt: skip


def must_be_caller(session: Session, actor: Viewer, draw: Draw) -> None:
    """Forbidden when the draw is sealed and this is not its caller."""
    if disclosure.is_sealed(session, draw) and not disclosure.is_caller(session, actor, draw):
        raise Forbidden(NOT_CALLER)


def publish_names(session: Session, actor: Viewer, draw: Draw) -> DrawDisclosure:
    """The result is published, and the names with it (D-14). The supervisor's step, once."""
    actor.require("supervisor")
    in_state(draw.state, _PUBLISH, "completed")
    row = disclosure.of(session, draw)
    if row is not None and row.until == "moment":
        raise cannot(
            _PUBLISH,
            Text("名单按事先定下的时间公开", "the names open at the moment fixed beforehand"),
        )
    if disclosure.published(session, draw):
        raise cannot(_PUBLISH, Text("名单已公开", "the names are public"))
    if any(act.completed_at is None for act in draw.acts):
        raise cannot(_PUBLISH, Text("补抽尚未完成", "an act is still open"))
    return _open_names(session, actor, draw)


def publish_with_report(session: Session, actor: Viewer | None, draws: Iterable[Draw]) -> None:
    """The report on these draws is final, and their names open with it (D-14); not where a moment
    was fixed beforehand, an act is still open, or they are open already."""
    for draw in draws:
        row = disclosure.of(session, draw)
        if (
            draw.state == "completed"
            and not (row is not None and row.until == "moment")
            and not any(act.completed_at is None for act in draw.acts)
            and not disclosure.published(session, draw)
        ):
            _open_names(session, actor, draw)


def _open_names(session: Session, actor: Viewer | None, draw: Draw) -> DrawDisclosure:
    row = disclosure.of(session, draw)
    if row is None:
        row = DrawDisclosure(draw_id=draw.id, until="published", chosen_at=clock.now())
        session.add(row)
    row.opened_at, row.opened_by = clock.now(), actor.id if actor else None
    session.flush()
    append(session, actor, "draw.names_published", draw=draw.id)
    return row


def hand_over_opening(session: Session, actor: Viewer, draw: Draw) -> None:
    """The supervisor takes the full opening of the commitment to an own device, on record."""
    actor.require("supervisor")
    if draw.commitment is None:
        raise Conflict(messages.ABSENT)
    append(
        session,
        actor,
        "draw.opening_delivered",
        draw=draw.id,
        commitment_hash=draw.commitment_hash,
    )
