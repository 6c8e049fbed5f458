"""Draw an order: statements, counties for a spot check, case files. A tie starts from its run."""

from __future__ import annotations

from typing import Any

from flask import g, render_template, request

from app.domain.types import DomainError
from app.draw import operations_order, orders, queries_order
from app.draw.begun import refuse_begun
from app.draw.forms_order import OrderForm
from app.draw.room import BOTH, blueprint
from app.draw.room_order import drafted, order_form
from app.ui.access import allow
from app.ui.request import db, me


@blueprint.get("/draws/orders")
@allow(*BOTH)
def order_list(slug: str) -> Any:
    """What can be put in order by lot in this round, each with its draw."""
    return render_template("draw/orders.html", rows=queries_order.standings(db(), g.round))


@blueprint.route("/draws/orders/new", methods=["GET", "POST"])
@allow("office")
def new_order(slug: str) -> Any:
    """Ask for one (?stage= and ?of=, from the register pages): a draft."""
    stage, key = request.args.get("stage", ""), request.args.get("of", "")
    wanted = orders.choice(db(), g.round, stage, key)
    refuse_begun(db(), g.round.id, wanted, operations_order.ASK)
    form = OrderForm()
    asks_count = wanted.stage == orders.COUNTIES
    if form.validate_on_submit():
        try:
            draw = operations_order.request_order(
                db(),
                me(),
                round=g.round,
                wanted=wanted,
                count=form.count.data if asks_count else None,
                **form.randomness(g.round),
            )
        except DomainError as error:
            form.refuse(error, "dice")
        else:
            return drafted(slug, draw.id)
    return order_form(wanted, form, asks_count)


def order_standings(stage: str) -> list[queries_order.Standing]:
    """For the pages of rooms that come before this one; [] for who may not see draws."""
    if me().role not in BOTH:
        return []
    return queries_order.standings(db(), g.round, stage)


def counties_drawn() -> queries_order.Drawn | None:
    """The counties of the round drawn for a spot check, for the page of the counties."""
    return queries_order.counties_drawn(db(), g.round) if me().role in BOTH else None


blueprint.add_app_template_global(order_standings, "order_standings")
blueprint.add_app_template_global(counties_drawn, "counties_drawn")
