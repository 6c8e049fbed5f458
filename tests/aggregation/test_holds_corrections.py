"""A supervisor's hold keeps a result back; marks after totals change for a listed cause and two people."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from app.aggregation import corrections, holds, invariants, operations, releases
from app.aggregation.models import Run
from app.aggregation.models_corrections import CAUSES
from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.ledger.append import append
from app.ledger.models import Event
from app.programme import operations as programme
from app.programme.models import Figure
from app.scoring.models import Sheet
from tests.aggregation import builders

WHY = "两份评分表待核对"


@pytest.fixture(autouse=True)
def few_replicates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here reads an interval of an agreement; most of a run's time is spent on them."""
    monkeypatch.setattr("app.aggregation.inputs.RESAMPLES", 20)


@pytest.fixture
def made(session: Any) -> builders.Scored:
    return builders.reload(session)


@pytest.fixture
def run(session: Any, made: builders.Scored) -> Run:
    return operations.run(session, made.office, round=made.round)


def change(session: Any, made: builders.Scored, county: str) -> None:
    """One expert's sheet of a county is found to be void after the totals."""
    sitting = next(s for s in made.panels["desk"].sittings if s.subject.name_zh == county)
    sheet = session.scalar(
        select(Sheet)
        .where(Sheet.sitting_id == sitting.id, Sheet.state == "sealed")
        .order_by(Sheet.id)
    )
    sheet.state, sheet.reason = "absent", "封存后发现未到场"
    append(session, None, "test.change")


def again(session: Any, made: builders.Scored) -> Run:
    return operations.run(session, made.office, round=made.round, note="核对后重新汇总")


def faults(session: Any, name: str) -> list[Any]:
    return dict(invariants.INVARIANTS)[name](session)


def test_a_hold_keeps_a_run_from_being_released(
    session: Any, made: builders.Scored, run: Run
) -> None:
    for viewer in (made.office, made.admin, made.presenter):
        with pytest.raises(Forbidden):
            holds.place(session, viewer, run=run, kind="hold", subject_id=None, reason=WHY)
    for kind, subject in (("veto", None), ("hold", "0" * 16)):
        with pytest.raises(NotFound):
            holds.place(
                session, made.supervisor, run=run, kind=kind, subject_id=subject, reason=WHY
            )
    county = made.subjects["海淀区"]
    row = holds.place(
        session, made.supervisor, run=run, kind="hold", subject_id=county.id, reason=WHY
    )
    assert holds.open_of(session, run) == [row] and str(holds.what(row)) == "海淀区"
    with pytest.raises(Conflict, match="海淀区（两份评分表待核对）"):
        releases.propose(session, made.office, run=run)
    with pytest.raises(Forbidden):
        holds.lift(session, made.office, row=row, reason="办公室不能解除")
    with pytest.raises(DomainError) as short:
        holds.lift(session, made.supervisor, row=row, reason="好")
    assert short.value.field == "reason" and row.open
    holds.lift(session, made.supervisor, row=row, reason="已核对，无误")
    releases.propose(session, made.office, run=run)
    # A hold placed between proposal and confirmation stops the confirmation.
    whole = holds.place(session, made.supervisor, run=run, kind="hold", subject_id=None, reason=WHY)
    with pytest.raises(Conflict, match="the whole run"):
        releases.confirm(session, made.second, run=run)
    holds.lift(session, made.supervisor, row=whole, reason="已核对，无误")
    releases.confirm(session, made.second, run=run)
    with pytest.raises(Conflict, match="lifted before"):
        holds.lift(session, made.supervisor, row=row, reason="再解除一次")
    assert faults(session, "no held result was released") == []
    whole.lifted_at = None
    append(session, None, "test.tampering")
    assert "第 1 次汇总" in faults(session, "no held result was released")[0].zh


def test_a_hold_binds_later_runs_and_a_note_stops_nothing(
    session: Any, made: builders.Scored, run: Run
) -> None:
    note = holds.place(session, made.supervisor, run=run, kind="note", subject_id=None, reason=WHY)
    assert holds.open_of(session, run) == []
    with pytest.raises(Conflict):
        holds.lift(session, made.supervisor, row=note, reason="意见无须解除")
    row = holds.place(session, made.supervisor, run=run, kind="hold", subject_id=None, reason=WHY)
    with pytest.raises(Conflict, match="held|under a hold|暂缓"):
        holds.place(session, made.supervisor, run=run, kind="hold", subject_id=None, reason=WHY)
    change(session, made, "丰台区")
    builders.corrected(session, made)
    later = again(session, made)
    assert holds.open_of(session, later) == [row]
    with pytest.raises(Conflict, match=WHY):
        holds.must_be_free(session, later)
    with pytest.raises(Conflict, match="latest run"):
        holds.place(session, made.supervisor, run=run, kind="hold", subject_id=None, reason=WHY)
    after = holds.place(
        session, made.supervisor, run=later, kind="hold",
        subject_id=made.subjects["海淀区"].id, reason=WHY,
    )  # fmt: skip
    assert holds.open_of(session, run) == [row] and holds.open_of(session, later) == [row, after]
    kinds = [json.loads(e.payload) for e in session.scalars(select(Event).order_by(Event.seq))]
    held = [k["data"] for k in kinds if k["kind"] == "result.held"]
    assert held[0] == {"round": made.round.id, "run": run.id, "number": 1, "hold": row.id, "subject": None}  # fmt: skip
    assert WHY not in json.dumps(kinds, ensure_ascii=False)


def test_a_change_after_totals_needs_a_confirmed_cause(
    session: Any, made: builders.Scored, run: Run
) -> None:
    change(session, made, "丰台区")
    with pytest.raises(DomainError) as caught:
        again(session, made)
    assert caught.value.field == "note" and "：丰台区。没有汇总" in caught.value.text.zh
    county = made.subjects["丰台区"]
    row = corrections.ask(
        session, made.office, round=made.round, subject_id=county.id, cause="adding", reason="签到表登记有误"
    )  # fmt: skip
    with pytest.raises(DomainError, match="丰台区"):  # not confirmed yet
        again(session, made)
    with pytest.raises(Forbidden):
        corrections.confirm(session, made.office, row=row)
    corrections.confirm(session, made.second, row=row)
    with pytest.raises(Conflict):
        corrections.confirm(session, made.supervisor, row=row)
    other = corrections.ask(
        session, made.office, round=made.round, subject_id=made.subjects["海淀区"].id,
        cause="abnormal", reason="没有变化的一县",
    )  # fmt: skip
    corrections.confirm(session, made.supervisor, row=other)
    later = again(session, made)
    assert corrections.of_run(session, later) == [row] and other.used_run_id is None
    assert later.results["corrections"] == [
        {"county": county.region_code, "cause": "adding", "correction": row.id}
    ]
    event = [
        json.loads(e.payload)["data"]
        for e in session.scalars(select(Event).order_by(Event.seq))
        if json.loads(e.payload)["kind"] == "run.made"
    ][-1]
    assert event["corrections"] == [row.id]
    for name, check in invariants.INVARIANTS:
        assert check(session) == [], name
    # It is used up: the next change needs one of its own.
    change(session, made, "丰台区")
    with pytest.raises(DomainError, match="丰台区"):
        again(session, made)
    row.confirmed_by = row.asked_by
    append(session, None, "test.tampering")
    assert faults(session, "corrections after totals have two people")


def test_what_a_correction_must_say(session: Any, made: builders.Scored) -> None:
    county = made.subjects["丰台区"].id

    def ask(**given: Any) -> Any:
        values = {"subject_id": county, "cause": "adding", "reason": "签到表登记有误"} | given
        return corrections.ask(session, made.office, round=made.round, **values)

    with pytest.raises(Conflict, match="no run yet"):
        ask()
    operations.run(session, made.office, round=made.round)
    with pytest.raises(DomainError, match="畸高或畸低") as caught:
        ask(cause="second thoughts")
    assert caught.value.field == "cause" and tuple(corrections.CAUSE_TEXT) == CAUSES
    with pytest.raises(DomainError):
        ask(reason="改")
    with pytest.raises(NotFound):
        ask(subject_id="0" * 16)
    with pytest.raises(Forbidden):
        corrections.ask(
            session,
            made.supervisor,
            round=made.round,
            subject_id=county,
            cause="adding",
            reason=WHY,
        )
    ask()
    with pytest.raises(Conflict, match="丰台区"):
        ask()


def test_gates_and_draws_are_no_corrections(session: Any, made: builders.Scored, run: Run) -> None:
    made.subjects["海淀区"].status = "vetoed"  # its class is put on a new scale
    append(session, None, "test.veto")
    later = again(session, made)
    assert later.results["refrozen"] and "corrections" not in later.results


def test_a_figure_moves_its_class_and_one_correction_accounts_for_it(
    session: Any, made: builders.Scored, run: Run
) -> None:
    frame = next(f for f in run.inputs["frames"] if f["stage"] == "desk" and len(f["members"]) > 1)
    key = "construction_land_ha"
    figure = session.scalar(
        select(Figure).where(
            Figure.key == key,
            Figure.subject_id.in_([s.id for s in made.round.subjects if s.region_code == frame["members"][0]]),
        )
    )  # fmt: skip
    subject = next(s for s in made.round.subjects if s.id == figure.subject_id)
    changed = programme.enter_figure(
        session,
        made.office,
        subject,
        key,
        figure.value * Decimal("1.7"),
        "",
        2011,
        "测试统计表 更正页",
    )
    programme.confirm_figure(session, made.second, changed)
    with pytest.raises(DomainError, match="没有汇总"):
        again(session, made)
    row = corrections.ask(
        session, made.office, round=made.round, subject_id=subject.id, cause="objective_unequal",
        reason="统计表数字抄写有误",
    )  # fmt: skip
    corrections.confirm(session, made.second, row=row)
    later = again(session, made)
    assert corrections.of_run(session, later) == [row]


def test_pages(app: Any, client_as: Any) -> None:
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        made = builders.reload(session)
        operations.run(session, made.office, round=made.round)
        slug, county = made.round.slug, made.subjects["丰台区"].id
    base = f"/r/{slug}/runs"
    office, second, supervisor = map(client_as, (made.office, made.second, made.supervisor))
    given = {"subject": county, "kind": "hold", "reason": WHY}
    assert office.post(f"{base}/1/holds", data=given).status_code == 403
    assert supervisor.post(f"{base}/1/holds", data={**given, "reason": "短"}).status_code == 422
    assert supervisor.post(f"{base}/1/holds", data=given).status_code == 302
    for where in (f"{base}/1", f"{base}/1/release", f"{base}/1/holds"):
        assert WHY in office.get(where).text, where
    assert "提出发布" not in office.get(f"{base}/1/release").text
    refused = office.post(f"{base}/1/release")
    assert refused.status_code == 409 and "丰台区" in refused.text
    with database.read() as session:
        (row,) = holds.of_round(session, builders.reload(session).round)
        lift = f"{base}/1/holds/{row.id}/lift"
    assert office.post(lift, data={"reason": "办公室不能解除"}).status_code == 403
    assert supervisor.post(lift, data={"reason": "短"}).status_code == 422
    assert supervisor.post(lift, data={"reason": "核对无误，解除"}).status_code == 302
    assert "核对无误，解除" in office.get(f"{base}/1/holds").text
    assert office.post(f"{base}/1/release").status_code == 302
    # Corrections
    page = f"{base}/corrections"
    asked = {"subject": county, "cause": "adding", "reason": "签到表登记有误"}
    assert supervisor.post(page, data=asked).status_code == 403
    assert office.post(page, data={**asked, "cause": "x"}).status_code == 422
    assert office.post(page, data=asked).status_code == 302
    assert "待另一人确认" in office.get(page).text
    with database.write() as session:
        scored = builders.reload(session)
        (correction,) = corrections.of_round(session, scored.round)
        change(session, scored, "丰台区")
        confirm = f"{page}/{correction.id}/confirm"
    assert "汇总之后的更正待您确认" in second.get("/").text
    assert office.post(base, data={"note": "核对后重新汇总"}).status_code == 422
    assert office.post(confirm).status_code == 403
    assert second.post(confirm).status_code == 302
    assert office.post(base, data={"note": "核对后重新汇总"}).status_code == 302
    shown = supervisor.get(f"{base}/2").text
    assert "本次汇总采用的更正" in shown and "登记、汇总差错" in shown and made.second.name in shown
