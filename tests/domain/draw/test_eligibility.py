"""Each rule on its own: one expert excluded, one who differs in a single fact and may sit."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app.domain.draw.eligibility import CHECKS, evaluate
from app.domain.draw.rules_facts import (
    DateRange,
    Dispute,
    Engagement,
    Kin,
    Sanction,
)

from .eligibility_cases import (
    EDGE,
    HOME,
    ON,
    PAST,
    RULES,
    at,
    county,
    expert,
    held,
    left,
    post,
    told,
)

BJ = post(region_code="110101")
# rule, facts of the excluded expert, facts of the one who may sit, facts of the subject
TABLE: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    (
        "P-03",
        {"birth_date": date(1942, 11, 22)},
        {"birth_date": date(1942, 11, 23)},
        {},
    ),
    ("P-03", {"birth_date": date(1940, 2, 29)}, {"birth_date": date(1944, 2, 29)}, {}),
    ("P-04", {"nomination": False}, {"nomination": True}, {}),
    ("P-04", {"consent": False}, {"consent": True}, {}),
    ("P-05", {"screened_by": ("R1", "R1")}, {"screened_by": ("R1", "R2")}, {}),
    ("P-05", {"screened_by": ("R1", "N0001")}, {"screened_by": ("R1", "N0002")}, {}),
    ("P-05", {"status": "suspended"}, {"status": "active"}, {}),
    (
        "P-07",
        {"sanctions": (Sanction(kind="warning", since=date(2008, 1, 1), until=EDGE),)},
        {"sanctions": (Sanction(kind="warning", since=date(2008, 1, 1), until=PAST),)},
        {},
    ),
    (
        "P-07",  # art. 40(4): never re-admitted, however long ago and whatever end was entered
        {"sanctions": (Sanction(kind="leak", since=date(1999, 1, 1), until=date(2000, 1, 1)),)},
        {"sanctions": (Sanction(kind="warning", since=date(1999, 1, 1), until=date(2000, 1, 1)),)},
        {},
    ),
    (
        "P-07",
        {"sanctions": (Sanction(kind="warning", since=date(2001, 1, 1), until=None),)},
        {"sanctions": (Sanction(kind="warning", since=date(2012, 11, 23), until=None),)},
        {},
    ),
    (
        "P-08",
        {"last_verified": date(2010, 11, 22)},
        {"last_verified": date(2010, 11, 23)},
        {},
    ),
    ("P-09", {"roles": ("keeper",)}, {"roles": ("expert",)}, {}),
    (
        "C-01",
        {"employments": left("hd-gov", EDGE)},
        {"employments": left("hd-gov", PAST)},
        {},
    ),
    (
        "C-01",  # a unit below the county's government, still employed
        {"employments": (HOME, at("hd-land", "hd-gov"))},
        {"employments": (HOME, at("hd-land", "other-gov"))},
        {},
    ),
    (
        "C-02",
        {"employments": held("adviser", "hd-gov", until=EDGE)},
        {"employments": held("adviser", "hd-gov", until=PAST)},
        {},
    ),
    (
        "C-03",
        {"employments": held("shareholder", "plan-co")},
        {"employments": held("shareholder", "other-co")},
        {},
    ),
    (
        "C-03",
        {"employments": held("shareholder", "hd-gov", until=EDGE)},
        {"employments": held("shareholder", "hd-gov", until=PAST)},
        {},
    ),
    (
        "C-04",
        {"kin": (Kin(relation="in_law", other="N0900"),)},
        {"kin": (Kin(relation="in_law", other="N0901"),)},
        {},
    ),
    (
        "C-04",
        {"kin": (Kin(relation="spouse", other="110108"),)},
        {"kin": (Kin(relation="spouse", other="110107"),)},
        {},
    ),
    ("C-04", {"person_id": "N0900"}, {"person_id": "N0901"}, {}),
    (
        "C-05",
        {"declarations": told("self", "upheld")},
        {"declarations": told("self", "dismissed")},
        {},
    ),
    (
        "C-05",
        {"declarations": told("self", "pending")},
        {"declarations": told("self", "pending", "110107")},
        {},
    ),
    ("C-06", {"roles": ("supervisor",)}, {"roles": ()}, {}),
    (
        "C-06",
        {"employments": (HOME, at("audit-bj", until=ON))},
        {"employments": (HOME, at("audit-bj", until=date(2012, 11, 21)))},
        {},
    ),
    (
        "C-07",
        {"engagements": (Engagement(kind="drafting", subject_code="110108", until=EDGE),)},
        {"engagements": (Engagement(kind="drafting", subject_code="110108", until=PAST),)},
        {},
    ),
    (
        "C-07",
        {"engagements": (Engagement(kind="earlier_stage", subject_code="110108"),)},
        {"engagements": (Engagement(kind="earlier_stage", subject_code="110107"),)},
        {},
    ),
    (
        "C-08",
        {"disputes": (Dispute(subject_code="110108", until=EDGE),)},
        {"disputes": (Dispute(subject_code="110108", until=PAST),)},
        {},
    ),
    (
        "C-09",
        {"employments": (BJ,)},
        {"employments": (post(region_code="120101"),)},
        {},
    ),
    (
        "C-12",
        {"declarations": told("county", "pending")},
        {"declarations": told("county", "dismissed")},
        {},
    ),
    (
        "C-14",  # the Beijing notice: the enforcement corps guides Haidian, another office does not
        {"employments": (HOME, at("bj-enforce-2", "bj-enforce", "bj-land"))},
        {"employments": (HOME, at("bj-personnel", "bj-land"))},
        {},
    ),
    (
        "C-14",
        {"employments": left("bj-enforce", EDGE)},
        {"employments": left("bj-enforce", PAST)},
        {},
    ),
    (
        "C-15",
        {"employments": (HOME, at("ft-land", "ft-gov"))},
        {"employments": (HOME, at("sy-land", "sy-gov"))},
        {},
    ),
    ("D-15", {"expert_id": "E0777"}, {"expert_id": "E0778"}, {}),
    (
        "D-16",
        {"unavailable": (DateRange(since=date(2012, 11, 1), until=ON),)},
        {"unavailable": (DateRange(since=date(2012, 11, 1), until=date(2012, 11, 21)),)},
        {},
    ),
    (
        "D-16",
        {"unavailable": (DateRange(since=date(2012, 11, 26), until=date(2012, 11, 30)),)},
        {"unavailable": (DateRange(since=date(2012, 11, 27), until=date(2012, 11, 30)),)},
        {"sitting": (DateRange(since=ON, until=date(2012, 11, 26)),)},
    ),
]


@pytest.mark.parametrize(("rule_id", "out", "stays", "subject"), TABLE)
def test_block_rule(
    rule_id: str, out: dict[str, Any], stays: dict[str, Any], subject: dict[str, Any]
) -> None:
    excluded = evaluate(expert(**out), [county(**subject)], RULES, ON)
    assert {finding.rule_id for finding in excluded.blocks} == {rule_id}
    assert not excluded.eligible
    for finding in excluded.blocks:
        assert finding.reason.zh and finding.reason.en and finding.evidence
        assert "{" not in finding.reason.zh + finding.reason.en
    passing = evaluate(expert(**stays), [county(**subject)], RULES, ON)
    assert passing.eligible, passing.blocks
    assert passing.not_computed == ()


def test_the_table_covers_every_block_rule_on_persons() -> None:
    wanted = {rule.id for rule in RULES if rule.scope == "person" and rule.effect == "block"}
    assert {row[0] for row in TABLE} | {"P-01", "P-02"} == wanted
    assert set(CHECKS) == {rule.id for rule in RULES if rule.scope == "person"}
