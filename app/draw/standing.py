"""Who is kept out of a supplementary draw by who sits already: members, leavers, and their ties.

A supplementary draw fills vacant seats of panels that stand. Its candidates are judged by the same
rules as ever, and beside that by what the standing members leave open (docs/draw-protocol.md 9).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.domain.draw.vacancies import tied
from app.domain.types import Text

Row = tuple[str, str, str, Text, dict[str, Any]]  # panel, expert, rule, reason, evidence

_BEFORE = Text(
    "已在本次评审任职或已退出席位，不再参加补充抽取",
    "sits on a panel of this review or has left a seat of it",
)
_TIE = Text("与在任成员同一{a}或有关系，名额已满", "shares {a} or a tie with members who sit")
_WORDS = {"employer": Text("单位", "the employer"), "region": Text("地区", "the region")}


def barred(
    attributes: Mapping[str, Mapping[str, str]],
    limits: Mapping[str, Mapping[str, int]],
    request: Mapping[str, Any],
) -> Iterator[Row]:
    """Exclusions of a supplementary request; none for any other.

    `attributes`: expert -> attribute -> value; `limits`: panel -> pair attribute -> k.
    """
    extra = request.get("supplement")
    if not extra:
        return
    ever = set(extra["ever"])
    for panel, rows in limits.items():
        members = [attributes[key] for key in extra["standing"][panel] if key in attributes]
        for key in sorted(attributes):
            if key in ever:
                yield panel, key, "D-09", _BEFORE, {"findings": [{"seated": "before"}]}
                continue
            for name in tied(attributes[key], rows, members):
                reason = _TIE.format(a=_WORDS.get(name, Text("关系", "a pair")))
                yield panel, key, "C-10", reason, {"findings": [{"attribute": name}]}
