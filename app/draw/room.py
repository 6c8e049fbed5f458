"""What the pages of a draw share: the blueprint, one page of a draw, and how a form is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for

from app.domain.types import DomainError, NotFound
from app.draw import (
    forms,
    forms_calls,
    forms_ceremony,
    messages,
    pages,
    pages_order,
    queries,
    results,
    steps,
)
from app.draw.models import Act, Draw
from app.ui.language import language, say
from app.ui.request import db, me

blueprint = Blueprint("draw", __name__, url_prefix="/r/<slug>")
BOTH = ("office", "supervisor")


# What the pages of a ceremony share; an order draw has no pool, calls, acts or names.
ORDER_PAGES = frozenset(
    f"draw.{name}"
    for name in (
        *("show", "party", "observer_link", "codes", "commit", "cosign", "dice", "dice_save"),
        *(
            "source_failed",
            "dice_photo",
            "photo",
            "code",
            "complete",
            "abort",
            "present",
            "state",
            "attempts",
        ),
        *("slip", "transcript", "bundle", "full_opening"),
        *("second", "second_ask", "second_decide"),
    )
)


def draw_page(draw: Draw, status: int = 200, **given: Any) -> Any:
    """The page of a draw; `given` are forms that came back with errors."""
    if draw.is_order:
        return order_page(draw, status, **given)
    empty = {
        "template_form": forms.TemplateForm(),
        "relax_error": None,
        "party_form": forms_ceremony.PartyForm(),
        "dice_form": forms_ceremony.DiceForm(),
        "code_form": forms_ceremony.CodeForm(),
        "abort_form": forms_ceremony.AbortForm(),
        "contact_form": forms_calls.ContactForm(),
        "removal_form": forms_calls.RemovalForm(),
    }
    after = results.context(db(), me(), draw)
    return render_template("draw/show.html", **{**shown(draw), **after, **empty, **given}), status


def shown(draw: Draw) -> dict[str, Any]:
    """What the office and the cosigner read of a draw of experts, at the pages that the address asks for."""
    return pages.context(
        db(),
        me(),
        draw,
        language(),
        search=request.args.get("q", ""),
        page=request.args.get("page", 1, type=int),
        people_page=request.args.get("people", 1, type=int),
        types_page=request.args.get("types", 1, type=int),
    )


def order_page(draw: Draw, status: int = 200, **given: Any) -> Any:
    """The page of an order draw."""
    empty = {
        "party_form": forms_ceremony.PartyForm(),
        "dice_form": forms_ceremony.DiceForm(),
        "code_form": forms_ceremony.CodeForm(),
        "abort_form": forms_ceremony.AbortForm(),
    }
    things = pages_order.context(db(), me(), draw)
    return render_template("draw/order.html", **{**things, **empty, **given}), status


def download(data: bytes, mime: str, name: str) -> Response:
    return Response(
        data, mimetype=mime, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def the_draw(draw_id: str) -> Draw:
    """The draw that the address names; NotFound also for a page that an order draw does not have."""
    found = queries.draw(db(), me(), g.round, draw_id)
    if found.is_order and request.endpoint not in ORDER_PAGES:
        raise NotFound(messages.ABSENT)
    return found


def the_act(draw: Draw) -> Act:
    act = steps.open_act(draw)
    if act is None:
        raise NotFound(messages.ABSENT)
    return act


def back(slug: str, draw_id: str, zh: str, en: str) -> Any:
    flash(say(zh, en), "done")
    return redirect(url_for("draw.show", slug=slug, draw_id=draw_id))


def filled(
    draw: Draw, name: str, form: Any, act: Callable[[], object], done: tuple[str, str]
) -> Any:
    """Run `act` when the form is in shape; a refusal stands beside its field, all typed is kept."""
    if form.validate_on_submit():
        try:
            act()
        except DomainError as error:
            form.refuse(error)
        else:
            return back(g.round.slug, draw.id, *done)
    return draw_page(draw, 422, **{name: form})
