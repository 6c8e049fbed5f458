"""A what-if or a commitment that may take minutes: computed beside the request, watched from any page.

The computation runs in a thread of the server process that was asked, with transactions of its own,
and says every second how far it is. Whoever asked may leave the page and come back; a process that is
gone gives no sign of life, and the page then says that it has to be asked again. Its result is recorded
by the same short write that marks the work as done, so that the two cannot disagree.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.db import Database, new_id
from app.domain.types import DomainError, Text
from app.draw.models_work import Work
from app.draw.outlook import Tell

BEAT = 1.0  # seconds between two signs of life
SILENCE = timedelta(seconds=30)  # without one it is taken for gone; the solver lets others run
FAILED = Text(
    "计算中断，没有保存任何内容。请重新提交；仍不行请联系管理员查看日志。",
    "The computation broke off and nothing was saved. Ask for it again; if it fails again, the "
    "administrator finds the cause in the log.",
)
GONE = Text(
    "服务器在计算途中重新启动或停止，没有保存任何内容。请重新提交。",
    "The server was restarted or stopped on the way and nothing was saved. Ask for it again.",
)
STARTING = Text("排队开始", "about to begin")


class Act(Protocol):
    """The computation: tells of its stages, and calls `finish` in the write that records its result."""

    def __call__(self, tell: Tell, finish: Callable[[Session], None], /) -> None: ...


@dataclass(frozen=True)
class Standing:
    """How a computation stands: `state` running, done, refused or broken; `done` 0 to 1 or None."""

    id: str
    kind: str
    state: str
    stage: Text
    done: float | None
    said: Text
    account_id: str
    seconds: int


def standing(session: Session, draw_id: str) -> Standing | None:
    """The latest computation for a draw, or None; one that fell silent is `broken`."""
    row = session.scalar(select(Work).where(Work.draw_id == draw_id))
    if row is None:
        return None
    state, said = row.state, Text(row.said_zh, row.said_en)
    if state == "running" and clock.now() - row.heard_at > SILENCE:
        state, said = "broken", GONE
    until = row.ended_at or (clock.now() if state == "running" else row.heard_at)
    return Standing(
        row.id, row.kind, state, Text(row.stage_zh, row.stage_en),
        None if row.thousandths is None else row.thousandths / 1000,
        said, row.account_id or "", int((until - row.began_at).total_seconds()),
    )  # fmt: skip


def start(
    database: Database, viewer: Viewer, draw_id: str, kind: str, act: Act, logger: logging.Logger
) -> bool:
    """Begin in a thread; False when one for this draw is on its way, which is not disturbed."""
    with database.write() as session:
        now = standing(session, draw_id)
        if now is not None and now.state == "running":
            return False
        session.execute(delete(Work).where(Work.draw_id == draw_id))
        key, moment = new_id(), clock.now()
        session.add(
            Work(
                id=key, draw_id=draw_id, kind=kind, account_id=viewer.id, stage_zh=STARTING.zh,
                stage_en=STARTING.en, began_at=moment, heard_at=moment,
            )
        )  # fmt: skip
    run = _Run(database, key, act, logger)
    threading.Thread(target=run.through, name=f"draw-{kind}", daemon=True).start()
    return True


class _Run:
    """One computation in its thread, and the thread that gives the signs of life."""

    def __init__(self, database: Database, key: str, act: Act, logger: logging.Logger) -> None:
        self.database, self.key, self.act, self.logger = database, key, act, logger
        self.said: tuple[Text, float | None] = (STARTING, None)
        self.over = threading.Event()

    def through(self) -> None:
        """Run to the end, whatever the end is."""
        threading.Thread(target=self._beat, name="draw-beat", daemon=True).start()
        try:
            self.act(self._tell, self._finish)
        except DomainError as error:
            self._ended("refused", error.text)
        except Exception:  # the page must learn of it, whatever broke
            self.logger.exception("a computation of the draw broke off")
            self._ended("broken", FAILED)
        finally:
            self.over.set()

    def _tell(self, text: Text, done: float | None = None) -> None:
        self.said = (text, done)

    def _beat(self) -> None:
        while not self.over.wait(BEAT):
            stage, done = self.said
            thousandths = None if done is None else min(1000, max(0, int(done * 1000)))
            try:
                with self.database.write() as session:
                    self._set(
                        session, stage_zh=stage.zh, stage_en=stage.en, thousandths=thousandths
                    )
            except SQLAlchemyError:  # the next one tells as much
                self.logger.warning("a sign of life was not recorded", exc_info=True)

    def _finish(self, session: Session) -> None:
        self._set(session, state="done", ended_at=clock.now())

    def _ended(self, state: str, said: Text) -> None:
        try:
            with self.database.write() as session:
                self._set(
                    session, state=state, said_zh=said.zh, said_en=said.en, ended_at=clock.now()
                )
        except SQLAlchemyError:  # it falls silent instead, and the page says so
            self.logger.exception("the end of a computation was not recorded")

    def _set(self, session: Session, **values: object) -> None:
        """Only while it is this computation that runs: a later one has a row of its own."""
        mine = update(Work).where(Work.id == self.key, Work.state == "running")
        session.execute(mine.values(heard_at=clock.now(), **values))
