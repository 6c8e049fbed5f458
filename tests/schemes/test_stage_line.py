"""The line of stages: only those that a scheme has, and none under way that is over."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from app.home.queries import stage_line
from app.ledger.append import append
from app.panel.models import Sitting
from app.programme import operations as programme
from app.scoring.models import Sheet
from tests.conftest import Make
from tests.schemes.builders import off, sit, small


def line(app: Any, session: Any, viewer: Any, round_: Any) -> list[tuple[str, str, str]]:
    """(English word, count, state) of each stage shown."""
    session.flush()
    session.expire_all()
    with app.test_request_context():
        shown = stage_line(session, viewer, round_)
    return [(stage["text"].en, stage["count"], stage["state"]) for stage in shown]


WHOLE = [
    "Declare", "Qualify", "Draw", "Desk review", "Site", "Statement", "Aggregate", "Report", "Release",
]  # fmt: skip


@pytest.mark.parametrize(
    ("scheme", "shown"),
    [
        ("luohe-2010", ["Declare", "Draw", "Review", "Aggregate", "Report", "Release"]),
        ("beijing-2012-2nd", WHOLE),
    ],
)
def test_a_round_shows_the_stages_of_its_scheme(
    app: Any, session: Any, make: Make, scheme: str, shown: list[str]
) -> None:
    office = make.viewer(session, "office")
    programme.load_forms(session, office)
    round_ = programme.create_round(
        session, office, slug="draft", scheme_id=scheme, title_zh="草案", title_en="Draft",
        kind="drill", review_on=date(2012, 11, 12),
    )  # fmt: skip
    assert [text for text, _, _ in line(app, session, office, round_)] == shown
    programme.pin_latest(session, office, round_)
    assert [text for text, _, _ in line(app, session, office, round_)] == shown


def test_what_is_over_is_not_under_way(
    app: Any, session: Any, make: Make, monkeypatch: Any
) -> None:
    made = small(session, make, "luohe-2010")
    office = made.scored.office

    def review() -> tuple[str, str]:
        rows = line(app, session, office, made.round)
        return next((count, state) for text, count, state in rows if text == "Review")

    def now() -> list[str]:
        return [text for text, _, s in line(app, session, office, made.round) if s == "now"]

    assert now() == ["Draw"]
    sit(made, monkeypatch, "select", off("LB1", "15"), close=False)
    sheet = session.scalars(select(Sheet)).first()
    sheet.state = "draft"
    append(session, None, "test.unsealed")
    assert review() == ("4/5", "now")
    session.scalars(select(Sitting)).one().phase = "closed"
    append(session, None, "test.closed")
    assert review() == ("4/5", "done") and now() == ["Aggregate"]
    made.round.phase = "closed"
    append(session, None, "test.ended")
    assert now() == []
