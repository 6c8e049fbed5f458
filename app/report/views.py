"""Reports on screen: drafted by the leader, signed on tablets, finished by the office."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import flash, g, redirect, render_template, request, send_file, url_for

from app import clock
from app.aggregation import holds
from app.aggregation import queries as runs
from app.aggregation.diagnostics_words import (
    consistency_words,
    drift_words,
    severity_words,
)
from app.aggregation.models import Run
from app.domain.types import Conflict, DomainError, NotFound, NotNow, Text
from app.draw.progress import Tell, watched
from app.programme.queries import round_by_slug
from app.registry.models import Expert
from app.report import archive as archives
from app.report import certainty, operations, papers, queries
from app.report import history as revisions
from app.report.forms import RefusalForm, SectionForm, SignForm
from app.report.made import PRINTED, slow
from app.report.pages import blueprint
from app.report.sections import EDITABLE, REQUIRED, SECTIONS, SIGNED, STATE
from app.ui.access import allow
from app.ui.language import language, say
from app.ui.request import database, db, me
from app.ui.request import finish as end_transaction

__all__ = ["blueprint"]  # the whole room's, for the factory
_NO_RUN = Text(
    "还没有汇总，不能起草报告。没有任何改动。",
    "There is no run yet, so no report can begin. Nothing was changed.",
)
_FINISHING = Text("正在生成报告并定稿", "Making the report and closing it")
_GATHERING = Text(
    "签名的账本头已取得，正在汇集各部分内容", "The ledger head is signed; gathering what is printed"
)


def _report(number: int) -> Any:
    return queries.report(db(), me(), g.round, number)


def _to(slug: str, number: int, zh: str, en: str) -> Any:
    flash(say(zh, en), "done")
    return redirect(url_for("report.show", slug=slug, number=number))


@blueprint.get("/reports")
@allow("office", "supervisor", "expert")
def index(slug: str) -> Any:
    """The reports of the round."""
    member = queries.member_of(db(), me(), g.round)
    run = runs.last_run(db(), g.round)
    last = queries.last_report(db(), g.round)
    may_draft = me().role == "office" or (member is not None and member.leads)
    return render_template(
        "report/index.html",
        reports=queries.reports(db(), me(), g.round),
        run=run if may_draft else None,
        may_draft=may_draft and run is not None and (last is None or last.run_id != run.id),
        may_see_own=member is not None and queries.final_report(db(), g.round) is not None,
        states=STATE,
    )


@blueprint.post("/reports")
@allow("office", "expert")
def draft(slug: str) -> Any:
    """Begin a report on the latest run."""
    run = runs.last_run(db(), g.round)
    if run is None:
        raise NotNow(_NO_RUN)
    made = operations.draft_report(db(), me(), round=g.round, run=run)
    return _to(slug, made.number, "报告已起草。", "The report is begun.")


@blueprint.get("/reports/own")
@allow("expert")
def own(slug: str) -> Any:
    """Once the report is final: an expert's own figures."""
    return render_template(
        "report/own.html",
        **queries.own_result(db(), me(), g.round),
        severity_words=severity_words,
        consistency_words=consistency_words,
        drift_words=drift_words,
    )


@blueprint.get("/reports/<int:number>")
@allow("office", "supervisor", "expert")
def show(slug: str, number: int) -> Any:
    """The report as a page, with what waits for this viewer."""
    return _show(_report(number))


def _held(report: Any) -> list[Any]:
    """The supervisor's holds that keep an open report from its end; who sees runs reads of them."""
    if report.state not in ("drafting", "signing") or me().role not in queries.READERS:
        return []
    return holds.open_of(db(), report.run)


def _show(report: Any, status: int = 200, **forms: Any) -> Any:
    member = queries.member_of(db(), me(), g.round)
    signatures = queries.signatures(report)
    own_signature = signatures.get(member.expert.id) if member else None
    leads = member is not None and member.leads and report.state == "drafting"
    edited = forms.get("edited")
    members = queries.members(db(), g.round, report.finished_at)
    section_forms = {}
    for key in EDITABLE if leads else ():
        blank = SectionForm(
            formdata=None, version=str(report.version), text=report.sections.get(key, "")
        )
        section_forms[key] = forms["section_form"] if key == edited else blank
    sign_form = None
    if member and report.state == "signing" and report.head is None and own_signature is None:
        sign_form = forms.get("sign_form") or SignForm(formdata=None)
    left = report.due_at - clock.now()
    page = render_template(
        "report/show.html",
        report=report,
        slow=slow(report),
        late=left.total_seconds() < 0,
        days=abs(left).days,
        sections=papers.page_blocks(db(), report, language()),
        titles=SECTIONS,
        held=[(holds.what(row), row.reason) for row in _held(report)],
        required=REQUIRED,
        states=STATE,
        signed=SIGNED,
        members=members,
        shown=queries.shown_names(db(), members),
        signatures=signatures,
        own_signature=own_signature,
        member=member,
        leads=leads,
        section_forms=section_forms,
        sign_form=sign_form,
        refusal_form=forms.get("refusal_form") or RefusalForm(formdata=None),
    )
    return page, status


@blueprint.post("/reports/<int:number>/sections/<key>")
@allow("expert")
def save_section(slug: str, number: int, key: str) -> Any:
    """The leader's words in one section."""
    report = _report(number)
    if key not in EDITABLE:
        raise NotFound(queries.ABSENT)
    form = SectionForm()
    if not form.validate_on_submit() or not (form.version.data or "").isdigit():
        return _show(report, 422, edited=key, section_form=form)
    try:
        operations.save_section(
            db(),
            me(),
            report=report,
            key=key,
            text=form.text.data or "",
            version=int(form.version.data),
        )
    except DomainError as error:
        if error.field != "text":
            raise
        form.refuse(error)
        # The next save is against what this page now shows beside the typed text.
        form.version.data = str(report.version)
        status = 409 if isinstance(error, Conflict) else 422
        return _show(report, status, edited=key, section_form=form)
    return _to(slug, number, "已保存。", "Saved.")


@blueprint.post("/reports/<int:number>/submit")
@allow("office", "expert")
def submit(slug: str, number: int) -> Any:
    """Ask the members to sign. What the ranks hang on is computed outside any write, then kept."""
    viewer = me()
    run = _report(number).run_id
    end_transaction(keep=True)
    with database().read() as reading:
        figures = certainty.figures(reading, reading.get_one(Run, run))
    with database().write() as writing:
        round_ = round_by_slug(writing, viewer, slug)
        report = queries.report(writing, viewer, round_, number)
        operations.submit_for_signing(writing, viewer, report=report, figures=figures)
    return _to(slug, number, "已送各成员签署。", "The members are asked to sign.")


@blueprint.post("/reports/<int:number>/sign")
@allow("expert")
def sign(slug: str, number: int) -> Any:
    """A member signs, dissents or refuses."""
    report = _report(number)
    form = SignForm()
    if not form.validate_on_submit():
        return _show(report, 422, sign_form=form)
    try:
        operations.sign(
            db(),
            me(),
            report=report,
            state=form.state.data,
            text=form.text.data or "",
            signed_name=form.signed_name.data,
        )
    except DomainError as error:
        if error.field is None:
            raise
        form.refuse(error)
        return _show(report, 422, sign_form=form)
    return _to(slug, number, "已签署。", "Signed.")


@blueprint.post("/reports/<int:number>/refusals")
@allow("office")
def refusal(slug: str, number: int) -> Any:
    """The office records that a member does not sign."""
    report = _report(number)
    form = RefusalForm()
    if not form.validate_on_submit():
        return _show(report, 422, refusal_form=form)
    expert = db().get(Expert, form.expert.data)
    if expert is None:
        raise NotFound(queries.ABSENT)
    try:
        operations.record_refusal(
            db(), me(), report=report, expert=expert, text=form.text.data or ""
        )
    except DomainError as error:
        if error.field is None:
            raise
        form.refuse(error)
        return _show(report, 422, refusal_form=form)
    return _to(slug, number, "已记录。", "Recorded.")


@blueprint.post("/reports/<int:number>/finish")
@allow("office")
def finish(slug: str, number: int) -> Any:
    """Close the signing, render the paper outside any write, then keep it; watched while it runs. Can
    be repeated after a crash between the steps."""
    viewer = me()
    report = _report(number)
    holds.must_be_free(db(), report.run)  # before the paper is rendered, and again when it is kept
    operations.close_signing(db(), viewer, report=report)
    end_transaction(keep=True)
    base, drill = database(), g.round.drill
    target = url_for("report.show", slug=slug, number=number)

    def work(tell: Tell) -> str:
        tell(_GATHERING)
        with base.read() as reading:
            round_ = round_by_slug(reading, viewer, slug)
            report = queries.report(reading, viewer, round_, number)
            pdf = papers.report_pdf(
                reading,
                report,
                "zh",
                progress=lambda done, total: tell(PRINTED.format(n=done, t=total)),
            )
        with base.write() as writing:
            round_ = round_by_slug(writing, viewer, slug)
            report = queries.report(writing, viewer, round_, number)
            operations.finish(writing, viewer, report=report, pdf=pdf)
        return target

    if request.form.get("follow"):
        return watched(work, title=_FINISHING, back=target, drill=drill)
    work(lambda _: None)
    return _to(slug, number, "报告已定稿。", "The report is final.")


@blueprint.get("/reports/<int:number>/history")
@allow("office", "supervisor", "expert")
def history(slug: str, number: int) -> Any:
    """Every save of the leader's words with what it changed."""
    report = _report(number)
    saved = revisions.history(db(), report)
    return render_template("report/history.html", report=report, saved=saved, titles=SECTIONS)


def _archive_page(status: int = 200, refused: Text | None = None) -> Any:
    page = render_template(
        "report/archive.html",
        ended=g.round.phase in ("closed", "cancelled"),
        made=archives.archives_of(db(), me(), g.round),
        final=[r for r in queries.reports(db(), me(), g.round) if r.pdf_sha256],
        refused=refused,
    )
    return page, status


@blueprint.get("/archive")
@allow("office", "supervisor")
def archive(slug: str) -> Any:
    """What the archive of an ended round holds, and the seals of those that were made."""
    return _archive_page()


@blueprint.post("/archive")
@allow("office", "supervisor")
def make_archive(slug: str) -> Any:
    """Sign the head, make the archive outside any write, record its seal, hand it over."""
    viewer = me()
    try:
        archives.sign_for_archive(db(), viewer, g.round)
    except Conflict as error:
        return _archive_page(409, error.text)
    end_transaction(keep=True)
    with database().read() as reading:
        made = archives.archive(reading, viewer, round_by_slug(reading, viewer, slug))
    with database().write() as writing:
        archives.record_archive(writing, viewer, round_by_slug(writing, viewer, slug), made)
    return send_file(
        BytesIO(made.data),
        mimetype="application/zip",
        as_attachment=True,
        download_name=made.name,
    )


# Further pages of the room, on the same blueprint.
from app.report import views_papers, views_training  # noqa: E402, F401
