"""Pages: who gets in, what stands on them, what a form does with bad input."""

from __future__ import annotations

import io
import re

import openpyxl
import pytest
from sqlalchemy import event

from app.directory.models import Organisation, Person
from app.ledger.append import append
from app.ledger.models import Event
from app.programme import operations, queries
from app.programme.models import Figure, Material, Opinion, Round, Subject

from .conftest import PDF, add_districts, add_regions, make_round


@pytest.fixture
def db(app):
    return app.extensions["mingjian.db"]


@pytest.fixture
def clients(client_as):
    roles = ("office", "keeper", "supervisor", "expert", "presenter", "admin")
    return {role: client_as(role) for role in roles} | {"second": client_as("office")}


@pytest.fixture
def world(db, clients):
    """An open round with six districts; the presenter speaks for 海淀区. Name -> subject id."""
    office = clients["office"].viewer
    with db.write() as session:
        add_regions(session)
        session.add(Organisation(name="测试指导处", kind="authority", source="test"))
        append(session, None, "test.unit")
        round_ = make_round(session, office)
        made = add_districts(session, office, round_)
        person = session.get(Person, clients["presenter"].viewer.person_id)
        operations.set_presenter(session, office, made["海淀区"], person)
        operations.open_round(session, office, round_)
        for name in ("海淀区", "丰台区"):
            operations.upload_material(session, office, made[name], PDF, f"{name}.pdf", ["C1"])
        operations.enter_figure(
            session, office, made["海淀区"], "gdp23_wan", "4321", "", 2011, "年鉴"
        )
        return {name: subject.id for name, subject in made.items()}


def html(answer, status=200):
    assert answer.status_code == status, answer.get_data(as_text=True)[:2000]
    return answer.get_data(as_text=True)


def test_the_office_finds_its_round(clients, world):
    page = html(clients["office"].get("/r/bj-2/"))
    for words in (
        "东城区",
        "海淀区",
        "京国土调〔2012〕485号 三",
        "国家办法第十六条",
        "缺 7 份意见",
    ):
        assert words in page
    assert "中央单位豁免地域回避" in page and "指导单位人员不得为其指导的区县评分" in page
    assert "第二届评选演练" in html(clients["office"].get("/rounds"))


def test_every_page_opens_in_both_languages(clients, world, db):
    with db.read() as session:
        version = queries.latest_version(session, "mlr15-desk-I").id
    haidian = world["海淀区"]
    pages = (
        "/forms",
        f"/forms/{version}",
        "/rounds",
        "/rounds/new",
        "/r/bj-2/",
        "/r/bj-2/forms",
        "/r/bj-2/guidance",
        "/r/bj-2/cancel",
        "/r/bj-2/counties",
        f"/r/bj-2/counties/{haidian}",
        f"/r/bj-2/counties/{haidian}/facts",
        f"/r/bj-2/counties/{haidian}/withdraw",
        f"/r/bj-2/counties/{haidian}/figures?key=gdp23_wan",
        "/r/bj-2/import",
        "/r/bj-2/figures",
        "/r/bj-2/figures/import",
        "/r/bj-2/qualification",
        f"/r/bj-2/qualification/{haidian}",
        f"/r/bj-2/qualification/{haidian}/Q03",
    )
    for language in ("zh", "en"):
        clients["office"].post("/language", data={"lang": language, "language": language})
        for path in pages:
            page = html(clients["office"].get(path))
            assert "<h1>" in page and "{" not in page.split("<h1>")[1].split("</h1>")[0], path


def test_roles_at_the_door(clients, world):
    haidian, fengtai = world["海淀区"], world["丰台区"]
    wanted = {
        "/r/bj-2/counties": {"office": 200, "supervisor": 200},
        f"/r/bj-2/counties/{haidian}": {"office": 200, "supervisor": 200, "presenter": 200},
        f"/r/bj-2/counties/{fengtai}": {"office": 200, "supervisor": 200, "presenter": 404},
        "/r/bj-2/figures": {"office": 200, "supervisor": 200},
        "/r/bj-2/qualification": {"office": 200, "supervisor": 200},
        "/r/bj-2/guidance": {"office": 200, "supervisor": 200},
        "/r/bj-2/import": {"office": 200},
        "/rounds/new": {"office": 200},
        "/forms": {"office": 200, "supervisor": 200, "admin": 200},
    }
    for path, allowed in wanted.items():
        for role in ("office", "keeper", "supervisor", "expert", "presenter", "admin"):
            got = clients[role].get(path).status_code
            assert got == allowed.get(role, 403), (path, role, got)


def test_expert_sees_the_title_alone(clients, world):
    page = html(clients["expert"].get("/r/bj-2/"))
    assert "第二届评选演练" in page and "海淀区" not in page
    assert clients["presenter"].get("/r/bj-2/").headers["Location"].endswith(world["海淀区"])


def test_download_is_an_attachment_that_runs_nothing(clients, world, db):
    with db.read() as session:
        ids = {m.name: m.id for m in session.query(Material)}
    answer = clients["presenter"].get(f"/r/bj-2/materials/{ids['海淀区.pdf']}")
    assert answer.status_code == 200 and answer.data == PDF
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert clients["presenter"].get(f"/r/bj-2/materials/{ids['丰台区.pdf']}").status_code == 404
    assert clients["supervisor"].get(f"/r/bj-2/materials/{ids['丰台区.pdf']}").data == PDF
    assert clients["expert"].get(f"/r/bj-2/materials/{ids['海淀区.pdf']}").status_code == 403


def test_presenter_uploads_and_bad_files_leave_nothing(clients, world, db):
    haidian, fengtai = world["海淀区"], world["丰台区"]

    def send(subject_id, data, name="新材料.pdf", items=("C2",)):
        return clients["presenter"].post(
            f"/r/bj-2/counties/{subject_id}/materials",
            data={"file": (io.BytesIO(data), name), "items": list(items)},
        )

    assert send(haidian, PDF + b"new%%EOF").status_code == 302
    page = html(send(haidian, b"<script>alert(1)</script>"), 422)
    assert "网页和 SVG 文件可能含有脚本" in page
    assert send(haidian, b"").status_code == 422
    assert send(fengtai, PDF + b"other%%EOF").status_code == 404
    with db.read() as session:
        names = sorted(m.name for m in session.query(Material))
        linked = session.query(Material).filter_by(name="新材料.pdf").one().items
    assert names == sorted(["海淀区.pdf", "丰台区.pdf", "新材料.pdf"]) and linked == ["C2"]


def test_items_to_tick_stay_folded_until_one_is_ticked(clients, world):
    path = f"/r/bj-2/counties/{world['海淀区']}"
    folded = re.findall(
        r'<details class="remark"( open)?>(.*?)</details>',
        html(clients["presenter"].get(path)),
        re.S,
    )
    assert len(folded) >= 2 and not any(is_open for is_open, _ in folded)
    offered = [
        item for _, inside in folded for item in re.findall(r'name="items" value="([^"]+)"', inside)
    ]
    assert {"C1", "C2"} <= set(offered) and len(offered) == len(set(offered))
    sent = {"file": (io.BytesIO(b""), "a.pdf"), "items": ["C2"]}
    page = html(clients["presenter"].post(f"{path}/materials", data=sent), 422)
    opened = re.findall(r'<details class="remark" open>(.*?)</details>', page, re.S)
    assert len(opened) == 1 and 'value="C2" checked' in opened[0]


def test_two_people_at_a_figure_through_the_pages(clients, world, db):
    haidian = world["海淀区"]
    path = f"/r/bj-2/counties/{haidian}/figures?key=gdp23_wan"
    good = {"key": "gdp23_wan", "value": "5000", "year": "2011", "source": "年鉴", "seen": "4321"}
    page = html(clients["second"].post(path, data=good | {"value": "many"}), 422)
    assert "many" in page and "不是普通十进制数" in page
    page = html(clients["second"].post(path, data=good | {"seen": "9"}), 422)
    assert "4321" in page
    assert clients["second"].post(path, data=good).status_code == 302
    confirm = "/r/bj-2/figures"
    with db.read() as session:
        figure = session.query(Figure).one().id
    own, shown = (html(clients[who].get("/r/bj-2/figures")) for who in ("second", "office"))
    assert "待确认" in own and 'name="tick"' not in own  # who entered it is offered no box
    (tick,) = re.findall(r'name="tick" value="([^"]+)" aria-label="确认 海淀区：', shown)
    assert tick.partition("@")[0] == figure and "checked" not in shown
    assert clients["second"].post(confirm, data={"tick": tick}).status_code == 403
    assert clients["supervisor"].post(confirm, data={"tick": tick}).status_code == 403
    assert "没有打勾" in html(clients["office"].post(confirm), 422)
    assert clients["office"].post(confirm, data={"tick": "f" * 16}).status_code == 404
    later = good | {"value": "5001", "seen": "5000"}
    assert clients["second"].post(path, data=later).status_code == 302
    page = html(clients["office"].post(confirm, data={"tick": tick}), 409)
    assert "被改过" in page and re.search(r">\s*5,?001", page)  # what stands there now
    (tick,) = re.findall(r'name="tick" value="([^"]+)"', page)
    assert clients["office"].post(confirm, data={"tick": tick}).status_code == 302
    assert "已由他人确认" in html(clients["office"].post(confirm, data={"tick": figure}), 409)
    with db.read() as session:
        row = session.query(Figure).one()
        assert (row.value, row.confirmed_by) == (5001, clients["office"].viewer.id)


def test_ticked_figures_are_confirmed_all_or_none(clients, world, db):
    table = "county,key,value,source\n" + "".join(
        f"{name},gdp23_wan,{n},x\n" for n, name in enumerate(("海淀区", "丰台区", "顺义区"), 1)
    )
    sent = {"file": (io.BytesIO(table.encode()), "f.csv"), "do": "enter"}
    assert clients["office"].post("/r/bj-2/figures/import", data=sent).status_code == 302
    confirm, second = "/r/bj-2/figures", clients["second"]
    page = html(second.get("/r/bj-2/figures"))
    ticks = dict(re.findall(r'value="([^"]+)" aria-label="确认 ([^：]+)：', page))
    named = {name: tick for tick, name in ticks.items()}
    # 海淀区 stood there before, entered by `second`; the table made it the office's.
    assert set(named) == {"海淀区", "丰台区", "顺义区"}
    assert "确认所选" in page and "全选" in page
    assert second.post(confirm, data={"tick": [named["丰台区"]]}).status_code == 302
    both = {"tick": [named["顺义区"], named["丰台区"]]}
    assert "丰台区" in html(second.post(confirm, data=both), 409)

    def confirmed():
        with db.read() as session:
            rows = session.query(Figure).filter(Figure.confirmed_at.is_not(None))
            return sorted(session.get(Subject, row.subject_id).name_zh for row in rows)

    assert confirmed() == ["丰台区"]
    rest = {"tick": [named["顺义区"], named["海淀区"]]}
    assert "已确认 2 项" in html(second.post(confirm, data=rest, follow_redirects=True))
    assert confirmed() == ["丰台区", "海淀区", "顺义区"]
    with db.read() as session:
        kept = session.query(Event).filter(Event.payload.contains('"figure.confirm"'))
        assert kept.count() == 3  # one entry a figure


def test_figures_by_table_checked_then_entered(clients, world, db):
    path = "/r/bj-2/figures/import"
    bad = "county,key,value,source\n海淀区,tax_wan,1,x\n昌平区,gdp23_wan,1,x\n".encode()
    page = html(
        clients["office"].post(path, data={"file": (io.BytesIO(bad), "f.csv"), "do": "enter"}), 422
    )
    assert "没有录入任何数据" in page and "昌平区" in page
    page = html(
        clients["office"].post(path, data={"file": (io.BytesIO(bad), "f.csv"), "do": "check"}), 422
    )
    assert "没有参评区县“昌平区”" in page
    good = bad.replace("昌平区".encode(), "怀柔区".encode())
    checked = clients["office"].post(
        path, data={"file": (io.BytesIO(good), "f.csv"), "do": "check"}
    )
    page = html(checked)
    kept = page.split('name="again"')[1].split('value="')[1].split('"')[0]
    with db.read() as session:
        assert session.query(Figure).count() == 1
    entered = clients["office"].post(path, data={"again": kept, "name": "f.csv", "do": "enter"})
    assert entered.status_code == 302
    with db.read() as session:
        assert session.query(Figure).count() == 3


def test_the_table_to_fill_in_names_what_is_missing_and_comes_back(clients, world, db):
    path, office = "/r/bj-2/figures/import", clients["office"]
    assert "/r/bj-2/figures/template.xlsx" in html(office.get(path))

    def lines():
        book = openpyxl.load_workbook(io.BytesIO(office.get("/r/bj-2/figures/template.xlsx").data))
        return book, [[cell.value for cell in row] for row in book.active.iter_rows()]

    book, (heads, *rows) = lines()
    assert heads == ["区县", "数据项", "数值", "单位", "年份", "来源"]
    assert {row[0] for row in rows} == set(world) and all(row[2] in (None, "") for row in rows)
    for row in book.active.iter_rows(min_row=2, max_row=3):
        row[2].value, row[5].value = 7, "年鉴"
    book.active.delete_rows(4, book.active.max_row)
    filled = io.BytesIO()
    book.save(filled)
    filled.seek(0)
    done = office.post(path, data={"file": (filled, "figures.xlsx"), "do": "enter"})
    assert done.status_code == 302
    after = lines()[1][1:]
    assert [row[:2] for row in after] == [row[:2] for row in rows[2:]]


def test_columns_of_a_table_are_matched_once_and_remembered(clients, world, db):
    path, office = "/r/bj-2/figures/import", clients["office"]
    own = "哪个区,什么指标,数多少,哪来的\n{name},tax_wan,1,年鉴\n"

    def sent(name, do="check"):
        data = own.format(name=name).encode("gb18030")
        return office.post(path, data={"file": (io.BytesIO(data), "own.csv"), "do": do})

    page = html(sent("昌平区"), 422)
    assert "表中没有这些列：区县、数据项、数值、来源" in page and "哪个区" in page
    token = page.split('name="upload" value="')[1].split('"')[0]
    chosen = {"map-county": "哪个区", "map-key": "什么指标", "map-value": "数多少"}
    back = {"upload": token, "filename": "own.csv", "asked": "1"}
    assert "表中没有这些列：来源" in html(office.post(path, data=back | chosen), 422)
    chosen["map-source"] = "哪来的"
    page = html(office.post(path, data=back | chosen))  # remembered although a row is wrong
    assert "没有参评区县“昌平区”" in page
    page = html(sent("海淀区"))
    assert "tax_wan" in page or "税收" in page
    kept = page.split('name="again"')[1].split('value="')[1].split('"')[0]
    done = office.post(path, data={"again": kept, "name": "own.csv", "do": "enter"})
    assert done.status_code == 302
    with db.read() as session:
        assert session.query(Figure).filter_by(key="tax_wan").count() == 1


def test_opinions_through_the_pages(clients, world, db):
    haidian = world["海淀区"]
    base = f"/r/bj-2/qualification/{haidian}"
    good = {"department": "耕地司", "verdict": "veto", "vetoes": ["V1"], "signer": "测试人"}
    page = html(clients["office"].post(f"{base}/Q03", data=good | {"reason": ""}), 422)
    assert "“理由”不能为空" in page and "耕地司" in page
    assert clients["office"].post(f"{base}/Q77", data=good).status_code == 404
    done = clients["office"].post(
        f"{base}/Q03", data=good | {"reason": "违法占用", "evidence": "案卷"}
    )
    assert done.status_code == 302
    refused = clients["office"].post(f"{base}/conclude")
    assert refused.status_code == 409
    with db.read() as session:
        assert session.query(Opinion).one().vetoes == ["V1"]
        assert session.get(Subject, haidian).status == "declared"
    assert "耕地司" in html(clients["supervisor"].get(base))
    assert clients["supervisor"].post(f"{base}/Q01", data=good).status_code == 403


def test_wizard_makes_a_round_and_shows_what_is_open(clients, db):
    page = html(clients["office"].get("/rounds/new"))
    assert "待确认" in page and "北京市第二届" in page
    given = {
        "scheme_id": "beijing-2012-2nd",
        "title_zh": "新一届",
        "title_en": "A new round",
        "slug": "new-1",
        "kind": "trial",
        "review_on": "2012-11-12",
    }
    page = html(clients["office"].post("/rounds/new", data=given | {"slug": "坏 名"}), 422)
    assert "新一届" in page and "不能用" in page
    with db.read() as session:
        assert session.query(Round).count() == 0
    made = clients["office"].post("/rounds/new", data=given)
    assert made.headers["Location"] == "/r/new-1/"
    with db.read() as session:
        round_ = session.query(Round).one()
        assert (round_.kind, round_.phase, len(round_.pins)) == ("trial", "preparing", 5)
    with db.write() as session:
        add_regions(session)
    answer = clients["office"].post(
        "/r/new-1/counties",
        data={
            "region_code": "110108",
            "region_class": "I",
            "class_basis": "测试文件",
            "facts": ["has_mines"],
        },
    )
    assert answer.status_code == 302
    with db.read() as session:
        subject = session.query(Subject).one()
        assert subject.facts == {"has_mines": True, "is_prefecture": False}
    assert clients["supervisor"].post("/r/new-1/open").status_code == 403
    assert clients["office"].post("/r/new-1/open").status_code == 302
    assert clients["office"].post("/r/new-1/open").status_code == 409
    bare = {key: text for key, text in given.items() if key != "title_en"}
    for path, slug in (("/rounds/new", "bare-1"), ("/r/new-1/copy", "bare-2")):
        made = clients["office"].post(path, data=bare | {"slug": slug})
        assert made.headers["Location"] == f"/r/{slug}/"
        with db.read() as session:
            assert session.query(Round).filter_by(slug=slug).one().title.en == "新一届"


def test_form_page_shows_origin_until_signed(clients, world, db):
    with db.read() as session:
        version = queries.latest_version(session, "mlr15-desk-I").id
    page = html(clients["admin"].get(f"/forms/{version}"))
    assert page.count("待确认") >= 18 and "见于通知原文" in page and "见于公开副本" in page
    assert (
        "2015年评选考核办法 §11" in page and "http" not in page.split("<main")[1].split("</main")[0]
    )
    assert clients["office"].post(f"/forms/{version}/sign").status_code == 403
    assert clients["admin"].post(f"/forms/{version}/sign").status_code == 302
    page = html(clients["supervisor"].get(f"/forms/{version}"))
    assert "待确认" not in page and "已确认" in page


def test_same_number_of_queries_whatever_the_counties(clients, world, db, app):
    def count(path):
        seen = []

        def note(_c, _cur, statement, *_rest):
            seen.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        html(clients["office"].get(path))
        event.remove(db.engine, "before_cursor_execute", note)
        return len(seen)

    office = clients["office"].viewer
    with db.write() as session:
        small = make_round(session, office, slug="small")
        facts = dict.fromkeys(queries.facts_asked(small), False)
        for code, cls in (("110101", "II"), ("110108", "I")):
            operations.add_subject(
                session,
                office,
                small,
                region_code=code,
                region_class=cls,
                class_basis="测试",
                facts=facts,
            )
        person = session.get(Person, clients["presenter"].viewer.person_id)
        operations.set_presenter(session, office, small.subjects[0], person)
        operations.open_round(session, office, small)
    for page in ("", "counties", "figures", "qualification", "guidance", "forms"):
        count(f"/r/small/{page}")  # fills the compiled-form cache
        assert count(f"/r/small/{page}") == count(f"/r/bj-2/{page}"), page
