"""The pool's pages: who may, what is masked, what is never lost."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from app.directory import operations as directory
from app.directory.models import Organisation, Person, Region
from app.registry import operations
from app.registry.models import Expert, Interest
from app.registry.operations import Candidate

ID, PHONE = "99999919700101000X", "13800001234"
PAGES = {
    "/pool": "keeper office supervisor",
    "/pool/ID": "keeper office supervisor",
    "/pool/new": "keeper office",
    "/pool/ID/edit": "keeper",
    "/pool/import": "keeper",
    "/pool/template.xlsx": "keeper office",
    "/pool/export.xlsx": "keeper office",
    "/pool/interests": "keeper office supervisor",
    "/me/expert": "expert",
    "/registers": "keeper office supervisor",
    "/registers/heads": "keeper office supervisor",
    "/registers/import/heads": "keeper office",
    "/registers/import/heads/template.xlsx": "keeper office",
    "/regions": "keeper office supervisor admin",
    "/regions/change": "keeper",
    "/organisations": "keeper office supervisor admin",
    "/organisations/new": "keeper",
}


@pytest.fixture
def expert_id(app: Any) -> str:
    with app.extensions["mingjian.db"].write() as session:
        session.add(Region(code="420100", name="武汉市", kind="地级市", source="test"))
        place = directory.create_organisation(
            session, None, name="测试研究院", kind="institute", region_code="420100"
        )
        return operations.nominate(
            session,
            None,
            Candidate(
                name="测试甲",
                organisation=place,
                title="研究员",
                title_rank=4,
                kind="technical",
                discipline="land",
                source="institute",
                id_number=ID,
                phone=PHONE,
            ),
        ).id


def stored(app: Any, expert_id: str) -> Expert:
    with app.extensions["mingjian.db"].read() as session:
        row = session.get(Expert, expert_id)
        assert row is not None
        assert row.screenings is not None and row.interests is not None
        return row


@pytest.mark.parametrize("path", sorted(PAGES))
def test_roles(client_as: Any, app: Any, expert_id: str, path: str) -> None:
    for role in ("office", "keeper", "supervisor", "expert", "presenter", "admin"):
        answer = client_as(role).get(path.replace("ID", expert_id))
        wanted = 200 if role in PAGES[path].split() else 403
        if (role, path) == ("expert", "/me/expert"):
            wanted = 404  # an expert's account without a record
        assert answer.status_code == wanted, (role, path)


def test_numbers_are_masked_on_pages_and_absent_from_the_file(
    client_as: Any, app: Any, expert_id: str, settings: Any
) -> None:
    keeper = client_as("keeper")
    page = keeper.get(f"/pool/{expert_id}").text
    assert "138****1234" in page and "9999**********000X" in page
    for path in (f"/pool/{expert_id}", f"/pool/{expert_id}/edit", "/pool", "/pool/import"):
        text = keeper.get(path).text
        assert ID not in text and PHONE not in text
    book = openpyxl.load_workbook(io.BytesIO(keeper.get("/pool/export.xlsx").data))
    cells = {str(cell.value) for row in book.active.iter_rows() for cell in row}
    assert {"E0001", "测试甲", "测试研究院", "武汉市"} <= cells
    assert not any(ID in cell or PHONE in cell or "19700101" in cell for cell in cells)
    if settings.database_url.startswith("sqlite"):
        raw = b"".join(
            path.read_bytes() for path in Path(settings.home).glob("mingjian.db*") if path.is_file()
        )
        assert "测试甲".encode() in raw
        assert ID.encode() not in raw and PHONE.encode() not in raw


def test_reveal_needs_a_reason(client_as: Any, expert_id: str) -> None:
    keeper = client_as("keeper")
    refused = keeper.post(f"/pool/{expert_id}/reveal", data={"reveal-reason": ""})
    assert refused.status_code == 422 and PHONE not in refused.text
    shown = keeper.post(f"/pool/{expert_id}/reveal", data={"reveal-reason": "核对身份"})
    assert shown.status_code == 200 and PHONE in shown.text and ID in shown.text
    assert client_as("office").post(f"/pool/{expert_id}/reveal").status_code == 403


def test_two_reviewers_then_admission(client_as: Any, app: Any, expert_id: str) -> None:
    keeper, office = client_as("keeper"), client_as("office")
    said = {"screen-decision": "pass", "screen-reason": "符合条件"}
    assert office.post(f"/pool/{expert_id}/screen", data=said).status_code == 302
    early = keeper.post(f"/pool/{expert_id}/admit")
    assert early.status_code == 422 and "同意书" in early.text
    consent = {"consent-on": "2026-01-05"}
    assert keeper.post(f"/pool/{expert_id}/consent", data=consent).status_code == 302
    assert keeper.post(f"/pool/{expert_id}/admit").status_code == 422
    empty = keeper.post(f"/pool/{expert_id}/screen", data={"screen-decision": "pass"})
    assert empty.status_code == 422 and "请填写这一项" in empty.text
    assert keeper.post(f"/pool/{expert_id}/screen", data=said).status_code == 302
    assert keeper.post(f"/pool/{expert_id}/admit").status_code == 302
    row = stored(app, expert_id)
    assert row.status == "active" and row.consent_at is not None
    page = keeper.get(f"/pool/{expert_id}")
    assert page.text.count("符合条件") == 2 and "在库" in page.text


def test_stale_edit_keeps_what_was_typed(client_as: Any, app: Any, expert_id: str) -> None:
    one, two = client_as("keeper"), client_as("keeper")
    form = {
        "name": "测试甲",
        "title": "教授",
        "title_rank": "4",
        "kind": "technical",
        "discipline": "land",
        "source": "institute",
        "region": "420100",
        "version": "1",
    }
    found = re.search(r'name="version"[^>]*value="(\d+)"', one.get(f"/pool/{expert_id}/edit").text)
    assert found is not None and found[1] == "1"
    assert one.post(f"/pool/{expert_id}/edit", data=form).status_code == 302
    late = two.post(f"/pool/{expert_id}/edit", data={**form, "title": "译审"})
    assert late.status_code == 409
    assert one.viewer.name in late.text and 'value="译审"' in late.text and 'value="2"' in late.text
    assert stored(app, expert_id).title == "教授"
    again = two.post(f"/pool/{expert_id}/edit", data={**form, "title": "译审", "version": "2"})
    assert again.status_code == 302 and stored(app, expert_id).title == "译审"
    wrong = two.post(f"/pool/{expert_id}/edit", data={**form, "version": "3", "region": "没有这里"})
    assert wrong.status_code == 422 and "没有叫“没有这里”的地区" in wrong.text
    assert 'value="没有这里"' in wrong.text


def test_nominating_a_twin_asks_first(client_as: Any, app: Any, expert_id: str) -> None:
    office = client_as("office")
    form = {
        "name": "测试甲",
        "employer": "测试研究院",
        "title": "教授",
        "title_rank": "4",
        "kind": "technical",
        "discipline": "land",
        "source": "institute",
    }
    asked = office.post("/pool/new", data=form)
    assert asked.status_code == 422 and "可能是同一人" in asked.text and "E0001" in asked.text
    assert office.post("/pool/new", data={**form, "distinct": "y"}).status_code == 302
    unknown = office.post("/pool/new", data={**form, "name": "测试乙", "employer": "没有的院"})
    assert unknown.status_code == 422 and "没有的院" in unknown.text


def upload(client: Any, rows: list[list[str]], name: str = "experts.csv") -> Any:
    text = io.StringIO()
    head = ["姓名", "工作单位", "职称", "类别", "专业", "来源", "身份证号"]
    csv.writer(text).writerows([head, *rows])
    data = {"file": (io.BytesIO(text.getvalue().encode("gbk")), name)}
    return client.post("/pool/import", data=data, content_type="multipart/form-data")


def test_import_dry_run_confirm(client_as: Any, app: Any, expert_id: str, settings: Any) -> None:
    keeper = client_as("keeper")
    other = "999999198001010002"
    row = ["测试乙", "测试研究院", "教授", "技术", "土地", "高校", other]
    page = upload(keeper, [row, ["测试甲", "测试研究院", "教授", "技术", "土地", "高校", ""]])
    assert page.status_code == 200
    assert "E0001" in page.text and "姓名和单位相同" in page.text and other not in page.text
    found = re.search(r'name="upload"[^>]*value="([0-9a-f]{32})"', page.text)
    assert found is not None
    kept = settings.home / "uploads" / found[1]
    assert kept.stat().st_mode & 0o777 == 0o600 and other.encode() not in kept.read_bytes()
    form = {"upload": found[1], "filename": "experts.csv", "screening_document": ""}
    done = keeper.post("/pool/import/confirm", data=form, follow_redirects=True)
    assert "已导入 1 人，跳过 1 个重复" in done.text and not kept.exists()
    again = keeper.post("/pool/import/confirm", data=form)
    assert again.status_code == 422 and "重新上传" in again.text
    evil = keeper.post("/pool/import/confirm", data={**form, "upload": "../keys/field.key"})
    assert evil.status_code == 422
    assert client_as("office").post("/pool/import/confirm", data=form).status_code == 403


def test_import_with_errors_offers_no_confirmation(client_as: Any, expert_id: str) -> None:
    keeper = client_as("keeper")
    page = upload(keeper, [["", "测试研究院", "教授", "技术", "天文", "高校", ""]])
    assert page.status_code == 200
    assert "不能为空" in page.text and "“天文”无效" in page.text
    assert "/pool/import/confirm" not in page.text
    empty = keeper.post(
        "/pool/import",
        data={"file": (io.BytesIO(b""), "x.csv")},
        content_type="multipart/form-data",
    )
    assert empty.status_code == 422


def test_supervisor_decides_an_interest(client_as: Any, app: Any, expert_id: str) -> None:
    office, supervisor = client_as("office"), client_as("supervisor")
    form = {
        "interest-kind": "kin",
        "interest-side": "county",
        "interest-region": "420100",
        "interest-evidence": "来函所述",
    }
    assert office.post(f"/pool/{expert_id}/interest", data=form).status_code == 302
    (row,) = stored(app, expert_id).interests
    where = f"/pool/interests/{row.id}/decide"
    assert office.post(where).status_code == 403
    assert supervisor.post(where, data={f"{row.id}-decision": "upheld"}).status_code == 422
    decided = {f"{row.id}-decision": "upheld", f"{row.id}-reason": "属实"}
    assert supervisor.post(where, data=decided).status_code == 302
    with app.extensions["mingjian.db"].read() as session:
        assert session.get(Interest, row.id).status == "upheld"
    assert supervisor.post(where, data=decided).status_code == 409
    assert supervisor.post(where.replace(row.id, "0" * 16), data=decided).status_code == 404


def test_own_page(client_as: Any, app: Any, make: Any, expert_id: str) -> None:
    with app.extensions["mingjian.db"].write() as session:
        viewer = make.viewer(session, "expert")
        place = session.scalars(select(Organisation)).first()
        own = operations.nominate(
            session,
            None,
            Candidate(
                name="",
                organisation=place,
                title="教授",
                title_rank=4,
                kind="technical",
                discipline="law",
                source="university",
            ),
            person=session.get(Person, viewer.person_id),
        )
        directory.change_person(session, None, own.person, phone="13900005678")
    client = client_as(viewer)
    page = client.get("/me/expert")
    assert page.status_code == 200 and "13900005678" in page.text and "E0002" in page.text
    assert client.get(f"/pool/{expert_id}").status_code == 403
    assert client.post("/me/expert/consent").status_code == 302
    assert stored(app, own.id).consent_at is not None
    form = {"interest-kind": "teacher_student", "interest-employer": "测试研究院"}
    short = client.post("/me/expert/interest", data=form)
    assert short.status_code == 422 and "teacher_student" in short.text
    assert (
        client.post("/me/expert/interest", data={**form, "interest-evidence": "导师"}).status_code
        == 302
    )
    (declared,) = stored(app, own.id).interests
    assert (declared.side, declared.status) == ("expert", "declared")
    wrong = {"absence-since": "2026-05-02", "absence-until": "2026-05-01"}
    assert client.post("/me/expert/absence", data=wrong).status_code == 422
    right = {"absence-since": "2026-05-01", "absence-until": "2026-05-03"}
    assert client.post("/me/expert/absence", data=right).status_code == 302
    (absence,) = _absences(app, own.id)
    assert absence.until == date(2026, 5, 3)
    assert client.post(f"/me/expert/absence/{absence.id}/cancel").status_code == 302
    assert _absences(app, own.id) == []
    assert client.post(f"/me/expert/interest/{declared.id}/withdraw").status_code == 302
    assert stored(app, own.id).interests[0].status == "withdrawn"


def _absences(app: Any, expert_id: str) -> list[Any]:
    with app.extensions["mingjian.db"].read() as session:
        return list(session.get(Expert, expert_id).absences)


def test_pages_are_whole_in_english(client_as: Any, expert_id: str) -> None:
    keeper = client_as("keeper")
    keeper.post("/language", data={"lang": "en", "next": "/pool"})
    own_words = {
        "测试甲",
        "测试研究院",
        "研究员",
        "武汉市",
        "湖北省武汉市",
        "明鉴",
        "中文",
        "示例",
        "高校",
    }
    for path in (
        "/pool",
        f"/pool/{expert_id}",
        "/pool/new",
        f"/pool/{expert_id}/edit",
        "/pool/import",
        "/pool/interests",
        "/registers",
        "/registers/heads",
        "/registers/contractors",
        "/registers/supervisors",
        "/registers/import/interests",
        "/regions",
        "/regions/change",
        "/organisations",
        "/organisations/new",
    ):
        text = re.sub(r"<[^>]*>", " ", keeper.get(path).text)
        left = set(re.findall(r"[\u4e00-\u9fff]+", text)) - own_words
        left -= {row for row in left if row.startswith("测试")} | {"江北区", "市辖区"}
        assert left == set(), path


def test_list_filters_by_address(client_as: Any, expert_id: str) -> None:
    supervisor = client_as("supervisor")
    assert "E0001" in supervisor.get("/pool?q=测试甲&discipline=land&sort=-name").text
    assert "E0001</a>" not in supervisor.get("/pool?discipline=law").text
    assert supervisor.get("/pool?page=99&sort=nonsense&region=%25").status_code == 200


def test_directory_pages(client_as: Any, app: Any, expert_id: str) -> None:
    keeper = client_as("keeper")
    page = keeper.get("/organisations?q=测试")
    found = re.search(r'href="(/organisations/[0-9a-f]{16})"', page.text)
    assert found is not None and "武汉市" in keeper.get(found[1]).text
    form = {"name": "测试中心", "kind": "ministry_unit", "parent": "测试研究院", "place": "武汉市"}
    made = keeper.post("/organisations/new", data=form)
    assert made.status_code == 302
    assert "测试研究院" in keeper.get(made.location).text
    assert keeper.post("/organisations/new", data=form).status_code == 422
    bad = keeper.post("/organisations/new", data={**form, "name": "x", "parent": "没有"})
    assert bad.status_code == 422 and "没有名为“没有”的单位" in bad.text
    change = {
        "on": "2026-03-01",
        "kind": "rename",
        "old": "420100",
        "new": "420100 武汉新市 地级市",
        "source": "测试",
    }
    assert keeper.post("/regions/change", data=change).status_code == 302
    text = keeper.get("/regions?q=武汉").text
    assert "武汉新市" in text or "420000" not in text
    assert keeper.post("/regions/change", data={**change, "old": "420199"}).status_code == 422
    assert keeper.get("/organisations/" + "0" * 16).status_code == 404


def test_the_dry_run_says_who_could_not_be_drawn(client_as: Any, app: Any) -> None:
    keeper = client_as("keeper")
    head = "姓名,工作单位,职称,类别,专业,来源,推荐单位,同意书日期\n"
    row = "测试{n},测试新研究院,研究员,技术,土地,科研院所,{by},{on}\n"
    lacking = row.format(n="乙", by="", on="2026-01-05") + row.format(n="丙", by="荐1号", on="")
    whole = row.format(n="丁", by="荐1号", on="2026-01-05")

    def read(text: str) -> str:
        data = {"file": (io.BytesIO((head + text).encode()), "x.csv")}
        answer = keeper.post("/pool/import", data=data)
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    assert "2 人缺推荐单位或同意书日期" in read(lacking + whole)
    shown = read(whole)
    assert "缺推荐单位" not in shown and "测试丁" in shown
