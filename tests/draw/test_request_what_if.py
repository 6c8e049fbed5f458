"""Looking at a draft is a recorded act: what it shows, when it is outdated, what it proposes."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app import clock
from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.draw import (
    guarding,
    operations,
    operations_what_if,
    outlook,
    pool,
    queries,
    queries_request,
)
from app.draw.models import Draw
from app.draw.models_request import WhatIf
from app.ledger.append import append
from app.ledger.models import Event
from app.programme.models import Subject
from app.registry.models import Expert
from tests.draw.builders import Staff, make_body, make_expert, make_pool, make_round, request

BASE = "/r/r1/draws"


def drafted(write: Any, people: Staff, **panel: Any) -> str:
    with write() as session:
        draw = operations.request_draw(
            session, people.office, round=session.scalars(select(Subject)).first().round,
            stage="desk", subject_ids=list(session.scalars(select(Subject.id))),
            panels=[{"id": "P1", "seats": 5, **panel}],
        )  # fmt: skip
        return draw.id


def kinds(session: Session, name: str) -> list[dict[str, Any]]:
    entries = [json.loads(p) for p in session.scalars(select(Event.payload).order_by(Event.seq))]
    return [entry for entry in entries if entry["kind"] == name]


def test_every_look_is_a_numbered_entry_and_a_page_alone_is_none(
    office: Any, write: Any, people: Staff
) -> None:
    key = drafted(write, people)
    page = f"{BASE}/{key}"
    first = office.get(page).text
    assert "还没有试算" in first and "在库记录" not in first
    with write() as session:
        assert kinds(session, "draw.what_if") == []
    for number in (1, 2):
        assert office.post(f"{page}/what-if").status_code == 302
        assert f"第 {number} 次试算" in office.get(page).text
    with write() as session:
        entries = kinds(session, "draw.what_if")
        rows = list(session.scalars(select(WhatIf).order_by(WhatIf.number)))
        assert [e["data"]["number"] for e in entries] == [1, 2] == [r.number for r in rows]
        assert entries[0]["actor"] == people.office.id == rows[0].actor_id
        assert entries[0]["data"]["pool"] == rows[0].pool_digest == rows[1].pool_digest
        assert entries[0]["data"]["request"] == rows[0].request_digest
        assert rows[0].summary["pool"] == 60 and rows[0].summary["feasible"] is True
        draw = session.get(Draw, key)
        assert operations_what_if.look_counts(session, draw) == [[people.office.id, 2]]
    shown = office.get(page).text
    assert "本次抽取共试算 2 次" in shown and "试算已过时" not in shown


def test_a_look_is_outdated_by_the_request_and_by_the_pool_and_by_nothing_else(
    session: Session, staff: Staff
) -> None:
    experts = make_pool(session)
    draw = request(session, staff, make_round(session))
    row = operations_what_if.what_if(session, staff.office, draw)
    assert queries_request.outdated(session, draw, row) is None
    append(session, None, "test.something_else", said="x")
    assert queries_request.outdated(session, draw, row) is None
    experts[0].title = "副研究员"
    append(session, None, "test.edit")
    said = queries_request.outdated(session, draw, row)
    assert said is not None and "1 条变动记录" in said.zh
    row = operations_what_if.what_if(session, staff.office, draw)
    assert row.number == 2 and queries_request.outdated(session, draw, row) is None
    operations.revise_draw(session, staff.office, draw, panels=[{"id": "P1", "seats": 7}])
    said = queries_request.outdated(session, draw, row)
    assert said is not None and "the request was changed" in said.en


def test_a_look_at_something_else_is_not_kept(session: Session, staff: Staff) -> None:
    make_pool(session)
    draw = request(session, staff, make_round(session))
    seen = operations_what_if.look(session, draw)
    operations.revise_draw(session, staff.office, draw, panels=[{"id": "P1", "seats": 7}])
    with pytest.raises(Conflict, match="changed in the meantime"):
        operations_what_if.record_what_if(session, staff.office, draw, seen)
    with pytest.raises(Forbidden):
        operations_what_if.what_if(session, staff.supervisor, draw)
    operations.commit_draw(session, staff.office, draw)
    with pytest.raises(Conflict):
        operations_what_if.what_if(session, staff.office, draw)
    assert session.scalar(select(func.count(WhatIf.id))) == 0
    assert draw.snapshot["looks"] == []


def test_the_two_modes_stand_side_by_side(session: Session, staff: Staff) -> None:
    experts = make_pool(session, 60)
    for expert in experts[:6]:
        expert.discipline = "law"
    for expert in experts[6:]:
        expert.discipline = "land"
    append(session, None, "test.edit")
    panel = {"quotas": {"discipline": {"law": [2, 2]}}, "mode": "lottery"}
    draw = request(session, staff, make_round(session), panel=panel)
    shown = operations_what_if.what_if(session, staff.office, draw).summary
    lottery, tickets = shown["modes"]["lottery"], shown["modes"]["tickets"]
    assert (lottery["min"], lottery["max"]) == ("0.055556", "0.333333")  # 3 of 54, 2 of 6
    assert lottery["certified"] is True and lottery["draws"] == 0
    assert lottery["gap"] == "0" or float(lottery["gap"]) < 1e-9
    assert tickets["draws"] == 300 and float(tickets["gini"]) >= float(lottery["gini"])
    assert shown["chances"]["min"] == lottery["min"]
    assert draw.request["panels"][0]["mode_reason"] == "fairest"


def test_a_batch_on_one_day_says_why_no_lottery(session: Session, staff: Staff) -> None:
    make_pool(session)
    round_ = make_round(session)
    panels = [
        {"id": f"P{n}", "seats": 5, "subjects": [s.id]} for n, s in enumerate(round_.subjects, 1)
    ]
    draw = operations.request_draw(
        session, staff.office, round=round_, stage="desk",
        subject_ids=[s.id for s in round_.subjects], panels=panels,
    )  # fmt: skip
    shown = operations_what_if.what_if(session, staff.office, draw).summary
    assert "share a day" in shown["modes"]["lottery"]["en"]
    assert shown["modes"]["tickets"]["draws"] == shown["chances"]["draws"] == 200
    with pytest.raises(DomainError, match="shares its date") as caught:
        operations.revise_draw(
            session, staff.office, draw, panels=[{**p, "mode": "lottery"} for p in panels]
        )
    assert caught.value.field == "mode"


def test_a_batch_that_cannot_come_together_is_told_before_the_commitment(
    session: Session, staff: Staff
) -> None:
    make_pool(session, 9, bodies=9)
    round_ = make_round(session)
    draw = operations.request_draw(
        session, staff.office, round=round_, stage="desk",
        subject_ids=[s.id for s in round_.subjects],
        panels=[
            {"id": f"P{n}", "seats": 5, "subjects": [s.id]}
            for n, s in enumerate(round_.subjects, 1)
        ],
    )  # fmt: skip
    shown = operations_what_if.what_if(session, staff.office, draw).summary
    (told,) = shown["relaxations"]
    assert shown["feasible"] is False and shown["chances"] is None and told["changes"] == []
    assert "2012-11-20 共需 10 席，可抽专家 9 人" in told["zh"]
    with pytest.raises(DomainError, match="10 seats for 9 eligible people"):
        operations.commit_draw(session, staff.office, draw)
    # On another day each panel has all nine.
    second = [
        {"id": "P1", "seats": 5, "subjects": [round_.subjects[0].id]},
        {"id": "P2", "seats": 5, "subjects": [round_.subjects[1].id], "dates": ["2012-11-21"]},
    ]
    operations.revise_draw(session, staff.office, draw, panels=second, accept_high="small_pool")
    assert operations_what_if.what_if(session, staff.office, draw).summary["feasible"] is True


def test_a_relaxation_is_one_click_and_gives_a_feasible_draft(
    office: Any, write: Any, people: Staff
) -> None:
    key = drafted(
        write, people, quotas={"source": {"company": [2, 5]}, "kind": {"economic": [1, 5]}}
    )
    page = f"{BASE}/{key}"
    office.post(f"{page}/what-if")
    shown = office.get(page).text
    assert "名额无法满足" in shown and "“来源：企业”的下限 2 改为 0" in shown
    assert "source = company" not in shown
    assert office.post(f"{page}/relax", data={"way": "7"}).status_code == 422
    assert office.post(f"{page}/relax", data={"way": "0"}).status_code == 302
    with write() as session:
        draw = session.get(Draw, key)
        (panel,) = draw.request["panels"]
        assert panel["quotas"]["source"]["company"] == [0, 5]
        assert panel["quotas"]["kind"]["economic"] == [1, 5]
        (revised,) = kinds(session, "draw.revised")
        assert revised["data"]["changes"] == [["source", "company", "min", 2, 0]]
        assert revised["data"]["what_if"] == 1
    assert "试算已过时" in office.get(page).text
    assert office.post(f"{page}/relax", data={"way": "0"}).status_code == 422
    office.post(f"{page}/what-if")
    assert "名额无法满足" not in office.get(page).text


def test_all_smallest_relaxations_are_offered_and_rules_do_not_move(
    session: Session, staff: Staff
) -> None:
    body = make_body(session, "测试院", "institute", "420102")
    for n in range(30):
        other = make_body(session, f"测试院{n}", "institute", "420102")
        make_expert(
            session, n, other, kind="management" if n < 27 else "technical", discipline="land"
        )
    append(session, None, "test.pool")
    assert body.id
    draw = request(session, staff, make_round(session))
    shown = operations_what_if.what_if(session, staff.office, draw).summary
    # Two thirds of five may be technical or economic at least; only three people are.
    ways = [way["changes"] for way in shown["relaxations"]]
    assert [["kind", "management", "max", 1, 2]] in ways
    number = ways.index([["kind", "management", "max", 1, 2]])
    with pytest.raises(DomainError, match="D-04"):
        operations_what_if.apply_relaxation(session, staff.office, draw, number)
    assert draw.request["panels"][0]["quotas"]["kind"]["management"] == [0, 1]
    with pytest.raises(DomainError, match="no such relaxation"):
        operations_what_if.apply_relaxation(session, staff.office, draw, -1)


def test_a_chance_above_one_half_needs_two_people(office: Any, write: Any, people: Staff) -> None:
    with write() as session:
        for n, expert in enumerate(session.scalars(select(Expert).order_by(Expert.number))):
            expert.discipline = "law" if n < 3 else "land"
        append(session, None, "test.edit")
    key = drafted(write, people, quotas={"discipline": {"law": [2, 2]}}, mode="lottery")
    page = f"{BASE}/{key}"
    office.post(f"{page}/what-if")
    shown = office.get(page).text
    assert "3 人机会高于一半：E0000, E0001, E0002" in shown and "不能提交" in shown
    assert "“专业：法律”可抽 3 人，下限 2 席，不足 3 倍" in shown
    assert office.post(f"{page}/commit").status_code == 422
    with write() as session:
        draw = session.get(Draw, key)
        panels = [{k: draw.request["panels"][0][k] for k in ("id", "seats", "quotas", "mode")}]
        operations.revise_draw(
            session, people.office, draw, panels=panels, accept_high="rare_specialty"
        )
    assert office.post(f"{page}/commit").status_code == 302
    with write() as session:
        draw = session.get(Draw, key)
        (guard,) = [g for g in draw.snapshot["guards"] if g.get("accepted")]
        assert (guard["code"], guard["level"]) == ("probability_high", "warn")
        (entry,) = kinds(session, "draw.committed")
        assert entry["data"]["accepted"] == [["probability_high", "rare_specialty"]]
        assert entry["data"]["modes"] == [["P1", "lottery", "fairest"]]
        assert entry["data"]["looks"] == 1
    text = office.get(page).text
    assert "需要监督人员会签时逐项同意的例外" in text and "办公室的理由：稀缺专业" in text


def test_no_chance_at_all_is_refused_unless_a_reason_is_given(
    session: Session, staff: Staff
) -> None:
    make_pool(session)
    panel = {"quotas": {"discipline": {"law": [0, 0]}}, "mode": "lottery"}
    draw = request(session, staff, make_round(session), panel=panel)
    shown = operations_what_if.what_if(session, staff.office, draw).summary
    zero = next(g for g in shown["guards"] if g["code"] == "probability_zero")
    assert zero["level"] == "refuse" and shown["guards"][0]["level"] == "refuse"
    panels = [{"id": "P1", "seats": 5, **panel}]
    with pytest.raises(DomainError, match="reason code"):
        operations.revise_draw(session, staff.office, draw, panels=panels, accept_zero="because")
    operations.revise_draw(session, staff.office, draw, panels=panels, accept_zero="not_needed")
    shown = operations_what_if.what_if(session, staff.office, draw).summary
    zero = next(g for g in shown["guards"] if g["code"] == "probability_zero")
    assert (zero["level"], zero["accepted"]) == ("warn", "not_needed")


def test_too_early_and_no_outside_source_are_warnings_and_a_known_source_a_refusal(
    session: Session, staff: Staff
) -> None:
    make_pool(session)
    round_ = make_round(session, kind="real")
    draw = request(session, staff, round_)
    found = pool.assess(session, round_, draw.request)
    # Tuesday 20 November 2012: two working days before is Friday the 16th.
    assert guarding.days_before(date(2012, 11, 20), 2) == date(2012, 11, 16)
    early = guarding.too_early(found, draw.request, date(2012, 11, 15))
    assert early is not None and early.level == "warn" and "2012-11-16" in early.text.zh
    assert guarding.too_early(found, draw.request, date(2012, 11, 16)) is None
    codes = [g["code"] for g in outlook.summary(found, draw.request)["guards"]]
    assert "no_outside_source" in codes
    source = {"name": "ssq-red", "kind": "set", "count": 6, "low": 1, "high": 33,
              "when": "2012136 2012-11-18T21:15+08:00"}  # fmt: skip
    asked = {**draw.request, "sources": [source]}
    for moment, refused in ((17, False), (19, True)):
        with clock.fixed(datetime(2012, 11, moment, tzinfo=UTC)):
            rows = guarding.guards(found, asked, None)
        assert any(g["code"] == "source_known" for g in rows) is refused
        assert all(g["code"] != "no_outside_source" for g in rows)


def test_queries_do_not_grow_with_the_pool_after_a_look(
    office: Any, write: Any, people: Staff, app: Any
) -> None:
    page = f"{BASE}/{drafted(write, people)}"
    engine, counts = app.extensions["mingjian.db"].engine, []

    def count(*_: Any) -> None:
        counts[-1] += 1

    for extra in (0, 40):
        with write() as session:
            body = make_body(session, f"测试院{extra}", "institute", "420102")
            for n in range(extra):
                make_expert(session, 500 + n, body, consent_at=None)
            append(session, None, "test.more")
        office.post(f"{page}/what-if")
        counts.append(0)
        event.listen(engine, "before_cursor_execute", count)
        assert office.get(page).status_code == 200
        event.remove(engine, "before_cursor_execute", count)
    assert counts[0] <= counts[1] <= counts[0] + 3 and counts[1] < 60, counts


def test_why_answers_for_everybody(office: Any, write: Any, people: Staff, make: Any) -> None:
    with write() as session:
        first = session.scalar(select(Expert).where(Expert.number == "E0001"))
        first.consent_at = None
        make.person(session, "测试路人")
        append(session, None, "test.people")
        key = first.id
    page = f"{BASE}/{drafted(write, people)}/why"
    said = office.get(f"{page}?expert=e0001").text
    assert "不能抽：P-04" in said and "补登单位推荐文件和本人同意书" in said
    assert "不能抽：P-04" in office.get(f"{page}?expert={key}").text
    assert "可以抽" in office.get(f"{page}?expert=E0002").text
    several = office.get(f"{page}?expert=测试专家00").text
    assert "请选择" in several and several.count("E000") >= 9
    assert "登记过姓名，但不是专家" in office.get(f"{page}?expert=测试路人").text
    nobody = office.get(f"{page}?expert=查无此人").text
    assert "专家库中没有这个人" in nobody and "由库管员办理入库" in nobody
    pool_page = office.get(f"/pool/{key}/eligibility").text
    assert "P-04" in pool_page and "怎样才会改变" in pool_page
    assert f"/pool/{key}/eligibility" in office.get(f"/pool/{key}").text
    assert office.get("/pool/0000000000000000/eligibility").status_code == 404


def test_reading_a_draft_without_a_look_is_refused(session: Session, staff: Staff) -> None:
    make_pool(session)
    draw = request(session, staff, make_round(session))
    with pytest.raises(NotFound):
        queries.what_if(session, staff.office, draw)
    assert queries.exclusions(session, staff.office, draw) == []


def test_one_click_relaxes_every_panel_that_the_same_change_helps(
    session: Session, staff: Staff
) -> None:
    make_pool(session)
    round_ = make_round(session)
    quotas = {"source": {"company": [1, 5]}}
    draw = operations.request_draw(
        session, staff.office, round=round_, stage="desk",
        subject_ids=[s.id for s in round_.subjects],
        panels=[
            {"id": f"P{n}", "seats": 5, "subjects": [s.id], "quotas": quotas}
            for n, s in enumerate(round_.subjects, 1)
        ],
    )  # fmt: skip
    (way,) = operations_what_if.what_if(session, staff.office, draw).summary["relaxations"]
    assert way["panels"] == ["P1", "P2"] and "评审组 P1、P2 无法" in way["zh"]
    operations_what_if.apply_relaxation(session, staff.office, draw, 0)
    bounds = [p["quotas"]["source"]["company"] for p in draw.request["panels"]]
    assert bounds == [[0, 5], [0, 5]]
    again = operations_what_if.what_if(session, staff.office, draw).summary
    assert again["feasible"] is True and again["relaxations"] == []
