"""The six districts of the exercise: classes from the notice, everything else invented.

京国土调〔2012〕485号: part 2 names the six, part 3 their classes, part 4 who guides whom. Figures,
facts and materials are invented (演练数据) and say nothing about the real districts.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

NOTICE = "京国土调〔2012〕485号"
NOTICE_TITLE = "北京市国土资源局关于开展第二届国土资源节约集约模范县（市）评选的通知"
BUREAU = "北京市国土资源局"
SOURCE = "演练数据（虚构）"
YEAR = 2011
CLASS_BASIS = {
    "I": f"{NOTICE}第三部分：海淀区、丰台区、顺义区、平谷区和怀柔区属于Ⅰ类地区",
    "II": f"{NOTICE}第三部分：东城区属于Ⅱ类地区",
}
DEPARTMENTS = ("办公室", "执法总队", "人事处", "调控和监测处", "监察处", "机关党委")
GUIDANCE_BASIS = f"{NOTICE}第四部分 组织分工"

# Inputs of the forms in the order of `FIGURES_I`: per county, all invented.
FIGURES_I = (
    "gdp23_wan", "construction_land_ha", "urban_land_m2", "urban_pop", "new_construction_ha",
    "gdp_growth_wan", "fixed_investment_wan", "land_per_gdp_now", "land_per_gdp_prev",
    "supplied_ha", "approved_ha", "disposed_ha", "idle_ha",
)  # fmt: skip
FIGURES_MINES = ("mines_meeting_recovery", "mines_assessed", "mines_meeting_dressing")
FIGURES_II = ("gdp23_wan", "construction_land_ha", "tax_wan", "stock_supply_ha", "total_supply_ha")
FIGURES_VETO = ("illegal_arable_mu", "illegal_arable_ratio", "mass_illegal_mining_cases_3y")


@dataclass(frozen=True)
class District:
    """One applicant. `quality` is the level (0 to 1) around which invented marks lie."""

    code: str
    name: str
    region_class: str
    guides: tuple[str, ...]
    has_mines: bool
    figures: dict[str, str]
    quality: Decimal
    presenter: str
    theme: str

    @property
    def login(self) -> str:
        return f"presenter-{self.code}"


def _figures(names: tuple[str, ...], text: str) -> dict[str, str]:
    return dict(zip(names, text.split(), strict=True))


def _class_one(text: str, veto: str, mines: str = "") -> dict[str, str]:
    return {
        **_figures(FIGURES_I, text),
        **(_figures(FIGURES_MINES, mines) if mines else {}),
        **_figures(FIGURES_VETO, veto),
    }


DISTRICTS = (
    District(
        "110101", "东城区", "II", ("办公室", "执法总队"), False,
        _figures(FIGURES_II, "12100000 4100 2255000 36.4 44.8") | _figures(FIGURES_VETO, "0 0 0"),
        Decimal("0.86"), "钱拟述一", "老城低效空间更新与地下空间综合利用",
    ),
    District(
        "110108", "海淀区", "I", ("办公室", "执法总队"), False,
        _class_one(
            "16200000 24600 213500000 3120000 262 3890000 6120000 78.8 84.1 918 1120 46.2 48.0",
            "18.6 0.021 0",
        ),
        Decimal("0.90"), "孙拟述二", "园区存量用地二次开发",
    ),
    District(
        "110106", "丰台区", "I", ("人事处", "调控和监测处"), False,
        _class_one(
            "11260000 20900 176800000 2080000 305 842000 5330000 246.0 262.7 702 1060 61.5 70.1",
            "35.2 0.034 0",
        ),
        Decimal("0.82"), "周拟述三", "批次用地供应与闲置土地处置",
    ),
    District(
        "110113", "顺义区", "I", ("监察处", "机关党委"), False,
        _class_one(
            "12870000 30200 95600000 905000 418 1265000 5170000 303.5 325.4 1204 1580 88.0 91.5",
            "52.0 0.047 0",
        ),
        Decimal("0.88"), "吴拟述四", "临空经济区项目用地全程管理",
    ),
    # 120 mu but 8 %: under the notice both limits must be passed, so this is no veto.
    District(
        "110117", "平谷区", "I", ("监察处", "机关党委"), True,
        _class_one(
            "4382000 12600 31860000 362000 196 468000 2150000 885.7 947.3 371 605 22.4 24.9",
            "120 0.08 0", "18 21 17",
        ),
        Decimal("0.79"), "郑拟述五", "废弃矿山修复与村庄集约用地",
    ),
    District(
        "110116", "怀柔区", "I", ("人事处", "调控和监测处"), True,
        _class_one(
            "4795000 11900 32100000 334000 171 314000 1920000 653.0 690.2 402 590 19.8 20.6",
            "9.4 0.018 0", "11 12 10",
        ),
        Decimal("0.84"), "冯拟述六", "生态涵养区节约集约用地与矿山治理",
    ),
)  # fmt: skip
BY_CODE = {district.code: district for district in DISTRICTS}


def outline(district: District) -> str:
    """The invented outline of a district's statement."""
    return (
        f"（演练陈述提纲，内容虚构）{district.name}围绕“{district.theme}”汇报：一、创建工作机构、"
        "人员和经费情况；二、节约集约指标的变化和数据来源；三、做法、成效和可推广的经验；"
        "四、存在的问题和下一步安排。"
    )


def questions(district: District) -> str:
    """The invented questions and answers."""
    return (
        "问：申报数据与年度变更调查是否一致，差异如何处理？\n"
        f"答：{district.name}逐项核对，差异已在申报材料中说明，并附台账页码。（演练）\n"
        f"问：“{district.theme}”中最难推广的一环是什么？\n"
        "答：涉及多个部门的联合审批，已形成会商制度和时限要求。（演练）"
    )
