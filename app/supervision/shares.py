"""Each expert's and employer's seats over all rounds, held against the chances that were frozen.

Every commitment kept everybody's probability of being drawn before the seed existed
(`Draw.snapshot["chances"]`), so that "too often" is measured and not felt. Draws have seeds of their
own and are independent: an expert's count is a sum of independent yes/no events (Poisson-binomial,
exact). Members of one employer are not independent within a draw; there the same sum is an approximation,
on the cautious side where a draw limits seats per employer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.directory.models import Organisation, Person
from app.domain.types import Text
from app.draw import disclosure
from app.draw.models import ORDER_STAGES, Candidate, Draw, Seat
from app.draw.type_chances import could_sit, of_everybody
from app.registry.models import Expert
from app.supervision import surprise
from app.supervision.surprise import Judged

SORTS = ("p", "drawn", "expected", "name")
_Step = tuple[str, int, list[float], int]  # day, times drawn, chances, rehearsals behind them


@dataclass(frozen=True, slots=True)
class Share:
    """One expert or employer over all draws that count."""

    key: str
    number: str
    name: str
    draws: int  # in which he had a chance
    drawn: int
    expected: float
    judged: Judged
    steps: tuple[
        tuple[str, int, float], ...
    ]  # per draw in time: when, drawn so far, expected so far

    @property
    def ratio(self) -> float:
        return self.drawn / self.expected if self.expected else 0.0


@dataclass(frozen=True, slots=True)
class Shares:
    """Experts and employers by rising p, and what was left out."""

    kind: str
    experts: list[Share]
    employers: list[Share]
    counted: int  # draws
    sealed: int  # draws whose names are not open yet
    without: int  # draws for which no chances were kept


def shares(session: Session, viewer: Viewer, kind: str) -> Shares:
    """Over all completed draws of a kind: eight queries at most, whatever the rows.

    Act 1 alone: a replacement has no chance that was frozen before. A draw that is still sealed is
    left out for everybody, the supervisor included.
    """
    viewer.require("supervisor")
    rows = session.execute(
        select(Draw.id, Draw.snapshot, Draw.request, Draw.drawn_at)
        .where(Draw.kind == kind, Draw.state == "completed", Draw.stage.not_in(ORDER_STAGES))
        .order_by(Draw.drawn_at, Draw.id)
    ).all()
    sealed = disclosure.sealed_draws(session, [row.id for row in rows])
    open_rows = [row for row in rows if row.id not in sealed]
    pools = _pools(session, [row for row in open_rows if _by_type(row.snapshot)])
    kept = [(row, *_people(row.snapshot, pools.get(row.id, []))) for row in open_rows]
    counted = [part for part in kept if part[1]]
    drawn: dict[str, set[str]] = defaultdict(set)
    for draw_id, expert in session.execute(
        select(Seat.draw_id, Seat.expert_id)
        .join(Draw, Draw.id == Seat.draw_id)
        .where(Draw.kind == kind, Draw.state == "completed", Seat.act == 1)
    ):
        drawn[draw_id].add(expert)
    experts: dict[str, list[_Step]] = defaultdict(list)
    bodies: dict[str, list[_Step]] = defaultdict(list)
    for row, people, drills in counted:
        day = row.drawn_at.strftime("%Y-%m-%d") if row.drawn_at else ""
        profiles: Mapping[str, Mapping[str, str]] = (row.snapshot or {}).get("people", {})
        of_body: dict[str, list[str]] = defaultdict(list)
        for key, chance in people.items():
            experts[key].append((day, int(key in drawn[row.id]), [chance], drills))
            of_body[profiles.get(key, {}).get("employer", "")].append(key)
        for body, members in of_body.items():
            if body:
                hits = sum(key in drawn[row.id] for key in members)
                bodies[body].append((day, hits, [people[key] for key in members], drills))
    named = {
        row.id: (row.number, row.name)
        for row in session.execute(
            select(Expert.id, Expert.number, Person.name).join(
                Person, Person.id == Expert.person_id
            )
        )
    }
    titles = {
        row.id: ("", row.name)
        for row in session.execute(select(Organisation.id, Organisation.name))
    }
    return Shares(
        kind, _judged(experts, named), _judged(bodies, titles), len(counted), len(sealed),
        len(open_rows) - len(counted),
    )  # fmt: skip


def _by_type(snapshot: Mapping[str, Any] | None) -> bool:
    """Whether chances were kept by type alone, as they are for very large pools."""
    chances = (snapshot or {}).get("chances") or {}
    return bool(chances) and not chances.get("people")


def _pools(session: Session, rows: Sequence[Any]) -> dict[str, list[str]]:
    """Draw id -> everybody who could sit on some panel of it."""
    if not rows:
        return {}
    candidates: dict[str, list[Any]] = defaultdict(list)
    for found in session.execute(
        select(Candidate.draw_id, Candidate.expert_id, Candidate.exclusions).where(
            Candidate.draw_id.in_([row.id for row in rows])
        )
    ):
        candidates[found.draw_id].append(found)
    return {row.id: could_sit(row.request, candidates[row.id]) for row in rows}


def _people(
    snapshot: Mapping[str, Any] | None, pool: Sequence[str]
) -> tuple[dict[str, float], int]:
    """(expert id -> frozen chance, rehearsals that it was estimated from; 0: exact). Where chances
    were kept by type, the mean of his type for everybody of `pool`."""
    chances = (snapshot or {}).get("chances") or {}
    people = chances.get("people") or {}
    if not people and chances:
        people = of_everybody(chances, (snapshot or {}).get("people", {}), pool)
    return {key: float(value) for key, value in people.items()}, int(chances.get("draws") or 0)


def _cautious(chance: float, drills: int) -> float:
    """What the test uses: an estimate from n rehearsals may be too low by about one of them, so that
    a chance estimated as 0 never proves anything by itself."""
    return min(1.0, (chance * drills + 1) / (drills + 1)) if drills else chance


def _judged(cases: Mapping[str, list[_Step]], names: Mapping[str, tuple[str, str]]) -> list[Share]:
    keys = sorted(cases)
    tests = [
        (
            sum(hit for _, hit, _, _ in cases[k]),
            [_cautious(p, drills) for _, _, part, drills in cases[k] for p in part],
        )
        for k in keys
    ]
    out = []
    for key, (hits, _), judged in zip(keys, tests, surprise.shares(tests), strict=True):
        so_far, expected, steps = 0, 0.0, []
        for day, hit, part, _ in cases[key]:
            so_far, expected = so_far + hit, expected + sum(part)
            steps.append((day, so_far, expected))
        number, name = names.get(key, ("", key))
        had = sum(1 for _, _, part, _ in cases[key] if any(p > 0 for p in part))
        out.append(Share(key, number, name, had, hits, expected, judged, tuple(steps)))
    return sorted(out, key=lambda s: (s.judged.p, -s.drawn, s.number, s.name))


def ordered(rows: list[Share], sort: str) -> list[Share]:
    """By one of SORTS, `-` for falling."""
    name = sort.lstrip("-")
    key: dict[str, Any] = {
        "p": lambda s: (s.judged.p, -s.drawn),
        "drawn": lambda s: (s.drawn, s.expected),
        "expected": lambda s: (s.expected, s.drawn),
        "name": lambda s: (s.number, s.name),
    }
    return sorted(rows, key=key.get(name, key["p"]), reverse=sort.startswith("-"))


_WIDTH, _LEFT, _RIGHT, _STEP = 820.0, 190.0, 70.0, 26.0
_TITLE = Text("实得席位与期望席位", "Seats drawn and seats expected")


def _label(name: str, limit: int = 22) -> str:
    width, kept = 0, ""
    for c in name:
        width += 1 if ord(c) < 0x2E80 else 2
        if width > limit:
            return kept + "…"
        kept += c
    return kept


def picture(rows: list[Share], language: str) -> str:
    """SVG: for each row the seats drawn as a bar and the expectation as an upright line.

    Flagged rows are red and say so in words; colour alone says nothing.
    """
    title = _TITLE.get("en" if language == "en" else "zh")
    most = max([*(float(s.drawn) for s in rows), *(s.expected for s in rows), 1.0])
    room = _WIDTH - _LEFT - _RIGHT
    height = 16 + _STEP * len(rows) + 34
    parts = []
    for tick in range(0, int(most) + 1, max(1, int(most) // 8)):
        x = _LEFT + room * tick / most
        parts.append(
            f'<line x1="{x:.1f}" y1="8" x2="{x:.1f}" y2="{height - 34:.0f}" stroke="#dfe4e2"/>'
            f'<text x="{x:.1f}" y="{height - 20:.0f}" text-anchor="middle" font-size="11" '
            f'fill="#5c6663">{tick}</text>'
        )
    for i, share in enumerate(rows):
        y = 12 + _STEP * i
        flagged = share.judged.verdict == "high"
        fill = "#a32020" if flagged else "#2f6f5e"
        bar = room * share.drawn / most
        x = _LEFT + room * share.expected / most
        name = escape(_label(f"{share.number} {share.name}".strip()))
        mark = Text("偏多", "too many").get("en" if language == "en" else "zh") if flagged else ""
        parts.append(
            f'<text x="{_LEFT - 8:.0f}" y="{y + 14:.0f}" text-anchor="end" font-size="12" '
            f'fill="#1c2422">{name}</text>'
            f'<rect x="{_LEFT:.0f}" y="{y + 3:.0f}" width="{max(bar, 0.8):.1f}" height="14" '
            f'fill="{fill}"/>'
            f'<line x1="{x:.1f}" y1="{y:.0f}" x2="{x:.1f}" y2="{y + 20:.0f}" stroke="#1c2422" '
            f'stroke-width="2"/>'
            f'<text x="{max(_LEFT + bar, x) + 6:.1f}" y="{y + 14:.0f}" font-size="11" '
            f'fill="#1c2422">{share.drawn} / {share.expected:.2f} {escape(mark)}</text>'
        )
    legend = Text("横条：实得；竖线：期望", "bar: drawn; upright line: expected")
    parts.append(
        f'<text x="{_LEFT:.0f}" y="{height - 4:.0f}" font-size="11" fill="#5c6663">'
        f"{escape(legend.get('en' if language == 'en' else 'zh'))}</text>"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {_WIDTH:.0f} {height:.0f}" role="img" aria-label="{escape(title)}" '
        f'font-family="sans-serif"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )
