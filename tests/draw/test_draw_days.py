"""Each panel is judged on its own days, and nobody sits in two draws on one day."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.draw import facts, operations, pool, queries, verdicts
from app.draw.models import Draw
from app.ledger.append import append
from app.panel import operations as panels
from app.panel.models import Sitting
from app.programme.models import Round
from app.programme.queries import rules_of
from app.registry.models import Absence, Expert
from tests.draw.builders import (
    REVIEW,
    Staff,
    completed,
    make_body,
    make_expert,
    make_pool,
    make_round,
    request,
)

LATER, LAST = date(2012, 11, 27), date(2012, 12, 4)


def batch(session: Session, staff: Staff, round_: Round) -> Draw:
    """One panel on the review date, one on two days of its own."""
    first, second = (s.id for s in round_.subjects)
    return operations.request_draw(
        session, staff.office, round=round_, stage="desk", subject_ids=[first, second],
        panels=[
            {"id": "A", "seats": 5, "subjects": [first]},
            {"id": "B", "seats": 5, "subjects": [second], "dates": [str(LAST), str(LATER)]},
        ],
    )  # fmt: skip


def away(session: Session, expert: Expert, since: date, until: date) -> None:
    session.add(Absence(expert_id=expert.id, since=since, until=until))


def test_absence_and_age_count_on_the_days_of_the_panel(session: Session, staff: Staff) -> None:
    body = make_body(session, "测试研究院", "institute", "420102")
    free, early, late, last, between, older = (make_expert(session, n, body) for n in range(6))
    away(session, early, REVIEW, REVIEW)
    away(session, late, LATER, LATER)
    away(session, last, LAST, LAST)
    away(session, between, date(2012, 11, 29), date(2012, 11, 30))
    round_ = make_round(session)
    limit = int(rules_of(round_)["P-03"].params["limit"])
    birthday = date(REVIEW.year - limit, 11, 25)
    older.person.birth_date = session.info["keys"].encrypt(str(birthday))
    append(session, None, "test.days")
    draw = batch(session, staff, round_)
    session.flush()
    session.expire_all()
    found = pool.assess(session, round_, draw.request)
    blocked = {(b.expert, b.panel, b.rule) for b in found.blocked}
    assert blocked == {
        (early.id, "A", "D-16"), (late.id, "B", "D-16"), (last.id, "B", "D-16"),
        (older.id, "B", "P-03"),
    }  # fmt: skip
    (reason,) = (b.reason for b in found.blocked if b.expert == older.id)
    assert str(LATER) in reason.zh and str(LATER) in reason.en
    told = {
        key: [(v.panel, v.days, v.rules) for v in verdicts.verdicts(session, staff.office, draw, e)]
        for key, e in (("early", early), ("late", late), ("older", older))
    }
    assert told["early"] == [("A", (REVIEW,), ["D-16"]), ("B", (LATER, LAST), [])]
    assert told["late"] == [("A", (REVIEW,), []), ("B", (LATER, LAST), ["D-16"])]
    assert told["older"] == [("A", (REVIEW,), []), ("B", (LATER, LAST), ["P-03"])]
    for expert, rule, outcome in (
        (late, "D-16", "block"), (between, "D-16", "pass"), (older, "P-03", "block"),
        (free, "P-03", "pass"),
    ):  # fmt: skip
        said = {a.rule_id: a for a in queries.why(session, staff.office, draw, expert)}[rule]
        assert said.outcome == outcome, (expert.number, rule)
    said = {a.rule_id: a.outcome for a in queries.why(session, staff.office, round_, late)}
    assert said["D-16"] == "pass", "a round without panels is asked about its review date"


def test_an_earlier_seat_counts_on_the_day_of_its_panel(session: Session, staff: Staff) -> None:
    make_pool(session)
    day = date(2011, 10, 3)
    first = make_round(session)
    draw = completed(
        session, staff, request(session, staff, first, panel={"dates": [str(day), "2011-10-04"]})
    )
    seated = draw.seats[0].expert
    (seat,) = facts.expert_facts(session, REVIEW, kind="drill")[seated.id].participations or ()
    assert seat.panel_date == day != first.review_on
    (formed,) = panels.form_panels(session, staff.office, draw=draw)
    days = set(session.scalars(select(Sitting.on).where(Sitting.panel_id == formed.id)))
    assert days == {day}, "sittings begin on the panel's first day"


@pytest.mark.parametrize("kind", ["real", "drill"])
def test_nobody_sits_in_two_real_draws_on_one_day(
    session: Session, staff: Staff, kind: str
) -> None:
    make_pool(session)
    round_ = make_round(session, kind=kind)
    desk = completed(session, staff, request(session, staff, round_))
    seated = {s.expert_id for s in desk.seats}
    counties = [s.id for s in round_.subjects]

    def site(*days: date) -> dict[str, list[Any]]:
        panel = {
            "id": "S1", "seats": 5, "dates": [str(d) for d in days], "subjects": counties,
            "quotas": {}, "pair_limits": {}, "mode": "tickets",
        }  # fmt: skip
        found = pool.assess(session, round_, {"panels": [panel]})
        return {b.expert: [b.rule, b.reason] for b in found.blocked}

    same = site(REVIEW, LATER)
    if kind == "drill":
        assert same == {}, "a drill's seats bind nobody"
        return
    assert set(same) == seated
    rule, reason = next(iter(same.values()))
    assert rule == "D-16" and "2012-11-20 已在另一次抽取的评审组中有席位" in reason.zh
    assert "already holds a seat on 2012-11-20" in reason.en
    assert site(LATER) == {}
    own = queries.why(session, staff.office, desk, desk.seats[0].expert)
    assert {a.outcome for a in own if a.rule_id == "D-16"} == {"pass"}, "its own seat is no other"
    desk.seats[0].state, desk.seats[0].reason = "removed", "illness"
    append(session, None, "test.removed")
    assert set(site(REVIEW)) == seated - {desk.seats[0].expert_id}
    round_.phase = "cancelled"
    append(session, None, "test.cancelled")
    assert site(REVIEW) == {}
