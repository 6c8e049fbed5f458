"""The rule set of a round: what each rule says about the pool today, and changing it with a reason.

A change touches draws that are still to be committed. A committed draw keeps the set whose digest
stands in its commitment (docs/draw-protocol.md section 2). What a law demands is never weakened
(`app.domain.draw.rules_binding`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.draw.eligibility import evaluate
from app.domain.draw.rules_binding import binding, refuse_weaker
from app.domain.draw.rules_set import Rule, RuleSet
from app.domain.types import DomainError, NotFound, Text
from app.draw import messages
from app.draw.facts import Tree, draw_kind, expert_facts, pool, subject_facts
from app.draw.models import Draw
from app.draw.models_rules import RuleChange
from app.draw.pool import PRIVATE_RULES
from app.ledger.append import append
from app.programme.guards import while_live, words
from app.programme.models import Round
from app.programme.queries import rules_of
from app.registry.models import Expert

READERS = ("office", "keeper", "supervisor")
AT_ONCE = 60_000  # experts times counties that are judged on a page without being asked: a second
WRITERS = ("office", "keeper")
COMMITTED = ("committed", "cosigned", "completed")
EXEMPTION = "central_exempt"
FEW = "<5"
# Rules about data that no register of this product holds: forms/expert-duty.yaml is filled in on paper.
UNKEPT: Mapping[str, Text] = {
    "A-01": Text(
        "本系统没有专家履职记录的登记（履职评价表在线下填写），无从知道是否按期记录",
        "no register here holds performance records (the form is filled in on paper), so whether they are "
        "made in time is not known",
    ),
    "A-02": Text(
        "本系统没有专家履职成绩的登记，得分和次数都无从计算；不会据此提示或除名任何人",
        "no register here holds marks of performance, so neither mean nor number can be computed; nobody is "
        "proposed or removed by it",
    ),
}
_SAME = Text(
    "与现行规则相同，没有任何改动。", "This is what the rule says already; nothing was changed."
)
_REASON = Text("理由", "Reason")


@dataclass(frozen=True)
class Standing:
    """One rule and how the pool stands to it today, people counted once over all counties.

    Counts are None for a rule that does not judge a person; "<5" where a small number of a private
    rule would point at somebody.
    """

    rule: Rule
    binding: bool
    judged: int | str | None
    excluded: int | str | None
    warned: int | None
    not_computed: int | str | None

    @property
    def unkept(self) -> Text | None:
        """Why it is not computed at all, for a rule whose data are kept nowhere here."""
        return UNKEPT.get(self.rule.id)


def standings(session: Session, viewer: Viewer, round_: Round) -> tuple[list[Standing], int]:
    """Every rule of the round's set, and how many experts of the pool were judged: those in it now.

    A fixed number of queries, whatever the pool; every expert is judged beside every county, so
    `many` says whether that takes seconds.
    """
    viewer.require(*READERS)
    rules, tree, on = rules_of(round_), Tree(session), round_.review_on
    experts = {key: row for key, row in pool(session).items() if row.status == "active"}
    facts = expert_facts(session, on, kind=draw_kind(round_), tree=tree, experts=experts)
    running = {s.region_code for s in round_.subjects if s.status in ("declared", "qualified")}
    counties = [s for s in subject_facts(session, round_, tree=tree) if s.code in running]
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for key, expert in facts.items():
        verdict = evaluate(expert, counties, rules, on)
        for finding in verdict.blocks:
            found[finding.rule_id]["excluded"].add(key)
        for finding in verdict.warnings:
            found[finding.rule_id]["warned"].add(key)
        for rule_id in verdict.not_computed:
            found[rule_id]["not_computed"].add(key)
    return [_standing(viewer, rule, found[rule.id], len(facts)) for rule in rules], len(facts)


def many(session: Session, round_: Round) -> int:
    """Active experts, when judging them beside every county would keep a page waiting; else 0."""
    people = session.scalar(select(func.count()).where(Expert.status == "active")) or 0
    counties = sum(s.status in ("declared", "qualified") for s in round_.subjects)
    return people if people * counties > AT_ONCE else 0


def uncounted(viewer: Viewer, round_: Round) -> list[Standing]:
    """Every rule, without how the pool stands to it."""
    viewer.require(*READERS)
    return [Standing(rule, binding(rule.id), None, None, None, None) for rule in rules_of(round_)]


def _standing(viewer: Viewer, rule: Rule, found: Mapping[str, set[str]], total: int) -> Standing:
    if rule.scope != "person" or rule.effect == "off":
        return Standing(rule, binding(rule.id), None, None, None, None)
    lacking = len(found["not_computed"])
    judged: int | str = total - lacking
    excluded: int | str = len(found["excluded"])
    missing: int | str = lacking
    if rule.id in PRIVATE_RULES and viewer.role != "supervisor":
        # Small numbers of a private rule would point at somebody, zero beside one too.
        excluded = FEW if len(found["excluded"]) < 5 else excluded
        if total - lacking < 5 <= total:
            judged, missing = FEW, f">{total - 5}"
    return Standing(rule, binding(rule.id), judged, excluded, len(found["warned"]), missing)


def rule_named(round_: Round, rule_id: str) -> Rule:
    """One rule of the round's set; NotFound."""
    for rule in rules_of(round_):
        if rule.id == rule_id:
            return rule
    raise NotFound(messages.ABSENT)


def changes(session: Session, viewer: Viewer, round_: Round) -> list[RuleChange]:
    """What was changed in the round, the latest first."""
    viewer.require(*READERS)
    return list(
        session.scalars(
            select(RuleChange)
            .where(RuleChange.round_id == round_.id)
            .order_by(RuleChange.number.desc())
        )
    )


def committed_under(session: Session, viewer: Viewer, round_: Round) -> list[tuple[Draw, str]]:
    """Draws that are committed, each with the digest of the set that it keeps."""
    viewer.require(*READERS)
    rows = session.scalars(
        select(Draw)
        .where(Draw.round_id == round_.id, Draw.state.in_(COMMITTED))
        .order_by(Draw.created_at)
    )
    held = [(row, str((row.commitment or {}).get("rule_set") or "")) for row in rows]
    return [(row, digest) for row, digest in held if digest]


def rules_under(session: Session, round_: Round, digest: str) -> RuleSet | None:
    """The round's rule set of this digest, also after the round has gone on to another."""
    if round_.rules_digest == digest:
        return rules_of(round_)
    row = session.scalar(
        select(RuleChange).where(
            RuleChange.round_id == round_.id,
            (RuleChange.after_digest == digest) | (RuleChange.before_digest == digest),
        )
    )
    if row is None:
        return None
    return RuleSet.load(row.after if row.after_digest == digest else row.before)


def change_rule(
    session: Session,
    actor: Viewer,
    round_: Round,
    rule_id: str,
    *,
    effect: str,
    params: Mapping[str, Any],
    when_missing: str,
    reason: str,
) -> RuleChange:
    """Change effect, parameters, or what a lack of data means, for draws still to be committed.

    DomainError names the field: an unknown value, a weaker rule than a law allows, no reason, or
    nothing changed.
    """
    actor.require(*WRITERS)
    while_live(round_)
    rule_named(round_, rule_id)
    why = words(reason, _REASON, "reason", 2000)
    overrides = {"effect": effect, "params": dict(params), "when_missing": when_missing}
    new = rules_of(round_).with_overrides({"rules": {rule_id: overrides}})
    refuse_weaker(new[rule_id])
    return _replace(session, actor, round_, rule_id, new, why)


def set_exemption(
    session: Session,
    actor: Viewer,
    round_: Round,
    *,
    decided_by: str,
    on: date | None,
    reason_zh: str,
    reason_en: str,
) -> RuleChange:
    """Record the decision that employers at central level are exempt from the place rule (C-09)."""
    actor.require(*WRITERS)
    while_live(round_)
    decision = {
        "decided_by": words(decided_by, Text("决定机关", "Who decided"), "decided_by"),
        "on": (on or round_.review_on).isoformat(),
        "reason": {
            "zh": words(reason_zh, Text("理由（中文）", "Reason (Chinese)"), "reason_zh", 1000),
            "en": words(reason_en, Text("理由（英文）", "Reason (English)"), "reason_en", 1000),
        },
    }
    new = rules_of(round_).with_overrides({EXEMPTION: decision})
    return _replace(session, actor, round_, EXEMPTION, new, decision["reason"]["zh"])  # type: ignore[index]


def end_exemption(session: Session, actor: Viewer, round_: Round, *, reason: str) -> RuleChange:
    """Take the exemption away again."""
    actor.require(*WRITERS)
    while_live(round_)
    why = words(reason, _REASON, "reason", 2000)
    new = rules_of(round_).with_overrides({EXEMPTION: None})
    return _replace(session, actor, round_, EXEMPTION, new, why)


def _replace(
    session: Session, actor: Viewer, round_: Round, what: str, new: RuleSet, reason: str
) -> RuleChange:
    before, digest = round_.rules_digest, new.digest()
    if digest == before:
        raise DomainError(_SAME, field="effect")
    number = session.scalar(
        select(func.count(RuleChange.id)).where(RuleChange.round_id == round_.id)
    )
    row = RuleChange(
        round_id=round_.id, number=(number or 0) + 1, rule_id=what, before=dict(round_.rules),
        after=new.as_mapping(), before_digest=before, after_digest=digest, reason=reason,
        changed_by=actor.id, changed_at=clock.now(),
    )  # fmt: skip
    round_.rules, round_.rules_digest = new.as_mapping(), digest
    session.add(row)
    session.flush()
    append(
        session, actor, "round.rules", round=round_.id, rule=what, number=row.number,
        before=before, after=digest,
    )  # fmt: skip
    return row
