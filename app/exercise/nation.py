"""The counties of the national exercise: a rule chooses them, everything about them is invented.

How many each province declares is the ladder of the scheme (the 2015 edition: 3 below 40 counties,
4 below 90, 5 below 110, else 6), counted on the product's own snapshot of regions. Which ones they
are is even spacing down the list of codes and says nothing about any of them; class, figures,
qualities and materials likewise follow from the code alone (演练数据).
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from app.directory import snapshot
from app.domain.types import Text
from app.exercise.county import FIGURES_I, FIGURES_II, FIGURES_MINES, FIGURES_VETO, District
from app.exercise.crew import Row
from app.exercise.people import invented_name, share
from app.programme.scheme import library_schemes

SCHEME = "mlr-model-county-2015"
QUOTA = "declare"
FIRST_PRESENTER = 7000  # number of the first presenter's invented name
MINES = 3_500  # of 10,000 class I counties have mines
CLASS_BASIS = {
    "I": "演练规则：县、县级市、旗等按Ⅰ类地区（与实际分类无关）",
    "II": "演练规则：市辖区按Ⅱ类地区（与实际分类无关）",
}
NOTE = Text(
    "演练。按评选考核办法（2015年）的申报名额阶梯和区划快照，在每个省的代码表上等距取县，与任何实际申报、评选结果无关。"
    "地区类别、专家、数据、材料、分数均为虚构，结果不具效力。",
    "Exercise. Counties are taken at even distances down each province's list of codes, as many as the "
    "ladder of the measures of 2015 allows; this has nothing to do with any real declaration or result. "
    "Classes, experts, figures, materials and marks are invented; the result has no effect.",
)
THEMES = (
    "存量用地二次开发", "批次用地供应与闲置土地处置", "开发区用地全程管理", "废弃矿山修复与村庄集约用地",
    "城市低效空间更新", "耕地保护与高标准农田建设",
)  # fmt: skip
# Per figure the least and the greatest invented value, and its decimals.
_RANGES: dict[str, tuple[int, int | Decimal, int]] = {
    "gdp23_wan": (900_000, 9_000_000, 0), "construction_land_ha": (4_000, 32_000, 0),
    "urban_land_m2": (20_000_000, 90_000_000, 0), "urban_pop": (180_000, 900_000, 0),
    "new_construction_ha": (90, 420, 0), "gdp_growth_wan": (180_000, 1_300_000, 0),
    "fixed_investment_wan": (1_500_000, 6_000_000, 0), "land_per_gdp_now": (200, 900, 1),
    "land_per_gdp_prev": (910, 960, 1), "supplied_ha": (380, 700, 0), "approved_ha": (720, 990, 0),
    "disposed_ha": (14, 30, 1), "idle_ha": (30, 36, 1), "mines_meeting_recovery": (14, 19, 0),
    "mines_assessed": (20, 22, 0), "mines_meeting_dressing": (14, 19, 0),
    "tax_wan": (300_000, 2_400_000, 0), "stock_supply_ha": (12, 40, 1),
    "total_supply_ha": (41, 80, 1), "illegal_arable_mu": (0, 90, 1),
    "illegal_arable_ratio": (0, Decimal("0.08"), 3), "mass_illegal_mining_cases_3y": (0, 0, 0),
    "awareness_pct": (55, 92, 1), "satisfaction_pct": (60, 96, 1), "respondents": (400, 900, 0),
}  # fmt: skip
FIGURES_SURVEY = ("awareness_pct", "satisfaction_pct", "respondents")


def quotas() -> dict[str, int]:
    """Province -> how many counties it declares by the scheme's ladder, in code order."""
    ladder = next(q for q in library_schemes()[SCHEME][0].quotas if q.id == QUOTA).steps
    return {
        province: next(s.counties for s in ladder if s.below is None or len(rows) < s.below)
        for province, rows in _counties().items()
    }


def _counties() -> dict[str, list[tuple[str, str, str]]]:
    """Province -> (code, name, kind) of its counties, by code. A county is no province and no
    prefecture: its code does not end in 00."""
    found: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for code, name, kind, _ in sorted(snapshot.regions()):
        if not code.endswith("00"):
            found[code[:2] + "0000"].append((code, name, kind))
    return dict(found)


def places() -> list[tuple[str, str, str]]:
    """(code, name, kind) of the counties that the rule takes, by code."""
    known = _counties()
    return [row for province, n in quotas().items() for row in spaced(known[province], n)]


def spaced(rows: list[Row], count: int) -> list[Row]:
    """`count` of the rows at even distances, each from the middle of its part."""
    return [rows[(2 * n + 1) * len(rows) // (2 * count)] for n in range(count)]


def districts(count: int) -> tuple[District, ...]:
    """`count` of the counties at even distances (all of them at most)."""
    chosen = spaced(places(), count)
    return tuple(_one(number, *row) for number, row in enumerate(chosen))


def _one(number: int, code: str, name: str, kind: str) -> District:
    region_class = "II" if kind == "市辖区" else "I"
    mines = region_class == "I" and share("mines", code) < MINES
    keys = FIGURES_I if region_class == "I" else FIGURES_II
    keys = (*keys, *(FIGURES_MINES if mines else ()), *FIGURES_VETO, *FIGURES_SURVEY)
    quality = Decimal(62 + share("quality", code) * 31 // 10_000) / 100
    return District(
        code, name, region_class, (), mines, {key: _figure(key, code) for key in keys}, quality,
        invented_name(FIRST_PRESENTER + number), THEMES[share("theme", code) % len(THEMES)],
    )  # fmt: skip


def _figure(key: str, code: str) -> str:
    low, high, decimals = _RANGES[key]
    steps = int((high - low) * 10**decimals)
    value = low * 10**decimals + share(key, code) * steps // 10_000
    return str(Decimal(value).scaleb(-decimals))


def batches(found: tuple[District, ...], panels: int) -> list[list[str]]:
    """The codes of each panel's counties: neighbours in the list, numbers as even as can be."""
    ends = [n * len(found) // panels for n in range(panels + 1)]
    return [[d.code for d in found[a:b]] for a, b in zip(ends, ends[1:], strict=False)]
