"""What the vacant seats of a panel ask for, given who sits already (docs/draw-protocol.md section 9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .objects import Bounds

Facts = Mapping[str, str]


def bounds_left(
    quotas: Mapping[str, Mapping[str, Sequence[int]]], seats: int, members: Sequence[Facts]
) -> dict[str, dict[str, Bounds]]:
    """The quotas of `seats` vacant seats: the committed bounds less what the standing members fill.

    The maximum is max - held, within 0 and the seats; the minimum min - held, within 0 and that maximum.
    """
    left: dict[str, dict[str, Bounds]] = {}
    for attribute, rows in quotas.items():
        left[attribute] = {}
        for value, (low, high) in rows.items():
            held = sum(member.get(attribute) == value for member in members)
            most = max(0, min(seats, high - held))
            left[attribute][value] = (min(max(0, low - held), most), most)
    return left


def tied(person: Facts, limits: Mapping[str, int], members: Sequence[Facts]) -> Iterator[str]:
    """The pair attributes in which somebody would exceed a limit together with standing members."""
    for name, most in sorted(limits.items()):
        value = person.get(name)
        if value and sum(member.get(name) == value for member in members) >= most:
            yield name
