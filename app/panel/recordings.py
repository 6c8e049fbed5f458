"""The sound of a statement: pieces in, one checked file out, and who listened.

While a statement is recorded the browser sends every second as a piece named by its own hash; at the
end it names them in order, with the hash of the whole. A file that was recorded elsewhere comes as one
such piece in parts of 256 KiB. Both are checked piece by piece and as a whole before anything is on
record (`app/files/chunks.py`); the whole file's SHA-256 stands in the ledger.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app import clock
from app.accounts.models import Account
from app.accounts.viewer import Viewer
from app.directory.models import Person
from app.domain.ledger.canonical import digest
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, Text
from app.files.chunks import CHUNK, Chunks, Full, Joined, WrongWhole
from app.files.kinds import AUDIO, sniff
from app.files.store import Stored, clean_name
from app.ledger.append import append
from app.panel import queries
from app.panel.guards import refuse
from app.panel.models import Sitting, Statement
from app.panel.models_statement import Listening, Recording, TimelineMark

MAX_RECORDING = 200 * 1024 * 1024
MAX_UNDER_WAY = 2 * MAX_RECORDING  # of one account, pieces that belong to nothing yet
MAX_PIECES = 6 * 60 * 60  # six hours of seconds
MAX_MARKS = 2_000
LISTENING_FOR = timedelta(hours=4)

MARKS: dict[str, Text] = {
    "pause": Text("暂停录音", "paused"),
    "resume": Text("继续录音", "resumed"),
    "mute": Text("麦克风被静音或中断", "microphone muted or interrupted"),
    "unmute": Text("麦克风恢复", "microphone back"),
    "ended": Text("麦克风断开，录音停止", "microphone gone, recording stopped"),
    "hidden": Text("页面转入后台", "page in the background"),
    "visible": Text("页面回到前台", "page in front again"),
    "crash": Text("浏览器或设备意外中断", "browser or device failed"),
    "recovered": Text("中断后恢复保存", "recovered after the failure"),
}
"""What may happen while a recording runs: kind -> words."""


class TooLarge(DomainError):
    """Over the limit of a recording."""


class MissingPieces(DomainError):
    """The recording cannot be put together yet: `missing` are the numbers of pieces to send."""

    def __init__(self, missing: list[int]) -> None:
        super().__init__(
            Text(
                "还有 {n} 段没有收到，录音仍在本机，将继续上传。",
                "{n} pieces have not arrived; the recording is kept on the device and goes on being sent.",
            ).format(n=len(missing))
        )
        self.missing = missing


_TOO_LARGE = Text(
    "录音超过 200 MB，没有接收；本机上的还在。请压缩或分段。",
    "The recording is larger than 200 MB and was not taken; it is kept on the device. Make it smaller or split it.",
)
_KIND = Text(
    "只接收录音文件（WebM、M4A、MP3、WAV、OGG）。没有接收。",
    "Only recordings of sound (WebM, M4A, MP3, WAV, OGG) are taken. This was not.",
)
_BAD = Text(
    "录音清单无法识别，没有保存。", "The list of the recording cannot be read; nothing was kept."
)
ABSENT = Text(
    "没有这段录音，或它不对您开放。", "There is no such recording, or it is not open to you."
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A recording as the browser announces it at the end: its pieces in order, and the whole."""

    origin: str
    pieces: tuple[tuple[str, int], ...]
    sha256: str
    size: int
    duration_ms: int | None
    began_at: datetime | None
    name: str
    marks: tuple[tuple[str, int, datetime, str], ...]


def listed(body: Any) -> Listed:
    """The announcement from its JSON; DomainError for anything malformed."""
    try:
        pieces = tuple((_sha(sha), _count(size)) for sha, size in body["pieces"])
        marks = tuple(
            (str(m["kind"]), _count(m["at_ms"], 0), _moment(m["at"]), str(m.get("words", ""))[:200])
            for m in body.get("marks", ())
        )
        recorded = body["origin"] == "recorded"
        found = Listed(
            str(body["origin"]),
            pieces,
            _sha(body["sha256"]),
            sum(size for _, size in pieces),
            _count(body["duration_ms"], 0) if recorded else None,
            _moment(body["began_at"]) if recorded else None,
            str(body.get("name", "")),
            marks,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DomainError(_BAD) from error
    sound = (
        found.origin in ("recorded", "uploaded")
        and 0 < len(pieces) <= MAX_PIECES
        and len(marks) <= MAX_MARKS
        and all(kind in MARKS for kind, *_ in marks)
        and (recorded or len(pieces) == 1)
    )
    if not sound:
        raise DomainError(_BAD)
    if found.size > MAX_RECORDING:
        raise TooLarge(_TOO_LARGE)
    return found


def _sha(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise ValueError(value)
    return value


def _count(value: Any, least: int = 1) -> int:
    if type(value) is not int or not least <= value <= 10**12:
        raise ValueError(value)
    return value


def _moment(value: Any) -> datetime:
    found = datetime.fromisoformat(str(value))
    if found.tzinfo is None:
        raise ValueError(value)
    return found


def statement_to_record(
    session: Session, viewer: Viewer, sitting: Sitting, *, late: bool = False
) -> Statement:
    """The statement that the viewer may record: the office, or the county's own presenter, with the
    consent on record. `late`: a recording made before the close may still arrive until the sitting is
    over (a crash, or no signal)."""
    viewer.require("office", "presenter")
    if viewer.role == "presenter" and sitting.subject.presenter_id != viewer.person_id:
        raise Forbidden(Text("这不是您的陈述。", "This is not your statement."))
    row = queries.statement(session, sitting)
    if row is None or sitting.phase == "closed" or (row.closed_at is not None and not late):
        raise refuse("保存录音", "keep a recording", "陈述未在进行", "the statement is not open")
    if row.consent_at is None:
        raise refuse(
            "录音", "record", "陈述人尚未同意录音", "the presenter has not agreed to be recorded"
        )
    return row


def take_piece(
    chunks: Chunks, owner: str, sha256: str, size: int, number: int, data: bytes, check: str
) -> list[bool]:
    """Keep one part of a piece; which parts are here now. TooLarge, WrongChunk, Full."""
    if size > MAX_RECORDING:
        raise TooLarge(_TOO_LARGE)
    if not chunks.begun(owner, sha256, size) and chunks.promised(owner) + size > MAX_UNDER_WAY:
        raise TooLarge(_TOO_LARGE)
    if number == 0 and size > CHUNK and sniff(data[:4096]) not in AUDIO:
        raise DomainError(_KIND)  # a second of sound is never that long: this is a file
    chunks.take(owner, sha256, size, number, data, check)
    return chunks.have(owner, sha256, size)


class _Row(io.RawIOBase):
    """The pieces of a recording read as one stream, each checked against its hash as it is opened."""

    def __init__(self, chunks: Chunks, owner: str, pieces: Sequence[tuple[str, int]]) -> None:
        self._chunks, self._owner, self._pieces = chunks, owner, pieces
        self._next = 0
        self._open: Joined | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        while True:
            if self._open is None:
                if self._next == len(self._pieces):
                    return 0
                self._open = self._chunks.whole(self._owner, *self._pieces[self._next])
                self._next += 1
            if count := self._open.readinto(buffer):
                return count
            self._open.close()
            self._open = None

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
        super().close()


def put_together(chunks: Chunks, owner: str, what: Listed) -> Stored:
    """The whole file in the store. Slow: call it outside a transaction; the pieces stay until
    `forget`, so that a kill before the record is written loses nothing.

    MissingPieces; WrongWhole; DomainError for what is no recording."""
    missing = [
        n for n, (sha, size) in enumerate(what.pieces) if not all(chunks.have(owner, sha, size))
    ]
    if missing:
        raise MissingPieces(missing)
    with _Row(chunks, owner, what.pieces) as whole:
        if hashlib.file_digest(whole, "sha256").hexdigest() != what.sha256:  # type: ignore[arg-type]
            raise WrongWhole
    try:
        with _Row(chunks, owner, what.pieces) as whole:
            return chunks.put(whole, AUDIO, what.size)  # type: ignore[arg-type]
    except Full:
        raise  # room may be made: what arrived stays
    except DomainError:
        forget(chunks, owner, what)  # no recording, and never will be one
        raise


def forget(chunks: Chunks, owner: str, what: Listed) -> None:
    """The pieces go: the recording is on record."""
    for sha, size in set(what.pieces):
        chunks.drop(owner, sha, size)


def keep(
    session: Session, actor: Viewer, *, sitting: Sitting, what: Listed, stored: Stored
) -> Recording:
    """Put a recording on record with its timeline; the same one twice is once."""
    statement = statement_to_record(session, actor, sitting, late=what.origin == "recorded")
    found = session.scalar(
        select(Recording).where(
            Recording.statement_id == statement.id, Recording.sha256 == what.sha256
        )
    )
    if found is not None:
        return found
    now = clock.now()
    if what.began_at is not None and (
        what.began_at > now + timedelta(minutes=1)
        or (statement.closed_at is not None and what.began_at > statement.closed_at)
    ):
        raise Conflict(
            Text(
                "录音开始的时间不在陈述期间，没有保存；本机上的还在。",
                "The recording did not begin during the statement, so it was not kept; it is still on the device.",
            )
        )
    row = Recording(
        statement_id=statement.id,
        origin=what.origin,
        sha256=what.sha256,
        manifest=digest([sha for sha, _ in what.pieces]),
        pieces=len(what.pieces),
        size=stored.size,
        mime=stored.mime,
        name=clean_name(what.name, stored.mime) if what.name else "",
        duration_ms=what.duration_ms,
        began_at=what.began_at,
        account_id=actor.id,
        arrived_at=now,
    )
    session.add(row)
    session.flush()
    for place, (kind, at_ms, at, words) in enumerate(what.marks):
        session.add(
            TimelineMark(
                statement_id=statement.id,
                recording_id=row.id,
                place=place,
                kind=kind,
                at_ms=at_ms,
                at=at,
                words=words,
            )
        )
    append(
        session,
        actor,
        "recording.kept",
        sitting=sitting.id,
        origin=row.origin,
        sha256=row.sha256,
        manifest=row.manifest,
        pieces=row.pieces,
        size=row.size,
        duration_ms=row.duration_ms,
        marks=len(what.marks),
        late=statement.closed_at is not None,
    )
    return row


def recordings(session: Session, statement: Statement | None) -> list[Recording]:
    """The recordings of a statement with their timelines, as they began."""
    if statement is None:
        return []
    return list(
        session.scalars(
            select(Recording)
            .where(Recording.statement_id == statement.id)
            .options(selectinload(Recording.marks))
            .order_by(Recording.arrived_at, Recording.id)
        )
    )


def open_to_listen(
    session: Session, actor: Viewer, *, sitting: Sitting, recording_id: str
) -> Listening:
    """Somebody who may see the sitting opens a recording; that is written down. Members of the panel
    listen once they have signed both declarations (rule C-13). The ledger shows no activity."""
    row = session.get(Recording, recording_id)
    if row is None or row.statement.sitting_id != sitting.id:
        raise NotFound(ABSENT)
    actor.require("office", "supervisor", "expert", "presenter")
    if actor.role == "expert":
        seat = queries.working_seat(session, actor, sitting.panel)
        if seat is None or not queries.has_declared(session, sitting.panel, seat):
            raise NotFound(ABSENT)
    found = Listening(recording_id=row.id, account_id=actor.id, opened_at=clock.now())
    session.add(found)
    session.flush()
    append(session, actor, "recording.opened", sealed=True, recording=row.id)
    return found


def listening(session: Session, viewer: Viewer, sitting: Sitting, listening_id: str) -> Listening:
    """The viewer's own opened recording of this sitting, for four hours. NotFound."""
    row = session.get(Listening, listening_id)
    if (
        row is None
        or row.account_id != viewer.id
        or row.recording.statement.sitting_id != sitting.id
        or clock.now() - row.opened_at > LISTENING_FOR
    ):
        raise NotFound(ABSENT)
    return row


def listeners(
    session: Session, viewer: Viewer, statement: Statement | None
) -> list[tuple[Listening, str]]:
    """Who opened a recording of the statement and when, latest first; for the supervisor, and for the
    office once the sitting is closed (before that it would tell what an expert is busy with)."""
    if statement is None or viewer.role not in ("office", "supervisor"):
        return []
    if viewer.role == "office" and statement.sitting.phase != "closed":
        return []
    rows = session.execute(
        select(Listening, Person.name)
        .join(Recording, Recording.id == Listening.recording_id)
        .join(Account, Account.id == Listening.account_id)
        .join(Person, Person.id == Account.person_id)
        .where(Recording.statement_id == statement.id)
        .order_by(Listening.opened_at.desc(), Listening.id)
    )
    return [(row, name) for row, name in rows]
