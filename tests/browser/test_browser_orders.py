"""The pages of an order draw in Chromium on a tablet, in both languages: no fault, nothing too wide."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.draw import operations, operations_order, orders
from app.draw.models import Draw
from app.exercise import device
from app.programme.models import Round
from tests.draw.builders import DICE
from tests.draw.test_ceremony_pages import BASE, Hall
from tests.draw.test_order_pages import hall
from tests.draw.test_orders import registered
from tests.web.conftest import Reader, serve

__all__ = ["hall"]
SIZE = {"width": 820, "height": 1180}


def cookie_of(application: Any, token: str, lang: str) -> str:
    client = application.test_client()
    with client.session_transaction() as held:
        held["_user_id"], held["_fresh"], held["lang"] = token, True, lang
    return str(client.get_cookie(application.config["SESSION_COOKIE_NAME"]).value)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_on_a_tablet(hall: Hall, chromium: Any, lang: str) -> None:
    with hall.write() as session:
        round_ = session.scalars(select(Round)).one()
        experts = session.scalars(select(Draw)).one()
        (wanted,) = orders.available(session, round_, orders.STATEMENTS)
        draw = operations_order.request_order(
            session, hall.people.office, round=round_, wanted=wanted
        )
        registered(session, hall.people, draw)
        operations.commit_draw(session, hall.people.office, draw)
        page, panel = f"{BASE}/{draw.id}", experts.id
    paths = [
        "/orders",
        f"/orders/new?stage=order-statements&of={panel}:P1",
        "/orders/new?stage=order-counties&of=",
    ]
    with hall.app() as application:
        address, server = serve(application)
        for role, routes in (
            ("office", [BASE, *(BASE + p for p in paths), page]),
            ("supervisor", [f"{page}/cosign", f"{page}/present"]),
        ):
            look(chromium, address, application, hall.tokens[role], lang, routes, f"{role}-before")
        server.shutdown()
    with hall.write() as session:
        draw = session.get_one(Draw, page.rsplit("/", 1)[1])
        device.cosign(session, hall.people.supervisor, draw)
        for viewer in (hall.people.office, hall.people.supervisor):
            operations.enter_dice(session, viewer, draw, "dice", DICE)
        for name in ("office", "supervisor"):
            operations.reveal_code(
                session, hall.people.viewer(name), draw, name, hall.people.code(name)
            )
    with hall.app() as application:
        address, server = serve(application)
        routes = [page, f"{page}/present", "/r/r1/panels"]
        text = look(chromium, address, application, hall.tokens["office"], lang, routes, "after")
        server.shutdown()
    said = "The order drawn" if lang == "en" else "抽定的顺序"
    assert said in text[page]
    assert ("was drawn by lot" if lang == "en" else "由抽签确定") in text["/r/r1/panels"]


def look(
    chromium: Any,
    address: str,
    application: Any,
    token: str,
    lang: str,
    routes: list[str],
    name: str,
) -> dict[str, str]:
    """Open each page; returns what it says. Pictures go where MINGJIAN_PICTURES says."""
    reader = Reader(chromium, address, viewport=SIZE)
    reader.context.add_cookies(
        [
            {
                "name": application.config["SESSION_COOKIE_NAME"], "url": address,
                "value": cookie_of(application, token, lang),
            }
        ]
    )  # fmt: skip
    found = {}
    for n, route in enumerate(routes):
        answer = reader.page.goto(route)
        assert answer.status == 200, route
        if route.endswith("/present"):
            reader.page.keyboard.press("End")
        found[route] = str(reader.page.inner_text("main"))
        wide = reader.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= SIZE["width"], (route, wide)
        if os.environ.get("MINGJIAN_PICTURES"):
            target = Path(os.environ["MINGJIAN_PICTURES"]) / f"{lang}-{name}-{n}.png"
            reader.page.screenshot(path=str(target), full_page=True)
    assert reader.faults == []
    reader.context.close()
    return found
