"""Boundary days and places, alternatives, exemption, warnings and what the reasons say."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app.domain.draw.eligibility import evaluate
from app.domain.draw.rules_facts import (
    Participation,
    Residence,
    Sanction,
    Tie,
    region_chain,
)
from app.domain.draw.rules_set import RuleSet
from app.domain.types import Text

from .eligibility_cases import (
    EDGE,
    EXEMPT,
    HOME,
    ON,
    PAST,
    RULES,
    at,
    county,
    expert,
    left,
    post,
    told,
)


@pytest.mark.parametrize(
    ("rank", "start", "blocked"),
    [
        (3, 2012, False),  # senior title alone, by P-02
        (2, 2004, False),  # middle title with eight years
        (2, 2005, True),  # seven years
        (1, 1980, True),  # junior title, however long
    ],
)
def test_title_and_years_are_alternatives(rank: int, start: int, blocked: bool) -> None:
    verdict = evaluate(expert(title_rank=rank, career_start=start), [county()], RULES, ON)
    assert verdict.eligible is not blocked
    assert {f.rule_id for f in verdict.blocks} == ({"P-01", "P-02"} if blocked else set())


def test_without_the_alternative_only_p01_counts() -> None:
    strict = RULES.with_overrides({"rules": {"P-02": {"effect": "off"}}})
    fresh = expert(title_rank=4, career_start=2005)
    assert {f.rule_id for f in evaluate(fresh, [county()], strict, ON).blocks} == {"P-01"}
    assert evaluate(expert(title_rank=4, career_start=2004), [county()], strict, ON).eligible


def test_unknown_years_leave_the_alternatives_undecided() -> None:
    verdict = evaluate(expert(title_rank=2, career_start=None), [county()], RULES, ON)
    assert verdict.eligible and verdict.not_computed == ("P-01", "P-02")
    # The years cannot help a junior title; a senior one does not need them.
    assert not evaluate(expert(title_rank=1, career_start=None), [county()], RULES, ON).eligible
    senior = evaluate(expert(title_rank=3, career_start=None), [county()], RULES, ON)
    assert senior.eligible and senior.not_computed == ()


def test_reason_carries_the_evidence_in_both_languages() -> None:
    past = at(
        "hd-land",
        "hd-gov",
        organisation=Text("海淀区国土分局", "Haidian land branch"),
        since=date(2010, 3, 1),
        until=date(2011, 12, 31),
    )
    (finding,) = evaluate(expert(employments=(HOME, past)), [county()], RULES, ON).blocks
    assert finding.subject_code == "110108"
    assert finding.reason.zh.startswith("2010-03 至 2011-12 任职于海淀区国土分局")
    assert "2009-11-22 至 2012-11-22" in finding.reason.zh
    assert finding.reason.en.startswith("2010-03 to 2011-12 employed by Haidian land branch")
    assert finding.evidence["until"] == "2011-12-31"
    assert finding.evidence["window_first"] == "2009-11-22"


def test_an_unknown_start_or_end_counts_as_open() -> None:
    for since, until in ((None, EDGE), (date(2005, 1, 1), None), (None, None)):
        facts = expert(employments=(HOME, at("hd-gov", since=since, until=until)))
        assert not evaluate(facts, [county()], RULES, ON).eligible
    later = expert(employments=(HOME, at("hd-gov", since=date(2012, 11, 23))))
    assert evaluate(later, [county()], RULES, ON).eligible


def test_window_ends_at_29_february() -> None:
    leap = date(2012, 2, 29)
    inside = expert(employments=left("hd-gov", date(2009, 2, 28)))
    outside = expert(employments=left("hd-gov", date(2009, 2, 27)))
    assert not evaluate(inside, [county()], RULES, leap).eligible
    assert evaluate(outside, [county()], RULES, leap).eligible


@pytest.mark.parametrize(
    ("code", "chain"),
    [
        ("110101", ("110101", "11", "11")),  # a municipality has no prefectures
        ("500229", ("500229", "50", "50")),
        ("411102", ("411102", "4111", "41")),
        ("419001", ("419001", "419001", "41")),  # a county under the province
        ("411100", ("4111", "4111", "41")),  # a prefecture as subject
        ("410000", ("41", "41", "41")),
    ],
)
def test_region_chain(code: str, chain: tuple[str, str, str]) -> None:
    assert region_chain(code) == chain


@pytest.mark.parametrize(
    ("level", "subject", "employer", "blocked"),
    [
        ("province", "110101", "110108", True),
        ("prefecture", "110101", "110108", True),  # the municipality is the prefecture
        ("county", "110101", "110108", False),
        ("county", "110101", "110101", True),
        ("prefecture", "500101", "500229", True),
        ("province", "411102", "410105", True),
        ("prefecture", "411102", "410105", False),
        ("prefecture", "411102", "411103", True),
        (
            "prefecture",
            "411102",
            "410000",
            False,
        ),  # a provincial body is not of the prefecture
        ("province", "411102", "410000", True),
        ("county", "411102", "411103", False),
        ("prefecture", "419001", "419002", False),
        ("county", "411100", "411103", True),
    ],
)
def test_place_levels(level: str, subject: str, employer: str, blocked: bool) -> None:
    rules = RULES.with_overrides({"rules": {"C-09": {"params": {"level": level}}}})
    facts = expert(employments=(post(region_code=employer),))
    assert evaluate(facts, [county(code=subject)], rules, ON).eligible is not blocked


def test_central_employers_are_exempt_only_by_a_recorded_decision() -> None:
    central = expert(employments=(post(region_code="110108", central=True),))
    assert not evaluate(central, [county()], RULES, ON).eligible
    exempt = RULES.with_overrides({"central_exempt": EXEMPT})
    verdict = evaluate(central, [county()], exempt, ON)
    assert verdict.eligible
    (note,) = verdict.notes
    assert note.rule_id == "C-09" and "创建活动办公室" in note.reason.zh
    assert note.evidence["decided_on"] == "2012-10-08"
    local = expert(employments=(post(region_code="110108", central=False),))
    assert not evaluate(local, [county()], exempt, ON).eligible
    same_day = RULES.with_overrides({"central_exempt": EXEMPT | {"on": "2012-11-22"}})
    assert evaluate(central, [county()], same_day, ON).eligible
    late = RULES.with_overrides({"central_exempt": EXEMPT | {"on": "2012-11-23"}})
    assert not evaluate(central, [county()], late, ON).eligible


def test_pending_declaration_says_so() -> None:
    for side in ("self", "county"):
        (finding,) = evaluate(
            expert(declarations=told(side, "pending")), [county()], RULES, ON
        ).blocks
        assert "待决定" in finding.reason.zh and "pending decision" in finding.reason.en
    (note,) = evaluate(
        expert(declarations=told("county", "dismissed")), [county()], RULES, ON
    ).notes
    assert "dismissed" in note.reason.en


@pytest.mark.parametrize(
    ("verified", "due", "warned"),
    [
        (date(2011, 11, 22), None, True),  # twelve months to the day
        (date(2011, 11, 23), None, False),
        (date(2012, 9, 1), date(2012, 11, 21), True),  # deadline of the keeper passed
        (date(2012, 9, 1), ON, False),
        (None, date(2012, 11, 21), True),
    ],
)
def test_verification_due(verified: date | None, due: date | None, warned: bool) -> None:
    verdict = evaluate(expert(last_verified=verified, review_due=due), [county()], RULES, ON)
    assert verdict.eligible
    assert [f.rule_id for f in verdict.warnings] == (["P-08"] if warned else [])


@pytest.mark.parametrize(
    ("first", "warned"), [(date(2011, 11, 22), True), (date(2011, 11, 21), False)]
)
def test_rotation_counts_panels_of_twelve_months(first: date, warned: bool) -> None:
    days = [first, *(date(2012, month, 1) for month in range(2, 7))]
    seats = tuple(
        Participation(round_id="r", subject_codes=("320102",), panel_date=day) for day in days
    )
    verdict = evaluate(expert(participations=seats), [county()], RULES, ON)
    assert verdict.eligible
    assert [f.rule_id for f in verdict.warnings] == (["D-15"] if warned else [])


def test_birthplace_and_residence_warn_only_when_in_use() -> None:
    native = expert(birthplace="110108")
    assert evaluate(native, [county()], RULES, ON).warnings == ()
    rules = RULES.with_overrides({"rules": {"C-11": {"effect": "warn"}}})
    assert [f.rule_id for f in evaluate(native, [county()], rules, ON).warnings] == ["C-11"]

    def stays(*ranges: tuple[date, date | None]) -> tuple[str, ...]:
        homes = tuple(Residence(region_code="110108", since=a, until=b) for a, b in ranges)
        verdict = evaluate(expert(residences=homes), [county()], rules, ON)
        return tuple(f.rule_id for f in verdict.warnings)

    assert stays((date(2007, 11, 23), None)) == ("C-11",)  # the five years that end today
    assert stays((date(2007, 11, 24), None)) == ()
    # overlapping addresses are not counted twice
    assert stays((date(2008, 1, 1), date(2010, 12, 31)), (date(2008, 1, 1), date(2011, 6, 1))) == ()
    assert stays((date(2003, 1, 1), date(2005, 12, 31)), (date(2009, 1, 1), None)) == ("C-11",)


# Beijing notice [2012] 485, part four: which offices of the bureau guide which districts.
GUIDES = {
    "110101": {"bj-general", "bj-enforce"},
    "110108": {"bj-general", "bj-enforce"},
    "110106": {"bj-personnel", "bj-monitor"},
    "110116": {"bj-personnel", "bj-monitor"},
    "110117": {"bj-inspection", "bj-party"},
    "110113": {"bj-inspection", "bj-party"},
}


@pytest.mark.parametrize("office", sorted(set().union(*GUIDES.values())))
def test_guidance_pairs_of_the_beijing_notice(office: str) -> None:
    districts = [
        county(code=code, guided_by=frozenset(offices)) for code, offices in GUIDES.items()
    ]
    rules = RULES.with_overrides({"rules": {"C-09": {"effect": "off"}}})
    official = expert(employments=(at(office, "bj-land", "bj-gov", region_code="110000"),))
    verdict = evaluate(official, districts, rules, ON)
    assert {(f.rule_id, f.subject_code) for f in verdict.blocks} == {
        ("C-14", code) for code, offices in GUIDES.items() if office in offices
    }
    assert len(verdict.blocks) == 2


def test_a_sanction_counts_from_its_first_day() -> None:
    facts = expert(sanctions=(Sanction(kind="warning", since=ON, until=None),))
    assert not evaluate(facts, [county()], RULES, ON).eligible


def test_what_does_not_depend_on_the_subject_is_said_once() -> None:
    subjects = [county(), county(code="110106")]
    facts = expert(roles=("supervisor",), engagements=None, employments=(post(region_code=None),))
    verdict = evaluate(facts, subjects, RULES, ON)
    assert [(f.rule_id, f.subject_code) for f in verdict.blocks] == [("C-06", None)]
    lacks = [(lack.rule_id, lack.subject_code) for lack in verdict.lacks]
    assert lacks == [("C-07", None), ("C-09", None)]
    nobody = evaluate(expert(employments=None), subjects, RULES, ON)
    assert all(lack.subject_code is None for lack in nobody.lacks)
    assert len(nobody.lacks) == len(nobody.not_computed) == 7


def test_ties_warn_within_their_window_and_kinds() -> None:
    def warned(rules: RuleSet, **tie: Any) -> bool:
        facts = expert(ties=(Tie(expert_id="E2", **tie),))
        return bool(evaluate(facts, [county()], rules, ON).warnings)

    assert warned(RULES, kind="coauthor", until=EDGE)
    assert not warned(RULES, kind="coauthor", until=PAST)
    teachers = RULES.with_overrides({"rules": {"C-16": {"params": {"kinds": ["teacher"]}}}})
    assert warned(teachers, kind="teacher")
    assert not warned(teachers, kind="coauthor")
