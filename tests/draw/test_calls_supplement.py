"""The supplementary draw: seats nobody could fill, once, from an enlarged pool (D-08)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import clock
from app.domain.draw import chain
from app.domain.types import Conflict, Forbidden
from app.draw import (
    calls,
    ceremony,
    disclosure,
    invariants,
    operations,
    operations_calls,
    supplements,
)
from app.draw.models import Draw
from app.draw.models_calls import DrawDisclosure, Vacancy
from app.exercise import device
from app.ledger.append import append
from app.panel import operations as panels
from app.panel import queries as panel_queries
from app.registry.models import DISCIPLINES, Expert
from tests.draw.builders import (
    Staff,
    completed,
    make_body,
    make_expert,
    make_round,
    request,
    verify,
)


def short_pool(session: Session) -> None:
    """Thirty experts, of whom exactly two know land."""
    known = [discipline for discipline in DISCIPLINES if discipline != "land"]
    bodies = [make_body(session, f"测试研究院{n:02d}", "institute", "420102") for n in range(30)]
    for number in range(30):
        discipline = "land" if number in (0, 5) else known[number % len(known)]
        make_expert(session, number, bodies[number], discipline=discipline, kind="technical")
    append(session, None, "test.pool")


def vacated(session: Session, staff: Staff) -> Draw:
    """A draw of five with two of land, one of whom left; nobody else knows land."""
    short_pool(session)
    panel = {"quotas": {"discipline": {"land": [2, 2]}}}
    draw = completed(
        session,
        staff,
        request(
            session, staff, make_round(session, kind="real"), 5, panel=panel,
            accept_high="small_pool",
        ),
    )  # fmt: skip
    leaver = next(s for s in draw.seats if s.expert.discipline == "land")
    act = operations.record_removals(
        session, staff.office, draw, [(leaver, "health", "住院（测试）")]
    )
    device.cosign_removals(session, staff.supervisor, draw, act)
    for party in draw.parties:
        operations.reveal_act_code(
            session, staff.viewer(party.name), act, party.name, staff.code(party.name, 2)
        )
    assert operations.complete_act(session, staff.office, act) == []
    assert calls.vacant(draw) == [("P1", leaver.number)]
    return draw


def admitted(session: Session, count: int = 4) -> list[Expert]:
    """Newly admitted land experts."""
    made = [
        make_expert(
            session, 100 + n, make_body(session, f"新测试院{n}", "institute", "420102"),
            discipline="land", kind="technical",
        )
        for n in range(count)
    ]  # fmt: skip
    append(session, None, "test.admitted")
    return made


def carried(session: Session, make: Any, draw: Draw) -> Draw:
    """A supplementary draft through its ceremony, with chains of its own."""
    staff = Staff(session, make)
    for name in draw.request["parties"]:
        operations.register_party(
            session, staff.viewer(name), draw, name, chain(staff.secrets[name], 32).hex()
        )
    return completed(session, staff, draw)


def test_a_vacancy_is_filled_once_from_the_enlarged_pool(
    session: Session, staff: Staff, make: Any, tmp_path: Path
) -> None:
    draw = vacated(session, staff)
    (panel,) = panels.form_panels(session, staff.office, draw=draw)
    assert len(panel_queries.seats(session, panel)) == 4
    place = calls.vacant(draw)[0]
    new = {e.id for e in admitted(session)}
    with pytest.raises(Forbidden):
        supplements.request_supplement(session, staff.supervisor, draw)
    made = supplements.request_supplement(session, staff.office, draw)
    extra = made.request["supplement"]
    assert extra["seats"] == {"P1": [place[1]]} and extra["commitment"] == draw.commitment_hash
    assert made.request["panels"][0]["seats"] == 1
    assert made.request["panels"][0]["quotas"]["discipline"]["land"] == [1, 1]
    with pytest.raises(Conflict, match="vacant seats decide"):
        operations.revise_draw(session, staff.office, made, panels=[])
    carried(session, make, made)
    (seat,) = made.seats
    assert seat.expert_id in new and (seat.panel, seat.number) == place
    assert made.commitment["purpose"]["supplement_of"] == draw.commitment_hash
    assert made.commitment["purpose"]["seats"] == f"P1-{place[1]}"
    members = panel_queries.seats(session, panel)
    assert sorted(s.number for s in members) == [1, 2, 3, 4, 5]
    assert Counter(s.expert.discipline for s in members)["land"] == 2
    assert supplements.still_vacant(session, draw) == []
    report = json.loads(verify(ceremony.transcript_of(made), tmp_path / "v").stdout)
    assert report["ok"], report
    for name, check in invariants.INVARIANTS:
        assert check(session) == [], name
    with pytest.raises(Conflict, match="have their supplementary draw"):
        supplements.request_supplement(session, staff.office, draw)
    with pytest.raises(Conflict, match="join the panel that stands"):
        panels.form_panels(session, staff.office, draw=made)
    assert made not in panel_queries.draws_to_form(session, draw.round)
    assert disclosure.member_list(session, made)[0].how.en == "supplementary draw"
    # Members and leavers of the first draw are kept out, and so are colleagues of members.
    out = {(c.expert_id, r["rule"]) for c in made.candidates for r in c.exclusions}
    assert {(s.expert_id, "D-09") for s in draw.seats} <= out


def test_an_aborted_supplement_may_be_repeated_under_the_same_purpose(
    session: Session, staff: Staff, make: Any
) -> None:
    draw = vacated(session, staff)
    admitted(session)
    first = supplements.request_supplement(session, staff.office, draw)
    with pytest.raises(Conflict):
        supplements.request_supplement(session, staff.office, draw)
    operations.abort_draw(session, staff.office, first, "测试中止")
    second = supplements.request_supplement(session, staff.office, draw)
    assert (second.purpose_key, second.attempt) == (first.purpose_key, 2)
    assert len(session.scalars(select(Vacancy)).all()) == 1
    carried(session, make, second)
    with pytest.raises(Conflict):
        supplements.request_supplement(session, staff.office, draw)


def test_a_sealed_draw_waits_for_its_disclosure(session: Session, staff: Staff) -> None:
    draw = vacated(session, staff)
    row = DrawDisclosure(
        draw_id=draw.id, sealed=True, caller_id=staff.office.id, chosen_at=clock.now()
    )
    session.add(row)
    append(session, None, "test.sealed")
    with pytest.raises(Conflict, match="names are sealed"):
        supplements.request_supplement(session, staff.office, draw)
    operations_calls.publish_names(session, staff.supervisor, draw)
    assert supplements.request_supplement(session, staff.office, draw).state == "draft"


def test_nothing_vacant_nothing_to_draw(session: Session, staff: Staff) -> None:
    short_pool(session)
    draw = completed(session, staff, request(session, staff, make_round(session, kind="real"), 5))
    with pytest.raises(Conflict, match="no seat is vacant"):
        supplements.request_supplement(session, staff.office, draw)


def test_the_database_lets_a_vacancy_into_one_set_only(app: Any, make: Any) -> None:
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        staff = Staff(session, make)
        draw = vacated(session, staff)
        admitted(session)
        made = supplements.request_supplement(session, staff.office, draw)
        key, (panel, number) = draw.id, calls.vacant(draw)[0]
        purpose = made.purpose_key
    for attempt in range(3):
        with pytest.raises(IntegrityError), database.write() as session:
            session.add(
                Vacancy(
                    draw_id=key, root_id=key, panel=panel, number=number,
                    purpose_key=f"{attempt}" * 64,
                )
            )  # fmt: skip
            session.flush()
    with database.read() as session:
        assert session.scalars(select(Vacancy.purpose_key)).all() == [purpose]


def test_the_guided_path_on_the_page(app: Any, make: Any, client_as: Callable[..., Any]) -> None:
    with app.extensions["mingjian.db"].write() as session:
        staff = Staff(session, make)
        draw = vacated(session, staff)
        admitted(session)
        page = f"/r/r1/draws/{draw.id}"
    office, supervisor = client_as(staff.office), client_as(staff.supervisor)
    shown = office.get(f"{page}/calls").text
    assert "空缺席位：补充抽取（D-08）" in shown and "专家已入库，建立补充抽取" in shown
    assert "专家已入库，建立补充抽取" not in supervisor.get(f"{page}/calls").text
    assert supervisor.post(f"{page}/supplement").status_code == 403
    answer = office.post(f"{page}/supplement")
    assert answer.status_code == 302
    assert office.get(answer.headers["Location"]).status_code == 200
    assert [office.post(f"{page}/supplement").status_code for _ in range(20)] == [409] * 20
    with app.extensions["mingjian.db"].read() as session:
        assert len(session.scalars(select(Draw)).all()) == 2
