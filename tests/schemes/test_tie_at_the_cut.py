"""A scheme whose ladder ends in a logged draw: eleven level counties of a notice with ten places."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.aggregation import ties
from app.aggregation.places import give_places
from app.directory.models import Region
from app.domain.draw import order_of_things
from app.domain.types import Conflict
from app.draw import ceremony
from app.ledger.append import append
from app.programme.scheme import library_schemes, score_rule_of
from app.report import operations as reports
from app.verify import verify_transcript
from tests.draw.builders import completed
from tests.schemes import builders
from tests.schemes.builders import figures, give, off, qualify, sit, small

MORE = ("110102", "110105", "110107", "110109", "110111")
add_regions = builders.add_regions


def with_more(session: Session) -> None:
    add_regions(session)
    for code in MORE:
        session.add(
            Region(
                code=code, name=f"测试{code}区", kind="市辖区", parent_code="110000", source="test"
            )
        )
    append(session, None, "test.more_regions")


def test_one_scheme_of_the_library_ends_in_a_draw_and_says_why() -> None:
    last = {key: scheme.aggregation.tie_break[-1] for key, (scheme, _) in library_schemes().items()}
    assert [key for key, rung in last.items() if rung == "logged_draw"] == [
        "jiangsu-enforcement-2022"
    ]
    scheme, _ = library_schemes()["jiangsu-enforcement-2022"]
    (said,) = [s for s in scheme.settings if s.id == "tie_at_the_cut"]
    assert (
        said.value == "logged_draw" and said.status == "default" and "未规定并列" in str(said.note)
    )


def test_a_tie_across_the_tenth_place_ends_in_the_drawn_order(
    session: Session, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builders, "CODES", (*builders.CODES, *MORE))
    monkeypatch.setattr(builders, "add_regions", with_more)
    made = small(session, make, "jiangsu-enforcement-2022", counties=11)
    assert score_rule_of(made.round).ties[-1] == "draw"
    rows = {"illegal_arable_mu": "2", "new_construction_arable_mu": "100"}
    for place in range(11):
        figures(made, place, {**rows, "rectified_cases": "3", "old_cases": "4"})
    qualify(made)
    sit(made, monkeypatch, "assess", off("J01", "8"))
    # 9 + 6.75 + 7 + 66 = 88.75 and J13 by the department: nine have 5, the last two have 4.
    for place in range(11):
        give(made, place, "assess", "J12", {"cases": "0"})
        give(
            made, place, "assess", "J13", {"mark": "5.0" if place < 9 else "4.0", "reason": "测试"}
        )
    run = made.run()
    tied = sorted(s.region_code for s in made.subjects[9:])
    assert run.results["open_ties"] == [{"counties": tied, "rank": 10, "limit": 10}]
    scores = run.results["scores"]["subjects"]
    assert {scores[code]["total"] for code in tied} == {"92.75"}
    assert {scores[code]["rank"] for code in tied} == {10}
    # Nine level counties above take nine of the ten places: that tie crosses nothing.
    above = [s.region_code for s in made.subjects[:9]]
    assert {scores[code]["rank"] for code in above} == {1}
    with pytest.raises(Conflict):
        reports.draft_report(session, made.scored.office, round=made.round, run=run)

    draw = ties.settle_by_draw(session, made.scored.office, run=run, number=1)
    assert draw.stage == "tie" and draw.kind == "drill"
    staff = SimpleNamespace(
        office=made.scored.office, supervisor=made.scored.supervisor,
        viewer=lambda p: made.scored.office if p == "office" else made.scored.supervisor,
        code=lambda p: "",
    )  # fmt: skip
    completed(session, staff, draw)  # type: ignore[arg-type]
    assert verify_transcript(ceremony.transcript_of(draw), draw.commitment_hash).ok
    items = {i.pseudonym: i for i in ceremony.items_of(draw)}
    order = [items[c].label.split()[0] for c in order_of_things(str(draw.key), "tie", list(items))]
    assert sorted(order) == tied

    after = made.run("抽签已完成")
    scores = after.results["scores"]["subjects"]
    assert [scores[code]["rank"] for code in order] == [10, 11]
    assert {scores[code]["rank"] for code in above} == {1}
    assert after.results["open_ties"] == []
    assert after.inputs["tie_draws"][0]["commitment"] == draw.commitment_hash
    ranked = [(code, scores[code]["rank"], None) for code in (*above, *order)]
    model, advanced = give_places(after.inputs["places"], ranked, frozenset())
    assert order[0] in model.taken and len(model.taken) == 10 and model.undecided == ()
    assert advanced.taken == (order[1],)
    report = reports.draft_report(session, made.scored.office, round=made.round, run=after)
    assert report.run_id == after.id
