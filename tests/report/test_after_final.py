"""After the final report the office's home leads on to the release, and asks no more once it is proposed."""

from __future__ import annotations

from typing import Any

from app.aggregation import operations as aggregation
from app.aggregation import releases
from app.home.waits import waits
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

    report = reports.signed(session, made, run)
    assert told() == []
    reports.operations.finish(session, made.office, report=report)
    assert told() == [("The report is final: release the results", run.number)]
    releases.propose(session, made.office, run=run)
    assert told() == []  # somebody else confirms it
