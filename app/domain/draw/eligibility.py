"""Who may sit: the eligibility of one expert for the subjects of a panel, with reasons.

Carries out art. 34 and 40(4) of the national measures of 2015 and the recusal rules of
`scoring_forms/rules.yaml`. A pure function of facts, rule set and reference date: the same input
gives the same verdict in any order of the facts. A rule that lacks data is listed as not computed
and never counts as passed; a rule set may make a lack of data exclude (`when_missing: block`).

    verdict = evaluate(expert, subjects, rules, on=review_date)
    verdict.eligible, verdict.blocks, verdict.warnings, verdict.not_computed
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from app.domain.draw.rules_case import (
    STRENGTH,
    Case,
    Evidence,
    Gap,
    Hit,
    PersonCheck,
    Severity,
    SubjectCheck,
)
from app.domain.draw.rules_conflict import CONFLICT_CHECKS
from app.domain.draw.rules_facts import ExpertFacts, SubjectFacts
from app.domain.draw.rules_pairs import PairFinding, pair_conflicts
from app.domain.draw.rules_place import PLACE_CHECKS, TIE_CHECKS
from app.domain.draw.rules_pool import POOL_CHECKS
from app.domain.draw.rules_schema import SPECS, Where
from app.domain.draw.rules_set import Rule, RuleSet
from app.domain.types import DomainError, Text

Outcome = Literal["block", "warn", "not_computed", "info", "pass", "off"]

CHECKS: dict[str, PersonCheck | SubjectCheck] = {
    **POOL_CHECKS,
    **CONFLICT_CHECKS,
    **PLACE_CHECKS,
    **TIE_CHECKS,
}
"""Rule id -> its check; exactly the rules of scope `person`."""

_ORDER = {rule_id: place for place, rule_id in enumerate(SPECS)}


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact that speaks against the expert, as printed. `subject_code` None = any subject.

    `evidence` holds plain JSON values (ids, dates as YYYY-MM-DD, counts): never a birth date.
    """

    rule_id: str
    subject_code: str | None
    reason: Text
    evidence: Evidence = field(hash=False)
    effect: Severity


@dataclass(frozen=True, slots=True)
class Lack:
    """A fact that a rule needs and the product does not hold."""

    rule_id: str
    subject_code: str | None
    reason: Text


@dataclass(frozen=True, slots=True)
class Verdict:
    """Findings by effect, each in the order of rule, subject, reason.

    `not_computed`: ids of the rules on persons that were not or not wholly decided, `lacks` why;
    rules that bind a panel or the act itself are not listed here (see `explain`). `notes` hold
    findings without effect, such as an exemption that was used or a dismissed request.
    """

    expert_id: str
    on: date
    blocks: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    not_computed: tuple[str, ...]
    lacks: tuple[Lack, ...]

    @property
    def eligible(self) -> bool:
        """No rule blocks. Rules not computed do not block, and are to be printed beside this."""
        return not self.blocks


@dataclass(frozen=True, slots=True)
class Explanation:
    """One rule of the set and what it said, for "why is this expert not eligible?"."""

    rule_id: str
    where: Where
    title: Text
    source: Text
    outcome: Outcome
    reason: Text
    findings: tuple[Finding, ...]
    lacks: tuple[Lack, ...]


def evaluate(
    expert: ExpertFacts, subjects: Sequence[SubjectFacts], rules: RuleSet, on: date
) -> Verdict:
    """Judge `expert` for a panel on all of `subjects`, on the committed review date `on`.

    A conflict with one subject blocks for the panel. Without subjects the rules about subjects are
    not computed. Raises DomainError for a subject named twice.
    """
    findings: list[Finding] = []
    lacks: list[Lack] = []
    for _, found, lacking in _judge(expert, subjects, rules, on):
        findings += found
        lacks += lacking
    named = {lack.rule_id for lack in lacks}
    return Verdict(
        expert_id=expert.expert_id,
        on=on,
        blocks=tuple(f for f in findings if f.effect == "block"),
        warnings=tuple(f for f in findings if f.effect == "warn"),
        notes=tuple(f for f in findings if f.effect == "info"),
        not_computed=tuple(rule_id for rule_id in SPECS if rule_id in named),
        lacks=tuple(lacks),
    )


def explain(
    expert: ExpertFacts, subjects: Sequence[SubjectFacts], rules: RuleSet, on: date
) -> list[Explanation]:
    """Every rule of the set, in its order, with outcome and reason.

    A rule with several answers shows the strongest: block, warn, not computed, info, pass.
    """
    answers: list[Explanation] = []
    for rule, found, lacking in _judge(expert, subjects, rules, on):
        effects = {finding.effect for finding in found}
        outcome: Outcome
        if rule.effect == "off":
            outcome = "off"
            reason = Text("本方案未启用", "not in use in this scheme")
        elif rule.scope != "person":
            outcome = "not_computed"
            settled = rule.settled_at or Text("未写明", "not stated")
            reason = Text(
                f"不按个人计算；落实于：{settled.zh}",
                f"not computed per person; settled at: {settled.en}",
            )
        else:
            outcome = (
                "block"
                if "block" in effects
                else "warn"
                if "warn" in effects
                else "not_computed"
                if lacking
                else "info"
                if "info" in effects
                else "pass"
            )
            texts = [finding.reason for finding in found]
            texts += [
                Text(f"未计算：{lack.reason.zh}", f"not computed: {lack.reason.en}")
                for lack in lacking
            ]
            reason = _joined(texts) if texts else CHECKS[rule.id].passed
        answers.append(
            Explanation(
                rule_id=rule.id,
                where=rule.where,
                title=rule.title,
                source=rule.source,
                outcome=outcome,
                reason=reason,
                findings=tuple(found),
                lacks=tuple(lacking),
            )
        )
    return answers


def _joined(texts: Sequence[Text]) -> Text:
    return Text("；".join(text.zh for text in texts), "; ".join(text.en for text in texts))


def _judge(
    expert: ExpertFacts, subjects: Sequence[SubjectFacts], rules: RuleSet, on: date
) -> Iterator[tuple[Rule, list[Finding], list[Lack]]]:
    codes = [subject.code for subject in subjects]
    if len(set(codes)) != len(codes):
        raise DomainError(
            Text(
                "同一评审对象重复列出，请核对。",
                "a subject is named twice; check the list.",
            ),
            field="subjects",
        )
    raw = {rule.id: _run(expert, subjects, rule, rules, on) for rule in rules}
    _settle_alternatives(rules, raw)
    for rule in rules:
        findings, lacks = raw[rule.id]
        if rule.when_missing == "block":
            findings = findings + [_missing(rule, lack) for lack in lacks]
        yield rule, _sorted(findings), sorted(set(lacks), key=_lack_key)


def _run(
    expert: ExpertFacts,
    subjects: Sequence[SubjectFacts],
    rule: Rule,
    rules: RuleSet,
    on: date,
) -> tuple[list[Finding], list[Lack]]:
    """Findings and lacks of one rule, not yet in order."""
    if rule.scope != "person" or rule.effect == "off":
        return [], []
    if not rule.computed:
        settled = rule.settled_at or Text("未写明", "not stated")
        reason = Text(
            f"本系统无此数据；落实于：{settled.zh}",
            f"no data; settled at: {settled.en}",
        )
        return [], [Lack(rule.id, None, reason)]
    case = Case(expert, rule, on, rules.central_exempt)
    check = CHECKS[rule.id]
    findings: list[Finding] = []
    lacks: list[Lack] = []
    answers: list[tuple[str | None, Hit | Gap]]
    if isinstance(check, PersonCheck):
        answers = [(None, answer) for answer in check.run(case)]
    elif not subjects:
        answers = [(None, Gap(Text("未指定评审对象", "no subject was named")))]
    else:
        answers = [
            (None if answer.general else subject.code, answer)
            for subject in subjects
            for answer in check.run(case, subject)
        ]
    for code, answer in answers:
        if isinstance(answer, Gap):
            lacks.append(Lack(rule.id, code, answer.reason))
        else:
            effect = min(answer.severity, rule.effect, key=STRENGTH.__getitem__)
            findings.append(Finding(rule.id, code, answer.reason, answer.evidence, effect))
    return findings, lacks


def _settle_alternatives(rules: RuleSet, raw: dict[str, tuple[list[Finding], list[Lack]]]) -> None:
    """Of alternatives in use one is enough: a pass frees the other, a lack leaves it undecided."""
    for rule in rules:
        if rule.alternative_to is None:
            continue
        pair = (rules[rule.alternative_to], rule)
        if any(one.effect == "off" for one in pair):
            continue
        if any(raw[one.id] == ([], []) for one in pair):
            for one in pair:
                raw[one.id] = ([], [])
        elif any(raw[one.id][1] for one in pair):
            for one, other in (pair, pair[::-1]):
                findings, lacks = raw[one.id]
                if findings:
                    reason = Text(
                        f"{findings[0].reason.zh}；择一规则 {other.id} 未计算",
                        f"{findings[0].reason.en}; the alternative {other.id} is not computed",
                    )
                    raw[one.id] = ([], [*lacks, Lack(one.id, None, reason)])


def _missing(rule: Rule, lack: Lack) -> Finding:
    effect: Severity = "block" if rule.effect == "off" else rule.effect
    return Finding(
        rule.id,
        lack.subject_code,
        Text(
            f"缺少资料，按方案规定视为不符合：{lack.reason.zh}",
            f"data missing, which this scheme counts as not met: {lack.reason.en}",
        ),
        {"missing": True},
        effect,
    )


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    """In a fixed order and each once, whatever the order of the facts was."""
    keyed = {_finding_key(finding): finding for finding in findings}
    return [keyed[key] for key in sorted(keyed)]


def _finding_key(finding: Finding) -> tuple[int, str, str, str, str]:
    evidence = json.dumps(finding.evidence, sort_keys=True, ensure_ascii=False)
    return (
        _ORDER[finding.rule_id],
        finding.subject_code or "",
        finding.reason.zh,
        evidence,
        finding.effect,
    )


def _lack_key(lack: Lack) -> tuple[int, str, str]:
    return (_ORDER[lack.rule_id], lack.subject_code or "", lack.reason.zh)


__all__ = [
    "CHECKS",
    "ExpertFacts",
    "Explanation",
    "Finding",
    "Lack",
    "Outcome",
    "PairFinding",
    "RuleSet",
    "SubjectFacts",
    "Verdict",
    "evaluate",
    "explain",
    "pair_conflicts",
]
