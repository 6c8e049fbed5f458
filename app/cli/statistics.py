"""`mingjian aggregate` and `mingjian agree`: the statistics without the web application.

Both read a long CSV of marks (see `app.domain.statistics.marks_file`). Whatever is wrong with the
input is one message in both languages, with its line, and exit code 2.
"""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ParamSpec

import click

from app.cli.statistics_print import Diagnostics, print_agreement, print_raters, print_scores
from app.domain.statistics import rule_file
from app.domain.statistics.agreement import Agreement, agreement
from app.domain.statistics.alpha import SCALES
from app.domain.statistics.chance import MOST_GRADES, coefficient
from app.domain.statistics.conger import conger
from app.domain.statistics.marks import SubjectMarks
from app.domain.statistics.marks_file import STAGE, decode_marks, parse_marks, subjects_of
from app.domain.statistics.observed import item_names, observed_item, observed_totals
from app.domain.statistics.raters import Order, Raters, rate_raters
from app.domain.statistics.resampling import RESAMPLES
from app.domain.statistics.results import RoundScores
from app.domain.statistics.review import review_round
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.scores import score_round
from app.domain.statistics.sensitivity import leave_one_out, weight_sensitivity, what_if
from app.domain.statistics.shadow import shadow_ranking
from app.domain.statistics.trace import text_json
from app.domain.statistics.uncertainty import RankUncertainty, rank_uncertainty
from app.domain.types import DomainError, Text

Arguments = ParamSpec("Arguments")


def load_rule(path: Path | None) -> ScoreRule:
    """The rule of a YAML file; the default rule without a file. Raises DomainError."""
    if path is None:
        return ScoreRule.parse(None)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DomainError(
            Text("规则文件不是 UTF-8 文本。", "The rule file is not UTF-8 text.")
        ) from error
    return rule_file.load_rule(text)


def load_subjects(path: Path, rule: ScoreRule) -> list[SubjectMarks]:
    """The subjects of a marks file. Raises DomainError with the line."""
    return subjects_of(parse_marks(decode_marks(path.read_bytes())), rule)


def _says_errors(command: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Turn a refusal into one message in both languages and exit code 2."""

    @functools.wraps(command)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except DomainError as error:
            click.echo(f"错误: {error.text.zh} / error: {error.text.en}", err=True)
            raise click.exceptions.Exit(2) from error

    return run


_MARKS = click.argument(
    "marks", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="MARKS.csv"
)
_JSON = click.option("--json", "as_json", is_flag=True, help="打印 JSON / Print JSON.")
_ORDER = click.option(
    "--in-order",
    is_flag=True,
    help="对象按评分先后排列，用于看漂移 / Subjects stand in the order in which they were marked (drift).",
)


@click.command("aggregate")
@_MARKS
@click.option(
    "--rule",
    "rule_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="RULE.yaml",
    help="计分规则文件，与届次页面所用的相同 / Scoring rule, the file that a round's page takes; without it: trimmed mean of the sheets, quorum 5, 2 decimals.",
)
@_ORDER
@click.option(
    "--homes",
    "homes_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="HOMES.csv",
    help="哪些对象属于专家本地区：expert,subject / Which subjects are of an expert's own region: expert,subject; for the home-region flag.",
)
@_JSON
@_says_errors
def aggregate_command(
    marks: Path, rule_path: Path | None, in_order: bool, homes_path: Path | None, as_json: bool
) -> None:
    """由打分表计算得分、名次、提示和名次的可靠程度。

    Scores, dropped marks, ranks, flags and rank uncertainty of a CSV of marks."""
    rule = load_rule(rule_path)
    subjects = load_subjects(marks, rule)
    scores = score_round(rule, subjects)
    made = Diagnostics(
        review=review_round(rule, subjects, scores, homes=_homes(homes_path)),
        bands=rank_uncertainty(rule, subjects, scores),
        weights=weight_sensitivity(rule, subjects, scores),
        left_out=leave_one_out(rule, subjects, scores),
        others=what_if(rule, subjects, scores),
        shadow=shadow_ranking(rule, subjects, scores),
        raters=_raters(rule, subjects, in_order),
    )
    agreed = _agreements(rule, subjects, "interval", 0)
    if as_json:
        click.echo(_dump(_aggregate_json(scores, made, agreed)))
    else:
        print_scores(scores, made, agreed[None])


@click.command("agree")
@_MARKS
@click.option("--scale", type=click.Choice(SCALES), default="interval", show_default=True)
@click.option(
    "--resamples",
    type=click.IntRange(0, 100_000),
    default=RESAMPLES,
    show_default=True,
    help="没有公式的区间的模拟次数，0 为不算 / For intervals without a formula; 0: none.",
)
@_ORDER
@_JSON
@_says_errors
def agree_command(marks: Path, scale: str, resamples: int, in_order: bool, as_json: bool) -> None:
    """评分者一致性及其区间，按未去极值的评分计算。

    Agreement of the experts, with confidence intervals, on untrimmed marks."""
    rule = ScoreRule.parse(None)
    subjects = load_subjects(marks, rule)
    agreed = _agreements(rule, subjects, scale, resamples)
    raters = _raters(rule, subjects, in_order)
    if as_json:
        data = _agreement_json(agreed)
        data["weighted"] = _weighted(rule, subjects)
        data["raters"] = raters.to_json()
        click.echo(_dump(data))
        return
    for item, result in agreed.items():
        click.echo("评分表总分 / Sheet totals" if item is None else f"\n指标 {item} / Item {item}")
        print_agreement(result)
    click.echo("\n各专家（评分表总分） / Experts (sheet totals):")
    print_raters(raters)


def _homes(path: Path | None) -> dict[str, set[str]] | None:
    """Expert -> subjects of his region, from a CSV with a header. Raises DomainError with the line."""
    if path is None:
        return None
    rows = csv.DictReader(decode_marks(path.read_bytes()).splitlines())
    homes: dict[str, set[str]] = {}
    for row in rows:
        expert, subject = (row.get("expert") or "").strip(), (row.get("subject") or "").strip()
        if not expert or not subject:
            raise DomainError(
                Text(
                    "第 {n} 行:须有 expert 和 subject。", "line {n}: needs expert and subject."
                ).format(n=rows.line_num)
            )
        homes.setdefault(expert, set()).add(subject)
    return homes


def _raters(rule: ScoreRule, subjects: Sequence[SubjectMarks], in_order: bool) -> Raters:
    """Figures of the experts; with `in_order` the subjects were marked in the order of the file."""
    order: Order | None = {s.id: n for n, s in enumerate(subjects)} if in_order else None
    names = item_names(subjects, STAGE)
    items = {i: observed_item(subjects, STAGE, i) for i in names} if len(names) > 1 else None
    return rate_raters(observed_totals(rule, subjects, STAGE), items, order)


def _weighted(rule: ScoreRule, subjects: Sequence[SubjectMarks]) -> dict[str, Any]:
    """Chance-corrected coefficients under six weightings, where the marks are grades."""
    table = observed_totals(rule, subjects, STAGE, fill=False).matrix()[2]
    grades = {mark for row in table for mark in row if mark is not None}
    if not 2 <= len(grades) <= MOST_GRADES:
        few = Text("分值不是 2 至 {n} 个等级。", "The marks are not 2 to {n} grades.").format(
            n=MOST_GRADES
        )
        return {"reason": text_json(few)}
    made: dict[str, Any] = {}
    for weighting in ("identity", "linear", "quadratic", "ordinal", "radical", "ratio"):
        made[weighting] = {}
        for kind in ("gwet", "fleiss", "krippendorff", "brennan_prediger", "percent"):
            one = coefficient(table, kind, weighting)
            made[weighting][kind] = (
                {"value": None, "reason": text_json(one)}
                if isinstance(one, Text)
                else one.to_json()
            )
        own = conger(table, weighting)
        made[weighting]["conger"] = (
            {"value": None, "reason": text_json(own)} if isinstance(own, Text) else own.to_json()
        )
    return made


def _dump(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False)


def _agreements(
    rule: ScoreRule, subjects: Sequence[SubjectMarks], scale: str, resamples: int
) -> dict[str | None, Agreement]:
    """Agreement of the sheet totals under None and, with several items, of each item; resampled
    intervals for the totals only."""
    totals = observed_totals(rule, subjects, STAGE, fill=False)
    full = None if rule.flags.full_mark is None else float(rule.flags.full_mark)
    agreed: dict[str | None, Agreement] = {
        None: agreement(totals.matrix()[2], scale=scale, full_mark=full, resamples=resamples)
    }
    items = item_names(subjects, STAGE)
    if len(items) > 1:
        for item in items:
            table = observed_item(subjects, STAGE, item).matrix()[2]
            agreed[item] = agreement(table, scale=scale)
    return agreed


def _agreement_json(agreed: dict[str | None, Agreement]) -> dict[str, Any]:
    data = agreed[None].to_json()
    data["items"] = {item: r.to_json() for item, r in agreed.items() if item is not None}
    return data


def _aggregate_json(
    scores: RoundScores, made: Diagnostics, agreed: dict[str | None, Agreement]
) -> dict[str, Any]:
    data = scores.to_json()
    bands, flags = made.bands, made.review.flags
    for name, subject in data["subjects"].items():
        subject["flags"] = [flag.to_json() for flag in flags if flag.subject == name]
        band = bands.bands.get(name)
        subject["p_top"] = None if band is None else band.p_top
        subject["rank_interval"] = None if band is None else list(band.interval)
        subject["standing"] = None if band is None else band.standing
        if subject["p_top"] is None:
            subject["p_top_reason"] = _no_band_reason(scores, bands, name)
        weighted = made.weights.bands.get(name)
        subject["p_top_weights"] = None if weighted is None else weighted.p_top
        subject["rank_interval_weights"] = None if weighted is None else list(weighted.interval)
        place = made.shadow.places.get(name)
        subject["shadow"] = None if place is None else place.to_json()
    data["flags"] = [flag.to_json() for flag in flags if flag.subject is None]
    data["checks"] = [check.to_json() for check in made.review.checks]
    data["uncertainty"] = {k: v for k, v in bands.to_json().items() if k != "subjects"}
    data["weight_sensitivity"] = {
        k: v for k, v in made.weights.to_json().items() if k != "subjects"
    }
    data["experts_left_out"] = [one.to_json() for one in made.left_out]
    data["what_if"] = [other.to_json() for other in made.others]
    data["shadow"] = {k: v for k, v in made.shadow.to_json().items() if k != "subjects"}
    data["raters"] = made.raters.to_json()
    data["agreement"] = _agreement_json(agreed)
    return data


def _no_band_reason(scores: RoundScores, bands: RankUncertainty, name: str) -> Any:
    reason = scores.subjects[name].reason or bands.reason
    return text_json(reason or Text("规则没有 top。", "The rule has no top."))
