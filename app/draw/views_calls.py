"""After the draw: result papers, calls, letters, sealed names, and removals that open an act."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for

from app import clock
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, Text
from app.draw import (
    call_words,
    calls,
    disclosure,
    messages,
    operations,
    operations_calls,
    papers,
    papers_calls,
    queries,
    supplements,
)
from app.draw.forms_calls import ContactForm, PlanForm, RemovalForm
from app.draw.models import Draw, Seat
from app.draw.room import BOTH, blueprint, download, the_draw
from app.registry import queries as registry
from app.ui.access import allow
from app.ui.language import language, say
from app.ui.request import db, keys, me, settings

_HIDDEN = Text(
    "名单密封，尚未公开；通知书由通知人逐一打印。没有生成文件。",
    "The names are sealed: the caller prints the letters one by one. No file was made.",
)


@blueprint.get("/draws/<draw_id>/transcript")
@allow(*BOTH)
def transcript(slug: str, draw_id: str) -> Any:
    """The transcript ZIP, for the verifier: pseudonyms and codes only."""
    draw = the_draw(draw_id)
    data = queries.transcript(db(), me(), settings(), draw)
    name = f"transcript-{draw.kind}-{(draw.commitment_hash or '')[:16]}.zip"
    return download(data, "application/zip", name)


@blueprint.get("/draws/<draw_id>/slip")
@allow(*BOTH)
def slip(slug: str, draw_id: str) -> Any:
    """The record of the draw for signature, as PDF."""
    draw = the_draw(draw_id)
    data = papers.slip(db(), me(), draw, language(), settings())
    return download(data, "application/pdf", f"draw-{(draw.commitment_hash or draw.id)[:16]}.pdf")


# ---------- calls


@blueprint.get("/draws/<draw_id>/calls")
@allow(*BOTH)
def calls_page(slug: str, draw_id: str) -> Any:
    """Who is to be called, what each is told, what was answered, and what follows from it."""
    return _calls(_drawn(draw_id))


def _drawn(draw_id: str) -> Draw:
    draw = the_draw(draw_id)
    if draw.state != "completed":
        raise NotFound(messages.ABSENT)
    return draw


def _calls(draw: Draw, status: int = 200, **given: Any) -> Any:
    session, viewer = db(), me()
    plan, zone = calls.plan_of(session, draw), settings().timezone
    lines = calls.lines(session, viewer, draw)
    accounts = {c.by for s in draw.seats for c in s.contacts}
    accounts |= {act.recorded_by for act in draw.acts}
    accounts |= {look.account_id for line in lines for look in line.looks}
    chosen = disclosure.of(session, draw)
    if chosen is not None:
        accounts |= {chosen.caller_id, chosen.chosen_by, chosen.opened_by}
    names = registry.account_names(session, accounts)
    sealed = disclosure.is_sealed(session, draw)
    texts = {}
    if plan is not None:
        texts = {
            line.seat.id: calls.message_for(line.seat, plan, zone) for line in lines if line.name
        }
    context: dict[str, Any] = {
        "draw": draw,
        "lines": lines,
        "plan": plan,
        "script": call_words.script(plan, clock.now(), zone) if plan else None,
        "texts": texts,
        "sealed": sealed,
        "calling": disclosure.is_caller(session, viewer, draw),
        "disclosure": chosen,
        "published": disclosure.published(session, draw),
        "accounts": names,
        "rates": calls.rates(draw, names),
        "removed": calls.removal_rates(draw, names),
        "vacant": calls.vacant(draw),
        "supplement": supplements.latest(session, draw),
        "act": next((a for a in draw.acts if a.completed_at is None), None),
        "terms": messages,
        "words": call_words,
        "contact_form": ContactForm(formdata=None),
        "plan_form": _plan_form(plan),
        "late": None,
    }
    last = calls.too_late(plan, lines)
    if plan is not None and last is not None:
        begun = any(line.contacts for line in lines)
        late = call_words.too_late(plan, last, clock.now(), zone, begun=begun)
        context["late"] = late
        context["plan_form"].reply_hours.description = late
    return render_template("draw/calls.html", **{**context, **given}), status


def _plan_form(plan: Any) -> PlanForm:
    if plan is None:
        return PlanForm(formdata=None, half_days=6, reply_hours=24, attempts=3)
    return PlanForm(
        formdata=None,
        meets_at=plan.meets_at.astimezone(ZoneInfo(settings().timezone)),
        place_kind=plan.place_kind, half_days=plan.half_days, reply_to=plan.reply_to,
        reply_hours=plan.reply_hours, attempts=plan.attempts,
    )  # fmt: skip


@blueprint.post("/draws/<draw_id>/plan")
@allow("office")
def plan(slug: str, draw_id: str) -> Any:
    """What everybody is told, and the reply clock."""
    draw, form = _drawn(draw_id), PlanForm()
    if form.validate_on_submit():
        try:
            operations_calls.plan_calls(
                db(), me(), draw, meets_at=form.moment(settings().timezone),
                place_kind=form.place_kind.data, half_days=form.half_days.data,
                reply_to=form.reply_to.data or "", reply_hours=form.reply_hours.data,
                attempts=form.attempts.data,
            )  # fmt: skip
        except Conflict:
            raise
        except DomainError as error:
            form.refuse(error)
        else:
            return _to_calls(slug, draw, "通知方案已保存。", "The call plan is saved.")
    return _calls(draw, 422, plan_form=form)


def _to_calls(slug: str, draw: Draw, zh: str, en: str) -> Any:
    flash(say(zh, en), "done")
    return redirect(url_for("draw.calls_page", slug=slug, draw_id=draw.id))


@blueprint.post("/draws/<draw_id>/seats/<seat_id>/contact")
@allow("office")
def contact(slug: str, draw_id: str, seat_id: str) -> Any:
    """One call and its coded answer; an acceptance confirms the seat."""
    draw, form = the_draw(draw_id), ContactForm()
    seat = queries.seat(draw, seat_id)
    if form.validate_on_submit():
        try:
            operations.record_contact(
                db(), me(), seat, form.channel.data, form.outcome.data, form.reason.data,
                form.note.data or "",
            )  # fmt: skip
            if form.outcome.data == "accepted" and seat.state == "drawn":
                operations.confirm_seat(db(), me(), seat)
        except (Conflict, Forbidden):
            raise
        except DomainError as error:
            form.refuse(error)
        else:
            return _to_calls(slug, draw, "通知已登记。", "The call is on record.")
    return _calls(draw, 422, contact_form=form, at_seat=seat.id)


@blueprint.post("/draws/<draw_id>/seats/<seat_id>/confirm")
@allow("office")
def confirm(slug: str, draw_id: str, seat_id: str) -> Any:
    draw = the_draw(draw_id)
    operations.confirm_seat(db(), me(), queries.seat(draw, seat_id))
    return _to_calls(slug, draw, "席位已确认。", "The seat is confirmed.")


@blueprint.post("/draws/<draw_id>/seats/<seat_id>/name")
@allow("office")
def name(slug: str, draw_id: str, seat_id: str) -> Any:
    """The caller of a sealed draw looks at one name; the look is on record before it is shown."""
    draw = the_draw(draw_id)
    seat = queries.seat(draw, seat_id)
    operations_calls.view_name(db(), me(), draw, seat, "call")
    plan, zone = calls.plan_of(db(), draw), settings().timezone
    person = seat.expert.person
    return render_template(
        "draw/one_name.html",
        draw=draw,
        seat=seat,
        person=person,
        employer=registry.employer_name(person),
        phone=keys().decrypt(person.phone) if person.phone else "",
        text=calls.message_for(seat, plan, zone) if plan else None,
        script=call_words.script(plan, clock.now(), zone) if plan else None,
        contact_form=ContactForm(formdata=None),
        limits=call_words.SHORT,
    )


# ---------- papers of the calls


@blueprint.get("/draws/<draw_id>/calls.pdf")
@allow(*BOTH)
def call_sheet(slug: str, draw_id: str) -> Any:
    """The call sheet on paper: a line a seat, room for three attempts; numbers masked."""
    draw = _drawn(draw_id)
    data = papers_calls.call_sheet(db(), me(), draw, language(), settings(), keys())
    return download(data, "application/pdf", f"calls-{draw.id}.pdf")


@blueprint.post("/draws/<draw_id>/calls/phones.pdf")
@allow("office")
def call_sheet_with_phones(slug: str, draw_id: str) -> Any:
    """The same with whole telephone numbers, for a reason that is kept on record."""
    draw = _drawn(draw_id)
    operations_calls.unmask_phones(db(), me(), draw, request.form.get("reason", ""))
    data = papers_calls.call_sheet(db(), me(), draw, language(), settings(), keys(), phones=True)
    return download(data, "application/pdf", f"calls-{draw.id}.pdf")


@blueprint.get("/draws/<draw_id>/letters.pdf")
@allow("office")
def letters(slug: str, draw_id: str) -> Any:
    """Every member's letter in one file, numbered."""
    draw = _drawn(draw_id)
    if not disclosure.may_see_names(db(), me(), draw):
        raise Forbidden(_HIDDEN)
    seats = [seat for seat in draw.seats if seat.active]
    data = papers_calls.letters(db(), draw, seats, language(), settings())
    return download(data, "application/pdf", f"letters-{draw.id}.pdf")


@blueprint.post("/draws/<draw_id>/seats/<seat_id>/letter")
@allow("office")
def letter(slug: str, draw_id: str, seat_id: str) -> Any:
    """One letter of a sealed draw, for its caller, on record."""
    draw = the_draw(draw_id)
    seat = queries.seat(draw, seat_id)
    operations_calls.view_name(db(), me(), draw, seat, "letter")
    data = papers_calls.letters(db(), draw, [seat], language(), settings())
    return download(data, "application/pdf", f"letter-{seat.panel}-{seat.number}.pdf")


# ---------- removals and what follows


@blueprint.get("/draws/<draw_id>/removal")
@allow("office")
def removal(slug: str, draw_id: str) -> Any:
    """One seat's removal, prefilled from why it is asked for (?seat=&ground=&ref=)."""
    draw = _drawn(draw_id)
    seat = queries.seat(draw, request.args.get("seat", ""))
    ground = request.args.get("ground", "other")
    if ground not in call_words.GROUND or not seat.active:
        raise NotFound(messages.ABSENT)
    answered = [c for c in seat.contacts if c.outcome == "declined"]
    decline = answered[-1].reason if answered else None
    form = RemovalForm(
        reason=call_words.cause_for(ground, decline),
        evidence=_evidence(seat, ground, request.args.get("ref", "")),
    )
    return _removal(draw, [seat], form, ground)


def _evidence(seat: Seat, ground: str, ref: str) -> str:
    """The first words of the evidence in the reader's language: what is on record already."""
    words = say(call_words.GROUND[ground])
    if ref:
        words += say("（编号 {r}）", " (number {r})").format(r=ref[:64])
    calls_made = [
        f"{c.at.astimezone(_zone()):%Y-%m-%d %H:%M} {say(messages.CHANNEL[c.channel])} "
        f"{say(messages.DECLINE[c.reason] if c.reason else messages.OUTCOME[c.outcome])}"
        for c in seat.contacts
    ]
    colon, end = say("：", ": "), say("。", ".")
    return words + (colon + say("；", "; ").join(calls_made) if calls_made else "") + end


def _zone() -> ZoneInfo:
    return ZoneInfo(settings().timezone)


def _removal(
    draw: Draw, chosen: list[Seat], form: RemovalForm, ground: str = "other", status: int = 200
) -> Any:
    seats = [seat for seat in draw.seats if seat.active]
    return (
        render_template(
            "draw/removal.html",
            draw=draw,
            seats=seats,
            chosen={seat.id for seat in chosen},
            labels=disclosure.labels(db(), me(), draw),
            removal_form=form,
            ground=call_words.GROUND[ground],
        ),
        status,
    )


@blueprint.post("/draws/<draw_id>/removals")
@allow("office")
def removals(slug: str, draw_id: str) -> Any:
    """Fix who leaves, with cause and evidence; the supervisor cosigns, then the act follows."""
    draw, form = the_draw(draw_id), RemovalForm()
    chosen = [queries.seat(draw, key) for key in request.form.getlist("seats")]
    if form.validate_on_submit():
        try:
            operations.record_removals(
                db(), me(), draw,
                [(seat, form.reason.data, form.evidence.data or "") for seat in chosen],
            )  # fmt: skip
        except Conflict:
            raise
        except DomainError as error:
            form.refuse(error)
        else:
            flash(
                say(
                    "更换已登记，等待监督人员会签。",
                    "The removals are on record and await the supervisor.",
                ),
                "done",
            )
            return redirect(url_for("draw.show", slug=slug, draw_id=draw.id))
    return _removal(draw, chosen, form, status=422)


@blueprint.post("/draws/<draw_id>/supplement")
@allow("office")
def supplement(slug: str, draw_id: str) -> Any:
    """A draft for the seats that nobody in the first pool could fill (D-08)."""
    made = supplements.request_supplement(db(), me(), the_draw(draw_id))
    flash(say("补充抽取的草稿已建立。", "The draft of the supplementary draw is made."), "done")
    return redirect(url_for("draw.show", slug=slug, draw_id=made.id))
