"""What one rule is asked (`Case`) and what it may answer (`Hit`, `Gap`).

A check is a generator over its case: a `Hit` for every fact that speaks against the expert, a `Gap`
for every fact that it would need and does not have. Neither = the rule is passed. The engine turns
a hit into a finding of the rule's effect, and a gap into "not computed".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from app.domain.draw.rules_facts import Employment, ExpertFacts, SubjectFacts
from app.domain.draw.rules_set import CentralExemption, Rule
from app.domain.draw.rules_time import in_words, iso, overlaps, window_start
from app.domain.types import Text

Severity = Literal["block", "warn", "info"]
STRENGTH: Mapping[str, int] = {"info": 0, "warn": 1, "block": 2}
Evidence = Mapping[str, str | int | bool | None | list[str]]


@dataclass(frozen=True, slots=True)
class Hit:
    """`severity` is the most this hit can do; the rule's effect may weaken it.

    `general`: it does not depend on the subject at hand.
    """

    reason: Text
    evidence: Evidence
    severity: Severity = "block"
    general: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """A fact that is not held; `reason` says which."""

    reason: Text
    general: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One expert before one rule on the reference date `on` (the committed review date)."""

    expert: ExpertFacts
    rule: Rule
    on: date
    central_exempt: CentralExemption | None

    def integer(self, name: str) -> int:
        """A whole-number parameter."""
        return int(self.rule.params[name])

    def codes(self, name: str) -> frozenset[str]:
        """A list parameter, as a set."""
        return frozenset(self.rule.params[name])

    @property
    def first(self) -> date:
        """First day of the rule's look-back window of `years`, which ends on `on`."""
        return window_start(self.on, years=self.integer("years"))

    def in_window(self, since: date | None, until: date | None) -> bool:
        """Whether a period meets the look-back window."""
        return overlaps(since, until, self.first, self.on)

    def window_words(self) -> Text:
        """The window as printed after a reason; a single day is "on that day"."""
        if self.first == self.on:
            return Text(f"基准日 {self.on}", f"reference date {self.on}")
        return Text(
            f"回避期 {self.first} 至 {self.on}",
            f"look-back window {self.first} to {self.on}",
        )

    def posts(self, relations: frozenset[str]) -> Iterator[Employment]:
        """Employments of these relations that meet the window."""
        for post in self.expert.employments or ():
            if post.relation in relations and self.in_window(post.since, post.until):
                yield post

    def post_hit(self, post: Employment, template: Text, **values: Text | str) -> Hit:
        """A hit on an employment: `template` may use {period}, {org}, {window} and `values`."""
        reason = template.format(
            period=in_words(post.since, post.until),
            org=post.organisation,
            window=self.window_words(),
            **values,
        )
        evidence: dict[str, str | int | bool | None | list[str]] = {
            "organisation": post.organisation_id,
            "relation": post.relation,
            "since": iso(post.since),
            "until": iso(post.until),
            "window_first": iso(self.first),
            "window_last": iso(self.on),
        }
        return Hit(reason, evidence)


@dataclass(frozen=True, slots=True)
class PersonCheck:
    """A rule about the expert alone; `passed` is the reason printed when nothing was found."""

    run: Callable[[Case], Iterator[Hit | Gap]]
    passed: Text


@dataclass(frozen=True, slots=True)
class SubjectCheck:
    """A rule about the expert and one subject."""

    run: Callable[[Case, SubjectFacts], Iterator[Hit | Gap]]
    passed: Text
