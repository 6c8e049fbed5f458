"""Case files on a tablet: one sheet each, and their mean on the county's sheet."""

from __future__ import annotations

import re
from typing import Any

from app.domain.scoring.formulas import repeated_items
from app.field import packs
from app.programme import casefiles
from app.scoring import operations as scoring
from tests.schemes.builders import full, seal
from tests.schemes.test_waits import lawful, sampled, scoring_opened


def test_a_form_that_reads_case_files_brings_one_duty_for_each(database, make):
    """The mean of the own case-file sheets appears when all of them are sealed."""
    with database.write() as session:
        made = lawful(session, make)
        sampled(made)
        sitting = scoring_opened(made)
        viewer = made.scored.experts[0][1]

        def duties() -> list[dict[str, Any]]:
            return packs.pack(session, viewer, "0" * 16, lambda slug, key: key)["duties"]

        main, *files = duties()
        assert [d["kind"] for d in (main, *files)] == ["sheet", "case", "case"]
        assert [d["key"] for d in files] == [f"{sitting.id}/{d['case']['id']}" for d in files]
        assert files[0]["case"]["number"].startswith("许")
        assert files[0]["case"]["kind"]["en"] and files[0]["sheet"] is None
        assert files[0]["instrument"] != main["instrument"]
        read = {i["id"] for i in repeated_items(compiled_of(session, sitting))}
        words = [c["words"]["zh"] for c in main["computed"] if c["item"] in read]
        assert words and all("0/2" in text for text in words)
        for case in casefiles.case_state(session, made.subjects[0]).sampled:
            row = scoring.start_case_sheet(session, viewer, sitting=sitting, case=case)
            seal(made, viewer, row, full(row.instrument))
        main, *files = duties()
        assert [d["sheet"]["state"] for d in files] == ["sealed", "sealed"]
        points = [c["points"] for c in main["computed"] if c["item"] in read]
        assert points and all(re.fullmatch(r"\d+(\.\d+)?", text) for text in points)
        other = made.scored.experts[1][1]
        theirs = packs.pack(session, other, "0" * 16, lambda slug, key: key)["duties"]
        assert {d["sheet"] for d in theirs if d["kind"] == "case"} == {None}


def compiled_of(session: Any, sitting: Any) -> dict[str, Any]:
    from app.programme.instruments import instrument_for

    panel = sitting.panel
    return instrument_for(session, panel.round, sitting.subject, panel.stage)[1]
