"""The administrator's card: each thing that may be wrong, said with what to do; backups and restore
drills on record; and pages that stay readable when the disk is full or a key is gone."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app import backup as backups
from app import certificates, clock, drill
from app import keys as key_files
from app.accounts.models import SignIn
from app.cli import admin as commands
from app.config import Settings
from app.db import Base, Database
from app.directory.models import Person
from app.domain.types import Text
from app.files.store import Store
from app.home import care, keepsakes
from app.installation import Installation
from app.keys import Keys
from app.ledger.append import append
from app.ledger.models import Event
from app.supervision import verification

NOW = datetime.now(UTC)
GIB = care.GIB


def codes(findings: Iterator[care.Finding]) -> list[tuple[str, str]]:
    return [(found.code, found.kind) for found in findings]


class Usage(NamedTuple):
    total: int
    used: int
    free: int


# ---------- each finding


@pytest.mark.parametrize(
    ("free", "total", "low"),
    [
        (GIB, 20 * GIB, False),
        (GIB - 1, 20 * GIB, True),
        (5 * GIB - 1, 100 * GIB, True),
        (5 * GIB, 100 * GIB, False),
        (0, 0, True),
    ],
)
def test_a_disk_is_low_below_one_gibibyte_or_a_twentieth(free: int, total: int, low: bool) -> None:
    found = list(care.disk(free, total))
    assert [f.code for f in found] == (["disk"] if low else [])
    if low:
        assert f"{free // 1024**2} MB" in found[0].what.en and "files" in found[0].todo.en


def test_a_clock_behind_the_last_entry_is_said_with_both_times(settings: Settings) -> None:
    last = datetime(2026, 11, 22, 4, 0, 0, tzinfo=UTC)
    assert list(care.clock_back(last, last, settings)) == []
    assert list(care.clock_back(last, None, settings)) == []
    (found,) = care.clock_back(last - timedelta(seconds=1), last, settings)
    assert "2026-11-22 11:59:59" in found.what.en and "2026-11-22 12:00:00" in found.what.zh
    assert found.kind == "wrong"


def test_each_key_file_is_there_in_use_and_ones_own(tmp_path: Path) -> None:
    keys = key_files.create(tmp_path / "keys")
    directory = tmp_path / "keys"
    assert list(care.key_state(directory, keys)) == []
    (directory / "field.key").chmod(0o640)
    (found,) = care.key_state(directory, keys)
    assert (found.code, found.kind) == ("key_mode", "wrong")
    assert "640" in found.what.zh and f"chmod 600 {directory / 'field.key'}" in found.todo.en
    (directory / "field.key").write_text("00" * 32)
    (directory / "ledger.key").write_text("no hex")
    (directory / "cookie.key").unlink()
    assert [(f.code, f.what.en.split()[-1]) for f in care.key_state(directory, keys)][:3] == [
        ("key_changed", "use"), ("key_changed", "use"), ("key_missing", "cookie.key"),
    ]  # fmt: skip
    certificates.make(tmp_path / "tls", ["review.lan"], NOW)
    (tmp_path / "tls" / "office.key").chmod(0o604)
    assert "office.key" in list(care.key_state(directory, keys))[-1].what.en


def test_the_certificate_is_warned_of_thirty_days_before(settings: Settings) -> None:
    known = certificates.make(settings.tls, ["review.lan"], NOW)
    end = known.server_until
    for before, expected in ((31, []), (29, ["waits"]), (0, ["waits"]), (-1, ["wrong"])):
        found = list(care.certificate(known, end - timedelta(days=before), settings))
        assert [f.kind for f in found] == expected, before
        assert all("mingjian cert renew" in f.todo.zh for f in found)
    assert codes(care.certificate(None, NOW, settings)) == [("certificate", "wrong")]


def test_age_of_backup_and_drill() -> None:
    saved = keepsakes.Saved(NOW, "a.mjb", "mj1:1:x", 5, "0" * 64)
    assert codes(care.backups(None, NOW)) == [("backup", "waits")]
    assert codes(care.backups(saved, NOW + timedelta(days=2))) == []
    (old,) = care.backups(saved, NOW + timedelta(days=3, hours=1))
    assert "3 days old" in old.what.en and "3 天" in old.what.zh
    well = keepsakes.Drill(NOW, "a.mjb", "", "", True, 1, Text("好", "well"))
    assert codes(care.drills(None, NOW)) == [("drill", "waits")]
    assert codes(care.drills(well, NOW + timedelta(days=90))) == []
    assert codes(care.drills(well, NOW + timedelta(days=91))) == [("drill", "waits")]
    (bad,) = care.drills(dataclasses.replace(well, ok=False, said=Text("坏", "broken")), NOW)
    assert bad.kind == "wrong" and "broken" in bad.what.en and "坏" in bad.what.zh


def test_what_is_kept_comes_back_and_a_torn_file_is_none(tmp_path: Path) -> None:
    saved = keepsakes.Saved(NOW, "备份.mjb", "mj1:1:x", 5, "0" * 64)
    made = keepsakes.Drill(NOW, "备份.mjb", "then", "mj1:1:x", True, 3, Text("好", "well"))
    assert keepsakes.last_saved(tmp_path) is None and keepsakes.last_drill(tmp_path) is None
    keepsakes.keep_saved(tmp_path, saved)
    keepsakes.keep_drill(tmp_path, made)
    assert keepsakes.last_saved(tmp_path) == saved and keepsakes.last_drill(tmp_path) == made
    assert sorted(p.name for p in tmp_path.iterdir()) == ["backup.json", "drill.json"]
    for name in ("backup.json", "drill.json"):
        whole = (tmp_path / name).read_bytes()
        for broken in (whole[:-4], b"[]", b"null", whole.replace(b'"format": 1', b'"format": 2')):
            (tmp_path / name).write_bytes(broken)
            assert keepsakes.last_saved(tmp_path) is None or name != "backup.json"
            assert keepsakes.last_drill(tmp_path) is None or name != "drill.json"
        (tmp_path / name).write_bytes(whole)


# ---------- the page


@pytest.fixture
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100 * GIB, 50 * GIB, 50 * GIB))


def test_the_administrator_reads_all_of_it_and_nobody_else_does(
    client_as: Any, settings: Settings, roomy: None
) -> None:
    admin = client_as("admin")
    page = admin.get("/").text
    for words in ("系统维护", "还没有备份", "还没有做过恢复演练", "还没有做过全面检查", "50 GB"):
        assert words in page
    keepsakes.keep_saved(
        settings.home, keepsakes.Saved(clock.now(), "夜.mjb", "mj1:1:x", 3 * 1024**2, "")
    )
    good = keepsakes.Drill(clock.now(), "夜.mjb", "", "", True, 1, Text("头相同", "same head"))
    keepsakes.keep_drill(settings.home, good)
    answer = admin.post("/supervision/check")
    assert answer.status_code == 302
    page = admin.get("/").text
    for words in (
        "不到 1 小时前",
        "3.0 MB",
        "头相同",
        "全部成立",
        "磁盘、时钟、密钥、备份和检查都正常",
    ):
        assert words in page, words
    admin.post("/language", data={"lang": "en"})
    page = admin.get("/").text
    assert "Care of the installation" in page and "less than 1 hour ago" in page
    for role in ("office", "keeper", "supervisor"):
        assert "系统维护" not in client_as(role).get("/").text


def test_what_is_wrong_is_said_on_the_page_and_the_page_still_opens(
    client_as: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100 * GIB, 99 * GIB, 300 * 1024**2))
    admin = client_as("admin")
    (settings.keys / "field.key").unlink()
    certificates.make(settings.tls, ["review.lan"], clock.now() - timedelta(days=380))
    with clock.fixed(clock.now() - timedelta(hours=1)):
        answer = admin.get("/")
    assert answer.status_code == 200
    for words in ("只剩 300 MB", "密钥文件不见了：field.key", "时钟倒走", "服务器证书还有"):
        assert words in answer.text, words
    assert "都正常" not in answer.text


def test_a_broken_invariant_is_counted_on_the_page_and_names_nobody(
    client_as: Any, make: Any, settings: Settings, roomy: None
) -> None:
    admin = client_as("admin")
    database: Database = admin.application.extensions["mingjian.db"]
    with database.write() as session:
        other = make.viewer(session, "expert").person_id
    change = text("UPDATE person SET name = '改过的名字' WHERE id = :id")
    with database.engine.begin() as connection:
        connection.execute(change, {"id": other})
    admin.post("/supervision/check")
    kept = verification.last(settings.home)
    assert kept is not None and not kept.ok
    page = admin.get("/").text
    assert "全面检查发现 1 项不成立" in page and "改过的名字" not in page
    with database.read() as session:
        for name in session.scalars(text("SELECT name FROM person")).all():  # type: ignore[call-overload]
            assert name == admin.viewer.name or name not in page, name


def test_the_card_costs_one_query_however_much_there_is(client_as: Any, settings: Settings) -> None:
    from sqlalchemy import event

    database: Database = client_as("admin").application.extensions["mingjian.db"]
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    with database.read() as session:
        asked.clear()
        found = care.look(session, settings, key_files.load(settings.keys))
    assert len([sql for sql in asked if sql.startswith("SELECT")]) == 1
    assert {f.code for f in found.findings} >= {"backup", "drill", "checks"}


def test_on_a_full_disk_people_still_read(client_as: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_as("office")
    database: Database = client.application.extensions["mingjian.db"]
    with database.write() as session:
        row = session.scalars(select(SignIn).where(SignIn.account_id == client.viewer.id)).one()
        row.last_seen_at = clock.now() - timedelta(minutes=5)  # so that a request would note it

    def full(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Database, "write", full)
    assert client.get("/").status_code == 200
    answer = client.post("/language", data={"lang": "en"})
    assert answer.status_code == 302  # writes nothing
    answer = client.post(f"/account/sessions/{row.id}/end")
    assert (
        answer.status_code == 503 and "disk full" in answer.text and "Retry-After" in answer.headers
    )


# ---------- backups and drills


@pytest.fixture
def place(
    settings: Settings, keys: Keys, database: Database, monkeypatch: pytest.MonkeyPatch
) -> Installation:
    """An installation as the command line opens it, with somebody whose phone is encrypted. Its schema
    was made whole, not by migrations, which have tests of their own."""
    with database.write() as session:
        phone = "13900001234"
        session.add(
            Person(
                name="测试甲",
                phone=keys.encrypt(phone),
                phone_index=keys.blind_index("phone|" + phone),
            )
        )
        append(session, None, "person.created")
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("MINGJIAN_HOME", str(settings.home))
    monkeypatch.setattr("app.migrate.require_head", lambda _: None)
    monkeypatch.setattr("app.migrate.upgrade", lambda made: Base.metadata.create_all(made.engine))
    return Installation(settings, keys, Store(settings.files), database)


def entries(session: Session, kind: str) -> list[dict[str, Any]]:
    bodies = map(json.loads, session.scalars(select(Event.payload).order_by(Event.seq)))
    return [body["data"] for body in bodies if body["kind"] == kind]


def test_a_backup_records_itself(
    place: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "night.mjb"
    assert commands.backup_command.callback
    commands.backup_command.callback(home=None, target=target)
    said = capsys.readouterr()
    kept = keepsakes.last_saved(place.settings.home)
    assert kept is not None and kept.file == "night.mjb" and said.err == ""
    assert kept.head == str(backups.check(target).head) and f"head {kept.head}" in said.out
    assert kept.sha256 == backups.sha256_of(target) and kept.size == target.stat().st_size
    with place.database.read() as session:
        (entry,) = entries(session, "installation.backed_up")
    assert entry == {"head": kept.head, "file_sha256": kept.sha256, "bytes": kept.size}


def test_a_backup_that_cannot_be_put_on_record_is_a_backup_all_the_same(
    place: Installation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keepsakes, "keep_saved", full)
    assert commands.backup_command.callback
    commands.backup_command.callback(home=None, target=tmp_path / "x.mjb")
    assert "could not be put on record" in capsys.readouterr().err
    backups.check(tmp_path / "x.mjb")


def test_a_drill_restores_checks_and_leaves_nothing(
    place: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = place.settings.home
    target = tmp_path / "night.mjb"
    head = backups.backup(place, target)
    before = sorted(p.name for p in home.iterdir())
    for name, age in (("drill-cut-off", 90000), ("drill-running", 60)):  # seconds
        (home / name).mkdir()
        os.utime(home / name, (time.time() - age,) * 2)
    assert commands.restore_command.callback
    commands.restore_command.callback(home=None, source=target, keys=None, drill=True)
    made = keepsakes.last_drill(home)
    assert made is not None and made.ok and made.head == str(head)
    assert "same head" in made.said.en and "drill well" in capsys.readouterr().out
    assert sorted(p.name for p in home.iterdir()) == sorted(
        [*before, "drill.json", "drill-running"]
    )
    with place.database.read() as session:
        (entry,) = entries(session, "installation.drilled")
        assert entry["ok"] is True and entry["head"] == str(head)
        assert entries(session, "installation.restored") == []  # nothing was restored here


def test_a_drill_that_fails_says_why_and_is_kept(
    place: Installation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home, target = place.settings.home, tmp_path / "night.mjb"
    backups.backup(place, target)

    def fails(source: Path, keys: Path = place.settings.keys) -> keepsakes.Drill:
        made = drill.drill(source, place.settings, keys)
        assert not made.ok and not list(home.glob("drill-*"))
        return made

    key_files.create(tmp_path / "other")
    assert "not those of this backup" in fails(target, tmp_path / "other").said.en
    assert "ledger.key" in fails(target, tmp_path / "none").said.en
    torn = tmp_path / "torn.mjb"
    torn.write_bytes(target.read_bytes()[:-100])
    assert "damaged" in fails(torn).said.en
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: Usage(GIB, GIB, 100 * 1024**2))
        assert "too little disk space" in fails(target).said.en
    with monkeypatch.context() as patch:  # something in it is broken
        broken = verification.Check("an invariant", 2, ())
        real = verification.everything
        patch.setattr(
            verification,
            "everything",
            lambda *a: dataclasses.replace(real(*a), checks=(broken,)),
        )
        assert "an invariant" in fails(target).said.en
    shutil.copytree(place.settings.keys, tmp_path / "mixed")  # the field key alone is another
    (tmp_path / "mixed" / "field.key").write_text("ab" * 32)
    assert "Cannot decrypt" in fails(target, tmp_path / "mixed").said.en
    assert commands.restore_command.callback
    with pytest.raises(SystemExit) as ended:
        commands.restore_command.callback(home=None, source=torn, keys=None, drill=True)
    assert ended.value.code == 1 and "恢复演练没有成功" in capsys.readouterr().err
    kept = keepsakes.last_drill(home)
    assert kept is not None and not kept.ok and kept.file == "torn.mjb"
    with place.database.read() as session:
        assert [entry["ok"] for entry in entries(session, "installation.drilled")] == [False]
