"""The replay in a real browser: every step equal for both modes, and one changed digit is seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from app.accounts import operations as accounts
from app.accounts.models import Account
from app.draw.models import Draw
from app.factory import create_app
from tests.draw import builders
from tests.supervision.conftest import few_drills, staff
from tests.web.conftest import serve

__all__ = ["few_drills", "staff"]


@pytest.fixture(params=["lottery", "tickets"])
def site(request: Any, database: Any, settings: Any, make: Any) -> Iterator[tuple[str, str, str]]:
    """(address, session token, id of a completed draw)."""
    with database.write() as session:
        staff = builders.Staff(session, make)
        round_ = builders.make_round(session)
        builders.make_pool(session)
        reason = "fairest" if request.param == "lottery" else "practice"
        panel = {"mode": request.param, "mode_reason": reason}
        draw = builders.completed(
            session,
            staff,
            builders.request(session, staff, round_, panel=panel, parties=["office", "supervisor"]),
        )
        assert draw.commitment["panels"][0]["mode"] == request.param
        draw_id = draw.id
        token = accounts.open_sign_in(
            session, session.get_one(Account, staff.supervisor.id), agent="t", address="t", hours=1
        )
    app = create_app(dataclasses.replace(settings, demo=True))
    address, server = serve(app)
    with app.test_client() as client:
        with client.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = token, True
        value = client.get_cookie("mingjian").value
    yield address, value, draw_id
    server.shutdown()
    app.extensions["mingjian.db"].dispose()


def _replay(browser: Any, site: tuple[str, str, str], tamper: Any = None) -> tuple[Any, list[str]]:
    address, token, draw_id = site
    context = browser.new_context(base_url=address)
    context.add_cookies([{"name": "mingjian", "value": token, "url": address}])
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda m: faults.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    if tamper:
        page.route("**/transcript", tamper)
    page.goto(f"/supervision/draws/{draw_id}/replay")
    page.click("[data-run]")
    page.click("[data-all]")
    page.wait_for_selector("[data-done=equal], [data-done=different], [data-done=failed]")
    return page, faults


def test_every_step_is_equal_and_a_changed_digit_is_not(chromium, site, database):
    page, faults = _replay(chromium, site)
    assert page.get_attribute("[data-replay]", "data-done") == "equal", page.inner_text("main")
    steps = page.locator("[data-steps] > li")
    assert steps.count() == 7 and page.locator("[data-equal='0']").count() == 0
    with database.read() as session:
        draw = session.get_one(Draw, site[2])
        assert draw.key in page.inner_text("[data-steps]")
        ticket = draw.seats[0].ticket
    assert faults == []  # no policy report either
    page.context.close()

    def tamper(route: Any) -> None:
        body = route.fetch().body()
        other = ("0" if ticket[0] != "0" else "1") + ticket[1:]
        assert ticket.encode() in body
        route.fulfill(body=body.replace(ticket.encode(), other.encode()))

    page, _ = _replay(chromium, site, tamper)
    assert page.get_attribute("[data-replay]", "data-done") == "different"
    titles = page.locator("[data-steps] > li[data-ok='0'] h3").all_inner_texts()
    assert len(titles) == 2  # the transcript's own hash, and the tickets of the panel
    page.context.close()
