"""What can be put in order by lot, read from registers and never typed.

docs/draw-protocol.md, "Order of things": statements of the counties of a panel, counties for a spot check,
the case files of one type of one county, the counties of a tie that a run left open. An order draw is an
ordinary commitment whose roster are these things: one ticket panel without quotas, exclusions or dates,
seats = how many are wanted; its seats in ascending order of their tickets are the order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.types import NotFound, Text
from app.draw import messages
from app.draw.facts import draw_kind
from app.draw.models import ORDER_STAGES, Draw
from app.draw.purposes import purpose_key
from app.draw.supplements import is_supplement
from app.programme import casefiles
from app.programme.instruments import CASEFILE
from app.programme.models import Round, Subject

STATEMENTS, COUNTIES, CASES, TIE = ORDER_STAGES
SITE = "site"  # the stage whose sittings have a statement (S0 art. 16(3))
RUNNING = ("declared", "qualified")


@dataclass(frozen=True)
class Thing:
    """One thing to be put in order: `kind` county or case_file, `label` the words of its code."""

    kind: str
    id: str
    label: str
    label_en: str

    @property
    def name(self) -> Text:
        return Text(self.label, self.label_en)


@dataclass(frozen=True)
class Wanted:
    """One purpose of an order draw.

    `of` says which register rows it is about and is stored in the request; `scope` tells two purposes
    of one stage and county apart; `most` is the size of the sample where the register fixes it, None
    where the office says how many; `told` goes into the committed purpose beside the usual.
    """

    stage: str
    of: dict[str, Any]
    title: Text
    subjects: tuple[str, ...]
    things: tuple[Thing, ...]
    scope: str = ""
    most: int | None = None
    told: dict[str, str | int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What an address says instead of `of`."""
        return ":".join(str(value) for value in self.of.values())

    def purpose(self, round_: Round) -> str:
        """The purpose key of its draws."""
        request = {"subjects": list(self.subjects), "order": {"scope": self.scope}}
        return purpose_key(round_, self.stage, draw_kind(round_), request)


def code_of(label: str) -> str:
    """The code of a thing: that of its words in a transcript (docs/draw-protocol.md section 10)."""
    return "u" + hashlib.sha256(label.encode("utf-8")).hexdigest()[:12]


def county(subject: Subject) -> Thing:
    """A county as a thing."""
    code = subject.region_code
    return Thing("county", subject.id, f"{code} {subject.name.zh}", f"{code} {subject.name.en}")


def of_tie(
    round_: Round, subjects: Sequence[Subject], *, run: int, digest: str, title: Text
) -> Wanted:
    """The tie of these counties in a run. The purpose is the set of counties, whichever run names it:
    a later run with the same tie has the same draw."""
    rows = sorted(subjects, key=lambda s: s.region_code)
    ids = [s.id for s in rows]
    return Wanted(
        TIE,
        {"run": run, "results": digest, "counties": ids, "title": [title.zh, title.en]},
        title,
        tuple(ids),
        tuple(county(s) for s in rows),
        most=len(rows),
        told={"run": run, "run_results": digest},
    )


def wanted_of(session: Session, draw: Draw) -> Wanted:
    """The purpose of an order draw as its registers stand now."""
    of = draw.request["order"]["of"]
    if draw.stage == TIE:
        by_id = {s.id: s for s in draw.round.subjects}
        rows = [by_id[key] for key in of["counties"]]
        return of_tie(
            draw.round, rows, run=of["run"], digest=of["results"], title=Text(*of["title"])
        )
    return choice(session, draw.round, draw.stage, ":".join(str(value) for value in of.values()))


def choice(session: Session, round_: Round, stage: str, key: str) -> Wanted:
    """One purpose by stage and key; NotFound where the registers have none."""
    for row in available(session, round_, stage):
        if row.key == key:
            return row
    raise NotFound(messages.ABSENT)


def available(session: Session, round_: Round, stage: str | None = None) -> list[Wanted]:
    """Every order that can be drawn in the round, but for ties, which a run names; things fewer than
    two have no order."""
    found: list[Wanted] = []
    if stage in (None, STATEMENTS):
        found += _statements(session, round_)
    if stage in (None, COUNTIES):
        found.append(_counties(round_))
    if stage in (None, CASES):
        found += _cases(session, round_)
    return [row for row in found if len(row.things) > 1]


def _statements(session: Session, round_: Round) -> list[Wanted]:
    rows = session.scalars(
        select(Draw)
        .where(
            Draw.round_id == round_.id,
            Draw.stage == SITE,
            Draw.state == "completed",
            Draw.kind == draw_kind(round_),
        )
        .order_by(Draw.drawn_at, Draw.id)
    )
    by_id = {s.id: s for s in round_.subjects}
    return [
        Wanted(
            STATEMENTS,
            {"draw": draw.id, "panel": panel["id"]},
            Text("陈述顺序：评审组 {p}", "Order of statements: panel {p}").format(p=panel["id"]),
            tuple(sorted(panel["subjects"])),
            tuple(county(by_id[k]) for k in panel["subjects"] if by_id[k].status in RUNNING),
            told={"panel": panel["id"], "panel_of": str(draw.commitment_hash)},
        )
        for draw in rows
        if not is_supplement(draw)
        for panel in draw.request["panels"]
    ]


def _counties(round_: Round) -> Wanted:
    rows = [s for s in round_.subjects if s.status in RUNNING]
    return Wanted(
        COUNTIES,
        {},
        Text("抽查区县", "Counties for a spot check"),
        tuple(sorted(s.id for s in rows)),
        tuple(county(s) for s in rows),
    )


def _cases(session: Session, round_: Round) -> list[Wanted]:
    if not any(pin.stage == CASEFILE for pin in round_.pins):
        return []
    found = []
    for state in casefiles.case_states(session, round_):
        if state.closing is None or state.closing.seed is not None:
            continue
        titles = casefiles.kind_titles(state.instrument)
        for rule in state.instrument["repeat"]["sample"]:
            kind, rows = rule["type"], state.of_kind(rule["type"])
            if len(rows) <= rule["count"]:
                continue  # all of them are reviewed: there is nothing to draw
            found.append(
                Wanted(
                    CASES,
                    {"subject": state.subject.id, "type": kind},
                    Text("案卷抽样：{c}·{k}", "Case files: {c}, {k}").format(
                        c=state.subject.name, k=titles[kind]
                    ),
                    (state.subject.id,),
                    tuple(_case(state, row.id, str(row.code)) for row in rows),
                    scope=kind,
                    most=rule["count"],
                    told={"type": kind, "list": state.closing.digest},
                )
            )
    return found


def _case(state: casefiles.CaseState, key: str, code: str) -> Thing:
    """By its code alone, which the digest of the closed list binds: a title may name somebody."""
    label = f"{state.subject.region_code} {code}"
    return Thing("case_file", key, label, label)


def title_of(draw: Draw) -> Text:
    """What an order draw is about, as it was requested."""
    return Text(*draw.request["order"]["title"])
