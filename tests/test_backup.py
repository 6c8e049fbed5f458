"""Backup and restore: consistent under load, portable, and a damaged file changes nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app import backup as backups
from app import installation
from app import keys as key_files
from app.backup import backup, check, require_empty, restore
from app.cli.admin import restore_command, serve
from app.config import Settings
from app.db import Base, Database
from app.directory.models import Person
from app.domain.ledger.canonical import canonical
from app.domain.types import Conflict, DomainError
from app.files.store import Store
from app.installation import Installation
from app.keys import Keys
from app.ledger import prove, restored
from app.ledger.append import append
from app.ledger.models import Event
from app.supervision import anomalies_record
from tests.places import blank_database, bytes_under
from tests.rows import rows_everywhere

PHONE = "13900001234"
FILE = b"%PDF-1.4 an invented report " * 40
FLIPS = 200


@pytest.fixture
def parts(settings: Settings, keys: Keys, database: Database) -> Installation:
    """Rows in every table, a person with an encrypted phone, a stored file."""
    store = Store(settings.files)
    store.keep(FILE)
    with database.write() as session:
        rows_everywhere(session, keys)
        session.add(
            Person(name="测试甲", phone=keys.encrypt(PHONE), phone_index=keys.blind_index(PHONE))
        )
        append(session, None, "person.created")
    return Installation(settings, keys, store, database)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a second installation may go; nothing is there, and no DATABASE_URL points elsewhere."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return tmp_path / "second"


@pytest.fixture
def saved(parts: Installation, tmp_path: Path) -> Path:
    target = tmp_path / "saved.mjb"
    backup(parts, target)
    return target


def run_restore(home: Path, source: Path, keys: Path | None = None) -> None:
    """`mingjian restore`, in this process."""
    assert restore_command.callback
    restore_command.callback(home=str(home), source=source, keys=keys)


def verified(home: Path) -> prove.Report:
    found = installation.open_existing(home)
    with found.database.read() as session:
        report = prove.verify(session, found.keys)
    found.close()
    return report


def members(file: Path) -> dict[str, str]:
    """SHA-256 of every table's rows and every stored file."""
    found: dict[str, str] = check(file).manifest["members"]
    return found


def test_a_restore_elsewhere_has_the_same_head_tables_and_files(
    parts: Installation, saved: Path, place: Path, tmp_path: Path
) -> None:
    with parts.database.read() as session:
        head = prove.head(session)
    run_restore(place, saved, parts.settings.keys)
    report = verified(place)
    assert report.faults == [] and report.head == head and report.checkpoints == 1
    second = installation.open_existing(place)
    assert second.store.digests() == [hashlib.sha256(FILE).hexdigest()]
    assert second.store.open(second.store.digests()[0]).read() == FILE
    with second.database.read() as session:
        person = session.scalars(select(Person).where(Person.name == "测试甲")).one()
        assert second.keys.decrypt(person.phone or "") == PHONE
    backup(second, tmp_path / "again.mjb")
    second.close()
    assert members(tmp_path / "again.mjb") == members(saved)
    tables = [name for name in members(saved) if name.startswith("tables/")]
    assert len(tables) == len(Base.metadata.tables)


def test_it_moves_between_sqlite_and_postgresql(
    parts: Installation,
    saved: Path,
    tmp_path: Path,
    pg_server: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PostgreSQL, SQLite, PostgreSQL: the head and every table's digest stay the same."""
    if pg_server is None:
        pytest.skip("needs MINGJIAN_TEST_PG=1")
    file = saved
    for step, server in enumerate((None, pg_server, None)):
        home = tmp_path / f"step{step}"
        home.mkdir()
        with blank_database(server, home) as url:
            monkeypatch.setenv("DATABASE_URL", url)
            run_restore(home, file, parts.settings.keys)
            assert verified(home).faults == []
            there = installation.open_existing(home)
            assert there.database.sqlite == (server is None)
            file = tmp_path / f"step{step}.mjb"
            backup(there, file)
            there.close()
            assert members(file) == members(saved)
            assert check(file).head == check(saved).head


def test_backups_under_load_are_each_one_consistent_moment(
    parts: Installation, tmp_path: Path, place: Path
) -> None:
    """Three writers go on while backups are taken; each holds a head that verifies."""
    stop, written = threading.Event(), [0, 0, 0]

    def write(number: int) -> None:
        while not stop.is_set():
            with parts.database.write() as session:
                session.add(Person(name=f"测试写入{number}-{written[number]}"))
                append(session, None, "person.created", sealed=number == 1)
            written[number] += 1

    threads = [threading.Thread(target=write, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    heads = []
    try:
        for turn in range(3):
            before = sum(written)
            heads.append(backup(parts, tmp_path / f"{turn}.mjb"))
            while sum(written) < before + 5:
                stop.wait(0.01)
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=30)
    assert min(written) > 0 and heads[0].size < heads[1].size < heads[2].size
    with parts.database.read() as session:
        for head in heads:
            assert prove.verify(session, parts.keys, head).faults == []
    for turn, head in enumerate(heads):
        home = place / str(turn)
        run_restore(home, tmp_path / f"{turn}.mjb", parts.settings.keys)
        report = verified(home)
        assert report.faults == [] and report.head == head


# ---------- damage


@pytest.fixture(params=["nothing there", "an empty installation"])
def target(request: pytest.FixtureRequest, place: Path) -> Path:
    if request.param == "an empty installation":
        installation.create(place).close()
    return place


def refuse(home: Path, file: Path) -> None:
    before = bytes_under(home)
    with pytest.raises(DomainError) as refused:
        run_restore(home, file)
    assert "损坏" in refused.value.text.zh and "left unchanged" in refused.value.text.en
    assert bytes_under(home) == before


def test_a_truncated_file_is_refused_and_the_target_left_alone(
    saved: Path, target: Path, tmp_path: Path
) -> None:
    whole = saved.read_bytes()
    cuts = {len(whole) * part // 16 for part in range(16)} | {len(whole) - 1, len(whole) - 64, 63}
    for cut in sorted(cuts):
        short = tmp_path / "short.mjb"
        short.write_bytes(whole[:cut])
        refuse(target, short)
    longer = tmp_path / "longer.mjb"
    longer.write_bytes(whole + b"\0")
    refuse(target, longer)


def test_one_flipped_bit_anywhere_is_refused_and_the_target_left_alone(
    saved: Path, target: Path, tmp_path: Path
) -> None:
    whole = saved.read_bytes()
    places = {step * (len(whole) - 1) // (FLIPS - 1) for step in range(FLIPS)}
    assert len(places) == FLIPS
    bent_file = tmp_path / "bent.mjb"
    for number, where in enumerate(sorted(places)):
        bent = bytearray(whole)
        bent[where] ^= 1 << number % 8
        bent_file.write_bytes(bent)
        refuse(target, bent_file)


def test_other_files_are_refused_in_the_same_way(place: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for content in (b"", b"x" * 500, b"PK\x05\x06" + b"\0" * 18):
        other.write_bytes(content)
        refuse(place, other)
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("manifest.json", "[]")
    refuse(place, other)
    assert not place.exists()


def forge(saved: Path, target: Path, changed: dict[str, bytes]) -> None:
    """A backup remade around changed members: sealed, and signed with a key of the forger's."""
    forger = Keys(b"f" * 32, b"f" * 32, b"f" * 32)
    with zipfile.ZipFile(saved) as archive:
        content = {name: archive.read(name) for name in archive.namelist()} | changed
    manifest = json.loads(content["manifest.json"])
    manifest["members"] = {
        name: hashlib.sha256(data).hexdigest()
        for name, data in content.items()
        if not name.startswith("manifest.")
    }
    content["manifest.json"] = canonical(manifest)
    signature = forger.sign(content["manifest.json"])
    content["manifest.sig"] = f"{forger.public.hex()}:{signature.hex()}".encode()
    with zipfile.ZipFile(target, "w") as archive:
        archive.comment = b"0" * backups.SEAL
        for name, data in content.items():
            archive.writestr(name, data)
    body = target.read_bytes()[: -backups.SEAL]
    target.write_bytes(body + hashlib.sha256(body).hexdigest().encode())


def test_a_forged_backup_is_refused_by_the_ledger_inside(
    parts: Installation, saved: Path, place: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(saved) as archive:
        people = archive.read("tables/person.jsonl")
    forged = tmp_path / "forged.mjb"
    forge(saved, forged, {})
    check(forged)  # the forgery itself is well made ...
    forge(
        saved, forged, {"tables/person.jsonl": people.replace("测试甲".encode(), "测试乙".encode())}
    )
    empty = installation.create(place)
    with pytest.raises(DomainError, match="person .* differs from ledger entry|与账本第"):
        restore(empty, forged)
    require_empty(empty)  # ... and nothing of it stayed
    with pytest.raises(DomainError, match="not those of this backup"):
        run_restore(tmp_path / "third", forged, parts.settings.keys)
    assert not (tmp_path / "third").exists()
    forge(saved, forged, {"tables/person.jsonl": b""})
    with pytest.raises(DomainError):
        restore(empty, forged)
    require_empty(empty)
    empty.close()


# ---------- targets that are in use


def test_a_target_that_is_not_empty_is_refused_and_unchanged(
    parts: Installation, saved: Path, place: Path, tmp_path: Path
) -> None:
    run_restore(place, saved, parts.settings.keys)
    before = bytes_under(place)
    for keys in (None, parts.settings.keys):
        with pytest.raises(Conflict, match="left unchanged"):
            run_restore(place, saved, keys)
        assert bytes_under(place) == before
    shutil.rmtree(place / "keys")  # a database whose keys were lost is not given new ones
    before = bytes_under(place)
    for keys in (None, parts.settings.keys):
        with pytest.raises(Conflict):
            run_restore(place, saved, keys)
        assert bytes_under(place) == before


def test_a_backup_never_overwrites_a_file(parts: Installation, tmp_path: Path) -> None:
    there = tmp_path / "there.mjb"
    there.write_bytes(b"an older backup")
    with pytest.raises(Conflict, match="was not overwritten"):
        backup(parts, there)
    assert there.read_bytes() == b"an older backup"
    with pytest.raises(DomainError, match="no directory"):
        backup(parts, tmp_path / "nowhere" / "x.mjb")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home", "there.mjb"]


def test_a_backup_that_fails_leaves_no_file(
    parts: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_text: str) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        backup(parts, tmp_path / "x.mjb", full)
    assert [p.name for p in tmp_path.iterdir()] == ["home"]


# ---------- keys


def test_keys_are_not_in_the_backup(parts: Installation, saved: Path) -> None:
    haystacks = [saved.read_bytes()]
    with zipfile.ZipFile(saved) as archive:
        haystacks += [archive.read(name) for name in archive.namelist()]
    secrets = (parts.keys.ledger, parts.keys.field, parts.keys.cookie)
    for secret in secrets:
        forms = (secret, secret.hex().encode(), secret.hex().upper().encode())
        forms += (base64.b64encode(secret)[:42], base64.urlsafe_b64encode(secret)[:42])
        assert not any(form in data for form in forms for data in haystacks)
    assert not any(PHONE.encode() in data for data in haystacks)
    assert any(parts.keys.public.hex().encode() in data for data in haystacks)
    assert saved.stat().st_mode & 0o777 == 0o600


def test_without_its_keys_personal_data_stay_closed_and_it_says_so(
    parts: Installation, saved: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_restore(place, saved)
    said = capsys.readouterr().err
    assert "密钥不在备份中" in said and "cannot be decrypted" in said and str(place) in said
    second = installation.open_existing(place)
    with second.database.read() as session:
        person = session.scalars(select(Person).where(Person.name == "测试甲")).one()
        assert PHONE not in (person.phone or "")
        with pytest.raises(DomainError, match="put back the original field.key"):
            second.keys.decrypt(person.phone or "")
        faults = [fault.en for fault in prove.verify(session, second.keys).faults]
        assert faults and all("no valid signature by this key" in fault for fault in faults)
    second.close()
    for name in key_files.NAMES:  # the sealed copies are put back
        shutil.copy(parts.settings.keys / name, place / "keys" / name)
    again = installation.open_existing(place)
    with again.database.read() as session:
        person = session.scalars(select(Person).where(Person.name == "测试甲")).one()
        assert again.keys.decrypt(person.phone or "") == PHONE
        assert prove.verify(session, again.keys).ok
    again.close()


def test_an_empty_ledger_can_be_saved_and_restored(
    settings: Settings, keys: Keys, database: Database, tmp_path: Path, place: Path
) -> None:
    head = backup(Installation(settings, keys, Store(settings.files), database), tmp_path / "e.mjb")
    assert head.size == 0
    run_restore(place, tmp_path / "e.mjb", settings.keys)
    report = verified(place)
    assert report.ok and report.events == 0 and report.rows == 0


@pytest.fixture(autouse=True)
def _nothing_left_open(database: Database) -> Iterator[None]:
    yield
    with database.read() as session:  # the source is still in order after whatever was tried
        assert session.scalar(select(func.count()).select_from(Person)) is not None
        assert prove.verify(session, None).ok


def recorded(home: Path) -> list[dict[str, object]]:
    """Bodies of the entries that say that a backup was restored, with their numbers."""
    found = installation.open_existing(home)
    entries = said_of_restores(found)
    found.close()
    return entries


def said_of_restores(parts: Installation) -> list[dict[str, object]]:
    with parts.database.read() as session:
        bodies = [
            {**json.loads(event.payload), "seq": event.seq}
            for event in session.scalars(select(Event).order_by(Event.seq))
        ]
    return [body for body in bodies if body["kind"] == restored.RESTORED]


def test_the_first_writer_after_a_restore_records_it(
    parts: Installation, saved: Path, place: Path
) -> None:
    head, content = check(saved).head, check(saved)
    run_restore(place, saved, parts.settings.keys)
    assert verified(place).head == head and recorded(place) == []  # the head is the backup's
    second = installation.open_existing(place)
    with second.database.write() as session:
        before = prove.head(session)
        entry = append(session, None, "person.looked")
    assert before.size == head.size + 1 and entry.seq == head.size + 1
    second.close()
    (body,) = recorded(place)
    assert body["seq"] == head.size and body["actor"] is None and body["rows"] == []
    said = body["data"]
    assert isinstance(said, dict)
    assert said["head"] == str(head) and said["made_at"] == content.made_at
    assert said["file_sha256"] == hashlib.sha256(saved.read_bytes()).hexdigest()
    assert said["restored_at"] > content.made_at
    third = installation.open_existing(place)
    with third.database.write() as session:
        append(session, None, "person.looked")
    third.close()
    assert recorded(place) == [body]  # once
    assert verified(place).ok


def test_a_write_that_fails_leaves_the_restore_to_the_next(
    parts: Installation, saved: Path, place: Path
) -> None:
    run_restore(place, saved, parts.settings.keys)
    second = installation.open_existing(place)
    with pytest.raises(ZeroDivisionError), second.database.write() as session:
        append(session, None, "person.looked")
        raise ZeroDivisionError
    assert recorded(place) == []
    with second.database.write():
        pass  # what `serve` does before the first page
    second.close()
    assert [body["seq"] for body in recorded(place)] == [check(saved).head.size]
    assert verified(place).ok


def test_an_installation_that_was_never_restored_says_nothing(parts: Installation) -> None:
    with parts.database.write() as session:
        size = prove.head(session).size
        assert append(session, None, "person.looked").seq == size
    assert said_of_restores(parts) == []


def test_serve_records_a_restore_before_it_serves(
    parts: Installation, saved: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_restore(place, saved, parts.settings.keys)
    served: list[bool] = []
    monkeypatch.setattr(
        "gunicorn.app.wsgiapp.WSGIApplication.run", lambda _: served.append(bool(recorded(place)))
    )
    monkeypatch.setattr("sys.argv", ["mingjian"])
    monkeypatch.setenv("MINGJIAN_HOME", str(place))
    assert serve.callback
    serve.callback(home=str(place), host="127.0.0.1", port=0, workers=1)
    assert served == [True]


def test_a_restore_that_was_refused_leaves_no_word(
    parts: Installation, saved: Path, place: Path
) -> None:
    saved.write_bytes(saved.read_bytes()[:-100])
    with pytest.raises(DomainError):
        run_restore(place, saved, parts.settings.keys)
    assert not restored.path(place).exists()


def test_the_supervision_room_lists_the_restore(
    parts: Installation, saved: Path, place: Path
) -> None:
    run_restore(place, saved, parts.settings.keys)
    second = installation.open_existing(place)
    with second.database.read() as session:
        assert not [a for a in anomalies_record.find(session, {}, {}) if a.code == "restore"]
    with second.database.write():
        pass
    with second.database.read() as session:
        (found,) = [a for a in anomalies_record.find(session, {}, {}) if a.code == "restore"]
        size = check(saved).head.size
        assert "restored on" in found.sentence.en and f"to {size} entries" in found.sentence.en
        assert found.at == {"seq": size}
    second.close()
