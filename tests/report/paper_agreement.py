"""The reader of the printed report on three tables of its annexes: agreement item by item, agreement of
pass and fail, and the values before and after each correction. All from the text of the paper alone.

Interval alpha, the share of agreeing pairs, AC1 and the totals are done by hand with fractions; the other
coefficients by the product's pure statistics from the printed marks.
"""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING

from app.domain.statistics.additive import fit_additive
from app.domain.statistics.alpha import alpha
from app.domain.statistics.chance import ac1, fleiss_kappa
from app.domain.statistics.observed import Observed
from app.domain.types import Text

if TYPE_CHECKING:
    from tests.report.paper import Marks, Paper

NUMBER = r"-?\d+(?:\.\d+)?"
FOUR = r"-?\d\.\d{4}"  # in text without spaces one figure ends where the next begins
CELL = rf"(?:{NUMBER}|—)"


def item_agreement(paper: Paper, stage: str) -> dict[str, list[str]]:
    """Item -> counties, three alphas, spread, as printed."""
    body = paper.text.split(f"{stage}：逐项一致性\n")[1].split("只列专家自评的项目")[0]
    lines = " ".join(body.split("\n")[1:])
    found = re.finditer(rf"([A-Z]\d*\*?) \D.*? (\d+)((?: {CELL}){{4}})(?= [A-Z]\d|\s*$)", lines)
    return {m[1]: [m[2], *m[3].split()] for m in found}


def item_faults(paper: Paper, table: Marks) -> list[str]:
    """Every alpha and spread of a stage against the item marks printed in annex 4."""
    marks: dict[str, list[tuple[str, str, str]]] = {}
    for county in paper.codes:
        given = table.values(county)
        for item, (cells, _) in paper.items(county, table.stage, len(table.raters)).items():
            marks.setdefault(item, []).extend(
                (paper.codes[county], rater, cell)
                for rater, cell in zip(table.raters, cells, strict=True)
                if rater in given and re.fullmatch(NUMBER, cell)
            )
    printed = item_agreement(paper, table.stage)
    found = []
    for item, rows in marks.items():
        by_county: dict[str, list[Fraction]] = {}
        for county, _, cell in rows:
            by_county.setdefault(county, []).append(Fraction(cell))
        if item not in printed:
            # What is computed is alike for all: it is not judged and has no row.
            if any(len(set(values)) > 1 for values in by_county.values()):
                found.append(f"{table.stage} {item}: no agreement printed")
            continue
        counties, *figures = printed[item]
        where = f"{table.stage} {item}: agreement"
        if int(counties) < len(by_county):
            # Computed for the other counties, where it is alike for all.
            by_county = {c: values for c, values in by_county.items() if len(set(values)) > 1}
            rows = [row for row in rows if row[0] in by_county]
        if int(counties) != len(by_county):
            found.append(f"{where}: counties")
        units = [values for values in by_county.values() if len(values) >= 2]
        if len(units) < 2:
            wanted: list[float | Text] = [Text("", "")] * 3
        else:
            seen = Observed(*zip(*((c, r, float(v)) for c, r, v in sorted(rows)), strict=True))  # type: ignore[arg-type]
            _, _, matrix = seen.matrix()
            wanted = [_interval_alpha(units), alpha(matrix, "ordinal"), alpha(matrix, "nominal")]
            fit = fit_additive(seen)
            wanted.append(fit if isinstance(fit, Text) else fit.scale)
        for name, want, shown in zip(("interval", "ordinal", "nominal", "spread"), wanted, figures):  # noqa: B905
            if isinstance(want, Text) is not (shown == "—"):
                found.append(f"{where}: {name} defined or not")
            elif not isinstance(want, Text) and abs(want - float(shown)) > 0.00501:
                found.append(f"{where}: {name}")
    if missing := printed.keys() - marks.keys():
        found.append(f"{table.stage}: agreement of unknown items {sorted(missing)}")
    return found


def _interval_alpha(units: list[list[Fraction]]) -> float | Text:
    """Krippendorff's alpha with squared differences, pair by pair."""
    every = [v for unit in units for v in unit]
    n = len(every)
    within = sum(
        (sum((a - b) ** 2 for a in unit for b in unit) / (len(unit) - 1) for unit in units),
        Fraction(0),
    )
    overall = sum((a - b) ** 2 for a in every for b in every) / Fraction(n - 1)
    return Text("", "") if overall == 0 else float(1 - within / overall)


# ---------- pass and fail


def check_faults(paper: Paper) -> list[str]:
    """The coefficients of pass and fail against the printed votes; nothing where nothing was checked."""
    if "实地查验结论" not in paper.flat:
        return []
    votes = paper.flat.split("实地查验结论")[1].split("图3")[0]
    counts = list(re.finditer(r"(\d+)张未通过，(\d+)张通过", votes))
    starts = [m.end() for m in counts]
    said = [votes[a:b] for a, b in zip(starts, [*starts[1:], len(votes)], strict=True)]
    sizes = [(int(m[1]), int(m[2])) for m in counts]
    fails = [Counter(re.findall(r"专家\d+：([A-Z]\d*)", part)) for part in said]
    tables = {"查验结论": [f for f, _ in sizes]}
    for item in sorted({name for row in fails for name in row}):
        tables[item] = [row[item] for row in fails]
    body = paper.flat.split("通过与否的一致性")[1].split("多数县都通过时")[0]
    found = []
    for name, failed in tables.items():
        rows = [
            [0.0] * bad + [1.0] * (a + b - bad) for bad, (a, b) in zip(failed, sizes, strict=True)
        ]
        width = max(map(len, rows))
        table: list[list[float | None]] = [[*row, *[None] * (width - len(row))] for row in rows]
        part = re.search(rf"{name}[^：]*：结论相同的比例（%）(.*?)—", body)
        by_hand = [row for row in rows if len(row) >= 2]
        share = sum(_same(row) for row in by_hand) / len(by_hand)
        if part is None or abs(float(part[1]) - 100 * share) > 0.0501:
            found.append(f"check {name}: share of equal verdicts")
        pi = Fraction(sum(Fraction(int(sum(r)), len(r)) for r in rows)) / len(rows)
        chance = 2 * pi * (1 - pi)
        coefficient = ac1(table)
        for title, made, hand in (
            ("GwetAC1", coefficient, (share - chance) / (1 - chance) if chance != 1 else None),
            ("Fleissκ", fleiss_kappa(table), None),
        ):
            shown = re.search(rf"{name}[^：]*：{title}(?:({FOUR})(?:({FOUR})至({FOUR}))?|—)", body)
            wanted = [None] * 3 if isinstance(made, Text) else [made.value, made.low, made.high]
            printed = [shown[n] for n in (1, 2, 3)] if shown else ["?"] * 3
            if hand is not None and printed[0] not in (None, "?") and abs(float(printed[0]) - float(hand)) > 5.1e-5:  # fmt: skip
                found.append(f"check {name}: {title} by hand")
            if any(
                (a is None) != (b is None) or b == "?" or (a is not None and abs(a - float(b)) > 5.1e-5)
                for a, b in zip(wanted, printed, strict=True)
            ):  # fmt: skip
                found.append(f"check {name}: {title}")
    return found


def _same(row: list[float]) -> Fraction:
    n, passed = len(row), int(sum(row))
    failed = n - passed
    return Fraction(passed * (passed - 1) + failed * (failed - 1), n * (n - 1))


# ---------- corrections after totals


def correction_faults(paper: Paper, totals: dict[str, str]) -> list[str]:
    """Each corrected value of the last run against the printed tables, and the old total done again."""
    if "更正前后的数值" not in paper.text:
        return []
    (last,) = {int(n) for n in re.findall(r"得分汇总第(\d+)次", paper.flat)}
    body = paper.text.split("更正前后的数值\n")[1].split("依据：")[0]
    rows = re.findall(r"^(\d+) (\S+) (.+) (\S+) (\S+)$", body, re.M)
    found = [] if rows else ["corrections: no value is printed"]
    old_marks: dict[str, dict[tuple[str, str], str]] = {}
    for number, county, what, old, new in rows:
        if int(number) != last:
            continue
        sheet = re.fullmatch(r"(\S+) 专家 ?(\d+) 评分表总分", what)
        if sheet:
            (table,) = [t for t in paper.tables if t.stage == sheet[1]]
            printed = table.values(county).get(sheet[2])
            if printed is None or Fraction(printed) != Fraction(new):
                found.append(f"correction of {county}: expert {sheet[2]} after")
            old_marks.setdefault(county, {})[sheet[1], sheet[2]] = old
    for number, county, what, old, new in rows:
        if int(number) != last or what != "综合得分":
            continue
        if new != totals[county]:
            found.append(f"correction of {county}: total after")
        if old != _total(paper, county, old_marks.get(county, {})):
            found.append(f"correction of {county}: total before")
    return found


def _total(paper: Paper, county: str, old: dict[tuple[str, str], str]) -> str:
    """The total with the marks that counted before."""
    from tests.report.paper import half_up

    exact = Fraction(0)
    for table in paper.tables:
        marks = {rater: Fraction(v) for rater, v in table.values(county).items()}
        for (stage, rater), cell in old.items():
            if stage == table.stage:
                marks.pop(rater, None)
                if re.fullmatch(NUMBER, cell):
                    marks[rater] = Fraction(cell)
        values = sorted(marks.values())
        g = max((n for start, n in paper.drop.items() if len(values) >= start), default=0)
        kept = values[g : len(values) - g]
        exact += sum(kept, Fraction(0)) / len(kept) * paper.weights[table.stage]
    return half_up(exact, 2)
