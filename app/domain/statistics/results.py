"""What comes out of scoring a round: scores with their items, stages, reasons, ranks and steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

from app.domain.statistics.places import Given, Ranked, give
from app.domain.statistics.rounding import exact_text, plain, to_decimal
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.trace import Step, text_json
from app.domain.types import Text


class Status(StrEnum):
    """Whether a subject has an official score."""

    SCORED = "scored"
    VETOED = "vetoed"
    NO_SCORE = "no_score"


@dataclass(frozen=True, slots=True)
class UnitScore:
    """The panel's value of one unit: an item, or a whole stage when sheets are trimmed.

    `value` None: the unit has no value of its own. `dropped` are the raters left out, sorted.
    """

    value: Fraction | None
    places: int | None
    present: int
    used: int
    dropped: tuple[str, ...]

    @property
    def decimal(self) -> Decimal | None:
        """The value exactly as rounded; ten decimals when it has no end."""
        return None if self.value is None else to_decimal(self.value, self.places)

    def to_json(self) -> dict[str, Any]:
        """JSON value; the score is a string."""
        value = self.decimal
        return {
            "value": None if value is None else plain(value),
            "present": self.present,
            "used": self.used,
            "dropped": list(self.dropped),
        }


@dataclass(frozen=True, slots=True)
class StageScore:
    """One stage of a subject: its value after rounding at `module`, weight, and items."""

    id: str
    value: Fraction | None
    places: int | None
    weight: Decimal
    contribution: Fraction | None
    drawn: int
    valid: int
    unit: UnitScore | None
    items: Mapping[str, UnitScore]
    spread: Fraction | None
    reason: Text | None

    def to_json(self) -> dict[str, Any]:
        """JSON value; scores are strings, the exact contribution may be "p/q"."""
        value = None if self.value is None else plain(to_decimal(self.value, self.places))
        contribution = self.contribution
        return {
            "id": self.id,
            "value": value,
            "weight": plain(self.weight),
            "contribution": None if contribution is None else exact_text(contribution),
            "drawn": self.drawn,
            "valid": self.valid,
            "unit": None if self.unit is None else self.unit.to_json(),
            "items": {name: item.to_json() for name, item in self.items.items()},
            "spread": None if self.spread is None else exact_text(self.spread),
            "reason": text_json(self.reason),
        }


@dataclass(frozen=True, slots=True)
class Tie:
    """How a tie on the ranking value was settled for one subject.

    `with_` are the subjects that had the same value, `rungs` the rungs that separated this subject
    from some of them, `shared_with` those it still shares its rank with.
    """

    with_: tuple[str, ...]
    rungs: tuple[str, ...]
    shared_with: tuple[str, ...]
    text: Text

    @property
    def decided_by(self) -> str:
        """The last rung used: "shared" when the rank stays shared."""
        return "shared" if self.shared_with else self.rungs[-1]

    def to_json(self) -> dict[str, Any]:
        """JSON value."""
        return {
            "with": list(self.with_),
            "rungs": list(self.rungs),
            "shared_with": list(self.shared_with),
            "decided_by": self.decided_by,
            "text": text_json(self.text),
        }


@dataclass(frozen=True, slots=True)
class Gate:
    """A section below its floor: the subject keeps total and rank, but takes no place."""

    stage: str
    section: str
    value: Fraction
    floor: Decimal
    text: Text

    def to_json(self) -> dict[str, Any]:
        """JSON value; numbers are strings."""
        return {
            "stage": self.stage,
            "section": self.section,
            "value": exact_text(self.value),
            "floor": plain(self.floor),
            "text": text_json(self.text),
        }


@dataclass(frozen=True, slots=True)
class SubjectScore:
    """A subject's result: `total` is published, `unrounded` exact; both hold the adjustment."""

    id: str
    group: str | None
    status: Status
    reason: Text | None
    total: Decimal | None
    unrounded: Fraction | None
    adjust: Decimal
    stages: Mapping[str, StageScore]
    steps: tuple[Step, ...]
    rank: int | None = None
    tie: Tie | None = None
    gates: tuple[Gate, ...] = ()

    @property
    def items(self) -> dict[str, UnitScore]:
        """All items: by id when only one stage has it, else by "stage/id"."""
        names = [name for stage in self.stages.values() for name in stage.items]
        return {
            name if names.count(name) == 1 else f"{stage.id}/{name}": item
            for stage in self.stages.values()
            for name, item in stage.items.items()
        }

    def to_json(self) -> dict[str, Any]:
        """JSON value; scores are strings exactly as rounded."""
        return {
            "group": self.group,
            "status": self.status.value,
            "reason": text_json(self.reason),
            "total": None if self.total is None else plain(self.total),
            "unrounded": None if self.unrounded is None else exact_text(self.unrounded),
            "adjust": plain(self.adjust),
            "rank": self.rank,
            "tie": None if self.tie is None else self.tie.to_json(),
            "items": {name: item.to_json() for name, item in self.items.items()},
            "stages": {name: stage.to_json() for name, stage in self.stages.items()},
            "steps": [step.to_json() for step in self.steps],
            # Only where a rule has floors, so that the results of older rules stay what they were.
            **({"gates": [gate.to_json() for gate in self.gates]} if self.gates else {}),
        }


@dataclass(frozen=True, slots=True)
class RoundScores:
    """Scores of a whole round, in the order in which the subjects were given."""

    rule: ScoreRule
    subjects: Mapping[str, SubjectScore]

    @property
    def ranked(self) -> list[SubjectScore]:
        """Subjects with a rank, by (group when ranked within groups, rank, id)."""
        within = self.rule.rank_within == "group"
        scored = [score for score in self.subjects.values() if score.rank is not None]
        return sorted(scored, key=lambda s: ((s.group or "") if within else "", s.rank or 0, s.id))

    @property
    def places(self) -> tuple[Given, ...]:
        """What the ranks give under the rule's tiers; a subject below a floor takes no place."""
        rows = [
            Ranked(s.id, s.rank, s.group, s.total)
            for s in self.subjects.values()
            if s.rank is not None and s.total is not None
        ]
        return give(self.rule.places, rows, {s.id for s in self.subjects.values() if s.gates})

    def to_json(self) -> dict[str, Any]:
        """JSON value: rule, its digest, subjects by id; `places` where the rule gives some."""
        return {
            "rule": self.rule.to_json(),
            "digest": self.rule.digest(),
            "subjects": {name: score.to_json() for name, score in self.subjects.items()},
            **({"places": [g.to_json() for g in self.places]} if self.rule.places else {}),
        }
