"""A round as a template: a new one in preparation with the same scheme, rules, forms and counties.

Nothing that happened comes along: no date, material, figure, opinion, presenter, draw or mark.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.domain.types import DomainError, Text
from app.programme.counties import add_subject, set_guidance
from app.programme.models import Round, Subject
from app.programme.queries import guidance_of
from app.programme.rounds import create_round, pin_form


class Copied(NamedTuple):
    """The new round, its counties by the id of their originals, and what could not come along."""

    round: Round
    subjects: dict[str, str]
    left: list[Text]


def copy_round(
    session: Session,
    actor: Viewer | None,
    template: Round,
    *,
    slug: str,
    title_zh: str,
    title_en: str,
    kind: str,
    review_on: date,
    at_most: int | None = None,
) -> Copied:
    """Counties that withdrew stay behind; one whose region is gone on the new day too, and is named.
    With `at_most`, the first so many. Raises DomainError with the field that is wrong."""
    made = create_round(
        session,
        actor,
        slug=slug,
        scheme_id=template.scheme_id,
        title_zh=title_zh,
        title_en=title_en,
        kind=kind,
        review_on=review_on,
        template=template,
    )
    for pin in template.pins:
        pin_form(session, actor, made, pin.stage, pin.region_class, pin.form_version)
    copied: dict[str, Subject] = {}
    left: list[Text] = []
    for subject in template.subjects:
        if subject.status == "withdrawn" or len(copied) == at_most:
            continue
        try:
            copied[subject.id] = add_subject(
                session,
                actor,
                made,
                region_code=subject.place_code,
                region_class=subject.region_class,
                class_basis=subject.class_basis,
                name_en=subject.name_en,
                facts=subject.facts,
                kind=subject.kind,
                name_zh=subject.name_zh,
            )
        except DomainError as error:
            left.append(error.text)
    for row in guidance_of(session, template):
        if row.subject_id in copied:
            subject = copied[row.subject_id]
            set_guidance(session, actor, made, subject, row.organisation, row.basis)
    return Copied(made, {old: new.id for old, new in copied.items()}, left)
