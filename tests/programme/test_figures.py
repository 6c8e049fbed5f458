"""Figures: two people, missing ones by name, tables all or nothing, points of a class."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import openpyxl
import pytest

from app.domain.scoring.formulas import MissingFigure
from app.domain.types import Conflict, DomainError, Forbidden
from app.programme import operations, queries

from .conftest import fill_figures

HEADS = ("区县", "数据项", "数值", "单位", "年份", "来源")


def enter(session, who, subject, key="gdp23_wan", value="100", **more):
    given = {"unit": "", "year": 2011, "source": "统计年鉴 第3页"} | more
    return operations.enter_figure(session, who, subject, key, value, **given)


def test_whoever_entered_does_not_confirm(session, people, round_, districts):
    figure = enter(session, people["office"], districts["海淀区"])
    assert (figure.value, figure.unit, figure.entered_by) == (
        Decimal(100),
        "万元",
        people["office"].id,
    )
    for who in (people["office"], people["supervisor"], None):
        with pytest.raises(Forbidden):
            operations.confirm_figure(session, who, figure)
    assert figure.confirmed_at is None
    operations.confirm_figure(session, people["second"], figure)
    assert figure.confirmed_by == people["second"].id
    with pytest.raises(Conflict):
        operations.confirm_figure(session, people["second"], figure)
    enter(session, people["second"], districts["海淀区"], value="101")
    assert (figure.value, figure.confirmed_by, figure.entered_by) == (
        Decimal(101),
        None,
        people["second"].id,
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"key": "unknown"}, "key"),
        ({"value": "12a"}, "value"),
        ({"value": "1e3"}, "value"),
        ({"value": "-1"}, "value"),
        ({"value": ""}, "value"),
        ({"unit": "元"}, "unit"),
        ({"year": 1800}, "year"),
        ({"source": ""}, "source"),
    ],
)
def test_a_wrong_part_is_named(session, people, round_, districts, change, field):
    with pytest.raises(DomainError) as caught:
        enter(session, people["office"], districts["海淀区"], **change)
    assert caught.value.field == field
    assert queries.figures_of(session, round_)[districts["海淀区"].id] == {}


def test_full_width_digits_and_commas_are_understood(session, people, round_, districts):
    figure = enter(session, people["office"], districts["海淀区"], value="１，２３４．５０")
    assert str(figure.value) == "1234.50"


def test_two_people_at_one_figure(session, people, round_, districts):
    enter(session, people["office"], districts["海淀区"], value="100", seen="")
    with pytest.raises(Conflict):
        enter(session, people["second"], districts["海淀区"], value="200", seen="")
    assert queries.figures_of(session, round_)[districts["海淀区"].id]["gdp23_wan"].value == 100
    enter(session, people["second"], districts["海淀区"], value="200", seen="100")


def test_missing_figures_are_named_by_county_item_and_key(session, people, round_, districts):
    missing = queries.missing_figures(session, round_)
    assert (districts["东城区"], "tax_wan", "A2") in missing
    assert (districts["海淀区"], "gdp23_wan", "A1") in missing
    assert not any(key == "tax_wan" and s.name_zh != "东城区" for s, key, _ in missing)
    assert not any(item.startswith("B") for _, _, item in missing)  # nobody has mines
    assert not any(key.startswith("illegal") for _, key, _ in missing)  # an opinion decides
    enter(session, people["office"], districts["东城区"], key="tax_wan")
    assert (districts["东城区"], "tax_wan", "A2") not in queries.missing_figures(session, round_)


def test_computing_stops_at_a_missing_or_unconfirmed_figure(
    session, people, round_, districts, says
):
    fill_figures(session, people["office"], people["second"], round_)
    assert queries.missing_figures(session, round_) == []
    changed = enter(session, people["office"], districts["丰台区"], key="gdp23_wan", value="77")
    with pytest.raises(DomainError) as caught:
        queries.computed_points(session, round_, "desk")
    assert "丰台区" in says(caught) and "gdp23_wan" in says(caught)
    operations.confirm_figure(session, people["second"], changed)
    points = queries.computed_points(session, round_, "desk")
    assert set(points) == {s.id for s in districts.values()}
    del points
    operations.withdraw_subject(session, people["office"], districts["怀柔区"], "退出")
    assert districts["怀柔区"].id not in queries.computed_points(session, round_, "desk")


def test_a_missing_figure_is_never_zero(session, people, round_, districts, says):
    with pytest.raises(MissingFigure) as caught:
        queries.computed_points(session, round_, "desk")
    assert "海淀区" in says(caught) and "gdp23_wan" in says(caught)
    assert "Haidian District" in says(caught)


def test_points_of_a_class_by_hand(session, people, round_, districts):
    """A1 of class I is 8 x (v - low) / (high - low) of gdp23 / construction land."""
    fill_figures(session, people["office"], people["second"], round_)
    values = {"海淀区": "400", "丰台区": "300", "顺义区": "250", "平谷区": "100", "怀柔区": "200"}
    for name, value in values.items():
        for key, number in (("gdp23_wan", value), ("construction_land_ha", "100")):
            figure = enter(session, people["office"], districts[name], key=key, value=number)
            operations.confirm_figure(session, people["second"], figure)
    points = queries.computed_points(session, round_, "desk")
    got = {name: points[districts[name].id]["A1"]["points"] for name in values}
    assert got == {
        "海淀区": Decimal("8.00"),
        "丰台区": Decimal("5.33"),
        "顺义区": Decimal("4.00"),
        "平谷区": Decimal("0.00"),
        "怀柔区": Decimal("2.67"),
    }
    row = points[districts["丰台区"].id]["A1"]
    assert [(i["key"], i["value"]) for i in row["inputs"]] == [
        ("construction_land_ha", Decimal(100)),
        ("gdp23_wan", Decimal(300)),
    ]
    assert "1" in row["explanation"].zh and "4" in row["explanation"].en
    operations.withdraw_subject(session, people["office"], districts["平谷区"], "退出")
    again = queries.computed_points(session, round_, "desk")
    assert again[districts["怀柔区"].id]["A1"]["points"] == Decimal("0.00")  # the new lowest


def test_survey_without_a_form_is_none(session, people, round_, districts):
    assert queries.survey_score(session, round_, districts["海淀区"]) is None


def table(*rows):
    text = io.StringIO()
    csv.writer(text).writerows([HEADS, *rows])
    return text.getvalue().encode()


def test_import_checks_every_row_first(session, people, round_, districts):
    bad = table(
        ("海淀区", "gdp23_wan", "500", "万元", "2011", "年鉴"),
        ("朝阳区", "gdp23_wan", "500", "", "2011", "年鉴"),
        ("海淀区", "nothing", "500", "", "2011", "年鉴"),
        ("海淀区", "gdp23_wan", "600", "", "2011", "年鉴"),
        ("丰台区", "gdp23_wan", "many", "", "2011", "年鉴"),
        ("丰台区", "tax_wan", "1", "", "11", "年鉴"),
        ("顺义区", "gdp23_wan", "1", "", "2011", ""),
    )
    plan = operations.plan_figures(session, people["office"], round_, bad, "figures.csv")
    assert [(p.row, p.column) for p in plan.problems] == [
        (3, "county"),
        (4, "key"),
        (5, "key"),
        (6, "value"),
        (7, "year"),
        (8, "source"),
    ]
    with pytest.raises(DomainError) as caught:
        operations.import_figures(session, people["office"], round_, bad, "figures.csv")
    assert caught.value.field == "file" and "6" in caught.value.text.zh
    assert queries.figures_of(session, round_)[districts["海淀区"].id] == {}


def test_import_enters_all_and_leaves_what_is_the_same(session, people, round_, districts):
    rows = [
        ("海淀区", "gdp23_wan", "500.5", "万元", "2011", "年鉴"),
        ("110106", "construction_land_ha", "７０", "", "", "变更调查"),
    ]
    operations.import_figures(session, people["office"], round_, table(*rows), "a.csv")
    have = queries.figures_of(session, round_)
    haidian = have[districts["海淀区"].id]["gdp23_wan"]
    assert (haidian.value, haidian.year) == (Decimal("500.5"), 2011)
    assert have[districts["丰台区"].id]["construction_land_ha"].value == Decimal(70)
    operations.confirm_figure(session, people["second"], haidian)
    rows[1] = ("110106", "construction_land_ha", "71", "", "", "变更调查")
    plan = operations.import_figures(session, people["office"], round_, table(*rows), "a.csv")
    assert [row.subject.name_zh for row in plan.changes] == ["丰台区"]
    assert haidian.confirmed_by == people["second"].id
    with pytest.raises(Forbidden):
        operations.import_figures(session, people["presenter"], round_, table(*rows), "a.csv")


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x02", b"a,b\n1,2\n"])
def test_a_file_that_is_no_table_of_figures(session, people, round_, districts, data):
    with pytest.raises(DomainError):
        operations.plan_figures(session, people["office"], round_, data, "x.csv")


def test_a_workbook_gives_the_digits_that_were_typed(session, people, round_, districts):
    book = openpyxl.Workbook()
    book.active.append(["County", "Key", "Value", "Unit", "Year", "Source"])
    book.active.append(["Haidian District", "illegal_arable_ratio", 0.1, None, 2011, "yearbook"])
    book.active.append(["丰台区", "gdp23_wan", "1,234.5", "万元", "2011", "年鉴"])
    data = io.BytesIO()
    book.save(data)
    operations.import_figures(session, people["office"], round_, data.getvalue(), "figures.xlsx")
    have = queries.figures_of(session, round_)
    assert str(have[districts["海淀区"].id]["illegal_arable_ratio"].value) == "0.1"
    assert have[districts["海淀区"].id]["illegal_arable_ratio"].year == 2011
    assert have[districts["丰台区"].id]["gdp23_wan"].value == Decimal("1234.5")
