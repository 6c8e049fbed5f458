"""What is not known is never passed; the explanation of every rule; pairs; facts refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from app.domain.draw.eligibility import evaluate, explain, pair_conflicts
from app.domain.draw.rules_facts import (
    Kin,
    Tie,
)
from app.domain.types import DomainError, Text

from .eligibility_cases import (
    EDGE,
    HOME,
    ON,
    PAST,
    RULES,
    at,
    county,
    expert,
    post,
    told,
)

LACKING: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("P-03", {"birth_date": None}, {}),
    ("P-08", {"last_verified": None}, {}),
    ("C-01", {}, {"organisation_ids": None}),
    ("C-03", {}, {"contractor_ids": None}),
    ("C-04", {"kin": None}, {}),
    ("C-04", {}, {"leader_ids": None}),
    ("C-05", {"declarations": None}, {}),
    ("C-06", {}, {"supervised_by": None}),
    ("C-07", {"engagements": None}, {}),
    ("C-08", {"disputes": None}, {}),
    ("C-09", {"employments": (post(region_code=None),)}, {}),
    ("C-09", {"employments": (post(until=date(2012, 1, 1)),)}, {}),
    ("C-09", {}, {"code": "ZONE-1"}),
    ("C-14", {}, {"guided_by": None}),
    ("C-15", {}, {"applicant_organisation_ids": None}),
    ("C-16", {"ties": None}, {}),
    ("D-15", {"participations": None}, {}),
    ("D-15", {}, {"previous_round_expert_ids": None}),
    ("D-16", {"unavailable": None}, {}),
]


@pytest.mark.parametrize(("rule_id", "facts", "subject"), LACKING)
def test_missing_data_is_never_a_pass(
    rule_id: str, facts: dict[str, Any], subject: dict[str, Any]
) -> None:
    person, place = expert(**facts), county(**subject)
    verdict = evaluate(person, [place], RULES, ON)
    assert verdict.eligible and rule_id in verdict.not_computed
    (line,) = [e for e in explain(person, [place], RULES, ON) if e.rule_id == rule_id]
    assert line.outcome == "not_computed" and "not computed" in line.reason.en
    strict = RULES.with_overrides({"rules": {rule_id: {"when_missing": "block"}}})
    again = evaluate(person, [place], strict, ON)
    if RULES[rule_id].effect == "block":
        assert {f.rule_id for f in again.blocks} == {rule_id}
    else:
        assert {f.rule_id for f in again.warnings} == {rule_id}


def test_no_employment_history_leaves_all_employer_rules_open() -> None:
    for history in (None, ()):
        verdict = evaluate(expert(employments=history), [county()], RULES, ON)
        assert {"C-01", "C-06", "C-09", "C-14", "C-15"} <= set(verdict.not_computed)


def test_a_known_conflict_blocks_beside_a_lack() -> None:
    kin = expert(kin=(Kin(relation="spouse", other="110108"),))
    verdict = evaluate(kin, [county(leader_ids=None)], RULES, ON)
    assert [f.rule_id for f in verdict.blocks] == ["C-04"]
    assert "C-04" in verdict.not_computed


def test_no_subject_leaves_the_subject_rules_open() -> None:
    verdict = evaluate(expert(), [], RULES, ON)
    assert verdict.eligible
    assert set(verdict.not_computed) >= {"C-01", "C-09", "C-14", "D-16"}
    assert "P-03" not in verdict.not_computed


def test_one_conflict_of_several_subjects_blocks_and_names_it() -> None:
    fengtai = county(
        code="110106",
        name=Text("丰台区", "Fengtai"),
        organisation_ids=frozenset({"ft-gov"}),
        guided_by=frozenset({"bj-personnel"}),
    )
    facts = expert(employments=(HOME, at("bj-personnel", "bj-land")))
    assert evaluate(facts, [county()], RULES, ON).eligible
    (finding,) = evaluate(facts, [county(), fengtai], RULES, ON).blocks
    assert (finding.rule_id, finding.subject_code) == ("C-14", "110106")
    with pytest.raises(DomainError):
        evaluate(facts, [county(), county()], RULES, ON)


def test_explain_lists_every_rule_once() -> None:
    facts = expert(consent=False, ties=(Tie(kind="coauthor", expert_id="E2"),), kin=None)
    lines = explain(facts, [county()], RULES, ON)
    assert [line.rule_id for line in lines] == [rule.id for rule in RULES]
    outcome = {line.rule_id: line.outcome for line in lines}
    assert outcome["P-04"] == "block" and outcome["C-16"] == "warn"
    assert outcome["C-04"] == "not_computed" and outcome["C-11"] == "off"
    assert outcome["P-03"] == "pass" and outcome["C-01"] == "pass"
    # Rules on the panel or the act are never shown as passed by a person.
    for rule in RULES:
        if rule.scope != "person" and rule.effect != "off":
            assert outcome[rule.id] == "not_computed"
    assert all(line.reason.zh and line.reason.en for line in lines)


def test_pairs() -> None:
    experts = [
        expert(expert_id="E1", person_id="N1", kin=(Kin(relation="spouse", other="N2"),)),
        expert(expert_id="E2", person_id="N2", kin=(Kin(relation="spouse", other="N1"),)),
        expert(expert_id="E3", person_id="N3", ties=(Tie(kind="mutual", expert_id="E1"),)),
        expert(
            expert_id="E4",
            person_id="N4",
            ties=(
                Tie(kind="coauthor", expert_id="E2", until=EDGE),
                Tie(kind="coauthor", expert_id="E3", until=PAST),
                Tie(kind="coauthor", expert_id="E9"),
            ),
        ),
    ]
    found = [(p.rule_id, p.first, p.second, p.effect) for p in pair_conflicts(experts, RULES, ON)]
    assert found == [
        ("C-04", "E1", "E2", "block"),
        ("C-16", "E1", "E3", "block"),
        ("C-16", "E2", "E4", "warn"),
    ]
    blood_only = RULES.with_overrides({"rules": {"C-04": {"params": {"relations": ["direct"]}}}})
    assert "C-04" not in {p.rule_id for p in pair_conflicts(experts, blood_only, ON)}
    no_ties = RULES.with_overrides({"rules": {"C-16": {"effect": "off"}}})
    assert {p.rule_id for p in pair_conflicts(experts, no_ties, ON)} == {"C-04"}
    assert pair_conflicts(experts[::-1], RULES, ON) == pair_conflicts(experts, RULES, ON)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: post(relation="employd"),
        lambda: post(chain=("elsewhere",)),
        lambda: post(region_code="1101"),
        lambda: post(since=date(2012, 1, 2), until=date(2012, 1, 1)),
        lambda: Kin(relation="cousin", other="N1"),  # type: ignore[arg-type]
        lambda: told("self", "maybe"),
        lambda: expert(title_rank=5),
        lambda: replace(expert(), kind="other"),  # type: ignore[arg-type]
    ],
)
def test_a_fact_that_no_rule_could_read_is_refused(wrong: Any) -> None:
    with pytest.raises(DomainError):
        wrong()
