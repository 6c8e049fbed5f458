"""What the eligibility rules are told about a county: its bodies, who guides and supervises it, its
heads and contractors, and who judged it in the round before.

A register without an entry for the county is None, so that its rule answers "not computed".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.draw.rules_facts import DateRange, SubjectFacts
from app.domain.draw.rules_time import overlaps, window_start
from app.draw import disclosure
from app.draw.models import Draw, Seat
from app.draw.tree import Tree
from app.programme.models import Guidance, Round, Subject
from app.programme.queries import rules_of
from app.registry import queries as registry
from app.registry.models_registers import (
    Contractor,
    CountyHead,
    PastPanel,
    SupervisingBody,
)


def contractors_on(session: Session, on: date, years: int) -> dict[str, frozenset[str]]:
    """Region code -> organisations whose work on the county's application meets the window of
    `years` that ends on `on`; a county without an entry is left out."""
    first = window_start(on, years=years)
    found: dict[str, set[str]] = defaultdict(set)
    for row in session.scalars(select(Contractor).where(Contractor.struck_at.is_(None))):
        bodies = found[row.region_code]
        if row.organisation_id and overlaps(row.since, row.until, first, on):
            bodies.add(row.organisation_id)
    return {code: frozenset(bodies) for code, bodies in found.items()}


def days_of(panel: Mapping[str, Any], default: date) -> tuple[date, ...]:
    """The days that a panel of a request sits on, the first one first; it is judged by that one.

    `default` is the round's review date, for a panel that names none.
    """
    return tuple(sorted(date.fromisoformat(day) for day in panel["dates"])) or (default,)


class Registers:
    """The registers of counties as they stand on a panel's first day; three queries.

    Heads and supervising bodies count while in office on that day; contractors whose work meets the
    look-back window of `years` that ends on it.
    """

    def __init__(self, session: Session, on: date, years: int) -> None:
        heads: dict[str, set[str]] = defaultdict(set)
        for head in session.scalars(select(CountyHead).where(CountyHead.struck_at.is_(None))):
            if overlaps(head.since, head.until, on, on):
                heads[head.region_code] |= {head.id, head.person_id or head.id}
        self.heads = {code: frozenset(people) for code, people in heads.items()}
        self.contractors = contractors_on(session, on, years)
        found = [
            body.organisation_id
            for body in session.scalars(
                select(SupervisingBody).where(SupervisingBody.struck_at.is_(None))
            )
            if overlaps(body.since, body.until, on, on)
        ]
        self.supervising = frozenset(found) or None


def subject_facts(
    session: Session, round_: Round, *, tree: Tree | None = None, days: Sequence[date] = ()
) -> list[SubjectFacts]:
    """Facts of every county of the round, in its order; eight queries, whatever the pool.

    `days` are those of the panel, the first one first; without any, the round's review date.
    """
    tree, days = tree or Tree(session), tuple(days) or (round_.review_on,)
    registers = Registers(session, days[0], int(rules_of(round_)["C-03"].params["years"]))
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
    own = {row.id: tree.of_region(row.place_code) for row in rows}
    applicants = frozenset[str]().union(*own.values()) if own else frozenset[str]()
    before, hidden = _previous_experts(session, round_)
    if before is not None:  # one person under two records
        heirs = registry.heirs(session)
        before = {
            code: found | {heirs[key] for key in found if key in heirs}
            for code, found in before.items()
        }
    return [
        SubjectFacts(
            code=row.region_code,
            name=row.name,
            organisation_ids=own[row.id] or None,
            guided_by=frozenset(guides[row.id]) if assignments else None,
            supervised_by=registers.supervising,
            contractor_ids=registers.contractors.get(row.place_code),
            leader_ids=registers.heads.get(row.place_code),
            applicant_organisation_ids=applicants or None,
            previous_round_expert_ids=None
            if before is None
            else before.get(row.region_code, frozenset()),
            withheld_expert_ids=frozenset(hidden.get(row.region_code, ())),
            sitting=tuple(DateRange(since=day, until=day) for day in days),
            parent=row.parent_code,
        )
        for row in rows
    ]


def _previous_experts(
    session: Session, round_: Round
) -> tuple[dict[str, frozenset[str]] | None, dict[str, set[str]]]:
    """Region code -> who sat on it in the round before of the same scheme, None without one; and
    those of them of whom sealed draws alone tell.

    A round from before this system was in use, as its past panels were recorded, counts when it is
    later than every round here; of what scheme it was is not recorded, so it counts for all.
    """
    latest = session.execute(
        select(Round.id, Round.review_on)
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
    ).first()
    older = _panels_before(session, round_.review_on) if round_.kind == "real" else None
    if older is not None and (latest is None or older[0] > latest.review_on):
        return older[1], {}
    if latest is None:
        return None, {}
    codes = dict(
        session.execute(
            select(Subject.id, Subject.region_code).where(Subject.round_id == latest.id)
        ).all()
    )
    rows = session.execute(
        select(Seat.expert_id, Seat.panel, Draw.request, Draw.id)
        .join(Draw, Draw.id == Seat.draw_id)
        .where(Draw.round_id == latest.id, Draw.state == "completed", Seat.state != "removed")
    ).all()
    sealed = disclosure.sealed_draws(session, {row.id for row in rows})
    told: dict[str, set[str]] = defaultdict(set)
    hidden: dict[str, set[str]] = defaultdict(set)
    for expert, panel, request, draw_id in rows:
        for subject_id in subjects_of(request, panel):
            (hidden if draw_id in sealed else told)[codes[subject_id]].add(expert)
    both = {code: frozenset(told[code] | hidden[code]) for code in told.keys() | hidden.keys()}
    return both, {code: hidden[code] - told[code] for code in hidden}


def _panels_before(
    session: Session, review_on: date
) -> tuple[date, dict[str, frozenset[str]]] | None:
    """The last day and the experts by region code of the latest round among the past panels."""
    rows = list(
        session.execute(
            select(
                PastPanel.round_name, PastPanel.region_code, PastPanel.expert_id, PastPanel.since,
                PastPanel.until,
            ).where(PastPanel.struck_at.is_(None), PastPanel.since < review_on)
        )
    )  # fmt: skip
    if not rows:
        return None
    ends: dict[str, date] = {}
    for name, _, _, since, until in rows:
        last = until or since
        if last is not None:
            ends[name] = max(ends.get(name, last), last)
    latest = max(ends, key=lambda name: (ends[name], name))
    found: dict[str, set[str]] = defaultdict(set)
    for name, code, expert, _, _ in rows:
        if name == latest and code:
            found[code].add(expert)
    return ends[latest], {code: frozenset(experts) for code, experts in found.items()}


def subjects_of(request: Mapping[str, Any], panel: str) -> list[str]:
    return next((list(p["subjects"]) for p in request["panels"] if p["id"] == panel), [])


def sat_on(request: Mapping[str, Any], panel: str, default: date) -> tuple[date, ...]:
    """The days of a panel by its id."""
    named = (days_of(p, default) for p in request["panels"] if p["id"] == panel)
    return next(named, (default,))
