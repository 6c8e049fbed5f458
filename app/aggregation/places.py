"""The places that a notice gives by rank (S2 三: ten and ten; S3 二: one of each kind; S4 二(一): three to
five), and what a run made of them.

The rule holds the tiers; a run keeps what came of them. A county that failed its check on site keeps
its rank's place empty and nobody moves up. A tie across the edge is for a committee or a logged draw.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.statistics.places import Ranked, give
from app.domain.statistics.results import RoundScores
from app.domain.statistics.rule import ScoreRule
from app.domain.types import Text
from app.programme.models import Round
from app.programme.scheme import scheme_of, tiers_of


@dataclass(frozen=True, slots=True)
class Awarded:
    """One kind of place: who takes one; whose is left empty after a failed check; and who shares
    the last ranks with others, so that people have to decide."""

    title: Text
    maximum: int
    taken: tuple[str, ...]
    unfilled: tuple[str, ...]
    undecided: tuple[str, ...]
    minimum: int = 0
    below_line: tuple[str, ...] = ()

    @property
    def short(self) -> bool:
        """Fewer than the minimum, even if a tie gave its places."""
        return len(self.taken) + len(self.undecided) < self.minimum


def places_of(round_: Round) -> list[dict[str, Any]]:
    """The scheme's places as JSON, best first: `{id, title, max, group}`, `min` where there is one."""
    return [
        {
            "id": tier["id"],
            "title": {"zh": tier["title"].zh, "en": tier["title"].en},
            "max": tier["max"],
            "group": tier.get("group"),
            **({"min": tier["min"]} if "min" in tier else {}),
        }
        for tier in tiers_of(scheme_of(round_))
    ]


def given_places(rule: ScoreRule, inputs: Mapping[str, Any], scores: RoundScores) -> dict[str, Any]:
    """`{"places": [...]}`: what the rule's tiers give, counties that failed their check or fell below
    a section's floor taking no place; nothing where the rule has no tiers."""
    if not rule.places:
        return {}
    out = {row["id"] for row in inputs["subjects"] if row["status"] == "disqualified"}
    out |= {score.id for score in scores.subjects.values() if score.gates}
    rows = [
        Ranked(score.id, score.rank, score.group, score.total)
        for score in scores.subjects.values()
        if score.rank is not None and score.total is not None
    ]
    return {"places": [given.to_json() for given in give(rule.places, rows, out)]}


def awarded(
    inputs: Mapping[str, Any], results: Mapping[str, Any], out: frozenset[str]
) -> list[Awarded]:
    """The places of a stored run. `out`: who failed the check, for a run whose rule had no tiers yet."""
    titles = {place["id"]: Text.of(place["title"]) for place in inputs.get("places", ())}
    if "places" in results:
        return [
            Awarded(
                titles.get(row["tier"]["id"], Text(row["tier"]["id"], row["tier"]["id"])),
                row["tier"]["max"],
                tuple(row["winners"]),
                tuple(row["left_empty"]),
                tuple(row["open"]),
                row["tier"]["min"],
                tuple(row["below_line"]),
            )
            for row in results["places"]
        ]
    ranked = [
        (key, score["rank"], score["group"])
        for key, score in results["scores"]["subjects"].items()
        if score["rank"] is not None
    ]
    ranked.sort(key=lambda row: (row[1], row[0]))
    return give_places(inputs.get("places", ()), ranked, out)


def give_places(
    places: Sequence[Mapping[str, Any]],
    ranked: Sequence[tuple[str, int, str | None]],
    out: frozenset[str],
) -> list[Awarded]:
    """Places by rank, without back-fill: a county in `out` keeps its rank's place and nobody moves
    up. `ranked`: (county, rank, group); equal ranks are shared."""
    made, before = [], 0
    for place in places:
        group, maximum = place["group"], int(place["max"])
        first, last = (1, maximum) if group is not None else (before + 1, before + maximum)
        before = before if group is not None else last
        rows = [(key, rank) for key, rank, own in ranked if group is None or own == group]
        size: dict[int, int] = defaultdict(int)
        for _, rank in rows:
            size[rank] += 1
        inside, crossing = [], []
        for key, rank in rows:
            low, high = rank, rank + size[rank] - 1  # the places that a shared rank takes up
            if first <= low and high <= last:
                inside.append(key)
            elif low <= last and high >= first:
                crossing.append(key)
        made.append(
            Awarded(
                Text.of(place["title"]),
                maximum,
                tuple(key for key in inside if key not in out),
                tuple(key for key in inside if key in out),
                tuple(crossing),
            )
        )
    return made
