"""Warnings and refusals about a pool that is too small to be fair (docs/draw-protocol.md section 8).

These judge a request, they do not change it; who may overrule one is the caller's matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from app.domain.types import Text

from .fairness import HALF, Fairness
from .forced import forced
from .objects import Candidate, Exclusion, PanelSpec, excluded_by_panel
from .places import Places, barred


@dataclass(frozen=True, slots=True)
class Guard:
    """`code`: stratum_small, stratum_short, places_short, load_cap_low, probability_forced,
    probability_zero, probability_high, probability_high_panel, probability_uneven, chances_rough;
    `level`: warn or refuse."""

    code: str
    level: Literal["warn", "refuse"]
    text: Text


def check_guards(
    panels: Sequence[PanelSpec],
    roster: Sequence[Candidate],
    exclusions: Sequence[Exclusion],
    load_cap: int | None,
    fairness: Fairness | None = None,
    *,
    seats_too: bool = True,
) -> list[Guard]:
    """Everything about strata and chances that a committing office has to see.

    A stratum is a quota row with a minimum above 0, and all seats of a panel (`seats_too`: left out
    where the caller has a rule of its own for it). In a batch the places of a stratum, and of all
    seats, are held against the seats (`places.py`).
    """
    out = excluded_by_panel(exclusions)
    strata: list[tuple[str, Guard]] = []
    for panel in panels:
        gone = out.get(panel.id, set())
        if seats_too:
            few = _few(_OF_SEATS, len(roster) - len(gone), panel.seats)
            strata += [(panel.id, guard) for guard in few]
        for attribute in sorted(panel.quotas):
            for value, (low, _) in sorted(panel.quotas[attribute].items()):
                if low == 0:
                    continue
                n = sum(c.facts.get(attribute) == value and c.id not in gone for c in roster)
                rows = _few(_of_row(attribute, value), n, low)
                strata += [(panel.id, guard) for guard in rows]
    found = of_panels(strata)
    if len(panels) > 1:
        found += _batch(panels, roster, exclusions, load_cap or 0)
    musts = forced(panels, roster, exclusions)
    found += of_panels(
        (panel, _people("probability_forced", "refuse", _FORCED, people, len(people)))
        for panel, people in musts.items()
    )
    if fairness is not None:
        found += _chances(fairness, panels, roster, out, musts)
    return found


_FORCED = Text("必然入选（缺了其中任何一人都组不成）", "must sit (no panel without each of them)")
_OF_SEATS = Text(
    "可抽 {n} 人，共 {m} 席，不足 {k} 倍", "{n} eligible people for {m} seats, below {k} times"
)


def _of_row(attribute: str, value: str) -> Text:
    """How few of a value there are, with places for the numbers."""
    row = _row(attribute, value)
    return Text(
        row.zh + "可抽 {n} 人，下限 {m} 席，不足 {k} 倍",
        "{n} eligible people with " + row.en + " for a minimum of {m} seats, below {k} times",
    )


def _row(attribute: str, value: str) -> Text:
    return Text("“{a} = {v}”", "{a} = {v}").format(a=attribute, v=value)


def _few(text: Text, people: int, seats: int) -> list[Guard]:
    """Below 3 people per seat of a stratum: a warning; below 1 a refusal."""
    if people >= 3 * seats:
        return []
    if people < seats:
        return [Guard("stratum_short", "refuse", text.format(n=people, m=seats, k=1))]
    return [Guard("stratum_small", "warn", text.format(n=people, m=seats, k=3))]


def _batch(
    panels: Sequence[PanelSpec],
    roster: Sequence[Candidate],
    exclusions: Sequence[Exclusion],
    load_cap: int,
) -> list[Guard]:
    """Two places for each seat: of a quota row, of all seats, of the seats of one day."""
    most, found = load_cap or len(panels), list[Guard]()
    count = Places(panels, roster, exclusions)
    rows = sorted(
        {(a, v) for p in panels for a in p.quotas for v, b in p.quotas[a].items() if b[0]}
    )
    words = Text(
        "{w}全部评审组共需 {m} 席，可用席次 {n}，不足 2 倍",
        "{w}: {n} places for {m} seats in all panels, below 2 per seat",
    )
    for a, v in rows:
        asking = [p for p in panels if p.quotas.get(a, {}).get(v, (0, 0))[0]]
        seats = sum(p.quotas[a][v][0] for p in asking)
        places = count.of(asking, most, a, v)
        if places < 2 * seats:
            text = words.format(w=_row(a, v), n=places, m=seats)
            found.append(Guard("places_short", "refuse", text))
    seats, people = sum(p.seats for p in panels), count.people(panels)
    if 0 < people * load_cap < 2 * seats <= count.of(panels, len(panels)):
        text = Text(
            "每人最多 {k} 组，低于平均负担的 2 倍（{p} 人、{m} 席）：场次上限至少取 {x}，或不设上限",
            "at most {k} panels each is below twice the mean load ({p} people, {m} seats): a load cap "
            "of {x} or more, or none",
        ).format(k=load_cap, p=people, m=seats, x=-(-2 * seats // people))
        found.append(Guard("load_cap_low", "refuse", text))
    elif (places := count.of(panels, most)) < 2 * seats:
        text = words.format(w=Text("全部席位：", "all seats"), n=places, m=seats)
        found.append(Guard("places_short", "refuse", text))
    for day in sorted({day for p in panels for day in p.dates}):
        sitting = [p for p in panels if day in p.dates]
        seats, people = sum(p.seats for p in sitting), count.people(sitting)
        if 1 < len(sitting) < len(panels) and people < 2 * seats:
            text = Text(
                "{d} 当日共需 {m} 席，可抽 {n} 人，每人当日只能参加一组，不足 2 倍",
                "on {d} there are {m} seats for {n} eligible people, who sit on one panel a day: below "
                "2 per seat",
            ).format(d=day, m=seats, n=people)
            found.append(Guard("places_short", "refuse", text))
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


def _people(
    code: str, level: Literal["warn", "refuse"], what: Text, who: Sequence[str], most: int = 10
) -> Guard:
    text = Text("{n} 人{w}：{who}", "{n} people {w}: {who}")
    return Guard(code, level, text.format(n=len(who), w=what, who=", ".join(sorted(who)[:most])))


def _chances(
    fairness: Fairness,
    panels: Sequence[PanelSpec],
    roster: Sequence[Candidate],
    out: Mapping[str, set[str]],
    musts: Mapping[str, Sequence[str]],
) -> list[Guard]:
    """Zero, high and uneven chances. Too few drill draws tell a high one, but neither of the others:
    then only those are named as without any chance whom a maximum of 0 keeps out of every panel."""
    chances = {i: fairness.probabilities[i] for i in fairness.pool}
    mean = sum(chances.values(), Fraction(0)) / max(1, len(chances))
    found: list[Guard] = []
    if fairness.rough:
        zero = [i for i in barred(panels, roster, out) if i in fairness.pool]
        text = Text(
            "试抽 {n} 次，平均每人入选不足 20 次：机会为零只按名额判断，机会是否偏高于平均没有检查",
            "{n} rehearsals seat each person fewer than 20 times on average: no chance is judged by "
            "quotas alone, and chances far above the mean were not looked for",
        ).format(n=fairness.draws)
        found.append(Guard("chances_rough", "warn", text))
    else:
        zero = [i for i, p in chances.items() if p == 0]
    if zero:
        words = Text("机会为零", "have no chance at all")
        found.append(_people("probability_zero", "refuse", words, zero))
    above = Text("机会高于一半", "have a chance above one half")
    high = [i for i, p in chances.items() if p > HALF]
    if len(panels) > 1:
        often = {p: sorted(set(who) - set(musts.get(p, ()))) for p, who in fairness.often.items()}
        found += of_panels(
            (panel, _people("probability_high_panel", "refuse", above, people))
            for panel, people in often.items()
            if people
        )
        above = Text(
            "在全部评审组中至少得一席的机会高于一半",
            "have a chance above one half of a seat on any panel",
        )
    else:
        high = [i for i in high if not any(i in people for people in musts.values())]
    if high:
        found.append(_people("probability_high", "refuse", above, high))
    uneven = [i for i, p in chances.items() if p > 3 * mean]
    if uneven and not fairness.rough:
        words = Text("机会高于平均的 3 倍", "have a chance above 3 times the mean")
        found.append(_people("probability_uneven", "warn", words, uneven))
    return found
