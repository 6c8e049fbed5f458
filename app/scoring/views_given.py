"""Items that others than experts give: what is entered, entering with evidence, confirming."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for

from app.domain.types import Conflict, DomainError, Forbidden, NotFound, Text
from app.programme.figures import in_running
from app.programme.materials import materials_of
from app.programme.models import Subject
from app.programme.qualification import FINDING_TEXT
from app.programme.queries import names_of
from app.programme.queries import subject as programme_subject
from app.programme.ticks import tick_of
from app.scoring import given, given_lines
from app.scoring.entries import fields_of, typed_number
from app.scoring.forms import GivenForm, GivenLinesForm
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


@blueprint.route("/given/<subject_id>", methods=["GET", "POST"])
@allow("office")
def given_county(slug: str, subject_id: str) -> Any:
    """One county: a form of every item that is still open, and what was entered, to be ticked."""
    subject = programme_subject(db(), me(), g.round, subject_id)
    form = GivenLinesForm()
    if not form.is_submitted():
        return county_page(subject, form)
    rows = given.given_of(db(), g.round, [subject])[subject.id]
    typed = {(row.place, row.id): _line(row) for row in rows if given_lines.fits_line(row)}
    faults: Any = {}
    if form.validate():
        try:
            done = given_lines.enter_lines(db(), me(), subject, typed, basis=form.basis.data or "")
        except given_lines.LinesRefused as error:
            form.refuse(error)
            faults = error.faults
        except DomainError as error:
            form.refuse(error)
        else:
            flash(
                say(
                    "已登记 {n} 项，等待另一人确认。",
                    "{n} item(s) entered. Another person now has to confirm them.",
                    n=len(done),
                ),
                "ok",
            )
            return redirect(url_for("scoring.given_county", slug=slug, subject_id=subject_id))
    return county_page(subject, form, typed, faults), 422


def county_page(
    subject: Subject, form: GivenLinesForm, typed: Any = None, faults: Any = None,
    problem: Text | None = None,
) -> str:  # fmt: skip
    """The county's page; `typed` and `faults` by place and item after a refusal, `problem` of ticks."""
    rows = given.given_of(db(), g.round, [subject])[subject.id]
    people = {who for r in rows if r.mark for who in (r.mark.entered_by, r.mark.confirmed_by)}
    faults, typed = faults or {}, typed or {}
    live = g.round.phase == "open"
    lines = {
        (row.place, row.id): typed.get((row.place, row.id))
        or given_lines.Line(fields_of(row.item, None))
        for row in rows
    }
    group = in_running(g.round)
    at = next((n for n, other in enumerate(group) if other.id == subject.id), None)
    # A line that was refused stays in sight, also when somebody else entered it meanwhile.
    asked = [r for r in rows if live and (r.mark is None or (r.place, r.id) in faults)]
    return render_template(
        "scoring/given_county.html",
        subject=subject,
        form=form,
        asked=asked,
        any_line=any(map(given_lines.fits_line, asked)),
        entered=[r for r in rows if r.mark is not None or not live],
        lines=lines,
        faults=faults,
        problem=problem,
        fits=given_lines.fits_line,
        tick_of=tick_of,
        documents=given.documents_of(db(), rows),
        names=names_of(db(), people),
        finding_text=FINDING_TEXT,
        before=group[at - 1] if at else None,
        after=group[at + 1] if at is not None and at + 1 < len(group) else None,
    )


def _line(row: given.GivenItem) -> given_lines.Line:
    """What was typed in the item's line."""
    head = f"{row.place}.{row.id}"
    empty = fields_of(row.item, None)
    fields = {part: _typed(head, part, empty[part]) for part in empty}
    return given_lines.Line(fields, request.form.get(f"{head}.basis", "")[:4000])


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


def _typed(head: str, part: str, now: Any) -> Any:
    """One field of an item as it was sent, digits plain; lists stay lists."""
    name = f"{head}.{part}"
    if isinstance(now, list):
        return request.form.getlist(name)
    return typed_number(part, request.form.get(name, ""))


@blueprint.post("/given/<subject_id>/confirm")
@allow("office")
def confirm_given(slug: str, subject_id: str) -> Any:
    """A second person confirms every entry that he ticked."""
    subject = programme_subject(db(), me(), g.round, subject_id)
    try:
        done = given_lines.confirm_lines(db(), me(), subject, request.form.getlist("tick"))
    except (Forbidden, NotFound):
        raise
    except DomainError as error:
        g.refused = error
        page = county_page(subject, GivenLinesForm(formdata=None), problem=error.text)
        return page, 409 if isinstance(error, Conflict) else 422
    flash(say("已确认 {n} 项。", "{n} item(s) confirmed.", n=len(done)), "ok")
    return redirect(url_for("scoring.given_county", slug=slug, subject_id=subject_id))
