"""The replay in a real browser: every step equal for both modes, and one changed digit is seen."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest

from app import verify
from app.accounts import operations as accounts
from app.accounts.models import Account
from app.draw import ceremony
from app.draw.models import Draw
from app.factory import create_app
from tests.draw import builders
from tests.supervision.conftest import few_drills, staff
from tests.verifiers.cuts import opened, packed
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
    assert steps.count() == 9 and page.locator("[data-equal='0']").count() == 0
    search, verifier = steps.nth(7).inner_text(), steps.nth(8).inner_text()
    assert "P1" in search and verifier.count("✓") == 19  # 18 steps, and the title
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
    # The transcript's own hash, the tickets; the verifier stops at the archive, so nothing is searched.
    assert [title.split(". ")[0] for title in titles] == ["1", "6", "7", "8", "9"]
    assert "archive" in page.locator("[data-steps] > li").nth(7).inner_text()
    page.context.close()


def test_the_search_is_repeated_for_everybody_who_was_met(chromium, site, database):
    """Each decision stands there with the positions searched for it, those of the seated too."""
    page, _ = _replay(chromium, site)
    with database.read() as session:
        draw = session.get_one(Draw, site[2])
        (panel,) = draw.result["panels"]
        lottery = draw.commitment["panels"][0]["mode"] == "lottery"
    step = page.locator("[data-steps] > li").nth(7)
    rows = step.locator("table").last.locator("tbody tr").all_inner_texts()
    cells = [row.split("\t") for row in rows]
    if lottery:
        assert [c[1] for c in cells] == [expert for expert, _ in panel["seats"]]
    else:
        seated = [c for c in cells if c[3]]
        assert [c[1] for c in seated] == [expert for expert, _ in panel["seats"]]
        assert all(int(c[4]) > 0 for c in seated)  # really searched
        assert len(cells) == min(200, len(panel["seats"]) + len(panel["skips"]))
    page.context.close()


def test_a_result_that_breaks_a_quota_is_found_by_the_search(chromium, site, database):
    """A forger who keeps his papers in order: another person seated, every hash and ticket right."""
    with database.read() as session:
        draw = session.get_one(Draw, site[2])
        data = ceremony.transcript_of(draw)
    files = opened(data)
    result = json.loads(files["result.json"])
    (panel,) = result["panels"]
    tickets = {expert: t for t, expert in json.loads(files["tickets.json"])[0][1]}
    met = {expert for expert, *_ in [*panel["seats"], *panel["skips"]]}
    other = min((t, expert) for expert, t in tickets.items() if expert not in met)
    panel["seats"][-1] = [other[1], other[0]]
    forged = packed({**files, "result.json": verify.jcs(result)})
    assert verify.verify_transcript(forged).failed == "selection"
    page, _ = _replay(chromium, site, lambda route: route.fulfill(body=forged))
    assert page.get_attribute("[data-replay]", "data-done") == "different"
    titles = page.locator("[data-steps] > li[data-ok='0'] h3").all_inner_texts()
    assert [title.split(". ")[0] for title in titles] == ["1", "8", "9"]
    assert page.locator("[data-steps] > li").nth(7).locator("[data-equal='0']").count() >= 2
    page.context.close()
