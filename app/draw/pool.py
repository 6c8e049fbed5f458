"""From the pool to what the engine draws from: verdicts, attributes, exclusions with reasons.

Nothing is stored here. `assess` judges everybody for every panel of a request; what follows from it
is in `outlook` (docs/draw-protocol.md section 8).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.directory.models import Organisation
from app.domain.draw import (
    Candidate,
    Exclusion,
    PanelSpec,
)
from app.domain.draw.eligibility import Finding, evaluate, pair_conflicts
from app.domain.draw.rules_facts import ExpertFacts, SubjectFacts
from app.domain.draw.rules_set import RuleSet
from app.domain.types import Text
from app.draw.facts import Facts, Tree, days_of, draw_kind, pool, subject_facts
from app.draw.standing import barred
from app.programme.models import Round, Subject
from app.programme.queries import rules_of
from app.registry.models import Expert

DRILLS = 1000  # keys of an estimate: with 300 people and 7 seats each is seated 23 times on average
UNKNOWN = "unknown"
Pair = tuple[str, str, str]  # rule, expert, expert
# Counts below 5 and reasons of these would point at a private life or a record (draw.md section 2).
PRIVATE_RULES = frozenset({"C-04", "C-08", "P-07"})


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
    employers: dict[str, str] = field(default_factory=dict)  # organisation id -> name
    # Expert id -> {status, kind, discipline, source, employer, region}: what a later draw compares.
    profiles: dict[str, dict[str, str]] = field(default_factory=dict)
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

    def kept_off(self) -> dict[str, list[str]]:
        """Expert -> the panels he is kept off, for the whole pool."""
        out: dict[str, list[str]] = {key: [] for key in self.experts}
        for row in self.blocked:
            out[row.expert].append(row.panel)
        return out

    def digest(self) -> str:
        """One hash of everybody with attributes and exclusions, and of the rules that judged them."""
        people = [[key, self.attributes[key]] for key in sorted(self.experts)]
        blocked = sorted([b.panel, b.expert, b.rule, b.evidence] for b in self.blocked)
        body = [people, blocked, self.rules.digest()]
        return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()


def assess(session: Session, round_: Round, request: Mapping[str, Any]) -> Assessment:
    """Judge the whole pool by the round's rules, for each panel on its own first day; read only."""
    rules, tree = rules_of(round_), Tree(session)
    experts = pool(session)
    # A supplementary draw fills seats of panels that sit already: these are no other engagement.
    extra = request.get("supplement")
    besides = {extra["root"], extra["of"]} if extra else set()
    read = Facts(session, kind=draw_kind(round_), tree=tree, experts=experts, besides=besides)
    subjects = {s.id: s for s in round_.subjects}
    found = Assessment(experts, {}, [], [], rules)
    warned: dict[str, set[str]] = defaultdict(set)
    unknown: dict[str, set[str]] = defaultdict(set)
    blocked: dict[str, list[Blocked]] = {}
    apart: dict[date, list[Pair]] = {}
    facts: Mapping[str, ExpertFacts] = {}
    for days, panels in by_days(request, round_.review_on):
        if days[0] not in apart:
            facts = read.on(days[0])
            apart[days[0]] = _apart(facts, rules, days[0])
        known = {s.code: s for s in subject_facts(session, round_, tree=tree, days=days)}
        for panel in panels:
            counties = [known[subjects[key].region_code] for key in panel["subjects"]]
            rows = blocked.setdefault(panel["id"], [])
            for key in sorted(facts):
                verdict = evaluate(facts[key], counties, rules, days[0])
                rows += printed(panel["id"], key, verdict.blocks, counties)
                for finding in verdict.warnings:
                    warned[finding.rule_id].add(key)
                for rule_id in verdict.not_computed:
                    unknown[rule_id].add(key)
    found.blocked = [row for panel in request["panels"] for row in blocked[panel["id"]]]
    found.warnings = Counter({rule: len(people) for rule, people in warned.items()})
    found.not_computed = Counter({rule: len(people) for rule, people in unknown.items()})
    _add_attributes(found, request, facts, apart, round_.review_on)
    limits = {panel.id: panel.pair_limits for panel in found.panels}
    found.blocked += [Blocked(*row) for row in barred(found.attributes, limits, request)]
    roots = {a["employer"] for a in found.attributes.values() if "employer" in a} - {UNKNOWN}
    found.employers = {root: tree.bodies[root].name for root in sorted(roots)}
    return found


def by_days(
    request: Mapping[str, Any], default: date
) -> list[tuple[tuple[date, ...], list[Mapping[str, Any]]]]:
    """Panels of a request by the days they sit on, the earliest first (`days_of`)."""
    groups: dict[tuple[date, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for panel in request["panels"]:
        groups[days_of(panel, default)].append(panel)
    return sorted(groups.items(), key=lambda group: group[0])


def _apart(facts: Mapping[str, ExpertFacts], rules: RuleSet, on: date) -> list[Pair]:
    """Pairs that may not sit in one panel on that day."""
    return [
        (pair.rule_id, pair.first, pair.second)
        for pair in pair_conflicts(facts.values(), rules, on)
        if pair.effect == "block"
    ]


def printed(
    panel: str, expert: str, findings: Sequence[Finding], counties: Sequence[SubjectFacts]
) -> list[Blocked]:
    """Findings of one rule joined into one record, reasons as they are printed.

    One and the same reason against several counties is printed once and names them all: a post at
    a rival applicant (C-15) stands against every other county of the panel.
    """
    names = {county.code: county.name for county in counties}
    by_rule: dict[str, list[tuple[Text, Finding]]] = defaultdict(list)
    for finding in findings:
        by_rule[finding.rule_id].append((finding.reason, finding))
    blocked = []
    for rule, rows in by_rule.items():
        reasons = _once(rows, names)
        text = Text("；".join(r.zh for r in reasons), "; ".join(r.en for r in reasons))
        evidence = {"findings": [{"subject": f.subject_code, **f.evidence} for _, f in rows]}
        blocked.append(Blocked(panel, expert, rule, text, evidence))
    return blocked


def _once(rows: Sequence[tuple[Text, Finding]], names: Mapping[str, Text]) -> list[Text]:
    """Reasons in order of appearance; one fact whose words differ by the county's name is one."""
    frames: dict[tuple[tuple[str, ...], tuple[str, ...], str], list[Text]] = {}
    for reason, finding in rows:
        county = names.get(finding.subject_code or "")
        if county and county.zh in reason.zh and county.en in reason.en:
            zh, en = reason.zh.split(county.zh), reason.en.split(county.en)
        else:
            county, zh, en = None, [reason.zh], [reason.en]
        fact = json.dumps(finding.evidence, sort_keys=True)
        found = frames.setdefault((tuple(zh), tuple(en), fact), [])
        if county and county not in found:
            found.append(county)
    return [
        Text(
            "、".join(county.zh for county in counties).join(zh),
            ", ".join(county.en for county in counties).join(en),
        )
        for (zh, en, _), counties in frames.items()
    ]


def _add_attributes(
    found: Assessment,
    request: Mapping[str, Any],
    facts: Mapping[str, ExpertFacts],
    apart: Mapping[date, Sequence[Pair]],
    default: date,
) -> None:
    """Give everybody the attributes that quotas and limits use, no other: they identify people.

    `apart`: first day of a panel -> the pairs that may not sit together then; each panel takes its
    day's. An attribute is one for the whole draw, so the employer is that of the earliest day.
    """
    on = min(apart)
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
        found.profiles[key] = {"status": expert.status} | {a: v or "" for a, v in every.items()}
        found.attributes[key] = {
            a: every[a] or UNKNOWN
            for a in sorted(quoted | limited)
            if a in quoted or every[a] is not None
        }
    every_pair = sorted({pair for pairs in apart.values() for pair in pairs})
    names = {pair: f"pair{number}" for number, pair in enumerate(every_pair, 1)}
    for (_, *two), name in names.items():
        for key in two:
            found.attributes[key][name] = "x"
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
                {
                    **panel["pair_limits"],
                    **{names[p]: 1 for p in apart[days_of(panel, default)[0]]},
                },
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


def organisation_names(session: Session, ids: Iterable[str]) -> dict[str, str]:
    """Names of organisations by id, in one statement."""
    rows = session.execute(
        select(Organisation.id, Organisation.name).where(Organisation.id.in_(set(ids)))
    ).all()
    return dict(rows)  # type: ignore[arg-type]


def load_cap_of(request: Mapping[str, Any]) -> int:
    return int(request["load_cap"])


def known_values(
    session: Session, panels: Sequence[Mapping[str, Any]] | None = None
) -> dict[str, dict[str, str]]:
    """Open attribute -> value -> name: every employer (its root) and every expert's province.

    With `panels`, {} unless one of them has quotas of such an attribute.
    """
    asked = {a for panel in panels or () for a in (panel.get("quotas") or {})}
    if panels is not None and not asked & {"employer", "region"}:
        return {}
    tree = Tree(session)
    roots = sorted({tree.employer(key) for key in tree.bodies})
    codes = session.scalars(select(Expert.region_code).distinct())
    regions = sorted({f"{code[:2]}0000" for code in codes if code})
    return {
        "employer": {root: tree.bodies[root].name for root in roots},
        "region": {code: code for code in regions},
    }


def counties(round_: Round, request: Mapping[str, Any]) -> list[Subject]:
    """The counties of a request in the round's order."""
    wanted = set(request["subjects"])
    return [subject for subject in round_.subjects if subject.id in wanted]
