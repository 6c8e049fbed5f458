"""The figures of `mingjian aggregate` and `mingjian agree` as text for a terminal: Chinese first, the
English complete. A heading holds both, a sentence stands on two lines."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import click

from app.domain.statistics.agreement import Agreement
from app.domain.statistics.raters import Raters
from app.domain.statistics.resampling import Interval
from app.domain.statistics.results import RoundScores
from app.domain.statistics.review import Review
from app.domain.statistics.rounding import plain
from app.domain.statistics.sensitivity import LeftOut, OtherRule, WeightSensitivity
from app.domain.statistics.shadow import Shadow
from app.domain.statistics.uncertainty import RankUncertainty
from app.domain.types import Text


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """Everything beside the official scores of one run."""

    review: Review
    bands: RankUncertainty
    weights: WeightSensitivity
    left_out: tuple[LeftOut, ...]
    others: tuple[OtherRule, ...]
    shadow: Shadow
    raters: Raters


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _table(rows: list[list[str]]) -> None:
    widths = [max(_width(row[c]) for row in rows) for c in range(len(rows[0]))]
    for row in rows:
        cells = [cell + " " * (w - _width(cell)) for cell, w in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


def _both(text: Text, indent: str = "") -> None:
    """A sentence: the Chinese line, then the English one."""
    click.echo(indent + text.zh)
    click.echo(indent + text.en)


def _beside(text: Text | str | None) -> str:
    """Both languages in one cell."""
    if text is None:
        return ""
    if isinstance(text, str) or text.zh == text.en:
        return str(text)
    return f"{text.zh} / {text.en}"


_UNDEFINED = Text("无定义", "not defined")
_POINTS = Text("分", "points")
_PAIRS = Text("占两两比较的比例", "share of pairs")
_LEVEL = {
    "green": Text("可以排序", "green"),
    "amber": Text("排序须附区间", "amber"),
    "red": Text("建议暂缓排序", "red"),
    "undefined": Text("无定义", "undefined"),
}


_FLAG_LEVEL = {
    "red": Text("请复核", "review"),
    "amber": Text("请留意", "look"),
    "info": Text("提示", "note"),
}
_SCALE = {
    "nominal": Text("定类", "nominal"),
    "ordinal": Text("定序", "ordinal"),
    "interval": Text("定距", "interval"),
    "ratio": Text("定比", "ratio"),
}


def print_scores(scores: RoundScores, made: Diagnostics, agreed: Agreement) -> None:
    """The ranking, then everything that is advice, then the arithmetic, then the agreement."""
    bands, flags = made.bands, made.review.flags
    top = scores.rule.top
    rows = [
        [
            "名次 rank",
            "对象 subject",
            "得分 total",
            "90 % 名次区间 ranks",
            "" if top is None else f"进前 {top} 的概率 P(top {top})",
            "权重变动 weights",
            "宽严校正 shadow",
            "说明 note",
        ]
    ]
    unranked = [s for s in scores.subjects.values() if s.rank is None]
    for score in [*scores.ranked, *unranked]:
        band = bands.bands.get(score.id)
        weighted, shadow = made.weights.bands.get(score.id), made.shadow.places.get(score.id)
        note = score.reason or (score.tie.text if score.tie else None)
        rows.append(
            [
                "-" if score.rank is None else str(score.rank),
                score.id,
                "-" if score.total is None else plain(score.total),
                "-" if band is None else f"{band.interval[0]}-{band.interval[1]}",
                "" if band is None or band.p_top is None else f"{band.p_top:.2f}",
                "" if weighted is None or weighted.p_top is None else f"{weighted.p_top:.2f}",
                "" if shadow is None else f"{shadow.rank}{'*' if shadow.crosses else ''}",
                _beside(note),
            ]
        )
    _table(rows)
    if made.weights.reason is None:
        _both(
            Text(
                "权重变动：权重上下约 10 % 时进前 {t} 的概率，模拟 {n} 次",
                "weights: P(top {t}) with weights about 10 % off, {n} draws",
            ).format(t=top, n=made.weights.draws)
        )
    _both(
        Text(
            "宽严校正：按专家宽严校正的名次，不是正式结果。{w}",
            "shadow: rank adjusted for severity, never official. {w}",
        ).format(w=made.shadow.text)
    )
    for place in scores.places:
        _both(place.text)
    if bands.reason is not None:
        click.echo()
        _both(Text("没有名次区间：{r}", "No rank intervals: {r}").format(r=bands.reason))
    if flags:
        click.echo()
        _both(Text("提示（仅供参考，没有改动任何得分）：", "Flags (advice; no score was changed):"))
        for flag in flags:
            head = Text("[{l}] {s}", "[{l}] {s}").format(
                l=_FLAG_LEVEL.get(flag.level, Text(flag.level, flag.level)), s=flag.sentence
            )
            _both(head, "  ")
    for check in made.review.checks:
        if check.silent is not None:
            _both(Text("（{r}：{w}）", "({r}: {w})").format(r=check.rule, w=check.silent), "  ")
    _print_sensitivity(made)
    click.echo()
    _both(Text("各专家：", "Experts:"))
    print_raters(made.raters)
    click.echo()
    _both(Text("计算过程：", "Arithmetic:"))
    for score in scores.subjects.values():
        for step in score.steps:
            _both(step.text, f"  {score.id}  ")
    click.echo()
    _both(Text("一致性（未去极值的评分表总分）：", "Agreement (untrimmed sheet totals):"))
    print_agreement(agreed)
    click.echo()
    _both(
        Text("规则摘要 {d}；种子 {s}，模拟 {n} 次", "Rule digest {d}; seed {s}, {n} draws").format(
            d=scores.rule.digest(), s=bands.seed, n=bands.draws
        )
    )


def _print_sensitivity(made: Diagnostics) -> None:
    if made.left_out:
        click.echo()
        _both(Text("逐一去掉每位专家：", "Each expert left out:"))
        pivotal = [one for one in made.left_out if one.pivotal]
        for one in pivotal:
            _both(one.text, "  ")
        rest = len(made.left_out) - len(pivotal)
        if rest:
            shift = max(one.largest_shift for one in made.left_out if not one.pivotal)
            _both(
                Text(
                    "另有 {n} 位不影响入选名单（名次最多变动 {s}）。",
                    "{n} more leave the list as it is (largest shift {s}).",
                ).format(n=rest, s=shift),
                "  ",
            )
    if made.others:
        click.echo()
        _both(
            Text(
                "换用其他规则（只作比较，正式规则不变）：",
                "Other rules (what if; the official rule stands):",
            )
        )
        rows = [["规则 rule", "进入 comes in", "退出 falls out", "最大变动 shift", "说明 note"]]
        for other in made.others:
            rows.append(
                [
                    _beside(other.title),
                    ", ".join(other.into) or "-",
                    ", ".join(other.out) or "-",
                    str(other.largest_shift),
                    _beside(other.reason),
                ]
            )
        _table(rows)


def print_raters(raters: Raters) -> None:
    """One sentence an expert, then Mandel's h and k that pass a limit."""
    _both(raters.graph, "  ")
    for report in raters.raters:
        _both(report.text, "  ")
    if isinstance(raters.mandel, Text):
        return
    for level in raters.mandel.levels:
        where = (
            Text("（指标 {i}）", " on item {i}").format(i=level.name)
            if level.name
            else Text("", "")
        )
        for name, limits, values in (
            ("h", level.critical_h, level.h),
            ("k", level.critical_k, level.k),
        ):
            for rater, value in values.items():
                if abs(value) > limits[0]:
                    star = "**" if abs(value) > limits[1] else "*"
                    _both(
                        Text(
                            "{r} 的 Mandel {n}{w}：{v:.2f}{s}（5 % 界限 {a:.2f}，1 % 界限 {b:.2f}）",
                            "Mandel {n} of {r}{w}: {v:.2f}{s} (critical {a:.2f} at 5 %, {b:.2f} at 1 %)",
                        ).format(
                            n=name, r=rater, w=where, v=value, s=star, a=limits[0], b=limits[1]
                        ),
                        "  ",
                    )


def print_agreement(result: Agreement) -> None:
    """Every coefficient on a line, what is undefined with its reason, and the verdict."""
    _both(
        Text(
            "{n} 个对象、{k} 位专家，缺评 {m} 个",
            "{n} subjects, {k} experts, {m} marks missing",
        ).format(n=result.n, k=result.k, m=result.missing)
    )
    rows = [["系数 coefficient", "数值 value", "95 % 区间 interval", "说明 note"]]
    for name, form in result.icc.items():
        rows.append(_line(name, form.value, form.low, form.high, form.convention or form.reason))
    for name, value in result.alpha.items():
        number, note = (None, value) if isinstance(value, Text) else (value, None)
        low = high = None
        found = result.alpha_interval.get(name)
        if isinstance(found, Interval):
            low, high, note = found.low, found.high, Text(found.method, found.method)
        rows.append(_line(f"alpha {_SCALE[name].zh} {name}", number, low, high, note))
    w = result.kendall_w
    if isinstance(w, Text):
        rows.append(_line("Kendall W", None, None, None, w))
    else:
        basis = Text(
            "χ² {c:.3f}，p {p:.4g}，{n} 个对象", "chi2 {c:.3f}, p {p:.4g}, {n} subjects"
        ).format(c=w.chi2, p=w.p, n=w.subjects)
        rows.append(_line("Kendall W", w.value, None, None, basis))
    tau = result.tau_b
    label = "平均 τ-b mean tau-b"
    if isinstance(tau, Text):
        rows.append(_line(label, None, None, None, tau))
    else:
        basis = Text("{n} 对专家，最低 {l:.3f}", "{n} pairs of experts, lowest {l:.3f}").format(
            n=tau.pairs, l=tau.lowest
        )
        rows.append(_line(label, tau.value, None, None, basis))
    for name, chance in (
        ("Fleiss kappa", result.fleiss_kappa),
        ("AC1", result.ac1),
        ("二次权重 AC2 quadratic", result.ac2_quadratic),
    ):
        if isinstance(chance, Text):
            rows.append(_line(name, None, None, None, chance))
        else:
            rows.append(_line(name, chance.value, chance.low, chance.high, None))
    icc = result.icc_result
    for label, spread in (
        ("单个评分的误差 SEM, one mark", result.sem),
        ("平均分的误差 SEM, mean", icc.sem_mean),
        ("对象标准差 sd of subjects", icc.sd_subject),
        ("专家宽严标准差 sd of experts", icc.sd_rater),
        ("残差标准差 sd of residual", icc.sd_residual),
    ):
        rows.append(_line(label, spread, None, None, _POINTS))
    near = result.within_one
    if not isinstance(near, Text):
        rows.append(_line("相差不超过一档 within one grade", near, None, None, _PAIRS))
    rows.append(_line("完全相同 exact agreement", result.exact_agreement, None, None, _PAIRS))
    _table(rows)
    verdict = Text("[{l}] {w}", "[{l}] {w}").format(
        l=_LEVEL[result.verdict.level], w=result.verdict.text
    )
    _both(verdict)


def _line(
    name: str, value: float | None, low: float | None, high: float | None, note: Text | str | None
) -> list[str]:
    return [
        name,
        _beside(_UNDEFINED) if value is None else f"{value:.4f}",
        "" if low is None or high is None else f"{low:.4f} – {high:.4f}",
        _beside(note),
    ]
