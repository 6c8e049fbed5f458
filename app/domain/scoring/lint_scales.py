"""Lint of one indicator's scale: reachable grades and bands, sums, grids, zero denominators."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from itertools import pairwise

from app.domain.scoring.expressions import ExpressionError, ZeroDenominator, evaluate_number
from app.domain.scoring.instrument_scales import minimum_of
from app.domain.scoring.lint_findings import Findings
from app.domain.scoring.measures import plain
from app.domain.scoring.scale_schema import (
    Band,
    Bands,
    Bonus,
    Checklist,
    ChecklistDeduct,
    Deduct,
    DirectPoints,
    Formula,
    Grade,
    GradeTable,
    Measure,
    Survey,
    Tick,
    VetoOpinion,
)
from app.domain.scoring.schema import Form, Indicator
from app.domain.types import Text

_ZERO = Decimal(0)


def lint_scale(findings: Findings, form: Form, entry: Indicator) -> None:
    """Report every defect of `entry.scale`."""
    ScaleLint(findings, form, entry).run()


class ScaleLint:
    def __init__(self, findings: Findings, form: Form, entry: Indicator) -> None:
        self.findings = findings
        self.form = form
        self.entry = entry
        self.maximum = entry.maximum or _ZERO

    def report(self, code: str, zh: str, en: str, fix_zh: str, fix_en: str) -> None:
        where = f"indicators[{self.entry.id}].scale"
        self.findings.error(self.entry.line, code, where, Text(zh, en), Text(fix_zh, fix_en))

    def run(self) -> None:
        match self.entry.scale:
            case DirectPoints(step=step):
                self.grid(step)
            case Grade() as grade:
                self.grade(grade)
            case Checklist(items=items):
                self.ticks(items, total=True)
            case ChecklistDeduct(items=items, per_case=per_case):
                self.ticks(items, total=True)
                self.per_case(per_case)
            case Deduct(per_case=per_case):
                self.per_case(per_case)
            case Bands(measure=measure, bands=bands):
                self.measure(measure)
                self.bands(bands)
            case Formula() as formula:
                self.formula(formula)
            case Survey() as survey:
                self.survey(survey)
            case GradeTable(table=table):
                self.ticks(table, total=False)
            case Bonus() as bonus:
                self.bonus(bonus)
            case VetoOpinion(vetoes=vetoes):
                self.findings.duplicates(
                    [(veto, self.entry.line) for veto in vetoes],
                    f"indicators[{self.entry.id}].scale.vetoes",
                )

    def grid(self, step: Decimal) -> bool:
        minimum = minimum_of(self.entry)
        if step <= 0 or minimum >= self.maximum or (self.maximum - minimum) % step != 0:
            self.report(
                "grid",
                f"满分 {plain(self.maximum)} 不在步长 {plain(step)} 的格点上",
                f"the maximum {plain(self.maximum)} is not on the grid of step {plain(step)}",
                "调整步长或满分",
                "change the step or the maximum",
            )
            return False
        return True

    def grade(self, grade: Grade) -> None:
        levels = sorted(grade.levels, key=lambda level: level.low)
        ids = [(level.id, self.entry.line) for level in levels]
        self.findings.duplicates(ids, f"indicators[{self.entry.id}].scale.levels")
        joins = all(a.high == b.low for a, b in pairwise(levels))
        top_only = [level.high_inclusive for level in levels] == [False] * (len(levels) - 1) + [
            True
        ]
        if not joins or levels[0].low != 0 or levels[-1].high != 1 or not top_only:
            self.report(
                "level-gap",
                "各档未从 0 连续覆盖到 1，或上限归属不清",
                "the grades do not cover 0 to 1 without gap or overlap, top end inclusive",
                "low 接上一档的 high，最高档 high_inclusive: true",
                "let each low equal the next high; high_inclusive: true on the top grade",
            )
            return
        if not self.grid(grade.step):
            return
        for level in levels:
            low, high = level.low * self.maximum, level.high * self.maximum
            # Decimal's // truncates toward zero, so the first grid mark is found by rounding up.
            first = (low / grade.step).to_integral_value(ROUND_CEILING) * grade.step
            if first > high or (first == high and not level.high_inclusive):
                self.report(
                    "unreachable-level",
                    f"“{level.title.zh}”一档没有可打的分值",
                    f"no mark of the step grid falls in the grade “{level.title.en}”",
                    "减小步长",
                    "use a smaller step",
                )

    def ticks(self, ticks: tuple[Tick, ...], *, total: bool) -> None:
        ids = [(tick.id, self.entry.line) for tick in ticks]
        self.findings.duplicates(ids, f"indicators[{self.entry.id}].scale")
        values = [tick.points for tick in ticks]
        reached = sum(values, _ZERO) if total else max(values, default=_ZERO)
        if reached != self.maximum or any(value < 0 for value in values):
            self.report(
                "points-sum",
                f"各行可得 {plain(reached)} 分，与满分 {plain(self.maximum)} 不符",
                f"the rows give {plain(reached)} points, the maximum is {plain(self.maximum)}",
                "修改分值或满分",
                "change the rows or the maximum",
            )

    def per_case(self, per_case: Decimal) -> None:
        if per_case <= 0:
            self.report(
                "per-case",
                "每件扣分须大于零",
                "the deduction per case must be above zero",
                "写正数",
                "write a positive number",
            )

    def measure(self, measure: Measure) -> None:
        if measure.expression.divides and measure.zero_denominator is None:
            self.report(
                "zero-denominator",
                f"分母可能为零而未规定结果：{measure.expression.source}",
                f"the denominator can be zero and no result is stated: {measure.expression.source}",
                "写 zero_denominator: full、zero 或 not_applicable",
                "write zero_denominator: full, zero or not_applicable",
            )
        if not measure.expression.divides and measure.zero_denominator is not None:
            self.report(
                "zero-denominator",
                "没有会为零的分母，却写了 zero_denominator",
                "zero_denominator is written but no denominator can be zero",
                "删去",
                "remove it",
            )
        facts = {fact.name for fact in self.form.facts}
        used = set(measure.expression.names)
        used |= measure.valid_if.names if measure.valid_if else set()
        if used & facts:
            self.report(
                "fact-in-formula",
                f"公式中只能用数据，不能用属性：{', '.join(sorted(used & facts))}",
                f"a formula reads figures, not facts: {', '.join(sorted(used & facts))}",
                "改用 applies_if",
                "use applies_if",
            )

    def formula(self, formula: Formula) -> None:
        self.measure(formula.measure)
        if formula.normalise == "bands":
            self.bands(formula.bands)
        if formula.normalise == "target_ratio":
            self.target(formula.target)
        if formula.normalise != "minmax_in_class":
            return
        if self.entry.scorer != "formula":
            self.report(
                "scorer",
                "类内标准化须由系统计算",
                "min-max within a class can only be computed by the system",
                "scorer: formula",
                "scorer: formula",
            )
        small = formula.small_class
        if small is None:
            self.report(
                "small-class",
                "类内不足 3 个对象时极差标准化无意义，未规定替代办法",
                "min-max has no meaning for a class of fewer than 3 subjects; nothing replaces it",
                "写 small_class: {method: target_ratio, target: ..., status: default}",
                "write small_class: {method: target_ratio, target: ..., status: default}",
            )
        elif small.method == "target_ratio":
            self.target(small.target)
        else:
            self.bands(small.bands)

    def target(self, target: Decimal | None) -> None:
        if target is None or target <= 0:
            self.report(
                "target",
                "缺少大于零的目标值",
                "a target above zero is missing",
                "写 target",
                "write target",
            )

    def bands(self, bands: tuple[Band, ...]) -> None:
        limits = sorted(
            {
                limit
                for band in bands
                for limit in (band.ge, band.gt, band.lt, band.le)
                if limit is not None
            }
        )
        if not limits:
            return
        probes = [limits[0] - 1, limits[-1] + 1, *limits]
        probes += [(a + b) / 2 for a, b in pairwise(limits)]
        chosen = [self._first(bands, probe) for probe in probes]
        for probe, index in sorted(zip(probes, chosen, strict=True)):
            if index < 0:
                self.report(
                    "band-gap",
                    f"数值 {plain(probe)} 不在任何一档",
                    f"no band holds the value {plain(probe)}",
                    "补一档，或用 ge/le 把界限包含进来",
                    "add a band, or include the limit with ge or le",
                )
                break
        for index, band in enumerate(bands):
            if index not in chosen:
                self.report(
                    "unreachable-band",
                    f"第 {index + 1} 档（{plain(band.points)} 分）永远用不到",
                    f"band {index + 1} ({plain(band.points)} points) can never be reached",
                    "调整顺序：先命中者为准",
                    "reorder: the first band that matches wins",
                )
        best = max(band.points for band in bands)
        if best != self.maximum or any(band.points < 0 for band in bands):
            self.report(
                "points-sum",
                f"最高一档 {plain(best)} 分，与满分 {plain(self.maximum)} 不符",
                f"the best band gives {plain(best)}, the maximum is {plain(self.maximum)}",
                "修改分值或满分",
                "change the bands or the maximum",
            )

    @staticmethod
    def _first(bands: tuple[Band, ...], value: Decimal) -> int:
        return next((i for i, band in enumerate(bands) if band.holds(value)), -1)

    def survey(self, survey: Survey) -> None:
        self.measure(survey.measure)
        figures = {figure.name: figure for figure in self.form.figures}
        if survey.sample_figure not in figures:
            self.report(
                "unknown-name",
                f"未声明样本量 {survey.sample_figure}",
                f"the sample figure {survey.sample_figure} is not declared",
                "在 figures 中声明",
                "declare it under figures",
            )
        highest = {name: figures[name].maximum for name in survey.measure.expression.names}
        try:
            reached = evaluate_number(survey.measure.expression.tree, highest)
        except (ExpressionError, ZeroDenominator):
            return
        if reached != self.maximum:
            self.report(
                "points-sum",
                f"各数据取最大值时得 {plain(reached)} 分，满分 {plain(self.maximum)}",
                f"the highest figures give {plain(reached)}, the maximum is {plain(self.maximum)}",
                "修改公式、max 或满分",
                "change the expression, the figures' max or the maximum",
            )

    def bonus(self, bonus: Bonus) -> None:
        if not bonus.ladder or any(row.points <= 0 for row in bonus.ladder):
            self.report(
                "bonus",
                "加分档次须有大于零的分值",
                "a bonus ladder needs points above zero",
                "修改 ladder",
                "change the ladder",
            )
        if bonus.cap != self.entry.maximum:
            self.report(
                "bonus",
                "加分上限 cap 与 max 不一致",
                "the cap of the bonus and max differ",
                "两处写同一个数，或都不写",
                "write the same number in both, or in neither",
            )
        ids = [(row.id, self.entry.line) for row in bonus.ladder]
        self.findings.duplicates(ids, f"indicators[{self.entry.id}].scale.ladder")
