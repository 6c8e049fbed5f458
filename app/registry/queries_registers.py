"""Reading the registers behind the recusal rules, and what of a private matter a viewer may see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.directory.models import Organisation, Person
from app.directory.queries import PAGE_SIZE, Page, like, paged
from app.domain.types import NotFound
from app.keys import Keys
from app.registry import messages
from app.registry.models import Expert, ExpertCorrection, Interest
from app.registry.models_registers import Contractor, CountyHead, Entry, PastPanel, SupervisingBody

READERS = ("keeper", "office", "supervisor")
MODELS: Mapping[str, type[Any]] = {
    "heads": CountyHead,
    "contractors": Contractor,
    "supervisors": SupervisingBody,
    "engagements": PastPanel,
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
    if register == "engagements":
        query = query.join(Expert, Expert.id == model.expert_id).join(Expert.person)
    elif register != "heads":
        query = query.outerjoin(Organisation, Organisation.id == model.organisation_id)
    term = search.strip()
    if term and register == "heads":
        fits = like(term)
        query = query.where(
            or_(model.name.like(fits, escape="\\"), model.post.like(fits, escape="\\"))
        )
    elif term and register == "engagements":
        fits = like(term)
        query = query.where(
            or_(
                Person.name.like(fits, escape="\\"),
                model.round_name.like(fits, escape="\\"),
                Expert.number == term.upper(),
            )
        )
    elif term:
        query = query.where(Organisation.name.like(like(term), escape="\\"))
    if region and register != "supervisors":
        query = query.where(model.region_code == region)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    order = [] if register in ("supervisors", "engagements") else [model.region_code]
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


def past_panels(session: Session, expert_id: str) -> list[PastPanel]:
    """Where an expert sat before this system was in use, the latest first."""
    return list(
        session.scalars(
            select(PastPanel)
            .where(PastPanel.expert_id == expert_id, PastPanel.struck_at.is_(None))
            .order_by(PastPanel.since.desc(), PastPanel.id)
        )
    )


def corrections(
    session: Session, viewer: Viewer, *, page: int = 1, size: int = PAGE_SIZE
) -> Page[ExpertCorrection]:
    """What experts asked to be corrected, open requests first; two statements whatever the rows."""
    viewer.require("keeper", "supervisor")
    total = session.scalar(select(func.count(ExpertCorrection.id))) or 0
    query = select(ExpertCorrection).order_by(
        ExpertCorrection.decision.is_not(None),
        ExpertCorrection.asked_at.desc(),
        ExpertCorrection.id,
    )
    return paged(session, query, total, page, size)


def correction(session: Session, viewer: Viewer, correction_id: str) -> ExpertCorrection:
    """One request; NotFound for strangers and unknown ids."""
    row = session.get(ExpertCorrection, correction_id)
    if row is None or viewer.role not in ("keeper", "supervisor"):
        raise NotFound(messages.NO_ENTRY)
    return row


def own_corrections(session: Session, expert_id: str) -> list[ExpertCorrection]:
    """What an expert asked, the latest first."""
    return list(
        session.scalars(
            select(ExpertCorrection)
            .where(ExpertCorrection.expert_id == expert_id)
            .order_by(ExpertCorrection.asked_at.desc(), ExpertCorrection.id)
        )
    )


def wanted_text(viewer: Viewer, row: ExpertCorrection, keys: Keys) -> str:
    """What was asked for: whole for the expert, numbers by their ends for staff, who see them whole
    after accepting, for a reason (`operations.reveal`)."""
    clear = keys.decrypt(row.wanted)
    if row.field not in ("phone", "id_number", "birth_date") or viewer.role == "expert":
        return clear
    return clear[:3] + "****" + clear[-4:] if len(clear) > 10 else "****"


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
