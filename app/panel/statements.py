"""A county's statement: opened, recorded by two people, confirmed, closed (S0 art. 16(3))."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.types import Conflict, DomainError, Forbidden, Text
from app.ledger.append import append
from app.panel import queries
from app.panel.guards import refuse, running_statement
from app.panel.models import Sitting, Statement

UNCONFIRMED: dict[str, Text] = {
    "refused": Text("区县代表拒绝确认", "the representative refused to confirm"),
    "absent": Text("区县代表已离场", "the representative had left"),
    "technical": Text("设备或网络故障，无法确认", "a fault of device or network"),
}
"""Why a statement was closed without the representative's confirmation: code -> words."""


def open_statement(
    session: Session,
    actor: Viewer,
    *,
    sitting: Sitting,
    presenter_name: str,
    presenter_post: str,
    proxy: str = "",
) -> Statement:
    """The county's representative begins; from here to the end the county may challenge."""
    actor.require("office")
    if not sitting.with_statement or sitting.phase != "open":
        raise refuse(
            "开始陈述",
            "open the statement",
            "会议不在陈述前阶段",
            "the sitting is not at that point",
        )
    if not presenter_name.strip() or not presenter_post.strip():
        raise DomainError(
            Text(
                "请填写陈述人姓名和职务。陈述未开始。",
                "Give the presenter's name and post. The statement has not begun.",
            ),
            field="presenter_name",
        )
    row = Statement(
        sitting_id=sitting.id,
        presenter_id=sitting.subject.presenter_id,
        presenter_name=presenter_name.strip(),
        presenter_post=presenter_post.strip(),
        proxy=proxy.strip(),
        opened_at=clock.now(),
        recorded_by=actor.id,
    )
    session.add(row)
    sitting.phase = "statement"
    append(session, actor, "statement.opened", sitting=sitting.id)
    return row


def record_statement(
    session: Session,
    actor: Viewer,
    *,
    sitting: Sitting,
    outline: str,
    questions: str | None,
    version: int,
) -> Statement:
    """Save the record. The presenter writes the outline, the recorder also the questions and
    answers. A save that names an older version is refused, nothing is overwritten."""
    row = running_statement(session, sitting)
    if actor.role == "presenter":
        if sitting.subject.presenter_id != actor.person_id:
            raise Forbidden(Text("这不是您的陈述。", "This is not your statement."))
        questions = None
    else:
        actor.require("office")
    if row.version != version:
        raise Conflict(
            Text(
                "另一人刚刚保存了陈述记录（第 {n} 版），您的内容没有覆盖它，仍在本机。请对照后再保存。",
                "Somebody saved the record just now (version {n}); yours did not overwrite it and "
                "is kept on this device. Compare the two and save again.",
            ).format(n=row.version)
        )
    row.outline = outline.strip()
    if questions is not None:
        row.questions = questions.strip()
    row.version += 1
    row.confirmed_at = None  # the presenter confirmed other words
    append(session, actor, "statement.saved", sitting=sitting.id, version=row.version)
    return row


def confirm_statement(
    session: Session, actor: Viewer, *, sitting: Sitting, version: int | None = None
) -> None:
    """The presenter confirms the version of the record that he has before him (None: whatever
    stands, for the exercise, where nobody looks at a page)."""
    row = running_statement(session, sitting)
    actor.require("presenter")
    if sitting.subject.presenter_id != actor.person_id:
        raise Forbidden(Text("这不是您的陈述。", "This is not your statement."))
    if version is not None and row.version != version:
        raise refuse(
            "确认",
            "confirm",
            f"记录刚刚改为第 {row.version} 版，请看过再确认",
            f"the record has just become version {row.version}; read it first",
        )
    if not row.outline:
        raise refuse("确认", "confirm", "陈述内容为空", "the record is empty")
    row.confirmed_at = clock.now()
    append(session, actor, "statement.confirmed", sitting=sitting.id, version=row.version)


def close_statement(
    session: Session, actor: Viewer, *, sitting: Sitting, unconfirmed: str = "", note: str = ""
) -> None:
    """End the statement; county staff leave after this. Open challenges are decided first.

    The record that stands was confirmed by the county's representative, or `unconfirmed` says why
    not (a key of UNCONFIRMED, `note` adds what happened): the code is kept in the ledger and the
    report prints it. A record that nobody ever showed to the county cannot close in silence.
    """
    actor.require("office")
    row = running_statement(session, sitting)
    if any(c.decision is None for c in queries.challenges(session, sitting)):
        raise refuse(
            "结束陈述", "close the statement", "有回避申请未处理", "a challenge is undecided"
        )
    if not row.outline:
        raise refuse("结束陈述", "close the statement", "陈述记录为空", "its record is empty")
    if row.confirmed_at is not None and unconfirmed:
        raise refuse(
            "按未确认结束陈述",
            "close the statement as unconfirmed",
            "区县代表刚刚已确认记录，请直接结束",
            "the county's representative has just confirmed it; close it without a reason",
        )
    if row.confirmed_at is None:
        if unconfirmed not in UNCONFIRMED:
            raise DomainError(
                Text(
                    "区县代表尚未确认陈述记录。请等其确认，或选择未确认的原因。陈述尚未结束，记录都在。",
                    "The county's representative has not confirmed the record. Wait for it, or choose "
                    "why there is none. The statement is still open and its record is kept.",
                ),
                field="unconfirmed",
            )
        row.unconfirmed, row.unconfirmed_note = unconfirmed, note.strip() or None
    row.closed_at = clock.now()
    append(
        session,
        actor,
        "statement.closed",
        sitting=sitting.id,
        version=row.version,
        confirmed=row.confirmed_at is not None,
        unconfirmed=row.unconfirmed,
    )
