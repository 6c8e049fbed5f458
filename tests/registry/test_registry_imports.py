"""Import of experts: values, duplicates, every error named, all or nothing, hostile files."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.directory import operations as directory
from app.directory import queries as directory_queries
from app.directory.models import Employment, Organisation, Person, Region
from app.documents.sheets import Sheet, write_xlsx
from app.domain.types import DomainError, Forbidden
from app.ledger.models import Event
from app.registry import columns, invariants, operations
from app.registry.imports import import_experts
from app.registry.models import Expert
from app.registry.operations import Candidate

HEAD = ["姓名", "工作单位", "职称", "类别", "专业", "来源", "手机号", "身份证号", "同意书日期"]
ONE = [
    "测试甲",
    "测试大学（北京）",
    "教授",
    "技术",
    "土地",
    "高校",
    "10000000001",
    "99999919700101000X",
    "2026-01-05",
]
TWO = ["测试乙", "测试大学(北京)", "高级工程师", "technical", "planning", "university", "", "", ""]


@pytest.fixture
def place(session: Session) -> Organisation:
    session.add(Region(code="110000", name="北京市", kind="省级", source="test"))
    return directory.create_organisation(
        session, None, name="测试大学（北京）", kind="university", region_code="110000"
    )


def sheet(*rows: list[str], head: list[str] = HEAD, encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([head, *rows])
    return text.getvalue().encode(encoding)


def counts(session: Session) -> tuple[int, ...]:
    session.flush()
    return tuple(
        session.scalar(select(func.count()).select_from(model)) or 0
        for model in (Expert, Person, Employment, Organisation, Event)
    )


def test_dry_run_writes_nothing_and_the_import_writes_everything(
    session: Session, place: Organisation, keys: Any
) -> None:
    data = sheet(ONE, TWO)
    before = counts(session)
    report = import_experts(session, None, data, "experts.csv", dry_run=True)
    assert [(r.row, r.name, r.consented, r.new_employer) for r in report.ready] == [
        (2, "测试甲", True, False),
        (3, "测试乙", False, False),
    ]
    assert (report.problems, report.duplicates, report.created) == ([], [], 0)
    assert counts(session) == before
    done = import_experts(session, None, data, "experts.csv", dry_run=False)
    assert done.created == 2
    assert counts(session) == (2, before[1] + 2, 2, 1, before[4] + 1)
    one, two = session.scalars(select(Expert).order_by(Expert.number))
    assert (one.number, one.status, one.title_rank, one.kind) == (
        "E0001",
        "candidate",
        4,
        "technical",
    )
    assert (two.title_rank, two.discipline, two.region_code) == (3, "planning", "110000")
    assert directory_queries.masked_id(one.person, keys) == "9999**********000X"
    assert directory_queries.birth_date(one.person, keys) == date(1970, 1, 1)
    last = session.scalars(select(Event).order_by(Event.seq.desc())).first()
    assert last is not None
    assert json.loads(last.payload)["data"] == {
        "active": 0,
        "experts": 2,
        "file": report.file_hash,
    }


def test_screening_document_admits_those_who_consented(
    session: Session, place: Organisation
) -> None:
    import_experts(
        session,
        None,
        sheet(ONE, TWO),
        "x.csv",
        dry_run=False,
        screening_document="测试办〔2026〕1号",
    )
    found = {row.person.name: row.status for row in session.scalars(select(Expert))}
    assert found == {"测试甲": "active", "测试乙": "candidate"}
    assert all(check(session) == [] for _, check in invariants.INVARIANTS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_encodings(session: Session, place: Organisation, encoding: str) -> None:
    report = import_experts(session, None, sheet(ONE, encoding=encoding), "x.csv", dry_run=True)
    assert [(r.name, r.employer) for r in report.ready][0][0] == "测试甲"
    assert report.problems == [] and report.new_employers == []


def test_full_width_digits_and_english_heads(
    session: Session, place: Organisation, keys: Any
) -> None:
    head = [
        "Name*",
        "employer",
        "title",
        "kind",
        "discipline",
        "source",
        "phone",
        "id number",
        "Since",
    ]
    row = [
        *ONE[:6],
        "１００００００００００",
        "９９９９９９１９７００１０１０００ｘ",
        "二〇一五年九月",
    ]
    import_experts(session, None, sheet(row, head=head), "x.csv", dry_run=False)
    expert = session.scalars(select(Expert)).one()
    assert keys.decrypt(expert.person.phone) == "10000000000"
    assert keys.decrypt(expert.person.id_number) == "99999919700101000X"
    assert expert.person.employments[0].since == date(2015, 9, 1)


def test_every_error_is_named_by_row_and_column(session: Session, place: Organisation) -> None:
    bad = sheet(
        ONE,
        ["", "没有的单位", "教授", "技术", "天文", "高校", "123", "", "2026-02-30"],
        [
            "测试丁",
            "测试大学（北京）",
            "神秘称号",
            "技术",
            "土地",
            "高校",
            "",
            "110101197001010001",
            "2999-01-01",
        ],
    )
    before = counts(session)
    report = import_experts(session, None, bad, "x.csv", dry_run=True)
    assert [(p.row, p.column) for p in report.problems] == [
        (3, "name"),
        (3, "phone"),
        (3, "discipline"),
        (3, "consent_at"),
        (4, "id_number"),
        (4, "title_rank"),
        (4, "consent_at"),
    ]
    assert "土地、规划" in report.problems[2].text.zh
    assert [r.name for r in report.ready] == ["测试甲"]
    with pytest.raises(DomainError) as refused:
        import_experts(session, None, bad, "x.csv", dry_run=False)
    assert "8 处错误" in refused.value.text.zh and "第 3 行" in refused.value.text.zh
    assert counts(session) == before


def test_unknown_employers_are_offered_then_created(session: Session, place: Organisation) -> None:
    rows = [["测试戊", "全新研究所", "研究员", "技术", "矿产", "科研机构", "", "", ""], ONE]
    report = import_experts(session, None, sheet(*rows), "x.csv", dry_run=True)
    assert report.new_employers == ["全新研究所"] and report.problems == []
    with pytest.raises(DomainError, match="全新研究所"):
        import_experts(session, None, sheet(*rows), "x.csv", dry_run=False)
    import_experts(session, None, sheet(*rows), "x.csv", dry_run=False, new_employers=True)
    made = session.scalars(select(Organisation).where(Organisation.name == "全新研究所")).one()
    assert made.kind == "institute"


def test_duplicates_say_with_whom(session: Session, place: Organisation, make: Any) -> None:
    held = operations.nominate(
        session,
        None,
        Candidate(
            name="测试甲",
            organisation=place,
            title="教授",
            title_rank=4,
            kind="technical",
            discipline="land",
            source="university",
            phone="10000000009",
            id_number="99999919700101000X",
        ),
    )
    operations.sanction(session, None, expert=held, kind="bar", reason="x", decided_by="y")
    rows = [
        ["改名", *ONE[1:]],  # the same identity number
        ["测试甲", *ONE[1:6], "", "", ""],  # name and employer
        ["别人", *ONE[1:6], "100-0000-0009", "", ""],  # phone
        TWO,
        [TWO[0], *TWO[1:]],  # repeats row 5
        ["测试己", *ONE[1:6], "", "999999198001010002", ""],
        ["测试庚", *ONE[1:6], "", "999999198001010002", ""],  # repeats row 7
    ]
    report = import_experts(session, None, sheet(*rows), "x.csv", dry_run=False)
    assert [(d.row, d.number, d.status, d.why.en) for d in report.duplicates] == [
        (2, "E0001", "barred", "same identity number"),
        (3, "E0001", "barred", "same name and employer"),
        (4, "E0001", "barred", "same phone"),
        (6, "", "", "repeats row 5 of this file"),
        (8, "", "", "repeats row 7 of this file"),
    ]
    assert report.created == 2
    names = set(session.scalars(select(Person.name).join(Expert, Expert.person_id == Person.id)))
    assert names == {"测试甲", "测试乙", "测试己"}
    with pytest.raises(DomainError, match="都已在库中"):
        import_experts(session, None, sheet(*rows), "x.csv", dry_run=False)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "空"),
        (b"\xff\xfe\x00\xd8\x00\xd8", "编码"),
        (b"\x81\x20\xff\xff" * 50, "编码"),
        (b"%PDF-1.7 nothing", "不是表格"),
        (b"PK\x03\x04 not a zip", ""),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 100, "xls"),
        (sheet(head=HEAD), "没有专家"),
        (sheet(ONE[1:], head=HEAD[1:]), "缺少列：姓名"),
        (sheet([*ONE, "x"], head=[*HEAD, "手机"]), "出现了两次"),
        (sheet(*[ONE] * 20_001), "20000 行"),
        ('姓名,工作单位\n"开口'.encode(), "引号"),
    ],
)
def test_unreadable_files_get_one_clear_message(
    session: Session, place: Organisation, data: bytes, said: str
) -> None:
    before = counts(session)
    with pytest.raises(DomainError) as refused:
        import_experts(session, None, data, "x.csv", dry_run=True)
    assert said in refused.value.text.zh and refused.value.text.en
    assert counts(session) == before


def test_template_reads_back_and_its_examples_are_refused(
    session: Session, place: Organisation
) -> None:
    heads, rows = columns.template_table()
    for code, name in (("420000", "湖北省"), ("420100", "武汉市")):
        session.add(Region(code=code, name=name, kind="x", source="test"))
    session.flush()
    directory.create_organisation(session, None, name="另一单位", kind="company")

    def read(*content: list[str]) -> Any:
        buffer = io.BytesIO()
        write_xlsx(buffer, [Sheet("experts", heads, content)])
        return import_experts(session, None, buffer.getvalue(), "experts.xlsx", dry_run=True)

    left_in = read(*rows)
    assert [(p.row, p.column, p.text.en) for p in left_in.problems] == [
        (2, "name", "this is the template's example; delete the row"),
        (3, "name", "this is the template's example; delete the row"),
    ]
    filled = [[f"测试{row[0]}", *row[1:-1], "备注"] for row in rows]
    report = read(*filled)
    assert report.problems == []
    assert [r.name for r in report.ready] == ["测试示例甲", "测试示例乙"]
    assert read([rows[0][0], *rows[0][1:-1], "备注"]).problems[0].column == "name"
    assert read([*filled[0][:-1], rows[0][-1]]).problems[0].column == "name"


def test_formulas_stay_text_and_roles_are_checked(
    session: Session, place: Organisation, make: Any
) -> None:
    row = [*ONE[:8], ""]
    row[0] = "=cmd|x"
    report = import_experts(session, None, sheet(row), "x.csv", dry_run=True)
    assert report.ready[0].name == "=cmd|x"  # text, and the one writer keeps it text
    for role in ("office", "supervisor", "expert", "admin", "presenter"):
        with pytest.raises(Forbidden):
            import_experts(session, make.viewer(session, role), sheet(ONE), "x.csv", dry_run=True)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2012.3.5", date(2012, 3, 5)),
        ("2012年3月5日", date(2012, 3, 5)),
        ("二〇一二年三月", date(2012, 3, 1)),
        ("２０１２．１１", date(2012, 11, 1)),
        ("2012.01", date(2012, 1, 1)),
        ("2012.1", None),  # 2012.10 as a spreadsheet keeps it
        ("3/5/2012", None),
    ],
)
def test_dates_as_clerks_write_them(text: str, day: date | None) -> None:
    if day is None:
        with pytest.raises(DomainError, match="请写成"):
            columns.read_start(text)
    else:
        assert columns.read_start(text) == day


@pytest.mark.parametrize(
    ("title", "rank"),
    [
        ("教授", 4),
        ("副教授", 3),
        ("正高级工程师", 4),
        ("高级工程师", 3),
        ("工程师", 2),
        ("助理研究员", 2),
        ("院士", None),
    ],
)
def test_rank_of_title(title: str, rank: int | None) -> None:
    assert columns.rank_of_title(title) == rank
