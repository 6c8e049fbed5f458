"""What the overview may claim: the last full verification with its time, what follows from it, and
nothing that was not checked. A changed entry is found by the button, by both commands and by doctor."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from app import clock
from app.directory.models import Person
from app.domain.types import Text
from app.files.store import Store
from app.ledger import prove, since
from app.ledger.append import append
from app.ledger.models import Event
from app.supervision import anomalies, check_words, doctor, verification
from tests.supervision.test_heads import rehash, unlock

THEN = datetime(2012, 11, 20, 6, 5, tzinfo=UTC)  # 14:05 in Beijing


@pytest.fixture
def room(database: Any, settings: Any, keys: Any, make: Any) -> Any:
    """A supervisor, a few people and entries; (viewer, verify now, overview)."""
    with database.write() as session:
        viewer = make.viewer(session, "supervisor")
        for number in range(6):
            session.add(Person(name=f"测试{number}"))
            append(session, None, "test.person", number=number)
    store = Store(settings.files)

    def verify() -> verification.Verification:
        with database.read() as session, clock.fixed(THEN):
            made = verification.everything(session, keys, store, "测试监督")
        verification.keep(settings.home, made)
        return made

    def look() -> anomalies.Overview:
        with database.read() as session:
            return anomalies.overview(session, viewer, verification.last(settings.home), "drill")

    return dataclasses.make_dataclass("Room", ["viewer", "verify", "look"])(viewer, verify, look)


def grow(database: Any, count: int = 1) -> None:
    with database.write() as session:
        for number in range(count):
            session.add(Person(name=f"新增{number}"))
            append(session, None, "test.more", number=number)


def said(view: anomalies.Overview, code: str) -> list[str]:
    return [a.sentence.en for a in view.found if a.code == code]


def test_nothing_is_claimed_before_the_first_verification(room):
    view = room.look()
    assert view.kept is None and view.growth is None and not view.whole
    answers = {d.code: (n, asked) for d, n, _, asked in view.answers}
    assert answers["ledger"] == (0, False) and answers["doctor"] == (0, False)
    assert answers["paper"] == (0, True)


def test_it_is_kept_whole_and_read_back(room, settings):
    made = room.verify()
    assert made.ok and made.at == THEN and made.by == "测试监督" and made.rows >= 7
    assert verification.last(settings.home) == made
    assert [c.name for c in made.checks][:2] == [verification.LEDGER, doctor.FILES]
    view = room.look()
    assert view.whole and view.growth.new == 0
    assert view.present["ledger"].en == f"up to entry {made.last}"


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b"null", b"\xff", b'{"format":1}'])
def test_a_kept_file_that_cannot_be_read_is_none(room, settings, damage):
    room.verify()
    verification.path(settings.home).write_bytes(damage)
    assert verification.last(settings.home) is None and not room.look().whole


def test_a_kept_edge_that_does_not_fit_its_head_is_none(room, settings):
    room.verify()
    file = verification.path(settings.home)
    kept = verification.last(settings.home)
    file.write_text(file.read_text().replace(kept.edge[0].hex(), "00" * 32))
    assert verification.last(settings.home) is None


def test_later_entries_are_read_and_followed(room, database):
    made = room.verify()
    grow(database, 3)
    view = room.look()
    assert view.kept == made and view.whole
    assert (view.growth.new, view.growth.read, view.growth.rows) == (3, 3, 3)
    assert view.present["ledger"].en == f"up to entry {made.last}; 3 later ones follow from it"
    assert (
        view.present["doctor"].en == f"up to entry {made.last}"
    )  # invariants were not asked again


def test_too_many_later_entries_are_said_to_be_unread(room, database, monkeypatch):
    room.verify()
    monkeypatch.setattr(since.growth, "__defaults__", (2,))
    grow(database, 3)
    view = room.look()
    assert not view.whole and (view.growth.new, view.growth.read) == (3, 0)
    assert not view.growth.complete and view.growth.faults == ()


def test_an_old_entry_changed_afterwards_is_not_claimed_as_verified_now(room, database, keys):
    """The leaf hash is left as it was: only a full verification reads that entry again."""
    made = room.verify()
    unlock(database)
    with Session(database.engine) as raw, raw.begin():
        row = raw.get_one(Event, 2)
        row.payload = row.payload.replace("test.person", "test.parson")
    grow(database)
    view = room.look()
    assert view.kept.at == made.at == THEN  # the claim keeps its time
    assert view.present["ledger"].en.startswith(f"up to entry {made.last};")
    again = room.verify()
    assert not again.ok and again.checks[0].faults[0].en == "Entry 2 does not fit its leaf hash"
    view = room.look()
    assert not view.whole and view.growth is None
    assert "Entry 2 does not fit its leaf hash" in said(view, "ledger")[0]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_changed_row_is_found_if_a_later_entry_names_it(room, database, when):
    room.verify()
    with database.write() as session:
        person = session.scalars(select(Person).where(Person.name == "测试3")).one()
        if when == "after":
            person.name = "测试三"
            append(session, None, "test.renamed")
        key = person.id
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE person SET name='冒名' WHERE id=:k"), {"k": key})
    view = room.look()
    if when == "after":
        assert said(view, "ledger") == [
            f"person {key}: differs from ledger entry {view.growth.now.size - 1}"
        ]
        assert not view.whole
    else:
        assert said(view, "ledger") == [] and view.kept.at == THEN
    assert f"person {key}: differs from ledger entry" in room.verify().checks[0].faults[0].en


@pytest.mark.parametrize("what", ["rewritten", "cut", "deleted"])
def test_a_rehashed_ledger_does_not_follow_from_the_verified_head(room, database, keys, what):
    made = room.verify()
    grow(database, 2)
    unlock(database)
    with Session(database.engine) as raw, raw.begin():
        if what == "rewritten":
            row = raw.get_one(Event, 1)
            row.payload = row.payload.replace("test.person", "test.parson")
        elif what == "cut":
            for entry in raw.scalars(select(Event).where(Event.seq >= made.head.size - 1)):
                raw.delete(entry)
        else:
            raw.delete(raw.get_one(Event, 1))
    if what != "deleted":
        rehash(database, keys)
    view = room.look()
    (fault,) = said(view, "ledger")
    words = {"rewritten": "do not lead to the present head", "cut": "is no continuation",
             "deleted": "the head counts"}  # fmt: skip
    assert words[what] in fault and not view.whole


def test_commands_and_button_find_the_tampered_row(app, client_as, settings):
    """The page first claims what it knows, the button then finds the row; so do both commands."""
    database = app.extensions["mingjian.db"]
    client = client_as("supervisor")
    client.post("/language", data={"lang": "en", "language": "en"})
    page = client.get("/supervision")
    assert "has not been verified yet" in page.text and "Verified up to entry" not in page.text
    answer = client.post("/supervision/check")
    assert answer.status_code == 302 and answer.headers["Location"].endswith("/supervision")
    kept = verification.last(settings.home)
    page = client.get("/supervision").text
    assert f"Verified up to entry {kept.last}" in page
    assert kept.at.astimezone(clock.ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%d %H:%M") in page
    assert "is found only by verifying everything again" in page
    with database.engine.begin() as connection:
        connection.execute(
            text("UPDATE account SET login='x' || login WHERE id=(SELECT min(id) FROM account)")
        )
    page = client.get("/supervision").text
    assert f"Verified up to entry {kept.last}" in page  # and nothing newer
    watched = client.post("/supervision/check", data={"follow": "1"})
    assert (
        watched.status_code == 200 and "BROKEN" in watched.text and "/supervision" in watched.text
    )
    page = client.get("/supervision").text
    assert "The verification found faults" in page and "Nothing out of the ordinary" not in page
    doctor = client.get("/supervision/doctor").text
    assert "broken" in doctor and "differs from ledger entry" in doctor
    with database.read() as session:
        assert not prove.verify(session, app.extensions["mingjian.keys"]).ok


def test_the_two_commands_find_it_and_doctor_keeps_its_result(
    database, settings, keys, make, monkeypatch
):
    from click.testing import CliRunner

    from app import installation
    from app.cli.admin import doctor
    from app.cli.ledger import verify

    with database.write() as session:
        make.viewer(session, "supervisor")
    parts = installation.Installation(settings, keys, Store(settings.files), database)
    monkeypatch.setattr(installation, "open_existing", lambda home: parts)
    CliRunner().invoke(doctor, [])
    kept = verification.last(settings.home)
    assert kept.ledger_ok and kept.by == ""
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE person SET name='冒名'"))
    shown = CliRunner().invoke(doctor, [])
    assert shown.exit_code == 1 and f"BROKEN {verification.LEDGER}" in shown.output
    assert not verification.last(settings.home).ledger_ok
    told = CliRunner().invoke(verify, [])
    assert told.exit_code == 1 and "NOT verified" in told.output


def test_who_may_press_it(app, client_as):
    assert client_as("office").post("/supervision/check").status_code == 403
    answer = client_as("admin").post("/supervision/check")
    assert answer.status_code == 302 and answer.headers["Location"].endswith("/supervision/doctor")


def test_entries_before_the_kept_head_are_not_read(room, database):
    """The page's price follows what is new, not the ledger's length; nor does it claim the old ones."""
    grow(database, 40)
    kept = room.verify()
    grow(database)
    seen: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    with database.read() as session:
        found = since.growth(session, kept.head, list(kept.edge))
    assert (found.new, found.read, found.rows, found.complete) == (1, 1, 1, True)
    reading = [q for q in seen if "ledger_event.payload" in q]
    assert len(reading) == 1 and "WHERE ledger_event.seq >=" in reading[0]
    assert len(seen) <= 8


def test_progress_is_told_in_both_languages(room, database, keys, settings):
    told: list[Text] = []
    with database.read() as session:
        made = verification.everything(session, keys, Store(settings.files), "", told.append)
    assert len(told) == len(made.checks) + 1
    assert (
        told[1].en.startswith(f"1/{len(made.checks)} The ledger verifies") and "成立" in told[1].zh
    )
    assert clock.now() - made.at < timedelta(minutes=5)


def test_every_check_has_words_in_both_languages():
    """A page never shows the name by which the program calls a check."""
    names = [doctor.LEDGER, doctor.FILES, *(name for name, _ in doctor.ROOMS)]
    assert set(names) == set(check_words.NAMES) and len(names) == len(set(names))
    for name, title in check_words.NAMES.items():
        assert re.search(r"[\u4e00-\u9fff]", title.zh) and not re.search(r"[a-z]{2}", title.zh), (
            name
        )
        assert re.fullmatch(r"[A-Z][a-z ,\w]+", title.en) and "_" not in title.en, name
    assert verification.Check("draw.one_seat_a_day", 0, ()).title.zh == "一人一天只坐一席"
