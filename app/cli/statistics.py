"""`mingjian aggregate` and `mingjian agree`: the statistics without the web application.

Both read a long CSV of marks (see `app.domain.statistics.marks_file`). Whatever is wrong with the
input is one message in both languages, with its line, and exit code 2.
"""

from __future__ import annotations

import functools
import json
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ParamSpec

import click
import yaml

from app.domain.statistics.agreement import Agreement, agreement
from app.domain.statistics.alpha import SCALES
from app.domain.statistics.marks import SubjectMarks
from app.domain.statistics.marks_file import STAGE, decode_marks, parse_marks, subjects_of
from app.domain.statistics.observed import item_names, observed_item, observed_totals
from app.domain.statistics.outliers import Flag, flag_round
from app.domain.statistics.results import RoundScores
from app.domain.statistics.rounding import plain
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.scores import score_round
from app.domain.statistics.trace import text_json
from app.domain.statistics.uncertainty import RankUncertainty, rank_uncertainty
from app.domain.types import DomainError, Text

Arguments = ParamSpec("Arguments")


class _StringLoader(yaml.BaseLoader):
    """YAML whose scalars stay strings (1.6 must not become a float) and whose keys are unique."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                line = key.start_mark.line + 1
                raise DomainError(
                    Text(
                        f"规则第 {line} 行:键 {key.value} 重复。",
                        f"Rule, line {line}: key {key.value} appears twice.",
                    )
                )
            seen.add(str(key.value))
        return dict(super().construct_mapping(node, deep=deep))


def load_rule(path: Path | None) -> ScoreRule:
    """The rule of a YAML file; the default rule without a file. Raises DomainError."""
    if path is None:
        return ScoreRule.parse(None)
    try:
        data = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_StringLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" {mark.line + 1}" if mark is not None else ""
        raise DomainError(
            Text(
                f"规则文件无法读取,行{line}:{error}",
                f"The rule cannot be read, line{line}: {error}",
            )
        ) from error
    if data is not None and not isinstance(data, dict):
        raise DomainError(Text("规则应为键值对。", "The rule must be a mapping."))
    return ScoreRule.parse(data)


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
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command("aggregate")
@_MARKS
@click.option(
    "--rule",
    "rule_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="RULE.yaml",
    help="Scoring rule; without it: trimmed mean of the sheets, quorum 5, 2 decimals.",
)
@_JSON
@_says_errors
def aggregate_command(marks: Path, rule_path: Path | None, as_json: bool) -> None:
    """Scores, dropped marks, ranks, flags and rank uncertainty of a CSV of marks."""
    rule = load_rule(rule_path)
    subjects = load_subjects(marks, rule)
    scores = score_round(rule, subjects)
    flags = flag_round(rule, subjects, scores)
    bands = rank_uncertainty(rule, subjects, scores)
    agreed = _agreements(rule, subjects, "interval")
    if as_json:
        click.echo(_dump(_aggregate_json(scores, flags, bands, agreed)))
    else:
        _print_scores(scores, flags, bands, agreed[None])


@click.command("agree")
@_MARKS
@click.option("--scale", type=click.Choice(SCALES), default="interval", show_default=True)
@_JSON
@_says_errors
def agree_command(marks: Path, scale: str, as_json: bool) -> None:
    """Agreement of the experts, with confidence intervals, on untrimmed marks."""
    rule = ScoreRule.parse(None)
    agreed = _agreements(rule, load_subjects(marks, rule), scale)
    if as_json:
        click.echo(_dump(_agreement_json(agreed)))
        return
    for item, result in agreed.items():
        click.echo("Sheet totals" if item is None else f"\nItem {item}")
        _print_agreement(result)


def _dump(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False)


def _agreements(
    rule: ScoreRule, subjects: Sequence[SubjectMarks], scale: str
) -> dict[str | None, Agreement]:
    """Agreement of the sheet totals under None and, with several items, of each item."""
    totals = observed_totals(rule, subjects, STAGE, fill=False)
    agreed: dict[str | None, Agreement] = {None: agreement(totals.matrix()[2], scale=scale)}
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
    scores: RoundScores,
    flags: list[Flag],
    bands: RankUncertainty,
    agreed: dict[str | None, Agreement],
) -> dict[str, Any]:
    data = scores.to_json()
    for name, subject in data["subjects"].items():
        subject["flags"] = [flag.to_json() for flag in flags if flag.subject == name]
        band = bands.bands.get(name)
        subject["p_top"] = None if band is None else band.p_top
        subject["rank_interval"] = None if band is None else list(band.interval)
        subject["standing"] = None if band is None else band.standing
        if subject["p_top"] is None:
            subject["p_top_reason"] = _no_band_reason(scores, bands, name)
    data["flags"] = [flag.to_json() for flag in flags if flag.subject is None]
    data["uncertainty"] = {k: v for k, v in bands.to_json().items() if k != "subjects"}
    data["agreement"] = _agreement_json(agreed)
    return data


def _no_band_reason(scores: RoundScores, bands: RankUncertainty, name: str) -> Any:
    reason = scores.subjects[name].reason or bands.reason
    return text_json(reason or Text("规则没有 top。", "The rule has no top."))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _table(rows: list[list[str]]) -> None:
    widths = [max(_width(row[c]) for row in rows) for c in range(len(rows[0]))]
    for row in rows:
        cells = [cell + " " * (w - _width(cell)) for cell, w in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


def _print_scores(
    scores: RoundScores, flags: list[Flag], bands: RankUncertainty, agreed: Agreement
) -> None:
    top = scores.rule.top
    rows = [
        ["rank", "subject", "total", "90 % ranks", "" if top is None else f"P(top {top})", "note"]
    ]
    unranked = [s for s in scores.subjects.values() if s.rank is None]
    for score in [*scores.ranked, *unranked]:
        band = bands.bands.get(score.id)
        note = score.reason or (score.tie.text if score.tie else None)
        rows.append(
            [
                "-" if score.rank is None else str(score.rank),
                score.id,
                "-" if score.total is None else plain(score.total),
                "-" if band is None else f"{band.interval[0]}-{band.interval[1]}",
                "" if band is None or band.p_top is None else f"{band.p_top:.2f}",
                "" if note is None else note.en,
            ]
        )
    _table(rows)
    if bands.reason is not None:
        click.echo(f"\nNo rank intervals: {bands.reason.en}")
    if flags:
        click.echo("\nFlags (advice; no score was changed):")
        for flag in flags:
            click.echo(f"  [{flag.level}] {flag.text.en}")
    click.echo("\nArithmetic:")
    for score in scores.subjects.values():
        for step in score.steps:
            click.echo(f"  {score.id}  {step.text.en}")
    click.echo("\nAgreement (untrimmed sheet totals):")
    _print_agreement(agreed)
    click.echo(f"\nRule digest {scores.rule.digest()}; seed {bands.seed}, {bands.draws} draws")


def _print_agreement(result: Agreement) -> None:
    click.echo(f"{result.n} subjects, {result.k} experts, {result.missing} marks missing")
    rows = [["coefficient", "value", "95 % interval", "note"]]
    for name, form in result.icc.items():
        rows.append(_line(name, form.value, form.low, form.high, form.convention or form.reason))
    for name, value in result.alpha.items():
        number, note = (None, value) if isinstance(value, Text) else (value, None)
        rows.append(_line(f"alpha {name}", number, None, None, note))
    w = result.kendall_w
    if isinstance(w, Text):
        rows.append(_line("Kendall W", None, None, None, w))
    else:
        basis = f"chi2 {w.chi2:.3f}, p {w.p:.4g}, {w.subjects} subjects"
        rows.append(_line("Kendall W", w.value, None, None, basis))
    for name, chance in (
        ("Fleiss kappa", result.fleiss_kappa),
        ("AC1", result.ac1),
        ("AC2 quadratic", result.ac2_quadratic),
    ):
        if isinstance(chance, Text):
            rows.append(_line(name, None, None, None, chance))
        else:
            rows.append(_line(name, chance.value, chance.low, chance.high, None))
    rows.append(_line("SEM, one mark", result.sem, None, None, "points"))
    rows.append(_line("exact agreement", result.exact_agreement, None, None, "share of pairs"))
    _table(rows)
    click.echo(f"[{result.verdict.level}] {result.verdict.text.en}")


def _line(
    name: str, value: float | None, low: float | None, high: float | None, note: Text | str | None
) -> list[str]:
    words = note.en if isinstance(note, Text) else note or ""
    return [
        name,
        "not defined" if value is None else f"{value:.4f}",
        "" if low is None or high is None else f"{low:.4f} to {high:.4f}",
        words,
    ]
