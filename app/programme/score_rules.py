"""A round's score rule from a rule file: checked against the round, compared, tried on an example, and
put on record before the round opens (S0 art. 16: nobody chooses how to count after seeing the marks).

The ledger receives both digests. The opening freezes the rule; afterwards only a new round can differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import yaml
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.domain.statistics import rule_words
from app.domain.statistics.results import SubjectScore
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.rule_file import Note, RuleFile, read_rule
from app.domain.types import Conflict, DomainError, Text
from app.ledger.append import append
from app.programme.guards import account_id, require, while_preparing, words
from app.programme.instruments import stage_text
from app.programme.marked_lines import Line, marked_lines
from app.programme.models import Round
from app.programme.models_score_rule import ScoreRuleChange
from app.programme.scheme import scheme_of, score_rule_of, tiers_of
from app.programme.versions import form_of

_REASON = Text("理由", "Reason")
_WRONG = Text(
    "规则有 {n} 处错误，没有记录；请按下面各行的说明改正。",
    "The rule has {n} error(s) and was not put on record; correct the lines named below.",
)
_SAME = Text(
    "与本届现行的计分规则相同，没有任何改动。",
    "This is the score rule that the round has already; nothing was changed.",
)
_UNSEEN = Text(
    "这不是刚才检查的规则，没有记录；请先检查，看过差别后再记录。",
    "This is not the rule that was checked, so it was not put on record; check it first, read the "
    "difference, then record it.",
)
_EXAMPLE = Text(
    "示例须为 1 至 15 个分数，用空格或逗号分开。",
    "The example is 1 to 15 marks, parted by blanks or commas.",
)


@dataclass(frozen=True, slots=True)
class Tried:
    """A rule file held against a round: remarks, the difference in words, the example both ways."""

    text: str
    rule: ScoreRule | None
    notes: tuple[Note, ...]
    differences: tuple[Text, ...]
    now: SubjectScore
    then: SubjectScore | None

    @property
    def errors(self) -> int:
        """How many remarks keep the rule from being recorded."""
        return sum(note.level == "error" for note in self.notes)

    def lines(self) -> list[Line[Note]]:
        """The lines with remarks and those around them."""
        return marked_lines(self.text, self.notes)


def titles_of(round_: Round) -> dict[str, Text]:
    """Names of the stages and places that a rule speaks of."""
    scheme = scheme_of(round_)
    found = {pin.stage: stage_text(pin.stage) for pin in round_.pins}
    if scheme.aggregation is not None:
        found |= {part.id: part.title for part in scheme.aggregation.components}
    return found | {tier["id"]: tier["title"] for tier in tiers_of(scheme)}


def as_yaml(rule: ScoreRule) -> str:
    """The whole rule as a file that reads back to the same digest."""
    text: str = yaml.safe_dump(rule.to_json(), allow_unicode=True, sort_keys=False, width=100)
    return text


def marks_from(text: str) -> tuple[Decimal, ...]:
    """The marks of an example as typed; the product's own seven for an empty text. DomainError."""
    given = text.replace(",", " ").replace("，", " ").replace("、", " ").split()
    if not given:
        return rule_words.EXAMPLE
    try:
        marks = tuple(Decimal(mark) for mark in given)
    except InvalidOperation as error:
        raise DomainError(_EXAMPLE, field="example") from error
    if len(marks) > 15 or not all(m.is_finite() and abs(m) <= 10_000 for m in marks):
        raise DomainError(_EXAMPLE, field="example")
    return marks


def tried(round_: Round, text: str, example: Sequence[Decimal] = rule_words.EXAMPLE) -> Tried:
    """Hold a rule file against the round; nothing is changed."""
    read, now = read_rule(text), score_rule_of(round_)
    notes = [*read.notes, *(_in_round(round_, read) if read.rule is not None else ())]
    return Tried(
        text=text,
        rule=read.rule,
        notes=tuple(sorted(notes, key=lambda note: (note.line, note.level, note.key))),
        differences=()
        if read.rule is None
        else tuple(rule_words.differences(now, read.rule, titles_of(round_))),
        now=rule_words.example(now, example),
        then=None if read.rule is None else rule_words.example(read.rule, example),
    )


def seen(round_: Round, found: Tried) -> str:
    """What a reader of the difference has read: the digests of both rules; "" without a rule."""
    return "" if found.rule is None else f"{round_.score_rule_digest}/{found.rule.digest()}"


def _in_round(round_: Round, read: RuleFile) -> list[Note]:
    """What does not fit the round: stages, items and counties that it has not, or that the rule lacks."""
    rule, found = read.rule, list[Note]()
    assert rule is not None

    def say(key: str, text: Text, *, warning: bool = False) -> None:
        found.append(Note(read.line(key), "warning" if warning else "error", key, text))

    scheme = scheme_of(round_)
    components = {c.id: c for c in scheme.aggregation.components} if scheme.aggregation else {}
    stages = {pin.stage for pin in round_.pins} | {"survey"}
    for name in rule.modules:
        if name not in components and name not in stages:
            known = ", ".join(components or sorted(stages))
            text = Text(
                "本届没有阶段 {n}（有：{k}）。", "The round has no stage {n} (it has: {k})."
            )
            say(f"modules.{name}", text.format(n=name, k=known))
    if not rule.modules and len(components) > 1:
        text = Text(
            "本届有 {n} 个计分阶段（{k}），规则须在 modules 中给出各阶段权重。",
            "The round counts {n} stages ({k}); the rule has to weight them under modules.",
        )
        say("modules", text.format(n=len(components), k=", ".join(components)))
    used = {form for name in rule.modules if name in components for form in components[name].forms}
    items = {
        entry.id
        for pin in round_.pins
        if pin.form_version.form_id in used or pin.stage in rule.modules
        for entry in form_of(pin.form_version).indicators
    }
    if rule.items and items:
        for name in sorted(set(rule.items) - items):
            text = Text("本届计分的评分表没有指标 {n}。", "No form that counts has the item {n}.")
            say(f"items.{name}", text.format(n=name), warning=True)
        lacking = sorted(items - set(rule.items))
        if lacking:
            text = Text(
                "items 须列出评分表的每项指标，缺：{n}。",
                "items has to list every item of the forms; missing: {n}.",
            )
            say("items", text.format(n=", ".join(lacking)))
    counties = {subject.region_code for subject in round_.subjects}
    for name in rule.adjust:
        if name not in counties:
            text = Text("本届没有区县 {n}。", "The round has no county {n}.")
            say(f"adjust.{name}", text.format(n=name))
    return found


def changes(session: Session, round_: Round) -> list[ScoreRuleChange]:
    """The rules that were put on record, the latest first."""
    return list(
        session.scalars(
            select(ScoreRuleChange)
            .where(ScoreRuleChange.round_id == round_.id)
            .order_by(ScoreRuleChange.number.desc())
        )
    )


def put_on_record(
    session: Session,
    actor: Viewer | None,
    round_: Round,
    *,
    text: str,
    read: str,
    reason: str,
) -> ScoreRuleChange:
    """The round goes by this rule from now on. `read`: `seen` of the check, so that nobody records a
    difference that he did not read. Conflict once the round is open; DomainError for
    a rule with errors, without a reason, or like the present one."""
    require(actor, "office")
    while_preparing(round_)
    found = tried(round_, text)
    if found.rule is None or found.errors:
        raise DomainError(_WRONG.format(n=found.errors), field="text")
    digest, before = found.rule.digest(), round_.score_rule_digest
    if read != seen(round_, found):
        raise Conflict(_UNSEEN)
    if digest == before:
        raise DomainError(_SAME, field="text")
    why = words(reason, _REASON, "reason", 2000)
    number = session.scalar(
        select(func.count(ScoreRuleChange.id)).where(ScoreRuleChange.round_id == round_.id)
    )
    after: dict[str, Any] = found.rule.to_json()
    row = ScoreRuleChange(
        round_id=round_.id, number=(number or 0) + 1, source=text, before=dict(round_.score_rule),
        after=after, before_digest=before, after_digest=digest, reason=why,
        changed_by=account_id(actor), changed_at=clock.now(),
    )  # fmt: skip
    round_.score_rule, round_.score_rule_digest = after, digest
    session.add(row)
    session.flush()
    append(
        session, actor, "round.score_rule",
        round=round_.id, number=row.number, before=before, after=digest,
    )  # fmt: skip
    return row
