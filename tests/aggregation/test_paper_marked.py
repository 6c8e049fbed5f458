"""A sheet from paper says so in the run, in its exports and in the report's annex; its marks count."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app import clock
from app.aggregation import exports, operations
from app.aggregation.reading import Reading
from app.ledger.append import append
from app.report import annexes
from app.scoring.models import Sheet
from app.scoring.models_paper import PaperSheet
from tests.aggregation import builders

WORDS = "entered from paper by Clerk A and Clerk B"


def test_the_run_its_exports_and_the_annex_name_both_clerks(session: Any) -> None:
    made = builders.reload(session)
    sheet = session.scalars(select(Sheet).where(Sheet.state == "sealed").order_by(Sheet.id)).first()
    now, who = clock.now(), made.office.id
    paper = PaperSheet(
        sitting_id=sheet.sitting_id, seat_id=sheet.seat_id, key=sheet.sitting_id,
        sheet_id=sheet.id, replaced={}, started_by=who, started_at=now, first_by=who,
        first_name="Clerk A", second_name="Clerk B", sealed_at=now,
    )  # fmt: skip
    session.add(paper)
    append(session, None, "test.paper")
    run = operations.run(session, made.office, round=made.round)
    told = [
        row
        for county in run.inputs["subjects"]
        for part in county["stages"].values()
        for row in part.get("sheets", {}).values()
        if "paper" in row
    ]
    assert [(row["sheet"], row["paper"]["en"]) for row in told] == [(sheet.id, WORDS)]
    assert told[0]["total"] is not None and told[0]["state"] == "submitted"
    reading = Reading(run)
    noted = [row for row in exports.mark_rows(reading) if row[5] is not None and row[-1]]
    assert [(row[-1].en, row[5] is not None) for row in noted] == [(WORDS, True)]

    class Source:
        pass

    source = Source()
    source.reading = reading
    listed = [block for block in annexes._items(source) if block["kind"] == "list"]
    assert len(listed) == 1 and WORDS in listed[0]["items"][0].en
