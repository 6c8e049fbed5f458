"""Acts after the draw: rules kept, codes required, nothing known before the removals are fixed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.draw import (
    Candidate,
    Commitment,
    PanelSpec,
    Removal,
    Result,
    leaf_hash,
    previous_hash,
    removal_record,
    replace,
    select,
    ticket,
)
from app.domain.types import DomainError
from tests.domain.draw.pools import codes, commit, exclusion, key_of, number, people
from tests.domain.draw.test_selection import holds

SPEC = PanelSpec("A", 4, ("s",), (), {"g": {"g0": (1, 3), "g1": (1, 3)}}, {"o": 1})
World = tuple[Commitment, list[Candidate], list[Any], str, Result]


def world(name: object = "r", **more: Any) -> World:
    roster = people(20, {"g": 2, "o": 12}, name)
    out = [exclusion("A", "E0001"), exclusion("A", "E0002", "kin")]
    commitment = commit([SPEC], roster, out, **more)
    key = key_of(commitment, name)
    return commitment, roster, out, key, select(commitment, roster, out, key)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["act", "reserves"]))
def test_every_act_keeps_every_rule(name: int, policy: str) -> None:
    act_codes = policy == "act"
    commitment, roster, out, key, result = world(name, replacement=policy, with_parties=act_codes)
    facts = {c.id: c for c in roster}
    standing: Any = result
    gone: set[str] = set()
    for act in (2, 3, 4):
        seats = [s.expert for s in result.panel("A").seats] if act == 2 else standing.members("A")
        leaver = seats[number(name, act) % len(seats)]
        gone.add(leaver)
        standing = replace(
            commitment, roster, out, key, standing, [Removal("A", leaver, "declined")],
            codes(act) if act_codes else {}, act,
        )  # fmt: skip
        (fill,) = standing.fills
        members = standing.members("A")
        assert not set(members) & (gone | {"E0001", "E0002"})
        if fill.how == "none":
            assert len(members) < 4
            return
        assert holds(SPEC, [facts[m] for m in members])
        if fill.how == "type":
            assert facts[fill.expert].facts["g"] == facts[leaver].facts["g"]
        used = standing.key if act_codes else key
        assert fill.ticket == ticket(used, "A", act if act_codes else 1, fill.expert)


def test_the_lowest_ticket_of_the_type_wins() -> None:
    commitment, roster, out, key, result = world("low", with_parties=True)
    leaver = result.panel("A").seats[1].expert
    done = replace(commitment, roster, out, key, result, [Removal("A", leaver, "ill")], codes(2), 2)
    facts = {c.id: c.facts for c in roster}
    seated = [s.expert for s in result.panel("A").seats]
    others = [e for e in seated if e != leaver]
    able = [
        e
        for e in facts
        if e not in {*seated, "E0001", "E0002"}
        and facts[e]["g"] == facts[leaver]["g"]
        and facts[e]["o"] not in {facts[o]["o"] for o in others}
    ]
    assert done.fills[0].expert == min(able, key=lambda e: ticket(done.key, "A", 2, e))


def test_another_removal_gives_another_key() -> None:
    """The key of an act hangs on the removal record, so a substitute cannot be foreseen."""
    commitment, roster, out, key, result = world("k", with_parties=True)
    seats = [s.expert for s in result.panel("A").seats]
    keys = {
        replace(commitment, roster, out, key, result, [Removal("A", e, reason)], codes(2), 2).key
        for e in seats
        for reason in ("ill", "declined")
    }
    assert len(keys) == 8


def test_records_are_chained() -> None:
    commitment, roster, out, key, result = world("c", with_parties=True)
    first = result.panel("A").seats[0].expert
    removal = Removal("A", first, "ill", "cd" * 32, 1_700_000_000)
    act = replace(commitment, roster, out, key, result, [removal], codes(2), 2)
    record = removal_record(2, previous_hash(commitment, key, result), [removal])
    assert act.document["removal_hash"] == leaf_hash(record)
    second = replace(
        commitment, roster, out, key, act, [Removal("A", act.members("A")[0], "ill")], codes(3), 3
    )
    assert second.document["previous"] == act.hash == leaf_hash(act.document)


@pytest.mark.parametrize("what", ["act", "code", "reuse", "stranger", "twice", "nobody"])
def test_refusals(what: str) -> None:
    commitment, roster, out, key, result = world("x", with_parties=True)
    member = result.panel("A").seats[0].expert
    removals = {
        "stranger": [Removal("A", "E0001", "ill")],
        "twice": [Removal("A", member, "ill"), Removal("A", member, "ill")],
        "nobody": [],
    }.get(what, [Removal("A", member, "ill")])
    given_codes = {"code": codes(3), "reuse": codes(1)}.get(what, codes(2))
    with pytest.raises(DomainError):
        replace(
            commitment, roster, out, key, result, removals, given_codes, 3 if what == "act" else 2
        )


def test_no_substitute_leaves_the_seat_vacant() -> None:
    roster = people(3, {"g": 1}, "few")
    commitment = commit([PanelSpec("A", 3)], roster)
    key = key_of(commitment)
    result = select(commitment, roster, [], key)
    done = replace(commitment, roster, [], key, result, [Removal("A", "E0001", "ill")], {}, 2)
    assert done.fills[0].how == "none" and sorted(done.members("A")) == ["E0000", "E0002"]
    with pytest.raises(DomainError):
        replace(commitment, roster, [], key, done, [Removal("A", "E0001", "ill")], {}, 3)


def test_swap_when_the_type_is_used_up() -> None:
    facts = ["g0", "g1", "g1", "g1"]
    roster = [Candidate(f"E{i}", {"g": g}, bytes([i]) * 16) for i, g in enumerate(facts)]
    spec = PanelSpec("A", 2, quotas={"g": {"g0": (0, 1), "g1": (0, 2)}})
    for name in range(50):
        commitment = commit([spec], roster)
        key = key_of(commitment, name)
        result = select(commitment, roster, [], key)
        if "E0" in {s.expert for s in result.panel("A").seats}:
            done = replace(commitment, roster, [], key, result, [Removal("A", "E0", "ill")], {}, 2)
            assert done.fills[0].how == "swap" and done.fills[0].expert in {"E1", "E2", "E3"}
            return
    raise AssertionError("the only g0 was never drawn in 50 throws")
