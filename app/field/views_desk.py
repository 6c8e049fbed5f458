"""The check-in desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, flash, g, redirect, render_template, request, url_for

from app import clock
from app.domain.types import DomainError
from app.draw.views_names import who
from app.field import desk as desks
from app.field.pages import desk
from app.field.views_board import day_of
from app.panel import queries as panels
from app.ui.access import allow
from app.ui.language import language, say
from app.ui.request import db, finish, me


@desk.get("/r/<slug>/panels/<panel_id>/desk")
@allow("office", "supervisor")
def check_in(slug: str, panel_id: str) -> Any:
    """One panel's day at the desk."""
    panel = panels.panel(db(), me(), g.round, panel_id)
    made, rows = desks.places(db(), me(), panel, day_of(request.args.get("on")))
    return render_template("field/desk.html", panel=panel, board=made, places=rows)


def _step(slug: str, panel_id: str, act: Callable[..., Any], zh: str, en: str, **more: Any) -> Any:
    panel = panels.panel(db(), me(), g.round, panel_id)
    on = day_of(request.form.get("on"))
    if on is None:
        raise DomainError(desks.NO_DAY)
    act(db(), me(), panel=panel, seat_id=request.form.get("seat", ""), on=on, **more)
    flash(say(zh, en), "done")
    return redirect(url_for("field_desk.check_in", slug=slug, panel_id=panel_id, on=on))


@desk.post("/r/<slug>/panels/<panel_id>/desk/identity")
@allow("office")
def identity(slug: str, panel_id: str) -> Any:
    """The identity was checked."""
    return _step(slug, panel_id, desks.check_identity, "身份已核对。", "Identity checked.")


@desk.post("/r/<slug>/panels/<panel_id>/desk/lend")
@allow("office")
def lend(slug: str, panel_id: str) -> Any:
    """A spare tablet is handed over."""
    number = request.form.get("number", "")
    return _step(slug, panel_id, desks.lend, "备用平板已借出。", "Handed over.", number=number)


@desk.post("/r/<slug>/panels/<panel_id>/desk/return")
@allow("office")
def take_back(slug: str, panel_id: str) -> Any:
    """A spare tablet came back."""
    return _step(slug, panel_id, desks.take_back, "备用平板已归还。", "Handed back.")


@desk.get("/r/<slug>/panels/<panel_id>/desk/list")
@allow("office")
def sign_list(slug: str, panel_id: str) -> Any:
    """The sign-in and sign-out sheet, A4."""
    panel = panels.panel(db(), me(), g.round, panel_id)
    made, rows = desks.places(db(), me(), panel, day_of(request.args.get("on")))
    named = [(place.row.seat, who(place.row.seat), place.entry) for place in rows]
    data = desks.list_data(panel, made.on, named, language())
    name = f"sign-in-{panel.code}-{made.on}.pdf"
    finish(keep=False)  # typst takes its time: not with a snapshot held open
    answer = Response(desks.list_pdf(data, clock.now()), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
