"""An exception from the guards takes two: the supervisor ticks each one, or does not cosign."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.draw import chain
from app.domain.types import DomainError
from app.draw import operations, operations_what_if
from app.draw.accepted import exceptions
from app.draw.models import Draw
from app.draw.models_ceremony import Abort
from app.exercise import device
from app.ledger.append import append
from app.ledger.models import Event
from tests.draw.builders import Staff, cosign_form, make_pool, make_round, request

BASE = "/r/r1/draws"


def with_exceptions(session: Session, staff: Staff) -> Draw:
    """Six managers for five seats, and nobody else may sit: both guards have to be overruled."""
    make_pool(session, 30)
    panel = {"mode": "lottery", "quotas": {"kind": {"management": [0, 0]}}}
    draw = request(
        session, staff, make_round(session), seats=13, panel=panel,
        accept_high="small_pool", accept_zero="not_needed",
    )  # fmt: skip
    operations.commit_draw(session, staff.office, draw)
    return draw


def cosigned(session: Session) -> list[dict[str, Any]]:
    rows = [json.loads(p) for p in session.scalars(select(Event.payload).order_by(Event.seq))]
    return [row["data"] for row in rows if row["kind"] == "draw.cosigned"]


def test_each_exception_is_ticked_and_stands_in_the_entry_of_the_cosignature(
    session: Session, staff: Staff
) -> None:
    draw = with_exceptions(session, staff)
    codes = [row.code for row in exceptions(draw)]
    assert codes == ["probability_zero", "probability_high"]
    device.register(session, staff.supervisor)
    signed = device.signature(staff.supervisor, draw)
    for ticked in ([], codes[:1], codes[1:], [*codes, "pool_small"]):
        with pytest.raises(DomainError, match="逐项勾选") as refused:
            operations.cosign(session, staff.supervisor, draw, signed, ticked)
        assert refused.value.field == "accepted" and draw.state == "committed"
    assert cosigned(session) == []
    operations.cosign(session, staff.supervisor, draw, signed, codes)
    (entry,) = cosigned(session)
    assert [row[:2] for row in entry["accepted"]] == [
        ["probability_zero", "not_needed"], ["probability_high", "small_pool"],
    ]  # fmt: skip
    assert all(len(row[2]) == 64 for row in entry["accepted"]) and draw.state == "cosigned"


def test_without_exceptions_nothing_is_to_be_ticked(session: Session, staff: Staff) -> None:
    make_pool(session)
    draw = request(session, staff, make_round(session))
    operations.commit_draw(session, staff.office, draw)
    device.cosign(session, staff.supervisor, draw)
    (entry,) = cosigned(session)
    assert entry["accepted"] == []


def test_the_page_asks_for_each_one_and_offers_the_refusal(
    app: Any, make: Any, client_as: Callable[..., Any]
) -> None:
    write = app.extensions["mingjian.db"].write
    with write() as session:
        people = Staff(session, make)
        key = with_exceptions(session, people).id
    supervisor, form = client_as(people.supervisor), cosign_form(people, write)
    page = f"{BASE}/{key}/cosign"
    text = supervisor.get(page).text
    assert text.count('type="checkbox" name="accepted"') == 2 and text.count(" required>") >= 2
    assert "办公室的理由：该类专家本来就少" in text and "不同意，中止本次" in text
    order = [
        text.index(mark) for mark in ('id="difference"', 'id="sign"', 'id="refuse"', 'id="pool"')
    ]
    assert order == sorted(order), "the signature stands above the long lists"
    half = supervisor.post(page, data={**form, "accepted": ["probability_high"]})
    assert half.status_code == 422 and "每一项例外都要逐项勾选同意" in half.text
    assert 'value="probability_high" required checked' in half.text
    assert 'value="probability_zero" required checked' not in half.text
    with write() as session:
        assert session.get_one(Draw, key).state == "committed"
    # He does not agree: the attempt ends, and its cause is on record.
    silent = supervisor.post(f"{BASE}/{key}/abort", data={"cause": "exception", "reason": ""})
    assert silent.status_code == 422
    told = {"cause": "exception", "reason": "机会为零的理由不成立"}
    assert supervisor.post(f"{BASE}/{key}/abort", data=told).status_code == 302
    with write() as session:
        assert session.get_one(Draw, key).state == "aborted"
        assert session.scalars(select(Abort)).one().cause == "exception"
    assert "例外未获监督人员同意" in supervisor.get(f"{BASE}/{key}/attempts").text


def test_the_page_takes_both_ticks(app: Any, make: Any, client_as: Callable[..., Any]) -> None:
    write = app.extensions["mingjian.db"].write
    with write() as session:
        people = Staff(session, make)
        key = with_exceptions(session, people).id
    form = cosign_form(people, write) | {"accepted": ["probability_zero", "probability_high"]}
    supervisor = client_as(people.supervisor)
    assert supervisor.post(f"{BASE}/{key}/cosign", data=form).status_code == 302
    with write() as session:
        assert session.get_one(Draw, key).state == "cosigned"
    assert "监督人员会签时逐项同意的例外" in supervisor.get(f"{BASE}/{key}").text


def test_a_small_batch_is_refused_and_then_an_exception_ticked_once_for_all_it_says(
    session: Session, staff: Staff
) -> None:
    """14 people for two panels of 5 on one day."""
    make_pool(session, 14, bodies=14)
    round_ = make_round(session)
    panels = [
        {"id": f"P{n}", "seats": 5, "subjects": [s.id]} for n, s in enumerate(round_.subjects, 1)
    ]
    draw = operations.request_draw(
        session, staff.office, round=round_, stage="desk", panels=panels,
        subject_ids=[s.id for s in round_.subjects],
    )  # fmt: skip
    for name in draw.request["parties"]:
        operations.register_party(
            session, staff.viewer(name), draw, name, chain(staff.secrets[name], 32).hex()
        )
    with pytest.raises(DomainError, match="可用席次 14，不足 2 倍"):
        operations.commit_draw(session, staff.office, draw)
    operations.revise_draw(session, staff.office, draw, panels=panels, accept_high="small_pool")
    operations.commit_draw(session, staff.office, draw)
    by_code = {row.code: row for row in exceptions(draw)}
    assert len(by_code) == len(exceptions(draw))  # one tick for each code
    assert by_code["places_short"].why.en == "the pool is small"
    assert "14 places for 10 seats" in by_code["places_short"].text.en
    device.cosign(session, staff.supervisor, draw)
    (entry,) = cosigned(session)
    assert ["places_short", "small_pool"] in [row[:2] for row in entry["accepted"]]


def test_one_ticket_panel_of_a_large_pool_does_not_hide_who_must_sit(
    session: Session, staff: Staff
) -> None:
    """1,000 rehearsals seat each of 270 people fewer than 20 times: too few to say who has no chance,
    but the only lawyer of a panel that wants one is named and refused all the same."""
    experts = make_pool(session, 270)
    for n, expert in enumerate(experts):
        expert.discipline = "law" if n == 7 else "land"
    append(session, None, "test.one")
    panel = {"quotas": {"discipline": {"law": [1, 5]}}, "mode": "tickets"}
    draw = request(session, staff, make_round(session), panel=panel)
    with pytest.raises(DomainError) as refused:
        operations.commit_draw(session, staff.office, draw)
    assert "1 people must sit (no panel without each of them): E0007" in refused.value.text.en
    shown = operations_what_if.what_if(session, staff.office, draw).summary
    codes = [(g["code"], g["level"]) for g in shown["guards"]]
    assert ("probability_forced", "refuse") in codes and ("chances_rough", "warn") in codes
    assert "probability_zero" not in dict(codes)
    panels = [{"id": "P1", "seats": 5, **panel}]
    operations.revise_draw(session, staff.office, draw, panels=panels, accept_high="rare_specialty")
    operations.commit_draw(session, staff.office, draw)
    assert [row.code for row in exceptions(draw)] == ["probability_forced"]
