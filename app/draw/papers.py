"""The record of a draw (专家抽取记录表) for ink signatures; domain fields of S0 art. 34(3).

It carries the counts, the source values, the result with names, calls, replacements, and what a
stranger needs to check all of it: commitment hash, key, transcript hash, hash of the verifier.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app import verify
from app.accounts.viewer import Viewer
from app.config import Settings
from app.documents.charts import StratumRow, strata_bars
from app.documents.pdf import render_pdf
from app.documents.qr import qr_svg
from app.domain.types import NotFound, Text
from app.draw import ceremony, messages, queries
from app.draw.models import Draw, Seat
from app.ledger.prove import TreeHead
from app.registry import queries as registry
from app.registry import words

STAGE = {"desk": Text("综合评审", "Desk review"), "site": Text("实地考核", "Site assessment")}


def verifier_sha256() -> str:
    """SHA-256 of the offline verifier as shipped with this version."""
    return hashlib.sha256(Path(verify.__file__).read_bytes()).hexdigest()


def slip(session: Session, viewer: Viewer, draw: Draw, language: str, settings: Settings) -> bytes:
    """The PDF; NotFound before a commitment. Equal rows and `language` give equal bytes."""
    if draw.commitment is None or draw.checkpoint is None:
        raise NotFound(messages.ABSENT)
    data = _data(session, viewer, draw, language, settings)
    return render_pdf("draw_slip", data, published_at=draw.drawn_at or draw.created_at)


def _data(
    session: Session, viewer: Viewer, draw: Draw, language: str, settings: Settings
) -> dict[str, Any]:
    what_if = queries.what_if(session, viewer, draw)
    shown, names = what_if.shown, queries.employer_names(session, draw)
    strata = [
        (
            Text("{p} {a}：{v}", "{p} {a}: {v}").format(
                p=panel,
                a=messages.ATTRIBUTE.get(attribute, Text.of(attribute)),
                v=queries.value_text(attribute, value, names),
            ),
            in_pool, out, eligible, low, high,
        )
        for panel, attribute, value, in_pool, out, eligible, low, high in shown["strata"]
        if in_pool
    ]  # fmt: skip
    bars = [
        StratumRow(name.get(language), in_pool, out, eligible, low)
        for name, in_pool, out, eligible, low, _ in strata[:24]
    ]
    pseudonyms = {c.expert_id: c.pseudonym for c in draw.candidates}
    head = TreeHead.parse(str(draw.checkpoint))
    account = registry.account_names(
        session, [draw.cosigned_by, *(c.by for s in draw.seats for c in s.contacts)]
    )
    return {
        "language": "en" if language == "en" else "zh",
        "title": Text("专家抽取记录表", "Record of expert draw"),
        "drill": draw.kind == "drill",
        "facts": _facts(draw),
        "strata": [
            {
                "name": name, "pool": str(in_pool), "excluded": str(out), "eligible": str(eligible),
                "seats": f"{low}-{high}",
            }
            for name, in_pool, out, eligible, low, high in strata
        ],
        "exclusions": [
            {"rule": rule, "title": what_if.title(rule), "count": str(count)}
            for rule, count in shown["rules"]
        ],
        "charts": [
            {
                "svg": strata_bars(bars, language="en" if language == "en" else "zh"),
                "alt": Text("各类别人数", "Numbers by stratum"),
                "caption": Text("专家库与名额", "Pool and seats"),
            }
        ]
        if bars
        else [],
        "sources": [
            {
                "name": name,
                "kind": next(r["kind"] for r in draw.request["sources"] if r["name"] == name),
                "values": " ".join(map(str, state.values or ())) or "-",
            }
            for name, state in ceremony.dice_states(draw).items()
        ],
        "drawn": [_person(seat, pseudonyms) for seat in draw.seats if seat.act == 1],
        "reserves": [],
        "calls": [
            {
                "time": _local(c.at, settings), "name": s.expert.person.name,
                "channel": messages.word(messages.CHANNEL, c.channel),
                "outcome": messages.word(messages.DECLINE, c.reason) if c.reason
                else messages.word(messages.OUTCOME, c.outcome),
                "operator": account.get(c.by or "", ""),
            }
            for s in draw.seats for c in s.contacts
        ],
        "replacements": _replacements(draw, settings),
        "verify": [
            {"label": Text("承诺值", "Commitment"), "value": str(draw.commitment_hash)},
            {"label": Text("抽取密钥", "Draw key"), "value": draw.key or "-"},
            {"label": Text("记录包 SHA-256", "Transcript SHA-256"), "value": draw.transcript_sha256 or "-"},
            {"label": Text("核验程序 SHA-256", "Verifier SHA-256"), "value": verifier_sha256()},
        ],
        "note": Text(
            "任何人可用核验程序 verify.py 与记录包独立重算本次抽取。",
            "Anyone can repeat this draw from its transcript with verify.py.",
        ),
        "signatures": [
            {"role": Text("抽取人", "Draw operator"), "name": ""},
            {
                "role": Text("监督人", "Supervisor"),
                "name": account.get(draw.cosigned_by or "", ""),
                "time": _local(draw.cosigned_at, settings) if draw.cosigned_at else "",
            },
            {"role": Text("见证人", "Witness"), "name": ""},
        ],
        "ledger": {"head": head.root.hex(), "size": str(head.size), "qr_svg": qr_svg(str(head))},
    }  # fmt: skip


def _facts(draw: Draw) -> list[dict[str, Any]]:
    codes = {s.id: s.name for s in draw.round.subjects}
    counties = [codes[key] for key in draw.request["subjects"]]
    joined = Text("、".join(c.zh for c in counties), ", ".join(c.en for c in counties))
    panels = "; ".join(f"{p['id']}: {p['seats']} ({p['mode']})" for p in draw.request["panels"])
    return [
        {"label": Text("届次", "Round"), "value": draw.round.title},
        {"label": Text("阶段", "Stage"), "value": STAGE[draw.stage]},
        {"label": Text("参评区县", "Counties"), "value": joined},
        {"label": Text("性质", "Kind"), "value": _kind(draw)},
        {"label": Text("次数", "Attempt"), "value": str(draw.attempt)},
        {"label": Text("评审组与席位", "Panels and seats"), "value": panels},
        {"label": Text("规则版本", "Rule set"), "value": draw.round.rules_digest[:16]},
        {"label": Text("状态", "State"), "value": messages.STATE[draw.state]},
    ]


def _kind(draw: Draw) -> Text:
    if draw.kind != "drill":
        return Text("正式抽取", "Real draw")
    if draw.request["fixed"]:
        return Text("演练，骰子为固定值", "Drill with fixed dice")
    return Text("演练", "Drill")


def _person(seat: Seat, pseudonyms: dict[str, str]) -> dict[str, Any]:
    expert = seat.expert
    return {
        "no": f"{seat.panel}-{seat.number}",
        "stratum": words.KIND[expert.kind],
        "pseudonym": pseudonyms[seat.expert_id],
        "name": expert.person.name,
        "unit": registry.employer_name(expert.person),
        "title": expert.title,
        "discipline": words.DISCIPLINE[expert.discipline],
        "ticket": seat.ticket[:16],
    }


def _replacements(draw: Draw, settings: Settings) -> list[dict[str, Any]]:
    people = {c.pseudonym: c.expert.person.name for c in draw.candidates} if draw.acts else {}
    reasons = {s.expert_id: s.reason for s in draw.seats}
    ids = {c.pseudonym: c.expert_id for c in draw.candidates} if draw.acts else {}
    rows = []
    for act in draw.acts:
        if act.result is None or act.completed_at is None:
            continue
        for _, _, leaver, joined, ticket, how in act.result["fills"]:
            rows.append(
                {
                    "act": str(act.number), "out": people[leaver],
                    "reason": messages.word(messages.CAUSE, reasons.get(ids[leaver])),
                    "in": people.get(joined) or messages.HOW[how],
                    "ticket": ticket[:16], "time": _local(act.completed_at, settings),
                }
            )  # fmt: skip
    return rows


def _local(moment: datetime, settings: Settings) -> str:
    return str(moment.astimezone(ZoneInfo(settings.timezone)).strftime("%Y-%m-%d %H:%M"))
