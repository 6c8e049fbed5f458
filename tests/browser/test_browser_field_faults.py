"""The field application's engine against a server and a tablet that misbehave: nothing is lost, nothing
doubled, and the person is told in plain words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.browser.field_tablet import (
    Device,
    all_sent,
    bound,
    chained,
    put,
    refusal,
    shown,
    started,
    state,
    unlocked,
    until,
)
from tests.browser.field_tower import BARE, SHEET, Tower

# Version 1 as it was first shipped, written out: later code must open what this made.
FIRST_VERSION = """() => new Promise((done, failed) => {
    const asked = indexedDB.open("mingjian.field", 1);
    asked.onerror = () => failed(asked.error);
    asked.onupgradeneeded = () => {
        const db = asked.result;
        db.createObjectStore("tablets", {keyPath: "id"});
        db.createObjectStore("packs", {keyPath: "tablet"});
        db.createObjectStore("sheets", {keyPath: ["tablet", "sheet"]});
        const ops = db.createObjectStore("ops", {keyPath: ["tablet", "sheet", "seq"]});
        ops.createIndex("waiting", ["tablet", "waiting"]);
        ops.createIndex("id", "id", {unique: true});
        const media = db.createObjectStore("media", {keyPath: ["tablet", "sha256"]});
        media.createIndex("waiting", ["tablet", "waiting"]);
        db.createObjectStore("meta", {keyPath: "key"});
    };
    asked.onsuccess = () => { asked.result.close(); done(asked.result.version); };
})"""
TRY = "async ([k, p, v]) => { try { await store.set(k, p, v); } catch (e) { return {...e}; } }"
PHOTO = """async ([key, item, side]) => {
    const canvas = new OffscreenCanvas(side, side / 2);
    const pen = canvas.getContext("2d");
    const noise = pen.createImageData(side, side / 2);
    for (let n = 0; n < noise.data.length; n += 1) noise.data[n] = (n * 2654435761) >>> 24;
    pen.putImageData(noise, 0, 0);
    const blob = await canvas.convertToBlob({type: "image/png"});
    const made = await store.attach(key, item, blob, {lat: "32.1", lon: "119.2", accuracy: "8"}, "照片.png");
    const kept = await createImageBitmap(await store.photo(made.sha256));
    return {...made, width: kept.width, height: kept.height};
}"""


@pytest.mark.parametrize("fault", ["lost_request", "lost_reply", "500", "html", "redirect"])
def test_a_push_that_goes_wrong_costs_nothing(device: Device, tower: Tower, fault: str) -> None:
    page = bound(device.open())
    tower.faults = [fault] * (2 if fault in ("html", "redirect") else 1)
    put(page, "7")
    until(lambda: not tower.faults)
    until(lambda: not state(page)["syncing"])
    assert state(page)["waiting"] == 1 and shown(page)["fields"]["A1.mark"] == "7"
    put(page, "8")
    all_sent(page)
    assert chained(tower) == ["7", "8"]
    assert state(page)["error"] is None


def test_an_expired_session_renews_itself(device: Device, tower: Tower) -> None:
    page = bound(device.open())
    tower.sessions.clear()
    put(page, "7")
    until(lambda: state(page)["waiting"] == 0)
    assert tower.calls["POST /field/api/session"] == 1 and chained(tower) == ["7"]


def test_only_a_receipt_over_the_same_hash_counts(device: Device, tower: Tower) -> None:
    page = bound(device.open())
    tower.faults = ["wrong_hash"]
    put(page, "7")
    page.evaluate("() => store.syncNow()")
    assert state(page)["waiting"] == 1 and state(page)["error"]["code"] == "chain"
    all_sent(page)  # an honest receipt, the next time
    assert chained(tower) == ["7"]


def test_a_server_restored_from_a_copy_gets_the_rest_again(device: Device, tower: Tower) -> None:
    page = bound(device.open())
    for n in range(5):
        put(page, str(n))
    all_sent(page)
    tablet = state(page)["user"]["tablet"]
    log = tower.logs[tablet, SHEET]
    for op in log[2:]:
        del tower.receipts[op["id"]]
    del log[2:]
    put(page, "5")
    all_sent(page)
    assert chained(tower) == ["0", "1", "2", "3", "4", "5"]
    log[-1]["hash"] = "9" * 64  # another history altogether: stop, keep, say so
    put(page, "6")
    page.evaluate("() => store.syncNow()")
    assert state(page)["error"]["code"] == "chain" and state(page)["waiting"] == 1
    assert shown(page)["fields"]["A1.mark"] == "6"


def test_a_refusal_stays_until_it_was_read(device: Device, tower: Tower) -> None:
    page = bound(device.open())
    put(page, "7", "A2.mark")
    put(page, "refuse me", "A1.reason")
    all_sent(page)
    sheet = shown(page)
    assert state(page)["refused"] == 1 and sheet["pending"] == "refused"
    (refused,) = sheet["refused"]
    assert refused["op"]["new"] == "refuse me" and refused["receipt"]["why"] == "invalid"
    assert sheet["fields"]["A1.reason"] == "" and sheet["fields"]["A2.mark"] == "7"
    page.evaluate("([key, id]) => store.acknowledge(key, id)", [SHEET, refused["op"]["id"]])
    page.reload()
    unlocked(started(page))
    assert state(page)["refused"] == 0 and shown(page)["refused"] == []


def test_many_operations_travel_in_batches(device: Device, tower: Tower) -> None:
    page = bound(device.open())
    tower.stop()
    page.evaluate(
        "async (key) => { for (let n = 0; n < 450; n += 1) await store.set(key, 'A1.mark', `${n}`); }",
        SHEET,
    )
    assert state(page)["waiting"] == 450
    tower.start()
    tower.faults = ["slow"]
    page.evaluate("() => { globalThis.sent = store.syncNow(); }")
    put(page, "typed meanwhile", "A1.reason")  # a slow line never keeps a tap waiting
    page.evaluate("() => globalThis.sent")
    all_sent(page)
    assert tower.calls["POST /field/api/push"] >= 3
    assert chained(tower) == [*map(str, range(450)), "typed meanwhile"]


def test_a_clock_a_day_off(device: Device, tower: Tower) -> None:
    tower.ahead = timedelta(days=1)
    page = bound(device.open())
    put(page, "7")
    all_sent(page)
    assert abs(state(page)["clockOffset"] - 86_400_000) < 5_000
    assert "clock" in [notice["code"] for notice in state(page)["notices"]]
    ahead = page.evaluate("() => store.now().getTime() - Date.now()")
    assert abs(ahead - 86_400_000) < 5_000
    (op,) = tower.ops()
    assert abs(page.evaluate("(at) => Date.now() - Date.parse(at)", op["at"])) < 60_000  # untouched


def test_photos_are_scaled_and_resumed(device: Device, tower: Tower) -> None:
    page = bound(device.open())
    tower.chunk_faults = [False, True]  # the second chunk fails
    made = page.evaluate(PHOTO, [SHEET, "A1", 2400])
    assert (made["width"], made["height"]) == (1600, 800)
    assert made["size"] > 262_144, "more than one chunk"
    until(lambda: state(page)["waiting"] == 0)
    until(lambda: not tower.chunk_faults)
    until(lambda: state(page)["error"] is not None)
    assert state(page)["waitingMedia"] == 1
    first = tower.calls[f"PUT /field/api/media/{made['sha256']}/0"]
    page.reload()
    unlocked(started(page))
    page.evaluate("() => store.syncNow()")
    until(lambda: state(page)["waitingMedia"] == 0)
    assert tower.calls[f"PUT /field/api/media/{made['sha256']}/0"] == first == 1
    (photo,) = shown(page)["attachments"]["A1"]
    assert photo["arrived"] and photo["place"]["lat"] == "32.1" and photo["mime"] == "image/jpeg"
    assert b"".join(tower.chunks[made["sha256"]].values())[:3] == b"\xff\xd8\xff"
    page.evaluate("([k, i, h]) => store.detach(k, i, h)", [SHEET, "A1", made["sha256"]])
    assert shown(page)["attachments"]["A1"] == []
    # A position that comes now does not bring the photo back.
    place = {"lat": "1", "lon": "2", "accuracy": "3"}
    late = page.evaluate("([k, h, p]) => store.locate(k, h, p)", [SHEET, made["sha256"], place])
    assert late["id"] is None and shown(page)["attachments"]["A1"] == []
    text = "(key) => store.attach(key, 'A1', new Blob(['no'], {type: 'text/plain'}))"
    assert refusal(page, text, SHEET)["code"] == "photo_type"


def test_storage_that_is_full_says_so_and_keeps_the_words(device: Device, tower: Tower) -> None:
    # The browser trusts its last look at the free space for half a minute: less space from the start.
    page = bound(device.open(quota=700_000))
    tower.stop()
    long, typed = "长" * 15_000, []
    for n in range(100):
        value = f"{n}{long}"
        told = page.evaluate(TRY, [SHEET, "A1.reason", value])
        if told is not None:
            break
        typed.append(value)
    assert 0 < n < 99 and told["code"] == "full" and "没有存下" in told["zh"]
    assert shown(page)["fields"]["A1.reason"] == value  # still on the page
    assert state(page)["unsaved"] == 1
    assert "full" in [notice["code"] for notice in state(page)["notices"]]
    assert shown(page)["waiting"] == len(typed)  # and not taken for saved
    assert refusal(page, PHOTO, [SHEET, "A1", 1600])["code"] == "full_photo"
    assert shown(page)["attachments"] == {}
    device.give_space()
    tower.start()
    all_sent(page)
    assert state(page)["unsaved"] == 0 and chained(tower) == [*typed, value]
    assert "full" not in [notice["code"] for notice in state(page)["notices"]]


def test_nearly_full_is_said_in_time(device: Device) -> None:
    """Where the browser tells the truth about its quota; recent Chromium reports usage + 10 GiB."""
    page = bound(device.open())
    page.evaluate("() => { navigator.storage.estimate = async () => ({usage: 91, quota: 100}); }")
    page.evaluate("() => store.syncNow()")
    assert "nearly_full" in [notice["code"] for notice in state(page)["notices"]]


def test_an_old_database_with_waiting_work_opens_under_new_code(
    device: Device, tower: Tower
) -> None:
    page = device.open()
    page.goto(f"{tower.address}/field/api/ping2")  # the same origin without the engine
    page.evaluate(
        "() => new Promise((d) => indexedDB.deleteDatabase('mingjian.field').onsuccess = d)"
    )
    assert page.evaluate(FIRST_VERSION) == 1
    page.goto(f"{tower.address}/field")
    bound(started(page))
    tower.stop()
    put(page, "7")
    put(page, "8")
    upgraded = page.evaluate(
        """async () => {
            const {STEPS, open} = await import("/static/field/engine/db.js");
            store.lock();
            const later = (db, work) => {
                db.createObjectStore("later");
                work.objectStore("ops").createIndex("later", "later");
            };
            const db = await open({steps: [...STEPS, later]});
            const rows = await db.getAll("ops");
            const stores = [...db.objectStoreNames];
            db.close();
            return {stores, waiting: rows.filter((row) => row.waiting === 1).length};
        }"""
    )
    assert upgraded["waiting"] == 2 and {"later", "ops", "tablets"} <= set(upgraded["stores"])
    # The window that was open let go and says so; old code refuses the newer data and keeps them.
    assert "reload" in [notice["code"] for notice in state(page)["notices"]]
    tower.start()
    page.reload()
    started(page)
    assert "newer" in [notice["code"] for notice in state(page)["notices"]]


def test_a_new_version_waits_for_the_outbox_and_the_open_sheet(
    device: Device, tower: Tower
) -> None:
    page = bound(device.open())
    first = until(lambda: state(page)["swVersion"])
    tower.faults = ["500"] * 50
    put(page, "7")
    tower.script = BARE + b" globalThis.second = true;"
    page.evaluate("async () => (await navigator.serviceWorker.getRegistration('/field')).update()")
    until(lambda: state(page)["update"])
    assert page.evaluate("() => store.applyUpdate()") is False
    device.close()
    # All windows were closed, so the new worker is in charge: pages still get the old shell.
    page = device.open()
    until(lambda: state(page)["swVersion"])
    assert state(page)["swVersion"] == first and page.evaluate("() => globalThis.second") is None
    unlocked(page)
    tower.faults = []
    all_sent(page)
    other = unlocked(device.visit())
    other.evaluate("(key) => store.openSheet(key)", SHEET)
    until(lambda: state(page)["update"])
    assert page.evaluate("() => store.applyUpdate()") is False  # a sheet is open in that window
    other.close()
    until(lambda: page.evaluate("() => store.applyUpdate()"))
    until(lambda: page.evaluate("() => globalThis.second") is True)
    started(page)
    until(lambda: state(page)["swVersion"] not in ("", first))
    unlocked(page)
    assert shown(page)["fields"]["A1.mark"] == "7" and chained(tower) == ["7"]


def test_the_cache_holds_the_shell_and_nothing_else(device: Device, tower: Tower) -> None:
    page = bound(device.open())
    put(page, "7")
    all_sent(page)
    until(lambda: state(page)["swVersion"])
    kept = page.evaluate(
        """async () => {
            const found = [];
            for (const name of await caches.keys())
                for (const request of await (await caches.open(name)).keys()) found.push(request.url);
            return found;
        }"""
    )
    paths = {url.removeprefix(tower.address) for url in kept}
    assert "/field" in paths and "/static/field/engine/store.js" in paths
    assert {p for p in paths if not p.startswith("/static/")} == {
        "/field", "/field/serving", "/field/first.part", "/field/rest.part",
    }  # fmt: skip
    # A newer version brings a recorder's part only where an older one had his screens.
    assert tower.calls["GET /field/recorder.part"] == 0
    page.evaluate(
        """async () => {
            const older = await caches.open("mingjian-field-older");
            await older.put("/static/field/screens/recorder.js", new Response(""));
        }"""
    )
    tower.script = BARE + b" globalThis.second = true;"
    page.evaluate("async () => (await navigator.serviceWorker.getRegistration('/field')).update()")
    until(lambda: tower.calls["GET /field/recorder.part"] == 1)
