"""The pool as a whole: the list, export and template, nominating, editing."""

from __future__ import annotations

import io
import re
from typing import Any

from flask import (
    flash,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)

from app.directory import identity
from app.directory import queries as directory
from app.documents.sheets import Sheet, write_xlsx
from app.domain.types import Conflict, DomainError, Text
from app.registry import columns, forms, operations, queries, words
from app.registry.models import Expert
from app.registry.operations import Candidate
from app.registry.pages import (
    blueprint,
    employer_named,
    employers,
    of_form,
    place_named,
    today,
)
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/pool")
@allow("keeper", "office", "supervisor")
def index() -> Any:
    """The pool: searched, filtered, sorted, paged."""
    args = request.args
    region = args.get("region", "")
    found = queries.experts(
        db(),
        me(),
        search=args.get("q", ""),
        status=args.get("status", ""),
        discipline=args.get("discipline", ""),
        source=args.get("source", ""),
        region=region,
        sort=args.get("sort", "number"),
        page=args.get("page", 1, type=int),
    )
    return render_template(
        "registry/index.html",
        found=found,
        codes=words,
        employer_name=queries.employer_name,
        names=directory.region_names(db(), [row.region_code for row in found.rows]),
        provinces=directory.provinces(db()),
        statuses=queries.status_counts(db()),
        counts=queries.pool_counts(db()),
        due=queries.due_for_review(db(), today()),
    )


@blueprint.get("/pool/export.xlsx")
@allow("keeper", "office")
def export() -> Any:
    """The pool as a sheet, without identity numbers, phones and birth dates."""
    fields = ("name", "employer", "post", "title", "title_rank", "kind", "discipline")
    more = ("specialties", "source", "region", "career_start", "verified_on", "note")
    heads = [str(say(Text("编号", "Number"))), str(say(Text("状态", "Status")))]
    heads += [str(say(words.FIELD[name])) for name in (*fields, *more)]
    rows = queries.every_expert(db(), me())
    names = directory.region_names(db(), [row.region_code for row in rows])
    return sheet_file([heads, *(_exported(row, names) for row in rows)], "pool.xlsx")


def _exported(row: Expert, names: dict[str, str]) -> list[str]:
    posts = queries.present_posts(row.person)
    return [
        row.number,
        str(say(words.STATUS[row.status])),
        row.person.name,
        queries.employer_name(row.person),
        posts[0].post if posts else "",
        row.title,
        str(say(words.TITLE_RANK[row.title_rank])),
        str(say(words.KIND[row.kind])),
        str(say(words.DISCIPLINE[row.discipline])),
        "；".join(row.specialties),
        str(say(words.SOURCE[row.source])),
        names.get(row.region_code or "", ""),
        str(row.career_start or ""),
        row.verified_on.isoformat() if row.verified_on else "",
        row.note,
    ]


@blueprint.get("/pool/template.xlsx")
@allow("keeper", "office")
def template() -> Any:
    """The import template with two invented rows."""
    heads, rows = columns.template_table()
    return sheet_file([heads, *rows], "experts.xlsx")


def sheet_file(rows: list[list[str]], filename: str) -> Any:
    """An XLSX file to download: the first row holds the heads."""
    widths = [max(10, min(30, 2 * len(head) + 4)) for head in rows[0]]
    buffer = io.BytesIO()
    write_xlsx(buffer, [Sheet("experts", rows[0], rows[1:], widths)])
    buffer.seek(0)
    return send_file(buffer, mimetype=XLSX, as_attachment=True, download_name=filename)


@blueprint.route("/pool/new", methods=["GET", "POST"])
@allow("keeper", "office")
def new() -> Any:
    """Nominate one person."""
    form = forms.NominateForm()
    if form.validate_on_submit():
        try:
            expert = operations.nominate(
                db(),
                me(),
                Candidate(
                    organisation=employer_named(form.employer.data),
                    post=form.post.data or "",
                    since=form.since.data,
                    name=form.name.data,
                    phone=form.phone.data,
                    id_number=form.id_number.data,
                    birth_date=form.birth_date.data,
                    consent_on=form.consent_on.data,
                    **_facts(form),
                ),
                distinct=form.distinct.data,
            )
        except DomainError as error:
            form.refuse(of_form(error), "name")
        else:
            flash(say("{n} 已作为候选登记。", "{n} is a candidate now.", n=expert.number), "ok")
            if warning := identity.name_warning(expert.person.name):
                flash(say(warning), "waits")
            return redirect(url_for("registry.show", expert_id=expert.id))
    page = render_template("registry/new.html", form=form, employers=employers())
    return page, 422 if form.errors else 200


@blueprint.route("/pool/<expert_id>/edit", methods=["GET", "POST"])
@allow("keeper")
def edit(expert_id: str) -> Any:
    """Change facts; refused when somebody else was faster, with all that was typed kept."""
    expert = queries.expert(db(), me(), expert_id)
    form = forms.EditForm(data=_present(expert) if request.method == "GET" else None)
    code = 200
    if form.validate_on_submit():
        try:
            personal = {
                name: form[name].data
                for name in ("phone", "id_number", "birth_date")
                if form[name].data
            }
            operations.edit_expert(
                db(),
                me(),
                expert=expert,
                version=int(form.version.data) if form.version.data.isdigit() else 0,
                on=form.on.data,
                name=form.name.data,
                **_facts(form),
                **personal,
            )
        except DomainError as error:
            form.refuse(of_form(error), "name")
            code = 409 if isinstance(error, Conflict) and error.field == "version" else 422
            if code == 409:
                form.version.raw_data = [str(expert.version)]
                form.version.data = str(expert.version)
                form.form_errors = [*form.form_errors, *form.version.errors]
                form.version.errors = []
        else:
            flash(say("已保存。", "Saved."), "ok")
            if warning := identity.name_warning(expert.person.name):
                flash(say(warning), "waits")
            return redirect(url_for("registry.show", expert_id=expert.id))
    page = render_template("registry/edit.html", form=form, expert=expert)
    return page, code if code != 200 else 422 if form.errors else 200


def _facts(form: forms.ExpertForm) -> dict[str, Any]:
    return {
        "title": form.title.data,
        "title_rank": form.title_rank.data,
        "kind": form.kind.data,
        "discipline": form.discipline.data,
        "specialties": [s for s in re.split(r"[;；、]\s*", form.specialties.data or "") if s],
        "source": form.source.data,
        "career_start": form.career_start.data,
        "region_code": place_named(form.region.data),
        "nominated_by": form.nominated_by.data or "",
        "note": form.note.data or "",
    }


def _present(expert: Expert) -> dict[str, Any]:
    names = ("title", "title_rank", "kind", "discipline", "source", "career_start", "version")
    return {name: getattr(expert, name) for name in (*names, "nominated_by", "note")} | {
        "name": expert.person.name,
        "specialties": "；".join(expert.specialties),
        "region": expert.region_code or "",
    }
