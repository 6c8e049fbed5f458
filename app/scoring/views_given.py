"""Items that others than experts give: what is entered, entering with evidence, confirming."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for

from app.domain.types import DomainError
from app.programme.materials import materials_of
from app.programme.qualification import FINDING_TEXT
from app.programme.queries import names_of
from app.programme.queries import subject as programme_subject
from app.scoring import given
from app.scoring.entries import fields_of
from app.scoring.forms import GivenForm
from app.scoring.pages import blueprint
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me


@blueprint.get("/given")
@allow("office", "supervisor")
def given_round(slug: str) -> Any:
    """Every county: how many items are entered, wait for the second person, or are missing."""
    rows = given.given_of(db(), g.round)
    return render_template("scoring/given.html", rows=rows, subjects=g.round.subjects)


@blueprint.get("/given/<subject_id>")
@allow("office")
def given_county(slug: str, subject_id: str) -> Any:
    """One county: each item with its entry, evidence, and who entered and confirmed it."""
    subject = programme_subject(db(), me(), g.round, subject_id)
    rows = given.given_of(db(), g.round, [subject])[subject.id]
    people = {who for r in rows if r.mark for who in (r.mark.entered_by, r.mark.confirmed_by)}
    return render_template(
        "scoring/given_county.html",
        subject=subject,
        rows=rows,
        documents=given.documents_of(db(), rows),
        names=names_of(db(), people),
        finding_text=FINDING_TEXT,
    )


@blueprint.route("/given/<subject_id>/<place>/<item>", methods=["GET", "POST"])
@allow("office")
def give(slug: str, subject_id: str, place: str, item: str) -> Any:
    """Enter or correct one item with its evidence."""
    subject = programme_subject(db(), me(), g.round, subject_id)
    row = given.given_item(db(), subject, place, item)
    filed = [m for m in materials_of(db(), subject) if m.withdrawn_at is None]
    form = GivenForm()
    form.materials.choices = [(m.id, m.name) for m in filed]
    fields = fields_of(row.item, row.mark.entry if row.mark else None)
    if form.is_submitted():
        fields |= {part: _typed(row.id, part, fields[part]) for part in fields}
    else:
        form.seen.data = given.seen_of(row.mark)
        form.materials.data = list(row.mark.materials) if row.mark else []
        form.evidence.data = row.mark.evidence if row.mark else ""
    if form.validate_on_submit():
        try:
            given.enter_given(
                db(),
                me(),
                subject,
                place=place,
                item=item,
                fields=fields,
                materials=form.materials.data or [],
                evidence=form.evidence.data or "",
                seen=form.seen.data or "",
            )
        except DomainError as error:
            form.refuse(error)
        else:
            flash(
                say("已登记，等待另一人确认。", "Entered. Another person now has to confirm it."),
                "ok",
            )
            return redirect(url_for("scoring.given_county", slug=slug, subject_id=subject_id))
    page = render_template(
        "scoring/give.html",
        subject=subject,
        row=row,
        form=form,
        filed=filed,
        fields={f"{row.id}.{part}": value for part, value in fields.items()},
        finding_text=FINDING_TEXT,
    )
    return page, 422 if form.errors else 200


def _typed(item: str, part: str, now: Any) -> Any:
    """One field of the item as it was sent; lists stay lists."""
    name = f"{item}.{part}"
    return request.form.getlist(name) if isinstance(now, list) else request.form.get(name, "")


@blueprint.post("/given-marks/<mark_id>/confirm")
@allow("office")
def confirm_given(slug: str, mark_id: str) -> Any:
    """A second person confirms an entry."""
    mark = given.confirm_given(db(), me(), given.given_by_id(db(), g.round, mark_id))
    flash(say("已确认。", "Confirmed."), "ok")
    return redirect(url_for("scoring.given_county", slug=slug, subject_id=mark.subject_id))
