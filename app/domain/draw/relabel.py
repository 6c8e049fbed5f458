"""A lottery table under other codes: solved once, in the words of the register, and committed in
the codes of one draw (docs/draw-protocol.md sections 7 and 10).

The linear programs know numbers of types, not names, so that renaming values changes neither a
chance nor a proof; only the places of types, rows and quota rows follow the new order of names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def relabelled(table: Mapping[str, Any], names: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The same table with `names[attribute][value]` for each value; what is not named stays.

    Types, rows, quota rows and certificate are put in the order of the new names, as section 7
    wants them. ValueError if two values of an attribute would get one name.
    """
    attributes = table["attributes"]

    def name(attribute: str, value: str) -> str:
        return names.get(attribute, {}).get(value, value)

    vectors = [
        tuple(name(a, v) for a, v in zip(attributes, values, strict=True))
        for _, _, values in table["types"]
    ]
    quotas = [[a, name(a, v), low, high] for a, v, low, high in table["quota_rows"]]
    if len(set(vectors)) != len(vectors) or len({(a, v) for a, v, *_ in quotas}) != len(quotas):
        raise ValueError("two values of an attribute would get one name")
    order = sorted(range(len(vectors)), key=vectors.__getitem__)
    kinds = _places(order)
    quota_order = sorted(range(len(quotas)), key=lambda r: quotas[r][:2])
    places = _places(quota_order)
    rows = [[lots, _moved(counts, kinds)] for lots, counts in table["rows"]]
    rows.sort(key=lambda row: _dense(row[1], len(order)))
    return {
        **table,
        "certificate": [
            {
                "before": sorted(kinds[t] for t in level["before"]),
                "free": _moved(level["free"], kinds),
                "rows": _moved(level["rows"], places),
                "seats": level["seats"],
                "settled": _moved(level["settled"], kinds),
            }
            for level in table["certificate"]
        ],
        "quota_rows": [quotas[r] for r in quota_order],
        "rows": rows,
        "types": [
            [f"T{number}", table["types"][t][1], list(vectors[t])]
            for number, t in enumerate(order, 1)
        ],
    }


def _places(order: Sequence[int]) -> dict[int, int]:
    return {old: new for new, old in enumerate(order)}


def _moved(pairs: Sequence[Sequence[int]], places: Mapping[int, int]) -> list[list[int]]:
    return sorted([places[i], n] for i, n in pairs)


def _dense(counts: Sequence[Sequence[int]], width: int) -> list[int]:
    out = [0] * width
    for i, n in counts:
        out[i] = n
    return out
