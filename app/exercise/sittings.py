"""Panels at work in the exercise: declarations, statements, unified scoring, sealing."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import Account
from app.domain.scoring.sheets import sheet_items
from app.draw.models import Seat
from app.exercise import marks
from app.exercise.ceremony import active_seats, draw_of
from app.exercise.county import District, outline, questions
from app.exercise.crew import Crew, Stage, enlist
from app.panel import operations as panels
from app.panel.declarations import CONFLICTS
from app.panel.models import Panel, Sitting
from app.scoring import operations as scoring
from app.scoring.models import Filled, Sheet

PLACES = {"desk": "演练评审室（虚构）", "site": "演练现场会议室（虚构）"}
POST = "演练陈述人（虚构职务）"


def form(stage: Stage, draw_id: str) -> list[str]:
    """Panels of a completed draw: accounts, leader, recorder, both declarations of everybody; ids."""
    crew = stage.crew
    with stage.write() as session:
        draw = draw_of(session, draw_id)
        made = panels.form_panels(session, crew["office"], draw=draw)
        for panel in stage.each("panels formed, declarations signed", made):
            _declare(session, crew, panel)
        return [panel.id for panel in made]


def _declare(session: Session, crew: Crew, panel: Panel) -> None:
    seats = active_seats(session, panel.draw_id, panel.code)
    panels.set_leader(session, crew["office"], panel=panel, seat=seats[0])
    recorder = session.get_one(Account, crew["office2"].id)
    panels.set_recorder(session, crew["office"], panel=panel, account=recorder)
    for seat in seats:
        viewer = enlist(session, crew, seat.expert)
        for kind, answers in (("conflict", dict.fromkeys(CONFLICTS, False)), ("secrecy", {})):
            panels.sign_declaration(
                session, viewer, panel=panel, kind=kind, answers=answers,
                signed_name=viewer.name,
            )  # fmt: skip


def sittings_of(session: Session, panel_id: str) -> list[Sitting]:
    """The sittings of a panel in order."""
    query = select(Sitting).where(Sitting.panel_id == panel_id).order_by(Sitting.position)
    return list(session.scalars(query))


def district_of(stage: Stage, sitting: Sitting) -> District:
    """What the exercise invents about the sitting's county."""
    return stage.by_code[sitting.subject.region_code]


def seats_of(session: Session, sitting: Sitting) -> list[Seat]:
    """The active seats of the sitting's panel."""
    return active_seats(session, sitting.panel.draw_id, sitting.panel.code)


def gather(stage: Stage, sitting_id: str) -> None:
    """Open the sitting; everybody signs in."""
    with stage.write() as session:
        sitting = session.get_one(Sitting, sitting_id)
        office = stage.crew["office"]
        on = sitting.panel.round.review_on
        panels.schedule(session, office, sitting=sitting, on=on, place=PLACES[sitting.panel.stage])
        panels.open_sitting(session, office, sitting=sitting)
        for seat in seats_of(session, sitting):
            panels.sign_in(session, stage.crew.experts[seat.expert_id], sitting=sitting, seat=seat)


def speak(stage: Stage, sitting_id: str, *, challenged: bool = False, confirm: bool = True) -> None:
    """The statement: outline by the presenter, questions by the recorder, confirmed, closed.

    With `challenged` the county asks that one expert stand aside and the office declines. Without
    `confirm` it stays open and waits for the presenter.
    """
    crew = stage.crew
    with stage.write() as session:
        sitting = session.get_one(Sitting, sitting_id)
        district = district_of(stage, sitting)
        presenter = crew.presenter(district.code)
        panels.open_statement(
            session, crew["office"], sitting=sitting, presenter_name=presenter.name,
            presenter_post=POST, proxy=f"演练委托书{district.code}",
        )  # fmt: skip
        session.expire(sitting, ["statement"])
        panels.record_statement(
            session,
            presenter,
            sitting=sitting,
            outline=outline(district),
            questions=None,
            version=1,
        )
        panels.record_statement(
            session, crew["office2"], sitting=sitting, outline=outline(district),
            questions=questions(district), version=2,
        )  # fmt: skip
        if challenged:
            seat = seats_of(session, sitting)[-1]
            asked = panels.challenge(
                session, presenter, sitting=sitting, seat=seat,
                reason="演练：该专家曾公开评论本区规划，申请回避。",
            )  # fmt: skip
            panels.record_answer(
                session, crew["office"], challenge=asked,
                answer="演练：本人评论的是公开发表的规划方案，与该区没有利害关系。",
            )  # fmt: skip
            panels.decide_challenge(
                session, crew["supervisor"], challenge=asked, upheld=False,
                reason="演练：公开发表的学术意见不属于回避情形，予以驳回。",
            )  # fmt: skip
        if confirm:
            panels.confirm_statement(session, presenter, sitting=sitting, version=3)
            panels.close_statement(session, crew["office"], sitting=sitting)


def unlock(stage: Stage, sitting_id: str) -> None:
    """Scoring opens for all members at once."""
    with stage.write() as session:
        sitting = session.get_one(Sitting, sitting_id)
        panels.open_scoring(session, stage.crew["office"], sitting=sitting)


def fill(stage: Stage, session: Session, sitting: Sitting, seat: Seat, *, lift: str = "") -> Sheet:
    """One expert's sheet, saved in two goes and sealed. `lift` replaces the county's quality."""
    viewer = stage.crew.experts[seat.expert_id]
    sheet = scoring.start_sheet(session, viewer, sitting=sitting)
    _fill(stage, session, sheet, lift=lift)
    return sheet


def _fill(stage: Stage, session: Session, sheet: Filled, *, lift: str = "") -> None:
    seat, district = sheet.seat, district_of(stage, sheet.sitting)
    viewer = stage.crew.experts[seat.expert_id]
    quality = Decimal(lift) if lift else district.quality
    typed = marks.changes(sheet_items(sheet.instrument), seat.expert.number, district.code, quality)
    parts = sorted(typed)
    for half in (parts[: len(parts) // 2], parts[len(parts) // 2 :]):
        scoring.save_draft(
            session, viewer, sheet=sheet, changes={name: typed[name] for name in half},
            version=sheet.version,
        )  # fmt: skip
    scoring.seal(session, viewer, sheet=sheet, version=sheet.version, signed_name=viewer.name)


def score(
    stage: Stage,
    sitting_id: str,
    *,
    recused: int | None = None,
    absent: int | None = None,
    outlier: int | None = None,
    corrects: int | None = None,
) -> int:
    """Everybody marks the county; seat numbers say who stands aside, is absent, marks far from the
    others, or corrects his sealed sheet. Closes the sitting; how many sheets were sealed."""
    sealed = 0
    with stage.write() as session:
        sitting = session.get_one(Sitting, sitting_id)
        for seat in seats_of(session, sitting):
            viewer = stage.crew.experts[seat.expert_id]
            if seat.number == recused:
                scoring.recuse(
                    session, viewer, sitting=sitting,
                    reason="演练：会前发现曾为该区一项规划提供咨询，主动回避。",
                )  # fmt: skip
            elif seat.number == absent:
                scoring.mark_absent(
                    session, stage.crew["office"], sitting=sitting, seat=seat,
                    reason="演练：途中身体不适，未参加该区评分。",
                )  # fmt: skip
            else:
                sheet = fill(
                    stage, session, sitting, seat, lift="0.55" if seat.number == outlier else ""
                )
                sealed += 1
                if seat.number == corrects:
                    again = scoring.correct(
                        session, viewer, sheet=sheet, reason="演练：第一版看错一页台账，更正。"
                    )
                    _fill(
                        stage,
                        session,
                        again,
                        lift=str(district_of(stage, sitting).quality + marks.NOISE / 3),
                    )
        scoring.close_scoring(session, stage.crew["office"], sitting=sitting)
    return sealed
