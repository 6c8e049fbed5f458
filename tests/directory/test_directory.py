"""Regions, organisations and people: values, dates, encryption, refusals."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app.directory import identity, invariants, operations, queries, snapshot
from app.directory.models import Employment, Organisation, Person, Region, RegionChange
from app.directory.snapshot import Place
from app.domain.types import Conflict, DomainError, Forbidden
from app.ledger.models import Event

ID = "11010519491231002X"  # the specimen number of GB 11643


def test_snapshot_counts_names_and_parents(session: Session) -> None:
    assert operations.load_regions(session, None) == 31 + 333 + 2845
    present = select(func.count(Region.id)).where(Region.valid_to.is_(None))
    assert session.scalar(present) == 3209
    assert queries.region_name(session, "610822") == "陕西省榆林市府谷县"
    assert queries.region_name(session, "110108") == "北京市海淀区"
    assert queries.region_name(session, "419001") == "河南省济源市"
    assert queries.region_name(session, "999999") == "999999"
    sanhe = queries.region(session, "131082")
    assert sanhe is not None and (sanhe.parent_code, sanhe.kind) == ("131000", "县级市")
    events = session.scalars(select(Event)).all()
    assert [json.loads(e.payload)["kind"] for e in events] == ["regions.loaded"]
    with pytest.raises(Conflict):
        operations.load_regions(session, None)
    assert invariants.one_region_a_day(session) == []


def test_liangjiang_replaces_two_districts_on_its_day(session: Session) -> None:
    operations.load_regions(session, None)
    eve, day = date(2025, 11, 5), date(2025, 11, 6)
    for code, name in (("500105", "江北区"), ("500112", "渝北区")):
        before = queries.region(session, code, eve)
        assert before is not None and before.name == name and before.parent_code == "500000"
        assert queries.region(session, code, day) is None
        assert queries.region_name(session, code) == "重庆市" + name
    assert queries.region(session, "500157", eve) is None
    after = queries.region(session, "500157", day)
    assert after is not None and after.name == "两江新区"
    change = session.scalar(select(RegionChange).where(RegionChange.on == day))
    assert change is not None
    assert (change.kind, change.old_codes, change.new_codes) == (
        "merge",
        ["500105", "500112"],
        ["500157"],
    )
    kept = queries.region(session, "110101", date(2009, 1, 1))
    assert kept is not None and kept.name == "东城区"  # on both sides of 2010: goes on


def test_rename_under_one_code_and_unknown_code(session: Session) -> None:
    operations.load_regions(session, None)
    operations.record_region_change(
        session,
        None,
        on=date(2026, 3, 1),
        kind="rename",
        old=[Place("610822")],
        new=[Place("610822", "府谷新县")],
        source="test",
    )
    assert queries.region_name(session, "610822") == "陕西省榆林市府谷新县"
    old = queries.region(session, "610822", date(2026, 2, 28))
    new = queries.region(session, "610822", date(2026, 3, 1))
    assert old is not None and old.name == "府谷县"
    assert new is not None and (new.name, new.kind) == ("府谷新县", "县")
    with pytest.raises(DomainError) as refused:
        operations.record_region_change(
            session,
            None,
            on=date(2026, 3, 1),
            kind="abolish",
            old=[Place("610899")],
            new=[],
            source="test",
        )
    assert "610899" in refused.value.text.zh


def test_employers_with_superiors_codes_and_level(session: Session) -> None:
    operations.load_regions(session, None)
    operations.load_employers(session, None)
    by_name = {row.name: row for row in session.scalars(select(Organisation))}
    chain = queries.organisation_chain(session)
    names = {row.id: row.name for row in by_name.values()}

    def path(name: str) -> list[str]:
        return [names[key] for key in chain[by_name[name].id]]

    assert path("中国农业科学院农业资源与农业区划研究所") == [
        "中国农业科学院农业资源与农业区划研究所",
        "中国农业科学院",
        "农业农村部",
    ]
    assert path("武汉大学") == ["武汉大学", "教育部"]
    assert path("苏州大学") == ["苏州大学", "江苏省人民政府"]
    codes = {
        "国务院发展研究中心": "110000",
        "沈阳农业大学": "210100",
        "北京建筑大学": "110000",
        "石河子大学": "659001",
    }
    assert {name: by_name[name].region_code for name in codes} == codes
    central = {"武汉大学": True, "苏州大学": False, "中国科学院南京土壤研究所": True}
    assert {name: by_name[name].central for name in central} == central
    before = len(by_name)
    assert operations.load_employers(session, None) == 0
    assert session.scalar(select(func.count(Organisation.id))) == before
    assert invariants.no_loops(session) == []


def test_chain_is_one_statement_and_survives_a_loop(session: Session) -> None:
    a = operations.create_organisation(session, None, name="甲测试单位", kind="institute")
    b = operations.create_organisation(session, None, name="乙测试单位", kind="institute", parent=a)
    a.parent_id = b.id
    operations.create_organisation(session, None, name="丙测试单位", kind="company")
    statements: list[str] = []
    engine = session.connection().engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    chains = queries.organisation_chain(session)
    assert len(statements) == 1
    assert chains[a.id] == (a.id, b.id) and chains[b.id] == (b.id, a.id)
    assert len(invariants.no_loops(session)) == 2


def test_places(session: Session) -> None:
    operations.load_regions(session, None)
    places = queries.Places(session)
    assert places.code("河北省三河市") == places.code("三河市") == places.code("131082") == "131082"
    assert places.code("陕西省榆林市府谷县") == places.code("榆林市府谷县") == "610822"
    assert places.code("朝阳区") is None  # Beijing and Changchun
    assert places.code("北京市朝阳区") == "110105"
    assert places.code("不存在的地方") is None


def test_person_is_encrypted_unique_and_masked(session: Session, keys: Any) -> None:
    person = operations.create_person(
        session,
        None,
        name=" 测 试 ",
        id_number="１１０１０５１９４９１２３１００２ｘ",
        phone="+86 100-0000-0001",
    )
    assert person.name == "测试"
    assert person.id_number and ID not in person.id_number
    assert keys.decrypt(person.id_number) == ID
    assert queries.masked_id(person, keys) == "1101**********002X"
    assert queries.masked_phone(person, keys) == "100****0001"
    assert queries.birth_date(person, keys) == date(1949, 12, 31)
    with pytest.raises(Conflict) as refused:
        operations.create_person(session, None, name="另一人", id_number=ID)
    assert "测试" in refused.value.text.zh and refused.value.field == "id_number"
    empty = operations.create_person(session, None, name="只有姓名")
    assert (queries.masked_id(empty, keys), queries.masked_phone(empty, keys)) == ("", "")
    assert invariants.indexes_fit(session) == []
    assert invariants.one_person_an_id(session) == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "测\ue000试"}, "name"),
        ({"name": "测试", "id_number": "110105194912310021"}, "id_number"),
        ({"name": "测试", "id_number": "1101051949"}, "id_number"),
        ({"name": "测试", "id_number": "999999199913010001"}, "id_number"),
        ({"name": "测试", "id_number": ID, "birth_date": date(1950, 1, 1)}, "birth_date"),
        ({"name": "测试", "phone": "12345"}, "phone"),
        ({"name": "测试", "birth_date": date(2020, 1, 1)}, "birth_date"),
    ],
)
def test_bad_personal_data_is_refused(session: Session, values: dict[str, Any], field: str) -> None:
    with pytest.raises(DomainError) as refused:
        operations.create_person(session, None, **values)
    assert refused.value.field == field
    assert session.scalar(select(func.count(Person.id))) == 0


def test_rare_character_is_kept_and_named() -> None:
    assert identity.name_warning("王小明") is None
    warning = identity.name_warning("王𰻝")
    assert warning is not None and "U+30EDD" in warning.zh and "U+30EDD" in warning.en
    assert identity.clean_name("王𰻝") == "王𰻝"


def test_change_person_records_fields_not_values(session: Session, keys: Any) -> None:
    person = operations.create_person(session, None, name="旧名", id_number=ID, phone="10000000001")
    changed = operations.change_person(session, None, person, name="新名", phone="10000000002")
    assert changed == ["name", "phone"]
    assert keys.decrypt(person.phone) == "10000000002"
    assert operations.change_person(session, None, person, phone="10000000002") == []
    last = session.scalars(select(Event).order_by(Event.seq.desc())).first()
    assert last is not None and json.loads(last.payload)["data"]["fields"] == "name,phone"
    assert "10000000002" not in last.payload and "新名" not in last.payload
    assert operations.change_person(session, None, person, phone=None) == ["phone"]
    assert person.phone is None and person.phone_index is None


def test_posts_end_once_and_in_order(session: Session) -> None:
    person = operations.create_person(session, None, name="测试")
    place = operations.create_organisation(session, None, name="测试单位", kind="institute")
    post = operations.add_employment(
        session, None, person=person, organisation=place, since=date(2020, 1, 1)
    )
    with pytest.raises(DomainError):
        operations.end_employment(session, None, employment=post, until=date(2019, 12, 31))
    operations.end_employment(session, None, employment=post, until=date(2021, 1, 1))
    with pytest.raises(Conflict):
        operations.end_employment(session, None, employment=post, until=date(2022, 1, 1))
    assert session.get(Employment, post.id).until == date(2021, 1, 1)  # type: ignore[union-attr]
    assert invariants.posts_in_order(session) == []


def test_only_the_keeper_writes(session: Session, make: Any) -> None:
    for role in ("office", "supervisor", "expert", "presenter", "admin"):
        viewer = make.viewer(session, role)
        with pytest.raises(Forbidden):
            operations.create_person(session, viewer, name="测试")
        with pytest.raises(Forbidden):
            operations.create_organisation(session, viewer, name="测试", kind="company")
    keeper = make.viewer(session, "keeper")
    assert operations.create_person(session, keeper, name="测试").name == "测试"


def test_same_name_under_one_superior_is_refused(session: Session) -> None:
    above = operations.create_organisation(session, None, name="测试部", kind="government")
    operations.create_organisation(
        session, None, name="测试大学（北京）", kind="university", parent=above
    )
    with pytest.raises(Conflict):
        operations.create_organisation(
            session, None, name="测试大学(北京)", kind="university", parent=above
        )
    operations.create_organisation(session, None, name="测试大学（北京）", kind="university")


def test_region_list_filters_and_pages(session: Session, make: Any) -> None:
    operations.load_regions(session, None)
    keeper = make.viewer(session, "keeper")
    beijing = queries.regions(session, keeper, province="110000")
    assert beijing.total == 1 + 16 + 2  # the municipality, its districts, two former ones
    assert [r.code for r in queries.regions(session, keeper, search="府谷").rows] == ["610822"]
    assert queries.regions(session, keeper, search="%").total == 0
    last = queries.regions(session, keeper, page=10_000)
    assert last.number == last.pages and len(last.rows) == last.total - (last.pages - 1) * 50
    with pytest.raises(Forbidden):
        queries.regions(session, make.viewer(session, "expert"))


def test_no_employer_is_shipped_from_memory() -> None:
    """Every row names a published source; those of institutes stand in SOURCES.md too."""
    rows = list(snapshot._rows("employers.csv"))
    assert len(rows) == 86 and len({row["name"] for row in rows}) == 86
    listed = (snapshot.DATA / "SOURCES.md").read_text(encoding="utf-8")
    for row in rows:
        known = row["status"] == "moe-list-2017" and len(row["moe_code"]) == 10
        assert known or (row["status"] and f"| {row['name']} |" in listed), row["name"]
    assert "recalled" not in listed
