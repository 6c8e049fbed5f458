"""Changing what is known of an expert: facts with a version check, a new post, and the logged look
at personal numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.directory import operations as directory
from app.directory import queries as directory_queries
from app.directory.models import Employment, Organisation
from app.domain.types import Conflict, Text
from app.keys import Keys
from app.ledger.append import append
from app.registry import messages, queries, words
from app.registry.models import Expert
from app.registry.operations.guards import (
    CONSENT_VERSION,
    at_noon,
    check_facts,
    check_region,
    may,
    not_merged,
    reason_given,
    touch,
    year_later,
    zone_of,
)

_OF_EXPERT = (
    "title",
    "title_rank",
    "kind",
    "discipline",
    "specialties",
    "source",
    "career_start",
    "region_code",
    "nominated_by",
    "note",
)
_OF_PERSON = ("name", "id_number", "phone", "birth_date")


def edit_expert(
    session: Session,
    actor: Viewer | None,
    *,
    expert: Expert,
    version: int,
    on: date | None = None,
    record: bool = True,
    **changes: Any,
) -> list[str]:
    """Change facts of the expert and the person behind; only the keywords given.

    `version` is the one the editor saw: if somebody was faster, Conflict says who, when and in
    which fields the two differ, and nothing is written. A new name or number holds from `on` (today);
    the former one stays readable. `record` False leaves the ledger entry to the caller, which enters a
    whole file. Returns the fields that changed.
    """
    may(actor, "keeper")
    unknown = set(changes) - {*_OF_EXPERT, *_OF_PERSON}
    if unknown:
        raise TypeError(f"no such fields: {sorted(unknown)}")
    not_merged(expert)
    if expert.version != version:
        raise Conflict(_stale(session, expert, changes), field="version")
    facts = {name: getattr(expert, name) for name in _OF_EXPERT} | {
        name: value for name, value in changes.items() if name in _OF_EXPERT
    }
    check_facts(
        clock.today(zone_of(session)),
        title=facts["title"],
        title_rank=facts["title_rank"],
        kind=facts["kind"],
        discipline=facts["discipline"],
        source=facts["source"],
        career_start=facts["career_start"],
    )
    if facts["region_code"] and facts["region_code"] != expert.region_code:
        check_region(session, facts["region_code"])
    own = {name: value for name, value in changes.items() if name in _OF_PERSON}
    changed = directory.alter_person(session, expert.person, actor=actor, on=on, **own)
    for name in _OF_EXPERT:
        value = list(facts[name]) if name == "specialties" else facts[name]
        if value != getattr(expert, name):
            setattr(expert, name, value)
            changed.append(name)
    if changed:
        touch(actor, expert)
        if record:
            append(session, actor, "expert.edited", expert=expert.id, fields=",".join(changed))
    return changed


def _stale(session: Session, expert: Expert, changes: dict[str, Any]) -> Text:
    names = queries.account_names(session, [expert.edited_by])
    keys: Keys = session.info["keys"]
    person = expert.person
    stored: dict[str, Any] = {name: getattr(expert, name) for name in _OF_EXPERT} | {
        "name": person.name,
        "id_number": keys.decrypt(person.id_number) if person.id_number else None,
        "phone": keys.decrypt(person.phone) if person.phone else None,
        "birth_date": directory_queries.birth_date(person, keys),
    }
    differ = [
        words.FIELD[name]
        for name, value in changes.items()
        if (stored[name] or None) != (value or None)
    ]
    what = Text(
        "、".join(d.zh for d in differ) or "无", ", ".join(d.en for d in differ) or "nothing"
    )
    at = cast(datetime, expert.edited_at).astimezone(ZoneInfo(zone_of(session)))
    who = names.get(expert.edited_by or "")
    return messages.STALE.format(
        who=who or messages.SOMEBODY, when=at.strftime("%Y-%m-%d %H:%M"), what=what
    )


def change_post(
    session: Session,
    actor: Viewer | None,
    *,
    expert: Expert,
    organisation: Organisation,
    post: str,
    since: date,
    note: bool = True,
) -> Employment:
    """The expert moved on `since`: present employments end the day before, the new one begins.
    The former ones stay, for recusal looks back three years. `note` False leaves the ledger entry to
    the caller."""
    may(actor, "keeper")
    not_merged(expert)
    for former in queries.present_posts(expert.person):
        if former.relation == "employed":
            directory.end_employment(
                session, actor, employment=former, until=since - timedelta(days=1), note=note
            )
    row = directory.prepare_employment(
        session, person=expert.person, organisation=organisation, post=post, since=since
    )
    session.flush()
    if note:
        append(session, actor, "employment.added", employment=row.id, person=expert.person_id)
    session.expire(expert.person, ["employments"])
    expert.region_code = organisation.region_code or expert.region_code
    touch(actor, expert)
    if note:
        append(session, actor, "expert.moved", expert=expert.id, employment=row.id)
    return row


def update_from_file(
    session: Session,
    actor: Viewer | None,
    changes: Sequence[tuple[Expert, Mapping[str, Any]]],
    *,
    file_hash: str,
) -> int:
    """Write what a file states otherwise and what was agreed to, in one ledger event; returns how many
    people changed.

    Values by field as `import_changes` gives them: facts, person, `employer` (organisation, post,
    since), `consent_at` and `verified_on` as days. A post that would begin before the present one
    begins today.
    """
    may(actor, "keeper")
    today = clock.today(zone_of(session))
    for expert, values in changes:
        facts = {k: v for k, v in values.items() if k in {*_OF_EXPERT, *_OF_PERSON}}
        edit_expert(session, actor, expert=expert, version=expert.version, record=False, **facts)
        if "employer" in values:
            make, post, since = values["employer"]
            region = expert.region_code
            begun = [p.since for p in queries.present_posts(expert.person) if p.since]
            if since is None or any(since <= day for day in begun):
                since = today
            change_post(
                session, actor, expert=expert, organisation=make(), post=post, since=since,
                note=False,
            )  # fmt: skip
            if "region_code" in values:
                expert.region_code = region
        if "consent_at" in values:
            expert.consent_version = CONSENT_VERSION
            expert.consent_at = at_noon(session, values["consent_at"])
            touch(actor, expert)
        if "verified_on" in values:
            expert.verified_on = values["verified_on"]
            expert.review_due = year_later(values["verified_on"])
            touch(actor, expert)
    session.flush()
    append(session, actor, "experts.updated", file=file_hash, experts=len(changes))
    return len(changes)


def reveal(session: Session, actor: Viewer, *, expert: Expert, reason: str) -> dict[str, str]:
    """Identity number and phone in clear, for a stated reason; leaves a sealed ledger entry."""
    may(actor, "keeper", "supervisor")
    why = reason_given(reason)
    keys: Keys = session.info["keys"]
    person = expert.person
    append(session, actor, "person.revealed", sealed=True, person=person.id, reason=why)
    former = [
        f"{keys.decrypt(row.value)} (→ {row.until})"
        for row in directory_queries.former_values(session, person)
        if row.field == "phone"
    ]
    shown = {
        "id_number": keys.decrypt(person.id_number) if person.id_number else "",
        "phone": keys.decrypt(person.phone) if person.phone else "",
    }
    return shown | ({"former_phones": "; ".join(former)} if former else {})
