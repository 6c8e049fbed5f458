"""Warnings and refusals about a pool that is too small to be fair (docs/draw-protocol.md section 8).

These judge a request, they do not change it; who may overrule one is the caller's matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from app.domain.types import Text

from .fairness import Fairness
from .objects import Candidate, Exclusion, PanelSpec, excluded_by_panel


@dataclass(frozen=True, slots=True)
class Guard:
    """`code`: stratum_small, stratum_short, places_short, probability_zero, probability_high,
    probability_uneven; `level`: warn or refuse."""

    code: str
    level: Literal["warn", "refuse"]
    text: Text


def check_guards(
    panels: Sequence[PanelSpec],
    roster: Sequence[Candidate],
    exclusions: Sequence[Exclusion],
    load_cap: int | None,
    fairness: Fairness | None = None,
) -> list[Guard]:
    """Everything about strata and chances that a committing office has to see.

    A stratum is a quota row with a minimum above 0. In a batch (several ticket panels) the places
    are eligible people times the load cap, held against the minima of all panels together.
    """
    out = excluded_by_panel(exclusions)
    found: list[Guard] = []
    strata: list[tuple[str, Guard]] = []
    batch: dict[tuple[str, str], tuple[set[str], int]] = {}
    for panel in panels:
        gone = out.get(panel.id, set())
        for attribute in sorted(panel.quotas):
            for value, (low, _) in sorted(panel.quotas[attribute].items()):
                if low == 0:
                    continue
                people = {
                    c.id for c in roster if c.id not in gone and c.facts.get(attribute) == value
                }
                everyone, seats = batch.get((attribute, value), (set(), 0))
                batch[attribute, value] = (everyone | people, seats + low)
                if len(people) < 3 * low:
                    short = len(people) < low
                    words = Text(
                        "“{a} = {v}”可抽 {n} 人，下限 {m} 席，不足 {k} 倍",
                        "{n} eligible people with {a} = {v} for a minimum of {m} seats, below {k} times",
                    ).format(a=attribute, v=value, n=len(people), m=low, k=1 if short else 3)
                    code = "stratum_short" if short else "stratum_small"
                    strata.append((panel.id, Guard(code, "refuse" if short else "warn", words)))
    found += of_panels(strata)
    if len(panels) > 1:
        cap = load_cap or len(panels)
        for (attribute, value), (everyone, seats) in sorted(batch.items()):
            if len(everyone) * cap < 2 * seats:
                found.append(
                    Guard(
                        "places_short",
                        "refuse",
                        Text(
                            "“{a} = {v}”全部评审组共需 {m} 席，可用席次 {n}，不足 2 倍",
                            "{a} = {v}: {n} places for {m} seats in all panels, below 2 per seat",
                        ).format(a=attribute, v=value, n=len(everyone) * cap, m=seats),
                    )
                )
    if fairness is not None:
        found += _chances(fairness)
    return found


def of_panels(rows: Iterable[tuple[str, Guard]]) -> list[Guard]:
    """(panel, guard) rows with the panels put before the words; those that say the same are one."""
    same: dict[Guard, list[str]] = {}
    for panel, guard in rows:
        same.setdefault(guard, []).append(panel)
    return [
        Guard(
            guard.code,
            guard.level,
            Text("{p}：{t}", "{p}: {t}").format(p=panels_said(panels), t=guard.text),
        )
        for guard, panels in same.items()
    ]


def panels_said(panels: Sequence[str]) -> Text:
    """Panels in words: one by its id, of several each run of three or more numbers as from – to."""
    if len(panels) == 1:
        return Text("评审组“{p}”", "panel '{p}'").format(p=panels[0])
    runs: list[list[str]] = []
    for panel in panels:
        if runs and _follows(runs[-1][-1], panel):
            runs[-1].append(panel)
        else:
            runs.append([panel])
    parts: list[str] = []
    for run in runs:
        parts += run if len(run) < 3 else [f"{run[0]}–{run[-1]}"]
    return Text("评审组 {zh}", "panels {en}").format(zh="、".join(parts), en=", ".join(parts))


_NUMBERED = re.compile(r"(.*?)([0-9]+)")


def _follows(before: str, after: str) -> bool:
    """P09 before P10: the same letters, the next number, written with as many digits or without
    leading zeros."""
    one, two = _NUMBERED.fullmatch(before), _NUMBERED.fullmatch(after)
    if one is None or two is None or one[1] != two[1]:
        return False
    return two[2] == str(int(one[2]) + 1).zfill(len(one[2]))


def _chances(fairness: Fairness) -> list[Guard]:
    chances = [(fairness.probabilities[i], i) for i in fairness.pool]
    mean = sum((p for p, _ in chances), Fraction(0)) / max(1, len(chances))
    found: list[Guard] = []
    for code, level, people, text in (
        ("probability_zero", "refuse", [i for p, i in chances if p == 0], Text("机会为零", "no chance at all")),
        ("probability_high", "refuse", [i for p, i in chances if p > Fraction(1, 2)], Text("机会高于一半", "a chance above one half")),
        ("probability_uneven", "warn", [i for p, i in chances if p > 3 * mean], Text("机会高于平均的 3 倍", "a chance above 3 times the mean")),
    ):  # fmt: skip
        if people:
            found.append(
                Guard(
                    code,
                    "refuse" if level == "refuse" else "warn",
                    Text("{n} 人{w}：{who}", "{n} people have {w}: {who}").format(
                        n=len(people), w=text, who=", ".join(sorted(people)[:10])
                    ),
                )
            )
    return found
