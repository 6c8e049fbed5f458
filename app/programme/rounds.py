"""Making, opening and ending a round.

Opening freezes what decides the scores: form versions, classes and the score rule (S0 art. 8, 16).
Until then they may be corrected; afterwards only a new round can differ. Conflict and draw rules may
still change (`app.draw.rule_sets`): each draw keeps those in force at its commitment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.ledger.canonical import digest
from app.domain.statistics.rule import ScoreRule
from app.domain.types import DomainError, NotNow, Text
from app.ledger.append import append
from app.programme.counties import known_class
from app.programme.guards import account_id, require, while_live, while_preparing, words
from app.programme.instruments import (
    frozen_digest,
    pin_for,
    required_pins,
)
from app.programme.models import FormPin, FormVersion, Round
from app.programme.scheme import (
    copied_scheme,
    library_forms,
    parsed_scheme,
    rules_of,
    scheme_of,
    score_rule_from,
    score_rule_of,
    standard_rules,
)
from app.programme.versions import form_of, latest_version, lint_errors

KINDS = ("real", "drill", "trial")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\Z")

_BAD_SLUG = Text(
    "简称“{slug}”不能用：只用小写字母、数字和连字符，最多 40 个字符。没有创建届次。",
    "The short name “{slug}” cannot be used: lower-case letters, digits and hyphens only, at most "
    "40. No round was made.",
)
_SLUG_TAKEN = Text(
    "简称“{slug}”已被另一届使用。没有创建届次，请换一个。",
    "The short name “{slug}” belongs to another round. No round was made; choose another.",
)
_BAD_KIND = Text(
    "届次性质须为 {kinds} 之一。没有创建届次。",
    "A round is one of {kinds}. No round was made.",
)
_NOT_OF_SCHEME = Text(
    "评分表“{form}”不属于方案“{scheme}”，或不用于阶段 {stage}、类别“{cls}”。没有任何改动。",
    "The form “{form}” is not of the scheme “{scheme}”, or not for stage {stage} and class "
    "“{cls}”. Nothing was changed.",
)
_NO_SUBJECTS = Text(
    "本届还没有参评区县，不能开启。请先添加区县。",
    "There are no counties in this round yet, so it cannot open. Add them first.",
)
_NO_PIN = Text(
    "不能开启：以下阶段和类别还没有固定评分表：{gaps}。没有任何改动。",
    "The round cannot open: no form is fixed for {gaps}. Nothing was changed.",
)
_LINT = Text(
    "不能开启：评分表“{form}”有错误：{what}。没有任何改动；请改正该表后固定新版本。",
    "The round cannot open: the form “{form}” has an error: {what}. Nothing was changed; correct "
    "the form and fix the new version.",
)
_NEEDS_FACT = Text(
    "不能开启：{county} 的属性未填：{why}",
    "The round cannot open: a fact of {county} is missing: {why}",
)
_PHASE = Text(
    "只有已开启的届次才能结束。没有任何改动。",
    "Only an open round can be closed. Nothing was changed.",
)


def create_round(
    session: Session,
    actor: Viewer | None,
    *,
    slug: str,
    scheme_id: str,
    title_zh: str,
    title_en: str,
    kind: str,
    review_on: date,
    note: str = "",
    note_en: str = "",
    rule_overrides: Mapping[str, Any] | None = None,
    score_rule: Mapping[str, Any] | None = None,
    library: Path | None = None,
    template: Round | None = None,
) -> Round:
    """A round in preparation, with its own copy of the scheme, the draw rules and the score rule.

    `rule_overrides` as for `RuleSet.with_overrides`; `score_rule` as for `ScoreRule.parse` (default:
    what the scheme's aggregation says). Without an English title, English pages and papers bear the
    Chinese one. With `template`, scheme and rules are that round's own copies;
    its decision to exempt central employers was made for that round alone and stays there. Raises
    DomainError with the field that is wrong.
    """
    require(actor, "office")
    slug = slug.strip().lower()
    if not _SLUG.match(slug):
        raise DomainError(_BAD_SLUG.format(slug=slug), field="slug")
    if session.scalar(select(Round.id).where(Round.slug == slug)) is not None:
        raise DomainError(_SLUG_TAKEN.format(slug=slug), field="slug")
    if kind not in KINDS:
        raise DomainError(_BAD_KIND.format(kinds=", ".join(KINDS)), field="kind")
    if template is None:
        scheme = copied_scheme(scheme_id, library)
        rules = standard_rules(rule_overrides, library)
        parsed = parsed_scheme(scheme["source"])
        if score_rule is None:
            rule = score_rule_from(parsed, library_forms(library))
        else:
            rule = ScoreRule.parse(score_rule)
    else:
        scheme_id, scheme = template.scheme_id, dict(template.scheme)
        rules = rules_of(template).with_overrides({"central_exempt": None})
        rule = score_rule_of(template)
    round_ = Round(
        slug=slug,
        title_zh=words(title_zh, Text("中文名称", "Chinese title"), "title_zh"),
        title_en=words(title_en.strip() or title_zh, Text("英文名称", "English title"), "title_en"),
        kind=kind,
        phase="preparing",
        scheme_id=scheme_id,
        scheme_digest=digest(scheme),
        scheme=scheme,
        rules=rules.as_mapping(),
        rules_digest=rules.digest(),
        score_rule=rule.to_json(),
        score_rule_digest=rule.digest(),
        review_on=review_on,
        note=note.strip(),
        note_en=note_en.strip() or None,
        created_by=account_id(actor),
        created_at=clock.now(),
    )
    session.add(round_)
    append(
        session,
        actor,
        "round.create",
        slug=slug,
        round_kind=kind,
        scheme=scheme_id,
        scheme_digest=round_.scheme_digest,
        rules_digest=round_.rules_digest,
        score_rule_digest=round_.score_rule_digest,
    )
    return round_


def pin_form(
    session: Session,
    actor: Viewer | None,
    round_: Round,
    stage: str,
    region_class: str,
    version: FormVersion,
) -> FormPin:
    """Fix the form version of a stage for a region class ("" serves every class)."""
    require(actor, "office")
    while_preparing(round_)
    form, scheme = form_of(version), scheme_of(round_)
    fits = (
        form.id in scheme.forms
        and form.place == stage
        and (form.region_class is None or form.region_class == region_class)
    )
    if not fits:
        raise DomainError(
            _NOT_OF_SCHEME.format(
                form=version.title, scheme=scheme.title, stage=stage, cls=region_class
            ),
            field="version",
        )
    known_class(round_, region_class, may_be_empty=True)
    pin = next((p for p in round_.pins if (p.stage, p.region_class) == (stage, region_class)), None)
    if pin is None:
        pin = FormPin(stage=stage, region_class=region_class, form_version=version)
        round_.pins.append(pin)
    else:
        pin.form_version = version
    session.flush()
    append(
        session,
        actor,
        "round.pin",
        round=round_.id,
        stage=stage,
        region_class=region_class,
        digest=version.digest,
    )
    return pin


def pin_latest(session: Session, actor: Viewer | None, round_: Round) -> list[FormPin]:
    """Fix the latest version of every form of the scheme that has a place and is not yet fixed."""
    made = []
    scheme = scheme_of(round_)
    for form_id in scheme.forms:
        version = latest_version(session, form_id)
        if version is None:
            continue
        form = form_of(version)
        place = (form.place, form.region_class or "")
        if place not in {(pin.stage, pin.region_class) for pin in round_.pins}:
            made.append(pin_form(session, actor, round_, *place, version))
    return made


def open_round(session: Session, actor: Viewer | None, round_: Round) -> Round:
    """Freeze forms, classes and the score rule, and open the round.

    Raises Conflict naming the stage and class without a form, the form with an error, or the county
    with a missing fact; nothing is changed then.
    """
    require(actor, "office")
    while_preparing(round_)
    if not round_.subjects:
        raise NotNow(_NO_SUBJECTS)
    gaps = missing_pins(round_)
    if gaps:
        listed = "; ".join(f"{stage} {cls}".strip() for stage, cls in gaps)
        raise NotNow(_NO_PIN.format(gaps=listed))
    forms = {pin.form_version.form_id: form_of(pin.form_version) for pin in round_.pins}
    for pin in round_.pins:
        for finding in lint_errors(pin.form_version, forms):
            what = Text("{w}（{p}）", "{w} ({p})").format(w=finding.what, p=finding.where)
            raise NotNow(_LINT.format(form=pin.form_version.title, what=what))
    for pin in round_.pins:
        try:
            pin.instrument_digest = frozen_digest(round_, pin)
        except DomainError as error:
            named = next((s for s in round_.subjects if s.region_code == error.field), None)
            raise NotNow(
                _NEEDS_FACT.format(county=named.name if named else "", why=error.text)
            ) from error
    round_.phase, round_.opened_at = "open", clock.now()
    pins = [
        [pin.stage, pin.region_class, str(pin.instrument_digest)]
        for pin in sorted(round_.pins, key=lambda p: (p.stage, p.region_class))
    ]
    append(session, actor, "round.open", round=round_.id, pins=pins)
    return round_


def missing_pins(round_: Round) -> list[tuple[str, str]]:
    """Stage and class pairs that must have a form before the round can open, and have none."""
    return [
        (stage, cls) for stage, cls in required_pins(round_) if pin_for(round_, stage, cls) is None
    ]


def cancel_round(session: Session, actor: Viewer | None, round_: Round, reason: str) -> None:
    """End a round without a result. Everything filed is kept and can be read."""
    require(actor, "office")
    while_live(round_)
    round_.ended_reason = words(reason, Text("取消理由", "Reason"), "reason", 2000)
    round_.phase, round_.ended_at = "cancelled", clock.now()
    append(session, actor, "round.cancel", round=round_.id)


def close_round(session: Session, actor: Viewer | None, round_: Round) -> None:
    """End an open round: nothing can be filed any more."""
    require(actor, "office")
    if round_.phase != "open":
        raise NotNow(_PHASE)
    round_.phase, round_.ended_at = "closed", clock.now()
    append(session, actor, "round.close", round=round_.id)


def discard_draft(session: Session, actor: Viewer | None, round_: Round, reason: str) -> None:
    """Give up a round in preparation: its row stays with the reason, no list shows it. That nothing
    was drawn for it is for the caller to see to (`app.home.rounds`): draws are a later room's."""
    require(actor, "office")
    while_preparing(round_)
    round_.ended_reason = words(reason, Text("放弃理由", "Reason"), "reason", 2000)
    round_.phase = "cancelled"
    round_.ended_at = round_.discarded_at = clock.now()
    append(session, actor, "round.discard", round=round_.id)
