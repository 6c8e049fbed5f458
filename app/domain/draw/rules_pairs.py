"""Pairs of experts who should not sit in one panel: kin (C-04) and close ties (C-16).

The draw takes these as its pair rules. Practice of science review for ties; Regulation for
implementing the Government Procurement Law art. 9(4) by analogy for kin.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from app.domain.draw.rules_case import STRENGTH, Severity
from app.domain.draw.rules_conflict import KIN_WORDS
from app.domain.draw.rules_facts import ExpertFacts
from app.domain.draw.rules_place import TIE_WORDS
from app.domain.draw.rules_set import Rule, RuleSet
from app.domain.draw.rules_time import overlaps, window_start
from app.domain.types import Text


@dataclass(frozen=True, slots=True)
class PairFinding:
    """Two experts who should not (`warn`) or must not (`block`) sit in one panel."""

    rule_id: str
    first: str
    second: str
    effect: Severity
    reason: Text


def pair_conflicts(
    experts: Iterable[ExpertFacts], rules: RuleSet, on: date
) -> tuple[PairFinding, ...]:
    """Pairs for the panel's pair rules: kin (C-04) and close ties (C-16), each pair once per rule.

    Kin block as C-04 does. Ties of C-16's `apart` kinds block whatever its effect, unless that is
    `info` or `off`; other kinds in use warn. A tie stated by one side is enough. At most k of one
    employer (C-10) is a count, not a pair.
    """
    pool = {expert.expert_id: expert for expert in experts}
    by_person = {expert.person_id: expert.expert_id for expert in pool.values()}
    strongest: dict[tuple[str, str, str], PairFinding] = {}

    def note(rule: Rule, one: str, other: str, wanted: Severity, name: Text) -> None:
        if one == other or rule.effect == "off" or not rule.computed:
            return
        effect: Severity = "info" if rule.effect == "info" else wanted
        first, second = sorted((one, other))
        reason = Text(f"专家 {one} 与 {other}：{name.zh}", f"expert {one}: {name.en} {other}")
        new = PairFinding(rule.id, first, second, effect, reason)
        key = (rule.id, first, second)
        old = strongest.get(key)
        if old is None or (STRENGTH[old.effect], old.reason.zh) < (
            STRENGTH[effect],
            reason.zh,
        ):
            strongest[key] = new

    kin_rule, tie_rule = rules["C-04"], rules["C-16"]
    kin_effect: Severity = "warn" if kin_rule.effect == "warn" else "block"
    first_day = window_start(on, years=int(tie_rule.params["years"]))
    for expert in pool.values():
        for kin in expert.kin or ():
            other = by_person.get(kin.other)
            counted = kin.relation == "unstated" or kin.relation in kin_rule.params["relations"]
            if other is not None and counted:
                note(
                    kin_rule,
                    expert.expert_id,
                    other,
                    kin_effect,
                    KIN_WORDS[kin.relation],
                )
        for tie in expert.ties or ():
            if tie.expert_id not in pool or not overlaps(None, tie.until, first_day, on):
                continue
            apart = tie.kind in tie_rule.params["apart"]
            if apart or tie.kind in tie_rule.params["kinds"]:
                wanted: Severity = "block" if apart else "warn"
                note(
                    tie_rule,
                    expert.expert_id,
                    tie.expert_id,
                    wanted,
                    TIE_WORDS[tie.kind],
                )
    return tuple(strongest[key] for key in sorted(strongest))
