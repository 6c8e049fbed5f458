"""Pages of a round: making it, its overview, forms, guidance, opening and ending."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for

from app.domain.types import DomainError, NotFound, Text
from app.programme import operations, queries
from app.programme.forms import GuidanceForm, PinForm, ReasonForm, RoundForm
from app.programme.instruments import required_pins
from app.programme.pages import blueprint, page, the_round
from app.programme.rounds import missing_pins
from app.programme.scheme import library_schemes, scheme_of
from app.programme.versions import form_of, form_versions, to_confirm
from app.ui.access import allow, signed_in
from app.ui.language import say
from app.ui.request import db, me

_NO_PLACE = Text(
    "没有这个阶段和类别。没有改动。", "There is no such stage and class. Nothing was changed."
)


@blueprint.get("/rounds")
@allow("office", "supervisor", "admin")
def rounds() -> Any:
    """Every round; drafts that were discarded only when asked for."""
    listed = queries.rounds_for(db(), me())
    kept = [r for r in listed if r.discarded_at is None]
    with_discarded = request.args.get("discarded") == "1"
    return page(
        "rounds",
        listed=listed if with_discarded else kept,
        discarded=0 if with_discarded else len(listed) - len(kept),
    )


@blueprint.route("/rounds/new", methods=["GET", "POST"])
@allow("office")
def new_round() -> Any:
    """Make a round: its scheme and rules are copied in."""
    form = RoundForm()
    schemes = library_schemes()
    form.scheme_id.choices = [(key, scheme.title) for key, (scheme, _) in schemes.items()]
    if form.validate_on_submit():
        try:
            operations.load_forms(db(), me())
            made = operations.create_round(
                db(),
                me(),
                slug=form.slug.data,
                scheme_id=form.scheme_id.data,
                title_zh=form.title_zh.data,
                title_en=form.title_en.data or "",
                kind=form.kind.data,
                review_on=form.review_on.data,
                note=form.note.data or "",
                note_en=form.note_en.data or "",
            )
            operations.pin_latest(db(), me(), made)
        except DomainError as error:
            form.refuse(error)
        else:
            flash(say("已创建。请添加参评区县。", "Made. Add the counties now."), "ok")
            return redirect(url_for("programme.show", slug=made.slug))
    shown = [scheme for scheme, _ in schemes.values()]
    return page("round_new", form=form, schemes=shown), 422 if form.errors else 200


@blueprint.get("/r/<slug>/")
@signed_in
def show(slug: str) -> Any:
    """Where the round stands: counties with class and status, and what is missing."""
    round_ = the_round()
    if me().role == "presenter":
        own = [s for s in round_.subjects if s.presenter_id == me().person_id]
        if len(own) == 1:
            return redirect(url_for("programme.county", slug=slug, subject_id=own[0].id))
        return page("round_title", own=own)
    if me().role not in ("office", "supervisor", "admin"):
        return page("round_title", own=[])
    if me().role == "admin":
        return page("round_title", own=[], pins=_pins(), scheme=scheme_of(round_))
    return page(
        "overview",
        scheme=scheme_of(round_),
        rows=_county_rows(),
        pins=_pins(),
        gaps=missing_pins(round_),
        form=ReasonForm(),
        rules=queries.rules_of(round_),
    )


def _pins() -> list[dict[str, Any]]:
    return [
        {"pin": pin, "open": len(to_confirm(pin.form_version)), "form": form_of(pin.form_version)}
        for pin in queries.pins_of(the_round())
    ]


def _county_rows() -> list[dict[str, Any]]:
    round_ = the_round()
    lacking: dict[str, list[str]] = {s.id: [] for s in round_.subjects}
    unanswered = queries.unanswered_facts(round_)
    complete = not any(unanswered.values())
    if complete:  # without the facts nobody knows which items apply
        for entry in queries.missing_figures(db(), round_):
            lacking[entry.subject.id].append(entry.key)
    waiting: dict[str, int] = {s.id: 0 for s in round_.subjects}
    for figure in queries.unconfirmed_figures(db(), round_):
        waiting[figure.subject_id] += 1
    states = (
        {s.subject.id: s for s in queries.qualification_state(db(), round_)} if complete else {}
    )
    materials = queries.material_counts(db(), round_)
    return [
        {
            "subject": subject,
            "unanswered": unanswered[subject.id],
            "lacking": list(dict.fromkeys(lacking[subject.id])),
            "unconfirmed": waiting[subject.id],
            "materials": materials[subject.id],
            "opinions": len(states[subject.id].missing) if subject.id in states else None,
        }
        for subject in queries.subjects(db(), round_)
    ]


@blueprint.route("/r/<slug>/forms", methods=["GET", "POST"])
@allow("office", "supervisor", "admin")
def pins(slug: str) -> Any:
    """Which form version each stage uses for each class; the office fixes it before the opening."""
    round_ = the_round()
    places = _places()
    form = PinForm()
    if form.is_submitted():
        if me().role != "office":
            me().require("office")
        stage, _, cls = (form.place.data or "").partition("/")
        form.version.choices = [(v.id, v.title) for v in form_versions(db())]
        if (stage, cls) not in places:
            raise NotFound(_NO_PLACE)
        if form.validate():
            version = next(v for v in form_versions(db()) if v.id == form.version.data)
            operations.pin_form(db(), me(), round_, stage, cls, version)
            flash(say("评分表已固定。", "The form is fixed."), "ok")
            return redirect(url_for("programme.pins", slug=slug))
    rows = [
        {
            "stage": stage,
            "cls": cls,
            "pin": pin,
            "choices": choices,
            "open": len(to_confirm(pin.form_version)) if pin else 0,
        }
        for (stage, cls), (pin, choices) in places.items()
    ]
    return page("pins", rows=rows, form=form), 422 if form.errors else 200


def _places() -> dict[tuple[str, str], tuple[Any, list[Any]]]:
    """Stage and class -> the pin there and the versions that could stand there."""
    round_, scheme = the_round(), scheme_of(the_round())
    have = {(pin.stage, pin.region_class): pin for pin in round_.pins}
    found: dict[tuple[str, str], tuple[Any, list[Any]]] = {
        place: (pin, []) for place, pin in have.items()
    }
    for version in form_versions(db()):
        form = form_of(version)
        if form.id in scheme.forms:
            place = (form.place, form.region_class or "")
            found.setdefault(place, (None, []))[1].append(version)
    for stage, cls in required_pins(round_):
        if queries.pin_for(round_, stage, cls) is None and (stage, "") not in found:
            found.setdefault((stage, cls), (None, []))
    return found


@blueprint.route("/r/<slug>/guidance", methods=["GET", "POST"])
@allow("office", "supervisor")
def guidance(slug: str) -> Any:
    """Which unit guides which county: a source of conflicts of interest."""
    round_ = the_round()
    form = GuidanceForm()
    form.subject.choices = [(s.id, s.name) for s in round_.subjects]
    units = queries.guiding_units(db())
    form.organisation.choices = [(unit.id, unit.name) for unit in units]
    if form.is_submitted():
        me().require("office")
    if form.validate_on_submit():
        subject = queries.subject(db(), me(), round_, form.subject.data)
        unit = next(u for u in units if u.id == form.organisation.data)
        try:
            operations.set_guidance(db(), me(), round_, subject, unit, form.basis.data)
        except DomainError as error:
            form.refuse(error)
        else:
            flash(say("指导关系已记录。", "The guidance is recorded."), "ok")
            return redirect(url_for("programme.guidance", slug=slug))
    names = {subject.id: subject.name for subject in round_.subjects}
    rows = queries.guidance_of(db(), round_)
    return page("guidance", form=form, rows=rows, names=names), 422 if form.errors else 200


@blueprint.post("/r/<slug>/open")
@allow("office")
def open_(slug: str) -> Any:
    """Open the round: forms, classes and the score rule are frozen."""
    operations.open_round(db(), me(), the_round())
    flash(say("本届已开启，评分表已冻结。", "The round is open; its forms are frozen."), "ok")
    return redirect(url_for("programme.show", slug=slug))


@blueprint.post("/r/<slug>/close")
@allow("office")
def close(slug: str) -> Any:
    """End the round."""
    operations.close_round(db(), me(), the_round())
    flash(say("本届已结束。", "The round is closed."), "ok")
    return redirect(url_for("programme.show", slug=slug))


@blueprint.route("/r/<slug>/cancel", methods=["GET", "POST"])
@allow("office")
def cancel(slug: str) -> Any:
    """End the round without a result, with a reason."""
    form = ReasonForm()
    if form.validate_on_submit():
        operations.cancel_round(db(), me(), the_round(), form.reason.data)
        flash(
            say("本届已取消，已有内容都在。", "The round is cancelled; everything is kept."), "ok"
        )
        return redirect(url_for("programme.show", slug=slug))
    return page("cancel", form=form), 422 if form.errors else 200
