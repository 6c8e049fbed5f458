"""A whole ceremony with three people in three browsers: office, supervisor with his own device key,
and an observer who has a link and no account; on the wall a fourth page follows."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
from sqlalchemy import select

from app.accounts import queries
from app.domain.draw import chain
from app.draw import ceremony, operations
from app.draw.models import Draw
from app.draw.models_ceremony import DeviceKey
from app.factory import create_app
from app.programme.models import Round
from tests.conftest import PASSWORD, settings
from tests.draw.builders import DICE, make_pool, make_round, verify
from tests.web.conftest import serve

__all__ = ["settings"]  # an empty installation, not the small world of this directory
WALL = {"viewport": {"width": 1920, "height": 1080}}
TABLET = {"viewport": {"width": 820, "height": 1180}, "has_touch": True}
PARTIES = ("office", "supervisor", "observer")


@pytest.fixture
def hall(settings, make):
    """(address, application, address of a draft with three parties)."""
    app = create_app(dataclasses.replace(settings, demo=True))
    with app.extensions["mingjian.db"].write() as session:
        make_pool(session)
        viewers = [make.viewer(session, role, login=role) for role in ("office", "supervisor")]
        round_ = make_round(session, kind="real")
        draw = operations.request_draw(
            session, viewers[0], round=round_, stage="desk",
            subject_ids=[s.id for s in round_.subjects],
            panels=[{"id": "P1", "seats": 5}], parties=PARTIES,
        )  # fmt: skip
        page = f"/r/r1/draws/{draw.id}"
    address, server = serve(app)
    yield address, app, page
    server.shutdown()
    app.extensions["mingjian.db"].dispose()


def the_draw(app):
    with app.extensions["mingjian.db"].read() as session:
        draw = session.scalars(select(Draw).join(Round).where(Round.slug == "r1")).one()
        return draw.state, draw.commitment_hash, draw.key, dict(draw.result or {})


def make_chain(page):
    """Press the one button; what was registered is the end of what this browser keeps."""
    page.click("[data-chain-make] button")
    page.wait_for_selector(
        "[data-chain][data-commitment][data-ready=yes] [data-print-part]:not([hidden])"
    )
    digits = page.eval_on_selector(".envelope-digits code", "node => node.textContent")
    secret = digits.replace(" ", "")
    commitment = page.get_attribute("[data-chain]", "data-commitment")
    assert chain(bytes.fromhex(secret), 32).hex() == commitment
    assert page.locator(".envelope").count() == 2
    return secret


def tap(page, values):
    for value in values:
        page.click(f".die-button[data-value='{value}']")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_ceremony_in_three_browsers(hall, reader, axe, tmp_path, lang):
    address, app, draw = hall
    said = lambda zh, en: zh if lang == "zh" else en  # noqa: E731
    office = reader(address)
    supervisor = reader(address, **TABLET)
    observer = reader(address, **TABLET)
    office.sign_in("office", lang, PASSWORD)
    supervisor.sign_in("supervisor", lang, PASSWORD)
    secrets = {}

    # three chains, each made in its own browser
    for one, name in ((office, "office"), (supervisor, "supervisor")):
        one.page.goto(draw)
        one.page.click("#next a.primary")
        secrets[name] = make_chain(one.page)
    office.page.goto(draw)
    office.page.click("#next button.primary")
    link = office.page.inner_text("#observer-link")
    observer.page.goto("/observe/" + link.rsplit("/", 1)[1])
    secrets["observer"] = make_chain(observer.page)
    assert len(set(secrets.values())) == 3
    # what an envelope prints: the browser's own drawing, on two pages
    pdf = observer.page.pdf(format="A4")
    assert pdf.count(b"/Type /Page\n") == 2

    # the commitment, then the supervisor's device and his cosignature
    office.page.goto(draw)
    assert not office.page.locator("#next [href$='/codes']").count(), "every chain is registered"
    with app.extensions["mingjian.db"].write() as session:
        row = session.scalars(select(Draw)).one()
        operations.commit_draw(session, queries.viewer_by_login(session, "office"), row)
    wall = reader(address, **WALL)
    wall.sign_in("office", lang, PASSWORD)
    wall.page.goto(f"{draw}/present")
    digest = the_draw(app)[1]
    wall.page.wait_for_selector("[data-stage=commitment]")
    assert re.sub(r"\s", "", wall.page.inner_text(".hall-hash")) == digest[:16]
    supervisor.page.goto(f"{draw}/cosign")
    supervisor.page.click("#sign a.primary")
    supervisor.page.fill("[name=label]", "我的平板")
    supervisor.page.fill("[data-device-register] [name=password]", PASSWORD)
    supervisor.page.click("[data-device-register] button")
    supervisor.page.wait_for_selector("[data-device-here] [data-when=here]:not([hidden])")
    fingerprint = supervisor.page.inner_text(".draw-hash code")
    supervisor.page.goto(f"{draw}/cosign")
    supervisor.page.wait_for_selector("[data-device-here] [data-when=here]:not([hidden])")
    supervisor.page.fill("#password", PASSWORD)
    supervisor.page.click("[data-device-sign] button.primary")
    supervisor.page.wait_for_url(f"**{draw}")
    assert the_draw(app)[0] == "cosigned"
    with app.extensions["mingjian.db"].read() as session:
        row = session.scalars(select(Draw).where(Draw.commitment_hash == digest)).one()
        key = session.scalars(select(DeviceKey)).one()
        assert key.name in str(ceremony.cosigned_note(row))
    wall.page.wait_for_selector("[data-hall][data-stage=dice]")
    wall.page.click("[data-stage=cosignature]")
    assert fingerprint in wall.page.inner_text("[data-part=cosignature]")
    wall.page.click("button[data-stage=dice]")

    # dice: 37, a restart of the browser's page, the rest; then one mismatch
    office.page.goto(f"{draw}/dice")
    supervisor.page.goto(f"{draw}/dice")
    tap(office.page, DICE[:37])
    office.page.wait_for_selector(".save-state[data-state=saved]")
    progress = said("37 / 50", "37 of 50")
    wall.page.wait_for_function(
        f"() => document.querySelector('[data-typed=office]').textContent === '{progress}'"
    )
    supervisor.page.wait_for_function(
        f"() => document.querySelector('[data-typed=office]').textContent === '{progress}'"
    )
    typed = " ".join(map(str, DICE))
    assert not re.search(r"1 2 3|1,2,3", wall.page.content() + supervisor.page.content())
    office.page.reload()
    office.page.wait_for_selector("[data-place='37']:not([disabled])")
    assert office.page.locator(".dice-cell:not([disabled])").count() == 37
    for value in DICE[37:]:
        office.page.keyboard.press(str(value))
    office.page.wait_for_function("() => document.querySelector('.die-button').disabled")
    wrong = [*DICE]
    wrong[6] = wrong[6] % 6 + 1
    tap(supervisor.page, wrong)
    supervisor.page.wait_for_selector(".dice-cell.wrong[data-place='7']")
    assert supervisor.page.locator(".dice-cell.wrong").count() == 1
    wall.page.wait_for_selector(".hall-source .hall-wrong")
    assert "7" in wall.page.inner_text(".hall-source .hall-wrong")
    assert wall.page.locator("[data-values]").count() == 0
    supervisor.page.click("[data-place='7']")
    tap(supervisor.page, [DICE[6]])
    for one in (office, supervisor):
        one.page.wait_for_selector("[data-after-lock]:not([hidden])")
    wall.page.wait_for_selector("[data-hall][data-stage=codes]")
    wall.page.click("button[data-stage=dice]")
    assert wall.page.get_attribute("[data-values]", "data-values") == typed

    # codes, last: two from their own browsers, the office's from its envelope on the supervisor's
    observer.page.reload()
    observer.page.click("[data-own]")
    observer.page.wait_for_selector(".note, .status.ok")
    wall.page.click("button[data-stage=codes]")
    wall.page.wait_for_selector(".hall-codes li.in")
    office.page.goto(draw)
    assert office.page.locator("form[action$='/abort']").count() == 0
    supervisor.page.goto(f"{draw}/codes")
    supervisor.page.click("[data-own]")
    supervisor.page.wait_for_url(f"**{draw}")
    supervisor.page.goto(f"{draw}/codes")
    supervisor.page.click("[data-other=office] summary")
    supervisor.page.fill("#code-office", secrets["office"][:-1] + "g")
    supervisor.page.click("[data-other=office] button")
    supervisor.page.wait_for_selector("[data-said]:not([hidden])")
    assert the_draw(app)[0] == "cosigned", "nothing was sent"
    supervisor.page.fill("#code-office", f"MJ1|x|office|{secrets['office']}")
    supervisor.page.click("[data-other=office] button")
    supervisor.page.wait_for_url(f"**{draw}")

    # nobody pressed anything: the result is there, and the wall reveals it ticket by ticket
    state, _, key, result = the_draw(app)
    assert state == "completed"
    wall.page.wait_for_selector("[data-hall][data-stage=result]")
    lines = sorted(
        [(t, p) for p, t in result["panels"][0]["seats"]]
        + [(t, p) for p, t, _ in result["panels"][0]["skips"]]
    )
    assert wall.page.locator(".hall-seats li").count() == 0
    for number, (_, pseudonym) in enumerate(lines, 1):
        wall.page.keyboard.press("ArrowRight")
        assert wall.page.inner_text(".hall-now .hall-huge").strip() == pseudonym
        assert wall.page.inner_text("[data-part=count]") == f"{number} / {len(lines)}"
    assert wall.page.locator(".hall-seats li").count() == 5
    seated = wall.page.inner_text(".hall-seats")
    assert all(pseudonym in seated for pseudonym, _ in result["panels"][0]["seats"])
    assert "测试专家" not in wall.page.inner_text("main")
    wall.page.keyboard.press("n")
    assert "测试专家" in wall.page.inner_text(".hall-seats")
    assert wall.page.locator(".hall-seats li").count() == 5, "a panel of five stands on one page"
    wall.page.click("button[data-stage=key]")
    assert key in wall.page.inner_text("[data-part=key]").replace(" ", "")
    assert wall.page.evaluate("document.documentElement.scrollWidth") <= 1920
    wall.page.evaluate(axe)
    found = wall.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [v["id"] for v in found["violations"]] == []
    with office.page.expect_download() as taken:
        office.page.goto(draw)
        office.page.click("a[href$='/transcript']")
    checked = verify(taken.value.path().read_bytes(), tmp_path / "v")
    assert checked.returncode == 0 and json.loads(checked.stdout)["kind"] == "real"
    for one in (office, supervisor, observer, wall):
        assert one.faults == []
