"""An expert whom no rule touches and a county, to be changed fact by fact.

Everybody and every organisation here is invented.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import yaml

from app.domain.draw.rules_facts import (
    Declaration,
    Employment,
    ExpertFacts,
    SubjectFacts,
)
from app.domain.draw.rules_set import RuleSet
from app.domain.types import Text

ON = date(2012, 11, 22)
EDGE = date(2009, 11, 22)  # exactly three years before: still inside
PAST = date(2009, 11, 21)  # one day earlier: outside
RULES = RuleSet.load(
    yaml.safe_load((Path(__file__).parents[3] / "scoring_forms" / "rules.yaml").read_text("utf-8"))
)
EXEMPT = {
    "decided_by": "创建活动办公室",
    "on": "2012-10-08",
    "reason": {
        "zh": "部属单位面向全国",
        "en": "ministry units serve the whole country",
    },
}


def post(**changes: Any) -> Employment:
    facts: dict[str, Any] = {
        "organisation_id": "zz-univ",
        "organisation": Text("中州测试大学", "Zhongzhou Test University"),
        "chain": ("zz-univ",),
        "employer_root": "zz-univ",
        "region_code": "410105",
        "since": date(2001, 3, 1),
    }
    return Employment(**(facts | changes))


def at(organisation_id: str, *superiors: str, **changes: Any) -> Employment:
    chain = (organisation_id, *superiors)
    return post(organisation_id=organisation_id, chain=chain, **changes)


HOME = post()


def expert(**changes: Any) -> ExpertFacts:
    facts: dict[str, Any] = {
        "expert_id": "E0001",
        "person_id": "N0001",
        "kind": "technical",
        "title_rank": 4,
        "career_start": 1990,
        "birth_date": date(1960, 6, 1),
        "nomination": True,
        "consent": True,
        "screened_by": ("R1", "R2"),
        "status": "active",
        "last_verified": date(2012, 9, 1),
        "employments": (HOME,),
        "birthplace": "410105",
        **dict.fromkeys(
            (
                "kin",
                "ties",
                "engagements",
                "disputes",
                "declarations",
                "residences",
                "unavailable",
                "participations",
            ),
            (),
        ),
    }
    return ExpertFacts(**(facts | changes))


def county(**changes: Any) -> SubjectFacts:
    facts: dict[str, Any] = {
        "code": "110108",
        "name": Text("海淀区", "Haidian"),
        "organisation_ids": frozenset({"hd-gov"}),
        "guided_by": frozenset({"bj-enforce"}),
        "supervised_by": frozenset({"audit-bj"}),
        "contractor_ids": frozenset({"plan-co"}),
        "leader_ids": frozenset({"N0900"}),
        "applicant_organisation_ids": frozenset({"hd-gov", "ft-gov"}),
        "previous_round_expert_ids": frozenset({"E0777"}),
    }
    return SubjectFacts(**(facts | changes))


def held(relation: str, organisation: str, **changes: Any) -> tuple[Employment, ...]:
    return (HOME, at(organisation, relation=relation, **changes))


def told(side: str, decided: str, code: str = "110108") -> tuple[Declaration, ...]:
    return (Declaration(subject_code=code, kind="other", side=side, decided=decided),)  # type: ignore[arg-type]


def left(organisation: str, until: date) -> tuple[Employment, ...]:
    return (HOME, at(organisation, since=date(2008, 1, 1), until=until))
