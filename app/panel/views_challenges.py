"""Standing aside: a county's challenge as a case, late declarations, and the list of both."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for

from app.domain.types import Conflict, DomainError, NotFound
from app.draw.views_names import who
from app.panel import challenges, queries, recusals
from app.panel.forms_challenges import (
    AnswerForm,
    ChallengeDecisionForm,
    OfficeChallengeForm,
    StandAsideForm,
    ToldForm,
)
from app.panel.models import Challenge
from app.panel.room import (
    back_to,
    blueprint,
    challenge_form_of,
    show_sitting,
    the_seat,
    the_sitting,
)
from app.registry.queries import account_names
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me


def _case(found: Any, challenge_id: str) -> Challenge:
    row = db().get(Challenge, challenge_id)
    if row is None or row.sitting_id != found.id:
        raise NotFound(queries.ABSENT)
    return row


@blueprint.post("/sittings/<sitting_id>/challenge")
@allow("presenter", "office")
def challenge(slug: str, sitting_id: str) -> Any:
    """The county challenges an expert."""
    found = the_sitting(sitting_id)
    form = challenge_form_of(me())
    form.seat.choices = [(s.id, "") for s in queries.seats(db(), found.panel)]
    if not form.validate_on_submit():
        return show_sitting(found, 422, challenge_form=form)
    try:
        challenges.challenge(
            db(),
            me(),
            sitting=found,
            seat=the_seat(found.panel, form.seat.data),
            reason=form.reason.data,
            on_behalf_of=form.on_behalf_of.data if isinstance(form, OfficeChallengeForm) else "",
        )
    except Conflict:
        raise
    except DomainError as error:
        form.refuse(error, "reason")
        return show_sitting(found, 422, challenge_form=form)
    return back_to(slug, sitting_id, "回避申请已提交。", "The challenge is submitted.")


@blueprint.post("/sittings/<sitting_id>/challenge/<challenge_id>/answer")
@allow("office")
def answer(slug: str, sitting_id: str, challenge_id: str) -> Any:
    """The office has asked the expert."""
    found = the_sitting(sitting_id)
    row, form = _case(found, challenge_id), AnswerForm()
    if not form.validate_on_submit():
        return show_sitting(found, 422, deciding=(row.id, form))
    challenges.record_answer(db(), me(), challenge=row, answer=form.answer.data)
    return back_to(
        slug, sitting_id, "答复已登记，由监督人员决定。", "Recorded; the supervisor decides."
    )


@blueprint.post("/sittings/<sitting_id>/challenge/<challenge_id>")
@allow("supervisor")
def decide(slug: str, sitting_id: str, challenge_id: str) -> Any:
    """The supervisor decides a challenge."""
    found = the_sitting(sitting_id)
    row, form = _case(found, challenge_id), ChallengeDecisionForm()
    if not form.validate_on_submit():
        return show_sitting(found, 422, deciding=(row.id, form))
    try:
        challenges.decide_challenge(
            db(),
            me(),
            challenge=row,
            upheld=form.upheld.data == "upheld",
            reason=form.reason.data,
        )
    except Conflict:
        raise
    except DomainError as error:
        form.refuse(error, "reason")
        return show_sitting(found, 422, deciding=(row.id, form))
    return back_to(slug, sitting_id, "回避申请已处理。", "The challenge is decided.")


@blueprint.get("/recusals")
@allow("office", "supervisor")
def recusal_list(slug: str) -> Any:
    """Challenges with their state, and seats that are to be replaced."""
    found = recusals.cases(db(), me(), g.round)
    return render_template(
        "panel/recusals.html",
        cases=found,
        recusals=recusals.recusals(db(), me(), g.round),
        accounts=account_names(
            db(),
            [who for c in found for who in (c.row.raised_by, c.row.answer_by, c.row.decided_by)],
        ),
    )


@blueprint.route("/sittings/<sitting_id>/stand-aside", methods=["GET", "POST"])
@allow("expert", "office")
def stand_aside(slug: str, sitting_id: str) -> Any:
    """A link that comes to light late: the expert declares it, or the office, whom he told."""
    found = the_sitting(sitting_id)
    office = me().role == "office"
    form: Any = ToldForm() if office else StandAsideForm()
    if office:
        form.seat.choices = [
            (s.id, f"{s.number}  {who(s, found.phase != 'planned')}")
            for s in queries.seats(db(), found.panel)
        ]
    if form.validate_on_submit():
        seat = (
            the_seat(found.panel, form.seat.data)
            if office
            else queries.working_seat(db(), me(), found.panel)
        )
        if seat is None:
            raise NotFound(queries.ABSENT)
        told = form.told.data if office else ""
        try:
            recusals.stand_aside(
                db(),
                me(),
                sitting=found,
                seat=seat,
                kind=form.kind.data,
                evidence=f"{form.evidence.data}（{told}）" if told else form.evidence.data,
            )
        except DomainError as error:
            form.refuse(error, "evidence")
        else:
            if seat.trainee:
                flash(
                    say(
                        "已申报，您的见习到此结束。",
                        "Declared; you sit along on this panel no more.",
                    ),
                    "done",
                )
                return redirect(url_for("home.index"))
            flash(
                say(
                    "已申报。请等待办公室安排更换；在此之前不要继续评审该县（市）。",
                    "Declared. The office arranges a replacement; do not go on with this county.",
                ),
                "done",
            )
            return redirect(url_for("panel.sitting", slug=slug, sitting_id=sitting_id))
    page = render_template("panel/stand_aside.html", sitting=found, form=form)
    return page, 422 if request.method == "POST" else 200
