"""Agreement of pass or fail verdicts on site: share of agreeing pairs and Gwet's AC1.

Nearly every county passes, and there kappa falls to nothing although the experts agree; AC1 does not
(Gwet 2008). Silent seats are gaps. An item of the check is listed where somebody failed it: on the others
all agreed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.aggregation.diagnostics_agreement import AnnexRow, said
from app.domain.statistics.chance import Chance, ac1, exact_agreement, fleiss_kappa
from app.domain.types import Text

_NO_PAIRS = Text("没有被两人以上查验的区县。", "No county was checked by two experts.")
_ALL_ALIKE = Text(
    "各专家结论全部相同，没有差异，系数无定义。",
    "All verdicts are alike; without variation the coefficient is not defined.",
)
_WORDS = (
    (0.9, Text("各专家的结论几乎一致", "the experts nearly always agree")),
    (0.7, Text("各专家的结论大体一致", "the experts mostly agree")),
    (0.4, Text("各专家的结论只有部分一致", "the experts agree only partly")),
    (-9.0, Text("各专家的结论很不一致", "the experts hardly agree")),
)


@dataclass(frozen=True, slots=True)
class CheckAgreement:
    """One stage whose verdict is pass or fail: `share` of agreeing pairs in per cent, AC1 and Fleiss'
    kappa of the verdict, then of each item that somebody failed."""

    stage: str
    title: Text
    n: int
    k: int
    votes: int
    failed: int
    share: str | None
    words: Text
    rows: tuple[AnnexRow, ...]


def check_agreements(counties: Mapping[str, Mapping[str, Any]]) -> list[CheckAgreement]:
    """Every checked stage of a run. `counties`: its stored rows by id."""
    stages: dict[str, list[Mapping[str, Any]]] = {}
    for row in counties.values():
        if "check" in row:
            stages.setdefault(row["check"]["stage"], []).append(row["check"])
    return [_stage(stage, checks) for stage, checks in stages.items()]


def _stage(stage: str, checks: Sequence[Mapping[str, Any]]) -> CheckAgreement:
    seats = sorted({_seat(check, vote) for check in checks for vote in check["votes"]})
    whole = _table(checks, seats, None)
    titles = {
        item["id"]: Text.of(item["title"])
        for check in checks
        for vote in check["votes"]
        for item in vote["failed"]
    }
    share = exact_agreement(whole)
    rows = _rows(Text("查验结论", "verdict"), whole)
    for item in sorted(titles):
        name = Text(f"{item} {titles[item].zh}", f"{item} {titles[item].en}")
        rows += _rows(name, _table(checks, seats, item))
    return CheckAgreement(
        stage,
        Text.of(checks[0]["title"]),
        len(checks),
        len(seats),
        sum(len(check["votes"]) for check in checks),
        sum(1 for check in checks for vote in check["votes"] if vote["failed"]),
        None if share is None else _percent(share),
        _NO_PAIRS if share is None else next(words for limit, words in _WORDS if share >= limit),
        tuple(rows),
    )


def _seat(check: Mapping[str, Any], vote: Mapping[str, Any]) -> tuple[str, int]:
    return str(check["panel"]), int(vote["seat"])


def _table(
    checks: Sequence[Mapping[str, Any]], seats: Sequence[tuple[str, int]], item: str | None
) -> list[list[float | None]]:
    """Counties x seats: 1 passed, 0 failed, None no vote; of one item, or of the verdict."""
    table = []
    for check in checks:
        said_: dict[tuple[str, int], float] = {}
        for vote in check["votes"]:
            struck = [entry["id"] for entry in vote["failed"]]
            failed = bool(struck) if item is None else item in struck
            said_[_seat(check, vote)] = 0.0 if failed else 1.0
        table.append([said_.get(seat) for seat in seats])
    return table


def _rows(name: Text, table: list[list[float | None]]) -> list[AnnexRow]:
    share = exact_agreement(table)
    label = Text("{n}：结论相同的比例（%）", "{n}: agreeing pairs (%)").format(n=name)
    found = [
        AnnexRow(label, None if share is None else _percent(share), None, None if share is not None else _NO_PAIRS)
    ]  # fmt: skip
    for title, made in (("Gwet AC1", ac1(table)), ("Fleiss κ", fleiss_kappa(table))):
        label = Text("{n}：{t}", "{n}: {t}").format(n=name, t=title)
        found.append(_coefficient(label, made, share))
    return found


def _coefficient(label: Text, made: Chance | Text, share: float | None) -> AnnexRow:
    if isinstance(made, Text):
        why = _ALL_ALIKE if share == 1.0 else said({"zh": made.zh, "en": made.en})
        return AnnexRow(label, None, None, why)
    bounds = (
        None if made.low is None or made.high is None else (f"{made.low:.4f}", f"{made.high:.4f}")
    )
    return AnnexRow(label, f"{made.value:.4f}", bounds, None)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
