"""Reading order draws: what was drawn, for the pages that follow the order."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.types import Text
from app.draw import ceremony, orders
from app.draw.begun import begun
from app.draw.facts import draw_kind
from app.draw.models import ORDER_STAGES, Draw
from app.draw.models_order import OrderItem
from app.draw.orders import Wanted
from app.draw.pages_order import placed
from app.programme.models import Round


@dataclass(frozen=True)
class Standing:
    """One purpose with its last attempt."""

    wanted: Wanted
    draw: Draw | None
    begun: Text | None = None  # the county with which the statements have begun

    @property
    def open(self) -> bool:
        """Whether a draft can be made."""
        return self.begun is None and (self.draw is None or self.draw.state == "aborted")


@dataclass(frozen=True)
class Drawn:
    """A completed order."""

    draw: Draw
    items: list[OrderItem]

    @property
    def places(self) -> dict[str, int]:
        """Thing id -> place from 1."""
        return {item.thing_id: item.position or 0 for item in self.items}


def standings(session: Session, round_: Round, stage: str | None = None) -> list[Standing]:
    """Every order that can be drawn in the round with its last attempt; three queries beside the
    registers. For the office and the supervisor: the caller sees to that."""
    last: dict[str, Draw] = {}
    for draw in _orders(session, round_, stage):
        if draw.purpose_key not in last or last[draw.purpose_key].attempt < draw.attempt:
            last[draw.purpose_key] = draw
    started = begun(session, round_.id)
    return [
        Standing(
            wanted,
            last.get(wanted.purpose(round_)),
            started.get((wanted.of["draw"], wanted.of["panel"]))
            if wanted.stage == orders.STATEMENTS
            else None,
        )
        for wanted in orders.available(session, round_, stage)
    ]


def statements_orders(session: Session, round_: Round) -> dict[tuple[str, str], Drawn]:
    """(draw of the experts, panel) -> the order of its statements, once it is drawn; two queries. No
    secret: the counties are told."""
    done = [d for d in _orders(session, round_, orders.STATEMENTS) if d.state == "completed"]
    items: dict[str, list[OrderItem]] = {draw.id: [] for draw in done}
    for item in session.scalars(select(OrderItem).where(OrderItem.draw_id.in_(items))):
        items[item.draw_id].append(item)
    found = {}
    for draw in done:
        of = draw.request["order"]["of"]
        found[of["draw"], of["panel"]] = Drawn(draw, placed(items[draw.id]))
    return found


def statements_under_way(session: Session, draw_id: str, panel: str) -> bool:
    """Whether the order of a panel's statements is committed and not drawn yet."""
    rows = session.scalars(
        select(Draw.request).where(
            Draw.stage == orders.STATEMENTS, Draw.state.in_(("committed", "cosigned"))
        )
    )
    return any(row["order"]["of"] == {"draw": draw_id, "panel": panel} for row in rows)


def counties_drawn(session: Session, round_: Round) -> Drawn | None:
    """The counties drawn for a spot check."""
    for draw in _orders(session, round_, orders.COUNTIES):
        if draw.state == "completed":
            return Drawn(draw, placed(ceremony.items_of(draw)))
    return None


def _orders(session: Session, round_: Round, stage: str | None) -> list[Draw]:
    stages = [stage] if stage else list(ORDER_STAGES)
    return list(
        session.scalars(
            select(Draw)
            .where(
                Draw.round_id == round_.id,
                Draw.stage.in_(stages),
                Draw.kind == draw_kind(round_),
            )
            .order_by(Draw.created_at, Draw.id)
        )
    )
