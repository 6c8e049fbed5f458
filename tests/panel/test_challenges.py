"""A county's challenge is a case; a conflict that comes to light late is a removal."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.domain.types import Conflict, DomainError, Forbidden
from app.panel import operations, recusals
from app.panel.declarations import CONFLICTS
from app.panel.models import Challenge
from app.programme.models import Round
from app.registry import operations as registry
from app.registry.models import Interest
from tests.attacks import world as steps


@pytest.fixture
def spoken(session, world):
    """A statement that is under way."""
    steps.declare(session, world)
    sitting = steps.gather(session, world)
    steps.speak(session, world, sitting, close=False)
    return sitting


def the_round(session, world):
    return session.scalars(select(Round).where(Round.slug == world.slug)).one()


def test_raised_answered_decided_each_by_its_own(session, world, spoken):
    office, supervisor = world.people["office"], world.people["supervisor"]
    seat = world.seat(session, 2)
    with pytest.raises(DomainError) as caught:
        operations.challenge(session, office, sitting=spoken, seat=seat, reason="曾任该区顾问")
    assert caught.value.field == "on_behalf_of"
    row = operations.challenge(
        session, office, sitting=spoken, seat=seat, reason="曾任该区顾问",
        on_behalf_of="虚拟副区长",
    )  # fmt: skip
    session.flush()
    with pytest.raises(Conflict, match="正在处理"):
        operations.challenge(
            session, world.presenters[0], sitting=spoken, seat=seat, reason="再提一次看看"
        )
    with pytest.raises(Conflict, match="答复"):
        operations.decide_challenge(
            session, supervisor, challenge=row, upheld=False, reason="尚未询问专家"
        )
    with pytest.raises(Forbidden):
        operations.record_answer(session, supervisor, challenge=row, answer="代答")
    with pytest.raises(DomainError) as caught:
        operations.record_answer(session, office, challenge=row, answer=" ")
    assert caught.value.field == "answer"
    operations.record_answer(session, office, challenge=row, answer="从未任职")
    with pytest.raises(Forbidden):
        operations.decide_challenge(
            session, office, challenge=row, upheld=True, reason="办公室决定"
        )
    operations.decide_challenge(
        session, supervisor, challenge=row, upheld=False, reason="经查并无任职"
    )
    session.flush()
    assert (row.decision, row.decided_by, row.answer_by) == ("dismissed", supervisor.id, office.id)
    assert row.on_behalf_of == "虚拟副区长"
    assert recusals.recusals(session, supervisor, the_round(session, world)) == []
    (case,) = recusals.cases(session, office, the_round(session, world))
    assert (case.row.id, case.seat.id) == (row.id, seat.id)


def test_upheld_becomes_a_removal_and_ends_when_the_seat_is_replaced(session, world, spoken):
    seat = world.seat(session, 2)
    row = operations.challenge(
        session, world.presenters[0], sitting=spoken, seat=seat, reason="曾任该区顾问"
    )
    operations.record_answer(session, world.people["office"], challenge=row, answer="属实")
    operations.decide_challenge(
        session, world.people["supervisor"], challenge=row, upheld=True, reason="属实，予以回避"
    )
    session.flush()
    (found,) = recusals.recusals(session, world.people["office"], the_round(session, world))
    assert (found.ground, found.ref, found.seat.id) == ("challenge", row.id, seat.id)
    seat.state = "removed"
    steps.append(session, None, "test.removed")
    session.flush()
    assert recusals.recusals(session, world.people["office"], the_round(session, world)) == []


def test_a_late_link_stops_the_county_and_kinship_is_the_supervisors_to_read(
    session, world, spoken
):
    office, supervisor = world.people["office"], world.people["supervisor"]
    mine, other = world.seat(session, 1), world.seat(session, 2)
    with pytest.raises(Forbidden):
        recusals.stand_aside(
            session, world.expert(1), sitting=spoken, seat=other, kind="kin:spouse", evidence="甲"
        )
    row = recusals.stand_aside(
        session, world.expert(1), sitting=spoken, seat=mine, kind="kin:spouse",
        evidence="配偶新任副区长",
    )  # fmt: skip
    told = recusals.stand_aside(
        session, office, sitting=spoken, seat=other, kind="other", evidence="电话告知：合伙办班"
    )
    session.flush()
    assert (row.side, row.detail, row.region_code) == (
        "expert",
        "spouse",
        spoken.subject.region_code,
    )
    round_ = the_round(session, world)
    seen = {
        v.role: {r.ref: r.words for r in recusals.recusals(session, v, round_)}
        for v in (office, supervisor)
    }
    assert seen["office"] == {row.id: None, told.id: "电话告知：合伙办班"}
    assert seen["supervisor"][row.id] == "配偶新任副区长"
    operations.confirm_statement(session, world.presenters[0], sitting=spoken)
    operations.close_statement(session, office, sitting=spoken)
    with pytest.raises(Conflict) as caught:
        operations.open_scoring(session, office, sitting=spoken)
    assert "虚拟专家01、虚拟专家02" in caught.value.text.zh
    registry.decide_interest(
        session, supervisor, interest=row, decision="dismissed", reason="查无此事"
    )
    registry.propose_interest(
        session, world.people["keeper"], interest=told, decision="dismissed", reason="不影响"
    )
    registry.decide_interest(
        session, supervisor, interest=told, decision="dismissed", reason="同意管理人意见"
    )
    session.flush()
    assert recusals.recusals(session, supervisor, round_) == []
    operations.open_scoring(session, office, sitting=spoken)
    assert spoken.phase == "scoring"


def test_a_conflict_ticked_at_the_signing_is_listed(session, world):
    viewer = world.expert(1)
    answers = dict.fromkeys(CONFLICTS, False) | {"kin": True}
    operations.sign_declaration(
        session, viewer, panel=world.panel(session), kind="conflict", answers=answers,
        signed_name=viewer.name,
    )  # fmt: skip
    session.flush()
    (found,) = recusals.recusals(session, world.people["office"], the_round(session, world))
    assert (found.ground, found.seat.id, found.county) == (
        "declaration", world.seat(session, 1).id, None,
    )  # fmt: skip
    for role in ("expert", "presenter", "keeper", "admin"):
        who = world.people.get(role) or (viewer if role == "expert" else world.presenters[0])
        with pytest.raises(Forbidden):
            recusals.recusals(session, who, the_round(session, world))


def test_the_pages_walk_the_case(client_as, world, app):
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        steps.declare(session, world)
        sitting = steps.gather(session, world)
        steps.speak(session, world, sitting, close=False)
        sitting_id, seat_id = sitting.id, world.seat(session, 3).id
    office, supervisor = client_as("office"), client_as("supervisor")
    presenter = client_as(world.presenters[0])
    where = f"/r/{world.slug}/sittings/{sitting_id}"
    short = presenter.post(f"{where}/challenge", data={"seat": seat_id, "reason": "短"})
    assert short.status_code == 422 and "至少 5 个字" in short.text
    sent = {"seat": seat_id, "reason": "曾任该区规划顾问"}
    assert presenter.post(f"{where}/challenge", data=sent).status_code == 302
    with database.read() as session:
        case_id = session.scalars(select(Challenge.id)).one()
    assert "待询问专家" in supervisor.get(f"/r/{world.slug}/recusals").text
    case = f"{where}/challenge/{case_id}"
    early = {"upheld": "upheld", "reason": "未等答复就决定"}
    assert supervisor.post(case, data=early).status_code == 409
    assert office.post(case, data=early).status_code == 403
    assert office.post(f"{case}/answer", data={"answer": ""}).status_code == 422
    assert office.post(f"{case}/answer", data={"answer": "本人确曾任顾问"}).status_code == 302
    assert "本人确曾任顾问" in supervisor.get(where).text
    assert "本人确曾任顾问" not in presenter.get(where).text
    none = supervisor.post(case, data={"upheld": "", "reason": "没有选择"})
    assert none.status_code == 422 and "没有选择" in none.text
    said = {"upheld": "upheld", "reason": "情况属实，予以回避"}
    assert supervisor.post(case, data=said).status_code == 302
    assert "情况属实，予以回避" in presenter.get(where).text
    page = office.get(f"/r/{world.slug}/recusals").text
    assert f"seat={seat_id}" in page and "ground=challenge" in page and f"ref={case_id}" in page
    for who in (client_as(world.expert(3)), presenter):
        assert who.get(f"/r/{world.slug}/recusals").status_code == 403
    aside = f"{where}/stand-aside"
    expert = client_as(world.expert(4))
    assert expert.get(aside).status_code == 200
    assert expert.post(aside, data={"kind": "dispute"}).status_code == 422
    told = {"kind": "dispute", "evidence": "与该区有土地纠纷"}
    # No link is proposed to him: he says which.
    unsaid = expert.post(aside, data={**told, "kind": ""})
    assert unsaid.status_code == 422 and "与该区有土地纠纷" in unsaid.text
    assert expert.post(aside, data=told).status_code == 302
    with database.read() as session:
        row = session.scalars(select(Interest)).one()
        assert (row.kind, row.side, row.status) == ("dispute", "expert", "declared")
    page = office.get(f"/r/{world.slug}/recusals").text
    assert "虚拟专家04" in page and "与该区有土地纠纷" not in page
    assert "与该区有土地纠纷" in supervisor.get(f"/r/{world.slug}/recusals").text
