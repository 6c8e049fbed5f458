"""The supplementary draw: seats that no act could fill, drawn for again from an enlarged pool (D-08).

The first draw stays as it is. Experts are nominated and admitted as always; then a new commitment, with
cosignature, dice and codes of its own, whose purpose names the first commitment and its vacant seats.
A vacant seat is in one such set for ever (`Vacancy`), and a purpose has one result (`Draw`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, aliased

from app import clock
from app.accounts.viewer import Viewer
from app.domain.draw.vacancies import bounds_left
from app.domain.ledger.canonical import digest
from app.domain.types import Text
from app.draw import calls, disclosure, pool
from app.draw.messages import cannot, in_state
from app.draw.models import TRAINEE_ACT, Draw, Seat
from app.draw.models_calls import Vacancy
from app.ledger.append import append

_WHAT = Text("建立补充抽取", "make a supplementary draw")


@lru_cache(maxsize=1)
def _supplements() -> Any:
    """SQL: the ids of supplements. Its alias is made once: that costs more than the rest of a query."""
    other = aliased(Draw)
    return select(other.id).join(Vacancy, Vacancy.purpose_key == other.purpose_key)


def sits_on(panel_draw_id: Any) -> ColumnElement[bool]:
    """SQL: the seat belongs to the panels of this draw, drawn in it or in a supplement of it."""
    more = _supplements().where(Vacancy.root_id == panel_draw_id)
    return or_(Seat.draw_id == panel_draw_id, Seat.draw_id.in_(more))


def root_of(draw: Draw) -> str:
    """The draw whose panels the seats of this draw belong to."""
    extra = draw.request.get("supplement")
    return str(extra["root"]) if extra else draw.id


def is_supplement(draw: Draw) -> bool:
    return bool(draw.request.get("supplement"))


def claimed(session: Session, draw: Draw) -> list[Vacancy]:
    """The vacant seats of this draw for which a supplementary draw was made."""
    query = select(Vacancy).where(Vacancy.draw_id == draw.id)
    return list(session.scalars(query.order_by(Vacancy.panel, Vacancy.number)))


def latest(session: Session, draw: Draw) -> Draw | None:
    """The last supplementary draw of this draw's vacancies."""
    keys = {row.purpose_key for row in claimed(session, draw)}
    if not keys:
        return None
    return session.scalar(
        select(Draw)
        .where(Draw.purpose_key.in_(keys))
        .order_by(Draw.created_at.desc(), Draw.attempt.desc())
        .limit(1)
    )


def still_vacant(session: Session, draw: Draw) -> list[tuple[str, int]]:
    """Vacant seats that no completed supplementary draw has filled."""
    filled: set[tuple[str, int]] = set()
    keys = {row.purpose_key for row in claimed(session, draw)}
    if keys:
        rows = session.execute(
            select(Seat.panel, Seat.number)
            .join(Draw, Draw.id == Seat.draw_id)
            .where(Draw.purpose_key.in_(keys), Draw.state == "completed", Seat.state != "removed")
        )
        filled = {(row.panel, row.number) for row in rows}
    return [place for place in calls.vacant(draw) if place not in filled]


def request_supplement(session: Session, actor: Viewer, draw: Draw) -> Draw:
    """A draft for the vacant seats of `draw`; the same seats again only after an abort.

    Conflict when nothing is vacant, an act is open, or every vacancy has its draw already.
    """
    actor.require("office")
    in_state(draw.state, _WHAT, "completed")
    if draw.round.phase not in ("preparing", "open"):
        raise cannot(_WHAT, Text("本届已结束", "the round has ended"))
    if any(act.completed_at is None for act in draw.acts):
        raise cannot(_WHAT, Text("补抽尚未完成", "an act is still open"))
    if disclosure.is_sealed(session, draw):
        # Its exclusions would name the standing members to whoever looks at the draft.
        raise cannot(
            _WHAT,
            Text(
                "名单密封，须待公开之后", "the names are sealed; it has to wait for the disclosure"
            ),
        )
    rows = claimed(session, draw)
    last = latest(session, draw)
    taken = {(row.panel, row.number) for row in rows}
    if last is not None and last.state == "aborted":
        places = [(row.panel, row.number) for row in rows if row.purpose_key == last.purpose_key]
    else:
        places = [place for place in calls.vacant(draw) if place not in taken]
    if not places:
        why = (
            Text("这些空缺席位已有补充抽取", "these vacancies have their supplementary draw")
            if taken
            else Text("没有空缺席位", "no seat is vacant")
        )
        raise cannot(_WHAT, why)
    key = _purpose_key(draw, places)
    for panel, number in places:
        if (panel, number) not in taken:
            session.add(
                Vacancy(
                    draw_id=draw.id, root_id=root_of(draw), panel=panel, number=number,
                    purpose_key=key,
                )
            )  # fmt: skip
    tried = session.scalar(select(func.max(Draw.attempt)).where(Draw.purpose_key == key))
    made = Draw(
        round=draw.round,
        stage=draw.stage,
        kind=draw.kind,
        purpose_key=key,
        attempt=(tried or 0) + 1,
        state="draft",
        request=_request(session, draw, places),
        created_by=actor.id,
        created_at=clock.now(),
    )
    session.add(made)
    session.flush()
    append(
        session,
        actor,
        "draw.supplement_requested",
        draw=made.id,
        of=draw.id,
        purpose=key,
        attempt=made.attempt,
        seats=[f"{panel}-{number}" for panel, number in places],
    )
    return made


def _purpose_key(draw: Draw, places: list[tuple[str, int]]) -> str:
    return digest(
        {
            "of": draw.purpose_key,
            "commitment": draw.commitment_hash,
            "seats": [f"{panel}-{number}" for panel, number in sorted(places)],
        }
    )


def purpose_extra(draw: Draw) -> dict[str, str | int]:
    """What the purpose of a supplementary commitment says beside the usual; {} of any other."""
    extra = draw.request.get("supplement")
    if not extra:
        return {}
    seats = [f"{p}-{n}" for p in sorted(extra["seats"]) for n in extra["seats"][p]]
    return {"seats": ",".join(seats), "supplement_of": str(extra["commitment"])}


def renewed(session: Session, draw: Draw) -> dict[str, Any]:
    """The request of a supplementary draft as the standing members leave it today."""
    extra = draw.request["supplement"]
    first = session.get_one(Draw, extra["of"])
    places = [(p, int(n)) for p in sorted(extra["seats"]) for n in extra["seats"][p]]
    return _request(session, first, places)


def _request(session: Session, first: Draw, places: list[tuple[str, int]]) -> dict[str, Any]:
    root = session.get_one(Draw, root_of(first))
    family = list(
        session.scalars(
            select(Seat).where(sits_on(root.id), Seat.act > TRAINEE_ACT).order_by(Seat.id)
        )
    )
    wanted: dict[str, list[int]] = {}
    for panel, number in sorted(places):
        wanted.setdefault(panel, []).append(number)
    standing = {
        panel: sorted(s.expert_id for s in family if s.panel == panel and s.active)
        for panel in wanted
    }
    found = pool.assess(session, root.round, root.request)
    panels = [
        _panel(spec, wanted, standing, found, len(wanted) == 1)
        for spec in root.request["panels"]
        if spec["id"] in wanted
    ]
    return {
        **root.request,
        "subjects": [
            s for s in root.request["subjects"] if any(s in p["subjects"] for p in panels)
        ],
        "panels": panels,
        # One vacancy of one type leaves most people no chance and a few a high one: that is the
        # shortage itself, recorded with its coded reasons and accepted by the cosigner.
        "accept_high": "small_pool",
        "accept_zero": "not_needed",
        "supplement": {
            "of": first.id,
            "root": root.id,
            "commitment": first.commitment_hash,
            "seats": wanted,
            "standing": standing,
            "ever": sorted({s.expert_id for s in family}),
        },
    }


def _panel(
    spec: dict[str, Any],
    wanted: dict[str, list[int]],
    standing: dict[str, list[str]],
    found: pool.Assessment,
    alone: bool,
) -> dict[str, Any]:
    """The panel as far as it is vacant: quotas less what the standing members fill."""
    seats = len(wanted[spec["id"]])
    members = [found.attributes.get(key, {}) for key in standing[spec["id"]]]
    left = bounds_left(spec["quotas"], seats, members)
    quotas = {a: {v: list(row) for v, row in rows.items()} for a, rows in left.items()}
    made = {**spec, "seats": seats, "quotas": quotas}
    if not alone and spec["mode"] == "lottery":  # panels that share a day are drawn by ticket
        made |= {"mode": "tickets", "mode_reason": "batch"}
    return made


def roots(session: Session, draw_ids: set[str]) -> dict[str, str]:
    """Draw id -> the draw whose panels its seats belong to: of these draws and all supplements of them."""
    found = {key: key for key in draw_ids}
    rows = session.execute(
        select(Draw.id, Vacancy.root_id)
        .join(Vacancy, Vacancy.purpose_key == Draw.purpose_key)
        .where(Vacancy.root_id.in_(draw_ids))
    )
    return found | {row.id: row.root_id for row in rows}
