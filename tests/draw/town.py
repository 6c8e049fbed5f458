"""A round with every register filled, and experts whom no rule excludes, to be changed row by row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.directory.models import Employment, Organisation
from app.domain.draw.eligibility import Verdict, evaluate
from app.draw.facts import Tree, expert_facts, subject_facts
from app.ledger.append import append
from app.programme.models import Guidance, Round
from app.programme.queries import rules_of
from app.registry.models import Expert, Interest
from app.registry.models_registers import (
    TOPICS,
    Contractor,
    CountyHead,
    SupervisingBody,
    TieStatement,
)

from .builders import COUNTY, REVIEW, make_body, make_expert, make_round

EDGE = date(2009, 11, 20)  # three years before the review: the last day that counts
PAST = EDGE - timedelta(days=1)
AT = datetime(2012, 10, 2, tzinfo=UTC)


@dataclass
class Town:
    """A round with every register filled, and a maker of experts whom no rule excludes."""

    session: Session
    round: Round
    bodies: dict[str, Organisation]
    head: CountyHead
    number: int = 0

    def clean(self, body: str = "far", **more: Any) -> Expert:
        self.number += 1
        made = make_expert(self.session, self.number, self.bodies[body], **more)
        self.session.add(
            TieStatement(
                expert_id=made.id, topics=list(TOPICS), text_digest="0" * 64, signed_name="测试",
                signed_on=date(2012, 10, 1), recorded_at=AT,
            )
        )  # fmt: skip
        return made

    def posted(self, body: str, until: date | None, relation: str = "employed") -> Expert:
        made = self.clean()
        self.session.add(
            Employment(
                person_id=made.person_id, organisation_id=self.bodies[body].id, relation=relation,
                since=date(2005, 1, 1), until=until,
            )
        )  # fmt: skip
        return made

    def linked(self, kind: str, status: str = "upheld", **more: Any) -> Expert:
        made = self.clean()
        self.link(made, kind, status, **more)
        return made

    def link(self, made: Expert, kind: str, status: str = "upheld", **more: Any) -> None:
        row = {"region_code": COUNTY, "side": "expert", **more}
        self.session.add(
            Interest(
                expert_id=made.id, kind=kind, status=status, evidence="测试", declared_at=AT, **row
            )
        )

    def given(self, made: Expert, row: Any) -> Expert:
        row.expert_id = made.id
        self.session.add(row)
        return made


@pytest.fixture
def town(session: Session) -> Town:
    round_ = make_round(session)
    county_hall = make_body(session, "测试府谷县人民政府", "government", COUNTY)
    ministry = make_body(session, "测试部", "authority", "110000")
    bodies = {
        "far": make_body(session, "测试研究院", "institute", "420102"),
        "hall": county_hall,
        "bureau": make_body(
            session, "测试府谷县国土局", "authority", COUNTY, parent_id=county_hall.id
        ),
        "firm": make_body(session, "测试县属公司", "company", COUNTY, parent_id=county_hall.id),
        "planner": make_body(session, "测试规划公司", "company", "420102"),
        "watch": make_body(session, "测试督察局", "authority", "110000", parent_id=ministry.id),
        "guide": make_body(session, "测试指导司", "authority", "110000", parent_id=ministry.id),
        "xian": make_body(session, "测试西安院", "institute", "610102"),
        "central": make_body(session, "测试部属西安院", "institute", "610102", central=True),
        "rival": make_body(session, "测试邻县人民政府", "government", "610823"),
        "ministry": ministry,
    }
    dated = {"basis": "测试文件", "recorded_at": AT}
    head = CountyHead(region_code=COUNTY, name="测试县长", post="县长", **dated)
    subject = round_.subjects[0]
    session.add_all([
        head,
        CountyHead(region_code="610823", name="测试邻县长", post="县长", **dated),
        Contractor(
            region_code=COUNTY, organisation_id=bodies["planner"].id, work="编写", **dated,
            since=date(2012, 1, 1),
        ),
        Contractor(region_code="610823", organisation_id=None, work="没有委托", **dated),
        SupervisingBody(organisation_id=bodies["watch"].id, **dated),
        Guidance(
            round_id=round_.id, subject_id=subject.id, organisation_id=bodies["guide"].id,
            basis="测试",
        ),
    ])  # fmt: skip
    session.flush()
    append(session, None, "test.town")
    return Town(session, round_, bodies, head)


def verdicts(town: Town, **overrides: Any) -> dict[str, Verdict]:
    """Expert id -> verdict over both counties, everything read anew from the rows."""
    town.session.flush()
    append(town.session, None, "test.rows")
    town.session.expire_all()
    rules = rules_of(town.round)
    if overrides:
        rules = rules.with_overrides(overrides)
    tree = Tree(town.session)
    facts = expert_facts(town.session, REVIEW, tree=tree)
    counties = subject_facts(town.session, town.round, tree=tree)
    return {key: evaluate(one, counties, rules, REVIEW) for key, one in facts.items()}
