"""What differs between the pools of two committed draws: people, attributes, exclusions.

Each commitment froze its pool (docs/draw-protocol.md section 2); nothing of today's register enters.
Rules that touch private life are named to a supervisor alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.directory.models import Organisation, Person
from app.domain.types import NotFound, Text
from app.draw import messages
from app.draw.models import ORDER_STAGES, Candidate, Draw
from app.draw.pool import PRIVATE_RULES
from app.draw.queries import PRIVATE
from app.draw.wording import value_words
from app.programme.models import Round
from app.registry import words as registry_words
from app.registry.models import Expert

STATUS = Text("状态", "Status")


@dataclass(frozen=True, slots=True)
class Frozen:
    """One frozen pool: profile and exclusions by expert id."""

    people: dict[str, dict[str, str]]
    rules: dict[str, dict[str, Text]]  # expert -> rule -> printed reason


@dataclass(frozen=True, slots=True)
class Change:
    """One person, and what is different about him. `what`: an attribute or rule; old/new in words."""

    number: str
    name: str
    what: Text
    old: Text
    new: Text


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything between two snapshots; each list by expert's number."""

    before: Draw
    after: Draw
    sizes: tuple[int, int]
    added: list[Change]
    removed: list[Change]
    attributes: list[Change]
    exclusions: list[Change]

    @property
    def total(self) -> int:
        return sum(map(len, (self.added, self.removed, self.attributes, self.exclusions)))


def committed(session: Session, viewer: Viewer) -> list[Draw]:
    """Every draw with a frozen pool, latest first."""
    viewer.require("supervisor")
    return list(
        session.scalars(
            select(Draw)
            .join(Round, Round.id == Draw.round_id)
            .where(Draw.commitment_hash.is_not(None), Draw.stage.not_in(ORDER_STAGES))
            .order_by(Draw.commitment_seq.desc(), Draw.id)
        )
    )


def difference(session: Session, viewer: Viewer, before_id: str, after_id: str) -> Difference:
    """The frozen pool of one draw held against that of another: five queries. NotFound for a draw
    that is unknown or was never committed."""
    viewer.require("supervisor")
    draws = {
        draw.id: draw
        for draw in session.scalars(
            select(Draw).where(
                Draw.id.in_({before_id, after_id}),
                Draw.commitment_hash.is_not(None),
                Draw.stage.not_in(ORDER_STAGES),
            )
        )
    }
    if before_id not in draws or after_id not in draws:
        raise NotFound(messages.ABSENT)
    before, after = draws[before_id], draws[after_id]
    old, new = _frozen(session, viewer, before), _frozen(session, viewer, after)
    people = _people(session, set(old.people) | set(new.people))
    values = {
        v for pool in (old, new) for p in pool.people.values() for a, v in p.items()
        if a == "employer"
    }  # fmt: skip
    employers = _organisations(session, values)
    both = sorted(set(old.people) & set(new.people), key=lambda k: people[k])
    comparable = {a for p in old.people.values() for a in p} & {
        a for p in new.people.values() for a in p
    }

    def words(attribute: str, value: str | None) -> Text:
        if value is None or value == "":
            return Text("（无）", "(none)")
        if attribute == "status":
            return registry_words.STATUS.get(value, Text.of(value))
        return value_words(attribute, value, employers)

    def whole(keys: set[str]) -> list[Change]:
        nothing = Text("", "")
        return [
            Change(*people[k], nothing, nothing, nothing)
            for k in sorted(keys, key=lambda k: people[k])
        ]

    attributes = [
        Change(
            *people[k],
            STATUS if a == "status" else messages.ATTRIBUTE.get(a, Text.of(a)),
            words(a, old.people[k].get(a)),
            words(a, new.people[k].get(a)),
        )
        for k in both
        for a in sorted(comparable)
        if old.people[k].get(a) != new.people[k].get(a)
    ]
    free, out = Text("可抽", "eligible"), Text("排除", "excluded")
    exclusions = [
        Change(
            *people[k],
            Text.of(rule),
            out if rule in old.rules.get(k, {}) else free,
            new.rules[k][rule] if rule in new.rules.get(k, {}) else free,
        )
        for k in both
        for rule in sorted(set(old.rules.get(k, {})) ^ set(new.rules.get(k, {})))
    ]
    return Difference(
        before, after, (len(old.people), len(new.people)),
        whole(set(new.people) - set(old.people)), whole(set(old.people) - set(new.people)),
        attributes, exclusions,
    )  # fmt: skip


def _frozen(session: Session, viewer: Viewer, draw: Draw) -> Frozen:
    """Profiles as the commitment kept them, or the facts of its leaves where none were kept."""
    rows = session.execute(
        select(Candidate.expert_id, Candidate.facts, Candidate.exclusions).where(
            Candidate.draw_id == draw.id
        )
    ).all()
    snapshot: Mapping[str, Any] = draw.snapshot or {}
    kept: Mapping[str, dict[str, str]] = snapshot.get("people", {})
    bodies: Mapping[str, str] = snapshot.get("employers", {})
    people = {
        row.expert_id: dict(kept.get(row.expert_id) or _clear(row.facts, bodies)) for row in rows
    }
    rules: dict[str, dict[str, Text]] = {}
    for row in rows:
        for x in row.exclusions:
            hidden = x["rule"] in PRIVATE_RULES and viewer.role != "supervisor"
            reason = PRIVATE if hidden else Text(x["zh"], x["en"])
            rules.setdefault(row.expert_id, {})[x["rule"]] = reason
    return Frozen(people, rules)


def _clear(facts: Mapping[str, str], bodies: Mapping[str, str]) -> dict[str, str]:
    return {
        a: bodies.get(v, v) if a == "employer" else v
        for a, v in facts.items()
        if not a.startswith("pair") and a != "identity"
    }


def _people(session: Session, ids: set[str]) -> dict[str, tuple[str, str]]:
    rows = session.execute(
        select(Expert.id, Expert.number, Person.name).join(Person, Person.id == Expert.person_id)
    )
    return {row.id: (row.number, row.name) for row in rows if row.id in ids}


def _organisations(session: Session, ids: set[str]) -> dict[str, str]:
    rows = session.execute(select(Organisation.id, Organisation.name))
    return {row.id: row.name for row in rows if row.id in ids}
