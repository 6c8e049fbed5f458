"""Official scores of a round: marks and a rule in, totals, ranks and replayable arithmetic out.

Order, each step traced: panel head count -> quorum -> estimate per item or per sheet -> weighted
sum -> stage value -> stage weight -> sum -> rounding -> bonus or deduction -> veto gate -> rank. A
subject without quorum, without a stage or with a veto gets no score and a reason; nothing is ever
imputed and no weight is moved from a missing stage to another. Exact arithmetic only (see
`rounding.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from app.domain.statistics.marks import SubjectMarks
from app.domain.statistics.ranking import Entry, rank
from app.domain.statistics.results import Gate, RoundScores, StageScore, Status, SubjectScore
from app.domain.statistics.rounding import at_stage, exact_text, half_up, plain, shown, to_decimal
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.stages import StageScorer
from app.domain.statistics.trace import rounded_text
from app.domain.types import DomainError, Text


def score_round(
    rule: ScoreRule, subjects: Sequence[SubjectMarks], drawn: Sequence[Sequence[str]] = ()
) -> RoundScores:
    """Score and rank every subject under one rule; `drawn` are the orders of logged draws, for a rule
    whose tie ladder ends in one.

    Returns one `SubjectScore` per subject in the order given; the order has no influence on any
    number. Raises DomainError when marks and rule do not fit together: unknown stage or item, an
    adjustment for an unknown subject, a subject given twice.
    """
    known = {subject.id for subject in subjects}
    if len(known) < len(subjects):
        raise DomainError(Text("有对象重复出现。", "A subject is given twice."))
    for name in rule.adjust:
        if name not in known:
            raise DomainError(
                Text(
                    "规则 adjust 中的 {name} 不在本轮对象中。",
                    "Rule adjust names {name}, which is no subject of this round.",
                ).format(name=name),
                field=f"adjust.{name}",
            )
    scores = {subject.id: _Scorer(rule, subject).score() for subject in subjects}
    scored = [entry_of(s) for s in scores.values() if s.status is Status.SCORED]
    places = rank(rule, scored, drawn)
    ranked = {
        name: replace(score, rank=places[name].rank, tie=places[name].tie)
        if name in places
        else score
        for name, score in scores.items()
    }
    return RoundScores(rule, ranked)


def entry_of(score: SubjectScore) -> Entry:
    """What the tie ladder may look at, of a subject that has a score."""
    assert score.total is not None and score.unrounded is not None
    spreads = [s.spread for s in score.stages.values() if s.unit is not None or s.items]
    complete = [spread for spread in spreads if spread is not None]
    items = {n: i.value for n, i in score.items.items() if i.value is not None}
    for stage in score.stages.values():
        for name, item in stage.items.items():
            if item.value is not None:
                items[f"{stage.id}/{name}"] = item.value
    return Entry(
        id=score.id,
        group=score.group,
        published=score.total,
        unrounded=score.unrounded,
        modules={n: s.value for n, s in score.stages.items() if s.value is not None},
        items=items,
        spread=sum(complete, Fraction(0)) if complete and len(complete) == len(spreads) else None,
    )


@dataclass(slots=True)
class _Scorer(StageScorer):
    """Works through one subject: stages, total, gate."""

    def score(self) -> SubjectScore:
        """All stages, then the total, then the gate."""
        stages = {name: self.stage_score(name, weight) for name, weight in self._weights().items()}
        adjust = self._adjustment()
        total, unrounded, reason = self._total(stages, adjust)
        status = Status.SCORED if reason is None else Status.NO_SCORE
        if self.subject.vetoed:
            status, total, unrounded = Status.VETOED, None, None
            reason = self.subject.veto_reason or Text("被一票否决。", "Vetoed.")
            line = Text("一票否决:不计总分,不排序。{r}", "Veto: no total, no rank. {r}").format(
                r=reason
            )
            self.step("gate", line, {"vetoed": True}, None)
        return SubjectScore(
            id=self.subject.id,
            group=self.subject.group,
            status=status,
            reason=reason,
            total=total,
            unrounded=unrounded,
            adjust=adjust,
            stages=stages,
            gates=() if status is not Status.SCORED else self._gates(stages),
            steps=tuple(self.steps),
        )

    def _gates(self, stages: dict[str, StageScore]) -> tuple[Gate, ...]:
        """Sections below their floor, each with its line; a section counts with its cap, unweighted."""
        found = []
        for name, stage in stages.items():
            for section, part in self.rule.sections.items():
                values = [
                    unit.value * Fraction(entry.weight)
                    for item, unit in stage.items.items()
                    if unit.value is not None
                    and (entry := self.rule.items.get(item)) is not None
                    and entry.section == section
                ]
                if part.floor is None or not values:
                    continue
                value = sum(values, Fraction(0))
                value = value if part.cap is None else min(value, Fraction(part.cap))
                if value >= Fraction(part.floor):
                    continue
                text = Text(
                    "阶段 {s} 的 {n} 部分 {v} 分,低于最低要求 {f} 分:总分和名次保留,不占名额。",
                    "Stage {s}, section {n}: {v} points, below the floor {f}: total and rank stand, no "
                    "place is given.",
                ).format(s=name, n=section, v=shown(value), f=plain(part.floor))
                inputs: dict[str, object] = {"section": section, "value": exact_text(value), "floor": plain(part.floor)}  # fmt: skip
                self.step("gate", text, inputs, None, stage=name)
                found.append(Gate(name, section, value, part.floor, text))
        return tuple(found)

    def _weights(self) -> dict[str, Decimal]:
        """Stages in the order of the rule with their weights."""
        given, modules = self.subject.stages, self.rule.modules
        if modules:
            for name in given:
                if name not in modules:
                    raise DomainError(
                        Text(
                            "{subject}:规则中没有阶段 {name}。",
                            "{subject}: the rule has no stage {name}.",
                        ).format(subject=self.subject.id, name=name),
                        field="modules",
                    )
            return dict(modules)
        if len(given) != 1:
            raise DomainError(
                Text(
                    "{subject}:有 {n} 个阶段,规则须给出各阶段权重。",
                    "{subject}: has {n} stages; the rule must weight them under modules.",
                ).format(subject=self.subject.id, n=len(given)),
                field="modules",
            )
        return {name: Decimal(1) for name in given}

    def _adjustment(self) -> Decimal:
        """Bonus or deduction of the subject and of the rule; a bonus stops at the cap."""
        for amount in (self.subject.adjust, self.rule.adjust.get(self.subject.id, Decimal(0))):
            self.rule.check_adjust(self.subject.id, amount)
        asked = self.subject.adjust + self.rule.adjust.get(self.subject.id, Decimal(0))
        cap = self.rule.bonus_cap
        if cap is None or asked <= cap:
            return asked
        line = Text("加分 {a} 超过上限,按 {c} 计", "Bonus {a} exceeds the cap, counted as {c}")
        self.step(
            "bonus_cap",
            line.format(a=plain(asked), c=plain(cap)),
            {"asked": plain(asked), "cap": plain(cap)},
            Fraction(cap),
        )
        return cap

    def _total(
        self, stages: dict[str, StageScore], adjust: Decimal
    ) -> tuple[Decimal | None, Fraction | None, Text | None]:
        reasons = [stage.reason for stage in stages.values() if stage.reason is not None]
        if reasons:
            zh, en = "".join(r.zh for r in reasons), " ".join(r.en for r in reasons)
            return None, None, Text(zh, en)
        parts = [s.contribution for s in stages.values() if s.contribution is not None]
        exact, places = sum(parts, Fraction(0)), self.rule.rounding["total"]
        total = at_stage(exact, places)
        joined = " + ".join(shown(part) for part in parts)
        tail = rounded_text(exact, places)
        head = (
            Text("总分:", "Total: ")
            if len(parts) == 1
            else Text(f"总分:{joined} = ", f"Total: {joined} = ")
        )
        self.step(
            "sum",
            Text(head.zh + tail.zh, head.en + tail.en),
            {"terms": [exact_text(part) for part in parts], "places": places},
            total,
        )
        if adjust:
            final = total + Fraction(adjust)
            sign = "+" if adjust > 0 else "−"
            line = f"{shown(total)} {sign} {plain(abs(adjust))} = {shown(final)}"
            self.step(
                "adjust",
                Text(f"加减分:{line}", f"Adjustment: {line}"),
                {"total": exact_text(total), "adjust": plain(adjust)},
                final,
            )
            total = final
        published = to_decimal(total) if places is None else half_up(total, places)
        return published, exact + Fraction(adjust), None
