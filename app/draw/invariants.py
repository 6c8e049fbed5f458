"""What must always hold of draws, checked over live data by `mingjian doctor`."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from app import verify
from app.domain.draw.objects import leaf_hash
from app.domain.draw.roster import exclusion_leaves, root_of, roster_leaves
from app.domain.types import DomainError, Text
from app.draw import calls, ceremony, releases
from app.draw.models import Candidate, Draw
from app.draw.models_release import DrawRelease
from app.draw.same_day import one_seat_a_day
from app.ledger.models import Event
from app.programme.identity import Units
from app.programme.models import Round, Subject


def _completed(session: Session) -> list[Draw]:
    return list(
        session.scalars(
            select(Draw)
            .where(Draw.state == "completed")
            .options(
                selectinload(Draw.candidates),
                selectinload(Draw.parties),
                selectinload(Draw.dice),
                selectinload(Draw.seats),
                selectinload(Draw.acts),
            )
            .order_by(Draw.id)
        )
    )


@contextmanager
def _told(faults: list[Text], draw: Draw) -> Iterator[None]:
    """A row too damaged to compute with is a fault of its draw, not of the check."""
    try:
        yield
    except (DomainError, KeyError, ValueError, TypeError, IndexError) as error:
        faults.append(
            Text("抽取 {d} 的数据无法重算：{e}", "draw {d} cannot be computed again: {e}").format(
                d=draw.id, e=str(error)
            )
        )


def result_recomputed(session: Session) -> list[Text]:
    """Commitment and key give the stored result, and the seats are that result with its acts."""
    faults: list[Text] = []
    for draw in _completed(session):
        with _told(faults, draw):
            if ceremony.drawn_again(draw) != draw.result or _expected(draw) != _held(draw):
                faults.append(
                    Text(
                        "抽取 {d}：由承诺与密钥重算的结果与席位不符",
                        "draw {d}: commitment and key give another result than the seats",
                    ).format(d=draw.id)
                )
    return faults


def _expected(draw: Draw) -> list[tuple[str, int, int, str, str]]:
    """(panel, number, act, pseudonym, ticket) as they follow from the draw and its acts; of things the
    number is their place and no ticket is kept."""
    if draw.is_order:
        return sorted(
            (panel.id, number, 1, seat.expert, "")
            for panel in ceremony.result_of(draw).panels
            for number, seat in enumerate(panel.seats, 1)
        )
    rows = [
        (panel.id, calls.seat_number(draw, panel.id, number), 1, seat.expert, seat.ticket)
        for panel in ceremony.result_of(draw).panels
        for number, seat in enumerate(panel.seats, 1)
    ]
    for number, act in enumerate(ceremony.completed_acts(draw), 2):
        rows += [
            (f.panel, calls.seat_number(draw, f.panel, f.seat), number, f.expert, f.ticket)
            for f in act.fills
            if f.expert
        ]
    return sorted(rows)


def _held(draw: Draw) -> list[tuple[str, int, int, str, str]]:
    if draw.is_order:
        return sorted(
            (draw.stage, item.position, 1, item.pseudonym, "")
            for item in ceremony.items_of(draw)
            if item.position is not None
        )
    names = {c.expert_id: c.pseudonym for c in draw.candidates}
    return sorted(
        (s.panel, s.number, s.act, names.get(s.expert_id, ""), s.ticket) for s in draw.seats
    )


def transcript_verifies(session: Session) -> list[Text]:
    """The independent verifier accepts what the rows give, and its bytes are those recorded."""
    faults: list[Text] = []
    for draw in _completed(session):
        with _told(faults, draw):
            report = verify.verify_transcript(ceremony.transcript_of(draw), draw.commitment_hash)
            if not report.ok:
                faults.append(
                    Text(
                        "抽取 {d} 的记录未通过核验：{zh}", "the transcript of draw {d} fails: {en}"
                    ).format(d=draw.id, zh=report.zh, en=report.en)
                )
    return faults


def no_excluded_seated(session: Session) -> list[Text]:
    """Nobody holds a seat on a panel that an exclusion keeps him off."""
    faults: list[Text] = []
    for draw in _completed(session):
        out = {
            (row["panel"], candidate.expert_id)
            for candidate in draw.candidates
            for row in candidate.exclusions
        }
        faults += [
            Text(
                "抽取 {d}：席位 {s} 的专家在回避名单内",
                "draw {d}: the expert of seat {s} is excluded",
            ).format(d=draw.id, s=seat.id)
            for seat in draw.seats
            if (seat.panel, seat.expert_id) in out
        ]
    return faults


def one_result(session: Session) -> list[Text]:
    """One completed draw for a purpose, and one seat holder at a place."""
    faults: list[Text] = []
    done = _completed(session)
    for purpose, times in Counter(draw.purpose_key for draw in done).items():
        if times > 1:
            faults.append(
                Text("同一事项 {p} 有 {n} 个结果", "purpose {p} has {n} results").format(
                    p=purpose, n=times
                )
            )
    for draw in done:
        places: Counter[Any] = Counter((s.panel, s.number) for s in draw.seats if s.active)
        faults += [
            Text(
                "抽取 {d}：{p} 第 {n} 席有多人在任", "draw {d}: seat {n} of {p} is held twice"
            ).format(d=draw.id, p=panel, n=number)
            for (panel, number), times in places.items()
            if times > 1
        ]
    return faults


def one_result_a_county(session: Session) -> list[Text]:
    """One completed real draw for a county of a scheme, stage and year, whatever its round is called.

    Scheme, year and counties are those of the rows and those that were committed: whoever moves a
    round out of the way in the database still meets the commitment. Ties and supplementary draws have
    purposes of their own. A second result stands if a release leads to it from the first, by the rows,
    the ledger and its own commitment.
    """
    rows = session.execute(
        select(Draw.id, Draw.request, Draw.commitment, Draw.stage, Round.scheme_id, Round.review_on)
        .join(Round, Round.id == Draw.round_id)
        .where(Draw.state == "completed", Draw.kind == "real", Draw.stage != "tie")
    ).all()
    units = Units(session)
    subjects = list(session.scalars(select(Subject)))
    codes = {subject.id: units.of(subject) for subject in subjects}
    told_as = {subject.region_code: units.of(subject) for subject in subjects}
    held: dict[tuple[str, int, str, str, str], list[str]] = defaultdict(list)
    for key, asked, committed, stage, scheme, day in rows:
        if "supplement" in asked:
            continue
        scope = asked.get("order", {}).get("scope", "")
        told = (committed or {}).get("purpose", {})
        counties = {codes.get(key, key) for key in asked["subjects"]}
        places = {(scheme, day.year, stage, scope, code) for code in counties}
        places |= {
            (told["scheme"], told["cycle"], told["stage"], scope, told_as.get(code, code))
            for code in str(told.get("subjects", "")).split(",")
            if code and {"scheme", "cycle", "stage"} <= set(told)
        }
        for place in places:
            held[place].append(key)
    return [
        Text(
            "方案 {s} {y} 年 {g} 阶段，{c} 有 {n} 个正式结果",
            "scheme {s}, {y}, stage {g}: {c} has {n} real results",
        ).format(s=scheme, y=year, g=stage, c=code, n=len(draws))
        for (scheme, year, stage, _, code), draws in sorted(held.items())
        if len(draws) > 1 and not _led_by_releases(session, draws)
    ]


def _led_by_releases(session: Session, ids: list[str]) -> bool:
    """Whether each draw after the first follows the one before it by a release."""
    draws = [session.get_one(Draw, key) for key in ids]
    draws.sort(key=lambda draw: draw.commitment_seq or 0)
    return all(releases.follows(session, one, two) for one, two in pairwise(draws))


def releases_as_recorded(session: Session) -> list[Text]:
    """A release that was given is what the ledger says: asked by one, released by another, used once."""
    query = select(DrawRelease).where(DrawRelease.state.in_(("released", "used")))
    return [
        Text(
            "抽取 {d} 的放行与账本不符（{f}）",
            "draw {d}: its release differs from the ledger ({f})",
        ).format(d=row.draw_id, f=fault)
        for row in session.scalars(query.order_by(DrawRelease.id))
        if (fault := releases.fault_of(session, row))
    ]


def as_recorded(session: Session) -> list[Text]:
    """Each draw was committed once and completed once, and is still what the ledger said then.

    Rows that were changed together with a new entry agree with the ledger's latest word on them; the
    entries of the commitment and of the result cannot be taken back, and name hash and key.
    """
    rows = {
        row.id: row
        for row in session.execute(
            select(Draw.id, Draw.state, Draw.kind, Draw.commitment_hash, Draw.key)
        )
    }
    told: dict[str, dict[str, list[dict[str, Any]]]] = {
        "draw.committed": defaultdict(list), "draw.completed": defaultdict(list),
    }  # fmt: skip
    wanted = or_(*(Event.payload.contains(f'"kind":"{kind}"') for kind in told))
    for payload in session.scalars(select(Event.payload).where(wanted).order_by(Event.seq)):
        body = json.loads(payload)
        if body["kind"] in told:
            told[body["kind"]][str(body["data"].get("draw"))].append(body["data"])
    faults: list[Text] = []

    def fault(draw: str, zh: str, en: str) -> None:
        text = Text("抽取 {d}：账本中" + zh, "draw {d}: by the ledger " + en)
        faults.append(text.format(d=draw))

    committed, completed = told["draw.committed"], told["draw.completed"]
    for key in sorted({*rows, *committed, *completed}):
        row, first, done = rows.get(key), committed.get(key, []), completed.get(key, [])
        if len(first) > 1 or len(done) > 1:
            fault(key, "有两次承诺或两个结果", "it was committed or completed twice")
        elif [e["commitment_hash"] for e in first] != (
            [row.commitment_hash] if row and row.commitment_hash else []
        ):
            fault(key, "的承诺与现在的不同", "its commitment was another")
        elif [(e["key"], e["draw_kind"]) for e in done] != (
            [(row.key, row.kind)] if row and row.state == "completed" else []
        ):
            fault(key, "的结果与现在的不同", "its result was another, or none")
    return faults


def candidates_unchanged(session: Session) -> list[Text]:
    """Candidates and exclusions still have the roots that were committed; so has the document."""
    faults: list[Text] = []
    query = (
        select(Draw)
        .where(Draw.state.in_(("committed", "cosigned", "completed")))
        .options(selectinload(Draw.candidates).lazyload(Candidate.expert))
    )
    for draw in session.scalars(query):
        with _told(faults, draw):
            document = dict(draw.commitment or {})
            people = roster_leaves(ceremony.roster_of(draw), document["type_attributes"])
            same = (
                leaf_hash(document) == draw.commitment_hash
                and root_of(people) == document["roster_root"]
                and root_of(exclusion_leaves(ceremony.exclusions_of(draw)))
                == document["exclusions_root"]
            )
            if not same:
                faults.append(
                    Text(
                        "抽取 {d}：候选名单或承诺在提交后被改动",
                        "draw {d}: candidates or commitment were changed after committing",
                    ).format(d=draw.id)
                )
    return faults


def kind_kept(session: Session) -> list[Text]:
    """What was committed as a drill is still called one, and the other way round."""
    return [
        Text(
            "抽取 {d}：承诺为 {c}，现记为 {n}；演练不能转为正式抽取",
            "draw {d} was committed as {c} and is now called {n}: a drill never becomes real",
        ).format(d=draw.id, c=draw.commitment["kind"], n=draw.kind)
        for draw in session.scalars(select(Draw).where(Draw.commitment_hash.is_not(None)))
        if draw.commitment is not None and draw.commitment["kind"] != draw.kind
    ]


INVARIANTS: tuple[tuple[str, Callable[[Session], list[Text]]], ...] = (
    ("draw.result_recomputed", result_recomputed),
    ("draw.transcript_verifies", transcript_verifies),
    ("draw.no_excluded_seated", no_excluded_seated),
    ("draw.one_seat_a_day", one_seat_a_day),
    ("draw.one_result", one_result),
    ("draw.one_result_a_county", one_result_a_county),
    ("draw.releases_as_recorded", releases_as_recorded),
    ("draw.as_recorded", as_recorded),
    ("draw.candidates_unchanged", candidates_unchanged),
    ("draw.kind_kept", kind_kept),
)
