"""Panels at work. The order is the measures' own: declarations, statement, unified scoring."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import Account
from app.accounts.queries import live_role
from app.accounts.viewer import Viewer
from app.domain.types import DomainError, Forbidden, Text
from app.draw import begun, disclosure, queries_order
from app.draw.facts_subjects import days_of
from app.draw.models import Draw, Seat
from app.draw.supplements import is_supplement
from app.ledger.append import append
from app.panel import queries, recusals
from app.panel.challenges import challenge as challenge
from app.panel.challenges import decide_challenge as decide_challenge
from app.panel.challenges import record_answer as record_answer
from app.panel.declarations import CONFLICTS, WORDS, words_digest
from app.panel.guards import refuse
from app.panel.models import Attendance, Declaration, Panel, Sitting
from app.panel.statements import add_exchange as add_exchange
from app.panel.statements import close_statement as close_statement
from app.panel.statements import confirm_statement as confirm_statement
from app.panel.statements import consent as consent
from app.panel.statements import open_statement as open_statement
from app.panel.statements import record_statement as record_statement
from app.programme.models import Subject

# What later rooms do in the transaction in which scoring opens: sheets that were filled in without
# signal wait for it.
AFTER_OPENING: list[Callable[[Session, Viewer, Sitting], object]] = []


def form_panels(session: Session, actor: Viewer | None, *, draw: Draw) -> list[Panel]:
    """From a completed draw: its panels, and one sitting for each county of each panel.

    A site stage has a statement (S0 art. 16(3)), a desk stage has none.
    """
    if actor:
        actor.require("office")
    if is_supplement(draw):
        raise refuse(
            "组建专家组",
            "form panels",
            "补充抽取的成员进入原有专家组",
            "members of a supplementary draw join the panel that stands",
        )
    if draw.is_order:
        raise refuse("组建专家组", "form panels", "抽的是顺序，不是专家", "it drew an order")
    if draw.state != "completed":
        raise refuse("组建专家组", "form panels", "抽取尚未完成", "the draw is not complete")
    if session.scalar(select(Panel.id).where(Panel.draw_id == draw.id).limit(1)):
        raise refuse("组建专家组", "form panels", "已经组建", "they exist already")
    subjects = {
        row.id: row
        for row in session.scalars(select(Subject).where(Subject.round_id == draw.round_id))
    }
    made = []
    for spec in draw.request["panels"]:
        panel = Panel(
            draw_id=draw.id,
            round_id=draw.round_id,
            stage=draw.stage,
            code=spec["id"],
            created_at=clock.now(),
        )
        session.add(panel)
        session.flush()
        for position, subject_id in enumerate(spec["subjects"], 1):
            session.add(
                Sitting(
                    panel_id=panel.id,
                    subject_id=subjects[subject_id].id,
                    position=position,
                    on=days_of(spec, draw.round.review_on)[0],
                    with_statement=draw.stage == "site",
                )
            )
        made.append(panel)
    append(session, actor, "panel.formed", draw=draw.id, panels=len(made))
    return made


def set_leader(session: Session, actor: Viewer | None, *, panel: Panel, seat: Seat) -> None:
    """Name the leader: an active seat of this panel, with an equal vote."""
    if actor:
        actor.require("office")
    if not seat.active or seat.id not in {row.id for row in queries.seats(session, panel)}:
        raise DomainError(
            Text("组长必须是本组现任成员。", "The leader must hold an active seat of this panel.")
        )
    panel.leader_seat_id = seat.id
    append(session, actor, "panel.leader_set", panel=panel.id, seat=seat.id)


def set_recorder(session: Session, actor: Viewer | None, *, panel: Panel, account: Account) -> None:
    """Name the recorder: a duty of somebody in the office."""
    if actor:
        actor.require("office")
    if live_role(session, account.person_id) != "office":
        raise DomainError(
            Text("记录员须为创建办公室人员。", "The recorder must belong to the programme office.")
        )
    panel.recorder_id = account.id
    append(session, actor, "panel.recorder_set", panel=panel.id)


def schedule(
    session: Session, actor: Viewer | None, *, sitting: Sitting, on: date, place: str
) -> None:
    """Fix day and place before the sitting opens."""
    if actor:
        actor.require("office")
    if sitting.phase != "planned":
        raise refuse("改期", "reschedule", "会议已开始", "the sitting has begun")
    sitting.on, sitting.place = on, place.strip()
    append(session, actor, "sitting.scheduled", sitting=sitting.id)


def sign_declaration(
    session: Session,
    actor: Viewer,
    *,
    panel: Panel,
    kind: str,
    answers: dict[str, bool],
    signed_name: str,
) -> Declaration:
    """An expert signs with his name. A ticked conflict stops the seat: it sees no material and
    scores nothing, and the office removes it through the draw."""
    seat = queries.working_seat(session, actor, panel)
    if seat is None:
        raise Forbidden(Text("您不是本组成员。", "You do not sit on this panel."))
    if kind not in WORDS:
        raise DomainError(Text("没有这种承诺书。", "There is no such declaration."))
    if signed_name.strip() != actor.name:
        raise DomainError(
            Text(
                "签名须与您的姓名（{name}）一致。承诺书尚未签署，请重新输入。",
                "The signature must be your name ({name}). Nothing was signed; type it again.",
            ).format(name=actor.name),
            field="signed_name",
        )
    if kind == "conflict" and set(answers) != set(CONFLICTS):
        raise DomainError(
            Text("请逐项回答。承诺书尚未签署。", "Answer every item. Nothing was signed."),
            field="answers",
        )
    if queries.declared(session, panel).get(seat.id, {}).get(kind):
        raise refuse("签署", "sign", "已经签署", "it is signed already")
    row = Declaration(
        panel_id=panel.id,
        seat_id=seat.id,
        kind=kind,
        text_digest=words_digest(kind),
        answers={key: bool(value) for key, value in answers.items()},
        signed_name=signed_name.strip(),
        signed_at=clock.now(),
    )
    session.add(row)
    append(session, actor, "declaration.signed", sealed=True, panel=panel.id, words=row.text_digest)
    return row


@begun.answers
def _begun(session: Session, round_id: str) -> dict[tuple[str, str], Text]:
    """For the room that draws the order of statements: panels whose first sitting has begun."""
    rows = session.scalars(
        select(Sitting)
        .join(Panel, Panel.id == Sitting.panel_id)
        .where(Panel.round_id == round_id, Sitting.phase != "planned")
        .order_by(Sitting.opened_at, Sitting.position)
    )
    found: dict[tuple[str, str], Text] = {}
    for row in rows:
        found.setdefault((row.panel.draw_id, row.panel.code), row.subject.name)
    return found


def open_sitting(session: Session, actor: Viewer, *, sitting: Sitting) -> None:
    """Begin: sign-in is possible from now on."""
    actor.require("office")
    if sitting.phase != "planned":
        raise refuse("开始会议", "open the sitting", "会议已开始", "it has begun")
    if queries_order.statements_under_way(session, sitting.panel.draw_id, sitting.panel.code):
        raise refuse(
            "开始会议",
            "open the sitting",
            "本组的陈述顺序已承诺、尚未抽定，请先完成抽取",
            "the order of this panel's statements is committed and not drawn yet: finish that draw first",
        )
    sitting.phase, sitting.opened_at = "open", clock.now()
    append(session, actor, "sitting.opened", sitting=sitting.id)


def sign_in(session: Session, actor: Viewer, *, sitting: Sitting, seat: Seat) -> Attendance:
    """An expert signs himself in, or the office checks the identity and does it for him."""
    own = queries.working_seat(session, actor, sitting.panel)
    if actor.role != "office" and (own is None or own.id != seat.id):
        raise Forbidden(Text("只能为本人签到。", "You can sign in only yourself."))
    if sitting.phase in ("planned", "closed"):
        raise refuse("签到", "sign in", "会议未在进行", "the sitting is not under way")
    if seat.id not in queries.at_work_on(session, sitting.panel):
        raise DomainError(Text("该席位不在本组。", "That seat is not on this panel."))
    found = queries.attendance(session, sitting).get(seat.id)
    if found:
        return found
    row = Attendance(sitting_id=sitting.id, seat_id=seat.id, signed_in_at=clock.now())
    session.add(row)
    append(session, actor, "attendance.signed_in", sealed=True, sitting=sitting.id)
    return row


def sign_in_day(session: Session, actor: Viewer, *, sitting: Sitting, seat: Seat) -> list[Sitting]:
    """`sign_in` at this sitting and at the others of the same table (`queries.same_table`: desk
    sittings of one panel on one day at one place, under way). The same rule and a ledger event for
    each. A visit is signed in alone. Gives the sittings at which this was new."""
    left = queries.not_signed_in(session, queries.same_table(sitting))(seat)
    for row in left or [sitting]:
        sign_in(session, actor, sitting=row, seat=seat)
    return left


def _named(session: Session, seats: list[Seat]) -> str:
    return "、".join(disclosure.shown_names(session, seats))


def open_scoring(session: Session, actor: Viewer, *, sitting: Sitting) -> None:
    """Unlock scoring for all members at once (S0 art. 16(3): unified scoring). Refused before the
    statement is closed, while a member has not declared, or below the quorum."""
    actor.require("office")
    if sitting.phase == "scoring":
        raise refuse("开放评分", "open scoring", "已经开放", "it is open already")
    if sitting.phase == "closed":
        raise refuse("开放评分", "open scoring", "会议已结束", "the sitting is over")
    if sitting.with_statement:
        row = queries.statement(session, sitting)
        if row is None or row.closed_at is None:
            raise refuse(
                "开放评分", "open scoring", "现场陈述尚未结束", "the statement is not closed"
            )
    elif sitting.phase != "open":
        raise refuse("开放评分", "open scoring", "会议未开始", "the sitting is not open")
    declared = queries.declared(session, sitting.panel)
    present = queries.attendance(session, sitting)
    active = queries.seats(session, sitting.panel)
    missing = [s for s in active if len(declared.get(s.id, {})) < 2]
    if missing:
        names = _named(session, missing)
        raise refuse(
            "开放评分",
            "open scoring",
            f"以下成员未签署承诺书：{names}",
            f"these members have not signed their declarations: {names}",
        )
    conflicted = [
        s for s in active if any(bool(v) for v in declared[s.id]["conflict"].answers.values())
    ]
    if conflicted:
        names = _named(session, conflicted)
        raise refuse(
            "开放评分",
            "open scoring",
            f"以下成员已声明利害关系，请先在抽取页更换：{names}",
            f"these members declared a conflict and must be replaced in the draw first: {names}",
        )
    upheld = {c.seat_id for c in queries.challenges(session, sitting) if c.decision == "upheld"}
    challenged = [s for s in active if s.id in upheld]
    if challenged:
        names = _named(session, challenged)
        raise refuse(
            "开放评分",
            "open scoring",
            f"以下成员的回避申请已获同意，请先在抽取页更换：{names}",
            f"challenges against these members were upheld; replace them in the draw first: {names}",
        )
    late = recusals.late_links(session, sitting, active)
    aside = [s for s in active if s.id in late]
    if aside:
        names = _named(session, aside)
        raise refuse(
            "开放评分",
            "open scoring",
            f"以下成员申报了与该县的利害关系，请先在抽取页更换：{names}",
            f"these members declared a link to the county; replace them in the draw first: {names}",
        )
    quorum = int(sitting.panel.round.score_rule.get("quorum", 5))
    here = sum(s.id in present for s in active)
    if here < quorum:
        raise refuse(
            "开放评分",
            "open scoring",
            f"签到 {here} 人，不足 {quorum} 人",
            f"{here} members have signed in, {quorum} are needed",
        )
    sitting.phase, sitting.scoring_opened_at = "scoring", clock.now()
    append(session, actor, "scoring.opened", sitting=sitting.id)
    for follow in AFTER_OPENING:
        follow(session, actor, sitting)
