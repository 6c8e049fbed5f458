"""Past panels and sanctions from a file: read with their errors, entered once, and what follows from
them for rotation and eligibility."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.directory.models import Organisation, Region
from app.directory.operations import create_organisation
from app.domain.types import Conflict, DomainError, Forbidden
from app.draw.facts import _before, expert_facts
from app.draw.facts_subjects import _panels_before
from app.registry import operations
from app.registry.models import Expert, Sanction
from app.registry.models_registers import PastPanel
from app.registry.operations import Candidate
from app.registry.register_import import import_register
from tests.registry.test_registry_imports import sheet

HAIDIAN, FENGTAI = "110108", "110106"
PAST = ["专家编号*", "届次", "区县", "评审日期", "结束日期", "依据"]
SANCTIONS = ["姓名", "处理", "自", "至", "事由", "决定机关及文号"]


@pytest.fixture
def place(session: Session) -> Organisation:
    for code, name, parent in (
        ("110000", "北京市", None), (HAIDIAN, "海淀区", "110000"), (FENGTAI, "丰台区", "110000"),
    ):  # fmt: skip
        session.add(Region(code=code, name=name, kind="x", parent_code=parent, source="test"))
    return create_organisation(session, None, name="测试大学", kind="university")


def expert(session: Session, place: Organisation, name: str) -> Expert:
    return operations.nominate(
        session, None,
        Candidate(
            name=name, organisation=place, title="教授", title_rank=4, kind="technical",
            discipline="land", source="university", consent_on=date(2026, 1, 1),
        ),
        distinct=True,
    )  # fmt: skip


def test_past_panels_are_read_shown_and_entered_once(session: Session, place: Organisation) -> None:
    one, two = (expert(session, place, name) for name in ("测试甲", "测试乙"))
    data = sheet(
        ["Ｅ０００１", "2011年度评选", "海淀区", "２０１１年９月５日", "2011.9.6", "评审组名单"],
        ["测试乙", "2011年度评选", "", "二〇一一年九月", "", "评审组名单"],
        head=PAST,
    )
    dry = import_register(session, None, "engagements", data, "x.csv", dry_run=True)
    assert (dry.problems, len(dry.ready)) == ([], 2)
    assert session.scalars(select(PastPanel)).all() == []
    import_register(session, None, "engagements", data, "x.csv", dry_run=False)
    rows = session.scalars(select(PastPanel).order_by(PastPanel.region_code.desc())).all()
    found = {(r.expert_id, r.round_name, r.region_code, r.since, r.until) for r in rows}
    assert found == {
        (one.id, "2011年度评选", HAIDIAN, date(2011, 9, 5), date(2011, 9, 6)),
        (two.id, "2011年度评选", None, date(2011, 9, 1), None),
    }
    again = import_register(session, None, "engagements", data, "x.csv", dry_run=False)
    assert again.repeated == [2, 3] and len(session.scalars(select(PastPanel)).all()) == 2


def test_errors_of_past_panels_name_row_and_column(session: Session, place: Organisation) -> None:
    expert(session, place, "测试甲")
    other = create_organisation(session, None, name="测试研究院", kind="institute")
    expert(session, other, "测试甲")
    rows = (
        ["E0009", "2011年度", "", "2011-09-05", "", "名单"],
        ["测试甲", "2011年度", "", "2011-09-05", "", "名单"],
        ["E0001", "", "火星区", "9/5/2011", "", "名单"],
        ["E0001", "2011年度评选（虚构示例，请删除）", "", "2011-09-05", "", "名单"],
    )
    dry = import_register(session, None, "engagements", sheet(*rows, head=PAST), "x", dry_run=True)
    assert [(p.row, p.column) for p in dry.problems] == [
        (2, "expert"), (3, "expert"), (4, "round_name"), (4, "county"), (4, "begin"), (5, "expert"),
    ]  # fmt: skip
    assert "E0001、E0002" in dry.problems[1].text.zh
    tomorrow = (clock.today("Asia/Shanghai") + timedelta(days=2)).isoformat()
    ahead = sheet(["E0001", "明年", "", tomorrow, "", "名单"], head=PAST)
    with pytest.raises(DomainError, match="日期不能晚于今天"):
        import_register(session, None, "engagements", ahead, "x", dry_run=False)
    assert session.scalars(select(PastPanel)).all() == []


def test_rotation_reads_past_panels_until_they_are_struck(
    session: Session, place: Organisation, make: Any
) -> None:
    one, two = (expert(session, place, name) for name in ("测试甲", "测试乙"))

    def add(who: Expert, name: str, day: date, code: str | None) -> PastPanel:
        return operations.add_past_panel(
            session, None, expert=who, round_name=name, since=day, region_code=code, basis="名单"
        )

    add(one, "2010年度", date(2010, 9, 5), HAIDIAN)
    late = add(two, "2011年度", date(2011, 9, 5), FENGTAI)
    found = expert_facts(session, date(2012, 3, 1), kind="real")
    assert [p.panel_date for p in found[one.id].participations or ()] == [date(2010, 9, 5)]
    assert (found[two.id].participations or ())[0].subject_codes == (FENGTAI,)
    assert expert_facts(session, date(2012, 3, 1), kind="drill")[one.id].participations == ()
    assert _panels_before(session, date(2012, 3, 1)) == (
        date(2011, 9, 5), {FENGTAI: frozenset({two.id})},
    )  # fmt: skip
    assert _panels_before(session, date(2011, 1, 1)) == (
        date(2010, 9, 5), {HAIDIAN: frozenset({one.id})},
    )  # fmt: skip
    with pytest.raises(Forbidden):
        operations.strike_entry(session, make.viewer(session, "office"), entry=late, reason="错")
    operations.strike_entry(session, make.viewer(session, "keeper"), entry=late, reason="登错")
    assert set(_before(session)) == {one.id}
    latest = _panels_before(session, date(2012, 3, 1))
    assert latest is not None and latest[0] == date(2010, 9, 5)
    with pytest.raises(Conflict):
        add(one, "2010年度", date(2010, 9, 5), HAIDIAN)


def test_sanctions_from_a_file(session: Session, place: Organisation) -> None:
    one, two = (expert(session, place, name) for name in ("测试甲", "测试乙"))
    for row in (one, two):
        row.status = "active"
    data = sheet(
        ["测试乙", "取消资格，终身不得入库", "2011-12-01", "", "泄密", "测试办〔2011〕9号"],
        ["测试甲", "暂停资格", "2011-01-01", "2011-12-31", "无故缺席", "测试办〔2011〕1号"],
        ["测试乙", "通报批评", "2011-06-01", "", "迟到", "测试办〔2011〕5号"],
        head=SANCTIONS,
    )
    import_register(session, None, "sanctions", data, "x.csv", dry_run=False)
    found = session.execute(select(Sanction.expert_id, Sanction.kind, Sanction.since)).all()
    assert {tuple(row) for row in found} == {
        (one.id, "suspension", date(2011, 1, 1)),
        (two.id, "bar", date(2011, 12, 1)),
        (two.id, "criticism", date(2011, 6, 1)),
    }
    assert (one.status, two.status) == ("active", "barred"), "a suspension that is over is over"
    again = import_register(session, None, "sanctions", data, "x.csv", dry_run=False)
    assert len(again.repeated) == 3
    more = sheet(
        ["测试乙", "通报批评", "2012-06-01", "", "迟到", "测试办〔2012〕5号"], head=SANCTIONS
    )
    wrong = import_register(session, None, "sanctions", more, "x.csv", dry_run=True)
    assert [(p.row, p.column) for p in wrong.problems] == [(2, "expert")]
    ended = sheet(["测试甲", "bar", "2012-06-01", "2013-01-01", "x", "y"], head=SANCTIONS)
    wrong = import_register(session, None, "sanctions", ended, "x.csv", dry_run=True)
    assert [(p.row, p.column) for p in wrong.problems] == [(2, "until")]
