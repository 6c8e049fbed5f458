"""Paper sheets: blank forms to print, two clerks' readings, the scan, differences, seal, objection."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, g, redirect, render_template, request, send_file, url_for

from app import clock
from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.draw.views_names import who
from app.panel import queries as panels
from app.programme.casefiles import case_by_id
from app.programme.queries import names_of
from app.scoring import cases, objections, paper, paper_forms, paper_messages, queries, reentries
from app.scoring.forms import DecisionForm, ObjectionForm, PaperForm, PaperReasonForm, ScanForm
from app.scoring.models_paper import PaperSheet
from app.scoring.pages import blueprint
from app.ui.access import allow
from app.ui.language import language, say
from app.ui.request import db, finish, me, store


@blueprint.get("/paper")
@allow("office", "supervisor")
def papers(slug: str) -> Any:
    """Blank forms of every sitting, and the paper sheets that came in."""
    rows = paper.papers(db(), me(), g.round)
    sittings = [s for panel in panels.panels(db(), me(), g.round) for s in panel.sittings]
    files = cases.sampled_files(db(), [s.subject for s in sittings])
    going = [s for s in sittings if s.phase == "scoring"]
    people = {name for row in rows for name in (row.first_by, row.second_by, row.given_up_by)}
    return render_template(
        "scoring/papers.html",
        rows=rows,
        again={row.id for row in reentries.waiting(db(), round_id=g.round.id)},
        names=names_of(db(), people),
        sittings=sittings,
        going=[(s, panels.seats(db(), s.panel), files[s.subject_id]) for s in going],
    )


@blueprint.get("/sittings/<sitting_id>/paper-forms")
@allow("office")
def paper_blank(slug: str, sitting_id: str) -> Any:
    """The blank sheets of a sitting as one PDF: every member's (or one `seat`'s), case files too."""
    sitting = panels.sitting(db(), me(), g.round, sitting_id)
    seats = panels.seats(db(), sitting.panel)
    wanted = request.args.get("seat")
    if wanted is not None:
        seats = [seat for seat in seats if seat.id == wanted]
    if not seats:
        raise NotFound(queries.ABSENT)
    data = paper_forms.blank_data(db(), sitting, [(seat, who(seat)) for seat in seats], language())
    name = f"paper-{sitting.subject.region_code}-{sitting.panel.stage}.pdf"
    finish(keep=False)  # typst takes its time: not with a snapshot held open
    made = Response(paper_forms.blank_pdf(data, clock.now()), mimetype="application/pdf")
    made.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return made


@blueprint.post("/sittings/<sitting_id>/paper")
@allow("office")
def paper_start(slug: str, sitting_id: str) -> Any:
    """Take one expert's paper sheet in."""
    sitting = panels.sitting(db(), me(), g.round, sitting_id)
    seats = {seat.id: seat for seat in panels.seats(db(), sitting.panel)}
    seat = seats.get(request.form.get("seat", ""))
    if seat is None:
        raise NotFound(panels.ABSENT)
    case_id = request.form.get("case", "")
    case = case_by_id(db(), g.round, case_id) if case_id else None
    row = paper.start(db(), me(), sitting=sitting, seat=seat, case=case)
    return redirect(url_for("scoring.paper_sheet", slug=slug, paper_id=row.id))


def _row(paper_id: str) -> PaperSheet:
    return paper.paper_by_id(db(), me(), g.round, paper_id)


def _page(row: PaperSheet, status: int = 200, **forms: Any) -> Any:
    """The page of one paper sheet: what the viewer may do next, and never the other's reading."""
    sheet, viewer = paper.sheet_of(db(), row), me()
    slot = paper.slot_of(row, viewer) if viewer.role == "office" else None
    open_ = slot is not None and row.live and getattr(row, f"{slot}_at") is None
    entries = forms.pop("entries", None) or (paper.own_entries(row, viewer) if slot else {})
    compare = row.live and viewer.role == "office" and paper.may_compare(row, viewer)
    rows = paper.differences(db(), row) if compare and row.settled_at is None else []
    page = render_template(
        "scoring/paper.html",
        row=row,
        sheet=sheet,
        slot=slot,
        enters=open_,
        compare=compare,
        differences=rows,
        settled=queries.standing_of(sheet.instrument, row.settled) if compare else None,
        may_scan=_may_scan(row),
        standing=queries.standing_of(sheet.instrument, entries),
        fields=paper.fields_for(sheet.instrument, entries),
        shown=paper_forms.entry_words,
        names=names_of(
            db(),
            {row.started_by, row.given_up_by, row.settled_by, row.scan_by}
            | {row.objection_decided_by},
        ),
        **{
            "form": PaperForm(),
            "scan_form": ScanForm(),
            "reason_form": PaperReasonForm(formdata=None),
            "decision_form": DecisionForm(formdata=None),
            **forms,
        },
    )
    return page, status


@blueprint.route("/paper/<paper_id>", methods=["GET", "POST"])
@allow("office", "supervisor")
def paper_sheet(slug: str, paper_id: str) -> Any:
    """One paper sheet; a POST saves the viewer's own reading."""
    row = _row(paper_id)
    if request.method == "GET":
        return _page(row)
    me().require("office")
    form = PaperForm()
    sheet = paper.sheet_of(db(), row)
    if not form.validate_on_submit():
        return _page(row, 422, form=form)
    fields = _typed(paper.fields_for(sheet.instrument, {}))
    finished = request.form.get("finish") == "yes"
    paper.enter(db(), me(), paper=row, fields=fields, finished=finished)
    if finished:
        flash(say("录入已提交，等待另一人和扫描件。", "Handed in. The other clerk and the scan come next."), "done")  # fmt: skip
    else:
        flash(say("已保存，可稍后继续。", "Saved: go on later."), "done")
    return redirect(url_for("scoring.paper_sheet", slug=slug, paper_id=paper_id))


def _typed(now: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Each field as it was sent; lists stay lists."""
    return {
        name: request.form.getlist(prefix + name)
        if isinstance(value, list)
        else request.form.get(prefix + name, "")
        for name, value in now.items()
    }


@blueprint.post("/paper/<paper_id>/scan")
@allow("office")
def paper_scan(slug: str, paper_id: str) -> Any:
    """File the scan of the signed paper."""
    row, form = _row(paper_id), ScanForm()
    if form.validate_on_submit():
        try:
            paper.file_scan(
                db(), me(), paper=row, data=form.file.data.read(),
                filename=form.file.data.filename or "",
            )  # fmt: skip
        except Conflict:
            raise
        except DomainError as error:
            error.field = "file"
            form.refuse(error, "file")
        else:
            flash(say("扫描件已保存。", "The scan is kept."), "done")
            return redirect(url_for("scoring.paper_sheet", slug=slug, paper_id=paper_id))
    return _page(row, 422, scan_form=form)


def _may_scan(row: PaperSheet) -> bool:
    """The scan shows marks: to those who enter it, its expert, and the supervisor once the panel has
    closed."""
    viewer = me()
    if row.scan_sha256 is None:
        return False
    if viewer.role == "expert":
        return bool(row.sealed_at) and row.seat.expert.person_id == viewer.person_id
    if viewer.role == "supervisor":
        return row.sitting.phase == "closed"
    return viewer.id == row.scan_by or paper.slot_of(row, viewer) is not None


@blueprint.get("/paper/<paper_id>/scan")
@allow("office", "supervisor", "expert")
def paper_scan_file(slug: str, paper_id: str) -> Any:
    """The scan itself."""
    row = db().get(PaperSheet, paper_id)
    if row is None or row.sitting.panel.round_id != g.round.id or not _may_scan(row):
        raise NotFound(paper_messages.ABSENT)
    response = send_file(
        store().open(str(row.scan_sha256)), mimetype=row.scan_mime, as_attachment=True,
        download_name=row.scan_name,
    )  # fmt: skip
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@blueprint.post("/paper/<paper_id>/settle")
@allow("office")
def paper_settle(slug: str, paper_id: str) -> Any:
    """Decide the differences against the scan."""
    row, form = _row(paper_id), PaperForm()
    if form.validate_on_submit():
        items = [d["item"] for d in paper.differences(db(), row)]
        picks = {item["id"]: request.form.get(f"pick-{item['id']}", "") for item in items}
        blank = paper.fields_for({**paper.sheet_of(db(), row).instrument, "items": items}, {})
        try:
            paper.settle(db(), me(), paper=row, picks=picks, anew=_typed(blank))
        except (Conflict, Forbidden):
            raise
        except DomainError as error:
            form.refuse(error)
        else:
            flash(say("已处理，可以封存。", "Settled: it can be sealed."), "done")
            return redirect(url_for("scoring.paper_sheet", slug=slug, paper_id=paper_id))
    return _page(row, 422, settle_form=form)


@blueprint.post("/paper/<paper_id>/seal")
@allow("office")
def paper_seal(slug: str, paper_id: str) -> Any:
    """Seal under both clerks' names."""
    row, form = _row(paper_id), PaperForm()
    if form.validate_on_submit():
        try:
            sheet = paper.seal(db(), me(), paper=row)
        except (Conflict, Forbidden):
            raise
        except DomainError as error:
            form.refuse(error)
            return _page(row, 422, seal_form=form)
        flash(say("已封存，回执码 {c}。请告知专家。", "Sealed, receipt code {c}. Tell the expert.", c=sheet.receipt), "done")  # fmt: skip
        return redirect(url_for("scoring.paper_sheet", slug=slug, paper_id=paper_id))
    return _page(row, 422, seal_form=form)


@blueprint.post("/paper/<paper_id>/give-up")
@allow("office")
def paper_give_up(slug: str, paper_id: str) -> Any:
    """The paper is not used after all."""
    row, form = _row(paper_id), PaperReasonForm()
    if form.validate_on_submit():
        try:
            paper.give_up(db(), me(), paper=row, reason=form.reason.data or "")
        except Conflict:
            raise
        except DomainError as error:
            form.refuse(error, "reason")
        else:
            flash(say("已放弃录入，专家可自行填写。", "Given up: the expert can go on himself."), "done")  # fmt: skip
            return redirect(url_for("scoring.papers", slug=slug))
    return _page(row, 422, reason_form=form)


@blueprint.post("/sheets/<sheet_id>/object")
@allow("expert")
def paper_object(slug: str, sheet_id: str) -> Any:
    """The expert objects to how his paper sheet was read."""
    sheet = queries.own_sheet(db(), me(), sheet_id)
    if sheet.sitting.panel.round_id != g.round.id:
        raise NotFound(queries.ABSENT)
    form = ObjectionForm()
    if not form.validate_on_submit():
        raise DomainError(paper_messages.OBJECT_WHY)
    paper.object_to(db(), me(), sheet=sheet, reason=form.objection.data or "")
    flash(say("异议已记录，将随评分表一并显示。", "Your objection is on record and stands with the sheet."), "done")  # fmt: skip
    return redirect(url_for("scoring.sheet", slug=slug, sheet_id=sheet_id))


@blueprint.post("/paper/<paper_id>/objection")
@allow("supervisor")
def paper_decide(slug: str, paper_id: str) -> Any:
    """The supervisor decides the expert's objection."""
    row, form = _row(paper_id), DecisionForm()
    if form.validate_on_submit():
        upheld = form.decision.data == "upheld"
        try:
            objections.decide_objection(
                db(), me(), paper=row, upheld=upheld, reason=form.reason.data or ""
            )
        except (Conflict, NotFound):
            raise
        except DomainError as error:
            form.refuse(error, "reason")
        else:
            flash(
                say(
                    "异议成立：评分表已撤回，等待重新录入。",
                    "Upheld: withdrawn, to be entered again.",
                )
                if upheld
                else say("异议不成立，评分表维持。", "Dismissed: the sheet stands."),
                "done",
            )
            return redirect(url_for("scoring.paper_sheet", slug=slug, paper_id=paper_id))
    return _page(row, 422, decision_form=form)


@blueprint.app_context_processor
def _paper() -> dict[str, Any]:
    """`paper_of(sheet)` and its form for the page of a sealed sheet."""
    return {
        "paper_of": lambda sheet: paper.sealed_from(db(), sheet),
        "paper_words": paper.marked,
        "objection_form": lambda: ObjectionForm(formdata=None),
    }
