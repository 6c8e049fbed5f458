"""One run against the run before, side by side: inputs, rule, every county's total and rank, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.aggregation.models import Run
from app.aggregation.reading import Reading
from app.aggregation.results import of_subject
from app.domain.types import Text

_CAME = Text("加入本届", "came in")
_LEFT = Text("退出本届", "withdrew")


@dataclass(frozen=True, slots=True)
class Compared:
    """One county in both runs; None: not in that run, or without a total."""

    name: Text
    totals: tuple[str | None, str | None]
    ranks: tuple[int | None, int | None]
    why: tuple[Text, ...]

    @property
    def moved(self) -> bool:
        """Whether total or rank differ."""
        return self.totals[0] != self.totals[1] or self.ranks[0] != self.ranks[1]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from `before` to `after`."""

    before: Run
    after: Run
    rows: tuple[Compared, ...]
    rule_keys: tuple[str, ...]  # keys of the rule that differ; empty where the rule is the same
    sheets: int  # sheets that differ
    refrozen: tuple[Text, ...]


def compare(before: Run, after: Run) -> Comparison:
    """Both runs as they are stored; nothing is computed again."""
    one, two = Reading(before), Reading(after)
    rows, sheets = [], 0
    for key in dict.fromkeys([*two.counties, *one.counties]):
        old, new = one.counties.get(key), two.counties.get(key)
        was, now = one.scores.get(key), two.scores.get(key)
        if old is None or new is None:
            why = [_CAME if old is None else _LEFT]
        else:
            found = of_subject(old, new, after.inputs["stages"])
            name = two.names[key]
            gone = (
                new["vetoed"] and not old["vetoed"]
            )  # its sheets are all there, and count no more
            sheets += 0 if gone else _sheets(old, new)
            why = [_short(text, name) for text in (found[:1] if gone else found)]
        rows.append(
            Compared(
                two.names.get(key) or one.names[key],
                (was and was["total"], now and now["total"]),
                (was and was["rank"], now and now["rank"]),
                tuple(why),
            )
        )
    rules = before.rule.keys() | after.rule.keys()
    return Comparison(
        before,
        after,
        tuple(rows),
        tuple(sorted(k for k in rules if before.rule.get(k) != after.rule.get(k))),
        sheets,
        tuple(
            text
            for part in after.results.get("refrozen", ())
            for change in part["changes"]
            if (text := two.say(change["text"])) is not None
        ),
    )


def _sheets(old: Mapping[str, Any], new: Mapping[str, Any]) -> int:
    count = 0
    for stage, part in new["stages"].items():
        was, now = old["stages"].get(stage, {}).get("sheets", {}), part.get("sheets", {})
        count += sum(1 for label in was.keys() | now.keys() if was.get(label) != now.get(label))
    return count


def _short(text: Text, name: Text) -> Text:
    """The sentence without the county's name, which stands at the head of its row."""
    return Text(
        text.zh.removeprefix(name.zh).lstrip(" ：,"), text.en.removeprefix(name.en).lstrip(" ,:")
    )
