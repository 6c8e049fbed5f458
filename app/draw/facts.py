"""What the rules are told about an expert, read from the registry, the directory and earlier draws.

Carries out S0 art. 34 and the sources of conflict in `scoring_forms/rules.yaml`. A collection that
nobody recorded is None, so that its rule answers "not computed"; registers that this product keeps
itself (absences, seats, declarations) are complete, so an empty one means "none", and so does one
that the expert has stated to be complete. The number of queries is the same for ten experts and for
twenty thousand. Counties: `facts_subjects`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.accounts.models import Account, RoleGrant
from app.directory import queries as directory
from app.directory.models import Employment as Post
from app.directory.models import Person
from app.domain.draw.rules_facts import (
    DateRange,
    Duty,
    Employment,
    ExpertFacts,
    Participation,
    Residence,
    Sanction,
)
from app.domain.draw.rules_time import shift_months
from app.draw import disclosure
from app.draw.facts_links import People, links_of
from app.draw.facts_subjects import contractors_on, days_of, sat_on, subject_facts, subjects_of
from app.draw.models import Draw, Seat
from app.draw.tree import Tree
from app.programme.models import Round, Subject
from app.registry import queries as registry
from app.registry.models import Expert
from app.registry.models_registers import PastPanel

__all__ = ["Facts", "Tree", "days_of", "draw_kind", "expert_facts", "pool", "subject_facts"]

# The registry's codes in the words of the rules.
_STATUS = {"barred": "removed"}
_SANCTION = {"criticism": "warning", "bar": "removal"}
_ROLE = {"admin": "sysadmin"}
STATED_FOR = (
    12  # months that an expert's statement on his ties stands for (rule P-08's first limit)
)
LOOK_BACK = 3  # years that a contractor's work is remembered when an interest is sorted to its rule
Row = TypeVar("Row")


def draw_kind(round_: Round) -> str:
    """A round that counts is drawn for in earnest; drills and trials get drills."""
    return "real" if round_.kind == "real" else "drill"


def pool(session: Session) -> dict[str, Expert]:
    """Every expert, whatever the status, with all that the rules read; eight queries."""
    rows = session.scalars(
        select(Expert)
        .options(
            selectinload(Expert.screenings),
            selectinload(Expert.sanctions),
            selectinload(Expert.interests),
            selectinload(Expert.absences),
            selectinload(Expert.residences),
            selectinload(Expert.tie_statements),
            selectinload(Expert.person).selectinload(Person.employments),
        )
        .order_by(Expert.id)
    )
    return {row.id: row for row in rows}


class Facts:
    """The pool read once, to be asked what the rules may know on one day or another: the panels of a
    batch may sit on days of their own.

    `kind` real or drill counts only the seats of such draws as earlier participations; `besides` are
    draws whose seats are left out of account. Needs the session's keys for birth dates (the age
    rule); they go no further than the facts.
    """

    def __init__(
        self,
        session: Session,
        *,
        kind: str | None = None,
        tree: Tree | None = None,
        experts: dict[str, Expert] | None = None,
        besides: Collection[str] = (),
    ) -> None:
        self.session = session
        self.tree = tree or Tree(session)
        self.experts = pool(session) if experts is None else experts
        self.roles: dict[str, list[str]] = defaultdict(list)
        for person, role in session.execute(
            select(RoleGrant.person_id, RoleGrant.role).where(RoleGrant.until.is_(None))
        ):
            if role != "expert":
                self.roles[person].append(_ROLE.get(role, role))
        self.seats, self.duties = _seats(session, kind, besides)
        for gone, keep in registry.heirs(session).items():  # one person under two records
            self.seats.setdefault(keep, []).extend(self.seats.get(gone, ()))
            self.duties.setdefault(keep, []).extend(self.duties.get(gone, ()))
        keys = session.info["keys"]
        self.births = {
            row.id: directory.birth_date(row.person, keys) for row in self.experts.values()
        }

    def on(self, day: date) -> dict[str, ExpertFacts]:
        """Expert id -> facts on that day; three queries."""
        people = _people(self.session, day)
        return {row.id: _facts(row, self, people, day) for row in self.experts.values()}


def expert_facts(
    session: Session,
    on: date,
    *,
    kind: str | None = None,
    tree: Tree | None = None,
    experts: dict[str, Expert] | None = None,
) -> dict[str, ExpertFacts]:
    """Expert id -> facts on the day `on`, for the whole pool; see `Facts`."""
    return Facts(session, kind=kind, tree=tree, experts=experts).on(on)


def _facts(row: Expert, read: Facts, people: People, on: date) -> ExpertFacts:
    tree, roles = read.tree, read.roles
    links = links_of(row, tree, people)
    stated = _stated(row, on)
    lived = [place for place in row.residences if place.kind == "residence"]
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
        birth_date=read.births[row.id],
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
        kin=_known(links.kin, "kin", stated),
        ties=_known(links.ties, "tie", stated),
        engagements=_known(links.engagements, "engagement", stated),
        disputes=_known(links.disputes, "dispute", stated),
        declarations=tuple(links.declarations),
        holdings_declared="holding" in stated or any(p.relation != "employed" for p in posts),
        birthplace=next((p.region_code for p in row.residences if p.kind == "birthplace"), None),
        residences=_known(
            [Residence(region_code=p.region_code, since=p.since, until=p.until) for p in lived],
            "residence",
            stated,
        ),
        unavailable=tuple(DateRange(since=a.since, until=a.until) for a in row.absences),
        duties=tuple(read.duties.get(row.id, ())),
        participations=tuple(read.seats.get(row.id, ())),
    )


def _known(rows: list[Row], topic: str, stated: frozenset[str]) -> tuple[Row, ...] | None:
    """The rows; without any, none (stated by the expert) or None (nobody asked)."""
    return tuple(rows) if rows or topic in stated else None


def _stated(row: Expert, on: date) -> frozenset[str]:
    """Topics of the statements on ties that still stand on the day `on`."""
    return frozenset(
        str(topic)
        for statement in row.tie_statements
        if on <= shift_months(statement.signed_on, STATED_FOR)
        for topic in statement.topics
    )


def _people(session: Session, on: date) -> People:
    """Three queries for the whole pool."""
    named: dict[str, tuple[str, ...]] = {}
    persons: dict[str, str] = {}
    for expert, person, name in session.execute(
        select(Expert.id, Expert.person_id, Person.name)
        .join(Person, Person.id == Expert.person_id)
        .order_by(Expert.id)
    ):
        persons[expert] = person
        named[name] = (*named.get(name, ()), expert)
    deciders = session.execute(
        select(Account.id, Person.name)
        .join(Person, Person.id == Account.person_id)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(RoleGrant.role == "supervisor")
    ).all()
    return People(persons, named, dict(deciders), contractors_on(session, on, LOOK_BACK))


def _post(tree: Tree, post: Post) -> Employment:
    return tree.post(post.organisation_id, post.relation, post.since, post.until)


def _before(session: Session) -> dict[str, list[Participation]]:
    """Expert id -> panels sat on before this system was in use, as they were recorded."""
    found: dict[str, list[Participation]] = defaultdict(list)
    rows = select(PastPanel).where(PastPanel.struck_at.is_(None)).order_by(PastPanel.id)
    for row in session.scalars(rows):
        if row.since is not None:
            counties = (row.region_code,) if row.region_code else ()
            found[row.expert_id].append(
                Participation(round_id=row.round_name, subject_codes=counties, panel_date=row.since)
            )
    return found


def _seats(
    session: Session, kind: str | None, besides: Collection[str]
) -> tuple[dict[str, list[Participation]], dict[str, list[Duty]]]:
    """Expert id -> panels sat on, one per active seat of a completed draw, each on its panel's first
    day, and for draws in earnest those from before this system; and -> the days taken by seats of
    real draws, which bind nobody in a drill and end with a
    cancelled round."""
    query = (
        select(Seat.expert_id, Seat.panel, Draw.request, Draw.kind, Draw.id, Round)
        .join(Draw, Draw.id == Seat.draw_id)
        .join(Round, Round.id == Draw.round_id)
        .where(Draw.state == "completed", Seat.state != "removed")
        .order_by(Seat.id)
    )
    if kind is not None:
        query = query.where(Draw.kind == kind)
    if besides:
        query = query.where(Draw.id.not_in(besides))
    codes = dict(session.execute(select(Subject.id, Subject.region_code)).all())
    found = _before(session) if kind != "drill" else defaultdict(list)
    duties: dict[str, list[Duty]] = defaultdict(list)
    rows = session.execute(query).all()
    sealed = disclosure.sealed_draws(session, {row.id for row in rows})
    for expert, panel, request, real, draw_id, round_ in rows:
        days = sat_on(request, panel, round_.review_on)
        found[expert].append(
            Participation(
                round_id=round_.id,
                subject_codes=tuple(codes[s] for s in subjects_of(request, panel) if s in codes),
                panel_date=days[0],
            )
        )
        if real == "real" and round_.phase != "cancelled":
            duties[expert].append(Duty(days=days, sealed=draw_id in sealed))
    return found, duties
