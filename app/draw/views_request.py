"""Request, what-if and commitment: the office asks, everything is shown, then it is frozen."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for

from app.domain.types import DomainError
from app.draw import forms, messages, operations, queries, steps
from app.draw.room import BOTH, back, blueprint, draw_page, the_draw
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me


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
    draw = the_draw(draw_id)
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
    return draw_page(the_draw(draw_id))


@blueprint.get("/draws/<draw_id>/why")
@allow(*BOTH)
def why(slug: str, draw_id: str) -> Any:
    """Why is this expert not eligible? Every rule with its answer (?expert= id or number)."""
    draw = the_draw(draw_id)
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


@blueprint.post("/draws/<draw_id>/commit")
@allow("office")
def commit(slug: str, draw_id: str) -> Any:
    operations.commit_draw(db(), me(), the_draw(draw_id))
    return back(
        slug,
        draw_id,
        "名单已冻结，承诺已写入账本。",
        "The pool is frozen and the commitment is in the ledger.",
    )
