"""Flags are advice: kept as rows, explained once, decided on; an exclusion counts from the next run."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from sqlalchemy import select

from app import clock
from app.aggregation import flags, flags_invariants, flags_read, operations
from app.aggregation.models import Run
from app.aggregation.models_flags import FlagAnswer, FlagDecision, RunFlag
from app.aggregation.reading import Reading
from app.domain.statistics.flags import false_alarm
from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.draw.models import Seat
from app.home.waits import waits
from app.ledger.append import append
from app.ledger.models import Event
from tests.aggregation import builders

WHY = "当日现场查验时，三处存量地块仍未动工，按分值扣分。"


@pytest.fixture
def made(session: Any) -> builders.Scored:
    return builders.reload(session)


@pytest.fixture
def run(session: Any, made: builders.Scored) -> Run:
    return operations.run(session, made.office, round=made.round)


def odd(session: Any, run: Run) -> RunFlag:
    """The flag of the one expert who is far below the others (site, fifth county, seat 2)."""
    return next(
        row
        for row in flags_read.rows_of(session, run)
        if row.rule == "pooled_residual" and session.get_one(Seat, row.seat_id).number == 2
    )


def author(session: Any, made: builders.Scored, flag: RunFlag) -> Any:
    return made.viewer_of(session.get_one(Seat, flag.seat_id))


def kinds(session: Any) -> list[str]:
    return [json.loads(e.payload)["kind"] for e in session.scalars(select(Event))]


def test_rows_are_the_flags_of_the_results(session: Any, run: Run) -> None:
    rows = flags_read.rows_of(session, run)
    assert len(rows) == len(run.results["flags"]) > 0
    for row, flag in zip(rows, run.results["flags"], strict=True):
        assert (row.rule, row.level, row.stage, row.numbers) == (
            flag["rule"], flag["level"], flag["stage"], flag["numbers"],
        )  # fmt: skip
    flag = odd(session, run)
    assert flag.sheet_id is not None and flag.subject_id is not None
    assert flag.numbers["away"].startswith("-") and "." in flag.numbers["residual"]
    stored = false_alarm("pooled_residual", 7)
    assert stored is not None and flag.false_alarm == {
        "fired": stored.fired, "simulated": stored.simulated, "k": stored.k,
        "per": stored.per, "seed": stored.seed,
    }  # fmt: skip
    assert len({row.key for row in rows}) == len(rows)
    assert flags_invariants.flags_fit_their_run(session) == []
    flag.level = "info"
    append(session, None, "test.tampering")
    (fault,) = flags_invariants.flags_fit_their_run(session)
    assert f"第 {flag.number} 条" in fault.zh


def test_supervisor_reads_names_the_office_seats_and_silence_is_said(
    session: Any, made: builders.Scored, run: Run
) -> None:
    flag = odd(session, run)
    name = author(session, made, flag).name
    seen = flags_read.board(session, made.supervisor, run)
    row = next(r for r in seen.rows if r.flag is flag)
    assert row.who == (name,) and row.rate is not None and "误报率" in row.rate.zh
    assert "False alarms" in row.rate.en and "site" not in row.sentence.en
    levels = [flags_read.GRAVE[r.flag.level] for r in seen.rows]
    assert levels == sorted(levels)
    silent = {s.title.en for s in seen.silent}
    assert "Kind to the own region" in silent  # no regions are given, and that is said
    assert all(s.reason.zh.startswith("数据不足") for s in seen.silent)
    office = next(r for r in flags_read.board(session, made.office, run).rows if r.flag is flag)
    assert office.who == ("",) and office.sentence == row.sentence
    for viewer in (made.admin, made.presenter, made.experts[0][1]):
        with pytest.raises(Forbidden):
            flags_read.board(session, viewer, run)


def test_an_expert_explains_his_own_once(session: Any, made: builders.Scored, run: Run) -> None:
    flag = odd(session, run)
    expert = author(session, made, flag)
    other = next(v for _, v in made.experts if v.id != expert.id)
    (mine,) = flags_read.own(session, expert, made.round)
    assert flag.sheet_id == mine.flag.sheet_id and len(mine.titles) == 2
    assert flag.sheet_id not in {
        row.flag.sheet_id for row in flags_read.own(session, other, made.round)
    }
    for viewer in (other, made.office, made.supervisor, made.presenter):
        with pytest.raises(NotFound):
            flags.explain(session, viewer, flag=flag, text=WHY)
    with pytest.raises(DomainError) as short:
        flags.explain(session, expert, flag=flag, text="  无 ")
    assert short.value.field == "text"
    assert any(w.endpoint == "aggregation.own_flags" for w in waits(session, expert))
    answers = flags.explain(session, expert, flag=flag, text=WHY)
    # Two rules point at the same sheet: one explanation answers both.
    same = [f for f in flags_read.rows_of(session, run) if f.sheet_id == flag.sheet_id]
    assert {f.rule for f in same} == {"pooled_residual", "deviation"}
    assert {a.key for a in answers} == {f.key for f in same} and len(answers) == 2
    answer = answers[0]
    assert (answer.text, answer.seat_id, answer.by) == (WHY, flag.seat_id, expert.id)
    assert answer.at <= clock.now()
    with pytest.raises(Conflict, match="不能更改"):
        flags.explain(session, expert, flag=flag, text="另外一种说法，前面的不算")
    assert "flag.explained" not in kinds(session)  # sealed: the ledger shows no expert's activity
    row = next(r for r in flags_read.board(session, made.supervisor, run).rows if r.flag is flag)
    assert (row.answers[0].name, row.answers[0].answer.text) == (expert.name, WHY)
    assert row.awaited == 0
    assert len(session.scalars(select(FlagAnswer)).all()) == 2
    assert not any(w.endpoint == "aggregation.own_flags" for w in waits(session, expert))


def test_an_expert_reads_no_figure_of_anybody_else(
    session: Any, made: builders.Scored, run: Run
) -> None:
    flag = odd(session, run)
    expert = author(session, made, flag)
    (row,) = flags_read.own(session, expert, made.round)
    reading = Reading(run)
    stored = run.results["flags"][flag.number - 1]
    sheets = reading.counties[stored["subject"]]["stages"]["site"]["sheets"]
    own = next(s["total"] for s in sheets.values() if s["seat_id"] == flag.seat_id)
    numbers = set(re.findall(r"\d+(?:\.\d+)?", row.sentences[0].en))
    assert {float(n) for n in numbers} == {float(own)}
    assert "lower than" in row.sentences[0].en and "低于" in row.sentences[0].zh


def test_decisions_supersede_and_stay(session: Any, made: builders.Scored, run: Run) -> None:
    flag = odd(session, run)
    for viewer in (made.office, author(session, made, flag), made.admin):
        with pytest.raises(Forbidden):
            flags.decide(session, viewer, flag=flag, outcome="exclude", reason=WHY)
    with pytest.raises(DomainError) as none:
        flags.decide(session, made.supervisor, flag=flag, outcome="keep", reason=" ")
    assert none.value.field == "reason"
    first = flags.decide(
        session, made.supervisor, flag=flag, outcome="calibrate", reason="先开会校准"
    )
    with pytest.raises(Conflict):
        flags.decide(session, made.supervisor, flag=flag, outcome="calibrate", reason="先开会校准")
    second = flags.decide(
        session, made.supervisor, flag=flag, outcome="keep", reason="说明属实，保留"
    )
    assert (first.number, second.number) == (1, 2)
    assert flags.standing(session, made.round)[flag.key] is second
    assert [d.outcome for d in session.scalars(select(FlagDecision).order_by(FlagDecision.number))] == [
        "calibrate", "keep",
    ]  # fmt: skip
    assert kinds(session).count("flag.decided") == 2 and flags.excluded(session, made.round) == {}
    lone = RunFlag(
        round_id=run.round_id, run_id=run.id, run=run, number=99, key="k", rule="alike_pair",
        level="amber", stage="site", seat_id=flag.seat_id, numbers={},
    )  # fmt: skip
    session.add(lone)
    append(session, None, "test.flag")
    with pytest.raises(DomainError) as no_sheet:
        flags.decide(session, made.supervisor, flag=lone, outcome="exclude", reason=WHY)
    assert no_sheet.value.field == "outcome"


def test_an_exclusion_counts_from_the_next_run_and_can_be_lifted(
    session: Any, made: builders.Scored, run: Run
) -> None:
    flag = odd(session, run)
    key = run.results["flags"][flag.number - 1]["subject"]
    before = json.dumps(run.results, sort_keys=True)
    decision = flags.decide(session, made.supervisor, flag=flag, outcome="exclude", reason=WHY)
    assert json.dumps(run.results, sort_keys=True) == before  # no figure of the run changes
    again = operations.run(session, made.office, round=made.round, note="监督人员剔除一份评分表")
    part = next(r for r in again.inputs["subjects"] if r["id"] == key)["stages"]["site"]
    row = next(s for s in part["sheets"].values() if s["sheet"] == flag.sheet_id)
    assert (row["state"], row["total"], row["items"], row["reason"]["zh"], row["decision"]) == (
        "rejected", None, {}, WHY, decision.id,
    )  # fmt: skip
    unit = again.results["scores"]["subjects"][key]["stages"]["site"]["unit"]
    assert (unit["present"], unit["used"]) == (6, 4)
    marks = sorted(float(s["total"]) for s in part["sheets"].values() if s["total"] is not None)[
        1:-1
    ]
    assert float(unit["value"]) == pytest.approx(sum(marks) / 4)
    assert any("→ 经监督剔除" in c.zh for c in Reading(again).changes())
    mark = next(
        m for r in Reading(again).rows("site", "P1") if r.id == key for m in r.marks if not m.value
    )
    assert mark.state is not None and mark.state.zh == "剔除" and str(mark.reason) == WHY
    # It is decided again on the old flag, from the page of the new run.
    board = flags_read.board(session, made.supervisor, again)
    assert flag.key not in {r.flag.key for r in board.rows}
    assert [r.flag.id for r in board.earlier] == [flag.id]
    flags.decide(session, made.supervisor, flag=flag, outcome="keep", reason="复核后恢复计入")
    third = operations.run(session, made.office, round=made.round, note="恢复一份评分表")
    assert third.results["scores"] == run.results["scores"]
    assert odd(session, third).key == flag.key
    with pytest.raises(Conflict, match="最近一次"):
        flags.decide(session, made.supervisor, flag=flag, outcome="exclude", reason=WHY)


def test_pages(app: Any, client_as: Any) -> None:
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        made = builders.reload(session)
        run = operations.run(session, made.office, round=made.round)
        flag = odd(session, run)
        expert, flag_id, slug = author(session, made, flag), flag.id, made.round.slug
        other = next(v for _, v in made.experts if v.id != expert.id)
    base = f"/r/{slug}"
    supervisor, office = client_as(made.supervisor), client_as(made.office)
    page = supervisor.get(f"{base}/runs/1/flags").text
    assert expert.name in page and "误报率" in page and "数据不足" in page
    seats_only = office.get(f"{base}/runs/1/flags").text
    assert expert.name not in seats_only and "作出决定" not in seats_only
    assert "书面说明" in client_as(expert).get("/").text
    own = client_as(expert).get(f"{base}/flags/own").text
    assert "/explain" in own and "低于" in own and "残差" not in own
    assert "/explain" not in client_as(other).get(f"{base}/flags/own").text
    to = f"{base}/flags/{flag_id}"
    name = "text"
    stolen = client_as(other).post(f"{to}/explain", data={name: WHY})
    absent = client_as(other).post(f"{base}/flags/{'0' * 16}/explain", data={name: WHY})
    assert stolen.status_code == absent.status_code == 404
    short = client_as(expert).post(f"{to}/explain", data={name: "短"})
    assert short.status_code == 422 and "短</textarea>" in short.text
    assert client_as(expert).post(f"{to}/explain", data={name: WHY}).status_code == 302
    assert client_as(expert).post(f"{to}/explain", data={name: WHY}).status_code == 409
    wish = {f"{flag_id}-outcome": "exclude", f"{flag_id}-reason": WHY}
    for who in (made.office, expert, made.admin, made.presenter):
        assert client_as(who).post(f"{to}/decide", data=wish).status_code == 403
    again = supervisor.post(f"{to}/decide", data={**wish, f"{flag_id}-reason": "短"})
    assert again.status_code == 422 and "短</textarea>" in again.text
    assert supervisor.post(f"{to}/decide", data=wish).status_code == 302
    page = supervisor.get(f"{base}/runs/1/flags").text
    assert WHY in page and "剔除该评分表" in page
    assert supervisor.get(f"{base}/runs/1/flags").status_code == 200
    assert client_as(expert).get(f"{base}/runs/1/flags").status_code == 403
