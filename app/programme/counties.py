"""The counties of a round: class by a recorded act, facts, presenter, guidance, withdrawal (S1 三 四)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.directory.models import Organisation, Person
from app.directory.queries import region as region_on
from app.directory.queries import region_names, regions_named
from app.domain.types import DomainError, NotFound, NotNow, Text
from app.ledger.append import append
from app.programme.guards import require, while_live, while_preparing, words
from app.programme.instruments import facts_asked, form_facts
from app.programme.models import Guidance, Round, Subject
from app.programme.scheme import class_of, scheme_of
from app.programme.zones import must_be_admitted, zone_code

_NO_REGION = Text(
    "行政区划“{code}”在 {day} 不存在。没有添加；请在“行政区划”目录中核对名称或代码。",
    "There is no region “{code}” on {day}. Nothing was added; check name or code in the list of regions.",
)
_TWICE = Text(
    "{name} 已在本届中。没有重复添加。", "{name} is in this round already. Nothing was added."
)
_NO_CLASS = Text(
    "方案没有地区类别“{cls}”；可用：{known}。没有保存。",
    "The scheme has no region class “{cls}”; there are: {known}. Nothing was saved.",
)
_SEVERAL = Text(
    "叫“{name}”的地方有 {n} 个：{some}。没有添加；请填写其中一个的代码。",
    "{n} places are called {name}: {some}. Nothing was added; type the code of one of them.",
)
_NO_FACT = Text(
    "方案和评分表没有声明属性 {name}，或其值不是“是/否”。没有保存。",
    "No form or scheme declares the fact {name}, or its value is not yes/no. Nothing was saved.",
)
_NOT_IN_ROUND = Text(
    "该区县不在本届中。没有任何改动。", "This county is not in this round. Nothing was changed."
)
_CONCLUDED = Text(
    "{name} 的状态已定，不能再退出。没有任何改动。",
    "The state of {name} is settled; it cannot withdraw any more. Nothing was changed.",
)


def add_subject(
    session: Session,
    actor: Viewer | None,
    round_: Round,
    *,
    region_code: str,
    region_class: str,
    class_basis: str,
    name_en: str = "",
    facts: Mapping[str, bool] | None = None,
    presenter: Person | None = None,
    kind: str | None = None,
    name_zh: str = "",
) -> Subject:
    """A county of the round, with its class and the recorded act that fixed the class (S1 三).

    With `kind`, a zone named `name_zh` in the county `region_code` (S3 一).
    """
    require(actor, "office")
    while_preparing(round_)
    code = region_code.strip()
    if code and not code.isascii():
        code = _code_of(session, code, round_.review_on)
    region = region_on(session, code, round_.review_on)
    if region is None:
        raise DomainError(
            _NO_REGION.format(code=code, day=round_.review_on.isoformat()), field="region_code"
        )
    name, parent = region.name, None
    if kind:
        must_be_admitted(round_, kind)
        name = words(name_zh, Text("园区名称", "Name of the zone"), "name_zh")
        code, parent = zone_code(session, code, name), code
    if any(subject.region_code == code for subject in round_.subjects):
        raise DomainError(_TWICE.format(name=name), field="name_zh" if kind else "region_code")
    known_class(round_, region_class)
    named = {c.code: c.name.en for c in scheme_of(round_).candidates}
    subject = Subject(
        position=1 + max((s.position for s in round_.subjects), default=0),
        region_code=code,
        name_zh=name,
        name_en=name_en.strip() or named.get(code) or name,
        region_class=region_class,
        class_basis=words(
            class_basis, Text("类别认定依据", "Act that fixed the class"), "class_basis"
        ),
        facts=_checked_facts(round_, facts or {}),
        status="declared",
        presenter=presenter,
        kind=kind or None,
        parent_code=parent,
    )
    round_.subjects.append(subject)
    session.flush()
    append(
        session,
        actor,
        "subject.add",
        round=round_.id,
        subject=subject.id,
        region=code,
        region_class=region_class,
    )
    return subject


def _code_of(session: Session, name: str, on: date) -> str:
    """The code of the one region that a name means; the name itself when there is none."""
    found = regions_named(session, name, on)
    if len(found) > 1:
        full = region_names(session, [row.code for row in found])
        listed = [f"{row.code} {full[row.code]}" for row in found]
        raise DomainError(
            _SEVERAL.format(
                name=name, n=len(found), some=Text("、".join(listed[:8]), ", ".join(listed[:8]))
            ),
            field="region_code",
        )
    return found[0].code if found else name


def set_class(
    session: Session,
    actor: Viewer | None,
    subject: Subject,
    *,
    region_class: str,
    class_basis: str,
) -> None:
    """Correct a county's class, with the act that fixed it, while the round is in preparation."""
    require(actor, "office")
    while_preparing(subject.round)
    known_class(subject.round, region_class)
    basis = words(class_basis, Text("类别认定依据", "Act that fixed the class"), "class_basis")
    subject.region_class, subject.class_basis = region_class, basis
    append(session, actor, "subject.class", subject=subject.id, region_class=region_class)


def set_facts(
    session: Session, actor: Viewer | None, subject: Subject, facts: Mapping[str, bool]
) -> None:
    """Answer yes/no questions about a county; others stay. Once the round is open, those that a
    form reads are frozen and only those that a veto alone reads can change."""
    require(actor, "office")
    while_live(subject.round)
    given = _checked_facts(subject.round, facts)
    changed = {name for name, value in given.items() if subject.facts.get(name) is not value}
    if changed & form_facts(subject.round):
        while_preparing(subject.round)
    subject.facts = {**subject.facts, **given}
    append(session, actor, "subject.facts", subject=subject.id, names=sorted(changed))


def set_presenter(
    session: Session, actor: Viewer | None, subject: Subject, person: Person | None
) -> None:
    """Who speaks for the county and files its materials; None takes the duty away."""
    require(actor, "office")
    while_live(subject.round)
    subject.presenter = person
    append(session, actor, "subject.presenter", subject=subject.id, set=person is not None)


def withdraw_subject(session: Session, actor: Viewer | None, subject: Subject, reason: str) -> None:
    """The county takes its declaration back; the reason is kept, nothing is deleted."""
    require(actor, "office")
    while_live(subject.round)
    if subject.status not in ("declared", "qualified"):
        raise NotNow(_CONCLUDED.format(name=subject.name))
    subject.withdrawn_reason = words(reason, Text("理由", "Reason"), "reason", 1000)
    subject.status = "withdrawn"
    append(session, actor, "subject.withdraw", subject=subject.id)


def set_guidance(
    session: Session,
    actor: Viewer | None,
    round_: Round,
    subject: Subject,
    organisation: Organisation,
    basis: str,
) -> Guidance:
    """Note which unit guides a county (S1 四): its people are in conflict with that county."""
    require(actor, "office")
    while_live(round_)
    if subject.round_id != round_.id:
        raise NotFound(_NOT_IN_ROUND)
    text = words(basis, Text("依据", "Basis"), "basis")
    guidance = session.scalar(
        select(Guidance).where(
            Guidance.subject_id == subject.id, Guidance.organisation_id == organisation.id
        )
    )
    if guidance is None:
        guidance = Guidance(
            round_id=round_.id, subject_id=subject.id, organisation=organisation, basis=text
        )
        session.add(guidance)
    guidance.basis = text
    append(session, actor, "round.guidance", subject=subject.id, organisation=organisation.id)
    return guidance


def known_class(round_: Round, region_class: str, *, may_be_empty: bool = False) -> None:
    """DomainError unless the round's scheme has the class; "" passes where there are no classes."""
    classes = scheme_of(round_).region_classes
    if not region_class and (may_be_empty or not classes):
        return
    if class_of(scheme_of(round_), region_class) is None:
        known = ", ".join(entry.id for entry in classes)
        raise DomainError(
            _NO_CLASS.format(cls=region_class, known=known or "—"), field="region_class"
        )


def _checked_facts(round_: Round, facts: Mapping[str, bool]) -> dict[str, bool]:
    """Facts by name, each declared and answered yes or no."""
    declared = facts_asked(round_)
    for name, value in facts.items():
        if name not in declared or not isinstance(value, bool):
            raise DomainError(_NO_FACT.format(name=name), field="facts")
    return dict(facts)
