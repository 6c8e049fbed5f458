"""The exercise at the size of the country: 148 counties by the ladder of 2015, 2,000 experts, one
draw of 30 panels for each stage, every sheet sealed, one run, one report.

The same steps as the small exercise (`cycle`), by the same operations with their ledger entries;
what one file can bring in (experts, figures) comes in by file. Times of the stages are kept.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from app import clock
from app.aggregation import operations as aggregation
from app.documents.sheets import Sheet, write_xlsx
from app.domain.types import Text
from app.exercise import (
    ceremony,
    cycle,
    device,
    nation,
    opening,
    paper,
    people,
    pool,
    registers,
    results,
    sittings,
)
from app.exercise.county import SOURCE
from app.exercise.crew import Crew, Stage, hire
from app.exercise.cycle import STAGES, Exercise
from app.exercise.watching import Bars
from app.installation import Installation
from app.programme import operations as programme
from app.programme.figure_import import COLUMNS

COUNTIES, EXPERTS, PANELS = 148, 2000, 30
LEAST_COUNTIES, LEAST_EXPERTS, LEAST_PANELS = 6, 60, 2
SLUG = "national-exercise"
TITLE_ZH = "演练：全国规模的模范县（市）评选"
TITLE_EN = "Exercise: selection of model counties at national scale"
YEAR = 2014
RESERVED, FIRST_HEAD = 9_000, 8_000  # numbers of invented names beyond those of the experts
PORTION, COUNTIES_A_FILE = 200, 25  # experts, and counties, of one import file
STRIDE = 37  # employers from one expert to the next: a small pool too has every kind of source
WORDS = {
    "basis": nation.NOTE.zh,
    "procedure": (
        "两个阶段各由创建办公室和监督人员在系统中一次抽取全部评审组：先公布承诺，再录入预先印好的骰子点数并出示口令。"
        "全体成员在接触材料前签署了回避和保密承诺书。"
    ),
    "qualification": "各部门意见均为通过。意见系演练，与任何区县实际情况无关。",
    "materials": "各评审组审阅申报材料和数据。个别专家主动回避，或更正了已封存的评分表，原表保留。",
    "site": (
        "各区县的代表均作了现场陈述并回答质询，记录由陈述人确认。个别专家未参加一个区县的评分，"
        "该席位不计分，也不按零分处理。"
    ),
    "scores": "各阶段去极值后平均，与第三方公众评价按方案的权重合成总分，在地区类别内排序。",
    "achievements": "演练：存量用地开发、闲置土地处置和矿山修复形成了可以推广的流程。",
    "problems": "演练：部分数据台账页码与申报材料不一致，建议统一数据口径。",
}  # fmt: skip


@dataclass
class National(Exercise):
    """What the national exercise made, and how many seconds each of its stages took."""

    counties: int = 0
    seats: int = 0
    sealed: int = 0
    times: list[tuple[str, float]] = field(default_factory=list)


def sized(counties: int) -> tuple[int, int]:
    """Experts and panels for so many counties: in proportion, but never fewer than a draw needs."""
    experts = EXPERTS * counties // COUNTIES
    return max(LEAST_EXPERTS, experts), max(LEAST_PANELS, PANELS * counties // COUNTIES)


def build_national(
    parts: Installation,
    say: Callable[[str], object],
    bars: Bars,
    *,
    counties: int = COUNTIES,
    experts: int = EXPERTS,
    panels: int = PANELS,
) -> National:
    """Play it on a fresh installation with its schema: one line a stage to `say`, progress to
    `bars`. Raises whatever a room refuses."""
    made = National(counties=counties)
    began = [time.perf_counter()]

    def step(text: str) -> None:
        now = time.perf_counter()
        made.times.append((text, now - began[0]))
        bars.clear()
        say(f"{now - began[0]:6.1f} s  {text}")
        began[0] = now

    found = nation.districts(counties)
    stage = Stage(parts, Crew(), step, found, RESERVED, bars.each)
    _prepare(stage, made, experts)
    for kind in STAGES:
        _review(stage, made, kind, nation.batches(found, panels), bars)
    _report(stage, made, bars)
    with stage.write() as session:
        device.retire(session, stage.crew["supervisor"])
    seated = list(stage.crew.experts.values())
    cycle.sign_in(stage, made, seated, stage.crew.presenter(found[0].code))
    step("accounts and one-time links")
    return made


def _prepare(stage: Stage, made: National, experts: int) -> None:
    hire(stage)
    with stage.write() as session:
        programme.load_forms(session, None)
    stage.step(f"staff, {made.counties} presenters, forms of the library")
    pool.load_directory(stage, bureau=False)
    stage.step("regions and employers")
    special = pool.add_special_cases(stage, rules=_about_the_person)
    special += registers.fill(
        stage, first_name=FIRST_HEAD, posts=("县（市、区）长", "自然资源局局长"), worked_in={}
    )
    today = clock.today(stage.parts.settings.timezone)
    others = people.ordinary(today, experts - special, STRIDE)
    files = [others[n : n + PORTION] for n in range(0, len(others), PORTION)]
    entered = sum(pool.import_ordinary(stage, file) for file in stage.each("expert files", files))
    stage.step(f"pool of {special + entered} invented experts, screened")
    stated = registers.state_ties(stage)
    stage.step(f"{stated} statements on ties")
    opening.sign_forms(stage)
    made.round_id = opening.make_round(
        stage, SLUG, TITLE_ZH, TITLE_EN, days=0, scheme=nation.SCHEME, note=nation.NOTE,
        class_basis=nation.CLASS_BASIS,
    )  # fmt: skip
    stage.step(f"round {SLUG} opened with {made.counties} counties")
    filed = opening.file_materials(stage, SLUG)
    stage.step(f"{filed} materials written and filed")
    _import_figures(stage)
    figures = opening.confirm_figures(stage, SLUG)
    stage.step(f"{figures} figures imported and confirmed")
    stage.step(f"{opening.qualify(stage, SLUG)} counties qualified")


def _about_the_person(rule: str) -> bool:
    """Special cases that need neither the Beijing bureau nor one of its districts."""
    return rule.startswith(("P-", "D-")) or rule == "C-06"


def _import_figures(stage: Stage) -> None:
    found = stage.districts
    files = [found[n : n + COUNTIES_A_FILE] for n in range(0, len(found), COUNTIES_A_FILE)]
    for number, portion in enumerate(stage.each("figure files", files), 1):
        file = io.BytesIO()
        rows = [
            (district.code, key, value, "", str(YEAR), SOURCE)
            for district in portion
            for key, value in district.figures.items()
        ]
        write_xlsx(file, [Sheet("figures", tuple(COLUMNS), rows)])
        with stage.write() as session:
            programme.import_figures(
                session, stage.crew["office"], opening.round_of(session, SLUG), file.getvalue(),
                f"yanlian-figures-{number}.xlsx",
            )  # fmt: skip


def _review(stage: Stage, made: National, kind: str, batch: list[list[str]], bars: Bars) -> None:
    """One draw of all panels, their declarations, and every sitting of a stage.

    The few planners of the ministry's units sit with a chance near 0.4; counted in the 200 drill
    draws of so large a batch, one of them may appear above one half, so the reason stands ready.
    """
    draw_id = made.draws[kind] = ceremony.ask(
        stage, SLUG, kind, fixed=f"national-{kind}", batch=batch,
        accept_high="small_pool" if made.counties < COUNTIES else "rare_specialty",
    )  # fmt: skip

    def tell(text: Text, done: float | None = None) -> None:
        bars.begin() if done is None else bars.show(text.en, round(done * 100), 100)

    ceremony.commit(stage, draw_id, tell)
    stage.step(f"{kind}: draw of {len(batch)} panels committed")
    ceremony.perform(stage, draw_id, SLUG, kind, f"national-{kind}")
    ceremony.call_everybody(stage, draw_id)
    made.transcripts[kind] = cycle.transcript(stage, draw_id, kind)
    with stage.parts.database.read() as session:
        seats = len(ceremony.active_seats(session, draw_id))
    made.seats += seats
    stage.step(f"{kind}: {seats} seats drawn by printed dice and codes, called, confirmed")
    panel_ids = sittings.form(stage, draw_id)
    made.panels[kind] = panel_ids[0]
    with stage.parts.database.read() as session:
        ids = [
            (row.id, row.subject.region_code)
            for panel in panel_ids
            for row in sittings.sittings_of(session, panel)
        ]
    best = max(stage.districts, key=lambda district: district.quality).code
    stage.step(f"{kind}: {len(panel_ids)} panels formed, declarations signed")
    sealed = 0
    for place, (sitting_id, code) in enumerate(stage.each(f"{kind} sittings", ids)):
        sittings.gather(stage, sitting_id)
        if kind == "site":
            sittings.speak(stage, sitting_id, challenged=place == 1)
        sittings.unlock(stage, sitting_id)
        sealed += sittings.score(
            stage, sitting_id,
            corrects=2 if (kind, place) == ("desk", 1) else None,
            recused=3 if (kind, place) == ("desk", 2) else None,
            absent=5 if (kind, place) == ("site", 3) else None,
            outlier=6 if (kind, code) == ("desk", best) else None,
        )  # fmt: skip
    made.sealed += sealed
    stage.step(f"{kind}: {len(ids)} sittings, {sealed} sheets sealed")


def _report(stage: Stage, made: National, bars: Bars) -> None:
    with stage.write() as session:
        run = aggregation.run(session, stage.crew["office"], round=opening.round_of(session, SLUG))
        made.run_id = run.id
    stage.step("aggregated: trimmed means, agreement, ranks")
    stage.step(f"{results.answer_flags(stage, SLUG)} flags decided")
    made.report_id = paper.write_report(stage, SLUG, WORDS)
    stage.step("rating report written and signed by all")
    bars.begin()
    made.report_zh, made.report_en = paper.print_report(
        stage, made.report_id, lambda done, total: bars.show("parts of the reports", done, total)
    )
    stage.step("rating report printed in Chinese and in English")
    results.release(stage, SLUG)
    stage.step("results released: each county reads its own")
