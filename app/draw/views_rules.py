"""The rule set of a round: every rule with its source and what it is computed from, and changing it."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for

from app.domain.draw.rules_binding import BINDING
from app.domain.types import DomainError
from app.draw import forms_rules, rule_sets, rule_words
from app.draw.room import blueprint
from app.programme.queries import rules_of
from app.registry.queries import account_names
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me


@blueprint.get("/rules")
@allow("office", "keeper", "supervisor")
def rules(slug: str) -> Any:
    """Every rule, and how the pool stands to it today."""
    return _rules()


def _rules(**refused: Any) -> Any:
    many = 0 if "count" in request.args else rule_sets.many(db(), g.round)
    if many:
        rows, people = rule_sets.uncounted(me(), g.round), many
    else:
        rows, people = rule_sets.standings(db(), me(), g.round)
    changed = rule_sets.changes(db(), me(), g.round)
    page = render_template(
        "draw/rules.html",
        rows=rows,
        people=people,
        counted=not many,
        rule_set=rules_of(g.round),
        changes=changed,
        accounts=account_names(db(), [row.changed_by for row in changed]),
        committed=rule_sets.committed_under(db(), me(), g.round),
        writes=me().role in rule_sets.WRITERS and g.round.phase in ("preparing", "open"),
        effects=forms_rules.EFFECT,
        labels=forms_rules.PARAM,
        shown=forms_rules.shown,
        said=rule_words.said,
        exempt_form=refused.get("exempt") or forms_rules.ExemptionForm(formdata=None),
        end_form=refused.get("end") or forms_rules.EndExemptionForm(formdata=None),
    )
    return page, 422 if refused else 200


@blueprint.route("/rules/<rule_id>", methods=["GET", "POST"])
@allow("office", "keeper", "supervisor")
def rule(slug: str, rule_id: str) -> Any:
    """One rule; office and keeper change it for draws that are still to be committed."""
    found = rule_sets.rule_named(g.round, rule_id)
    form = forms_rules.RuleForm()
    submitted = form.is_submitted()
    if submitted:
        me().require(*rule_sets.WRITERS)
    form = forms_rules.rule_form(found, submitted)
    if form.validate_on_submit():
        try:
            rule_sets.change_rule(
                db(),
                me(),
                g.round,
                rule_id,
                effect=form.effect.data,
                params=form.params(found),
                when_missing=form.when_missing.data,
                reason=form.reason.data,
            )
        except DomainError as error:
            form.refuse(error)
        else:
            flash(
                say("规则已修改，已记入账本。", "The rule was changed; it is in the ledger."),
                "done",
            )
            return redirect(url_for("draw.rules", slug=slug))
    page = render_template(
        "draw/rule.html",
        rule=found,
        form=form,
        floors=BINDING.get(rule_id),
        unkept=rule_sets.UNKEPT.get(rule_id),
        labels=forms_rules.PARAM,
        writes=me().role in rule_sets.WRITERS and g.round.phase in ("preparing", "open"),
        effects=forms_rules.EFFECT,
        shown=forms_rules.shown,
        said=rule_words.said,
        floor_words=rule_words.floor,
    )
    return page, 422 if submitted else 200


@blueprint.post("/rules/exemption")
@allow("office", "keeper")
def exemption(slug: str) -> Any:
    """The recorded decision that central employers are exempt from the place rule."""
    form = forms_rules.ExemptionForm()
    if form.validate_on_submit():
        try:
            rule_sets.set_exemption(
                db(),
                me(),
                g.round,
                decided_by=form.decided_by.data,
                on=form.on.data,
                reason_zh=form.reason_zh.data,
                reason_en=form.reason_en.data,
            )
        except DomainError as error:
            form.refuse(error, "decided_by")
        else:
            flash(say("豁免决定已记录。", "The exemption was recorded."), "done")
            return redirect(url_for("draw.rules", slug=slug))
    return _rules(exempt=form)


@blueprint.post("/rules/exemption/end")
@allow("office", "keeper")
def end_exemption(slug: str) -> Any:
    """Take the exemption away."""
    form = forms_rules.EndExemptionForm()
    if form.validate_on_submit():
        try:
            rule_sets.end_exemption(db(), me(), g.round, reason=form.reason.data)
        except DomainError as error:
            form.refuse(error, "reason")
        else:
            flash(say("豁免已取消。", "The exemption was taken away."), "done")
            return redirect(url_for("draw.rules", slug=slug))
    return _rules(end=form)
