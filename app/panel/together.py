"""The office's steps for several sittings of one panel at once: begun, opened for scoring, ended.

All or nothing: the step of each sitting with its own rule and its own entry in the ledger, in one
transaction. The first that cannot be taken is named with its reason, and none is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from app.domain.types import DomainError, Text
from app.panel.models import Panel, Sitting

_NAMED = Text("“{c}”：{why}", "{c}: {why}")
OPEN = (
    Text("全部开始", "Open all"),
    Text(
        "开始以下会议，成员即可签到：{names}", "These sittings begin and members sign in: {names}"
    ),
)
SCORE = (
    Text("全部开放评分", "Open scoring for all"),
    Text(
        "请确认无关人员已离场。向全体成员同时开放以下会议的评分：{names}",
        "Make sure that everybody else has left. Scoring opens to all members at: {names}",
    ),
)
CLOSE = (
    Text("全部结束", "End all"),
    Text(
        "结束后不能再评分或更正：{names}",
        "No marks or corrections after this: {names}",
    ),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step that two or more sittings can take now: its words and what is asked before it, where it
    is posted, and for which of them."""

    words: tuple[Text, Text]
    endpoint: str
    sittings: list[Sitting]
    on: date | None = None  # of one day only

    @property
    def ids(self) -> str:
        """What the button sends: exactly the sittings that it names."""
        return " ".join(row.id for row in self.sittings)

    @property
    def asks(self) -> Text:
        """The question before the step, with the names of the counties."""
        names = [row.subject.name for row in self.sittings]
        return self.words[1].format(
            names=Text("、".join(n.zh for n in names), ", ".join(n.en for n in names))
        )


def steps(panel: Panel) -> list[Step]:
    """What the office can do for two or more sittings at once.

    Desk sittings begin together, those of a day; a visit begins when the panel is there, so it has its
    own page. Scoring opens where no statement is still to be closed.
    """
    days: dict[date, list[Sitting]] = defaultdict(list)
    for row in panel.sittings:
        if row.phase == "planned" and not row.with_statement:
            days[row.on].append(row)
    found = [
        Step(OPEN, "panel.open_sittings", rows, on if len(days) > 1 else None)
        for on, rows in sorted(days.items())
    ]
    found.append(Step(SCORE, "panel.open_scoring_of", [s for s in panel.sittings if _spoken(s)]))
    return [step for step in found if len(step.sittings) > 1]


def _spoken(sitting: Sitting) -> bool:
    """Whether the next step is the opening of scoring: no statement is wanted, or it is closed."""
    if not sitting.with_statement:
        return sitting.phase == "open"
    said = sitting.statement
    return sitting.phase == "statement" and said is not None and said.closed_at is not None


def each(sittings: Iterable[Sitting], act: Callable[[Sitting], object]) -> None:
    """`act` on each, in order; an error is that of the first, with the name of its county. The caller's
    transaction is then given up."""
    for sitting in sittings:
        try:
            act(sitting)
        except DomainError as error:
            error.text = _NAMED.format(c=sitting.subject.name, why=error.text)
            raise
