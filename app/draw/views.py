"""The pages of the draw. The office acts, the supervisor cosigns and reads, nobody else comes in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for

from app.domain.draw import parse_values
from app.domain.types import DomainError, NotFound
from app.draw import ceremony, forms, messages, operations, pages, papers, queries, steps
from app.draw.models import Act, Draw
from app.draw.requests import source_of
from app.ui.access import allow
from app.ui.language import language, say
from app.ui.request import db, me, settings

blueprint = Blueprint("draw", __name__, url_prefix="/r/<slug>")
BOTH = ("office", "supervisor")


@blueprint.get("/draws")
@allow(*BOTH)
def index(slug: str) -> Any:
    """Every draw of the round, aborted ones too."""
    rows = queries.draws(db(), me(), g.round)
    return render_template(
        "draw/index.html",
        draws=rows,
        terms=messages,
        steps={d.id: steps.next_step(me(), d) for d in rows},
    )


@blueprint.route("/draws/new", methods=["GET", "POST"])
@allow("office")
def new(slug: str) -> Any:
    """Ask for a draw: a draft, which shows what it would lead to."""
    form = forms.RequestForm.of(g.round)
    if form.validate_on_submit():
        try:
            draw = operations.request_draw(
                db(),
                me(),
                round=g.round,
                stage=form.stage.data,
                subject_ids=form.subjects.data or [],
                **form.request(g.round),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            flash(
                say("草稿已保存，名单尚未冻结。", "The draft is saved; nothing is frozen yet."),
                "done",
            )
            return redirect(url_for("draw.show", slug=slug, draw_id=draw.id))
    return render_template("draw/new.html", form=form, draw=None), 422 if form.errors else 200


@blueprint.route("/draws/<draw_id>/edit", methods=["GET", "POST"])
@allow("office")
def edit(slug: str, draw_id: str) -> Any:
    """Change a draft; stage and counties are its purpose and stay."""
    draw = _draw(draw_id)
    form = forms.RequestForm.of(g.round, draw)
    form.subjects.data = draw.request["subjects"]
    if request.method == "POST":
        form.stage.data = draw.stage
    if form.validate_on_submit():
        try:
            operations.revise_draw(db(), me(), draw, **form.request(g.round))
        except DomainError as error:
            form.refuse(error)
        else:
            flash(say("草稿已更新。", "The draft was changed."), "done")
            return redirect(url_for("draw.show", slug=slug, draw_id=draw.id))
    return render_template("draw/new.html", form=form, draw=draw), 422 if form.errors else 200


@blueprint.get("/draws/<draw_id>")
@allow(*BOTH)
def show(slug: str, draw_id: str) -> Any:
    """One draw: where it stands, the next step, and everything it rests on."""
    return _page(_draw(draw_id))


def _page(draw: Draw, status: int = 200, **given: Any) -> Any:
    """The page of a draw; `given` are forms that came back with errors."""
    empty = {
        "party_form": forms.PartyForm(),
        "dice_form": forms.DiceForm(),
        "code_form": forms.CodeForm(),
        "abort_form": forms.AbortForm(),
        "contact_form": forms.ContactForm(),
        "removal_form": forms.RemovalForm(),
    }
    shown = pages.context(
        db(),
        me(),
        draw,
        language(),
        search=request.args.get("q", ""),
        page=request.args.get("page", 1, type=int),
    )
    return render_template("draw/show.html", **{**shown, **empty, **given}), status


@blueprint.get("/draws/<draw_id>/why")
@allow(*BOTH)
def why(slug: str, draw_id: str) -> Any:
    """Why is this expert not eligible? Every rule with its answer (?expert= id or number)."""
    draw = _draw(draw_id)
    key = request.args.get("expert", "")
    expert = queries.expert_by_key(db(), key) if key else None
    context: dict[str, Any] = {"draw": draw, "expert": expert, "answers": [], "frozen": []}
    if expert is not None:
        context["answers"] = queries.why(db(), me(), draw, expert)
        if draw.commitment is not None:
            rows = queries.exclusions(db(), me(), draw)
            context["frozen"] = [row for row in rows if row.expert_id == expert.id]
            context["candidate"] = queries.candidate(db(), draw, expert)
    return render_template("draw/why.html", **context)


@blueprint.get("/draws/<draw_id>/transcript")
@allow(*BOTH)
def transcript(slug: str, draw_id: str) -> Any:
    """The transcript ZIP, for the verifier."""
    draw = _draw(draw_id)
    data = queries.transcript(db(), me(), settings(), draw)
    name = f"transcript-{draw.kind}-{(draw.commitment_hash or '')[:16]}.zip"
    return _download(data, "application/zip", name)


@blueprint.get("/draws/<draw_id>/slip")
@allow(*BOTH)
def slip(slug: str, draw_id: str) -> Any:
    """The record of the draw for signature, as PDF."""
    draw = _draw(draw_id)
    data = papers.slip(db(), me(), draw, language(), settings())
    return _download(data, "application/pdf", f"draw-{(draw.commitment_hash or draw.id)[:16]}.pdf")


def _download(data: bytes, mime: str, name: str) -> Response:
    return Response(
        data, mimetype=mime, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@blueprint.get("/draws/<draw_id>/present")
@allow(*BOTH)
def present(slug: str, draw_id: str) -> Any:
    """For the hall: hash, dice and result in letters that can be read from the last row."""
    draw = _draw(draw_id)
    if draw.commitment is None:
        raise NotFound(messages.ABSENT)
    return render_template(
        "draw/present.html",
        draw=draw,
        dice=ceremony.dice_states(draw),
        pseudonyms={c.expert_id: c.pseudonym for c in draw.candidates},
        terms=messages,
    )


def _draw(draw_id: str) -> Draw:
    return queries.draw(db(), me(), g.round, draw_id)


def _act(draw: Draw) -> Act:
    act = steps.open_act(draw)
    if act is None:
        raise NotFound(messages.ABSENT)
    return act


def _back(slug: str, draw_id: str, zh: str, en: str) -> Any:
    flash(say(zh, en), "done")
    return redirect(url_for("draw.show", slug=slug, draw_id=draw_id))


def _filled(
    draw: Draw, name: str, form: Any, act: Callable[[], object], done: tuple[str, str]
) -> Any:
    """Run `act` when the form is in shape; a refusal stands beside its field, all typed is kept."""
    if form.validate_on_submit():
        try:
            act()
        except DomainError as error:
            form.refuse(error)
        else:
            return _back(g.round.slug, draw.id, *done)
    return _page(draw, 422, **{name: form})


@blueprint.post("/draws/<draw_id>/party")
@allow(*BOTH)
def party(slug: str, draw_id: str) -> Any:
    draw, form = _draw(draw_id), forms.PartyForm()
    name = request.form.get("party", "")
    return _filled(
        draw,
        "party_form",
        form,
        lambda: operations.register_party(db(), me(), draw, name, form.commitment.data or ""),
        ("口令链已登记。", "The chain is registered."),
    )


@blueprint.post("/draws/<draw_id>/commit")
@allow("office")
def commit(slug: str, draw_id: str) -> Any:
    operations.commit_draw(db(), me(), _draw(draw_id))
    return _back(
        slug,
        draw_id,
        "名单已冻结，承诺已写入账本。",
        "The pool is frozen and the commitment is in the ledger.",
    )


@blueprint.post("/draws/<draw_id>/cosign")
@allow("supervisor")
def cosign(slug: str, draw_id: str) -> Any:
    operations.cosign(db(), me(), _draw(draw_id))
    return _back(slug, draw_id, "已会签，可以掷骰子。", "Cosigned: the dice may be thrown.")


@blueprint.post("/draws/<draw_id>/dice")
@allow(*BOTH)
def dice(slug: str, draw_id: str) -> Any:
    """One of the two lists of a source."""
    draw, form = _draw(draw_id), forms.DiceForm()
    name = request.form.get("source", "")
    row = next((r for r in draw.request["sources"] if r["name"] == name), None)
    if row is None:
        raise NotFound(messages.NO_SOURCE)
    if form.validate_on_submit():
        try:
            values = parse_values(form.values.data or "", source_of(row))
            state = operations.enter_dice(db(), me(), draw, name, values)
        except DomainError as error:
            form.refuse(error, "values")
        else:
            flash(say(state.text), "wrong" if state.differing else "done")
            return redirect(url_for("draw.show", slug=slug, draw_id=draw.id))
    return _page(draw, 422, dice_form=form)


@blueprint.post("/draws/<draw_id>/code")
@allow(*BOTH)
def code(slug: str, draw_id: str) -> Any:
    draw, form = _draw(draw_id), forms.CodeForm()
    name = request.form.get("party", "")
    return _filled(
        draw,
        "code_form",
        form,
        lambda: operations.reveal_code(db(), me(), draw, name, form.code.data or ""),
        ("口令相符，已记录。", "The code fits and is on record."),
    )


@blueprint.post("/draws/<draw_id>/complete")
@allow(*BOTH)
def complete(slug: str, draw_id: str) -> Any:
    operations.complete_draw(db(), me(), _draw(draw_id))
    return _back(slug, draw_id, "抽取完成。", "The draw is complete.")


@blueprint.post("/draws/<draw_id>/abort")
@allow(*BOTH)
def abort(slug: str, draw_id: str) -> Any:
    draw, form = _draw(draw_id), forms.AbortForm()
    return _filled(
        draw,
        "abort_form",
        form,
        lambda: operations.abort_draw(db(), me(), draw, form.reason.data or ""),
        ("本次已中止，记录保留。", "This attempt is aborted; its record stays."),
    )


@blueprint.post("/draws/<draw_id>/seats/<seat_id>/contact")
@allow("office")
def contact(slug: str, draw_id: str, seat_id: str) -> Any:
    draw, form = _draw(draw_id), forms.ContactForm()
    seat = queries.seat(draw, seat_id)
    return _filled(
        draw,
        "contact_form",
        form,
        lambda: operations.record_contact(
            db(),
            me(),
            seat,
            form.channel.data,
            form.outcome.data,
            form.reason.data,
            form.note.data or "",
        ),
        ("通知已登记。", "The call is on record."),
    )


@blueprint.post("/draws/<draw_id>/seats/<seat_id>/confirm")
@allow("office")
def confirm(slug: str, draw_id: str, seat_id: str) -> Any:
    operations.confirm_seat(db(), me(), queries.seat(_draw(draw_id), seat_id))
    return _back(slug, draw_id, "席位已确认。", "The seat is confirmed.")


@blueprint.post("/draws/<draw_id>/removals")
@allow("office")
def removals(slug: str, draw_id: str) -> Any:
    draw, form = _draw(draw_id), forms.RemovalForm()
    chosen = [queries.seat(draw, key) for key in request.form.getlist("seats")]
    return _filled(
        draw,
        "removal_form",
        form,
        lambda: operations.record_removals(
            db(),
            me(),
            draw,
            [(seat, form.reason.data, form.evidence.data or "") for seat in chosen],
        ),
        ("更换已登记，等待监督人员会签。", "The removals are on record and await the supervisor."),
    )


@blueprint.post("/draws/<draw_id>/act/cosign")
@allow("supervisor")
def act_cosign(slug: str, draw_id: str) -> Any:
    operations.cosign_removals(db(), me(), _act(_draw(draw_id)))
    return _back(slug, draw_id, "更换已会签。", "The removals are cosigned.")


@blueprint.post("/draws/<draw_id>/act/code")
@allow(*BOTH)
def act_code(slug: str, draw_id: str) -> Any:
    draw, form = _draw(draw_id), forms.CodeForm()
    name, act = request.form.get("party", ""), _act(draw)
    return _filled(
        draw,
        "code_form",
        form,
        lambda: operations.reveal_act_code(db(), me(), act, name, form.code.data or ""),
        ("口令相符，已记录。", "The code fits and is on record."),
    )


@blueprint.post("/draws/<draw_id>/act/complete")
@allow(*BOTH)
def act_complete(slug: str, draw_id: str) -> Any:
    operations.complete_act(db(), me(), _act(_draw(draw_id)))
    return _back(slug, draw_id, "补抽完成。", "The replacement act is complete.")
