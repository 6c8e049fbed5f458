"""Every draw of all rounds with its attempts, and the time line of one from ledger and rows.

Pseudonyms only: who sits where is for the draw's own pages, which know what is sealed (rule D-14).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, load_only

from app.accounts.models import Account
from app.accounts.viewer import Viewer
from app.directory.models import Person
from app.domain.types import NotFound, Text
from app.draw import ceremony, messages, refusals
from app.draw.fallbacks import in_force
from app.draw.models import TRAINEE_ACT, Act, Contact, Draw, Party, Seat
from app.draw.models_ceremony import Abort, Cosignature
from app.draw.models_refusals import DrawRefusal
from app.draw.models_request import WhatIf
from app.draw.sources import named
from app.ledger.models import Event
from app.programme.models import Round

SORTS = ("at", "round", "state", "attempt", "what_ifs")


@dataclass(frozen=True, slots=True)
class DrawLine:
    """One attempt as the list shows it."""

    draw: Draw
    round: Round
    asked_by: str
    cosigned_by: str
    abort: Abort | None
    aborted_by: str
    what_ifs: int
    acts: int
    removed: int
    attempts: int  # of this purpose in all
    sources: tuple[tuple[Text, str], ...]  # name and what it gives


@dataclass(frozen=True, slots=True)
class Moment:
    """One event of a draw's time line."""

    at: str  # UTC, as in the ledger
    seq: int | None  # None: from a row whose ledger entry is sealed
    kind: str
    title: Text
    who: str
    detail: Text


def account_names(session: Session) -> dict[str, str]:
    """Account id -> name, of everybody, in one query."""
    rows = session.execute(
        select(Account.id, Person.name).join(Person, Person.id == Account.person_id)
    )
    return {row.id: row.name for row in rows}


def _counts(session: Session, column: Any, *where: Any) -> dict[str, int]:
    rows = session.execute(select(column, func.count()).where(*where).group_by(column)).all()
    return {row[0]: row[1] for row in rows}


def all_draws(session: Session, viewer: Viewer, sort: str = "-at") -> list[DrawLine]:
    """Every attempt of every round, drafts and aborts too: seven queries, whatever the rows."""
    viewer.require("supervisor")
    draws = list(
        session.scalars(
            select(Draw).options(
                load_only(
                    Draw.round_id, Draw.stage, Draw.kind, Draw.purpose_key, Draw.attempt,
                    Draw.state, Draw.commitment_hash, Draw.commitment_seq, Draw.cosigned_by,
                    Draw.cosigned_at, Draw.key, Draw.transcript_sha256, Draw.created_by,
                    Draw.created_at, Draw.drawn_at, Draw.abort_reason, Draw.request,
                )
            )
        )
    )  # fmt: skip
    names = account_names(session)
    aborts = {row.draw_id: row for row in session.scalars(select(Abort))}
    looks = _counts(session, WhatIf.draw_id)
    acts = _counts(session, Act.draw_id)
    removed = _counts(session, Seat.draw_id, Seat.state == "removed", Seat.act > TRAINEE_ACT)
    attempts = _counts(session, Draw.purpose_key)
    lines = []
    for draw in draws:
        abort = aborts.get(draw.id)
        lines.append(
            DrawLine(
                draw,
                draw.round,
                names.get(draw.created_by or "", ""),
                names.get(draw.cosigned_by or "", ""),
                abort,
                names.get(abort.by, "") if abort else "",
                looks.get(draw.id, 0),
                acts.get(draw.id, 0),
                removed.get(draw.id, 0),
                attempts[draw.purpose_key],
                tuple(
                    (named(str(row["name"])), f"{row['count']}×{row['low']}–{row['high']}")
                    for row in draw.request.get("sources", ())
                ),
            )
        )
    return _sorted(lines, sort)


def _sorted(lines: list[DrawLine], sort: str) -> list[DrawLine]:
    name = sort.lstrip("-")
    if name not in SORTS:
        name, sort = "at", "-at"
    key: dict[str, Any] = {
        "at": lambda x: (x.draw.created_at, x.draw.id),
        "round": lambda x: (x.round.slug, x.draw.stage, x.draw.purpose_key, x.draw.attempt),
        "state": lambda x: (x.draw.state, x.draw.created_at),
        "attempt": lambda x: (x.draw.attempt, x.attempts, x.draw.created_at),
        "what_ifs": lambda x: (x.what_ifs, x.draw.created_at),
    }
    return sorted(lines, key=key[name], reverse=sort.startswith("-"))


def one(session: Session, viewer: Viewer, draw_id: str) -> Draw:
    """One draw by id; NotFound."""
    viewer.require("supervisor")
    found = session.get(Draw, draw_id)
    if found is None:
        raise NotFound(messages.ABSENT)
    return found


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused attempt as the page of its draw shows it."""

    row: DrawRefusal
    who: str
    act: Text
    reason: Text


def refused(session: Session, viewer: Viewer, draw: Draw) -> list[Refused]:
    """Every refused attempt at a draw, and those in its round that name no draw, newest first."""
    viewer.require("supervisor")
    names = account_names(session)
    return [
        Refused(
            row,
            names.get(row.actor_id or "", "") or str(messages.PARTY["observer"]),
            refusals.ACTS.get(row.act, Text.of(row.act)),
            refusals.REASONS.get(row.reason, Text.of(row.reason)),
        )
        for row in refusals.of_draw(session, draw)
    ]


EVENT: dict[str, Text] = {
    "draw.requested": Text("提出申请", "Requested"),
    "draw.supplement_requested": Text("申请补充抽取", "Supplementary draw requested"),
    "draw.revised": Text("修改申请", "Request changed"),
    "draw.what_if": Text("试算", "What-if"),
    "draw.party": Text("登记口令链", "Chain registered"),
    "draw.observer_link": Text("发出见证人链接", "Observer's link made"),
    "draw.template_saved": Text("存为模板", "Saved as a template"),
    "draw.disclosure_chosen": Text("选定公开方式", "Disclosure chosen"),
    "draw.frozen": Text("冻结专家库", "Pool frozen"),
    "draw.committed": Text("提交承诺", "Committed"),
    "draw.checkpoint": Text("签发检查点", "Checkpoint signed"),
    "draw.opening_delivered": Text("完整开启材料已交付", "Full opening delivered"),
    "draw.cosigned": Text("监督人员会签", "Cosigned"),
    "draw.dice": Text("录入随机数值", "Values typed"),
    "draw.source_failed": Text("登记来源未产生", "A source did not come about"),
    "draw.photo": Text("附上骰子照片", "Photograph attached"),
    "draw.code": Text("出示口令", "Code revealed"),
    "draw.completed": Text("得出结果", "Result"),
    "draw.aborted": Text("中止", "Aborted"),
    "draw.second_asked": Text("申请再次抽取", "Second draw asked for"),
    "draw.second_released": Text("放行再次抽取", "Second draw released"),
    "draw.second_refused": Text("不放行再次抽取", "Second draw refused"),
    "draw.second_used": Text("放行已使用", "Release used"),
    "draw.calls_planned": Text("通知计划", "Call plan"),
    "draw.removals": Text("登记更换", "Removals recorded"),
    "draw.removals_cosigned": Text("更换会签", "Removals cosigned"),
    "draw.act_code": Text("出示补抽口令", "Code of an act revealed"),
    "draw.act": Text("补抽完成", "Replacement act"),
    "draw.names_published": Text("名单公布", "Names published"),
    "seat.contact": Text("联系专家", "Call"),
}


def timeline(session: Session, viewer: Viewer, draw: Draw) -> list[Moment]:
    """Everything that is on record about one draw, oldest first; three queries.

    Calls are sealed in the ledger; their times come from the rows, without the expert's name.
    """
    viewer.require("supervisor")
    names = account_names(session)
    found: list[Moment] = []
    rows = session.execute(
        select(Event.seq, Event.payload)
        .where(Event.payload.contains(draw.id, autoescape=True))
        .order_by(Event.seq)
    )
    for seq, payload in rows:
        body = json.loads(payload)
        data = body.get("data", {})
        if draw.id not in (data.get("draw"), data.get("of")):
            continue
        kind = str(body["kind"])
        if kind == refusals.EVENT:
            continue  # listed apart (`refused`): a thousand of them would hide what was done
        found.append(
            Moment(
                str(body["at"]),
                seq,
                kind,
                EVENT.get(kind, Text.of(kind)),
                names.get(body["actor"] or "", ""),
                detail(kind, data),
            )
        )
    calls = session.execute(
        select(Contact, Seat.panel, Seat.number)
        .join(Seat, Seat.id == Contact.seat_id)
        .where(Seat.draw_id == draw.id)
    )
    for contact, panel, number in calls:
        outcome = messages.word(messages.OUTCOME, contact.outcome)
        found.append(
            Moment(
                contact.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                None,
                "seat.contact",
                EVENT["seat.contact"],
                names.get(contact.by or "", ""),
                Text(f"{panel}-{number}：{outcome.zh}", f"{panel}-{number}: {outcome.en}"),
            )
        )
    return sorted(found, key=lambda m: (m.at, -1 if m.seq is None else m.seq))


def detail(kind: str, data: Mapping[str, Any]) -> Text:
    """What an entry says beyond its kind, in words; hashes at 16 digits."""
    party = messages.PARTY.get(str(data.get("party", "")), Text.of(str(data.get("party", ""))))
    match kind:
        case "draw.what_if":
            can = ("可行", "feasible") if data.get("feasible") else ("不可行", "not feasible")
            return Text(f"第 {data['number']} 次，{can[0]}", f"no. {data['number']}, {can[1]}")
        case "draw.frozen":
            return Text(f"在库 {data['pool']} 人", f"{data['pool']} people")
        case "draw.committed" | "draw.cosigned" | "draw.completed":
            short = str(data.get("commitment_hash", ""))[:16]
            return Text(f"承诺 {short}", f"commitment {short}")
        case "draw.dice":
            state = ("已锁定", "locked") if data.get("locked") else ("未锁定", "not locked")
            name = named(str(data.get("source", "")))
            return Text(f"{name.zh}：{state[0]}", f"{name.en}: {state[1]}")
        case "draw.party" | "draw.code":
            return party
        case "draw.act_code":
            return Text(f"第 {data['act']} 次，{party.zh}", f"act {data['act']}, {party.en}")
        case "draw.aborted":
            cause = messages.word(messages.ABORT, str(data.get("cause", "")))
            return cause if isinstance(cause, Text) else Text.of(str(cause))
        case "draw.removals" | "draw.removals_cosigned":
            n = data.get("removals")
            count = Text(f"，{n} 人", f", {n} people") if n else Text("", "")
            return Text(f"第 {data['act']} 次{count.zh}", f"act {data['act']}{count.en}")
        case "draw.act":
            return Text(
                f"第 {data['act']} 次：补入 {data['filled']}，空缺 {data['vacant']}",
                f"act {data['act']}: {data['filled']} filled, {data['vacant']} vacant",
            )
        case _:
            return Text("", "")


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source of a seed: what was committed and what came."""

    name: str
    kind: str
    count: int
    low: int
    high: int
    when: str
    values: str


def sources(draw: Draw) -> list[SourceLine]:
    """The committed sources with their locked values."""
    values = ceremony.values_of(draw)
    return [
        SourceLine(
            str(row["name"]), str(row["kind"]), row["count"], row["low"], row["high"],
            str(row.get("when", "")), " ".join(map(str, values.get(row["name"], ()))),
        )
        for row in in_force(draw)
    ]  # fmt: skip


def parties(session: Session, draw: Draw) -> list[tuple[Party, str]]:
    """Each party with the name of its account, in committed order."""
    names = account_names(session)
    return [(party, names.get(party.account_id or "", "")) for party in draw.parties]


def cosignatures(session: Session, draw: Draw) -> list[tuple[Cosignature, str]]:
    """The device signatures of the draw and its acts, with who made each."""
    names = account_names(session)
    rows = session.scalars(
        select(Cosignature).where(Cosignature.draw_id == draw.id).order_by(Cosignature.act)
    )
    return [(row, names.get(row.account_id, "")) for row in rows]


def same_purpose(session: Session, draw: Draw) -> list[Draw]:
    """All attempts at the draw's purpose, in order."""
    return list(
        session.scalars(
            select(Draw).where(Draw.purpose_key == draw.purpose_key).order_by(Draw.attempt)
        )
    )
