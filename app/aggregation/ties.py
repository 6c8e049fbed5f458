"""Ties that no rung of the ladder settles, when the ladder ends in a logged draw (rung `draw`).

A run names the tied counties at a cut line and leaves them level; the office and the supervisor draw their
order (docs/draw-protocol.md, "Order of things"); the next run takes it, with the draw's commitment in its
inputs. Which ties there are comes from a run and is never typed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.aggregation import queries
from app.aggregation.models import Run
from app.domain.statistics.rule import ScoreRule
from app.domain.types import Conflict, NotFound, Text
from app.draw import ceremony, orders
from app.draw.facts import draw_kind
from app.draw.models import Draw
from app.draw.operations_order import request_order
from app.draw.orders import Wanted
from app.programme.models import Round

_OLD = Text(
    "第 {n} 次汇总之后已有新的汇总，并列以最近一次为准。没有任何改动。",
    "A later run has followed run {n}; ties are settled on the latest. Nothing was changed.",
)
_DRAWN = Text("抽签确定名次：{o}（承诺值 {h}）", "drawn by lot: {o} (commitment {h})")


def tie_draws(session: Session, round_: Round, rule: ScoreRule) -> dict[str, Any]:
    """`{"tie_draws": [{draw, attempt, commitment, transcript, order: [region code]}]}` for a ladder
    that ends in a draw, first drawn first; {} otherwise."""
    if rule.ties[-1] != "draw":
        return {}
    codes = {s.id: s.region_code for s in round_.subjects}
    rows = session.scalars(
        select(Draw)
        .where(
            Draw.round_id == round_.id,
            Draw.stage == orders.TIE,
            Draw.state == "completed",
            Draw.kind == draw_kind(round_),
        )
        .order_by(Draw.drawn_at, Draw.id)
    )
    return {
        "tie_draws": [
            {
                "draw": draw.id,
                "attempt": draw.attempt,
                "commitment": draw.commitment_hash,
                "transcript": draw.transcript_sha256,
                "order": [
                    codes[item.thing_id]
                    for item in sorted(ceremony.items_of(draw), key=lambda i: i.position or 0)
                ],
            }
            for draw in rows
        ]
    }


def orders_of(inputs: Mapping[str, Any]) -> list[list[str]]:
    """The orders that draws gave, as the ranking takes them."""
    return [list(row["order"]) for row in inputs.get("tie_draws", ())]


def open_ties(
    rule: ScoreRule, scores: Mapping[str, Any], inputs: Mapping[str, Any]
) -> dict[str, Any]:
    """`{"open_ties": [{counties, rank, limit}]}` for a ladder that ends in a draw; {} otherwise.

    A tie counts when it crosses a number of places (`limit`); where neither scheme nor rule has any,
    every tie does and `limit` is None.
    """
    if rule.ties[-1] != "draw":
        return {}
    clusters: dict[tuple[str | None, int], list[str]] = defaultdict(list)
    for key, score in scores["subjects"].items():
        if score["tie"] and score["tie"]["shared_with"]:
            group = score["group"] if rule.rank_within == "group" else None
            clusters[group, score["rank"]].append(key)
    found = []
    limits = _limits(rule, inputs)
    for (group, rank), keys in sorted(clusters.items(), key=lambda c: (c[0][0] or "", c[0][1])):
        last = rank + len(keys) - 1
        crossed = [n for own, n in limits if own in (None, group) and rank <= n < last]
        if crossed or not limits:
            limit = min(crossed) if crossed else None
            found.append({"counties": sorted(keys), "rank": rank, "limit": limit})
    return {"open_ties": found}


def _limits(rule: ScoreRule, inputs: Mapping[str, Any]) -> list[tuple[str | None, int]]:
    """(group or None, last rank that has a place), as `places.give_places` counts them."""
    found: list[tuple[str | None, int]] = [] if rule.top is None else [(None, rule.top)]
    before = 0
    for place in inputs.get("places", ()):
        if place["group"] is not None:
            found.append((place["group"], int(place["max"])))
        else:
            before += int(place["max"])
            found.append((None, before))
    return found


def of_draws(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Text]:
    """The draws that a run takes into account and the run before did not."""
    known = {row["draw"] for row in before.get("tie_draws", ())}
    return [
        _DRAWN.format(o=" → ".join(row["order"]), h=row["commitment"])
        for row in after.get("tie_draws", ())
        if row["draw"] not in known
    ]


def names_of_open(run: Run) -> list[Text]:
    """Each open tie of a run in words: its counties."""
    names = {row["id"]: Text.of(row["name"]) for row in run.inputs["subjects"]}
    return [
        Text(
            "、".join(names[k].zh for k in tie["counties"]),
            ", ".join(names[k].en for k in tie["counties"]),
        )
        for tie in run.results.get("open_ties", ())
    ]


@dataclass(frozen=True, slots=True)
class SettledTie:
    """A logged draw that settled a tie: the counties in the order drawn."""

    draw: str
    commitment: str
    transcript: str
    names: tuple[Text, ...]


def settled_ties(
    inputs: Mapping[str, Any], scores: Mapping[str, Any], names: Mapping[str, Text]
) -> list[SettledTie]:
    """The draws whose order a run used; `scores` by county, `names` of the counties."""
    used = {k for k, row in scores.items() if row["tie"] and "draw" in row["tie"]["rungs"]}
    found = []
    for row in inputs.get("tie_draws", ()):
        keys = [key for key in row["order"] if key in used]
        if len(keys) > 1:
            used -= set(keys)
            order = tuple(names[key] for key in keys)
            found.append(SettledTie(row["draw"], row["commitment"], row["transcript"], order))
    return found


def wanted_tie(round_: Round, run: Run, number: int) -> Wanted:
    """The purpose of the draw that settles one open tie of a run (numbered from 1); NotFound."""
    ties: Sequence[Mapping[str, Any]] = run.results.get("open_ties", ())
    if not 1 <= number <= len(ties):
        raise NotFound(queries.ABSENT)
    codes = set(ties[number - 1]["counties"])
    title = Text("并列名次：{c}", "Tied rank: {c}").format(c=names_of_open(run)[number - 1])
    rows = [s for s in round_.subjects if s.region_code in codes]
    return orders.of_tie(round_, rows, run=run.number, digest=run.results_digest, title=title)


@dataclass(frozen=True)
class OpenTie:
    """A tie that a run left open, with the last attempt at its draw."""

    names: Text
    rank: int
    limit: int | None
    draw: Draw | None


def standings(session: Session, round_: Round, run: Run) -> list[OpenTie]:
    """Every open tie of a run, in its order."""
    found = []
    for number, (tie, names) in enumerate(
        zip(run.results.get("open_ties", ()), names_of_open(run), strict=True), 1
    ):
        key = wanted_tie(round_, run, number).purpose(round_)
        last = session.scalar(
            select(Draw).where(Draw.purpose_key == key).order_by(Draw.attempt.desc()).limit(1)
        )
        found.append(OpenTie(names, tie["rank"], tie["limit"], last))
    return found


def settle_by_draw(
    session: Session, actor: Viewer | None, *, run: Run, number: int, **given: Any
) -> Draw:
    """A draft of the draw that settles an open tie of the latest run; `given` as for `request_order`."""
    latest = queries.last_run(session, run.round)
    if latest is None or latest.id != run.id:
        raise Conflict(_OLD.format(n=run.number))
    wanted = wanted_tie(run.round, run, number)
    return request_order(session, actor, round=run.round, wanted=wanted, **given)
