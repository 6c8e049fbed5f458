"""The registers behind the recusal rules in the exercise, so that C-03, C-04 and C-06 are computed.

Heads, contractors and the supervising body are invented, like the experts with a link to them; every
expert has stated his ties on paper, so that an empty register means "none" and not "nobody asked".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from app import clock
from app.directory import operations as directory
from app.directory import queries as directory_queries
from app.exercise.crew import Stage
from app.exercise.people import invented_name
from app.exercise.pool import Cases
from app.registry import operations as registry
from app.registry.models import Expert
from app.registry.models_registers import TOPICS

SUPERVISING = "演练虚构监督局"
SURVEYOR = "演练虚构测绘有限公司"
POSTS = ("区长", "分局局长")
BASIS = "演练：虚构名册"
PAPER = "演练：本人签署的关系申报表（虚构）"
WORKED_IN = {"110106": SURVEYOR, "110108": "演练虚构土地整理有限公司"}
FIRST_NAME, FIRST_EXPERT = 800, 980  # numbers of invented names that nobody else has


def fill(
    stage: Stage, *, first_name: int = FIRST_NAME, posts: Sequence[str] = POSTS,
    worked_in: Mapping[str, str] = WORKED_IN,
) -> int:  # fmt: skip
    """Enter everything; how many experts were admitted for it, one for each kind of link. `first_name`
    is the number of the first head's invented name."""
    with stage.write() as session:
        keeper = stage.crew["keeper"]
        for name, kind in ((SUPERVISING, "authority"), (SURVEYOR, "company")):
            directory.create_organisation(
                session, keeper, name=name, kind=kind, region_code="110000", source="演练"
            )
        session.flush()
        cases = Cases(
            session,
            stage.crew,
            clock.today(stage.parts.settings.timezone),
            directory_queries.organisations_by_key(session),
            stage.reserved + FIRST_EXPERT,
        )
        for place, district in stage.each("registers", list(enumerate(stage.districts))):
            for turn, post in enumerate(posts):
                registry.add_head(
                    session, keeper, region_code=district.code, post=post, basis=BASIS,
                    name=invented_name(first_name + len(posts) * place + turn), since=cases.ago(900),
                )  # fmt: skip
            worked = worked_in.get(district.code)
            registry.add_contractor(
                session, keeper, region_code=district.code, basis=BASIS, since=cases.ago(400),
                organisation=cases.body(worked) if worked else None,
                work="申报材料编制" if worked else "没有委托承担单位",
            )  # fmt: skip
        registry.add_supervising_body(
            session, keeper, organisation=cases.body(SUPERVISING), basis=BASIS, since=cases.ago(900)
        )
        cases.admitted(SUPERVISING)  # C-06
        adviser = cases.admitted()
        cases.post(adviser, SURVEYOR, (300, 60), "adviser")  # C-03
        former = cases.admitted()  # C-04: he is one of the heads himself
        registry.add_head(
            session, keeper, region_code=stage.districts[4].code, name=former.person.name, post="副区长（挂职）",
            basis=BASIS, since=cases.ago(200), expert=former,
        )  # fmt: skip
    return 3


def state_ties(stage: Stage) -> int:
    """Every expert's signed paper, entered by the keeper; how many."""
    with stage.write() as session:
        experts = list(session.scalars(select(Expert).order_by(Expert.number)))
        for expert in stage.each("statements on ties", experts):
            registry.state_ties(
                session, stage.crew["keeper"], expert=expert, topics=TOPICS,
                signed_name=expert.person.name, paper=PAPER,
            )  # fmt: skip
    return len(experts)
