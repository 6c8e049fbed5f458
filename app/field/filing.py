"""What the recorder's tablet photographs and marks without signal becomes part of the statement: papers
as its files, marks on its timeline (docs/sync-protocol.md section 6; S0 art. 16(3)).

A photo's operation and its bytes come apart, in either order, and both may come before the statement's
opening or after its closing: it is filed once all three are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.field.operations import STATEMENT, Operation, moment
from app.field.media import WHEN_ARRIVED, own_media
from app.field.models import FieldOp
from app.field.places import operation_of
from app.files.kinds import IMAGES
from app.ledger.append import append
from app.panel.attachments import KINDS
from app.panel.models import Sitting, Statement
from app.panel.models_statement import StatementFile, TimelineMark

NOTE = "note"  # kind of a mark that was made by hand, not by a recording


def add_mark(session: Session, actor: Viewer, statement: Statement, op: Operation) -> None:
    """One mark of the recorder, at the time that his tablet's clock told."""
    count = session.scalar(
        select(func.count(TimelineMark.id)).where(TimelineMark.statement_id == statement.id)
    )
    session.add(
        TimelineMark(
            statement_id=statement.id,
            place=int(count or 0) + 1,
            kind=NOTE,
            at=moment(op.at),
            words=str(op.fields["words"]).strip()[:200],
        )
    )
    append(session, actor, "statement.marked", sitting=statement.sitting_id, marks=1)


def file_papers(session: Session, actor: Viewer, sitting: Sitting, *also: Mapping[str, Any]) -> int:
    """File what the recorder has attached and what has arrived, each once; how many were filed.
    `also`: fields of an operation that is not stored yet."""
    statement = session.scalar(select(Statement).where(Statement.sitting_id == sitting.id))
    if statement is None:
        return 0
    rows = session.scalars(
        select(FieldOp)
        .where(
            FieldOp.account_id == actor.id,
            FieldOp.sheet_key == STATEMENT + sitting.id,
            FieldOp.kind == "attach",
            FieldOp.status == "accepted",
        )
        .order_by(FieldOp.seq)
    )
    count = 0
    for fields in [*(operation_of(row).fields for row in rows), *also]:
        count += _file(session, actor, statement, fields)
    return count


def _file(session: Session, actor: Viewer, statement: Statement, fields: Mapping[str, Any]) -> int:
    media = own_media(session, actor, str(fields["sha256"]))
    kind = str(fields["item"]) if fields["item"] in KINDS else "attachment"
    if media is None or media.kept_mime not in IMAGES:
        return 0
    there = session.scalar(
        select(StatementFile.id).where(
            StatementFile.statement_id == statement.id,
            StatementFile.kind == kind,
            StatementFile.sha256 == media.kept_sha256,
        )
    )
    if there is not None:
        return 0
    session.add(
        StatementFile(
            statement_id=statement.id,
            kind=kind,
            sha256=media.kept_sha256,
            mime=media.kept_mime,
            size=media.kept_size,
            name=str(fields["name"])[:200] or f"{media.sha256[:8]}.jpg",
            added_by=actor.id,
            added_at=clock.now(),
        )
    )
    append(
        session,
        actor,
        "statement.attached",
        sitting=statement.sitting_id,
        what=kind,
        sha256=media.kept_sha256,
    )
    return 1


def _arrived(session: Session, actor: Viewer, sha256: str) -> None:
    keys = session.scalars(
        select(FieldOp.sheet_key)
        .where(
            FieldOp.account_id == actor.id,
            FieldOp.kind == "attach",
            FieldOp.sheet_key.startswith(STATEMENT),
            FieldOp.body.contains(sha256),
        )
        .distinct()
    ).all()
    for key in sorted(keys):
        sitting = session.get(Sitting, key.removeprefix(STATEMENT))
        if sitting is not None:
            file_papers(session, actor, sitting)


WHEN_ARRIVED.append(_arrived)
