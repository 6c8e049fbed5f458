"""How many statements an action sends to the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import event


def queries_of(app: Any, act: Callable[[], Any]) -> int:
    """Statements sent while `act` runs; its answer must be a 200."""
    seen: list[str] = []
    engine = app.extensions["mingjian.db"].engine

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SELECT pg_advisory")):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        answer = act()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert answer.status_code == 200, answer.get_data(as_text=True)[:400]
    return len(seen)
