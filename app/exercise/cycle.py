"""The whole cycle of the exercise, from an empty installation to the printed rating report."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.accounts.models import Account
from app.accounts.viewer import Viewer
from app.aggregation import operations as aggregation
from app.draw import ceremony as drawn
from app.exercise import ceremony, device, live, opening, paper, pool, registers, results, sittings
from app.exercise.crew import STAFF, Crew, Stage, hire, one_time_link
from app.installation import Installation
from app.programme.operations import load_forms

SLUG = "bj2012-exercise"
TITLE_ZH = "演练：北京市第二届国土资源节约集约模范县（市）评选"
TITLE_EN = "Exercise: Beijing, second selection of model counties (notice of 2012)"
STAGES = ("desk", "site")
UNSIGNED = "expert-duty"


@dataclass
class Exercise:
    """What the exercise made: ids, files, and how to sign in."""

    round_id: str = ""
    draws: dict[str, str] = field(default_factory=dict)
    panels: dict[str, str] = field(default_factory=dict)
    run_id: str = ""
    report_id: str = ""
    live: live.Live | None = None
    report_zh: Path = Path()
    report_en: Path = Path()
    transcripts: dict[str, Path] = field(default_factory=dict)
    logins: list[tuple[str, str, str]] = field(default_factory=list)  # login, role, whose
    links: list[tuple[str, str]] = field(default_factory=list)  # whose, one-time URL


def build_exercise(parts: Installation, say: Callable[[str], object] = print) -> Exercise:
    """Play the exercise on a fresh installation with its schema. One line a step to `say`, with the
    seconds that the step took. Raises whatever a room refuses: nothing is worked around."""
    clock = [time.perf_counter()]

    def step(text: str) -> None:
        now = time.perf_counter()
        say(f"{now - clock[0]:6.1f} s  {text}")
        clock[0] = now

    stage = Stage(parts, Crew(), step)
    made = Exercise()
    _prepare(stage, made)
    for kind in STAGES:
        _review(stage, made, kind)
    with stage.write() as session:
        run = aggregation.run(session, stage.crew["office"], round=opening.round_of(session, SLUG))
        made.run_id = run.id
    step("aggregated: trimmed means, agreement, ranks")
    decided = results.answer_flags(stage, SLUG)
    step(f"the expert who stands apart explained, {decided} flags decided")
    made.report_id = paper.write_report(stage, SLUG)
    made.report_zh, made.report_en = paper.print_report(stage, made.report_id)
    step("rating report signed by all, one dissent in writing, and printed")
    results.release(stage, SLUG)
    step("results released: each county reads its own")
    made.live = live.play(stage)
    with stage.write() as session:
        device.retire(session, stage.crew["supervisor"])
    sign_in(stage, made, made.live.experts, made.live.presenter)
    step("accounts and one-time links")
    return made


def _prepare(stage: Stage, made: Exercise) -> None:
    hire(stage)
    with stage.write() as session:
        load_forms(session, None)
    stage.step("staff, presenters, forms of the library")
    pool.load_directory(stage)
    stage.step("regions and employers")
    ordinary = pool.import_ordinary(stage)
    special = pool.add_special_cases(stage) + registers.fill(stage)
    stage.step(f"pool of {ordinary + special} invented experts, screened")
    stated = registers.state_ties(stage)
    stage.step(f"heads, contractors and a supervising body; {stated} statements on ties")
    opening.sign_forms(stage, leave=UNSIGNED)
    made.round_id = opening.make_round(stage, SLUG, TITLE_ZH, TITLE_EN, days=0)
    filed = opening.file_materials(stage, SLUG)
    stage.step(f"round {SLUG} opened, {filed} materials filed")
    figures = opening.enter_figures(stage, SLUG)
    passed = opening.qualify(stage, SLUG)
    stage.step(f"{figures} figures entered and confirmed, {passed} counties qualified")


def _review(stage: Stage, made: Exercise, kind: str) -> None:
    """Draw, panel and sittings of one stage; each has one of the things that go wrong in life."""
    draw_id = made.draws[kind] = ceremony.ask(stage, SLUG, kind, fixed=kind)
    ceremony.commit(stage, draw_id)
    ceremony.perform(stage, draw_id, SLUG, kind, kind)
    if kind == "desk":
        ceremony.call_everybody(stage, draw_id, declines=4)
        ceremony.replace_seat(stage, draw_id, SLUG, kind, 4)
    ceremony.call_everybody(stage, draw_id)
    made.transcripts[kind] = transcript(stage, draw_id, kind)
    stage.step(f"{kind} panel drawn by dice and codes" + ", one member replaced" * (kind == "desk"))
    (panel_id,) = sittings.form(stage, draw_id)
    made.panels[kind] = panel_id
    with stage.write() as session:
        ids = [sitting.id for sitting in sittings.sittings_of(session, panel_id)]
    sealed = 0
    for place, sitting_id in enumerate(ids):
        sittings.gather(stage, sitting_id)
        if kind == "site":
            sittings.speak(stage, sitting_id, challenged=place == 1)
        sittings.unlock(stage, sitting_id)
        sealed += sittings.score(
            stage, sitting_id,
            corrects=2 if (kind, place) == ("desk", 1) else None,
            recused=3 if (kind, place) == ("desk", 2) else None,
            absent=5 if (kind, place) == ("site", 3) else None,
            outlier=6 if (kind, place) == ("desk", 4) else None,
        )  # fmt: skip
    stage.step(f"{kind} stage: {len(ids)} sittings, {sealed} sheets sealed")


def transcript(stage: Stage, draw_id: str, kind: str) -> Path:
    """A copy of the draw's transcript under a name that says what it is."""
    settings = stage.parts.settings
    with stage.parts.database.read() as session:
        digest = str(ceremony.draw_of(session, draw_id).transcript_sha256)
    target = settings.home / f"transcript-{kind}.zip"
    shutil.copyfile(drawn.transcript_path(settings, digest), target)
    return target


def sign_in(stage: Stage, made: Exercise, experts: Sequence[Viewer], presenter: Viewer) -> None:
    """Logins of the staff, of two experts and of a presenter; one-time links of two more and of him."""
    made.logins = [(login, role, name) for login, role, name in STAFF]
    for viewer in (*experts[:2], presenter):
        made.logins.append((_login(stage, viewer), viewer.role, viewer.name))
    for viewer in (*experts[2:4], presenter):
        made.links.append((f"{viewer.role} {viewer.name}", one_time_link(stage, viewer)))


def _login(stage: Stage, viewer: Viewer) -> str:
    with stage.parts.database.read() as session:
        return str(session.get_one(Account, viewer.id).login)
