"""Order draws: the things are the roster, their tickets the order, everything else is any draw."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import verify as verifier
from app.domain.draw import chain, order_of_things
from app.domain.draw.transcript import pack, read_transcript
from app.domain.types import Conflict, DomainError, NotFound
from app.draw import ceremony, invariants, operations, operations_order, orders, queries_order
from app.draw.models import Draw, Seat
from app.draw.models_order import OrderItem
from app.draw.orders import Wanted
from app.ledger.append import append
from app.panel import operations as panels
from app.panel import queries as panel_queries
from app.programme.models import Round, Subject
from tests.draw.builders import Staff, completed, make_pool, make_round, to_dice, verify

TOWNS = ("府谷县", "横山县", "靖边县", "定边县", "绥德县", "米脂县")


def round_of_six(session: Session, kind: str = "real") -> Round:
    round_ = make_round(session, kind=kind)
    for position, name in enumerate(TOWNS[2:], 3):
        code = f"61082{position + 1}"
        round_.subjects.append(
            Subject(
                position=position, region_code=code, name_zh=name, name_en=f"County {code}",
                region_class="", class_basis="测试", facts={}, status="qualified",
            )
        )  # fmt: skip
    session.flush()
    append(session, None, "test.six")
    return round_


def registered(session: Session, staff: Staff, draw: Draw) -> Draw:
    """A chain of its own for each party of this draw."""
    staff.secrets = {n: hashlib.sha256(f"{draw.id}{n}".encode()).digest() for n in staff.secrets}
    for name in draw.request["parties"]:
        operations.register_party(
            session, staff.viewer(name), draw, name, chain(staff.secrets[name], 32).hex()
        )
    return draw


def site_draw(session: Session, staff: Staff, round_: Round) -> Draw:
    make_pool(session, count=40)
    draw = operations.request_draw(
        session, staff.office, round=round_, stage="site",
        subject_ids=[s.id for s in round_.subjects], panels=[{"id": "P1", "seats": 5}],
    )  # fmt: skip
    return completed(session, staff, registered(session, staff, draw))


def asked(session: Session, staff: Staff, round_: Round, wanted: Wanted, **more: Any) -> Draw:
    draw = operations_order.request_order(
        session, staff.office, round=round_, wanted=wanted, **more
    )
    return registered(session, staff, draw)


def only(session: Session, round_: Round, stage: str) -> Wanted:
    (wanted,) = orders.available(session, round_, stage)
    return wanted


def test_statements_follow_ascending_tickets(
    session: Session, staff: Staff, tmp_path: Path
) -> None:
    round_ = round_of_six(session)
    experts = site_draw(session, staff, round_)
    panels.form_panels(session, staff.office, draw=experts)
    wanted = only(session, round_, orders.STATEMENTS)
    draw = asked(session, staff, round_, wanted)
    assert queries_order.statements_orders(session, round_) == {}
    completed(session, staff, draw)

    items = ceremony.items_of(draw)
    codes = {i.pseudonym for i in items}
    by_hand = sorted(
        codes,
        key=lambda c: hashlib.sha256(
            f"ticket|{draw.key}|order-statements|1|{c}".encode()
        ).hexdigest(),
    )
    drawn = [i.pseudonym for i in sorted(items, key=lambda i: i.position or 99)]
    assert drawn == by_hand == order_of_things(str(draw.key), "order-statements", codes)
    assert [c for c, _ in draw.result["panels"][0]["seats"]] == by_hand  # type: ignore[index]
    assert {i.pseudonym for i in items} == {
        "u" + hashlib.sha256(f"{s.region_code} {s.name_zh}".encode()).hexdigest()[:12]
        for s in round_.subjects
    }

    # No seats, no candidates; the panel's list and each county's turn follow.
    assert session.scalars(select(Seat).where(Seat.draw_id == draw.id)).all() == []
    (panel,) = panel_queries.panels(session, staff.office, round_)
    found = panel_queries.statements_order(session, panel)
    assert found is not None and found.draw is draw
    listed = [s.subject_id for s in panel_queries.in_order(panel, found)]
    by_code = {i.pseudonym: i.thing_id for i in items}
    assert listed == [by_code[c] for c in by_hand]
    third = next(s for s in panel.sittings if s.subject_id == listed[2])
    turn = panel_queries.turn(session, third)
    assert turn is not None and turn[:2] == (3, 6)

    # The verifier alone accepts it, with the words of every code.
    data = ceremony.transcript_of(draw)
    report = json.loads(verify(data, tmp_path / "v").stdout)
    assert report["ok"], report
    files = read_transcript(data)
    assert dict(files["labels.json"]) == {i.pseudonym: i.label for i in items}
    assert files["commitment.json"]["purpose"]["stage"] == "order-statements"
    assert files["commitment.json"]["purpose"]["panel_of"] == experts.commitment_hash
    assert files["commitment.json"]["panels"][0]["quotas"] == []
    for _, check in invariants.INVARIANTS:
        assert check(session) == []
    first, last = (next(i for i in items if i.position == n) for n in (1, 6))
    with session.no_autoflush:
        first.position, last.position = 6, 1
        assert invariants._held(draw) != invariants._expected(draw)
        first.position, last.position = 1, 6


def test_a_swapped_name_is_refused_by_the_verifier(session: Session, staff: Staff) -> None:
    round_ = round_of_six(session, "drill")
    draw = asked(session, staff, round_, only(session, round_, orders.COUNTIES), count=2)
    completed(session, staff, draw)
    data = ceremony.transcript_of(draw)
    assert verifier.verify_transcript(data, draw.commitment_hash).ok
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    labels = json.loads(files["labels.json"])
    labels[0][1], labels[1][1] = labels[1][1], labels[0][1]
    files["labels.json"] = json.dumps(labels, ensure_ascii=False, separators=(",", ":")).encode()
    del files["manifest.json"]
    manifest = [[n, hashlib.sha256(files[n]).hexdigest()] for n in sorted(files)]
    files["manifest.json"] = json.dumps(manifest, separators=(",", ":")).encode()
    report = verifier.verify_transcript(pack(files), draw.commitment_hash)
    assert not report.ok and report.failed == "labels"


def test_a_sample_takes_the_lowest_tickets(session: Session, staff: Staff) -> None:
    round_ = round_of_six(session, "drill")
    wanted = only(session, round_, orders.COUNTIES)
    for count in (0, 7):
        with pytest.raises(DomainError) as refused:
            asked(session, staff, round_, wanted, count=count)
        assert refused.value.field == "count"
    draw = completed(session, staff, asked(session, staff, round_, wanted, count=2))
    items = ceremony.items_of(draw)
    order = order_of_things(str(draw.key), "order-counties", [i.pseudonym for i in items])
    assert [i.position for i in sorted(items, key=lambda i: order.index(i.pseudonym))] == [
        1, 2, None, None, None, None,
    ]  # fmt: skip
    drawn = queries_order.counties_drawn(session, round_)
    assert drawn is not None and [i.pseudonym for i in drawn.items] == order[:2]


def test_a_purpose_has_one_result(session: Session, staff: Staff) -> None:
    round_ = round_of_six(session, "drill")
    wanted = only(session, round_, orders.COUNTIES)
    draw = asked(session, staff, round_, wanted, count=2)
    with pytest.raises(Conflict):  # one open draft
        asked(session, staff, round_, wanted, count=3)
    completed(session, staff, draw)
    with pytest.raises(Conflict):
        asked(session, staff, round_, wanted, count=3)
    with pytest.raises(Conflict):
        operations.complete_draw(session, staff.office, draw)
    # A county that leaves makes another set, not another chance.
    round_.subjects[0].status = "withdrawn"
    append(session, None, "test.withdrawn")
    with pytest.raises(Conflict):
        asked(session, staff, round_, only(session, round_, orders.COUNTIES), count=2)
    copied = {
        c.key: getattr(draw, c.key)
        for c in Draw.__table__.columns
        if c.key not in ("id", "salt", "attempt")
    }
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(Draw.__table__.insert().values(**copied, id="f" * 16, salt="x", attempt=2))


def test_things_are_frozen_with_the_commitment(session: Session, staff: Staff) -> None:
    round_ = round_of_six(session, "drill")
    draw = asked(session, staff, round_, only(session, round_, orders.COUNTIES), count=3)
    to_dice(session, staff, draw)
    before = ceremony.roster_of(draw)
    round_.subjects[1].name_zh = "改名县"
    append(session, None, "test.renamed")
    assert ceremony.roster_of(draw) == before and len(before) == 6
    operations.complete_draw(session, staff.office, draw)
    assert "改名县" not in {i.label for i in ceremony.items_of(draw)}


def test_a_changed_register_stops_the_commitment(session: Session, staff: Staff) -> None:
    round_ = round_of_six(session, "drill")
    draw = asked(session, staff, round_, only(session, round_, orders.COUNTIES), count=3)
    round_.subjects[1].status = "withdrawn"
    append(session, None, "test.withdrawn")
    with pytest.raises(Conflict) as refused:
        operations.commit_draw(session, staff.office, draw)
    assert "已变" in refused.value.text.zh
    assert draw.state == "draft" and session.scalars(select(OrderItem)).all() == []


def test_what_is_about_experts_is_refused(session: Session, staff: Staff) -> None:
    round_ = round_of_six(session, "drill")
    draw = completed(
        session, staff, asked(session, staff, round_, only(session, round_, orders.COUNTIES))
    )
    with pytest.raises(Conflict):
        panels.form_panels(session, staff.office, draw=draw)
    assert panel_queries.draws_to_form(session, round_) == []
    with pytest.raises(NotFound):
        orders.choice(session, round_, orders.STATEMENTS, "no:P1")
    with pytest.raises(NotFound):
        orders.choice(session, round_, "desk", "")
    draft = asked(
        session, staff, make_round(session, slug="r2"), only(session, round_, orders.COUNTIES)
    )
    with pytest.raises(Conflict):
        operations.revise_draw(session, staff.office, draft, panels=[{"id": "P1", "seats": 5}])
