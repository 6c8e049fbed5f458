"""Anomalies of draws: aborts, many looks, guards overruled, values and codes typed oddly."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.domain.types import Text
from app.draw import messages
from app.draw.models import Draw, Party
from app.draw.models_ceremony import Abort
from app.draw.models_request import WhatIf
from app.ledger.models import Event
from app.programme.instruments import stage_text
from app.programme.models import Round
from app.supervision.definitions import MISMATCHES, WHAT_IFS, Anomaly
from app.supervision.queries_draws import account_names

_PAGE = "supervision.draw"
_KINDS = ("draw.dice", "draw.code", "draw.act_code")
Label = tuple[Text, str]


def find(session: Session, kind: str) -> Iterator[Anomaly]:
    """All of one kind of draw; eight queries, whatever the rows."""
    names = account_names(session)
    rows = session.execute(
        select(
            Draw.id, Draw.stage, Draw.attempt, Draw.purpose_key, Draw.state, Draw.cosigned_at,
            Round.title_zh, Round.title_en,
        )
        .join(Round, Round.id == Draw.round_id)
        .where(Draw.kind == kind)
    ).all()  # fmt: skip
    draws = {row.id: row for row in rows}
    yield from _aborts(session, draws, names)
    yield from _looks(session, draws, names)
    yield from _guards(session, draws)
    yield from _typed(session, draws, names)


def label(row: Any) -> Text:
    """Which draw: round, stage, attempt."""
    stage = stage_text(row.stage)
    return Text(
        f"{row.title_zh}，{stage.zh}，第 {row.attempt} 次",
        f"{row.title_en}, {stage.en}, attempt {row.attempt}",
    )


def _aborts(session: Session, draws: dict[str, Any], names: dict[str, str]) -> Iterator[Anomaly]:
    rows = [row for row in session.scalars(select(Abort)) if row.draw_id in draws]
    often = Counter(draws[row.draw_id].purpose_key for row in rows if row.state != "draft")
    for row in rows:
        draw = draws[row.draw_id]
        cause, of = messages.word(messages.ABORT, row.cause), label(draw)
        when = row.at.strftime("%Y-%m-%d %H:%M")
        who = names.get(row.by, "?")
        n = often[draw.purpose_key]
        state = messages.STATE[row.state]
        late = row.state != "draft"
        yield Anomaly(
            "aborts" if late else "drafts",
            Text(
                f"{of.zh}：{who} 于 {when} UTC 在“{state.zh}”时中止（{cause.zh}）"
                + (f"；同一事项共中止 {n} 次" if late else ""),
                f"{of.en}: ended by {who} on {when} UTC in state '{state.en}' ({cause.en})"
                + (f"; {n} ended at this purpose" if late else ""),
            ),
            _PAGE,
            {"draw_id": row.draw_id},
            n + (0.5 if row.state == "cosigned" else 0),
        )


def _looks(session: Session, draws: dict[str, Any], names: dict[str, str]) -> Iterator[Anomaly]:
    rows = session.execute(
        select(WhatIf.draw_id, WhatIf.actor_id, func.count()).group_by(
            WhatIf.draw_id, WhatIf.actor_id
        )
    )
    looks: dict[str, Counter[str]] = defaultdict(Counter)
    for draw_id, actor, n in rows:
        if draw_id in draws:
            looks[draw_id][names.get(actor or "", "?")] += n
    for draw_id, by in looks.items():
        n = by.total()
        if n > WHAT_IFS:
            who, of = (
                "、".join(f"{name} {k}" for name, k in by.most_common()),
                label(draws[draw_id]),
            )
            yield Anomaly(
                "what_ifs",
                Text(f"{of.zh}：承诺前试算 {n} 次（{who}）", f"{of.en}: {n} what-ifs ({who})"),
                _PAGE,
                {"draw_id": draw_id},
                n,
            )


def _guards(session: Session, draws: dict[str, Any]) -> Iterator[Anomaly]:
    rows = session.execute(
        select(Draw.id, Draw.snapshot["guards"]).where(Draw.commitment_hash.is_not(None))
    )
    for draw_id, guards in rows:
        for guard in guards or () if draw_id in draws else ():
            reason = guard.get("accepted")
            if not reason:
                continue
            table = messages.ZERO if guard["code"] == "probability_zero" else messages.HIGH
            why, of = table.get(reason, Text.of(reason)), label(draws[draw_id])
            yield Anomaly(
                "guard",
                Text(
                    f"{of.zh}：{guard['zh']}；理由：{why.zh}",
                    f"{of.en}: {guard['en']}; reason: {why.en}",
                ),
                _PAGE,
                {"draw_id": draw_id},
            )


def _typed(session: Session, draws: dict[str, Any], names: dict[str, str]) -> Iterator[Anomaly]:
    """Values that did not agree, and codes that came from somebody else's hand."""
    owner = {
        (draw_id, name): account
        for draw_id, name, account in session.execute(
            select(Party.draw_id, Party.name, Party.account_id)
        )
    }
    wanted = or_(*(Event.payload.contains(f'"kind":"{kind}"') for kind in _KINDS))
    open_lists: Counter[tuple[str, str]] = Counter()
    for payload in session.scalars(select(Event.payload).where(wanted).order_by(Event.seq)):
        body = json.loads(payload)
        data = body.get("data", {})
        draw_id = data.get("draw")
        if body["kind"] not in _KINDS or draw_id not in draws:
            continue
        if body["kind"] == "draw.dice":
            open_lists[draw_id, data["source"]] += not data["locked"]
            continue
        party, actor = data["party"], body["actor"]
        if actor == owner.get((draw_id, party)):
            continue
        of, who = label(draws[draw_id]), names.get(actor or "", "?")
        whose = messages.PARTY.get(party, Text.of(party))
        yield Anomaly(
            "envelope",
            Text(
                f"{of.zh}：“{whose.zh}”的口令由 {who} 录入",
                f"{of.en}: the code of '{whose.en}' was typed by {who}",
            ),
            _PAGE,
            {"draw_id": draw_id},
        )
    for (draw_id, source), n in open_lists.items():
        wrong = n - 1  # the first list is always open; every later one that is differs
        if wrong >= MISMATCHES:
            of = label(draws[draw_id])
            yield Anomaly(
                "dice",
                Text(
                    f"{of.zh}：来源“{source}”两人录入不一致 {wrong} 次",
                    f"{of.en}: source '{source}': the two lists differed {wrong} time(s)",
                ),
                _PAGE,
                {"draw_id": draw_id},
                wrong,
            )
