"""Why an expert cannot score a county yet, or no more: the same order of steps as when a sheet is begun."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.types import Text
from app.panel.models import Declaration, Sitting

NO_POINTS = Text("数据尚不齐全，未计算", "not computed: figures are missing")
_CLOSED = Text("本次评分已结束", "this sitting is over")
_ASIDE = Text("您对本县不评分", "you do not score this county")
_CONFLICT = Text(
    "您声明了利害关系，不能对本组的区县评分",
    "you declared a conflict of interest, so you do not score on this panel",
)
_UNDECLARED = Text("请先签署两份承诺书", "sign both declarations first")
_PLANNED = Text("会议尚未开始", "the sitting has not begun")
_STATEMENT = Text("现场陈述尚未结束", "the statement is not closed yet")
_UNOPENED = Text("评分尚未开放", "scoring is not open yet")
_ABSENT = Text("请先签到", "sign in to the sitting first")
# The tablet reads them: the statement's code opens what is planned, statement or absent, nothing else.
_CODES = {
    _CLOSED: "closed", _ASIDE: "aside", _CONFLICT: "conflict", _UNDECLARED: "undeclared",
    _PLANNED: "planned", _STATEMENT: "statement", _UNOPENED: "unopened", _ABSENT: "absent",
}  # fmt: skip


def has_declared(declared: Mapping[str, Declaration]) -> bool:
    """Both declarations are signed and no conflict is ticked (C-13)."""
    return "secrecy" in declared and "conflict" in declared and not _ticked(declared)


def _ticked(declared: Mapping[str, Declaration]) -> bool:
    return "conflict" in declared and any(bool(a) for a in declared["conflict"].answers.values())


def reason(
    sitting: Sitting, *, declared: Mapping[str, Declaration], present: bool, state: str | None
) -> Text | None:
    """None when scoring is open to the expert. `state` is that of the county's sheet, if begun."""
    if state in ("recused", "absent"):
        return _ASIDE
    if sitting.phase == "closed":
        return _CLOSED
    if not has_declared(declared):
        return _CONFLICT if _ticked(declared) else _UNDECLARED
    match sitting.phase:
        case "planned":
            return _PLANNED
        case "statement":
            return _STATEMENT
        case "open":
            return _STATEMENT if sitting.with_statement else _UNOPENED
    return None if present else _ABSENT


def shown(
    sitting: Sitting, *, declared: Mapping[str, Declaration], present: bool, state: str | None
) -> dict[str, str] | None:
    """`reason` as it travels."""
    why = reason(sitting, declared=declared, present=present, state=state)
    return None if why is None else {"code": _CODES[why], "zh": why.zh, "en": why.en}
