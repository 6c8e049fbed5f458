"""Whether the statements of a panel have begun: known to a room after this one, which answers here.

An order drawn once the first county has spoken is no order any more, and a partial one could be asked
for by whoever did not like his turn. So the order of statements is asked for and committed before the
first sitting of the panel begins, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from app.domain.types import Text
from app.draw.messages import cannot
from app.draw.orders import STATEMENTS, Wanted

# Round id -> {(draw of the experts, panel): the county whose sitting began first}.
Answer = Callable[[Session, str], dict[tuple[str, str], Text]]
_answers: list[Answer] = []
_BEGUN = Text(
    "评审组 {p} 的会议已经开始（{c}），陈述顺序须在第一场会议开始之前抽定；此后按会议安排进行",
    "the sittings of panel {p} have begun ({c}), and the order of statements is drawn before the first "
    "one begins; they go on as they were arranged",
)


def answers(answer: Answer) -> Answer:
    """Decorator: the room that keeps the sittings says which panels have begun."""
    _answers.append(answer)
    return answer


def begun(session: Session, round_id: str) -> dict[tuple[str, str], Text]:
    """Every panel of a round that has begun, with its first county."""
    found: dict[tuple[str, str], Text] = {}
    for answer in _answers:
        found |= answer(session, round_id)
    return found


def refuse_begun(session: Session, round_id: str, wanted: Wanted, what: Text) -> None:
    """Conflict if `wanted` is the order of statements of a panel that has begun."""
    if wanted.stage != STATEMENTS:
        return
    panel = (wanted.of["draw"], wanted.of["panel"])
    county = begun(session, round_id).get(panel)
    if county is not None:
        raise cannot(what, _BEGUN.format(p=panel[1], c=county))
