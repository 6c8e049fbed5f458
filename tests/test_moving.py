"""`mingjian move`: another database and another directory, every table and the ledger's head the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from app import backup as backups
from app import installation, moving
from app.cli.move import move_command
from app.config import Settings
from app.db import Base, Database
from app.domain.types import Conflict, DomainError
from app.files.store import Store
from app.installation import Installation
from app.keys import Keys
from app.ledger import prove
from tests.places import blank_database, bytes_under
from tests.rows import rows_everywhere

FILE = b"%PDF-1.4 an invented report " * 40


@pytest.fixture
def parts(settings: Settings, keys: Keys, database: Database) -> Installation:
    """Rows in every table, a stored file, an address."""
    store = Store(settings.files)
    store.keep(FILE)
    (settings.home / "public-url").write_text("https://review.lan:8443\n", "utf-8")
    with database.write() as session:
        rows_everywhere(session, keys)
    return Installation(settings, keys, store, database)


def test_there_and_back_again(
    parts: Installation, tmp_path: Path, pg_server: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With MINGJIAN_TEST_PG=1: PostgreSQL to SQLite to PostgreSQL; else SQLite to SQLite twice."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    head, tables = moving.table_digests(parts.database)
    there = moving.move(parts, tmp_path / "a", f"sqlite:///{tmp_path / 'a' / 'mingjian.db'}")
    assert (there.head, there.tables) == (head, tables)
    assert len(tables) == len(Base.metadata.tables) and sum(t.rows for t in tables) > 100
    second = installation.open_existing(tmp_path / "a")
    assert second.keys == parts.keys and second.store.digests() == parts.store.digests()
    assert second.settings.public_url == "https://review.lan:8443"
    with second.database.read() as session:
        assert prove.verify(session, second.keys).faults == []
    blank = tmp_path / "blank"
    blank.mkdir()
    with blank_database(pg_server, blank) as url:
        back = moving.move(second, tmp_path / "b", url)
        assert (back.head, back.tables) == (head, tables)
    second.close()


def test_a_move_that_lost_something_is_taken_back(
    parts: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restore that loses a row of a table outside the ledger is found by the comparison."""
    whole = backups.restore

    def lossy(there: Installation, *given: Any) -> Any:
        head = whole(there, *given)
        with there.database.engine.begin() as connection:
            gone = connection.execute(text("DELETE FROM throttle"))
            assert gone.rowcount >= 1
        return head

    monkeypatch.setattr(backups, "restore", lossy)
    home = tmp_path / "new"
    with pytest.raises(DomainError) as caught:
        moving.move(parts, home, f"sqlite:///{home / 'mingjian.db'}")
    assert "throttle" in caught.value.text.zh and not home.exists()


def test_what_is_in_use_is_refused_and_left_alone(parts: Installation, tmp_path: Path) -> None:
    used = tmp_path / "used"
    used.mkdir()
    (used / "note").write_text("mine")
    other = tmp_path / "other"
    moving.move(parts, other, f"sqlite:///{other / 'mingjian.db'}")
    before = bytes_under(used), bytes_under(other)
    for home, url in (
        (used, f"sqlite:///{used / 'mingjian.db'}"),
        (tmp_path / "third", f"sqlite:///{other / 'mingjian.db'}"),  # somebody's tables
        (tmp_path / "third", parts.settings.database_url),
    ):
        with pytest.raises(Conflict):
            moving.move(parts, home, url)
    assert (bytes_under(used), bytes_under(other)) == before
    assert not (tmp_path / "third").exists()


def test_the_command_says_each_table(
    parts: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    home = tmp_path / "a"
    moving.move(parts, home, f"sqlite:///{home / 'mingjian.db'}")
    told = CliRunner().invoke(move_command, ["--home", str(home), str(tmp_path / "new")])
    assert told.exit_code == 0, told.output
    head, tables = moving.table_digests(parts.database)
    assert str(head) in told.output and "逐表一致" in told.output and "are equal" in told.output
    person = next(t for t in tables if t.name == "person")
    assert f"{person.sha256[:16]}  {person.rows:>8}  person" in told.output
