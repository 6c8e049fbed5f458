"""For the hall: the presentation page, the state that it asks for, and the attempts so far."""

from __future__ import annotations

from typing import Any

from flask import g, jsonify, render_template

from app.documents.qr import qr_svg
from app.domain.types import NotFound
from app.draw import ceremony, disclosure, hall, messages, operations_ceremony, queries
from app.draw.room import BOTH, blueprint, the_draw
from app.registry.queries import account_names
from app.ui.access import allow
from app.ui.request import database, db, finish, me


@blueprint.get("/draws/<draw_id>/present")
@allow(*BOTH)
def present(slug: str, draw_id: str) -> Any:
    """For the hall: stage by stage, in letters that can be read from the last row."""
    draw = the_draw(draw_id)
    if draw.commitment is None:
        raise NotFound(messages.ABSENT)
    return render_template(
        "draw/present.html",
        draw=draw,
        shown=hall.shown(db(), me(), draw),
        qr=qr_svg(str(draw.commitment_hash)),
        terms=messages,
        named=disclosure.may_see_names(db(), me(), draw),
        before=[row for row in hall.attempts(db(), draw) if row[0].attempt < draw.attempt],
    )


@blueprint.get("/draws/<draw_id>/state")
@allow(*BOTH)
def state(slug: str, draw_id: str) -> Any:
    """The state as JSON. Should everything be in and nothing drawn (a restart at the last code),
    this request draws: completion waits for nobody."""
    draw = the_draw(draw_id)
    if draw.state == "cosigned" and draw.parties and ceremony.all_in(draw):
        finish(keep=False)
        with database().write() as writing:
            operations_ceremony.settle(writing, queries.draw(writing, me(), g.round, draw_id))
        draw = the_draw(draw_id)
    return jsonify(hall.shown(db(), me(), draw))


@blueprint.get("/draws/<draw_id>/attempts")
@allow(*BOTH)
def attempts(slug: str, draw_id: str) -> Any:
    """Every attempt at this purpose: number, how far it came, and why it ended."""
    draw = the_draw(draw_id)
    rows = hall.attempts(db(), draw)
    ids = {row.by for _, row in rows if row} | {d.created_by for d, _ in rows}
    return render_template(
        "draw/attempts.html",
        draw=draw,
        rows=rows,
        terms=messages,
        accounts=account_names(db(), ids),
    )
