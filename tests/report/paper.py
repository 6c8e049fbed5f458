"""A reader with the printed report and a calculator: reads the text of the PDF, redoes every figure.

`Paper` only parses; `disagreements` computes. Sums, means, trimming, weights, ranks, ICC and W are
written here a second time with plain fractions; intervals, bands, REML and flags, which no calculator
does, are computed by the product's pure statistics from the printed marks alone.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pypdf

from app.aggregation.wording import punctuated
from app.domain.statistics.agreement import agreement
from app.domain.statistics.bands import score_bands
from app.domain.statistics.marks import Sheet, StageMarks, SubjectMarks
from app.domain.statistics.missing import State
from app.domain.statistics.review import review_round
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.scores import score_round
from app.domain.statistics.uncertainty import rank_uncertainty
from app.domain.types import Text
from tests.report.paper_agreement import check_faults, correction_faults, item_faults

FURNITURE = re.compile(r"^(— \d+ —|演练|演练文书 不具效力|送审稿 未签署)$")
OWN = "一致性按专家自评项目（不含统一计算的指标）计算。"
NUMBER = r"-?\d+(?:\.\d+)?…?"


@dataclass
class Marks:
    """One table of sheet totals."""

    stage: str
    raters: list[str]
    rows: dict[str, list[str]] = field(default_factory=dict)  # county -> cells
    tail: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # present, counted, mean

    def values(self, county: str) -> dict[str, Decimal]:
        return {
            rater: Decimal(cell.rstrip("×"))
            for rater, cell in zip(self.raters, self.rows[county], strict=True)
            if re.fullmatch(rf"{NUMBER}×?", cell)
        }

    def dropped(self, county: str) -> list[str]:
        return [
            rater
            for rater, cell in zip(self.raters, self.rows[county], strict=True)
            if cell.endswith("×")
        ]


@dataclass
class OwnMarks:
    """One table of what the experts judged, without the computed items: county -> rater -> points."""

    maximum: dict[str, str]
    rows: dict[str, dict[str, Decimal]]


class Paper:
    """What the text of a report says."""

    def __init__(self, pdf: bytes) -> None:
        pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]
        lines = [x.strip() for page in pages for x in page.split("\n")]
        self.text = "\n".join(x for x in lines if x and not FURNITURE.match(x))
        self.flat = re.sub(r"\s+", "", self.text)
        self.drop = {
            int(a): int(b)
            for a, b in re.findall(
                r"有效评分表(\d+)份及以上去掉(\d+)个最高分和\2个最低分", self.flat
            )
        }
        self.quorum = int(self.one(r"有效评分表少于(\d+)份的不计分"))
        formula = self.one(r"综合得分＝(.+?)，四舍五入保留2位小数")
        self.weights = {
            name: Fraction(weight) for name, weight in re.findall(r"([^＋×]+)×([\d.]+)", formula)
        }
        self.codes = dict(
            re.findall(r"([\u4e00-\u9fff]+区)（(\d{6})，", self.flat.split("评审对象")[1])
        )
        self.tables = [
            self._marks(m) for m in re.finditer(r"^(.+)评分汇总（满分 \d+）$", self.text, re.M)
        ]
        self.own = {
            m[1]: self._own(m)
            for m in re.finditer(r"^(.+)专家自评项目得分（一致性的计算依据）$", self.text, re.M)
        }
        self.composite = self._rows(
            "得分汇总\n县（市、区）", "综合评审评分者一致性", r"^(\S+) (.+)$"
        )
        self.ranking = re.findall(
            rf"^(\S+ 类地区) (\d+=?) (\S+) ({NUMBER}) ({NUMBER}) 至 ({NUMBER}) (\d+)(?: 至 (\d+))?$",
            self.text.split("综合得分与排序")[1],
            re.M,
        )

    def one(self, pattern: str) -> str:
        found = re.search(pattern, self.flat)
        assert found, pattern
        return found[1]

    def _marks(self, caption: re.Match[str]) -> Marks:
        body = self.text[caption.end() :].split("划线并加")[0].strip().split("\n")
        made = Marks(caption[1], re.findall(r"专家 ?(\d+)", body[0]))
        for line in body[1:]:
            name, *cells = line.split(" ")
            made.rows[name] = cells[: len(made.raters)]
            present, counted, mean = cells[len(made.raters) :]
            made.tail[name] = (present, counted, mean)
        return made

    def _own(self, caption: re.Match[str]) -> OwnMarks:
        head, *lines = self.text[caption.end() :].split(OWN)[0].strip().split("\n")
        raters = re.findall(r"专家 ?(\d+)", head)
        made = OwnMarks({}, {})
        for line in lines:
            name, made.maximum[name], *cells = line.split(" ")
            made.rows[name] = {
                rater: Decimal(cell)
                for rater, cell in zip(raters, cells, strict=True)
                if re.fullmatch(NUMBER, cell)
            }
        return made

    def _rows(self, start: str, end: str, pattern: str) -> dict[str, list[str]]:
        body = self.text.split(start)[1].split(end)[0]
        return {
            m[1]: m[2].split(" ") for m in re.finditer(pattern, body, re.M) if m[1] in self.codes
        }

    def agreement(self, stage: str) -> dict[str, tuple[str, str | None, str | None]]:
        """Coefficient -> value, low, high."""
        body = self.text.split(f"{stage}评分者一致性")[1].split("信度按双向随机")[0]
        flat = body.replace("\n", "")
        names = ["ICC(A,1)", "ICC(A,k)", "ICC(C,k)", "Kendall W"]
        names += [
            "单份评分的误差（分）",
            "全组均分的误差（分）",
            "区县之间的差异（分）",
            "专家宽严差异（分）",
        ]
        found = {}
        for name in names:
            m = re.search(
                re.escape(name) + rf" ({NUMBER}) (?:({NUMBER}) 至 ({NUMBER})|—) \d+ \d+", flat
            )
            assert m, name
            found[name] = (m[1], m[2], m[3])
        return found

    def items(self, county: str, stage: str, raters: int) -> dict[str, tuple[list[str], str]]:
        """Item -> cells by rater, printed mean."""
        body = self.text.split(f"{county} {stage}分项评分\n")[1]
        body = re.split(r"\n\S+ \S+分项评分\n|\n附件 5", body)[0]
        lines = [x for x in body.split("\n") if not x.startswith("项目 满分")]
        cell = rf"(?:{NUMBER}×?|—|不适用)"
        pattern = (
            rf"([A-Z]\d*\*?) \D.*? (?:{NUMBER}|—) ((?:{cell} ){{{raters}}})({NUMBER}|—)(?= [A-Z]|$)"
        )
        return {
            m[1]: ([c.rstrip("×") for c in m[2].split()], m[3])
            for m in re.finditer(pattern, " ".join(lines))
        }

    def arithmetic(self, county: str) -> str:
        body = self.text.split("各县得分计算过程\n")[1].split("方括号内")[0]
        names = "|".join(self.codes)
        part = re.split(rf"^({names})$", body, flags=re.M)
        return re.sub(r"\s+", "", part[part.index(county) + 1])

    def rule(self) -> ScoreRule:
        ids = {"综合评审": "desk", "实地考核": "site"}
        return ScoreRule.parse(
            {
                "trim": {"unit": "sheet", "drop": self.drop},
                "quorum": self.quorum,
                "modules": {
                    ids[n]: str(Decimal(w.numerator) / w.denominator)
                    for n, w in self.weights.items()
                },
                "rounding": {"total": 2},
                "rank_within": "group",
            }
        )

    def subjects(self) -> list[SubjectMarks]:
        """The printed marks as the statistics take them: only what stands on paper."""
        groups = {row[2]: row[0] for row in self.ranking}
        made = []
        for county, code in self.codes.items():
            stages = {}
            for table in self.tables:
                values = table.values(county)
                printed = self.items(county, table.stage, len(table.raters))
                sheets = {}
                for n, rater in enumerate(table.raters):
                    marks = {
                        item: Decimal(cells[n])
                        for item, (cells, _) in printed.items()
                        if re.fullmatch(NUMBER, cells[n]) and not item.endswith("*")
                    }
                    sheets[rater] = (
                        Sheet(total=values[rater], items=marks)
                        if rater in values
                        else Sheet(State.RECUSED, reason=Text("见报告", "see the report"))
                    )
                stages[{"综合评审": "desk", "实地考核": "site"}[table.stage]] = StageMarks(
                    sheets=sheets
                )
            made.append(SubjectMarks(code, stages, group=groups.get(county)))
        return made


def half_up(value: Fraction, places: int) -> str:
    top = Decimal(value.numerator) / Decimal(value.denominator)
    return str(top.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def same(printed: str, value: Fraction) -> bool:
    """Whether a printed number is `value`: exactly, or to its six decimals when it ends in …."""
    if printed.endswith("…"):
        return half_up(value, 6) == printed[:-1]
    return Fraction(printed) == value


def disagreements(paper: Paper) -> list[str]:
    """Every printed figure that does not follow from the printed marks and the printed rule."""
    found: list[str] = []

    def expect(ok: bool, what: str) -> None:
        if not ok:
            found.append(what)

    means: dict[tuple[str, str], Fraction] = {}
    for table in paper.tables:
        expect(f"随机抽取{len(table.raters)}人" in paper.flat, f"{table.stage}: number drawn")
        for county in paper.codes:
            marks = sorted((Fraction(v), r) for r, v in table.values(county).items())
            g = max((n for start, n in paper.drop.items() if len(marks) >= start), default=0)
            kept = marks[g : len(marks) - g]
            fell = sorted(v for v, _ in marks[:g] + marks[len(marks) - g :])
            where = f"{table.stage} {county}"
            given = table.values(county)
            expect(
                sorted(Fraction(given[r]) for r in table.dropped(county)) == fell,
                f"{where}: dropped",
            )
            mean = sum((v for v, _ in kept), Fraction(0)) / len(kept)
            means[table.stage, county] = mean
            present, counted, printed = table.tail[county]
            expect((int(present), int(counted)) == (len(marks), len(kept)), f"{where}: counts")
            expect(same(printed, mean), f"{where}: mean")
            found += _items(paper, table, county)
            found += _own(paper, table, county)
    totals = {}
    for county in paper.codes:
        cells = paper.composite[county]
        exact = Fraction(0)
        for n, (stage, weight) in enumerate(paper.weights.items()):
            part = means[stage, county] * weight
            exact += part
            expect(same(cells[2 * n], means[stage, county]), f"{county}: {stage}")
            expect(same(cells[2 * n + 1], part), f"{county}: {stage} weighted")
        totals[county] = half_up(exact, 2)
        expect(cells[-1] == totals[county], f"{county}: total")
        found += _lines(paper.arithmetic(county), county, totals[county])
    found += _ranks(paper, totals)
    for table in paper.tables:
        found += _agreement(paper, table)
        found += item_faults(paper, table)
        found += _chart(paper, table, means)
    found += check_faults(paper)
    found += correction_faults(paper, totals)
    found += _diagnostics(paper, totals)
    expect(f"对{len(paper.codes)}个县" in paper.flat, "number of counties")
    return found


def _items(paper: Paper, table: Marks, county: str) -> list[str]:
    found = []
    printed = paper.items(county, table.stage, len(table.raters))
    values, dropped = table.values(county), table.dropped(county)
    for n, rater in enumerate(table.raters):
        cells = [cells[n] for cells, _ in printed.values()]
        if rater not in values:
            if set(cells) != {"—"}:
                found.append(f"{county} {rater}: an absent expert has marks")
            continue
        numbers = [Fraction(c) for c in cells if re.fullmatch(NUMBER, c)]
        if sum(numbers, Fraction(0)) != Fraction(values[rater]):
            found.append(f"{county} {table.stage} {rater}: items do not add up")
    counted = [n for n, r in enumerate(table.raters) if r in values and r not in dropped]
    for item, (cells, mean) in printed.items():
        numbers = [Fraction(cells[n]) for n in counted if re.fullmatch(NUMBER, cells[n])]
        if mean != "—" and half_up(sum(numbers, Fraction(0)) / len(numbers), 2) != mean:
            found.append(f"{county} {table.stage} {item}: mean of the item")
    return found


def _own(paper: Paper, table: Marks, county: str) -> list[str]:
    """Own marks against the sheets: what is left of a total is computed, the same for every expert
    but for points that were moved in and carried (the annex prints these)."""
    if table.stage not in paper.own:
        return []
    own, totals = paper.own[table.stage], table.values(county)
    marks = own.rows[county]
    where = f"{table.stage} {county}: own marks"
    if set(marks) != set(totals):
        return [f"{where} of other experts"]
    items = paper.items(county, table.stage, len(table.raters))
    moved = [cells for name, (cells, _) in items.items() if name.endswith("*")]
    rest = {
        totals[rater] - marks[rater] - sum((Decimal(cells[n]) for cells in moved), Decimal(0))
        for n, rater in enumerate(table.raters)
        if rater in marks
    }
    found = [] if len(rest) == 1 else [f"{where} leave {len(rest)} different computed sums"]
    if any(not 0 <= mark <= Decimal(own.maximum[county]) for mark in marks.values()):
        found.append(f"{where} beyond the full marks")
    return found


def _lines(text: str, county: str, total: str) -> list[str]:
    """The arithmetic in words: every quotient, product and sum in it."""
    found = []
    number = r"(\d+(?:\.\d+)?…?)"
    quotients = re.findall(rf"{number}÷(\d+)={number}", text)
    products = re.findall(rf"{number}×{number}={number}", text)
    sums = re.findall(rf"总分：{number}\+{number}={number}→?{number}?", text)
    lists = re.findall(r"总分：((?:\d+(?:\.\d+)?)+)；去掉", text)
    if len(quotients) != 2 or len(products) != 2 or len(sums) != 1 or len(lists) != 2:
        found.append(f"{county}: lines of arithmetic are missing")
    for top, below, result in quotients:
        if not same(result, Fraction(top) / int(below)):
            found.append(f"{county}: {top} ÷ {below}")
    for a, b, result in products:
        if not a.endswith("…") and not same(result, Fraction(a) * Fraction(b)):
            found.append(f"{county}: {a} × {b}")
    for a, b, result, rounded in sums:
        if "…" not in a + b and Fraction(result) != Fraction(a) + Fraction(b):
            found.append(f"{county}: {a} + {b}")
        if Fraction(rounded or result) != Fraction(total):
            found.append(f"{county}: total in words")
    return found


def _ranks(paper: Paper, totals: dict[str, str]) -> list[str]:
    found = []
    if {row[2] for row in paper.ranking} != set(totals):
        found.append("ranking: counties")
    for cls in {row[0] for row in paper.ranking}:
        rows = [row for row in paper.ranking if row[0] == cls]
        for row in rows:
            better = sum(Decimal(totals[o[2]]) > Decimal(totals[row[2]]) for o in rows)
            if row[3] != totals[row[2]]:
                found.append(f"ranking: total of {row[2]}")
            if int(row[1].rstrip("=")) != better + 1:
                found.append(f"ranking: rank of {row[2]}")
    return found


def _agreement(paper: Paper, table: Marks) -> list[str]:
    found = []
    printed = paper.agreement(table.stage)
    judged = table.stage in paper.own
    said = paper.text.split(f"{table.stage}评分者一致性")[1].split("评分者一致性")[0]
    if (OWN in re.sub(r"\s+", "", said)) is not judged:
        found.append(f"{table.stage}: the marks that the agreement is computed on")
    rows = []
    for county in sorted(paper.codes, key=lambda c: paper.codes[c]):
        values = paper.own[table.stage].rows[county] if judged else table.values(county)
        rows.append([values.get(rater) for rater in table.raters])
    how = re.search(
        r"误差大小按满分([\d.]+)分判断。模拟区间种子(\d+)：α重抽样(\d+)次", re.sub(r"\s+", "", said)
    )
    assert how, table.stage
    again = agreement(rows, full_mark=float(how[1]), seed=int(how[2]), resamples=int(how[3]))
    own = {}
    if all(v is not None for row in rows for v in row):
        own = _two_way([[Fraction(v) for v in row if v is not None] for row in rows])
    for name, (value, low, high) in printed.items():
        if name in own and half_up(own[name], 4) != value:
            found.append(f"{table.stage}: {name} by hand")
        if name.startswith("ICC"):
            form = again.icc[name]
            wanted = [form.value, form.low, form.high]
            shown = [value, low, high]
        elif name == "Kendall W":
            wanted, shown = [again.kendall_w.value], [value]  # type: ignore[union-attr]
        else:
            result = again.icc_result
            wanted = [
                {
                    "单份评分的误差（分）": result.sem,
                    "全组均分的误差（分）": result.sem_mean,
                    "区县之间的差异（分）": result.sd_subject,
                    "专家宽严差异（分）": result.sd_rater,
                }[name]
            ]
            shown = [value]
        for a, b in zip(wanted, shown, strict=True):
            if (a is None) != (b is None) or (a is not None and abs(a - float(b or 0)) > 5.1e-5):
                found.append(f"{table.stage}: {name}")
    verdict = punctuated(again.verdict.text.zh)
    if re.sub(r"\s+", "", f"{table.stage}：{verdict}") not in paper.flat:
        found.append(f"{table.stage}: verdict")
    return found


def _two_way(rows: list[list[Fraction]]) -> dict[str, Fraction]:
    """ICC(A,1), ICC(A,k), ICC(C,k) by mean squares (Shrout & Fleiss 1979) and W by ranks."""
    n, k = len(rows), len(rows[0])
    grand = sum(map(sum, rows), Fraction(0)) / (n * k)
    by_row = [sum(row) / k for row in rows]
    by_column = [sum(row[c] for row in rows) / n for c in range(k)]
    bms = k * sum((m - grand) ** 2 for m in by_row) / (n - 1)
    jms = n * sum((m - grand) ** 2 for m in by_column) / (k - 1)
    rest = sum(
        (rows[r][c] - by_row[r] - by_column[c] + grand) ** 2 for r in range(n) for c in range(k)
    )
    ems = rest / ((n - 1) * (k - 1))
    made = {
        "ICC(A,1)": (bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n),
        "ICC(A,k)": (bms - ems) / (bms + (jms - ems) / n),
        "ICC(C,k)": (bms - ems) / bms,
    }
    columns = [[row[c] for row in rows] for c in range(k)]
    if all(len(set(column)) == n for column in columns):
        sums = [sum(sum(x <= row[c] for x in columns[c]) for c in range(k)) for row in rows]
        middle = Fraction(k * (n + 1), 2)
        made["Kendall W"] = (
            12 * sum((Fraction(s) - middle) ** 2 for s in sums) / (k * k * (n**3 - n))
        )
    return made


def _chart(paper: Paper, table: Marks, means: dict[tuple[str, str], Fraction]) -> list[str]:
    number = [t.stage for t in paper.tables].index(table.stage) + 1
    body = paper.text.split(f"图 {number}　{table.stage}评分分布")[0].split("\n")[-20:]
    return [
        f"chart {number}: {county}"
        for county in paper.codes
        if f"{county} {half_up(means[table.stage, county], 2)}" not in body
    ]


def _diagnostics(paper: Paper, totals: dict[str, str]) -> list[str]:
    found = []
    rule, subjects = paper.rule(), paper.subjects()
    scores = score_round(rule, subjects)
    names = {code: county for county, code in paper.codes.items()}
    for code, score in scores.subjects.items():
        if str(score.total) != totals[names[code]]:
            found.append(f"{names[code]}: the statistics give {score.total}")
    bands = score_bands(rule, subjects, scores)
    sure = rank_uncertainty(rule, subjects, scores)
    if f"{sure.draws}次模拟得出，种子{sure.seed}" not in paper.flat:
        found.append("seed of the rank intervals")
    for _, _, county, _, low, high, first, last in paper.ranking:
        band = bands[paper.codes[county]]
        if abs(band.low - float(low)) > 0.0051 or abs(band.high - float(high)) > 0.0051:
            found.append(f"{county}: band")
        if sure.bands[paper.codes[county]].interval != (int(first), int(last or first)):
            found.append(f"{county}: rank interval")
    review = review_round(rule, subjects, scores, homes_by_stage={})
    flags = list(review.flags)
    silent = sum(check.outcome == "not_enough_data" for check in review.checks)
    if (f"另有{silent}项规则因数据不足没有判断" in paper.flat) is not (silent > 0):
        found.append("rules without enough data")
    for check in review.checks:
        if check.silent and re.sub(r"\s+", "", punctuated(check.silent.zh)) not in paper.flat:
            found.append(f"rule without enough data: {check.rule}")
    count = re.search(r"评分提示(\d+)条", paper.flat)
    if (int(count[1]) if count else 0) != len(flags):
        found.append("number of observations")
    for flag in flags:
        text = punctuated(
            flag.text.zh.replace(flag.subject or "\0", names.get(flag.subject or "", ""))
        )
        if flag.rule == "deviation":  # a share of something: the sentence says of what
            text += "（按评分表总分计"
        if re.sub(r"\s+", "", text) not in paper.flat:
            found.append(f"observation: {text}")
        rate = "" if flag.false_alarm is None else punctuated(flag.false_alarm.text.zh)
        if re.sub(r"\s+", "", rate) not in paper.flat:
            found.append(f"false alarms: {rate}")
    return found
