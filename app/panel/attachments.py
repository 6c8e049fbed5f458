"""Files of a statement: the scan of the proxy letter, and what the county showed while it spoke."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, Text
from app.files.kinds import IMAGES, MATERIALS, PDF
from app.ledger.append import append
from app.panel import queries
from app.panel.guards import running_statement
from app.panel.models import Sitting, Statement
from app.panel.models_statement import StatementFile

KINDS: dict[str, Text] = {
    "attachment": Text("陈述材料", "shown with the statement"),
    "proxy": Text("委托书扫描件", "scan of the proxy letter"),
}
ABSENT = Text("没有这个文件，或它不对您开放。", "There is no such file, or it is not open to you.")


def attach(
    session: Session, actor: Viewer, *, sitting: Sitting, kind: str, data: bytes, filename: str
) -> StatementFile:
    """File a document of the statement, by the office or the county's own presenter. The store checks
    what the bytes are."""
    actor.require("office", "presenter")
    row = running_statement(session, sitting)
    if actor.role == "presenter" and sitting.subject.presenter_id != actor.person_id:
        raise Forbidden(Text("这不是您的陈述。", "This is not your statement."))
    if kind not in KINDS:
        raise DomainError(Text("没有这种文件。", "There is no such kind of file."), field="kind")
    allowed = IMAGES | {PDF} if kind == "proxy" else MATERIALS
    kept = session.info["store"].put(data, filename, allowed)
    if session.scalar(
        select(StatementFile.id).where(
            StatementFile.statement_id == row.id,
            StatementFile.kind == kind,
            StatementFile.sha256 == kept.sha256,
        )
    ):
        raise Conflict(Text("这个文件已经有了。", "This file is there already."), field="file")
    found = StatementFile(
        statement_id=row.id,
        kind=kind,
        sha256=kept.sha256,
        mime=kept.mime,
        size=kept.size,
        name=kept.name,
        added_by=actor.id,
        added_at=clock.now(),
    )
    session.add(found)
    append(session, actor, "statement.attached", sitting=sitting.id, what=kind, sha256=kept.sha256)
    return found


def files(session: Session, viewer: Viewer, statement: Statement | None) -> list[StatementFile]:
    """The files that the viewer may open: a proxy letter names a person, so experts do not see it."""
    if statement is None:
        return []
    query = select(StatementFile).where(StatementFile.statement_id == statement.id)
    if viewer.role == "expert":
        sitting = statement.sitting
        seat = queries.own_seat(session, viewer, sitting.panel)
        if seat is None or not queries.has_declared(session, sitting.panel, seat):
            return []
        query = query.where(StatementFile.kind != "proxy")
    return list(session.scalars(query.order_by(StatementFile.added_at, StatementFile.id)))


def file(session: Session, viewer: Viewer, sitting: Sitting, file_id: str) -> StatementFile:
    """One of them; NotFound."""
    for row in files(session, viewer, queries.statement(session, sitting)):
        if row.id == file_id:
            return row
    raise NotFound(ABSENT)
