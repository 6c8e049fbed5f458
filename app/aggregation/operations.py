"""Computing a run: once, kept whole, never changed (S0 art. 16(5)).

The ledger receives digests only. A later run must differ from the one before, and says what changed
and why.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.aggregation import corrections, queries
from app.aggregation.flags import keep_flags
from app.aggregation.frames import refrozen_since
from app.aggregation.inputs import collect, same_inputs
from app.aggregation.models import Run
from app.aggregation.models_corrections import MarkCorrection
from app.aggregation.results import compute, differences
from app.domain.ledger.canonical import digest
from app.domain.types import DomainError, NotNow, Text
from app.ledger.append import append
from app.programme.models import Round
from app.programme.scheme import score_rule_of
from app.scoring import reentries

_SAME = Text(
    "与第 {n} 次汇总的输入完全相同，没有新的结果。没有任何改动。",
    "The inputs are those of run {n}, so there is nothing new to compute. Nothing was changed.",
)
_WHY = Text(
    "请写明为什么重新汇总（至少 5 个字）。自上次以来的变化：{changes}。没有任何改动。",
    "Say why it is computed again (5 characters or more). Changed since: {changes}. Nothing was "
    "changed.",
)
_OTHER_RULE = Text(
    "本届的计分规则与开启时公布的摘要不符。没有汇总；请联系系统管理员。",
    "The round's score rule does not fit the digest published at its opening. Nothing was computed; "
    "tell the administrator.",
)


def run(session: Session, actor: Viewer | None, *, round: Round, note: str = "") -> Run:
    """Collect, compute and keep one run. Conflict or DomainError naming what is missing; from the
    second run on `note` is required, and a confirmed correction of every county whose marks differ."""
    if actor:
        actor.require("office")
    rule = score_rule_of(round)
    if rule.digest() != round.score_rule_digest:
        raise NotNow(_OTHER_RULE)
    reentries.none_waiting(session, round_id=round.id)
    inputs = collect(session, round)
    before = queries.last_run(session, round)
    used: list[MarkCorrection] = []
    causes: list[dict[str, Any]] = []
    said = len(note.strip()) >= 5
    if before is not None:
        if same_inputs(before.inputs, inputs):
            raise NotNow(_SAME.format(n=before.number))
        if said:
            used, causes = corrections.taken(session, round, before.inputs, inputs)
    results = compute(rule, inputs)
    changes: list[Text] = []
    if before is not None:
        changes = differences(before.inputs, before.results, inputs, results)
        if not said:
            listed = Text("；".join(c.zh for c in changes), "; ".join(c.en for c in changes))
            raise DomainError(_WHY.format(changes=listed), field="note")
        results["refrozen"] = refrozen_since(before.inputs, inputs)
    if causes:
        results["corrections"] = causes
    results["changes"] = [{"zh": c.zh, "en": c.en} for c in changes]
    made = Run(
        round=round,
        round_id=round.id,
        number=before.number + 1 if before else 1,
        rule=rule.to_json(),
        rule_digest=rule.digest(),
        inputs=inputs,
        inputs_digest=digest(inputs),
        results=results,
        results_digest=digest(results),
        note=note.strip(),
        made_by=actor.id if actor else None,
        made_at=clock.now(),
    )
    session.add(made)
    session.flush()
    for row in used:
        row.used_run_id = made.id
    keep_flags(session, made)
    taken: dict[str, Any] = {"corrections": [row.id for row in used]} if used else {}
    append(
        session,
        actor,
        "run.made",
        round=round.id,
        run=made.id,
        number=made.number,
        rule=made.rule_digest,
        inputs=made.inputs_digest,
        results=made.results_digest,
        **taken,
    )
    return made
