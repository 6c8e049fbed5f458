"""Records of the pool that may be one person, and merging two of them; linked from the pool."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from wtforms import HiddenField, StringField
from wtforms.validators import Length

from app.directory import queries as directory
from app.domain.types import DomainError, Text
from app.draw.merging import seated
from app.draw.views_what_if import pool_blueprint
from app.registry import operations, queries, words
from app.registry.models import Expert
from app.ui.access import allow
from app.ui.forms import Form, needed
from app.ui.language import say
from app.ui.request import db, keys, me

SHOWN = 200
# What follows the record that stays, in the order of the page.
TABLES = {
    "employment": Text("任职", "Posts"),
    "screening": Text("审核", "Screenings"),
    "sanction": Text("处理", "Sanctions"),
    "interest": Text("利害关系", "Declarations of interest"),
    "tie_statement": Text("声明", "Statements"),
    "residence": Text("出生地和居住地", "Places"),
    "absence": Text("请假", "Absences"),
    "past_panel": Text("过去参加的评审", "Past panels"),
    "former_value": Text("以前的姓名和号码", "Former names and numbers"),
    "county_head": Text("县（市）负责人登记", "Entries as head of a county"),
    "expert_correction": Text("更正申请", "Requests for correction"),
}


class MergeForm(Form):
    other = HiddenField(validators=[needed()])
    reason = StringField(
        Text("依据（怎样确认是同一人）", "Reason (how it is known that they are one person)"),
        validators=[needed(), Length(max=500)],
    )


@pool_blueprint.get("/duplicates")
@allow("keeper")
def duplicates() -> str:
    """Pairs of records that may be one person."""
    found = queries.likely_duplicates(db(), me())
    return render_template(
        "draw/duplicates.html",
        found=found[:SHOWN],
        total=len(found),
        employer_name=queries.employer_name,
        codes=words,
    )


@pool_blueprint.get("/<expert_id>/merge")
@allow("keeper")
def merge(expert_id: str) -> Any:
    """What merging would do; the other record by its number or id (?other=)."""
    keep = queries.expert(db(), me(), expert_id)
    key = request.args.get("other", "").strip()
    return _page(keep, _other(key) if key else None, MergeForm(formdata=None, data={"other": key}))


@pool_blueprint.post("/<expert_id>/merge")
@allow("keeper")
def merge_now(expert_id: str) -> Any:
    """Merge the other record into this one."""
    keep, form = queries.expert(db(), me(), expert_id), MergeForm()
    gone = _other(form.other.data or "")
    if form.validate_on_submit():
        try:
            operations.merge_experts(
                db(), me(), keep=keep, gone=gone, reason=form.reason.data, seated=seated
            )
        except DomainError as error:
            form.refuse(error, "reason")
        else:
            flash(
                say(
                    "{gone} 已并入 {keep}。", "{gone} was merged into {keep}.",
                    gone=gone.number, keep=keep.number,
                ),
                "ok",
            )  # fmt: skip
            return redirect(url_for("registry.show", expert_id=keep.id))
    return _page(keep, gone, form), 422


def _other(key: str) -> Expert:
    """By number (typed) or id (from the list); NotFound."""
    if key[:1] in "Ee" and len(key) < 16:
        return queries.expert_numbered(db(), me(), key, "other")
    return queries.expert(db(), me(), key)


def _page(keep: Expert, gone: Expert | None, form: MergeForm) -> str:
    pair = [keep, gone] if gone is not None else [keep]
    return render_template(
        "draw/merge.html",
        keep=keep,
        gone=gone,
        form=form,
        refused=operations.obstacle(db(), keep, gone, seated) if gone is not None else None,
        holdings=[operations.holdings(db(), expert) for expert in pair],
        phones=[directory.masked_phone(expert.person, keys()) for expert in pair],
        numbers=[directory.masked_id(expert.person, keys()) for expert in pair],
        tables=TABLES,
        employer_name=queries.employer_name,
        codes=words,
    )
