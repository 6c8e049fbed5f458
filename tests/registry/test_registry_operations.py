"""The life of an expert: admission, sanctions, interests, edits, and what the list costs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from app import clock
from app.directory import operations as directory
from app.directory.models import Organisation, Person, Region
from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.ledger.models import Event
from app.registry import invariants, operations, queries
from app.registry.models import Absence, Expert
from app.registry.operations import Candidate


@pytest.fixture
def place(session: Session) -> Organisation:
    for code, name in (
        ("420000", "湖北省"),
        ("420100", "武汉市"),
        ("110000", "北京市"),
        ("610822", "府谷县"),
    ):
        session.add(Region(code=code, name=name, kind="测试", source="test"))
    return directory.create_organisation(
        session, None, name="测试研究院", kind="institute", region_code="420100"
    )


def candidate(place: Organisation, name: str = "测试甲", **more: Any) -> Candidate:
    base = Candidate(
        name=name,
        organisation=place,
        title="研究员",
        title_rank=4,
        kind="technical",
        discipline="land",
        source="institute",
    )
    return replace(base, **more)


def admitted(session: Session, make: Any, place: Organisation, name: str = "测试甲") -> Expert:
    expert = operations.nominate(session, None, candidate(place, name, consent_on=date(2026, 1, 5)))
    for _ in range(2):
        reviewer = make.viewer(session, "keeper")
        operations.screen(session, reviewer, expert=expert, decision="pass", reason="符合条件")
    operations.admit(session, None, expert=expert)
    return expert


def healthy(session: Session) -> bool:
    session.flush()
    return all(check(session) == [] for _, check in invariants.INVARIANTS)


def test_one_screening_is_not_enough_and_rejects_count(
    session: Session, make: Any, place: Organisation
) -> None:
    keeper, office = make.viewer(session, "keeper"), make.viewer(session, "office")
    expert = operations.nominate(session, office, candidate(place))
    assert (expert.number, expert.status, expert.region_code) == ("E0001", "candidate", "420100")
    with pytest.raises(DomainError, match="同意书"):
        operations.admit(session, keeper, expert=expert)
    operations.record_consent(session, keeper, expert=expert, on=date(2026, 1, 5))
    operations.screen(session, keeper, expert=expert, decision="pass", reason="好")
    operations.screen(session, keeper, expert=expert, decision="pass", reason="再看一次")
    with pytest.raises(DomainError, match="现有 1 名通过、0 名反对"):
        operations.admit(session, keeper, expert=expert)
    operations.screen(session, office, expert=expert, decision="reject", reason="存疑")
    other = make.viewer(session, "keeper")
    operations.screen(session, other, expert=expert, decision="pass", reason="好")
    with pytest.raises(DomainError, match="现有 2 名通过、1 名反对"):
        operations.admit(session, keeper, expert=expert)
    operations.screen(session, office, expert=expert, decision="pass", reason="已核实")
    with pytest.raises(Forbidden):
        operations.admit(session, office, expert=expert)
    with clock.fixed(datetime(2026, 2, 28, 17, tzinfo=UTC)):  # already 1 March in Shanghai
        operations.admit(session, keeper, expert=expert)
    assert expert.status == "active"
    assert (expert.admitted_on, expert.review_due) == (date(2026, 3, 1), date(2027, 3, 1))
    with pytest.raises(Conflict):
        operations.screen(session, keeper, expert=expert, decision="pass", reason="晚了")
    assert healthy(session)


def test_nobody_decides_his_own_case(session: Session, make: Any, place: Organisation) -> None:
    keeper = make.viewer(session, "keeper")
    person = session.get(Person, keeper.person_id)
    expert = operations.nominate(session, None, candidate(place), person=person)
    assert expert.person is person
    with pytest.raises(Forbidden):
        operations.screen(session, keeper, expert=expert, decision="pass", reason="我很好")
    with pytest.raises(Conflict, match="已在专家库中"):
        operations.nominate(session, None, candidate(place), person=person)


def test_twins_are_asked_about_and_the_barred_never_return(
    session: Session, make: Any, place: Organisation
) -> None:
    first = operations.nominate(
        session,
        None,
        candidate(place, phone="10000000001", id_number="99999919700101000X"),
    )
    with pytest.raises(Conflict, match="姓名和单位相同") as asked:
        operations.nominate(session, None, candidate(place))
    assert asked.value.field == "distinct"
    with pytest.raises(Conflict, match="电话相同"):
        operations.nominate(session, None, candidate(place, "测试乙", phone="１００００００００01"))
    second = operations.nominate(session, None, candidate(place), distinct=True)
    assert second.number == "E0002"
    with pytest.raises(Conflict, match="E0001"):
        operations.nominate(
            session, None, candidate(place, "改名", id_number="99999919700101000x"), distinct=True
        )
    operations.sanction(
        session, None, expert=first, kind="bar", reason="泄密", decided_by="测试办〔2026〕1号"
    )
    assert first.status == "barred"
    with pytest.raises(Conflict, match="永久除名"):
        operations.nominate(
            session, None, candidate(place, "测试丙", phone="10000000001"), distinct=True
        )
    for verb in (operations.suspend, operations.retire, operations.reinstate):
        with pytest.raises(Conflict, match="终身"):
            verb(session, None, expert=first, reason="试试")
    with pytest.raises(Conflict, match="终身"):
        operations.admit(session, None, expert=first)
    assert healthy(session)
    first.status = "active"
    assert invariants.barred_for_ever(session)[0].zh.startswith("E0001")
    first.status = "barred"


def test_suspend_reinstate_retire_and_come_back(
    session: Session, make: Any, place: Organisation
) -> None:
    with clock.fixed(datetime(2026, 3, 1, tzinfo=UTC)):
        expert = admitted(session, make, place)
    with pytest.raises(DomainError, match="理由"):
        operations.suspend(session, None, expert=expert, reason=" ")
    operations.suspend(session, None, expert=expert, reason="调查中")
    assert (expert.status, expert.status_reason) == ("suspended", "调查中")
    operations.reinstate(session, None, expert=expert, reason="查清")
    with clock.fixed(datetime(2026, 5, 1, tzinfo=UTC)):
        operations.retire(session, None, expert=expert, reason="退休")
    with pytest.raises(DomainError, match="现有 0 名通过"):
        operations.admit(session, None, expert=expert)
    with clock.fixed(datetime(2026, 6, 1, tzinfo=UTC)):
        for _ in range(2):
            reviewer = make.viewer(session, "office")
            operations.screen(session, reviewer, expert=expert, decision="pass", reason="返聘")
        operations.admit(session, None, expert=expert)
    assert expert.status == "active"
    operations.sanction(
        session,
        None,
        expert=expert,
        kind="suspension",
        reason="缺席",
        decided_by="测试",
        since=date(2026, 6, 2),
        until=date(2026, 9, 1),
    )
    assert expert.status == "suspended" and expert.sanctions[0].until == date(2026, 9, 1)
    with pytest.raises(DomainError):
        operations.sanction(
            session,
            None,
            expert=expert,
            kind="bar",
            reason="x",
            decided_by="y",
            until=date(2030, 1, 1),
        )
    assert healthy(session)


def test_verify_sets_the_next_review(session: Session, make: Any, place: Organisation) -> None:
    expert = admitted(session, make, place)
    operations.verify_facts(session, None, expert=expert, on=date(2024, 2, 29))
    assert expert.review_due == date(2025, 2, 28)
    assert queries.due_for_review(session, date(2025, 2, 28)) == 1, "on the very day"
    assert queries.due_for_review(session, date(2025, 2, 27)) == 0
    with pytest.raises(DomainError):
        operations.verify_facts(session, None, expert=expert, on=date(2999, 1, 1))


def test_stale_edit_conflicts_and_says_who_and_what(
    session: Session, make: Any, place: Organisation
) -> None:
    one, two = make.viewer(session, "keeper"), make.viewer(session, "keeper")
    expert = operations.nominate(session, None, candidate(place))
    seen = expert.version
    changed = operations.edit_expert(
        session, one, expert=expert, version=seen, title="正高级工程师", discipline="minerals"
    )
    assert changed == ["title", "discipline"] and expert.version == seen + 1
    with pytest.raises(Conflict) as refused:
        operations.edit_expert(
            session, two, expert=expert, version=seen, title="教授", discipline="minerals"
        )
    assert one.name in refused.value.text.zh and "职称" in refused.value.text.zh
    assert "专业" not in refused.value.text.zh and "Title" in refused.value.text.en
    assert expert.title == "正高级工程师"
    assert operations.edit_expert(session, two, expert=expert, version=seen + 1) == []
    with pytest.raises(DomainError, match="999999"):
        operations.edit_expert(session, two, expert=expert, version=seen + 1, region_code="999999")
    with pytest.raises(Forbidden):
        operations.edit_expert(
            session, make.viewer(session, "office"), expert=expert, version=seen + 1, title="x"
        )


def test_interest_is_declared_decided_once_by_the_supervisor(
    session: Session, make: Any, place: Organisation
) -> None:
    expert = admitted(session, make, place)
    office, supervisor = make.viewer(session, "office"), make.viewer(session, "supervisor")
    declare: dict[str, Any] = {"expert": expert, "kind": "kin", "side": "county"}
    with pytest.raises(DomainError, match="至少指明"):
        operations.declare_interest(session, office, evidence="兄弟任职", **declare)
    declare["region_code"] = "610822"
    with pytest.raises(DomainError):
        operations.declare_interest(session, office, evidence=" ", **declare)
    row = operations.declare_interest(session, office, evidence="兄弟任职", **declare)
    assert expert.interests == [row] and row.status == "declared"
    with pytest.raises(Conflict, match="没有重复登记"):
        operations.declare_interest(session, office, evidence="又写", **declare)
    for role in ("office", "keeper", "admin", "expert"):
        with pytest.raises(Forbidden):
            operations.decide_interest(
                session, make.viewer(session, role), interest=row, decision="upheld", reason="是"
            )
    operations.decide_interest(
        session, supervisor, interest=row, decision="upheld", reason="查证属实"
    )
    assert (row.status, row.decided_by, row.decision_reason) == (
        "upheld",
        supervisor.id,
        "查证属实",
    )
    with pytest.raises(Conflict):
        operations.decide_interest(
            session, supervisor, interest=row, decision="dismissed", reason="改"
        )
    page = queries.interests(session, supervisor, status="upheld")
    assert [(i.id, e.number) for i, e in page.rows] == [(row.id, "E0001")]
    last = session.scalars(select(Event).order_by(Event.seq.desc())).first()
    assert last is not None and json.loads(last.payload)["kind"] == "sealed"
    assert healthy(session)


def test_an_expert_acts_for_himself_only(session: Session, make: Any, place: Organisation) -> None:
    mine = make.viewer(session, "expert")
    person = make.person(session)
    own = operations.nominate(
        session, None, candidate(place), person=session.get(Person, mine.person_id)
    )
    other = operations.nominate(session, None, candidate(place), person=person)
    assert queries.own_expert(session, mine).id == own.id
    assert queries.expert(session, mine, own.id).id == own.id
    for attempt in (
        lambda: queries.expert(session, mine, other.id),
        lambda: queries.expert(session, mine, "0" * 16),
        lambda: queries.expert(session, make.viewer(session, "presenter"), own.id),
        lambda: queries.own_expert(session, make.viewer(session, "expert")),
    ):
        with pytest.raises(NotFound) as hidden:
            attempt()
        assert hidden.value.text.zh == "没有找到这位专家，或者不对您开放。"
    with pytest.raises(Forbidden):
        operations.record_consent(session, mine, expert=other)
    with pytest.raises(Forbidden):
        operations.declare_interest(
            session,
            mine,
            expert=other,
            kind="kin",
            side="expert",
            evidence="x",
            region_code="610822",
        )
    with pytest.raises(Forbidden):
        queries.experts(session, mine)
    operations.record_consent(session, mine, expert=own)
    assert own.consent_at is not None
    day = date(2026, 5, 1)
    row = operations.add_absence(session, mine, expert=own, since=day, until=day + timedelta(3))
    with pytest.raises(DomainError):
        operations.add_absence(session, mine, expert=own, since=day, until=day - timedelta(1))
    with pytest.raises(NotFound):
        operations.add_absence(session, mine, expert=other, since=day, until=day)
    assert own.absences == [row]
    operations.cancel_absence(session, mine, expert=own, absence_id=row.id)
    assert own.absences == [] and session.get(Absence, row.id) is not None
    declared = operations.declare_interest(
        session, mine, expert=own, kind="other", side="expert", evidence="x", other_expert=other
    )
    operations.withdraw_interest(session, mine, interest=declared, reason="弄错了")
    assert declared.status == "withdrawn"


def test_change_post_keeps_the_former_one(session: Session, make: Any, place: Organisation) -> None:
    keeper = make.viewer(session, "keeper")
    expert = operations.nominate(session, None, candidate(place, since=date(2010, 1, 1)))
    new = directory.create_organisation(
        session, None, name="测试大学", kind="university", region_code="110000"
    )
    operations.change_post(
        session, keeper, expert=expert, organisation=new, post="教授", since=date(2026, 2, 1)
    )
    posts = [(p.organisation.name, p.until) for p in expert.person.employments]
    assert posts == [("测试研究院", date(2026, 1, 31)), ("测试大学", None)]
    assert queries.employer_name(expert.person) == "测试大学"
    assert expert.region_code == "110000"


def test_reveal_is_logged_with_its_reason(session: Session, make: Any, place: Organisation) -> None:
    expert = operations.nominate(session, None, candidate(place, phone="10000000001"))
    supervisor = make.viewer(session, "supervisor")
    with pytest.raises(DomainError):
        operations.reveal(session, supervisor, expert=expert, reason="")
    with pytest.raises(Forbidden):
        operations.reveal(session, make.viewer(session, "office"), expert=expert, reason="想看")
    before = len(session.scalars(select(Event)).all())
    assert operations.reveal(session, supervisor, expert=expert, reason="核对身份") == {
        "id_number": "",
        "phone": "10000000001",
    }
    assert len(session.scalars(select(Event)).all()) == before + 1


def fill(session: Session, place: Organisation, count: int) -> None:
    rows = [candidate(place, f"测试{n}", discipline=("land", "law")[n % 2]) for n in range(count)]
    operations.enrol(session, None, rows, file_hash="0" * 64)


@pytest.mark.parametrize("sort", sorted(queries.SORTS))
def test_list_sorts_and_filters(
    session: Session, make: Any, place: Organisation, sort: str
) -> None:
    fill(session, place, 60)
    keeper = make.viewer(session, "keeper")
    up = queries.experts(session, keeper, sort=sort, size=100)
    down = queries.experts(session, keeper, sort="-" + sort, size=100)
    assert len({row.id for row in up.rows}) == up.total == down.total == 60
    if sort in ("number", "name"):
        keys = [row.number if sort == "number" else row.person.name for row in up.rows]
        assert keys[:1] == (["E0001"] if sort == "number" else ["测试0"])
        assert [row.id for row in down.rows][0] != [row.id for row in up.rows][0]


def test_list_values(session: Session, make: Any, place: Organisation) -> None:
    fill(session, place, 60)
    office = make.viewer(session, "office")
    assert queries.experts(session, office, discipline="law").total == 30
    assert queries.experts(session, office, search="测试7").total == 1
    assert queries.experts(session, office, search="e0008").rows[0].person.name == "测试7"
    assert queries.experts(session, office, search="测试研究").total == 60
    assert queries.experts(session, office, search="100%").total == 0
    assert queries.experts(session, office, region="420000").total == 60
    assert queries.experts(session, office, region="420100").total == 60
    assert queries.experts(session, office, region="430000").total == 0
    second = queries.experts(session, office, page=2)
    assert (len(second.rows), second.pages, second.number) == (10, 2, 2)
    assert second.rows[0].number == "E0051"
    assert queries.pool_counts(session, "candidate") == {
        ("land", "institute"): 30,
        ("law", "institute"): 30,
    }
    assert queries.status_counts(session) == {"candidate": 60}


def test_numbers_go_on_after_9999(session: Session, place: Organisation) -> None:
    fill(session, place, 1)
    session.scalars(select(Expert)).one().number = "E9999"
    operations.verify_facts(session, None, expert=session.scalars(select(Expert)).one())
    assert operations.nominate(session, None, candidate(place, "测试乙")).number == "E10000"
    assert operations.nominate(session, None, candidate(place, "测试丙")).number == "E10001"


def test_list_costs_the_same_at_1_and_300(database: Any, make: Any) -> None:
    def count() -> int:
        statements: list[str] = []
        with database.read() as session:
            listen = lambda *args: statements.append(args[2])  # noqa: E731
            event.listen(database.engine, "before_cursor_execute", listen)
            page = queries.experts(session, keeper, size=400)
            names = [queries.employer_name(row.person) for row in page.rows]
            event.remove(database.engine, "before_cursor_execute", listen)
            assert len(names) == page.total and set(names) == {"测试研究院"}
        return len(statements)

    with database.write() as session:
        keeper = make.viewer(session, "keeper")
        place = directory.create_organisation(session, None, name="测试研究院", kind="institute")
        fill(session, place, 1)
    one = count()
    with database.write() as session:
        fill(session, session.get(Organisation, place.id), 299)
    assert count() == one <= 4


def test_invariants_notice_what_is_wrong(session: Session, make: Any, place: Organisation) -> None:
    expert = admitted(session, make, place)
    assert healthy(session)
    keep = expert.consent_at
    expert.consent_at = None
    session.flush()
    assert [t.en for t in invariants.active_consented(session)] == [
        "E0001: in the pool without consent or admission day."
    ]
    expert.consent_at = keep
    expert.screenings[0].decision = "reject"
    session.flush()
    assert len(invariants.active_screened(session)) == 1
    expert.screenings[0].decision = "pass"
    session.flush()
    assert healthy(session)
