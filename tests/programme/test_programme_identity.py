"""A zone is itself however it is spelled, and a county through its renaming."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.directory.models import Region, RegionChange
from app.ledger.append import append
from app.programme.identity import Units, zone_key
from app.programme.models import Subject
from app.programme.zones import zone_code
from tests.draw.builders import make_round

COUNTY, ABOVE = ("府谷县",), ("陕西省", "榆林市")
ONE = (
    "府谷经济开发区", "府谷县经济开发区", "府谷经济技术开发区", "府谷经开区", "府谷 开发区",
    "陕西府谷经济开发区", "陕西省榆林市府谷县经济开发区", "府谷（省级）经济开发区", "府谷·经济开发区",
    "国家级府谷经济技术开发区", "府谷县　经济开发区",
)  # fmt: skip
OTHERS = (
    "府谷高新区", "府谷工业园区", "府谷新城经济开发区", "府谷第二经济开发区", "府谷产业集聚区",
    "府谷现代物流产业园", "神木经济开发区", "榆林经济开发区", "陕西省经济技术开发区",
)  # fmt: skip
SAME = (
    ("府谷高新区", "府谷高新技术产业开发区"),
    ("府谷产业集聚区", "府谷产业聚集区"),
    ("府谷工业园", "府谷县工业集中区"),
    ("ＡＢＣ产业园", "abc 产业园区"),
    ("府谷第二经济开发区", "府谷第2经开区"),
)


@pytest.mark.parametrize("name", ONE)
def test_spellings_of_one_zone(name: str) -> None:
    assert zone_key(name, COUNTY, ABOVE) == zone_key(ONE[0], COUNTY, ABOVE) == "|经开"


def test_other_zones_are_others() -> None:
    keys = {zone_key(name, COUNTY, ABOVE) for name in (ONE[0], *OTHERS)}
    assert len(keys) == 1 + len(OTHERS)
    assert all(zone_key(a, COUNTY, ABOVE) == zone_key(b, COUNTY, ABOVE) for a, b in SAME)
    # A word that happens to begin a name is not taken away bit by bit.
    assert (
        zone_key("府谷湾产业园", COUNTY, ABOVE)
        == "湾|产业"
        != zone_key("湾里产业园", COUNTY, ABOVE)
    )
    assert zone_key("榆林市高新区", COUNTY, ABOVE) == zone_key("陕西榆林高新区", COUNTY, ABOVE)
    assert zone_key("经济开发区", COUNTY, ABOVE) == "|经开"


def region(code: str, name: str) -> Region:
    return Region(code=code, name=name, kind="县", parent_code=None, source="测试")


@pytest.fixture
def places(session: Session) -> Session:
    session.add_all(
        [region("610000", "陕西省"), region("610800", "榆林市"), region("610822", "府谷县")]
    )
    session.flush()
    append(session, None, "test.regions")
    return session


def zone(session: Session, round_: Any, position: int, code: str, name: str) -> Subject:
    row = Subject(
        position=position, region_code=code, name_zh=name, name_en=name, region_class="",
        class_basis="测试", facts={}, status="qualified", kind="economic_development_zone",
        parent_code="610822",
    )  # fmt: skip
    round_.subjects.append(row)
    session.flush()
    append(session, None, "test.zone")
    return row


def test_a_zone_keeps_its_code_however_it_is_typed(places: Session) -> None:
    round_ = make_round(places)
    assert zone_code(places, "610822", "府谷经济开发区") == "610822Z1"
    zone(places, round_, 3, "610822Z1", "府谷经济开发区")
    zone(places, round_, 4, "610822Z2", "府谷高新区")
    assert [zone_code(places, "610822", name) for name in ONE] == ["610822Z1"] * len(ONE)
    assert zone_code(places, "610822", "府谷县高新技术产业开发区") == "610822Z2"
    assert zone_code(places, "610822", "府谷工业园") == "610822Z3"
    assert zone_code(places, "610823", "府谷经济开发区") == "610823Z1"  # of another county


def test_two_codes_of_one_zone_are_one_unit(places: Session) -> None:
    """Entered before names were compared in this way: the codes differ, the unit does not."""
    round_ = make_round(places)
    first = zone(places, round_, 3, "610822Z1", "府谷经济开发区")
    second = zone(places, round_, 4, "610822Z2", "府谷县 经济技术开发区")
    other = zone(places, round_, 5, "610822Z3", "府谷高新区")
    units = Units(places)
    assert units.of(first) == units.of(second) != units.of(other)
    assert units.of(round_.subjects[0]) == "610822"


def test_a_county_is_itself_under_its_new_code(places: Session) -> None:
    def change(kind: str, old: list[str], new: list[str], day: int) -> RegionChange:
        return RegionChange(
            on=date(2012, 5, day), kind=kind, old_codes=old, new_codes=new, source="测试", note=""
        )

    places.add_all(
        [
            change("rename", ["610822"], ["610881"], 1), change("rename", ["610881"], ["610899"], 2),
            change("merge", ["610823", "610824"], ["610823"], 3),
            change("split", ["610825"], ["610825", "610826"], 4),
            change("redraw", ["610827"], ["610827"], 5),
        ]
    )  # fmt: skip
    places.add(region("610881", "府谷市"))
    places.flush()
    append(places, None, "test.changes")
    units = Units(places)
    assert [units.county(c) for c in ("610822", "610881", "610899")] == ["610822"] * 3
    assert [units.county(c) for c in ("610823", "610824", "610826", "610827")] == [
        "610823", "610824", "610826", "610827",
    ]  # fmt: skip
    assert units.zone("610881", "府谷市经开区") == units.zone("610822", "府谷县经济开发区")


def test_changes_in_a_circle_end() -> None:
    rows = [SimpleNamespace(old_codes=["1"], new_codes=["2"]),
            SimpleNamespace(old_codes=["2"], new_codes=["1"])]  # fmt: skip
    session: Any = SimpleNamespace(scalars=lambda _query: rows)
    assert Units(session).county("1") in ("1", "2")
