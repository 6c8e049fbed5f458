"""Reading rounds and counties. What a viewer may not see looks like what does not exist."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, defer, joinedload, selectinload

from app.accounts.models import Account, RoleGrant
from app.accounts.viewer import Viewer
from app.directory.models import Organisation, Person
from app.domain.types import NotFound, Text
from app.programme.computed import computed_points, survey_score
from app.programme.figures import (
    figure_catalogue,
    figures_of,
    in_running,
    missing_figures,
    unconfirmed_figures,
)
from app.programme.instruments import (
    facts_asked,
    instrument_for,
    items_of,
    pin_for,
    pinned_stages,
    stage_text,
    unanswered_facts,
)
from app.programme.materials import (
    materials_by_item,
    materials_of,
    may_read_material,
)
from app.programme.models import FormPin, Guidance, Material, Round, Subject
from app.programme.qualification import qualification_state, subject_state
from app.programme.scheme import rules_of, scheme_of, score_rule_of
from app.programme.versions import form_versions, latest_version, to_confirm

__all__ = [
    "computed_points",
    "facts_asked",
    "figure_catalogue",
    "figures_of",
    "form_versions",
    "guidance_of",
    "in_running",
    "instrument_for",
    "items_of",
    "latest_version",
    "materials_by_item",
    "materials_of",
    "may_read_material",
    "missing_figures",
    "pin_for",
    "pinned_stages",
    "qualification_state",
    "round_by_slug",
    "rounds_for",
    "rules_of",
    "scheme_of",
    "score_rule_of",
    "stage_text",
    "subject",
    "subject_state",
    "subjects",
    "survey_score",
    "to_confirm",
    "unanswered_facts",
    "unconfirmed_figures",
]

_STAFF = ("office", "supervisor", "admin", "keeper")
_BEGUN = ("open", "closed")

_NO_ROUND = Text(
    "没有这一届，或它不对您开放。", "There is no such round, or it is not open to you."
)
_NO_SUBJECT = Text(
    "没有这个参评区县，或它不对您开放。", "There is no such county, or it is not open to you."
)


def round_by_slug(session: Session, viewer: Viewer | None, slug: str) -> Round:
    """The round behind a URL, pins and counties loaded; NotFound when it is not for this viewer.

    Staff see every round; a presenter those with an own county; an expert, and anybody on a public
    page (`viewer` None), rounds that have been opened. What an expert sees inside is for the rooms
    that know the seats to say.
    """
    round_ = session.scalar(
        select(Round)
        .where(Round.slug == slug)
        .options(selectinload(Round.subjects), selectinload(Round.pins))
    )
    if round_ is None or not _visible(viewer, round_):
        raise NotFound(_NO_ROUND)
    return round_


def _visible(viewer: Viewer | None, round_: Round) -> bool:
    if viewer is None or viewer.role == "expert":
        return round_.phase in _BEGUN
    if viewer.role == "presenter":
        return any(entry.presenter_id == viewer.person_id for entry in round_.subjects)
    return viewer.role in _STAFF


def rounds_for(session: Session, viewer: Viewer, *, named: bool = False) -> list[Round]:
    """Rounds for the switcher, the latest first, by the rule of `round_by_slug`. `named`: without the
    scheme and the rules, sixty kilobytes a round that the frame of a page does not show."""
    wanted = select(Round).order_by(Round.created_at.desc(), Round.slug)
    if viewer.role == "expert":
        wanted = wanted.where(Round.phase.in_(_BEGUN))
    elif viewer.role == "presenter":
        own = select(Subject.round_id).where(Subject.presenter_id == viewer.person_id)
        wanted = wanted.where(Round.id.in_(own))
    elif viewer.role not in _STAFF:
        return []
    if named:
        large = (Round.scheme, Round.rules, Round.score_rule)
        wanted = wanted.options(*(defer(column, raiseload=True) for column in large))
    return list(session.scalars(wanted))


def subjects(session: Session, round_: Round) -> list[Subject]:
    """The round's counties in their order, presenters loaded."""
    return list(
        session.scalars(
            select(Subject)
            .where(Subject.round_id == round_.id)
            .options(joinedload(Subject.presenter))
            .order_by(Subject.position)
        )
    )


def subject(session: Session, viewer: Viewer | None, round_: Round, subject_id: str) -> Subject:
    """One county of the round: for the office, the supervisor and its own presenter. NotFound."""
    found = session.get(Subject, subject_id)
    if found is None or found.round_id != round_.id:
        raise NotFound(_NO_SUBJECT)
    own = viewer is not None and (
        viewer.role == "presenter" and found.presenter_id == viewer.person_id
    )
    if not (viewer is None or own or viewer.role in ("office", "supervisor")):
        raise NotFound(_NO_SUBJECT)
    return found


def guidance_of(session: Session, round_: Round) -> list[Guidance]:
    """Which unit guides which county, by county."""
    return list(
        session.scalars(
            select(Guidance)
            .join(Subject, Subject.id == Guidance.subject_id)
            .where(Guidance.round_id == round_.id)
            .order_by(Subject.position, Guidance.organisation_id)
        )
    )


def material_counts(session: Session, round_: Round) -> dict[str, int]:
    """Subject id -> number of materials that were not withdrawn."""
    rows = session.execute(
        select(Material.subject_id)
        .join(Subject, Subject.id == Material.subject_id)
        .where(Subject.round_id == round_.id, Material.withdrawn_at.is_(None))
    ).scalars()
    counts = {entry.id: 0 for entry in round_.subjects}
    for subject_id in rows:
        counts[subject_id] += 1
    return counts


def pins_of(round_: Round) -> list[FormPin]:
    """The round's pins, by stage in the scheme's order, then class."""
    order = {stage: place for place, stage in enumerate(pinned_stages(round_))}
    return sorted(round_.pins, key=lambda pin: (order[pin.stage], pin.region_class))


def guiding_units(session: Session) -> list[Organisation]:
    """Authorities and governments, by name: who may guide a county."""
    return list(
        session.scalars(
            select(Organisation)
            .where(Organisation.kind.in_(("authority", "government")))
            .order_by(Organisation.name, Organisation.id)
        )
    )


def presenters(session: Session) -> list[Person]:
    """People who hold the presenter's role, by name."""
    return list(
        session.scalars(
            select(Person)
            .join(RoleGrant, RoleGrant.person_id == Person.id)
            .where(RoleGrant.role == "presenter", RoleGrant.until.is_(None))
            .order_by(Person.name, Person.id)
        )
    )


def names_of(session: Session, account_ids: set[str | None]) -> dict[str, str]:
    """Account id -> person's name: who entered, confirmed, uploaded or recorded."""
    wanted = [account_id for account_id in account_ids if account_id]
    rows = session.execute(
        select(Account.id, Person.name)
        .join(Person, Person.id == Account.person_id)
        .where(Account.id.in_(wanted))
    )
    return dict(rows.all())
