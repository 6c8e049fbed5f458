"""The figures of `mingjian aggregate` and `mingjian agree` as text for a terminal."""

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


def print_scores(scores: RoundScores, made: Diagnostics, agreed: Agreement) -> None:
    """The ranking, then everything that is advice, then the arithmetic, then the agreement."""
    bands, flags = made.bands, made.review.flags
    top = scores.rule.top
    rows = [
        [
            "rank",
            "subject",
            "total",
            "90 % ranks",
            "" if top is None else f"P(top {top})",
            "weights",
            "shadow",
            "note",
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
                "" if note is None else note.en,
            ]
        )
    _table(rows)
    if made.weights.reason is None:
        click.echo(f"weights: P(top {top}) with weights about 10 % off, {made.weights.draws} draws")
    click.echo(f"shadow: rank adjusted for severity, never official. {made.shadow.text.en}")
    for place in scores.places:
        click.echo(place.text.en)
    if bands.reason is not None:
        click.echo(f"\nNo rank intervals: {bands.reason.en}")
    if flags:
        click.echo("\nFlags (advice; no score was changed):")
        for flag in flags:
            click.echo(f"  [{flag.level}] {flag.sentence.en}")
    silent = [check for check in made.review.checks if check.silent is not None]
    for check in silent:
        click.echo(f"  ({check.rule}: {check.silent.en if check.silent else ''})")
    _print_sensitivity(made)
    click.echo("\nExperts:")
    print_raters(made.raters)
    click.echo("\nArithmetic:")
    for score in scores.subjects.values():
        for step in score.steps:
            click.echo(f"  {score.id}  {step.text.en}")
    click.echo("\nAgreement (untrimmed sheet totals):")
    print_agreement(agreed)
    click.echo(f"\nRule digest {scores.rule.digest()}; seed {bands.seed}, {bands.draws} draws")


def _print_sensitivity(made: Diagnostics) -> None:
    if made.left_out:
        click.echo("\nEach expert left out:")
        pivotal = [one for one in made.left_out if one.pivotal]
        for one in pivotal:
            click.echo(f"  {one.text.en}")
        rest = len(made.left_out) - len(pivotal)
        if rest:
            shift = max(one.largest_shift for one in made.left_out if not one.pivotal)
            click.echo(f"  {rest} more leave the list as it is (largest shift {shift}).")
    if made.others:
        click.echo("\nOther rules (what if; the official rule stands):")
        rows = [["rule", "comes in", "falls out", "largest shift", "note"]]
        for other in made.others:
            rows.append(
                [
                    other.title.en,
                    ", ".join(other.into) or "-",
                    ", ".join(other.out) or "-",
                    str(other.largest_shift),
                    "" if other.reason is None else other.reason.en,
                ]
            )
        _table(rows)


def print_raters(raters: Raters) -> None:
    """One sentence an expert, then Mandel's h and k that pass a limit."""
    click.echo(f"  {raters.graph.en}")
    for report in raters.raters:
        click.echo(f"  {report.text.en}")
    if isinstance(raters.mandel, Text):
        return
    for level in raters.mandel.levels:
        for name, limits, values in (
            ("h", level.critical_h, level.h),
            ("k", level.critical_k, level.k),
        ):
            for rater, value in values.items():
                if abs(value) > limits[0]:
                    star = "**" if abs(value) > limits[1] else "*"
                    where = f" on item {level.name}" if level.name else ""
                    click.echo(
                        f"  Mandel {name} of {rater}{where}: {value:.2f}{star} "
                        f"(critical {limits[0]:.2f} at 5 %, {limits[1]:.2f} at 1 %)"
                    )


def print_agreement(result: Agreement) -> None:
    """Every coefficient on a line, what is undefined with its reason, and the verdict."""
    click.echo(f"{result.n} subjects, {result.k} experts, {result.missing} marks missing")
    rows = [["coefficient", "value", "95 % interval", "note"]]
    for name, form in result.icc.items():
        rows.append(_line(name, form.value, form.low, form.high, form.convention or form.reason))
    for name, value in result.alpha.items():
        number, note = (None, value) if isinstance(value, Text) else (value, None)
        low = high = None
        found = result.alpha_interval.get(name)
        if isinstance(found, Interval):
            low, high, note = found.low, found.high, Text(found.method, found.method)
        rows.append(_line(f"alpha {name}", number, low, high, note))
    w = result.kendall_w
    if isinstance(w, Text):
        rows.append(_line("Kendall W", None, None, None, w))
    else:
        basis = f"chi2 {w.chi2:.3f}, p {w.p:.4g}, {w.subjects} subjects"
        rows.append(_line("Kendall W", w.value, None, None, basis))
    tau = result.tau_b
    if isinstance(tau, Text):
        rows.append(_line("mean tau-b", None, None, None, tau))
    else:
        basis = f"{tau.pairs} pairs of experts, lowest {tau.lowest:.3f}"
        rows.append(_line("mean tau-b", tau.value, None, None, basis))
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
    rows.append(_line("SEM, mean", result.icc_result.sem_mean, None, None, "points"))
    for what, spread in (
        ("sd of subjects", result.icc_result.sd_subject),
        ("sd of experts", result.icc_result.sd_rater),
        ("sd of residual", result.icc_result.sd_residual),
    ):
        rows.append(_line(what, spread, None, None, "points"))
    near = result.within_one
    if not isinstance(near, Text):
        rows.append(_line("within one grade", near, None, None, "share of pairs"))
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
