"""Places by rank and the votes of a check on site, in section nine of a rating report (S2 三, 六(三))."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.aggregation.reading import Reading
from app.domain.types import Text
from app.report.blocks import NOTHING, Block, listed, table, typed

_NOT_FILLED = Text("（{n}，不再增补）", " ({n}; not filled again)")
_TIE = Text("；并列待定：{n}", "; tie to decide: {n}")
_FEW = Text("；不足最少 {n} 个", "; fewer than the minimum of {n}")
_SILENT = {
    "recused": Text("专家{n}回避", "E{n} recused"),
    "absent": Text("专家{n}缺席", "E{n} absent"),
}


def check_blocks(reading: Reading) -> list[Block]:
    """The places with what stays empty, then every county checked with every vote."""

    def names(keys: Sequence[str]) -> Text:
        return listed([reading.names[key] for key in keys])

    made: list[Block] = []
    rows: list[list[Any]] = []
    for place in reading.places():
        taken = names(place.taken) if place.taken else NOTHING
        if place.undecided:
            tie = _TIE.format(n=names(place.undecided))
            taken = Text(taken.zh + tie.zh, taken.en + tie.en)
        count = str(len(place.unfilled))
        empty = NOTHING
        if place.unfilled:
            why = _NOT_FILLED.format(n=names(place.unfilled))
            empty = Text(count + why.zh, count + why.en)
        if place.short:
            few = _FEW.format(n=place.minimum)
            taken = Text(taken.zh + few.zh, taken.en + few.en)
        least = f"{place.minimum}–" if place.minimum else ""
        rows.append([place.title, f"{least}{place.maximum}", taken, empty])
    if rows:
        columns: list[tuple[Any, str, Any]] = [
            (Text("名额", "Place"), "left", 2),
            (Text("至多", "At most"), "center", "auto"),
            (Text("县（市、区）", "Counties"), "left", 4),
            (Text("空缺", "Left empty"), "left", 2),
        ]
        made.append(table(Text("按名次的名额", "Places by rank"), columns, rows))
    checks = reading.checks()
    if checks:
        columns = [
            (Text("县（市、区）", "County"), "left", 2),
            (Text("结论", "Verdict"), "left", 2),
            (Text("票数", "Votes"), "left", 2),
            (Text("未通过的内容", "What was not passed"), "left", 4),
        ]
        rows = []
        for check in checks:
            said = [
                Text("专家{n}：{i} {t}（{r}）", "E{n}: {i} {t} ({r})").format(
                    n=vote.seat, i=item, t=title, r=typed(reason)
                )
                for vote in check.votes
                for item, title, reason in vote.failed
            ]
            said += [_SILENT[v.state].format(n=v.seat) for v in check.silent if v.state in _SILENT]
            words = listed(said, "；", "; ") if said else NOTHING
            rows.append([check.name, check.words, check.counted, words])
        made.append(
            table(
                Text("实地查验结论", "Verdicts of the check on site"), columns, rows, checks[0].rule
            )
        )
    return made
