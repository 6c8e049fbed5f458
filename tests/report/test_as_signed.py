"""A final report keeps the names and employers of its day; a draft has those of today."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app import clock
from app.aggregation import operations as aggregation
from app.directory import operations as directory
from app.directory.models import FormerValue, Person
from app.ledger import prove
from app.ledger.append import append
from app.registry import operations as registry
from app.report import annexes, papers, queries
from app.report.source import source
from tests.aggregation import builders
from tests.report import reports


def test_who_has_another_name_by_now_signed_under_the_one_of_then(session: Any) -> None:
    made = builders.reload(session)
    run = aggregation.run(session, made.office, round=made.round)
    report = reports.signed(session, made, run)
    report.finished_at, report.head = clock.now(), str(prove.head(session))
    append(session, None, "test.finished")  # as `finish` does, without the paper

    def printed() -> list[Any]:
        found = source(session, report, "en")
        return [annexes._members(found), papers._signatures(found)]

    then, old = printed(), {m.expert.id: (m.name, m.employer) for m in _members(session, report)}
    (one, _), (two, _), (three, _) = made.experts[:3]
    names = {expert.id: expert.person.name for expert in (one, two, three)}
    other = directory.create_organisation(session, None, name="测试新单位", kind="institute")
    with clock.fixed(clock.now() + timedelta(days=400), timedelta(microseconds=1)):
        directory.change_person(session, None, one.person, name="测试改名")
        directory.change_person(session, None, one.person, name="测试再改名")
        today = clock.today("Asia/Shanghai")
        registry.change_post(
            session, None, expert=two, organisation=other, post="",
            since=today - timedelta(days=30),
        )  # fmt: skip
        _merged_into(session, three)
        session.flush()
        session.expire(two.person)
        assert printed() == then
        assert {m.expert.id: (m.name, m.employer) for m in _members(session, report)} == old
        now = {m.expert.id: m for m in queries.members(session, made.round)}
        assert (names[one.id], now[one.id].name) == (old[one.id][0], "测试再改名")
        assert now[two.id].employer == "测试新单位" != old[two.id][1]
        assert now[three.id].name == old[three.id][0] == names[three.id]
        shown = queries.shown_names(session, _members(session, report))
        assert names[one.id] in shown and "测试再改名" not in shown


def _members(session: Any, report: Any) -> list[queries.Member]:
    return queries.members(session, report.round, report.finished_at)


def _merged_into(session: Any, keep: Any) -> None:
    """Another record of the person, whose name is kept as a former one although it never was his."""
    person = Person(name="测试笔误", merged_into=keep.person_id)
    day = clock.today("Asia/Shanghai")
    session.add_all(
        [
            person,
            FormerValue(
                person_id=keep.person_id, field="name", value="测试笔误", until=day,
                changed_at=clock.now(),
            ),
        ]
    )  # fmt: skip
    append(session, None, "test.merged")
