"""One stage of one subject: from the sheets of a panel, or a confirmed value, to the stage's value.

Trimming by sheet keeps one expert's judgement whole and needs complete sheets; trimming by item
uses every mark present. The two differ, so the rule names one before scoring opens. See
`scores.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from app.domain.statistics.estimators import SPLITS_INTO_ITEMS, Estimate, estimate
from app.domain.statistics.marks import Sheet, StageMarks, SubjectMarks
from app.domain.statistics.missing import State, head_count
from app.domain.statistics.results import StageScore, UnitScore
from app.domain.statistics.rounding import (
    at_stage,
    exact_sum,
    exact_text,
    exact_total,
    on_one_denominator,
    plain,
    shown,
    to_decimal,
)
from app.domain.statistics.rule import ItemRule, ScoreRule, SectionRule
from app.domain.statistics.trace import Step, estimate_text, rounded_text
from app.domain.types import DomainError, Text


def _sample_variance(marks: Sequence[Decimal]) -> Fraction | None:
    if len(marks) < 2:
        return None
    tops, bottom = on_one_denominator(marks)
    n, total = len(tops), sum(tops)
    squares = sum(top * top for top in tops)
    return Fraction(n * squares - total * total, n * (n - 1) * bottom * bottom)


def _written(value: Fraction) -> _Value:
    """(value, without loss, for a reader)."""
    return value, exact_text(value), shown(value)


@lru_cache(maxsize=4096)
def _typed(mark: Decimal) -> _Value:
    """As `_written`: a form has few distinct marks, a round has many sheets."""
    return _written(Fraction(mark))


def _section(entry: ItemRule, item: str) -> str:
    return f"s:{entry.section}" if entry.section is not None else f"i:{item}"


_PLAIN: Final = ItemRule()
_Value = tuple[Fraction, str, str]


@dataclass(slots=True)
class StageScorer:
    """Scores the stages of one subject and collects the steps."""

    rule: ScoreRule
    subject: SubjectMarks
    steps: list[Step] = field(default_factory=list)
    known: dict[str, tuple[bool, Fraction, str, str | None, str]] = field(default_factory=dict)

    def step(
        self,
        op: str,
        text: Text,
        inputs: dict[str, object],
        result: Fraction | None,
        *,
        stage: str | None = None,
        item: str | None = None,
    ) -> None:
        """Append one line of arithmetic."""
        shown_result = None if result is None else exact_text(result)
        self.steps.append(Step(op, self.subject.id, stage, item, text, inputs, shown_result))

    def stage_score(self, name: str, weight: Decimal) -> StageScore:
        """The score of stage `name`, or the reason why it has none."""
        marks = self.subject.stages.get(name, StageMarks(kind="value"))
        for item in marks.items:
            self._item_rule(item)
        if marks.kind == "value":
            value = None if marks.value is None else Fraction(marks.value)
            reason = None
            if value is None:
                reason = Text("阶段 {s} 没有结果。", "Stage {s} has no result.").format(s=name)
                self.step("panel", reason, {}, None, stage=name)
            else:
                value = self._rounded_value(name, value)
            return self._result(name, weight, value, marks, None, {}, None, reason)
        states = [sheet.state for sheet in marks.sheets.values()]
        inputs: dict[str, object] = {r: s.state.value for r, s in sorted(marks.sheets.items())}
        count = Text("阶段 {s}:{c}", "Stage {s}: {c}").format(s=name, c=head_count(states))
        self.step("panel", count, {"sheets": inputs, "quorum": self.rule.quorum}, None, stage=name)
        by_sheet = self.rule.unit == "sheet"
        return (
            self._by_sheet(name, weight, marks) if by_sheet else self._by_item(name, weight, marks)
        )

    def _rounded_value(self, name: str, value: Fraction) -> Fraction:
        places = self.rule.rounding["module"]
        line = Text("阶段 {s} 确认值:{v}", "Stage {s}, confirmed value: {v}")
        result = at_stage(value, places)
        self.step(
            "given",
            line.format(s=name, v=rounded_text(value, places)),
            {"value": exact_text(value), "places": places},
            result,
            stage=name,
        )
        return result

    def _result(
        self,
        name: str,
        weight: Decimal,
        value: Fraction | None,
        marks: StageMarks,
        unit: UnitScore | None,
        items: dict[str, UnitScore],
        spread: Fraction | None,
        reason: Text | None,
    ) -> StageScore:
        contribution = value
        if value is not None and self.rule.modules:
            places = self.rule.rounding["weighted"]
            product = value * Fraction(weight)
            contribution = at_stage(product, places)
            line = f"{shown(value)} × {plain(weight)} = "
            tail = rounded_text(product, places)
            self.step(
                "product",
                Text(
                    f"阶段 {name} 加权:{line}{tail.zh}", f"Stage {name} weighted: {line}{tail.en}"
                ),
                {"a": exact_text(value), "b": plain(weight), "places": places},
                contribution,
                stage=name,
            )
        return StageScore(
            id=name,
            value=value,
            places=self.rule.rounding["module"],
            weight=weight,
            contribution=contribution,
            drawn=len(marks.sheets),
            valid=len(marks.valid),
            unit=unit,
            items=items,
            spread=spread,
            reason=reason,
        )

    def _no_quorum(self, what: Text, present: int, name: str, item: str | None) -> Text:
        reason = Text(
            "{what}只有 {n} 个有效分数,少于规定的 {q} 个,不计分。",
            "{what} has {n} valid marks, fewer than the quorum of {q}: no score.",
        ).format(what=what, n=present, q=self.rule.quorum)
        inputs: dict[str, object] = {"present": present, "quorum": self.rule.quorum}
        self.step("gate", reason, inputs, None, stage=name, item=item)
        return reason

    def _estimate(
        self, name: str, item: str | None, what: Text, marks: dict[str, Decimal], stage: str
    ) -> tuple[Estimate, Fraction]:
        """One estimate with its step; `stage` is the rounding stage."""
        rule, places = self.rule, self.rule.rounding[stage]
        made = estimate(rule.estimator, marks, rule.drop)
        result = at_stage(made.value, places)
        inputs: dict[str, object] = {
            "estimator": rule.estimator,
            "marks": {rater: plain(mark) for rater, mark in sorted(marks.items())},
            "drop": len(made.low),
            "dropped": list(made.dropped),
            "places": places,
        }
        text = estimate_text(what, rule.estimator, marks, made, places)
        self.step("estimate", text, inputs, result, stage=name, item=item)
        return made, result

    def _by_sheet(self, name: str, weight: Decimal, marks: StageMarks) -> StageScore:
        totals: dict[str, Decimal] = {}
        names = marks.items
        for rater, sheet in marks.valid.items():
            gaps = [i for i in names if i not in sheet.not_applicable]
            gaps = [i for i in gaps if sheet.items.get(i) is None]
            if sheet.total is not None:
                totals[rater] = sheet.total
            elif gaps or not any(mark is not None for mark in sheet.items.values()):
                line = Text(
                    "阶段 {s}:评分表 {r} 不完整(缺 {gaps}),按缺席处理。",
                    "Stage {s}: sheet {r} is incomplete (missing {gaps}), counted as absent.",
                ).format(s=name, r=rater, gaps=", ".join(gaps) or "-")
                self.step("gate", line, {"rater": rater, "missing": list(gaps)}, None, stage=name)
            else:
                totals[rater] = self._sheet_total(name, rater, sheet)
        what = Text("阶段 {s} 总分", "Stage {s}, sheet totals").format(s=name)
        spread = _sample_variance(list(totals.values()))
        if len(totals) < self.rule.quorum:
            reason = self._no_quorum(what, len(totals), name, None)
            return self._result(name, weight, None, marks, None, {}, spread, reason)
        made, value = self._estimate(name, None, what, totals, "module")
        places = self.rule.rounding["module"]
        unit = UnitScore(value, places, made.present, len(made.used), made.dropped)
        items = {}
        for item in names:
            found = {r: marks.sheets[r].items.get(item) for r in totals}
            kept = [m for r in made.used if (m := found[r]) is not None]
            share = exact_sum(kept) / len(kept) if kept else None
            items[item] = UnitScore(
                share if self.rule.estimator in SPLITS_INTO_ITEMS else None,
                None,
                sum(mark is not None for mark in found.values()),
                len(kept),
                made.dropped,
            )
        return self._result(name, weight, value, marks, unit, items, spread, None)

    def _sheet_total(self, name: str, rater: str, sheet: Sheet) -> Decimal:
        lines = [(i, _typed(m)) for i, m in sorted(sheet.items.items()) if m is not None]
        stages = ("product", "section", "sheet")
        what = Text("阶段 {s} 评分表 {r} 合计", "Stage {s}, sheet {r} adds up").format(
            s=name, r=rater
        )
        if len(lines) == 1 and self._item_rule(lines[0][0]).weight == 1:
            what = Text("阶段 {s} 评分表 {r}", "Stage {s}, sheet {r}").format(s=name, r=rater)
        total = self._weighted_sum(name, what, lines, stages)
        return to_decimal(total)

    def _item_rule(self, item: str) -> ItemRule:
        if not self.rule.items:
            return _PLAIN
        if item not in self.rule.items:
            raise DomainError(
                Text(
                    "{subject}:规则 items 中没有指标 {item}。",
                    "{subject}: the rule lists items, but not {item}.",
                ).format(subject=self.subject.id, item=item),
                field="items",
            )
        return self.rule.items[item]

    def _line_of(self, item: str) -> tuple[bool, Fraction, str, str | None, str]:
        """(weight is 1, weight, as written, section, what its product is added up under) of an item.

        Items without a section are sections of their own; where nothing is done to a section's sum,
        no sums of sections are needed."""
        found = self.known.get(item)
        if found is None:
            entry = self._item_rule(item)
            at_section = self.rule.rounding["section"]
            plain_sum = at_section is None and entry.section not in self.rule.sections
            key = "" if plain_sum else _section(entry, item)
            weight = plain(entry.weight)
            found = entry.weight == 1, Fraction(entry.weight), weight, entry.section, key
            self.known[item] = found
        return found

    def _by_item(self, name: str, weight: Decimal, marks: StageMarks) -> StageScore:
        items: dict[str, UnitScore] = {}
        lines: list[tuple[str, _Value]] = []
        spread: Fraction | None = Fraction(0)
        reason: Text | None = None
        valid, names = marks.valid, marks.items
        if len(valid) < self.rule.quorum or not names:
            what = Text("阶段 {s}", "Stage {s}").format(s=name)
            reason = self._no_quorum(what, len(valid) if names else 0, name, None)
            return self._result(name, weight, None, marks, None, {}, None, reason)
        for item in names:
            what = Text("阶段 {s} 指标 {i}", "Stage {s}, item {i}").format(s=name, i=item)
            item_weight = Fraction(self._item_rule(item).weight)
            found = {r: m for r, s in valid.items() if (m := s.items.get(item)) is not None}
            if not found and all(item in sheet.not_applicable for sheet in valid.values()):
                line = Text("{w}:不适用", "{w}: not applicable").format(w=what)
                self.step(
                    "gate", line, {State.NOT_APPLICABLE.value: item}, None, stage=name, item=item
                )
                continue
            places = self.rule.rounding["item"]
            if len(found) < self.rule.quorum:
                reason = self._no_quorum(what, len(found), name, item)
                items[item] = UnitScore(None, places, len(found), 0, ())
                continue
            made, value = self._estimate(name, item, what, found, "item")
            items[item] = UnitScore(value, places, made.present, len(made.used), made.dropped)
            lines.append((item, _written(value)))
            variance = _sample_variance(list(found.values()))
            if spread is not None:
                spread = None if variance is None else spread + variance * item_weight**2
        if reason is not None:
            return self._result(name, weight, None, marks, None, items, spread, reason)
        if not lines:
            reason = Text("阶段 {s} 各指标均不适用。", "Stage {s}: no item applies.").format(s=name)
            return self._result(name, weight, None, marks, None, items, None, reason)
        what = Text("阶段 {s} 合计", "Stage {s} adds up").format(s=name)
        value = self._weighted_sum(name, what, lines, ("product", "section", "module"))
        return self._result(name, weight, value, marks, None, items, spread, None)

    def _weighted_sum(
        self,
        name: str,
        what: Text,
        lines: list[tuple[str, _Value]],
        stages: tuple[str, str, str],
    ) -> Fraction:
        """Products, then section sums, then their sum, each rounded at its stage.

        Nothing is written down for one unweighted value that no stage rounds.
        """
        at_product, at_section, at_sum = (self.rule.rounding[stage] for stage in stages)
        sections: dict[str, list[Fraction]] = {}
        table: list[list[str | None]] = []
        terms: list[str] = []
        for item, (value, full, short) in lines:
            whole, ratio, weight, section, key = self._line_of(item)
            product = value if whole else value * ratio
            if at_product is not None:
                product = at_stage(product, at_product)
            sections.setdefault(key, []).append(product)
            table.append([item, full, weight, section])
            terms.append(
                short
                if product is value or (whole and product == value)
                else f"{short}×{weight}→{shown(product)}"
            )
        parts = [
            self._section_value(key, exact_total(part), at_section)
            for key, part in sections.items()
        ]
        exact = exact_total(parts) if parts else Fraction(0)
        special = {}
        if self.rule.sections:
            used = {section for _, _, _, section in table}
            special = {name: part for name, part in self.rule.sections.items() if name in used}
        result = at_stage(exact, at_sum)
        if len(lines) == 1 and result == lines[0][1][0] and not special:
            return result
        tail = rounded_text(exact, at_sum)
        joined = " + ".join(terms)
        inputs: dict[str, object] = {
            "lines": table,
            "product": at_product,
            "section": at_section,
            "places": at_sum,
        }
        if special:
            inputs["sections"] = {
                name: [plain(part.weight), None if part.cap is None else plain(part.cap)]
                for name, part in special.items()
            }
            joined = f"({joined}; {_section_text(special)})"
        text = Text(f"{what.zh}:{joined} = {tail.zh}", f"{what.en}: {joined} = {tail.en}")
        self.step("weighted_sum", text, inputs, result, stage=name)
        return result

    def _section_value(self, key: str, total: Fraction, places: int | None) -> Fraction:
        """The sum of a section after its cap and weight, rounded at the section stage."""
        part = self.rule.sections.get(key.removeprefix("s:")) if key.startswith("s:") else None
        if part is None:
            return at_stage(total, places)
        capped = total if part.cap is None else min(total, Fraction(part.cap))
        return at_stage(capped * Fraction(part.weight), places)


def _section_text(sections: Mapping[str, SectionRule]) -> str:
    """ "A ≤30 ×0.6": what is done to each section's sum, for a reader."""
    return ", ".join(
        f"{name}{'' if part.cap is None else f' ≤{plain(part.cap)}'} ×{plain(part.weight)}"
        for name, part in sections.items()
    )
