"""What the statistics claim, shown on rounds of which the truth is known; each with a broken variant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np

from app.domain.statistics import uncertainty
from app.domain.statistics.components import Components, fit_components
from app.domain.statistics.icc import icc
from app.domain.statistics.observed import Observed
from app.domain.statistics.raters import Estimate, rate_raters
from app.domain.statistics.resampling import Interval, alpha_interval
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.scores import score_round
from app.domain.statistics.shadow import adjust_severity
from app.domain.statistics.uncertainty import rank_uncertainty
from app.domain.types import Text
from tests.proof.rounds import World, make

SEED = 20120716
PART = 25  # rounds


def _spread(work: Callable[[int, int], Any], count: int, processes: int | None = None) -> list[Any]:
    """Results of `work(start, rounds)`, on both cores when there is much to do.

    The parts, and so every sum over them, are the same whatever the number of processes.
    """
    starts = range(0, count, PART)
    sizes = [min(PART, count - start) for start in starts]
    if (processes or (2 if count >= 200 else 1)) == 1:
        return [work(*job) for job in zip(starts, sizes, strict=True)]
    with ProcessPoolExecutor(processes or 2) as pool:
        return list(pool.map(work, starts, sizes))


def _between(share: float, n: int, low: float, high: float) -> bool:
    """Within the claim, or outside by no more than three binomial errors."""
    error = 3.0 * (max(share * (1.0 - share), 0.02) / n) ** 0.5
    return low - error <= share <= high + error


# -- intervals -------------------------------------------------------------------------------------


def intervals(count: int) -> str:
    """95 % intervals of ICC(A,1), ICC(A,k) and interval alpha hold the truth 93 to 97 % of the time
    (alpha's bootstrap a little more often).

    Broken: the same formula on marks of which the highest and lowest were dropped.
    """
    held: dict[str, int] = defaultdict(int)
    for part in _spread(_intervals, count):
        for name, hits in part.items():
            held[name] += hits
    shares = {name: hits / count for name, hits in held.items()}
    assert _between(shares["ICC(A,1)"], count, 0.93, 0.97), shares
    assert _between(shares["ICC(A,k)"], count, 0.93, 0.97), shares
    assert _between(shares["alpha"], count, 0.93, 0.995), shares
    assert shares["trimmed"] < 0.8, shares
    return "held: " + ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items())


def _intervals(start: int, rounds: int) -> dict[str, int]:
    world = World()
    subject, rest = world.quality**2, world.severity**2 + world.noise**2
    true = {"ICC(A,1)": subject / (subject + rest), "ICC(A,k)": subject / (subject + rest / 9)}
    held = dict.fromkeys((*true, "alpha", "trimmed"), 0)
    for number in range(start, start + rounds):
        marks = make(world, SEED, f"intervals|{number}").marks
        rows = marks.tolist()
        forms = icc(rows).forms
        for name, value in true.items():
            low, high = forms[name].low, forms[name].high
            held[name] += low is not None and high is not None and low <= value <= high
        bounds = alpha_interval(rows, "interval", resamples=200, seed=number)
        assert isinstance(bounds, Interval)
        held["alpha"] += bounds.low <= true["ICC(A,1)"] <= bounds.high
        # One-way, so that it does not matter whose mark was dropped.
        form = icc(np.sort(marks, axis=1)[:, 1:-1].tolist()).forms["ICC(1,1)"]
        low, high = form.low or 0.0, form.high or 1.0
        held["trimmed"] += low <= true["ICC(A,1)"] <= high
    return held


# -- severity --------------------------------------------------------------------------------------


def severity(count: int) -> str:
    """Severity of experts of random panels is recovered with honest errors, and the adjusted levels
    come nearer the truth than plain means.

    Broken: each expert's mean mark less the grand mean, which takes weak counties for strict experts.
    """
    parts = _spread(_severity, count)
    total = {name: sum(part[name] for part in parts) for name in parts[0]}
    n = total["experts"]
    held, naive = total["held"] / n, total["naive"] / n
    gain = (total["shadow"] / total["mean"]) ** 0.5
    assert _between(held, n, 0.93, 0.98), held
    assert naive < 0.9, naive
    assert gain < 0.97, gain
    return f"{100 * held:.1f} % of {n:,.0f} true severities within 1.96 SE (raw means {100 * naive:.0f} %); error of the adjusted level {gain:.2f} of the mean's"


def _severity(start: int, rounds: int) -> dict[str, float]:
    world = World(subjects=40, experts=15, panels=7, quality=8.0)
    found = dict.fromkeys(("experts", "held", "naive", "shadow", "mean"), 0.0)
    for number in range(start, start + rounds):
        round_ = make(world, SEED, f"severity|{number}")
        seen = round_.observed()
        means = np.nanmean(round_.marks, axis=0) - np.nanmean(round_.marks)
        # Severity is against the other experts: what all have in common is nobody's.
        truth = round_.severity - round_.severity.mean()
        for report in rate_raters(seen).raters:
            if isinstance(report.severity, Text):
                continue
            assert isinstance(report.severity, Estimate)
            at = int(report.rater[1:])
            reach = 1.96 * report.severity.se
            found["experts"] += 1
            found["held"] += abs(report.severity.value - truth[at]) <= reach
            found["naive"] += abs(means[at] - truth[at]) <= reach
        made = adjust_severity(seen)
        assert not isinstance(made, Text)
        levels = np.array([made.subjects[name] for name in sorted(made.subjects)])
        plain = np.nanmean(round_.marks, axis=1)
        for name, values in (("shadow", levels), ("mean", plain)):
            away = values - values.mean() - (round_.quality - round_.quality.mean())
            found[name] += float((away**2).mean())
    return found


# -- chances of being among the first K ------------------------------------------------------------

BINS = (0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0)


def top_chances(count: int) -> str:
    """Of the subjects that are given a chance near p of being truly among the first K, a share near p is.

    Broken: half the error and no severity, the confidence that kept marks alone suggest.
    """
    honest, rash = _gather(count, False), _gather(max(count // 4, 8), True)
    said = []
    for name, (expected, hits, n, error) in honest.items():
        slack = max(0.03, 3.5 * error)
        assert abs(hits - expected) <= slack, (name, expected, hits, n, error)
        said.append(f"{expected:.2f}: {hits:.2f}")
    worst = max(abs(hits - expected) for expected, hits, n, _ in rash.values() if n >= 30)
    assert worst > 0.06, rash
    sure = honest[len(BINS) - 2]
    return f"P(top K) given: true share, {', '.join(said)}; certain in {100 * sure[1]:.1f} % right; broken variant off by {worst:.2f}"


def _gather(count: int, rash: bool) -> dict[int, tuple[float, float, int, float]]:
    """Bin -> (mean chance given, share that was true, subjects, error by rounds)."""
    rows: dict[int, list[tuple[float, float, int]]] = defaultdict(list)
    for part in _spread(_rash if rash else _honest, count):
        for name, found in part.items():
            rows[name] += found
    made = {}
    for name, found in sorted(rows.items()):
        n = sum(size for _, _, size in found)
        given, true = sum(g for g, _, _ in found), sum(t for _, t, _ in found)
        differences = [t - g for g, t, _ in found]
        share = min(max(given / n, 0.5 / n), 1.0 - 0.5 / n)
        error = max((sum(d * d for d in differences)) ** 0.5, (share * (1 - share) * n) ** 0.5) / n
        made[name] = (given / n, true / n, n, error)
    return made


def _too_sure(seen: Observed) -> Components | Text:
    fit = fit_components(seen)
    if isinstance(fit, Text):
        return fit
    return replace(fit, sd_residual=0.5 * fit.sd_residual, sd_rater=0.0)


def _rash(start: int, rounds: int) -> dict[int, list[tuple[float, float, int]]]:
    with patch.object(uncertainty, "fit_components", _too_sure):
        return _honest(start, rounds)


def _honest(start: int, rounds: int) -> dict[int, list[tuple[float, float, int]]]:
    world, rule = World(subjects=60, experts=14, panels=7), ScoreRule.parse({"top": 10})
    rows: dict[int, list[tuple[float, float, int]]] = defaultdict(list)
    for number in range(start, start + rounds):
        round_ = make(world, SEED, f"chances|{number}")
        marks = round_.subjects()
        bands = rank_uncertainty(rule, marks, score_round(rule, marks), draws=1000).bands
        rank = (-round_.quality).argsort().argsort() + 1
        chance = np.array([bands[f"S{n:03}"].p_top or 0.0 for n in range(60)])
        within = np.clip(np.searchsorted(BINS, chance, side="right") - 1, 0, len(BINS) - 2)
        for name in np.unique(within):
            here = within == name
            hits = float((rank[here] <= 10).sum())
            rows[int(name)].append((float(chance[here].sum()), hits, int(here.sum())))
    return rows
