"""Reading what surrounds a request: whether a look still holds, who looked, templates, differences."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.directory.models import Organisation, Person
from app.directory.queries import like
from app.domain.types import NotFound, Text
from app.draw import messages
from app.draw.freezing import request_digest
from app.draw.models import Draw
from app.draw.models_request import RequestTemplate, WhatIf
from app.draw.wording import value_words
from app.ledger import prove
from app.ledger.models import Event, Secret
from app.programme.models import Round
from app.registry import queries as registry
from app.registry import words
from app.registry.models import Expert

# Tables that `pool.assess` reads: an entry about a row of theirs may change who is eligible.
READ = frozenset(
    {
        "absence", "county_tie", "employment", "expert", "guidance", "interest", "organisation", "person",
        "region", "region_change", "role_grant", "round", "sanction", "screening", "seat", "subject",
    }
)  # fmt: skip


def outdated(session: Session, draw: Draw, row: WhatIf) -> Text | None:
    """Why a look no longer holds, or None. Raw changes that no entry records are `doctor`'s."""
    if row.request_digest != request_digest(draw.request):
        return Text("申请在试算之后改过", "the request was changed after it")
    if prove.head(session).size <= row.ledger_size + 1:
        return None
    later = session.execute(
        select(Event.payload, Secret.body)
        .outerjoin(Secret, Secret.seq == Event.seq)
        .where(Event.seq >= row.ledger_size)
    )
    entries = 0
    for payload, body in later:
        tables = {r[0] for r in json.loads(body or payload).get("rows", ())}
        entries += bool(tables & READ)
    if not entries:
        return None
    return Text(
        "此后专家库、单位、区县或规则有 {n} 条变动记录",
        "entries made after it about the pool, employers, counties or rules: {n}",
    ).format(n=entries)


@dataclass(frozen=True)
class Looker:
    """Who looked at a draft, and how often."""

    name: str
    looks: int


def lookers(session: Session, draws: Iterable[Draw]) -> dict[str, list[Looker]]:
    """Draw id -> who computed what-ifs of it, most first; the system has the name ""."""
    wanted = [draw.id for draw in draws]
    rows = session.execute(
        select(WhatIf.draw_id, WhatIf.actor_id, func.count(WhatIf.id))
        .where(WhatIf.draw_id.in_(wanted))
        .group_by(WhatIf.draw_id, WhatIf.actor_id)
    ).all()
    names = registry.account_names(session, {who for _, who, _ in rows})
    found: dict[str, list[Looker]] = {key: [] for key in wanted}
    for key, who, looks in rows:
        found[key].append(Looker(names.get(who or "", ""), looks))
    for people in found.values():
        people.sort(key=lambda one: (-one.looks, one.name))
    return found


def looks(session: Session, draw: Draw) -> list[tuple[WhatIf, str]]:
    """Every look at a draft with the name of who took it, first to last."""
    rows = list(
        session.scalars(select(WhatIf).where(WhatIf.draw_id == draw.id).order_by(WhatIf.number))
    )
    names = registry.account_names(session, {row.actor_id for row in rows})
    return [(row, names.get(row.actor_id or "", "")) for row in rows]


def templates(session: Session, viewer: Viewer) -> list[RequestTemplate]:
    """The office's templates by name."""
    viewer.require("office")
    return list(session.scalars(select(RequestTemplate).order_by(RequestTemplate.name)))


def template(session: Session, viewer: Viewer, key: str) -> RequestTemplate:
    """One template; NotFound."""
    viewer.require("office")
    found = session.get(RequestTemplate, key)
    if found is None:
        raise NotFound(messages.ABSENT)
    return found


def live_rounds(session: Session) -> list[Round]:
    """Rounds that may still be drawn for, the next review first."""
    return list(
        session.scalars(
            select(Round)
            .where(Round.phase.in_(("preparing", "open")))
            .order_by(Round.review_on, Round.id)
        )
    )


def find_people(session: Session, text: str, limit: int = 30) -> tuple[list[Expert], list[Person]]:
    """(experts, people without an expert record) whose number or name holds `text`."""
    term = text.strip()
    if not term:
        return [], []
    named = Person.name.like(like(term), escape="\\")
    experts = list(
        session.scalars(
            select(Expert)
            .join(Person, Person.id == Expert.person_id)
            .where((Expert.id == term) | (Expert.number == term.upper()) | named)
            .order_by(Expert.number)
            .limit(limit)
        )
    )
    known = select(Expert.person_id)
    others = list(
        session.scalars(
            select(Person)
            .where(named, Person.id.not_in(known))
            .order_by(Person.name, Person.id)
            .limit(limit)
        )
    )
    return experts, others


@dataclass(frozen=True)
class Change:
    """One line of a difference: who, what changed, and who recorded it."""

    expert_id: str
    who: str
    what: Text
    by: str
    entry: str


@dataclass(frozen=True)
class Difference:
    """The difference from the last cosigned draw in words; `before` is None for a first draw."""

    before: Mapping[str, Any] | None
    totals: Mapping[str, int]
    changes: list[Change]
    chances: list[tuple[str, str, str | None, str | None]]  # id, who, then, now
    by_type: bool = False  # the chances are those of each person's type


_WHAT = {
    "added": Text("新进入专家库", "new in the pool"),
    "removed": Text("已不在专家库", "no longer in the pool"),
}


def difference(session: Session, stored: Mapping[str, Any] | None) -> Difference:
    """A stored difference with names instead of ids; six queries at most."""
    if stored is None:
        return Difference(None, {}, [], [])
    ids = {row for kind in ("added", "removed") for row in stored[kind]}
    for kind in ("status", "attributes", "excluded", "readmitted", "chances"):
        ids |= {row[0] for row in stored[kind]}
    names = registry.expert_names(session, ids)
    accounts = registry.account_names(session, {by[0] for by in stored["by"].values()})
    bodies = {v for r in stored["attributes"] if r[1] == "employer" for v in r[2:]}
    employers = dict(
        session.execute(
            select(Organisation.id, Organisation.name).where(Organisation.id.in_(bodies))
        ).all()
    )

    def change(key: str, what: Text) -> Change:
        by, entry, _ = stored["by"].get(key, ("", "", ""))
        return Change(key, names.get(key, key), what, accounts.get(by, ""), entry)

    changes = [change(key, _WHAT[kind]) for kind in _WHAT for key in stored[kind]]
    for key, old, new in stored["status"]:
        changes.append(change(key, _moved(Text("状态", "status"), _status(old), _status(new))))
    for key, a, old, new in stored["attributes"]:
        name = messages.ATTRIBUTE.get(a, Text.of(a))
        changes.append(
            change(key, _moved(name, _value(a, old, employers), _value(a, new, employers)))
        )
    for kind, words_ in (
        ("excluded", Text("新增排除：{r}", "now excluded by {r}")),
        ("readmitted", Text("解除排除：{r}", "no longer excluded by {r}")),
    ):
        changes += [change(key, words_.format(r=rule)) for key, rule in stored[kind]]
    return Difference(
        stored["with"],
        stored["totals"],
        changes,
        [(key, names.get(key, key), old, new) for key, old, new in stored["chances"]],
        bool(stored.get("by_type")),
    )


def _moved(name: Text, old: Text, new: Text) -> Text:
    return Text("{a}：{o} → {n}", "{a}: {o} → {n}").format(a=name, o=old, n=new)


def _status(code: str) -> Text:
    return words.STATUS.get(code, Text.of(code))


def _value(attribute: str, value: str, employers: Mapping[str, str]) -> Text:
    return value_words(attribute, value, employers) if value else Text("未登记", "not recorded")
