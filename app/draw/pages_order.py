"""What the page of an order draw shows: the things, the next step, the order once it is drawn."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.draw import ceremony, messages, orders, pages, pool, sources, steps
from app.draw.models import Draw
from app.draw.models_order import OrderItem
from app.registry import queries as registry


def context(session: Session, viewer: Viewer, draw: Draw) -> dict[str, Any]:
    """Values of `draw/order.html` but for its forms, and of the page on which it is cosigned."""
    accounts = {d.account_id for d in draw.dice} | {draw.cosigned_by, draw.created_by}
    items = ceremony.items_of(draw)
    frozen = draw.commitment is not None
    return {
        "draw": draw,
        "title": orders.title_of(draw),
        # A draft shows the registers as they stand: nothing is frozen yet.
        "things": items if frozen else _now(session, draw),
        "frozen": frozen,
        "placed": placed(items),
        "tickets": {
            code: ticket
            for panel in (draw.result or {"panels": []})["panels"]
            for code, ticket in panel["seats"]
        },
        "size": draw.request["panels"][0]["seats"],
        "dice": ceremony.dice_states(draw),
        "step": steps.next_step(viewer, draw),
        "terms": messages,
        "described": sources.described,
        "source_named": sources.named,
        "outside": sources.is_outside,
        "any_outside": any(map(sources.is_outside, draw.request["sources"])),
        "commitment_qr": pages.commitment_qr(draw),
        "counties": pool.counties(draw.round, draw.request),
        "accounts": registry.account_names(session, accounts),
    }


def placed(items: list[OrderItem]) -> list[OrderItem]:
    """Those that have a place, first to last."""
    return sorted((i for i in items if i.position is not None), key=lambda i: i.position or 0)


def _now(session: Session, draw: Draw) -> list[orders.Thing]:
    if draw.state == "aborted":
        return []  # aborted as a draft: nothing was ever frozen
    return list(orders.wanted_of(session, draw).things)
