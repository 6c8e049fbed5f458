"""Discarding a draft round, copying a round as a template, rehearsing one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import flash, g, redirect, render_template, url_for

from app import clock
from app.domain.types import DomainError
from app.home import rounds
from app.home.forms import CopyForm
from app.home.pages import blueprint
from app.programme.forms import ReasonForm
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me, settings


@blueprint.route("/r/<slug>/discard", methods=["GET", "POST"])
@allow("office")
def discard(slug: str) -> Any:
    """Give up a round in preparation, with a reason."""
    form = ReasonForm()
    if form.validate_on_submit():
        try:
            rounds.discard(db(), me(), g.round, form.reason.data)
        except DomainError as error:
            form.refuse(error)
        else:
            flash(say("草稿已放弃，内容仍保留。", "The draft is discarded; it is kept."), "done")
            return redirect(url_for("programme.rounds"))
    return render_template("home/discard.html", form=form), 422 if form.errors else 200


@blueprint.route("/r/<slug>/copy", methods=["GET", "POST"])
@allow("office")
def copy_round(slug: str) -> Any:
    """Make a new round with this one's scheme, rules, forms, counties and panels."""
    form = CopyForm(kind=g.round.kind)
    if form.validate_on_submit():
        try:
            made = rounds.copy_with_panels(
                db(),
                me(),
                g.round,
                slug=form.slug.data,
                title_zh=form.title_zh.data,
                title_en=form.title_en.data or "",
                kind=form.kind.data,
                review_on=form.review_on.data,
            )
        except DomainError as error:
            form.refuse(error)
        else:
            for text in made.left:
                flash(say(text), "waits")
            flash(
                say(
                    "新一届已建立：{n} 个参评单位，没有任何日期、材料、分数。请核对后开启。",
                    "The new round is made: counties {n}, no dates, materials or marks. Check it, "
                    "then open it.",
                    n=len(made.subjects),
                ),
                "done",
            )
            return redirect(url_for("programme.show", slug=made.round.slug))
    return render_template("home/copy.html", form=form), 422 if form.errors else 200


@blueprint.post("/r/<slug>/rehearse")
@allow("office")
def rehearse(slug: str) -> Any:
    """Set up a small drill round of this one, to train everybody."""
    day = clock.today(settings().timezone) + timedelta(days=1)
    made = rounds.rehearse(db(), me(), g.round, day)
    for text in made.left:
        flash(say(text), "waits")
    flash(
        say(
            "排演届次已建立（{n} 个参评单位）：按平常步骤做一遍，结果没有任何效力。练完请取消它。",
            "The rehearsal is set up (counties: {n}). Go through the usual steps; nothing in it has "
            "any effect. Cancel it when everybody has practised.",
            n=len(made.subjects),
        ),
        "done",
    )
    return redirect(url_for("programme.show", slug=made.round.slug))
