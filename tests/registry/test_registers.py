"""The registers behind the recusal rules: entries with dates and basis, lists from a file with every
error by row and column, what experts state, and who reads what."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.directory.models import Employment, Organisation, Person, Region
from app.directory.operations import create_organisation
from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.ledger.append import append
from app.ledger.models import Event
from app.registry import mapping, operations, queries, queries_registers, words
from app.registry.models import Expert, Interest
from app.registry.models_registers import TOPICS, Contractor, CountyHead, Residence
from app.registry.operations import Candidate
from app.registry.register_import import LAYOUTS, heads_of, import_register, template_table

HAIDIAN = "110108"


@pytest.fixture
def place(session: Session) -> Organisation:
    for code, name, kind, parent in (
        ("110000", "北京市", "省级", None), (HAIDIAN, "海淀区", "市辖区", "110000"),
        ("110106", "丰台区", "市辖区", "110000"),
    ):  # fmt: skip
        session.add(Region(code=code, name=name, kind=kind, parent_code=parent, source="test"))
    return create_organisation(session, None, name="测试大学", kind="university")


def nominated(session: Session, place: Organisation, name: str) -> Expert:
    return operations.nominate(
        session, None,
        Candidate(
            name=name, organisation=place, title="教授", title_rank=4, kind="technical",
            discipline="land", source="university", consent_on=date(2026, 1, 1),
        ),
    )  # fmt: skip


def sheet(*rows: list[str]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def kinds(session: Session) -> list[str]:
    return [
        json.loads(e.payload)["kind"] for e in session.scalars(select(Event).order_by(Event.seq))
    ]


def test_an_entry_is_dated_ended_struck_and_never_lost(
    session: Session, make: Any, place: Organisation
) -> None:
    office = make.viewer(session, "office")
    said: dict[str, Any] = {
        "region_code": HAIDIAN,
        "name": "虚拟区长",
        "post": "区长",
        "basis": "任免文件",
    }
    row = operations.add_head(session, office, since=date(2011, 3, 1), **said)
    assert (row.recorded_by, row.person_id) == (office.id, None)
    with pytest.raises(Conflict):
        operations.add_head(session, office, since=date(2011, 3, 1), **said)
    for field, wrong in (("basis", " "), ("post", ""), ("region_code", "999998")):
        with pytest.raises(DomainError) as refusal:
            operations.add_head(session, office, **{**said, field: wrong})
        assert refusal.value.field == field
    with pytest.raises(DomainError):
        operations.end_entry(session, office, entry=row, until=date(2011, 2, 28))
    operations.end_entry(session, office, entry=row, until=date(2012, 3, 1))
    with pytest.raises(Conflict):
        operations.end_entry(session, office, entry=row, until=date(2012, 4, 1))
    with pytest.raises(DomainError):
        operations.strike_entry(session, office, entry=row, reason="")
    operations.strike_entry(session, office, entry=row, reason="误登")
    with pytest.raises(Conflict):
        operations.strike_entry(session, office, entry=row, reason="再次")
    assert queries_registers.heads_of(session, HAIDIAN) == []
    assert queries_registers.entries(session, office, "heads").total == 1
    assert kinds(session)[-3:] == ["head.added", "register.ended", "register.struck"]
    for role in ("supervisor", "expert", "presenter", "admin"):
        with pytest.raises(Forbidden):
            operations.add_head(session, make.viewer(session, role), **{**said, "name": "乙"})
    with pytest.raises(NotFound):
        queries_registers.entry(session, office, "contractors", row.id)


def test_contractors_and_supervising_bodies(
    session: Session, make: Any, place: Organisation
) -> None:
    keeper = make.viewer(session, "keeper")
    operations.add_contractor(
        session, keeper, region_code=HAIDIAN, organisation=place, work="编写", basis="合同"
    )
    none = operations.add_contractor(
        session, keeper, region_code="110106", organisation=None, work="没有委托", basis="区政府函"
    )
    body = operations.add_supervising_body(session, keeper, organisation=place, basis="通知第五条")
    assert none.organisation is None and body.organisation.name == "测试大学"
    assert queries_registers.counts(session, keeper) == {
        "heads": 0, "contractors": 2, "supervisors": 1, "engagements": 0,
    }  # fmt: skip
    found = queries_registers.entries(session, keeper, "contractors", search="大学")
    assert [row.region_code for row in found.rows] == [HAIDIAN]


def test_every_error_of_a_list_is_named_by_row_and_column(
    session: Session, make: Any, place: Organisation
) -> None:
    keeper = make.viewer(session, "keeper")
    nominated(session, place, "测试甲")
    data = sheet(
        ["专家编号*", "关系*", "县（市）", "单位", "另一方姓名或编号", "自", "至", "具体情况*"],
        ["E0001", "夫妻", "海淀区", "", "无名氏", "", "", "某"],
        ["E0009", "夫妻", "海淀区", "", "", "", "", "某"],
        ["E0001", "邻居", "海淀区", "", "", "", "", "某"],
        ["E0001", "法律纠纷", "无此区", "", "", "", "", "某"],
        ["E0001", "法律纠纷", "海淀区", "没有的单位", "", "", "", ""],
        ["E0001", "法律纠纷", "海淀区", "", "", "2012-05-01", "2012-04-01", "某"],
        ["E0001", "法律纠纷", "", "", "", "", "", "某"],
    )
    report = import_register(session, keeper, "interests", data, "links.xlsx", dry_run=True)
    assert [(p.row, p.column) for p in report.problems] == [
        (2, "other"), (3, "expert"), (4, "link"), (5, "county"), (6, "organisation"),
        (6, "evidence"), (7, "until"), (8, "county"),
    ]  # fmt: skip
    assert all(p.text.zh and p.text.en for p in report.problems) and not report.ready
    with pytest.raises(DomainError, match="第 2 行"):
        import_register(session, keeper, "interests", data, "links.xlsx", dry_run=False)
    assert session.scalars(select(Interest)).all() == []
    with pytest.raises(DomainError, match="缺少列"):
        import_register(
            session, keeper, "interests", sheet(["县（市）"], ["海淀区"]), "x.xlsx", dry_run=True
        )


def test_lists_are_entered_whole_once_and_wait_for_the_supervisor(
    session: Session, make: Any, place: Organisation
) -> None:
    keeper, supervisor = make.viewer(session, "keeper"), make.viewer(session, "supervisor")
    first, other = nominated(session, place, "测试甲"), nominated(session, place, "测试乙")
    heads = sheet(
        ["县（市）*", "姓名*", "职务*", "自", "至", "依据*"],
        [HAIDIAN, "虚拟区长", "区长", "2011-03", "", "任免文件"],
        ["北京市丰台区", "虚拟区长乙", "区长", "", "", "任免文件"],
    )
    for repeated in ([], [2, 3]):
        report = import_register(session, keeper, "heads", heads, "h.xlsx", dry_run=False)
        assert (report.rows, report.repeated) == (2, repeated)
    head = session.scalars(select(CountyHead).where(CountyHead.region_code == HAIDIAN)).one()
    assert (head.since, head.name) == (date(2011, 3, 1), "虚拟区长")
    links = sheet(
        ["expert", "link", "county", "other", "begin", "until", "evidence"],
        ["e0001", "近姻亲", "海淀区", "虚拟区长", "", "", "本人声明"],
        ["E0001", "互评关系", "", "E0002", "", "", "互评记录"],
        ["E0001", "参与前一阶段考核", "海淀区", "", "2012-03-01", "2012-04-30", "考核名单"],
    )
    import_register(session, keeper, "interests", links, "l.csv.xlsx", dry_run=False)
    rows = {r.kind: r for r in session.scalars(select(Interest))}
    kin, tie, stage = rows["kin"], rows["coauthor"], rows["earlier_stage"]
    assert (kin.detail, kin.head_id, kin.region_code) == ("in_law", head.id, HAIDIAN)
    assert (tie.detail, tie.other_expert_id) == ("mutual", other.id)
    assert (stage.since, stage.until) == (date(2012, 3, 1), date(2012, 4, 30))
    assert {r.status for r in rows.values()} == {"declared"}
    count = operations.decide_interests(
        session, supervisor, interests=list(rows.values()), decision="upheld", reason="名单属实"
    )
    assert count == 3 and {r.decided_by for r in rows.values()} == {supervisor.id}
    posts = sheet(
        ["专家编号", "单位", "职务", "任职关系", "自", "至", "依据"],
        ["E0001", "测试大学", "独立董事", "董事", "2008-01-01", "2010-12-31", "履历表"],
    )
    import_register(session, keeper, "posts", posts, "p.xlsx", dry_run=False)
    held = session.scalars(select(Employment).where(Employment.relation == "director")).one()
    assert (held.person_id, held.basis, held.until) == (
        first.person_id,
        "履历表",
        date(2010, 12, 31),
    )
    with pytest.raises(Forbidden):
        import_register(
            session, make.viewer(session, "office"), "posts", posts, "p.xlsx", dry_run=True
        )
    assert kinds(session).count("register.imported") == 4


@pytest.mark.parametrize("kind", sorted(LAYOUTS))
def test_each_template_is_read_by_its_own_columns(
    session: Session, place: Organisation, kind: str
) -> None:
    heads, rows = template_table(kind)
    report = import_register(session, None, kind, sheet(heads, *rows), "t.xlsx", dry_run=True)
    # The invented row names people and places that are not here; its columns are all understood.
    assert report.rows == 1
    assert {p.column for p in report.problems} <= {"county", "expert", "organisation"}


def test_an_expert_states_that_all_is_declared(
    session: Session, make: Any, place: Organisation
) -> None:
    expert = nominated(session, place, "测试甲")
    viewer = make.viewer(session, "expert")
    own = operations.nominate(
        session, None,
        Candidate(
            name="", organisation=place, title="教授", title_rank=4, kind="technical",
            discipline="law", source="university",
        ),
        person=session.get(Person, viewer.person_id),
    )  # fmt: skip
    with pytest.raises(Forbidden):
        operations.state_ties(session, viewer, expert=expert, topics=["kin"], signed_name="测试甲")
    with pytest.raises(DomainError, match="签名"):
        operations.state_ties(session, viewer, expert=own, topics=["kin"], signed_name="别人")
    with pytest.raises(DomainError, match="至少勾选"):
        operations.state_ties(session, viewer, expert=own, topics=[], signed_name=viewer.name)
    row = operations.state_ties(
        session, viewer, expert=own, topics=list(TOPICS), signed_name=viewer.name,
        signed_on=date(2001, 1, 1),
    )  # fmt: skip
    assert row.signed_on > date(2020, 1, 1), "signed here, it bears today's date"
    assert own.tie_statements == [row] and row.topics == sorted(TOPICS)
    keeper = make.viewer(session, "keeper")
    with pytest.raises(DomainError, match="书面材料"):
        operations.state_ties(session, keeper, expert=expert, topics=["kin"], signed_name="测试甲")
    paper = operations.state_ties(
        session, keeper, expert=expert, topics=["kin"], signed_name="测试甲", paper="声明书1号",
        signed_on=date(2026, 1, 5),
    )  # fmt: skip
    assert (paper.paper, paper.signed_on, paper.recorded_by) == (
        "声明书1号", date(2026, 1, 5), keeper.id,
    )  # fmt: skip
    assert kinds(session)[-1] == "sealed" and "ties.stated" not in kinds(session)


def test_another_link_is_decided_by_the_keeper_and_confirmed_by_the_supervisor(
    session: Session, make: Any, place: Organisation
) -> None:
    expert = nominated(session, place, "测试甲")
    keeper, supervisor = make.viewer(session, "keeper"), make.viewer(session, "supervisor")
    row = operations.declare_interest(
        session, keeper, expert=expert, kind="other", side="expert", region_code=HAIDIAN,
        evidence="曾公开批评该区",
    )  # fmt: skip
    decide: dict[str, Any] = {"interest": row, "decision": "dismissed", "reason": "属学术意见"}
    with pytest.raises(Conflict, match="先由专家库管理人"):
        operations.decide_interest(session, supervisor, **decide)
    with pytest.raises(Forbidden):
        operations.propose_interest(session, supervisor, **decide)
    operations.propose_interest(session, keeper, **decide)
    assert row.status == "declared" and row.proposed == "dismissed"
    operations.decide_interest(session, supervisor, **{**decide, "decision": "upheld"})
    assert (row.status, row.proposed_by, row.decided_by) == ("upheld", keeper.id, supervisor.id)
    kin = operations.declare_interest(
        session, keeper, expert=expert, kind="kin", side="expert", region_code=HAIDIAN,
        evidence="某", detail="spouse",
    )  # fmt: skip
    with pytest.raises(Conflict, match="直接决定"):
        operations.propose_interest(session, keeper, interest=kin, decision="upheld", reason="某")
    with pytest.raises(DomainError):
        operations.declare_interest(
            session, keeper, expert=expert, kind="kin", side="expert", region_code=HAIDIAN,
            evidence="某", detail="cousin",
        )  # fmt: skip


def test_private_reasons_are_the_supervisors_and_the_declarers(
    client_as: Any, app: Any, make: Any
) -> None:
    with app.extensions["mingjian.db"].write() as session:
        session.add(Region(code=HAIDIAN, name="海淀区", kind="市辖区", source="test"))
        place = create_organisation(session, None, name="测试大学", kind="university")
        expert = nominated(session, place, "测试甲")
        keeper = make.viewer(session, "keeper")
        for kind, evidence in (("dispute", "与该区打官司"), ("drafting", "编写申报书")):
            operations.declare_interest(
                session, keeper, expert=expert, kind=kind, side="expert", region_code=HAIDIAN,
                evidence=evidence,
            )  # fmt: skip
        where = f"/pool/{expert.id}"
    for role, private in (("office", True), ("supervisor", False), (keeper, False)):
        for page in (where, "/pool/interests"):
            text = client_as(role).get(page).get_data(as_text=True)
            assert "编写申报书" in text and ("与该区打官司" not in text) is private, (role, page)


def test_the_pages_of_the_registers(client_as: Any, app: Any) -> None:
    with app.extensions["mingjian.db"].write() as session:
        session.add(Region(code=HAIDIAN, name="海淀区", kind="市辖区", source="test"))
        create_organisation(session, None, name="测试规划公司", kind="company")
    office, supervisor = client_as("office"), client_as("supervisor")
    assert "还没有登记" in supervisor.get("/registers/heads").text
    form = {"region": "海淀区", "name": "虚拟区长", "post": "区长", "basis": ""}
    kept = office.post("/registers/heads", data=form)
    assert kept.status_code == 422 and "虚拟区长" in kept.text
    assert office.post("/registers/heads", data={**form, "basis": "任免文件"}).status_code == 302
    work = {"region": "海淀区", "employer": "没有的公司", "work": "编写", "basis": "合同"}
    assert "没有名为" in office.post("/registers/contractors", data=work).text
    work["employer"] = "测试规划公司"
    assert office.post("/registers/contractors", data=work).status_code == 302
    body = {"employer": "测试规划公司", "basis": "通知"}
    assert office.post("/registers/supervisors", data=body).status_code == 302
    with app.extensions["mingjian.db"].read() as session:
        entry = session.scalars(select(Contractor.id)).one()
    page = supervisor.get("/registers/contractors").text
    assert "测试规划公司" in page and "作废" not in page, (
        "the supervisor reads, and changes nothing"
    )
    strike = f"/registers/contractors/{entry}/strike"
    assert office.post(strike, data={"reason": ""}).status_code == 422
    assert office.post(strike, data={"reason": "登错"}).status_code == 302
    assert "登错" in office.get("/registers/contractors").text
    assert office.get("/registers/none").status_code == 404
    hub = office.get("/registers").text
    assert "县（市）负责人" in hub and "任职与兼职" not in hub, "the keeper alone imports posts"
    assert "任职与兼职" in client_as("keeper").get("/registers").text
    template = office.get("/registers/import/heads/template.xlsx").data
    dry = office.post(
        "/registers/import/heads", data={"file": (io.BytesIO(template), "heads.xlsx")},
        content_type="multipart/form-data",
    )  # fmt: skip
    assert dry.status_code == 200 and "这是模板中的示例，请删去这一行" in dry.text
    assert "heads/confirm" not in dry.text
    good = sheet(
        ["县（市）", "姓名", "职务", "依据"], ["海淀区", "虚拟副区长", "副区长", "任免文件"]
    )
    dry = office.post(
        "/registers/import/heads", data={"file": (io.BytesIO(good), "heads.xlsx")},
        content_type="multipart/form-data",
    )  # fmt: skip
    token = dry.text.split('name="upload"')[1].split('value="')[1].split('"')[0]
    sent = {"upload": token, "filename": "heads.xlsx"}
    assert office.post("/registers/import/heads/confirm", data=sent).status_code == 302
    assert "虚拟副区长" in office.get("/registers/heads").text


OWN = ["所在区", "领导称呼", "担任什么", "红头文件"]
CHOSEN = {"county": "所在区", "name": "领导称呼", "post": "担任什么", "basis": "红头文件"}


def test_columns_of_a_list_are_set_once_and_remembered_for_its_kind(
    session: Session, place: Organisation, make: Any
) -> None:
    data = sheet(OWN, ["海淀区", "虚拟区长", "区长", "任免文件"])

    def read(kind: str = "heads", **kw: Any) -> Any:
        return import_register(session, None, kind, data, "own.xlsx", dry_run=True, **kw)

    with pytest.raises(mapping.ColumnsUnknown) as unknown:
        read()
    assert unknown.value.headers == tuple(OWN) and "县（市）" in unknown.value.text.zh
    assert read(given_columns=CHOSEN).ready == [
        (2, ("海淀区", "虚拟区长", "区长", "", "", "任免文件"))
    ]
    for wrong, said in (
        ({**CHOSEN, "post": "没有"}, "没有叫“没有”的列"),
        ({**CHOSEN, "until": "领导称呼"}, "对应了两个栏目（姓名、至）"),
        ({**CHOSEN, "work": "担任什么"}, "没有叫“work”的栏目"),
        ({k: v for k, v in CHOSEN.items() if k != "basis"}, "缺少列：依据"),
    ):
        with pytest.raises(DomainError) as refused:
            read(given_columns=wrong)
        assert said in refused.value.text.zh, wrong
    heads = heads_of("heads")
    with pytest.raises(Forbidden):
        mapping.remember(session, make.viewer(session, "supervisor"), OWN, CHOSEN, heads)
    mapping.remember(session, make.viewer(session, "office"), OWN, CHOSEN, heads)
    assert [cells[1] for _, cells in read().ready] == ["虚拟区长"]
    with pytest.raises(mapping.ColumnsUnknown):
        read("contractors")  # remembered for heads of counties alone
    assert mapping.guesses(["所在县（市）名称", "负责人姓名", "现任职务", "任职依据"], heads) == {
        "county": "所在县（市）名称", "name": "负责人姓名", "post": "现任职务", "basis": "任职依据",
    }  # fmt: skip


def test_the_page_where_a_lists_columns_are_matched(client_as: Any, app: Any) -> None:
    with app.extensions["mingjian.db"].write() as session:
        session.add(Region(code=HAIDIAN, name="海淀区", kind="市辖区", source="test"))
        append(session, None, "test.region")
    office = client_as("office")
    data = (",".join(OWN) + "\n海淀区,虚拟区长,区长,任免文件\n").encode("gb18030")

    def upload() -> Any:
        return office.post(
            "/registers/import/heads", data={"file": (io.BytesIO(data), "own.csv")},
            content_type="multipart/form-data",
        )  # fmt: skip

    asked = upload()
    assert asked.status_code == 422 and "缺少列" in asked.text and "heads/confirm" not in asked.text
    token = asked.text.split('name="upload" value="')[1].split('"')[0]
    sent = {"upload": token, "filename": "own.csv", "asked": "1"}
    chosen = {f"map-{name}": head for name, head in CHOSEN.items()}
    short = {k: v for k, v in chosen.items() if k != "map-basis"}
    refused = office.post("/registers/import/heads/again", data={**sent, **short})
    assert refused.status_code == 422 and "缺少列：依据" in refused.text
    assert '<option value="担任什么" selected>' in refused.text, "what was chosen is kept"
    shown = office.post("/registers/import/heads/again", data={**sent, **chosen})
    assert shown.status_code == 200 and "虚拟区长" in shown.text and "heads/confirm" in shown.text
    later = upload()
    assert later.status_code == 200 and "虚拟区长" in later.text, "remembered"
    kept = office.post(
        "/registers/import/heads/again", data={"upload": token, "filename": "own.csv"}
    )
    assert kept.status_code == 200 and "这组表头以前对应过" in kept.text
    columns = json.dumps(CHOSEN, ensure_ascii=False)
    done = office.post("/registers/import/heads/confirm", data={**sent, "columns": columns})
    assert done.status_code == 302
    assert "虚拟区长" in office.get("/registers/heads").text


def test_an_experts_own_page_keeps_and_takes_back(client_as: Any, app: Any, make: Any) -> None:
    with app.extensions["mingjian.db"].write() as session:
        session.add(Region(code=HAIDIAN, name="海淀区", kind="市辖区", source="test"))
        place = create_organisation(session, None, name="测试大学", kind="university")
        viewer = make.viewer(session, "expert")
        operations.nominate(
            session, None,
            Candidate(
                name="", organisation=place, title="教授", title_rank=4, kind="technical",
                discipline="law", source="university",
            ),
            person=session.get(Person, viewer.person_id),
        )  # fmt: skip
        nominated(session, place, "测试同行")
    client = client_as(viewer)
    tie = {
        "interest-kind": "coauthor:mutual",
        "interest-other": "测试同行",
        "interest-evidence": "互评",
    }
    kin = {
        "interest-kind": "kin:spouse", "interest-region": "海淀区", "interest-head": "某区长",
        "interest-evidence": "配偶",
    }  # fmt: skip
    for form in (tie, kin):
        assert client.post("/me/expert/interest", data=form).status_code == 302
    with app.extensions["mingjian.db"].read() as session:
        rows = {r.kind: r for r in session.scalars(select(Interest))}
        assert (rows["coauthor"].other_expert_id, rows["coauthor"].other_name) == (None, "测试同行")
        assert "某区长" in rows["kin"].evidence and rows["kin"].detail == "spouse"
    page = client.get("/me/expert").text
    assert "测试同行" in page and "E0002" not in page, "he is not told who is in the pool"
    wrong = client.post("/me/expert/statement", data={"statement-signed_name": "别人"})
    assert wrong.status_code == 422
    signed = {"statement-topics": ["kin", "tie"], "statement-signed_name": viewer.name}
    assert client.post("/me/expert/statement", data=signed).status_code == 302
    lived = {"residence-kind": "birthplace", "residence-region": "海淀区"}
    assert client.post("/me/expert/residence", data=lived).status_code == 302
    with app.extensions["mingjian.db"].read() as session:
        entry = session.scalars(select(Residence.id)).one()
        own = queries.own_expert(session, viewer)
        assert [s.topics for s in own.tie_statements] == [["kin", "tie"]]
    assert client.post(f"/me/expert/residence/{entry}/strike").status_code == 302
    assert "还没有声明" not in client.get("/me/expert").text
    with app.extensions["mingjian.db"].read() as session:
        assert queries.own_expert(session, viewer).residences == []
    assert set(words.TOPIC) == set(TOPICS)
