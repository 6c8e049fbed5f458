"""Qualification: signed opinions decide; the figures only inform."""

from __future__ import annotations

import pytest

from app.domain.types import Conflict, DomainError, Forbidden
from app.home.waits import waits
from app.programme import operations, queries


def veto_figures(session, people, subject, mu, ratio):
    for key, value in (("illegal_arable_mu", mu), ("illegal_arable_ratio", ratio)):
        operations.enter_figure(
            session, people["office"], subject, key, value, "", 2011, "卫片执法"
        )


def state_of(session, subject, item):
    found = queries.subject_state(session, subject)
    return next(entry for entry in found.items if entry.item["id"] == item)


def give(session, people, subject, item="Q01", verdict="pass", vetoes=(), **more):
    given = {"reason": "", "evidence": "", "signer": "测试签署人"} | more
    return operations.record_opinion(
        session, people["office"], subject, item, "测试部门", verdict, vetoes, **given
    )


def confirm(session, people, subject, item):
    return operations.confirm_opinion(session, people["second"], subject, item)


def pass_all(session, people, subject):
    for entry in queries.subject_state(session, subject).items:
        give(session, people, subject, entry.item["id"])


def test_national_veto_needs_both_limits(session, people, opened, districts):
    """120 mu and 8 %: not struck nationally (AND, 10 %); Jiangsu's OR would strike."""
    haidian = districts["海淀区"]
    (finding,) = state_of(session, haidian, "Q03").findings
    assert (finding.state, finding.missing) == ("missing", "illegal_arable_mu")
    veto_figures(session, people, haidian, "120", "0.08")
    (finding,) = state_of(session, haidian, "Q03").findings
    assert finding.state == "clear"
    assert "≥ 100（含）" in finding.rule.zh and " 且 " in finding.rule.zh
    veto_figures(session, people, haidian, "100", "0.10")
    assert state_of(session, haidian, "Q03").struck == ("V1",)  # both limits inclusive
    veto_figures(session, people, haidian, "99.99", "0.10")
    assert state_of(session, haidian, "Q03").struck == ()


def test_a_computed_veto_never_acts_by_itself(session, people, opened, districts):
    haidian = districts["海淀区"]
    veto_figures(session, people, haidian, "150", "0.2")
    with pytest.raises(DomainError) as caught:
        give(session, people, haidian, "Q03")
    assert caught.value.field == "reason" and "V1" in caught.value.text.zh
    for entry in queries.subject_state(session, haidian).items:
        give(session, people, haidian, entry.item["id"], reason="复核后面积有误")
    assert operations.conclude_qualification(session, people["office"], haidian) == "qualified"
    assert haidian.status == "qualified"


def test_a_signed_veto_vetoes(session, people, opened, districts):
    haidian = districts["海淀区"]
    pass_all(session, people, haidian)
    for change, field in (
        ({"vetoes": ()}, "vetoes"),
        ({"vetoes": ("V2",)}, "vetoes"),  # the arable department does not judge mining
        ({"vetoes": ("V1",)}, "reason"),
        ({"vetoes": ("V1",), "reason": "违法占用"}, "evidence"),
        ({"vetoes": ("V1",), "reason": "违法占用", "evidence": "案卷", "signer": ""}, "signer"),
    ):
        with pytest.raises(DomainError) as caught:
            give(session, people, haidian, "Q03", "veto", **change)
        assert caught.value.field == field
    opinion = give(
        session, people, haidian, "Q03", "veto", ("V1",), reason="违法占用", evidence="案卷"
    )
    assert (opinion.verdict, opinion.vetoes, opinion.signer) == ("veto", ["V1"], "测试签署人")
    confirm(session, people, haidian, "Q03")
    assert operations.conclude_qualification(session, people["office"], haidian) == "vetoed"
    for attempt in (
        lambda: give(session, people, haidian, "Q03"),
        lambda: operations.conclude_qualification(session, people["office"], haidian),
    ):
        with pytest.raises(Conflict):
            attempt()
    assert haidian not in queries.in_running(opened)
    assert all(entry.subject is not haidian for entry in queries.missing_figures(session, opened))


def test_a_failed_check_without_numbered_veto_vetoes_too(session, people, opened, districts):
    haidian = districts["海淀区"]
    pass_all(session, people, haidian)
    with pytest.raises(DomainError):
        give(session, people, haidian, "Q01", "veto", ("V1",), reason="r", evidence="e")
    give(session, people, haidian, "Q01", "veto", reason="材料不实", evidence="核查报告")
    confirm(session, people, haidian, "Q01")
    assert operations.conclude_qualification(session, people["office"], haidian) == "vetoed"


def test_a_veto_of_one_clerk_alone_concludes_nothing(session, people, opened, districts):
    """Who typed it cannot confirm it, a correction has to be confirmed again, and home says what waits."""
    haidian = districts["海淀区"]
    pass_all(session, people, haidian)
    told = {"reason": "材料不实", "evidence": "核查报告"}
    give(session, people, haidian, "Q01", "veto", **told)

    def waiting(who):
        return [w.n for w in waits(session, people[who]) if "否决意见待第二人" in w.what.zh]

    def refused():
        with pytest.raises(Conflict) as caught:
            operations.conclude_qualification(session, people["office"], haidian)
        return "Q01" in caught.value.text.zh and haidian.status == "declared"

    assert refused() and waiting("second") == [1] and waiting("office") == []
    with pytest.raises(Forbidden):
        operations.confirm_opinion(session, people["office"], haidian, "Q01")
    with pytest.raises(Forbidden):
        operations.confirm_opinion(session, people["supervisor"], haidian, "Q01")
    for nothing in ("Q02", "Q99"):  # a pass, and no item at all
        with pytest.raises(Conflict):
            operations.confirm_opinion(session, people["second"], haidian, nothing)
    confirm(session, people, haidian, "Q01")
    give(session, people, haidian, "Q01", "veto", **told | {"reason": "另有不实"})
    assert refused()
    first = confirm(session, people, haidian, "Q01")
    assert first.confirmed_by == people["second"].id and waiting("second") == []
    assert operations.conclude_qualification(session, people["office"], haidian) == "vetoed"


def test_missing_opinions_are_named(session, people, opened, districts):
    haidian = districts["海淀区"]
    items = [e.item["id"] for e in queries.subject_state(session, haidian).items]
    assert items[:5] == ["Q01", "Q02", "Q03", "Q04", "Q05"]
    for item in items:
        if item not in ("Q02", "Q05"):
            give(session, people, haidian, item)
    with pytest.raises(Conflict) as caught:
        operations.conclude_qualification(session, people["office"], haidian)
    assert "Q02" in caught.value.text.zh and "Q05" in caught.value.text.en
    assert "Q01" not in caught.value.text.zh and haidian.status == "declared"
    states = {s.subject.name_zh: s for s in queries.qualification_state(session, opened)}
    assert [e.item["id"] for e in states["海淀区"].missing] == ["Q02", "Q05"]
    assert len(states) == 6 and len(states["东城区"].missing) == len(items)


def test_an_opinion_can_be_corrected_until_the_conclusion(session, people, opened, districts):
    haidian = districts["海淀区"]
    first = give(session, people, haidian, "Q01", "veto", reason="不实", evidence="报告")
    second = give(session, people, haidian, "Q01", reason="已更正")
    assert first.id == second.id and second.verdict == "pass" and second.reason == "已更正"
    for item, verdict in (("Q99", "pass"), ("Q01", "maybe")):
        with pytest.raises(DomainError):
            give(session, people, haidian, item, verdict)


def test_only_the_office_and_only_in_an_open_round(session, people, round_, districts):
    with pytest.raises(Conflict):
        give(session, people, districts["海淀区"])
    operations.open_round(session, people["office"], round_)
    with pytest.raises(Forbidden):
        operations.record_opinion(
            session, people["supervisor"], districts["海淀区"], "Q01", "部门", "pass"
        )
    with pytest.raises(Forbidden):
        operations.conclude_qualification(session, people["supervisor"], districts["海淀区"])
