"""What the office and the panel ask of an expert, on his tablet; and the office's pages about tablets and
paper, as assistive technology meets them. On the real server."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app import clock
from app.field import reminders
from app.field.models_desk import Reminder
from app.panel import votes
from app.panel.models import Sitting
from app.panel.models_votes import ExtensionVote
from app.scoring import paper
from tests.attacks import world as steps
from tests.attacks.world import settings, world, world_template
from tests.browser.test_browser_field_site import site, tablet
from tests.browser.test_browser_statement import AXE, Stage, stage
from tests.web.conftest import axe, small

__all__ = ["axe", "settings", "site", "small", "stage", "tablet", "world", "world_template"]


def test_a_reminder_and_a_vote_on_the_tablet(
    tablet: Any, site: Any, database: Any, world: Any
) -> None:
    key = site[2]
    office = world.people["office"]
    with database.write() as session:
        sitting = session.get_one(Sitting, key)
        reminders.remind(
            session, office, panel=sitting.panel, on=sitting.on, seat_id=world.site.seats[0]
        )
        for hours, why in ((1, "当天收齐评分表"), (2, "大雨，路上耽搁一小时")):
            votes.propose(
                session, office, sitting=sitting,
                closes_at=clock.now() + timedelta(hours=hours), reason=why,
            )  # fmt: skip
    page = tablet("one").page
    asked = page.locator(".note", has_text="A message for you")
    vote = page.locator(".note", has_text="vote on a later closing time")
    expect(asked).to_be_visible()
    expect(vote).to_contain_text("大雨，路上耽搁一小时")
    page.context.set_offline(True)
    expect(vote.get_by_role("button").first).to_be_disabled(timeout=20_000)
    page.context.set_offline(False)
    expect(vote.get_by_role("button").first).to_be_enabled(timeout=40_000)
    asked.get_by_role("button", name="I have seen it").click()
    expect(asked).to_have_count(0)
    vote.get_by_role("button", name="For", exact=True).click()
    expect(vote).to_have_count(0)
    with database.read() as session:
        assert session.scalars(select(Reminder)).one().seen_at is not None
        given = session.scalars(select(ExtensionVote)).one()
        assert (given.answer, given.seat_id) == ("yes", world.site.seats[0])
    page.reload()  # and they do not come back
    page.fill("#pin", "246810")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_role("heading", name="My duties")).to_be_visible()
    expect(page.locator(".duty").first).to_be_visible()
    assert asked.count() == 0 and vote.count() == 0


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_board_desk_and_paper_pages(stage: Stage, world: Any, axe: str, lang: str) -> None:
    office = world.people["office"]
    with stage.database.write() as session:
        sitting = steps.to_scoring(session, world)
        row = paper.start(session, office, sitting=sitting, seat=world.seat(session, 2))
        sheet = steps.sealed_sheet(session, sitting, world.expert(1))
        pages = {
            f"/r/one/panels/{world.site.id}/board": office,
            f"/r/one/panels/{world.site.id}/desk": office,
            "/r/one/paper": office,
            f"/r/one/paper/{row.id}": office,
            "/r/one/sheets": world.expert(1),
            f"/r/one/sheets/{sheet.id}": world.expert(1),
            "/r/one/field": world.people["supervisor"],
        }
    context = stage.browser(office, lang=lang)
    page = context.new_page()
    found = []
    for address, who in pages.items():
        stage.sign_in(context, who, lang)
        assert page.goto(address).status == 200, address
        assert page.evaluate("() => document.documentElement.lang").startswith(lang)
        page.evaluate(axe)
        found += [(address, *row) for row in page.evaluate(AXE)]
    assert found == []
