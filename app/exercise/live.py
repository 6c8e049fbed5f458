"""A second, live round: one thing waits in it for each role, so that every page has work on it.

The office has a figure to confirm, the keeper a candidate to screen, the supervisor a commitment to
cosign, the experts a sheet to score, a presenter a statement to confirm, the administrator a form
version to sign. Who sat in the exercise is kept off by rotation (rule D-15).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.directory import queries as directory_queries
from app.exercise import ceremony, sittings
from app.exercise.county import SOURCE, YEAR
from app.exercise.crew import Stage
from app.exercise.opening import enter_figures, make_round, pairs, qualify, round_of
from app.exercise.pool import INVENTED, Cases
from app.programme import operations as programme
from app.programme.models import FormVersion
from app.registry import operations as registry

SLUG = "bj2012-live"
TITLE_ZH = "演练：进行中的一届（六区县，各角色均有待办）"
TITLE_EN = "Exercise: a live round (six districts, something waits for each role)"
SCORED, SPEAKING = "110101", "110108"
REVISED = "bj12-material"
UNCONFIRMED = "idle_ha"
_NOTE = (
    "note:\n  zh: 演练修订：增加本说明，待系统管理员确认。\n"
    "  en: 'Exercise revision: this note was added; an administrator has to confirm it.'\n"
)


@dataclass(frozen=True)
class Live:
    """The live round: who has something to score or to confirm, and the codes of its open draw."""

    round_id: str
    experts: tuple[Viewer, ...]
    presenter: Viewer
    draw_id: str
    codes: dict[str, str]


def play(stage: Stage) -> Live:
    """Make the round and leave it with its six things to do."""
    _revise_form(stage)
    stage.step("live round: a form version waits for the administrator")
    round_id = make_round(stage, SLUG, TITLE_ZH, TITLE_EN, days=1)
    enter_figures(stage, SLUG)
    qualify(stage, SLUG)
    _change_one_figure(stage)
    stage.step("live round: opened, qualified; a figure waits for the second clerk")
    experts = _site_under_way(stage)
    stage.step("live round: a sheet waits for each expert, a statement for a presenter")
    draw_id = ceremony.ask(stage, SLUG, "desk", fixed="live-desk")
    ceremony.commit(stage, draw_id)
    stage.step("live round: a commitment waits for the supervisor")
    _candidate(stage)
    stage.step("live round: a candidate waits for the keeper")
    codes = {party: ceremony.code(SLUG, "desk", party) for party in ceremony.PARTIES}
    return Live(round_id, experts, stage.crew.presenter(SPEAKING), draw_id, codes)


def _revise_form(stage: Stage) -> None:
    """A new version of one form of the scheme; the live round fixes it, nobody has signed it."""
    with stage.write() as session:
        query = select(FormVersion).where(FormVersion.form_id == REVISED)
        source = session.scalars(query).one().source
        changed = source.replace("kind: check\n", "kind: check\n" + _NOTE, 1)
        programme.add_form_version(session, stage.crew["office"], changed)


def _change_one_figure(stage: Stage) -> None:
    """A correction by one clerk, which the other has to confirm."""
    with stage.write() as session:
        subject = next(s for s, d in pairs(stage, round_of(session, SLUG)) if d.code == SPEAKING)
        programme.enter_figure(
            session, stage.crew["office2"], subject, UNCONFIRMED, "47.5", "", YEAR, SOURCE
        )


def _site_under_way(stage: Stage) -> tuple[Viewer, ...]:
    """A site panel on two counties: one is being scored, in the other a statement is open."""
    draw_id = ceremony.ask(stage, SLUG, "site", (SCORED, SPEAKING), fixed="live-site")
    ceremony.commit(stage, draw_id)
    ceremony.perform(stage, draw_id, SLUG, "site", "live-site")
    ceremony.call_everybody(stage, draw_id)
    (panel_id,) = sittings.form(stage, draw_id)
    with stage.write() as session:
        ids = {s.subject.region_code: s.id for s in sittings.sittings_of(session, panel_id)}
        seated = [seat.expert_id for seat in ceremony.active_seats(session, draw_id)]
    for sitting_id in ids.values():
        sittings.gather(stage, sitting_id)
    sittings.speak(stage, ids[SCORED])
    sittings.unlock(stage, ids[SCORED])
    sittings.speak(stage, ids[SPEAKING], confirm=False)
    return tuple(stage.crew.experts[expert_id] for expert_id in seated)


def _candidate(stage: Stage) -> None:
    """Nominated and consenting, passed by one reviewer: the other keeper's decision is awaited."""
    with stage.write() as session:
        cases = _cases(session, stage)
        expert = cases.nominee(INVENTED)
        registry.screen(
            session, stage.crew["keeper2"], expert=expert, decision="pass",
            reason="演练：材料齐全，符合入库条件。",
        )  # fmt: skip


def _cases(session: Session, stage: Stage) -> Cases:
    return Cases(
        session,
        stage.crew,
        clock.today(stage.parts.settings.timezone),
        directory_queries.organisations_by_key(session),
        number=stage.reserved + 990,
    )
