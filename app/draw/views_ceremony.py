"""The ceremony: chains, cosignature, dice, codes, completion, abort, and the page for the hall."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from app.domain.draw import parse_values
from app.domain.types import DomainError, NotFound
from app.draw import ceremony, messages, operations
from app.draw.forms_ceremony import AbortForm, CodeForm, DiceForm, PartyForm
from app.draw.requests import source_of
from app.draw.room import BOTH, back, blueprint, draw_page, filled, the_act, the_draw
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me


@blueprint.get("/draws/<draw_id>/present")
@allow(*BOTH)
def present(slug: str, draw_id: str) -> Any:
    """For the hall: hash, dice and result in letters that can be read from the last row."""
    draw = the_draw(draw_id)
    if draw.commitment is None:
        raise NotFound(messages.ABSENT)
    return render_template(
        "draw/present.html",
        draw=draw,
        dice=ceremony.dice_states(draw),
        pseudonyms={c.expert_id: c.pseudonym for c in draw.candidates},
        terms=messages,
    )


@blueprint.post("/draws/<draw_id>/party")
@allow(*BOTH)
def party(slug: str, draw_id: str) -> Any:
    draw, form = the_draw(draw_id), PartyForm()
    name = request.form.get("party", "")
    return filled(
        draw,
        "party_form",
        form,
        lambda: operations.register_party(db(), me(), draw, name, form.commitment.data or ""),
        ("口令链已登记。", "The chain is registered."),
    )


@blueprint.post("/draws/<draw_id>/cosign")
@allow("supervisor")
def cosign(slug: str, draw_id: str) -> Any:
    operations.cosign(db(), me(), the_draw(draw_id))
    return back(slug, draw_id, "已会签，可以掷骰子。", "Cosigned: the dice may be thrown.")


@blueprint.post("/draws/<draw_id>/dice")
@allow(*BOTH)
def dice(slug: str, draw_id: str) -> Any:
    """One of the two lists of a source."""
    draw, form = the_draw(draw_id), DiceForm()
    name = request.form.get("source", "")
    row = next((r for r in draw.request["sources"] if r["name"] == name), None)
    if row is None:
        raise NotFound(messages.NO_SOURCE)
    if form.validate_on_submit():
        try:
            values = parse_values(form.values.data or "", source_of(row))
            state = operations.enter_dice(db(), me(), draw, name, values)
        except DomainError as error:
            form.refuse(error, "values")
        else:
            flash(say(state.text), "wrong" if state.differing else "done")
            return redirect(url_for("draw.show", slug=slug, draw_id=draw.id))
    return draw_page(draw, 422, dice_form=form)


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


@blueprint.post("/draws/<draw_id>/complete")
@allow(*BOTH)
def complete(slug: str, draw_id: str) -> Any:
    operations.complete_draw(db(), me(), the_draw(draw_id))
    return back(slug, draw_id, "抽取完成。", "The draw is complete.")


@blueprint.post("/draws/<draw_id>/abort")
@allow(*BOTH)
def abort(slug: str, draw_id: str) -> Any:
    draw, form = the_draw(draw_id), AbortForm()
    return filled(
        draw,
        "abort_form",
        form,
        lambda: operations.abort_draw(db(), me(), draw, form.reason.data or ""),
        ("本次已中止，记录保留。", "This attempt is aborted; its record stays."),
    )


@blueprint.post("/draws/<draw_id>/act/cosign")
@allow("supervisor")
def act_cosign(slug: str, draw_id: str) -> Any:
    operations.cosign_removals(db(), me(), the_act(the_draw(draw_id)))
    return back(slug, draw_id, "更换已会签。", "The removals are cosigned.")


@blueprint.post("/draws/<draw_id>/act/code")
@allow(*BOTH)
def act_code(slug: str, draw_id: str) -> Any:
    draw, form = the_draw(draw_id), CodeForm()
    name, act = request.form.get("party", ""), the_act(draw)
    return filled(
        draw,
        "code_form",
        form,
        lambda: operations.reveal_act_code(db(), me(), act, name, form.code.data or ""),
        ("口令相符，已记录。", "The code fits and is on record."),
    )


@blueprint.post("/draws/<draw_id>/act/complete")
@allow(*BOTH)
def act_complete(slug: str, draw_id: str) -> Any:
    operations.complete_act(db(), me(), the_act(the_draw(draw_id)))
    return back(slug, draw_id, "补抽完成。", "The replacement act is complete.")
