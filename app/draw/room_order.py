"""What the pages that ask for an order draw share, here and on the page of a run."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, url_for

from app.draw import orders, sources
from app.draw.forms_order import OrderForm
from app.ui.language import say


def order_form(wanted: orders.Wanted, form: OrderForm, asks_count: bool = False) -> Any:
    """The page on which an order draw is asked for."""
    page = render_template(
        "draw/order_new.html",
        form=form,
        wanted=wanted,
        asks_count=asks_count,
        drill=g.round.kind != "real",
        described=sources.described,
    )
    return page, 422 if form.is_submitted() else 200


def drafted(slug: str, draw_id: str) -> Any:
    """To the new draft."""
    flash(
        say(
            "草稿已保存，清单尚未冻结。下一步见本页。",
            "The draft is saved; the list is not frozen yet. The next step is on this page.",
        ),
        "done",
    )
    return redirect(url_for("draw.show", slug=slug, draw_id=draw_id))
