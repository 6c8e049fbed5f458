"""A file of people who are in the pool already: what differs, who is asked about, what is written; and
an office's own workbook: its columns, titles and merged cells."""

from __future__ import annotations

import io
import json
import re
from datetime import date, timedelta
from html import unescape
from typing import Any

import openpyxl
import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from app import clock
from app.directory import operations as directory
from app.directory.models import Employment, FormerValue, Organisation, Region
from app.domain.types import Conflict, DomainError, Forbidden
from app.ledger.models import Event
from app.registry import columns, mapping, operations
from app.registry.columns import ColumnsUnknown
from app.registry.import_report import ImportReport
from app.registry.imports import ALL, import_experts
from app.registry.models import Expert
from app.registry.models_registers import ColumnMap
from app.registry.operations import Candidate
from tests.registry.test_registry_imports import sheet

ID, OTHER_ID = "99999919700101000X", "999999198001010002"
HEAD = [
    "姓名",
    "工作单位",
    "职务",
    "现岗起始",
    "职称",
    "类别",
    "专业",
    "来源",
    "手机号",
    "身份证号",
]
FACTS = ["技术", "土地", "高校"]


@pytest.fixture
def place(session: Session) -> Organisation:
    session.add(Region(code="110000", name="北京市", kind="省级", source="test"))
    return directory.create_organisation(
        session, None, name="测试大学", kind="university", region_code="110000"
    )


def held(session: Session, place: Organisation, name: str = "测试甲", **more: Any) -> Expert:
    return operations.nominate(
        session, None,
        Candidate(
            name=name, organisation=place, title="副教授", title_rank=3, kind="technical",
            discipline="land", source="university", post="教师", since=date(2010, 9, 1), **more,
        ),
        distinct=True,
    )  # fmt: skip


def read(session: Session, data: bytes, **more: Any) -> ImportReport:
    return import_experts(session, None, data, "x.csv", **{"dry_run": True, "answers": {}} | more)


def differences(report: ImportReport) -> dict[int, list[tuple[str, str, str]]]:
    return {
        row.row: [(c.field, str(c.old), str(c.new)) for c in row.update.changes]
        for row in report.updates
        if row.update
    }


def test_what_differs_is_shown_and_what_is_ticked_is_written(
    session: Session, place: Organisation, keys: Any
) -> None:
    expert = held(session, place, id_number=ID, phone="13800001111", nominated_by="测试函")
    directory.create_organisation(session, None, name="测试研究院", kind="institute")
    data = sheet(
        [
            "测试佳",
            "测试研究院",
            "主任",
            "2012-03-01",
            "教授",
            *FACTS,
            "１３９０００２２２２２"[:11],
            ID,
        ],
        head=HEAD,
    )
    report = read(session, data)
    assert differences(report) == {
        2: [
            ("name", "测试甲", "测试佳"),
            ("employer", "测试大学 教师", "测试研究院 主任"),
            ("title", "副教授", "教授"),
            ("title_rank", "副高", "正高"),
            ("phone", "138****1111", "139****2222"),
        ]
    }
    assert (report.ready, report.skipped, report.questions) == ([], [], [])
    assert expert.person.name == "测试甲" and session.scalars(select(FormerValue)).all() == []

    update = report.updates[0].update
    assert update is not None
    ticked = {update.key(c) for c in update.changes if c.field != "name"}
    done = read(session, data, dry_run=False, accept=ticked)
    assert (done.created, done.updated) == (0, 1)
    assert (expert.person.name, expert.title, expert.title_rank) == ("测试甲", "教授", 4)
    assert expert.nominated_by == "测试函", "a column that the file has not changes nothing"
    assert keys.decrypt(expert.person.phone) == "13900022222"
    posts = session.execute(
        select(Organisation.name, Employment.post, Employment.since, Employment.until)
        .join(Organisation).order_by(Employment.since)
    ).all()  # fmt: skip
    assert [tuple(row) for row in posts] == [
        ("测试大学", "教师", date(2010, 9, 1), date(2012, 2, 29)),
        ("测试研究院", "主任", date(2012, 3, 1), None),
    ]
    former = session.scalars(select(FormerValue)).one()
    yesterday = clock.today("Asia/Shanghai") - timedelta(days=1)
    assert (former.field, keys.decrypt(former.value), former.until) == (
        "phone", "13800001111", yesterday,
    )  # fmt: skip
    last = session.scalars(select(Event).order_by(Event.seq.desc())).first()
    assert last is not None
    written = json.loads(last.payload)
    assert (written["kind"], written["data"]) == (
        "experts.updated", {"experts": 1, "file": report.file_hash},
    )  # fmt: skip
    assert differences(read(session, data)) == {2: [("name", "测试甲", "测试佳")]}
    with pytest.raises(Conflict, match="被别人修改"):
        read(session, data, dry_run=False, accept=ticked)


def test_without_leave_nothing_is_changed_and_the_absent_stay(
    session: Session, place: Organisation
) -> None:
    one, two = held(session, place, id_number=ID), held(session, place, "测试乙")
    data = sheet(
        ["测试甲", "测试大学", "", "", "教授", *FACTS, "", ID],
        ["测试丙", "测试大学", "", "", "教授", *FACTS, "", ""],
        head=HEAD,
    )
    done = read(session, data, dry_run=False)
    assert (done.created, done.updated, one.title) == (1, 0, "副教授")
    assert two.status == "candidate" and len(session.scalars(select(Expert)).all()) == 3
    done = read(session, data, dry_run=False, accept=ALL)
    assert (done.created, done.updated, one.title) == (0, 1, "教授")
    with pytest.raises(DomainError, match="都已在库中"):
        read(session, data, dry_run=False, accept=ALL)


def test_nothing_is_changed_of_somebody_barred_or_by_a_phone_of_another_name(
    session: Session, place: Organisation
) -> None:
    barred = held(session, place, id_number=ID)
    operations.sanction(session, None, expert=barred, kind="bar", reason="x", decided_by="y")
    held(session, place, "测试乙", phone="13800001111")
    rows = (
        ["测试甲", "测试大学", "", "", "教授", *FACTS, "", ID],
        ["测试丙", "测试大学", "", "", "教授", *FACTS, "13800001111", ""],
    )
    report = read(session, sheet(*rows, head=HEAD))
    assert [(d.row, d.number, d.update) for d in report.duplicates] == [
        (2, "E0001", None), (3, "E0002", None),
    ]  # fmt: skip
    assert "E0002" in report.duplicates[1].why.zh


def test_a_name_that_may_mean_several_is_asked_about(session: Session, place: Organisation) -> None:
    other = directory.create_organisation(session, None, name="测试研究院", kind="institute")
    one, two = held(session, place), held(session, other)
    held(session, place, "测试乙", id_number=ID)
    data = sheet(
        ["测试甲", "全新单位", "", "", "教授", *FACTS, "", ""],
        ["测试乙", "测试研究院", "", "", "副教授", *FACTS, "", ""],
        ["测试乙", "测试大学", "", "", "教授", *FACTS, "", OTHER_ID],
        ["测试乙", "全新单位", "处长", "", "教授", *FACTS, "", "999999199001010007"],
        head=HEAD,
    )
    report = read(session, data)
    asked = {q.row: [o.number for o in q.options] for q in report.questions}
    assert asked == {2: ["E0001", "E0002"], 3: ["E0003"], 4: ["E0003"]}
    assert [r.row for r in report.ready] == [5], "another number is another person"
    with pytest.raises(DomainError, match="还没有回答（共 3 行）"):
        read(session, data, dry_run=False, new_employers=True)
    answers = {2: "E0002", 3: "skip", 4: "new"}
    report = read(session, data, answers=answers)
    assert report.open_questions == [] and [r.row for r in report.ready] == [4, 5]
    assert differences(report)[2][0] == ("employer", "测试研究院 教师", "全新单位")
    assert report.new_employers == ["全新单位"]
    with pytest.raises(DomainError, match="不在可选的编号之中"):
        read(session, data, dry_run=False, answers={**answers, 2: "E0003"}, new_employers=True)
    done = read(session, data, dry_run=False, answers=answers, accept=ALL, new_employers=True)
    assert (done.created, done.updated) == (2, 1)
    session.refresh(two.person)
    assert [p.organisation.name for p in two.person.employments if not p.until] == ["全新单位"]
    assert [p.organisation.name for p in one.person.employments] == ["测试大学"]


def test_the_number_of_an_export_finds_the_expert(session: Session, place: Organisation) -> None:
    held(session, place)
    head = ["编号", *HEAD[:2], *HEAD[4:8]]
    rows = [
        ["E0001", "测试改名", "测试大学", "副教授", *FACTS],
        ["2", "测试新", "测试大学", "副教授", *FACTS],
    ]
    report = read(session, sheet(*rows, head=head))
    assert differences(report) == {2: [("name", "测试甲", "测试改名")]}
    assert [r.row for r in report.ready] == [3], "a running number names nobody"
    wrong = read(session, sheet(["E0009", *rows[0][1:]], head=head))
    assert [(p.row, p.column) for p in wrong.problems] == [(2, "expert")]


def test_differences_take_the_same_number_of_queries(session: Session, place: Organisation) -> None:
    for number in range(12):
        held(session, place, f"测试{number:03d}")

    def statements(count: int) -> int:
        rows = [
            [f"测试{number:03d}", "测试大学", "", "", "教授", *FACTS, "", ""]
            for number in range(count)
        ]
        seen: list[str] = []

        def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        session.flush()
        session.expunge_all()
        event.listen(session.get_bind(), "before_cursor_execute", note)
        report = read(session, sheet(*rows, head=HEAD))
        event.remove(session.get_bind(), "before_cursor_execute", note)
        assert len(report.updates) == count
        return len(seen)

    assert statements(1) == statements(12)


# ---------- columns

OWN = ["序号", "专家称呼", "供职机构", "技术职称等", "人员类型", "研究领域", "机构属性", "联系号码"]
OWN_ROW = ["1", "测试丁", "测试大学", "教授", "技术", "土地", "高校", "13800003333"]
CHOSEN = {
    "name": "专家称呼", "employer": "供职机构", "title": "技术职称等", "kind": "人员类型",
    "discipline": "研究领域", "source": "机构属性", "phone": "联系号码",
}  # fmt: skip


def test_own_columns_are_set_once_and_remembered_by_the_headings(
    session: Session, place: Organisation, make: Any
) -> None:
    data = sheet(OWN_ROW, head=OWN)
    with pytest.raises(ColumnsUnknown) as unknown:
        read(session, data)
    assert unknown.value.headers == tuple(OWN)
    report = read(session, data, given_columns=CHOSEN)
    assert [r.name for r in report.ready] == ["测试丁"] and report.ignored == ["序号"]
    with pytest.raises(Forbidden):
        mapping.remember(session, make.viewer(session, "office"), OWN, CHOSEN)
    mapping.remember(session, make.viewer(session, "keeper"), OWN, CHOSEN)
    assert [r.name for r in read(session, data).ready] == ["测试丁"]
    with pytest.raises(ColumnsUnknown):
        read(session, sheet(OWN_ROW[1:], head=OWN[1:]))  # other headings
    mapping.remember(session, None, OWN, {**CHOSEN, "note": "序号"})
    assert len(session.scalars(select(ColumnMap)).all()) == 1
    assert read(session, data).columns["note"] == "序号"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({**CHOSEN, "name": "没有"}, "没有叫“没有”的列"),
        ({**CHOSEN, "spouse": "序号"}, "没有叫“spouse”的栏目"),
        ({**CHOSEN, "note": "专家称呼"}, "对应了两个栏目（姓名、备注）"),
        ({k: v for k, v in CHOSEN.items() if k != "title"}, "缺少列：职称"),
    ],
)
def test_wrong_columns_are_refused(
    session: Session, place: Organisation, given: dict[str, str], said: str
) -> None:
    with pytest.raises(DomainError) as refused:
        read(session, sheet(OWN_ROW, head=OWN), given_columns=given)
    assert said in refused.value.text.zh


def test_guesses_by_usual_names() -> None:
    assert mapping.guesses(["序号", "姓名（必填）", "现工作单位全称", "职称", "手机号码1", "专业类别"]) == {
        "name": "姓名（必填）", "title": "职称", "employer": "现工作单位全称",
        "phone": "手机号码1", "kind": "专业类别",
    }  # fmt: skip
    assert columns.field_like("序号") is None


def workbook() -> bytes:
    """A title, heads of two rows, merged employers, a hidden row and column, blank rows at the end."""
    book = openpyxl.Workbook()
    page = book.active
    page.append(["某县专家名册"])
    page.append(["姓名", "工作单位", "评审资格", None, None, None, "联系方式"])
    page.append([None, None, "职称", "类别", "专业", "来源", "手机"])
    page.append(["测试子", "测试大学", "教授", "技术", "土地", "高校", "13800004444"])
    page.append(["测试丑", None, "教授", "技术", "土地", "高校", None])
    page.append(["测试寅", "测试大学", "教授", "技术", "土地", "高校", None])
    for cells in ("A1:G1", "A2:A3", "B2:B3", "C2:F2", "B4:B5"):
        page.merge_cells(cells)
    page.row_dimensions[6].hidden = True
    page.column_dimensions["G"].hidden = True
    for row in range(7, 40):
        page.cell(row, 1, " ")
    book.create_sheet("旧名册")["A1"] = "测试"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_an_office_s_own_workbook_is_read_and_said_aloud(
    session: Session, place: Organisation
) -> None:
    report = read(session, workbook())
    assert report.problems == []
    assert [(r.row, r.name, r.employer) for r in report.ready] == [
        (4, "测试子", "测试大学"), (5, "测试丑", "测试大学"), (6, "测试寅", "测试大学"),
    ]  # fmt: skip
    said = " ".join(text.zh for text in report.notices)
    for part in ("第 1 行在表头之上", "B4:B5", "第 6 行在表格中是隐藏的", "第 G 列", "旧名册"):
        assert part in said
    assert read(session, sheet(OWN_ROW, head=OWN), given_columns=CHOSEN).notices == ()


# ---------- pages


def post_file(client: Any, data: bytes, name: str = "x.csv") -> Any:
    return client.post(
        "/pool/import", data={"file": (io.BytesIO(data), name)}, content_type="multipart/form-data"
    )


def hidden(page: Any) -> dict[str, str]:
    found = re.findall(
        r'<input[^>]*name="(upload|filename|columns)"[^>]*value="([^"]*)"', page.text
    )
    return {name: unescape(value) for name, value in found}


def test_the_pages_from_columns_to_confirmation(client_as: Any, app: Any) -> None:
    with app.extensions["mingjian.db"].write() as session:
        session.add(Region(code="110000", name="北京市", kind="省级", source="test"))
        place = directory.create_organisation(session, None, name="测试大学", kind="university")
        directory.create_organisation(session, None, name="测试研究院", kind="institute")
        key = held(session, place).id
    keeper = client_as("keeper")
    rows = [
        OWN_ROW,
        ["2", "测试甲", "测试大学", "教授", "技术", "土地", "高校", "13800005555"],
        ["3", "测试甲", "测试研究院", "教授", "技术", "土地", "高校", ""],
    ]
    page = post_file(keeper, sheet(*rows, head=OWN))
    assert page.status_code == 422 and "缺少列" in page.text and 'name="map-name"' in page.text
    carried = hidden(page)
    wrong = keeper.post(
        "/pool/import/again", data={**carried, "map-name": "专家称呼", "asked": "1"}
    )
    assert wrong.status_code == 422 and "缺少列" in wrong.text
    chosen = {f"map-{name}": head for name, head in CHOSEN.items()}
    page = keeper.post("/pool/import/again", data={**carried, **chosen, "asked": "1"})
    assert page.status_code == 200 and "是不是同一个人" in page.text
    assert 'name="answer-4"' in page.text and 'id="confirm-import"' not in page.text
    carried = hidden(page)
    page = keeper.post("/pool/import/again", data={**carried, "answer-4": "new", "asked": "1"})
    assert "138****5555" in page.text and "13800005555" not in page.text
    changes = re.findall(r'name="change" value="([^"]+)"', page.text)
    assert [c.split(":")[1] for c in changes] == ["title", "title_rank", "phone"]
    again = keeper.post("/pool/import/again", data=carried)
    assert again.status_code == 200 and "这组表头以前对应过" in again.text
    evil = keeper.post("/pool/import/confirm", data={**hidden(page), "columns": "[1]"})
    assert evil.status_code == 422
    stale = keeper.post(
        "/pool/import/confirm", data={**hidden(page), "change": "x", "answer-4": "new"}
    )
    assert stale.status_code == 409 and "被别人修改" in stale.text
    assert " checked" not in stale.text.split('name="change"')[1].split(">")[0]
    unknown = post_file(keeper, sheet(["1", "测试戊", "新单位", *OWN_ROW[3:7], ""], head=OWN))
    refused = keeper.post("/pool/import/confirm", data=hidden(unknown))
    assert refused.status_code == 422 and "没有名为“新单位”的单位" in refused.text
    assert 'id="confirm-import"' in refused.text, "ticking it and confirming again is all it takes"
    retried = {**hidden(refused), "new_employers": "y"}
    assert keeper.post("/pool/import/confirm", data=retried).status_code == 302
    sent = {**hidden(page), "answer-4": "new", "change": changes[:2], "screening_document": ""}
    done = keeper.post("/pool/import/confirm", data=sent, follow_redirects=True)
    assert "已导入 2 人" in done.text and "已更新 1 人" in done.text
    with app.extensions["mingjian.db"].read() as session:
        expert = session.get(Expert, key)
        assert (expert.title, expert.title_rank, expert.person.phone) == ("教授", 4, None)
    second = post_file(keeper, sheet(OWN_ROW, head=OWN))
    assert second.status_code == 200, "the columns are remembered"
    office = client_as("office")
    assert office.post("/pool/import/again", data=carried).status_code == 403
