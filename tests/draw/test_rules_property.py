"""For any facts: whoever a rule excludes is in no eligible set and in no seat."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.draw import PanelSpec, drill_keys, rehearse
from app.domain.draw.eligibility import evaluate
from app.domain.draw.rules_facts import (
    DateRange,
    Declaration,
    Dispute,
    Engagement,
    ExpertFacts,
    Kin,
    Sanction,
)
from app.draw import pool
from tests.domain.draw.eligibility_cases import ON, RULES, county, expert
from tests.domain.draw.eligibility_cases import at as post_at

FACTS = st.sampled_from([
    ("employments", post_at("hd-gov", since=date(2010, 1, 1))),
    ("employments", post_at("audit-bj", since=date(2010, 1, 1))),
    ("employments", post_at("bj-enforce", since=date(2010, 1, 1), until=date(2009 + 3, 1, 1))),
    ("employments", post_at("plan-co", relation="director", since=date(2010, 1, 1))),
    ("kin", Kin(relation="in_law", other="N0900")),
    ("kin", Kin(relation="unstated", other="110108")),
    ("engagements", Engagement(kind="consulting", subject_code="110108")),
    ("disputes", Dispute(subject_code="110108")),
    ("declarations", Declaration(subject_code="110108", kind="other", side="county", decided="pending")),
    ("declarations", Declaration(subject_code="110108", kind="other", side="self", decided="dismissed")),
    ("sanctions", Sanction(kind="leak", since=date(2001, 1, 1))),
    ("unavailable", DateRange(since=ON, until=ON)),
    ("roles", "keeper"),
])  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(FACTS, max_size=3), min_size=12, max_size=20))
def test_nobody_with_a_block_is_eligible_or_seated(drawn: list[list[tuple[str, Any]]]) -> None:
    people: dict[str, ExpertFacts] = {}
    for number, added in enumerate(drawn):
        values: dict[str, Any] = {"expert_id": f"{number:016x}", "person_id": f"p{number}"}
        base = expert(**values)
        for name, value in added:
            values[name] = (*values.get(name, getattr(base, name) or ()), value)
        people[values["expert_id"]] = expert(**values)
    subjects = [county()]
    judged = {key: evaluate(one, subjects, RULES, ON) for key, one in people.items()}
    spec = PanelSpec("P1", 3, ("110108",), ("2012-11-22",), {}, {}, "tickets")
    found = pool.Assessment(
        dict.fromkeys(people),
        {key: {} for key in people},
        [],
        [spec],
        RULES,  # type: ignore[arg-type, misc]
    )
    for key, verdict in judged.items():
        found.blocked += pool.printed("P1", key, verdict.blocks, subjects)
    blocked = {key for key, verdict in judged.items() if verdict.blocks}
    assert found.excluded("P1") == blocked
    assert {c.id for c in found.roster()} - {e.expert for e in found.exclusions()} == set(
        people
    ) - blocked
    if len(people) - len(blocked) < 3:
        return
    results = rehearse([spec], found.roster(), found.exclusions(), 0, {}, drill_keys(5), 100_000)
    for result in results:
        for panel in result.panels:
            seated = {seat.expert for seat in panel.seats}
            assert len(seated) == 3 and not seated & blocked
