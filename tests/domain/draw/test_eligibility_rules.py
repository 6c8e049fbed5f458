"""The rule set as data: strict loading, overrides, digest."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import pytest
import rfc8785

from app.domain.draw.eligibility import evaluate
from app.domain.draw.rules_set import RuleSet
from app.domain.types import DomainError

from .eligibility_cases import EXEMPT, RULES, county, expert

Mapping = dict[str, Any]


def changed(rule_id: str, **changes: Any) -> Mapping:
    mapping = RULES.as_mapping()
    for row in mapping["rules"]:
        if row["id"] == rule_id:
            row.update(changes)
    return mapping


def without(rule_id: str, key: str) -> Mapping:
    mapping = RULES.as_mapping()
    for row in mapping["rules"]:
        if row["id"] == rule_id:
            del row[key]
    return mapping


def only(keep: Any) -> Mapping:
    mapping = RULES.as_mapping()
    return mapping | {"rules": [row for row in mapping["rules"] if keep(row)]}


def twice() -> Mapping:
    mapping = RULES.as_mapping()
    return mapping | {"rules": [*mapping["rules"], mapping["rules"][0]]}


@pytest.mark.parametrize(
    ("mapping", "named"),
    [
        (changed("C-01", id="C-99"), "C-99"),
        (only(lambda row: row["id"] != "C-14"), "C-14"),
        (twice(), "P-01"),
        (changed("C-01", params={"years": 3, "months": 1}), "months"),
        (changed("C-01", params={}), "years"),
        (changed("C-01", params={"years": "3"}), "years"),
        (changed("C-01", params={"years": True}), "years"),
        (changed("C-01", params={"years": 2.5}), "years"),
        (changed("C-01", params={"years": -1}), "years"),
        (changed("C-09", params={"years": 0, "level": "village"}), "level"),
        (changed("C-04", params={"relations": ["cousin"]}), "relations"),
        (
            changed("P-08", params={"warn_months": 24, "block_months": 24}),
            "warn_months",
        ),
        (changed("P-03", params={"limit": 70, "relaxed": [{"limit": 75}]}), "relaxed"),
        (changed("C-01", effect="forbid"), "effect"),
        (changed("C-11", effect=False), "off"),
        (changed("C-01", when_missing="pass"), "when_missing"),
        (changed("C-01", computed="yes"), "computed"),
        (changed("C-01", computed=False), "settled_at"),
        (changed("D-01", computed=True), "D-01"),
        (changed("C-01", where="pool"), "where"),
        (changed("C-01", alternative_to="C-02"), "alternative_to"),
        (changed("C-01", severity="high"), "severity"),
        (changed("C-01", title={"zh": "只有中文"}), "title"),
        (changed("C-01", source={"zh": "有", "en": " "}), "source"),
        (without("C-01", "effect"), "effect"),
        (
            RULES.as_mapping() | {"central_exempt": {"decided_by": "x"}},
            "central_exempt",
        ),
        (
            RULES.as_mapping() | {"central_exempt": EXEMPT | {"on": "soon"}},
            "central_exempt",
        ),
        (
            RULES.as_mapping() | {"central_exempt": EXEMPT | {"decided_by": " "}},
            "central_exempt",
        ),
        (RULES.as_mapping() | {"extra": 1}, "extra"),
    ],
)
def test_what_is_not_understood_is_refused(mapping: Mapping, named: str) -> None:
    with pytest.raises(DomainError) as refusal:
        RuleSet.load(mapping)
    assert named in f"{refusal.value.text.en} {refusal.value.field}"
    assert refusal.value.text.zh.startswith("规则集未采用")


def test_recalled_sources_say_so() -> None:
    for rule in RULES:
        marked = ("待确认" in rule.source.zh, "to confirm" in rule.source.en)
        assert marked == (rule.confirm, rule.confirm), rule.id
        assert (rule.settled_at is None) is rule.computed, rule.id


def test_stored_form_round_trips_and_is_what_rfc_8785_gives() -> None:
    for rules in (RULES, RULES.with_overrides({"central_exempt": EXEMPT})):
        assert RuleSet.load(rules.as_mapping()) == rules
        canonical = rfc8785.dumps(rules.as_mapping())
        assert rules.digest() == hashlib.sha256(canonical).hexdigest()


def test_digest_follows_every_change_and_not_the_order_of_the_file() -> None:
    shuffled = RULES.as_mapping()
    shuffled["rules"].reverse()
    assert RuleSet.load(shuffled).digest() == RULES.digest()
    digests = {RULES.digest()}
    for overrides in (
        {"rules": {"C-09": {"params": {"level": "prefecture"}}}},
        {"rules": {"C-16": {"effect": "block"}}},
        {"rules": {"P-03": {"when_missing": "block"}}},
        {"central_exempt": EXEMPT},
        {"id": "beijing-2012"},
    ):
        digests.add(RULES.with_overrides(overrides).digest())
    assert len(digests) == 6


def test_overrides_leave_the_original_alone_and_are_checked() -> None:
    before = RULES.digest()
    eased = RULES.with_overrides({"rules": {"P-03": {"params": {"limit": 75}}}})
    old = expert(birth_date=date(1940, 1, 1))
    assert [f.rule_id for f in evaluate(old, [county()], RULES, date(2012, 11, 22)).blocks] == [
        "P-03"
    ]
    assert evaluate(old, [county()], eased, date(2012, 11, 22)).eligible
    assert RULES.digest() == before
    # one parameter changed, the others kept
    wider = RULES.with_overrides({"rules": {"C-02": {"params": {"years": 5}}}})
    assert wider["C-02"].params["relations"] == RULES["C-02"].params["relations"]
    for wrong in (
        {"rules": {"X-01": {"effect": "off"}}},
        {"rules": {"C-01": {"title": {"zh": "甲", "en": "a"}}}},
        {"rules": {"C-01": {"params": {"yeras": 3}}}},
        {"rules": {"C-01": {"effect": "none"}}},
        {"rule": {}},
    ):
        with pytest.raises(DomainError):
            RULES.with_overrides(wrong)


def test_effect_weakens_a_finding_or_switches_it_off() -> None:
    facts, on = expert(consent=False), date(2012, 11, 22)

    def judged(effect: str) -> tuple[int, int, int]:
        rules = RULES.with_overrides({"rules": {"P-04": {"effect": effect}}})
        verdict = evaluate(facts, [county()], rules, on)
        return len(verdict.blocks), len(verdict.warnings), len(verdict.notes)

    assert [judged(e) for e in ("block", "warn", "info", "off")] == [
        (1, 0, 0),
        (0, 1, 0),
        (0, 0, 1),
        (0, 0, 0),
    ]


def test_a_rule_without_data_in_this_deployment_is_reported() -> None:
    mapping = changed("C-08", computed=False, settled_at={"zh": "承诺书", "en": "commitment"})
    verdict = evaluate(expert(), [county()], RuleSet.load(mapping), date(2012, 11, 22))
    assert verdict.not_computed == ("C-08",)


def test_the_age_limit_is_raised_by_a_recorded_decision_for_one_discipline() -> None:
    decision = {
        "discipline": "mining",
        "limit": 73,
        "decided_by": "创建活动办公室",
        "date": "2012-10-08",
        "reason": "专家不足",
    }
    rules = RULES.with_overrides({"rules": {"P-03": {"params": {"relaxed": [decision]}}}})
    on = date(2012, 11, 22)

    def may_sit(discipline: str, birth: date) -> bool:
        facts = expert(birth_date=birth, disciplines=(discipline,))
        return evaluate(facts, [county()], rules, on).eligible

    assert may_sit("mining", date(1940, 1, 1))  # 72
    assert not may_sit("mining", date(1939, 11, 22))  # 73 on the day
    assert not may_sit("land", date(1940, 1, 1))


def test_yaml_reads_an_unquoted_on_as_true() -> None:
    parts: dict[Any, Any] = {k: v for k, v in EXEMPT.items() if k != "on"}
    exempt = RULES.with_overrides({"central_exempt": parts | {True: date(2012, 10, 8)}})
    assert exempt.digest() == RULES.with_overrides({"central_exempt": EXEMPT}).digest()
