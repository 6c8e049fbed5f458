"""A lottery is solved once from the first look to the cosignature, and what is committed is that."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.domain.draw import leximin
from app.domain.draw.objects import canonical
from app.domain.draw.relabel import relabelled
from app.draw import edition, freezing, operations, operations_what_if, outlook, pool, solved
from app.draw.models import Draw
from app.exercise import device
from tests.draw.builders import Staff, make_pool, make_round, request


@pytest.fixture
def solves(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each question that the solver was asked."""
    calls: list[int] = []
    solve = leximin.leximin

    def counted(*given: Any) -> Any:
        calls.append(1)
        return solve(*given)

    monkeypatch.setattr(leximin, "leximin", counted)
    solved._kept.clear()
    return calls


def in_words(session: Session, draw: Draw) -> bytes:
    """The committed table with the codes of this draw turned back into the register's words."""
    opening = edition.opening_of(session, draw)
    assert opening is not None and draw.snapshot is not None
    return canonical([relabelled(t, opening.codes) for t in draw.snapshot["lotteries"].values()])


def lottery_of(session: Session, staff: Staff, **more: Any) -> Draw:
    return request(
        session, staff, make_round(session, kind="real", slug="a"),
        panel={"mode": "lottery"}, **more,
    )  # fmt: skip


def test_look_commitment_and_cosignature_solve_once(
    session: Session, staff: Staff, solves: list[int]
) -> None:
    make_pool(session)
    draw = lottery_of(session, staff)
    seen = operations_what_if.what_if(session, staff.office, draw)
    assert len(solves) == 1
    found = pool.assess(session, draw.round, draw.request)
    looked = canonical(list(outlook.tables_of(found, outlook.silent).values()))
    operations.commit_draw(session, staff.office, draw)
    device.cosign(session, staff.supervisor, draw)
    edition.full_opening(session, draw)
    assert len(solves) == 1
    assert in_words(session, draw) == looked
    snapshot = draw.snapshot or {}
    assert snapshot["chances"] == seen.summary["chances"]
    assert snapshot["chances"]["certified"]


def test_a_commitment_without_a_look_solves_once(
    session: Session, staff: Staff, solves: list[int]
) -> None:
    make_pool(session)
    draw = lottery_of(session, staff)
    operations.commit_draw(session, staff.office, draw)
    assert len(solves) == 1


def test_the_bytes_do_not_depend_on_what_was_kept(
    session: Session, staff: Staff, solves: list[int]
) -> None:
    make_pool(session)
    draw = lottery_of(session, staff)
    operations_what_if.what_if(session, staff.office, draw)
    kept = freezing.prepare(session, draw)
    solved._kept.clear()
    anew = freezing.prepare(session, draw)
    assert len(solves) == 2

    def words(ready: freezing.Prepared) -> bytes:
        tables = ready.commitment.lotteries.values()
        return canonical([relabelled(t, ready.hidden.codes) for t in tables])

    assert words(kept) == words(anew)
    assert kept.commitment.hash != anew.commitment.hash  # fresh pseudonyms, codes and salts


def test_another_pool_or_request_is_another_question(
    session: Session, staff: Staff, solves: list[int]
) -> None:
    experts = make_pool(session)
    draw = lottery_of(session, staff)
    operations_what_if.what_if(session, staff.office, draw)
    experts[3].consent_at = None
    operations_what_if.what_if(session, staff.office, draw)
    assert len(solves) == 2
    operations.revise_draw(
        session, staff.office, draw, panels=[{"id": "P1", "seats": 7, "mode": "lottery"}]
    )
    operations_what_if.what_if(session, staff.office, draw)
    assert len(solves) == 3


def test_only_the_last_questions_are_kept(
    session: Session, staff: Staff, solves: list[int]
) -> None:
    make_pool(session)
    draw = lottery_of(session, staff)
    found = pool.assess(session, draw.round, draw.request)
    for number in range(solved.KEPT + 1):
        found.panels[0] = found.panels[0].__class__(
            **{
                **{f: getattr(found.panels[0], f) for f in found.panels[0].__slots__},
                "id": f"Q{number}",
            }
        )
        solved.solved(found, lambda: {"x": {}})
    assert len(solved._kept) == solved.KEPT
