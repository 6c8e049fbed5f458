"""A tie at the cut line under a ladder that ends in a logged draw, from the run to the report."""

from __future__ import annotations

import json
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from app.aggregation import invariants, operations, ties
from app.aggregation.inputs import collect
from app.aggregation.models import Run
from app.aggregation.reading import Reading
from app.aggregation.results import compute
from app.domain.draw import order_of_things
from app.domain.statistics.ranking import Entry, rank
from app.domain.statistics.rule import ScoreRule
from app.domain.types import Conflict, DomainError, NotFound
from app.draw import ceremony
from app.draw.models import Draw
from app.ledger.append import append
from app.programme.scheme import score_rule_of
from app.report import operations as reports
from app.report.score_sections import conclusion
from app.report.source import source
from app.verify import verify_transcript
from tests.aggregation import builders
from tests.draw.builders import completed


def entry(key: str, value: str) -> Entry:
    mark = Decimal(value)
    return Entry(key, None, mark, mark.as_integer_ratio()[0], {}, {}, None)  # type: ignore[arg-type]


def test_the_rung_waits_for_a_draw_and_then_follows_it() -> None:
    rule = ScoreRule.parse({"ties": ["draw"]})
    rows = [entry(k, "90") for k in "abc"] + [entry("d", "80")]
    open_ = rank(rule, rows)
    assert [open_[k].rank for k in "abcd"] == [1, 1, 1, 4]
    assert rank(rule, rows, [["a", "b"]]) == open_  # an order of some of the tied settles nothing
    placed = rank(rule, rows, [["a", "b"], ["x", "c", "a", "b"], ["b", "a", "c"]])
    assert [placed[k].rank for k in "abcd"] == [2, 3, 1, 4]  # the first draw that holds them all
    assert placed["c"].tie is not None and placed["c"].tie.decided_by == "draw"
    assert "抽签" in placed["c"].tie.text.zh
    for wrong in (["draw", "unrounded"], ["draw", "shared"], ["lots"]):
        with pytest.raises(DomainError):
            ScoreRule.parse({"ties": wrong})
    assert ScoreRule.parse({"ties": ["unrounded"]}).ties == ("unrounded", "shared")


def test_only_ties_across_a_limit_are_open() -> None:
    def scores(**ranks: int) -> dict[str, Any]:
        rows = {}
        for key, place in ranks.items():
            other = [k for k, r in ranks.items() if r == place and k != key]
            rows[key] = {"group": None, "rank": place, "tie": {"shared_with": other}}
        return {"subjects": rows}

    found = scores(a=1, b=1, c=3, d=3, e=5)
    rule = ScoreRule.parse({"ties": ["draw"]})
    every = [["a", "b"], ["c", "d"]]
    assert [t["counties"] for t in ties.open_ties(rule, found, {})["open_ties"]] == every
    places = {"places": [{"group": None, "max": 2}, {"group": None, "max": 1}]}
    (one,) = ties.open_ties(rule, found, places)["open_ties"]
    assert one == {"counties": ["c", "d"], "rank": 3, "limit": 3}
    top = ScoreRule.parse({"ties": ["draw"], "top": 1})
    assert [t["limit"] for t in ties.open_ties(top, found, {})["open_ties"]] == [1]
    assert ties.open_ties(ScoreRule.parse({}), found, places) == {}


@pytest.fixture
def made(session: Any) -> builders.Scored:
    return level(session)


def level(session: Any) -> builders.Scored:
    """The two best brought level, under a ladder that ends in a draw."""
    found = builders.reload(session)
    round_ = found.round
    rule = {**score_rule_of(round_).to_json(), "ties": ["draw"], "top": 1, "rounding": {"total": 0}}
    rule["rank_within"] = None
    set_rule(session, round_, rule)
    totals = {
        key: Decimal(row["total"])
        for key, row in compute(score_rule_of(round_), collect(session, round_))["scores"][
            "subjects"
        ].items()
        if row["total"] is not None
    }
    first, second = sorted(totals, key=lambda k: -totals[k])[:2]
    rule["adjust"] = {second: str(totals[first] - totals[second])}
    set_rule(session, round_, rule)
    return found


def set_rule(session: Any, round_: Any, rule: dict[str, Any]) -> None:
    round_.score_rule = rule
    round_.score_rule_digest = ScoreRule.parse(rule).digest()
    append(session, None, "test.rule")


def settle(session: Any, made: builders.Scored, run: Run) -> Draw:
    draw = ties.settle_by_draw(session, made.office, run=run, number=1)
    staff = SimpleNamespace(
        office=made.office, supervisor=made.supervisor,
        viewer=lambda p: made.office if p == "office" else made.supervisor,
        code=lambda p: "",
    )  # fmt: skip
    assert draw.request["parties"] == []  # a drill round
    return completed(session, staff, draw)  # type: ignore[arg-type]


def test_a_tie_is_settled_end_to_end(session: Any, made: builders.Scored) -> None:
    run = operations.run(session, made.office, round=made.round)
    (tie,) = run.results["open_ties"]
    assert tie["rank"] == 1 and tie["limit"] == 1 and len(tie["counties"]) == 2
    names = ties.names_of_open(run)[0]
    for code in tie[
        "counties"
    ]:  # who is level with whom is told by name, at the sentence's end too
        told = Reading(run).say(run.results["scores"]["subjects"][code]["tie"]["text"])
        (other,) = set(tie["counties"]) - {code}
        assert told is not None and told.en.endswith(f"shared with {Reading(run).names[other].en}.")
    with pytest.raises(Conflict) as blocked:
        reports.draft_report(session, made.office, round=made.round, run=run)
    assert names.zh in blocked.value.text.zh and "抽签" in blocked.value.text.zh
    with pytest.raises(NotFound):
        ties.wanted_tie(made.round, run, 2)
    with pytest.raises(Conflict):  # nothing has changed: no new run
        operations.run(session, made.office, round=made.round, note="再算一次试试")

    draw = settle(session, made, run)
    assert draw.commitment["purpose"]["run_results"] == run.results_digest  # type: ignore[index]
    assert verify_transcript(ceremony.transcript_of(draw), draw.commitment_hash).ok
    with pytest.raises(Conflict):  # one result
        ties.settle_by_draw(session, made.office, run=run, number=1)
    with pytest.raises(Conflict):  # and still blocked until the run takes it
        reports.draft_report(session, made.office, round=made.round, run=run)

    after = operations.run(session, made.office, round=made.round, note="抽签已完成")
    items = {i.pseudonym: i for i in ceremony.items_of(draw)}
    order = [items[c].label.split()[0] for c in order_of_things(str(draw.key), "tie", list(items))]
    ranks = {k: after.results["scores"]["subjects"][k]["rank"] for k in order}
    assert ranks == {order[0]: 1, order[1]: 2}
    assert after.results["open_ties"] == []
    assert after.inputs["tie_draws"][0]["commitment"] == draw.commitment_hash
    said = " ".join(c["zh"] for c in after.results["changes"])
    assert draw.commitment_hash and draw.commitment_hash in said
    for _, check in invariants.INVARIANTS:
        assert check(session) == []

    (settled,) = Reading(after).tie_draws()
    assert settled.commitment == draw.commitment_hash
    report = reports.draft_report(session, made.office, round=made.round, run=after)
    printed = json.dumps(
        conclusion(source(session, report, "zh")), ensure_ascii=False, default=lambda t: t.zh
    )
    assert draw.commitment_hash in printed and "并列名次由抽签确定" in printed


def test_the_pages_name_the_tie_and_start_the_draw(client_as: Any, database: Any) -> None:
    with database.write() as session:
        made = level(session)
        run = operations.run(session, made.office, round=made.round)
        names, slug = ties.names_of_open(run)[0], made.round.slug
    office = client_as(made.office)
    page = office.get(f"/r/{slug}/runs/1").text
    assert "并列待抽签" in page and names.zh in page and "抽签决定" in page
    form = office.get(f"/r/{slug}/runs/1/ties/1")
    assert form.status_code == 200 and names.zh.split("、")[0] in form.text
    assert office.get(f"/r/{slug}/runs/1/ties/2").status_code == 404
    sent = office.post(f"/r/{slug}/runs/1/ties/1", data={"dice": "50", "fixed": "1 2 3"})
    assert sent.status_code == 422
    sent = office.post(f"/r/{slug}/runs/1/ties/1", data={"dice": "50"})
    assert sent.status_code == 302
    assert "并列名次" in office.get(sent.headers["Location"]).text
    counties = office.get(f"/r/{slug}/counties").text
    assert "抽查区县" in counties and "用抽取仪式抽定" in counties
    supervisor = client_as(made.supervisor)
    shown = supervisor.get(f"/r/{slug}/runs/1").text
    assert "到本次抽签" in shown
    with database.read() as reading:
        draw = reading.scalars(select(Draw).where(Draw.stage == "tie")).one()
        assert draw.state == "draft" and draw.request["order"]["of"]["run"] == 1
