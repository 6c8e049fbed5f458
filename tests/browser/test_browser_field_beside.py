"""What stands beside the marks in the field application, on the real server: figures, documents, what is to confirm."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from app.factory import create_app
from app.panel import operations as panels
from app.panel.models import Panel
from app.programme import operations as programme
from app.programme.instruments import awaiting, instrument_for
from app.programme.models import Subject
from tests.attacks import world as steps
from tests.attacks.world import settings, world, world_template
from tests.browser.field_screens import address, tablet
from tests.field.conftest import code_for
from tests.programme.conftest import PDF, fill_figures
from tests.web.conftest import serve

__all__ = ["address", "settings", "tablet", "world", "world_template"]
PIN = "246810"


@pytest.fixture
def desk(settings: Any, database: Any, world: Any) -> Iterator[tuple[str, str, int]]:
    """(address, a desk expert's one-time code, items of his form to confirm): figures entered and confirmed,
    a document filed for A1, scoring open."""
    office = world.people["office"]
    with database.write() as session:
        round_ = session.get_one(Panel, world.desk.id).round
        fill_figures(session, office, world.people["office2"], round_)
        county = session.get_one(Subject, world.subjects[0])
        programme.upload_material(
            session, world.presenters[0], county, PDF + b"A1", "地价表.pdf", ("A1",)
        )
        steps.declare(session, world, world.desk)
        sitting = steps.gather(session, world, ids=world.desk)
        panels.open_scoring(session, office, sitting=sitting)
        _, form = instrument_for(session, round_, county, "desk")
        waiting = len(awaiting(form))
    app = create_app(dataclasses.replace(settings, demo=True))
    where, server = serve(app)
    yield where, code_for(app, office, world.desk.experts[0]), waiting
    server.shutdown()
    app.extensions["mingjian.db"].dispose()


WORDS = {
    "zh": ("打开", "待确认", "本表 {n} 项待管理员确认", "标准", "佐证", "测试统计表"),
    "en": (
        "Open", "To confirm", "An administrator has yet to confirm {n} of this form", "Standard",
        "Evidence", "测试统计表",
    ),
}  # fmt: skip
LANGUAGES = ["zh", "en"] if os.environ.get("FULL") else ["zh"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_computed_item_shows_its_figures_its_documents_and_what_is_to_confirm(
    reader: Any, desk: tuple[str, str, int], lang: str
) -> None:
    where, code, waiting = desk
    _, chip, form, standard, heading, source = WORDS[lang]
    one = reader(
        where, viewport={"width": 820, "height": 1180}, locale={"zh": "zh-CN", "en": "en-GB"}[lang]
    )
    page = one.page
    page.goto(f"/field#{code}")
    for field, text in (("#label", "三号平板"), ("#pin", PIN), ("#pin-again", PIN)):
        page.fill(field, text)
    page.keyboard.press("Tab")
    page.locator("button.primary").first.click()
    page.locator("a[href^='#/sheet/']").first.click()
    row = page.locator(".rows > li").filter(has=page.locator(".num", has_text="A1")).first
    cells = row.locator("tbody tr").first.locator("th, td")
    expect(cells).to_have_count(5)
    name, value, unit, year, told = cells.all_inner_texts()
    assert name and unit and value.isdigit() and year == "2011" and source in told
    assert row.locator("tbody tr").count() > 1
    assert page.get_by_text(form.format(n=waiting)).count() == 1
    expect(row.locator(".status")).to_contain_text(chip)
    expect(page.locator(".drawer")).to_have_count(0)  # this tablet is narrow: it opens when asked
    row.get_by_role("button", name=standard, exact=True).click()
    drawer = page.locator(".drawer")
    expect(drawer.locator("h2")).to_contain_text("A1")
    expect(drawer.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(drawer).to_contain_text("地价表.pdf")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert one.faults == []


def test_a_running_statement_links_to_its_room_while_there_is_signal(tablet: Any) -> None:
    one = tablet()
    page = one.open()
    link = page.get_by_role("link", name="陈述室（书签）")
    expect(link).to_have_attribute("href", "/r/trial/sittings/statement/room")
    expect(link).to_have_attribute("target", "_blank")
    one.fake("say({online: false})")
    expect(link).to_have_count(0)
    english = tablet().open(lang="en")
    expect(english.get_by_role("link", name="Statement room (bookmarks)")).to_have_count(1)
