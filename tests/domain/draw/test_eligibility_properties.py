"""What must hold for any facts: conflicts only ever exclude, order never matters."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.draw.eligibility import evaluate, explain
from app.domain.draw.rules_facts import (
    DateRange,
    Declaration,
    Dispute,
    Engagement,
    ExpertFacts,
    Kin,
    Participation,
    Sanction,
    SubjectFacts,
    Tie,
)
from app.domain.types import Text

from .eligibility_cases import HOME, ON, RULES, at, county, expert

SUBJECTS = (
    county(),
    county(
        code="110106",
        name=Text("丰台区", "Fengtai"),
        organisation_ids=frozenset({"ft-gov"}),
        guided_by=frozenset({"bj-personnel"}),
        leader_ids=None,
    ),
)
DAYS = st.dates(date(2005, 1, 1), date(2015, 12, 31))
CODES = st.sampled_from(["110108", "110106", "410105"])
ORGANISATIONS = st.sampled_from(
    ["hd-gov", "ft-gov", "bj-enforce", "bj-personnel", "audit-bj", "plan-co", "other"]
)


@st.composite
def periods(draw: st.DrawFn) -> dict[str, date | None]:
    since = draw(st.none() | DAYS)
    if draw(st.booleans()):
        return {"since": since, "until": None}
    return {
        "since": since,
        "until": (since or draw(DAYS)) + timedelta(draw(st.integers(0, 2000))),
    }


def added(name: str, value: Any) -> tuple[str, Any]:
    return name, value


FACTS: st.SearchStrategy[tuple[str, Any]] = st.one_of(
    st.builds(
        lambda org, region, relation, period: added(
            "employments", at(org, region_code=region, relation=relation, **period)
        ),
        ORGANISATIONS,
        st.sampled_from(["110108", "410105", None]),
        st.sampled_from(["employed", "adviser", "shareholder", "director"]),
        periods(),
    ),
    st.builds(
        lambda relation, other: added("kin", Kin(relation=relation, other=other)),
        st.sampled_from(["spouse", "in_law"]),
        st.sampled_from(["110108", "110106", "N0900", "N5"]),
    ),
    st.builds(
        lambda code, kind, period: added(
            "engagements", Engagement(kind=kind, subject_code=code, **period)
        ),
        CODES,
        st.sampled_from(["drafting", "consulting", "earlier_stage"]),
        periods(),
    ),
    st.builds(
        lambda code, period: added("disputes", Dispute(subject_code=code, **period)),
        CODES,
        periods(),
    ),
    st.builds(
        lambda code, side, decided: added(
            "declarations",
            Declaration(subject_code=code, kind="other", side=side, decided=decided),
        ),
        CODES,
        st.sampled_from(["self", "county"]),
        st.sampled_from(["upheld", "pending", "dismissed"]),
    ),
    st.builds(
        lambda kind, day, length: added(
            "sanctions",
            Sanction(kind=kind, since=day, until=None if length is None else day + length),
        ),
        st.sampled_from(["warning", "leak"]),
        DAYS,
        st.none() | st.timedeltas(timedelta(0), timedelta(2000)),
    ),
    st.builds(
        lambda day, days: added("unavailable", DateRange(since=day, until=day + timedelta(days))),
        DAYS,
        st.integers(0, 60),
    ),
    st.sampled_from(["keeper", "supervisor", "presenter", "expert"]).map(
        lambda role: added("roles", role)
    ),
    st.sampled_from(["coauthor", "mutual"]).map(
        lambda kind: added("ties", Tie(kind=kind, expert_id="E9"))  # type: ignore[arg-type]
    ),
    DAYS.map(
        lambda day: added(
            "participations",
            Participation(round_id="r", subject_codes=("110108",), panel_date=day),
        )
    ),
)


def with_facts(base: ExpertFacts, facts: list[tuple[str, Any]]) -> ExpertFacts:
    for name, value in facts:
        base = replace(base, **{name: (*(getattr(base, name) or ()), value)})
    return base


@settings(max_examples=300, deadline=None)
@given(st.lists(FACTS, max_size=6), FACTS)
def test_one_more_fact_against_never_helps(
    facts: list[tuple[str, Any]], more: tuple[str, Any]
) -> None:
    before = evaluate(with_facts(expert(), facts), SUBJECTS, RULES, ON)
    after = evaluate(with_facts(expert(), [*facts, more]), SUBJECTS, RULES, ON)
    gone = {(f.rule_id, f.subject_code) for f in before.blocks} - {
        (f.rule_id, f.subject_code) for f in after.blocks
    }
    assert not gone
    assert before.eligible or not after.eligible


CONFLICTS: st.SearchStrategy[tuple[str, Any]] = st.sampled_from(
    [
        ("employments", at("hd-land", "hd-gov")),
        ("employments", at("bj-enforce")),
        ("employments", at("ft-gov")),
        ("employments", at("x", region_code="110105")),
        ("kin", Kin(relation="spouse", other="110106")),
        ("disputes", Dispute(subject_code="110108")),
        ("sanctions", Sanction(kind="fraud", since=date(1999, 1, 1))),
        (
            "declarations",
            Declaration(subject_code="110108", kind="other", side="county", decided="pending"),
        ),
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(FACTS, max_size=6), CONFLICTS)
def test_an_expert_with_a_conflict_is_never_eligible(
    facts: list[tuple[str, Any]], conflict: tuple[str, Any]
) -> None:
    assert not evaluate(with_facts(expert(), [*facts, conflict]), SUBJECTS, RULES, ON).eligible


@settings(max_examples=200, deadline=None)
@given(st.lists(FACTS, max_size=8).flatmap(lambda f: st.tuples(st.just(f), st.permutations(f))))
def test_order_of_facts_and_subjects_never_matters(
    lists: tuple[list[tuple[str, Any]], list[tuple[str, Any]]],
) -> None:
    facts, permuted = lists
    one, other = with_facts(expert(), facts), with_facts(expert(), permuted)
    backwards = replace(other, employments=(other.employments or ())[::-1])
    assert evaluate(one, SUBJECTS, RULES, ON) == evaluate(backwards, SUBJECTS[::-1], RULES, ON)
    assert explain(one, SUBJECTS, RULES, ON) == explain(backwards, SUBJECTS[::-1], RULES, ON)


@settings(max_examples=200, deadline=None)
@given(st.lists(FACTS, max_size=6))
def test_verdict_and_explanation_agree(facts: list[tuple[str, Any]]) -> None:
    person = with_facts(expert(), facts)
    verdict = evaluate(person, SUBJECTS, RULES, ON)
    lines = explain(person, SUBJECTS, RULES, ON)
    blocked = {line.rule_id for line in lines if line.outcome == "block"}
    assert blocked == {finding.rule_id for finding in verdict.blocks}
    persons = {rule.id for rule in RULES if rule.scope == "person"}
    lacking = {line.rule_id for line in lines if line.lacks}
    assert lacking == set(verdict.not_computed) and lacking <= persons


@settings(max_examples=100, deadline=None)
@given(st.sets(ORGANISATIONS, min_size=1), ORGANISATIONS)
def test_a_wider_subject_never_helps(tree: set[str], more: str) -> None:
    person = expert(employments=(HOME, at("ft-gov"), at("plan-co", relation="shareholder")))

    def judged(organisations: set[str]) -> bool:
        subject: SubjectFacts = county(organisation_ids=frozenset(organisations))
        return evaluate(person, [subject], RULES, ON).eligible

    assert judged(tree) or not judged(tree | {more})
