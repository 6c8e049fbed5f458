"""The field application's engine against the real server: a tablet's whole day, and two tablets of one
expert. What the tablet believes and what the server holds are compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.accounts import operations
from app.domain.scoring.sheets import sheet_items
from app.factory import create_app
from app.field.imports import owner_of, read_package
from app.field.models import FieldOp
from app.field.push import Push
from app.scoring.models import Sheet
from tests.attacks import world as steps
from tests.attacks.world import settings, world, world_template
from tests.browser.field_tablet import (
    Device,
    all_sent,
    bound,
    put,
    shown,
    started,
    state,
    unlocked,
    until,
)
from tests.browser.test_browser_field_faults import PHOTO
from tests.field.conftest import code_for
from tests.web.conftest import serve

__all__ = ["settings", "world", "world_template"]


@pytest.fixture
def site(settings: Any, database: Any, world: Any) -> Iterator[tuple[str, Any, str]]:
    """(address, application, key of the first expert's sheet), scoring open."""
    with database.write() as session:
        key = steps.to_scoring(session, world).id
    app = create_app(dataclasses.replace(settings, demo=True))
    address, server = serve(app)
    yield address, app, key
    server.shutdown()
    app.extensions["mingjian.db"].dispose()


@pytest.fixture
def tablet(chromium: Any, tmp_path: Path, site: Any, world: Any) -> Iterator[Callable[[str], Any]]:
    """`tablet(name)`: another tablet of the first expert, bound, its package taken along."""
    address, app, _ = site
    made: list[Device] = []

    def new(name: str) -> Device:
        device = Device(chromium.browser_type, tmp_path / name, address)
        made.append(device)
        bound(device.open(), code_for(app, world.people["office"], world.expert(1)))
        return device

    yield new
    for device in made:
        device.close()
        assert device.faults == []


def exported(page: Any) -> bytes:
    script = (
        "async () => [...new Uint8Array(await (await store.exportPackage()).blob.arrayBuffer())]"
    )
    return bytes(page.evaluate(script))


def sheet_now(database: Any, world: Any) -> Any:
    with database.read() as session:
        seat = world.site.seats[0]
        wanted = select(Sheet).where(Sheet.seat_id == seat, Sheet.state != "superseded")
        return session.scalars(wanted.order_by(Sheet.revision.desc())).first()


def test_a_day_from_code_to_receipt(tablet: Any, site: Any, database: Any, world: Any) -> None:
    _, _, key = site
    device = tablet("one")
    page, name = device.page, world.expert(1).name
    assert shown(page, key)["status"] == "draft", shown(page, key)["why"]
    form = page.evaluate("(key) => store.sheet(key).instrument", key)
    marks = steps.complete_marks([item for item in sheet_items(form) if item["applies"]])
    until(lambda: state(page)["swVersion"])
    device.context.set_offline(True)
    for path, value in marks.items():
        put(page, value, path, key)
    item = next(iter(marks)).partition(".")[0]
    photo = page.evaluate(PHOTO, [key, item, 2400])
    page.reload()  # without signal
    unlocked(started(page))
    assert "正在打开… / Opening…" not in page.inner_text(
        "#field"
    )  # the shell gave way to the screens
    page.evaluate("([k, n]) => store.seal(k, {signedName: n, strokes: null})", [key, name])
    assert shown(page, key)["status"] == "sealing" and sheet_now(database, world) is None
    device.context.set_offline(False)
    page.evaluate("() => store.syncNow()")
    until(lambda: state(page)["waiting"] == 0 and state(page)["waitingMedia"] == 0, 30)
    until(lambda: shown(page, key)["status"] == "sealed")
    told, held = shown(page, key), sheet_now(database, world)
    assert state(page)["error"] is None and told["refused"] == [] and told["pending"] is None
    assert held.state == "sealed" and told["entries"] == held.entries
    assert told["sealed"]["code"] == held.receipt and len(held.receipt) == 14
    assert told["attachments"][item][0]["sha256"] == photo["sha256"]
    with database.read() as session:
        stored = session.scalars(select(FieldOp.hash).order_by(FieldOp.seq)).all()
    mine = [entry["op"]["hash"] for entry in page.evaluate("(key) => store.log(key)", key)]
    assert stored == mine
    page.evaluate("(key) => store.withdraw(key, '测试：一项填错，重新评分')", key)
    first = next(path for path, value in marks.items() if path.endswith(".mark"))
    put(page, "1", first, key)
    all_sent(page)
    again = sheet_now(database, world)
    assert (again.state, again.revision) == ("draft", 2)
    assert shown(page, key)["entries"] == again.entries and shown(page, key)["refused"] == []
    assert shown(page, key)["status"] == "draft"
    page.evaluate("() => store.takeOffline()")  # what is inside the package is not applied again
    assert shown(page, key)["entries"] == again.entries


def test_two_tablets_of_one_expert(tablet: Any, site: Any, database: Any, world: Any) -> None:
    _, _, key = site
    first, second = tablet("first"), tablet("second")
    form = first.page.evaluate("(key) => store.sheet(key).instrument", key)
    items = [item["id"] for item in sheet_items(form) if item["applies"]][:2]
    one, two = (f"{item}.reason" for item in items)
    put(first.page, "1", one, key)
    photo = first.page.evaluate(PHOTO, [key, items[0], 800])["sha256"]
    all_sent(first.page)
    until(lambda: state(first.page)["waitingMedia"] == 0)
    second.page.evaluate("() => store.syncNow()")
    assert shown(second.page, key)["status"] == "read_only"
    first.context.set_offline(True)
    put(first.page, "2", one, key)
    put(first.page, "2", two, key)
    second.page.evaluate("(key) => store.takeOver(key)", key)
    assert shown(second.page, key)["status"] == "draft"
    assert shown(second.page, key)["fields"][one] == "1"
    (seen,) = shown(second.page, key)["attachments"][items[0]]
    assert seen["sha256"] == photo and seen["arrived"]
    size = "async (hash) => (await store.photo(hash)).size"
    assert second.page.evaluate(size, photo) == first.page.evaluate(size, photo) > 1000
    put(second.page, "3", two, key)
    all_sent(second.page)
    first.context.set_offline(False)
    all_sent(first.page)
    assert {r["status"] for r in shown(first.page, key)["receipts"][2:]} == {"branch"}
    assert shown(first.page, key)["status"] == "read_only"  # nothing was merged, nothing lost
    assert sheet_now(database, world).entries[items[1]]["reason"] == "3"
    second.page.evaluate("() => store.syncNow()")
    until(lambda: shown(second.page, key)["status"] == "branch")
    (branch,) = second.page.evaluate("(key) => store.branches(key)", key)
    assert {row["item"] for row in branch["items"]} == set(items)
    picks = {items[0]: "branch", items[1]: "mine"}
    arguments = [key, branch["id"], picks, "测试：以现场记录为准"]
    second.page.evaluate("([k, b, p, r]) => store.choose(k, b, p, r)", arguments)
    all_sent(second.page)
    until(lambda: shown(second.page, key)["status"] == "draft")
    held = sheet_now(database, world)
    assert held.entries[items[0]]["reason"] == "2"
    assert shown(second.page, key)["entries"] == held.entries


def test_an_export_of_a_revoked_tablet_is_taken_by_the_office(
    tablet: Any, site: Any, database: Any, world: Any
) -> None:
    _, _, key = site
    device = tablet("one")
    page = device.page
    device.context.set_offline(True)
    form = page.evaluate("(key) => store.sheet(key).instrument", key)
    item = next(item["id"] for item in sheet_items(form) if item["applies"])
    put(page, "没有信号时写的理由", f"{item}.reason", key)
    photo = page.evaluate(PHOTO, [key, item, 400])["sha256"]
    with database.write() as session:
        operations.revoke_tablet(session, world.expert(1), state(page)["user"]["tablet"])
    device.context.set_offline(False)
    page.evaluate("() => store.syncNow()")
    assert state(page)["error"]["code"] == "revoked" and state(page)["waiting"] == 2
    package = read_package(exported(page))
    assert set(package.media) == {photo} and [op["kind"] for op in package.ops] == ["set", "attach"]
    with database.write() as session:
        row, owner = owner_of(session, package)
        by = world.people["office"].id
        answer = Push(session, owner, row, imported_by=by).run(package.ops)
    assert [receipt["status"] for receipt in answer["receipts"]] == ["accepted", "accepted"]
    assert sheet_now(database, world).entries[item]["reason"] == "没有信号时写的理由"
