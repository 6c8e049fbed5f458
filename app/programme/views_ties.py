"""The county's side of conflicts of interest: declaring a tie to a person, by name."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for

from app.domain.types import DomainError, NotFound, Text
from app.programme import queries
from app.programme.forms import TieForm
from app.programme.pages import blueprint, page, the_round
from app.registry import operations as registry
from app.registry.queries import county_ties
from app.registry.words import INTEREST
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me

_NOT_YOURS = Text("您在本届没有区县。", "You have no county in this round.")


@blueprint.route("/r/<slug>/ties", methods=["GET", "POST"])
@allow("presenter")
def ties(slug: str) -> Any:
    """What the presenter's county has declared, and a new declaration. Whether a person is in the
    expert pool is never said."""
    own = next(
        (s for s in queries.subjects(db(), the_round()) if s.presenter_id == me().person_id), None
    )
    if own is None:
        raise NotFound(_NOT_YOURS)
    form = TieForm()
    if form.validate_on_submit():
        try:
            registry.declare_from_county(
                db(),
                me(),
                region_code=own.region_code,
                person_name=form.person_name.data,
                employer=form.employer.data or "",
                kind=form.kind.data,
                evidence=form.evidence.data,
            )
        except DomainError as error:
            form.refuse(error)
        else:
            flash(
                say("申报已收到，由监督人员处理。", "Received; the supervisor will decide."), "done"
            )
            return redirect(url_for("programme.ties", slug=slug))
    shown = page(
        "ties", form=form, subject=own, rows=county_ties(db(), own.region_code), interest=INTEREST
    )
    return shown, 422 if form.is_submitted() else 200
