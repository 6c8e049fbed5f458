"""What both look at before they agree: whose chance moved in any pool, who meets whom in a lottery."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.draw import pair_lifts
from app.draw import operations, operations_what_if, pages, queries_request, type_chances
from app.draw.models import Draw
from app.exercise import device
from app.ledger.append import append
from app.registry.models import Expert
from tests.draw.builders import Staff, make_body, make_expert, make_pool, make_round, request


def test_a_large_pool_is_compared_by_types(
    session: Session, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above `LISTED` people no figure a person is kept; whose chance moved is still found, and what
    is stored does not grow with the pool."""
    experts = make_pool(session)
    lottery = {"panel": {"mode": "lottery", "quotas": {"kind": {"management": [1, 1]}}}}
    first = request(session, staff, make_round(session), **lottery)
    operations.commit_draw(session, staff.office, first)
    device.cosign(session, staff.supervisor, first)
    monkeypatch.setattr(type_chances, "LISTED", 50)
    managers = [e for e in experts if e.kind == "management"]
    for expert in managers[:6]:
        expert.status = "retired"
    new = make_expert(session, 901, make_body(session, "测试新院", "institute", "420102"))
    append(session, None, "test.fewer")
    session.expire_all()
    second = request(session, staff, make_round(session, slug="r2"), **lottery)
    operations.commit_draw(session, staff.office, second)
    chances, stored = second.snapshot["chances"], second.snapshot["difference"]
    assert chances["people"] == {} and 1 < len(chances["types"]) <= 50
    assert sum(people for _, people, _ in chances["types"]) == len(experts) + 1 - 6
    assert stored["by_type"] == 1 and len(stored["chances"]) == 10
    then = {row[0]: Decimal(row[1]) if row[1] else None for row in stored["chances"]}
    now = {row[0]: Decimal(row[2]) if row[2] else None for row in stored["chances"]}
    # 12 managers shared one seat, six of them are left: those who went lost 1/12, those who stayed won it.
    exact = {k: Decimal(v) for k, v in first.snapshot["chances"]["people"].items()}
    assert {k for k, v in now.items() if v is None} == {e.id for e in managers[:6]} & set(now)
    for key, value in then.items():
        if value is not None:
            assert abs(value - exact[key]) < Decimal("0.02")
    assert {e.id for e in managers} & set(now) and new.id not in {k for k in now if then[k]}
    # Both small and large, now both large: compared by type again, without a new query of anybody.
    device.cosign(session, staff.supervisor, second)
    third = request(session, staff, make_round(session, slug="r3"), **lottery)
    operations.commit_draw(session, staff.office, third)
    assert third.snapshot["difference"]["chances"] == []
    words = queries_request.difference(session, stored)
    assert words.by_type and len(words.chances) == 10


def test_types_that_are_too_many_fall_back_to_the_quotas(
    session: Session, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty employers times kinds are more types than may be kept: kinds alone are."""
    make_pool(session)
    monkeypatch.setattr(type_chances, "LISTED", 10)
    panel = {"mode": "lottery", "quotas": {"kind": {"management": [1, 1]}}}
    draw = request(session, staff, make_round(session), panel=panel)
    shown = operations_what_if.what_if(session, staff.office, draw).summary["chances"]
    assert shown["typed_by"] == ["kind"] and len(shown["types"]) == 3
    profiles = {"x": {"kind": "management"}, "y": {"kind": "?"}}
    seen = type_chances.of_everybody(shown, profiles, profiles)
    assert seen == {"x": next(s for v, _, s in shown["types"] if v == ["management"])}


def test_pairs_that_meet_too_often_stand_before_both_who_agree(
    client_as: Any, app: Any, make: Any
) -> None:
    """A quota that forces two small types together cannot be evened out: it is said to both."""
    write = app.extensions["mingjian.db"].write
    with write() as session:
        body = make_body(session, "测试独院", "institute", "420102")
        other = make_body(session, "测试又院", "institute", "420102")
        make_pool(session)
        one = make_expert(session, 700, body, kind="management", discipline="law", source="company")
        two = make_expert(
            session, 701, other, kind="management", discipline="law", source="company"
        )
        append(session, None, "test.two")
        people = Staff(session, make)
        quotas = {"discipline": {"law": [0, 1]}, "source": {"company": [0, 1]}}
        draw = request(
            session, people, make_round(session),
            panel={"mode": "lottery", "seats": 7, "quotas": quotas},
        )  # fmt: skip
        row = operations_what_if.what_if(session, people.office, draw)
        pairs = row.summary["meetings"]
        lifts = [abs(Decimal(p[3]) - Decimal(p[4])) for p in pairs]
        assert 10 < len(pairs) <= 20 and lifts[0] > 0
        # In order before each share was rounded to six places: afterwards within two halves of one.
        assert all(a - b >= Decimal("-0.000001") for a, b in pairwise(lifts))
        assert [one.id, two.id] not in [sorted(p[1] + p[2]) for p in pairs]  # these can never meet
        names = {e.id: f"{e.number} {e.person.name}" for e in session.scalars(select(Expert))}
        key, first = draw.id, [names[k] for k in pairs[0][1]]
        percent = pages.percent(pairs[0][3])
    for role in (people.office, people.supervisor):
        text = client_as(role).get(f"/r/r1/draws/{key}").text
        assert (
            "谁和谁更容易同组" in text
            and "更常同组</td>" in text
            and percent in text
            and all(n in text for n in first)
        )
    with write() as session:
        operations.commit_draw(session, people.office, session.get_one(Draw, key))
        device.register(session, people.supervisor)
        draw = session.get_one(Draw, key)
        # What both see is of the table that was committed, not of one solved for the what-if.
        (table,) = draw.snapshot["lotteries"].values()
        who = {c.pseudonym: c for c in draw.candidates}
        vectors = {code: tuple(values) for code, _, values in table["types"]}
        members: dict[tuple[str, ...], set[str]] = {}
        for c in who.values():
            facts = tuple(c.facts.get(a, "") for a in table["attributes"])
            members.setdefault(facts, set()).add(c.expert_id)
        lifts = pair_lifts(table, top=20)
        stored = {(frozenset(a), frozenset(b), x) for _, a, b, x, _ in draw.snapshot["meetings"]}
        assert stored == {
            (frozenset(members[vectors[a]]), frozenset(members[vectors[b]]), type_chances.share(x))
            for a, b, x, _ in lifts
        }
        percent = pages.percent(draw.snapshot["meetings"][0][3])
    text = client_as(people.supervisor).get(f"/r/r1/draws/{key}/cosign").text
    assert text.count('id="meetings"') == 1 and percent in text
    assert client_as(people.office).get(f"/r/r1/draws/{key}").text.count('id="meetings"') == 1
