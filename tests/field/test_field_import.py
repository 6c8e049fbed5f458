"""A tablet's export, loaded by the office: the same checks, the same receipts, twice is once."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import func, select

from app import clock
from app.accounts import tablets
from app.domain.scoring.sheets import sheet_items
from app.field.models import FieldBatch, FieldOp
from app.field.models_media import MediaFile
from app.scoring.models import Sheet
from tests.field.test_field_office import base, open_, pushed
from tests.field.virtual import VirtualTablet

__all__ = ["open_"]


def packed(bound, ops, media=(), *, sign=None, account=None, names=None, raw=None):
    body = raw or json.dumps(
        {"v": 1, "tablet": bound.id, "account": account or bound.viewer.id, "ops": ops,
         "receipts": []}
    ).encode()  # fmt: skip
    digest = hashlib.sha256(body).hexdigest()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("package.json", body)
        archive.writestr("package.sig", (sign or bound.key.sign)(f"FIELD/1 export\n{digest}"))
        for content in media:
            archive.writestr(f"media/{hashlib.sha256(content).hexdigest()}", content)
        for name, content in (names or {}).items():
            archive.writestr(name, content)
    return made.getvalue()


def loaded(client, world, data):
    return client.post(
        f"/r/{world.slug}/field/import",
        data={"file": (io.BytesIO(data), "甲.mjfield")},
        content_type="multipart/form-data",
    )


def count(app, what):
    with base(app).read() as session:
        return session.scalar(select(func.count()).select_from(what))


def jpeg():
    made = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 30, 30)).save(made, "JPEG")
    return made.getvalue()


def test_an_export_is_loaded_once_with_its_photos(app, world, bind, open_, client_as):
    key, form = open_
    mine = bind(world.expert(1))
    tablet = VirtualTablet(mine.id, form["digest"])
    item, photo = sheet_items(form)[0]["id"], jpeg()
    tablet.put(key, f"{item}.reason", "已经上传的")
    pushed(mine, tablet)
    tablet.put(key, f"{item}.reason", "没有上传的")
    tablet.do(key, "attach", item=item, sha256=hashlib.sha256(photo).hexdigest(), size=len(photo),
              mime="image/jpeg", name="p.jpg", taken_at=None, place=None)  # fmt: skip
    office = client_as(world.people["office"])
    data = packed(mine, tablet.logs[key], [photo])
    page = loaded(office, world, data)
    assert page.status_code == 200, page.get_data(as_text=True)[:400]
    assert (count(app, FieldOp), count(app, MediaFile), count(app, FieldBatch)) == (3, 1, 2)
    with base(app).read() as session:
        sheet = session.scalars(select(Sheet)).one()
        assert sheet.entries[item]["reason"] == "没有上传的" and sheet.version == 3
        rows = session.scalars(select(FieldBatch).order_by(FieldBatch.leaf)).all()
        assert [r.imported_by for r in rows] == [None, world.people["office"].id]
        assert {r.account_id for r in rows} == {world.expert(1).id}
    assert loaded(office, world, data).status_code == 200
    assert (count(app, FieldOp), count(app, MediaFile), count(app, FieldBatch)) == (3, 1, 2)
    answer = pushed(mine, tablet)
    assert all(r["replayed"] for r in answer.json["receipts"]) and tablet.outbox == []


def test_a_revoked_tablets_export_counts_up_to_its_revocation(app, world, bind, open_, client_as):
    key, form = open_
    mine = bind(world.expert(1))
    tablet = VirtualTablet(mine.id, form["digest"])
    item = sheet_items(form)[0]["id"]
    tablet.put(key, f"{item}.reason", "撤销之前", at=clock.now() - timedelta(minutes=1))
    with base(app).write() as session:
        tablets.revoke_tablet(session, world.people["supervisor"], mine.id, "平板遗失")
    tablet.put(key, f"{item}.reason", "撤销之后", at=clock.now() + timedelta(minutes=1))
    loaded(client_as(world.people["office"]), world, packed(mine, tablet.logs[key]))
    with base(app).read() as session:
        rows = session.scalars(select(FieldOp).order_by(FieldOp.seq)).all()
        assert [(r.status, r.why) for r in rows] == [("accepted", None), ("refused", "not_yours")]


HOSTILE = {
    "no zip": lambda b, ops: b"%PDF-1.7 x",
    "empty": lambda b, ops: b"PK\x03\x04",
    "cut": lambda b, ops: packed(b, ops)[:-40],
    "another's signature": lambda b, ops: packed(b, ops, sign=lambda text: "A" * 86 + "=="),
    "another account": lambda b, ops: packed(b, ops, account="0" * 16),
    "another name in it": lambda b, ops: packed(b, ops, names={"evil.exe": "x"}),
    "a path that climbs": lambda b, ops: packed(b, ops, names={"../../etc/passwd": "x"}),
    "a photo of another name": lambda b, ops: packed(b, ops, names={f"media/{'0' * 64}": "x"}),
    "a bomb": lambda b, ops: packed(b, ops, names={f"media/{'0' * 64}": "0" * 20_000_000}),
    "no json": lambda b, ops: packed(b, ops, raw=b"[" * 100_000),
    "no list": lambda b, ops: packed(b, ops, raw=b'{"v":1,"tablet":"x","account":"y","ops":5}'),
    "not a photo": lambda b, ops: packed(b, ops, [b"<svg onload=alert(1)>"]),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_whole(app, world, bind, open_, client_as, name):
    key, form = open_
    mine = bind(world.expert(1))
    tablet = VirtualTablet(mine.id, form["digest"])
    tablet.put(key, f"{sheet_items(form)[0]['id']}.reason", "x")
    answer = loaded(client_as(world.people["office"]), world, HOSTILE[name](mine, tablet.logs[key]))
    assert answer.status_code == 422, name
    assert count(app, FieldOp) == 0 and count(app, MediaFile) == 0
