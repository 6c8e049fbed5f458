"""The expert's sheets on touch-sized pages, and the office's view of progress."""

from __future__ import annotations

from typing import Any

from flask import flash, g, jsonify, redirect, render_template, request, url_for

from app.domain.scoring.formulas import repeated_items
from app.domain.types import Conflict, DomainError, NotFound
from app.panel import queries as panels
from app.programme import materials
from app.programme.casefiles import case_by_id
from app.scoring import cases, holds, operations, queries
from app.scoring.entries import fields_of
from app.scoring.forms import ReasonForm, SealForm
from app.scoring.models import CaseSheet
from app.scoring.pages import absence_form, blueprint, progress_page
from app.ui.access import allow
from app.ui.language import language, local_time, points, say
from app.ui.request import db, me

__all__ = ["blueprint"]


def _own(sheet_id: str) -> Any:
    sheet = queries.own_sheet(db(), me(), sheet_id)
    if sheet.sitting.panel.round_id != g.round.id:
        raise NotFound(queries.ABSENT)
    return sheet


def _flat(sheet: Any, items: list[Any]) -> dict[str, Any]:
    """Every field of the page by its name, as saved."""
    return {
        f"{item['id']}.{part}": value
        for item in items
        for part, value in fields_of(item, sheet.entries.get(item["id"])).items()
    }


@blueprint.get("/sheets")
@allow("expert")
def index(slug: str) -> Any:
    """What the viewer has to score in this round."""
    rows = [d for d in queries.duties(db(), me()) if d.sitting.panel.round_id == g.round.id]
    work = {d.sitting.id: cases.work_read(db(), d.sitting, d.seat) for d in rows}
    return render_template("scoring/index.html", duties=rows, work=work)


@blueprint.post("/sittings/<sitting_id>/sheet")
@allow("expert")
def start(slug: str, sitting_id: str) -> Any:
    """Begin a sheet, or go on with it."""
    sitting = panels.sitting(db(), me(), g.round, sitting_id)
    sheet = operations.start_sheet(db(), me(), sitting=sitting)
    return redirect(url_for("scoring.sheet", slug=slug, sheet_id=sheet.id))


@blueprint.post("/sittings/<sitting_id>/cases/<case_id>/sheet")
@allow("expert")
def start_case(slug: str, sitting_id: str, case_id: str) -> Any:
    """Begin the sheet of one sampled case file, or go on with it."""
    sitting = panels.sitting(db(), me(), g.round, sitting_id)
    case = case_by_id(db(), g.round, case_id)
    row = operations.start_case_sheet(db(), me(), sitting=sitting, case=case)
    return redirect(url_for("scoring.sheet", slug=slug, sheet_id=row.id))


@blueprint.get("/sheets/<sheet_id>")
@allow("expert")
def sheet(slug: str, sheet_id: str) -> Any:
    """One group of items a screen; a sealed sheet is shown as it was sealed, with its receipt."""
    row = _own(sheet_id)
    return (
        _draft_page(row) if row.state == "draft" else _sealed_page(row, ReasonForm(formdata=None))
    )


def _sealed_page(row: Any, form: ReasonForm) -> str:
    """A sheet that is not a draft, with the form for a correction."""
    return render_template(
        "scoring/sealed.html",
        sheet=row,
        standing=queries.standing(row),
        form=form,
        computed=queries.computed_beside(db(), row),
        work=_work(row),
    )


def _work(row: Any) -> cases.CaseWork | None:
    """The case files that a main sheet reads; None for a sheet that reads none."""
    if isinstance(row, CaseSheet) or not repeated_items(row.instrument):
        return None
    return cases.case_work(db(), row.sitting, row.seat)


def _draft_page(row: Any) -> str:
    standing = queries.standing(row)
    tablet = holds.elsewhere(db(), row)
    if holds.on_paper(db(), row):
        return render_template("scoring/on_paper.html", sheet=row, standing=standing)
    if tablet is not None:
        return render_template(
            "scoring/elsewhere.html", sheet=row, tablet=tablet, standing=standing
        )
    sections = [s for s in row.instrument["sections"] if s["applies"]] or [
        {"id": "", "title": None}
    ]
    wanted = request.args.get("section") or sections[0]["id"]
    here = next((s for s in sections if s["id"] == wanted), sections[0])
    items = [i for i in standing["items"] if (i["section"] or "") == here["id"] and i["applies"]]
    rail = [
        {
            "id": s["id"],
            "title": s["title"],
            "here": s["id"] == here["id"],
            **_section_state(standing, s["id"]),
        }
        for s in sections
    ]
    rail = [r for r in rail if r["total"]]
    position = next((n for n, r in enumerate(rail) if r["here"]), 0)
    return render_template(
        "scoring/sheet.html",
        sheet=row,
        beside=holds.branches(db(), row),
        items=items,
        fields=_flat(row, items),
        standing=standing,
        rail=rail,
        next_section=rail[position + 1] if position + 1 < len(rail) else None,
        section=here,
        computed=[
            c
            for c in queries.computed_beside(db(), row)
            if (c["item"]["section"] or "") == here["id"]
        ],
        materials=materials.materials_by_item(db(), row.sitting.subject),
        filed=[
            m for m in materials.materials_of(db(), row.sitting.subject) if m.withdrawn_at is None
        ],
        work=_work(row),
    )


def _section_state(standing: dict[str, Any], section_id: str) -> dict[str, Any]:
    items = [i for i in standing["items"] if (i["section"] or "") == section_id and i["applies"]]
    done = sum(1 for i in items if i["id"] not in standing["problems"])
    return {"done": done, "total": len(items)}


@blueprint.post("/sheets/<sheet_id>/save")
@allow("expert")
def save(slug: str, sheet_id: str) -> Any:
    """The autosave of a sheet: `{version, fields}` in, see static/js/autosave.js for the answers."""
    row = _own(sheet_id)
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not isinstance(body.get("fields"), dict):
        return jsonify(error={"text": say("请求格式不对。", "Malformed request.")}), 422
    changes = {str(k): v for k, v in body["fields"].items() if isinstance(v, (str, list))}
    version = body.get("version")
    try:
        operations.save_draft(
            db(),
            me(),
            sheet=row,
            changes=changes,
            version=version if isinstance(version, int) else -1,
        )
    except Conflict as error:
        if row.state != "draft":
            return jsonify(error={"text": error.text.get(language())}), 409
        now = _flat(row, queries.standing(row)["items"])
        return jsonify(
            version=row.version,
            message=error.text.get(language()),
            fields={name: now.get(name, "") for name in changes},
        ), 409
    standing = queries.standing(row)
    return jsonify(
        version=row.version,
        saved_at=local_time(row.saved_at, "second")[11:],
        marked=points(standing["marked"]),
        maximum=points(standing["maximum"]),
        done=standing["done"],
        total=standing["total"],
        sections={
            s["id"]: "{done}/{total}".format(**_section_state(standing, s["id"]))
            for s in row.instrument["sections"]
        },
        touched=sorted({name.partition(".")[0] for name in changes}),
        problems={
            item: "；".join(t.get(language()) for t in texts)
            for item, texts in standing["problems"].items()
        },
        points={
            item: points(p.points) for item, p in standing["points"].items() if p.points is not None
        },
    )


@blueprint.route("/sheets/<sheet_id>/review", methods=["GET", "POST"])
@allow("expert")
def review(slug: str, sheet_id: str) -> Any:
    """All items on one page with what is missing, then the signature, then the seal."""
    row = _own(sheet_id)
    form = SealForm(version=row.version)
    if form.validate_on_submit():
        try:
            operations.seal(
                db(),
                me(),
                sheet=row,
                version=form.version.data,
                signed_name=form.signed_name.data,
            )
        except DomainError as error:
            form.refuse(error, "signed_name")
        else:
            flash(say("已封存。请抄下回执码。", "Sealed. Write down the receipt code."), "done")
            return redirect(url_for("scoring.sheet", slug=slug, sheet_id=sheet_id))
    page = render_template(
        "scoring/review.html", sheet=row, standing=queries.standing(row), form=form
    )
    return page, 422 if form.is_submitted() else 200


@blueprint.post("/sheets/<sheet_id>/correct")
@allow("expert")
def correct(slug: str, sheet_id: str) -> Any:
    """Start a new version of a sealed sheet."""
    row = _own(sheet_id)
    form = ReasonForm()
    new = None
    if form.validate_on_submit():
        try:
            new = operations.correct(db(), me(), sheet=row, reason=form.reason.data)
        except Conflict:
            raise
        except DomainError as error:
            form.refuse(error, "reason")
    if new is None:
        return _sealed_page(row, form), 422
    flash(
        say(
            "已另起一版；封存前原表仍然有效。",
            "A new version; the old one counts until it is sealed.",
        ),
        "done",
    )
    return redirect(url_for("scoring.sheet", slug=slug, sheet_id=new.id))


@blueprint.route("/sittings/<sitting_id>/recuse", methods=["GET", "POST"])
@allow("expert")
def recuse(slug: str, sitting_id: str) -> Any:
    """Stand aside from one county."""
    sitting = panels.sitting(db(), me(), g.round, sitting_id)
    form = ReasonForm()
    if form.validate_on_submit():
        try:
            operations.recuse(db(), me(), sitting=sitting, reason=form.reason.data)
        except Conflict:
            raise
        except DomainError as error:
            form.refuse(error, "reason")
            return render_template("scoring/recuse.html", sitting=sitting, form=form), 422
        flash(
            say("已回避，本县不计您的评分。", "You stand aside; no mark of yours counts here."),
            "done",
        )
        return redirect(url_for("scoring.index", slug=slug))
    page = render_template("scoring/recuse.html", sitting=sitting, form=form)
    return page, 422 if form.is_submitted() else 200


@blueprint.route("/sittings/<sitting_id>/progress", methods=["GET", "POST"])
@allow("office", "supervisor", "expert")
def progress(slug: str, sitting_id: str) -> Any:
    """Who has sealed; to the office also item counts. Recording an absence."""
    sitting = panels.sitting(db(), me(), g.round, sitting_id)
    rows = queries.progress(db(), me(), sitting)
    if request.method == "GET":
        return progress_page(sitting, rows)
    me().require("office")
    form = absence_form(rows)
    if form.validate_on_submit():
        seat = next(r.seat for r in rows if r.seat.id == form.seat.data)
        operations.mark_absent(db(), me(), sitting=sitting, seat=seat, reason=form.reason.data)
        flash(say("已记录缺席。", "The absence is recorded."), "done")
        return redirect(url_for("scoring.progress", slug=slug, sitting_id=sitting_id))
    return progress_page(sitting, rows, 422, form=form)


@blueprint.post("/sittings/<sitting_id>/close")
@allow("office")
def close(slug: str, sitting_id: str) -> Any:
    """End the sitting when every sheet is final."""
    sitting = panels.sitting(db(), me(), g.round, sitting_id)
    operations.close_scoring(db(), me(), sitting=sitting)
    flash(say("本次会议已结束。", "The sitting is over."), "done")
    return redirect(url_for("panel.sitting", slug=slug, sitting_id=sitting_id))


from app.scoring import views_absences, views_given, views_paper  # noqa: E402, F401  (they add their pages)
