"""The statement room in Chromium: a recording with a pause, one that the browser does not survive, the
clock on the wall, a signature; every page in both languages, without a fault of axe."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app import clock
from app.accounts import operations as accounts
from app.accounts.models import Account
from app.files.chunks import Chunks
from app.panel import agenda, bookmarks, operations, recordings
from app.panel.models import Statement
from app.panel.models_statement import Recording
from tests.attacks import world as steps
from tests.attacks.world import settings, world, world_template
from tests.browser.field_tablet import until
from tests.browser.test_browser_orders import cookie_of
from tests.chromium_path import chromium_path
from tests.field.recordings import noise, sha
from tests.web.conftest import ARGS, axe, small

__all__ = ["axe", "settings", "small", "world", "world_template"]
FAKE = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        "--autoplay-policy=no-user-gesture-required")  # fmt: skip


@dataclass
class Stage:
    """A served application and the browsers of the people in the room."""

    kind: Any
    address: str
    app: Any
    tmp: Path
    opened: list[Any]

    def browser(self, viewer: Any, lang: str = "zh", profile: str = "a", **options: Any) -> Any:
        """A browser on a profile of its own, signed in."""
        path = chromium_path()
        context = self.kind.launch_persistent_context(
            str(self.tmp / profile), executable_path=path, args=[*ARGS, *FAKE],
            base_url=self.address, **options,
        )  # fmt: skip
        self.opened.append(context)
        self.sign_in(context, viewer, lang)
        return context

    def sign_in(self, context: Any, viewer: Any, lang: str) -> None:
        with self.database.write() as session:
            token = accounts.open_sign_in(
                session, session.get(Account, viewer.id), agent="t", address="t", hours=9
            )
        name = self.app.config["SESSION_COOKIE_NAME"]
        value = cookie_of(self.app, token, lang)
        context.clear_cookies()
        context.add_cookies([{"name": name, "url": self.address, "value": value}])

    @property
    def database(self) -> Any:
        return self.app.extensions["mingjian.db"]

    def kept(self) -> list[Recording]:
        with self.database.read() as session:
            return recordings.recordings(session, session.scalars(select(Statement)).one())

    def kill(self, context: Any, profile: str) -> None:
        """-9 to every process of the profile, as when the battery is pulled."""
        mark = f"--user-data-dir={self.tmp / profile}".encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if mark in (entry / "cmdline").read_bytes().split(b"\0"):
                        os.kill(int(entry.name), signal.SIGKILL)
        with contextlib.suppress(Exception):
            context.close()
        self.opened.remove(context)
        for lock in (self.tmp / profile).glob("Singleton*"):
            lock.unlink(missing_ok=True)


@pytest.fixture
def stage(chromium: Any, small: tuple[str, Any], tmp_path: Path) -> Iterator[Stage]:
    made = Stage(chromium.browser_type, *small, tmp_path, [])
    yield made
    for context in made.opened:
        context.close()


@pytest.fixture
def room(stage: Stage, world: Any) -> str:
    """The address of a sitting whose statement is under way, with consent."""
    with stage.database.write() as session:
        steps.declare(session, world)
        sitting = steps.gather(session, world)
        operations.open_statement(
            session, world.people["office"], sitting=sitting, presenter_name="虚拟陈述",
            presenter_post="虚构副区长", proxy="委〔2012〕1号", identity="id_card",
            challenge_minutes=10,
        )  # fmt: skip
        operations.record_statement(
            session, world.people["office"], sitting=sitting, outline="虚构陈述提纲：存量盘活。",
            questions="", version=1,
        )  # fmt: skip
        operations.consent(session, world.presenters[0], sitting=sitting)
        return f"/r/{world.slug}/sittings/{sitting.id}"


def faults_of(page: Any, faults: list[str]) -> list[str]:
    """What goes wrong on the page from here on, added to the list."""
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    return faults


def after_the_test(page: Any, where: str) -> None:
    """The recording page opened and its microphone test played back to the end."""
    page.goto(f"{where}/record")
    assert page.locator("[data-part=start]").is_disabled()
    page.click("[data-part=test]")
    until(lambda: page.evaluate("document.querySelector('[data-part=level]').value") > 0.01)
    page.wait_for_selector("[data-recorder][data-state=heard]")
    assert page.locator("[data-part=start]").is_disabled()  # not before it was played
    page.evaluate("document.querySelector('[data-part=heard]').playbackRate = 8")
    page.wait_for_selector("[data-recorder][data-state=ready]")


def holds(profile: Path, wanted: bytes) -> list[str]:
    """The files of a browser's profile in which some bytes stand, as they are or as UTF-16."""
    both = (
        wanted,
        wanted.decode("latin-1").encode("utf-16-le"),
        wanted.decode().encode("utf-16-be"),
    )
    found = []
    for path in profile.rglob("*"):
        if path.is_file() and any(one in path.read_bytes() for one in both):
            found.append(path.name)
    return found


WAITING = """() => new Promise((done, fail) => {
    const asked = indexedDB.open("mingjian-statement");
    asked.onerror = fail;
    asked.onsuccess = () => {
        const rows = asked.result.transaction("pieces").objectStore("pieces").getAll();
        rows.onsuccess = () => done(rows.result.map((row) => ({clear: "bytes" in row, box: row.box.byteLength, size: row.size})));
    };
})"""


def kept_for(page: Any, seconds: int) -> None:
    said = lambda: page.inner_text("[data-part=kept]").split(":")  # noqa: E731
    until(lambda: int(said()[0]) * 60 + int(said()[1]) >= seconds)


def test_recorded_paused_and_cut_off_by_a_kill(stage: Stage, world: Any, room: str) -> None:
    context = stage.browser(world.presenters[0])
    page = context.new_page()
    faults = faults_of(page, [])
    after_the_test(page, room)
    page.click("[data-part=start]")
    kept_for(page, 2)
    page.click("[data-part=pause]")
    page.wait_for_timeout(1200)
    page.click("[data-part=pause]")
    kept_for(page, 4)
    page.click("[data-part=stop]")
    page.wait_for_selector("[data-recorder][data-state=kept]")
    (first,) = stage.kept()
    assert [mark.kind for mark in first.marks] == ["pause", "resume"]
    assert first.marks[1].at - first.marks[0].at >= timedelta(seconds=1)
    assert first.marks[1].at_ms - first.marks[0].at_ms < 200  # the sound stood still
    assert first.duration_ms is not None and 4000 <= first.duration_ms < 15_000
    assert first.pieces >= 4 and first.mime == "audio/webm"
    path = stage.app.extensions["mingjian.store"].path(first.sha256)
    assert sha(path.read_bytes()) == first.sha256
    # The second one: the browser dies while it runs, with a part of it on the server already.
    after_the_test(page, room)
    page.click("[data-part=start]")
    kept_for(page, 3)
    stage.kill(context, "a")
    context = stage.browser(world.presenters[0])
    page = context.new_page()
    faults_of(page, faults)
    assert holds(stage.tmp / "a", b"mingjian-statement"), "the store is looked for where it lies"
    assert not holds(stage.tmp / "a", b"OpusHead"), "sound on the disk in the clear"
    page.goto(f"{room}/record")
    waiting = page.evaluate(WAITING)
    assert len(waiting) >= 3 and {row["clear"] for row in waiting} == {False}
    assert {row["box"] - row["size"] for row in waiting} == {16}  # the seal of AES-GCM
    said = page.inner_text("[data-part=unfinished] b")
    assert "东城区" in said and "要恢复吗" in said
    seconds = int(said.split("00:")[1][:2])
    assert seconds >= 3, said
    page.click("[data-recover]")
    page.wait_for_selector("[data-recorder][data-state=kept]")
    second = stage.kept()[1]
    assert [mark.kind for mark in second.marks] == ["crash", "recovered"]
    assert second.duration_ms is not None and second.duration_ms // 1000 == seconds
    assert second.duration_ms - second.marks[0].at_ms == 0
    page.reload()
    page.wait_for_timeout(300)
    assert page.locator("[data-part=unfinished] > *").count() == 0
    owner = stage.app.extensions["mingjian.store"]
    assert not list(Chunks(owner).root.glob("*/*")), "pieces left behind"
    # Played back to the end, from the bytes that are kept; each opening is on record.
    page.goto(f"{room}/room")
    page.click("form[action$='/listen'] >> nth=1 >> button")
    heard = page.evaluate(
        """async () => { const a = document.querySelector('audio'); a.muted = true; await a.play();
        await new Promise((done, fail) => { a.onended = done; a.onerror = fail; a.playbackRate = 8; });
        return a.currentTime }"""
    )
    assert heard > seconds - 1.5
    assert "意外中断" in page.inner_text("main")
    assert faults == []


def test_the_wall_follows_the_recorder_and_the_county_signs(
    stage: Stage, world: Any, room: str
) -> None:
    office = stage.browser(world.people["office"], viewport={"width": 820, "height": 1180})
    wall = stage.browser(
        world.people["supervisor"], profile="b", viewport={"width": 1920, "height": 1080}
    )
    desk, screen = office.new_page(), wall.new_page()
    faults = faults_of(screen, faults_of(desk, []))
    desk.goto(f"{room}/room")
    screen.goto(f"{room}/wall")
    assert screen.inner_text("[data-part=clock]") == "05:00"
    desk.click("[data-do=start]")
    screen.wait_for_selector("[data-agenda][data-clock=running]")
    desk.click("[data-step='1']")
    until(lambda: "现场陈述" in screen.inner_text("[data-part=title]"))
    desk.click("[data-do=pause]")
    screen.wait_for_selector("[data-agenda][data-clock=paused]")
    before = screen.inner_text("[data-part=clock]")
    screen.reload()
    assert screen.inner_text("[data-part=clock]") == before and before.startswith("14:")
    desk.click("[data-do=resume]")
    screen.wait_for_selector("[data-agenda][data-clock=running]")
    with stage.database.write() as session:  # fifteen minutes later
        run = agenda.run_of(session, world.sitting(session))
        run.used_ms = 15 * 60_000 - 1500
        run.since, run.version = clock.now(), run.version + 1
        steps.append(session, None, "test.later")
    screen.wait_for_selector("[data-agenda][data-clock=up]")
    assert screen.inner_text("[data-part=clock]") == "00:00"
    assert "时间到" in screen.inner_text("[data-part=said]")
    desk.wait_for_selector("[data-agenda][data-clock=up]")
    assert not desk.is_visible("[data-do=resume]") and not desk.is_visible("[data-do=pause]")
    desk.click("[data-step='2']")
    screen.wait_for_selector("[data-agenda][data-clock=running]")
    box = desk.locator("canvas.signature")
    box.scroll_into_view_if_needed()
    at = box.bounding_box()
    desk.mouse.move(at["x"] + 40, at["y"] + 60)
    desk.mouse.down()
    for n in range(8):
        desk.mouse.move(at["x"] + 40 + 20 * n, at["y"] + 60 + (n % 2) * 30)
    desk.mouse.up()
    desk.fill("form[data-sign] [name=signed_name]", "虚拟陈述")
    desk.click("form[data-sign] button.primary")
    desk.wait_for_selector("text=已手写签名")
    with stage.database.read() as session:
        row = session.scalars(select(Statement)).one()
        assert row.confirmed_name == "虚拟陈述" and len(row.signature[0]) >= 5
    assert faults == []


AXE = "async () => (await axe.run(document)).violations.map((v) => [v.id, v.nodes.map((n) => n.html)])"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_in_both_languages(
    stage: Stage, world: Any, room: str, axe: str, lang: str
) -> None:
    sound, store = noise(3_000), stage.app.extensions["mingjian.store"]
    with stage.database.write() as session:
        sitting = world.sitting(session)
        began = clock.now() - timedelta(seconds=3)
        what = recordings.listed(
            {
                "origin": "recorded", "pieces": [[sha(sound), 3000]], "sha256": sha(sound),
                "duration_ms": 3000, "began_at": began.isoformat(),
                "marks": [{"kind": "mute", "at_ms": 1000, "at": began.isoformat()}],
            }
        )  # fmt: skip
        stored = store.put(sound, "x", {"audio/webm"})
        recordings.keep(session, world.people["office"], sitting=sitting, what=what, stored=stored)
        bookmarks.add_bookmark(
            session, world.expert(1), sitting=sitting, item="P1", words="核实数据"
        )
        agenda.act(session, world.people["office"], sitting=sitting, what="start", version=0)
        agenda.act(
            session, world.people["office"], sitting=sitting, what="go", version=1, position=1
        )
    context = stage.browser(world.people["office"], lang)
    page = context.new_page()
    faults = faults_of(page, [])
    pages = [
        ("office", world.people["office"], ("room", "wall", "record", "")),
        ("presenter", world.presenters[0], ("room", "record")),
        ("expert", world.expert(1), ("room", "listen")),
        ("supervisor", world.people["supervisor"], ("room", "wall")),
    ]
    for name, viewer, routes in pages:
        stage.sign_in(context, viewer, lang)
        for route in routes:
            answer = page.goto(f"{room}/{'room' if route == 'listen' else route}".rstrip("/"))
            assert answer.status == 200, (name, route)
            if route == "listen":
                page.click("form[action$='/listen'] button")
                page.wait_for_selector("audio")
            page.evaluate(axe)
            assert page.evaluate(AXE) == [], (name, route)
            sizes = [(1280, 800), (820, 1180)] + [(1920, 1080)] * (route == "wall")
            for width, height in sizes:
                page.set_viewport_size({"width": width, "height": height})
                wide = page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, (name, route, wide)
                if route == "wall" and width > 1000:
                    assert page.evaluate("document.documentElement.scrollHeight") <= height
                if os.environ.get("MINGJIAN_PICTURES"):
                    page.screenshot(
                        path=f"{os.environ['MINGJIAN_PICTURES']}/{lang}-{name}-{route or 'sitting'}-{width}.png",
                        full_page=route != "wall",
                    )
    assert faults == []
