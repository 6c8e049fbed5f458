"""The people behind the seats of a run, as far as the rules that look over the marks need them.

A run keeps two things: which seats of one stage are the same person (an expert on two panels is one
expert with one severity), and which counties that an expert marked lie in the region of his employer
(S0 art. 35; favour to one's own region). No name, no employer and no region is kept: only seat labels
and counties of the round. A run of before these were kept is read as it was computed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.directory.models import Employment, Organisation
from app.domain.draw.rules_facts import region_chain
from app.domain.statistics.flags import Flag
from app.domain.statistics.marks import SubjectMarks
from app.registry.models import Expert

Post = tuple[date | None, date | None, str]  # since, until, region of the employer


@dataclass(frozen=True, slots=True)
class Seated:
    """One sheet's place: the county and where it lies, who sits there and on which day."""

    stage: str
    county: str
    place: str
    label: str
    expert: str
    on: date


def people_of(session: Session, rows: Sequence[Seated]) -> dict[str, Any]:
    """`{"people": {stage: {label: name}}, "homes": {stage: {label: [county, ...]}}}`: the first only for
    experts on several seats of a stage, whose name there is all their labels; empty where nobody is."""
    labels: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        if row.label not in labels[row.stage, row.expert]:
            labels[row.stage, row.expert].append(row.label)
    people: dict[str, dict[str, str]] = {}
    for (stage, _), own in labels.items():
        if len(own) > 1:
            name = "+".join(sorted(own))
            people.setdefault(stage, {}).update(dict.fromkeys(sorted(own), name))
    posts = _posts(session, {row.expert for row in rows})
    homes: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        if any(at_home(region, row.place) for region in _held(posts.get(row.expert, ()), row.on)):
            homes.setdefault(row.stage, {}).setdefault(row.label, []).append(row.county)
    return {
        **({"people": people} if people else {}),
        "homes": {
            stage: {label: sorted(found) for label, found in sorted(own.items())}
            for stage, own in sorted(homes.items())
        },
    }


def at_home(region: str, place: str) -> bool:
    """Whether an employer's region is the county or lies in its prefecture. A whole province or
    municipality is nobody's home: everybody in the round would be at home in it."""
    own, there = region_chain(region)[1], region_chain(place)[1]
    return region == place or (own == there and len(there) > 2)


def _posts(session: Session, experts: Iterable[str]) -> dict[str, list[Post]]:
    found: dict[str, list[Post]] = defaultdict(list)
    for expert, since, until, region in session.execute(
        select(Expert.id, Employment.since, Employment.until, Organisation.region_code)
        .join(Employment, Employment.person_id == Expert.person_id)
        .join(Organisation, Organisation.id == Employment.organisation_id)
        .where(
            Expert.id.in_(set(experts)),
            Employment.relation == "employed",
        )
        .order_by(Employment.id)
    ):
        if region is not None:
            found[expert].append((since, until, region))
    return found


def _held(posts: Iterable[Post], on: date) -> list[str]:
    """Regions of the employers of that day."""
    return [
        region
        for since, until, region in posts
        if (since is None or since <= on) and (until is None or on <= until)
    ]


# ---------- from what a run kept


def by_person(inputs: Mapping[str, Any], subjects: Sequence[SubjectMarks]) -> list[SubjectMarks]:
    """The marks with every expert under one name in a stage, whatever seats he has there."""
    people = inputs.get("people", {})
    if not people:
        return list(subjects)
    return [
        replace(
            subject,
            stages={
                name: replace(
                    stage,
                    sheets={_name(inputs, name, label): s for label, s in stage.sheets.items()},
                )
                if name in people and stage.kind == "panel"
                else stage
                for name, stage in subject.stages.items()
            },
        )
        for subject in subjects
    ]


def homes_of(inputs: Mapping[str, Any]) -> dict[str, dict[str, set[str]]] | None:
    """Stage -> expert's name there -> counties of his own region; None for a run that kept none."""
    if "homes" not in inputs:
        return None
    found: dict[str, dict[str, set[str]]] = {}
    for stage, own in inputs["homes"].items():
        for label, counties in own.items():
            who = found.setdefault(stage, {}).setdefault(_name(inputs, stage, label), set())
            who.update(counties)
    return found


def seated(inputs: Mapping[str, Any], flag: Flag) -> Flag:
    """A flag about a person with the label of his seat: the one on the flag's county, else the first.
    The sentence goes on naming all his seats."""
    if flag.stage is None or flag.stage not in inputs.get("people", {}):
        return flag
    rater = None if flag.rater is None else _label(inputs, flag, flag.rater)
    numbers = dict(flag.numbers)
    if "other" in numbers:
        numbers["other"] = _label(inputs, flag, str(numbers["other"]))
    return replace(flag, rater=rater, numbers=numbers)


def _label(inputs: Mapping[str, Any], flag: Flag, name: str) -> str:
    own = [label for label, known in inputs["people"][flag.stage].items() if known == name]
    there = [
        label
        for row in inputs["subjects"]
        if row["id"] == flag.subject
        for label in row["stages"][flag.stage].get("sheets", {})
    ]
    return next((label for label in own if label in there), min(own, default=name))


def _name(inputs: Mapping[str, Any], stage: str, label: str) -> str:
    name: str = inputs.get("people", {}).get(stage, {}).get(label, label)
    return name
