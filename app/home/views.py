"""The first page of each role, and the round switcher's target."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, render_template, url_for

from app.home import care, views_rounds  # noqa: F401  (its pages join the blueprint)
from app.home.pages import blueprint
from app.home.queries import stage_line
from app.home.waits import waits
from app.home.waits_sittings import panels_at_work
from app.programme.queries import rounds_for
from app.ui.access import signed_in
from app.ui.request import db, keys, me, settings

__all__ = ["blueprint"]


@blueprint.get("/")
@signed_in
def index() -> Any:
    """What waits for you now, and the rounds that concern you."""
    rounds = rounds_for(db(), me())
    return render_template(
        "home/index.html",
        waits=waits(db(), me()),
        lines=[(r, stage_line(db(), me(), r)) for r in rounds if not r.hidden],
        at_work=panels_at_work(db(), rounds) if me().role == "office" else {},
        care=care.look(db(), settings(), keys()) if me().role == "admin" else None,
    )


@blueprint.get("/r/<slug>/home")
@signed_in
def of_round(slug: str) -> Any:
    """A round's page for this role."""
    if me().role in ("office", "supervisor", "admin"):
        return redirect(url_for("programme.show", slug=slug))
    if me().role == "expert":
        return redirect(url_for("scoring.index", slug=slug))
    if me().role == "keeper":
        return redirect(url_for("home.index"))
    mine = [w for w in waits(db(), me()) if w.round is not None and w.round.id == g.round.id]
    return render_template(
        "home/index.html", waits=mine, lines=[(g.round, stage_line(db(), me(), g.round))]
    )
