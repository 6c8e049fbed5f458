"""Why a mark or a sheet is not there. A missing mark is a state with a reason, never a number.

A sheet stored as 0.0 instead of "absent" is a bug seen in published results (ISU Skate America
2016, pairs short programme, judge 6: forty component scores wrong). So nothing here has a
numeric value, and only `SUBMITTED` sheets reach an estimator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from app.domain.types import Text


class State(StrEnum):
    """State of a drawn expert's sheet for one subject."""

    SUBMITTED = "submitted"
    ABSENT = "absent"
    RECUSED = "recused"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    NOT_APPLICABLE = "not_applicable"


STATE_WORDS: Final[dict[State, Text]] = {
    State.SUBMITTED: Text("已提交", "submitted"),
    State.ABSENT: Text("缺席", "absent"),
    State.RECUSED: Text("回避", "recused"),
    State.WITHDRAWN: Text("退出", "withdrawn"),
    State.REJECTED: Text("经监督剔除", "rejected by the supervisor"),
    State.NOT_APPLICABLE: Text("不适用", "not applicable"),
}

# A supervisor's act or a conflict must say why; plain absence and inapplicability need not.
NEEDS_REASON: Final = frozenset({State.RECUSED, State.WITHDRAWN, State.REJECTED})


def head_count(states: Iterable[State]) -> Text:
    """ "9 drawn, 1 recused, 8 valid" for the states of one panel, states that occur only."""
    counts = Counter(states)
    zh = [f"抽取 {counts.total()} 人"]
    en = [f"{counts.total()} drawn"]
    for state, words in STATE_WORDS.items():
        if state is not State.SUBMITTED and counts[state]:
            zh.append(f"{words.zh} {counts[state]} 人")
            en.append(f"{counts[state]} {words.en}")
    zh.append(f"有效 {counts[State.SUBMITTED]} 份")
    en.append(f"{counts[State.SUBMITTED]} valid")
    return Text(",".join(zh), ", ".join(en))
