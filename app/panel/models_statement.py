"""What a statement leaves behind beside its words: the agenda as it ran, recordings with their
timeline, attachments, who listened, and the experts' own bookmarks (S0 art. 16(3), 35)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import At, Code, Name, Ref
from app.ledger.models import Record
from app.panel.models import Sitting, Statement


class AgendaRun(Record):
    """The form's steps as they ran at one sitting. `steps` is frozen at the start; the time of the
    present step is `used_ms` before `since`, and runs while `state` is running."""

    __tablename__ = "agenda_run"
    __table_args__ = (CheckConstraint("state IN ('running', 'paused', 'over')", name="state"),)
    sitting_id: Mapped[Ref] = mapped_column(ForeignKey("sitting.id"), unique=True)
    steps: Mapped[list[Any]]  # {zh, en, minutes, hard}
    position: Mapped[int]
    state: Mapped[Code]
    since: Mapped[datetime | None]
    used_ms: Mapped[int]
    log: Mapped[list[Any]]  # {step, began, ended, used_ms} of every step that was left
    step_began_at: Mapped[At]
    version: Mapped[int] = mapped_column(default=1)


class Recording(Record):
    """The sound of a statement: recorded in the browser second by second, or filed as a file. The
    hash of the whole names it in the store; `manifest` is that of the list of its pieces."""

    __tablename__ = "statement_recording"
    __table_args__ = (
        UniqueConstraint("statement_id", "sha256"),
        CheckConstraint("origin IN ('recorded', 'uploaded')", name="origin"),
    )
    statement_id: Mapped[Ref] = mapped_column(ForeignKey("statement.id"), index=True)
    origin: Mapped[Code]
    sha256: Mapped[Code]
    manifest: Mapped[Code]
    pieces: Mapped[int]
    size: Mapped[int]
    mime: Mapped[Code]
    name: Mapped[Name] = mapped_column(default="")
    duration_ms: Mapped[int | None]  # by the clock of the pieces; unknown for a file
    began_at: Mapped[datetime | None]  # as the device reckons the server's clock
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    arrived_at: Mapped[At]

    statement: Mapped[Statement] = relationship(lazy="joined", innerjoin=True)
    marks: Mapped[list[TimelineMark]] = relationship(order_by="TimelineMark.place")


class TimelineMark(Record):
    """Something that happened at a time: in a recording (pause, microphone muted, page hidden, crash),
    or in the room (a question)."""

    __tablename__ = "statement_mark"
    statement_id: Mapped[Ref] = mapped_column(ForeignKey("statement.id"), index=True)
    recording_id: Mapped[Ref | None] = mapped_column(
        ForeignKey("statement_recording.id"), index=True
    )
    place: Mapped[int]  # in the order they happened
    kind: Mapped[Code]
    at_ms: Mapped[int | None]  # in the recording
    at: Mapped[At]
    words: Mapped[Name] = mapped_column(default="")


class StatementFile(Record):
    """A proxy letter's scan or something that the county showed."""

    __tablename__ = "statement_file"
    __table_args__ = (
        UniqueConstraint("statement_id", "kind", "sha256"),
        CheckConstraint("kind IN ('proxy', 'attachment')", name="kind"),
    )
    statement_id: Mapped[Ref] = mapped_column(ForeignKey("statement.id"), index=True)
    kind: Mapped[Code]
    sha256: Mapped[Code]
    mime: Mapped[Name]  # that of a DOCX has 71 characters
    size: Mapped[int]
    name: Mapped[Name]
    added_by: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    added_at: Mapped[At]


class Listening(Record):
    """Somebody opened a recording to listen."""

    __tablename__ = "statement_listening"
    recording_id: Mapped[Ref] = mapped_column(ForeignKey("statement_recording.id"), index=True)
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    opened_at: Mapped[At]

    recording: Mapped[Recording] = relationship(lazy="joined", innerjoin=True)


class Bookmark(Record):
    """An expert's own mark while the statement runs: when, on which item, perhaps a word."""

    __tablename__ = "statement_bookmark"
    sitting_id: Mapped[Ref] = mapped_column(ForeignKey("sitting.id"), index=True)
    seat_id: Mapped[Ref] = mapped_column(ForeignKey("seat.id"))
    at: Mapped[At]
    item: Mapped[Code] = mapped_column(default="")
    words: Mapped[Name] = mapped_column(default="")

    sitting: Mapped[Sitting] = relationship()
