"""The pool of the exercise: regions, employers, 312 ordinary experts and the special cases.

The ordinary ones arrive in one import file with a screening document; every special case is
nominated, screened by two, admitted, and then given the fact that one rule of the draw reads.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from app import clock
from app.accounts import operations as accounts
from app.accounts.viewer import Viewer
from app.directory import operations as directory
from app.directory import queries as directory_queries
from app.directory.models import Organisation, Person
from app.documents.sheets import Sheet, write_xlsx
from app.exercise.county import BUREAU, DEPARTMENTS, DISTRICTS
from app.exercise.crew import Crew, Stage
from app.exercise.people import (
    INVENTED_EMPLOYERS,
    MINISTRY,
    Invented,
    invented_name,
    invented_phone,
    ordinary,
)
from app.registry import operations as registry
from app.registry.imports import import_experts
from app.registry.models import Expert
from app.registry.operations import Candidate

COLUMNS = (
    "name", "employer", "post", "since", "title", "title_rank", "kind", "discipline",
    "specialties", "source", "career_start", "phone", "birth_date", "nominated_by",
    "consent_at", "verified_on", "note",
)  # fmt: skip
SCREENING = "演练专家筛选纪要〔虚构〕第1号"
NOTE = "演练：虚构人员"
INVENTED = "演练虚构研究院"  # no real employer is said to have staff with a sanction or a dispute


def load_directory(stage: Stage, *, bureau: bool = True) -> None:
    """Regions, employers, the invented ones, and with `bureau` the bureau of the Beijing notice with
    its departments and branches."""
    with stage.write() as session:
        directory.load_regions(session, None)
        directory.load_employers(session, stage.crew["keeper"])
    with stage.write() as session:
        keeper = stage.crew["keeper"]
        known = directory_queries.organisations_by_key(session)
        directory.create_organisation(
            session, keeper, name=INVENTED, kind="institute", region_code="610100", source="演练"
        )
        ministry = directory.create_organisation(
            session, keeper, name=MINISTRY, kind="authority", region_code="110000", central=True,
            source="演练",
        )  # fmt: skip
        for spec in INVENTED_EMPLOYERS:
            directory.create_organisation(
                session, keeper, name=spec.name, kind=spec.kind, source=spec.source,
                parent=ministry if spec.parent else None, region_code=spec.place,
                central=spec.central,
            )  # fmt: skip
        if bureau:
            city = known[directory_queries.organisation_key("北京市人民政府")]
            _bureau(session, keeper, city)


def _bureau(session: Session, keeper: Viewer, city: Organisation) -> None:
    def add(name: str, kind: str, parent: Organisation, region: str) -> Organisation:
        return directory.create_organisation(
            session, keeper, name=name, kind=kind, parent=parent, region_code=region,
            source="京国土调〔2012〕485号" if kind == "authority" else "演练",
        )  # fmt: skip

    bureau = add(BUREAU, "authority", city, "110000")
    for department in DEPARTMENTS:
        add(f"{BUREAU}{department}", "authority", bureau, "110000")
    for district in DISTRICTS:
        short = district.name.removesuffix("区")
        add(f"{BUREAU}{short}分局", "authority", bureau, district.code)
        government = add(f"北京市{district.name}人民政府", "government", city, district.code)
        if district.code == "110108":
            add("演练虚构土地整理有限公司", "company", government, district.code)


def import_ordinary(stage: Stage, people: Sequence[Invented] | None = None) -> int:
    """The import file of the ordinary experts (`people`, or those of the default size), written and
    read as XLSX; how many were entered."""
    day = clock.today(stage.parts.settings.timezone)
    rows = [
        (
            one.name, one.employer, "", one.since, one.title, str(one.title_rank), one.kind,
            one.discipline, "；".join(one.specialties), one.source, str(one.career_start), one.phone,
            one.birth_date, f"演练推荐函第{one.number}号", day - timedelta(days=60),
            day - timedelta(days=20 + one.number % 200), NOTE,
        )
        for one in (ordinary(day) if people is None else people)
    ]  # fmt: skip
    file = io.BytesIO()
    write_xlsx(file, [Sheet("experts", COLUMNS, rows)])
    with stage.write() as session:
        report = import_experts(
            session, stage.crew["keeper"], file.getvalue(), "yanlian-experts.xlsx",
            dry_run=False, screening_document=SCREENING,
        )  # fmt: skip
    return report.created


# ---------- special cases: one for each rule that excludes


@dataclass
class Cases:
    """What the special cases share while they are entered."""

    session: Session
    crew: Crew
    today: date
    bodies: dict[str, Organisation]
    number: int

    def body(self, name: str) -> Organisation:
        return self.bodies[directory_queries.organisation_key(name)]

    def ago(self, days: int) -> date:
        return self.today - timedelta(days=days)

    def nominee(
        self, employer: str = INVENTED, *, person: Person | None = None, **facts: object
    ) -> Expert:
        """A candidate of ordinary standing but for `facts`."""
        self.number += 1
        values: dict[str, object] = {
            "name": person.name if person else invented_name(self.number),
            "organisation": self.body(employer),
            "title": "研究员",
            "title_rank": 4,
            "kind": "technical",
            "discipline": "land",
            "source": "institute",
            "since": self.ago(3000),
            "phone": None if person else invented_phone(self.number),
            "birth_date": None if person else date(self.today.year - 52, 5, 5),
            "career_start": self.today.year - 25,
            "nominated_by": f"演练推荐函第{self.number}号",
            "note": NOTE,
            "consent_on": self.ago(50),
            "verified_on": self.ago(40),
        }
        candidate = Candidate(**{**values, **facts})  # type: ignore[arg-type]
        return registry.nominate(self.session, self.crew["keeper"], candidate, person=person)

    def admitted(
        self, employer: str = INVENTED, *, person: Person | None = None, **facts: object
    ) -> Expert:
        """The same, screened by two keepers and admitted."""
        expert = self.nominee(employer, person=person, **facts)
        for keeper in ("keeper", "keeper2"):
            registry.screen(
                self.session, self.crew[keeper], expert=expert, decision="pass",
                reason="演练：材料齐全，符合入库条件。",
            )  # fmt: skip
        registry.admit(self.session, self.crew["keeper2"], expert=expert)
        return expert

    def post(
        self, expert: Expert, employer: str, days: tuple[int, int | None], relation: str
    ) -> None:
        """A further post, from so many days ago until so many days ago (None: still)."""
        first, last = days
        directory.add_employment(
            self.session, self.crew["keeper"], person=expert.person, organisation=self.body(employer),
            post="演练", relation=relation, since=self.ago(first),
            until=None if last is None else self.ago(last),
        )  # fmt: skip
        self.session.expire(expert.person, ["employments"])

    def interest(
        self, kind: str, code: str, decision: str, *, side: str = "expert",
        actor: Viewer | None = None, organisation: Organisation | None = None,
        employer: str = INVENTED,
    ) -> Expert:  # fmt: skip
        """An admitted expert with a declared interest, decided by the supervisor."""
        expert = self.admitted(employer)
        row = registry.declare_interest(
            self.session, actor or self.crew["keeper"], expert=expert, kind=kind, side=side,
            evidence="演练：虚构的申报材料。", region_code=code, organisation=organisation,
            since=self.ago(500), until=self.ago(30),
        )  # fmt: skip
        if kind == "other" and side != "county":
            registry.propose_interest(
                self.session, self.crew["keeper"], interest=row, decision=decision,
                reason="演练：已核对申报材料。",
            )  # fmt: skip
        registry.decide_interest(
            self.session, self.crew["supervisor"], interest=row, decision=decision,
            reason="演练：经核对申报材料后决定。",
        )  # fmt: skip
        return expert


def _former(employer: str) -> Callable[[Cases], Expert]:
    def make(cases: Cases) -> Expert:
        expert = cases.admitted(since=cases.ago(380))
        cases.post(expert, employer, (2500, 400), "employed")
        return expert

    return make


def _present(employer: str) -> Callable[[Cases], Expert]:
    return lambda cases: cases.admitted(
        employer, source="ministry_unit", title="高级工程师", title_rank=3, since=cases.ago(2000)
    )


def _junior(cases: Cases) -> Expert:
    return cases.admitted(title="助理研究员", title_rank=2, career_start=cases.today.year - 4)


def _suspended(cases: Cases) -> Expert:
    expert = cases.admitted()
    registry.suspend(
        cases.session, cases.crew["keeper"], expert=expert, reason="演练：本人申请暂停。"
    )
    return expert


def _unwilling(cases: Cases) -> Expert:
    expert = cases.nominee(nominated_by="", consent_on=None)
    registry.retire(
        cases.session, cases.crew["keeper"], expert=expert, reason="演练：本人未签署同意书，退出。"
    )
    return expert


def _overdue(cases: Cases) -> Expert:
    expert = cases.admitted(verified_on=cases.ago(900))
    registry.suspend(
        cases.session, cases.crew["keeper"], expert=expert, reason="演练：逾期未核验，暂停。"
    )
    return expert


def _sanctioned(cases: Cases) -> Expert:
    expert = cases.admitted()
    registry.sanction(
        cases.session, cases.crew["supervisor"], expert=expert, kind="suspension",
        reason="演练：迟交评审意见。", decided_by="演练处理决定第1号",
        since=cases.ago(420), until=cases.ago(60),
    )  # fmt: skip
    registry.reinstate(
        cases.session, cases.crew["keeper"], expert=expert, reason="演练：处理期满恢复。"
    )
    return expert


def _barred(cases: Cases) -> Expert:
    expert = cases.admitted()
    registry.sanction(
        cases.session, cases.crew["supervisor"], expert=expert, kind="bar",
        reason="演练：泄露评审情况（虚构）。", decided_by="演练处理决定第2号", since=cases.ago(200),
    )  # fmt: skip
    return expert


def _official(role: str) -> Callable[[Cases], Expert]:
    def make(cases: Cases) -> Expert:
        person = directory.create_person(
            cases.session, cases.crew["keeper"], name=invented_name(cases.number + 51)
        )
        expert = cases.admitted(person=person)
        registry.suspend(
            cases.session, cases.crew["keeper"], expert=expert,
            reason="演练：担任本次活动工作职责期间暂停。",
        )  # fmt: skip
        grantor = "supervisor" if role == "supervisor" else "admin"
        accounts.grant_role(cases.session, cases.crew[grantor], person=person, role=role)
        return expert

    return make


def _adviser(cases: Cases) -> Expert:
    expert = cases.admitted()
    cases.post(expert, "北京市平谷区人民政府", (700, 100), "adviser")
    return expert


def _shareholder(cases: Cases) -> Expert:
    company = cases.body("演练虚构土地整理有限公司")
    return cases.interest("shareholding", "110108", "upheld", organisation=company)


def _away(cases: Cases) -> Expert:
    expert = cases.admitted()
    registry.add_absence(
        cases.session, cases.crew["keeper"], expert=expert, since=cases.ago(1),
        until=cases.ago(-20), reason="演练：出国访问",
    )  # fmt: skip
    return expert


CASES: tuple[tuple[str, Callable[[Cases], Expert]], ...] = (
    ("P-01", _junior),
    ("P-03", lambda c: c.admitted(birth_date=date(c.today.year - 72, 3, 3))),
    ("P-04", _unwilling),
    ("P-05", _suspended),
    ("P-07", _sanctioned),
    ("P-07", _barred),
    ("P-08", _overdue),
    ("P-09", _official("office")),
    ("C-06", _official("supervisor")),
    ("C-01", _former(f"{BUREAU}海淀分局")),
    ("C-01", _former(f"{BUREAU}怀柔分局")),
    ("C-02", _adviser),
    ("C-03", _shareholder),
    ("C-04", lambda c: c.interest("kin", "110106", "upheld")),
    ("C-05", lambda c: c.interest("other", "110113", "upheld")),
    ("C-07", lambda c: c.interest("drafting", "110117", "upheld")),
    ("C-08", lambda c: c.interest("dispute", "110116", "upheld")),
    (
        "C-12",
        lambda c: c.interest(
            "other", "110101", "upheld", side="county", actor=c.crew.presenter("110101")
        ),
    ),
    ("C-14", _former(f"{BUREAU}调控和监测处")),
    ("C-14", _former(f"{BUREAU}执法总队")),
    ("C-09", _present(f"{BUREAU}人事处")),
    ("C-09", _present(f"{BUREAU}顺义分局")),
    ("C-15", _former(f"{BUREAU}丰台分局")),
    ("D-16", _away),
    ("D-16", _away),
)


def add_special_cases(stage: Stage, *, rules: Callable[[str], bool] = lambda rule: True) -> int:
    """Everybody of `CASES` for the rules asked for, a dismissed declaration (he stays eligible), and
    a pair of co-authors."""
    chosen = [make for rule, make in CASES if rules(rule)]
    with stage.write() as session:
        cases = Cases(
            session,
            stage.crew,
            clock.today(stage.parts.settings.timezone),
            directory_queries.organisations_by_key(session),
            stage.reserved + 900,
        )
        for make in chosen:
            make(cases)
        cases.interest("other", "110108", "dismissed")
        first, second = cases.admitted(), cases.admitted()
        row = registry.declare_interest(
            session, stage.crew["keeper"], expert=first, kind="coauthor", side="expert",
            evidence="演练：合著论文一篇（虚构）。", other_expert=second,
        )  # fmt: skip
        registry.decide_interest(
            session, stage.crew["supervisor"], interest=row, decision="upheld",
            reason="演练：确有合著，提示即可。",
        )  # fmt: skip
    return len(chosen) + 3
