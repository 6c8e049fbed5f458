"""Changing a round's rules: with a reason, never below the law, and never under a commitment."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.db import Base
from app.domain.draw.rules_binding import BINDING
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, Text
from app.draw import operations, rule_sets, rule_words
from app.draw.models import Draw
from app.draw.models_rules import RuleChange
from app.ledger.models import Event
from app.programme.models import Round
from app.programme.queries import rules_of
from app.programme.scheme import standard_rules

from .builders import Staff, make_pool, make_round, request


def change(session: Session, actor: Any, round_: Round, rule: str, **new: Any) -> RuleChange:
    old = rules_of(round_)[rule]
    given = {
        "effect": old.effect, "params": old.params, "when_missing": old.when_missing,
        "reason": "测试理由", **new,
    }  # fmt: skip
    return rule_sets.change_rule(session, actor, round_, rule, **given)


def test_a_change_names_its_reason_and_both_digests(session: Session, staff: Staff) -> None:
    round_ = make_round(session)
    before = round_.rules_digest
    row = change(session, staff.office, round_, "C-09", params={"years": 0, "level": "prefecture"})
    assert rules_of(round_)["C-09"].params["level"] == "prefecture"
    assert (row.number, row.before_digest, row.after_digest) == (1, before, round_.rules_digest)
    assert rules_of(round_).digest() == round_.rules_digest != before
    last = session.scalars(select(Event).order_by(Event.seq.desc())).first()
    assert last is not None
    entry = json.loads(last.payload)
    assert entry["kind"] == "round.rules" and entry["data"]["rule"] == "C-09"
    assert (entry["data"]["before"], entry["data"]["after"]) == (before, round_.rules_digest)
    known = rule_sets.rules_under(session, round_, before)
    assert known is not None and known["C-09"].params["level"] == "province"
    assert rule_sets.rules_under(session, round_, "0" * 64) is None
    with pytest.raises(DomainError, match="没有任何改动"):
        change(session, staff.office, round_, "C-09")
    with pytest.raises(DomainError):
        change(session, staff.office, round_, "C-11", effect="warn", reason=" ")


@pytest.mark.parametrize("rule", sorted(BINDING))
def test_what_a_law_demands_cannot_be_switched_off(
    session: Session, staff: Staff, rule: str
) -> None:
    round_ = make_round(session)
    for effect in ("off", "warn", "info"):
        with pytest.raises(DomainError) as refusal:
            change(session, staff.office, round_, rule, effect=effect)
        assert refusal.value.field == "effect" and rule in refusal.value.text.en
    assert round_.rules_digest == standard_rules().digest()


@pytest.mark.parametrize(
    ("rule", "name", "weaker"),
    [
        ("C-01", "years", 2), ("C-04", "relations", ["spouse"]), ("D-03", "size", 3),
        ("D-03", "odd", False), ("D-04", "numerator", 1), ("D-19", "years", 10),
        ("P-07", "permanent_kinds", ["fraud"]), ("P-09", "roles", ["keeper"]),
        ("D-10", "causes", ["recusal", "taste"]),
    ],
)  # fmt: skip
def test_a_parameter_of_a_law_is_not_weakened(
    session: Session, staff: Staff, rule: str, name: str, weaker: Any
) -> None:
    round_ = make_round(session)
    params = {**rules_of(round_)[rule].params, name: weaker}
    with pytest.raises(DomainError) as refusal:
        change(session, staff.office, round_, rule, params=params)
    assert refusal.value.field == f"param_{name}"


def test_a_stricter_law_and_a_practice_may_change(session: Session, staff: Staff) -> None:
    round_ = make_round(session)
    keeper_rule = change(session, staff.office, round_, "C-01", params={"years": 5})
    assert keeper_rule.number == 1
    assert change(session, staff.office, round_, "C-16", effect="off").number == 2
    change(session, staff.office, round_, "P-03", when_missing="block")
    assert rules_of(round_)["P-03"].when_missing == "block"


def test_a_committed_draw_keeps_its_rules(session: Session, staff: Staff) -> None:
    make_pool(session)
    round_ = make_round(session)
    draw = request(session, staff, round_)
    operations.commit_draw(session, staff.office, draw)
    held = draw.commitment["rule_set"]
    frozen = json.dumps(draw.commitment, sort_keys=True)
    assert held == round_.rules_digest
    change(session, staff.office, round_, "C-09", params={"years": 3, "level": "county"})
    session.expire_all()
    again = session.get_one(Draw, draw.id)
    assert json.dumps(again.commitment, sort_keys=True) == frozen
    ((row, digest),) = rule_sets.committed_under(session, staff.supervisor, round_)
    assert (row.id, digest) == (draw.id, held) and digest != round_.rules_digest
    under = rule_sets.rules_under(session, round_, digest)
    assert under is not None and under["C-09"].params == {"level": "province", "years": 0}


def test_who_and_when(session: Session, staff: Staff, make: Any) -> None:
    round_ = make_round(session)
    for role in ("supervisor", "admin", "expert", "presenter"):
        with pytest.raises(Forbidden):
            change(session, make.viewer(session, role), round_, "C-16", effect="off")
    assert change(session, make.viewer(session, "keeper"), round_, "C-16", effect="off")
    with pytest.raises(NotFound):
        rule_sets.rule_named(round_, "X-01")
    round_.phase = "closed"
    with pytest.raises(Conflict):
        change(session, staff.office, round_, "C-11", effect="warn")
    round_.phase = "open"


def test_the_exemption_is_a_decision_that_can_end(session: Session, staff: Staff) -> None:
    round_ = make_round(session)
    said = {"decided_by": "测试办公室", "reason_zh": "面向全国", "reason_en": "serves the country"}
    rule_sets.set_exemption(session, staff.office, round_, on=date(2012, 10, 8), **said)
    exempt = rules_of(round_).central_exempt
    assert exempt is not None and (exempt.decided_by, exempt.on) == (
        "测试办公室",
        date(2012, 10, 8),
    )
    rule_sets.end_exemption(session, staff.office, round_, reason="决定撤销")
    assert rules_of(round_).central_exempt is None
    assert [c.rule_id for c in rule_sets.changes(session, staff.office, round_)] == [
        "central_exempt", "central_exempt",
    ]  # fmt: skip


def test_counts_of_private_rules_are_the_supervisors(session: Session, staff: Staff) -> None:
    from .test_draw_facts import interest

    experts = make_pool(session, 12)
    interest(session, experts[0], "dispute", "upheld")
    round_ = make_round(session)
    told = {
        v.role: {s.rule.id: s for s in rule_sets.standings(session, v, round_)[0]}["C-08"]
        for v in (staff.office, staff.supervisor)
    }
    assert told["office"].excluded == "<5" and told["supervisor"].excluded == 1
    assert (told["office"].judged, told["office"].not_computed) == ("<5", ">7")
    assert (told["supervisor"].judged, told["supervisor"].not_computed) == (1, 11)


def test_the_page_shows_every_rule_and_changes_one(client_as: Any, app: Any) -> None:
    with app.extensions["mingjian.db"].write() as session:
        make_pool(session, 6)
        make_round(session)
    office, supervisor = client_as("office"), client_as("supervisor")
    page = supervisor.get("/r/r1/rules").get_data(as_text=True)
    for rule in standard_rules():
        assert f">{rule.id}</a>" in page and rule.title.zh in page
    assert "未计算 6 人" in page and "法定，不能停用" in page
    assert supervisor.post("/r/r1/rules/C-16").status_code == 403
    assert office.get("/r/r1/rules/X-99").status_code == 404
    form = {
        "effect": "off", "when_missing": "report", "reason": "本届不用", "param_years": "3",
        "param_kinds": "coauthor, teacher", "param_apart": "",
    }  # fmt: skip
    missing = office.post("/r/r1/rules/C-16", data={**form, "reason": ""})
    assert missing.status_code == 422 and "coauthor, teacher" in missing.text
    bad = office.post("/r/r1/rules/C-16", data={**form, "param_years": "三"})
    assert bad.status_code == 422 and "请填写整数" in bad.text
    assert office.post("/r/r1/rules/C-16", data=form).status_code == 302
    law = office.post("/r/r1/rules/D-17", data={**form, "effect": "off"})
    assert law.status_code == 422 and "不能改为提示或停用" in law.text
    with app.extensions["mingjian.db"].read() as session:
        round_ = session.scalars(select(Round)).one()
        rule = rules_of(round_)["C-16"]
        assert (rule.effect, rule.params["kinds"]) == ("off", ["coauthor", "teacher"])
    assert "本届不用" in office.get("/r/r1/rules").text
    office.post("/language", data={"lang": "en", "next": "/"})
    english = office.get("/r/r1/rules").get_data(as_text=True)
    assert "not computed for 6" in english and "by law, cannot be off" in english


def test_what_no_register_holds_is_said_not_to_be_computed(client_as: Any, app: Any) -> None:
    """A-01 and A-02 rest on performance records, which are on paper: the page says so, on or off."""
    registers = {t.name for t in Base.metadata.tables.values() if "expert_id" in t.columns}
    assert "sanction" in registers and not {n for n in registers if "duty" in n or "perform" in n}
    rules = standard_rules()
    assert {r.id for r in rules if r.id in rule_sets.UNKEPT} == {"A-01", "A-02"}
    assert not any(rules[key].computed for key in rule_sets.UNKEPT)
    with app.extensions["mingjian.db"].write() as session:
        make_pool(session, 6)
        round_ = make_round(session)
        viewer = Viewer("x", "x", "x", "office")
        by_id = {row.rule.id: row for row in rule_sets.standings(session, viewer, round_)[0]}
        assert by_id["A-03"].unkept is None and by_id["S-05"].unkept is None
    office = client_as("office")

    def shown(rule: str) -> str:
        page = office.get("/r/r1/rules").get_data(as_text=True)
        row = page[page.index(f">{rule}</a>") :]
        return row[: row.index("</tr>")]

    assert "未计算" in shown("A-01") and "履职评价表在线下填写" in shown("A-01")
    assert "未启用" in shown("A-02") and "未计算" in shown("A-02")
    assert "未计算" not in shown("A-03") and "落实于" in shown("A-03")
    change = {
        "effect": "info", "when_missing": "report", "reason": "测试启用", "param_years": "2",
        "param_reviews": "10", "param_senior_mark": "90", "param_removal_mark": "60",
    }  # fmt: skip
    assert office.post("/r/r1/rules/A-02", data=change).status_code == 302
    assert "未启用" not in shown("A-02") and "履职成绩的登记" in shown("A-02")
    assert "不会据此提示或除名任何人" in office.get("/r/r1/rules/A-02").text
    office.post("/language", data={"lang": "en", "next": "/"})
    assert "not computed" in shown("A-01") and "filled in on paper" in shown("A-01")


def test_parameters_are_said_in_words_and_stay_codes_in_their_field(
    client_as: Any, app: Any
) -> None:
    with app.extensions["mingjian.db"].write() as session:
        make_pool(session, 6)
        make_round(session)
    office, supervisor = client_as("office"), client_as("supervisor")
    page = office.get("/r/r1/rules").text
    assert "配偶、直系血亲、三代以内旁系血亲、近姻亲" in page and "in_law" not in page
    assert "须有同意书：是" in page and "同一省（区、市）" in page
    one = office.get("/r/r1/rules/C-04").text
    assert "须包含 配偶、直系血亲、三代以内旁系血亲、近姻亲" in one
    assert 'value="spouse, direct, collateral, in_law"' in one and "in_law：近姻亲" in one
    assert "单数：固定为 是" in office.get("/r/r1/rules/D-03").text
    assert "in_law" not in supervisor.get("/r/r1/rules/C-04").text
    supervisor.post("/language", data={"lang": "en", "next": "/"})
    english = supervisor.get("/r/r1/rules").text
    assert "close in-law" in english and "in_law" not in english


def test_every_code_of_a_rule_has_words() -> None:
    """Of the standard rules and of what the law keeps; a code without words is found."""
    for rule in standard_rules():
        for name, value in rule.params.items():
            text = rule_words.said(name, value)
            assert text is None or not re.search(r"[a-z]{2}", text.zh), (rule.id, name, text)
    for rule_id, floors in BINDING.items():
        for name, (_, kept) in floors.items():
            said = rule_words.floor(name, kept)
            assert not re.search(r"[A-Za-z]{2}", said.zh), (rule_id, name, said)
    assert rule_words.said("kinds", ["unheard_of"]) == Text("unheard_of", "unheard_of")
    assert rule_words.known("years", 3) is None


def test_a_large_round_counts_when_asked(client_as: Any, app: Any, monkeypatch: Any) -> None:
    with app.extensions["mingjian.db"].write() as session:
        make_pool(session, 6)
        make_round(session)
    office = client_as("office")
    assert "现在统计" not in office.get("/r/r1/rules").text
    monkeypatch.setattr(rule_sets, "AT_ONCE", 5)
    page = office.get("/r/r1/rules").text
    assert "现在统计" in page and "尚未统计" in page and "已计算" not in page
    asked = office.get("/r/r1/rules?count=1").text
    assert "现在统计" not in asked and "尚未统计" not in asked and "已计算 6 人" in asked
