"""The commitment: what changed since the last one, and that nothing of this draw moves afterwards."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.directory.models import Employment
from app.domain.draw import chain
from app.domain.types import Conflict, DomainError
from app.draw import (
    ceremony,
    difference,
    freezing,
    operations,
    operations_what_if,
    purposes,
    queries,
    queries_request,
)
from app.draw.invariants import INVARIANTS
from app.draw.models import Candidate, Draw
from app.draw.sources import PRESETS
from app.exercise import device
from app.ledger import prove
from app.ledger.append import append
from app.programme.models import Subject
from app.registry.models import Sanction
from app.verify import verify_transcript
from tests.draw.builders import (
    DICE,
    Staff,
    completed,
    make_body,
    make_expert,
    make_pool,
    make_round,
    request,
    to_dice,
)

BASE = "/r/r1/draws"


def test_the_first_draw_has_nothing_to_compare_with(session: Session, staff: Staff) -> None:
    make_pool(session)
    draw = request(session, staff, make_round(session))
    operations.commit_draw(session, staff.office, draw)
    assert draw.snapshot["difference"] is None
    shown = queries_request.difference(session, draw.snapshot["difference"])
    assert (shown.before, shown.changes, shown.chances) == (None, [], [])


def test_the_difference_names_who_came_left_changed_and_whose_chance_moved(
    session: Session, staff: Staff
) -> None:
    experts = make_pool(session, 60)
    first = request(session, staff, make_round(session))
    operations.commit_draw(session, staff.office, first)
    device.cosign(session, staff.supervisor, first)
    body = make_body(session, "新测试院", "institute", "420102")
    new = make_expert(session, 900, body)
    moved, gone, barred = experts[0], experts[1], experts[2]
    session.scalars(
        select(Employment).where(Employment.person_id == moved.person_id)
    ).one().until = date(2012, 1, 1)
    session.add(
        Employment(person_id=moved.person_id, organisation_id=body.id, since=date(2012, 1, 2))
    )
    moved.discipline = "law" if moved.discipline != "law" else "land"
    gone.status = "retired"
    barred.consent_at = None
    append(session, staff.office, "test.edited", expert=barred.id)
    session.expire_all()
    second_round = make_round(session, slug="r2")
    second = operations.request_draw(
        session, staff.office, round=second_round, stage="desk",
        subject_ids=[s.id for s in second_round.subjects], panels=[{"id": "P1", "seats": 5}],
    )  # fmt: skip
    operations_what_if.what_if(session, staff.office, second)
    operations.commit_draw(session, staff.office, second)
    stored = second.snapshot["difference"]
    assert stored["with"]["draw"] == first.id and stored["with"]["same_scheme"] == 1
    assert stored["added"] == [new.id] and stored["removed"] == []
    assert stored["status"] == [[gone.id, "active", "retired"]]
    assert [row[:2] for row in stored["attributes"]] == [
        [moved.id, "discipline"], [moved.id, "employer"],
    ]  # fmt: skip
    assert stored["attributes"][1][3] == body.id
    assert sorted(stored["excluded"]) == sorted([[gone.id, "P-05"], [barred.id, "P-04"]])
    assert stored["readmitted"] == []
    assert stored["by"][barred.id][:2] == [staff.office.id, "test.edited"]
    then, now = first.snapshot["chances"]["people"], second.snapshot["chances"]["people"]
    assert len(stored["chances"]) == 10
    sizes = [abs(Decimal(n or 0) - Decimal(o or 0)) for _, o, n in stored["chances"]]
    assert sizes == sorted(sizes, reverse=True)
    everybody = sorted(
        (abs(Decimal(now.get(k, 0)) - Decimal(then.get(k, 0))) for k in set(then) | set(now)),
        reverse=True,
    )
    assert sizes == everybody[:10]
    for viewer in (staff.office, staff.supervisor):
        seen = queries.what_if(session, viewer, second).shown["difference"]
        assert seen == stored
    words = {(c.who.split()[0], c.what.en) for c in
             queries_request.difference(session, stored).changes}  # fmt: skip
    assert ("E0900", "new in the pool") in words
    assert ("E0002", "now excluded by P-04") in words
    assert ("E0000", "Employer: 测试研究院00 → 新测试院") in words
    assert second.snapshot["looks"] == [[staff.office.id, 1]]


def test_an_older_draw_without_profiles_is_compared_by_its_facts(
    session: Session, staff: Staff
) -> None:
    experts = make_pool(session)
    first = request(session, staff, make_round(session))
    operations.commit_draw(session, staff.office, first)
    device.cosign(session, staff.supervisor, first)
    for row in first.candidates:  # facts stood in plain words then
        row.facts = {"kind": first.snapshot["people"][row.expert_id]["kind"]}
    first.snapshot = {k: v for k, v in first.snapshot.items() if k != "people"}
    experts[0].kind = "economic" if experts[0].kind != "economic" else "technical"
    append(session, None, "test.older")
    round_ = make_round(session, slug="r2")
    second = request(session, staff, round_)
    operations.commit_draw(session, staff.office, second)
    stored = second.snapshot["difference"]
    assert [row[:2] for row in stored["attributes"]] == [[experts[0].id, "kind"]]
    assert stored["status"] == [] and stored["totals"]["added"] == 0


def test_drills_and_real_draws_are_compared_apart(session: Session, staff: Staff) -> None:
    make_pool(session)
    drill = request(session, staff, make_round(session))
    operations.commit_draw(session, staff.office, drill)
    device.cosign(session, staff.supervisor, drill)
    real = request(session, staff, make_round(session, kind="real", slug="r2"))
    assert difference.last_cosigned(session, real) is None
    other = request(session, staff, make_round(session, slug="r3"))
    assert difference.last_cosigned(session, other) is drill


def test_nothing_edited_after_the_commitment_reaches_the_draw(
    session: Session, staff: Staff
) -> None:
    experts = make_pool(session)
    round_ = make_round(session)
    draw = request(session, staff, round_)
    operations.commit_draw(session, staff.office, draw)
    before = json.dumps([draw.commitment, draw.snapshot, draw.request], sort_keys=True)
    frozen = [(c.id, c.pseudonym, dict(c.facts), list(c.exclusions)) for c in draw.candidates]
    for expert in experts[:20]:
        expert.consent_at = None
    for expert in experts[20:40]:
        session.add(
            Sanction(
                expert_id=expert.id, kind="bar", since=date(2012, 11, 1), reason="测试",
                decided_by="测试",
            )
        )  # fmt: skip
    rules = json.loads(json.dumps(round_.rules))
    round_.rules = rules
    make_expert(session, 901, make_body(session, "后来的院", "institute", "420102"))
    append(session, None, "test.edits")
    with pytest.raises(Conflict):
        operations.revise_draw(session, staff.office, draw, panels=[{"id": "P1", "seats": 7}])
    with pytest.raises(Conflict):
        operations.commit_draw(session, staff.office, draw)
    with pytest.raises(Conflict):
        operations_what_if.apply_relaxation(session, staff.office, draw, 0)
    session.expire_all()
    assert json.dumps([draw.commitment, draw.snapshot, draw.request], sort_keys=True) == before
    assert [
        (c.id, c.pseudonym, dict(c.facts), list(c.exclusions)) for c in draw.candidates
    ] == frozen
    assert all(not faults(session) for faults in dict(INVARIANTS).values())
    assert queries.exclusions(session, staff.office, draw) == []
    device.cosign(session, staff.supervisor, draw)
    for viewer in (staff.office, staff.supervisor):
        operations.enter_dice(session, viewer, draw, "dice", DICE)
    operations.complete_draw(session, staff.office, draw)
    assert len(draw.seats) == 5


@pytest.mark.parametrize("what", ["facts", "exclusions", "quota"])
def test_raw_sql_on_a_committed_draw_is_named(
    database: Any, make: Any, keys: Any, what: str
) -> None:
    with database.write() as session:
        staff = Staff(session, make)
        make_pool(session)
        draw = request(session, staff, make_round(session))
        operations.commit_draw(session, staff.office, draw)
        key, row = draw.id, draw.candidates[0].id
    check = dict(INVARIANTS)["draw.candidates_unchanged"]
    with database.read() as session:
        assert check(session) == [] and prove.verify(session, keys).ok
    with database.engine.connect() as connection:
        if what == "facts":
            connection.execute(
                text("UPDATE candidate SET facts = :v WHERE id = :k"),
                {"v": json.dumps({"kind": "economic", "employer": "o0001"}), "k": row},
            )
        elif what == "exclusions":
            connection.execute(
                text("UPDATE candidate SET exclusions = :v WHERE id = :k"),
                {"v": json.dumps([{
                    "panel": "P1", "rule": "C-05", "zh": "", "en": "", "evidence": {}, "nonce": "",
                    "evidence_hash": "0" * 64, "salt": "0" * 32, "decided_by": "rules", "when": 1,
                }]), "k": row},
            )  # fmt: skip
        else:
            stored = connection.execute(
                text("SELECT commitment FROM draw WHERE id = :k"), {"k": key}
            ).scalar()
            document = stored if isinstance(stored, dict) else json.loads(stored)
            document["panels"][0]["seats"] = 7
            connection.execute(
                text("UPDATE draw SET commitment = :v WHERE id = :k"),
                {"v": json.dumps(document), "k": key},
            )
        connection.commit()
    with database.read() as session:
        (fault,) = check(session)
        assert key in fault.en
        report = prove.verify(session, keys)
        assert not report.ok


def test_what_was_prepared_before_is_used_only_if_it_still_fits(database: Any, make: Any) -> None:
    with database.write() as session:
        staff = Staff(session, make)
        experts = make_pool(session)
        draw = request(session, staff, make_round(session))
        key, first = draw.id, experts[0].id
    with database.read() as session:
        ready = freezing.prepare(session, session.get(Draw, key))
    with database.write() as session:
        append(session, None, "test.something_else")
        draw = session.get(Draw, key)
        assert freezing.still_fits(session, draw, ready)
        operations.commit_draw(session, staff.office, draw, prepared=ready)
        assert [c.pseudonym for c in draw.candidates] == [r["pseudonym"] for r in ready.candidates]
        assert draw.commitment["previous_head"] != "" and "previous_head" in draw.commitment
        operations.abort_draw(session, staff.office, draw, "再来", cause="request")
        again = request(session, staff, draw.round)
        second = again.id
    with database.read() as session:
        ready = freezing.prepare(session, session.get(Draw, second))
    with database.write() as session:
        session.scalars(
            select(Candidate).where(Candidate.expert_id == first)
        ).first().expert.consent_at = None
        append(session, None, "test.edit")
        draw = session.get(Draw, second)
        assert not freezing.still_fits(session, draw, ready)
        operations.commit_draw(session, staff.office, draw, prepared=ready)
        assert [x.rule for x in queries.exclusions(session, staff.office, draw)] == ["P-04"]
        assert not {c.pseudonym for c in draw.candidates} & {
            r["pseudonym"] for r in ready.candidates
        }


def test_a_drill_can_never_become_a_real_draw(session: Session, staff: Staff) -> None:
    make_pool(session)
    round_ = make_round(session)
    draw = completed(session, staff, request(session, staff, round_, fixed={"dice": DICE}))
    assert draw.kind == "drill" and draw.commitment["kind"] == "drill"
    draw.kind = "real"
    append(session, None, "test.promoted")
    faults = [f for _, check in INVARIANTS for f in check(session)]
    assert any(draw.id in fault.en and "drill" in fault.en for fault in faults), faults
    draw.kind = "drill"
    round_.kind = "real"
    append(session, None, "test.promoted_round")
    with pytest.raises(DomainError):
        operations.revise_draw(session, staff.office, draw, panels=[{"id": "P1", "seats": 5}])
    open_ = request(session, staff, make_round(session, slug="r9"))
    open_.round.kind = "real"
    append(session, None, "test.promoted_open")
    with pytest.raises(DomainError, match="drill"):
        operations.commit_draw(session, staff.office, open_)


def test_a_real_draw_is_not_looked_at_without_parties_and_is_marked(
    session: Session, staff: Staff
) -> None:
    make_pool(session)
    draw = to_dice(session, staff, request(session, staff, make_round(session, kind="real")))
    assert draw.kind == "real" and draw.commitment["kind"] == "real"


def test_the_write_lock_is_free_while_a_lottery_is_solved(
    app: Any, write: Any, client_as: Callable[..., Any], make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with write() as session:
        make_pool(session)
        round_ = make_round(session)
        staff = Staff(session, make)
        draw = operations.request_draw(
            session, staff.office, round=round_, stage="desk",
            subject_ids=list(session.scalars(select(Subject.id))),
            panels=[{"id": "P1", "seats": 5, "mode": "lottery"}],
        )  # fmt: skip
        key = draw.id
    office = client_as(staff.office)
    solving, go_on = threading.Event(), threading.Event()
    solve = freezing.outlook.tables_of

    def slow(*args: Any) -> Any:
        solving.set()
        assert go_on.wait(20)
        return solve(*args)

    monkeypatch.setattr(freezing.outlook, "tables_of", slow)
    answers: list[int] = []
    thread = threading.Thread(
        target=lambda: answers.append(office.post(f"{BASE}/{key}/commit").status_code)
    )
    thread.start()
    assert solving.wait(20)
    with write() as session:  # would wait for the lock if the solve held it
        append(session, None, "test.meanwhile")
    go_on.set()
    thread.join(60)
    assert answers == [302]
    with write() as session:
        assert session.get(Draw, key).state == "committed"


def test_both_see_the_same_summary_before_the_cosignature(
    app: Any, write: Any, client_as: Callable[..., Any], make: Any
) -> None:
    with write() as session:
        make_pool(session)
        staff = Staff(session, make)
        first = request(session, staff, make_round(session, slug="r0"))
        operations.commit_draw(session, staff.office, first)
        device.cosign(session, staff.supervisor, first)
        make_expert(session, 902, make_body(session, "新院", "institute", "420102"))
        append(session, None, "test.more")
        draw = request(session, staff, make_round(session))
        for _ in range(3):
            operations_what_if.what_if(session, staff.office, draw)
        operations.commit_draw(session, staff.office, draw)
        key = draw.id
    office, supervisor = client_as(staff.office), client_as(staff.supervisor)
    pages = [
        office.get(f"{BASE}/{key}").text,
        supervisor.get(f"{BASE}/{key}").text,
        supervisor.get(f"{BASE}/{key}/cosign").text,
    ]
    for page in pages:
        assert "与上次会签的名单相比" in page and "机会变化最大的十人" in page
        assert "本次抽取共试算 3 次" in page and "E0902" in page
        assert "演练" in page
        for said in (
            "随机来源（全部必需）",
            "六面骰子",
            "名额与人数",
            "被抽中的机会",
            "排除与理由",
            "规则集摘要",
        ):
            assert said in page, said
        assert page.count("本次抽取共试算 3 次") == 1
    assert 'href="#sign"' in pages[2] and 'name="name"' not in pages[2]
    assert pages[1].index("下一步") < pages[1].index(
        "机会变化最大的十人"
    )  # led on before what is to be read
    assert pages[2].index("机会变化最大的十人") < pages[2].index(
        'id="sign"'
    )  # signed below what changed
    listed = supervisor.get(BASE).text
    assert "测试" in listed and ">3<" in listed.replace("\n", "").replace("<br>", "<")


def test_a_commitment_says_when_no_source_is_outside(session: Session, staff: Staff) -> None:
    """Of a real draw; a drill is one by its kind, and a named lottery is beyond everybody's control."""
    make_pool(session)
    drill, real = make_round(session), make_round(session, slug="r2", kind="real")
    lottery = [{**row, "when": "2012136"} for row in PRESETS["ssq"]]
    for round_, sources, told in ((drill, [], None), (real, lottery, None), (real, [], "local")):
        draw = operations.request_draw(
            session, staff.office, round=round_, stage="desk", sources=sources,
            subject_ids=[s.id for s in round_.subjects], panels=[{"id": "P1", "seats": 5}],
        )  # fmt: skip
        assert purposes.purpose_of(draw).get("sources") == told, (round_.slug, sources)
        if told is None:
            operations.abort_draw(session, staff.office, draw, "换来源", "other")
    for name in ("office", "supervisor"):
        code = chain(staff.secrets[name], 32).hex()
        operations.register_party(session, staff.viewer(name), draw, name, code)
    completed(session, staff, draw)
    assert draw.commitment["purpose"]["sources"] == "local"
    report = verify_transcript(ceremony.transcript_of(draw), draw.commitment_hash)
    assert report.ok and report.anchored, report.en
