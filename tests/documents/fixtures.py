"""A plainly invented round: six counties, seven experts, two stages; used by every paper test."""

from __future__ import annotations

import hashlib
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from app.documents.charts import (
    CaterpillarRow,
    DotMark,
    DotRow,
    StratumRow,
    caterpillar,
    dot_strip,
    strata_bars,
)
from app.documents.qr import qr_svg

COUNTIES = ["甲山县", "乙水县", "丙川区", "丁原市", "戊林县", "己湖区"]
RATERS = [f"A{n}" for n in range(1, 8)]
STAGES = {"materials": "材料评审", "site": "实地考核"}
_CENT = Decimal("0.01")
HEAD = hashlib.sha256(b"a ledger that never was").hexdigest()


def half_up(value: Decimal) -> Decimal:
    return value.quantize(_CENT, ROUND_HALF_UP)


def marks_of(county: int, stage: int) -> list[Decimal | None]:
    """Seven marks between 70 and 96; one expert is absent from one county."""
    found: list[Decimal | None] = [
        Decimal(7000 + (county * 431 + stage * 977 + rater * 613) % 2600) / 100
        for rater in range(7)
    ]
    if county == 3 and stage == 1:
        found[4] = None
    return found


def dropped_of(marks: list[Decimal | None]) -> set[int]:
    present = sorted((m, i) for i, m in enumerate(marks) if m is not None)
    return {present[0][1], present[-1][1]}


def scores() -> dict[tuple[int, int], Decimal]:
    found = {}
    for county in range(6):
        for stage in range(2):
            marks = marks_of(county, stage)
            kept = [m for i, m in enumerate(marks) if m is not None and i not in dropped_of(marks)]
            found[county, stage] = half_up(sum(kept, Decimal(0)) / len(kept))
    return found


def totals() -> list[Decimal]:
    s = scores()
    return [half_up(s[c, 0] * Decimal("0.6") + s[c, 1] * Decimal("0.4")) for c in range(6)]


def marks_block(county: int) -> dict[str, Any]:
    items = []
    for stage, title in enumerate(STAGES.values()):
        marks = marks_of(county, stage)
        drop = dropped_of(marks)
        items.append(
            {
                "title": title,
                "max": "100",
                "marks": [
                    {"absent": "缺席"} if m is None else {"value": f"{m:.2f}", "dropped": i in drop}
                    for i, m in enumerate(marks)
                ],
                "present": str(sum(m is not None for m in marks)),
                "counted": str(sum(m is not None for m in marks) - 2),
                "mean": f"{scores()[county, stage]:.2f}",
            }
        )
    return {
        "kind": "marks",
        "by": "raters",
        "caption": f"{COUNTIES[county]} 各专家评分",
        "raters": RATERS,
        "items": items,
        "note": "划线并加 × 者按“去掉一个最高分、一个最低分”规则不计入；缺席不按零分计。",
    }


def arithmetic_block(county: int) -> dict[str, Any]:
    lines = []
    for stage, title in enumerate(STAGES.values()):
        marks = marks_of(county, stage)
        kept = [m for i, m in enumerate(marks) if m is not None and i not in dropped_of(marks)]
        lines.append(
            {
                "label": title,
                "expression": f"({' + '.join(f'{m:.2f}' for m in kept)}) ÷ {len(kept)}",
                "result": f"{scores()[county, stage]:.2f}",
            }
        )
    s = scores()
    lines.append(
        {
            "label": "综合得分",
            "expression": f"{s[county, 0]:.2f} × 0.60 + {s[county, 1]:.2f} × 0.40",
            "result": f"{totals()[county]:.2f}",
        }
    )
    return {"kind": "arithmetic", "lines": lines}


def signatures() -> list[dict[str, str]]:
    return [
        {"role": "评审组组长", "name": "测试甲"},
        {"role": "评审组成员", "name": "测试乙"},
        {"role": "监督人", "name": "测试丙", "time": "2012年11月6日", "note": "电子签署 3f9a…c2"},
    ]


def ledger() -> dict[str, Any]:
    url = f"https://review.example.invalid/check/{HEAD[:16]}"
    return {
        "head": HEAD,
        "size": "412",
        "time": "2012年11月6日 17:30（北京时间）",
        "url": url,
        "qr_svg": qr_svg(url),
    }


def report(language: str = "zh", drill: bool = True) -> dict[str, Any]:
    s, t = scores(), totals()
    order = sorted(range(6), key=lambda c: -t[c])
    strip = dot_strip(
        [
            DotRow(
                COUNTIES[c],
                [
                    DotMark(m, i in dropped_of(marks_of(c, 0)), RATERS[i])
                    for i, m in enumerate(marks_of(c, 0))
                    if m is not None
                ],
                s[c, 0],
            )
            for c in range(6)
        ]
    )
    rows = [
        CaterpillarRow(COUNTIES[c], t[c], t[c] - 2, t[c] + Decimal("1.5"), str(n))
        for n, c in enumerate(order, 1)
    ]
    return {
        "language": language,
        "title": {
            "zh": "国土资源节约集约模范县（市）创建活动第二届评选评审报告",
            "en": "Review report: second round of the model county selection",
        },
        "number": "测评〔2012〕1号",
        "issuer": {"zh": "创建活动办公室", "en": "Programme office"},
        "date": {"zh": "2012年11月6日", "en": "6 November 2012"},
        "drill": drill,
        "drill_note": {
            "zh": "本报告由演练数据生成：专家、单位与分数均为虚构，随机来源为事先公布的固定数值。",
            "en": "Made from rehearsal data: experts, employers and marks are invented.",
        },
        "sections": {
            "basis": [
                {
                    "kind": "paragraph",
                    "text": "根据评选考核办法，创建活动办公室从专家库中随机抽取七名专家组成评审组，对六个县（市、区）进行材料评审和实地考核。",
                },
                {
                    "kind": "facts",
                    "rows": [
                        {"label": "评审依据", "value": "《评选考核办法》第十六条"},
                        {"label": "时间、地点", "value": "2012年10月29日至11月6日，测试会议室"},
                        {
                            "label": "专家组产生方式",
                            "value": "PDRAW/1 随机抽取，方式 G；承诺值前16位 0f1e2d3c4b5a6978",
                        },
                        {"label": "有效专家", "value": "抽取 7 人，回避 0 人，缺席 1 人次"},
                    ],
                },
            ],
            "procedure": [
                {"kind": "heading", "level": 2, "text": "（一）程序"},
                {
                    "kind": "paragraph",
                    "text": "专家独立评分，封存后不得修改；更正另立版本并说明理由。",
                },
                {
                    "kind": "list",
                    "items": [
                        "签到、签署回避与保密承诺；",
                        "材料评审；",
                        "实地考核与陈述；",
                        "封存、汇总。",
                    ],
                },
                {"kind": "heading", "level": 2, "text": "（二）计分规则"},
                {
                    "kind": "paragraph",
                    "text": "每阶段按专家总分去掉一个最高分和一个最低分，其余取算术平均，四舍五入保留两位小数；综合得分为材料评审占60%、实地考核占40%。",
                },
            ],
            "qualification": [
                {
                    "kind": "table",
                    "caption": "否决事项审查意见",
                    "columns": [
                        {"title": "县（市、区）", "width": 2},
                        {"title": "违法占用耕地", "width": 2},
                        {"title": "闲置土地", "width": 2},
                        {"title": "结论", "width": 1, "align": "center"},
                    ],
                    "rows": [
                        [c, "未发现", "未发现", {"text": "通过", "bold": True}] for c in COUNTIES
                    ],
                    "note": "审查单位：测试执法处、测试利用处。",
                }
            ],
            "materials": [b for c in range(6) for b in (marks_block(c), arithmetic_block(c))],
            "site": [
                {
                    "kind": "paragraph",
                    "text": "六个县（市、区）均完成实地考核和现场陈述，记录见附件。",
                }
            ],
            "scores": [
                {
                    "kind": "chart",
                    "svg": strip,
                    "alt": "六个县材料评审评分分布",
                    "caption": "图 1　材料评审评分分布",
                },
                {
                    "kind": "agreement",
                    "rows": [
                        {
                            "name": "ICC(A,1)",
                            "value": "0.512",
                            "low": "0.201",
                            "high": "0.871",
                            "n": "6",
                            "k": "7",
                            "reading": "单个专家的一致性：中等",
                        },
                        {
                            "name": "ICC(A,k)",
                            "value": "0.880",
                            "low": "0.638",
                            "high": "0.979",
                            "n": "6",
                            "k": "7",
                            "reading": "七人均值的信度；下限低于 0.75，需说明排序区间",
                        },
                        {
                            "name": "Kendall W",
                            "value": "0.604",
                            "n": "6",
                            "k": "7",
                            "reading": "排序一致性",
                        },
                    ],
                    "note": "McGraw 与 Wong (1996) 双因素随机模型，绝对一致；只用双方均到齐的对象。",
                },
            ],
            "achievements": [
                {"kind": "paragraph", "text": "各县在存量建设用地盘活方面形成了可推广的做法。"}
            ],
            "problems": [{"kind": "paragraph", "text": "个别县基础资料年度不一致，建议统一口径。"}],
            "conclusion": [
                {
                    "kind": "table",
                    "caption": "综合得分与排序",
                    "columns": [
                        {"title": "名次", "width": "auto", "align": "center"},
                        {"title": "县（市、区）", "width": 2},
                        {"title": "材料评审", "width": 1, "align": "right"},
                        {"title": "实地考核", "width": 1, "align": "right"},
                        {"title": "综合得分", "width": 1, "align": "right"},
                        {"title": "90% 区间", "width": 2, "align": "center"},
                    ],
                    "rows": [
                        [
                            str(n),
                            COUNTIES[c],
                            f"{s[c, 0]:.2f}",
                            f"{s[c, 1]:.2f}",
                            {"text": f"{t[c]:.2f}", "bold": True},
                            f"{t[c] - 2:.2f} 至 {t[c] + Decimal('1.5'):.2f}",
                        ]
                        for n, c in enumerate(order, 1)
                    ],
                },
                {
                    "kind": "chart",
                    "svg": caterpillar(rows, t[order[3]]),
                    "alt": "综合得分与区间",
                    "caption": "图 2　综合得分、区间与入选线",
                },
            ],
            "dissent": [],
        },
        "annexes": [
            {
                "title": "分项评分",
                "blocks": [
                    {
                        "kind": "marks",
                        "by": "items",
                        "caption": "甲山县 材料评审分项评分",
                        "raters": RATERS,
                        "items": [
                            {
                                "code": f"1.{n}",
                                "title": "节约集约用地制度建设与落实情况",
                                "max": "10",
                                "marks": [
                                    {
                                        "value": f"{(n * 7 + r * 3) % 40 / 10 + 6:.1f}",
                                        "dropped": r in (n % 7, (n + 3) % 7),
                                    }
                                    for r in range(7)
                                ],
                                "counted": "5",
                                "mean": "8.10",
                            }
                            for n in range(1, 31)
                        ],
                    }
                ],
            }
        ],
        "signatures": signatures(),
        "ledger": ledger(),
    }


def draw_slip(language: str = "zh") -> dict[str, Any]:
    def person(n: int) -> dict[str, str]:
        return {
            "no": str(n), "stratum": "土地" if n % 2 else "矿产", "pseudonym": f"P{n:03d}",
            "name": f"测试专家{'甲乙丙丁戊己庚辛壬癸'[n - 1]}", "unit": "测试土地勘测规划院有限责任公司", "title": "研究员",
            "discipline": "土地利用规划", "phone": "138****0000",
            "ticket": hashlib.sha256(str(n).encode()).hexdigest()[:16],
        }  # fmt: skip

    strata = [
        {"name": "土地利用", "pool": "186", "excluded": "41", "eligible": "145", "seats": "4"},
        {"name": "矿产资源", "pool": "92", "excluded": "17", "eligible": "75", "seats": "2"},
        {"name": "政策法规", "pool": "34", "excluded": "9", "eligible": "25", "seats": "1"},
    ]
    bars = strata_bars(
        [
            StratumRow(r["name"], *(int(r[k]) for k in ("pool", "excluded", "eligible", "seats")))
            for r in strata
        ]
    )
    return {
        "language": language,
        "title": {"zh": "专家抽取记录表", "en": "Record of expert draw"},
        "number": "测抽〔2012〕1号",
        "drill": True,
        "facts": [
            {
                "label": {"zh": "届次与阶段", "en": "Round and stage"},
                "value": "第二届 材料评审与实地考核",
            },
            {"label": {"zh": "规则版本", "en": "Rule set"}, "value": "beijing-2012 第1版"},
            {
                "label": {"zh": "次数与方式", "en": "Attempt and mode"},
                "value": "第1次，方式 G（按签号）",
            },
        ],
        "strata": strata,
        "exclusions": [
            {"rule": "C-01", "title": "三年内同一单位或其上级单位", "count": "38"},
            {"rule": "C-09", "title": "地域回避", "count": "27"},
            {"rule": "C-04", "title": "近亲属", "count": "<5"},
        ],
        "sources": [
            {
                "name": "骰子",
                "kind": "sequence",
                "values": " ".join(str(n % 6 + 1) for n in range(50)),
            }
        ],
        "drawn": [person(n) for n in range(1, 8)],
        "reserves": [{"no": "1", "stratum": "土地", "pseudonym": "P008", "name": "测试专家辛"}],
        "calls": [
            {
                "time": "10月28日 15:02",
                "name": "测试专家乙",
                "channel": "电话",
                "outcome": "不能参加：时间冲突",
                "operator": "测试经办",
            }
        ],
        "replacements": [
            {
                "act": "2",
                "out": "测试专家乙",
                "reason": "时间冲突",
                "in": "测试专家辛",
                "ticket": "9f86d081884c7d65",
                "time": "10月28日 16:00",
            }
        ],
        "verify": [
            {"label": {"zh": "承诺值", "en": "Commitment"}, "value": HEAD},
            {"label": {"zh": "核验程序 SHA-256", "en": "Verifier SHA-256"}, "value": HEAD[::-1]},
        ],
        "charts": [{"svg": bars, "alt": "各类别在库、排除、合格与名额", "caption": "专家库构成"}],
        "note": "任何人可用核验程序独立重算本次抽取。",
        "signatures": [
            {"role": "抽取人", "name": ""},
            {"role": "监督人", "name": ""},
            {"role": "见证人", "name": ""},
        ],
        "ledger": ledger(),
    }


def sheet() -> dict[str, Any]:
    item = {
        "code": "1.1",
        "title": "制度建设",
        "standard": "制度健全并执行的得满分；缺一项扣2分",
        "max": "10",
        "score": "8.0",
        "reason": "缺一项",
        "evidence": "材料 3 第12页",
    }
    return {
        "language": "zh", "title": "专家评分表", "drill": False,
        "facts": [{"label": "评审对象", "value": "甲山县"}, {"label": "专家编号", "value": "A1"}],
        "sections": [{"title": "一、节约集约制度", "subtotal": "26.0", "max": "30", "items": [item, item, {**item, "code": "1.3", "score": "不适用"}]}],
        "deductions": [{"code": "Y05", "title": "用地规模超标", "points": "-3.0", "reason": "超标三项"}],
        "total": {"digits": "87.50", "words": "八十七点五分", "formula": "26.0 + 64.5 - 3.0 = 87.50"},
        "seal": {"time": "2012年11月1日 10:20", "hash": HEAD, "receipt": "K7QX-3M2P", "version": "1"},
        "signatures": [{"role": "评审专家"}],
        "ledger": ledger(),
    }  # fmt: skip


def letter(language: str = "zh") -> dict[str, Any]:
    return {
        "language": language, "title": {"zh": "回避与保密承诺书", "en": "Declaration of conflicts and secrecy"},
        "drill": False, "recipient": "创建活动办公室", "number": "测〔2012〕3号",
        "paragraphs": ["本人自愿参加评审，承诺如下。", {"heading": "一、保密"}, "不泄露评分、名单和讨论内容。", {"kind": "list", "items": ["不私下接触；", "不收受礼品。"]}],
        "checklist": [{"checked": True, "text": "无雇佣关系"}, {"checked": False, "text": "无亲属关系", "detail": "近亲属、近姻亲"}, {"checked": None, "text": "同意处理个人信息"}],
        "attachments": ["身份证明", "利益关系清单"], "issuer": "测试专家甲", "date": "2012年10月29日",
        "signatures": [{"role": "承诺人"}],
    }  # fmt: skip


def listing(orientation: str = "landscape", rows: int = 120) -> dict[str, Any]:
    return {
        "language": "zh", "title": "签到表", "subtitle": "第二届 材料评审", "orientation": orientation, "drill": False,
        "facts": [{"label": "地点", "value": "测试会议室"}],
        "columns": [{"title": "序号", "width": "auto", "align": "right"}, {"title": "姓名", "width": 2}, {"title": "单位", "width": 4}, {"title": "签字", "width": 3}],
        "rows": [[f"R{n:04d}", "测试专家", "测试单位", ""] for n in range(1, rows + 1)],
        "notes": ["核对身份证件后签到。"], "signatures": [{"role": "工作人员"}],
    }  # fmt: skip
