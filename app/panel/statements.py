"""A county's statement: opened, recorded by two people, confirmed, closed (S0 art. 16(3))."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.ledger.canonical import digest
from app.domain.types import Conflict, DomainError, Forbidden, Text
from app.ledger.append import append
from app.ledger.receipts import receipt_code
from app.panel import queries
from app.panel.guards import changed, refuse, running_statement
from app.panel.models import Sitting, Statement
from app.panel.models_statement import Recording

UNCONFIRMED: dict[str, Text] = {
    "refused": Text("区县代表拒绝确认", "the representative refused to confirm"),
    "absent": Text("区县代表已离场", "the representative had left"),
    "technical": Text("设备或网络故障，无法确认", "a fault of device or network"),
}
"""Why a statement was closed without the representative's confirmation: code -> words."""

IDENTITY: dict[str, Text] = {
    "id_card": Text("已核对居民身份证", "identity card checked"),
    "work_pass": Text("已核对工作证件", "work pass checked"),
    "known": Text("工作人员当面确认", "confirmed in person by staff who know the presenter"),
}
"""How the presenter's identity was checked: code -> words. No number of any card is kept."""

CONSENT = Text(
    "本人知悉并同意：本次陈述和问答将被录音，录音仅供本次评审的专家组、创建办公室、监督人员和本县（市）查听，"
    "每次查听均有登记；录音及其 SHA-256 指纹随陈述记录保存。不同意录音的，改为文字记录，不影响评审。",
    "I know and agree that this statement and its questions are recorded as sound; that only the panel, "
    "the programme office, the supervisor and this county may listen, each time on record; and that the "
    "recording is kept with its SHA-256 fingerprint beside the record. Who does not agree is recorded in "
    "writing, without any disadvantage.",
)
CHALLENGE_MINUTES = range(1, 61)
MAX_POINTS = 20_000  # of a signature


def open_statement(
    session: Session,
    actor: Viewer,
    *,
    sitting: Sitting,
    presenter_name: str,
    presenter_post: str,
    proxy: str = "",
    identity: str = "",
    challenge_minutes: int | None = None,
) -> Statement:
    """The county's representative begins, and is told who sits on the panel. The county may challenge
    for `challenge_minutes` from here, or (None) to the end of the statement."""
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
    if identity and identity not in IDENTITY:
        raise DomainError(
            Text("没有这种核对方式。", "There is no such way of checking."), field="identity"
        )
    if challenge_minutes is not None and challenge_minutes not in CHALLENGE_MINUTES:
        raise DomainError(
            Text(
                "回避申请的时间为 1 至 60 分钟。陈述未开始。",
                "The time for challenges is 1 to 60 minutes. The statement has not begun.",
            ),
            field="challenge_minutes",
        )
    now = clock.now()
    row = Statement(
        sitting_id=sitting.id,
        presenter_id=sitting.subject.presenter_id,
        presenter_name=presenter_name.strip(),
        presenter_post=presenter_post.strip(),
        proxy=proxy.strip(),
        identity=identity or None,
        challenge_until=(
            now + timedelta(minutes=challenge_minutes) if challenge_minutes is not None else None
        ),
        opened_at=now,
        recorded_by=actor.id,
    )
    session.add(row)
    sitting.phase = "statement"
    append(
        session,
        actor,
        "statement.opened",
        sitting=sitting.id,
        identity=row.identity,
        challenge_minutes=challenge_minutes,
    )
    return row


def consent(session: Session, actor: Viewer, *, sitting: Sitting) -> Statement:
    """The representative agrees to being recorded: at his own device, or the office ticks it for him in
    the room. Twice is once."""
    row = running_statement(session, sitting)
    _of_the_county(actor, sitting)
    if row.consent_at is None:
        row.consent_at, row.consent_by = clock.now(), actor.id
        row.consent_digest = digest([CONSENT.zh, CONSENT.en])
        append(session, actor, "statement.consented", sitting=sitting.id, words=row.consent_digest)
    return row


def _of_the_county(actor: Viewer, sitting: Sitting) -> None:
    """The office, or the county's own presenter."""
    actor.require("office", "presenter")
    if actor.role == "presenter" and sitting.subject.presenter_id != actor.person_id:
        raise Forbidden(Text("这不是您的陈述。", "This is not your statement."))


def add_exchange(
    session: Session,
    actor: Viewer,
    *,
    sitting: Sitting,
    asked_by: str,
    question: str,
    answer: str,
) -> Statement:
    """One question with its answer, added at the end of what is written down."""
    actor.require("office")
    row = running_statement(session, sitting)
    if not question.strip():
        raise DomainError(
            Text("请写下问题。没有添加。", "Write the question. Nothing was added."),
            field="question",
        )
    asked = f"（{asked_by.strip()}）" if asked_by.strip() else ""
    lines = [f"问{asked}：{question.strip()}", f"答：{answer.strip() or '—'}"]
    questions = "\n".join([*([row.questions] if row.questions else []), *lines])
    return record_statement(
        session,
        actor,
        sitting=sitting,
        outline=row.outline,
        questions=questions,
        version=row.version,
    )


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
    # The presenter confirmed other words.
    row.confirmed_at, row.confirmed_name, row.signature = None, None, None
    append(session, actor, "statement.saved", sitting=sitting.id, version=row.version)
    return row


def confirm_statement(
    session: Session,
    actor: Viewer,
    *,
    sitting: Sitting,
    version: int | None = None,
    signed_name: str = "",
    signature: Sequence[Sequence[Sequence[int]]] = (),
) -> None:
    """The presenter confirms the version of the record that he has before him (None: whatever
    stands, for the exercise, where nobody looks at a page), with his name and, on a screen that takes
    one, his signature as strokes of [x, y, ms]. On the office's device the signature is needed: there
    is nothing else to tell who confirmed."""
    row = running_statement(session, sitting)
    actor.require("presenter", *(("office",) if signature else ()))
    _of_the_county(actor, sitting)
    if version is not None and row.version != version:
        raise changed(
            "确认",
            "confirm",
            f"记录刚刚改为第 {row.version} 版，请看过再确认",
            f"the record has just become version {row.version}; read it first",
        )
    if not row.outline:
        raise refuse("确认", "confirm", "陈述内容为空", "the record is empty")
    strokes = _strokes(signature)
    if signed_name.strip() and signed_name.strip() not in (row.presenter_name, actor.name):
        raise DomainError(
            Text(
                "签名须与陈述人姓名（{name}）一致。记录尚未确认。",
                "The name must be the presenter's ({name}). The record is not confirmed.",
            ).format(name=row.presenter_name),
            field="signed_name",
        )
    write_confirmation(session, actor, row, name=signed_name.strip() or None, strokes=strokes)


def write_confirmation(
    session: Session,
    actor: Viewer,
    row: Statement,
    *,
    name: str | None,
    strokes: list[Any] | None,
    **how: bool,
) -> None:
    """The representative's confirmation of the record as it stands; `how` goes to the ledger too."""
    row.confirmed_at, row.confirmed_name = clock.now(), name
    row.signature = strokes or None
    append(
        session,
        actor,
        "statement.confirmed",
        sitting=row.sitting_id,
        version=row.version,
        signed=bool(strokes),
        **how,
    )


def _strokes(signature: Sequence[Sequence[Sequence[int]]]) -> list[list[list[int]]]:
    """The signature as plain lists of integers; DomainError for anything else."""
    bad = DomainError(
        Text("签名无法识别，请重签。", "The signature cannot be read; sign again."),
        field="signature",
    )
    if not isinstance(signature, (list, tuple)):
        raise bad
    found: list[list[list[int]]] = []
    for stroke in signature:
        if not isinstance(stroke, (list, tuple)):
            raise bad
        for point in stroke:
            if not isinstance(point, (list, tuple)) or len(point) != 3:
                raise bad
            if any(type(n) is not int or abs(n) > 10**9 for n in point):
                raise bad
        found.append([list(point) for point in stroke])
    if sum(len(stroke) for stroke in found) > MAX_POINTS:
        raise bad
    return found


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
    now = clock.now()
    if row.confirmed_at is None and row.challenge_until is not None and now < row.challenge_until:
        raise refuse(
            "未经确认结束陈述",
            "close the statement unconfirmed",
            "县（市）方申请回避的时间未到，或请其先确认记录",
            "the county may still challenge; wait, or let it confirm the record first",
        )
    if not row.outline:
        raise refuse("结束陈述", "close the statement", "陈述记录为空", "its record is empty")
    if row.confirmed_at is not None and unconfirmed:
        raise changed(
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
    row.closed_at = now
    recordings = list(
        session.scalars(
            select(Recording.sha256)
            .where(Recording.statement_id == row.id)
            .order_by(Recording.arrived_at)
        )
    )
    entry = append(
        session,
        actor,
        "statement.closed",
        sitting=sitting.id,
        version=row.version,
        recordings=recordings,
        confirmed=row.confirmed_at is not None,
        unconfirmed=row.unconfirmed,
    )
    row.receipt_seq, row.receipt = entry.seq, receipt_code(entry.leaf)
    session.flush()
