"""Families of tests: Holm's correction and the tail of a sum of unequal chances, both exact."""

from __future__ import annotations

from collections.abc import Sequence


def holm(values: Sequence[float]) -> list[float]:
    """Adjusted p-values (Holm 1979) in the order given: the family errs with at most the level."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    adjusted = [1.0] * len(values)
    highest = 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - place) * values[index]))
        adjusted[index] = highest
    return adjusted


def at_least(count: int, chances: Sequence[float]) -> float:
    """P(at least `count` successes) of independent trials with these chances; the binomial tail when
    they are equal."""
    if count <= 0:
        return 1.0
    if count > len(chances):
        return 0.0
    # below[i]: probability of exactly i successes so far, for i < count; the rest is the answer.
    below = [1.0] + [0.0] * (count - 1)
    beyond = 0.0
    for chance in chances:
        beyond += below[-1] * chance
        for i in range(count - 1, 0, -1):
            below[i] = below[i] * (1.0 - chance) + below[i - 1] * chance
        below[0] *= 1.0 - chance
    return beyond
