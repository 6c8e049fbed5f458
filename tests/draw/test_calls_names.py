"""Who may see names: sealed draws, the named caller, the moment of disclosure, the published list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.cli.draw import draw_group
from app.domain.types import Conflict, DomainError, Forbidden
from app.draw import disclosure, operations, operations_calls
from app.draw.models import Draw, Seat
from app.draw.models_calls import NameView
from app.ledger.append import append
from app.ledger.models import Event, Secret
from app.panel import operations as panels
from app.panel.models import Sitting
from app.programme.models import Round
from tests.draw.builders import (
    Staff,
    completed,
    make_body,
    make_expert,
    make_pool,
    make_round,
    request,
)

NOW = datetime(2012, 11, 10, 1, tzinfo=UTC)


def sealed_draw(session: Session, staff: Staff, caller: Viewer, **how: Any) -> Draw:
    draw = request(
        session, staff, session.scalar(select(Round)) or make_round(session, kind="real")
    )
    operations_calls.choose_disclosure(
        session, staff.office, draw, sealed=True, caller_id=caller.id, **how
    )
    return completed(session, staff, draw)


def test_the_choice_is_the_offices_and_ends_with_the_commitment(
    session: Session, staff: Staff, make: Any
) -> None:
    make_pool(session)
    draw = request(session, staff, make_round(session, kind="real"))
    with pytest.raises(Forbidden):
        operations_calls.choose_disclosure(session, staff.supervisor, draw, sealed=False)
    keeper = make.viewer(session, "keeper")
    for wrong in (None, keeper.id, staff.supervisor.id):
        with pytest.raises(DomainError, match="caller from the programme office"):
            operations_calls.choose_disclosure(
                session, staff.office, draw, sealed=True, caller_id=wrong
            )
    with pytest.raises(DomainError, match="must lie ahead"):
        operations_calls.choose_disclosure(
            session, staff.office, draw, sealed=False, until="moment",
            opens_at=clock.now() - timedelta(seconds=1),
        )  # fmt: skip
    with pytest.raises(DomainError, match="Give the moment"):
        operations_calls.choose_disclosure(
            session, staff.office, draw, sealed=False, until="moment"
        )
    completed(session, staff, draw)
    with pytest.raises(Conflict, match="choose how names are kept"):
        operations_calls.choose_disclosure(session, staff.office, draw, sealed=False)


def test_a_sealed_draw_shows_names_to_its_caller_one_by_one(
    session: Session, staff: Staff, make: Any
) -> None:
    make_pool(session)
    caller = make.viewer(session, "office")
    draw = sealed_draw(session, staff, caller)
    for viewer in (staff.office, staff.supervisor, caller, make.viewer(session, "expert")):
        assert not disclosure.may_see_names(session, viewer, draw)
    known = {c.pseudonym for c in draw.candidates}
    assert set(disclosure.labels(session, staff.supervisor, draw).values()) <= known
    seat = draw.seats[0]
    for other in (staff.office, staff.supervisor):
        with pytest.raises(Forbidden):
            operations_calls.view_name(session, other, draw, seat, "call")
    before = session.scalar(select(func.count(Event.seq)))
    for purpose in ("call", "letter"):
        operations_calls.view_name(session, caller, draw, seat, purpose)
    assert session.scalar(select(func.count(Event.seq))) == before + 2
    last = session.scalars(select(Event).order_by(Event.seq.desc()).limit(2)).all()
    # The ledger tells neither that a name was looked at nor whose.
    assert all('"kind":"sealed"' in e.payload and seat.id not in e.payload for e in last)
    secret = session.get_one(Secret, last[0].seq).body
    assert '"draw.name_viewed"' in secret and seat.id in secret and caller.id in secret
    assert [look.purpose for look in disclosure.looks(session, draw)[seat.id]] == ["call", "letter"]
    with pytest.raises(Forbidden):
        operations.record_contact(session, staff.office, seat, "phone", "accepted")
    with pytest.raises(Forbidden):
        operations.confirm_seat(session, staff.office, seat)
    operations.record_contact(session, caller, seat, "phone", "accepted")


def test_names_open_at_the_moment_and_not_before(session: Session, staff: Staff, make: Any) -> None:
    opens = NOW + timedelta(days=3)
    with clock.fixed(NOW, timedelta(microseconds=1)):
        make_pool(session)
        draw = sealed_draw(session, staff, staff.office, until="moment", opens_at=opens)
        assert not disclosure.published(session, draw)
        with pytest.raises(Conflict, match="fixed beforehand"):
            operations_calls.publish_names(session, staff.supervisor, draw)
    with clock.fixed(opens - timedelta(microseconds=1)):
        assert not disclosure.may_see_names(session, staff.supervisor, draw)
        assert disclosure.sealed_draws(session, [draw.id]) == {draw.id}
    with clock.fixed(opens):
        assert disclosure.may_see_names(session, make.viewer(session, "presenter"), draw)
        assert disclosure.sealed_draws(session, [draw.id]) == set()
        first = disclosure.member_list(session, draw)[0]
        assert (first.name, first.drawn, first.how.en) == (
            draw.seats[0].expert.person.name, True, "drawn at random",
        )  # fmt: skip


def test_publication_is_the_supervisors_and_a_closed_round_publishes(
    session: Session, staff: Staff, make: Any
) -> None:
    make_pool(session)
    draw = completed(session, staff, request(session, staff, make_round(session, kind="real")))
    county = make.viewer(session, "presenter")
    assert disclosure.may_see_names(session, staff.office, draw)
    assert not disclosure.may_see_names(session, county, draw)
    with pytest.raises(Forbidden):
        operations_calls.publish_names(session, staff.office, draw)
    operations_calls.publish_names(session, staff.supervisor, draw)
    assert disclosure.may_see_names(session, county, draw)
    with pytest.raises(Conflict, match="names are public"):
        operations_calls.publish_names(session, staff.supervisor, draw)
    session.flush()


def test_a_member_who_was_not_drawn_is_marked(session: Session, staff: Staff) -> None:
    make_pool(session)
    draw = completed(session, staff, request(session, staff, make_round(session)))
    for candidate in draw.candidates:
        if candidate.expert_id == draw.seats[0].expert_id:
            known = candidate
    lines = disclosure.member_list(session, draw)
    assert all(line.drawn for line in lines) and lines[0].pseudonym == known.pseudonym
    late = make_expert(session, 900, make_body(session, "测试院", "institute", "420102"))
    draw.seats.append(
        Seat(panel="P1", number=6, act=1, expert_id=late.id, ticket="0" * 64, changed_at=NOW)
    )
    session.flush()
    append(session, None, "test.appointed")
    session.expire(draw, ["seats"])
    marked = [line for line in disclosure.member_list(session, draw) if not line.drawn]
    assert [(m.name, m.how.zh) for m in marked] == [("测试专家900", "非随机抽取")]


# ---------- the pages


def test_no_page_of_a_sealed_draw_shows_a_name(
    write: Any, make: Any, client_as: Callable[..., Any], app: Any
) -> None:
    with write() as session:
        make_pool(session)
        staff = Staff(session, make)
        caller = make.viewer(session, "office")
        draw = sealed_draw(session, staff, caller)
        (panel,) = panels.form_panels(session, staff.office, draw=draw)
        sitting = session.scalar(select(Sitting).where(Sitting.panel_id == panel.id))
        page, room = f"/r/r1/draws/{draw.id}", f"/r/r1/panels/{panel.id}"
        hall = f"/r/r1/sittings/{sitting.id}"
        names = [s.expert.person.name for s in draw.seats]
        numbers = [s.expert.number for s in draw.seats]
        experts = [s.expert_id for s in draw.seats]
        known = {c.expert_id: c.pseudonym for c in draw.candidates}
        seat_id = draw.seats[0].id
    shown = {}
    for who, viewer in (
        ("office", staff.office),
        ("supervisor", staff.supervisor),
        ("caller", caller),
    ):
        client = client_as(viewer)
        for path in (f"{page}/calls", "/r/r1/draws", f"{page}/present", room, hall, "/"):
            answer = client.get(path)
            assert answer.status_code == 200, (who, path)
            assert not any(name in answer.text for name in names), (who, path)
        # The page of the draw lists the pool with everybody's chances: what must not stand on it is
        # a way from a name to a pseudonym or a seat.
        shown[who] = client.get(page).text
        result = shown[who].split('id="result"')[1].split("</section>")[0]
        assert known[experts[0]] in result
        assert not any(
            name in result or n in result for name, n in zip(names, numbers, strict=True)
        )
        for expert in experts:
            why = client.get(f"{page}/why?expert={expert}").text
            assert known[expert] not in why, who
        assert client.get(f"{page}/names").status_code == 404
        assert client.get(f"{page}/openings.json").status_code == 404
        assert client.get(f"{page}/removal?seat={seat_id}").status_code == (
            403 if who == "supervisor" else 200
        )
    assert client_as(staff.office).get(f"{page}/letters.pdf").status_code == 403
    assert client_as(staff.office).post(f"{page}/seats/{seat_id}/name").status_code == 403
    one = client_as(caller).post(f"{page}/seats/{seat_id}/name")
    assert one.status_code == 200 and names[0] in one.text
    assert not any(name in one.text for name in names[1:])
    with write() as session:
        assert session.scalar(select(func.count(NameView.id))) == 1
    with write() as session:  # the sitting begins: the members sit before everybody
        panels.open_sitting(session, staff.office, sitting=session.get_one(Sitting, sitting.id))
    assert all(name in client_as(staff.office).get(hall).text for name in names)
    assert "已查看 1 次" in client_as(staff.supervisor).get(f"{page}/calls").text


def test_names_and_openings_after_publication(
    write: Any, make: Any, client_as: Callable[..., Any], app: Any, tmp_path: Path
) -> None:
    with write() as session:
        make_pool(session)
        staff = Staff(session, make)
        draw = completed(session, staff, request(session, staff, make_round(session, kind="real")))
        page, names = f"/r/r1/draws/{draw.id}", [s.expert.person.name for s in draw.seats]
    county, supervisor = client_as("presenter"), client_as(staff.supervisor)
    assert county.get(f"{page}/names").status_code == 404
    assert client_as(staff.office).post(f"{page}/names/publish").status_code == 403
    assert supervisor.post(f"{page}/names/publish").status_code == 302
    asked: list[str] = []
    engine = app.extensions["mingjian.db"].engine
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    shown = supervisor.get(f"{page}/names").text
    assert all(name in shown for name in names) and "随机抽取" in shown
    assert "测试" in shown and sum("employment.until" in sql for sql in asked) == 1, (
        "not one a seat"
    )
    answer = supervisor.get(f"{page}/openings.json")
    assert answer.status_code == 200 and len(answer.json["openings"]) == 5
    files = tmp_path / "openings.json", tmp_path / "t.zip"
    files[0].write_bytes(answer.data)
    files[1].write_bytes(supervisor.get(f"{page}/public.zip").data)
    told = CliRunner().invoke(
        draw_group, ["openings", str(files[0]), "--transcript", str(files[1])]
    )
    assert told.exit_code == 0 and "opened: 5 of 60 leaves" in told.output, told.output
    assert all(name in told.output for name in names)
    files[0].write_text(answer.text.replace(names[0], "冒名"))
    told = CliRunner().invoke(
        draw_group, ["openings", str(files[0]), "--transcript", str(files[1])]
    )
    assert told.exit_code == 2 and "does not fit the identity hash" in told.output
    wrong = CliRunner().invoke(draw_group, ["openings", str(files[0]), "--head", "0" * 16])
    assert wrong.exit_code == 2 and "another commitment hash" in wrong.output
