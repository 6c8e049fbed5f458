"""An industrial cluster takes part beside the counties (S3 一, 二: each year one of each)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from app.aggregation.reading import Reading
from app.directory.models import Employment, Organisation, Region
from app.domain.types import DomainError
from app.draw.facts_subjects import subject_facts
from app.draw.pool import assess
from app.ledger.append import append
from app.programme import figure_import, zones
from app.programme import operations as programme
from app.programme.models import Round, Subject
from app.report.check_sections import check_blocks
from tests.conftest import Make
from tests.schemes import builders
from tests.schemes.builders import figures, give, off, sit, small
from tests.schemes.test_new_pages import client_of, words


def with_zones(session: Any, make: Any, monkeypatch: Any) -> builders.Small:
    """Two counties, a cluster in the first and a development zone in the second."""
    opening = programme.open_round

    def open_later(session: Any, actor: Any, round_: Round) -> None:
        for code, kind, name in (
            ("110101", "industrial_cluster", "测试产业集聚区"),
            ("110108", "economic_development_zone", "测试经济开发区"),
        ):
            programme.add_subject(
                session, actor, round_, region_code=code, region_class="",
                class_basis="测试批复", kind=kind, name_zh=name, name_en=f"Zone in {code}",
                facts={"has_mines": False, "veto_level_violation": False},
            )  # fmt: skip
        opening(session, actor, round_)

    monkeypatch.setattr(programme, "open_round", open_later)
    made = small(session, make, "luohe-2010", counties=2)
    session.refresh(made.round)
    made.subjects = list(made.round.subjects)
    return made


def test_a_table_never_takes_a_zone_for_its_county(
    session: Any, make: Any, monkeypatch: Any
) -> None:
    """Both stand under one code in tables from elsewhere: the line names them and asks which."""
    made = with_zones(session, make, monkeypatch)
    office, zone = made.scored.office, made.subjects[2]

    def planned(*counties: str) -> Any:
        lines = "".join(f"{county},land_index,0.{n},测算\n" for n, county in enumerate(counties, 5))
        table = f"区县,数据项,数值,来源\n{lines}".encode()
        return programme.plan_figures(session, office, made.round, table, "f.csv")

    refused = planned("110101", "110101")
    assert [(p.row, p.column) for p in refused.problems] == [(2, "county"), (3, "county")]
    said = refused.problems[0].text
    assert "东城区（110101）、测试产业集聚区（110101Z1），请写名称" in said.zh
    assert "write the name" in said.en and "Zone in 110101 (110101Z1)" in said.en
    taken = planned("东城区", "测试产业集聚区", "110108Z1", "海淀区（110108）")
    assert taken.problems == ()
    assert [row.subject.region_code for row in taken.rows] == [
        "110101", "110101Z1", "110108Z1", "110108",
    ]  # fmt: skip
    zone.name_zh = "东城区"  # now the names are alike as well
    append(session, None, "test.name")
    named = planned("东城区", "东城区 (110101Z1)", "东城区（110101）")
    assert [(p.row, p.column) for p in named.problems] == [(2, "county")]
    assert [row.subject.region_code for row in named.rows] == ["110101Z1", "110101"]
    rows = figure_import.template_rows(session, made.round)[1]
    own = {row[0] for row in rows}
    assert {"东城区（110101）", "东城区（110101Z1）", "海淀区", "测试经济开发区"} == own


def test_luohe_one_county_and_one_cluster(session: Any, make: Any, monkeypatch: Any) -> None:
    made = with_zones(session, make, monkeypatch)
    assert [(s.region_code, s.kind, s.parent_code) for s in made.subjects] == [
        ("110101", None, None), ("110108", None, None),
        ("110101Z1", "industrial_cluster", "110101"),
        ("110108Z1", "economic_development_zone", "110108"),
    ]  # fmt: skip
    for place, index in enumerate(("0.8", "0.9", "0.7", "0.6")):
        figures(made, place, {"land_index": index})
        give(made, place, "selfcheck", "L5", {"vetoed": "no"})
        give(made, place, "select", "LC1", {"mark": "8.0", "reason": "测试"})
    sit(made, monkeypatch, "select", off("LB1", "15"))
    reading = Reading(made.run())
    # No mines: 40 x index carried to 60 (48, 54, 42, 36); + 14 + 10 + 7 + 8
    rows = {p.id: (p.group, p.rank, p.total) for p in reading.ranking()}
    assert rows == {
        "110108": ("county", "1", Decimal("93.00")),
        "110101": ("county", "2", Decimal("87.00")),
        "110101Z1": ("industrial_cluster", "1", Decimal("81.00")),
        # the notice gives zones no quota of their own: the scheme's setting puts them here
        "110108Z1": ("industrial_cluster", "2", Decimal("75.00")),
    }
    assert [(place.maximum, place.taken) for place in reading.places()] == [
        (1, ("110108",)), (1, ("110101Z1",)),
    ]  # fmt: skip
    assert reading.group_title("industrial_cluster").zh == "产业集聚区"
    said = " ".join(t.zh for t in reading.arithmetic("110101Z1"))
    assert "110101" not in said  # its code is not taken for that of its county
    assert "测试产业集聚区" in str(check_blocks(reading))


def test_the_conflict_rules_of_a_cluster_are_its_countys(
    session: Any, make: Any, monkeypatch: Any
) -> None:
    made = with_zones(session, make, monkeypatch)
    bureau = Organisation(name="测试东城局", kind="authority", region_code="110101", source="测试")
    session.add(bureau)
    session.flush()
    insider, _ = made.scored.experts[0]
    session.add(
        Employment(
            person_id=insider.person_id,
            organisation_id=bureau.id,
            post="科员",
            since=date(2005, 1, 1),
            until=None,
        )  # fmt: skip
    )
    append(session, None, "test.bureau")
    session.expire_all()
    cluster = next(s for s in made.round.subjects if s.kind == "industrial_cluster")
    facts = {f.code: f for f in subject_facts(session, made.round)}
    assert facts["110101Z1"].organisation_ids == facts["110101"].organisation_ids == {bureau.id}
    assert facts["110101Z1"].prefix(0) == "110101"
    assert facts["110101Z1"].is_meant("110101") and not facts["110101Z1"].is_meant("110108")
    request = {
        "panels": [
            {
                "id": "P1",
                "seats": 5,
                "subjects": [cluster.id],
                "dates": [],
                "quotas": {},
                "pair_limits": {},
                "mode": "lottery",
            }  # fmt: skip
        ]
    }
    found = assess(session, made.round, request)
    assert "C-01" in {b.rule for b in found.blocked if b.expert == insider.id}
    other, _ = made.scored.experts[1]
    assert "C-01" not in {b.rule for b in found.blocked if b.expert == other.id}


def test_a_scheme_of_counties_alone_admits_no_zone(session: Any, make: Any) -> None:
    made = small(session, make, "luohe-2010")
    assert set(zones.zone_kinds(made.round)) == {"industrial_cluster", "economic_development_zone"}
    round_ = programme.create_round(
        session, made.scored.office, slug="js", scheme_id="jiangsu-enforcement-2022",
        title_zh="测试", title_en="Test", kind="drill", review_on=date(2012, 11, 12),
        rule_overrides={},
    )  # fmt: skip
    assert zones.zone_kinds(round_) == {}
    with pytest.raises(DomainError) as refused:
        programme.add_subject(
            session, made.scored.office, round_, region_code="110101", region_class="",
            class_basis="测试", kind="economic_development_zone", name_zh="测试区",
        )  # fmt: skip
    assert "does not admit" in refused.value.text.en


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_office_adds_a_cluster(app: Any, database: Any, language: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    make = Make()
    with database.write() as session:
        office = make.viewer(session, "office")
        session.add(
            Region(code="110101", name="东城区", kind="市辖区", parent_code="110000", source="test")
        )
        append(session, None, "test.region")
        programme.load_forms(session, office)
        programme.create_round(
            session, office, slug="lh", scheme_id="luohe-2010", title_zh="测试", title_en="Test",
            kind="drill", review_on=date(2012, 11, 12), rule_overrides={},
        )  # fmt: skip
    client = client_of(app, database, office, language)
    page = words(client.get("/r/lh/counties"))
    assert ("产业集聚区" if language == "zh" else "Industrial cluster") in page
    data = {
        "kind": "industrial_cluster", "region_code": "110101", "class_basis": "测试批复",
        "region_class": "",
    }  # fmt: skip
    nameless = words(client.post("/r/lh/counties", data=data), 422)
    assert ("园区名称" if language == "zh" else "Name of the zone") in nameless
    sent = {**data, "name_zh": "测试产业集聚区", "name_en": "Test cluster"}
    assert client.post("/r/lh/counties", data=sent).status_code == 302
    assert client.post("/r/lh/counties", data=sent).status_code == 422  # not twice
    plain = {"kind": "", "region_code": "110101", "class_basis": "测试", "region_class": ""}
    assert client.post("/r/lh/counties", data=plain).status_code == 302
    with database.read() as session:
        rows = session.query(Subject).order_by(Subject.position).all()
        assert [(s.region_code, s.name_zh, s.kind, s.place_code) for s in rows] == [
            ("110101Z1", "测试产业集聚区", "industrial_cluster", "110101"),
            ("110101", "东城区", None, "110101"),
        ]  # fmt: skip
        first = rows[0].id
    shown = words(client.get(f"/r/lh/counties/{first}"))
    assert "110101Z1" in shown
    assert client.get(f"/r/lh/counties/{first}/facts").status_code == 200
