"""Sheets from paper: one owner, two blind readings, differences settled by the scan, marked everywhere."""

from __future__ import annotations

import io
from typing import Any

import pytest
from sqlalchemy import select

from app.accounts import tablets
from app.accounts.models import Tablet
from app.domain.scoring.sheets import sheet_items
from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.draw.models import Seat
from app.ledger import prove
from app.panel.models import Sitting
from app.programme.versions import sign_form_version
from app.scoring import holds, invariants, operations, paper, paper_forms
from app.scoring.models import Sheet, SheetHold
from app.scoring.models_paper import PaperSheet
from tests.attacks import world as steps


def png() -> bytes:
    """A scan: one white pixel."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("L", (1, 1), 255).save(out, "PNG")
    return out.getvalue()


def base(app: Any) -> Any:
    return app.extensions["mingjian.db"]


def started(session: Any, world: Any, number: int = 1) -> PaperSheet:
    sitting = steps.to_scoring(session, world)
    return paper.start(
        session, world.people["office"], sitting=sitting, seat=world.seat(session, number)
    )


def marks(session: Any, row: PaperSheet, **other: str) -> dict[str, Any]:
    """Complete fields, as a clerk reads them; `other`: a mark that is read otherwise."""
    items = sheet_items(paper.sheet_of(session, row).instrument)
    return {**steps.complete_marks(items), **other}


def marked_item(session: Any, row: PaperSheet) -> dict[str, Any]:
    items = sheet_items(paper.sheet_of(session, row).instrument)
    return next(i for i in items if i["applies"] and i["scale"]["type"] in ("points", "grade"))


def both_read(session: Any, world: Any, row: PaperSheet, **other: str) -> None:
    a, b = world.people["office"], world.people["office2"]
    given = marks(session, row)
    paper.enter(session, a, paper=row, fields=given, finished=True)
    paper.enter(session, b, paper=row, fields={**given, **other}, finished=True)
    paper.file_scan(session, b, paper=row, data=png(), filename="第一席.png")


def test_two_equal_readings_and_a_scan_become_a_sealed_sheet(app, world, keys):
    with base(app).write() as session:
        row = started(session, world)
        a, b = world.people["office"], world.people["office2"]
        with pytest.raises(Conflict):
            paper.seal(session, a, paper=row)
        both_read(session, world, row)
        assert paper.differences(session, row) == []
        paper.settle(session, a, paper=row, picks={}, anew={})
        sheet = paper.seal(session, a, paper=row)
        expected = steps.sealed_sheet(
            session, session.get_one(Sitting, row.sitting_id), world.expert(2)
        )
        assert sheet.state == "sealed" and sheet.entries == expected.entries
        assert sheet.marked == expected.marked and len(sheet.receipt) == 14
        assert holds.on_paper(session, sheet) is False
        words = paper.marked_sheets(session, [sheet.id, expected.id])
        assert list(words) == [sheet.id]
        assert words[sheet.id].en == f"entered from paper by {a.name} and {b.name}"
    with base(app).read() as session:
        assert prove.verify(session, keys).faults == []
        assert [fault for _, check in invariants.INVARIANTS for fault in check(session)] == []


def test_a_difference_is_settled_by_one_clerk_and_sealed_by_the_other(app, world):
    with base(app).write() as session:
        row = started(session, world)
        a, b = world.people["office"], world.people["office2"]
        item = marked_item(session, row)
        name = f"{item['id']}.mark"
        both_read(session, world, row, **{name: "0.5"})
        (one,) = paper.differences(session, row)
        assert one["item"]["id"] == item["id"]
        assert paper_forms.entry_words(item, one["second"]).en == "mark 0.5"
        with pytest.raises(DomainError):
            paper.settle(session, a, paper=row, picks={}, anew={})
        paper.settle(
            session, a, paper=row, picks={item["id"]: "anew"},
            anew={name: "1", f"{item['id']}.reason": "划改处有签名，按扫描件"},
        )  # fmt: skip
        with pytest.raises(Forbidden):
            paper.seal(session, a, paper=row)
        sheet = paper.seal(session, b, paper=row)
        value = sheet.entries[item["id"]]["value"]
        assert (value if isinstance(value, str) else value["mark"]) == "1"
        assert row.picks == {item["id"]: "anew"} and row.sealed_by == b.id


def test_blanks_zeros_and_full_width_digits_are_no_difference(app, world):
    with base(app).write() as session:
        row = started(session, world)
        item = marked_item(session, row)
        name = f"{item['id']}.mark"
        given = marks(session, row, **{name: "1.50"})
        paper.enter(session, world.people["office"], paper=row, fields=given, finished=True)
        given = {**given, name: "１.5 ", f"{item['id']}.reason": ""}
        paper.enter(session, world.people["office2"], paper=row, fields=given, finished=True)
        found = [d["item"]["id"] for d in paper.differences(session, row)]
        assert item["id"] not in found or item["scale"]["type"] == "grade"
        assert len(found) <= 1


def test_the_second_reading_is_blind_and_neither_changes_once_handed_in(app, world, client_as):
    with base(app).write() as session:
        row = started(session, world)
        a, b = world.people["office"], world.people["office2"]
        item = marked_item(session, row)
        given = marks(session, row, **{f"{item['id']}.reason": "第一人独有的字样"})
        paper.enter(session, a, paper=row, fields=given, finished=True)
        with pytest.raises(Conflict):
            paper.enter(session, a, paper=row, fields={}, finished=False)
        assert paper.own_entries(row, b) == {}
        where = f"/r/{world.slug}/paper/{row.id}"
    mine, other = client_as(a), client_as(b)
    overseer = client_as(world.people["supervisor"])
    for client in (mine, other, overseer):
        assert "第一人独有的字样" not in client.get(where).get_data(as_text=True)
    assert 'name="finish"' in other.get(where).get_data(as_text=True)
    assert 'name="finish"' not in mine.get(where).get_data(as_text=True)
    assert other.post(where, data={**given, "finish": "yes"}).status_code == 302
    scan = {"file": (io.BytesIO(png()), "扫描.png")}
    assert other.post(f"{where}/scan", data=scan).status_code == 302
    assert "两份录入完全一致" in other.get(where).get_data(as_text=True)
    assert overseer.get(f"{where}/scan").status_code == 404
    assert mine.get(f"{where}/scan").get_data() == png()
    assert mine.post(f"{where}/settle").status_code == 302
    assert mine.post(f"{where}/seal").status_code == 302
    assert "纸质评分表，由 虚拟office、虚拟办公室乙 录入" in mine.get(where).get_data(as_text=True)
    assert "第一人独有的字样" not in overseer.get(where).get_data(as_text=True)


def test_a_live_tablet_or_a_begun_page_keeps_paper_out_and_paper_keeps_them_out(app, world):
    with base(app).write() as session:
        sitting = steps.to_scoring(session, world)
        office, seat = world.people["office"], world.seat(session, 1)
        sheet = operations.start_sheet(session, world.expert(1), sitting=sitting)
        tablet = Tablet(
            account_id=world.expert(1).id, label="一号平板", agent="t", public_key="x",
            bound_at=sheet.saved_at, last_seen_at=sheet.saved_at,
        )  # fmt: skip
        session.add(tablet)
        session.flush()
        holds.give(session, seat.id, sitting.id, tablet.id)
        from app.ledger.append import append

        append(session, None, "test.tablet")
        with pytest.raises(Conflict, match="一号平板"):
            paper.start(session, office, sitting=sitting, seat=seat)
        tablets.revoke_tablet(session, office, tablet.id, "摔坏")
        row = paper.start(session, office, sitting=sitting, seat=seat)
        assert paper.start(session, office, sitting=sitting, seat=seat).id == row.id
        with pytest.raises(Conflict, match="纸质"):
            operations.save_draft(session, world.expert(1), sheet=sheet, changes={}, version=0)
        with pytest.raises(DomainError):
            paper.give_up(session, office, paper=row, reason="不")
        paper.give_up(session, office, paper=row, reason="平板找到了备用机")
        items = sheet_items(sheet.instrument)
        first = {f"{items[0]['id']}.reason": "网页上写的"}
        operations.save_draft(session, world.expert(1), sheet=sheet, changes=first, version=0)
        with pytest.raises(Conflict, match="网页"):
            paper.start(session, office, sitting=sitting, seat=seat)
        third = steps.sealed_sheet(session, sitting, world.expert(3))
        with pytest.raises(Conflict):
            paper.start(session, office, sitting=sitting, seat=third.seat)
        stranger = session.get_one(Seat, world.desk.seats[0])
        with pytest.raises(DomainError):
            paper.start(session, office, sitting=sitting, seat=stranger)
        assert session.scalars(select(SheetHold.paper_id)).all() == [None]


def test_an_incomplete_paper_cannot_be_sealed_and_is_never_a_zero(app, world, client_as):
    with base(app).write() as session:
        row = started(session, world)
        item = marked_item(session, row)
        for who in ("office", "office2"):
            given = marks(session, row, **{f"{item['id']}.mark": ""})
            paper.enter(session, world.people[who], paper=row, fields=given, finished=True)
        paper.file_scan(session, world.people["office"], paper=row, data=png(), filename="a.png")
        paper.settle(session, world.people["office"], paper=row, picks={}, anew={})
        where = f"/r/{world.slug}/paper/{row.id}"
    refused = client_as(world.people["office"]).post(f"{where}/seal")
    assert refused.status_code == 422 and item["id"] in refused.get_data(as_text=True)
    with base(app).read() as session:
        sheet = session.scalars(select(Sheet)).one()
        assert (sheet.state, sheet.entries) == ("draft", {})


def test_the_expert_sees_how_it_came_and_objects_once(app, world, client_as):
    with base(app).write() as session:
        row = started(session, world)
        both_read(session, world, row)
        paper.settle(session, world.people["office"], paper=row, picks={}, anew={})
        sheet = paper.seal(session, world.people["office"], paper=row)
        page, scan = f"/r/{world.slug}/sheets/{sheet.id}", f"/r/{world.slug}/paper/{row.id}/scan"
    expert, other = client_as(world.expert(1)), client_as(world.expert(2))
    shown = expert.get(page).get_data(as_text=True)
    assert "纸质评分表，由 虚拟office、虚拟办公室乙 录入" in shown and scan in shown
    assert expert.get(scan).get_data() == png()
    assert other.get(scan).status_code == 404
    assert other.post(f"{page}/object", data={"objection": "不是我的表"}).status_code == 404
    assert expert.post(f"{page}/object", data={"objection": "错"}).status_code == 422
    why = {"objection": "第三项我写的是七分"}
    assert expert.post(f"{page}/object", data=why).status_code == 302
    assert expert.post(f"{page}/object", data=why).status_code == 409
    assert "本人有异议：第三项我写的是七分" in expert.get(page).get_data(as_text=True)
    with base(app).read() as session:
        stands = session.get_one(PaperSheet, row.id)
        assert stands.objected_at is not None
        with pytest.raises(NotFound):
            paper.object_to(
                session, world.expert(2), sheet=session.get_one(Sheet, stands.sheet_id), reason="x"
            )


def test_blank_sheets_say_whose_they_are_and_which_form(app, world, client_as):
    with base(app).read() as session:
        sitting = session.get_one(Sitting, world.site.sittings[0])
        seats = [(world.seat(session, n), f"虚拟{n}") for n in (1, 2)]
        data = paper_forms.blank_data(session, sitting, seats, "zh")
        first = data["sheets"][0]
        digest = first["digest"]
        assert first["scanned"] == f"MJPAPER/1 {sitting.id} {seats[0][0].id} {digest}"
        codes = [i["code"] for group in first["groups"] for i in group["items"]]
        from app.programme.instruments import instrument_for

        _, form = instrument_for(session, sitting.panel.round, sitting.subject, "site")
        assert digest == form["digest"]
        assert codes == [i["id"] for i in sheet_items(form) if i["applies"]]
        assert all(i["answer"] for group in first["groups"] for i in group["items"])
        waiting = {i["code"] for g in first["groups"] for i in g["items"] if i["waits"]}
        assert (
            waiting == {i["id"] for i in form["items"] if i["applies"] and i["to_confirm"]} != set()
        )
    office = client_as(world.people["office"])
    where = f"/r/{world.slug}/sittings/{sitting.id}/paper-forms"
    made = office.get(where, query_string={"seat": world.site.seats[0]})
    assert (made.status_code, made.mimetype) == (200, "application/pdf")
    assert made.get_data().startswith(b"%PDF-")
    from pypdf import PdfReader

    text = "".join(p.extract_text() for p in PdfReader(io.BytesIO(made.get_data())).pages)
    assert "专家签名" in text.replace(" ", "") and "虚拟专家01" in text.replace(" ", "")
    said = text.replace(" ", "").replace("\n", "")
    assert f"本表有{len(waiting)}项为默认值或重拟" in said
    assert said.count("待确认") == len(waiting) + 1
    with base(app).write() as session:
        sitting = session.get_one(Sitting, world.site.sittings[0])
        version, _ = instrument_for(session, sitting.panel.round, sitting.subject, "site")
        sign_form_version(session, world.people["admin"], version)
        (signed,) = paper_forms.blank_data(session, sitting, seats[:1], "zh")["sheets"]
    assert signed["digest"] == digest and not signed["waits"]
    assert not any(i["waits"] for group in signed["groups"] for i in group["items"])
    assert office.get(where, query_string={"seat": world.desk.seats[0]}).status_code == 404
