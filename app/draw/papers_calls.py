"""Paper for the calls: the call sheet, and numbered letters, one page each.

There is neither SMS nor mail on an office network: what is sent is printed or read out. Rule D-13: time,
kind of place and duration; no county, no place, no other member.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.config import Settings
from app.directory.queries import masked_phone
from app.documents.pdf import render_pdf
from app.domain.types import NotNow, Text
from app.draw import call_words, calls, disclosure, messages
from app.draw.models import Draw, Seat
from app.draw.models_calls import CallPlan
from app.keys import Keys

NO_PLAN = Text(
    "还没有通知方案，没有生成文件。请先填写时间、地点类型和时长。",
    "There is no call plan yet, so no file was made. Give time, kind of place and duration first.",
)


def _plan(session: Session, draw: Draw) -> CallPlan:
    plan = calls.plan_of(session, draw)
    if plan is None:
        raise NotNow(NO_PLAN)
    return plan


def _chosen(language: str) -> str:
    return "en" if language == "en" else "zh"


def _local(moment: datetime, settings: Settings) -> str:
    return f"{moment.astimezone(ZoneInfo(settings.timezone)):%m-%d %H:%M}"


def letter_number(draw: Draw, seat: Seat) -> str:
    """One number a seat holder: the commitment's first digits, panel, seat and act."""
    return f"{(draw.commitment_hash or draw.id)[:8]}-{seat.panel}-{seat.number:02d}-{seat.act}"


def call_sheet(
    session: Session, viewer: Viewer, draw: Draw, language: str, settings: Settings, keys: Keys,
    *, phones: bool = False,
) -> bytes:  # fmt: skip
    """A line a seat with what is on record and room for three attempts by hand.

    Names and telephone numbers stand on it only for who may see names, pseudonyms for all others; the
    numbers whole only with `phones`, which `operations_calls.unmask_phones` has put on record.
    """
    plan = _plan(session, draw)
    named = disclosure.may_see_names(session, viewer, draw)
    rows = []
    for line in calls.lines(session, viewer, draw):
        person = line.seat.expert.person
        phone = (
            keys.decrypt(person.phone) if phones and person.phone else masked_phone(person, keys)
        )
        done = ""
        if line.contacts:
            last = line.contacts[-1]
            word = messages.DECLINE[last.reason] if last.reason else messages.OUTCOME[last.outcome]
            times = Text("（共 {n} 次）", " ({n} calls)").format(n=len(line.contacts))
            done = f"{_local(last.at, settings)} {word.get(language)}{times.get(language)}"
        rows.append(
            [
                f"{line.seat.panel}-{line.seat.number}",
                f"{line.name}\n{line.employer}" if named else line.pseudonym,
                phone if named else "",
                done,
                "",
                "",
                "",
                "",
            ]
        )
    order = Text("第{n}次", "Call {n}")
    data: dict[str, Any] = {
        "language": _chosen(language),
        "drill": draw.kind == "drill",
        "title": Text("专家通知登记表", "Call sheet"),
        "orientation": "landscape",
        "facts": [
            {"label": Text("届次", "Round"), "value": draw.round.title},
            {"label": Text("通知内容", "What is told"),
             "value": call_words.script(plan, clock.now(), settings.timezone)},
            {"label": Text("规则", "Rule"),
             "value": Text(
                 "按席位顺序；首次联系后 {h} 小时内答复；联系不上须满 {n} 次。",
                 "In seat order; {h} hours to answer from the first call; {n} calls without an answer.",
             ).format(h=plan.reply_hours, n=plan.attempts)},
        ],
        "columns": [
            {"title": Text("席位", "Seat"), "width": "auto"},
            {"title": Text("专家", "Expert") if named else Text("代号", "Pseudonym"), "width": 3},
            {"title": Text("电话", "Phone"), "width": 2},
            {"title": Text("已登记", "On record"), "width": 3},
            *({"title": order.format(n=n), "width": 2} for n in (1, 2, 3)),
            {"title": Text("结果与理由", "Answer, reason"), "width": 3},
        ],
        "rows": rows,
        "row_height_mm": 12,
        "notes": [
            Text(
                "理由只填：时间冲突、健康、回避、出差、联系不上、其他。",
                "Reasons: schedule, health, recusal, travel, not reached, other.",
            )
        ],
        "signatures": [
            {"role": Text("通知人", "Caller"), "name": ""},
            {"role": Text("监督人", "Supervisor"), "name": ""},
        ],
    }  # fmt: skip
    return render_pdf("list", data, published_at=draw.drawn_at or draw.created_at)


def letters(
    session: Session, draw: Draw, seats: Sequence[Seat], language: str, settings: Settings
) -> bytes:
    """One numbered letter for each of the seats. The caller has checked who may see the names."""
    plan = _plan(session, draw)
    now = clock.now()
    facts = call_words.facts(plan, now, settings.timezone)
    today = now.astimezone(ZoneInfo(settings.timezone))
    data: dict[str, Any] = {
        "language": _chosen(language),
        "drill": draw.kind == "drill",
        "title": Text("评审专家通知书", "Notice to a reviewer"),
        "issuer": Text("创建办公室（盖章）", "Programme office (seal)"),
        "date": Text(
            f"{today.year}年{today.month}月{today.day}日", f"{today:%d} {today:%B} {today.year}"
        ),
        "letters": [
            {
                "number": Text("编号：{n}", "No. {n}").format(n=letter_number(draw, seat)),
                "recipient": Text("{n}老师", "Dear {n}").format(n=seat.expert.person.name),
                "paragraphs": _paragraphs(facts),
            }
            for seat in seats
        ],
        "facts": [
            {"label": Text("报到时间", "Time"), "value": facts["at"]},
            {"label": Text("地点类型", "Kind of place"), "value": facts["place"]},
            {"label": Text("时长", "Duration"), "value": facts["long"]},
            {"label": Text("答复期限", "Answer by"), "value": facts["by"]},
            {"label": Text("答复电话", "Answer to"), "value": facts["to"]},
        ],
        "reply": {
            "accept": Text("能够参加，无需要回避的情形。", "I can come and know of no conflict of interest."),
            "decline": Text("不能参加，原因：", "I cannot come, because of: "),
            "reasons": [messages.DECLINE[r] for r in ("schedule", "health", "recusal", "travel", "other")],
            "sign": Text("签名：　　　　　　　　日期：", "Signature:                         Date:"),
        },
    }  # fmt: skip
    return render_pdf("call_letters", data, published_at=draw.drawn_at or draw.created_at)


def _paragraphs(facts: dict[str, Text]) -> list[Text]:
    return [
        Text(
            "经随机抽取，您被抽中担任评审专家。请安排好时间参加，并在{by}前答复。被评地区和具体地点"
            "报到时告知。",
            "You were drawn at random to review. Please arrange to come, and answer by {by}. The county "
            "and the place are told when you report.",
        ).format(**facts),
        Text(
            "如与可能参评的单位有利害关系，或有其他需要回避的情形，请在回执中说明。在结果公布之前，请不"
            "要向任何人透露您被抽中。",
            "If you have an interest in a body that may be reviewed, or another ground to stand aside, "
            "say so in the answer. Until the result is published tell nobody that you were drawn.",
        ),
    ]
