"""What a run takes from others than experts, and from the experts' case files.

Missing or unconfirmed things stop the run by name; only a bonus that nobody claimed is none. A
confirmed veto on a sheet (a self-check, S3 二) is a gate like one at the qualification check.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from app.aggregation.wording import AGGREGATE
from app.domain.scoring.formulas import repeated_items
from app.domain.scoring.measures import plain
from app.domain.scoring.schema import SCORERS
from app.domain.types import NotNow, Text
from app.programme.casefiles import case_states
from app.programme.instruments import BONUS
from app.programme.models import Round, Subject
from app.scoring import cases
from app.scoring.given import GivenItem, documents_of, given_of
from app.scoring.models import Sheet

_LACKING = Text(
    "还不能汇总，以下非专家评定的项目没有登记：{list}。没有任何改动。",
    "It cannot be computed yet; these items, which no expert scores, are not entered: {list}. "
    "Nothing was changed.",
)
_UNCONFIRMED = Text(
    "还不能汇总，以下登记尚未由第二人确认：{list}。没有任何改动。",
    "It cannot be computed yet; these entries are not confirmed by a second person: {list}. Nothing "
    "was changed.",
)
_WHERE = Text("{c} {i} {t}", "{c} {i} {t}")
_NO_SAMPLE = Text(
    "还不能汇总：{c}的案卷还没有抽取。没有任何改动。",
    "It cannot be computed yet: the case files of {c} are not sampled. Nothing was changed.",
)
_NOT_REVIEWED = Text(
    "还不能汇总：{c} {s} 席位 {n} 缺以下案卷的评查表：{list}。没有任何改动。",
    "It cannot be computed yet: {c}, {s}, seat {n} lacks the sheets of these case files: {list}. "
    "Nothing was changed.",
)
_STRUCK = Text("{v}：{r}（依据：{e}）。", "{v}: {r} (evidence: {e}).")
_GIVEN_BY = Text("{s}评定：{how}", "given by {s}: {how}")


def _listed(names: Sequence[Text]) -> Text:
    return Text("、".join(n.zh for n in names), ", ".join(n.en for n in names))


class Given:
    """The entries of the round that no expert makes, for the counties in the running."""

    def __init__(
        self, session: Session, round_: Round, *, stages: Sequence[str], running: Sequence[Subject]
    ) -> None:
        self._rows = given_of(session, round_, running)
        # At a place that no total is made of, only a veto matters: it is a gate.
        self._read = {
            key: [r for r in rows if r.place in (*stages, BONUS) or r.is_veto]
            for key, rows in self._rows.items()
        }
        self._documents = documents_of(session, [r for rows in self._read.values() for r in rows])
        self.vetoes = {
            key: reason
            for key, rows in self._read.items()
            if (reason := self._struck(rows)) is not None
        }

    def must_stand(self) -> None:
        """Conflict naming what is not entered, or not confirmed by a second person."""
        rows = [
            row
            for key, found in self._read.items()
            for row in found
            if key not in self.vetoes  # the gate is passed before any mark counts
        ]
        if lacking := [r for r in rows if r.mark is None and not r.optional]:
            raise NotNow(
                _LACKING.format(list=_listed([_where(r) for r in lacking])), what=AGGREGATE
            )
        if waiting := [r for r in rows if r.mark is not None and not r.confirmed]:
            raise NotNow(
                _UNCONFIRMED.format(list=_listed([_where(r) for r in waiting])), what=AGGREGATE
            )

    @staticmethod
    def _struck(rows: Sequence[GivenItem]) -> Text | None:
        found = []
        for row in rows:
            if row.is_veto and row.mark is not None and row.confirmed:
                value = row.mark.entry["value"]
                if value["vetoed"]:
                    titles = {v["id"]: Text.of(v["title"]) for v in row.item["scale"]["vetoes"]}
                    named = _listed([titles[v] for v in value["vetoes"]])
                    reason = row.mark.entry.get("reason", "")
                    found.append(_STRUCK.format(v=named, r=reason, e=row.mark.evidence))
        if not found:
            return None
        return Text("".join(t.zh for t in found), " ".join(t.en for t in found))

    def rows(self, subject: Subject, stage: str) -> dict[str, dict[str, Any]]:
        """Item id -> row, as `computed_points` has them, of a stage's items."""
        made: dict[str, dict[str, Any]] = {}
        for row in self._read.get(subject.id, ()):
            points = row.points
            if row.place == stage and points is not None:
                scorer = row.item["scorer"]
                made[row.id] = {
                    "points": points.points,
                    "maximum": row.item["max"],
                    "explanation": _GIVEN_BY.format(s=SCORERS[scorer], how=points.working),
                    "scorer": scorer,
                }
        return made

    def bonus(self, subject: Subject) -> dict[str, Any] | None:
        """`{points, awards: [{item, title, level, points, documents}]}`; None when none is recorded.

        The sum of the items, each by its form's stacking rule and cap; the awards are those given.
        """
        rows = [r for r in self._read.get(subject.id, ()) if r.place == BONUS and r.mark]
        if not rows:
            return None
        total, awards = Decimal(0), []
        for row in rows:
            assert row.mark is not None and row.points is not None
            total += row.points.points or Decimal(0)
            steps = {step["id"]: step for step in row.item["scale"]["ladder"]}
            value = row.mark.entry.get("value")
            once = row.item["scale"]["stacking"] == "highest_per_document"
            counted: set[str] = set()
            found = sorted(
                value["awards"] if value else (),
                key=lambda award: -Decimal(steps[award["level"]]["points"]),
            )
            for award in found:
                document = self._documents[award["document"]]
                again = once and award["document"] in counted
                counted.add(award["document"])
                awards.append(
                    {
                        "item": row.id,
                        "title": row.item["title"],
                        "level": steps[award["level"]]["title"],
                        "points": steps[award["level"]]["points"],
                        "counted": not again,
                        "document": document.name,
                        "sha256": document.file_sha256,
                        "evidence": row.mark.evidence,
                    }
                )
        return {"points": plain(total), "awards": awards}


def veto_reason(subject: Subject) -> Text:
    """What the departments said that struck a county out at the qualification check."""
    struck = [o for o in subject.opinions if o.verdict == "veto"]
    listed = [Text(f"{o.department}：{o.reason}", f"{o.department}: {o.reason}") for o in struck]
    if not listed:
        return Text("资格审查被一票否决。", "Vetoed at the qualification check.")
    return Text("；".join(t.zh for t in listed) + "。", "; ".join(t.en for t in listed) + ".")


def _where(row: GivenItem) -> Text:
    return _WHERE.format(c=row.subject.name, i=row.id, t=row.title)


@dataclass(frozen=True, slots=True)
class CasePart:
    """One expert's case files: rows for the main sheet, and what the run keeps of them."""

    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)


class Reviewed:
    """The sealed case-file sheets of the counting sittings."""

    def __init__(
        self, session: Session, sittings: Sequence[str], running: Sequence[Subject]
    ) -> None:
        self._sheets = cases.counting_sheets(session, sittings)
        self._files = cases.sampled_files(session, running)
        round_ = running[0].round if running else None
        self._states = {s.subject.id: s for s in case_states(session, round_)} if round_ else {}

    def of(self, sheet: Sheet, subject: Subject, stage: Text) -> CasePart:
        """The case files behind one counting sheet; Conflict naming the files not reviewed."""
        if sheet.state != "sealed" or not repeated_items(sheet.instrument):
            return CasePart()
        state = self._states.get(subject.id)
        if state is None or not state.drawn or not self._files[subject.id]:
            raise NotNow(_NO_SAMPLE.format(c=subject.name), what=AGGREGATE)
        have = self._sheets.get((sheet.sitting_id, sheet.seat_id), {})
        files = self._files[subject.id]
        if missing := [f for f in files if f.id not in have]:
            numbers = _listed([Text(f.number, f.number) for f in missing])
            raise NotNow(
                _NOT_REVIEWED.format(c=subject.name, s=stage, n=sheet.seat.number, list=numbers)
            )
        sheets = [have[f.id] for f in files]
        mean = cases.mean_of(sheets)
        record = {
            "mean": plain(mean.mean),
            "files": [
                {
                    "code": file.code,
                    "number": file.number,
                    "total": plain(total),
                    "sheet": row.id,
                    "revision": row.revision,
                    "receipt": row.receipt,
                }
                for file, row, total in zip(files, sheets, mean.totals, strict=True)
            ],
        }
        return CasePart(cases.points_of(sheet.instrument, sheets), record)
