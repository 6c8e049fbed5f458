"""Requests of counties that an expert stand aside, with the decisions, as the report lists them
(Regulation for implementing the Government Procurement Law art. 9; rule C-12)."""

from __future__ import annotations

from sqlalchemy import select

from app.domain.types import Text
from app.draw.models import Seat
from app.panel.models import Challenge
from app.report.blocks import NOTHING, Block, listing, local, table, typed, within
from app.report.source import Source

_DECISION = {
    "upheld": Text("同意，已回避", "upheld"),
    "dismissed": Text("不同意", "dismissed"),
}


def challenges(s: Source) -> list[Block]:
    """One row a request: county, seat, when, decision; the reasons below. Members by seat alone."""
    sittings = {sitting.id: sitting for sitting in s.sittings}
    found = s.session.execute(
        select(Challenge, Seat.number)
        .join(Seat, Seat.id == Challenge.seat_id)
        .where(Challenge.sitting_id.in_(sittings))
        .order_by(Challenge.raised_at, Challenge.id)
    ).all()
    if not found:
        return []
    rows, reasons = [], []
    for row, number in found:
        county = sittings[row.sitting_id].subject.name
        rows.append(
            [
                county,
                Text(f"第 {number} 席", f"seat {number}"),
                local(row.raised_at, s.zone),
                _DECISION.get(row.decision or "", NOTHING),
            ]
        )
        reasons.append(
            Text(
                "{c}第 {n} 席：申请理由：{r}；专家答复：{a}；决定理由：{d}",
                "{c}, seat {n}: reason of the request: {r}; the expert's answer: {a}; reason of the "
                "decision: {d}",
            ).format(
                c=county,
                n=number,
                r=within(row.reason),
                a=within(row.answer),
                d=typed(row.decision_reason),
            )
        )
    heads = [
        (Text("县（市、区）", "County"), "left", 2),
        (Text("专家", "Expert"), "left", 2),
        (Text("提出时间", "Raised"), "left", 3),
        (Text("监督人员的决定", "The supervisor's decision"), "left", 3),
    ]
    return [table(Text("回避申请", "Challenges by counties"), heads, rows), listing(reasons)]
