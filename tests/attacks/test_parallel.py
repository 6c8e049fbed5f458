"""Races (threat T26): what must happen once happens once, however many requests come together.

Each request of acts.py is sent once on one installation and many times at the same moment on a twin.
The twin must end with the same number of rows in every table and the same ledger entries; whoever came
too late is told so, and no answer is a server error. `MINGJIAN_PARALLEL` sends more than eight.
"""

from __future__ import annotations

import copy
import json
import os
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app import keys as key_files
from app.accounts import operations as accounts
from app.accounts.models import Account
from app.db import Base
from app.factory import create_app
from app.ledger import prove
from app.ledger.models import Event, Secret
from tests.aggregation import builders as scored
from tests.attacks.acts import ACTS, Act, Shot
from tests.attacks.world import Template, World, _execute, copy_of

TIMES = int(os.environ.get("MINGJIAN_PARALLEL", "8"))
# Failures are counted, and refusals of the draw room recorded, for each request, as they should be.
UNCOUNTED = {"throttle", "draw_refusal"}
REFUSED = "draw.attempt_refused"


@pytest.fixture(scope="session")
def grounds(
    tmp_path_factory: Any, world_template: Template, schema: str, pg_server: str | None
) -> Callable[[str], Template]:
    """Templates by name, built when first asked for."""
    made = {"world": world_template}

    def ground(name: str) -> Template:
        if name not in made and name == "scored":
            home, source = scored.template(tmp_path_factory, pg_server, schema)
            made[name] = Template(home, source if pg_server else f"{home}/mingjian.db", World())
        elif name not in made:
            home = tmp_path_factory.mktemp("parallel-blank")
            key_files.create(home / "keys")
            (home / "files").mkdir()
            made[name] = Template(home, schema, World())
        (made[name].home / "files").mkdir(exist_ok=True)
        return made[name]

    return ground


@pytest.fixture
def twin(
    tmp_path: Path, grounds: Callable[[str], Template], pg_server: str | None
) -> Iterator[Callable[[Act], tuple[Any, Shot]]]:
    """`twin(act)`: an installation of its own where the act is about to happen, and its request."""
    opened: list[tuple[Any, str]] = []

    def make(act: Act) -> tuple[Any, Shot]:
        template = grounds(act.ground)
        home = tmp_path / f"twin{len(opened)}"
        home.mkdir()
        name = f"twin_{os.getpid()}_{abs(hash(str(home))) % 10**10}"
        app = create_app(copy_of(template, home, pg_server, name))
        app.config["WTF_CSRF_ENABLED"] = False
        opened.append((app, name))
        with app.extensions["mingjian.db"].write() as session:
            shot = act.prepare(session, copy.deepcopy(template.world))
        return app, shot

    yield make
    for app, name in opened:
        app.extensions["mingjian.db"].dispose()
        if pg_server is not None:
            _execute(pg_server, f"DROP DATABASE {name} WITH (FORCE)")


def fire(app: Any, shot: Shot, times: int) -> list[Any]:
    """The same request from `times` threads at one moment, each with its own client."""
    token = None
    if shot.viewer is not None:
        with app.extensions["mingjian.db"].write() as session:
            account = session.get(Account, shot.viewer.id)
            token = accounts.open_sign_in(session, account, agent="t", address="127.0.0.1", hours=1)
    gate = threading.Barrier(times)
    answers: list[Any] = []

    def send() -> None:
        client = app.test_client()
        if token is not None:
            with client.session_transaction() as cookie:
                cookie["_user_id"], cookie["_fresh"] = token, True
        gate.wait()
        sent = {"data": shot.form} if shot.json is None else {"json": shot.json}
        answers.append(client.post(shot.path, **sent))

    threads = [threading.Thread(target=send) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(answers) == times, "a request never came back"
    return answers


def state(app: Any) -> tuple[Counter[str], Counter[str]]:
    """(rows of every table, ledger entries by kind, sealed ones by what is inside)."""
    with app.extensions["mingjian.db"].read() as session:
        rows = Counter(
            {
                table.name: session.scalar(select(func.count()).select_from(table)) or 0
                for table in Base.metadata.sorted_tables
                if table.name not in UNCOUNTED
            }
        )
        bodies = [*session.scalars(select(Event.payload)), *session.scalars(select(Secret.body))]
        kinds = Counter(json.loads(body)["kind"] for body in bodies)
        rows["ledger_event"] -= kinds.pop(REFUSED, 0)
        return rows, kinds


def refusals(app: Any) -> int:
    """Entries of refused attempts at a draw."""
    with app.extensions["mingjian.db"].read() as session:
        found = session.scalars(select(Event.payload).where(Event.payload.contains(REFUSED)))
        return len(found.all())


def said(answer: Any) -> str:
    """What the page tells a person, without its frame."""
    page = answer.get_data(as_text=True)
    main = page.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)).strip()


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name.replace(" ", "-"))
def test_what_must_happen_once_happens_once(twin: Any, act: Act) -> None:
    once, shot = twin(act)
    before = state(once)
    (single,) = fire(once, shot, 1)
    assert single.status_code in (200, 302), said(single)
    many, shot = twin(act)
    assert state(many) == before, "the twins start alike"
    answers = fire(many, shot, TIMES)
    rows, entries = state(many)
    wanted_rows, wanted_entries = state(once)
    assert wanted_entries - before[1] != Counter(), "the act leaves an entry"
    assert entries == wanted_entries
    assert rows == wanted_rows
    statuses = Counter(answer.status_code for answer in answers)
    for late in (answer for answer in answers if answer.status_code >= 500):
        # The one answer above 500 that is meant: no place to hash in, nothing was tried.
        assert late.status_code == 503 and "不计入错误次数" in said(late), statuses
    assert single.status_code in statuses, statuses
    refused = sum(400 <= answer.status_code < 500 for answer in answers)
    assert refusals(many) == (refused if "/draws/" in shot.path else 0), (
        "each late one is on record"
    )
    for answer in answers:
        if answer.status_code >= 400:
            assert re.search(r"[\u4e00-\u9fff]{6,}", said(answer)), answer.status_code
        else:
            assert answer.status_code == single.status_code, "the same answer or a refusal"
    with many.extensions["mingjian.db"].read() as session:
        assert prove.verify(session, many.extensions["mingjian.keys"]).faults == []


def test_the_comparison_sees_an_act_that_happens_each_time(twin: Any) -> None:
    """The control: making invitations is meant to happen as often as it is asked for."""
    act = Act(
        "invite", lambda _s, world: Shot(world.people["admin"], "/accounts", {"role": "keeper"})
    )
    once, shot = twin(act)
    fire(once, shot, 1)
    many, shot = twin(act)
    fire(many, shot, 3)
    rows, entries = state(many)
    wanted_rows, wanted_entries = state(once)
    assert rows["invitation"] - wanted_rows["invitation"] == 2
    assert entries["invitation.made"] - wanted_entries["invitation.made"] == 2
