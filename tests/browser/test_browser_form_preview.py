"""A form that is being written, tried with the tablet's own controls in a real browser."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from app.domain.scoring.library import read_files
from app.factory import create_app
from app.programme.versions import load_forms
from tests.conftest import PASSWORD, Make
from tests.web.conftest import serve

SITE = read_files()["forms/mlr15-site.yaml"]


@pytest.fixture
def served(settings: Any, database: Any) -> Iterator[tuple[str, str]]:
    """(address, login of an administrator)."""
    app = create_app(dataclasses.replace(settings, demo=True))
    address, server = serve(app)
    with database.write() as session:
        admin = Make().viewer(session, "admin", "admin")
        load_forms(session, admin)
    yield address, "admin"
    server.shutdown()
    app.extensions["mingjian.db"].dispose()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_preview_has_the_tablets_controls_and_sums(
    served: Any, reader: Any, axe: str, language: str
) -> None:
    address, admin = served
    one = reader(address, viewport={"width": 1366, "height": 768})
    one.sign_in(admin, language, PASSWORD)
    page = one.page
    page.goto("/forms/write")
    page.fill("[name=text]", SITE.replace("total: ", "total: 1", 1))
    page.click("button[value=check]")
    expect(page.locator("main")).to_contain_text(
        "不能保存" if language == "zh" else "cannot be saved"
    )
    page.fill("[name=text]", SITE)
    page.click("button[value=check]")
    expect(page.locator("[data-form-preview][data-ready]")).to_have_count(1)
    shown = page.locator("[data-form-preview]")  # its shadow tree is open: locators look into it
    total = shown.locator("[data-sum]")
    expect(total).to_have_text("0")
    first = shown.locator("section.item").first
    first.locator(".level").first.click()
    first.locator(".chips .chip").last.click()
    mark = first.locator("input").first.input_value()
    assert float(mark) > 0
    expect(total).to_have_text(mark)
    expect(first.locator(".item-state")).to_contain_text(mark)
    landscape = shown.get_by_role("button", name="横屏" if language == "zh" else "Landscape")
    landscape.click()
    expect(landscape).to_have_attribute("aria-pressed", "true")
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [f"{v['id']} {v['nodes'][0]['html'][:120]}" for v in found["violations"]] == []
    assert [fault for fault in one.faults if "422" not in fault] == []
