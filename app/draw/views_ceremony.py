"""The ceremony: chains, cosignature, codes and abort; dice and the hall are in modules beside this."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for

from app.documents.qr import qr_svg
from app.domain.ledger.checkpoint import parse
from app.domain.types import DomainError, Text
from app.draw import (
    accepted,
    ceremony,
    device,
    messages,
    operations,
    operations_acts,
    operations_ceremony,
    own_password,
    pages_order,
    parties,
    steps,
)
from app.draw.forms_ceremony import AbortForm, ActCosignForm, CodeForm, CosignForm, PartyForm
from app.draw.messages import cannot, in_state
from app.draw.models import Draw
from app.draw.room import BOTH, back, blueprint, draw_page, filled, shown, the_act, the_draw
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me, settings


def act_due(draw: Draw) -> int:
    """The number of the act whose codes are wanted now; 0 while none are."""
    if draw.state == "cosigned":
        return 1 if ceremony.dice_locked(draw) else 0
    act = steps.open_act(draw)
    return act.number if act is not None and act.cosigned_by is not None else 0


@blueprint.get("/draws/<draw_id>/codes")
@allow(*BOTH)
def codes(slug: str, draw_id: str) -> Any:
    """One's own chain of codes: made here, printed for the envelopes, revealed when it is due."""
    draw = the_draw(draw_id)
    return render_template(
        "draw/codes.html",
        draw=draw,
        rows={party.name: party for party in draw.parties},
        step=steps.next_step(me(), draw),
        act=act_due(draw),
        index=parties.LINKS,
        terms=messages,
        party_form=PartyForm(formdata=None),
        code_form=CodeForm(formdata=None),
    )


@blueprint.post("/draws/<draw_id>/party")
@allow(*BOTH)
def party(slug: str, draw_id: str) -> Any:
    draw, form = the_draw(draw_id), PartyForm()
    name = request.form.get("party", "")
    if form.validate_on_submit():
        try:
            operations.register_party(db(), me(), draw, name, form.commitment.data or "")
        except DomainError as error:
            form.refuse(error)
        else:
            flash(
                say(
                    "口令链已登记。请现在打印两份密封信封。",
                    "The chain is registered. Now print the two sealed envelopes.",
                ),
                "done",
            )
            return redirect(url_for("draw.codes", slug=slug, draw_id=draw.id))
    return draw_page(draw, 422, party_form=form)


@blueprint.post("/draws/<draw_id>/observer")
@allow("office")
def observer_link(slug: str, draw_id: str) -> Any:
    """A link for the observer's own device, shown this once; the one before ends."""
    draw = the_draw(draw_id)
    token = parties.make_observer_link(db(), me(), draw)
    link = settings().public_url + url_for("ceremony.observe", token=token)
    return render_template("draw/observer_link.html", draw=draw, link=link, qr=qr_svg(link))


@blueprint.route("/draws/<draw_id>/cosign", methods=["GET", "POST"])
@allow("supervisor")
def cosign(slug: str, draw_id: str) -> Any:
    """The same summary that the office saw, then a signature from the supervisor's own device."""
    draw, form = the_draw(draw_id), CosignForm()
    in_state(draw.state, Text("会签", "cosign"), "committed")
    if form.validate_on_submit():
        wrong = own_password.refusal(form.password.data or "")
        draw = the_draw(draw_id)
        try:
            if wrong is not None:
                raise DomainError(wrong, field="password")
            operations_ceremony.cosign(
                db(), me(), draw, form.signature.data or "", form.accepted.data or []
            )
        except DomainError as error:
            form.refuse(error)
        else:
            return back(slug, draw_id, "已会签，可以掷骰子。", "Cosigned: the dice may be thrown.")
    body = parse(str(draw.checkpoint)).body.decode()
    return _cosign_page(
        "draw/cosign.html",
        draw,
        form,
        body,
        exceptions=accepted.exceptions(draw),
        abort_form=AbortForm(formdata=None, data={"cause": "exception"}),
    )


@blueprint.route("/draws/<draw_id>/act/cosign", methods=["GET", "POST"])
@allow("supervisor")
def act_cosign(slug: str, draw_id: str) -> Any:
    """The removals with their causes, then a signature over a head that contains them."""
    draw, form = the_draw(draw_id), ActCosignForm()
    if the_act(draw).cosigned_by is not None:
        raise cannot(Text("会签", "cosign"), Text("已会签", "it is cosigned"))
    if form.validate_on_submit():
        wrong = own_password.refusal(form.password.data or "")
        draw = the_draw(draw_id)
        try:
            if wrong is not None:
                raise DomainError(wrong, field="password")
            operations_acts.cosign_act(
                db(), me(), draw, the_act(draw), form.size.data or 0, form.signature.data or ""
            )
        except DomainError as error:
            form.refuse(error)
        else:
            return back(slug, draw_id, "更换已会签。", "The removals are cosigned.")
    head = operations_acts.head_now(db())
    form.size.data, form.size.raw_data = head.size, None
    seats = {seat.id: seat for seat in draw.seats}
    return _cosign_page(
        "draw/act_cosign.html", draw, form, head.body.decode(), act=the_act(draw), seat_of=seats
    )


def _cosign_page(template: str, draw: Draw, form: Any, body: str, **more: Any) -> Any:
    key = device.active_key(db(), me().id)
    form.signature.data = ""
    values = {
        **(pages_order.context(db(), me(), draw) if draw.is_order else shown(draw)),
        "form": form,
        "device": key,
        "fingerprint": device.fingerprint(key.public) if key else "",
        "body": body,
        **more,
    }
    return render_template(template, **values), 422 if form.errors or form.form_errors else 200


@blueprint.post("/draws/<draw_id>/code")
@allow(*BOTH)
def code(slug: str, draw_id: str) -> Any:
    draw, form = the_draw(draw_id), CodeForm()
    name = request.form.get("party", "")
    return filled(
        draw,
        "code_form",
        form,
        lambda: operations.reveal_code(db(), me(), draw, name, form.code.data or ""),
        ("口令相符，已记录。", "The code fits and is on record."),
    )


@blueprint.post("/draws/<draw_id>/abort")
@allow(*BOTH)
def abort(slug: str, draw_id: str) -> Any:
    draw, form = the_draw(draw_id), AbortForm()
    return filled(
        draw,
        "abort_form",
        form,
        lambda: operations.abort_draw(
            db(), me(), draw, form.reason.data or "", form.cause.data or ""
        ),
        ("本次已中止，记录保留。", "This attempt is aborted; its record stays."),
    )


@blueprint.post("/draws/<draw_id>/act/code")
@allow(*BOTH)
def act_code(slug: str, draw_id: str) -> Any:
    draw, form = the_draw(draw_id), CodeForm()
    name, act = request.form.get("party", ""), the_act(draw)
    return filled(
        draw,
        "code_form",
        form,
        lambda: operations_acts.reveal_and_settle(
            db(), me(), draw, act, name, form.code.data or ""
        ),
        ("口令相符，已记录。", "The code fits and is on record."),
    )


@blueprint.post("/draws/<draw_id>/act/complete")
@allow(*BOTH)
def act_complete(slug: str, draw_id: str) -> Any:
    operations.complete_act(db(), me(), the_act(the_draw(draw_id)))
    return back(g.round.slug, draw_id, "补抽完成。", "The replacement act is complete.")
