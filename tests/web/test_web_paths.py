"""Each role's main path in a real browser, in both languages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app.accounts import operations as accounts
from app.panel import operations as panels
from app.panel.declarations import CONFLICTS
from app.scoring.models import Sheet
from tests.attacks import world as steps
from tests.conftest import PASSWORD

TABLET = {"viewport": {"width": 1024, "height": 768}, "has_touch": True}
LANGS = pytest.mark.parametrize("lang", ["zh", "en"])


def qr_link(app, viewer):
    with app.extensions["mingjian.db"].write() as session:
        return "/enter/" + accounts.invite(
            session, None, purpose="enter", person_id=viewer.person_id
        )


DONE: set[str] = set()


def first(act: str) -> bool:
    """Whether nobody did this in the exercise yet: both languages share it, and either may run alone."""
    before = act in DONE
    DONE.add(act)
    return not before


@LANGS
def test_an_expert_from_the_qr_link_to_the_review(small, world, reader, lang):
    address, app = small
    database = app.extensions["mingjian.db"]
    office, me = world.people["office"], world.expert(1)
    one = reader(address, **TABLET)
    page = one.page
    if lang == "en":
        page.goto("/sign-in")
        page.click("button[name=lang]")
    link = qr_link(app, me)
    page.goto(link)
    page.click("main form button")
    page.wait_for_url("**/")
    assert ("请签署" if lang == "zh" else "declaration") in one.text().lower()
    for kind in ("conflict", "secrecy"):
        page.goto(f"/r/one/panels/{world.site.id}/declare/{kind}")
        if kind == "conflict":
            for key in CONFLICTS:
                page.select_option(f"[name=q_{key}]", "no")
        page.fill("[name=signed_name]", me.name)
        page.click("main form button")
        page.wait_for_url(f"**/panels/{world.site.id}")
    sitting_id = world.site.sittings[0]
    with database.write() as session:
        rest = steps.PanelIds(
            world.site.id, world.site.draw_id, world.site.seats[1:], world.site.experts[1:],
            world.site.sittings,
        )  # fmt: skip
        steps.declare(session, world, rest)
        steps.gather(session, world, 0, rest)
    page.goto(f"/r/one/sittings/{sitting_id}")
    page.click("main form button.primary")
    page.wait_for_load_state()
    with database.write() as session:
        sitting = world.sitting(session)
        steps.speak(session, world, sitting)
        panels.open_scoring(session, office, sitting=sitting)
    page.goto("/r/one/sheets")
    page.click("main form button")  # on in the field application, without another code
    page.wait_for_url("**/field#*")
    page.fill("#label", "虚构平板")
    page.fill("#pin", "246810")
    page.fill("#pin-again", "246810")
    page.click("#field button.primary")
    page.locator(".duty a.primary").tap()
    card = page.locator("section.item").first
    card.locator(".level").first.tap()
    card.locator(".chips .chip").last.tap()
    saved = page.locator("[data-fact=saved]")
    expect(saved).to_contain_text(re.compile(r"\d{2}:\d{2}:\d{2}"))
    expect(page.locator("[data-fact=sent]")).to_have_class(re.compile("ok"))
    with database.read() as session:
        row = session.scalars(select(Sheet)).one()
        assert row.state == "draft" and len(row.entries) == 1
    one.context.set_offline(True)
    card = page.locator("section.item").nth(1)
    card.locator(".level").first.tap()
    card.locator(".chips .chip").last.tap()
    expect(page.locator("[data-fact=sent]")).to_have_class(re.compile("waits"))
    one.context.set_offline(False)
    expect(page.locator("[data-fact=sent]")).to_have_class(re.compile("ok"), timeout=40_000)
    with database.read() as session:
        row = session.scalars(select(Sheet)).one()
        assert row.state == "draft" and len(row.entries) == 2
    page.goto(f"/r/one/sheets/{row.id}")
    came = one.text()
    assert "虚构平板" in came and ("已传到服务器 2/" if lang == "zh" else "2 of ") in came
    page.goto(f"/field#/sheet/{sitting_id}/review")
    page.fill("#pin", "246810")
    page.click("#field button.primary")
    expect(page.locator("main")).to_contain_text(re.compile("未填|missing"))
    assert page.locator("#seal-pin, canvas").count() == 0, "no seal while something is missing"
    noise = ("ERR_INTERNET_DISCONNECTED", "ERR_FAILED")  # what was cut off on purpose
    assert [f for f in one.faults if not any(n in f for n in noise)] == []
    fresh = reader(address, **TABLET)
    assert fresh.page.goto(link).status == 404, "the link was used"


@LANGS
def test_a_presenter_confirms_the_record(exercise, reader, lang):
    one = reader(exercise)
    one.sign_in("presenter-110108", lang)
    page = one.page
    if first("statement"):
        page.click("main a.button.primary")
        outline = page.locator("[name=outline]").input_value()
        page.fill("[name=outline]", outline + "（浏览器补充）")
        page.locator("form[data-keep^=statement] button").click()
        page.wait_for_load_state()
        page.locator("form[action$='/statement/confirm'] button").click()
        page.wait_for_load_state()
        assert ("已确认" if lang == "zh" else "confirmed") in one.text().lower()
        assert "（浏览器补充）" in page.locator("[name=outline]").input_value()
    page.goto("/")
    assert ("现场陈述进行中" if lang == "zh" else "Your statement is under way") in one.text()
    assert one.faults == []


@LANGS
def test_a_supervisor_verifies_the_ledger_and_finds_the_commitment(exercise, reader, lang):
    one = reader(exercise)
    one.sign_in("supervisor", lang)
    page = one.page
    waiting = one.text()
    assert ("会签" if lang == "zh" else "cosignature") in waiting
    page.goto("/supervision/verify")
    assert page.locator(".status.ok, .note.ok").count() >= 1
    assert page.locator(".status.wrong, .note.wrong").count() == 0
    page.goto("/supervision/doctor")
    assert page.locator(".status.wrong, .note.wrong").count() == 0
    page.goto("/")
    page.click("main .waits a.button.primary")
    assert "/draws/" in page.url
    assert one.faults == []


@LANGS
def test_the_second_clerk_confirms_a_figure(exercise, reader, lang):
    for login in ("office", "office2"):
        one = reader(exercise)
        one.sign_in(login, lang)
        waits = one.page.locator(".waits a[href$='/figures']")
        if waits.count():
            break
    if first("figure"):
        assert waits.count() == 1, "one of the two clerks has a figure to confirm"
        waits.click()
        boxes = one.page.locator("form[data-lines] input[name=tick]")
        assert boxes.count() == 1 and not boxes.is_checked()  # nothing is ticked for him
        boxes.check()
        button = one.page.locator("form[data-lines] button.primary")
        expect(button).to_have_text("确认所选 1 项" if lang == "zh" else "Confirm the 1 ticked")
        button.click()
        expect(one.page.locator("form[data-lines] input[name=tick]")).to_have_count(0)
        one.page.goto("/")
    assert one.page.locator(".waits a[href$='/figures']").count() == 0
    assert one.faults == []


@LANGS
def test_a_keeper_screens_the_candidate_and_searches_the_pool(exercise, reader, lang):
    one = reader(exercise)
    one.sign_in("keeper", lang)
    page = one.page
    found = page.locator("main table").first.locator("tbody tr")
    if first("screening"):
        assert ("候选专家待筛选" if lang == "zh" else "await screening") in one.text()
        page.click("main .waits a.button.primary")
        expect(found).to_have_count(1)
        found.locator("a").first.click()
        page.wait_for_url("**/pool/*")
        screen = page.locator("form[action$='/screen']")
        page.locator("details", has=screen).locator("summary").click()
        screen.locator("[name$=decision]").select_option("pass")
        screen.locator("[name$=reason]").fill("浏览器测试：材料齐全")
        screen.locator("button").click()
        expect(page.locator("main")).to_contain_text("浏览器测试：材料齐全")
        page.locator("form[action$='/admit'] button").click()
        expect(page.locator("form[action$='/admit']")).to_have_count(0)
        assert ("已入库" if lang == "zh" else "was admitted") in one.text()
        page.goto("/")
    assert ("候选专家待筛选" if lang == "zh" else "await screening") not in one.text()
    page.goto("/pool?q=E0001")
    expect(found).to_have_count(1)
    assert "E0001" in found.inner_text()
    assert one.faults == []


@LANGS
def test_an_administrator_signs_the_form_version(exercise, reader, lang):
    one = reader(exercise)
    one.sign_in("admin", lang)
    page = one.page
    said = "待确认签署" if lang == "zh" else "await your signature"
    if first("signature"):
        assert said in one.text()
        page.click("main .waits a.button.primary")
        page.wait_for_url("**/forms")
        waiting = page.locator("main tbody tr", has=page.locator(".status.waits"))
        left = waiting.count()
        assert left >= 1
        waiting.first.locator("a").first.click()
        page.wait_for_url("**/forms/*")
        sign = page.locator("form[action$='/sign']")
        sign.locator("button").click()
        page.locator("dialog button").last.click()  # asked again, with what a signature says
        expect(sign).to_have_count(0)
        assert ("已确认" if lang == "zh" else "Confirmed") in one.text()
        page.goto("/forms")
        expect(waiting).to_have_count(left - 1)
    page.goto("/forms")
    assert ("已确认" if lang == "zh" else "Confirmed") in one.text()
    assert one.faults == []


def test_a_wrong_password_says_so_and_keeps_the_login(small, reader):
    address, _ = small
    one = reader(address)
    page = one.page
    page.goto("/sign-in")
    page.fill("[name=login]", "office")
    page.fill("[name=password]", PASSWORD + "x")
    page.click("main form button")
    page.wait_for_selector(".note.wrong")
    assert page.locator("[name=login]").input_value() == "office"
    assert page.locator("[name=password]").input_value() == ""


def test_back_after_signing_out_shows_nothing(small, reader):
    address, _ = small
    one = reader(address)
    one.sign_in("office", "zh", PASSWORD)
    one.page.goto("/account")
    one.page.click("form[action='/sign-out'] button")
    one.page.wait_for_url("**/sign-in")
    one.page.go_back()
    one.page.wait_for_load_state()
    assert "/sign-in" in one.page.url, "the page is fetched again, and nobody is signed in"
