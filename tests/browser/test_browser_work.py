"""A what-if in Chromium: its page says how far it is and goes on to the result by itself."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import select

from app.draw import operations, outlook
from app.programme.models import Round
from tests.browser.test_browser_orders import cookie_of
from tests.draw.test_ceremony_pages import BASE, Hall
from tests.web.conftest import Reader, serve


@pytest.fixture
def hall(settings: Any, make: Any) -> Hall:
    return Hall(settings, make)


def test_the_page_follows_the_computation(
    hall: Hall, chromium: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, waiting = outlook.prepare_lotteries, [True]

    def slow(*args: Any, tell: Any, **named: Any) -> Any:
        def told(done: float, phase: Any) -> None:
            tell(done, phase)
            while waiting and done >= 0.2:
                time.sleep(0.05)

        return real(*args, tell=told, **named)

    monkeypatch.setattr(outlook, "prepare_lotteries", slow)
    with hall.write() as session:
        round_ = session.scalars(select(Round)).one()
        draw = operations.request_draw(
            session, hall.people.office, round=round_, stage="desk",
            subject_ids=[s.id for s in round_.subjects],
            panels=[{"id": "P1", "seats": 5, "mode": "lottery"}],
        )  # fmt: skip
        page = f"{BASE}/{draw.id}"
    with hall.app() as application:
        address, server = serve(application)
        reader = Reader(chromium, address, viewport={"width": 820, "height": 1180})
        name = application.config["SESSION_COOKIE_NAME"]
        cookie = cookie_of(application, hall.tokens["office"], "zh")
        reader.context.add_cookies([{"name": name, "url": address, "value": cookie}])
        tab = reader.page
        tab.goto(page)
        tab.click("#what-if button")
        tab.wait_for_url(f"**{page}/work")
        tab.wait_for_selector("[data-bar][value^='0.']")
        assert "评审组 P1 的公平抽签表" in tab.inner_text("[data-stage]")
        tab.goto(page)  # left, and found again
        tab.click("text=查看进度")
        tab.wait_for_url(f"**{page}/work")
        waiting.clear()
        tab.wait_for_url(f"**{page}", timeout=60_000)
        assert "第 1 次试算" in tab.inner_text("#what-if")
        assert reader.faults == []
        reader.context.close()
        server.shutdown()
