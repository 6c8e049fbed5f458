"""Asking for a draw: the list, the form for one panel or a batch, templates."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for

from app.domain.types import DomainError
from app.draw import (
    forms,
    messages,
    operations,
    operations_templates,
    pages,
    pool,
    queries,
    queries_request,
    steps,
)
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
        lookers=queries_request.lookers(db(), rows),
        steps={d.id: pages.drafting(me(), d, steps.next_step(me(), d), looked=False) for d in rows},
    )


@blueprint.route("/draws/new", methods=["GET", "POST"])
@allow("office")
def new(slug: str) -> Any:
    """Ask for a draw: a draft, which shows what it would lead to."""
    key = request.args.get("template", "")
    template = queries_request.template(db(), me(), key).body if key else None
    form = forms.RequestForm.of(g.round, template=template, known=pool.known_values(db()))
    added = form.more(request.form.get("row", ""))
    if not added and form.validate_on_submit():
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
                say(
                    "草稿已保存，名单尚未冻结。下一步：试算。",
                    "The draft is saved; nothing is frozen yet. Next: compute the what-if.",
                ),
                "done",
            )
            return redirect(url_for("draw.show", slug=slug, draw_id=draw.id))
    return _form(form, None, template=key)


@blueprint.route("/draws/<draw_id>/edit", methods=["GET", "POST"])
@allow("office")
def edit(slug: str, draw_id: str) -> Any:
    """Change a draft; stage and counties are its purpose and stay."""
    draw = the_draw(draw_id)
    form = forms.RequestForm.of(g.round, draw, known=pool.known_values(db()))
    form.subjects.data = draw.request["subjects"]
    if request.method == "POST":
        form.stage.data = draw.stage
    added = form.more(request.form.get("row", ""))
    if not added and form.validate_on_submit():
        try:
            operations.revise_draw(db(), me(), draw, **form.request(g.round))
        except DomainError as error:
            form.refuse(error)
        else:
            flash(say("草稿已更新。", "The draft was changed."), "done")
            return redirect(url_for("draw.show", slug=slug, draw_id=draw.id))
    return _form(form, draw)


def _form(form: forms.RequestForm, draw: Any, template: str = "") -> Any:
    page = render_template(
        "draw/new.html",
        form=form,
        draw=draw,
        template=template,
        templates=queries_request.templates(db(), me()),
        drill=g.round.kind != "real",
    )
    return page, 422 if form.errors else 200


@blueprint.get("/draws/<draw_id>")
@allow(*BOTH)
def show(slug: str, draw_id: str) -> Any:
    """One draw: where it stands, the next step, and everything it rests on."""
    return draw_page(the_draw(draw_id))


@blueprint.post("/draws/<draw_id>/template")
@allow("office")
def save_template(slug: str, draw_id: str) -> Any:
    """Keep a draw's request under a name for the whole office."""
    draw, form = the_draw(draw_id), forms.TemplateForm()
    if not form.validate_on_submit():
        return draw_page(draw, 422, template_form=form)
    operations_templates.save_template(db(), me(), draw, form.name.data or "")
    return back(
        slug, draw_id, "已存为模板，新建抽取时可以选用。", "Saved: a new draw can start from it."
    )
