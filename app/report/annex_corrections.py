"""The annex on corrections after totals: why each run was computed again, who asked for a correction and who
confirmed it, and the values before and after (order 87 of the Ministry of Finance, 2017, article 64)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app.aggregation.corrected import Corrected, corrected_until
from app.aggregation.corrections import CAUSE_TEXT, SOURCE
from app.aggregation.models import Run
from app.domain.types import Text
from app.report.blocks import (
    Block,
    listed,
    listing,
    local,
    note,
    paragraph,
    printable,
    table,
    typed,
)
from app.report.source import Source

TITLE = Text("汇总后的更正", "Corrections after totals")
_FIRST = Text(
    "本报告依据首次汇总；汇总后没有更正任何分数。",
    "This report is on the first run; no mark was corrected after the totals.",
)
_AGAIN = Text("第 {n} 次汇总（{t}）：{w}", "Run {n} ({t}): {w}")
_NO_CORRECTION = Text(
    "重新汇总没有更正任何分数或数据。", "No mark or value was corrected when it was computed again."
)
_DECIDED = Text(
    "第 {n} 次汇总：{c}的评分表经监督人员决定剔除或恢复计入，理由见附件 5。",
    "Run {n}: sheets of {c} were left out, or let in again, by the supervisor; reasons in annex 5.",
)
_BY = Text("{w}\n{t}", "{w}\n{t}")


def corrections_after_totals(s: Source) -> list[Block]:
    """Runs, corrections, values; one sentence where there is nothing of the kind."""
    run = s.report.run
    if run.number == 1:
        return [paragraph(_FIRST)]
    runs = s.session.scalars(
        select(Run)
        .where(Run.round_id == run.round_id, Run.number > 1, Run.number <= run.number)
        .order_by(Run.number)
    ).all()
    made = [
        listing(
            [_AGAIN.format(n=r.number, t=local(r.made_at, s.zone), w=typed(r.note)) for r in runs]
        )
    ]
    found = corrected_until(s.session, run)
    made += [_who(s, found), _values(found)] if found else [paragraph(_NO_CORRECTION)]
    decided = [
        _DECIDED.format(n=r.number, c=listed([Text.of(names[code]) for code in codes]))
        for r in runs
        if (codes := sorted({c["county"] for c in r.results.get("corrections", ()) if "decision" in c}))
        and (names := {row["id"]: row["name"] for row in r.inputs["subjects"]})
    ]  # fmt: skip
    if decided:
        made.append(listing(decided))
    if found:
        made.append(note(Text("依据：{w}。", "Source: {w}.").format(w=SOURCE)))
    return made


def _who(s: Source, found: list[Corrected]) -> Block:
    columns: list[tuple[Any, str, Any]] = [
        (Text("汇总", "Run"), "center", "auto"),
        (Text("县（市、区）", "County"), "left", 2),
        (Text("原因", "Cause"), "left", 2),
        (Text("理由", "Reason"), "left", 4),
        (Text("登记", "Entered by"), "left", 3),
        (Text("确认", "Confirmed by"), "left", 3),
    ]
    rows = [
        [
            str(one.number),
            one.row.subject.name,
            CAUSE_TEXT[one.row.cause],
            typed(one.row.reason),
            _BY.format(w=_name(one.asked_by), t=local(one.row.asked_at, s.zone)),
            _BY.format(w=_name(one.confirmed_by), t=local(one.row.confirmed_at, s.zone)),
        ]
        for one in found
    ]
    return table(Text("更正及确认人", "Corrections and who confirmed them"), columns, rows)


def _name(name: Text) -> Text:
    return Text(printable(name.zh), printable(name.en))


def _values(found: list[Corrected]) -> Block:
    columns: list[tuple[Any, str, Any]] = [
        (Text("汇总", "Run"), "center", "auto"),
        (Text("县（市、区）", "County"), "left", 2),
        (Text("项目", "What"), "left", 5),
        (Text("更正前", "Before"), "right", 2),
        (Text("更正后", "After"), "right", 2),
    ]
    rows = [
        [str(one.number), one.row.subject.name, value.where, value.old, value.new]
        for one in found
        for value in one.values
    ]
    return table(Text("更正前后的数值", "Values before and after"), columns, rows)
