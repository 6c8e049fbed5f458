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
from app.draw import calls, ceremony, disclosure, messages, queries, results
from app.draw.fallbacks import in_force
from app.draw.models import Draw, Seat
from app.draw.sources import ORDER
from app.ledger.prove import TreeHead
from app.programme.instruments import stage_text
from app.registry import queries as registry
from app.registry import words

HTML_VERIFIER = Path(verify.__file__).with_name("verifiers") / "verify.html"
PRESENT = Text(
    "候补名单与抽取结果出自同一次抽取，在场的每个人都知道候补是谁；按次序递补。",
    "The reserves follow from the same draw: everyone present knows who they are. They are called in "
    "order.",
)


ANYONE = Text(
    "任何人可用核验程序 verify.py 与记录包独立重算本次抽取。",
    "Anyone can repeat this draw from its transcript with verify.py.",
)


def verifiers() -> list[tuple[str, str]]:
    """(name, SHA-256) of the offline verifiers as shipped with this version."""
    files = [Path(verify.__file__), HTML_VERIFIER]
    return [(f.name, hashlib.sha256(f.read_bytes()).hexdigest()) for f in files if f.is_file()]


def slip(session: Session, viewer: Viewer, draw: Draw, language: str, settings: Settings) -> bytes:
    """The PDF; NotFound before a commitment. Equal rows and `language` give equal bytes.

    Of a sealed draw it shows pseudonyms until the disclosure, whoever asks.
    """
    if draw.commitment is None or draw.checkpoint is None:
        raise NotFound(messages.ABSENT)
    if draw.is_order:
        from app.draw import papers_order  # it builds on this module

        data = papers_order.data(session, draw, language, settings)
    else:
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
    alone = len(shown["panels"]) == 1  # then the bars need not name the panel
    bars = [
        StratumRow(
            name.get(language).split(" ", 1)[1] if alone else name.get(language),
            in_pool, out, eligible, low,
        )
        for name, in_pool, out, eligible, low, _ in strata[:24]
    ]  # fmt: skip
    pseudonyms = {c.expert_id: c.pseudonym for c in draw.candidates}
    named = disclosure.may_see_names(session, viewer, draw)
    who = {
        s.expert_id: s.expert.person.name if named else pseudonyms[s.expert_id] for s in draw.seats
    }
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
        "sources": source_rows(draw),
        "drawn": [_person(seat, pseudonyms, named) for seat in draw.seats if seat.act == 1],
        "reserves": [
            {"no": f"{q['panel']}-{n}", "pseudonym": pseudonym, "ticket": ticket[:16],
             "stratum": Text(" · ".join(w.zh for w in q["words"]), " · ".join(w.en for w in q["words"]))}
            for q in results.reserve_queues(session, draw)
            for n, (ticket, pseudonym) in enumerate(q["people"], 1)
        ],
        "calls": [
            {
                "time": _local(c.at, settings), "name": who[s.expert_id],
                "channel": messages.word(messages.CHANNEL, c.channel),
                "outcome": messages.word(messages.DECLINE, c.reason) if c.reason
                else messages.word(messages.OUTCOME, c.outcome),
                "operator": account.get(c.by or "", ""),
            }
            for s in draw.seats for c in s.contacts
        ],
        "replacements": _replacements(draw, settings, who, pseudonyms),
        "verify": verify_rows(draw),
        "note": _note(draw),
        "signatures": signature_rows(
            account.get(draw.cosigned_by or "", ""),
            _local(draw.cosigned_at, settings) if draw.cosigned_at else "",
        ),
        "ledger": {"head": head.root.hex(), "size": str(head.size), "qr_svg": qr_svg(qr_words(head))},
    }  # fmt: skip


def qr_words(head: TreeHead) -> str:
    """What the QR code says: the head, and which verifiers to use."""
    return "\n".join([str(head), *(f"{name} sha256 {value}" for name, value in verifiers())])


def source_rows(draw: Draw) -> list[dict[str, Any]]:
    """The sources in words, with their locked values."""
    kinds = {row["name"]: row["kind"] for row in in_force(draw)}
    return [
        {
            "name": state.title,
            "kind": ORDER[kinds[name]],
            "values": " ".join(map(str, state.values or ())) or "-",
        }
        for name, state in ceremony.dice_states(draw).items()
    ]


def verify_rows(draw: Draw) -> list[dict[str, Any]]:
    """What a stranger compares: commitment, key, transcript, verifiers; whole hashes."""
    return [
        {"label": Text("承诺值", "Commitment"), "value": str(draw.commitment_hash)},
        {"label": Text("抽取密钥", "Draw key"), "value": draw.key or "-"},
        {
            "label": Text("记录包 SHA-256", "Transcript SHA-256"),
            "value": draw.transcript_sha256 or "-",
        },
        *(
            {"label": Text("核验程序 {n} SHA-256", "{n} SHA-256").format(n=name), "value": value}
            for name, value in verifiers()
        ),
    ]


def signature_rows(supervisor: str, cosigned: str) -> list[dict[str, Any]]:
    """Who signs in ink; the supervisor with the time of the cosignature."""
    return [
        {"role": Text("抽取人", "Draw operator"), "name": ""},
        {"role": Text("监督人", "Supervisor"), "name": supervisor, "time": cosigned},
        {"role": Text("见证人", "Witness"), "name": ""},
    ]


def _note(draw: Draw) -> Text:
    if not calls.reserves(draw):
        return ANYONE
    return Text(PRESENT.zh + ANYONE.zh, PRESENT.en + " " + ANYONE.en)


def _facts(draw: Draw) -> list[dict[str, Any]]:
    codes = {s.id: s.name for s in draw.round.subjects}
    counties = [codes[key] for key in draw.request["subjects"]]
    joined = Text("、".join(c.zh for c in counties), ", ".join(c.en for c in counties))
    panels = [
        Text("{p}：{n} 席（{m}）", "{p}: {n} seats ({m})").format(
            p=p["id"], n=p["seats"], m=messages.MODE[p["mode"]]
        )
        for p in draw.request["panels"]
    ]
    panels_said = Text("；".join(p.zh for p in panels), "; ".join(p.en for p in panels))
    return [
        {"label": Text("届次", "Round"), "value": draw.round.title},
        {"label": Text("阶段", "Stage"), "value": stage_text(draw.stage)},
        {"label": Text("参评区县", "Counties"), "value": joined},
        {"label": Text("性质", "Kind"), "value": kind_words(draw)},
        {"label": Text("次数", "Attempt"), "value": str(draw.attempt)},
        {"label": Text("评审组与席位", "Panels and seats"), "value": panels_said},
        {
            "label": Text("规则版本", "Rule set"),
            "value": str((draw.commitment or {}).get("rule_set", ""))[:16],
        },
        {"label": Text("状态", "State"), "value": messages.STATE[draw.state]},
    ]


def kind_words(draw: Draw) -> Text:
    """Real, or a drill with or without fixed dice."""
    if draw.kind != "drill":
        return Text("正式抽取", "Real draw")
    if draw.request["fixed"]:
        return Text("演练，骰子为固定值", "Drill with fixed dice")
    return Text("演练", "Drill")


def _person(seat: Seat, pseudonyms: dict[str, str], named: bool) -> dict[str, Any]:
    expert = seat.expert
    if not named:
        return {
            "no": f"{seat.panel}-{seat.number}",
            "pseudonym": pseudonyms[seat.expert_id],
            "ticket": seat.ticket[:16],
        }
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


def _replacements(
    draw: Draw, settings: Settings, who: dict[str, str], pseudonyms: dict[str, str]
) -> list[dict[str, Any]]:
    ids = {pseudonym: key for key, pseudonym in pseudonyms.items()}
    reasons = {s.expert_id: s.reason for s in draw.seats}
    rows = []
    for act in draw.acts:
        if act.result is None or act.completed_at is None:
            continue
        for _, _, leaver, joined, ticket, how in act.result["fills"]:
            rows.append(
                {
                    "act": str(act.number), "out": who[ids[leaver]],
                    "reason": messages.word(messages.CAUSE, reasons.get(ids[leaver])),
                    "in": who[ids[joined]] if joined else messages.HOW[how],
                    "ticket": ticket[:16], "time": _local(act.completed_at, settings),
                }
            )  # fmt: skip
    return rows


def _local(moment: datetime, settings: Settings) -> str:
    return str(moment.astimezone(ZoneInfo(settings.timezone)).strftime("%Y-%m-%d %H:%M"))
