"""The same rows on SQLite and on PostgreSQL give the same transcript, byte for byte."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app import clock, installation
from app import keys as key_files
from app.backup import backup
from app.cli.admin import restore_command
from app.config import Settings
from app.db import Base, Database
from app.draw import ceremony, operations
from app.draw.models import Draw
from app.files.store import Store
from app.installation import Installation
from app.verify import verify_transcript
from tests.draw.builders import Staff, make_pool, make_round, request, to_dice
from tests.places import blank_database

AT = datetime(2012, 11, 18, 2, 0, tzinfo=UTC)


@pytest.fixture
def sqlite(tmp_path: Path) -> Any:
    """An installation on SQLite, whatever the tests run on."""
    home = tmp_path / "sqlite"
    home.mkdir()
    key_files.create(home / "keys")
    settings = Settings(home=home, database_url=f"sqlite:///{home / 'mingjian.db'}")
    keys, store = key_files.load(settings.keys), Store(settings.files)
    database = Database(settings.database_url, keys=keys, settings=settings, store=store)
    Base.metadata.create_all(database.engine)
    made = Installation(settings, keys, store, database)
    yield made
    made.close()


def finished(place: Installation, staff: Staff) -> tuple[bytes, str]:
    """The codes revealed, which draws: the transcript, and the key."""
    with place.database.write() as session, clock.fixed(AT):
        draw = session.scalars(select(Draw)).one()
        assert draw.state == "cosigned"
        for name in draw.request["parties"]:
            operations.reveal_code(session, staff.viewer(name), draw, name, staff.code(name))
        assert draw.state == "completed"
        return ceremony.transcript_of(draw), str(draw.key)


@pytest.mark.parametrize("mode", ["tickets", "lottery"])
def test_a_draw_ends_in_the_same_bytes_on_both(
    sqlite: Installation,
    tmp_path: Path,
    pg_server: str | None,
    monkeypatch: pytest.MonkeyPatch,
    make: Any,
    mode: str,
) -> None:
    if pg_server is None:
        pytest.skip("needs MINGJIAN_TEST_PG=1")
    with sqlite.database.write() as session:
        make_pool(session)
        staff = Staff(session, make)
        panel = {"mode": mode, "quotas": {"discipline": {"land": (1, 3), "law": (0, 1)}}}
        draw = request(session, staff, make_round(session, kind="real"), 7, panel=panel)
        to_dice(session, staff, draw)
    file = tmp_path / "saved.mjb"
    backup(sqlite, file)
    home = tmp_path / "postgresql"
    home.mkdir()
    with blank_database(pg_server, home) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        assert restore_command.callback
        restore_command.callback(home=str(home), source=file, keys=sqlite.settings.keys)
        there = installation.open_existing(home)
        assert sqlite.database.sqlite and not there.database.sqlite
        first, second = finished(sqlite, staff), finished(there, staff)
        there.close()
    assert first[0] == second[0] and first[1] == second[1]
    report = verify_transcript(first[0])
    assert report.ok, report.en
