"""A draft is discarded, a mistaken round leaves the switcher, a round is copied as a template."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from app.accounts.models import Account
from app.accounts.queries import viewer_of
from app.directory.models import Region
from app.domain.types import Conflict, DomainError, Forbidden
from app.draw.models import Draw
from app.draw.operations import request_draw
from app.home import rounds
from app.ledger.append import append
from app.ledger.models import Event
from app.programme import operations
from app.programme.models import Figure, Round
from app.programme.queries import guidance_of
from tests.programme.conftest import add_districts, add_regions, make_round

DAY = date(2013, 5, 6)


def asked(session, people, round_):
    """A draft of a draw: two panels, three counties each, five seats."""
    ids = [s.id for s in round_.subjects]
    return request_draw(
        session, people["office"], round=round_, stage="desk", subject_ids=ids,
        panels=[
            {"id": "A", "seats": 5, "subjects": ids[:3], "dates": ["2012-11-12"]},
            {"id": "B", "seats": 7, "subjects": ids[3:], "quotas": {"kind": {"technical": [4, 7]}}},
        ],
    )  # fmt: skip


def copy(session, people, round_, **changed):
    given = {"slug": "bj-3", "title_zh": "第三届", "title_en": "Third", "kind": "drill",
             "review_on": DAY}  # fmt: skip
    return rounds.copy_with_panels(session, people["office"], round_, **(given | changed))


def test_a_draft_without_a_draw_is_discarded(session, people, round_, districts):
    asked(session, people, round_)
    with pytest.raises(Forbidden):
        rounds.discard(session, people["supervisor"], round_, "建错了")
    with pytest.raises(DomainError) as caught:
        rounds.discard(session, people["office"], round_, "  ")
    assert caught.value.field == "reason" and round_.phase == "preparing"
    rounds.discard(session, people["office"], round_, "建错了")
    assert round_.hidden and round_.discarded_at is not None and round_.ended_reason == "建错了"
    last = session.scalars(select(Event.payload).order_by(Event.seq.desc())).first()
    assert "round.discard" in last and round_.id in last and "建错了" not in last
    assert session.get(Round, round_.id) is round_
    with pytest.raises(Conflict):
        rounds.discard(session, people["office"], round_, "再一次")


def test_a_round_with_a_draw_or_opened_is_not_discarded(session, people, round_, districts):
    draw = asked(session, people, round_)
    draw.state = "committed"
    append(session, None, "test.committed")
    with pytest.raises(Conflict) as caught:
        rounds.discard(session, people["office"], round_, "建错了")
    assert "已有抽取（1 次）" in caught.value.text.zh and round_.phase == "preparing"
    draw.state = "aborted"
    append(session, None, "test.aborted")
    with pytest.raises(Conflict):  # an aborted one was a draw too
        rounds.discard(session, people["office"], round_, "建错了")


def test_an_open_round_is_cancelled_not_discarded(session, people, opened):
    with pytest.raises(Conflict):
        rounds.discard(session, people["office"], opened, "建错了")
    operations.cancel_round(session, people["office"], opened, "文件有误")
    assert opened.hidden and opened.discarded_at is None


def test_the_copy_has_the_frame_and_nothing_that_happened(session, people, round_, districts, unit):
    office = people["office"]
    operations.set_guidance(session, office, round_, districts["海淀区"], unit, "S1 四")
    operations.enter_figure(
        session, office, districts["海淀区"], "idle_ha", "47.5", "", 2011, "测试统计表"
    )
    operations.withdraw_subject(session, office, districts["平谷区"], "主动退出")
    made = copy(session, people, round_)
    new = made.round
    assert (new.phase, new.kind, new.review_on, new.note) == ("preparing", "drill", DAY, "")
    assert new.scheme_digest == round_.scheme_digest and new.scheme == round_.scheme
    assert new.score_rule_digest == round_.score_rule_digest
    assert round_.rules.get("central_exempt") and not new.rules.get("central_exempt")
    assert new.rules["rules"] == round_.rules["rules"] and new.rules_digest != round_.rules_digest
    pins = [
        sorted((p.stage, p.region_class, p.form_version_id) for p in r.pins) for r in (new, round_)
    ]
    assert pins[0] == pins[1] and all(p.instrument_digest is None for p in new.pins)
    assert [(s.region_code, s.region_class, s.class_basis, s.facts, s.status) for s in new.subjects] == [
        (s.region_code, s.region_class, s.class_basis, s.facts, "declared")
        for s in round_.subjects if s.name_zh != "平谷区"
    ]  # fmt: skip
    assert all(s.presenter_id is None for s in new.subjects)
    ids = [s.id for s in new.subjects]
    assert session.scalars(select(Figure).where(Figure.subject_id.in_(ids))).all() == []
    assert [(g.organisation.name, g.basis) for g in guidance_of(session, new)] == [
        ("测试指导处", "S1 四")
    ]
    with pytest.raises(DomainError) as caught:
        copy(session, people, round_)
    assert caught.value.field == "slug"
    with pytest.raises(Forbidden):
        rounds.copy_with_panels(
            session, people["admin"], round_, slug="x", title_zh="x", title_en="x", kind="drill",
            review_on=DAY,
        )  # fmt: skip


def test_the_copy_asks_for_panels_of_the_same_shape(session, people, round_, districts):
    asked(session, people, round_)
    made = copy(session, people, round_)
    draw = session.scalars(select(Draw).where(Draw.round_id == made.round.id)).one()
    assert (draw.state, draw.stage, draw.result, draw.commitment) == ("draft", "desk", None, None)
    shape = [(p["id"], p["seats"], p["quotas"].get("kind"), p["own_dates"]) for p in draw.request["panels"]]  # fmt: skip
    first, second = shape
    assert first[:2] == ("A", 5) and second[:2] == ("B", 7)
    assert second[2]["technical"] == [4, 7] and first[3] == second[3] == []
    old = session.scalars(select(Draw).where(Draw.round_id == round_.id)).one()
    assert [p["quotas"] for p in draw.request["panels"]] == [
        p["quotas"] for p in old.request["panels"]
    ]
    assert draw.request["panels"][0]["dates"] == [DAY.isoformat()]
    codes = {s.id: s.region_code for s in made.round.subjects}
    assert [codes[k] for k in draw.request["panels"][0]["subjects"]] == [
        "110101",
        "110108",
        "110106",
    ]
    assert draw.request["fixed"] == {} and made.left == []


def test_a_county_that_is_gone_on_the_new_day_is_named(session, people, round_, districts):
    region = session.scalars(select(Region).where(Region.code == "110101")).one()
    region.valid_to = date(2013, 1, 1)
    append(session, None, "test.region")
    asked(session, people, round_)
    made = copy(session, people, round_)
    assert len(made.subjects) == 5
    assert "110101" in made.left[0].zh and "2013-05-06" in made.left[0].zh


def test_a_rehearsal_is_a_small_drill_that_is_ready(session, people, round_, districts):
    asked(session, people, round_)
    made = rounds.rehearse(session, people["office"], round_, DAY)
    new = made.round
    assert (new.slug, new.kind, new.phase, new.review_on) == ("drill-1", "drill", "open", DAY)
    assert new.title_zh == "排演：第二届评选演练" and made.left == []
    assert [s.region_code for s in new.subjects] == ["110101", "110108", "110106"]
    draw = session.scalars(select(Draw).where(Draw.round_id == new.id)).one()
    assert (draw.kind, draw.state) == ("drill", "draft")
    assert [p["id"] for p in draw.request["panels"]] == ["A"]  # B had none of the three
    assert rounds.rehearse(session, people["office"], round_, DAY).round.slug == "drill-2"
    with pytest.raises(Forbidden):
        rounds.rehearse(session, people["supervisor"], round_, DAY)
    assert len(round_.subjects) == 6 and round_.phase == "preparing"


def test_a_rehearsal_says_what_keeps_it_from_opening(session, people, round_):
    with pytest.raises(Conflict) as caught:
        rounds.rehearse(session, people["office"], round_, DAY)
    assert "还没有参评区县" in caught.value.text.zh
    operations.add_subject(
        session, people["office"], round_, region_code="110108", region_class="I",
        class_basis="测试依据",
    )  # fmt: skip
    made = rounds.rehearse(session, people["office"], round_, DAY)
    assert made.round.phase == "preparing" and "属性未填" in made.left[0].zh


@pytest.fixture
def pages(app, client_as):
    """An office client, and the slug of a round in preparation."""
    client = client_as("office")
    with app.extensions["mingjian.db"].write() as session:
        viewer = viewer_of(session, session.get(Account, client.viewer.id))
        add_regions(session)
        add_districts(session, viewer, make_round(session, viewer))
    app.config["WTF_CSRF_ENABLED"] = False
    return client


def test_on_screen(pages, app, client_as):
    form = {"slug": "bj-9", "title_zh": "第九届", "title_en": "Ninth", "kind": "drill"}
    refused = pages.post("/r/bj-2/copy", data=form)
    assert refused.status_code == 422 and "bj-9" in refused.text  # the day is never filled in
    made = pages.post("/r/bj-2/copy", data=form | {"review_on": "2013-05-06"})
    assert made.status_code == 302 and made.location == "/r/bj-9/"
    assert "6 个参评单位" in pages.get("/r/bj-9/").text
    assert "第九届" in pages.get("/").text
    practised = pages.post("/r/bj-2/rehearse")
    assert practised.location == "/r/drill-1/"
    assert "排演：第二届评选演练" in pages.get("/r/drill-1/").text
    empty = pages.post("/r/bj-9/discard", data={"reason": ""})
    assert empty.status_code == 422
    assert pages.post("/r/bj-9/discard", data={"reason": "多建了一届"}).location == "/rounds"
    home, listed = pages.get("/").text, pages.get("/rounds").text
    assert "第九届" not in home and "第九届" not in listed and "另有 1 个已放弃的草稿" in listed
    assert "第九届" in pages.get("/rounds?discarded=1").text
    assert "多建了一届" in pages.get("/r/bj-9/").text
    with app.extensions["mingjian.db"].write() as session:
        round_ = session.scalars(select(Round).where(Round.slug == "bj-2")).one()
        operations.cancel_round(session, None, round_, "文件有误")
    switcher = pages.get("/account").text
    assert ">第二届评选演练<" not in switcher and ">排演：第二届评选演练<" in switcher
    listed = pages.get("/rounds").text
    assert "第二届评选演练" in listed and "已取消" in listed
