"""An expert's declared interests, sorted to the rules that read them (C-03 to C-08, C-12, C-16).

An upheld interest is evidence for its own rule. One that nobody decided yet, or that no rule of its
own can weigh, stands as a declaration: C-05 from the expert's side, C-12 from the county's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.draw.rules_facts import (
    Declaration,
    Dispute,
    Employment,
    Engagement,
    Kin,
    Tie,
)
from app.draw.tree import PUBLIC_BODIES, Tree
from app.registry.models import Expert, Interest

_DECIDED = {"declared": "pending", "upheld": "upheld", "dismissed": "dismissed"}
_OWN_RULE = ("kin", "dispute", "drafting", "consulting", "earlier_stage")


@dataclass(frozen=True)
class People:
    """Who is who, read once: expert id -> person id, name -> expert ids, account id -> name;
    region code -> organisations that worked on the county's application."""

    persons: Mapping[str, str]
    named: Mapping[str, tuple[str, ...]]
    deciders: Mapping[str, str]
    contractors: Mapping[str, frozenset[str]]


@dataclass
class Links:
    """What an expert's declared interests amount to, by the rule that reads them."""

    kin: list[Kin] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    engagements: list[Engagement] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)
    declarations: list[Declaration] = field(default_factory=list)
    holdings: list[Employment] = field(default_factory=list)


def links_of(row: Expert, tree: Tree, people: People) -> Links:
    """Every interest of the expert that was not withdrawn."""
    links = Links()
    for interest in row.interests:
        if interest.status == "withdrawn":
            continue
        code = _county(interest, tree)
        settled = interest.status == "upheld"
        _pair(row, interest, people, links)
        if settled and interest.kind == "shareholding" and interest.organisation_id is not None:
            relation = interest.detail or "shareholder"
            links.holdings.append(
                tree.post(interest.organisation_id, relation, interest.since, interest.until)
            )
        if code is None or (settled and _weighed_by_tree(interest, code, tree, people)):
            continue
        if not settled or interest.kind not in _OWN_RULE:
            links.declarations.append(_declaration(interest, code, people))
        elif interest.kind == "kin":
            links.kin.append(
                Kin(
                    relation=interest.detail or "unstated",  # type: ignore[arg-type]
                    other=interest.head_id or code,
                )
            )
        elif interest.kind == "dispute":
            links.disputes.append(
                Dispute(subject_code=code, since=interest.since, until=interest.until)
            )
        else:
            links.engagements.append(
                Engagement(
                    kind=interest.kind,  # type: ignore[arg-type]
                    subject_code=code,
                    since=interest.since,
                    until=interest.until,
                )
            )
    return links


def _county(interest: Interest, tree: Tree) -> str | None:
    """The county that an interest is about: named itself, or by one of its public bodies."""
    if interest.region_code:
        return interest.region_code
    for key in tree.chains.get(interest.organisation_id or "", ()):
        body = tree.bodies[key]
        if body.kind in PUBLIC_BODIES and body.region_code:
            return body.region_code
    return None


def _weighed_by_tree(interest: Interest, code: str, tree: Tree, people: People) -> bool:
    """Whether C-01, C-02 or C-03 sees this post or share itself: one in the county's own bodies or
    in a contractor of its application."""
    if interest.kind != "shareholding":
        return False
    chain = tree.chains.get(interest.organisation_id or "", ())
    own = any(
        tree.bodies[key].region_code == code and tree.bodies[key].kind in PUBLIC_BODIES
        for key in chain
    )
    return own or not people.contractors.get(code, frozenset()).isdisjoint(chain)


def _pair(row: Expert, interest: Interest, people: People, links: Links) -> None:
    """A tie to other experts. One that is named only holds with every expert of that name: who gave
    the name does not know who is in the pool."""
    if interest.status == "dismissed":
        return
    others = [interest.other_expert_id] if interest.other_expert_id else []
    if not others and interest.other_name and interest.head_id is None:
        others = [key for key in people.named.get(interest.other_name, ()) if key != row.id]
    for other in others:
        if other not in people.persons:
            continue
        if interest.kind == "kin":
            links.kin.append(
                Kin(
                    relation=interest.detail or "unstated",  # type: ignore[arg-type]
                    other=people.persons[other],
                )
            )
        elif interest.kind in ("coauthor", "teacher_student"):
            kind = interest.detail or {"coauthor": "coauthor"}.get(interest.kind, "teacher")
            links.ties.append(Tie(kind=kind, expert_id=other, until=interest.until))  # type: ignore[arg-type]


def _declaration(interest: Interest, code: str, people: People) -> Declaration:
    return Declaration(
        subject_code=code,
        kind=interest.kind,
        side="county" if interest.side == "county" else "self",
        decided=_DECIDED[interest.status],  # type: ignore[arg-type]
        declared_on=interest.declared_at.date(),
        decided_by=people.deciders.get(interest.decided_by or ""),
        decided_on=interest.decided_at.date() if interest.decided_at else None,
    )
