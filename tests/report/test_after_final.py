"""After the final report the office's home leads on to the release, and asks no more once it is proposed."""

from __future__ import annotations

from typing import Any

from app.aggregation import operations as aggregation
from app.aggregation import releases
from app.home.waits import waits
from app.ledger.append import append
from app.programme import queries
from tests.aggregation import builders
from tests.report import reports


def test_the_office_is_led_from_the_final_report_to_the_release(session: Any) -> None:
    made = builders.reload(session)
    run = aggregation.run(session, made.office, round=made.round)

    def told() -> list[tuple[str, Any]]:
        session.flush()
        found = waits(session, made.office)
        return [
            (w.what.en, w.at.get("number")) for w in found if w.endpoint == "aggregation.release"
        ]

    def missing() -> list[int | None]:
        found = waits(session, made.office)
        return [w.n for w in found if w.endpoint == "programme.figure_file"]

    report = reports.signed(session, made, run)
    assert told() == [] and missing() == []
    one = next(s for s in made.round.subjects if s.region_class == "I")
    one.facts = {**one.facts, "has_mines": True}  # the forms read more figures of it now
    append(session, None, "test.facts")
    keys = {key for _, key, _ in queries.missing_figures(session, made.round)}
    assert keys and missing() == [len(keys)]
    reports.operations.finish(session, made.office, report=report)
    assert told() == [("The report is final: release the results", run.number)]
    assert missing() == []  # it changes nothing in the report
    releases.propose(session, made.office, run=run)
    assert told() == []  # somebody else confirms it
