"""Qualification check: the departments' signed opinions, and vetoes as a gate (S0 art. 16(1)).

The limits of a veto are evaluated with the figures and shown beside the opinion, as a help. Only
an opinion that a department signed decides; a computed veto never acts by itself. A veto ends a
county's round, so a second clerk compares it with the signed paper before it can be concluded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, subqueryload

from app import clock
from app.accounts.viewer import Viewer
from app.domain.scoring.expressions import Value
from app.domain.scoring.vetoes import VetoFinding, evaluate_vetoes
from app.domain.types import DomainError, Forbidden, NotNow, Text
from app.ledger.append import append
from app.programme.figures import figures_of
from app.programme.guards import account_id, require, words
from app.programme.instruments import QUALIFICATION, instrument_for, pin_for
from app.programme.models import Figure, Opinion, Round, Subject
from app.programme.scheme import scheme_of

FINDING_TEXT = {
    "vetoed": Text("按数据触发否决", "struck by the figures"),
    "clear": Text("按数据未触发", "not struck by the figures"),
    "missing": Text("缺少数据，未能判断", "a figure is missing, cannot be judged"),
    "opinion": Text(
        "无量化界限，由签署的意见决定", "no limit in figures; a signed opinion decides"
    ),
}
_NOT_OPEN = Text(
    "届次尚未开启或已结束，不能办理资格审查。没有改动。",
    "The round is not open, so there is no qualification check now. Nothing was changed.",
)
_SETTLED = Text(
    "{name} 的资格审查已有结论，不能再改。没有改动。",
    "The qualification of {name} is concluded and cannot change. Nothing was changed.",
)
_NO_ITEM = Text(
    "资格审查表没有适用于该区县的条目 {item}。没有保存。",
    "The qualification form has no item {item} for this county. Nothing was saved.",
)
_VERDICT = Text(
    "意见须为“通过”或“否决”。没有保存。",
    "An opinion is either pass or veto. Nothing was saved.",
)
_WHICH = Text(
    "条目 {item} 的否决意见须指明触发的否决项（可选：{known}）；通过意见不带否决项。没有保存。",
    "A veto on item {item} names the vetoes that strike (there are: {known}); a pass names none. "
    "Nothing was saved.",
)
_AGAINST = Text(
    "按已录数据，{vetoes} 已触发，而意见为通过：请写明理由。没有保存。",
    "By the figures entered {vetoes} is struck, yet the opinion is pass: give the reason. Nothing "
    "was saved.",
)
_MISSING = Text(
    "{name} 还缺 {n} 份部门意见：{list}。结论没有作出。",
    "{name} still lacks {n} opinion(s): {list}. Nothing was concluded.",
)
_UNCONFIRMED = Text(
    "{name} 的否决意见 {list} 还没有第二人与签署原件核对。结论没有作出；请另一位办公室人员在本页确认。",
    "The veto on {list} of {name} was not yet compared with the signed paper by a second person. "
    "Nothing was concluded; another clerk of the office confirms it on this page.",
)
_NO_VETO = Text(
    "该条目没有等待核对的否决意见。没有改动。",
    "No veto on this item waits to be confirmed. Nothing was changed.",
)
_SAME_CLERK = Text(
    "登记意见的人不能自己核对。没有改动；请另一位办公室人员核对。",
    "Whoever recorded an opinion cannot confirm it. Nothing was changed; another clerk does.",
)


@dataclass(frozen=True, slots=True)
class ItemState:
    """One item of the qualification form for one county: the opinion and what the figures say."""

    item: dict[str, Any]
    opinion: Opinion | None
    findings: tuple[VetoFinding, ...]

    @property
    def title(self) -> Text:
        return Text.of(self.item["title"])

    @property
    def unconfirmed(self) -> bool:
        """A veto that one clerk alone has typed."""
        return bool(
            self.opinion and self.opinion.verdict == "veto" and not self.opinion.confirmed_at
        )

    @property
    def struck(self) -> tuple[str, ...]:
        """Vetoes that the figures strike."""
        return tuple(f.veto_id for f in self.findings if f.state == "vetoed")


@dataclass(frozen=True, slots=True)
class SubjectState:
    """A county's qualification: its items in the form's order."""

    subject: Subject
    items: tuple[ItemState, ...]

    @property
    def missing(self) -> tuple[ItemState, ...]:
        return tuple(entry for entry in self.items if entry.opinion is None)

    @property
    def vetoed(self) -> tuple[ItemState, ...]:
        """Items on which a department's opinion is a veto."""
        return tuple(e for e in self.items if e.opinion and e.opinion.verdict == "veto")


def record_opinion(
    session: Session,
    actor: Viewer | None,
    subject: Subject,
    item: str,
    department: str,
    verdict: str,
    vetoes: Sequence[str] = (),
    reason: str = "",
    evidence: str = "",
    signer: str = "",
) -> Opinion:
    """Record the opinion that a department signed on one item; a later one replaces it until the
    conclusion. A veto needs reason and evidence; so does a pass against the figures its reason.
    """
    require(actor, "office")
    _under_check(subject)
    state = subject_state(session, subject)
    entry = next((e for e in state.items if e.item["id"] == item), None)
    if entry is None:
        raise DomainError(_NO_ITEM.format(item=item), field="item")
    if verdict not in ("pass", "veto"):
        raise DomainError(_VERDICT, field="verdict")
    known = [row["id"] for row in entry.item["scale"].get("vetoes", ())]
    named = list(dict.fromkeys(vetoes))
    needs_names = verdict == "veto" and bool(known)
    if bool(named) != needs_names or not set(named) <= set(known):
        listed = ", ".join(known) or "—"
        raise DomainError(_WHICH.format(item=item, known=listed), field="vetoes")
    reason, evidence = reason.strip(), evidence.strip()
    if verdict == "veto":
        reason = words(reason, Text("理由", "Reason"), "reason", 4000)
        evidence = words(evidence, Text("依据材料", "Evidence"), "evidence", 4000)
    elif entry.struck and not reason:
        raise DomainError(_AGAINST.format(vetoes=", ".join(entry.struck)), field="reason")
    opinion = entry.opinion
    if opinion is None:
        opinion = Opinion(item=item)
        subject.opinions.append(opinion)
    opinion.department = words(department, Text("部门", "Department"), "department")
    opinion.signer = words(signer, Text("签署人", "Signed by"), "signer")
    opinion.verdict, opinion.vetoes = verdict, named
    opinion.reason, opinion.evidence = reason, evidence
    opinion.signed_at, opinion.recorded_by = clock.now(), account_id(actor)
    opinion.confirmed_by = opinion.confirmed_at = None
    session.flush()
    append(session, actor, "opinion.record", subject=subject.id, item=item, verdict=verdict)
    return opinion


def confirm_opinion(session: Session, actor: Viewer | None, subject: Subject, item: str) -> Opinion:
    """A second clerk has compared a veto with the paper that the department signed. Forbidden for who
    recorded it; Conflict when no veto waits."""
    require(actor, "office")
    _under_check(subject)
    entry = next((e for e in subject_state(session, subject).items if e.item["id"] == item), None)
    if entry is None or entry.opinion is None or not entry.unconfirmed:
        raise NotNow(_NO_VETO)
    if account_id(actor) is None or entry.opinion.recorded_by == account_id(actor):
        raise Forbidden(_SAME_CLERK)
    entry.opinion.confirmed_by, entry.opinion.confirmed_at = account_id(actor), clock.now()
    append(session, actor, "opinion.confirm", subject=subject.id, item=item)
    return entry.opinion


def conclude_qualification(session: Session, actor: Viewer | None, subject: Subject) -> str:
    """`qualified` or `vetoed`: vetoed iff some department's opinion is a veto.

    Raises Conflict naming the items that have no opinion yet, or a veto of one clerk alone.
    """
    require(actor, "office")
    _under_check(subject)
    state = subject_state(session, subject)
    if state.missing:
        titles = [
            Text("{i} {t}", "{i} {t}").format(i=e.item["id"], t=e.title) for e in state.missing
        ]
        listed = Text("；".join(t.zh for t in titles), "; ".join(t.en for t in titles))
        raise NotNow(_MISSING.format(name=subject.name, n=len(titles), list=listed))
    alone = ", ".join(e.item["id"] for e in state.items if e.unconfirmed)
    if alone:
        raise NotNow(_UNCONFIRMED.format(name=subject.name, list=alone))
    subject.status = "vetoed" if state.vetoed else "qualified"
    append(
        session,
        actor,
        "qualification.conclude",
        subject=subject.id,
        outcome=subject.status,
        items=[entry.item["id"] for entry in state.vetoed],
    )
    return subject.status


def subject_state(
    session: Session,
    subject: Subject,
    figures: dict[str, Figure] | None = None,
) -> SubjectState:
    """What is known of one county; `figures` by key, when the caller has them. NotFound without a
    qualification form."""
    round_ = subject.round
    if figures is None:
        found = session.scalars(select(Figure).where(Figure.subject_id == subject.id))
        figures = {figure.key: figure for figure in found}
    _, instrument = instrument_for(session, round_, subject, QUALIFICATION)
    opinions = {opinion.item: opinion for opinion in subject.opinions}
    items = [
        ItemState(item, opinions.get(item["id"]), findings_of(subject, item, figures))
        for item in instrument["items"]
        if item["applies"]
    ]
    return SubjectState(subject, tuple(items))


def findings_of(
    subject: Subject, item: Mapping[str, Any], figures: Mapping[str, Figure]
) -> tuple[VetoFinding, ...]:
    """What the figures and facts say on the vetoes of an item of any form, beside an opinion."""
    listed = item["scale"].get("vetoes", ())
    if not listed:
        return ()
    values: dict[str, Value | None] = {key: figure.value for key, figure in figures.items()}
    values.update({name: bool(value) for name, value in subject.facts.items()})
    scheme = scheme_of(subject.round)
    titles = {figure.name: figure.title for figure in scheme.figures}
    titles.update({fact.name: fact.title for fact in scheme.facts})
    by_id = {veto.id: veto for veto in scheme.vetoes}
    return evaluate_vetoes([by_id[row["id"]] for row in listed], values, titles)


def qualification_state(session: Session, round_: Round) -> list[SubjectState]:
    """Every county that has a qualification form and did not withdraw, in the round's order."""
    figures = figures_of(session, round_)
    found = session.scalars(
        select(Subject)
        .where(Subject.round_id == round_.id)
        .options(subqueryload(Subject.opinions))
        .order_by(Subject.position)
    )
    return [
        subject_state(session, subject, figures[subject.id])
        for subject in found
        if subject.status != "withdrawn"
        and pin_for(round_, QUALIFICATION, subject.region_class) is not None
    ]


def _under_check(subject: Subject) -> None:
    if subject.round.phase != "open":
        raise NotNow(_NOT_OPEN)
    if subject.status != "declared":
        raise NotNow(_SETTLED.format(name=subject.name))
