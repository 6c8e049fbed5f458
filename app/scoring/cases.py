"""Case-file review: one expert's sheets on the sampled case files of a county (S4 二(三)).

The mean of an expert's own case-file sheets is the figure that the main sheet reads (`from_form`).
Every member reviews every sampled file; a file that is not reviewed stops the sheet and the run by
its number, it is never a zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.scoring.formulas import repeated_items
from app.domain.scoring.measures import figured_points, plain
from app.domain.scoring.sheets import RepeatedPoints, repeated_points
from app.domain.types import NotFound, NotNow, Text
from app.draw.models import Seat
from app.panel.models import Sitting
from app.programme.casefiles import CaseState, case_state
from app.programme.instruments import CASEFILE, compiled, pin_for
from app.programme.models import CaseFile, Subject
from app.scoring.models import CaseSheet, Filled

__all__ = ["CASEFILE", "CaseWork", "case_work", "live_sheet", "must_be_reviewed", "rows_beside"]

_NOT_DRAWN = Text(
    "{c}的案卷还没有抽取，评分表不能封存。内容都在；请与创建办公室联系。",
    "The case files of {c} are not sampled yet, so the sheet cannot be sealed. Everything is kept; "
    "ask the office.",
)
_NOT_REVIEWED = Text(
    "以下案卷的评查表还没有封存：{list}。没有封存本表，内容都在。",
    "The sheets of these case files are not sealed yet: {list}. This sheet was not sealed; all is "
    "kept.",
)
_MEAN = Text("本人 {n} 份案卷评查表的平均：{all}", "mean of the own {n} case-file sheets: {all}")
_SO_FAR = Text(
    "案卷评查表已封存 {k}/{n}；全部封存后计算",
    "{k} of {n} case-file sheets sealed; computed when all are",
)
_SAMPLE_OPEN = Text("案卷尚未抽取", "the case files are not sampled yet")


@dataclass(frozen=True, slots=True)
class CaseWork:
    """What one seat has to review for one county: each sampled file with its live sheet."""

    drawn: bool
    kinds: Mapping[str, Text]
    files: tuple[tuple[CaseFile, CaseSheet | None], ...]
    sealed: Mapping[str, CaseSheet]  # case file id -> the sheet that counts

    @property
    def open(self) -> list[CaseFile]:
        return [case for case, _ in self.files if case.id not in self.sealed]


def live_sheet(session: Session, case: CaseFile, seat: Seat) -> CaseSheet | None:
    """The latest revision that is not superseded."""
    return session.scalar(
        select(CaseSheet)
        .where(
            CaseSheet.case_file_id == case.id,
            CaseSheet.seat_id == seat.id,
            CaseSheet.state != "superseded",
        )
        .order_by(CaseSheet.revision.desc())
        .limit(1)
    )


def case_work(session: Session, sitting: Sitting, seat: Seat) -> CaseWork | None:
    """The seat's case files of the sitting's county; None where the round has no case-file form."""
    try:
        state = case_state(session, sitting.subject)
    except NotFound:
        return None
    rows = session.scalars(
        select(CaseSheet)
        .where(CaseSheet.sitting_id == sitting.id, CaseSheet.seat_id == seat.id)
        .order_by(CaseSheet.revision)
    ).all()
    return work_of(state, rows)


def work_of(state: CaseState, rows: Sequence[CaseSheet]) -> CaseWork:
    """A seat's work from the county's case files and the seat's sheets on them, oldest first."""
    live = {row.case_file_id: row for row in rows if row.state != "superseded"}
    sealed = {row.case_file_id: row for row in rows if row.state == "sealed"}
    kinds = {rule["type"]: Text.of(rule["title"]) for rule in state.instrument["repeat"]["sample"]}
    files = tuple((case, live.get(case.id)) for case in state.sampled)
    return CaseWork(state.drawn, kinds, files, sealed)


def work_read(session: Session, sitting: Sitting, seat: Seat) -> CaseWork | None:
    """As `case_work`, but None where the sitting's own form reads no case files."""
    subject = sitting.subject
    round_ = subject.round
    pin = pin_for(round_, sitting.panel.stage, subject.region_class)
    if pin is None or not repeated_items(compiled(round_, subject, pin.form_version)):
        return None
    return case_work(session, sitting, seat)


def must_be_reviewed(session: Session, sheet: Filled) -> None:
    """Conflict naming the case files that a sheet reads and its expert has not sealed."""
    if isinstance(sheet, CaseSheet) or not repeated_items(sheet.instrument):
        return
    work = case_work(session, sheet.sitting, sheet.seat)
    if work is None or not work.drawn:
        raise NotNow(_NOT_DRAWN.format(c=sheet.sitting.subject.name))
    if work.open:
        raise NotNow(_NOT_REVIEWED.format(list=_numbers(work.open)))


def _numbers(files: Sequence[CaseFile]) -> Text:
    return Text("、".join(f.number for f in files), ", ".join(f.number for f in files))


def rows_beside(session: Session, sheet: Filled) -> dict[str, dict[str, Any]]:
    """Item id -> row, as `computed_points` has them, of the items that read the own case files."""
    items = repeated_items(sheet.instrument)
    if isinstance(sheet, CaseSheet) or not items:
        return {}
    return rows_of(sheet.instrument, case_work(session, sheet.sitting, sheet.seat))


def rows_of(instrument: Mapping[str, Any], work: CaseWork | None) -> dict[str, dict[str, Any]]:
    """As `rows_beside`, for a main form's instrument and a seat's work at hand."""
    items = repeated_items(instrument)
    if work is None or not work.drawn:
        return {item["id"]: {"explanation": _SAMPLE_OPEN} for item in items}
    if work.open or not work.files:
        k, n = len(work.sealed), len(work.files)
        return {item["id"]: {"explanation": _SO_FAR.format(k=k, n=n)} for item in items}
    return points_of(instrument, [work.sealed[case.id] for case, _ in work.files])


def points_of(
    instrument: Mapping[str, Any], sheets: Sequence[CaseSheet]
) -> dict[str, dict[str, Any]]:
    """Item id -> row of the items of a main sheet that read these sealed case-file sheets."""
    mean = mean_of(sheets)
    totals = [plain(total) for total in mean.totals]
    how = _MEAN.format(n=len(totals), all=Text("、".join(totals), ", ".join(totals)))
    rows = {}
    for item in repeated_items(instrument):
        figures = {figure["name"]: mean.mean for figure in item["scale"]["figures"]}
        points, _, _ = figured_points(item, figures)
        rows[item["id"]] = {
            "points": points,
            "maximum": item["max"],
            "explanation": how,
            "inputs": [
                {
                    "title": Text.of(figure["title"]),
                    "value": mean.mean,
                    "unit": Text.of(figure["unit"]),
                    "year": None,
                    "source": Text.of(sheets[0].instrument["title"]),
                }
                for figure in item["scale"]["figures"]
            ],
        }
    return rows


def mean_of(sheets: Sequence[CaseSheet]) -> RepeatedPoints:
    """Every total and their mean, half up to 2 places. DomainError without a complete sheet."""
    instrument = sheets[0].instrument if sheets else {}
    return repeated_points(instrument, [sheet.entries for sheet in sheets])


def counting_sheets(
    session: Session, sittings: Sequence[str]
) -> dict[tuple[str, str], dict[str, CaseSheet]]:
    """(sitting, seat) -> case file id -> its sealed sheet, in one query."""
    found: dict[tuple[str, str], dict[str, CaseSheet]] = {}
    for row in session.scalars(
        select(CaseSheet).where(CaseSheet.sitting_id.in_(sittings), CaseSheet.state == "sealed")
    ):
        found.setdefault((row.sitting_id, row.seat_id), {})[row.case_file_id] = row
    return found


def sampled_files(session: Session, subjects: Sequence[Subject]) -> dict[str, list[CaseFile]]:
    """Subject id -> its sampled case files by code, in one query."""
    found: dict[str, list[CaseFile]] = {subject.id: [] for subject in subjects}
    for case in session.scalars(
        select(CaseFile)
        .where(CaseFile.subject_id.in_(list(found)), CaseFile.sampled.is_(True))
        .order_by(CaseFile.code)
    ):
        found[case.subject_id].append(case)
    return found
