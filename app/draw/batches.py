"""Panels of one request held against each other: counties, days and lotteries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.types import DomainError, Text


def refuse(field: str, zh: str, en: str, **values: Any) -> DomainError:
    """A refusal beside `field` that says that nothing was saved."""
    text = Text(zh + "没有保存。", en + " Nothing was saved.").format(**values)
    return DomainError(text, field=field)


def covered(
    *, known_subjects: Mapping[str, Text], shaped: Sequence[Mapping[str, Any]], wanted: list[str]
) -> None:
    """Each county of the draw on exactly one panel, and no panel without one."""
    taken = [subject for panel in shaped for subject in panel["subjects"]]
    for subject in wanted:
        if taken.count(subject) != 1:
            raise refuse(
                "subjects",
                "“{name}”须恰好由一个评审组承担，现有 {n} 个。",
                "{name} belongs to exactly one panel, not {n}.",
                name=known_subjects[subject],
                n=taken.count(subject),
            )
    if set(taken) != set(wanted):
        raise refuse(
            "subjects",
            "评审组里有未选入本次抽取的区县。",
            "A panel has a county that this draw was not asked for.",
        )
    for panel in shaped:
        if not panel["subjects"]:
            raise refuse(
                "panels", "评审组“{p}”没有区县。", "Panel '{p}' has no county.", p=panel["id"]
            )


def lotteries_alone(shaped: Sequence[Mapping[str, Any]], load_cap: int) -> None:
    """Panels that share people cannot be independent lotteries (docs/draw-protocol.md section 3)."""
    for panel in shaped:
        others = [p for p in shaped if p is not panel]
        shared = any(set(panel["dates"]) & set(p["dates"]) for p in others)
        if panel["mode"] == "lottery" and (shared or 0 < load_cap < len(shaped)):
            raise refuse(
                "mode",
                "评审组“{p}”与其他组同日，或每人场次有上限，各组不能分别作公平抽签；请改为按签号依次入选。",
                "Panel '{p}' shares its date with another or has a load cap, so that panels cannot be "
                "lotteries apart from each other: draw by ticket.",
                p=panel["id"],
            )
