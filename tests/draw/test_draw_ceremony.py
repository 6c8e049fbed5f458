"""From the request to a transcript that a stranger verifies, and everything that must be refused."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import Database
from app.domain.draw import chain, derive_key
from app.domain.draw import select as engine_select
from app.domain.types import Conflict, DomainError, Forbidden
from app.draw import ceremony, operations
from app.draw.models import Draw, Seat
from app.exercise import device
from app.keys import Keys
from app.ledger import prove
from app.ledger.append import append
from app.ledger.models import Event
from app.programme.models import Round
from tests.draw.builders import (
    COUNTY,
    DICE,
    Staff,
    completed,
    make_body,
    make_expert,
    make_pool,
    make_round,
    request,
    to_dice,
    verify,
)


def test_full_path_of_a_real_draw_verifies_offline(
    session: Session, staff: Staff, tmp_path: Path
) -> None:
    make_pool(session)
    draw = completed(session, staff, request(session, staff, make_round(session, kind="real")))
    assert (draw.state, draw.kind, draw.attempt, len(draw.seats)) == ("completed", "real", 1, 5)
    assert [seat.number for seat in draw.seats] == [1, 2, 3, 4, 5]
    tickets = [seat.ticket for seat in draw.seats]
    assert tickets == sorted(tickets)
    path = ceremony.transcript_path(session.info["settings"], str(draw.transcript_sha256))
    done = verify(path.read_bytes(), tmp_path / "elsewhere")
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"], report["kind"]) == (0, True, "real"), done.stdout
    assert report["anchored"] is True
    assert report["commitment_hash"] == draw.commitment_hash
    held = session.get(Event, draw.commitment_seq)
    assert held is not None and str(draw.commitment_hash) in held.payload


def test_a_changed_transcript_is_rejected(session: Session, staff: Staff, tmp_path: Path) -> None:
    make_pool(session)
    draw = completed(session, staff, request(session, staff, make_round(session)))
    data = ceremony.transcript_of(draw)
    seat = draw.seats[0].ticket.encode()
    changed = data.replace(seat, b"0" * 64)
    assert changed != data
    assert verify(changed, tmp_path / "v").returncode == 1


def test_a_drill_needs_no_parties_and_says_drill(
    session: Session, staff: Staff, tmp_path: Path
) -> None:
    make_pool(session)
    draw = completed(
        session, staff, request(session, staff, make_round(session), fixed={"dice": DICE})
    )
    assert draw.kind == "drill" and not draw.parties
    assert draw.request["fixed"] == {"dice": DICE}
    assert (
        json.loads(verify(ceremony.transcript_of(draw), tmp_path / "v").stdout)["kind"] == "drill"
    )


def test_a_real_draw_has_no_fixed_dice_and_two_parties(session: Session, staff: Staff) -> None:
    make_pool(session)
    round_ = make_round(session, kind="real")
    with pytest.raises(DomainError, match="no values fixed beforehand"):
        request(session, staff, round_, fixed={"dice": DICE})
    with pytest.raises(DomainError, match="two parties"):
        request(session, staff, round_, parties=["office"])
    draw = operations.request_draw(
        session, staff.office, round=round_, stage="desk",
        subject_ids=[s.id for s in round_.subjects], panels=[{"id": "P1", "seats": 5}],
    )  # fmt: skip
    with pytest.raises(Conflict, match="Programme office, Supervisor has not registered a chain"):
        operations.commit_draw(session, staff.office, draw)


def test_quotas_pairs_and_two_thirds_hold(session: Session, staff: Staff) -> None:
    make_pool(session, 60, bodies=12)
    panel = {"quotas": {"discipline": {"land": [2, 2], "law": [1, 3]}}}
    draw = completed(session, staff, request(session, staff, make_round(session), 7, panel=panel))
    experts = [seat.expert for seat in draw.seats]
    count = Counter(e.discipline for e in experts)
    assert count["land"] == 2 and 1 <= count["law"] <= 3
    assert sum(e.kind in ("technical", "economic") for e in experts) >= 5
    employers = [e.person.employments[0].organisation_id for e in experts]
    assert len(set(employers)) == 7


def test_composition_rules_are_enforced(session: Session, staff: Staff) -> None:
    make_pool(session)
    round_ = make_round(session)
    for seats, rule in ((4, "D-03"), (6, "D-03"), (3, "D-03")):
        with pytest.raises(DomainError, match=rule):
            request(session, staff, round_, seats)
    with pytest.raises(DomainError, match="D-04"):
        request(session, staff, round_, 5, panel={"quotas": {"kind": {"management": [2, 5]}}})
    with pytest.raises(DomainError, match="C-10"):
        request(session, staff, round_, 5, panel={"pair_limits": {"employer": 2}})
    draw = request(session, staff, round_, 7)
    assert draw.request["panels"][0]["quotas"]["kind"]["management"] == [0, 2]
    assert draw.request["panels"][0]["pair_limits"] == {"employer": 1}


def test_an_infeasible_request_is_refused_with_its_relaxation(
    session: Session, staff: Staff
) -> None:
    make_pool(session, 35)
    round_ = make_round(session)
    draw = request(session, staff, round_, panel={"quotas": {"source": {"company": [1, 5]}}})
    with pytest.raises(DomainError, match=r"minimum of source = Company from 1 to 0") as caught:
        operations.commit_draw(session, staff.office, draw)
    assert "下限 1 改为 0" in caught.value.text.zh
    assert (draw.state, draw.commitment, draw.candidates) == ("draft", None, [])
    operations.revise_draw(session, staff.office, draw, panels=[{"id": "P1", "seats": 5}])
    assert operations.commit_draw(session, staff.office, draw).state == "committed"


def test_fewer_eligible_than_seats_is_refused(session: Session, staff: Staff) -> None:
    make_pool(session, 4)
    draw = request(session, staff, make_round(session))
    with pytest.raises(DomainError, match="4 eligible people"):
        operations.commit_draw(session, staff.office, draw)


def test_a_pool_below_three_times_warns(session: Session, staff: Staff) -> None:
    make_pool(session, 12)
    draw = request(session, staff, make_round(session), accept_high="small_pool")
    operations.commit_draw(session, staff.office, draw)
    levels = {g["code"]: g["level"] for g in draw.snapshot["guards"]}
    assert levels["stratum_small"] == "warn" and levels["pool_small"] == "warn"


def test_roles_are_kept_apart(session: Session, staff: Staff, make: Any) -> None:
    make_pool(session)
    round_ = make_round(session)
    with pytest.raises(Forbidden):
        operations.request_draw(
            session, staff.supervisor, round=round_, stage="desk",
            subject_ids=[round_.subjects[0].id], panels=[{"id": "P1", "seats": 5}],
        )  # fmt: skip
    draw = request(session, staff, round_)
    with pytest.raises(Forbidden):
        operations.commit_draw(session, staff.supervisor, draw)
    operations.commit_draw(session, staff.office, draw)
    with pytest.raises(Forbidden):
        operations.cosign(session, staff.office, draw, "0" * 128)
    device.cosign(session, staff.supervisor, draw)
    for role in ("admin", "keeper", "expert", "presenter"):
        viewer = make.viewer(session, role)
        with pytest.raises(Forbidden):
            operations.enter_dice(session, viewer, draw, "dice", DICE)
        with pytest.raises(Forbidden):
            operations.complete_draw(session, viewer, draw)


def test_no_dice_before_the_cosignature(session: Session, staff: Staff) -> None:
    make_pool(session)
    draw = request(session, staff, make_round(session))
    operations.commit_draw(session, staff.office, draw)
    with pytest.raises(Conflict, match="awaits the cosignature"):
        operations.enter_dice(session, staff.office, draw, "dice", DICE)


def test_dice_that_differ_block_and_name_the_positions(session: Session, staff: Staff) -> None:
    make_pool(session)
    draw = request(session, staff, make_round(session))
    operations.commit_draw(session, staff.office, draw)
    device.cosign(session, staff.supervisor, draw)
    with pytest.raises(DomainError, match="exactly 50"):
        operations.enter_dice(session, staff.office, draw, "dice", DICE[:49])
    with pytest.raises(DomainError, match="value 1 is 7"):
        operations.enter_dice(session, staff.office, draw, "dice", [7, *DICE[1:]])
    wrong = [*DICE]
    wrong[2], wrong[49] = 1, 6
    assert operations.enter_dice(session, staff.office, draw, "dice", wrong).values is None
    state = operations.enter_dice(session, staff.supervisor, draw, "dice", DICE)
    assert state.differing == (3, 50) and "第 3、50 个值不同" in state.text.zh
    with pytest.raises(Conflict, match="differ at position 3, 50"):
        operations.complete_draw(session, staff.office, draw)
    assert operations.enter_dice(session, staff.office, draw, "dice", DICE).values == tuple(DICE)
    with pytest.raises(Conflict, match="locked"):
        operations.enter_dice(session, staff.office, draw, "dice", wrong)


def test_the_second_list_comes_from_another_role(session: Session, staff: Staff, make: Any) -> None:
    make_pool(session)
    draw = request(session, staff, make_round(session))
    operations.commit_draw(session, staff.office, draw)
    device.cosign(session, staff.supervisor, draw)
    operations.enter_dice(session, staff.office, draw, "dice", DICE)
    with pytest.raises(Conflict, match="Somebody else of your role"):
        operations.enter_dice(session, make.viewer(session, "office"), draw, "dice", DICE)


def test_codes_come_last_fit_and_are_never_used_twice(session: Session, staff: Staff) -> None:
    make_pool(session)
    draw = request(session, staff, make_round(session, kind="real"))
    operations.commit_draw(session, staff.office, draw)
    device.cosign(session, staff.supervisor, draw)
    with pytest.raises(Conflict, match="not every source is locked"):
        operations.reveal_code(session, staff.office, draw, "office", staff.code("office"))
    for viewer in (staff.office, staff.supervisor):
        operations.enter_dice(session, viewer, draw, "dice", DICE)
    with pytest.raises(DomainError, match="does not fit"):
        operations.reveal_code(session, staff.office, draw, "office", staff.code("supervisor"))
    with pytest.raises(DomainError, match="does not fit"):
        operations.reveal_code(session, staff.office, draw, "office", staff.code("office", 2))
    with pytest.raises(Conflict, match="has not revealed"):
        operations.complete_draw(session, staff.office, draw)
    operations.reveal_code(session, staff.office, draw, "office", staff.code("office"))
    with pytest.raises(Conflict, match="has revealed"):
        operations.reveal_code(session, staff.office, draw, "office", staff.code("office"))
    other = operations.request_draw(
        session, staff.office, round=make_round(session, kind="real", slug="r2"), stage="site",
        subject_ids=_subjects(session, "r2"), panels=[{"id": "P1", "seats": 5}],
    )  # fmt: skip
    for used in (
        chain(staff.secrets["office"], 32).hex(),
        staff.code("office"),
        staff.code("office", 5),  # hashed forward it meets the chain that was used
    ):
        with pytest.raises(DomainError, match="used before"):
            operations.register_party(session, staff.office, other, "office", used)


def _subjects(session: Session, slug: str) -> list[str]:
    found = session.scalar(select(Round).where(Round.slug == slug))
    assert found is not None
    return [s.id for s in found.subjects]


def test_abort_before_the_lock_only_and_attempts_are_numbered(
    session: Session, staff: Staff
) -> None:
    make_pool(session)
    round_ = make_round(session)
    first = request(session, staff, round_)
    operations.commit_draw(session, staff.office, first)
    with pytest.raises(Conflict, match="this purpose has a draw"):
        request(session, staff, round_)
    with pytest.raises(DomainError, match="reason"):
        operations.abort_draw(session, staff.office, first, " ")
    operations.abort_draw(session, staff.office, first, "场地停电")
    second = request(session, staff, round_)
    assert second.attempt == 2 and second.purpose_key == first.purpose_key
    to_dice(session, staff, second)
    assert second.commitment["attempt"] == 2
    with pytest.raises(Conflict, match="settled"):
        operations.abort_draw(session, staff.supervisor, second, "不满意")
    operations.complete_draw(session, staff.office, second)
    with pytest.raises(Conflict):
        operations.abort_draw(session, staff.supervisor, second, "不满意")


def test_a_second_result_is_refused(session: Session, staff: Staff) -> None:
    make_pool(session)
    round_ = make_round(session)
    draw = completed(session, staff, request(session, staff, round_))
    before = [(s.expert_id, s.ticket) for s in draw.seats]
    with pytest.raises(Conflict, match="Completed"):
        operations.complete_draw(session, staff.office, draw)
    with pytest.raises(Conflict, match="this purpose has a draw"):
        request(session, staff, round_)
    # A renamed panel, or one county of the two, is still the same purpose or county.
    with pytest.raises(Conflict, match="drawn for once a stage"):
        operations.request_draw(
            session, staff.office, round=round_, stage="desk",
            subject_ids=[round_.subjects[1].id], panels=[{"id": "other", "seats": 5}],
        )  # fmt: skip
    assert [(s.expert_id, s.ticket) for s in draw.seats] == before


def test_the_pool_may_change_after_the_commitment_and_the_result_does_not(
    session: Session, staff: Staff
) -> None:
    experts = make_pool(session)
    draw = to_dice(session, staff, request(session, staff, make_round(session)))
    commitment = ceremony.commitment_of(draw)
    key = derive_key(commitment, ceremony.values_of(draw), {})
    foretold = engine_select(
        commitment, ceremony.roster_of(draw), ceremony.exclusions_of(draw), key
    )
    for expert in experts:
        expert.status = "retired"
        expert.discipline = "law"
    append(session, None, "test.edit")
    with pytest.raises(Conflict):
        operations.revise_draw(session, staff.office, draw, panels=[{"id": "P1", "seats": 7}])
    operations.complete_draw(session, staff.office, draw)
    assert ceremony.result_of(draw) == foretold
    assert len(draw.seats) == 5


def test_a_conflicted_expert_is_excluded_with_a_reason_and_never_seated(
    session: Session, staff: Staff
) -> None:
    make_pool(session, 30)
    government = make_body(session, "测试府谷县人民政府", "government", COUNTY)
    bureau = make_body(session, "测试府谷县国土局", "authority", COUNTY, parent_id=government.id)
    local = [make_expert(session, 900 + n, bureau, kind="technical") for n in range(40)]
    append(session, None, "test.local")
    draw = completed(session, staff, request(session, staff, make_round(session)))
    assert not {s.expert_id for s in draw.seats} & {e.id for e in local}
    by_expert = {c.expert_id: c for c in draw.candidates}
    for expert in local:
        rows = {row["rule"]: row for row in by_expert[expert.id].exclusions}
        assert {"C-01", "C-09"} <= set(rows)
        assert "测试府谷县国土局" in rows["C-01"]["zh"] and "2000-01 至今" in rows["C-01"]["zh"]
    for candidate in draw.candidates:
        for row in candidate.exclusions:
            assert row["zh"].strip() and row["en"].strip() and row["rule"]
    assert draw.snapshot["panels"] == [{"id": "P1", "seats": 5, "excluded": 40, "eligible": 30}]
    assert ["C-01", 40] in draw.commitment["exclusion_counts"]


def test_twenty_raw_completions_give_one_result(session: Session, staff: Staff) -> None:
    make_pool(session)
    draw = to_dice(session, staff, request(session, staff, make_round(session)))
    outcomes = []
    for _ in range(20):
        try:
            operations.complete_draw(session, staff.office, draw)
            outcomes.append("drawn")
        except Conflict:
            outcomes.append("refused")
    assert outcomes == ["drawn"] + ["refused"] * 19
    assert len(list(session.scalars(select(Seat)))) == 5


def test_parallel_completions_give_one_result_and_the_ledger_holds(
    database: Database, make: Any, keys: Keys
) -> None:
    with database.write() as session:
        staff = Staff(session, make)
        make_pool(session)
        draw_id = to_dice(session, staff, request(session, staff, make_round(session))).id

    def attempt(_: int) -> str:
        try:
            with database.write() as session:
                draw = session.get(Draw, draw_id)
                assert draw is not None
                operations.complete_draw(session, staff.office, draw)
        except Conflict:
            return "refused"
        return "drawn"

    with ThreadPoolExecutor(4) as workers:
        outcomes = Counter(workers.map(attempt, range(12)))
    assert outcomes == {"drawn": 1, "refused": 11}
    with database.read() as session:
        assert len(list(session.scalars(select(Seat)))) == 5
        report = prove.verify(session, keys)
        assert report.ok, report.faults


def test_the_database_itself_refuses_a_second_result(session: Session, staff: Staff) -> None:
    make_pool(session)
    round_ = make_round(session)
    first = request(session, staff, round_)
    operations.abort_draw(session, staff.office, first, "测试")
    completed(session, staff, request(session, staff, round_))
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(text("UPDATE draw SET state = 'completed' WHERE id = :d"), {"d": first.id})
