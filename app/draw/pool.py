"""From the pool to what the engine draws from: verdicts, attributes, exclusions with reasons.

Nothing is stored here. `assess` judges everybody for every panel of a request; `summary` is what a
page shows before the draw and what a commitment freezes (docs/draw-protocol.md section 8).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from sqlalchemy.orm import Session

from app.domain.draw import (
    Candidate,
    Exclusion,
    Fairness,
    Guard,
    PanelSpec,
    check_feasible,
    check_guards,
    probabilities,
)
from app.domain.draw.eligibility import Finding, evaluate, pair_conflicts
from app.domain.draw.rules_facts import ExpertFacts, SubjectFacts
from app.domain.draw.rules_set import RuleSet
from app.domain.types import DomainError, Text
from app.draw.facts import Tree, draw_kind, expert_facts, pool, subject_facts
from app.programme.models import Round, Subject
from app.programme.queries import rules_of
from app.registry.models import Expert

DRILLS = 1000  # keys of an estimate: with 300 people and 7 seats each is seated 23 times on average
LISTED = 2000  # up to so many people, everybody's chance is kept; above, that of each type
UNKNOWN = "unknown"
# Counts below 5 and reasons of these would point at a private life or a record (draw.md section 2).
PRIVATE_RULES = frozenset({"C-04", "C-08", "P-07"})
KIN_REASON = Text(
    "经认定与{who}负责人有夫妻、直系血亲、三代以内旁系血亲或近姻亲关系",
    "found to be spouse, direct or collateral blood relative or close in-law of a head of {who}",
)


@dataclass(frozen=True)
class Blocked:
    """One rule that keeps one expert off one panel, as it is printed."""

    panel: str
    expert: str
    rule: str
    reason: Text
    evidence: dict[str, Any]


@dataclass
class Assessment:
    """Everybody of the pool judged for every panel of a request, by expert id."""

    experts: dict[str, Expert]
    attributes: dict[str, dict[str, str]]
    blocked: list[Blocked]
    panels: list[PanelSpec]
    rules: RuleSet
    warnings: Counter[str] = field(default_factory=Counter)
    not_computed: Counter[str] = field(default_factory=Counter)

    def roster(self) -> list[Candidate]:
        """The pool for a question without a draw: real ids, and salts that only differ."""
        return [
            Candidate(key, self.attributes[key], number.to_bytes(16, "big"))
            for number, key in enumerate(sorted(self.experts))
        ]

    def exclusions(self) -> list[Exclusion]:
        """One record per panel and expert, for the same question."""
        pairs = sorted({(b.panel, b.expert) for b in self.blocked})
        return [Exclusion(panel, expert, "-", "", "rules", bytes(16)) for panel, expert in pairs]

    def excluded(self, panel: str) -> set[str]:
        return {b.expert for b in self.blocked if b.panel == panel}


def assess(session: Session, round_: Round, request: Mapping[str, Any]) -> Assessment:
    """Judge the whole pool by the round's rules on its review date; read only."""
    rules, tree = rules_of(round_), Tree(session)
    experts = pool(session)
    facts = expert_facts(
        session, round_.review_on, kind=draw_kind(round_), tree=tree, experts=experts
    )
    known = {s.code: s for s in subject_facts(session, round_, tree=tree)}
    subjects = {s.id: s for s in round_.subjects}
    found = Assessment(experts, {}, [], [], rules)
    warned: dict[str, set[str]] = defaultdict(set)
    unknown: dict[str, set[str]] = defaultdict(set)
    for panel in request["panels"]:
        counties = [known[subjects[key].region_code] for key in panel["subjects"]]
        for key in sorted(facts):
            verdict = evaluate(facts[key], counties, rules, round_.review_on)
            found.blocked += printed(panel["id"], key, verdict.blocks, counties)
            for finding in verdict.warnings:
                warned[finding.rule_id].add(key)
            for rule_id in verdict.not_computed:
                unknown[rule_id].add(key)
    found.warnings = Counter({rule: len(people) for rule, people in warned.items()})
    found.not_computed = Counter({rule: len(people) for rule, people in unknown.items()})
    _add_attributes(found, request, facts, round_.review_on)
    return found


def printed(
    panel: str, expert: str, findings: Sequence[Finding], counties: Sequence[SubjectFacts]
) -> list[Blocked]:
    """Findings of one rule joined into one record, reasons as they are printed.

    One and the same reason against several counties is printed once and names them all: a post at
    a rival applicant (C-15) stands against every other county of the panel.
    """
    names = {county.code: county.name for county in counties}
    by_rule: dict[str, list[tuple[Text, str | None, dict[str, Any]]]] = defaultdict(list)
    for finding in findings:
        reason = finding.reason
        if finding.rule_id == "C-04" and "missing" not in finding.evidence:
            who = names.get(finding.subject_code or "", Text("参评区县", "the county"))
            reason = KIN_REASON.format(who=who)
        by_rule[finding.rule_id].append(
            (
                reason,
                finding.subject_code,
                {"subject": finding.subject_code, **finding.evidence},
            )
        )
    blocked = []
    for rule, rows in by_rule.items():
        reasons = _once([(reason, names.get(code or "")) for reason, code, _ in rows])
        text = Text("；".join(r.zh for r in reasons), "; ".join(r.en for r in reasons))
        evidence = {"findings": [found for _, _, found in rows]}
        blocked.append(Blocked(panel, expert, rule, text, evidence))
    return blocked


def _once(rows: Sequence[tuple[Text, Text | None]]) -> list[Text]:
    """Reasons in order of appearance; those that differ by their county's name alone are one.

    Two texts from which each its own county is cut leave the same frame only when they differ
    nowhere else, so a county's name inside an employer's name never merges wrongly.
    """
    frames: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Text]] = {}
    for reason, county in rows:
        named = county is not None and county.zh in reason.zh and county.en in reason.en
        zh = reason.zh.split(county.zh) if county and named else [reason.zh]
        en = reason.en.split(county.en) if county and named else [reason.en]
        found = frames.setdefault((tuple(zh), tuple(en)), [])
        if county is not None and county not in found:
            found.append(county)
    return [
        Text(
            "、".join(county.zh for county in counties).join(zh),
            ", ".join(county.en for county in counties).join(en),
        )
        for (zh, en), counties in frames.items()
    ]


def _add_attributes(
    found: Assessment, request: Mapping[str, Any], facts: Mapping[str, ExpertFacts], on: date
) -> None:
    """Give everybody the attributes that quotas and limits use, no other: they identify people."""
    quoted = {a for panel in request["panels"] for a in panel["quotas"]}
    limited = {a for panel in request["panels"] for a in panel["pair_limits"]}
    for key, expert in found.experts.items():
        every = {
            "kind": expert.kind,
            "discipline": expert.discipline,
            "source": expert.source,
            "employer": _employer(facts[key], on),
            "region": f"{expert.region_code[:2]}0000" if expert.region_code else None,
        }
        found.attributes[key] = {
            a: every[a] or UNKNOWN
            for a in sorted(quoted | limited)
            if a in quoted or every[a] is not None
        }
    pairs = [p for p in pair_conflicts(facts.values(), found.rules, on) if p.effect == "block"]
    for number, pair in enumerate(pairs, 1):
        for key in (pair.first, pair.second):
            found.attributes[key][f"pair{number}"] = "x"
    for panel in request["panels"]:
        gone = found.excluded(panel["id"])
        quotas = {}
        for attribute, rows in panel["quotas"].items():
            present = {found.attributes[key][attribute] for key in found.experts if key not in gone}
            quotas[attribute] = dict.fromkeys(sorted(present), (0, panel["seats"])) | {
                value: (low, high) for value, (low, high) in rows.items()
            }
        found.panels.append(
            PanelSpec(
                panel["id"],
                panel["seats"],
                tuple(panel["subjects"]),
                tuple(panel["dates"]),
                quotas,
                {**panel["pair_limits"], **{f"pair{n}": 1 for n in range(1, len(pairs) + 1)}},
                panel["mode"],
            )
        )


def _employer(facts: ExpertFacts, on: date) -> str | None:
    """The present employer's root: of several posts the one begun last."""
    posts = [
        post
        for post in facts.employments or ()
        if post.relation == "employed" and (post.until is None or post.until >= on)
    ]
    posts.sort(key=lambda post: (post.since or date.min, post.organisation_id))
    return posts[-1].employer_root if posts else None


def chances(
    found: Assessment,
    load_cap: int,
    *,
    lotteries: Mapping[str, Mapping[str, Any]] | None = None,
) -> Fairness:
    """Everybody's probability by expert id; raises DomainError when a lottery admits nobody."""
    return probabilities(
        found.panels,
        found.roster(),
        found.exclusions(),
        load_cap,
        lotteries=lotteries,
        draws=DRILLS,
    )


def guards(found: Assessment, request: Mapping[str, Any], fairness: Fairness | None) -> list[Guard]:
    """All that speaks against committing: warnings and refusals, in printed words."""
    roster, exclusions = found.roster(), found.exclusions()
    if fairness is not None and fairness.draws:
        mean = sum(fairness.probabilities.values(), Fraction(0)) / max(1, len(fairness.pool))
        if mean * fairness.draws < 20:
            fairness = None  # too few drill draws each to call a chance zero or uneven
    out: list[Guard] = []
    for panel in found.panels:
        people = len(roster) - len(found.excluded(panel.id))
        ratio = int(found.rules["D-07"].params["warn_ratio"])
        if people < panel.seats:
            out.append(_few("stratum_short", "refuse", panel, people, 1))
        elif people < ratio * panel.seats:
            out.append(_few("stratum_small", "warn", panel, people, ratio))
    for guard in check_guards(found.panels, roster, exclusions, load_cap_of(request), fairness):
        if guard.code == "probability_high" and request.get("accept_high"):
            guard = Guard(guard.code, "warn", guard.text)
        out.append(_named(guard, found))
    active = sum(e.status == "active" for e in found.experts.values())
    floor = int(found.rules["P-06"].params["min_active"])
    if active < floor and found.rules["P-06"].effect in ("warn", "block"):
        level = "refuse" if found.rules["P-06"].effect == "block" else "warn"
        words = Text(
            "规则 P-06：在库专家 {n} 人，少于 {m} 人",
            "rule P-06: {n} active experts, fewer than {m}",
        ).format(n=active, m=floor)
        out.append(Guard("pool_small", level, words))  # type: ignore[arg-type]
    return out


def load_cap_of(request: Mapping[str, Any]) -> int:
    return int(request["load_cap"])


def _few(code: str, level: Any, panel: PanelSpec, people: int, times: int) -> Guard:
    words = Text(
        "评审组“{p}”：合格专家 {n} 人，席位 {m} 个，不足 {k} 倍（规则 D-07）",
        "panel '{p}': {n} eligible people for {m} seats, below {k} times (rule D-07)",
    ).format(p=panel.id, n=people, m=panel.seats, k=times)
    return Guard(code, level, words)


def _named(guard: Guard, found: Assessment) -> Guard:
    """Ids of people in a guard's text turned into the numbers that the pool knows them by."""
    zh, en = guard.text.zh, guard.text.en
    if guard.code.startswith("probability"):
        for key, expert in found.experts.items():
            zh, en = zh.replace(key, expert.number), en.replace(key, expert.number)
    return Guard(guard.code, guard.level, Text(zh, en))


def relaxations(found: Assessment) -> list[Text]:
    """[] when every panel can be formed, else the smallest relaxations in words, none twice."""
    texts = [r.text for r in check_feasible(found.panels, found.roster(), found.exclusions())]
    return list(dict.fromkeys(texts))


def summary(
    found: Assessment, request: Mapping[str, Any], *, fairness: Fairness | None = None
) -> dict[str, Any]:
    """Pool, exclusions per rule, strata, feasibility and chances as JSON (no floats, no names).

    Shares are decimal strings of six places. `chances` is None when no draw is possible.
    """
    stuck = relaxations(found)
    problem: DomainError | None = None
    if not stuck and fairness is None:
        try:
            fairness = chances(found, load_cap_of(request))
        except DomainError as error:
            problem = error
    per_rule: dict[str, set[str]] = defaultdict(set)
    for row in found.blocked:
        per_rule[row.rule].add(row.expert)
    alerts = guards(found, request, fairness)
    return {
        "pool": len(found.experts),
        "panels": [
            {
                "id": panel.id,
                "seats": panel.seats,
                "excluded": len(found.excluded(panel.id)),
                "eligible": len(found.experts) - len(found.excluded(panel.id)),
            }
            for panel in found.panels
        ],
        "strata": _strata(found),
        "rules": [[rule.id, len(per_rule[rule.id])] for rule in found.rules if rule.id in per_rule],
        "warned": [[r.id, found.warnings[r.id]] for r in found.rules if found.warnings[r.id]],
        "unknown": [
            [r.id, found.not_computed[r.id]] for r in found.rules if found.not_computed[r.id]
        ],
        "feasible": not stuck and problem is None,
        "relaxations": [_pair(t) for t in stuck] + ([_pair(problem.text)] if problem else []),
        "guards": [{"code": g.code, "level": g.level, **_pair(g.text)} for g in alerts],
        "chances": None if fairness is None else _chances(found, fairness),
    }


def _pair(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _strata(found: Assessment) -> list[list[Any]]:
    """[panel, attribute, value, pool, excluded, eligible, least, most] per quota row."""
    rows: list[list[Any]] = []
    for panel in found.panels:
        gone = found.excluded(panel.id)
        for attribute in sorted(panel.quotas):
            for value, (low, high) in panel.quotas[attribute].items():
                people = {k for k, a in found.attributes.items() if a.get(attribute) == value}
                out = len(people & gone)
                rows.append(
                    [panel.id, attribute, value, len(people), out, len(people) - out, low, high]
                )
    return rows


def _chances(found: Assessment, fairness: Fairness) -> dict[str, Any]:
    names = sorted({a for panel in found.panels for a in panel.quotas})
    groups: dict[tuple[str, ...], list[Fraction]] = defaultdict(list)
    for key in fairness.pool:
        vector = tuple(found.attributes[key].get(a, "") for a in names)
        groups[vector].append(fairness.probabilities[key])
    people = {key: share(fairness.probabilities[key]) for key in sorted(fairness.pool)}
    return {
        "method": fairness.method,
        "draws": fairness.draws,
        "certified": fairness.certified,
        "min": share(fairness.minimum),
        "max": share(fairness.maximum),
        "gini": share(fairness.gini),
        "attributes": names,
        "groups": [
            [list(vector), len(values), share(sum(values, Fraction(0)) / len(values))]
            for vector, values in sorted(groups.items())
        ],
        "people": people if len(people) <= LISTED else {},
    }


def share(value: Fraction) -> str:
    """A probability with six decimals, half up."""
    millionths = (value.numerator * 2_000_000 + value.denominator) // (2 * value.denominator)
    whole, rest = divmod(millionths, 1_000_000)
    return f"{whole}.{rest:06d}"


def counties(round_: Round, request: Mapping[str, Any]) -> list[Subject]:
    """The counties of a request in the round's order."""
    wanted = set(request["subjects"])
    return [subject for subject in round_.subjects if subject.id in wanted]
