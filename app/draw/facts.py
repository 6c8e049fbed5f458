"""What the eligibility rules are told, read from the registry, the directory and earlier draws.

Carries out S0 art. 34 and the sources of conflict in `scoring_forms/rules.yaml`. A collection that
nobody recorded is None, so that its rule answers "not computed"; registers that this product keeps
itself (absences, seats, declarations) are complete, so an empty one means "none". The number of
queries is the same for ten experts and for twenty thousand.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.accounts.models import RoleGrant
from app.directory import queries as directory
from app.directory.models import Employment as Post
from app.directory.models import Organisation, Person
from app.domain.draw.rules_facts import (
    DateRange,
    Declaration,
    Dispute,
    Employment,
    Engagement,
    ExpertFacts,
    Kin,
    Participation,
    Sanction,
    SubjectFacts,
    Tie,
)
from app.domain.types import Text
from app.draw.models import Draw, Seat
from app.programme.models import Guidance, Round, Subject
from app.registry import queries as registry
from app.registry.models import Expert, Interest

PUBLIC_BODIES = ("government", "authority")
_CODE = re.compile(r"[1-9][0-9]{5}")
# The registry's codes in the words of the rules.
_STATUS = {"barred": "removed"}
_SANCTION = {"criticism": "warning", "bar": "removal"}
_ROLE = {"admin": "sysadmin"}
_DECIDED = {"declared": "pending", "upheld": "upheld", "dismissed": "dismissed"}
_OWN_RULE = ("kin", "dispute", "drafting", "consulting", "earlier_stage")


def draw_kind(round_: Round) -> str:
    """A round that counts is drawn for in earnest; drills and trials get drills."""
    return "real" if round_.kind == "real" else "drill"


@dataclass
class _Links:
    """What an expert's declared interests amount to, by the rule that reads them."""

    kin: list[Kin] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    engagements: list[Engagement] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)
    declarations: list[Declaration] = field(default_factory=list)
    holdings: list[Employment] = field(default_factory=list)


class Tree:
    """The organisations with their chains of superiors, read once."""

    def __init__(self, session: Session) -> None:
        self.bodies = {row.id: row for row in session.scalars(select(Organisation))}
        self.chains = directory.organisation_chain(session)

    def employer(self, organisation_id: str) -> str:
        """The body that counts as one employer (C-10): the highest one of the same nature.

        A ministry is not the employer of its institutes, nor a county of its bureaus.
        """
        found = organisation_id
        for above in self.chains[organisation_id][1:]:
            below, kind = self.bodies[found].kind, self.bodies[above].kind
            if kind in PUBLIC_BODIES and kind != below:
                break
            found = above
        return found

    def below(self, roots: set[str]) -> frozenset[str]:
        """These organisations and everything under them."""
        return frozenset(key for key, chain in self.chains.items() if not roots.isdisjoint(chain))

    def of_region(self, code: str) -> frozenset[str]:
        """A county's government and authorities with everything below them."""
        roots = {
            row.id
            for row in self.bodies.values()
            if row.region_code == code and row.kind in PUBLIC_BODIES
        }
        return self.below(roots)

    def post(
        self, organisation_id: str, relation: str, since: date | None, until: date | None
    ) -> Employment:
        """One post or holding as the rules read it."""
        body = self.bodies[organisation_id]
        region = (
            body.region_code if body.region_code and _CODE.fullmatch(body.region_code) else None
        )
        return Employment(
            organisation_id=body.id,
            organisation=Text(body.name, body.name),
            chain=self.chains[body.id],
            employer_root=self.employer(body.id),
            region_code=region,
            relation=relation,  # type: ignore[arg-type]
            central=body.central,
            since=since,
            until=until,
        )


def pool(session: Session) -> dict[str, Expert]:
    """Every expert, whatever the status, with all that the rules read; six queries."""
    rows = session.scalars(
        select(Expert)
        .options(
            selectinload(Expert.screenings),
            selectinload(Expert.sanctions),
            selectinload(Expert.interests),
            selectinload(Expert.absences),
            selectinload(Expert.person).selectinload(Person.employments),
        )
        .order_by(Expert.id)
    )
    return {row.id: row for row in rows}


def expert_facts(
    session: Session,
    on: date,
    *,
    kind: str | None = None,
    tree: Tree | None = None,
    experts: dict[str, Expert] | None = None,
) -> dict[str, ExpertFacts]:
    """Expert id -> facts on the day `on`, for the whole pool.

    `kind` real or drill counts only the seats of such draws as earlier participations. Needs the
    session's keys for birth dates (the age rule); they go no further than the facts.
    """
    tree = tree or Tree(session)
    experts = pool(session) if experts is None else experts
    roles: dict[str, list[str]] = defaultdict(list)
    for person, role in session.execute(
        select(RoleGrant.person_id, RoleGrant.role).where(RoleGrant.until.is_(None))
    ):
        if role != "expert":
            roles[person].append(_ROLE.get(role, role))
    seats = _participations(session, kind)
    people = dict(session.execute(select(Expert.id, Expert.person_id)).all())
    keys = session.info["keys"]
    return {
        row.id: _facts(row, tree, roles, seats.get(row.id, ()), people, keys)
        for row in experts.values()
    }


def _facts(
    row: Expert,
    tree: Tree,
    roles: Mapping[str, list[str]],
    seats: tuple[Participation, ...],
    people: Mapping[str, str],
    keys: Any,
) -> ExpertFacts:
    links = _links(row, tree, people)
    posts = tuple(_post(tree, post) for post in row.person.employments) + tuple(links.holdings)
    decided = registry.verdicts(row.screenings)
    reviewers = tuple(sorted(who for who, decision in decided.items() if decision == "pass"))
    if row.screening_document:
        # A paper screening from before the pool was kept here stands for its two reviewers.
        reviewers = (*reviewers, "paper:1", "paper:2")
    return ExpertFacts(
        expert_id=row.id,
        person_id=row.person_id,
        kind=row.kind,  # type: ignore[arg-type]
        title_rank=row.title_rank,
        career_start=row.career_start,
        birth_date=directory.birth_date(row.person, keys),
        nomination=bool(row.nominated_by),
        consent=row.consent_at is not None,
        screened_by=reviewers,
        status=_STATUS.get(row.status, row.status),
        review_due=row.review_due,
        last_verified=row.verified_on,
        disciplines=(row.discipline,),
        roles=tuple(sorted(roles.get(row.person_id, ()))),
        sanctions=tuple(
            Sanction(
                kind=_SANCTION.get(s.kind, s.kind),
                since=s.since,
                until=s.until,
                decided_by=s.decided_by,
            )
            for s in row.sanctions
        ),
        employments=posts or None,
        kin=tuple(links.kin) or None,
        ties=tuple(links.ties) or None,
        engagements=tuple(links.engagements) or None,
        disputes=tuple(links.disputes) or None,
        declarations=tuple(links.declarations),
        unavailable=tuple(DateRange(since=a.since, until=a.until) for a in row.absences),
        participations=seats,
    )


def _post(tree: Tree, post: Post) -> Employment:
    return tree.post(post.organisation_id, post.relation, post.since, post.until)


def _links(row: Expert, tree: Tree, people: Mapping[str, str]) -> _Links:
    links = _Links()
    for interest in row.interests:
        if interest.status == "withdrawn":
            continue
        code = _county(interest, tree)
        settled = interest.status == "upheld"
        if interest.other_expert_id is not None:
            _pair(interest, people, links)
        if settled and interest.kind == "shareholding" and interest.organisation_id is not None:
            links.holdings.append(
                tree.post(interest.organisation_id, "shareholder", interest.since, interest.until)
            )
        if code is None or (settled and _weighed_by_tree(interest, code, tree)):
            continue
        if not settled or interest.kind not in _OWN_RULE:
            links.declarations.append(_declaration(interest, code))
        elif interest.kind == "kin":
            # The registry keeps "kin" in the sense of art. 9(4), which treats all degrees alike.
            links.kin.append(Kin(relation="direct", other=code))
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


def _weighed_by_tree(interest: Interest, code: str, tree: Tree) -> bool:
    """Whether C-03 sees this shareholding itself: only a share in one of the county's own bodies."""
    return interest.kind == "shareholding" and any(
        tree.bodies[key].region_code == code and tree.bodies[key].kind in PUBLIC_BODIES
        for key in tree.chains.get(interest.organisation_id or "", ())
    )


def _pair(interest: Interest, people: Mapping[str, str], links: _Links) -> None:
    other = str(interest.other_expert_id)
    if interest.status == "dismissed" or other not in people:
        return
    if interest.kind == "kin":
        links.kin.append(Kin(relation="direct", other=people[other]))
    elif interest.kind in ("coauthor", "teacher_student"):
        kind = "coauthor" if interest.kind == "coauthor" else "teacher"
        links.ties.append(Tie(kind=kind, expert_id=other, until=interest.until))  # type: ignore[arg-type]


def _declaration(interest: Interest, code: str) -> Declaration:
    return Declaration(
        subject_code=code,
        kind=interest.kind,
        side="county" if interest.side == "county" else "self",
        decided=_DECIDED[interest.status],  # type: ignore[arg-type]
        declared_on=interest.declared_at.date(),
        decided_by=None,
        decided_on=interest.decided_at.date() if interest.decided_at else None,
    )


def _participations(session: Session, kind: str | None) -> dict[str, tuple[Participation, ...]]:
    """Expert id -> panels sat on: one per active seat of a completed draw."""
    query = (
        select(Seat.expert_id, Seat.panel, Draw.request, Draw.round_id, Round.review_on)
        .join(Draw, Draw.id == Seat.draw_id)
        .join(Round, Round.id == Draw.round_id)
        .where(Draw.state == "completed", Seat.state != "removed")
    )
    if kind is not None:
        query = query.where(Draw.kind == kind)
    codes = dict(session.execute(select(Subject.id, Subject.region_code)).all())
    found: dict[str, list[Participation]] = defaultdict(list)
    for expert, panel, request, round_id, day in session.execute(query):
        found[expert].append(
            Participation(
                round_id=round_id,
                subject_codes=tuple(codes[s] for s in _subjects_of(request, panel) if s in codes),
                panel_date=day,
            )
        )
    return {expert: tuple(seats) for expert, seats in found.items()}


def _subjects_of(request: Mapping[str, Any], panel: str) -> list[str]:
    return next((list(p["subjects"]) for p in request["panels"] if p["id"] == panel), [])


def subject_facts(
    session: Session, round_: Round, *, tree: Tree | None = None
) -> list[SubjectFacts]:
    """Facts of every county of the round, in its order; four queries."""
    tree = tree or Tree(session)
    rows = list(
        session.scalars(
            select(Subject).where(Subject.round_id == round_.id).order_by(Subject.position)
        )
    )
    guides: dict[str, set[str]] = defaultdict(set)
    assignments = list(
        session.execute(
            select(Guidance.subject_id, Guidance.organisation_id).where(
                Guidance.round_id == round_.id
            )
        )
    )
    for subject_id, organisation_id in assignments:
        guides[subject_id].add(organisation_id)
    own = {row.id: tree.of_region(row.region_code) for row in rows}
    applicants = frozenset[str]().union(*own.values()) if own else frozenset[str]()
    before = _previous_experts(session, round_)
    return [
        SubjectFacts(
            code=row.region_code,
            name=row.name,
            organisation_ids=own[row.id] or None,
            guided_by=frozenset(guides[row.id]) if assignments else None,
            applicant_organisation_ids=applicants or None,
            previous_round_expert_ids=None
            if before is None
            else before.get(row.region_code, frozenset()),
            sitting=DateRange(since=round_.review_on, until=round_.review_on),
        )
        for row in rows
    ]


def _previous_experts(session: Session, round_: Round) -> dict[str, frozenset[str]] | None:
    """Region code -> who sat on it in the round before of the same scheme; None without one."""
    latest = session.scalar(
        select(Round.id)
        .join(Draw, Draw.round_id == Round.id)
        .where(
            Round.scheme_id == round_.scheme_id,
            Round.kind == round_.kind,
            Round.review_on < round_.review_on,
            Round.id != round_.id,
            Draw.state == "completed",
        )
        .order_by(Round.review_on.desc())
        .limit(1)
    )
    if latest is None:
        return None
    codes = dict(
        session.execute(
            select(Subject.id, Subject.region_code).where(Subject.round_id == latest)
        ).all()
    )
    found: dict[str, set[str]] = defaultdict(set)
    for expert, panel, request in session.execute(
        select(Seat.expert_id, Seat.panel, Draw.request)
        .join(Draw, Draw.id == Seat.draw_id)
        .where(Draw.round_id == latest, Draw.state == "completed", Seat.state != "removed")
    ):
        for subject_id in _subjects_of(request, panel):
            found[codes[subject_id]].add(expert)
    return {code: frozenset(experts) for code, experts in found.items()}
