"""From stored inputs to stored results: scores with their arithmetic, agreement, flags, rank bands.

Pure over JSON, so that a run is computed the same way when it is made and whenever it is checked.
Scores are exact strings; the diagnostics are floats, kept with six decimals, and never touch a score.
Agreement is computed on what the experts judge: points that the office computes are the same on every
sheet, so in a total they widen the spread between counties and lift every coefficient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from app.aggregation.people import by_person, homes_of, seated
from app.aggregation.places import given_places
from app.aggregation.ties import of_draws, open_ties, orders_of
from app.domain.ledger.canonical import digest
from app.domain.statistics.agreement import agreement
from app.domain.statistics.bands import score_bands
from app.domain.statistics.flags import Flag
from app.domain.statistics.marks import Sheet, StageMarks, SubjectMarks
from app.domain.statistics.missing import State
from app.domain.statistics.observed import observed_totals
from app.domain.statistics.review import review_round
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.scores import score_round
from app.domain.statistics.uncertainty import rank_uncertainty
from app.domain.types import Text

# Replicates of alpha; a tenth as many simulated rounds where marks are missing.
RESAMPLES = 1000

# The customary limit is a share of the total, so the sentence names what the share is of.
_OF_TOTALS = Text(
    "（按评分表总分计。）",
    " (Of the sheet totals.)",
)
_OF_TOTALS_WITH_COMPUTED = Text(
    "（按评分表总分计，含统一计算的指标。）",
    " (Of the sheet totals, computed items included.)",
)

_STATUS = {
    "declared": Text("已申报", "declared"),
    "qualified": Text("合格", "qualified"),
    "vetoed": Text("一票否决", "vetoed"),
    "disqualified": Text("取消资格", "disqualified"),
}


def exact(value: Any) -> Any:
    """JSON without floats: a float becomes a string of six decimals (no ledger takes a float)."""
    if isinstance(value, float):
        return f"{value:.6f}"
    if isinstance(value, Mapping):
        return {str(key): exact(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [exact(item) for item in value]
    return value


def marks_of(inputs: Mapping[str, Any]) -> list[SubjectMarks]:
    """The stored inputs as the statistics take them."""
    return [
        SubjectMarks(
            id=row["id"],
            stages={name: _stage_marks(part) for name, part in row["stages"].items()},
            group=row["group"],
            vetoed=row["vetoed"],
            veto_reason=None if row["veto_reason"] is None else Text.of(row["veto_reason"]),
            adjust=Decimal(row["adjust"]),
        )
        for row in inputs["subjects"]
    ]


def _stage_marks(part: Mapping[str, Any]) -> StageMarks:
    if part["kind"] == "value":
        value = part["value"]
        return StageMarks(kind="value", value=None if value is None else Decimal(value))
    return StageMarks(
        sheets={
            label: Sheet(
                state=State(row["state"]),
                total=None if row["total"] is None else Decimal(row["total"]),
                items={name: Decimal(mark) for name, mark in row["items"].items()},
                not_applicable=frozenset(row["not_applicable"]),
                reason=None if row["reason"] is None else Text.of(row["reason"]),
            )
            for label, row in part["sheets"].items()
        }
    )


def compute(rule: ScoreRule, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """`{scores, agreement, flags, checks, uncertainty, bands}` of a run's inputs; `open_ties` where the
    tie ladder ends in a draw, `places` where the rule gives some."""
    subjects = marks_of(inputs)
    scores = score_round(rule, subjects, orders_of(inputs))
    people = by_person(inputs, subjects)
    review = review_round(rule, people, scores, homes_by_stage=homes_of(inputs))
    return {
        "scores": scores.to_json(),
        **open_ties(rule, scores.to_json(), inputs),
        "agreement": agreements(rule, inputs, subjects),
        "flags": [_flag(inputs, seated(inputs, flag)) for flag in review.flags],
        "checks": [exact(check.to_json()) for check in review.checks],
        **given_places(rule, inputs, scores),
        "uncertainty": exact(rank_uncertainty(rule, people, scores).to_json()),
        "bands": {
            name: exact(band.to_json())
            for name, band in score_bands(rule, subjects, scores).items()
        },
    }


def agreements(
    rule: ScoreRule, inputs: Mapping[str, Any], subjects: Sequence[SubjectMarks]
) -> list[dict[str, Any]]:
    """Agreement on the experts' own marks, untrimmed, for each panel: members of two panels never mark
    the same county.

    `basis` is "own" where a form has computed items and "total" where own marks are the totals;
    `forms` counts the different forms that the coefficient runs over. Nothing is normalised. Since runs
    keep how (`inputs["agreement"]`), the verdict rests on the lower bound even where marks are missing
    (simulated, seed from the inputs), and an error is small or not against the full mark.
    """
    found = []
    how = inputs.get("agreement")
    whole = "" if how is None else digest(dict(inputs))  # once: it is long in a large round
    for stage in inputs["stages"]:
        if stage["kind"] != "panel":
            continue
        for panel in stage["panels"]:
            parts = parts_of(inputs, stage["id"], panel["code"])
            part = [subject for subject in subjects if subject.id in parts]
            own = any(has_computed(each) for each in parts.values())
            if own:
                part = [_on_own_marks(s, stage["id"], parts[s.id]) for s in part]
            rows, raters, table = observed_totals(rule, part, stage["id"]).matrix()
            kept: dict[str, Any] = {}
            if how is not None:
                kept = {
                    "full_mark": _full_mark(list(parts.values()), own),
                    "resamples": how["resamples"],
                    "seed": _seed(whole, stage["id"], panel["code"]),
                }
            found.append(
                {
                    "stage": stage["id"],
                    "panel": panel["code"],
                    "basis": "own" if own else "total",
                    "forms": len({each["form"] for each in parts.values() if each["sheets"]}),
                    "subjects": rows,
                    "raters": raters,
                    **exact(kept),
                    **exact(agreement(table, **kept).to_json()),
                }
            )
    return found


def _full_mark(parts: Sequence[Mapping[str, Any]], own: bool) -> float | None:
    """The full mark that an error is compared with: where counties differ, the smallest."""
    marks = [own_maximum(part) if own else Decimal(part["maximum"]) for part in parts]
    least = min((mark for mark in marks if mark > 0), default=None)
    return None if least is None else float(least)


def _seed(inputs: str, stage: str, panel: str) -> int:
    """Of the simulated intervals of one panel; the same inputs (their digest) always give the same
    bounds."""
    return int(digest({"inputs": inputs, "stage": stage, "panel": panel})[:8], 16)


def parts_of(inputs: Mapping[str, Any], stage: str, panel: str) -> dict[str, Mapping[str, Any]]:
    """Region code -> what a panel did in a stage, for every county that it marked."""
    return {
        row["id"]: row["stages"][stage]
        for row in inputs["subjects"]
        if row["stages"][stage].get("panel") == panel
    }


def has_computed(part: Mapping[str, Any]) -> bool:
    """Whether the county's form has items that are computed alike for every expert."""
    return any(item["computed"] for item in part["items"])


def own_mark(part: Mapping[str, Any], sheet: Mapping[str, Any]) -> Decimal | None:
    """The sum of the items that the expert judged, in points; None without a counting sheet."""
    if sheet["total"] is None:
        return None
    judged = {item["id"] for item in part["items"] if not item["computed"]}
    points = (Decimal(value) for name, value in sheet["items"].items() if name in judged)
    return sum(points, Decimal(0))


def own_maximum(part: Mapping[str, Any]) -> Decimal:
    """Full marks of the items that the experts judge for this county."""
    return sum((Decimal(i["max"] or 0) for i in part["items"] if not i["computed"]), Decimal(0))


def _on_own_marks(subject: SubjectMarks, stage: str, part: Mapping[str, Any]) -> SubjectMarks:
    sheets = {
        label: replace(sheet, total=own_mark(part, part["sheets"][label]))
        for label, sheet in subject.stages[stage].sheets.items()
    }
    return replace(subject, stages={stage: StageMarks(sheets=sheets)})


def _flag(inputs: Mapping[str, Any], flag: Flag) -> Any:
    if flag.rule != "deviation":
        return exact(flag.to_json())
    parts = (row["stages"][flag.stage] for row in inputs["subjects"] if row["id"] == flag.subject)
    basis = _OF_TOTALS_WITH_COMPUTED if any(map(has_computed, parts)) else _OF_TOTALS
    text = Text(flag.text.zh + basis.zh, flag.text.en + basis.en)
    return exact(replace(flag, text=text).to_json())


def differences(
    before: Mapping[str, Any],
    before_results: Mapping[str, Any],
    after: Mapping[str, Any],
    after_results: Mapping[str, Any],
) -> list[Text]:
    """What changed from one run to the next: draws of ties; sheets, gates, values; totals and ranks."""
    found: list[Text] = of_draws(before, after)
    old = {row["id"]: row for row in before["subjects"]}
    new = {row["id"]: row for row in after["subjects"]}
    for key in sorted(old.keys() | new.keys()):
        if key not in new or key not in old:
            row = new.get(key) or old[key]
            text = (
                Text("{c}：加入本届", "{c}: came in")
                if key in new
                else Text("{c}：退出本届", "{c}: withdrew")
            )
            found.append(text.format(c=Text.of(row["name"])))
            continue
        found += of_subject(old[key], new[key], after["stages"])
        found += _of_score(
            Text.of(new[key]["name"]),
            before_results["scores"]["subjects"][key],
            after_results["scores"]["subjects"][key],
        )
    return found


def of_subject(
    old: Mapping[str, Any], new: Mapping[str, Any], stages: Sequence[Mapping[str, Any]]
) -> list[Text]:
    """What changed in one county's inputs: status, values, sheets."""
    found: list[Text] = []
    name = Text.of(new["name"])
    if old["status"] != new["status"]:
        text = Text("{c}：状态 {a} → {b}", "{c}: status {a} → {b}")
        one, two = (_STATUS.get(s, Text(s, s)) for s in (old["status"], new["status"]))
        found.append(text.format(c=name, a=one, b=two))
    for stage in stages:
        title = Text.of(stage["title"])
        one, two = old["stages"].get(stage["id"], {}), new["stages"][stage["id"]]
        if one.get("value") != two.get("value"):
            text = Text("{c} {s}：{a} → {b}", "{c}, {s}: {a} → {b}")
            found.append(text.format(c=name, s=title, a=one.get("value"), b=two.get("value")))
        was, now = one.get("sheets", {}), two.get("sheets", {})
        for label in sorted(was.keys() | now.keys()):
            a, b = was.get(label), now.get(label)
            if a == b:
                continue
            text = Text("{c} {s} 专家 {n}：{a} → {b}", "{c}, {s}, expert {n}: {a} → {b}")
            found.append(text.format(c=name, s=title, n=label, a=_sheet(a), b=_sheet(b)))
    return found


def _sheet(row: Mapping[str, Any] | None) -> Text:
    if row is None:
        return Text("无", "none")
    if row["total"] is None:
        return {
            "recused": Text("回避", "recused"),
            "absent": Text("缺席", "absent"),
            "rejected": Text("经监督剔除", "left out by the supervisor"),
        }[row["state"]]
    text = Text("{t}（第 {r} 版）", "{t} (version {r})")
    return text.format(t=row["total"], r=row["revision"])


def _of_score(name: Text, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Text]:
    found = []
    for key, word in (("total", Text("总分", "total")), ("rank", Text("名次", "rank"))):
        if old[key] != new[key]:
            text = Text("{c} {w}：{a} → {b}", "{c}, {w}: {a} → {b}")
            none = Text("无", "none")
            a = none if old[key] is None else old[key]
            b = none if new[key] is None else new[key]
            found.append(text.format(c=name, w=word, a=a, b=b))
    return found
