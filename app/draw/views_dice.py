"""Two people, two screens, the same values: typed, kept as typed, locked by the last one."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, g, jsonify, redirect, render_template, request, url_for

from app.domain.draw import parse_values
from app.domain.types import Conflict, DomainError, NotFound, Text
from app.draw import ceremony, fallbacks, hall, messages, operations_ceremony, sources, steps
from app.draw.forms_ceremony import DiceForm, FailureForm, PhotoForm
from app.draw.models import Draw
from app.draw.requests import source_of
from app.draw.room import BOTH, back, blueprint, the_draw
from app.files.images import reencode
from app.files.kinds import identify
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, finish, me, store

_NOT_JSON = Text(
    "数值的格式不对，没有保存。请刷新页面。",
    "The values have the wrong form and were not kept. Reload the page.",
)


def _page(draw: Draw, status: int = 200, **given: Any) -> Any:
    """The page of the dice; `given` are forms that came back with errors."""
    rows = hall.sources(db(), draw)
    forms = {
        "dice_form": DiceForm(formdata=None),
        "photo_form": PhotoForm(formdata=None),
        "failure_form": FailureForm(formdata=None),
    }
    page = render_template(
        "draw/dice.html",
        **{
            "draw": draw,
            "step": steps.next_step(me(), draw),
            "sources": rows,
            "mine": {row["name"]: hall.own_values(db(), me(), draw, row["name"]) for row in rows},
            "states": ceremony.dice_states(draw),
            "spare": {row["of"]: row for row in draw.request.get("fallbacks", ())},
            "declared": fallbacks.declared(draw),
            "described": sources.described,
            "photos": ceremony.photos_of(db(), draw),
            "terms": messages,
            **forms,
            **given,
        },
    )
    return page, status


def _row(draw: Draw, name: str) -> dict[str, Any]:
    for row in fallbacks.in_force(draw):
        if row["name"] == name:
            return row
    raise NotFound(messages.NO_SOURCE)


@blueprint.route("/draws/<draw_id>/dice", methods=["GET", "POST"])
@allow(*BOTH)
def dice(slug: str, draw_id: str) -> Any:
    """The tap pad; posting takes a whole list at once, as for a screen without scripts."""
    draw, form = the_draw(draw_id), DiceForm()
    if request.method == "GET":
        if draw.commitment is None:
            raise NotFound(messages.ABSENT)
        return _page(draw)
    name = request.form.get("source", "")
    row = _row(draw, name)
    if form.validate_on_submit():
        try:
            with sources.in_words(name):
                values = parse_values(form.values.data or "", source_of(row))
            state = operations_ceremony.save_typing(db(), me(), draw, name, values)
        except DomainError as error:
            form.refuse(error, "values")
        else:
            flash(say(state.text), "wrong" if state.differing else "done")
            return redirect(url_for("draw.dice", slug=slug, draw_id=draw.id))
    return _page(draw, 422, dice_form=form)


@blueprint.post("/draws/<draw_id>/dice/save")
@allow(*BOTH)
def dice_save(slug: str, draw_id: str) -> Any:
    """JSON {source, values}: what has been typed so far. The last value closes the list."""
    draw = the_draw(draw_id)
    sent = request.get_json(silent=True)
    values = sent.get("values") if isinstance(sent, dict) else None
    if not isinstance(values, list) or any(type(v) is not int for v in values):
        raise DomainError(_NOT_JSON)
    name = str(sent.get("source", "")) if isinstance(sent, dict) else ""
    _row(draw, name)
    operations_ceremony.save_typing(db(), me(), draw, name, values)
    found = next(row for row in hall.sources(db(), draw) if row["name"] == name)
    return jsonify(found)


@blueprint.post("/draws/<draw_id>/dice/failed")
@allow(*BOTH)
def source_failed(slug: str, draw_id: str) -> Any:
    """One of the two says that a source did not come about; with the other's word its fallback counts."""
    draw, form = the_draw(draw_id), FailureForm()
    if draw.commitment is None:
        raise NotFound(messages.ABSENT)
    if not form.validate_on_submit():
        return _page(draw, 422, failure_form=form)
    try:
        done = fallbacks.declare(
            db(), me(), draw, request.form.get("source", ""), form.reason.data or ""
        )
    except Conflict:
        raise
    except DomainError as error:
        form.refuse(error, "reason")
        return _page(draw, 422, failure_form=form)
    flash(
        say("两方均已登记，改读替补来源。", "Both have said so: the fallback is read now.")
        if done
        else say("已登记，等待另一方登记。", "On record; it waits for the other."),
        "done",
    )
    return redirect(url_for("draw.dice", slug=slug, draw_id=draw.id))


@blueprint.post("/draws/<draw_id>/dice/photo")
@allow(*BOTH)
def dice_photo(slug: str, draw_id: str) -> Any:
    """Attach a photograph of the tray. Only its pixels are kept: no place, no camera."""
    draw, form = the_draw(draw_id), PhotoForm()
    name = request.form.get("source", "")
    _row(draw, name)
    if not form.validate_on_submit():
        return _page(draw, 422, photo_form=form)
    data = form.photo.data.read(operations_ceremony.PHOTO_BYTES + 1)
    finish(keep=False)  # decoding a picture takes a second: not with the write lock held
    try:
        kind = identify(data[:4096], lambda: data)
        picture = reencode(data, kind)[0] if kind in operations_ceremony.PHOTO_TYPES else data
        operations_ceremony.attach_photo(
            db(), me(), the_draw(draw_id), name, picture, form.photo.data.filename or "photo"
        )
    except DomainError as error:
        form.refuse(error, "photo")
        return _page(the_draw(draw_id), 422, photo_form=form)
    flash(
        say("照片已附上，其哈希已记入账本。", "The photograph is attached, its hash on record."),
        "done",
    )
    return redirect(url_for("draw.dice", slug=slug, draw_id=draw_id))


@blueprint.get("/draws/<draw_id>/dice/photo/<name>")
@allow(*BOTH)
def photo(slug: str, draw_id: str, name: str) -> Any:
    """The photograph of one source."""
    found = ceremony.photo_of(db(), the_draw(draw_id), name)
    if found is None:
        raise NotFound(messages.NO_SOURCE)
    return Response(store().path(found.sha256).read_bytes(), mimetype=found.mime)


@blueprint.post("/draws/<draw_id>/complete")
@allow(*BOTH)
def complete(slug: str, draw_id: str) -> Any:
    """A drill without parties has no code that could complete it."""
    operations_ceremony.complete_draw(db(), me(), the_draw(draw_id))
    return back(g.round.slug, draw_id, "抽取完成。", "The draw is complete.")
