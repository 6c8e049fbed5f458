"""A live server on 127.0.0.1 and a real browser; without a browser these tests fail, not skip."""

from __future__ import annotations

import dataclasses
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.serving import make_server

from app import installation
from app.accounts.models import Account
from app.draw.models import Draw, Seat
from app.exercise.crew import PASSWORD
from app.exercise.cycle import build_exercise
from app.exercise.live import SLUG as LIVE
from app.factory import create_app
from app.programme.models import Round
from app.registry.models import Expert
from tests.attacks.world import settings, world, world_template
from tests.chromium_path import chromium_path

__all__ = ["settings", "world", "world_template"]
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = chromium_path()
    assert path, "no Chromium: set MINGJIAN_BROWSER or install chromium"
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=path, args=ARGS)
        yield launched
        launched.close()


def serve(app: Any) -> tuple[str, Any]:
    """(address, server) of a running application."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}", server


@pytest.fixture(scope="session")
def exercise_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exercise") / "home"


@pytest.fixture(scope="session")
def exercise(exercise_home: Path) -> Iterator[str]:
    """The address of the exercise, served. MINGJIAN_TEST_EXERCISE names a home that `mingjian demo`
    made, to be copied instead of built."""
    home = exercise_home
    ready = os.environ.get("MINGJIAN_TEST_EXERCISE")
    if ready:
        shutil.copytree(ready, home)
    parts = installation.create(home)
    if not ready:
        build_exercise(parts, lambda line: None)
    demo = dataclasses.replace(parts.settings, demo=True)
    parts.close()
    app = create_app(demo)
    address, server = serve(app)
    yield address
    server.shutdown()
    app.extensions["mingjian.db"].dispose()


@pytest.fixture(scope="session")
def expert_login(exercise: str, exercise_home: Path) -> str:
    """Somebody who sits on the panel of the exercise's live round."""
    parts = installation.open_existing(exercise_home)
    with parts.database.read() as session:
        found = session.scalars(
            select(Account.login)
            .join(Expert, Expert.person_id == Account.person_id)
            .join(Seat, Seat.expert_id == Expert.id)
            .join(Draw, Seat.draw_id == Draw.id)
            .join(Round, Draw.round_id == Round.id)
            .where(Round.slug == LIVE, Seat.state == "confirmed")
            .order_by(Seat.number)
        ).first()
    parts.close()
    assert found
    return found


@pytest.fixture
def small(settings: Any) -> Iterator[tuple[str, Any]]:
    """(address, application) of the small world, as it really runs."""
    app = create_app(dataclasses.replace(settings, demo=True))
    address, server = serve(app)
    yield address, app
    server.shutdown()
    app.extensions["mingjian.db"].dispose()


class Reader:
    """One page with what went wrong on it: console errors and refused policy."""

    def __init__(self, chromium: Any, address: str, **options: Any) -> None:
        self.context = chromium.new_context(base_url=address, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.faults: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def _note(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(message.text)

    def sign_in(self, login: str, lang: str, password: str = PASSWORD) -> None:
        self.page.goto("/sign-in")
        if lang == "en":
            self.page.click("button[name=lang]")
        self.page.fill("[name=login]", login)
        self.page.fill("[name=password]", password)
        self.page.click("main form button")
        self.page.wait_for_url("**/")

    def text(self) -> str:
        """What stands on the page once its scripts, which are deferred, have run."""
        self.page.wait_for_load_state("load")
        return str(self.page.inner_text("main"))


@pytest.fixture
def reader(chromium: Any) -> Iterator[Any]:
    """`reader(address, **options)`: a browser context, closed at the end."""
    made: list[Reader] = []

    def new(address: str, **options: Any) -> Reader:
        options.setdefault("viewport", {"width": 1280, "height": 900})
        made.append(Reader(chromium, address, **options))
        return made[-1]

    yield new
    for one in made:
        one.context.close()


@pytest.fixture(scope="session")
def axe() -> str:
    from axe_playwright_python.base import AXE_FILE_PATH

    return Path(AXE_FILE_PATH).read_text("utf-8")
