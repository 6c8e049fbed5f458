"""Which form a county is judged by, compiled for that county; and the freeze of all of them.

`compile_form` resolves a form's conditions with the county's facts; the freeze of a pin is one
digest over the instruments of every county that it serves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy.orm import Session, object_session

from app.domain.ledger.canonical import digest
from app.domain.scoring.expressions import MissingValue
from app.domain.scoring.instrument import FormContext, compile_form
from app.domain.scoring.schema import Form
from app.domain.types import DomainError, NotFound, Text
from app.programme.models import FormPin, FormVersion, Round, Subject
from app.programme.scheme import parsed_scheme, scheme_of
from app.programme.versions import form_of, latest_version, parsed_form

QUALIFICATION = "qualification"
SURVEY = "survey"
BONUS = "bonus"
CASEFILE = "casefile"
RECHECK = "recheck"  # of those that hold the award, years after this result (S0 art. 22-27)
STAGE_TEXT = {
    "declare": Text("申报", "Declaration"),
    "qualification": Text("资格审查", "Qualification check"),
    "provincial": Text("省级考核", "Provincial assessment"),
    "assess": Text("评估", "Assessment"),
    "desk": Text("综合评审", "Desk review"),
    "site": Text("实地考核", "Site assessment"),
    "survey": Text("第三方测评", "Third-party survey"),
    "bonus": Text("加分", "Bonus"),
    "casefile": Text("案卷评查", "Case-file review"),
    "selfcheck": Text("达标自查", "Self-check"),
    "select": Text("评选初审", "First review"),
    "mutual": Text("互查与综合评价", "Mutual check and evaluation"),
    "recheck": Text("复核", "Annual re-check"),
    "after_review": Text("评审之后", "After the review"),
    "order-statements": Text("陈述顺序", "Order of statements"),
    "order-counties": Text("抽查区县", "Counties for a spot check"),
    "order-cases": Text("案卷抽样", "Sample of case files"),
    "tie": Text("并列名次", "Tied rank"),
}
_NO_FORM = Text(
    "{stage}阶段没有适用于 {county}（{cls}类）的评分表。请先固定评分表。",
    "No form is fixed for {county} (class {cls}) at the stage {stage}. Fix one first.",
)


def stage_text(stage: str) -> Text:
    """The stage in words; a code of a new scheme stands for itself."""
    return STAGE_TEXT.get(stage, Text(stage, stage))


@lru_cache(maxsize=512)
def _compiled(source: str, scheme_source: str, facts: tuple[tuple[str, bool], ...]) -> Any:
    context = FormContext(dict(facts), parsed_scheme(scheme_source).vetoes)
    return compile_form(parsed_form(source), context)


def compiled(round_: Round, subject: Subject, version: FormVersion) -> dict[str, Any]:
    """The instrument of one form for one county. Shared between callers: never change it."""
    facts = tuple(sorted((name, bool(value)) for name, value in subject.facts.items()))
    instrument: dict[str, Any] = _compiled(version.source, str(round_.scheme["source"]), facts)
    return instrument


def pin_for(round_: Round, stage: str, region_class: str) -> FormPin | None:
    """The pin that serves a class at a stage: its own, or the one for every class."""
    places = {(pin.stage, pin.region_class): pin for pin in round_.pins}
    return places.get((stage, region_class)) or places.get((stage, ""))


def instrument_for(
    session: Session, round_: Round, subject: Subject, stage: str
) -> tuple[FormVersion, dict[str, Any]]:
    """The form version and the instrument (JSON, see app/domain/scoring/instrument.py) by which a
    county is judged at a stage. NotFound without a pin; MissingValue for a fact that is needed.
    """
    pin = pin_for(round_, stage, subject.region_class)
    if pin is None:
        raise NotFound(
            _NO_FORM.format(stage=stage_text(stage), county=subject.name, cls=subject.region_class)
        )
    return pin.form_version, compiled(round_, subject, pin.form_version)


def awaiting(instrument: Mapping[str, Any]) -> list[str]:
    """The applying items that are a default or reconstructed, as `versions.to_confirm` for an
    instrument; whether an administrator has signed is the form version's to say."""
    return [item["id"] for item in instrument["items"] if item["applies"] and item["to_confirm"]]


def pinned_stages(round_: Round) -> list[str]:
    """Stages with a pin, in the scheme's order of forms."""
    order = {form_id: place for place, form_id in enumerate(scheme_of(round_).forms)}
    pins = sorted(round_.pins, key=lambda pin: order.get(pin.form_version.form_id, len(order)))
    return list(dict.fromkeys(pin.stage for pin in pins))


def panel_stages(round_: Round) -> list[str]:
    """Stages for which a panel can be drawn: a pinned form with items that experts fill in. Sheets
    of case files belong to the stage of their main form."""
    found = []
    for pin in round_.pins:
        items = form_of(pin.form_version).indicators
        if pin.stage not in (QUALIFICATION, CASEFILE) and any(i.scorer == "expert" for i in items):
            found.append(pin.stage)
    return [stage for stage in pinned_stages(round_) if stage in found] if found else []


def planned_stages(round_: Round) -> set[str]:
    """Qualification and the stages of panels that a round has: of its pinned forms; while it is being
    prepared also of the latest versions of the scheme's other forms."""
    preparing = round_.phase == "preparing"
    forms = _forms(round_) if preparing else [form_of(pin.form_version) for pin in round_.pins]
    return {
        form.place
        for form in forms
        if form.place == QUALIFICATION
        or (form.place != CASEFILE and any(i.scorer == "expert" for i in form.indicators))
    }


def required_pins(round_: Round) -> list[tuple[str, str]]:
    """(stage, class) pairs that need a form before the round can open.

    Stages of veto forms (a gate before any mark, S0 art. 16(1)) and of the forms that the total is
    made of, for each class with a county. A form that was never loaded stands with its id.
    """
    scheme = scheme_of(round_)
    classes = list(dict.fromkeys(subject.region_class for subject in round_.subjects))
    scored = set(scheme.forms)
    if scheme.aggregation is not None:
        scored = {form for part in scheme.aggregation.components for form in part.forms}
        scored |= {scheme.aggregation.bonus_form or ""}
    pinned = {pin.form_version.form_id: pin.form_version for pin in round_.pins}
    session = object_session(round_)
    found: list[tuple[str, str]] = []
    for form_id in scheme.forms:
        version = pinned.get(form_id) or (latest_version(session, form_id) if session else None)
        if version is None:
            found.append((form_id, ""))
            continue
        form = form_of(version)
        if form_id in scored or form.kind == "veto":
            found.extend((form.place, cls) for cls in classes)
            if form.kind == "score":
                read = {f.from_form for f in form.figures if f.from_form}
                found.extend((CASEFILE, cls) for cls in classes if read)
    return list(dict.fromkeys(found))


def _forms(round_: Round) -> list[Form]:
    """The pinned forms, and the latest of the scheme's others."""
    pinned = {pin.form_version.form_id: pin.form_version for pin in round_.pins}
    session = object_session(round_)
    found = [
        pinned.get(form_id) or (latest_version(session, form_id) if session else None)
        for form_id in scheme_of(round_).forms
    ]
    return [form_of(version) for version in found if version is not None]


def form_facts(round_: Round) -> set[str]:
    """Names of the facts that forms read: frozen with them."""
    return {fact.name for form in _forms(round_) for fact in form.facts}


def facts_asked(round_: Round) -> dict[str, Text]:
    """Every yes/no question about a county, by name: of its forms and of the scheme's vetoes."""
    found = {fact.name: fact.title for form in _forms(round_) for fact in form.facts}
    for fact in scheme_of(round_).facts:
        found.setdefault(fact.name, fact.title)
    return found


def unanswered_facts(round_: Round) -> dict[str, list[Text]]:
    """Subject id -> the questions that the county's own pinned forms ask and nobody answered."""
    found: dict[str, list[Text]] = {}
    for subject in round_.subjects:
        pins = [pin_for(round_, stage, subject.region_class) for stage in pinned_stages(round_)]
        asked = {
            fact.name: fact.title
            for pin in pins
            if pin is not None
            for fact in form_of(pin.form_version).facts
        }
        found[subject.id] = [t for name, t in asked.items() if name not in subject.facts]
    return found


def frozen_digest(round_: Round, pin: FormPin) -> str:
    """SHA-256 over region code -> instrument digest of every county that the pin serves.

    A DomainError names the county's region code in `field` when a fact is missing.
    """
    served = {}
    for subject in round_.subjects:
        if pin_for(round_, pin.stage, subject.region_class) is not pin:
            continue
        try:
            served[subject.region_code] = compiled(round_, subject, pin.form_version)["digest"]
        except MissingValue as error:
            raise DomainError(error.text, field=subject.region_code) from error
    return digest(
        {
            "form": pin.form_version.digest,
            "stage": pin.stage,
            "region_class": pin.region_class,
            "subjects": served,
        }
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """One indicator of one stage as it stands before a county: for links and lists."""

    stage: str
    item: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.item["id"])

    @property
    def title(self) -> Text:
        return Text.of(self.item["title"])


def items_of(round_: Round, subject: Subject, stages: Sequence[str] | None = None) -> list[Asked]:
    """Every indicator that applies to a county, stage by stage, in the forms' order."""
    asked: list[Asked] = []
    for stage in pinned_stages(round_) if stages is None else stages:
        pin = pin_for(round_, stage, subject.region_class)
        if pin is None:
            continue
        try:
            instrument = compiled(round_, subject, pin.form_version)
        except MissingValue:
            continue  # a fact is still open; the overview names it
        asked.extend(Asked(stage, item) for item in instrument["items"] if item["applies"])
    return asked
