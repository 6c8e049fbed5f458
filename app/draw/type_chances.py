"""Everybody's chance from that of his type: for pools too large to keep one figure a person.

A type here is a vector of the attributes that quotas and pair limits of the request use, so that for
one lottery the figure is exact and otherwise the mean of those who are alike. What is kept is bounded
by `LISTED` rows however large the pool is (docs/draw-protocol.md section 8).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from app.domain.draw import Fairness
from app.draw.pool import UNKNOWN, Assessment

LISTED = 2000  # rows that are kept: of people, or of types
_STEP = Decimal("0.000001")


def kept(found: Assessment, fairness: Fairness) -> dict[str, Any]:
    """`{typed_by: [attribute], people: {id: share}, types: [[vector, people, mean share]]}`.

    `people` up to `LISTED` of them, else `types`; should there be more types than that, those of the
    quotas alone.
    """
    quoted = {a for panel in found.panels for a in panel.quotas}
    limited = {a for panel in found.panels for a in panel.pair_limits}
    named = sorted(a for a in quoted | limited if not a.startswith("pair"))
    if len(fairness.pool) <= LISTED:
        shares = {key: share(fairness.probabilities[key]) for key in sorted(fairness.pool)}
        return {"typed_by": named, "people": shares, "types": []}
    for attributes in (named, sorted(quoted)):
        rows = _means(found.profiles, attributes, fairness)
        if len(rows) <= LISTED:
            return {"typed_by": attributes, "people": {}, "types": rows}
    return {"typed_by": [], "people": {}, "types": _means(found.profiles, [], fairness)}


def of_everybody(
    chances: Mapping[str, Any], profiles: Mapping[str, Mapping[str, str]], pool: Iterable[str]
) -> dict[str, str]:
    """Expert id -> mean share of his type, for the people of `pool`; {} where nothing was kept.

    `chances` are those of a snapshot or a look; older ones name the quotas' attributes alone.
    """
    attributes = chances.get("typed_by", chances["attributes"])
    means: dict[tuple[str, ...], str] = {}
    if chances["people"]:
        shares: dict[tuple[str, ...], list[Decimal]] = defaultdict(list)
        for key, value in chances["people"].items():
            shares[_vector(profiles.get(key, {}), attributes)].append(Decimal(value))
        for vector, values in shares.items():
            mean = sum(values, Decimal(0)) / len(values)
            means[vector] = str(mean.quantize(_STEP, ROUND_HALF_UP))
    else:
        rows = chances.get("types") or chances["groups"]
        means = {tuple(vector): value for vector, _, value in rows}
    vectors = {key: _vector(profiles.get(key, {}), attributes) for key in pool}
    return {key: means[vector] for key, vector in vectors.items() if vector in means}


def could_sit(request: Mapping[str, Any], candidates: Iterable[Any]) -> list[str]:
    """Expert ids of those who were kept out of some panel of the request at most, not of all; rows
    with `expert_id` and `exclusions`."""
    panels = {panel["id"] for panel in request["panels"]}
    return [c.expert_id for c in candidates if panels - {row["panel"] for row in c.exclusions}]


def share(value: Fraction) -> str:
    """A probability with six decimals, half up."""
    millionths = (value.numerator * 2_000_000 + value.denominator) // (2 * value.denominator)
    whole, rest = divmod(millionths, 1_000_000)
    return f"{whole}.{rest:06d}"


def _vector(profile: Mapping[str, str], attributes: Iterable[str]) -> tuple[str, ...]:
    return tuple(profile.get(a) or UNKNOWN for a in attributes)


def _means(
    profiles: Mapping[str, Mapping[str, str]], attributes: list[str], fairness: Fairness
) -> list[list[Any]]:
    sums: dict[tuple[str, ...], tuple[int, Fraction]] = {}
    for key in fairness.pool:
        vector = _vector(profiles[key], attributes)
        people, total = sums.get(vector, (0, Fraction(0)))
        sums[vector] = (people + 1, total + fairness.probabilities[key])
    return [
        [list(vector), people, share(total / people)]
        for vector, (people, total) in sorted(sums.items())
    ]
