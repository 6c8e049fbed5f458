"""The unlock secret of a sitting without signal (docs/sync-protocol.md section 6).

80 random bits that only the recorder gets, as 16 letters of base 32 (RFC 4648); everybody else's
package holds their SHA-256. A member who has the secret was told it when the statement was closed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.field.operations import Operation
from app.domain.types import NotFound, NotNow, Text
from app.draw.models import Seat
from app.draw.supplements import sits_on
from app.field.models import Unlock
from app.field.settle import settle_sitting
from app.ledger.append import append
from app.panel import operations as panels
from app.panel import queries as panel_queries
from app.panel.models import Panel, Sitting
from app.registry.models import Expert

WRONG = Text(
    "解锁码不对。请向记录员核对 16 位字母。",
    "The unlock code is wrong. Compare its 16 letters with the recorder's.",
)
_EARLY = Text(
    "现场陈述结束后才显示解锁码。", "The unlock code is shown once the statement is closed."
)


def unlock_hash(secret: str) -> str:
    """SHA-256 of the 16 letters, in capitals, without blanks or hyphens."""
    return hashlib.sha256(secret.encode()).hexdigest()


def unlocks_of(session: Session, sitting_ids: Sequence[str]) -> dict[str, Unlock]:
    """Sitting id -> its unlock, where one was made."""
    rows = session.scalars(select(Unlock).where(Unlock.sitting_id.in_(sitting_ids)))
    return {row.sitting_id: row for row in rows}


def without_secret(session: Session, viewer: Viewer) -> list[str]:
    """Ids of the sittings with a statement, not over, that the viewer's package names and that have
    no unlock yet."""
    panels_ = select(Panel.id).where(Panel.recorder_id == viewer.id)
    if viewer.role == "expert":
        panels_ = (
            select(Panel.id)
            .join(Seat, sits_on(Panel.draw_id) & (Seat.panel == Panel.code))
            .join(Expert, Seat.expert_id == Expert.id)
            .where(Expert.person_id == viewer.person_id, panel_queries.at_work())
        )
    return list(
        session.scalars(
            select(Sitting.id)
            .outerjoin(Unlock, Unlock.sitting_id == Sitting.id)
            .where(
                Sitting.panel_id.in_(panels_),
                Sitting.with_statement.is_(True),
                Sitting.phase != "closed",
                Unlock.id.is_(None),
            )
            .order_by(Sitting.id)
        )
    )


def make_unlocks(session: Session, sitting_ids: Sequence[str]) -> int:
    """Make the secrets of these sittings, once each; how many were made."""
    have = unlocks_of(session, sitting_ids)
    missing = [sitting for sitting in sitting_ids if sitting not in have]
    for sitting in missing:
        secret = base64.b32encode(secrets.token_bytes(10)).decode()
        session.add(
            Unlock(
                sitting_id=sitting,
                secret=session.info["keys"].encrypt(secret),
                sha256=unlock_hash(secret),
                made_at=clock.now(),
            )
        )
    if missing:
        append(session, None, "unlock.made", sealed=True, sittings=len(missing))
    return len(missing)


def secret_in(session: Session, unlock: Unlock) -> str:
    """The 16 letters; for whoever has checked that the reader is the recorder."""
    return str(session.info["keys"].decrypt(unlock.secret))


def shown_secret(session: Session, viewer: Viewer, sitting: Sitting) -> str:
    """The letters for the recorder's page: his own sitting, the statement closed."""
    if viewer.role != "office" or sitting.panel.recorder_id != viewer.id:
        raise NotFound(panel_queries.ABSENT)
    statement = panel_queries.statement(session, sitting)
    row = unlocks_of(session, [sitting.id]).get(sitting.id)
    if statement is None or statement.closed_at is None or row is None:
        raise NotNow(_EARLY)
    return secret_in(session, row)


def opens(session: Session, sitting: Sitting, op: Operation) -> bool:
    """Whether an `unlock` (or a recorder's `close`) names the sitting's secret."""
    row = unlocks_of(session, [sitting.id]).get(sitting.id)
    given = unlock_hash(str(op.fields["secret"]))
    return row is not None and hmac.compare_digest(given, row.sha256)


panels.AFTER_OPENING.append(settle_sitting)
