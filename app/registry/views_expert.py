"""One expert: the page, and everything that is done about him from there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import (
    flash,
    redirect,
    render_template,
    url_for,
)

from app.directory import queries as directory
from app.domain.types import DomainError, NotFound, Text
from app.registry import forms, operations, queries, words
from app.registry import forms_registers as shapes
from app.registry import queries_registers as registers
from app.registry.models import Expert
from app.registry.pages import (
    blueprint,
    declare,
    employer_named,
    of_form,
    place_named,
)
from app.ui.access import allow
from app.ui.forms import Form
from app.ui.language import say
from app.ui.request import db, keys, me


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
    "history": shapes.HistoryForm,
    "residence": shapes.PaperResidenceForm,
    "statement": shapes.PaperStatementForm,
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
    codes += [row.region_code for row in expert.residences]
    past = registers.past_panels(db(), expert.id)
    codes += [row.region_code for row in past]
    page = render_template(
        "registry/show.html",
        expert=expert,
        person=expert.person,
        phone=directory.masked_phone(expert.person, keys()),
        id_number=directory.masked_id(expert.person, keys()),
        shown=shown,
        posts=list(reversed(expert.person.employments)),
        past=past,
        former=directory.former_values(db(), expert.person),
        masked=lambda row: directory.masked_former(row, keys()),
        regions=directory.region_names(db(), codes),
        accounts=queries.account_names(db(), accounts),
        experts=queries.expert_names(db(), others),
        employers=[name for _, name in directory.organisation_choices(db())],
        codes=words,
        forms=given,
        may_read={row.id: registers.may_read(me(), row) for row in expert.interests},
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
            form.refuse(of_form(error))
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
            organisation=employer_named(form.employer.data),
            post=form.post.data or "",
            since=form.since.data,
        ),
    )


@blueprint.post("/pool/<expert_id>/history")
@allow("keeper")
def history(expert_id: str) -> Any:
    """A former employment, or a side post or share, with its document."""
    return _act(
        expert_id,
        "history",
        Text("任职经历已登记。", "The post was recorded."),
        lambda expert, form: operations.add_former_post(
            db(),
            me(),
            expert=expert,
            organisation=employer_named(form.employer.data),
            relation=form.relation.data,
            post=form.post.data or "",
            since=form.since.data,
            until=form.until.data,
            basis=form.basis.data,
        ),
    )


@blueprint.post("/pool/<expert_id>/residence")
@allow("keeper")
def residence(expert_id: str) -> Any:
    """Birthplace or residence, from the expert's paper."""
    return _act(
        expert_id,
        "residence",
        Text("已登记。", "Recorded."),
        lambda expert, form: operations.add_residence(
            db(),
            me(),
            expert=expert,
            kind=form.kind.data,
            region_code=place_named(form.region.data) or "",
            since=form.since.data,
            until=form.until.data,
            basis=form.basis.data,
        ),
    )


@blueprint.post("/pool/<expert_id>/statement")
@allow("keeper")
def statement(expert_id: str) -> Any:
    """The expert's signed paper that all ties of some topics are declared."""
    return _act(
        expert_id,
        "statement",
        Text("声明已登记。", "The statement was recorded."),
        lambda expert, form: operations.state_ties(
            db(),
            me(),
            expert=expert,
            topics=form.topics.data or [],
            signed_name=form.signed_name.data,
            signed_on=form.signed_on.data,
            paper=form.paper.data,
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
        lambda expert, form: declare(expert, form, form.side.data),
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
