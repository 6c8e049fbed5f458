"""An expert's objection to his paper sheet: seen by the supervisor, decided with a reason, carried out."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.aggregation import operations as aggregation
from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.home.waits import waits
from app.ledger import prove
from app.panel.models import Sitting
from app.scoring import invariants, objections, operations, paper, reentries
from app.scoring.models import Sheet
from app.scoring.models_paper import PaperSheet
from tests.attacks import world as steps
from tests.scoring.test_paper import base, both_read, marked_item, marks, png, started

READ = "第三项我写的是七分"
WHY = "扫描件上确为七分，录入有误"


def sealed(session, world):
    row = started(session, world)
    both_read(session, world, row)
    paper.settle(session, world.people["office"], paper=row, picks={}, anew={})
    return row, paper.seal(session, world.people["office"], paper=row)


def objected(session, world):
    row, sheet = sealed(session, world)
    paper.object_to(session, world.expert(1), sheet=sheet, reason=READ)
    return row, sheet


def waiting(session, viewer):
    return [(w.endpoint, w.n) for w in waits(session, viewer) if w.endpoint.startswith("scoring.p")]


def test_it_waits_for_the_supervisor_who_decides_once_with_a_reason(app, world):
    supervisor = world.people["supervisor"]
    with base(app).write() as session:
        row, sheet = sealed(session, world)
        decide = lambda who, upheld, why: objections.decide_objection(  # noqa: E731
            session, who, paper=row, upheld=upheld, reason=why
        )
        with pytest.raises(NotFound):
            decide(supervisor, True, WHY)
        assert waiting(session, supervisor) == []
        paper.object_to(session, world.expert(1), sheet=sheet, reason=READ)
        assert waiting(session, supervisor) == [("scoring.paper_sheet", None)]
        with pytest.raises(Forbidden):
            decide(world.people["office"], True, WHY)
        with pytest.raises(DomainError):
            decide(supervisor, True, "短")
        decide(supervisor, False, "扫描件清楚，录入无误")
        assert waiting(session, supervisor) == [] and sheet.state == "sealed"
        assert reentries.waiting(session) == []
        with pytest.raises(Conflict):
            decide(supervisor, True, WHY)
        words = paper.marked(row)
        assert "异议不成立，扫描件清楚" in words.zh and "dismissed it" in words.en


def test_upheld_it_is_entered_again_before_the_panel_closes(app, world, keys):
    a, b = world.people["office"], world.people["office2"]
    with base(app).write() as session:
        row, old = objected(session, world)
        objections.decide_objection(
            session, world.people["supervisor"], paper=row, upheld=True, reason=WHY
        )
        sitting = session.get_one(Sitting, row.sitting_id)
        for number in range(2, steps.SEATS + 1):
            steps.sealed_sheet(session, sitting, world.expert(number))
        assert waiting(session, a) == [("scoring.papers", 1)]
        with pytest.raises(Conflict, match="重新录入"):
            operations.close_scoring(session, a, sitting=sitting)
        with pytest.raises(Conflict, match="重新录入"):
            aggregation.run(session, a, round=sitting.panel.round)
        again = paper.start(session, b, sitting=sitting, seat=row.seat)
        assert again.id != row.id and again.sheet_id != old.id
        name = f"{marked_item(session, again)['id']}.mark"
        given = marks(session, again, **{name: "0.5", name.replace("mark", "reason"): "划改"})
        for clerk in (a, b):
            paper.enter(session, clerk, paper=again, fields=given, finished=True)
        paper.file_scan(session, a, paper=again, data=png(), filename="再录.png")
        paper.settle(session, a, paper=again, picks={}, anew={})
        new = paper.seal(session, a, paper=again)
        assert (new.revision, new.state, old.state) == (2, "sealed", "superseded")
        assert new.entries != old.entries and new.supersedes_id == old.id
        assert reentries.waiting(session) == [] and waiting(session, a) == []
        assert "异议成立" in paper.marked(row).zh and "异议" not in paper.marked(again).zh
        operations.close_scoring(session, a, sitting=sitting)
    with base(app).read() as session:
        assert prove.verify(session, keys).faults == []
        assert [fault for _, check in invariants.INVARIANTS for fault in check(session)] == []


def test_after_the_close_it_can_still_be_withdrawn_while_the_round_is_open(app, world):
    a, supervisor = world.people["office"], world.people["supervisor"]
    with base(app).write() as session:
        row, old = sealed(session, world)
        sitting = session.get_one(Sitting, row.sitting_id)
        for number in range(2, steps.SEATS + 1):
            steps.sealed_sheet(session, sitting, world.expert(number))
        operations.close_scoring(session, a, sitting=sitting)
        paper.object_to(session, world.expert(1), sheet=old, reason=READ)
        with pytest.raises(Conflict):
            paper.start(session, a, sitting=sitting, seat=row.seat)
        objections.decide_objection(session, supervisor, paper=row, upheld=True, reason=WHY)
        again = paper.start(session, a, sitting=sitting, seat=row.seat)
        both_read(session, world, again)
        paper.settle(session, a, paper=again, picks={}, anew={})
        assert paper.seal(session, a, paper=again).revision == 2
        assert old.state == "superseded"


def test_a_version_of_the_experts_own_takes_its_place(app, world):
    with base(app).write() as session:
        row, old = objected(session, world)
        operations.correct(session, world.expert(1), sheet=old, reason="本人更正录入错误")
        before = len(list(session.scalars(select(Sheet))))
        objections.decide_objection(
            session, world.people["supervisor"], paper=row, upheld=True, reason=WHY
        )
        assert len(list(session.scalars(select(Sheet)))) == before


def test_the_pages(app, world, client_as):
    with base(app).write() as session:
        row, sheet = objected(session, world)
        where = f"/r/{world.slug}/paper/{row.id}"
        own = f"/r/{world.slug}/sheets/{sheet.id}"
    supervisor, office = client_as(world.people["supervisor"]), client_as(world.people["office"])
    home = supervisor.get("/").get_data(as_text=True)
    assert where in home and "对纸质表录入的异议待决定" in home
    shown = supervisor.get(where).get_data(as_text=True)
    assert READ in shown and "记录决定" in shown
    assert "记录决定" not in office.get(where).get_data(as_text=True)
    data = {"decision": "upheld", "reason": "短"}
    assert supervisor.post(f"{where}/objection", data=data).status_code == 422
    assert office.post(f"{where}/objection", data=data).status_code == 403
    data["reason"] = WHY
    assert supervisor.post(f"{where}/objection", data=data).status_code == 302
    assert supervisor.post(f"{where}/objection", data=data).status_code == 409
    listed = office.get(f"/r/{world.slug}/paper").get_data(as_text=True)
    assert "异议成立，待重新录入" in listed and "重新录入</button>" in listed
    assert "张纸质表已撤回，待重新录入" in office.get("/").get_data(as_text=True)
    told = client_as(world.expert(1)).get(own).get_data(as_text=True)
    assert f"异议成立，{WHY}" in told
    with base(app).read() as session:
        seat, sitting = session.get_one(PaperSheet, row.id).seat_id, row.sitting_id
    begun = office.post(
        f"/r/{world.slug}/sittings/{sitting}/paper", data={"seat": seat, "case": ""}
    )
    assert begun.status_code == 302 and where not in begun.headers["Location"]
