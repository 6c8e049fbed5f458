"""From an entry to points, for every scale type, in exact decimals.

An entry is plain JSON: `{"type": "mark", "value": ...}`, `{"type": "not_applicable", "reason": ...}`
or `{"type": "missing"}`; a mark may carry `"reason"` and `"evidence"` (a veto must). Values by scale type (decimals as strings):

    points            "7.5"
    grade             {"level": "good", "mark": "6.4"}
    checklist         {"ticks": ["a", "c"]}
    deduct            {"cases": 3}
    checklist_deduct  {"ticks": ["a"], "cases": 1}
    bands, formula    {"figures": {"sample_ok": "19", "sample_n": "20"}}   (not minmax_in_class)
    survey            {"figures": {"awareness_pct": "83.5", "respondents": "512"}}
    passfail          {"pass": true}
    passfail_points   {"pass": true}
    veto              {"vetoed": true, "vetoes": ["V1"]}
    grade_table       {"grade": "good", "prior_year": false}
    bonus             {"awards": [{"level": "national", "document": "2022-15"}]}

`item` is an item of the instrument JSON (`instrument.py`), so a sheet is always judged by the form
version it was filled on. An absent mark is an error here, never a zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.domain.scoring.measures import (
    ZERO,
    EntryError,
    Item,
    Outcome,
    decimal_of,
    entry_figures,
    figured_points,
    half_up,
    maximum_of,
    plain,
    title_of,
    within,
    wrong_shape,
)
from app.domain.types import Text

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Points:
    """What one item gives. `points` is None when the outcome carries none (judgement, N/A)."""

    points: Decimal | None
    minimum: Decimal
    maximum: Decimal | None
    outcome: Outcome
    working: Text


def evaluate_entry(item: Item, entry: Entry | None) -> Points:
    """The points of one entry. Raises EntryError; the caller keeps the entry as it was typed."""
    kind = (entry or {}).get("type", "missing")
    minimum, maximum = Decimal(item["min"]), maximum_of(item)
    if not item["applies"]:
        if kind == "missing":
            return Points(None, minimum, maximum, "not_applicable", DOES_NOT_APPLY)
        raise EntryError("does_not_apply", DOES_NOT_APPLY, item["id"])
    if entry is None or kind == "missing":
        raise EntryError("missing", Text("尚未填写", "not filled in yet"), item["id"])
    if kind == "not_applicable":
        return _not_applicable(item, entry, minimum, maximum)
    if kind != "mark" or "value" not in entry:
        raise wrong_shape(item)
    points, outcome, working, needs_reason = _EVALUATORS[item["scale"]["type"]](
        item, entry["value"]
    )
    if needs_reason and not _said(entry, "reason"):
        text = Text("须写明理由", "a reason is required")
        raise EntryError("needs_reason", text, item["id"])
    if outcome == "veto" and not _said(entry, "evidence"):
        text = Text("一票否决须写明依据材料", "a veto needs its evidence")
        raise EntryError("needs_evidence", text, item["id"])
    if points is not None:
        within(item, points, minimum, maximum)
    return Points(points, minimum, maximum, outcome, working)


DOES_NOT_APPLY = Text("本项不适用于该对象", "this item does not apply to this subject")
Evaluated = tuple[Decimal | None, Outcome, Text, bool]


def _said(entry: Entry, key: str) -> str:
    words = entry.get(key)
    return words.strip() if isinstance(words, str) else ""


def _not_applicable(item: Item, entry: Entry, minimum: Decimal, maximum: Decimal | None) -> Points:
    if item["not_applicable"] == "refused":
        text = Text("本项不得填“不适用”", "this item cannot be marked as not applicable")
        raise EntryError("not_applicable_refused", text, item["id"])
    reason = _said(entry, "reason")
    if not reason:
        text = Text("“不适用”须写明理由", "“not applicable” needs a reason")
        raise EntryError("needs_reason", text, item["id"])
    return Points(None, minimum, maximum, "not_applicable", Text(reason, reason))


def _mapping(item: Item, value: object, *keys: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or set(value) != set(keys):
        raise wrong_shape(item)
    return value


def _grid_mark(item: Item, value: object) -> Decimal:
    """A typed mark: a plain decimal inside the item's limits, on its step grid from the minimum."""
    mark = decimal_of(value)
    if mark is None:
        raise wrong_shape(item)
    minimum, step = Decimal(item["min"]), Decimal(item["scale"]["step"])
    within(item, mark, minimum, maximum_of(item))
    if (mark - minimum) % step != 0:
        text = Text("{p} 分不是 {s} 分的整数倍", "{p} points is not a multiple of {s}")
        raise EntryError("off_grid", text.format(p=plain(mark), s=plain(step)), item["id"])
    return mark


def _points(item: Item, value: object) -> Evaluated:
    mark = _grid_mark(item, value)
    return mark, "points", Text(f"{plain(mark)} 分", f"{plain(mark)} points"), False


def _grade(item: Item, value: object) -> Evaluated:
    fields = _mapping(item, value, "level", "mark")
    mark = _grid_mark(item, fields["mark"])
    level = _chosen(item, item["scale"]["levels"], fields["level"])
    low, high = Decimal(level["low"]), Decimal(level["high"])
    if mark < low or mark > high or (mark == high and not level["high_inclusive"]):
        text = Text("{p} 分不在“{l}”一档之内", "{p} points is not inside the grade “{l}”")
        filled = text.format(p=plain(mark), l=title_of(level))
        raise EntryError("out_of_range", filled, item["id"])
    title = title_of(level)
    working = Text(f"{title.zh} {plain(mark)}", f"{title.en} {plain(mark)}")
    return mark, "points", working, bool(level["reason"])


def _chosen(item: Item, rows: list[dict[str, Any]], wanted: object) -> dict[str, Any]:
    for row in rows:
        if row["id"] == wanted:
            return row
    text = Text("没有这个选项：{w}", "no such choice: {w}").format(w=wanted)
    raise EntryError("unknown_choice", text, item["id"])


def _ticked(item: Item, ticks: object) -> Decimal:
    if not isinstance(ticks, list) or len(set(map(str, ticks))) != len(ticks):
        raise wrong_shape(item)
    chosen = [_chosen(item, item["scale"]["items"], tick) for tick in ticks]
    return sum((Decimal(row["points"]) for row in chosen), ZERO)


def _cases(item: Item, cases: object) -> int:
    if isinstance(cases, bool) or not isinstance(cases, int) or not 0 <= cases <= 100_000:
        raise wrong_shape(item)
    return cases


def _checklist(item: Item, value: object) -> Evaluated:
    fields = _mapping(item, value, "ticks")
    total = _ticked(item, fields["ticks"])
    n, of = len(fields["ticks"]), len(item["scale"]["items"])
    return total, "points", Text(f"符合 {n}/{of} 项", f"{n} of {of} ticked"), False


def _deduct(item: Item, value: object) -> Evaluated:
    fields = _mapping(item, value, "cases")
    return _less_deductions(item, Decimal(item["max"]), _cases(item, fields["cases"]))


def _checklist_deduct(item: Item, value: object) -> Evaluated:
    fields = _mapping(item, value, "ticks", "cases")
    return _less_deductions(item, _ticked(item, fields["ticks"]), _cases(item, fields["cases"]))


def _less_deductions(item: Item, start: Decimal, cases: int) -> Evaluated:
    """Deductions end at the floor: 0, or minus the maximum (“扣完标准分的2倍为止”)."""
    per_case = Decimal(item["scale"]["per_case"])
    points = max(start - per_case * cases, Decimal(item["min"]))
    sum_text = f"{plain(start)} − {cases} × {plain(per_case)}"
    floor = f"{plain(points)}"
    return (
        points,
        "points",
        Text(f"{sum_text}，得 {floor}", f"{sum_text}, gives {floor}"),
        cases > 0,
    )


def _passfail(item: Item, value: object) -> Evaluated:
    if _mapping(item, value, "pass")["pass"] is True:
        return None, "pass", Text("达标", "pass"), False
    if _mapping(item, value, "pass")["pass"] is False:
        return None, "fail", Text("不达标", "fail"), True
    raise wrong_shape(item)


def _passfail_points(item: Item, value: object) -> Evaluated:
    passed = _mapping(item, value, "pass")["pass"]
    if not isinstance(passed, bool):
        raise wrong_shape(item)
    points = Decimal(item["max"]) if passed else ZERO
    return (
        points,
        "points",
        Text("有", "yes") if passed else Text("无", "no"),
        not passed,
    )


def _veto(item: Item, value: object) -> Evaluated:
    fields = _mapping(item, value, "vetoed", "vetoes")
    vetoed, ids = fields["vetoed"], fields["vetoes"]
    if not isinstance(vetoed, bool) or not isinstance(ids, list) or vetoed != bool(ids):
        raise wrong_shape(item)
    for wanted in ids:
        _chosen(item, item["scale"]["vetoes"], wanted)
    if vetoed:
        listed = ", ".join(ids)
        return None, "veto", Text(f"一票否决：{listed}", f"veto: {listed}"), True
    return None, "no_veto", Text("未发现否决情形", "no veto found"), False


def _grade_table(item: Item, value: object) -> Evaluated:
    fields = _mapping(item, value, "grade", "prior_year")
    row = _chosen(item, item["scale"]["table"], fields["grade"])
    if not isinstance(fields["prior_year"], bool):
        raise wrong_shape(item)
    points, title = Decimal(row["points"]), title_of(row)
    if fields["prior_year"]:
        factor = Decimal(item["scale"]["factor_for_prior_year"])
        points = half_up(points * factor, item["places"])
        title = Text(
            f"{title.zh}（上一年度 ×{plain(factor)}）",
            f"{title.en} (last year ×{plain(factor)})",
        )
    return points, "points", title, False


def _bonus(item: Item, value: object) -> Evaluated:
    awards = _mapping(item, value, "awards")["awards"]
    if not isinstance(awards, list):
        raise wrong_shape(item)
    by_document: dict[str, list[Decimal]] = {}
    for award in awards:
        fields = _mapping(item, award, "level", "document")
        document = fields["document"]
        if not isinstance(document, str) or not document.strip():
            text = Text("加分须有正式文件", "a bonus needs a formal document")
            raise EntryError("needs_reason", text, item["id"])
        row = _chosen(item, item["scale"]["ladder"], fields["level"])
        by_document.setdefault(document.strip(), []).append(Decimal(row["points"]))
    highest_only = item["scale"]["stacking"] == "highest_per_document"
    total = sum(
        (max(points) if highest_only else sum(points, ZERO) for points in by_document.values()),
        ZERO,
    )
    if item["scale"]["cap"] is not None:
        total = min(total, Decimal(item["scale"]["cap"]))
    n = len(by_document)
    return total, "points", Text(f"{n} 份文件", f"{n} document(s)"), False


def _figured(item: Item, value: object) -> Evaluated:
    figures = entry_figures(item, _mapping(item, value, "figures")["figures"])
    return (*figured_points(item, figures), False)


_EVALUATORS = {
    "points": _points,
    "grade": _grade,
    "checklist": _checklist,
    "deduct": _deduct,
    "checklist_deduct": _checklist_deduct,
    "bands": _figured,
    "formula": _figured,
    "survey": _figured,
    "passfail": _passfail,
    "passfail_points": _passfail_points,
    "veto": _veto,
    "grade_table": _grade_table,
    "bonus": _bonus,
}
