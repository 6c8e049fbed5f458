"""Two records of one person become one: both histories stay, past draws verify, and nothing is merged
while one of them is in an open draw or panel."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app import clock
from app.directory.models import Employment, FormerValue
from app.domain.types import Conflict, DomainError, Forbidden
from app.draw import invariants
from app.draw import operations as draws
from app.draw.facts import expert_facts
from app.draw.merging import seated
from app.ledger.models import Event
from app.programme import operations as programme
from app.registry import invariants as registry_invariants
from app.registry import operations, queries
from app.registry.models import Expert, Interest
from tests.draw.builders import Staff, make_body, make_expert, make_pool, make_round, to_dice
from tests.draw.builders import request as ask

ID, OTHER_ID = "99999919700101000X", "999999198001010002"


@pytest.fixture
def two(session: Session) -> tuple[Expert, Expert]:
    first = make_body(session, "测试甲院", "institute", "110108")
    second = make_body(session, "测试乙院", "institute", "110108")
    return make_expert(session, 901, first), make_expert(session, 902, second)


def merge(session: Session, keep: Expert, gone: Expert, actor: Any = None, **more: Any) -> None:
    more = {"reason": "同一人，核对身份证", "seated": seated} | more
    operations.merge_experts(session, actor, keep=keep, gone=gone, **more)


def test_both_histories_follow_the_record_that_stays(
    session: Session, two: tuple[Expert, Expert], keys: Any, make: Any
) -> None:
    keep, gone = two
    third = make_expert(session, 903, make_body(session, "测试丙院", "institute", "110108"))
    keeper = make.viewer(session, "keeper")
    operations.edit_expert(
        session, keeper, expert=gone, version=gone.version, id_number=ID, phone="13800001111"
    )
    operations.edit_expert(
        session, keeper, expert=keep, version=keep.version, name="测试改名", phone="13900002222"
    )
    old_name = gone.person.name
    day = clock.today("Asia/Shanghai")
    operations.add_absence(session, keeper, expert=gone, since=day, until=day)
    operations.add_past_panel(
        session, keeper, expert=gone, round_name="2011年度", since=date(2011, 9, 5), basis="名单"
    )
    for one, other in ((third, gone), (gone, keep)):
        operations.declare_interest(
            session, keeper, expert=one, kind="coauthor", side="office", evidence="x",
            other_expert=other,
        )  # fmt: skip
    operations.sanction(
        session, keeper, expert=gone, kind="suspension", reason="缺席", decided_by="测试办"
    )
    assert operations.holdings(session, gone) | {"former_value": 0, "screening": 0} == {
        "screening": 0, "sanction": 1, "absence": 1, "interest": 1, "residence": 0,
        "tie_statement": 0, "past_panel": 1, "employment": 1, "former_value": 0, "county_head": 0,
        "invitation": 0, "expert_correction": 0,
    }  # fmt: skip
    merge(session, keep, gone, keeper)
    assert (gone.status, gone.merged_into, gone.person.merged_into) == (
        "retired", keep.id, keep.person_id,
    )  # fmt: skip
    assert gone.person.name == old_name and keep.number in gone.status_reason
    assert keep.status == "suspended", "a suspension holds for the person"
    assert keys.decrypt(keep.person.id_number) == ID and gone.person.id_number is None
    former = {
        (row.field, row.value if row.field == "name" else keys.decrypt(row.value))
        for row in session.scalars(
            select(FormerValue).where(FormerValue.person_id == keep.person_id)
        )
    }
    assert {("name", old_name), ("phone", "13800001111")} <= former
    assert len(keep.person.employments) == 2 and gone.person.employments == []
    assert (len(keep.sanctions), len(keep.absences), gone.sanctions) == (1, 1, [])
    links = session.execute(
        select(Interest.expert_id, Interest.other_expert_id, Interest.status)
    ).all()
    assert {tuple(row) for row in links} == {
        (third.id, keep.id, "declared"), (keep.id, keep.id, "withdrawn"),
    }  # fmt: skip
    found = expert_facts(session, date(2012, 3, 1), kind="real")
    assert [p.round_id for p in found[keep.id].participations or ()] == ["2011年度"]
    for check in (registry_invariants.decisions_whole, registry_invariants.barred_for_ever):
        assert check(session) == []
    for refused in (
        lambda: operations.admit(session, keeper, expert=gone),
        lambda: operations.edit_expert(
            session, keeper, expert=gone, version=gone.version, name="测试"
        ),
        lambda: merge(session, third, gone, keeper),
        lambda: merge(session, keep, keep, keeper),
    ):
        with pytest.raises(DomainError):
            refused()
    last = session.scalars(select(Event).order_by(Event.seq.desc())).first()
    assert last is not None and '"kind":"sealed"' in last.payload


def test_what_is_no_duplicate_is_refused(
    session: Session, two: tuple[Expert, Expert], make: Any
) -> None:
    keep, gone = two
    keeper = make.viewer(session, "keeper")
    with pytest.raises(Forbidden):
        merge(session, keep, gone, make.viewer(session, "office"))
    with pytest.raises(DomainError, match="理由"):
        merge(session, keep, gone, keeper, reason=" ")
    for expert, number in ((keep, ID), (gone, OTHER_ID)):
        operations.edit_expert(
            session, None, expert=expert, version=expert.version, id_number=number
        )
    with pytest.raises(Conflict, match="身份证号不同"):
        merge(session, keep, gone, keeper)
    assert session.scalar(select(func.count()).where(Expert.merged_into.is_not(None))) == 0


def test_accounts_decide_which_record_stays(
    session: Session, two: tuple[Expert, Expert], make: Any
) -> None:
    from app.accounts import operations as accounts

    keep, gone = two

    def account(expert: Expert) -> None:
        accounts.create_account(
            session,
            None,
            person=expert.person,
            login=expert.number,
            password_hash="x",
            role="expert",
        )

    account(gone)
    with pytest.raises(Conflict, match="反过来"):
        merge(session, keep, gone)
    account(keep)
    with pytest.raises(Conflict, match="都有登录账号"):
        merge(session, keep, gone)


def test_a_bar_holds_for_the_person(session: Session, two: tuple[Expert, Expert]) -> None:
    keep, gone = two
    operations.sanction(session, None, expert=gone, kind="bar", reason="泄密", decided_by="测试办")
    merge(session, keep, gone)
    assert (keep.status, gone.status) == ("barred", "retired")
    assert registry_invariants.barred_for_ever(session) == []
    assert registry_invariants.merged_records(session) == []
    gone.status = "active"
    session.flush()
    assert [text.en for text in registry_invariants.merged_records(session)] == [
        f"{gone.number}: a merged record is still in use."
    ]
    gone.status = "retired"
    session.flush()


def test_open_draws_and_panels_forbid_it_and_past_draws_verify(
    session: Session, staff: Staff, two: tuple[Expert, Expert]
) -> None:
    pool = make_pool(session, 70, 20)
    round_ = make_round(session, kind="real")
    draw = to_dice(session, staff, ask(session, staff, round_, 7))
    with pytest.raises(Conflict, match="专家库快照"):
        merge(session, *two)
    for name in draw.request["parties"]:
        draws.reveal_code(session, staff.viewer(name), draw, name, staff.code(name))
    seat = next(s for s in draw.seats if s.active)
    keep = next(e for e in pool if e.id not in {s.expert_id for s in draw.seats})
    with pytest.raises(Conflict, match="评审组中"):
        merge(session, keep, seat.expert)
    with pytest.raises(Conflict, match="评审组中"):
        merge(session, seat.expert, keep)
    round_.phase = "open"
    programme.close_round(session, staff.office, round_)
    transcript = draw.transcript_sha256
    before = expert_facts(session, date(2026, 12, 1), kind="real")[seat.expert_id]
    merge(session, keep, seat.expert)
    after = expert_facts(session, date(2026, 12, 1), kind="real")[keep.id]
    assert before.participations and after.participations == before.participations
    assert queries.heirs(session) == {seat.expert_id: keep.id}
    assert draw.transcript_sha256 == transcript
    assert [fault for _, check in invariants.INVARIANTS for fault in check(session)] == []


def test_likely_duplicates_with_their_reasons(session: Session, make: Any) -> None:
    body = make_body(session, "测试甲院", "institute", "110108")
    other = make_body(session, "测试乙院", "institute", "110108")
    rows = [make_expert(session, 910 + n, (body, other)[n % 2]) for n in range(6)]
    for row in rows[:3]:
        row.person.name = "测试同名"
    keeper = make.viewer(session, "keeper")

    def alter(number: int, **values: Any) -> None:
        operations.edit_expert(
            session, keeper, expert=rows[number], version=rows[number].version, **values
        )

    def found() -> list[tuple[str, str, list[str]]]:
        return [
            (p.one.number, p.two.number, [w.en for w in p.why])
            for p in queries.likely_duplicates(session, keeper)
        ]

    numbers = [row.number for row in rows]
    for number in (0, 1):
        alter(number, birth_date=date(1970, 2, 3))
    alter(2, birth_date=date(1971, 2, 3))
    for number in (4, 5):
        alter(number, phone="13800001111")
    assert found() == [
        (numbers[0], numbers[1], ["same name and birth date"]),
        (numbers[0], numbers[2], ["same name and employer"]),
        (numbers[4], numbers[5], ["same phone"]),
    ]
    alter(4, id_number=ID)
    alter(5, id_number=OTHER_ID)
    assert (numbers[4], numbers[5]) not in {row[:2] for row in found()}
    with pytest.raises(Forbidden):
        queries.likely_duplicates(session, make.viewer(session, "office"))
    seen: list[str] = []
    session.flush()
    session.expunge_all()

    def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(session.get_bind(), "before_cursor_execute", note)
    found()
    event.remove(session.get_bind(), "before_cursor_execute", note)
    assert len(seen) <= 3
    assert session.scalar(select(func.count(Employment.id))) == 6


def test_the_pages_compare_and_merge(client_as: Any, app: Any) -> None:
    with app.extensions["mingjian.db"].write() as session:
        body = make_body(session, "测试甲院", "institute", "110108")
        rows = [make_expert(session, 920 + n, body) for n in range(2)]
        for row in rows:
            row.person.name = "测试同名"
        session.flush()
        operations.verify_facts(session, None, expert=rows[0])
        operations.verify_facts(session, None, expert=rows[1])
        (one, first), (two, second) = ((row.id, row.number) for row in rows)
    keeper = client_as("keeper")
    listed = keeper.get("/pool/duplicates")
    assert f"/pool/{one}/merge?other={two}" in listed.text and "姓名和单位相同" in listed.text
    page = keeper.get(f"/pool/{one}/merge?other={second}")
    assert page.status_code == 200 and f"把 {second} 并入 {first}" in page.text
    empty = keeper.post(f"/pool/{one}/merge", data={"other": two, "reason": ""})
    assert empty.status_code == 422
    done = keeper.post(
        f"/pool/{one}/merge", data={"other": two, "reason": "同一人"}, follow_redirects=True
    )
    assert f"{second} 已并入 {first}" in done.text
    old = keeper.get(f"/pool/{two}").text
    assert "这条记录已并入另一条" in old and f'href="/pool/{one}"' in old
    assert "没有发现重复" in keeper.get("/pool/duplicates").text
    again = keeper.post(f"/pool/{one}/merge", data={"other": two, "reason": "同一人"})
    assert again.status_code == 422 and "已并入另一条记录" in again.text
    assert client_as("office").get("/pool/duplicates").status_code == 403
