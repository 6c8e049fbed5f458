"""Photos and recordings from tablets: limits, what is kept of them, and who may look.

docs/sync-protocol.md section 8. A photo with metadata (place, camera, thumbnail) is kept as a copy of
its pixels: an expert who did not tick "attach the place" has not told it. The record names both
hashes and the ledger entry both, so what the tablet signed stays tied to what is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import Account
from app.accounts.viewer import Viewer
from app.domain.types import DomainError, NotFound, Text
from app.draw.models import TRAINEE_ACT, Seat
from app.draw.supplements import sits_on
from app.field.models_media import MediaFile
from app.files.chunks import Chunks, Full, Joined
from app.files.images import reencode
from app.files.kinds import IMAGES, RECORDINGS, identify, sniff
from app.files.metadata import carries_metadata
from app.files.store import Stored
from app.ledger.append import append
from app.panel.models import Panel, Sitting
from app.programme.models import Round
from app.registry.models import Expert

MAX_PHOTO = 12 * 1024 * 1024
MAX_RECORDING = 200 * 1024 * 1024
QUOTA = 2 * 1024 * 1024 * 1024  # of one account, arrived and under way
MAX_SIDE = 4096  # of a cleaned copy

ABSENT = Text("没有这个文件，或它不对您开放。", "There is no such file, or it is not open to you.")
_LARGE = Text(
    "文件超过 {n} MB，没有接收；平板上的还在。请压缩或分段后再发。",
    "The file is larger than {n} MB and was not taken; it is kept on the tablet. Make it smaller or "
    "split it.",
)
_QUOTA = Text(
    "您发来的照片和录音合计已到 2 GB，没有接收；平板上的还在。请与创建办公室联系。",
    "Your photos and recordings have reached 2 GB, so this one was not taken; it is kept on the "
    "tablet. Ask the programme office.",
)
_KIND = Text(
    "只接收照片（JPEG、PNG、WebP）和录音录像（WebM、MP4、M4A、MP3、WAV、OGG）。没有接收；平板上的还在。",
    "Only photos (JPEG, PNG, WebP) and recordings (WebM, MP4, M4A, MP3, WAV, OGG) are taken. This file "
    "was not; it is kept on the tablet.",
)

# Called in the transaction in which a file arrives, with the session, its owner and its hash: a
# sheet that waits for its photos is sealed then.
WHEN_ARRIVED: list[Callable[[Session, Viewer, str], None]] = []


class TooLarge(DomainError):
    """Over the limit of its kind."""


class QuotaReached(DomainError):
    """The account has sent as much as it may."""


class WrongKind(DomainError):
    """Not a photo or a recording, or one that is damaged."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file in the store, not recorded yet."""

    sha256: str
    size: int
    mime: str
    kept_sha256: str
    kept_size: int
    kept_mime: str


def own_media(session: Session, viewer: Viewer, sha256: str) -> MediaFile | None:
    """The viewer's own file of that hash, when it has arrived."""
    return session.scalar(
        select(MediaFile).where(MediaFile.account_id == viewer.id, MediaFile.sha256 == sha256)
    )


def arrived(session: Session, account_id: str, hashes: list[str]) -> set[str]:
    """Which of these files of an account have arrived, in one query."""
    rows = session.scalars(
        select(MediaFile.sha256).where(
            MediaFile.account_id == account_id, MediaFile.sha256.in_(hashes)
        )
    )
    return set(rows)


def used(session: Session, viewer: Viewer) -> int:
    """Bytes of the viewer's files that have arrived."""
    total = select(func.sum(MediaFile.size)).where(MediaFile.account_id == viewer.id)
    return int(session.scalar(total) or 0)


def check_limits(size: int, head: bytes, total: int) -> None:
    """TooLarge, WrongKind or QuotaReached, as far as can be told: `head` is the start of the file or
    empty, `total` what the account would have sent with it."""
    kind = sniff(head) if head else None
    if head and kind not in IMAGES | RECORDINGS:
        raise WrongKind(_KIND)
    limit = MAX_PHOTO if kind in IMAGES else MAX_RECORDING
    if size > limit:
        raise TooLarge(_LARGE.format(n=limit // (1024 * 1024)))
    if total > QUOTA:
        raise QuotaReached(_QUOTA)


def keep(chunks: Chunks, owner: str, sha256: str, size: int) -> Kept:
    """Put a file whose pieces are all here into the store. Slow: call it outside a transaction.

    WrongWhole, WrongKind, TooLarge (the pieces are dropped), Full (they stay)."""
    with chunks.whole(owner, sha256, size) as whole:
        try:
            head = chunks.first_bytes(owner, sha256, size)
            check_limits(size, head, 0)
            if sniff(head) in RECORDINGS:
                stored = _recording(chunks, whole, size)
                return Kept(sha256, size, stored.mime, sha256, size, stored.mime)
            data = whole.read()
            mime = _photo(data)
        except (WrongKind, TooLarge):
            chunks.drop(owner, sha256, size)
            raise
    clean, clean_mime = data, mime
    if carries_metadata(data, mime):
        clean, clean_mime = reencode(data, mime, max_side=MAX_SIDE)
    stored = chunks.put(clean, IMAGES, max(len(clean), 1))
    return Kept(sha256, size, mime, stored.sha256, stored.size, clean_mime)


def _recording(chunks: Chunks, whole: Joined, size: int) -> Stored:
    try:
        return chunks.put(whole, RECORDINGS, size)
    except Full:
        raise
    except DomainError as error:
        raise WrongKind(error.text) from error


def _photo(data: bytes) -> str:
    """The type of a whole, harmless picture; WrongKind says what is the matter with another."""
    try:
        mime = identify(data[:4096], lambda: data)
    except DomainError as error:
        raise WrongKind(error.text) from error
    if mime not in IMAGES:
        raise WrongKind(_KIND)
    return mime


def record(session: Session, actor: Viewer, kept: Kept, tablet_id: str | None) -> MediaFile:
    """Write an arrived file down; twice is once."""
    found = own_media(session, actor, kept.sha256)
    if found is not None:
        return found
    row = MediaFile(
        account_id=actor.id,
        tablet_id=tablet_id,
        sha256=kept.sha256,
        size=kept.size,
        mime=kept.mime,
        kept_sha256=kept.kept_sha256,
        kept_size=kept.kept_size,
        kept_mime=kept.kept_mime,
        arrived_at=clock.now(),
    )
    session.add(row)
    append(session, actor, "media.arrived", sealed=True, sha256=kept.sha256, kept=kept.kept_sha256)
    for tell in WHEN_ARRIVED:
        tell(session, actor, kept.sha256)
    return row


def media_for_overseer(session: Session, viewer: Viewer, round_: Round, media_id: str) -> MediaFile:
    """Somebody's file, to office and supervisor, once every sitting of its owner in the round is
    closed: what an expert photographed says what he looked at. NotFound."""
    viewer.require("office", "supervisor")
    row = session.get(MediaFile, media_id)
    if row is None:
        raise NotFound(ABSENT)
    seated = (
        select(Panel.id)
        .join(Seat, sits_on(Panel.draw_id) & (Seat.panel == Panel.code))
        .join(Expert, Seat.expert_id == Expert.id)
        .join(Account, Account.person_id == Expert.person_id)
        .where(Panel.round_id == round_.id, Account.id == row.account_id, Seat.act > TRAINEE_ACT)
    )
    recorded = select(Panel.id).where(
        Panel.round_id == round_.id, Panel.recorder_id == row.account_id
    )
    phases = session.scalars(
        select(Sitting.phase).where(Sitting.panel_id.in_(seated) | Sitting.panel_id.in_(recorded))
    ).all()
    if not phases or any(phase != "closed" for phase in phases):
        raise NotFound(ABSENT)
    return row
