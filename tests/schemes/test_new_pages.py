"""The pages of case files and of what no expert gives, in both languages, as each role meets them."""

from __future__ import annotations

import io
import re
from typing import Any

import openpyxl
import pytest

from app.accounts import operations as accounts
from app.accounts.models import Account
from app.programme import casefiles
from app.programme.models import CaseFile
from app.scoring import given, queries
from app.scoring.models import GivenMark, Sheet
from tests.aggregation import builders as scored
from tests.conftest import Make
from tests.schemes.builders import document, figures, full, small


def client_of(app: Any, database: Any, viewer: Any, language: str = "zh") -> Any:
    client = app.test_client()
    with database.write() as session:
        token = accounts.open_sign_in(
            session, session.get(Account, viewer.id), agent="t", address="t", hours=1
        )
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"], cookie["lang"] = token, True, language
    return client


def words(page: Any, status: int = 200) -> str:
    text = page.get_data(as_text=True)
    assert page.status_code == status, re.sub(r"<[^>]+>|\s+", " ", text)[:1500]
    return text


@pytest.fixture
def office_app(app: Any) -> Any:
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def test_case_files_from_the_register_to_a_sealed_sheet(office_app: Any, database: Any) -> None:
    with database.write() as session:
        made = small(session, Make(), "mlr-rule-of-law-2008")
        county, experts = made.subjects[0].id, made.scored.experts
        office, supervisor = made.scored.office, made.scored.supervisor
        panel = scored._panel(session, made.scored, "mutual", experts)
        session.refresh(panel)
        sitting = panel.sittings[0].id
    client = client_of(office_app, database, office)
    base = f"/r/small/cases/{county}"
    assert "还没有登记案卷" in words(client.get(base))
    row = {"kind": "levy", "number": "征〔2008〕1号", "title": "测试征收", "on": "2008-05-01"}
    assert client.post(base, data=row).status_code == 302
    assert "已经登记" in words(client.post(base, data=row), 422)
    book = openpyxl.Workbook()
    book.active.append(["county", "type", "number", "title", "date"])
    book.active.append(["110101", "行政许可", "许1", "测试许可", "2008-03-01"])
    book.active.append(["110101", "信访", "许2", "测试许可", "2008-03-01"])
    held = io.BytesIO()
    book.save(held)
    sent = {"file": (io.BytesIO(held.getvalue()), "案卷.xlsx"), "do": "check"}
    shown = words(client.post("/r/small/cases/import", data=sent), 422)
    assert re.search(r'<td class="num">3</td><td>类型</td>', shown)
    pasted = "区县\t类型\t案卷号\t案卷名称\t日期\n110101\t行政许可\t许1\t测试许可\t2008-03-01\n"
    checked = words(client.post("/r/small/cases/import", data={"pasted": pasted, "do": "check"}))
    assert "登记 1 件" in checked
    entered = client.post("/r/small/cases/import", data={"pasted": pasted, "do": "enter"})
    assert entered.status_code == 302
    assert client.post(f"{base}/close").status_code == 302
    assert "已封闭，不能再改" in words(client.post(base, data={**row, "number": "征2"}), 409)
    assert "至少 6 个" in words(
        client.post(f"{base}/sample", data={"seed": "1 2", "seed_source": "骰子"}), 422
    )
    assert client.post(
        f"{base}/sample", data={"seed": "6 5 4 3 2 1", "seed_source": "当众掷骰"}
    ).status_code == 302  # fmt: skip
    with database.read() as session:
        made_key = casefiles.case_state(
            session, session.get_one(type(made.subjects[0]), county)
        ).key
    for language, word in (("zh", "抽取依据"), ("en", "How the sample was drawn")):
        shown = words(client_of(office_app, database, supervisor, language).get(base))
        assert word in shown and str(made_key) in shown and "6.5.4.3.2.1" in shown
        overview = words(client_of(office_app, database, office, language).get("/r/small/cases"))
        assert ("已抽取" if language == "zh" else "Sampled") in overview

    # An expert reviews them: main sheet shows how many are sealed, then the mean.
    with database.write() as session:
        sitting_row = session.get_one(type(panel.sittings[0]), sitting)
        scored.panels.open_sitting(session, office, sitting=sitting_row)
        for seat in scored.panel_queries.seats(session, sitting_row.panel):
            scored.panels.sign_in(session, office, sitting=sitting_row, seat=seat)
        scored.panels.open_scoring(session, office, sitting=sitting_row)
        ids = [c.id for c in casefiles.case_state(session, sitting_row.subject).sampled]
    viewer = experts[0][1]
    expert = client_of(office_app, database, viewer, "en")
    assert "0 / 2" in words(expert.get("/r/small/sheets"))
    with database.write() as session:
        row = session.get_one(type(panel.sittings[0]), sitting)
        main = f"/r/small/sheets/{scored.scoring.start_sheet(session, viewer, sitting=row).id}"
    assert "0 of 2 case-file sheets sealed" in words(expert.get(main))
    for case in ids:
        with database.write() as session:
            row = session.get_one(type(panel.sittings[0]), sitting)
            sheet = scored.scoring.start_case_sheet(
                session, viewer, sitting=row, case=session.get_one(CaseFile, case)
            )
            answers = {**full(sheet.instrument), "Z1.cases": "1"}
            scored.scoring.save_draft(session, viewer, sheet=sheet, changes=answers, version=0)
            scored.scoring.seal(
                session, viewer, sheet=sheet, version=sheet.version, signed_name=viewer.name
            )
            assert sheet.marked == 95
            page = f"/r/small/sheets/{sheet.id}"
        assert "Receipt code" in words(expert.get(page))
    shown = words(expert.get(main))
    assert "14.25" in shown and "mean of the own 2 case-file sheets" in shown  # 15 x 0.95
    other = client_of(office_app, database, experts[1][1])
    assert other.get(page).status_code == 404
    with database.read() as session:
        assert session.query(Sheet).one().state == "draft"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_bonus_is_entered_with_its_document_and_confirmed_by_another(
    office_app: Any, database: Any, language: str
) -> None:
    with database.write() as session:
        made = small(session, Make(), "jiangsu-enforcement-2022")
        paper = document(made, 0, "表扬通报.pdf")
        county = made.subjects[0].id
        office, second, supervisor = (
            made.scored.office, made.scored.second, made.scored.supervisor,
        )  # fmt: skip
    client = client_of(office_app, database, office, language)
    base = f"/r/small/given/{county}"
    form = words(client.get(f"{base}/bonus/JB1"))
    assert "表扬通报.pdf" in form and ("国家级" if language == "zh" else "National") in form
    nothing = words(client.post(f"{base}/bonus/JB1", data={}), 422)
    assert ("还没有填写" if language == "zh" else "Nothing was filled in") in nothing
    sent = client.post(f"{base}/bonus/JB1", data={"JB1.level.national": paper})
    assert sent.status_code == 302
    late = words(client.post(f"{base}/bonus/JB1", data={"JB1.none": "on", "seen": ""}), 422)
    assert ("刚被他人改过" if language == "zh" else "has just changed") in late
    shown = words(client.get(base))
    assert "表扬通报.pdf" in shown
    assert 'name="tick"' not in shown  # who entered it is not offered to confirm it
    with database.read() as session:
        mark = session.query(GivenMark).one().id
    assert client.post(f"{base}/confirm", data={"tick": mark}).status_code == 403
    other = client_of(office_app, database, second, language)
    (tick,) = re.findall(r'name="tick" value="([^"]+)"', words(other.get(base)))
    assert other.post(f"{base}/confirm", data={"tick": tick}).status_code == 302
    counts = words(client_of(office_app, database, supervisor, language).get("/r/small/given"))
    assert "1 / 4" in counts and "表扬通报" not in counts
    with database.read() as session:
        row = session.query(GivenMark).one()
        assert (row.confirmed_by, row.entry["value"]["awards"]) == (
            second.id, [{"level": "national", "document": paper}],
        )  # fmt: skip


def test_a_veto_on_a_self_check_shows_what_the_facts_say(office_app: Any, database: Any) -> None:
    with database.write() as session:
        made = small(session, Make(), "luohe-2010", facts={0: {"veto_level_violation": True}})
        county, office = made.subjects[0].id, made.scored.office
    client = client_of(office_app, database, office)
    where = f"/r/small/given/{county}/selfcheck/L5"
    assert "按数据触发否决" in words(client.get(where))
    data = {"L5.vetoed": "yes", "L5.vetoes": "LV1", "L5.reason": "查实"}
    kept = words(client.post(where, data=data), 422)
    assert "须写明依据材料" in kept and "查实</textarea>" in kept
    assert client.post(where, data={**data, "evidence": "测试决定书"}).status_code == 302
    assert "测试决定书" in words(client.get(f"/r/small/given/{county}"))


def test_one_county_reads_one_countys_figures(database: Any) -> None:
    """Opening a sheet computes its own county unless a scale compares the class."""
    with database.write() as session:
        made = small(session, Make(), "jiangsu-enforcement-2022", counties=3)
        rows = {"illegal_arable_mu": "2", "new_construction_arable_mu": "100"}
        figures(made, 0, {**rows, "rectified_cases": "3", "old_cases": "4"})
        panel = scored._panel(session, made.scored, "assess", made.scored.experts)
        session.refresh(panel)
        sitting = next(s for s in panel.sittings if s.subject_id == made.subjects[0].id)
        office = made.scored.office
        scored.panels.open_sitting(session, office, sitting=sitting)
        for seat in scored.panel_queries.seats(session, panel):
            scored.panels.sign_in(session, office, sitting=sitting, seat=seat)
        scored.panels.open_scoring(session, office, sitting=sitting)
        viewer = made.scored.experts[0][1]
        sheet = scored.scoring.start_sheet(session, viewer, sitting=sitting)
        # The two other counties have no figures at all: nothing of this one waits for them.
        beside = {c["item"]["id"]: c.get("points") for c in queries.computed_beside(session, sheet)}
        assert {key: str(points) for key, points in beside.items()} == {
            "J09": "9.00", "J10": "6.75", "J12": "None", "J13": "None",
        }  # fmt: skip
        assert {row.id for row in given.given_of(session, made.round)[made.subjects[1].id]} == {
            "J12", "J13", "JB1", "JB2",
        }  # fmt: skip
