"""Pages of the counties: list, one county, its materials; folder import and downloads."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, send_file, url_for

from app.domain.types import DomainError
from app.programme import operations, queries
from app.programme.forms import (
    FolderForm,
    MaterialForm,
    PresenterForm,
    PresenterLinkForm,
    ReasonForm,
    SubjectForm,
)
from app.programme.instruments import QUALIFICATION
from app.programme.materials import Upload, material_by_id
from app.programme.pages import blueprint, page, the_round, the_subject
from app.programme.zones import COUNTY, UNIT_TEXT, zone_kinds
from app.ui.access import allow
from app.ui.language import say
from app.ui.request import db, me, store


@blueprint.route("/r/<slug>/counties", methods=["GET", "POST"])
@allow("office", "supervisor")
def counties(slug: str) -> Any:
    """The counties of the round; adding one."""
    round_ = the_round()
    form = _subject_form()
    if form.is_submitted():
        me().require("office")
    if form.validate_on_submit():
        ticked = set(form.facts.data or [])
        try:
            subject = operations.add_subject(
                db(),
                me(),
                round_,
                region_code=form.region_code.data,
                region_class=form.region_class.data or "",
                class_basis=form.class_basis.data,
                name_en=form.name_en.data or "",
                facts={name: name in ticked for name in queries.facts_asked(round_)},
                kind=(form.kind.data or None) if form.kind else None,
                name_zh=(form.name_zh.data or "") if form.name_zh else "",
            )
        except DomainError as error:
            form.refuse(error)
        else:
            flash(say("已添加{name}。", "{name} was added.", name=subject.name), "ok")
            return redirect(url_for("programme.counties", slug=slug))
    rows = queries.subjects(db(), round_)
    if rows and form.class_basis.data is None:  # mostly one act fixes the classes of all
        form.class_basis.data = rows[-1].class_basis
    counts = queries.material_counts(db(), round_)
    named = {subject.region_code for subject in rows}
    waiting = [c for c in queries.scheme_of(round_).candidates if c.code not in named]
    shown = page("counties", form=form, rows=rows, counts=counts, waiting=waiting)
    return shown, 422 if form.errors else 200


def _subject_form() -> SubjectForm:
    round_ = the_round()
    form = SubjectForm()
    classes = queries.scheme_of(round_).region_classes
    form.region_class.choices = [(entry.id, entry.title) for entry in classes] or [("", "—")]
    form.facts.choices = list(queries.facts_asked(round_).items())
    kinds = zone_kinds(round_)
    if kinds:
        form.kind.choices = [("", UNIT_TEXT[COUNTY]), *kinds.items()]
    else:
        del form.kind, form.name_zh
    return form


@blueprint.get("/r/<slug>/counties/<subject_id>")
@allow("office", "supervisor", "presenter")
def county(slug: str, subject_id: str) -> Any:
    """One county: materials with their hashes, figures with their two people, opinions."""
    return _county_page(subject_id)


def _county_page(
    subject_id: str, material_form: MaterialForm | None = None, status: int = 200
) -> tuple[str, int]:
    round_, subject = the_round(), the_subject(subject_id)
    items = queries.items_of(round_, subject)
    if material_form is None:
        material_form = MaterialForm(formdata=None)
        material_form.items.choices = _item_choices(items)
    presenter_form = PresenterForm(formdata=None)
    presenter_form.person.choices = [("", "—")]
    if me().role == "office":
        presenter_form.person.choices += [(p.id, p.name) for p in queries.presenters(db())]
    presenter_form.person.data = subject.presenter_id or ""
    figures = queries.figures_of(db(), round_)[subject.id]
    materials = queries.materials_of(db(), subject)
    state = None
    staff = me().role in ("office", "supervisor")
    checked = queries.pin_for(round_, QUALIFICATION, subject.region_class) is not None
    if staff and checked and not queries.unanswered_facts(round_)[subject.id]:
        state = queries.subject_state(db(), subject)
    people = {f.entered_by for f in figures.values()} | {f.confirmed_by for f in figures.values()}
    people |= {material.uploaded_by for material in materials}
    missing = [e for e in queries.missing_figures(db(), round_) if e.subject.id == subject.id]
    shown = page(
        "county",
        subject=subject,
        items=items,
        materials=materials,
        figures=figures,
        catalogue=queries.figure_catalogue(round_),
        missing=missing,
        state=state,
        names=queries.names_of(db(), people),
        asked=queries.facts_asked(round_),
        material_form=material_form,
        presenter_form=presenter_form,
        link_form=PresenterLinkForm(formdata=None),
        staff=staff,
        may_file=me().role in ("office", "presenter") and round_.phase in ("preparing", "open"),
    )
    return shown, status


def _item_choices(items: list[Any]) -> list[tuple[str, Any]]:
    """Each item id once; the same id at two stages is one choice."""
    found: dict[str, Any] = {}
    for entry in items:
        found.setdefault(entry.id, say("{i} {t}", "{i} {t}", i=entry.id, t=entry.title))
    return list(found.items())


@blueprint.post("/r/<slug>/counties/<subject_id>/materials")
@allow("office", "presenter")
def upload(slug: str, subject_id: str) -> Any:
    """File one document."""
    subject = the_subject(subject_id)
    form = MaterialForm()
    form.items.choices = _item_choices(queries.items_of(the_round(), subject))
    if form.validate_on_submit():
        file = form.file.data
        try:
            operations.upload_material(
                db(), me(), subject, file.read(), file.filename or "", form.items.data or []
            )
        except DomainError as error:
            form.refuse(error, "file")
        else:
            flash(say("文件已保存。", "The file is filed."), "ok")
            return redirect(url_for("programme.county", slug=slug, subject_id=subject_id))
    return _county_page(subject_id, form, 422)


@blueprint.post("/r/<slug>/counties/<subject_id>/presenter")
@allow("office")
def presenter(slug: str, subject_id: str) -> Any:
    """Who speaks for the county."""
    subject = the_subject(subject_id)
    form = PresenterForm()
    people = {person.id: person for person in queries.presenters(db())}
    form.person.choices = [("", "—"), *((key, p.name) for key, p in people.items())]
    if not form.validate_on_submit():
        return _county_page(subject_id, status=422)
    operations.set_presenter(db(), me(), subject, people.get(form.person.data))
    flash(say("陈述人已更新。", "The presenter is set."), "ok")
    return redirect(url_for("programme.county", slug=slug, subject_id=subject_id))


@blueprint.route("/r/<slug>/counties/<subject_id>/facts", methods=["GET", "POST"])
@allow("office")
def facts(slug: str, subject_id: str) -> Any:
    """Correct class and facts of a county."""
    subject = the_subject(subject_id)
    form = _subject_form()
    del form.region_code, form.name_en
    if form.kind:
        del form.kind, form.name_zh
    if not form.is_submitted():
        form.region_class.data, form.class_basis.data = subject.region_class, subject.class_basis
        form.facts.data = [name for name, value in subject.facts.items() if value]
    if form.validate_on_submit():
        ticked = set(form.facts.data or [])
        try:
            new = (form.region_class.data or "", form.class_basis.data)
            if new != (subject.region_class, subject.class_basis):
                operations.set_class(db(), me(), subject, region_class=new[0], class_basis=new[1])
            answers = {name: name in ticked for name in queries.facts_asked(the_round())}
            operations.set_facts(db(), me(), subject, answers)
        except DomainError as error:
            form.refuse(error)
        else:
            flash(say("已保存。", "Saved."), "ok")
            return redirect(url_for("programme.county", slug=slug, subject_id=subject_id))
    return page("facts", form=form, subject=subject), 422 if form.errors else 200


@blueprint.route("/r/<slug>/counties/<subject_id>/withdraw", methods=["GET", "POST"])
@allow("office")
def withdraw_county(slug: str, subject_id: str) -> Any:
    """The county takes its declaration back."""
    subject = the_subject(subject_id)
    form = ReasonForm()
    if form.validate_on_submit():
        operations.withdraw_subject(db(), me(), subject, form.reason.data)
        flash(say("已登记退出。", "The withdrawal is recorded."), "ok")
        return redirect(url_for("programme.county", slug=slug, subject_id=subject_id))
    return page("withdraw", form=form, what=subject.name, back=_url(subject_id), county=True), (
        422 if form.errors else 200
    )


def _url(subject_id: str) -> str:
    return url_for("programme.county", slug=the_round().slug, subject_id=subject_id)


@blueprint.get("/r/<slug>/materials/<material_id>")
@allow("office", "supervisor", "presenter")
def material(slug: str, material_id: str) -> Any:
    """Download one document: never shown inline, whatever it claims to be."""
    found = material_by_id(db(), me(), the_round(), material_id, seated=False)
    answer = send_file(
        store().open(found.file_sha256),
        mimetype=found.mime,
        as_attachment=True,
        download_name=found.name,
        conditional=False,
    )
    answer.headers["Content-Security-Policy"] = "sandbox"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


@blueprint.route("/r/<slug>/materials/<material_id>/withdraw", methods=["GET", "POST"])
@allow("office", "presenter")
def withdraw_document(slug: str, material_id: str) -> Any:
    """Withdraw a document with a reason; it stays stored."""
    found = material_by_id(db(), me(), the_round(), material_id, seated=False)
    form = ReasonForm()
    if form.validate_on_submit():
        operations.withdraw_material(db(), me(), found, form.reason.data)
        flash(say("材料已撤回。", "The document is withdrawn."), "ok")
        return redirect(_url(found.subject_id))
    return page("withdraw", form=form, what=found.name, back=_url(found.subject_id)), (
        422 if form.errors else 200
    )


@blueprint.route("/r/<slug>/import", methods=["GET", "POST"])
@allow("office")
def folder(slug: str) -> Any:
    """File many documents at once."""
    form = FolderForm()
    if form.validate_on_submit():
        files = [Upload(file.filename or "", file.read()) for file in form.files.data]
        try:
            made = operations.import_folder(db(), me(), the_round(), files)
        except DomainError as error:
            form.refuse(error, "files")
        else:
            flash(say("已导入 {n} 份材料。", "{n} document(s) imported.", n=len(made)), "ok")
            return redirect(url_for("programme.counties", slug=slug))
    return page("folder", form=form), 422 if form.errors else 200
