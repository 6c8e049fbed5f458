"""Runs with flags, and a report on each, for the access matrix: written down as results, for the
counties and seats of a world.

The inputs are invented, the results are computed from them as a real run's are: how a run comes about
is tested elsewhere. Only the first two seats of the matrix's stage have begun a sheet: every mark stands
on one of these.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.aggregation.flags import keep_flags
from app.aggregation.models import Run
from app.aggregation.models_flags import RunFlag
from app.aggregation.results import compute
from app.domain.ledger.canonical import digest
from app.domain.statistics.rule import ScoreRule
from app.ledger.append import append
from app.programme.models import Round, Subject
from app.report import operations as reports
from app.report.sections import REQUIRED
from tests.attacks.world import PanelIds, World

RULE = ScoreRule.parse({"modules": {"desk": "0.7", "site": "0.3"}})
# Three counties far apart; the first expert is far below the others in the first, the second expert
# in the second.
TABLE = (
    ("40", "91", "92", "90", "91", "92", "90"),
    ("84", "31", "83", "85", "83", "84", "83"),
    ("76", "75", "75", "74", "76", "75", "77"),
)


def _sheet(seat_id: str, sheet_id: str, number: int, total: str) -> dict[str, Any]:
    return {
        "state": "submitted", "total": total, "items": {"A": total}, "not_applicable": [],
        "carried": {}, "reason": None, "sheet": sheet_id, "revision": 1, "seat": number,
        "seat_id": seat_id, "receipt": None, "instrument": "0" * 64,
    }  # fmt: skip


def _inputs(
    round_: Round, subjects: list[Subject], panel: PanelIds, sheets: tuple[str, str], edition: int
) -> dict[str, Any]:
    """`edition` moves one mark: each run of a round has inputs of its own."""
    item = {"id": "A", "title": {"zh": "甲", "en": "A"}, "max": "100", "computed": False}
    rows = []
    for subject, totals in zip(subjects, TABLE, strict=True):
        marks = [*totals[:-1], str(int(totals[-1]) - edition)]
        sat = {
            "kind": "panel", "panel": "P1", "sitting": panel.sittings[len(rows)], "form": "one",
            "maximum": "100", "items": [item], "computed": {},
            "sheets": {
                str(n): _sheet(seat, sheets[n > 1], n, total)
                for n, (seat, total) in enumerate(zip(panel.seats, marks, strict=True), 1)
            },
        }  # fmt: skip
        rows.append({
            "id": subject.region_code, "subject": subject.id,
            "name": {"zh": subject.name.zh, "en": subject.name.en}, "group": subject.region_class,
            "status": "qualified", "vetoed": False, "veto_reason": None, "adjust": "0",
            "stages": {
                name: sat if name == "site" else {"kind": "value", "value": "80"}
                for name in RULE.modules
            },
        })  # fmt: skip
    return {
        "v": 1, "round": round_.slug, "rule_digest": RULE.digest(),
        "stages": [
            {
                "id": name, "kind": "panel" if name == "site" else "value",
                "title": {"zh": f"阶段{name}", "en": f"Stage {name}"}, "weight": str(weight),
                "panels": [{"id": panel.id, "code": "P1"}] if name == "site" else [],
            }
            for name, weight in RULE.modules.items()
        ],
        "subjects": rows, "withdrawn": [], "uncounted": [],
    }  # fmt: skip


def _made(
    session: Session, world: World, round_: Round, number: int, sheets: tuple[str, str]
) -> Run:
    own = round_.slug == world.slug
    panel = world.site if own else world.other
    counties = world.subjects if own else world.other_subjects
    subjects = [session.get_one(Subject, key) for key in counties]
    inputs = _inputs(round_, subjects, panel, sheets, number)
    results = {**compute(RULE, inputs), "changes": []}
    run = Run(
        round=round_, round_id=round_.id, number=number, rule=RULE.to_json(),
        rule_digest=RULE.digest(), inputs=inputs, inputs_digest=digest(inputs), results=results,
        results_digest=digest(results), note="", made_by=world.people["office"].id,
        made_at=clock.now(),
    )  # fmt: skip
    session.add(run)
    session.flush()
    keep_flags(session, run)
    append(session, None, "test.run")
    return run


def held(
    session: Session, world: World, sheets: tuple[str, str], far: str
) -> dict[str, tuple[Any, ...]]:
    """kind -> (own, sibling, other). `sheets` are of round `one`, `far` of round `two`. Runs and reports go by their number in a round: round `one` has
    the numbers 1 and 2, the latest of which is looked at; round `two` has number 3 besides."""
    last: dict[str, Run] = {}
    for slug, begun, numbers in (
        (world.slug, sheets, (1, 2)),
        (world.other_slug, (far, far), (1, 2, 3)),
    ):
        round_ = session.scalars(select(Round).where(Round.slug == slug)).one()
        for number in numbers:
            run = last[slug] = _made(session, world, round_, number, begun)
            report = reports.draft_report(session, None, round=round_, run=run)
            assert report.number == number
        report.sections = dict.fromkeys(REQUIRED, "虚构文字，测试。")
        reports.submit_for_signing(session, None, report=report)
    return {
        "run": (2, 1, 3),
        "report": (2, 1, 3),
        "flag": (
            _flag(session, last[world.slug], world.site.seats[0]),
            _flag(session, last[world.slug], world.site.seats[1]),
            _flag(session, last[world.other_slug], world.other.seats[0]),
        ),
    }


def _flag(session: Session, run: Run, seat_id: str) -> str:
    """A flag about one sheet of this expert."""
    about = select(RunFlag.id).where(RunFlag.run_id == run.id, RunFlag.seat_id == seat_id)
    of_a_sheet = about.where(RunFlag.sheet_id.is_not(None)).order_by(RunFlag.number).limit(1)
    return session.scalars(of_a_sheet).one()
