"""The timeline of a statement: the agenda as it ran, the marks of the recorder and of recordings, whether
or not any sound was recorded. One list, by the server's clock (marks from a tablet: by the tablet's).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.types import Text
from app.panel.agenda import run_of
from app.panel.bookmarks import place_in
from app.panel.models import Sitting, Statement
from app.panel.models_statement import AgendaRun, Recording, TimelineMark
from app.panel.recordings import MARKS

AGENDA = Text("议程", "agenda")
NOTE = Text("记录员标记", "recorder's mark")
SOUND = Text("录音 {n}", "recording {n}")
_BEGAN = Text("第 {n} 环节开始：{w}", "step {n} began: {w}")
_ENDED = Text("第 {n} 环节结束，用时 {m} 分 {s} 秒", "step {n} ended after {m} min {s} s")
_RESTED = Text("第 {n} 环节暂停：{w}", "step {n} paused: {w}")
_OVER = Text("议程结束", "the agenda is over")
# The agenda's clock on a recorder's tablet without signal (docs/sync-protocol.md section 6).
_TABLET = re.compile(r"(?P<sign>[▶⏸])(?P<step>\d+) ?(?P<title>.*)|■")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: when, of what kind, in words, and where in a recording (its number from
    1 and milliseconds) if one ran then."""

    at: datetime
    kind: Text
    words: Text
    recording: int | None
    at_ms: int | None


def timeline(
    session: Session, sitting: Sitting, statement: Statement | None, heard: Sequence[Recording]
) -> list[Entry]:
    """Everything of the statement in the order in which it happened. Two queries; `heard` are its
    recordings with their marks."""
    if statement is None:
        return []
    loose = session.scalars(
        select(TimelineMark)
        .where(TimelineMark.statement_id == statement.id, TimelineMark.recording_id.is_(None))
        .order_by(TimelineMark.place)
    )
    found = [_placed(at, kind, words, heard) for at, kind, words in _loose(loose)]
    run = run_of(session, sitting)
    if run is not None:
        found += [_placed(at, AGENDA, words, heard) for at, words in _steps(run)]
    for number, recording in enumerate(heard, 1):
        for mark in recording.marks:
            words = MARKS.get(mark.kind, Text(mark.kind, mark.kind))
            if mark.words:
                words = Text(f"{words.zh}：{mark.words}", f"{words.en}: {mark.words}")
            found.append(Entry(mark.at, SOUND.format(n=number), words, number, mark.at_ms))
    return sorted(found, key=lambda entry: entry.at)


def _placed(at: datetime, kind: Text, words: Text, heard: Sequence[Recording]) -> Entry:
    for number, recording in enumerate(heard, 1):
        place = place_in(recording, at)
        if place is not None:
            return Entry(at, kind, words, number, place)
    return Entry(at, kind, words, None, None)


def _loose(marks: Iterator[TimelineMark]) -> Iterator[tuple[datetime, Text, Text]]:
    for mark in marks:
        told = _TABLET.fullmatch(mark.words)
        if told is None:
            yield mark.at, NOTE, Text(mark.words, mark.words)
        elif told["sign"] is None:
            yield mark.at, AGENDA, _OVER
        else:
            words = _BEGAN if told["sign"] == "▶" else _RESTED
            yield mark.at, AGENDA, words.format(n=told["step"], w=told["title"] or "—")


def _steps(run: AgendaRun) -> Iterator[tuple[datetime, Text]]:
    for row in run.log:
        n, spent = row["step"] + 1, row["used_ms"] // 1000
        began = datetime.fromisoformat(row["began"])
        yield began, _BEGAN.format(n=n, w=Text.of(run.steps[row["step"]]))
        ended = datetime.fromisoformat(row["ended"])
        yield ended, _ENDED.format(n=n, m=spent // 60, s=spent % 60)
    if run.state != "over":
        now = Text.of(run.steps[run.position])
        yield run.step_began_at, _BEGAN.format(n=run.position + 1, w=now)
