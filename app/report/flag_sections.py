"""What people said to a run's flags, and what came of it: for the annex of deviations (偏离情况说明) and,
as calibration meetings, beside the agreement.

The paper holds what was on record before its first signature: nobody signs what is added afterwards.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.aggregation import flags_read, holds, meetings
from app.aggregation.reading import STATE
from app.domain.types import Text
from app.report.blocks import NOTHING, Block, listing, local, note, table, typed
from app.report.source import Source

_SEAT = Text("席位 {n}", "seat {n}")
_SAID = Text("{w}（{t}）", "{w} ({t})")
_OUT = Text("{c} {s} 席位 {n}：{w}。理由：{r}", "{c}, {s}, seat {n}: {w}. Reason: {r}")
_NOTED = Text("监督人员意见（{w}，{t}）：{r}", "The supervisor's note ({w}, {t}): {r}")
_HELD = Text("监督人员暂缓（{w}，{t}）：{r}", "Held by the supervisor ({w}, {t}): {r}")
_LIFTED = Text("；已解除（{t}）：{r}", "; lifted ({t}): {r}")
_MET = Text("{d}召开校准会：{n}", "Calibration meeting on {d}: {n}")


def closed_at(s: Source) -> datetime | None:
    """The first signature under the report; None while nobody has signed."""
    return min((row.at for row in s.report.signatures), default=s.report.finished_at)


def deviations(s: Source) -> list[Block]:
    """Explanations and decisions flag by flag, then the sheets that the supervisor left out."""
    limit = closed_at(s)
    rows: list[list[Any]] = []
    for row in flags_read.spoken(s.session, s.report.run):
        said = [
            _SAID.format(w=typed(a.answer.text), t=local(a.answer.at, s.zone))
            for a in row.answers
            if limit is None or a.answer.at < limit
        ]
        decided = [d for d in row.decisions if limit is None or d.at < limit]
        if not said and not decided:
            continue
        verdict: Any = NOTHING
        if decided:
            words = flags_read.OUTCOME[decided[0].outcome]
            verdict = Text("{o}。{r}", "{o}. {r}").format(o=words, r=typed(decided[0].reason))
        heard = (
            Text("；".join(t.zh for t in said), "; ".join(t.en for t in said)) if said else NOTHING
        )
        rows.append([row.sentence, heard, verdict])
    made: list[Block] = []
    if rows:
        columns: list[tuple[Any, str, Any]] = [
            (Text("提示", "Flag"), "left", 4),
            (Text("专家书面说明", "The expert's explanation"), "left", 3),
            (Text("监督人员决定", "The supervisor's decision"), "left", 3),
        ]
        made.append(table(Text("偏离情况说明", "Deviations explained"), columns, rows))
    out = [
        _OUT.format(
            c=s.reading.names[key],
            s=s.reading.titles[stage],
            n=sheet["seat"],
            w=STATE["rejected"],
            r=typed(Text.of(sheet["reason"])),
        )
        for key, county in s.reading.counties.items()
        for stage, part in county["stages"].items()
        for sheet in part.get("sheets", {}).values()
        if sheet["state"] == "rejected"
    ]
    if out:
        made.append(listing(out))
        made.append(
            note(
                Text(
                    "经监督剔除的评分表保持封存，其分数不计入本次汇总。",
                    "A sheet that the supervisor left out stays sealed; its marks are not in this run.",
                )
            )
        )
    return made


def note_blocks(s: Source) -> list[Block]:
    """What supervisors noted beside the result, and holds with the reason for which they were lifted."""
    limit = closed_at(s)
    said: list[Text] = []
    for row in holds.of_round(s.session, s.report.round):
        if row.run.number > s.report.run.number or (limit and row.placed_at >= limit):
            continue
        words = (_NOTED if row.kind == "note" else _HELD).format(
            w=holds.what(row), r=typed(row.reason), t=local(row.placed_at, s.zone)
        )
        if row.lifted_at and not (limit and row.lifted_at >= limit):
            more = _LIFTED.format(r=typed(row.lifted_reason), t=local(row.lifted_at, s.zone))
            words = Text(words.zh + more.zh, words.en + more.en)
        said.append(words)
    return [listing(said)] if said else []


def meeting_blocks(s: Source) -> list[Block]:
    """The calibration meetings that were held because of this run."""
    held = meetings.of_run(s.session, s.report.run, before=closed_at(s))
    if not held:
        return []
    return [listing([_MET.format(d=row.held_on.isoformat(), n=typed(row.note)) for row in held])]
