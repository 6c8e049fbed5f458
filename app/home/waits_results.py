"""What waits after a run: explanations, decisions on flags, a release to confirm, a released result."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.aggregation import flags_read, releases
from app.domain.types import Text
from app.home.wait import Wait


def expert_flag_waits(session: Session, viewer: Viewer) -> list[Wait]:
    """An expert's own marks that he is asked to explain."""
    text = Text("条评分提示请您书面说明", "flags of your own marks ask for an explanation")
    return [
        Wait(text, "aggregation.own_flags", {"slug": round_.slug}, round_, n)
        for round_, n in flags_read.to_explain(session, viewer)
    ]


def flag_waits(session: Session) -> list[Wait]:
    """Amber and red flags on which no supervisor has decided."""
    text = Text("条评分提示待您决定", "flags await your decision")
    return [
        Wait(text, "aggregation.flags_of_run", {"slug": round_.slug, "number": number}, round_, n)
        for round_, number, n in flags_read.to_decide(session)
    ]


def release_waits(session: Session, viewer: Viewer) -> list[Wait]:
    """A proposed release of the latest run, for everybody who may confirm it."""
    text = Text("向区县发布结果待您确认", "A release to the counties waits for your confirmation")
    return [
        Wait(text, "aggregation.release", {"slug": round_.slug, "number": number}, round_)
        for round_, number in releases.to_confirm(session, viewer)
    ]


def presenter_result_waits(session: Session, viewer: Viewer) -> list[Wait]:
    """A presenter's own result, once it is released."""
    text = Text("本县评审结果已发布", "The result of your county is released")
    return [
        Wait(text, "aggregation.county_result", {"slug": round_.slug}, round_)
        for round_ in releases.seen_rounds(session, viewer)
    ]
