"""The page for the hall with the longest lists: 300 seats among 2,000 tickets, on the two usual walls."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.draw import operations
from app.programme.models import Round
from tests.browser.test_browser_orders import cookie_of
from tests.draw.test_ceremony_pages import BASE, Hall
from tests.draw.test_orders import registered
from tests.web.conftest import Reader, serve

SEATS, TICKETS = 300, 2_000
FITS = """() => {
  const box = (node) => node.getBoundingClientRect();
  const out = [...document.querySelectorAll('[data-panel=result] *')].filter((node) =>
    box(node).width && (box(node).right > innerWidth + 1 || box(node).bottom > innerHeight + 1 || box(node).left < -1));
  return {wide: document.documentElement.scrollWidth, high: document.documentElement.scrollHeight, out: out.map((n) => n.outerHTML.slice(0, 80))};
}"""
ITEMS = """() => [...document.querySelectorAll('.hall-seats li')].map((li) => ({
  text: li.innerText.replace(/\\s+/g, ' '), size: parseFloat(getComputedStyle(li.querySelector('b + *, b')).fontSize),
  seat: li.querySelector('b').innerText, top: li.getBoundingClientRect().top, left: li.getBoundingClientRect().left,
  right: li.getBoundingClientRect().right}))"""


@pytest.fixture
def hall(settings: Any, make: Any) -> Hall:
    return Hall(settings, make)


def long_state(before: dict[str, Any]) -> dict[str, Any]:
    """The state as it stands, gone on to a result with a seat for every sixth or seventh ticket."""
    lines, seats = [], 0
    for n in range(TICKETS):
        sits = n * SEATS // TICKETS != (n - 1) * SEATS // TICKETS if n else True
        seats += sits
        lines.append(
            {
                "ticket": hashlib.sha256(f"t{n}".encode()).hexdigest(),
                "pseudonym": f"P{n:08x}",
                "name": f"测试专家{n:04d}" + "·买买提" * (n % 50 == 0),
                "seat": seats if sits else None,
                "why": None if sits else {
                    "zh": "同单位或有关系者已入选", "en": "one of the same employer or pair is seated",
                },
            }
        )  # fmt: skip
    assert seats == SEATS
    panel = {"id": "P01", "short": 0, "lot": -1, "row": -1, "lines": lines}
    dice = [
        {**row, "values": [n % 6 + 1 for n in range(row["count"])]} for row in before["sources"]
    ]
    codes = [
        {**p, "code": hashlib.sha256(p["name"].encode()).hexdigest()} for p in before["parties"]
    ]
    return {
        **before, "state": "completed", "sources": dice, "parties": codes, "key": "ab" * 32,
        "result": [panel],
    }  # fmt: skip


@pytest.mark.parametrize(("width", "height", "lang"), [(1920, 1080, "zh"), (1366, 768, "en")])
def test_three_hundred_seats_are_leafed_through_on_the_wall(
    hall: Hall, chromium: Any, width: int, height: int, lang: str
) -> None:
    with hall.write() as session:
        round_ = session.scalars(select(Round)).one()
        draw = operations.request_draw(
            session, hall.people.office, round=round_, stage="desk",
            subject_ids=[s.id for s in round_.subjects], panels=[{"id": "P01", "seats": 5}],
        )  # fmt: skip
        hall.people.secrets = {n: secrets.token_bytes(32) for n in hall.people.secrets}
        registered(session, hall.people, draw)
        operations.commit_draw(session, hall.people.office, draw)
        page = f"{BASE}/{draw.id}"
    state = long_state(hall.ask("office", "GET", f"{page}/state").get_json())
    with hall.app() as application:
        address, server = serve(application)
        reader = Reader(chromium, address, viewport={"width": width, "height": height})
        cookie = cookie_of(application, hall.tokens["office"], lang)
        name = application.config["SESSION_COOKIE_NAME"]
        reader.context.add_cookies([{"name": name, "url": address, "value": cookie}])
        wall = reader.page
        wall.route(
            f"**{page}/state",
            lambda route: route.fulfill(
                body=json.dumps(state), headers={"Content-Type": "application/json"}
            ),
        )
        assert wall.goto(f"{page}/present").status == 200
        wall.wait_for_selector("[data-hall][data-stage=result]")

        def fits(where: str) -> list[dict[str, Any]]:
            found = wall.evaluate(FITS)
            picture(wall, f"{lang}-{width}-{where}")
            assert found["wide"] <= width and found["high"] <= height, (where, found)
            assert found["out"] == [], where
            rows = wall.evaluate(ITEMS)
            # Read from the back: a fortieth of the height is the least that a projector's guide allows.
            assert all(row["size"] >= height / 40 for row in rows), rows[:2]
            columns: dict[float, float] = {}
            for row in rows:  # no column runs into the next
                columns[row["left"]] = max(columns.get(row["left"], 0), row["right"])
            lefts = sorted(columns)
            assert all(columns[a] <= b + 1 for a, b in zip(lefts, lefts[1:], strict=False))
            return list(rows)

        assert fits("none") == []
        for _ in range(8):
            wall.keyboard.press("Space")
        first = fits("first")
        assert [row["seat"] for row in first] == ["1", "2"]
        wall.keyboard.press("End")
        rows = fits("all")
        each = len(rows)
        assert rows[0]["seat"] == "1" and each >= 20
        assert wall.inner_text("[data-part=count]") == "2000 / 2000"
        seen = [row["seat"] for row in rows]
        while seen[-1] != str(SEATS):
            wall.keyboard.press("ArrowDown")
            rows = fits("leaf") if len(seen) == each else wall.evaluate(ITEMS)
            seen += [row["seat"] for row in rows]
            assert len(seen) <= SEATS, "a page was shown twice"
        assert seen == [str(n) for n in range(1, SEATS + 1)]
        wall.keyboard.press("ArrowDown")  # the last page is the end of it
        assert wall.evaluate(ITEMS)[-1]["seat"] == str(SEATS)
        wall.click("[data-leaf=back]")
        assert wall.evaluate(ITEMS)[-1]["seat"] == str(SEATS - len(rows))
        # The last ticket, revealed by itself, stands large beside the newest seats.
        wall.keyboard.press("ArrowLeft")
        wall.keyboard.press("ArrowRight")
        assert wall.is_visible(".hall-now") and f"P{TICKETS - 1:08x}" in wall.inner_text(
            ".hall-now"
        )
        assert fits("last")[-1]["seat"] == str(SEATS)
        # A ticket revealed anew is on the wall, wherever somebody had leafed to.
        wall.keyboard.press("Home")
        for _ in range(3):
            wall.keyboard.press("ArrowRight")
        assert wall.evaluate(ITEMS)[-1]["seat"] == "1"
        wall.keyboard.press("n")
        wall.keyboard.press("End")
        named = fits("named")
        assert "测试专家" in named[0]["text"] and named[0]["seat"] == "1"
        wall.set_viewport_size({"width": width, "height": height - 150})
        wall.wait_for_timeout(200)
        assert wall.evaluate(FITS)["high"] <= height - 150
        for stage in ("commitment", "cosignature", "dice", "codes", "key"):
            wall.set_viewport_size({"width": width, "height": height})
            wall.click(f"[data-stage={stage}]")
            sizes = wall.evaluate(FITS)
            picture(wall, f"{lang}-{width}-{stage}")
            assert sizes["wide"] <= width and sizes["high"] <= height, (stage, sizes)
        assert reader.faults == []
        reader.context.close()
        server.shutdown()


def picture(wall: Any, name: str) -> None:
    """Pictures go where MINGJIAN_PICTURES says."""
    if os.environ.get("MINGJIAN_PICTURES"):
        wall.screenshot(path=str(Path(os.environ["MINGJIAN_PICTURES"]) / f"hall-{name}.png"))
