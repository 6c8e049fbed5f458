"""Asking for one draw more after a cancelled round, and the supervisor's decision on it."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for

from app.accounts.viewer import Viewer
from app.domain.types import Conflict, DomainError, NotFound, Text
from app.draw import messages, operations_release, own_password, releases
from app.draw.forms_release import AskSecondForm, DecideSecondForm
from app.draw.models import Draw
from app.draw.room import BOTH, blueprint, the_draw
from app.draw.supplements import is_supplement
from app.registry import queries as registry
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, maybe_me, me


@blueprint.get("/draws/<draw_id>/second")
@allow(*BOTH)
def second(slug: str, draw_id: str) -> Any:
    """What was asked about a second draw after this one, and what can be done now."""
    return _page(_first(draw_id))


@blueprint.post("/draws/<draw_id>/second")
@allow("office")
def second_ask(slug: str, draw_id: str) -> Any:
    """The office asks, with its reason."""
    draw, form = _first(draw_id), AskSecondForm()
    operations_release.refuse_asking(db(), draw)
    if form.validate_on_submit():
        try:
            operations_release.ask_second(db(), me(), draw, form.reason.data or "")
        except Conflict:
            raise
        except DomainError as error:
            form.refuse(error)
        else:
            flash(say("已提交监督人员决定。", "A supervisor decides on it now."), "done")
            return redirect(url_for("draw.second", slug=slug, draw_id=draw_id))
    return _page(draw, ask=form)


@blueprint.post("/draws/<draw_id>/second/decide")
@allow("supervisor")
def second_decide(slug: str, draw_id: str) -> Any:
    """Another person releases one draw more, or refuses; with his own password."""
    draw, form = _first(draw_id), DecideSecondForm()
    operations_release.awaiting(db(), draw)
    if form.validate_on_submit():
        wrong = own_password.refusal(form.password.data or "")
        draw = _first(draw_id)
        try:
            if wrong is not None:
                raise DomainError(wrong, field="password")
            row = operations_release.decide_second(
                db(), me(), draw, release=form.decision.data == "release",
                answer=form.answer.data or "",
            )  # fmt: skip
        except Conflict:
            raise
        except DomainError as error:
            form.refuse(error)
        else:
            released = say(
                "已放行一次，写入账本。", "One draw more is released; it is in the ledger."
            )
            refused = say("未予放行，写入账本。", "Refused; it is in the ledger.")
            flash(released if row.state == "released" else refused, "done")
            return redirect(url_for("draw.second", slug=slug, draw_id=draw_id))
    return _page(draw, decide=form)


def _first(draw_id: str) -> Draw:
    """A real draw with a result; NotFound for any other, which needs no release."""
    draw = the_draw(draw_id)
    if draw.kind != "real" or draw.state != "completed" or is_supplement(draw):
        raise NotFound(messages.ABSENT)
    return draw


def _page(
    draw: Draw, ask: AskSecondForm | None = None, decide: DecideSecondForm | None = None
) -> Any:
    rows = releases.of_draw(db(), draw)
    shut: Text | None = None
    try:
        operations_release.refuse_asking(db(), draw)
    except Conflict as refusal:
        shut = refusal.text
    people = {key for row in rows for key in (row.asked_by, row.decided_by)}
    status = 422 if (ask and ask.errors) or (decide and decide.errors) else 200
    return render_template(
        "draw/second.html",
        draw=draw,
        rows=rows,
        state_words=releases.STATE,
        accounts=registry.account_names(db(), people),
        followers=releases.followers(db(), draw.id),
        shut=shut,
        waiting=any(row.state == "asked" for row in rows),
        ask=ask or AskSecondForm(formdata=None),
        decide=decide or DecideSecondForm(formdata=None),
    ), status


@blueprint.app_context_processor
def _second() -> dict[str, Any]:
    """`second_draw(draw)` for the pages of a draw: what it follows and what follows it."""
    return {"second_draw": second_draw}


def second_draw(draw: Draw) -> dict[str, Any]:
    """`first`: the draws that this one follows by a release; `may_ask`, `asked`: about one after it."""
    viewer: Viewer | None = maybe_me()
    if viewer is None or viewer.role not in BOTH or draw.kind != "real":
        return {"first": [], "open": False, "row": None}
    rows = releases.of_draw(db(), draw) if draw.state == "completed" else []
    ended = draw.state == "completed" and draw.round.phase == "cancelled"
    return {
        "first": [
            db().get_one(Draw, row.draw_id) for row in releases.of_purpose(db(), draw.purpose_key)
        ],
        "open": ended and not is_supplement(draw),
        "row": rows[-1] if rows else None,
    }
