"""The pool's pages: list, one expert and what is done about him, import, declarations, one's own."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

from flask import (
    Blueprint,
    after_this_request,
    flash,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)

from app import clock
from app.directory import identity
from app.directory import queries as directory
from app.directory.models import Organisation
from app.documents.sheets import Sheet, write_xlsx
from app.domain.types import Conflict, DomainError, NotFound, Text
from app.registry import columns, forms, imports, operations, queries, words
from app.registry.models import Expert
from app.registry.operations import Candidate
from app.registry.uploads import GONE, Uploads
from app.ui.access import allow
from app.ui.forms import Form
from app.ui.language import say
from app.ui.request import db, home, keys, me, settings

blueprint = Blueprint("registry", __name__)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
UNKNOWN_EMPLOYER = Text(
    "没有名为“{name}”的单位；请从列表中选择，或先在“单位”中建立。",
    "There is no organisation “{name}”; choose from the list, or create it first.",
)
UNKNOWN_PLACE = Text(
    "没有叫“{name}”的地区，或有多个。", "No region, or several, are called “{name}”."
)


# ---------- the list


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
    return _sheet([heads, *(_exported(row, names) for row in rows)], "pool.xlsx")


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
    return _sheet([heads, *rows], "experts.xlsx")


def _sheet(rows: list[list[str]], filename: str) -> Any:
    widths = [max(10, min(30, 2 * len(head) + 4)) for head in rows[0]]
    buffer = io.BytesIO()
    write_xlsx(buffer, [Sheet("experts", rows[0], rows[1:], widths)])
    buffer.seek(0)
    return send_file(buffer, mimetype=XLSX, as_attachment=True, download_name=filename)


# ---------- one expert


@blueprint.get("/pool/<expert_id>")
@allow("keeper", "office", "supervisor")
def show(expert_id: str) -> Any:
    """Everything about one expert, personal numbers masked."""
    return _detail(queries.expert(db(), me(), expert_id))


ACTIONS: dict[str, type[Form]] = {
    "screen": forms.ScreenForm,
    "consent": forms.ConsentForm,
    "status": forms.StatusForm,
    "sanction": forms.SanctionForm,
    "verify": forms.VerifyForm,
    "post": forms.PostForm,
    "interest": forms.OfficeInterestForm,
    "reveal": forms.StatusForm,
}


def _detail(expert: Expert, shown: dict[str, str] | None = None, **filled: Form) -> Any:
    """The page of one expert; `filled` are forms that were refused, `shown` clear numbers."""
    given = {
        name: filled.get(name) or form(formdata=None, prefix=name) for name, form in ACTIONS.items()
    }
    others = [row.other_expert_id for row in expert.interests]
    accounts = [
        *(row.reviewer_id for row in expert.screenings),
        *(row.decided_by for row in expert.interests),
        expert.edited_by,
    ]
    codes = [expert.region_code, *(row.region_code for row in expert.interests)]
    page = render_template(
        "registry/show.html",
        expert=expert,
        person=expert.person,
        phone=directory.masked_phone(expert.person, keys()),
        id_number=directory.masked_id(expert.person, keys()),
        shown=shown,
        posts=list(reversed(expert.person.employments)),
        regions=directory.region_names(db(), codes),
        accounts=queries.account_names(db(), accounts),
        experts=queries.expert_names(db(), others),
        employers=[name for _, name in directory.organisation_choices(db())],
        codes=words,
        forms=given,
    )
    return page, 422 if filled else 200


def _act(expert_id: str, name: str, done: Text, work: Callable[[Expert, Any], Any]) -> Any:
    """Run one of the detail page's forms: check it, do `work`, and come back to the page."""
    expert = queries.expert(db(), me(), expert_id)
    form = ACTIONS[name](prefix=name)
    if form.validate_on_submit():
        try:
            work(expert, form)
        except DomainError as error:
            form.refuse(error)
        else:
            flash(say(done), "ok")
            return redirect(url_for("registry.show", expert_id=expert.id))
    return _detail(expert, **{name: form})


@blueprint.post("/pool/<expert_id>/screen")
@allow("keeper", "office")
def screen(expert_id: str) -> Any:
    """One reviewer's decision."""
    return _act(
        expert_id,
        "screen",
        Text("审核意见已记录。", "The decision was recorded."),
        lambda expert, form: operations.screen(
            db(), me(), expert=expert, decision=form.decision.data, reason=form.reason.data
        ),
    )


@blueprint.post("/pool/<expert_id>/consent")
@allow("keeper", "office")
def consent(expert_id: str) -> Any:
    """A signed consent on paper."""
    return _act(
        expert_id,
        "consent",
        Text("同意书已登记。", "The consent was recorded."),
        lambda expert, form: operations.record_consent(db(), me(), expert=expert, on=form.on.data),
    )


@blueprint.post("/pool/<expert_id>/admit")
@allow("keeper")
def admit(expert_id: str) -> Any:
    """Candidate becomes active."""
    expert = queries.expert(db(), me(), expert_id)
    operations.admit(db(), me(), expert=expert)
    flash(say("{name} 已入库。", "{name} was admitted.", name=expert.person.name), "ok")
    return redirect(url_for("registry.show", expert_id=expert.id))


@blueprint.post("/pool/<expert_id>/status/<change>")
@allow("keeper")
def status(expert_id: str, change: str) -> Any:
    """Suspend, reinstate or retire, with a reason."""
    verbs = {
        "suspend": operations.suspend,
        "reinstate": operations.reinstate,
        "retire": operations.retire,
    }
    if change not in verbs:
        raise NotFound(Text("没有这种操作。", "There is no such action."))
    return _act(
        expert_id,
        "status",
        Text("状态已变更。", "The status was changed."),
        lambda expert, form: verbs[change](db(), me(), expert=expert, reason=form.reason.data),
    )


@blueprint.post("/pool/<expert_id>/sanction")
@allow("keeper", "supervisor")
def sanction(expert_id: str) -> Any:
    """Enter a sanction."""
    return _act(
        expert_id,
        "sanction",
        Text("处理决定已登记。", "The sanction was recorded."),
        lambda expert, form: operations.sanction(
            db(),
            me(),
            expert=expert,
            kind=form.kind.data,
            reason=form.reason.data,
            decided_by=form.decided_by.data,
            since=form.since.data,
            until=form.until.data,
        ),
    )


@blueprint.post("/pool/<expert_id>/verify")
@allow("keeper")
def verify(expert_id: str) -> Any:
    """The yearly check of facts."""
    return _act(
        expert_id,
        "verify",
        Text("核实日期已登记，12 个月后再次核实。", "Recorded; the next review is in 12 months."),
        lambda expert, form: operations.verify_facts(db(), me(), expert=expert, on=form.on.data),
    )


@blueprint.post("/pool/<expert_id>/post")
@allow("keeper")
def post(expert_id: str) -> Any:
    """A new employer or post."""
    return _act(
        expert_id,
        "post",
        Text("新的任职已登记，原任职保留。", "The new post was recorded; the former one is kept."),
        lambda expert, form: operations.change_post(
            db(),
            me(),
            expert=expert,
            organisation=_employer(form.employer.data),
            post=form.post.data or "",
            since=form.since.data,
        ),
    )


@blueprint.post("/pool/<expert_id>/interest")
@allow("office", "keeper")
def office_interest(expert_id: str) -> Any:
    """A conflict that the office knows of, or that a county wrote about."""
    return _act(
        expert_id,
        "interest",
        Text("已登记，等待监督人员决定；此前该专家回避。", "Recorded; recused until decided."),
        lambda expert, form: _declare(expert, form, form.side.data),
    )


def _declare(expert: Expert, form: Any, side: str) -> None:
    operations.declare_interest(
        db(),
        me(),
        expert=expert,
        kind=form.kind.data,
        side=side,
        evidence=form.evidence.data,
        region_code=_place(form.region.data),
        organisation=_employer(form.employer.data) if form.employer.data else None,
        since=form.since.data,
        until=form.until.data,
    )


@blueprint.post("/pool/<expert_id>/reveal")
@allow("keeper", "supervisor")
def reveal(expert_id: str) -> Any:
    """Show identity number and phone once, for a reason that is kept."""
    expert = queries.expert(db(), me(), expert_id)
    form = forms.StatusForm(prefix="reveal")
    if not form.validate_on_submit():
        return _detail(expert, reveal=form)
    return _detail(expert, operations.reveal(db(), me(), expert=expert, reason=form.reason.data))


# ---------- new and changed


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
                    organisation=_employer(form.employer.data),
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
            form.refuse(_of_form(error), "name")
        else:
            flash(say("{n} 已作为候选登记。", "{n} is a candidate now.", n=expert.number), "ok")
            if warning := identity.name_warning(expert.person.name):
                flash(say(warning), "waits")
            return redirect(url_for("registry.show", expert_id=expert.id))
    page = render_template("registry/new.html", form=form, employers=_employers())
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
                name=form.name.data,
                **_facts(form),
                **personal,
            )
        except DomainError as error:
            form.refuse(_of_form(error), "name")
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
        "region_code": _place(form.region.data),
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


def _of_form(error: DomainError) -> DomainError:
    """The form calls a code's field by what is typed there."""
    error.field = {"region_code": "region"}.get(error.field or "", error.field)
    return error


def _employers() -> list[str]:
    return [name for _, name in directory.organisation_choices(db())]


def _employer(name: str) -> Organisation:
    found = directory.organisations_by_key(db()).get(directory.organisation_key(name))
    if found is None:
        raise DomainError(UNKNOWN_EMPLOYER.format(name=name), field="employer")
    return found


def _place(name: str | None) -> str | None:
    if not (name or "").strip():
        return None
    code = directory.Places(db()).code(name or "")
    if code is None:
        raise DomainError(UNKNOWN_PLACE.format(name=name), field="region")
    return code


def today() -> Any:
    return clock.today(settings().timezone)


# ---------- import


@blueprint.route("/pool/import", methods=["GET", "POST"])
@allow("keeper")
def import_file() -> Any:
    """Upload and dry run. The file is kept encrypted, so that confirming needs no second upload."""
    form = forms.ImportForm()
    if not form.validate_on_submit():
        page = render_template("registry/import.html", form=form)
        return page, 422 if form.errors else 200
    data, filename = form.file.data.read(), form.file.data.filename or "experts"
    try:
        report = imports.import_experts(db(), me(), data, filename, dry_run=True)
    except DomainError as error:
        form.refuse(error, "file")
        return render_template("registry/import.html", form=form), 422
    confirm = forms.ConfirmForm(
        formdata=None, data={"upload": _uploads().keep(data), "filename": filename}
    )
    return render_template(
        "registry/import.html", form=form, report=report, confirm=confirm, codes=words
    )


@blueprint.post("/pool/import/confirm")
@allow("keeper")
def import_confirm() -> Any:
    """Enter the file that was shown, whole or not at all."""
    form = forms.ConfirmForm()
    if not form.validate_on_submit():
        raise DomainError(GONE)
    report = imports.import_experts(
        db(),
        me(),
        _uploads().read(form.upload.data),
        form.filename.data,
        dry_run=False,
        new_employers=form.new_employers.data,
        screening_document=form.screening_document.data or "",
    )
    token = form.upload.data

    @after_this_request
    def _done(response: Any) -> Any:
        if response.status_code < 400:  # runs after the commit
            _uploads().forget(token)
        return response

    flash(
        say(
            "已导入 {n} 人，跳过 {m} 个重复。",
            "{n} experts were imported, {m} duplicates skipped.",
            n=report.created,
            m=len(report.duplicates),
        ),
        "ok",
    )
    return redirect(url_for("registry.index"))


def _uploads() -> Uploads:
    return Uploads(home(), keys())


# ---------- declarations


@blueprint.get("/pool/interests")
@allow("supervisor", "office", "keeper")
def interests() -> Any:
    """Declarations of interest; the supervisor decides."""
    return _interests()


def _interests(refused: tuple[str, forms.DecisionForm] | None = None) -> Any:
    wanted = request.args.get("status", "declared")
    page = request.args.get("page", 1, type=int)
    found = queries.interests(db(), me(), status="" if wanted == "all" else wanted, page=page)
    rows = [row for row, _ in found.rows]
    given = {
        row.id: refused[1]
        if refused and refused[0] == row.id
        else forms.DecisionForm(formdata=None, prefix=row.id)
        for row in rows
    }
    page_text = render_template(
        "registry/interests.html",
        found=found,
        wanted=wanted,
        forms=given,
        codes=words,
        regions=directory.region_names(db(), [row.region_code for row in rows]),
        experts=queries.expert_names(db(), [row.other_expert_id for row in rows]),
        accounts=queries.account_names(db(), [row.decided_by for row in rows]),
    )
    return page_text, 422 if refused else 200


@blueprint.post("/pool/interests/<interest_id>/decide")
@allow("supervisor")
def decide_interest(interest_id: str) -> Any:
    """Uphold or dismiss, with a reason."""
    row = queries.interest(db(), me(), interest_id)
    form = forms.DecisionForm(prefix=row.id)
    if form.validate_on_submit():
        operations.decide_interest(
            db(), me(), interest=row, decision=form.decision.data, reason=form.reason.data
        )
        flash(say("决定已记录。", "The decision was recorded."), "ok")
        return redirect(url_for("registry.interests"))
    return _interests((row.id, form))


# ---------- an expert's own page


@blueprint.get("/me/expert")
@allow("expert")
def own() -> Any:
    """Everything held about oneself (PIPL art. 45), one's own phone in clear."""
    return _own()


def _own(**filled: Form) -> Any:
    expert = queries.own_expert(db(), me())
    person = expert.person
    page = render_template(
        "registry/own.html",
        expert=expert,
        person=person,
        phone=keys().decrypt(person.phone) if person.phone else "",
        id_number=keys().decrypt(person.id_number) if person.id_number else "",
        birth_date=directory.birth_date(person, keys()),
        posts=list(reversed(person.employments)),
        regions=directory.region_names(
            db(), [expert.region_code, *(row.region_code for row in expert.interests)]
        ),
        experts=queries.expert_names(db(), [row.other_expert_id for row in expert.interests]),
        employers=_employers(),
        interest_form=filled.get("interest")
        or forms.InterestForm(formdata=None, prefix="interest"),
        absence_form=filled.get("absence") or forms.AbsenceForm(formdata=None, prefix="absence"),
        codes=words,
    )
    return page, 422 if filled else 200


@blueprint.post("/me/expert/consent")
@allow("expert")
def own_consent() -> Any:
    """Consent to being in the pool."""
    operations.record_consent(db(), me(), expert=queries.own_expert(db(), me()))
    flash(say("同意书已签署。", "Your consent was recorded."), "ok")
    return redirect(url_for("registry.own"))


@blueprint.post("/me/expert/interest")
@allow("expert")
def own_interest() -> Any:
    """Declare a conflict of interest."""
    form = forms.InterestForm(prefix="interest")
    if form.validate_on_submit():
        try:
            _declare(queries.own_expert(db(), me()), form, "expert")
        except DomainError as error:
            form.refuse(_of_form(error))
        else:
            flash(say("已申报；决定之前您回避。", "Declared; you stay out until decided."), "ok")
            return redirect(url_for("registry.own"))
    return _own(interest=form)


@blueprint.post("/me/expert/interest/<interest_id>/withdraw")
@allow("expert")
def withdraw_interest(interest_id: str) -> Any:
    """Take back one's own declaration before it is decided."""
    row = queries.interest(db(), me(), interest_id)
    operations.withdraw_interest(
        db(), me(), interest=row, reason=str(say(Text("本人撤回", "withdrawn")))
    )
    flash(say("申报已撤回。", "The declaration was withdrawn."), "ok")
    return redirect(url_for("registry.own"))


@blueprint.post("/me/expert/absence")
@allow("expert")
def own_absence() -> Any:
    """Say on which days one cannot come."""
    form = forms.AbsenceForm(prefix="absence")
    if form.validate_on_submit():
        try:
            operations.add_absence(
                db(),
                me(),
                expert=queries.own_expert(db(), me()),
                since=form.since.data,
                until=form.until.data,
                reason=form.reason.data or "",
            )
        except DomainError as error:
            form.refuse(error)
        else:
            flash(say("请假已登记。", "The absence was recorded."), "ok")
            return redirect(url_for("registry.own"))
    return _own(absence=form)


@blueprint.post("/me/expert/absence/<absence_id>/cancel")
@allow("expert")
def cancel_absence(absence_id: str) -> Any:
    """Take an absence back."""
    operations.cancel_absence(
        db(), me(), expert=queries.own_expert(db(), me()), absence_id=absence_id
    )
    flash(say("请假已取消。", "The absence was cancelled."), "ok")
    return redirect(url_for("registry.own"))
