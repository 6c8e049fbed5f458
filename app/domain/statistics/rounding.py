"""Half-up rounding at named stages, on exact values.

Where a round rounds decides results more than how it rounds: component totals of figure skating
(ISU 2016-17) come out 100 % right when each product is rounded before adding and 69.7 % right when
the sum is rounded once. So every stage has a name, and the rule says which of them round.

Between two roundings a value is an exact `Fraction`. Three kept marks that add up to 30.25, weighted
0.3, make exactly 3.025, published 3.03; 28-digit decimals carry 30.25 / 3 as 10.0833...3 and publish
3.02.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Final

# In the order in which they are met on the way from a mark to the published total.
STAGES: Final = ("item", "product", "section", "sheet", "module", "weighted", "total")

# An exact value without an end ("25/3") is shown with this many decimals when it must be a Decimal.
OPEN_PLACES: Final = 10


def half_up(value: Fraction | Decimal | int, places: int) -> Decimal:
    """`value` with `places` decimals; a half goes away from zero, as in hand arithmetic.

    Negative values round by size (-0.125 -> -0.13), the meaning of ROUND_HALF_UP in `decimal`.
    """
    top, bottom = value.as_integer_ratio()
    whole = (2 * abs(top) * 10**places + bottom) // (2 * bottom)
    sign = "-" if value < 0 and whole else ""
    return Decimal(f"{sign}{whole}E-{places}")


def on_one_denominator(values: Iterable[Decimal]) -> tuple[list[int], int]:
    """(numerators, common denominator): exact integers to add and square, whatever the precision."""
    ratios = [value.as_integer_ratio() for value in values]
    common = lcm(*(bottom for _, bottom in ratios))
    return [top * (common // bottom) for top, bottom in ratios], common


def exact_sum(values: Iterable[Decimal]) -> Fraction:
    """The sum without the rounding that Decimal addition does past 28 digits."""
    tops, bottom = on_one_denominator(values)
    return Fraction(sum(tops), bottom)


def exact_total(values: Sequence[Fraction]) -> Fraction:
    """The sum of fractions by one common denominator: one reduction instead of one a term."""
    bottom = lcm(*(value.denominator for value in values))
    return Fraction(sum(v.numerator * (bottom // v.denominator) for v in values), bottom)


def at_stage(value: Fraction, places: int | None) -> Fraction:
    """`value` as it leaves a stage: rounded half-up, or untouched when the stage does not round."""
    return value if places is None else Fraction(half_up(value, places))


def decimal_places(value: Fraction) -> int | None:
    """How many decimals write `value` exactly; None when no finite number does (1/3)."""
    twos = fives = 0
    rest = value.denominator
    while rest % 2 == 0:
        rest //= 2
        twos += 1
    while rest % 5 == 0:
        rest //= 5
        fives += 1
    return max(twos, fives) if rest == 1 else None


def to_decimal(value: Fraction, places: int | None = None) -> Decimal:
    """`value` as a Decimal: with `places`, else exactly, else half-up at `OPEN_PLACES`."""
    if places is None:
        places = decimal_places(value)
    return half_up(value, OPEN_PLACES if places is None else places)


def plain(value: Decimal) -> str:
    """A Decimal written out, never as 1E+2: the form used in JSON."""
    return format(value, "f")


def exact_text(value: Fraction) -> str:
    """`value` without loss, readable by `Fraction(...)`: "8.35", or "25/3" when it has no end."""
    places = decimal_places(value)
    return str(value) if places is None else plain(half_up(value, places))


def shown(value: Fraction | Decimal) -> str:
    """`value` for a reader: exact when short, else six decimals and an ellipsis ("8.333333…")."""
    exact = Fraction(value)
    places = decimal_places(exact)
    if places is not None and places <= 8:
        return plain(half_up(exact, places))
    return plain(half_up(exact, 6)) + "…"
