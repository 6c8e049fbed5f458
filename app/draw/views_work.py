"""How a what-if or a commitment is coming along: a page that anyone may leave, and what it asks."""

from __future__ import annotations

from typing import Any

from flask import jsonify, redirect, render_template, url_for

from app.draw import work
from app.draw.room import BOTH, blueprint, the_draw
from app.registry.queries import account_names
from app.ui.access import allow
from app.ui.language import language
from app.ui.request import db


@blueprint.get("/draws/<draw_id>/work")
@allow(*BOTH)
def work_page(slug: str, draw_id: str) -> Any:
    """The latest computation for this draw; on to the draw when there is nothing to wait for."""
    draw = the_draw(draw_id)
    now = work.standing(db(), draw.id)
    if now is None or now.state == "done":
        return redirect(url_for("draw.show", slug=slug, draw_id=draw_id))
    names = account_names(db(), {now.account_id})
    return render_template("draw/work.html", draw=draw, work=now, who=names.get(now.account_id, ""))


@blueprint.get("/draws/<draw_id>/work/state")
@allow(*BOTH)
def work_state(slug: str, draw_id: str) -> Any:
    """The same as JSON: `{state, stage, done: 0-1 or null, seconds}`; state `none` before any."""
    now = work.standing(db(), the_draw(draw_id).id)
    if now is None:
        return jsonify({"state": "none", "stage": "", "done": None, "seconds": 0})
    return jsonify(
        {
            "state": now.state,
            "stage": now.stage.get(language()),
            "done": now.done,
            "seconds": now.seconds,
        }
    )
