"""Every kind of anomaly: planted data fire it and nothing else, the clean control does not.

One installation is built for the whole file; each test plants in a transaction that is rolled back.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app import clock
from app import keys as key_files
from app.accounts.models import Account
from app.config import Settings
from app.db import Base, Database
from app.draw import pool
from app.draw.models import Draw
from app.files.store import Store
from app.ledger import prove
from app.ledger.append import append
from app.ledger.models import SignedHead
from app.panel.models import Challenge, Panel, Sitting
from app.programme.models import Round
from app.registry.models import Interest
from app.supervision import anomalies, verification
from app.supervision.definitions import DEFINITIONS, PHONES, SKEW, STAFF_DAYS
from app.supervision.doctor import FILES
from tests.conftest import Make
from tests.draw import builders
from tests.supervision.oddities import DAY, PLANTS, World, first_seat


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, pg_server: str | None) -> Iterator[World]:
    home = tmp_path_factory.mktemp("kinds")
    keys = key_files.create(home / "keys")
    url = f"sqlite:///{home / 'mingjian.db'}"
    if pg_server is not None:
        from tests.conftest import _pg

        name = f"kinds_{os.getpid()}"
        _pg(pg_server, f"CREATE DATABASE {name}")
        url = pg_server.replace("/postgres?", f"/{name}?")
    database = Database(
        url,
        keys=keys,
        settings=Settings(home=Path(home), database_url=url),
        store=Store(home / "files"),
    )
    Base.metadata.create_all(database.engine)
    patched = pytest.MonkeyPatch()
    patched.setattr(pool, "DRILLS", 100)
    long_ago = clock.now() - (STAFF_DAYS + 70) * DAY
    with clock.fixed(long_ago, timedelta(seconds=1)), database.write() as session:
        staff = builders.Staff(session, Make())
        round_ = builders.make_round(session)
        builders.make_pool(session)
        asked = builders.request(session, staff, round_, parties=["office", "supervisor"])
        draw = builders.completed(session, staff, asked)
        panel = Panel(
            draw_id=draw.id, round_id=round_.id, stage="desk", code="P1", created_at=clock.now()
        )
        session.add(panel)
        session.flush()
        session.add(
            Sitting(
                panel_id=panel.id, subject_id=round_.subjects[0].id, position=1,
                on=clock.today(), with_statement=True,
            )
        )  # fmt: skip
        session.flush()
        append(session, None, "test.panel")
        made = World(database, keys, staff.office, staff.supervisor, draw.id, round_.id)
    yield made
    patched.undo()
    database.dispose()
    if pg_server is not None:
        _pg(pg_server, f"DROP DATABASE {name} WITH (FORCE)")


def test_every_kind_is_planted_here_or_verified_below():
    assert set(PLANTS) | {"ledger", "doctor"} == set(DEFINITIONS)


def test_the_clean_installation_fires_nothing(world):
    with world.planting() as session:
        assert world.counts(session) == Counter()


@pytest.mark.parametrize("code", sorted(PLANTS))
def test_planted_it_fires_and_nothing_else_does(world, code):
    with world.planting() as session:
        PLANTS[code](session, world, True)
        assert world.counts(session) == Counter({code: 1})
        (found,) = anomalies.overview(session, world.supervisor, None, "drill").found
        assert found.sentence.zh and found.sentence.en != found.sentence.zh


@pytest.mark.parametrize("code", sorted(PLANTS))
def test_the_nearest_innocent_thing_does_not_fire(world, code):
    with world.planting() as session:
        PLANTS[code](session, world, False)
        assert world.counts(session) == Counter()


def verified(session: Session, world: World) -> dict[str, tuple[int, str]]:
    """Number of faults and first fault of ledger and invariants, by name of the check."""
    session.flush()
    session.expire_all()
    made = verification.everything(session, world.keys, session.info["store"])
    view = anomalies.overview(session, world.supervisor, made, "drill")
    named = {c.name: (c.count, c.faults[0].en) for c in made.checks if c.count}
    assert view.counts["ledger"] == (verification.LEDGER in named)
    assert view.counts["doctor"] == len(set(named) - {verification.LEDGER})
    return named


def test_a_changed_row_fires_ledger_and_a_wrong_result_fires_doctor(world):
    """The builders' bare people and round break some invariants by themselves: the control."""
    with world.planting() as session:
        clean = verified(session, world)
        assert verification.LEDGER not in clean and "draw.result_recomputed" not in clean
        session.execute(text("UPDATE person SET name='冒名' WHERE id=(SELECT min(id) FROM person)"))
        assert set(verified(session, world)) - set(clean) == {verification.LEDGER}
    with world.planting() as session:
        draw = session.get_one(Draw, world.draw_id)
        (panel,) = draw.result["panels"]
        seats = [panel["seats"][1], panel["seats"][0], *panel["seats"][2:]]
        draw.result = {**draw.result, "panels": [{**panel, "seats": seats}]}
        append(session, None, "test.exchanged")
        broken = verified(session, world)
        assert "draw.result_recomputed" in broken and verification.LEDGER not in broken
    with world.planting() as session:
        assert verified(session, world) == clean


def test_a_stored_file_that_was_damaged_fires_doctor(world):
    store = Store(world.database.info["settings"].files)
    kept = store.keep(b"%PDF-1.4 an invented paper")
    digest = getattr(kept, "sha256", kept)
    with world.planting() as session:
        assert FILES not in verified(session, world)
        (path,) = [p for p in store.root.rglob("*") if p.is_file() and digest[4:] in p.name]
        path.chmod(0o600)
        path.write_bytes(b"%PDF-1.4 another paper")
        assert verified(session, world)[FILES][0] == 1
        path.unlink()


@pytest.mark.parametrize("seconds", [SKEW - 0.5, SKEW + 4])
def test_a_head_signed_before_its_last_entry_is_a_jump_of_the_clock(world, seconds):
    with world.planting() as session:
        now = prove.head(session)
        last = clock.now()
        with clock.fixed(last):
            append(session, None, "test.last")
        session.add(
            SignedHead(
                id="0" * 16, size=now.size + 1, note="x", reason="test",
                made_at=last - timedelta(seconds=seconds),
            )
        )  # fmt: skip
        assert world.counts(session) == Counter({"clock": 1} if seconds > SKEW else {})


@pytest.mark.parametrize(("after", "status", "region", "late"), [
    (1, "declared", builders.COUNTY, True), (1, "upheld", None, True),
    (-1, "declared", builders.COUNTY, False), (1, "withdrawn", builders.COUNTY, False),
    (1, "declared", "999999", False),
])  # fmt: skip
def test_an_interest_declared_after_the_draw(world, after, status, region, late):
    with world.planting() as session:
        draw = session.get_one(Draw, world.draw_id)
        session.add(
            Interest(
                expert_id=first_seat(session, world).expert_id, kind="kin", side="expert",
                region_code=region, evidence="测试", status=status,
                declared_at=draw.drawn_at + after * DAY,
            )
        )  # fmt: skip
        session.flush()
        append(session, None, "test.declared")
        assert world.counts(session) == Counter({"late_conflict": 1} if late else {})


@pytest.mark.parametrize("decision", ["upheld", "dismissed", None])
def test_a_challenge_counts_once_it_is_upheld(world, decision):
    with world.planting() as session:
        sitting = session.scalars(select(Sitting)).one()
        session.add(
            Challenge(
                sitting_id=sitting.id, seat_id=first_seat(session, world).id, reason="测试",
                raised_at=clock.now(), decision=decision,
            )
        )  # fmt: skip
        session.flush()
        append(session, None, "test.challenged")
        fired = Counter({"late_conflict": 1} if decision == "upheld" else {})
        assert world.counts(session) == fired


def test_many_numbers_unmasked_in_a_day_come_first(world):
    with world.planting() as session:
        for number in range(PHONES + 2):
            by = world.office if number < PHONES else world.supervisor
            append(session, by, "person.revealed", sealed=True, person=f"x{number}", reason="call")
        view = anomalies.overview(session, world.supervisor, None, "drill")
        first, second = [a.sentence.en for a in view.found if a.code == "phones"]
        assert first.startswith(f"{world.office.name} unmasked {PHONES} record(s)")
        assert first.endswith(": many") and "many" not in second and "unmasked 2 " in second


def test_another_kind_of_draw_is_not_mixed_in(world):
    """A drill's oddities stay out of the page of real draws."""
    with world.planting() as session:
        for code in ("aborts", "envelope", "dice"):
            PLANTS[code](session, world, True)
        session.flush()
        real = anomalies.overview(session, world.supervisor, None, "real").counts
        assert real == Counter() and sum(world.counts(session).values()) == 3
        session.execute(text("UPDATE draw SET kind='real' WHERE state='aborted'"))
        session.expire_all()
        assert anomalies.overview(session, world.supervisor, None, "real").counts == Counter(
            {"aborts": 1}
        )


def test_the_world_is_as_it_was(world):
    """Nothing that was planted stayed."""
    with world.database.read() as session:
        assert session.scalars(select(Round)).one().id == world.round_id
        assert len(session.scalars(select(Account)).all()) == 2
        assert prove.verify(session, world.keys).ok
