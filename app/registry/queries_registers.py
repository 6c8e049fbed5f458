"""Reading the registers behind the recusal rules, and what of a private matter a viewer may see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.directory.models import Organisation
from app.directory.queries import PAGE_SIZE, Page, like, paged
from app.domain.types import NotFound
from app.registry import messages
from app.registry.models import Interest
from app.registry.models_registers import Contractor, CountyHead, Entry, SupervisingBody

READERS = ("keeper", "office", "supervisor")
MODELS: Mapping[str, type[Any]] = {
    "heads": CountyHead,
    "contractors": Contractor,
    "supervisors": SupervisingBody,
}
# Their reasons are the supervisor's alone (rules C-04 and C-08).
PRIVATE_KINDS = frozenset({"kin", "dispute"})


def entries(
    session: Session,
    viewer: Viewer,
    register: str,
    *,
    search: str = "",
    region: str = "",
    page: int = 1,
    size: int = PAGE_SIZE,
) -> Page[Any]:
    """A register, those in force first; two statements whatever the rows."""
    viewer.require(*READERS)
    model = _model(register)
    query = select(model)
    if register != "heads":
        query = query.outerjoin(Organisation, Organisation.id == model.organisation_id)
    term = search.strip()
    if term and register == "heads":
        fits = like(term)
        query = query.where(
            or_(model.name.like(fits, escape="\\"), model.post.like(fits, escape="\\"))
        )
    elif term:
        query = query.where(Organisation.name.like(like(term), escape="\\"))
    if region and register != "supervisors":
        query = query.where(model.region_code == region)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    order = [] if register == "supervisors" else [model.region_code]
    query = query.order_by(model.struck_at.is_not(None), *order, model.since.desc(), model.id)
    return paged(session, query, total, page, size)


def entry(session: Session, viewer: Viewer, register: str, entry_id: str) -> Entry:
    """One entry; NotFound for strangers and unknown ids."""
    row = session.get(_model(register), entry_id)
    if row is None or viewer.role not in READERS:
        raise NotFound(messages.NO_ENTRY)
    return row  # type: ignore[no-any-return]


def counts(session: Session, viewer: Viewer) -> dict[str, int]:
    """Entries of each register that were not struck out."""
    viewer.require(*READERS)
    return {
        name: session.scalar(select(func.count(model.id)).where(model.struck_at.is_(None))) or 0
        for name, model in MODELS.items()
    }


def heads_of(session: Session, region_code: str) -> list[CountyHead]:
    """Heads of a county that were not struck out, by name."""
    return list(
        session.scalars(
            select(CountyHead)
            .where(CountyHead.region_code == region_code, CountyHead.struck_at.is_(None))
            .order_by(CountyHead.name, CountyHead.since)
        )
    )


def _model(register: str) -> type[Any]:
    if register not in MODELS:
        raise NotFound(messages.NO_ENTRY)
    return MODELS[register]


def may_read(viewer: Viewer, row: Interest) -> bool:
    """Whether the viewer sees what a declaration is about and why it was decided: a private matter
    is the supervisor's, the declarer's and, on the own page, the expert's."""
    if row.kind not in PRIVATE_KINDS or viewer.role in ("supervisor", "expert"):
        return True
    return row.declared_by == viewer.id
