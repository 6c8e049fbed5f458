"""The invented people and marks: the same on every run, nobody real, on every item's grid."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from app.domain.scoring.instrument import FormContext, compile_form
from app.domain.scoring.library import read_files
from app.domain.scoring.schema import parse_form
from app.domain.scoring.sheets import check_sheet, sheet_items, sheet_points
from app.exercise import marks
from app.exercise.ceremony import DICE, dice
from app.exercise.county import DISTRICTS
from app.exercise.people import ORDINARY, employing, invented_name, ordinary
from app.scoring.entries import merged

TODAY = date(2026, 3, 2)


def test_names_are_plainly_invented_and_fixed() -> None:
    people = ordinary(TODAY)
    assert people == ordinary(TODAY)
    assert len(people) == ORDINARY == 312
    assert len({one.name for one in people}) == len({one.phone for one in people}) == ORDINARY
    assert all(one.name[1] == "拟" and len(one.name) == 5 for one in people)
    assert {one.employer for one in people} == {spec.name for spec in employing()}
    assert len(employing()) == 104
    assert invented_name(37).endswith("拟零三七")


def test_ordinary_people_are_within_the_limits_of_the_pool_rules() -> None:
    for one in ordinary(TODAY):
        assert 42 <= TODAY.year - one.birth_date.year <= 63
        assert TODAY.year - one.career_start >= 8 and one.title_rank >= 3
        assert one.since <= TODAY


def test_dice_are_fifty_faces() -> None:
    for name in DICE:
        throws = dice(name)
        assert len(throws) == 50 and set(throws) <= set(range(1, 7))


def test_classes_are_those_of_the_notice() -> None:
    classes = {district.name: district.region_class for district in DISTRICTS}
    assert classes == {
        "东城区": "II", "海淀区": "I", "丰台区": "I", "顺义区": "I", "平谷区": "I", "怀柔区": "I",
    }  # fmt: skip
    guides = {district.name: district.guides for district in DISTRICTS}
    assert guides["东城区"] == guides["海淀区"] == ("办公室", "执法总队")
    assert guides["丰台区"] == guides["怀柔区"] == ("人事处", "调控和监测处")
    assert guides["平谷区"] == guides["顺义区"] == ("监察处", "机关党委")


def test_marks_seal_every_sheet_at_every_quality() -> None:
    sources = read_files(None)
    for name in ("mlr15-desk-I", "mlr15-desk-II", "mlr15-site"):
        form = parse_form(sources[f"forms/{name}.yaml"])
        for mines in (True, False):
            instrument = compile_form(form, FormContext({"has_mines": mines}))
            items = sheet_items(instrument)
            totals = []
            for quality in ("0.35", "0.55", "0.79", "0.90", "0.99"):
                typed = marks.changes(items, "E0007", "110108", Decimal(quality))
                entries = merged(items, {}, typed)
                assert check_sheet(instrument, entries) == [], (name, quality)
                totals.append(sheet_points(instrument, entries).marked)
            assert totals == sorted(totals) and totals[0] < totals[-1]
