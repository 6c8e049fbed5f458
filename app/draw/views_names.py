"""How the names of a draw are kept and when they open; the openings that anybody can check."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, g, redirect, render_template, request, url_for

from app.domain.draw.objects import canonical
from app.domain.types import Conflict, DomainError, NotFound, Text
from app.draw import ceremony, disclosure, edition, messages, operations_calls
from app.draw.forms_calls import DisclosureForm
from app.draw.models import Draw, Seat
from app.draw.room import blueprint, download, the_draw
from app.ui.access import allow, signed_in
from app.ui.language import say
from app.ui.request import db, keys, me, settings


@blueprint.route("/draws/<draw_id>/disclosure", methods=["GET", "POST"])
@allow("office")
def choose_disclosure(slug: str, draw_id: str) -> Any:
    """Sealed or not, the caller, and when names open: chosen before the commitment."""
    draw = the_draw(draw_id)
    chosen, zone = disclosure.of(db(), draw), ZoneInfo(settings().timezone)
    if chosen is None or request.method == "POST":
        form = DisclosureForm()
    else:
        form = DisclosureForm(
            sealed="yes" if chosen.sealed else "no", caller_id=chosen.caller_id or "",
            until=chosen.until,
            opens_at=chosen.opens_at.astimezone(zone) if chosen.opens_at else None,
        )  # fmt: skip
    people = [("", Text("（请选择）", "(choose)")), *disclosure.callers(db())]
    form.caller_id.choices = people
    if form.validate_on_submit():
        try:
            operations_calls.choose_disclosure(
                db(), me(), draw, sealed=form.sealed.data == "yes",
                caller_id=form.caller_id.data or None, until=form.until.data,
                opens_at=form.moment(settings().timezone),
            )  # fmt: skip
        except Conflict:
            raise
        except DomainError as error:
            form.refuse(error)
        else:
            flash(say("保密方式已保存。", "How names are kept is saved."), "done")
            return redirect(url_for("draw.show", slug=slug, draw_id=draw.id))
    status = 422 if form.errors else 200
    return render_template("draw/disclosure.html", draw=draw, form=form, chosen=chosen), status


@blueprint.post("/draws/<draw_id>/names/publish")
@allow("supervisor")
def publish_names(slug: str, draw_id: str) -> Any:
    """The result is published, and the names with it."""
    draw = the_draw(draw_id)
    operations_calls.publish_names(db(), me(), draw)
    flash(say("名单已公开。", "The names are public."), "done")
    return redirect(url_for("draw.names", slug=slug, draw_id=draw.id))


@blueprint.get("/draws/<draw_id>/names")
@signed_in
def names(slug: str, draw_id: str) -> Any:
    """The published list of members; before the disclosure it does not exist."""
    draw = _published(draw_id)
    return render_template(
        "draw/names.html",
        draw=draw,
        members=disclosure.member_list(db(), draw),
        openings=edition.opening_of(db(), draw) is not None,
    )


@blueprint.get("/draws/<draw_id>/openings.json")
@signed_in
def openings(slug: str, draw_id: str) -> Any:
    """Leaf by leaf: who stands behind each pseudonym that was drawn, for the verifier."""
    draw = _published(draw_id)
    data = canonical(edition.opened_names(db(), draw, keys()))
    name = f"openings-{(draw.commitment_hash or '')[:16]}.json"
    return download(data, "application/json", name)


def _published(draw_id: str) -> Draw:
    found = db().get(Draw, draw_id)
    if found is None or found.round_id != g.round.id or not disclosure.published(db(), found):
        raise NotFound(messages.ABSENT)
    return found


@blueprint.post("/draws/<draw_id>/opening")
@allow("supervisor")
def full_opening(slug: str, draw_id: str) -> Any:
    """Leaves, salts, tables and reasons to the supervisor's own device; handing over is an event."""
    draw = the_draw(draw_id)
    data = edition.full_opening(db(), draw)
    operations_calls.hand_over_opening(db(), me(), draw)
    name = f"opening-{(draw.commitment_hash or '')[:16]}.zip"
    return download(data, "application/zip", name)


@blueprint.get("/draws/<draw_id>/public.zip")
@signed_in
def public_transcript(slug: str, draw_id: str) -> Any:
    """The transcript for everybody, once the names are public; it holds pseudonyms and codes only."""
    draw = _published(draw_id)
    if draw.transcript_sha256 is None:
        raise NotFound(messages.ABSENT)
    name = f"transcript-{draw.kind}-{(draw.commitment_hash or '')[:16]}.zip"
    return download(ceremony.transcript_of(draw), "application/zip", name)


@blueprint.app_context_processor
def _names() -> dict[str, Any]:
    """`who(seat)` for the templates of every room: a name, or the pseudonym of a sealed draw."""
    return {"who": who}


def who(seat: Seat, met: bool = False) -> str:
    """The seat holder's name, or the pseudonym while the draw is sealed. `met`: the sitting has begun
    and the members sit before the reader. A trainee was not drawn, so his name is no secret."""
    if met or seat.trainee:
        return seat.expert.person.name
    sealed: dict[str, dict[str, str] | None] = g.setdefault("sealed_draws", {})
    if seat.draw_id not in sealed:
        closed = disclosure.is_sealed(db(), seat.draw)
        sealed[seat.draw_id] = disclosure.pseudonyms(db(), seat.draw) if closed else None
    known = sealed[seat.draw_id]
    own = seat.expert.person_id == me().person_id
    return seat.expert.person.name if known is None or own else known.get(seat.expert_id, "—")
