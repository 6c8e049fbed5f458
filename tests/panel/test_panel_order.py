"""The order of a sitting is the measures' own: declarations, statement, then scoring for all at
once (S0 art. 16(3), 35). Each step out of order is refused and says why."""

from __future__ import annotations

import itertools
import json
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from app import clock
from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.ledger.models import Event
from app.panel import invariants, operations, queries
from app.panel.declarations import CONFLICTS, WORDS, words_digest
from app.panel.models import PHASES, Challenge, Sitting, Statement
from app.panel.statements import UNCONFIRMED
from app.programme.models import Round
from tests.attacks import world as steps


def faults(session):
    session.flush()
    return [text.en for _, check in invariants.INVARIANTS for text in check(session)]


def refused(call, *words):
    with pytest.raises(Conflict) as caught:
        call()
    for word in words:
        assert word in caught.value.text.en
    assert "Nothing was changed" in caught.value.text.en
    assert "没有任何改动" in caught.value.text.zh


def test_the_whole_order_is_walked_step_by_step(session, world):
    office = world.people["office"]
    sitting = world.sitting(session)
    start = clock.now()

    def score():
        operations.open_scoring(session, office, sitting=sitting)

    refused(score, "the statement is not closed")
    operations.schedule(session, office, sitting=sitting, on=date(2012, 11, 12), place=" 一会议室 ")
    assert sitting.place == "一会议室"
    operations.open_sitting(session, office, sitting=sitting)
    assert sitting.phase == "open" and sitting.opened_at >= start
    refused(lambda: operations.open_sitting(session, office, sitting=sitting), "it has begun")
    refused(score, "the statement is not closed")
    steps.speak(session, world, sitting, close=False)
    assert sitting.phase == "statement"
    refused(score, "the statement is not closed")
    operations.confirm_statement(session, world.presenters[0], sitting=sitting)
    operations.close_statement(session, office, sitting=sitting)
    refused(score, "have not signed their declarations", "虚拟专家01", "虚拟专家06")
    steps.declare(session, world)
    refused(score, "0 members have signed in, 5 are needed")
    for number in range(1, 5):
        operations.sign_in(
            session, world.expert(number), sitting=sitting, seat=world.seat(session, number)
        )
    refused(score, "4 members have signed in, 5 are needed")
    operations.sign_in(session, office, sitting=sitting, seat=world.seat(session, 5))
    score()
    assert sitting.phase == "scoring" and sitting.scoring_opened_at is not None
    refused(score, "open already")
    assert faults(session) == []


def test_scoring_does_not_reopen_a_sitting_that_is_over(session, world):
    sitting = steps.to_scoring(session, world)
    sitting.phase, sitting.closed_at = "closed", clock.now()
    steps.append(session, None, "test.closed")
    refused(
        lambda: operations.open_scoring(session, world.people["office"], sitting=sitting),
        "the sitting is over",
    )
    assert sitting.phase == "closed"


def test_members_who_left_do_not_make_up_the_quorum(session, world):
    steps.declare(session, world)
    sitting = steps.gather(session, world)
    steps.speak(session, world, sitting)
    for number in (1, 2, 3):
        world.seat(session, number).state = "removed"
    steps.append(session, None, "test.removed")
    refused(
        lambda: operations.open_scoring(session, world.people["office"], sitting=sitting),
        "4 members have signed in, 5 are needed",
    )


def test_a_declared_conflict_stops_the_seat_and_the_panel(session, world):
    panel = world.panel(session)
    viewer = world.expert(1)
    answers = dict.fromkeys(CONFLICTS, False) | {"kin": True}
    operations.sign_declaration(
        session, viewer, panel=panel, kind="conflict", answers=answers, signed_name=viewer.name
    )
    operations.sign_declaration(
        session, viewer, panel=panel, kind="secrecy", answers={}, signed_name=viewer.name
    )
    session.flush()
    assert not queries.has_declared(session, panel, world.seat(session, 1))
    assert not queries.may_see_materials(session, viewer, world.subjects[0])
    with pytest.raises(NotFound):
        queries.material(session, viewer, world.materials[0])
    world.site.experts = world.site.experts[1:]
    world.site.seats = world.site.seats[1:]
    steps.declare(session, world)
    sitting = steps.gather(session, world)
    steps.speak(session, world, sitting)
    refused(
        lambda: operations.open_scoring(session, world.people["office"], sitting=sitting),
        "declared a conflict", "虚拟专家01",
    )  # fmt: skip


def test_materials_open_only_after_both_declarations(session, world):
    viewer, panel = world.expert(2), world.panel(session)
    for kind, answers in (("conflict", dict.fromkeys(CONFLICTS, False)), ("secrecy", {})):
        assert not queries.may_see_materials(session, viewer, world.subjects[0])
        operations.sign_declaration(
            session, viewer, panel=panel, kind=kind, answers=answers, signed_name=viewer.name
        )
        session.flush()
    assert queries.material(session, viewer, world.materials[0]).id == world.materials[0]
    foreign = world.materials[-1]  # filed in the other round
    with pytest.raises(NotFound):
        queries.material(session, viewer, foreign)


@pytest.mark.parametrize("name", ["", "虚拟专家1", "虚拟专家02", "虚拟专家01 x"])
def test_the_signature_must_be_the_signers_own_name(session, world, name):
    viewer = world.expert(1)
    with pytest.raises(DomainError) as caught:
        operations.sign_declaration(
            session, viewer, panel=world.panel(session), kind="secrecy", answers={},
            signed_name=name,
        )  # fmt: skip
    assert caught.value.field == "signed_name"
    assert queries.declared(session, world.panel(session)) == {}


def test_a_declaration_is_signed_once_over_exact_words(session, world):
    viewer, panel = world.expert(1), world.panel(session)
    row = operations.sign_declaration(
        session, viewer, panel=panel, kind="secrecy", answers={}, signed_name=f" {viewer.name} "
    )
    assert row.text_digest == words_digest("secrecy") and row.signed_name == viewer.name
    refused(
        lambda: operations.sign_declaration(
            session, viewer, panel=panel, kind="secrecy", answers={}, signed_name=viewer.name
        ),
        "signed already",
    )
    partial = dict.fromkeys(list(CONFLICTS)[1:], False)
    with pytest.raises(DomainError) as caught:
        operations.sign_declaration(
            session, viewer, panel=panel, kind="conflict", answers=partial, signed_name=viewer.name
        )
    assert caught.value.field == "answers"
    with pytest.raises(Forbidden):
        operations.sign_declaration(
            session, world.desk.experts[0], panel=panel, kind="secrecy", answers={},
            signed_name=world.desk.experts[0].name,
        )  # fmt: skip


def test_an_expert_signs_in_only_himself_and_only_while_the_sitting_runs(session, world):
    sitting = world.sitting(session)
    seat = world.seat(session, 1)
    refused(
        lambda: operations.sign_in(session, world.expert(1), sitting=sitting, seat=seat),
        "not under way",
    )
    operations.open_sitting(session, world.people["office"], sitting=sitting)
    with pytest.raises(Forbidden):
        operations.sign_in(session, world.expert(2), sitting=sitting, seat=seat)
    with pytest.raises(Forbidden):
        operations.sign_in(session, world.people["supervisor"], sitting=sitting, seat=seat)
    first = operations.sign_in(session, world.expert(1), sitting=sitting, seat=seat)
    again = operations.sign_in(session, world.expert(1), sitting=sitting, seat=seat)
    assert first.id == again.id
    foreign = session.get_one(type(seat), world.desk.seats[0])
    with pytest.raises(DomainError):
        operations.sign_in(session, world.people["office"], sitting=sitting, seat=foreign)


def test_two_people_write_the_statement_and_nothing_is_overwritten(session, world):
    sitting = steps.gather(session, world)
    office, presenter = world.people["office"], world.presenters[0]
    operations.open_statement(
        session, office, sitting=sitting, presenter_name="甲", presenter_post="乙"
    )
    save = lambda who, text, version, q=None: operations.record_statement(  # noqa: E731
        session, who, sitting=sitting, outline=text, questions=q, version=version
    )
    save(presenter, "陈述人的提纲", 1)
    with pytest.raises(Conflict) as caught:
        save(office, "记录员的提纲", 1, "问答")
    assert "version 2" in caught.value.text.en and "仍在本机" in caught.value.text.zh
    row = queries.statement(session, sitting)
    assert (row.outline, row.questions, row.version) == ("陈述人的提纲", "", 2)
    save(office, "记录员的提纲", 2, "问答")
    save(presenter, "又改", 3, "陈述人不能写问答")
    assert (row.outline, row.questions, row.version) == ("又改", "问答", 4)
    with pytest.raises(Forbidden):
        save(world.presenters[1], "别县", 4)
    with pytest.raises(Forbidden):
        save(world.people["supervisor"], "监督", 4)
    assert row.outline == "又改"


def test_the_presenter_confirms_the_version_that_he_saw(session, world):
    sitting = steps.gather(session, world)
    steps.speak(session, world, sitting, close=False)
    office, presenter = world.people["office"], world.presenters[0]
    row = queries.statement(session, sitting)
    refused(
        lambda: operations.confirm_statement(session, presenter, sitting=sitting, version=1),
        "version 2",
    )
    with pytest.raises(Forbidden):
        operations.confirm_statement(session, world.presenters[1], sitting=sitting, version=2)
    with pytest.raises(Forbidden):
        operations.confirm_statement(session, office, sitting=sitting, version=2)
    operations.confirm_statement(session, presenter, sitting=sitting, version=2)
    assert row.confirmed_at is not None
    operations.record_statement(
        session, office, sitting=sitting, outline="事后改动", questions="", version=2
    )
    assert row.confirmed_at is None, "words changed after the confirmation are not confirmed"


def test_the_statement_does_not_change_after_it_is_closed(session, world):
    sitting = steps.gather(session, world)
    steps.speak(session, world, sitting)
    for who in (world.people["office"], world.presenters[0]):
        refused(
            lambda who=who: operations.record_statement(
                session, who, sitting=sitting, outline="迟到", questions="", version=2
            ),
            "it is not open",
        )
    refused(
        lambda: operations.challenge(
            session, world.presenters[0], sitting=sitting, seat=world.seat(session, 1),
            reason="迟到的回避申请",
        ),
        "it is not open",
    )  # fmt: skip
    assert queries.statement(session, sitting).outline == "虚构陈述提纲"


def last_entry(session):
    event = session.scalars(select(Event).order_by(Event.seq.desc()).limit(1)).one()
    return json.loads(event.payload)


def test_a_statement_closes_confirmed_and_the_ledger_says_so(session, world):
    sitting = steps.gather(session, world)
    steps.speak(session, world, sitting, close=False)
    office = world.people["office"]
    operations.confirm_statement(session, world.presenters[0], sitting=sitting)
    close = lambda **how: operations.close_statement(session, office, sitting=sitting, **how)  # noqa: E731
    refused(lambda: close(unconfirmed="refused"), "has just confirmed it")
    row = queries.statement(session, sitting)
    assert row.closed_at is None
    close()
    assert row.closed_at >= row.confirmed_at and row.unconfirmed is None
    assert last_entry(session)["data"] == {
        "sitting": sitting.id, "version": 2, "recordings": [], "confirmed": True, "unconfirmed": None,
    }  # fmt: skip
    assert faults(session) == []


@pytest.mark.parametrize("code", UNCONFIRMED)
def test_a_statement_without_confirmation_closes_only_with_a_coded_reason(session, world, code):
    sitting = steps.gather(session, world)
    steps.speak(session, world, sitting, close=False)
    office, row = world.people["office"], queries.statement(session, sitting)
    for given in ("", "other"):
        with pytest.raises(DomainError) as caught:
            operations.close_statement(session, office, sitting=sitting, unconfirmed=given)
        assert caught.value.field == "unconfirmed" and "尚未确认" in caught.value.text.zh
        assert (row.closed_at, row.unconfirmed) == (None, None)
    operations.close_statement(
        session, office, sitting=sitting, unconfirmed=code, note=" 代表称需请示 "
    )
    assert (row.unconfirmed, row.unconfirmed_note, row.confirmed_at) == (code, "代表称需请示", None)
    entry = last_entry(session)
    assert entry["kind"] == "statement.closed"
    assert (entry["data"]["confirmed"], entry["data"]["unconfirmed"]) == (False, code)
    assert "代表称需请示" not in json.dumps(entry, ensure_ascii=False)
    assert faults(session) == []
    row.confirmed_at = clock.now()
    steps.append(session, None, "test.both")
    assert any("contradicts itself" in text for text in faults(session))


def test_words_changed_after_the_confirmation_are_confirmed_again_or_explained(session, world):
    sitting = steps.gather(session, world)
    steps.speak(session, world, sitting, close=False)
    office = world.people["office"]
    operations.confirm_statement(session, world.presenters[0], sitting=sitting)
    operations.record_statement(
        session, office, sitting=sitting, outline="事后改动", questions="", version=2
    )
    with pytest.raises(DomainError) as caught:
        operations.close_statement(session, office, sitting=sitting)
    assert caught.value.field == "unconfirmed"
    operations.confirm_statement(session, world.presenters[0], sitting=sitting, version=3)
    operations.close_statement(session, office, sitting=sitting)
    assert queries.statement(session, sitting).closed_at is not None


def test_the_page_asks_for_the_reason_and_keeps_what_was_typed(client_as, world, app):
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        sitting = steps.gather(session, world)
        steps.speak(session, world, sitting, close=False)
        sitting_id = sitting.id
    office, where = client_as("office"), f"/r/{world.slug}/sittings/{sitting_id}"
    assert "等待区县代表确认记录" in office.get(where).get_data(as_text=True)
    answer = office.post(f"{where}/statement/close", data={"note": "代表接了电话离开"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "尚未确认陈述记录" in page and "代表接了电话离开" in page
    with database.read() as session:
        assert session.scalars(select(Statement)).one().closed_at is None
    sent = {"unconfirmed": "absent", "note": "代表接了电话离开"}
    assert office.post(f"{where}/statement/close", data=sent).status_code == 302
    page = office.get(where).get_data(as_text=True)
    assert "区县代表已离场" in page and "代表接了电话离开" in page
    # Nobody has declared: the statement is closed, scoring is not open, and why is said.
    assert "评分尚未开放" in page and "以下成员未签署承诺书" in page and "开放评分" in page
    with database.read() as session:
        assert world.sitting(session).phase == "statement"


def test_the_challenge_window_is_the_statement(session, world):
    sitting = world.sitting(session)
    presenter, office = world.presenters[0], world.people["office"]
    seat = world.seat(session, 3)

    def ask(reason="曾任该区规划顾问"):
        return operations.challenge(session, presenter, sitting=sitting, seat=seat, reason=reason)

    refused(ask, "not open")
    steps.declare(session, world)
    steps.gather(session, world)
    refused(ask, "not open")
    steps.speak(session, world, sitting, close=False)
    with pytest.raises(DomainError) as caught:
        ask("短")
    assert caught.value.field == "reason"
    with pytest.raises(Forbidden):
        operations.challenge(
            session, world.presenters[1], sitting=sitting, seat=seat, reason="别县的申请"
        )
    row = ask()
    session.flush()
    refused(lambda: operations.close_statement(session, office, sitting=sitting), "undecided")
    with pytest.raises(Forbidden):
        operations.decide_challenge(session, office, challenge=row, upheld=True, reason="越权处理")
    supervisor = world.people["supervisor"]
    operations.record_answer(session, office, challenge=row, answer="确曾任顾问")
    operations.decide_challenge(
        session, supervisor, challenge=row, upheld=True, reason="经查情况属实"
    )
    refused(
        lambda: operations.decide_challenge(
            session, supervisor, challenge=row, upheld=False, reason="改主意了吗"
        ),
        "decided already",
    )
    operations.close_statement(session, office, sitting=sitting, unconfirmed="absent")
    refused(
        lambda: operations.open_scoring(session, office, sitting=sitting),
        "challenges against these members were upheld", "虚拟专家03",
    )  # fmt: skip
    seat.state = "removed"
    steps.append(session, None, "test.removed")
    operations.open_scoring(session, office, sitting=sitting)
    assert sitting.phase == "scoring"


def test_only_the_office_moves_a_sitting_and_only_from_the_right_phase(session, world):
    """Every step from every phase by every role: only the office, only from its own phase."""
    sitting = world.sitting(session)
    steps.declare(session, world)
    allowed = {"open_sitting": {"planned"}, "open_statement": {"open"}, "schedule": {"planned"}}
    calls = {
        "open_sitting": lambda who: operations.open_sitting(session, who, sitting=sitting),
        "open_statement": lambda who: operations.open_statement(
            session, who, sitting=sitting, presenter_name="甲", presenter_post="乙"
        ),
        "schedule": lambda who: operations.schedule(
            session, who, sitting=sitting, on=date(2012, 11, 12), place=""
        ),
    }
    for (name, call), phase in itertools.product(calls.items(), PHASES):
        sitting.phase = phase
        for role in ("supervisor", "keeper", "admin"):
            with pytest.raises(Forbidden):
                call(world.people[role])
        if phase not in allowed[name]:
            refused(lambda call=call: call(world.people["office"]))
        assert sitting.phase == phase
    sitting.phase = "planned"
    steps.append(session, None, "test.phases")


def test_a_leader_holds_an_active_seat_and_the_invariant_says_when_not(session, world):
    office, panel = world.people["office"], world.panel(session)
    foreign = session.get_one(type(world.seat(session, 1)), world.desk.seats[0])
    with pytest.raises(DomainError):
        operations.set_leader(session, office, panel=panel, seat=foreign)
    operations.set_leader(session, office, panel=panel, seat=world.seat(session, 1))
    session.expire(panel, ["leader"])
    assert faults(session) == []
    world.seat(session, 1).state = "removed"
    steps.append(session, None, "test.removed")
    assert any("leader's seat is no longer active" in text for text in faults(session))


def test_the_invariant_names_scoring_that_began_before_the_statement_ended(session, world):
    sitting = steps.to_scoring(session, world)
    row = queries.statement(session, sitting)
    row.closed_at = sitting.scoring_opened_at + timedelta(seconds=1)
    steps.append(session, None, "test.moved")
    assert faults(session) == [
        f"sitting {sitting.id}: scoring was opened before the statement was closed"
    ]


def test_panels_are_formed_once_and_only_from_a_complete_draw(session, world):
    from app.draw.models import Draw

    draw = session.get_one(Draw, world.site.draw_id)
    office = world.people["office"]
    refused(lambda: operations.form_panels(session, office, draw=draw), "exist already")
    draw.state = "cosigned"
    refused(lambda: operations.form_panels(session, office, draw=draw), "not complete")
    draw.state = "completed"
    with pytest.raises(Forbidden):
        operations.form_panels(session, world.people["admin"], draw=draw)
    mine = select(Sitting).where(Sitting.panel_id == world.site.id).order_by(Sitting.position)
    rows = session.scalars(mine).all()
    assert [(s.position, s.with_statement, s.phase) for s in rows] == [
        (n, True, "planned") for n in (1, 2, 3)
    ]
    desk = session.scalars(select(Sitting).where(Sitting.panel_id == world.desk.id)).all()
    assert not any(s.with_statement for s in desk)


def test_who_may_look_at_a_sitting(session, world):
    round_ = session.scalars(select(Round).where(Round.slug == world.slug)).one()
    other = session.scalars(select(Round).where(Round.slug == world.other_slug)).one()
    sitting = world.sitting(session)

    def sees(viewer, where=round_):
        try:
            return queries.sitting(session, viewer, where, sitting.id) is sitting
        except NotFound:
            return False

    people = world.people
    assert [sees(people[r]) for r in ("office", "supervisor", "keeper", "admin")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert sees(world.expert(1)) and not sees(world.desk.experts[0])
    assert not sees(world.presenters[0]), "not before the sitting opens"
    operations.open_sitting(session, people["office"], sitting=sitting)
    assert sees(world.presenters[0]) and not sees(world.presenters[1])
    assert not sees(people["office"], other), "a round's address shows that round only"
    world.seat(session, 1).state = "removed"
    steps.append(session, None, "test.removed")
    assert not sees(world.expert(1)), "a removed member has left"
    assert session.scalars(select(Challenge)).all() == []


@pytest.mark.parametrize("kind", WORDS)
def test_the_page_shows_the_very_words_that_are_signed(client_as, world, kind):
    expert = client_as(world.expert(1))
    where = f"/r/{world.slug}/panels/{world.site.id}/declare/{kind}"
    assert WORDS[kind].zh in expert.get(where).get_data(as_text=True)
