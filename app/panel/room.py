"""What the pages of a panel share: the blueprint, one sitting's page, and the way back to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for

from app.accounts.viewer import Viewer
from app.domain.types import NotFound
from app.draw.views_names import who
from app.panel import queries, together, trainees
from app.panel.forms import (
    CloseStatementForm,
    OpenStatementForm,
    OutlineForm,
    ScheduleForm,
    StatementForm,
)
from app.panel.forms_challenges import (
    AnswerForm,
    ChallengeDecisionForm,
    ChallengeForm,
    OfficeChallengeForm,
)
from app.panel.statements import UNCONFIRMED
from app.ui.language import say
from app.ui.request import db, me

blueprint = Blueprint("panel", __name__, url_prefix="/r/<slug>")


def the_sitting(sitting_id: str) -> Any:
    """The sitting that the address names, if this viewer may see it."""
    return queries.sitting(db(), me(), g.round, sitting_id)


def _named(panel: Any) -> list[Any]:
    """The sittings of a panel that a button names, in the panel's order; NotFound for any other."""
    wanted = set(request.form.get("sittings", "").split())
    found = [row for row in panel.sittings if row.id in wanted]
    if not wanted or len(found) < len(wanted):
        raise NotFound(queries.ABSENT)
    return found


def the_seat(panel: Any, seat_id: str, *, trainee: bool = False) -> Any:
    """An active seat of the panel, or one of a trainee where he does what members do; NotFound."""
    rows = queries.at_work_on(db(), panel).values() if trainee else queries.seats(db(), panel)
    for seat in rows:
        if seat.id == seat_id:
            return seat
    raise NotFound(queries.ABSENT)


def show_sitting(found: Any, status: int = 200, **forms: Any) -> Any:
    """The page of a sitting; `forms` are those that came back with errors."""
    viewer = me()
    statement = queries.statement(db(), found)
    names_open = found.phase in ("statement", "scoring", "closed")  # names secret until then
    seats = queries.seats(db(), found.panel)
    if viewer.role == "presenter" and not names_open:
        seats = []
    show_form = ScheduleForm(obj=found) if viewer.role == "office" else None
    statement_form = None
    if statement and not statement.closed_at:
        kind = StatementForm if viewer.role == "office" else OutlineForm
        if viewer.role in ("office", "presenter"):
            statement_form = forms.get("statement_form") or kind(obj=statement)
    challenge_form = forms.get("challenge_form") or challenge_form_of(viewer)
    challenge_form.seat.choices = [
        (s.id, f"{s.number}  {who(s, found.phase != 'planned')}") for s in seats
    ]
    own = queries.working_seat(db(), viewer, found.panel) if viewer.role == "expert" else None
    page = render_template(
        "panel/sitting.html",
        sitting=found,
        panel=found.panel,
        turn=queries.turn(db(), found),
        statement=statement,
        seats=seats if viewer.role != "expert" else [],
        own=own,
        trainees=trainees.sitting_along(db(), found) if seats else [],
        ready=own is not None and queries.has_declared(db(), found.panel, own),
        attendance=queries.attendance(db(), found),
        not_signed_in=queries.not_signed_in(db(), queries.same_table(found)),
        declared=queries.declared(db(), found.panel),
        challenges=queries.challenges(db(), found) if viewer.role != "expert" else [],
        schedule_form=show_form,
        open_form=forms.get("open_form") or OpenStatementForm(),
        statement_form=statement_form,
        close_form=forms.get("close_form") or CloseStatementForm(formdata=None),
        unconfirmed=UNCONFIRMED,
        challenge_form=challenge_form,
        decision_form=ChallengeDecisionForm(formdata=None),
        answer_form=AnswerForm(formdata=None),
        removal_url=lambda seat_id, ground, ref: url_for(
            "draw.removal",
            slug=g.round.slug,
            draw_id=next(s.draw_id for s in seats if s.id == seat_id),
            seat=seat_id,
            ground=ground,
            ref=ref,
        ),
        deciding=forms.get("deciding"),
        theirs=forms.get("theirs"),
    )
    return page, status


def back_to(slug: str, sitting_id: str, zh: str, en: str, page: str = "panel.sitting") -> Any:
    """Say what was done and show the sitting again, or the statement room that the form came from."""
    flash(say(zh, en), "done")
    if request.form.get("back") == "room":
        page = "panel.room"
    return redirect(url_for(page, slug=slug, sitting_id=sitting_id))


def at_several(slug: str, panel_id: str, act: Callable[..., object], zh: str, en: str) -> Any:
    """The operation `act(session, actor, sitting=…)` at the sittings of a panel that a button names, or at
    none (`together.each`); the words say what was done at {n}, and the panel is shown again."""
    panel = queries.panel(db(), me(), g.round, panel_id)
    rows = _named(panel)
    together.each(rows, lambda row: act(db(), me(), sitting=row))
    flash(say(zh, en, n=len(rows)), "done")
    return redirect(url_for("panel.show", slug=slug, panel_id=panel_id))


def challenge_form_of(viewer: Viewer) -> ChallengeForm:
    """The form for whoever may file: the office says for whom."""
    return OfficeChallengeForm() if viewer.role == "office" else ChallengeForm()
