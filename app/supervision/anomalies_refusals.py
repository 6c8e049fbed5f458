"""Anomalies of refusals: who tried at a draw what the rules do not allow, and how often."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.domain.types import Text
from app.draw import messages
from app.draw.models import Draw
from app.draw.models_refusals import DrawRefusal
from app.draw.refusals import REASONS, SLIPS
from app.programme.models import Round
from app.supervision.anomalies_draws import label
from app.supervision.definitions import Anomaly
from app.supervision.queries_draws import account_names

# Above every other anomaly of its severity: here somebody tried, and was stopped.
FIRST = 1_000_000


def find(session: Session) -> Iterator[Anomaly]:
    """One for each draw (or round, where no draw is named) and account; real ones and drills."""
    once = case((DrawRefusal.reason == "limit", 0), else_=1)
    rows = session.execute(
        select(
            DrawRefusal.draw_id, DrawRefusal.round_id, DrawRefusal.actor_id, DrawRefusal.reason,
            func.sum(DrawRefusal.turned_away + once),
        )
        .where(DrawRefusal.reason.not_in(SLIPS))
        .group_by(
            DrawRefusal.draw_id, DrawRefusal.round_id, DrawRefusal.actor_id, DrawRefusal.reason
        )
    ).all()  # fmt: skip
    tried: dict[tuple[str | None, str | None, str | None], Counter[str]] = defaultdict(Counter)
    for draw_id, round_id, actor_id, reason, times in rows:
        tried[draw_id, round_id, actor_id][reason] += times
    if not tried:
        return
    names = account_names(session)
    draws = {
        row.id: row
        for row in session.execute(
            select(Draw.id, Draw.stage, Draw.attempt, Round.title_zh, Round.title_en)
            .join(Round, Round.id == Draw.round_id)
            .where(Draw.id.in_({draw_id for draw_id, _, _ in tried if draw_id}))
        )
    }
    rounds = {
        row.id: row for row in session.execute(select(Round.id, Round.title_zh, Round.title_en))
    }
    for (draw_id, round_id, actor_id), reasons in tried.items():
        of = Text("未指明届次", "no round named")
        if draw_id in draws:
            of = label(draws[draw_id])
        elif round_id in rounds:
            of = Text(rounds[round_id].title_zh, rounds[round_id].title_en)
        who = names.get(actor_id or "", "")
        party = messages.PARTY["observer"]
        why = [(REASONS.get(code, Text.of(code)), n) for code, n in reasons.most_common()]
        zh = "、".join(f"{word.zh} {n}" for word, n in why)
        en = ", ".join(f"{word.en} {n}" for word, n in why)
        total = reasons.total()
        yield Anomaly(
            "refused",
            Text(
                f"{of.zh}：{who or party.zh} 的操作被拒绝 {total} 次（{zh}）",
                f"{of.en}: {who or party.en} was refused {total} time(s) ({en})",
            ),
            "supervision.draw" if draw_id else "supervision.draws",
            {"draw_id": draw_id} if draw_id else {},
            FIRST + total,
        )
