"""What goes into a score: the sheets of a panel, stage by stage, subject by subject.

The shapes are the same for the web application and for the commands; both build `SubjectMarks`
and hand them to `scores.score_round`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from app.domain.statistics.missing import NEEDS_REASON, State
from app.domain.statistics.rounding import plain
from app.domain.types import DomainError, Text


def _number(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def checked_mark(value: Decimal | None, where: Text) -> None:
    """Refuse what is not an exact, finite number; `where` names the mark in the message."""
    if value is None:
        return
    if not isinstance(value, Decimal) or not value.is_finite():
        raise DomainError(
            Text(
                "{where}:{value} 不是有限小数。", "{where}: {value} is not a finite decimal."
            ).format(where=where, value=repr(value))
        )


@dataclass(frozen=True, slots=True)
class Sheet:
    """One expert's sheet for one subject.

    `total` is the sheet's total as the form computed it; None lets the rule's item weights make it
    from `items`. In `items` None is an absent mark. `not_applicable` names items that the expert
    declared inapplicable: they are neither marks nor gaps.
    """

    state: State = State.SUBMITTED
    total: Decimal | None = None
    items: Mapping[str, Decimal | None] = field(default_factory=dict)
    not_applicable: frozenset[str] = frozenset()
    reason: Text | None = None

    def __post_init__(self) -> None:
        if self.state in NEEDS_REASON and self.reason is None:
            raise DomainError(
                Text(
                    "状态为“{state}”的评分表必须写明理由。",
                    'A sheet in state "{state}" needs its reason.',
                ).format(state=self.state.value),
                field="reason",
            )
        checked_mark(self.total, Text("总分", "total"))
        for item, mark in self.items.items():
            checked_mark(mark, Text(f"指标 {item}", f"item {item}"))
            if mark is not None and item in self.not_applicable:
                raise DomainError(
                    Text(
                        "指标 {item} 既有分数又标为不适用。",
                        "Item {item} has a mark and is declared not applicable.",
                    ).format(item=item),
                    field=item,
                )

    def to_json(self) -> dict[str, Any]:
        """JSON value; marks are strings."""
        return {
            "state": self.state.value,
            "total": _number(self.total),
            "items": {item: _number(mark) for item, mark in self.items.items()},
            "not_applicable": sorted(self.not_applicable),
            "reason": None if self.reason is None else {"zh": self.reason.zh, "en": self.reason.en},
        }


@dataclass(frozen=True, slots=True)
class StageMarks:
    """One stage of one subject: a panel's sheets by rater id, or one confirmed value.

    The stage's weight is not here: it belongs to the rule, which is hashed before scoring opens.
    """

    kind: Literal["panel", "value"] = "panel"
    sheets: Mapping[str, Sheet] = field(default_factory=dict)
    value: Decimal | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("panel", "value"):
            raise DomainError(
                Text("阶段类型 {kind} 未知。", "Unknown kind of stage: {kind}.").format(
                    kind=self.kind
                )
            )
        if (self.kind == "panel" and self.value is not None) or (
            self.kind == "value" and self.sheets
        ):
            raise DomainError(
                Text(
                    "一个阶段只能有评分表或一个确认值,不能两者都有。",
                    "A stage has sheets or one confirmed value, not both.",
                )
            )
        checked_mark(self.value, Text("阶段值", "stage value"))

    @property
    def valid(self) -> dict[str, Sheet]:
        """The submitted sheets, in rater order, so that no result hangs on the order of rows."""
        return {
            rater: self.sheets[rater]
            for rater in sorted(self.sheets)
            if self.sheets[rater].state is State.SUBMITTED
        }

    @property
    def items(self) -> tuple[str, ...]:
        """Every item that a valid sheet names, sorted."""
        return tuple(sorted({item for sheet in self.valid.values() for item in sheet.items}))

    def to_json(self) -> dict[str, Any]:
        """JSON value; marks are strings."""
        return {
            "kind": self.kind,
            "sheets": {rater: sheet.to_json() for rater, sheet in sorted(self.sheets.items())},
            "value": _number(self.value),
        }


@dataclass(frozen=True, slots=True)
class SubjectMarks:
    """Everything official about one subject: its stages, its gate, its bonus or deduction."""

    id: str
    stages: Mapping[str, StageMarks]
    group: str | None = None
    vetoed: bool = False
    veto_reason: Text | None = None
    adjust: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        checked_mark(self.adjust, Text(f"{self.id} 的加减分", f"adjustment of {self.id}"))

    def to_json(self) -> dict[str, Any]:
        """JSON value; marks are strings."""
        veto = self.veto_reason
        return {
            "id": self.id,
            "group": self.group,
            "vetoed": self.vetoed,
            "veto_reason": None if veto is None else {"zh": veto.zh, "en": veto.en},
            "adjust": plain(self.adjust),
            "stages": {stage: marks.to_json() for stage, marks in self.stages.items()},
        }
