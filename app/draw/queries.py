"""Reading draws: the office and the supervisor see them whole, an expert his own seat, nobody else.

The pool before a draw is shown as a question ("what if") that decides nothing; looking is recorded.
Counts below 5 and reasons of kinship, dispute and discipline are the supervisor's alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.accounts.viewer import Viewer
from app.config import Settings
from app.directory.models import Employment, Organisation, Person
from app.domain.draw.eligibility import Explanation, evaluate, explain
from app.domain.draw.rules_set import RuleSet
from app.domain.types import NotFound, Text
from app.draw import ceremony, messages, pool
from app.draw.calls import seat_number
from app.draw.facts import Facts, Tree, draw_kind, subject_facts
from app.draw.models import Candidate, Draw, Seat
from app.draw.models_request import WhatIf as Look
from app.draw.verdicts import strongest
from app.draw.wording import value_words
from app.programme.models import Round, Subject
from app.programme.queries import rules_of
from app.registry.models import Expert

OVERSEERS = ("office", "supervisor")
PRIVATE = Text(
    "理由涉及个人情况，由监督人员查阅", "the reason is private; the supervisor can read it"
)
FEW = "<5"


@dataclass(frozen=True)
class WhatIf:
    """What a draft would lead to, or what a commitment froze; see `app.draw.outlook.summary`."""

    shown: dict[str, Any]
    rules: RuleSet
    frozen: bool
    look: Look | None = None  # the record that it comes from

    def title(self, rule_id: str) -> Text:
        return self.rules[rule_id].title


@dataclass(frozen=True)
class Exclusion:
    """One printed exclusion of one expert from one panel."""

    expert_id: str
    number: str
    name: str
    pseudonym: str
    panel: str
    rule: str
    reason: Text


def draws(session: Session, viewer: Viewer, round_: Round) -> list[Draw]:
    """Every draw of the round, aborted ones too, latest first; [] for who may not see them."""
    if viewer.role not in OVERSEERS:
        return []
    return list(
        session.scalars(
            select(Draw)
            .where(Draw.round_id == round_.id)
            .options(selectinload(Draw.seats))
            .order_by(Draw.created_at.desc(), Draw.attempt.desc())
        )
    )


def draw(session: Session, viewer: Viewer, round_: Round, draw_id: str) -> Draw:
    """One draw with everything that hangs on it; NotFound for strangers and unknown ids."""
    found = session.scalar(
        select(Draw)
        .where(Draw.id == draw_id)
        .options(
            selectinload(Draw.parties),
            selectinload(Draw.dice),
            selectinload(Draw.acts),
            selectinload(Draw.seats).selectinload(Seat.contacts),
            selectinload(Draw.seats)
            .joinedload(Seat.expert)
            .joinedload(Expert.person)
            .selectinload(Person.employments)
            .joinedload(Employment.organisation),
        )
    )
    if found is None or found.round_id != round_.id or viewer.role not in OVERSEERS:
        raise NotFound(messages.ABSENT)
    return found


def seat(draw_: Draw, seat_id: str) -> Seat:
    """One seat of a draw; NotFound."""
    for found in draw_.seats:
        if found.id == seat_id:
            return found
    raise NotFound(messages.ABSENT)


def active_seats(session: Session, draw_: Draw) -> list[Seat]:
    """Seats whose marks count, in the order of panels and places."""
    return list(
        session.scalars(
            select(Seat)
            .where(Seat.draw_id == draw_.id, Seat.state != "removed")
            .order_by(Seat.panel, Seat.number)
        )
    )


def own_seats(session: Session, viewer: Viewer) -> list[Seat]:
    """The viewer's own active seats, latest first."""
    return list(
        session.scalars(
            select(Seat)
            .join(Expert, Expert.id == Seat.expert_id)
            .where(Expert.person_id == viewer.person_id, Seat.state != "removed")
            .order_by(Seat.changed_at.desc())
        )
    )


def what_if(session: Session, viewer: Viewer, draw_: Draw) -> WhatIf:
    """Pool, exclusions per rule, strata, feasibility with relaxations, and chances.

    Of a committed draw as it was frozen; of a draft what the latest recorded look found. NotFound
    for a draft that nobody has looked at yet: looking is an act of its own (`operations_what_if`).
    """
    viewer.require(*OVERSEERS)
    rules = rules_of(draw_.round)
    if draw_.snapshot is not None:
        return WhatIf(_shielded(viewer, draw_.snapshot), rules, True)
    row = latest_look(session, draw_)
    if row is None:
        raise NotFound(messages.ABSENT)
    return WhatIf(_shielded(viewer, row.summary), rules, False, row)


def latest_look(session: Session, draw_: Draw) -> Look | None:
    """The latest recorded what-if of a draft."""
    return session.scalar(
        select(Look).where(Look.draw_id == draw_.id).order_by(Look.number.desc()).limit(1)
    )


def _shielded(viewer: Viewer, shown: Mapping[str, Any]) -> dict[str, Any]:
    return {**shown, "rules": [[r, _count(viewer, r, n)] for r, n in shown["rules"]]}


def _count(viewer: Viewer, rule: str, count: int) -> int | str:
    hidden = rule in pool.PRIVATE_RULES and count < 5 and viewer.role != "supervisor"
    return FEW if hidden else count


def exclusions(session: Session, viewer: Viewer, draw_: Draw) -> list[Exclusion]:
    """Every exclusion with its reason, by expert's number; of a committed draw as frozen, of a draft
    as the latest look found them."""
    viewer.require(*OVERSEERS)
    if draw_.commitment is None:
        row = latest_look(session, draw_)
        return [] if row is None else _listed(session, viewer, row.summary["exclusions"])
    rows = [
        (c.expert, c.pseudonym, row["panel"], row["rule"], Text(row["zh"], row["en"]))
        for c in draw_.candidates
        for row in c.exclusions
    ]
    return _sorted(viewer, rows)


def _listed(session: Session, viewer: Viewer, stored: list[list[Any]]) -> list[Exclusion]:
    wanted = {row[0] for row in stored}
    found = session.scalars(select(Expert).options(joinedload(Expert.person)))
    experts = {e.id: e for e in found if e.id in wanted}
    return _sorted(
        viewer,
        [(experts[e], "", panel, rule, Text(zh, en)) for e, panel, rule, zh, en in stored],
    )


def _sorted(viewer: Viewer, rows: list[tuple[Expert, str, str, str, Text]]) -> list[Exclusion]:
    listed = [
        Exclusion(e.id, e.number, e.person.name, p, panel, rule, _reason(viewer, rule, reason))
        for e, p, panel, rule, reason in rows
    ]
    return sorted(listed, key=lambda x: (len(x.number), x.number, x.panel, x.rule))


def _reason(viewer: Viewer, rule: str, reason: Text) -> Text:
    return reason if viewer.role == "supervisor" or rule not in pool.PRIVATE_RULES else PRIVATE


def rule_counts(viewer: Viewer, draw_: Draw) -> list[tuple[str, int | str]]:
    """People kept out per rule of a committed draw; "<5" where it would point at somebody."""
    per_rule: dict[str, set[str]] = defaultdict(set)
    for candidate in draw_.candidates:
        for row in candidate.exclusions:
            per_rule[row["rule"]].add(candidate.id)
    return [(rule, _count(viewer, rule, len(people))) for rule, people in sorted(per_rule.items())]


def why(
    session: Session, viewer: Viewer, draw_or_round: Draw | Round, expert: Expert
) -> list[Explanation]:
    """Every rule and what it says today about this expert and the counties of a draw or round.

    What a committed draw froze stands in its candidate; see `candidate`.
    """
    viewer.require(*OVERSEERS)
    rows: list[tuple[tuple[date, ...], list[Subject]]]
    if isinstance(draw_or_round, Draw):
        round_, besides = draw_or_round.round, {draw_or_round.id}
        rows = [
            (days, pool.counties(round_, {"subjects": [s for p in panels for s in p["subjects"]]}))
            for days, panels in pool.by_days(draw_or_round.request, round_.review_on)
        ]
    else:
        round_, besides = draw_or_round, set()
        open_ = [s for s in round_.subjects if s.status in ("declared", "qualified")]
        rows = [((round_.review_on,), open_)]
    rules, tree = rules_of(round_), Tree(session)
    read = Facts(
        session, kind=draw_kind(round_), tree=tree, experts={expert.id: expert}, besides=besides
    )
    days_told = []
    for days, wanted in rows:
        known = {s.code: s for s in subject_facts(session, round_, tree=tree, days=days)}
        counties = [known[s.region_code] for s in wanted]
        facts = read.on(days[0])[expert.id]
        blocks = evaluate(facts, counties, rules, days[0]).blocks
        printed = {b.rule: b.reason for b in pool.printed("", expert.id, blocks, counties)}
        days_told.append(
            [
                _told(viewer, answer, printed.get(answer.rule_id))
                for answer in explain(facts, counties, rules, days[0])
            ]
        )
    return [strongest(answers) for answers in zip(*days_told, strict=True)]


def _told(viewer: Viewer, answer: Explanation, printed: Text | None) -> Explanation:
    """The explanation with the reason that would be printed, or none when it is private."""
    if answer.rule_id in pool.PRIVATE_RULES and viewer.role != "supervisor":
        quiet = answer.outcome in ("pass", "off", "not_computed")
        reason = answer.reason if quiet else PRIVATE
        findings = answer.findings if quiet else ()
    else:
        reason, findings = printed or _said_once(answer.reason), answer.findings
    return Explanation(
        answer.rule_id, answer.where, answer.title, answer.source, answer.outcome, reason, findings,
        answer.lacks,
    )  # fmt: skip


def _said_once(text: Text) -> Text:
    """A reason that would be repeated for every county, once."""
    return Text(
        "；".join(dict.fromkeys(text.zh.split("；"))), "; ".join(dict.fromkeys(text.en.split("; ")))
    )


def candidate(session: Session, draw_: Draw, expert: Expert) -> Candidate | None:
    """The expert as the commitment saw him, or None before it."""
    return session.scalar(
        select(Candidate).where(Candidate.draw_id == draw_.id, Candidate.expert_id == expert.id)
    )


def expert_by_key(session: Session, key: str) -> Expert:
    """By id or number (E0001); NotFound."""
    found = session.scalar(
        select(Expert).where((Expert.id == key) | (Expert.number == key.strip().upper()))
    )
    if found is None:
        raise NotFound(messages.ABSENT)
    return found


@dataclass(frozen=True)
class TicketLine:
    """One ticket as it was met: seated, or passed over with its reason."""

    ticket: str
    pseudonym: str
    expert: Expert
    seat: int
    skip: Text | None


def ticket_lines(viewer: Viewer, draw_: Draw) -> dict[str, list[TicketLine]]:
    """Panel -> the walk of act 1, ticket by ticket in ascending order."""
    viewer.require(*OVERSEERS)
    people = {c.pseudonym: c.expert for c in draw_.candidates}
    lines: dict[str, list[TicketLine]] = {}
    for panel in (draw_.result or {"panels": []})["panels"]:
        seated = [
            TicketLine(ticket, p, people[p], seat_number(draw_, panel["id"], place), None)
            for place, (p, ticket) in enumerate(panel["seats"], 1)
        ]
        skipped = [
            TicketLine(ticket, p, people[p], 0, messages.SKIP[reason])
            for p, ticket, reason in panel["skips"]
        ]
        lines[panel["id"]] = sorted(seated + skipped, key=lambda line: line.ticket)
    return lines


def call_rates(draw_: Draw) -> dict[tuple[str, str], int]:
    """(account id, outcome or decline reason) -> calls, for the rates by operator and reason."""
    counts: Counter[tuple[str, str]] = Counter()
    for found in draw_.seats:
        for contact in found.contacts:
            counts[contact.by or "", contact.reason or contact.outcome] += 1
    return dict(sorted(counts.items()))


def transcript(session: Session, viewer: Viewer, settings: Settings, draw_: Draw) -> bytes:
    """The transcript as its hash was recorded; written anew from the rows when the file is gone.

    NotFound before the draw is complete.
    """
    viewer.require(*OVERSEERS)
    if draw_.transcript_sha256 is None:
        raise NotFound(messages.ABSENT)
    path = ceremony.transcript_path(settings, draw_.transcript_sha256)
    if path.is_file():
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() == draw_.transcript_sha256:
            return data
    return ceremony.transcript_of(draw_)


def recorded_transcript(settings: Settings, draw_: Draw) -> bytes | None:
    """The transcript of a completed draw, written anew from the rows when its file is gone (backups
    hold none); None when that is not what was recorded."""
    if draw_.transcript_sha256 is None:
        return None
    path = ceremony.transcript_path(settings, draw_.transcript_sha256)
    data = path.read_bytes() if path.is_file() else ceremony.transcript_of(draw_)
    return data if hashlib.sha256(data).hexdigest() == draw_.transcript_sha256 else None


def employer_names(session: Session, draw_: Draw) -> dict[str, str]:
    """Employer code of this draw (of a draft: organisation id) -> its name."""
    codes: dict[str, str] = (draw_.snapshot or {}).get("employers", {})
    wanted = set(codes.values()) or {
        v for p in draw_.request["panels"] for v in p["quotas"].get("employer", {})
    }
    if not wanted:
        return {}
    rows = session.execute(
        select(Organisation.id, Organisation.name).where(Organisation.id.in_(wanted))
    ).all()
    names = dict(rows)
    return {code: names.get(key, key) for code, key in codes.items()} or names


def value_text(attribute: str, value: str, employers: Mapping[str, str] | None = None) -> Text:
    """An attribute's value in words; employers by their name when it is known."""
    return value_words(attribute, value, employers)
