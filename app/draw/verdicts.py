"""What the rules say about one expert, panel by panel: each panel judged on its own first day.

"Why is this expert not eligible?" asks here and in `queries.why` (docs/draw-protocol.md section 8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.domain.draw.eligibility import Explanation, Outcome, evaluate
from app.domain.types import Text
from app.draw.disclosure import OVERSEERS
from app.draw.facts import Facts, Tree, draw_kind, subject_facts
from app.draw.models import Draw
from app.draw.pool import by_days
from app.programme.queries import rules_of
from app.registry.models import Expert

_STRONGEST: tuple[Outcome, ...] = ("block", "warn", "not_computed", "info", "pass", "off")


@dataclass(frozen=True)
class PanelVerdict:
    """One panel of a draw: may the expert sit, and by which rules not."""

    panel: str
    counties: list[Text]
    days: tuple[date, ...]
    rules: list[str]


def verdicts(session: Session, viewer: Viewer, draw: Draw, expert: Expert) -> list[PanelVerdict]:
    """Panel by panel, by today's facts: an expert kept off one panel may sit on another."""
    viewer.require(*OVERSEERS)
    round_, tree = draw.round, Tree(session)
    read = Facts(
        session, kind=draw_kind(round_), tree=tree, experts={expert.id: expert}, besides={draw.id}
    )
    subjects = {s.id: s for s in round_.subjects}
    rules = rules_of(round_)
    out: dict[str, PanelVerdict] = {}
    for days, panels in by_days(draw.request, round_.review_on):
        facts = read.on(days[0])[expert.id]
        known = {s.code: s for s in subject_facts(session, round_, tree=tree, days=days)}
        for panel in panels:
            rows = [subjects[key] for key in panel["subjects"]]
            verdict = evaluate(facts, [known[s.region_code] for s in rows], rules, days[0])
            blocked = {finding.rule_id for finding in verdict.blocks}
            names = [rule.id for rule in rules if rule.id in blocked]
            out[panel["id"]] = PanelVerdict(panel["id"], [s.name for s in rows], days, names)
    return [out[panel["id"]] for panel in draw.request["panels"]]


def strongest(answers: Sequence[Explanation]) -> Explanation:
    """What one rule says for panels on different days: its strongest outcome, each reason once."""
    worst = min(answers, key=lambda answer: _STRONGEST.index(answer.outcome))
    said = list(dict.fromkeys(a.reason for a in answers if a.outcome == worst.outcome))
    return replace(
        worst,
        reason=Text("；".join(r.zh for r in said), "; ".join(r.en for r in said)),
        findings=tuple(f for a in answers for f in a.findings),
        lacks=tuple(dict.fromkeys(lack for a in answers for lack in a.lacks)),
    )
