"""A small round of any scheme, driven through its operations, with marks that a person can add up.

Every expert gives full marks on everything but one item, the dial: expert n (from 0) takes n steps
off it. With five experts the highest and the lowest are dropped and the mean of the other three is
that of expert 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.aggregation import operations as aggregation
from app.aggregation.models import Run
from app.domain.scoring.sheets import sheet_items
from app.panel.models import Sitting
from app.programme import casefiles
from app.programme import operations as programme
from app.programme import queries as programme_queries
from app.programme.models import Subject
from app.scoring import given
from app.scoring import operations as scoring
from app.scoring.models import GivenMark
from tests.aggregation import builders
from tests.programme.conftest import EXEMPTION, PDF, add_regions

CODES = ("110101", "110108", "110106", "110113", "110117", "110116")
SEATS = 5
Answers = dict[str, Any]
Dial = Callable[[Sitting, int], Answers]


@dataclass
class Small:
    """The round and everybody in it, as tests of runs have them."""

    scored: builders.Scored
    session: Session
    subjects: list[Subject] = field(default_factory=list)

    @property
    def round(self) -> Any:
        return self.scored.round

    def run(self, note: str = "") -> Run:
        return aggregation.run(self.session, self.scored.office, round=self.round, note=note)

    def totals(self) -> list[Decimal | None]:
        """The published totals of a new run, in the order of the counties."""
        scores = self.run().results["scores"]["subjects"]
        rows = [scores[s.region_code]["total"] for s in self.subjects]
        return [None if row is None else Decimal(row) for row in rows]


def small(
    session: Session, make: Any, scheme_id: str, *, counties: int = 1, region_class: str = "",
    facts: Mapping[int, Mapping[str, bool]] | None = None,
) -> Small:  # fmt: skip
    """An open round of a scheme with all forms fixed; every yes/no question answered no but `facts`."""
    people = {r: make.viewer(session, r) for r in ("office", "supervisor", "presenter", "admin")}
    second = make.viewer(session, "office", "second-office")
    office = people["office"]
    add_regions(session)
    programme.load_forms(session, office)
    round_ = programme.create_round(
        session, office, slug="small", scheme_id=scheme_id, title_zh="小型演练",
        title_en="A small drill", kind="drill", review_on=date(2012, 11, 12),
        rule_overrides=EXEMPTION,
    )  # fmt: skip
    programme.pin_latest(session, office, round_)
    asked = dict.fromkeys(programme_queries.facts_asked(round_), False)
    subjects = [
        programme.add_subject(
            session, office, round_, region_code=code, region_class=region_class,
            class_basis="测试认定", facts={**asked, **(facts or {}).get(place, {})},
        )
        for place, code in enumerate(CODES[:counties])
    ]  # fmt: skip
    programme.open_round(session, office, round_)
    experts = [builders.expert(session, make, n) for n in range(1, SEATS + 1)]
    scored = builders.Scored(
        round_, office, second, people["supervisor"], people["presenter"], people["admin"],
        {s.name_zh: s for s in subjects}, experts,
    )  # fmt: skip
    return Small(scored, session, subjects)


def qualify(small: Small) -> None:
    """Every department passes every county."""
    for subject in small.subjects:
        for entry in programme_queries.subject_state(small.session, subject).items:
            programme.record_opinion(
                small.session, small.scored.office, subject, entry.item["id"], "测试审查处",
                "pass", (), reason="未发现", evidence="测试案卷", signer="测试签署人",
            )  # fmt: skip
        programme.conclude_qualification(small.session, small.scored.office, subject)


def figures(small: Small, place: int, values: Mapping[str, str]) -> None:
    """Figures of one county, each entered by one person and confirmed by another."""
    for key, value in values.items():
        row = programme.enter_figure(
            small.session, small.scored.office, small.subjects[place], key, value, "", 2011,
            "测试统计表 第1页",
        )  # fmt: skip
        programme.confirm_figure(small.session, small.scored.second, row)


def document(small: Small, place: int, name: str) -> str:
    """A filed document of a county; its id."""
    return programme.upload_material(
        small.session, small.scored.office, small.subjects[place], PDF + name.encode(), name, ()
    ).id


def give(
    small: Small, place: int, where: str, item: str, fields: Mapping[str, Any],
    *, evidence: str = "测试文号", confirm: bool = True,
) -> GivenMark:  # fmt: skip
    """An entry of the office on one item; confirmed by the second person unless told not to."""
    mark = given.enter_given(
        small.session, small.scored.office, small.subjects[place], place=where, item=item,
        fields=fields, evidence=evidence,
    )  # fmt: skip
    if confirm:
        given.confirm_given(small.session, small.scored.second, mark)
    return mark


def full(instrument: Mapping[str, Any]) -> Answers:
    """Full marks on every item that an expert fills in."""
    made: Answers = {}
    for item in sheet_items(instrument):
        name, scale = item["id"], item["scale"]
        if not item["applies"]:
            continue
        made[f"{name}.reason"] = "测试依据"
        match scale["type"]:
            case "grade" | "points":
                made[f"{name}.mark"] = item["max"]
            case "checklist":
                made[f"{name}.ticks"] = [row["id"] for row in scale["items"]]
            case "deduct":
                made[f"{name}.cases"] = "0"
            case "checklist_deduct":
                made[f"{name}.ticks"] = [row["id"] for row in scale["items"]]
                made[f"{name}.cases"] = "0"
            case "passfail" | "passfail_points":
                made[f"{name}.pass"] = "yes"
            case "bands":
                made[f"{name}.figure.sample_n"] = made[f"{name}.figure.sample_ok"] = "20"
            case other:
                raise AssertionError(other)
    return made


def seal(small: Small, viewer: Any, sheet: Any, answers: Answers) -> Any:
    """Fill in and seal a sheet."""
    scoring.save_draft(
        small.session, viewer, sheet=sheet, changes={**full(sheet.instrument), **answers},
        version=sheet.version,
    )  # fmt: skip
    return scoring.seal(
        small.session, viewer, sheet=sheet, version=sheet.version, signed_name=viewer.name
    )


def sit(
    small: Small, monkeypatch: Any, stage: str, dial: Dial, case_dial: Any = None,
    *, only: tuple[Subject, ...] = (), absent: tuple[int, ...] = (), close: bool = True,
) -> None:  # fmt: skip
    """A panel of five on every county, or `only` some, from its draw to the closed sitting."""
    session, scored = small.session, small.scored

    def fill(
        session: Session, viewer: Any, sitting: Sitting, number: int, shift: Decimal = Decimal(0)
    ) -> None:
        if case_dial is not None:
            for case in casefiles.case_state(session, sitting.subject).sampled:
                row = scoring.start_case_sheet(session, viewer, sitting=sitting, case=case)
                seal(small, viewer, row, case_dial(case, number - 1))
        sheet = scoring.start_sheet(session, viewer, sitting=sitting)
        seal(small, viewer, sheet, dial(sitting, number - 1))

    monkeypatch.setattr(builders, "fill", fill)
    panel = builders._panel(session, scored, stage, scored.experts, only)
    session.refresh(panel)
    for sitting in session.scalars(select(Sitting).where(Sitting.panel_id == panel.id)):
        builders.run_sitting(session, scored, sitting, absent=absent, close=close)


def off(item: str, maximum: str, step: str = "0.5") -> Dial:
    """A dial on a graded item: expert n gives `maximum` less n steps."""
    return lambda _, n: {f"{item}.mark": format(Decimal(maximum) - n * Decimal(step), "f")}
