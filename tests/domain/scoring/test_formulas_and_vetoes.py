"""Class formulas with their printed frame, missing figures, and the AND/OR of vetoes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.domain.scoring.expressions import MissingValue
from app.domain.scoring.formulas import MissingFigure, compute_class, missing_figures
from app.domain.scoring.library import Library
from app.domain.scoring.measures import EntryError
from app.domain.scoring.sheets import sheet_points
from app.domain.scoring.vetoes import evaluate_veto, evaluate_vetoes
from app.domain.types import DomainError, Text
from tests.domain.scoring.invented import full_sheet

FIGURES = {
    "gdp23_wan": "3000000",
    "construction_land_ha": "10000",
    "urban_land_m2": "90000000",
    "urban_pop": "900000",
    "new_construction_ha": "100",
    "gdp_growth_wan": "200000",
    "fixed_investment_wan": "1000000",
    "land_per_gdp_now": "3.8",
    "land_per_gdp_prev": "4.0",
    "supplied_ha": "70",
    "approved_ha": "100",
    "disposed_ha": "0",
    "idle_ha": "0",
    "mines_meeting_recovery": "9",
    "mines_meeting_dressing": "8",
    "mines_assessed": "10",
}


def _class(instrument: Any, changes: dict[str, dict[str, str]], mines: bool = True) -> Any:
    forms = {name: instrument("mlr15-desk-I", has_mines=mines) for name in changes}
    return compute_class(forms, {name: {**FIGURES, **own} for name, own in changes.items()})


def test_min_max_in_a_class_of_three(instrument: Any) -> None:
    result = _class(
        instrument,
        {
            "甲": {"gdp23_wan": "2000000"},
            "乙": {"gdp23_wan": "3000000"},
            "丙": {"gdp23_wan": "5000000"},
        },
    )
    frame = result.frames["A1"]
    assert (frame.method, frame.count, frame.low, frame.high) == ("minmax_in_class", 3, 200, 500)
    points = {name: own["A1"].points for name, own in result.points.items()}
    assert points == {"甲": 0, "乙": Decimal("2.67"), "丙": 8}


def test_less_is_better_turns_the_scale_round(instrument: Any) -> None:
    result = _class(
        instrument,
        {
            n: {"urban_land_m2": v}
            for n, v in (("甲", "90000000"), ("乙", "99000000"), ("丙", "108000000"))
        },
    )
    assert [result.points[n]["A2"].points for n in "甲乙丙"] == [5, Decimal("2.5"), 0]


@pytest.mark.parametrize("size", [1, 2])
def test_a_small_class_uses_the_target_instead(instrument: Any, size: int) -> None:
    changes = {"甲": {"gdp23_wan": "1500000"}, "乙": {"gdp23_wan": "6000000"}}
    result = _class(instrument, dict(list(changes.items())[:size]))
    frame = result.frames["A1"]
    assert (frame.method, frame.count) == ("target_ratio", size)
    assert result.points["甲"]["A1"].points == 4
    if size == 2:
        assert result.points["乙"]["A1"].points == 8


def test_a_class_without_spread_uses_the_target_instead(instrument: Any) -> None:
    result = _class(instrument, {"甲": {}, "乙": {}, "丙": {}})
    assert result.frames["A1"].method == "target_ratio"
    assert {own["A1"].points for own in result.points.values()} == {8}


def test_dongcheng_is_a_class_of_one(library: Library, instrument: Any) -> None:
    scheme = library.schemes["beijing-2012-2nd"]
    sizes = {
        c.id: [d.name.zh for d in scheme.candidates if d.region_class == c.id]
        for c in scheme.region_classes
    }
    assert sizes == {"I": ["海淀区", "丰台区", "顺义区", "平谷区", "怀柔区"], "II": ["东城区"]}
    figures = {
        "gdp23_wan": "1500000",
        "construction_land_ha": "1000",
        "tax_wan": "600000",
        "stock_supply_ha": "9",
        "total_supply_ha": "10",
    }
    result = compute_class({"东城区": instrument("mlr15-desk-II")}, {"东城区": figures})
    points = {item: own.points for item, own in result.points["东城区"].items()}
    assert points == {"A1": 7, "A2": 9, "A4": 12}


def test_missing_figures_are_all_named_and_nothing_is_computed(instrument: Any) -> None:
    forms = {n: instrument("mlr15-desk-I", has_mines=False) for n in ("甲", "乙")}
    figures: dict[str, dict[str, object]] = {"甲": dict(FIGURES), "乙": dict(FIGURES)}
    del figures["乙"]["gdp23_wan"]
    figures["甲"]["idle_ha"] = None
    with pytest.raises(MissingFigure) as error:
        compute_class(forms, figures)
    assert {(m.subject, m.figure) for m in error.value.missing} == {
        ("甲", "idle_ha"),
        ("乙", "gdp23_wan"),
    }
    assert "二三产业增加值" in error.value.text.zh
    assert missing_figures(forms, {"甲": FIGURES, "乙": FIGURES}) == ()
    assert len(missing_figures(forms, {})) == 2 * 14


def test_figures_of_minerals_are_not_asked_for_without_mines(instrument: Any) -> None:
    form = instrument("mlr15-desk-I", has_mines=False)
    names = {m.figure for m in missing_figures({"甲": form}, {})}
    assert "mines_assessed" not in names and "gdp23_wan" in names


def test_stated_results_for_zero_denominators(instrument: Any) -> None:
    result = _class(
        instrument,
        {
            "甲": {"construction_land_ha": "0", "approved_ha": "0"},
            "乙": {"gdp_growth_wan": "-5"},
            "丙": {"idle_ha": "100", "disposed_ha": "95"},
            "丁": {"gdp_growth_wan": "0"},
        },
    )
    assert result.points["甲"]["A1"].outcome == "not_applicable"
    assert result.frames["A1"].count == 3
    assert result.points["甲"]["A6"].points is None
    assert result.points["乙"]["A3"].points == 0
    assert result.points["丁"]["A3"].points == 0
    assert result.points["甲"]["A7"].points == 6
    assert result.points["丙"]["A7"].points == 6


def test_computed_points_complete_a_sheet(instrument: Any) -> None:
    form = instrument("mlr15-desk-I", has_mines=True)
    result = compute_class({"甲": form}, {"甲": FIGURES})
    points = sheet_points(form, full_sheet(form), result.points["甲"])
    assert points.awaiting == ()
    expected = sum(own.points or 0 for own in result.points["甲"].values()) + Decimal("44.5")
    assert points.total == expected


def test_figures_outside_their_limits_are_refused(instrument: Any) -> None:
    for own in ({"gdp23_wan": "-1"}, {"urban_pop": "1.5"}, {"idle_ha": "many"}):
        with pytest.raises(EntryError):
            _class(instrument, {"甲": own})


def test_one_class_uses_one_version(instrument: Any) -> None:
    forms = {"甲": instrument("mlr15-desk-I", has_mines=True), "乙": instrument("mlr15-desk-II")}
    with pytest.raises(DomainError):
        compute_class(forms, {})


def test_the_survey_is_computed_and_a_small_sample_stops_it(instrument: Any) -> None:
    form = instrument("mlr15-survey")
    figures = {"awareness_pct": "80", "satisfaction_pct": "91.25", "respondents": "400"}
    result = compute_class({"甲": form}, {"甲": figures})
    assert result.points["甲"]["U1"].points == 32
    assert result.points["甲"]["U2"].points == Decimal("54.75")
    with pytest.raises(EntryError) as error:
        compute_class({"甲": form}, {"甲": {**figures, "respondents": "399"}})
    assert error.value.code == "sample_too_small"


def test_jiangsu_share_of_illegal_land_without_new_construction(instrument: Any) -> None:
    form = instrument("js22-13")
    base = {"rectified_cases": "0", "old_cases": "0"}
    for illegal, new, points in (("0", "0", 12), ("1", "0", 0), ("1", "100", 9), ("10", "100", 0)):
        own = {**base, "illegal_arable_mu": illegal, "new_construction_arable_mu": new}
        result = compute_class({"甲": form}, {"甲": own})
        assert result.points["甲"]["J09"].points == points
        assert result.points["甲"]["J10"].points == 9


def _veto(library: Library, scheme: str, veto: str) -> Any:
    return next(entry for entry in library.schemes[scheme].vetoes if entry.id == veto)


@pytest.mark.parametrize(
    ("mu", "ratio", "national", "jiangsu"),
    [
        ("120", "0.08", False, True),
        ("100", "0.10", True, True),
        ("99.99", "0.10", False, False),
        ("100", "0.0999", False, True),
        ("99.99", "0.15", False, True),
        ("99.99", "0.1499", False, False),
        ("200", "0.30", True, True),
    ],
)
def test_national_and_jiangsu_vetoes_differ(
    library: Library, mu: str, ratio: str, national: bool, jiangsu: bool
) -> None:
    values = {"illegal_arable_mu": Decimal(mu), "illegal_arable_ratio": Decimal(ratio)}
    for scheme in ("mlr-model-county-2015", "beijing-2012-2nd"):
        assert evaluate_veto(_veto(library, scheme, "V1"), values) is national
    assert evaluate_veto(_veto(library, "jiangsu-enforcement-2022", "JV2"), values) is jiangsu


def test_a_veto_with_an_unknown_figure_is_never_clear(library: Library) -> None:
    scheme = library.schemes["mlr-model-county-2015"]
    values = {"illegal_arable_mu": Decimal(5), "discipline_finding": False}
    states = {f.veto_id: (f.state, f.missing) for f in evaluate_vetoes(scheme.vetoes, values)}
    assert states == {
        "V1": ("missing", "illegal_arable_ratio"),
        "V2": ("missing", "mass_illegal_mining_cases_3y"),
        "V3": ("opinion", None),
        "V4": ("opinion", None),
        "V5": ("clear", None),
    }
    titles = {"illegal_arable_ratio": Text("违法占用比例", "share illegally occupied")}
    first, second, third, *_ = evaluate_vetoes(scheme.vetoes, values, titles)
    assert first.lacks == titles["illegal_arable_ratio"] and third.lacks is None
    assert second.lacks == Text.of("mass_illegal_mining_cases_3y")
    with pytest.raises(MissingValue):
        evaluate_veto(scheme.vetoes[0], values)
    with pytest.raises(ValueError, match="V3"):
        evaluate_veto(scheme.vetoes[2], values)


def test_the_rule_is_printed_with_its_limits(library: Library) -> None:
    scheme = library.schemes["jiangsu-enforcement-2022"]
    titles = {entry.name: entry.title for entry in (*scheme.figures, *scheme.facts)}
    finding = evaluate_vetoes([_veto(library, scheme.id, "JV2")], {}, titles)[0]
    assert finding.rule is not None
    assert finding.rule.zh == (
        "年度内违法占用耕地比例 ≥ 0.15（含） 或 年度内违法占用耕地面积（亩） ≥ 100（含）"
    )
    assert "≥ 0.15 (inclusive) or" in finding.rule.en


def test_an_interview_about_something_else_is_no_veto(library: Library) -> None:
    veto = _veto(library, "jiangsu-enforcement-2022", "JV3")
    facts = {
        "key_managed_for_land": False,
        "interviewed_for_land": False,
        "accountable_for_land": False,
    }
    assert not evaluate_veto(veto, facts)
    assert evaluate_veto(veto, {**facts, "interviewed_for_land": True})
