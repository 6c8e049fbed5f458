"""Qualification pages: every county's state, one county's opinions, and its conclusion."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for

from app.domain.types import DomainError, NotFound, Text
from app.programme import operations, queries
from app.programme.forms import OpinionForm
from app.programme.pages import blueprint, page, the_round, the_subject
from app.programme.qualification import FINDING_TEXT, ItemState
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me

_NO_ITEM = Text("没有这个条目。", "There is no such item.")


@blueprint.get("/r/<slug>/qualification")
@allow("office", "supervisor")
def qualification(slug: str) -> Any:
    """Every county with its opinions and what is missing."""
    round_ = the_round()
    open_facts = {k: v for k, v in queries.unanswered_facts(round_).items() if v}
    states = [] if open_facts else queries.qualification_state(db(), round_)
    return page("qualification", states=states, open_facts=open_facts)


@blueprint.get("/r/<slug>/qualification/<subject_id>")
@allow("office", "supervisor")
def qualification_county(slug: str, subject_id: str) -> Any:
    """One county: every department's item, the figures' finding beside the opinion."""
    subject = the_subject(subject_id)
    state = queries.subject_state(db(), subject)
    given = [entry.opinion for entry in state.items if entry.opinion]
    people = {who for opinion in given for who in (opinion.recorded_by, opinion.confirmed_by)}
    return page(
        "qualification_county",
        subject=subject,
        state=state,
        finding_text=FINDING_TEXT,
        names=queries.names_of(db(), people),
        materials=queries.materials_by_item(db(), subject),
        open_now=the_round().phase == "open" and subject.status == "declared",
    )


@blueprint.route("/r/<slug>/qualification/<subject_id>/<item>", methods=["GET", "POST"])
@allow("office")
def opinion(slug: str, subject_id: str, item: str) -> Any:
    """Record the opinion that a department signed on one item."""
    subject = the_subject(subject_id)
    state = queries.subject_state(db(), subject)
    entry = next((e for e in state.items if e.item["id"] == item), None)
    if entry is None:
        raise NotFound(_NO_ITEM)
    form = OpinionForm()
    _prepare(form, entry)
    if form.validate_on_submit():
        try:
            operations.record_opinion(
                db(),
                me(),
                subject,
                item,
                form.department.data,
                form.verdict.data,
                (form.vetoes.data or []) if "vetoes" in form else [],
                form.reason.data or "",
                form.evidence.data or "",
                form.signer.data,
            )
        except DomainError as error:
            form.refuse(error)
        else:
            flash(say("意见已登记。", "The opinion is recorded."), "ok")
            return redirect(
                url_for("programme.qualification_county", slug=slug, subject_id=subject_id)
            )
    shown = page("opinion", form=form, subject=subject, entry=entry, finding_text=FINDING_TEXT)
    return shown, 422 if form.errors else 200


def _prepare(form: OpinionForm, entry: ItemState) -> None:
    """Choices of the item, and what was recorded before."""
    rows = entry.item["scale"].get("vetoes", ())
    form.vetoes.choices = [
        (row["id"], say("{i} {t}", "{i} {t}", i=row["id"], t=Text.of(row["title"]))) for row in rows
    ]
    now = entry.opinion
    if now is not None and not form.is_submitted():
        form.department.data, form.verdict.data, form.vetoes.data = (
            now.department,
            now.verdict,
            list(now.vetoes),
        )
        form.reason.data, form.evidence.data, form.signer.data = (
            now.reason,
            now.evidence,
            now.signer,
        )
    if not rows:
        del form.vetoes


@blueprint.post("/r/<slug>/qualification/<subject_id>/<item>/confirm")
@allow("office")
def confirm_opinion(slug: str, subject_id: str, item: str) -> Any:
    """A second clerk has compared a veto with the signed paper."""
    operations.confirm_opinion(db(), me(), the_subject(subject_id), item)
    flash(say("否决意见已核对。", "The veto is confirmed."), "ok")
    return redirect(url_for("programme.qualification_county", slug=slug, subject_id=subject_id))


@blueprint.post("/r/<slug>/qualification/<subject_id>/conclude")
@allow("office")
def conclude(slug: str, subject_id: str) -> Any:
    """Qualified, or vetoed."""
    subject = the_subject(subject_id)
    outcome = operations.conclude_qualification(db(), me(), subject)
    if outcome == "qualified":
        flash(say("{n}：资格通过。", "{n}: qualified.", n=subject.name), "ok")
    else:
        flash(say("{n}：一票否决。", "{n}: vetoed.", n=subject.name), "waits")
    return redirect(url_for("programme.qualification", slug=slug))
