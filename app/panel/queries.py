"""Reading panels, sittings, presence and statements; each query takes the viewer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, contains_eager, selectinload

from app.accounts.viewer import Viewer
from app.domain.types import NotFound, Text
from app.draw.models import ORDER_STAGES, Draw, Seat
from app.draw.queries_order import Drawn, statements_orders
from app.draw.supplements import is_supplement, sits_on
from app.panel.models import Attendance, Challenge, Declaration, Panel, Sitting, Statement
from app.panel.models_trainees import Trainee
from app.programme.models import Material, Round, Subject
from app.registry.models import Expert

ABSENT = Text(
    "没有找到这个专家组或会议，或者它不对您开放。",
    "There is no such panel or sitting, or it is not open to you.",
)
OVERSEERS = ("office", "supervisor")


def seats(session: Session, panel: Panel) -> list[Seat]:
    """Active seats of a panel in seat order."""
    return list(
        session.scalars(
            select(Seat)
            .where(sits_on(panel.draw_id), Seat.panel == panel.code, Seat.state != "removed")
            .order_by(Seat.number)
        )
    )


def at_work_on(session: Session, panel: Panel) -> dict[str, Seat]:
    """Seat id -> seat of whoever may fill in sheets on a panel: its members and its trainees."""
    rows = session.scalars(
        select(Seat).where(sits_on(panel.draw_id), Seat.panel == panel.code, at_work())
    )
    return {row.id: row for row in rows}


def at_work() -> ColumnElement[bool]:
    """SQL: whoever holds the seat reads, fills in and seals. Its sheets count iff it is active; a
    trainee's never are, and he works until his appointment ends."""
    sitting_along = select(Trainee.seat_id).where(Trainee.ended_at.is_(None))
    return or_(Seat.state != "removed", Seat.id.in_(sitting_along))


def working_seat(session: Session, viewer: Viewer, panel: Panel) -> Seat | None:
    """The seat on which the viewer fills in sheets: his active one, else that of a trainee."""
    return _seat_of(session, viewer, panel, at_work())


def own_seat(session: Session, viewer: Viewer, panel: Panel) -> Seat | None:
    """The viewer's active seat on a panel: a member's, for what members alone do."""
    return _seat_of(session, viewer, panel, Seat.state != "removed")


def _seat_of(
    session: Session, viewer: Viewer, panel: Panel, held: ColumnElement[bool]
) -> Seat | None:
    """The viewer's seat of that kind, a drawn one before a trainee's, with its expert."""
    return session.scalar(
        select(Seat)
        .join(Seat.expert)
        .options(contains_eager(Seat.expert))
        .where(
            sits_on(panel.draw_id),
            Seat.panel == panel.code,
            held,
            Expert.person_id == viewer.person_id,
        )
        .order_by(Seat.act.desc())
        .limit(1)
    )


def panels(session: Session, viewer: Viewer, round_: Round) -> list[Panel]:
    """Panels of a round that the viewer may see, with their sittings."""
    query = (
        select(Panel)
        .where(Panel.round_id == round_.id)
        .options(selectinload(Panel.sittings).selectinload(Sitting.statement))
        .order_by(Panel.stage, Panel.code)
    )
    if viewer.role == "expert":
        query = query.where(_seated(viewer))
    elif viewer.role not in OVERSEERS:
        return []
    return list(session.scalars(query))


def _seated(viewer: Viewer, trainee: bool = True):  # type: ignore[no-untyped-def]
    """SQL condition: the viewer has a seat at work on the panel; an active one unless `trainee`."""
    return (
        select(Seat.id)
        .join(Expert, Seat.expert_id == Expert.id)
        .where(
            sits_on(Panel.draw_id),
            Seat.panel == Panel.code,
            at_work() if trainee else Seat.state != "removed",
            Expert.person_id == viewer.person_id,
        )
        .exists()
    )


def panel(session: Session, viewer: Viewer, round_: Round, panel_id: str) -> Panel:
    """One panel; NotFound looks the same whether it is absent or not the viewer's."""
    found = session.get(Panel, panel_id)
    if found is None or found.round_id != round_.id:
        raise NotFound(ABSENT)
    if viewer.role in OVERSEERS or working_seat(session, viewer, found):
        return found
    raise NotFound(ABSENT)


def with_statements(session: Session, panel_: Panel) -> None:
    """Read a panel's sittings with their statements, in two queries whatever their number."""
    session.scalars(
        select(Panel)
        .where(Panel.id == panel_.id)
        .options(selectinload(Panel.sittings).selectinload(Sitting.statement))
    ).one()


def sitting(session: Session, viewer: Viewer, round_: Round, sitting_id: str) -> Sitting:
    """One sitting: office, supervisor, its experts, and the county's presenter once it is open."""
    found = session.get(Sitting, sitting_id)
    if found is None or found.panel.round_id != round_.id:
        raise NotFound(ABSENT)
    if viewer.role in OVERSEERS or working_seat(session, viewer, found.panel):
        return found
    if (
        viewer.role == "presenter"
        and found.subject.presenter_id == viewer.person_id
        and found.with_statement
        and found.phase != "planned"
    ):
        return found
    raise NotFound(ABSENT)


def sittings_of_presenter(session: Session, viewer: Viewer) -> list[Sitting]:
    """Statements that the viewer's county has to make or has made."""
    return list(
        session.scalars(
            select(Sitting)
            .join(Subject, Sitting.subject_id == Subject.id)
            .where(Subject.presenter_id == viewer.person_id, Sitting.with_statement)
            .order_by(Sitting.on, Sitting.position)
        )
    )


def statements_order(session: Session, panel_: Panel) -> Drawn | None:
    """The drawn order of the panel's statements (subject id -> place in `places`); None before the
    draw and for a panel without statements."""
    return statements_orders(session, panel_.round).get((panel_.draw_id, panel_.code))


def in_order(panel_: Panel, drawn: Drawn | None) -> list[Sitting]:
    """The sittings as the order was drawn; who is not in it, and without a draw, as they were made."""
    places = drawn.places if drawn is not None else {}
    return sorted(panel_.sittings, key=lambda s: (places.get(s.subject_id, 10_000), s.position))


def turn(session: Session, sitting_: Sitting) -> tuple[int, int, Drawn] | None:
    """(place, of how many, the draw) of a county's statement; None while no order is drawn."""
    drawn = statements_order(session, sitting_.panel) if sitting_.with_statement else None
    place = drawn.places.get(sitting_.subject_id) if drawn is not None else None
    return None if drawn is None or place is None else (place, len(drawn.places), drawn)


def draws_to_form(session: Session, round_: Round) -> list[Draw]:
    """Completed draws of a round that have no panels yet; supplements join panels that stand."""
    formed = select(Panel.draw_id).where(Panel.round_id == round_.id)
    rows = session.scalars(
        select(Draw).where(
            Draw.round_id == round_.id,
            Draw.state == "completed",
            Draw.stage.not_in(ORDER_STAGES),
            Draw.id.not_in(formed),
        )
    )
    return [draw for draw in rows if not is_supplement(draw)]


def own_panels(session: Session, viewer: Viewer, *, trainee: bool = True) -> list[Panel]:
    """Every panel on which the viewer sits, latest first; those where he sits along, too, unless
    `trainee` is false."""
    return list(
        session.scalars(
            select(Panel)
            .where(_seated(viewer, trainee))
            .options(selectinload(Panel.sittings))
            .order_by(Panel.created_at.desc())
        )
    )


def declared(session: Session, panel_: Panel) -> dict[str, dict[str, Declaration]]:
    """Seat id -> kind -> signed declaration."""
    found: dict[str, dict[str, Declaration]] = defaultdict(dict)
    for row in session.scalars(select(Declaration).where(Declaration.panel_id == panel_.id)):
        found[row.seat_id][row.kind] = row
    return found


def has_declared(session: Session, panel_: Panel, seat: Seat) -> bool:
    """Both declarations signed and no conflict ticked: the seat may see materials (C-13)."""
    rows = declared(session, panel_).get(seat.id, {})
    conflict = rows.get("conflict")
    return (
        conflict is not None
        and "secrecy" in rows
        and not any(bool(answer) for answer in conflict.answers.values())
    )


def attendance(session: Session, sitting_: Sitting) -> dict[str, Attendance]:
    """Seat id -> presence."""
    return {
        row.seat_id: row
        for row in session.scalars(select(Attendance).where(Attendance.sitting_id == sitting_.id))
    }


def under_way(sitting_: Sitting) -> bool:
    """Whether members sign in at a sitting now."""
    return sitting_.phase not in ("planned", "closed")


def same_table(sitting_: Sitting) -> list[Sitting]:
    """The sittings at which whoever is present at this one is present, too: those of its panel on
    the same day and at the same place that are under way; [] when this one is not.

    A sitting with a statement is a visit (S0 art. 16(3)), made one after another, and being there is
    the point: it stands alone, and so does a desk sitting on another day or in another place.
    """
    if sitting_.with_statement or not under_way(sitting_):
        return [sitting_] if under_way(sitting_) else []
    at = (sitting_.on, sitting_.place)
    return [
        other
        for other in sitting_.panel.sittings
        if not other.with_statement and under_way(other) and (other.on, other.place) == at
    ]


def not_signed_in(session: Session, sittings: list[Sitting]) -> Callable[[Seat], list[Sitting]]:
    """For each seat: at which of these sittings it has not signed in. One query."""
    signed = session.execute(
        select(Attendance.seat_id, Attendance.sitting_id).where(
            Attendance.sitting_id.in_([row.id for row in sittings])
        )
    )
    there = {(seat_id, sitting_id) for seat_id, sitting_id in signed}
    return lambda seat: [row for row in sittings if (seat.id, row.id) not in there]


def challenges(session: Session, sitting_: Sitting) -> list[Challenge]:
    """Challenges of a sitting, oldest first."""
    return list(
        session.scalars(
            select(Challenge)
            .where(Challenge.sitting_id == sitting_.id)
            .order_by(Challenge.raised_at)
        )
    )


def statement(session: Session, sitting_: Sitting) -> Statement | None:
    """The statement of a sitting, when it was opened."""
    return session.scalar(select(Statement).where(Statement.sitting_id == sitting_.id))


def may_see_materials(session: Session, viewer: Viewer, subject_id: str) -> bool:
    """Seated on the county with both declarations signed: materials are open for reading."""
    if viewer.role != "expert":
        return False
    rows = session.scalars(
        select(Panel)
        .join(Sitting, Sitting.panel_id == Panel.id)
        .where(Sitting.subject_id == subject_id, _seated(viewer))
    )
    for found in rows:
        seat = working_seat(session, viewer, found)
        if seat and has_declared(session, found, seat):
            return True
    return False


def material(session: Session, viewer: Viewer, material_id: str) -> Material:
    """A filed document for an expert seated on its county."""
    row = session.get(Material, material_id)
    if row is None or row.withdrawn_at or not may_see_materials(session, viewer, row.subject_id):
        raise NotFound(ABSENT)
    return row
