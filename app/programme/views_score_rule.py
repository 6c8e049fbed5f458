"""The page on which a round takes its score rule from a file, and the rule in force as such a file."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, request, url_for

from app.domain.statistics import rule_words
from app.domain.types import DomainError
from app.programme import queries, score_rules
from app.programme.forms_score_rule import ScoreRuleForm
from app.programme.pages import blueprint, page, the_round
from app.programme.scheme import score_rule_of
from app.programme.views_form_editing import uploaded_text
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me


@blueprint.route("/r/<slug>/score-rule", methods=["GET", "POST"])
@allow("office", "supervisor")
def score_rule(slug: str) -> Any:
    """The rule in words; the office checks another one and puts it on record before the opening."""
    round_, form = the_round(), ScoreRuleForm()
    now = score_rule_of(round_)
    found, status = None, 200
    if form.is_submitted():
        me().require("office")
        status = 422
        if form.validate():
            try:
                text = uploaded_text(form)
                found = score_rules.tried(
                    round_, text, score_rules.marks_from(form.example.data or "")
                )
                if request.form.get("do") == "record":
                    score_rules.put_on_record(
                        db(), me(), round_,
                        text=text, read=form.seen.data or "", reason=form.reason.data or "",
                    )  # fmt: skip
                    flash(
                        say("计分规则已记录，摘要已写入账本。", "The score rule is on record; its digest is in the ledger."),
                        "done",
                    )  # fmt: skip
                    return redirect(url_for("programme.score_rule", slug=slug))
                status = 422 if found.errors else 200
            except DomainError as error:
                if round_.phase != "preparing":
                    raise
                form.refuse(error, "text")
            if found is not None:
                form.text.data = found.text
                form.seen.data = score_rules.seen(round_, found)
    else:
        form.text.data = score_rules.as_yaml(now)
        form.example.data = " ".join(map(str, rule_words.EXAMPLE))
    rows = score_rules.changes(db(), round_)
    shown = page(
        "score_rule",
        form=form,
        found=found,
        parts=list(rule_words.parts(now, score_rules.titles_of(round_)).values()),
        changes=rows,
        names=queries.names_of(db(), {row.changed_by for row in rows}),
    )
    return shown, status


@blueprint.get("/r/<slug>/score-rule.yaml")
@allow("office", "supervisor")
def score_rule_file(slug: str) -> Any:
    """The rule in force as a file, for `mingjian aggregate --rule` or to be changed and given back."""
    text = score_rules.as_yaml(score_rule_of(the_round()))
    made = Response(text, mimetype="application/yaml")
    made.headers["Content-Disposition"] = f'attachment; filename="{slug}-score-rule.yaml"'
    return made
