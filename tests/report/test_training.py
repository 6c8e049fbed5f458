"""A trainee's marks beside the totals: they move nothing that anybody else is told, and whoever may read
them reads them beside the panel's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app.accounts import operations as accounts
from app.accounts.models import Account
from app.aggregation import operations as aggregation
from app.aggregation.inputs import collect
from app.aggregation.reading import Reading
from app.domain.ledger.canonical import digest
from app.domain.scoring.sheets import sheet_items, sheet_points
from app.domain.types import Conflict, NotFound, Text
from app.draw.models import Seat
from app.ledger.append import append
from app.panel.models import Attendance
from app.panel.models_trainees import Trainee
from app.report import papers, queries, training
from app.report.outline import sections
from app.report.source import source
from app.scoring import changes, operations
from app.scoring.models import Sheet
from tests.aggregation import builders
from tests.attacks.test_secrecy import moving
from tests.attacks.world import complete_marks
from tests.report import reports

THEN = datetime(2012, 11, 5, 1, 0, tzinfo=UTC)


def sat_along(session: Any, made: builders.Scored, make: Any) -> tuple[Trainee, Any, list[Sheet]]:
    """A trainee of the desk panel who was there and sealed near the top, county by county."""
    expert, viewer = builders.expert(session, make, 10)
    panel = made.panels["desk"]
    seat = Seat(
        draw_id=panel.draw_id, panel=panel.code, number=1, act=0, expert_id=expert.id, ticket="",
        state="removed", reason="trainee", changed_at=THEN,
    )  # fmt: skip
    session.add(seat)
    session.flush()
    row = Trainee(
        panel=panel, panel_id=panel.id, seat=seat, seat_id=seat.id, reason="跟班学习一届",
        appointed_at=THEN,
    )  # fmt: skip
    session.add(row)
    append(session, None, "test.trainee")
    sheets = []
    for sitting in panel.sittings[:2]:
        session.add(Attendance(sitting_id=sitting.id, seat_id=seat.id, signed_in_at=THEN))
        sheet = changes.begin(session, sitting, seat)
        marked(sheet, low=False)
        changes.freeze(session, sheet)
        operations.record_seal(session, viewer, sheet)
        sheets.append(sheet)
    return row, viewer, sheets


def marked(sheet: Any, *, low: bool) -> None:
    changes.change(sheet, complete_marks(sheet_items(sheet.instrument), low))
    sheet.marked = sheet_points(sheet.instrument, sheet.entries).marked


def words(found: Any) -> str:
    """Blocks with their Texts, as one string."""
    return json.dumps(
        found, ensure_ascii=False, sort_keys=True,
        default=lambda v: [v.zh, v.en] if isinstance(v, Text) else str(v),
    )  # fmt: skip


def watched(app: Any, viewers: dict[str, Any], pages: list[str]) -> dict[tuple[str, str], Any]:
    told = {}
    for name, viewer in viewers.items():
        with app.extensions["mingjian.db"].write() as session:
            token = accounts.open_sign_in(
                session, session.get_one(Account, viewer.id), agent="t", address="t", hours=1
            )
        client = app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = token, True
        for page in pages:
            answer = client.get(page)
            text = moving(answer.text) if answer.mimetype in ("text/html", "text/csv") else ""
            told[name, page] = answer.status_code, text
    return told


def test_after_the_totals_too_his_marks_move_nothing(app: Any, make: Any) -> None:
    base = app.extensions["mingjian.db"]
    with base.write() as session:
        made = builders.reload(session)
        before = digest(collect(session, made.round))
        row, _, sheets = sat_along(session, made, make)
        assert digest(collect(session, made.round)) == before, "as if nobody sat along"
        row.seat.state = "confirmed"
        with pytest.raises(Conflict):  # a seat that counts would be waited for
            collect(session, made.round)
        row.seat.state = "removed"
        append(session, None, "test.seat")
        run = aggregation.run(session, made.office, round=made.round)
        report = reports.drafted(session, made, run)
        first = words(papers.report_data(session, report, "zh"))
        high = [str(sheet.marked) for sheet in sheets]
        slug, keys = made.round.slug, [sheet.id for sheet in sheets]
        sitting = sheets[0].sitting_id
        viewers = {
            "office": made.office, "supervisor": made.supervisor, "leader": made.experts[0][1],
            "member": made.experts[3][1], "presenter": made.presenter, "admin": made.admin,
        }  # fmt: skip
        panel, number = row.panel_id, report.number
    pages = [
        *(f"/r/{slug}/{page}" for page in (
            "", "runs", "runs/1", "runs/1/export.csv", "reports", f"reports/{number}", "reports/own",
            f"panels/{panel}", f"panels/{panel}/board", f"panels/{panel}/trainees",
            f"sittings/{sitting}", f"sittings/{sitting}/progress", "sheets",
        )),
        "/", "/supervision",
    ]  # fmt: skip
    told = watched(app, viewers, pages)
    with base.write() as session:
        for key in keys:
            sheet = session.get_one(Sheet, key)
            sheet.state = "draft"
            marked(sheet, low=True)
            sheet.state = "sealed"
        append(session, None, "sheet.saved", sealed=True)  # as many entries as there were sheets
        made = builders.reload(session)
        low = [str(session.get_one(Sheet, key).marked) for key in keys]
        assert low != high, "the two worlds differ in his marks"
        assert digest(collect(session, made.round)) == before
        report = queries.last_report(session, made.round)
        assert words(papers.report_data(session, report, "zh")) == first
    again = watched(app, viewers, pages)
    unlike = [key for key in told if told[key] != again[key]]
    assert unlike == [], unlike
    assert sum(status == 200 for status, _ in told.values()) > 25
    assert told["office", f"/r/{slug}/runs/1"][0] == 200


def test_the_report_says_in_one_line_who_sat_along(session: Any, make: Any) -> None:
    made = builders.reload(session)
    row, viewer, _ = sat_along(session, made, make)
    run = aggregation.run(session, made.office, round=made.round)
    report = reports.drafted(session, made, run)
    shown = sections(source(session, report, "zh"))
    told = [t for block in shown["procedure"] for t in block.get("items", []) if "见习" in t.zh]
    assert len(told) == 1
    assert told[0].zh.startswith(f"{viewer.name}（E0010）自2012年11月5日起在 P1 组列席见习")
    assert "count nowhere" in told[0].en and "5 November 2012" in told[0].en
    assert words(shown).count(viewer.name) == 2, "in that line alone, in both languages"


def test_who_reads_his_marks_beside_the_panels(session: Any, make: Any) -> None:
    made = builders.reload(session)
    row, viewer, sheets = sat_along(session, made, make)
    leader, member = made.experts[0][1], made.experts[3][1]
    everybody = (made.supervisor, leader, viewer, member, made.office, made.presenter, made.admin)

    def allowed() -> list[Any]:
        found = []
        for who in everybody:
            try:
                training.comparison(session, who, made.round, row.id)
            except NotFound:
                continue
            found.append(who)
        return found

    assert allowed() == [], "nobody before the totals"
    run = aggregation.run(session, made.office, round=made.round)
    made.panels["desk"].leader_seat_id = next(
        s.id for s in made.panels["desk"].draw.seats if made.viewer_of(s) == leader
    )
    append(session, None, "test.leader")
    assert allowed() == [made.supervisor, leader]
    sitting = made.panels["desk"].sittings[5]
    sitting.phase = "scoring"
    append(session, None, "test.sitting")
    assert allowed() == [], "nor while the panel still scores a county"
    sitting.phase = "closed"
    report = reports.drafted(session, made, run)
    report.state = "final"
    append(session, None, "test.final")
    assert allowed() == [made.supervisor, leader, viewer]
    assert [t.id for t in training.readable(session, viewer, made.round)] == [row.id]
    assert training.readable(session, member, made.round) == []

    found = training.comparison(session, viewer, made.round, row.id)
    assert [c.name for c in found.counties] == [s.sitting.subject.name for s in sheets]
    assert len(found.unsealed) == 4
    county, reading = found.counties[0], Reading(run)
    key = sheets[0].sitting.subject.region_code
    stage = next(s["id"] for s in reading.stages if s["panels"][0]["id"] == row.panel_id)
    there = {item.id: item for item in reading.items(key, stage)[1]}
    own = sheet_points(sheets[0].instrument, sheets[0].entries).items
    assert len(county.lines) == len(own) > 5
    for line in county.lines:
        assert line.panel == there[line.id].value
        assert line.own is not None and line.maximum == there[line.id].maximum
        assert float(line.difference) == pytest.approx(
            float(line.own) - float(line.panel), abs=1e-9
        )
    assert county.marked == str(sheets[0].marked.normalize()) or county.marked == str(
        sheets[0].marked
    )
