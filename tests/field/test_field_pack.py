"""The package: everything one tablet needs, nothing of anybody else, read in a fixed number of queries."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from app import clock
from app.accounts import operations as accounts
from app.accounts.models import Account
from app.config import Settings
from app.domain.scoring.sheets import sheet_items
from app.factory import create_app
from app.field import packs
from app.panel import operations as panels
from app.panel.declarations import CONFLICTS
from app.panel.models import Panel, Sitting
from app.programme import operations as programme
from app.programme.instruments import instrument_for
from app.programme.models import Round
from app.scoring import operations as scoring
from tests.attacks import world as steps
from tests.conftest import PG
from tests.field.conftest import Bound
from tests.field.counting import queries_of
from tests.programme.conftest import fill_figures

DUTY = {
    "key", "kind", "round", "sitting", "case", "county", "stage", "on", "place", "phase", "panel",
    "seat_number", "with_statement", "unlock_hash", "deadline", "instrument", "computed",
    "materials", "sheet", "ready", "to_confirm",
}  # fmt: skip


def write(app: Any) -> Any:
    return app.extensions["mingjian.db"].write()


def pack_of(tablet: Bound) -> dict[str, Any]:
    answer = tablet.get(f"/field/api/pack?tablet={tablet.id}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json


def test_an_experts_package_before_anything_was_signed(app, bind, world):
    tablet = bind(world.expert(1))
    pack = pack_of(tablet)
    assert set(pack) == {
        "v", "tablet", "account", "name", "server_time", "csrf", "duties", "instruments", "phrases",
        "reminders", "votes",
    }  # fmt: skip
    assert (pack["v"], pack["tablet"], pack["account"]) == (1, tablet.id, world.expert(1).id)
    assert [duty["key"] for duty in pack["duties"]] == world.site.sittings
    for duty in pack["duties"]:
        assert set(duty) == DUTY
        assert (duty["kind"], duty["stage"]["code"], duty["seat_number"]) == ("sheet", "site", 1)
        assert duty["round"]["slug"] == world.slug
        assert duty["ready"]["zh"] == "请先签署两份承诺书"
        assert duty["materials"] == duty["computed"] == [], "nothing is shown before (C-13)"
        assert duty["sheet"] is None
        assert re.fullmatch("[0-9a-f]{64}", duty["unlock_hash"])
        assert pack["instruments"][duty["instrument"]]["digest"] == duty["instrument"]
    assert pack["duties"][0]["county"]["zh"] == "东城区"
    assert all(set(phrase) == {"zh", "en"} for phrase in pack["phrases"])
    again = pack_of(tablet)
    assert [d["unlock_hash"] for d in again["duties"]] == [d["unlock_hash"] for d in pack["duties"]]


def test_ready_says_the_next_step_and_materials_come_with_the_declarations(app, bind, world):
    tablet = bind(world.expert(1))
    reasons = []

    def see() -> dict[str, Any]:
        first = pack_of(tablet)["duties"][0]
        reasons.append(first["ready"] and first["ready"]["zh"])
        return first

    see()
    with write(app) as session:
        steps.declare(session, world)
    duty = see()
    (material,) = duty["materials"]
    assert (material["item"], material["title"]) == ("C1", "东城区.pdf")
    fetched = tablet.get(material["url"])
    assert hashlib.sha256(fetched.get_data()).hexdigest() == material["sha256"]
    assert len(fetched.get_data()) == material["size"]
    computed = {row["item"]: row for row in duty["computed"]}
    instrument = pack_of(tablet)["instruments"][duty["instrument"]]
    items = instrument["items"]
    own = {item["id"] for item in sheet_items(instrument)}
    assert set(computed) == {i["id"] for i in items if i["applies"] and i["id"] not in own}
    with write(app) as session:
        sitting = session.get(Sitting, world.site.sittings[0])
        panels.open_sitting(session, world.people["office"], sitting=sitting)
    see()
    with write(app) as session:
        sitting = session.get(Sitting, world.site.sittings[0])
        for seat_id, viewer in list(zip(world.site.seats, world.site.experts, strict=True))[1:]:
            seat = session.get(type(world.seat(session, 1)), seat_id)
            panels.sign_in(session, viewer, sitting=sitting, seat=seat)
        steps.speak(session, world, sitting)
        panels.open_scoring(session, world.people["office"], sitting=sitting)
    see()
    with write(app) as session:
        sitting = session.get(Sitting, world.site.sittings[0])
        panels.sign_in(session, world.expert(1), sitting=sitting, seat=world.seat(session, 1))
    see()
    with write(app) as session:
        sitting = session.get(Sitting, world.site.sittings[0])
        scoring.recuse(session, world.expert(1), sitting=sitting, reason="虚构理由")
    assert see()["sheet"]["state"] == "recused"
    assert reasons == [
        "请先签署两份承诺书", "会议尚未开始", "现场陈述尚未结束", "请先签到", None,
        "您对本县不评分",
    ]  # fmt: skip


def test_a_declared_conflict_closes_the_panel_to_him(app, bind, world):
    tablet = bind(world.expert(1))
    with write(app) as session:
        panel = session.get(Panel, world.site.id)
        ticked = dict.fromkeys(CONFLICTS, False) | {next(iter(CONFLICTS)): True}
        for kind, answers in (("conflict", ticked), ("secrecy", {})):
            panels.sign_declaration(
                session, world.expert(1), panel=panel, kind=kind, answers=answers,
                signed_name=world.expert(1).name,
            )  # fmt: skip
    for duty in pack_of(tablet)["duties"]:
        assert "利害关系" in duty["ready"]["zh"]
        assert duty["materials"] == duty["computed"] == []


def test_a_begun_sheet_comes_with_its_entries_and_its_own_form(app, bind, world):
    tablet = bind(world.expert(1))
    with write(app) as session:
        sitting = steps.to_scoring(session, world)
        sheet = scoring.start_sheet(session, world.expert(1), sitting=sitting)
        high = steps.complete_marks(sheet_items(sheet.instrument))
        scoring.save_draft(session, world.expert(1), sheet=sheet, changes=high, version=0)
        wanted = (sheet.id, sheet.version, dict(sheet.entries))
    duty = pack_of(tablet)["duties"][0]
    told = duty["sheet"]
    assert (told["id"], told["rev"], told["entries"]) == wanted
    assert (told["state"], told["revision"], told["branch"]) == ("draft", 1, False)
    assert (told["active_tablet"], told["receipt"], told["sealed_at"]) == (None, None, None)
    with write(app) as session:
        sheet = session.get(type(sheet), wanted[0])
        scoring.seal(
            session, world.expert(1), sheet=sheet, version=sheet.version,
            signed_name=world.expert(1).name,
        )  # fmt: skip
        receipt = sheet.receipt
    told = pack_of(tablet)["duties"][0]["sheet"]
    assert (told["state"], told["receipt"]) == ("sealed", receipt)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["sealed_at"])


def test_what_is_still_to_confirm_stands_beside_the_form_until_it_is_signed(app, bind, world):
    tablet = bind(world.expert(1))
    before = pack_of(tablet)
    duty = before["duties"][0]
    items = before["instruments"][duty["instrument"]]["items"]
    assert duty["to_confirm"] == [i["id"] for i in items if i["applies"] and i["to_confirm"]]
    assert 0 < len(duty["to_confirm"]) < len(items)
    with write(app) as session:
        sitting = session.get_one(Sitting, world.site.sittings[0])
        form, _ = instrument_for(session, sitting.panel.round, sitting.subject, "site")
        programme.sign_form_version(session, world.people["admin"], form)
    after = pack_of(tablet)
    assert {tuple(d["to_confirm"]) for d in after["duties"]} == {()}
    assert after["instruments"] == before["instruments"], "a signature leaves form and digest"
    assert pack_of(bind(world.desk.experts[0]))["duties"][0]["to_confirm"], "another form"


def test_a_computed_item_comes_with_its_figures_once_both_declarations_are_signed(app, bind, world):
    tablet = bind(world.desk.experts[0])
    with write(app) as session:
        office = world.people["office"]
        round_ = session.get_one(Panel, world.desk.id).round
        fill_figures(session, office, world.people["office2"], session.get_one(Round, round_.id))
    assert pack_of(tablet)["duties"][0]["computed"] == [], "nothing is shown before (C-13)"
    with write(app) as session:
        steps.declare(session, world, world.desk)
    pack = pack_of(tablet)
    duty = pack["duties"][0]
    rows = {row["item"]: row for row in duty["computed"]}
    items = {item["id"]: item for item in pack["instruments"][duty["instrument"]]["items"]}
    one = rows["A1"]
    figures = items["A1"]["scale"]["figures"]
    assert one["points"] is not None and len(one["inputs"]) == len(figures) > 1
    for told, figure in zip(one["inputs"], figures, strict=True):
        assert set(told) == {"title", "value", "unit", "year", "source"}
        assert told["title"] == figure["title"] and told["unit"]["zh"] and told["unit"]["en"]
        assert (told["year"], told["source"]) == (2011, "测试统计表 第1页")
        assert re.fullmatch(r"\d+", told["value"])
    assert len({told["value"] for told in one["inputs"]}) > 1


def test_the_statement_room_opens_to_an_expert_from_the_tablet(app, bind, world):
    tablet = bind(world.expert(1))
    with write(app) as session:
        steps.declare(session, world)
        sitting = steps.gather(session, world)
        steps.speak(session, world, sitting, close=False)
    duty = pack_of(tablet)["duties"][0]
    assert duty["phase"] == "statement"
    room = tablet.get(f"/r/{duty['round']['slug']}/sittings/{duty['sitting']}/room")
    assert room.status_code == 200 and "我的书签" in room.get_data(as_text=True)


def test_two_panels_of_two_rounds_are_not_mixed(app, bind, world):
    assert [d["key"] for d in pack_of(bind(world.desk.experts[2]))["duties"]] == world.desk.sittings
    pack = pack_of(bind(world.other.experts[6]))
    assert {d["round"]["slug"] for d in pack["duties"]} == {world.other_slug}
    assert {d["seat_number"] for d in pack["duties"]} == {7}


def test_a_removed_member_has_no_duties_left(app, bind, world):
    from app.ledger.append import append

    tablet = bind(world.expert(4))
    assert pack_of(tablet)["duties"]
    with write(app) as session:
        world.seat(session, 4).state = "removed"
        append(session, None, "test.removed")
    assert pack_of(tablet)["duties"] == []


def test_only_for_a_tablet_of_ones_own_and_only_the_one_that_asks(app, bind, client_as, world):
    one, two, foreign = bind(world.expert(1)), bind(world.expert(1)), bind(world.expert(2))
    for asked in ("", "0" * 16, foreign.id, two.id):
        refused = one.get(f"/field/api/pack?tablet={asked}")
        assert (refused.status_code, refused.json["error"]["code"]) == (403, "tablet"), asked
    browser = client_as(world.expert(1))  # signed in without a tablet: any of his own
    assert browser.get(f"/field/api/pack?tablet={two.id}").status_code == 200
    nobody = app.test_client().get(f"/field/api/pack?tablet={one.id}")
    assert (nobody.status_code, nobody.json["error"]["code"]) == (401, "signed_out")
    assert pack_of(bind(world.presenters[0]))["duties"] == []


def test_only_the_recorder_gets_the_secret_and_the_members_names(app, bind, client_as, world):
    expert = bind(world.expert(1))
    office = client_as(world.people["office"])
    other = client_as(world.people["office2"])
    with write(app) as session:
        account = session.get(Account, world.people["office"].id)
        panels.set_recorder(session, None, panel=world.panel(session), account=account)
    packages = []
    for client in (office, other):
        page = client.post("/account/tablets/code").get_data(as_text=True)
        code = re.search(r"data-code>([0-9A-Z-]+)<", page)[1]
        from tests.field.conftest import Key

        body = {"code": code, "public_key": Key().public, "label": "记录"}
        tablet = app.test_client()
        bound = tablet.post("/field/api/bind", json=body).json
        packages.append(tablet.get(f"/field/api/pack?tablet={bound['tablet']}"))
    theirs = packages[0].json
    assert [d["key"] for d in theirs["duties"]] == [f"statement/{s}" for s in world.site.sittings]
    assert packages[1].json["duties"] == []
    raw = expert.get(f"/field/api/pack?tablet={expert.id}").get_data(as_text=True)
    mine = pack_of(expert)
    for duty, own in zip(theirs["duties"], mine["duties"], strict=True):
        assert set(duty) >= DUTY
        secret = duty["unlock_secret"]
        assert re.fullmatch("[A-Z2-7]{16}", secret)
        assert hashlib.sha256(secret.encode()).hexdigest() == own["unlock_hash"]
        assert secret not in raw and "unlock_secret" not in own
        assert [seat["number"] for seat in duty["seats"]] == list(range(1, 8))
        assert len({seat["name"] for seat in duty["seats"]}) == 7
    for viewer in world.site.experts[1:]:
        assert viewer.name not in raw and viewer.id not in raw and viewer.person_id not in raw
    assert all(seat not in raw for seat in world.site.seats)


def test_queries_do_not_grow_with_the_counties(app, bind, world):
    """The same panel with one sitting and with six."""
    tablet = bind(world.expert(1))
    with write(app) as session:
        steps.declare(session, world)
        round_ = session.get(Panel, world.site.id).round
        others = [s.id for s in round_.subjects if s.id not in world.subjects]
        panel = world.panel(session)
        for position, subject_id in enumerate(others, 4):
            session.add(
                Sitting(
                    panel_id=panel.id, subject_id=subject_id, position=position,
                    on=round_.review_on, with_statement=True,
                )
            )  # fmt: skip
        from app.ledger.append import append

        append(session, None, "test.sittings")
        assert len(others) == 3
    pack_of(tablet)  # unlock secrets are made once
    where = f"/field/api/pack?tablet={tablet.id}"
    six = queries_of(app, lambda: tablet.get(where))
    assert len(pack_of(tablet)["duties"]) == 6
    with write(app) as session:
        one = _only(session, world)
    assert len(pack_of(tablet)["duties"]) == 1
    assert queries_of(app, lambda: tablet.get(where)) == six
    assert one


def _only(session: Any, world: Any) -> bool:
    """Move five of the six sittings to another panel."""
    from app.ledger.append import append

    rows = session.query(Sitting).filter(Sitting.panel_id == world.site.id).all()
    for row in sorted(rows, key=lambda s: s.position)[1:]:
        row.panel_id, row.position = world.other.id, row.position + 10
    append(session, None, "test.moved")
    return True


@pytest.mark.skipif(PG, reason="copies the database file; the answers are the same")
def test_two_worlds_that_differ_in_anothers_marks_give_the_same_bytes(settings, world, tmp_path):
    start = create_app(settings)
    database = start.extensions["mingjian.db"]
    me, other = world.expert(2), world.expert(1)
    with database.write() as session:
        sitting = steps.to_scoring(session, world)
        sheet = scoring.start_sheet(session, other, sitting=sitting)
        scoring.start_sheet(session, me, sitting=sitting)
        items = sheet_items(sheet.instrument)
        token = accounts.invite(
            session, world.people["office"], purpose="enter", person_id=me.person_id
        )
        from app.accounts import queries
        from tests.field.conftest import Key

        opened = accounts.bind_tablet(
            session, queries.open_invitation(session, token), public_key=Key().public, label="x",
            agent="t", address="1", hours=9,
        )  # fmt: skip
        from app.field import unlocks

        unlocks.make_unlocks(session, unlocks.without_secret(session, me))
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    now = clock.now()
    high = steps.complete_marks(items)
    worlds = {
        "none": {}, "high": high, "low": steps.complete_marks(items, low=True),
        "half": dict(list(high.items())[: len(high) // 3]),
    }  # fmt: skip
    answers = {name: _bytes(settings, tmp_path / name, world, sheet, marks, opened, now)
               for name, marks in worlds.items()}  # fmt: skip
    answers["sealed"] = _bytes(
        settings, tmp_path / "sealed", world, sheet, high, opened, now, seal=True
    )
    assert len(set(answers.values())) == 1
    assert b"entries" in answers["high"]


def _bytes(
    settings: Any, home: Any, world: Any, sheet: Any, marks: Any, opened: Any, now: Any,
    *, seal: bool = False,
) -> bytes:  # fmt: skip
    shutil.copytree(settings.home, home)
    app = create_app(Settings(home=home, database_url=f"sqlite:///{home / 'mingjian.db'}"))
    with clock.fixed(now), write(app) as session:
        row = session.get(type(sheet), sheet.id)
        if marks:
            scoring.save_draft(session, world.expert(1), sheet=row, changes=marks, version=0)
        if seal:
            scoring.seal(
                session, world.expert(1), sheet=row, version=row.version,
                signed_name=world.expert(1).name,
            )  # fmt: skip
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = opened.token, True
    with clock.fixed(now):
        answer = client.get(f"/field/api/pack?tablet={opened.tablet_id}")
    app.extensions["mingjian.db"].dispose()
    assert answer.status_code == 200
    return re.sub(rb'"csrf":"[^"]*"', b"", answer.get_data())


def test_the_reasons_are_those_of_beginning_a_sheet(app, bind, world):
    """`ready` is None exactly when a sheet can be begun."""
    tablet = bind(world.expert(1))
    with write(app) as session:
        steps.to_scoring(session, world)
    begun: list[bool] = []
    told: list[bool] = []
    for duty in pack_of(tablet)["duties"]:
        told.append(duty["ready"] is None)
        begun.append(_begins(app, world, duty["sitting"]))
    assert told == begun == [True, False, False]


def _begins(app: Any, world: Any, sitting_id: str) -> bool:
    from app.domain.types import DomainError

    try:
        with write(app) as session:
            sitting = session.get(Sitting, sitting_id)
            scoring.start_sheet(session, world.expert(1), sitting=sitting)
    except DomainError:
        return False
    return True


def test_the_package_is_for_those_who_have_something_to_do_with_a_tablet(session, world):
    from app.domain.types import Forbidden

    url: Callable[[str, str], str] = lambda slug, key: key  # noqa: E731
    for role in ("keeper", "supervisor", "admin"):
        with pytest.raises(Forbidden):
            packs.pack(session, world.people[role], "0" * 16, url)
